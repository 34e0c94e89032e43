"""What is allowed and probably not meant."""

from __future__ import annotations

from typing import Any

import pytest

from pharmsim.compiled.compile import compile_scenario
from pharmsim.compiled.draws import sample
from pharmsim.engine.run import run
from pharmsim.scenario import check_warnings, from_dict


@pytest.mark.parametrize(("month", "step", "warned"), [
    ("March", "year", False), ("September", "year", True), ("September", "month", False),
])  # fmt: skip
def test_retention_at_a_month_that_steps_of_a_year_do_not_meet(
    small: dict[str, Any], month: str, step: str, warned: bool
) -> None:
    small |= {"step": step, "retention": {"month": month, "levels": {"post": {"by": "post"}}}}
    found = [warning for warning in check_warnings(from_dict(small)) if warning.startswith("retention")]
    assert [text.split(":")[0] for text in found] == ["retention.month"] * warned
    assert not warned or "Use `month: March`" in found[0]


def test_retention_when_the_start_is_a_january(small: dict[str, Any]) -> None:
    levels = {"post": {"by": "post"}}
    small |= {"start": "January 2026", "end": "January 2030", "step": "year"}
    small["retention"] = {"month": "December", "levels": levels}
    assert not [text for text in check_warnings(from_dict(small)) if text.startswith("retention")]


@pytest.mark.parametrize("supervising", [True, False])
def test_supervision_without_a_part_of_the_job_plan_to_come_from(
    small: dict[str, Any], supervising: bool
) -> None:
    small["working_time"] = {
        "job_plan": {
            "care": {"share": "90 %", "service": True},
            "teaching": {"share": "10 %", "supervising": supervising},
        }
    }
    small["supervision"] = {"team": {"staff": {}, "time": 0.05, "by": {}}}
    found = [text for text in check_warnings(from_dict(small)) if text.startswith("supervision:")]
    assert bool(found) is not supervising


def test_a_policy_that_replaces_another(small: dict[str, Any]) -> None:
    grow: dict[str, Any] = {"policy": "grow", "growth": "1 % per year"}
    hold: dict[str, Any] = {"policy": "hold"}
    small["establishment"] = {"vacancy_rate": 0.1, "over_time": [hold, grow]}
    assert not [text for text in check_warnings(from_dict(small)) if text.startswith("establishment")]
    small["establishment"]["over_time"] = [grow, hold]
    found = [text for text in check_warnings(from_dict(small)) if text.startswith("establishment")]
    assert [text.split(":")[0] for text in found] == ["establishment.over_time[1]"]
    assert "replaces over_time[0]" in found[0]


@pytest.mark.parametrize(("share", "warned"), [("5 %", False), ("50 %", True)])
def test_a_shift_of_more_than_there_is(small: dict[str, Any], share: str, warned: bool) -> None:
    small["working_time"] = {
        "job_plan": {"care": {"share": "90 %", "service": True}, "office": {"share": "10 %"}},
        "shifts": [
            {"from": "office", "to": "care", "share": share, "start": small["start"], "end": small["end"]}
        ],
    }
    found = [text for text in check_warnings(from_dict(small)) if text.startswith("working_time.shifts[0]")]
    assert bool(found) is warned


WIDE = {"low": 0.8, "high": 1.25}
GROUPS = {
    "rows": [
        {"where": {"group": "women"}, "value": "60 %", "low": "50 %", "high": "70 %"},
        {"where": {"group": "men"}, "value": "40 %"},
    ]
}
CONTRACTS = {"rows": [{"where": {"contract": c}, "value": "50 %"} for c in ("full", "part")]}
WAIT = {"value": 3, "low": 1, "high": 6}
LAW = {"value": 67, "low": 66, "high": 68}
SOURCE = {"name": "outside", "supply": "unlimited", "ages": [{"where": {"age": "30"}, "value": 1}]}


@pytest.mark.parametrize(("where", "sections"), [
    ("hiring.time_to_hire", {"hiring": {"sources": [SOURCE], "time_to_hire": WAIT}}),
    ("hiring.sources[0].groups", {"hiring": {"sources": [SOURCE | {"groups": GROUPS}]}}),
    ("pension_age[0].age", {"pension_age": [{"born": "1960-04", "age": LAW}]}),
    ("stock.contracts", {"contracts": CONTRACTS | {"range": WIDE}}),
    ("", {"contracts": CONTRACTS}),
])  # fmt: skip
def test_ranges_without_effect(small: dict[str, Any], where: str, sections: dict[str, Any]) -> None:
    small["leaving"] = {"died": {"rate": "1 %"}}
    small["establishment"] = {"vacancy_rate": 0.1}
    small["stock"] |= {"contracts": sections.pop("contracts")} if "contracts" in sections else {}
    small |= {"hiring": {"sources": [SOURCE]}} | sections
    scenario = from_dict(small)
    found = [text for text in check_warnings(scenario) if "no effect" in text]
    assert [text.split(":")[0] for text in found] == [where] * bool(where)
    small["warnings_off"] = [where]
    assert not [text for text in check_warnings(from_dict(small)) if "no effect" in text]
    table = sample(scenario, 3)
    assert len(table.names) == bool(where)
    people = run(compile_scenario(scenario, table)).record["headcount"]
    assert (people == people[:1]).all()


def test_ranges_of_groups_of_staff_have_an_effect(small: dict[str, Any]) -> None:
    small["stock"]["groups"] = GROUPS
    assert not [text for text in check_warnings(from_dict(small)) if "no effect" in text]
    table = sample(from_dict(small), 3)
    people = run(compile_scenario(from_dict(small), table)).record["headcount"]
    assert not (people == people[:1]).all()
