"""Differences draw by draw, and what is said of them: median, 50 and 90 % intervals, probability."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pharmsim.results.frames import statistics
from pharmsim.study.comparing.kinds import Cell
from pharmsim.study.comparing.outcomes import Measure

FEWEST = 20
"""The fewest draws for an interval worth the name."""
ROUNDING = 1e-10
"""Numbers that differ by less than this share of them (or than this, below 1) are the same."""
POINTS = ("median", "p5", "p25", "p75", "p95")
BETTER = {
    "headcount": 1,
    "fte": 1,
    "delivered_fte": 1,
    "stability_index": 1,
    "vacancy_fte": -1,
    "vacancy_rate": -1,
    "shortfall_fte": -1,
    "pressure": -1,
    "months_in_shortage": -1,
    "leavers": -1,
    "leaver_rate": -1,
    "pay_bill": -1,
    "cover_cost": -1,
    "backfill_cost": -1,
    "programme_cost": -1,
    "total_cost": -1,
}
"""1: more is better; −1: less is. What is required is neither."""


def values(measure: Measure, cells: Sequence[Cell]) -> np.ndarray:
    """Numbers of cells, shape (draw, cell, date); those that the run does not have as `missing`."""
    shape = next(iter(measure.cells.values())).shape
    absent = np.full(shape, measure.missing)
    return np.stack([measure.cells.get(cell, absent) for cell in cells], axis=1)


def difference(old: Measure, new: Measure, cells: Sequence[Cell]) -> np.ndarray:
    """New less old, draw by draw, shape (draw, cell, date); rounding is no difference."""
    return less(values(new, cells), values(old, cells))


def less(new: np.ndarray, old: np.ndarray) -> np.ndarray:
    """New less old; exactly 0 where they differ by rounding only."""
    moved = new - old
    size = np.maximum(np.maximum(np.abs(new), np.abs(old)), 1.0)
    return np.where(np.abs(moved) <= ROUNDING * size, 0.0, moved)


def spread(numbers: np.ndarray) -> dict[str, np.ndarray]:
    """Median and percentiles over draws (row 0 holds the central values); nothing without draws.

    Parameters
    ----------
    numbers : ndarray, shape (draw, …)

    Returns
    -------
    dict of ndarray, shape (…)
        median, p5, p25, p75, p95.
    """
    found = statistics(numbers)
    return {name: found["p50" if name == "median" else name] for name in POINTS} if len(numbers) > 1 else {}


def from_chance(numbers: np.ndarray, replicates: int) -> np.ndarray:
    """Share of the variance that chance makes; what the inputs leave uncertain makes the rest.

    By the law of total variance. Within: the mean over draws of the variance of a draw's replicates.
    Between: the variance of the means of draws, of which within ÷ replicates is chance too and is taken
    away; it is not below 0. So both are unbiased (one-way analysis of variance, Searle, Casella and
    McCulloch 1992, Variance Components, 3.5), but for the cut at 0.

    Parameters
    ----------
    numbers : ndarray, shape (1 + draw × replicate, …)
        Row 0 holds the central values.
    replicates : int
        2 or more of each draw.

    Returns
    -------
    ndarray, shape (…)
        Not a number where nothing varies. 1 where all replicates share their inputs: a single draw.
    """
    by_draw = numbers[1:].reshape(-1, replicates, *numbers.shape[1:])
    within = by_draw.var(axis=1, ddof=1).mean(axis=0)
    between = np.zeros_like(within)
    if len(by_draw) > 1:
        between = np.maximum(by_draw.mean(axis=1).var(axis=0, ddof=1) - within / replicates, 0.0)
    total = within + between
    told = total > (ROUNDING * np.maximum(np.abs(numbers).max(axis=0), 1.0)) ** 2
    return np.divide(within, total, out=np.full(total.shape, np.nan), where=told)


def where_known(numbers: np.ndarray) -> np.ndarray:
    """The central value and the draws that are numbers, of shape (draw,)."""
    return numbers[np.append(True, np.isfinite(numbers[1:]))]


def p_better(quantity: str, moved: np.ndarray) -> np.ndarray:
    """Share of draws in which differences, shape (draw, …), are for the better.

    A draw without any difference counts half: it is as often better as it is worse. Not a number without
    draws, where no draw differs, and where no direction is better.
    """
    sign = BETTER.get(quantity, 0)
    draws = moved[1:]
    known = sign != 0 and len(draws) > 0
    share = np.full(moved.shape[1:], np.nan)
    if known:
        share = (sign * draws > 0.0).mean(axis=0) + 0.5 * (draws == 0.0).mean(axis=0)
    told = (draws != 0.0).any(axis=0) & ~np.isnan(draws).any(axis=0)
    return np.where(told, share, np.nan)
