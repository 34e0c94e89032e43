"""A comparison on disk: tables, workbook, figures, the runs behind it, manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from pharmsim import __version__
from pharmsim.report import (
    attribution_figures,
    comparison_figures,
    comparison_text,
    deciding_figures,
    deciding_text,
    style,
)
from pharmsim.results import assumptions, manifest, workbook
from pharmsim.results.columns import ALL
from pharmsim.results.files import SCENARIO, write_json, write_manifest
from pharmsim.results.folder import complete_or_nothing
from pharmsim.results.rows import word
from pharmsim.results.text import file_name, write_tables
from pharmsim.study.comparing.comparison import Comparison, unique_names

FIGURES = "figures"


def write(compared: Comparison, folder: str | Path, force: bool = False, figures: bool = True) -> Path:
    """Write a comparison's folder: all of it or nothing.

    Parameters
    ----------
    compared : Comparison
    folder : path
    force : bool
        Replace a results folder that is there.
    figures : bool

    Returns
    -------
    Path
        A CSV for each table, workbook.xlsx, figures/, manifest.json, and one folder of tables a scenario.
    """
    with complete_or_nothing(folder, force) as partial:
        write_tables(compared.tables, partial)
        _workbook(compared, partial / "workbook.xlsx")
        if figures:
            write_figures(compared, partial / FIGURES)
        _scenarios(compared, partial)
    return Path(folder)


def write_figures(compared: Comparison, folder: Path) -> list[Path]:
    """Draw every picture that the comparison has data for."""
    paths = comparison_figures.write(compared, folder)
    foot = style.footnote(compared.base, "difference: scenario less base")
    paths += deciding_figures.write(compared.tables, folder, foot)
    return paths + attribution_figures.write(compared.tables, folder, foot, word(compared.base.meta))


def places(compared: Comparison) -> list[str]:
    """Folder names of the base and the scenarios."""
    titles = ["base", *compared.names]
    return list(unique_names([f"{i:02d}_{file_name(title)[:40]}" for i, title in enumerate(titles)]))


def _scenarios(compared: Comparison, folder: Path) -> None:
    """Tables, assumptions and the resolved scenario of every run, and the manifest of all."""
    from pharmsim.scenario import to_dict

    runs = [compared.base, *compared.others]
    made: dict[str, Any] = {}
    entries = []
    for run, title, place in zip(runs, ["base", *compared.names], places(compared), strict=True):
        target = folder / "scenarios" / place
        target.mkdir(parents=True)
        write_tables({**run.tables, "assumptions": assumptions.as_frame(run.scenario)}, target)
        description = to_dict(run.scenario)
        write_json(description, target / SCENARIO)
        made = manifest.manifest(description, run.meta, run.digests)
        one = {key: made[key] for key in ("scenario", "files", "warnings", "uncertainties", "results")}
        entries.append({"title": title, "folder": f"scenarios/{place}", **one})
    shared = {key: value for key, value in made.items() if key not in entries[0]}
    told = {"kind": "comparison", "warnings": list(compared.warnings)}
    write_manifest({**shared, **told, "scenarios": entries}, folder)


# -- workbook -----------------------------------------------------------------------------------------------

SHEETS = {
    "choice": "choice",
    "value_of_information": "information",
    "failing_futures": "failing",
    "displacement": "displacement",
    "costs": "costs",
    "flows": "moved",
    "trajectories": "trajectories",
    "levers": "levers",
    "attribution": "attribution",
    "break_even": "break_even",
    "grounds": "grounds",
}
"""Tables of a comparison (besides the differences), and the sheet of each, in order."""
SHARES = ("share", "share per year")
SHARED = ("p_better", "from_chance", "uptake", "share", "share_with_gain", "share_of_all")
"""Columns that hold shares."""
IN_VIEW = {"levers": 3, "costs": 2, "break_even": 2, "information": 5}
"""Columns that stay in view where they are not four."""


def _workbook(compared: Comparison, path: Path) -> None:
    scenario = compared.base.scenario
    lines = [
        ("Base", scenario.name),
        *(("Compared", name) for name in compared.names),
        *(("In short", text) for text in comparison_text.headlines(compared)),
        *(("The choice", text) for text in deciding_text.sentences(compared.tables)),
        *(("Warning", text) for text in compared.warnings),
        ("Draws", comparison_text.draws_of(compared)),
        ("Made by", f"pharmsim {__version__}"),
    ]
    frame = compared.differences
    shares = frame["unit"].isin(SHARES)
    parts = {"differences": frame[~shares].drop(columns="level"), "rates": frame[shares]}
    made = compared.tables
    parts |= {sheet: _shown(name, made[name]) for name, sheet in SHEETS.items() if name in made}
    parts = {name: table.reset_index(drop=True) for name, table in parts.items() if len(table)}
    book = workbook.Book(path, f"Compared with {scenario.name}")
    book.readme(f"Compared with {scenario.name}", lines, list(parts))
    for name, table in parts.items():
        kinds = {str(column): _kind(name, str(column)) for column in table.columns}
        book.sheet(workbook.TITLES[name], table, kinds, IN_VIEW.get(name, 4))
    book.close()


def _shown(name: str, table: pd.DataFrame) -> pd.DataFrame:
    """The table as the workbook has it: of trajectories, the whole system."""
    if name != "trajectories":
        return table
    return table[(table["role"] == ALL) & (table["environment"] == ALL)]


def _kind(sheet: str, column: str) -> str:
    """Number format of a column."""
    if column in SHARED or column.startswith(("p_best", "p_fails", "density", "coverage")):
        return "share"
    if column.startswith("per_gained"):
        return "ratio"
    return {"rates": "points", "trajectories": "number", "grounds": "number", "information": "number"}.get(
        sheet, "FTE"
    )
