"""Pictures of a comparison: scenarios side by side, over time, who loses, costs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmsim.report import style
from pharmsim.report.comparison_text import COSTS, headline_level
from pharmsim.report.winners_figure import winners_and_losers
from pharmsim.results.columns import ALL
from pharmsim.results.rows import word
from pharmsim.results.text import file_name
from pharmsim.scenario.models import Scenario
from pharmsim.study.comparing.comparison import Comparison, unique_names
from pharmsim.study.comparing.costs import PER_YEAR
from pharmsim.study.comparing.kinds import DELIVERED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

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
LINES = (
    ("headcount", "People in post", "people", 1.0),
    ("delivered_fte", "Delivered time", "FTE", 1.0),
    ("vacancy_rate", "Vacancy rate", "points", 100.0),
    ("stability_index", "Retention", "points", 100.0),
)
"""Quantities drawn over time; their title, unit and factor."""
MILLION = 1e-6
BEYOND = 3.0
"""The axis of the price of an FTE-year ends at this times the largest median."""
Drawn = tuple[str, "Figure", str]
"""Name of the file, figure, note at the foot."""


def write(compared: Comparison, folder: Path) -> list[Path]:
    """Draw every picture that the comparison has data for.

    Parameters
    ----------
    compared : Comparison
    folder : Path

    Returns
    -------
    list of Path
    """
    less = f"difference: scenario less base, the same {word(compared.base.meta)}"
    paths: list[Path] = []
    with style.styled():
        for name, figure, note in _drawn(compared):
            foot = style.footnote(compared.base, note or less, median=True)
            paths += style.save(figure, folder, name, foot)
    return paths


def _drawn(compared: Comparison) -> Iterator[Drawn]:
    frame = compared.differences
    last = frame[(frame["date"] == compared.dates[-1]) & (frame["over"] != "cumulated")]
    tables, scenario = compared.tables, compared.base.scenario
    yield from _by_cell(last, "differences", "What changes", PANELS, scenario)
    yield from _by_cell(last, "service_differences", "What changes for services", SERVICES, scenario)
    yield from _by_level(last)
    bands = f"bands 50 and 90 %, difference: scenario less base, the same {word(compared.base.meta)}"
    yield "trajectories", trajectories(tables["trajectories"], headline_level(scenario)), bands
    yield from _winners(last, scenario)
    if "costs" in tables:
        yield "costs", costs(tables["costs"]), ""


# -- side by side -------------------------------------------------------------------------------------------


def _points(axes: Axes, frame: pd.DataFrame, rows: list[Any], keys: list[str]) -> None:
    """One dot with its interval for each row and scenario."""
    names = list(dict.fromkeys(frame["scenario"]))
    for i, name in enumerate(names):
        part = frame[frame["scenario"] == name].set_index(keys)
        part = part.reindex(pd.MultiIndex.from_tuples(rows, names=keys) if len(keys) > 1 else pd.Index(rows))
        y = np.arange(len(rows)) + (i - (len(names) - 1) / 2) * 0.7 / max(len(names), 1)
        colour, marker = style.COLOURS[i % 8], style.MARKERS[i % 8]
        if "p5" in part:
            axes.hlines(y, part["p5"].to_numpy(), part["p95"].to_numpy(), color=colour, lw=1.2)
        label = style.shorten(name, 60)
        axes.plot(_middle(part), y, linestyle="none", marker=marker, color=colour, markersize=4, label=label)
    axes.axvline(0.0, color="#555555", lw=0.8)
    axes.grid(axis="x")
    axes.set_ylim(len(rows) - 0.4, -0.6)


def _middle(part: pd.DataFrame) -> np.ndarray:
    """Medians, or central values where there are no draws."""
    names = [name for name in ("median", "difference", "central") if name in part]
    return part[names[0]].to_numpy(dtype=float)


def _by_cell(
    last: pd.DataFrame, name: str, title: str, wanted: tuple[tuple[str, str, str], ...], scenario: Scenario
) -> Iterator[Drawn]:
    """A picture by role and environment, with a panel for each quantity that there is."""
    inner = last[(last["role"] != ALL) & (last["environment"] != ALL)]
    inner = inner[inner["quantity"].isin([panel[0] for panel in wanted])]
    if inner.empty:
        return
    rows = list(dict.fromkeys(zip(inner["environment"], inner["role"], strict=True)))
    panels = [panel for panel in wanted if panel[0] in set(inner["quantity"])]
    n = inner["scenario"].nunique()
    date = style.month_name(inner["date"].to_numpy()[0])
    heading = f"{title} by {date}, compared with {style.shorten(scenario.name, 50)}"
    figure = style.new_figure(heading, 11.5, 2.0 + (0.22 + 0.07 * n) * len(rows) + 0.1 * n)
    grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, (quantity, words, unit) in zip(grid, panels, strict=True):
        _points(axes, inner[inner["quantity"] == quantity], rows, ["environment", "role"])
        axes.set_title(words)
        axes.set_xlabel(f"difference, {unit}")
    names = [
        f"{scenario.environments.get(place, place)}: {scenario.roles.get(role, role)}" for place, role in rows
    ]
    grid[0].set_yticks(range(len(rows)), [style.shorten(name, 48) for name in names])
    handles, labels = grid[0].get_legend_handles_labels()
    style.legend_below(figure, handles, labels, min(3, len(labels)))
    yield name, figure, ""


def _by_level(last: pd.DataFrame) -> Iterator[Drawn]:
    kept = last[(last["quantity"] == "stability_index") & (last["role"] == ALL)]
    kept = kept[kept["environment"] == ALL]
    if kept.empty:
        return
    columns = [name for name in ("difference", "median", "p5", "p95") if name in kept]
    kept = kept.assign(**{name: 100.0 * kept[name] for name in columns})
    levels = list(dict.fromkeys(kept["level"]))
    n = kept["scenario"].nunique()
    date = style.month_name(kept["date"].to_numpy()[0])
    figure = style.new_figure(
        f"Retention in the last year before {date}, difference by level",
        9.0,
        1.8 + (0.3 + 0.07 * n) * len(levels) + 0.1 * n,
    )
    axes = figure.subplots()
    _points(axes, kept, levels, ["level"])
    axes.set_yticks(range(len(levels)), [level.replace("_", " ") for level in levels])
    axes.set_xlabel("difference of the stability index, percentage points")
    handles, labels = axes.get_legend_handles_labels()
    style.legend_below(figure, handles, labels, min(3, len(labels)))
    yield "retention_differences", figure, ""


# -- over time ----------------------------------------------------------------------------------------------


def trajectories(frame: pd.DataFrame, level: str) -> Figure:
    """Differences of the whole system over time, a row of pictures for each scenario.

    Parameters
    ----------
    frame : DataFrame
        Rows of `trajectories.csv`.
    level : str
        Level of retention.

    Returns
    -------
    Figure
        Line: median (central values without draws); bands: 50 and 90 % of draws. A quantity has the same
        scale in every row.
    """
    whole = frame[(frame["role"] == ALL) & (frame["environment"] == ALL) & (frame["scenario"] != "")]
    whole = whole[whole["level"].isin(["", level])]
    names = list(dict.fromkeys(whole["scenario"]))
    there = set(whole["quantity"])
    panels = [
        ("fte", "FTE in post", "FTE", 1.0) if panel[0] == "delivered_fte" not in there else panel
        for panel in LINES
    ]
    panels = [panel for panel in panels if panel[0] in there]
    figure = style.new_figure("Differences from the base over time", 11.5, 1.1 + 1.75 * len(names))
    grid = figure.subplots(len(names), len(panels), sharex=True, sharey="col", squeeze=False)
    for i, (row, name) in enumerate(zip(grid, names, strict=True)):
        for axes, (quantity, words, unit, factor) in zip(row, panels, strict=True):
            part = whole[(whole["scenario"] == name) & (whole["quantity"] == quantity)]
            _line(axes, part, factor)
            style.year_axis(axes, 4)
            axes.set_ylabel(unit)
            if not i:
                more = f" ({level.replace('_', ' ')})" if quantity == "stability_index" else ""
                axes.set_title(words + more)
        row[0].annotate(
            textwrap.fill(style.shorten(name, 72), 36), (0.0, 1.0), (4, -2), xycoords="axes fraction",
            textcoords="offset points", va="top", fontsize=8, fontweight="bold",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0},
        )  # fmt: skip
    return figure


def _line(axes: Axes, part: pd.DataFrame, factor: float) -> None:
    x = style.years(part["date"].to_numpy())
    values = {
        column.removeprefix("difference_"): factor * part[column].to_numpy(dtype=float)
        for column in map(str, part)
        if column.startswith("difference_")
    }
    for low, high, alpha in (("p5", "p95", 0.18), ("p25", "p75", 0.3)):
        if low in values:
            axes.fill_between(x, values[low], values[high], color=style.COLOURS[0], alpha=alpha, linewidth=0)
    axes.plot(x, values.get("median", values["central"]), color=style.COLOURS[0], lw=1.5)
    axes.axhline(0.0, color="#555555", lw=0.8)


# -- who loses, and costs -----------------------------------------------------------------------------------


def _winners(last: pd.DataFrame, scenario: Scenario) -> Iterator[Drawn]:
    """Bars by environment and role, a picture for each scenario."""
    quantity = next(known for known in DELIVERED if known in set(last["quantity"]))
    known: Mapping[str, str] = {**scenario.roles, **scenario.environments}
    parts = dict(list(last[last["quantity"] == quantity].groupby("scenario", sort=False)))
    places = unique_names([file_name(str(name))[:40] for name in parts])
    for place, (name, part) in zip(places, parts.items(), strict=True):
        unit = "delivered FTE" if quantity == DELIVERED[0] else "FTE in post"
        what = f"{unit} in {style.month_name(part['date'].to_numpy()[0])}, {style.shorten(str(name), 50)}"
        figure = winners_and_losers(part, lambda label: known.get(label, label), what)
        yield f"winners_and_losers_{place}", figure, ""


def costs(frame: pd.DataFrame) -> Figure:
    """What scenarios cost more or less than the base, and for an additional delivered FTE-year.

    Parameters
    ----------
    frame : DataFrame
        Rows of `costs.csv`.

    Returns
    -------
    Figure
        Bars by item, to the left of zero what is saved; diamonds with lines: all together, and for an
        FTE-year, with 90 % of draws.
    """
    names = list(dict.fromkeys(frame["scenario"]))
    items = [item for item in COSTS if item in set(frame["item"])]
    until = style.month_name(frame["date"].to_numpy()[0])
    figure = style.new_figure(f"Costs up to {until}, less those of the base", 10.0, 1.7 + 0.42 * len(names))
    each = PER_YEAR in set(frame["item"])
    grid = figure.subplots(1, 1 + each, sharey=True, squeeze=False, width_ratios=[3, 2][: 1 + each])[0]
    y = np.arange(len(names))
    ends = {side: np.zeros(len(names)) for side in (-1, 1)}
    for i, item in enumerate(items):
        values = MILLION * _middle(_items(frame, item, names))
        left = np.where(values < 0.0, ends[-1], ends[1])
        look = {"color": style.COLOURS[i], "hatch": style.HATCHES[i], "edgecolor": "white", "linewidth": 0.0}
        grid[0].barh(y, values, 0.62, left=left, label=COSTS[item], **look)
        for side in ends:
            ends[side] = ends[side] + np.where(side * values > 0.0, values, 0.0)
    _diamonds(grid[0], _items(frame, ALL, names), MILLION)
    grid[0].set_yticks(y, [style.shorten(name, 44) for name in names])
    grid[0].set_ylim(len(names) - 0.4, -0.6)
    grid[0].set_xlabel("£ million since the start")
    if each:
        _per_year(grid[1], _items(frame, PER_YEAR, names))
    for axes in grid:
        axes.axvline(0.0, color="#555555", lw=0.8)
        axes.grid(axis="x")
        axes.grid(visible=False, axis="y")
    handles, labels = grid[0].get_legend_handles_labels()
    style.legend_below(figure, handles, labels, 5)
    return figure


def _items(frame: pd.DataFrame, item: str, names: list[str]) -> pd.DataFrame:
    return frame[frame["item"] == item].set_index("scenario").reindex(names)


def _diamonds(axes: Axes, part: pd.DataFrame, factor: float) -> None:
    y = np.arange(len(part))
    if "p5" in part:
        low, high = (factor * part[name].to_numpy(dtype=float) for name in ("p5", "p95"))
        axes.hlines(y, low, high, color="black", lw=1.0)
    look: dict[str, Any] = {"mfc": "white", "mec": "black", "ms": 5.0, "ls": "none"}
    axes.plot(factor * _middle(part), y, "D", label="all together", **look)


def _per_year(axes: Axes, part: pd.DataFrame) -> None:
    """Cost of an additional FTE-year, or that there is no gain to divide by."""
    told = part["words"].fillna("").to_numpy() != ""
    numbers = [name for name in ("central", "median", "p5", "p95") if name in part]
    _diamonds(axes, part.assign(**{name: part[name].where(~told) for name in numbers}), 1e-3)
    for y in np.flatnonzero(told).tolist():
        axes.text(
            0.02, y, str(part["words"].iloc[y]), transform=axes.get_yaxis_transform(), va="center", fontsize=8
        )
    low, high = axes.get_xlim()
    most = BEYOND * np.nanmax(np.append(1e-3 * np.abs(_middle(part)[~told]), 1.0))
    axes.set_xlim(max(low, -most), min(high, most))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_title("Per additional delivered FTE-year")
    cut = "; cut off" if high > most or low < -most else ""
    axes.set_xlabel(f"£ thousand, draws with a gain{cut}")
