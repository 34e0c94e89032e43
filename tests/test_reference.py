"""The kernel against the slow reference on random scenarios; the reference against closed forms."""

from __future__ import annotations

import math
from collections import Counter
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

import pharmsim
from canonical import row, terms, value
from pharmsim.quantities import ADJUSTABLE, OUTPUTS
from pharmsim.scenario.calibrated import as_calibrated
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.services import FEEDBACKS
from pharmsim.scenario.system import Part
from random_scenarios import random_scenario
from reference import simulate
from reference_inputs import month_number

SEEDS = range(36)
SHIPPED = Path(__file__).parents[1] / "scenarios"
SMALL = sorted(
    [
        SHIPPED / "tiny.yaml",
        *SHIPPED.glob("small*.yaml"),
        *SHIPPED.glob("published/*.yaml"),
        *SHIPPED.glob("gb/*.yaml"),
    ]
)
LARGE = sorted(
    [SHIPPED / "tiny_what_if.yaml", *SHIPPED.glob("sel/*.yaml"), *SHIPPED.glob("sel/what_if/*.yaml")]
)
TOLERANCE = 1e-9
"""Largest difference allowed, relative to all people in post."""
SECTIONS = (
    "fte_per_head", "hours_drift", "pension_age", "leaving", "first_year", "retirement", "switches", "moves",
    "promotions", "employer_change", "pools", "establishment", "hiring", "cover", "pipelines", "retention",
    "working_time", "need", "supervision", "pay", "budgets", "feedbacks", "interventions",
)  # fmt: skip


@lru_cache
def expected(seed: int) -> dict[str, np.ndarray]:
    return simulate(random_scenario(seed))


def kernel(scenario: Scenario) -> dict[str, np.ndarray]:
    """Central values of a run, by name; outputs without any cell are left out."""
    data = pharmsim.run(scenario, draws=0).data
    return {str(name): data[name].values[0] for name in data.data_vars}


def scale(name: str, array: np.ndarray, people: float) -> float:
    """What differences are measured against: all people in post, the largest amount of money, 1 of ratios."""
    if OUTPUTS[name].unit == "ratio":
        return 1.0
    if OUTPUTS[name].unit.startswith("GBP"):
        return max(float(np.abs(array).max(initial=0.0)), 1.0)
    return people


def differences(got: dict[str, np.ndarray], want: dict[str, np.ndarray]) -> dict[str, float]:
    """Outputs that differ, with the largest difference relative to all people in post."""
    people = max(float(want["headcount"].sum(axis=(1, 2, 3)).max()), 1.0)
    bad = {}
    for name, array in want.items():
        if name not in got:
            if array.size:
                bad[name] = math.inf
            continue
        finite = np.isfinite(array)
        if got[name].shape != array.shape or not np.array_equal(
            got[name][~finite], array[~finite], equal_nan=True
        ):
            bad[name] = math.inf
            continue
        gaps = np.abs(got[name][finite] - array[finite]) / scale(name, array, people)
        gap = float(gaps.max(initial=0.0))
        if not gap <= TOLERANCE:
            bad[name] = gap
    return bad


@pytest.mark.parametrize("seed", SEEDS)
def test_kernel_agrees_with_reference(seed: int) -> None:
    assert differences(kernel(random_scenario(seed)), expected(seed)) == {}


@pytest.mark.parametrize("n_ages", [31, 32, 33, 60])
def test_kernel_agrees_whatever_the_number_of_ages(n_ages: int) -> None:
    """Loops take 32 ages at a time."""
    scenario = random_scenario(n_ages, n_ages=n_ages)
    assert differences(kernel(scenario), simulate(scenario)) == {}


@pytest.mark.verify
@pytest.mark.parametrize("seed", range(1000, 1300))
def test_kernel_agrees_with_reference_on_many(seed: int) -> None:
    scenario = random_scenario(seed)
    assert differences(kernel(scenario), simulate(scenario)) == {}


def beginning(path: Path) -> Scenario:
    """The beginning of a shipped scenario: 14 months, two years by the year, two months of many posts."""
    scenario = pharmsim.load(str(path))
    months = 24 if scenario.step == "year" else 14 if len(scenario.posts) <= 50 else 2
    end = month_number(scenario.start) + months
    return scenario.model_copy(update={"end": f"{end // 12}-{end % 12 + 1:02d}"})


def test_globs_find_the_shipped_scenarios() -> None:
    assert len(SMALL) >= 6
    assert len(LARGE) >= 2


