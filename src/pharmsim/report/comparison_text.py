"""A comparison in words and in the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmsim.report import style
from pharmsim.results.columns import ALL
from pharmsim.scenario.models import Scenario
from pharmsim.study.comparison import Comparison
from pharmsim.study.costs import PER_YEAR
from pharmsim.study.dates import STRATEGY_END, read_date
from pharmsim.study.displacement import LEAST

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Row = dict[Any, Any]
DELIVERED = ("delivered_fte", "fte")
"""What the headline is about, the best first: a run may have no need."""
NAMES = {
    "fte": "FTE",
    "vacancy_fte": "vacancies",
    "leavers": "leavers in the year",
    "required_fte": "required time",
    "delivered_fte": "delivered time",
    "shortfall_fte": "shortfall",
    "total_cost": "all costs",
}
SCALES = {
    "share": ("points", 100.0, 2),
    "share per year": ("points", 100.0, 2),
    "ratio": ("ratio", 1.0, 3),
    "GBP per year": ("thousand £ a year", 0.001, 0),
    "GBP": ("thousand £", 0.001, 0),
    "GBP per FTE-year": ("£", 1.0, 0),
}
"""Units as shown here: unit, factor, decimals; others as they are, with one decimal."""
NAMED = 3
"""Environments that lose, named in a sentence at most."""
MARGIN, WIDTH = 44, 22
"""Columns of the terminal that names and units, and each date, take."""


def draws_of(compared: Comparison) -> str:
    """How many draws stand behind the numbers."""
    n = compared.base.n_draws
    return f"{n} besides the central values, the same for all" if n else "none: no input has a range"


def headline_level(scenario: Scenario) -> str:
    """The level of retention that speaks for the whole: the last that is not divided; else the last."""
    levels = scenario.retention.levels if scenario.retention else {}
    whole = [name for name, level in levels.items() if not level.by and not level.where]
    return [*levels, *whole][-1] if levels else ""


def headline_date(compared: Comparison) -> np.datetime64:
    """31 March 2028 if it is among the dates, else the last."""
    fixed = read_date(STRATEGY_END)
    return fixed if fixed in compared.dates else np.datetime64(compared.dates[-1])


# -- sentences ----------------------------------------------------------------------------------------------


def headlines(compared: Comparison) -> list[str]:
    """One sentence a scenario: delivered time, retention, vacancies, cost, and who loses."""
    return [_headline(compared, name) for name in compared.names]


def _headline(compared: Comparison, name: str) -> str:
    level, date = headline_level(compared.base.scenario), headline_date(compared)
    whole = _whole(compared.differences, name, date)
    quantity = next((known for known in DELIVERED if (known, "", "date") in whole), "fte")
    wanted = {
        (quantity, "", "date"): "delivered time" if quantity == DELIVERED[0] else "people in post",
        ("stability_index", level, "year"): f"retention ({level.replace('_', ' ')})",
        ("vacancy_rate", "", "date"): "vacancy rate",
        ("total_cost", "", "year"): "all costs",
    }
    parts = [f"{words} {said(whole[key])}" for key, words in wanted.items() if key in whole]
    if (quantity, "", "date") in whole:
        parts[0] += _chance(whole[quantity, "", "date"])
    parts.append(_losers(compared, name, quantity, date))
    return f"{name}, {style.month_name(date)}: {'; '.join(part for part in parts if part)}."


def _whole(frame: pd.DataFrame, name: str, date: np.datetime64) -> dict[tuple[str, str, str], Row]:
    """Rows of all roles and environments on a date, by quantity, level and over."""
    here = (frame["role"] == ALL) & (frame["environment"] == ALL) & (frame["date"] == date)
    rows = frame[here & (frame["scenario"] == name)].to_dict("records")
    known = [row for row in rows if not np.isnan(row["difference"])]
    return {(row["quantity"], row["level"], row["over"]): row for row in known}


def said(row: Row) -> str:
    """A difference with its interval."""
    text = f"{number(row, row['median' if 'median' in row else 'difference'])} {_unit(row['unit'])}"
    return f"{text} ({number(row, row['p5'])} to {number(row, row['p95'])})" if "p5" in row else text


def _chance(row: Row) -> str:
    """How probable it is that this is better."""
    better = row.get("p_better", np.nan)
    return "" if np.isnan(better) else f", better in {100.0 * better:.0f} % of draws"


def _unit(unit: str) -> str:
    """A unit as it is shown."""
    return SCALES.get(unit, (unit,))[0]


def number(row: Row, value: float) -> str:
    """A signed number in the unit that is shown."""
    _, scale, digits = SCALES.get(row["unit"], ("", 1.0, 1))
    return f"{_rounded(scale * float(value), digits):+,.{digits}f}"


def _rounded(value: float, digits: int) -> float:
    """Rounded, without a zero below zero."""
    return round(value, digits) + 0.0


def _losers(compared: Comparison, name: str, quantity: str, date: np.datetime64) -> str:
    """Say what some environments lose while others gain."""
    row = next(iter(_displaced(compared, [name], quantity, date, (ALL,))), None)
    if row is None:
        return ""
    if not row["losers"]:
        return "no environment loses"
    names = compared.base.scenario.environments
    places = [names.get(place, place) for place in row["losers"].split("; ")]
    shown = ", ".join(places[:NAMED]) + (f" and {len(places) - NAMED} more" if len(places) > NAMED else "")
    text = f"lost {_part(row, 'lost_elsewhere')} FTE in {shown}"
    if row["gained_median" if "gained_median" in row else "gained"] < LEAST:
        return f"{text}, nobody gains"
    each = row["per_gained_median" if "per_gained_median" in row else "per_gained"]
    return f"{text}, gained {_part(row, 'gained')} elsewhere: {each:.2f} lost for each FTE gained"


def _displaced(
    compared: Comparison,
    names: Iterable[str],
    quantity: str,
    date: np.datetime64,
    roles: tuple[str, ...] | None = None,
) -> list[Row]:
    frame = compared.tables["displacement"]
    frame = frame[(frame["quantity"] == quantity) & (frame["date"] == date)]
    frame = frame[frame["scenario"].isin([*names])]
    return (frame if roles is None else frame[frame["role"].isin(roles)]).to_dict("records")


def _part(row: Row, name: str) -> str:
    """A part of the displacement with its interval."""
    columns = [f"{name}_{point}" for point in ("median", "p5", "p95")]
    values = [f"{_rounded(row[column], 1):,.1f}" for column in columns if column in row]
    return f"{values[0]} ({values[1]} to {values[2]})" if values else f"{_rounded(row[name], 1):,.1f}"


# -- terminal -----------------------------------------------------------------------------------------------


def show(compared: Comparison, console: Console, folder: Path | None = None) -> None:
    """Print a sentence for each scenario, who loses, what it costs, and the differences of all posts."""
    from rich.text import Text

    base = style.shorten(compared.base.scenario.name, 60)
    drawn = "median (5 to 95 % of draws)" if compared.base.n_draws else "no input has a range: central values"
    console.print(Text(f"Compared with {base}; {drawn}", style="bold"))
    for sentence in headlines(compared):
        console.print(Text(f"· {sentence}"))
    console.print()
    console.print(_winners(compared))
    if "costs" in compared.tables:
        console.print(_costs(compared))
    for name in compared.names:
        console.print(_differences(compared, name, _fitting(compared, console.width)))
    for warning in warnings(compared):
        console.print(Text(f"warning: {warning}", style="yellow"))
    if folder is not None:
        console.print(Text(f"files: {folder}"))


def warnings(compared: Comparison) -> list[str]:
    """Warnings of the comparison, and those of the scenarios that name an intervention."""
    own = [
        f"{name}: {text}"
        for name, run in zip(compared.names, compared.others, strict=True)
        for text in run.meta.get("warnings") or []
        if str(text).startswith("interventions.")
    ]
    return [*compared.warnings, *own]


def _table(title: str, columns: Iterable[str], caption: str | None = None) -> Table:
    from rich.table import Table
    from rich.text import Text

    heading = Text(title, style="bold")
    table = Table(title=heading, title_justify="left", caption=caption, caption_justify="left")
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i else "left", overflow="fold")
    return table


def _winners(compared: Comparison) -> Table:
    """What environments gain and others lose on the last date."""
    from rich.text import Text

    date = compared.dates[-1]
    frame = compared.tables["displacement"]
    quantity = next(known for known in DELIVERED if known in set(frame["quantity"]))
    unit = "delivered FTE" if quantity == DELIVERED[0] else "FTE in post"
    names = compared.base.scenario.environments
    columns = ("scenario", "gained", "lost elsewhere", "lost per FTE gained", "net", "who loses")
    table = _table(f"Winners and losers in {style.month_name(date)}, {unit}", columns)
    for row in _displaced(compared, compared.names, quantity, date, (ALL,)):
        losers = ", ".join(names.get(place, place) for place in row["losers"].split("; ")) or "nobody"
        each = row["per_gained_median" if "per_gained_median" in row else "per_gained"]
        ratio = "–" if np.isnan(each) else f"{each:.2f}"
        cells = [_lines(row, "gained"), _lines(row, "lost_elsewhere"), ratio, _lines(row, "net")]
        table.add_row(Text(style.shorten(row["scenario"], 40)), *cells, Text(losers))
    return table


def _lines(row: Row, name: str) -> str:
    return _part(row, name).replace(" (", "\n").rstrip(")")


def _costs(compared: Comparison) -> Table:
    """What each scenario costs more, and for an additional FTE-year delivered."""
    from rich.text import Text

    frame = compared.tables["costs"]
    items = [item for item in dict.fromkeys(frame["item"]) if item != "delivered_fte_years"]
    titles = {ALL: "all", PER_YEAR: "£ for each additional delivered FTE-year"}
    heads = [titles.get(item, item.removesuffix("_cost").replace("_", " ")) for item in items]
    since = style.month_name(np.datetime64(compared.base.scenario.start))
    until = style.month_name(compared.dates[-1])
    table = _table(f"Costs from {since} to {until}, less those of the base, £ thousand", ["scenario", *heads])
    for name, rows in frame.groupby("scenario", sort=False):
        by_item = {row["item"]: row for row in rows.to_dict("records")}
        table.add_row(Text(style.shorten(str(name), 40)), *(_money(by_item.get(item)) for item in items))
    return table


def _money(row: Row | None) -> str:
    if row is None:
        return "–"
    if row["words"]:
        return str(row["words"])
    return _cell({**row, "difference": row["central"]})


def _fitting(compared: Comparison, width: int) -> list[np.datetime64]:
    """Dates that the terminal has room for: the last and that of the headline before others."""
    order = dict.fromkeys([compared.dates[-1], headline_date(compared), *compared.dates])
    return sorted(list(order)[: max((width - MARGIN) // WIDTH, 1)])


def _differences(compared: Comparison, name: str, dates: list[np.datetime64]) -> Table:
    """Differences of all posts together on some dates."""
    from rich.text import Text

    by_date = {date: _whole(compared.differences, name, date) for date in dates}
    base = style.shorten(compared.base.scenario.name, 40)
    caption = "median; second lines: 5 to 95 % of draws" if compared.base.n_draws else None
    table = _table(f"{style.shorten(name, 60)}, less {base}", ["all posts", "unit"], caption)
    for date in dates:
        table.add_column(style.month_name(date), justify="right", no_wrap=True)
    keys = dict.fromkeys(key for rows in by_date.values() for key in rows)
    for key in keys:
        quantity, level, over = key
        if over == "cumulated" or quantity == "leaver_rate":
            continue
        unit = next(rows[key]["unit"] for rows in by_date.values() if key in rows)
        words = f"kept in {level}" if level else NAMES.get(quantity, quantity)
        cells = [_cell(rows.get(key)) for rows in by_date.values()]
        table.add_row(Text(words.replace("_", " ")), Text(_unit(unit)), *cells)
    return table


def _cell(row: Row | None) -> str:
    if row is None or np.isnan(row["difference"]):
        return "–"
    if "p5" not in row:
        return number(row, row["difference"])
    return f"{number(row, row['median'])}\n{number(row, row['p5'])} to {number(row, row['p95'])}"
