"""Are ranks even? Bands for rank histograms that hold for all bins and quantities together."""

from __future__ import annotations

import numpy as np

Array = np.ndarray
ERROR = 0.01
"""Chance that anything is called uneven although all is well, over all bins and quantities of one test."""
BINS = 20


def band(n: int, quantities: int, bins: int = BINS) -> tuple[int, int]:
    """Fewest and most of n even ranks that a bin holds, but for `ERROR` over all of them together."""
    from scipy.stats import binom

    tail = ERROR / (2 * bins * quantities)
    return int(binom.ppf(tail, n, 1.0 / bins)), int(binom.isf(tail, n, 1.0 / bins))


def uneven(ranks: Array, bins: int = BINS) -> list[int]:
    """Quantities whose histogram of ranks leaves the band.

    Parameters
    ----------
    ranks : array, shape (replicates, quantities)
        Share of the posterior below the truth.

    References
    ----------
    Talts, Betancourt, Simpson, Vehtari, Gelman 2018, Validating Bayesian inference algorithms with
    simulation-based calibration, arXiv:1804.06788. Modrák et al. 2025, Simulation-based calibration checking
    for Bayesian computation: the choice of test quantities shapes sensitivity, Bayesian Analysis 20(2): ranks
    of the likelihood belong to them.
    """
    low, high = band(*ranks.shape, bins)
    counts = [np.histogram(column, bins, (0.0, 1.0))[0] for column in ranks.T]
    return [i for i, found in enumerate(counts) if found.min() < low or found.max() > high]


def far_from(counts: Array, n: int, share: float, tests: int) -> Array:
    """Which counts of n are not those of a chance, but for `ERROR` over all tests together."""
    from scipy.stats import binom

    tail = ERROR / (2 * tests)
    return np.asarray((counts < binom.ppf(tail, n, share)) | (counts > binom.isf(tail, n, share)))


def weighted_ranks(draws: Array, weights: Array, truth: Array) -> Array:
    """Share of weighted draws, shape (draws, quantities), below the truth of each quantity."""
    return np.asarray((weights[:, None] * (draws < truth)).sum(axis=0) / weights.sum())
