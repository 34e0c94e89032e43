"""Commands on published files: data kinds, data read, data check."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pharmsim.cli.shared import app, console

data = typer.Typer(
    help="Read published workforce files (kinds, read, check).",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(data, name="data")

Published = Annotated[list[Path], typer.Argument(help="CSV, Excel or zip files.", metavar="FILE…")]
Labels = Annotated[
    Path | None, typer.Option(help="What labels mean, instead of those for pharmacy (CSV).", metavar="FILE")
]


@data.command()
def kinds() -> None:
    """List the kinds of published files that can be read."""
    from pharmsim.published import report

    report.show_kinds(console())


@data.command()
def read(
    kind: Annotated[
        str, typer.Argument(help="Kind of the files; see `pharmsim data kinds`.", metavar="KIND")
    ],
    files: Published,
    level: Annotated[
        str, typer.Option(help="Level of geography, such as region or system.", metavar="LEVEL")
    ] = "national",
    by: Annotated[
        str | None, typer.Option(help="Breakdown: source, grade, age or sector.", metavar="PART")
    ] = None,
    geography: Annotated[
        list[str] | None,
        typer.Option(help="Only this name or code; may be given again.", metavar="NAME"),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="CSV to write; the quality goes beside it.", metavar="FILE")
    ] = None,
    labels: Labels = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
) -> None:
    """Read files of a kind to one tidy series, and say how good they are."""
    from pharmsim import published
    from pharmsim.published import report

    reading = published.read(kind, files, level=level, by=by, geography=geography or (), labels=labels)
    written = [] if out is None else report.write(reading, out, force)
    report.show(reading, console())
    for path in written:
        typer.echo(path)


@data.command()
def check(files: Published, labels: Labels = None) -> None:
    """Find out of which kind files are, and say how good they are."""
    from pharmsim import published
    from pharmsim.published import report

    for reading in published.check(files, labels):
        report.show(reading, console(), series=False)
