"""Small scenarios in the short forms that people write, for tests of the system around the people."""

from __future__ import annotations

from typing import Any

import numpy as np

import pharmsim
from pharmsim.scenario.models import Scenario

Array = np.ndarray
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
STEP = 12
"""Months after the start at which inputs step in these tests."""


def month(n: int) -> str:
    """The n-th month after the start, April 2026."""
    return f"{MONTHS[(n + 3) % 12]} {2026 + (n + 3) // 12}"


def step_to(factor: float, at: int = STEP) -> dict[str, float]:
    """A series that is 1 up to the month before `at`, and `factor` from then on."""
    return {month(at - 1): 1.0, month(at): factor}


def one(age: int) -> dict[str, Any]:
    """Everybody of one age."""
    return {"rows": [{"where": {"age": str(age)}, "value": "100 %"}]}


def by_post(**numbers: Any) -> dict[str, Any]:
    """A number for every post named."""
    return {"rows": [{"where": {"post": post}, "value": number} for post, number in numbers.items()]}


def post(name: str, role: str = "red", environment: str = "hill", **more: Any) -> dict[str, Any]:
    return {"post": name, "role": role, "environment": environment, **more}


def made(
    months: int = 36, posts: Any = None, heads: Any = 100, ages: Any = None, **sections: Any
) -> Scenario:
    """A scenario from April 2026: 100 people aged 30 in every post, by default one post, `p`."""
    posts = posts or [post("p")]
    roles = dict.fromkeys(p["role"] for p in posts)
    places = dict.fromkeys(e for p in posts for e in (p["environment"], *p.get("split", ())))
    stock = {"headcount": heads, "ages": ages or one(30)} | sections.pop("stock", {})
    return pharmsim.from_dict(
        {
            "name": "made", "start": month(0), "end": month(months), "ages": {"first": 16, "last": 100},
            "roles": list(roles), "environments": list(places), "posts": posts, "stock": stock, **sections,
        }
    )  # fmt: skip


def outputs(scenario: Scenario, **options: Any) -> dict[str, Array]:
    """Central values of a run by name."""
    data = pharmsim.run(scenario, **options).data
    return {str(name): np.asarray(data[name].values[0]) for name in data.data_vars}


def changed(scenario: Scenario, **sections: Any) -> Scenario:
    """A scenario with sections replaced, read and checked anew."""
    return pharmsim.from_dict({**pharmsim.to_dict(scenario), **sections})
