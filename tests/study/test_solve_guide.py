"""The examples of docs/guides/reach_a_target.md hold at the central values."""

from __future__ import annotations

import re
import shlex
from itertools import pairwise
from pathlib import Path

from pharmsim.scenario import shipped
from pharmsim.study.dates import target_dates
from pharmsim.study.solving import question
from pharmsim.study.solving.response import Response
from pharmsim.study.solving.solve import OUT, REACHED, Search, _search

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "reach_a_target.md"


def searched(target: str, by: str, *levers: str) -> tuple[Search, float]:
    """What the central values say, and the value there."""
    asked = question.read(
        shipped("sel/baseline.yaml"), target, levers, [by], level="trusts", start="April 2026"
    )
    dates, _ = target_dates(asked.scenario, asked.dates)
    response = Response(asked.scenario, asked.target, asked.levers, dates)
    found = _search(response, 0)
    return found, float(response.central(found.x)[0])


def test_the_first_example_is_as_the_guide_says() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    command = shlex.split(re.search(r"pharmsim solve scenarios/sel/baseline.yaml .*", text)[0])  # type: ignore[index]
    levers = [word for name, word in pairwise(command) if name == "--lever"]
    options = dict(pairwise(command))
    found, value = searched(options["--target"], options["--by"], *levers)
    assert (found.status, found.x) == (OUT, 1.0)
    assert f"The most is {100 * value:.2f} % at 100 % uptake of each" in text


def test_the_second_example_is_as_the_guide_says() -> None:
    text = " ".join(GUIDE.read_text(encoding="utf-8").split())
    found, _ = searched("retention +0.25 points", "31 March 2030", "flexible_working")
    assert found.status == REACHED
    assert (
        f"+0.25 points by 31 March 2030 from flexible working alone needs {found.x:.0%}".replace("%", " %")
        in text
    )
