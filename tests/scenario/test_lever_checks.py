"""Interventions and scenarios that do not fit together, or do other than they seem to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pharmsim.errors import ScenarioError
from pharmsim.scenario import Scenario, check_warnings, from_dict, library, load, load_all, to_dict
from pharmsim.scenario.levers import reach_of

EVERYTHING = Path(__file__).parent / "everything.yaml"
HEAD = """\
title: Assistants
level: team
category: train
outcome: {measure: pressure, direction: down}
"""
SOME = "{value: 1.1, low: 1, high: 1.2, source: made up, evidence: assumption}"


@pytest.fixture(scope="module")
def whole() -> dict[str, Any]:
    return to_dict(load(EVERYTHING))


def with_one(whole: dict[str, Any], **written: Any) -> Scenario:
    """The scenario with one more intervention."""
    lever = {
        "name": "one", "title": "One", "level": "team", "category": "retain", "start": "2027-04",
        "outcome": {"measure": "x", "direction": "up"}, **written,
    }  # fmt: skip
    return from_dict({**whole, "interventions": [lever]})


def warned(scenario: Scenario) -> list[str]:
    return [text for text in check_warnings(scenario) if text.startswith("interventions.one.")]


def effect(quantity: str, **more: Any) -> dict[str, Any]:
    return {"quantity": quantity, "times": 1.1, "evidence": "derived", **more}


@pytest.mark.parametrize(("quantity", "of", "inside", "outside"), [
    ("delegation", "to_nurses", {"role": ["doctor"]}, {"environment": ["clinic"]}),
    ("supervision_time", "newcomers", {"environment": ["ward"]}, {"role": ["assistant"]}),
    ("places", "school.training", {"role": ["nurse"]}, {"environment": ["ward"]}),
    ("completion", "step_up", {"role": ["assistant"]}, {"role": ["doctor"]}),
])  # fmt: skip
def test_effects_that_are_wider_than_the_reach_are_a_warning(
    whole: dict[str, Any], quantity: str, of: str, inside: dict[str, Any], outside: dict[str, Any]
) -> None:
    """Only where there are posts outside that the quantity is about."""
    effects = [effect(quantity, of=[of]), effect("leaving")]
    assert not warned(with_one(whole, reach=inside, effects=effects))
    (text,) = warned(with_one(whole, reach=outside, effects=effects))
    assert text.startswith(f"interventions.one.effects.{quantity}: is not narrowed by `where` or `reach`")
    assert " as well" in text


def test_an_end_before_everybody_takes_part_is_a_warning(whole: dict[str, Any]) -> None:
    effects = [effect("leaving")]
    for end, months, share in (("2027-10", 6, "50%"), ("2027-07", 3, "25%")):
        (text,) = warned(with_one(whole, effects=effects, end=end, ramp=12))
        assert text.startswith(
            f"interventions.one.end: comes {months} months into a ramp of 12 months: {share}"
        )
    assert not warned(with_one(whole, effects=effects, end="2028-04", ramp=12))


def test_a_reach_that_narrows_nothing_is_refused(tmp_path: Path) -> None:
    """Time, joint posts, supervision, introduction and costs by head are of its posts; places are not."""
    file = tmp_path / "x.yaml"
    only = f"{HEAD}reach: {{role: nurse}}\neffects: [{{quantity: places, times: {SOME}}}]\n"
    file.write_text(only, encoding="utf-8")
    with pytest.raises(ScenarioError, match="line 5  reach: `places` does not depend on posts: `reach` does"):
        library.load(str(file))
    for more in (
        f"costs: {{per_head: {SOME}}}",
        "introduction: {months: 3, share: {value: 1 %, source: made up, evidence: derived}}",
    ):
        file.write_text(only + more, encoding="utf-8")
        assert library.load(str(file))[0].reach == {"role": ("nurse",)}


def test_joint_posts_have_no_amounts_of_their_own(whole: dict[str, Any]) -> None:
    """What others do to establishment and supply leaves them aside; what they do to rates does not."""
    joint = {
        "name": "one", "title": "One", "level": "team", "category": "retain", "start": "2027-04",
        "outcome": {"measure": "x", "direction": "up"}, "reach": {"post": ["nurse.ward.5"]},
        "posts": {"suffix": "shared", "split": {"home": 0.5, "clinic": 0.5}, "entry": 0.2},
        "effects": [effect("establishment", joint=True)],
    }  # fmt: skip
    other = {
        **joint,
        "name": "two",
        "reach": {"role": ["nurse"]},
        "effects": [effect("establishment"), effect("leaving")],
    }
    del other["posts"]
    scenario = from_dict({**whole, "interventions": [joint, other]})
    one, two = scenario.interventions
    assert reach_of(scenario, one, one.effects[0]).posts == {"nurse.ward.5_shared"}
    amount, rate = (reach_of(scenario, two, each).posts for each in two.effects)
    assert rate - amount == {"nurse.ward.5_shared"}
    assert amount


def test_supervisors_may_be_of_the_team_and_not_of_the_reach(whole: dict[str, Any]) -> None:
    """Posts of `by` in the environments and places of the reach."""
    part = {
        "of": ["newcomers"],
        "by": {"role": ["assistant"]},
        "share": {"value": 0.2, "evidence": "derived"},
    }
    assert with_one(whole, reach={"post": ["nurse.ward.5"]}, supervision=[part]).interventions


def test_all_files_are_read_before_their_problems_are_told(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text("name: x\n", encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load_all([tmp_path / "one.yaml", EVERYTHING, tmp_path / "two.yaml"])
    assert {Path(problem.file).stem for problem in caught.value.problems} == {"one", "two"}
    (scenario,) = load_all([EVERYTHING])
    assert scenario.name == load(EVERYTHING).name
