"""What uncertainties have to do with each other: correlations, and posteriors drawn as whole rows."""

from __future__ import annotations

import csv
import io
import json
from functools import lru_cache
from pathlib import PurePath
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pharmsim.scenario.lever_forms import with_grounds
from pharmsim.scenario.marks import Map, Seq, locate, quoted
from pharmsim.scenario.reader import MAX_CSV_BYTES, Folder, parse_csv
from pharmsim.scenario.tables import Report
from pharmsim.scenario.values import Evidence, Frozen, Of, Origin, Range, Value

Floats = NDArray[np.float64]
CALIBRATIONS = "calibration"
"""Folder beside that of the scenarios, from which posteriors may be read too."""


class Correlated(Frozen):
    """Uncertainties that are high and low together: a normal copula with these rank correlations.

    `of` names two or more uncertainties. Exactly one of `correlation`, the same for every pair, and
    `matrix`, one row for each name, is given (Spearman's correlations).
    """

    of: tuple[str, ...]
    correlation: Annotated[Value, Of("correlation")] | None = None
    matrix: tuple[tuple[float, ...], ...] | None = None
    source: str = ""
    evidence: Evidence = "unstated"
    note: str = ""
    origin: Origin | None = Field(default=None, exclude=True, repr=False)

    def ranks(self) -> Floats:
        """Rank correlations, shape (names, names)."""
        if self.matrix is not None:
            return np.array(self.matrix)
        rest = self.correlation.value if self.correlation is not None else 0.0
        return np.where(np.eye(len(self.of)) > 0.0, 1.0, rest)


class Posterior(Frozen):
    """Draws of several uncertainties together, from a fit; rows are drawn whole, so that correlations stay.

    A CSV file has one column for each uncertainty and one row a draw: values. A number takes part with
    ``dist: empirical`` and the name of a column as its `uncertainty`. What `pharmsim calibrate` found is
    given by the `parameters` of the scenario instead, and every uncertainty takes part that has the name and
    the `ranges` of one that was fitted; its columns are positions, probabilities of these ranges. `draws`
    are the columns as CSV, kept so that results can be made again without the file.
    """

    name: str = ""
    file: str = ""
    draws: str = ""
    source: str = ""
    evidence: Evidence = "unstated"
    note: str = ""
    ranges: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    converged: bool = True
    sampled: bool = True
    origin: Origin | None = Field(default=None, exclude=True, repr=False)

    @property
    def columns(self) -> dict[str, Floats]:
        """Values of each uncertainty, or positions, in the order of the rows."""
        return columns_of(self.draws)


class Uncertainties(Frozen):
    """Correlations of named uncertainties, and posteriors from which some are drawn."""

    correlated: tuple[Correlated, ...] = ()
    posteriors: tuple[Posterior, ...] = ()


@lru_cache(maxsize=8)
def columns_of(text: str) -> dict[str, Floats]:
    """Return the columns of a posterior; ValueError in plain words if it cannot be read."""
    columns, rows = parse_csv(text)
    table = np.empty((len(rows), len(columns)))
    for i, (line, fields) in enumerate(rows):
        for j, field in enumerate(fields):
            try:
                table[i, j] = float(field)
            except ValueError:
                table[i, j] = np.nan
            if not np.isfinite(table[i, j]):
                raise ValueError(f"line {line}: {quoted(columns[j])} must be a number; got {quoted(field)}")
    table.flags.writeable = False
    return dict(zip(columns, table.T, strict=True))


def normalise(tree: Map, folder: Folder, report: Report) -> None:
    """Read the files of posteriors, in place, and give what is drawn from them its low and high."""
    _calibrations(tree, folder, report)
    section = tree.get("uncertainties")
    if not isinstance(section, dict):
        return
    for key, read in (("correlated", _correlated), ("posteriors", _posterior)):
        entries = section.get(key)
        for i, entry in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(entry, Map):
                entry.update(read(entry, folder, ("uncertainties", key, i), report))
                if entry.file and "origin" not in entry:
                    entry["origin"] = {"file": entry.file, "line": entry.line}
    posteriors = section.get("posteriors")
    columns: dict[str, Floats] = {}
    for entry in posteriors if isinstance(posteriors, list) else ():
        if isinstance(entry, Map) and entry.get("draws") and not (entry.broken or entry.get("ranges")):
            columns |= columns_of(entry["draws"])
    if columns:
        _ends(tree, columns)


def _correlated(entry: Map, folder: Folder, path: tuple[str | int, ...], report: Report) -> dict[str, Any]:
    del folder, path, report
    return with_grounds(entry, ("correlation",)) if entry.get("correlation") is not None else {}


def _posterior(entry: Map, folder: Folder, path: tuple[str | int, ...], report: Report) -> dict[str, Any]:
    """Return the name and the text of a posterior."""
    written = entry.get("file")
    try:
        if not entry.get("draws"):
            name, _ = folder.resolve(written, entry.file)
            entry["draws"] = folder.read(name, MAX_CSV_BYTES)
        columns_of(entry["draws"])
    except ValueError as error:
        named = "" if "; got " in str(error) and "line " not in str(error) else f"{quoted(written)} "
        report((*path, "file"), f"{named}{error}")
        entry.broken = True
    stem = PurePath(str(written or "")).stem
    return {"name": entry.get("name") or stem}


