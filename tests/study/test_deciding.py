"""How sure a choice is: value of information, robustness and failing futures, against what is known."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import pharmsim
from made import made, post
from pharmsim.compiled.draws import sample
from pharmsim.compiled.sobol import scrambled
from pharmsim.errors import ScenarioError
from pharmsim.scenario.uncertainties import Correlated, Uncertainties
from pharmsim.study.comparing.comparison import Comparison, compare
from pharmsim.study.deciding.decide import BASE, decided
from pharmsim.study.deciding.futures import Rule, futures
from pharmsim.study.deciding.information import main_effects, partial, perfect
from pharmsim.study.deciding.inputs import inputs, together
from pharmsim.study.deciding.objectives import objectives, read_all
from pharmsim.study.deciding.robustness import regret, robustness, shares_of_best
from pharmsim.study.solving.targets import Target

ROOT = Path(__file__).parents[2]
N = 1024


def expected_gain(mean: float, deviation: float) -> float:
    """E max(0, X) − max(0, E X) of a normal X: what knowing it is worth for the choice between it and 0."""
    at = mean / deviation
    return float(mean * norm.cdf(at) + deviation * norm.pdf(at) - max(mean, 0.0))


def within(contributions: np.ndarray, known: float, errors: float = 4.0) -> bool:
    error = contributions.std() / np.sqrt(len(contributions))
    return bool(abs(contributions.mean() - known) < errors * error)


# -- value of information -----------------------------------------------------------------------------------


@pytest.mark.parametrize("mean", [0.0, 0.4, -0.4])
def test_two_choices_that_are_linear_in_normal_inputs(mean: float) -> None:
    z = np.random.default_rng(1).standard_normal((N, 12))
    gain = mean + 0.6 * z[:, 0] + 0.3 * z[:, 1]
    gains = np.stack([np.zeros(N), gain], axis=1)
    assert within(perfect(gains), expected_gain(mean, np.hypot(0.6, 0.3)))
    found = partial(gains, list(norm.cdf(z).T))
    assert within(found[:, 0], expected_gain(mean, 0.6))
    assert within(found[:, 1], expected_gain(mean, 0.3))
    # ten inputs that tell nothing: worth nothing, and as often below as above it
    assert np.abs(found[:, 2:].mean(axis=0)).max() < 0.02
    assert found[:, 0].mean() == pytest.approx(expected_gain(mean, 0.6), abs=0.025)


def test_inputs_that_tell_nothing_are_worth_nothing_with_few_draws() -> None:
    rng = np.random.default_rng(2)
    means = []
    for _ in range(20):
        gains = np.stack([np.zeros(100), rng.standard_normal(100)], axis=1)
        means.append(partial(gains, list(rng.random((15, 100)))).mean(axis=0))
    # least squares without guard would give 0.04 on average, all of it above 0
    assert abs(np.mean(means)) < 0.01
    assert np.mean(np.array(means) > 0.0) < 0.35


def test_an_input_that_decides_everything_is_worth_as_much_as_everything() -> None:
    u = np.random.default_rng(3).random((N, 2))
    gains = np.stack([np.zeros(N), u[:, 0] - 0.5, 0.3 - u[:, 0]], axis=1)
    assert partial(gains, list(u.T))[:, 0].mean() == pytest.approx(perfect(gains).mean(), rel=0.01)


def test_inputs_that_are_drawn_together_are_known_together() -> None:
    u = np.random.default_rng(4).random((N, 3))
    gains = np.stack([np.zeros(N), u[:, 0] - u[:, 1]], axis=1)
    pair, none = partial(gains, [u[:, :2], u[:, 2]]).mean(axis=0)
    one = partial(gains, list(u.T)).mean(axis=0)[0]
    assert pair == pytest.approx(perfect(gains).mean(), rel=0.05)
    assert one == pytest.approx(1.0 / 8.0, rel=0.1)  # half of the mean of |u − ½|
    assert abs(none) < 0.01


def test_what_two_inputs_known_together_do_only_together_is_seen() -> None:
    u = scrambled([f"input {i}" for i in range(12)], N, 1)
    gains = np.stack([np.zeros(N), 4.0 * (u[:, 0] - 0.5) * (u[:, 1] - 0.5)], axis=1)
    groups = [u[:, :2], *u[:, 2:].T]
    assert partial(gains, groups)[:, 0].mean() == pytest.approx(0.125, rel=0.02)
    few = partial(gains[:128], [each[:128] for each in groups])[:, 0].mean()
    assert few == pytest.approx(0.125, rel=0.2)


def test_many_inputs_known_together_leave_their_products_out() -> None:
    u = np.random.default_rng(15).random((60, 12))
    gains = np.stack([np.zeros(60), u[:, 0] - 0.5], axis=1)
    assert np.isfinite(partial(gains, [u])).all()


@pytest.mark.parametrize(
    ("levels", "shares"),
    [((-1.0, 8.0), (0.9, 0.1)), ((-8.0, 1.0, -1.5), (0.1, 0.8, 0.1)), ((2.0, -3.0, 2.0, -1.0), (0.25,) * 4)],
)
def test_an_input_of_few_values_is_worth_what_they_say(
    levels: tuple[float, ...], shares: tuple[float, ...]
) -> None:
    u = scrambled([f"input {i}" for i in range(20)], N, 1)
    which = np.searchsorted(np.cumsum(shares)[:-1], u[:, 2])
    gains = np.stack([np.zeros(N), np.array(levels)[which] + 0.3 * norm.ppf(u[:, 4])], axis=1)
    known = np.dot(np.maximum(levels, 0.0), shares) - max(np.dot(levels, shares), 0.0)
    found = partial(gains, [which if i == 2 else u[:, i] for i in range(20)])
    assert found[:, 2].mean() == pytest.approx(known, rel=0.03)
    assert np.abs(found.mean(axis=0)[5:]).max() < 0.01


def test_an_input_that_is_the_same_in_all_draws_tells_nothing() -> None:
    u = np.random.default_rng(16).random((200, 1))
    gains = np.stack([np.zeros(200), u[:, 0] - 0.5], axis=1)
    same, twice = partial(gains, [np.ones(200), np.hstack([u, u])]).mean(axis=0)
    assert same == 0.0
    assert twice == pytest.approx(perfect(gains).mean(), rel=0.02)


def test_inputs_that_look_alike_in_these_draws_are_told_apart() -> None:
    rng = np.random.default_rng(5)
    u = rng.random((200, 6))
    u[:, 1] = (u[:, 1] + u[:, 0]) / 2.0  # does nothing, but is high where the first is
    gains = np.stack([np.zeros(200), u[:, 0] - 0.5 + 0.05 * rng.standard_normal(200)], axis=1)
    found = partial(gains, list(u.T)).mean(axis=0)
    assert found[0] == pytest.approx(1.0 / 8.0, rel=0.15)
    assert found[1] < 0.02


def test_nothing_is_worth_knowing_where_one_choice_is_always_best() -> None:
    u = np.random.default_rng(6).random((200, 3))
    gains = np.stack([np.zeros(200), 0.1 + u[:, 0]], axis=1)
    assert not perfect(gains).any()
    assert not partial(gains, list(u.T)).any()


def test_main_effects_of_equal_choices_are_none() -> None:
    assert main_effects(np.zeros((50, 3)), [np.random.default_rng(7).random((50, 3))]) == {}


@pytest.mark.verify
def test_intervals_of_what_an_input_is_worth_hold_it() -> None:
    k, weights = 40, np.array([0.6, 0.3, 0.3, 0.2, *[0.15] * 12])
    held = []
    for seed in range(30):
        z = norm.ppf(scrambled([f"input {i}" for i in range(k)], 256, seed))
        gains = np.stack([np.zeros(256), z[:, : len(weights)] @ weights], axis=1)
        found = partial(gains, list(norm.cdf(z).T), seed)[:, : len(weights)]
        error = found.std(axis=0) / 16.0
        known = [expected_gain(0.0, weight) for weight in weights]
        held.append(np.abs(found.mean(axis=0) - known) < 1.645 * error)
    assert np.mean(held) > 0.85


# -- robustness ---------------------------------------------------------------------------------------------

TABLE = np.array([[0.0, 2.0, 2.0], [0.0, -1.0, -4.0], [0.0, 3.0, 1.0], [0.0, 0.0, -2.0]])


def test_robustness_by_hand() -> None:
    assert shares_of_best(TABLE).tolist() == [[0.0, 0.5, 0.5], [1.0, 0, 0], [0, 1.0, 0], [0.5, 0.5, 0]]
    assert regret(TABLE).tolist() == [[2.0, 0, 0], [0, 1.0, 4.0], [3.0, 0, 2.0], [0, 0, 2.0]]
    found = robustness(TABLE, TABLE < 0.0)
    assert found["p_best"].tolist() == [0.375, 0.5, 0.125]
    assert found["mean_gain"].tolist() == [0.0, 1.0, -0.75]
    assert found["p5_gain"][1] == pytest.approx(-0.85)
    assert found["p95_gain"][1] == pytest.approx(2.85)
    assert found["mean_regret"].tolist() == [1.25, 0.25, 2.0]
    assert found["p95_regret"][1] == pytest.approx(0.85)
    assert found["p_fails"].tolist() == [0.0, 0.25, 0.5]
    for name in ("p_best", "mean_gain", "mean_regret", "p95_regret", "p_fails"):
        assert (found[f"{name}_low"] <= found[name]).all()
        assert (found[name] <= found[f"{name}_high"]).all()


def test_perfect_information_is_worth_the_regret_of_the_best_choice() -> None:
    gains = np.random.default_rng(8).normal([0.0, 0.1, 0.3, -0.2], 1.0, (300, 4))
    assert perfect(gains).mean() == pytest.approx(robustness(gains, gains < 0.0)["mean_regret"].min())


def test_intervals_hold_the_mean_as_often_as_they_say() -> None:
    rng = np.random.default_rng(9)
    held = []
    for seed in range(100):
        gains = np.stack([np.zeros(60), rng.normal(0.2, 1.0, 60)], axis=1)
        found = robustness(gains, gains < 0.0, seed)
        held.append(found["mean_gain_low"][1] < 0.2 < found["mean_gain_high"][1])
    assert 0.8 < np.mean(held) < 0.98


# -- failing futures ----------------------------------------------------------------------------------------


def test_a_box_of_failing_futures_is_found() -> None:
    u = np.random.default_rng(10).random((800, 8))
    fails = (u[:, 2] > 0.7) & (u[:, 5] < 0.5)
    found = futures(fails, u)
    assert found.density > 0.9
    rule = found.rules[0]
    limits = {side.input: (side.low, side.high) for side in rule.conditions}
    assert limits[2] == (pytest.approx(0.7, abs=0.03), np.inf)
    assert limits[5] == (-np.inf, pytest.approx(0.5, abs=0.03))
    assert rule.density > 0.95
    assert rule.coverage > 0.9
    assert rule.n == pytest.approx(fails.sum(), rel=0.1)


def test_futures_that_fail_at_random_have_no_rule() -> None:
    rng = np.random.default_rng(11)
    assert not any(futures(rng.random(300) < 0.3, rng.random((300, 40)), seed).rules for seed in range(8))


def test_what_rules_do_on_draws_not_seen_is_not_made_to_look_better() -> None:
    said, true = [], []
    for seed in range(12):
        u, fails = _seldom(seed, 256)
        found = futures(fails, u, seed)
        if found.rules:
            said.append(found.density)
            fresh, failed = _seldom(seed + 1000, 8192)
            true.append(failed[_named(found.rules, fresh)].mean())
    assert len(said) > 3
    assert np.mean(said) == pytest.approx(np.mean(true), abs=0.05)


def _seldom(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Draws that fail seldom, more often where one input is high."""
    rng = np.random.default_rng(seed)
    u = rng.random((n, 60))
    return u, rng.random(n) < 0.1 + 0.3 * (u[:, 3] > 0.7)


