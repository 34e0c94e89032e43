"""Commands that hold the model against published numbers: calibrate, diagnose, backtest, score."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pharmsim.cli.shared import Force, NoFigures, Out, app, console


@app.command()
def diagnose(
    folder: Annotated[Path, typer.Argument(help="Results folder of a calibration.", metavar="RESULTS")],
    out: Out = None,
    force: Force = False,
    no_figures: NoFigures = False,
) -> None:
    """Say how far a calibration may be trusted: chains, fit, what the data say, what hangs on the prior."""
    from pharmsim.calibration import diagnosis
    from pharmsim.report import calibration_files, calibration_text
    from pharmsim.results.folder import check_target

    target = out or folder / "diagnosis"
    check_target(target, force)
    found = diagnosis.diagnose(diagnosis.read(folder))
    calibration_files.write(found, folder, target, force, figures=not no_figures)
    calibration_text.show(found, console(), target)
