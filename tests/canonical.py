"""Numbers of a scenario in canonical form, for tests that build scenarios."""

from __future__ import annotations

from typing import Any


def terms(*factors: list[dict[str, Any]]) -> dict[str, Any]:
    """Canonical `Cells`: one list of rows for each term."""
    return {"terms": [{"rows": rows} for rows in factors]}


def row(value: float, **where: str) -> dict[str, Any]:
    """A row of `Cells`."""
    return {"value": value, "where": {key: (text,) for key, text in where.items()}}


def value(number: float) -> dict[str, float]:
    return {"value": number}
