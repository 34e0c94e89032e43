"""The uncertainties of a scenario, each with the numbers that it moves and how good they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pharmsim.results.assumptions import Assumption
from pharmsim.results.impact import WEAKNESS
from pharmsim.results.titles import is_factor, titles, words
from pharmsim.scenario.models import Scenario

FACTOR = "factor"
"""Unit of a number that multiplies the others of its table."""
TIMES = "times"
"""Unit of several numbers that move together, each relative to what it is."""


@dataclass(frozen=True)
class Driver:
    """An uncertainty.

    Attributes
    ----------
    name : str
    title : str
        The name in words.
    n : int
        How many numbers it moves.
    value, low, high : float
        Of the number; of several numbers with the same relative range 1 and the factors; not a number where
        their ranges differ.
    unit : str
        Of these; `TIMES` for several numbers, `FACTOR` for one that multiplies others.
    grades : tuple of str
        Grades of evidence of the numbers, the weakest first.
    """

    name: str
    title: str
    n: int
    value: float
    low: float
    high: float
    unit: str
    grades: tuple[str, ...]


def drivers(names: Sequence[str], items: Sequence[Assumption]) -> list[Driver]:
    """Describe uncertainties by the numbers that they move.

    Parameters
    ----------
    names : sequence of str
    items : sequence of Assumption
        All numbers of the scenario.
    """
    rows: dict[str, list[Assumption]] = {name: [] for name in names}
    for item in items:
        if item.uncertainty in rows and item.low != item.high:
            rows[item.uncertainty].append(item)
    named = titles(items)
    return [_driver(name, named.get(name) or words(name), found) for name, found in rows.items()]


def title_together(each: Sequence[Driver], scenarios: Sequence[Scenario], between: str) -> str:
    """Title of uncertainties that are drawn together: of a posterior its name, for it may have many.

    Parameters
    ----------
    each : sequence of Driver
    scenarios : sequence of Scenario
        Which draw them.
    between : str
        What stands between the titles of the others.
    """
    sections = [scenario.uncertainties for scenario in scenarios]
    for posterior in (one for section in sections if section for one in section.posteriors):
        if len(each) > 1 and {driver.name for driver in each} <= set(posterior.columns):
            return f"posterior {posterior.name} ({len(each)} inputs)"
    return between.join(driver.title for driver in each)


def _driver(name: str, title: str, rows: Sequence[Assumption]) -> Driver:
    grades = sorted({row.evidence for row in rows}, key=lambda grade: -WEAKNESS[grade])
    value, low, high, unit = np.nan, np.nan, np.nan, ""
    numbers = {(row.value, row.low, row.high, row.unit) for row in rows}
    factors = {
        (round(row.low / row.value, 4), round(row.high / row.value, 4))
        for row in rows
        if row.value and row.low is not None and row.high is not None
    }
    if len(numbers) == 1:
        one = rows[0]
        value, low, high = (np.nan if end is None else end for end in (one.value, one.low, one.high))
        unit = FACTOR if is_factor(one) else one.unit
    elif len(factors) == 1:
        (low, high), value, unit = factors.pop(), 1.0, TIMES
    return Driver(name, title, len(rows), value, low, high, unit, tuple(grades))
