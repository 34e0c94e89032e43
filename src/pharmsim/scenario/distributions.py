"""Distributions of uncertain numbers: what value, low and high mean, as quantile functions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtri

from pharmsim.errors import InputError

Floats = NDArray[np.float64]
NORMAL_95 = 1.6448536269514722
"""`low` and `high` of a normal or lognormal range are its 5 % and 95 % points: ± this many deviations."""


def quantile(u: Floats, central: float, low: float, high: float, dist: str | None) -> Floats:
    """Value at probability `u` of a range around a central value.

    Parameters
    ----------
    u : float64 array, shape (draws,)
        Probabilities in (0, 1); 0 and 1 as well where the distribution has ends.
    central, low, high : float
        `pert`, `triangular`: mode and ends; `uniform`: ends; `normal`: mean and 5 % and 95 %
        points; `lognormal`: median and the same points; `beta`: mean, with the deviation that a
        normal of this range has.
    dist : str or None
        None is `pert`.

    Returns
    -------
    float64 array, shape (draws,)
    """
    width = high - low
    if dist in (None, "pert"):
        a, b = 1.0 + 4.0 * (central - low) / width, 1.0 + 4.0 * (high - central) / width
        return np.asarray(low + width * betaincinv(a, b, u))
    if dist == "uniform":
        return low + width * u
    if dist == "triangular":
        split = (central - low) / width
        left = low + np.sqrt(u * width * (central - low))
        right = high - np.sqrt((1.0 - u) * width * (high - central))
        return np.where(u < split, left, right)
    if dist == "normal":
        return np.asarray(central + ndtri(u) * width / (2.0 * NORMAL_95))
    if dist == "lognormal":
        if low <= 0.0:
            raise InputError(f"a lognormal range needs a low end above 0; got {low}")
        return np.asarray(central * np.exp(ndtri(u) * np.log(high / low) / (2.0 * NORMAL_95)))
    variance = (width / (2.0 * NORMAL_95)) ** 2
    weight = central * (1.0 - central) / variance - 1.0
    if weight <= 0.0:
        raise InputError(f"no beta distribution has mean {central} and range {low} to {high}")
    return np.asarray(betaincinv(central * weight, (1.0 - central) * weight, u))
