"""What is read can be written, and read again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from pharmsim.scenario import (
    Scenario,
    check_warnings,
    digest,
    from_dict,
    interventions,
    load,
    shipped,
    sources,
    system,
    tiny_scenario,
    to_dict,
    uncertainties,
)
from pharmsim.scenario.models import Transfer
from pharmsim.scenario.system import Feedback
from pharmsim.scenario.training import Stage
from pharmsim.scenario.values import Cells, Frozen, Range, Series, Value

SCENARIOS = Path(__file__).parents[2] / "scenarios"
FILES = sorted(path for path in SCENARIOS.rglob("*.yaml") if "interventions" not in path.parts)
EVERYTHING = Path(__file__).parent / "everything.yaml"
INTERVENTIONS = Path(__file__).parent / "interventions.yaml"
SHAPES = (Value, Cells, Series, Range)
FEEDBACKS = {model.__name__ for model in Feedback.__subclasses__()}
LEFT_OUT = {("Need", "fte"), ("Posterior", "sampled")}
"""Given instead of something that is used; told of a posterior that nobody sampled."""


def test_the_glob_finds_them() -> None:
    assert {"tiny.yaml", "tiny_what_if.yaml"} <= {path.name for path in FILES}


@pytest.mark.parametrize(
    "path", [*FILES, EVERYTHING, INTERVENTIONS], ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_shipped_scenarios_load_and_stay_the_same(path: Path) -> None:
    scenario = load(path)
    data = to_dict(scenario)
    assert json.loads(json.dumps(data)) == data
    again = from_dict(data)
    assert to_dict(again) == data
    assert digest(again) == digest(scenario)
    assert str(path) in sources(scenario)


def fields_written(node: Any) -> set[tuple[str, str]]:
    """Return (model, field) of everything below a node that is not as if it were left out."""
    found: set[tuple[str, str]] = set()
    if isinstance(node, BaseModel):
        for name, info in type(node).model_fields.items():
            item = getattr(node, name)
            left_out = info.get_default(call_default_factory=True)
            same = (
                item.model_dump() == left_out.model_dump()
                if isinstance(left_out, Value)
                else item == left_out
            )
            if info.is_required() or not same:
                found.add((type(node).__name__, name))
            found |= fields_written(item)
    elif isinstance(node, dict | tuple):
        for item in node.values() if isinstance(node, dict) else node:
            found |= fields_written(item)
    return found


def test_the_scenario_with_everything_uses_every_key() -> None:
    """So that reading, writing and reading again is tried for each of them."""
    found = fields_written(load(INTERVENTIONS))
    modules = (system, interventions, uncertainties)
    defined = [item for module in modules for item in vars(module).values()]
    models = [model for model in defined if isinstance(model, type)]
    new = [
        model for model in models if issubclass(model, Frozen) and model not in (Frozen, Feedback, *SHAPES)
    ]
    assert len(new) > 15
    wanted = {(model.__name__, name) for model in (*new, Transfer, Stage) for name in model.model_fields}
    wanted -= {(feedback, key) for feedback in FEEDBACKS for key in ("on", "where", "delay")}
    assert wanted - found == LEFT_OUT
    for feedback, key in (("Flexibility", "on"), ("Burnout", "delay"), ("Recruitment", "where")):
        assert (feedback, key) in found


def test_sources_name_every_file(tmp_path: Path) -> None:
    found = sources(SCENARIOS / "tiny_what_if.yaml")
    assert [Path(name).name for name in found] == ["tiny.yaml", "tiny_what_if.yaml"]
    assert all(len(value) == 64 for value in found.values())


def test_tiny() -> None:
    tiny = tiny_scenario()
    assert isinstance(tiny, Scenario)
    assert len(tiny.posts) == 3
    assert check_warnings(tiny) == []
    assert "table" not in json.dumps(to_dict(tiny))
    assert shipped("tiny.yaml").is_file()
    assert len((SCENARIOS / "tiny_what_if.yaml").read_text(encoding="utf-8").splitlines()) <= 15


def test_origins_are_kept_and_not_written() -> None:
    tiny = tiny_scenario()
    row = tiny.leaving["died"].rate.terms[0].rows[1]
    assert row.origin is not None
    line = shipped("tiny.yaml").read_text(encoding="utf-8").splitlines()[row.origin.line - 1]
    assert "age: 45" in line
    assert "origin" not in json.dumps(to_dict(tiny))


def test_uncertainties_have_names_of_their_own() -> None:
    text = json.dumps(to_dict(tiny_scenario()))
    names = [part.split('"')[0] for part in text.split('"uncertainty": "')[1:]]
    assert len(names) == len(set(names)) == 13
    assert "leaving.other_system.rate[1]" in names
    assert "hiring.sources[elsewhere].supply" in names


def test_warnings() -> None:
    data = to_dict(tiny_scenario())
    data["roles"]["porter"] = "Porter"
    del data["leaving"]["career_break"]["into"]
    data["leaving"]["died"]["rate"] = {"value": 1.5}
    assert [warning.split(":")[0] for warning in check_warnings(from_dict(data))] == [
        "pools.career_break",
        "leaving.died.rate",
        "roles.porter",
    ]
    data["warnings_off"] = ["roles.porter", "leaving.died.rate"]
    assert len(check_warnings(from_dict(data))) == 1
