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
from pharmsim.study.comparing.comparison import unique_names
from pharmsim.study.explaining.attribution import INTERACTION, TOTAL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS = {
    ("delivered_fte", "date"): "Delivered FTE",
    ("delivered_fte", "cumulated"): "Delivered FTE-years since the start",
    ("fte", "date"): "FTE in post",
    ("fte", "cumulated"): "FTE-years since the start",
    ("stability_index", "year"): "Retention",
    ("total_cost", "cumulated"): "Cost since the start",
}
"""Panels of the waterfall, (quantity, over) → title."""
SCALES = {"share": (100.0, "points"), "GBP": (1e-6, "£ million")}
"""Unit → factor and unit shown."""
SPARE = {("fte", "date"): ("delivered_fte", "date"), ("fte", "cumulated"): ("delivered_fte", "cumulated")}
"""What is drawn only where something better is not there."""
GAIN, LOSS, MARK, WHOLE, GREY = *style.COLOURS[:2], style.COLOURS[4], "#3D3D3D", "#B5B5B5"
LESS, MIXED = "////", "xxxx"
"""Hatches, so that grey prints tell more from less too."""
REACH = 5.4
"""Right end of the break-even axis, in multiples of what is assumed."""


def write(tables: Mapping[str, pd.DataFrame], folder: Path, foot: str, of: str = "draws") -> list[Path]:
    """Draw every table of `explain.tables`, one picture a scenario.

    Parameters
    ----------
    tables : dict of DataFrame
    folder : Path
    foot : str
        Its first line says where the pictures come from; a line on what they show follows.
    of : str
        What the runs behind the central one are called: draws, or futures.

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
                text = f"{foot}  ·  beside it: {style.shorten(str(name), 60)}\n{note(title, part, of)}"
                paths += style.save(make(part), folder, f"{title}_{place}", text)
    return paths


def note(title: str, frame: pd.DataFrame, of: str = "draws") -> str:
    """What the marks of a picture are, for the line at its foot."""
    n = int(frame["draws"].max()) if "draws" in frame else 0
    ticks = "; upright ticks: median" if "median" in frame else ""
    lines = f"lines 5–95 % of {n} {of}" if n else "no range was run"
    shares = "sampled orders" if "sampled" in set(frame.get("method", ())) else "Shapley values"
    return {
        "attribution": f"bars: {shares} at the central values; {lines}{_error(frame)}",
        "break_even": f"marks: central values; {lines}{ticks}",
        "grounds": "Shapley values at the central values",
    }[title]


def _error(frame: pd.DataFrame) -> str:
    """How far sampled orders may be off, in words."""
    return "; errors of sampling stand in the table" if "sampled" in set(frame.get("method", ())) else ""


def waterfall(frame: pd.DataFrame) -> Figure:
    """What each intervention adds to the difference at the last date, and how they interact.

    Parameters
    ----------
    frame : DataFrame
        Rows of `attribution.csv` of one scenario.

    Returns
    -------
    Figure
        A row for each quantity and level. Left: bars one behind the other up to the total, at the central
        values. Right, from zero: median and 5–95 % of draws, the central value, and what each adds alone.
    """
    frame = frame[frame["date"] == frame["date"].max()]
    frame = frame.assign(level=frame["level"].astype(object).fillna(""))
    there = {pair for pair in zip(frame["quantity"], frame["over"], strict=True) if pair in PANELS}
    titles = [pair for pair in PANELS if pair in there and not (pair in SPARE and SPARE[pair] in there)]
    rows = [
        (PANELS[pair] + (f", {level!s}" if level else ""), part)
        for pair in titles
        for level, part in frame[(frame["quantity"] == pair[0]) & (frame["over"] == pair[1])].groupby("level")
    ]
    n_parts = len(rows[0][1]) if rows else 0
    day = pd.Timestamp(frame["date"].max()).strftime("%B %Y")
    height = 1.1 + len(rows) * (0.72 + 0.2 * n_parts)
    figure = style.new_figure(f"What each intervention adds, {day}", height=height)
    grid = figure.subplots(max(len(rows), 1), 2, squeeze=False, sharey=True)
    for (left, right), (title, part) in zip(grid, rows, strict=False):
        _steps(left, part, title)
        _spans(right, part)
        right.set_title("The same parts, each from zero")
    _legend(figure)
    return figure


def _legend(figure: Figure) -> None:
    """What the marks of both columns say."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    look: dict[str, Any] = {"edgecolor": "white", "linewidth": 0.0}
    handles = [
        Patch(facecolor=GAIN, **look),
        Patch(facecolor=LOSS, hatch=LESS, **look),
        Patch(facecolor=GREY, hatch=MIXED, **look),
        Line2D([], [], color="black", marker="o", ms=5, lw=1.4),
        Line2D([], [], color=MARK, marker="|", ms=9, mew=2.0, ls="none"),
        Line2D([], [], marker="D", ls="none", mfc="white", mec="black", ms=5),
    ]
    labels = ["more", "less", "interaction: total less what each adds alone"]
    labels += ["median and 90 % interval", "central value, as on the left", "alone, central value"]
    style.legend_below(figure, handles, labels, 3)


