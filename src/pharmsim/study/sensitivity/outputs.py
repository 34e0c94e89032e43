"""Measures of many runs: a table of draws is run part by part, and only the measures are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pharmsim.compiled.draws import Draws
from pharmsim.results.labelled import Results
from pharmsim.scenario.models import Scenario
from pharmsim.study.ensemble import How
from pharmsim.study.progress import progress
from pharmsim.study.solving.targets import BY_LEVEL, Subject, measure

PART_BYTES = 120_000_000
"""Results that are in memory together, about."""
FEWEST = 32
"""Draws of a part at least."""


@dataclass(frozen=True)
class Asked:
    """What is measured, and how runs are made.

    Attributes
    ----------
    scenario : Scenario
    subjects : tuple of Subject
    dates : ndarray of datetime64, shape (date,)
    how : How
    run : callable
        Runs a scenario as `pharmsim.run` does.
    """

    scenario: Scenario
    subjects: tuple[Subject, ...]
    dates: np.ndarray
    how: How
    run: Callable[..., Results]


@dataclass(frozen=True)
class Central:
    """Measures of the central values.

    Attributes
    ----------
    values : ndarray, shape (measure, date)
    told : list of tuple of str, shape (measure, date)
        The date, or the year, that each is of.
    rows : int
        Draws to run together.
    meta : dict
        Of the run.
    """

    values: np.ndarray
    told: list[tuple[str, ...]]
    rows: int
    meta: dict[str, Any]


def central(asked: Asked, table: Draws) -> Central:
    """Run the central values: row 0 of a table."""
    results = _run(asked, table.block(0, 1), warn=True)
    found = [measure(results.data, subject, asked.dates) for subject in asked.subjects]
    values = np.array([one.values[0] for one in found])
    rows = max(int(PART_BYTES // max(results.data.nbytes, 1)), FEWEST)
    return Central(values, [one.told for one in found], rows, results.meta)


def outputs(asked: Asked, table: Draws, title: str, rows: int) -> np.ndarray:
    """Run every row of a table and measure it.

    Parameters
    ----------
    asked : Asked
    table : Draws
    title : str
        Of the progress that is shown.
    rows : int
        Draws to run together.

    Returns
    -------
    ndarray, shape (draw, measure, date)
        In the units of the measures.
    """
    found = np.empty((table.n, len(asked.subjects), len(asked.dates)))
    quiet = replace(asked, how=replace(asked.how, progress=False))
    with progress(title, table.n, asked.how.progress) as step:
        for first in range(0, table.n, rows):
            part = table.block(first, first + rows)
            data = _run(quiet, part).data
            for i, subject in enumerate(asked.subjects):
                found[first : first + rows, i] = measure(data, subject, asked.dates).values
            step(part.n)
    return found


def _run(asked: Asked, table: Draws, warn: bool = False) -> Results:
    followed = any(subject.quantity in BY_LEVEL for subject in asked.subjects)
    return asked.run(asked.scenario, table, tags=followed, warn=warn, how=asked.how)
