"""Retention as published: stability index and leaver rate between two snapshots, by level.

On a yearly reference date everybody in post is tagged; twelve months later the engine records who is
still tagged at every level (`pharmsim.quantities.RETENTION`). Nobody here is approximated by a hazard.

A joint post counts in every block in which it works by the share of its working time there: in what is
tagged, in what is kept and in the headcount. Nobody is kept where he or she was not tagged, so that a
stability index lies between 0 and 1, and blocks add up to their level.
"""

from __future__ import annotations

from typing import NamedTuple

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

SAME = 1e-9
"""Shares of working time that differ by less than this are the same."""


class Grouping(NamedTuple):
    """Groups within a level, and what counts in each."""

    keys: list[tuple[str, ...]]
    blocks: np.ndarray | None  # (block of the level, group): 1 where it belongs; None: not made of blocks
    posts: np.ndarray  # (post, group): share of what is tagged of a post
    heads: np.ndarray  # (post, group): share of everybody in post


def _position(data: xr.Dataset, level: str) -> int:
    """Position of a level; an unknown one is an error that names those that exist."""
    levels = [str(name) for name in data.variables["level"].values]
    if level not in levels:
        raise ValueError(f"level: must be one of {', '.join(levels)}; got {level!r}")
    return levels.index(level)


def _blocks(data: xr.Dataset, level: str) -> np.ndarray:
    """Positions of the blocks of a level."""
    _position(data, level)
    return np.flatnonzero(data.variables["block_level"].values == level)


def _axes(by: By) -> list[str]:
    return [by] if isinstance(by, str) else list(by or ())


def _members(keys: list[dict[tuple[str, ...], float]]) -> tuple[list[tuple[str, ...]], np.ndarray]:
    """Groups in order of appearance, and the share of every row in each."""
    unique = list(dict.fromkeys(key for row in keys for key in row))
    shares = [[row.get(key, 0.0) for key in unique] for row in keys]
    return unique, np.array(shares, dtype=float).reshape(len(keys), len(unique))


def grouping(data: xr.Dataset, level: str, by: By = None) -> Grouping:
    """Groups of a level: made of its blocks where `by` is part of what divides them, else of posts.

    Parameters
    ----------
    data : Dataset
    level : str
    by : "block", str or sequence of str, optional
        "block": the level's own blocks; None: the whole level.

    Returns
    -------
    Grouping
    """
    at, axes = _blocks(data, level), _axes(by)
    share = data.variables["share_in"].values[at]
    columns = ["block_name"] if by == "block" else [f"block_{axis}" for axis in axes]
    labels = [data.variables[name].values[at] if name in data.variables else None for name in columns]
    if all(column is not None and (column != "").all() for column in labels):
        of_blocks = [{tuple(str(column[i]) for column in labels): 1.0} for i in range(len(at))]  # type: ignore[index]
        keys, members = _members(of_blocks)
        return Grouping(keys, members, np.zeros((0, 0)), share.T @ members)
    inside = share.sum(axis=0)
    of_posts = _post_keys(data, level, axes)
    keys, posts = _members([key if x > 0.0 else {} for key, x in zip(of_posts, inside, strict=True)])
    return Grouping(keys, None, posts, posts * inside[:, None])


def _post_keys(data: xr.Dataset, level: str, axes: list[str]) -> list[dict[tuple[str, ...], float]]:
    """Groups of every post, with its shares: by environment as it works in those of the level."""
    keys = group_keys(data, axes)
    if "environment" not in axes or "split" not in data.variables:
        return [{key: 1.0} for key in keys]
    where = axes.index("environment")
    places = data.variables["level_environment"].values[_position(data, level)]
    services = data.variables["service_environment"].values
    found = []
    for key, text, split in zip(keys, places, data.variables["split"].values, strict=True):
        shares = {place: float(split[services == place].sum()) for place in str(text).split(JOIN)}
        total = sum(shares.values())
        mine = {(*key[:where], place, *key[where + 1 :]): x / total for place, x in shares.items() if x > 0.0}
        found.append(mine)
    return found


