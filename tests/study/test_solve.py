"""The level of levers that reaches a target, against levels that are known."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pharmsim
from made import made, one, post
from pharmsim.errors import ScenarioError
from pharmsim.results.labelled import Results
from pharmsim.scenario import shipped
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.paths import targets as places
from pharmsim.study.runs import run as run_scenario
from pharmsim.study.solving import levers as moving
from pharmsim.study.solving import question
from pharmsim.study.solving.binding import binding
from pharmsim.study.solving.levers import TIMES, UPTAKE, Lever
from pharmsim.study.solving.solve import MET, OUT, REACHED, Answer, solve
from pharmsim.study.solving.target_text import read

HAZARD = 0.2
KEPT = {"retention": {"month": "March", "levels": {"system": {"by": []}}}}


def leaving(value: Any = HAZARD) -> dict[str, Any]:
    return {"leaving": {"gone": {"rate": value}}}


def lever(name: str = "stay", times: float = 0.5, start: str = "May 2026", **more: Any) -> dict[str, Any]:
    """An intervention that lowers leaving."""
    effects = [
        {"name": "leaving", "quantity": "leaving", "times": {"value": times, "evidence": "assumption"}}
    ]
    return {
        "name": name, "title": name.title(), "level": "team", "category": "retain", "start": start,
        "effects": effects, "outcome": {"measure": "leaver_rate", "direction": "down"}, **more,
    }  # fmt: skip


def scenario(interventions: Any = None, rate: Any = HAZARD, **sections: Any) -> Scenario:
    return made(interventions=interventions or [lever()], **leaving(rate), **KEPT, **sections)


def plain(rate: Any = HAZARD) -> Scenario:
    return made(**leaving(rate), **KEPT)


def uptake(name: str = "stay") -> Lever:
    return Lever(name, name.title(), UPTAKE, 0.0, 1.0)


def number(made_up: Scenario, path: str, first: float, last: float, present: float) -> Lever:
    return Lever(path, path, "per year", first, last, present, places(made_up, path)[0])


def answer(made_up: Scenario, target: str, *levers: Lever, by: str = "1 April 2028", **more: Any) -> Answer:
    asked = read(target, made_up)
    return solve(made_up, asked, levers or (uptake(),), [by], **more).answers[0]


# -- closed forms -------------------------------------------------------------------------------------------


def test_uptake_that_gives_two_points_of_retention() -> None:
    """A year's stability is exp(−h(1 − u/2))."""
    found = answer(scenario(), "retention +2 points")
    expected = 2.0 * (1.0 + np.log(np.exp(-HAZARD) + 0.02) / HAZARD)
    assert found.status == REACHED
    assert found.x == pytest.approx(expected, abs=1e-6)
    assert found.base == pytest.approx(np.exp(-HAZARD))
    assert found.value - found.base == pytest.approx(0.02)
    assert found.told == "1 April 2027 to 1 April 2028"
    assert not found.turns


def test_relative_and_points_differ() -> None:
    relative = answer(scenario(), "retention +2 % relative")
    assert relative.value == pytest.approx(1.02 * np.exp(-HAZARD))
    assert relative.x < answer(scenario(), "retention +2 points").x


def test_a_number_at_a_key_path() -> None:
    """100 people, of whom 90 are to be there after two years."""
    base = plain()
    found = answer(base, "headcount 90", number(base, "leaving.gone.rate", 0.5, 0.0, HAZARD))
    assert 0.5 * (1.0 - found.x) == pytest.approx(-np.log(0.9) / 2.0, abs=1e-6)
    assert found.base == pytest.approx(100.0 * np.exp(-2 * HAZARD))
    assert found.goal == 90.0


def test_levers_move_together() -> None:
    """Two levers that halve leaving: (1 − u/2)² of it is left."""
    base = scenario([lever("one"), lever("two")])
    found = answer(base, "retention +2 points", uptake("one"), uptake("two"))
    assert (1.0 - found.x / 2.0) ** 2 == pytest.approx(-np.log(np.exp(-HAZARD) + 0.02) / HAZARD, abs=1e-6)


def test_the_base_of_a_number_is_as_written_and_that_of_an_intervention_is_without_it() -> None:
    base = scenario([lever(uptake=0.7)])
    path = number(base, "leaving.gone.rate", 0.1, 0.3, HAZARD)
    assert not moving.base(base, [uptake()]).interventions
    assert moving.base(base, [path]) == base
    assert not moving.at(base, [uptake(), path], 0.0).interventions
    both = moving.at(base, [uptake(), path], 0.5)
    assert both.interventions[0].uptake.value == 0.5
    assert both.leaving["gone"].rate.terms[0].rows[0].value == pytest.approx(0.2)


# -- statuses and shapes ------------------------------------------------------------------------------------


