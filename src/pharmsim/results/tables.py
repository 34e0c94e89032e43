"""The main tables of a run as tidy data frames, a year at a time.

Every table has a column `central` (the run at the central values) and, if there are draws, the columns
p5, p25, p50, p75 and p95. "all" in a column means that everything is added up over it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pharmsim.results import bounds, measures, money, retention
from pharmsim.results.axes import EARLIER_OFFERS
from pharmsim.results.columns import ALL, CELLS, cell_columns, year_columns, yearly
from pharmsim.results.frames import Part, table, tidy
from pharmsim.results.labelled import Results
from pharmsim.results.small_teams import small_teams_table
from pharmsim.results.system_tables import budgets_table, groups, need_table, time_table
from pharmsim.results.trainees import trainees_table
from pharmsim.results.training_table import training
from pharmsim.results.triangulation import triangulation
from pharmsim.scenario.models import Scenario


def main_tables(results: Results) -> dict[str, pd.DataFrame]:
    """Make every main table, by the name of its file and sheet; empty tables are left out.

    Returns
    -------
    dict of DataFrame
        triangulation, workforce, flows, retention, training, moves, need, time, budgets, groups, bounds,
        small_teams, trainees_in_ten_years.
    """
    makers: dict[str, Callable[[Results], pd.DataFrame]] = {
        "triangulation": triangulation,
        "workforce": workforce,
        "flows": flows,
        "retention": retention_table,
        "training": training,
        "moves": moves,
        "need": need_table,
        "time": time_table,
        "budgets": budgets_table,
        "groups": groups,
        "bounds": bounds_table,
        "small_teams": small_teams_table,
        "trainees_in_ten_years": trainees_table,
    }
    tables = {name: make(results) for name, make in makers.items()}
    return {name: table for name, table in tables.items() if len(table)}


def bounds_table(results: Results) -> pd.DataFrame:
    """Bounds of feedbacks that were hit, by post (see `bounds.table`)."""
    return bounds.table(bounds.hits(results.scenario, results.data))


# -- stocks --------------------------------------------------------------------------------------------


@table("date", "role", "environment", "quantity", "unit")
def workforce(results: Results) -> Iterator[Part]:
    """Stocks and shares on the anniversaries, by role and environment.

    Returns
    -------
    DataFrame
        date, role, environment, quantity, unit, central (p5 …).
    """
    data = yearly(results.data)
    full = measures.full_contract(results.scenario)
    quantities: dict[str, tuple[str, Callable[[Any], xr.DataArray]]] = {
        "headcount": ("heads", lambda by: measures.headcount(data, by)),
        "fte": ("FTE", lambda by: measures.fte(data, by)),
    }
    if "establishment_fte" in data and measures.with_establishment(data).any():
        quantities |= {
            "establishment_fte": ("FTE", lambda by: measures.establishment(data, by)),
            "vacancy_fte": ("FTE", lambda by: measures.vacancies(data, by)),
            "vacancy_rate": ("share", lambda by: measures.vacancy_rate(data, by)),
        }
    for name in ("unfillable_fte", "cover_fte"):
        if name in data:
            quantities[name] = ("FTE", partial(_summed, data, name))
    if "headcount_55plus" in data:
        quantities["share_55plus"] = ("share", lambda by: measures.share_55plus(data, by))
    if data.sizes.get("contract", 1) > 1:
        quantities["part_time_share"] = ("share", lambda by: measures.part_time_share(data, full, by))
    for cost in money.COSTS:
        if cost in data:
            quantities[cost] = (money.UNIT, partial(money.cost, data, cost))
    for name, (unit, make) in quantities.items():
        for by in CELLS:
            array = make(by)
            limited = name in ("establishment_fte", "vacancy_fte", "vacancy_rate")
            keys = measures.limited_keys(data, by) if limited else None
            dates = {"date": array["time"].values}
            cells = cell_columns(keys or measures.group_keys(data, by), by)
            labels: dict[str, Any] = {"time": dates, "cell": cells}
            yield tidy(array, labels, quantity=name, unit=unit)


def _summed(data: xr.Dataset, name: str, by: Any) -> xr.DataArray:
    return measures.sum_posts(data[name], measures.group_keys(data, by))


# -- flows ---------------------------------------------------------------------------------------------

BY_POST = {
    "joiners": "source",
    "leavers": "destination",
    "retirements": "",
    "returns": "pool",
    "employer_changes": "",
    "training_starts": "",
    "training_ends": "",
    "training_unplaced": "",
    "switches": "switch",
}
"""Yearly flows with an axis of posts, and the axis that divides each."""


@table("year_from", "year_to", "role", "environment", "flow", "category", "unit")
def flows(results: Results) -> Iterator[Part]:
    """Joiners by source, leavers by destination, retirements, returns and moves, by whole year.

    Flows that the scenario does not have (zero in every draw and post) are left out, as are the months of
    an incomplete last year.

    Returns
    -------
    DataFrame
        year_from, year_to, role, environment, flow, category, unit, central (p5 …).
    """
    data = results.data
    for name, axis in BY_POST.items():
        if name not in data:
            continue
        flow = measures.yearly_flow(data, name)
        shown = _that_occur(results.scenario, flow, name, axis)
        for by in CELLS:
            array = measures.sum_posts(flow, measures.group_keys(data, by))
            labels = _flow_labels(data, array, by)
            if axis:
                labels[axis] = {"category": array[axis].values}
            constant = {} if axis else {"category": ALL}
            part = tidy(array, labels, flow=name, unit="heads per year", **constant)
            yield replace(part, shown=shown)
    yield from _moved(data)


def _that_occur(scenario: Scenario, flow: xr.DataArray, name: str, axis: str) -> dict[str, np.ndarray]:
    """Which positions are shown, along an axis: not those of flows, or parts, that the scenario lacks."""
    inside = any(pipeline.kind == "internal" for pipeline in scenario.pipelines.values())
    exists = {
        "employer_changes": scenario.employer_change is not None,
        "training_starts": inside,
        "training_ends": inside,
        "training_unplaced": False,
    }
    if not exists.get(name, True):
        return {"year_from": np.full(flow.sizes["year_from"], flow.values.any())}
    if axis == "source":
        labels = flow[axis].values
        kept = [str(label) != EARLIER_OFFERS or bool(flow.sel(source=label).any()) for label in labels]
        return {axis: np.array(kept, dtype=bool)}
    return {}


def _flow_labels(data: xr.Dataset, array: xr.DataArray, by: Sequence[str]) -> dict[str, Any]:
    cells = cell_columns(measures.group_keys(data, by), by)
    return {"year_from": year_columns(array["year_from"].values), "cell": cells}


def _moved(data: xr.Dataset) -> Iterator[Part]:
    """People moving into and out of every post, by kind of edge."""
    if "moves" not in data:
        return
    flow = measures.yearly_flow(data, "moves")
    index = {str(post): i for i, post in enumerate(data["post"].values)}
    kinds = data["edge_kind"].values
    for name, end in (("moves_in", "edge_to"), ("moves_out", "edge_from")):
        posts = data[end].values
        for kind in dict.fromkeys(str(kind) for kind in kinds):
            values = np.zeros((*flow.shape[:2], data.sizes["post"]))
            for i in np.flatnonzero(kinds == kind):
                values[:, :, index[str(posts[i])]] += flow.values[:, :, i]
            dims = ("draw", "year_from", "post")
            by_post = xr.DataArray(values, dims=dims, coords={"year_from": flow["year_from"]})
            for by in CELLS[:2]:
                array = measures.sum_posts(by_post, measures.group_keys(data, by))
                labels = _flow_labels(data, array, by)
                yield tidy(array, labels, flow=name, category=kind, unit="heads per year")


@table("year_from", "year_to", "from", "to", "kind", "quantity", "unit")
def moves(results: Results) -> Iterator[Part]:
    """Moves, promotions and role changes by year and edge, with those that found no vacancy.

    Returns
    -------
    DataFrame
        year_from, year_to, from, to, kind, quantity, unit, central (p5 …).
    """
    data = results.data
    for name in ("moves", "moves_blocked"):
        if name not in data:
            continue
        array = measures.yearly_flow(data, name)
        edges = {
            "from": data["edge_from"].values,
            "to": data["edge_to"].values,
            "kind": data["edge_kind"].values,
        }
        labels = {"year_from": year_columns(array["year_from"].values), "edge": edges}
        yield tidy(array, labels, quantity=name, unit="heads per year")


# -- retention -----------------------------------------------------------------------------------------


@table("year_from", "year_to", "level", "by", "block", "measure", "unit", "note")
def retention_table(results: Results) -> Iterator[Part]:
    """Stability index and leaver rate (as published) by level, year and block.

    Roles, environments and role × environment are shown beside the level's own blocks. Those that cannot
    be told are left out; the column `note` of the whole level says which, and why.

    Returns
    -------
    DataFrame
        year_from, year_to, level, by, block, measure, unit, central (p5 …), note.
    """
    data = results.data
    if "tagged" not in data or not data.sizes.get("retention_year"):
        return
    for level in [str(name) for name in data["level"].values]:
        shown, without = retention_groupings(data, level)
        for by, title in shown:
            note = without if by is None else ""
            for name, unit, make in (
                ("stability_index", "share", retention.stability_index),
                ("leaver_rate", "share per year", retention.leaver_rate),
            ):
                array = make(data, level, by)
                years = {"year_from": array["year_from"].values, "year_to": array["year_to"].values}
                labels = {"retention_year": years, "cell": {"block": array["cell"].values}}
                text = {"level": level, "by": title, "measure": name, "unit": unit, "note": note}
                yield tidy(array, labels, **text)


GROUPINGS: tuple[tuple[Any, str], ...] = (
    ("role", "role"),
    ("environment", "environment"),
    (("role", "environment"), "role × environment"),
)


def retention_groupings(data: xr.Dataset, level: str) -> tuple[list[tuple[Any, str]], str]:
    """Groupings that can be told at a level.

    Returns
    -------
    list of (by, title)
    str
        Which others are left out, and why; empty if none.
    """
    found: list[tuple[Any, str]] = [(None, ALL)]
    if len(retention.grouping(data, level, "block").keys) > 1:
        found.append(("block", "block"))
    mixed = {title: retention.mixing(data, level, by) for by, title in GROUPINGS}
    found += [(by, title) for by, title in GROUPINGS if not mixed[title]]
    without = [title for title, edges in mixed.items() if edges]
    if not without:
        return found, ""
    edge = mixed[without[0]][0]
    return found, f"not by {', '.join(without)}: people change group inside a block, as in {edge}"
