"""From what the validation finds to problems in plain words, with file and line."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from pharmsim.errors import Problem
from pharmsim.scenario.marks import Path, closest, dotted, is_broken, locate, quoted, shown

HINTS = {
    "opening": ": say how it is filled at the start; a pipeline: `opening: from_past_intakes` or `steady`",
    "start": ": write the first month, such as `start: April 2026`",
    "end": ": write the month in which the run stops, such as `end: April 2046`",
    "to": ": where do people go?",
    "from": ": where do people come from?",
}


class Problems(list[Problem]):
    """Problems found in one scenario, placed in its tree.

    Parameters
    ----------
    tree : Map
        What was written, tables included.
    file : str
        Shown where the tree does not know better.
    """

    def __init__(self, tree: Any, file: str) -> None:
        super().__init__()
        self.tree = tree
        self.file = file

    def add(self, path: Path, message: str, origin: Any = None) -> None:
        """Add a problem at a key path; `origin` names file and line if it is known."""
        if is_broken(self.tree, path):
            return
        file, line = (origin.file, origin.line) if origin is not None else locate(self.tree, path)
        problem = Problem(file or self.file, line, dotted(path), message.removesuffix("."))
        if problem not in self:
            self.append(problem)


def translate(error: ValidationError, model: type[BaseModel], problems: Problems) -> None:
    """Add every error of a validation, in plain words."""
    found = error.errors(include_url=False)
    for item in found:
        path = clean(item["loc"], problems.tree)
        below = [other for other in found if other["loc"][: len(item["loc"])] == item["loc"]]
        if item["type"] == "too_short" and len(below) > 1:
            continue  # an entry that cannot be read is not counted
        kind, context = item["type"], item.get("ctx", {})
        if kind == "pharmsim":
            for below, message in context["issues"]:
                problems.add((*path, *below), message)
        elif kind == "extra_forbidden":
            problems.add(path, f"unknown key.{closest(str(path[-1]), known_fields(item['loc'][:-1], model))}")
        else:
            problems.add(path, plain_words(kind, context, item))


def plain_words(kind: str, context: dict[str, Any], item: Any) -> str:
    """Return one message for an error of a kind that pydantic knows."""
    got = f"; got {quoted(item.get('input'))}"
    if kind == "missing":
        return "is missing" + HINTS.get(str(item["loc"][-1]), "")
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
