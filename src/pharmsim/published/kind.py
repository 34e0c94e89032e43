"""What a kind of published file is: its vintages with their columns, its levels, and what reads it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from pharmsim.published.quality import Findings
    from pharmsim.published.tables import Sheet

NATIONAL = "national"
GEOGRAPHIES = ("region", "country", "system", "place", "organisation")
"""Levels below the national one; a long table has a column of this name, and `<name>_code`."""


@dataclass(frozen=True)
class Vintage:
    """One layout of a kind of file.

    Attributes
    ----------
    name : str
        In words, for messages.
    columns, optional : dict
        Name here: names in files, compared by `columns.plain`.
    """

    name: str
    columns: Mapping[str, tuple[str, ...]]
    optional: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Kind:
    """A kind of published file.

    Attributes
    ----------
    name, title, publisher : str
        Name in commands; what the file is; who publishes it.
    vintages : tuple of Vintage
        Layouts that are known, the newest first.
    levels : tuple of str
        Levels of geography that can be had, from wide to narrow.
    parts : tuple of str
        Breakdowns that can be had (columns of the long table).
    long : function (sheet, findings) → DataFrame
        One published number a row; see `long.py` for its columns.
    individual : bool
        A row is a person or a service: alike rows are kept, above 2 FTE is told.
    many : bool
        Every sheet of a workbook that has the columns is read, not only one.
    additive : bool
        Rows of the same role, place and date are parts to be summed; else there is one of each.
    derive : function (tidy table, findings) → DataFrame, optional
        Further rows made from a tidy table.
    """

    name: str
    title: str
    publisher: str
    vintages: tuple[Vintage, ...]
    levels: tuple[str, ...]
    parts: tuple[str, ...]
    long: Callable[[Sheet, Findings], pd.DataFrame]
    individual: bool = False
    many: bool = False
    additive: bool = False
    derive: Callable[[pd.DataFrame, Findings], pd.DataFrame] | None = None
