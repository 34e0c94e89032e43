"""Key paths of a scenario: from ``pipelines.training.intake.per_year`` to what stands there.

Items of lists are named by their name, post, or ends (``a>b``), or by number (``[0]``); ``*``
stands for every key. A path to a section means every `rate` below it.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from pharmsim.scenario.fields import numbers, of_field
from pharmsim.scenario.forms import shape_of
from pharmsim.scenario.marks import Path, closest, dotted, quoted
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.names import label_of
from pharmsim.scenario.text import FormError
from pharmsim.scenario.values import Cells, Of, Series, Value


@dataclass(frozen=True)
class Target:
    """What a path leads to.

    Attributes
    ----------
    path : tuple
        Keys and numbers from the top.
    node : object
        What stands there; None for an optional number that is not given.
    shape : str
        "Value", "Cells", "Series", or "" for everything else.
    of : Of or None
        Kind of the number.
    parent : object
        What holds it: an edge, for the rate of an edge.
    """

    path: Path
    node: Any
    shape: str
    of: Of | None
    parent: Any = None


def targets(scenario: Scenario, text: str, *, whole: bool = False) -> list[Target]:
    """Return what a path leads to, in the order of the scenario.

    Parameters
    ----------
    scenario : Scenario
    text : str
    whole : bool
        A section means itself rather than the rates in it.

    Raises
    ------
    FormError
        If nothing stands there; names the closest path.
    """
    found = list(_walk(Target((), scenario, "", None), text.strip()))
    if not found or text.strip() in ("", "*"):
        known = sorted(set(_all(Target((), scenario, "", None), "")))
        raise FormError(f"no such path in the base: {quoted(text)}.{closest(text, known, 0)}")
    if whole:
        return found
    out: list[Target] = []
    for target in found:
        out.extend([target] if _is_leaf(target) else _rates(target))
    if not out:
        below = [dotted(number.path) for target in found for number in numbers(target.node, target.path)]
        some = ", ".join(below[:6]) or "none"
        raise FormError(f"{quoted(text)} is a section without a rate; numbers in it: {some}")
    return out


def _is_leaf(target: Target) -> bool:
    return bool(target.shape) or not isinstance(target.node, BaseModel | dict | tuple)


def _rates(target: Target) -> Iterator[Target]:
    if _is_leaf(target):
        if target.path[-1] == "rate":
            yield target
        return
    for _, child in _children(target):
        yield from _rates(child)


def _children(target: Target) -> Iterator[tuple[str, Target]]:
    """Yield every (name, child) of a section."""
    node = target.node
    if isinstance(node, BaseModel):
        for name, info in type(node).model_fields.items():
            if name not in ("origin", "base_digest", "parameters"):
                item, key = getattr(node, name), str(info.alias or name)
                yield key, _child(item, (*target.path, key), info, node)
    elif isinstance(node, dict):
        for key, item in node.items():
            yield key, _child(item, (*target.path, key), None, node, target.of)
    elif isinstance(node, tuple):
        for i, item in enumerate(node):
            child = _child(item, (*target.path, i), None, node, target.of)
            yield f"[{i}]", child
            if label := label_of(item):
                yield label, child


def _child(item: Any, path: Path, info: Any, parent: Any, of: Of | None = None) -> Target:
    of = of_field(info) if info is not None else of
    if isinstance(item, Value | Cells | Series):
        return Target(path, item, type(item).__name__, of, parent)
    shape = _shape(info.annotation) if item is None and info is not None else ""
    return Target(path, item, shape, of, parent)


def _shape(annotation: Any) -> str:
    """Return the shape of the number that an optional field would hold."""
    for part in (annotation, *typing.get_args(annotation)):
        if shape := shape_of(part) or shape_of(getattr(part, "__origin__", None)):
            return shape
    return ""


def _walk(target: Target, rest: str) -> Iterator[Target]:
    if not rest:
        yield target
        return
    if _is_leaf(target):
        return
    children = list(_children(target))
    if rest == "*" or rest.startswith("*."):
        for name, child in children:
            if not name.startswith("[") or not label_of(child.node):
                yield from _walk(child, rest[2:])
        return
    fits = [
        (name, child) for name, child in children if rest == name or rest.startswith((f"{name}.", f"{name}["))
    ]
    if fits:
        name, child = max(fits, key=lambda fit: len(fit[0]))
        yield from _walk(child, rest[len(name) :].removeprefix("."))


def _all(target: Target, name: str) -> Iterator[str]:
    """Yield the path of everything below `target`."""
    if name:
        yield name
    if not _is_leaf(target):
        for key, child in _children(target):
            if not key.startswith("["):
                yield from _all(child, f"{name}.{key}" if name else key)
