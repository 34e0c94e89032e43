"""Simulation-based calibration: what the method finds in data that it made itself.

Parameters are drawn from the prior, numbers are published as the model says, and a posterior is found from
them. If prior, predictions, errors and posterior belong together, the share of the posterior below the truth
is even over replicates.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import small_calibration
from ranks import ERROR, band, far_from, uneven, weighted_ranks
from scipy.special import logsumexp

from pharmsim.calibration.fit import fit
from pharmsim.calibration.likelihood import Observed, Predicted
from pharmsim.calibration.posterior import arviz
from pharmsim.calibration.problem import Problem

Array = np.ndarray
Wrong = Callable[[Predicted], Predicted]
REPLICATES = 500


def right(predicted: Predicted) -> Predicted:
    return predicted


def half_the_errors(predicted: Predicted) -> Predicted:
    return dataclasses.replace(predicted, scale=0.5 * predicted.scale)


def biased(predicted: Predicted) -> Predicted:
    return dataclasses.replace(predicted, mean=1.01 * predicted.mean)


def no_dispersion(predicted: Predicted) -> Predicted:
    return dataclasses.replace(predicted, size=100.0 * predicted.size)


def likelihood(noise: Observed, predicted: Predicted, published: Array, wrong: Wrong = right) -> Array:
    """Log likelihood of published numbers, shape (candidates,)."""
    return dataclasses.replace(noise, value=published).pointwise(wrong(predicted)).sum(axis=1)


def rows(predicted: Predicted, at: slice) -> Predicted:
    shape = predicted.mean.shape
    return Predicted(*(np.broadcast_to(part, shape)[at] for part in
                       (predicted.mean, predicted.scale, predicted.size)))  # fmt: skip


# -- the bands themselves -----------------------------------------------------------------------------------


def test_even_ranks_leave_the_band_as_often_as_stated() -> None:
    rng = np.random.default_rng(1)
    failed = sum(bool(uneven(rng.random((REPLICATES, 5)))) for _ in range(2000))
    assert 0 < failed <= 1.6 * ERROR * 2000  # 20 expected at most; 32 are four standard deviations away


@pytest.mark.parametrize("power", [0.6, 1.6])
def test_uneven_ranks_are_seen(power: float) -> None:
    ranks = np.random.default_rng(1).random((REPLICATES, 5))
    ranks[:, 3] **= power
    assert uneven(ranks) == [3]
    assert band(REPLICATES, 5)[0] < REPLICATES / 20 < band(REPLICATES, 5)[1]


# -- densities: prior, predictions, errors ------------------------------------------------------------------


@pytest.mark.verify
def test_the_density_belongs_to_the_numbers_it_makes(tmp_path: Path) -> None:
    """Posteriors by weights of many draws of the prior; wrong likelihoods are seen."""
    problem = small_calibration.problem(tmp_path)
    bank, truth = problem.draw_prior(2**14, 1), problem.draw_prior(4 * REPLICATES, 2)
    known, made = problem.run(bank), problem.run(truth)
    published = problem.replicate(truth, 3)
    effective = []

    def ranks(wrong: Wrong) -> Array:
        out = np.empty((len(truth), problem.n + 1))
        for i, numbers in enumerate(published):
            heights = likelihood(problem.noise, known, numbers, wrong)
            own = likelihood(problem.noise, rows(made, slice(i, i + 1)), numbers, wrong)
            weights = np.exp(heights - heights.max())
            effective.append(weights.sum() ** 2 / (weights**2).sum())
            out[i] = weighted_ranks(np.column_stack([bank, heights]), weights, np.append(truth[i], own))
        return out

    assert uneven(ranks(right)) == []
    assert np.median(effective) > 200.0
    assert uneven(ranks(half_the_errors))
    assert uneven(ranks(biased))
    assert uneven(ranks(no_dispersion))


# -- the whole method: best fit, normal approximation, importance weights -----------------------------------


def weighed(
    problem: Problem, wrong: Wrong, z: Array, predicted: Predicted, logq: Array
) -> tuple[Array, Array, float]:
    """Log likelihood, smoothed weights and Pareto k of candidates."""
    heights = likelihood(problem.noise, predicted, problem.observed, wrong)
    with np.errstate(over="ignore"):
        logs, k = arviz().psislw(problem.log_prior(z) + heights - logq)
    return heights, np.exp(logs - logsumexp(logs)), float(k)


@pytest.mark.verify
def test_the_fit_recovers_what_made_the_numbers(tmp_path: Path) -> None:
    """Ranks are even, intervals cover as they say, and errors of half the size are seen to fail."""
    from scipy.stats import multivariate_t, norm

    problem = small_calibration.problem(tmp_path)
    truth = problem.draw_prior(REPLICATES, 5)
    published, made = problem.replicate(truth, 6), problem.run(truth)
    ranks = {wrong: np.empty((REPLICATES, problem.n + 1)) for wrong in (right, half_the_errors)}
    mean, sd, k = np.empty_like(truth), np.empty_like(truth), np.empty(REPLICATES)
    for i, numbers in enumerate(published):
        here = small_calibration.observing(problem, numbers)
        best = fit(here, starts=2, seed=i)
        proposal = multivariate_t(best.mean, 1.2 * best.covariance, df=8, seed=i)
        z = proposal.rvs(512)
        predicted, logq = here.run(z), proposal.logpdf(z)
        for wrong, out in ranks.items():
            heights, weights, shape = weighed(here, wrong, z, predicted, logq)
            own = likelihood(here.noise, rows(made, slice(i, i + 1)), numbers, wrong)
            out[i] = weighted_ranks(np.column_stack([z, heights]), weights, np.append(truth[i], own))
            if wrong is right:
                k[i], mean[i] = shape, weights @ z
                sd[i] = np.sqrt(weights @ (z - mean[i]) ** 2)
    assert (k < 0.7).mean() > 0.97
    assert uneven(ranks[right]) == []
    assert uneven(ranks[half_the_errors])
    tests = 2 * problem.n
    for share in (0.5, 0.9):
        inside = {w: (np.abs(ranks[w][:, :-1] - 0.5) < share / 2).sum(axis=0) for w in ranks}
        assert not far_from(inside[right], REPLICATES, share, tests).any()
        assert far_from(inside[half_the_errors], REPLICATES, share, tests).any()
    # Recovered: errors of the posterior's mean are those it states, and what is observed is known better.
    off = ((truth - mean) / sd).mean(axis=0) * np.sqrt(REPLICATES)
    assert np.abs(off).max() < norm.isf(ERROR / (2 * problem.n))
    gain = np.sqrt(((truth - mean) ** 2).mean(axis=0))
    assert (gain[:2] < 0.6).all()
    assert (gain < 1.05).all()
