"""Attribution and grounds on small scenarios."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from made import made, one, post
from pharmsim.scenario.interventions import Intervention
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.values import Origin
from pharmsim.study.comparing import amounts
from pharmsim.study.comparing.outcomes import outcomes
from pharmsim.study.explaining import explain, headline
from pharmsim.study.explaining.attribution import attribute, own
from pharmsim.study.explaining.grounds import grades_of, grounds, resting_on
from pharmsim.study.explaining.headline import Measure
from pharmsim.study.runs import run

HOURS = {"absence": {"leave": 0.2}, "job_plan": {"care": {"share": 1.0, "service": True}}}
"""Four fifths of the time in post are delivered."""


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
    return headline.headline_measures([run(base).data], dates(base))


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
    found = attribute(base, other, measures, draws=20, seed=7)
    old, new = (run(each, draws=20, seed=7) for each in (base, other))
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
    assert set(frame["draws"]) == {20}
    assert (frame["p5"] <= frame["median"]).all()
    few = attribute(base, other, measures, draws=19, seed=7).frame()
    assert "p5" not in few  # too few draws for an interval


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


def elsewhere(item: Intervention) -> Intervention:
    """The same intervention, as if written on another line of another file, its numbers too."""
    here = Origin(file="other.yaml", line=7)
    effects = tuple(
        effect.model_copy(update={"times": effect.times.model_copy(update={"origin": here})})  # type: ignore[union-attr]
        for effect in item.effects
    )
    return item.model_copy(update={"origin": here, "effects": effects})


def test_where_an_intervention_is_written_is_no_setting_of_it() -> None:
    mine = lever("mine", fewer_leave(0.5, low=0.4, high=0.6, uncertainty="mine"))
    assert elsewhere(mine) != mine
    base, other = scenario(mine), scenario(elsewhere(mine), ALIKE[0])
    found = attribute(base, other, measured(base))
    assert found.shares.players == ("a",)
    assert not found.has_other
    frame = grounds(base, other, headline.delivered_measures([run(base).data], dates(base)[-1:]))
    assert frame["share"].to_numpy() == pytest.approx(1.0)


def test_an_intervention_with_other_settings_adds_what_the_change_does() -> None:
    """Leaving times 0.8 in the base and 0.5 in the scenario, which also has another intervention."""
    base = scenario(lever("a", fewer_leave(0.8)))
    more = lever("a", fewer_leave(0.5, "proxy"), fewer_leave(1.0, "derived"))
    other = scenario(more, lever("b", fewer_leave(0.9, "published")))
    found = attribute(base, other, measured(base))
    assert found.shares.players == ("a", "b")
    assert not found.has_other

    def heads(factor: float) -> float:
        return float(100.0 * np.exp(-0.2 * (0.5 + factor * 2.5)))

    frame = found.frame()
    told = by_lever(frame[frame["date"] == frame["date"].max()], "headcount", "date")
    first, last = heads(0.5) - heads(0.8), heads(0.45) - heads(0.72)
    assert told["a"] == pytest.approx((first + last) / 2)
    assert told["total"] == pytest.approx(heads(0.45) - heads(0.8))
    at_end = headline.delivered_measures([run(base).data], dates(base)[-1:])[:1]
    shares = grounds(base, other, at_end).set_index("grade")["value"]
    assert shares["proxy"] == pytest.approx((first + last) / 2)  # as a whole, by the weaker of its grades
    assert set(shares.index) == {"proxy", "published"}
    (text,) = explain.changed(base, other, "Other")
    assert text.startswith("Other: interventions.a stands in made too, with other settings: its part is what")


def test_an_intervention_with_other_joint_posts_is_another_one() -> None:
    joint = {"suffix": "j", "split": {"home": 1.0}, "entry": {"value": 0.1, "evidence": "proxy"}}
    base = scenario(lever("a", posts=joint))
    other = scenario(lever("a", posts={**joint, "suffix": "k"}))
    assert own(base, other).names == ("a",)
    assert own(base, other).before == {}
    assert "`other changes` take away" in explain.changed(base, other, "Other")[0]


def test_the_order_of_interventions_changes_no_bit() -> None:
    base = scenario()
    costly = [
        lever(name, fewer_leave(1.0 - 0.1 * k), costs={"per_year": {"value": 1e5 / (k + 3.0)}})
        for k, name in enumerate("cab")
    ]
    one, other = scenario(*costly), scenario(*costly[::-1])
    measures = headline.headline_measures([run(base).data, run(one).data], dates(base))
    pd.testing.assert_frame_equal(
        attribute(base, one, measures, draws=2).frame(), attribute(base, other, measures, draws=2).frame(),
        check_exact=True,
    )  # fmt: skip


def test_only_what_both_know_is_measured() -> None:
    base = scenario(posts=[post("p")], working_time=HOURS)
    plain, unfollowed = scenario(*ALIKE), scenario(*ALIKE, retention=None)
    for old, new in ((base, plain), (plain, base), (base, unfollowed), (unfollowed, base)):
        names = {
            measure.quantity
            for measure in headline.headline_measures([run(old).data, run(new).data], dates(base))
        }
        assert {"fte", "headcount"} <= names
        assert "delivered_fte" not in names
        assert ("stability_index" in names) == (unfollowed not in (old, new))
    found, told = explain.tables(unfollowed, [base.model_copy(update={"interventions": tuple(ALIKE)})],
                                 ["Other"], dates(base), draws=0)  # fmt: skip
    assert told == []
    assert set(found["attribution"]["quantity"]) == {"fte", "headcount", "programme_cost"}


def test_money_is_all_that_is_paid_for_in_both_or_neither() -> None:
    costly = lever("a", costs={"per_year": {"value": 12e3}})
    paid = {"pay": {"per_fte": "£36,000 per year"}}

    def total(base: Scenario, other: Scenario) -> list[float]:
        measures = headline.headline_measures([run(base).data, run(other).data], dates(base))
        return [
            float((measure.of(run(other)) - measure.of(run(base)))[0, -1])
            for measure in measures
            if measure.quantity == "total_cost"
        ]

    expected = [12e3 * 2.5]  # from October 2026 to April 2029; nobody stays longer for it
    assert total(scenario(), scenario(costly)) == pytest.approx(expected)
    assert total(scenario(**paid), scenario(costly, **paid)) == pytest.approx(expected)
    assert total(scenario(), scenario(costly, **paid)) == []


def test_time_is_delivered_the_same_with_and_without_need() -> None:
    """People in a joint post work where their time is, by the parts of their job plans."""
    sections = {
        "posts": [post("p"), post("j", environment="dale", split={"hill": 0.25, "dale": 0.75})],
        "heads": 100, "establishment": {"fte": 120}, "cover": {"share": 0.5}, "working_time": HOURS,
    }  # fmt: skip
    plain, needed = (run(scenario(**sections, **more)) for more in ({}, {"need": {"fte": 100}}))
    assert "service_fte" not in plain.data
    at = plain.data["time"].values[[36]]
    one, other = (outcomes(results, at).measures["delivered_fte", "", "date"] for results in (plain, needed))
    assert set(one.cells) == set(other.cells)
    for cell, values in one.cells.items():
        assert values == pytest.approx(other.cells[cell])
    assert headline.delivered_quantity([plain.data]) == "delivered_fte"
    (on_date, *_) = headline.headline_measures([plain.data], at)
    assert on_date.of(plain) == pytest.approx(one.cells["all", "all"])


def test_a_fault_of_the_explanation_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise KeyError("level")

    monkeypatch.setattr(explain, "break_even", fail)
    base = scenario()
    found, told = explain.tables(base, [scenario(*ALIKE)], ["Other"], dates(base), draws=0)
    assert found == {}
    assert told == [
        "Other: what each intervention adds is left out, it cannot be worked out: a fault of "
        "pharmsim (KeyError('level')); report it"
    ]


def test_runs_are_counted_before_they_are_made() -> None:
    levers = [lever(f"l{k}", {**fewer_leave(0.9), "claimed": k == 0}) for k in range(10)]
    of = {n: explain.ensembles(scenario(), [scenario(*levers[1 : n + 1])]) for n in (1, 8, 9)}
    assert of == {1: 2, 8: 256, 9: 411}
    assert explain.ensembles(scenario(), [scenario(levers[0])]) == 2 + explain.SIZES_RUN


def test_grounds_are_shared_among_grades_and_sum_to_the_difference() -> None:
    base = scenario()
    both = lever("a", fewer_leave(0.8, "published"), fewer_leave(0.5, "proxy"))
    other = scenario(both, lever("b", fewer_leave(0.9, "published")), rate=0.25)
    measures = headline.delivered_measures([run(base).data], dates(base)[-1:])
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
    assert explain.tables(base, [scenario(rate=0.1)], ["what if"], dates(base), draws=0) == ({}, [])
    others = [scenario(rate=0.1), scenario(*ALIKE)]
    found, told = explain.tables(base, others, ["x", "y"], dates(base), draws=0)
    assert told == []
    assert set(found) == {"attribution", "grounds"}
    assert set(found["attribution"]["scenario"]) == {"y"}
    assert "p5" not in found["attribution"]


def test_money_and_working_time_are_measured_where_there_are_any() -> None:
    plain = run(scenario()).data
    assert headline.delivered_quantity([plain]) == "fte"
    names = {measure.quantity for measure in headline.headline_measures([plain], plain["time"].values[[24]])}
    assert names == {"fte", "headcount", "stability_index"}
    paid = scenario(
        posts=[post("p")], ages=one(40), pay={"per_fte": "£36,000 per year"}, establishment={"fte": 120},
        cover={"share": 0.5}, need={"fte": 100},
        working_time={"absence": {"leave": 0.2}, "job_plan": {"care": {"share": 1.0, "service": True}}},
    )  # fmt: skip
    data = run(paid).data
    measures = {
        (m.quantity, m.over): m for m in headline.headline_measures([data], data["time"].values[[12, 36]])
    }
    assert {("delivered_fte", "cumulated"), ("total_cost", "cumulated")} <= set(measures)
    bill = 3000.0 * data["fte"].values[0, :, 0]
    cover = data["cover_cost"].values[0, :, 0]
    expected = [(bill + cover)[:12].sum(), (bill + cover)[:36].sum()]
    assert measures["total_cost", "cumulated"].of(run(paid))[0] == pytest.approx(expected)
    years = data["service_fte"].values[0, :36].sum() / 12.0
    assert measures["delivered_fte", "cumulated"].of(run(paid))[0, 1] == pytest.approx(years)
    # Cover: half of what is vacant, at the pay of staff, of which four fifths are at work.
    assert amounts.price_of_cover(data)[0] == pytest.approx(36000.0 / 0.8)
    assert np.isnan(amounts.price_of_cover(plain)).all()
