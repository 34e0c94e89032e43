"""The interventions of a scenario, singled out, left out or changed: all without reading a file again."""

from __future__ import annotations

from collections.abc import Collection

from pharmsim.scenario.interventions import Intervention
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.values import Value


def only(scenario: Scenario, names: Collection[str]) -> Scenario:
    """Return the scenario with the interventions `names` alone; joint posts stay, unfunded and empty."""
    kept = tuple(item for item in scenario.interventions if item.name in names)
    return scenario.model_copy(update={"interventions": kept})


def without(scenario: Scenario, names: Collection[str]) -> Scenario:
    """Return the scenario without the interventions `names`."""
    return only(scenario, [item.name for item in scenario.interventions if item.name not in names])


def with_uptake(scenario: Scenario, uptakes: dict[str, float]) -> Scenario:
    """Return the scenario with other uptakes (shares, without a range) of some interventions."""

    def changed(item: Intervention) -> Intervention:
        if item.name not in uptakes:
            return item
        return item.model_copy(update={"uptake": Value(value=uptakes[item.name])})

    return scenario.model_copy(update={"interventions": tuple(map(changed, scenario.interventions))})


def with_claim(scenario: Scenario, claims: dict[str, float]) -> Scenario:
    """Return the scenario with the claimed effects of some interventions times `claims`."""

    def changed(item: Intervention) -> Intervention:
        return item.model_copy(update={"claim": claims[item.name]}) if item.name in claims else item

    return scenario.model_copy(update={"interventions": tuple(map(changed, scenario.interventions))})
