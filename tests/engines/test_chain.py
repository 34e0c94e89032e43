"""The engine of whole people: its chances, against closed forms and `cohort`, and what must always hold."""

from __future__ import annotations

import math
import os
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from careers_agreement import Record, compare, failures
from scipy import stats
from test_careers import WRONG, chi_square, few_years, leaving, many_posts, mean_p, scaled, supply, times

import pharmsim
from made import by_post, made, one, post
from pharmsim.compiled.compile import Compiled, compile_scenario
from pharmsim.compiled.draws import sample
from pharmsim.compiled.streams import keys, row_keys, streams
from pharmsim.compiled.whole import expected_opening, whole, whole_opening
from pharmsim.engine import chance
from pharmsim.engine.jit import entry
from pharmsim.engine.run import run
from pharmsim.errors import InputError
from pharmsim.quantities import FLOWS, STOCKS
from pharmsim.scenario.models import Scenario
from random_scenarios import random_scenario

Array = np.ndarray
FAMILY_WISE = 0.01
"""Chance that an agreement fails although the engines agree."""
IN_FTE = {"fte", "establishment_fte", "vacancy_fte", "cover_fte", "unfillable_fte"}
FOLLOWED = {"first_year", "moves_blocked", "headcount_55plus"}
"""Expectations given what happens to whole people; birthdays are spread over the year."""


def compiled(scenario: Scenario, n: int) -> Compiled:
    """So many rows at the central values."""
    table = sample(scenario)
    return compile_scenario(scenario, replace(table, u=np.repeat(table.u, n, axis=0)))


def replicates(scenario: Scenario, n: int, threads: int = 1) -> Record:
    return run(compiled(scenario, n), threads=threads, keys=row_keys(1, 0, range(n))).record


def expected(scenario: Scenario) -> Record:
    """`cohort` from the same people on average at the same step."""
    c = compiled(scenario, 1)
    return run(c, expected_opening(c.opening, c.model.posts.tracks.home)).record


def heads(record: Record) -> Array:
    """By replicate, time and post."""
    return record["headcount"].sum(axis=(3, 4))


# ---- chances ---------------------------------------------------------------------------------------------


@entry
def _uniforms(key, out):  # type: ignore[no-untyped-def]
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = chance.uniform(chance.mix(key, i), j)


@entry
def _binomials(n, p, u, out):  # type: ignore[no-untyped-def]
    for i in range(u.size):
        out[i] = chance.binomial(n, p, u[i])


@entry
def _poissons(mean, u, out):  # type: ignore[no-untyped-def]
    for i in range(u.size):
        out[i] = chance.poisson(mean, u[i])


def test_keys_give_numbers_that_are_even_and_know_nothing_of_each_other() -> None:
    u, other = np.empty((400, 500)), np.empty((400, 500))
    _uniforms(keys([("a",)])[0], u)
    _uniforms(keys([("b",)])[0], other)
    assert ((u > 0.0) & (u < 1.0)).all()
    assert stats.kstest(u.ravel(), "uniform").pvalue > 0.001
    for near in (u[:, 1:] - u[:, :-1], u[1:] - u[:-1], u - other):  # by flow, by cell, by key
        assert abs(near.var() - 1 / 6) < 0.003


@pytest.mark.parametrize("n", [1, 2, 7, 50, 1000, 200_000])
@pytest.mark.parametrize("p", [1e-6, 0.003, 0.2, 0.5, 0.8, 0.999999])
def test_binomials_are_exact_inversions(n: int, p: float) -> None:
    u = (np.arange(999) + 0.5) / 999
    out = np.empty_like(u)
    _binomials(float(n), p, u, out)
    assert (stats.binom.cdf(out - 1, n, p) - 1e-9 <= u).all()
    assert (u <= stats.binom.cdf(out, n, p) + 1e-9).all()
    assert (np.diff(out) >= 0).all()


@pytest.mark.parametrize("mean", [1e-6, 0.4, 12.0, 29.9, 30.1, 900.0, 50_000.0])
def test_poissons_are_exact_inversions(mean: float) -> None:
    u = (np.arange(999) + 0.5) / 999
    out = np.empty_like(u)
    _poissons(mean, u, out)
    assert (stats.poisson.cdf(out - 1, mean) - 1e-9 <= u).all()
    assert (u <= stats.poisson.cdf(out, mean) + 1e-9).all()


def test_ends_of_chance() -> None:
    out, u = np.empty(2), np.array([1e-16, 1.0 - 1e-16])
    for n, p, answer in ((5.0, 0.0, 0.0), (5.0, 1.0, 5.0), (0.0, 0.5, 0.0)):
        _binomials(n, p, u, out)
        assert (out == answer).all()
    _binomials(3.0, 0.5, u, out)
    assert out.tolist() == [0.0, 3.0]


