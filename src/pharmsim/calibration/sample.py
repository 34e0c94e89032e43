"""Sampling of the posterior: independent ensembles of walkers, whose steps are kept to be resumed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pharmsim.calibration.checkpoints import Kept, Place
from pharmsim.calibration.fit import Fit
from pharmsim.calibration.forms import Sampler
from pharmsim.calibration.posterior import arviz
from pharmsim.calibration.problem import Problem
from pharmsim.compiled.arrays import Floats
from pharmsim.study.progress import progress

ROUND = 50
"""Steps between two checkpoints."""
LOOK = 1.4
"""Convergence is looked at when there are this many times the steps of the last look."""
R_HAT, ESS = 1.01, 400
"""A posterior is called converged if no R-hat is larger and no effective sample size smaller."""
PER_WALKER, FEWEST_STEPS = 3, 50
"""Effective samples a walker, and steps, that are needed too: ArviZ finds some 2.5 even where none moved."""
FEWEST_WALKERS = 64
DF = 8.0
"""Degrees of freedom of the proposals around the best fit: tails wider than the posterior's."""
MOVES = {"fit": 0.6, "differences": 0.3, "snooker": 0.1}
"""Share of the steps that propose from the fit, by differential evolution, and by its snooker form."""


@dataclass(frozen=True)
class Chains:
    """Samples of the posterior.

    Attributes
    ----------
    names : tuple of str
    walks : float64 array, shape (ensembles, steps, walkers, parameters)
        z behind the warm-up.
    heights : float64 array, shape (ensembles, steps, walkers)
        Log density.
    accepted : float64 array, shape (ensembles,)
        Share of the proposals that were accepted.
    evaluations : int
        Candidates that were run, the warm-up among them.
    """

    names: tuple[str, ...]
    walks: Floats
    heights: Floats
    accepted: Floats
    evaluations: int

    @property
    def z(self) -> Floats:
        """All samples, shape (ensembles, steps × walkers, parameters), in order of steps."""
        return self.walks.reshape(len(self.walks), -1, len(self.names))

    @property
    def by_walker(self) -> Floats:
        """Every walker as a chain, shape (ensembles × walkers, steps, parameters)."""
        return np.swapaxes(self.walks, 1, 2).reshape(-1, self.walks.shape[1], len(self.names))


@dataclass(frozen=True)
class Convergence:
    """What tells whether chains have converged.

    Attributes
    ----------
    names : tuple of str
    r_hat, bulk, tail : float64 array, shape (parameters,)
        Rank-normalised split R-hat, and effective samples of the bulk and of the tails.
    walkers, steps : int
        Of all ensembles together; behind the warm-up.
    """

    names: tuple[str, ...]
    r_hat: Floats
    bulk: Floats
    tail: Floats
    walkers: int = 0
    steps: int = FEWEST_STEPS

    @property
    def least(self) -> int:
        """Effective samples that are needed."""
        return max(ESS, PER_WALKER * self.walkers)

    @property
    def converged(self) -> bool:
        """Whether every parameter fulfils the rule."""
        enough = self.steps >= FEWEST_STEPS and min(self.bulk.min(), self.tail.min()) >= self.least
        return bool((self.r_hat <= R_HAT).all() and enough)

    def text(self) -> str:
        """One sentence."""
        i, few = int(np.argmax(self.r_hat)), np.minimum(self.bulk, self.tail)
        j = int(np.argmin(few))
        said = "Converged" if self.converged else "NOT CONVERGED: do not use these numbers"
        return (
            f"{said}: largest R-hat {self.r_hat[i]:.4f} ({self.names[i]}; rule: at most {R_HAT}), fewest "
            f"effective samples {few[j]:,.0f} ({self.names[j]}; rule: at least {self.least})"
            + (f"; {self.steps} steps (rule: at least {FEWEST_STEPS})" * (self.steps < FEWEST_STEPS))
        )


