"""Run a scenario: load, draw, compile, engine, labels. The one road for one run or many."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pharmsim.compiled.compile import compile_scenario
from pharmsim.compiled.draws import Draws, sample
from pharmsim.compiled.grid import Grid
from pharmsim.compiled.model import State, joined
from pharmsim.compiled.programme import programme_cost
from pharmsim.results.labelled import Results, label
from pharmsim.scenario import programme
from pharmsim.scenario.models import Scenario

if TYPE_CHECKING:
    from pharmsim.engine.run import Output

BLOCK = 256
"""Draws compiled and run together: bounds the memory of the opening states."""


def run(
    scenario: Scenario,
    draws: int = 0,
    seed: int = 1,
    *,
    tags: bool = True,
    state: State | None = None,
    first: int = 0,
    last: int | None = None,
    warn: bool = True,
) -> Results:
    """Run a scenario with its central values, and with draws of its uncertainties behind them.

    Parameters
    ----------
    scenario : Scenario
    draws : int
        Number of draws besides the central values.
    seed : int
        Each uncertainty has a stream of its own, keyed by the seed and its name.
    tags : bool
        Whether retention is followed by tags.
    state : State, optional
        `Results.final_state()` of an earlier run of the same scenario, draws and seed, at the
        start of period `first`.
    first, last : int
        Periods to run, by default all; the others are not a number in the results.
    warn : bool
        Whether warnings are looked for; many runs of which only numbers are wanted are faster without.

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
    from pharmsim.engine.run import run as run_engine

    began = time.perf_counter()
    table = sample(scenario, draws, seed)
    outputs: list[Output] = []
    for top in range(0, table.n, BLOCK):
        compiled = compile_scenario(scenario, table.block(top, top + BLOCK), tags)
        part = None if state is None else state.rows(top, top + BLOCK)
        output = run_engine(compiled, part, first, last)
        if scenario.interventions:
            grid, heads = Grid(scenario, compiled.draws), output.record["headcount"]
            output.record["programme_cost"] = programme_cost(grid, compiled.clock, heads)
        outputs.append(output)
    record = outputs[0].record
    if len(outputs) > 1:
        record = {name: np.concatenate([o.record[name] for o in outputs]) for name in record}
    meta = how(scenario, table, tags, outputs) | {"wall_time_s": time.perf_counter() - began}
    return label(scenario, record, draws, meta, joined([o.state for o in outputs]), warn)


def how(scenario: Scenario, draws: Draws, tags: bool, outputs: list[Output]) -> dict[str, Any]:
    """How a run was made, for its manifest."""
    return {
        "seed": draws.seed,
        "engine": "cohort",
        "step": scenario.step,
        "tags": tags,
        "compile_time_s": sum(output.compile_seconds for output in outputs),
        "engine_time_s": sum(output.seconds for output in outputs),
        "uncertainties": list(draws.names),
    }


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
