"""The engine of single careers: against `cohort`, against closed forms, and what must always hold."""

from __future__ import annotations

import copy
import os
from typing import Any

import numpy as np
import pandas as pd
import pytest
from careers_agreement import Record, compare, compiled, failures, limit, without_limits
from scipy import stats

import pharmsim
from made import by_post, made, one, post
from pharmsim.engine.careers.run import Output, run
from pharmsim.engine.careers.streams import Streams, Whole
from pharmsim.errors import InputError
from pharmsim.quantities import FLOWS, STOCKS
from pharmsim.results.labelled import label
from pharmsim.scenario.models import Scenario
from random_scenarios import random_scenario

Array = np.ndarray
FAMILY_WISE = 0.01
"""Chance that an agreement fails although the engines agree."""
TINY = pharmsim.tiny_scenario()
IN_FTE = {"fte", "establishment_fte", "vacancy_fte", "cover_fte", "unfillable_fte"}


def replicates(scenario: Scenario, n: int, workers: int = 1, first: int = 0) -> Output:
    return run(compiled(scenario), [(0, 0, first + r) for r in range(n)], workers)


def many_posts(n: int, heads: float, months: int = 36, **sections: Any) -> Scenario:
    """Posts that know nothing of each other: as many samples in one replicate."""
    posts = [post(f"p{i}", environment=f"e{i}") for i in range(n)]
    return made(months, posts=posts, heads=heads, **sections)


def heads(record: Record) -> Array:
    """By replicate, time and post."""
    return record["headcount"].sum(axis=(3, 4))


# ---- closed forms --------------------------------------------------------------------------------------


def leaving(rate: str) -> dict[str, Any]:
    return {"leaving": {"out": {"rate": rate}}}


def supply(per_year: str) -> dict[str, Any]:
    return {"hiring": {"sources": [{"name": "outside", "supply": per_year, "ages": one(30)}]}}


def split(**shares: float) -> dict[str, Any]:
    """Shares of contracts, or FTE per head by contract."""
    return {"rows": [{"where": {"contract": name}, "value": x} for name, x in shares.items()]}


def chi_square(samples: Array, variance: float) -> float:
    """Two-sided p-value of a sample variance."""
    n = samples.size - 1
    p = stats.chi2.sf(n * samples.var(ddof=1) / variance, n)
    return float(2.0 * min(p, 1.0 - p))


def mean_p(samples: Array, mean: float, variance: float) -> float:
    """Two-sided p-value of a sample mean."""
    return float(2.0 * stats.norm.sf(abs(samples.mean() - mean) / (variance / samples.size) ** 0.5))


@pytest.fixture(scope="module")
def survivors() -> Array:
    """Of 100 people, 36 months of a hazard of 25 % a year: 400 samples by time."""
    found = heads(replicates(many_posts(200, 100.0, **leaving("25 % per year")), 2).record)
    return np.moveaxis(found, 1, 0).reshape(37, -1)


@pytest.mark.parametrize("month", [1, 12, 36])
def test_survivors_are_binomial(survivors: Array, month: int) -> None:
    p = np.exp(-0.25 * month / 12)
    assert mean_p(survivors[month], 100 * p, 100 * p * (1 - p)) > 0.001
    assert chi_square(survivors[month], 100 * p * (1 - p)) > 0.001
    wrong = np.exp(-0.25 * 1.05 * month / 12)
    if month == 36:
        assert mean_p(survivors[month], 100 * wrong, 100 * wrong * (1 - wrong)) < 0.001


def test_joiners_are_poisson_and_the_posts_are_queues_without_a_limit() -> None:
    """M/M/∞ from an empty start: Poisson with mean λ/μ (1 − e^(−μt)), joiners Poisson month by month."""
    scenario = many_posts(120, 0.0, 24, **leaving("50 % per year"), **supply("30 per year"))
    record = replicates(scenario, 2).record
    joiners = record["joiners"][..., 0]
    assert mean_p(joiners, 2.5, 2.5) > 0.001
    assert chi_square(joiners[:, 5], 2.5) > 0.001
    assert abs(np.corrcoef(joiners[:, 3].ravel(), joiners[:, 4].ravel())[0, 1]) < 0.25
    for month in (3, 24):
        mean = 60.0 * -np.expm1(-0.5 * month / 12)
        there = heads(record)[:, month]
        assert mean_p(there, mean, mean) > 0.001
        assert chi_square(there, mean) > 0.001
    early, late = heads(record)[:, 12].ravel(), heads(record)[:, 24].ravel()
    expected = np.sqrt(-np.expm1(-0.5) / -np.expm1(-1.0)) * np.exp(
        -0.5
    )  # of those at the first date who stay
    assert np.corrcoef(early, late)[0, 1] == pytest.approx(expected, abs=0.2)