def test_fractions_of_people_become_whole_and_the_totals_stay() -> None:
    rng = np.random.default_rng(3)
    given, offset = rng.gamma(0.3, 1.0, (4, 5, 42)), rng.random((4, 5))
    given[0, 0] *= 2.0 / given[0, 0].sum()
    found = whole(given, offset)
    assert (found == np.rint(found)).all()
    assert (found >= 0.0).all()
    assert np.abs(found.sum(axis=2) - given.sum(axis=2)).max() < 1.0
    np.testing.assert_array_equal(found.sum(axis=(1, 2)), np.rint(given.sum(axis=(1, 2))))
    assert found[0, 0].sum() == 2.0  # whole totals are kept
    np.testing.assert_array_equal(whole(found, offset), found)
    halves = whole(np.full((1, 4, 1), 0.5), offset[:1, :4])
    np.testing.assert_array_equal(halves[0, :, 0], [1.0, 1.0, 0.0, 0.0])
    for end in (0.0, 1.0):
        assert (whole(given, np.full((4, 5), end)).sum(axis=2) == found.sum(axis=2)).all()


def test_who_is_in_a_small_team_at_the_start_is_a_matter_of_chance() -> None:
    """One person each: of every age as often as the ages say."""
    n = 4000
    ages = {"rows": [{"where": {"age": "30-39"}, "value": 0.8}, {"where": {"age": "50-59"}, "value": 0.2}]}
    scenario = many_posts(2, 1.0, 12, ages=ages)
    c = compiled(scenario, n)
    names, home = streams(scenario, c.model.posts), c.model.posts.tracks.home
    found = whole_opening(c.opening, home, row_keys(1, 0, range(n)), names).posts.people[:, 0]
    assert (found.sum(axis=(2, 3, 4)) == 1.0).all()
    mean, given = found.mean(axis=0), c.opening.posts.people[0, 0]
    assert np.abs(mean - given).max() < 5.0 * (0.25 / n) ** 0.5
    assert (mean > 0.0).sum() >= 2 * 20
    together = (found[:, 0] == found[:, 1]).all(axis=(1, 2, 3)).mean()
    assert together < 0.2  # two teams have their own people


def test_an_opening_keeps_every_post_and_those_of_it_who_train() -> None:
    c = compiled(pharmsim.tiny_scenario(), 1)
    home, names = c.model.posts.tracks.home, streams(c.scenario, c.model.posts)
    mean = expected_opening(c.opening, home).posts
    state = whole_opening(c.opening, home, row_keys(1, 0, range(1)), names).posts
    by_row, by_row_now = (x.people[0, 0].sum(axis=(1, 2, 3)) for x in (c.opening.posts, state))
    for p in range(home.max() + 1):
        assert by_row_now[home == p].sum() == pytest.approx(by_row[home == p].sum(), abs=1e-9)
    for stock in ("pools", "seekers"):
        whole_heads, heads_on_average = getattr(state, stock), getattr(mean, stock)
        assert whole_heads.sum() == np.rint(getattr(c.opening.posts, stock).sum())
        assert heads_on_average.sum() == pytest.approx(whole_heads.sum(), abs=1e-9)


# ---- closed forms ----------------------------------------------------------------------------------------


def test_survivors_are_binomial() -> None:
    there = heads(replicates(many_posts(60, 100.0, **leaving("25 % per year")), 20))
    for month in (1, 12, 36):
        p = math.exp(-0.25 * month / 12)
        assert mean_p(there[:, month], 100 * p, 100 * p * (1 - p)) > 0.001
        assert chi_square(there[:, month], 100 * p * (1 - p)) > 0.001
    wrong = math.exp(-0.25 * 1.05 * 3)
    assert mean_p(there[:, 36], 100 * wrong, 100 * wrong * (1 - wrong)) < 1e-6


def test_joiners_are_poisson_and_the_posts_are_queues_without_a_limit() -> None:
    """M/M/∞ in months: people present are Poisson; who joins in a month is exposed from the next on."""
    scenario = many_posts(60, 0.0, 24, **leaving("50 % per year"), **supply("30 per year"))
    record = replicates(scenario, 20)
    joiners = record["joiners"][..., 0]
    assert mean_p(joiners, 2.5, 2.5) > 0.001
    assert chi_square(joiners[:, 5], 2.5) > 0.001
    assert abs(np.corrcoef(joiners[:, 3].ravel(), joiners[:, 4].ravel())[0, 1]) < 0.1
    stay = math.exp(-0.5 / 12)
    for month in (3, 24):
        mean = 2.5 * (1.0 - stay**month) / (1.0 - stay)
        assert mean_p(heads(record)[:, month], mean, mean) > 0.001
        assert chi_square(heads(record)[:, month], mean) > 0.001


