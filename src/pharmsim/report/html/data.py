"""What the HTML report reads: a results folder of a run or of a comparison, checked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from pharmsim.errors import OutputError
from pharmsim.results import manifest, rows
from pharmsim.results.files import SCENARIO
from pharmsim.results.text import DANGEROUS

SPREAD = ("median", "p5", "p25", "p75", "p95")
KEYS = ("scenario", "date", "quantity")
NEEDED: dict[str, tuple[str, ...]] = {
    "differences": (*KEYS, "level", "role", "environment", "unit", "base", "value", "difference"),
    "trajectories": (*KEYS, "role", "environment", "unit"),
    "flows": ("scenario", "from", "to", "from_kind", "to_kind", "base", "value", "difference"),
    "displacement": (*KEYS, "role", "losers"),
}
"""Tables that every comparison has, and columns without which nothing can be said."""
EXTRA: dict[str, tuple[str, ...]] = {
    "costs": ("scenario", "item", "unit"),
    "levers": ("scenario", "name", "title", "level", "category", "reach", "uptake", "start", "evidence"),
    "attribution": (*KEYS, "lever", "value", "alone"),
    "break_even": ("scenario", "lever", "effect", "criterion", "found"),
    "grounds": (*KEYS, "grade", "share"),
    "choice": (
        *("objective", "unit", "date", "scenario", "mean_gain", "p5_gain", "p95_gain", "p_best"),
        *("mean_regret", "p_fails"),
    ),
    "value_of_information": ("objective", "uncertainty", "title", "evidence", "value", "p5", "p95", "found"),
    "failing_futures": ("objective", "scenario", "fails", "what", "where", "density", "coverage"),
    "targets": (),
}
"""Tables that are there only if there is something to put in, and it was asked for."""
OF_RUN: dict[str, tuple[str, ...]] = {
    "workforce": ("date", "role", "environment", "quantity", "unit", "central"),
    "retention": ("year_from", "year_to", "level", "by", "block", "measure", "central"),
}
"""Tables of a run that the report shows."""
EXTRA_OF_RUN: dict[str, tuple[str, ...]] = {
    "need": ("year_from", "year_to", "role", "environment", "quantity", "unit", "central"),
    "budgets": ("year_from", "year_to", "budget", "quantity", "unit", "central"),
}
OF_SOLVE: dict[str, tuple[str, ...]] = {
    "solve": (
        "date",
        "measured",
        "target",
        "status",
        "lever",
        "level",
        "level_unit",
        "unit",
        "start",
        "base",
        "value",
    ),
    "costs": ("date",),
    "evidence": ("lever", "effect", "value", "low", "high", "evidence", "source"),
}
"""Tables of an answer of `solve`; without money that of costs has no rows."""
OF_SENSITIVITY: dict[str, tuple[str, ...]] = {
    "tornado": (
        *("measure", "level", "role", "environment", "date", "unit", "uncertainty", "title", "numbers"),
        *("from", "to", "number_unit", "evidence", "central", "change_low", "change_high", "share"),
    ),
    "assumptions": ("rank", "impact", "title", "measure", "share", "uncertainty", "evidence"),
}
EXTRA_OF_SENSITIVITY: dict[str, tuple[str, ...]] = {
    "indices": ("measure", "date", "method", "uncertainty", "title", "index", "low", "high", "floor"),
}
TABLES: dict[str, tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]] = {
    "comparison": (NEEDED, EXTRA),
    "run": (OF_RUN, EXTRA_OF_RUN),
    "solve": (OF_SOLVE, {}),
    "sensitivity": (OF_SENSITIVITY, EXTRA_OF_SENSITIVITY),
}
"""Tables by kind of folder: those that are there, and those that may be."""
COMMANDS = {"comparison": "compare", "run": "run", "solve": "solve", "sensitivity": "sensitivity"}
TEXTS = ("scenario", "level", "role", "environment", "unit", "quantity", "losers", "block", "by")
NUMBERS = ("base", "difference", "central", "share", "alone", *SPREAD)
DATES = ("date", "year_from", "year_to")


@dataclass(frozen=True)
class Inputs:
    """Numbers that went into one scenario.

    Attributes
    ----------
    title : str
        "base", or the name of the scenario.
    table : DataFrame
        As in assumptions.csv.
    """

    title: str
    table: pd.DataFrame


@dataclass(frozen=True)
class ResultsFolder:
    """A results folder as read.

    Attributes
    ----------
    path : Path
    kind : str
        "run", "comparison", "solve" or "sensitivity".
    made : dict
        The manifest.
    base : str
        Name of the scenario, or of the base.
    tables : dict
        Name of the file without ``.csv`` → table. Columns of `SPREAD` are there, missing without draws.
    inputs : list of Inputs
    names : dict
        Titles of roles and environments.
    warnings : list of str
    figures : list of Path
        Pictures as SVG.
    """

    path: Path
    kind: str
    made: dict[str, Any]
    base: str
    tables: dict[str, pd.DataFrame]
    inputs: list[Inputs]
    names: dict[str, str]
    warnings: list[str] = field(default_factory=list)
    figures: list[Path] = field(default_factory=list)

    @property
    def rows(self) -> str:
        """What the numbers were made of, in a word: draws, or futures."""
        return rows.word(self.made)

    @property
    def compared(self) -> bool:
        """Whether it is a comparison's."""
        return self.kind == "comparison"

    @property
    def scenarios(self) -> list[str]:
        """Names of what is compared with the base; none in a run."""
        frame = self.tables.get("differences")
        return [] if frame is None else list(dict.fromkeys(frame["scenario"]))

    def of(self, table: str, scenario: str) -> pd.DataFrame:
        """Rows of one scenario, none if the table is not there."""
        frame = self.tables.get(table)
        if frame is None:
            return pd.DataFrame(columns=[*{**NEEDED, **EXTRA}[table], *SPREAD, "over"])
        return frame[frame["scenario"] == scenario]

    def name(self, label: str) -> str:
        """Title of a role or environment; of "role/environment" both."""
        parts = [self.names.get(part, part.replace("_", " ")) for part in label.split("/")]
        return ", ".join(reversed(parts))


