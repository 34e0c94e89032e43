"""Who moves where as bands between two columns of blocks; their widths are numbers of people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from pharmsim.report import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

JOINT = "joint post"
"""Kind of the ends of flows that are joint posts: "role/environment/name"."""
PLACES = ("post", JOINT)
SHOWN = 0.985
"""Share of all people whose bands are drawn; the thinnest are left out."""
GAP = 0.03
"""Between blocks, as a share of the height."""
MORE, FEWER = style.COLOURS[0], style.COLOURS[1]
Spans = dict[str, tuple[float, float]]


def flow_picture(ends: pd.DataFrame, title: str, changes: bool) -> Figure:
    """Draw flows as bands.

    Parameters
    ----------
    ends : DataFrame
        from, to (titles), from_kind, to_kind ("source", "post", "joint post", "destination") and heads;
        rows with equal ends are added up.
    title : str
    changes : bool
        Whether heads are differences from a base: blue for more people, hatched orange for fewer.

    Returns
    -------
    Figure
    """
    bands, left_out = bands_of(ends)
    places = list(dict.fromkeys([*_of_kind(ends, "from", True), *_of_kind(ends, "to", True)]))
    lefts = [name for name in [*_of_kind(ends, "from", False), *places] if name in set(bands["from"])]
    rights = [name for name in [*places, *_of_kind(ends, "to", False)] if name in set(bands["to"])]
    most = max(len(lefts), len(rights), 1)
    figure = style.new_figure(title, 9.0, 1.4 + 0.34 * most)
    axes = figure.subplots()
    axes.set_axis_off()
    axes.grid(False)
    axes.set_xlim(-0.62, 1.62)
    axes.set_ylim(1.0, 0.0)
    total = float(bands["heads"].abs().sum()) or 1.0
    unit = (1.0 - GAP * (most - 1)) / total
    starts, stops = _spans(bands, "from", lefts, unit), _spans(bands, "to", rights, unit)
    colours = {name: style.COLOURS[i % 8] for i, name in enumerate(lefts)}
    used = {("from", name): span[0] for name, span in starts.items()}
    used |= {("to", name): span[0] for name, span in stops.items()}
    order = {name: i for i, name in enumerate(rights)}
    for one, other, heads in sorted(
        bands.itertuples(index=False), key=lambda b: (lefts.index(b[0]), order[b[1]])
    ):
        width = abs(heads) * unit
        a, b = used["from", one], used["to", other]
        used["from", one], used["to", other] = a + width, b + width
        more = MORE if heads > 0 else FEWER
        band(axes, a, b, width, more if changes else colours[one], changes and heads < 0)
    _blocks(axes, starts, bands, "from", changes)
    _blocks(axes, stops, bands, "to", changes)
    notes = "people over the whole run, central values; from left to right; not: moves within one block"
    second = ["blue: more than in the base; hatched orange: fewer"] if changes else []
    second += [f"flows too thin to be drawn: {left_out:,.0f} in all"] if left_out >= 0.5 else []
    style.put_foot(figure, f"{notes}\n{'  ·  '.join(second)}".strip())
    return figure


def _of_kind(ends: pd.DataFrame, side: str, posts: bool) -> list[str]:
    """Names on one side that are environments and joint posts, or those that are not."""
    return list(dict.fromkeys(ends[side][ends[f"{side}_kind"].isin(PLACES) == posts]))


def bands_of(ends: pd.DataFrame) -> tuple[pd.DataFrame, float]:
    """Flows added up by their ends, the thickest that hold nearly everybody; and how many are left out."""
    summed = ends.groupby(["from", "to"], sort=False)["heads"].sum().reset_index()
    size = summed["heads"].abs()
    order = size.sort_values(ascending=False, kind="stable").index
    before = size[order].cumsum() - size[order]
    kept = order[(before < SHOWN * size.sum()) & (size[order] > 0.0)]
    return summed.loc[sorted(kept)], float(size.sum() - size[kept].sum())


def _spans(bands: pd.DataFrame, side: str, names: list[str], unit: float) -> Spans:
    """From where to where each block goes, top to bottom, the column in the middle of the height."""
    heights = [float(bands["heads"][bands[side] == name].abs().sum()) * unit for name in names]
    at = (1.0 - sum(heights) - GAP * (len(names) - 1)) / 2
    found: Spans = {}
    for name, height in zip(names, heights, strict=True):
        found[name] = (at, at + height)
        at += height + GAP
    return found


def band(
    axes: Axes, a: float, b: float, width: float, colour: str, hatched: bool,
    ends: tuple[float, float] = (0.0, 1.0),
) -> None:  # fmt: skip
    """Draw a band of a width from height a at one of two ends along x to height b at the other."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    (left, right), middle = ends, sum(ends) / 2
    points = [(left, a), (middle, a), (middle, b), (right, b)]
    points += [(right, b + width), (middle, b + width), (middle, a + width), (left, a + width), (left, a)]
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    style_of = {"hatch": "////", "edgecolor": "white"} if hatched else {"edgecolor": "none"}
    axes.add_patch(PathPatch(Path(points, codes), facecolor=colour, alpha=0.6, linewidth=0.0, **style_of))


def _blocks(axes: Axes, spans: Spans, bands: pd.DataFrame, side: str, changes: bool) -> None:
    """Blocks of one column with their names and numbers of people."""
    from matplotlib.patches import Rectangle

    left = side == "from"
    digits = 0 if bands["heads"].abs().max() >= 20.0 else 1
    for name, (top, bottom) in spans.items():
        x = -0.02 if left else 1.0
        axes.add_patch(Rectangle((x, top), 0.02, bottom - top, facecolor="#333333"))
        heads = float(bands["heads"][bands[side] == name].sum())
        number = f"{heads:+,.{digits}f}".replace("-", "−") if changes else f"{heads:,.{digits}f}"
        number = number if number.strip("+−0.") else "0"
        words = f"{style.shorten(name, 42)}  {number}"
        axes.text(
            -0.04 if left else 1.04,
            (top + bottom) / 2,
            words,
            ha="right" if left else "left",
            va="center",
            fontsize=8,
        )
