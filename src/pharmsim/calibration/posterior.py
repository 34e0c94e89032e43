"""What others read of the file of a calibration; the package that wrote it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pharmsim.compiled.arrays import Floats
from pharmsim.errors import OutputError
from pharmsim.scenario.uncertainties import read_calibration


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
    if not Path(path).is_file():
        raise OutputError(f"{path} — must be a posterior — no such file — make it with `pharmsim calibrate`")
    try:
        return Posterior(*read_calibration(os.fspath(path)))
    except ValueError as error:
        raise OutputError(f"{path} — {error}") from None
