"""What a calibration found, as a file: ArviZ InferenceData, and what others read of it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pharmsim.compiled.arrays import Floats
from pharmsim.errors import OutputError


def arviz() -> Any:
    """The package ArviZ; it warns of its own future when it is imported, which concerns nobody here.

    Raises
    ------
    OutputError
        If it is not installed.
    """
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            import arviz as package
        except ModuleNotFoundError:
            raise OutputError(
                "calibration — needs packages that are not installed — install them with "
                "`pip install 'pharmsim[calibrate]'`"
            ) from None
    return package


@dataclass(frozen=True)
class Posterior:
    """A posterior that was read.

    Attributes
    ----------
    z : dict of str to float64 array, shape (rows,)
        Normal scores of every parameter, those of observations among them.
    ranges : dict of str to tuple of str
        Ranges of every parameter of the scenario, as text.
    attributes : dict
        Of the file: name, digests, seed …
    """

    z: dict[str, Floats]
    ranges: dict[str, tuple[str, ...]]
    attributes: dict[str, Any]


def read(path: str | os.PathLike[str]) -> Posterior:
    """Read the rows of a posterior.

    Raises
    ------
    OutputError
        If the file is not there, or is not one that `pharmsim calibrate` wrote.
    """
    import h5py

    if not Path(path).is_file():
        raise OutputError(f"{path} — must be a posterior — no such file — make it with `pharmsim calibrate`")
    try:
        with h5py.File(path, "r") as file:
            attributes = {key: file.attrs[key] for key in file.attrs}
            ranges = json.loads(attributes["ranges"])
            group = file["unconstrained_posterior"]
            z = {name: np.ravel(group[name][...]) for name in group if name not in ("chain", "draw")}
    except (OSError, KeyError, TypeError, ValueError):
        raise OutputError(
            f"{path} — must be a posterior — it is not one that `pharmsim calibrate` wrote — calibrate again"
        ) from None
    return Posterior(z, {name: tuple(texts) for name, texts in ranges.items()}, attributes)
