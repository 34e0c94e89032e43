"""What all integrated care systems of England cost on many machines; rewrites the table of the guide.

Everything is measured here and now: the scenarios of South East London stand for every system; the processor
time of workers counts; and one client takes blocks from workers that have nothing to work out.
"""

from __future__ import annotations

import os
import resource
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "docs" / "guides" / "many_machines.md"
FIRST, LAST = "<!-- measured by benchmarks/national.py -->\n", "<!-- end of what was measured -->\n"
SYSTEMS, DRAWS = 42, 10_000
NAMES = ("baseline", *(f"programme/{name}" for name in (
    "headline", "rotational_roles_hospital", "new_roles", "skills_we_have",
)))  # fmt: skip
ROWS, BLOCKS = 32, 8
CORES = (16, 64, 256)


def made_up(size: int, n: int) -> dict[str, Any]:
    """A block of a record that costs nothing to make."""
    return {str(k): np.arange(size // n // 8, dtype=float) for k in range(n)}


def peak() -> int:
    """Largest memory of a process so far, bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def client_rate(client: Any, size: int, n_blocks: int) -> float:
    """Bytes a second that one client takes from workers that need no time, and writes to disk."""
    from distributed import as_completed

    from pharmsim.results.store import Files
    from pharmsim.study.cluster import AHEAD

    shapes = {name: array.shape for name, array in made_up(size, 80).items()}
    with tempfile.TemporaryDirectory() as folder:
        store = Files(Path(folder), shapes, n_blocks)
        sent = iter(range(n_blocks))
        began = time.perf_counter()

        def more(n: int) -> list[Any]:
            return [client.submit(made_up, size, 80, pure=False) for _ in islice(sent, n)]

        done = as_completed(more(AHEAD * len(client.nthreads())), loop=client.loop, with_results=True)
        for k, (future, record) in enumerate(done):
            future.release()
            done.update(more(1))
            store.put((k, k + 1), {name: array[None] for name, array in record.items()})
        return size * n_blocks / (time.perf_counter() - began)


def runs(scenario: Any, table: Any, how: Any) -> float:
    """Seconds of an ensemble."""
    from pharmsim.study.ensemble import ensemble

    began = time.perf_counter()
    ensemble(scenario, table, how=how)
    return time.perf_counter() - began


def measure() -> dict[str, float]:
    """All that the arithmetic needs."""
    from distributed import Client, LocalCluster

    import pharmsim
    from pharmsim.compiled.draws import sample
    from pharmsim.study.blocks import run_block
    from pharmsim.study.cluster import on_cluster
    from pharmsim.study.ensemble import How

    scenarios = [pharmsim.load(ROOT / "scenarios" / "sel" / f"{name}.yaml") for name in NAMES]
    table = sample(scenarios, ROWS * BLOCKS)
    blocks = [(top, top + ROWS) for top in range(1, table.n, ROWS)]
    n_cores = os.cpu_count() or 1
    seconds, sizes = [], []
    with (
        LocalCluster(n_cores, threads_per_worker=1, dashboard_address=None) as machines,
        Client(machines) as client,
    ):
        address = machines.scheduler_address
        warm = sample(scenarios[0], ROWS * n_cores)
        for _ in on_cluster(
            address, scenarios[0], warm, [(k * ROWS, (k + 1) * ROWS) for k in range(n_cores)]
        ):
            pass
        for scenario in scenarios:
            before = sum(client.run(time.process_time).values())
            for _, output in on_cluster(address, scenario, table, blocks, keep_state=False):
                sizes.append(sum(array.nbytes for array in output.record.values()) / ROWS)
            seconds.append((sum(client.run(time.process_time).values()) - before) / (table.n - 1))
        run_block(scenarios[0], warm.block(0, 1))  # the engine is read from disk here too
        with tempfile.TemporaryDirectory() as folder:
            here = runs(scenarios[0], table, How(folder=Path(folder) / "here"))
            there = runs(scenarios[0], table, How(folder=Path(folder) / "there", cluster=address))
        memory = max(client.run(peak).values())
        return {
            "cores": n_cores,
            "draw": float(np.mean(seconds)),
            "bytes": float(np.mean(sizes)),
            "here": here,
            "there": there,
            "rate": max(client_rate(client, ROWS * int(np.mean(sizes)), 40) for _ in range(3)),
            "memory": memory,
        }


def rows(m: dict[str, float]) -> Iterator[list[str]]:
    """Lines of the table: what, how long."""
    n = SYSTEMS * len(NAMES) * DRAWS
    hours, size = n * m["draw"] / 3600, n * m["bytes"]
    yield ["draws", f"{SYSTEMS} × {len(NAMES)} × {DRAWS:,} = {n:,}"]
    yield ["seconds of one core for a draw", f"{m['draw']:.4f}"]
    yield ["core hours", f"{hours:,.1f}"]
    yield ["megabytes that a draw sends back", f"{m['bytes'] / 1e6:.2f}"]
    yield ["terabytes sent back", f"{size / 1e12:.2f}"]
    yield ["gigabytes on the client's disk at once, one scenario", f"{DRAWS * m['bytes'] / 1e9:.0f}"]
    yield [
        "megabytes a second that a client takes and writes, with no network between",
        f"{m['rate'] / 1e6:.0f}",
    ]
    for what, rate in (
        ("cores that keep one client busy, with no network between", m["rate"]),
        ("cores that fill a network of 10 Gbit/s", 1.25e9),
        ("cores that fill a network of 1 Gbit/s", 0.125e9),
    ):
        yield [what, f"{rate * m['draw'] / m['bytes']:.1f}"]
    yield ["hours of one client, however many cores", f"{size / m['rate'] / 3600:.1f}"]
    for cores in CORES:
        several = max(hours / cores, size / SYSTEMS / m["rate"] / 3600)
        yield [f"hours of {cores} cores, a client for each system", f"{several:.2f}"]
    yield ["megabytes of memory for a worker", f"{m['memory'] / 1e6:.0f}"]
    yield [
        f"{ROWS * BLOCKS} draws on {m['cores']:.0f} cores: threads, workers, s",
        f"{m['here']:.2f}, {m['there']:.2f}",
    ]


def main() -> None:
    """Measure, print, and write into the guide."""
    from pharmsim.engine import source_digest
    from pharmsim.results.manifest import environment

    place = environment()
    lines = ["| what | number |", "| --- | --- |", *(f"| {a} | {b} |" for a, b in rows(measure()))]
    text = (
        f"Measured on {place['processor']}, {os.cpu_count()} cores, Python {place['python']}; engine "
        f"{source_digest()}.\n\n" + "\n".join(lines) + "\n"
    )
    print(text)
    before, _, rest = GUIDE.read_text(encoding="utf-8").partition(FIRST)
    GUIDE.write_text(before + FIRST + "\n" + text + "\n" + LAST + rest.partition(LAST)[2], encoding="utf-8")


if __name__ == "__main__":
    main()
