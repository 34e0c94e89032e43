"""Hazards at a person's own exact age, and the most that they can be within a year."""

from __future__ import annotations

import numpy as np

from pharmsim.compiled.arrays import Floats
from pharmsim.compiled.grid import PENSION_GRID
from pharmsim.compiled.hazards import Readings

MONTHS = 12


class OwnAge:
    """Rows of `Risks.hazard` as functions of exact age.

    Parameters
    ----------
    readings : Readings
    n_years : int
        Years of the run.
    """

    def __init__(self, readings: Readings, n_years: int) -> None:
        self._r = readings
        self._values = [row.tolist() for row in readings.values]
        self._mask = readings.mask.tolist()
        self._by_pension = readings.by_pension.tolist()
        self._first = readings.first_age
        self.highest = np.stack([self._highest(year) for year in range(n_years)])

    def pension_age(self, birth: float) -> float:
        """Pension age of somebody born `birth` years after the start (0 without pension ages)."""
        if not self._r.born.size:
            return 0.0
        return float(np.interp(self._r.start + birth, self._r.born, self._r.pension_age))

    def at(self, row: int, age: float, past: float, index: int) -> float:
        """Hazard per year.

        Parameters
        ----------
        row : int
        age : float
            Exact age, years.
        past : float
            Exact years past pension age.
        index : int
            Age index of the cohort, which bounds of ages are about.
        """
        if not self._mask[row][index]:
            return 0.0
        values: list[float] = self._values[row]
        x = past - PENSION_GRID[0] if self._by_pension[row] else age - self._first
        if x <= 0.0:
            return values[0]
        i = int(x)
        if i + 1 >= len(values):
            return values[-1]
        return values[i] + (x - i) * (values[i + 1] - values[i])

    def _highest(self, year: int) -> Floats:
        """Highest number of every row and age index in a year, whatever the birthday, shape (rows, A)."""
        n_ages = self._r.mask.shape[1]
        index = np.arange(n_ages)
        past = np.zeros((2, n_ages))
        if self._r.born.size:
            months = np.arange(MONTHS + 1) / MONTHS  # pension ages are given by month of birth
            youngest = self._first + index
            ages = np.interp(
                self._r.start + year - youngest[:, None] - months, self._r.born, self._r.pension_age
            )
            past = np.stack([youngest - ages.max(axis=1), youngest + 2.0 - ages.min(axis=1)])
        out = np.empty(self._r.mask.shape)
        for r, values in enumerate(self._r.values):
            low, high = index, index + 2
            if self._by_pension[r]:
                steps = np.clip(past - PENSION_GRID[0], 0, len(values) - 1)
                low, high = np.floor(steps[0]).astype(int), np.ceil(steps[1]).astype(int)
            out[r] = [values[i : j + 1].max() for i, j in zip(low, high, strict=True)]
        return np.asarray(out * self._r.mask)