def read(folder: Path) -> ResultsFolder:
    """Read a results folder.

    Parameters
    ----------
    folder : Path
        Written by `pharmsim run`, `compare`, `solve` or `sensitivity`.

    Returns
    -------
    ResultsFolder

    Raises
    ------
    OutputError
        If it is none, or files or columns are missing: all of them in one message.
    """
    if not folder.is_dir():
        raise OutputError(
            f"{folder}: must be a results folder; there is no such folder. Give the folder of a run."
        )
    made = manifest.read(folder)
    kind = str(made.get("kind") or "run")
    if kind not in TABLES:
        known = ", ".join(f"`pharmsim {command}`" for command in COMMANDS.values())
        raise OutputError(f"{folder}: must be written by {known}; it holds a {kind}. Give another folder.")
    entries: Any = made.get("scenarios") if kind == "comparison" else [{"title": "", "folder": ".", **made}]
    _check_entries(entries, folder)
    tables = _tables(folder / "tables" if kind == "run" else folder, kind)
    scenarios = [_json(folder / entry["folder"] / SCENARIO) for entry in entries]
    names: dict[str, str] = {}
    for scenario in reversed(scenarios):
        names |= {**scenario.get("roles", {}), **scenario.get("environments", {})}
    inputs = [
        Inputs(str(entry["title"]), _csv(folder / entry["folder"] / "assumptions.csv", ("id", "evidence")))
        for entry in entries
    ]
    return ResultsFolder(
        folder, kind, made, str(scenarios[0].get("name", "")), tables, inputs, names,
        _warnings(made, entries), sorted((folder / "figures").glob("*.svg")),
    )  # fmt: skip


