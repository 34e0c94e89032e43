"""A question to `sensitivity` as it is asked: everything that is wrong with it is said at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from pharmsim.compiled import draws as uncertainties
from pharmsim.errors import Problem, ScenarioError
from pharmsim.scenario.marks import closest, quoted
from pharmsim.scenario.models import Scenario
from pharmsim.study.comparing.comparison import chosen_dates
from pharmsim.study.dates import target_dates
from pharmsim.study.sensitivity.indices import enough, needed, salib
from pharmsim.study.solving.target_text import named, read_subject
from pharmsim.study.solving.targets import BY_LEVEL, QUANTITIES, Subject

METHODS = ("tornado", "prcc", "delta", "pawn", "sobol")
USUAL = ("tornado", "prcc")
GIVEN = ("prcc", "delta", "pawn")
"""Methods that take their numbers from the draws of an ensemble."""
BY_SALIB = ("delta", "pawn", "sobol")
DRAWS = 256
"""Draws of the ensemble."""


class Question(NamedTuple):
    """What `sensitivity` is asked: measures, dates (ndarray of datetime64), methods."""

    subjects: tuple[Subject, ...]
    dates: np.ndarray
    methods: tuple[str, ...]


def read(
    scenario: Scenario,
    of: Sequence[str] = (),
    by: Sequence[str] = (),
    *,
    level: str | None = None,
    roles: Sequence[str] = (),
    environments: Sequence[str] = (),
    methods: Sequence[str] = USUAL,
    draws: int = DRAWS,
) -> Question:
    """Read a question about a scenario.

    Parameters
    ----------
    scenario : Scenario
    of : sequence of str
        Names of measures (`targets.QUANTITIES` and `YEARLY`); by default those that a board asks for, as far
        as the scenario has what they need.
    by : sequence of str
        Dates; by default those of a comparison.
    level : str, optional
        Level of retention; needed where retention is asked for and there are several.
    roles, environments : sequence of str
        What is measured; empty for all.
    methods : sequence of str
    draws : int
        Whether they are enough for the methods is checked.

    Raises
    ------
    ScenarioError
        With every problem found.
    InputError
        If a method needs a package that is not installed.
    """
    bad: list[Problem] = []

    def attempt(make: Callable[[], Any]) -> Any:
        try:
            return make()
        except ScenarioError as error:
            bad.extend(Problem("sensitivity", 0, item.where, item.message) for item in error.problems)

    asked = [(name, level) for name in of] or usual(scenario, level, bool(roles or environments))
    subjects = [attempt(partial(_subject, name, scenario, at, (roles, environments))) for name, at in asked]
    if level is not None and not any(subject and subject.level for subject in subjects):
        bad.append(Problem("sensitivity", 0, "--level", f"is for {' and '.join(BY_LEVEL)}. Leave it out"))
    dates = attempt(lambda: target_dates(scenario, by)[0]) if by else usual_dates(scenario)
    bad += [*_unlike(methods), *_too_few(scenario, methods, draws)]
    if bad:
        raise ScenarioError(bad)
    if set(methods) & set(BY_SALIB):
        salib()
    return Question(tuple(dict.fromkeys(subjects)), dates, tuple(dict.fromkeys(methods)))


def _subject(
    name: str, scenario: Scenario, level: str | None, where: tuple[Sequence[str], Sequence[str]]
) -> Subject:
    """One measure; a level that was given is for those that have one."""
    kept = named(name) in BY_LEVEL
    return read_subject(name, scenario, level if kept else None, *where)


def usual(scenario: Scenario, level: str | None, narrowed: bool) -> list[tuple[str, str | None]]:
    """Measures that a board asks for, as far as the scenario has what they need, with a level.

    Retention is that of the level with the fewest blocks, and left out where roles or environments are
    chosen, which a level may not tell apart.
    """
    given = any(getattr(scenario, section) for section in QUANTITIES["delivered_fte"].sections)
    found = ["delivered_fte" if given else "fte"]
    found += ["vacancy_rate"] if scenario.establishment else []
    kept = None
    if scenario.retention and (level or not narrowed):
        levels = scenario.retention.levels
        kept = level or min(levels, key=lambda name: len(levels[name].by))
        found.append("retention")
    found += ["shortfall"] if scenario.need else []
    found += ["total_cost"] if scenario.pay else []
    return [(name, kept) for name in found]


def usual_dates(scenario: Scenario) -> np.ndarray:
    """Dates of a comparison: 31 March 2028, 2, 5 and 10 years after the start, and the end."""
    start, end = (np.datetime64(month, "M") for month in (scenario.start, scenario.end))
    return chosen_dates(np.arange(start, end + 1).astype("datetime64[ns]"))


def _unlike(methods: Sequence[str]) -> list[Problem]:
    """Methods that there are not."""
    return [
        Problem(
            "sensitivity", 0, "--method",
            f"must be of {', '.join(METHODS)}; got {quoted(name)}.{closest(name, METHODS)}",
        )
        for name in methods
        if name not in METHODS
    ]  # fmt: skip


def _too_few(scenario: Scenario, methods: Sequence[str], draws: int) -> list[Problem]:
    """Draws that are too few for the methods, and scenarios in which nothing has a range."""
    k = len(uncertainties.names(scenario))
    if not k:
        message = "must have ranges (low and high) for what is uncertain; it has none"
        return [Problem("sensitivity", 0, "the scenario", message)]
    if not set(methods) & set(GIVEN) or draws >= needed(k):
        return []
    message = f"must be {needed(k)} or more for {k} uncertainties; got {draws}. Write `--draws {enough(k)}`"
    return [Problem("sensitivity", 0, "--draws", message)]
