"""Draws taken again with replacement: how far a number would move with other draws."""

from __future__ import annotations

import numpy as np

RESAMPLES = 1000
"""Resamples of an interval, where they cost next to nothing."""


def resample_weights(n: int, seed: int, resamples: int = RESAMPLES) -> np.ndarray:
    """Weights of draws in resamples with replacement.

    Parameters
    ----------
    n : int
        Draws.
    seed, resamples : int

    Returns
    -------
    ndarray, shape (resamples, n)
        Each row sums to 1: `weights @ x` are the means of x over the resamples.
    """
    return np.random.default_rng(seed).multinomial(n, np.full(n, 1.0 / n), resamples) / n
