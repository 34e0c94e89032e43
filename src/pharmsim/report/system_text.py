"""What a scenario has of the system around the people, in plain lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pharmsim.scenario.models import Post, Scenario
from pharmsim.scenario.system import (
    Attractiveness,
    Budget,
    Burnout,
    Duty,
    Feedback,
    Flexibility,
    Inexperience,
    Recruitment,
    TrainingCapacity,
)
from pharmsim.scenario.values import Series, Value


def system_lines(scenario: Scenario) -> list[str]:
    """Say which feedbacks, budgets, duties, delegations and uses of time a scenario has.

    Parameters
    ----------
    scenario : Scenario

    Returns
    -------
    list of str
        A line for each, under a heading; nothing for sections that are not there.
    """
    lines: list[str] = []
    time, need = scenario.working_time, scenario.need
    if time is not None:
        service = [name for name, part in time.job_plan.items() if part.service]
        plan = (
            f"; job plan: {', '.join(time.job_plan)} (service: {', '.join(service)})" if time.job_plan else ""
        )
        lines.append(f"working time: absence {', '.join(time.absence) or 'none'}{plan}")
        lines += [
            f"  shift of {_share(shift.share)} from {shift.from_} to {shift.to}, {shift.start} to {shift.end}"
            f"{_where(shift.where)}"
            for shift in time.shifts
        ]
    if need is not None:
        given = "as FTE" if need.fte is not None else "from required ÷ delivered at the start"
        follows = f"; follows {', '.join(need.activity)}" if need.activity else ""
        lines.append(f"need: {given}{follows}")
        lines += [
            f"  delegation {rule.name}: {_share(rule.share)} of the work{_where(rule.from_)} to {rule.to}, "
            f"at most {rule.limit.value:g} FTE for each FTE at work; takes {rule.supervision.value:g} FTE of "
            "supervision for each"
            for rule in need.delegation
        ]
    lines += _titled("supervision", [_duty(name, duty) for name, duty in scenario.supervision.items()])
    lines += _titled("budgets", [_budget(name, budget) for name, budget in scenario.budgets.items()])
    return lines + _titled("feedbacks", _feedbacks(scenario))


def post_text(post: Post) -> str:
    """Where a joint post works and what it costs to enter it; empty for other posts."""
    if not post.split:
        return ""
    parts = ", ".join(f"{share:.0%} {name}" for name, share in post.split.items())
    weeks = f", {post.backfill_weeks:g} weeks of backfill on entry" if post.backfill_weeks else ""
    return f"joint: {parts}{weeks}"


def feedbacks_on(scenario: Scenario) -> list[str]:
    """Names of the feedbacks that are on."""
    written = scenario.feedbacks
    if written is None:
        return []
    found = {name: getattr(written, name) for name in type(written).model_fields}
    return [name for name, feedback in found.items() if feedback is not None and feedback.on]


def _titled(title: str, lines: Sequence[str]) -> list[str]:
    return [f"{title}:", *(f"  {line}" for line in lines)] if lines else []


def _share(value: Value) -> str:
    return f"{100.0 * value.value:g} %"


def _where(where: Mapping[str, Sequence[str]] | None, title: str = " in ") -> str:
    """A selection in words; nothing for all posts."""
    if not where:
        return ""
    return title + " and ".join(f"{axis} {', '.join(names)}" for axis, names in where.items())


def _series(series: Series, unit: str, factor: float = 1.0) -> str:
    """The first and, if there are several, the last point of a series."""
    points = [(date, series.points[date].value * factor) for date in sorted(series.points)]
    first = f"{points[0][1]:,.10g}{unit}"
    return (
        first
        if len(points) == 1
        else f"{first} in {points[0][0]} to {points[-1][1]:,.10g}{unit} in {points[-1][0]}"
    )


def _duty(name: str, duty: Duty) -> str:
    if duty.trainees:
        who, each = f"trainees of {', '.join(duty.trainees)}", "head"
    elif duty.first_year is not None:
        who, each = f"first-year staff{_where(duty.first_year)}", "head"
    else:
        who, each = f"staff{_where(duty.staff)}", "FTE"
    by = [
        f"{_series(entry.share, ' %', 100.0)} by {_where(entry.where, '') or 'all posts'}"
        if len(duty.by) > 1
        else f"by {_where(entry.where, '') or 'all posts'}"
        for entry in duty.by
    ]
    within = f", within the same {', '.join(duty.within)}" if duty.within else ""
    return f"{name}: {who}, {duty.time.value:g} FTE for each {each}, {'; '.join(by)}{within}"


def _budget(name: str, budget: Budget) -> str:
    money = "of the cost at the start"
    if budget.per_year is not None:
        amount = f"£{_series(budget.per_year, '')} a year"
    else:
        assert budget.of_opening is not None
        amount = f"{_series(budget.of_opening, ' %', 100.0)} {money}"
    effect = "caps establishment and cover" if budget.caps else "shown only, caps nothing"
    return f"{name}{_where(budget.where, ', ') or ', all posts'}: {amount}; {effect}"


def _feedbacks(scenario: Scenario) -> list[str]:
    written = scenario.feedbacks
    if written is None:
        return []
    on = feedbacks_on(scenario)
    lines = []
    for name in type(written).model_fields:
        feedback: Feedback | None = getattr(written, name)
        if feedback is None:
            continue
        if name not in on:
            lines.append(f"{name}: off")
            continue
        given = feedback.reference
        reference = "the opening value" if isinstance(given, str) else f"{given.value:g}"
        delay = f"after {feedback.delay.value:g} months" if feedback.delay.value else "at once"
        lines.append(
            f"{name}: {_effects(feedback)}; perceived {delay}, against {reference}, factor "
            f"{feedback.low:g} to {feedback.high:g}{_where(feedback.where, ', only ')}"
        )
    return lines


def _effects(feedback: Feedback) -> str:
    """What acts on what, with the elasticities."""
    parts: list[tuple[str, float]] = []
    if isinstance(feedback, Burnout):
        if feedback.destinations:
            parts.append(
                (f"pressure on leaving ({', '.join(feedback.destinations)})", feedback.leaving.value)
            )
        if feedback.switches:
            words = f"pressure on changes of hours ({', '.join(feedback.switches)})"
            parts.append((words, feedback.shorter_hours.value))
    elif isinstance(feedback, Attractiveness):
        parts.append(("openings on moves", feedback.openings.value))
        parts.append(("pressure on moves", -feedback.pressure.value))
        parts.append(("pay on moves", feedback.pay.value))
    elif isinstance(feedback, Recruitment):
        words = f"vacancy rate on people who apply ({', '.join(feedback.sources)})"
        parts.append((words, feedback.elasticity.value))
    elif isinstance(feedback, TrainingCapacity):
        parts.append(("supervisors at work on training places", feedback.elasticity.value))
    elif isinstance(feedback, Inexperience):
        words = "first-year share on time to settle in and to be supervised"
        parts.append((words, feedback.elasticity.value))
    elif isinstance(feedback, Flexibility):
        words = f"FTE per head on leaving ({', '.join(feedback.destinations)})"
        parts.append((words, feedback.elasticity.value))
    return "; ".join(f"{words}, elasticity {value:g}" for words, value in parts)
