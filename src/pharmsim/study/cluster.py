"""Blocks of draws on many machines: Dask schedules them, and runs those of a lost worker again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from pharmsim import __version__
from pharmsim.compiled.draws import Draws
from pharmsim.errors import InputError, PharmsimError, RunError
from pharmsim.results.manifest import environment
from pharmsim.scenario.models import Scenario
from pharmsim.study.blocks import Block, run_block, sources

if TYPE_CHECKING:
    from pharmsim.engine.run import Output

SECONDS = 5
"""In which a scheduler must answer."""
RETRIES = 2
"""Runs of a block after one that failed for a reason outside pharmsim, such as too little memory."""
AHEAD = 2
"""Blocks a worker thread has: one in work and one waiting, so that results travel meanwhile."""


def check(address: str) -> list[str]:
    """Refuse a cluster that cannot be used, before anything runs.

    Parameters
    ----------
    address : str
        Of a Dask scheduler, such as ``tcp://10.0.0.5:8786``.

    Returns
    -------
    list of str
        Why numbers may differ from those of this machine in the last bits.

    Raises
    ------
    InputError
        If Dask is not installed, nobody answers, or a worker has another pharmsim.
    """
    with _connected(address) as (_, workers):
        here, n = environment(), len(workers)
        others = {
            what: sum(place[what] != here[what] for place in workers.values())
            for what in ("processor", "python", "packages")
        }
        return [
            f"cluster {address}: {what} is not as on this machine at {other} of {n} workers: numbers are "
            "those of a run here to 1e-12, perhaps not to the bit"
            for what, other in others.items()
            if other
        ]


def on_cluster(
    address: str, scenario: Scenario, table: Draws, blocks: Iterable[Block], **more: Any
) -> Iterator[tuple[Block, Output]]:
    """Run blocks of draws on a cluster.

    Parameters
    ----------
    address : str
        Of a Dask scheduler.
    scenario : Scenario
        Sent once; workers pass it on.
    table : Draws
        Each block is sent its own rows.
    blocks : iterable of Block
    **more
        Passed on to `run_block`.

    Yields
    ------
    block : Block
    output : Output
        In the order in which blocks are done. At most `AHEAD` for each thread of the workers are sent,
        running or waiting to be taken.

    Raises
    ------
    InputError
        If the cluster cannot be used.
    PharmsimError
        What a block raised.
    RunError
        If the scheduler was lost, or a block failed in all its tries.
    """
    from distributed import as_completed

    left = iter(blocks)
    with _connected(address) as (client, _):
        whole = client.submit(_given, scenario, pure=False, retries=RETRIES)
        sent: dict[Any, Block] = {}
        done = as_completed(loop=client.loop, with_results=True, raise_errors=False)

        def send() -> None:
            while len(sent) < AHEAD * max(sum(client.nthreads().values()), 1):
                block = next(left, None)
                if block is None:
                    return
                rows = table.block(*block)
                future = client.submit(_block, whole, rows, _pharmsim(), more, pure=False, retries=RETRIES)
                sent[future] = block
                done.add(future)

        try:
            send()
            for future, result in done:
                if future.status == "error":
                    raise _failed(address, result[1]) from result[1]
                block = sent.pop(future)
                future.release()
                if isinstance(result, PharmsimError):
                    raise result
                send()
                yield block, result
        except (OSError, CancelledError) as error:
            raise RunError(
                f"cluster {address}: the scheduler was lost ({error}). Start it and its workers again."
            ) from error


def _failed(address: str, error: Exception) -> RunError:
    """What to raise for a block that failed in all its tries."""
    from distributed import KilledWorker

    what = (
        f"a block failed in {1 + RETRIES} tries ({type(error).__name__}: {error}). Look at the workers' log."
    )
    if isinstance(error, KilledWorker):
        what = (
            f"{1 + error.allowed_failures} workers died one after the other with the same block, perhaps "
            "out of memory. Give each more memory, or fewer threads."
        )
    return RunError(f"cluster {address}: {what}")


def _given(scenario: Scenario) -> Scenario:
    """The scenario as a task: made again, like any other, when the worker that holds it is lost."""
    return scenario


def _block(scenario: Scenario, rows: Draws, same: str, more: dict[str, Any]) -> Any:
    """Run one block on a worker; an error of the scenario is a result, which no retry would change."""
    if same != _pharmsim():
        from distributed import get_worker

        return InputError(_another(get_worker().address, _pharmsim()))
    try:
        return run_block(scenario, rows, **more)
    except PharmsimError as error:
        return error


@contextmanager
def _connected(address: str) -> Iterator[tuple[Any, dict[str, dict[str, Any]]]]:
    """A client of a cluster whose workers all have this pharmsim, and their environments by address."""
    try:
        from distributed import Client
    except ImportError as error:
        raise InputError(
            f"cluster {address}: needs the package distributed, which is not installed. Install it with "
            "pip install 'pharmsim[dask]'."
        ) from error
    with ThreadPoolExecutor(1) as apart:  # a notebook has an event loop of its own
        apart.submit(asyncio.run, _reached(address)).result()
    with Client(address, set_as_default=False) as client:
        found = client.run(_place, on_error="return")
        # A worker that went away in the meantime is no worker; its scheduler answers for it with an OSError.
        workers = {worker: place for worker, place in found.items() if not isinstance(place, OSError)}
        wrong = [
            _another(worker, place["pharmsim"] if isinstance(place, dict) else repr(place))
            for worker, place in sorted(workers.items())
            if not isinstance(place, dict) or place["pharmsim"] != _pharmsim()
        ]
        if wrong:
            raise InputError("\n".join(wrong))
        if not workers:
            raise InputError(
                f"cluster {address}: must have workers; it has none. Start some with `dask worker {address}`."
            )
        yield client, workers


async def _reached(address: str) -> None:
    """Refuse an address at which no scheduler answers: a client would try for long."""
    from distributed import rpc
    from distributed.security import Security

    try:
        async with asyncio.timeout(SECONDS):
            arguments = Security().get_connection_args("client")
            async with rpc(address, timeout=SECONDS, connection_args=arguments) as scheduler:
                found = (await scheduler.identity())["type"]
    except (Exception, asyncio.CancelledError) as error:
        found = f"no answer in {SECONDS} s" if isinstance(error, TimeoutError) else error
    if found != "Scheduler":
        raise InputError(
            f"cluster {address}: must be the address of a running Dask scheduler, such as "
            f"tcp://10.0.0.5:8786; got none there ({found}). Start one with `dask scheduler`, or leave "
            "--dask out."
        )


def _another(worker: str, found: str) -> str:
    return (
        f"worker {worker}: must have pharmsim {_pharmsim()} as this machine; got {found}. Install the same "
        "there and start the worker again."
    )


def _place() -> dict[str, Any]:
    """What a worker has."""
    return environment() | {"pharmsim": _pharmsim()}


def _pharmsim() -> str:
    return f"{__version__} ({sources()})"
