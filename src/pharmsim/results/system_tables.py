"""Tables of the system around the people: need and delivery, where time goes, budgets, shares of groups."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr

from pharmsim.results import measures, money, need
from pharmsim.results.columns import CELLS, cell_columns, year_columns, yearly
from pharmsim.results.frames import Part, table, tidy
from pharmsim.results.labelled import Results

YEARS = ("year_from", "year_to")


def need_measures(data: xr.Dataset, by: measures.By) -> dict[str, tuple[str, xr.DataArray]]:
    """What is required and delivered in every whole year, by group of services.

    Parameters
    ----------
    data : Dataset
        With `required_fte` and `service_fte`.
    by : str or sequence of str, optional
        role, environment, place.

    Returns
    -------
    dict
        Name → (unit, array with axes draw, year_from, cell). FTE are means of the year's month starts;
        pressure is the year's mean requirement ÷ its mean delivery; `need_index` is the requirement
        relative to that at the start.
    """
    required, delivered = need.required(data, by), need.delivered(data, by)
    mean = {"required_fte": required, "delivered_fte": delivered}
    if "time_fte" in data:
        mean["delivered_by_staff"] = need.delivered_by_staff(data, by)
        mean["delivered_by_cover"] = need.delivered_by_cover(data, by)
    mean["shortfall_fte"] = need.shortfall(data, by)
    found = {name: ("FTE", need.mean_of_years(data, array)) for name, array in mean.items()}
    opening = required.isel(time=0, drop=True)
    relative = found["required_fte"][1] / opening.where(opening > 0.0)
    pressure = need.pressure_of(found["required_fte"][1], found["delivered_fte"][1])
    return {
        "need_index": ("start = 1", relative.transpose("draw", "year_from", "cell")),
        **found,
        "months_in_shortage": ("months", need.months_in_shortage(data, by)),
        "pressure": ("ratio", pressure),
    }


@table(*YEARS, "role", "environment", "quantity", "unit")
def need_table(results: Results) -> Iterator[Part]:
    """Need and delivery of every whole year, by role and environment of the service.

    Returns
    -------
    DataFrame
        year_from, year_to, role, environment, quantity, unit, central (p5 …).
    """
    data = results.data
    if "required_fte" not in data or "service_fte" not in data:
        return
    data = need.with_staff(data)
    for by in CELLS:
        cells = cell_columns(need.service_keys(data, by), by)
        for name, (unit, array) in need_measures(data, by).items():
            years = year_columns(array["year_from"].values)
            labels: dict[str, Any] = {"year_from": years, "cell": cells}
            yield tidy(array, labels, quantity=name, unit=unit)


@table(*YEARS, "role", "environment", "use", "kind", "quantity", "unit")
def time_table(results: Results) -> Iterator[Part]:
    """Where working time goes: mean FTE of every whole year by role, environment and use.

    A joint post counts in the environments in which it works. The uses of a cell add up to its FTE.

    Returns
    -------
    DataFrame
        year_from, year_to, role, environment, use, kind, quantity (fte, share), unit, central (p5 …).
    """
    data = results.data
    if "time_fte" not in data:
        return
    mean = need.mean_of_years(data, data["time_fte"])
    uses = {"use": data["use"].values, "kind": data["use_kind"].values}
    for by in CELLS:
        inside = "environment" in by
        keys = need.service_keys(data, by) if inside else measures.group_keys(data, by)
        array = need.uses_by_cell(data, mean, by)
        for name, unit, values in (("fte", "FTE", array), ("share", "share", _share(array, "use"))):
            years = year_columns(values["year_from"].values)
            cells = cell_columns(keys, by)
            labels: dict[str, Any] = {"year_from": years, "use": uses, "cell": cells}
            yield tidy(values, labels, quantity=name, unit=unit)


@table(*YEARS, "budget", "quantity", "unit")
def budgets_table(results: Results) -> Iterator[Part]:
    """Money of every budget, what its posts cost, and what is over (negative: under), by whole year.

    Returns
    -------
    DataFrame
        year_from, year_to, budget, quantity, unit, central (p5 …).
    """
    data = results.data
    if not {"budget_money", "pay_bill"} <= set(data.data_vars):
        return
    for name, array in (
        ("money", data["budget_money"].transpose("draw", "time", "budget")),
        ("spending", money.spending_of_budgets(data)),
        ("over_budget", money.over_budget(data)),
    ):
        amounts = need.sum_of_years(data, array)
        labels = {"year_from": year_columns(amounts["year_from"].values)}
        yield tidy(amounts, labels, quantity=name, unit="GBP per year")


def _share(array: xr.DataArray, over: str) -> xr.DataArray:
    """Parts as shares of their sum along an axis; not a number where that is 0."""
    total = array.sum(over)
    return (array / total.where(total != 0.0)).transpose(*array.dims)


@table("date", "role", "grade", "environment", "group", "quantity", "unit")
def groups(results: Results) -> Iterator[Part]:
    """Share of every group in the headcount on the anniversaries, by role and grade.

    Without grades by role and environment (the home of joint posts).

    Returns
    -------
    DataFrame
        date, role, grade (or environment), group, quantity (share, headcount), unit, central (p5 …).
    """
    data = yearly(results.data)
    if data.sizes.get("group", 1) < 2:
        return
    graded = bool(np.any(data["post_grade"].values != ""))
    axis = "grade" if graded else "environment"
    heads = data["headcount"].sum("contract").transpose("draw", "time", "group", "post")
    for by in (("role", axis), ("role",), (axis,), ()):
        keys = measures.group_keys(data, by)
        array = measures.sum_posts(heads, keys)
        cells = cell_columns(keys, by, ("role", axis))
        labels: dict[str, Any] = {"time": {"date": array["time"].values}, "cell": cells}
        for name, unit, values in (
            ("share", "share", _share(array, "group")),
            ("headcount", "heads", array),
        ):
            yield tidy(values, labels, quantity=name, unit=unit)
