"""Where those who qualify in the first year are later, year by year, from the log of single careers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pharmsim.results import careers
from pharmsim.results.labelled import Results

Floats = NDArray[np.float64]
YEARS = 10
"""Years that they are followed, if the run is as long."""
DAY_ONE = pd.Timestamp("2000-01-01")
NOBODY = "newly qualified"


def followed(results: Results) -> pd.DataFrame:
    """Where everybody is who registers in the first year of the run, on anniversaries of that day.

    Parameters
    ----------
    results : Results
        Of the engine `careers`.

    Returns
    -------
    DataFrame
        A row for each person, by draw, replicate and person; column pipeline, and for every number of years
        (0 to 10, or as many as all of them can be followed) the post, or a phrase of `results.careers`. Empty
        without a log, with nobody, or if the run is shorter than two years.
    """
    if "careers" not in results.logs:
        return pd.DataFrame()
    log = results.logs["careers"].to_pandas()
    times = results.data["time"].values
    start, end = pd.Timestamp(times[0]), pd.Timestamp(times[-1])
    years = min(YEARS, int((end - start).days / 365.25 + 0.01) - 1)
    new = log[(log["event"] == "registers") & (log["date"] < start + pd.DateOffset(years=1))]
    if years < 1 or new.empty:
        return pd.DataFrame()
    new = new.drop_duplicates(careers.PERSON).set_index(careers.PERSON)
    mine = log.join(new["date"].rename("registered"), on=careers.PERSON, how="inner")
    breaks = (mine["event"] == "leaves") & mine["to"].isin(list(results.scenario.pools))
    mine["event"] = mine["event"].astype(str).mask(breaks, "in_pool")  # they may return
    mine["date"] = DAY_ONE + (mine["date"] - mine["registered"])  # each by the own clock
    found = {"pipeline": new["from"].astype(str), 0: pd.Series(NOBODY, index=new.index)}
    for year in range(1, years + 1):
        found[year] = careers.whereabouts(mine, new.index, str(DAY_ONE + pd.DateOffset(years=year)))
    return pd.DataFrame(found)


def runs(results: Results) -> int:
    """How many replicates, of all draws, the log of careers has."""
    return int(
        results.logs["careers"].select(careers.PERSON[:2]).group_by(careers.PERSON[:2]).aggregate([]).num_rows
    )


def by_run(where: pd.Series, n: int) -> dict[str, Floats]:
    """How many are where in each of `n` runs, of all draws: place → heads, shape (n,).

    Parameters
    ----------
    where : Series
        Post or phrase by draw, replicate and person.
    n : int
        Runs; nobody registers in those that are missing.
    """
    table = where.groupby(level=["draw", "replicate"]).value_counts().unstack().fillna(0.0)
    missing = np.zeros(n - len(table))
    return {str(name): np.concatenate([table[name].to_numpy(float), missing]) for name in table.columns}


def trainees_table(results: Results) -> pd.DataFrame:
    """Make the table of where the newly qualified of the first year are: people and share by year and place.

    Returns
    -------
    DataFrame
        pipeline, years (since registering), where (a post or a phrase), role, environment (of a post), unit,
        people (mean over replicates), p5 and p95 (of replicates, of all draws), share (of those who
        registered). Empty without a log of careers.
    """
    people = followed(results)
    if people.empty:
        return people
    n = runs(results)
    posts = {post.post: post for post in results.scenario.posts}
    rows = []
    for pipeline, part in people.groupby("pipeline", sort=True):
        for year in part.columns.drop("pipeline"):
            counts = by_run(part[year], n)
            for where, heads in part[year].value_counts().items():
                post, (low, high) = posts.get(str(where)), np.quantile(counts[str(where)], (0.05, 0.95))
                rows.append(
                    {
                        "pipeline": pipeline, "years": year, "where": where,
                        "role": post.role if post else "", "environment": post.environment if post else "",
                        "unit": "heads", "people": heads / n, "p5": low, "p95": high,
                        "share": heads / len(part),
                    }
                )  # fmt: skip
    return pd.DataFrame(rows)