def test_first_days_are_whole_months_after_the_offer_and_vacancies_last_the_time_to_fill() -> None:
    hiring = {"time_to_hire": "2 months", "time_to_fill": "3 months", **supply("unlimited")["hiring"]}
    scenario = many_posts(40, 50.0, 60, establishment={"fte": 60}, hiring=hiring, **leaving("30 % per year"))
    out = replicates(scenario, 1)
    filled = out.vacancies.to_pandas()
    hired = filled[(filled["ended"] == "hired") & (filled["opened"] < "2030-04")]
    months = (hired["closed"] - hired["opened"]).dt.days / 30.4375
    assert months.mean() == pytest.approx(3.0, abs=5 * 3.0 / len(months) ** 0.5)
    events = out.careers.to_pandas()
    accepts, starts = (
        events[events["event"] == what].set_index("person")["date"] for what in ("accepts", "starts")
    )
    wait = (starts - accepts.reindex(starts.index)).dt.days / 30.4375
    assert wait.between(1.9, 3.07).all()  # until the end of the second month after that of the offer
    assert (starts.dt.day == 1).all()


# ---- against `cohort` -----------------------------------------------------------------------------------


def everything(node: dict[str, Any]) -> None:
    """Tiny without limits, and without a first year that differs: `cohort` spreads that over all ages."""
    for section in ("establishment", "first_year"):
        node.pop(section)


def times(path: str, factor: float) -> Any:
    """A change: the number at a path of a canonical scenario, and all its rows, times a factor."""

    def change(node: dict[str, Any]) -> None:
        everything(node)
        *way, last = path.split(".")
        for key in way:
            node = node[int(key)] if isinstance(node, list) else node[key]
        node[last] = scaled(node[last], factor)

    return change


def scaled(node: Any, factor: float) -> Any:
    """A canonical value or cells times a factor."""
    node = copy.deepcopy(node)
    if "terms" in node:
        node["terms"][0] = scaled(node["terms"][0], factor)
    for row in node.get("rows", [node] if "value" in node else []):
        row["value"] *= factor
        for end in ("low", "high"):
            if row.get(end) is not None:
                row[end] *= factor
    return node


def few_years(change: Any = everything, years: int = 2) -> Scenario:
    return without_limits(TINY, change, f"{2026 + years}-04")


def test_careers_agree_with_cohort() -> None:
    scenario = few_years()
    record = replicates(scenario, 48).record
    found = compare(record, limit(scenario))
    assert len(found) > 150
    assert failures(found, 48, FAMILY_WISE) == []
    wrong = limit(few_years(times("leaving.other_system.rate", 1.4)))
    assert failures(compare(record, wrong), 48, FAMILY_WISE)


WRONG = [
    "leaving.other_system.rate", "leaving.career_break.rate", "retirement.rate",
    "pools.career_break.return_rate", "switches.0.rate", "moves.edges.0.rate", "employer_change.rate",
    "hiring.sources.1.supply", "pipelines.foundation.retention",
]  # fmt: skip


@pytest.fixture(scope="module")
def ensemble() -> Record:
    return replicates(few_years(years=5), 1024, os.cpu_count() or 1, 10_000).record


@pytest.mark.verify
def test_careers_agree_with_cohort_closely(ensemble: Record) -> None:
    """1,024 replicates of five years; family-wise error 1 %."""
    found = compare(ensemble, limit(few_years(years=5)))
    assert len(found) > 400
    assert failures(found, 1024, FAMILY_WISE) == []


@pytest.mark.verify
@pytest.mark.parametrize("path", WRONG)
def test_an_input_that_is_wrong_by_a_twentieth_is_noticed(ensemble: Record, path: str) -> None:
    wrong = limit(few_years(times(path, 1.05), 5))
    assert failures(compare(ensemble, wrong), 1024, FAMILY_WISE)


