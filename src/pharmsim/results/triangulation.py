"""Triangulation: workforce, activity and finance of every environment and year beside each other.

Workforce and finance count a joint post where it is employed, activity where it works. Incomplete last
years are left out.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

from pharmsim.results import measures, money, need
from pharmsim.results.activity import activity_index, followed_in
from pharmsim.results.columns import ALL, year_columns
from pharmsim.results.frames import Part, table, tidy
from pharmsim.results.labelled import Results
from pharmsim.results.system_tables import need_measures

Quantity = tuple[str, str, xr.DataArray]
"""Name, unit, array with the axes draw, year_from and cell (an environment, or "all")."""

PARTS = ("workforce", "activity", "finance")
ACTIVITY = "activity "
"""What quantities that are indices of activity begin with; their name follows."""
PER_YEAR = "GBP per year"
ROUNDING = 1e-12
"""A change in headcount below this share of the largest headcount of the draw is rounding."""


@table("year_from", "year_to", "environment", "part", "quantity", "unit")
def triangulation(results: Results) -> Iterator[Part]:
    """Workforce, activity and finance by environment and year; empty without need and pay.

    Returns
    -------
    DataFrame
        year_from, year_to, environment ("all": together), part, quantity, unit, central (p5 …).

        workforce: headcount, FTE, establishment and vacancy rate at the year's end; joiners, leavers
        (with retirements) and what else changed the headcount (moves, returns, changes of role) in
        the year. activity: indices of activity and of need, mean FTE required, delivered (by staff,
        by temporary cover) and lacking, months in shortage, pressure. finance: the year's pay bill,
        cost of cover and backfill, and total; for budgets whose posts are all in the environment the
        budget and what was spent above it (negative: below; see `money.budgets_of`).
    """
    data = results.data
    if not {"required_fte", "pay_bill"} & set(data.data_vars) or not _whole_years(data):
        return
    for part, quantities in zip(PARTS, (workforce, activity, finance), strict=True):
        for name, unit, array in quantities(results):
            years = year_columns(array["year_from"].values)
            labels = {"year_from": years, "cell": {"environment": array["cell"].values}}
            yield tidy(array, labels, part=part, quantity=name, unit=unit)


def _whole_years(data: xr.Dataset) -> int:
    return (data.sizes["time"] - 1) // measures.steps_per_year(data)


def workforce(results: Results) -> Iterator[Quantity]:
    """Quantities of the workforce, by home environment and together."""
    data = results.data
    for by in ("environment", None):
        ends = {"headcount": measures.headcount(data, by), "fte": measures.fte(data, by)}
        units = {"headcount": "heads", "fte": "FTE", "establishment_fte": "FTE", "vacancy_rate": "share"}
        if "establishment_fte" in data and measures.with_establishment(data).any():
            ends["establishment_fte"] = measures.establishment(data, by)
            ends["vacancy_rate"] = measures.vacancy_rate(data, by)
        for name, array in ends.items():
            yield name, units[name], need.at_year_ends(data, array)
        joined, left = _in_year(data, ("joiners",), by), _in_year(data, ("leavers", "retirements"), by)
        heads = ends["headcount"]
        starts = heads.isel(time=np.arange(_whole_years(data)) * measures.steps_per_year(data))
        change = need.at_year_ends(data, heads) - starts.drop_vars("time").rename(time="year_from").values
        yield "joiners", "heads per year", joined
        yield "leavers", "heads per year", left
        other = change - joined.values + left.values
        rounding = abs(other) < ROUNDING * heads.max(["time", "cell"])
        yield "other_changes", "heads per year", other.where(~rounding, 0.0)


def _in_year(data: xr.Dataset, names: tuple[str, ...], by: str | None) -> xr.DataArray:
    """Flows of every whole year, added up over what divides them; axes draw, year_from, cell."""
    keys = measures.group_keys(data, by)
    total: xr.DataArray | None = None
    for name in names:
        if name in data:
            flow = measures.sum_posts(measures.yearly_flow(data, name), keys)
            flow = flow.sum([dim for dim in flow.dims if dim not in ("draw", "year_from", "cell")])
            total = flow if total is None else total + flow
    if total is None:
        total = xr.zeros_like(need.at_year_ends(data, measures.headcount(data, by)))
    return total.transpose("draw", "year_from", "cell")


def activity(results: Results) -> Iterator[Quantity]:
    """Quantities of activity, by the environment where the work is done and together."""
    data = results.data
    if "required_fte" not in data or "service_fte" not in data:
        return
    index = need.mean_of_years(data, activity_index(results))
    places = list(dict.fromkeys(str(name) for name in data.variables["service_environment"].values))
    for place in (*places, None):
        for name in followed_in(results, place):
            one = index.sel(activity=name, drop=True).expand_dims(cell=[place or ALL], axis=2)
            yield f"{ACTIVITY}{name}", "start = 1", one
    data = need.with_staff(data)
    for by in ("environment", None):
        for name, (unit, array) in need_measures(data, by).items():
            yield name, unit, array


def finance(results: Results) -> Iterator[Quantity]:
    """Quantities of money, by home environment and together."""
    data = results.data
    if "pay_bill" not in data:
        return
    for by in ("environment", None):
        for name in money.COSTS:
            if name in data:
                yield name, PER_YEAR, need.sum_of_years(data, money.cost(data, name, by))
        yield "total_cost", PER_YEAR, need.sum_of_years(data, money.spending(data, by))
    if "budget_money" not in data:
        return
    given = data["budget_money"].transpose("draw", "time", "budget")
    over = money.over_budget(data)
    places = list(dict.fromkeys(str(name) for name in data.variables["post_environment"].values))
    for place in (*places, None):
        chosen = money.budgets_of(data, place)
        if len(chosen):
            for name, array in (("budget", given), ("over_budget", over)):
                total = array.isel(budget=chosen).sum("budget", skipna=False)
                year = need.sum_of_years(data, total.expand_dims(cell=[place or ALL], axis=2))
                yield name, PER_YEAR, year
