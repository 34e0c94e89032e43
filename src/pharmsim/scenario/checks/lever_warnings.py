"""Interventions that are allowed and do nothing, less or more than they seem to."""

from __future__ import annotations

from collections.abc import Iterator

from pharmsim.quantities import ADJUSTABLE
from pharmsim.scenario.checks.money import unlimited
from pharmsim.scenario.checks.shared import month_number, names_of
from pharmsim.scenario.expand import central
from pharmsim.scenario.interventions import Effect, Intervention
from pharmsim.scenario.levers import Reach, posts_in, posts_of, reach_of
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.training import InternalPipeline
from pharmsim.scenario.values import Cells, Value


def about_levers(scenario: Scenario) -> list[tuple[str, str]]:
    """Return (key path, message) for interventions and effects that do not do what they seem to."""
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
            message = (
                _none(effect) or _nothing(scenario, effect, found) or _wider(scenario, lever, found, effect)
            )
            if message:
                out.append((f"{path}.effects.{effect.name}", message))
    return out + [pair for lever in scenario.interventions for pair in _cut_short(lever)]


def _wider(scenario: Scenario, lever: Intervention, found: Reach, effect: Effect) -> str:
    """Return where an effect acts outside of the reach, if its quantity does not depend on posts."""
    if "post" in ADJUSTABLE[effect.quantity].by or not lever.reach:
        return ""
    names = posts_of(scenario, effect.quantity, found.names) - posts_in(scenario, lever.reach)
    outside = [p for p, post in enumerate(scenario.posts) if post.post in names]
    if not outside:
        return ""
    return (
        f"is not narrowed by `where` or `reach`, for `{effect.quantity}` does not depend on posts: it acts "
        f"for {names_of(scenario, outside)} as well"
    )


def _cut_short(lever: Intervention) -> list[tuple[str, str]]:
    """Warn of an effort that ends before everybody takes part."""
    if lever.end is None:
        return []
    months = month_number(lever.end) - month_number(lever.start)
    if months >= lever.ramp:
        return []
    reached = f"{months / lever.ramp:.0%} of it is ever reached"
    message = f"comes {months} months into a ramp of {lever.ramp:g} months: {reached}"
    return [(f"interventions.{lever.name}.end", message)]


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
