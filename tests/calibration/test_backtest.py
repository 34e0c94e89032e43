"""Rolling origin on numbers that the model made itself: nothing of later years is used."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import made_backtest as made
import numpy as np
import pandas as pd
import pytest
import small_calibration

from pharmsim.calibration import backtest as bt
from pharmsim.calibration import scores
from pharmsim.calibration.file import load_calibration
from pharmsim.calibration.importance import posterior_draws
from pharmsim.calibration.origins import BacktestForm, Judged, as_known, read_form
from pharmsim.calibration.problem import Problem
from pharmsim.errors import InputError, ScenarioError
from pharmsim.report import backtest_files, backtest_text

Array = np.ndarray


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> dict[int, float]:
    return made.published(tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="module")
def said() -> list[str]:
    """What the back-test says while it runs."""
    return []


@pytest.fixture(scope="module")
def found(values: dict[int, float], tmp_path_factory: pytest.TempPathFactory, said: list[str]) -> bt.Backtest:
    folder = tmp_path_factory.mktemp("backtest")
    return bt.backtest(load_calibration(made.write(folder, values)), threads=1, say=said.append)


def test_forecasts_of_a_true_model_are_right(found: bt.Backtest) -> None:
    own = found.forecasts[found.forecasts["method"] == bt.OWN]
    late = own[own["origin"] >= date(made.STEP + 1, 3, 31)]
    assert len(late) == 3  # two at one year, one at two
    assert late["ape"].max() < 0.01
    assert late["inside_90"].mean() > 0.5
    early = own[own["origin"] == date(made.STEP, 3, 31)]
    assert early["ape"].max() > 0.03, "the step was known before it was"
    assert (early["error"] < 0).all()


def test_progress_counts_in_plain_words(found: bt.Backtest, said: list[str]) -> None:
    assert len(said) == len(found.fits)
    assert said[1].startswith("2027-03-31: 1 target, 2 parameters, k 0.")


def test_origins_and_rivals(found: bt.Backtest) -> None:
    assert [str(origin) for origin in found.fits["origin"]] == [
        f"{year}-03-31" for year in range(made.FIRST, made.LAST)
    ]
    assert list(found.fits["counted"]) == list(range(made.LAST - made.FIRST))
    assert found.fits["k"].isna().tolist() == [True] + [False] * 5  # at the start nothing was fitted
    table = found.table.set_index(["method", "horizon"])
    assert table.loc[("persistence", 1), "origins"] == 6
    assert table.loc[("CAGR", 2), "origins"] == 5  # the figure of long ago: two values at the first origin
    assert table.loc[("exponential smoothing", 1), "origins"] == 3  # three values for two weights
    course = found.courses[0]
    assert [target.series for target in course.targets][:2] == ["long_ago", "heads"]  # not that of 2027
    duel = found.duels.set_index(["rival", "horizon"])
    assert duel.loc[("linear trend", 2), "origins_crps"] == 3  # from four values on
    assert duel.loc[("persistence", 2), "verdict_ape"] == "better"
    assert duel.loc[("exponential smoothing", 1), "verdict_ape"] == "no claim"


def test_nothing_later_is_used(found: bt.Backtest, values: dict[int, float], tmp_path: Path) -> None:
    """Other figures after an origin change no forecast from it, and none of the simple ones."""
    other = {year: value * (1.3 if year > 2028 else 1.0) for year, value in values.items()}
    path = made.write(tmp_path, other, made.BACKTEST | {"origins": ["2028-03-31", "2029-03-31"]})
    again = bt.backtest(load_calibration(path), threads=1).forecasts
    for year, same in ((2028, True), (2029, False)):
        one, two = (
            frame[frame["origin"] == date(year, 3, 31)][["method", "date", "forecast", "p5", "p95"]]
            for frame in (found.forecasts, again)
        )
        assert len(one) >= 8
        assert one.reset_index(drop=True).equals(two.reset_index(drop=True)) == same


def form(folder: Path, **changes: Any) -> Any:
    path = made.write(folder, dict.fromkeys(range(made.FIRST, made.LAST + 1), 500.0), made.BACKTEST | changes)
    return load_calibration(path)


def points(scenario: Any) -> dict[str, float]:
    return {day: value.value for day, value in scenario.hiring.sources[0].over_time.points.items()}


def test_inputs_known_later_are_taken_back(tmp_path: Path) -> None:
    calibration = form(tmp_path)
    read = read_form(calibration.backtest, calibration.file)
    assert points(as_known(calibration.scenario, read, date(2029, 12, 31)))["2029-04"] == 1.0
    assert points(as_known(calibration.scenario, read, date(2030, 1, 1)))["2029-04"] == 2.0


def test_series_are_cut(tmp_path: Path) -> None:
    cut = {"set": "hiring.sources.elsewhere.over_time", "months": 12, "why": "published a year later"}
    calibration = form(tmp_path, known_later=[cut])
    read = read_form(calibration.backtest, calibration.file)
    known = [
        list(points(as_known(calibration.scenario, read, date(*day))))
        for day in ((2027, 3, 31), (2030, 1, 31), (2030, 3, 31))
    ]
    assert known == [["2026-04"], ["2026-04"], ["2026-04", "2029-03", "2029-04"]]
    nothing = "nothing of hiring.sources.elsewhere.over_time was known on 2027-01-31"
    with pytest.raises(InputError, match=nothing):
        as_known(calibration.scenario, read, date(2027, 1, 31))


def test_a_name_of_years_to_come_is_drawn(tmp_path: Path) -> None:
    new = {"value": 1, "low": 0.5, "high": 1.5, "uncertainty": "to_come", **small_calibration.SOURCE}
    later = made.BACKTEST["known_later"][0] | {"to": {"2029-04": new}}
    calibration = form(tmp_path, known_later=[later], drawn=["to_come"])
    read = read_form(calibration.backtest, calibration.file)
    assert bt.known_at(calibration, read, date(2028, 3, 31)).names == ("leaving", "supply", "to_come")
    assert bt.known_at(calibration, read, date(2031, 3, 31)).names == ("leaving", "supply")
    missing = form(tmp_path, known_later=[later], drawn=["to_com"])
    with pytest.raises(InputError, match="got to_com — correct the name"):
        bt.backtest(missing)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"series": []}, r"series: must .*"),
        ({"horizon": [1]}, "horizon: unknown key. Closest: horizons"),
        ({"series": [{"observation": "hats"}]}, "got hats — write one of heads"),
        ({"series": [{"observation": "heads", "earlier": ["x"]}]}, "must be series of .* — got x"),
        ({"horizons": [20]}, "must have an origin"),
        ({"origins": ["2028-03-31", "2028-04-01"]}, "must be dates of a judged series .* got 2028-04-01 —"),
        ({"origins": ["2032-03-31"]}, "must be dates of a judged series .* got 2032-03-31 —"),
        ({"known_later": [{"set": "hiring.nowhere", "months": 1, "why": "x"}]}, "must lead to an input"),
        ({"known_later": [{"set": "end", "months": 1, "why": "x"}]}, "must be a series over time"),
        ({"known_later": [{"set": "end", "why": "x"}]}, "either `months`, or `to` and `before`"),
    ],
)
def test_mistakes_are_told_before_anything_runs(tmp_path: Path, changes: Any, message: str) -> None:
    with pytest.raises((InputError, ScenarioError), match=message):
        bt.backtest(form(tmp_path, **changes))


def test_a_file_without_the_section_is_told_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        bt.backtest(replace(form(tmp_path), backtest={}))
    assert caught.value.exit_code == 2
    (problem,) = caught.value.problems
    assert problem.where == "backtest"
    for words in ("the file has no such section", "`backtest: {series: [{observation: …}]}`", "calibrate.md"):
        assert words in problem.message
    guide = (Path(__file__).parents[2] / "docs/guides/calibrate.md").read_text(encoding="utf-8")
    assert "\n## The back-test\n" in guide
    for key in (*BacktestForm.model_fields, *Judged.model_fields, "set", "months", "to", "before", "why"):
        assert f"`{key}`" in guide, f"the guide does not tell of {key}"


def test_an_earlier_posterior_is_no_beginning(tmp_path: Path) -> None:
    calibration = form(tmp_path)
    with pytest.raises(InputError, match="must begin from ranges — it begins from an earlier posterior"):
        bt.backtest(replace(calibration, mean=calibration.mean + 0.1))


def test_importance_draws_are_of_the_posterior() -> None:
    """A linear model with normal errors, whose posterior is known; and one that is not normal."""
    rng = np.random.default_rng(5)
    design = rng.normal(size=(6, 3))
    observed = design @ np.array([0.5, -1.0, 0.2]) + 0.3 * rng.normal(size=6)
    problem = Problem.of(lambda z: z @ design.T, observed, ["a", "b", "c"], 0.3)
    covariance = np.linalg.inv(np.eye(3) + design.T @ design / 0.09)
    mean = covariance @ design.T @ observed / 0.09
    z, k = posterior_draws(problem, 2000, 3)
    assert k < 0.7
    sd = np.sqrt(np.diag(covariance))
    assert np.abs((z.mean(axis=0) - mean) / sd).max() < 0.1
    assert z.std(axis=0) == pytest.approx(sd, rel=0.08)
    skew = Problem.of(lambda z: np.exp(z), np.array([3.0]), ["a"], 1.5)
    grid = np.linspace(-4, 4, 4001)[:, None]
    weight = np.exp(skew.log_density(grid))
    z, k = posterior_draws(skew, 2000, 3)
    assert k < 0.7
    assert z.mean() == pytest.approx(float((grid[:, 0] * weight).sum() / weight.sum()), abs=0.05)
    assert np.array_equal(z, posterior_draws(skew, 2000, 3)[0])


def test_page_and_files(found: bt.Backtest, tmp_path: Path) -> None:
    folder = backtest_files.write(found, tmp_path / "out")
    assert {path.name for path in folder.iterdir()} == {
        "backtest.md", "forecasts.csv", "scores.csv", "duels.csv", "origins.csv", "figures", "manifest.json"
    }  # fmt: skip
    assert {path.name for path in (folder / "figures").iterdir()} == {"backtest.png", "backtest.svg"}
    text = (folder / "backtest.md").read_text(encoding="utf-8")
    words = " ".join(text.split())
    assert (
        "6 origins, 2026-03-31 to 2031-03-31; what came is known for 6 at 1 year and 5 at 2 years." in words
    )
    assert "`hiring.sources.elsewhere.over_time`: nobody knew of the step." in words
    assert "better than persistence (" in words
    row = next(line for line in text.splitlines() if line.startswith("| persistence | 6 / 5 |"))
    error = found.table.set_index(["method", "horizon"])["mape"]
    assert f"| {100 * error['persistence', 1]:.1f} / {100 * error['persistence', 2]:.1f} |" in row
    assert max(len(line) for line in text.splitlines() if not line.startswith("|")) <= backtest_text.WIDTH


def test_words_follow_the_numbers(found: bt.Backtest) -> None:
    """Turned round, the page says where pharmsim loses; with few origins, that nothing is claimed."""
    turned = found.forecasts.replace({"method": {bt.OWN: "persistence", "persistence": bt.OWN}})
    lost = replace(found, forecasts=turned, table=scores.table(turned), duels=scores.duels(turned, bt.OWN))
    assert any("**worse** than" in line and "persistence (" in line for line in backtest_text.short(lost))
    turned = found.forecasts[
        (found.forecasts["method"] == bt.OWN) | (found.forecasts["origin"] > date(2026, 3, 31))
    ]
    fewer = replace(found, forecasts=turned, table=scores.table(turned), duels=scores.duels(turned, bt.OWN))
    duel = fewer.duels.set_index(["rival", "horizon"]).loc[("persistence", 1)]
    own, rival = (backtest_text.percent(float(duel[f"{one}_ape"])) for one in ("own", "rival"))
    assert f"persistence ({rival} against {own} on 5 origins)" in backtest_text.short(fewer)[0]
    turned = lost.forecasts
    few = turned[turned["origin"] > date(2028, 3, 31)]
    lost = replace(found, forecasts=few, table=scores.table(few), duels=scores.duels(few, bt.OWN))
    said = " ".join(backtest_text.short(lost))
    assert "worse" not in said
    assert "At 1 (3) and 2 (2) years there are fewer than 5 origins" in said
    assert "There the mean absolute error of these is below pharmsim's: persistence" in said
    assert "too few origins to judge the intervals" in said
    more = [lost.duels, *(lost.duels[lost.duels["horizon"] == 2].assign(horizon=n) for n in (3, 4))]
    said = " ".join(backtest_text.short(replace(lost, duels=pd.concat(more))))
    assert "persistence (Heads: 1, 2, 3 and 4)" in said
