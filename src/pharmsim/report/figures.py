"""Figures of a run, as PNG and SVG."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from pharmsim.report import chance_figures, small_teams_figures, style, system_figures, trainees_figure
from pharmsim.results import measures, retention
from pharmsim.results.batches import over_draws
from pharmsim.results.labelled import Results
from pharmsim.results.training_table import history_by_year

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FOLDER = "figures"
TELLING = ("small_teams", "fan", "one_future", "trainees")
"""Beginnings of names of figures whose notes say what lines and bands are."""
MANY, SHADED = 4, 3
"""With more lines than the first, only the largest (as many as the second) have bands."""


def write_figures(results: Results, folder: Path) -> list[Path]:
    """Draw every figure the run has data for into `folder`/figures.

    Parameters
    ----------
    results : Results
    folder : Path
        The results folder.

    Returns
    -------
    list of Path
    """
    makers = {
        "headcount": headcount,
        "environments": environments,
        "vacancies": vacancies,
        "joiners_and_leavers": joiners_and_leavers,
        "training": training,
        "ages": ages,
        "retention": retention_levels,
        "pressure": system_figures.pressure,
        "time_use": system_figures.time_use,
        "spending": system_figures.spending,
        "groups": system_figures.groups,
        "fan": chance_figures.fan,
        "one_future": chance_figures.one_future,
        "trainees": trainees_figure.trainees,
        "small_teams_empty": small_teams_figures.empty,
        "small_teams_below": small_teams_figures.below,
    }
    paths: list[Path] = []
    with style.styled():
        for name, make in makers.items():
            made = make(results)
            if made is not None:
                figure, note = made
                bands = name not in ("time_use", "spending", "groups")
                footnote = style.footnote(results, note, bands=bands, counted=name.startswith(TELLING))
                paths += style.save(figure, folder / FOLDER, name, footnote)
    return paths


Made = tuple["Figure", str] | None


def _role_names(results: Results, cells: list[str]) -> list[str]:
    return style.names_of(cells, results.scenario.roles)


def _lines(axes: Axes, array: xr.DataArray, names: list[str], shaded: int | None = None) -> None:
    """One line for each cell of an array (draw, time, cell); bands for the `shaded` largest, or all."""
    x = style.years(array["time"].values)
    order = np.argsort(-np.nanmean(array.values[0], axis=0), kind="stable").tolist()
    with_band = order if shaded is None else order[:shaded]
    for i, name in enumerate(names):
        style.draw_line(axes, x, array.values[:, :, i], i, name, i in with_band)
    style.year_axis(axes)


def headcount(results: Results) -> Made:
    """People in post and FTE, by role; one picture where everybody is one FTE."""
    people, fte = (
        style.measured(results, measures.headcount, "role"),
        style.measured(results, measures.fte, "role"),
    )
    same = bool(np.allclose(people.values, fte.values, rtol=1e-9))
    figure = style.new_figure("People in post, by role", height=4.2)
    panels = [(people, "Headcount; everybody works one FTE" if same else "Headcount", "people")]
    if not same:
        panels.append((fte, "Full-time equivalents", "FTE"))
    grid = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (array, title, unit) in zip(grid, panels, strict=True):
        _lines(axes, array, _role_names(results, list(array["cell"].values)))
        axes.set_title(title)
        axes.set_ylabel(unit)
        style.from_zero(axes)
        style.thousands(axes)
    handles, labels = grid[0].get_legend_handles_labels()
    style.legend_below(figure, handles, labels, 6)
    return figure, ""


def environments(results: Results) -> Made:
    """FTE in post by role in every environment, with the establishment."""
    data = results.data
    array = style.measured(results, measures.fte, ["environment", "role"])
    keys = list(dict.fromkeys(measures.group_keys(data, ["environment", "role"])))
    funded = _establishment_by_key(data)
    order = list(dict.fromkeys(key[0] for key in keys))
    roles = list(dict.fromkeys(key[1] for key in keys))
    rows, columns = style.grid_shape(len(order))
    figure = style.new_figure(
        "Full-time equivalents in post (lines) and funded (grey dashes), by environment",
        height=1.0 + 2.3 * rows,
    )
    grid = np.atleast_1d(figure.subplots(rows, columns, squeeze=False)).ravel()
    x = style.years(data["time"].values)
    for axes, environment in zip(grid, order, strict=False):
        for j, key in enumerate(keys):
            if key[0] != environment:
                continue
            i = roles.index(key[1])
            style.draw_line(axes, x, array.values[:, :, j], i, _role_names(results, [key[1]])[0])
            if key in funded:
                axes.plot(x, funded[key], color="#777777", lw=1.0, linestyle=(0, (2, 2)), zorder=1)
        axes.set_title(style.names_of([environment], results.scenario.environments, 34)[0])
        style.from_zero(axes)
        style.year_axis(axes, 4)
        style.thousands(axes)
    for axes in grid[::columns]:
        axes.set_ylabel("FTE")
    for axes in grid[len(order) :]:
        axes.set_visible(False)
    found = style.labelled(grid)
    style.legend_below(figure, list(found.values()), list(found), 6)
    return figure, "scales differ between pictures"


def _establishment_by_key(data: xr.Dataset) -> dict[tuple[str, ...], np.ndarray]:
    """Central establishment over time of every (environment, role) that has one for all its posts."""
    if "establishment_fte" not in data:
        return {}
    keys = measures.group_keys(data, ["environment", "role"])
    summed = measures.sum_posts(data["establishment_fte"].isel(draw=slice(0, 1)), keys)
    unique = list(dict.fromkeys(keys))
    return {
        key: summed.values[0, :, j]
        for j, key in enumerate(unique)
        if not np.isnan(summed.values[0, :, j]).any()
    }


def vacancies(results: Results) -> Made:
    """Vacancy rate by role, and vacant FTE by environment."""
    data = results.data
    if "establishment_fte" not in data or not measures.with_establishment(data).any():
        return None
    figure = style.new_figure("Vacancies: funded posts that nobody fills", height=4.4)
    left, right = figure.subplots(1, 2)
    rate = style.measured(results, measures.vacancy_rate, "role")
    _lines(left, rate, _role_names(results, list(rate["cell"].values)))
    left.set_title("Vacancy rate, by role")
    left.set_ylabel("share of funded FTE")
    style.percent(left)
    vacant = style.measured(results, measures.vacancies, "environment")
    names = style.names_of(list(vacant["cell"].values), results.scenario.environments)
    few = len(names) <= MANY or not results.has_draws
    _lines(right, vacant, names, None if few else SHADED)
    right.set_title("Vacant FTE, by environment" + ("" if few else " (bands: the three largest)"))
    right.set_ylabel("FTE")
    style.at_least(left, 0.02)
    style.at_least(right, 2.0)
    for axes in (left, right):
        axes.axhline(0.0, color="#555555", lw=0.8)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=2)
    return figure, "below zero: more in post than funded"


def joiners_and_leavers(results: Results) -> Made:
    """People joining and leaving in each year, stacked by source and destination."""
    data = results.data
    ups = _yearly_parts(data, (("joiners", "source"), ("returns", "pool")))
    downs = _yearly_parts(data, (("leavers", "destination"), ("retirements", "")))
    if not ups and not downs:
        return None
    figure = style.new_figure("People joining and leaving in each year", height=4.8)
    axes = figure.subplots()
    first = next(iter((*ups.values(), *downs.values())))
    starts = first["year_from"].values
    if not len(starts):
        return None  # no whole year
    x = style.years(starts)
    ups, downs = (
        {name: array for name, array in parts.items() if array.values.any()} for parts in (ups, downs)
    )
    net = np.zeros(first.values.shape)
    for sign, parts, word in ((1, ups, "join"), (-1, downs, "leave")):
        base = np.zeros(len(x))
        for i, (name, array) in enumerate(parts.items()):
            colour = (style.COLOURS if sign > 0 else style.GREYS)[i % 8]
            hatch = style.HATCHES[1] if sign > 0 and i % 2 else ""
            heights = sign * array.values[0]
            axes.bar(x, heights, width=0.8, bottom=base, align="edge", color=colour, hatch=hatch,
                     edgecolor="white", linewidth=0.4, label=f"{word}: {name}")  # fmt: skip
            base, net = base + heights, net + sign * array.values
    axes.axhline(0.0, color="#333333", lw=0.8)
    low_high = style.band(net)
    if low_high is None:
        axes.plot(
            x + 0.4, net[0], "o", color="black", mec="white", markersize=6, label="joining less leaving"
        )
    else:
        reach = np.abs(np.array(low_high) - net[0])
        axes.errorbar(x + 0.4, net[0], reach, fmt="o", color="black", mec="white", markersize=6, lw=1.2,
                      label="joining less leaving")  # fmt: skip
    axes.set_ylabel("people per year")
    style.at_least(axes, 2.0)
    style.thousands(axes)
    shown = slice(None, None, -(-len(x) // 8))
    axes.set_xticks(x[shown], [style.month_name(date) for date in starts[shown]])
    style.legend_right(axes)
    return figure, "bars: model years from the month at the tick on; no moves between posts"


def _yearly_parts(data: xr.Dataset, flows: tuple[tuple[str, str], ...]) -> dict[str, xr.DataArray]:
    """Yearly totals over posts, one for each source or destination."""
    parts: dict[str, xr.DataArray] = {}
    for name, axis in flows:
        if name not in data:
            continue
        total = over_draws(data, partial(_of_all_posts, name=name))
        if not axis:
            parts["retired"] = total
            continue
        for label in total[axis].values:
            text = f"back from {label}" if name == "returns" else str(label)
            parts[style.shorten(text.replace("_", " "), 28)] = total.sel({axis: label}, drop=True)
    return parts


def _of_all_posts(data: xr.Dataset, name: str) -> xr.DataArray:
    return measures.yearly_flow(data, name).sum("post")


def training(results: Results) -> Made:
    """Newly qualified: by month in the first years, and by year before and after the start."""
    data = results.data
    if "registered" not in data or int(data.attrs.get("months_per_period", 1)) != 1:
        return None
    if data.sizes["period"] < measures.YEAR:
        return None  # a picture by year needs a year
    figure = style.new_figure("Newly qualified people", height=4.4)
    left, right = figure.subplots(1, 2)
    series = _qualified(data)
    n = min(48, data.sizes["period"])
    x = style.years(data["period"].values[:n])
    base = np.zeros(n)
    for i, (name, monthly, _, _) in enumerate(series):
        heights = monthly[0, :n]
        colour, hatch = style.COLOURS[i % 8], style.HATCHES[i % 8]
        left.bar(x, heights, width=1 / 13, bottom=base, align="edge", color=colour, hatch=hatch,
                 edgecolor="white", linewidth=0.3, label=name)  # fmt: skip
        base += heights
    left.set_title(f"By month, the first {n // 12} years")
    left.set_ylabel("people per month")
    style.year_axis(left, 6)
    right.set_title("By year, five years before and after the start")
    right.set_ylabel("people per year")
    starts = style.years(measures.yearly_flow(data, "registered")["year_from"].values[:YEARS])
    for i, (name, _, after, before) in enumerate(series):
        values, dates = after[:, :YEARS], starts
        if before is not None:
            values = np.concatenate([before, values], axis=1)
            dates = np.concatenate([starts[0] - np.arange(before.shape[1], 0, -1), starts])
        style.draw_line(right, dates, values, i, name, markevery=1)
    right.axvline(style.years(data["time"].values[:1])[0] - 0.5, color="#555555", lw=0.8, linestyle=":")
    style.from_zero(right)
    style.year_axis(right, 10)
    left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=2)
    return figure, "years begin at the start month; dotted line: the start"


YEARS = 5
"""Years before and after the start in the picture of training."""


def _qualified(data: xr.Dataset) -> list[tuple[str, np.ndarray, np.ndarray, np.ndarray | None]]:
    """Newly qualified of every pipeline, and inside posts: name, by month, by year, by year before."""
    months, years = data["registered"].values, measures.yearly_flow(data, "registered").values
    before = history_by_year(data).values[:, -YEARS:] if "registered_before" in data else None
    series = [
        (
            str(name).replace("_", " "),
            months[:, :, i],
            years[:, :, i],
            None if before is None else before[:, :, i],
        )
        for i, name in enumerate(data["pipeline"].values)
    ]
    if "training_ends" in data:
        by_year = over_draws(data, partial(_of_all_posts, name="training_ends")).values
        if by_year.any():
            inside = data["training_ends"].isel(draw=slice(0, 1)).sum("post").values
            series.append(("inside posts (no record before the start)", inside, by_year, None))
    return series


def ages(results: Results) -> Made:
    """Ages of the people in post now and at the end, by role."""
    data = results.data
    if "headcount_by_age" not in data:
        return None
    array = style.measured(results, measures.headcount_by_age, "role").isel(year=[0, -1])
    names = _role_names(results, list(array["cell"].values))
    age = array["age"].values
    rows, columns = style.grid_shape(len(names))
    figure = style.new_figure("Ages of people in post, at the start and at the end", height=1.2 + 2.8 * rows)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    dates = [style.month_name(date) for date in array["year"].values[[0, -1]]]
    axis = array.transpose("draw", "year", "age", "cell").values
    for i, (axes, name) in enumerate(zip(grid, names, strict=False)):
        axes.fill_betweenx(age, 0, axis[0, 0, :, i], step="mid", color="#BBBBBB", label=f"start, {dates[0]}")
        axes.step(
            axis[0, -1, :, i], age, where="mid", color=style.COLOURS[0], lw=1.6, label=f"end, {dates[1]}"
        )
        spread = style.band(axis[:, -1, :, i])
        if spread is not None:
            axes.fill_betweenx(age, *spread, step="mid", color=style.COLOURS[0], alpha=0.2, linewidth=0)
        axes.set_title(name)
        axes.set_xlabel("people at each age")
        axes.set_xlim(left=0)
        axes.grid(axis="x")
    for axes in grid[len(names) :]:
        axes.set_visible(False)
    for axes in grid[::columns]:
        axes.set_ylabel("age, years")
    handles, labels = grid[0].get_legend_handles_labels()
    style.legend_below(figure, handles, labels, 2)
    return figure, ""


def retention_levels(results: Results) -> Made:
    """Share of people still there after twelve months, by level."""
    data = results.data
    if "tagged" not in data or not data.sizes.get("retention_year"):
        return None
    figure = style.new_figure("Retention: people still there twelve months later", height=4.2)
    axes = figure.subplots()
    found: list[tuple[list[str], xr.DataArray]] = []
    for level in (str(name) for name in data["level"].values):
        array = over_draws(data, partial(retention.stability_index, level=level))
        same = [names for names, other in found if np.allclose(other, array, rtol=1e-9, equal_nan=True)]
        if same:
            same[0].append(level.replace("_", " "))
        else:
            found.append(([level.replace("_", " ")], array))
    for i, (names, array) in enumerate(found):
        x = style.years(array["year_to"].values)
        label = style.shorten(", ".join(names), 30)
        style.draw_line(axes, x, array.values[:, :, 0], i, label, markevery=1)
    axes.set_ylabel("stability index (share kept)")
    style.at_least(axes, 0.02)
    style.percent(axes)
    style.year_axis(axes, 10)
    style.legend_right(axes, title="Counted as leaving when\nsomebody leaves the …")
    return figure, "years end at the dates shown; the axis does not start at 0"
