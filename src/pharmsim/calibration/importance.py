"""Draws of a posterior without a chain: from its Laplace approximation, reweighted."""

from __future__ import annotations

import numpy as np

from pharmsim.calibration.problem import Problem
from pharmsim.compiled.arrays import Floats

CANDIDATES = 4
"""Candidates drawn from the approximation for each draw that is kept."""
DEGREES = 8.0
"""Of the Student distribution that candidates come from: tails that weights can mend."""
GOOD = 0.7
"""Pareto k above which importance weights are not to be trusted."""


def posterior_draws(problem: Problem, n: int, seed: int) -> tuple[Floats, float]:
    """Draws of a posterior by importance resampling.

    Candidates come from a Student distribution with the mode and the curvature of the posterior; their
    weights (posterior ÷ proposal) are smoothed by a generalised Pareto distribution, whose shape k says
    whether that is good enough.

    Parameters
    ----------
    problem : Problem
    n : int
        Draws wanted.
    seed : int

    Returns
    -------
    z : float64 array, shape (n, parameters)
    k : float

    References
    ----------
    Vehtari A, Simpson D, Gelman A, Yao Y, Gabry J (2024), Pareto smoothed importance sampling, JMLR 25(72).
    """
    from scipy.stats import multivariate_t

    from pharmsim.calibration.fit import fit
    from pharmsim.calibration.posterior import arviz

    found = fit(problem, seed=seed)
    proposal = multivariate_t(found.mean, found.covariance, df=DEGREES, seed=seed)
    z = np.atleast_2d(proposal.rvs(CANDIDATES * n)).reshape(-1, problem.n)
    weights = problem.log_density(z) - proposal.logpdf(z)
    smoothed, k = arviz().psislw(
        np.where(np.isfinite(weights), weights, weights[np.isfinite(weights)].min() - 50)
    )
    share = np.exp(smoothed - smoothed.max())
    steps = (np.random.default_rng(seed).random() + np.arange(n)) / n  # evenly spaced: least noise
    rows = np.searchsorted(np.cumsum(share) / share.sum(), steps)
    return z[np.random.default_rng(seed).permutation(rows)], float(k)
