"""Distributions: quantiles against scipy's, ends, and ranges that no distribution has."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pharmsim.scenario.distributions import (
    NORMAL_95,
    WITH_TAILS,
    extremes,
    impossible,
    quantile,
    steps_of,
    steps_of_draws,
)

U = (np.arange(1000) + 0.5) / 1000
LOW, CENTRAL, HIGH = 0.2, 0.3, 0.45
SD = (HIGH - LOW) / (2 * NORMAL_95)
EXPECTED = {
    "pert": stats.beta(1 + 4 * 0.1 / 0.25, 1 + 4 * 0.15 / 0.25, LOW, 0.25),
    "triangular": stats.triang(0.4, LOW, 0.25),
    "uniform": stats.uniform(LOW, 0.25),
    "normal": stats.norm(CENTRAL, SD),
    "lognormal": stats.lognorm(np.log(HIGH / LOW) / (2 * NORMAL_95), scale=CENTRAL),
    "gamma": stats.gamma((CENTRAL / SD) ** 2, scale=SD**2 / CENTRAL),
    "beta": stats.beta(CENTRAL * (w := CENTRAL * (1 - CENTRAL) / SD**2 - 1), (1 - CENTRAL) * w),
}


@pytest.mark.parametrize("dist", EXPECTED)
def test_quantiles_are_those_of_scipy(dist: str) -> None:
    found = quantile(U, CENTRAL, LOW, HIGH, dist)
    assert found == pytest.approx(EXPECTED[dist].ppf(U), rel=1e-12)
    if dist == "pert":
        assert np.array_equal(found, quantile(U, CENTRAL, LOW, HIGH, None))


@pytest.mark.parametrize("dist", ["pert", "triangular", "uniform"])
def test_ends_of_what_has_ends(dist: str) -> None:
    assert quantile(np.array([0.0, 1.0]), CENTRAL, LOW, HIGH, dist) == pytest.approx([LOW, HIGH], rel=1e-15)
    for mode in (LOW, HIGH):  # at an end
        assert np.isfinite(quantile(U, mode, LOW, HIGH, dist)).all()


def test_low_and_high_are_the_5_and_95_percent_points() -> None:
    ends = quantile(np.array([0.05, 0.95]), 0.3, 0.2, 0.4, "normal")
    assert ends == pytest.approx([0.2, 0.4], rel=1e-14)
    assert quantile(np.array([0.05, 0.95]), 0.2, 0.1, 0.4, "lognormal") == pytest.approx(
        [0.1, 0.4], rel=1e-14
    )


def test_discrete_and_empirical_take_their_values_as_often_as_asked() -> None:
    steps = steps_of({12.0: 0.2, 8.0: 0.3, 10.0: 0.5})
    found = quantile(U, 10.0, 8.0, 12.0, "discrete", steps)
    assert [(found == x).sum() for x in (8.0, 10.0, 12.0)] == [300, 500, 200]
    draws = np.array([3.0, 1.0, 2.0, 2.0])
    found = quantile(U, 2.0, 1.0, 3.0, "empirical", steps_of_draws(draws))
    assert [(found == x).sum() for x in (1.0, 2.0, 3.0)] == [250, 500, 250]
    for dist, of in (("discrete", steps), ("empirical", steps_of_draws(draws))):
        ends = (of[0][0], of[0][-1])
        assert tuple(quantile(np.array([0.0, 1.0]), 2.0, *ends, dist, of)) == ends


def test_steps_are_moved_and_stretched_with_low_and_high() -> None:
    """What a change does to a number it does to its choices."""
    steps = steps_of({8.0: 0.3, 10.0: 0.5, 12.0: 0.2})
    once = quantile(U, 10.0, 8.0, 12.0, "discrete", steps)
    assert quantile(U, 15.0, 12.0, 18.0, "discrete", steps) == pytest.approx(1.5 * once, rel=1e-15)
    assert quantile(U, 11.0, 9.0, 13.0, "discrete", steps) == pytest.approx(once + 1.0, rel=1e-15)


@pytest.mark.parametrize("dist", WITH_TAILS)
def test_tails_end_where_extremes_says(dist: str) -> None:
    ends = extremes(CENTRAL, LOW, HIGH, dist)
    found = quantile(np.array([0.0, 1e-9, 1e-6, 1 - 1e-6, 1.0]), CENTRAL, LOW, HIGH, dist)
    assert tuple(found[[0, -1]]) == ends
    assert found[0] == found[1] == found[2]
    assert found[3:] == pytest.approx(EXPECTED[dist].ppf([1 - 1e-6] * 2), rel=1e-9)
    assert extremes(CENTRAL, CENTRAL, CENTRAL, dist) == (CENTRAL, CENTRAL)


def test_what_no_distribution_has() -> None:
    for possible in ((0.3, 0.2, 0.4, "normal"), (0.2, 0.1, 0.4, "lognormal"), (0.3, 0.2, 0.45, "gamma")):
        assert not impossible(*possible)
    assert not impossible(0.305, 0.2, 0.4, "normal")
    assert "midway between" in impossible(0.32, 0.2, 0.4, "normal")
    assert "midway in ratio between low and high, at 0.2" in impossible(0.24, 0.1, 0.4, "lognormal")
    assert "above 0" in impossible(0.3, 0.0, 0.4, "lognormal")
    assert "above 0" in impossible(0.0, -0.1, 0.4, "gamma")
    assert "inside 0 and 1" in impossible(1.2, 0.9, 1.4, "beta")
    assert not impossible(0.3, 0.3, 0.3, "beta")
