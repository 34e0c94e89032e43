"""Draws: a table of draw × named uncertainty; row 0 of an ensemble holds the central values.

Every uncertainty has a scrambling of its own, keyed by (seed, name): more draws move no number that
was there before, and scenarios drawn together share the draws of what they share by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
from pydantic import BaseModel

from pharmsim.compiled.arrays import Floats
from pharmsim.compiled.sobol import scrambled
from pharmsim.compiled.together import correlated, in_rows, posteriors
from pharmsim.errors import InputError
from pharmsim.scenario.distributions import Steps, positions, quantile, steps_of, steps_of_draws
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.uncertainties import Uncertainties, is_uncertain
from pharmsim.scenario.values import Range, Value

COHORT, CHAIN, CAREERS = "cohort", "chain", "careers"
"""Engines: expectations; whole people by chance, month by month; careers, event by event."""


class Engine(NamedTuple):
    """Which engine answers a table of draws, and with how many replicates a draw (`cohort`: one)."""

    name: str = COHORT
    replicates: int = 1

    @property
    def by_chance(self) -> bool:
        """Whether people are whole and move by chance."""
        return self.name != COHORT


EXPECTED = Engine()

LARGEST = 2**25
"""Numbers of a table of draws, at most: a quarter of a gigabyte, several times that while it is made."""


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
        if is_uncertain(node):
            yield node
        return
    if isinstance(node, Uncertainties):
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


@dataclass(frozen=True)
class Draws:
    """Probabilities of every uncertainty in every draw.

    Attributes
    ----------
    names : tuple of str
        Uncertainties; a scenario need not have them all.
    u : float64 array, shape (draws, uncertainties)
        Probabilities; where not a number, the central value.
    seed : int
    steps : mapping of str to (float64 array, float64 array)
        Of uncertainties drawn from a CSV file: their values in ascending order, and the probability up to
        each. Tables of one's own keep them by ``dataclasses.replace(sample(scenario), u=…)``.
    positions : mapping of str to float64 array
        Of uncertainties drawn from a calibration: positions in the ranges as written, ascending. `u` are
        then probabilities of the posterior, and the central value is its median.
    first : int
        Row of the whole table at which this block of it begins.
    engine : Engine
        Of chance: behind row 0 every draw stands in as many rows as it has replicates.
    """

    names: tuple[str, ...]
    u: Floats
    seed: int
    steps: Mapping[str, Steps] = field(default_factory=dict)
    positions: Mapping[str, Floats] = field(default_factory=dict)
    first: int = 0
    engine: Engine = EXPECTED
    _known: dict[object, Floats] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def n(self) -> int:
        """Number of rows, the central one included."""
        return self.u.shape[0]

    @property
    def drawn(self) -> int:
        """Number of draws: rows behind the central one, by replicates; 0 where all are at central values."""
        return 0 if np.isnan(self.u).all() else (self.n - 1) // self.engine.replicates

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
        if node.low is None or node.high is None or not node.high > node.low:
            return np.full(self.n, central)
        key = (node.uncertainty, central, node.low, node.high, node.dist, repr(node.choices))
        found = self._known.get(key)  # tables repeat their ranges, and are read several times
        if found is None:
            u = self.probabilities(node.uncertainty or "")
            known = self.positions.get(node.uncertainty or "")
            u = u if known is None else positions(known, u)
            drawn = ~np.isnan(u)
            steps = steps_of(node.choices) if node.choices else self.steps.get(node.uncertainty or "")
            found = np.full(self.n, central)
            found[drawn] = quantile(u[drawn], central, node.low, node.high, node.dist, steps)
            self._known[key] = found
        return found.copy()

    def block(self, first: int, last: int) -> Draws:
        """Rows `first` … `last` − 1."""
        return replace(self, u=self.u[first:last], first=self.first + first)


def check_size(what: str, n: int, columns: int) -> None:
    """Refuse a table of draws that takes more memory than machines have, before it is made.

    Parameters
    ----------
    what : str
        Where the number of rows was asked for.
    n, columns : int
        Rows and uncertainties.

    Raises
    ------
    InputError
    """
    most = LARGEST // max(columns, 1)
    if n > most:
        raise InputError(
            f"{what} — must be at most {most:,} with {columns:,} uncertainties — got {n:,} — ask for 1,024, "
            "for example"
        )


def sample(
    scenarios: Scenario | Sequence[Scenario], n: int = 0, seed: int = 1, engine: Engine = EXPECTED
) -> Draws:
    """Draw every uncertainty of some scenarios `n` times, behind a row of central values.

    Parameters
    ----------
    scenarios : Scenario or sequence of Scenario
        Scenarios that are compared share one table; the first has the same draws with any others
        behind it.
    n : int
        Draws; 0 gives the central row alone. Powers of two cover the ranges most evenly.
    seed : int
    engine : Engine

    Returns
    -------
    Draws
        With n + 1 rows; for an engine of chance with so many replicates of each draw, or of the central
        values if there is none.

    Raises
    ------
    InputError
        For fewer than none, or more than a machine has memory for.
    """
    if n < 0:
        raise InputError(
            f"draws — must be a whole number of 0 or more — got {n} — ask for 1,024, for example"
        )
    several = [scenarios] if isinstance(scenarios, Scenario) else scenarios
    columns = tuple(dict.fromkeys(name for scenario in several for name in names(scenario)))
    rows = max(n, 1) * engine.replicates if engine.by_chance else n
    check_size("draws × replicates" if engine.by_chance else "draws", rows, len(columns))
    u = dependent(scrambled(columns, n, seed), columns, several)
    drawn = posteriors(several, [names(scenario) for scenario in several])
    known = {name: steps_of_draws(drawn[name].columns[name]) for name in columns if name in drawn}
    fitted = {name: values for name, (values, _) in known.items() if drawn[name].ranges}
    steps = {name: found for name, found in known.items() if name not in fitted}
    central = np.full((1, len(columns)), np.nan)
    if engine.by_chance:
        u = np.repeat(u if n else central, engine.replicates, axis=0)
    return Draws(columns, np.concatenate([central, u]), seed, steps, fitted, engine=engine)


def dependent(u: Floats, columns: Sequence[str], scenarios: Sequence[Scenario]) -> Floats:
    """Probabilities with the correlations and the rows of posteriors that scenarios ask for.

    Parameters
    ----------
    u : float64 array, shape (draws, columns)
        Independent probabilities; what is not a number stays so.
    columns : sequence of str
        Names of uncertainties.
    scenarios : sequence of Scenario

    Returns
    -------
    float64 array, shape (draws, columns)
        Each column is distributed as before. The columns of a posterior follow the first of them.
    """
    own = [names(scenario) for scenario in scenarios]
    return in_rows(correlated(u, columns, scenarios, own), columns, posteriors(scenarios, own))
