"""Correlations and posteriors: they name what there is, and can be."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pharmsim.scenario.distributions import Floats, pearson
from pharmsim.scenario.fields import numbers
from pharmsim.scenario.marks import Path, closest, quoted
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.problems import Problems
from pharmsim.scenario.uncertainties import Correlated, Posterior, is_uncertain, range_text
from pharmsim.scenario.values import Cells, Range, Series, Value

LEAST = 1e-9
"""Smallest eigenvalue of a correlation matrix that is told from none."""


def ranged(scenario: Scenario) -> Iterator[tuple[Path, Value | Range]]:
    """Yield every value and relative range of a scenario with its key path."""
    for number in numbers(scenario):
        if number.path[0] == "uncertainties":
            continue
        if isinstance(number.node, Value):
            yield number.path, number.node
        elif isinstance(number.node, Series):
            for date, value in number.node.points.items():
                yield (*number.path, date), value
        elif isinstance(number.node, Cells):
            for term in number.node.terms:
                yield from ((number.path, row) for row in term.rows)
                if term.range is not None:
                    yield (*number.path, "range"), term.range


def ranges(scenario: Scenario) -> dict[str, tuple[str, ...]]:
    """Return the ranges that each uncertainty of a scenario moves, as text; see `range_text`."""
    found: dict[str, dict[str, None]] = {}
    for _, node in ranged(scenario):
        if is_uncertain(node):
            found.setdefault(node.uncertainty or "", {})[range_text(node)] = None
    return {name: tuple(texts) for name, texts in found.items()}


def check(scenario: Scenario, problems: Problems) -> None:
    """Check what is drawn from posteriors, and correlations."""
    section = scenario.uncertainties
    columns: dict[str, str] = {}
    positions: dict[str, str] = {}
    for i, posterior in enumerate(section.posteriors if section is not None else ()):
        path = ("uncertainties", "posteriors", i)
        if problems.touches(path):
            return
        for name in [name for name in posterior.columns if name in {**columns, **positions}][:1]:
            other = {**columns, **positions}[name]
            problems.add(path, f"has the column {quoted(name)}, which {other} has too")
        (positions if posterior.ranges else columns).update(dict.fromkeys(posterior.columns, posterior.name))
        if posterior.ranges and not scenario.base_digest:  # a change may move what was fitted
            fitted(scenario, problems, posterior)
    known: dict[str, None] = {}
    for at, node in ranged(scenario):
        if node.dist == "empirical" and node.uncertainty not in columns:
            nearest = closest(str(node.uncertainty), columns)
            message = f"no posterior has a column {quoted(node.uncertainty)}.{nearest}"
            if not columns:
                message = "needs `uncertainties: {posteriors: [{file: …}]}` with a column of this name"
            problems.add((*at, "uncertainty"), message, getattr(node, "origin", None))
        if node.low is not None and node.uncertainty:
            known[node.uncertainty] = None
    taken: dict[str, int] = {}
    for i, group in enumerate(section.correlated if section is not None else ()):
        if not problems.touches(("uncertainties", "correlated", i)):
            _names(scenario, problems, group, i, (known, columns, taken))
            _matrix(problems, group, ("uncertainties", "correlated", i))


def fitted(scenario: Scenario, problems: Problems, posterior: Posterior) -> None:
    """Check that the ranges of what is drawn from a calibration are those that it was fitted with."""
    alike = False
    for at, node in ranged(scenario):
        known = posterior.ranges.get(node.uncertainty or "") if is_uncertain(node) else None
        if known is None:
            continue
        alike = True
        if range_text(node) not in known:
            problems.add(
                at,
                f"must have the range that {quoted(node.uncertainty)} was fitted with in {posterior.file}, "
                f"{' or '.join(known)}; got {range_text(node)}. Write that range, or calibrate again",
                getattr(node, "origin", None),
            )
    if not alike:
        has, own = (", ".join(list(names)[:5]) or "none" for names in (posterior.ranges, ranges(scenario)))
        message = f"has no uncertainty of the scenario: it has {has}; the scenario has {own}"
        problems.add(("parameters",), f"{quoted(posterior.file)} {message}", posterior.origin)


def set_anew(before: Scenario, after: Scenario) -> Iterator[str]:
    """Yield what is wrong with ranges set anew of numbers that a calibration draws: it would draw them still.

    Parameters
    ----------
    before, after : Scenario
        The scenario without and with the change.
    """
    section = after.uncertainties
    drawn = [posterior for posterior in (section.posteriors if section else ()) if posterior.ranges]
    known, found = (ranges(scenario) if drawn else {} for scenario in (before, after))
    for posterior in drawn:
        for name, fits in posterior.ranges.items():
            for new in found.get(name, ()):
                if new not in (*known.get(name, ()), *fits):
                    yield (
                        f"must have the range that {quoted(name)} was fitted with in {posterior.file}, "
                        f"{' or '.join(fits)}, for it is drawn from there; got {new}. Give it an "
                        "`uncertainty` of its own, or no range, or write `parameters: []`"
                    )


def _names(
    scenario: Scenario,
    problems: Problems,
    group: Correlated,
    i: int,
    names: tuple[dict[str, None], dict[str, str], dict[str, int]],
) -> None:
    known, columns, taken = names
    if len(group.of) < 2:
        problems.add(("uncertainties", "correlated", i, "of"), "must name two or more uncertainties")
    for j, name in enumerate(group.of):
        path = ("uncertainties", "correlated", i, "of", j)
        if name in columns:
            problems.add(path, f"{quoted(name)} is drawn from a posterior, with the correlations of its rows")
        elif taken.get(name) == i:
            problems.add(path, f"{quoted(name)} is named twice")
        elif name in taken:
            problems.add(path, f"{quoted(name)} is in another group too: write one group with a `matrix`")
        elif name not in known and not scenario.base_digest:  # a change may have fixed it
            problems.add(path, f"no such uncertainty {quoted(name)}.{closest(name, known)}")
        taken[name] = i


def _matrix(problems: Problems, group: Correlated, path: Path) -> None:
    if (group.correlation is None) == (group.matrix is None):
        problems.add(path, "must have exactly one of `correlation` and `matrix`")
        return
    if group.correlation is not None:
        _same(problems, group, (*path, "correlation"))
        return
    n, at = len(group.of), (*path, "matrix")
    if [len(row) for row in group.matrix or ()] != [n] * n:
        problems.add(at, f"must have {n} rows of {n} numbers, one for each of `of`")
        return
    matrix = group.ranks()
    for i, j in np.argwhere(np.abs(matrix - matrix.T) > LEAST)[:1]:
        pair = f"{matrix[i, j]:g} for {group.of[i]} and {group.of[j]}, {matrix[j, i]:g} the other way round"
        problems.add((*at, int(i)), f"must be symmetric; it has {pair}")
        return
    if np.any(np.abs(np.diag(matrix) - 1.0) > LEAST) or np.any(np.abs(matrix) > 1.0):
        problems.add(at, "must have 1 on its diagonal, and numbers between -1 and 1 beside it")
        return
    if not _is_positive(matrix):
        least = float(np.linalg.eigvalsh(pearson(matrix))[0])
        problems.add(
            at,
            "must be positive definite: its correlations contradict each other "
            f"(smallest eigenvalue {least:.3g})",
        )


def _same(problems: Problems, group: Correlated, at: Path) -> None:
    assert group.correlation is not None
    if group.correlation.low is not None or group.correlation.dist is not None:
        problems.add(at, "takes no range", group.correlation.origin)
    elif group.correlation.value >= 1.0:
        message = "must be below 1; what is the same has the same name: give its numbers one `uncertainty`"
        problems.add(at, message, group.correlation.origin)
    elif not _is_positive(group.ranks()):
        k = len(group.of)
        least = 6.0 / np.pi * np.arcsin(-0.5 / (k - 1))
        found = f"got {group.correlation.value:g}"
        problems.add(
            at, f"must be above {least:.4g} for {k} uncertainties, which cannot all be opposed; {found}"
        )


def _is_positive(ranks: Floats) -> bool:
    return bool(np.linalg.eigvalsh(pearson(ranks))[0] > LEAST)
