"""What was read, for people: on the terminal, and as files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from pharmsim.errors import OutputError
from pharmsim.published.reading import KINDS, Reading
from pharmsim.results.text import markdown_cell, write_csv

if TYPE_CHECKING:
    from rich.console import Console

FLAGS = {
    "above_2": "rows above 2 FTE are in it",
    "break": "first value after a break: not comparable with the one before",
    "conflict": "files or rows give several values; the last is used",
    "derived": "computed from published numbers",
    "direct_only": "people employed directly; contracted services have no headcount",
    "duplicates": "rows that are alike in every column are in it",
    "headcount_as_fte": "every FTE of the file is a whole number: may be a headcount",
    "jump": "far from the usual change",
    "negative": "negative rows are in it",
    "no_identifier": "rows of contracted services are in it",
    "overlaps": "its period begins before that of another value ends",
    "probable": "what the label means is likely, not published",
    "proxy": "a wider group of staff than the one in question",
    "summed": "a sum of published numbers: a headcount may count someone twice",
    "suppressed": "numbers that are not published count as nothing in it",
    "survey": "grossed up from those who answered",
    "year_only": "the file gives the year only; 30 September stands for it",
}
"""What the words in the column `flag` mean."""
CHECK, SHOWN = 21, 40
"""Letters of the name of a check; rows of a series that the terminal shows."""
COLUMNS = ("date", "to", "role", "geography", "part", "measure", "value", "flag")


def show(reading: Reading, console: Console, series: bool = True) -> None:
    """Print a series and its quality."""
    from rich.table import Table

    if series:
        columns = [name for name in COLUMNS if (reading.table[name] != "").any()]
        table = Table(title=reading.kind.title, title_justify="left")
        for name in columns:
            table.add_column(name, justify="right" if name == "value" else "left")
        for row in reading.table.head(SHOWN).to_dict("records"):
            table.add_row(*(_shown(row[name]) for name in columns))
        console.print(table)
        if len(reading.table) > SHOWN:
            console.print(
                f"… {len(reading.table) - SHOWN:,} more rows; write all of them with --out tidy.csv"
            )
    for file, rows in reading.quality.groupby("file", sort=False):
        table = Table(title=f"Quality of {file}", title_justify="left", expand=True)
        table.add_column("check", width=CHECK)
        table.add_column("rows", justify="right", width=8)
        table.add_column("finding", ratio=1)
        for row in rows.to_dict("records"):
            table.add_row(row["check"], f"{row['rows']:,}", row["finding"])
        console.print(table)
    if reading.quality.empty:
        console.print("Quality: nothing to tell.")


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.4f}" if abs(value) < 1 else f"{value:,.1f}"
    return str(value).replace(";", "; ")


def show_kinds(console: Console) -> None:
    """Print the kinds of files that can be read."""
    from rich.table import Table

    table = Table(title="Published files that can be read", title_justify="left", expand=True)
    for name in ("kind", "file", "--level", "--by"):
        table.add_column(name)
    for kind in KINDS.values():
        vintages = "\n".join(f"– {one.name}" for one in kind.vintages)
        table.add_row(kind.name, f"{kind.title}\n{vintages}", "\n".join(kind.levels), "\n".join(kind.parts))
    console.print(table)
    console.print("HCHS: staff of NHS trusts. GPhC: General Pharmaceutical Council.")
    console.print("To read: pharmsim data read KIND FILE. Of unknown kind: pharmsim data check FILE")


def write(reading: Reading, path: Path, force: bool = False) -> list[Path]:
    """Write a tidy series as CSV, and its quality beside it (``.quality.md``).

    Returns
    -------
    list of Path

    Raises
    ------
    OutputError
        If one of the files is there, or cannot be written.
    """
    beside = path.with_suffix(".quality.md")
    for target in (path, beside):
        if target.exists() and not force:
            raise OutputError(f"{target}: must not exist yet. Give another --out, or --force to replace it.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_csv(reading.table, path)
        beside.write_text(markdown(reading), encoding="utf-8")
    except OSError as error:
        raise OutputError(
            f"{path}: must be a place that can be written; {error.strerror or error}."
        ) from error
    return [path, beside]


def markdown(reading: Reading) -> str:
    """The quality of a reading as a page: files, findings, and what its flags mean."""
    used = {word for flag in reading.table["flag"].unique() for word in flag.split(";") if word}
    return "\n".join(
        [
            f"# Quality: {reading.kind.title}",
            "",
            f"Published by: {reading.kind.publisher}. {len(reading.table):,} values were read.",
            "",
            *_table(("file", "SHA-256"), pd.DataFrame(reading.files)),
            "",
            "## Findings",
            "",
            *_table(tuple(reading.quality.columns), reading.quality),
            "",
            "## Flags",
            "",
            *_table(("flag", "means", "values"), pd.DataFrame(_flags(reading, sorted(used)))),
            "",
        ]
    )


def _flags(reading: Reading, used: list[str]) -> list[tuple[str, str, int]]:
    words = reading.table["flag"].str.split(";")
    return [
        (
            flag,
            FLAGS.get(flag, "of the table of labels"),
            int(words.map(lambda all_, f=flag: f in all_).sum()),
        )
        for flag in used
    ]


def _table(head: tuple[str, ...], rows: pd.DataFrame) -> list[str]:
    if rows.empty:
        return ["None."]
    lines = [
        head,
        ("---",) * len(head),
        *(tuple(map(markdown_cell, row)) for row in rows.itertuples(index=False)),
    ]
    return ["| " + " | ".join(line) + " |" for line in lines]
