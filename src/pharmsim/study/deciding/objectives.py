"""What is to be gained by choosing: numbers of every scenario and draw, higher is better."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pharmsim.errors import Problem, ScenarioError
from pharmsim.results.columns import ALL
from pharmsim.scenario.models import Scenario
from pharmsim.study.comparing.comparison import Comparison
from pharmsim.study.comparing.costs import pair
from pharmsim.study.comparing.intervals import difference, values
from pharmsim.study.comparing.kinds import DELIVERED, Cell
from pharmsim.study.comparing.outcomes import Outcomes
from pharmsim.study.solving.target_text import read, read_subject
from pharmsim.study.solving.targets import BY_LEVEL, YEARLY, Subject, Target

Key = tuple[str, str, str]
NAMES = {"retention": "stability_index", "shortfall": "shortfall_fte"}
"""Quantities of targets that comparisons know by another name."""
TIME, WORTH = "delivered time", "net benefit"
WORSE = "worse than the base"


@dataclass(frozen=True)
class Objective:
    """What is to be gained.

    Attributes
    ----------
    name : str
        In words.
    unit : str
    date : datetime64
        By which, or on which, it is gained.
    gains : ndarray, shape (draw, choice)
        More than the base, which is the first choice; below 0 for worse. Row 0: at the central values.
    fails : ndarray of bool, shape (draw, choice)
    failing : str
        What fails means.
    """

    name: str
    unit: str
    date: np.datetime64
    gains: np.ndarray
    fails: np.ndarray
    failing: str = WORSE


def read_all(asked: Sequence[str], scenario: Scenario) -> list[Subject]:
    """Read what scenarios are to be judged by.

    Parameters
    ----------
    asked : sequence of str
        Each a quantity of `solve` or a yearly cost, whose direction is known ("vacancy_rate", "retention"),
        or a target, which fails where it is missed ("vacancy_rate 8 %"); behind commas a level of
        retention, a role and an environment may follow.
    scenario : Scenario
        The base.

    Raises
    ------
    ScenarioError
        With every problem found.
    """
    bad: list[Problem] = []
    found = []
    for written in asked:
        try:
            found.append(_subject(written, scenario))
        except ScenarioError as error:
            bad += [
                Problem("compare", 0, "--objective", f"{written}: {one.message}") for one in error.problems
            ]
    if bad:
        raise ScenarioError(bad)
    return found


def objectives(compared: Comparison, asked: Sequence[Subject] = ()) -> list[Objective | None]:
    """Return what scenarios are judged by, on the last date.

    Parameters
    ----------
    compared : Comparison
    asked : sequence of Subject or Target
        By default: delivered FTE-years since the start, and what they are worth at the price of temporary
        cover less all costs.

    Returns
    -------
    list of Objective
        None for what is not known of all scenarios in every draw.
    """
    return [_asked(compared, each) for each in asked] if asked else [_time(compared), _worth(compared)]


def _gains(compared: Comparison, key: Key, cell: Cell = (ALL, ALL)) -> np.ndarray | None:
    """What each choice has more than the base on the last date, shape (draw, choice)."""
    moved = [np.zeros(compared.base.n_draws + 1)]
    for other in compared.others:
        old, new = pair(compared.base, other, key)
        if old is None or new is None:
            return None
        moved.append(difference(old, new, [cell])[:, 0, -1])
    found = np.stack(moved, axis=1)
    return found if np.isfinite(found).all() else None


def _made(compared: Comparison, name: str, unit: str, gains: np.ndarray) -> Objective:
    return Objective(name, unit, compared.dates[-1], gains, gains < 0.0)


def _delivered(compared: Comparison) -> np.ndarray | None:
    each = (_gains(compared, (quantity, "", "cumulated")) for quantity in DELIVERED)
    return next((gains for gains in each if gains is not None), None)


def _time(compared: Comparison) -> Objective | None:
    gains = _delivered(compared)
    return None if gains is None else _made(compared, TIME, "FTE-years", gains)


def _worth(compared: Comparison) -> Objective | None:
    """Delivered FTE-years at the price that the base pays for cover, less all costs."""
    years, cost = _delivered(compared), _gains(compared, ("total_cost", "", "cumulated"))
    price = compared.base.price_of_cover
    if years is None or cost is None or not np.isfinite(price).all():
        return None
    return _made(compared, WORTH, "GBP", price[:, None] * years - cost)


# -- asked for ----------------------------------------------------------------------------------------------


def _asked(compared: Comparison, subject: Subject) -> Objective | None:
    key = _key(subject)
    cell: Cell = ((*subject.roles, ALL)[0], (*subject.environments, ALL)[0])
    moved = _gains(compared, key, cell)
    if moved is None:
        return None
    gains = subject.of.better * moved
    name = ", ".join(
        [subject.of.words, *filter(None, (subject.level, *subject.roles, *subject.environments))]
    )
    made = _made(compared, name, subject.of.unit, gains)
    if not isinstance(subject, Target):
        return made
    known = [_values(run, key, cell) for run in (compared.base, *compared.others)]
    fails = np.stack([subject.beyond(value, known[0]) < 0.0 for value in known], axis=1)
    if subject.mode != "value":
        fails[:, 0] = False  # of itself the base asks no change
    return replace(made, fails=fails, failing=f"target missed: {subject.written}")


def _values(run: Outcomes, key: Key, cell: Cell) -> np.ndarray:
    return values(run.measures[key], [cell])[:, 0, -1]


def _key(subject: Subject) -> Key:
    """What a comparison knows a quantity by."""
    over = "year" if subject.quantity in (*BY_LEVEL, *YEARLY) else "date"
    return NAMES.get(subject.quantity, subject.quantity), subject.level, over


def _subject(written: str, scenario: Scenario) -> Subject:
    """A quantity or target, and behind commas a level, a role and an environment."""
    first, *rest = re.split(r",\s+", written.strip())
    levels = list(scenario.retention.levels) if scenario.retention else []
    parts: dict[str, list[str]] = {"level": [], "role": [], "environment": []}
    known = {"level": levels, "role": [*scenario.roles], "environment": [*scenario.environments]}
    for word in rest:
        kind = next((kind for kind, names in known.items() if word in names and not parts[kind]), "")
        if not kind:
            names = ", ".join(name for each in known.values() for name in each)
            message = f"behind commas must be one level, role and environment at most, of {names}; got {word}"
            raise ScenarioError([Problem("compare", 0, "--objective", message)])
        parts[kind].append(word)
    level = next(iter(parts["level"]), None)
    asks = read if re.search(r"\d", first) else read_subject
    return asks(first, scenario, level, parts["role"], parts["environment"])
