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
    sum_posts,
    year_ends,
)
from pharmsim.results.rates import leaver_rate_from_counts

Keys = list[tuple[str, ...] | None]


def blocks(data: xr.Dataset, level: str) -> list[str]:
    """Block of every post at a level ("" for posts outside it)."""
    return [str(value) for value in data["level_block"].sel(level=level).values]


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
    index = {str(post): i for i, post in enumerate(data["post"].values)}
    if "edge_from" not in data.coords:
        return True
    for source, target in zip(data["edge_from"].values, data["edge_to"].values, strict=True):
        i, j = index[str(source)], index[str(target)]
        if names[i] and names[i] == names[j] and keys[i] != keys[j]:
            return False
    return True


def _counts(data: xr.Dataset, level: str, by: By, date: Date | None) -> tuple[xr.DataArray, xr.DataArray]:
    index = retention_index(data, date)
    keys = level_keys(data, level, by)
    tagged = sum_posts(data["tagged"].sel(level=level, drop=True), keys).isel(retention_year=index)
    kept = sum_posts(data["kept"].sel(level=level, drop=True), keys).isel(retention_year=index)
    return tagged, kept


def _with_years(data: xr.Dataset, array: xr.DataArray, date: Date | None) -> xr.DataArray:
    ends = xr.DataArray(year_ends(data), dims="retention_year")[retention_index(data, date)]
    starts = data["retention_year"].drop_vars("retention_year")[retention_index(data, date)]
    return array.drop_vars("retention_year").assign_coords(
        year_from=(ends.dims, starts.values), year_to=(ends.dims, ends.values)
    )


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
    tagged, kept = _counts(data, level, by, date)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = kept / tagged
    return named(_with_years(data, share, date), "share", f"stability index, {level}")


def leaver_rate(data: xr.Dataset, level: str, by: By = None, date: Date | None = None) -> xr.DataArray:
    """Leaver rate as published: (tagged − kept) ÷ mean headcount at the start and the end of the year.

    People who joined and left within the year are not counted (`exit_rate` counts them). Parameters
    and result as in `stability_index`; unit: share per year.

    References
    ----------
    Nuffield Trust, chart note on NHS Digital data, 9 February 2022.
    """
    tagged, kept = _counts(data, level, by, date)
    heads = sum_posts(data["headcount"].sum(["group", "contract"]), level_keys(data, level, by))
    starts = data["retention_year"].values[retention_index(data, date)]
    ends = year_ends(data)[retention_index(data, date)]
    first = heads.reindex(time=np.atleast_1d(starts)).values
    last = heads.reindex(time=np.atleast_1d(ends)).values
    if date is not None:
        first, last = first[:, 0], last[:, 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = leaver_rate_from_counts(first, last, tagged - kept)
    return named(_with_years(data, rate, date), "share per year", f"leaver rate, {level}")
