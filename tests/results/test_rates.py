"""Conversions between hazards, rates and counts, against published pairs and closed forms."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from pharmsim.results import rates

NURSES = [(31_628, 0.101, 0.898), (29_201, 0.090, 0.908), (33_354, 0.099, 0.899)]
DOCTORS = [(4_340, 0.067, 0.931), (4_190, 0.063, 0.936), (4_350, 0.063, 0.936)]
DOCTORS_JUNE = list(
    zip(
        (4415, 4630, 4720, 4189, 4129, 4313, 4242, 4431, 4263, 4272),
        (0.083, 0.086, 0.087, 0.076, 0.073, 0.074, 0.071, 0.072, 0.067, 0.065),
        (0.916, 0.914, 0.913, 0.923, 0.926, 0.925, 0.928, 0.927, 0.932, 0.934),
        strict=True,
    )
)


def headcounts(leavers: float, rate: float, stability: float) -> tuple[float, float]:
    start = rates.start_from_counts(leavers, stability)
    return start, rates.end_from_counts(start, leavers, rate)


@pytest.mark.parametrize(("leavers", "rate", "stability"), [*NURSES, *DOCTORS, *DOCTORS_JUNE])
def test_published_pairs_satisfy_both_definitions(leavers: float, rate: float, stability: float) -> None:
    start, end = headcounts(leavers, rate, stability)
    assert rates.leaver_rate_from_counts(start, end, leavers) == pytest.approx(rate, abs=1e-12)
    assert rates.stability_from_counts(start, leavers) == pytest.approx(stability, abs=1e-12)
    # Both are printed to 0.1 %: the growth they imply is that of NHS staff, not of another definition.
    assert 0.93 < end / start < 1.12


@pytest.mark.parametrize("years", [NURSES, DOCTORS, DOCTORS_JUNE])
def test_the_end_of_a_published_year_is_the_start_of_the_next(
    years: list[tuple[float, float, float]],
) -> None:
    pairs = [headcounts(*year) for year in years]
    for (_, end), (start, _) in pairwise(pairs):
        assert end == pytest.approx(start, rel=0.025)  # what rounding to 0.1 % allows


def test_a_flow_count_does_not_satisfy_the_published_pair() -> None:
    """The check above can fail: counting all exits instead of snapshots breaks the chain of years."""
    (leavers, rate, stability), (_, _, later) = NURSES[0], NURSES[1]
    _, end = headcounts(leavers, rate * 1.1, stability)
    assert end != pytest.approx(rates.start_from_counts(NURSES[1][0], later), rel=0.025)


def test_hazards_and_rates_agree_with_a_simulated_year() -> None:
    hazard, steps = 0.12, 100_000
    kept = (1 - hazard / steps) ** steps
    found = rates.hazard_to_rates(hazard)
    assert found.exit_rate == hazard
    assert found.stability_index == pytest.approx(kept, abs=1e-6)
    assert found.leaver_rate_steady == pytest.approx(1 - kept, abs=1e-6)
    assert found.leaver_rate_closed == pytest.approx((1 - kept) / ((1 + kept) / 2), abs=1e-6)


@pytest.mark.parametrize("hazard", [1e-9, 0.01, 0.1, 0.5, 2.0])
def test_conversions_invert(hazard: float) -> None:
    found = rates.hazard_to_rates(hazard)
    assert rates.hazard_from_exit_rate(found.exit_rate) == hazard
    assert rates.hazard_from_leaver_rate(found.leaver_rate_steady, "steady") == pytest.approx(
        hazard, rel=1e-9
    )
    assert rates.hazard_from_leaver_rate(found.leaver_rate_closed, "closed") == pytest.approx(
        hazard, rel=1e-9
    )
    assert rates.hazard_from_stability(found.stability_index) == pytest.approx(hazard, rel=1e-6)


def test_conversions_work_on_arrays_and_refuse_unknown_cohorts() -> None:
    assert rates.hazard_to_rates(np.array([0.0, 0.1])).stability_index[0] == 1.0
    with pytest.raises(ValueError, match='"steady" or "closed"; got \'open\''):
        rates.hazard_from_leaver_rate(0.1, "open")  # type: ignore[arg-type]


def test_the_definition_of_the_ministers_answer() -> None:
    """100 nurses in July of whom 90 remain a year later: 90 %."""
    assert rates.stability_from_counts(100, 10) == 0.9
    assert rates.vacancy_rate_from_fte(200.0, 210.0) == pytest.approx(-0.05)
