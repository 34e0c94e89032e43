"""What measures depend on, against runs by hand."""

from __future__ import annotations

from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import pharmsim
from made import changed, made, post
from pharmsim.errors import InputError, ScenarioError
from pharmsim.report import sensitivity_figures
from pharmsim.report.sensitivity_text import ends, urgent
from pharmsim.results import assumptions, impact
from pharmsim.results.impact import Impact
from pharmsim.results.titles import titles, words
from pharmsim.scenario import load, shipped
from pharmsim.scenario.models import Scenario
from pharmsim.study.comparing.outcomes import outcomes
from pharmsim.study.ensemble import How
from pharmsim.study.sensitivity import question
from pharmsim.study.sensitivity.drivers import drivers
from pharmsim.study.sensitivity.factors import factors
from pharmsim.study.sensitivity.sensitivity import Sensitivity, disagreements, rows_of_design, sensitivity
from pharmsim.study.solving.targets import YEARLY, Subject, measure

AT = "1 April 2028"
YEARS = 2.0
GONE, RETIRED = "leaving.gone.rate", "leaving.retired.rate"


def rate(value: float, low: float, high: float, **more: Any) -> dict[str, Any]:
    return {"value": value, "low": low, "high": high, "evidence": "assumption", **more}


def scenario(**sections: Any) -> Scenario:
    """100 people; two uncertain ways to leave, and a change of employer that moves nobody out."""
    return made(
        leaving={
            "gone": {"rate": rate(0.2, 0.1, 0.25, evidence="published")},
            "retired": {"rate": rate(0.1, 0.05, 0.18)},
        },
        employer_change={"rate": rate(0.05, 0.02, 0.1)},
        **sections,
    )


def found(made_up: Scenario, *of: str, methods: Any = ("tornado", "prcc"), **options: Any) -> Sensitivity:
    asked = question.read(made_up, of or ("headcount",), [AT], methods=methods)
    return sensitivity(made_up, *asked, **{"draws": 64, **options})


@pytest.fixture(scope="module")
def plain() -> Sensitivity:
    return found(scenario())


# -- one at a time ------------------------------------------------------------------------------------------


def by_name(frame: pd.DataFrame, method: str = "") -> pd.DataFrame:
    frame = frame[frame["method"] == method] if method else frame
    return frame.set_index("uncertainty")


def test_ends_are_those_of_two_runs_by_hand(plain: Sensitivity) -> None:
    """People left after two years: 100·exp(−2·(h₁ + h₂))."""
    rows = by_name(plain.tornado)
    left = {"low": 0.1, "high": 0.25}
    for end, value in left.items():
        assert rows.loc[GONE, f"at_{end}"] == pytest.approx(100.0 * np.exp(-YEARS * (value + 0.1)))
        by_hand = changed(scenario(), leaving={"gone": {"rate": value}, "retired": {"rate": 0.1}})
        run = pharmsim.run(by_hand).data["headcount"].values[0, int(12 * YEARS)].sum()
        assert rows.loc[GONE, f"at_{end}"] == pytest.approx(run, rel=1e-12)
    assert rows.loc[GONE, "central"] == pytest.approx(100.0 * np.exp(-YEARS * 0.3))
    assert rows.loc[GONE, "change_low"] == rows.loc[GONE, "at_low"] - rows.loc[GONE, "central"]
    swing = 100.0 * (np.exp(-YEARS * 0.2) - np.exp(-YEARS * 0.35))
    assert rows.loc[GONE, "swing"] == pytest.approx(swing)


def test_the_largest_swing_is_first_and_nothing_is_last(plain: Sensitivity) -> None:
    assert list(plain.tornado["uncertainty"]) == [GONE, RETIRED, "employer_change.rate"]
    assert list(plain.tornado["rank"]) == [1.0, 2.0, 3.0]
    assert plain.tornado["share"].iloc[0] == 1.0
    assert plain.tornado["swing"].iloc[2] == 0.0
    share = by_name(plain.tornado)["share"]
    assert share[RETIRED] == pytest.approx((np.exp(-0.5) - np.exp(-0.76)) / (np.exp(-0.4) - np.exp(-0.7)))


