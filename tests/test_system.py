"""What must hold of need, time, money, supervision and delegation, through the public functions."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import pharmsim
from made import STEP, Array, by_post, changed, made, month, one, outputs, post, step_to
from pharmsim.quantities import OUTPUTS
from pharmsim.scenario import shipped
from pharmsim.scenario.models import Scenario

SETTLING, INTRODUCTION, AT_WORK = 1, 2, 3
"""Positions of uses of time where neither absences nor a job plan are given."""


@pytest.fixture(scope="module")
def small() -> Scenario:
    return pharmsim.load(str(shipped("small_system.yaml")))


@pytest.fixture(scope="module")
def out(small: Scenario) -> dict[str, Array]:
    return outputs(small)


# ---- time ------------------------------------------------------------------------------------------


def test_uses_of_time_sum_to_fte(out: dict[str, Array]) -> None:
    uses, fte = out["time_fte"], out["fte"]
    assert uses.min() >= -1e-12
    assert (uses[12] > 0).any(axis=0).all()
    np.testing.assert_allclose(uses.sum(axis=2), fte, rtol=1e-12)
    for use in range(uses.shape[2]):
        with pytest.raises(AssertionError):
            np.testing.assert_allclose(np.delete(uses, use, axis=2).sum(axis=2), fte, rtol=1e-12)


def test_supervision_beyond_the_plan_comes_out_of_the_service() -> None:
    """A plan of 10 % supervising and 60 % service, of which 4, 40 and 90 FTE of supervision are asked."""
    plan = {
        "clinical": {"service": True, "share": "60 %"},
        "supervising": {"supervising": True, "share": "10 %"},
        "leading": {"share": "30 %"},
    }
    for asked, supervising, service, unmet in ((4, 4, 66, 0), (40, 40, 30, 0), (90, 70, 0, 20)):
        duty = {"staff": {"post": "q"}, "time": asked / 100, "by": [{"where": {"post": "p"}}]}
        scenario = made(
            12,
            posts=[post("p"), post("q", role="blue")],
            working_time={"job_plan": plan},
            supervision={"duty": duty},
        )
        found = outputs(scenario)
        uses = [[service, supervising, 30]] * 13
        np.testing.assert_allclose(found["time_fte"][:, 0, 3:], uses, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(found["time_fte"][:, 1, 3:], [[60, 10, 30]] * 13, rtol=1e-12)
        np.testing.assert_allclose(found["unmet_supervision_fte"][:, 0], unmet, atol=1e-9)
        np.testing.assert_allclose(found["delivered_fte"][:, 0], service, atol=1e-9)


def test_time_at_work_is_what_absence_leaves() -> None:
    absence = {"sickness": "5 %", "leave": "15 %"}
    found = outputs(made(12, working_time={"absence": absence}))["time_fte"][:, 0]
    np.testing.assert_allclose(found, [[5, 15, 0, 0, 0, 80]] * 13, rtol=1e-12, atol=1e-12)


def test_switch_to_fewer_hours_without_effect_on_leaving_lowers_delivery() -> None:
    """As many people, less delivered, in every month; it can be otherwise if fewer leave."""
    common: dict[str, Any] = {
        "contracts": ["full", "part"],
        "stock": {"contracts": {"rows": [{"where": {"contract": "full"}, "value": "100 %"}]}},
        "fte_per_head": {
            "rows": [
                {"where": {"contract": "full"}, "value": 1},
                {"where": {"contract": "part"}, "value": 0.8},
            ]
        },
        "leaving": {"out": {"rate": "20 % per year"}},
        "working_time": {"absence": {"leave": "10 %"}},
    }
    flexible = {"switches": [{"name": "less", "from": "full", "to": "part", "rate": "30 % per year"}]}

    def feedback(elasticity: float) -> dict[str, Any]:
        more = {
            "elasticity": elasticity,
            "destinations": ["out"],
            "reference": "opening",
            "low": 0.1,
            "high": 1,
        }
        return {"feedbacks": {"flexibility": more}}

    rigid = outputs(made(120, **common))
    for none in ({}, feedback(0)):
        found = outputs(made(120, **common, **flexible, **none))
        heads = found["headcount"].sum(axis=(1, 2, 3))
        np.testing.assert_allclose(heads, rigid["headcount"].sum(axis=(1, 2, 3)), rtol=0.01)
        assert (found["delivered_fte"][1:] < rigid["delivered_fte"][1:]).all()
    kept = outputs(made(120, **common, **flexible, **feedback(6)))
    assert kept["delivered_fte"][-1, 0] > rigid["delivered_fte"][-1, 0]


# ---- establishment ---------------------------------------------------------------------------------


POSTS = [post("p"), post("q"), post("r", role="blue", environment="lake")]


def test_redistribution_changes_no_total(small: Scenario) -> None:
    """In the shipped scenario (with `follow` and `reduce` beside it), and by hand."""
    node = copy.deepcopy(pharmsim.to_dict(small)["establishment"])
    calm = {"feedbacks": {}, "budgets": {}, "pipelines": {}, "supervision": {}, "leaving": {}, "moves": None,
            "hiring": None, "switches": [], "retirement": None, "cover": None}  # fmt: skip
    with_it = outputs(changed(small, **calm))["establishment_fte"]
    node["redistribution"] = []
    without = outputs(changed(small, **calm, establishment=node))["establishment_fte"]
    np.testing.assert_allclose(with_it.sum(axis=1), without.sum(axis=1), rtol=1e-12)
    assert np.abs(with_it[-1] - without[-1]).max() > 1


def test_redistribution_is_in_proportion_and_in_a_straight_line() -> None:
    move = {"from": {"post": ["p", "q"]}, "to": {"post": "r"}, "fte": 12, "start": month(3), "end": month(15)}
    node = {"fte": by_post(p=100, q=50, r=30), "redistribution": [move]}
    t = np.clip((np.arange(25) - 3) / 12, 0, 1)[:, None]
    found = outputs(made(24, posts=POSTS, establishment=node))["establishment_fte"]
    np.testing.assert_allclose(found, [100, 50, 30] + t * [-8, -4, 12], rtol=1e-12)
    new = {**node, "redistribution": [{**{k: v for k, v in move.items() if k != "from"}, "new": True}]}
    found = outputs(made(24, posts=POSTS, establishment=new))["establishment_fte"]
    np.testing.assert_allclose(found, [100, 50, 30] + t * [0, 0, 12], rtol=1e-12)


@pytest.mark.parametrize(("amount", "left"), [({"by_share": "20 %"}, 0.8), ({"by_fte": 15}, 0.9)])
def test_reduce_is_a_straight_line(amount: dict[str, Any], left: float) -> None:
    plan = {"where": {"role": "red"}, "policy": "reduce", **amount, "start": month(6), "end": month(18)}
    node = {"fte": by_post(p=100, q=50, r=30), "over_time": [plan]}
    factor = 1 - (1 - left) * np.clip((np.arange(25) - 6) / 12, 0, 1)[:, None]
    found = outputs(made(24, posts=POSTS, establishment=node))["establishment_fte"]
    np.testing.assert_allclose(found, factor ** [1, 1, 0] * [100, 50, 30], rtol=1e-12)


def test_reduce_by_fte_counts_the_posts_that_keep_the_plan() -> None:
    """q has a policy of its own: p gives all fifteen; a post without limit gives nothing."""
    plan = {"where": {"role": "red"}, "policy": "reduce", "by_fte": 15, "start": month(6), "end": month(6)}
    node = {"fte": by_post(p=100, q=50, r=30, s=0), "unconstrained": [{"post": "s"}],
            "over_time": [plan, {"where": {"post": "q"}, "policy": "hold"}]}  # fmt: skip
    found = outputs(made(12, posts=[*POSTS, post("s")], establishment=node))["establishment_fte"]
    np.testing.assert_allclose(found[:, :3], [[100, 50, 30]] * 6 + [[85, 50, 30]] * 7, rtol=1e-12)
    assert np.isnan(found[:, 3]).all()


@pytest.mark.parametrize("delay", [0.0, 8.0])
def test_follow_is_a_first_order_delay_of_need(delay: float) -> None:
    policy = {"policy": "follow", "share": "60 %", "delay": f"{delay} months"}
    need = {"fte": 90, "activity": {"items": {"index": step_to(1.3), "share": "50 %"}}}
    node = {"fte": 100, "over_time": [policy]}
    t = np.arange(37)
    seen = -np.expm1(-np.maximum(t - STEP + 1, 0) / delay) if delay else t >= STEP
    found = outputs(made(36, need=need, establishment=node))
    np.testing.assert_allclose(found["establishment_fte"][:, 0], 100 * (1 + 0.6 * 0.15 * seen), rtol=1e-12)
    np.testing.assert_allclose(found["required_fte"][:, 0], 90 * np.where(t < STEP, 1, 1.15), rtol=1e-12)


# ---- money -----------------------------------------------------------------------------------------


def capped(**budget: Any) -> Scenario:
    """Three posts with vacancies, cover and a joint post with backfill; hires want to fill what is funded."""
    posts = [
        post("p", split={"hill": 0.5, "lake": 0.5}, backfill_weeks=10), post("q"),
        post("r", role="blue", environment="lake"),
    ]  # fmt: skip
    money = {"per_fte": by_post(p=50_000, q=60_000, r=30_000), "cover_premium": 1.6, "on_costs": "20 %",
             "over_time": [{"index": {month(0): 1.0, month(60): 1.2}}]}  # fmt: skip
    return made(
        60, posts=posts, establishment={"vacancy_rate": "15 %"}, pay=money, need={"opening_ratio": 1.1},
        leaving={"out": {"rate": "8 % per year"}}, cover={"share": "70 %"},
        hiring={"sources": [{"name": "outside", "supply": "40 per year", "ages": one(30)}]},
        budgets={"red": {"where": {"role": "red"}, **budget}},
    )  # fmt: skip


@pytest.mark.parametrize("factor", [0.8, 0.95, 3.0])
def test_budget_that_caps_is_never_exceeded(factor: float) -> None:
    found = outputs(capped(of_opening={month(0): factor, month(40): 0.85 * factor}))
    reds = slice(0, 2)
    cost = found["pay_bill"][:, reds] / found["fte"][:, reds]
    money, funded = found["budget_money"][:, 0], (found["establishment_fte"][:, reds] * cost).sum(axis=1)
    in_post = found["pay_bill"][:, reds].sum(axis=1)
    bought = (found["cover_cost"] + found["backfill_cost"])[:, reds].sum(axis=1)
    assert (funded <= money * (1 + 1e-12)).all()
    assert (bought <= np.maximum(money - in_post, 0.0) + 1e-6).all()
    assert (np.minimum(in_post, money) + bought <= money * (1 + 1e-12)).all()
    assert np.isclose(funded, money, rtol=1e-12).any() == (factor < 3)
    assert (bought > 0).any() == (factor > 0.8)
    watching = outputs(capped(of_opening={month(0): factor, month(40): 0.85 * factor}, caps=False))
    exceeded = watching["pay_bill"][:, reds].sum(axis=1) + (
        watching["cover_cost"] + watching["backfill_cost"]
    )[:, reds].sum(axis=1)
    assert (exceeded > watching["budget_money"][:, 0]).any() == (factor < 3)


def test_cost_of_an_fte() -> None:
    """(pay + weighting between its bounds) × (1 + on-costs) × index; cover and its premium."""
    rows = [{"where": {"post": x}, "value": v} for x, v in (("p", "10 %"), ("q", "20 %"), ("r", "0 %"))]
    pay = {
        "per_fte": by_post(p=30_000, q=40_000, r=20_000), "on_costs": "25 %", "cover_premium": 1.5,
        "weighting": {"share": {"rows": rows}, "lowest": 4_000, "highest": 5_000},
        "over_time": [{"index": 2}, {"where": {"post": "q"}, "index": {month(0): 1.0, month(12): 1.1}}],
    }  # fmt: skip
    node = {"establishment": {"fte": 110}, "cover": {"share": "50 %", "cap": "4 %"}}
    found = outputs(made(12, posts=POSTS, pay=pay, **node))
    index = np.stack([np.full(13, 2.0), 1 + 0.1 * np.arange(13) / 12, np.full(13, 2.0)], axis=1)
    cost = np.array([34_000, 45_000, 20_000]) * 1.25 * index
    np.testing.assert_allclose(found["pay_bill"], 100 * cost / 12, rtol=1e-12)
    np.testing.assert_allclose(found["cover_cost"], 4.4 * 1.5 * cost / 12, rtol=1e-12)


@pytest.mark.parametrize("steps", [False, True])
def test_money_follows_moved_posts(steps: bool) -> None:
    """Ten posts of p (at its cost) go to q and r, half of them in no budget; new posts bring money."""
    node = {
        "fte": by_post(p=100, q=50, r=50),
        "redistribution": [
            {
                "from": {"post": "p"},
                "to": {"post": ["q", "r"]},
                "fte": 10,
                "start": month(6),
                "end": month(6),
            },
            {"to": {"post": "q"}, "fte": 2, "new": True, "start": month(12), "end": month(12)},
        ],
    }
    budgets = {
        "giving": {"where": {"post": "p"}, "of_opening": {month(0): 1.0, month(20): 2.0}, "steps": steps},
        "taking": {"where": {"post": "q"}, "of_opening": 1, "caps": False},
    }
    pay = {"per_fte": by_post(p=60_000, q=36_000, r=36_000)}
    found = outputs(made(24, posts=POSTS, establishment=node, pay=pay, budgets=budgets))["budget_money"] * 12
    t = np.arange(25)
    factor = np.where(t < 20, 1.0, 2.0) if steps else 1 + np.minimum(t / 20, 1)
    np.testing.assert_allclose(found[:, 0], 6_000_000 * factor - 600_000 * (t >= 6), rtol=1e-12)
    np.testing.assert_allclose(found[:, 1], 1_800_000 + 300_000 * (t >= 6) + 72_000 * (t >= 12), rtol=1e-12)


# ---- joint posts -----------------------------------------------------------------------------------


def joint(weeks: float = 6.0) -> Scenario:
    posts = [
        post("p"), post("q", environment="lake"),
        post("j", split={"hill": 0.75, "lake": 0.25}, backfill_weeks=weeks),
    ]  # fmt: skip
    return made(
        36, posts=posts, need={"opening_ratio": 1.0},
        moves={"edges": [{"from": "p", "to": "j", "rate": 0.2}]},
        retention={"month": "March", "levels": {"place": {"by": "environment"}, "post": {"by": "post"}}},
    )  # fmt: skip


def test_joint_post_delivers_where_its_split_says() -> None:
    found = outputs(joint())
    p, q, j = found["delivered_fte"].T
    np.testing.assert_allclose(
        found["service_fte"], np.stack([p + 0.75 * j, q + 0.25 * j], axis=1), rtol=1e-12
    )
    assert (np.diff(j) > 0).all()


def test_backfill_is_bought_for_everybody_who_enters() -> None:
    """FTE-months of backfill = people who entered × weeks × 12/52, a month later; none without weeks."""
    found = outputs(joint())
    entered = found["moves"][:, 0]
    np.testing.assert_allclose(found["backfill_fte"][1:, 2], entered * 6 * 12 / 52, rtol=1e-12)
    np.testing.assert_allclose(found["time_fte"][1:, 2, INTRODUCTION], entered * 6 * 12 / 52, rtol=1e-12)
    assert (found["backfill_fte"][:, :2] == 0).all()
    assert (outputs(joint(0.0))["backfill_fte"] == 0).all()


def test_backfill_of_a_year_is_spread_over_the_year() -> None:
    entered = outputs(changed(joint(), step="year"))
    np.testing.assert_allclose(
        entered["backfill_fte"][1:, 2], entered["moves"][:, 0] * 6 / 52, rtol=1e-12
    )  # weeks ÷ 52 of a year of an FTE for everybody who entered in the year before
    assert entered["moves"].shape[0] == 3


def test_backlog_that_nobody_has_time_for_waits() -> None:
    """A year of backfill a head: all the time of the post is lost until the backlog is worked off."""
    moves = {"edges": [{"from": "p", "to": "j", "rate": "3 per year"}],
             "over_time": {month(0): 1, month(1): 1, month(2): 0}}  # fmt: skip
    posts = [post("p"), post("j", split={"hill": 0.5, "lake": 0.5}, backfill_weeks=52)]
    scenario = made(48, posts=posts, heads=by_post(p=100, j=0), moves=moves, need={"fte": 50})
    found = outputs(scenario)
    entered, lost = found["moves"].sum(), found["time_fte"][:, 1, INTRODUCTION]
    np.testing.assert_allclose(lost[1:12], found["fte"][1:12, 1], rtol=1e-12)
    assert (found["delivered_fte"][1:12, 1] - found["backfill_fte"][1:12, 1] == 0).all()
    assert lost.sum() == pytest.approx(12 * entered)
    assert lost[-1] == 0


def test_tags_stay_on_moves_between_posts_with_a_block_in_common() -> None:
    """p and j both work on the hill: nobody is lost at the level of places, some at the level of posts."""
    found = outputs(joint())
    tagged, kept = found["tagged"].sum(axis=2), found["kept"].sum(axis=2)
    np.testing.assert_allclose(kept[:, 0], tagged[: len(kept), 0], rtol=1e-12)
    assert (kept[:, 1] < 0.97 * tagged[: len(kept), 1]).all()


def test_joint_posts_are_tagged_by_share_in_every_place_of_their_split() -> None:
    """100 in each post: a hundred of p and 75 of j on the hill, a hundred of q and 25 of j at the lake."""
    found = outputs(joint())
    np.testing.assert_allclose(found["tagged_in"][0], [175, 125, 100, 100, 100], rtol=1e-12)
    np.testing.assert_allclose(
        found["kept_in"][:, 0], found["tagged_in"][: len(found["kept_in"]), 0], rtol=1e-12
    )
    lost = found["tagged_in"][0, 2] - found["kept_in"][0, 2]
    assert lost == pytest.approx(100 * -np.expm1(-0.2), rel=1e-9)


# ---- need and delegation ---------------------------------------------------------------------------


def delegating(
    share: float, exchange: float = 1.0, supervision: float = 0.0, limit: float = 1.0
) -> dict[str, Array]:
    rule = {"name": "check", "from": {"role": "red"}, "to": "blue", "share": share, "exchange": exchange,
            "supervision": supervision, "limit": limit}  # fmt: skip
    plan = {
        "clinical": {"service": True, "share": "80 %"},
        "supervising": {"supervising": True, "share": "20 %"},
    }
    need = {"fte": by_post(p=100, q=60), "delegation": [rule] if share else []}
    return outputs(
        made(12, posts=[post("p"), post("q", role="blue")], need=need, working_time={"job_plan": plan})
    )


def test_delegation_conserves_work() -> None:
    none, some = delegating(0), delegating(0.2)
    np.testing.assert_allclose(some["required_fte"].sum(axis=1), none["required_fte"].sum(axis=1), rtol=1e-12)
    np.testing.assert_allclose(some["required_fte"], [[80, 80]] * 13, rtol=1e-12)
    np.testing.assert_allclose(delegating(0.2, exchange=1.5)["required_fte"], [[80, 90]] * 13, rtol=1e-12)
    np.testing.assert_array_equal(some["delivered_fte"], none["delivered_fte"])


def test_delegation_is_limited_and_its_supervision_costs_time() -> None:
    found = delegating(0.5, limit=0.1, supervision=0.3)
    np.testing.assert_allclose(found["delegated_fte"], [[10, 0]] * 13, rtol=1e-12)
    np.testing.assert_allclose(found["delivered_fte"], [[77, 80]] * 13, rtol=1e-12)


def test_opening_ratio_holds_after_delegation_and_what_it_takes() -> None:
    rule = {"name": "check", "from": {"role": "red"}, "to": "blue", "share": "20 %", "supervision": "25 %",
            "exchange": 1.2, "limit": 5}  # fmt: skip
    plan = {
        "clinical": {"service": True, "share": "80 %"},
        "supervising": {"supervising": True, "share": "20 %"},
    }
    need = {"opening_ratio": by_post(p=1.05, q=1.2), "delegation": [rule]}
    posts = [post("p"), post("q", role="blue")]
    found = outputs(made(12, posts=posts, need=need, working_time={"job_plan": plan}))
    np.testing.assert_allclose(found["pressure"], [[1.05, 1.2]] * 13, rtol=1e-9)
    given = found["delegated_fte"][0, 0]
    assert given == pytest.approx(found["required_fte"][0, 0] / 4)
    assert found["delivered_fte"][0, 0] == pytest.approx(80 - 0.25 * given)


def test_need_follows_activity_and_productivity() -> None:
    need = {"fte": 100, "productivity": "2 % per year",
            "activity": {"people": {"index": {month(0): 500, month(24): 600}, "share": "60 %"},
                         "items": {"index": {month(0): 8, month(24): 6}, "share": "30 %"}}}  # fmt: skip
    t = np.arange(25)
    expected = 100 * (1 + 0.6 * 0.2 * t / 24 - 0.3 * 0.25 * t / 24) * 0.98 ** (t / 12)
    found = outputs(made(24, need=need))
    np.testing.assert_allclose(found["required_fte"][:, 0], expected, rtol=1e-12)
    np.testing.assert_allclose(found["pressure"][:, 0], expected / 100, rtol=1e-12)


# ---- supervision limits training -------------------------------------------------------------------


def test_applicants_without_a_place_are_counted_when_supervisors_are_few() -> None:
    """Two trainees for each of ten supervisors who retire bit by bit; 60 apply each September."""
    pipe = {
        "role": "red", "intake": {"per_year": 60, "months": ["September"]},
        "stages": [{"name": "year", "months": 12, "trainees_per_fte": 2, "supervisors": {"post": "p"}}],
        "ages": one(30), "destinations": by_post(q="100 %"), "opening": {"rule": "steady"},
    }  # fmt: skip
    found = outputs(
        made(
            60, posts=[post("p", role="blue"), post("q")], heads=by_post(p=10, q=100),
            pipelines={"college": pipe},
            leaving={"out": {"rate": by_post(p=0.1, q=0)}}, establishment={"vacancy_rate": "50 %"},
            hiring={"sources": [{"name": "new", "pipelines": "all"}]},
        )
    )  # fmt: skip
    places = 20 * np.exp(-0.1 * np.arange(61) / 12)
    np.testing.assert_allclose(found["places"][:, 0], places, rtol=1e-12)
    np.testing.assert_allclose(found["entrants"][5::12, 0], 60, rtol=1e-12)
    np.testing.assert_allclose(found["intake"][5::12, 0], places[5:60:12], rtol=1e-12)
    np.testing.assert_allclose(
        found["unplaced"][:, 0], found["entrants"][:, 0] - found["intake"][:, 0], atol=1e-12
    )
    assert found["unplaced"][5::12].min() > 39


def test_internal_training_has_no_more_places_than_its_supervisors_give() -> None:
    """Sixty want to start a year; 0.4 for each of 100 supervisors may be in training at a time."""
    pipe = {
        "kind": "internal", "role": "red", "intake": by_post(a=40, b=20), "intake_months": ["June"],
        "months": 18, "routes": [{"from": x, "to": "p", "share": "100 %"} for x in ("a", "b")],
        "opening": {"rule": "from_past_intakes"},
        "trainees_per_fte": 0.4, "supervisors": {"post": "p"},
    }  # fmt: skip
    posts = [post("p"), post("a", role="blue"), post("b", role="blue", environment="lake")]
    found = outputs(made(48, posts=posts, heads=by_post(p=100, a=300, b=300), pipelines={"ladder": pipe}))
    starts, unplaced = found["training_starts"], found["training_unplaced"]
    wanted = np.zeros_like(starts)
    wanted[2::12] = [0, 40, 20]
    np.testing.assert_allclose(starts + unplaced, wanted, atol=1e-9)
    np.testing.assert_allclose(unplaced[:, 1], 2 * unplaced[:, 2], atol=1e-9)
    assert found["training_starts"][2::12].sum() > 30
    assert unplaced[2].sum() == pytest.approx(
        60
    )  # June 2026: the sixty of June 2025 hold all places and more


def test_eligible_people_share_the_places_of_internal_training() -> None:
    """Forty want to start in a and ten in b; only ten in a are of the age: ten places are shared equally."""
    young = {"where": {"post": "a", "age": "30"}, "value": "10 %"}
    ages = {"rows": [{"where": {"age": "30"}, "value": "100 %"}, young,
                     {"where": {"post": "a", "age": "60"}, "value": "90 %"}]}  # fmt: skip
    pipe = {
        "kind": "internal", "role": "red", "intake": by_post(a=40, b=10), "intake_months": ["April"],
        "months": 12, "ages": "16-40",
        "routes": [{"from": x, "to": "p", "share": "100 %"} for x in ("a", "b")],
        "opening": {"rule": "from_past_intakes"}, "over_time": {"March 2026": 0, "April 2026": 1},
        "trainees_per_fte": 0.1, "supervisors": {"post": "p"},
    }  # fmt: skip
    posts = [post("p"), post("a", role="blue"), post("b", role="blue", environment="lake")]
    found = outputs(made(12, posts=posts, ages=ages, pipelines={"ladder": pipe}))
    np.testing.assert_allclose(found["training_starts"][0], [0, 5, 5], rtol=1e-12)
    np.testing.assert_allclose(found["training_unplaced"][0], [0, 5, 5], rtol=1e-12)


# ---- linear where nothing feeds back and no limit binds --------------------------------------------


def linear(scale: dict[str, float], **sections: Any) -> dict[str, Array]:
    """Stock, supply, intakes and pools in proportion to `scale`, by post; no limit, no feedback."""
    plan = {"clinical": {"service": True, "share": "70 %"}, "leading": {"share": "10 %"},
            "supervising": {"supervising": True, "share": "20 %"}}  # fmt: skip
    contracts = {
        "rows": [
            {"where": {"contract": "full"}, "value": "70 %"},
            {"where": {"contract": "part"}, "value": "30 %"},
        ]
    }
    ages = {"rows": [{"where": {"age": "25-60"}, "value": "100 %"}]}
    rule = {
        "name": "check",
        "from": {"role": "red"},
        "to": "blue",
        "share": "10 %",
        "limit": 5,
        "supervision": "10 %",
    }
    college = {
        "role": "red", "intake": {"per_year": 30 * scale["p"], "months": ["September"]}, "ages": one(24),
        "stages": [{"name": "years", "months": 18, "drop_out": 0.1}], "gives_up": 0.5,
        "destinations": by_post(p="60 %", q="40 %"), "opening": {"rule": "steady", "seekers": 3 * scale["p"]},
    }  # fmt: skip
    ladder = {
        "kind": "internal", "role": "red", "intake": by_post(r=6 * scale["r"]),
        "intake_months": ["September"], "months": 12, "productivity": "50 %",
        "routes": [{"from": "r", "to": "p", "share": "100 %"}],
        "drop_out": 0.1, "opening": {"rule": "steady"},
    }  # fmt: skip
    posts = [post("p"), post("q", environment="lake", split={"lake": 0.6, "wood": 0.4}, backfill_weeks=6),
             post("r", role="blue"), post("s", role="blue", environment="lake")]  # fmt: skip
    heads = {"p": 100.0, "q": 60.0, "r": 80.0, "s": 50.0}
    by_heads = by_post(**{name: n * scale[name] for name, n in heads.items()})
    supply = by_post(**{name: 0.1 * n * scale[name] for name, n in heads.items()})
    common: dict[str, Any] = {
        "posts": posts, "heads": by_heads, "ages": ages, "contracts": ["full", "part"],
        "stock": {"contracts": contracts},
        "fte_per_head": {"rows": [{"value": 1}, {"where": {"contract": "part"}, "value": 0.6}]},
        "leaving": {"out": {"rate": 0.06}, "break": {"rate": 0.03, "into": "break"}},
        "retirement": {"rate": {"rows": [{"value": 0}, {"where": {"age": "58+"}, "value": 0.3}]}},
        "switches": [{"name": "less", "from": "full", "to": "part", "rate": 0.05}],
        "moves": {"edges": [{"from": "p", "to": "q", "rate": 0.05}]},
        "pools": {"break": {"return_rate": 0.8, "limited": False, "contracts": contracts,
                            "opening": by_post(**{name: 2 * x for name, x in scale.items()}),
                            "opening_ages": ages}},
        "hiring": {"time_to_hire": "2 months", "contracts": contracts, "sources": [
            {"name": "outside", "supply": supply, "ages": ages}, {"name": "new", "pipelines": "all"}]},
        "pipelines": {"college": college, "ladder": ladder},
        "working_time": {"absence": {"leave": "15 %"}, "job_plan": plan},
        "need": {"opening_ratio": 1.1, "delegation": [rule],
                 "activity": {"items": {"index": {month(0): 10, month(36): 12}, "share": "50 %"}}},
        "supervision": {"ladder": {"trainees": ["ladder"], "time": 0.1, "by": [{"where": {"role": "red"}}],
                                   "within": ["environment"]}},
        "pay": {"per_fte": 40_000, "on_costs": "20 %"},
    }  # fmt: skip
    return outputs(made(36, **{**common, **sections}))


A = {"p": 1.0, "q": 0.5, "r": 1.0, "s": 0.3}
B = {"p": 0.4, "q": 1.5, "r": 0.7, "s": 1.0}
BOTH = {name: A[name] + B[name] for name in A}


def superposition(**sections: Any) -> dict[str, float]:
    """By how much the run of both stocks differs from the sum of the runs of each, by output.

    First-year staff thin out at the mean rate of their post, whose mix of ages differs in the two runs.
    """
    a, b, both = (linear(scale, **sections) for scale in (A, B, BOTH))
    gaps = {}
    for name, whole in both.items():
        if OUTPUTS[name].unit in ("ratio", "share") or name in (
            "first_year",
            "vacancy_fte",
            "places",
            "establishment_fte",
        ):
            continue
        size = max(float(np.abs(whole).max()), 1.0)
        gaps[name] = float(np.abs(whole - a[name] - b[name]).max()) / size
    return gaps


def test_superposition_without_feedbacks_and_limits() -> None:
    gaps = superposition()
    assert {
        "headcount",
        "required_fte",
        "service_fte",
        "time_fte",
        "pay_bill",
        "joiners",
        "moves",
        "trainees",
    } <= set(gaps)
    assert max(gaps.values()) < 1e-12


BURNOUT = {"leaving": 1, "destinations": ["out"], "reference": "opening", "low": 0.1, "high": 10}


@pytest.mark.parametrize(
    "sections",
    [{"feedbacks": {"burnout": BURNOUT}}, {"establishment": {"fte": 100}}],
    ids=["feedback", "limit"],
)
def test_superposition_fails_with_a_feedback_or_a_limit(sections: dict[str, Any]) -> None:
    assert superposition(**sections)["headcount"] > 1e-4


# ---- restart ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", [1, 29])
def test_restart_gives_the_same_bits_with_all_feedbacks_on(
    small: Scenario, out: dict[str, Array], split: int
) -> None:
    assert small.feedbacks is not None
    first = pharmsim.run(small, last=split)
    second = outputs(small, state=first.final_state(), first=split)
    begun = {str(name): np.asarray(first.data[name].values[0]) for name in first.data.data_vars}
    for name, whole in out.items():
        if OUTPUTS[name].dims[0] in ("time", "period"):
            joined = np.concatenate([begun[name][:split], second[name][split:]])
            np.testing.assert_array_equal(joined, whole, err_msg=name)
    assert (out["multiplier"][split:] != 1.0).any()
