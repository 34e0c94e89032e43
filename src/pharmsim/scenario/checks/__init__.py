"""Checks that need the whole scenario; every problem is found before any is reported.

A scenario with parts that cannot be read is checked as far as that goes: `Problems` says what is
left out of it, and each check leaves aside what it cannot judge without.
"""

from __future__ import annotations

from pharmsim.scenario.checks import (
    cells,
    feedbacks,
    interventions,
    lists,
    money,
    names,
    pipelines,
    sections,
    supervision,
    time,
    uncertainties,
)
from pharmsim.scenario.checks.warnings import check_warnings
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.problems import Problems


def check(scenario: Scenario, problems: Problems) -> None:
    """Add every problem that only the whole scenario shows.

    Parameters
    ----------
    scenario : Scenario
        Valid section by section; what cannot be read is left out.
    problems : Problems
        Receives what is found, with file, line and key path.
    """
    sections.check(scenario, problems)
    scenario = names.sound_posts(scenario, problems)
    names.check(scenario, problems)
    lists.check(scenario, problems)
    pipelines.check(scenario, problems)
    cells.check(scenario, problems)
    for part in (time, money, supervision, feedbacks, interventions, uncertainties):
        part.check(scenario, problems)


__all__ = ["check", "check_warnings"]
