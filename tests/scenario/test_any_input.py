"""Whatever is written, the answer is a scenario or a `ScenarioError` in plain words."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pharmsim.errors import ScenarioError
from pharmsim.scenario import from_dict, load, shipped, to_dict
from pharmsim.scenario.reader import Folder, read_yaml

EVERYTHING = Path(__file__).parent / "everything.yaml"
INTERVENTIONS = Path(__file__).parent / "interventions.yaml"
JUNK: list[Any] = [
    None,
    True,
    -1,
    0,
    2,
    1e9,
    "",
    "x",
    "9 %",
    "all",
    "2025-10",
    "April 2026",
    "a" * 500,
    [],
    {},
    [1],
    [[]],
    [{}],
    {"value": 1},
    {"where": {}},
    {"x": 1},
    {"rows": []},
    {"rows": 3},
    {"terms": 3},
    {"product": []},
    {"points": 3},
    {"table": "x.csv"},
    {"table": 1},
    {"value": {}},
    {"where": 3, "value": 1},
    {"where": {"age": []}, "value": 1},
    [{"where": {"post": "x"}, "value": 1}],
    {"value": 1, "low": 0, "high": 2},
    float("nan"),
    float("inf"),
]
JARGON = ("pydantic", "input", "validator", "instance", "none type", "dict", "tuple", "function")


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every key path of plain data."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


def spoilt(data: Any, rng: random.Random) -> Any:
    """The data with one entry removed or replaced."""
    data = copy.deepcopy(data)
    *above, last = rng.choice(list(places(data)))
    node = data
    for key in above:
        node = node[key]
    if rng.random() < 0.1:
        del node[last]
    else:
        node[last] = copy.deepcopy(rng.choice(JUNK))
    return data


CASES = [
    *((shipped("tiny.yaml"), seed) for seed in range(4)),
    (EVERYTHING, 4),
    (EVERYTHING, 5),
    (INTERVENTIONS, 6),
]


@pytest.mark.parametrize(("path", "seed"), CASES, ids=lambda item: getattr(item, "stem", str(item)))
def test_spoilt_scenarios(path: Path, seed: int) -> None:
    rng = random.Random(seed)
    written = read_yaml(Folder(path.parent), str(path))
    whole = [written, to_dict(load(path))]
    refused = 0
    for _ in range(60):
        try:
            data = to_dict(from_dict(spoilt(rng.choice(whole), rng), path.parent))
        except ScenarioError as error:
            refused += 1
            for problem in error.problems:
                assert not [word for word in JARGON if word in problem.message.lower()], problem
        else:
            assert to_dict(from_dict(data)) == data
    assert refused > 30
