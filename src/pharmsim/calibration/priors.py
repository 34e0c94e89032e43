"""Priors in z: of ranges, of correlated ranges, and of an earlier calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pharmsim.calibration.posterior import read
from pharmsim.compiled.arrays import Floats
from pharmsim.errors import OutputError
from pharmsim.scenario.checks.uncertainties import ranges
from pharmsim.scenario.distributions import pearson
from pharmsim.scenario.marks import quoted
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.problems import Problems

RIDGE = 1e-9
"""Added to variances, so that few rows of many parameters still make a covariance."""


@dataclass(frozen=True)
class Earlier:
    """What an earlier calibration knows: its parameters, and their rows of z, shape (rows, parameters)."""

    names: tuple[str, ...]
    z: Floats


def earlier(
    file: str,
    scenario: Scenario,
    parameters: tuple[str, ...],
    others: Sequence[Earlier],
    problems: Problems,
) -> list[Earlier]:
    """Read the posterior that is the prior of the parameters that it has; nothing after problems."""
    path = ("priors", "from")
    try:
        found = read(file)
    except OutputError as error:
        problems.add(path, str(error))
        return []
    own = ranges(scenario)
    shared = tuple(name for name in parameters if name in found.ranges)
    if not shared:
        problems.add(
            path, f"{quoted(file)} has none of the parameters; it has {', '.join(list(found.ranges)[:8])}"
        )
    twice = [name for name in shared if any(name in other.names for other in others)]
    if twice:
        more = f" and {len(twice) - 1} more" * (len(twice) > 1)
        problems.add(
            path,
            f"must have a parameter in one file only; {quoted(file)} and one before it both have {twice[0]}"
            f"{more}. Leave one of them out, or calibrate them together",
        )
    for name in shared:
        if tuple(found.ranges[name]) != own[name]:
            problems.add(
                path,
                f"{quoted(name)} must have the range it was fitted with, {' or '.join(found.ranges[name])}; "
                f"got {' or '.join(own[name])}. Write that range, or calibrate {quoted(file)} again",
            )
    return [Earlier(shared, np.column_stack([found.z[name] for name in shared]))] if shared else []


def prior_of(
    scenario: Scenario, parameters: tuple[str, ...], own: int, known: Sequence[Earlier]
) -> tuple[Floats, Floats]:
    """Mean and covariance of the prior in z.

    Parameters
    ----------
    scenario : Scenario
    parameters : tuple of str
        Of the scenario.
    own : int
        Number of parameters of observations behind them.
    known : sequence of Earlier

    Returns
    -------
    float64 array, shape (parameters,)
    float64 array, shape (parameters, parameters)
        Ranges are N(0, 1), with the correlations that the scenario gives; an earlier posterior is the normal
        distribution of its mean and covariance.
    """
    n = len(parameters) + own
    mean, covariance = np.zeros(n), np.eye(n)
    for group in scenario.uncertainties.correlated if scenario.uncertainties else ():
        inside = [i for i, name in enumerate(group.of) if name in parameters]
        at = [parameters.index(group.of[i]) for i in inside]
        covariance[np.ix_(at, at)] = pearson(group.ranks()[np.ix_(inside, inside)])
        np.fill_diagonal(covariance, 1.0)
    for one in known:
        at = [parameters.index(name) for name in one.names]
        mean[at] = one.z.mean(axis=0)
        covariance[at, :] = covariance[:, at] = 0.0
        covariance[np.ix_(at, at)] = np.atleast_2d(np.cov(one.z.T)) + RIDGE * np.eye(len(at))
    return mean, covariance
