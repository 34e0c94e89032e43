"""An answer of `solve` on disk: tables, the response curve, the manifest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from pharmsim import __version__
from pharmsim.report import solve_text, style
from pharmsim.results import assumptions
from pharmsim.results.files import write_answer
from pharmsim.results.folder import complete_or_nothing
from pharmsim.results.rows import word
from pharmsim.results.text import write_tables
from pharmsim.study.solving.levers import UPTAKE
from pharmsim.study.solving.solve import Answer, Solution
from pharmsim.study.solving.targets import Target

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def write(solution: Solution, folder: str | Path, force: bool = False, figures: bool = True) -> Path:
    """Write the folder of an answer: all of it or nothing.

    Parameters
    ----------
    solution : Solution
    folder : path
    force : bool
        Replace a results folder that is there.
    figures : bool

    Returns
    -------
    Path
        solve.csv, response.csv, costs.csv, evidence.csv, assumptions.csv, answer.txt, scenario.json,
        figures/, manifest.json.
    """
    with complete_or_nothing(folder, force) as partial:
        dated = [answer.costs.assign(date=answer.date) for answer in solution.answers]
        tables = {
            "solve": answers(solution),
            "response": solution.curve,
            "costs": pd.concat(dated, ignore_index=True),
            "evidence": solve_text.evidence(solution),
            "assumptions": assumptions.as_frame(solution.scenario),
        }
        write_tables(tables, partial)
        lines = [solve_text.headline(solution, answer) for answer in solution.answers]
        (partial / "answer.txt").write_text("\n".join([*solution.notes, *lines]) + "\n", encoding="utf-8")
        if figures:
            write_figures(solution, partial / "figures")
        write_answer(solution.scenario, solution.meta, partial, "solve", _question(solution))
    return Path(folder)


def _question(solution: Solution) -> dict[str, Any]:
    target = solution.target
    return {
        "target": target.written,
        "level": target.level,
        "roles": list(target.roles),
        "environments": list(target.environments),
        "levers": [{"name": v.name, "from": v.first, "to": v.last, "unit": v.unit} for v in solution.levers],
        "dates": [str(answer.date)[:10] for answer in solution.answers],
    }


def answers(solution: Solution) -> pd.DataFrame:
    """The answers as a table, a row for each date and lever.

    Returns
    -------
    DataFrame
        date, year (or day) meant, target, status, lever, level, unit, and of the outcome: unit, start, base,
        goal, value; over draws p5 … p95 of the value and of its change, probability, level for 50 and 80 %;
        turns, crossings (levels of the lever), binds.
    """
    rows = []
    for answer in solution.answers:
        for lever in solution.levers:
            row: dict[str, Any] = {
                "date": answer.date,
                "measured": answer.told,
                "target": solution.target.written,
                "status": answer.status,
                "lever": lever.name,
                "level": lever.level(answer.x),
                "level_unit": "share of those reached" if lever.unit == UPTAKE else lever.unit,
                "unit": solution.target.of.unit,
                **{name: getattr(answer, name) for name in ("start", "base", "goal", "value")},
                **answer.spread,
                **{f"change_{name}": number for name, number in answer.change.items()},
            }
            if solution.draws:
                row["probability"] = answer.probability
                row |= {f"level_for_{100 * p:.0f}": lever.level(x) for p, x in answer.likely.items()}
            row["turns"] = answer.turns
            row["crossings"] = "; ".join(f"{lever.level(x):g}" for x, _ in answer.crossings)
            row["binds"] = "; ".join(answer.binds)
            rows.append(row)
    return pd.DataFrame(rows)


def write_figures(solution: Solution, folder: Path) -> list[Path]:
    """Draw the response: outcome against the level of the levers, with the target, a panel for each date."""
    n = len(solution.answers)
    with style.styled():
        target = solution.target
        where = [target.level, *target.roles, *target.environments]
        inside = f" ({', '.join(filter(None, where))})" if any(where) else ""
        title = f"Target: {target.written}{inside}"
        figure = style.new_figure(style.shorten(title, 62 * max(n, 1)), max(7.5, 5.0 * n), 4.6)
        grid = figure.subplots(1, n, sharey=True, squeeze=False)[0]
        for axes, answer in zip(grid, solution.answers, strict=True):
            _panel(solution, answer, axes)
        handles, labels = grid[0].get_legend_handles_labels()
        style.legend_below(figure, handles, labels, 3)
        first = f"Scenario: {style.shorten(solution.scenario.name, 70)}  ·  pharmsim {__version__}"
        bands = (
            f"bands: {solution.draws:,} {word(solution.meta)}, the same at every level and without the levers"
        )
        foot = bands if solution.draws else "central values; nothing has a range"
        return style.save(figure, folder, "response", f"{first}\n{foot}")


def _panel(solution: Solution, answer: Answer, axes: Axes) -> None:
    """One date: bands, central line, target, and the level found; of changes the difference from the base."""
    part = solution.curve[solution.curve["date"] == answer.date]
    target, lever = solution.target, solution.levers[0]
    percent = len(solution.levers) > 1 or lever.unit == UPTAKE
    scale = 100.0 if target.of.unit == "share" or target.mode == "times" else 1.0

    def level(x: float) -> float:
        along = lever.level(x) if len(solution.levers) == 1 else x
        return 100.0 * along if percent else along

    x = [level(one) for one in part["x"]]
    colour = style.COLOURS[0]
    of = word(solution.meta)
    bands = (("5", "95", 0.15, f"90 % of {of}"), ("25", "75", 0.3, f"50 % of {of}")) if solution.draws else ()
    for low, high, alpha, label in bands:
        ends = (scale * part[f"aim_p{low}"], scale * part[f"aim_p{high}"])
        axes.fill_between(x, *ends, color=colour, alpha=alpha, linewidth=0, label=label)
    axes.plot(x, scale * part["aim"], color=colour, lw=1.8, label="central values")
    axes.axhline(scale * target.amount, color=style.COLOURS[1], lw=1.4, ls="--", label="target")
    without = answer.base if target.mode == "value" else 0.0
    axes.axhline(scale * without, color="#555555", lw=1.0, ls=":", label="without the levers")
    here = scale * float(part.loc[part["x"] == answer.x, "aim"].iloc[0])
    axes.plot(
        level(answer.x), here, "D", color="#000000", ms=6, ls="none", label="level found, or nearest to it"
    )
    chance = f"; met there in {100 * answer.probability:.0f} % of {of}" if solution.draws else ""
    axes.set_title(f"By {solve_text.day(answer.date)}: {answer.status}{chance}")
    axes.set_xlabel(_level_label(solution))
    axes.set_ylabel(_outcome_label(target))
    axes.yaxis.set_major_formatter("{x:,.4g}" if scale > 1.0 or target.of.unit == "ratio" else "{x:,.0f}")
    axes.margins(y=0.08)


def _level_label(solution: Solution) -> str:
    lever = solution.levers[0]
    if len(solution.levers) > 1:
        if {(one.unit, one.first, one.last) for one in solution.levers} == {(UPTAKE, 0.0, 1.0)}:
            return "uptake of each lever, % of those reached"
        return "all levers, % of the way from their first to their last level"
    unit = "uptake, % of those reached" if lever.unit == UPTAKE else lever.unit
    return f"{style.shorten(lever.title, 46)}: {unit}"


def _outcome_label(target: Target) -> str:
    """What the upward axis shows, with its unit."""
    name = style.shorten(target.of.words, 34)
    if target.mode == "times":
        return f"{name}, change in % of the base"
    unit = "%" if target.of.unit == "share" else target.of.unit
    return (
        f"{name}, {unit}"
        if target.mode == "value"
        else f"{name}, change in {'points' if unit == '%' else unit}"
    )
