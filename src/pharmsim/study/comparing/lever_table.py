"""The interventions of a scenario, as a table in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from pharmsim.scenario.interventions import Effect, Intervention
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.values import Value
from pharmsim.study.explaining.grounds import grades_of

COLUMNS = (
    "scenario", "name", "title", "level", "category", "reach", "uptake", "start", "ramp", "end", "evidence",
    "effects",
)  # fmt: skip


def lever_table(name: str, scenario: Scenario) -> pd.DataFrame:
    """Interventions of a scenario.

    Parameters
    ----------
    name : str
        Of the scenario, as the comparison calls it.
    scenario : Scenario

    Returns
    -------
    DataFrame
        scenario, name, title, level, category, reach (words), uptake (share), start, ramp (months),
        end, evidence (grades of the effects), effects (words). A title that occurs twice has the name behind.
    """
    titles = [item.title for item in scenario.interventions]
    rows = [
        {
            "scenario": name,
            **{key: getattr(item, key) for key in ("name", "level", "category")},
            "title": item.title if titles.count(item.title) < 2 else f"{item.title} ({item.name})",
            "reach": reach_words(scenario, item),
            "uptake": item.uptake.value,
            "start": item.start,
            "ramp": item.ramp,
            "end": item.end or "",
            "evidence": ", ".join(sorted(grades_of(item))),
            "effects": "; ".join(effect_words(item)),
        }
        for item in scenario.interventions
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def reach_words(scenario: Scenario, item: Intervention) -> str:
    """Whom an intervention reaches, in words."""
    names = {"role": scenario.roles, "environment": scenario.environments}
    parts = [_selected(axis, chosen, names.get(axis, {})) for axis, chosen in item.reach.items()]
    if item.groups:
        parts.append(_selected("group", item.groups, scenario.groups))
    if item.ages:
        parts.append(f"ages {item.ages}")
    return "; ".join(parts) or "everybody"


def _selected(axis: str, chosen: Sequence[str], names: Mapping[str, str]) -> str:
    return f"{axis.replace('_', ' ')}: {', '.join(names.get(one, one) for one in chosen)}"


def effect_words(item: Intervention) -> list[str]:
    """Every effect of an intervention with its size and range."""
    found = [_effect(effect) for effect in item.effects]
    found += [f"{_number(plan.share)} of time from {plan.from_} to {plan.to}" for plan in item.job_plan]
    for duty in item.supervision:
        what = f"supervision ({', '.join(duty.of)})" if duty.of else "supervision"
        found.append(f"{_number(duty.share)} of {what} taken over")
    if item.posts:
        found.append("joint posts, added" if item.posts.new else "joint posts from established ones")
    if item.introduction:
        months = f"{item.introduction.months:g} months"
        found.append(f"{_number(item.introduction.share)} of time to introduce it for {months}")
    return found


def _effect(effect: Effect) -> str:
    what = effect.quantity.replace("_", " ") + (f" ({', '.join(effect.of)})" if effect.of else "")
    signs = (("=", effect.to), ("+", effect.plus), ("×", effect.times))
    sizes = [f"{sign} {_number(value)}" for sign, value in signs if value is not None]
    return f"{what} {' '.join(sizes)}{' (claimed)' if effect.claimed else ''}"


def _number(value: Value) -> str:
    if value.low is None or value.high is None:
        return f"{value.value:g}"
    return f"{value.value:g} ({value.low:g} to {value.high:g})"
