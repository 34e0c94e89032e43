"""Checks of a tidy series over time: known breaks, jumps, periods that overlap, ends that do not meet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pharmsim.published.labels import Break, same
from pharmsim.published.quality import SHOWN, Findings, join

SERIES = ["measure", "role", "environment", "geography", "code", "part", "unit"]
YEAR = pd.Timedelta(days=366)
JUMP, FLOOR, POINTS = 5.0, 0.02, 5
"""A change is a jump if it is so many median deviations, and such a share a year, from the median change;
and the dates that a series needs to tell."""
MEET = 1e-3
"""Relative difference up to which the end of a period meets the start of the next."""


def check(tidy: pd.DataFrame, breaks: Sequence[Break], found: Findings) -> pd.DataFrame:
    """Check a tidy series; returns it with flags added."""
    out = tidy.copy()
    _known(out, breaks, found)
    _heads(out, found)
    long = out[out.groupby(SERIES, sort=False)["date"].transform("size") >= POINTS]
    for _, rows in long.groupby(SERIES, sort=False):
        _jumps(out, rows.sort_values("date"), found)
    _overlaps(out, found)
    _ends(out, found)
    return out


def _flag(out: pd.DataFrame, rows: pd.Index, flag: str) -> None:
    out.loc[rows, "flag"] = out.loc[rows, "flag"].map(lambda old: join((old, flag)))


def _called(row: pd.Series) -> str:
    return f"{row['measure']}, {row['role']}, {row['geography']}"


def _known(out: pd.DataFrame, breaks: Sequence[Break], found: Findings) -> None:
    """Breaks that are known: told if they lie inside the series, or up to a year before it."""
    for one in breaks:
        rows = out
        if one.measure:
            rows = rows[rows["measure"].str.startswith(one.measure)]
        if one.geography:
            rows = rows[rows["geography"].map(same) == same(one.geography)]
        if rows.empty or one.date > rows["date"].max():
            continue
        if pd.Timestamp(one.date) < pd.Timestamp(rows["date"].min()) - YEAR:
            continue
        after = rows[rows["date"] >= one.date]
        first = after.groupby(SERIES, sort=False)["date"].transform("min") == after["date"]
        found.add("series break", first.sum(), f"at {one.date}: {one.text}")
        _flag(out, after.index[first], "break")


def _heads(out: pd.DataFrame, found: Findings) -> None:
    """FTE and headcount of the same thing: more FTE than heads, or a headcount that may be quoted as FTE."""
    keys = ["role", "environment", "geography", "code", "part", "date"]
    both = out[out["measure"] == "fte"].merge(
        out[out["measure"] == "headcount"], on=keys, suffixes=("", "_heads"), how="inner"
    )
    direct = both["flag_heads"].str.contains("direct_only")
    more = both[~direct & (both["value"] > both["value_heads"] * (1 + MEET))]
    found.add("more FTE than heads", len(more), ", ".join(_called(row) for _, row in more.head(3).iterrows()))
    equal = both[~direct & (both["value"] == both["value_heads"]) & (both["value"] >= 20)]
    found.add(
        "headcount as FTE?",
        len(equal),
        f"FTE equal to heads: {', '.join(_called(row) for _, row in equal.head(3).iterrows())}",
    )
    large = both[direct].sort_values("value", ascending=False)
    if len(large):
        row = large.iloc[0]
        text = (
            f"{row['role']}, {row['geography']}, {row['date']}: {row['value']:,.0f} FTE in all, "
            f"{row['value_heads']:,.0f} people employed directly. What is quoted as FTE may be this headcount"
        )
        found.add("headcount is not FTE", len(large), text)


def _overlaps(out: pd.DataFrame, found: Findings) -> None:
    """Flows whose period begins before the one before it ends."""
    flows = out[out["to"] != ""].sort_values("date", kind="stable")
    before = flows.groupby(SERIES, sort=False)["to"].shift(1, fill_value="")
    late = flows[flows["date"] <= before]
    periods = sorted({f"{row['date']} to {row['to']}" for _, row in late.iterrows()})
    found.add("overlapping periods", len(late), f"begin before another ends: {', '.join(periods[:SHOWN])}")
    _flag(out, late.index, "overlaps")


def _jumps(out: pd.DataFrame, rows: pd.DataFrame, found: Findings) -> None:
    """Changes of a stock that are far from its usual ones."""
    stock = rows[(rows["to"] == "") & (rows["value"] > 0) & ~rows["measure"].str.endswith("_rate")]
    if len(stock) < POINTS:
        return
    years = pd.to_datetime(stock["date"]).diff().dt.days.to_numpy()[1:] / 365.25
    if (years <= 0).any():
        return
    change = np.diff(np.log(stock["value"].to_numpy())) / np.maximum(
        years, 1.0
    )  # a month's change is not a year's rate
    away = np.abs(change - np.median(change))
    jump = away > np.maximum(JUMP * np.median(away), FLOOR)
    if jump.any():
        at = stock.iloc[1:][jump]
        text = ", ".join(f"{day} ({step:+.1%})" for day, step in zip(at["date"], change[jump], strict=True))
        found.add(
            "jump", len(at), f"{_called(at.iloc[0])}: {text}, against {np.median(change):+.1%} as a rule"
        )
        _flag(out, at.index, "jump")


def _ends(out: pd.DataFrame, found: Findings) -> None:
    """Stocks at the end of a period that are not those at the start of the next."""
    keys = ["role", "environment", "geography", "code", "part", "unit", "date"]
    starts = out[out["measure"].str.endswith("_start")].reset_index()
    both = starts.merge(out[out["measure"].str.endswith("_end")], on=keys, suffixes=("", "_end"), how="inner")
    both["gap"] = both["value"] / both["value_end"] - 1
    off = both[both["gap"].abs() > MEET]
    largest = off.groupby("date")["gap"].agg(lambda gaps: max(gaps, key=abs))
    dates = ", ".join(f"{day} (up to {gap:+.2%})" for day, gap in largest.items())
    found.add("series break", len(off), f"the start of a period is not the end of the one before: {dates}")
    _flag(out, pd.Index(off["index"]), "break")
