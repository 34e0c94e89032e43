"""A back-test in words and tables: the page of the documentation, and the tables of the terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmsim import __version__
from pharmsim.calibration.backtest import OWN, Backtest
from pharmsim.calibration.courses import Course
from pharmsim.calibration.importance import GOOD
from pharmsim.calibration.scores import ALIKE, FEWEST

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 124
SHOWN = (1, 2, 5)
"""Columns of the scores that a terminal has room for: origins, error, coverage of 90 %."""
FROZEN = """`pharmsim freeze {file} FORECAST.csv` writes what this calibration forecasts, beside what the
rivals do, with the date it was made and a digest of what it was made from. It is not written
again without `--force`, and one that somebody has changed is refused. When new figures are
published, `pharmsim score FORECAST.csv TARGETS.csv`, with the new figures among those of
TARGETS.csv, says how all of them did; what it says of a
day that had passed when it was made is no forecast, and is told so.{there}"""
METHOD = f"""At each origin the model is calibrated again on the figures up to that day: highest posterior
density from several starts, the normal distribution around it (Laplace), and importance resampling
from a Student distribution of that shape with Pareto-smoothed weights. A chain at every origin
would take many times as long; the shape k of the weights says where the approximation is not good
enough (above {GOOD}). Forecasts are the draws run on from the origin, with the errors of
observation of the calibration added; the point forecast is their median. Draws are finite: the ends of
an interval are known to a few per cent of its width, and what came just inside or outside may be counted
otherwise with another seed or another version of the engine, which rounds differently.

The rivals get the series that is judged up to the origin, and the earlier figures that the
calibration names, from before its first date; published figures of other days between its dates
are left out. Persistence and CAGR (compound annual growth from the first figure
to the last) are random walks of the logarithm, without and with drift; the linear trend is least
squares with its prediction interval, and exponential smoothing is Holt's method on the logarithm,
both by statsmodels. A rival with too few data for an interval is judged by its error alone, and one
with too few for a forecast is left out."""
SCORES = """MAPE: mean absolute error, % of what came; mean error: below zero where forecasts were too low.
Coverage: share of origins at which an interval of 50 or 90 % held what came. CRPS: continuous
ranked probability score, in people; it judges the whole distribution, lower is better, and is
the absolute error where a forecast is certain. Numbers apart by `/` are for the horizons in
order; – where a method has no interval."""


def page(found: Backtest, command: str) -> str:
    """The back-test as a page of Markdown.

    Parameters
    ----------
    found : Backtest
    command : str
        What writes the page.

    Returns
    -------
    str
    """
    title = found.calibration.title
    parts = [
        f"# Back-test: {title}",
        f"Written by `{command}` (pharmsim {__version__}); not edited by hand. {_origins(found)}",
        "## In short",
        *_bullets(short(found)),
        "## How it was done",
        METHOD,
        "## Scores",
        SCORES,
        *(f"### {course.title}\n\n{_markdown(*scores(found, course))}" for course in found.courses),
        "## Against each rival on the same origins",
        f"Only origins at which both have a forecast. Nothing is claimed from fewer than {FEWEST}; means "
        f"that differ by less than {100 * ALIKE:.0f} % are alike.",
        *(f"### {course.title}\n\n{_markdown(*duels(found, course))}" for course in found.courses),
        "## The origins",
        _markdown(*origins(found)),
        "## What was not known",
        "Figures published after an origin are not used in its calibration. Inputs that became known later "
        "are replaced by what was known:",
        *_bullets([f"`{later.path}`: {later.why}." for later in _merged(found)] or ["none."]),
        *([f"What could not be taken back: {found.form.leaks.strip()}"] if found.form.leaks else []),
        "## A forecast that is not touched again",
        _frozen(found),
        f"Digest of the scenario: {_scenario(found)[:16]}.",
    ]
    return "\n\n".join(part if part.startswith(("|", "###")) else _wrapped(part) for part in parts) + "\n"


def _frozen(found: Backtest) -> str:
    """How a forecast is frozen, and those that have been."""
    place = Path(found.calibration.file).parent
    files = [f"`{path.as_posix()}`" for path in sorted(place.glob("frozen/*.csv"))]
    there = f" There {'is' if len(files) == 1 else 'are'} {listed(files)}." if files else ""
    return FROZEN.format(file=Path(found.calibration.file).as_posix(), there=there)


def _bullets(lines: Iterable[str]) -> list[str]:
    return ["\n".join(f"- {line}" for line in lines)]


def _wrapped(part: str) -> str:
    """Paragraphs and lists in lines of at most `WIDTH` characters."""
    return "\n".join(
        textwrap.fill(text, WIDTH, subsequent_indent="  " * text.startswith("- "), break_on_hyphens=False,
                      break_long_words=False)
        for text in _lines(part)
    )  # fmt: skip


def _lines(part: str) -> list[str]:
    """Bullets one by one, paragraphs in one line each, with an empty line between them."""
    if part.startswith("- "):
        return part.split("\n")
    return "\n\n".join(" ".join(text.split()) for text in part.split("\n\n")).split("\n")


def _scenario(found: Backtest) -> str:
    from pharmsim.scenario import digest

    return digest(found.calibration.scenario)


def _merged(found: Backtest) -> list[Any]:
    """Entries of `known_later`, those of one input and reason once."""
    return list({(later.path, later.why): later for later in found.form.known_later}.values())


def _origins(found: Backtest) -> str:
    days = [str(day) for day in found.fits["origin"]]
    judged = [f"{count} at {n} year{'s' * (n > 1)}" for n, count in counts(found).items()]
    return f"{len(days)} origins, {days[0]} to {days[-1]}; what came is known for {listed(judged)}."


def counts(found: Backtest) -> dict[int, int]:
    """Origins of pharmsim's forecasts by horizon: of the series that has most."""
    own = found.table[found.table["method"] == OWN]
    most = own.groupby("horizon")["origins"].max()
    return {int(str(n)): int(count) for n, count in most.sort_index().items()}


