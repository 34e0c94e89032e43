"""Ensembles: all rows of a table of draws, block by block, with bounded memory.

Few draws are one block, shared out among threads inside the engine, and so are careers. More are cut into
blocks, run by threads or by the workers of a cluster, and kept in memory if that is little, else in files.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import closing
from dataclasses import dataclass, field, replace
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pharmsim.compiled.draws import CAREERS, Draws
from pharmsim.compiled.model import State, joined
from pharmsim.errors import InputError, OutputError
from pharmsim.results.folder import check_room
from pharmsim.results.store import Files, Memory
from pharmsim.scenario.models import Scenario
from pharmsim.study.blocks import Block, on_threads, run_block
from pharmsim.study.progress import progress
from pharmsim.study.resuming import agreed, identity

if TYPE_CHECKING:
    from pharmsim.engine.run import Output

FEW = 32
"""So many rows, or fewer, are one block."""
LEAST, MOST = 16, 256
"""Rows of a block, unless memory allows fewer or there are few; fewer are not worth compiling."""
BLOCK_SECONDS = 0.5
"""Time that a block may take, about: an interrupted command waits for the blocks that have begun."""
BLOCK_BYTES = 128_000_000
"""Memory that a block may take, about, while it is run."""
SMALL = 256_000_000
"""Ensembles up to this size are kept in memory, with their final states, unless a folder is given."""


@dataclass(frozen=True)
class How:
    """How an ensemble is run; the numbers are the same, whatever it says.

    Attributes
    ----------
    threads : int, optional
        By default one for each core.
    folder : Path, optional
        Where blocks are kept until the results are written, so that an interrupted ensemble can be
        resumed; without one nothing is left after an interruption.
    resume : bool
        Whether to go on with the blocks that are in the folder.
    cluster : str, optional
        Address of a Dask scheduler whose workers run the blocks.
    progress : bool
        Whether progress is shown on the standard error stream.
    """

    threads: int | None = None
    folder: Path | None = None
    resume: bool = False
    cluster: str | None = None
    progress: bool = False

    @property
    def n_threads(self) -> int:
        """Threads to use."""
        return self.threads or os.cpu_count() or 1

    def numbered(self, k: int) -> How:
        """The same for the k-th scenario of several, with a folder of its own."""
        return self if self.folder is None else replace(self, folder=self.folder / str(k))


HERE = How()
"""On this machine, with all cores."""


@dataclass(frozen=True)
class Span:
    """Where a run begins and ends.

    Attributes
    ----------
    state : State, optional
        To continue from.
    first, last : int
        Periods, by default all.
    """

    state: State | None = None
    first: int = 0
    last: int | None = None

    def rows(self, block: Block) -> dict[str, Any]:
        """Arguments of `run_block` for the rows of a block."""
        state = None if self.state is None else self.state.rows(*block)
        return {"state": state, "first": self.first, "last": self.last}


WHOLE = Span()
"""The whole run."""


@dataclass(frozen=True)
class Ensemble:
    """What all draws recorded.

    Attributes
    ----------
    arrays : dict of array
        By the names of `pharmsim.quantities.OUTPUTS`, axis draw in front; those in files are read when used.
    state : State or None
        At the end; not kept for an ensemble in files.
    compile_seconds : float
        Wall time of translating the kernel.
    logs : dict of str to pyarrow.Table
        Event by event, of engines that follow single people.
    """

    arrays: dict[str, Any]
    state: State | None
    compile_seconds: float
    logs: dict[str, Any] = field(default_factory=dict)


def ensemble(
    scenario: Scenario, table: Draws, tags: bool = True, span: Span = WHOLE, how: How = HERE
) -> Ensemble:
    """Run every row of a table of draws.

    Parameters
    ----------
    scenario : Scenario
    table : Draws
    tags : bool
        Whether retention is followed by tags.
    span : Span
    how : How

    Returns
    -------
    Ensemble
        The same bits for any number of threads, any size of the blocks, and with a cluster.

    Raises
    ------
    PharmsimError
        The error of the first block that has one.
    OutputError
        If there is too little room for the files, or other blocks are in the folder.
    """
    if how.cluster is None and (table.n <= FEW or table.engine.name == CAREERS):
        whole = run_block(scenario, table, tags, **span.rows((0, table.n)), threads=how.n_threads)
        state = None if table.engine.by_chance else whole.state
        return Ensemble(whole.record, state, whole.compile_seconds, whole.logs)
    if how.cluster is not None and span != WHOLE:
        raise InputError("cluster — must run whole runs — got a state, or periods — leave --dask out")
    try:
        return _in_blocks(scenario, table, tags, span, how)
    except OSError as error:
        raise OutputError(
            f"{how.folder or tempfile.gettempdir()}: the draws could not be kept; {error.strerror or error}. "
            "Make room there, or write to a place with more."
        ) from error


def _rows(n: int, size: int, seconds: float, threads: int) -> int:
    """Rows of a block: of a bounded size, soon done, and enough blocks for every thread.

    Parameters
    ----------
    n : int
        Rows of the ensemble.
    size, seconds
        Bytes and time that a row takes.
    threads : int
    """
    soon = max(LEAST, int(BLOCK_SECONDS / max(seconds, 1e-9)))
    return max(min(MOST, soon, BLOCK_BYTES // size, ceil((n - 1) / (2 * threads))), 1)


def _in_blocks(scenario: Scenario, table: Draws, tags: bool, span: Span, how: How) -> Ensemble:
    """Run the central row, see how much it records, and run the other rows in blocks."""
    n = table.n
    one = run_block(scenario, table.block(0, 1), tags, **span.rows((0, 1)))
    size = sum(array.nbytes for array in one.record.values())
    state = sum(array.nbytes for part in one.state for array in part)
    rows = _rows(n, size + 2 * state, one.seconds, how.n_threads)
    keep = how.folder is None and n * (size + state) <= SMALL
    shapes = {name: array.shape[1:] for name, array in one.record.items()}
    store: Memory | Files
    if how.folder is not None:
        check_room(how.folder, n * size)
        rows = agreed(how.folder, identity(scenario, table, tags), rows, 1 + ceil((n - 1) / rows), how.resume)
        store = Files(how.folder, shapes, n)
    elif keep:
        store = Memory(shapes, n)
    else:
        check_room(Path(tempfile.gettempdir()), n * size)
        store = Files.temporary(shapes, n)
    blocks = [(0, 1), *((top, min(top + rows, n)) for top in range(1, n, rows))]
    states: dict[Block, State] = {}

    def put(block: Block, output: Output) -> int:
        if keep:
            states[block] = output.state
        store.put(block, output.record)
        return block[1] - block[0]

    put((0, 1), one)
    left = [block for block in blocks if block not in store.done]

    def work(block: Block) -> int:
        rows = table.block(*block)
        return put(block, run_block(scenario, rows, tags, **span.rows(block), keep_state=keep))

    if how.cluster is None:
        made = on_threads(work, left, how.n_threads)
    else:
        from pharmsim.study.cluster import on_cluster

        found = on_cluster(how.cluster, scenario, table, left, tags=tags, keep_state=keep)
        made = ((block, put(block, output)) for block, output in found)
    what = "futures" if table.engine.by_chance else "draws"
    with progress(scenario.name, sum(b - a for a, b in left), how.progress, what) as step, closing(made):
        for _, draws in made:
            step(draws)
    whole = keep and not table.engine.by_chance
    final = joined([states[block] for block in blocks]) if whole else None
    return Ensemble(store.arrays(), final, one.compile_seconds)
