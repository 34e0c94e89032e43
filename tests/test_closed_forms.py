"""The engine against closed forms: those of its discrete scheme to 1e-12, those of continuous time by order.

A case is a function of a factor by which one input of the scenario is multiplied; it returns what the
engine gives and what must come out for a factor of one. Every case is shown to fail at 1.05.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.stats import gamma

import pharmsim
from canonical import row, terms, value
from pharmsim.results import rates
from pharmsim.results.measures import exit_rate
from pharmsim.results.retention import leaver_rate, stability_index
from pharmsim.scenario.models import Scenario

Array = np.ndarray
Case = Callable[[float], tuple[Any, Any]]
STEPS = {"month": 1, "month/2": 2, "month/4": 4, "month/8": 8}
EXACT: dict[str, Case] = {}
ORDER: dict[str, Callable[[str, float], float]] = {}


def exact(case: Case) -> Case:
    """A case that must hold to 1e-12."""
    EXACT[case.__name__] = case
    return case


def first_order(error: Callable[[str, float], float]) -> Callable[[str, float], float]:
    """An error against continuous time, by step and factor, that must halve with the step."""
    ORDER[error.__name__] = error
    return error


def run(months: int, posts: int = 1, step: str = "month", start: str = "2025-04", **sections: Any) -> Any:
    """Results' central values of posts p0, p1 … with 100 people aged 30 in the first."""
    stock = {
        "headcount": terms([row(0.0), row(100.0, post="p0")]),
        "ages": terms([row(1.0, age="30")]),
    }
    end = int(start[:4]) * 12 + int(start[5:]) - 1 + months
    scenario = Scenario.model_validate(
        {
            "name": "closed form", "start": start, "end": f"{end // 12}-{end % 12 + 1:02d}", "step": step,
            "ages": {"first": 16, "last": 100}, "roles": {"r": "r"}, "environments": {"e": "e"},
            "posts": [{"post": f"p{i}", "role": "r", "environment": "e"} for i in range(posts)],
            "stock": stock, **sections,
        }
    )  # fmt: skip
    return pharmsim.run(scenario, draws=0).data.isel(draw=0)


def heads(data: Any) -> Array:
    """Headcount by time and post."""
    return np.asarray(data["headcount"].sum(["group", "contract"]).values)


def leaving(hazard: float, **more: Any) -> dict[str, Any]:
    return {"out": {"rate": terms([row(hazard)]), **more}}


def supply(per_year: float) -> dict[str, Any]:
    """Hires from outside at a steady rate, aged 30."""
    people = terms([row(1.0, age="30")])
    return {"sources": [{"name": "outside", "supply": terms([row(per_year)]), "ages": people}]}


# ---- the discrete scheme, to rounding -----------------------------------------------------------


@exact
def survival(factor: float) -> tuple[Any, Any]:
    data = run(60, leaving=leaving(0.17 * factor))
    return heads(data)[:, 0], 100 * np.exp(-0.17 * np.arange(61) / 12)


@exact
def survival_in_eighths_of_months(factor: float) -> tuple[Any, Any]:
    data = run(24, step="month/8", leaving=leaving(1.7 * factor))
    return heads(data)[:, 0], 100 * np.exp(-1.7 * np.arange(25) / 12)


@exact
def survival_in_years(factor: float) -> tuple[Any, Any]:
    data = run(60, step="year", leaving=leaving(0.17 * factor))
    return heads(data)[:, 0], 100 * np.exp(-0.17 * np.arange(6))


@exact
def competing_risks(factor: float) -> tuple[Any, Any]:
    """Cumulative leavers by destination: λ_k/Λ of all who left."""
    both = {"a": {"rate": terms([row(0.1 * factor)])}, "b": {"rate": terms([row(0.3)])}}
    left = run(36, leaving=both)["leavers"].values[:, 0].cumsum(axis=0)
    return left, np.outer(100 * -np.expm1(-0.4 * np.arange(1, 37) / 12), (0.25, 0.75))


@exact
def ageing(factor: float) -> tuple[Any, Any]:
    """A hazard of straight lines between birthdays is integrated exactly along the cohort's life."""
    knots = {25: 0.02, 32: 0.2, 35: 0.05, 45: 0.3}
    rate = terms([row(h * factor if age == 32 else h, age=str(age)) for age, h in knots.items()])
    data = run(180, leaving={"out": {"rate": rate}})
    ages = 30.5 + np.arange(181) / 12
    hazard = np.interp(ages, list(knots), list(knots.values()))
    integral = np.concatenate([[0.0], np.cumsum((hazard[1:] + hazard[:-1]) / 2 / 12)])
    return heads(data)[:, 0], 100 * np.exp(-integral)


