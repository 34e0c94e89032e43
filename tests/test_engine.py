"""The engine: accuracy, same bits however it is run, restart, stale kernels, conservation."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

import pharmsim
from pharmsim.compiled.arrays import HISTORY_MONTHS
from pharmsim.compiled.compile import Compiled, compile_scenario
from pharmsim.compiled.draws import sample
from pharmsim.engine import run as engine
from pharmsim.engine.run import Output, blank, check, run
from pharmsim.errors import ConservationError, InputError, RunError
from pharmsim.scenario import shipped
from pharmsim.scenario.models import Scenario

SOURCE = Path(pharmsim.__file__).parent


@pytest.fixture(scope="module")
def tiny() -> Scenario:
    return pharmsim.tiny_scenario()


@pytest.fixture(scope="module")
def compiled(tiny: Scenario) -> Compiled:
    return compile_scenario(tiny, sample(tiny, 5, seed=3))


@pytest.fixture(scope="module")
def output(compiled: Compiled) -> Output:
    return run(compiled)


def assert_same_bits(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> None:
    for name, array in one.items():
        assert np.array_equal(array, other[name], equal_nan=True), name


@pytest.mark.parametrize("top", [1e-12, 1e-3, 0.12, 0.13, 1.0, 10.0, 80.0])
def test_time_lived_is_accurate_to_1e_14(top: float) -> None:
    from pharmsim.engine.lived import halvings, lived

    @numba.njit
    def call(hazard, top, out):  # type: ignore[no-untyped-def]
        lived(hazard, 1.0, halvings(top), out)

    hazard = np.linspace(0.0, top, 1001)
    out = np.empty_like(hazard)
    call(hazard, top, out)
    exact = np.ones_like(hazard)
    exact[1:] = -np.expm1(-hazard[1:]) / hazard[1:]
    assert np.abs(out / exact - 1.0).max() < 1e-14
    with pytest.raises(AssertionError):
        assert np.abs(out * (1.0 + 2e-14) / exact - 1.0).max() < 1e-14


def test_draw_gives_the_same_bits_alone_and_in_a_batch(tiny: Scenario, output: Output) -> None:
    draws = sample(tiny, 5, seed=3)
    for row in (0, 2, 5):
        alone = run(compile_scenario(tiny, draws.block(row, row + 1)))
        assert_same_bits(alone.record, {name: a[row : row + 1] for name, a in output.record.items()})


def test_same_bits_on_any_number_of_threads(
    compiled: Compiled, output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n_threads in (1, 3):
        monkeypatch.setattr(os, "cpu_count", lambda n=n_threads: n)
        assert_same_bits(run(compiled).record, output.record)


def test_row_0_is_the_run_without_draws(tiny: Scenario, output: Output) -> None:
    central = run(compile_scenario(tiny, sample(tiny, 0, seed=99)))
    assert_same_bits(central.record, {name: a[:1] for name, a in output.record.items()})
    assert not np.array_equal(output.record["headcount"][0], output.record["headcount"][1])


@pytest.mark.parametrize("file", ["tiny.yaml", "small_system.yaml"])
@pytest.mark.parametrize("split", [7, 60])
def test_restart_gives_the_same_bits(file: str, split: int) -> None:
    scenario = pharmsim.load(shipped(file))
    compiled = compile_scenario(scenario, sample(scenario, 5, seed=3))
    output = run(compiled)
    first = run(compiled, last=split)
    second = run(compiled, first.state, first=split)
    periods, times = compiled.clock.n_periods, compiled.clock.n_periods + 1
    for name, whole in output.record.items():
        if name in {"tagged", "kept", "tagged_in", "kept_in", "registered_before", "headcount_by_age"}:
            continue
        assert whole.shape[1] in {periods, times}, name
        joined = np.concatenate([first.record[name][:, :split], second.record[name][:, split:]], axis=1)
        assert np.array_equal(joined, whole, equal_nan=True), name
    ends = [[*state.posts, *state.training, *state.system] for state in (second.state, output.state)]
    for one, other in zip(*ends, strict=True):
        assert np.array_equal(one, other)
    for name in ("tagged", "kept", "tagged_in", "kept_in"):
        both = np.maximum(first.record[name], second.record[name])
        assert np.array_equal(both, output.record[name])


def test_results_final_state_continues_a_run(tiny: Scenario) -> None:
    whole = pharmsim.run(tiny, draws=2)
    begun = pharmsim.run(tiny, draws=2, last=24)
    ended = pharmsim.run(tiny, draws=2, state=begun.final_state(), first=24)
    late = {"time": slice(24, None)}
    assert np.array_equal(ended.data.fte.isel(late).to_numpy(), whole.data.fte.isel(late).to_numpy())


def test_first_year_staff_who_never_leave(tiny: Scenario) -> None:
    """A ratio of 0 is fine; with nobody but first-year staff at the start it means nothing."""
    assert tiny.first_year is not None
    changed = {**pharmsim.to_dict(tiny), "first_year": {"leaving_ratio": 0, "opening_share": "20 %"}}
    results = run(compile_scenario(pharmsim.from_dict(changed), sample(tiny, 0)))
    assert np.isfinite(results.record["headcount"]).all()
    changed["first_year"]["opening_share"] = "100 %"
    with pytest.raises(InputError, match="averages over nobody"):
        compile_scenario(pharmsim.from_dict(changed), sample(tiny, 0))


def test_lost_people_are_noticed(compiled: Compiled) -> None:
    record = blank(compiled.model, compiled.clock, 1, 60)
    check(record, 0, compiled.clock.n_periods)
    record.conservation_error[0, 5] = 1e-3
    with pytest.raises(ConservationError, match=r"period 5 of draw 0 is out by 0\.001 people"):
        check(record, 0, compiled.clock.n_periods)
    with pytest.raises(ConservationError, match=r"period 5 of draw 40 is out"):
        check(record, 0, compiled.clock.n_periods, 40)
    record.system.pay_bill[0, 5] = np.nan
    with pytest.raises(RunError, match="money of draw 40 are not finite"):
        check(record, 0, compiled.clock.n_periods, 40)
    record.posts.headcount[0, 5] = np.inf
    with pytest.raises(RunError, match="people of draw 40 are not finite"):
        check(record, 0, compiled.clock.n_periods, 40)


def test_an_error_names_the_draw_of_the_whole_table(tiny: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "TOLERANCE", -1.0)
    with pytest.raises(ConservationError, match="period 0 of draw 3 is out"):
        run(compile_scenario(tiny, sample(tiny, 5).block(1, 6).block(2, 4)))


def test_registrations_before_the_start_are_recorded(output: Output) -> None:
    before = output.record["registered_before"]
    assert before.shape[1] == HISTORY_MONTHS
    assert before.sum() > 0.0


def test_changed_callee_in_another_file_is_noticed(tmp_path: Path) -> None:
    """numba's own cache would return the result of the old callee."""
    package = tmp_path / "pharmsim"
    shutil.copytree(SOURCE, package, ignore=shutil.ignore_patterns("__pycache__", "scenarios"))
    program = (
        "import numba, numpy as np\n"
        "from pharmsim.engine.hiring import give_up\n"
        "@numba.njit\n"
        "def call(rate, seekers, out):\n"
        "    give_up(rate, 0, 1.0, seekers, out)\n"
        "seekers, out = np.ones((1, 1, 1, 2)), np.zeros(1)\n"
        "call(np.array([1e9]), seekers, out)\n"
        "print(out[0])\n"
    )
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "PHARMSIM_CACHE": str(tmp_path / "cache")}

    def result() -> float:
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True
        )
        return float(done.stdout)

    assert result() == 2.0
    assert result() == 2.0  # from the cache
    callee = package / "engine" / "lived.py"
    text = callee.read_text()
    assert "    return s\n" in text
    callee.write_text(text.replace("    return s\n", "    return 10.0 * s\n"))
    assert result() == 20.0


@pytest.mark.parametrize("draws", [0, 3])
@pytest.mark.parametrize("file", ["small_system.yaml", "sel/baseline.yaml"])
def test_arrays_stand_in_order(file: str, draws: int) -> None:
    """An array in another order of memory is another type to the compiler: a minute of translation."""
    scenario = pharmsim.load(f"scenarios/{file}")
    model = compile_scenario(scenario, sample(scenario, draws)).model
    seen = []

    def look(node: object, path: str) -> None:
        if isinstance(node, tuple):
            for i, child in enumerate(node):
                look(child, f"{path}.{getattr(node, '_fields', range(len(node)))[i]}")
        elif isinstance(node, np.ndarray):
            seen.append(path)
            assert node.flags.c_contiguous, path

    look(model, "")
    assert len(seen) > 100
