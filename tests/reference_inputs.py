"""Reading a canonical scenario for the reference implementation: time, cells, hazards, mixes.

Independent of `pharmsim.compiled`: plain loops over the rows that people wrote.
"""

from __future__ import annotations

import calendar
import itertools
import math
import re
from collections import defaultdict
from typing import Any

from pharmsim.scenario.models import Scenario
from pharmsim.scenario.values import Cells, Series, Term

PENSION = "years_past_pension_age"
SPAN = re.compile(r"(-?\d+)(?:-(-?\d+)|(\+))?")
MONTHS = {name: number for number, name in enumerate(calendar.month_name) if name}


def month_number(text: str) -> int:
    """Months since year 0 of `2025-10`, `2025` (its January) or `2025-10-01`."""
    year, month = [*text.split("-"), "1"][:2]
    return int(year) * 12 + int(month) - 1


def calendar_month(name: str) -> int:
    """1 to 12 from a month's name or number."""
    return MONTHS[name] if name in MONTHS else int(name)


def is_single(texts: tuple[str, ...]) -> bool:
    """Whether a row names one single age."""
    return len(texts) == 1 and span(texts[0])[0] == span(texts[0])[1]


def interpolate(x: float, points: dict[float, float]) -> float:
    """Straight lines between points, constant outside them."""
    places = sorted(points)
    if x in points or x <= places[0]:
        return points[max(x, places[0])]
    for low, high in itertools.pairwise(places):
        if x <= high:
            return points[low] + (points[high] - points[low]) * (x - low) / (high - low)
    return points[places[-1]]


def series(values: Series | None, month: float, default: float = 1.0) -> float:
    """Value of a series at the start of a month (a number as of `month_number`)."""
    if values is None:
        return default
    return interpolate(month, {float(month_number(key)): value.value for key, value in values.points.items()})


def yearly(values: Series, year: int) -> float:
    """Value of a yearly series: that of the last year given at or before, or the first year given."""
    points = {int(key[:4]): value.value for key, value in values.points.items()}
    return points[max((key for key in points if key <= year), default=min(points))]


def span(text: str) -> tuple[int, int]:
    """First and last of ``25``, ``25-34``, ``55+``, ``-5``."""
    match = SPAN.fullmatch(text)
    assert match, text
    low = int(match[1])
    return low, int(match[2]) if match[2] else 999 if match[3] else low


