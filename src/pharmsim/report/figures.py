"""Figures of a run, as PNG and SVG."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from pharmsim.report import style
from pharmsim.results import measures, retention
from pharmsim.results.labelled import Results
from pharmsim.results.tables import history_by_year

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FOLDER = "figures"


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
    }
    paths: list[Path] = []
    with style.styled():
        for name, make in makers.items():
            made = make(results)
            if made is not None:
                figure, note = made
                paths += style.save(figure, folder / FOLDER, name, style.footnote(results, note))
    return paths


Made = tuple["Figure", str] | None


def _role_names(results: Results, cells: list[str]) -> list[str]:
    return style.names_of(cells, results.scenario.roles)


def _lines(axes: Axes, array: xr.DataArray, names: list[str]) -> None:
    """One line for each cell of an array (draw, time, cell)."""
    x = style.years(array["time"].values)
    for i, name in enumerate(names):
        style.draw_line(axes, x, array.values[:, :, i], i, name)
    style.year_axis(axes)


def headcount(results: Results) -> Made:
    """People in post and FTE, by role."""
    figure = style.new_figure("People in post, by role", height=4.2)
    left, right = figure.subplots(1, 2)
    for axes, array, title, unit in (
        (left, measures.headcount(results.data, "role"), "Headcount", "people"),
        (right, measures.fte(results.data, "role"), "Full-time equivalents", "FTE"),
    ):
        _lines(axes, array, _role_names(results, list(array["cell"].values)))
        axes.set_title(title)
        axes.set_ylabel(unit)
        style.from_zero(axes)
        style.thousands(axes)
    handles, labels = left.get_legend_handles_labels()
    style.legend_below(figure, handles, labels, 6)
    return figure, ""


def environments(results: Results) -> Made:
    """FTE in post by role in every environment, with the establishment."""
    data = results.data
    array = measures.fte(data, ["environment", "role"])
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
    found = {
        label: handle
        for axes in grid
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
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
    rate = measures.vacancy_rate(data, "role")
    _lines(left, rate, _role_names(results, list(rate["cell"].values)))
    left.set_title("Vacancy rate, by role")
    left.set_ylabel("share of funded FTE")
    style.percent(left)
    vacant = measures.vacancies(data, "environment")
    names = style.names_of(list(vacant["cell"].values), results.scenario.environments)
    _lines(right, vacant, names)
    right.set_title("Vacant FTE, by environment")
    right.set_ylabel("FTE")
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
    x = style.years(first["year_from"].values)
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
    style.thousands(axes)
    style.year_axis(axes, 12)
    style.legend_right(axes)
    return figure, "years begin at the start month; moves between posts not shown"


def _yearly_parts(data: xr.Dataset, flows: tuple[tuple[str, str], ...]) -> dict[str, xr.DataArray]:
    """Yearly totals over posts, one for each source or destination."""
    parts: dict[str, xr.DataArray] = {}
    for name, axis in flows:
        if name not in data:
            continue
        total = measures.yearly_flow(data, name).sum("post")
        if not axis:
            parts["retired"] = total
            continue
        for label in total[axis].values:
            text = f"back from {label}" if name == "returns" else str(label)
            parts[style.shorten(text.replace("_", " "), 28)] = total.sel({axis: label}, drop=True)
    return parts


def training(results: Results) -> Made:
    """Newly qualified: by month in the first years, and by year before and after the start."""
    data = results.data
    if "registered" not in data or int(data.attrs.get("months_per_period", 1)) != 1:
        return None
    if data.sizes["period"] < measures.YEAR:
        return None  # a picture by year needs a year
    figure = style.new_figure("Newly qualified people", height=4.4)
    left, right = figure.subplots(1, 2)
    pipelines = [str(name) for name in data["pipeline"].values]
    n = min(48, data.sizes["period"])
    x = style.years(data["period"].values[:n])
    base = np.zeros(n)
    for i, name in enumerate(pipelines):
        heights = data["registered"].values[0, :n, i]
        colour, hatch = style.COLOURS[i % 8], style.HATCHES[i % 8]
        left.bar(x, heights, width=1 / 13, bottom=base, align="edge", color=colour, hatch=hatch,
                 edgecolor="white", linewidth=0.3, label=name.replace("_", " "))  # fmt: skip
        base += heights
    left.set_title(f"By month, the first {n // 12} years")
    left.set_ylabel("people per month")
    style.year_axis(left, 6)
    right.set_title("By year, before and after the start")
    right.set_ylabel("people per year")
    after = measures.yearly_flow(data, "registered")
    before = history_by_year(data).values[:, -5:] if "registered_before" in data else None
    for i, name in enumerate(pipelines):
        values = after.values[:, :5, i]
        dates = style.years(after["year_from"].values[:5])
        if before is not None:
            values = np.concatenate([before[:, :, i], values], axis=1)
            dates = np.concatenate([dates[0] - np.arange(before.shape[1], 0, -1), dates])
        style.draw_line(right, dates, values, i, name.replace("_", " "), markevery=1)
    right.axvline(style.years(data["time"].values[:1])[0] - 0.5, color="#555555", lw=0.8, linestyle=":")
    style.from_zero(right)
    style.year_axis(right, 10)
    left.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=2)
    return figure, "years begin at the start month; dotted line: the start"


def ages(results: Results) -> Made:
    """Ages of the people in post now and at the end, by role."""
    data = results.data
    if "headcount_by_age" not in data:
        return None
    array = measures.sum_posts(data["headcount_by_age"], measures.group_keys(data, "role"))
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
    for i, level in enumerate(str(name) for name in data["level"].values):
        array = retention.stability_index(data, level)
        x = style.years(array["year_to"].values)
        width = max(3.0 - 0.4 * i, 1.2)  # lines that coincide show behind each other
        style.draw_line(axes, x, array.values[:, :, 0], i, level.replace("_", " "), markevery=1, lw=width)
    axes.set_ylabel("stability index (share kept)")
    style.percent(axes)
    style.year_axis(axes, 10)
    style.legend_right(axes, title="Counted as leaving when\nsomebody leaves the …")
    return figure, "years end at the dates shown"
