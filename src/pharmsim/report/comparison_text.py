"""A comparison in words and in the terminal."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmsim.report import deciding_text, style
from pharmsim.results import rows as rows_of
from pharmsim.results.columns import ALL
from pharmsim.results.rows import by_chance, in_words
from pharmsim.scenario.models import Scenario
from pharmsim.study.comparing.comparison import Comparison
from pharmsim.study.comparing.costs import PER_YEAR
from pharmsim.study.comparing.displacement import LEAST
from pharmsim.study.comparing.kinds import DELIVERED
from pharmsim.study.dates import STRATEGY_END, read_date

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

Row = dict[Any, Any]
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
    "GBP per year": ("£ thousand a year", 0.001, 0),
    "GBP": ("£ thousand", 0.001, 0),
    "GBP per FTE-year": ("£ thousand", 0.001, 1),
}
"""Units as shown here: unit, factor, decimals; others as they are, with one decimal."""
NAMED = 3
"""Environments that lose, named in a sentence at most."""
MARGIN, WIDTH = 45, 22
"""Columns of the terminal that names and units, and each date, take."""
ITEM = 17
"""Columns of the terminal that names of costs take."""
COSTS = {
    "pay_bill": "pay",
    "cover_cost": "temporary cover",
    "backfill_cost": "backfill",
    "programme_cost": "programme",
}
ITEMS = {**COSTS, ALL: "all together", PER_YEAR: "for each additional delivered FTE-year"}


def draws_of(compared: Comparison) -> str:
    """How many draws stand behind the numbers."""
    n, meta = compared.base.n_draws, compared.base.meta
    if by_chance(meta):
        return f"{in_words(meta, n)}, the same for all"
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
        parts[0] += _better(whole[quantity, "", "date"], rows_of.word(compared.base.meta))
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
    value, unit = number(row, row["median" if "median" in row else "difference"]), _unit(row["unit"])
    text = f"{value[0]}£{value[1:]} {unit[2:]}" if unit.startswith("£ ") else f"{value} {unit}"
    return f"{text} ({number(row, row['p5'])} to {number(row, row['p95'])})" if "p5" in row else text


def _better(row: Row, of: str) -> str:
    """How probable it is that this is better."""
    better = row.get("p_better", np.nan)
    return "" if np.isnan(better) else f", better in {100.0 * better:.0f} % of {of}"


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


def chance_of(compared: Comparison, name: str) -> str:
    """Which part of the spread of a scenario's differences is chance, on the last date."""
    meta = compared.base.meta
    if meta["drawn"] < 2:
        return "all of the spread is chance: no input varies"
    whole = _whole(compared.differences, name, compared.dates[-1])
    shown = {f"kept in {key[1]}" if key[1] else NAMES.get(key[0], key[0]): row for key, row in whole.items()
             if key[2] != "cumulated" and key[0] != "leaver_rate" and row["from_chance"] >= 0.0}  # fmt: skip
    told = ((words, rows_of.of_chance(row["from_chance"])) for words, row in shown.items())
    parts = [f"{words.replace('_', ' ')} {share}" for words, share in told]
    when = style.month_name(compared.dates[-1])
    if not parts:
        return f"chance: no difference varies in {when}"
    made = f"of the spread in {when} (variance), chance makes: {', '.join(parts)}; uncertain inputs the rest"
    return f"{made} ({rows_of.estimated_from(meta)})"


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
    each = _part(row, "per_gained")
    return f"{text}, gained {_part(row, 'gained')} elsewhere: {each} lost for each FTE gained"


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
    digits = 2 if name == "per_gained" else 1
    columns = [f"{name}_{point}" for point in ("median", "p5", "p95")]
    numbers = [row[column] for column in columns if column in row] or [row[name]]
    if np.isnan(numbers[0]):
        return "–"
    values = [f"{_rounded(number, digits):,.{digits}f}" for number in numbers]
    return f"{values[0]} ({values[1]} to {values[2]})" if len(values) > 1 else values[0]


def duration(seconds: float) -> str:
    """A time that was estimated, in words."""
    if seconds < 10.0:
        return "a few seconds"
    if seconds < 90.0:
        return f"about {10 * round(seconds / 10.0)} seconds"
    return f"about {round(seconds / 60.0)} minutes"


# -- terminal -----------------------------------------------------------------------------------------------


