"""Run replicates: one world each, in processes of their own where there are several."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from pharmsim.compiled.arrays import Floats
from pharmsim.compiled.compile import Compiled, compile_scenario
from pharmsim.compiled.draws import Draws
from pharmsim.errors import ConservationError, InputError
from pharmsim.scenario.models import Scenario

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Output:
    """What the engine returns.

    Attributes
    ----------
    record : dict of str to float64 array, shape (rows, …)
        By the names of `pharmsim.quantities.OUTPUTS`.
    careers : pyarrow.Table
        draw, replicate, person, date, event, from, to.
    vacancies : pyarrow.Table
        draw, replicate, vacancy, post, opened, closed, ended, person, first_day.
    seconds : float
        Wall time.
    """

    record: dict[str, Floats]
    careers: pa.Table
    vacancies: pa.Table
    seconds: float


class One(NamedTuple):
    """One replicate."""

    record: dict[str, Floats]
    careers: pa.Table
    vacancies: pa.Table


def run(compiled: Compiled, rows: Sequence[tuple[int, int, int]], workers: int = 1) -> Output:
    """Simulate single careers.

    Parameters
    ----------
    compiled : Compiled
        With a step of a month or less; the length of the step does not matter.
    rows : sequence of (int, int, int)
        One for each row of the record: row of the draws of `compiled`; draw and replicate, by which the
        streams of random numbers are named.
    workers : int
        Processes. Where there are several they start afresh (a copy of a process with threads may stand
        still), so that a script that asks for them keeps its own work under ``if __name__ == "__main__":``.

    Returns
    -------
    Output

    Raises
    ------
    InputError
        With the step of a year.
    ConservationError
        If people were lost or created.
    """
    import pyarrow as pa

    if compiled.clock.months_per_period != 1:
        raise InputError(
            "step — must be a month or a part of one for the engine `careers`, whose time is continuous — "
            "got year — set `step: month`"
        )
    began = time.perf_counter()
    scenario, draws, tags = compiled.scenario, compiled.draws, compiled.clock.tag_month >= 0
    blocks = [draws.block(row, row + 1) for row, _, _ in rows]
    names = [(draw, replicate) for _, draw, replicate in rows]
    n = len(rows)
    alone = n if workers == 1 or n == 1 else int(is_cold())  # so that the kernels are translated once
    found = [one(scenario, blocks[i], names[i], tags) for i in range(alone)]
    if alone < n:
        left = n - alone
        pool = ProcessPoolExecutor(min(workers, left), mp_context=get_context("spawn"))
        try:
            with (
                uninterrupted()
            ):  # or an interruption meets workers that are only starting, and waits for them
                made = pool.map(one, [scenario] * left, blocks[alone:], names[alone:], [tags] * left)
            found += made
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return Output(
        {name: np.concatenate([x.record[name] for x in found]) for name in found[0].record},
        pa.concat_tables([x.careers for x in found]).unify_dictionaries(),
        pa.concat_tables([x.vacancies for x in found]).unify_dictionaries(),
        time.perf_counter() - began,
    )


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ctrl-C waits; processes that are started here never hear it: they end with their present replicate."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def is_cold() -> bool:
    """Whether the kernels that every month calls must be translated first."""
    from pharmsim.engine.jit import cache_folder

    return not any(cache_folder().rglob("around.month_starts-*.nbc"))


def one(scenario: Scenario, draws: Draws, name: tuple[int, int], tags: bool) -> One:
    """One replicate of one draw.

    Parameters
    ----------
    scenario : Scenario
    draws : Draws
        Of one row.
    name : (int, int)
        Draw and replicate.
    tags : bool
        Whether retention is followed.
    """
    from pharmsim.engine.careers.months import Months
    from pharmsim.engine.careers.streams import Streams
    from pharmsim.engine.careers.vacancies import still_open
    from pharmsim.engine.careers.world import World

    compiled = compile_scenario(scenario, draws, tags)
    world = World(compiled, Streams(draws.seed, *name))
    world.env.run(until=world.env.process(Months(world).calendar()))
    still_open(world)
    error = np.abs(world.record.conservation_error)
    if error.any():
        month = int(np.argwhere(error[0])[0, 0])
        raise ConservationError(
            f"headcount is not conserved: month {month} of draw {name[0]}, replicate {name[1]}, is out "
            f"by {error[0, month]:.0f} people. This is a fault of pharmsim, not of the scenario."
        )
    keys = dict(zip(("draw", "replicate"), name, strict=True))
    return One(
        {name: x for name, x in world.record.arrays().items() if name != "unfillable_fte"},
        keyed(world.log.careers(world.people.names), keys),
        keyed(world.log.vacancies(world.people.names), keys),
    )


def keyed(table: pa.Table, keys: dict[str, int]) -> pa.Table:
    """A table with columns in front that are the same in all its rows."""
    import pyarrow as pa

    for k, (name, value) in enumerate(keys.items()):
        table = table.add_column(k, name, pa.array(np.full(len(table), value, dtype=np.int32)))
    return table