def test_numbers_of_the_uncertainties_are_told(plain: Sensitivity) -> None:
    row = by_name(plain.tornado).loc[GONE]
    assert (row["from"], row["number"], row["to"]) == (0.1, 0.2, 0.25)
    assert (row["number_unit"], row["evidence"], row["numbers"]) == ("per year", "published", 1)


@pytest.mark.parametrize(("dist", "low", "high"), [("normal", 0.16, 0.24), ("uniform", 0.15, 0.24)])
def test_ends_of_a_range_are_its_low_and_high(dist: str, low: float, high: float) -> None:
    made_up = made(leaving={"gone": {"rate": rate(0.2, low, high, dist=dist)}})
    row = found(made_up, methods=["tornado"]).tornado.iloc[0]
    for end, value in (("low", low), ("high", high)):
        assert row[f"at_{end}"] == pytest.approx(100.0 * np.exp(-YEARS * value), rel=1e-6)


def test_a_table_moved_by_one_range_is_told_as_factors() -> None:
    rows = [{"where": {"post": "p"}, "value": 0.1}, {"where": {"post": "q"}, "value": 0.3}]
    table = {"rows": rows, "range": {"low": 0.5, "high": 1.5}}
    made_up = made(posts=[post("p"), post("q", "blue")], leaving={"gone": {"rate": table}})
    row = found(made_up, methods=["tornado"]).tornado.iloc[0]
    assert (row["from"], row["number"], row["to"], row["number_unit"]) == (0.5, 1.0, 1.5, "times")
    assert row["numbers"] == 2
    assert row["at_high"] == pytest.approx(100.0 * (np.exp(-0.3) + np.exp(-0.9)))


# -- all at once --------------------------------------------------------------------------------------------


def test_what_does_nothing_is_last_and_its_interval_holds_zero(plain: Sensitivity) -> None:
    rows = by_name(plain.indices, "prcc")
    assert list(rows.index) == [GONE, RETIRED, "employer_change.rate"]
    assert (rows["high"][:2] < 0.0).all()
    assert rows["low"].iloc[2] < 0.0 < rows["high"].iloc[2]


