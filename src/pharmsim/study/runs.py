"""Run a scenario: load, draw, compile, engine, labels. The one road for one run or many."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np

from pharmsim.compiled.compile import compile_scenario
from pharmsim.compiled.draws import Draws, sample
from pharmsim.compiled.model import State, joined
from pharmsim.results.labelled import Results, label
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
        outputs.append(run_engine(compiled, part, first, last))
    record = {name: np.concatenate([o.record[name] for o in outputs]) for name in outputs[0].record}
    meta = how(scenario, table, tags, outputs) | {"wall_time_s": time.perf_counter() - began}
    return label(scenario, record, draws, meta, joined([o.state for o in outputs]))


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