def test_out_of_reach_says_the_best_and_what_binds() -> None:
    found = answer(scenario(), "retention +20 points")
    assert (found.status, found.x) == (OUT, 1.0)
    assert found.value == pytest.approx(np.exp(-HAZARD / 2.0))
    assert "uptake is at 100 %" in found.binds[0]


def test_out_of_reach_because_it_begins_too_late() -> None:
    late = scenario([lever(start="April 2028")])
    found = answer(late, "retention +1 point")
    assert found.status == OUT
    assert "do not move it" in found.binds[0]
    assert any("begins only in 2028-04" in line for line in found.binds)


def test_full_posts_bind() -> None:
    """Plenty of recruits, and no post for them."""
    base = made(
        establishment={"fte": 100},
        hiring={"sources": [{"name": "abroad", "supply": 50, "ages": one(30)}]},
        **leaving(0.1),
    )
    found = answer(base, "fte 120", number(base, "hiring.sources.abroad.supply", 0.0, 100.0, 50.0))
    assert found.status == OUT
    assert any("no vacancies in p" in line for line in found.binds)


def test_room_in_joint_posts_is_not_what_binds() -> None:
    """They have as much room as is transferred to them: at no uptake none, which nobody is short of."""
    asked = question.read(
        shipped("sel/baseline.yaml"), "headcount +5 %", ["rotational_roles"], start="May 2026"
    )
    results = run_scenario(moving.at(asked.scenario, asked.levers, 0.0))
    made = [str(one) for one in results.data["edge_to"].values if str(one).endswith("_rotational")]
    assert float(results.data["moves_blocked"].sel(edge=results.data["edge_to"].isin(made)).sum()) > 0.0
    told = binding(results, asked.target, asked.levers, 0.0, np.datetime64("2028-04-01"))
    assert not any("_rotational" in line for line in told)


def test_already_met_says_until_when() -> None:
    base = plain()
    path = number(base, "leaving.gone.rate", 0.0, 0.5, HAZARD)
    found = answer(base, "headcount 90", path)
    assert (found.status, found.x) == (MET, 0.0)
    ((x, above),) = found.crossings
    assert 0.5 * x == pytest.approx(-np.log(0.9) / 2.0, abs=1e-6)
    assert not above


def shaped(factor: Callable[[float], float]) -> Callable[..., Results]:
    """Runs in which FTE are multiplied by a function of the uptake."""

    def run(changed: Scenario, **options: Any) -> Results:
        results = run_scenario(changed, **options)
        x = changed.interventions[0].uptake.value if changed.interventions else 0.0
        return dataclasses.replace(results, data=results.data.assign(fte=results.data["fte"] * factor(x)))

    return run


def test_a_response_that_turns_back_is_told_with_all_its_crossings() -> None:
    still = scenario([lever(times=1.0)], rate=0.0)
    found = answer(still, "fte +10 %", run=shaped(lambda u: 1.0 + u * (1.0 - u)))
    low, high = (0.5 - np.sqrt(0.15), 0.5 + np.sqrt(0.15))
    assert found.turns
    assert found.x == pytest.approx(low, abs=1e-5)
    assert [above for _, above in found.crossings] == [True, False]
    assert found.crossings[1][0] == pytest.approx(high, abs=1e-5)


def test_a_peak_between_the_levels_of_the_scan_is_found() -> None:
    still = scenario([lever(times=1.0)], rate=0.0)
    peak = shaped(lambda u: 1.0 - (u - 0.44) ** 2)
    found = answer(still, "fte 99.99", run=peak)
    assert found.status == REACHED
    assert found.x == pytest.approx(0.43, abs=1e-4)
    best = answer(still, "fte 101", run=peak)
    assert best.status == OUT
    assert best.x == pytest.approx(0.44, abs=1e-2)
    assert "further away again" in best.binds[0]


def test_no_shortfall_is_where_it_ends_and_not_where_there_is_most() -> None:
    """Need of 80 FTE on the service; people fall to it."""
    base = made(need={"fte": 80}, **leaving(0.0))
    path = number(made(need={"fte": 80}, **leaving(0.5)), "leaving.gone.rate", 0.5, 0.0, 0.5)
    found = answer(base.model_copy(update={"leaving": made(**leaving(0.5)).leaving}), "shortfall 0", path)
    assert 0.5 * (1.0 - found.x) == pytest.approx(-np.log(0.8) / 2.0, abs=1e-5)


# -- draws --------------------------------------------------------------------------------------------------

RANGE = {"value": 0.2, "low": 0.1, "high": 0.3, "dist": "uniform"}


