"""Commands on forecasts and what came of them: backtest, freeze, score."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pharmsim.cli.shared import Force, ForceFile, NoFigures, Out, Threads, app, console, say_if_cold

CalibrationFile = Annotated[Path, typer.Argument(help="A calibration file (YAML).", metavar="FILE")]


@app.command()
def backtest(
    file: CalibrationFile,
    out: Out = None,
    force: Force = False,
    no_figures: NoFigures = False,
    threads: Threads = None,
    page: Annotated[
        Path | None, typer.Option(help="Write the text to this file as well.", metavar="FILE")
    ] = None,
) -> None:
    """Forecast from every past origin with what was known there, and score beside simple forecasts."""
    from pharmsim.calibration.backtest import backtest as study
    from pharmsim.calibration.file import load_calibration
    from pharmsim.report import backtest_files, backtest_text
    from pharmsim.results.folder import check_target

    folder = out or Path("results") / f"{file.stem}_backtest"
    check_target(folder, force)
    calibration = load_calibration(file)
    say_if_cold()
    found = study(calibration, threads, say=lambda text: typer.echo(text, err=True))
    backtest_files.write(found, folder, force, figures=not no_figures)
    if page is not None:
        text = backtest_text.page(found, f"pharmsim backtest {file.as_posix()} --page {page.as_posix()}")
        page.write_text(text, encoding="utf-8")
    backtest_text.show(found, console())
    typer.echo(f"Written to {folder}" + (f" and {page}" if page else ""))


@app.command()
def freeze(
    file: CalibrationFile,
    target: Annotated[
        Path, typer.Argument(help="File of the forecast (CSV), which must not exist.", metavar="CSV")
    ],
    posterior: Annotated[
        Path | None, typer.Option(help="Draw from this posterior instead of fitting.", metavar="FILE")
    ] = None,
    years: Annotated[int, typer.Option(min=1, max=30, help="Years after the last published figure.")] = 5,
    force: ForceFile = False,
    threads: Threads = None,
) -> None:
    """Write a forecast that is not touched again, to be scored when the figures come."""
    from datetime import UTC, datetime

    from pharmsim import __version__
    from pharmsim.calibration import frozen
    from pharmsim.calibration.file import load_calibration
    from pharmsim.results.manifest import file_digest

    frozen.check(target, force)
    calibration = load_calibration(file)
    z, basis = None, "best fit and importance resampling"
    if posterior is not None:
        z = frozen.posterior_of(posterior, calibration)
        basis = f"{posterior.name}, SHA-256 {file_digest(posterior)}"
    say_if_cold()
    frame = frozen.freeze(calibration, z, years, threads)
    about = frozen.about(calibration, datetime.now(UTC).date(), __version__, basis)
    frozen.write(frame, target, about, force)
    typer.echo(f"Written to {target}: {frame['date'].nunique()} dates, {frame['method'].nunique()} methods")


@app.command()
def score(
    forecast: Annotated[Path, typer.Argument(help="A frozen forecast.", metavar="FORECAST")],
    targets: Annotated[
        Path, typer.Argument(help="Published figures (CSV) with the new ones.", metavar="TARGETS")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Write the scores to this file (CSV).", metavar="CSV")
    ] = None,
) -> None:
    """Score a frozen forecast against the figures that have come."""
    from pharmsim.calibration import frozen
    from pharmsim.report import backtest_text
    from pharmsim.results.text import write_csv

    frame = frozen.score(forecast, targets)
    backtest_text.scored(frame, frozen.read(forecast)[1], console())
    if out is not None:
        write_csv(frame, out)
        typer.echo(f"Written to {out}")
