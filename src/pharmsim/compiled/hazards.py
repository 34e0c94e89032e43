"""Hazards: rows by age shared by many cells, read at the exact age of every cohort at mid-step."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pharmsim.compiled.arrays import CONSTANT, NEVER, Bools, Clock, Floats, Ints
from pharmsim.compiled.grid import EVERY_CELL, PENSION_GRID, Grid, month_number
from pharmsim.scenario.models import PensionAge
from pharmsim.scenario.values import Cells

MASKED = "masked"


class Readings(NamedTuple):
    """The same rows as functions of a person's own exact age, for engines of single people."""

    first_age: int
    start: float  # of the scenario, in years
    values: tuple[Floats, ...]  # per year: at birthdays, or on `PENSION_GRID`; of masked rows those masked
    by_pension: Bools  # (rows,): on `PENSION_GRID`
    mask: Bools  # (rows, A): age indexes at which the row is not 0
    born: Floats  # (n,): birth dates in years, ascending; empty without pension ages
    pension_age: Floats  # (n,): straight lines between, constant outside


class HazardRows:
    """Collects the distinct rows by age of all hazards; first the rows `CONSTANT` (1) and `NEVER` (0)."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        n_knots = grid.lengths["age"] + 2
        self.rows: list[tuple[str, Floats]] = [("age", np.ones(n_knots)), ("age", np.zeros(n_knots))]
        self._known: dict[tuple[str, bytes], int] = {}

    def add(self, cells: Cells | None, axes: tuple[str, ...] = EVERY_CELL) -> tuple[Ints, Floats]:
        """Add the hazards of some cells.

        Parameters
        ----------
        cells : Cells or None
            None is a hazard of 0.
        axes : tuple of str

        Returns
        -------
        row : int64 array, shape (*axes)
            Rows of the table that `table` returns.
        scale : float64 array, shape (draws, *axes)
            Factor of the row, per year.
        """
        shape = self.grid.shape(axes)
        if cells is None:
            return np.full(shape, NEVER), np.zeros((self.grid.draws.n, *shape))
        scale, table, key = self.grid.aged(cells, axes)
        if table is None:
            return np.full(shape, CONSTANT), scale
        flat = table.reshape(-1, table.shape[-1])
        row = np.array([self._row(key, values) for values in flat], dtype=np.int64)
        return row.reshape(shape), scale

    def _row(self, key: str, values: Floats) -> int:
        name = (key, np.ascontiguousarray(values).tobytes())
        if name not in self._known:
            self._known[name] = len(self.rows)
            self.rows.append((key, values))
        return self._known[name]

    def masked(self, row: int, first: int, end: int) -> int:
        """A row that is that row at the age indexes `first` … `end` − 1, and 0 elsewhere."""
        if row == NEVER or (first <= 0 and end >= self.grid.lengths["age"]):
            return row
        mask = np.zeros(self.grid.lengths["age"])
        mask[first:end] = 1.0
        name = (f"masked {row}", mask.tobytes())
        if name not in self._known:
            self._known[name] = len(self.rows)
            self.rows.append((MASKED, np.array([float(row), *mask])))
        return self._known[name]

    def table(self, clock: Clock) -> Floats:
        """All rows at mid-step, shape (years or 1, steps per year, rows, A), per year (central, unscaled).

        Years are distinguished only where a row depends on pension ages, which differ by birth date.
        """
        n_ages = self.grid.lengths["age"]
        n_steps = 12 * clock.substeps if clock.months_per_period == 1 else 1
        by_pension = any(key == "years_past_pension_age" for key, _ in self.rows)
        n_years = -(-clock.n_periods * clock.months_per_period // 12) if by_pension else 1
        out = np.empty((n_years, n_steps, len(self.rows), n_ages))
        middle = (np.arange(n_steps) + 0.5) / n_steps
        for r, (key, values) in enumerate(self.rows):
            if key == MASKED:  # of a row before it
                out[:, :, r] = out[:, :, int(values[0])] * values[1:]
                continue
            for step, tau in enumerate(middle):
                if key == "age":
                    out[:, step, r] = at_exact_age(values, tau)
                    continue
                for year in range(n_years):
                    past = self._past_pension_age(year, tau)
                    out[year, step, r] = np.interp(past, PENSION_GRID, values)
        return out

    def readings(self) -> Readings:
        """All rows as functions of exact age."""
        scenario, n_ages = self.grid.scenario, self.grid.lengths["age"]
        of = list(range(len(self.rows)))
        mask = np.ones((len(of), n_ages), dtype=np.bool_)
        for r, (key, values) in enumerate(self.rows):
            if key == MASKED:  # of a row before it, which may be masked too
                of[r], mask[r] = of[int(values[0])], mask[int(values[0])] & (values[1:] > 0.0)
        born, ages = pension_knots(scenario.pension_age)
        return Readings(
            first_age=scenario.ages.first,
            start=self.grid.start / 12.0,
            values=tuple(self.rows[r][1] for r in of),
            by_pension=np.array([self.rows[r][0] == "years_past_pension_age" for r in of]),
            mask=mask,
            born=born,
            pension_age=ages,
        )

    def _past_pension_age(self, year: int, tau: float) -> Floats:
        """Exact years past their own pension age of every cohort."""
        scenario = self.grid.scenario
        at_anniversary = scenario.ages.first + np.arange(self.grid.lengths["age"]) + 0.5
        born = self.grid.start / 12.0 + year - at_anniversary
        return np.asarray(at_anniversary + tau - pension_age(scenario.pension_age, np.asarray(born)))


def at_exact_age(knots: Floats, tau: float) -> Floats:
    """Values of all cohorts `tau` years after the year began, by straight lines between birthdays.

    Parameters
    ----------
    knots : float64 array, shape (A + 2,)
        At birthdays first … last + 2.
    tau : float
        0 to 1.

    Returns
    -------
    float64 array, shape (A,)
    """
    exact = tau + 0.5
    whole = min(int(exact), 1)
    low, high = knots[whole : whole + len(knots) - 2], knots[whole + 1 : whole + len(knots) - 1]
    return low + (exact - whole) * (high - low)


def pension_age(rows: tuple[PensionAge, ...], born: Floats) -> Floats:
    """Pension age of people by birth date (in years), straight lines between the rows, constant outside."""
    return np.interp(born, *pension_knots(rows))


def pension_knots(rows: tuple[PensionAge, ...]) -> tuple[Floats, Floats]:
    """Birth dates in years, ascending, and the pension ages of people born then."""
    dates = np.array([month_number(row.born) / 12.0 for row in rows])
    ages = np.array([row.age.value for row in rows])
    order = np.argsort(dates)
    return dates[order], ages[order]
