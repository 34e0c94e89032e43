"""Quantities that scenarios are compared by: unit, what a run needs for them, and how they are made.

The one vocabulary of a comparison and of what explains it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from pharmsim.results import measures, money, need
from pharmsim.results.columns import ALL, CELLS

Cell = tuple[str, str]
"""Role and environment, "all" where they are added up."""
NAN = float("nan")

Keys = Sequence[tuple[str, ...] | None]
Make = Callable[[xr.Dataset, measures.By], xr.DataArray]


def with_costs(data: xr.Dataset) -> xr.Dataset:
    """The same data with the cost of interventions by post, and with all costs together.

    Where pay is not described, all costs are those of interventions (`total_cost` without `pay_bill`), if
    they cost anything.
    """
    if "programme_cost" in data:
        # in the order of names, so that the order in which interventions are written changes no bit
        by_name = data["programme_cost"].sel(intervention=sorted(data["intervention"].values))
        data = data.assign(programme_cost=by_name.sum("intervention"))
    parts = [data[name] for name in PARTS if name in data]
    if "pay_bill" not in data:
        parts = [part for part in parts if part.values.any()]
    return data.assign(total_cost=sum(parts[1:], start=parts[0])) if parts else data


def placed(by: Sequence[str], keys: Keys) -> list[Cell]:
    """(role, environment) of the cells of a grouping, "all" where it adds up."""
    unique = dict.fromkeys(key for key in keys if key is not None)
    where = {axis: i for i, axis in enumerate(by)}

    def part(key: tuple[str, ...], axis: str) -> str:
        return key[where[axis]] if axis in where else ALL

    return [(part(key, "role"), part(key, "environment")) for key in unique]


@dataclass(frozen=True)
class Kind:
    """How a quantity is made: its unit, the outputs it needs, the measure, the keys of its axis.

    The measure is added up over role and environment; `missing` is what a cell counts as that a run lacks.
    """

    unit: str
    needs: tuple[str, ...]
    make: Make
    keys: Callable[[xr.Dataset, measures.By], Any] = measures.group_keys
    missing: float = 0.0

    def known(self, data: xr.Dataset) -> bool:
        """Whether a run has what the quantity needs."""
        return set(self.needs) <= set(data.data_vars)

    def cells(self, data: xr.Dataset, reduce: Callable[[xr.DataArray], np.ndarray]) -> dict[Cell, np.ndarray]:
        """Numbers by cell, shape (draw, date), of an array (draw, time, cell) after `reduce`."""
        found: dict[Cell, np.ndarray] = {}
        for by in CELLS:
            values = reduce(self.make(data, by))
            places = placed(by, self.keys(data, by))
            found |= {place: values[:, :, j] for j, place in enumerate(places)}
        return found


def _short(data: xr.Dataset, by: measures.By) -> xr.DataArray:
    """1 in every month with a shortfall, else 0."""
    return (need.shortfall(data, by) > 0.0).astype(float)


def _cost(name: str, unit: str = "GBP") -> Kind:
    return Kind(unit, (name,), partial(_money, name))


def _money(name: str, data: xr.Dataset, by: measures.By) -> xr.DataArray:
    return money.cost(data, name, by)


PARTS = (*money.COSTS, "programme_cost")
"""What `total_cost` adds up: pay, temporary cover, backfill, the programme."""
COSTS = (*PARTS, "total_cost")
SERVICES = ("required_fte", "service_fte")
FUNDED = ("vacancy_fte", "establishment_fte")
DELIVERED = ("delivered_fte", "fte")
"""What stands for the time that people give, the best first: a scenario may not say how they use it."""
STOCKS: dict[str, Kind] = {
    "headcount": Kind("heads", ("headcount",), measures.headcount),
    "fte": Kind("FTE", ("fte",), measures.fte),
    "vacancy_fte": Kind("FTE", FUNDED, measures.vacancies, measures.limited_keys, NAN),
    "vacancy_rate": Kind("share", FUNDED, measures.vacancy_rate, measures.limited_keys, NAN),
    "required_fte": Kind("FTE", SERVICES, need.required, need.service_keys),
    "delivered_fte": Kind("FTE", ("delivered_fte",), need.delivered, need.service_keys),
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
AMOUNTS: dict[str, Kind] = {
    "fte": Kind("FTE-years", ("fte",), measures.fte),
    "delivered_fte": Kind("FTE-years", ("delivered_fte",), need.delivered, need.service_keys),
    "shortfall_fte": Kind("FTE-years", SERVICES, need.shortfall, need.service_keys),
    "months_in_shortage": Kind("months", SERVICES, _short, need.service_keys),
    **{name: _cost(name) for name in COSTS},
}
"""What is added up since the start, with the unit of the sum; money and months also over a year."""
BY_YEAR = ("months_in_shortage", *COSTS)


def months_each(data: xr.Dataset, kind: Kind) -> float:
    """Months that a value of an amount stands for in its sum; of FTE-years the years."""
    return (1.0 if kind.unit == "FTE-years" else float(measures.YEAR)) / measures.steps_per_year(data)