def convergence(chains: Chains) -> Convergence:
    """R-hat and effective sample sizes of every parameter, by ArviZ.

    R-hat compares the halves of the independent ensembles. Effective samples are counted walker by walker:
    the samples of an ensemble laid end to end would hide how slowly each walker moves. Many short walks count
    as some samples each even where they stand still, so that a number for every walker is needed as well.

    References
    ----------
    A. Vehtari et al. (2021), Rank-normalization, folding, and localization: an improved R-hat for assessing
    convergence of MCMC, Bayesian Analysis 16, 667-718.
    """
    az = arviz()

    def each(of: Any, samples: Floats, **how: Any) -> Floats:
        return np.array([float(of(samples[..., i], **how)) for i in range(samples.shape[-1])])

    whole, single = chains.z, chains.by_walker
    return Convergence(
        chains.names,
        each(az.rhat, whole, method="rank"),
        each(az.ess, single, method="bulk"),
        each(az.ess, single, method="tail"),
        len(single),
        single.shape[1],
    )


def sample(
    problem: Problem,
    fit: Fit,
    settings: Sampler | None = None,
    place: Place | None = None,
    shown: bool = False,
) -> Chains:
    """Sample the posterior until it is converged, or the steps are used up.

    Parameters
    ----------
    problem : Problem
    fit : Fit
        Where walkers begin, and the first proposals.
    settings : Sampler, optional
    place : Place, optional
        Where the steps are kept, so that an interrupted run goes on with the same bits.
    shown : bool
        Whether progress is shown.

    Returns
    -------
    Chains

    Notes
    -----
    Each ensemble (emcee: D. Foreman-Mackey et al. 2013, PASP 125, 306) mixes three moves: an independent
    proposal from a Student distribution around the fit, fitted anew to the second half of its own warm-up;
    differential evolution (C. J. F. ter Braak 2006, Statistics and Computing 16, 239-249); and its snooker
    form (ter Braak and J. A. Vrugt 2008, same journal 18, 435-446).
    """
    settings = settings or Sampler()
    ensembles = [_Ensemble(problem, fit, settings, k, place) for k in range(settings.ensembles)]
    n = len(ensembles) * ensembles[0].n
    before = -settings.warm_up
    for look in _looks(settings):
        title = f"Sampling to step {look:,} of {settings.steps:,} at most"
        with progress(title, n * (look - before), shown, "candidates") as step:
            for steps in range(max(before, 0), look, ROUND):
                for one in ensembles:
                    step(one.n * one.go_to(settings.warm_up + min(steps + ROUND, look)))
        found = _chains(problem, ensembles, settings.warm_up)
        seen = convergence(found)
        if shown:
            print(f"Step {look}: {seen.text()}", file=sys.stderr, flush=True)
        if seen.converged and min(seen.bulk.min(), seen.tail.min()) >= settings.ess:
            break
        before = look
    return found


def _looks(settings: Sampler) -> Iterator[int]:
    """Steps behind the warm-up at which convergence is looked at, ever further apart."""
    look = 2 * ROUND
    while look < settings.steps:
        yield look
        look = ROUND * int(np.ceil(LOOK * look / ROUND))
    yield settings.steps


def _chains(problem: Problem, ensembles: list[_Ensemble], warm_up: int) -> Chains:
    """What the ensembles have sampled so far."""
    return Chains(
        problem.names,
        np.array([one.kept.z[warm_up:] for one in ensembles]),
        np.array([one.kept.heights[warm_up:] for one in ensembles]),
        np.array([one.kept.accepted.mean() / one.n for one in ensembles]),
        sum(one.n * (len(one.kept.z) + 1) for one in ensembles),
    )


