"""Figures that explain a programme: attribution, break-even effects, evidence of the headline.

Each takes the rows of one scenario as they stand in the CSV file of that name.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmsim.report import style
from pharmsim.results.text import file_name
from pharmsim.study.attribution import INTERACTION, TOTAL
from pharmsim.study.comparison import unique_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS = {
    ("delivered_fte", "date"): "Delivered FTE",
    ("delivered_fte", "cumulated"): "Delivered FTE-years since the start",
    ("fte", "date"): "FTE in post",
    ("fte", "cumulated"): "FTE-years since the start",
    ("headcount", "date"): "People in post",
    ("stability_index", "year"): "Retention",
    ("total_cost", "cumulated"): "Cost since the start, pay included",
    ("programme_cost", "cumulated"): "Cost of the programme beside pay",
}
"""Panels of the waterfall, (quantity, over) → title."""
SCALES = {"share": (100.0, "points"), "GBP": (1e-6, "£ million")}
"""Unit → factor and unit shown."""
GAIN, LOSS, SPREAD, WHOLE, GREY = *style.COLOURS[:2], style.COLOURS[4], "#3D3D3D", "#B5B5B5"
REACH = 5.4
"""Right end of the break-even axis, in multiples of what is assumed."""


def write(tables: Mapping[str, pd.DataFrame], folder: Path, foot: str) -> list[Path]:
    """Draw every table of `explain.tables`, one picture a scenario.

    Parameters
    ----------
    tables : dict of DataFrame
    folder : Path
    foot : str
        Its first line says where the pictures come from; a line on what they show follows.

    Returns
    -------
    list of Path
    """
    foot = foot.split("\n")[0]
    makers = {"attribution": waterfall, "break_even": break_even, "grounds": grounds}
    paths: list[Path] = []
    with style.styled():
        for title, make in makers.items():
            if title not in tables:
                continue
            parts = dict(list(tables[title].groupby("scenario", sort=False)))
            places = unique_names([file_name(str(name))[:40] for name in parts])
            for place, (name, part) in zip(places, parts.items(), strict=True):
                text = f"{foot}  ·  beside it: {style.shorten(str(name), 60)}\n{note(title, part)}"
                paths += style.save(make(part), folder, f"{title}_{place}", text)
    return paths


def note(title: str, frame: pd.DataFrame) -> str:
    """What the marks of a picture are, for the line at its foot."""
    n = int(frame["draws"].max()) if "draws" in frame else 0
    lines = f"lines 5–95 % of {n} draws" if n else "no range was run"
    shares = "sampled orders" if "sampled" in set(frame.get("method", ())) else "Shapley values"
    return {
        "attribution": f"bars: {shares} at the central values; {lines}; diamonds: alone",
        "break_even": f"marks: central values; {lines}",
        "grounds": "Shapley values at the central values",
    }[title]


def waterfall(frame: pd.DataFrame) -> Figure:
    """What each intervention adds to the difference at the last date, and how they interact.

    Parameters
    ----------
    frame : DataFrame
        Rows of `attribution.csv` of one scenario.

    Returns
    -------
    Figure
        A panel for each quantity and level: bars one behind the other up to the total; lines 5–95 %
        of draws; diamonds what each would add alone.
    """
    frame = frame[frame["date"] == frame["date"].max()]
    levels = frame["level"].astype(object).fillna("")
    panels = [
        (title + (f", {level}" if level else ""), part)
        for (quantity, over), title in PANELS.items()
        for level, part in frame[(frame["quantity"] == quantity) & (frame["over"] == over)].groupby(levels)
    ]
    n_rows = len(panels[0][1]) if panels else 0
    rows, columns = -(-len(panels) // 2), min(2, len(panels))
    day = pd.Timestamp(frame["date"].max()).strftime("%B %Y")
    figure = style.new_figure(
        f"What each intervention adds, {day}", height=1.0 + rows * (0.75 + 0.24 * n_rows)
    )
    grid = np.atleast_1d(figure.subplots(rows, columns, squeeze=False, sharey=True)).ravel()
    for axes, (title, part) in zip(grid, panels, strict=False):
        _steps(axes, part, title)
    for axes in grid[len(panels) :]:
        axes.set_visible(False)
    _legend(figure)
    return figure


def _legend(figure: Figure) -> None:
    """What the colours of a waterfall say."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles = [
        Patch(color=GAIN),
        Patch(color=LOSS),
        Patch(facecolor=GREY, hatch="//", edgecolor="white"),
        Line2D([], [], linestyle="none", marker="D", ms=4.5, mfc="white", mec="black"),
        Line2D([], [], color=SPREAD, lw=1.6),
    ]
    texts = ["more", "less", "interaction: total less what each adds alone", "alone", "interval of draws"]
    style.legend_below(figure, handles, texts, 5)