def test_parts_and_threads_change_nothing(plain: Sensitivity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pharmsim.study.sensitivity.outputs.PART_BYTES", 1)
    monkeypatch.setattr("pharmsim.study.sensitivity.outputs.FEWEST", 5)
    again = found(scenario(), how=How(threads=1))
    pd.testing.assert_frame_equal(again.indices, plain.indices, check_exact=True)
    pd.testing.assert_frame_equal(again.tornado, plain.tornado, check_exact=True)


def test_sobol_indices_of_a_scenario() -> None:
    """The logarithm of headcount is a sum; over narrow ranges headcount nearly is: shares of variances."""
    narrow = {"gone": rate(0.2, 0.18, 0.22, dist="uniform"), "retired": rate(0.1, 0.09, 0.11, dist="uniform")}
    made_up = made(leaving={name: {"rate": each} for name, each in narrow.items()})
    said: list[str] = []
    rows = found(made_up, methods=["sobol"], sobol_runs=600, say=said.append).indices
    assert said == [text for text in said if text.startswith("Sobol' indices: 128 × (2 + 2) = 512 runs")]
    for method in ("sobol_first", "sobol_total"):
        index = by_name(rows, method)
        assert index.loc[GONE, "index"] == pytest.approx(0.8, abs=0.03)
        assert index.loc[RETIRED, "low"] < 0.2 < index.loc[RETIRED, "high"]


def test_correlated_uncertainties_are_one_factor() -> None:
    together = {"correlated": [{"of": [GONE, RETIRED], "correlation": 0.6}]}
    made_up = scenario(uncertainties=together)
    assert factors([made_up], (GONE, "employer_change.rate", RETIRED)) == [
        (GONE, RETIRED), ("employer_change.rate",),
    ]  # fmt: skip
    result = found(made_up, methods=["sobol", "tornado"], sobol_runs=1024)
    assert set(result.indices["uncertainty"]) == {f"{GONE} and {RETIRED}", "employer_change.rate"}
    assert by_name(result.indices, "sobol_first")["index"].iloc[0] == pytest.approx(1.0, abs=0.1)
    assert any(
        note.startswith("drawn together: leaving, gone, rate and leaving, retired, rate.")
        for note in result.notes
    )
    assert len(result.tornado) == 3


def test_delta_of_few_draws_is_warned_of() -> None:
    result = found(scenario(), methods=["pawn"])
    assert any("pawn of 64 draws" in note for note in result.notes)
    assert set(result.indices["method"]) == {"pawn"}


def test_runs_of_a_design() -> None:
    assert rows_of_design(10, 0) == 512
    assert rows_of_design(10, 12 * 256 + 11) == 256
    with pytest.raises(InputError, match=r"--sobol-runs: must be 192 or more for 10 uncertainties; got 191"):
        rows_of_design(10, 191)
    with pytest.raises(InputError, match=r"--sobol-runs — must be at most .* — got 99,999,999"):
        found(scenario(), methods=["sobol"], sobol_runs=99_999_999)


# -- the question -------------------------------------------------------------------------------------------


def problems(made_up: Scenario, *args: Any, **options: Any) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        question.read(made_up, *args, **options)
    assert all(problem.file == "sensitivity" for problem in caught.value.problems)
    return [f"{problem.where}: {problem.message}" for problem in caught.value.problems]


def test_measures_that_a_board_asks_for() -> None:
    small = question.read(load(shipped("small_system.yaml")))
    names = [subject.quantity for subject in small.subjects]
    assert names == ["delivered_fte", "vacancy_rate", "retention", "shortfall", "total_cost"]
    assert small.subjects[2].level == "system"
    assert [str(date)[:7] for date in small.dates] == ["2028-04", "2031-04", "2036-04"]
    assert small.methods == ("tornado", "prcc")
    assert [subject.quantity for subject in question.read(scenario()).subjects] == ["fte"]


def test_all_that_is_wrong_is_said_at_once() -> None:
    said = problems(
        scenario(), ["head_count", "retention"], ["1 April 2020"], roles=["rad"], methods=["prc"], level="x"
    )
    assert any(line.startswith("--of: must be about one of retention,") for line in said)
    assert any("Closest: headcount" in line for line in said)
    assert any("retention" in line and "section `retention`" in line for line in said)
    assert any(line.startswith("--by: 1 April 2020 has passed") for line in said)
    assert any(line.startswith("--role: must be one of red") for line in said)
    assert any(line.startswith("--method: must be of tornado, prcc") for line in said)


def test_a_level_is_for_retention() -> None:
    assert problems(scenario(), ["headcount"], level="system") == [
        "--level: is for retention and leaver_rate. Leave it out"
    ]


def test_draws_are_enough_for_the_uncertainties() -> None:
    assert problems(scenario(), draws=22) == [
        "--draws: must be 23 or more for 3 uncertainties; got 22. Write `--draws 256`"
    ]
    assert question.read(scenario(), draws=0, methods=["tornado"]).methods == ("tornado",)


def test_something_must_have_a_range() -> None:
    said = problems(made(leaving={"gone": {"rate": 0.2}}))
    assert said == ["the scenario: must have ranges (low and high) for what is uncertain; it has none"]


def test_yearly_costs_are_those_of_comparisons() -> None:
    results = pharmsim.run(load(shipped("small_system.yaml")), tags=False, warn=False)
    dates = results.data["time"].values[[24, 60]]
    table = outcomes(results, dates).measures
    for name in set(YEARLY) & {key[0] for key in table}:
        expected = table[name, "", "year"].cells["all", "all"]
        assert measure(results.data, Subject(name), dates).values == pytest.approx(expected)
        assert expected.shape == (1, 2)
    early = measure(results.data, Subject("pay_bill"), results.data["time"].values[[6]])
    assert np.isnan(early.values).all()
    assert early.told == ("",)


# -- assumptions --------------------------------------------------------------------------------------------


def test_weak_evidence_and_high_impact_come_first(plain: Sensitivity) -> None:
    """What is published moves more, but what is assumed is less well known."""
    frame = plain.assumptions
    numbers = frame[frame["rank"].notna()].set_index("id")
    assert list(numbers.index) == [RETIRED, GONE, "employer_change.rate"]
    row = numbers.loc[GONE]
    assert (row["share"], row["priority"], row["rank"]) == (1.0, 0.25, 2.0)
    assert row["swing"] == by_name(plain.tornado).loc[GONE, "swing"]
    assert row["measure"] == "people in post, 1 April 2028"
    assert row["measure_unit"] == "heads"
    assert row["prcc"] == by_name(plain.indices, "prcc").loc[GONE, "index"]


def test_a_number_without_a_range_has_no_impact_rather_than_none(plain: Sensitivity) -> None:
    frame = plain.assumptions
    row = frame[frame["id"] == "stock.headcount"].iloc[0]
    assert row["impact"] == impact.UNKNOWN == "no range: impact unknown"
    assert np.isnan(row["swing"])
    assert np.isnan(row["rank"])
    known = frame[frame["uncertainty"] == "employer_change.rate"].iloc[0]
    assert known["swing"] == 0.0
    assert known["impact"] == ""
    assert len(frame) == len(assumptions.assumptions(plain.scenario))


def test_the_list_as_markdown(plain: Sensitivity) -> None:
    text = impact.as_markdown(plain.scenario, plain.assumptions)
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    assert lines[2].startswith("| 1 | leaving, retired, rate | leaving.retired.rate | assumption | people in")
    assert lines[2].endswith("heads | 80 % |  |")
    assert "## No range: impact unknown" in text
    assert text.index("leaving.retired.rate") < text.index("## No range") < text.index("stock.headcount")


def test_impact_is_that_on_the_measure_that_is_moved_most() -> None:
    made_up = scenario(fte_per_head={"rows": [{"where": {}, **rate(0.8, 0.7, 0.9)}]})
    result = found(made_up, "headcount", "fte", methods=["tornado"])
    frame = result.assumptions.set_index("uncertainty")
    assert frame.loc["fte_per_head", "measure"] == "FTE in post, 1 April 2028"
    assert frame.loc[GONE, "measure"] == "people in post, 1 April 2028"
    assert frame.loc[GONE, "share"] == 1.0
    assert result.indices.empty
    assert frame["prcc"].isna().all()


def test_impacts_keep_their_place_beside_the_numbers() -> None:
    """Rows of a table that do not vary are not ranked with those that do."""
    rows = [{"where": {"post": "p"}, **rate(0.1, 0.05, 0.2)}, {"where": {"post": "q"}, "value": 0.3}]
    made_up = made(posts=[post("p"), post("q", "blue")], leaving={"gone": {"rate": {"rows": rows}}})
    items = assumptions.assumptions(made_up)
    one = Impact("m", "heads", -1.0, 2.0, 3.0, 1.0)
    frame = impact.with_impact(made_up, items, {"leaving.gone.rate[0]": one})
    ranked = frame[frame["rank"].notna()]
    assert list(ranked["id"]) == ["leaving.gone.rate[0]"]
    assert ranked["swing"].iloc[0] == 3.0


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "interventions[flexible_working].effects[leaving].times",
            "flexible working, effects: leaving, times",
        ),
        ("pipelines.foundation.exam.pass_rates[0]", "pipelines, foundation, exam, pass rates, no. 1"),
        ("pipelines.foundation.intake.per_year[2026]", "pipelines, foundation, intake, per year: 2026"),
        ("moves.edges[a.b > c_d.e].rate", "moves, a b to c d e, rate"),
        ("leaving_ratio", "leaving ratio"),
    ],
)
def test_names_in_words(name: str, said: str) -> None:
    assert words(name) == said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("leaving.other_system.rate[0]", "leaving, other system, rate (hospital)"),
        ("leaving.other_system.rate[1]", "leaving, other system, rate (community)"),
        ("leaving.career_break.rate.terms[1]", "leaving, career break, rate, factor by group and age"),
        ("fte_per_head[1]", "fte per head (part time)"),
        ("moves.edges[0].rate", "moves, pharmacist community to pharmacist hospital, rate"),
        ("pipelines.foundation.intake.per_year[2026]", "pipelines, foundation, intake, per year, 2026"),
        ("pipelines.foundation.exam.pass_rates[0]", "pipelines, foundation, exam, pass rates, no. 1"),
        ("retirement.rate", "retirement, rate"),
    ],
)
def test_uncertainties_are_told_by_the_cells_that_they_apply_to(name: str, said: str) -> None:
    assert titles(TINY)[name] == said