@exact
def last_age(factor: float) -> tuple[Any, Any]:
    """Everybody passes the last age on one anniversary, and retires."""
    data = run(24, ages={"first": 16, "last": 30}, leaving=leaving(0.1 * factor))
    gone = np.zeros(24)
    gone[11] = 100 * math.exp(-0.1)
    return data["retirements"].values[:, 0], gone


@exact
def conveyor_pulse(factor: float) -> tuple[Any, Any]:
    """A pulse of intake comes out whole, 26 months later, thinned by drop-out."""
    points = {"2024": value(0.0), "2025": value(40.0 * factor), "2026": value(0.0)}
    pipe = {
        "kind": "external", "role": "r",
        "intake": {"per_year": {"points": points}, "months": {"September": 1.0}},
        "stages": [{"name": "a", "months": 24, "drop_out": value(0.1)}, {"name": "b", "months": 2}],
        "ages": terms([row(1.0, age="25")]), "destinations": terms([row(1.0)]), "retention": value(0.75),
        "opening": {"rule": "from_past_intakes"},
    }  # fmt: skip
    data = run(48, pipelines={"x": pipe})
    pulse = np.zeros(48)
    pulse[5 + 26 - 1] = 40 * math.exp(-0.2)
    got = data["registered"].values[:, 0]
    return np.stack([got, data["left_area"].values[:, 0]]), np.stack([pulse, 0.25 * pulse])


@exact
def steady_conveyor(factor: float) -> tuple[Any, Any]:
    """Intake × survival = output in every year, the sixty months before the start included."""
    pipe = {
        "kind": "external", "role": "r",
        "intake": {"per_year": {"points": {"2000": value(30.0 * factor)}},
                   "months": {"September": 0.6, "March": 0.4}},
        "stages": [{"name": "a", "months": 17, "drop_out": value(0.2)}],
        "exam": {"sittings": ["June", "November"], "eligible_month": 12, "result_lag": 1,
                 "pass_rates": [value(0.7), value(0.5), value(0.4)], "resit": value(0.9)},
        "ages": terms([row(1.0, age="25")]), "destinations": terms([row(1.0)]), "opening": {"rule": "steady"},
    }  # fmt: skip
    data = run(36, pipelines={"x": pipe})
    monthly = np.concatenate([data["registered_before"].values[:, 0], data["registered"].values[:, 0]])
    # those of September sit in November of the next year (month 15), those of March in June (month 16)
    sit = 30 * (0.6 * math.exp(-0.2 * 15 / 12) + 0.4 * math.exp(-0.2 * 16 / 12))
    through = 0.7 + 0.3 * 0.9 * 0.5 + 0.3 * 0.9 * 0.5 * 0.9 * 0.4
    return monthly.reshape(-1, 12).sum(axis=1), np.full(8, sit * through)


@exact
def stock_under_supply(factor: float) -> tuple[Any, Any]:
    """N' = N e^(−h dt) + J dt, month by month."""
    data = run(60, leaving=leaving(0.2), hiring=supply(30.0 * factor))
    stay, want = math.exp(-0.2 / 12), [100.0]
    for _ in range(60):
        want.append(want[-1] * stay + 30.0 / 12)
    return heads(data)[:, 0], np.array(want)


@exact
def steady_state(factor: float) -> tuple[Any, Any]:
    """Hiring J dt = N (1 − e^(−h dt)) a month keeps the stock where it is."""
    joining = 12 * 100 * -math.expm1(-0.2 / 12)
    return heads(run(60, leaving=leaving(0.2), hiring=supply(joining * factor)))[:, 0], np.full(61, 100.0)


@exact
def steps_of_moves(factor: float) -> tuple[Any, Any]:
    """Powers of the matrix of one step."""
    data = run(36, posts=3, leaving=leaving(0.1), moves=ways(factor))
    out = generator()
    total = -out.diagonal() / 12
    lived = -np.expm1(-total) / total
    one = out / 12 * lived[:, None]
    np.fill_diagonal(one, np.exp(-total))
    return heads(data), 100 * np.stack([np.linalg.matrix_power(one, n)[0] for n in range(37)])


@exact
def erlang_conveyor_has_no_spread(factor: float) -> tuple[Any, Any]:
    """Offers start after exactly the time to hire, whoever made them."""
    hiring = supply(24.0 * factor) | {"time_to_hire": terms([row(5.0)])}
    return run(24, hiring=hiring)["joiners"].values[:, 0, 0], np.where(np.arange(24) >= 5, 2.0, 0.0)