@pytest.mark.parametrize("path", SMALL, ids=lambda path: path.stem)
def test_kernel_agrees_on_small_shipped_scenarios(path: Path) -> None:
    scenario = beginning(path)
    assert differences(kernel(scenario), simulate(as_calibrated(scenario))) == {}


@pytest.mark.verify
@pytest.mark.parametrize("path", LARGE, ids=lambda path: path.stem)
def test_kernel_agrees_on_large_shipped_scenarios(path: Path) -> None:
    scenario = beginning(path)
    assert differences(kernel(scenario), simulate(as_calibrated(scenario))) == {}


def test_random_scenarios_cover_the_model() -> None:
    """Every section is on and off often enough, and every output is somewhere not zero."""
    on = Counter(name for seed in SEEDS for name in SECTIONS if getattr(random_scenario(seed), name))
    assert {name for name in SECTIONS if not 4 <= on[name] <= len(SEEDS) - 1} == set()
    seen = {name for seed in SEEDS for name, array in expected(seed).items() if np.nan_to_num(array).any()}
    assert set(OUTPUTS) - seen == {"unfillable_fte"}  # of whole people only
    assert {random_scenario(seed).step for seed in SEEDS} >= {"month", "month/2", "month/4", "year"}


def test_random_scenarios_move_every_feedback_and_bind_every_limit() -> None:
    """Each multiplier above and below 1 and at a bound; budgets that bind; what else only some runs do."""
    above, below, binding = set(), set(), set()
    for seed in SEEDS:
        scenario, out = random_scenario(seed), expected(seed)
        if "multiplier" in out:
            assert scenario.feedbacks is not None
            for i, name in enumerate(FEEDBACKS):
                feedback = getattr(scenario.feedbacks, name.replace("shorter_hours", "burnout"))
                found = out["multiplier"][:, i]
                above |= {name} if (found > 1).any() else set()
                below |= {name} if (found < 1).any() else set()
                bounds = () if feedback is None else (feedback.low, feedback.high)
                found = out["move_multiplier"] if name == "attractiveness" else found
                binding |= {name} if np.isin(found, [b for b in bounds if b != 1]).any() else set()
            if (out["place_multiplier"] != 1).any():
                above.add("training")
        for budget in scenario.budgets.values():
            posts = [i for i, p in enumerate(scenario.posts) if p.post in budget.where["post"]]
            if (out["fte"][0, posts] == 0).any():
                continue
            cost = out["pay_bill"][0, posts] / out["fte"][0, posts] * out["establishment_fte"][0, posts]
            money = out["budget_money"][0, list(scenario.budgets.values()).index(budget)]
            if budget.caps and np.isclose(cost.sum(), money, rtol=1e-9):
                binding.add("budget")
    assert above == {*FEEDBACKS, "training"}
    assert below == set(FEEDBACKS)
    assert binding == {*FEEDBACKS, "budget"}


def test_random_interventions_change_every_quantity_in_every_way() -> None:
    """Each quantity is changed somewhere; verbs, narrower reaches and all other changes occur."""
    levers = [it for seed in SEEDS for it in random_scenario(seed).interventions]
    effects = [effect for it in levers for effect in it.effects]
    assert {effect.quantity for effect in effects} == set(ADJUSTABLE)
    for key in ("to", "plus", "times", "of", "where", "into", "ages", "claimed", "joint"):
        assert sum(bool(getattr(effect, key)) for effect in effects) >= 3, key
    for key in ("groups", "ages", "end", "half_life", "job_plan", "supervision", "posts", "introduction"):
        assert sum(bool(getattr(it, key)) for it in levers) >= 3, key
    assert {it.claim for it in levers} == {0.0, 0.5, 1.0}


def problems_of_the_system(scenario: Scenario) -> list[str]:
    """What the loader has against the sections of the system around the people."""
    names = ("working_time", "need", "supervision", "pay", "budgets", "feedbacks", "establishment", "posts")
    try:
        pharmsim.from_dict(pharmsim.to_dict(scenario))
    except pharmsim.ScenarioError as error:
        return [str(problem) for problem in error.problems if problem.where.split(".")[0] in names]
    return []


@pytest.mark.parametrize("seed", SEEDS)
def test_loader_accepts_the_random_system(seed: int) -> None:
    assert problems_of_the_system(random_scenario(seed)) == []


