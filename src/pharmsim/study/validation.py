"""Checking scenario files: all that reading finds, and numbers that leave their bounds in some draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pharmsim.compiled.compile import compile_scenario
from pharmsim.compiled.draws import sample
from pharmsim.errors import InputError, Problem, ScenarioError
from pharmsim.scenario import check_warnings, load

TRIED_DRAWS = 20
"""Draws in which numbers that leave their bounds are looked for."""


def validate(files: Sequence[Path], say: Callable[[str], object]) -> None:
    """Check scenario files and say of each sound one that it is valid, with its warnings.

    Raises
    ------
    ScenarioError
        With the problems of all files.
    """
    problems: list[Problem] = []
    for file in files:
        try:
            scenario = load(file)
            compile_scenario(scenario, sample(scenario, TRIED_DRAWS))
        except ScenarioError as error:
            problems += error.problems
        except InputError as error:
            problems.append(Problem(str(file), 0, "", str(error)))
        else:
            n = len(scenario.posts)
            say(f"{file}: valid; {scenario.name!r}, {n} post{'s' if n != 1 else ''}")
            for warning in check_warnings(scenario):
                say(f"  warning: {warning}")
    if problems:
        raise ScenarioError(problems)
