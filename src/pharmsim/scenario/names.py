"""Fills in what the short forms leave out: the names of uncertainties, and where values are written.

A range belongs to a named uncertainty; without a name it has that of its key path:
``leaving.died.rate[2]`` (third row), ``moves.edges[a>b].rate``,
``pipelines.training.exam.pass_rates[1]``. Rows of one table share the name of the table's block.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from pydantic import BaseModel

from pharmsim.scenario.forms import REST_NOTE
from pharmsim.scenario.marks import Path, locate
from pharmsim.scenario.values import Cells, Origin, Row, Series, Term, Value


def fill(node: Any, tree: Any, path: Path = (), name: str = "") -> Any:
    """Return `node` (a model, tuple or mapping of models) with names and origins filled in."""
    if isinstance(node, Value):
        return _value(node, name, tree, path)
    if isinstance(node, Cells):
        names = [f"{name}.terms[{i}]" if i else name for i in range(len(node.terms))]
        terms = (_term(term, own, tree, path) for term, own in zip(node.terms, names, strict=True))
        return Cells.model_construct(terms=tuple(terms))
    if isinstance(node, Series):
        one = len(node.points) == 1
        points = {
            date: _value(value, name if one else f"{name}[{date}]", tree, (*path, date))
            for date, value in node.points.items()
        }
        return Series.model_construct(points=points)
    if isinstance(node, BaseModel):
        return _model(node, tree, path, name)
    if isinstance(node, dict):
        return {key: fill(item, tree, (*path, key), f"{name}.{key}") for key, item in node.items()}
    if isinstance(node, tuple):
        labels = [label_of(item) for item in node]
        times = Counter(labels)  # what shares its label with another item is named by its number
        own = [label if label and times[label] == 1 else str(i) for i, label in enumerate(labels)]
        return tuple(fill(item, tree, (*path, i), f"{name}[{own[i]}]") for i, item in enumerate(node))
    return node


def _model(node: BaseModel, tree: Any, path: Path, name: str) -> BaseModel:
    update = {}
    for field, info in type(node).model_fields.items():
        item = getattr(node, field)
        if isinstance(item, BaseModel | dict | tuple) and field != "origin":
            key = str(info.alias or field)
            new = fill(item, tree, (*path, key), f"{name}.{key}" if name else key)
            if new is not item:
                update[field] = new
    return node.model_copy(update=update) if update else node


def label_of(item: Any) -> str:
    """Return what names an item of a list: its name, its post, its ends (``a>b``), or "" if nothing does."""
    ends = getattr(item, "from_", None), getattr(item, "to", None)
    if all(isinstance(end, str) for end in ends) and not hasattr(item, "name"):
        return f"{ends[0]}>{ends[1]}"
    return str(getattr(item, "name", "") or getattr(item, "post", ""))


def _value(value: Any, name: str, tree: Any, path: Path) -> Any:
    update: dict[str, Any] = {}
    if value.low is not None and value.uncertainty is None:
        update["uncertainty"] = name
    if value.origin is None:
        file, line = locate(tree, path)
        if file:
            update["origin"] = Origin.model_construct(file=file, line=line)
    return value.model_copy(update=update) if update else value


def _term(term: Term, name: str, tree: Any, path: Path) -> Term:
    update: dict[str, Any] = {}
    single = len(term.rows) == 1 and not term.rows[0].where and term.range is None
    skip = 1 if term.rows[0].note == REST_NOTE else 0
    rows: list[Row] = []
    for i, row in enumerate(term.rows):
        own = name if single or term.table else f"{name}[{i - skip}]"
        rows.append(_value(row, own, tree, path))
    update["rows"] = tuple(rows)
    if term.range is not None and term.range.uncertainty is None:
        update["range"] = term.range.model_copy(update={"uncertainty": name})
    if term.origin is None and rows[0].origin is not None:
        update["origin"] = rows[0].origin
    return term.model_copy(update=update)
