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
    """Where a gain turns from a loss into none, or from none into a loss.

    Attributes
    ----------
    size : float
        Multiple of the assumed effect at the central values: the smallest from which on nothing is lost
        (infinite if none is large enough); of an effect that does harm, the largest until which nothing is
        lost (infinite if the largest tried is borne; 0 if something is lost without it).
    most : float
        The largest multiple that was tried.
    harms : bool
        Whether the gain falls as the effect grows to what is assumed.
    others : tuple of float
        Further sizes at which the gain passes zero, up or down.
    turns : bool
        Whether the gain both rises and falls with the size.
    p5, median, p95 : float
        Points of the size over draws; not a number without.
    """

    size: float
    most: float
    harms: bool = False
    others: tuple[float, ...] = ()
    turns: bool = False
    p5: float = float("nan")
    median: float = float("nan")
    p95: float = float("nan")


def crossing(
    sizes: np.ndarray, gains: np.ndarray, central: Callable[[float], float], nothing: float
) -> Crossing:
    """Find the smallest size from which on nothing is lost, or, of harm, the largest until which nothing is.

    Parameters
    ----------
    sizes : ndarray, shape (n,), rising from 0
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
    harms = bool(np.interp(1.0, sizes, values) < values[0] - nothing)
    at = [_root(central, sizes[i : i + 2], nothing) for i in _passes(values, nothing)]
    lost = bool(values[0] < -nothing)
    # no harm is borne where something is lost without it; nothing is needed where it is not
    first = 0.0 if harms == lost else at.pop(0) if at else np.inf
    steps = np.diff(values)
    turns = bool((steps > nothing).any() and (steps < -nothing).any())
    found = Crossing(first, float(sizes[-1]), harms, tuple(at), turns)
    if gains.shape[1] < 2:
        return found
    each = [_first(sizes, gains[:, j], nothing, harms) for j in range(1, gains.shape[1])]
    cuts = np.quantile(each, [0.05, 0.5, 0.95], method="inverted_cdf")  # sizes may be infinite
    return replace(found, p5=float(cuts[0]), median=float(cuts[1]), p95=float(cuts[2]))


def _passes(values: np.ndarray, nothing: float) -> np.ndarray:
    """Positions before which and after which the gain is on different sides of nothing lost."""
    enough = values >= -nothing
    return np.flatnonzero(enough[1:] != enough[:-1])


def _root(central: Callable[[float], float], ends: np.ndarray, nothing: float) -> float:
    return float(brentq(lambda size: central(size) + nothing, *ends, xtol=CLOSE, rtol=1e-6))


def _first(sizes: np.ndarray, values: np.ndarray, nothing: float, harms: bool) -> float:
    """Size of one draw by straight lines between those tried; infinite if nothing passes."""
    if harms == (values[0] < -nothing):  # lost even without harm, or nothing lost without an effect
        return 0.0
    passes = _passes(values, nothing)
    if not len(passes):
        return float("inf")
    i = passes[0]
    return float(np.interp(0.0, *_rising(values[i : i + 2], sizes[i : i + 2])))


def _rising(values: np.ndarray, sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two points in the order that interpolation needs."""
    return (values, sizes) if values[0] < values[1] else (values[::-1], sizes[::-1])
