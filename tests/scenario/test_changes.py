"""A base and changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from pharmsim.errors import ScenarioError
from pharmsim.scenario import Scenario, digest, from_dict, load, to_dict
from pharmsim.scenario.expand import central

Data = dict[str, Any]
AXES = ("post", "group", "contract")


def changed(small: Data, folder: Path, *changes: Data, **more: Any) -> Scenario:
    (folder / "base.yaml").write_text(yaml.safe_dump(small, sort_keys=False), encoding="utf-8")
    head = {"base": "base.yaml", "name": "What if", **more}
    lines = [f"{key}: {json.dumps(value)}" for key, value in head.items()]
    lines += ["changes:", *(f"  - {json.dumps(change)}" for change in changes)] if changes else []
    (folder / "what_if.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return load(folder / "what_if.yaml")


def test_times_for_some_cells(small: Data, tmp_path: Path) -> None:
    scenario = changed(
        small, tmp_path, {"set": "leaving.away.rate", "where": {"environment": "ward"}, "times": 0.8}
    )
    assert central(scenario.leaving["away"].rate, scenario, AXES)[:, 0, 0] == pytest.approx([0.08, 0.1, 0.08])
    assert scenario.leaving["away"].rate.terms[0].rows[0].uncertainty == "leaving.away.rate"


def test_a_section_means_its_rates(small: Data, tmp_path: Path) -> None:
    for path in ("leaving", "leaving.*", "leaving.*.rate"):
        scenario = changed(small, tmp_path, {"set": path, "times": 2})
        rates = [central(flow.rate, scenario, AXES)[0, 0, 0] for flow in scenario.leaving.values()]
        assert rates == pytest.approx([0.02, 0.2])


def test_a_factor_with_a_range_is_an_uncertainty(small: Data, tmp_path: Path) -> None:
    change = {
        "set": "leaving.died.rate",
        "times": 0.9,
        "low": 0.8,
        "high": 1,
        "source": "a trial",
        "evidence": "proxy",
    }
    row = changed(small, tmp_path, change).leaving["died"].rate.terms[1].rows[0]
    assert (row.value, row.low, row.high, row.uncertainty) == (0.9, 0.8, 1.0, "what_if.changes[0]")
    assert (row.source, row.evidence) == ("a trial", "proxy")
    assert row.origin is not None
    assert Path(row.origin.file).name == "what_if.yaml"


def test_to(small: Data, tmp_path: Path) -> None:
    change = {"set": "leaving.away.rate", "to": "5 % per year"}
    rate = changed(small, tmp_path, change).leaving["away"].rate
    assert [row.value for row in rate.terms[0].rows] == [0.05]
    change = {"set": "leaving.away.rate", "where": {"role": "doctor", "age": "55+"}, "to": "20 %"}
    with pytest.raises(ScenarioError, match="has no low and high in its rows"):
        changed(small, tmp_path, change)
    small["leaving"]["away"]["rate"] = "10 %"
    scenario = changed(small, tmp_path, change)
    values = central(scenario.leaving["away"].rate, scenario, (*AXES, "age"))
    assert values[2, 0, 0, 38:40] == pytest.approx([0.1, 0.2])
    assert values[0, 0, 0, 38:40] == pytest.approx([0.1, 0.1])


def test_to_twice_keeps_the_last(small: Data, tmp_path: Path) -> None:
    small["leaving"]["away"]["rate"] = {
        "product": ["10 %", [{"value": 1}, {"where": {"role": "nurse"}, "value": 2}]]
    }
    one = {"set": "leaving.away.rate", "where": {"role": "nurse"}, "to": "5 %"}
    scenario = changed(small, tmp_path, one, {**one, "to": "6 %"})
    assert central(scenario.leaving["away"].rate, scenario, AXES)[:, 0, 0] == pytest.approx([0.06, 0.06, 0.1])


def test_plus(small: Data, tmp_path: Path) -> None:
    small["leaving"]["away"]["rate"] = [
        {"value": 0.1},
        {"where": {"role": "nurse"}, "value": 0.2, "low": 0.1, "high": 0.3},
        {"where": {"post": "nurse.ward", "group": "men"}, "value": 0.3},
    ]
    change = {"set": "leaving.away.rate", "where": {"environment": "ward"}, "plus": "1 %"}
    scenario = changed(small, tmp_path, change)
    values = central(scenario.leaving["away"].rate, scenario, AXES)[:, :, 0]
    assert values == pytest.approx(np.array([[0.21, 0.31], [0.2, 0.2], [0.11, 0.11]]))
    found = {row.uncertainty for row in scenario.leaving["away"].rate.terms[0].rows if row.low is not None}
    assert found == {"leaving.away.rate[1]"}


def test_plus_on_a_product_is_refused(small: Data, tmp_path: Path) -> None:
    small["leaving"]["died"]["rate"] = {"product": ["1 %", 2]}
    with pytest.raises(ScenarioError, match="use `times` or `to`"):
        changed(small, tmp_path, {"set": "leaving.died.rate", "plus": "1 %"})


def school(small: Data) -> Data:
    small["hiring"] = {"sources": [{"name": "new", "pipelines": "all"}]}
    small["pipelines"] = {
        "school": {
            "role": "nurse",
            "intake": {
                "per_year": {2026: 10, 2028: {"value": 20, "low": 15, "high": 25}},
                "months": "August",
            },
            "stages": [{"name": "training", "months": 24, "places": 30}],
            "retention": {"value": 0.6, "low": 0.5, "high": 0.7},
            "ages": [{"where": {"age": "22-25"}, "value": 1}],
            "destinations": [{"where": {"post": "nurse.ward"}, "value": 1}],
            "opening": "steady",
        }
    }
    small["moves"] = {
        "edges": [
            {"from": "nurse.ward", "to": "nurse.clinic", "rate": 0.02},
            {"from": "nurse.clinic", "to": "nurse.ward", "rate": 0.04},
        ]
    }
    return small


def test_values_series_and_months(small: Data, tmp_path: Path) -> None:
    scenario = changed(
        school(small),
        tmp_path,
        {"set": "pipelines.school.intake.per_year", "times": 1.5},
        {"set": "pipelines.*.retention", "plus": "5 %"},
        {"set": "pipelines.school.stages.training.places", "times": 2, "low": 1, "high": 3},
        {"set": "pipelines.school.stages[0].months", "to": "3 years"},
        {"set": "moves.edges.nurse.ward>nurse.clinic.rate", "times": 3},
        {"set": "moves.edges", "where": {"from": "nurse.clinic", "to": {"environment": "ward"}}, "times": 2},
        {"set": "leaving.died.over_time", "to": {"April 2026": 1, "April 2028": 0.5}},
    )
    pipeline = scenario.pipelines["school"]
    assert pipeline.kind == "external"
    assert [value.value for value in pipeline.intake.per_year.points.values()] == pytest.approx([15, 30])
    assert pipeline.intake.per_year.points["2028"].low == pytest.approx(22.5)
    assert (pipeline.retention.value, pipeline.retention.low) == pytest.approx((0.65, 0.55))
    places = pipeline.stages[0].places
    assert places is not None
    assert (places.value, places.low, places.high) == (60, 30, 90)
    assert places.uncertainty == "what_if.changes[2]"
    assert pipeline.stages[0].months == 36
    assert scenario.moves is not None
    assert [edge.rate.value for edge in scenario.moves.edges] == pytest.approx([0.06, 0.08])
    assert scenario.leaving["died"].over_time is not None


def test_structures_and_tables(small: Data, tmp_path: Path) -> None:
    (tmp_path / "rates.csv").write_text("role,rate\nnurse,5 %\ndoctor,6 %\n", encoding="utf-8")
    scenario = changed(
        school(small),
        tmp_path,
        {"set": "leaving.died.rate", "to": {"table": "rates.csv", "value": "rate"}},
        {
            "set": "moves.edges",
            "to": [{"from": {"environment": "ward"}, "to": {"environment": "clinic"}, "rate": 0.5}],
        },
    )
    assert central(scenario.leaving["died"].rate, scenario, AXES)[:, 0, 0] == pytest.approx(
        [0.05, 0.05, 0.06]
    )
    assert scenario.moves is not None
    assert len(scenario.moves.edges) == 1


def test_the_head_of_the_file(small: Data, tmp_path: Path) -> None:
    small["description"] = "of the base"
    scenario = changed(small, tmp_path, end="April 2028", step="month/2")
    assert (scenario.name, scenario.description, scenario.end, scenario.step) == (
        "What if",
        "",
        "2028-04",
        "month/2",
    )
    base = load(tmp_path / "base.yaml")
    assert scenario.base_digest == digest(base)
    assert to_dict(from_dict(to_dict(scenario))) == to_dict(scenario)


def test_a_base_may_have_a_base(small: Data, tmp_path: Path) -> None:
    changed(small, tmp_path, {"set": "leaving.died.rate", "times": 2})
    text = "base: what_if.yaml\nname: Third\nchanges: [{set: leaving.died.rate, times: 3}]\n"
    (tmp_path / "third.yaml").write_text(text, encoding="utf-8")
    scenario = load(tmp_path / "third.yaml")
    assert central(scenario.leaving["died"].rate, scenario, AXES)[0, 0, 0] == pytest.approx(0.06)
    assert scenario.base_digest == digest(load(tmp_path / "what_if.yaml"))


def test_nothing_changed_is_the_base(small: Data, tmp_path: Path) -> None:
    data = to_dict(changed(small, tmp_path))
    base = to_dict(load(tmp_path / "base.yaml"))
    data.pop("base_digest")
    assert data | {"name": base["name"]} == base


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"set": "leaving.died.rat", "times": 1}, "Closest: leaving.died.rate"),
        ({"set": "", "times": 1}, "no such path"),
        ({"set": "*", "times": 1}, "no such path"),
        (
            {"set": "stock", "times": 1},
            "is a section without a rate; numbers in it: stock.headcount, stock.ages",
        ),
        ({"set": "leaving.died.over_time", "times": 2}, "is not given in the base: use `to`"),
        (
            {"set": "leaving.died.rate", "where": {"age": "55+"}, "times": 1, "low": 0.5, "high": 2},
            "no range where ages",
        ),
        ({"set": "leaving.died.rate", "times": "-1"}, "must be a ratio between 0 and 100"),
        ({"set": "leaving.died.rate", "times": {"value": 1, "lo": 0.5}}, "unknown key. Closest: low"),
        ({"set": "leaving.died.rate", "plus": 1, "low": 0, "high": 2}, "takes no range"),
        (
            {"set": "stock.headcount", "where": {"group": "men"}, "times": 2},
            "does not depend on `group` here",
        ),
        ({"set": "stock.headcount", "where": {"from": "nurse.ward"}, "times": 2}, "which only edges have"),
        ({"set": "name", "times": 2}, "cannot be changed by `times`"),
        (
            {"set": "leaving.away.rate", "times": 40},
            "after the changes, leaving.away.rate: must be a rate per year",
        ),
        ({"set": "ages.first", "to": "old"}, "ages.first: must be a whole number"),
        ("leaving", "must be a change such as"),
    ],
)
def test_refused(small: Data, tmp_path: Path, change: Any, message: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        changed(small, tmp_path, change)
    assert message in str(caught.value)
    assert [problem.line for problem in caught.value.problems] == [4]


def test_all_changes_are_judged(small: Data, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        changed(small, tmp_path, {"set": "leavin", "times": 1}, {"set": "leaving", "to": 8.1}, levels=1)
    assert [problem.where for problem in caught.value.problems] == [
        "levels",
        "changes[0].set",
        "changes[1].to.value",
        "changes[1].to.value",
    ]


def test_retirement_by_pension_age_takes_factors_and_pluses(small: Data, tmp_path: Path) -> None:
    small["retirement"] = {
        "rate": [
            {"where": {"years_past_pension_age": "up to -1"}, "value": 0},
            {"where": {"years_past_pension_age": "0+"}, "value": 0.5},
        ]
    }
    men = {"set": "retirement", "where": {"group": "men"}, "times": 0.8}
    scenario = changed(
        small, tmp_path, men, {"set": "leaving.died", "where": {"age": "16-40"}, "plus": "1 %"}
    )
    assert scenario.retirement is not None
    values = central(scenario.retirement.rate, scenario, (*AXES, "age"))
    assert values.shape == (3, 2, 2, 81)
    assert values[0, :, 0, 40].tolist() == pytest.approx([0.5, 0.4])
    values = central(scenario.leaving["died"].rate, scenario, (*AXES, "age"))
    assert values[0, 0, 0, [24, 25]].tolist() == pytest.approx([0.02, 0.01])


def test_what_a_change_breaks_is_told_at_the_change(small: Data, tmp_path: Path) -> None:
    change = {"set": "hiring.sources.new.supply", "to": 5}
    with pytest.raises(ScenarioError, match="must have exactly one of") as caught:
        changed(school(small), tmp_path, {"set": "leaving", "times": 1}, change)
    assert [(problem.line, problem.where) for problem in caught.value.problems] == [(5, "changes[1]")]
