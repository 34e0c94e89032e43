"""Targets, dates and levers as people write them, and what is said when they cannot be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pharmsim
from made import made, post
from pharmsim.errors import ScenarioError
from pharmsim.scenario import load, shipped
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.text import FormError
from pharmsim.study.dates import read_date, target_dates
from pharmsim.study.solving import levers
from pharmsim.study.solving.levers import TIMES, UPTAKE
from pharmsim.study.solving.target_text import read
from pharmsim.study.solving.targets import measure, start_value

TINY, SMALL = shipped("tiny.yaml"), shipped("small_system.yaml")
LEVELS = {"system": {"by": []}, "environment": {"by": ["environment"]}}


@pytest.fixture(scope="module")
def small() -> Scenario:
    return load(SMALL)


def problems(*words: Any, **options: Any) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        read(*words, **options)
    return [f"{problem.where} {problem.message}" for problem in caught.value.problems]


# -- targets ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "quantity", "mode", "amount", "sense"),
    [
        ("retention +2 points", "retention", "plus", 0.02, 1),
        ("Retention + 2 percentage points", "retention", "plus", 0.02, 1),
        ("retention +2 % relative", "retention", "times", 0.02, 1),
        ("stability index 85 %", "retention", "value", 0.85, 1),
        ("vacancy_rate −1 point", "vacancy_rate", "plus", -0.01, -1),
        ("vacancy rate 8 %", "vacancy_rate", "value", 0.08, -1),
        ("leaver_rate 10 %", "leaver_rate", "value", 0.1, -1),
        ("leaver_rate -1 pp", "leaver_rate", "plus", -0.01, -1),
        ("fte 7806.9", "fte", "value", 7806.9, 1),
        ("fte 7,806.9 FTE", "fte", "value", 7806.9, 1),
        ("fte +2 %", "fte", "times", 0.02, 1),
        ("headcount -50", "headcount", "plus", -50.0, -1),
        ("delivered fte +10", "delivered_fte", "plus", 10.0, 1),
        ("shortfall 0", "shortfall", "value", 0.0, -1),
        ("pressure -0.05", "pressure", "plus", -0.05, -1),
    ],
)
def test_targets_as_written(
    small: Scenario, written: str, quantity: str, mode: str, amount: float, sense: int
) -> None:
    level = next(iter(small.retention.levels)) if quantity in ("retention", "leaver_rate") else None
    found = read(written, small, level)
    assert (found.quantity, found.mode, found.sense) == (quantity, mode, sense)
    assert found.amount == pytest.approx(amount)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (
            "retention +2 %",
            "has two readings: `retention +2 points` (80 % becomes 82 %) or `retention +2 % relative`",
        ),
        ("retention +2", "has two readings"),
        ("turnover -2 points", "must not be turnover"),
        ("turnover", "Choose `leaver_rate`, or `retention`"),
        ("retenton +2 points", "Closest: retention"),
        ("fte +2 points", "cannot be in points: fte is in FTE"),
        ("retention 2 points", "is a change, so it needs a sign"),
        ("retention 85", "Did you mean 0.85 (85 %)?"),
        ("retention", "must be a quantity and a number"),
        ("", "must be a quantity and a number"),
        ("fte many", "must be a quantity and a number"),
        ("fte 1.2.3", "which is not a number"),
        ("fte +1.2.3", "must hold a number"),
        ("fte -5 people each", "unit must be `FTE`"),
    ],
)
def test_targets_that_cannot_be_read(small: Scenario, written: str, said: str) -> None:
    level = next(iter(small.retention.levels)) if "ret" in written else None
    assert any(said in problem for problem in problems(written, small, level))


def test_a_level_is_needed_where_there_are_several() -> None:
    two = made(retention={"levels": LEVELS})
    assert problems("retention +2 points", two) == [
        "--level must say at which level people are kept: system, environment. Give one"
    ]
    assert "Closest: system" in problems("retention +2 points", two, "sistem")[0]
    assert "fte has no level" in problems("fte 5", two, "system")[0]
    assert read("retention +2 points", made(retention={"levels": {"only": {"by": []}}})).level == "only"


def test_all_that_is_wrong_is_said_at_once() -> None:
    found = problems("retention +2 %", made(), None, ["blue"], ["moon"])
    assert len(found) == 4
    assert any("--target has two readings" in line for line in found)
    assert any("needs the section `retention`" in line for line in found)
    assert any("--role must be one of red; got `blue`" in line for line in found)
    assert any("--environment must be one of hill; got `moon`" in line for line in found)
    apart = made(posts=[post("p"), post("q", "blue", "moon")])
    assert "no post of red in moon" in problems("fte 5", apart, None, ["red"], ["moon"])[0]
    assert "needs the section `need`" in problems("shortfall 0", apart)[0]


def test_what_is_not_clear_is_asked() -> None:
    asked = []

    def ask(question: str, choices: Any) -> str:
        asked.append(question)
        return str(choices[-1])

    found = read("retention +2 %", made(retention={"levels": LEVELS}), ask=ask)
    assert (found.mode, found.level) == ("times", "environment")
    assert len(asked) == 2


# -- measuring ----------------------------------------------------------------------------------------------


def test_quantities_are_those_of_the_tables(small: Scenario) -> None:
    """Sums over roles and environments; rates from the sums, not from rates."""
    data = pharmsim.run(small, draws=2).data
    date = np.array(["2028-04-01"], dtype="datetime64[ns]")
    at = 24

    def value(text: str, *filters: Any) -> np.ndarray:
        return measure(data, read(text, small, *filters), date).values[:, 0]

    hospital = data["post_environment"].values == "hospital"
    fte = data["fte"].values[:, at]
    assert value("fte 1", None, (), ("hospital",)) == pytest.approx(fte[:, hospital].sum(axis=1))
    funded = data["establishment_fte"].values[:, at]
    limited = ~np.isnan(funded[0])
    rate = 1.0 - fte[:, limited].sum(axis=1) / funded[:, limited].sum(axis=1)
    assert value("vacancy_rate 1 %") == pytest.approx(rate)
    need, given = (data[name].values[:, at] for name in ("required_fte", "service_fte"))
    assert value("delivered_fte 1") == pytest.approx(given.sum(axis=1))
    assert value("shortfall 1") == pytest.approx(np.maximum(need - given, 0.0).sum(axis=1), abs=1e-6)
    assert value("pressure 1") == pytest.approx(need.sum(axis=1) / given.sum(axis=1))
    heads = data["headcount"].values[:, at].sum(axis=(1, 2, 3))
    assert value("headcount 1") == pytest.approx(heads)


def test_time_is_delivered_without_need_too() -> None:
    hours = {"absence": {"leave": 0.2}, "job_plan": {"care": {"share": 1.0, "service": True}}}
    plain = made(working_time=hours)
    data = pharmsim.run(plain).data
    found = measure(data, read("delivered_fte 70", plain), data["time"].values[[12]])
    assert found.values[0, 0] == pytest.approx(80.0)
    with pytest.raises(ScenarioError, match="needs the section `working_time` or `need`, which"):
        read("delivered_fte 70", made())


def test_retention_of_several_roles_counts_their_people_together() -> None:
    posts = [post("p"), post("q", "blue"), post("r", "green")]
    rates = {"rows": [{"where": {"post": p}, "value": h} for p, h in (("p", 0.1), ("q", 0.3), ("r", 0.9))]}
    heads = {"rows": [{"where": {"post": p}, "value": n} for p, n in (("p", 100), ("q", 300), ("r", 50))]}
    three = made(
        posts=posts, heads=heads, leaving={"gone": {"rate": rates}},
        retention={"month": "March", "levels": {"all": {"by": ["role"]}}},
    )  # fmt: skip
    data = pharmsim.run(three).data
    date = np.array(["2027-10-01"], dtype="datetime64[ns]")
    target = read("retention 90 %", three, None, ["red", "blue"])
    found = measure(data, target, date)
    kept = 100 * np.exp(-0.1) + 300 * np.exp(-0.3)
    assert found.values[0, 0] == pytest.approx(kept / 400)
    assert found.told == ("1 April 2026 to 1 April 2027",)
    assert start_value(data, target) == (pytest.approx(kept / 400), "1 April 2026 to 1 April 2027")
    rate = measure(data, read("leaver_rate 1 %", three, None, ["red", "blue"]), date).values[0, 0]
    assert rate == pytest.approx((400 - kept) / ((400 + kept) / 2))
    assert np.isnan(measure(data, target, np.array(["2027-03-01"], dtype="datetime64[ns]")).values).all()


# -- dates --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "month"),
    [
        ("31 March 2028", "2028-04"), ("30 March 2028", "2028-03"), ("1 April 2028", "2028-04"),
        ("March 2028", "2028-03"), ("2028-03", "2028-03"), ("2028-03-31", "2028-04"),
        ("29 February 2028", "2028-03"), ("28 February 2028", "2028-02"), ("2028", "2029-01"),
        ("31 Dec 2028", "2029-01"),
    ],
)  # fmt: skip
def test_dates_as_written(written: str, month: str) -> None:
    assert str(read_date(written).astype("datetime64[M]")) == month


@pytest.mark.parametrize(
    "written",
    ["31 February 2028", "soon", "2028-13-01", "0 March 2028", "31/3/2028", "31 Foo 2028", "March 1788"],
)
def test_dates_that_are_none(written: str) -> None:
    with pytest.raises(FormError, match=r"must be a da.* such as `31 March 2028`.*; got `" + written):
        read_date(written)


def test_dates_outside_the_run_are_said() -> None:
    run = made(months=36)
    with pytest.raises(ScenarioError) as caught:
        target_dates(run, ["2025", "2026", "1 April 2026", "May 2029", "tomorrow", "April 2029"])
    said = [problem.message for problem in caught.value.problems]
    assert len(said) == 4
    assert "2025 has passed: the run goes from April 2026 to April 2029. Give a later date" in said
    assert not any(line.startswith("2026") for line in said)  # 31 December 2026 is inside
    assert any(line.startswith("May 2029 is after the end") for line in said)


def test_the_end_of_the_run_where_no_default_date_is_inside() -> None:
    dates, notes = target_dates(made(months=12))
    assert [str(date)[:7] for date in dates] == ["2027-04"]
    assert "2025" in notes[0]
    assert target_dates(made(start="April 2009", end="April 2010"))[1] == ()


# -- levers -------------------------------------------------------------------------------------------------

FILE = """
name: Here
start: April 2026
end: April 2030
roles: [pharmacist, pharmacy_technician, pharmacy_assistant]
environments: [hospital]
posts: [{role: pharmacist, environment: hospital}]
stock: {headcount: 100, ages: {rows: [{where: {age: "30"}, value: 1}]}}
leaving:
  other_system: {rate: 10 % per year}
  left_profession: {rate: 5 % per year}
