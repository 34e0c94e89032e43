"""Uncertainties that are drawn together: correlated groups, and rows of a posterior."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import ndtr, ndtri

from pharmsim.compiled.arrays import Floats
from pharmsim.errors import InputError
from pharmsim.scenario.distributions import pearson
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.uncertainties import Correlated, Posterior


def correlated(
    u: Floats, names: Sequence[str], scenarios: Sequence[Scenario], own: Sequence[Sequence[str]]
) -> Floats:
    """Probabilities with the rank correlations that scenarios ask for; each column keeps its distribution.

    What is drawn from a posterior is left out: its rows have correlations of their own.

    Parameters
    ----------
    u : float64 array, shape (draws, names)
        Independent probabilities.
    names : sequence of str
        Uncertainties of all scenarios.
    scenarios : sequence of Scenario
    own : sequence of sequences of str
        Uncertainties of each scenario.

    Returns
    -------
    float64 array, shape (draws, names)
        A normal copula: of each group, the name that comes first in the table keeps its probabilities, and
        each of the others depends on those before it only: names behind move nothing.

    References
    ----------
    R. T. Clemen, T. Reilly (1999), Correlations and copulas for decision and risk analysis, Management
    Science 45, 208-224.
    """
    out = u.copy()
    drawn = posteriors(scenarios, own)
    for group in _groups(scenarios, own):
        left = (i for i, name in enumerate(group.of) if name in names and name not in drawn)
        at = sorted(left, key=lambda i: names.index(group.of[i]))
        columns = [names.index(group.of[i]) for i in at]
        weights = np.linalg.cholesky(pearson(group.ranks()[np.ix_(at, at)]))
        normal = ndtri(u[:, columns])
        for i, column in enumerate(columns[1:], 1):
            mixed = np.zeros(len(u))
            for j in range(i + 1):  # one by one: products of matrices round differently with their size
                mixed += weights[i, j] * normal[:, j]
            out[:, column] = ndtr(mixed)
    return out


def _groups(scenarios: Sequence[Scenario], own: Sequence[Sequence[str]]) -> list[Correlated]:
    """Groups of all scenarios, each once; scenarios that share names must correlate them alike."""
    asked: list[dict[tuple[object, ...], Correlated]] = []
    for scenario in scenarios:
        section = scenario.uncertainties
        asked.append(
            {(group.of, group.ranks().tobytes()): group for group in (section.correlated if section else ())}
        )
    found = {key: group for groups in asked for key, group in groups.items()}
    taken: set[str] = set()
    for key, group in found.items():
        for scenario, names, groups in zip(scenarios, own, asked, strict=True):
            shared = [name for name in group.of if name in names]
            if (len(shared) > 1 and key not in groups) or taken & set(group.of):
                raise InputError(
                    f"{scenario.name} — scenarios drawn together must correlate {', '.join(group.of)} "
                    "alike — another one does not — give all of them the same `uncertainties`"
                )
        taken |= set(group.of)
    return list(found.values())


def posteriors(scenarios: Sequence[Scenario], own: Sequence[Sequence[str]]) -> dict[str, Posterior]:
    """Posterior of each uncertainty that is drawn from one; `own` are the uncertainties of each scenario."""
    each = [
        {name: one for one in (s.uncertainties.posteriors if s.uncertainties else ()) for name in one.columns}
        for s in scenarios
    ]
    found = {name: one for drawn in reversed(each) for name, one in drawn.items()}
    for scenario, names, drawn in zip(scenarios, own, each, strict=True):
        asked = {name: None for name, one in found.items() if one.ranges and name in names}
        for name, one in {**asked, **drawn}.items():
            if one is None or one.draws != found[name].draws:
                raise InputError(
                    f"{scenario.name} — scenarios drawn together must draw {name} from one posterior "
                    f"— another one has {'no' if one is None else 'other'} draws of it — use the same file"
                )
    return found


def in_rows(u: Floats, names: Sequence[str], found: Mapping[str, Posterior]) -> Floats:
    """Probabilities such that whole rows of each posterior are drawn, evenly by those of its first name."""
    out = u.copy()
    first: dict[str, Floats] = {}
    for k, name in enumerate(names):
        if name not in found:
            continue
        column = found[name].columns[name]
        chosen = first.setdefault(found[name].draws, u[:, k])
        drawn = ~np.isnan(chosen)
        row = np.minimum(chosen[drawn] * len(column), len(column) - 1).astype(np.int64)
        rank = np.empty(len(column))
        rank[np.argsort(column, kind="stable")] = np.arange(len(column))
        out[drawn, k] = (rank[row] + 0.5) / len(column)
    return out


def groups(scenario: Scenario) -> list[tuple[str, ...]]:
    """Names that are drawn together: of correlated groups, and columns of posteriors."""
    section = scenario.uncertainties
    if section is None:
        return []
    return [*(group.of for group in section.correlated), *(tuple(p.columns) for p in section.posteriors)]