def test_several_destinations_share_those_who_leave_as_their_hazards() -> None:
    rates = {"out": {"rate": "30 % per year"}, "away": {"rate": "10 % per year"}}
    by = replicates(many_posts(60, 100.0, 12, leaving=rates), 20)["leavers"].sum(axis=(0, 1, 2))
    assert stats.binomtest(int(by[0]), int(by.sum()), 0.75).pvalue > 0.001
    assert stats.binomtest(int(by[0]), int(by.sum()), 0.72).pvalue < 0.001


# ---- against `cohort` ------------------------------------------------------------------------------------


def test_chain_agrees_with_cohort() -> None:
    scenario = few_years()
    record = replicates(scenario, 256, 2)
    found = compare(record, expected(scenario))
    assert len(found) > 150
    assert failures(found, 256, FAMILY_WISE) == []
    wrong = expected(few_years(times("leaving.other_system.rate", 1.2)))
    assert failures(compare(record, wrong), 256, FAMILY_WISE)


@pytest.fixture(scope="module")
def ensemble() -> Record:
    return replicates(few_years(years=5), 2048, os.cpu_count() or 1)


@pytest.mark.verify
def test_chain_agrees_with_cohort_closely(ensemble: Record) -> None:
    """2,048 replicates of five years; family-wise error 1 %."""
    found = compare(ensemble, expected(few_years(years=5)))
    assert len(found) > 400
    assert failures(found, 2048, FAMILY_WISE) == []


@pytest.mark.verify
@pytest.mark.parametrize("path", WRONG)
def test_an_input_that_is_wrong_by_a_twentieth_is_noticed(ensemble: Record, path: str) -> None:
    wrong = expected(few_years(times(path, 1.05), 5))
    assert failures(compare(ensemble, wrong), 2048, FAMILY_WISE)


@pytest.mark.verify
def test_with_limits_the_difference_shrinks_as_places_grow() -> None:
    """Tiny with its limits and ten times as many people each time: heads in three years."""
    gaps = []
    for as_many, n in ((1.0, 256), (10.0, 64), (100.0, 16), (1000.0, 8)):
        scenario = pharmsim.from_dict(_grown(as_many))
        chain, mean = heads(replicates(scenario, n, 2))[:, -1].mean(axis=0), heads(expected(scenario))[0, -1]
        gaps.append(float(np.abs(chain / mean - 1.0).mean()))
    assert gaps[0] > 2.0 * gaps[1]
    assert gaps[1] > 2.0 * gaps[2]
    assert gaps[3] < 0.0005


def _grown(factor: float) -> dict[str, Any]:
    """Three years of tiny with so many times the people, supply and places."""
    node = deepcopy(pharmsim.to_dict(pharmsim.tiny_scenario()) | {"end": "2029-04"})
    foundation, pipeline = node["pipelines"]["foundation"], node["pipelines"]["step_up"]
    by_year, stage = foundation["intake"]["per_year"], foundation["stages"][0]
    elsewhere = next(source for source in node["hiring"]["sources"] if source["name"] == "elsewhere")
    for holder, key in (
        (node["stock"], "headcount"), (node["pools"]["career_break"], "opening"), (elsewhere, "supply"),
        (stage, "places"), (foundation["opening"], "seekers"), (pipeline, "intake"),
        *((by_year, year) for year in by_year),
    ):  # fmt: skip
        holder[key] = scaled(holder[key], factor)
    return node


# ---- what must always hold -------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_people_are_whole_and_none_is_lost(seed: int) -> None:
    try:
        record = replicates(random_scenario(seed, step="month"), 2)
    except InputError:
        pytest.skip("numbers that do not go together")
    for name in set(STOCKS | FLOWS) - IN_FTE:
        assert (record[name] >= 0.0).all(), name
        if name not in FOLLOWED:
            assert (record[name] == np.rint(record[name])).all(), name
    assert np.abs(record["conservation_error"]).max() == 0.0


def contracts(**shares: float) -> dict[str, Any]:
    return {"rows": [{"where": {"contract": name}, "value": share} for name, share in shares.items()]}


