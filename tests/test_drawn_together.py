"""Correlated groups, posteriors, and what draws make of a run that is linear in its inputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

import pharmsim
from made import by_post, made, month, post
from pharmsim.compiled.draws import Draws, dependent, sample
from pharmsim.compiled.together import groups
from pharmsim.errors import InputError, ScenarioError
from pharmsim.report.describe import describe
from pharmsim.scenario import check_warnings
from pharmsim.scenario.distributions import NORMAL_95
from pharmsim.scenario.models import Scenario

RATE: dict[str, Any] = {"value": 0.1, "low": 0.05, "high": 0.15}
NAMES = tuple(f"leaving.{name}.rate" for name in "abcd")
LEVER: dict[str, Any] = {
    "level": "system", "category": "retain", "outcome": {"measure": "leaver_rate", "direction": "down"},
}  # fmt: skip
MATRIX = [[1.0, 0.8, -0.3], [0.8, 1.0, 0.1], [-0.3, 0.1, 1.0]]


def four(rates: dict[str, Any] | None = None, folder: Path = Path(), **section: Any) -> Scenario:
    """Four destinations of leavers, each with its own uncertain rate."""
    dists = dict(zip("abcd", ("pert", "uniform", "gamma", "triangular"), strict=True))
    leaving = {name: {"rate": RATE | {"dist": dist}} for name, dist in dists.items()}
    leaving |= {name: {"rate": rate} for name, rate in (rates or {}).items()}
    data = {**pharmsim.to_dict(made(12)), "leaving": leaving}
    return pharmsim.from_dict(data | ({"uncertainties": section} if section else {}), folder)


def rows(numbers: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A number with its own range for every post named."""
    return {"rows": [{"where": {"post": post}, **number} for post, number in numbers.items()]}


def drawn(scenario: Scenario, table: Draws) -> np.ndarray:
    """Rates in every draw, shape (draws, destinations)."""
    rows = [flow.rate.terms[0].rows[0] for flow in scenario.leaving.values()]
    return np.stack([table.values(row) for row in rows], axis=1)


def ranks(values: np.ndarray) -> np.ndarray:
    return np.asarray(stats.spearmanr(values).statistic)


# -- correlated groups ---------------------------------------------------------------------------------


def test_correlations_are_those_asked_for() -> None:
    wanted = np.eye(4)
    wanted[:3, :3] = MATRIX
    scenario = four(correlated=[{"of": NAMES[:3], "matrix": MATRIX}])
    table = sample(scenario, 4096)
    assert ranks(drawn(scenario, table)[1:]) == pytest.approx(wanted, abs=0.02)
    wanted[:3, :3] = 0.6 + 0.4 * np.eye(3)
    scenario = four(correlated=[{"of": NAMES[2::-1], "correlation": 0.6}])
    assert ranks(drawn(scenario, sample(scenario, 4096))[1:]) == pytest.approx(wanted, abs=0.02)
    assert ranks(drawn(scenario, sample(four(), 4096))[1:]) == pytest.approx(np.eye(4), abs=0.02)
    assert np.isnan(table.u[0]).all()


def test_every_number_keeps_its_distribution() -> None:
    plain, scenario = four(), four(correlated=[{"of": NAMES[:3], "matrix": MATRIX}])
    one, other = (sample(s, 1024) for s in (plain, scenario))
    assert np.array_equal(
        one.u[1:, [0, 3]], other.u[1:, [0, 3]]
    )  # the first of the group, and who is in none
    assert not np.array_equal(one.u[1:, 1], other.u[1:, 1])
    assert all(stats.kstest(column, "uniform").statistic < 0.03 for column in other.u[1:].T)


def test_more_draws_and_other_scenarios_move_nothing() -> None:
    scenario = four(correlated=[{"of": NAMES[:3], "matrix": MATRIX}])
    few = sample(scenario, 7)
    more = four({"e": RATE}, correlated=[{"of": NAMES[:3], "matrix": MATRIX}])
    assert np.array_equal(few.u, sample((scenario, more), 1000).u[:8, :4], equal_nan=True)


