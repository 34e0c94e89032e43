"""The command that says what matters most: sensitivity."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pharmsim.cli.shared import (
    Dask,
    File,
    Force,
    NoFigures,
    Out,
    Seed,
    Threads,
    app,
    console,
    how,
    say_if_cold,
)


@app.command()
def sensitivity(
    file: File,
    of: Annotated[
        list[str] | None, typer.Option(help='Measure: "retention", "delivered_fte", "total_cost" …')
    ] = None,
    level: Annotated[str | None, typer.Option(help="Level of retention.")] = None,
    role: Annotated[list[str] | None, typer.Option(help="Measure this role only.")] = None,
    environment: Annotated[list[str] | None, typer.Option(help="Measure this environment only.")] = None,
    by: Annotated[list[str] | None, typer.Option(help='Date, such as "31 March 2028".')] = None,
    draws: Annotated[int, typer.Option(min=0, help="Draws of the ensemble.")] = 256,
    seed: Seed = 1,
    method: Annotated[
        str, typer.Option(help="Apart by commas: tornado, prcc, delta, pawn, sobol.")
    ] = "tornado,prcc",
    sobol_runs: Annotated[
        int, typer.Option(min=0, help="Runs for Sobol' indices; 0: 512 × (uncertainties + 2).")
    ] = 0,
    out: Out = None,
    force: Force = False,
    no_figures: NoFigures = False,
    threads: Threads = None,
    dask: Dask = None,
) -> None:
    """Say what measures depend on most, and how good the evidence for it is."""
    from pharmsim.report import sensitivity_files, sensitivity_text
    from pharmsim.results.folder import check_target
    from pharmsim.scenario import load
    from pharmsim.study.sensitivity import question
    from pharmsim.study.sensitivity import sensitivity as study

    folder = out or Path("results") / f"{file.stem}_sensitivity"
    check_target(folder, force)
    made = how(threads, dask)
    scenario = load(file)
    asked = question.read(
        scenario, of or (), by or (), level=level, roles=role or (), environments=environment or (),
        methods=[name.strip() for name in method.split(",")], draws=draws,
    )  # fmt: skip
    say_if_cold()
    found = study.sensitivity(
        scenario, *asked, draws=draws, seed=seed, sobol_runs=sobol_runs,
        how=made, say=lambda text: typer.echo(text, err=True),
    )  # fmt: skip
    sensitivity_files.write(found, folder, force, figures=not no_figures)
    sensitivity_text.show(found, console(), folder)
