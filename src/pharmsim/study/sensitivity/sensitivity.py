"""What measures of a scenario depend on: each uncertainty alone, and all of them together.

One at a time: the low and the high end of every uncertainty with all others at their central values. All
together: indices of an ensemble (partial rank correlation, delta, PAWN), and of a design of its own (Sobol').
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from pharmsim.compiled.draws import Draws, check_size, dependent, sample
from pharmsim.errors import InputError
from pharmsim.results import assumptions
from pharmsim.results.impact import Impact, with_impact
from pharmsim.results.labelled import Results
from pharmsim.scenario.models import Scenario
from pharmsim.study.ensemble import HERE, How
from pharmsim.study.runs import run as run_scenario
from pharmsim.study.sensitivity import indices
from pharmsim.study.sensitivity.drivers import Driver, drivers, title_together
from pharmsim.study.sensitivity.factors import ends, factors
from pharmsim.study.sensitivity.indices import Index
from pharmsim.study.sensitivity.outputs import Asked, Central, central, outputs
from pharmsim.study.sensitivity.question import DRAWS, GIVEN, USUAL
from pharmsim.study.solving.targets import QUANTITIES, YEARLY, Subject

ROWS = 512
"""Rows of a Sobol' design, unless the number of runs is given."""
FEWEST_ROWS = 16
INDICES = {"prcc": indices.prcc, "delta": indices.delta, "pawn": indices.pawn}
SLOW = ("delta", "pawn")
FEW = 1024
"""Below so many draws columns of the net are alike by chance: delta and PAWN may take one for another."""
LARGE, NOTHING, MOST = 0.2, 0.01, 3
"""Share of the largest swing that is large; share of the largest total index that is as good as none (the
share of a swing, squared, is usual); how many uncertainties are named."""
KEYS = ["measure", "level", "role", "environment", "date"]


@dataclass(frozen=True)
class Sensitivity:
    """What measures depend on.

    Attributes
    ----------
    scenario : Scenario
    subjects : tuple of Subject
    dates : ndarray of datetime64
    drivers : dict of Driver
        The uncertainties by name.
    central : DataFrame
        A row for each measure and date: value at the central values.
    tornado : DataFrame
        A row for each measure, date and uncertainty, the largest swing first.
    indices : DataFrame
        A row for each measure, date, method and uncertainty, the largest first.
    assumptions : DataFrame
        Every number of the scenario with its impact (`results.impact.with_impact`).
    notes : tuple of str
        What else there is to say.
    draws, seed : int
        Of the ensemble.
    methods : tuple of str
    meta : dict
        Of the central run.
    """

    scenario: Scenario
    subjects: tuple[Subject, ...]
    dates: np.ndarray
    drivers: dict[str, Driver]
    central: pd.DataFrame
    tornado: pd.DataFrame
    indices: pd.DataFrame
    assumptions: pd.DataFrame
    notes: tuple[str, ...]
    draws: int
    seed: int
    methods: tuple[str, ...]
    meta: dict[str, Any]


def sensitivity(
    scenario: Scenario,
    subjects: Sequence[Subject],
    dates: np.ndarray,
    methods: Sequence[str] = USUAL,
    draws: int = DRAWS,
    seed: int = 1,
    sobol_runs: int = 0,
    how: How = HERE,
    say: Callable[[str], None] = lambda text: None,
    run: Callable[..., Results] = run_scenario,
) -> Sensitivity:
    """Find what measures of a scenario depend on.

    Parameters
    ----------
    scenario : Scenario
    subjects, dates, methods
        See `question.read`. The tornado, on which the impact of assumptions rests, is always made.
    draws, seed : int
        Of the ensemble; the same draws as in `pharmsim.run`.
    sobol_runs : int
        Runs that Sobol' indices may take; 0 for 512 for each uncertainty and two more.
    how : How
    say : callable
        Told what takes its time, before it begins.
    run : callable, optional
        Runs a scenario as `pharmsim.run` does.

    Returns
    -------
    Sensitivity

    Raises
    ------
    InputError
        If there are too few draws or runs for a method, or it needs a package that is not installed.
    """
    asked = Asked(scenario, tuple(subjects), dates, how, run)
    given = [method for method in methods if method in GIVEN]
    table = sample(scenario, draws if given else 0, seed)
    groups = factors([scenario], table.names)
    check_size("--sobol-runs", sobol_runs, len(table.names))
    n = rows_of_design(len(groups), sobol_runs) if "sobol" in methods else 0
    middle = central(asked, table)
    items = assumptions.assumptions(scenario)
    known = {driver.name: driver for driver in drivers(table.names, items)}
    began = time.perf_counter()
    swings = _tornado(asked, middle, table, known)
    each = (time.perf_counter() - began) / (2 * len(known))
    parts = _of_ensemble(asked, middle, table, known, given, say) if given else []
    parts += _of_design(asked, middle, table, known, groups, n, each, say) if n else []
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    return Sensitivity(
        scenario, asked.subjects, dates, known, _central(asked, middle), swings, found,
        with_impact(scenario, items, impacts(swings, found)),
        (*_notes(scenario, methods, groups, known, draws), *disagreements(swings, found)),
        draws if given else 0, seed, tuple(methods), middle.meta,
    )  # fmt: skip


