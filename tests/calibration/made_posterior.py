"""Posteriors with known answers, as `pharmsim calibrate` writes them: a linear model with normal errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pharmsim.calibration.posterior import arviz

Array = np.ndarray


@dataclass(frozen=True)
class Linear:
    """Observed = design · z + errors, z ~ N(mean, covariance): everything in closed form."""

    design: Array
    error: Array
    observed: Array
    mean: Array
    covariance: Array

    @property
    def posterior(self) -> tuple[Array, Array]:
        """Mean and covariance."""
        before = np.linalg.inv(self.covariance)
        weighed = self.design.T / self.error**2
        covariance = np.linalg.inv(before + weighed @ self.design)
        return covariance @ (before @ self.mean + weighed @ self.observed), covariance

    @property
    def log_evidence(self) -> float:
        """Log density of the observed, the parameters integrated out."""
        from scipy.stats import multivariate_normal

        covariance = self.design @ self.covariance @ self.design.T + np.diag(self.error**2)
        return float(multivariate_normal(self.design @ self.mean, covariance).logpdf(self.observed))

    def predict(self, z: Array) -> Array:
        return np.asarray(z @ self.design.T)


def linear(seed: int, parameters: int = 3, targets: int = 8) -> Linear:
    """A made-up linear model with a correlated prior, observed with errors of its own."""
    rng = np.random.default_rng(seed)
    root = np.tril(rng.normal(0.0, 0.3, (parameters, parameters)), -1) + np.diag(
        rng.uniform(0.7, 1.3, parameters)
    )
    design, error = rng.normal(size=(targets, parameters)), rng.uniform(0.3, 1.0, targets)
    mean = rng.normal(0.0, 0.5, parameters)
    truth = mean + root @ rng.normal(size=parameters)
    observed = design @ truth + error * rng.normal(size=targets)
    return Linear(design, error, observed, mean, root @ root.T)


def told(**changes: Any) -> Any:
    """InferenceData of a small made-up calibration.

    `leaving` is known well, `entry` and `other_routes` together only, `pass_rate` not at all, and
    `retirement` is pulled to the end of its range.
    """
    names = ["leaving", "entry", "other_routes", "pass_rate", "retirement", "share.ratio"]
    titles = ["Leaving rate", "Entry", "Other routes", "Pass rate", "Retirement, level", "Share of England"]
    units = ["share per year", "people per year", "people per year", "share", "factor", "ratio"]
    scales = [(0.02, 0.003), (2500.0, 200.0), (600.0, 90.0), (0.8, 0.03), (1.0, 0.2), (0.84, 0.01)]
    design = np.array([[1, 0, 0, 0, 0, 0], [0, 1, 1, 0, 0, 0], [0, 0, 0, 0, 1, 0], [0, 0, 0, 0, 0, 1]], float)
    model = Linear(
        design, np.array([0.15, 0.2, 0.5, 0.8]), np.array([-0.5, 0.4, 3.2, 0.3]), np.zeros(6), np.eye(6)
    )
    mean, covariance = model.posterior
    rng = np.random.default_rng(1)
    z = rng.multivariate_normal(mean, covariance, size=(4, 1000))
    prior = rng.standard_normal((1, 2000, 6))
    mixed = {"r_hat": 1.002, "ess_bulk": 3900.0, "ess_tail": 3700.0, **changes}
    unconstrained = {name: z[..., i] for i, name in enumerate(names)}
    az = arviz()
    groups = {
        "posterior": {n: m + s * z[..., i] for i, (n, (m, s)) in enumerate(zip(names, scales, strict=True))},
        "prior": {n: m + s * prior[..., i] for i, (n, (m, s)) in enumerate(zip(names, scales, strict=True))},
        "constant_data": {"prior_mean": np.zeros(6), "prior_covariance": np.eye(6)},
        "dims": {"prior_mean": ["parameter"], "prior_covariance": ["parameter", "parameter_2"]},
        "coords": {"parameter": names},
        "attrs": {"name": "made_up", "title": "A made-up calibration", "scenario_digest": "0123456789abcdef",
                  "seed": 1, "converged": 1},
    }  # fmt: skip
    data = az.from_dict(**groups)
    data.add_groups(unconstrained_posterior=az.convert_to_dataset(unconstrained))
    for name, title, unit in zip(names, titles, units, strict=True):
        data.posterior[name].attrs.update({"title": title, "unit": unit, **mixed})
    return with_targets(data, z, rng)


def with_targets(data: Any, z: Array, rng: np.random.Generator) -> Any:
    """Add published numbers of three series and their replicates."""
    import xarray as xr

    years = np.arange(2019, 2026)
    register = 56000.0 + 1100.0 * (years - 2019)
    columns = {
        "observation": ["register_pharmacists"] * 7 + ["turnover"] * 7 + ["joiners"] * 6,
        "series": ["gphc"] * 7 + ["hchs"] * 7 + ["monthly"] * 6,
        "measure": ["headcount"] * 7 + ["leaver_rate"] * 7 + ["entries"] * 6,
        "role": ["pharmacist"] * 20,
        "date": [f"{y}-03-31" for y in years] * 1 + [f"{y - 1}-04-01" for y in years]
        + [f"2025-{m:02d}-01" for m in range(4, 10)],
        "to": [""] * 7 + [f"{y}-03-31" for y in years] + [f"2025-{m:02d}-28" for m in range(4, 10)],
        "unit": ["headcount"] * 7 + ["per year"] * 7 + ["people"] * 6,
    }  # fmt: skip
    middle = np.concatenate([register, np.full(7, 0.1), [220.0, 80, 90, 1500, 600, 150]])
    spread = np.concatenate([0.004 * register, np.full(7, 0.008), [20.0, 9, 10, 120, 60, 20]])
    off = np.array(
        [0.3, -0.2, 0.5, 2.6, -0.8, 0.1, 0.4, 0.4, 1, 0.2, 1.3, 0.7, 0.3, 0.9, 0, 1, -1, 0.5, -0.4, 0.2]
    )
    made = middle + spread * rng.standard_normal((*z.shape[:1], 200, 20))
    coords = {key: ("target", values) for key, values in columns.items()}
    data.add_groups(
        observed_data=xr.Dataset({"value": ("target", middle + spread * off)}, coords),
        posterior_predictive=xr.Dataset({"value": (("chain", "draw", "target"), made)}, coords),
    )
    return data