def test_central_rows_stay_central_in_tables_of_ones_own() -> None:
    scenario = four(correlated=[{"of": NAMES[:3], "matrix": MATRIX}])
    table = np.full((2, 4), 0.5)
    table[0] = np.nan
    found = dependent(table, NAMES, [scenario])
    assert np.isnan(found[0]).all()
    assert found[1] == pytest.approx(0.5, rel=1e-12)
    assert groups(scenario) == [NAMES[:3]]


def test_a_member_that_only_another_scenario_spreads_moves_nothing_of_the_base() -> None:
    groups = [{"of": NAMES[:3], "matrix": MATRIX}]
    still = {"value": 0.1, "low": 0.1, "high": 0.1}
    base, other = four({"b": still}, correlated=groups), four(correlated=groups)
    alone, beside = sample(base, 64), sample([base, other], 64)
    for name in alone.names:
        np.testing.assert_array_equal(beside.probabilities(name), alone.probabilities(name))


def test_scenarios_that_correlate_otherwise_are_refused() -> None:
    scenario = four(correlated=[{"of": NAMES[:2], "correlation": 0.5}])
    for other in (four(), four(correlated=[{"of": NAMES[:2], "correlation": 0.4}])):
        with pytest.raises(InputError, match=r"must correlate leaving\.a\.rate, leaving\.b\.rate alike"):
            sample((scenario, other), 4)
    fixed = four({"a": 0.1})  # nothing to be correlated with
    assert sample((scenario, fixed), 4).names == NAMES


def test_a_change_may_fix_a_correlated_number(tmp_path: Path) -> None:
    import yaml

    data = pharmsim.to_dict(four(correlated=[{"of": NAMES[:2], "correlation": 0.5}]))
    (tmp_path / "base.yaml").write_text(yaml.safe_dump(data))
    change = {"base": "base.yaml", "name": "fixed", "changes": [{"set": "leaving.a.rate", "to": 0.1}]}
    (tmp_path / "what_if.yaml").write_text(yaml.safe_dump(change))
    base, fixed = (pharmsim.load(tmp_path / name) for name in ("base.yaml", "what_if.yaml"))
    assert [line for line in check_warnings(fixed) if "`leaving.a.rate` does not vary" in line]
    assert not [line for line in check_warnings(base) if "does not vary" in line]
    both = sample((base, fixed), 16)
    assert np.array_equal(drawn(fixed, both)[:, 1:], drawn(base, both)[:, 1:])


# -- posteriors ----------------------------------------------------------------------------------------


@pytest.fixture
def fit(tmp_path: Path) -> Path:
    z = np.random.default_rng(1).multivariate_normal([0.1, 0.2], [[4e-4, 3e-4], [3e-4, 4e-4]], 300)
    lines = [f"{a!r},{b!r}" for a, b in z.tolist()]
    (tmp_path / "fit.csv").write_text("\n".join(["# of a fit", "x,y", *lines]) + "\n")
    return tmp_path


FIT = {"posteriors": [{"file": "fit.csv", "source": "made up"}]}
OF_FIT: dict[str, Any] = {
    "a": {"value": 0.1, "dist": "empirical", "uncertainty": "x"},
    "c": {"value": 0.2, "dist": "empirical", "uncertainty": "y"},
}


def test_rows_of_a_posterior_are_drawn_whole(fit: Path) -> None:
    scenario = four(OF_FIT, fit, **FIT)
    values = drawn(scenario, sample(scenario, 600))
    pairs = values[1:, [0, 2]]
    known = np.loadtxt(fit / "fit.csv", delimiter=",", skiprows=2)
    rows = np.abs(pairs[:, None] - known).sum(axis=2).argmin(axis=1)
    assert np.array_equal(pairs, known[rows])
    assert np.bincount(rows, minlength=300).max() <= 4  # evenly
    assert np.abs(ranks(values[1:])[0, [1, 3]]).max() < 0.1
    assert values[0].tolist() == [0.1, 0.1, 0.2, 0.1]
    assert groups(scenario) == [("x", "y")]


def test_a_posterior_goes_with_the_scenario(fit: Path) -> None:
    scenario = four(OF_FIT, fit, **FIT)
    assert str(fit / "fit.csv") in pharmsim.scenario.sources(scenario)
    again = pharmsim.from_dict(pharmsim.to_dict(scenario), "nowhere")
    assert pharmsim.to_dict(again) == pharmsim.to_dict(scenario)
    assert np.array_equal(drawn(again, sample(again, 8)), drawn(scenario, sample(scenario, 8)))


