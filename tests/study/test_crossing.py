"""Where a response passes zero."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from pharmsim.study.explaining.crossing import Crossing, crossing

SIZES = np.array([0.0, 0.5, 1.0, 2.0, 4.0])


def found(gain: Callable[[float], float], draws: tuple[Callable[[float], float], ...] = ()) -> Crossing:
    gains = np.array([[one(size) for one in (gain, *draws)] for size in SIZES])
    return crossing(SIZES, gains, gain, 1e-9)


def test_it_is_found_between_the_sizes_tried() -> None:
    one = found(lambda k: k**2 - 2.0)
    assert one.size == pytest.approx(2**0.5, abs=1e-3)
    assert one.others == ()
    assert not one.turns
    assert np.isnan(one.p5)


def test_nothing_lost_at_the_start_needs_nothing() -> None:
    assert found(lambda k: k).size == 0.0
    assert found(lambda k: k - 1e-12).size == 0.0
    assert found(lambda k: k - 1e-3).size > 0.0


def test_out_of_reach_is_infinite() -> None:
    one = found(lambda k: k - 5.0)
    assert (one.size, one.most) == (np.inf, 4.0)


def test_a_response_that_turns_is_told_with_all_its_crossings() -> None:
    one = found(lambda k: (k - 0.7) * (3.0 - k))
    assert one.turns
    assert (one.size, *one.others) == pytest.approx((0.7, 3.0), abs=1e-3)


def test_of_harm_the_most_that_is_borne_is_sought() -> None:
    down = found(lambda k: 1.5 - k, tuple(lambda k, at=at: at - k for at in (-1.0, 0.5, 1.0, 1.7, 9.0)))
    assert (down.harms, down.turns, down.others) == (True, False, ())
    assert down.size == pytest.approx(1.5, abs=1e-3)
    assert (down.p5, down.median, down.p95) == (0.0, pytest.approx(1.0), np.inf)
    assert found(lambda k: 9.0 - k).size == np.inf
    lost = found(lambda k: -1.0 - k)
    assert lost.harms
    assert lost.size == 0.0
    late = found(lambda k: 1.0 + k * (2.0 - k))  # more than is assumed does harm
    assert (late.size, late.harms) == (0.0, False)
    assert late.others == pytest.approx((1.0 + 2**0.5,), abs=1e-3)


def test_draws_have_crossings_of_their_own() -> None:
    one = found(lambda k: k - 1.2, tuple(lambda k, at=at: k - at for at in np.linspace(0.3, 1.9, 101)))
    assert (one.p5, one.p95) == pytest.approx((0.3 + 0.05 * 1.6, 0.3 + 0.95 * 1.6), abs=0.02)
    some = found(lambda k: k - 1.2, tuple(lambda k, at=at: k - at for at in (-1.0, 1.0, 9.0)))
    assert (some.p5, some.p95) == (0.0, np.inf)
