"""What is read can be written, and read again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pharmsim.scenario import (
    Scenario,
    check_warnings,
    digest,
    from_dict,
    load,
    shipped,
    sources,
    tiny_scenario,
    to_dict,
)

SCENARIOS = Path(__file__).parents[2] / "scenarios"
FILES = sorted(path for path in SCENARIOS.rglob("*.yaml") if "interventions" not in path.parts)


def test_the_glob_finds_them() -> None:
    assert {"tiny.yaml", "tiny_what_if.yaml"} <= {path.name for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SCENARIOS)))
def test_shipped_scenarios_load_and_stay_the_same(path: Path) -> None:
    scenario = load(path)
    data = to_dict(scenario)
    assert json.loads(json.dumps(data)) == data
    again = from_dict(data)
    assert to_dict(again) == data
    assert digest(again) == digest(scenario)
    assert str(path) in sources(scenario)


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
