"""Which part of the spread is chance: made-up numbers whose parts are known."""

from __future__ import annotations

import numpy as np
import pytest

from pharmsim.results import rows as rows_of
from pharmsim.study.comparing import intervals


def rows(draws: int, replicates: int, inputs: float, chance: float) -> np.ndarray:
    """Row 0, and draws × replicates behind it, with standard deviations of inputs and of chance."""
    rng = np.random.default_rng(7)
    of_draw = np.repeat(rng.normal(0.0, inputs, draws), replicates)
    return np.concatenate([[0.0], of_draw + rng.normal(0.0, chance, draws * replicates)])


@pytest.mark.parametrize(("inputs", "chance"), [(3.0, 1.0), (1.0, 1.0), (1.0, 3.0), (0.0, 1.0)])
@pytest.mark.parametrize("replicates", [2, 4])
def test_parts_are_found_again(inputs: float, chance: float, replicates: int) -> None:
    """Also with two replicates, whose means vary by half of chance: that must not count as inputs."""
    found = intervals.from_chance(rows(20_000, replicates, inputs, chance), replicates)
    assert found == pytest.approx(chance**2 / (inputs**2 + chance**2), abs=0.02)


def test_without_chance_nothing_is_chance() -> None:
    assert intervals.from_chance(rows(50, 4, 2.0, 0.0), 4) == pytest.approx(0.0, abs=1e-12)


def test_without_inputs_all_is_chance() -> None:
    """A single group of replicates at the central values."""
    assert intervals.from_chance(rows(1, 30, 2.0, 1.0), 30) == 1.0


def test_nothing_is_said_where_nothing_varies() -> None:
    numbers = np.full((9, 3), 5e6)
    numbers[1:, 1] += 1e-7 * np.arange(8)  # rounding
    numbers[:, 2] = np.arange(9)
    found = intervals.from_chance(numbers, 2)
    assert np.isnan(found[:2]).all()
    assert 0.0 < found[2] < 1.0


def test_the_row_of_the_central_values_does_not_count() -> None:
    numbers = rows(10, 2, 1.0, 1.0)
    other = numbers.copy()
    other[0] = 1e3
    assert intervals.from_chance(numbers, 2) == intervals.from_chance(other, 2)


@pytest.mark.parametrize(
    ("share", "said"),
    [(1.0, "nearly all"), (0.996, "nearly all"), (0.99, "99 %"), (0.004, "hardly any"), (0.0, "hardly any")],
)
def test_an_estimate_is_never_said_to_be_all_or_nothing(share: float, said: str) -> None:
    assert rows_of.of_chance(share) == said


def test_a_share_that_is_not_known_is_a_dash() -> None:
    assert rows_of.of_chance(float("nan")) == "–"
