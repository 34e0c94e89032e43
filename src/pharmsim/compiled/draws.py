"""Draws: a table of draw × named uncertainty; row 0 holds the central values.

Every uncertainty has a stream of random numbers of its own, keyed by (seed, name): adding a draw
or another uncertainty moves no number that was there before, and scenarios that share an
uncertainty by name share its draws.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel
from scipy.special import betaincinv, ndtri

from pharmsim.compiled.arrays import Floats
from pharmsim.errors import InputError
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.values import Range, Value

NORMAL_95 = 1.6448536269514722
"""`low` and `high` of a normal or lognormal range are its 5 % and 95 % points: ± this many deviations."""


def uncertain(node: Any) -> Iterator[Value | Range]:
    """Every value and relative range in a scenario that has a low and a high end.

    Parameters
    ----------
    node : pydantic model, mapping, sequence or anything else

    Yields
    ------
    Value or Range
    """
    if isinstance(node, (Value, Range)):
        if node.low is not None and node.high is not None and node.high > node.low:
            yield node
        return
    children: Any = ()
    if isinstance(node, BaseModel):
        children = (getattr(node, name) for name in type(node).model_fields)
    elif isinstance(node, dict):
        children = node.values()
    elif isinstance(node, (list, tuple)):
        children = node
    for child in children:
        yield from uncertain(child)


def names(scenario: Scenario) -> tuple[str, ...]:
    """Names of the uncertainties of a scenario, in the order in which they stand in it."""
    found = (node.uncertainty or "" for node in uncertain(scenario))
    return tuple(dict.fromkeys(found))


def quantile(u: Floats, central: float, low: float, high: float, dist: str | None) -> Floats:
    """Value at probability `u` of a range around a central value.

    Parameters
    ----------
    u : float64 array, shape (draws,)
        Probabilities in (0, 1).
    central, low, high : float
        `pert`, `triangular`: mode and ends; `uniform`: ends; `normal`: mean and 5 % and 95 %
        points; `lognormal`: median and the same points; `beta`: mean, with the deviation that a
        normal of this range has.
    dist : str or None
        None is `pert`.

    Returns
    -------
    float64 array, shape (draws,)
    """
    width = high - low
    if dist in (None, "pert"):
        a, b = 1.0 + 4.0 * (central - low) / width, 1.0 + 4.0 * (high - central) / width
        return np.asarray(low + width * betaincinv(a, b, u))
    if dist == "uniform":
        return low + width * u
    if dist == "triangular":
        split = (central - low) / width
        left = low + np.sqrt(u * width * (central - low))
        right = high - np.sqrt((1.0 - u) * width * (high - central))
        return np.where(u < split, left, right)
    if dist == "normal":
        return np.asarray(central + ndtri(u) * width / (2.0 * NORMAL_95))
    if dist == "lognormal":
        if low <= 0.0:
            raise InputError(f"a lognormal range needs a low end above 0; got {low}")
        return np.asarray(central * np.exp(ndtri(u) * np.log(high / low) / (2.0 * NORMAL_95)))
    variance = (width / (2.0 * NORMAL_95)) ** 2
    weight = central * (1.0 - central) / variance - 1.0
    if weight <= 0.0:
        raise InputError(f"no beta distribution has mean {central} and range {low} to {high}")
    return np.asarray(betaincinv(central * weight, (1.0 - central) * weight, u))


@dataclass(frozen=True)
class Draws:
    """Probabilities of every uncertainty in every draw.

    Attributes
    ----------
    names : tuple of str
        Uncertainties.
    u : float64 array, shape (draws, uncertainties)
        Probabilities.
    seed : int
    central : bool
        Whether row 0 stands for the central values; its probabilities are then not used.
    """

    names: tuple[str, ...]
    u: Floats
    seed: int
    central: bool = True

    @property
    def n(self) -> int:
        """Number of rows, the central one included."""
        return self.u.shape[0]

    def probabilities(self, name: str) -> Floats:
        """Column of one uncertainty, shape (draws,)."""
        return self.u[:, self.names.index(name)]

    def values(self, value: Value) -> Floats:
        """A value in every draw, shape (draws,); the same number in all if it has no range."""
        return self._spread(value, value.value)

    def factors(self, span: Range | None) -> Floats:
        """A relative range in every draw, shape (draws,); 1 without a range."""
        return np.ones(self.n) if span is None else self._spread(span, 1.0)

    def _spread(self, node: Value | Range, central: float) -> Floats:
        out = np.full(self.n, central)
        if node.low is not None and node.high is not None and node.high > node.low:
            first = int(self.central)
            u = self.probabilities(node.uncertainty or "")[first:]
            out[first:] = quantile(u, central, node.low, node.high, node.dist)
        return out

    def block(self, first: int, last: int) -> Draws:
        """Rows `first` … `last` − 1."""
        return Draws(self.names, self.u[first:last], self.seed, self.central and first == 0)


def sample(scenario: Scenario, n: int = 0, seed: int = 1) -> Draws:
    """Draw every uncertainty of a scenario `n` times, behind a row of central values.

    Parameters
    ----------
    scenario : Scenario
    n : int
        Draws; 0 gives the central row alone.
    seed : int

    Returns
    -------
    Draws
        With n + 1 rows.
    """
    columns = names(scenario)
    u = np.full((n + 1, len(columns)), 0.5)
    for k, name in enumerate(columns):
        key = hashlib.sha256(f"{seed}\0{name}".encode()).digest()[:16]
        stream = np.random.Generator(np.random.Philox(key=int.from_bytes(key, "little")))
        u[1:, k] = np.clip(stream.random(n), 1e-12, 1.0 - 1e-12)
    return Draws(columns, u, seed)
