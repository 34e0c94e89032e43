"""What uncertainties have to do with each other: correlations, and posteriors drawn as whole rows."""

from __future__ import annotations

from functools import lru_cache
from pathlib import PurePath
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pharmsim.scenario.lever_forms import with_grounds
from pharmsim.scenario.marks import Map, quoted
from pharmsim.scenario.reader import MAX_CSV_BYTES, Folder, parse_csv
from pharmsim.scenario.tables import Report
from pharmsim.scenario.values import Evidence, Frozen, Of, Origin, Value

Floats = NDArray[np.float64]


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
    """Draws of several uncertainties together, from a fit: a CSV file, one column each, one row a draw.

    A number takes part with ``dist: empirical`` and the name of a column as its `uncertainty`; rows are
    drawn whole, so that correlations stay. `draws` is the text of the file, kept so that results can be
    made again without it.
    """

    name: str = ""
    file: str = ""
    draws: str = ""
    source: str = ""
    evidence: Evidence = "unstated"
    note: str = ""
    origin: Origin | None = Field(default=None, exclude=True, repr=False)

    @property
    def columns(self) -> dict[str, Floats]:
        """Values of each uncertainty in the order of the rows."""
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
        if isinstance(entry, Map) and entry.get("draws") and not entry.broken:
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
