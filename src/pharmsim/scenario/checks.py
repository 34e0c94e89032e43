"""Checks that need the whole scenario."""

from __future__ import annotations

from pharmsim.scenario.models import Scenario
from pharmsim.scenario.problems import Problems


def check(scenario: Scenario, problems: Problems) -> None:
    """Add every problem that only the whole scenario shows."""
