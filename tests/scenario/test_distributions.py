"""Distributions: quantiles against scipy's, ends, and ranges that no distribution has."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from pharmsim.scenario.distributions import NORMAL_95, quantile

U = (np.arange(1000) + 0.5) / 1000
LOW, CENTRAL, HIGH = 0.2, 0.3, 0.45
SD = (HIGH - LOW) / (2 * NORMAL_95)
EXPECTED = {
    "pert": stats.beta(1 + 4 * 0.1 / 0.25, 1 + 4 * 0.15 / 0.25, LOW, 0.25),
    "triangular": stats.triang(0.4, LOW, 0.25),
    "uniform": stats.uniform(LOW, 0.25),
    "normal": stats.norm(CENTRAL, SD),
    "lognormal": stats.lognorm(np.log(HIGH / LOW) / (2 * NORMAL_95), scale=CENTRAL),
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
