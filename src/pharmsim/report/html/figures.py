"""Pictures of the HTML report: drawn from the tables or taken from the folder."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmsim.report import attribution_figures, style, winners_figure
from pharmsim.report.flow_picture import JOINT, flow_picture
from pharmsim.report.html import headline, text
from pharmsim.report.html.data import ResultsFolder
from pharmsim.results.columns import ALL

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LINES = ("headcount", "delivered_fte", "vacancy_rate", "stability_index")
SPARE = ("fte", "pressure", "leavers")
"""Quantities of the trajectories, and what stands in for those that a run does not have."""
PANELS = 4
BASE = "#555555"
CENTRAL = "central values; no range was run"


@dataclass(frozen=True)
class Picture:
    """A picture inside the file: the data, words for those who do not see it, a line below, its shape."""

    source: str
    alt: str
    caption: str
    tall: bool = False


def drawn(make: Callable[[], Figure], alt: str, caption: str) -> Picture:
    """Draw a figure and keep it as SVG."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    stream = io.StringIO()
    with style.styled():
        figure = make()
        FigureCanvasSVG(figure).print_svg(stream, metadata={"Date": None})
    return Picture(_data(stream.getvalue()), alt, caption, _tall(stream.getvalue()))


def _data(svg: str) -> str:
    """SVG as an address that needs no network."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def taken(path: Path) -> Picture:
    """Take a picture of the folder, with its own title as words."""
    svg = path.read_text(encoding="utf-8")
    bold = re.findall(r'<text style="[^"]*\b700\b[^"]*?([\d.]+)px[^"]*"[^>]*>([^<]+)</text>', svg)
    title = unescape(max(bold, key=lambda one: float(one[0]))[1]).strip() if bold else text.words(path.stem)
    seen = SEEN.get(path.stem, "")
    return Picture(_data(svg), f"{title}. {seen}The numbers are in the tables.", title, _tall(svg))


SEEN = {
    "choice": "Bars of what each scenario loses on average, and of what it is worth to know single inputs. ",
    "costs": "Bars of the items of cost for each scenario, and the cost of an additional FTE-year. ",
    "differences": "For every post group a dot with an interval for each scenario, to either side of zero. ",
    "retention_differences": "For every level a dot with an interval for each scenario. ",
    "service_differences": "For every service a dot with an interval for each scenario. ",
    "trajectories": "A row for each scenario: lines of its differences over time, with bands. ",
}
"""What is seen in pictures of all scenarios, by the names of their files."""


def _tall(svg: str) -> bool:
    """Whether a picture needs a page of its own on paper."""
    size = re.search(r'<svg[^>]*?viewBox="[\d.-]+ [\d.-]+ ([\d.]+) ([\d.]+)"', svg)
    return size is not None and float(size[2]) > 0.72 * float(size[1])


# -- trajectories -------------------------------------------------------------------------------------------


def trajectories(read: ResultsFolder, scenario: str) -> Picture | None:
    """Draw the base and a scenario over time, and their difference, for the whole system."""
    frame = read.tables["trajectories"]
    frame = frame[(frame["role"] == ALL) & (frame["environment"] == ALL)]
    if "stability_index" in set(frame["quantity"]):
        level = headline.retention(read, scenario)["level"]
        frame = frame[(frame["quantity"] != "stability_index") | frame["level"].isin(set(level))]
    there = [name for name in (*LINES, *SPARE) if name in set(frame["quantity"])]
    wanted = [name for name in dict.fromkeys((*LINES, *there)) if name in there][:PANELS]
    if not wanted:
        return None
    names = [text.words(name) for name in wanted]
    alt = (
        f"Lines over time of {text.joined(map(text.inside, names))} in the base and in {scenario}, and of "
        f"their difference with bands that hold 50 and 90 % of the {read.rows}. Numbers are in the table."
    )
    return drawn(
        lambda: _trajectories(frame, scenario, wanted, read.rows),
        alt,
        "The base and the scenario over time, and their difference",
    )


def _trajectories(frame: pd.DataFrame, scenario: str, wanted: list[str], rows: str) -> Figure:
    from matplotlib.ticker import FuncFormatter

    figure = style.new_figure(
        f"{style.shorten(scenario, 60)} beside the base, whole system", 9.0, 0.9 + 1.4 * len(wanted)
    )
    grid = figure.subplots(len(wanted), 2, squeeze=False)
    for (left, right), quantity in zip(grid, wanted, strict=True):
        part = frame[frame["quantity"] == quantity].sort_values("date", kind="stable")
        base, other = part[part["scenario"] == ""], part[part["scenario"] == scenario]
        factor = text.FACTORS.get(str(part["unit"].iloc[0]), 1.0)
        _band(left, base, "", factor, BASE, "base", dashed=True)
        _band(left, other, "", factor, style.COLOURS[0], "scenario")
        _band(right, other, "difference_", factor, style.COLOURS[0], "difference")
        right.axhline(0.0, color=BASE, lw=0.8)
        unit = str(part["unit"].iloc[0])
        left.set_title(text.words(quantity))
        left.set_ylabel("%" if factor != 1.0 else text.WORDS.get(unit, unit))
        right.set_title("Difference")
        right.set_ylabel(text.WORDS.get(unit, unit))
        for axes in (left, right):
            style.year_axis(axes)
        right.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _signed(value)))
        left.yaxis.set_major_formatter("{x:,.6g}")
        if quantity == "pressure" or factor != 1.0:
            style.at_least(right, 0.02 if factor == 1.0 else 0.1)
    handles, labels = grid[0][0].get_legend_handles_labels()
    style.legend_below(figure, handles, labels, 2)
    note = f"lines: median; bands: 50 and 90 % of {rows} (left: 90 %)" if _spread(frame) else CENTRAL
    style.put_foot(figure, f"{note}  ·  scales differ, and do not start at zero")
    return figure


def _signed(value: float) -> str:
    return "0" if abs(value) < 1e-12 else f"{value:+,.6g}".replace("-", text.MINUS)


def _band(
    axes: Axes, part: pd.DataFrame, prefix: str, factor: float, colour: str, label: str, dashed: bool = False
) -> None:
    """A line with its bands; of the levels (no prefix) only the wide one, as two lie on each other."""
    if part.empty:
        return
    x = style.years(part["date"].to_numpy())

    def column(name: str) -> Any:
        values = part.get(f"{prefix}{name}")
        return np.full(len(part), np.nan) if values is None else factor * values.to_numpy(dtype=float)

    middle = column("median")
    middle = column("central") if np.isnan(middle).all() else middle
    axes.plot(x, middle, color=colour, lw=1.6, linestyle="--" if dashed else "-", label=label)
    for low, high, alpha in (("p5", "p95", 0.15), ("p25", "p75", 0.25))[: 2 if prefix else 1]:
        if not np.isnan(column(low)).all():
            axes.fill_between(x, column(low), column(high), color=colour, alpha=alpha, linewidth=0)


# -- who moves where ----------------------------------------------------------------------------------------


def flows(read: ResultsFolder, scenario: str = "") -> Picture:
    """Draw who moves where over the run: in the base, or what changes in a scenario."""
    frame = read.tables["flows"]
    frame = frame[frame["scenario"] == (scenario or frame["scenario"].iloc[0])]
    column = "difference" if scenario else "base"
    ends = pd.DataFrame(
        {
            "from": [_end(read, *pair) for pair in zip(frame["from"], frame["from_kind"], strict=True)],
            "to": [_end(read, *pair) for pair in zip(frame["to"], frame["to_kind"], strict=True)],
            "from_kind": frame["from_kind"].to_numpy(),
            "to_kind": frame["to_kind"].to_numpy(),
            "heads": frame[column].to_numpy(dtype=float),
        }
    )
    inside = (ends["from"] == ends["to"]) & (ends["from_kind"] == ends["to_kind"])
    ends = ends[~inside]
    if scenario:
        title = f"Who moves where, {style.shorten(scenario, 50)} less base"
        caption = "What changes in who moves where, people over the whole run"
        caption += " (central values; intervals in the table)"
    else:
        title, caption = (
            "Who moves where in the base",
            "Who moves where in the base, people over the whole run (central values)",
        )
    alt = (
        f"{caption}; joint posts stand beside the environments that they are made of; moves within one block "
        "are left out. Bands lead from sources and environments on the left to environments and "
        f"destinations on the right; {_largest(ends)}."
    )
    return drawn(lambda: flow_picture(ends, title, changes=bool(scenario)), alt, caption)


def _end(read: ResultsFolder, label: str, kind: str) -> str:
    """Name of an end of a flow: of a post its environment, of joint posts that and their name."""
    if kind == JOINT:
        _, place, name = label.split("/", 2)
        return f"{read.name(place)}, joint: {name.replace('_', ' ')}"
    return read.name(label.rpartition("/")[2]) if kind == "post" else text.words(label)


def _largest(ends: pd.DataFrame) -> str:
    """The three largest flows, in words."""
    summed = ends.groupby(["from", "to"], sort=False)["heads"].sum()
    order = summed.abs().sort_values(ascending=False, kind="stable").index[:3]
    scale = text.Scale("heads", [summed.loc[key] for key in order])
    parts = [f"{one} to {other} {scale.number(float(summed.loc[(one, other)]))}" for one, other in order]
    return f"the largest: {text.joined(parts)}"


# -- drawn elsewhere ----------------------------------------------------------------------------------------

OWN = ("attribution_", "break_even_", "grounds_", "winners_and_losers", "choice")
"""Pictures of the folder that show one scenario: they are drawn again in its section."""
EXPLAINED = {
    "attribution": "What each lever adds to the difference, up to the total, and how they interact",
    "break_even": "How large each unmeasured effect must be, beside what is assumed",
    "grounds": "How much of the difference rests on which grade of evidence",
}


def explained(read: ResultsFolder, scenario: str, table: str) -> list[Picture]:
    """Draw the attribution, the break-even sizes or the grounds of a scenario, if they are known."""
    frame = read.of(table, scenario)
    if frame.empty:
        return []
    words = EXPLAINED[table]
    make = getattr(attribution_figures, "waterfall" if table == "attribution" else table)
    return [drawn(lambda: make(frame), f"{words}, for {scenario}. The numbers are in the table.", words)]


def winners(read: ResultsFolder, scenario: str) -> list[Picture]:
    """Draw who gains and who loses on the last date, by environment and role."""
    frame, quantity = headline.places(read, scenario)
    if frame.empty:
        return []
    what = f"{text.inside(text.words(quantity))}, {text.day(frame['date'].max())}"
    caption = f"Who gains and who loses: {what}, FTE more or less than in the base"
    alt = f"Bars to either side of zero for every environment and role. {caption}. Numbers are in the table."

    def make() -> Figure:
        figure = winners_figure.winners_and_losers(frame, read.name, what)
        style.put_foot(
            figure, f"bars and diamonds: median; lines: 90 % of {read.rows}" if _spread(frame) else CENTRAL
        )
        return figure

    return [drawn(make, alt, caption)]


def _spread(frame: pd.DataFrame) -> bool:
    return bool(frame["median"].notna().any())
