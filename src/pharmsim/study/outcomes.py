"""What is measured of one run, to set it beside another: all that a comparison keeps of it.

Arrays of a run with many draws are large; what stays of them here is small, so that the runs of a comparison
are made one after the other and dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pharmsim.results import measures, money, need, netcdf, retention
from pharmsim.results.columns import ALL, CELLS
from pharmsim.results.labelled import Results
from pharmsim.results.tables import main_tables, retention_groupings
from pharmsim.scenario.models import Scenario
from pharmsim.study.flows import Flow, cumulated_flows

Cell = tuple[str, str]
"""Role and environment, "all" where they are added up."""
MONTHS_APART = 3
"""Trajectories have a point every third month, and the last."""
NAN = float("nan")


@dataclass(frozen=True)
class Measure:
    """One quantity of a run, by role and environment and their sums.

    Attributes
    ----------
    quantity, unit : str
    over : str
        "date", "year" (the twelve months before the date) or "cumulated" (since the start).
    dates : ndarray of datetime64, shape (date,)
    cells : dict
        (role, environment) → numbers, shape (draw, date).
    missing : float
        What a cell counts as that this run does not have.
    level : str
        Level of retention; else empty.
    since : ndarray of datetime64, shape (date,)
        When the year, or the run, began; not a time for "date".
    """

    quantity: str
    unit: str
    over: str
    dates: np.ndarray
    cells: dict[Cell, np.ndarray]
    missing: float = 0.0
    level: str = ""
    since: np.ndarray | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from the other measures of a run: quantity, level, over."""
        return self.quantity, self.level, self.over


@dataclass(frozen=True)
class Outcomes:
    """What a comparison keeps of a run.

    Attributes
    ----------
    scenario : Scenario
    meta : dict
        As in `Results`.
    n_draws : int
        Draws besides the central values.
    dates : ndarray of datetime64
    measures : dict
        (quantity, level, over) → Measure on the dates of the comparison.
    trajectories : dict
        The same for every third month and the last (stability index: its years); by role, by
        environment, and for all.
    flows : dict
        Flow → people over the whole run, shape (draw,).
    cells : set
        (role, environment) of every cell that has a post.
    required : DataArray or None
        Required FTE at the start, axes draw, service.
    tables : dict of DataFrame
        Main tables of the run.
    digests : dict
        Digests of the results, by quantity.
    """

    scenario: Scenario
    meta: dict[str, Any]
    n_draws: int
    dates: np.ndarray
    measures: dict[tuple[str, str, str], Measure]
    trajectories: dict[tuple[str, str, str], Measure]
    flows: dict[Flow, np.ndarray]
    cells: set[Cell]
    required: xr.DataArray | None
    tables: dict[str, pd.DataFrame]
    digests: dict[str, str]

    @property
    def need_follows(self) -> bool:
        """Whether need is a ratio of what is delivered at the start."""
        return self.scenario.need is not None and self.scenario.need.fte is None