def short(found: Backtest) -> list[str]:
    """What may be said: better and worse than which rival, and whether the intervals hold."""
    out = []
    for course in found.courses:
        rows = found.duels[found.duels["series"] == course.name]
        for n, part in rows.groupby("horizon"):
            out += _said(found, course, int(str(n)), part)
        out.append(_coverage(found, course))
    few = [f"{n} ({count})" for n, count in counts(found).items() if count < FEWEST]
    if few:
        text = f"At {listed(few)} years there are fewer than {FEWEST} origins (in brackets): the tables "
        out.append(f"{text}give the numbers, nothing is claimed from them.{_behind(found)}")
    out.append(
        "Neighbouring origins share most of their years and of their errors, so that they are fewer trials "
        "than their number."
    )
    return out


def _said(found: Backtest, course: Course, n: int, part: pd.DataFrame) -> list[str]:
    """One sentence on a horizon with enough origins."""
    if (part["verdict_ape"] == "no claim").all():
        return []
    own = _own(found, course, n)
    text = f"{course.title}, {n} year{'s' * (n > 1)}, {own['origins']} origins: off by "
    text += f"{percent(own['mape'])} on average (mean error {signed(own['bias'])}); "
    text += f"{_judged(part, 'ape', own['origins'])}."
    by_crps = _judged(part, "crps", own["with_intervals"])
    return [f"{text} By CRPS {by_crps}." if by_crps else text]


