"""Cells on their axes: every cell has a number, inside its bounds; shares sum to one."""

from __future__ import annotations

import numpy as np

from pharmsim.quantities import KINDS
from pharmsim.scenario.distributions import extremes
from pharmsim.scenario.expand import Floats, Ints, age_shares, central, grid, is_aged, select_posts
from pharmsim.scenario.fields import Number, numbers
from pharmsim.scenario.marks import Path
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.problems import Problems
from pharmsim.scenario.values import Cells

TOLERANCE = 1e-6


def check(scenario: Scenario, problems: Problems) -> None:
    """Check all cells whose own names, and the axes they stand on, are sound."""
    for number in numbers(scenario):
        if isinstance(number.node, Cells) and _can_be_judged(scenario, problems, number):
            _cells(scenario, problems, number, number.node)


def _can_be_judged(scenario: Scenario, problems: Problems, number: Number) -> bool:
    lost = {axis for axis in ("group", "contract", "age") if problems.lacks(f"{axis}s")}
    if lost & set(number.of.by) or ("post" in number.of.by and not scenario.posts):
        return False
    if number.path[0] == "establishment" and problems.touches(("establishment", "unconstrained")):
        return False
    return not problems.touches(number.path)


def _cells(scenario: Scenario, problems: Problems, number: Number, cells: Cells) -> None:
    keys = {is_aged(term) for term in cells.terms} - {""}
    if len(keys) > 1:
        problems.add(number.path, "has factors by `age` and by `years_past_pension_age`: use one of the two")
        return
    axes = [axis for axis in number.of.by if axis != "age" or keys]
    if number.of.over == "age":
        axes, values = ["post", "group", "age"], age_shares(cells, scenario, normalise=False)
        if any("age" not in row.where for row in cells.terms[0].rows):
            problems.add(number.path, "rows must name an `age`, such as `age: 25-34`")
            return
    else:
        values = central(cells, scenario, axes)
        if keys == {"age"}:
            values = values[..., : scenario.ages.last - scenario.ages.first + 1]
    if number.path == ("establishment", "fte") or number.path == ("establishment", "vacancy_rate"):
        values = _without_free_posts(scenario, values)
    ages = grid(scenario, next(iter(keys), "age"))
    missing = np.argwhere(np.isnan(values))
    if len(missing):
        first = _cell(scenario, axes, missing[0], ages) + _grade(scenario, axes, missing[0])
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        what = "a headcount is missing" if number.path[-1] == "headcount" else "no row gives a number"
        problems.add(number.path, f"{what} for {first}{more}. A row without `where` gives one to all others")
        return
    _bounds(scenario, problems, number, cells, values, axes, ages)
    if number.of.over:
        _sums(scenario, problems, number, values, axes, ages)


def _grade(scenario: Scenario, axes: list[str], index: Ints) -> str:
    """Return the grade of the post of a cell in words: a band is easily left out of a table."""
    grade = scenario.posts[int(index[axes.index("post")])].grade if "post" in axes else ""
    return f" (grade {grade})" if grade else ""


def _without_free_posts(scenario: Scenario, values: Floats) -> Floats:
    """Return values with 0 where a post has no limit and needs none."""
    values = values.copy()
    for where in scenario.establishment.unconstrained if scenario.establishment is not None else ():
        values[select_posts(scenario, where)] = 0.0
    return values


def _cell(scenario: Scenario, axes: list[str], index: Ints, ages: Ints) -> str:
    """Return a cell in words: ``nurse.ward, female, age 31``."""
    words = []
    for axis, i in zip(axes, index, strict=True):
        if axis == "post":
            words.append(scenario.posts[int(i)].post)
        elif axis == "age":
            words.append(f"age {ages[int(i)]}" if ages[0] >= 0 else f"{ages[int(i)]} years past pension age")
        else:
            words.append(list(getattr(scenario, f"{axis}s"))[int(i)])
    return ", ".join(words) or "everybody"


def _bounds(
    scenario: Scenario,
    problems: Problems,
    number: Number,
    cells: Cells,
    values: Floats,
    axes: list[str],
    ages: Ints,
) -> None:
    """Check products and relative ranges; single rows are within bounds already."""
    kind = KINDS[number.of.kind]
    spread = [term.range for term in cells.terms if term.range is not None]
    tops = [extremes(1.0, item.low, item.high, item.dist)[1] for item in spread]
    top = float(np.prod(tops)) if not number.of.over else 1.0
    for factor, what in ((1.0, ""), (top, " at the top of its range")):
        wrong = np.argwhere((values * factor > kind.high + 1e-9) | (values * factor < kind.low - 1e-9))
        if len(wrong):
            cell = _cell(scenario, axes, wrong[0], ages)
            found = values[tuple(wrong[0])] * factor
            problems.add(number.path, f"must be {kind.text}; is {found:.6g} for {cell}{what}")
            return
    if number.of.kind == "months" and np.any(np.abs(values - np.round(values)) > 1e-9):
        problems.add(number.path, "must be whole numbers of months")


def _sums(
    scenario: Scenario, problems: Problems, number: Number, values: Floats, axes: list[str], ages: Ints
) -> None:
    axis = axes.index(number.of.over)
    sums = values.sum(axis=axis)
    wrong = np.argwhere(np.abs(sums - 1.0) > TOLERANCE)
    if not len(wrong):
        return
    others = [name for name in axes if name != number.of.over]
    path: Path = number.path
    total = float(sums[tuple(wrong[0])])
    cell = f" for {_cell(scenario, others, wrong[0], ages)}" if others else ""
    problems.add(path, f"shares must sum to 1 over {number.of.over}; they sum to {total:.6g}{cell}")
