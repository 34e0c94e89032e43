"""What several checks need: numbers by post, series by month, dates in order, names that exist."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from pharmsim.scenario.expand import Floats, central
from pharmsim.scenario.marks import Path, closest, quoted
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.problems import Problems
from pharmsim.scenario.values import Cells, Series

TOLERANCE = 1e-6


def by_post(scenario: Scenario, problems: Problems, path: Path, cells: Cells | None) -> Floats | None:
    """Return central values by post, shape (P,); None if they are not given or cannot be judged."""
    if cells is None or not scenario.posts or problems.touches(path):
        return None
    values = central(cells, scenario, ("post",))
    return None if np.isnan(values).any() else values


def month_number(month: str) -> int:
    """Return the number of a month (``2025-10``) since the year 0."""
    year, number = month.split("-")
    return int(year) * 12 + int(number) - 1


def at_month(series: Series, month: int) -> float:
    """Return the central value of a series: straight lines between its dates, constant outside them."""
    known = [month_number(date) for date in series.points]
    return float(np.interp(month, known, [value.value for value in series.points.values()]))


def dates_of(series: Iterable[Series | None]) -> list[str]:
    """Return every date of some series, in order."""
    return sorted({date for one in series if one is not None for date in one.points})


def in_order(problems: Problems, path: Path, start: str, end: str) -> None:
    """Check that a change does not end before it starts."""
    if month_number(end) < month_number(start):
        problems.add((*path, "end"), f"must not be before the start {start}; got {end}")


def exists(problems: Problems, path: Path, name: str, names: Iterable[str], what: str) -> bool:
    """Check that something is named that exists; return whether it does."""
    known = list(names)
    if name in known:
        return True
    problems.add(path, f"no such {what} {quoted(name)}.{closest(name, known)}")
    return False


def names_of(scenario: Scenario, posts: Sequence[int]) -> str:
    """Return the first of some posts in words, and how many more there are."""
    first = scenario.posts[int(posts[0])].post
    return f"{first} and {len(posts) - 1} more" if len(posts) > 1 else first