fte_per_head: {value: 1, source: x, evidence: assumption}
retention: {levels: {system: {by: []}}}
"""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    path = tmp_path / "here.yaml"
    path.write_text(FILE)
    return path


def said_of(file: Path, *names: str, **options: Any) -> str:
    with pytest.raises(ScenarioError) as caught:
        levers.read(file, load(file), list(names), **options)
    return str(caught.value)


def test_a_lever_of_the_library_comes_into_the_scenario(here: Path) -> None:
    scenario, (lever,) = levers.read(here, load(here), ["flexible_working"], start="May 2026")
    assert (lever.unit, lever.first, lever.last) == (UPTAKE, 0.0, 1.0)
    assert [item.start for item in scenario.interventions] == ["2026-05"]
    assert lever.assumed is not None
    _, (part,) = levers.read(here, load(here), ["flexible_working"], "10 %", "45 %", "May 2026")
    assert (part.first, part.last) == (0.1, 0.45)


def test_numbers_at_key_paths(here: Path) -> None:
    path = "leaving.other_system.rate"
    _, (lever,) = levers.read(here, load(here), [path], "5 % per year", "0.2")
    assert (lever.unit, lever.first, lever.last, lever.present) == ("per year", 0.05, 0.2, 0.1)
    _, found = levers.read(here, load(here), ["leaving"], "x 0.5", "× 2")
    assert [(one.unit, one.first, one.last) for one in found] == [(TIMES, 0.5, 2.0)] * 2


@pytest.mark.parametrize(
    ("names", "options", "message"),
    [
        (
            ["flexible_workng"],
            {},
            "no such intervention, neither in the scenario nor in the library: `flexible_workng`",
        ),
        (["flexible_workng"], {}, "Closest: flexible_working"),
        (["flexible_working"], {}, "--start: is needed: the month in which flexible_working begins"),
        (["flexible_working"], {"start": "April 2031"}, "2031"),
        (["flexible_working"], {"start": "May 2026", "last": "120 %"}, "a share between 0 and 1"),
        (["flexible_working", "flexible_working"], {"start": "May 2026"}, "is given twice"),
        ([], {}, "needs at least one"),
        (["leaving.other_sistem.rate"], {"first": "0", "last": "1"}, "Closest: leaving.other_system.rate"),
        (["leaving.other_system.rate"], {}, "--from and --to: are both needed"),
        (
            ["leaving.other_system.rate"],
            {"first": "5 %", "last": "x 2"},
            "must both be factors or both levels",
        ),
        (["leaving.other_system.rate"], {"first": "5 %", "last": "0.05"}, "must differ; got 0.05 twice"),
        (["leaving.other_system.rate"], {"first": "0", "last": "20"}, "a rate per year between 0 and 3"),
        (["leaving.other_system.rate"], {"first": "x 1", "last": "x 90"}, "a rate per year between 0 and 3"),
        (["leaving"], {"first": "0", "last": "1"}, "cannot share one range in units"),
        (["name"], {"first": "0", "last": "1"}, "no number that can be varied"),
    ],
)
def test_levers_that_cannot_be_read(
    here: Path, names: list[str], options: dict[str, str], message: str
) -> None:
    assert message in said_of(here, *names, **options)


def test_several_numbers_need_factors() -> None:
    assert "write --from and --to as factors" in said_of(SMALL, "stock.headcount", first="10", last="20")
