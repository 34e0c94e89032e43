"""What the labels of publishers mean: roles and environments of a scenario; and dates at which series break.

Both stand in CSV files, for the program knows layouts and no names. Those that come with pharmsim are
``labels/pharmacy.csv`` and ``labels/breaks.csv`` among the scenarios.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pharmsim.errors import InputError

COLUMNS = ("kind", "group", "label", "role", "environment", "nation", "flag", "note")
BREAKS = ("kind", "measure", "geography", "date", "text", "source")


@dataclass(frozen=True)
class Label:
    """A label of a publisher.

    Attributes
    ----------
    kinds : tuple of str
        Kinds of files that have it.
    group, label : str
        Setting or main group (empty: any) and role, as published without sort prefix.
    role, environment : str
        What they are called here.
    nations : tuple of str
        Name of the whole that the file is about, and further names that the file has for it.
    flag : str
        Quality flag of all its numbers, such as ``proxy``.
    """

    kinds: tuple[str, ...]
    group: str
    label: str
    role: str
    environment: str
    nations: tuple[str, ...]
    flag: str


@dataclass(frozen=True)
class Break:
    """A date at which a series is not comparable with itself.

    Attributes
    ----------
    kind, measure, geography : str
        What it concerns; an empty text is everything.
    date : str
        First date of the new series.
    text : str
        Why.
    """

    kind: str
    measure: str
    geography: str
    date: str
    text: str


def shipped(name: str) -> Path:
    """A file of labels that comes with pharmsim."""
    from pharmsim.scenario import shipped as place

    return place(f"labels/{name}.csv")


def labels(kind: str, path: Path | None = None) -> list[Label]:
    """The labels of a kind of file.

    Raises
    ------
    InputError
        If the file has other columns, or names no label of the kind.
    """
    path = path or shipped("pharmacy")
    out = [
        Label(
            tuple(_parts(row["kind"])),
            row["group"],
            row["label"],
            row["role"],
            row["environment"],
            tuple(_parts(row["nation"])),
            row["flag"],
        )
        for row in _rows(path, COLUMNS)
        if kind in _parts(row["kind"])
    ]
    if not out:
        raise InputError(
            f"{path}: must name labels of the kind `{kind}`; it has none. Add a line for each role."
        )
    wrong = [one.label for one in out if not (one.role and one.nations)]
    if wrong:
        raise InputError(
            f"{path}: every label must have a role and a nation; found none for {', '.join(wrong)}."
        )
    return out


def breaks(kind: str) -> list[Break]:
    """The known breaks of a kind of file."""
    return [
        Break(row["kind"], row["measure"], row["geography"], row["date"], row["text"])
        for row in _rows(shipped("breaks"), BREAKS)
        if row["kind"] == kind
    ]


def _rows(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            found = tuple(reader.fieldnames or ())
            missing = [name for name in columns if name not in found]
            if missing:
                raise InputError(
                    f"{path}: must have the columns {', '.join(columns)}; {', '.join(missing)} not there, "
                    f"found {', '.join(found) or 'none'}."
                )
            return [{name: (row[name] or "").strip() for name in columns} for row in reader]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{path}: must be a table of labels (CSV, UTF-8); {error}. Check its name."
        ) from error


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split("|") if part.strip()]


@cache
def same(text: str) -> str:
    """A label without what differs between vintages: capitals, dashes, `and`, blanks, underscores.

    Examples
    --------
    >>> same("Scientific,  Therapeutic – and Technical_staff")
    'scientific, therapeutic - & technical staff'
    """
    plain = re.sub(r"[–—]", "-", text.casefold())
    return " ".join(re.sub(r"\band\b", "&", plain.replace("_", " ")).split())
