"""Properties of interventions: nothing for nothing, order, time, bounds, cost; every quantity acts."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pharmsim
from canonical import row, terms, value
from made import STEP, Array, by_post, made, month, outputs, post
from pharmsim.errors import InputError
from pharmsim.quantities import ADJUSTABLE, FLOWS, KINDS, OUTPUTS
from pharmsim.scenario.interventions import Intervention
from pharmsim.scenario.joint_posts import add
from pharmsim.scenario.loading import tree_of
from pharmsim.scenario.models import Scenario
from random_interventions import names_of
from random_scenarios import random_scenario

SMALL = Path(__file__).parents[1] / "scenarios" / "small_system.yaml"
STRONG: dict[str, dict[str, float]] = {
    "first_year_output": {"to": 0.5}, "skills_overlap": {"to": 0.3}, "cover_cap": {"to": 0.01},
    "time_to_fill": {"times": 4.0}, "trainees_per_fte": {"times": 0.2}, "cover_premium": {"times": 1.5},
    "fte_per_head": {"times": 0.9}, "establishment": {"times": 1.1}, "need": {"times": 1.2},
}  # fmt: skip
"""Effects that show in the small system; half of all other quantities."""


def lever(name: str = "lever", *effects: dict[str, Any], **more: Any) -> Intervention:
    """An intervention from the first month on in which everybody takes part at once."""
    told = [{"name": f"{i}", **effect} for i, effect in enumerate(effects)]
    whole = {
        "name": name, "title": name, "level": "team", "category": "retain", "start": "2026-04",
        "effects": told, "outcome": {"measure": "headcount", "direction": "up"},
    }  # fmt: skip
    return Intervention.model_validate(whole | more)


def strong(quantity: str) -> dict[str, Any]:
    verbs = STRONG.get(quantity, {"times": 0.5})
    return {"quantity": quantity} | {verb: value(number) for verb, number in verbs.items()}


def using(scenario: Scenario, *levers: Intervention) -> Scenario:
    return scenario.model_copy(update={"interventions": levers})


def differing(a: dict[str, Array], b: dict[str, Array]) -> set[str]:
    """Outputs that are not the same to the bit, costs of programmes apart."""
    return {
        name
        for name in (a.keys() | b.keys()) - {"programme_cost"}
        if not np.array_equal(a[name], b[name], equal_nan=True)
    }


@lru_cache
def whole() -> Scenario:
    """The small system for four years, with every section that an intervention can change."""
    small = pharmsim.to_dict(pharmsim.load(SMALL))
    edges = small["moves"]["edges"]
    small["leaving"]["other_system"]["into"] = "away"
    small["retention"]["levels"]["employer"] = {"by": ["environment"], "employer_changes": True}
    up = {"from": "technician.community", "to": "technician.hospital", "rate": {"value": 0.05}}
    overlap = [{"from": edge["from"], "to": edge["to"], "share": {"value": 0.8}} for edge in edges[:2]]
    pool = {"return_rate": terms([row(2.0)]), "opening": terms([row(4.0)])}
    return pharmsim.from_dict(
        small
        | {
            "end": "2030-04",
            "pools": {"away": pool},
            "promotions": {"edges": [up]},
            "moves": small["moves"] | {"skills_overlap": overlap},
            "employer_change": {"rate": terms([row(0.1)])},
        }
    )


@lru_cache
def base(draws: int = 0) -> list[dict[str, Array]]:
    """Outputs of the whole system without interventions, by draw."""
    return every(whole(), draws)


def every(scenario: Scenario, draws: int, **options: Any) -> list[dict[str, Array]]:
    data = pharmsim.run(scenario, draws=draws, **options).data
    return [{str(n): data[n].values[d] for n in data.data_vars} for d in range(draws + 1)]


def test_the_whole_system_has_every_quantity() -> None:
    assert set(names_of(whole())) == set(ADJUSTABLE)


# ---- nothing for nothing ---------------------------------------------------------------------------


def neutral(quantity: str) -> list[dict[str, Any]]:
    """Effects that change nothing, whatever the strength."""
    effects: list[dict[str, Any]] = [{"times": value(1.0)}]
    if quantity != "returns":
        effects += [{"plus": value(0.0)}, {"plus": value(0.1), "claimed": True}]
    effects.append({"times": value(0.5), "claimed": True})
    return [{"quantity": quantity} | effect for effect in effects]


@pytest.mark.parametrize("quantity", ADJUSTABLE)
def test_no_effect_is_no_difference(quantity: str) -> None:
    """Nobody takes part; or × 1, + 0 and a claim of nothing with everybody."""
    nobody = lever("nobody", strong(quantity), uptake=value(0.0), costs={"per_year": value(1e5)})
    everybody = lever("everybody", *neutral(quantity), claim=0.0)
    assert differing(outputs(using(whole(), nobody, everybody)), base()[0]) == set()


@pytest.mark.parametrize("quantity", ADJUSTABLE)
def test_no_effect_in_one_draw_is_no_difference_in_it(quantity: str) -> None:
    """Central values × 1 and + 0 go through the engine, for the other draws have other numbers."""
    effects: list[dict[str, Any]] = [{"times": value(1.0) | {"low": 0.9, "high": 1.0}}]
    if quantity not in ("returns", "skills_overlap"):
        effects.append({"plus": value(0.0) | {"low": 0.0, "high": 0.01}})
    if ADJUSTABLE[quantity].kind == "share":  # nothing above the bounds
        effects = effects[:1]
    effects = [
        {"quantity": quantity, verb: number | {"uncertainty": verb}}
        for effect in effects
        for verb, number in effect.items()
    ]
    got, want = every(using(whole(), lever("lever", *effects)), 2), base(2)
    assert differing(got[0], want[0]) == set()
    assert differing(got[1], want[1]) != set()


@pytest.mark.parametrize("quantity", ["leaving", "retirement", "switching"])
def test_no_effect_at_some_ages_in_one_draw_is_rounding(quantity: str) -> None:
    """Hazards in parts by age are added up in another order."""
    number = value(1.0) | {"low": 0.9, "high": 1.0, "uncertainty": "x"}
    it = lever("lever", {"quantity": quantity, "times": number, "ages": "30-45"})
    got, want = every(using(whole(), it), 2)[0], base(2)[0]
    for name, array in want.items():
        np.testing.assert_allclose(got[name], array, rtol=1e-11, atol=1e-11, err_msg=name)


@pytest.mark.parametrize("part", ["job_plan", "supervision", "introduction", "joint"])
def test_other_changes_of_nobody_are_no_difference(part: str) -> None:
    everything: dict[str, dict[str, Any]] = {
        "job_plan": {"job_plan": [{"name": "x", "from": "leading", "to": "clinical", "share": value(0.05)}]},
        "supervision": {"supervision": [{"name": "x", "by": {"role": ["technician"]}, "share": value(1.0)}]},
        "introduction": {"introduction": {"share": value(0.2), "months": 6.0}},
        "joint": {"effects": [{"name": "x", "joint": True} | strong("leaving")]},
    }
    nobody = lever("nobody", **everything[part] | {"uptake": value(0.0)})
    assert differing(outputs(using(whole(), nobody)), base()[0]) == set()
    if part != "joint":
        some = lever("some", **everything[part] | {"uptake": value(0.5)})
        assert "delivered_fte" in differing(outputs(using(whole(), some)), base()[0])


@pytest.mark.parametrize("quantity", ADJUSTABLE)
def test_every_quantity_acts(quantity: str) -> None:
    """No number that interventions are said to change is dead."""
    assert differing(outputs(using(whole(), lever("lever", strong(quantity)))), base()[0]) != set()


# ---- order and time ------------------------------------------------------------------------------------


def several() -> list[Intervention]:
    """Interventions on the same cells, with every verb."""
    leaving = {"quantity": "leaving"}
    return [
        lever("mint", leaving | {"times": value(0.7)}, leaving | {"plus": value(0.013)}, uptake=value(0.31)),
        lever("arch", leaving | {"times": value(0.83)}, {"quantity": "pay", "times": value(1.07)},
              leaving | {"plus": value(0.0071), "ages": "25-40"}, ramp=7.3, costs={"per_head": value(333.0)}),
        lever("zeal", leaving | {"to": value(0.11)}, {"quantity": "pay", "plus": value(1234.5)},
              uptake=value(0.77) | {"low": 0.6, "high": 0.9, "uncertainty": "zeal"}),
        lever("bolt", job_plan=[{"name": "a", "from": "leading", "to": "clinical", "share": value(0.04)},
                                {"name": "b", "from": "clinical", "to": "training", "share": value(0.9)}]),
    ]  # fmt: skip


def test_order_of_interventions_and_effects_changes_no_bit() -> None:
    levers = several()
    turned = [
        it.model_copy(update={"effects": it.effects[::-1], "job_plan": it.job_plan[::-1]})
        for it in levers[::-1]
    ]
    one = pharmsim.run(using(whole(), *levers), draws=2).data
    other = pharmsim.run(using(whole(), *turned), draws=2).data
    assert list(one["intervention"].values) != list(other["intervention"].values)
    other = other.sel(intervention=one["intervention"])
    for name in one.data_vars:
        np.testing.assert_array_equal(one[name].values, other[name].values, err_msg=str(name))
    assert differing(outputs(using(whole(), *levers[:3])), outputs(using(whole(), *levers))) != set()


@pytest.mark.parametrize("start", [0, 1, 7])
def test_nothing_changes_before_the_start(start: int) -> None:
    """The opening and the first month are those of the base whatever starts then."""
    plan = [{"name": "x", "from": "leading", "to": "clinical", "share": value(0.05)}]
    levers = [lever(q, strong(q), start=month_of(start)) for q in ADJUSTABLE]
    levers.append(lever("time", start=month_of(start), job_plan=plan,
                        introduction={"share": value(0.2), "months": 6.0}))  # fmt: skip
    got, want = outputs(using(whole(), *levers)), base()[0]
    first = max(start, 1)
    early = {n: got[n][:first] for n in want if OUTPUTS[n].dims[0] in ("time", "period")}
    assert differing(early, {n: want[n][:first] for n in early}) == set()
    np.testing.assert_array_equal(got["headcount"][: first + 1], want["headcount"][: first + 1])
    for name in ("delivered_fte", "pay_bill", "pressure"):
        assert (got[name][first] != want[name][first]).any()
    assert all((got[n][first] != want[n][first]).any() for n in ("leavers", "switches", "moves"))
    assert {"leavers", "moves"} <= FLOWS.keys()


def month_of(n: int) -> str:
    """The n-th month after April 2026, in canonical form."""
    return f"{2026 + (n + 3) // 12}-{(n + 3) % 12 + 1:02d}"


def strength(**more: Any) -> Array:
    """Strength by month, read off the pay of one post that is doubled for those who take part."""
    scenario = made(pay={"per_fte": "£1,200 per year"})
    doubled = lever("lever", {"quantity": "pay", "times": value(2.0)}, **more)
    out = outputs(using(scenario, doubled))
    return np.asarray(out["pay_bill"][:, 0] / out["fte"][:, 0] / 100 - 1)


def test_strength_grows_with_the_ramp_and_halves_after_the_end() -> None:
    t = np.arange(37.0)
    uptake = {"uptake": value(0.8), "start": month_of(6)}
    np.testing.assert_allclose(strength(**uptake), 0.8 * (t >= 6), atol=1e-12)
    ramp = 0.8 * np.clip((t - 6) / 8, 0, 1)
    np.testing.assert_allclose(strength(**uptake, ramp=8.0), ramp, atol=1e-12)
    gone = {"ramp": 8.0, "end": month_of(10)}
    np.testing.assert_allclose(strength(**uptake, **gone), np.where(t < 10, ramp, 0), atol=1e-12)
    left = np.where(t < 10, ramp, 0.4 * 0.5 ** ((t - 10) / 5))
    np.testing.assert_allclose(strength(**uptake, **gone, half_life=5.0), left, atol=1e-12)
    np.testing.assert_allclose(strength(), t >= 1, atol=1e-12)  # at the opening nothing


def test_verbs_are_applied_in_turn() -> None:
    """`to`, then `plus`, then `times`, whatever the names; claims scale what is claimed."""
    scenario = made(pay={"per_fte": "£1,200 per year"})
    pay = {"quantity": "pay"}
    levers = [
        lever("a", pay | {"times": value(1.5)}, uptake=value(0.5)),
        lever("b", pay | {"plus": value(240.0), "claimed": True}, claim=0.5),
        lever("c", pay | {"to": value(2000.0)}, uptake=value(0.25)),
    ]
    out = outputs(using(scenario, *levers))
    yearly = 12 * out["pay_bill"][1:, 0] / out["fte"][1:, 0]
    np.testing.assert_allclose(yearly, (1200 + 800 * 0.25 + 120) * 1.25, rtol=1e-12)


def test_a_run_continued_is_the_run_and_a_draw_alone_is_the_draw() -> None:
    scenario = using(whole(), *several())
    full, cut = pharmsim.run(scenario, draws=3), 19
    first = pharmsim.run(scenario, draws=3, last=cut)
    rest = pharmsim.run(scenario, draws=3, state=first.final_state(), first=cut)  # type: ignore[arg-type]
    assert differing(rows_of(full, 0), base()[0]) != set()
    for name in full.data.data_vars:
        axis = OUTPUTS[str(name)].dims[0]
        if axis in ("time", "period"):
            got, want = rest.data[name].values[:, cut:], full.data[name].values[:, cut:]
            np.testing.assert_array_equal(got, want, err_msg=str(name))
            got, want = first.data[name].values[:, :cut], full.data[name].values[:, :cut]
            np.testing.assert_array_equal(got, want, err_msg=str(name))
    alone = pharmsim.run(scenario, draws=0)
    assert differing(rows_of(alone, 0), rows_of(full, 0)) == set()
    fewer = pharmsim.run(scenario, draws=1)
    assert differing(rows_of(fewer, 1), rows_of(full, 1)) == set()


def rows_of(results: pharmsim.Results, draw: int) -> dict[str, Array]:
    return {str(n): results.data[n].values[draw] for n in results.data.data_vars}


# ---- bounds and conflicts ------------------------------------------------------------------------------


def outside(quantity: str) -> dict[str, Any]:
    """An effect that leaves the bounds in some draws only."""
    top = KINDS[ADJUSTABLE[quantity].kind].high
    if quantity == "returns":
        return {"times": value(1.0) | {"low": 1.0, "high": 100.0, "dist": "uniform"}}
    return {"to": value(top / 2) | {"low": top / 4, "high": top * 5, "dist": "uniform"}}


@pytest.mark.parametrize("quantity", ADJUSTABLE)
def test_a_number_outside_its_bounds_in_one_draw_is_refused(quantity: str) -> None:
    wild = lever("wild", {"quantity": quantity} | outside(quantity), uptake=value(1.0))
    with pytest.raises(InputError, match=quantity) as error:
        pharmsim.run(using(whole(), wild), draws=9)
    assert "wild" in str(error.value)
    if ADJUSTABLE[quantity].by:
        assert any(p.post in str(error.value) for p in whole().posts)


def test_an_effect_that_would_make_a_number_negative_is_refused() -> None:
    less = lever("less", {"quantity": "leaving", "plus": value(-0.06), "of": ["other_system"]})
    with pytest.raises(InputError, match=r"less .*leaving.*other_system"):
        pharmsim.run(using(whole(), less))
    fewer = lever("less", {"quantity": "leaving", "plus": value(-0.04), "of": ["other_system"]})
    assert pharmsim.run(using(whole(), fewer)).data["leavers"].values.min() >= 0.0


def test_joint_posts_cannot_take_more_than_other_interventions_leave() -> None:
    rotating = lever("rotating", reach={"post": ["pharmacist.hospital"]}, uptake=value(0.6),
                     posts={"suffix": "shared", "split": {"home": 0.5, "community": 0.5},
                            "entry": value(0.2)})  # fmt: skip
    cut = {"quantity": "establishment", "where": {"post": ["pharmacist.hospital"]}}
    some, more = (lever("cut", cut | {"times": value(left)}) for left in (0.8, 0.5))
    for fewer in (some, more):
        planned = using(whole(), rotating, fewer)
        tree = tree_of(planned)
        add(tree, planned, rotating)
        scenario = Scenario.model_validate(tree)
        if fewer is some:
            assert pharmsim.run(scenario).data["establishment_fte"].min() >= 0.0
            continue
        with pytest.raises(InputError, match=r"more than there is from pharmacist\.hospital"):
            pharmsim.run(scenario)


@pytest.mark.parametrize("quantity", sorted(set(ADJUSTABLE) - {"returns"}))
def test_two_that_set_the_same_number_are_refused(quantity: str) -> None:
    kind = KINDS[ADJUSTABLE[quantity].kind]
    effect = {"quantity": quantity, "to": value(min(kind.high / 2, 1.0))}
    with pytest.raises(InputError, match=r"one .*\btwo\b|two .*\bone\b") as error:
        pharmsim.run(using(whole(), lever("one", effect), lever("two", effect, uptake=value(0.3))))
    assert quantity in str(error.value)


def test_two_that_set_different_cells_are_not() -> None:
    def setting(name: str, **more: Any) -> Intervention:
        return lever(name, {"quantity": "leaving", "to": value(0.1)} | more)

    pharmsim.run(using(whole(), setting("one", ages="20-40"), setting("two", ages="41+")))
    pharmsim.run(using(whole(), setting("one", of=["other_system"]), setting("two", of=["left_profession"])))
    with pytest.raises(InputError, match="one"):
        pharmsim.run(using(whole(), setting("one", ages="20-41"), setting("two", ages="41+")))


# ---- what it brings and costs --------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_less_leaving_never_leaves_fewer_people(seed: int) -> None:
    """Without limits, pools and feedbacks headcount falls as the hazard rises, in every post and month."""
    scenario = random_scenario(seed, only={"leaving", "retirement", "employer_change"})
    rng = np.random.default_rng(seed)
    reach = {"role": [scenario.posts[0].role]}
    window = f"{scenario.ages.first + 2}+" if rng.random() < 0.5 else None
    ramp, uptake = float(rng.uniform(0, 12)), value(float(rng.uniform(0.3, 1)))
    previous = None
    for factor in (1.6, 1.0, 0.6, 0.2, 0.0):
        effect = {"quantity": "leaving", "times": value(factor), "ages": window}
        it = lever("lever", effect, reach=reach, uptake=uptake, ramp=ramp, start=scenario.start)
        heads = outputs(using(scenario, it))["headcount"]
        if previous is not None:
            assert (heads >= previous - 1e-12 * previous.max()).all()
            assert heads.sum() > previous.sum()
        previous = heads


def test_cost_of_a_programme_by_hand() -> None:
    """Set-up at the start; a year's money while there is effort; a sum for each head that takes part."""
    scenario = made(
        posts=[post("p"), post("q"), post("other", environment="lake")],
        heads=by_post(p=30, q=10, other=50),
        leaving={"out": {"rate": "12 % per year"}},
    )
    programme = lever(
        "lever", reach={"environment": ["hill"]}, uptake=value(0.5), start=month_of(6), ramp=10.0,
        end=month_of(26),
        costs={"set_up": value(4000.0), "per_year": value(1200.0), "per_head": value(240.0)},
    )  # fmt: skip
    out = outputs(using(scenario, programme))
    t = np.arange(37)
    effort = np.where(t < 26, np.clip((t - 6) / 10, 0, 1), 0.0)
    fixed = 4000.0 * (t == 6) + 100.0 * ((t >= 6) & (t < 26))  # in full from the first month
    for number, (heads, share) in enumerate([(30.0, 0.75), (10.0, 0.25), (0.0, 0.0)]):
        by_head = 20.0 * 0.5 * effort * heads * np.exp(-0.12 * t / 12)
        np.testing.assert_allclose(out["programme_cost"][:, 0, number], by_head + share * fixed, atol=1e-9)
    half = programme.model_copy(update={"ages": "31+"})  # everybody was 30 at the start
    out = outputs(using(scenario, half))
    np.testing.assert_allclose(out["programme_cost"][:, 0].sum(axis=1), fixed, atol=1e-9)


def test_introducing_takes_the_time_of_the_whole_team_for_a_while() -> None:
    """A tenth of the time of half of the posts of the environment, from the start for six months."""
    scenario = made(posts=[post("p"), post("q", role="blue"), post("r", environment="lake")],
                    working_time={"absence": {"leave": "20 %"}})  # fmt: skip
    it = lever("lever", reach={"post": ["p"]}, uptake=value(0.5), start=month_of(STEP),
               introduction={"share": value(0.1), "months": 6.0})  # fmt: skip
    data = pharmsim.run(using(scenario, it)).central["time_fte"].sel(use="introduction").values
    inside = (np.arange(37) >= STEP) & (np.arange(37) < STEP + 6)
    want = np.outer(inside, [1.0, 1.0, 0.0]) * 100 * 0.8 * 0.05
    np.testing.assert_allclose(data, want, atol=1e-9)


def test_months_of_both_kinds_agree() -> None:
    assert [month(0), month(STEP)] == ["April 2026", "April 2027"]
    assert [month_of(0), month_of(STEP)] == ["2026-04", "2027-04"]
