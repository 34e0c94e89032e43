"""Two engines on one scenario: means over replicates of `careers` against `cohort` for ever shorter steps.

`cohort` starts from the same whole people, with steps of 1/4 and 1/8 of a month, extrapolated to a step of 0
(its error is of the first order in the step). Every stock and flow of every post, and ratios of them, is one
comparison: the mean difference of the replicates ÷ its standard error, by Student's t with Bonferroni's
correction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

import pharmsim
from pharmsim.compiled.compile import Compiled, compile_scenario
from pharmsim.compiled.draws import sample
from pharmsim.compiled.whole import expected_opening
from pharmsim.engine import run as cohort
from pharmsim.quantities import FLOWS, RETENTION, STOCKS
from pharmsim.scenario.models import Scenario

Array = np.ndarray
Record = dict[str, Array]
ENOUGH = 200
"""People counted over all replicates, from which a mean count is close to normal."""
BY_AGE = {"headcount_by_age", "headcount_55plus"}
NO_COUNTS = {"establishment_fte", "vacancy_fte", "cover_fte", "unfillable_fte"}


class Comparison(NamedTuple):
    """One number: mean of the replicates, of `cohort`, and their difference in standard errors."""

    name: str
    careers: float
    cohort: float
    z: float


def compiled(scenario: Scenario) -> Compiled:
    """At the central values."""
    return compile_scenario(scenario, sample(scenario))


def limit(scenario: Scenario) -> Record:
    """`cohort` for a step of 0."""
    found = []
    for step in ("month/4", "month/8"):
        c = compiled(pharmsim.from_dict({**pharmsim.to_dict(scenario), "step": step}))
        found.append(cohort.run(c, expected_opening(c.opening, c.model.posts.tracks.home)).record)
    compared = set(STOCKS | FLOWS | RETENTION) - NO_COUNTS
    return {name: 2.0 * found[1][name] - found[0][name] for name in compared}


def numbers(record: Record, alike: bool) -> dict[str, Array]:
    """What is compared, shape (rows, cells): stocks on anniversaries, flows of years, retention by year.

    First-year staff only where all are `alike`, but for that: `cohort` lets them thin out at the mean rate of
    their post, and people of all ages leave as if they were as new.
    """
    out: dict[str, Array] = {}
    for name in (*STOCKS, *FLOWS, *RETENTION):
        if name in NO_COUNTS | (BY_AGE if alike else {"first_year"}) or not record[name].size:
            continue
        array = record[name]
        if name == "headcount_by_age":  # by ten years of age
            edges = np.arange(0, array.shape[-1], 10)
            array = np.add.reduceat(array, edges, axis=-1)
        elif name in STOCKS:
            array = array[:, 12::12]
        elif name in FLOWS:
            array = array.reshape(array.shape[0], -1, 12, *array.shape[2:]).sum(axis=2)
        out[name] = array.reshape(array.shape[0], -1)
        whole_run = array.sum(axis=1)
        out[f"{name}, all years"] = whole_run.reshape(array.shape[0], -1)
        out[f"{name}, all"] = out[name].sum(axis=1, keepdims=True)
    return out


def ratios(record: Record, alike: bool) -> dict[str, tuple[Array, Array]]:
    """Measures: above and below the line, by post over the whole run, shape (rows, cells)."""
    heads = record["headcount"].sum(axis=(3, 4))[:, :-1].sum(axis=1)
    leavers = record["leavers"].sum(axis=(1, 3)) + record["retirements"].sum(axis=1)
    name, title = (
        ("first_year", "first-year share") if alike else ("headcount_55plus", "share aged 55 and over")
    )
    return {
        title: (record[name][:, :-1].sum(axis=1), heads),
        "leaver rate": (leavers, heads),
        "FTE per head": (record["fte"][:, :-1].sum(axis=1), heads),
        "stability index": (
            record["kept"].sum(axis=1).reshape(len(heads), -1),
            record["tagged"].sum(axis=1).reshape(len(heads), -1),
        ),
    }


def compare(careers: Record, expected: Record, alike: bool = False) -> list[Comparison]:
    """All comparisons in which something can differ."""
    out = []
    ours, theirs = numbers(careers, alike), numbers(expected, alike)
    scored = [(name, ours[name], theirs[name][0], ours[name] - theirs[name][0]) for name in ours]
    for name, (above, below) in ratios(careers, alike).items():
        a, b = ratios(expected, alike)[name]
        ratio = a[0] / b[0]
        scored.append((name, above / below.mean(axis=0), ratio, (above - ratio * below) / below.mean(axis=0)))
    n = len(careers["headcount"])
    for name, values, target, difference in scored:
        for cell in range(values.shape[1]):
            mean, spread = difference[:, cell].mean(), difference[:, cell].std(ddof=1)
            if name in ours and ours[name][:, cell].sum() < ENOUGH and n * target[cell] < ENOUGH:
                continue
            z = 0.0 if abs(mean) < 1e-6 else mean / max(spread / n**0.5, 1e-12)
            out.append(Comparison(f"{name} [{cell}]", values[:, cell].mean(), target[cell], z))
    return out


def failures(found: list[Comparison], replicates: int, family_wise: float) -> list[Comparison]:
    """Comparisons that differ at a family-wise error (Bonferroni)."""
    bound = stats.t.isf(family_wise / (2 * len(found)), replicates - 1)
    return sorted((c for c in found if abs(c.z) > bound), key=lambda c: -abs(c.z))


def without_limits(scenario: Scenario, change: Callable[[dict[str, Any]], None], end: str) -> Scenario:
    """A scenario that ends earlier, with changes made to its dictionary."""
    node = pharmsim.to_dict(scenario) | {"end": end}
    change(node)
    return pharmsim.from_dict(node)