def _judged(part: pd.DataFrame, score: str, origins: int) -> str:
    """Better than a and b, worse than c: with the rivals' errors, and both where fewer origins are shared."""
    bits = []
    for verdict, words in (
        ("better", "better than"),
        ("alike", "about as good as"),
        ("worse", "**worse** than"),
    ):
        names = []
        for row in part[part[f"verdict_{score}"] == verdict].to_dict("records"):
            told = [percent(row["rival_ape"])] if score == "ape" else []
            if (shared := row[f"origins_{score}"]) != origins:
                told = [f"{told[0]} against {percent(row['own_ape'])}"] if told else []
                told.append(f"on {shared} origins")
            names.append(f"{row['rival']} ({' '.join(told)})" if told else str(row["rival"]))
        bits += [f"{words} {listed(names)}"] if names else []
    return "; ".join(bits)


def _behind(found: Backtest) -> str:
    """Rivals with a smaller mean error where nothing is claimed."""
    rows = found.duels[(found.duels["verdict_ape"] == "no claim")]
    rows = rows[rows["own_ape"] > rows["rival_ape"]]
    titles = {course.name: course.title for course in found.courses}
    names = [
        f"{rival} ({titles[str(series)]}: {listed([str(n) for n in part['horizon']])})"
        for (rival, series), part in rows.groupby(["rival", "series"], sort=False)
    ]
    return f" There the mean absolute error of these is below pharmsim's: {listed(names)}." if names else ""


def _own(found: Backtest, course: Course, n: int) -> Any:
    table = found.table
    at = (table["series"] == course.name) & (table["method"] == OWN) & (table["horizon"] == n)
    return table[at].to_dict("records")[0]


def _coverage(found: Backtest, course: Course) -> str:
    """How often the intervals held, over the horizons that may be judged."""
    own = found.forecasts[(found.forecasts["series"] == course.name) & (found.forecasts["method"] == OWN)]
    enough = [n for n, part in own.groupby("horizon") if len(part) >= FEWEST]
    part = own[own["horizon"].isin(enough)]
    if part.empty:
        return f"{course.title}: too few origins to judge the intervals."
    held = {share: int(part[f"inside_{share}"].sum()) for share in (50, 90)}
    text = (
        f"{course.title}: of {len(part)} forecasts at {listed([str(n) for n in enough])} years, intervals of "
        f"90 % held {held[90]} and those of 50 % {held[50]}"
    )
    low = held[90] < 0.9 * len(part) - 2.0 * np.sqrt(0.09 * len(part))
    return f"{text}: **they are too narrow**." if low else f"{text}."


def percent(value: float) -> str:
    """A share in per cent, kept on one line."""
    return "–" if np.isnan(value) else f"{100 * value:.1f}\u00a0%"


def signed(value: float) -> str:
    """A share in per cent, with its sign."""
    return f"{100 * value:+.1f}\u00a0%".replace("-", "−")


