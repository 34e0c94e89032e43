"""Commands that weigh scenarios and levers: compare, solve."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from pharmsim.cli.shared import (
    Dask,
    Draws,
    EngineName,
    Engines,
    File,
    Files,
    Force,
    NoFigures,
    Out,
    Replicates,
    Resume,
    Seed,
    Threads,
    app,
    console,
    engine_of,
    how,
    say_if_cold,
)


@app.command()
def compare(
    base: Annotated[Path, typer.Argument(help="Scenario to compare with.", metavar="BASE")],
    files: Files,
    draws: Draws = 256,
    seed: Seed = 1,
    dates: Annotated[
        str, typer.Option(help='Dates apart by commas, such as "31 March 2028, 2030-10".', metavar="DATES")
    ] = "",
    objective: Annotated[
        list[str] | None,
        typer.Option(help='What to choose by: "fte", "retention, LEVEL", "vacancy_rate 8 %, ROLE" …'),
    ] = None,
    out: Out = None,
    force: Force = False,
    no_figures: NoFigures = False,
    no_attribution: Annotated[
        bool, typer.Option("--no-attribution", help="Do not say what each intervention adds.")
    ] = False,
    threads: Threads = None,
    resume: Resume = False,
    dask: Dask = None,
    engine: Engines = EngineName.COHORT,
    replicates: Replicates = None,
) -> None:
    """Run scenarios with the same draws and show how they differ from a base."""
    from pharmsim.report import comparison as report
    from pharmsim.report import comparison_text
    from pharmsim.results.folder import check_target
    from pharmsim.scenario import load_all
    from pharmsim.study.comparing import comparison as study
    from pharmsim.study.deciding import decide, objectives
    from pharmsim.study.resuming import blocks_beside

    scenarios = load_all((base, *files))
    asked, by = objectives.read_all(objective or (), scenarios[0]), engine_of(engine, replicates)
    folder = out or Path("results") / f"{base.stem}_compared"
    check_target(folder, force)
    at = dates.split(",") if dates else None
    with blocks_beside(folder, resume, force, len(scenarios)) as blocks:
        made = how(threads, dask, blocks, resume)
        say_if_cold()
        compared = study.compare(
            scenarios[0], scenarios[1:], draws=draws, seed=seed, dates=at, how=made, engine=by
        )
        compared = decide.decided(compared, asked)
        if not no_attribution and "levers" in compared.tables:
            took = comparison_text.duration(study.time_to_explain(compared))
            typer.echo(f"What each intervention adds: {took} (--no-attribution leaves it out) …", err=True)
            compared = study.explained(compared, made)
        report.write(compared, folder, force, figures=not no_figures)
    comparison_text.show(compared, console(), folder)


@app.command()
def solve(
    file: File,
    target: Annotated[
        str, typer.Option(help='"retention +2 points", "vacancy_rate -1 point", "fte 7806.9" …')
    ],
    lever: Annotated[list[str], typer.Option(help="Intervention or key path; several move together.")],
    level: Annotated[str | None, typer.Option(help="Level of retention.")] = None,
    role: Annotated[list[str] | None, typer.Option(help="Measure this role only.")] = None,
    environment: Annotated[list[str] | None, typer.Option(help="Measure this environment only.")] = None,
    by: Annotated[list[str] | None, typer.Option(help='Date, such as "31 March 2028".')] = None,
    start: Annotated[str | None, typer.Option(help="Month in which a lever of the library begins.")] = None,
    first: Annotated[str | None, typer.Option("--from", help='First level, or factor: "x 0.5".')] = None,
    last: Annotated[str | None, typer.Option("--to", help='Last level, or factor: "x 2".')] = None,
    draws: Draws = 256,
    seed: Seed = 1,
    out: Out = None,
    force: Force = False,
    no_figures: NoFigures = False,
    threads: Threads = None,
    dask: Dask = None,
    engine: Engines = EngineName.COHORT,
    replicates: Replicates = None,
) -> None:
    """Find the level of levers that reaches a target; exit code 1 if it is out of reach at every date."""
    from pharmsim.report import solve_files, solve_text
    from pharmsim.results.folder import check_target
    from pharmsim.study import runs
    from pharmsim.study.solving import question
    from pharmsim.study.solving import solve as study

    if out is not None:
        check_target(out, force)
    asked = question.read(
        file, target, lever, by or (), level=level, roles=role or (), environments=environment or (),
        first=first, last=last, start=start, ask=question.ask if sys.stdin.isatty() else None,
    )  # fmt: skip
    made, answering = how(threads, dask), engine_of(engine, replicates)
    say_if_cold()
    run = partial(runs.run, how=made)
    solution = study.solve(*asked, draws=draws, seed=seed, run=run, engine=answering)
    if out is not None:
        solve_files.write(solution, out, force, figures=not no_figures)
    solve_text.show(solution, console(), out)
    if not solution.found:
        raise typer.Exit(1)
