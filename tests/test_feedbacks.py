"""Each feedback alone against its equation: sign, delay, slope; its effect on the flow; its loop.

A case is a function of a factor on one input of the feedback (its elasticity or its delay). It returns
the multiplier that the model records, the ratio of the flow it acts on with the feedback on and off, and
what both must be for a factor of one. Every case is shown to fail at 1.05.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.optimize import brentq

import pharmsim
from made import STEP, Array, by_post, changed, made, month, one, outputs, post, step_to
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.services import FEEDBACKS

MONTHS = 36
T = np.arange(MONTHS + 1)
TINY = "0.00001 % per year"
"""A hazard so small that the flow can be measured while the stock stands still."""
BOUNDS = {"low": 0.01, "high": 50, "reference": "opening"}
Case = Callable[[float], tuple[Array, Array, Array]]


def perceived(before: float, after: float, delay: float) -> Array:
    """First-order delay of a step in month 12, seen at every start of a month."""
    gap = -np.expm1(-np.maximum(T - STEP + 1, 0) / delay) if delay else (T >= STEP).astype(float)
    return before + (after - before) * gap


def measured(scenario: Scenario, name: str, flow: Callable[[dict[str, Array]], Array]) -> tuple[Array, Array]:
    """Multiplier of the first post, and a flow with the feedback on ÷ off, by month."""
    feedbacks = pharmsim.to_dict(scenario)["feedbacks"]
    off = {key: {**feedback, "on": False} for key, feedback in feedbacks.items()}
    with_it, without = outputs(scenario), outputs(changed(scenario, feedbacks=off))
    assert "multiplier" not in without
    ratio = flow(with_it) / flow(without)
    if name == "training":
        return with_it["place_multiplier"][:, 0], ratio
    return with_it["multiplier"][:, FEEDBACKS.index(name), 0], ratio


LEAVING = {"out": {"rate": TINY}}
BUSY = {"opening_ratio": 1.0, "activity": {"items": {"index": step_to(1.2), "share": "100 %"}}}


def burnout(factor: float, delay: float = 6.0, elasticity: float = 1.5) -> tuple[Array, Array, Array]:
    feedback = {"leaving": elasticity * factor, "destinations": ["out"], "delay": f"{delay} months", **BOUNDS}
    got = measured(
        made(leaving=LEAVING, need=BUSY, feedbacks={"burnout": feedback}),
        "burnout",
        lambda x: x["leavers"][:, 0, 0],
    )
    return *got, perceived(1.0, 1.2, delay) ** elasticity


def burnout_delay(factor: float) -> tuple[Array, Array, Array]:
    feedback = {"leaving": 1.5, "destinations": ["out"], "delay": f"{6 * factor} months", **BOUNDS}
    scenario = made(leaving=LEAVING, need=BUSY, feedbacks={"burnout": feedback})
    return *measured(scenario, "burnout", lambda x: x["leavers"][:, 0, 0]), perceived(1.0, 1.2, 6.0) ** 1.5


def burnout_without_delay(factor: float) -> tuple[Array, Array, Array]:
    return burnout(factor, delay=0.0)


def shorter_hours(factor: float) -> tuple[Array, Array, Array]:
    feedback = {"shorter_hours": 0.8 * factor, "switches": ["less"], "delay": "3 months", **BOUNDS}
    scenario = made(
        contracts=["full", "part"], need=BUSY, feedbacks={"burnout": feedback},
        switches=[{"name": "less", "from": "full", "to": "part", "rate": TINY}],
        stock={"contracts": {"rows": [{"where": {"contract": "full"}, "value": "100 %"}]}},
    )  # fmt: skip
    got = measured(scenario, "shorter_hours", lambda x: x["switches"][:, 0, 0])
    return *got, perceived(1.0, 1.2, 3.0) ** 0.8


GROWING = {"vacancy_rate": "10 %", "over_time": [{"policy": "table", "table": step_to(1.1)}]}


def recruitment(factor: float) -> tuple[Array, Array, Array]:
    feedback = {"elasticity": 0.7 * factor, "sources": ["outside"], "delay": "4 months", **BOUNDS}
    hiring = {"sources": [{"name": "outside", "supply": "0.00001 per year", "ages": one(30)}]}
    scenario = made(establishment=GROWING, hiring=hiring, feedbacks={"recruitment": feedback})
    got = measured(scenario, "recruitment", lambda x: x["joiners"][:, 0, 0])
    return *got, (perceived(0.1, 1 - 0.9 / 1.1, 4.0) / 0.1) ** 0.7


def training(factor: float) -> tuple[Array, Array, Array]:
    """A quarter of the supervisors retire on the first anniversary; a stage of one month fills its places."""
    ages = {"rows": [{"where": {"age": "100"}, "value": "25 %"}, {"where": {"age": "30"}, "value": "75 %"}]}
    pipe = {
        "role": "red", "intake": {"per_year": 1200, "months": list(map(month_name, range(12)))},
        "stages": [{"name": "year", "months": 1, "places": 20, "supervisors": {"role": "red"}}],
        "ages": one(30), "destinations": by_post(p="100 %"), "opening": {"rule": "steady"},
    }  # fmt: skip
    hiring = {"sources": [{"name": "new", "pipelines": "all"}]}
    feedback = {"elasticity": 2.0 * factor, "delay": "5 months", **BOUNDS}
    scenario = made(
        ages=ages, pipelines={"college": pipe}, establishment={"fte": 1}, hiring=hiring,
        feedbacks={"training": feedback},
    )  # fmt: skip
    return *measured(scenario, "training", lambda x: x["intake"][:, 0]), perceived(1.0, 0.75, 5.0) ** 2.0


def month_name(n: int) -> str:
    return month(n).split()[0]


def attractiveness(factor: float, **strengths: float) -> tuple[Array, Array, Array]:
    """People of q move to p, whose vacancies, pressure or pay step up."""
    at_p = {"post": "p"}
    steps = {name: step_to(size if name in strengths else 1.0)
             for name, size in (("openings", 1.1), ("pressure", 1.2), ("pay", 1.3))}  # fmt: skip
    feedback = {
        **{name: strength * factor for name, strength in strengths.items()}, "delay": "4 months", **BOUNDS,
    }  # fmt: skip
    scenario = made(
        posts=[post("p"), post("q", environment="lake")],
        moves={"edges": [{"from": "q", "to": "p", "rate": TINY}]},
        establishment={
            "vacancy_rate": "10 %",
            "over_time": [{"where": at_p, "policy": "table", "table": steps["openings"]}],
        },
        need={
            "fte": 100,
            "activity": {"items": {
                "index": steps["pressure"], "share": by_post(p="100 %")}},
        },
        pay={"per_fte": 40000, "over_time": [{"where": at_p, "index": steps["pay"]}]},
        feedbacks={"attractiveness": feedback},
    )  # fmt: skip
    expected = np.ones_like(T, dtype=float)
    after = {"openings": (1 - 0.9 / 1.1) / 0.1, "pressure": 1.2, "pay": 1.3}
    for name, strength in strengths.items():
        expected *= perceived(1.0, after[name], 4.0) ** (-strength if name == "pressure" else strength)
    return *measured(scenario, "attractiveness", lambda x: x["moves"][:, 0]), expected


def openings(factor: float) -> tuple[Array, Array, Array]:
    return attractiveness(factor, openings=0.6)


def pressure_repels(factor: float) -> tuple[Array, Array, Array]:
    return attractiveness(factor, pressure=0.9)


def pay_attracts(factor: float) -> tuple[Array, Array, Array]:
    return attractiveness(factor, pay=1.4)


def inexperience(factor: float) -> tuple[Array, Array, Array]:
    """Nobody joins: first-year staff mature in twelve months, and the time to settle in shrinks with them."""
    delay, share = 3.0, 0.24
    scenario = made(
        first_year={"leaving_ratio": 1, "opening_share": share}, working_time={"first_year_output": "60 %"},
        feedbacks={"inexperience": {
            "elasticity": 0.5 * factor, "delay": f"{delay} months", **BOUNDS, "low": 0.001}},
    )  # fmt: skip
    keep, ramp = np.exp(-1 / delay), 1 / 12
    early = np.minimum(T, 12)
    # y lags a ramp by keep/(1 − keep) months: the sum of what is still to be perceived
    y = 1 - ramp * (early - keep * (1 - keep**early) / (1 - keep))
    y = y * np.where(T > 12, keep ** (T - 12), 1.0)
    return *measured(scenario, "inexperience", lambda x: x["time_fte"][:-1, 0, SETTLING]), y**0.5


SETTLING = 1
"""Position of `settling_in` among the uses of time where no absence is given."""


def flexibility(factor: float) -> tuple[Array, Array, Array]:
    """The full-timers retire on the first anniversary: FTE per head falls from 0.9 to 0.6."""
    ages = {"rows": [{"where": {"age": "100"}, "value": "75 %"}, {"where": {"age": "30"}, "value": "25 %"}]}
    part = [{"where": {"contract": "part", "age": "16-90"}, "value": "100 %"},
            {"where": {"contract": "full", "age": "91-100"}, "value": "100 %"}]  # fmt: skip
    hours = [{"where": {"contract": "full"}, "value": 1}, {"where": {"contract": "part"}, "value": 0.6}]
    scenario = made(
        ages=ages, contracts=["full", "part"], stock={"contracts": {"rows": part}}, leaving=LEAVING,
        fte_per_head={"rows": hours},
        feedbacks={"flexibility": {
            "elasticity": 2.5 * factor, "delay": "6 months", "destinations": ["out"], **BOUNDS}},
    )  # fmt: skip
    return *measured(scenario, "flexibility", lambda x: x["leavers"][:, 0, 0]), perceived(
        1.0, 0.6 / 0.9, 6.0
    ) ** 2.5


CASES: dict[str, Case] = {
    case.__name__: case
    for case in (
        burnout, burnout_delay, burnout_without_delay, shorter_hours, recruitment, training, openings,
        pressure_repels, pay_attracts, inexperience, flexibility,
    )
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_step_response(name: str) -> None:
    multiplier, effect, expected = CASES[name](1.0)
    assert abs(expected[-1] - 1) > 0.05
    np.testing.assert_allclose(multiplier, expected, rtol=2e-5)
    np.testing.assert_allclose(effect, expected[:-1], rtol=2e-5)


@pytest.mark.parametrize("name", CASES)
def test_step_response_sees_five_percent(name: str) -> None:
    multiplier, effect, expected = CASES[name](1.05)
    assert np.abs(multiplier / expected - 1).max() > 1e-3
    assert np.abs(effect / expected[:-1] - 1).max() > 1e-3


@pytest.mark.parametrize(("name", "sign"), [
    ("burnout", 1), ("shorter_hours", 1), ("recruitment", 1), ("training", -1), ("openings", 1),
    ("pressure_repels", -1), ("pay_attracts", 1), ("inexperience", -1), ("flexibility", -1),
])  # fmt: skip
def test_sign(name: str, sign: int) -> None:
    multiplier, effect, _ = CASES[name](1.0)
    assert sign * (multiplier[-1] - 1) > 0
    assert sign * (effect[-1] - 1) > 0


def test_slope_near_the_reference_is_the_elasticity() -> None:
    """One per cent more need raises leaving by ε per cent; a wrong ε is seen."""
    need = {**BUSY, "activity": {"items": {"index": step_to(1.01), "share": "100 %"}}}
    slopes = {}
    for elasticity in (0.5, 2.0):
        feedback = {"leaving": elasticity, "destinations": ["out"], **BOUNDS}
        out = outputs(made(leaving=LEAVING, need=need, feedbacks={"burnout": feedback}))
        slopes[elasticity] = (out["multiplier"][-1, 0, 0] - 1) / 0.01
    assert slopes[0.5] == pytest.approx(0.5, rel=0.02)
    assert slopes[2.0] == pytest.approx(2.0, rel=0.02)


def test_reference_as_a_number_and_bounds() -> None:
    """A run need not start neutral if the reference is a number; bounds hold."""
    feedback = {"leaving": 1, "destinations": ["out"], "reference": 0.8, "low": 0.9, "high": 1.4}
    out = outputs(made(leaving=LEAVING, need=BUSY, feedbacks={"burnout": feedback}))["multiplier"][:, 0, 0]
    np.testing.assert_allclose(out[:STEP], 1 / 0.8, rtol=1e-5)
    np.testing.assert_array_equal(out[STEP:], 1.4)


def test_where_limits_a_feedback_to_its_posts() -> None:
    feedback = {"leaving": 2, "destinations": ["out"], "where": {"post": "q"}, **BOUNDS}
    posts = [post("p"), post("q", environment="lake")]
    out = outputs(made(posts=posts, leaving=LEAVING, need=BUSY, feedbacks={"burnout": feedback}))
    assert (out["multiplier"][:, 0, 0] == 1.0).all()
    assert out["multiplier"][-1, 0, 1] == pytest.approx(1.2**2, rel=1e-5)


def test_what_changes_everywhere_alike_moves_nobody() -> None:
    """Pay rises by half in both posts, then in one: the bounds hold the ratio of the two."""
    feedback = {"attractiveness": {"pay": 2, **BOUNDS, "high": 1.3}}
    moves = {"edges": [{"from": "q", "to": "p", "rate": TINY}]}
    found = {}
    for where in ({}, {"post": "p"}):
        pay = {"per_fte": 40_000, "over_time": [{"where": where, "index": step_to(1.5)}]}
        scenario = made(posts=[post("p"), post("q")], moves=moves, pay=pay, feedbacks=feedback)
        found[bool(where)] = outputs(scenario)["move_multiplier"][:, 0]
    np.testing.assert_array_equal(found[False], 1.0)
    np.testing.assert_array_equal(found[True], np.where(T < STEP, 1.0, 1.3))


# ---- loops ---------------------------------------------------------------------------------------------


def balancing(elasticity: float) -> Array:
    """Headcount over sixty years: ten per cent leave a year, and vacancies draw people in."""
    feedback = {"elasticity": elasticity, "sources": ["outside"], "delay": "6 months", **BOUNDS}
    hiring = {"sources": [{"name": "outside", "supply": "5 per year", "ages": one(30)}]}
    scenario = made(
        720, leaving={"out": {"rate": "10 % per year"}}, hiring=hiring,
        establishment={"vacancy_rate": "10 %"}, feedbacks={"recruitment": feedback},
    )  # fmt: skip
    return outputs(scenario)["fte"][:, 0]


def test_balancing_loop_settles_where_hires_equal_leavers() -> None:
    heads = balancing(2.0)
    funded, leave, month_share = 100 / 0.9, -np.expm1(-0.1 / 12), 5 / 12

    def gap(n: float) -> float:
        hires = month_share * ((1 - n / funded) / 0.1) ** 2.0
        return hires - n * leave

    level = brentq(gap, 1.0, 110.0)
    assert level == pytest.approx(heads[-1], rel=1e-6)
    assert np.abs(np.diff(heads[-120:])).max() < 1e-6
    assert brentq(lambda n: month_share - n * leave, 1.0, 110.0) == pytest.approx(
        balancing(0.0)[-1], rel=0.01
    )
    assert heads[-1] > balancing(0.0)[-1] + 5


def test_burnout_loop_runs_away_only_to_its_bound() -> None:
    """Fewer people, more pressure, more leavers: the multiplier rises to its bound and stays there."""
    feedback = {"leaving": 2, "destinations": ["out"], "delay": "3 months", **BOUNDS, "high": 1.8}
    loop = made(
        180,
        leaving={"out": {"rate": "10 % per year"}},
        need={"opening_ratio": 1},
        feedbacks={"burnout": feedback},
    )
    out = outputs(loop)
    multiplier, fte = out["multiplier"][:, 0, 0], out["fte"][:, 0]
    assert multiplier[0] == 1.0
    assert (np.diff(multiplier) >= 0).all()
    assert (multiplier[-60:] == 1.8).all()
    np.testing.assert_allclose(fte[-60:-1] / fte[-61:-2], np.exp(-0.18 / 12), rtol=1e-12)
    free = outputs(changed(loop, feedbacks={"burnout": {**feedback, "high": 50}}))["multiplier"][:, 0, 0]
    assert free.max() > 10


# ---- neutral ---------------------------------------------------------------------------------------------


def small_system() -> Scenario:
    from pharmsim.scenario import shipped

    return pharmsim.load(str(shipped("small_system.yaml")))


def test_baseline_starts_neutral() -> None:
    """All multipliers are exactly 1 at the start, and not all a year later."""
    scenario = small_system()
    assert scenario.feedbacks is not None
    assert all(getattr(scenario.feedbacks, name).on for name in type(scenario.feedbacks).model_fields)
    out = outputs(scenario)
    assert (out["multiplier"][0] == 1.0).all()
    assert (out["place_multiplier"][0] == 1.0).all()
    assert all((out["multiplier"][12, i] != 1.0).any() for i in range(len(FEEDBACKS)))
    assert (out["place_multiplier"][12] != 1.0).any()


def all_feedbacks(on: bool, index: float = 1.0) -> dict[str, Array]:
    """Two equal posts that exchange people and contracts: everything flows, no signal moves (index 1)."""
    common = {"on": on, **BOUNDS}
    pipe = {
        "role": "red", "intake": {"per_year": 240, "months": ["September"]},
        "stages": [{"name": "year", "months": 12, "places": 20, "supervisors": {"role": "red"}}],
        "ages": one(30), "destinations": by_post(p="50 %", q="50 %"), "opening": {"rule": "steady"},
    }  # fmt: skip
    out = made(
        24, posts=[post("p"), post("q")], pipelines={"college": pipe}, contracts=["one", "other"],
        establishment={"vacancy_rate": "60 %"}, first_year={"leaving_ratio": 1, "opening_share": 0},
        working_time={"first_year_output": "50 %"}, pay={"per_fte": 40000},
        switches=[{"name": "there", "from": "one", "to": "other", "rate": 0.3},
                  {"name": "back", "from": "other", "to": "one", "rate": 0.2}],
        moves={"edges": [{"from": "p", "to": "q", "rate": 0.1}, {"from": "q", "to": "p", "rate": 0.1}]},
        leaving={"out": {"rate": 0}}, stock={"contracts": {"rows": [{"value": "50 %"}]}},
        hiring={"time_to_hire": "36 months",
                "sources": [{"name": "outside", "supply": "2 per year", "ages": one(30)},
                            {"name": "new", "pipelines": "all"}]},
        need={"opening_ratio": 1.1, "activity": {"items": {"index": step_to(index), "share": "100 %"}}},
        feedbacks={
            "burnout": {**common, "leaving": 1, "shorter_hours": 2, "destinations": ["out"],
                        "switches": ["there", "back"]},
            "recruitment": {**common, "elasticity": 1, "sources": ["outside"]},
            "training": {**common, "elasticity": 1},
            "attractiveness": {**common, "openings": 1, "pressure": 1, "pay": 1},
            "inexperience": {**common, "elasticity": 1},
            "flexibility": {**common, "elasticity": 1, "destinations": ["out"]},
        },
    )  # fmt: skip
    return outputs(out)


def test_signals_that_do_not_move_leave_everything_as_with_feedbacks_off() -> None:
    on, off = all_feedbacks(on=True), all_feedbacks(on=False)
    assert (on["multiplier"] > 1 - 1e-12).all()
    for name, array in off.items():
        np.testing.assert_allclose(on[name], array, rtol=1e-10, atol=1e-10, err_msg=name)
    for name in ("switches", "moves", "offers_made", "unplaced"):
        assert on[name].sum() > 1
    moved = all_feedbacks(on=True, index=1.1)
    assert np.abs(moved["switches"] - off["switches"]).max() > 0.1
