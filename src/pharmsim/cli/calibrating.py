"""Commands that hold the model against published numbers: calibrate, diagnose, backtest, score."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pharmsim.cli.shared import Force, NoFigures, Resume, Threads, app, console, say_if_cold


@app.command()
def calibrate(
    file: Annotated[
        Path,
        typer.Argument(help="A calibration file (YAML), such as calibration/my_place.yaml.", metavar="FILE"),
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the results; by default results/FILE_calibrated.", metavar="FOLDER"),
    ] = None,
    force: Force = False,
    resume: Resume = False,
    seed: Annotated[int | None, typer.Option(min=0, help="Seed, instead of the file's.")] = None,
    steps: Annotated[int | None, typer.Option(min=10, help="Steps at most, instead of the file's.")] = None,
    map_only: Annotated[
        bool, typer.Option("--map-only", help="Find the best fit (most likely values) only: a first look.")
    ] = False,
    posterior: Annotated[
        Path | None,
        typer.Option(
            help="Write the posterior, for `parameters` of scenarios, here too (.nc).", metavar="FILE"
        ),
    ] = None,
    threads: Threads = None,
) -> None:
    """Fit a scenario's uncertain numbers to published ones: the posterior, and whether it has converged."""
    from pharmsim.calibration import calibrate as study
    from pharmsim.calibration.checkpoints import steps_beside
    from pharmsim.calibration.file import load_calibration
    from pharmsim.calibration.posterior import arviz
    from pharmsim.results.folder import check_target

    folder = out or Path("results") / f"{file.stem}_calibrated"
    check_target(folder, force)
    calibration = load_calibration(file)
    arviz()
    say_if_cold()
    with steps_beside(folder, resume, force) as place:
        done = study.calibrate(
            calibration, seed=seed, steps=steps, threads=threads, map_only=map_only, place=place, shown=True
        )
        study.write(done, folder, force, posterior)
        place.unfinished = done.mixed is not None and not done.converged
    typer.echo(study.summary(done))
    if place.unfinished:
        typer.echo(
            f"To go on from here: the same command with --resume --force --steps {2 * done.settings.steps}"
        )
    typer.echo(f"Written to {folder}" + (f" and {posterior}" if posterior else ""))


@app.command()
def diagnose(
    place: Annotated[
        Path,
        typer.Argument(help="Results folder of a calibration, or its posterior (.nc).", metavar="RESULTS"),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the diagnosis; by default `diagnosis` in the results folder.", metavar="FOLDER"
        ),
    ] = None,
    force: Force = False,
    no_figures: NoFigures = False,
) -> None:
    """Say how far a calibration may be trusted: chains, fit, what the data say, what hangs on the prior."""
    from pharmsim.calibration import diagnosis
    from pharmsim.report import calibration_files, calibration_text
    from pharmsim.results.folder import check_target

    alone = Path("results") / f"{place.stem}_diagnosis"
    target = out or (alone if place.is_file() else place / "diagnosis")
    check_target(target, force)
    found = diagnosis.diagnose(diagnosis.read(place))
    calibration_files.write(found, place, target, force, figures=not no_figures)
    calibration_text.show(found, console(), target)
