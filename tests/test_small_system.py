"""The small teaching scenario uses every section of the system around the people and shows each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import pharmsim
from pharmsim.results import bounds
from pharmsim.results.labelled import Results

SCENARIOS = Path(__file__).parents[1] / "scenarios"
SIX = ["burnout", "recruitment", "training", "attractiveness", "inexperience", "flexibility"]


@pytest.fixture(scope="module")
def small() -> Results:
    return pharmsim.run(pharmsim.load(SCENARIOS / "small_system.yaml"))


@pytest.fixture(scope="module")
def off() -> Results:
    return pharmsim.run(pharmsim.load(SCENARIOS / "small_system_off.yaml"))


def test_every_new_section_is_in_use(small: Results) -> None:
    scenario = small.scenario
    assert scenario.working_time is not None
    assert len(scenario.working_time.job_plan) == 6
    assert scenario.working_time.shifts
    assert scenario.need is not None
    assert scenario.need.delegation
    assert {bool(duty.trainees) for duty in scenario.supervision.values()} == {True, False}
    assert {budget.caps for budget in scenario.budgets.values()} == {True, False}
    assert {rule.policy for rule in scenario.establishment.over_time} == {"hold", "follow", "reduce"}
    assert all(getattr(scenario.feedbacks, name).on for name in SIX)
    assert any(post.split for post in scenario.posts)


def test_each_feedback_moves_something_and_none_at_the_start(small: Results, off: Results) -> None:
    data = small.data.isel(draw=0)
    moved = np.abs(data["multiplier"] - 1.0)
    assert float(moved.isel(time=0).max()) < 1e-12
    largest = moved.max(["time", "post"]).to_series()
    assert (largest > 0.005).all(), largest
    assert float(np.abs(data["place_multiplier"] - 1.0).max()) > 0.005
    assert not {"multiplier", "move_multiplier", "place_multiplier"} & set(off.data)
    apart = data["headcount"].isel(time=60) - off.data["headcount"].isel(draw=0, time=60)
    assert float(np.abs(apart.sum(["group", "contract"])).max()) > 0.5


def test_no_bound_is_hit(small: Results) -> None:
    assert bounds.hits(small.scenario, small.data) == []


def test_the_joint_post_is_filled_by_moves_and_delivers_in_both_places(small: Results) -> None:
    data = small.data.isel(draw=0)
    fte = data["fte"].sel(post="joint_pharmacist")
    assert float(fte[0]) == 0.0
    assert float(fte[36]) > 6.0
    joined = data["joiners"].sel(post="joint_pharmacist").sum()
    assert float(joined) == 0.0  # by moves alone
    assert float(data["backfill_cost"].sum()) > 0.0
    own = data["delivered_fte"].sel(post=["pharmacist.practice"]).sum("post")
    service = data["service_fte"].sel(service="pharmacist / practice")
    half = data["delivered_fte"].sel(post="joint_pharmacist") / 2
    assert np.allclose(service, own + half)
    assert float(half[36]) > 1.0


def test_redistribution_gives_what_it_takes(small: Results) -> None:
    """Without caps, which take more from dearer posts: the total is that without redistribution."""
    establishment = small.scenario.establishment.model_copy(update={"redistribution": ()})
    free = small.scenario.model_copy(update={"budgets": {}})
    without = free.model_copy(update={"establishment": establishment})
    moved, held = (
        pharmsim.run(scenario, tags=False).data["establishment_fte"].isel(draw=0)
        for scenario in (free, without)
    )
    assert np.allclose(moved.sum("post"), held.sum("post"))
    assert float(moved.sel(post="joint_pharmacist")[24]) == pytest.approx(8.0)
    assert float(held.sel(post="joint_pharmacist").max()) == 0.0


def test_a_budget_that_caps_is_never_exceeded(small: Results) -> None:
    data = small.data.isel(draw=0)
    inside = [post.post for post in small.scenario.posts if post.environment == "hospital"]
    staff = data["pay_bill"].sel(post=inside).sum("post")
    bought = (data["cover_cost"] + data["backfill_cost"]).sel(post=inside).sum("post")
    money = data["budget_money"].sel(budget="hospital")
    assert (bought <= np.maximum(money - staff, 0.0) + 1e-6).all()
    cost = 12 * data["pay_bill"] / data["fte"]
    funded = (cost * data["establishment_fte"]).sel(post=inside).isel(time=slice(12, None)).sum("post")
    assert (funded <= 12 * money.isel(time=slice(12, None)) + 1e-3).all()
    held = data["establishment_fte"].isel(time=0)
    practice = held.sel(post="pharmacist.practice")
    given = 8 * practice / (practice + held.sel(post="pharmacist.hospital"))  # its money goes with it
    brought = float(given * cost.sel(post="pharmacist.practice")[-1] / 12)
    assert brought > 1000
    assert float(money[-1]) == pytest.approx(0.98 * float(money[0]) + brought)


def test_a_shift_and_a_delegation_move_time(small: Results) -> None:
    data = small.data.isel(draw=0)
    use = data["time_fte"].sel(post="pharmacist.hospital")
    share = use / data["fte"].sel(post="pharmacist.hospital")
    paper = share.sel(use="administration")
    assert float(paper.isel(time=40) / paper.isel(time=20)) == pytest.approx(5 / 8, abs=0.02)  # 8 % less 3
    given = data["delegated_fte"].sel(service="pharmacist / hospital")
    assert float(given[12]) == 0.0
    assert float(given[36]) > 2.0


@pytest.mark.parametrize(("money", "told"), [("£30 million", False), ("£5 million", True)])
def test_a_cap_that_people_in_post_exceed_is_told(money: str, told: bool) -> None:
    data = pharmsim.to_dict(pharmsim.load(SCENARIOS / "small_system.yaml")) | {"end": "2027-04"}
    data["budgets"] = {
        "hospital": {"where": {"environment": "hospital"}, "per_year": f"{money} per year", "caps": True}
    }
    warnings = pharmsim.run(pharmsim.from_dict(data)).meta["warnings"]
    found = [text for text in warnings if text.startswith("budgets.hospital:")]
    assert bool(found) is told
    assert not told or "nobody is dismissed" in found[0]
