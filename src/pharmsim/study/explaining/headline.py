"""What a programme is judged by: the people and the time of the whole system, who stays, what it costs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import xarray as xr

from pharmsim.results import measures, retention
from pharmsim.results.labelled import Results
from pharmsim.study.comparing import kinds
from pharmsim.study.comparing.amounts import since_start, whole


@dataclass(frozen=True)
class Measure:
    """A number of the whole system on chosen dates.

    Attributes
    ----------
    quantity : str
    unit : str
    over : str
        "date", "year" (ending on or before the date) or "cumulated" (since the start).
    dates : ndarray of datetime64
    of : callable
        Results → ndarray, shape (draw, date).
    level : str
        Of retention; else empty.
    tags : bool
        Whether retention must be followed for it.
    """

    quantity: str
    unit: str
    over: str
    dates: np.ndarray
    of: Callable[[Results], np.ndarray]
    level: str = ""
    tags: bool = False


def delivered_quantity(runs: Sequence[xr.Dataset]) -> str:
    """Name what stands for delivered time in all runs (see `kinds.DELIVERED`)."""
    return next(name for name in kinds.DELIVERED if all(kinds.STOCKS[name].known(data) for data in runs))


def delivered_measures(runs: Sequence[xr.Dataset], dates: np.ndarray) -> list[Measure]:
    """Net delivered time of the whole system on dates, and cumulated until them, as all runs know it."""
    name = delivered_quantity(runs)
    return [_stock(name, dates), _amount(name, dates)]


def headline_measures(runs: Sequence[xr.Dataset], dates: np.ndarray) -> list[Measure]:
    """Delivered time, headcount, retention of the whole system, and cost: what all runs know.

    Parameters
    ----------
    runs : sequence of Dataset
        Results of a base and a scenario, which say what there is to measure.
    dates : ndarray of datetime64

    Returns
    -------
    list of Measure
        Retention: at every level that is one block. In money: of the programme, and of everything, where
        all runs or none of them know pay.
    """
    found = [*delivered_measures(runs, dates), _stock("headcount", dates)]
    levels = [_levels(data) for data in runs]
    followed = dates
    for data in runs:
        followed = followed[followed >= measures.year_ends(data)[0]] if _levels(data) else followed[:0]
    if len(followed):
        found += [_kept(level, followed) for level in levels[0] if all(level in known for known in levels)]
    costed = [kinds.with_costs(data) for data in runs]
    if any("programme_cost" in data for data in costed):
        found.append(_amount("programme_cost", dates))
    if any("total_cost" in data for data in costed) and len({"pay_bill" in data for data in costed}) == 1:
        found.append(_amount("total_cost", dates))
    return found


def _stock(name: str, dates: np.ndarray) -> Measure:
    def on_dates(results: Results) -> np.ndarray:
        times = results.data["time"].values
        return whole(results.data, name)[:, np.searchsorted(times, dates, side="right") - 1]

    return Measure(name, kinds.STOCKS[name].unit, "date", dates, on_dates)


def _amount(name: str, dates: np.ndarray) -> Measure:
    def cumulated(results: Results) -> np.ndarray:
        return since_start(results.data, name, dates)

    return Measure(name, kinds.AMOUNTS[name].unit, "cumulated", dates, cumulated)


def _kept(level: str, dates: np.ndarray) -> Measure:
    def kept(results: Results) -> np.ndarray:
        index = retention.stability_index(results.data, level).values[:, :, 0]
        at = np.searchsorted(measures.year_ends(results.data), dates, side="right") - 1
        return np.asarray(index[:, at])

    return Measure("stability_index", "share", "year", dates, kept, level, tags=True)


def _levels(data: xr.Dataset) -> list[str]:
    """Levels of retention that are one block, if a year of it ends in the run."""
    if "tagged" not in data or not data.sizes["retention_year"]:
        return []
    of_blocks = [str(level) for level in data["block_level"].values]
    return [level for level in map(str, data["level"].values) if of_blocks.count(level) == 1]
