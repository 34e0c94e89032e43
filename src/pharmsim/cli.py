"""The commands. No logic here: each command calls the library and says what it did."""

from __future__ import annotations

import signal
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pharmsim.errors import OutputError, PharmsimError

if TYPE_CHECKING:
    from rich.console import Console

    from pharmsim.results.files import Writer
    from pharmsim.results.labelled import Results

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
NoFigures = Annotated[bool, typer.Option("--no-figures", help="Write no pictures.")]
Out = Annotated[Path | None, typer.Option(help="Folder for the results.", metavar="FOLDER")]


def _version(value: bool) -> None:
    if value:
        from pharmsim import __version__

        typer.echo(f"pharmsim {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show where in the program an error arose.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Workforce supply simulation from scenario files."""


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False, markup=False)


@app.command()
def new(
    target: Annotated[Path, typer.Argument(help="Folder to make.", metavar="FOLDER")],
    example: Annotated[str, typer.Option(help="Name of the example to copy.")] = "sel",
) -> None:
    """Copy an example scenario into a new folder, to change it."""
    from pharmsim import examples

    for path in examples.copy(example, target):
        typer.echo(path)


@app.command()
def validate(files: Files) -> None:
    """Check scenario files and say what is wrong, with lines."""
    from pharmsim.study import validation

    validation.validate(files, typer.echo)


@app.command("validate-examples")
def validate_examples() -> None:
    """Check every example that comes with pharmsim."""
    from pharmsim import examples
    from pharmsim.study import validation

    validation.validate(examples.scenario_files(), typer.echo)


@app.command()
def describe(
    file: File, as_json: Annotated[bool, typer.Option("--json", help="As JSON, for other programs.")] = False
) -> None:
    """Show a resolved scenario: every number with its origin and evidence."""
    from pharmsim.report import describe as text
    from pharmsim.scenario import load

    scenario = load(file)
    if as_json:
        import json

        typer.echo(json.dumps(text.as_data(scenario), indent=2, ensure_ascii=False))
    else:
        typer.echo(text.describe(scenario))


@app.command()
def interventions(
    name: Annotated[
        str | None, typer.Argument(help="An intervention, or its file; all, if left out.", metavar="NAME")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for other programs.")] = False,
) -> None:
    """List the library of interventions, or say all about one of them."""
    from pharmsim.report import library_text

    if as_json:
        import json

        typer.echo(json.dumps(library_text.as_data(name), indent=2, ensure_ascii=False))
    elif name is None:
        library_text.show(_console())
    else:
        typer.echo(library_text.text(name))


@app.command()
def schema() -> None:
    """Print the JSON Schema of scenario files and interventions, for editors."""
    from pharmsim.scenario.schema import schema_text

    typer.echo(schema_text())


def _load(file: Path, step: Step | None) -> Any:
    from pharmsim.scenario import load

    scenario = load(file)
    if step is None:
        return scenario
    from pharmsim.scenario import from_dict, to_dict

    from_dict({**to_dict(scenario), "step": step.value})  # all checks again, with the other step
    return scenario.model_copy(update={"step": step.value})


def _say_if_cold() -> None:
    """Explain the wait of the first run of a version."""
    from pharmsim.engine import jit

    if jit.is_cold():
        typer.echo("Translating the engine to machine code: about a minute, this once …", err=True)


@app.command()
def run(
    file: File,
    draws: Draws = 0,
    seed: Seed = 1,
    out: Out = None,
    force: Force = False,
    no_figures: NoFigures = False,
    step: Annotated[Step | None, typer.Option(help="Length of a step, instead of the scenario's.")] = None,
) -> None:
    """Run a scenario and write a results folder."""
    scenario = _load(file, step)
    from pharmsim.report import summary
    from pharmsim.results import files
    from pharmsim.results.folder import check_target

    folder = out or Path("results") / file.stem
    check_target(folder, force)
    from pharmsim.study import runs

    _say_if_cold()
    results = runs.told_of_idle(runs.run(scenario, draws=draws, seed=seed))
    files.write(results, folder, force, also=_pictures(results, no_figures))
    summary.show(results, _console(), folder)


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

    _say_if_cold()
    outcome = again.reproduce(folder)
    typer.echo(outcome.text())
    if not (outcome.equal and outcome.whole):
        raise typer.Exit(1)


@app.command()
def compare(
    base: Annotated[Path, typer.Argument(help="Scenario to compare with.", metavar="BASE")],
    files: Files,
    draws: Draws = 100,
    seed: Seed = 1,
    dates: Annotated[
        str, typer.Option(help='Dates apart by commas, such as "31 March 2028, 2030-10".', metavar="DATES")
    ] = "",
    out: Out = None,
    force: Force = False,
    no_figures: NoFigures = False,
    no_attribution: Annotated[
        bool, typer.Option("--no-attribution", help="Do not say what each intervention adds.")
    ] = False,
) -> None:
    """Run scenarios with the same draws and show how they differ from a base."""
    from pharmsim.report import comparison as report
    from pharmsim.report import comparison_text
    from pharmsim.results.folder import check_target
    from pharmsim.scenario import load_all
    from pharmsim.study.comparing import comparison as study

    scenarios = load_all((base, *files))
    folder = out or Path("results") / f"{base.stem}_compared"
    check_target(folder, force)
    _say_if_cold()
    at = dates.split(",") if dates else None
    compared = study.compare(scenarios[0], scenarios[1:], draws=draws, seed=seed, dates=at)
    if not no_attribution and "levers" in compared.tables:
        took = comparison_text.duration(study.time_to_explain(compared))
        typer.echo(f"What each intervention adds: {took} (--no-attribution leaves it out) …", err=True)
        compared = study.explained(compared)
    report.write(compared, folder, force, figures=not no_figures)
    comparison_text.show(compared, _console(), folder)


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
    draws: Draws = 100,
    seed: Seed = 1,
    out: Out = None,
    force: Force = False,
    no_figures: NoFigures = False,
) -> None:
    """Find the level of levers that reaches a target; exit code 1 if it is out of reach at every date."""
    from pharmsim.report import solve_files, solve_text
    from pharmsim.results.folder import check_target
    from pharmsim.study.solving import question
    from pharmsim.study.solving import solve as study

    if out is not None:
        check_target(out, force)
    asked = question.read(
        file, target, lever, by or (), level=level, roles=role or (), environments=environment or (),
        first=first, last=last, start=start, ask=question.ask if sys.stdin.isatty() else None,
    )  # fmt: skip
    _say_if_cold()
    solution = study.solve(*asked, draws=draws, seed=seed)
    if out is not None:
        solve_files.write(solution, out, force, figures=not no_figures)
    solve_text.show(solution, _console(), out)
    if not solution.found:
        raise typer.Exit(1)


