"""Calibrate: the best fit, samples of the posterior, and the folder that holds them."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pharmsim import __version__
from pharmsim.calibration.checkpoints import Place
from pharmsim.calibration.fit import Fit, fit
from pharmsim.calibration.forms import Sampler
from pharmsim.calibration.inference import Found, inference, parameters, save
from pharmsim.calibration.model import Calibration
from pharmsim.calibration.problem import Problem
from pharmsim.calibration.sample import Chains, Convergence, convergence, sample
from pharmsim.compiled.arrays import Floats
from pharmsim.errors import InputError
from pharmsim.results.folder import MANIFEST, complete_or_nothing, write_whole
from pharmsim.results.manifest import folder_digests, manifest
from pharmsim.scenario import digest, sources, to_dict
from pharmsim.scenario.checks.uncertainties import ranges
from pharmsim.study.blocks import sources as modules

ROWS, FEW = 1000, 256
"""Draws kept of each chain: in the results folder, and in the small file that scenarios draw from."""
LARGEST = 2_000_000
"""Bytes of the small file, at most."""
CHAINS = 4
"""Chains into which draws of the Laplace approximation are laid out."""


@dataclass(frozen=True)
class Calibrated:
    """A calibration that was carried out.

    Attributes
    ----------
    calibration : Calibration
    problem : Problem
    fit : Fit
    chains : Chains or None
        None if only the best fit was asked for.
    mixed : Convergence or None
    settings : Sampler
    seconds : float
    """

    calibration: Calibration
    problem: Problem
    fit: Fit
    chains: Chains | None
    mixed: Convergence | None
    settings: Sampler
    seconds: float

    @property
    def converged(self) -> bool:
        """Whether the chains fulfil the rule; draws of an approximation never do."""
        return self.mixed is not None and self.mixed.converged

    @property
    def found(self) -> Found:
        """The posterior, to be written: samples, or draws of the normal distribution around the best fit."""
        if self.chains is not None:
            z = self.chains.z
        else:
            rng = np.random.default_rng(self.settings.seed)
            noise = rng.standard_normal((CHAINS * ROWS, self.problem.n))
            z = self.fit.mean + noise @ np.linalg.cholesky(self.fit.covariance).T
            z = z.reshape(CHAINS, ROWS, -1)
        return Found(self.problem, z, self.mixed, self.attributes())

    def attributes(self) -> dict[str, Any]:
        """What the file says about itself."""
        scenario = self.calibration.scenario
        fitted = {
            name: texts for name, texts in ranges(scenario).items() if name in self.calibration.parameters
        }
        return {
            "name": self.calibration.name,
            "title": self.calibration.title,
            "pharmsim": __version__,
            "scenario": scenario.name,
            "scenario_digest": digest(scenario),
            "targets_digest": targets_digest(self.calibration),
            "seed": self.settings.seed,
            "sampler": "emcee" if self.chains is not None else "laplace",
            "sampler_settings": self.settings.model_dump_json(),
            "code": modules(),
            "converged": int(self.converged),
            "log_evidence_laplace": self.fit.log_evidence,
            "ranges": json.dumps(fitted, ensure_ascii=False),
        }

    def text(self) -> str:
        """How the chains are, in one sentence."""
        if self.mixed is None:
            return "Best fit only: a normal distribution around it, NOT SAMPLED"
        return self.mixed.text()


def targets_digest(calibration: Calibration) -> str:
    """SHA-256 of the targets and of how they are held against the model."""
    rows = [
        [
            one.name,
            one.measure,
            one.model,
            target.title,
            target.value,
            float(error),
            str(one.selection(target)),
        ]
        for one in calibration.observations
        for target, error in zip(one.targets, one.errors, strict=True)
    ]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def calibrate(
    calibration: Calibration,
    *,
    seed: int | None = None,
    steps: int | None = None,
    threads: int | None = None,
    map_only: bool = False,
    place: Place | None = None,
    shown: bool = False,
) -> Calibrated:
    """Fit the uncertain numbers of a scenario to what was published.

    Parameters
    ----------
    calibration : Calibration
        From `load_calibration`.
    seed, steps : int, optional
        Instead of those of the file.
    threads : int, optional
        By default one for each core; the numbers do not depend on it.
    map_only : bool
        Find the best fit and the normal distribution around it, and do not sample.
    place : Place, optional
        Where steps are kept, to be resumed.
    shown : bool
        Whether progress is shown.

    Returns
    -------
    Calibrated

    Raises
    ------
    InputError
        If no target depends on some parameter.
    """
    began = time.perf_counter()
    given = {"seed": seed, "steps": steps}
    settings = calibration.sampler.model_copy(update={k: v for k, v in given.items() if v is not None})
    problem = Problem(calibration, threads)
    if unused := problem.unused():
        raise InputError(
            f"{calibration.file} — every parameter must move a target — none depends on "
            f"{', '.join(unused)} — leave them out of `parameters`, or add a target that does"
        )
    if place is not None:
        place.agree(_identity(calibration, settings))
    best = fit(problem, seed=settings.seed, shown=shown)
    chains = None if map_only else sample(problem, best, settings, place, shown)
    mixed = None if chains is None else convergence(chains)
    return Calibrated(calibration, problem, best, chains, mixed, settings, time.perf_counter() - began)


def _identity(calibration: Calibration, settings: Sampler) -> dict[str, str]:
    """What the steps of a sampler depend on."""
    prior = hashlib.sha256(calibration.mean.tobytes() + calibration.covariance.tobytes())
    held = [
        [one.weight, one.df, *(f"{key} {value.model_dump_json()}" for key, value in one.numbers.items())]
        for one in calibration.observations
    ]
    return {
        "scenario": digest(calibration.scenario)[:12],
        "targets": targets_digest(calibration)[:12],
        "observations": hashlib.sha256(json.dumps(held).encode()).hexdigest()[:12],
        "parameters": ", ".join(calibration.names),
        "prior": prior.hexdigest()[:12],
        "sampler": settings.model_dump_json(exclude={"steps"}),
        "pharmsim": f"{__version__} ({modules()})",
    }


def write(done: Calibrated, folder: Path, force: bool = False, small: Path | None = None) -> None:
    """Write the results folder of a calibration.

    Parameters
    ----------
    done : Calibrated
    folder : Path
    force : bool
        Replace a results folder that is there.
    small : Path, optional
        Where the small posterior is written too.
    """
    seed = done.settings.seed
    with complete_or_nothing(folder, force) as partial:
        data = inference(done.found.thinned(ROWS), seed)
        save(data, partial / "inference.nc")
        for rows in (FEW, FEW // 2, FEW // 4):  # many targets take room
            save(inference(done.found.thinned(rows), seed, np.float32), partial / "posterior.nc")
            if (partial / "posterior.nc").stat().st_size < LARGEST:
                break
        parameters_table(done, data).to_csv(partial / "parameters.csv", index=False)
        targets_table(done, data).to_csv(partial / "fit.csv", index=False)
        (partial / "summary.md").write_text(summary(done), encoding="utf-8")
        about = _manifest(done, folder_digests(partial))
        (partial / MANIFEST).write_text(json.dumps(about, indent=2, ensure_ascii=False), encoding="utf-8")
        if small is not None:
            small.parent.mkdir(parents=True, exist_ok=True)
            write_whole(small, (partial / "posterior.nc").read_bytes())


def _manifest(done: Calibrated, digests: dict[str, str]) -> dict[str, Any]:
    """All that is needed to make a calibration again."""
    scenario = done.calibration.scenario
    files = [*done.calibration.files.items(), *sources(scenario).items()]
    meta = {"seed": done.settings.seed, "wall_time_s": done.seconds, "files": files, "step": scenario.step,
            "uncertainties": list(done.problem.names)}  # fmt: skip
    return manifest(to_dict(scenario), meta, {}) | {
        "kind": "calibration",
        "calibration": {k: v for k, v in done.attributes().items() if k != "ranges"},
        "sampler": done.settings.model_dump(),
        "evaluations": done.fit.evaluations + (done.chains.evaluations if done.chains else 0),
        "outputs": digests,
    }


def parameters_table(done: Calibrated, data: Any) -> pd.DataFrame:
    """Prior, posterior and chains of every parameter, natural units."""
    about = parameters(done.problem)
    rows = []
    for i, name in enumerate(done.problem.names):
        row: dict[str, Any] = {"parameter": name, "kind": about[name]["kind"], "unit": about[name]["unit"]}
        for group in ("prior", "posterior"):
            values = data[group][name].values
            row |= {f"{group}_{key}": float(x) for key, x in _points(values).items()}
        if done.mixed is not None:
            row |= {
                "r_hat": done.mixed.r_hat[i],
                "ess_bulk": done.mixed.bulk[i],
                "ess_tail": done.mixed.tail[i],
            }
        rows.append(row)
    return pd.DataFrame(rows)


def targets_table(done: Calibrated, data: Any) -> pd.DataFrame:
    """Every published number beside what the posterior predicts for it, with errors of observation."""
    group = data["posterior_predictive"]
    replicates = group["value"].values.reshape(-1, group.sizes["target"])
    keys = ("observation", "series", "measure", "role", "environment", "date", "to", "unit")
    table = pd.DataFrame({key: group[key].values for key in keys})
    table["observed"] = done.problem.observed
    for key, column in _points(replicates, axis=0).items():
        table[f"predicted_{key}"] = column
    table["inside_90"] = (table["observed"] >= table["predicted_p5"]) & (
        table["observed"] <= table["predicted_p95"]
    )
    table["weight"] = done.problem.noise.weight
    return table


def _points(values: Floats, axis: int | None = None) -> dict[str, Floats]:
    low, middle, high = np.quantile(values, [0.05, 0.5, 0.95], axis=axis)
    return {"median": middle, "p5": low, "p95": high}


def summary(done: Calibrated) -> str:
    """What a calibration found, as Markdown: how it went; the tables stand in CSV files beside it."""
    best, n = done.fit, done.problem.observed.size
    lines = [
        f"# {done.calibration.title}",
        "",
        done.text() + ".",
        "",
        f"- {done.problem.n} parameter{'s' * (done.problem.n != 1)}, {n} published "
        f"number{'s' * (n != 1)}, scenario {done.calibration.scenario.name}",
        f"- best fit: log posterior density {best.log_density:.2f}; found by {best.agreeing} of "
        f"{len(best.heights)} starts"
        + ("" if best.regular else "; the surface is flat there in some direction"),
        f"- log evidence by Laplace's approximation: {best.log_evidence:.2f}",
    ]
    if done.chains is not None:
        e, steps, walkers = done.chains.heights.shape
        accepted = ", ".join(f"{share:.0%}" for share in done.chains.accepted)
        lines.append(
            f"- {e} ensembles of {walkers} walkers, {steps} steps behind the warm-up; accepted: {accepted}"
        )
    lines += [
        f"- seed {done.settings.seed}, {done.seconds:.0f} s",
        "",
        "parameters.csv: prior and posterior; fit.csv: published and predicted; posterior.nc: for "
        "`parameters:` of a scenario; inference.nc: for ArviZ and `pharmsim diagnose`.",
        "",
    ]
    return "\n".join(lines)