def outcomes(results: Results, dates: np.ndarray) -> Outcomes:
    """Measure a run.

    Parameters
    ----------
    results : Results
    dates : ndarray of datetime64
        Month starts of the run.

    Returns
    -------
    Outcomes
    """
    scenario, data = results.scenario, _with_costs(results.data)
    every = max(MONTHS_APART // int(data.attrs.get("months_per_period", 1)), 1)
    last = data.sizes["time"] - 1
    at = data.variables["time"].values[np.unique(np.append(np.arange(0, last + 1, every), last))]
    found = [*stocks(data, dates), *amounts(data, dates), *leavers(data, dates), *kept(data, dates)]
    lines = [*stocks(data, at, ALONG), *kept(data, _kept_until(data))]
    return Outcomes(
        scenario=scenario,
        meta=results.meta,
        n_draws=data.sizes["draw"] - 1,
        dates=dates,
        measures={measure.key: measure for measure in found},
        trajectories={line.key: _sums(line) for line in lines if line.quantity != "leaver_rate"},
        flows=cumulated_flows(data),
        cells={key for by in CELLS for key in _placed(by, measures.group_keys(data, by))},
        required=data["required_fte"].isel(time=0).copy() if "required_fte" in data else None,
        tables=main_tables(results),
        digests=netcdf.digest(results.data),
    )


def _sums(measure: Measure) -> Measure:
    """The measure without single cells of role and environment."""
    return replace(measure, cells={cell: numbers for cell, numbers in measure.cells.items() if ALL in cell})


def _with_costs(data: xr.Dataset) -> xr.Dataset:
    """The same data with the cost of interventions by post, and all costs together if pay is known."""
    if "programme_cost" in data:
        data = data.assign(programme_cost=data["programme_cost"].sum("intervention"))
    if "pay_bill" not in data:
        return data
    parts = [data[name] for name in (*money.COSTS, "programme_cost") if name in data]
    return data.assign(total_cost=sum(parts[1:], start=parts[0]))


# -- cells --------------------------------------------------------------------------------------------------

Keys = Sequence[tuple[str, ...] | None]
Make = Callable[[xr.Dataset, measures.By], xr.DataArray]


def _placed(by: Sequence[str], keys: Keys) -> list[Cell]:
    """(role, environment) of the cells of a grouping, "all" where it adds up."""
    unique = dict.fromkeys(key for key in keys if key is not None)
    where = {axis: i for i, axis in enumerate(by)}

    def part(key: tuple[str, ...], axis: str) -> str:
        return key[where[axis]] if axis in where else ALL

    return [(part(key, "role"), part(key, "environment")) for key in unique]


@dataclass(frozen=True)
class Kind:
    """How a quantity is made: its unit, the outputs it needs, the measure, the keys of its axis."""

    unit: str
    needs: tuple[str, ...]
    make: Make
    keys: Callable[[xr.Dataset, measures.By], Any] = measures.group_keys
    missing: float = 0.0

    def cells(self, data: xr.Dataset, reduce: Callable[[xr.DataArray], np.ndarray]) -> dict[Cell, np.ndarray]:
        """Numbers by cell, shape (draw, date), of an array (draw, time, cell) after `reduce`."""
        found: dict[Cell, np.ndarray] = {}
        for by in CELLS:
            values = reduce(self.make(data, by))
            places = _placed(by, self.keys(data, by))
            found |= {place: values[:, :, j] for j, place in enumerate(places)}
        return found


def _short(data: xr.Dataset, by: measures.By) -> xr.DataArray:
    """1 in every month with a shortfall, else 0."""
    return (need.shortfall(data, by) > 0.0).astype(float)


def _cost(name: str, unit: str = "GBP") -> Kind:
    return Kind(unit, (name,), partial(_money, name))


def _money(name: str, data: xr.Dataset, by: measures.By) -> xr.DataArray:
    return money.cost(data, name, by)


SERVICES = ("required_fte", "service_fte")
FUNDED = ("vacancy_fte", "establishment_fte")
STOCKS: dict[str, Kind] = {
    "headcount": Kind("heads", ("headcount",), measures.headcount),
    "fte": Kind("FTE", ("fte",), measures.fte),
    "vacancy_fte": Kind("FTE", FUNDED, measures.vacancies, measures.limited_keys, NAN),
    "vacancy_rate": Kind("share", FUNDED, measures.vacancy_rate, measures.limited_keys, NAN),
    "required_fte": Kind("FTE", SERVICES, need.required, need.service_keys),
    "delivered_fte": Kind("FTE", SERVICES, need.delivered, need.service_keys),
    "shortfall_fte": Kind("FTE", SERVICES, need.shortfall, need.service_keys),
    "pressure": Kind("ratio", SERVICES, need.pressure, need.service_keys, NAN),
}
"""Quantities on dates."""
ALONG: dict[str, Kind] = {
    **{name: STOCKS[name] for name in ("headcount", "fte", "vacancy_rate")},
    **{name: STOCKS[name] for name in ("delivered_fte", "shortfall_fte", "pressure")},
    "total_cost": _cost("total_cost", "GBP per month"),
}
"""Quantities of trajectories."""
COSTS = ("pay_bill", "cover_cost", "backfill_cost", "programme_cost", "total_cost")
AMOUNTS: dict[str, Kind] = {
    "fte": Kind("FTE-years", ("fte",), measures.fte),
    "delivered_fte": Kind("FTE-years", SERVICES, need.delivered, need.service_keys),
    "shortfall_fte": Kind("FTE-years", SERVICES, need.shortfall, need.service_keys),
    "months_in_shortage": Kind("months", SERVICES, _short, need.service_keys),
    **{name: _cost(name) for name in COSTS},
}
"""What is added up since the start, with the unit of the sum; money and months also over a year."""
BY_YEAR = ("months_in_shortage", *COSTS)


# -- measures -----------------------------------------------------------------------------------------------


def stocks(data: xr.Dataset, dates: np.ndarray, kinds: dict[str, Kind] | None = None) -> list[Measure]:
    """Quantities that stand on dates."""
    here = data.sel(time=dates)
    return [
        Measure(name, kind.unit, "date", dates, kind.cells(here, lambda array: array.values), kind.missing)
        for name, kind in (STOCKS if kinds is None else kinds).items()
        if set(kind.needs) <= set(data.data_vars)
    ]


Windows = dict[str, tuple[np.ndarray, list[tuple[int, int]]]]


def _windows(data: xr.Dataset, dates: np.ndarray) -> Windows:
    """Periods that are added up to each date: "cumulated" all before it, "year" the last twelve months."""
    times = data.variables["time"].values
    steps = measures.steps_per_year(data)
    ends = np.searchsorted(times, dates)
    later = ends >= steps
    return {
        "year": (dates[later], [(end - steps, end) for end in ends[later].tolist()]),
        "cumulated": (dates, [(0, end) for end in ends.tolist()]),
    }


def amounts(data: xr.Dataset, dates: np.ndarray) -> list[Measure]:
    """What is given a month, or stands on month starts, added up over years and since the start."""
    months = float(measures.YEAR // measures.steps_per_year(data))
    times = data.variables["time"].values
    found = []
    for over, (at, windows) in _windows(data, dates).items():
        since = times[[first for first, _ in windows]]
        for name, kind in AMOUNTS.items():
            asked = over == "cumulated" or name in BY_YEAR
            if not (asked and len(at) and set(kind.needs) <= set(data.data_vars)):
                continue
            factor = months / measures.YEAR if kind.unit == "FTE-years" else months
            cells = kind.cells(data, partial(_added, windows, factor))
            unit = f"{kind.unit} per year" if over == "year" and kind.unit == "GBP" else kind.unit
            found.append(Measure(name, unit, over, at, cells, 0.0, "", since))
    return found


def _added(windows: list[tuple[int, int]], factor: float, array: xr.DataArray) -> np.ndarray:
    values = array.values  # draw, time, cell
    return np.stack([factor * values[:, first:last].sum(axis=1) for first, last in windows], axis=1)


def leavers(data: xr.Dataset, dates: np.ndarray) -> list[Measure]:
    """People leaving or retiring, over years and since the start."""
    flows = [data[name] for name in ("leavers", "retirements") if name in data]
    if not flows:
        return []
    by_post = [
        flow.sum([dim for dim in flow.dims if dim not in ("draw", "period", "post")]) for flow in flows
    ]
    total = sum(by_post[1:], start=by_post[0]).transpose("draw", "period", "post")
    kind = Kind("heads", (), lambda data, by: measures.sum_posts(total, measures.group_keys(data, by)))
    times = data.variables["time"].values
    return [
        Measure(
            "leavers",
            "heads per year" if over == "year" else "heads",
            over,
            at,
            kind.cells(data, partial(_added, windows, 1.0)),
            since=times[[first for first, _ in windows]],
        )
        for over, (at, windows) in _windows(data, dates).items()
        if len(at)
    ]


def _kept_until(data: xr.Dataset) -> np.ndarray:
    """Ends of the retention years; none without retention."""
    followed = "tagged" in data and data.sizes.get("retention_year", 0) > 0
    return measures.year_ends(data) if followed else np.array([], dtype="datetime64[ns]")


KEPT = {
    "stability_index": ("share", retention.stability_index),
    "leaver_rate": ("share per year", retention.leaver_rate),
}
"""Measures of retention."""


def kept(data: xr.Dataset, dates: np.ndarray) -> list[Measure]:
    """Stability index and leaver rate of every level in the retention year ending on or before each date."""
    ends = _kept_until(data)
    at = np.searchsorted(ends, dates, side="right") - 1
    dates, at = dates[at >= 0], at[at >= 0]
    if not len(dates):
        return []
    starts = data.variables["retention_year"].values[at]
    found = []
    for level in map(str, data.variables["level"].values):
        for name, (unit, make) in KEPT.items():
            cells: dict[Cell, np.ndarray] = {}
            for by, title in retention_groupings(data, level)[0]:
                if title == "block":
                    continue
                axes = [by] if isinstance(by, str) else list(by or ())
                places = _placed(axes, retention.grouping(data, level, by).keys)
                values = make(data, level, by).values[:, at]
                cells |= {place: values[:, :, j] for j, place in enumerate(places)}
            found.append(Measure(name, unit, "year", dates, cells, NAN, level, starts))
    return found
