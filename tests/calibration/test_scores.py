"""Scores of forecasts against closed forms."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from pharmsim.calibration import scores
from pharmsim.calibration.scores import Forecast

POINTS = (np.arange(4000) + 0.5) / 4000


def of_normal(y: float, mean: float, sd: float) -> float:
    """Closed form of Gneiting and Raftery 2007, equation 21 (with the sign turned)."""
    z = (y - mean) / sd
    return sd * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / np.sqrt(np.pi))


@pytest.mark.parametrize(("mean", "sd", "y"), [(0, 1, 0), (0, 1, 2.5), (65000, 900, 61136), (3, 0.5, 2.7)])
def test_score_of_a_normal_forecast(mean: float, sd: float, y: float) -> None:
    draws = norm.ppf(POINTS, mean, sd)
    assert scores.crps(draws, y) == pytest.approx(of_normal(y, mean, sd), rel=1e-3)
    assert scores.crps(np.random.default_rng(1).permutation(draws), y) == scores.crps(draws, y)
    quantiles = np.quantile(draws, scores.LEVELS)
    assert scores.crps_of_quantiles(quantiles, y) == pytest.approx(of_normal(y, mean, sd), rel=0.08)
    assert scores.crps(draws * 1.05, y) != pytest.approx(of_normal(y, mean, sd), rel=1e-3)


def test_score_is_that_of_all_pairs() -> None:
    x = np.array([3.0, -1.0, 7.0, 2.5])
    pairs = np.abs(x[:, None] - x[None, :]).mean()
    assert scores.crps(x, 2.0) == pytest.approx(np.abs(x - 2.0).mean() - pairs / 2, rel=1e-14)


def test_certain_forecast_scores_its_error() -> None:
    assert scores.crps(np.full(9, 5.0), 7.0) == pytest.approx(2.0, rel=1e-14)
    assert scores.crps_of_quantiles(np.full(19, 5.0), 7.0) == pytest.approx(2.0, rel=1e-14)


def test_rows_of_a_forecast() -> None:
    draws = np.column_stack([norm.ppf(POINTS, 100, 10), norm.ppf(POINTS, 100, 10)])
    first, second = scores.rows(Forecast(np.array([100.0, 100.0]), draws), np.array([108.0, 200.0]))
    assert first["p5"] == pytest.approx(100 - 1.645 * 10, abs=0.02)
    assert (first["inside_50"], first["inside_90"]) == (0.0, 1.0)  # 108 lies between 106.7 and 116.4
    assert (second["inside_50"], second["inside_90"], second["ape"], second["error"]) == (0, 0, 0.5, -0.5)
    bare = scores.rows(Forecast(np.array([100.0]), None), np.array([110.0]))[0]
    assert np.isnan([bare["p5"], bare["inside_90"], bare["crps"]]).all()
    assert bare["ape"] == pytest.approx(1 / 11)


def frame(own: list[float], rival: list[float]) -> pd.DataFrame:
    rows = [
        {"series": "s", "method": method, "origin": 2000 + i, "horizon": 1, "ape": ape, "crps": crps}
        | {"error": -ape, "inside_50": float(i % 2), "inside_90": 1.0}
        for method, apes in (("own", own), ("rival", rival))
        for i, ape in enumerate(apes)
        for crps in [np.nan if i == 0 and method == "rival" else 100 * ape]
    ]
    return pd.DataFrame(rows)


def test_duel_is_on_the_origins_that_both_have() -> None:
    forecasts = frame([0.01, 0.02, 0.03, 0.04, 0.05, 0.9], [0.02, 0.03, 0.04, 0.05, 0.06])
    duel = scores.duels(forecasts, "own").iloc[0]
    assert (duel.rival, duel.origins_ape, duel.verdict_ape) == ("rival", 5, "better")
    assert duel.own_ape == pytest.approx(0.03)
    assert duel.rival_ape == pytest.approx(0.04)
    assert (duel.origins_crps, duel.verdict_crps) == (4, "no claim")  # the rival's first has no distribution
    turned = scores.duels(frame([0.5] * 5, [0.1] * 5), "own").iloc[0]
    assert turned.verdict_ape == "worse"


def test_nothing_is_claimed_from_fewer_than_five_origins() -> None:
    assert scores.verdict(4, 0.0, 1.0) == "no claim"
    assert scores.verdict(5, 0.0, 1.0) == "better"
    assert scores.verdict(5, 1.0, 0.94) == "worse"
    assert scores.verdict(5, 0.96, 1.0) == scores.verdict(5, 1.0, 0.96) == "alike"


def test_table_counts_origins() -> None:
    table = scores.table(frame([0.01, 0.03], [0.02, 0.04])).set_index("method")
    assert table.loc["own", "mape"] == pytest.approx(0.02)
    assert table.loc["own", "bias"] == pytest.approx(-0.02)
    assert table.loc["rival", "origins"] == 2
    assert table.loc["rival", "with_intervals"] == 1
    assert table.loc["own", "coverage_50"] == 0.5
    assert table.loc["own", "coverage_90"] == 1.0
