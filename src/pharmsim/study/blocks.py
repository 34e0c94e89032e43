"""Blocks of draws: rows of the table of draws that are compiled and run together, a block a thread."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pharmsim.compiled.compile import clock_of, compile_scenario
from pharmsim.compiled.draws import Draws
from pharmsim.compiled.grid import Grid
from pharmsim.compiled.model import State
from pharmsim.compiled.programme import programme_cost
from pharmsim.scenario.models import Scenario
from pharmsim.study.chance import run_by_chance

if TYPE_CHECKING:
    from pharmsim.engine.run import Output

Block = tuple[int, int]
"""First row of a block, and the row after its last."""
Made = TypeVar("Made")


def run_block(
    scenario: Scenario,
    table: Draws,
    tags: bool = True,
    state: State | None = None,
    first: int = 0,
    last: int | None = None,
    *,
    threads: int = 1,
    keep_state: bool = True,
) -> Output:
    """Compile a block of draws, run it, and work out what its programme costs.

    Parameters
    ----------
    scenario : Scenario
    table : Draws
        Rows of the block.
    tags : bool
        Whether retention is followed by tags.
    state : State, optional
        To continue from, with the same rows.
    first, last : int
        Periods, by default all.
    threads : int
        Among which the rows are shared out.
    keep_state : bool
        Whether the final state is handed back; it holds no rows otherwise.

    Returns
    -------
    Output
        The same bits for a row in any block and with any number of threads.
    """
    from pharmsim.engine.run import run as run_engine

    if table.engine.by_chance:
        output = run_by_chance(scenario, table, tags, threads)
    else:
        output = run_engine(compile_scenario(scenario, table, tags), state, first, last, threads)
    if scenario.interventions:
        heads = output.record["headcount"]
        output.record["programme_cost"] = programme_cost(Grid(scenario, table), clock_of(scenario), heads)
    return output if keep_state else replace(output, state=output.state.rows(0, 0))


def on_threads(
    work: Callable[[Block], Made], blocks: Sequence[Block], threads: int
) -> Generator[tuple[Block, Made], None, None]:
    """Work on blocks with threads, and hand out what they made in the order of the blocks.

    An error is that of the first block that has one, whichever thread meets one first; blocks that have not
    begun by then are left, and so they are when the caller is interrupted.

    Parameters
    ----------
    work : callable
        Block → anything; kernels run without the interpreter's lock.
    blocks : sequence of Block
    threads : int

    Yields
    ------
    block : Block
    made
        At most two for each thread wait to be taken.
    """
    if threads == 1 or len(blocks) == 1:
        yield from ((block, work(block)) for block in blocks)
        return
    left = iter(blocks)
    pool = ThreadPoolExecutor(threads)
    try:
        begun = deque((block, pool.submit(work, block)) for block in islice(left, 2 * threads))
        while begun:
            block, future = begun.popleft()
            made = future.result()
            begun.extend((block, pool.submit(work, block)) for block in islice(left, 1))
            yield block, made
    finally:
        pool.shutdown(cancel_futures=True)


@cache
def sources() -> str:
    """Digest of all modules of pharmsim: blocks of one ensemble are made by the same ones."""
    here, text = Path(__file__).parents[1], hashlib.sha256()
    for path in sorted(here.rglob("*.py")):
        text.update(path.relative_to(here).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return text.hexdigest()[:16]
