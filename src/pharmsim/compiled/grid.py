"""Axes of a scenario, and cells evaluated on them for every draw."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from pharmsim.compiled.arrays import Floats, Ints
from pharmsim.compiled.draws import Draws
from pharmsim.errors import InputError
from pharmsim.scenario.expand import age_shares, expand_term, is_aged
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.text import age_range
from pharmsim.scenario.values import Cells, Series, Term

PENSION_GRID = np.arange(-40, 41)
"""Years past pension age at which retirement tables are held."""
EVERY_CELL = ("post", "group", "contract")


def month_number(month: str) -> int:
    """Months since year 0 of a canonical month, ``2025-10`` → 24309."""
    year, calendar = month.split("-")
    return int(year) * 12 + int(calendar) - 1


@dataclass(frozen=True)
class Grid:
    """A scenario with its draws, and the lengths of its axes (D, P, G, C, A)."""

    scenario: Scenario
    draws: Draws
    lengths: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        s = self.scenario
        lengths = {
            "post": len(s.posts),
            "group": len(s.groups),
            "contract": len(s.contracts),
            "age": s.ages.last - s.ages.first + 1,
        }
        object.__setattr__(self, "lengths", lengths)

    @cached_property
    def posts(self) -> dict[str, int]:
        """Index of a post by name."""
        return {post.post: p for p, post in enumerate(self.scenario.posts)}

    @cached_property
    def start(self) -> int:
        """Month number of the start."""
        return month_number(self.scenario.start)

    @cached_property
    def central(self) -> Grid:
        """The same scenario at its central values alone."""
        u = np.full((1, len(self.draws.names)), np.nan)
        return Grid(self.scenario, replace(self.draws, u=u, first=0))

    def shape(self, axes: tuple[str, ...]) -> tuple[int, ...]:
        """Lengths of some axes."""
        return tuple(self.lengths[axis] for axis in axes)

    def _term(self, term: Term, axes: tuple[str, ...]) -> Floats:
        """One term without ages on `axes`, shape (D, *axes)."""
        values, row = expand_term(term, self.scenario, axes)
        spread = any(r.low is not None for r in term.rows)
        if not spread:
            central = np.broadcast_to(values, self.shape(axes))
            return central[None] * self._span(term, len(axes))
        table = np.stack([self.draws.values(r) for r in term.rows], axis=1)
        return table[:, row] * self._span(term, len(axes))

    def _span(self, term: Term, n_axes: int) -> Floats:
        return self.draws.factors(term.range).reshape((-1,) + (1,) * n_axes)

    def cells(self, cells: Cells | None, axes: tuple[str, ...], default: float = 0.0) -> Floats:
        """Cells without ages in every draw.

        Parameters
        ----------
        cells : Cells or None
            None gives `default` everywhere.
        axes : tuple of str
            Any of post, group, contract.
        default : float

        Returns
        -------
        float64 array, shape (draws, *axes)
        """
        out = np.full((self.draws.n, *self.shape(axes)), default if cells is None else 1.0)
        for term in cells.terms if cells else ():
            if is_aged(term):
                raise InputError(f"{term.origin or 'cells'}: these cells cannot depend on age")
            out *= self._term(term, axes)
        return out

    def shares(self, cells: Cells | None, axes: tuple[str, ...], over: str) -> Floats:
        """Shares that sum to one over the axis `over`; equal shares if there are no cells."""
        out = self.cells(cells, axes, default=1.0)
        sums = out.sum(axis=1 + axes.index(over), keepdims=True)
        return out / np.where(sums > 0.0, sums, 1.0)

    def aged(self, cells: Cells, axes: tuple[str, ...]) -> tuple[Floats, Floats | None, str]:
        """Cells split into a factor by draw and a table by age.

        Parameters
        ----------
        cells : Cells
        axes : tuple of str
            Any of post, group, contract.

        Returns
        -------
        scale : float64 array, shape (draws, *axes)
        table : float64 array, shape (*axes, knots), or None if nothing depends on age
            At birthdays first … last + 2, or on `PENSION_GRID`.
        key : str
            "age", "years_past_pension_age" or "".
        """
        scale = np.ones((self.draws.n, *self.shape(axes)))
        table: Floats | None = None
        key = ""
        for term in cells.terms:
            here = is_aged(term)
            if not here:
                scale *= self._term(term, axes)
                continue
            if key and here != key:
                raise InputError(f"{term.origin or 'cells'}: a product cannot mix {key} with {here}")
            key = here
            values, _ = expand_term(term, self.scenario, (*axes, "age"))
            table = values if table is None else table * values
            scale *= self._span(term, len(axes))
        return scale, table, key

    def contract_shares(self, cells: Cells | None) -> Floats:
        """Shares of contracts by age at last birthday, shape (draws, P, G, C, A)."""
        axes = EVERY_CELL
        n_ages = self.lengths["age"]
        if cells is None:
            out = np.ones((1, *self.shape((*axes, "age"))))
        else:
            scale, table, _ = self.aged(cells, axes)
            out = scale[..., None] * (np.ones(1) if table is None else table[..., :n_ages])
            out = np.broadcast_to(out, (*out.shape[:-1], n_ages))
        return np.asarray(out / out.sum(axis=3, keepdims=True))

    def ages(self, cells: Cells | None) -> Floats:
        """Shares by age at last birthday, shape (P, G, A): sum to one over ages."""
        if cells is None:
            raise InputError("shares by age are missing")
        return age_shares(cells, self.scenario)

    def window(self, ages: str | None) -> tuple[int, int]:
        """First age index and end (excluded) of eligible ages such as "18-55"; all ages for None."""
        n_ages = self.lengths["age"]
        if ages is None:
            return 0, n_ages
        low, high = age_range(ages)
        first = self.scenario.ages.first
        return int(np.clip(low - first, 0, n_ages)), int(np.clip(high + 1 - first, 0, n_ages))

    def over_time(self, series: Series | None, months: Ints, steps: bool = False) -> Floats:
        """A series at month numbers (from the start): straight lines between its points, or steps.

        Returns
        -------
        float64 array, shape (draws, months); ones if there is no series
        """
        if series is None:
            return np.ones((self.draws.n, len(months)))
        at = np.array([month_number(key) - self.start for key in series.points], dtype=float)
        order = np.argsort(at)
        values = np.stack([self.draws.values(v) for v in series.points.values()], axis=1)[:, order]
        if steps:
            return values[:, np.clip(np.searchsorted(at[order], months, side="right") - 1, 0, None)]
        place = np.interp(months, at[order], np.arange(len(at)))
        before = np.minimum(place.astype(np.int64), max(len(at) - 2, 0))
        after, share = np.minimum(before + 1, len(at) - 1), place - before
        return np.ascontiguousarray(values[:, before] * (1.0 - share) + values[:, after] * share)

    def by_year(self, series: Series, first: int, last: int) -> Floats:
        """A yearly series, shape (draws, last − first + 1): years after the last point repeat it."""
        years = sorted(int(key) for key in series.points)
        values = {year: self.draws.values(series.points[str(year)]) for year in years}
        columns = [
            values[max([y for y in years if y <= year], default=years[0])] for year in range(first, last + 1)
        ]
        return np.stack(columns, axis=1)