class Reader:
    """A scenario's axes, and its cells as plain numbers."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.posts = {post.post: post for post in scenario.posts}
        self.groups = list(scenario.groups)
        self.contracts = list(scenario.contracts)
        self.ages = list(range(scenario.ages.first, scenario.ages.last + 1))
        self.start = month_number(scenario.start)
        self.known: dict[Any, float] = {}
        self.months = month_number(scenario.end) - self.start

    def labels(self, post: str) -> dict[str, str]:
        """Axes and attributes of a post, as rows and levels select them."""
        it = self.posts[post]
        axes = {"role": it.role, "environment": it.environment, "grade": it.grade, "place": it.place}
        return {"post": post} | axes | it.attributes

    def selects(self, where: Any, post: str, group: str = "", contract: str = "") -> bool:
        """Whether `where` holds for a cell, ages apart."""
        cell = {"group": group, "contract": contract} | (self.labels(post) if post else {})
        keys = [key for key in where if key not in ("age", PENSION)]
        return all(cell.get(key, "") in where[key] for key in keys)

    def _grid(self, term: Term, key: str, grid: range, cell: tuple[str, ...]) -> dict[int, float]:
        """A term's values at birthdays (or whole years past pension age) for one post, group, contract."""
        others = [tuple(sorted((k, v) for k, v in row.where.items() if k != key)) for row in term.rows]
        single = [is_single(row.where.get(key, ())) for row in term.rows]
        values: dict[int, float] = {}
        knots: dict[Any, dict[float, float]] = defaultdict(dict)
        bands: dict[Any, set[int]] = defaultdict(set)
        for row, who, one in zip(term.rows, others, single, strict=True):
            if not self.selects(row.where, *cell):
                continue
            if one and sum(s and o == who for s, o in zip(single, others, strict=True)) > 1:
                age = span(row.where[key][0])[0]
                knots[who][age] = row.value
                before = max((x for x in knots[who] if x < age), default=-math.inf)
                after = min((x for x in knots[who] if x > age), default=math.inf)
                free = [x for x in grid if before <= x <= after and (x == age or x not in bands[who])]
                values |= {x: interpolate(x, knots[who]) for x in free}
                continue
            for low, high in [span(text) for text in row.where.get(key, ())] or [(-999, 999)]:
                end = 999 if key == "age" and high >= self.ages[-1] else high
                held = {x: row.value for x in grid if low <= x <= end}
                values |= held
                bands[who] |= held.keys()
        return {x: values.get(x, 0.0) for x in grid}

    def flat(self, cells: Cells | None, *cell: str, default: float = 0.0) -> float:
        """A number without an age, for a post (and group, and contract)."""
        if cells is None:
            return default
        full = (*cell, "", "", "")[:3]
        if (id(cells), full) not in self.known:  # the scenario is frozen: once is enough
            factors = [self._grid(term, "age", range(1), full)[0] for term in cells.terms]
            self.known[id(cells), full] = math.prod(factors)
        return self.known[id(cells), full]

    def birthdays(self, cells: Cells, *cell: str, pension: bool = False) -> dict[float, float] | None:
        """Product of the terms read by age (or by years past pension age) on a grid of whole years."""
        grid = range(-40, 41) if pension else range(self.ages[0], self.ages[-1] + 3)
        key = PENSION if pension else "age"
        terms = [t for t in cells.terms if pension == any(PENSION in row.where for row in t.rows)]
        tables = [self._grid(term, key, grid, cell) for term in terms]
        return {float(x): math.prod(table[x] for table in tables) for x in grid} if tables else None

    def pension_age(self, born: float) -> float:
        """Pension age of a cohort by its birth date (in months, as of `month_number`)."""
        rows = self.scenario.pension_age
        return interpolate(born, {float(month_number(row.born)): row.age.value for row in rows})

    def age_shares(self, cells: Cells, post: str = "", group: str = "") -> list[float]:
        """Shares by single age: the share of a band is spread evenly over its years.

        Rows of the same selection add up; of several selections the one written last holds.
        """
        chosen: dict[Any, list[float]] = {}
        for row in cells.terms[0].rows:
            if not self.selects(row.where, post, group):
                continue
            who = tuple(sorted((key, names) for key, names in row.where.items() if key != "age"))
            shares = chosen.setdefault(who, [0.0] * len(self.ages))
            spans = [span(text) for text in row.where.get("age", ())] or [(-999, 999)]
            inside = [any(low <= age <= high for low, high in spans) for age in self.ages]
            for i, held in enumerate(inside):
                shares[i] += row.value / sum(inside) * held
        return normal(list(chosen.values())[-1])

    def shares(self, cells: Cells | None, axis: str, post: str = "", group: str = "") -> list[float]:
        """Shares of groups or contracts; equal if not given."""
        if cells is None:
            return normal([1.0] * len(self.groups if axis == "groups" else self.contracts))
        if axis == "groups":
            return normal([self.flat(cells, post, name) for name in self.groups])
        return normal([self.flat(cells, post, group, name) for name in self.contracts])


class Hazard:
    """A hazard by post, group, contract and exact age."""

    def __init__(self, reader: Reader, cells: Cells, over_time: Series | None = None) -> None:
        self.reader, self.cells, self.over_time = reader, cells, over_time
        self.tables: dict[Any, Any] = {}

    def __call__(self, post: str, group: str, contract: str, age: int, step: Any) -> float:
        """Rate per year of cohort `age` in a step (a `reference.Moment`), without `over_time`."""
        cell = (post, group, contract)
        if cell not in self.tables:
            self.tables[cell] = [self.reader.birthdays(self.cells, *cell, pension=by) for by in (False, True)]
        by_age, by_pension = self.tables[cell]
        exact = age + 0.5 + step.tau
        rate = 1.0
        if by_age:
            rate *= on_grid(by_age, exact)
        if by_pension:
            born = self.reader.start + 12 * (step.month // 12) - 12 * (age + 0.5)
            rate *= on_grid(by_pension, exact - self.reader.pension_age(born))
        return rate


def on_grid(table: dict[float, float], x: float) -> float:
    """Straight lines between whole years; constant outside the table."""
    low, high = min(table), max(table)
    below = float(math.floor(min(max(x, low), high)))
    above = min(below + 1.0, high)
    return table[below] + (table[above] - table[below]) * (min(max(x, low), high) - below)


def normal(shares: list[float]) -> list[float]:
    """Shares that sum to one; all zero stays zero."""
    total = math.fsum(shares)
    return [share / total for share in shares] if total > 0 else shares
