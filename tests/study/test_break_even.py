"""Break-even effects against closed forms: one post, a constant hazard, nobody hired."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

from made import made
from pharmsim.scenario.interventions import Effect, Intervention, PlanChange, SupervisionChange
from pharmsim.scenario.models import Scenario
from pharmsim.study.explaining.break_even import break_even, claim_of, found_in_words
from pharmsim.study.explaining.crossing import Crossing

MONTHS, START, RATE = 36, 6, 0.2
PAID: dict[str, Any] = {
    "establishment": {"fte": 120}, "cover": {"share": 0.5},
    "pay": {"per_fte": "£36,000 per year", "cover_premium": 1.5},
    "working_time": {"absence": {"leave": 0.2}, "job_plan": {"care": {"share": 1.0, "service": True}}},
    "need": {"fte": 100},
}  # fmt: skip


def leaving(times: float, **more: Any) -> dict[str, Any]:
    return {"name": "leaving", "quantity": "leaving", "claimed": True, "times": {"value": times, **more}}


def hours(times: float) -> dict[str, Any]:
    return {"name": "hours", "quantity": "fte_per_head", "times": {"value": times}}


def shorter_hours(
    *effects: dict[str, Any], set_up: float = 0.0, sections: dict[str, Any] | None = None
) -> Scenario:
    item = Intervention.model_validate(
        {
            "name": "shorter", "title": "Shorter hours", "level": "team", "category": "retain",
            "start": "2026-10", "effects": effects, "costs": {"set_up": {"value": set_up}},
            "outcome": {"measure": "headcount", "direction": "up"},
        }
    )  # fmt: skip
    base = made(months=MONTHS, leaving={"away": {"rate": RATE}}, fte_per_head=1.0, **(sections or {}))
    return base.model_copy(update={"interventions": (item,)})


def gained(size: float, times: float = 0.9, hours: float = 0.96) -> float:
    """FTE-months in post that the intervention adds, by hand."""
    month = np.arange(MONTHS)
    after = np.maximum(month - START, 0)
    before = 100.0 * np.exp(-RATE * month / 12)
    kept = 100.0 * np.exp(-RATE * (month - after + (1.0 + (times - 1.0) * size) * after) / 12)
    return float((np.where(month >= START, hours, 1.0) * kept - before).sum())


def test_hours_lost_against_people_kept() -> None:
    frame = break_even(shorter_hours(leaving(0.9), hours(0.96)), draws=0)
    (row,) = frame.to_dict("records")
    size = brentq(gained, 0.0, 5.0)
    assert 0.5 < size < 3.0
    assert row["break_even"] == pytest.approx(-10.0 * size, rel=1e-3)
    assert (row["lever"], row["effect"], row["unit"]) == ("shorter", "leaving", "%")
    assert (row["assumed"], row["low"], row["high"]) == pytest.approx((-10.0, -10.0, -10.0))
    assert row["criterion"] == "no delivered FTE-year is lost until April 2029"
    assert row["found"].startswith("needs a fall of 1")
    assert "p5" not in row


def test_what_it_adds_pays_for_it_at_the_price_of_cover() -> None:
    """An FTE-month in post costs £3,000 of pay and saves half of one of cover, £2,250; it delivers 0.4
    FTE-months more, each worth what cover costs, £5,625. So £1,500 are gained: £30,000 are twenty of them.
    """
    frame = break_even(shorter_hours(leaving(0.9), hours(0.99), set_up=30000.0, sections=PAID), draws=0)
    lost, paid = frame.to_dict("records")
    size = brentq(lambda k: gained(k, hours=0.99) - 20.0, 0.0, 5.0)
    assert paid["break_even"] == pytest.approx(-10.0 * size, rel=1e-3)
    assert lost["break_even"] == pytest.approx(
        -10.0 * brentq(lambda k: gained(k, hours=0.99), 0, 5), rel=1e-3
    )
    assert "£67,500" in paid["criterion"]


def test_nothing_is_needed_where_nothing_is_lost() -> None:
    (row,) = break_even(shorter_hours(leaving(0.9)), draws=0).to_dict("records")
    assert row["break_even"] == 0.0
    assert row["found"].startswith("reached even without any effect on leaving")


def test_the_most_harm_that_a_gain_can_bear() -> None:
    """Hours rise by 4 %, which nobody doubts; that 20 % more leave is a claim."""
    (row,) = break_even(shorter_hours(leaving(1.2), hours(1.04)), draws=0).to_dict("records")
    size = brentq(lambda k: gained(k, times=1.2, hours=1.04), 0.0, 5.0)
    assert 0.5 < size < 3.0
    assert row["break_even"] == pytest.approx(20.0 * size, rel=1e-3)
    assert row["bound"] == "at most"
    assert row["found"].startswith(
        f"holds as long as leaving rises by less than {20.0 * size:.1f} %; assumed: 20"
    )
    assert "again" not in row["found"]


def test_harm_that_is_always_borne_and_harm_that_never_is() -> None:
    (row,) = break_even(shorter_hours(leaving(1.001), hours(1.5)), draws=0).to_dict("records")
    assert np.isnan(row["break_even"])
    assert "holds even with a rise of 0.5 % in leaving (5 times what is assumed)" in row["found"]
    (row,) = break_even(shorter_hours(leaving(1.2), hours(0.9)), draws=0).to_dict("records")
    assert row["break_even"] == 0.0
    assert row["found"].startswith("not within reach: not even without any effect on leaving; assumed: 20")
    assert row["bound"] == "at most"


def test_a_claim_of_no_effect_is_scaled_by_the_far_end_of_its_range() -> None:
    spread = {"low": 0.8, "high": 1.1, "dist": "uniform", "uncertainty": "leaving"}
    (row,) = break_even(shorter_hours(leaving(1.0, **spread), hours(0.96)), draws=0).to_dict("records")
    size = brentq(lambda k: gained(k, times=0.8), 0.0, 5.0)
    assert row["assumed"] == 0.0
    assert row["break_even"] == pytest.approx(-20.0 * size, rel=1e-3)
    assert row["found"].startswith(
        f"needs a fall of {20.0 * size:.1f} % in leaving; assumed: none (from a rise"
    )
    assert row["found"].endswith("of 10 % to a fall of 20 %) for those who take part")
    (row,) = break_even(shorter_hours(leaving(1.0), hours(0.96)), draws=0).to_dict("records")
    assert np.isnan(row["break_even"])
    assert row["found"] == "no size can be sought: no effect on leaving is assumed, and no range of it"
    (row,) = break_even(shorter_hours(leaving(1.0, **spread), hours(0.5)), draws=0).to_dict("records")
    assert "not even with a fall of 100 % in leaving (5 times the far end of its range)" in row["found"]


def test_out_of_reach_is_said_with_the_most_that_was_tried() -> None:
    (row,) = break_even(shorter_hours(leaving(0.99), hours(0.5)), draws=0).to_dict("records")
    assert np.isnan(row["break_even"])
    assert "not within reach: not even with a fall of 5 % in leaving (5 times" in row["found"]
    (row,) = break_even(shorter_hours(leaving(0.6), hours(0.5)), draws=0).to_dict("records")
    assert "not even with a fall of 100 %" in row["found"]  # nobody leaves any more: it cannot fall further


def test_the_size_sought_does_not_depend_on_the_range_assumed() -> None:
    plain = break_even(shorter_hours(leaving(0.9), hours(0.96)), draws=0).iloc[0]
    spread = {"low": 0.7, "high": 1.1, "dist": "uniform", "uncertainty": "leaving"}
    row = break_even(shorter_hours(leaving(0.9, **spread), hours(0.96)), draws=40).iloc[0]
    assert (row["low"], row["high"], row["draws"]) == pytest.approx((-30.0, 10.0, 40))
    assert row["break_even"] == plain["break_even"]
    assert (row["p5"], row["p95"]) == pytest.approx((row["break_even"],) * 2, rel=0.01)
    enough = 30.0 + row["break_even"]  # of a fall between −10 and 30 %, evenly likely
    assert row["p_reached"] == pytest.approx(enough / 40.0, abs=0.15)
    assert "assumed: 10 (from a rise of 10 % to a fall of 30 %)" in row["found"]
    assert f"as assumed it is enough in {100 * row['p_reached']:.0f} % of draws" in row["found"]


def test_other_uncertainties_spread_it() -> None:
    scenario = shorter_hours(leaving(0.9), hours(0.96))
    item = scenario.interventions[0]
    wide = item.effects[1].model_copy(
        update={
            "times": item.effects[1].times.model_copy(update={"low": 0.94, "high": 0.98, "uncertainty": "h"})
        }  # type: ignore[union-attr]
    )
    item = item.model_copy(update={"effects": (item.effects[0], wide)})
    row = break_even(scenario.model_copy(update={"interventions": (item,)}), draws=20).iloc[0]
    assert row["p5"] < row["median"] < row["p95"] < 0.0
    assert row["p5"] < row["break_even"] < row["p95"]
    assert row["p95"] - row["p5"] > 2.0


def test_interventions_without_a_claim_have_no_row() -> None:
    assert break_even(shorter_hours(hours(0.9)), draws=0).empty


@pytest.mark.parametrize(
    ("part", "told"),
    [
        (leaving(0.95, low=0.9, high=0.98), ("leaving", "%", -5.0, -10.0, -2.0)),
        (
            {"name": "x", "quantity": "absence", "of": ["sick_days"], "plus": {"value": -0.01}},
            ("absence (sick days)", "points", -1.0, -1.0, -1.0),
        ),
        (
            {"name": "x", "quantity": "moves", "plus": {"value": 0.02}},
            ("moves", "points a year", 2.0, 2.0, 2.0),
        ),
        ({"name": "x", "quantity": "places", "plus": {"value": 5}}, ("places", "heads", 5.0, 5.0, 5.0)),
    ],
)
def test_effects_in_the_units_of_a_board(part: dict[str, Any], told: tuple[Any, ...]) -> None:
    claim = claim_of(Effect.model_validate(part))
    assert (claim.effect, claim.unit) == told[:2]
    assert (claim.assumed, claim.low, claim.high) == pytest.approx(told[2:])


def test_time_moved_and_supervision_are_points() -> None:
    plan = PlanChange.model_validate({"name": "x", "from": "paper", "to": "care", "share": {"value": 0.05}})
    assert (claim_of(plan).effect, claim_of(plan).assumed) == ("time moved from paper to care", 5.0)
    share = SupervisionChange.model_validate(
        {"name": "x", "by": {}, "share": {"value": 0.3, "low": 0.1, "high": 0.4}}
    )
    claim = claim_of(share)
    assert (claim.unit, claim.low, claim.high) == ("points", 10.0, 40.0)


def test_words_say_what_a_board_must_know() -> None:
    claim = claim_of(Effect.model_validate(leaving(0.95, low=0.9, high=0.98)))
    draws = {"p5": 0.3, "median": 0.44, "p95": 0.6}
    assert found_in_words(claim, Crossing(0.42, 5.0, **draws), reached=0.93) == (
        "needs a fall of 2.1 % in leaving at the central values; median over draws 2.2 (90 %: 1.5 to 3); "
        "assumed: 5 (2 to 10) for those who take part; as assumed it is enough in 93 % of draws"
    )
    far = Crossing(0.42, 5.0, others=(3.0,), turns=True, **{**draws, "p95": np.inf})
    text = found_in_words(claim, far, together=True)
    assert "median over draws 2.2 (90 %: 1.5 to more than was tried)" in text
    assert "with the other claimed effects in proportion; the gain passes zero again at 3 times" in text
    assert "does not only rise" in found_in_words(claim, Crossing(0.0, 5.0, turns=True))
