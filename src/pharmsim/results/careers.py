"""What the log of single careers says: retention, tenure, time to hire, vacancies, where people are later.

The log is a table with one row an event: draw, replicate, person, date, event, from, to
(`pharmsim.engine.careers.log`). Nothing here is an average over cells: every number counts people. Vacancies
that stood open at the start of the run, and posts that people held then, began before the log: they are left
out wherever a length is measured. What lasts at the end of the run counts as lasting at least so long.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pharmsim.errors import OutputError

if TYPE_CHECKING:
    import pyarrow as pa

CAREERS, VACANCIES = "careers.parquet", "vacancies.parquet"
DAY = 86400.0
MONTH = DAY * 365.25 / 12.0
"""Seconds."""
PERSON = ["draw", "replicate", "person"]
INTO_POST = ("in_post", "starts", "returns", "moves", "is_promoted", "takes_role")
OUT_OF_POST = ("leaves", "retires")
ELSEWHERE = {
    "in_pool": "in a pool",
    "leaves": "left",
    "retires": "retired",
    "is_lost": "left",
    "offered": "about to start",
    "accepts": "about to start",
    "looks_for_post": "looking for a post",
    "gives_up": "gave up looking",
    "leaves_area": "left the area",
    "fails_for_good": "failed",
    "drops_out": "dropped out of training",
}
"""Where somebody is after an event that does not lead to a post; all other events leave one where one was."""
STUDY = ("in_training", "enters_pipeline", "enters_stage", "waits_for_place", "sits", "fails")


def write(folder: Path, careers: pa.Table, vacancies: pa.Table) -> None:
    """Write the career log and the vacancies as `CAREERS` and `VACANCIES` of a folder."""
    import pyarrow.parquet as pq

    pq.write_table(careers, folder / CAREERS, compression="zstd")
    pq.write_table(vacancies, folder / VACANCIES, compression="zstd")


def read(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the career log and the vacancies of a results folder.

    Raises
    ------
    OutputError
        If the folder has none.
    """
    import pyarrow.parquet as pq

    missing = [name for name in (CAREERS, VACANCIES) if not (folder / name).is_file()]
    if missing:
        raise OutputError(
            f"{folder} — must be the results of the engine `careers` — has no {' and no '.join(missing)} — "
            "run with --engine careers"
        )
    return pq.read_table(folder / CAREERS).to_pandas(), pq.read_table(folder / VACANCIES).to_pandas()


def post_at(careers: pd.DataFrame, date: str) -> pd.Series:
    """Post of everybody who is in post at the beginning of a date, by draw, replicate and person.

    Parameters
    ----------
    careers : DataFrame
        The log, in its order.
    date : str
        Such as ``2027-04-01``.
    """
    post = careers["event"].isin(INTO_POST)
    change = careers[(post | careers["event"].isin(OUT_OF_POST)) & _until(careers, date)]
    last = change.groupby(PERSON, observed=True, sort=False).tail(1)
    last = last[last["event"].isin(INTO_POST)]
    return last.set_index(PERSON)["to"].astype(str).rename("post")


def _until(careers: pd.DataFrame, date: str) -> pd.Series:
    """Whether an event is not after the beginning of a date: first days of a month count from that day."""
    return careers["date"] <= pd.Timestamp(date)


def retention(careers: pd.DataFrame, start: str, end: str, block: dict[str, str] | None = None) -> pd.Series:
    """Share of those in post on one date who are in the same block on another, by block.

    Who has left in between and come back counts as retained: this is a comparison of two snapshots by name,
    as payrolls are compared. (Tags, in `kept`, are lost on leaving.)

    Parameters
    ----------
    careers : DataFrame
    start, end : str
        Dates.
    block : dict of str to str, optional
        Block of every post; by default every post is its own.

    Returns
    -------
    Series
        Share by block, over all draws and replicates in the log.
    """
    before, after = (post_at(careers, date) for date in (start, end))
    if block is not None:
        before, after = before.map(block), after.map(block)
    kept = before == after.reindex(before.index)
    return kept.groupby(before).mean()


def spells(careers: pd.DataFrame, end: str) -> pd.DataFrame:
    """Every stay in a post that began within the log: post, begin, end, years, how it ended.

    Parameters
    ----------
    careers : DataFrame
    end : str
        Last date of the run. `end` is missing where a stay lasts; `years` is then until this date.
    """
    events = careers[careers["event"].isin((*INTO_POST, *OUT_OF_POST))]
    following = events.groupby(PERSON, observed=True, sort=False)[["date", "event"]].shift(-1)
    out = events[PERSON].copy()
    out["post"], out["begin"] = events["to"].astype(str), events["date"]
    out["end"], out["ended"] = following["date"], following["event"].astype(object)
    stays = events["event"].isin(INTO_POST) & (events["event"] != "in_post")
    out = out[stays]
    out["years"] = (out["end"].fillna(pd.Timestamp(end)) - out["begin"]).dt.total_seconds() / (DAY * 365.25)
    return out.reset_index(drop=True)


