"""A frozen forecast: written once, held against what comes.

The file is a table of quantiles with what it was made from above it, and a digest that tells whether
somebody has changed it since.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import math
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pharmsim.calibration import scores
from pharmsim.calibration.backtest import OWN, columns_of, rivals, with_scenario
from pharmsim.calibration.courses import Course, course, later, years
from pharmsim.calibration.importance import posterior_draws
from pharmsim.calibration.model import Calibration, Observation
from pharmsim.calibration.origins import BacktestForm, read_form
from pharmsim.calibration.posterior import read as read_posterior
from pharmsim.calibration.priors import earlier
from pharmsim.calibration.problem import Problem
from pharmsim.calibration.targets import Target, month_after, read_targets
from pharmsim.compiled.arrays import Floats
from pharmsim.errors import InputError, OutputError, ScenarioError
from pharmsim.scenario import digest, from_dict
from pharmsim.scenario.problems import Problems

MATCH = ["measure", "role", "environment", "geography", "unit", "definition", "date"]
"""What a figure must share with a forecast to be what was forecast."""
QUANTILES = [scores.name(level) for level in scores.LEVELS]
COLUMNS = ["method", "series", *MATCH, "forecast", *QUANTILES]


def freeze(
    calibration: Calibration, z: dict[str, Floats] | None, n_years: int, threads: int | None = None
) -> pd.DataFrame:
    """Forecast the judged series of a calibration beyond its data.

    Parameters
    ----------
    calibration : Calibration
        With a key `backtest`.
    z : dict of str to float64 array, shape (rows,), optional
        Posterior, as of `posterior_of`; without it the calibration is fitted here.
    n_years : int
        Years after the last figure of each series.
    threads : int, optional
        By default one for each core; the numbers do not depend on it.

    Returns
    -------
    DataFrame
        Columns `COLUMNS`; one row a method, series and date, in the unit of the series.

    Raises
    ------
    ScenarioError, InputError
        If `backtest` is wrong, or the posterior lacks a parameter of the calibration.
    """
    form = read_form(calibration.backtest, calibration.file)
    courses = [course(calibration, judged) for judged in form.series]
    days = {each.name: [later(each.targets[-1].date, n + 1) for n in range(n_years)] for each in courses}
    ahead = _extended(calibration, days, form)
    problem = Problem(ahead, threads)
    draws = problem.replicate(_rows(problem, z, form), form.seed)
    rows: list[dict[str, Any]] = []
    for each in courses:
        columns = columns_of(ahead, each.name)
        own = draws[:, [columns[day] for day in days[each.name]]]
        times, values = each.until(date.max)
        made = {OWN: scores.Forecast(np.median(own, axis=0), own)}
        made |= rivals(times, values, years(days[each.name]))
        rows += [
            row for method, forecast in made.items() for row in _of(each, method, forecast, days[each.name])
        ]
    return pd.DataFrame(rows)[COLUMNS]


def posterior_of(path: Path, calibration: Calibration) -> dict[str, Floats]:
    """Rows of a posterior, seen to be of the ranges that the scenario has.

    Parameters
    ----------
    path : Path
        A posterior that `pharmsim calibrate` wrote.
    calibration : Calibration

    Returns
    -------
    dict of str to float64 array, shape (rows,)
        z of each parameter: the normal score of its place in its range.

    Raises
    ------
    OutputError, ScenarioError
        If it cannot be read, or was fitted with other ranges.
    """
    problems = Problems({}, calibration.file)
    earlier(str(path), calibration.scenario, calibration.parameters, (), problems)
    if problems:
        raise ScenarioError(problems)
    return read_posterior(path).z


def _rows(problem: Problem, z: dict[str, Floats] | None, form: BacktestForm) -> Floats:
    """Rows of a posterior in the order of the problem; what is drawn besides comes from its range."""
    if z is None:
        return posterior_draws(problem.counting(~np.isnan(problem.observed)), form.draws, form.seed)[0]
    missing = [name for name in problem.names if name not in z and name not in form.drawn]
    if missing:
        raise InputError(
            f"posterior — must have every parameter of the calibration — it lacks {', '.join(missing)} — "
            "calibrate again"
        )
    free = problem.draw_prior(len(next(iter(z.values()))), form.seed)
    return np.column_stack([z.get(name, free[:, i]) for i, name in enumerate(problem.names)])


def _extended(calibration: Calibration, days: dict[str, list[date]], form: BacktestForm) -> Calibration:
    """The calibration with targets on days to come, and a scenario that reaches them."""
    last = max(day for found in days.values() for day in found)
    scenario, (year, month) = calibration.scenario, month_after(last)
    if scenario.end < (end := f"{year}-{month:02d}"):
        data = scenario.model_dump(mode="json", by_alias=True, exclude_none=True)
        scenario = from_dict(data | {"end": end})
    calibration = with_scenario(calibration, scenario, form.drawn)
    observations = tuple(
        _with_days(one, days[one.name]) if one.name in days else one for one in calibration.observations
    )
    return dataclasses.replace(calibration, observations=observations)


def _with_days(one: Observation, days: Sequence[date]) -> Observation:
    last = max(one.targets, key=lambda target: target.date)
    new = tuple(dataclasses.replace(last, date=day, value=math.nan) for day in days)
    errors = np.append(one.errors, np.full(len(days), one.errors[one.targets.index(last)]))
    return dataclasses.replace(one, targets=(*one.targets, *new), errors=errors)


def _of(each: Course, method: str, forecast: scores.Forecast, days: Sequence[date]) -> list[dict[str, Any]]:
    last = each.targets[-1]
    out = []
    for day, point, quantiles in zip(days, forecast.point, scores.quantiles_of(forecast).T, strict=True):
        row: dict[str, Any] = {"method": method, "series": each.name, "date": day.isoformat()}
        row |= {key: getattr(last, key) for key in MATCH if key != "date"}
        row |= {"forecast": round(float(point), 1)}
        out.append(row | {name: round(float(q), 1) for name, q in zip(QUANTILES, quantiles, strict=True)})
    return out


def check(path: Path, force: bool) -> None:
    """Refuse to write over a frozen forecast.

    Parameters
    ----------
    path : Path
    force : bool
        Let it be replaced all the same.

    Raises
    ------
    OutputError
        If a file is there already: a forecast that can be changed after the fact is none.
    """
    if path.exists() and not force:
        raise OutputError(
            f"{path} — must not exist: a frozen forecast is not written again — it is there — give another "
            "name, or --force if nobody relies on it"
        )


def write(frame: pd.DataFrame, path: Path, about: dict[str, str], force: bool = False) -> None:
    """Write a frozen forecast.

    Parameters
    ----------
    frame : DataFrame
        As of `freeze`.
    path : Path
    about : dict of str to str
        What it was made from, in lines above the table.
    force : bool
        Replace a file that is there.

    Raises
    ------
    OutputError
        As of `check`.
    """
    check(path, force)
    table = frame.to_csv(index=False, lineterminator="\n")
    head = {**about, "digest": _digest(about, table)}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"# {key}: {value}\n" for key, value in head.items()) + table, encoding="utf-8")


def about(calibration: Calibration, made: date, version: str, basis: str) -> dict[str, str]:
    """What a frozen forecast was made from.

    Parameters
    ----------
    calibration : Calibration
        With a key `backtest`.
    made : date
        Day on which it was made.
    version : str
        Of pharmsim.
    basis : str
        Where the draws came from, in words.

    Returns
    -------
    dict of str to str
        Lines for `write`, the digests of scenario and files among them.
    """
    last = max(target.to or target.date for target in calibration.targets)
    form = read_form(calibration.backtest, calibration.file)
    seen = max(course(calibration, judged).targets[-1].date for judged in form.series)
    files = hashlib.sha256(repr(sorted(calibration.files.items())).encode()).hexdigest()
    return {
        "forecast": calibration.title,
        "made": made.isoformat(),
        "data up to": last.isoformat(),
        "data of the simple methods up to": seen.isoformat(),
        "calibration": calibration.name,
        "draws from": basis,
        "scenario": digest(calibration.scenario),
        "files": files,
        "pharmsim": version,
    }


def read(path: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    """Read a frozen forecast and what stands above it.

    Parameters
    ----------
    path : Path

    Returns
    -------
    frame : DataFrame
        As of `freeze`.
    head : dict of str to str
        As of `about`.

    Raises
    ------
    InputError
        If it is none, or was changed after it was made.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} — must be a frozen forecast — {error} — give another file") from None
    head = dict(
        line[2:].rstrip("\n").split(": ", 1) for line in lines if line.startswith("# ") and ": " in line
    )
    table = "".join(line for line in lines if not line.startswith("#"))
    told = head.pop("digest", "")
    frame = pd.read_csv(io.StringIO(table)) if table else pd.DataFrame()
    if list(frame.columns) != COLUMNS:
        raise InputError(
            f"{path} — must be a frozen forecast with the columns {', '.join(COLUMNS[:9])} … — it has others "
            "— give a file that `pharmsim freeze` wrote"
        )
    if told != _digest(head, table):
        raise InputError(
            f"{path} — must be as it was written — its digest is another: it was changed since — take the "
            "file of that time from the history of the repository"
        )
    return frame, head


