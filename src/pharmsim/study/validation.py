"""Checking scenario files: all that reading finds, and numbers that leave their bounds in some draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pharmsim.compiled.compile import compile_scenario
from pharmsim.compiled.draws import sample
from pharmsim.errors import InputError, Problem, ScenarioError
from pharmsim.scenario import check_warnings, library, load

TRIED_DRAWS = 20
"""Draws in which numbers that leave their bounds are looked for."""


def validate(files: Sequence[Path], say: Callable[[str], object]) -> None:
    """Check files of scenarios and interventions; say of each sound one that it is valid, with its warnings.

    Raises
    ------
    ScenarioError
        With the problems of all files.
    """
    problems: list[Problem] = []
    for file in files:
        try:
            lines = _checked(file)
        except ScenarioError as error:
            problems += error.problems
        except InputError as error:
            problems.append(Problem(str(file), 0, "", str(error)))
        else:
            say(f"{file}: valid; {lines[0]}")
            for warning in lines[1:]:
                say(f"  warning: {warning}")
    if problems:
        raise ScenarioError(problems)


def _checked(file: Path) -> list[str]:
    """Return what is in a sound file, and warnings."""
    try:
        scenario = load(file)
    except ScenarioError:
        if not library.holds_one(str(file)):
            raise
        lever = library.load(str(file))[0]
        return [f"intervention {lever.title!r}, {lever.level}, {lever.category}"]
    compile_scenario(scenario, sample(scenario, TRIED_DRAWS))
    n = len(scenario.posts)
    return [f"{scenario.name!r}, {n} post{'s' if n != 1 else ''}", *check_warnings(scenario)]