def show(compared: Comparison, console: Console, folder: Path | None = None) -> None:
    """Print a sentence for each scenario, who loses, what it costs, and the differences of all posts."""
    from rich.text import Text

    base = style.shorten(compared.base.scenario.name, 60)
    meta, n = compared.base.meta, compared.base.n_draws
    drawn = f"median (5 to 95 % of {rows_of.kind(meta)})" if n else "no input has a range: central values"
    console.print(Text(f"Compared with {base}; {drawn}", style="bold"))
    if by_chance(meta):
        console.print(Text(draws_of(compared)))
    for i, sentence in enumerate(headlines(compared), 1):
        console.print(Text(f"{i}  {sentence}"))
    console.print()
    console.print(_winners(compared))
    for table in _costs(compared, console.width):
        console.print(table)
    for table in deciding_text.tables_of(compared.tables):
        console.print(table)
    for sentence in (*deciding_text.sentences(compared.tables), *deciding_text.failures(compared.tables)):
        console.print(Text(sentence))
    for i, name in enumerate(compared.names, 1):
        console.print(_differences(compared, name, i, _fitting(compared, console.width)))
        if "from_chance" in compared.differences:
            console.print(Text(chance_of(compared, name)))
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


def _table(title: str, columns: Iterable[str | Text], caption: str | None = None) -> Table:
    from rich.table import Table
    from rich.text import Text

    heading = Text(title, style="bold")
    table = Table(title=heading, title_justify="left", caption=caption, caption_justify="left")
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i else "left", overflow="fold")
    return table


def _winners(compared: Comparison) -> Table:
    """What environments gain and others lose on the last date."""
    date = compared.dates[-1]
    frame = compared.tables["displacement"]
    quantity = next(known for known in DELIVERED if _all_have(compared, frame[frame["quantity"] == known]))
    unit = "delivered FTE" if quantity == DELIVERED[0] else "FTE in post"
    known = compared.base.scenario.environments
    columns = ("", "gained", "lost elsewhere", "lost for 1 FTE gained", "net")
    losers = []
    rows = _displaced(compared, compared.names, quantity, date, (ALL,))
    for i, row in enumerate(rows, 1):
        names = ", ".join(known.get(place, place) for place in row["losers"].split("; ")) or "nobody"
        losers.append(f"who loses, {i}: {names}")
    title = f"Winners and losers in {style.month_name(date)}, {unit}"
    table = _table(title, columns, "\n".join(losers))
    for i, row in enumerate(rows, 1):
        table.add_row(
            deciding_text.line_head(i, str(row["scenario"])),
            *(_lines(row, part) for part in ("gained", "lost_elsewhere", "per_gained", "net")),
        )
    return table


def _all_have(compared: Comparison, frame: pd.DataFrame) -> bool:
    return set(compared.names) <= set(frame["scenario"])


def _lines(row: Row, name: str) -> str:
    return _part(row, name).replace(" (", "\n").rstrip(")")


def _costs(compared: Comparison, width: int) -> list[Table]:
    """What each scenario costs more, and for an additional FTE-year: as many beside each other as fit."""
    from rich.text import Text

    if "costs" not in compared.tables:
        return []
    parts = dict(list(compared.tables["costs"].groupby("scenario", sort=False)))
    cells = {
        i: {row["item"]: _money(row) for row in parts[name].to_dict("records")}
        for i, name in enumerate(compared.names, 1)
        if name in parts
    }
    items = [item for item in ITEMS if any(item in column for column in cells.values())]
    lines = [line for column in cells.values() for text in column.values() for line in text.split("\n")]
    room = max((width - ITEM - 4) // (max(map(len, lines)) + 3), 1)
    since = style.month_name(np.datetime64(compared.base.scenario.start))
    until = style.month_name(compared.dates[-1])
    title = f"Costs {since} to {until} less the base's, £ thousand"
    tables = []
    for top in range(0, len(cells), room):
        chosen = list(cells)[top : top + room]
        heads = [deciding_text.line_head(i, compared.names[i - 1]) for i in chosen]
        table = _table(title if not top else "", ["", *heads])
        table.columns[0].max_width = ITEM
        for item in items:
            table.add_row(Text(ITEMS[item]), *(cells[i].get(item, "–") for i in chosen))
        tables.append(table)
    return tables


def _money(row: Row) -> str:
    return str(row["words"] or _cell({**row, "difference": row["central"]}))


def _fitting(compared: Comparison, width: int) -> list[np.datetime64]:
    """Dates that the terminal has room for: the last and that of the headline before others."""
    order = dict.fromkeys([compared.dates[-1], headline_date(compared), *compared.dates])
    return sorted(list(order)[: max((width - MARGIN) // WIDTH, 1)])


def _differences(compared: Comparison, name: str, i: int, dates: list[np.datetime64]) -> Table:
    """Differences of all posts together on some dates."""
    from rich.text import Text

    by_date = {date: _whole(compared.differences, name, date) for date in dates}
    of = f"median; second lines: 5 to 95 % of {rows_of.kind(compared.base.meta)}"
    caption = of if compared.base.n_draws else None
    table = _table(f"{i}  {style.shorten(name, 56)}, less the base", ["all posts", "unit"], caption)
    for date in dates:
        table.add_column(style.month_name(date), justify="right", overflow="fold")
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
    if not any(row[name] for name in ("median", "p5", "p95")):
        return "0"
    return f"{number(row, row['median'])}\n{number(row, row['p5'])} to {number(row, row['p95'])}"