def _ordered(part: pd.DataFrame) -> dict[str, dict[Any, Any]]:
    """Rows by lever: the levers, the total, and the interaction if there is more than one lever."""
    rows = {row["lever"]: row for row in part.to_dict("records")}
    levers = [name for name in rows if name not in (INTERACTION, TOTAL)]
    names = [*levers, TOTAL, *([INTERACTION] if INTERACTION in rows and len(levers) > 1 else [])]
    return {name: rows[name] for name in names}


def _steps(axes: Axes, part: pd.DataFrame, title: str) -> None:
    """One waterfall at the central values: levers, total, and the interaction apart from them."""
    rows = _ordered(part)
    factor, unit = SCALES.get(part["unit"].iloc[0], (1.0, str(part["unit"].iloc[0])))
    whole, left = factor * float(rows[TOTAL]["value"]), 0.0
    for y, (name, row) in enumerate(rows.items()):
        value = factor * float(row["value"])
        start = {TOTAL: 0.0, INTERACTION: whole - value}.get(name, left)
        colour = WHOLE if name == TOTAL else GREY if name == INTERACTION else GAIN if value >= 0 else LOSS
        hatch = MIXED if name == INTERACTION else LESS if colour == LOSS else ""
        axes.barh(
            y, value, left=start, color=colour, height=0.66, hatch=hatch, edgecolor="white", linewidth=0.0
        )
        left += value if name not in (TOTAL, INTERACTION) else 0.0
    axes.use_sticky_edges = False
    axes.margins(x=0.03)
    _finish(axes, rows, unit)
    axes.set_title(title)


def _spans(axes: Axes, part: pd.DataFrame) -> None:
    """The same parts from zero: intervals of draws, central values, and what each adds alone."""
    rows = _ordered(part)
    factor, unit = SCALES.get(part["unit"].iloc[0], (1.0, str(part["unit"].iloc[0])))
    for y, row in enumerate(rows.values()):
        numbers = {
            name: factor * float(row.get(name, np.nan)) for name in ("value", "median", "p5", "p95", "alone")
        }
        if np.isfinite(numbers["p5"]):
            axes.plot([numbers["p5"], numbers["p95"]], [y, y], color="black", lw=1.4)
            axes.plot(numbers["median"], y, "o", color="black", ms=4.5)
        axes.plot(numbers["value"], y, "|", color=MARK, ms=11, mew=2.0)
        axes.plot(numbers["alone"], y + 0.26, "D", ms=4, mfc="white", mec="black", mew=0.8)
    _finish(axes, rows, unit)


def _finish(axes: Axes, rows: Mapping[str, Any], unit: str) -> None:
    """Names, zero and unit of either column."""
    axes.axvline(0.0, color="#555555", lw=0.8)
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    axes.set_yticks(range(len(rows)), [_words(name) for name in rows])
    axes.set_ylim(len(rows) - 0.4, -0.6)
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
    frame = frame.assign(size=[_size(row) for row in frame.to_dict("records")])
    frame = frame[frame["size"] != 0.0]
    rows = list(frame.groupby(["lever", "effect"], sort=False))
    figure = style.new_figure("How large must the effect be?", height=1.7 + 0.75 * len(rows))
    axes = figure.subplots()
    labels = []
    for y, ((lever, effect), part) in enumerate(rows):
        one = part.iloc[0]
        ends = sorted((one["low"] / one["size"], one["high"] / one["size"]))
        axes.barh(y, ends[1] - ends[0], left=ends[0], height=0.66, color="#DDDDDD")
        axes.plot([one["assumed"] / one["size"]] * 2, [y - 0.33, y + 0.33], color="#555555", lw=1.6)
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


def _size(row: Mapping[Any, Any]) -> float:
    """What is one on the axis: the size assumed, or the far end of its range where that is none."""
    return float(row["assumed"]) or max(float(row["low"]), float(row["high"]), key=abs)


def _mark(axes: Axes, row: Mapping[Any, Any], y: float, i: int) -> None:
    """The break-even size of one effect for one criterion, with its interval; an arrow if out of reach."""
    colour, marker = style.COLOURS[i], style.MARKERS[i]
    unit, size = float(row["size"]), float(row["break_even"])
    ends = [float(row.get(name, np.nan)) / unit for name in ("p5", "p95")]
    known = [x for x in ends if np.isfinite(x)]
    if known:
        reach = [min(known), max(known) if len(known) == 2 else REACH]
        axes.plot(reach, [y, y], color=colour, lw=1.6)
    axes.plot(float(row.get("median", np.nan)) / unit, y, "|", color="black", ms=11, mew=1.6)
    at, symbol = (size / unit, marker) if np.isfinite(size) else (REACH - 0.12, ">")
    axes.plot(at, y, linestyle="none", marker=symbol, color=colour, ms=7, mec="white")
    axes.plot([], [], linestyle="-", marker=marker, color=colour, ms=6, label=CRITERIA[i])
    if not np.isfinite(size):
        said = "all that was tried is borne" if row.get("bound") == "at most" else "not within reach"
        axes.text(REACH - 0.28, y, said, ha="right", va="center", fontsize=8, backgroundcolor="white")


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
            text = f" {100 * share:.0f} % ".replace("-", "−") if np.isfinite(share) else ""
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