def _calibrations(tree: Map, folder: Folder, report: Report) -> None:
    """Read the posteriors that `parameters` names, in place, but those that have been read before."""
    given = tree.get("parameters")
    files = given if isinstance(given, list | tuple) else [given] * (given is not None)
    if files and tree.get("uncertainties") is None:
        tree["uncertainties"] = Map()
    section = tree.get("uncertainties")
    if not files or not isinstance(section, dict):
        return
    entries = list(section.get("posteriors") or ())
    old = [entry for entry in entries if isinstance(entry, dict) and entry.get("ranges")]
    fitted = {name: entry["file"] for entry in old for name in entry["ranges"]}
    for i, written in enumerate(files):
        path = ("parameters", i) if isinstance(given, list) else ("parameters",)
        if written in files[:i]:
            report(path, f"{quoted(written)} is there twice. Leave one out")
        elif written not in [entry["file"] for entry in old]:
            found = _calibration(written, tree, folder, path, report)
            twice = [name for name in found.get("ranges", ()) if name in fitted]
            if twice:
                more = f" and {len(twice) - 1} more" * (len(twice) > 1)
                shared = f"{quoted(written)} and {quoted(fitted[twice[0]])} both have {twice[0]}{more}"
                report(path, f"must have no uncertainty of another file; {shared}. Leave one of them out")
            elif found:
                entries.append(found)
                fitted |= dict.fromkeys(found["ranges"], written)
    section["posteriors"] = Seq(entries)


def read_calibration(
    file: str | io.BytesIO,
) -> tuple[dict[str, Floats], dict[str, tuple[str, ...]], dict[str, Any]]:
    """Read the rows of a posterior that `pharmsim calibrate` wrote.

    Parameters
    ----------
    file : str or BytesIO
        A netCDF file, or what one holds.

    Returns
    -------
    z : dict of str to float64 array, shape (rows,)
        Normal scores of every parameter, those of observations among them.
    ranges : dict of str to tuple of str
        Ranges that the parameters of the scenario were fitted with (`range_text`).
    attributes : dict
        Of the file: name, title, digests …

    Raises
    ------
    ValueError
        If it is no such file, in plain words.
    """
    import h5py

    try:
        with h5py.File(file, "r") as found:
            attributes = dict(found.attrs)
            ranges = {name: tuple(texts) for name, texts in json.loads(attributes["ranges"]).items()}
            group = found["unconstrained_posterior"]
            z = {str(name): np.ravel(group[name][...]) for name in group if name not in ("chain", "draw")}
    except (OSError, KeyError, TypeError, ValueError, AttributeError):
        raise ValueError("must be a posterior that `pharmsim calibrate` wrote (netCDF)") from None
    if not ranges or not set(ranges) <= set(z) or len({len(rows) for rows in z.values()}) > 1:
        raise ValueError("must hold as many rows of every parameter: calibrate again")
    if not all(np.isfinite(rows).all() for rows in z.values()):
        raise ValueError("must hold finite numbers: calibrate again")
    return z, ranges, attributes


def _calibration(written: Any, tree: Map, folder: Folder, path: tuple[str | int, ...], report: Report) -> Map:
    """Return the posterior that an entry of `parameters` names, empty after a report."""
    file, line = locate(tree, path)
    try:
        name, _ = folder.resolve(written, file, beside=CALIBRATIONS)
    except ValueError as error:
        report(path, str(error))
        return Map()
    try:
        found = _kept(folder.read_bytes(name, MAX_CSV_BYTES), PurePath(name))
    except ValueError as error:
        report(path, f"{quoted(written)} {error}")
        return Map()
    return Map({"file": written, **found, "origin": {"file": file, "line": line}}, file, line)


def _kept(data: bytes, path: PurePath) -> dict[str, Any]:
    """Return what a scenario keeps of the posterior of a calibration."""
    from scipy.special import ndtr

    z, ranges, attributes = read_calibration(io.BytesIO(data))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(ranges)
    writer.writerows(ndtr(np.column_stack([z[name] for name in ranges])).tolist())
    name, title = str(attributes.get("name", path.stem)), str(attributes.get("title", ""))
    return {
        "name": name,
        "draws": text.getvalue(),
        "source": f"calibration {name}{f': {title}' if title not in ('', name) else ''} ({path.name})",
        "evidence": "calibrated",
        "ranges": ranges,
        "converged": bool(attributes.get("converged", 1)),
        "sampled": attributes.get("sampler") != "laplace",
    }


def is_uncertain(node: Value | Range) -> bool:
    """Whether a number or a relative range has a low and a high end that differ."""
    return node.low is not None and node.high is not None and node.high > node.low


def range_text(node: Value | Range) -> str:
    """Return a range as text: two numbers with the same text are drawn alike.

    Examples
    --------
    >>> range_text(Range(low=0.6, high=1.6))
    '1 (0.6 to 1.6, pert)'
    """
    choices = [f"{value:.10g}: {share:.10g}" for value, share in sorted((node.choices or {}).items())]
    listed = ", ".join([node.dist or "pert", *choices])
    central = node.value if isinstance(node, Value) else 1.0
    return f"{central:.10g} ({node.low:.10g} to {node.high:.10g}, {listed})"


def _ends(node: Any, columns: dict[str, Floats]) -> None:
    """Write the lowest and the highest draw of a column into the numbers that are drawn from it."""
    if isinstance(node, dict):
        column = columns.get(str(node.get("uncertainty"))) if node.get("dist") == "empirical" else None
        if column is not None and "low" not in node:
            node["low"], node["high"] = float(column.min()), float(column.max())
        for item in node.values():
            _ends(item, columns)
    elif isinstance(node, list):
        for item in node:
            _ends(item, columns)
