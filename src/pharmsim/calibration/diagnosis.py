"""How far a calibration may be trusted: what its posterior says about itself, the data and the prior."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pharmsim.calibration.posterior import arviz
from pharmsim.compiled.arrays import Floats
from pharmsim.errors import OutputError

FACTORS = (0.5, 2.0)
"""By these the prior's standard deviations are multiplied, to see what hangs on them."""
EVERY = "every prior"
ROWS = 4096
"""Rows of the posterior that are reweighted, at most."""
POINTS = (5, 25, 50, 75, 95)
MIXED = ("r_hat", "ess_bulk", "ess_tail")
"""How well the chains mixed, found when they ran, from all their draws: attributes of each parameter."""
END = 1.6448536269514722
"""Prior standard deviations from the middle to the 5 % and the 95 % point."""


NAME = "inference.nc"
GROUPS = (
    "posterior", "unconstrained_posterior", "prior", "constant_data", "observed_data", "posterior_predictive",
)  # fmt: skip


@dataclass(frozen=True)
class Diagnosis:
    """What is known about a posterior besides its numbers.

    Attributes
    ----------
    about : dict
        Attributes of the file: name, title, digest of the scenario, seed, sampler.
    values : float64 array, shape (chain, draw, parameter), natural units
    z : float64 array, shape (chain, draw, parameter), prior standard deviations from the prior's mean
    parameters : DataFrame
        One row a parameter: prior and posterior (median, 5 % and 95 % points, natural units), `sd_ratio`
        (posterior ÷ prior, normal scores), `shift` (of the mean, in prior standard deviations), `below` and
        `above` (share of the posterior where the prior has its lowest and highest 5 %), `z5` … `z95` (its
        points, prior standard deviations from the prior's mean), `partner` and `correlation`
        (strongest with another parameter), `r_hat`, `ess_bulk`, `ess_tail` (not a number
        if nothing was sampled).
    targets : DataFrame
        One row a published number: observed, quantiles of the replicates, `pit` (share of the replicates
        below it).
    sensitivity : DataFrame
        A row a prior changed, factor and parameter: `moved` (of the posterior mean, in posterior standard
        deviations), `spread` (new ÷ old standard deviation), `pareto_k`, and `reliable`.
    directions : float64 array, shape (parameter,)
        Posterior ÷ prior standard deviation along independent directions, ascending.
    """

    about: dict[str, Any]
    values: Floats
    z: Floats
    parameters: pd.DataFrame
    targets: pd.DataFrame
    sensitivity: pd.DataFrame
    directions: Floats

    @property
    def names(self) -> list[str]:
        """Parameters in the order of the last axis."""
        return list(self.parameters["parameter"])


def file_of(place: Path) -> Path:
    """The posterior of a results folder, or the file itself."""
    return place if place.is_file() else place / NAME


def read(place: Path) -> Any:
    """Read the posterior of a results folder, or a posterior that was kept alone.

    Parameters
    ----------
    place : Path
        Folder or file written by `pharmsim calibrate`.

    Returns
    -------
    arviz.InferenceData

    Raises
    ------
    OutputError
        If the folder holds none, or not all of it.
    """
    path = file_of(place)
    if not path.is_file():
        raise OutputError(
            f"{place}: must be the results folder of a calibration, or its posterior; it has no {NAME}. "
            "Run `pharmsim calibrate` and give its folder."
        )
    az = arviz()
    try:
        with az.rc_context({"data.load": "eager"}):
            data = az.from_netcdf(str(path))
    except (OSError, ValueError) as error:
        raise OutputError(f"{path}: cannot be read ({error}). Run the calibration again.") from error
    missing = [name for name in GROUPS if name not in data.groups()]
    if missing:
        raise OutputError(
            f"{path}: must hold the groups that `pharmsim calibrate` writes; it lacks {', '.join(missing)}. "
            "Run the calibration again."
        )
    return data


def diagnose(data: Any) -> Diagnosis:
    """Work out what a posterior says about itself.

    Parameters
    ----------
    data : arviz.InferenceData
        As written by `pharmsim calibrate`.

    Returns
    -------
    Diagnosis
    """
    names = [str(name) for name in data.constant_data["parameter"].values]
    mean = np.asarray(data.constant_data["prior_mean"].values, dtype=float)
    covariance = np.asarray(data.constant_data["prior_covariance"].values, dtype=float)
    sd = np.sqrt(np.diag(covariance))
    z = (_stacked(data.unconstrained_posterior, names) - mean) / sd
    correlation = covariance / np.outer(sd, sd)
    parameters = _parameters(data, names, z)
    rows = z.reshape(-1, len(names))
    root = np.linalg.inv(np.linalg.cholesky(correlation))
    directions = np.sqrt(np.linalg.eigvalsh(np.cov((rows @ root.T).T, ddof=1).reshape(len(names), -1)))
    ess = float(parameters["ess_bulk"].fillna(len(rows)).min())
    return Diagnosis(
        about=dict(data.attrs), values=_stacked(data.posterior, names), z=z, parameters=parameters,
        targets=targets(data), sensitivity=sensitivity(rows, correlation, names, ess), directions=directions,
    )  # fmt: skip


def _stacked(group: Any, names: list[str]) -> Floats:
    """Variables of a group side by side, shape (chain, draw, parameter)."""
    return np.stack([group[name].transpose("chain", "draw").values for name in names], axis=-1).astype(float)


