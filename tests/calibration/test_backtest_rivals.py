"""Simple forecasts against published figures and closed forms."""

import numpy as np
import pytest
from scipy.stats import linregress, t

from pharmsim.calibration.rivals import RIVALS, Rival, cagr, exponential_smoothing, linear_trend, persistence

ENGLAND = np.array([45857, 46952, 48319, 47696, 51435, 52773, 54387, 55651.0])
"""Pharmacists on the register, England, 31 March 2018 to 2025 (GPhC registers data)."""
YEARS = np.arange(2018.0, 2026.0)


def misses(rival: Rival) -> list[tuple[int, float]]:
    """Origins and mean absolute error in per cent at 1 to 4 years, from three values seen onwards."""
    out = []
    for ahead in (1, 2, 3, 4):
        errors = []
        for n in range(3, len(ENGLAND) + 1 - ahead):
            forecast = rival(YEARS[:n], ENGLAND[:n], YEARS[n - 1 + ahead : n + ahead])
            assert forecast is not None
            errors.append(abs(forecast.point[0] / ENGLAND[n - 1 + ahead] - 1))
        out.append((len(errors), round(100 * float(np.mean(errors)), 2)))
    return out


def test_growth_misses_pharmacists_of_england_as_stated() -> None:
    assert misses(cagr) == [(5, 2.22), (4, 2.18), (3, 3.50), (2, 5.52)]
    assert misses(persistence) == [(5, 3.27), (4, 6.57), (3, 9.44), (2, 12.73)]
    assert misses(linear_trend) == [(5, 2.56), (4, 2.88), (3, 4.00), (2, 5.28)]


def test_growth_of_four_years_misses_the_register_of_2025() -> None:
    forecast = cagr(YEARS[:4], ENGLAND[:4], YEARS[7:])
    assert forecast is not None
    assert forecast.point[0] == pytest.approx(50263, abs=1)
    assert forecast.point[0] / ENGLAND[7] - 1 == pytest.approx(-0.097, abs=5e-4)


def test_random_walks() -> None:
    rng = np.random.default_rng(3)
    times = np.array([2000.0, 2004.0, *range(2005, 2020)])
    log = np.cumsum(rng.normal(0.02 * np.diff(times, prepend=2000.0), 0.01))
    for rival, n in ((persistence, 16), (cagr, 15)):
        forecast = rival(times, np.exp(log), times[-1] + np.array([1.0, 4.0]))
        assert forecast is not None
        assert forecast.draws is not None
        dt, steps = np.diff(times), np.diff(log)
        drift = 0.0 if rival is persistence else (log[-1] - log[0]) / 19
        s2 = ((steps - drift * dt) ** 2 / dt).sum() / n
        more = np.array([0.0, 0.0]) if rival is persistence else np.array([1, 16.0]) / 19
        expected = np.sqrt(s2 * (np.array([1, 4.0]) + more))
        assert np.std(np.log(forecast.draws), axis=0) == pytest.approx(expected, rel=3e-3)
        assert np.log(forecast.point) == pytest.approx(log[-1] + drift * np.array([1, 4]), abs=1e-12)


def test_trend_is_least_squares() -> None:
    y = ENGLAND[:6]
    fit = linregress(YEARS[:6], y)
    forecast = linear_trend(YEARS[:6], y, np.array([2025.0]))
    assert forecast is not None
    assert forecast.draws is not None
    assert forecast.point[0] == pytest.approx(fit.intercept + fit.slope * 2025, rel=1e-12)
    s2 = ((y - fit.intercept - fit.slope * YEARS[:6]) ** 2).sum() / 4
    spread = np.sqrt(s2 * (1 + 1 / 6 + (2025 - 2020.5) ** 2 / 17.5))
    low, high = np.quantile(forecast.draws[:, 0], [0.05, 0.95])
    assert high - low == pytest.approx(2 * t.ppf(0.95, 4) * spread, rel=0.01)


def test_smoothing_of_a_straight_line_carries_it_on() -> None:
    times = np.array([2011.0, *range(2018, 2026)])
    noise = np.random.default_rng(1).normal(0, 1e-4, 9)
    forecast = exponential_smoothing(times, np.exp(10 + 0.02 * (times - 2011) + noise), np.array([2029.0]))
    assert forecast is not None
    assert forecast.draws is not None
    assert np.log(forecast.point[0]) == pytest.approx(10 + 0.02 * 18, abs=1e-3)
    assert 0.0 < np.std(np.log(forecast.draws)) < 1e-3


def test_smoothing_follows_a_level_that_jumps() -> None:
    values = np.exp([0.0, 0.02, 0.04, 0.06, 0.28, 0.30, 0.32, 0.34])
    forecast = exponential_smoothing(YEARS, values, np.array([2026.0, 2028.0]))
    assert forecast is not None
    assert forecast.draws is not None
    assert np.log(forecast.point[0]) == pytest.approx(0.36, abs=0.01)
    wide = np.std(np.log(forecast.draws), axis=0)
    assert wide[1] > wide[0] > 0.03


@pytest.mark.parametrize("name", RIVALS)
def test_too_few_data_give_no_distribution_or_no_forecast(name: str) -> None:
    one = RIVALS[name](YEARS[:1], ENGLAND[:1], YEARS[1:3])
    assert (one is not None) == (name == "persistence")
    two = RIVALS[name](YEARS[:2], ENGLAND[:2], YEARS[2:4])
    assert (two is None) == (name == "exponential smoothing")
    four = RIVALS[name](YEARS[:4], ENGLAND[:4], YEARS[4:6])  # two values for two weights are no fit
    assert (four is None) == (name == "exponential smoothing")
    six = RIVALS[name](YEARS[:6], ENGLAND[:6], YEARS[6:])
    assert six is not None
    assert six.draws is not None
    assert six.draws.shape[1] == len(six.point) == 2
