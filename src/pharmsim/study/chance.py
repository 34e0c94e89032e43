"""Blocks of an engine of chance: one row a replicate, and the mean of many for the central values."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pharmsim.compiled.compile import compile_scenario
from pharmsim.compiled.draws import CHAIN, Draws
from pharmsim.compiled.streams import row_keys
from pharmsim.scenario.models import Scenario

if TYPE_CHECKING:
    from pharmsim.compiled.streams import Keys
    from pharmsim.engine.run import Output

CENTRAL = 64
"""Replicates whose mean stands in row 0, for the central values."""


def run_by_chance(scenario: Scenario, table: Draws, tags: bool, threads: int) -> Output:
    """Run rows of a table of draws with people who are whole.

    Parameters
    ----------
    scenario : Scenario
    table : Draws
        Row 0 of the whole table is answered by the mean of `CENTRAL` replicates at the central values.
    tags : bool
    threads : int

    Returns
    -------
    Output
        Without its final state, which the mean does not have.
    """
    rows = range(table.first, table.first + table.n)
    parts = []
    if rows.start == 0:
        central = replace(table, u=np.repeat(table.u[:1], CENTRAL, axis=0))
        found = _engine(scenario, central, tags, threads, row_keys(table.seed, 0, range(CENTRAL)))
        parts.append(
            replace(found, record={k: x.mean(axis=0, keepdims=True) for k, x in found.record.items()})
        )
    if rows.stop > max(rows.start, 1):
        behind = range(max(rows.start, 1), rows.stop)
        keys = row_keys(table.seed, table.engine.replicates, behind)
        parts.append(_engine(scenario, table.block(behind.start - table.first, table.n), tags, threads, keys))
    record = {k: np.concatenate([part.record[k] for part in parts]) for k in parts[0].record}
    seconds = sum(part.seconds for part in parts)
    return replace(parts[-1], record=record, state=parts[-1].state.rows(0, 0), seconds=seconds)


def _engine(scenario: Scenario, table: Draws, tags: bool, threads: int, keys: Keys) -> Output:
    compiled = compile_scenario(scenario, table, tags)
    if table.engine.name == CHAIN:
        from pharmsim.engine.run import run

        return run(compiled, threads=threads, keys=keys)
    from pharmsim.engine.careers.run import run as run_careers

    return run_careers(compiled, keys)