TINY = assumptions.assumptions(load(shipped("tiny.yaml")))


def factor_of(label: str) -> dict[str, Any]:
    return {"rows": [{"where": {}, "value": 1.0}, {"where": {"post": label}, **rate(1.2, 1.0, 1.4)}]}


def leaving_by(*product: Any) -> Scenario:
    posts = [post("p"), post("q", "blue")]
    return made(posts=posts, leaving={"gone": {"rate": {"product": [*product], "evidence": "assumption"}}})


def test_no_two_uncertainties_have_one_title() -> None:
    rows = [{"where": {}, **rate(0.1, 0.05, 0.2)}, {"where": {"post": "p"}, **rate(0.3, 0.2, 0.4)}]
    named = titles(assumptions.assumptions(leaving_by({"rows": rows}, factor_of("p"), factor_of("p"))))
    first, second, third, fourth = named.values()
    assert (first, second) == ("leaving, gone, rate (all others)", "leaving, gone, rate (p)")
    assert third.startswith("leaving, gone, rate, factor (p), ")
    assert fourth.startswith("leaving, gone, rate, factor (p), ")
    assert third != fourth


def test_numbers_of_a_policy_are_told_with_its_cells() -> None:
    growth = next(item for item in TINY if item.id == "establishment.over_time[1].growth")
    assert growth.where == "environment = hospital"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("first_year.leaving_ratio", "1.2 to 2"),
        ("leaving.career_break.rate.terms[1]", "× 0.8 to × 1.25"),
        ("retirement.rate", "× 0.8 to × 1.2"),
        ("leaving.other_system.rate[1]", "4 to 7 % per year"),
    ],
)
def test_only_ranges_about_the_central_value_are_told_as_times(name: str, said: str) -> None:
    (one,) = drivers([name], TINY)
    assert ends({"from": one.low, "to": one.high, "number_unit": one.unit, "numbers": one.n}) == said


