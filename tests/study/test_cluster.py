"""Blocks on a cluster: a real scheduler and real workers, each a process of its own on this machine."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import pharmsim
from pharmsim import cli
from pharmsim.compiled.draws import sample
from pharmsim.errors import InputError, RunError
from pharmsim.scenario import shipped
from pharmsim.study import cluster
from pharmsim.study.blocks import run_block
from pharmsim.study.ensemble import How

pytest.importorskip("distributed", reason="needs the extra pharmsim[dask]")

TINY, WHAT_IF = shipped("tiny.yaml"), shipped("tiny_what_if.yaml")


class Cluster:
    """Processes of Dask, started as the guide says."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        file = folder / "scheduler.json"
        words = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
        self.scheduler = self._start("scheduler", *words)
        self.address = self._wait(lambda: json.loads(file.read_text())["address"])

    def _start(self, *words: str, **env: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{len(self.processes)}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "dask", *words], stdout=log, stderr=log, env=os.environ | env
            )
        self.processes.append(process)
        return process

    def _wait(self, found) -> str:  # type: ignore[no-untyped-def]
        for _ in range(300):
            try:
                return str(found())
            except (OSError, ValueError):
                time.sleep(0.1)
        pytest.fail(f"no process of the cluster answers; see {self.folder}")

    def worker(self, **env: str) -> tuple[subprocess.Popen[bytes], str]:
        """Start a worker that nobody starts again, and return it with its address."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        words = ["worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard"]
        words += ["--host", "127.0.0.1", "--worker-port", str(port), "--local-directory", str(self.folder)]
        process, address = self._start(*words, **env), f"tcp://127.0.0.1:{port}"
        with self.client() as client:
            client.wait_for_workers(1 + len(client.nthreads()), timeout=30)
        return process, address

    @contextmanager
    def client(self) -> Iterator:  # type: ignore[type-arg]
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            yield client

    def close(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
            process.wait(20)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of two workers."""
    found = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        found.worker()
        found.worker()
        yield found
    finally:
        found.close()


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Cluster]:
    """A scheduler without workers."""
    found = Cluster(tmp_path)
    try:
        yield found
    finally:
        found.close()


def same_bits(one: np.ndarray, other: np.ndarray) -> bool:
    return one.shape == other.shape and one.tobytes() == other.tobytes()


# -- the same numbers --------------------------------------------------------------------------------------


def test_a_worker_killed_half_way_changes_no_bit(two: Cluster) -> None:
    scenario = pharmsim.load(TINY)
    table = sample(scenario, 255, seed=3)
    whole = run_block(scenario, table).record
    blocks = [(top, min(top + 19, table.n)) for top in range(0, table.n, 19)]
    process, victim = two.worker()
    found, killed = {}, -1
    with two.client() as client:
        for block, output in cluster.on_cluster(two.address, scenario, table, blocks):
            found[block] = output.record
            if killed < 0 and len(found) >= 3 and client.processing(victim)[victim]:
                process.kill()
                process.wait()
                killed = len(found)
        assert victim not in client.nthreads()
    assert 0 < killed < len(blocks) - 2, "the worker had nothing to do when it was killed"
    assert sorted(found) == blocks
    for name, array in whole.items():
        assert same_bits(np.concatenate([found[block][name] for block in blocks]), array), name
    changed = np.nextafter(whole["headcount"], np.inf)
    assert not same_bits(changed, whole["headcount"])


def test_a_run_on_a_cluster_is_the_local_run(two: Cluster) -> None:
    scenario = pharmsim.load(TINY)
    local = pharmsim.run(scenario, 70, seed=5).data
    there = pharmsim.run(scenario, 70, seed=5, how=How(cluster=two.address)).data
    assert set(there) == set(local)
    assert all(same_bits(there[name].values, local[name].values) for name in local)


def test_an_error_of_the_scenario_comes_from_the_worker_as_it_is(two: Cluster) -> None:
    half = {"value": 0.45, "low": 0.1, "high": 0.9, "dist": "uniform"}
    data = pharmsim.to_dict(pharmsim.tiny_scenario())
    scenario = pharmsim.from_dict(data | {"working_time": {"absence": {"leave": half, "sickness": half}}})
    table, block = sample(scenario, 50), (1, 51)
    with pytest.raises(InputError) as local:
        run_block(scenario, table.block(*block))
    with pytest.raises(InputError) as there:
        next(cluster.on_cluster(two.address, scenario, table, [block]))
    assert str(there.value) == str(local.value)


