"""The numbers of a scenario, one by one, with their key paths and kinds."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pharmsim.quantities import KINDS
from pharmsim.scenario.forms import REST_NOTE
from pharmsim.scenario.marks import Path, dotted
from pharmsim.scenario.values import Cells, Of, Series, Term, Value


@dataclass(frozen=True)
class Number:
    """A value, cells or series of a scenario.

    Attributes
    ----------
    path : tuple
        Keys from the top of the scenario.
    node : Value, Cells or Series
    of : Of
        Its kind, the axes it may depend on, the axis over which it sums to one.
    """

    path: Path
    node: Value | Cells | Series
    of: Of

    def __str__(self) -> str:
        return dotted(self.path)


def of_field(info: FieldInfo) -> Of | None:
    """Return the mark that says of which kind the numbers of a field are."""
    return next((mark for mark in _all_marks(info) if mark.kind in KINDS), None)


def kind_of(info: FieldInfo) -> str:
    """Return the kind of a field that holds no numbers of a kind, such as ``where``; "" if it has none."""
    return next((mark.kind for mark in _all_marks(info) if mark.kind not in KINDS), "")


def _all_marks(info: FieldInfo) -> list[Of]:
    return [mark for mark in (*info.metadata, *_marks(info.annotation)) if isinstance(mark, Of)]


def _marks(annotation: Any) -> list[Any]:
    found = list(getattr(annotation, "__metadata__", ()))
    for part in typing.get_args(annotation):
        found.extend(_marks(part))
    return found


@cache
def fields_of(model: type[BaseModel]) -> tuple[tuple[str, str, Of | None, str], ...]:
    """Return name, key, mark of its numbers and kind of every field of a model."""
    fields = model.model_fields.items()
    return tuple((name, info.alias or name, of_field(info), kind_of(info)) for name, info in fields)


def numbers(node: Any, path: Path = (), of: Of | None = None) -> Iterator[Number]:
    """Yield every number below `node` in the order of the file."""
    if isinstance(node, Value | Cells | Series):
        if of is not None:
            yield Number(path, node, of)
    elif isinstance(node, BaseModel):
        for name, key, mark, _ in fields_of(type(node)):
            yield from numbers(getattr(node, name), (*path, key), mark)
    elif isinstance(node, dict):
        for key, item in node.items():
            yield from numbers(item, (*path, key), of)
    elif isinstance(node, tuple):
        for i, item in enumerate(node):
            yield from numbers(item, (*path, i), of)


def row_path(path: Path, term: Term, row: int, factor: int = 0) -> Path:
    """Return the key path of a row as it was written: without the row that was put before the others."""
    if term.rows[0].note == REST_NOTE:
        row = max(row - 1, 0)
    return (*path, "product", factor, "rows", row) if factor else (*path, "rows", row)