@app.command()
def report(
    folder: Annotated[Path, typer.Argument(help="Results folder of a run or comparison.", metavar="RUN")],
    out: Annotated[
        Path | None, typer.Option(help="HTML file to write, instead of report.html there.", metavar="FILE")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write a results folder as one HTML file, to read, print and send."""
    from pharmsim.report.html import page as html

    typer.echo(html.write(folder, out, force))


@app.command()
def diagram(
    file: File,
    out: Annotated[Path | None, typer.Option(help="SVG file to write.", metavar="FILE")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    loops: Annotated[bool, typer.Option("--loops", help="The feedback loops instead.")] = False,
) -> None:
    """Draw the stocks and flows of a scenario, or its feedback loops, as SVG."""
    from pharmsim.report import diagram as picture
    from pharmsim.report import loops_diagram
    from pharmsim.scenario import load

    target = out or Path(f"{file.stem}{'_loops' if loops else ''}.svg")
    scenario = load(file)
    if target.exists() and not force:
        raise OutputError(f"{target}: must not exist yet. Give another --out, or --force to replace it.")
    (loops_diagram if loops else picture).write(scenario, target)
    typer.echo(target)


def main() -> None:
    """Entry point: messages without traceback (unless --debug), and exit codes.

    0: done; 1: a run failed, was not reproduced, or a target is out of reach; 2: bad input; 130: interrupted.
    """
    sys.exit(call(sys.argv[1:]))


def call(words: list[str]) -> int:
    """Carry out a command line and return its exit code."""
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    # A terminated run leaves nothing behind either, like one interrupted at the keyboard.
    before = signal.signal(signal.SIGTERM, _stop)
    try:
        return _call(words)
    except PharmsimError as error:
        if debug:
            raise
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted; nothing was left behind", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 1
    except Exception as error:
        if debug:
            raise
        name = type(error).__name__
        print(f"fault of pharmsim ({name}: {error}); run again with --debug and report it", file=sys.stderr)
        return 1
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


def _call(words: list[str]) -> int:
    """Run typer's command, with its own errors shown as it shows them."""
    command = typer.main.get_command(app)
    try:
        code = command.main(args=words, prog_name="pharmsim", standalone_mode=False)
    except typer.Abort as error:
        raise KeyboardInterrupt from error
    except Exception as error:
        shown = getattr(error, "show", None)  # a usage error of click, whichever copy typer uses
        if shown is None:
            raise
        shown()
        return int(getattr(error, "exit_code", 2))
    return int(code or 0)


if __name__ == "__main__":
    main()
