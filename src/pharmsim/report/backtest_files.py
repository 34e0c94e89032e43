"""A back-test on disk: text, tables, picture."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from pharmsim import __version__
from pharmsim.calibration.backtest import Backtest
from pharmsim.report import backtest_figures
from pharmsim.report.backtest_text import page
from pharmsim.results.files import write_manifest
from pharmsim.results.folder import complete_or_nothing
from pharmsim.results.text import write_csv
from pharmsim.scenario import digest

KIND = "backtest"
TEXT = "backtest.md"


def write(
    found: Backtest,
    folder: Path,
    force: bool = False,
    figures: bool = True,
    command: Iterable[str] | None = None,
) -> Path:
    """Write the folder of a back-test: all of it or nothing.

    Parameters
    ----------
    found : Backtest
    folder : Path
    force : bool
        Replace a results folder that is there.
    figures : bool
    command : iterable of str, optional
        Words of the command; by default those of this process.

    Returns
    -------
    Path
        backtest.md, forecasts.csv, scores.csv, duels.csv, origins.csv, figures/, manifest.json.
    """
    words = list(command) if command is not None else [Path(sys.argv[0]).name, *sys.argv[1:]]
    with complete_or_nothing(folder, force) as partial:
        (partial / TEXT).write_text(page(found, " ".join(words)), encoding="utf-8")
        tables = {
            "forecasts": found.forecasts,
            "scores": found.table,
            "duels": found.duels,
            "origins": found.fits,
        }
        for name, table in tables.items():
            write_csv(table, partial / f"{name}.csv")
        if figures:
            backtest_figures.write(found, partial / "figures")
        made = {
            "pharmsim": __version__, "kind": KIND, "command": words,
            "written": datetime.now(UTC).isoformat(timespec="seconds"),
            "scenario_digest": digest(found.calibration.scenario),
            "files": [{"path": path, "sha256": text} for path, text in found.calibration.files.items()],
        }  # fmt: skip
        write_manifest(made, partial)
    return folder