def rows_of_design(k: int, runs: int) -> int:
    """Rows of a Sobol' design of `k` factors: the largest power of two that takes no more than `runs`.

    Raises
    ------
    InputError
        If that is too few.
    """
    if not runs:
        return ROWS
    n = runs // (k + 2)
    if n < FEWEST_ROWS:
        raise InputError(
            f"--sobol-runs: must be {FEWEST_ROWS * (k + 2):,} or more for {k} uncertainties; got {runs:,}. "
            f"Write `--sobol-runs {ROWS * (k + 2)}`"
        )
    return 1 << (n.bit_length() - 1)


def _notes(
    scenario: Scenario,
    methods: Sequence[str],
    groups: Sequence[tuple[str, ...]],
    known: dict[str, Driver],
    draws: int,
) -> tuple[str, ...]:
    found = []
    together = _titles(scenario, [group for group in groups if len(group) > 1], known)
    if together:
        found.append(
            f"drawn together: {'; '.join(together)}. The tornado moves each alone; Sobol' indices take them "
            "as one"
        )
    slow = [method for method in methods if method in SLOW]
    if slow and draws < FEW:
        found.append(
            f"{' and '.join(slow)} of {draws} draws: with fewer than {FEW} one uncertainty may be taken for "
            "another. Compare with the tornado, or write more --draws"
        )
    return tuple(found)


def disagreements(tornado: pd.DataFrame, found: pd.DataFrame) -> list[str]:
    """Say which uncertainties do much at their ends and nothing that could be told in the draws.

    Parameters
    ----------
    tornado, found : DataFrame
        As in `Sensitivity`: the tornado and the indices.
    """
    if not len(found):
        return []
    none = (found["method"] == "prcc") & (found["low"] < 0.0) & (found["high"] > 0.0)
    largest = found.groupby([*KEYS, "method"])["index"].transform("max")
    none |= (found["method"] == "sobol_total") & (found["index"] < NOTHING * largest)
    both = found.loc[none, [*KEYS, "uncertainty"]].drop_duplicates()
    large = tornado[tornado["share"] >= LARGE].merge(both, on=[*KEYS, "uncertainty"])
    said = [f"{row['title']} for {_said(row)}" for row in large.to_dict("records")]
    if not said:
        return []
    more = f"; and {len(said) - MOST} more" if len(said) > MOST else ""
    return [
        "large at the ends of a range, hardly seen in the draws, where ends are rare: "
        f"{'; '.join(said[:MOST])}{more}. Compare the indices before you measure these first"
    ]


# -- tables -------------------------------------------------------------------------------------------------


