"""Attribution and grounds on small scenarios."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from made import made, one, post
from pharmsim.scenario.interventions import Intervention
from pharmsim.scenario.models import Scenario
from pharmsim.study import explain, headline
from pharmsim.study.attribution import affordable, attribute
from pharmsim.study.grounds import grades_of, grounds, resting_on
from pharmsim.study.headline import Measure
from pharmsim.study.runs import run


def lever(name: str, *effects: dict[str, Any], **more: Any) -> Intervention:
    text = {"title": name, "level": "team", "category": "retain", "start": "2026-10", **more}
    outcome = {"measure": "headcount", "direction": "up"}
    return Intervention.model_validate({"name": name, "effects": effects, "outcome": outcome, **text})


def fewer_leave(times: float, evidence: str = "assumption", **more: Any) -> dict[str, Any]:
    """Leaving for one destination multiplied; `low` and `high` give it a range."""
    value = {"value": times, "evidence": evidence, **more}
    return {"name": f"leaving_{evidence}", "quantity": "leaving", "times": value}


def scenario(*levers: Intervention, rate: float = 0.2, **sections: Any) -> Scenario:
    """100 people, of whom a fifth leave in a year; nobody is hired."""
    both = {
        "leaving": {"away": {"rate": rate}},
        "retention": {"levels": {"system": {"by": []}, "post": {"by": ["post"]}}},
        **sections,
    }
    return made(months=36, **both).model_copy(update={"interventions": levers})


def dates(base: Scenario) -> np.ndarray:
    return run(base).data["time"].values[[24, 36]]


def measured(base: Scenario) -> list[Measure]:
    return headline.headline_measures(run(base).data, dates(base))


def by_lever(frame: Any, quantity: str, over: str) -> dict[str, float]:
    rows = frame[(frame["quantity"] == quantity) & (frame["over"] == over)]
    return dict(zip(rows["lever"], rows["value"], strict=False))


ALIKE = [lever("a", fewer_leave(0.8)), lever("b", fewer_leave(0.8)), lever("idle", fewer_leave(1.0))]


def test_parts_sum_to_the_difference_in_every_draw() -> None:
    base = scenario()
    ranged = [
        lever("a", fewer_leave(0.7, low=0.5, high=0.9, uncertainty="a")),
        lever("b", fewer_leave(0.8, low=0.6, high=1.0, uncertainty="b")),
        lever("c", {"name": "hours", "quantity": "fte_per_head", "times": {"value": 0.95}}),
    ]
    other = scenario(*ranged, rate=0.3, fte_per_head=1.0)
    measures = measured(base)
    found = attribute(base, other, measures, draws=4, seed=7)
    old, new = (run(each, draws=4, seed=7) for each in (base, other))
    whole = np.concatenate([measure.of(new) - measure.of(old) for measure in measures], axis=1)
    parts = found.shares.value.sum(axis=0) + found.other
    assert np.abs(parts - whole).max() < 1e-9
    frame = found.frame()
    for _, rows in frame.groupby(["quantity", "level", "over", "date"]):
        told = rows.set_index("lever")["value"]
        assert told[["a", "b", "c", "other changes"]].sum() == pytest.approx(told["total"], abs=1e-9)
        alone = rows.set_index("lever")["alone"]
        sums = alone[["a", "b", "c", "other changes"]].sum() + told["interaction"]
        assert sums == pytest.approx(told["total"], abs=1e-9)
    assert set(frame["draws"]) == {4}
    assert (frame["p5"] <= frame["median"]).all()


def test_levers_alike_have_equal_shares_and_an_idle_one_none() -> None:
    base = scenario()
    found = attribute(base, scenario(*ALIKE), measured(base))
    value = found.shares.value
    assert value[0] == pytest.approx(value[1], abs=1e-9)
    assert np.abs(value[0]).min() > 0.001  # headcount, FTE, FTE-years and retention all move
    assert (value[2] == 0.0).all()
    assert not found.has_other
    assert set(found.frame()["lever"]) == {"a", "b", "idle", "interaction", "total"}


def test_the_share_of_two_levers_on_one_hazard_is_known() -> None:
    """Heads at t years: 100 exp(−0.2 t) until the half year, then at the hazard times 0.8 and 0.5."""
    base = scenario()
    levers = lever("a", fewer_leave(0.8)), lever("b", fewer_leave(0.5))
    frame = attribute(base, scenario(*levers), measured(base)).frame()

    def heads(factor: float) -> float:
        return float(100.0 * np.exp(-0.2 * (0.5 + factor * 2.5)))

    end = frame[frame["date"] == frame["date"].max()]
    told = by_lever(end, "headcount", "date")
    none, a, b, both = heads(1.0), heads(0.8), heads(0.5), heads(0.4)
    assert told["a"] == pytest.approx(0.5 * (a - none) + 0.5 * (both - b))
    assert told["b"] == pytest.approx(0.5 * (b - none) + 0.5 * (both - a))
    assert told["interaction"] == pytest.approx(both - a - b + none)
    assert told["interaction"] != pytest.approx(0.0, abs=0.1)


def test_an_intervention_of_the_base_is_in_every_run() -> None:
    mine = lever("mine", fewer_leave(0.5))
    base = scenario(mine)
    found = attribute(base, scenario(mine, ALIKE[0]), measured(base))
    assert found.shares.players == ("a",)
    assert not found.has_other
    alone = attribute(scenario(), scenario(ALIKE[0]), measured(base))
    assert found.shares.total[0, 0] != pytest.approx(alone.shares.total[0, 0], rel=0.01)


def test_sampled_orders_say_so_with_their_error() -> None:
    base = scenario()
    levers = [lever(f"l{k}", fewer_leave(1.0 - 0.1 * k)) for k in range(5)]
    exact = attribute(base, scenario(*levers), measured(base))
    found = attribute(base, scenario(*levers), measured(base), exact=4, pairs=6, seed=3)
    frame = found.frame()
    assert set(frame["method"]) == {"sampled"}
    own = frame[frame["lever"].str.startswith("l") & (frame["lever"] != "l0")]
    assert (own["error"] > 0.0).all()
    off = np.abs(found.shares.value - exact.shares.value)[1:, 0]
    assert (off < 5.0 * found.shares.error[1:, 0] + 1e-9).all()


def test_fewer_draws_where_there_are_many_sets() -> None:
    levers = [lever(f"l{k}") for k in range(12)]
    assert [affordable(scenario(*levers[:n]), 100) for n in (0, 3, 7, 8, 9, 12)] == [20, 20, 20, 11, 6, 5]
    assert affordable(scenario(*levers[:8]), 4) == 4
    assert affordable(scenario(*levers[:8]), 0) == 0


def test_grounds_are_shared_among_grades_and_sum_to_the_difference() -> None:
    base = scenario()
    both = lever("a", fewer_leave(0.8, "published"), fewer_leave(0.5, "proxy"))
    other = scenario(both, lever("b", fewer_leave(0.9, "published")), rate=0.25)
    measures = headline.delivered_measures(run(base).data, dates(base)[-1:])
    frame = grounds(base, other, measures)
    assert list(frame["grade"].unique()) == ["published", "proxy", "other changes"]
    for measure in measures:
        whole = float((measure.of(run(other)) - measure.of(run(base)))[0, 0])
        rows = frame[frame["over"] == measure.over]
        assert rows["value"].sum() == pytest.approx(whole, abs=1e-9)
        assert rows["share"].sum() == pytest.approx(1.0)
        assert rows["difference"].to_numpy() == pytest.approx(whole)

    def fte(published: float, proxy: float) -> float:
        return float(100.0 * np.exp(-0.25 * (0.5 + published * proxy * 2.5)))

    told = frame[frame["over"] == "date"].set_index("grade")["value"]
    expected = 0.5 * (fte(1.0, 0.5) - fte(1.0, 1.0)) + 0.5 * (fte(0.72, 0.5) - fte(0.72, 1.0))
    assert told["proxy"] == pytest.approx(expected)


def test_joint_posts_and_job_plans_rest_on_their_own_evidence() -> None:
    plan = {"name": "plan", "from": "x", "to": "y", "share": {"value": 0.1, "evidence": "derived"}}
    joint = {"suffix": "j", "split": {"home": 1.0}, "entry": {"value": 0.1, "evidence": "proxy"}}
    time = {"share": {"value": 0.1, "evidence": "published"}, "months": 6}
    item = lever("a", fewer_leave(0.9), {**fewer_leave(0.8, "published"), "joint": True}, posts=joint)
    item = lever(
        "a", *item.model_dump(exclude_none=True)["effects"],
        job_plan=[plan], posts=joint, introduction=time,
    )  # fmt: skip
    assert grades_of(item) == {"assumption", "published", "derived", "proxy"}
    left = resting_on(item, {"published", "assumption"})
    assert (left.posts, left.job_plan) == (None, ())
    assert [part.name for part in left.effects] == ["leaving_assumption"]  # the other needs the joint post
    assert left.introduction is not None
    assert resting_on(item, {"proxy"}).introduction is None
    assert resting_on(item, grades_of(item)) == item


def test_tables_of_scenarios_without_interventions_are_left_out() -> None:
    base = scenario()
    assert explain.tables(base, [scenario(rate=0.1)], ["what if"], dates(base), draws=0) == {}
    found = explain.tables(base, [scenario(rate=0.1), scenario(*ALIKE)], ["x", "y"], dates(base), draws=0)
    assert set(found) == {"attribution", "grounds"}
    assert set(found["attribution"]["scenario"]) == {"y"}
    assert "p5" not in found["attribution"]


def test_money_and_working_time_are_measured_where_there_are_any() -> None:
    plain = run(scenario()).data
    assert headline.delivered_quantity(plain) == "fte"
    names = {measure.quantity for measure in headline.headline_measures(plain, plain["time"].values[[24]])}
    assert names == {"fte", "headcount", "stability_index"}
    paid = scenario(
        posts=[post("p")], ages=one(40), pay={"per_fte": "£36,000 per year"}, establishment={"fte": 120},
        cover={"share": 0.5}, need={"fte": 100},
        working_time={"absence": {"leave": 0.2}, "job_plan": {"care": {"share": 1.0, "service": True}}},
    )  # fmt: skip
    data = run(paid).data
    measures = {
        (m.quantity, m.over): m for m in headline.headline_measures(data, data["time"].values[[12, 36]])
    }
    assert {
        ("delivered_fte", "cumulated"),
        ("total_cost", "cumulated"),
        ("programme_cost", "cumulated"),
    } <= set(measures)
    bill = 3000.0 * data["fte"].values[0, :, 0]
    cover = data["cover_cost"].values[0, :, 0]
    expected = [(bill + cover)[:12].sum(), (bill + cover)[:36].sum()]
    assert measures["total_cost", "cumulated"].of(run(paid))[0] == pytest.approx(expected)
    assert (measures["programme_cost", "cumulated"].of(run(paid)) == 0.0).all()
    years = data["service_fte"].values[0, :36].sum() / 12.0
    assert measures["delivered_fte", "cumulated"].of(run(paid))[0, 1] == pytest.approx(years)
    # Cover: half of what is vacant, at the pay of staff, of which four fifths are at work.
    assert headline.price_of_cover(data)[0] == pytest.approx(36000.0 / 0.8)
    assert np.isnan(headline.price_of_cover(plain)).all()
