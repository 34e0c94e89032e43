"""What could be measured before choosing: the uncertainties of the scenarios, and their values by draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pharmsim.compiled.draws import Draws, uncertain
from pharmsim.results.assumptions import assumptions
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.values import Range, Value
from pharmsim.study.deciding.futures import Condition
from pharmsim.study.sensitivity.drivers import FACTOR, TIMES, Driver, drivers
from pharmsim.study.sensitivity.factors import factors


@dataclass(frozen=True)
class Input:
    """An uncertainty in the draws of a comparison.

    Attributes
    ----------
    driver : Driver
        What it is.
    values : ndarray, shape (draw,)
        In the unit of the driver; where the numbers that it moves have none in common, where it stands
        in its distribution, from 0 to 1.
    drawn : ndarray, shape (draw,)
        What was drawn: equal where it is the same, as in a distribution of few values.
    """

    driver: Driver
    values: np.ndarray
    drawn: np.ndarray

    def limit(self, x: float) -> str:
        """A value in words."""
        if np.isnan(self.driver.value):
            return f"the {100.0 * x:.0f} % point of its range"
        unit = self.driver.unit
        if unit in ("share", "per year"):
            return f"{100.0 * x:.3g} %{' a year' if unit == 'per year' else ''}"
        if unit.startswith("GBP"):
            return f"£{x:,.0f}{unit.removeprefix('GBP')}"
        if unit == TIMES:
            return f"{x:.3g} times what is assumed"
        if unit in ("ratio", FACTOR):
            return f"{x:.3g}"
        return f"{plain(x)} {unit}".removesuffix(" elasticity")

    def side(self, of: Condition) -> str:
        """A condition on it in words: "sickness above 4.6 %"."""
        low, high = (self.limit(end) if np.isfinite(end) else "" for end in (of.low, of.high))
        sides = [f"above {low}"] * bool(low) + [f"below {high}"] * bool(high)
        return f"{self.driver.title} {' and '.join(sides)}"


def plain(x: float) -> str:
    """A number with four digits, large ones whole: never with an exponent that few can read.

    Examples
    --------
    >>> plain(560000.2), plain(20.333)
    ('560,000', '20.33')
    """
    return f"{x:,.0f}" if abs(x) >= 1000.0 else f"{x:.4g}"


def inputs(scenarios: Sequence[Scenario], draws: Draws) -> list[Input]:
    """Describe every uncertainty of some scenarios that are drawn together.

    Parameters
    ----------
    scenarios : sequence of Scenario
    draws : Draws
        Their table; row 0 holds the central values.

    Returns
    -------
    list of Input
        In the order of the table.
    """
    found: dict[str, Input] = {}
    for scenario in scenarios:
        nodes: dict[str, list[Value | Range]] = {}
        for node in uncertain(scenario):
            nodes.setdefault(node.uncertainty or "", []).append(node)
        new = [name for name in nodes if name in draws.names and name not in found]
        for driver in drivers(new, assumptions(scenario)) if new else ():
            own = nodes[driver.name]
            found[driver.name] = Input(driver, _values(driver, own[0], draws)[1:], _drawn(own, draws)[1:])
    return [found[name] for name in draws.names if name in found]


def _values(driver: Driver, node: Value | Range, draws: Draws) -> np.ndarray:
    """Values of an uncertainty in every row, in the unit of its description."""
    if np.isnan(driver.value):
        return draws.probabilities(driver.name)
    values = draws.factors(node) if isinstance(node, Range) else draws.values(node)
    if (driver.n == 1 and isinstance(node, Value)) or not values[0]:
        return values
    return values / values[0] * driver.value


def _drawn(nodes: Sequence[Value | Range], draws: Draws) -> np.ndarray:
    """Numbers of an uncertainty in every row: of those that it moves, the one with the most values."""
    each = [draws.factors(node) if isinstance(node, Range) else draws.values(node) for node in nodes]
    return max(each, key=lambda drawn: len(np.unique(drawn)))


def together(scenarios: Sequence[Scenario], names: Sequence[str]) -> list[list[int]]:
    """Positions of uncertainties that are drawn together, and so are known together; most stand alone."""
    return [sorted(map(names.index, factor)) for factor in factors(scenarios, names)]
