"""What all commands share: the application, options, and how a scenario file is opened."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from pharmsim.study.ensemble import How

app = typer.Typer(
    name="pharmsim",
    help="Workforce supply simulation from scenario files.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


class Step(StrEnum):
    """Length of a step."""

    MONTH = "month"
    HALF = "month/2"
    QUARTER = "month/4"
    EIGHTH = "month/8"
    YEAR = "year"


File = Annotated[Path, typer.Argument(help="A scenario file (YAML).", metavar="FILE")]
Files = Annotated[list[Path], typer.Argument(help="Scenario files (YAML).", metavar="FILE…")]
Draws = Annotated[int, typer.Option(min=0, help="Draws of the uncertainties besides the central values.")]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the draws.")]
Force = Annotated[bool, typer.Option("--force", help="Replace a results folder that is there.")]
ForceFile = Annotated[bool, typer.Option("--force", help="Replace a file that is there.")]
NoFigures = Annotated[bool, typer.Option("--no-figures", help="Write no pictures.")]
Out = Annotated[Path | None, typer.Option(help="Folder for the results.", metavar="FOLDER")]
Threads = Annotated[int | None, typer.Option(min=1, help="Threads, instead of one for each core.")]
Resume = Annotated[bool, typer.Option("--resume", help="Continue what was interrupted.")]
Dask = Annotated[
    str | None, typer.Option(help="Run the draws on the workers of this Dask scheduler.", metavar="ADDRESS")
]


def console() -> Console:
    """Terminal for tables and texts."""
    from rich.console import Console

    return Console(highlight=False, markup=False)


def load_scenario(file: Path, step: Step | None) -> Any:
    """Scenario of a file, with another step if one is given."""
    from pharmsim.scenario import load

    scenario = load(file)
    if step is None:
        return scenario
    from pharmsim.scenario import from_dict, to_dict

    from_dict({**to_dict(scenario), "step": step.value})  # all checks again, with the other step
    return scenario.model_copy(update={"step": step.value})


class EngineName(StrEnum):
    """Engines, by their names in `pharmsim.compiled.draws`."""

    COHORT = "cohort"
    CHAIN = "chain"
    CAREERS = "careers"


Engines = Annotated[
    EngineName,
    typer.Option(help="Expectations, or whole people by chance: month by month, or career by career."),
]
MOST = 100_000
"""Replicates at most: a share that is counted in so many is known to 0.3 points (95 %)."""
Replicates = Annotated[
    int | None,
    typer.Option(
        min=1, max=MOST, help="Replicates of each draw, with engines of chance; by default 4.", metavar="N"
    ),
]
REPLICATES = 4


def engine_of(name: EngineName, replicates: int | None) -> Any:
    """Engine of a command."""
    from pharmsim.compiled.draws import Engine
    from pharmsim.errors import InputError

    if name is EngineName.COHORT and replicates is not None:
        raise InputError(
            f"--replicates — must go with an engine of chance; expectations need none — got {replicates} — "
            "type --engine chain, or leave it out"
        )
    return Engine(name.value, 1 if name is EngineName.COHORT else replicates or REPLICATES)


class Keep(StrEnum):
    """What is kept of every draw."""

    SUMMARY = "summary"
    ALL = "all"


def how(
    threads: int | None, dask: str | None = None, folder: Path | None = None, resume: bool = False
) -> How:
    """How the ensembles of a command are run."""
    from pharmsim.study.ensemble import How

    return How(threads=threads, folder=folder, resume=resume, cluster=cluster(dask), progress=True)


def cluster(address: str | None) -> str | None:
    """The address of a cluster, seen to be usable; says why its numbers may differ in the last digits."""
    if address is not None:
        from pharmsim.study.cluster import check

        for note in check(address):
            typer.echo(note, err=True)
    return address


def say_if_cold() -> None:
    """Explain the wait of the first run of a version."""
    from pharmsim.engine import jit

    if jit.is_cold():
        typer.echo("Translating the engine to machine code: about a minute, this once …", err=True)
