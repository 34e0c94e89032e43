"""Numbers that are sound at central values and not in some draw are refused, not run."""

from __future__ import annotations

from typing import Any

import pytest

import pharmsim
from pharmsim.compiled.compile import compile_scenario
from pharmsim.compiled.draws import sample
from pharmsim.errors import InputError


def tiny(**sections: Any) -> dict[str, Any]:
    data = pharmsim.to_dict(pharmsim.tiny_scenario())
    return data | sections


WIDE = {"value": 0.45, "low": 0.1, "high": 0.9, "dist": "uniform"}
CASES = {
    "working_time.absence": tiny(working_time={"absence": {"leave": WIDE, "sickness": WIDE}}),
    "need.activity": tiny(
        need={
            "opening_ratio": 1,
            "activity": {name: {"index": {"2026": 1, "2030": 1.1}, "share": WIDE} for name in ("a", "b")},
        }
    ),
    "need.delegation": tiny(
        need={
            "opening_ratio": 1,
            "delegation": [
                {
                    "name": name,
                    "from": {"role": "pharmacist", "environment": "hospital"},
                    "to": "technician",
                    "share": WIDE,
                    "limit": 5,
                }
                for name in ("a", "b")
            ],
        }
    ),
}


@pytest.mark.parametrize("where", CASES)
def test_shares_that_sum_to_more_than_one_in_a_draw(where: str) -> None:
    scenario = pharmsim.from_dict(CASES[where])
    compile_scenario(scenario, sample(scenario, 0))
    with pytest.raises(InputError, match=where):
        compile_scenario(scenario, sample(scenario, 50))
