"""Targets, and what of a run they are measured on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from pharmsim.errors import InputError, Problem, ScenarioError
from pharmsim.results import measures, need, retention
from pharmsim.results.columns import ALL
from pharmsim.results.rates import leaver_rate_from_counts, vacancy_rate_from_fte
from pharmsim.study.comparing.kinds import AMOUNTS, months_each, with_costs
from pharmsim.study.dates import month_of

CELL = ("role", "environment")
ROUNDING = 1e-9
"""What misses a target by less than this, relative to it, meets it."""


@dataclass(frozen=True)
class Quantity:
    """What a target can be about.

    Attributes
    ----------
    unit : str
        "share", "FTE", "heads" or "ratio".
    better : int
        1 if more is better, -1 if less is.
    words : str
    sections : tuple of str
        Sections of which a scenario needs one for it.
    """

    unit: str
    better: int
    words: str
    sections: tuple[str, ...] = ("stock",)


QUANTITIES: dict[str, Quantity] = {
    "retention": Quantity("share", 1, "retention (stability index)", ("retention",)),
    "leaver_rate": Quantity("share", -1, "leaver rate", ("retention",)),
    "vacancy_rate": Quantity("share", -1, "vacancy rate", ("establishment",)),
    "headcount": Quantity("heads", 1, "people in post"),
    "fte": Quantity("FTE", 1, "FTE in post"),
    "delivered_fte": Quantity("FTE", 1, "delivered FTE", ("working_time", "need")),
    "shortfall": Quantity("FTE", -1, "shortfall", ("need",)),
    "pressure": Quantity("ratio", -1, "pressure (required ÷ delivered)", ("need",)),
}
MONEY = ("pay", "interventions")
YEARLY: dict[str, Quantity] = {
    "pay_bill": Quantity("GBP per year", -1, "pay bill", ("pay",)),
    "cover_cost": Quantity("GBP per year", -1, "cost of temporary cover", ("pay",)),
    "backfill_cost": Quantity("GBP per year", -1, "cost of backfill", ("pay",)),
    "programme_cost": Quantity("GBP per year", -1, "cost of interventions", ("interventions",)),
    "total_cost": Quantity("GBP per year", -1, "all costs", MONEY),
}
"""What the twelve months before a date add up to; no target of `solve`."""
BY_LEVEL = ("retention", "leaver_rate")


@dataclass(frozen=True)
class Subject:
    """What is measured, and on whom.

    Attributes
    ----------
    quantity : str
        Key of `QUANTITIES` or `YEARLY`.
    level : str
        Of retention; "" for other quantities.
    roles, environments : tuple of str
        What it is measured on; empty for all.
    """

    quantity: str
    level: str = ""
    roles: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()

    @property
    def of(self) -> Quantity:
        """What it is about."""
        return {**QUANTITIES, **YEARLY}[self.quantity]


@dataclass(frozen=True, kw_only=True)
class Target(Subject):
    """A target: a level to reach, or a change from what would be without the levers.

    Attributes
    ----------
    written : str
        As it was asked for.
    mode : str
        "value", or a change: "plus" (in the unit of the quantity; a point is 0.01) or "times" (share of
        the base).
    amount : float
    """

    written: str
    mode: str
    amount: float

    @property
    def sense(self) -> int:
        """1 for at least, -1 for at most."""
        return self.of.better if self.mode == "value" or not self.amount else int(np.sign(self.amount))

    def goal(self, base: np.ndarray) -> np.ndarray:
        """The value to reach, for values of the base run (any shape)."""
        if self.mode == "value":
            return np.full_like(base, self.amount)
        return base + self.amount if self.mode == "plus" else base * (1.0 + self.amount)

    def aim(self, value: np.ndarray, base: np.ndarray) -> np.ndarray:
        """What is compared with `amount`: values, differences from the base, or these as shares of it."""
        if self.mode == "value":
            return value
        return value - base if self.mode == "plus" else value / base - 1.0

    def beyond(self, value: np.ndarray, base: np.ndarray) -> np.ndarray:
        """By how much values are beyond the target (0 or more: it is met), in the unit of the quantity."""
        goal = self.goal(base)
        return self.sense * (value - goal) + ROUNDING * np.maximum(np.abs(goal), 1.0)


@dataclass(frozen=True)
class Measured:
    """A quantity of a run on dates.

    Attributes
    ----------
    values : ndarray, shape (draw, date)
        Not a number where no whole year of retention ends by the date.
    told : tuple of str
        For each date, the date or the year that it is.
    """

    values: np.ndarray
    told: tuple[str, ...]


def measure(data: xr.Dataset, target: Subject, dates: np.ndarray) -> Measured:
    """What a run says about the quantity of a target on dates.

    Parameters
    ----------
    data : Dataset
    target : Subject
        A target, or what one could be about.
    dates : ndarray of datetime64, shape (date,)

    Raises
    ------
    ScenarioError
        If the level of retention cannot be told by the roles and environments asked for.
    """
    if target.quantity in BY_LEVEL:
        return _of_years(data, target, dates)
    if target.quantity in YEARLY:
        return _in_years(data, target, dates)
    times = data.variables["time"].values
    at = np.searchsorted(times, dates, side="right") - 1
    return Measured(_stock(data, target)[:, at], tuple(_day(times[i]) for i in at))


def start_value(data: xr.Dataset, target: Subject) -> tuple[float, str]:
    """Central value at the start (of retention: in the first whole year), and when that is."""
    times = data.variables["time"].values
    if target.quantity in BY_LEVEL:
        ends = measures.year_ends(data)
        if not len(ends):
            return float("nan"), ""
        times = ends
    found = measure(data, target, times[:1])
    return float(found.values[0, 0]), found.told[0]


def chosen(key: tuple[str, ...], roles: Sequence[str], environments: Sequence[str]) -> bool:
    """Whether a (role, environment) is among those asked for; nothing asked for means all."""
    return (not roles or key[0] in roles) and (not environments or key[1] in environments)


def _stock(data: xr.Dataset, target: Subject) -> np.ndarray:
    """A stock, shape (draw, time)."""

    def total(make: Callable[..., xr.DataArray], keys: Sequence[tuple[str, ...] | None]) -> Any:
        unique = list(dict.fromkeys(key for key in keys if key is not None))
        at = [i for i, key in enumerate(unique) if chosen(key, target.roles, target.environments)]
        return make(data, CELL).transpose("draw", "time", "cell").values[:, :, at].sum(axis=2)

    if "need" in target.of.sections:
        keys = need.service_keys(data, CELL)
        if target.quantity == "pressure":
            given, wanted = total(need.delivered, keys), total(need.required, keys)
            dims = ("draw", "time")
            return np.asarray(
                need.pressure_of(xr.DataArray(wanted, dims=dims), xr.DataArray(given, dims=dims))
            )
        return np.asarray(
            total(need.delivered if target.quantity == "delivered_fte" else need.shortfall, keys)
        )
    if target.quantity == "vacancy_rate":
        limited = measures.limited_keys(data, CELL)
        funded = total(measures.establishment, limited)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(vacancy_rate_from_fte(funded, funded - total(measures.vacancies, limited)))
    every = measures.group_keys(data, CELL)
    return np.asarray(total(measures.fte if target.quantity == "fte" else measures.headcount, every))


def _in_years(data: xr.Dataset, target: Subject, dates: np.ndarray) -> Measured:
    """Money of the twelve months that end on dates; not a number where less has passed since the start."""
    data, kind = with_costs(data), AMOUNTS[target.quantity]
    if not kind.known(data):
        raise InputError(f"{target.quantity}: no cost of the scenario belongs to it. Ask for another measure")
    months = months_each(data, kind)
    cells = kind.cells(data, lambda array: measures.added_up(data, array.values, dates, "year", months))
    here = [key for key in cells if ALL not in key and chosen(key, target.roles, target.environments)]
    times = data.variables["time"].values
    ends = zip(*measures.windows(data, dates, "year"), strict=True)
    told = tuple(f"{_day(times[first])} to {_day(times[last])}" if first >= 0 else "" for first, last in ends)
    return Measured(np.sum([cells[key] for key in here], axis=0), told)


def _of_years(data: xr.Dataset, target: Subject, dates: np.ndarray) -> Measured:
    """Retention or leaver rate of the years that end on or before dates."""
    filters = dict(zip(CELL, (target.roles, target.environments), strict=True))
    by = [axis for axis, names in filters.items() if names]
    try:
        found = retention.counts(data, target.level, by)
    except ValueError as error:
        raise ScenarioError([Problem("solve", 0, "--level", str(error))]) from None
    here = [all(name in filters[axis] for axis, name in zip(by, key, strict=True)) for key in found.keys]
    parts = (found.tagged, found.kept, found.first, found.last)
    tagged, kept, first, last = (part[:, :, here].sum(axis=2) for part in parts)
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = (
            leaver_rate_from_counts(first, last, tagged - kept)
            if target.quantity == "leaver_rate"
            else kept / tagged
        )
    ends = measures.year_ends(data)
    at = np.searchsorted(ends, dates, side="right") - 1
    values = (
        np.where(at >= 0, rate[:, np.maximum(at, 0)], np.nan)
        if len(ends)
        else np.full((len(rate), len(dates)), np.nan)
    )
    starts = data.variables["retention_year"].values
    told = tuple(f"{_day(starts[i])} to {_day(ends[i])}" if i >= 0 else "" for i in at)
    return Measured(values, told)


def _day(date: np.datetime64) -> str:
    """The first day of a month as people write it: "1 April 2028"."""
    return f"1 {month_of(date)}"
