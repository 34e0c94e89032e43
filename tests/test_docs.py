"""What the pages show works: YAML loads, commands and options exist."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

import pharmsim
from pharmsim.calibration.backtest import known_at
from pharmsim.calibration.courses import course
from pharmsim.calibration.file import load_calibration
from pharmsim.calibration.origins import read_form
from pharmsim.cli import app
from pharmsim.compiled.draws import names
from pharmsim.scenario import library
from pharmsim.study.sensitivity import question
from test_reference_pages import make_reference

ROOT = Path(__file__).parents[1]
TEACHING = {name: ROOT / "scenarios" / name for name in ("tiny.yaml", "small_system.yaml")}


def pages() -> list[Path]:
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    assert len(found) > 10, "the glob found too little"
    return [path for path in sorted(found) if path.parent.name != "reference"]


def blocks(path: Path, *kinds: str) -> list[tuple[int, str]]:
    """Fenced blocks of a page with the number of their first line."""
    text = path.read_text(encoding="utf-8")
    found = re.finditer(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [(text[: m.start()].count("\n") + 2, m[2]) for m in found if m[1] in kinds]


YAML_BLOCKS = [
    pytest.param(text, id=f"{path.name}:{line}") for path in pages() for line, text in blocks(path, "yaml")
]


def test_there_are_yaml_blocks() -> None:
    assert len(YAML_BLOCKS) > 10


PLACES = {
    "tiny.yaml": "page.yaml",
    "baseline.yaml": "sel/page.yaml",
    "../baseline.yaml": "sel/what_if/page.yaml",
}
"""Where a what-if stands, by its base."""


@pytest.mark.parametrize("text", YAML_BLOCKS)
def test_yaml_loads(text: str, tmp_path: Path) -> None:
    """A what-if loads beside its base, an intervention alone; a section stands in the scenario it names."""
    content = yaml.safe_load(text)
    folder = tmp_path / "scenarios"
    if "outcome" in content:
        (tmp_path / "page.yaml").write_text(text, encoding="utf-8")
        assert library.load(str(tmp_path / "page.yaml"))
        return
    if "observations" in content:  # a calibration, beside those that are shipped
        (tmp_path / "calibration").mkdir()
        for name in ("scenarios", "calibration/targets"):
            (tmp_path / name).symlink_to(ROOT / name)
        (tmp_path / "calibration" / "page.yaml").write_text(text, encoding="utf-8")
        assert load_calibration(tmp_path / "calibration" / "page.yaml").names
        return
    if "backtest" in content:  # in place of what the shipped calibration says
        whole = load_calibration(ROOT / "calibration" / "gb_register.yaml")
        form = read_form(content["backtest"], "page")
        known = known_at(whole, form, form.origins[0])
        assert {*form.drawn} <= {*names(known.scenario)}
        assert all(course(whole, judged).targets for judged in form.series)
        return
    if "base" in content:
        shutil.copytree(ROOT / "scenarios", folder)
        shutil.copytree(ROOT / "calibration" / "posteriors", tmp_path / "calibration" / "posteriors")
        file = folder / PLACES[content["base"]]
        file.write_text(text, encoding="utf-8")
    else:
        named = re.match(r"# in ([\w.]+)\n", text)
        whole = TEACHING[named[1] if named else "tiny.yaml"].read_text(encoding="utf-8")
        parts = re.split(r"^(?=\w+:)", whole, flags=re.MULTILINE)
        kept = [part for part in parts if part.split(":")[0] not in content]
        folder.mkdir()
        file = folder / "page.yaml"
        file.write_text("".join(kept) + "\n" + text, encoding="utf-8")
    assert pharmsim.load(file).name


def commands() -> list[Any]:
    found = []
    for path in pages():
        for line, text in blocks(path, "sh", "", "bat"):
            for n, words in enumerate(text.splitlines()):
                match = re.search(r"(?:^|[/\\ ])pharmsim (.*)", words.strip())
                if match and not words.startswith("#"):
                    found.append(pytest.param(match[1].split("#")[0], id=f"{path.name}:{line + n}"))
    return found


def test_there_are_commands() -> None:
    assert len(commands()) > 10


def problems_of(line: str) -> list[str]:
    """Names of commands and options in a line that pharmsim does not have."""
    words = shlex.split(line.split(">")[0], posix=True)
    name = words[0]
    if name.startswith("-"):
        return [word for word in words if word not in make_reference.help_of()]
    if name not in make_reference.command_names():
        return [name]
    group = make_reference.command_names(name)
    if group and f"{name} {words[1]}" not in group:
        return [words[1]]
    shown = make_reference.help_of(*words[: 2 if group else 1])
    return [word for word in words if word.startswith("--") and f"{word.split('=')[0]} " not in shown + " "]


@pytest.mark.parametrize("line", commands())
def test_command_exists(line: str) -> None:
    assert not problems_of(line)


def test_wrong_commands_are_seen() -> None:
    assert problems_of("run x.yaml --drawings 3") == ["--drawings"]
    assert problems_of("walk x.yaml") == ["walk"]
    assert problems_of("data walk x.csv") == ["walk"]
    assert problems_of("data read gphc x.csv --walk") == ["--walk"]


QUESTIONS = [each for each in commands() if each.values[0].startswith("sensitivity ")]


@pytest.mark.parametrize("line", QUESTIONS)
def test_questions_to_sensitivity_are_complete(line: str) -> None:
    command = typer.main.get_command(app).commands["sensitivity"]  # type: ignore[attr-defined]
    given = command.make_context("sensitivity", shlex.split(line)[1:]).params
    scenario = pharmsim.load(ROOT / given["file"])
    assert question.read(scenario, given["of"] or (), given["by"] or (), level=given["level"]).subjects


def test_there_are_questions_to_sensitivity() -> None:
    assert len(QUESTIONS) > 1


def test_files_that_pages_name_exist() -> None:
    name = r"(?:scenarios|docs|tests|benchmarks|scripts)/[\w./-]+\.(?:ya?ml|md|py|csv|json)"
    named = [(path, file) for path in pages() for file in re.findall(name, path.read_text(encoding="utf-8"))]
    assert len(named) > 20
    own = ("my_question", "verification.json", "results.md")  # written by the reader, or by a make word
    bad = [
        f"{path.name}: {file}"
        for path, file in named
        if not (ROOT / file).exists() and not any(o in file for o in own)
    ]
    assert not bad, "\n".join(bad)


def test_architecture_names_every_room_and_no_other_file() -> None:
    text = (ROOT / "docs" / "background" / "architecture.md").read_text(encoding="utf-8")
    files = {path.name for path in (ROOT / "src").rglob("*.py")} | {
        path.name for path in (ROOT / "tests").glob("*.py")
    }
    named = set(re.findall(r"`(?:[\w/]+/)?(\w+\.py)`", text))
    assert len(named) > 20
    assert named <= files, f"gone: {named - files}"
    rooms = {
        path.name for path in (ROOT / "src" / "pharmsim").iterdir() if path.suffix == ".py" or path.is_dir()
    }
    unnamed = [room for room in rooms - {"__init__.py", "__pycache__"} if room not in text]
    assert not unnamed
