"""Dates in months since the start, and the order of what happens on one date."""

from __future__ import annotations

from enum import IntEnum
from math import ldexp

import simpy

TICKS = 40
"""Dates are multiples of 2^−40 months: binary fractions that are added and subtracted without rounding."""


class Turn(IntEnum):
    """What comes first on the same date; the steps of a month's end as in the model."""

    ANY = 1  # within the month
    START = 2  # first days (7)
    INTERNAL = 3  # internal pipelines (8)
    SIT = 4  # examination (9c)
    MOVE_UP = 5  # a month of study is over (9d)
    RESULT = 6  # results, registration (9d, e)
    ENTER = 7  # places of later stages: everybody in a random turn from here to the next
    AGE = 8  # anniversary (10)
    RECORD = 9  # tags, the system around the people (1, A to F, 11)
    BEGIN = 10  # the next month
    STUDY = 11  # months of study begin; the newly qualified apply
    INTAKE = 12  # places of first stages (9a): everybody in a random turn from here on


class Moment(simpy.Event):
    """An event on a date, in its turn.

    Parameters
    ----------
    env : Environment
    at : float
        Months since the start; a number of ticks.
    turn : float
        One of `Turn`, or between two of them.
    """

    def __init__(self, env: simpy.Environment, at: float, turn: float) -> None:
        super().__init__(env)
        self._ok, self._value = True, None  # decided, as a `Timeout` is
        env.schedule(self, turn, at - env.now)  # type: ignore[arg-type]


def ticks(months: float) -> float:
    """Months rounded to a number of ticks."""
    return ldexp(round(ldexp(months, TICKS)), -TICKS)
