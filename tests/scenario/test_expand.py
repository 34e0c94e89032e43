"""Rows painted over posts, groups, contracts and ages."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pharmsim.scenario import Scenario, from_dict
from pharmsim.scenario.expand import age_shares, central, expand, expand_term, is_aged, select_posts
from pharmsim.scenario.forms import cells_form
from pharmsim.scenario.values import Cells, Of

Data = dict[str, Any]
AXES = ("post", "group", "contract", "age")


def cells(rows: Any, kind: str = "hazard") -> Cells:
    return Cells.model_validate(cells_form(rows, Of(kind)))


@pytest.fixture
def scenario(small: Data) -> Scenario:
    return from_dict(small)


def test_later_rows_override(scenario: Scenario) -> None:
    term = cells(
        [
            {"value": 0.1},
            {"where": {"role": "nurse"}, "value": 0.2},
            {"where": {"environment": "ward", "group": ["men"]}, "value": 0.3},
            {"where": {"trust": "south"}, "value": 0.4},
        ]
    ).terms[0]
    values, row = expand_term(term, scenario, ("post", "group"))
    assert values.tolist() == [[0.2, 0.3], [0.2, 0.2], [0.4, 0.4]]
    assert row.tolist() == [[1, 2], [1, 1], [3, 3]]
    assert expand_term(term, scenario, ("group", "post"))[0].tolist() == values.T.tolist()


def test_what_no_row_covers_is_not_a_number(scenario: Scenario) -> None:
    values, row = expand_term(
        cells([{"where": {"role": "doctor"}, "value": 0.1}]).terms[0], scenario, ("post",)
    )
    assert np.isnan(values).tolist() == [True, True, False]
    assert row.tolist() == [-1, -1, 0]


def by_age(scenario: Scenario, rows: Any) -> dict[int, float]:
    values, _ = expand_term(cells(rows).terms[0], scenario, AXES)
    assert values.shape == (3, 2, 2, 62)
    return dict(zip(range(16, 78), values[0, 0, 0].tolist(), strict=True))


def test_bands_are_constant_and_the_last_holds_beyond(scenario: Scenario) -> None:
    found = by_age(
        scenario, [{"where": {"age": "16-29"}, "value": 0.1}, {"where": {"age": "30-75"}, "value": 0.2}]
    )
    assert (found[16], found[29], found[30], found[75], found[77]) == (0.1, 0.1, 0.2, 0.2, 0.2)
    found = by_age(scenario, [{"where": {"age": "20-29"}, "value": 0.1}])
    assert [age for age, value in found.items() if not np.isnan(value)] == list(range(20, 30))


def test_single_ages_are_knots(scenario: Scenario) -> None:
    rows = [{"where": {"age": age}, "value": value} for age, value in ((60, 0.3), (20, 0.1), (40, 0.2))]
    found = by_age(scenario, rows)
    assert (found[16], found[20], found[40], found[60], found[77]) == pytest.approx((0.1, 0.1, 0.2, 0.3, 0.3))
    assert (found[30], found[45]) == pytest.approx((0.15, 0.225))


def test_knots_beside_bands(scenario: Scenario) -> None:
    found = by_age(
        scenario,
        [
            {"where": {"age": "16-49"}, "value": 0.1},
            {"where": {"age": 50}, "value": 0.2},
            {"where": {"age": 51}, "value": 0.3},
            {"where": {"age": "52+"}, "value": 0.4},
        ],
    )
    assert (found[16], found[49], found[50], found[51], found[52], found[77]) == (
        0.1,
        0.1,
        0.2,
        0.3,
        0.4,
        0.4,
    )


def test_one_single_age_is_that_age(scenario: Scenario) -> None:
    found = by_age(scenario, [{"value": 0.1}, {"where": {"age": 50}, "value": 0.2}])
    assert [age for age, value in found.items() if value == 0.2] == [50]


def test_knots_belong_to_their_selection(scenario: Scenario) -> None:
    rows = [
        {"where": {"age": 20}, "value": 0.1},
        {"where": {"age": 20, "group": "men"}, "value": 0.3},
        {"where": {"age": 60}, "value": 0.2},
        {"where": {"age": 60, "group": "men"}, "value": 0.5},
    ]
    values, _ = expand_term(cells(rows).terms[0], scenario, AXES)
    assert values[0, :, 0, 24].tolist() == pytest.approx([0.15, 0.4])


def test_years_past_pension_age(scenario: Scenario) -> None:
    term = cells(
        [
            {"where": {"years_past_pension_age": "up to -6"}, "value": 0.0},
            {"where": {"years_past_pension_age": "-5--1"}, "value": 0.1},
            {"where": {"years_past_pension_age": "0+"}, "value": 0.5},
        ]
    ).terms[0]
    assert is_aged(term) == "years_past_pension_age"
    values, _ = expand_term(term, scenario, AXES)
    assert values.shape[-1] == 81
    assert values[0, 0, 0, [0, 34, 35, 39, 40, 80]].tolist() == [0, 0, 0.1, 0.1, 0.5, 0.5]
    with pytest.raises(ValueError, match="need the axis age"):
        expand_term(term, scenario, ("post",))


def test_factors_are_multiplied(scenario: Scenario) -> None:
    both = cells({"product": ["10 %", [{"value": 1}, {"where": {"role": "doctor"}, "value": 2}]]})
    assert len(expand(both, scenario, ("post",))) == 2
    assert central(both, scenario, ("post",)).tolist() == [0.1, 0.1, 0.2]


def test_selectors(scenario: Scenario) -> None:
    assert select_posts(scenario, {}).tolist() == [0, 1, 2]
    assert select_posts(scenario, {"role": ("nurse",), "environment": ("ward",)}).tolist() == [0]
    assert select_posts(scenario, {"trust": ("south",), "group": ("men",)}).tolist() == [2]
    assert select_posts(scenario, {"post": ("nurse.clinic", "doctor.ward")}).tolist() == [1, 2]
    assert select_posts(scenario, {"nothing": ("x",)}).tolist() == []


def test_shares_over_ages(scenario: Scenario) -> None:
    found = age_shares(
        cells(
            [
                {"where": {"age": "20-29"}, "value": 0.4},
                {"where": {"age": "25-34"}, "value": 0.6},
                {"where": {"age": 30, "role": "doctor"}, "value": 0.25},
                {"where": {"age": 31, "role": "doctor"}, "value": 0.75},
            ],
            "share",
        ),
        scenario,
    )
    assert found.shape == (3, 2, 60)
    assert found.sum(axis=2) == pytest.approx(np.ones((3, 2)))
    assert found[0, 0, [4, 9, 14, 18, 19]] == pytest.approx([0.04, 0.1, 0.06, 0.06, 0.0])
    assert found[2, 1, 14:17] == pytest.approx([0.25, 0.75, 0.0])
