"""Scores of forecasts: error in per cent, coverage of intervals, continuous ranked probability score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pharmsim.compiled.arrays import Floats

LEVELS = tuple(round(0.05 * i, 2) for i in range(1, 20))
"""Probabilities whose quantiles are kept of a forecast: 5 %, 10 % … 95 %."""
FEWEST = 5
"""Origins below which nothing is claimed."""
ALIKE = 0.05
"""Mean scores that differ by less than this share of the larger are alike."""
KEYS = ["series", "horizon"]


@dataclass(frozen=True)
class Forecast:
    """A forecast at several horizons.

    Attributes
    ----------
    point : float64 array, shape (horizons,)
        What is held against what came: the median, where there are draws.
    draws : float64 array, shape (draws, horizons), or None
        Of the forecast distribution, errors of observation included; None where a method has too few
        data for a distribution.
    """

    point: Floats
    draws: Floats | None


def crps(draws: Floats, observed: float) -> float:
    """Continuous ranked probability score of draws: E|X − y| − E|X − X′|/2, in the unit of y.

    Parameters
    ----------
    draws : float64 array, shape (draws,)
    observed : float

    Returns
    -------
    float
        0 for a forecast that is certain and right; the absolute error of one that is certain.

    References
    ----------
    Gneiting T, Raftery AE (2007), Strictly proper scoring rules, prediction, and estimation, J Am Stat
    Assoc 102:359–378, section 4.2.
    """
    x = np.sort(draws)
    n = len(x)
    spread = np.dot(2.0 * np.arange(1, n + 1) - n - 1.0, x) / n**2
    return float(np.abs(x - observed).mean() - spread)


def crps_of_quantiles(quantiles: Floats, observed: float, levels: Sequence[float] = LEVELS) -> float:
    """The same score from quantiles: twice the mean of their pinball losses.

    Parameters
    ----------
    quantiles : float64 array, shape (levels,)
    observed : float
    levels : sequence of float
        Evenly spaced probabilities.

    Returns
    -------
    float
        In the unit of `observed`; 0 for a forecast that is certain and right.

    References
    ----------
    Bracher J, Ray EL, Gneiting T, Reich NG (2021), Evaluating epidemic forecasts in an interval format,
    PLoS Comput Biol 17:e1008618 (the weighted interval score).
    """
    below = observed < quantiles
    return float(2.0 * ((below - np.asarray(levels)) * (quantiles - observed)).mean())


def inside(low: float, high: float, observed: float) -> float:
    """1 where an interval covers what came, 0 where it does not, not a number where there is none.

    Parameters
    ----------
    low, high : float
        Ends, which belong to it; not numbers where there is no distribution.
    observed : float

    Returns
    -------
    float
    """
    return float("nan") if np.isnan(low) else float(low <= observed <= high)


def judged(point: float, quantiles: Floats, observed: float) -> dict[str, float]:
    """Errors of a forecast that is given by the quantiles at `LEVELS`.

    Parameters
    ----------
    point : float
    quantiles : float64 array, shape (levels,)
    observed : float
        What came, in the same unit.

    Returns
    -------
    dict
        `error` (signed) and `ape` (absolute), shares of what came; `inside_50` and `inside_90`.
    """
    q = dict(zip(LEVELS, quantiles, strict=True))
    return {
        "error": point / observed - 1.0,
        "ape": abs(point / observed - 1.0),
        "inside_50": inside(q[0.25], q[0.75], observed),
        "inside_90": inside(q[0.05], q[0.95], observed),
    }


def quantiles_of(forecast: Forecast) -> Floats:
    """Quantiles at `LEVELS`, shape (levels, horizons); not numbers without a distribution.

    Parameters
    ----------
    forecast : Forecast

    Returns
    -------
    float64 array, shape (levels, horizons), unit of the series
    """
    if forecast.draws is None:
        return np.full((len(LEVELS), len(forecast.point)), np.nan)
    return np.asarray(np.quantile(forecast.draws, LEVELS, axis=0))


def rows(forecast: Forecast, observed: Floats) -> list[dict[str, float]]:
    """Forecast, intervals and scores at every horizon.

    Parameters
    ----------
    forecast : Forecast
    observed : float64 array, shape (horizons,)
        What came; not a number where it is not known yet.

    Returns
    -------
    list of dict
        One a horizon: `observed`, `forecast`, `p5` … `p95`, what `judged` gives, and `crps`.
    """
    out = []
    for i, (value, quantiles) in enumerate(zip(observed, quantiles_of(forecast).T, strict=True)):
        row = {"observed": float(value), "forecast": float(forecast.point[i])}
        row |= {name(level): float(q) for level, q in zip(LEVELS, quantiles, strict=True)}
        row |= judged(row["forecast"], quantiles, row["observed"])
        row["crps"] = np.nan if forecast.draws is None else crps(forecast.draws[:, i], row["observed"])
        out.append(row)
    return out


def name(level: float) -> str:
    """Column of a quantile: 0.05 → p5."""
    return f"p{100 * level:.0f}"


def table(forecasts: pd.DataFrame) -> pd.DataFrame:
    """Scores by series, horizon and method, over the origins that a method has.

    Parameters
    ----------
    forecasts : DataFrame
        One row a series, method, origin and horizon, with the columns of `rows`.

    Returns
    -------
    DataFrame
        `origins` with a point forecast and `with_intervals` with a distribution; `mape`, `bias` (mean error)
        and coverages as shares, `crps` in the unit of the series.
    """
    groups = forecasts.groupby([*KEYS, "method"], sort=False)
    out = groups.agg(
        origins=("ape", "count"),
        mape=("ape", "mean"),
        bias=("error", "mean"),
        with_intervals=("crps", "count"),
        coverage_50=("inside_50", "mean"),
        coverage_90=("inside_90", "mean"),
        crps=("crps", "mean"),
    )
    return out.reset_index()


def duels(forecasts: pd.DataFrame, own: str) -> pd.DataFrame:
    """One method against each other one, on the origins that both have.

    Parameters
    ----------
    forecasts : DataFrame
        As for `table`.
    own : str
        The method that is held against the others.

    Returns
    -------
    DataFrame
        By series, horizon and rival, for `ape` and `crps`: `origins_…` shared, `own_…` and `rival_…` (means)
        and `verdict_…`: better, worse, alike, or "no claim" with fewer than five origins.
    """
    at = [*KEYS, "origin"]
    mine = forecasts[forecasts["method"] == own]
    both = mine.merge(forecasts[forecasts["method"] != own], on=at, suffixes=("_own", "_rival"))
    out: list[dict[str, Any]] = []
    for (series, horizon, rival), part in both.groupby([*KEYS, "method_rival"], sort=False):
        row: dict[str, Any] = {"series": series, "horizon": horizon, "rival": rival}
        for score in ("ape", "crps"):
            pair = part[[f"{score}_own", f"{score}_rival"]].dropna()
            a, b = (float(pair[column].mean()) if len(pair) else np.nan for column in pair)
            row |= {f"origins_{score}": len(pair), f"own_{score}": a, f"rival_{score}": b}
            row[f"verdict_{score}"] = verdict(len(pair), a, b)
        out.append(row)
    return pd.DataFrame(out)


def verdict(origins: int, own: float, rival: float) -> str:
    """Better or worse than a rival, or alike; nothing is claimed from fewer than `FEWEST` origins.

    Parameters
    ----------
    origins : int
        That both have.
    own, rival : float
        Mean scores; lower is better.

    Returns
    -------
    str
        "better", "worse", "alike" or "no claim".
    """
    if origins < FEWEST:
        return "no claim"
    if abs(own - rival) <= ALIKE * max(own, rival):
        return "alike"
    return "better" if own < rival else "worse"
