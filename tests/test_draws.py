"""Draws: even cover, streams by name, tables shared by scenarios, rows of central values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

import pharmsim
from made import made
from pharmsim.compiled.compile import compile_scenario
from pharmsim.compiled.draws import LARGEST, Draws, sample
from pharmsim.compiled.sobol import scrambled
from pharmsim.engine.run import run
from pharmsim.errors import InputError
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.values import Value

NAMES = tuple(f"uncertainty {i}" for i in range(60))


def correlations(u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Correlations of different columns."""
    return np.asarray(np.corrcoef(u, rowvar=False))[np.triu_indices(u.shape[1], 1)]


def leaving(**rates: Any) -> Scenario:
    """A scenario with one hazard of leaving for each name, each an uncertainty of its own."""
    return made(12, leaving={name: {"rate": rate} for name, rate in rates.items()})


HALF: dict[str, Any] = {"value": 0.1, "low": 0.05, "high": 0.15, "dist": "uniform"}


def test_one_point_in_each_cell_of_every_column() -> None:
    for m in (0, 1, 5, 10):
        cells = np.sort(np.floor(scrambled(NAMES, 2**m, 1) * 2**m), axis=0)
        assert (cells == np.arange(2**m)[:, None]).all()
    assert not (np.sort(np.floor(scrambled(NAMES, 31, 1) * 32), axis=0) == np.arange(31)[:, None]).all()


def test_more_draws_than_memory_holds_are_refused_before_they_are_made() -> None:
    scenario = leaving(a=HALF, b=HALF)
    for n in (LARGEST // 2 + 1, 10**30):
        with pytest.raises(InputError, match=rf"must be at most 16,777,216 with 2 uncertainties — got {n:,}"):
            sample(scenario, n)
    with pytest.raises(InputError, match="with 0 uncertainties"):
        sample(made(12), 10**12)


def test_pairs_of_columns_are_covered_evenly() -> None:
    """Points of the sequence beat independent ones: a smooth mean is found better than by chance."""
    u = scrambled(NAMES[:8], 1024, 1)
    assert abs((u[:, :-1] * u[:, 1:]).mean() - 0.25) < 0.1 * np.sqrt(7 / 144 / 1024 / 7)


def test_points_lie_inside_and_their_columns_are_independent() -> None:
    for seed in (1, 2):
        u = scrambled(NAMES, 1024, seed)
        assert u.min() > 0.0
        assert u.max() < 1.0
        assert np.abs(u.mean(axis=0) - 0.5).max() < 1e-3
        assert np.abs(correlations(u)).max() < 0.1
    assert np.abs(correlations(np.concatenate([u[:, :2]] * 2, axis=1))).max() > 0.9


def test_seeds_and_names_have_streams_of_their_own() -> None:
    """Over seeds, a draw is uniform, and those of different names have nothing to do with each other."""
    first = np.concatenate([scrambled(NAMES[:6], 1, seed) for seed in range(400)])
    assert all(stats.kstest(column, "uniform").pvalue > 1e-3 for column in first.T)
    assert np.abs(correlations(first)).max() < 4 / np.sqrt(400)


def test_more_draws_and_names_behind_keep_the_earlier_numbers() -> None:
    few = scrambled(NAMES[:5], 7, 1)
    assert np.array_equal(few, scrambled(NAMES, 1000, 1)[:7, :5])
    assert not np.array_equal(few, scrambled(NAMES[:5], 7, 2))
    assert not np.array_equal(few, scrambled(NAMES[5:10], 7, 1))


def test_no_names_no_draws_and_too_many_names() -> None:
    assert scrambled((), 5, 1).shape == (5, 0)
    assert scrambled(NAMES, 0, 1).shape == (0, 60)
    with pytest.raises(InputError, match="at most 21201 uncertainties"):
        scrambled([str(i) for i in range(21202)], 1, 1)


def test_scenarios_drawn_together_keep_the_draws_of_the_first() -> None:
    base, other = leaving(a=HALF, b=HALF), leaving(c=HALF, b=HALF)
    alone, both = sample(base, 8), sample((base, other), 8)
    assert both.names == ("leaving.a.rate", "leaving.b.rate", "leaving.c.rate")
    assert np.array_equal(both.u[:, :2], alone.u, equal_nan=True)
    assert np.array_equal(np.isnan(both.u).any(axis=1), np.arange(9) == 0)
    assert compile_scenario(base, both).draws is both  # which may hold more than the scenario has


def test_a_probability_that_is_no_number_is_the_central_value() -> None:
    value = Value(value=0.1, low=0.05, high=0.15, dist="uniform", uncertainty="x")
    found = Draws(("y", "x"), np.array([[0.2, np.nan], [np.nan, 0.75]]), 1).values(value)
    assert found[0] == 0.1
    assert found[1] == pytest.approx(0.125)


def test_draws_of_a_block_stand_where_they_stood() -> None:
    draws = sample(pharmsim.tiny_scenario(), 6)
    block = draws.block(2, 4)
    assert block.names == draws.names
    assert np.array_equal(block.u, draws.u[2:4])


def test_ranges_without_width_give_the_central_run_in_every_draw() -> None:
    flat = {"value": 0.1, "low": 0.1, "high": 0.1, "dist": "normal"}
    scenario = leaving(a=flat, b=0.2)
    table = sample((scenario, leaving(c=HALF)), 3)
    record = run(compile_scenario(scenario, table)).record
    for name, array in record.items():
        assert np.array_equal(array, np.broadcast_to(array[:1], array.shape), equal_nan=True), name
    spread = run(compile_scenario(leaving(c=HALF), table)).record["headcount"]
    assert not np.array_equal(spread[0], spread[1])


def test_fewer_draws_than_none_are_refused() -> None:
    with pytest.raises(InputError, match=r"0 or more — got -1"):
        pharmsim.run(pharmsim.tiny_scenario(), draws=-1)


def test_ranges_with_the_same_ends_and_other_choices_are_told_apart() -> None:
    table = sample(leaving(a=HALF), 64)
    one, other = (
        Value(value=1, low=1, high=2, dist="discrete", choices={1: p, 2: 1 - p}, uncertainty="leaving.a.rate")
        for p in (0.25, 0.75)
    )
    assert [(table.values(v)[1:] == 1.0).sum() for v in (one, other, one)] == [16, 48, 16]
