"""Draws a batch at a time: what is worked out draw by draw needs no more memory for more draws."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

import numpy as np
import xarray as xr
from xarray.core.indexing import MemoryCachedArray

LARGEST = 256e6
"""Bytes of all quantities of a batch; of one draw, if those are more."""

Made = TypeVar("Made", xr.DataArray, xr.Dataset)


def batches(data: xr.Dataset, largest: float | None = None) -> Iterator[xr.Dataset]:
    """Divide results into batches of draws, in order; few draws are one batch.

    Parameters
    ----------
    data : Dataset
        Leading axis `draw`. Quantities that are kept on disk are read when they are first used, and kept as
        long as their batch.
    largest : float, optional
        Bytes of a batch, at most; by default `LARGEST`.

    Yields
    ------
    Dataset
        The same quantities and axes, some of the draws.
    """
    n = data.sizes["draw"]
    rows = max(1, int((largest or LARGEST) * n / max(data.nbytes, 1)))
    if rows >= n:
        yield data
        return
    for first in range(0, n, rows):
        batch = data.isel(draw=slice(first, first + rows))
        for array in batch.data_vars.values():
            if not isinstance(array.variable._data, np.ndarray):
                array.variable.data = MemoryCachedArray(array.variable._data)
        yield batch


def over_draws(data: xr.Dataset, make: Callable[[xr.Dataset], Made]) -> Made:
    """Work something out for all draws, a batch at a time.

    Parameters
    ----------
    data : Dataset
    make : callable
        Works it out for a batch; its result has the axis `draw`, and that of a draw depends on no other draw.

    Returns
    -------
    DataArray or Dataset
        As `make(data)` would give.
    """
    parts = [make(batch) for batch in batches(data)]
    return parts[0] if len(parts) == 1 else xr.concat(parts, "draw", coords="minimal", compat="override")
