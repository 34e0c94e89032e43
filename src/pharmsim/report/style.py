"""One look for all figures: colours that colour-blind people tell apart, and grey prints too."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from pharmsim import __version__
from pharmsim.results import rows
from pharmsim.results.batches import over_draws
from pharmsim.scenario.models import Scenario

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from pharmsim.results.labelled import Results
    from pharmsim.results.measures import By

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8C6D1F")
"""Okabe and Ito's palette without its yellow, which is too pale for lines, and with a dark one."""
LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (3, 1)), (0, (1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
GREYS = ("#3D3D3D", "#8A8A8A", "#5F5F5F", "#B5B5B5", "#747474", "#D2D2D2", "#4E4E4E", "#9F9F9F")
HATCHES = ("", "//", "..", "\\\\", "xx", "--", "++", "oo")
DPI = 110
FOOT = 0.38
"""Height of the strip at the foot, in inches: two lines."""
RC: Any = {
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "figure.titlesize": 12.0,
    "figure.titleweight": "bold",
    "figure.constrained_layout.use": True,
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "pharmsim",
    "hatch.linewidth": 0.5,
}


@contextmanager
def styled() -> Iterator[Any]:
    """Draw with pharmsim's style, without a screen; hands out `matplotlib`."""
    import matplotlib

    with matplotlib.rc_context(RC):
        yield matplotlib


def new_figure(title: str, width: float = 9.0, height: float = 4.8) -> Figure:
    """An empty figure with its title; use inside `styled()`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    figure.suptitle(title, x=0.01, ha="left")
    _leave_room(figure, FOOT)
    return figure


def save(figure: Figure, folder: Path, name: str, foot: str) -> list[Path]:
    """Write a figure as PNG and SVG with a line on where it comes from.

    Returns
    -------
    list of Path
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    put_foot(figure, foot)
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.png", folder / f"{name}.svg"]
    figure.savefig(paths[0], dpi=DPI, pil_kwargs={"compress_level": 3})
    figure.set_layout_engine("none")  # the layout is found: the second picture has the same
    FigureCanvasSVG(figure).print_svg(str(paths[1]), metadata={"Date": None})
    return paths


class Made(Protocol):
    """What a footnote needs of a run."""

    @property
    def scenario(self) -> Scenario:
        """The scenario that was run."""
        ...

    @property
    def n_draws(self) -> int:
        """Draws besides the central values."""
        ...

    @property
    def meta(self) -> Mapping[str, Any]:
        """Engine, draws and replicates."""
        ...


def measured(results: Results, make: Callable[[xr.Dataset, By], xr.DataArray], by: By) -> xr.DataArray:
    """A measure of a run in every draw, worked out a batch of draws at a time."""
    return over_draws(results.data, lambda batch: make(batch, by))


def put_foot(figure: Figure, foot: str) -> None:
    """Write the line at the foot."""
    height = figure.get_figheight()
    figure.text(0.01, 0.07 / height, foot, ha="left", va="bottom", fontsize=7, color="#555555")


def footnote(
    results: Made, note: str = "", median: bool = False, bands: bool = True, counted: bool = False
) -> str:
    """Scenario, program and what the lines and bands (or, with `median`, the dots and bars) are.

    Without `bands` the picture shows the central values alone; if runs are `counted`, the note says it all.
    """
    n, central = results.n_draws, rows.central(results.meta)
    of = f"5–95 % of {n:,} {rows.kind(results.meta)}"
    marks = f"median and {of}" if median else f"{central}; bands {of}"
    first = f"Scenario: {shorten(results.scenario.name, 70)}  ·  pharmsim {__version__}"
    marks = marks if bands else central
    drawn = [] if counted else [marks if n else f"{central}; no range was run"]
    second = [*drawn, *([note] if note else [])]
    return "\n".join([first, "  ·  ".join(second)])


def shorten(text: str, n: int) -> str:
    """Text of at most n characters, on one line."""
    text = re.sub(r"\s+", " ", text)
    return text if len(text) <= n else text[: n - 1].rstrip() + "…"


def years(dates: np.ndarray) -> np.ndarray:
    """Dates as years with fractions of months, 2025.75 for 1 October 2025."""
    months = dates.astype("datetime64[M]").astype(int)
    return np.asarray(1970.0 + months / 12.0)


def band(values: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """5 % and 95 % points over draws (row 0 is not a draw); None without draws."""
    if len(values) < 2:
        return None
    low, high = np.quantile(values[1:], [0.05, 0.95], axis=0)
    return low, high


def draw_line(
    axes: Axes, x: np.ndarray, values: np.ndarray, i: int, label: str, shaded: bool = True, **more: Any
) -> None:
    """Draw the central line of number i with its band (unless it is not to be shaded).

    Parameters
    ----------
    axes : matplotlib Axes
    x : ndarray, shape (n,)
    values : ndarray, shape (draw, n)
    i : int
        Number of the line: colour, dashes and marker.
    label : str
    """
    k = i % len(COLOURS)
    every = max(1, len(x) // 8)
    start = (i * every // 4) % every if len(x) > 30 else 0
    style: dict[str, Any] = {"color": COLOURS[k], "linestyle": LINES[k], "lw": 1.6}
    style |= {"marker": MARKERS[k], "markersize": 4, "markevery": (start, every), **more}
    axes.plot(x, values[0], label=label, **style)
    spread = band(values) if shaded else None
    if spread is not None:
        axes.fill_between(x, *spread, color=COLOURS[k], alpha=0.15, linewidth=0)


def year_axis(axes: Axes, n: int = 7) -> None:
    """Whole years along x."""
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(nbins=n, integer=True, min_n_ticks=1))
    axes.xaxis.set_major_formatter("{x:.0f}")


def from_zero(axes: Axes) -> None:
    """Start the y axis at zero, with room above the highest line."""
    top = axes.dataLim.ymax
    axes.set_ylim(0.0, top * 1.08 if np.isfinite(top) and top > 0 else 1.0)


def at_least(axes: Axes, height: float) -> None:
    """Keep rounding out of sight: y covers `height` at least, around what is drawn."""
    low, high = axes.get_ylim()
    if high - low < height:
        middle = (low + high) / 2
        axes.set_ylim(middle - height / 2, middle + height / 2)


def thousands(axes: Axes) -> None:
    """Whole numbers with thousands separators along y."""
    from matplotlib.ticker import MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(nbins=7, integer=True))
    axes.yaxis.set_major_formatter("{x:,.0f}")


def percent(axes: Axes) -> None:
    """Shares as percentages along y."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(nbins=8, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100.0 * value:.4g} %"))


def legend_right(axes: Axes, **more: Any) -> None:
    """Legend beside the axes, where it hides nothing."""
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0, **more)


def labelled(grid: Iterable[Axes]) -> dict[str, Any]:
    """What a legend of several axes shows: a handle for each label."""
    return {
        label: handle
        for axes in grid
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }


def legend_below(figure: Figure, handles: Sequence[Any], labels: Sequence[str], columns: int) -> None:
    """One legend for all axes, between them and the line at the foot."""
    height = figure.get_figheight()
    figure.legend(handles, labels, loc="lower center", ncols=columns, bbox_to_anchor=(0.5, FOOT / height))
    _leave_room(figure, FOOT + 0.08 + 0.18 * -(-len(labels) // columns))


def _leave_room(figure: Figure, inches: float) -> None:
    """Keep a strip at the foot free of axes."""
    share = inches / figure.get_figheight()
    engine: Any = figure.get_layout_engine()
    engine.set(rect=(0.0, share, 1.0, 1.0 - share))


def grid_shape(n: int) -> tuple[int, int]:
    """Rows and columns for n small pictures."""
    columns = min(4 if n > 6 else 3, n)
    return -(-n // columns), columns


def month_name(date: np.datetime64) -> str:
    """A month as people write it, "Oct 2025"."""
    months = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    number = int(date.astype("datetime64[M]").astype(int))
    return f"{months[number % 12]} {1970 + number // 12}"


def names_of(labels: Sequence[str], known: dict[str, str], n: int = 28) -> list[str]:
    """Names that people read, for ids."""
    return [shorten(known.get(label, label), n) for label in labels]
