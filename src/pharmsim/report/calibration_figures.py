"""Pictures of a calibration: chains, ranks, pairs, prior beside posterior, and every published number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmsim import __version__
from pharmsim.calibration.diagnosis import END, POINTS, Diagnosis
from pharmsim.report import style
from pharmsim.report.calibration_text import informed, interval, pressing
from pharmsim.report.sensitivity_text import PLAIN, number
from pharmsim.report.solve_text import signed
from pharmsim.study.sensitivity.drivers import FACTOR, TIMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS = 12
"""Small pictures on one page, at most."""
ROWS = 26
PAIRS = 6
"""Parameters in the picture of pairs: those that hang together most."""
SHOWN = 600
BINS = 20
NOTES = {
    "prior_posterior": "posterior: median, 5–95 % (thin), 25–75 % (thick); scale: the prior's normal score",
    "predictive": "replicates of the published numbers, errors included; these numbers were fitted",
    "trace": "{chains} from left to right, thinned; each colour a chain",
    "rank": "{chains}, a line each; 1: as many as there should be; grey: 95 % if chains agree",
    "pair": "posterior draws; numbers: correlations of normal scores; grey: 5–95 % of the prior",
}
GREY, DARK = "#B5B5B5", "#3D3D3D"


def write(found: Diagnosis, folder: Path) -> list[Path]:
    """Draw every picture into a folder, as PNG and SVG; returns the PNGs."""
    first = f"Calibration: {style.shorten(_title(found), 70)}  ·  pharmsim {__version__}"
    names = list(range(len(found.names)))
    drawn: list[tuple[str, Callable[[Any], Figure], Sequence[Any], int]] = [
        ("prior_posterior", prior_posterior, _rows(found.parameters), ROWS),
        ("predictive", predictive, _observations(found.targets), PANELS),
        ("trace", lambda part: trace(found, part), names, PANELS),
        ("rank", lambda part: rank(found, part), names, PANELS),
        *([("pair", lambda _: pair(found), ["all"], 1)] if len(names) > 1 else []),
    ]
    paths: list[Path] = []
    with style.styled():
        for name, draw, parts, size in drawn:
            foot = f"{first}\n{NOTES[name].format(chains=_chains(found))}"
            for page, part in enumerate(_pages(parts, size), 1):
                paths += style.save(draw(part), folder, name if page == 1 else f"{name}_{page}", foot)
    return [path for path in paths if path.suffix == ".png"]


def _chains(found: Diagnosis) -> str:
    return f"{found.z.shape[0]:,} chains of {found.z.shape[1]:,} draws"


def _title(found: Diagnosis) -> str:
    return str(found.about.get("title") or found.about.get("name") or "calibration")


def _pages(parts: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Parts for each page, as evenly as they go."""
    pages = -(-len(parts) // size)
    for i in range(pages):
        yield parts[i * len(parts) // pages : (i + 1) * len(parts) // pages]


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


def _observations(targets: pd.DataFrame) -> list[pd.DataFrame]:
    """The targets of each observation."""
    return [rows for _, rows in targets.groupby("observation", sort=False)]


def prior_posterior(rows: list[dict[str, Any]]) -> Figure:
    """Draw prior and posterior of parameters in prior standard deviations, numbers beside them.

    Parameters
    ----------
    rows : list of dict
        Of `Diagnosis.parameters`.
    """
    figure = style.new_figure("What the data say about each parameter", 10.5, 1.5 + 0.42 * len(rows))
    axes = figure.subplots()
    y = np.arange(len(rows))
    axes.hlines(y + 0.14, -END, END, color=GREY, lw=5, label="prior")
    axes.plot(np.zeros(len(rows)), y + 0.14, "|", color=DARK, ms=8)
    points = np.array([[row[f"z{at}"] for at in POINTS] for row in rows])
    axes.hlines(y - 0.14, points[:, 0], points[:, 4], color=style.COLOURS[0], lw=1.6)
    axes.hlines(y - 0.14, points[:, 1], points[:, 3], color=style.COLOURS[0], lw=5, label="posterior")
    axes.plot(points[:, 2], y - 0.14, "o", color="white", mec=style.COLOURS[0], ms=5)
    axes.set_yticks(y, [style.shorten(row["title"], 44) for row in rows], fontsize=8.0)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("standard deviations of the prior from its median")
    for at, row in zip(y, rows, strict=True):
        said = (
            "presses against its range"
            if pressing(row)
            else informed(row).split(";")[0].split(" (")[0].split(":")[0]
        )
        text = f"{interval(row, 'posterior')}\n{said}"
        axes.annotate(
            text, (1.0, at), xycoords=("axes fraction", "data"), xytext=(6, 0), textcoords="offset points",
            va="center", fontsize=7.5, linespacing=1.15,
        )  # fmt: skip
    style.legend_below(figure, *axes.get_legend_handles_labels(), 2)
    return figure


def _grid(figure: Figure, n: int, columns: int) -> list[Axes]:
    """Small axes, those that are not needed left out."""
    grid = figure.subplots(-(-n // columns), columns, squeeze=False).ravel()
    for axes in grid[n:]:
        axes.set_visible(False)
    return list(grid[:n])


def predictive(parts: Sequence[pd.DataFrame]) -> Figure:
    """Draw the published numbers of observations over the replicates that the posterior makes of them.

    Parameters
    ----------
    parts : sequence of DataFrame
        Of `Diagnosis.targets`, one an observation.
    """
    rows, columns = style.grid_shape(len(parts))
    figure = style.new_figure("Published numbers and what the model makes of them", 9.6, 1.3 + 2.3 * rows)
    for axes, part in zip(_grid(figure, len(parts), columns), parts, strict=True):
        _observation(axes, part)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    style.legend_below(figure, handles, labels, 4)
    return figure


def _observation(axes: Axes, part: pd.DataFrame) -> None:
    """One observation over time: replicates as boxes, published numbers as dots, those outside crossed."""
    percent = part["unit"].iloc[0] in ("share", "per year")
    factor = 100.0 if percent else 1.0
    first = part["date"].to_numpy("datetime64[D]")
    last = np.array(
        [end or start for start, end in zip(part["date"], part["to"], strict=True)], "datetime64[D]"
    )
    x = _year(first) + (_year(last) - _year(first)) / 2.0
    gaps = np.diff(np.unique(x))
    width = 0.6 * float(gaps.min()) if len(gaps) else 0.4
    looks = ((90, 0.22, "model, 90 %"), (50, 0.5, "model, 50 %"))
    for share, alpha, label in looks:
        low, high = (factor * part[f"{end}{share}"] for end in ("low", "high"))
        axes.bar(x, high - low, width, low, color=style.COLOURS[0], alpha=alpha, linewidth=0.0, label=label)
    axes.hlines(factor * part["median"], x - width / 2, x + width / 2, color=style.COLOURS[0], lw=1.2)
    within = part["observed"].between(part["low90"], part["high90"]).to_numpy()
    seen = factor * part["observed"].to_numpy()
    axes.plot(x[within], seen[within], "o", color="black", ms=4, label="published, inside 90 %")
    axes.plot(
        x[~within], seen[~within], "X", color=style.COLOURS[1], ms=7, mec="white", label="published, outside"
    )
    named = ["FTE" if word == "fte" else word for word in str(part["observation"].iloc[0]).split("_")]
    axes.set_title(style.shorten(" ".join(named), 34), fontsize=9.0)
    unit = (
        "%" + (" a year" if part["unit"].iloc[0] == "per year" else "") if percent else part["unit"].iloc[0]
    )
    axes.set_ylabel(unit)
    axes.yaxis.set_major_locator(_ticks(4))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    axes.use_sticky_edges = False  # room below the lowest and above the highest
    axes.margins(y=0.06)
    if np.ptp(x) >= 2.0:
        style.year_axis(axes, 5)
        return
    ends = sorted({int(x.argmin()), int(x.argmax())})  # too short for years: the first and the last by name
    names = [style.month_name(first[i]) for i in ends]
    if last[0] - first[0] > np.timedelta64(31, "D"):
        until = [style.month_name(last[i]) for i in ends]
        names = [f"to\n{end}" for end in until] if len(ends) > 1 else [f"{names[0]} to {until[0]}"]
    axes.set_xticks(x[ends], names)
    axes.set_xlim(x.min() - max(width, 0.1), x.max() + max(width, 0.1))


def _ticks(n: int) -> Any:
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=n)


def _year(dates: np.ndarray) -> np.ndarray:
    """Days as years with fractions."""
    return np.asarray(1970.0 + dates.astype("datetime64[D]").astype(float) / 365.2425)


def trace(found: Diagnosis, numbers: Sequence[int]) -> Figure:
    """Draw what the chains visited, one small picture a parameter.

    Parameters
    ----------
    found : Diagnosis
    numbers : sequence of int
        Which parameters.
    """
    columns = 2
    figure = style.new_figure("Where the chains went", 9.6, 1.2 + 1.35 * -(-len(numbers) // columns))
    n = found.values.shape[1]
    shown = np.unique(np.linspace(0, n - 1, min(n, SHOWN)).astype(int))
    for axes, i in zip(_grid(figure, len(numbers), columns), numbers, strict=True):
        for chain, values in enumerate(found.values[..., i]):
            axes.plot(
                shown, values[shown], color=style.COLOURS[chain % len(style.COLOURS)], lw=0.5, alpha=0.7
            )
        _named(axes, found, i)
        axes.set_xlim(0, n)
    return figure


def _named(axes: Axes, found: Diagnosis, i: int) -> None:
    row = found.parameters.iloc[i]
    axes.set_title(_with_unit(row, 40), fontsize=9.0)
    _units(axes.yaxis, row["unit"])
    axes.grid(visible=False)


def _units(axis: Any, unit: str) -> None:
    """Few ticks, with the unit as people read it."""
    axis.set_major_locator(_ticks(3))
    axis.set_major_formatter(lambda value, _: _short(value, unit))


def _short(value: float, unit: str) -> str:
    """A number of a scenario without the name of its unit."""
    text = number(value, unit).removeprefix("factor ").removeprefix("× ")
    return " ".join(text.split(" ")[: 2 if "%" in text else 1])


def _with_unit(row: Any, n: int) -> str:
    """The title of a parameter, with its unit where numbers do not show it."""
    unit = {"share": "", "share per year": "per year"}.get(row["unit"], row["unit"])
    return style.shorten(row["title"], n) + (f", {unit}" if unit not in ("", *PLAIN, TIMES, FACTOR) else "")


def rank(found: Diagnosis, numbers: Sequence[int]) -> Figure:
    """Draw, for each parameter, how the draws of every chain rank among all: flat if the chains agree.

    References
    ----------
    Vehtari, Gelman, Simpson, Carpenter, Bürkner 2021, Rank-normalization, folding, and localization,
    Bayesian Analysis 16(2).
    """
    columns = 3
    figure = style.new_figure(
        "Do the chains agree? Ranks of their draws", 9.6, 1.3 + 1.5 * -(-len(numbers) // columns)
    )
    chains = found.z.shape[0]
    edges = np.linspace(0.0, 1.0, BINS + 1)
    for axes, i in zip(_grid(figure, len(numbers), columns), numbers, strict=True):
        row, z = found.parameters.iloc[i], found.z[..., i]
        wide = 1.96 * np.sqrt((BINS - 1) * chains / np.clip(np.fmin(row["ess_bulk"], z.size), chains, z.size))
        axes.axhspan(max(1.0 - wide, 0.0), 1.0 + wide, color="#E4E4E4", linewidth=0.0, zorder=0)
        ranks = (np.argsort(np.argsort(z, axis=None, kind="stable")).reshape(z.shape) + 0.5) / z.size
        for chain, values in enumerate(ranks):
            heights = np.histogram(values, edges)[0] * BINS / len(values)
            k = chain % len(style.COLOURS)
            axes.stairs(
                heights, edges, color=style.COLOURS[k], lw=1.1, linestyle=style.LINES[k], baseline=None
            )
        axes.set_title(style.shorten(row["title"], 40), fontsize=9.0)
        axes.set_ylim(0.0, max(2.0, 1.1 * axes.dataLim.ymax))
        axes.set_xticks([0.0, 0.5, 1.0], ["lowest", "rank among all", "highest"], fontsize=7.5)
        left, _, right = axes.get_xticklabels()
        left.set_horizontalalignment("left")
        right.set_horizontalalignment("right")
        axes.set_yticks([0, 1, 2])
        axes.grid(visible=False)
    return figure


def pair(found: Diagnosis) -> Figure:
    """Draw the parameters that hang together most against each other."""
    order = np.argsort(-found.parameters["correlation"].abs().to_numpy(), kind="stable")[:PAIRS]
    shown = sorted(int(i) for i in order)
    n = len(shown)
    values = found.values.reshape(-1, found.values.shape[-1])
    hang: Any = np.corrcoef(found.z.reshape(-1, found.z.shape[-1]).T)
    points = np.unique(np.linspace(0, len(values) - 1, SHOWN).astype(int))
    more = f" (the {n} of {len(found.names)} most correlated)" if n < len(found.names) else ""
    figure = style.new_figure(f"Parameters against each other{more}", 2.4 + 1.7 * n, 1.4 + 1.5 * n)
    grid = figure.subplots(n, n, squeeze=False)
    for row, i in enumerate(shown):
        for column, j in enumerate(shown):
            axes = grid[row, column]
            axes.grid(visible=False)
            if row < column:
                _correlation(axes, float(hang[i, j]))
                continue
            if row == column:
                _marginal(axes, values[:, i], found.parameters.iloc[i])
            else:
                axes.plot(
                    values[points, j], values[points, i], ".", color=style.COLOURS[0], ms=2.5, alpha=0.5
                )
                _units(axes.yaxis, found.parameters["unit"].iloc[i])
            _units(axes.xaxis, found.parameters["unit"].iloc[j])
            axes.set_xlim(*_span(values[:, j]))
            axes.tick_params(labelsize=7.0, labelbottom=row == n - 1, labelleft=column == 0 and row > 0)
    for k, i in enumerate(shown):
        title = _lines(_with_unit(found.parameters.iloc[i], 40))
        grid[n - 1, k].set_xlabel(title, fontsize=7.5)
        grid[k, 0].set_ylabel(title, fontsize=7.5)
    return figure


def _lines(title: str) -> str:
    """A title on two short lines."""
    import textwrap

    return "\n".join(textwrap.wrap(title, 24))


def _span(values: np.ndarray) -> tuple[float, float]:
    """Where nearly all draws lie, with a margin."""
    low, high = np.quantile(values, [0.001, 0.999])
    margin = 0.08 * (high - low) or 1e-9 + 1e-3 * abs(low)
    return float(low - margin), float(high + margin)


def _marginal(axes: Axes, values: np.ndarray, row: Any) -> None:
    """Histogram of a parameter, the prior's 5 to 95 % shaded."""
    axes.axvspan(row["prior_low"], row["prior_high"], color="#E4E4E4", linewidth=0.0, zorder=0)
    axes.hist(values, 30, color=style.COLOURS[0], density=True)
    axes.set_yticks([])


def _correlation(axes: Axes, value: float) -> None:
    axes.set_axis_off()
    size = 9.0 + 7.0 * abs(value)
    axes.text(0.5, 0.5, signed(value, 2), ha="center", va="center", fontsize=size, transform=axes.transAxes)