def new_ones(rate: str = "20 % per year") -> Scenario:
    """First-year staff who leave at another rate, promotions, opening offers, two stages."""
    new = by_post(junior="0 %", senior="20 %", other="20 %")
    supply = by_post(junior="0 per year", senior="6 per year", other="24 per year")
    return made(
        36,
        posts=[post("junior"), post("senior", environment="wood"), post("other", environment="lake")],
        heads=by_post(junior=120, senior=60, other=90),
        ages={"rows": [{"where": {"age": "30-55"}, "value": "100 %"}]},
        leaving={"out": {"rate": rate}},
        first_year={"leaving_ratio": 2, "opening_share": new},
        promotions={"edges": [{"from": "junior", "to": "senior", "rate": "10 % per year"}]},
        hiring={
            "time_to_hire": by_post(junior="0 months", senior="0 months", other="3 months"),
            "opening_offers": by_post(junior=0, senior=0, other=6),
            "sources": [
                {"name": "new", "pipelines": "all"},
                {"name": "outside", "supply": supply, "ages": one(30)},
            ],
        },
        pipelines={
            "school": {
                "role": "red",
                "intake": {"per_year": {"2018": 40}, "months": ["February", "September"]},
                "stages": [
                    {"name": "one", "months": "9 months", "drop_out": "20 % per year"},
                    {"name": "two", "months": "6 months", "drop_out": "5 % per year"},
                ],
                "destinations": by_post(junior="0 %", senior="0 %", other="100 %"),
                "ages": {"rows": [{"where": {"age": "22-25"}, "value": "100 %"}]},
                "opening": {"rule": "steady"},
            }
        },
    )  # fmt: skip


@pytest.mark.verify
def test_first_year_staff_and_promotions_agree() -> None:
    """384 replicates; family-wise error 1 %. Nobody is new where people are promoted from: see the docs."""
    record = replicates(new_ones(), 384, os.cpu_count() or 1).record
    assert failures(compare(record, limit(new_ones()), alike=True), 384, FAMILY_WISE) == []
    assert failures(compare(record, limit(new_ones("21 % per year")), alike=True), 384, FAMILY_WISE)


def larger(node: Any, factor: float, counts: bool = False) -> Any:
    """A canonical scenario with more people: stocks, supplies, intakes and places times a factor."""
    if isinstance(node, list):
        return [larger(item, factor, counts) for item in node]
    if not isinstance(node, dict):
        return node
    out = {}
    for key, child in node.items():
        if counts and key in ("value", "low", "high") and isinstance(child, float | int):
            out[key] = child * factor
        elif key in ("where", "range", "opening_ages", "months"):
            out[key] = child
        else:
            more = key in ("headcount", "opening", "supply", "intake", "places", "seekers")
            out[key] = larger(child, factor, counts or more)
    return out


@pytest.mark.verify
def test_what_limits_make_of_whole_people_shrinks_with_the_population() -> None:
    """Tiny with its establishment, 320 people and 5,120: relative differences of people and of moves."""
    gaps = []
    for factor, n in ((1.0, 64), (16.0, 8)):
        scenario = pharmsim.from_dict(larger(pharmsim.to_dict(TINY), factor) | {"end": "2031-04"})
        record, expected = replicates(scenario, n).record, limit(scenario)
        gaps.append(
            (
                heads(record)[:, -1].sum(axis=1).mean() / heads(expected)[0, -1].sum() - 1.0,
                record["moves"].sum() / n / expected["moves"].sum() - 1.0,
            )
        )
    few, many = gaps
    assert -0.012 < few[0] < -0.002
    assert abs(many[0]) < 0.006
    assert few[1] < -0.14
    assert abs(many[1]) < 0.07


# ---- what must always hold ------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_people_are_whole_and_none_is_lost(seed: int) -> None:
    try:
        scenario = random_scenario(seed, step="month")
        c = compiled(scenario)
    except InputError:
        pytest.skip("numbers that do not go together")
    record = run(c, [(0, 0, 3)]).record
    for name in set(STOCKS | FLOWS) - IN_FTE:
        assert (record[name] >= 0.0).all(), name
        assert (record[name] == np.rint(record[name])).all(), name
    assert np.abs(record["conservation_error"]).max() == 0.0  # or the run would have stopped


