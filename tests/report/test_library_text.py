"""The library of interventions in words."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from pharmsim import cli
from pharmsim.report import library_text
from pharmsim.scenario import library, load

NAMES = sorted(path.stem for path in library.shipped_folder().glob("*.yaml"))
BASE = Path(__file__).parents[2] / "scenarios" / "sel" / "baseline.yaml"


def test_there_is_a_library() -> None:
    assert len(NAMES) >= 17


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_names_every_intervention_on_its_level(width: int) -> None:
    page = io.StringIO()
    library_text.show(Console(file=page, width=width))
    parts = page.getvalue().split("Interventions on the level: ")[1:]
    by_level = {part.splitlines()[0].strip(): part for part in parts}
    for name in NAMES:
        lever = library.load(name)[0]
        (row,) = [line for line in by_level[lever.level].splitlines() if f" {name} " in line]
        assert lever.category in by_level[lever.level]
        assert "assumption" in row or "derived" in row or "proxy" in row or "published" in row
    assert max(map(len, page.getvalue().splitlines())) <= width


@pytest.mark.parametrize("name", NAMES)
def test_everything_about_one(name: str) -> None:
    """Every number of the file is there, with its source; lines fit a terminal."""
    lever, file, _ = library.load(name)
    text = library_text.text(name)
    flat = " ".join(text.split())
    assert lever.title in text
    assert file in text
    for number in library.numbers(lever):
        value = number.node
        if isinstance(value, library.Value) and value.low is not None:
            assert " ".join(value.source.split()) in flat
            shown = {f"{value.value:,g}", f"{100 * value.value:,g} %"}
            assert any(one in flat for one in shown), (str(number), shown)
    assert ("claimed" in text) == any(effect.claimed for effect in (*lever.effects, *lever.job_plan))
    assert "  \n" not in text


def test_the_snippet_can_be_used(tmp_path: Path) -> None:
    """What it says at the end is a change that works, once `where` is filled in."""
    text = library_text.text("flexible_working").split("How to use it\n")[1]
    change = yaml.safe_load(text)["changes"][0]
    assert change == {
        "use": "flexible_working", "where": {"environment": "…"}, "uptake": "30 %", "start": "April 2027",
    }  # fmt: skip
    change["where"] = {"environment": "ward"}
    base = BASE.parents[2] / "tests" / "bad" / "data" / "good.yaml"
    (tmp_path / "base.yaml").write_text(base.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "interventions").mkdir()
    hours = base.parents[1] / "interventions" / "hours.yaml"
    (tmp_path / "interventions" / "hours.yaml").write_text(
        hours.read_text(encoding="utf-8"), encoding="utf-8"
    )
    change["use"] = "hours"
    plan = {"base": "base.yaml", "name": "Plan", "changes": [change]}
    (tmp_path / "plan.yaml").write_text(yaml.safe_dump(plan), encoding="utf-8")
    assert load(tmp_path / "plan.yaml").interventions[0].uptake.value == 0.3


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.call(["interventions", "phased_retirement"]) == 0
    assert capsys.readouterr().out == library_text.text("phased_retirement") + "\n"
    assert cli.call(["interventions", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert [item["name"] for item in data] == NAMES
    assert not any("start" in item for item in data)
    assert cli.call(["interventions", "phased_retirement", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [
        item for item in data if item["name"] == "phased_retirement"
    ]
    assert cli.call(["interventions", "phased_retirment"]) == 2
    assert "Closest: phased_retirement" in capsys.readouterr().err


def test_own_ones_are_found_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a scenario in the folder would find them: beside it or above, before the library; or by file."""
    hours = (BASE.parents[2] / "tests" / "bad" / "interventions" / "hours.yaml").read_text(encoding="utf-8")
    (tmp_path / "scenarios" / "area" / "interventions").mkdir(parents=True)
    (tmp_path / "scenarios" / "interventions").mkdir()
    (tmp_path / "scenarios" / "area" / "interventions" / "set_a.yaml").write_text(hours, encoding="utf-8")
    (tmp_path / "scenarios" / "interventions" / "set_b.yaml").write_text(hours, encoding="utf-8")
    (tmp_path / "ours.yaml").write_text(hours, encoding="utf-8")
    monkeypatch.chdir(tmp_path / "scenarios" / "area")
    for word, used in (("set_a", "set_a"), ("set_b", "set_b"), ("../../ours.yaml", "../../ours.yaml")):
        assert cli.call(["interventions", word]) == 0
        assert f"- use: {used}\n" in capsys.readouterr().out
    assert cli.call(["interventions", "--json"]) == 0
    assert {"set_a", "set_b", *NAMES} == {item["name"] for item in json.loads(capsys.readouterr().out)}
    monkeypatch.chdir(tmp_path)
    assert cli.call(["interventions", "set_a"]) == 2
    assert "no such intervention `set_a`" in capsys.readouterr().err


def test_what_does_not_depend_on_posts_is_not_said_to_be_narrowed() -> None:
    places, checking = (library_text.text(name) for name in ("more_training_places", "technician_delegation"))
    assert "intake, places: as a whole, whatever the posts" in places
    assert "all posts" not in places
    assert "where:" not in places
    assert "delegation: as a whole, whatever the posts" in checking
    assert "where: {role: pharmacist}" in checking
