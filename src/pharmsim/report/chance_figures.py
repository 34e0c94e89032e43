"""Fan charts of a run with draws, and one possible future of an engine of chance, month by month."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from pharmsim.report import style
from pharmsim.results import measures, rows
from pharmsim.results.measures import group_keys

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from pharmsim.results.labelled import Results

Made = tuple["Figure", str] | None
FEWEST = 20
"""The fewest rows whose 5 and 95 % points say something."""
SHADES = ((0.05, 0.95, 0.15), (0.25, 0.75, 0.25))
"""Bands of a fan: their ends, as shares of the rows, and how dark they are."""
PANELS, COLUMNS = 12, 3
"""Most pictures in a figure, and side by side."""
WIDTH = 38
"""Letters of a title, in a line."""
SMALL = 30
"""People: pictures of posts with fewer begin at 0."""
FUTURE = 1
"""Row that is shown as one possible future: the first, whatever it looks like."""


def fan(results: Results) -> Made:
    """FTE in post over time with bands that hold 50 and 90 %: by place if there are several, else by role."""
    if results.n_draws < FEWEST:
        return None
    scenario, data = results.scenario, results.data
    by = "place" if len(set(group_keys(data, "place"))) > 1 else "role"
    array = style.measured(results, measures.fte, by)
    shown = _largest(array)
    panels = _panels(
        "Full-time equivalents in post, with the range of what may come", array["cell"].values[shown],
        scenario.places if by == "place" else scenario.roles, "FTE",
    )  # fmt: skip
    x, of = style.years(array["time"].values), rows.word(results.meta)
    for axes, i in zip(panels.axes, shown, strict=False):
        values = array.values[:, :, i]
        for low, high, dark in SHADES:
            ends, held = np.quantile(values[1:], (low, high), axis=0), f"{100 * (high - low):.0f} % of {of}"
            axes.fill_between(x, *ends, color=style.COLOURS[0], alpha=dark, lw=0, label=held)
        axes.plot(x, np.median(values[1:], axis=0), color=style.COLOURS[0], lw=1.2, label="median")
        axes.plot(x, values[0], color="black", lw=1.2, linestyle="--", label=rows.central(results.meta))
        style.at_least(axes, 4.0)
        style.year_axis(axes, 4)
    _legend(panels)
    n, cut = results.n_draws, len(shown) < array.sizes["cell"]
    more = f"  ·  the {len(shown)} largest of {array.sizes['cell']}" if cut else ""
    return panels, f"{n:,} {rows.kind(results.meta)}  ·  scales differ, and do not start at 0{more}"


def one_future(results: Results) -> Made:
    """One possible future beside the mean of many: people in the smallest posts, whole, month by month."""
    if not rows.by_chance(results.meta) or not results.n_draws:
        return None
    array = style.measured(results, measures.headcount, "post")
    at_start = array.values[0, 0]
    order = np.argsort(at_start, kind="stable")
    shown = [i for i in order.tolist() if array.values[:, :, i].any()][:PANELS]
    titles = {post.post: _title(results, post.post) for post in results.scenario.posts}
    figure = _panels(
        "One possible future (steps) beside the mean of many", array["cell"].values[shown], titles, "people"
    )
    x = style.years(array["time"].values)
    for axes, i in zip(figure.axes, shown, strict=False):
        values = array.values[:, :, i]
        if results.n_draws >= FEWEST:
            low, high = _by_year(x, values[1:])
            axes.fill_between(
                x, low, high, step="post", color="#D0D0D0", lw=0, label="90 % of futures in each year"
            )
        axes.plot(x, values[0], color="black", lw=1.2, linestyle="--", label=rows.central(results.meta))
        axes.step(
            x, values[FUTURE], where="post", color=style.COLOURS[1], lw=1.1, label="one possible future"
        )
        if values.max() < SMALL:
            style.from_zero(axes)
        style.thousands(axes)
        style.year_axis(axes, 4)
    _legend(figure)
    few = len(shown) < len(order)
    smallest = f"the {len(shown)} smallest of {len(order)} posts, smallest first  ·  " if few else ""
    first = "first replicate of the first draw" if results.meta.get("drawn") else "first replicate"
    of = f"; band: of {results.n_draws:,} {rows.kind(results.meta)}" if results.n_draws >= FEWEST else ""
    return figure, f"{smallest}scales differ  ·  one possible future: the {first}, not chosen{of}"


def _by_year(x: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Whole people between whom 90 % of the rows lie in the months of each year, shape (2, time).

    By year, because of a post of one or two people a band by month would come and go.
    """
    year = np.minimum(np.floor(x - x[0] + 1e-6), np.floor(x[-2] - x[0] + 1e-6)).astype(int)
    ends = [np.quantile(values[:, year == y], SHADES[0][:2], method="inverted_cdf") for y in np.unique(year)]
    return np.array(ends)[year].T


def _title(results: Results, name: str) -> str:
    """A post in words: its role and where it is."""
    scenario = results.scenario
    post = next(post for post in scenario.posts if post.post == name)
    known = ((post.place, scenario.places), (post.role, scenario.roles),
             (post.environment, scenario.environments), (post.grade, scenario.grades))  # fmt: skip
    return ", ".join(names.get(key, key) for key, names in known if key)


def _largest(array: xr.DataArray) -> list[int]:
    """Cells with most in post at the central values, at most so many, in their order."""
    size = np.nanmean(array.values[0], axis=0)
    return sorted(np.argsort(-size, kind="stable")[:PANELS].tolist())


def _panels(title: str, cells: np.ndarray, known: dict[str, str], unit: str) -> Figure:
    """A figure with a panel for each cell."""
    columns = min(COLUMNS, len(cells))
    down = -(-len(cells) // columns)
    figure = style.new_figure(title, height=1.2 + 2.1 * down)
    grid = figure.subplots(down, columns, squeeze=False).ravel()
    for axes, name in zip(
        grid, style.names_of([str(cell) for cell in cells], known, 2 * WIDTH), strict=False
    ):
        axes.set_title(textwrap.fill(name, WIDTH))
    for axes in grid[::columns]:
        axes.set_ylabel(unit)
    for axes in grid[len(cells) :]:
        axes.set_visible(False)
    return figure


def _legend(figure: Figure) -> None:
    first: Axes = figure.axes[0]
    handles, labels = first.get_legend_handles_labels()
    style.legend_below(figure, handles, labels, 4)
