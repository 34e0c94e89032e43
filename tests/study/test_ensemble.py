"""Ensembles: the same bits however they are cut and whoever runs them, little memory, errors as they are."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import pharmsim
from made import by_post, made, post
from pharmsim.compiled.draws import sample
from pharmsim.errors import InputError, OutputError, RunError
from pharmsim.results import folder
from pharmsim.results.labelled import Results
from pharmsim.scenario import shipped
from pharmsim.study import blocks, ensemble
from pharmsim.study.ensemble import How
from pharmsim.study.progress import progress

DRAWS = 33


@pytest.fixture(scope="module", params=["tiny.yaml", "small_system.yaml", "tiny_what_if.yaml"])
def whole(request: pytest.FixtureRequest) -> Results:
    """Few draws are one block."""
    assert ensemble.FEW < DRAWS
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ensemble, "FEW", DRAWS + 1)
        return pharmsim.run(pharmsim.load(shipped(request.param)), DRAWS, seed=3)


def assert_same_bits(found: xr.Dataset, expected: xr.Dataset) -> None:
    assert set(found.data_vars) == set(expected.data_vars)
    for name in expected.data_vars:
        a, b = (np.ascontiguousarray(data[name].values).view("i8") for data in (found, expected))
        assert np.array_equal(a, b), name


@pytest.mark.parametrize(("threads", "rows"), [(1, 1), (2, 7), (3, 32), (2, 256)])
@pytest.mark.parametrize("small", [0, 10**9])
def test_same_bits_for_any_threads_blocks_and_store(
    whole: Results, monkeypatch: pytest.MonkeyPatch, threads: int, rows: int, small: int
) -> None:
    monkeypatch.setattr(ensemble, "_rows", lambda *_: rows)
    monkeypatch.setattr(ensemble, "SMALL", small)
    found = pharmsim.run(whole.scenario, DRAWS, seed=3, how=How(threads=threads))
    assert_same_bits(found.data, whole.data)
    if small:
        ends = [[*state.posts, *state.training, *state.system] for state in (found.state, whole.state)]
        assert all(np.array_equal(a, b) for a, b in zip(*ends, strict=True))
    else:
        with pytest.raises(RunError, match="a large ensemble"):
            found.final_state()


def test_other_draws_have_other_bits(whole: Results) -> None:
    found = pharmsim.run(whole.scenario, DRAWS, seed=4)
    with pytest.raises(AssertionError):
        assert_same_bits(found.data, whole.data)


def test_a_run_in_parts_is_the_whole_run(whole: Results) -> None:
    begun = pharmsim.run(whole.scenario, whole.draws, last=24)
    state: Any = begun.final_state()
    ended = pharmsim.run(whole.scenario, whole.draws, state=state, first=24)
    late = {"time": slice(24, None)}
    assert np.array_equal(ended.data["fte"].isel(late).values, whole.data["fte"].isel(late).values)


def test_a_table_of_draws_may_hold_more_names_and_any_rows() -> None:
    tiny, other = (pharmsim.load(shipped(name)) for name in ("tiny.yaml", "tiny_what_if.yaml"))
    table = sample([tiny, other], 40, seed=2)
    found = pharmsim.run(tiny, table)
    assert found.draws is table
    assert (found.n_draws, found.meta["seed"], found.meta["uncertainties"]) == (40, 2, list(table.names))
    assert_same_bits(pharmsim.run(tiny, 40, seed=2).data, found.data)
    part = pharmsim.run(tiny, table.block(30, 41))
    assert np.array_equal(part.data["fte"].values, found.data["fte"].values[30:41])


@pytest.mark.parametrize(
    ("n", "size", "seconds", "threads", "rows"),
    [
        (10_001, 1_000, 1e-4, 2, 256),  # the most
        (10_001, 4_000_000, 1e-4, 2, 32),  # memory
        (10_001, 1_000, 0.02, 2, 25),  # soon done
        (10_001, 1_000, 2.0, 2, 16),  # not too few
        (10_001, 10**9, 2.0, 2, 1),
        (41, 1_000, 1e-4, 4, 5),  # work for every thread
    ],
)
def test_blocks_are_as_large_as_memory_and_patience_allow(
    n: int, size: int, seconds: float, threads: int, rows: int
) -> None:
    assert ensemble._rows(n, size, seconds, threads) == rows


# -- threads ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_blocks_come_in_order_whichever_is_done_first(threads: int) -> None:
    turn = [threading.Event() for _ in range(6)]
    turn[-1].set()

    def work(block: blocks.Block) -> int:
        if threads == 5 and block[0] < 2:  # the first wait for the third
            assert turn[2].wait(10)
        turn[block[0]].set()
        return block[0] * 10

    asked = [(k, k + 1) for k in range(6)]
    assert list(blocks.on_threads(work, asked, threads)) == [(block, block[0] * 10) for block in asked]


def test_the_first_error_is_raised_and_the_other_blocks_are_left() -> None:
    begun = []
    failed = threading.Event()

    def work(block: blocks.Block) -> None:
        begun.append(block[0])
        if block[0] == 1:
            failed.set()
            raise InputError("block 1")
        if block[0] == 0:
            assert failed.wait(10)
            raise InputError("block 0")

    with pytest.raises(InputError, match="block 0"):
        list(blocks.on_threads(work, [(k, k + 1) for k in range(100)], 2))
    assert len(begun) < 100


def test_an_error_of_some_draws_is_the_error_of_the_ensemble() -> None:
    """Two absences that are sound at their central values take more than all the time in some draws."""
    wide = {"value": 0.45, "low": 0.1, "high": 0.9, "dist": "uniform"}
    scenario = made(24, working_time={"absence": {"leave": wide, "sickness": wide}})
    pharmsim.run(scenario)
    with pytest.raises(InputError, match=r"working_time\.absence"):
        pharmsim.run(scenario, 100, how=How(threads=2))


def test_an_error_names_the_draw_of_the_ensemble_not_of_its_block(monkeypatch: pytest.MonkeyPatch) -> None:
    """A transfer that has enough to take from at the central values, and not in every draw."""
    moved = {"from": {"role": "red"}, "to": {"role": "blue"}, "start": "April 2027", "end": "May 2027"}
    fte = {"value": 5, "low": 1, "high": 120, "dist": "triangular"}
    posts = [post("a"), post("b", "blue")]
    establishment = {"fte": by_post(a=100, b=100), "redistribution": [moved | {"fte": fte}]}
    scenario = made(24, posts=posts, establishment=establishment)
    table = sample(scenario, 100)
    wrong = int(np.argmax(table.values(scenario.establishment.redistribution[0].fte) > 100.0))
    assert wrong > 3
    for rows in (3, 256):
        monkeypatch.setattr(ensemble, "_rows", lambda *_, rows=rows: rows)
        with pytest.raises(InputError, match=rf"in draw {wrong}\. Move less"):
            pharmsim.run(scenario, table)


# -- room ---------------------------------------------------------------------------------------------------


def test_too_little_room_is_said_before_anything_is_written(tmp_path: Path) -> None:
    folder.check_room(tmp_path / "not" / "there", 1000)
    with pytest.raises(OutputError, match=r"must have 1,000,000,000\.00 GB .* GB are free\. Run fewer draws"):
        folder.check_room(tmp_path / "not" / "there", 10**18)


# -- progress -----------------------------------------------------------------------------------------------


def test_progress_is_told_after_two_seconds_and_then_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([0.0, 1.9, 4.0, 12.0, 13.0])
    monkeypatch.setattr("pharmsim.study.progress.time.monotonic", lambda: next(clock))
    with progress("Made up", 400) as step:
        for _ in range(4):
            step(50)
    assert capsys.readouterr().err == "Made up: 150 of 400 draws, 0:00:20 to go\n"


def test_nothing_is_told_where_nobody_asked(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("Made up", 4, shown=False) as step:
        step(4)
    assert capsys.readouterr().err == ""