def test_what_multiplies_the_rest_of_its_table_is_told_as_a_factor() -> None:
    row = found(leaving_by(0.1, factor_of("p")), methods=["tornado"]).tornado.iloc[0]
    assert ends(row) == "factor 1 to 1.4"
    assert row["title"] == "leaving, gone, rate, factor (p)"


def test_indices_and_assumptions_have_the_titles_of_the_tornado(plain: Sensitivity) -> None:
    named = by_name(plain.tornado)["title"].to_dict()
    assert by_name(plain.indices)["title"].to_dict() == named
    ranked = plain.assumptions[plain.assumptions["rank"].notna()]
    assert set(zip(ranked["uncertainty"], ranked["title"], strict=True)) <= set(named.items())
    assert set(urgent(plain.assumptions)["title"]) <= set(named.values())


def test_ends_that_the_draws_hardly_meet_are_named(plain: Sensitivity) -> None:
    assert disagreements(plain.tornado, plain.indices) == []
    rows = plain.indices["uncertainty"] == RETIRED
    weak = plain.indices.assign(
        low=plain.indices["low"].mask(rows, -0.1), high=plain.indices["high"].mask(rows, 0.1)
    )
    (said,) = disagreements(plain.tornado, weak)
    assert "leaving, retired, rate for people in post, 1 April 2028." in said
    assert "gone" not in said
    totals = pd.DataFrame({"method": "sobol_total", "index": [0.1, 9e-4, 2e-3], "low": 0.0, "high": 0.1})
    keys = plain.tornado[["measure", "level", "role", "environment", "date", "uncertainty", "title"]]
    assert len(disagreements(plain.tornado, pd.concat([keys, totals], axis=1))) == 1
    enough = totals.assign(index=[0.1, 2e-3, 0.0])
    assert disagreements(plain.tornado, pd.concat([keys, enough], axis=1)) == []


def test_pictures_tell_draws_from_runs_of_a_design(tmp_path: Path) -> None:
    result = found(scenario(), methods=["prcc", "sobol"], sobol_runs=640)
    assert dict(zip(result.indices["method"], result.indices["runs"], strict=True)) == {
        "prcc": 64, "sobol_first": 640, "sobol_total": 640,
    }  # fmt: skip
    paths = sensitivity_figures.write(result, tmp_path)
    svg = next(path for path in paths if path.name.startswith("indices") and path.suffix == ".svg")
    assert "64 draws; Sobol' indices: 640 runs of a design of their own" in unescape(svg.read_text("utf-8"))
