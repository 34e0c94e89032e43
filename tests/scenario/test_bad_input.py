"""Every mistake in its own file, with the message it must give in its first line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pharmsim.errors import ScenarioError
from pharmsim.scenario import load

BAD = Path(__file__).parents[1] / "bad"
FILES = sorted(BAD.glob("*.yaml"))
EXPECT = re.compile(r"# expect (?:(?P<file>\S+\.csv) )?(?:line (?P<line>\d+): )?(?P<text>.+)")


def test_the_glob_finds_them() -> None:
    assert len(FILES) > 25


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_message(path: Path) -> None:
    match = EXPECT.match(path.read_text(encoding="utf-8").splitlines()[0])
    assert match is not None
    with pytest.raises(ScenarioError) as caught:
        load(path)
    assert caught.value.exit_code == 2
    problems = caught.value.problems
    found = [problem for problem in problems if match["text"] in f"{problem.where}: {problem.message}"]
    assert found, str(caught.value)
    assert len(caught.value.problems) == 1, str(caught.value)
    if match["line"]:
        assert found[0].line == int(match["line"]), str(caught.value)
    if match["file"]:
        assert found[0].file == str(BAD / match["file"])
    elif "loop" not in path.stem:
        assert found[0].file == str(path)


def test_the_good_file_is_good() -> None:
    assert load(BAD / "data" / "good.yaml").name


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    text = (BAD / "percent_meant.yaml").read_text(encoding="utf-8")
    file = tmp_path / "several.yaml"
    text = text.replace("roles: [nurse", "rolls: 1\nroles: [nurse") + "  away:\n    rate: 110\n"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load(file)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{file}: 3 problems"
    assert [line.split()[1] for line in lines[1:]] == ["5", "18", "20"]
