"""Where the newly qualified of a year are later, as bands from year to year."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pharmsim.report import style
from pharmsim.report.flow_picture import band
from pharmsim.results.trainees import NOBODY, by_run, followed, runs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from pharmsim.results.labelled import Results

Made = tuple["Figure", str] | None
AT = (0, 1, 2, 3, 5, 10)
"""Years after registering that have a column, and the last."""
NAMED = 6
"""Most environments with a colour of their own."""
OTHERS = "Other posts"
SEARCHING, AWAY, GONE = "Looking, or about to start", "Away, may come back", "Left, or left the area"
STATES = {
    "looking for a post": SEARCHING, "about to start": SEARCHING, "in training": SEARCHING, "in a pool": AWAY
}  # fmt: skip
GREY = {SEARCHING: "#D9D9D9", AWAY: "#B0B0B0", GONE: "#6E6E6E", NOBODY: "#333333", OTHERS: "#F0E442"}
GAP, BLOCK, LABELLED, APART = 0.012, 0.05, 0.05, 0.036
"""Between blocks; half the width of one; smallest share with a number inside; between lines of names."""


def trainees(results: Results) -> Made:
    """Where those who register in the first year are, year by year: bands are people who move on or stay."""
    people = followed(results)
    if people.empty:
        return None
    years = [int(column) for column in people.columns if column != "pipeline"]
    at = [year for year in years if year in AT or year == years[-1]]
    groups = _groups(results, people[years])
    names, n = sorted(set(people["pipeline"])), runs(results)
    last = f"{at[-1]} year{'s' if at[-1] > 1 else ''} later"
    title = f"Where those who register in the first year are {last}"
    figure = style.new_figure(title, 11.0, 1.0 + 4.2 * len(names))
    grid = figure.subplots(len(names), 1, squeeze=False).ravel()
    for axes, name in zip(grid, names, strict=True):
        part = people.loc[people["pipeline"] == name, at].apply(lambda column: column.map(groups))
        _draw(axes, part, list(dict.fromkeys(groups.values())), n)
        heads = f"{len(part) / n:,.0f} people register in the first year"
        axes.set_title(f"{name.replace('_', ' ').capitalize()}: {heads}")
    note = f"mean of {n:,} possible futures; years since each registered; per cent of those who registered"
    note = f"{note}, at the end with 5 – 95 % of futures; posts by environment"
    return figure, f"{note}; without those who drop out or fail before"


def _groups(results: Results, where: pd.DataFrame) -> dict[str, str]:
    """What every post and phrase counts as in the picture, in the order of the blocks."""
    scenario = results.scenario
    of_post = {post.post: post.environment for post in scenario.posts}
    counts = where.stack().map(of_post.get).value_counts()
    named = set(counts.index[:NAMED])
    known = {NOBODY: NOBODY}
    for place in (*(place for place in scenario.environments if place in named), None):
        for post, at in of_post.items():
            if place == at or (place is None and at not in named):
                known[post] = scenario.environments.get(at, at) if place else OTHERS
    phrases = [str(phrase) for phrase in pd.unique(where.to_numpy().ravel()) if phrase not in known]
    states = {phrase: STATES.get(phrase, GONE) for phrase in phrases}
    return known | dict(sorted(states.items(), key=lambda item: (SEARCHING, AWAY, GONE).index(item[1])))


def _draw(axes: Axes, part: pd.DataFrame, order: list[str], n_runs: int) -> None:
    """Draw a column of blocks for each year, and the bands between them."""
    n = part.shape[1]
    counts = by_run(part.iloc[:, -1], n_runs)
    whole = sum(counts.values())
    shares = {name: heads / np.where(whole > 0, whole, np.nan) for name, heads in counts.items()}
    last = {name: np.nanquantile(share, (0.05, 0.95)) for name, share in shares.items()}
    axes.set_axis_off()
    axes.set_ylim(1.0 + GAP * len(order), -0.09)
    axes.set_xlim(-0.1, n + 0.1)
    places = [name for name in order if name not in GREY]
    looks = {name: (colour, "") for name, colour in GREY.items()}
    looks |= {name: (style.COLOURS[i], style.HATCHES[i]) for i, name in enumerate(places)}
    tops = []
    for x, year in enumerate(part.columns):
        words = f"{year} year{'s' if x > 1 else ''}" if x else "registers"
        axes.text(x, -0.03, words, ha="center", fontsize=8)
        share = part[year].value_counts(normalize=True)
        heights = {name: float(share[name]) for name in order if name in share}
        tops.append(_column(axes, x, heights, looks, last if x == n - 1 else {}))
    for x in range(n - 1):
        moved = pd.crosstab(part.iloc[:, x], part.iloc[:, x + 1]) / len(part)
        used, filled = dict(tops[x]), dict(tops[x + 1])
        for one in (name for name in order if name in used):
            for other in (name for name in order if name in filled and name in moved):
                width = moved.loc[one].to_dict()[other]
                ends = x + BLOCK, x + 1 - BLOCK
                band(axes, used[one], filled[other], width, looks[other][0], False, ends)
                used[one] += width
                filled[other] += width


def _column(
    axes: Axes,
    x: int,
    heights: dict[str, float],
    looks: dict[str, tuple[str, str]],
    ends: Mapping[str, NDArray[np.float64]],
) -> dict[str, float]:
    """Draw the blocks of a year from the top down, the last with their `ends`; return where each begins."""
    from matplotlib.patches import Rectangle

    white = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.8}
    top, line, tops = 0.0, 0.0, {}
    for name, height in heights.items():
        colour, hatch = looks[name]
        block = Rectangle((x - BLOCK, top), 2 * BLOCK, height, fc=colour, hatch=hatch, ec="white", lw=0)
        axes.add_patch(block)
        middle, said = top + height / 2, f"{100 * height:.0f} %"
        if ends:
            line, (low, high) = max(middle, line + APART), 100 * ends[name]
            words = f"{style.shorten(name, 30)}  {said} ({low:.0f} – {high:.0f})"
            axes.text(x + 2 * BLOCK, line, words, va="center", fontsize=8)
        elif x and height >= LABELLED:
            axes.text(x, middle, said, va="center", ha="center", fontsize=7, bbox=white)
        tops[name] = top
        top += height + GAP
    return tops