def test_a_whole_table_is_moved_by_factors_of_a_posterior(fit: Path) -> None:
    block = by_post(p=0.5) | {"range": {"dist": "empirical", "uncertainty": "z"}}
    known = [0.8, 1.0, 1.1, 1.3]
    (fit / "fit.csv").write_text("\n".join(["z", *map(str, known)]))
    scenario = four({"a": block}, fit, **FIT)
    table = sample(scenario, 8)
    assert sorted(table.factors(scenario.leaving["a"].rate.terms[0].range)[1:]) == sorted(known * 2)
    (fit / "fit.csv").write_text("z\n1.1\n1.2\n")
    with pytest.raises(ScenarioError, match="must lie around 1"):
        four({"a": block}, fit, **FIT)


def test_posteriors_outside_the_bounds_of_what_they_are_drawn_for(fit: Path) -> None:
    (fit / "fit.csv").write_text("x,y\n-0.1,0.2\n0.2,0.2\n")
    with pytest.raises(
        ScenarioError, match=r"draws of `x` must be a rate per year between 0 and 3; got -0\.1"
    ):
        four(OF_FIT, fit, **FIT)


def test_scenarios_with_different_posteriors_are_refused(fit: Path) -> None:
    scenario = four(OF_FIT, fit, **FIT)
    (fit / "fit.csv").write_text("x,y\n0.1,0.2\n0.2,0.3\n")
    with pytest.raises(InputError, match="must draw x from one posterior"):
        sample((scenario, four(OF_FIT, fit, **FIT)), 2)


# -- choices in changes --------------------------------------------------------------------------------


def test_choices_move_with_the_changes_of_a_scenario(tmp_path: Path) -> None:
    import yaml

    moves = [{"from": "p", "to": "q", "rate": {"value": 0.1, "choices": {0.1: 0.5, 0.2: 0.25, 0.4: 0.25}}}]
    scenario = made(12, [post("p"), post("q")], moves={"edges": moves})
    (tmp_path / "base.yaml").write_text(yaml.safe_dump(pharmsim.to_dict(scenario)))
    for verb, amount, wanted in (
        ("times", 1.5, [0.15, 0.3, 0.6]),
        ("plus", 0.1, [0.2, 0.3, 0.5]),
        ("to", {"value": 0.2, "choices": {0.1: 0.5, 0.2: 0.5}}, [0.1, 0.2]),
    ):
        change = {
            "base": "base.yaml",
            "name": "x",
            "changes": [{"set": "moves.edges.p>q.rate", verb: amount}],
        }
        (tmp_path / "x.yaml").write_text(yaml.safe_dump(change))
        changed = pharmsim.load(tmp_path / "x.yaml")
        assert changed.moves is not None
        rate = changed.moves.edges[0].rate
        assert np.unique(sample(changed, 64).values(rate)) == pytest.approx(wanted, rel=1e-12)


# -- runs ----------------------------------------------------------------------------------------------


def test_quantiles_of_a_linear_model_are_the_analytic_ones() -> None:
    """With nobody coming or going, headcount is the sum of what is put in."""
    posts = [post("p"), post("q")]
    heads = {"p": {"value": 100, "low": 80, "high": 120, "dist": "normal"},
             "q": {"value": 50, "low": 40, "high": 60, "dist": "normal"}}  # fmt: skip
    scenario = made(1, posts, rows(heads))
    names = [row.uncertainty for row in scenario.stock.headcount.terms[0].rows]
    for correlation in (0.0, 0.5):
        section = {"correlated": [{"of": names, "correlation": correlation}]}
        asked = pharmsim.from_dict({**pharmsim.to_dict(scenario), "uncertainties": section})
        total = pharmsim.run(asked, 1024).data["headcount"].isel(time=-1, draw=slice(1, None))
        a, b = 20 / NORMAL_95, 10 / NORMAL_95
        deviation = np.sqrt(a**2 + b**2 + 2 * a * b * 2 * np.sin(np.pi * correlation / 6))
        found = np.quantile(total.sum(["post", "group", "contract"]), [0.05, 0.5, 0.95])
        wanted = 150 + deviation * np.array([-NORMAL_95, 0, NORMAL_95])
        # standard error of a quantile of 1,024 independent draws; even ones do better
        error = deviation * np.sqrt(0.05 * 0.95 / 1024) / stats.norm.pdf(NORMAL_95)
        assert np.abs(found - wanted).max() < 2 * error, correlation


