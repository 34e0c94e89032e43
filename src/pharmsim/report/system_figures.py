"""Figures of the system around the people: pressure, working time, money, groups by grade."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from pharmsim.report import style
from pharmsim.results import measures, money, need
from pharmsim.results.batches import over_draws
from pharmsim.results.rows import word

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from pharmsim.results.labelled import Results

Made = tuple["Figure", str] | None
KINDS = ("service", "supervising", "other", "learning", "settling_in", "introduction", "absence")
"""Kinds of use of working time, in the order in which they are drawn."""
SHADES = {
    "service": ("#0072B2", "#56B4E9", "#009E73", "#7CC6E8", "#00507D", "#66C2A5"),
    "supervising": ("#CC79A7", "#E5B5CF"),
    "other": ("#E69F00", "#F3CF80", "#B87F00", "#F9E3B4"),
    "learning": ("#8C6D1F",),
    "settling_in": ("#B9A15B",),
    "introduction": ("#DDD0A5",),
    "absence": ("#8A8A8A", "#B5B5B5", "#D2D2D2", "#6E6E6E", "#E6E6E6"),
}
MILLION = 2e6
"""From this yearly amount on (GBP), money is shown in millions, else in thousands."""


def pressure(results: Results) -> Made:
    """Required ÷ delivered time of every role, a panel for each environment."""
    data = results.data
    if "required_fte" not in data:
        return None
    array = style.measured(results, need.pressure, ["environment", "role"])
    keys = list(dict.fromkeys(need.service_keys(data, ["environment", "role"])))
    order = [name for name in results.scenario.environments if any(key[0] == name for key in keys)]
    roles = list(dict.fromkeys(key[1] for key in keys))
    rows, columns = style.grid_shape(len(order))
    title = "Pressure: time on the service required ÷ delivered, by environment"
    figure = style.new_figure(title, height=1.0 + 2.4 * rows)
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True).ravel()
    x = style.years(data["time"].values)
    for axes, environment in zip(grid, order, strict=False):
        for j, key in enumerate(keys):
            if key[0] == environment:
                name = style.names_of([key[1]], results.scenario.roles)[0]
                style.draw_line(axes, x, array.values[:, :, j], roles.index(key[1]), name)
        axes.axhline(1.0, color="#333333", lw=1.2, linestyle=(0, (1, 1.5)), zorder=1, label="1: balanced")
        axes.set_title(style.names_of([environment], results.scenario.environments, 34)[0])
        style.year_axis(axes, 4)
    for axes in grid[: len(order)]:
        low, high = axes.get_ylim()
        axes.set_ylim(min(low, 0.95), max(high, 1.05))
    _finish(figure, grid, len(order), columns, "required ÷ delivered")
    return figure, "above 1: more is required than delivered; one scale for all; at most 10"


def _finish(figure: Figure, grid: Any, used: int, columns: int, unit: str) -> None:
    """Hide the panels that are left over, name the unit, one legend for all."""
    for axes in grid[:used:columns]:
        axes.set_ylabel(unit)
    for axes in grid[used:]:
        axes.set_visible(False)
    found = style.labelled(grid[:used])
    style.legend_below(figure, list(found.values()), list(found), 5)


def time_use(results: Results) -> Made:
    """Where working time goes at the start and at the end: a pair of bars for each role and environment."""
    data = results.data
    if "time_fte" not in data or results.scenario.working_time is None:
        return None
    central = data.isel(draw=slice(0, 1))
    array = need.time_use(central, ["environment", "role"]).transpose("draw", "time", "cell", "use")
    ends = array.values[0][[0, -1]]  # (2, cells, uses), central
    keys = need.service_keys(data, ["environment", "role"])
    names = _cell_names(results, keys)
    places = list(results.scenario.environments)
    kept = sorted(range(len(names)), key=lambda j: places.index(list(dict.fromkeys(keys))[j][0]))
    kept = [j for j in kept if ends[:, j].sum() > 0.0]
    uses = _uses(results, ends)
    dates = [style.month_name(date) for date in data["time"].values[[0, -1]]]
    figure = style.new_figure(
        f"Where working time goes, {dates[0]} (upper bars) and {dates[1]} (lower bars)",
        width=9.5,
        height=1.9 + 0.52 * len(kept) + 0.1 * len(uses),
    )
    axes = figure.subplots()
    for row, j in enumerate(kept):
        for end in (0, 1):
            _time_bar(axes, ends[end, j], uses, row + (0.2 if end else -0.2), labelled=row == end == 0)
    _share_axis(axes, [names[j] for j in kept], "share of contracted time; at the right, FTE")
    style.legend_below(figure, *axes.get_legend_handles_labels(), 4)
    return figure, "black frames: time on the service"


def _cell_names(results: Results, keys: list[tuple[str, ...]]) -> list[str]:
    """Names of (environment, role) cells, in order of appearance."""
    known = results.scenario
    return [
        style.shorten(f"{known.environments.get(place, place)}: {known.roles.get(role, role)}", 46)
        for place, role in dict.fromkeys(keys)
    ]


def _uses(results: Results, ends: np.ndarray) -> list[tuple[int, str, str, str, str]]:
    """Uses that take time somewhere, in order of kind: position, kind, label, colour, hatch."""
    data = results.data
    kinds = [str(kind) for kind in data.variables["use_kind"].values]
    plan = results.scenario.working_time.job_plan if results.scenario.working_time else {}
    out: list[tuple[int, str, str, str, str]] = []
    for kind in KINDS:
        here = [i for i, found in enumerate(kinds) if found == kind and ends[..., i].any()]
        for k, i in enumerate(here):
            name = str(data["use"].values[i])
            label = (plan[name].label if name in plan else "") or name.replace("_", " ")
            title = {"service": "service: ", "absence": "absence: "}.get(kind, "") + label
            shades = SHADES[kind]
            hatch = style.HATCHES[(k if kind == "absence" else len(out)) % len(style.HATCHES)]
            out.append((i, kind, style.shorten(title, 30), shades[k % len(shades)], hatch))
    return out


def _time_bar(
    axes: Axes, fte: np.ndarray, uses: list[tuple[int, str, str, str, str]], y: float, labelled: bool
) -> None:
    """One bar of shares, with the share on the service and the FTE in words."""
    total, left, service = float(fte.sum()), 0.0, 0.0
    if total <= 0.0:
        axes.text(0.005, y, "nobody", va="center", fontsize=7, color="#555555")
        return
    for i, kind, label, shade, hatch in uses:
        share = float(fte[i]) / total
        axes.barh(y, share, height=0.35, left=left, color=shade, hatch=hatch, edgecolor="white",
                  linewidth=0.4, label=label if labelled else None)  # fmt: skip
        left += share
        service += share if kind == "service" else 0.0
    axes.barh(y, service, height=0.35, facecolor="none", edgecolor="black", linewidth=1.1)
    if service > 0.0:
        axes.text(service / 2, y, f"{service:.0%}", ha="center", va="center", fontsize=7, bbox=BOX)
    axes.text(1.01, y, f"{total:,.1f}" if total < 100 else f"{total:,.0f}", va="center", fontsize=7)


COSTS = {
    "pay_bill": ("pay of people in post", "#9CC3E0", ""),
    "cover_cost": ("temporary cover", "#E69F00", "//"),
    "backfill_cost": ("backfill for joint posts", "#7A4B6B", ".."),
}
"""What is paid: words, colour, hatch."""


def spending(results: Results) -> Made:
    """Pay bill, cover and backfill of every environment, with the budget; other budgets apart."""
    data = results.data
    if "pay_bill" not in data:
        return None
    panels = _panels(results)
    x = style.years(data["time"].values)
    largest = max(12.0 * float(np.nanmax(np.sum(list(parts.values()), axis=0))) for _, parts, _ in panels)
    scale, unit = (1e6, "£ million a year") if largest >= MILLION else (1e3, "£ thousand a year")
    rows, columns = style.grid_shape(len(panels))
    figure = style.new_figure("What staff and temporary cover cost, and budgets", height=1.1 + 2.4 * rows)
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, (title, parts, budget) in zip(grid, panels, strict=False):
        base = np.zeros(len(x))
        for name, values in parts.items():
            words, shade, hatch = COSTS[name]
            top = base + 12.0 * values[0] / scale
            if values.any():
                axes.fill_between(x, base, top, facecolor=shade, hatch=hatch, edgecolor="white", lw=0.4,
                                  label=words)  # fmt: skip
            base = top
        total = 12.0 * np.sum(list(parts.values()), axis=0) / scale
        spread = style.band(total)
        axes.plot(x, total[0], color="#333333", lw=1.0, label="together")
        if spread is not None:
            for line in spread:
                axes.plot(x, line, color="#333333", lw=0.8, linestyle=":")
        if budget is not None:
            axes.plot(x, 12.0 * budget[0] / scale, color="#D55E00", lw=1.8, linestyle="--", label="budget")
        axes.set_title(style.shorten(title, 34))
        style.from_zero(axes)
        style.year_axis(axes, 4)
    _finish(figure, grid, len(panels), columns, unit)
    dotted = (
        f"dotted: 5–95 % of {word(results.meta)}; in each the budget moves too; " if results.has_draws else ""
    )
    return figure, f"{dotted}joint posts cost their home; scales differ between pictures"


def _panels(results: Results) -> list[tuple[str, dict[str, np.ndarray], np.ndarray | None]]:
    """Title, costs by kind (draw, time) and budget of every environment; then budgets of other posts."""
    data = results.data
    names = [name for name in money.COSTS if name in data]
    places = data.variables["post_environment"].values
    budgets, inside = None, np.zeros((0, len(places)), dtype=bool)
    if "budget_money" in data:
        budgets = data["budget_money"].transpose("draw", "time", "budget").values
        inside = data.variables["in_budget"].values.astype(bool)
    left = set(range(len(inside)))
    out = []
    for place, title in results.scenario.environments.items():
        here = places == place
        if not here.any():
            continue
        same = next((i for i in sorted(left) if (inside[i] == here).all()), None)
        left -= {same} if same is not None else set()
        found = budgets[:, :, same] if budgets is not None and same is not None else None
        out.append((title, _spent(data, names, here), found))
    for i in sorted(left):
        title = f"Budget: {list(results.scenario.budgets)[i].replace('_', ' ')}"
        assert budgets is not None
        out.append((title, _spent(data, names, inside[i]), budgets[:, :, i]))
    return out


def _spent(data: xr.Dataset, names: list[str], posts: np.ndarray) -> dict[str, np.ndarray]:
    """Costs of some posts together, shape (draw, time)."""
    keys = [() if here else None for here in posts]

    def total(batch: xr.Dataset, name: str) -> xr.DataArray:
        return measures.sum_posts(batch[name], keys)

    return {name: over_draws(data, partial(total, name=name)).values[:, :, 0] for name in names}


def groups(results: Results) -> Made:
    """Share of every group in every role and grade, at the start and at the end."""
    data, scenario = results.data, results.scenario
    cells = [(post.role, post.grade) for post in scenario.posts]
    if len(scenario.groups) < 2 or len({grade for _, grade in cells}) < 2:
        return None
    central = results.central["headcount"].isel(time=[0, -1])
    heads = central.sum("contract").transpose("time", "post", "group").values
    grades = {**scenario.grades, "": "without a grade"}
    rows = []
    for role, grade in ((role, grade) for role in scenario.roles for grade in grades):
        values = heads[:, [cell == (role, grade) for cell in cells]].sum(axis=1)
        if values.any():
            rows.append((f"{scenario.roles[role]}, {grades[grade]}", values))
    rows.append(("All", heads.sum(axis=1)))
    dates = [style.month_name(date) for date in data["time"].values[[0, -1]]]
    title = f"Groups by role and grade, {dates[0]} (upper bars) and {dates[1]} (lower bars)"
    figure = style.new_figure(title, height=1.7 + 0.5 * len(rows))
    axes = figure.subplots()
    labels = list(results.scenario.groups.values())
    for row, (_, values) in enumerate(rows):
        for end in (0, 1):
            _group_bar(axes, values[end], labels, row + (0.2 if end else -0.2), row == end == 0)
    _share_axis(axes, [name for name, _ in rows], "share of people in post; at the right, people")
    style.legend_below(figure, *axes.get_legend_handles_labels(), 3)
    return figure, ""


def _group_bar(axes: Axes, heads: np.ndarray, labels: list[str], y: float, labelled: bool) -> None:
    """One bar of shares of groups, with the shares that have room in words, and the people."""
    total, left = float(heads.sum()), 0.0
    if total <= 0.0:
        axes.text(0.005, y, "nobody", va="center", fontsize=7, color="#555555")
        return
    for k, label in enumerate(labels):
        share = float(heads[k]) / total
        name = style.shorten(label, 48) if labelled else None
        axes.barh(y, share, height=0.35, left=left, color=PALE[k % len(PALE)], edgecolor="white",
                  linewidth=0.4, hatch=style.HATCHES[k % 8], label=name)  # fmt: skip
        if share >= 0.04:
            axes.text(left + share / 2, y, f"{share:.0%}", ha="center", va="center", fontsize=7, bbox=BOX)
        left += share
    axes.text(1.01, y, f"{total:,.0f}", va="center", fontsize=7)


PALE = ("#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#B5B5B5", "#D55E00", "#0072B2", "#8C6D1F")
BOX = {"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none"}
"""Behind words on bars."""


def _share_axis(axes: Axes, names: list[str], title: str) -> None:
    """Rows of pairs of bars, shares from 0 to 100 % along x."""
    axes.set_yticks(range(len(names)), [style.shorten(name, 46) for name in names])
    axes.set_ylim(len(names) - 0.45, -0.55)
    axes.set_xlim(0.0, 1.1)
    axes.set_xticks(np.linspace(0.0, 1.0, 6))
    axes.xaxis.set_major_formatter("{x:.0%}")
    axes.set_xlabel(title)
    axes.grid(axis="x")
    axes.grid(axis="y", visible=False)
