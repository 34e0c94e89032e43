"""Interventions: what they change exists, for somebody, at some time, and nobody sets it twice."""

from __future__ import annotations

from pharmsim.quantities import ADJUSTABLE
from pharmsim.scenario.checks.shared import exists, month_number
from pharmsim.scenario.interventions import Effect, Intervention
from pharmsim.scenario.levers import (
    WORDS,
    Reach,
    conflicts,
    edges_of,
    having,
    lacks,
    made_by,
    posts_in,
    reach_of,
    teams,
)
from pharmsim.scenario.marks import Path, closest, quoted
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.problems import Problems
from pharmsim.scenario.training import InternalPipeline


def check(scenario: Scenario, problems: Problems) -> None:
    """Check every intervention of a scenario, and that no two set the same number."""
    seen: set[str] = set()
    for i, lever in enumerate(scenario.interventions):
        path: Path = ("interventions", i)
        if lever.name in seen:
            message = f"the name {quoted(lever.name)} is given twice: give each use a `name` of its own"
            problems.add((*path, "name"), message)
        seen.add(lever.name)
        _dates(scenario, problems, path, lever)
        for key, message in conflicts(lever):
            problems.add((*path, *key), message)
        for name in lever.groups:
            if not problems.lacks("groups"):
                exists(problems, (*path, "groups"), name, scenario.groups, "group")
        for j, effect in enumerate(lever.effects):
            at: Path = (*path, "effects", j)
            if not problems.touches(at):
                _effect(scenario, problems, at, lever, effect)
        _job_plan(scenario, problems, path, lever)
        _supervision(scenario, problems, path, lever)
    _set_once(scenario, problems)


def _dates(scenario: Scenario, problems: Problems, path: Path, lever: Intervention) -> None:
    start = month_number(lever.start)
    if not problems.touches((*path, "start")):
        if start < month_number(scenario.start) and not problems.lacks("start"):
            message = (
                f"must not be before the start {scenario.start} of the scenario, for what is in place by "
                f"then belongs in its base; got {lever.start}"
            )
            problems.add((*path, "start"), message)
        if start >= month_number(scenario.end) and not problems.lacks("end"):
            message = f"must be before the end {scenario.end} of the scenario; got {lever.start}"
            problems.add((*path, "start"), message)
    if lever.end is not None and month_number(lever.end) <= start:
        problems.add((*path, "end"), f"must be after the start {lever.start}; got {lever.end}")


def _effect(scenario: Scenario, problems: Problems, path: Path, lever: Intervention, effect: Effect) -> None:
    quantity = effect.quantity
    who = f"effect {quoted(effect.name)} of {quoted(lever.name)}"
    section = lacks(scenario, quantity)
    if section:
        if not problems.lacks(section.split(".")[0]):
            message = f"{who}: needs the section `{section}`, which the scenario does not have"
            problems.add((*path, "quantity"), message)
        return
    for key, message in _selection(lever, effect):
        problems.add((*path, key), f"{who}: {message}")
    if effect.joint and lever.posts is None:
        message = "`joint` is for interventions that make joint posts (`posts`), which this one does not"
        problems.add((*path, "joint"), f"{who}: {message}")
    if effect.claimed and effect.to is not None:
        message = "`claimed` needs `plus` or `times`, for a part of the claim must have a meaning"
        problems.add((*path, "claimed"), f"{who}: {message}")
    number = next(x for x in (effect.to, effect.plus, effect.times) if x is not None)
    if number.evidence == "unstated":
        message = f"{who}: must state its `evidence`: published, derived, proxy or assumption"
        problems.add(path, message)
    sound = _names(scenario, problems, path, effect, who)
    unsure = problems.unsure or problems.lacks("posts") or problems.touches((*path[:2], "reach"))
    if sound and not unsure and not problems.touches(path):
        _cells(scenario, problems, path, lever, effect, who)


def _selection(lever: Intervention, effect: Effect) -> list[tuple[str, str]]:
    """Return what an effect selects by and its quantity does not depend on, as (key, message)."""
    by, name = ADJUSTABLE[effect.quantity].by, effect.quantity
    out = []
    if effect.into and "to" not in by:
        out.append(("into", f"`{name}` leads nowhere: `into` is for moves, skills_overlap and promotions"))
    if effect.where and "post" not in by:
        out.append(("where", f"`{name}` does not depend on posts"))
    for axis, own, whole in (("age", effect.ages, lever.ages), ("group", None, lever.groups)):
        if axis in by or not (own or (whole and not effect.joint)):
            continue
        others = ", ".join(f"`{key}`" for key, item in ADJUSTABLE.items() if axis in item.by)
        message = f"`{name}` does not depend on {axis}s, which can be selected for {others} only"
        if axis == "age" and not own:
            message += ". Give `ages` to the effects that depend on them"
        out.append(("ages" if own else "quantity", message))
    return out


def _names(scenario: Scenario, problems: Problems, path: Path, effect: Effect, who: str) -> bool:
    """Check what `of` names; return whether it is sound."""
    item, known = ADJUSTABLE[effect.quantity], having(scenario, effect.quantity)
    if problems.lacks(item.section.split(".")[0]):
        return False
    if not item.of:
        if effect.of:
            problems.add((*path, "of"), f"{who}: there is only one `{effect.quantity}`: leave `of` out")
        return not effect.of
    have = [name for name, has in known.items() if has]
    if not effect.of and not have:
        message = f"{who}: no {WORDS[item.of]} of the scenario has it ({item.text})"
        problems.add((*path, "quantity"), message)
        return False
    sound = True
    for name in effect.of:
        below = [key for key in known if key == name or key.split(".")[0] == name]
        if not below:
            near = closest(name, known, 12)
            problems.add((*path, "of"), f"{who}: no such {WORDS[item.of]} {quoted(name)}.{near}")
        elif not any(known[key] for key in below):
            message = f"{quoted(name)} has no such number ({item.text}).{closest('', have, 12)}"
            problems.add((*path, "of"), f"{who}: {message}")
        else:
            continue
        sound = False
    return sound


