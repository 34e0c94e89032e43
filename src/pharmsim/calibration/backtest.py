"""Rolling origin: calibrate on what was known, forecast, and score beside simple forecasts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from pharmsim.calibration import scores
from pharmsim.calibration.courses import Course, course, later, years
from pharmsim.calibration.importance import posterior_draws
from pharmsim.calibration.model import Calibration
from pharmsim.calibration.origins import BacktestForm, as_known, read_form
from pharmsim.calibration.problem import Problem
from pharmsim.calibration.rivals import RIVALS
from pharmsim.calibration.scores import Forecast
from pharmsim.compiled.arrays import Floats
from pharmsim.compiled.draws import names as uncertainties
from pharmsim.errors import InputError
from pharmsim.scenario import Scenario

OWN = "pharmsim"
"""Name of the calibrated model among the methods."""


@dataclass(frozen=True)
class Fitted:
    """What was fitted at an origin.

    Attributes
    ----------
    draws : float64 array, shape (draws, targets)
        Of all targets of the calibration, errors of observation included.
    counted : int
        Targets that were known.
    parameters : int
    k : float
        Pareto shape of the weights: above 0.7 the draws are not to be trusted. Not a number where nothing was
        fitted.
    """

    draws: Floats
    counted: int
    parameters: int
    k: float


@dataclass(frozen=True)
class Backtest:
    """Forecasts of all methods from all origins, and how they did.

    Attributes
    ----------
    calibration : Calibration
    form : BacktestForm
    courses : tuple of Course
    forecasts : DataFrame
        One row a series, method, origin and horizon.
    fits : DataFrame
        One row an origin: targets counted, parameters, k.
    table, duels : DataFrame
        As of `scores.table` and `scores.duels`.
    """

    calibration: Calibration
    form: BacktestForm
    courses: tuple[Course, ...]
    forecasts: pd.DataFrame
    fits: pd.DataFrame
    table: pd.DataFrame
    duels: pd.DataFrame


def backtest(
    calibration: Calibration, threads: int | None = None, say: Callable[[str], None] = lambda text: None
) -> Backtest:
    """Forecast from every origin with what was known there, and score.

    Parameters
    ----------
    calibration : Calibration
        With a key `backtest`.
    threads : int, optional
        By default one for each core; the numbers do not depend on it.
    say : callable
        Takes a line on each origin.

    Returns
    -------
    Backtest

    Raises
    ------
    ScenarioError, InputError
        If `backtest` is wrong, before anything is run.
    """
    form = read_form(calibration.backtest, calibration.file)
    section = calibration.scenario.uncertainties
    if calibration.mean.any() or (section is not None and any(one.ranges for one in section.posteriors)):
        raise InputError(
            f"{calibration.file} — a back-test must begin from ranges — it begins from an earlier posterior, "
            "which knows what came after the origins — leave `priors` out, or `parameters` of the scenario"
        )
    courses = tuple(course(calibration, judged) for judged in form.series)
    origins = _origins(calibration.scenario, courses, form)
    known = [known_at(calibration, form, origin) for origin in origins]
    _all_drawn(form, (calibration, *known))
    rows: list[dict[str, Any]] = []
    fits: list[dict[str, Any]] = []
    for origin, one in zip(origins, known, strict=True):
        fitted = fit_at(one, origin, form, threads)
        target, parameter = (
            f"{n} {one}{'s' * (n != 1)}"
            for n, one in ((fitted.counted, "target"), (fitted.parameters, "parameter"))
        )
        say(f"{origin}: {target}, {parameter}, k {fitted.k:.2f}")
        fits.append(
            {"origin": origin} | {key: getattr(fitted, key) for key in ("counted", "parameters", "k")}
        )
        for each in courses:
            rows += _rows(each, origin, form.horizons, _own(one, each, fitted.draws))
    forecasts = pd.DataFrame(rows)
    return Backtest(
        calibration, form, courses, forecasts, pd.DataFrame(fits),
        scores.table(forecasts), scores.duels(forecasts, OWN),
    )  # fmt: skip


def _origins(scenario: Scenario, courses: Sequence[Course], form: BacktestForm) -> tuple[date, ...]:
    """Origins as written, or dates of the series from the scenario's start that leave the least horizon."""
    judged = {
        day
        for each in courses
        for day in each.values
        if any(later(day, n) in each.values for n in form.horizons)
    }
    if wrong := [day.isoformat() for day in form.origins if day not in judged]:
        raise InputError(
            f"backtest.origins — must be dates of a judged series with a figure {min(form.horizons)} or more "
            f"years later — got {', '.join(wrong)} — take such dates, or leave `origins` out"
        )
    start = date.fromisoformat(f"{scenario.start}-01")
    days = {
        day
        for each in courses
        for day in each.values
        if (start - day).days <= 1 and later(day, min(form.horizons)) in each.values
    }
    if not (form.origins or days):
        raise InputError(
            f"backtest — must have an origin: a date of a series, from {scenario.start} on, with a figure "
            f"{min(form.horizons)} years later — got none — give another horizon"
        )
    return form.origins or tuple(sorted(days))