def test_a_table_moved_by_one_uncertainty_spreads_as_its_range_says() -> None:
    """The total spreads as each row does; rows with uncertainties of their own average away."""
    posts = [post(f"p{i}") for i in range(30)]
    whole = by_post(**{p["post"]: 0.1 for p in posts})
    spread = {"low": 0.8, "high": 1.2, "dist": "normal"}
    moved = made(1, posts, leaving={"gone": {"rate": whole | {"range": spread}}})
    own = {"value": 0.1, "low": 0.08, "high": 0.12, "dist": "normal"}
    each = rows({p["post"]: own for p in posts})
    single = made(1, posts, leaving={"gone": {"rate": each}})

    def width(scenario: Scenario) -> float:
        leavers = pharmsim.run(scenario, 512).data["leavers"]
        total = leavers.isel(draw=slice(1, None), period=0).sum(
            [d for d in leavers.dims if d not in ("draw", "period")]
        )
        low, high = np.quantile(total / float(leavers.isel(draw=0, period=0).sum()), [0.05, 0.95])
        return float(high - low)

    assert width(moved) == pytest.approx(0.4, rel=0.03)
    assert width(single) == pytest.approx(0.4 / np.sqrt(30), rel=0.15)


def test_describe_says_what_is_drawn_together(fit: Path) -> None:
    group = [{"of": ["leaving.b.rate", "leaving.d.rate"], "correlation": 0.5}]
    lines = describe(four(OF_FIT, fit, correlated=group, **FIT)).splitlines()
    assert lines[-2:] == [
        "correlated, rank correlation 0.5: leaving.b.rate, leaving.d.rate",
        "posterior fit, 300 draws of x, y",
    ]
    assert "4 uncertainties" in lines


def test_what_cannot_be_drawn_from_a_posterior_or_choices_says_so(fit: Path) -> None:
    import yaml

    edges = [{"from": "p", "to": "q", "rate": 0.1}]
    data = pharmsim.to_dict(made(12, [post("p"), post("q")], moves={"edges": edges}))
    (fit / "base.yaml").write_text(yaml.safe_dump(data | {"uncertainties": FIT}))
    factor = {"value": 1, "dist": "empirical", "uncertainty": "x"}
    change = {"base": "base.yaml", "name": "x", "changes": [{"set": "moves.edges.p>q.rate", "times": factor}]}
    (fit / "x.yaml").write_text(yaml.safe_dump(change))
    with pytest.raises(ScenarioError, match="cannot be drawn from a posterior, except of cells"):
        pharmsim.load(fit / "x.yaml")
    spread = {"rows": edges, "range": {"dist": "discrete", "choices": {0.8: 0.5, 1: 0.5}}}
    with pytest.raises(ScenarioError, match="takes no range with `dist: discrete`"):
        made(12, [post("p"), post("q")], moves={"edges": spread})


def test_choices_of_effects_are_in_the_unit_of_what_they_change() -> None:
    made_up = {"evidence": "assumption", "source": "made up"}
    effect = {
        "quantity": "leaving",
        **made_up,
        "plus": {"value": "1 %", "choices": {"1 %": "40 %", "2 %": "60 %"}},
    }
    lever = {"name": "it", "title": "It", "start": month(2), "effects": [effect], **LEVER}
    scenario = made(12, leaving={"gone": {"rate": "5 %"}}, interventions=[lever])
    value = scenario.interventions[0].effects[0].plus
    assert value is not None
    assert value.choices == {0.01: 0.4, 0.02: 0.6}
    assert np.unique(sample(scenario, 16).values(value)).tolist() == [0.01, 0.02]
    effect["to"] = {"value": "1 %", "low": "0.5 %", "high": "1.5 %", "dist": "normal"}
    del effect["plus"]
    with pytest.raises(ScenarioError, match="between 0 and 3 in every draw"):
        made(12, leaving={"gone": {"rate": "5 %"}}, interventions=[lever])
