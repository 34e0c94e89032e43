"""Uncertainties as factors of a design: their ends, and those that cannot move alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pharmsim.compiled.draws import uncertain
from pharmsim.compiled.together import groups
from pharmsim.scenario.distributions import WITH_TAILS
from pharmsim.scenario.models import Scenario

WHOLE = (0.0, 1.0)
TAILS = (0.05, 0.95)


def ends(scenario: Scenario, names: Sequence[str]) -> np.ndarray:
    """Probabilities of the low and the high end of uncertainties, shape (2, uncertainties).

    Ends of a range are those of its distribution; where it has tails, or is drawn from a posterior, its 5 %
    and 95 % points.
    """
    tails = {node.uncertainty for node in uncertain(scenario) if node.dist in (*WITH_TAILS, "empirical")}
    section = scenario.uncertainties
    tails |= {name for posterior in (section.posteriors if section else ()) for name in posterior.ranges}
    return np.array([TAILS if name in tails else WHOLE for name in names]).reshape(-1, 2).T


def factors(scenarios: Sequence[Scenario], names: Sequence[str]) -> list[tuple[str, ...]]:
    """Uncertainties that vary independently of each other; those that are drawn together are one factor.

    Parameters
    ----------
    scenarios : sequence of Scenario
    names : sequence of str
        Their uncertainties.

    Returns
    -------
    list of tuple of str
        Each name once; the names of a factor as they are written, factors by the first of `names`.
    """
    factor: dict[str, tuple[str, ...]] = {name: (name,) for name in names}
    for group in (group for scenario in scenarios for group in groups(scenario)):
        known = tuple(name for name in group if name in factor)
        factor |= dict.fromkeys(known, known)
    return [
        tuple(name for name in group if factor[name] == group) for group in dict.fromkeys(factor.values())
    ]