def test_the_command_writes_the_same_numbers(two: Cluster, tmp_path: Path) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    words = ["run", str(TINY), "--draws", "40", "--seed", "2", "--no-figures", "--out"]
    assert cli.call([*words, str(here)]) == 0
    assert cli.call([*words, str(there), "--dask", two.address]) == 0
    digests = [
        json.loads((folder / "manifest.json").read_text("utf-8"))["results"] for folder in (here, there)
    ]
    assert len(digests[0]) > 20
    assert digests[0] == digests[1]
    tables = [path.name for path in here.glob("*.csv")]
    assert tables
    assert all((here / name).read_bytes() == (there / name).read_bytes() for name in tables)


# -- clusters that cannot be used --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("tcp://127.0.0.1:1", r"no answer in 0.5 s"),
        ("somewhere", r"missing port number in address 'somewhere'"),
        ("post://127.0.0.1:8786", r"unknown address scheme 'post'"),
    ],
)
def test_an_address_where_no_scheduler_is(address: str, found: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "SECONDS", 0.5)
    rule = (
        rf"^cluster {address}: must be the address of a running Dask scheduler, .*; got none there \({found}"
    )
    with pytest.raises(InputError, match=rule):
        cluster.check(address)
    with pytest.raises(InputError, match=rule):
        pharmsim.run(pharmsim.load(TINY), 40, how=How(cluster=address))


@pytest.mark.parametrize("words", [["run", TINY], ["compare", TINY, WHAT_IF], ["sensitivity", TINY]], ids=str)
def test_a_command_refuses_before_it_runs(
    words: list[object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.perf_counter()
    out = tmp_path / "out"
    assert cli.call([*map(str, words), "--dask", "nowhere", "--out", str(out)]) == 2
    assert time.perf_counter() - began < 5
    assert capsys.readouterr().err.startswith(
        "cluster nowhere: must be the address of a running Dask scheduler"
    )
    assert list(tmp_path.iterdir()) == []


def test_the_address_of_a_worker_is_refused(two: Cluster) -> None:
    with two.client() as client:
        worker = next(iter(client.nthreads()))
    with pytest.raises(InputError, match=r"got none there \(Worker\)"):
        cluster.check(worker)


def test_a_scheduler_without_workers_is_refused(empty: Cluster) -> None:
    rule = f"must have workers; it has none. Start some with `dask worker {empty.address}`"
    with pytest.raises(InputError, match=rule):
        cluster.check(empty.address)


def test_a_worker_with_another_pharmsim_is_named(empty: Cluster, tmp_path: Path) -> None:
    home = Path(pharmsim.__file__).parent
    shutil.copytree(home, tmp_path / "src" / "pharmsim")
    with (tmp_path / "src" / "pharmsim" / "quantities.py").open("a") as file:
        file.write("\n")
    empty.worker()
    assert cluster.check(empty.address) == []
    _, other = empty.worker(PYTHONPATH=str(tmp_path / "src"))
    version = rf"{pharmsim.__version__} \(\w+\)"
    rule = rf"^worker {other}: must have pharmsim {version} as this machine; got {version}\. Install"
    with pytest.raises(InputError, match=rule):
        cluster.check(empty.address)


def test_a_worker_that_comes_later_is_seen_too(two: Cluster) -> None:
    scenario = pharmsim.load(TINY)
    with two.client() as client:
        made = client.submit(cluster._block, scenario, sample(scenario), "0.0.1 (abc)", {}).result()
    assert isinstance(made, InputError)
    assert "Install the same there" in str(made)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"pip install 'pharmsim\[dask\]'"):
        cluster.check("tcp://127.0.0.1:8786")


# -- clusters that go --------------------------------------------------------------------------------------


def test_a_lost_scheduler_ends_the_run(empty: Cluster) -> None:
    import dask

    scenario = pharmsim.load(TINY)
    table, blocks = sample(scenario, 255), [(top, top + 8) for top in range(0, 256, 8)]
    empty.worker()

    def lose() -> None:
        for n, _ in enumerate(cluster.on_cluster(empty.address, scenario, table, blocks)):
            if n == 2:
                empty.scheduler.kill()

    rule = r"the scheduler was lost \(.*\)\. Start it and its workers again"
    with dask.config.set({"distributed.comm.timeouts.connect": "1s"}), pytest.raises(RunError, match=rule):
        lose()


def test_what_a_block_died_of_is_said() -> None:
    from distributed import KilledWorker

    dead = KilledWorker("block", SimpleNamespace(address="tcp://127.0.0.1:1"), 3)
    assert "4 workers died one after the other" in str(cluster._failed("tcp://127.0.0.1:8786", dead))
    text = str(cluster._failed("tcp://127.0.0.1:8786", MemoryError("no room")))
    assert "failed in 3 tries (MemoryError: no room)" in text