def test_neither_hires_nor_longer_hours_exceed_what_is_funded() -> None:
    hiring = {**supply("unlimited")["hiring"], "contracts": contracts(full=0.5, part=0.5)}
    scenario = made(
        24,
        heads=9,
        contracts=["full", "part"],
        fte_per_head=contracts(full=1.0, part=0.6),
        stock={"contracts": contracts(full=1.0, part=0.0)},
        establishment={"fte": 10.3},
        hiring={**hiring, "time_to_fill": "0 months"},
        switches=[{"name": "longer", "from": "part", "to": "full", "rate": "200 % per year"}],
        **leaving("90 % per year"),
    )
    vacant = replicates(scenario, 50)["vacancy_fte"]
    assert vacant.min() >= -1e-9
    assert 0.3 < vacant[:, 12:].mean() < 2.5  # what no whole person fits, and who left within the month


def test_moves_stop_where_posts_are_full() -> None:
    posts = [post("a"), post("b", environment="lake")]
    edges = {"edges": [{"from": "a", "to": "b", "rate": "80 % per year"}]}
    establishment = {"fte": by_post(a=60, b=12)}
    scenario = made(24, posts=posts, heads=by_post(a=50, b=10), moves=edges, establishment=establishment)
    record = replicates(scenario, 40)
    assert record["vacancy_fte"].min() >= 0.0
    assert (heads(record)[:, -1, 1] == 12.0).all()
    assert record["moves_blocked"].sum() > 100.0


@pytest.mark.parametrize("n", [0.0, 1.0, 100_000.0])
def test_smallest_and_largest_posts(n: float) -> None:
    there = heads(replicates(made(12, heads=n, **leaving("3 per year")), 4))[..., 0]
    assert (there[:, 0] == n).all()
    assert (np.diff(there, axis=1) <= 0.0).all()
    if n > 1.0:
        left = n * math.exp(-3.0)
        assert np.abs(there[:, -1] - left).max() < 5 * left**0.5
    assert (heads(replicates(made(12, heads=n), 1)) == n).all()  # no hazard at all


def test_everybody_may_leave_within_a_month() -> None:
    c = compiled(made(12, heads=1000.0, **leaving("3 per year")), 2)
    c.model.posts.risks.scale[:] *= 1000.0
    record = run(c, keys=row_keys(1, 0, range(2))).record
    assert (heads(record)[:, 0] == 1000.0).all()
    assert (heads(record)[:, 1:] == 0.0).all()


def test_the_same_bits_on_any_number_of_threads_and_from_a_state() -> None:
    c, rows = compiled(pharmsim.tiny_scenario(), 6), row_keys(1, 0, range(6))
    one_thread, two = run(c, threads=1, keys=rows), run(c, threads=2, keys=rows)
    half = run(c, last=50, keys=rows)
    rest = run(c, half.state, 50, keys=rows)
    for name, array in one_thread.record.items():
        np.testing.assert_array_equal(array, two.record[name], name)
        if name in FLOWS:
            np.testing.assert_array_equal(array[:, 50:], rest.record[name][:, 50:], name)
    np.testing.assert_array_equal(one_thread.state.posts.people, rest.state.posts.people)
    other = run(c, keys=row_keys(2, 0, range(6)))
    assert (other.record["headcount"] != one_thread.record["headcount"]).any()


def test_a_change_in_one_post_reshuffles_nobody_elsewhere() -> None:
    def both(rate: str) -> Array:
        rates = by_post(a="20 % per year", b=rate)
        posts = [post("b", environment="lake"), post("a")]
        hiring = {"sources": [{"name": "outside", "supply": "9 per year", "ages": one(30)}]}
        return heads(replicates(made(24, posts=posts, leaving={"out": {"rate": rates}}, hiring=hiring), 3))

    same, changed = both("20 % per year"), both("60 % per year")
    assert changed[:, -1, 0].max() < same[:, -1, 0].min()
    np.testing.assert_array_equal(same[..., 1], changed[..., 1])


def test_scenarios_share_chances_by_name_not_by_place() -> None:
    def stays(*posts: dict[str, Any]) -> Array:
        record = replicates(made(24, posts=list(posts), **leaving("20 % per year")), 3)
        return heads(record)[..., -1]

    np.testing.assert_array_equal(stays(post("a")), stays(post("z", environment="lake"), post("a")))


def test_what_is_too_small_for_a_whole_person_is_told() -> None:
    scenario = made(12, heads=9, establishment={"fte": 10.4}, **leaving("0 per year"))
    record = replicates(scenario, 2)
    assert record["vacancy_fte"] == pytest.approx(1.4)
    assert record["unfillable_fte"] == pytest.approx(0.4)
    assert "unfillable_fte" not in expected(scenario)
