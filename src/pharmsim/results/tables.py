"""The main tables of a run as tidy data frames, a year at a time.

Every table has a column `central` (the run at the central values) and, if there are draws, the columns
p5, p25, p50, p75 and p95. "all" in a column means that everything is added up over it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pharmsim.results import measures, retention
from pharmsim.results.axes import EARLIER_OFFERS
from pharmsim.results.frames import Rows, stack, tidy
from pharmsim.results.labelled import Results
from pharmsim.results.pay import pay_bill
from pharmsim.scenario.models import Scenario

ALL = "all"
CELLS: tuple[tuple[str, ...], ...] = (("role", "environment"), ("role",), ("environment",), ())
"""Groupings of posts that the tables show."""


def main_tables(results: Results) -> dict[str, pd.DataFrame]:
    """Make every main table, by the name of its file and sheet; empty tables are left out.

    Returns
    -------
    dict of DataFrame
        workforce, flows, retention, training, moves.
    """
    makers = {
        "workforce": workforce,
        "flows": flows,
        "retention": retention_table,
        "training": training,
        "moves": moves,
    }
    tables = {name: make(results) for name, make in makers.items()}
    return {name: table for name, table in tables.items() if len(table)}


# -- helpers -------------------------------------------------------------------------------------------


def cell_columns(data: xr.Dataset, by: Sequence[str], keys: Sequence[Any] | None = None) -> dict[str, Any]:
    """Columns role and environment for the cells of a grouping, "all" where it adds up."""
    unique = list(dict.fromkeys(key for key in (keys or measures.group_keys(data, by)) if key is not None))
    return {
        axis: [key[list(by).index(axis)] if axis in by else ALL for key in unique]
        for axis in ("role", "environment")
    }


def yearly(data: xr.Dataset) -> xr.Dataset:
    """The stocks at the start, on every anniversary, and at the end."""
    return data.isel(time=mark_index(data))


def mark_index(data: xr.Dataset) -> np.ndarray:
    """Positions on `time` of the start, every anniversary and the end."""
    steps = measures.YEAR // int(data.attrs.get("months_per_period", 1))
    last = data.sizes["time"] - 1
    return np.unique(np.append(np.arange(0, last + 1, steps), last))


def _year_ends(starts: np.ndarray) -> np.ndarray:
    return (starts.astype("datetime64[M]") + measures.YEAR).astype("datetime64[ns]")


def _years(starts: np.ndarray) -> dict[str, np.ndarray]:
    return {"year_from": starts, "year_to": _year_ends(starts)}


# -- stocks --------------------------------------------------------------------------------------------


def workforce(results: Results) -> pd.DataFrame:
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
    if "cover_fte" in data:
        quantities["cover_fte"] = ("FTE", lambda by: _summed(data, "cover_fte", by))
    if "headcount_55plus" in data:
        quantities["share_55plus"] = ("share", lambda by: measures.share_55plus(data, by))
    if data.sizes.get("contract", 1) > 1:
        quantities["part_time_share"] = ("share", lambda by: measures.part_time_share(data, full, by))
    if results.scenario.pay is not None:
        quantities["pay_bill"] = ("GBP per month", lambda by: pay_bill(data, results.scenario, by))
    frames = []
    for name, (unit, make) in quantities.items():
        for by in CELLS:
            array = make(by)
            limited = name in ("establishment_fte", "vacancy_fte", "vacancy_rate")
            keys = measures.limited_keys(data, by) if limited else None
            dates = {"date": array["time"].values}
            labels: dict[str, Any] = {"time": dates, "cell": cell_columns(data, by, keys)}
            frames.append(tidy(array, labels, quantity=name, unit=unit))
    return stack(frames, ["date", "role", "environment", "quantity", "unit"])


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
    "switches": "switch",
}
"""Yearly flows with an axis of posts, and the axis that divides each."""


def flows(results: Results) -> pd.DataFrame:
    """Joiners by source, leavers by destination, retirements, returns and moves, by whole year.

    Flows that the scenario does not have (zero in every draw and post) are left out, as are the months of
    an incomplete last year.

    Returns
    -------
    DataFrame
        year_from, year_to, role, environment, flow, category, unit, central (p5 …).
    """
    data = results.data
    frames = []
    for name, axis in BY_POST.items():
        if name not in data:
            continue
        flow = _that_occur(results.scenario, measures.yearly_flow(data, name), name, axis)
        if flow is None:
            continue
        for by in CELLS:
            array = measures.sum_posts(flow, measures.group_keys(data, by))
            labels = _flow_labels(data, array, by)
            if axis:
                labels[axis] = {"category": array[axis].values}
            constant = {} if axis else {"category": ALL}
            frames.append(tidy(array, labels, flow=name, unit="heads per year", **constant))
    frames += _moved(data)
    columns = ["year_from", "year_to", "role", "environment", "flow", "category", "unit"]
    return stack(frames, columns)


def _that_occur(scenario: Scenario, flow: xr.DataArray, name: str, axis: str) -> xr.DataArray | None:
    """The flow without parts that the scenario lacks; None if nothing is left."""
    inside = any(pipeline.kind == "internal" for pipeline in scenario.pipelines.values())
    exists = {
        "employer_changes": scenario.employer_change is not None,
        "training_starts": inside,
        "training_ends": inside,
    }
    if not exists.get(name, True) and not flow.values.any():
        return None
    if axis == "source":
        kept = [
            str(label) != EARLIER_OFFERS or bool(flow.sel(source=label).any()) for label in flow[axis].values
        ]
        return flow.isel(source=np.flatnonzero(kept)) if any(kept) else None
    return flow


def _flow_labels(data: xr.Dataset, array: xr.DataArray, by: Sequence[str]) -> dict[str, Any]:
    return {"year_from": _years(array["year_from"].values), "cell": cell_columns(data, by)}


def _moved(data: xr.Dataset) -> list[Rows]:
    """People moving into and out of every post, by kind of edge."""
    if "moves" not in data:
        return []
    flow = measures.yearly_flow(data, "moves")
    index = {str(post): i for i, post in enumerate(data["post"].values)}
    kinds = data["edge_kind"].values
    frames = []
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
                frames.append(tidy(array, labels, flow=name, category=kind, unit="heads per year"))
    return frames


def moves(results: Results) -> pd.DataFrame:
    """Moves, promotions and role changes by year and edge, with those that found no vacancy.

    Returns
    -------
    DataFrame
        year_from, year_to, from, to, kind, quantity, unit, central (p5 …).
    """
    data = results.data
    frames = []
    for name in ("moves", "moves_blocked"):
        if name not in data:
            continue
        array = measures.yearly_flow(data, name)
        edges = {
            "from": data["edge_from"].values,
            "to": data["edge_to"].values,
            "kind": data["edge_kind"].values,
        }
        labels = {"year_from": _years(array["year_from"].values), "edge": edges}
        frames.append(tidy(array, labels, quantity=name, unit="heads per year"))
    columns = ["year_from", "year_to", "from", "to", "kind", "quantity", "unit"]
    return stack(frames, columns)


# -- retention -----------------------------------------------------------------------------------------


def retention_table(results: Results) -> pd.DataFrame:
    """Stability index and leaver rate (as published) by level, year and block.

    Roles, and role × environment, are shown beside the level's own blocks; the column `note` says
    where people who changed post inside a block count in the group where they are at the end.

    Returns
    -------
    DataFrame
        year_from, year_to, level, by, block, measure, unit, central (p5 …), note.
    """
    data = results.data
    if "tagged" not in data or not data.sizes.get("retention_year"):
        return pd.DataFrame()
    frames = []
    for level in [str(name) for name in data["level"].values]:
        for by, title, note in retention_groupings(data, level):
            for name, unit, make in (
                ("stability_index", "share", retention.stability_index),
                ("leaver_rate", "share per year", retention.leaver_rate),
            ):
                array = make(data, level, by)
                years = {"year_from": array["year_from"].values, "year_to": array["year_to"].values}
                labels = {"retention_year": years, "cell": {"block": array["cell"].values}}
                text = {"level": level, "by": title, "measure": name, "unit": unit, "note": note}
                frames.append(tidy(array, labels, **text))
    columns = ["year_from", "year_to", "level", "by", "block", "measure", "unit", "note"]
    return stack(frames, columns)


def retention_groupings(data: xr.Dataset, level: str) -> list[tuple[Any, str, str]]:
    """Groupings worth showing at a level: (by, title, note); inexact ones other than role are left out."""
    moved = "people who change role inside the block count in the role they end in"
    found: list[tuple[Any, str, str]] = [(None, ALL, "")]
    if len(set(retention.blocks(data, level)) - {""}) > 1:
        found.append(("block", "block", ""))
    found.append(("role", "role", "" if retention.is_exact(data, level, "role") else moved))
    for by, title in (("environment", "environment"), (("role", "environment"), "role × environment")):
        if retention.is_exact(data, level, by):
            found.append((by, title, ""))
    return found


# -- training ------------------------------------------------------------------------------------------

STAGE_FLOWS = ("intake", "unplaced", "stage_losses")
PIPELINE_FLOWS = ("registered", "left_area", "gave_up", "failed_out")
ATTEMPT_FLOWS = ("sat", "passed")


def training(results: Results) -> pd.DataFrame:
    """Trainees, examinations and newly qualified by pipeline and year, with the years before the start.

    Returns
    -------
    DataFrame
        year_from, year_to (the same day for stocks), pipeline, stage, attempt, quantity, unit, central …
    """
    data = results.data
    frames = []
    columns = ["year_from", "year_to", "pipeline", "stage", "attempt", "quantity", "unit"]
    marks = yearly(data)
    for name, axis in (("trainees", "stage"), ("seekers", "pipeline"), ("resitting", "pipeline")):
        if name in data:
            at = marks["time"].values
            labels = {"time": {"year_from": at, "year_to": at}, axis: _training_labels(data, axis)}
            frames.append(tidy(marks[name], labels, quantity=name, unit="heads"))
    names = [name for name in (*STAGE_FLOWS, *PIPELINE_FLOWS, *ATTEMPT_FLOWS) if name in data]
    frames += [_training_flow(data, measures.yearly_flow(data, name), name) for name in names]
    if "registered_before" in data:
        frames.append(_training_flow(data, history_by_year(data), "registered"))
    frame = stack(frames, columns)
    if frame.empty:
        return frame
    return frame.sort_values(["quantity", "pipeline", "year_from"], kind="stable", ignore_index=True)


def _training_labels(data: xr.Dataset, axis: str) -> dict[str, Any]:
    names = [str(name) for name in data[axis].values]
    if axis == "pipeline":
        return {"pipeline": names}
    parts = [name.split(": ", 1) for name in names]
    return {"pipeline": [part[0] for part in parts], "stage": [part[-1] for part in parts]}


def _training_flow(data: xr.Dataset, array: xr.DataArray, name: str) -> Rows:
    axis = "stage" if "stage" in array.dims else "pipeline"
    labels = {"year_from": _years(array["year_from"].values), axis: _training_labels(data, axis)}
    return tidy(array, labels, quantity=name, unit="heads per year")


def history_by_year(data: xr.Dataset) -> xr.DataArray:
    """Newly qualified per year before the start (heads per year), whole years back from the start."""
    before = data["registered_before"].transpose("draw", "history", "pipeline")
    n_years = before.sizes["history"] // measures.YEAR
    values = before.values[:, before.sizes["history"] - n_years * measures.YEAR :]
    summed = values.reshape(len(values), n_years, measures.YEAR, -1).sum(axis=2)
    starts = before["history"].values[before.sizes["history"] - n_years * measures.YEAR :: measures.YEAR]
    coords = {"year_from": starts, "pipeline": before["pipeline"].values}
    return xr.DataArray(summed, dims=("draw", "year_from", "pipeline"), coords=coords)
