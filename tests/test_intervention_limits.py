"""What interventions cannot do: leave no time, no establishment, or times that a step does not show."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pharmsim
from canonical import row, terms, value
from pharmsim.compiled.compile import compile_scenario
from pharmsim.compiled.draws import sample
from pharmsim.errors import InputError
from pharmsim.scenario.models import Scenario
from test_intervention_properties import lever, using

ROOT = Path(__file__).parents[1] / "scenarios"


def small() -> Scenario:
    return pharmsim.load(ROOT / "small_system.yaml")


def with_joint_posts(share: str = "40 %", **more: Any) -> Scenario:
    """The small system with joint posts beside one post."""
    data = pharmsim.to_dict(small())
    joint = {
        "name": "joint", "title": "Joint", "level": "team", "category": "reform", "start": "2027-04",
        "uptake": share, "reach": {"post": ["pharmacist.community"]},
        "outcome": {"measure": "headcount", "direction": "up"},
        "posts": {"suffix": "joint", "split": {"home": 0.5, "hospital": 0.5}, "entry": 0.5},
    }  # fmt: skip
    return pharmsim.from_dict(data | {"interventions": [joint]} | more)


def test_absences_together_leave_some_time() -> None:
    first, second = list(small().working_time.absence)[:2]  # type: ignore[union-attr]
    effects = [
        {"quantity": "absence", "of": [first], "to": value(0.5)},
        {"quantity": "absence", "of": [second], "to": value(0.6)},
    ]
    with pytest.raises(InputError, match=r"lever \(0\) and lever \(1\): absences of .* become 1\.[1-9]"):
        pharmsim.run(using(small(), lever("lever", *effects)))
    pharmsim.run(using(small(), lever("lever", effects[0])))  # one alone leaves half of the time


def test_joint_posts_leave_some_establishment() -> None:
    scenario = with_joint_posts("90 %")
    half = lever("half", {"quantity": "establishment", "times": value(0.5)})
    both = scenario.model_copy(update={"interventions": (*scenario.interventions, half)})
    with pytest.raises(InputError, match=r"more than there is from pharmacist\.community"):
        compile_scenario(both, sample(both))


def test_establishment_that_follows_need_stays_above_nothing() -> None:
    data = pharmsim.to_dict(small())
    follow = {"where": {"post": ["pharmacist.community"]}, "policy": "follow", "share": 1.0, "delay": 1.0}
    policies = {"over_time": [follow], "redistribution": []}
    scenario = with_joint_posts("90 %", establishment=data["establishment"] | policies)
    pharmsim.run(scenario)
    less = lever("less", {"quantity": "need", "times": value(0.3)})
    both = scenario.model_copy(update={"interventions": (*scenario.interventions, less)})
    with pytest.raises(InputError, match=r"pharmacist\.community: its establishment falls to -"):
        pharmsim.run(both)


@pytest.mark.parametrize("quantity", ["establishment", "supply", "apprentices"])
def test_other_interventions_give_joint_posts_nothing(quantity: str) -> None:
    scenario = with_joint_posts()
    more = lever("more", {"quantity": quantity, "plus": value(3.0)}, reach={"role": ("pharmacist",)})
    alone = scenario.model_copy(update={"interventions": (more,)})  # the joint posts are there, unfunded
    if quantity == "apprentices":
        data = pharmsim.run(alone).data
        assert float(data["headcount"].sel(post="pharmacist.community_joint").max()) == 0.0
        return
    data = pharmsim.run(alone).data
    assert float(data["establishment_fte"].sel(post="pharmacist.community_joint").max()) == 0.0
    assert float(data["headcount"].sel(post="pharmacist.community_joint").max()) == 0.0
    other = data["establishment_fte" if quantity == "establishment" else "joiners"]
    base = pharmsim.run(small()).data[other.name]
    assert (
        float(abs(other.sel(post="pharmacist.community") - base.sel(post="pharmacist.community")).max()) > 0
    )


@pytest.mark.parametrize(
    ("more", "key"),
    [
        ({"start": "2026-09"}, "start"),
        ({"start": "2027-04", "ramp": 6.0}, "ramp"),
        ({"start": "2027-04", "end": "2028-05"}, "end"),
        ({"introduction": {"share": value(0.1), "months": 3.0}}, "introduction.months"),
    ],
)
def test_yearly_steps_need_whole_years(more: dict[str, Any], key: str) -> None:
    data = pharmsim.to_dict(pharmsim.load(ROOT / "tiny.yaml")) | {"step": "year"}
    data["hiring"]["time_to_hire"] = terms([row(0.0)])
    tiny = pharmsim.from_dict(data)
    item = lever("lever", {"quantity": "leaving", "times": value(0.9)}, **({"start": tiny.start} | more))
    with pytest.raises(InputError, match=rf"interventions\.lever\.{key}: must be whole years"):
        compile_scenario(using(tiny, item), sample(tiny))
    whole = item.model_copy(update={"start": tiny.start, "ramp": 12.0, "end": None, "introduction": None})
    compile_scenario(using(tiny, whole), sample(tiny))


def test_a_post_that_trains_nobody_yet_can_begin_to() -> None:
    data = pharmsim.to_dict(small())
    name = next(name for name, x in data["pipelines"].items() if x.get("kind") == "internal")
    pipeline = data["pipelines"][name]
    post = pipeline["routes"][0]["from"]
    pipeline["intake"] = terms([row(0.0)])
    none = pharmsim.from_dict(data)
    base = pharmsim.run(none).data
    assert float(base["training_starts"].sum()) == 0.0
    more = lever(
        "more", {"quantity": "apprentices", "of": [name], "plus": value(5.0)}, reach={"post": [post]}
    )
    data = pharmsim.run(using(none, more)).data
    assert float(data["training_starts"].sel(post=post).sum()) > 1.0
    np.testing.assert_array_equal(data["training_starts"].drop_sel(post=post).values.sum(), 0.0)