def _named(rules: Sequence[Rule], u: np.ndarray) -> np.ndarray:
    each = [
        [(u[:, side.input] > side.low) & (u[:, side.input] <= side.high) for side in rule.conditions]
        for rule in rules
    ]
    return np.any([np.all(sides, axis=0) for sides in each], axis=0)


def test_who_looks_often_must_see_more() -> None:
    u, fails = _seldom(1, 256)
    assert futures(fails, u, 1).rules
    assert not futures(fails, u, 1, sought=10**9).rules


def test_hardly_any_failure_has_no_rule() -> None:
    u = np.random.default_rng(12).random((300, 2))
    assert futures(u[:, 0] > 0.98, u).rules == ()
    assert futures(np.zeros(300, dtype=bool), u).rules == ()
    assert futures(np.ones(300, dtype=bool), u).rules == ()


# -- a comparison -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def compared() -> Comparison:
    scenarios = ROOT / "scenarios"
    base = pharmsim.load(scenarios / "small_system.yaml")
    half = base.model_copy(update={"name": "Same again"})
    return compare(base, [half], draws=20)


def test_equal_scenarios_are_an_equal_choice(compared: Comparison) -> None:
    tables = decided(compared).tables
    choice = tables["choice"]
    assert choice["scenario"].tolist()[:2] == [BASE, "Same again"]
    assert (choice["p_best"] == 0.5).all()
    assert not choice[["mean_gain", "mean_regret", "p95_regret", "p_fails"]].any(axis=None)
    assert not tables["value_of_information"]["value"].any()
    assert "failing_futures" not in tables


