"""Cells on their axes: rows with selectors become arrays over post, group, contract and age.

Rows are painted in their order, later ones over earlier ones. By age, a row with a band holds at
the birthdays of the band. Rows with single ages are knots of the selection they name: straight
lines between neighbouring knots, constant outside the first and the last one, except where a band
of the same selection was written before. A selection with one single age means that age only. What
no row covers is not a number (NaN), with row -1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pharmsim.scenario.models import Post, Scenario
from pharmsim.scenario.text import HIGHEST, LOWEST, age_range
from pharmsim.scenario.values import Cells, Row, Term

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
AGE_KEYS = ("age", "years_past_pension_age")
BEYOND = 2
"""Birthdays past the last age at which cells are given: hazards are read up to 1½ years past it."""


def is_aged(term: Term) -> str:
    """Return the age axis that rows of a term name: "", ``age`` or ``years_past_pension_age``."""
    return next((key for row in term.rows for key in AGE_KEYS if key in row.where), "")


class _Same:
    """Posts as a key by identity: to compare them all each time would take longer than the table."""

    def __init__(self, posts: tuple[Post, ...]) -> None:
        self.posts = posts

    def __hash__(self) -> int:
        return id(self.posts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.posts is other.posts


@lru_cache(maxsize=32)
def _post_table(key: _Same) -> dict[str, NDArray[np.str_]]:
    axes = ("post", "role", "environment", "grade", "place")
    rows = [post.attributes | {axis: str(getattr(post, axis)) for axis in axes} for post in key.posts]
    return {
        axis: np.array([row.get(axis, "") for row in rows])
        for axis in {*axes, *(x for row in rows for x in row)}
    }


def post_table(scenario: Scenario) -> dict[str, NDArray[np.str_]]:
    """Return, for every axis and attribute of posts, its value at each post."""
    return _post_table(_Same(scenario.posts))


def select_posts(scenario: Scenario, where: Mapping[str, Sequence[str]]) -> Ints:
    """Return the indices of the posts that a selector means (its other keys are left aside)."""
    chosen = np.ones(len(scenario.posts), dtype=bool)
    table = post_table(scenario)
    for key, names in where.items():
        if key not in ("group", "contract", *AGE_KEYS):
            chosen &= np.isin(table[key], names) if key in table else False
    return np.flatnonzero(chosen)


def _selected(scenario: Scenario, row: Row, axes: Sequence[str]) -> list[Ints]:
    """Return the indices that a row selects on every axis but age."""
    found: list[Ints] = []
    for axis in axes:
        if axis == "post":
            found.append(select_posts(scenario, row.where))
        elif axis != "age":
            names = list(getattr(scenario, f"{axis}s"))
            wanted = row.where.get(axis, names)
            found.append(np.array([i for i, name in enumerate(names) if name in wanted], dtype=np.int64))
    return found


def grid(scenario: Scenario, key: str) -> Ints:
    """Return the ages at which a term is given: birthdays first … last + 2, or -40 … 40 past pension age."""
    if key == "years_past_pension_age":
        return np.arange(LOWEST[key], HIGHEST[key] + 1)
    return np.arange(scenario.ages.first, scenario.ages.last + BEYOND + 1)


def expand_term(term: Term, scenario: Scenario, axes: Sequence[str]) -> tuple[Floats, Ints]:
    """Return the values of a term over some axes, and the row that supplied each.

    Parameters
    ----------
    term : Term
    scenario : Scenario
    axes : sequence of str
        Any of post, group, contract, age, in the order wanted; age last.

    Returns
    -------
    values : ndarray of float, shape (len of each axis), unit of the cells
        The age axis has the birthdays first … last + 2, or -40 … 40 where the rows are keyed by
        ``years_past_pension_age``. NaN where no row holds.
    row_index : ndarray of int, same shape
        Index into ``term.rows``; -1 where no row holds.
    """
    key = is_aged(term)
    if key and "age" not in axes:
        raise ValueError(f"rows by {key} need the axis age")
    at = grid(scenario, key or "age")
    lengths = {
        "post": len(scenario.posts),
        "group": len(scenario.groups),
        "contract": len(scenario.contracts),
    }
    shape = tuple(lengths.get(axis, len(at)) for axis in axes)
    values, rows = np.full(shape, np.nan), np.full(shape, -1, dtype=np.int64)
    pieces = _by_age(term, key, at)
    for i, row in enumerate(term.rows):
        chosen = _selected(scenario, row, axes)
        for ages, painted in pieces[i]:
            cell = np.ix_(*chosen, ages) if "age" in axes else np.ix_(*chosen)
            values[cell] = painted
            rows[cell] = i
    return values, rows


def _by_age(term: Term, key: str, at: Ints) -> list[list[tuple[Ints, Any]]]:
    """Return, for every row, the (age indices, values) that it paints."""
    lines: dict[Any, _Line] = {}
    names = [tuple(sorted((k, v) for k, v in row.where.items() if k != key)) for row in term.rows]
    single = [key in row.where and _is_single(row.where[key]) for row in term.rows]
    knots = Counter(name for name, is_single in zip(names, single, strict=True) if is_single)
    out: list[list[tuple[Ints, Any]]] = []
    for i, row in enumerate(term.rows):
        line = lines.get(names[i]) or lines.setdefault(names[i], _Line(at))
        if key not in row.where:
            line.covered[:] = True
            out.append([(np.arange(len(at)), row.value)])
        elif single[i] and knots[names[i]] > 1:
            out.append([line.knot(int(row.where[key][0]), row.value)])
        else:
            out.append([line.band(text, row.value, key) for text in row.where[key]])
    return out


def _is_single(texts: Sequence[str]) -> bool:
    low, high = age_range(texts[0])
    return len(texts) == 1 and low == high and not texts[0].endswith("+")


class _Line:
    """Values by age of one selection, while its rows are read in their order."""

    def __init__(self, at: Ints) -> None:
        self.at = at
        self.covered = np.zeros(len(at), dtype=bool)
        self.knots: dict[int, float] = {}

    def band(self, text: str, value: float, key: str) -> tuple[Ints, Any]:
        """A band holds at its birthdays; one that reaches the last age holds beyond it."""
        low, high = age_range(text)
        if key == "age" and high >= self.at[-1] - BEYOND:
            high = int(self.at[-1])
        inside = (self.at >= low) & (self.at <= high)
        self.covered |= inside
        return np.flatnonzero(inside), value

    def knot(self, age: int, value: float) -> tuple[Ints, Any]:
        """Straight lines to the neighbouring knots, except where a band has been written before."""
        self.knots[age] = value
        ages = sorted(self.knots)
        place = ages.index(age)
        first = ages[place - 1] if place else self.at[0]
        last = ages[place + 1] if place + 1 < len(ages) else self.at[-1]
        inside = (self.at >= first) & (self.at <= last) & (~self.covered | (self.at == age))
        return np.flatnonzero(inside), np.interp(self.at[inside], ages, [self.knots[a] for a in ages])


def expand(cells: Cells, scenario: Scenario, axes: Sequence[str]) -> list[tuple[Floats, Ints]]:
    """Return `expand_term` of every term."""
    return [expand_term(term, scenario, axes) for term in cells.terms]


def central(cells: Cells, scenario: Scenario, axes: Sequence[str]) -> Floats:
    """Return the product of all terms at their central values; terms by age need the axis age."""
    product: Floats | None = None
    for term in cells.terms:
        flat = "age" in axes and not is_aged(term)  # the same at all ages, on whatever grid others have
        values, _ = expand_term(term, scenario, [axis for axis in axes if axis != "age"] if flat else axes)
        values = values[..., None] if flat else values
        product = values if product is None else product * values
    assert product is not None
    if "age" in axes and product.shape[-1] == 1:
        product = np.repeat(product, len(grid(scenario, "age")), axis=-1)
    return product


def age_shares(cells: Cells, scenario: Scenario, *, normalise: bool = True) -> Floats:
    """Return shares over single ages from rows that give the shares of ages or bands of ages.

    The share of a band is spread evenly over its years. Rows that select the same people add up to
    one distribution; of several distributions for the same people the one written last holds.

    Parameters
    ----------
    cells : Cells
    scenario : Scenario
    normalise : bool
        Divide by the sum over ages, which the checks keep within 1e-6 of one.

    Returns
    -------
    ndarray of float, shape (post, group, age first … last)
    """
    first, last = scenario.ages.first, scenario.ages.last
    shape = (len(scenario.posts), len(scenario.groups), last - first + 1)
    term = cells.terms[0]
    sets: dict[Any, tuple[list[Ints], Floats]] = {}
    for row in term.rows:
        name = tuple(sorted((key, names) for key, names in row.where.items() if key != "age"))
        if name not in sets:
            sets[name] = (_selected(scenario, row, ("post", "group")), np.zeros(shape[2]))
        ages = np.zeros(shape[2], dtype=bool)
        for text in row.where.get("age", (f"{first}-{last}",)):
            low, high = age_range(text)
            ages[max(low - first, 0) : max(min(high, last) - first + 1, 0)] = True
        if ages.any():
            sets[name][1][ages] += row.value / ages.sum()
    out = np.full(shape, np.nan)
    for chosen, shares in sets.values():
        out[np.ix_(*chosen, np.arange(shape[2]))] = shares
    for factor in cells.terms[1:]:
        out = out * expand_term(factor, scenario, ("post", "group", "age"))[0][..., : shape[2]]
    return out / out.sum(axis=2, keepdims=True) if normalise else out
