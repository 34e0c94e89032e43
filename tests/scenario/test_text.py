"""Numbers, months and ages as people write them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pharmsim.quantities import KINDS
from pharmsim.scenario import text
from pharmsim.scenario.text import FormError


@pytest.mark.parametrize(
    ("written", "kind", "number"),
    [
        ("9 % per year", "hazard", 0.09),
        ("9% a year", "hazard", 0.09),
        ("9 per cent per annum", "hazard", 0.09),
        ("0.75 % per month", "hazard", 0.09),
        ("1.5 per year", "hazard", 1.5),
        ("12 / year", "fast_hazard", 12.0),
        (".5", "share", 0.5),
        ("70 %", "share", 0.7),
        ("-5 %", "signed_share", -0.05),
        ("1,234.5", "fte", 1234.5),
        ("1,234 people", "heads", 1234.0),
        ("120 per year", "heads_per_year", 120.0),
        ("10 people per month", "heads_per_year", 120.0),
        ("18 months", "months", 18.0),
        ("2 years", "months", 24.0),
        ("0.5 years", "months", 6.0),
        ("13 weeks", "duration", 12 * 13 * 7 / 365.25),
        ("66 years", "age", 66.0),
        ("66 years and 6 months", "age", 66.5),
        ("£52,000 per year", "money_per_year", 52000.0),
        ("£2.5 million per year", "budget", 2.5e6),
        ("5,414,000", "budget", 5.414e6),
        ("1,260 million", "activity", 1.26e9),
        ("1.9 million people", "activity", 1.9e6),
        ("1.26e9", "activity", 1.26e9),
        ("6 weeks", "duration", 12 * 6 * 7 / 365.25),
        ("8 %", "reference", 0.08),
        ("50 %", "positive", 0.5),
        ("0.8 FTE", "fte_per_head", 0.8),
        ("1e-3", "hazard", 0.001),
        (0.25, "share", 0.25),
        (3, "heads", 3.0),
    ],
)
def test_numbers(written: object, kind: str, number: float) -> None:
    assert text.number(written, kind) == pytest.approx(number, rel=1e-12)


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("9 %", "heads"),
        ("9 % per year", "share"),
        ("9 months", "share"),
        ("£5", "heads"),
        ("£5", "activity"),
        ("-5", "activity"),
        ("5 %", "budget"),
        ("5 per year", "activity"),
        ("nan", "share"),
        ("inf", "fte"),
        ("1e400", "heads"),
        (float("nan"), "share"),
        (float("inf"), "heads"),
        (10**400, "heads"),
        (True, "share"),
        (None, "share"),
        ([1], "share"),
        ("", "share"),
        ("5 6", "share"),
        ("1,23", "heads"),
        ("9" * 5000, "heads"),
        (4.5, "months"),
        ("-1", "hazard"),
        (1.1, "share"),
    ],
)
def test_refused(written: object, kind: str) -> None:
    with pytest.raises(FormError) as caught:
        text.number(written, kind)
    message = caught.value.issues[0][1]
    assert message.startswith("must be")
    assert len(message) < 250


def test_bare_hazards_above_one_say_their_unit() -> None:
    assert text.number(1.5, "hazard") == 1.5
    with pytest.raises(FormError, match="must say its unit"):
        text.number(1.5, "hazard", bare=True)


@given(st.sampled_from(sorted(KINDS)), st.floats(0, 1))
def test_numbers_inside_the_bounds_are_kept(kind: str, where: float) -> None:
    rule = KINDS[kind]
    value = rule.low + where * (rule.high - rule.low)
    if kind == "months":
        value = float(round(value))
    assert text.number(value, kind) == value
    assert text.number(repr(value), kind) == value


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_a_form_error(written: str) -> None:
    messages: list[str] = []
    for kind in KINDS:
        try:
            assert math.isfinite(text.number(written, kind))
        except FormError as error:
            messages += [message for _, message in error.issues]
    assert all(message.isprintable() for message in messages)


@pytest.mark.parametrize(
    ("written", "month"),
    [
        ("October 2025", "2025-10"),
        ("Oct 2025", "2025-10"),
        ("october-2025", "2025-10"),
        ("2025-10", "2025-10"),
        ("2025-10-01", "2025-10"),
        ("1 October 2025", "2025-10"),
    ],
)
def test_months(written: str, month: str) -> None:
    assert text.month(written) == month


@pytest.mark.parametrize(
    "written", ["2025", "2025-13", "13 October 2025", "Octember 2025", "October", 2025, None]
)
def test_months_refused(written: object) -> None:
    with pytest.raises(FormError):
        text.month(written)


def test_month_names() -> None:
    assert [text.month_name(word) for word in ("Aug", "august", "Sept", 8, "May")] == [
        "August", "August", "September", "August", "May",
    ]  # fmt: skip
    with pytest.raises(FormError, match="month such as August"):
        text.month_name("Ju")


@pytest.mark.parametrize(
    ("written", "key", "canonical", "ends"),
    [
        (25, "age", "25", (25, 25)),
        ("25-34", "age", "25-34", (25, 34)),
        ("25 to 34", "age", "25-34", (25, 34)),
        ("55+", "age", "55+", (55, 130)),
        ("up to 24", "age", "0-24", (0, 24)),
        ("-5", "years_past_pension_age", "-5", (-5, -5)),
        ("-12--8", "years_past_pension_age", "-12--8", (-12, -8)),
        ("-3-0", "years_past_pension_age", "-3-0", (-3, 0)),
        ("3+", "years_past_pension_age", "3+", (3, 40)),
        ("up to -11", "years_past_pension_age", "-40--11", (-40, -11)),
    ],
)
def test_ages(written: object, key: str, canonical: str, ends: tuple[int, int]) -> None:
    assert text.ages(written, key) == canonical
    assert text.ages(canonical, key) == canonical
    assert text.age_range(canonical, key) == ends


@pytest.mark.parametrize(
    ("written", "key"), [("34-25", "age"), ("-5", "age"), ("old", "age"), ("90", "years_past_pension_age")]
)
def test_ages_refused(written: str, key: str) -> None:
    with pytest.raises(FormError):
        text.ages(written, key)


def test_names() -> None:
    assert text.name("band_8a") == "band_8a"
    assert text.name("nurse.ward", dots=True) == "nurse.ward"
    for bad in ("", "a b", "a.b", "*", "a\x1b", None, True, "x" * 101):
        with pytest.raises(FormError):
            text.name(bad)


@pytest.mark.parametrize(
    ("written", "number"), [(6, 6.0), ("6", 6.0), ("6 weeks", 6.0), ("1 week", 1.0), (0, 0.0)]
)
def test_weeks(written: object, number: float) -> None:
    assert text.weeks(written) == number


@pytest.mark.parametrize("written", [53, -1, "6 months", True, None, [], "many", float("nan")])
def test_weeks_that_are_refused(written: object) -> None:
    with pytest.raises(FormError, match="must be a number of weeks between 0 and 52"):
        text.weeks(written)


@pytest.mark.parametrize(("written", "number"), [(0.5, 0.5), ("50 %", 0.5), (1, 1.0), (0, 0.0)])
def test_bounds_of_multipliers(written: object, number: float) -> None:
    assert text.bound(written, 0.0, 1.0) == number


@pytest.mark.parametrize("written", [1.2, "120 %"])
def test_bounds_that_do_not_lie_around_one(written: object) -> None:
    with pytest.raises(FormError, match="must be a multiplier between 0 and 1, for a multiplier is 1 at the"):
        text.bound(written, 0.0, 1.0)
