"""From labelled arrays to tidy tables: one row for each place and date, statistics over draws as columns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import wraps
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import xarray as xr

from pharmsim.results.batches import batches

if TYPE_CHECKING:
    from pharmsim.results.labelled import Results

    Maker = Callable[[Results], pd.DataFrame]

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


SORTED = 500_000
"""Numbers that are sorted at once."""


def _percentiles(values: np.ndarray) -> np.ndarray:
    """Percentiles over draws, shape (percentile, …)."""
    flat = values.reshape(len(values), -1)
    found = np.empty((len(STATISTICS), flat.shape[1]))
    step = max(1, SORTED // len(flat))
    for first in range(0, flat.shape[1], step):
        ordered = np.ascontiguousarray(flat[:, first : first + step].T)
        ordered.sort(axis=1)  # once for all percentiles
        found[:, first : first + step] = _of_sorted(ordered)
    return found.reshape(len(STATISTICS), *values.shape[1:])


def _of_sorted(ordered: np.ndarray) -> np.ndarray:
    """Percentiles along the last axis; where some are infinite (no limit) the nearest, not a mean of two."""
    at = np.array(list(STATISTICS.values())) / 100.0
    unlimited = np.isinf(ordered[:, [0, -1]]).any(axis=1, keepdims=True)
    if not unlimited.any():
        return np.asarray(np.quantile(ordered, at, axis=1))
    cuts = np.quantile(np.where(unlimited, 0.0, ordered), at, axis=1)
    return np.where(unlimited[:, 0], np.quantile(ordered, at, axis=1, method="nearest"), cuts)


@dataclass(frozen=True)
class Part:
    """A part of a table, before statistics over draws: some of the draws, or all.

    Attributes
    ----------
    array : DataArray, axes draw and any others
    labels : dict
        Axis → columns that describe it (name → one value for each position).
    constant : dict
        Columns with one value.
    shown : dict
        Axis → which positions are shown, as these draws have it: what any draw shows is shown.
    finite : bool
        Whether rows with an infinite central value are left out, like those that are not a number.
    """

    array: xr.DataArray
    labels: Mapping[str, Mapping[str, Any]]
    constant: Mapping[str, str]
    shown: Mapping[str, np.ndarray] = field(default_factory=dict)
    finite: bool = False


def tidy(
    array: xr.DataArray,
    labels: Mapping[str, Mapping[str, Any]] | None = None,
    **constant: str,
) -> Part:
    """Describe an array as rows of a table; those whose central value is not a number are left out.

    Parameters
    ----------
    array : DataArray, axes draw and any others
    labels : dict, optional
        axis → columns that describe it (name → one value for each position); by default the axis's
        own coordinate under its own name.
    **constant : str
        Columns with one value, put first.
    """
    array = array.transpose("draw", ...)
    described = {
        str(dim): {str(dim): array[dim].values} for dim in array.dims[1:] if dim not in (labels or {})
    }
    return Part(array, {**described, **(labels or {})}, constant)


def table(*first: str, fill: str = "all") -> Callable[[Callable[[Results], Iterable[Part]]], Maker]:
    """Make a table of parts that are worked out draw by draw: in batches, with statistics at the end.

    Parameters
    ----------
    *first : str
        Columns that come first, in this order; those that no part has are left out.
    fill : str
        What a column holds for parts that do not have it.

    Returns
    -------
    callable
        Turns a function of results that yields parts, the same ones for any of their draws, into one that
        returns the table: without columns if there are no rows.
    """

    def decorate(parts: Callable[[Results], Iterable[Part]]) -> Maker:
        @wraps(parts)
        def made(results: Results) -> pd.DataFrame:
            pieces = [list(parts(replace(results, data=batch))) for batch in batches(results.data)]
            return _stack([_rows(_joined(same)) for same in zip(*pieces, strict=True)], first, fill)

        return made

    return decorate


def _joined(parts: Sequence[Part]) -> Part:
    """All draws of a part."""
    if len(parts) == 1:
        return parts[0]
    values = np.concatenate([part.array.values for part in parts])
    array = xr.DataArray(values, dims=parts[0].array.dims)
    shown = {axis: np.any([part.shown[axis] for part in parts], axis=0) for axis in parts[0].shown}
    return replace(parts[0], array=array, shown=shown)


Rows = dict[str, np.ndarray]
"""Columns of a part of a table, all of one length."""


def _rows(part: Part) -> Rows:
    """Columns of a part: one row for each place and date, statistics over draws."""
    axes = [str(dim) for dim in part.array.dims[1:]]
    at = {axis: np.flatnonzero(mask) for axis, mask in part.shown.items()}
    array = part.array.isel(at)
    shape = array.shape[1:]
    found = {name: np.reshape(value, -1) for name, value in statistics(array.values).items()}
    n = len(found["central"])
    columns: Rows = {name: np.full(n, value, dtype=object) for name, value in part.constant.items()}
    for position, axis in enumerate(axes):
        around = [1] * len(shape)
        around[position] = shape[position]
        places = at.get(axis, np.arange(shape[position])).reshape(around)
        index = np.broadcast_to(places, shape).reshape(-1)
        for name, values in part.labels[axis].items():
            written = np.asarray(values)
            columns[name] = (written if written.dtype.kind in "Mif" else written.astype(object))[index]
    columns |= found
    kept = np.isfinite(found["central"]) if part.finite else ~np.isnan(found["central"])
    return columns if kept.all() else {name: values[kept] for name, values in columns.items()}


def _stack(parts: Sequence[Rows], first: Sequence[str], fill: str) -> pd.DataFrame:
    """Put parts of a table below each other."""
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
