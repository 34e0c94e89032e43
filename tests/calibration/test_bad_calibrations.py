"""Every mistake of a calibration in its own file, with the message that it gives before anything is run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pharmsim.calibration.calibrate import calibrate
from pharmsim.calibration.file import load_calibration
from pharmsim.errors import InputError, ScenarioError

BAD = Path(__file__).parent / "bad"
GOOD = BAD / "data" / "good.yaml"
FILES = sorted(BAD.glob("*.yaml"))
EXPECT = re.compile(r"# expect (?:(?P<file>data/\w+\.\w+)(?: |: ))?(?:line (?P<line>\d+): )?(?P<text>.+)")


def test_the_glob_finds_them() -> None:
    assert len(FILES) > 30


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_message(path: Path) -> None:
    match = EXPECT.match(path.read_text(encoding="utf-8").splitlines()[0])
    assert match is not None
    with pytest.raises(ScenarioError) as caught:
        load_calibration(path)
    assert caught.value.exit_code == 2
    (problem,) = caught.value.problems
    assert match["text"] in f"{problem.where}: {problem.message}"
    assert problem.line == int(match["line"] or 0)
    assert problem.file == str(BAD / match["file"] if match["file"] else path)


def test_the_good_file_is_good() -> None:
    calibration = load_calibration(GOOD)
    assert calibration.parameters == ("leaving",)
    assert [len(one.targets) for one in calibration.observations] == [2]


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ScenarioError) as caught:
        load_calibration(BAD / "data" / "several.yaml")
    wheres = [problem.where for problem in caught.value.problems]
    assert wheres == ["parameters[0]", "observations[0].measure", "observations[0].series"]


def test_parameters_that_nothing_uses_are_told() -> None:
    with pytest.raises(InputError) as caught:
        calibrate(load_calibration(BAD / "data" / "idle.yaml"))
    assert "every parameter must move a target — none depends on pay — leave them out" in str(caught.value)
    assert caught.value.exit_code == 2