class _Ensemble:
    """One ensemble of walkers, with random numbers of its own."""

    def __init__(self, problem: Problem, fit: Fit, settings: Sampler, k: int, place: Place | None) -> None:
        self.problem, self.fit, self.settings = problem, fit, settings
        fewest = max(2 * problem.n + 2, FEWEST_WALKERS)
        self.n = max(settings.walkers, fewest if not settings.walkers else 2 * problem.n)
        self.file: Path | None = place.folder / f"ensemble_{k + 1}.npz" if place else None
        seed = int(np.random.SeedSequence((settings.seed, k)).generate_state(1)[0])
        known = Kept.read(self.file) if self.file is not None and self.file.exists() else None
        self.kept = known or Kept.begin(*self._start(np.random.RandomState(seed)))

    def _start(self, rng: np.random.RandomState) -> tuple[Floats, Floats, Any]:
        """Walkers spread around the fit, wider than it; those that cannot be are put where it is."""
        z = _student(self.fit.mean, _root(self.fit.covariance), self.n, rng)
        heights = self.problem.log_density(z)
        bad = ~np.isfinite(heights)
        z[bad] = self.fit.mean + 0.1 * (z[bad] - self.fit.mean)
        heights[bad] = self.problem.log_density(z)[bad]
        return z, heights, rng.get_state()

    def go_to(self, steps: int) -> int:
        """Walk until so many steps are done, the warm-up among them; how many were new."""
        done = len(self.kept.z)
        for end in (self.settings.warm_up, steps):
            if len(self.kept.z) < end:
                self._walk(end - len(self.kept.z))
        if self.file is not None and len(self.kept.z) > done:
            self.kept.write(self.file)
        return len(self.kept.z) - done

    def _walk(self, steps: int) -> None:
        """Steps with one set of moves."""
        from emcee import EnsembleSampler, State

        sampler = EnsembleSampler(
            self.n, self.problem.n, self.problem.log_density, vectorize=True, moves=self._moves()
        )
        state = State(
            self.kept.last, log_prob=self.kept.last_heights, random_state=self.kept.random, copy=True
        )
        z: list[Floats] = []
        heights: list[Floats] = []
        accepted: list[int] = []
        for after in sampler.sample(state, iterations=steps, store=False, skip_initial_state_check=True):
            before = heights[-1] if heights else self.kept.last_heights
            accepted.append(int((after.log_prob != before).sum()))
            z.append(after.coords.copy())
            heights.append(after.log_prob.copy())
        self.kept = self.kept.longer(
            np.array(z), np.array(heights), np.array(accepted, dtype=np.int64), sampler.random_state
        )

    def _moves(self) -> list[tuple[Any, float]]:
        """Moves of the sampler: around the fit, or behind the warm-up around what it has found."""
        from emcee import moves

        mean, covariance, warm_up = self.fit.mean, self.fit.covariance, self.settings.warm_up
        if warm_up and len(self.kept.z) >= warm_up:
            seen = self.kept.z[warm_up // 2 : warm_up].reshape(-1, self.problem.n)
            mean, covariance = seen.mean(axis=0), np.atleast_2d(np.cov(seen.T))
        return [
            (moves.MHMove(_Independent(mean, covariance)), MOVES["fit"]),
            (moves.DEMove(), MOVES["differences"]),
            (moves.DESnookerMove(), MOVES["snooker"]),
        ]


def _root(covariance: Floats) -> Floats:
    return np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)


def _student(mean: Floats, root: Floats, n: int, rng: np.random.RandomState) -> Floats:
    """Rows of a multivariate Student distribution."""
    noise = rng.standard_normal((n, len(mean)))
    return np.asarray(mean + noise @ root.T * np.sqrt(DF / rng.chisquare(DF, (n, 1))))


class _Independent:
    """Proposals from a Student distribution, wherever a walker stands."""

    def __init__(self, mean: Floats, covariance: Floats) -> None:
        self.mean, self.root = mean, _root(covariance)
        self.unroot = np.linalg.inv(self.root)

    def __call__(self, z: Floats, rng: Any) -> tuple[Floats, Floats]:
        """Candidates, and the log ratio of the chances to be proposed, of the old place to the new one."""
        new = _student(self.mean, self.root, len(z), rng)
        return new, self._log_density(z) - self._log_density(new)

    def _log_density(self, z: Floats) -> Floats:
        off = (z - self.mean) @ self.unroot.T
        return np.asarray(-0.5 * (DF + len(self.mean)) * np.log1p((off**2).sum(axis=1) / DF))