def listed(names: Sequence[str]) -> str:
    """a, b and c."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def scores(found: Backtest, course: Course) -> tuple[list[str], list[list[str]]]:
    """Head and rows of the scores of all methods for a series."""
    part = found.table[found.table["series"] == course.name]
    horizons = sorted(part["horizon"].unique())
    ahead = f"years ahead: {' / '.join(str(n) for n in horizons)}"
    head = [ahead, "origins", "MAPE, %", "mean error, %", "50 % covers, %", "90 % covers, %", "CRPS, people"]
    rows = []
    for method in part["method"].unique():
        of = part[part["method"] == method].set_index("horizon").reindex(horizons)
        rows.append([
            str(method),
            _along(of["origins"].fillna(0), "{:.0f}"),
            _along(100 * of["mape"], "{:.1f}"),
            _along(100 * of["bias"], "{:+.1f}"),
            _along(100 * of["coverage_50"], "{:.0f}"),
            _along(100 * of["coverage_90"], "{:.0f}"),
            _along(of["crps"], "{:,.0f}"),
        ])  # fmt: skip
    return head, rows


def _along(values: Iterable[float], form: str) -> str:
    return " / ".join("–" if np.isnan(value) else form.format(value) for value in values).replace("-", "−")


def duels(found: Backtest, course: Course) -> tuple[list[str], list[list[str]]]:
    """Head and rows of the comparisons on the same origins."""
    head = ["years", "rival", "origins", "MAPE, % (pharmsim : rival)", "", "origins", "CRPS, people", ""]
    part = found.duels[found.duels["series"] == course.name].sort_values("horizon", kind="stable")
    return head, [_duel(row) for row in part.to_dict("records")]


def _duel(row: Any) -> list[str]:
    return [
        str(row["horizon"]),
        str(row["rival"]),
        str(row["origins_ape"]),
        f"{100 * row['own_ape']:.1f} : {100 * row['rival_ape']:.1f}",
        row["verdict_ape"],
        str(row["origins_crps"]),
        f"{row['own_crps']:,.0f} : {row['rival_crps']:,.0f}" if row["origins_crps"] else "–",
        row["verdict_crps"],
    ]


def origins(found: Backtest) -> tuple[list[str], list[list[str]]]:
    """Head and rows on what was fitted at each origin."""
    head = ["origin", "figures used", "parameters", "Pareto k"]
    return head, [
        [str(row["origin"]), str(row["counted"]), str(row["parameters"]),
         "–" if np.isnan(row["k"]) else f"{row['k']:.2f}{' (too high)' if row['k'] > GOOD else ''}"]
        for row in found.fits.to_dict("records")
    ]  # fmt: skip


def _markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def show(found: Backtest, console: Console) -> None:
    """Print the scores and what may be said."""
    console.print(_origins(found))
    for course in found.courses:
        (ahead, *head), rows = scores(found, course)
        short_head = ["", *(head[i - 1] for i in SHOWN)]
        title = f"{course.title} ({ahead})"
        console.print(table(title, short_head, [[row[0], *(row[i] for i in SHOWN)] for row in rows]))
    for line in short(found):
        console.print(f"• {line.replace('**', '')}")


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> Any:
    """A table of the terminal."""
    from rich.table import Table

    made = Table(title=title, title_justify="left", box=None, pad_edge=False, collapse_padding=True)
    for i, name in enumerate(head):
        made.add_column(name, justify="left" if i == 0 else "right")
    for row in rows:
        made.add_row(*row)
    return made


def scored(frame: pd.DataFrame, about: dict[str, str], console: Console) -> None:
    """Print how a frozen forecast did."""
    console.print(
        f"{about['forecast']}: made {about['made']}, pharmsim with data up to {about['data up to']}, the "
        f"others with the series up to {about['data of the simple methods up to']}"
    )
    for (series, day), part in frame.groupby(["series", "date"], sort=False):
        rows = [_came(row) for row in part.to_dict("records")]
        unit = part["unit"].iloc[0]
        title = f"{str(series).replace('_', ' ')}, {day}: {part['observed'].iloc[0]:,.0f} came"
        if str(day) <= about["made"]:
            title += "; no forecast: the day had passed when it was made"
        head = ["", "forecast", "error, %", "50 % interval", "90 % interval", f"CRPS, {unit}"]
        console.print(table(title, head, rows))
    dates = int((frame["date"].drop_duplicates() > about["made"]).sum())
    if dates < FEWEST:
        console.print(f"{dates} date{'s' * (dates != 1)}: nothing is claimed from fewer than {FEWEST}.")


def _came(row: Any) -> list[str]:
    return [
        row["method"],
        f"{row['forecast']:,.0f}",
        f"{100 * row['error']:+.1f}",
        _range(row, 25, 75),
        _range(row, 5, 95),
        "–" if np.isnan(row["crps"]) else f"{row['crps']:,.0f}",
    ]


def _range(row: Any, low: int, high: int) -> str:
    if np.isnan(row[f"p{low}"]):
        return "–"
    held = "held" if row[f"inside_{high - low}"] else "missed"
    return f"{row[f'p{low}']:,.0f} to {row[f'p{high}']:,.0f} {held}"
