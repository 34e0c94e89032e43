"""The tables of the HTML report: texts in rows, the interval below each number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from pharmsim.report.flow_picture import JOINT
from pharmsim.report.html import headline, text
from pharmsim.report.html.data import ResultsFolder, without_gaps
from pharmsim.report.html.headline import on_dates, records
from pharmsim.results.columns import ALL
from pharmsim.results.rows import estimated_from, of_chance

GRADES = ("published", "derived", "calibrated", "proxy", "assumption")
LARGEST = 30
"""Flows that are listed; the others are in flows.csv."""


@dataclass(frozen=True)
class Cell:
    """What stands in one cell: a text, and a smaller one below it (the interval)."""

    text: str
    note: str = ""


@dataclass(frozen=True)
class Table:
    """A table: the first column names the row.

    Attributes
    ----------
    caption : str
    heads : list of str
    rows : list of list of Cell
    numeric : bool
        Whether all columns but the first hold numbers.
    """

    caption: str
    heads: list[str]
    rows: list[list[Cell]] = field(default_factory=list)
    numeric: bool = True

    def __bool__(self) -> bool:
        return bool(self.rows)


def cells(*texts: Any) -> list[Cell]:
    """A row of cells; what is none yet becomes one."""
    return [each if isinstance(each, Cell) else Cell(str(each)) for each in texts]


def difference(row: dict[Any, Any] | None) -> Cell:
    """A difference with its sign, and its 90 % interval below."""
    if row is None or pd.isna(text.centre(row)):
        return Cell("–")
    values = [text.centre(row), *((row["p5"], row["p95"]) if text.has_spread(row) else ())]
    scale = text.Scale(str(row["unit"]), values)
    return _spread(scale, values, signed=True)


def _spread(scale: text.Scale, values: Sequence[float], signed: bool = False) -> Cell:
    """A number with its unit if that is short, and the interval."""
    unit = scale.after if scale.before else ""
    first = f"{scale.number(values[0], signed)} {unit}".strip()
    if len(values) < 3:
        return Cell(first)
    return Cell(first, scale.span(values[1], values[2], signed))


def unit_of(unit: str) -> str:
    """The unit of differences, in words; money says its own."""
    return "" if unit.startswith("GBP") else text.WORDS.get(unit, unit)


def named(quantity: str, unit: str, level: str = "") -> str:
    """A quantity in words, with its unit and level."""
    name = text.words(quantity) + (f", level “{level}”" if level else "")
    unit = unit_of(unit)
    return f"{name} ({unit})" if unit and unit.lower() not in name.lower() else name


CENTRAL = "Central values: no range was run"


def spread_note(read: ResultsFolder, frame: pd.DataFrame, median: str = "median") -> str:
    """What the numbers of a table are, with draws or without."""
    known = len(frame) and frame.get(median, pd.Series(dtype=float)).notna().any()
    return (
        f"Median of the {read.rows}, and below it the interval that holds 90 % of them" if known else CENTRAL
    )


# -- comparison ---------------------------------------------------------------------------------------------


def side_by_side(read: ResultsFolder) -> Table:
    """Return one line a scenario: time on the last date, retention, vacancies, losses, costs."""
    columns = (
        ("delivered_fte", "Delivered time, FTE"),
        ("fte", "FTE in post"),
        ("vacancy_rate", "Vacancy rate, points"),
        ("stability_index", "Retention, points"),
    )
    frame = read.tables["differences"]
    there = set(frame["quantity"]) - ({"fte"} if "delivered_fte" in set(frame["quantity"]) else set())
    shown = [column for column in columns if column[0] in there]
    heads = ["Scenario", *(title for _, title in shown), "Lost elsewhere for 1 FTE gained", "All costs"]
    heads += ["For each additional delivered FTE-year"]
    rows = []
    for scenario in read.scenarios:
        cells = []
        for quantity, _ in shown:
            kept = quantity == "stability_index"
            here = headline.retention(read, scenario) if kept else on_dates(read, scenario, quantity)
            cells.append(difference(records(here)[-1] if len(here) else None))
        lost = records(headline.displaced(read, scenario).query("role == @ALL"))
        cells.append(_plain(headline.part(lost[0], "per_gained", "ratio")) if lost else Cell("–"))
        cost = headline.costs(read, scenario)
        cells.append(difference(cost.get(ALL)))
        cells.append(_each(cost.get("per_delivered_fte_year")))
        rows.append([Cell(scenario), *cells])
    when = text.day(frame["date"].max())
    caption = f"Scenarios beside each other: difference from the base in {when}. {spread_note(read, frame)}"
    return Table(caption + "; costs are added up since the start", heads, rows)


def _plain(row: dict[Any, Any] | None) -> Cell:
    """A number without sign, and its interval."""
    if row is None or pd.isna(text.centre(row)):
        return Cell("–")
    values = [text.centre(row), *((row["p5"], row["p95"]) if text.has_spread(row) else ())]
    return _spread(text.Scale(str(row["unit"]), values, level=True), values)


def _each(row: dict[Any, Any] | None) -> Cell:
    """The cost of an additional FTE-year; words where there is no gain to divide by."""
    if row is None:
        return Cell("–")
    said = str(row.get("words") or "")
    return Cell(said) if said and said != "nan" else _plain(row)


def levers(read: ResultsFolder, scenario: str) -> Table:
    """What is done: every lever with its reach, uptake, dates and evidence."""
    rows = []
    for row in records(without_gaps(read.of("levers", scenario))):
        when = f"from {_month(row['start'])}" + (f" to {_month(row['end'])}" if row.get("end") else "")
        ramp = f"{float(row['ramp']):g} months until all take part" if row.get("ramp") else "at once"
        uptake = row["uptake"]
        said = text.share(float(uptake)) if isinstance(uptake, int | float) else str(uptake)
        effects = text.tidy(str(row.get("effects", ""))).replace("; ", ";\n")
        rows.append(
            cells(Cell(headline.lever(read, scenario, row["name"]), f"{row['level']} × {row['category']}"),
                   row["reach"], said, Cell(when, ramp), row["evidence"] or "–", effects)
        )  # fmt: skip
    heads = ["Lever", "Reaches", "Take part", "When", "Evidence of its effects", "Effects (range)"]
    return Table("Levers of this scenario", heads, rows, numeric=False)


def _month(written: Any) -> str:
    try:
        return text.day(pd.Timestamp(str(written)))
    except ValueError:
        return str(written)


MAIN = (
    "headcount", "fte", "delivered_fte", "vacancy_rate", "shortfall_fte", "pressure", "leavers",
    "stability_index", "months_in_shortage", "total_cost",
)  # fmt: skip
"""Quantities that the report shows first, on dates or in the year before; the others on demand."""


def by_date(read: ResultsFolder, scenario: str, main: bool) -> Table:
    """Differences of the whole system on every date: the main ones, or the others."""
    frame = read.of("differences", scenario)
    whole = frame[(frame["role"] == ALL) & (frame["environment"] == ALL)]
    dates = sorted(whole["date"].unique())
    kept = headline.retention(read, scenario)["level"]
    first = whole["quantity"].isin(MAIN) & (whole["over"] != "cumulated")
    first &= (whole["quantity"] != "stability_index") | whole["level"].isin(kept)
    rows = []
    for (quantity, level, over, unit), part in whole[first == main].groupby(
        ["quantity", "level", "over", "unit"], sort=False
    ):
        plain = str(unit).removesuffix(" per year") if over == "year" else str(unit)
        by: dict[Any, Any] = {row["date"]: {**row, "unit": plain} for row in records(part)}
        behind = {"year": "in the year before", "cumulated": "since the start"}.get(str(over), "")
        name = Cell(named(str(quantity), plain, str(level)), behind)
        rows.append([name, *(difference(by.get(date)) for date in dates)])
    caption = (
        f"The whole system: {'' if main else 'other '}differences from the base. {spread_note(read, whole)}"
    )
    return Table(caption, ["Quantity", *(text.day(date) for date in dates)], rows)


def from_chance(read: ResultsFolder, scenario: str) -> Table:
    """Which part of the spread of the differences is chance, on every date; nothing without replicates."""
    frame = read.of("differences", scenario)
    if "from_chance" not in frame or read.made["drawn"] < 2:
        return Table("", [])
    kept = headline.retention(read, scenario)["level"]
    frame = frame[(frame["role"] == ALL) & (frame["environment"] == ALL) & frame["quantity"].isin(MAIN)]
    frame = frame[(frame["over"] != "cumulated") & (frame["level"].isin(kept) | (frame["level"] == ""))]
    dates = sorted(frame["date"].unique())
    rows = []
    for quantity, part in frame.groupby("quantity", sort=False):
        by = dict(zip(part["date"], part["from_chance"], strict=True))
        rows.append(
            [
                Cell(text.words(str(quantity))),
                *(Cell(of_chance(by.get(date, float("nan")))) for date in dates),
            ]
        )
    caption = (
        "How much of the spread is chance. Share of the variance of the difference; the rest is that of "
    )
    return Table(
        f"{caption}uncertain inputs; {estimated_from(read.made)}",
        ["Quantity", *(text.day(date) for date in dates)],
        rows,
    )


def by_place(read: ResultsFolder, scenario: str) -> Table:
    """Who wins and who loses: difference in delivered FTE by environment and role, on the last date."""
    frame, quantity = headline.places(read, scenario)
    if frame.empty:
        return Table("", [])
    roles = [*dict.fromkeys(role for role in frame["role"] if role != ALL), ALL]
    places = [*dict.fromkeys(place for place in frame["environment"] if place != ALL), ALL]
    found = {(row["environment"], row["role"]): row for row in records(frame)}
    rows = [
        [Cell(_title(read, place)), *(difference(found.get((place, role))) for role in roles)]
        for place in places
    ]
    when = text.day(frame["date"].max())
    caption = f"{named(quantity, 'FTE')} by environment and role: difference from the base in {when}."
    return Table(
        f"{caption} {spread_note(read, frame)}",
        ["Environment", *(_title(read, role) for role in roles)],
        rows,
    )


def _title(read: ResultsFolder, label: str) -> str:
    return "All" if label == ALL else read.name(label)


def displacement(read: ResultsFolder, scenario: str) -> Table:
    """What environments gain, what others lose, for every role, on the last date."""
    last = headline.displaced(read, scenario)
    if last.empty:
        return Table("", [])
    rows = []
    for row in records(last):
        parts = [headline.part(row, name, "ratio" if name == "per_gained" else "FTE") for name in PARTS]
        cells = [_plain(parts[0]), _plain(parts[1]), _plain(parts[2]), difference(parts[3])]
        name = Cell(_title(read, row["role"]), f"losing: {headline.who(read, row) or 'nobody'}")
        rows.append([name, *cells])
    heads = ["Role", "Gained, FTE", "Lost elsewhere, FTE", "Lost for 1 FTE gained", "Net, FTE"]
    when = text.day(last["date"].max())
    spread = spread_note(read, last, "gained_median")
    quantity = str(last["quantity"].iloc[0])
    what = text.inside(text.words(quantity))
    return Table(f"Gains and losses of environments in {what}, {when}. {spread}", heads, rows)


PARTS = ("gained", "lost_elsewhere", "per_gained", "net")


def costs(read: ResultsFolder, scenario: str) -> Table:
    """What a scenario costs more than the base since the start."""
    found = headline.costs(read, scenario)
    rows = []
    for item, row in found.items():
        name = named(item, str(row["unit"]))
        if item == "per_delivered_fte_year":
            share, each = row.get("share_with_gain"), _each(row)
            note = f"of the {text.share(share)} of {read.rows} with a gain" if pd.notna(share) else ""
            rows.append([Cell(name, note), each, _half(row) if each.note else Cell("–")])
        else:
            rows.append([Cell(name), difference(row), _half(row, signed=True)])
    frame = read.of("costs", scenario)
    caption = f"Costs beside the base, added up since the start. {spread_note(read, frame)}"
    return Table(caption, ["Item", "Difference", f"Half of the {read.rows}"], rows)


def _half(row: dict[Any, Any], signed: bool = False) -> Cell:
    """The interval that holds half of the draws."""
    if any(pd.isna(row.get(name)) for name in ("p25", "p75")):
        return Cell("–")
    scale = text.Scale(str(row["unit"]), [row["median"], row["p5"], row["p95"]])
    return Cell(scale.span(row["p25"], row["p75"], signed))


# -- flows, and any table ----------------------------------------------------------------------------------


def flows(read: ResultsFolder, scenario: str) -> Table:
    """The flows that differ most from the base, over the whole run."""
    frame = read.of("flows", scenario)
    order = frame["difference"].abs().sort_values(ascending=False, kind="stable").index[:LARGEST]
    rows = []
    for row in records(frame.loc[order]):
        if row["difference"] == 0.0:
            continue
        scale = text.Scale("heads", [row["base"]])
        rows.append(
            cells(f"{_end(read, row, 'from')} → {_end(read, row, 'to')}", scale.number(row["base"]),
                   difference({**row, "unit": "heads"}))
        )  # fmt: skip
    return Table(f"The flows that differ most, people over the whole run. {spread_note(read, frame)}",
                 ["From → to", "Base, central value", "Difference"], rows)  # fmt: skip


def _end(read: ResultsFolder, row: dict[Any, Any], side: str) -> str:
    """Where a flow begins or ends: a post with its role, or joint posts with those that they are made of."""
    if row[f"{side}_kind"] != JOINT:
        return read.name(row[side])
    home, _, name = row[side].rpartition("/")
    return f"{read.name(home)}, joint posts ({name.replace('_', ' ')})"


def plain(frame: pd.DataFrame, caption: str) -> Table:
    """Any table as it is."""
    columns = [name for name in frame if frame[name].notna().any() and not (frame[name] == "").all()]
    rows = [
        cells(*(f"{value:.4g}" if isinstance(value, float) else value for value in row))
        for row in without_gaps(frame[columns]).itertuples(index=False)
    ]
    return Table(caption, [text.words(str(name)) for name in columns], rows, numeric=False)
