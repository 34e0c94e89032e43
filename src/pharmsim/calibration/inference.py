"""What a calibration found, as a file: ArviZ InferenceData."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pharmsim.calibration.posterior import arviz
from pharmsim.calibration.readings import unit_of
from pharmsim.compiled.arrays import Floats
from pharmsim.results.assumptions import assumptions
from pharmsim.scenario.values import Value

if TYPE_CHECKING:
    from pharmsim.calibration.likelihood import Predicted
    from pharmsim.calibration.problem import Problem
    from pharmsim.calibration.sample import Convergence

PRIOR = 1024
"""Draws of the prior that are kept beside the posterior."""
OWN_UNITS = {"ratio": "ratio", "discrepancy": "share", "dispersion": "people"}
"""Units of the parameters of observations."""


@dataclass(frozen=True)
class Found:
    """What a calibration found, ready to be written.

    Attributes
    ----------
    problem : Problem
    z : float64 array, shape (chains, draws, parameters)
    mixed : Convergence or None
        None where nothing was sampled.
    attributes : dict
        Name, digests, seed …
    """

    problem: Problem
    z: Floats
    mixed: Convergence | None
    attributes: dict[str, Any]

    def thinned(self, rows: int) -> Found:
        """At most so many draws of each chain, by chance: at even distances some walkers would come again."""
        n = self.z.shape[1]
        at = np.sort(np.random.default_rng(n).choice(n, min(rows, n), replace=False))
        return dataclasses.replace(self, z=self.z[:, at])


def inference(found: Found, seed: int, kind: type = np.float64) -> Any:
    """ArviZ InferenceData of a posterior.

    Parameters
    ----------
    found : Found
    seed : int
        Of the replicates.
    kind : type
        In which predictions and replicates are kept.

    Returns
    -------
    arviz.InferenceData
    """
    import xarray as xr

    problem, (chains, draws, n) = found.problem, found.z.shape
    flat = found.z.reshape(-1, n)
    predicted = problem.run(flat)
    targets = _targets(problem, predicted)
    about = parameters(problem)

    def each(values: dict[str, Floats], attributes: bool = False) -> Any:
        shape = (1, -1) if not attributes else (chains, draws)
        return xr.Dataset(
            {
                name: (("chain", "draw"), column.reshape(shape), about[name] | _mixed(found, name))
                for name, column in values.items()
            }
        )

    def by_target(name: str, values: Floats) -> dict[str, Any]:
        return {name: (("chain", "draw", "target"), values.reshape(chains, draws, -1).astype(kind))}

    replicates = problem.noise.replicate(predicted, seed)
    z = dict(zip(problem.names, flat.T, strict=True))
    prior = problem.values(problem.draw_prior(PRIOR, seed))
    known = {
        "prior_mean": (("parameter",), problem.mean),
        "prior_covariance": (("parameter", "parameter_2"), problem.covariance),
    }
    return arviz().InferenceData(
        attrs=found.attributes,
        posterior=each(problem.values(flat), True),
        unconstrained_posterior=each(z, True),
        prior=each(prior),
        posterior_predictive=xr.Dataset(
            by_target("value", replicates) | by_target("predicted", predicted.mean), targets
        ),
        log_likelihood=xr.Dataset(by_target("value", problem.noise.pointwise(predicted)), targets),
        observed_data=xr.Dataset({"value": (("target",), problem.observed)}, targets),
        constant_data=xr.Dataset(known, {"parameter": list(problem.names)}),
    )


def save(data: Any, path: Path) -> None:
    """Write InferenceData as netCDF."""
    data.to_netcdf(str(path), engine="h5netcdf")


def _mixed(found: Found, name: str) -> dict[str, float]:
    if found.mixed is None:
        return {}
    i = found.mixed.names.index(name)
    return {
        "r_hat": float(found.mixed.r_hat[i]),
        "ess_bulk": float(found.mixed.bulk[i]),
        "ess_tail": float(found.mixed.tail[i]),
    }


def parameters(problem: Problem) -> dict[str, dict[str, Any]]:
    """Unit, kind and range of the first number that each parameter moves."""
    if problem.simulation is None:
        return {name: {"unit": "", "kind": "function"} for name in problem.names}
    scenario = problem.simulation.calibration.scenario
    units = {item.uncertainty: item.unit for item in reversed(assumptions(scenario)) if item.uncertainty}
    own_units = {
        value.uncertainty: OWN_UNITS.get(key) or unit_of(one.measure)  # a shift is in that of its targets
        for one in reversed(problem.simulation.calibration.observations)
        for key, value in one.numbers.items()
    }
    found = {}
    for name, node in problem.simulation.first_numbers().items():
        own = name not in problem.simulation.calibration.parameters
        is_value = isinstance(node, Value)
        unit = own_units.get(name, "") if own else units.get(name, "") if is_value else "ratio"
        found[name] = {
            "unit": unit,
            "kind": "observation" if own else "scenario",
            "value": node.value if isinstance(node, Value) else 1.0,
            "low": node.low,
            "high": node.high,
            "dist": node.dist or "pert",
        }
    return found


def _targets(problem: Problem, predicted: Predicted) -> dict[str, Any]:
    """Coordinates along the axis of targets."""
    if problem.simulation is None:
        return {"target": np.arange(problem.observed.size)}
    calibration = problem.simulation.calibration
    texts = ("series", "role", "environment", "geography", "definition", "unit", "source")
    found = {key: [getattr(target, key) for target in calibration.targets] for key in texts}
    found["date"] = [str(target.date) for target in calibration.targets]
    found["to"] = [str(target.to or "") for target in calibration.targets]
    found["observation"] = [one.name for one in calibration.observations for _ in one.targets]
    found["measure"] = [one.measure for one in calibration.observations for _ in one.targets]
    errors = np.median(np.broadcast_to(predicted.scale, predicted.mean.shape), axis=0)
    errors[np.array(problem.noise.model) == "negative_binomial"] = np.nan
    return {"target": np.arange(len(errors)), "error": (("target",), errors)} | {
        key: (("target",), np.array(values, dtype=object)) for key, values in found.items()
    }
