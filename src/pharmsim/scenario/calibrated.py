"""A scenario as people read it: with the median and the interval that a calibration found in its numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import BaseModel

from pharmsim.scenario.distributions import Floats, positions, quantile, steps_of
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.uncertainties import Posterior, is_uncertain, range_text
from pharmsim.scenario.values import Evidence, Range, Term, Value

INTERVAL = np.array([np.nan, 0.05, 0.95])
"""Probabilities of the posterior that are shown: the median and the ends."""
Found = dict[str, tuple[Posterior, Floats]]
"""Posterior of an uncertainty, and its positions at `INTERVAL`."""


def as_calibrated(scenario: Scenario) -> Scenario:
    """Return a scenario with the results of calibrations written into its numbers.

    Runs take the scenario itself: there a number keeps the range it was fitted with.

    Parameters
    ----------
    scenario : Scenario

    Returns
    -------
    Scenario
        A number that `parameters` draws has the median as its value, the 5 and 95 % points as its low and
        high, the grade "calibrated", the calibration as its source, and what it was fitted from in its note.
        A relative range that is drawn so is written into the rows of its table. Without `parameters` the
        scenario as it is.
    """
    section = scenario.uncertainties
    found: Found = {
        name: (posterior, positions(np.sort(column), INTERVAL))
        for posterior in (section.posteriors if section is not None else ())
        for name, column in posterior.columns.items()
        if name in posterior.ranges
    }
    return _mapped(scenario, found) if found else scenario


def _mapped(node: Any, found: Found) -> Any:
    """Return `node` with the numbers in it as they were found."""
    if isinstance(node, Value):
        return _value(node, found)
    if isinstance(node, Term):
        return _term(node, found)
    if isinstance(node, BaseModel):
        items = {name: getattr(node, name) for name in type(node).model_fields if name != "origin"}
        new = {name: _mapped(item, found) for name, item in items.items()}
        update = {name: item for name, item in new.items() if item is not items[name]}
        return node.model_copy(update=update) if update else node
    if isinstance(node, dict):
        return {key: _mapped(item, found) for key, item in node.items()}
    return tuple(_mapped(item, found) for item in node) if isinstance(node, tuple) else node


def _points(node: Value | Range, found: Found) -> list[float]:
    """Median, 5 and 95 % point of a range."""
    at = found[node.uncertainty or ""][1]
    assert node.low is not None
    assert node.high is not None
    central = node.value if isinstance(node, Value) else 1.0
    steps = steps_of(node.choices) if node.choices else None
    return [float(x) for x in quantile(at, central, node.low, node.high, node.dist, steps)]


def _value(value: Value, found: Found) -> Value:
    if not is_uncertain(value) or value.uncertainty not in found:
        return value
    return value.model_copy(update=_grounds(value, value, found) | _ends(_points(value, found)))


def _term(term: Term, found: Found) -> Term:
    """Rows as they were found; of a relative range, its factors are those of every row."""
    rows = tuple(_value(row, found) for row in term.rows)
    span = term.range
    if span is None or not is_uncertain(span) or span.uncertainty not in found:
        return term.model_copy(update={"rows": rows})
    points = _points(span, found)
    moved = []
    for row in rows:
        if not row.value and row.low is None:  # 0 whatever the factor is: no data have said so
            moved.append(row)
            continue
        if row.low is not None and row.high is not None:  # which stays an uncertainty of its own
            ends = {key: getattr(row, key) * points[0] for key in ("value", "low", "high")}
        else:
            ends = _ends([row.value * x for x in points]) | {"uncertainty": span.uncertainty}
        before = row.model_copy(
            update={
                "source": row.source or term.source,
                "evidence": row.evidence if row.evidence != "unstated" else term.evidence,
            }
        )
        moved.append(row.model_copy(update=_grounds(span, before, found) | ends))
    return term.model_copy(update={"rows": tuple(moved), "range": None})


def _ends(points: list[float]) -> dict[str, Any]:
    return {"value": points[0], "low": points[1], "high": points[2], "dist": "empirical", "choices": None}


def _grounds(node: Value | Range, before: Value, found: Found) -> dict[str, Any]:
    """Source and grade of a number that was fitted, and what it was before in its note."""
    posterior = found[node.uncertainty or ""][0]
    grade: Evidence = "calibrated"
    times = " times the values" if isinstance(node, Range) else ""
    prior = f"fitted from {range_text(node)}{times}, {before.evidence}"
    notes = [prior + (f": {before.source}" if before.source else ""), before.note]
    return {"evidence": grade, "source": posterior.source, "note": ". ".join(filter(None, notes))}
