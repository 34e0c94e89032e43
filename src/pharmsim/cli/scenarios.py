"""Commands on scenario files: new, validate, describe, interventions, schema, diagram."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pharmsim.cli.shared import File, Files, ForceFile, app, console
from pharmsim.errors import OutputError


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
        library_text.show(console())
    else:
        typer.echo(library_text.text(name))


@app.command()
def schema() -> None:
    """Print the JSON Schema of scenario files and interventions, for editors."""
    from pharmsim.scenario.schema import schema_text

    typer.echo(schema_text())


@app.command()
def diagram(
    file: File,
    out: Annotated[Path | None, typer.Option(help="SVG file to write.", metavar="FILE")] = None,
    force: ForceFile = False,
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