def _steps(axes: Axes, part: pd.DataFrame, title: str) -> None:
    """One waterfall: shares one behind the other, the total, and the interaction up to it."""
    factor, unit = SCALES.get(str(part["unit"].iloc[0]), (1.0, str(part["unit"].iloc[0])))
    rows: dict[str, dict[Any, Any]] = {row["lever"]: row for row in part.to_dict("records")}
    levers = [name for name in rows if name not in (INTERACTION, TOTAL)]
    names = [*levers, TOTAL, *([INTERACTION] if len(levers) > 1 else [])]
    left, whole = 0.0, factor * float(rows[TOTAL]["value"])
    for y, name in enumerate(names):
        row = rows[name]
        value = factor * float(row["value"])
        start = {TOTAL: 0.0, INTERACTION: whole - value}.get(name, left)
        colour = WHOLE if name == TOTAL else GREY if name == INTERACTION else GAIN if value >= 0 else LOSS
        hatch = "//" if name == INTERACTION else ""
        axes.barh(y, value, left=start, color=colour, height=0.62, hatch=hatch, edgecolor="white")
        if np.isfinite(row.get("p5", np.nan)):
            axes.plot(
                start + factor * np.array([row["p5"], row["p95"]], dtype=float),
                [y, y],
                color="#E69F00",
                lw=1.6,
            )
        if name in levers:
            axes.plot(start + factor * float(row["alone"]), y, "D", ms=4.5, mfc="white", mec="black", mew=0.9)
            left += value
    axes.axvline(0.0, color="#555555", lw=0.8)
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    axes.set_yticks(range(len(names)), [_words(name) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_title(title)
    axes.set_xlabel(unit)


def break_even(frame: pd.DataFrame) -> Figure:
    """How large claimed effects must be, beside how large they are assumed to be.

    Parameters
    ----------
    frame : DataFrame
        Rows of `break_even.csv` of one scenario.

    Returns
    -------
    Figure
        One row for each effect, in multiples of what is assumed.
    """
    frame = frame[frame["assumed"] != 0.0]
    rows = list(frame.groupby(["lever", "effect"], sort=False))
    figure = style.new_figure("How large must the effect be?", height=1.7 + 0.75 * len(rows))
    axes = figure.subplots()
    labels = []
    for y, ((lever, effect), part) in enumerate(rows):
        one = part.iloc[0]
        ends = sorted((one["low"] / one["assumed"], one["high"] / one["assumed"]))
        axes.barh(y, ends[1] - ends[0], left=ends[0], height=0.66, color="#DDDDDD")
        axes.plot([1.0, 1.0], [y - 0.33, y + 0.33], color="#555555", lw=1.6)
        for i, row in enumerate(part.to_dict("records")):
            _mark(axes, row, y + 0.3 * (i - (len(part) - 1) / 2), i)
        assumed, low, high = (f"{one[name] + 0.0:.3g}" for name in ("assumed", "low", "high"))
        span = f" ({low} to {high})" if low != high else ""
        text = (
            f"{_words(str(lever))}:\n{style.shorten(str(effect), 44)},\nassumed {assumed} {one['unit']}{span}"
        )
        labels.append(text.replace("-", "−"))
    axes.set_yticks(range(len(rows)), labels)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(min(0.0, axes.get_xlim()[0]) - 0.1, REACH)
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("multiples of what is assumed (grey: its range; upright line: its central value)")
    handles, texts = axes.get_legend_handles_labels()
    unique = dict(zip(texts, handles, strict=True))
    style.legend_below(figure, list(unique.values()), list(unique), 2)
    return figure


CRITERIA = ("no delivered time is lost", "an added FTE-year costs no more than cover")
"""What is asked, in the order of the rows of an effect."""


def _mark(axes: Axes, row: Mapping[Any, Any], y: float, i: int) -> None:
    """The break-even size of one effect for one criterion, with its interval; an arrow if out of reach."""
    colour, marker = style.COLOURS[i], style.MARKERS[i]
    assumed, size = float(row["assumed"]), float(row["break_even"])
    ends = [float(row.get(name, np.nan)) / assumed for name in ("p5", "p95")]
    known = [x for x in ends if np.isfinite(x)]
    if known:
        reach = [min(known), max(known) if len(known) == 2 else REACH]
        axes.plot(reach, [y, y], color=colour, lw=1.6)
    at, symbol = (size / assumed, marker) if np.isfinite(size) else (REACH - 0.12, ">")
    axes.plot(at, y, linestyle="none", marker=symbol, color=colour, ms=7, mec="white")
    axes.plot([], [], linestyle="-", marker=marker, color=colour, ms=6, label=CRITERIA[i])
    if not np.isfinite(size):
        axes.text(
            REACH - 0.28, y, "not within reach", ha="right", va="center", fontsize=8, backgroundcolor="white"
        )


def grounds(frame: pd.DataFrame) -> Figure:
    """How much of the difference in delivered time rests on which evidence.

    Parameters
    ----------
    frame : DataFrame
        Rows of `grounds.csv` of one scenario.

    Returns
    -------
    Figure
    """
    panels = list(frame.groupby(["quantity", "over"], sort=False))
    figure = style.new_figure("What the difference rests on", height=1.5 + 0.3 * frame["grade"].nunique())
    grid = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, ((quantity, over), part) in zip(grid, panels, strict=True):
        values = part["value"].to_numpy(dtype=float)
        axes.barh(range(len(part)), values, color=[GAIN if x >= 0 else LOSS for x in values], height=0.6)
        for y, (value, share) in enumerate(zip(values, part["share"], strict=True)):
            text = f" {share:.0%} " if np.isfinite(share) else ""
            axes.text(value, y, text, va="center", ha="left" if value >= 0 else "right", fontsize=8)
        axes.set_yticks(range(len(part)), list(part["grade"]))
        axes.set_ylim(len(part) - 0.4, -0.6)
        axes.margins(x=0.15)
        axes.axvline(0.0, color="#555555", lw=0.8)
        axes.grid(axis="x")
        axes.grid(visible=False, axis="y")
        axes.set_title(PANELS.get((str(quantity), str(over)), str(quantity)))
        axes.set_xlabel(f"{part['unit'].iloc[0]}; share of the whole difference beside the bars")
    return figure


def _words(name: str) -> str:
    """A name as people read it."""
    return style.shorten(name.replace("_", " "), 34)
