"""Pictures of what a measure depends on: tornados, and indices with their intervals."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pharmsim import __version__
from pharmsim.report import style
from pharmsim.report.sensitivity_text import SHARE, changes, ends, grade, measures, scale_of, subject, when
from pharmsim.report.solve_text import value_in
from pharmsim.results.text import file_name
from pharmsim.study.sensitivity.sensitivity import KEYS, Sensitivity

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BARS = 15
METHODS = {
    "prcc": "partial rank correlation",
    "sobol_first": "alone",
    "sobol_total": "and together with others",
    "delta": "delta (Borgonovo)",
    "pawn": "PAWN",
}
TOGETHER = ("sobol_first", "sobol_total")


def write(found: Sensitivity, folder: Path) -> list[Path]:
    """Draw a tornado, and the indices if there are any, for each measure on its first and its last date."""
    paths: list[Path] = []
    first = f"Scenario: {style.shorten(found.scenario.name, 70)}  ·  pharmsim {__version__}"
    with style.styled():
        for name, part in shown(found.tornado):
            foot = f"{first}\neach uncertainty alone at its ends, all others at their central values"
            paths += style.save(tornado(part), folder, f"tornado_{name}", foot)
            here = found.indices
            if len(here):
                here = here[(here[KEYS] == part[KEYS].iloc[0]).all(axis=1) & here["index"].notna()]
            if len(here):
                foot = f"{first}\n{_drawn(here)}"
                paths += style.save(indices(here, part), folder, f"indices_{name}", foot)
    return paths


def _drawn(rows: pd.DataFrame) -> str:
    """How many runs the indices rest on, and what their lines are."""
    own = rows["method"].isin(TOGETHER)
    parts = [f"{n:,} draws" for n in rows.loc[~own, "runs"].unique()]
    parts += [f"Sobol' indices: {n:,} runs of a design of their own" for n in rows.loc[own, "runs"].unique()]
    parts.append("lines: 95 % intervals")
    if (rows["floor"] > 0.0).any():
        parts.append("grey: what uncertainties that do nothing get by chance")
    return "; ".join(parts)


def shown(frame: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Rows of each measure on its first and its last date, with a name for files."""
    for part in measures(frame):
        for date in dict.fromkeys([part["date"].min(), part["date"].max()]):
            rows = part[part["date"] == date]
            keys = [str(rows[name].iloc[0]) for name in KEYS[:-1]]
            yield file_name("_".join([*filter(None, keys), f"{pd.Timestamp(date):%Y-%m}"])), rows


def tornado(rows: pd.DataFrame) -> Figure:
    """Draw the changes of one measure at the ends of the uncertainties that move it most.

    Parameters
    ----------
    rows : DataFrame
        Of the tornado, of one measure and date.
    """
    rows = rows[rows["share"] > SHARE].head(BARS)
    one = rows.iloc[0]
    factor, _, unit = scale_of(one["unit"])
    title = style.shorten(f"What moves {subject(one)} by {when(one['date'])}", 88)
    figure = style.new_figure(title, 9.0, 1.5 + 0.36 * len(rows))
    axes = figure.subplots()
    y = np.arange(len(rows))
    split = (rows["change_low"] * rows["change_high"] > 0.0).to_numpy()  # both to one side: each half a row
    height = np.where(split, 0.32, 0.64)
    looks = (("change_low", -0.16, 0, "low end"), ("change_high", 0.16, 1, "high end"))
    for name, up, i, label in looks:
        axes.barh(
            y + up * split, factor * rows[name], height, color=style.COLOURS[i], hatch=style.HATCHES[i],
            edgecolor="white", linewidth=0.0, label=label,
        )  # fmt: skip
    axes.axvline(0.0, color="#555555", lw=0.8)
    names = [
        f"{style.shorten(row['title'], 58)}\n{style.shorten(ends(row), 40)} · {grade(row)}"
        for row in rows.to_dict("records")
    ]
    _rows(axes, names)
    middle = value_in(one["central"], one["unit"])
    axes.set_xlabel(f"change from {middle} at the central values{', ' + unit if unit else ''}")
    for at, row in zip(y, rows.to_dict("records"), strict=True):
        axes.annotate(
            changes(row), (1.0, at), xycoords=("axes fraction", "data"), xytext=(4, 0),
            textcoords="offset points", va="center", fontsize=7.5,
        )  # fmt: skip
    handles, labels = axes.get_legend_handles_labels()
    style.legend_below(figure, handles, labels, 2)
    return figure


def _rows(axes: Axes, names: list[str]) -> None:
    """Names along y, from the top, and lines along x."""
    axes.set_yticks(range(len(names)), names, fontsize=8.0, linespacing=1.15)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    axes.margins(x=0.04)


def indices(rows: pd.DataFrame, swings: pd.DataFrame) -> Figure:
    """Draw indices of one measure and date, a panel for each method, in the order of the first.

    Parameters
    ----------
    rows : DataFrame
        Of the indices.
    swings : DataFrame
        Of the tornado, of the same measure and date, whose title and unit are used.
    """
    kinds = [name for name in METHODS if name in set(rows["method"])]
    panels = [
        [name for name in kinds if name in TOGETHER],
        *([name] for name in kinds if name not in TOGETHER),
    ]
    panels = [panel for panel in panels if panel]
    by_method = {name: rows[rows["method"] == name].set_index("uncertainty") for name in kinds}
    order = by_method[kinds[0]]["index"].abs().sort_values(ascending=False, kind="stable").index[:BARS]
    one = swings.iloc[0]
    title = style.shorten(f"What moves {subject(one)} by {when(one['date'])}, all uncertain at once", 88)
    figure = style.new_figure(title, 4.6 + 3.4 * len(panels), 1.7 + 0.26 * len(order))
    grid = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    for axes, panel in zip(grid, panels, strict=True):
        for i, name in enumerate(panel):
            apart = 0.18 * (2 * i - 1) if len(panel) > 1 else 0.0
            _dots(axes, by_method[name].reindex(order), i, METHODS[name], apart)
        _rows(axes, [style.shorten(title, 58) for title in by_method[kinds[0]].loc[order, "title"]])
        axes.axvline(0.0, color="#555555", lw=0.8)
        axes.set_title(METHODS[panel[0]] if len(panel) == 1 else "Sobol' indices: share of the variance")
        if len(panel) > 1:
            axes.legend(loc="lower right")
    return figure


def _dots(axes: Axes, rows: pd.DataFrame, i: int, label: str, apart: float) -> None:
    """Indices with their intervals, and what chance alone makes."""
    y = np.arange(len(rows)) + apart
    floor = rows["floor"].max()
    if floor > 0.0:
        axes.axvspan(0.0, floor, color="#DDDDDD", linewidth=0.0, zorder=0)
    axes.hlines(y, rows["low"], rows["high"], color=style.COLOURS[i], lw=1.4)
    axes.plot(
        rows["index"], y, style.MARKERS[i], color=style.COLOURS[i], ms=5, ls="none", label=label,
        mfc="white" if i else style.COLOURS[i],
    )  # fmt: skip
