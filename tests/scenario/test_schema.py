"""The JSON Schema is current, and describes what pharmsim reads."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from pharmsim.scenario.reader import Folder, read_yaml, root_of
from pharmsim.scenario.schema import scenario_schema, schema_text

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "scenarios").rglob("*.yaml"))
"""Scenarios, and the files of the library of interventions."""
EVERYTHING = Path(__file__).parent / "everything.yaml"
UNKNOWN = (
    "unknown_key",
    "unknown_key_nested",
    "unknown_key_of_row",
    "step_unknown",
    "missing_stock",
    "change_two_verbs",
    "feedback_unknown",
    "feedback_without_reference",
    "shift_without_end",
    "use_unknown_key",
    "use_effect_without_value",
)


def validator() -> jsonschema.Draft202012Validator:
    schema = scenario_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_the_committed_schema_is_current() -> None:
    committed = (ROOT / "scenarios" / "scenario.schema.json").read_text(encoding="utf-8")
    assert committed == schema_text() + "\n", "write `pharmsim schema` to scenarios/scenario.schema.json"


def test_no_marks_are_left() -> None:

    assert '"x-pharmsim"' not in schema_text()
    assert '"x-inner"' not in schema_text()


@pytest.mark.parametrize("path", [*FILES, EVERYTHING], ids=lambda path: str(path.relative_to(ROOT)))
def test_shipped_scenarios_fit(path: Path) -> None:
    data = read_yaml(Folder(root_of(str(path))), str(path))
    errors = [f"{error.json_path}: {error.message}" for error in validator().iter_errors(data)]
    assert not errors


@pytest.mark.parametrize("name", UNKNOWN)
def test_mistakes_of_shape_do_not_fit(name: str) -> None:
    path = ROOT / "tests" / "bad" / f"{name}.yaml"
    assert list(validator().iter_errors(read_yaml(Folder(path.parent), str(path))))
