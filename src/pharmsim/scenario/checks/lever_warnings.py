"""Interventions that are allowed and change nothing."""

from __future__ import annotations

from collections.abc import Iterator

from pharmsim.quantities import ADJUSTABLE
from pharmsim.scenario.checks.money import unlimited
from pharmsim.scenario.expand import central
from pharmsim.scenario.interventions import Effect
from pharmsim.scenario.levers import Reach, reach_of
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.training import InternalPipeline
from pharmsim.scenario.values import Cells, Value


def without_effect(scenario: Scenario) -> list[tuple[str, str]]:
    """Return (key path, message) for interventions and effects that change nothing in a scenario."""
    out = []
    for lever in scenario.interventions:
        path = f"interventions.{lever.name}"
        if max(lever.uptake.value, lever.uptake.high or 0.0) == 0.0:
            out.append((f"{path}.uptake", "is 0: nobody takes part, and it has no effect"))
        if lever.introduction is not None and scenario.working_time is None:
            message = "is not counted: it is a share of the working time (section `working_time`)"
            out.append((f"{path}.introduction", message))
        for effect in lever.effects:
            found = reach_of(scenario, lever, effect)
            message = _none(effect) or _nothing(scenario, effect, found)
            if message:
                out.append((f"{path}.effects.{effect.name}", message))
    return out


def _none(effect: Effect) -> str:
    """Return why the number of an effect changes nothing, if it does not."""
    for value, neutral in ((effect.times, 1.0), (effect.plus, 0.0)):
        if value is not None and value.low is None and value.value == neutral:
            return f"is {neutral:g} and has no effect"
    return ""


def _nothing(scenario: Scenario, effect: Effect, found: Reach) -> str:
    """Return why there is nothing for an effect to change, if there is not."""
    posts = [p for p, post in enumerate(scenario.posts) if post.post in found.posts]
    node = scenario.establishment
    if effect.quantity == "establishment" and node and all(p in unlimited(scenario, node) for p in posts):
        return "has no effect: its posts are `unconstrained`, without a number to change"
    if effect.quantity == "cover_cap" and scenario.cover is not None and scenario.cover.cap is None:
        return "has no effect: temporary cover has no `cap` in the scenario"
    given = list(_given(scenario, effect.quantity, found.names))
    if given and all(item == "unlimited" for item in given):
        return "has no effect: the supply is unlimited, without a number to change"
    if effect.times is None or not given or any(_is_some(scenario, item, posts) for item in given):
        return ""
    return f"has no effect: what it multiplies ({ADJUSTABLE[effect.quantity].text}) is 0 in its posts"


def _is_some(scenario: Scenario, item: Cells | Value | str | None, posts: list[int]) -> bool:
    """Return whether a number is not 0 in some of the posts."""
    if isinstance(item, Cells):
        return bool(central(item, scenario, ("post",))[posts].any())
    return item.value != 0.0 if isinstance(item, Value) else item is not None


def _given(scenario: Scenario, quantity: str, names: frozenset[str]) -> Iterator[Cells | Value | str | None]:
    """Yield what a scenario says of a quantity that can be nothing."""
    if quantity == "supply" and scenario.hiring is not None:
        yield from (source.supply for source in scenario.hiring.sources if source.name in names)
    if quantity == "time_to_fill" and scenario.hiring is not None:
        yield scenario.hiring.time_to_fill
    if quantity == "absence" and scenario.working_time is not None:
        yield from (cells for name, cells in scenario.working_time.absence.items() if name in names)
    if quantity == "cover_share" and scenario.cover is not None:
        yield scenario.cover.share
    if quantity == "delegation" and scenario.need is not None:
        yield from (rule.share for rule in scenario.need.delegation if rule.name in names)
    if quantity == "apprentices":
        nodes = (scenario.pipelines[name] for name in names)
        yield from (node.intake for node in nodes if isinstance(node, InternalPipeline))
