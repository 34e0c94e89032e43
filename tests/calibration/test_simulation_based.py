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

from pharmsim.calibration.fit import fit
from pharmsim.calibration.likelihood import Observed, Predicted
from pharmsim.calibration.problem import Problem

Array = np.ndarray
Wrong = Callable[[Predicted], Predicted]
REPLICATES = 500
CANDIDATES = 384


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


@dataclasses.dataclass
class Recovered:
    """What was found from the numbers of every replicate, with the right likelihood and with a wrong one."""

    truth: Array
    mean: Array
    sd: Array
    effective: Array
    ranks: dict[Wrong, Array]


def recovered(problem: Problem) -> Recovered:
    """Best fit and weighted candidates around it, for numbers made by each of many draws of the prior."""
    from scipy.stats import multivariate_t

    truth = problem.draw_prior(REPLICATES, 5)
    published, made = problem.replicate(truth, 6), problem.run(truth)
    shape = (REPLICATES, problem.n + 1)
    ranks = {wrong: np.empty(shape) for wrong in (right, half_the_errors)}
    out = Recovered(truth, np.empty_like(truth), np.empty_like(truth), np.empty(REPLICATES), ranks)
    for i, numbers in enumerate(published):
        here = small_calibration.observing(problem, numbers)
        best = fit(here, starts=1, seed=i)
        proposal = multivariate_t(best.mean, 1.2 * best.covariance, df=8, seed=i)
        z = proposal.rvs(CANDIDATES)
        predicted, against = here.run(z), here.log_prior(z) - proposal.logpdf(z)
        for wrong in ranks:
            heights = likelihood(here.noise, predicted, numbers, wrong)
            weights = np.exp(against + heights - (against + heights).max())
            weights /= weights.sum()
            own = likelihood(here.noise, rows(made, slice(i, i + 1)), numbers, wrong)
            ranks[wrong][i] = weighted_ranks(np.column_stack([z, heights]), weights, np.append(truth[i], own))
            if wrong is right:
                out.effective[i] = 1.0 / (weights**2).sum()
                out.mean[i] = weights @ z
                out.sd[i] = np.sqrt(weights @ (z - out.mean[i]) ** 2)
    return out


@pytest.mark.verify
def test_the_fit_recovers_what_made_the_numbers(tmp_path: Path) -> None:
    """Ranks are even, intervals cover as they say, and errors of half the size are seen to fail."""
    check(recovered(small_calibration.problem(tmp_path)))


def check(found: Recovered) -> None:
    from scipy.stats import norm

    n = found.truth.shape[1]
    assert found.effective.min() > 50.0
    assert uneven(found.ranks[right]) == []
    assert uneven(found.ranks[half_the_errors])
    for share in (0.5, 0.9):
        inside = {w: (np.abs(ranks[:, :n] - 0.5) < share / 2).sum(axis=0) for w, ranks in found.ranks.items()}
        assert not far_from(inside[right], REPLICATES, share, 2 * n).any()
        assert far_from(inside[half_the_errors], REPLICATES, share, 2 * n).any()
    # Recovered: errors of the posterior's mean are those it states, and what is observed is known better.
    off = ((found.truth - found.mean) / found.sd).mean(axis=0) * np.sqrt(REPLICATES)
    assert np.abs(off).max() < norm.isf(ERROR / (2 * n))
    error = np.sqrt(((found.truth - found.mean) ** 2).mean(axis=0))
    assert (error[:2] < 0.6).all(), "leaving and supply"
    assert (error < 1.1).all(), "no worse than the prior"