def _cells(
    scenario: Scenario, problems: Problems, path: Path, lever: Intervention, effect: Effect, who: str
) -> None:
    """Check that an effect is on something."""
    if effect.joint and not made_by(scenario, lever):
        return  # they are not made before all else is sound
    by, found = ADJUSTABLE[effect.quantity].by, reach_of(scenario, lever, effect)
    if "age" in by and found.ages[0] > found.ages[1]:
        problems.add((*path, "ages"), f"{who}: selects nobody, for the intervention is for ages {lever.ages}")
    elif "post" in by and not found.posts:
        problems.add(path, f"{who}: selects no post that the intervention reaches")
    elif "to" in by and not _leads(scenario, effect, found):
        problems.add(
            path,
            f"{who}: no edge of `{ADJUSTABLE[effect.quantity].section}` leads from its posts into others",
        )
    elif effect.quantity == "apprentices" and not _trains(scenario, found):
        problems.add(path, f"{who}: nobody of its posts is trained in an internal pipeline")


def _leads(scenario: Scenario, effect: Effect, found: Reach) -> bool:
    edges = edges_of(scenario, effect.quantity)
    return any(edge.from_ in found.posts and edge.to in found.into for edge in edges)


def _trains(scenario: Scenario, found: Reach) -> bool:
    nodes = (scenario.pipelines[name] for name in found.names)
    return any(
        route.from_ in found.posts
        for node in nodes
        if isinstance(node, InternalPipeline)
        for route in node.routes
    )


def _job_plan(scenario: Scenario, problems: Problems, path: Path, lever: Intervention) -> None:
    plan = scenario.working_time.job_plan if scenario.working_time is not None else {}
    if problems.lacks("working_time"):
        return
    for j, change in enumerate(lever.job_plan):
        at: Path = (*path, "job_plan", j)
        if not plan:
            _needs(problems, at, lever, "working_time.job_plan")
            return
        ends = (("from", change.from_), ("to", change.to))
        known = [exists(problems, (*at, end), name, plan, "part of the job plan") for end, name in ends]
        if all(known) and change.from_ == change.to:
            problems.add(at, f"must lead to another part; {quoted(change.to)} is both ends")
        _some_posts(scenario, problems, at, lever, change.where, change.name)


def _supervision(scenario: Scenario, problems: Problems, path: Path, lever: Intervention) -> None:
    if problems.lacks("supervision"):
        return
    for j, change in enumerate(lever.supervision):
        at: Path = (*path, "supervision", j)
        if not scenario.supervision:
            message = (
                f"{quoted(lever.name)} needs the section `supervision`, which the scenario does not have"
            )
            problems.add(at, message)
            return
        for name in change.of:
            exists(problems, (*at, "of"), name, scenario.supervision, "duty to supervise")
        if problems.unsure or problems.touches(at) or problems.touches((*path, "reach")):
            continue
        reached = posts_in(scenario, lever.reach) - made_by(scenario, lever)
        if not teams(scenario, reached) & posts_in(scenario, change.by):
            message = (
                f"{quoted(change.name)} of {quoted(lever.name)}: `by` selects no post in the environments "
                "and places that the intervention reaches"
            )
            problems.add((*at, "by"), message)


def _needs(problems: Problems, path: Path, lever: Intervention, section: str) -> None:
    message = f"{quoted(lever.name)} needs the section `{section}`, which the scenario does not have"
    problems.add(path, message)


def _some_posts(
    scenario: Scenario, problems: Problems, path: Path, lever: Intervention, where: object, name: str
) -> None:
    if problems.unsure or problems.touches(path) or problems.touches((*path[:2], "reach")):
        return
    reached = posts_in(scenario, lever.reach) - made_by(scenario, lever)
    if not reached & posts_in(scenario, where):  # type: ignore[arg-type]
        problems.add(
            path, f"{quoted(name)} of {quoted(lever.name)}: selects no post that the intervention reaches"
        )


def _set_once(scenario: Scenario, problems: Problems) -> None:
    """Check that no two effects set the same number."""
    given: dict[str, list[tuple[Intervention, Effect, Reach]]] = {}
    for i, lever in enumerate(scenario.interventions):
        for j, effect in enumerate(lever.effects):
            path: Path = ("interventions", i, "effects", j)
            if effect.to is None or problems.touches(path) or lacks(scenario, effect.quantity):
                continue
            found = reach_of(scenario, lever, effect)
            others = given.setdefault(effect.quantity, [])
            for other, first, cells in others:
                if found.meets(cells, ADJUSTABLE[effect.quantity].by):
                    both = f"{quoted(other.name)} ({first.name}) and {quoted(lever.name)} ({effect.name})"
                    how = (
                        "use `plus` or `times` in one of them, or let them reach different people (different "
                        "times do not help)"
                    )
                    problems.add((*path, "to"), f"{both} set the same `{effect.quantity}`: {how}")
            others.append((lever, effect, found))
