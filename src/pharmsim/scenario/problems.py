"""From what the validation finds to problems in plain words, with file and line."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError

from pharmsim.errors import Problem
from pharmsim.scenario.marks import Path, closest, dotted, is_broken, is_written, locate, quoted, shown

HINTS = {
    "opening": ": say how it is filled at the start; a pipeline: `opening: from_past_intakes` or `steady`",
    "start": ": write the first month, such as `start: April 2026`",
    "end": ": write the month in which the run stops, such as `end: April 2046`",
    "to": ": where do people go?",
    "from": ": where do people come from?",
    "reference": "needs a `reference`: `opening` (a run then starts neutral), or a number in the unit of "
    "what is perceived",
    "low": ": the lowest multiplier, between 0 and 1",
    "high": ": the highest multiplier, 1 or more",
    "elasticity": ": by which power of what is perceived the multiplier changes",
    "share": ": write a share, such as `30 %`",
}


PEOPLE_GO = ("moves", "promotions", "switches", "pipelines")
"""Sections in which `from` and `to` are where people come from and go."""


class Problems(list[Problem]):
    """Problems found in one scenario, placed in its tree.

    Parameters
    ----------
    tree : Map
        What was written, tables included.
    file : str
        Shown where the tree does not know better.
    found : list of Problem
        What the reader of the file has found already.

    Notes
    -----
    What follows from something that cannot be read is not told: `stand_ins` and `left_out` say what
    was replaced and what is missing in the scenario that is being checked.
    """

    def __init__(self, tree: Any, file: str, found: Iterable[Problem] = ()) -> None:
        super().__init__(found)
        self.tree = tree
        self.file = file
        self.unsure: set[str] = set()
        self._known = set(self)
        self._told = _Paths()
        self._gone = _Paths()
        self._stand_ins = _Paths()
        self._numbers: dict[Path, list[int]] = {}

    def add(self, path: Path, message: str, origin: Any = None) -> None:
        """Add a problem at a key path; `origin` names file and line if it is known."""
        path = self.written(path)
        self._told.add(path)
        if is_broken(self.tree, path) or self._stand_ins.above(path):
            return
        if path and (self._gone.above(path) or self._gone.below(path)):
            return
        file, line = (origin.file, origin.line) if origin is not None else locate(self.tree, path)
        problem = Problem(file or self.file, line, dotted(path), message.removesuffix("."))
        if problem not in self._known:
            self._known.add(problem)
            self.append(problem)

    def stand_ins(self, paths: Iterable[Path]) -> None:
        """Remember what cannot be read as it is written."""
        for path in paths:
            self._stand_ins.add(path)

    def left_out(self, path: Path) -> None:
        """Remember that something is not in the scenario that is being checked."""
        self._gone.add(self.written(path))

    def renumber(self, path: Path, numbers: list[int], length: int) -> None:
        """Remember which items of a list are left."""
        path = self.written(path)
        before = self._numbers.get(path, list(range(length)))
        self._numbers[path] = [before[i] for i in numbers]

    def written(self, path: Path) -> Path:
        """Return a key path as it was written, before items were left out."""
        if not self._numbers:
            return path
        out: Path = ()
        for part in path:
            numbers = self._numbers.get(out)
            is_item = numbers is not None and isinstance(part, int) and part < len(numbers)
            out = (*out, numbers[part] if is_item else part)  # type: ignore[index]
        return out

    def lacks(self, *path: str | int) -> bool:
        """Return whether something at, above or below a key path was left out."""
        return self._gone.above(path) or self._gone.below(path)

    def lost(self, *path: str | int) -> bool:
        """Return whether what stands at a key path was left out, alone or with what holds it."""
        return self._gone.above(path)

    def touches(self, path: Path) -> bool:
        """Return whether something at or below a key path is wrong, or above it cannot be read."""
        path = self.written(path)
        kinds = (self._told, self._gone, self._stand_ins)
        return self._stand_ins.above(path) or any(kind.below(path) for kind in kinds)


class _Paths:
    """Key paths, with quick answers to what lies above and below one."""

    def __init__(self) -> None:
        self.all: set[Path] = set()
        self._tops: set[Path] = set()

    def add(self, path: Path) -> None:
        self.all.add(path)
        self._tops.update(path[:i] for i in range(len(path) + 1))

    def above(self, path: Path) -> bool:
        """Return whether a path of the set is `path` or leads to it."""
        return bool(self.all) and any(path[:i] in self.all for i in range(len(path) + 1))

    def below(self, path: Path) -> bool:
        """Return whether `path` is or leads to a path of the set."""
        return path in self._tops


def translate(error: ValidationError, model: type[BaseModel], problems: Problems) -> None:
    """Add every error of a validation, in plain words."""
    found = error.errors(include_url=False)
    meant = _meant(found, model, problems)
    for item in found:
        path = clean(item["loc"], problems.tree)
        if item["type"] == "missing" and path in meant:
            continue  # written under another name, which is told
        if item["type"] == "too_short" and any(
            other is not item and other["loc"][: len(item["loc"])] == item["loc"] for other in found
        ):
            continue  # an entry that cannot be read is not counted
        kind, context = item["type"], item.get("ctx", {})
        if kind == "pharmsim":
            for below, message in context["issues"]:
                problems.add((*path, *below), message)
        elif kind == "extra_forbidden":
            problems.add(path, f"unknown key.{closest(str(path[-1]), known_fields(item['loc'][:-1], model))}")
        else:
            problems.add(path, plain_words(kind, context, item))
    for path in meant:
        problems.left_out(path)


def _meant(found: list[Any], model: type[BaseModel], problems: Problems) -> set[Path]:
    """Return the key paths that are probably meant by unknown keys."""
    out: set[Path] = set()
    for item in found:
        if item["type"] == "extra_forbidden":
            *above, key = clean(item["loc"], problems.tree)
            names = known_fields(item["loc"][:-1], model)
            out |= {(*above, name) for name in get_close_matches(str(key), names, n=1, cutoff=0.6)}
    return {path for path in out if not is_written(problems.tree, path)}


def _hint(loc: tuple[str | int, ...]) -> str:
    """Return what to do about something that is missing, as far as its key says it."""
    key = str(loc[-1])
    if key in ("start", "end") and len(loc) > 1:
        return ": write a month, such as `April 2027`"
    if key in ("from", "to") and loc[0] not in PEOPLE_GO:
        return ""
    return HINTS.get(key, "")


def plain_words(kind: str, context: dict[str, Any], item: Any) -> str:
    """Return one message for an error of a kind that pydantic knows."""
    got = f"; got {quoted(item.get('input'))}"
    if kind == "missing":
        hint = _hint(item["loc"])
        return f"is missing{hint}" if hint.startswith(":") else hint or "is missing"
    if kind in ("literal_error", "union_tag_invalid"):
        expected = str(context.get("expected") or context.get("expected_tags"))
        expected = expected.replace("'", "").replace(" or ", ", ")
        found = context.get("tag", item.get("input"))
        return (
            f"must be one of {expected}; got {quoted(found)}.{closest(str(found), expected.split(', '), 0)}"
        )
    shapes = {
        "model_type": "a mapping of keys",
        "model_attributes_type": "a mapping of keys",
        "dict_type": "a mapping of keys",
        "tuple_type": "a list",
        "list_type": "a list",
        "string_type": "text",
        "bool_type": "true or false",
        "bool_parsing": "true or false",
        "int_type": "a whole number",
        "int_parsing": "a whole number",
        "int_from_float": "a whole number",
        "float_type": "a number",
        "float_parsing": "a number",
        "finite_number": "a finite number",
    }
    if kind in shapes:
        return f"must be {shapes[kind]}{got}"
    if kind in ("greater_than_equal", "less_than_equal"):
        word = f"at least {context['ge']}" if kind.startswith("greater") else f"at most {context['le']}"
        return f"must be {word}{got}"
    if kind == "too_short":
        return "must have at least one entry"
    return shown(str(item["msg"]).replace("Input should", "must").replace("Value error, ", ""), 300)


def clean(loc: tuple[str | int, ...], tree: Any) -> Path:
    """Return the key path of an error, without the names of alternatives that pydantic puts between."""
    path: list[str | int] = []
    node = tree
    for i, part in enumerate(loc):
        last = i == len(loc) - 1
        if isinstance(node, dict) and part in node:
            path.append(part)
            node = node[str(part)]
        elif isinstance(node, list) and isinstance(part, int):
            path.append(part)
            node = node[part] if part < len(node) else None
        elif last or (isinstance(part, str) and part.isidentifier() and part not in ("external", "internal")):
            path.append(part)
    return tuple(path)


def known_fields(loc: tuple[str | int, ...], model: type[BaseModel]) -> list[str]:
    """Return the keys that the model at `loc` knows."""
    kinds: list[Any] = [model]
    for part in loc:
        below: list[Any] = []
        for kind in kinds:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                if kind.__name__.lower().startswith(str(part)):  # the name of an alternative
                    below.append(kind)
                for name, field in kind.model_fields.items():
                    if part in (name, field.alias):
                        below.extend(models_in(field.annotation))
        kinds = below or kinds
    return [
        str(field.alias or name)
        for kind in kinds
        if isinstance(kind, type) and issubclass(kind, BaseModel)
        for name, field in kind.model_fields.items()
        if name not in ("origin", "base_digest")
    ]


def models_in(annotation: Any) -> list[Any]:
    """Return the models that an annotation mentions, at any depth."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    found: list[Any] = []
    for part in getattr(annotation, "__args__", ()):
        found.extend(models_in(part))
    return found
