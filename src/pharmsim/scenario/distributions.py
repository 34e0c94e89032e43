"""Distributions of uncertain numbers: what value, low and high mean, as quantile functions."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from pharmsim.errors import InputError

Floats = NDArray[np.float64]
Steps = tuple[Floats, Floats]
"""Values in ascending order, and the probability up to each."""
DISTS = ("uniform", "triangular", "pert", "normal", "lognormal", "beta", "gamma", "discrete", "empirical")
WITH_TAILS = ("normal", "lognormal", "beta", "gamma")
"""Distributions of which low and high are the 5 % and 95 % points, or nearly; the others end there."""
NORMAL_95 = 1.6448536269514722
"""Standard deviations from the middle of a normal distribution to its 5 % and 95 % points."""
TAIL = 1e-6
"""Tails are cut at the quantiles of this probability, so that bounds can be promised for every draw."""
MIDWAY = 0.05
"""How far off the middle, as a share of the width, the value of a normal or lognormal range may stand."""


def quantile(
    u: Floats,
    central: float,
    low: float,
    high: float,
    dist: str | None,
    steps: Steps | None = None,
) -> Floats:
    """Value at probability `u` of a range around a central value.

    Parameters
    ----------
    u : float64 array, shape (draws,)
        Probabilities from 0 to 1.
    central, low, high : float
        `pert`, `triangular`: mode and ends; `uniform`: ends; `normal`: mean and 5 % and 95 %
        points; `lognormal`: median and the same points; `beta`, `gamma`: mean, with the deviation
        that a normal of this range has; `discrete`, `empirical`: the lowest and the highest.
    dist : str or None
        None is `pert`.
    steps : tuple of float64 arrays, shape (values,)
        Of `discrete` and `empirical`; their values are moved and stretched to reach from low to high.

    Returns
    -------
    float64 array, shape (draws,)
    """
    width = high - low
    if dist in (None, "pert"):
        from scipy.special import betaincinv  # not needed where numbers are only read

        a, b = 1.0 + 4.0 * (central - low) / width, 1.0 + 4.0 * (high - central) / width
        return np.asarray(low + width * betaincinv(a, b, u))
    if dist == "uniform":
        return low + width * u
    if dist == "triangular":
        split = (central - low) / width
        left = low + np.sqrt(u * width * (central - low))
        right = high - np.sqrt((1.0 - u) * width * (high - central))
        return np.where(u < split, left, right)
    if dist in ("discrete", "empirical"):
        assert steps is not None
        values, up_to = steps
        at = np.minimum(np.searchsorted(up_to, u, side="right"), len(values) - 1)
        return stretched(values, low, high)[at]
    return _with_tails(np.clip(u, TAIL, 1.0 - TAIL), central, low, high, dist)


def _with_tails(u: Floats, central: float, low: float, high: float, dist: str | None) -> Floats:
    from scipy.special import betaincinv, gammaincinv, ndtri

    deviation = (high - low) / (2.0 * NORMAL_95)
    if dist == "normal":
        return np.asarray(central + ndtri(u) * deviation)
    if dist == "lognormal":
        if low <= 0.0:
            raise InputError(f"a lognormal range needs a low end above 0; got {low}")
        return np.asarray(central * np.exp(ndtri(u) * np.log(high / low) / (2.0 * NORMAL_95)))
    if dist == "gamma":
        shape = (central / deviation) ** 2
        return np.asarray(gammaincinv(shape, u) * central / shape)
    weight = central * (1.0 - central) / deviation**2 - 1.0
    if weight <= 0.0:
        raise InputError(f"no beta distribution has mean {central} and range {low} to {high}")
    return np.asarray(betaincinv(central * weight, (1.0 - central) * weight, u))


def stretched(values: Floats, low: float, high: float) -> Floats:
    """Values in ascending order moved and stretched so that they reach from low to high."""
    first, last = values[0], values[-1]
    if (first, last) == (low, high):
        return values
    return np.asarray(low + (values - first) * ((high - low) / (last - first)))


def positions(known: Floats, u: Floats) -> Floats:
    """Positions in a range at probabilities of a posterior.

    Parameters
    ----------
    known : float64 array, shape (draws,)
        Positions of its draws, ascending.
    u : float64 array, shape (n,)
        Probabilities; where not a number, the median.

    Returns
    -------
    float64 array, shape (n,)
        Each is one of those known, but for a median between two.
    """
    n = len(known)
    out = np.full(u.shape, (known[(n - 1) // 2] + known[n // 2]) / 2.0)
    drawn = ~np.isnan(u)
    out[drawn] = known[np.minimum((u[drawn] * n).astype(np.int64), n - 1)]
    return out


def steps_of_draws(draws: Floats) -> Steps:
    """Draws, each as likely as any other, as steps."""
    return np.sort(draws), np.arange(1, len(draws) + 1) / len(draws)


def steps_of(choices: Mapping[float, float]) -> Steps:
    """Value → probability as steps."""
    values = np.array(sorted(choices))
    up_to = np.cumsum([choices[value] for value in values])
    return values, up_to / up_to[-1]


def extremes(central: float, low: float, high: float, dist: str | None) -> tuple[float, float]:
    """Lowest and highest value that a draw can have."""
    if dist not in WITH_TAILS or low == high:
        return low, high
    found = _with_tails(np.array([TAIL, 1.0 - TAIL]), central, low, high, dist)
    return float(found[0]), float(found[1])


def pearson(ranks: Floats) -> Floats:
    """Correlations of the normals whose rank correlations are given (Pearson 1907)."""
    return np.asarray(2.0 * np.sin(np.pi / 6.0 * ranks))


def impossible(central: float, low: float, high: float, dist: str | None) -> str:
    """Why no distribution of this kind has such a range, as the end of "must …"; "" if one has."""
    if low == high:
        return ""
    if dist == "lognormal" and low <= 0.0:
        return "have a low end above 0 with `dist: lognormal`"
    if dist == "gamma" and (central <= 0.0 or low < 0.0):
        return "have a value above 0 and a low end of 0 or more with `dist: gamma`"
    if dist == "beta":
        deviation = (high - low) / (2.0 * NORMAL_95)
        if central * (1.0 - central) <= deviation**2:
            return "lie inside 0 and 1, and have a narrower range, with `dist: beta`"
    if dist in ("normal", "lognormal"):
        a, x, b = np.log((low, central, high)) if dist == "lognormal" else (low, central, high)
        if abs(x - (a + b) / 2.0) > MIDWAY * (b - a):
            middle = np.exp((a + b) / 2.0) if dist == "lognormal" else (a + b) / 2.0
            kind = " in ratio" if dist == "lognormal" else ""
            other = f"at {middle:.4g}, with `dist: {dist}`, or use `pert`, `gamma` or `beta`"
            return f"stand midway{kind} between low and high, {other}"
    return ""
