"""Making a run again from its folder and comparing every number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pharmsim.compiled.draws import EXPECTED, Draws, Engine, sample
from pharmsim.errors import OutputError
from pharmsim.results import files, manifest, netcdf
from pharmsim.results.batches import batches
from pharmsim.results.by_year import by_year
from pharmsim.results.files import SCENARIO, read_scenario
from pharmsim.results.folder import MANIFEST
from pharmsim.results.labelled import Results

OTHER_MACHINE = 1e-12
"""Largest relative difference that another processor or other versions may make."""

MAIN = (".csv", ".xlsx", ".parquet", "assumptions.md")
"""Files whose numbers people use: a run whose own are changed is not whole."""

ANSWERS = {"solve": "solve.csv", "sensitivity": "tornado.csv"}
"""Kinds of folders that keep no run, and the table that tells whether they are the same."""


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
    changed_outputs : list of str
        Files of the folder that are not as the run wrote them, in words.
    whole : bool
        Whether the tables, the workbook, the long table and the assumptions are as the run wrote them.
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
    changed_outputs: list[str] = field(default_factory=list)
    whole: bool = True

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
        if not self.whole:
            lines.append("  but files with numbers in the folder are not as the run wrote them")
        return "\n".join([*lines, *(f"  {text}" for text in self.remarks)])

    @property
    def remarks(self) -> list[str]:
        """What has changed around the run."""
        return [*self.changed_machine, *self.changed_files, *self.notes, *self.changed_outputs]


def reproduce(folder: str | Path, run: Callable[..., Results] | None = None) -> Reproduction:
    """Run the scenario of a results folder again and compare every number that it keeps, and their digests.

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
    if made.get("kind") == "comparison":
        return _comparison(folder, made, run or _run)
    if made.get("kind") in ANSWERS:
        raise OutputError(
            f"{folder}: must be a run or a comparison; it is an answer of `pharmsim {made['kind']}`, which "
            f"keeps no run. Give the `command` of its {MANIFEST} again and compare {ANSWERS[made['kind']]}."
        )
    description = read_scenario(folder)
    draws, seed = int(made.get("n_draws") or 0), int(made.get("seed") or 0)
    drawn = netcdf.DRAWS if files.keeps_years(made) else netcdf.NAME
    old, every = netcdf.read(folder / netcdf.NAME), netcdf.read(folder / drawn)
    kept = every.sizes.get("draw", 1) - 1
    if draws != kept:
        raise OutputError(
            f"{folder / MANIFEST}: n_draws must be {kept}, the draws in {drawn}; got {draws}. "
            "Run the scenario again."
        )
    scenario = from_dict(description)
    table = sample(scenario, _drawn(made), seed, _engine(made))
    data = (run or _run)(scenario, draws=table, seed=seed).data
    changed = _changes(made.get("environment") or {}, manifest.environment())
    notes = []
    if manifest.scenario_digest(description) != (made.get("scenario") or {}).get("sha256"):
        notes.append(
            f"{SCENARIO} is not the file that the run wrote (its digest differs from the manifest's)"
        )
    if drawn == netcdf.DRAWS:
        found = _summary(old, every, data, made.get("results") or {}, same_machine=not changed)
        notes += ["on another machine the months of the draws are not compared"] if changed else []
    else:
        found = compare(old, data)
        if netcdf.digest(old) != made.get("results"):
            notes.append(
                f"{netcdf.NAME} is not the file that the run wrote (its digest differs from the manifest's)"
            )
    read = changed_files(made.get("files") or [])
    apart = (SCENARIO,) if drawn == netcdf.DRAWS else (SCENARIO, netcdf.NAME)
    told, whole = changed_outputs(folder, made.get("outputs") or {}, apart)
    return Reproduction(
        folder, found.n, found.different, found.largest, found.first, not changed, changed, read, notes,
        told, whole,
    )  # fmt: skip


def _summary(
    central: xr.Dataset, years: xr.Dataset, now: xr.Dataset, digests: dict[str, str], same_machine: bool
) -> Difference:
    """Compare the central run, the years of every draw, and their months by digest.

    On another machine, where rounding differs, the months of the draws are not compared.
    """
    found = compare(central, now.isel(draw=slice(0, 1))) + compare(years, now, by_year)
    found = replace(found, n=sum(int(now[name].size) for name in now.data_vars))
    again = netcdf.digest(now) if same_machine else digests
    for name in dict.fromkeys([*digests, *again]):
        if digests.get(name) != again.get(name) and name not in found.names:
            size = int(now[name].size) if name in now else 1
            first = f"{name}: months of draws, by their digest"
            found += Difference(0, size, np.inf, first, frozenset([name]))
    return found