def mixing(data: xr.Dataset, level: str, by: By) -> list[str]:
    """Edges along which people stay in their block and change group.

    Such a grouping cannot be read off the level: it is known where people are at the end, not where they
    were tagged. Groups that are made of blocks, or that nobody changes inside a block, are right.

    Returns
    -------
    list of str
        Labels of edges; empty if the grouping is right.
    """
    found = grouping(data, level, by)
    if found.blocks is not None or "edge_from" not in data.variables:
        return []
    works = data.variables["share_in"].values[_blocks(data, level)] > 0.0
    index = {str(post): i for i, post in enumerate(data.variables["post"].values)}
    ends = (data.variables[name].values for name in ("edge_from", "edge_to", "edge"))
    edges = [(index[str(one)], index[str(other)], str(name)) for one, other, name in zip(*ends, strict=True)]
    together = [(i, j, name) for i, j, name in edges if (works[:, i] & works[:, j]).any()]
    return [name for i, j, name in together if np.abs(found.posts[i] - found.posts[j]).max() > SAME]


def _right(data: xr.Dataset, level: str, by: By) -> Grouping:
    """The grouping, or an error that says why it cannot be told."""
    edges = mixing(data, level, by)
    if edges:
        told = " and ".join(_axes(by))
        raise ValueError(
            f"by: {told} cannot be told at the level {level!r}, inside whose blocks people change group "
            f"({edges[0]}). Ask for a level that is `by` {told}."
        )
    return grouping(data, level, by)


def _counts(data: xr.Dataset, level: str, found: Grouping) -> tuple[np.ndarray, np.ndarray]:
    """Tagged and kept, shape (draw, retention_year, group)."""
    if found.blocks is not None:
        at = _blocks(data, level)
        tagged, kept = (data.variables[name].values[:, :, at] for name in ("tagged_in", "kept_in"))
        return tagged @ found.blocks, kept @ found.blocks
    i = _position(data, level)
    tagged, kept = (data.variables[name].values[:, :, i] for name in ("tagged", "kept"))
    return tagged @ found.posts, kept @ found.posts


class Counts(NamedTuple):
    """People of every group of a level: arrays of shape (draw, retention_year, group)."""

    keys: list[tuple[str, ...]]
    tagged: np.ndarray
    kept: np.ndarray
    first: np.ndarray  # in post at the start of the year
    last: np.ndarray  # in post at its end; not a number where the run does not say


def counts(data: xr.Dataset, level: str, by: By = None) -> Counts:
    """Heads behind the measures of retention, which add up over groups; errors as in `stability_index`."""
    found = _right(data, level, by)
    first = _heads(data, data.variables["retention_year"].values) @ found.heads
    return Counts(
        found.keys, *_counts(data, level, found), first, _heads(data, year_ends(data)) @ found.heads
    )


def _dated(data: xr.Dataset, values: np.ndarray, found: Grouping, date: Date | None) -> xr.DataArray:
    """The years asked for, with the days on which they begin and end."""
    coords = {
        "draw": data.variables["draw"],
        "cell": [" / ".join(key) or "all" for key in found.keys],
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
        "block": the level's own blocks; None: the whole level; or axes of posts.
    date : date, optional
        The retention year ending on or before it; None: all years.

    Returns
    -------
    DataArray, axes draw, (retention_year,) cell; coordinates year_from, year_to

    Raises
    ------
    ValueError
        If people change group inside the blocks of the level (see `mixing`), or the level is unknown.

    References
    ----------
    Written answers 158306 (4 July 2018), 112582 (31 January 2022), HL9293 (10 November 2020).
    """
    found = _right(data, level, by)
    tagged, kept = _counts(data, level, found)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = kept / tagged
    return named(_dated(data, share, found, date), "share", f"stability index, {level}")


def leaver_rate(data: xr.Dataset, level: str, by: By = None, date: Date | None = None) -> xr.DataArray:
    """Leaver rate as published: (tagged − kept) ÷ mean headcount at the start and the end of the year.

    People who joined and left within the year are not counted (`exit_rate` counts them). Parameters,
    result and errors as in `stability_index`; unit: share per year.

    References
    ----------
    Nuffield Trust, chart note on NHS Digital data, 9 February 2022.
    """
    found = _right(data, level, by)
    tagged, kept = _counts(data, level, found)
    first = _heads(data, data.variables["retention_year"].values) @ found.heads
    last = _heads(data, year_ends(data)) @ found.heads
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = leaver_rate_from_counts(first, last, tagged - kept)
    return named(_dated(data, rate, found, date), "share per year", f"leaver rate, {level}")