@exact
def published_rates_closed(factor: float) -> tuple[Any, Any]:
    """Nobody joins: leaver rate 2·tanh(h/2), stability e^(−h), exit rate h."""
    retention = {"month": "March", "levels": {"system": {}}}
    data = run(24, leaving=leaving(0.12 * factor), retention=retention).expand_dims("draw")
    want = rates.hazard_to_rates(0.12)
    got = [leaver_rate(data, "system"), stability_index(data, "system")]
    return [x.values.ravel() for x in got], [[want.leaver_rate_closed] * 2, [want.stability_index] * 2]


@exact
def published_rates_steady(factor: float) -> tuple[Any, Any]:
    """Leavers are replaced: leaver rate 1 − e^(−h); who joins and leaves within the year does not count."""
    joining = 12 * 100 * -math.expm1(-0.12 * factor / 12)
    retention = {"month": "March", "levels": {"system": {}}}
    sections: dict[str, Any] = {
        "leaving": leaving(0.12 * factor),
        "hiring": supply(joining),
        "retention": retention,
    }
    data = run(24, **sections).expand_dims("draw")
    got = [leaver_rate(data, "system"), stability_index(data, "system")]
    want = rates.hazard_to_rates(0.12)
    return [x.values.ravel() for x in got], [[want.leaver_rate_steady] * 2, [want.stability_index] * 2]


def ways(factor: float = 1.0) -> dict[str, Any]:
    """Moves between three posts, in a ring and one back."""
    edges = [("p0", "p1", 0.5 * factor), ("p1", "p2", 0.4), ("p2", "p0", 0.3), ("p1", "p0", 0.2)]
    return {"edges": [{"from": a, "to": b, "rate": value(rate)} for a, b, rate in edges]}


def generator() -> Array:
    """Hazards between the three posts; rows sum to minus the hazard of leaving, 0.1."""
    q = np.zeros((3, 3))
    q[0, 1], q[1, 2], q[2, 0], q[1, 0] = 0.5, 0.4, 0.3, 0.2
    return q - np.diag(q.sum(axis=1) + 0.1)


@pytest.mark.parametrize("name", EXACT)
def test_discrete_scheme(name: str) -> None:
    got, want = EXACT[name](1.0)
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-11)


@pytest.mark.parametrize("name", EXACT)
def test_comparison_fails_at_five_percent(name: str) -> None:
    got, want = EXACT[name](1.05)
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-11)


# ---- continuous time, by order of convergence ----------------------------------------------------


@first_order
def matrix_exponential(step: str, factor: float) -> float:
    """Moves among three posts for three years."""
    data = run(36, posts=3, step=step, leaving=leaving(0.1), moves=ways(factor))
    return float(np.abs(heads(data)[-1] - 100 * expm(3 * generator())[0]).max())


@first_order
def erlang_chain(step: str, factor: float) -> float:
    """Three posts in a row, each left at 0.8 a year: time to the end is Erlang."""
    edges = [{"from": f"p{i}", "to": f"p{i + 1}", "rate": value(0.8 * factor)} for i in range(2)]
    last = {"out": {"rate": terms([row(0.0), row(0.8 * factor, post="p2")])}}
    data = run(36, posts=3, step=step, leaving=last, moves={"edges": edges})
    return float(np.abs(heads(data)[-1].sum() - 100 * gamma.sf(3.0, 3, scale=1 / 0.8)))


@first_order
def joining_over_hazard(step: str, factor: float) -> float:
    """Mean of M/M/∞: N(t) = J/h + (N(0) − J/h) e^(−ht)."""
    data = run(120, step=step, leaving=leaving(0.3), hiring=supply(60.0 * factor))
    want = 200 + (100 - 200) * np.exp(-0.3 * np.arange(121) / 12)
    return float(np.abs(heads(data)[:, 0] - want).max())


@first_order
def coming_back_from_a_pool(step: str, factor: float) -> float:
    """Leaving for a pool and coming back: two states in continuous time."""
    pool = {"return_rate": terms([row(0.9 * factor)]), "opening": terms([row(0.0)]), "limited": False}
    data = run(24, step=step, leaving=leaving(0.4, into="rest"), pools={"rest": pool})
    want = 100 * expm(2 * np.array([[-0.4, 0.4], [0.9, -0.9]]))[0]
    got = [heads(data)[-1, 0], float(data["in_pool"].values[-1, 0, 0])]
    return float(np.abs(np.array(got) - want).max())


def order(error: Callable[[str, float], float], factor: float = 1.0) -> Array:
    """Observed orders of convergence when the step is halved three times."""
    errors = [error(step, factor) for step in STEPS]
    return np.log2(np.array(errors[:-1]) / np.array(errors[1:]))


@pytest.mark.parametrize("name", ORDER)
def test_first_order_in_the_step(name: str) -> None:
    np.testing.assert_allclose(order(ORDER[name]), 1.0, atol=0.06)