def test_probabilities_are_shares_of_the_draws() -> None:
    base = scenario([lever(uptake=1.0)], rate=RANGE)
    target = read("headcount 75", base)
    solution = solve(base, target, [uptake()], ["1 April 2028"], draws=60, seed=3)
    found = solution.answers[0]

    def share(x: float) -> float:
        heads = pharmsim.run(moving.at(base, [uptake()], x), draws=60, seed=3).data["headcount"]
        return float((heads.isel(time=24).sum(["post", "group", "contract"]).values[1:] >= 75.0).mean())

    assert found.probability == share(found.x)
    assert 0.3 < found.probability < 0.7
    assert found.likely[0.8] > found.likely[0.5] > 0.0
    assert share(found.likely[0.8]) == pytest.approx(0.8, abs=0.035)
    assert share(found.likely[0.5]) == pytest.approx(0.5, abs=0.035)
    assert found.spread["p5"] < found.spread["p25"] < found.spread["median"] < found.spread["p95"]
    assert found.spread["p25"] < 75.0 < found.spread["p75"]
    assert set(solution.curve["x"]) == {0.0, 0.25, 0.5, 0.75, 1.0, found.x}


def test_changes_are_taken_draw_by_draw() -> None:
    """Halving leaving gives exp(−h/2) − exp(−h) in each draw, far less spread than retention itself."""
    found = answer(scenario(rate=RANGE), "retention +20 points", draws=40)
    assert found.probability == 0.0
    assert found.most == 0.0
    assert np.isnan(found.likely[0.5])
    h = np.array([0.1, 0.3])
    low, high = np.exp(-h / 2) - np.exp(-h)
    assert low < found.change["p5"] < found.change["p95"] < high
    assert found.change["p95"] - found.change["p5"] < found.spread["p95"] - found.spread["p5"]


def test_no_level_without_an_interval() -> None:
    with pytest.raises(ScenarioError, match="no level is given without its interval; got 19"):
        answer(scenario(rate=RANGE), "retention +2 points", draws=19)
    solution = solve(scenario(), read("retention +2 points", scenario()), [uptake()], draws=100)
    assert solution.draws == 0
    assert any("nothing has a range" in note for note in solution.notes)


def test_cost_is_that_of_those_who_take_part() -> None:
    """£120 a year for each head that takes part, from May 2026."""
    priced = lever(times=1.0, costs={"per_head": {"value": 120, "evidence": "assumption"}})
    base = scenario([priced, lever("stay_too")], rate=0.1)
    found = answer(base, "retention +2 points", uptake("stay"), uptake("stay_too"))
    costs = found.costs.set_index(["item", "over"])["central"]
    hazard = 0.1 * (1.0 - found.x / 2.0)
    months = np.arange(24)
    heads = 100.0 * np.exp(-0.1 / 12) * np.exp(-hazard * (months - 1) / 12)
    cost = 10.0 * found.x * heads
    assert costs["programme_cost", "cumulated"] == pytest.approx(cost[1:].sum())
    assert costs["programme_cost", "year"] == pytest.approx(cost[12:].sum())
    assert costs["total_cost", "year"] == costs["programme_cost", "year"]


def test_no_cost_of_a_year_before_a_year_has_passed() -> None:
    """£12 a head and year, from May 2026: five months until November."""
    priced = lever(times=0.5, costs={"per_head": {"value": 12, "evidence": "assumption"}})
    base = scenario([priced], rate=0.4)
    early = answer(base, "headcount +2", by="1 November 2026").costs
    assert set(early["over"]) == {"cumulated"}
    assert early["central"].iloc[0] > 0.0
    assert set(answer(base, "headcount +2", by="1 April 2027").costs["over"]) == {"cumulated", "year"}


# -- dates --------------------------------------------------------------------------------------------------


def test_default_dates_are_the_end_of_the_strategy_and_two_years_on() -> None:
    base = made(start="October 2025", end="October 2035", interventions=[lever()], **leaving(), **KEPT)
    solution = solve(base, read("retention +2 points", base), [uptake()])
    assert [str(found.date)[:10] for found in solution.answers] == ["2027-10-01", "2028-04-01"]
    assert [found.told for found in solution.answers] == [
        "1 April 2026 to 1 April 2027",
        "1 April 2027 to 1 April 2028",
    ]
    assert "2025, the year of the People Strategy's own target, has passed" in solution.notes[0]


def test_factors_on_several_numbers() -> None:
    base = made(posts=[post("p"), post("q")], **leaving({"rows": [
        {"where": {"post": "p"}, "value": 0.1}, {"where": {"post": "q"}, "value": 0.2}]}))  # fmt: skip
    path = "leaving.gone.rate"
    factor = Lever(path, path, TIMES, 2.0, 0.0, 1.0, places(base, path)[0])
    found = answer(base, "headcount 180", factor)
    k = factor.level(found.x)
    assert 100 * np.exp(-0.2 * k) + 100 * np.exp(-0.4 * k) == pytest.approx(180.0)


def test_a_lever_that_does_harm_is_said_to() -> None:
    found = answer(scenario([lever(times=1.5)]), "retention +2 points")
    assert (found.status, found.x) == (OUT, 0.0)
    assert "away from the target" in found.binds[0]
    assert not any("do not move it" in line for line in found.binds)
