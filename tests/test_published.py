"""Examples that others published with their inputs and outputs, run from scenario files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import pharmsim
from pharmsim.results.labelled import Results

PUBLISHED = Path(__file__).parents[1] / "scenarios" / "published"


@pytest.fixture(scope="module")
def doctors() -> Results:
    return pharmsim.run(pharmsim.load(PUBLISHED / "r1_gp_netherlands.yaml"))


@pytest.fixture(scope="module")
def chain() -> Results:
    return pharmsim.run(pharmsim.load(PUBLISHED / "r2_grade_chain.yaml"))


# -- general practitioners in the Netherlands: Human Resources for Health 2012, 10:21 --------------------


def fte(run: Results, time: int) -> float:
    return float(run.data["fte"].isel(draw=0, time=time).sum())


REQUIRED_2009 = 1.01  # unfilled demand of 1 %
DEMOGRAPHY = 1.06
OTHER_GROWTH = 1.16  # scenario 1 as it was computed; see the test


def test_doctors_headcount(doctors: Results) -> None:
    heads = doctors.data["headcount"].isel(draw=0).sum(["contract"])
    assert float(heads.isel(time=0).sum()) == pytest.approx(10215)
    assert float(heads.isel(time=-1).sum()) == pytest.approx(12246, abs=0.5)
    old = heads.isel(time=-1).sel(post="in_post_2009")
    assert float(old.sel(group="men")) == pytest.approx(6129 - 2341, abs=1e-6)
    assert float(old.sel(group="women")) == pytest.approx(4086 - 785, abs=1e-6)
    joined = doctors.data["joiners"].isel(draw=0).sum(["period", "post"])
    assert float(joined.sel(source="newly_qualified")) == pytest.approx(1320 + 1054 + 2690, abs=1e-6)
    assert float(joined.sel(source="abroad")) == pytest.approx(93, abs=1e-6)


def test_doctors_by_sex_as_far_as_the_paper_says(doctors: Results) -> None:
    """Published 5,301 men and 6,945 women; with 71 % women among all newcomers 5,310 and 6,936."""
    heads = doctors.data["headcount"].isel(draw=0, time=-1).sum(["contract", "post"])
    assert float(heads.sel(group="men")) == pytest.approx(5301, abs=12)
    assert float(heads.sel(group="women")) == pytest.approx(6945, abs=12)


def test_doctors_fte(doctors: Results) -> None:
    assert fte(doctors, 0) == pytest.approx(7290, abs=2)
    assert fte(doctors, -1) == pytest.approx(8187, abs=4)


def test_doctors_required_and_surplus(doctors: Results) -> None:
    """The paper rounds on the way: 7,363 in 2009 and 7,807 in 2019; unrounded 7,362.3 and 7,804.1."""
    required_2009 = fte(doctors, 0) * REQUIRED_2009
    assert required_2009 == pytest.approx(7363, abs=2)
    required = required_2009 * DEMOGRAPHY
    assert required == pytest.approx(7807, abs=4)
    assert fte(doctors, -1) - required == pytest.approx(380, abs=6)


def test_doctors_scenario_one_is_only_reached_with_another_sign(doctors: Results) -> None:
    """The text lowers demand by 2 % for efficiency; its printed 9,056 needs + 2 %."""
    required = fte(doctors, 0) * REQUIRED_2009 * DEMOGRAPHY
    as_text, as_printed = 0.03 + 0.05 + 0.01 - 0.02 + 0.05, 0.03 + 0.05 + 0.01 + 0.02 + 0.05
    assert required * (1 + as_printed) == pytest.approx(9056, abs=5)
    assert required * (1 + as_text) == pytest.approx(8744, abs=5)
    assert required * OTHER_GROWTH - fte(doctors, -1) == pytest.approx(869, abs=6)


def fte_2019(intake: float) -> float:
    """FTE in 2019 with another yearly intake in 2011 to 2015."""
    data = pharmsim.to_dict(pharmsim.load(PUBLISHED / "r1_gp_netherlands.yaml"))
    data["pipelines"]["later_intakes"]["intake"]["per_year"]["points"]["2011"]["value"] = intake
    return fte(pharmsim.run(pharmsim.from_dict(data)), -1)


@pytest.mark.parametrize(("growth", "published"), [(1.0, 476), (OTHER_GROWTH, 929)])
def test_doctors_intake_that_meets_the_requirement(doctors: Results, growth: float, published: float) -> None:
    required = fte(doctors, 0) * REQUIRED_2009 * DEMOGRAPHY * growth
    x0, x1 = 614.0, 700.0
    f0, f1 = fte(doctors, -1) - required, fte_2019(x1) - required
    for _ in range(10):
        if abs(f1) < 1e-6:
            break
        x0, x1 = x1, x1 - f1 * (x1 - x0) / (f1 - f0)
        f0, f1 = f1, fte_2019(x1) - required
    assert abs(f1) < 1e-6
    assert x1 == pytest.approx(published, abs=1.5)


# -- the grade chain (docsbay.net/markov-analysis-example) -----------------------------------------------


def test_chain_next_years(chain: Results) -> None:
    heads = chain.data["headcount"].isel(draw=0).sum(["group", "contract"]).values
    expected = [
        [300, 200, 50, 30],
        [162.5, 150, 75, 26],
        [92.5, 106.25, 83.125, 25.7],
        [55.71875, 73, 81.75, 26.3025],
    ]
    assert np.allclose(heads, expected, atol=1e-8)
    assert np.array_equal(np.floor(heads[1] + 0.5), [163, 150, 75, 26])  # as printed


def test_chain_exits_and_balance(chain: Results) -> None:
    exits = chain.data["leavers"].isel(draw=0).sum(["post", "destination"]).values
    assert exits[0] == pytest.approx(166.5)
    heads = chain.data["headcount"].isel(draw=0).sum(["group", "contract", "post"]).values
    assert np.allclose(heads[:-1], heads[1:] + exits)
