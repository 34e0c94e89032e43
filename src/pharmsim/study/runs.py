"""Run a scenario: load, draw, compile, engine, labels. The one road for one run or many."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr

from pharmsim.compiled.draws import EXPECTED, Draws, Engine, names, sample
from pharmsim.compiled.model import State
from pharmsim.errors import InputError
from pharmsim.results.labelled import Results, label
from pharmsim.scenario import programme
from pharmsim.scenario.models import Scenario
from pharmsim.study.ensemble import HERE, WHOLE, How, Span, ensemble


def run(
    scenario: Scenario,
    draws: int | Draws = 0,
    seed: int = 1,
    *,
    tags: bool = True,
    state: State | None = None,
    first: int = 0,
    last: int | None = None,
    warn: bool = True,
    how: How = HERE,
    engine: Engine = EXPECTED,
) -> Results:
    """Run a scenario with its central values, and with draws of its uncertainties behind them.

    Parameters
    ----------
    scenario : Scenario
    draws : int or Draws
        Number of draws besides the central values; or a table of draws, such as scenarios share that are
        compared (its row 0 should be that of the central values).
    seed : int
        Each uncertainty has a scrambling of its own, keyed by the seed and its name.
    tags : bool
        Whether retention is followed by tags.
    state : State, optional
        `Results.final_state()` of an earlier run of the same scenario, draws and seed, at the
        start of period `first`.
    first, last : int
        Periods to run, by default all; the others are not a number in the results.
    warn : bool
        Whether warnings are looked for; many runs of which only numbers are wanted are faster without.
    how : How
        Threads, a cluster, where blocks of draws are kept; the numbers do not depend on it.
    engine : Engine
        Who answers, and with how many replicates a draw; a table of draws has its own.

    Returns
    -------
    Results

    Raises
    ------
    PharmsimError
        If numbers of the scenario leave their bounds, or the run fails.

    Examples
    --------
    >>> import pharmsim
    >>> results = pharmsim.run(pharmsim.tiny_scenario())
    >>> round(float(results.data["conservation_error"].max()), 9)
    0.0
    """
    began = time.perf_counter()
    table = shared(scenario, draws, seed, engine)
    if table.engine.by_chance and Span(state, first, last) != WHOLE:
        raise InputError(
            f"engine — {table.engine.name} must run whole runs — got a state, or periods — leave them out"
        )
    found = ensemble(scenario, table, tags, Span(state, first, last), how)
    meta = {
        "seed": table.seed,
        "engine": table.engine.name,
        "replicates": table.engine.replicates,
        "drawn": table.drawn,
        "step": scenario.step,
        "tags": tags,
        "compile_time_s": found.compile_seconds,
        "uncertainties": list(table.names),
        "wall_time_s": time.perf_counter() - began,
    }
    results = label(scenario, found.arrays, table.n - 1, meta, found.state, warn)
    return replace(results, draws=table, logs=found.logs)


def shared(
    scenarios: Scenario | Sequence[Scenario], draws: int | Draws, seed: int, engine: Engine = EXPECTED
) -> Draws:
    """Return the table of draws that scenarios share: the one given, or a new one of all their ranges."""
    return draws if isinstance(draws, Draws) else sample(scenarios, draws, seed, engine)


def enough(scenario: Scenario, draws: int, engine: Engine = EXPECTED) -> int:
    """How many draws to run, of those asked for: none where nothing has a range.

    Raises
    ------
    InputError
        If there are ranges and no draws: no number is shown without its interval.
    """
    n = len(names(scenario))
    if n and draws == 0 and not engine.by_chance:
        raise InputError(
            f"--draws — must be at least 1, for {n} inputs have ranges and no number is shown without its "
            "interval — got 0 — leave it out"
        )
    return draws if n else 0


SAME = 1e-9
"""Outputs that differ by less are the same: rounding of sums."""


def idle_interventions(scenario: Scenario) -> list[str]:
    """Warn of interventions that change nothing in a run at the central values.

    Parameters
    ----------
    scenario : Scenario
        Key paths in its `warnings_off` are left out.

    Returns
    -------
    list of str
        One line for each intervention without which every output but its own cost is the same.
    """
    whole = run(scenario, tags=False, warn=False).data if scenario.interventions else None
    found = []
    for item in scenario.interventions:
        path = f"interventions.{item.name}"
        if path in scenario.warnings_off:
            continue
        without = run(programme.without(scenario, [item.name]), tags=False, warn=False).data
        if whole is not None and _same(whole, without):
            found.append(f"{path}: had no effect in this run: without it all but its cost is the same")
    return found


def _same(one: xr.Dataset, other: xr.Dataset) -> bool:
    pairs = ((one[name].values, other[name].values) for name in set(one.data_vars) - {"programme_cost"})
    return all(np.allclose(a, b, rtol=SAME, atol=SAME, equal_nan=True) for a, b in pairs)


def told_of_idle(results: Results) -> Results:
    """Return the results with warnings of interventions without effect among their own."""
    warnings = [*results.meta["warnings"], *idle_interventions(results.scenario)]
    return replace(results, meta={**results.meta, "warnings": warnings})