def _each(asked: Asked, middle: Central) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Positions of every measure and date, with the columns that tell them from others."""
    for i, subject in enumerate(asked.subjects):
        told = {
            "measure": subject.quantity,
            "level": subject.level,
            "role": ", ".join(subject.roles),
            "environment": ", ".join(subject.environments),
        }
        for j, date in enumerate(asked.dates):
            yield i, j, {**told, "date": date, "measured": middle.told[i][j], "unit": subject.of.unit}


def _central(asked: Asked, middle: Central) -> pd.DataFrame:
    return pd.DataFrame([{**told, "value": middle.values[i, j]} for i, j, told in _each(asked, middle)])


def _tornado(asked: Asked, middle: Central, table: Draws, known: dict[str, Driver]) -> pd.DataFrame:
    """Each uncertainty at its low and its high end, all others at their central values."""
    k = len(table.names)
    u = np.full((2, k, k), np.nan)
    u[:, np.arange(k), np.arange(k)] = ends(asked.scenario, table.names)
    y = outputs(asked, replace(table, u=u.reshape(2 * k, k)), "one at a time", middle.rows)
    numbers = pd.DataFrame(
        [(one.name, one.title, one.n, one.low, one.value, one.high, one.unit, ", ".join(one.grades))
         for one in known.values()],
        columns=["uncertainty", "title", "numbers", "from", "number", "to", "number_unit", "evidence"],
    )  # fmt: skip
    frames = []
    for i, j, told in _each(asked, middle):
        value = middle.values[i, j]
        low, high = y[:k, i, j] - value, y[k:, i, j] - value
        swing = np.maximum(np.maximum(low, high), 0.0) - np.minimum(np.minimum(low, high), 0.0)
        swing = np.where(swing > indices.ROUNDING * abs(value), swing, 0.0 * swing)
        frame = numbers.assign(
            **told, central=value, at_low=value + low, at_high=value + high, change_low=low, change_high=high,
            swing=swing, share=swing / swing.max() if swing.max() > 0.0 else 0.0 * swing,
        )  # fmt: skip
        frames.append(_ranked(frame, frame["swing"]))
    found = pd.concat(frames, ignore_index=True)
    first = [*KEYS, "measured", "unit", "rank"]
    return found[[*first, *(name for name in found if name not in first)]]


def _ranked(frame: pd.DataFrame, size: pd.Series) -> pd.DataFrame:
    """Rows in the order of their size, with their rank; those that are not known last."""
    order = size.sort_values(ascending=False, kind="stable").index
    rank = size.rank(method="min", ascending=False)
    return frame.assign(rank=rank).loc[order]


def _of_ensemble(
    asked: Asked,
    middle: Central,
    table: Draws,
    known: dict[str, Driver],
    methods: Sequence[str],
    say: Callable[[str], None],
) -> list[pd.DataFrame]:
    """Indices of the draws of an ensemble."""
    y = outputs(asked, table.block(1, table.n), "ensemble", middle.rows)
    u, frames = table.u[1:], []
    titles = [known[name].title for name in table.names]
    for method in methods:
        began = time.perf_counter()
        for i, j, told in _each(asked, middle):
            index = INDICES[method](u, y[:, i, j], table.seed)
            frames.append(_index(told, method, table.names, titles, index).assign(runs=len(u)))
            if method in SLOW and (i, j) == (0, 0) and y[0].size > 1:
                minutes = (time.perf_counter() - began) * (y[0].size - 1) / 60.0
                say(f"{method}: one of {y[0].size} measures and dates is done, {minutes:.1f} minutes to go …")
    return frames


def _of_design(
    asked: Asked,
    middle: Central,
    table: Draws,
    known: dict[str, Driver],
    groups: Sequence[tuple[str, ...]],
    n: int,
    each: float,
    say: Callable[[str], None],
) -> list[pd.DataFrame]:
    """Sobol' indices of a design of its own."""
    number = {name: i for i, group in enumerate(groups) for name in group}
    u = indices.sobol_design(len(table.names), n, table.seed, [number[name] for name in table.names])
    minutes = each * len(u) / 60.0
    say(f"Sobol' indices: {n} × ({len(groups)} + 2) = {len(u):,} runs, about {minutes:.1f} minutes …")
    u = dependent(u, table.names, [asked.scenario])
    y = outputs(asked, replace(table, u=u), "Sobol' indices", middle.rows)
    names, titles, frames = (
        [" and ".join(group) for group in groups],
        _titles(asked.scenario, groups, known),
        [],
    )
    for i, j, told in _each(asked, middle):
        first, total = indices.sobol(y[:, i, j], len(groups), table.seed)
        for method, index in (("sobol_first", first), ("sobol_total", total)):
            frames.append(_index(told, method, names, titles, index).assign(runs=len(u)))
    return frames


def _titles(scenario: Scenario, groups: Sequence[tuple[str, ...]], known: dict[str, Driver]) -> list[str]:
    """Factors of a design in words."""
    return [title_together([known[name] for name in group], [scenario], " and ") for group in groups]


def _index(
    told: dict[str, Any], method: str, names: Sequence[str], titles: Sequence[str], index: Index
) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            **{name: told[name] for name in [*KEYS, "measured"]},
            "method": method,
            "uncertainty": names,
            "title": titles,
            "index": index.value,
            "low": index.low,
            "high": index.high,
            "floor": index.floor,
        }
    )
    frame = _ranked(frame, frame["index"].abs())
    frame.insert(7, "rank", frame.pop("rank"))
    return frame


def impacts(tornado: pd.DataFrame, found: pd.DataFrame) -> dict[str, Impact]:
    """What each uncertainty does to the measure, at the date, that it moves most beside the others.

    Parameters
    ----------
    tornado, found : DataFrame
        As in `Sensitivity`: the tornado and the indices.

    Returns
    -------
    dict of Impact
        By uncertainty.
    """
    known = tornado.sort_values("share", ascending=False, kind="stable").drop_duplicates("uncertainty")
    if len(found):
        partial = found[found["method"] == "prcc"].rename(
            columns={"index": "prcc", "low": "prcc_low", "high": "prcc_high"}
        )
        columns = ["prcc", "prcc_low", "prcc_high"]
        known = known.merge(partial[[*KEYS, "uncertainty", *columns]], on=[*KEYS, "uncertainty"], how="left")
    known = known.assign(measure=[_said(row) for row in known.to_dict("records")])
    known = known.rename(columns={"unit": "measure_unit"})
    fields = [name for name in Impact.__dataclass_fields__ if name in known]
    return {
        str(row["uncertainty"]): Impact(**{name: row[name] for name in fields})
        for row in known.to_dict("records")
    }


def _said(row: dict[Any, Any]) -> str:
    """A measure with where and when."""
    where = [str(row[name]) for name in ("level", "role", "environment") if row[name]]
    name = {**QUANTITIES, **YEARLY}[str(row["measure"])].words
    return ", ".join([name, *where, str(row["measured"])])