def _comparison(folder: Path, made: dict[str, Any], run: Callable[..., Results]) -> Reproduction:
    """Make the runs of a comparison again; it keeps digests of their quantities, not the numbers."""
    from pharmsim.scenario import from_dict

    n, different, first = 0, 0, ""
    read: list[str] = []
    entries = [(entry, *_entry(folder, entry)) for entry in made.get("scenarios") or []]
    scenarios = [from_dict(read_scenario(place)) for _, place, _ in entries]
    table = sample(scenarios, _drawn(made), int(made.get("seed") or 0), _engine(made))
    for (entry, place, digests), scenario in zip(entries, scenarios, strict=True):
        results = run(scenario, draws=table, seed=table.seed)
        now = netcdf.digest(results.data)
        for name in dict.fromkeys([*digests, *now]):
            size = int(results.data[name].size) if name in now else 1
            n += size
            if digests.get(name) != now.get(name):
                different += size
                first = first or f"{entry.get('title', place.name)}: {name}, by its digest"
        read += [text for text in changed_files(entry.get("files") or []) if text not in read]
    changed = _changes(made.get("environment") or {}, manifest.environment())
    told, whole = changed_outputs(folder, made.get("outputs") or {})
    notes = ["a comparison keeps no numbers of its runs: a quantity counts as different as a whole"]
    largest = np.inf if different else 0.0
    return Reproduction(
        folder, n, different, largest, first, not changed, changed, read,
        notes if different else [], told, whole,
    )  # fmt: skip


def _engine(made: dict[str, Any]) -> Engine:
    """Engine that a manifest names."""
    return Engine(str(made.get("engine") or EXPECTED.name), int(made.get("replicates") or 1))


def _drawn(made: dict[str, Any]) -> int:
    """Draws that a manifest names; before there were replicates, each was a row."""
    drawn = made.get("drawn")
    return int((made.get("n_draws") if drawn is None else drawn) or 0)


def _entry(folder: Path, entry: Any) -> tuple[Path, dict[str, str]]:
    """Folder and digests of one scenario of a comparison."""
    place, digests = (entry.get("folder"), entry.get("results")) if isinstance(entry, dict) else (None, None)
    path = folder / str(place)
    inside = path.resolve().is_relative_to(folder.resolve())
    if not isinstance(place, str) or not isinstance(digests, dict) or not inside:
        raise OutputError(
            f"{folder / MANIFEST}: scenarios must each have a `folder` inside and `results`; got "
            f"{str(entry)[:40]!r}. Compare again."
        )
    manifest.check_files(entry.get("files") or [], folder / MANIFEST)
    return path, digests


def changed_outputs(
    folder: Path, digests: dict[str, str], apart: tuple[str, ...] = ()
) -> tuple[list[str], bool]:
    """Files of a results folder that are not as they were written, and whether none of the main ones is.

    Parameters
    ----------
    folder : Path
    digests : dict of str
        SHA-256 by path, from the manifest.
    apart : tuple of str
        Files that are checked in another way.

    Returns
    -------
    list of str
    bool
        False if a table, the workbook, the long table or the assumptions differ.
    """
    found, whole = [], True
    for name, digest in digests.items():
        inside = (folder / name).resolve().is_relative_to(folder.resolve())
        now = manifest.file_digest(folder / name) if inside else ""
        if name in apart or now == digest:
            continue
        found.append(f"{name}: {'has changed since the run wrote it' if now else 'is no longer there'}")
        whole = whole and not name.endswith(MAIN)
    return found, whole


def _run(scenario: Any, draws: int | Draws, seed: int) -> Results:
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


@dataclass(frozen=True)
class Difference:
    """How two data sets differ.

    Attributes
    ----------
    n, different : int
        Numbers compared, and those that differ.
    largest : float
        Largest relative difference, |new − old| ÷ max(|old|, |new|).
    first : str
        The first that differs: quantity, place, both numbers.
    names : frozenset of str
        Quantities that differ.
    """

    n: int = 0
    different: int = 0
    largest: float = 0.0
    first: str = ""
    names: frozenset[str] = frozenset()

    def __add__(self, other: Difference) -> Difference:
        """Both together."""
        return Difference(
            self.n + other.n,
            self.different + other.different,
            max(self.largest, other.largest),
            self.first or other.first,
            self.names | other.names,
        )


def compare(
    old: xr.Dataset, new: xr.Dataset, reduce: Callable[[xr.Dataset], xr.Dataset] = lambda batch: batch
) -> Difference:
    """Compare every number of two data sets by its bits, a batch of draws at a time.

    Parameters
    ----------
    old, new : Dataset
        With as many draws.
    reduce : callable, optional
        What of a batch of the new one is compared.
    """
    found, first = Difference(), 0
    for batch in batches(new):
        now = reduce(batch)
        then = old.isel(draw=slice(first, first + now.sizes["draw"]))
        for name in map(str, dict.fromkeys([*then.data_vars, *now.data_vars])):
            found += _compared(name, then, now)
        first += now.sizes["draw"]
    return found


def _compared(name: str, old: xr.Dataset, new: xr.Dataset) -> Difference:
    """Compare one quantity."""
    if name not in old or name not in new or old[name].shape != new[name].shape:
        size = int((old[name] if name in old else new[name]).size)
        first = f"{name}: is in one of the two only, or has another shape"
        return Difference(size, size, np.inf, first, frozenset([name]))
    a, b = (np.ascontiguousarray(data[name].values, dtype="f8") for data in (old, new))
    unequal = a.view("i8") != b.view("i8")
    if not unequal.any():
        return Difference(a.size)
    largest = _largest(a[unequal], b[unequal])
    return Difference(
        a.size, int(unequal.sum()), largest, _where(old[name], unequal, a, b), frozenset([name])
    )


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
