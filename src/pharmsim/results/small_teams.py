"""How likely it is that a small team stands empty, or below its smallest safe number, and for how long.

Averages do not describe a team of three. An engine of whole people gives many possible futures, the rows of
`Results.data`; here they are counted, month by month and post by post: in how many of them the post has been
empty (or below its `safe_minimum`) on this first of the month and on those before, three in a row or more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from numpy.typing import NDArray

from pharmsim.results.batches import LARGEST
from pharmsim.results.labelled import Results
from pharmsim.results.measures import group_keys
from pharmsim.scenario.expand import central

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
MONTHS = 3
"""Months after which a gap counts."""
EMPTY = 0.5
"""Fewer people than this are nobody: engines of whole people have 0, 1, 2 …"""
Z95 = 1.959963984540054
AXES = ("place", "role", "environment", "post")


class Chance(NamedTuple):
    """Probabilities by month and post, each of shape (time, post), a share.

    Attributes
    ----------
    now : ndarray
        The gap is there, and has lasted as long as it must to count.
    low, high : ndarray
        Ends of the 95 % interval that the number of runs leaves of `now`.
    ever : ndarray
        There has been such a gap since the start.
    """

    now: Floats
    low: Floats
    high: Floats
    ever: Floats


def lasting(gap: Flags, months: int = MONTHS) -> Flags:
    """Say where a gap has lasted so many months.

    Parameters
    ----------
    gap : ndarray of bool, shape (run, time, post)
        Whether there is a gap on the first of the month.
    months : int
        Months that must be gaps one after the other, this one included; those before the start are none.

    Returns
    -------
    ndarray of bool, shape (run, time, post)

    Examples
    --------
    >>> lasting(np.array([[[True], [True], [True], [False]]]), 3)[0, :, 0]
    array([False, False,  True, False])
    """
    out = gap.copy()
    for before in range(1, months):
        out[:, before:] &= gap[:, :-before]
    out[:, : months - 1] = False
    return out


def interval(share: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Return the 95 % interval of a share that was counted in n runs (Wilson, 1927, JASA 22: 209-212).

    Parameters
    ----------
    share : ndarray
    n : ndarray
        Independent runs behind each share.
    """
    centre = (share + Z95**2 / (2 * n)) / (1 + Z95**2 / n)
    half = Z95 * np.sqrt(share * (1 - share) / n + (Z95 / (2 * n)) ** 2) / (1 + Z95**2 / n)
    return np.clip(np.minimum(centre - half, share), 0, 1), np.clip(np.maximum(centre + half, share), 0, 1)


def chances(results: Results, months: int = MONTHS) -> dict[str, Chance]:
    """Work out the probability of a lasting gap in every month and post.

    Parameters
    ----------
    results : Results
        Of an engine of whole people; rows after the first are draws × replicates.
    months : int
        Months after which a gap counts.

    Returns
    -------
    dict
        "empty": nobody there; "below": fewer people than the scenario's `safe_minimum`, if it has one.
        Nothing if there are no runs beside that of the central values, or fewer than twelve steps a year.

    Notes
    -----
    Replicates of a draw share their inputs. So the spread of the means of draws gives the number of
    independent runs behind a share, between the number of draws and that of all runs.
    """
    data = results.data
    n_rows = data.sizes["draw"] - 1
    if n_rows < 1 or int(data.attrs.get("months_per_period", 1)) != 1:
        return {}
    replicates = int(results.meta.get("replicates") or 1)
    limits = {"empty": np.full(data.sizes["post"], EMPTY)}
    minimum = safe_minimum(results)
    if minimum is not None:
        limits["below"] = minimum - 1e-9
    n_draws = n_rows // replicates
    sums = {state: np.zeros((3, data.sizes["time"], data.sizes["post"])) for state in limits}
    for heads in _heads(data, replicates):
        for state, limit in limits.items():
            gap = lasting(heads < limit, months)
            by_draw = gap.reshape(-1, replicates, *gap.shape[1:]).mean(axis=1)
            ever = np.logical_or.accumulate(gap, axis=1).sum(axis=0) / replicates
            sums[state] += np.stack([by_draw.sum(axis=0), (by_draw**2).sum(axis=0), ever])
    return {state: _chance(total / n_draws, n_draws, replicates) for state, total in sums.items()}


def safe_minimum(results: Results) -> Floats | None:
    """Smallest safe number of people in every post; None if the scenario has none."""
    cells = results.scenario.safe_minimum
    return None if cells is None else central(cells, results.scenario, ["post"])


def _heads(data: xr.Dataset, replicates: int) -> Iterator[Floats]:
    """People by (run, time, post), all replicates of some draws at a time."""
    array = data["headcount"]
    at_once = max(1, int(LARGEST / (array[:1].nbytes * replicates))) * replicates
    for first in range(1, array.sizes["draw"], at_once):
        yield array.isel(draw=slice(first, first + at_once)).values.sum(axis=(3, 4))


def _chance(means: Floats, n_draws: int, replicates: int) -> Chance:
    """Probabilities from means over draws: of the share, of its square, and of ever."""
    now, squares, ever = means
    runs = np.full(now.shape, float(n_draws * replicates))
    if n_draws > 1:
        spread = np.maximum(squares - now**2, 0.0) / (n_draws - 1)  # variance of the mean over draws
        found = np.divide(now * (1 - now), spread, out=runs.copy(), where=spread > 1e-15)
        runs = np.clip(found, n_draws, n_draws * replicates)
    low, high = interval(now, runs)
    return Chance(now, low, high, ever)


def small_teams_table(results: Results) -> pd.DataFrame:
    """The table of lasting gaps of an engine of whole people; fractions of people have none."""
    return small_teams(results) if has_whole_people(results) else pd.DataFrame()


def has_whole_people(results: Results) -> bool:
    """Whether the engine of the run counts whole people, so that a post can stand empty."""
    return results.data.attrs.get("engine") != "cohort"


def small_teams(results: Results, months: int = MONTHS) -> pd.DataFrame:
    """Make the table of lasting gaps, a row for every month and post; empty if there is nothing to count.

    Returns
    -------
    DataFrame
        date, place, role, environment, post, people_at_start (heads), safe_minimum (heads), months, and for
        `empty` and `below` the probability (share), `_low` and `_high` (95 % interval) and `_ever` (by then).
    """
    found = chances(results, months)
    if not found:
        return pd.DataFrame()
    data = results.data
    n_times, n_posts = data.sizes["time"], data.sizes["post"]
    columns = {"date": np.repeat(data["time"].values, n_posts)}
    for axis, values in zip(AXES, zip(*group_keys(data, AXES), strict=True), strict=True):
        columns[axis] = np.tile(np.array(values, dtype=object), n_times)
    start = data["headcount"].isel(draw=0, time=0).values.sum(axis=(1, 2))
    columns["people_at_start"] = np.tile(start, n_times)
    minimum = safe_minimum(results)
    if minimum is not None:
        columns["safe_minimum"] = np.tile(minimum, n_times)
    columns["months"] = np.full(n_times * n_posts, months)
    for state, chance in found.items():
        columns[state] = chance.now.ravel()
        for name in ("low", "high", "ever"):
            columns[f"{state}_{name}"] = getattr(chance, name).ravel()
    return pd.DataFrame(columns)
