"""From a long table to a tidy series: named roles, one level of geography, no overlapping rows, summed."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

import pandas as pd

from pharmsim.errors import InputError
from pharmsim.published import long
from pharmsim.published.kind import GEOGRAPHIES, NATIONAL, Kind
from pharmsim.published.labels import Label, same
from pharmsim.published.quality import Findings, check_rows, join, names, where

COLUMNS = (
    "measure", "role", "environment", "geography", "code", "level", "part", "date", "to", "value", "unit",
    "source", "flag",
)  # fmt: skip
KEYS = [name for name in COLUMNS if name not in ("value", "source", "flag")]
RATES = ("vacancy_rate",)
"""Measures that cannot be added up."""
STEM = 6
"""Letters that two labels share at the start of a word, to be called alike."""
NOT_STATED = "not stated"


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
    _tell_labels(rows, there, labels, out, found)
    return out[there]


def _tell_labels(
    rows: pd.DataFrame, there: pd.Series, labels: Sequence[Label], out: pd.DataFrame, found: Findings
) -> None:
    """Labels that were left out, those first that look like one that was not; roles without a row."""
    stems = {word[:STEM] for one in labels for word in same(one.label).split() if len(word) >= STEM}
    other = rows.loc[~there].drop_duplicates("row")
    like = other["label"].map(lambda text: any(word[:STEM] in stems for word in same(text).split()))
    found.add(
        "similar labels",
        like.sum(),
        f"left out, and look like roles that are kept: {names(other.loc[like, 'label'])}",
    )
    found.add("other labels", len(other) - like.sum(), f"left out: {names(other.loc[~like, 'label'])}")
    without = sorted({one.role for one in labels} - set(out["role"]))
    found.add("roles without a row", len(without), ", ".join(without))


def _parts(rows: pd.DataFrame, kind: Kind, by: str | None, found: Findings) -> pd.DataFrame:
    """Totals of breakdowns that are not asked for, where published; of that asked for, its parts."""
    out = rows
    for part in kind.parts:
        total = out[part].str.match(long.ALL)
        if not total.any():
            continue
        kept = ~total if part == by else total
        if part != by:
            keys = [*KEYS[:3], "label", "group", "date", "to", "level", *GEOGRAPHIES]
            has = total.groupby([out[key] for key in keys if key in out], sort=False).transform("any")
            found.add(
                "no total",
                (~has).sum(),
                f"no row with the total over {part}; left out ({where(out.loc[~has, 'row'])})",
            )
        overlap = int((~kept).sum())
        found.add(
            "overlapping rows",
            overlap,
            f"{'totals' if part == by else 'parts'} by {part}; left out, not added twice",
        )
        out = out[kept]
    return out


def _at_level(rows: pd.DataFrame, kind: Kind, level: str, found: Findings) -> pd.DataFrame:
    """Rows of one published level, with the geography of the level asked for."""
    there = [name for name in kind.levels if (rows["level"] == name).any()]
    unknown = sorted(set(rows["level"]) - set(kind.levels))
    found.add("unknown level", (rows["level"].isin(unknown)).sum(), f"left out: {', '.join(unknown)}")
    usable = [name for name in there if kind.levels.index(name) >= kind.levels.index(level)]
    can = [name for name in kind.levels if name in there or _can_sum(rows, name)]
    if not usable or (level not in usable and not _can_sum(rows[rows["level"] == usable[-1]], level)):
        raise InputError(
            f"{found.file}: must have numbers of the level `{level}`; it has {', '.join(can) or 'none'}. "
            "Choose another --level."
        )
    used = level if level in usable else usable[-1]
    mask = rows["level"] == used
    other = [name for name in there if name != used]
    found.add(
        "overlapping levels",
        (~mask).sum(),
        f"rows of the level {', '.join(other)}; left out, not added twice",
    )
    out = rows[mask].copy()
    if used != level and not kind.individual:
        found.add("summed", len(out), f"no row of the level {level} is published: summed over {used}s")
        out["flag"] = out["flag"].map(lambda old: join((old, "summed")))
        rate = out["measure"].isin(RATES)
        found.add(
            "rates not summed", rate.sum(), f"rates of {used}s give none of the level {level}; left out"
        )
        out = out[~rate]
    return _located(out, level)


def _can_sum(rows: pd.DataFrame, level: str) -> bool:
    """Whether rows of a narrower level say in which geography of a level they lie."""
    return (level == NATIONAL and len(rows) > 0) or (level != NATIONAL and bool((rows[level] != "").any()))


def _located(out: pd.DataFrame, level: str) -> pd.DataFrame:
    """Geography and code; a code has one name, the first."""
    if level == NATIONAL:
        return out.assign(geography=out["nation"], code="", at=level)
    code = out[f"{level}_code"]
    key = code.where(code != "", out[level])
    name = out[level].groupby(key, sort=False).transform("first")
    return out.assign(geography=name.where(name != "", NOT_STATED), code=code, at=level)


def _unrepeated(rows: pd.DataFrame, found: Findings) -> pd.DataFrame:
    """Rows of aggregates, each once: a line that is there twice is not added twice."""
    again = rows["alike"] != ""
    lines = rows.loc[again, "row"].drop_duplicates()
    found.add("duplicates", len(lines), f"alike in every column; counted once ({where(lines)})")
    return rows[~again].copy()


def settle(rows: pd.DataFrame, keys: Sequence[str], found: Findings) -> pd.DataFrame:
    """One value of each thing: the last, where there are several; told if they differ."""
    names_ = [key for key in keys if key in rows.columns]
    many = rows.duplicated(names_, keep=False)
    if not many.any():
        return rows
    by = rows[many].groupby(names_, sort=False, dropna=False)["value"]
    differs = by.transform("max") - by.transform("min") > 1e-6 * by.transform("max").abs()
    text = "the same numbers again; counted once"
    found.add("repeated", int((~differs).sum() - (~differs[~rows[many].duplicated(names_)]).sum()), text)
    shown = ", ".join(f"{value:,.6g}" for value in rows.loc[differs[differs].index, "value"][:4])
    found.add(
        "conflict",
        differs.sum(),
        f"several values for the same role, place and date ({shown} …); the last is used",
    )
    out = rows.copy()
    clash = differs[differs].index
    out.loc[clash, "flag"] = out.loc[clash, "flag"].map(lambda old: join((old, "conflict")))
    return out[~out.duplicated(names_, keep="last")]


def _summed(rows: pd.DataFrame, level: str, found: Findings) -> pd.DataFrame:
    """Sums over rows; people counted once by their identifier."""
    table = rows.assign(level=level)
    by = table.groupby(KEYS, sort=False, dropna=False)
    out = by.agg(value=("value", lambda values: values.sum(min_count=1)), flag=("flag", join)).reset_index()
    people = table[(table["measure"] == "headcount") & (table["identifier"] != "")]
    if len(people):
        heads = people.groupby(KEYS, sort=False, dropna=False)["identifier"].nunique().rename("heads")
        out = out.merge(heads.reset_index(), on=KEYS, how="left")
        out["value"] = out["heads"].fillna(out["value"])
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
