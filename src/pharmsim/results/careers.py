"""What the log of single careers says: retention, tenure, time to hire, vacancies, where people are later.

The log is a table with one row an event: draw, replicate, person, date, event, from, to
(`pharmsim.engine.careers.log`). Nothing here is an average over cells: every number counts people. Vacancies
that stood open at the start of the run, and posts that people held then, began before the log: they are left
out wherever a length is measured.
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


def spells(careers: pd.DataFrame) -> pd.DataFrame:
    """Every stay in a post that began within the log: post, begin, end, years, how it ended.

    `end` is missing where a stay lasts; `years` is then until the end of the log.
    """
    events = careers[careers["event"].isin((*INTO_POST, *OUT_OF_POST))]
    following = events.groupby(PERSON, observed=True, sort=False)[["date", "event"]].shift(-1)
    out = events[PERSON].copy()
    out["post"], out["begin"] = events["to"].astype(str), events["date"]
    out["end"], out["ended"] = following["date"], following["event"].astype(object)
    stays = events["event"].isin(INTO_POST) & (events["event"] != "in_post")
    out = out[stays]
    last = careers["date"].max()
    out["years"] = (out["end"].fillna(last) - out["begin"]).dt.total_seconds() / (DAY * 365.25)
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
    order = stays.sort_values("years")
    ends = order["end"].notna().to_numpy()
    at_risk = len(order) - np.arange(len(order))
    still = np.cumprod(1.0 - ends / at_risk)
    return np.concatenate([[1.0], still])[np.searchsorted(order["years"].to_numpy(), years, side="right")]


def hiring_times(vacancies: pd.DataFrame) -> pd.DataFrame:
    """Months from a vacancy to its end, by post and how it ended; for hires also to the first day.

    Returns
    -------
    DataFrame
        Index post and ended; columns number, open (mean months advertised), median_open, to_first_day (mean
        months from the opening to the first day). Those open at the start of the log are left out.
    """
    begun = vacancies[vacancies["opened"] > vacancies["opened"].min()]
    done = begun[begun["closed"].notna()]
    opened = done["opened"]
    lengths = pd.DataFrame(
        {
            "post": done["post"].astype(str),
            "ended": done["ended"].astype(str),
            "open": (done["closed"] - opened).dt.total_seconds() / MONTH,
            "to_first_day": (done["first_day"] - opened).dt.total_seconds() / MONTH,
        }
    )
    by = lengths.groupby(["post", "ended"])
    return by.agg(
        number=("open", "size"),
        open=("open", "mean"),
        median_open=("open", "median"),
        to_first_day=("to_first_day", "mean"),
    )


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
