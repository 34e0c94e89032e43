"""Commands that run one scenario, and what is done with a results folder: run, reproduce, report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pharmsim.cli.shared import (
    Dask,
    Draws,
    EngineName,
    Engines,
    File,
    Force,
    ForceFile,
    Keep,
    NoFigures,
    Out,
    Replicates,
    Resume,
    Seed,
    Step,
    Threads,
    app,
    console,
    engine_of,
    how,
    load_scenario,
    say_if_cold,
)

if TYPE_CHECKING:
    from pharmsim.results.files import Writer
    from pharmsim.results.labelled import Results


@app.command()
def run(
    file: File,
    draws: Draws = 256,
    seed: Seed = 1,
    out: Out = None,
    force: Force = False,
    no_figures: NoFigures = False,
    step: Annotated[Step | None, typer.Option(help="Length of a step, instead of the scenario's.")] = None,
    keep: Annotated[
        Keep, typer.Option(help="Of draws, keep every year in draws.nc, or all months in results.nc.")
    ] = Keep.SUMMARY,
    threads: Threads = None,
    resume: Resume = False,
    dask: Dask = None,
    engine: Engines = EngineName.COHORT,
    replicates: Replicates = None,
) -> None:
    """Run a scenario and write a results folder."""
    scenario, by = load_scenario(file, step), engine_of(engine, replicates)
    from pharmsim.report import summary
    from pharmsim.results import files
    from pharmsim.results.folder import check_target

    folder = out or Path("results") / file.stem
    check_target(folder, force)
    from pharmsim.study import runs
    from pharmsim.study.resuming import blocks_beside

    draws = runs.enough(scenario, draws, by)
    with blocks_beside(folder, resume, force) as blocks:
        made = how(threads, dask, blocks / "1", resume)
        say_if_cold()
        results = runs.told_of_idle(runs.run(scenario, draws=draws, seed=seed, how=made, engine=by))
        files.write(results, folder, force, also=_pictures(results, no_figures), keep=keep.value)
        summary.show(results, console(), folder)


def _pictures(results: Results, no_figures: bool) -> list[Writer]:
    """What draws the pictures of a run into its folder."""
    if no_figures:
        return []

    def draw(folder: Path) -> None:
        from pharmsim.report import diagram, figures, loops_diagram
        from pharmsim.report.system_text import feedbacks_on

        figures.write_figures(results, folder)
        diagram.write(results.scenario, folder / figures.FOLDER / "diagram.svg")
        if feedbacks_on(results.scenario):
            loops_diagram.write(results.scenario, folder / figures.FOLDER / "loops.svg")

    return [draw]


@app.command()
def reproduce(
    folder: Annotated[Path, typer.Argument(help="Results folder of a run or comparison.", metavar="RUN")],
) -> None:
    """Run a results folder's scenario again and compare every number; name files changed since."""
    from pharmsim.results import reproduce as again

    say_if_cold()
    outcome = again.reproduce(folder)
    typer.echo(outcome.text())
    if not (outcome.equal and outcome.whole):
        raise typer.Exit(1)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="Results folder of a run or comparison.", metavar="RUN")],
    out: Annotated[
        Path | None, typer.Option(help="HTML file to write, instead of report.html there.", metavar="FILE")
    ] = None,
    force: ForceFile = False,
) -> None:
    """Write a results folder as one HTML file, to read, print and send.

    Nothing is run: engine, draws and replicates are those of the folder.
    """
    from pharmsim.report.html import page as html

    typer.echo(html.write(folder, out, force))
