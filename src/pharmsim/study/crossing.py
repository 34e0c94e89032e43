"""Where a response passes zero: found on a few sizes first, so that one that turns is noticed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq

CLOSE = 1e-4
"""Sizes are found to this."""


@dataclass(frozen=True)
class Crossing:
    """Where a gain turns from a loss into none.

    Attributes
    ----------
    size : float
        Multiple of the assumed effect at the central values; infinite if none is large enough.
    most : float
        The largest multiple that was tried.
    others : tuple of float
        Further sizes at which the gain passes zero, up or down.
    turns : bool
        Whether the gain both rises and falls with the size.
    p5, p95 : float
        5 and 95 % points of the size over draws; not a number without draws.
    """

    size: float
    most: float
    others: tuple[float, ...] = ()
    turns: bool = False
    p5: float = float("nan")
    p95: float = float("nan")


def crossing(
    sizes: np.ndarray, gains: np.ndarray, central: Callable[[float], float], nothing: float
) -> Crossing:
    """Find the smallest size from which on nothing is lost.

    Parameters
    ----------
    sizes : ndarray, shape (n,), rising
    gains : ndarray, shape (n, draw)
        Row 0 of the draws holds the central values; of the others straight lines join the sizes.
    central : callable
        Gain at the central values for any size.
    nothing : float
        Losses up to this are none.

    Returns
    -------
    Crossing
    """
    values = gains[:, 0]
    at = [_root(central, sizes[i : i + 2], nothing) for i in _passes(values, nothing)]
    first = 0.0 if values[0] >= -nothing else at.pop(0) if at else np.inf
    steps = np.diff(values)
    turns = bool((steps > nothing).any() and (steps < -nothing).any())
    found = Crossing(first, float(sizes[-1]), tuple(at), turns)
    if gains.shape[1] < 2:
        return found
    each = [_first(sizes, gains[:, j], nothing) for j in range(1, gains.shape[1])]
    low, high = np.quantile(each, [0.05, 0.95], method="inverted_cdf")  # sizes may be infinite
    return replace(found, p5=float(low), p95=float(high))


def _passes(values: np.ndarray, nothing: float) -> np.ndarray:
    """Positions before which and after which the gain is on different sides of nothing lost."""
    enough = values >= -nothing
    return np.flatnonzero(enough[1:] != enough[:-1])


def _root(central: Callable[[float], float], ends: np.ndarray, nothing: float) -> float:
    return float(brentq(lambda size: central(size) + nothing, *ends, xtol=CLOSE, rtol=1e-6))


def _first(sizes: np.ndarray, values: np.ndarray, nothing: float) -> float:
    """Smallest size at which nothing is lost, by straight lines between those tried; infinite if none."""
    if values[0] >= -nothing:
        return 0.0
    passes = _passes(values, nothing)
    if not len(passes):
        return float("inf")
    i = passes[0]
    return float(np.interp(0.0, values[i : i + 2], sizes[i : i + 2]))
