"""What a measure depends on, in words and tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmsim.report import style
from pharmsim.report.solve_text import change_in, day, signed, value_in
from pharmsim.study.sensitivity.drivers import FACTOR, TIMES
from pharmsim.study.sensitivity.sensitivity import KEYS, Sensitivity
from pharmsim.study.solving.targets import QUANTITIES, YEARLY

if TYPE_CHECKING:
    from rich.console import Console

TOP = 10
"""Uncertainties that are listed."""
SHARE = 0.01
"""Swings below this share of the largest are not listed."""
SCALES = {
    "share": (100.0, 2, "points"),
    "GBP per year": (1e-3, 0, "£ thousand a year"),
    "ratio": (1.0, 3, ""),
}
"""Unit → factor, decimals and name of changes in tables."""


def scale_of(unit: str) -> tuple[float, int, str]:
    """Factor, decimals and unit in which changes of a measure are written."""
    return SCALES.get(unit, (1.0, 1, unit))


def subject(row: Any) -> str:
    """What is measured, and where: of a row of a table."""
    name = str(row["measure"])
    where = [f"at the level {row['level']}"] if row["level"] else []
    where += [str(row[axis]).replace("_", " ") for axis in ("role", "environment") if row[axis]]
    return ", ".join([{**QUANTITIES, **YEARLY}[name].words, *where])


def when(date: Any) -> str:
    """The day whose end a date is."""
    return day(np.datetime64(pd.Timestamp(date), "ns"))


PLAIN = ("activity", "elasticity", "ratio")
"""Units of plain numbers."""


def number(value: float, unit: str) -> str:
    """A number of a scenario as people read it."""
    if unit in ("share", "share per year", "per year"):
        return f"{100.0 * value:.3g} %{' per year' if unit != 'share' else ''}"
    if unit in (TIMES, FACTOR):
        return f"{'× ' if unit == TIMES else 'factor '}{value:.3g}"
    if unit.startswith("GBP"):
        return f"£{value:,.0f}{unit.removeprefix('GBP')}"
    text = f"{value:,.0f}" if abs(value) >= 1000.0 else f"{value:.3g}"
    return text if unit in PLAIN else f"{text} {unit}"


def ends(row: Any) -> str:
    """The low and the high end of an uncertainty: of a row of the tornado."""
    if pd.isna(row["from"]):
        return f"{row['numbers']:.0f} ranges"
    low, high = (number(float(row[name]), str(row["number_unit"])) for name in ("from", "to"))
    for unit in (" %", " % per year", f" {row['number_unit']}"):
        if low.endswith(unit) and high.endswith(unit):
            low = low.removesuffix(unit)
            break
    return f"{low} to {high.removeprefix('factor ')}"


def grade(row: Any) -> str:
    """The weakest grade of evidence of an uncertainty, and whether it has better ones as well."""
    first, *others = row["evidence"].split(", ")
    return f"{first} and better" if others else first


def graded(row: Any) -> str:
    """An uncertainty with the grade of its evidence."""
    return f"{row['title']} ({grade(row)})"


def changes(row: Any) -> str:
    """What the low and the high end make of the measure, without its unit."""
    factor, digits, _ = scale_of(str(row["unit"]))
    return " / ".join(signed(factor * float(row[name]), digits) for name in ("change_low", "change_high"))


def measures(tornado: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """Rows of one measure on its dates after those of another; measures that are not known are left out."""
    for _, part in tornado.groupby(KEYS[:-1], sort=False):
        known = part[part["central"].notna()]
        if len(known):
            yield known


def headlines(tornado: pd.DataFrame) -> list[str]:
    """What matters most for each measure on its first date, and how good its evidence is.

    Parameters
    ----------
    tornado : DataFrame
        As in `Sensitivity`, or read from tornado.csv.
    """
    return [headline(part[part["date"] == part["date"].min()]) for part in measures(tornado)]


def headline(part: pd.DataFrame) -> str:
    """The same for one measure and date."""
    rows = part[part["share"] > SHARE].head(TOP).to_dict("records")
    one = part.iloc[0]
    name = subject(one)
    text = f"{name[:1].upper()}{name[1:]} by {when(one['date'])}, {value_in(one['central'], one['unit'])}"
    if not rows:
        return f"{text}: no uncertainty moves it."
    first, others = rows[0], rows[1:3]
    low, high = (change_in(first[name], first["unit"]) for name in ("change_low", "change_high"))
    text += f": {graded(first)} matters most: its low and its high end ({ends(first)}) "
    text += f"change it by {low} and {high}."
    if others:
        text += f" Then: {' and '.join(graded(row) for row in others)}."
    weak = sum("assumption" in row["evidence"] or "unstated" in row["evidence"] for row in rows)
    return f"{text} {weak} of the {len(rows)} that move it most rest on assumptions."


# -- terminal -----------------------------------------------------------------------------------------------


def show(found: Sensitivity, console: Console, folder: Path | None = None) -> None:
    """Print what moves each measure most, and what should be measured next."""
    from rich.text import Text

    console.print(Text(f"What matters most for {found.scenario.name}", style="bold"))
    console.print(
        Text("Each uncertainty alone at its low and its high end, all others at their central values.")
    )
    for note in found.notes:
        console.print(Text(f"note: {note}"))
    for part in measures(found.tornado):
        console.print()
        _measure(part, console)
    console.print()
    _next(found.assumptions, console)
    for warning in found.meta.get("warnings") or []:
        console.print(Text(f"warning: {warning}", style="yellow"))
    if folder is not None:
        console.print(Text(f"files: {folder}"))


def _measure(part: pd.DataFrame, console: Console) -> None:
    """The uncertainties that move a measure most on its first and its last date."""
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    one, dates = part.iloc[0], list(dict.fromkeys([part["date"].min(), part["date"].max()]))
    unit = scale_of(one["unit"])[2]
    title = f"{subject(one)}{f': changes in {unit}' if unit else ''}, at the low / at the high end"
    table = Table(title=Text(title, style="bold"), title_justify="left", box=SIMPLE)
    table.add_column("uncertainty (evidence)", ratio=3)
    table.add_column("low to high", ratio=2)
    by_date = {date: part[part["date"] == date].set_index("uncertainty") for date in dates}
    for date, rows in by_date.items():
        table.add_column(
            f"by {when(date)}: {value_in(rows['central'].iloc[0], one['unit'])}", justify="right"
        )
    shares = pd.concat([rows["share"] for rows in by_date.values()], axis=1).max(axis=1)
    for name in shares[shares > SHARE].sort_values(ascending=False, kind="stable").index[:TOP]:
        row = next(iter(by_date.values())).loc[name]
        cells = [graded(row), ends(row), *(changes(rows.loc[name]) for rows in by_date.values())]
        table.add_row(*map(Text, cells))
    console.print(table)


def _next(frame: pd.DataFrame, console: Console) -> None:
    """Weak evidence and high impact: what to find out next."""
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    title = Text("To find out next: weak evidence × high impact", style="bold")
    table = Table(title=title, title_justify="left", box=SIMPLE)
    for column in ("uncertainty", "evidence", "moves most", "of the largest swing"):
        table.add_column(column, justify="right" if column.startswith("of") else "left")
    for row in urgent(frame).head(TOP).to_dict("records"):
        cells = [row["title"], row["evidence"], row["measure"], f"{100.0 * row['share']:.0f} %"]
        table.add_row(*map(Text, cells))
    unknown = frame[frame["impact"].astype(bool) & (frame["kind"] == "number")]
    table.caption = f"{len(unknown):,} numbers have no range: their impact is not known"
    table.caption_justify = "left"
    console.print(table)


def urgent(frame: pd.DataFrame) -> pd.DataFrame:
    """One row for each uncertainty, the most urgent first: of the list of assumptions with impacts."""
    known = frame[frame["rank"].notna()].drop_duplicates("uncertainty")
    known = known[known["share"] > SHARE]
    return known.assign(title=[style.shorten(str(title), 80) for title in known["title"]])
