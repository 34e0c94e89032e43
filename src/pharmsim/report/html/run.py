"""Tables of the HTML report of a single run."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pharmsim.report.html import headline, text
from pharmsim.report.html.data import ResultsFolder
from pharmsim.report.html.headline import records
from pharmsim.report.html.tables import Cell, Table
from pharmsim.results.columns import ALL

SHOWN = ("headcount", "fte", "vacancy_fte", "vacancy_rate")


def _note(read: ResultsFolder) -> str:
    return f"Central value, and below it the interval that holds 90 % of the {read.rows}"


def marks(dates: pd.Series) -> list[Any]:
    """The first date, the one five years later, and the last."""
    known = sorted(dates.unique())
    later = [date for date in known if pd.Timestamp(date) >= pd.Timestamp(known[0]) + pd.DateOffset(years=5)]
    return list(dict.fromkeys([known[0], *later[:1], known[-1]]))


def workforce(read: ResultsFolder, axis: str) -> Table:
    """People, FTE and vacancies by role or by environment at the start, after five years and at the end."""
    frame = read.tables["workforce"]
    other = "environment" if axis == "role" else "role"
    frame = frame[(frame[other] == ALL) & frame["quantity"].isin(SHOWN)]
    dates = marks(frame["date"])
    rows = []
    for (quantity, label), part in frame.groupby(["quantity", axis], sort=False):
        name = f"{text.words(str(quantity))}, {'all' if label == ALL else read.name(str(label))}"
        rows.append([Cell(name), *_cells(part, "date", dates)])
    order = {name: i for i, name in enumerate(map(text.words, SHOWN))}
    rows.sort(key=lambda row: order[row[0].text.partition(", ")[0]])
    return Table(f"By {axis}. {_note(read)}", ["Quantity", *map(text.day, dates)], rows)


def _cells(part: pd.DataFrame, column: str, dates: list[Any]) -> list[Cell]:
    by: dict[Any, Any] = {row[column]: row for row in records(part)}
    return [_cell(by.get(date)) for date in dates]


def _cell(row: dict[Any, Any] | None) -> Cell:
    """A level with its interval below."""
    if row is None or pd.isna(row["central"]):
        return Cell("–")
    number, _, rest = headline.level(row).partition(" (")
    return Cell(number, "" if rest.startswith("no ") else rest.rstrip(")"))


def retention(read: ResultsFolder) -> Table:
    """Stability index and leaver rate of every level in the first and the last year."""
    frame = read.tables["retention"]
    frame = frame[frame["by"] == ALL]
    if frame.empty:
        return Table("", [])
    years = marks(frame["year_to"])
    years = list(dict.fromkeys([years[0], years[-1]]))
    rows = []
    for (level, measure), part in frame.groupby(["level", "measure"], sort=False):
        rows.append([Cell(f"{text.words(str(measure))}, level “{level}”"), *_cells(part, "year_to", years)])
    return Table(
        f"Retention by level. {_note(read)}",
        ["Quantity", *(f"Year to {text.day(year)}" for year in years)],
        rows,
    )


def need(read: ResultsFolder, whole: bool) -> Table:
    """What services require and get, all together or by environment, on the years of `marks`."""
    frame = read.tables.get("need")
    if frame is None:
        return Table("", [])
    wanted = ("required_fte", "delivered_fte", "pressure", "months_in_shortage")
    frame = frame[(frame["role"] == ALL) & frame["quantity"].isin(wanted)]
    frame = frame[(frame["environment"] == ALL) == whole]
    years = marks(frame["year_to"])
    rows = []
    for (quantity, place), part in frame.groupby(["quantity", "environment"], sort=False):
        name = f"{text.words(str(quantity))}, {'all' if whole else read.name(str(place))}"
        rows.append([Cell(name), *_cells(part, "year_to", years)])
    caption = f"What services require and get{'' if whole else ', by environment'}. {_note(read)}"
    return Table(caption, ["Quantity", *(f"Year to {text.day(y)}" for y in years)], rows)


def budgets(read: ResultsFolder) -> Table:
    """Money and spending of every budget in the first and the last year."""
    frame = read.tables.get("budgets")
    if frame is None:
        return Table("", [])
    years = marks(frame["year_to"])
    rows = [
        [
            Cell(f"{read.name(str(budget))}, {text.inside(text.words(str(quantity)))}"),
            *_cells(part, "year_to", years),
        ]
        for (budget, quantity), part in frame.groupby(["budget", "quantity"], sort=False)
    ]
    return Table(
        f"Budgets. {_note(read)}", ["Quantity", *(f"Year to {text.day(year)}" for year in years)], rows
    )
