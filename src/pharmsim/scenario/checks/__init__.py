"""Checks that need the whole scenario; every problem is found before any is reported."""

from __future__ import annotations

from pharmsim.scenario.checks import cells, lists, names, pipelines, sections
from pharmsim.scenario.checks.warnings import check_warnings
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.problems import Problems


def check(scenario: Scenario, problems: Problems) -> None:
    """Add every problem that only the whole scenario shows.

    Parameters
    ----------
    scenario : Scenario
        Valid section by section.
    problems : Problems
        Receives what is found, with file, line and key path.
    """
    names.check(scenario, problems)
    lists.check(scenario, problems)
    sections.check(scenario, problems)
    pipelines.check(scenario, problems)
    if not problems:  # selectors that select nothing would be told a second time
        cells.check(scenario, problems)


__all__ = ["check", "check_warnings"]
