"""Who gains and who loses: bars to either side of zero, by environment and role."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmsim.report import style
from pharmsim.results.columns import ALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BAR = 0.6
"""Height of all bars of an environment together; environments are 1 apart."""
TOP = 0.4
"""From the middle of an environment up to its first bar."""


def winners_and_losers(frame: pd.DataFrame, name: Callable[[str], str], what: str) -> Figure:
    """Draw differences by environment and role.

    Parameters
    ----------
    frame : DataFrame
        Rows of `differences.csv` of one scenario, quantity and date.
    name : callable
        Title of the id of a role or environment.
    what : str
        What the differences are of, with date.

    Returns
    -------
    Figure
        Bars: median (central values without draws); lines: 90 % of draws; diamonds: all roles together.
    """
    roles = [role for role in dict.fromkeys(frame["role"]) if role != ALL]
    places = [place for place in dict.fromkeys(frame["environment"]) if place != ALL] + [ALL]
    figure = style.new_figure(
        f"Winners and losers: {what}", 9.0, 1.4 + (0.16 + 0.12 * len(roles)) * len(places)
    )
    axes = figure.subplots()
    height = BAR / max(len(roles), 1)
    for i, role in enumerate(roles):
        y = np.arange(len(places)) + (i + 0.5) * height - TOP
        part = frame[frame["role"] == role].set_index("environment").reindex(places)
        look: dict[str, Any] = {
            "color": style.COLOURS[i % 8],
            "hatch": style.HATCHES[i % 8],
            "edgecolor": "white",
        }
        axes.barh(y, _middle(part), height * 0.9, label=style.shorten(name(role), 28), linewidth=0.0, **look)
        _whiskers(axes, y, part)
    part = frame[frame["role"] == ALL].set_index("environment").reindex(places)
    y = np.arange(len(places)) + BAR - TOP + 0.12
    axes.plot(_middle(part), y, "D", ms=4.5, mfc="white", mec="black", ls="none", label="all roles")
    _whiskers(axes, y, part)
    for row in range(0, len(places), 2):
        axes.axhspan(row - 0.5, row + 0.5, color="#F2F2F2", zorder=0, linewidth=0.0)
    axes.axvline(0.0, color="#555555", lw=0.8)
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    titles = ["All environments" if place == ALL else style.shorten(name(place), 34) for place in places]
    axes.set_yticks(range(len(places)), titles)
    axes.set_ylim(len(places) - 0.5, -0.5)
    axes.set_xlabel("fewer FTE than in the base   |   more FTE than in the base")
    handles, labels = axes.get_legend_handles_labels()
    style.legend_below(figure, handles, labels, min(len(labels), 5))
    return figure


def _middle(part: pd.DataFrame) -> np.ndarray:
    """Medians, or central values where no draw was run."""
    central = part["difference"].to_numpy(dtype=float)
    median = part["median"].to_numpy(dtype=float) if "median" in part else central
    return np.where(np.isnan(median), central, median)


def _whiskers(axes: Axes, y: np.ndarray, part: pd.DataFrame) -> None:
    """Lines over 90 % of the draws."""
    if "p5" in part:
        axes.hlines(
            y, part["p5"].to_numpy(dtype=float), part["p95"].to_numpy(dtype=float), color="black", lw=0.9
        )