def test_loader_refuses_a_wrong_system() -> None:
    scenario = next(s for s in map(random_scenario, SEEDS) if s.working_time and s.working_time.job_plan)
    time = scenario.working_time
    assert time is not None
    assert len(time.job_plan) > 1
    name, part = next(iter(time.job_plan.items()))
    more = Part.model_validate({"share": terms([row(1.0)]), "service": part.service})
    wrong = time.model_copy(update={"job_plan": time.job_plan | {name: more}})
    assert problems_of_the_system(scenario.model_copy(update={"working_time": wrong})) != []


def test_comparator_sees_a_change_of_five_percent() -> None:
    """Every output, changed by 5 % in one cell, is named."""
    want = next(expected(seed) for seed in SEEDS if expected(seed)["tagged"].any())
    checked = 0
    for name, array in want.items():
        if not np.nan_to_num(array).any() or name == "conservation_error":
            continue
        changed = array.copy()
        changed.flat[int(np.where(np.isfinite(array), np.abs(array), 0.0).argmax())] *= 1.05
        assert set(differences({**want, name: changed}, want)) == {name}
        checked += 1
    assert checked > 10


def test_comparator_sees_a_changed_input() -> None:
    """A hazard changed by 5 % in the scenario shows up in leavers and headcount."""
    seed = next(s for s in SEEDS if random_scenario(s).leaving and random_scenario(s).step == "month")
    scenario = random_scenario(seed)
    name, flow = next(iter(scenario.leaving.items()))
    term = flow.rate.terms[0]
    rows = tuple(r.model_copy(update={"value": r.value * 1.05}) for r in term.rows)
    rate = flow.rate.model_copy(
        update={"terms": (term.model_copy(update={"rows": rows}), *flow.rate.terms[1:])}
    )
    leaving = scenario.leaving | {name: flow.model_copy(update={"rate": rate})}
    bad = differences(simulate(scenario.model_copy(update={"leaving": leaving})), expected(seed))
    assert {"headcount", "leavers"} <= set(bad)


# ---- the reference itself ------------------------------------------------------------------------


def one_post(**sections: object) -> Scenario:
    """A post of 100 people aged 30, from April 2025 for three years."""
    stock = {"headcount": terms([row(100.0)]), "ages": terms([row(1.0, age="30")])}
    post = {"post": "p", "role": "r", "environment": "e"}
    return Scenario.model_validate(
        {
            "name": "one post", "start": "2025-04", "end": "2028-04", "ages": {"first": 20, "last": 60},
            "roles": {"r": "r"}, "environments": {"e": "e"}, "posts": [post], "stock": stock, **sections,
        }
    )  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_reference_conserves_people(seed: int) -> None:
    assert np.abs(expected(seed)["conservation_error"]).max() < 1e-10
    assert expected(seed)["headcount"].min() >= 0.0


def test_reference_survival() -> None:
    heads = simulate(one_post(leaving={"out": {"rate": terms([row(0.3)])}}))["headcount"].sum(axis=(1, 2, 3))
    np.testing.assert_allclose(heads, 100 * np.exp(-0.3 * np.arange(37) / 12), rtol=1e-12)


def test_reference_ageing_is_exact() -> None:
    """A hazard that rises in a straight line is integrated exactly; everybody stays in one cohort."""
    out = simulate(one_post(leaving={"out": {"rate": terms([row(0.0, age="20"), row(0.4, age="60")])}}))
    years = np.arange(37) / 12
    integral = 0.01 * ((30.5 - 20) * years + years**2 / 2)
    np.testing.assert_allclose(out["headcount"].sum(axis=(1, 2, 3)), 100 * np.exp(-integral), rtol=1e-12)
    assert np.argwhere(out["headcount_by_age"])[:, 2].tolist() == [10, 11, 12, 13]


def test_reference_conveyor_pulse() -> None:
    """People who enter on 1 September 2025 register at the end of the 14th month after."""
    pipe = {
        "kind": "external", "role": "r",
        "intake": {"per_year": {"points": {"2024": value(0.0), "2025": value(40.0), "2026": value(0.0)}},
                   "months": {"September": 1.0}},
        "stages": [{"name": "a", "months": 12, "drop_out": value(0.2)}, {"name": "b", "months": 2}],
        "ages": terms([row(1.0, age="25")]), "destinations": terms([row(1.0)]),
        "opening": {"rule": "from_past_intakes"},
    }  # fmt: skip
    registered = simulate(one_post(pipelines={"x": pipe}))["registered"][:, 0]
    pulse = np.zeros(36)
    pulse[5 + 14 - 1] = 40 * math.exp(-0.2)
    np.testing.assert_allclose(registered, pulse, atol=1e-12)