def _digest(head: dict[str, str], table: str) -> str:
    return hashlib.sha256((repr(sorted(head.items())) + table).encode()).hexdigest()


def score(path: Path, targets: Path) -> pd.DataFrame:
    """Hold a frozen forecast against figures that came.

    Parameters
    ----------
    path : Path
        Of the forecast.
    targets : Path
        A file of targets that has the new figures.

    Returns
    -------
    DataFrame
        The forecasts whose date has come, with `observed`, `error`, `ape`, `inside_50`, `inside_90`, `crps`.

    Raises
    ------
    InputError
        If no figure is of what was forecast.
    """
    frame, _ = read(path)
    came: dict[tuple[str, ...], Target] = {}
    for target in read_targets(targets):
        key = tuple(str(getattr(target, name)) for name in MATCH)
        if target.to is None and came.setdefault(key, target).value != target.value:
            raise InputError(
                f"{targets} — must give one figure for what was forecast — {target.title} differs from "
                f"{came[key].title} — leave one out"
            )
    rows = []
    for row in frame.fillna(dict.fromkeys(MATCH, "")).to_dict("records"):
        found = came.get(tuple(str(row[name]) for name in MATCH))
        if found is not None:
            quantiles = np.array([row[name] for name in QUANTILES], dtype=float)
            judged = scores.judged(float(row["forecast"]), quantiles, found.value)
            judged["crps"] = scores.crps_of_quantiles(quantiles, found.value)
            rows.append({str(key): item for key, item in row.items()} | {"observed": found.value} | judged)
    if not rows:
        wanted = ", ".join(dict.fromkeys(frame["date"]))
        raise InputError(
            f"{targets} — must hold a figure of what was forecast: "
            f"{', '.join(dict.fromkeys(frame['series']))} on {wanted} — it has none — come back when it is "
            "published"
        )
    return pd.DataFrame(rows)
