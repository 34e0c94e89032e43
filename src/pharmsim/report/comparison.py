"""A comparison on disk and in the terminal: differences, workbook, figures, manifest, summaries."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmsim import __version__
from pharmsim.report import style
from pharmsim.results import assumptions, manifest, netcdf, workbook
from pharmsim.results.columns import ALL
from pharmsim.results.files import SCENARIO, write_json, write_manifest
from pharmsim.results.folder import complete_or_nothing
from pharmsim.results.tables import main_tables
from pharmsim.results.text import file_name, write_csv
from pharmsim.study.comparison import Comparison, unique_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from rich.console import Console

PANELS = (
    ("headcount", "People in post", "people"),
    ("fte", "FTE in post", "FTE"),
    ("vacancy_fte", "Vacant FTE", "FTE"),
    ("leavers", "Leavers in the year before", "people per year"),
)
SERVICES = (
    ("delivered_fte", "Delivered time", "FTE"),
    ("shortfall_fte", "Shortfall", "FTE"),
    ("pressure", "Pressure", "required ÷ delivered"),
)
"""Quantities of services, where the work is done; their title and unit."""


def write(
    compared: Comparison,
    folder: str | Path,
    force: bool = False,
    figures: bool = True,
    command: Iterable[str] | None = None,
) -> Path:
    """Write a comparison's folder: all of it or nothing.

    Parameters
    ----------
    compared : Comparison
    folder : path
    force : bool
        Replace a results folder that is there.
    figures : bool
    command : iterable of str, optional

    Returns
    -------
    Path
        differences.csv, workbook.xlsx, figures/, manifest.json, and one folder of tables a scenario.
    """
    with complete_or_nothing(folder, force) as partial:
        write_csv(compared.differences, partial / "differences.csv")
        _workbook(compared, partial / "workbook.xlsx")
        if figures:
            write_figures(compared, partial / "figures")
        _scenarios(compared, partial, command)
    return Path(folder)


def _scenarios(compared: Comparison, folder: Path, command: Iterable[str] | None) -> None:
    """Tables, assumptions and the resolved scenario of every run, and the manifest of all."""
    from pharmsim.scenario import to_dict

    runs = [compared.base, *compared.others]
    titles = ["base", *compared.names]
    places = unique_names([f"{i:02d}_{file_name(title)[:40]}" for i, title in enumerate(titles)])
    made: dict[str, Any] = {}
    entries = []
    for results, title, place in zip(runs, titles, places, strict=True):
        target = folder / "scenarios" / place
        target.mkdir(parents=True)
        for name, table in main_tables(results).items():
            write_csv(table, target / f"{name}.csv")
        write_csv(assumptions.as_frame(results.scenario), target / "assumptions.csv")
        description = to_dict(results.scenario)
        write_json(description, target / SCENARIO)
        made = manifest.manifest(description, results.meta, netcdf.digest(results.data), command)
        one = {key: made[key] for key in ("scenario", "files", "warnings", "uncertainties", "results")}
        entries.append({"title": title, "folder": f"scenarios/{place}", **one})
    shared = {key: value for key, value in made.items() if key not in entries[0]}
    write_manifest({**shared, "kind": "comparison", "scenarios": entries}, folder)


def _workbook(compared: Comparison, path: Path) -> None:
    scenario = compared.base.scenario
    lines = [
        ("Base", scenario.name),
        *(("Compared", name) for name in compared.names),
        *(("Warning", text) for text in compared.warnings),
        ("Draws", f"{compared.base.data.sizes['draw'] - 1} besides the central values, the same for all"),
        ("Made by", f"pharmsim {__version__}"),
    ]
    book = workbook.Book(path, f"Compared with {scenario.name}")
    frame = compared.differences
    sheets = ["differences", *(["kept"] if (frame["unit"] == "share").any() else [])]
    book.readme(f"Compared with {scenario.name}", lines, sheets)
    numbers = [name for name in ("base", "value", "difference", "median", "p5", "p95") if name in frame]
    share = frame["unit"] == "share"
    plain, shares = frame[~share].reset_index(drop=True), frame[share].reset_index(drop=True)
    book.sheet("Differences", plain.drop(columns="level"), dict.fromkeys(numbers, "FTE"), 4)
    if len(shares):
        book.sheet(workbook.TITLES["kept"], shares, dict.fromkeys(numbers, "points"), 4)
    book.close()


# -- figures ------------------------------------------------------------------------------------------------


def write_figures(compared: Comparison, folder: Path) -> list[Path]:
    """Draw the differences at the last date: of posts, of services, and of retention by level."""
    with style.styled():
        paths = _by_cell(compared, folder, "differences", PANELS)
        paths += _by_cell(compared, folder, "service_differences", SERVICES)
        return paths + _by_level(compared, folder)


def _last(compared: Comparison) -> pd.DataFrame:
    frame = compared.differences
    return frame[frame["date"] == compared.dates[-1]]


def _foot(compared: Comparison) -> str:
    return style.footnote(compared.base, "difference: scenario less base, the same draws", median=True)


def _points(axes: Axes, frame: pd.DataFrame, rows: list[Any], keys: list[str], compared: Comparison) -> None:
    """One dot with its interval for each row and scenario."""
    n = len(compared.names)
    for i, name in enumerate(compared.names):
        part = frame[frame["scenario"] == name].set_index(keys)
        part = part.reindex(pd.MultiIndex.from_tuples(rows, names=keys) if len(keys) > 1 else pd.Index(rows))
        y = np.arange(len(rows)) + (i - (n - 1) / 2) * 0.7 / max(n, 1)
        centre = part["median" if "median" in part else "difference"].to_numpy(dtype=float)
        colour, marker = style.COLOURS[i % 8], style.MARKERS[i % 8]
        if "p5" in part:
            reach = np.vstack([centre - part["p5"], part["p95"] - centre]).astype(float)
            axes.errorbar(centre, y, xerr=np.maximum(reach, 0.0), fmt="none", ecolor=colour, elinewidth=1.4)
        label = style.shorten(name, 60)
        axes.plot(centre, y, linestyle="none", marker=marker, color=colour, markersize=5, label=label)
    axes.axvline(0.0, color="#555555", lw=0.8)
    axes.grid(axis="x")
    axes.set_ylim(len(rows) - 0.4, -0.6)


def _by_cell(
    compared: Comparison, folder: Path, name: str, wanted: tuple[tuple[str, str, str], ...]
) -> list[Path]:
    """A picture by role and environment, with a panel for each quantity that there is."""
    frame = _last(compared)
    inner = frame[(frame["role"] != ALL) & (frame["environment"] != ALL)]
    inner = inner[inner["quantity"].isin([panel[0] for panel in wanted])]
    if inner.empty:
        return []
    rows = list(dict.fromkeys(zip(inner["environment"], inner["role"], strict=True)))
    panels = [panel for panel in wanted if panel[0] in set(inner["quantity"])]
    date = style.month_name(compared.dates[-1])
    what = "What changes" if wanted is PANELS else "What changes for services"
    title = f"{what} by {date}, compared with {style.shorten(compared.base.scenario.name, 50)}"
    figure = style.new_figure(title, 11.5, 2.0 + 0.3 * len(rows) + 0.1 * len(compared.names))
    grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (quantity, words, unit) in zip(grid, panels, strict=True):
        _points(axes, inner[inner["quantity"] == quantity], rows, ["environment", "role"], compared)
        axes.set_title(words)
        axes.set_xlabel(f"difference, {unit}")
    scenario = compared.base.scenario
    names = [
        f"{scenario.environments.get(place, place)}: {scenario.roles.get(role, role)}" for place, role in rows
    ]
    grid[0].set_yticks(range(len(rows)), [style.shorten(name, 48) for name in names])
    handles, labels = grid[0].get_legend_handles_labels()
    style.legend_below(figure, handles, labels, min(3, len(labels)))
    return style.save(figure, folder, name, _foot(compared))


def _by_level(compared: Comparison, folder: Path) -> list[Path]:
    frame = _last(compared)
    kept = frame[(frame["quantity"] == "stability_index") & (frame["role"] == ALL)]
    kept = kept[kept["environment"] == ALL]
    if kept.empty:
        return []
    columns = [name for name in ("difference", "median", "p5", "p95") if name in kept]
    kept = kept.assign(**{name: 100.0 * kept[name] for name in columns})
    levels = list(dict.fromkeys(kept["level"]))
    date = style.month_name(kept["date"].to_numpy()[0])
    figure = style.new_figure(
        f"Retention in the last year before {date}, difference by level",
        9.0,
        1.8 + 0.4 * len(levels) + 0.1 * len(compared.names),
    )
    axes = figure.subplots()
    _points(axes, kept, levels, ["level"], compared)
    axes.set_yticks(range(len(levels)), [level.replace("_", " ") for level in levels])
    axes.set_xlabel("difference of the stability index, percentage points")
    handles, labels = axes.get_legend_handles_labels()
    style.legend_below(figure, handles, labels, min(3, len(labels)))
    return style.save(figure, folder, "retention_differences", _foot(compared))


# -- terminal -----------------------------------------------------------------------------------------------


def show(compared: Comparison, console: Console, folder: Path | None = None) -> None:
    """Print the differences of all posts together, a table for each scenario."""
    from rich.table import Table
    from rich.text import Text

    frame = compared.differences
    total = frame[(frame["role"] == ALL) & (frame["environment"] == ALL)]
    base = style.shorten(compared.base.scenario.name, 40)
    for scenario in compared.names:
        title = Text(f"{style.shorten(scenario, 60)}, less {base}", style="bold")
        table = Table(title=title, title_justify="left", caption=_caption(total), caption_justify="left")
        table.add_column("all posts")
        table.add_column("unit")
        for date in compared.dates:
            table.add_column(style.month_name(date), justify="right", no_wrap=True)
        part = total[total["scenario"] == scenario]
        for (quantity, level), rows in part.groupby(["quantity", "level"], sort=False):
            by_date: dict[Any, Any] = {row["date"]: row for row in rows.to_dict("records")}
            cells = [_cell(by_date.get(pd.Timestamp(date))) for date in compared.dates]
            unit = str(rows["unit"].iloc[0])
            unit = SCALES[unit][0] if unit in SCALES else unit
            name = f"kept in {level}" if level else NAMES.get(str(quantity), str(quantity))
            table.add_row(Text(name.replace("_", " ")), Text(unit), *cells)
        console.print(table)
    for warning in compared.warnings:
        console.print(Text(f"warning: {warning}", style="yellow"))
    if folder is not None:
        console.print(Text(f"files: {folder}"))


NAMES = {
    "fte": "FTE",
    "vacancy_fte": "vacancies",
    "leavers": "leavers in the year",
    "required_fte": "required time",
    "delivered_fte": "delivered time",
    "shortfall_fte": "shortfall",
}
SCALES = {
    "share": ("points", 100.0, 2),
    "ratio": ("ratio", 1.0, 3),
    "GBP per year": ("£ thousand a year", 0.001, 0),
}
"""Units as shown here: unit, factor, decimals; others as they are, with one decimal."""


def _caption(frame: pd.DataFrame) -> str | None:
    return "median; second lines: 5 to 95 % of draws" if "p5" in frame else None


def _cell(row: dict[Any, Any] | None) -> str:
    if row is None or np.isnan(row["difference"]):
        return "–"
    _, scale, digits = SCALES.get(row["unit"], ("", 1.0, 1))

    def one(name: str) -> str:
        return f"{scale * float(row[name]):+,.{digits}f}"

    return f"{one('median')}\n{one('p5')} to {one('p95')}" if "p5" in row else one("difference")