def test_neither_hires_nor_longer_hours_exceed_what_is_funded() -> None:
    mix = {"contracts": split(full=0.5, part=0.5), "time_to_fill": "0 months"}
    scenario = made(
        24,
        heads=9,
        contracts=["full", "part"],
        fte_per_head=split(full=1.0, part=0.6),
        stock={"contracts": split(full=1.0, part=0.0)},
        establishment={"fte": 10.3},
        hiring=supply("unlimited")["hiring"] | mix,
        switches=[{"name": "longer", "from": "part", "to": "full", "rate": "200 % per year"}],
        **leaving("90 % per year"),
    )
    vacant = replicates(scenario, 20).record["vacancy_fte"]
    assert vacant.min() >= -1e-9
    assert vacant[:, 12:].mean() < 1.0  # what no contract fits, and a day or so of search


@pytest.mark.parametrize("n", [0.0, 1.0])
def test_smallest_posts(n: float) -> None:
    record = replicates(made(24, heads=n, establishment={"fte": n}, **leaving("3 per year")), 5).record
    assert heads(record)[:, 0].max() == n
    assert heads(record)[:, -1].max() <= n
    still = replicates(made(24, heads=n), 1).record  # no hazard at all
    assert (heads(still) == n).all()


@pytest.mark.verify
def test_a_post_of_a_hundred_thousand_people_that_empties_within_months() -> None:
    scenario = made(6, heads=100_000, **leaving("3 per year"))
    record = replicates(scenario, 1).record
    left = 100_000 * np.exp(-3 * 0.5)
    assert heads(record)[0, -1, 0] == pytest.approx(left, abs=5 * left**0.5)


def test_replicates_are_the_same_in_any_process_and_order() -> None:
    scenario = few_years(years=1)
    here, there = replicates(scenario, 2), run(compiled(scenario), [(0, 0, 1), (0, 0, 0)], workers=2)
    for name, array in here.record.items():
        np.testing.assert_array_equal(array, there.record[name][::-1], name)
    assert here.careers.filter(here.careers["replicate"].to_numpy() == 1).to_pandas()["date"].to_list() == (
        there.careers.filter(there.careers["replicate"].to_numpy() == 1).to_pandas()["date"].to_list()
    )
    assert (here.record["headcount"][0] != here.record["headcount"][1]).any()


def test_a_change_in_one_post_reshuffles_nobody_elsewhere() -> None:
    def others(rate: str) -> pd.DataFrame:
        rates = by_post(a="20 % per year", b=rate)
        scenario = made(
            24, posts=[post("a"), post("b", environment="lake")], leaving={"out": {"rate": rates}}
        )
        events = replicates(scenario, 1).careers.to_pandas()
        return events[events["person"].astype(str).str.contains("/a/")].reset_index(drop=True)

    same, changed = others("20 % per year"), others("60 % per year")
    assert len(same) > 120
    pd.testing.assert_frame_equal(same.astype(str), changed.astype(str))


def test_who_passes_the_last_age_retires_on_the_anniversary() -> None:
    scenario = made(36, heads=7, ages=one(99))
    ours, theirs = replicates(scenario, 1).record, limit(scenario)
    np.testing.assert_allclose(ours["retirements"], theirs["retirements"], atol=1e-9)
    assert ours["retirements"][0, 23, 0] == 7.0


def test_the_step_of_a_year_is_refused() -> None:
    with pytest.raises(InputError, match="step — must be a month"):
        replicates(made(24, step="year"), 1)


def test_results_are_labelled_as_those_of_cohort() -> None:
    out = replicates(TINY, 2)
    data = label(TINY, out.record, 1, {"engine": "careers"}).data
    assert set(data.data_vars) == set(pharmsim.run(TINY).data.data_vars)
    assert data["headcount"].sizes["draw"] == 2


def test_a_series_of_fractions_is_whole_and_right_on_average() -> None:
    taken = [
        [turn.take(0.3) for _ in range(10)]
        for turn in (Whole(Streams(1, 0, r).named("x")) for r in range(4000))
    ]
    assert set(np.sum(taken, axis=1)) == {3}
    assert np.abs(np.mean(taken, axis=0) - 0.3).max() < 4.5 * (0.21 / 4000) ** 0.5
