"""The picture of a back-test: forecasts from every origin beside what came, and errors by horizon."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pharmsim import __version__
from pharmsim.calibration.backtest import OWN, Backtest
from pharmsim.calibration.courses import Course, years
from pharmsim.calibration.scores import FEWEST
from pharmsim.report import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAME = "backtest"
SHIFT = 0.07
"""Years by which forecasts from neighbouring origins stand apart."""


def write(found: Backtest, folder: Path) -> list[Path]:
    """Draw the picture as PNG and SVG.

    Parameters
    ----------
    found : Backtest
    folder : Path

    Returns
    -------
    list of Path
    """
    with style.styled():
        n = len(found.courses)
        figure = style.new_figure(f"Back-test: {found.calibration.title}", 10.0, 1.2 + 3.4 * n)
        axes = figure.subplots(n, 2, squeeze=False, width_ratios=(3, 2))
        for (left, right), course in zip(axes, found.courses, strict=True):
            _forecasts(left, found, course)
            _errors(right, found, course)
        handles = [*axes[0, 0].get_legend_handles_labels()[0], *axes[0, 1].get_legend_handles_labels()[0]]
        labels = [*axes[0, 0].get_legend_handles_labels()[1], *axes[0, 1].get_legend_handles_labels()[1]]
        style.legend_below(figure, handles, labels, 4)
        foot = f"pharmsim {__version__}  ·  bars: 90 % of the draws, errors of observation included\n"
        foot += f"hollow marks: fewer than {FEWEST} origins, nothing is claimed"
        return style.save(figure, folder, NAME, foot)


def _forecasts(axes: Axes, found: Backtest, course: Course) -> None:
    first = found.fits["origin"].min()
    known = [target for target in course.targets if target.date >= first]
    days, values = [target.date for target in known], [target.value for target in known]
    axes.plot(years(days), values, "k-", marker="o", ms=4, lw=1.2, label="published")
    frame = found.forecasts
    own = frame[(frame["series"] == course.name) & (frame["method"] == OWN)]
    origins = list(own["origin"].unique())
    for i, origin in enumerate(origins):
        part = own[own["origin"] == origin]
        x = years(list(part["date"])) + SHIFT * (i - (len(origins) - 1) / 2)
        colour = style.COLOURS[0] if i % 2 else style.COLOURS[1]
        begin = [years([origin])[0], course.values[origin]]
        axes.plot([begin[0], *x], [begin[1], *part["forecast"]], color=colour, lw=0.8, ls=":")
        gaps = [part["forecast"] - part["p5"], part["p95"] - part["forecast"]]
        axes.errorbar(
            x, part["forecast"], yerr=gaps, color=colour, fmt=style.MARKERS[i % 8], ms=4, lw=1.0, capsize=2,
            label=f"from {origin.day} {style.month_name(np.datetime64(origin))}",
        )  # fmt: skip
    axes.set_title(course.title)
    axes.set_ylabel("people")
    style.thousands(axes)
    style.year_axis(axes)


def _errors(axes: Axes, found: Backtest, course: Course) -> None:
    part = found.table[found.table["series"] == course.name]
    for i, method in enumerate(part["method"].unique()):
        of = part[part["method"] == method]
        look: dict[str, Any] = {"color": style.COLOURS[i % 8], "marker": style.MARKERS[i % 8], "ms": 5}
        axes.plot(
            of["horizon"],
            of["mape"],
            ls=style.LINES[i % 8],
            lw=2.0 if method == OWN else 1.2,
            label=str(method),
            **look,
        )
        few = of[of["origins"] < FEWEST]
        axes.plot(few["horizon"], few["mape"], ls="", mfc="white", **look)
    axes.set_title("Mean absolute error")
    axes.set_xlabel("years ahead")
    axes.set_xticks(sorted(part["horizon"].unique()))
    style.from_zero(axes)
    style.percent(axes)
