"""A question to `solve` as it is asked: everything that is wrong with it is said at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from pharmsim.errors import Problem, ScenarioError
from pharmsim.scenario import load
from pharmsim.scenario.models import Scenario
from pharmsim.study.dates import target_dates
from pharmsim.study.solving import levers as moving
from pharmsim.study.solving import target_text
from pharmsim.study.solving.levers import Lever
from pharmsim.study.solving.target_text import Ask
from pharmsim.study.solving.targets import Target


class Question(NamedTuple):
    """What `pharmsim.study.solving.solve.solve` is asked."""

    scenario: Scenario
    target: Target
    levers: tuple[Lever, ...]
    dates: tuple[str, ...]


def ask(question: str, choices: Sequence[str]) -> str:
    """Ask somebody at the terminal to choose, until a choice is made."""
    print(
        question, *(f"  {number}  {choice}" for number, choice in enumerate(choices, 1)), sep="\n", flush=True
    )
    while True:
        written = input("number: ").strip()
        if written in choices:
            return written
        if written.isdigit() and 1 <= int(written) <= len(choices):
            return choices[int(written) - 1]


def read(
    file: str | os.PathLike[str],
    target: str,
    levers: Sequence[str],
    dates: Sequence[str] = (),
    *,
    level: str | None = None,
    roles: Sequence[str] = (),
    environments: Sequence[str] = (),
    first: str | None = None,
    last: str | None = None,
    start: str | None = None,
    ask: Ask | None = None,
) -> Question:
    """Read a question about a scenario file.

    Parameters
    ----------
    file : path
    target : str
        See `target_text.read`, with `level`, `roles`, `environments` and `ask`.
    levers : sequence of str
        See `levers.read`, with `first`, `last` and `start`.
    dates : sequence of str
        See `dates.target_dates`.

    Raises
    ------
    ScenarioError
        With every problem found.
    """
    scenario = load(file)
    bad: list[Problem] = []

    def attempt(make: Callable[[], Any]) -> Any:
        try:
            return make()
        except ScenarioError as error:
            bad.extend(error.problems)

    found = attempt(lambda: moving.read(file, scenario, levers, first, last, start))
    attempt(lambda: target_dates(scenario, dates))
    ask = None if bad else ask  # nobody is asked about a question that cannot be answered
    wanted = attempt(lambda: target_text.read(target, scenario, level, roles, environments, ask))
    if bad:
        raise ScenarioError(Problem("solve", 0, problem.where, problem.message) for problem in bad)
    return Question(found[0], wanted, found[1], tuple(dates))
