"""A calibration as a density: prior × likelihood of many candidates at once.

A candidate is a row of z: the normal score of every parameter's place in its range, so that the prior of
each is N(0, 1) whatever its distribution, unit and bounds are.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pharmsim.calibration.likelihood import LOG_ROOT_TWO_PI, Observed, Predicted
from pharmsim.compiled.arrays import Floats
from pharmsim.errors import InputError

if TYPE_CHECKING:
    from pharmsim.calibration.file import Calibration
    from pharmsim.calibration.simulation import Simulation
    from pharmsim.compiled.draws import Draws

NO_EFFECT = 1e-9
"""Predictions that change by less than this, relative to them, do not depend on a parameter."""
END = 1.6448536269514722
"""Normal score of the 95 % point."""


class Problem:
    """What a calibration asks: densities of candidates.

    Parameters
    ----------
    calibration : Calibration
    threads : int, optional
        By default one for each core.

    Attributes
    ----------
    names : tuple of str
        Parameters: uncertainties of the scenario, then parameters of the observations.
    mean, covariance : float64 array, shape (parameters,), (parameters, parameters)
        Normal prior in z.
    noise : Observed
    calibration : Calibration or None
    """

    def __init__(self, calibration: Calibration, threads: int | None = None) -> None:
        from pharmsim.calibration.simulation import Simulation

        simulation = Simulation(calibration, threads)
        self._set(simulation.names, simulation.predict, simulation.observed, calibration.mean,
                  calibration.covariance)  # fmt: skip
        self.calibration: Calibration | None = calibration
        self.simulation: Simulation | None = simulation

    @classmethod
    def of(
        cls,
        predict: Callable[[Floats], Floats],
        observed: Sequence[float] | Floats,
        names: Sequence[str],
        scale: float | Floats,
        *,
        model: str = "normal",
        mean: Floats | None = None,
        covariance: Floats | None = None,
        df: float = 4.0,
        size: float = 50.0,
    ) -> Problem:
        """A problem without files.

        Parameters
        ----------
        predict : callable
            z, shape (candidates, parameters) → predictions, shape (candidates, targets).
        observed : float64 array, shape (targets,)
        names : sequence of str
        scale : float or float64 array, shape (targets,)
            Standard deviation: absolute for `normal`, relative for the models on the logarithm.
        model : str
            One of `likelihood.MODELS`, for all targets.
        mean, covariance : float64 array, optional
            Of the prior in z; by default N(0, 1) each.
        df, size : float
            Of `student_log` and `negative_binomial`.
        """
        value = np.asarray(observed, dtype=float)
        noise = Observed(
            value, (model,) * value.size, np.full(value.size, df), np.ones(value.size), absolute=True
        )
        n, new = len(names), cls.__new__(cls)

        def run(z: Floats) -> Predicted:
            return Predicted(np.asarray(predict(z)), np.asarray(scale, dtype=float), np.asarray(size))

        new._set(names, run, noise, np.zeros(n) if mean is None else mean,
                 np.eye(n) if covariance is None else covariance)  # fmt: skip
        new.calibration = new.simulation = None
        return new

    def _set(self, names: Sequence[str], run: Callable[[Floats], Predicted], noise: Observed, mean: Floats,
             covariance: Floats) -> None:  # fmt: skip
        self.names, self.noise, self._run = tuple(names), noise, run
        self.mean, self.covariance = np.asarray(mean, dtype=float), np.asarray(covariance, dtype=float)
        self._root = np.linalg.cholesky(self.covariance)
        self._unroot = np.linalg.inv(self._root)  # products of small matrices wake no threads, solvers do

    @property
    def n(self) -> int:
        """Number of parameters."""
        return len(self.names)

    @property
    def observed(self) -> Floats:
        """Published numbers, shape (targets,)."""
        return self.noise.value

    def counting(self, mask: Sequence[bool] | Floats) -> Problem:
        """The same problem with only some targets, shape (targets,), in the likelihood."""
        new = copy.copy(self)
        weight = np.where(np.asarray(mask, dtype=bool), self.noise.weight, 0.0)
        new.noise = dataclasses.replace(self.noise, weight=weight)
        return new

    def table(self, z: Floats) -> Draws:
        """Candidates as rows of a table of draws; uncertainties that are no parameter stay central."""
        return self._simulation().table(z)

    def run(self, z: Floats) -> Predicted:
        """Predictions of candidates with their scatter; not a number where the model cannot run."""
        return self._run(np.atleast_2d(z))

    def predict(self, z: Floats) -> Floats:
        """Predictions of candidates, shape (candidates, targets); not a number where the model cannot run."""
        return self.run(z).mean

    def log_prior(self, z: Floats) -> Floats:
        """Log density of the prior, shape (candidates,)."""
        off = (np.atleast_2d(z) - self.mean) @ self._unroot.T
        known = np.log(np.diag(self._root)).sum() + self.n * LOG_ROOT_TWO_PI
        return np.asarray(-0.5 * (off**2).sum(axis=1) - known)

    def pointwise(self, z: Floats) -> Floats:
        """Weighted log likelihood of each target, shape (candidates, targets)."""
        return self.noise.pointwise(self.run(z))

    def log_likelihood(self, z: Floats) -> Floats:
        """Weighted log likelihood, shape (candidates,)."""
        return np.asarray(self.pointwise(z).sum(axis=1))

    def log_density(self, z: Floats) -> Floats:
        """Log of prior × likelihood, shape (candidates,)."""
        return self.log_prior(z) + self.log_likelihood(z)

    def replicate(self, z: Floats, seed: int = 1) -> Floats:
        """Numbers that could have been published, with errors, shape (candidates, targets)."""
        return self.noise.replicate(self.run(z), seed)

    def draw_prior(self, n: int, seed: int = 1) -> Floats:
        """Candidates drawn from the prior, shape (n, parameters)."""
        noise = np.random.default_rng(seed).standard_normal((n, self.n))
        return np.asarray(self.mean + noise @ self._root.T)

    def values(self, z: Floats) -> dict[str, Floats]:
        """Of each parameter the first number that it moves, shape (candidates,); without a scenario, z."""
        z = np.atleast_2d(z)
        if self.simulation is None:
            return dict(zip(self.names, z.T, strict=True))
        return self.simulation.values(z)

    def unused(self) -> tuple[str, ...]:
        """Parameters on which no counted prediction depends, from their 5 % to their 95 % point."""
        ends = np.repeat(self.mean[None], 2 * self.n, axis=0)
        at, sd = np.arange(self.n), np.sqrt(np.diag(self.covariance))
        ends[2 * at, at] -= END * sd
        ends[2 * at + 1, at] += END * sd
        found = self._run(ends)
        counted = self.noise.weight > 0.0
        idle = np.ones(self.n, dtype=bool)
        for part in np.broadcast_arrays(found.mean, found.scale, found.size):
            low, high = part[::2, counted], part[1::2, counted]
            idle &= np.all(np.abs(high - low) <= NO_EFFECT * np.abs(low) + 1e-300, axis=1)
        return tuple(name for name, alone in zip(self.names, idle, strict=True) if alone)

    def _simulation(self) -> Simulation:
        if self.simulation is None:
            raise InputError(
                "problem — must be of a scenario for this — it is a function — give a calibration"
            )
        return self.simulation
