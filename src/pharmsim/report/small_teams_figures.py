"""Small teams: how likely it is that they stand empty, or below their smallest safe number, by place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pharmsim.report import style
from pharmsim.results import small_teams
from pharmsim.results.measures import group_keys

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from pharmsim.results.labelled import Results
    from pharmsim.results.small_teams import Chance

Made = tuple["Figure", str] | None
NAMED, PANELS = 6, 12
"""Most kinds of team with a line and a name of their own (the others are grey), and most places."""
TITLES = {
    "empty": "Probability that a team has stood empty for three months or longer",
    "below": "Probability that a team has been below its smallest safe number for three months or longer",
}


def empty(results: Results) -> Made:
    """Probability of standing empty for three months or longer, a panel for each place."""
    return _panels(results, "empty")


def below(results: Results) -> Made:
    """Probability of being below the smallest safe number for three months or longer, by place."""
    return _panels(results, "below")


def _panels(results: Results, state: str) -> Made:
    if not small_teams.has_whole_people(results):
        return None
    chance = small_teams.chances(results).get(state)
    if chance is None or not chance.now.any():
        return None
    data = results.data
    places = [key[0] for key in group_keys(data, "place")]
    kinds = group_keys(data, ("role", "environment", "grade"))
    mean = chance.now.mean(axis=0)
    shown = _shown_places(places, chance)
    named = _named_kinds(
        [kind for kind, place in zip(kinds, places, strict=True) if place in shown], chance, kinds
    )
    rows, columns = style.grid_shape(len(shown))
    figure = style.new_figure(TITLES[state], height=1.3 + 2.2 * rows)
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    x = style.years(data["time"].values)
    for axes, place in zip(grid, shown, strict=False):
        here = [i for i, at in enumerate(places) if at == place]
        likeliest = max(here, key=lambda i: mean[i])
        for i in here:
            number = named.index(kinds[i]) if kinds[i] in named and mean[i] > 0 else None
            _line(axes, x, chance, i, number, shaded=i == likeliest)
        axes.set_title(style.names_of([place], results.scenario.places, 34)[0] or "All posts")
        style.year_axis(axes, 4)
        style.percent(axes)
    grid[0].set_ylim(0.0, min(1.0, 1.08 * float(max(axes.dataLim.ymax for axes in grid[: len(shown)]))))
    for axes in grid[::columns]:
        axes.set_ylabel("share of possible futures")
    for axes in grid[len(shown) :]:
        axes.set_visible(False)
    _legend(figure, results, grid[: len(shown)], named)
    return figure, _note(results, len(shown), len(set(places)))


def _shown_places(places: list[str], chance: Chance) -> list[str]:
    """Places with a panel, in the order of the scenario; of many, those where gaps are likeliest."""
    order = list(dict.fromkeys(places))
    likely = {place: chance.now[:, [at == place for at in places]].mean(axis=0).sum() for place in order}
    kept = sorted(order, key=lambda place: -likely[place])[:PANELS]
    return [place for place in order if place in kept]


def _named_kinds(
    shown: list[tuple[str, ...]], chance: Chance, kinds: list[tuple[str, ...]]
) -> list[tuple[str, ...]]:
    """Kinds of team (role, environment, grade) that are likeliest to have a gap anywhere, likeliest first."""
    mean = chance.now.mean(axis=0)
    highest = {kind: max(m for m, k in zip(mean, kinds, strict=True) if k == kind) for kind in set(shown)}
    order = sorted(highest, key=lambda kind: (-highest[kind], kind))
    return [kind for kind in order if highest[kind] > 0][:NAMED]


def _line(axes: Axes, x: np.ndarray, chance: Chance, i: int, number: int | None, shaded: bool) -> None:
    """Draw one team: in grey if its kind has no name here, and perhaps with its interval."""
    if number is None:
        axes.plot(x, chance.now[:, i], color="#BBBBBB", lw=0.8, zorder=1)
        return
    style.draw_line(axes, x, chance.now[None, :, i], number, str(number), shaded=False)
    if shaded:
        ends = chance.low[:, i], chance.high[:, i]
        axes.fill_between(x, *ends, color=style.COLOURS[number], alpha=0.15, lw=0)


def _legend(figure: Figure, results: Results, grid: np.ndarray, named: list[tuple[str, ...]]) -> None:
    from matplotlib.lines import Line2D

    found = style.labelled(grid)
    scenario = results.scenario
    known = (scenario.roles, scenario.environments, scenario.grades)
    handles, labels = [], []
    for number, kind in enumerate(named):
        names = [style.names_of([key], names)[0] for key, names in zip(kind, known, strict=True) if key]
        handles.append(found[str(number)])
        labels.append(", ".join(names))
    handles.append(Line2D([], [], color="#BBBBBB", lw=0.8))
    labels.append("other teams")
    style.legend_below(figure, handles, labels, 3)


def _note(results: Results, n_shown: int, n_places: int) -> str:
    n = results.data.sizes["draw"] - 1
    some = f"  ·  the {n_shown} of {n_places} places where it is likeliest" if n_shown < n_places else ""
    return f"{n:,} possible futures; bands (of the likeliest): 95 % interval for their number{some}"