def test_money_is_worth_what_cover_costs(compared: Comparison) -> None:
    time, worth = objectives(_with_gain(compared, 2.0, 100.0))
    assert time is not None
    assert worth is not None
    assert time.gains[:, 1] == pytest.approx(2.0)
    assert worth.gains[:, 1] == pytest.approx(2.0 * compared.base.price_of_cover - 100.0)
    assert (worth.unit, time.unit) == ("GBP", "FTE-years")


def _with_gain(compared: Comparison, years: float, cost: float) -> Comparison:
    """The same comparison with more delivered time, at a cost."""
    from dataclasses import replace

    other = compared.others[0]
    measures = dict(other.measures)
    for quantity, more in (("delivered_fte", years), ("total_cost", cost)):
        key = (quantity, "", "cumulated")
        cells = {cell: numbers + more for cell, numbers in measures[key].cells.items()}
        measures[key] = replace(measures[key], cells=cells)
    return replace(compared, others=(replace(other, measures=measures),))


def test_the_better_scenario_is_best_in_all_draws(compared: Comparison) -> None:
    found = decided(_with_gain(compared, 2.0, 0.0)).tables
    choice = found["choice"].set_index(["objective", "scenario"])
    row = choice.loc[("delivered time", "Same again")]
    assert (row["p_best"], row["best_on_average"], row["mean_gain"]) == (1.0, True, pytest.approx(2.0))
    assert choice.loc[("delivered time", BASE), "mean_regret"] == pytest.approx(2.0)


