"""What the headline rests on: its share by the evidence of the effects that make it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, get_args

import pandas as pd

from pharmsim.scenario.interventions import Effect, Intervention, PlanChange, SupervisionChange
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.values import Evidence, Value
from pharmsim.study.explaining.attribution import OTHER, SAME, own, values_of, with_own
from pharmsim.study.explaining.headline import Measure
from pharmsim.study.explaining.shapley import shapley
from pharmsim.study.runs import run

GRADES: tuple[str, ...] = get_args(Evidence)
Part = Effect | PlanChange | SupervisionChange


def parts_of(item: Intervention) -> list[Part]:
    """Everything that an intervention changes, beside joint posts and the time of introducing it."""
    return [*item.effects, *item.job_plan, *item.supervision]


def size_of(part: Part) -> Value:
    """The number that says how large an effect is."""
    if not isinstance(part, Effect):
        return part.share
    return next(value for value in (part.times, part.plus, part.to) if value is not None)


def grades_of(item: Intervention) -> set[str]:
    """Grades of evidence of everything that an intervention does."""
    found = {size_of(part).evidence for part in parts_of(item)}
    found |= {item.posts.entry.evidence} if item.posts else set()
    return found | ({item.introduction.share.evidence} if item.introduction else set())


def weakest(grades: Collection[str]) -> str:
    """The grade of evidence that says least."""
    return max(grades, key=GRADES.index, default="unstated")


def resting_on(item: Intervention, grades: Collection[str]) -> Intervention:
    """Return an intervention of which only the effects of some grades are left.

    Joint posts go by the evidence of who enters them, the time that introducing takes by its own.
    """
    kept: dict[str, Any] = {
        name: tuple(part for part in getattr(item, name) if size_of(part).evidence in grades)
        for name in ("effects", "job_plan", "supervision")
    }
    if item.posts and item.posts.entry.evidence not in grades:
        kept["posts"] = None
        kept["effects"] = tuple(part for part in kept["effects"] if not part.joint)
    if item.introduction and item.introduction.share.evidence not in grades:
        kept["introduction"] = None
    return item.model_copy(update=kept)


def grounds(base: Scenario, scenario: Scenario, measures: Sequence[Measure]) -> pd.DataFrame:
    """Share out the difference from the base among grades of evidence, at the central values.

    An intervention that the base has with other settings changes as a whole, by its weakest evidence.

    Parameters
    ----------
    base, scenario : Scenario
    measures : sequence of Measure

    Returns
    -------
    DataFrame
        quantity, over, date, unit, grade ("other changes": of the scenario, beside interventions),
        value (Shapley value of the effects of that grade), difference (of the scenario from the
        base), share (the one divided by the other; not a number if there is no difference).
    """
    tags = any(measure.tags for measure in measures)
    alone = own(base, scenario)
    found = {item.name: grades_of(item) for item in scenario.interventions if item.name in alone.names}
    whole_by = {name: weakest(found[name]) for name in alone.before}

    def measured(chosen: Scenario) -> Any:
        return values_of(run(chosen, tags=tags, warn=False), measures)[0]

    def game(grades: frozenset[str]) -> Any:
        new = [name for name in found if name not in whole_by]
        there = [*new, *(name for name, grade in whole_by.items() if grade in grades)]
        items = with_own(scenario, alone, there).interventions
        items = tuple(resting_on(item, grades) if item.name in new else item for item in items)
        return measured(scenario.model_copy(update={"interventions": items}))

    present = {*whole_by.values()}.union(*(found[name] for name in found if name not in whole_by))
    players = [grade for grade in GRADES if grade in present]
    shares, start = shapley(players, game), measured(base)
    other = game(frozenset()) - start
    parts = [*zip(players, shares.value, strict=True), (OTHER, other)]
    numbers = [(measure, date) for measure in measures for date in measure.dates]
    rows = []
    for k, (measure, date) in enumerate(numbers):
        whole = float(shares.total[k] + other[k])
        nothing = SAME * max(abs(float(start[k])), 1.0)
        for grade, values in parts:
            if grade == OTHER and abs(values[k]) <= nothing:
                continue
            rows.append(
                {
                    "quantity": measure.quantity, "over": measure.over, "date": date, "unit": measure.unit,
                    "grade": grade, "value": values[k], "difference": whole,
                    "share": values[k] / whole if abs(whole) > nothing else float("nan"),
                }
            )  # fmt: skip
    return pd.DataFrame(rows)
