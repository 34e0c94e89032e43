"""A scenario of two roles, small enough to be read in a test."""

from __future__ import annotations

import copy
from typing import Any

import pytest

SMALL: dict[str, Any] = {
    "name": "Small",
    "start": "April 2026",
    "end": "April 2030",
    "roles": ["nurse", "doctor"],
    "environments": ["ward", "clinic"],
    "groups": ["women", "men"],
    "contracts": ["full", "part"],
    "post_attributes": ["trust"],
    "posts": [
        {"role": "nurse", "environment": ["ward", "clinic"], "trust": "north"},
        {"role": "doctor", "environment": "ward", "attributes": {"trust": "south"}},
    ],
    "stock": {"headcount": 10, "ages": [{"where": {"age": "20-59"}, "value": 1}]},
    "pension_age": [{"born": "1960-04", "age": 67}],
    "leaving": {"died": {"rate": "1 %"}, "away": {"rate": {"value": 0.1, "low": 0.08, "high": 0.12}}},
}


@pytest.fixture
def small() -> dict[str, Any]:
    """A fresh copy of plain data that describe a valid scenario."""
    return copy.deepcopy(SMALL)
