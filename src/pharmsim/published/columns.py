"""Columns by alias: which row is the header, which vintage a file has, and what to say if none fits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from pharmsim.published.kind import Vintage

HEAD = 60
"""Rows at the top of a table in which a header is looked for (workbooks have notes above it)."""


@dataclass(frozen=True)
class Fit:
    """How a row of a table fits a vintage.

    Attributes
    ----------
    vintage : Vintage
    row : int
        Position of the row, from 0.
    found : dict
        Name here: position of the column.
    missing : tuple of str
        Names of needed columns that are not there.
    """

    vintage: Vintage
    row: int
    found: dict[str, int]
    missing: tuple[str, ...]

    @property
    def n_needed(self) -> int:
        """Number of needed columns that are there."""
        return len(self.vintage.columns) - len(self.missing)


def plain(header: str) -> str:
    """A column name in lower case, everything but letters and digits as ``_``.

    Examples
    --------
    >>> plain(" NHSE Region-Name ")
    'nhse_region_name'
    """
    return re.sub(r"[^a-z0-9]+", "_", header.lower()).strip("_")


def fit(vintages: Iterable[Vintage], head: Sequence[Sequence[str]]) -> Fit:
    """The row and the vintage that fit best: all needed columns, or else as many as there are."""
    best: Fit | None = None
    for vintage in vintages:
        for number, row in enumerate(head[:HEAD]):
            one = _fit(vintage, number, [plain(cell) for cell in row])
            if best is None or (not one.missing, one.n_needed) > (not best.missing, best.n_needed):
                best = one
    assert best is not None, "a table has a first row, and a kind a vintage"
    return best


def _fit(vintage: Vintage, number: int, names: list[str]) -> Fit:
    found = {}
    for key, aliases in {**vintage.columns, **vintage.optional}.items():
        place = next((names.index(plain(alias)) for alias in aliases if plain(alias) in names), None)
        if place is not None:
            found[key] = place
    return Fit(vintage, number, found, tuple(key for key in vintage.columns if key not in found))


def complaint(file: str, title: str, best: Fit, head: Sequence[Sequence[str]]) -> str:
    """What to say of a table that has not all columns: each that was looked for, and those found."""
    header = [cell for cell in head[best.row] if cell] if head else []
    lines = [f"{file}: must have the columns of “{title}” ({best.vintage.name})"]
    for key in best.missing:
        aliases = best.vintage.columns[key]
        looked = " or ".join(f"`{alias.upper()}`" for alias in aliases)
        close = get_close_matches(plain(aliases[0]), [plain(cell) for cell in header], n=1, cutoff=0.7)
        lines.append(f"  looked for: {looked}" + (f"; closest: `{close[0].upper()}`" if close else ""))
    lines.append(f"  found: {', '.join(f'`{cell}`' for cell in header) or 'none'}")
    lines.append(
        "  If the publisher changed the layout, rename them, or add the new names to pharmsim.published."
    )
    return "\n".join(lines)
