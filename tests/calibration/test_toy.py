"""The method where every answer is known: a linear model with normal errors, twenty times."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from made_posterior import Linear, linear
from ranks import ERROR
from scipy.stats import chi2, norm

from pharmsim.calibration.fit import fit
from pharmsim.calibration.forms import Sampler
from pharmsim.calibration.importance import posterior_draws
from pharmsim.calibration.problem import Problem
from pharmsim.calibration.sample import convergence, sample

REPLICATES = 20
PARAMETERS = 3
NAMES = ("a", "b", "c")
SHORT = Sampler(walkers=16, warm_up=40, steps=100, ess=400)


def toy(model: Linear) -> Problem:
    return Problem.of(
        model.predict, model.observed, NAMES, model.error, mean=model.mean, covariance=model.covariance
    )


@pytest.mark.parametrize("seed", range(REPLICATES))
def test_the_fit_is_exact(seed: int) -> None:
    """Mean, covariance and log evidence, to the accuracy of finite differences."""
    model = linear(seed)
    mean, covariance = model.posterior
    sd = np.sqrt(np.diag(covariance))
    found = fit(toy(model), seed=seed)
    np.testing.assert_allclose((found.mean - mean) / sd, 0.0, atol=2e-3)
    np.testing.assert_allclose(found.covariance / np.outer(sd, sd), covariance / np.outer(sd, sd), atol=1e-5)
    assert found.log_evidence == pytest.approx(model.log_evidence, abs=1e-4)
    assert found.regular


def test_the_closed_form_tells_a_wrong_error() -> None:
    """Errors of half the size have another mean, covariance and evidence."""
    model = linear(0)
    other = dataclasses.replace(model, error=0.5 * model.error)
    found = fit(toy(other))
    mean, covariance = model.posterior
    assert np.abs((found.mean - mean) / np.sqrt(np.diag(covariance))).max() > 0.05
    assert np.abs(np.diag(found.covariance) / np.diag(covariance) - 1.0).min() > 0.1
    assert abs(found.log_evidence - model.log_evidence) > 0.5


def test_samples_lie_within_monte_carlo_error() -> None:
    """Means of all replicates together, and their scatter: effective samples are as many as are counted."""
    off = np.empty((REPLICATES, PARAMETERS))
    spread = np.empty_like(off)
    for seed in range(REPLICATES):
        model = linear(seed)
        mean, covariance = model.posterior
        sd = np.sqrt(np.diag(covariance))
        problem = toy(model)
        chains = sample(problem, fit(problem, seed=seed), SHORT.model_copy(update={"seed": seed + 1}))
        told = convergence(chains)
        rows = chains.z.reshape(-1, PARAMETERS)
        off[seed] = (rows.mean(axis=0) - mean) / sd * np.sqrt(told.bulk)
        spread[seed] = rows.std(axis=0) / sd
        assert told.converged, told.text()
    assert np.abs(off).max() < norm.isf(ERROR / (2 * off.size))
    low, high = chi2.ppf([ERROR / 2, 1.0 - ERROR / 2], off.size)
    assert low < (off**2).sum() < high
    np.testing.assert_allclose(spread, 1.0, atol=0.1)


def test_reweighted_draws_lie_within_monte_carlo_error() -> None:
    """The draws without a chain, which the backtest uses."""
    n, off = 2048, []
    for seed in range(REPLICATES):
        model = linear(seed)
        mean, covariance = model.posterior
        z, k = posterior_draws(toy(model), n, seed)
        assert k < 0.5
        off.append((z.mean(axis=0) - mean) / np.sqrt(np.diag(covariance) / n))
    assert np.abs(off).max() < norm.isf(ERROR / (2 * np.size(off)))
