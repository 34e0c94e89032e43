"""Text that is safe in the place it goes to: spreadsheet cells, CSV, Markdown, file names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""First characters by which spreadsheets take a cell for a formula."""


def cell(value: Any) -> Any:
    """Neutralise text that a spreadsheet would run; numbers and dates pass unchanged.

    Examples
    --------
    >>> cell("=1+1"), cell("ward"), cell(-3.0)
    ("'=1+1", 'ward', -3.0)
    """
    if isinstance(value, str) and value.startswith(DANGEROUS):
        return "'" + value
    return value


def safe_cells(frame: pd.DataFrame) -> pd.DataFrame:
    """Neutralise the text columns and the column names of a table."""
    out = frame.copy()
    for name in out.columns:
        if out[name].dtype.kind not in "biufM":
            out[name] = out[name].map(cell)
    out.columns = pd.Index([cell(str(name)) for name in out.columns])
    return out


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as UTF-8 CSV with dates as 2025-10-01 and numbers in full."""
    safe_cells(frame).to_csv(path, index=False, date_format="%Y-%m-%d", lineterminator="\n")


def write_tables(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    """Write each table as CSV, under its name."""
    for name, table in tables.items():
        write_csv(table, folder / f"{name}.csv")


def markdown_cell(value: Any) -> str:
    """Text for a Markdown table: no cell, line or tag can be broken out of."""
    text = " ".join(str(value).split())
    for sign in "\\`*_[]|":
        text = text.replace(sign, "\\" + sign)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def file_name(name: str) -> str:
    """A file name made of letters, digits, dots, dashes and underscores only.

    Examples
    --------
    >>> file_name("../Small town <b>")
    'Small_town_b'
    """
    return re.sub(r"[^\w.-]+", "_", name).strip("._-") or "unnamed"