def _all_drawn(form: BacktestForm, several: Sequence[Calibration]) -> None:
    """Refuse a name that no scenario of the back-test has."""
    there = {name for one in several for name in uncertainties(one.scenario)}
    if missing := set(form.drawn) - there:
        raise InputError(
            f"backtest.drawn — must be uncertainties of the scenario or of `known_later` — got "
            f"{', '.join(sorted(missing))} — correct the name"
        )


def known_at(calibration: Calibration, form: BacktestForm, origin: date) -> Calibration:
    """The calibration with the scenario as it was known at an origin.

    Parameters
    ----------
    calibration : Calibration
    form : BacktestForm
        Says what became known later, and what is drawn besides.
    origin : date
        Last day on which something is known.

    Returns
    -------
    Calibration
        With all its targets: which of them count is for `fit_at` to say.

    Raises
    ------
    InputError
        As of `origins.as_known`.
    """
    return with_scenario(calibration, as_known(calibration.scenario, form, origin), form.drawn)


def with_scenario(calibration: Calibration, scenario: Scenario, drawn: Sequence[str]) -> Calibration:
    """The calibration with another scenario: without parameters that it lacks, with those that are drawn.

    Parameters
    ----------
    calibration : Calibration
    scenario : Scenario
    drawn : sequence of str
        Uncertainties that become parameters too.

    Returns
    -------
    Calibration
        Priors of parameters that it had are kept; the others are standard normal, which is their range.
    """
    wanted = {*calibration.parameters, *drawn}
    parameters = tuple(name for name in uncertainties(scenario) if name in wanted)
    before, own = calibration.names, calibration.names[len(calibration.parameters) :]
    names = (*parameters, *own)
    old = [i for i, name in enumerate(names) if name in before]
    at = [before.index(names[i]) for i in old]
    mean, covariance = np.zeros(len(names)), np.eye(len(names))
    mean[old], covariance[np.ix_(old, old)] = calibration.mean[at], calibration.covariance[np.ix_(at, at)]
    return dataclasses.replace(
        calibration, scenario=scenario, parameters=parameters, mean=mean, covariance=covariance
    )


def fit_at(calibration: Calibration, origin: date, form: BacktestForm, threads: int | None) -> Fitted:
    """Fit to the targets up to an origin, and draw what all targets could be.

    Parameters
    ----------
    calibration : Calibration
        As of `known_at`.
    origin : date
        Targets whose date or period ends later do not count.
    form : BacktestForm
        Number of draws, and their seed.
    threads : int or None
        None for one for each core.

    Returns
    -------
    Fitted
        Drawn from the prior where no target was known.
    """
    whole = Problem(calibration, threads)
    mask = np.array([(target.to or target.date) <= origin for target in calibration.targets])
    z, k = posterior_draws(whole.counting(mask), form.draws, form.seed) if mask.any() else (None, np.nan)
    if z is None:
        z = whole.draw_prior(form.draws, form.seed)
    return Fitted(whole.replicate(z, form.seed), int(mask.sum()), whole.n, k)


def _own(calibration: Calibration, each: Course, draws: Floats) -> Callable[[list[date]], Forecast]:
    """pharmsim's forecast of a series from the draws of an origin."""
    columns = columns_of(calibration, each.name)

    def forecast(days: list[date]) -> Forecast:
        chosen = draws[:, [columns[day] for day in days]]
        return Forecast(np.median(chosen, axis=0), chosen)

    return forecast


def columns_of(calibration: Calibration, name: str) -> dict[date, int]:
    """Places of the targets of an observation among all, by date.

    Parameters
    ----------
    calibration : Calibration
    name : str
        Of the observation.

    Returns
    -------
    dict of date to int
        Columns of `Fitted.draws`.

    Raises
    ------
    KeyError
        If the calibration has no such observation.
    """
    first = 0
    for one in calibration.observations:
        if one.name == name:
            return {target.date: first + i for i, target in enumerate(one.targets)}
        first += len(one.targets)
    raise KeyError(name)


def _rows(
    each: Course, origin: date, horizons: Sequence[int], own: Callable[[list[date]], Forecast]
) -> list[dict[str, Any]]:
    """Forecasts of all methods from one origin at the horizons with a published figure."""
    values = each.values
    ahead = [n for n in horizons if later(origin, n) in values]
    if origin not in values or not ahead:
        return []
    days = [later(origin, n) for n in ahead]
    observed = np.array([values[day] for day in days])
    times, seen = each.until(origin)
    made = {OWN: own(days)} | rivals(times, seen, years(days))
    return [
        {"series": each.name, "method": method, "origin": origin, "horizon": n, "date": day} | row
        for method, forecast in made.items()
        for n, day, row in zip(ahead, days, scores.rows(forecast, observed), strict=True)
    ]


def rivals(times: Floats, values: Floats, at: Floats) -> dict[str, Forecast]:
    """Forecasts of the simple methods, as far as the data are enough for them.

    Parameters
    ----------
    times : float64 array, shape (n,), years
    values : float64 array, shape (n,)
    at : float64 array, shape (horizons,), years
        All later than the last of `times`.

    Returns
    -------
    dict of str to Forecast
        By the names of `RIVALS`, in the unit of `values`.
    """
    found = {name: rival(times, values, at) for name, rival in RIVALS.items()}
    return {name: forecast for name, forecast in found.items() if forecast is not None}
