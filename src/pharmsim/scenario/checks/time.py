"""Working time and need: parts that sum to one, shifts between them, activities, delegation."""

from __future__ import annotations

import numpy as np

from pharmsim.scenario.checks.shared import (
    TOLERANCE,
    at_month,
    by_post,
    dates_of,
    exists,
    in_order,
    month_number,
    names_of,
)
from pharmsim.scenario.expand import Floats, select_posts
from pharmsim.scenario.marks import Path, quoted
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.problems import Problems
from pharmsim.scenario.services import AT_WORK, INTRODUCTION, LEARNING, SETTLING_IN, Service, services
from pharmsim.scenario.system import Delegation, Need, Shift, WorkingTime

OWN_USES = (LEARNING, SETTLING_IN, INTRODUCTION, AT_WORK)


def check(scenario: Scenario, problems: Problems) -> None:
    """Check `working_time` and `need`."""
    if scenario.working_time is not None:
        _working_time(scenario, problems, scenario.working_time)
    if scenario.need is not None:
        _need(scenario, problems, scenario.need)


def _working_time(scenario: Scenario, problems: Problems, time: WorkingTime) -> None:
    _names(problems, time)
    absences = _total(
        scenario, problems, [(("working_time", "absence", name), x) for name, x in time.absence.items()]
    )
    if absences is not None and absences.max() >= 1.0 - TOLERANCE:
        p = int(absences.argmax())
        found = f"they sum to {absences[p]:.6g} for {scenario.posts[p].post}"
        problems.add(("working_time", "absence"), f"absences of a post must sum to less than 1; {found}")
    if (
        time.first_year_output is not None
        and scenario.first_year is None
        and not problems.lacks("first_year")
    ):
        message = "needs the section `first_year`, which says how many first-year staff there are"
        problems.add(("working_time", "first_year_output"), message)
    if problems.lacks("working_time", "job_plan"):
        return
    if time.job_plan:
        _job_plan(scenario, problems, time)
    for i, shift in enumerate(time.shifts):
        _shift(problems, ("working_time", "shifts", i), shift, time)


def _names(problems: Problems, time: WorkingTime) -> None:
    """Absences and parts are uses of time side by side: each needs a name of its own."""
    for section, names in (("absence", time.absence), ("job_plan", time.job_plan)):
        for name in names:
            path: Path = ("working_time", section, name)
            if name in OWN_USES:
                problems.add(path, f"{quoted(name)} is a use of time that the model adds: take another name")
            elif section == "job_plan" and name in time.absence:
                problems.add(path, f"{quoted(name)} is an absence already: take another name")


def _total(scenario: Scenario, problems: Problems, parts: list[tuple[Path, object]]) -> Floats | None:
    """Return the sum of some cells by post, or None if one of them cannot be judged."""
    found = [by_post(scenario, problems, path, cells) for path, cells in parts]  # type: ignore[arg-type]
    if not found or any(values is None for values in found):
        return None
    return np.sum([values for values in found if values is not None], axis=0)


def _job_plan(scenario: Scenario, problems: Problems, time: WorkingTime) -> None:
    path: Path = ("working_time", "job_plan")
    for name, part in time.job_plan.items():
        if part.service and part.supervising:
            problems.add(
                (*path, name), "is `service` and `supervising`: a part is one of the two, or neither"
            )
    supervising = [name for name, part in time.job_plan.items() if part.supervising]
    if len(supervising) > 1:
        names = ", ".join(map(quoted, supervising))
        problems.add((*path, supervising[1]), f"at most one part is `supervising: true`; got {names}")
    if not any(part.service for part in time.job_plan.values()):
        problems.add(path, "needs a part with `service: true`: the time that counts as delivered")
    parts: list[tuple[Path, object]] = [
        ((*path, name, "share"), part.share) for name, part in time.job_plan.items()
    ]
    total = _total(scenario, problems, parts)
    if total is None:
        return
    wrong = np.flatnonzero(np.abs(total - 1.0) > TOLERANCE)
    if len(wrong):
        found = f"they sum to {total[wrong[0]]:.6g} for {names_of(scenario, list(wrong))}"
        problems.add(path, f"shares of the parts of a post must sum to 1; {found}")


