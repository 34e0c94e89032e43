"""What the tables have in common: groupings, columns of cells and years, dates at which stocks are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from pharmsim.results import measures

ALL = "all"
CELLS: tuple[tuple[str, ...], ...] = (("role", "environment"), ("role",), ("environment",), ())
"""Groupings of posts, and of services, that the tables show."""


def cell_columns(
    keys: Sequence[Any], by: Sequence[str], axes: Sequence[str] = ("role", "environment")
) -> dict[str, list[str]]:
    """Columns for the cells of a grouping, "all" where it adds up.

    Parameters
    ----------
    keys : sequence of tuple or None
        Values of the axes `by` of every post (or service), as `measures.group_keys` gives them.
    by : sequence of str
    axes : sequence of str
        Columns wanted.

    Returns
    -------
    dict
        Axis → its value for each cell.
    """
    unique = list(dict.fromkeys(key for key in keys if key is not None))
    return {axis: [key[list(by).index(axis)] if axis in by else ALL for key in unique] for axis in axes}


def yearly(data: xr.Dataset) -> xr.Dataset:
    """The stocks at the start, on every anniversary, and at the end."""
    return data.isel(time=mark_index(data))


def mark_index(data: xr.Dataset) -> np.ndarray:
    """Positions on `time` of the start, every anniversary and the end."""
    steps = measures.steps_per_year(data)
    last = data.sizes["time"] - 1
    return np.unique(np.append(np.arange(0, last + 1, steps), last))


def year_columns(starts: np.ndarray) -> dict[str, np.ndarray]:
    """Columns year_from and year_to of years that begin on `starts`."""
    ends = (starts.astype("datetime64[M]") + measures.YEAR).astype("datetime64[ns]")
    return {"year_from": starts, "year_to": ends}
