"""A back-test on disk: text, tables, picture."""

from __future__ import annotations

from pathlib import Path

from pharmsim.calibration.backtest import Backtest
from pharmsim.report import backtest_figures
from pharmsim.report.backtest_text import page
from pharmsim.results.files import write_manifest
from pharmsim.results.folder import complete_or_nothing
from pharmsim.results.manifest import made
from pharmsim.results.text import write_tables
from pharmsim.scenario import digest

KIND = "backtest"
TEXT = "backtest.md"


def write(found: Backtest, folder: Path, force: bool = False, figures: bool = True) -> Path:
    """Write the folder of a back-test: all of it or nothing.

    Parameters
    ----------
    found : Backtest
    folder : Path
    force : bool
        Replace a results folder that is there.
    figures : bool

    Returns
    -------
    Path
        backtest.md, forecasts.csv, scores.csv, duels.csv, origins.csv, figures/, manifest.json.
    """
    told = made()
    with complete_or_nothing(folder, force) as partial:
        (partial / TEXT).write_text(page(found, " ".join(told["command"])), encoding="utf-8")
        tables = {
            "forecasts": found.forecasts,
            "scores": found.table,
            "duels": found.duels,
            "origins": found.fits,
        }
        write_tables(tables, partial)
        if figures:
            backtest_figures.write(found, partial / "figures")
        told |= {"kind": KIND, "scenario_digest": digest(found.calibration.scenario)}
        files = [{"path": path, "sha256": text} for path, text in found.calibration.files.items()]
        write_manifest({**told, "files": files}, partial)
    return folder
