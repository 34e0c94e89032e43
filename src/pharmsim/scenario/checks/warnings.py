"""Warnings: what is allowed and probably not meant."""

from __future__ import annotations

from pharmsim.scenario.fields import numbers
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.text import MONTHS
from pharmsim.scenario.values import Cells, Value


def check_warnings(scenario: Scenario) -> list[str]:
    """Return warnings about a valid scenario, each beginning with its key path.

    Key paths listed in `warnings_off` of the scenario are left out.
    """
    found = [*_pools(scenario), *_hazards(scenario), *_unused(scenario), *_retention(scenario)]
    return [f"{where}: {message}" for where, message in found if where not in scenario.warnings_off]


def _pools(scenario: Scenario) -> list[tuple[str, str]]:
    entered = {leaving.into for leaving in scenario.leaving.values()}
    return [
        (f"pools.{name}", "nobody enters it: no `leaving` destination says `into` it")
        for name in scenario.pools
        if name not in entered
    ]


def _hazards(scenario: Scenario) -> list[tuple[str, str]]:
    out = []
    for number in numbers(scenario):
        if number.of.kind != "hazard" or number.path[0] == "retirement":
            continue
        values: list[Value] = []
        if isinstance(number.node, Cells):
            values = list(number.node.terms[0].rows)
        elif isinstance(number.node, Value):
            values = [number.node]
        for value in values:
            if value.value > 1.0:
                place = f" ({value.origin})" if value.origin is not None else ""
                message = f"is {value.value:g} per year{place}: most people are gone within a year"
                out.append((str(number), message))
                break
    return out


def _retention(scenario: Scenario) -> list[tuple[str, str]]:
    """With steps of a year people are tagged at anniversaries of the start only."""
    if scenario.step != "year" or scenario.retention is None:
        return []
    before = MONTHS[(int(scenario.start[5:]) - 2) % 12]
    if scenario.retention.month == before:
        return []
    message = (
        f"is {scenario.retention.month}, and with `step: year` people can only be tagged at anniversaries of "
        f"the start {scenario.start}: retention is not followed. Use `month: {before}` or a shorter step"
    )
    return [("retention.month", message)]


def _unused(scenario: Scenario) -> list[tuple[str, str]]:
    used = {post.role for post in scenario.posts}, {post.environment for post in scenario.posts}
    out = [(f"roles.{name}", "no post has this role") for name in scenario.roles if name not in used[0]]
    return out + [
        (f"environments.{name}", "no post is in this environment")
        for name in scenario.environments
        if name not in used[1]
    ]
