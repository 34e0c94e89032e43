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


def factors(scenario: Scenario, names: Sequence[str]) -> list[tuple[str, ...]]:
    """Uncertainties that vary independently of each other; those that are drawn together are one factor."""
    together = [tuple(name for name in group if name in names) for group in groups(scenario)]
    factor = {name: group for group in together for name in group}
    return list(dict.fromkeys(factor.get(name, (name,)) for name in names))
