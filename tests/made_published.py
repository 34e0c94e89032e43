"""The made-up published files, and what stands in a reading of them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from pharmsim import published

MADE_UP = Path(__file__).parent / "published" / "made_up"


def made_up(name: str) -> Path:
    return MADE_UP / f"made_up_{name}"


def read(kind: str, *names: str, **how: object) -> published.Reading:
    return published.read(kind, [made_up(name) for name in names], **how)  # type: ignore[arg-type]


def value(table: pd.DataFrame, **where: str) -> float:
    """The one value of a tidy series at a place in it."""
    rows = table
    for column, wanted in where.items():
        rows = rows[rows[column] == wanted]
    assert len(rows) == 1, f"{where}: {len(rows)} rows"
    return float(rows["value"].iloc[0])


def finding(reading: published.Reading, check: str) -> tuple[int, str]:
    rows = reading.quality[reading.quality["check"] == check]
    assert len(rows) == 1, f"{check}: {list(reading.quality['check'])}"
    return int(rows["rows"].iloc[0]), str(rows["finding"].iloc[0])