def test_a_quantity_or_a_target_can_be_asked_for(compared: Comparison) -> None:
    scenario = compared.base.scenario
    role = next(iter(scenario.roles))
    level = next(iter(scenario.retention.levels)) if scenario.retention else ""
    asked = read_all([f"vacancy_rate 1 %, {role}", f"retention, {level}", "fte +1"], scenario)
    assert isinstance(asked[0], Target)
    assert (asked[0].roles, asked[1].level) == ((role,), level)
    rate, _, fte = objectives(compared, asked)
    assert rate is not None
    assert fte is not None
    key = ("vacancy_rate", "", "date")
    above = compared.base.measures[key].cells[role, "all"][:, -1] > 0.01
    assert rate.fails[:, 0].tolist() == above.tolist()
    assert rate.failing == "target missed: vacancy_rate 1 %"
    assert not fte.fails[:, 0].any()
    assert fte.fails[:, 1].all()  # one FTE more is asked; there is none
    tables = decided(compared, asked).tables
    assert tables["choice"]["objective"].nunique() == 3


def test_what_cannot_be_asked_for_is_told_all_at_once(compared: Comparison) -> None:
    with pytest.raises(ScenarioError) as error:
        read_all(["turnover", "fte, nobody", "vacancy_rate +1 %"], compared.base.scenario)
    text = str(error.value)
    for part in ("3 problems", "--objective", "must not be turnover", "got nobody", "has two readings"):
        assert part in text


