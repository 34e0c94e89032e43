"""Targets: published numbers that a calibration is held against, one row of a CSV file each."""

from __future__ import annotations

import datetime as dt
import math
import os
from dataclasses import dataclass
from pathlib import Path

from pharmsim.errors import Problem, ScenarioError
from pharmsim.scenario.marks import closest, quoted
from pharmsim.scenario.reader import MAX_CSV_BYTES, Folder, parse_csv

COLUMNS = (
    "series", "measure", "role", "environment", "place", "geography", "date", "to", "value", "unit", "error",
    "definition", "confidence", "source", "note",
)  # fmt: skip
NEEDED = ("series", "measure", "geography", "unit", "definition", "source")
"""Columns that are text and must not be empty."""
UNITS = {
    "headcount": "heads",
    "people": "heads",
    "heads": "heads",
    "fte": "FTE",
    "share": "share",
    "per year": "share",
    "ratio": "ratio",
}
"""Words for units → the unit that a measure has."""
CONFIDENCES = ("seen", "derived")


@dataclass(frozen=True)
class Target:
    """A published number.

    Attributes
    ----------
    series : str
        Name of the time series that it belongs to.
    measure : str
        What pharmsim calls it (`readings.MEASURES`, or an output of `pharmsim.quantities`).
    role, environment, place : str
        Whom it is about; empty for all.
    geography : str
        Such as "Great Britain".
    date : date
        Of a stock; the first day of a flow's period.
    to : date or None
        Last day of a flow's period; None for a stock.
    value : float
        In `unit`.
    unit : str
        "heads", "FTE", "share" or "ratio".
    error : float
        Relative standard error of measurement.
    definition : str
        Which published definition it follows; numbers of two definitions are not comparable.
    confidence : str
        "seen" (read in the source) or "derived" (computed from what was).
    source, note : str
    file : str
    line : int
    """

    series: str
    measure: str
    role: str
    environment: str
    place: str
    geography: str
    date: dt.date
    to: dt.date | None
    value: float
    unit: str
    error: float
    definition: str
    confidence: str
    source: str
    note: str
    file: str = ""
    line: int = 0

    @property
    def title(self) -> str:
        """Series and dates, as people read them."""
        return f"{self.series} {self.date}" + (f" to {self.to}" if self.to else "")


def read_targets(path: str | os.PathLike[str]) -> tuple[Target, ...]:
    """Read a file of targets.

    Parameters
    ----------
    path : path
        A CSV file with the columns `COLUMNS`.

    Returns
    -------
    tuple of Target

    Raises
    ------
    ScenarioError
        With every problem found.
    """
    name = os.fspath(path)
    try:
        columns, rows = parse_csv(Folder(Path(name).parent).read(name, MAX_CSV_BYTES))
    except ValueError as error:
        raise ScenarioError([Problem(name, 0, "", str(error))]) from None
    bad = [
        *(Problem(name, 1, column, "must be a column of the targets; it is missing") for column in COLUMNS
          if column not in columns),
        *(Problem(name, 1, column, f"unknown column.{closest(column, COLUMNS)}") for column in columns
          if column not in COLUMNS),
    ]  # fmt: skip
    if bad:
        raise ScenarioError(bad)
    found = []
    for line, fields in rows:
        target, wrong = _target(dict(zip(columns, fields, strict=True)), name, line)
        bad += wrong
        found += [target] if target else []
    seen: dict[tuple[str, dt.date, dt.date | None], Target] = {}
    for target in found:
        first = seen.setdefault((target.series, target.date, target.to), target)
        if first is not target:
            bad.append(
                Problem(name, target.line, target.title, f"is there twice; first in line {first.line}")
            )
    if bad:
        raise ScenarioError(bad)
    return tuple(found)


def _target(row: dict[str, str], file: str, line: int) -> tuple[Target | None, list[Problem]]:
    """One row, or what is wrong with it."""
    bad: list[Problem] = []

    def wrong(column: str, message: str) -> None:
        bad.append(Problem(file, line, column, f"{message}; got {quoted(row[column])}"))

    bad += [Problem(file, line, column, "must not be empty") for column in NEEDED if not row[column]]
    first, last = _day(row["date"]), _day(row["to"]) if row["to"] else None
    if first is None:
        wrong("date", "must be a date such as 2025-03-31")
    if row["to"] and last is None:
        wrong("to", "must be the last day of the period such as 2025-03-31, or empty for a stock")
    if first and last and last <= first:
        wrong("to", f"must come after the first day, {first}")
    value, error = _number(row["value"]), _number(row["error"])
    if value is None:
        wrong("value", "must be a number without unit")
    if error is None or not 0.0 <= error < 1.0:
        wrong("error", "must be a relative standard error such as 0.005")
    if row["unit"].lower() not in UNITS:
        wrong("unit", f"must be one of {', '.join(UNITS)}")
    elif value is not None and UNITS[row["unit"].lower()] == "share" and abs(value) > 1.0:
        wrong("value", "must be a share, 1 at most: 8 % is 0.08")
    if row["confidence"] not in CONFIDENCES:
        wrong("confidence", f"must be {' or '.join(CONFIDENCES)}: what was only recalled is no target")
    if bad or first is None or value is None or error is None:
        return None, bad
    read = {"date": first, "to": last, "value": value, "error": error, "unit": UNITS[row["unit"].lower()]}
    return Target(**{**row, **read}, file=file, line=line), []  # type: ignore[arg-type]


def _day(written: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(written)
    except ValueError:
        return None


def _number(written: str) -> float | None:
    try:
        value = float(written)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def month_after(day: dt.date) -> tuple[int, int]:
    """Year and month that begins on a day, or on the day after it: 31 March is the stock of April."""
    after = day + dt.timedelta(days=1)
    return (after.year, after.month) if after.day == 1 else (day.year, day.month)