def _parameters(data: Any, names: list[str], z: Floats) -> pd.DataFrame:
    """Prior beside posterior, and how well the chains mixed: one row a parameter."""
    rows = z.reshape(-1, len(names))
    with np.errstate(invalid="ignore", divide="ignore"):
        hang = np.nan_to_num(np.corrcoef(rows.T).reshape(len(names), -1))
    np.fill_diagonal(hang, 0.0)
    found = []
    for i, name in enumerate(names):
        partner = int(np.abs(hang[i]).argmax())
        about = data.posterior[name].attrs
        found.append(
            {
                "parameter": name,
                "title": str(about.get("title") or name.replace("_", " ").replace(".", ", ")),
                "unit": str(about.get("unit", "")),
                **_points("prior", data.prior[name].values),
                **_points("posterior", data.posterior[name].values),
                "sd_ratio": rows[:, i].std(ddof=1),
                "shift": rows[:, i].mean(),
                "below": (rows[:, i] < -END).mean(),
                "above": (rows[:, i] > END).mean(),
                **{f"z{at}": np.quantile(rows[:, i], at / 100.0) for at in POINTS},
                "partner": names[partner] if hang[i, partner] else "",
                "correlation": hang[i, partner],
                **{key: float(about.get(key, np.nan)) for key in MIXED},
            }
        )
    return pd.DataFrame(found)


def _points(of: str, values: Any) -> dict[str, float]:
    """Median and 5 % and 95 % points."""
    low, middle, high = np.quantile(np.asarray(values, dtype=float), [0.05, 0.5, 0.95])
    return {f"{of}_median": middle, f"{of}_low": low, f"{of}_high": high}


def targets(data: Any) -> pd.DataFrame:
    """Published numbers beside the replicates that the posterior makes of them.

    Parameters
    ----------
    data : arviz.InferenceData

    Returns
    -------
    DataFrame
        One row a target with all coordinates of the file, `observed`, `median`, `low50`, `high50`, `low90`,
        `high90` and `pit`; targets that count for nothing (not a number) are left out.
    """
    observed = data.observed_data["value"]
    made = data.posterior_predictive["value"].transpose("chain", "draw", "target").values
    made = made.reshape(-1, made.shape[-1])
    columns = {str(key): value.values for key, value in observed.coords.items() if value.dims == ("target",)}
    columns.pop("target", None)
    frame = pd.DataFrame({**columns, "observed": np.asarray(observed.values, dtype=float)})
    for name, share in (
        ("median", 0.5),
        ("low50", 0.25),
        ("high50", 0.75),
        ("low90", 0.05),
        ("high90", 0.95),
    ):
        frame[name] = np.quantile(made, share, axis=0)
    at = frame["observed"].to_numpy()
    frame["pit"] = (made < at).mean(axis=0) + 0.5 * (made == at).mean(axis=0)
    return frame[frame["observed"].notna()].reset_index(drop=True)


def sensitivity(rows: Floats, correlation: Floats, names: list[str], ess: float) -> pd.DataFrame:
    """What becomes of the posterior when priors are half or twice as wide, by importance weights.

    Parameters
    ----------
    rows : float64 array, shape (draws, parameter)
        Of the posterior, in prior standard deviations from the prior's mean.
    correlation : float64 array, shape (parameter, parameter)
        Of the prior, which is normal in these units.
    names : list of str
    ess : float
        Effective draws among the rows.

    Returns
    -------
    DataFrame
        As `Diagnosis.sensitivity`.

    Notes
    -----
    The weights are the new prior ÷ the old one, smoothed by a Pareto distribution; its shape k says whether
    they can be relied on: k below min(1 − 1 ÷ log10(draws), 0.7).

    References
    ----------
    Vehtari, Simpson, Gelman, Yao, Gabry 2024, Pareto smoothed importance sampling, Journal of Machine
    Learning Research 25(72). Kallioinen, Paananen, Bürkner, Vehtari 2024, Detecting and diagnosing prior and
    likelihood sensitivity with power-scaling, Statistics and Computing 34:57.
    """
    rows = rows[:: -(-len(rows) // ROWS)]
    n = len(rows)
    middle, spread = rows.mean(axis=0), rows.std(axis=0)
    precision = np.asarray(np.linalg.inv(correlation), dtype=np.float64)
    before = _squares(rows, precision)
    tables = []
    for changed, factor, scale in _changes(names):
        log_ratio = 0.5 * (before - _squares(rows / scale, precision))
        with np.errstate(over="ignore"):  # of a likelihood ratio whose inverse is taken: nought is right
            logs, k = arviz().psislw(log_ratio, reff=min(1.0, ess / n))
        weights = np.exp(logs)[:, None]
        new = (weights * rows).sum(axis=0)
        width = np.sqrt((weights * (rows - new) ** 2).sum(axis=0))
        tables.append(
            pd.DataFrame(
                {
                    "changed": changed, "factor": factor, "parameter": names,
                    "moved": (new - middle) / spread, "spread": width / spread,
                    "pareto_k": float(k), "reliable": bool(k <= min(1.0 - 1.0 / np.log10(n), 0.7)),
                }
            )
        )  # fmt: skip
    return pd.concat(tables, ignore_index=True)


def _squares(rows: Floats, precision: Floats) -> Floats:
    """Squared distance of each row from the prior's mean."""
    return np.asarray(((rows @ precision) * rows).sum(axis=1))


def _changes(names: list[str]) -> Iterator[tuple[str, float, Floats]]:
    """Which prior is changed, by what, and its factors by parameter."""
    for factor in FACTORS:
        yield EVERY, factor, np.full(len(names), factor)
        for i, name in enumerate(names):
            scale = np.ones(len(names))
            scale[i] = factor
            yield name, factor, scale
