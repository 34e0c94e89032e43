"""The long table that every reader gives: one published number a row, with all that is known of it.

Columns: ``measure``, ``unit``, ``value`` (float); ``group`` and ``label`` (what the publisher calls the
staff: setting or main group, and role); ``date`` and ``to`` (a stock: date and nothing; a flow: first and
last day); ``level`` (of geography, see `kind.GEOGRAPHIES`) with the name and code of each geography the
row lies in; breakdowns ``source``, ``grade``, ``age``, ``sector``; ``identifier`` of a person; ``flag``;
``alike`` and ``row`` of the file.
"""

from __future__ import annotations

import pandas as pd

from pharmsim.published.kind import GEOGRAPHIES
from pharmsim.published.tables import Sheet

PARTS = ("source", "grade", "age", "sector")
TEXTS = (
    "measure", "unit", "group", "label", "date", "to", "level", *PARTS, "identifier", "flag", "alike",
    *GEOGRAPHIES, *(f"{name}_code" for name in GEOGRAPHIES),
)  # fmt: skip
ALL = r"(?i)^(grand |national )?(all|total)\b"
"""How a row says that it holds the sum of others."""
SORT_PREFIX = r"^\d{3}_"


def without_prefix(text: pd.Series) -> pd.Series:
    """Labels without the three digits by which the publisher sorts them: ``018_Pharmacy``."""
    return text.str.replace(SORT_PREFIX, "", regex=True).str.strip()


def start(sheet: Sheet) -> pd.DataFrame:
    """A long table with an empty row for each row of a sheet, its geographies filled in."""
    out = pd.DataFrame("", index=sheet.frame.index, columns=list(TEXTS), dtype=object)
    for name in GEOGRAPHIES:
        for column in (name, f"{name}_code"):
            out[column] = sheet.text(column)
    out["alike"], out["row"], out["value"] = sheet.frame["alike"], sheet.frame["row"], float("nan")
    return out


def of_staff(sheet: Sheet) -> pd.DataFrame:
    """As `start`, with staff group, role and grade."""
    out = start(sheet)
    for name in ("group", "label", "grade"):
        out[name] = without_prefix(sheet.text(name))
    return out


def stack(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Long tables under one another."""
    return pd.concat(frames, ignore_index=True)


def measured(base: pd.DataFrame, measure: str, unit: str, value: pd.Series) -> pd.DataFrame:
    """A long table with one measure filled in."""
    return base.assign(measure=measure, unit=unit, value=value)
