"""Retention as published: stability index and leaver rate between two snapshots, by level.

On a yearly reference date everybody in post is tagged; twelve months later the engine records who is
still tagged at every level (`pharmsim.quantities.RETENTION`). Nobody here is approximated by a hazard.

A joint post belongs to every environment in which it works: its people count in each of them, so that
sums over environments (or over blocks) can be more than the total.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from pharmsim.results.axes import JOIN
from pharmsim.results.measures import (
    By,
    Date,
    group_keys,
    named,
    retention_index,
    year_ends,
)
from pharmsim.results.rates import leaver_rate_from_counts

Keys = list[tuple[tuple[str, ...], ...]]
"""For every post the groups it belongs to: none outside the level, several for a joint post."""


def blocks(data: xr.Dataset, level: str) -> list[str]:
    """Block of every post at a level ("" for posts outside it; "a + b" for a joint post in two)."""
    return [str(value) for value in data.variables["level_block"].values[_position(data, level)]]


def _position(data: xr.Dataset, level: str) -> int:
    """Position of a level; an unknown one is an error that names those that exist."""
    levels = [str(name) for name in data.variables["level"].values]
    if level not in levels:
        raise ValueError(f"level: must be one of {', '.join(levels)}; got {level!r}")
    return levels.index(level)


def level_keys(data: xr.Dataset, level: str, by: By = None) -> Keys:
    """Groups of every post within a level: none for posts outside it.

    `by="block"` groups by the level's own blocks. By environment a joint post is in every group of
    those environments of its split that the level selects.
    """
    names = blocks(data, level)
    if by == "block":
        return [tuple((part,) for part in name.split(JOIN)) if name else () for name in names]
    axes = [by] if isinstance(by, str) else list(by or ())
    keys = group_keys(data, by)
    if "environment" not in axes:
        return [(key,) if name else () for key, name in zip(keys, names, strict=True)]
    at = axes.index("environment")
    places = [str(text) for text in data.variables["level_environment"].values[_position(data, level)]]
    return [
        tuple((*key[:at], place, *key[at + 1 :]) for place in text.split(JOIN)) if text else ()
        for key, text in zip(keys, places, strict=True)
    ]


def cells(keys: Keys) -> list[tuple[str, ...]]:
    """The groups, in order of appearance."""
    return list(dict.fromkeys(key for here in keys for key in here))


def _sum(values: np.ndarray, keys: Keys) -> np.ndarray:
    """Add posts (the third axis) up by group, each post in all its groups; groups stand last."""
    members = [[i for i, here in enumerate(keys) if key in here] for key in cells(keys)]
    parts = [np.add.reduce(np.take(values, index, axis=2), axis=2) for index in members]
    return np.stack(parts, axis=-1) if parts else np.zeros((*values.shape[:2], 0))


def is_exact(data: xr.Dataset, level: str, by: By) -> bool:
    """Whether a grouping can be read off a level without mixing people.

    It can if nobody who stays inside a block may change group: no edge joins two posts of one block
    that lie in different groups. Otherwise people count where they are at the end of the year.
    """
    return not _mixed(data, level, by)


def mixes_joint_posts_only(data: xr.Dataset, level: str, by: By) -> bool:
    """Whether only moves between a joint post and one that shares a group with it mix people."""
    found = _mixed(data, level, by)
    return bool(found) and all(set(one) & set(other) for one, other in found)


def _mixed(data: xr.Dataset, level: str, by: By) -> list[tuple[tuple[tuple[str, ...], ...], ...]]:
    """Groups of both ends of the edges inside a block that do not lie in the same groups."""
    keys, inside = level_keys(data, level, by), level_keys(data, level, "block")
    index = {str(post): i for i, post in enumerate(data.variables["post"].values)}
    if "edge_from" not in data.variables:
        return []
    ends = (data.variables[name].values for name in ("edge_from", "edge_to"))
    pairs = [(index[str(source)], index[str(target)]) for source, target in zip(*ends, strict=True)]
    together = [(i, j) for i, j in pairs if set(inside[i]) & set(inside[j])]
    return [(keys[i], keys[j]) for i, j in together if set(keys[i]) != set(keys[j])]


def _counts(data: xr.Dataset, level: str, keys: Keys) -> tuple[np.ndarray, np.ndarray]:
    """Tagged and kept, shape (draw, retention_year, cell)."""
    i = _position(data, level)
    tagged, kept = (_sum(data.variables[name].values[:, :, i], keys) for name in ("tagged", "kept"))
    return tagged, kept


def _dated(data: xr.Dataset, values: np.ndarray, keys: Keys, date: Date | None) -> xr.DataArray:
    """The years asked for, with the days on which they begin and end."""
    labels = [" / ".join(key) or "all" for key in cells(keys)]
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
    first = _sum(_heads(data, data.variables["retention_year"].values), keys)
    last = _sum(_heads(data, year_ends(data)), keys)
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = leaver_rate_from_counts(first, last, tagged - kept)
    return named(_dated(data, rate, keys, date), "share per year", f"leaver rate, {level}")
