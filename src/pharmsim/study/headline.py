"""What a programme is judged by: the people and the time of the whole system, who stays, what it costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import xarray as xr

from pharmsim.results import measures, money, need, retention
from pharmsim.results.labelled import Results

MONTHS = measures.YEAR
DELIVERED = ("service_fte", "delivered_fte", "fte")
"""Outputs that can stand for the time delivered, the best first: a scenario may have no need or job plan."""


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


def delivered_quantity(data: xr.Dataset) -> str:
    """Name what stands for delivered FTE: "delivered_fte", or "fte" where working time is not described."""
    return "fte" if not {"service_fte", "delivered_fte"} & set(data.data_vars) else "delivered_fte"


def delivered(data: xr.Dataset) -> np.ndarray:
    """Delivered FTE of the whole system, temporary cover included, shape (draw, time)."""
    return _summed(data, next(name for name in DELIVERED if name in data))


def spent(data: xr.Dataset, *names: str) -> np.ndarray:
    """Money of a month (GBP), shape (draw, time): of `names`, by default of everything that is paid for.

    What a run does not have costs nothing.
    """
    wanted = names or (*money.COSTS, "programme_cost")
    parts = [_summed(data, name) for name in wanted if name in data]
    return sum(parts, start=np.zeros((data.sizes["draw"], data.sizes["time"])))


def price_of_cover(data: xr.Dataset) -> np.ndarray:
    """GBP for an FTE-year delivered by temporary cover and backfill over the run, shape (draw,).

    Not a number where there is no cover, or where it is not paid for.
    """
    paid = since_start(data, spent(data, "cover_cost", "backfill_cost"))[:, -1]
    if {"service_fte", "time_fte"} <= set(data.data_vars):
        time = need.delivered_by_cover(data).sum("cell").transpose("draw", "time").values
    else:
        time = _summed(data, "cover_fte") if "cover_fte" in data else np.zeros_like(delivered(data))
    years = since_start(data, time)[:, -1] / MONTHS
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((years > 0.0) & (paid > 0.0), paid / years, np.nan)


def since_start(data: xr.Dataset, monthly: np.ndarray) -> np.ndarray:
    """Amounts of a month added up from the start until each month start, shape (draw, time)."""
    months = MONTHS // measures.steps_per_year(data)
    added = np.zeros_like(monthly)
    added[:, 1:] = np.cumsum(monthly[:, :-1], axis=1) * months
    return added


def fte_years(data: xr.Dataset) -> np.ndarray:
    """Delivered FTE-years since the start, shape (draw, time)."""
    return since_start(data, delivered(data)) / MONTHS


def delivered_measures(data: xr.Dataset, dates: np.ndarray) -> list[Measure]:
    """Net delivered FTE of the whole system on dates, and cumulated until them."""
    name = delivered_quantity(data)

    def on_dates(results: Results) -> np.ndarray:
        return delivered(results.data)[:, _at(results.data, dates)]

    def cumulated(results: Results) -> np.ndarray:
        return fte_years(results.data)[:, _at(results.data, dates)]

    return [
        Measure(name, "FTE", "date", dates, on_dates),
        Measure(name, "FTE-years", "cumulated", dates, cumulated),
    ]


def headline_measures(data: xr.Dataset, dates: np.ndarray) -> list[Measure]:
    """Delivered FTE, headcount, retention of the whole system, and cost.

    Parameters
    ----------
    data : Dataset
        Results of a scenario, which say what there is to measure.
    dates : ndarray of datetime64

    Returns
    -------
    list of Measure
        Retention: at every level that is one block; in money: of the programme, and of everything.
    """

    def headcount(results: Results) -> np.ndarray:
        return _summed(results.data, "headcount")[:, _at(results.data, dates)]

    found = [*delivered_measures(data, dates), Measure("headcount", "heads", "date", dates, headcount)]
    followed = dates[:0]
    if "tagged" in data and data.sizes["retention_year"]:
        followed = dates[dates >= measures.year_ends(data)[0]]
    whole = (
        [level for level in map(str, data["level"].values) if _blocks(data, level) == 1]
        if len(followed)
        else []
    )
    found += [
        Measure("stability_index", "share", "year", followed, _kept(level, followed), level, tags=True)
        for level in whole
    ]
    for quantity, names in (("programme_cost", ("programme_cost",)), ("total_cost", ())):
        if "pay_bill" in data or "programme_cost" in data:
            found.append(Measure(quantity, "GBP", "cumulated", dates, _paid(dates, names)))
    return found


def _kept(level: str, dates: np.ndarray) -> Callable[[Results], np.ndarray]:
    def kept(results: Results) -> np.ndarray:
        index = retention.stability_index(results.data, level).values[:, :, 0]
        at = np.searchsorted(measures.year_ends(results.data), dates, side="right") - 1
        return np.asarray(index[:, at])

    return kept


def _paid(dates: np.ndarray, names: tuple[str, ...]) -> Callable[[Results], np.ndarray]:
    def paid(results: Results) -> np.ndarray:
        data = results.data
        return since_start(data, spent(data, *names))[:, _at(data, dates)]

    return paid


def _blocks(data: xr.Dataset, level: str) -> int:
    return int((data["block_level"].values == level).sum())


def _at(data: xr.Dataset, dates: np.ndarray) -> np.ndarray:
    """Positions on `time` of the last month starts on or before dates."""
    return np.asarray(np.searchsorted(data["time"].values, dates, side="right") - 1)


def _summed(data: xr.Dataset, name: str) -> np.ndarray:
    """An output added up over everything but draw and time, shape (draw, time)."""
    array = data[name]
    summed = array.sum([dim for dim in array.dims if dim not in ("draw", "time")])
    return np.asarray(summed.transpose("draw", "time").values)
