"""Robustness of a choice: how often each scenario is the best, and what is lost where it is not."""

from __future__ import annotations

import numpy as np

from pharmsim.study.resampling import resample_weights

Array = np.ndarray
FAR = 0.95
"""Regret is at most the number given in this share of draws."""


def shares_of_best(gains: Array) -> Array:
    """Share of a draw that each choice has in being the best of it; the best share it among them.

    Parameters
    ----------
    gains : ndarray, shape (…, choice)

    Returns
    -------
    ndarray, shape (…, choice)

    Examples
    --------
    >>> shares_of_best(np.array([[0.0, 2.0, 2.0], [1.0, 0.0, -1.0]])).tolist()
    [[0.0, 0.5, 0.5], [1.0, 0.0, 0.0]]
    """
    best = gains == gains.max(axis=-1, keepdims=True)
    return np.asarray(best / best.sum(axis=-1, keepdims=True))


def regret(gains: Array) -> Array:
    """What is lost by a choice that is not the best of a draw, shape (draw, choice)."""
    return np.asarray(gains.max(axis=-1, keepdims=True) - gains)


def robustness(gains: Array, fails: Array, seed: int = 1) -> dict[str, Array]:
    """Say how good choices are over all draws.

    Parameters
    ----------
    gains : ndarray, shape (draw, choice)
        Higher is better.
    fails : ndarray of bool, shape (draw, choice)
    seed : int
        Of the resamples.

    Returns
    -------
    dict of ndarray, shape (choice,)
        p5_gain and p95_gain, the 5 % and 95 % points over the draws; mean_gain, p_best, mean_regret,
        p95_regret, p_fails; with _low and _high behind the name their 5 % and 95 % points over resamples
        of the draws.
    """
    lost = regret(gains)
    means = {"mean_gain": gains, "p_best": shares_of_best(gains), "mean_regret": lost, "p_fails": fails}
    found = dict(zip(("p5_gain", "p95_gain"), np.quantile(gains, [0.05, 0.95], axis=0), strict=True))
    weights = resample_weights(len(gains), seed)
    for name, numbers in means.items():
        found |= _told(name, numbers.mean(axis=0), weights @ numbers.astype(float))
    rng = np.random.default_rng(seed)
    n = len(gains)
    again = np.array([_far(lost[rng.integers(0, n, n)]) for _ in range(len(weights) // 5)])
    return found | _told("p95_regret", _far(lost), again)


def _far(lost: Array) -> Array:
    return np.asarray(np.quantile(lost, FAR, axis=0))


def _told(name: str, numbers: Array, again: Array) -> dict[str, Array]:
    low, high = np.quantile(again, [0.05, 0.95], axis=0)
    return {name: numbers, f"{name}_low": low, f"{name}_high": high}
