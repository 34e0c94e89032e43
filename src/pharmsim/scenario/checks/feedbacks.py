"""Feedbacks: what each perceives must exist, and so must what it acts on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pharmsim.scenario.checks.shared import exists
from pharmsim.scenario.checks.supervision import stages_of
from pharmsim.scenario.marks import Path, quoted
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.problems import Problems
from pharmsim.scenario.system import (
    Attractiveness,
    Burnout,
    Feedback,
    Feedbacks,
    Flexibility,
    Inexperience,
    Recruitment,
    TrainingCapacity,
)
from pharmsim.scenario.values import Value


def check(scenario: Scenario, problems: Problems) -> None:
    """Check every feedback, on or off: a what-if may turn it on."""
    found = scenario.feedbacks
    if found is None:
        return
    _references(scenario, problems, found)
    for name, node in written(found):
        path: Path = ("feedbacks", name)
        for section, why in _needs(node):
            if getattr(scenario, section) is None and not problems.lacks(section):
                problems.add(path, f"needs the section `{section}`: {why}")
    if found.training is not None:
        _training(scenario, problems, found.training)
    known = scenario.first_year is not None and not problems.lacks("working_time")
    if found.inexperience is not None and known:
        _inexperience(scenario, problems)


def written(found: Feedbacks) -> Iterator[tuple[str, Feedback]]:
    """Yield the name and the content of every feedback of a scenario."""
    for name in Feedbacks.model_fields:
        node = getattr(found, name)
        if node is not None:
            yield name, node


def _references(scenario: Scenario, problems: Problems, found: Feedbacks) -> None:
    def named(path: Path, names: Iterable[str], known: Iterable[str], what: str, section: Path) -> None:
        for i, name in enumerate(names):
            if not problems.lost(*section, name):
                exists(problems, (*path, i), name, known, what)

    for name in ("burnout", "flexibility"):
        node: Burnout | Flexibility | None = getattr(found, name)
        if node is not None:
            path: Path = ("feedbacks", name, "destinations")
            named(path, node.destinations, scenario.leaving, "destination of `leaving`", ("leaving",))
    if found.burnout is not None and not problems.lacks("switches"):
        switches = [switch.name for switch in scenario.switches]
        named(("feedbacks", "burnout", "switches"), found.burnout.switches, switches, "switch", ("switches",))
    if found.recruitment is not None and not problems.lacks("hiring"):
        _sources(scenario, problems, found.recruitment)


def _sources(scenario: Scenario, problems: Problems, node: Recruitment) -> None:
    sources = {source.name: source for source in scenario.hiring.sources} if scenario.hiring else {}
    for i, name in enumerate(node.sources):
        path: Path = ("feedbacks", "recruitment", "sources", i)
        if not exists(problems, path, name, sources, "source of `hiring`"):
            continue
        if sources[name].pipelines is not None:
            message = f"{quoted(name)} are newly qualified: name sources from outside, which have a `supply`"
            problems.add(path, message)
        elif sources[name].supply == "unlimited":
            problems.add(path, f"{quoted(name)} is unlimited: a multiplier needs a `supply` that is a number")


def _needs(node: Feedback) -> Iterator[tuple[str, str]]:
    """Yield the sections that a feedback needs, and why."""
    pressure = ("need", "pressure is required time divided by delivered time")
    vacancies = ("establishment", "vacancies are establishment less people in post")
    if isinstance(node, Burnout):
        yield pressure
    if isinstance(node, Recruitment):
        yield vacancies
    if isinstance(node, Attractiveness):
        yield "moves", "it acts on moves between posts"
        if _acts(node.openings):
            yield vacancies
        if _acts(node.pressure):
            yield pressure
        if _acts(node.pay):
            yield "pay", "what an FTE of each post costs"
    if isinstance(node, Inexperience):
        yield "first_year", "the share of first-year staff at the opening"


def _training(scenario: Scenario, problems: Problems, node: TrainingCapacity) -> None:
    path: Path = ("feedbacks", "training")
    if node.where:
        problems.add((*path, "where"), "acts on the places of stages, not on posts: remove `where`")
    if problems.lacks("pipelines"):
        return
    stages = stages_of(scenario).values()
    if not any(stage.places is not None and stage.supervisors is not None for stage in stages):
        problems.add(path, "needs a stage of an external pipeline with `places` and `supervisors`")


def _inexperience(scenario: Scenario, problems: Problems) -> None:
    time = scenario.working_time
    output = time is not None and time.first_year_output is not None
    duties = any(duty.first_year is not None for duty in scenario.supervision.values())
    if not output and not duties and not problems.lacks("supervision"):
        message = (
            "needs `working_time.first_year_output`, or a duty of `supervision` with `first_year`: "
            "otherwise first-year staff take no time"
        )
        problems.add(("feedbacks", "inexperience"), message)


def _acts(value: Value) -> bool:
    """Return whether an elasticity is not 0, centrally or in its range."""
    return value.value != 0.0 or value.low is not None


def without_effect(node: Feedback) -> list[str]:
    """Return what is said about a feedback that is on and acts on nothing, or only on a part of it."""
    if not node.on:
        return []
    if node.low == 1.0 and node.high == 1.0:
        return ["is on and acts on nothing: `low` and `high` are both 1"]
    if isinstance(node, Burnout):
        pairs = [
            ("leaving", node.leaving, "destinations", node.destinations),
            ("shorter_hours", node.shorter_hours, "switches", node.switches),
        ]
        idle = [
            f"`{key}` has an elasticity and no `{names}` to act on" for key, value, names, listed in pairs
            if not listed and _acts(value)
        ]  # fmt: skip
        if any(listed and _acts(value) for _, value, _, listed in pairs):
            return idle
        return idle or ["is on and acts on nothing: every elasticity is 0"]
    keys = ("openings", "pressure", "pay") if isinstance(node, Attractiveness) else ("elasticity",)
    values = [getattr(node, key) for key in keys]
    if not any(map(_acts, values)):
        words = "every elasticity is 0" if len(keys) > 1 else "its elasticity is 0"
        return [f"is on and acts on nothing: {words}"]
    for key in ("destinations", "sources"):
        if getattr(node, key, True) == ():
            return [f"is on and acts on nothing: `{key}` is empty"]
    return []