def survival(stays: pd.DataFrame, years: np.ndarray) -> np.ndarray:
    """Share of stays in post that last longer than so many years (Kaplan and Meier 1958).

    Parameters
    ----------
    stays : DataFrame
        Rows of `spells`.
    years : float64 array, shape (n,)

    Returns
    -------
    float64 array, shape (n,)
    """
    length = stays["years"].to_numpy()
    order = np.argsort(length)
    still = 1.0 - np.cumsum(_weights(length, stays["end"].notna().to_numpy())[order])
    return np.concatenate([[1.0], still])[np.searchsorted(length[order], years, side="right")]


def _weights(length: np.ndarray, over: np.ndarray) -> np.ndarray:
    """Weight of everything that is over, so that what still lasts does not make lengths too short.

    By how much the curve of Kaplan and Meier falls where each ends; by kind of end they add up to cumulative
    incidences (Aalen and Johansen 1978).

    Parameters
    ----------
    length : float64 array, shape (n,)
        Until the end of each, or of the run.
    over : bool array, shape (n,)

    Returns
    -------
    float64 array, shape (n,)
        0 for what still lasts; all add up to 1, less what outlasts the longest that is known.
    """
    order = np.lexsort((~over, length))  # what ends at the same time as something is last seen ends before
    still = np.cumprod(1.0 - over[order] / np.arange(len(length), 0, -1))
    weights = np.empty(len(length))
    weights[order] = -np.diff(still, prepend=1.0)
    return weights


def hiring_times(vacancies: pd.DataFrame, start: str, end: str) -> pd.DataFrame:
    """Months from a vacancy to its end, by post and how it ended; for hires also to the first day.

    Vacancies that are still open when the run ends would have been the long ones: they count by what is known
    of them, that they have lasted so long (Aalen and Johansen 1978).

    Parameters
    ----------
    vacancies : DataFrame
        The log of vacancies.
    start, end : str
        First and last date of the run. What stands open on the first began before, nobody knows when, and is
        left out.

    Returns
    -------
    DataFrame
        Index post and ended; columns number, share (of the post's vacancies that end so), open (mean months
        advertised), median_open, to_first_day (mean months from the opening to the first day). Ended "open"
        has the number still open at the end, and the share that outlasts all lengths known.
    """
    begun = vacancies[vacancies["opened"] > pd.Timestamp(start)]
    closed, first_day = begun["closed"].fillna(pd.Timestamp(end)), begun["first_day"]
    known = pd.DataFrame(
        {
            "post": begun["post"].astype(str),
            "ended": begun["ended"].astype(str),
            "over": begun["closed"].notna(),
            "open": (closed - begun["opened"]).dt.total_seconds() / MONTH,
            "to_first_day": (first_day - begun["opened"]).dt.total_seconds() / MONTH,
        }
    ).sort_values("open")
    rows = []
    for post, here in known.groupby("post"):
        weighed = here.assign(weight=_weights(here["open"].to_numpy(), here["over"].to_numpy()))
        lasting = 1.0 - weighed["weight"].sum()
        for how, part in weighed.groupby("ended"):
            rows.append({"post": post, "ended": how, "number": len(part), "share": lasting} | _times(part))
    columns = ["post", "ended", "number", "share", "open", "median_open", "to_first_day"]
    return pd.DataFrame(rows, columns=columns).set_index(["post", "ended"])


def _times(vacancies: pd.DataFrame) -> dict[str, float]:
    """Share and weighted times of vacancies that ended alike, shortest first; nothing of those still open."""
    weight = vacancies["weight"]
    share = weight.sum()
    if not vacancies["over"].any():
        return {}
    return {
        "share": share,
        "open": (weight * vacancies["open"]).sum() / share,
        "median_open": vacancies["open"][weight.cumsum() >= 0.5 * share].iloc[0],
        "to_first_day": (weight * vacancies["to_first_day"]).sum(min_count=1) / share,
    }


def whereabouts(careers: pd.DataFrame, people: pd.MultiIndex, date: str) -> pd.Series:
    """Where some people are at the beginning of a date: a post, or a phrase of `ELSEWHERE`, or "in training".

    Parameters
    ----------
    careers : DataFrame
    people : MultiIndex
        Draw, replicate, person; such as those of `careers[careers.event == "enters_pipeline"]`.
    date : str

    Returns
    -------
    Series
        By person; "not yet there" before the first event.
    """
    known = careers["event"].isin((*INTO_POST, *ELSEWHERE, *STUDY))
    past = careers[known & _until(careers, date)]
    last = past.groupby(PERSON, observed=True, sort=False).tail(1).set_index(PERSON)
    event, post = last["event"].astype(str), last["to"].astype(str)
    where = post.where(event.isin(INTO_POST), event.map(ELSEWHERE).fillna("in training"))
    return where.reindex(people).fillna("not yet there").rename("where")
