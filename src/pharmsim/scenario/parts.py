"""What can still be read of a scenario with mistakes, so that the rest of it is checked at once.

A number that cannot be read is replaced by a stand-in of its kind; anything else that cannot be read
is left out, with the smallest part of the scenario around it that can be left out. What was replaced
or left out is remembered in the `Problems`, which hold back every message that would follow from it.
"""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError

from pharmsim.scenario.forms import LENIENT
from pharmsim.scenario.marks import Map, Path, Seq, unreadable
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.problems import Problems, clean

MAX_ROUNDS = 20
_DROP = object()
_TRIED = unreadable()
"""Put where something required is missing: a number is then replaced by its stand-in, others fail again."""
_AT_THE_TOP: dict[str, Any] = {
    "name": "?",
    "start": "2000-01",
    "end": "2001-01",
    "roles": {"?": "?"},
    "environments": {"?": "?"},
    "posts": [{"post": "?", "role": "?", "environment": "?"}],
    "stock": {"headcount": 0},
}


def readable(tree: Map, error: ValidationError, problems: Problems) -> tuple[Scenario, Map] | None:
    """Return what can be read of a scenario, and its tree; None if nothing can.

    Parameters
    ----------
    tree : Map
        What was written, with tables and lists written out.
    error : ValidationError
        Why it cannot be read as it is.
    problems : Problems
        Learns what is replaced and left out.
    """
    problems.stand_ins(clean(item["loc"], tree) for item in error.errors(include_url=False))
    for _ in range(MAX_ROUNDS):
        try:
            return Scenario.model_validate(tree, context=LENIENT), tree
        except ValidationError as found:
            edits: dict[Path, Any] = {}
            for item in found.errors(include_url=False):
                _plan(edits, tree, clean(item["loc"], tree), item["type"] == "missing")
            edits.pop((), None)
            if not edits:
                return None
            tree = _edited(tree, edits, (), problems)
    return None


def _plan(edits: dict[Path, Any], tree: Map, path: Path, missing: bool) -> None:
    """Decide what to do about one error at `path`."""
    node: Any = tree
    for i, part in enumerate(path):
        if node is _TRIED:
            edits[path[: i - 1]] = _DROP  # without what is required, all of it goes
            return
        below = _child(node, part)
        if below is _DROP:
            missing = missing and i == len(path) - 1
            edits[path if missing else path[:i]] = _instead(path) if missing else _DROP
            return
        node = below
    edits[path[:-1] if node is _TRIED else path] = _DROP


def _instead(path: Path) -> Any:
    return _AT_THE_TOP.get(str(path[0]), _TRIED) if len(path) == 1 else _TRIED


def _child(node: Any, part: str | int) -> Any:
    """Return what stands in a node at a key or number, or `_DROP`."""
    if isinstance(node, dict):
        return node.get(str(part), _DROP)
    if isinstance(node, list) and isinstance(part, int) and part < len(node):
        return node[part]
    return _DROP


def _edited(node: Any, edits: dict[Path, Any], at: Path, problems: Problems) -> Any:
    """Return a node with parts replaced or left out; what is not touched is shared, not copied."""
    parts: dict[str | int, dict[Path, Any]] = {}
    for path, new in edits.items():
        parts.setdefault(path[0], {})[path[1:]] = new
    new_items: dict[Any, Any] = {}
    for part, below in parts.items():
        new = below[()] if () in below else _edited(_child(node, part), below, (*at, part), problems)
        if () in below and new is not _TRIED:
            problems.left_out((*at, part))
        new_items[part] = new
    if isinstance(node, dict):
        items = {key: new_items.get(key, item) for key, item in node.items()} | new_items
        kept = {key: item for key, item in items.items() if item is not _DROP}
        return node.like(kept) if isinstance(node, Map) else kept
    numbers = [i for i in range(len(node)) if new_items.get(i) is not _DROP]
    out = Seq((new_items.get(i, node[i]) for i in numbers), *(getattr(node, "file", ""), 0))
    if isinstance(node, Seq):
        out.line = node.line
        out.lines = [node.lines[i] for i in numbers if i < len(node.lines)]
    if len(numbers) < len(node):
        problems.renumber(at, numbers, len(node))
    return out
