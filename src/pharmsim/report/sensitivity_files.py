"""What a measure depends on, on disk: tables, pictures, workbook, manifest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from pharmsim import __version__
from pharmsim.report import sensitivity_figures
from pharmsim.report.sensitivity_text import headlines
from pharmsim.results import impact, workbook
from pharmsim.results.files import write_answer
from pharmsim.results.folder import complete_or_nothing
from pharmsim.results.text import write_tables
from pharmsim.study.sensitivity.sensitivity import Sensitivity

KIND = "sensitivity"


def write(found: Sensitivity, folder: str | Path, force: bool = False, figures: bool = True) -> Path:
    """Write the folder of a sensitivity analysis: all of it or nothing.

    Parameters
    ----------
    found : Sensitivity
    folder : path
    force : bool
        Replace a results folder that is there.
    figures : bool

    Returns
    -------
    Path
        tornado.csv, indices.csv (if any index was asked for), assumptions.csv and .md, workbook.xlsx,
        scenario.json, figures/, manifest.json.
    """
    with complete_or_nothing(folder, force) as partial:
        write_tables(tables(found), partial)
        text = impact.as_markdown(found.scenario, found.assumptions)
        (partial / "assumptions.md").write_text(text, encoding="utf-8")
        _workbook(found, partial / "workbook.xlsx")
        if figures:
            sensitivity_figures.write(found, partial / "figures")
        meta = {**found.meta, "n_draws": found.draws}
        write_answer(found.scenario, meta, partial, KIND, _question(found))
    return Path(folder)


def tables(found: Sensitivity) -> dict[str, pd.DataFrame]:
    """Tables by the name of their file; those with nothing in them are left out."""
    every = {"tornado": found.tornado, "indices": found.indices, "assumptions": found.assumptions}
    return {name: table for name, table in every.items() if len(table)}


def _question(found: Sensitivity) -> dict[str, Any]:
    return {
        "of": [subject.quantity for subject in found.subjects],
        "levels": [subject.level for subject in found.subjects],
        "roles": list(found.subjects[0].roles),
        "environments": list(found.subjects[0].environments),
        "dates": [str(date)[:10] for date in found.dates],
        "methods": list(found.methods),
        "notes": list(found.notes),
    }


def _workbook(found: Sensitivity, path: Path) -> None:
    """All tables as sheets, with what matters most on the first."""
    book = workbook.Book(path, found.scenario.name)
    lines = [
        ("Scenario", found.scenario.name),
        ("Made by", f"pharmsim {__version__}"),
        ("Draws", f"{found.draws:,}"),
        *(("In short", text) for text in headlines(found.tornado)),
        *(("Note", text) for text in found.notes),
    ]
    sheets = tables(found)
    sheets["impact"] = sheets.pop("assumptions")
    book.readme(f"What matters most for {found.scenario.name}", lines, list(sheets))
    for name, table in sheets.items():
        kinds = {"share": "share", "priority": "ratio", "rank": "heads", "index": "ratio"}
        book.sheet(workbook.TITLES[name], table, kinds, 1)
    book.close()
