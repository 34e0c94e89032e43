"""Retention as published: stability index and leaver rate between two snapshots, by level.

On a yearly reference date everybody in post is tagged; twelve months later the engine records who is
still tagged at every level (`pharmsim.quantities.RETENTION`). Nobody here is approximated by a hazard.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from pharmsim.results.measures import (
    By,
    Date,
    group_keys,
    named,
    retention_index,
    sum_along,
    year_ends,
)
from pharmsim.results.rates import leaver_rate_from_counts

Keys = list[tuple[str, ...] | None]


def blocks(data: xr.Dataset, level: str) -> list[str]:
    """Block of every post at a level ("" for posts outside it)."""
    return [str(value) for value in data.variables["level_block"].values[_position(data, level)]]


def _position(data: xr.Dataset, level: str) -> int:
    """Position of a level; an unknown one is an error that names those that exist."""
    levels = [str(name) for name in data.variables["level"].values]
    if level not in levels:
        raise ValueError(f"level: must be one of {', '.join(levels)}; got {level!r}")
    return levels.index(level)


def level_keys(data: xr.Dataset, level: str, by: By = None) -> Keys:
    """Keys of posts for grouping within a level: None for posts outside the level.

    `by="block"` groups by the level's own blocks.
    """
    names = blocks(data, level)
    keys = [(name,) for name in names] if by == "block" else group_keys(data, by)
    return [key if name else None for key, name in zip(keys, names, strict=True)]


def is_exact(data: xr.Dataset, level: str, by: By) -> bool:
    """Whether a grouping can be read off a level without mixing people.

    It can if nobody who stays inside a block may change group: no edge joins two posts of one block
    that lie in different groups. Otherwise people count where they are at the end of the year.
    """
    keys = level_keys(data, level, by)
    names = blocks(data, level)
    index = {str(post): i for i, post in enumerate(data.variables["post"].values)}
    if "edge_from" not in data.variables:
        return True
    ends = (data.variables[name].values for name in ("edge_from", "edge_to"))
    for source, target in zip(*ends, strict=True):
        i, j = index[str(source)], index[str(target)]
        if names[i] and names[i] == names[j] and keys[i] != keys[j]:
            return False
    return True


def _counts(data: xr.Dataset, level: str, keys: Keys) -> tuple[np.ndarray, np.ndarray]:
    """Tagged and kept, shape (draw, retention_year, cell)."""
    i = _position(data, level)
    tagged, kept = (sum_along(data.variables[name].values[:, :, i], 2, keys) for name in ("tagged", "kept"))
    return tagged, kept


def _dated(data: xr.Dataset, values: np.ndarray, keys: Keys, date: Date | None) -> xr.DataArray:
    """The years asked for, with the days on which they begin and end."""
    labels = [" / ".join(key) or "all" for key in dict.fromkeys(key for key in keys if key is not None)]
    coords = {
        "draw": data.variables["draw"],
        "cell": labels,
        "year_from": ("retention_year", data.variables["retention_year"].values),
        "year_to": ("retention_year", year_ends(data)),
    }
    told = xr.DataArray(values, dims=("draw", "retention_year", "cell"), coords=coords)
    return told if date is None else told.isel(retention_year=retention_index(data, date))


def _heads(data: xr.Dataset, dates: np.ndarray) -> np.ndarray:
    """Headcount by post on dates, shape (draw, date, post); not a number where no stock stands."""
    times = data.variables["time"].values
    stock = data.variables["headcount"].values
    at = np.searchsorted(times, dates)
    there = (at < len(times)) & (times[np.minimum(at, len(times) - 1)] == dates)
    heads = stock[:, np.minimum(at, len(times) - 1)].sum(axis=(3, 4))
    return np.where(there[None, :, None], heads, np.nan)


def stability_index(data: xr.Dataset, level: str, by: By = None, date: Date | None = None) -> xr.DataArray:
    """Stability index ("retention rate"): kept ÷ tagged, share.

    Parameters
    ----------
    data : Dataset
    level : str
        A declared level of retention.
    by : "block", str or sequence of str, optional
        "block": the level's own blocks; None: the whole level. For other groupings see `is_exact`.
    date : date, optional
        The retention year ending on or before it; None: all years.

    Returns
    -------
    DataArray, axes draw, (retention_year,) cell; coordinates year_from, year_to

    References
    ----------
    Written answers 158306 (4 July 2018), 112582 (31 January 2022), HL9293 (10 November 2020).
    """
    keys = level_keys(data, level, by)
    tagged, kept = _counts(data, level, keys)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = kept / tagged
    return named(_dated(data, share, keys, date), "share", f"stability index, {level}")


def leaver_rate(data: xr.Dataset, level: str, by: By = None, date: Date | None = None) -> xr.DataArray:
    """Leaver rate as published: (tagged − kept) ÷ mean headcount at the start and the end of the year.

    People who joined and left within the year are not counted (`exit_rate` counts them). Parameters
    and result as in `stability_index`; unit: share per year.

    References
    ----------
    Nuffield Trust, chart note on NHS Digital data, 9 February 2022.
    """
    keys = level_keys(data, level, by)
    tagged, kept = _counts(data, level, keys)
    first = sum_along(_heads(data, data.variables["retention_year"].values), 2, keys)
    last = sum_along(_heads(data, year_ends(data)), 2, keys)
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = leaver_rate_from_counts(first, last, tagged - kept)
    return named(_dated(data, rate, keys, date), "share per year", f"leaver rate, {level}")