def _check_entries(entries: Any, folder: Path) -> None:
    """Refuse a list of scenarios that names no folders, or folders elsewhere."""
    rule = "must name the folder of every scenario inside of the results folder"
    good = isinstance(entries, list) and len(entries) > 0
    for entry in entries if good else ():
        place = entry.get("folder") if isinstance(entry, dict) else None
        good &= isinstance(place, str) and "title" in entry
        good = good and (folder / str(place)).resolve().is_relative_to(folder.resolve())
    if not good:
        raise OutputError(
            f"{folder / manifest.MANIFEST}: scenarios {rule}; it does not. Run the comparison again."
        )


def _tables(folder: Path, kind: str) -> dict[str, pd.DataFrame]:
    """Read the tables, those that must be there and those that may."""
    needed, extra = TABLES[kind]
    missing = [f"{name}.csv" for name in needed if not (folder / f"{name}.csv").is_file()]
    if missing:
        raise OutputError(
            f"{folder}: must hold {', '.join(f'{name}.csv' for name in needed)}; "
            f"missing: {', '.join(missing)}. "
            f"Make it again with `pharmsim {COMMANDS[kind]}`."
        )
    there = {
        name: columns for name, columns in {**needed, **extra}.items() if (folder / f"{name}.csv").is_file()
    }
    problems: list[str] = []
    tables: dict[str, pd.DataFrame] = {}
    for name, columns in there.items():
        try:
            tables[name] = _csv(folder / f"{name}.csv", columns)
        except OutputError as error:
            problems.append(str(error))
    if problems:
        raise OutputError("\n".join(problems))
    return tables


def _csv(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read a table; texts are texts, dates are dates, percentiles are there."""
    try:
        frame = _typed(pd.read_csv(path, keep_default_na=False, na_values=[""], encoding="utf-8"))
    except (OSError, ValueError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise OutputError(
            f"{path}: must be a table; cannot be read ({reason}). Make the folder again."
        ) from error
    lacking = [name for name in columns if name not in frame]
    if lacking:
        raise OutputError(
            f"{path}: must have the columns {', '.join(columns)}; missing: {', '.join(lacking)}. "
            "Make the folder again with this version."
        )
    for name in (*SPREAD, *TEXTS, "over"):
        if name not in frame:
            frame[name] = float("nan") if name in SPREAD else "date" if name == "over" else ""
    return frame


def _typed(frame: pd.DataFrame) -> pd.DataFrame:
    """Texts as texts, dates as dates, numbers as numbers."""
    frame = frame.rename(columns={"p50": "median"})
    for name in frame:
        if name in NUMBERS:
            frame[name] = pd.to_numeric(frame[name])
        elif name in DATES:
            frame[name] = pd.to_datetime(frame[name], format="ISO8601")
        elif frame[name].dtype.kind not in "biuf":
            frame[name] = frame[name].map(_text)
        if name in TEXTS:
            frame[name] = frame[name].astype(object).fillna("").astype(str)
    return frame


def without_gaps(frame: pd.DataFrame) -> pd.DataFrame:
    """The same table with empty text where nothing is known."""
    return frame.astype(object).where(frame.notna(), "")


def _text(value: Any) -> Any:
    """Take away the mark that keeps spreadsheets from running a text."""
    marked = isinstance(value, str) and value.startswith("'") and value[1:].startswith(DANGEROUS)
    return value[1:] if marked else value


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OutputError(
            f"{path}: must hold the scenario; cannot be read ({error}). Run it again."
        ) from error
    return found if isinstance(found, dict) else {}


def _warnings(made: dict[str, Any], entries: Iterable[dict[str, Any]]) -> list[str]:
    """Every warning once, with the scenario it is of in a comparison."""
    found = [str(text) for text in made.get("warnings") or []]
    for entry in entries:
        title = str(entry["title"])
        told = entry.get("warnings") or []
        found += [f"{title}: {text}" if title else str(text) for text in told]
    return list(dict.fromkeys(found))
