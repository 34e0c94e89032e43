"""The picture of a choice: what is lost by each scenario, and what it is worth to know each input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmsim.report import style
from pharmsim.report.deciding_text import TITLE, objectives, rows, title, worth_measuring
from pharmsim.report.html.text import Scale, share
from pharmsim.study.deciding.decide import BASE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Row = dict[Any, Any]
NAME = "choice"
INPUTS = 6
"""Inputs that are shown, at most."""
NOTE = "bars: means over draws; lines: 5–95 % of resamples; diamonds: regret exceeded in 1 of 20 draws"


def write(tables: Mapping[str, pd.DataFrame], folder: Path, foot: str) -> list[Path]:
    """Draw the picture, if there is a choice.

    Parameters
    ----------
    tables : dict of DataFrame
        Of a comparison.
    folder : Path
    foot : str
        Its first line says where the picture comes from.

    Returns
    -------
    list of Path
    """
    if "choice" not in tables:
        return []
    with style.styled():
        return style.save(choice(tables), folder, NAME, f"{foot.splitlines()[0]}\n{NOTE}")


def choice(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw regret by scenario (left) and value of information by input (right), a row for each objective."""
    asked = objectives(tables)
    known = {one: worth_measuring(tables, one)[:INPUTS] for one in asked}
    heights = [max(len(rows(tables, "choice", one)), len(known[one]), 3) for one in asked]
    figure = style.new_figure(TITLE, width=10.5, height=1.1 + sum(0.8 + 0.34 * n for n in heights))
    grid = figure.subplots(len(asked), 2, squeeze=False, height_ratios=heights)
    for (left, right), one in zip(grid, asked, strict=True):
        choices = rows(tables, "choice", one)
        _regret(left, choices)
        whole = next(iter(rows(tables, "value_of_information", one)), None)
        _information(right, known[one], whole, str(choices[0]["unit"]))
    return figure


def _regret(axes: Axes, choices: Sequence[Row]) -> None:
    names = [
        style.shorten(str(row["scenario"]), 30) if row["scenario"] != BASE else "Base" for row in choices
    ]
    labels = [f"{name}\nbest in {share(row['p_best'])}" for name, row in zip(names, choices, strict=True)]
    largest = max(row["p95_regret"] for row in choices)
    scale = Scale(str(choices[0]["unit"]), [largest])
    _bars(
        axes,
        choices,
        ("mean_regret", "mean_regret_low", "mean_regret_high"),
        scale,
        style.COLOURS[0],
        largest,
    )
    far = [scale.factor * row["p95_regret"] for row in choices]
    axes.plot(far, np.arange(len(far)), "D", color="#3D3D3D", markersize=5, linestyle="none")
    axes.set_yticks(np.arange(len(labels)), labels)
    axes.set_title(title(choices[0]))
    axes.set_xlabel(f"Lost against the best of each draw, {_unit(scale)}")


def _information(axes: Axes, found: Sequence[Row], whole: Row | None, unit: str) -> None:
    axes.set_title("What it is worth to know one input first")
    if not found:
        axes.text(
            0.5, 0.5, _nothing(whole), ha="center", va="center", transform=axes.transAxes, color="#555555"
        )
        axes.set_axis_off()
        return
    labels = [f"{style.shorten(str(row['title']), 40)}\n{row['evidence'] or 'no grade'}" for row in found]
    scale = Scale(unit, [max(row["p95"] for row in found)])
    _bars(axes, found, ("value", "p5", "p95"), scale, style.COLOURS[4])
    axes.set_yticks(np.arange(len(labels)), labels)
    everything = "" if whole is None else f"  (everything: {scale.number(whole['value'])})"
    axes.set_xlabel(f"{_unit(scale)}{everything}")


def _nothing(whole: Row | None) -> str:
    if whole is not None and whole["value"] == 0.0:
        return f"no input with a range, within its range,\nchanged the choice in {whole['draws']:,} draws"
    return "no single input was found\nthat would change the choice"


def _bars(
    axes: Axes, found: Sequence[Row], columns: Sequence[str], scale: Scale, colour: str, furthest: float = 0.0
) -> None:
    """Horizontal bars, the first on top, with a line over the interval."""
    at = np.arange(len(found))
    value, low, high = (scale.factor * np.array([row[column] for row in found]) for column in columns)
    axes.barh(at, value, height=0.55, color=colour)
    axes.hlines(at, low, high, color="#000000", lw=1.3)
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.set_xlim(0.0, 1.05 * max(high.max(), furthest * scale.factor))
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)


def _unit(scale: Scale) -> str:
    return f"{scale.before} {scale.after}".strip()
