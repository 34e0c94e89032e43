"""The best fit: the highest posterior density from several starts, and the normal distribution around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pharmsim.calibration.likelihood import LOG_ROOT_TWO_PI
from pharmsim.calibration.problem import Problem
from pharmsim.compiled.arrays import Floats
from pharmsim.errors import InputError
from pharmsim.study.progress import progress

TRIED = 256
"""Candidates of the prior among which starts are chosen."""
GRADIENT, CURVATURE = 1e-4, 1e-2
"""Steps of finite differences, in standard deviations of the prior."""
FLATTEST = 0.25
"""Lowest curvature relative to the prior's: so that along a ridge the normal stays bounded."""
SAME = 0.1
"""Starts that end this much below the highest log density have found the same height."""
ENOUGH = 1e-3
"""Slope at which a start has arrived."""
MOST = 100
"""Iterations of a start; where limits of the model make kinks, the slope never becomes small."""
IMPOSSIBLE = 1e10
"""Stands for a log density of −∞."""


@dataclass(frozen=True)
class Fit:
    """The best fit and its surroundings, in z.

    Attributes
    ----------
    names : tuple of str
    mean : float64 array, shape (parameters,)
        Where the posterior density is highest.
    covariance : float64 array, shape (parameters, parameters)
        Of the normal distribution with the curvature found there (Laplace).
    log_density : float
        There.
    log_evidence : float
        Log of the integral of prior × likelihood, by Laplace's approximation.
    ends : float64 array, shape (starts, parameters)
        Where each start led.
    heights : float64 array, shape (starts,)
        Log density there.
    regular : bool
        Whether the curvature is that of a peak in every direction.
    evaluations : int
        Candidates that were run.
    """

    names: tuple[str, ...]
    mean: Floats
    covariance: Floats
    log_density: float
    log_evidence: float
    ends: Floats
    heights: Floats
    regular: bool
    evaluations: int

    @property
    def agreeing(self) -> int:
        """How many starts found the highest density."""
        return int((self.heights >= self.heights.max() - SAME).sum())


class _Whitened:
    """Minus the log density in coordinates in which the prior is N(0, I): z = mean + root @ x."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self.root, self.evaluations = problem, np.linalg.cholesky(problem.covariance), 0

    def z(self, x: Floats) -> Floats:
        return np.asarray(self.problem.mean + np.atleast_2d(x) @ self.root.T)

    def heights(self, x: Floats) -> Floats:
        self.evaluations += len(x)
        return np.maximum(self.problem.log_density(self.z(x)), -IMPOSSIBLE)

    def slope(self, x: Floats) -> tuple[float, Floats]:
        """Minus the log density and its gradient, by central differences in one batch."""
        steps = GRADIENT * np.eye(len(x))
        found = self.heights(np.concatenate([x[None], x + steps, x - steps]))
        up, down = found[1 : len(x) + 1], found[len(x) + 1 :]
        return -found[0], (down - up) / (2.0 * GRADIENT)

    def curvature(self, x: Floats) -> Floats:
        """Second derivatives of minus the log density, by differences of second order in one batch."""
        n = len(x)
        steps = CURVATURE * np.eye(n)
        i, j = np.triu_indices(n, 1)
        both = steps[i] + steps[j]
        found = self.heights(np.concatenate([x[None], x + steps, x - steps, x + both, x - both]))
        here, up, down = found[0], found[1 : n + 1], found[n + 1 : 2 * n + 1]
        plus, minus = np.split(found[2 * n + 1 :], 2)
        out = np.diag(2.0 * here - up - down)
        out[i, j] = out[j, i] = 0.5 * (up[i] + down[i] + up[j] + down[j] - plus - minus) - here
        return np.asarray(out / CURVATURE**2)


def fit(problem: Problem, starts: int = 4, seed: int = 1, shown: bool = False) -> Fit:
    """Find the highest posterior density, and the normal distribution around it.

    Parameters
    ----------
    problem : Problem
    starts : int
        The prior's mean, and the likeliest of `TRIED` candidates of the prior.
    seed : int
    shown : bool
        Whether progress is shown.

    Returns
    -------
    Fit

    Raises
    ------
    InputError
        If no candidate is possible.

    Notes
    -----
    Each start is followed by BFGS (J. Nocedal, S. J. Wright (2006), Numerical Optimization, chapter 6) with
    gradients by central differences, all candidates of an iteration in one batch. Laplace: A. Gelman et al.
    (2013), Bayesian Data Analysis, section 4.1.
    """
    from scipy.optimize import minimize

    of = _Whitened(problem)
    tried = np.random.default_rng(seed).standard_normal((TRIED, problem.n))
    heights = of.heights(tried)
    begins = [np.zeros(problem.n), *tried[np.argsort(-heights, kind="stable")[: starts - 1]]]
    first: Floats | None = None
    found = []
    with progress("Best fit", len(begins), shown, "starts") as step:
        for x in begins:
            options = {"gtol": ENOUGH, "maxiter": MOST} | ({} if first is None else {"hess_inv0": first})
            result = minimize(of.slope, x, jac=True, method="BFGS", options=options)
            found.append((float(result.fun), result.x))
            if first is None:  # the others begin with the curvature that the first has met
                first = _normal(of.curvature(result.x))[0]
            step(1)
    best, x = min(found, key=lambda item: item[0])
    if best >= IMPOSSIBLE:
        raise InputError(
            "calibration — at least one candidate must give finite predictions — none did — look at the "
            "central run against the targets"
        )
    spread, regular = _normal(of.curvature(x))
    covariance = of.root @ spread @ of.root.T
    evidence = -best + problem.n * LOG_ROOT_TWO_PI + 0.5 * np.linalg.slogdet(covariance)[1]
    return Fit(
        problem.names, of.z(x)[0], covariance, -best, float(evidence), of.z(np.array([x for _, x in found])),
        -np.array([height for height, _ in found]), regular, of.evaluations,
    )  # fmt: skip


def _normal(curvature: Floats) -> tuple[Floats, bool]:
    """Covariance of a curvature, and whether it is that of a peak in every direction."""
    values, vectors = np.linalg.eigh(curvature)
    regular = bool((values > FLATTEST).all())
    spread = (vectors / np.maximum(values, FLATTEST)) @ vectors.T
    return np.asarray((spread + spread.T) / 2.0), regular