@pytest.mark.parametrize("name", ORDER)
def test_order_fails_at_five_percent(name: str) -> None:
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        np.testing.assert_allclose(order(ORDER[name], 1.05), 1.0, atol=0.06)


# ---- no numerical diffusion -----------------------------------------------------------------------


def spread(shares: Array, ages: Array) -> float:
    """Standard deviation of an age distribution."""
    mean = np.average(ages, weights=shares)
    return float(math.sqrt(np.average((ages - mean) ** 2, weights=shares)))


def test_cohorts_do_not_diffuse_as_bands_do() -> None:
    """After 20 years one cohort is still one cohort; a chain of 5-year bands has spread it by ±10 years."""
    by_age = run(240, leaving=leaving(0.05))["headcount_by_age"].values[-1, 0]
    ages = np.arange(16, 101)
    assert spread(by_age, ages) == 0.0
    assert ages[by_age.argmax()] == 50
    bands = np.arange(30, 200, 5)
    chain = np.diag(np.full(len(bands), -0.2)) + np.diag(np.full(len(bands) - 1, 0.2), 1)
    banded = expm(20 * chain)[0]
    assert abs(np.average(bands, weights=banded) - 50) < 0.01
    assert 9.5 < spread(banded, bands) < 10.5


# ---- the published measures -----------------------------------------------------------------------

DOCTORS = {
    "leavers": [4415, 4630, 4720, 4189, 4129, 4313, 4242, 4431, 4263, 4272],
    "leaver_rate": [8.3, 8.6, 8.7, 7.6, 7.3, 7.4, 7.1, 7.2, 6.7, 6.5],
    "stability": [91.6, 91.4, 91.3, 92.3, 92.6, 92.5, 92.8, 92.7, 93.2, 93.4],
}  # June years 2010–11 to 2019–20
NURSES = {"leavers": [31628, 29201, 33354], "leaver_rate": [10.1, 9.0, 9.9], "stability": [89.8, 90.8, 89.9]}
SEPTEMBER = {"leavers": [4340, 4190, 4350], "leaver_rate": [6.7, 6.3, 6.3], "stability": [93.1, 93.6, 93.6]}


def ends_and_starts(series: dict[str, list[float]], factor: float) -> list[tuple[float, float]]:
    """Smallest and largest ratio of a year's end to the next year's start that rounding allows."""
    rows = list(zip(series["leavers"], series["leaver_rate"], series["stability"], strict=True))
    starts, ends = [], []
    for leavers, rate, stability in rows:
        start = [rates.start_from_counts(leavers, (stability + d) / 100) for d in (-0.05, 0.05)]
        end = [
            rates.end_from_counts(s, leavers, factor * (rate + d) / 100) for s in start for d in (-0.05, 0.05)
        ]
        starts.append((min(start), max(start)))
        ends.append((min(end), max(end)))
    return [(end[0] / nxt[1], end[1] / nxt[0]) for end, nxt in zip(ends[:-1], starts[1:], strict=True)]


@pytest.mark.parametrize("series", [DOCTORS, NURSES, SEPTEMBER], ids=["doctors", "nurses", "september"])
def test_published_pairs_agree_with_the_definitions(series: dict[str, list[float]]) -> None:
    """Start and end of a year follow from leavers, leaver rate and stability; years join up."""
    assert all(low <= 1.0 <= high for low, high in ends_and_starts(series, 1.0))
    for leavers, rate, stability in zip(*series.values(), strict=True):
        start = rates.start_from_counts(leavers, stability / 100)
        end = rates.end_from_counts(start, leavers, rate / 100)
        assert rates.stability_from_counts(start, leavers) == pytest.approx(stability / 100, abs=1e-12)
        assert rates.leaver_rate_from_counts(start, end, leavers) == pytest.approx(rate / 100, abs=1e-12)
        assert 0.97 < end / start < 1.08


@pytest.mark.parametrize("series", [DOCTORS, NURSES, SEPTEMBER], ids=["doctors", "nurses", "september"])
def test_published_pairs_do_not_fit_another_definition(series: dict[str, list[float]]) -> None:
    assert not all(low <= 1.0 <= high for low, high in ends_and_starts(series, 1.05))


def test_exit_rate_counts_those_who_join_and_leave() -> None:
    """In a steady stock the flow count is the hazard (to first order in the step), above the leaver rate."""
    joining = 12 * 100 * -math.expm1(-0.12 / 12)
    data = run(24, leaving=leaving(0.12), hiring=supply(joining)).expand_dims("draw")
    flow = float(exit_rate(data).values.ravel()[0])
    assert flow == pytest.approx(joining / 100, rel=1e-12)
    assert 0.119 < flow < 0.12
