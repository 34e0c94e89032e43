"""Engines of chance: one row a replicate, and the mean of several for the central values."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from pharmsim.compiled.compile import compile_scenario
from pharmsim.compiled.draws import CAREERS, CHAIN, Draws
from pharmsim.compiled.streams import draw_and_replicate, row_keys
from pharmsim.scenario.models import Scenario

if TYPE_CHECKING:
    from pharmsim.engine.run import Output

CENTRAL = {CHAIN: 64, CAREERS: 8}
"""Replicates whose mean stands in row 0, for the central values; with careers, which take their time, it is
that of the rows behind it where these have no draws."""


def run_by_chance(scenario: Scenario, table: Draws, tags: bool, threads: int) -> Output:
    """Run rows of a table of draws with people who are whole.

    Parameters
    ----------
    scenario : Scenario
    table : Draws
        Row 0 of the whole table is answered by the mean of several replicates at the central values.
    tags : bool
    threads : int
        Or processes, with careers.

    Returns
    -------
    Output
        Without a final state, which a mean does not have.
    """
    n, first = CENTRAL[table.engine.name], max(table.first, 1)
    behind, keyed = table.block(first - table.first, table.n), range(first, table.first + table.n)
    found = _engine(scenario, behind, tags, threads, table.engine.replicates, keyed) if behind.n else None
    parts = [found] if found else []
    if table.first == 0:
        theirs = table.engine.name == CAREERS and np.isnan(behind.u).all()
        if found is None or not theirs:
            central = replace(table, u=np.repeat(table.u[:1], n, axis=0))
            found = _engine(scenario, central, tags, threads, 0, range(n))
        mean = {name: x.mean(axis=0, keepdims=True) for name, x in found.record.items()}
        parts.insert(0, replace(found, record=mean))
    record = {name: np.concatenate([part.record[name] for part in parts]) for name in parts[0].record}
    return replace(parts[-1], record=record, seconds=sum(part.seconds for part in parts))


def _engine(
    scenario: Scenario, table: Draws, tags: bool, threads: int, replicates: int, rows: range
) -> Output:
    """Rows of the engine that the table names; with no `replicates` they are those of the central values."""
    from pharmsim.engine.run import Output, run

    compiled = compile_scenario(scenario, table, tags)
    if table.engine.name == CHAIN:
        made = run(compiled, threads=threads, keys=row_keys(table.seed, replicates, rows))
        return replace(made, state=made.state.rows(0, 0))
    from pharmsim.engine.careers.run import run as run_careers

    each = [(i, *draw_and_replicate(replicates, row)) for i, row in enumerate(rows)]
    found = run_careers(compiled, each, workers=threads)
    logs = {"careers": found.careers, "vacancies": found.vacancies}
    return Output(
        found.record, compiled.opening.rows(0, 0), compiled.clock.n_periods, found.seconds, 0.0, logs
    )
