"""Simple forecasts of a yearly series with the intervals of their textbooks: what pharmsim is held against.

Each takes the series up to an origin and gives a `Forecast`: one without a distribution where the data are
too few for it, and None where they are too few for a forecast. All take the same three arrays:

times : float64 array, shape (n,), years
    Increasing; the origin last.
values : float64 array, shape (n,)
    Of the series, above 0, in any unit: that of the forecast.
at : float64 array, shape (horizons,), years
    All later than the last of `times`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np

from pharmsim.calibration.scores import Forecast
from pharmsim.compiled.arrays import Floats

N = 1000
"""Points of a distribution: quantiles at (i + 1/2)/N."""
STARTS = (0.1, 0.5, 0.9)
"""Shares from which the search for the smoothing weights begins."""
YEAR = 0.02
"""Years by which the spacing of a yearly series may differ from one."""

Rival = Callable[[Floats, Floats, Floats], Forecast | None]
"""Times in years, shape (n,); values; times of the forecast, all later → forecast."""


def persistence(times: Floats, values: Floats, at: Floats) -> Forecast | None:
    """The last value; a random walk without drift of the logarithm.

    Its variance grows by the mean of the squared steps.

    Parameters
    ----------
    times, values, at : float64 array
        See the head of the module.

    Returns
    -------
    Forecast
        Without a distribution from one value.

    References
    ----------
    Hyndman RJ, Athanasopoulos G (2021), Forecasting: principles and practice, 3rd ed., 5.5:
    https://otexts.com/fpp3/prediction-intervals.html
    """
    last, ahead = np.log(values[-1]), at - times[-1]
    if len(values) < 2:
        return Forecast(np.full(len(at), values[-1]), None)
    steps, dt = np.diff(np.log(values)), np.diff(times)
    sd = np.sqrt((steps**2 / dt).mean() * ahead)
    return _log_normal(np.full(len(at), last), sd)


def cagr(times: Floats, values: Floats, at: Floats) -> Forecast | None:
    """Compound annual growth from the first value to the last, carried on from the last.

    The same as a random walk with drift of the logarithm, whose forecast has variance σ²(h + h²/T), T the
    years seen (Hyndman and Athanasopoulos, 5.5; see `persistence`).

    Parameters
    ----------
    times, values, at : float64 array
        See the head of the module.

    Returns
    -------
    Forecast or None
        None from one value; without a distribution from two.
    """
    if len(values) < 2:
        return None
    steps, dt = np.diff(np.log(values)), np.diff(times)
    ahead, seen = at - times[-1], times[-1] - times[0]
    growth = steps.sum() / seen
    middle = np.log(values[-1]) + growth * ahead
    if len(steps) < 2:
        return Forecast(np.exp(middle), None)
    variance = ((steps - growth * dt) ** 2 / dt).sum() / (len(steps) - 1)
    return _log_normal(middle, np.sqrt(variance * (ahead + ahead**2 / seen)))


def linear_trend(times: Floats, values: Floats, at: Floats) -> Forecast | None:
    """Least squares against time, with the prediction interval of statsmodels (Student).

    Parameters
    ----------
    times, values, at : float64 array
        See the head of the module.

    Returns
    -------
    Forecast or None
        None from one value; without a distribution from two or three, for the score of a Student
        distribution of so few degrees of freedom has no mean.
    """
    from scipy.stats import t
    from statsmodels.regression.linear_model import OLS

    if len(values) < 2:
        return None
    start = times[0]

    def design(x: Floats) -> Floats:
        return np.column_stack([np.ones(len(x)), x - start])

    fitted = OLS(values, design(times)).fit()
    if len(values) < 4:
        return Forecast(np.asarray(fitted.predict(design(at))), None)
    found = fitted.get_prediction(design(at))
    points = t.ppf(_points(), fitted.df_resid)[:, None] * found.se_obs + found.predicted_mean
    return Forecast(np.median(points, axis=0), points)


def exponential_smoothing(times: Floats, values: Floats, at: Floats) -> Forecast | None:
    """Holt's method with additive errors and trend on the logarithm, by statsmodels: ETS(A, A, N).

    It uses the yearly run at the end of the series. Level and trend begin with the first value of that run
    and the growth per year before it (with its second value and the growth from the first, where the series
    has no earlier ones). The two weights are those of greatest likelihood over the values behind that, of
    which there must be three, one more than weights; forecasts fall on whole years.

    Parameters
    ----------
    times, values, at : float64 array
        See the head of the module.

    Returns
    -------
    Forecast or None
        None where the yearly run is too short, or a forecast is not whole years ahead.
    """
    gaps = np.abs(np.diff(times) - 1.0) < YEAR
    first = len(values) - 1 - int(np.cumprod(gaps[::-1]).sum())
    began = first if first else 1
    rest = np.log(values[began + 1 :])
    steps = np.rint(at - times[-1]).astype(int)
    if len(rest) < 3 or (np.abs(at - times[-1] - steps) > YEAR).any():
        return None
    growth = np.log(values[began] / values[0]) / (times[began] - times[0])
    mean, variance = _holt(rest, float(np.log(values[began])), float(growth), int(steps.max()))
    return _log_normal(mean[steps - 1], np.sqrt(variance[steps - 1]))


def _holt(y: Floats, level: float, trend: float, n: int) -> tuple[Floats, Floats]:
    """Mean and variance 1 … n steps after the last value; the best of several searches."""
    import pandas as pd
    from statsmodels.tools.sm_exceptions import ConvergenceWarning
    from statsmodels.tsa.exponential_smoothing.ets import ETSModel

    model = ETSModel(
        pd.Series(y), error="add", trend="add",
        initialization_method="known", initial_level=level, initial_trend=trend,
    )  # fmt: skip
    starts = [[alpha, alpha * share] for alpha in STARTS for share in STARTS]
    with warnings.catch_warnings():  # a search that stops early loses against the best
        warnings.simplefilter("ignore", ConvergenceWarning)
        fits = [model.fit(start_params=start, disp=False) for start in starts]
    best = max(fits, key=lambda fit: float(fit.llf))
    found = best.get_prediction(start=len(y), end=len(y) + n - 1)
    return np.asarray(found.predicted_mean), np.asarray(found.forecast_variance)


def _points() -> Floats:
    return (np.arange(N) + 0.5) / N


def _log_normal(mean: Floats, sd: Floats) -> Forecast:
    from scipy.special import ndtri

    return Forecast(np.exp(mean), np.exp(mean + ndtri(_points())[:, None] * sd))


RIVALS: dict[str, Rival] = {
    "persistence": persistence,
    "CAGR": cagr,
    "linear trend": linear_trend,
    "exponential smoothing": exponential_smoothing,
}