def test_without_scikit_learn_one_line_names_the_extra(
    compared: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sklearn", None)
    assert decided(compared).warnings[-1].endswith("install pharmsim[sensitivity]")


def test_inputs_have_their_values_in_their_own_unit(compared: Comparison) -> None:
    scenario = compared.base.scenario
    known = inputs([scenario], compared.draws)
    assert [each.driver.name for each in known] == list(compared.draws.names)
    assert all(len(each.values) == 20 for each in known)
    for each in known:
        if not np.isnan(each.driver.low):
            slack = 0.5 * (each.driver.high - each.driver.low)
            assert each.values.min() >= each.driver.low - slack
            assert each.values.max() <= each.driver.high + slack
            assert np.ptp(each.values) > 0.0


def test_an_input_of_few_values_is_drawn_with_few_values() -> None:
    posts = [post("p"), post("q")]
    edges = [{"from": "p", "to": "q", "rate": {"value": 0.1, "choices": {0.1: 0.5, 0.2: 0.25, 0.4: 0.25}}}]
    scenario = made(12, posts, moves={"edges": edges})
    (found,) = inputs([scenario], sample(scenario, 64))
    assert np.unique(found.drawn) == pytest.approx([0.1, 0.2, 0.4])


def test_correlated_inputs_are_one(compared: Comparison) -> None:
    names = list(compared.draws.names)
    section = Uncertainties(correlated=(Correlated(of=(names[2], names[0]), matrix=((1, 0.5), (0.5, 1))),))
    scenario = compared.base.scenario.model_copy(update={"uncertainties": section})
    assert together([scenario], names)[:2] == [[0, 2], [1]]
    assert len(together([scenario], names)) == len(names) - 1


def test_a_rule_names_limits_in_the_unit_of_its_input(compared: Comparison) -> None:
    known = inputs([compared.base.scenario], compared.draws)
    values = np.random.default_rng(13).random((400, 1)) * np.ptp(known[0].values) + known[0].values.min()
    middle = float(np.median(values))
    (rule,) = futures(values[:, 0] > middle, values).rules
    said = known[0].side(rule.conditions[0])
    assert said.startswith(f"{known[0].driver.title} above ")


def test_large_numbers_have_no_exponent(compared: Comparison) -> None:
    known = inputs([compared.base.scenario], compared.draws)
    population = next(each for each in known if each.driver.unit == "activity")
    assert population.limit(560000.2) == "560,000 activity"


def test_without_draws_there_is_nothing_to_say() -> None:
    base = made()  # no number of it has a range
    none = compare(base, [base.model_copy(update={"name": "Same"})])
    assert decided(none) is none


def test_tables_have_a_row_for_every_choice_and_input(compared: Comparison) -> None:
    tables = decided(compared).tables
    voi = tables["value_of_information"]
    assert (voi.groupby("objective").size() == len(compared.draws.names) + 1).all()
    assert isinstance(tables["choice"], pd.DataFrame)
    assert tables["choice"].groupby("objective")["p_best"].sum().tolist() == pytest.approx([1.0, 1.0])