def _shift(problems: Problems, path: Path, shift: Shift, time: WorkingTime) -> None:
    ends = (("from", shift.from_), ("to", shift.to))
    known = [
        exists(problems, (*path, end), name, time.job_plan, "part of the job plan") for end, name in ends
    ]
    if all(known) and shift.from_ == shift.to:
        problems.add(path, f"must lead to another part; {quoted(shift.to)} is both ends")
    in_order(problems, path, shift.start, shift.end)


def _need(scenario: Scenario, problems: Problems, need: Need) -> None:
    path: Path = ("need",)
    if (need.opening_ratio is None) == (need.fte is None) and not (
        problems.lacks("need", "opening_ratio") or problems.lacks("need", "fte")
    ):
        problems.add(path, "must have exactly one of `opening_ratio` and `fte`")
    for name, activity in need.activity.items():
        at: Path = ("need", "activity", name, "index")
        if problems.lacks("start") or problems.touches(at):
            continue
        if at_month(activity.index, month_number(scenario.start)) <= 0.0:
            message = "must be above 0, for need follows the change since then; is 0"
            problems.add(at, f"at the start {scenario.start} {message}")
    shares = [(("need", "activity", name, "share"), x.share) for name, x in need.activity.items()]
    total = _total(scenario, problems, shares)  # type: ignore[arg-type]
    if total is not None and total.max() > 1.0 + TOLERANCE:
        p = int(total.argmax())
        found = f"they sum to {total[p]:.6g} for {scenario.posts[p].post}"
        message = f"shares of the work of a post that follows activities must sum to at most 1; {found}"
        problems.add(("need", "activity"), message)
    _delegations(scenario, problems, need.delegation)


def _delegations(scenario: Scenario, problems: Problems, rules: tuple[Delegation, ...]) -> None:
    known = services(scenario)
    given: dict[Service, list[int]] = {}
    names: set[str] = set()
    for i, rule in enumerate(rules):
        path: Path = ("need", "delegation", i)
        if rule.name in names:
            problems.add((*path, "name"), f"the name {quoted(rule.name)} is given twice")
        names.add(rule.name)
        if problems.lost("roles", rule.to) or not exists(
            problems, (*path, "to"), rule.to, scenario.roles, "role"
        ):
            continue
        if problems.touches((*path, "from")) or problems.unsure & {"post", "role"}:
            continue
        givers = _givers(scenario, problems, path, rule)
        if rule.to in {service.role for service in givers}:
            problems.add((*path, "to"), f"must be another role than that of `from`; got {quoted(rule.to)}")
            continue
        both = [service for service in givers if service._replace(role=rule.to) in known]
        if givers and not both:
            message = f"no environment and place has both the posts of `from` and the role {quoted(rule.to)}"
            problems.add(path, message)
        for service in both:
            given.setdefault(service, []).append(i)
    for service, numbers in given.items():
        _shared_out(problems, service, numbers, rules)


def _givers(scenario: Scenario, problems: Problems, path: Path, rule: Delegation) -> list[Service]:
    """Return the services that a delegation takes work from; it takes whole services."""
    homes = [Service(post.role, post.environment, post.place) for post in scenario.posts]
    chosen = set(select_posts(scenario, rule.from_).tolist())
    givers = list(dict.fromkeys(homes[p] for p in sorted(chosen)))
    for p, service in enumerate(homes):
        if service in givers and p not in chosen:
            message = (
                f"selects some posts of {service} and not {scenario.posts[p].post}: work is delegated by all "
                "posts of a role in an environment and place. Select by role, environment and place"
            )
            problems.add((*path, "from"), message)
            break
    return givers


def _shared_out(
    problems: Problems, service: Service, numbers: list[int], rules: tuple[Delegation, ...]
) -> None:
    """Check that the delegations of one service share out at most all of its work, at every date."""
    some = [rules[i] for i in numbers]
    if any(problems.touches(("need", "delegation", i)) for i in numbers):
        return
    for date in dates_of(rule.over_time for rule in some) or [""]:
        shares = [
            rule.share.value * (at_month(rule.over_time, month_number(date)) if rule.over_time else 1.0)
            for rule in some
        ]
        if sum(shares) > 1.0 + TOLERANCE:
            when = f" in {date}" if date else ""
            message = f"shares of the work of {service} that is delegated must sum to at most 1"
            found = f"they sum to {sum(shares):.6g}{when}"
            problems.add(("need", "delegation", numbers[-1], "share"), f"{message}; {found}")
            return
