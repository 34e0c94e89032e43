"""Making a run again from its folder and comparing every number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pharmsim.results import manifest, netcdf
from pharmsim.results.files import SCENARIO, read_scenario
from pharmsim.results.labelled import Results

OTHER_MACHINE = 1e-12
"""Largest relative difference that another processor or other versions may make."""


@dataclass(frozen=True)
class Reproduction:
    """Outcome of making a run again.

    Attributes
    ----------
    folder : Path
    n_numbers, n_different : int
        Numbers compared, and those whose bits differ.
    largest : float
        Largest relative difference; infinite where a number is missing on one side.
    first : str
        First number that differs, with its place; empty if none.
    same_machine : bool
        Same processor, Python and packages as in the manifest.
    changed_machine : list of str
        What differs, in words.
    changed_files : list of str
        Files of the scenario that have changed since, in words.
    notes : list of str
        Other things worth knowing.
    """

    folder: Path
    n_numbers: int
    n_different: int
    largest: float
    first: str
    same_machine: bool
    changed_machine: list[str] = field(default_factory=list)
    changed_files: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """Whether the run is the same: every bit here, to 1e-12 on another machine or versions."""
        return self.n_different == 0 or (not self.same_machine and self.largest <= OTHER_MACHINE)

    def text(self) -> str:
        """The outcome in words."""
        if self.n_different == 0:
            lines = [f"{self.folder}: reproduced; all {self.n_numbers:,} numbers are equal, bit for bit"]
        else:
            verdict = "reproduced" if self.equal else "NOT reproduced"
            allowed = "0" if self.same_machine else f"{OTHER_MACHINE:g} (other processor, versions, engine)"
            lines = [
                f"{self.folder}: {verdict}; {self.n_different:,} of {self.n_numbers:,} numbers differ",
                f"  largest relative difference {self.largest:.3g}; allowed {allowed}",
                f"  first: {self.first}",
            ]
        return "\n".join([*lines, *(f"  {text}" for text in self.remarks)])

    @property
    def remarks(self) -> list[str]:
        """What has changed around the run."""
        return [*self.changed_machine, *self.changed_files, *self.notes]


def reproduce(folder: str | Path, run: Callable[..., Results] | None = None) -> Reproduction:
    """Run the scenario of a results folder again and compare every number with `results.nc`.

    Parameters
    ----------
    folder : path
        Written by `pharmsim run`.
    run : callable, optional
        Runs a scenario, as `pharmsim.run` does (which is the default).

    Returns
    -------
    Reproduction

    Raises
    ------
    OutputError
        If the folder is not complete.
    """
    from pharmsim.scenario import from_dict

    folder = Path(folder)
    made = manifest.read(folder)
    description = read_scenario(folder)
    old = netcdf.read(folder / netcdf.NAME)
    scenario = from_dict(description)
    results = (run or _run)(scenario, draws=int(made.get("n_draws") or 0), seed=int(made.get("seed") or 0))
    here = manifest.environment()
    changed = _changes(made.get("environment") or {}, here)
    n, different, largest, first = compare(old, results.data)
    notes = []
    if manifest.scenario_digest(description) != (made.get("scenario") or {}).get("sha256"):
        notes.append(
            f"{SCENARIO} is not the file that the run wrote (its digest differs from the manifest's)"
        )
    if netcdf.digest(old) != made.get("results"):
        notes.append(
            f"{netcdf.NAME} is not the file that the run wrote (its digest differs from the manifest's)"
        )
    return Reproduction(
        folder,
        n,
        different,
        largest,
        first,
        not changed,
        changed,
        changed_files(made.get("files") or []),
        notes,
    )


def _run(scenario: Any, draws: int, seed: int) -> Results:
    import pharmsim

    results: Results = pharmsim.run(scenario, draws=draws, seed=seed)
    return results


def _changes(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What differs between two environments that bits may depend on."""
    found = [
        f"{name}: {then.get(name)} then, {now.get(name)} now"
        for name in ("processor", "python", "engine_sources")
        if then.get(name) != now.get(name)
    ]
    old, new = then.get("packages") or {}, now.get("packages") or {}
    found += [
        f"{name}: {old.get(name)} then, {new.get(name)} now"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]
    return found


def changed_files(files: list[dict[str, str]]) -> list[str]:
    """Files of the scenario that have changed, or are gone, since the run read them."""
    found = []
    for entry in files:
        now = manifest.file_digest(entry["path"])
        if not now:
            found.append(f"{entry['path']}: is no longer there (the run kept the resolved scenario)")
        elif now != entry["sha256"]:
            found.append(f"{entry['path']}: has changed since the run")
    return found


def compare(old: xr.Dataset, new: xr.Dataset) -> tuple[int, int, float, str]:
    """Compare every number of two data sets by its bits.

    Returns
    -------
    n_numbers, n_different : int
    largest : float
        Largest relative difference, |new − old| ÷ max(|old|, |new|).
    first : str
        The first that differs: quantity, place, both numbers.
    """
    n, different, largest, first = 0, 0, 0.0, ""
    for name in dict.fromkeys([*old.data_vars, *new.data_vars]):
        if name not in old or name not in new or old[name].shape != new[name].shape:
            size = int((old[name] if name in old else new[name]).size)
            n, different, largest = n + size, different + size, np.inf
            first = first or f"{name}: is in one of the two only, or has another shape"
            continue
        a, b = (np.ascontiguousarray(data[name].values, dtype="f8") for data in (old, new))
        n += a.size
        unequal = a.view("i8") != b.view("i8")
        if not unequal.any():
            continue
        different += int(unequal.sum())
        largest = max(largest, _largest(a[unequal], b[unequal]))
        first = first or _where(old[name], unequal, a, b)
    return n, different, float(largest), first


def _largest(a: np.ndarray, b: np.ndarray) -> float:
    if (np.isnan(a) != np.isnan(b)).any():
        return np.inf
    scale = np.maximum(np.abs(a), np.abs(b))
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = np.where(scale > 0, np.abs(a - b) / scale, 0.0)
    return float(np.nanmax(relative, initial=0.0))


def _where(array: xr.DataArray, unequal: np.ndarray, a: np.ndarray, b: np.ndarray) -> str:
    place = tuple(int(i) for i in np.argwhere(unequal)[0])
    words = []
    for dim, i in zip(array.dims, place, strict=True):
        value = array[dim].values[i]
        words.append(f"{dim} {np.datetime_as_string(value, 'D') if array[dim].dtype.kind == 'M' else value}")
    return f"{array.name} at {', '.join(words)}: {float(a[place])!r} then, {float(b[place])!r} now"
