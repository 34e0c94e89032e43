"""What the HTML report says of an answer of `pharmsim solve`."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pharmsim.errors import OutputError
from pharmsim.report.html import text
from pharmsim.report.html.data import SPREAD, ResultsFolder
from pharmsim.report.html.headline import records
from pharmsim.report.html.tables import Cell, Table, cells, difference
from pharmsim.report.solve_text import change_in, day, value_in

OVER = {"year": "Year to", "cumulated": "Since the start, to"}
ANSWER = "answer.txt"


def target(read: ResultsFolder) -> str:
    """The target as it was asked for, and where."""
    asked = read.made.get("question") or {}
    where = [str(asked.get("level") or ""), *asked.get("roles", ()), *asked.get("environments", ())]
    inside = ", ".join(name.replace("_", " ") for name in where if name)
    return f"Target “{asked.get('target', '')}”{f' ({inside})' if inside else ''}"


def sentences(read: ResultsFolder) -> list[str]:
    """The answer in words, as it was given."""
    path = read.path / ANSWER
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise OutputError(f"{path}: must hold the answer; cannot be read ({error}). Solve again.") from error
    return [line if line.endswith(".") else f"{line}." for line in lines if line]


def answer(read: ResultsFolder) -> Table:
    """Values at the start, without the levers and at the level found: a column for each date."""
    frame = read.tables["solve"]
    parts = [records(part) for _, part in frame.groupby("date", sort=False)]
    rows: dict[str, list[Cell]] = {}
    for part in parts:
        one = part[0]
        unit, spread = str(one["unit"]), pd.notna(one.get("probability"))
        told = {"At the start": Cell(value_in(one["start"], unit))}
        told["Without the levers"] = Cell(value_in(one["base"], unit))
        told["To be reached"] = Cell(value_in(one["goal"], unit), str(one["status"]))
        told |= {
            f"Level of {text.inside(text.words(row['lever']))}": Cell(_level(row, "level")) for row in part
        }
        told["Reached there (central value)"] = Cell(value_in(one["value"], unit))
        if spread:
            ends = f"{value_in(one['p5'], unit)} to {value_in(one['p95'], unit)}"
            told["Reached there, median"] = Cell(value_in(one["median"], unit), ends)
            ends = f"{change_in(one['change_p5'], unit)} to {change_in(one['change_p95'], unit)}"
            told["Difference the levers make, median"] = Cell(change_in(one["change_median"], unit), ends)
            told[f"Met there, share of {read.rows}"] = Cell(text.share(float(one["probability"])))
            for share in (50, 80):
                each = [_level(row, f"level_for_{share}") for row in part]
                told[f"Met in {share} % of {read.rows} from"] = Cell("; ".join(dict.fromkeys(each)))
        for name, cell in told.items():
            rows.setdefault(name, []).append(cell)
    heads = [str(part[0]["measured"]) for part in parts]
    return Table("The target", ["", *heads], [[Cell(name), *found] for name, found in rows.items()])


def _level(row: dict[Any, Any], name: str) -> str:
    """A level of a lever with its unit."""
    level, unit = float(row[name]), str(row["level_unit"])
    if pd.isna(level):
        return "no level"
    if unit.startswith("share"):
        return f"{100.0 * level:.0f} % uptake"
    return f"× {level:.3g}" if unit.startswith("times") else f"{level:,.5g} {unit}"


def costs(read: ResultsFolder) -> Table:
    """What the levers cost at the level found: a column for each date and span."""
    frame = read.tables["costs"]
    if "item" not in frame or frame.empty:
        return Table("", [])
    frame = frame.assign(difference=frame["central"])
    columns = list(dict.fromkeys(zip(frame["date"], frame["over"], strict=True)))
    rows = []
    for item, part in frame.groupby("item", sort=False):
        if not part[["central", *SPREAD]].fillna(0.0).any(axis=None):
            continue
        by: dict[Any, Any] = {
            (row["date"], row["over"]): {**row, "unit": str(row["unit"]).removesuffix(" per year")}
            for row in records(part)
        }
        rows.append([Cell(text.words(str(item))), *(difference(by.get(column)) for column in columns)])
    heads = [f"{OVER[over]} {day(date)}" for date, over in columns]
    return Table("What the levers cost at the level found, beside a run without them", ["Item", *heads], rows)


def evidence(read: ResultsFolder) -> Table:
    """The numbers behind the levers with their ranges, grades and sources."""
    rows = []
    for row in records(read.tables["evidence"]):
        span = "no range" if pd.isna(row["low"]) else f"{row['low']:g} to {row['high']:g}"
        source = "" if pd.isna(row["source"]) else str(row["source"])
        name = Cell(str(row["lever"]), str(row["effect"]))
        rows.append(
            cells(name, Cell(text.tidy(f"{row['value']:g}"), text.tidy(span)), row["evidence"], source)
        )
    heads = ["Lever and effect", "Number", "Evidence", "Source"]
    return Table("What the levers rest on", heads, rows, numeric=False)
