"""Observation models against scipy's distributions, and the density of a problem."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pharmsim.calibration.likelihood import Observed, Predicted
from pharmsim.calibration.problem import Problem

MEAN = np.array([[40.0, 55.0], [60.0, 50.0]])
SCALE, SIZE, DF = 0.1, 12.0, 5.0
VALUE = np.array([50.0, 48.0])


def observed(model: str, value: np.ndarray = VALUE, weight: float = 1.0) -> Observed:
    n = value.size
    return Observed(value, (model,) * n, np.full(n, DF), np.full(n, weight))


PREDICTED = Predicted(MEAN, np.asarray(SCALE), np.asarray(SIZE))
KNOWN = {
    "normal": lambda y: stats.norm(MEAN, SCALE * VALUE).logpdf(y),
    "normal_log": lambda y: stats.lognorm(SCALE, scale=MEAN).logpdf(y),
    "student_log": lambda y: stats.t(DF, np.log(MEAN), SCALE).logpdf(np.log(y)) - np.log(y),
    "negative_binomial": lambda y: stats.nbinom(SIZE, SIZE / (SIZE + MEAN)).logpmf(y),
}


@pytest.mark.parametrize("model", KNOWN)
def test_density_is_that_of_scipy(model: str) -> None:
    assert observed(model).pointwise(PREDICTED) == pytest.approx(KNOWN[model](VALUE), rel=1e-12)


@pytest.mark.parametrize("model", KNOWN)
def test_replicates_have_the_moments_of_the_model(model: str) -> None:
    n = 40_000
    mean = np.full((n, 1), 50.0)
    found = observed(model, np.array([50.0])).replicate(
        Predicted(mean, np.asarray(SCALE), np.asarray(SIZE)), 3
    )
    if model == "negative_binomial":
        middle, spread, x = 50.0, np.sqrt(50.0 + 50.0**2 / SIZE), found
    elif model == "normal":
        middle, spread, x = 50.0, 5.0, found
    else:
        wide = np.sqrt(DF / (DF - 2.0)) if model == "student_log" else 1.0
        middle, spread, x = np.log(50.0), SCALE * wide, np.log(found)
    assert x.mean() == pytest.approx(middle, abs=4.0 * spread / np.sqrt(n))
    assert x.std() == pytest.approx(spread, rel=0.03)


def test_weights_multiply_and_what_is_not_counted_may_be_unknown() -> None:
    once, twice = (observed("normal_log", weight=w).pointwise(PREDICTED) for w in (1.0, 2.0))
    assert twice == pytest.approx(2.0 * once)
    unknown = Observed(np.array([50.0, np.nan]), ("normal",) * 2, np.full(2, DF), np.array([1.0, 0.0]))
    assert unknown.pointwise(PREDICTED)[:, 1].tolist() == [0.0, 0.0]
    assert np.isfinite(unknown.replicate(PREDICTED, 1)).all()


@pytest.mark.parametrize("model", KNOWN)
def test_what_cannot_be_predicted_is_impossible(model: str) -> None:
    bad = Predicted(np.array([[np.nan, 50.0]]), np.asarray(SCALE), np.asarray(SIZE))
    assert observed(model).pointwise(bad)[0].tolist()[0] == -np.inf
    if model != "normal":
        below = Predicted(np.array([[-1.0, 50.0]]), np.asarray(SCALE), np.asarray(SIZE))
        assert observed(model).pointwise(below)[0, 0] == -np.inf


def toy() -> Problem:
    matrix = np.array([[1.0, 0.5, 0.0], [0.0, 1.0, 0.0]])
    covariance = np.array([[2.0, 0.5, 0.0], [0.5, 1.0, 0.0], [0.0, 0.0, 0.25]])
    return Problem.of(
        lambda z: z @ matrix.T, [1.0, -1.0], ["a", "b", "c"], np.array([0.5, 0.2]),
        mean=np.array([1.0, 0.0, -1.0]), covariance=covariance,
    )  # fmt: skip


def test_prior_is_the_normal_distribution_asked_for() -> None:
    problem = toy()
    z = np.random.default_rng(1).normal(size=(4, 3))
    assert problem.log_prior(z) == pytest.approx(
        stats.multivariate_normal(problem.mean, problem.covariance).logpdf(z)
    )
    drawn = problem.draw_prior(50_000, 2)
    assert drawn.mean(axis=0) == pytest.approx(problem.mean, abs=0.03)
    assert np.cov(drawn.T) == pytest.approx(problem.covariance, abs=0.05)


def test_parameters_that_no_counted_target_depends_on_are_named() -> None:
    assert toy().unused() == ("c",)
    assert toy().counting([False, True]).unused() == ("a", "c")
    only = toy().counting([False, True])
    z = np.zeros((1, 3))
    assert only.log_likelihood(z) == pytest.approx(toy().pointwise(z)[:, 1])
