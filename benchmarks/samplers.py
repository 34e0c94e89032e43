"""Effective samples per second of rival samplers on calibration/gb_register.yaml; rewrites the table.

    python -m pip install --target FOLDER --no-deps zeus-mcmc dynesty nutpie tqdm
    PYTHONPATH=FOLDER python benchmarks/samplers.py [names of samplers]

All begin at the same best fit, with all candidates of an iteration in one batch where they can. Seconds are
of processor time, so that a busy machine matters less; effective samples are those of the parameter that has
fewest. Gradients, where a sampler needs them, are central differences in one batch.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pharmsim.calibration import sample as own
from pharmsim.calibration.file import load_calibration
from pharmsim.calibration.fit import Fit, fit
from pharmsim.calibration.forms import Sampler
from pharmsim.calibration.posterior import arviz
from pharmsim.calibration.problem import Problem

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "background" / "calibration.md"
FIRST, LAST = "<!-- measured by benchmarks/samplers.py -->\n", "<!-- end of what was measured -->\n"
WALKERS, WARM_UP, STEPS = 64, 50, 150
STEP = 1e-4
"""Of central differences, in standard deviations."""


class Counted:
    """The log density of a calibration in coordinates in which the normal around the best fit is N(0, I)."""

    def __init__(self, problem: Problem, best: Fit) -> None:
        self.problem, self.mean, self.root = problem, best.mean, np.linalg.cholesky(best.covariance)
        self.n, self.count = problem.n, 0

    def z(self, x: np.ndarray) -> np.ndarray:
        return self.mean + np.atleast_2d(x) @ self.root.T

    def __call__(self, x: np.ndarray) -> np.ndarray:
        self.count += len(x)
        return self.problem.log_density(self.z(x))

    def slope(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        steps = STEP * np.eye(self.n)
        found = self(np.concatenate([x[None], x + steps, x - steps]))
        return float(found[0]), (found[1 : self.n + 1] - found[self.n + 1 :]) / (2.0 * STEP)


def fewest(chains: np.ndarray) -> float:
    """Effective samples of the parameter with fewest; chains of shape (chains, draws, parameters)."""
    az = arviz()
    return min(float(az.ess(chains[..., i], method="bulk")) for i in range(chains.shape[-1]))


def emcee_with(moves: Callable[[Counted], Any]) -> Callable[[Counted], float]:
    """An ensemble of emcee."""

    def run(of: Counted) -> float:
        import emcee

        sampler = emcee.EnsembleSampler(WALKERS, of.n, of, vectorize=True, moves=moves(of))
        sampler.random_state = np.random.RandomState(1).get_state()
        begin = np.random.default_rng(1).standard_normal((WALKERS, of.n))
        sampler.run_mcmc(begin, WARM_UP + STEPS)
        return fewest(np.swapaxes(sampler.get_chain(discard=WARM_UP), 0, 1))

    return run


def around_fit(of: Counted) -> Any:
    """The moves of pharmsim."""
    from emcee import moves

    independent = own._Independent(np.zeros(of.n), np.eye(of.n))
    made = (moves.MHMove(independent), moves.DEMove(), moves.DESnookerMove())
    return list(zip(made, own.MOVES.values(), strict=True))


def differences(of: Counted) -> Any:
    """Differential evolution, as the handbook of emcee advises."""
    from emcee import moves

    return [(moves.DEMove(), 0.8), (moves.DESnookerMove(), 0.2)]


def zeus(of: Counted) -> float:
    """Ensemble slice sampling."""
    import zeus as package

    np.random.seed(1)  # noqa: NPY002 - zeus takes its random numbers there
    sampler = package.EnsembleSampler(WALKERS, of.n, of, vectorize=True, verbose=False)
    begin = np.random.default_rng(1).standard_normal((WALKERS, of.n))
    sampler.run_mcmc(begin, (WARM_UP + STEPS) // 5, progress=False)
    return fewest(np.swapaxes(sampler.get_chain(discard=WARM_UP // 5), 0, 1))


def nuts(of: Counted) -> float:
    """The No-U-Turn Sampler of nutpie, which PyMC uses too."""
    import nutpie
    from nutpie.compiled_pyfunc import from_pyfunc

    model = from_pyfunc(
        of.n, lambda: of.slope, lambda *_: lambda x: {"x": x}, [np.dtype("float64")], [(of.n,)], ["x"],
        make_initial_point_fn=lambda seed: np.zeros(of.n),
    )  # fmt: skip
    found = nutpie.sample(model, draws=60, tune=60, chains=1, cores=1, seed=1, progress_bar=False)
    return fewest(np.asarray(found.posterior["x"]))


def dynesty(of: Counted) -> float:
    """Nested sampling, a candidate at a time; stopped unfinished at as many candidates as the others run."""
    import dynesty as package
    from scipy.special import ndtri

    root = np.linalg.cholesky(of.problem.covariance)

    def likelihood(z: np.ndarray) -> float:
        of.count += 1
        return float(of.problem.log_likelihood(z[None])[0])

    sampler = package.NestedSampler(
        likelihood, lambda u: of.problem.mean + root @ ndtri(u), of.n, nlive=200, sample="rwalk",
        rstate=np.random.default_rng(1),
    )  # fmt: skip
    sampler.run_nested(maxcall=WALKERS * 100, print_progress=False)
    finished = of.count < WALKERS * 100
    return float(sampler.n_effective) if finished else float("nan")


SAMPLERS: dict[str, tuple[str, Callable[[Counted], float]]] = {
    "pharmsim": ("emcee, around the fit + differential evolution + snooker", emcee_with(around_fit)),
    "differences": ("emcee, differential evolution + snooker", emcee_with(differences)),
    "stretch": ("emcee, stretch (its default)", emcee_with(lambda of: None)),
    "zeus": ("zeus, ensemble slices", zeus),
    "nuts": ("nutpie, NUTS with differences as gradients", nuts),
    "dynesty": ("dynesty, nested sampling (rwalk)", dynesty),
}


def row(key: str, problem: Problem, best: Fit) -> str:
    """One line of the table."""
    title, run = SAMPLERS[key]
    of = Counted(problem, best)
    began, wall = time.process_time(), time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ess = run(of)
    seconds = time.process_time() - began
    print(f"{key}: {time.perf_counter() - wall:.0f} s by the clock", file=sys.stderr)
    if not np.isfinite(ess):
        return f"| {title} | {of.count:,} | {seconds:.0f} | not finished | | |"
    return (
        f"| {title} | {of.count:,} | {seconds:.0f} | {ess:,.0f} | {1000 * ess / of.count:.1f} "
        f"| {ess / seconds:.2f} |"
    )


def main(keys: list[str]) -> None:
    """Measure and write the table."""
    calibration = load_calibration(ROOT / "calibration" / "gb_register.yaml")
    problem = Problem(calibration)
    best = fit(problem)
    rows = [row(key, problem, best) for key in keys or SAMPLERS]
    about = f"{problem.n} parameters, {problem.observed.size} targets; seed {Sampler().seed}.\n"
    head = (
        "| sampler | candidates | processor seconds | effective samples | per 1,000 candidates "
        "| per second |\n"
        "|---|---:|---:|---:|---:|---:|\n"
    )
    table = about + "\n" + head + "\n".join(rows) + "\n"
    print(table)
    if not keys and PAGE.exists():
        text = PAGE.read_text(encoding="utf-8")
        before, rest = text.split(FIRST)
        PAGE.write_text(before + FIRST + table + LAST + rest.split(LAST)[1], encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
