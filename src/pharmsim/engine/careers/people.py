"""People of one replicate: a column for everything that is counted."""

from __future__ import annotations

from typing import Any

import numpy as np

from pharmsim.compiled.arrays import Floats

GONE = -1
LONG_AGO = -(2**31)
"""Month of joining of those who are not first-year staff."""
COLUMNS: dict[str, tuple[type, Any]] = {
    "place": (np.int64, GONE),
    "group": (np.int64, 0),
    "contract": (np.int64, 0),
    "index": (np.int64, 0),  # age index of the cohort
    "birth": (np.float64, 0.0),  # years since the start
    "pension": (np.float64, 0.0),  # pension age, years
    "joined": (np.int64, LONG_AGO),  # month
    "clock": (np.float64, np.inf),  # what is left of a unit exponential time, spent at the rate of the bound
    "waits": (np.bool_, False),  # for a month in which the clock runs out
}
"""Type of every column, and what stands in it before anything is known."""


class People:
    """Columns that grow; somebody's number is the row.

    Parameters
    ----------
    n_copies : int
        Tags of retention.
    """

    place: np.ndarray
    group: np.ndarray
    contract: np.ndarray
    index: np.ndarray
    birth: np.ndarray
    pension: np.ndarray
    joined: np.ndarray
    clock: np.ndarray
    waits: np.ndarray

    def __init__(self, n_copies: int) -> None:
        self.n = 0
        self.names: list[str] = []
        self.streams: list[np.random.Generator] = []
        for name, (dtype, value) in COLUMNS.items():
            setattr(self, name, np.full(1024, value, dtype=dtype))
        self.tags: Floats = np.zeros((1024, n_copies))

    def add(self, name: str, stream: np.random.Generator) -> int:
        """One more person; returns the number."""
        i = self.n
        if i == len(self.place):
            for column, (dtype, value) in COLUMNS.items():
                old = getattr(self, column)
                setattr(self, column, np.concatenate([old, np.full(i, value, dtype=dtype)]))
            self.tags = np.concatenate([self.tags, np.zeros_like(self.tags)])
        self.n += 1
        self.names.append(name)
        self.streams.append(stream)
        return i
