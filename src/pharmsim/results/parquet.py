"""Results as one long table in Parquet: one row for each number worth reading with other tools.

Months at the central values for every quantity; at the anniversaries (stocks) and years (flows) also the
percentiles over draws. Single draws are in `draws.nc` (or `results.nc`, if every month is kept).
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import xarray as xr

from pharmsim.quantities import FLOWS, OUTPUTS, STOCKS, SYSTEM
from pharmsim.results import measures
from pharmsim.results.axes import SERVICE_COORDS
from pharmsim.results.batches import over_draws
from pharmsim.results.columns import yearly as at_marks
from pharmsim.results.frames import statistics

COLUMNS = (
    "quantity",
    "unit",
    "frequency",
    "date",
    "post",
    "role",
    "environment",
    "grade",
    "place",
    "category",
)
DATES = ("time", "period", "year", "year_from", "retention_year", "history")


def write_log(table: pa.Table, path: Path) -> None:
    """Write what happened, event by event."""
    pq.write_table(table, path, compression="zstd")


def write(data: xr.Dataset, path: Path) -> None:
    """Write the long table.

    The columns are quantity, unit, frequency (month or year), date (of the stock; first day of the
    period of a flow), post and its axes (or those of the service), category (what else divides the
    quantity, "axis=name"), statistic (central, p5 …), value.
    """
    spacing = int(data.attrs.get("months_per_period", 1))
    parts = []
    for name in OUTPUTS:
        if name not in data:
            continue
        array, one = data[name], data[[name]]
        unit = str(array.attrs.get("unit", ""))
        yearly = name in (STOCKS | SYSTEM) and "time" in array.dims
        if name in FLOWS:
            years = over_draws(one, partial(measures.yearly_flow, name=name))
            parts.append(_part(data, years, name, "heads per year", "year"))
        elif yearly:
            parts.append(_part(data, over_draws(one, at_marks)[name], name, unit, "year"))
        else:
            frequency = "month" if name == "registered_before" else "year"
            parts.append(_part(data, array, name, unit, "month" if "period" in array.dims else frequency))
        if (name in FLOWS or yearly) and spacing == 1:
            parts.append(_part(data, array.isel(draw=slice(0, 1)), name, unit, "month"))
    table = pa.concat_tables(parts).unify_dictionaries()
    pq.write_table(table, path, compression="zstd")


def _coded(values: list[str], index: np.ndarray) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int32)), pa.array(values, pa.string()))


def _part(data: xr.Dataset, array: xr.DataArray, name: str, unit: str, frequency: str) -> pa.Table:
    """Rows of one quantity."""
    array = array.transpose("draw", ...)
    found = statistics(array.values)
    dims, shape = [str(dim) for dim in array.dims[1:]], array.shape[1:]
    n_stats, n = len(found), int(np.prod(shape))
    grid = dict(zip(dims, np.indices(shape).reshape(len(shape), -1), strict=True))
    columns: dict[str, Any] = {}
    zeros = np.zeros(n * n_stats, dtype=np.int32)
    for column, text in (("quantity", name), ("unit", unit), ("frequency", frequency)):
        columns[column] = _coded([text], zeros)
    date = next(dim for dim in dims if dim in DATES)
    dates = array[date].values.astype("datetime64[D]")[grid[date]]
    columns["date"] = pa.array(np.tile(dates, n_stats))
    labels: dict[str, str] = {}
    axis = next((dim for dim in dims if dim in ("post", "service")), "")
    if axis:
        labels = {"post": "post", **measures.POST_COORDS} if axis == "post" else SERVICE_COORDS
    for column in ("post", *measures.POST_COORDS):
        there = column in labels
        values = [str(value) for value in data[labels[column]].values] if there else [""]
        columns[column] = _coded(values, np.tile(grid[axis], n_stats) if there else zeros)
    rest = [dim for dim in dims if dim not in (axis, date)]
    columns["category"] = _category(array, rest, grid, n_stats, n)
    columns["statistic"] = _coded(list(found), np.repeat(np.arange(n_stats), n))
    columns["value"] = pa.array(np.concatenate([values.reshape(-1) for values in found.values()]))
    return pa.table(columns)


def _category(
    array: xr.DataArray, dims: list[str], grid: dict[str, np.ndarray], n_stats: int, n: int
) -> pa.DictionaryArray:
    """What divides a quantity besides date and post, as "axis=name; axis=name"."""
    texts, index = [""], np.zeros(n, dtype=np.int64)
    for dim in dims:
        names = [str(value) for value in array[dim].values]
        texts = [f"{text}; {dim}={name}".removeprefix("; ") for text in texts for name in names]
        index = index * len(names) + grid[dim]
    return _coded(texts, np.tile(index, n_stats))
