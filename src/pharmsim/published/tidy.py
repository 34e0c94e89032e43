"""From a long table to a tidy series: named roles, one level of geography, no overlapping rows, summed."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from difflib import get_close_matches
from typing import Any

import pandas as pd

from pharmsim.errors import InputError
from pharmsim.published import long
from pharmsim.published.kind import GEOGRAPHIES, NATIONAL, Kind
from pharmsim.published.labels import Label, same
from pharmsim.published.quality import SHOWN, Findings, check_rows, join, names, where

COLUMNS = (
    "measure", "role", "environment", "geography", "code", "level", "part", "date", "to", "value", "unit",
    "source", "flag",
)  # fmt: skip
KEYS = [name for name in COLUMNS if name not in ("value", "source", "flag")]
SAME = ("measure", "unit", "group", "label", "date", "to")
"""Columns in which a number and the total that holds it are alike."""
RATES = ("vacancy_rate",)
"""Measures that cannot be added up."""
STEM = 6
"""Letters that two labels share at the start of a word, to be called alike."""
SLACK = 1e-9
"""Relative difference up to which numbers are the same."""


def tidy(
    rows: pd.DataFrame, kind: Kind, labels: Sequence[Label], level: str, by: str | None, found: Findings
) -> pd.DataFrame:
    """A tidy series of one file.

    Parameters
    ----------
    rows : DataFrame
        Long table of the file.
    kind : Kind
    labels : sequence of Label
        The roles that are kept.
    level : str
        Level of geography.
    by : str, optional
        Breakdown, shown in the column `part`; without, totals.
    found : Findings
        Takes what is found.

    Returns
    -------
    DataFrame
        `COLUMNS` without `source`; one row a measure, role, geography, part and date.
    """
    out = _named(rows, labels, found)
    out = _at_level(_parts(out, kind, by, found), kind, level, found)
    if kind.individual:
        out = check_rows(out, True, found)
    else:
        out = check_rows(_unrepeated(out, found), False, found)
    out["part"] = out[by] if by else ""
    if not kind.additive:
        out = settle(out, [*KEYS, *GEOGRAPHIES], found)
    return _summed(out, level, found)


def _named(rows: pd.DataFrame, labels: Sequence[Label], found: Findings) -> pd.DataFrame:
    """The rows whose label has a role, with role, environment, nation and flag; the others are told."""
    known = {text: same(text) for column in ("label", "group") for text in rows[column].unique()}
    label, group = rows["label"].map(known), rows["group"].map(known)
    out = rows.assign(role="", environment="", nation="")
    for one in labels:
        mask = (label == same(one.label)) & (out["role"] == "")
        if one.group:
            mask &= group == same(one.group)
        out.loc[mask, ["role", "environment", "nation"]] = [one.role, one.environment, one.nations[0]]
        out.loc[mask, "flag"] = out.loc[mask, "flag"].map(lambda old, new=one.flag: join((old, new)))
        aliases = {same(nation) for nation in one.nations}
        for column in ("region", "country", "system"):
            whole = mask & (out["level"] == column) & out[column].map(same).isin(aliases)
            out.loc[whole, "level"] = NATIONAL
    there = out["role"] != ""
    if not there.any():
        wanted = ", ".join(f"`{one.label}`" for one in labels)
        raise InputError(
            f"{found.file}: must have a row with one of the labels {wanted}; found "
            f"{names(rows['label']) or 'none'}. Name the new labels in a file of your own (--labels)."
        )
    _tell_labels(rows[~there], labels, found)
    return out[there]


def _tell_labels(rows: pd.DataFrame, labels: Sequence[Label], found: Findings) -> None:
    """Labels that were left out, those first that look like one that was not."""
    stems = {word[:STEM] for one in labels for word in same(one.label).split() if len(word) >= STEM}
    other = rows.drop_duplicates("row")
    known = {same(one.label) for one in labels}
    like = other["label"].map(
        lambda text: same(text) not in known and any(word[:STEM] in stems for word in same(text).split())
    )
    like = like.astype(bool)
    text = f"left out, and look like roles that are kept: {names(other.loc[like, 'label'])}"
    found.add("similar labels", like.sum(), text)
    found.add("other labels", len(other) - like.sum(), f"left out: {names(other.loc[~like, 'label'])}")


def _parts(rows: pd.DataFrame, kind: Kind, by: str | None, found: Findings) -> pd.DataFrame:
    """Of a breakdown asked for, its parts; of others, the published total, or else the parts to be summed."""
    out = rows
    for part in kind.parts:
        total = out[part].str.match(long.ALL)
        if part == by:
            kept = ~total
        else:
            keys = [out[key] for key in (*SAME, "level", *GEOGRAPHIES, *kind.parts) if key != part]
            kept = total | ~total.groupby(keys, sort=False).transform("any")
        what = "totals" if part == by else "parts"
        found.add("overlapping rows", (~kept).sum(), f"{what} by {part}; left out, not added twice")
        out = out[kept]
    return out


def _at_level(rows: pd.DataFrame, kind: Kind, level: str, found: Findings) -> pd.DataFrame:
    """Numbers published at the level asked for; else those of the narrowest level, to be summed."""
    unknown = ~rows["level"].isin(kind.levels)
    found.add("unknown level", unknown.sum(), f"left out: {names(rows.loc[unknown, 'level'])}")
    rank = rows["level"].map({name: n for n, name in enumerate(kind.levels)})
    wanted = kind.levels.index(level)
    nowhere = (rank >= wanted) & (level != NATIONAL) & (rows.get(level, "") == "")
    found.add(
        "without geography",
        nowhere.sum(),
        f"no {level} is named; left out ({where(rows.loc[nowhere, 'row'])})",
    )
    usable = rows[(rank >= wanted) & ~nowhere]
    if usable.empty:
        there = [name for name in kind.levels if (rows["level"] == name).any()]
        raise InputError(
            f"{found.file}: must have numbers of the level `{level}`; it has {', '.join(there) or 'none'}. "
            "Choose another --level."
        )
    rank = rank[usable.index]
    keys = [usable[key] for key in (*SAME, *([] if level == NATIONAL else [level]))]
    exact = (rank == wanted).groupby(keys, sort=False).transform("any")
    used = rank == rank.groupby(keys, sort=False).transform("max").where(~exact, wanted)
    found.add("overlapping levels", (~unknown & ~nowhere).sum() - used.sum(), "left out, not added twice")
    out = usable[used].copy()
    return _located(out if kind.individual else _told_sums(out, level, found), level)


def _told_sums(out: pd.DataFrame, level: str, found: Findings) -> pd.DataFrame:
    """Flag and tell rows of a narrower level that will be summed; rates among them are left out."""
    sums = out["level"] != level
    text = f"not published at the level {level}: summed over {names(out.loc[sums, 'level'])}"
    found.add("summed", sums.sum(), text)
    out.loc[sums, "flag"] = out.loc[sums, "flag"].map(lambda old: join((old, "summed")))
    rates = sums & out["measure"].isin(RATES)
    found.add("rates not summed", rates.sum(), f"rates are not published at the level {level}; left out")
    return out[~rates]


def _located(out: pd.DataFrame, level: str) -> pd.DataFrame:
    """Geography and code; a code has one name, the first."""
    if level == NATIONAL:
        return out.assign(geography=out["nation"], code="")
    code = out[f"{level}_code"]
    key = code.where(code != "", out[level])
    name = out[level].groupby(key, sort=False).transform("first")
    return out.assign(geography=name, code=code)


def _unrepeated(rows: pd.DataFrame, found: Findings) -> pd.DataFrame:
    """Rows of aggregates, each once: a line that is there twice is not added twice."""
    again = rows["alike"] != ""
    lines = rows.loc[again, "row"].drop_duplicates()
    found.add("duplicates", len(lines), f"alike in every column; counted once ({where(lines)})")
    return rows[~again].copy()


def settle(rows: pd.DataFrame, keys: Sequence[str], found: Findings) -> pd.DataFrame:
    """One value of each thing: the last, where there are several; told if they differ."""
    keys = [key for key in keys if key in rows.columns]
    by = rows.groupby(keys, sort=False, dropna=False)["value"]
    differs = by.transform("max") - by.transform("min") > SLACK * by.transform("max").abs()
    first = rows.duplicated(keys, keep="last")
    found.add("repeated", (first & ~differs).sum(), "the same number again; counted once")
    shown = ", ".join(
        _told(row) for row in rows[differs].sort_values(keys, kind="stable").head(SHOWN).to_dict("records")
    )
    more = " …" * (int(differs.sum()) > SHOWN)
    text = f"several values for the same role, place and date ({shown}{more}); the last is used"
    found.add("conflict", differs.sum(), text)
    out = rows.copy()
    out.loc[differs, "flag"] = out.loc[differs, "flag"].map(lambda old: join((old, "conflict")))
    return out[~first]


def _told(row: dict[Hashable, Any]) -> str:
    """A number with its date, and its file where there are several."""
    file = str(row.get("source", "")).partition("; ")[2]
    return f"{row['value']:,.6g} of {row['date']}" + (f" in {file}" if file else "")


def _summed(rows: pd.DataFrame, level: str, found: Findings) -> pd.DataFrame:
    """Sums over rows; people counted once by their identifier, or flagged, where headcounts are added."""
    table = rows.assign(level=level)
    by = table.groupby(KEYS, sort=False, dropna=False)
    out = by.agg(flag=("flag", join), named=("identifier", "nunique"), n=("value", "count")).reset_index()
    out["value"] = by["value"].sum(min_count=1).to_numpy()
    heads = out["measure"] == "headcount"
    people = heads & by["identifier"].max().ne("").to_numpy()
    out.loc[people, "value"] = out.loc[people, "named"].astype(float)
    twice = heads & ~people & (out["n"] > 1)
    out.loc[twice, "flag"] = out.loc[twice, "flag"].map(lambda old: join((old, "summed")))
    gone = out["value"].isna()
    found.add("not published", gone.sum(), "nothing published for a role, place and date; left out")
    return out.loc[~gone, [name for name in COLUMNS if name != "source"]]


def only(table: pd.DataFrame, geographies: Sequence[str]) -> pd.DataFrame:
    """The rows of some geographies, by code or name.

    Raises
    ------
    InputError
        If one of them is not there.
    """
    if not geographies:
        return table
    names_, codes = table["geography"].map(same), table["code"].map(same)
    keep = pd.Series(False, index=table.index)
    for one in geographies:
        rows = (names_ == same(one)) | (codes == same(one))
        if not rows.any():
            known = [*table["geography"].unique(), *table["code"].unique()]
            close = get_close_matches(one, known, n=3, cutoff=0.4)
            raise InputError(
                f"--geography {one}: must be a name or code in the file at this level; it is none. "
                f"Closest: {', '.join(close) or 'none'}."
            )
        keep |= rows
    return table[keep]
