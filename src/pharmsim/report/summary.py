"""The summary of a run in the terminal."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from pharmsim.report import style
from pharmsim.report.evidence import evidence_text
from pharmsim.results import measures, money, need, retention, rows
from pharmsim.results.batches import over_draws
from pharmsim.results.labelled import Results

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Measure = Callable[..., xr.DataArray]


def show(results: Results, console: Console, folder: Path | None = None) -> None:
    """Print the main numbers of a run: workforce by role, retention, evidence, warnings, files."""
    from rich.text import Text

    console.print(workforce(results))
    kept = retention_table(results)
    if kept is not None:
        console.print(kept)
    console.print(Text("What the run rests on, by grade of evidence:"))
    console.print(Text(evidence_text(results)))
    for warning in results.meta.get("warnings") or []:
        console.print(Text(f"warning: {warning}", style="yellow"))
    console.print(Text(timing(results)))
    if folder is not None:
        console.print(Text(f"files: {folder}"))


def timing(results: Results) -> str:
    """How many draws ran, and how long that took apart from compiling the engine."""
    meta, n = results.meta, results.data.sizes["draw"] - 1
    compiling = float(meta.get("compile_time_s") or 0.0)
    running = max(float(meta.get("wall_time_s") or 0.0) - compiling, 0.0)
    also = f", after compiling the engine once in {compiling:.0f} s" if compiling > 1.0 else ""
    return f"{rows.in_words(meta, n)} in {running:.2f} s{also}"


def marks(results: Results) -> list[int]:
    """Positions on `time` of the start, five years later, and the end."""
    data = results.data
    last = data.sizes["time"] - 1
    five = 5 * measures.YEAR // int(data.attrs.get("months_per_period", 1))
    return sorted({0, min(five, last), last})


def workforce(results: Results) -> Table:
    """People, vacancies, pressure and cost by role at the start, after five years and at the end."""
    from rich.table import Table
    from rich.text import Text

    data, scenario = results.data, results.scenario
    at = marks(results)
    dates = [style.month_name(data["time"].values[i]) for i in at]
    title = Text(style.shorten(scenario.name, 80), style="bold")
    caption = f"second lines: 5–95 % of {rows.kind(results.meta)}" if results.has_draws else None
    table = Table(title=title, caption=caption, title_justify="left", caption_justify="left")
    table.add_column("")
    table.add_column("role")
    for date in dates:
        table.add_column(date, justify="right", no_wrap=True)
    for name, make, unit in quantities(data):
        by_role, total = (_at(data, at, make, by) for by in ("role", None))
        cells = [str(cell) for cell in by_role["cell"].values]
        for j, cell in enumerate(cells):
            values = [_number(column, unit) for column in by_role.values[:, :, j].T]
            table.add_row(name if j == 0 else "", Text(scenario.roles.get(cell, cell)), *values)
        values = [_number(column, unit) for column in total.values[:, :, 0].T]
        table.add_row("", "all", *values, style="bold", end_section=True)
    return table


def _at(data: xr.Dataset, at: list[int], make: Measure, by: measures.By) -> xr.DataArray:
    """A measure at some positions on `time`."""
    return over_draws(data, lambda batch: make(batch.isel(time=at), by))


def quantities(data: xr.Dataset) -> list[tuple[str, Measure, str]]:
    """What the table shows of a run: name, measure of a grouping, how it is written."""
    found: list[tuple[str, Measure, str]] = [
        ("headcount", measures.headcount, "number"),
        ("FTE", measures.fte, "number"),
    ]
    if "establishment_fte" in data and measures.with_establishment(data).any():
        found.append(("vacancies, FTE", measures.vacancies, "number"))
        found.append(("vacancy rate", measures.vacancy_rate, "share"))
    if "pressure" in data:
        found.append(("required ÷ delivered", need.pressure, "ratio"))
    if "pay_bill" in data:
        found.append(("pay and cover, £m a year", _millions, "million"))
    return found


def _millions(data: xr.Dataset, by: measures.By) -> xr.DataArray:
    """What people, temporary cover and backfill cost (GBP million a year)."""
    return money.spending(data, by) * 12.0 / 1e6


FORMATS = {"number": "{:,.0f}", "share": "{:.1%}", "ratio": "{:.2f}", "million": "{:,.1f}"}


def _number(values: np.ndarray, unit: str) -> str:
    """Central value, with its band if there are draws."""

    def one(value: float) -> str:
        return FORMATS[unit].format(value).replace("%", " %")

    if np.isnan(values[0]):
        return "–"
    spread = style.band(values)
    if spread is None:
        return one(values[0])
    low, high = one(float(spread[0])), one(float(spread[1]))
    return f"{one(values[0])}\n{low.removesuffix(' %')} – {high}"


def retention_table(results: Results) -> Table | None:
    """Stability index and leaver rate of every level in the first and in the last year."""
    from rich.table import Table
    from rich.text import Text

    data = results.data
    if "tagged" not in data or not data.sizes.get("retention_year"):
        return None
    ends = [style.month_name(date) for date in measures.year_ends(data)[[0, -1]]]
    title = "Retention over the twelve months to the start of …"
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column("level")
    for name in ("stability\nindex", "leaver\nrate"):
        for end in ends:
            table.add_column(f"{name}\n{end}", justify="right", no_wrap=True)
    for level in [str(name) for name in data["level"].values]:
        pair = [
            over_draws(data, partial(make, level=level))
            for make in (retention.stability_index, retention.leaver_rate)
        ]
        row = [_number(array.values[:, i, 0], "share") for array in pair for i in (0, -1)]
        table.add_row(Text(level), *row)
    return table
