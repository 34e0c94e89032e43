"""The table of training: trainees, places, examinations and newly qualified, by year."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pharmsim.results import measures
from pharmsim.results.columns import year_columns, yearly
from pharmsim.results.frames import Part, table, tidy
from pharmsim.results.labelled import Results

STOCKS = (("trainees", "stage"), ("places", "stage"), ("seekers", "pipeline"), ("resitting", "pipeline"))
STAGE_FLOWS = ("intake", "unplaced", "stage_losses")
PIPELINE_FLOWS = ("registered", "left_area", "gave_up", "failed_out")
ATTEMPT_FLOWS = ("sat", "passed")


def training(results: Results) -> pd.DataFrame:
    """Trainees, examinations and newly qualified by pipeline and year, with the years before the start.

    Places are shown for stages that have a limit; `training_unplaced` (people of a post who find no
    place in an internal pipeline) for posts in which somebody starts or wants to start one.

    Returns
    -------
    DataFrame
        year_from, year_to (the same day for stocks), pipeline, stage, attempt, post, quantity, unit, …
    """
    frame = _parts(results)
    if frame.empty:
        return frame
    return frame.sort_values(["quantity", "pipeline", "year_from"], kind="stable", ignore_index=True)


@table("year_from", "year_to", "pipeline", "stage", "attempt", "post", "quantity", "unit")
def _parts(results: Results) -> Iterator[Part]:
    """Stocks, flows and what came before the start, unsorted."""
    data = results.data
    marks = yearly(data)
    for name, axis in STOCKS:
        if name in data:
            at = marks["time"].values
            labels = {"time": {"year_from": at, "year_to": at}, axis: _training_labels(data, axis)}
            yield replace(tidy(marks[name], labels, quantity=name, unit="heads"), finite=True)
    for name in (*STAGE_FLOWS, *PIPELINE_FLOWS, *ATTEMPT_FLOWS):
        if name in data:
            yield _training_flow(data, measures.yearly_flow(data, name), name)
    if "training_unplaced" in data:
        yield _unplaced(data)
    if "registered_before" in data:
        yield _training_flow(data, history_by_year(data), "registered")


def _training_labels(data: xr.Dataset, axis: str) -> dict[str, Any]:
    names = [str(name) for name in data[axis].values]
    if axis == "pipeline":
        return {"pipeline": names}
    parts = [name.split(": ", 1) for name in names]
    return {"pipeline": [part[0] for part in parts], "stage": [part[-1] for part in parts]}


def _training_flow(data: xr.Dataset, array: xr.DataArray, name: str) -> Part:
    axis = "stage" if "stage" in array.dims else "pipeline"
    labels = {"year_from": year_columns(array["year_from"].values), axis: _training_labels(data, axis)}
    return tidy(array, labels, quantity=name, unit="heads per year")


def _unplaced(data: xr.Dataset) -> Part:
    """People who find no place in an internal pipeline, by post."""
    unplaced = measures.yearly_flow(data, "training_unplaced").transpose("draw", "year_from", "post")
    wanted = unplaced.values.any(axis=(0, 1))
    if "training_starts" in data:
        starts = data["training_starts"].transpose("draw", "period", "post")
        wanted = wanted | starts.values.any(axis=(0, 1))
    labels = {"year_from": year_columns(unplaced["year_from"].values)}
    part = tidy(unplaced, labels, quantity="training_unplaced", unit="heads per year")
    return replace(part, shown={"post": np.asarray(wanted)})


def history_by_year(data: xr.Dataset) -> xr.DataArray:
    """Newly qualified per year before the start (heads per year), whole years back from the start."""
    before = data["registered_before"].transpose("draw", "history", "pipeline")
    n_years = before.sizes["history"] // measures.YEAR
    values = before.values[:, before.sizes["history"] - n_years * measures.YEAR :]
    summed = values.reshape(len(values), n_years, measures.YEAR, -1).sum(axis=2)
    starts = before["history"].values[before.sizes["history"] - n_years * measures.YEAR :: measures.YEAR]
    coords = {"year_from": starts, "pipeline": before["pipeline"].values}
    return xr.DataArray(summed, dims=("draw", "year_from", "pipeline"), coords=coords)
