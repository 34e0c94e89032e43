"""Sensitivity indices against models whose indices are known."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable

import numpy as np
import pytest

from pharmsim.errors import InputError
from pharmsim.study.sensitivity import indices
from pharmsim.study.sensitivity.indices import Index, delta, pawn, prcc, sobol, sobol_design

A, B = 7.0, 0.1
VARIANCE = 0.5 + A**2 / 8 + B * np.pi**4 / 5 + B**2 * np.pi**8 / 18
FIRST = np.array([0.5 * (1 + B * np.pi**4 / 5) ** 2, A**2 / 8, 0.0]) / VARIANCE
TOTAL = FIRST + np.array([1.0, 0.0, 1.0]) * (8 / 225 * B**2 * np.pi**8) / VARIANCE
"""Ishigami's function: indices in closed form (Ishigami and Homma 1990)."""


def ishigami(u: np.ndarray) -> np.ndarray:
    x = np.pi * (2.0 * u - 1.0)
    return np.asarray(np.sin(x[:, 0]) + A * np.sin(x[:, 1]) ** 2 + B * x[:, 2] ** 4 * np.sin(x[:, 0]))


def uniform(n: int, k: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).random((n, k))


def inside(index: Index, true: np.ndarray) -> np.ndarray:
    return (index.low <= true) & (true <= index.high)


# -- Sobol' -------------------------------------------------------------------------------------------------


def test_ishigami() -> None:
    assert pytest.approx([0.3139, 0.4424, 0.0], abs=1e-4) == FIRST
    assert pytest.approx([0.5576, 0.4424, 0.2437], abs=1e-4) == TOTAL
    first, total = sobol(ishigami(sobol_design(3, 1024)), 3)
    assert inside(first, FIRST).all()
    assert inside(total, TOTAL).all()
    assert (first.high - first.low < 0.15).all()
    assert not inside(first, TOTAL).all(), "the check sees a wrong index"


def test_inputs_of_a_group_are_one_factor() -> None:
    """Of x₀ + 2·x₁ + x₂ the second and the third together make 5/6 of the variance."""
    u = sobol_design(3, 256, 1, [0, 1, 1])
    assert u.shape == (256 * 4, 3)
    first, total = sobol(u @ [1.0, 2.0, 1.0], 2)
    assert first.value == pytest.approx([1 / 6, 5 / 6], abs=0.03)
    assert total.value == pytest.approx([1 / 6, 5 / 6], abs=0.03)


def test_a_design_is_the_same_for_a_seed_and_inside_of_the_ranges() -> None:
    u = sobol_design(4, 64, 3)
    assert np.array_equal(u, sobol_design(4, 64, 3))
    assert not np.array_equal(u, sobol_design(4, 64, 4))
    assert u.min() > 0.0
    assert u.max() < 1.0


# -- partial rank correlation -------------------------------------------------------------------------------


def test_prcc_by_regression() -> None:
    """Against residuals of two regressions of ranks, one input at a time."""
    from scipy.stats import rankdata

    u = uniform(120, 4)
    y = np.exp(u @ [3.0, 1.0, -0.5, 0.0]) + 0.5 * np.random.default_rng(2).normal(size=120)
    found = prcc(u, y)
    ranks, out = rankdata(u, axis=0), rankdata(y)
    for i in range(4):
        others = np.column_stack([np.ones(120), np.delete(ranks, i, axis=1)])
        left = [a - others @ np.linalg.lstsq(others, a, rcond=None)[0] for a in (ranks[:, i], out)]
        assert found.value[i] == pytest.approx(np.corrcoef(*left)[0, 1], abs=1e-10)
    assert (found.low < found.value).all()
    assert (found.value < found.high).all()


def test_prcc_of_a_monotone_model_does_not_depend_on_its_shape() -> None:
    u = uniform(200, 3)
    y = u @ [2.0, -1.0, 0.2]
    assert prcc(u, np.exp(5.0 * y)).value == pytest.approx(prcc(u, y).value)
    assert prcc(u, -y).value == pytest.approx(-prcc(u, y).value)
    assert np.sign(prcc(u, y).value) == pytest.approx([1.0, -1.0, 1.0])


def test_what_does_nothing_has_an_interval_over_zero_and_is_last() -> None:
    u = uniform(256, 5)
    found = prcc(u, u[:, :4] @ [4.0, 3.0, 2.0, 1.0] + 0.3 * np.random.default_rng(5).normal(size=256))
    assert found.low[4] < 0.0 < found.high[4]
    assert np.argmin(np.abs(found.value)) == 4
    assert (found.low[:4] > 0.0).all()


