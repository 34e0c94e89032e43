"""From labelled arrays to tidy tables: one row for each place and date, statistics over draws as columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

STATISTICS = {"p5": 5.0, "p25": 25.0, "p50": 50.0, "p75": 75.0, "p95": 95.0}
"""Percentiles over draws, by the name of their column."""


def statistics(values: np.ndarray) -> dict[str, np.ndarray]:
    """Central values and percentiles over draws.

    Parameters
    ----------
    values : ndarray, shape (draw, …)
        Row 0 holds the central values, which are not a draw and do not enter the percentiles.

    Returns
    -------
    dict of ndarray, shape (…)
        `central`, and `p5` … `p95` if there are draws.
    """
    found = {"central": values[0]}
    if len(values) > 1:
        found |= dict(zip(STATISTICS, _percentiles(values[1:]), strict=True))
    return found


def _percentiles(values: np.ndarray) -> np.ndarray:
    """Percentiles over draws; where some are infinite (no limit) the nearest draw, not a mean of two."""
    at = np.array(list(STATISTICS.values())) / 100.0
    unlimited = np.isinf(values).any(axis=0)
    if not unlimited.any():
        return np.asarray(np.quantile(values, at, axis=0))
    cuts = np.quantile(np.where(unlimited, 0.0, values), at, axis=0)
    return np.where(unlimited, np.quantile(values, at, axis=0, method="nearest"), cuts)


Rows = dict[str, np.ndarray]
"""Columns of a part of a table, all of one length."""


def tidy(
    array: xr.DataArray,
    labels: Mapping[str, Mapping[str, Any]] | None = None,
    **constant: str,
) -> Rows:
    """Write an array as rows; those whose central value is not a number are left out.

    Parameters
    ----------
    array : DataArray, axes draw and any others
    labels : dict, optional
        axis → columns that describe it (name → one value for each position); by default the axis's
        own coordinate under its own name.
    **constant : str
        Columns with one value, put first.

    Returns
    -------
    dict of ndarray
        Columns; `stack` makes a data frame of one or several.
    """
    array = array.transpose("draw", ...)
    dims, shape = array.dims[1:], array.shape[1:]
    found = {name: np.reshape(value, -1) for name, value in statistics(array.values).items()}
    n = len(found["central"])
    columns: Rows = {name: np.full(n, value, dtype=object) for name, value in constant.items()}
    for position, dim in enumerate(dims):
        described = (labels or {}).get(str(dim)) or {str(dim): array[dim].values}
        around = [1] * len(shape)
        around[position] = shape[position]
        index = np.broadcast_to(np.arange(shape[position]).reshape(around), shape).reshape(-1)
        for name, values in described.items():
            written = np.asarray(values)
            columns[name] = (written if written.dtype.kind in "Mif" else written.astype(object))[index]
    columns |= found
    kept = ~np.isnan(found["central"])
    return columns if kept.all() else {name: values[kept] for name, values in columns.items()}


def stack(parts: Sequence[Rows], first: Sequence[str], fill: str = "all") -> pd.DataFrame:
    """Put parts of a table below each other.

    Parameters
    ----------
    parts : sequence of Rows
    first : sequence of str
        Columns that come first, in this order; those that no part has are left out.
    fill : str
        What a column holds for parts that do not have it.

    Returns
    -------
    DataFrame
        Without columns if there are no rows.
    """
    parts = [part for part in parts if len(part["central"])]
    if not parts:
        return pd.DataFrame()
    present = list(dict.fromkeys(name for part in parts for name in part))
    names = [name for name in first if name in present] + [name for name in present if name not in first]
    joined = {}
    for name in names:
        columns = [
            part[name] if name in part else np.full(len(part["central"]), fill, dtype=object)
            for part in parts
        ]
        joined[name] = np.concatenate(columns)
    return pd.DataFrame(joined)
