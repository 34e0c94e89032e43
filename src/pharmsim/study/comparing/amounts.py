"""Amounts of the whole system: quantities added up over time, and the price of temporary cover."""

from __future__ import annotations

import numpy as np
import xarray as xr

from pharmsim.results import measures, need
from pharmsim.study.comparing import kinds


def whole(data: xr.Dataset, name: str) -> np.ndarray:
    """A quantity of `kinds` of the whole system, shape (draw, time); 0 if a run lacks it."""
    kind = {**kinds.STOCKS, **kinds.AMOUNTS}[name]
    if name in ("programme_cost", "total_cost"):
        data = kinds.with_costs(data)
    if not kind.known(data):
        return np.zeros((data.sizes["draw"], data.sizes["time"]))
    return np.asarray(kind.make(data, None).transpose("draw", "time", "cell").values[:, :, 0])


def since_start(data: xr.Dataset, name: str, dates: np.ndarray) -> np.ndarray:
    """An amount of the whole system (`kinds.AMOUNTS`) added up to dates, shape (draw, date)."""
    months = kinds.months_each(data, kinds.AMOUNTS[name])
    return measures.added_up(data, whole(data, name), dates, months=months)


def price_of_cover(data: xr.Dataset) -> np.ndarray:
    """GBP for an FTE-year delivered by temporary cover and backfill over the run, shape (draw,).

    Not a number where there is no cover, or where it is not paid for.
    """
    end = data["time"].values[-1:]
    paid = (since_start(data, "cover_cost", end) + since_start(data, "backfill_cost", end))[:, 0]
    if not paid.any():
        return np.full_like(paid, np.nan)
    time = need.delivered_by_cover(data) if "time_fte" in data else data["cover_fte"].sum("post")
    per_year = 1.0 / measures.steps_per_year(data)
    total = time.transpose("draw", "time", ...).values.reshape(*time.shape[:2])
    years = measures.added_up(data, total, end, months=per_year)[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((years > 0.0) & (paid > 0.0), paid / years, np.nan)