def test_intervals_are_wider_with_more_other_inputs() -> None:
    u, noise = uniform(256, 200), np.random.default_rng(3).normal(size=256)
    y = u[:, 0] + 0.5 * noise
    few, many = prcc(u[:, :2], y), prcc(u, y)
    assert many.high[0] - many.low[0] > 1.5 * (few.high[0] - few.low[0])


@pytest.mark.parametrize("y", [np.full(64, 3.7), np.full(64, np.nan), 3.7 + 1e-15 * np.arange(64)])
def test_an_output_that_does_not_vary_has_no_index(y: np.ndarray) -> None:
    u = uniform(64, 2)
    every = (*(method(u, y) for method in (prcc, delta, pawn)), *sobol(y, 2))
    assert all(np.isnan(index.value).all() for index in every)


def test_too_few_draws() -> None:
    with pytest.raises(InputError, match=r"of 50 uncertainties need 70 draws or more; got 64.*--draws 256"):
        prcc(uniform(64, 50), uniform(64, 1)[:, 0])


def test_inputs_that_cannot_be_told_apart() -> None:
    u = uniform(64, 2)
    with pytest.raises(InputError, match="follow each other exactly"):
        prcc(np.column_stack([u, u[:, 0]]), u[:, 1])


# -- delta and PAWN -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [delta, pawn])
def test_distributions_move_with_what_matters(method: Callable[..., Index]) -> None:
    """The input whose square matters has no correlation, but is seen; one that does nothing is not."""
    u = uniform(500, 3)
    found = method(u, (u[:, 0] - 0.5) ** 2 + 0.02 * u[:, 1], 1, 10)
    assert abs(prcc(u, (u[:, 0] - 0.5) ** 2 + 0.02 * u[:, 1]).value[0]) < 0.3
    assert found.low[0] > found.floor > 0.0
    assert found.low[2] < found.floor
    assert np.argmax(found.value) == 0


def test_random_numbers_and_warnings_of_others_are_left_alone() -> None:
    u = uniform(100, 2)
    before, shown, filters = np.random.get_state()[1].copy(), warnings.formatwarning, list(warnings.filters)  # type: ignore[union-attr,index] # noqa: NPY002
    one = delta(u, u[:, 0], 7, 5)
    assert np.array_equal(before, np.random.get_state()[1])  # type: ignore[index] # noqa: NPY002
    assert warnings.formatwarning is shown
    assert list(warnings.filters) == filters
    assert np.array_equal(one.value, delta(u, u[:, 0], 7, 5).value)


@pytest.mark.parametrize("method", ["delta", "pawn", "sobol"])
def test_without_salib(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "SALib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "SALib", None)
    u = uniform(64, 2)
    work = {"delta": lambda: delta(u, u[:, 0]), "pawn": lambda: pawn(u, u[:, 0]),
            "sobol": lambda: sobol_design(2, 16)}  # fmt: skip
    with pytest.raises(InputError, match=r"Install `pharmsim\[sensitivity\]`") as caught:
        work[method]()
    assert caught.value.exit_code == 2
    assert prcc(u, u[:, 0]).value[0] == pytest.approx(1.0)


# -- slow ---------------------------------------------------------------------------------------------------


@pytest.mark.verify
@pytest.mark.parametrize(("n", "k"), [(256, 5), (256, 100)])
def test_intervals_hold_the_true_value_as_often_as_they_say(n: int, k: int) -> None:
    """95 % intervals of a linear model with noise, from independent draws: 200 times over."""
    slopes, rng = np.array([1.0, 0.5, 0.1, 0.0]), np.random.default_rng(11)

    def model(u: np.ndarray) -> np.ndarray:
        return np.asarray(u[:, :4] @ slopes + 0.3 * rng.normal(size=len(u)))

    large = rng.random((100_000, 4))
    true = prcc(large, model(large), resamples=1).value
    hits = np.zeros(4)
    for i in range(200):
        u = rng.random((n, k))
        index = prcc(u, model(u), i, 400)
        hits += (index.low[:4] <= true) & (true <= index.high[:4])
    assert (hits / 200 > 0.91).all(), hits / 200
    assert (hits / 200 < 0.995).all(), hits / 200


@pytest.mark.verify
def test_intervals_of_sobol_indices_hold_the_true_value() -> None:
    """Designs are more even than independent draws, so that intervals hold it at least so often."""
    hits = np.zeros((2, 3))
    for seed in range(1, 41):
        first, total = sobol(ishigami(sobol_design(3, 256, seed)), 3, seed, 200)
        hits += [inside(first, FIRST), inside(total, TOTAL)]
    assert (hits / 40 >= 0.9).all(), hits / 40
    assert indices.RESAMPLES >= 200
