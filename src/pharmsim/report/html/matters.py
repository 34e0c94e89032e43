"""What the HTML report says of a sensitivity analysis."""

from __future__ import annotations

import pandas as pd

from pharmsim.report import sensitivity_text as told
from pharmsim.report.html import text
from pharmsim.report.html.data import ResultsFolder, without_gaps
from pharmsim.report.html.headline import records
from pharmsim.report.html.tables import Cell, Table

METHODS = {
    "prcc": "Partial rank correlation",
    "delta": "Delta",
    "pawn": "PAWN",
    "sobol_first": "Sobol' index, alone",
    "sobol_total": "Sobol' index, together with others",
}


def title(read: ResultsFolder) -> str:
    """What matters most, and for what."""
    return f"What matters most: {read.base}"


def sentences(read: ResultsFolder) -> list[str]:
    """What matters most for each measure, and how good its evidence is; then what else there is to say."""
    notes = [f"{note[:1].upper()}{note[1:]}." for note in (read.made.get("question") or {}).get("notes", [])]
    return [*told.headlines(read.tables["tornado"]), *notes]


def tornados(read: ResultsFolder) -> list[Table]:
    """What each uncertainty does alone: a table for each measure on its first date, and on its last."""
    made = []
    for part in told.measures(read.tables["tornado"]):
        for date in dict.fromkeys([part["date"].min(), part["date"].max()]):
            rows = part[part["date"] == date]
            made.append(_tornado(rows[rows["share"] > told.SHARE].head(told.TOP), rows.iloc[0]))
    return made


def _tornado(rows: pd.DataFrame, one: pd.Series) -> Table:
    unit = told.scale_of(str(one["unit"]))[2]
    name = told.subject(one)
    caption = f"{name[:1].upper()}{name[1:]} by {told.when(one['date'])}, "
    caption += f"{told.value_in(one['central'], one['unit'])} at the central values"
    caption += f": changes in {unit}" if unit else ": changes"
    cells = [
        [
            Cell(row["title"], told.ends(row)),
            Cell(row["evidence"]),
            Cell(told.changes(row)),
            Cell(text.share(row["share"])),
        ]
        for row in records(rows)
    ]
    heads = ["Uncertainty, low to high", "Evidence", "At the low / the high end", "Of the largest swing"]
    return Table(caption, heads, cells)


def indices(read: ResultsFolder) -> list[Table]:
    """Indices of each method with their intervals, for each measure on its first date."""
    frame = read.tables.get("indices")
    made: list[Table] = []
    if frame is None:
        return made
    keys = ["measure", "level", "role", "environment", "method"]
    for _, part in frame[frame["index"].notna()].groupby(keys, sort=False):
        rows = records(part[part["date"] == part["date"].min()].head(told.TOP))
        name = told.subject(rows[0])
        caption = f"{METHODS[rows[0]['method']]}: {name} by {told.when(rows[0]['date'])}, 95 % intervals"
        if rows[0]["floor"] > 0.0:
            caption += f"; by chance alone up to {text.plain(rows[0]['floor'])}"
        cells = [[Cell(row["title"]), Cell(_two(row["index"]), _span(row))] for row in rows]
        made.append(Table(caption, ["Uncertainty", "Index"], cells))
    return made


def _two(value: float) -> str:
    return told.signed(value, 2).removeprefix("+")


def _span(row: dict[str, float]) -> str:
    return f"{_two(row['low'])} to {_two(row['high'])}"


def urgent(read: ResultsFolder) -> Table:
    """Weak evidence and high impact: what to find out next."""
    frame = without_gaps(told.urgent(read.inputs[0].table).head(2 * told.TOP))
    rows = [
        [
            Cell(f"{row['rank']:.0f}"),
            Cell(row["title"], row["id"]),
            Cell(row["evidence"]),
            Cell(row["measure"]),
            Cell(text.share(float(row["share"]))),
        ]
        for row in records(frame)
    ]
    heads = ["Rank", "Uncertainty", "Evidence", "Moves most", "Of the largest swing"]
    caption = "To find out next: weak evidence × high impact. Numbers without a range are not ranked: their "
    return Table(f"{caption}impact is not known", heads, rows, numeric=False)
