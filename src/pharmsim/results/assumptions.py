"""Every number of a scenario in one list: value, range, unit, source, evidence, file and line.

Numbers are graded by evidence. Settings say how the model is cut (ages, months, examination sittings);
defaults are numbers that nobody wrote. Neither has a grade.
"""

from __future__ import annotations

import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import pandas as pd
from pydantic import BaseModel

from pharmsim.quantities import KINDS
from pharmsim.results.text import markdown_cell
from pharmsim.results.written import NOWHERE, Written
from pharmsim.scenario.calibrated import as_calibrated
from pharmsim.scenario.interventions import Effect
from pharmsim.scenario.lever_forms import unit_of
from pharmsim.scenario.marks import Path
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.text import age_range
from pharmsim.scenario.values import Cells, Of, Origin, Series, Term, Value

MANY = 12
"""A table with more rows than this is one line of the Markdown list."""


@dataclass(frozen=True)
class Assumption:
    """One number that a run uses.

    Attributes
    ----------
    id : str
        Key path in the scenario, such as ``leaving.died.rate``, with the row where there are several.
    section : str
        First key of the path.
    kind : str
        "number" (graded by evidence), "setting" (a choice, without a grade) or "default" (not written).
    where : str
        The cells it applies to, "environment = ward"; empty for all.
    value, low, high : float or None
    text : str
        A setting that is not a number, such as the months of examinations.
    dist : str
        Distribution over the range; empty without one.
    unit, source, evidence, note : str
    uncertainty : str
        The named uncertainty that moves it; empty if it does not vary.
    file : str
    line : int
        Where it was written; 0 if not known.
    """

    id: str
    section: str
    kind: str
    where: str
    value: float | None
    text: str
    low: float | None
    high: float | None
    dist: str
    unit: str
    source: str
    evidence: str
    note: str
    uncertainty: str
    file: str
    line: int

    @property
    def shown(self) -> str:
        """The number, or the text, as people read it."""
        return self.text if self.value is None else f"{self.value:g}"

    @property
    def grade(self) -> str:
        """The grade of evidence; for what has none, its kind."""
        return self.evidence if self.kind == "number" else self.kind


def assumptions(scenario: Scenario) -> list[Assumption]:
    """List every number and setting of the scenario in the order of its sections.

    What is drawn from a calibration has its median, its 5 and 95 % points and the grade "calibrated".
    """
    return list(_model(as_calibrated(scenario), At(Written(scenario)), ""))


def as_frame(scenario: Scenario, items: Sequence[Assumption] | None = None) -> pd.DataFrame:
    """The list (`items`, if it has been made) as a table, one row for each number."""
    names = list(Assumption.__dataclass_fields__)
    items = assumptions(scenario) if items is None else items
    frame = pd.DataFrame([asdict(item) for item in items], columns=names)
    return frame.astype({"value": float, "low": float, "high": float})


# -- walking through the scenario --------------------------------------------------------------------


UNITS = {
    "whole_months": "months",
    "plain_months": "months",
    "month_shares": "share",
    "ages.first": "years",
    "ages.last": "years",
    "eligible_month": "month of the last stage",
    "split": "share",
    "matrix": "correlation",
    "backfill_weeks": "weeks",
    "low": "ratio",
    "high": "ratio",
}
"""Units of the kinds of field, or of fields by name, that are not in `KINDS`."""
TEXTS = ("ages", "month", "month_name", "month_names")
"""Kinds of settings that are written as text."""
DEFAULT = "default of pharmsim"


@dataclass(frozen=True)
class At:
    """A place in the scenario: its keys from the top, and where things are written."""

    written: Written
    path: Path = ()

    def to(self, *keys: str | int) -> At:
        """The place of a key below this one."""
        return At(self.written, (*self.path, *keys))


def _kinds(annotation: Any) -> Iterator[str]:
    """Kinds that an annotation names by `Of`, however deep."""
    for part in (*getattr(annotation, "__metadata__", ()), *typing.get_args(annotation)):
        if isinstance(part, Of):
            yield part.kind
        elif not isinstance(part, (str, int)):
            yield from _kinds(part)


def _field_unit(field: Any) -> str:
    """Unit of the numbers in a field; empty if it has none."""
    named = [part.kind for part in field.metadata if isinstance(part, Of)]
    found = [_unit(kind) for kind in (*named, *_kinds(field.annotation))]
    return next((unit for unit in found if unit), "")


def _unit(kind: str) -> str:
    return KINDS[kind].unit if kind in KINDS else UNITS.get(kind, "")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _model(model: BaseModel, at: At, path: str) -> Iterator[Assumption]:
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, Origin) or (name == "backfill_weeks" and not getattr(model, "split", None)):
            continue  # backfill is for joint posts only
        if name == "claim" and value == field.default:
            continue  # which only the search for a break-even changes
        key = str(field.alias or name)
        here, below = _join(path, key), at.to(key)
        unit = _field_unit(field) or UNITS.get(here, UNITS.get(key, ""))
        if isinstance(model, Effect) and name in ("to", "plus"):
            unit = unit_of(model.quantity)
        texts = {*(part.kind for part in field.metadata if isinstance(part, Of)), *_kinds(field.annotation)}
        texts &= set(TEXTS)
        if value is not None and texts and path:
            found: Iterable[Assumption] = _words(value, texts.pop(), below, here)
        elif isinstance(value, bool):
            found = [] if value == field.default else _words("yes" if value else "no", "", below, here)
        elif isinstance(value, str) and unit:  # a word in the place of a number, such as `opening`
            found = _words(value, "", below, here)
        else:
            found = _any(value, below, here, unit)
        for item in found:
            yield _as_default(item, below) if _is_default(value, field.default) else item


def _is_default(value: Any, default: Any) -> bool:
    """Whether a field holds what pharmsim puts there, with nothing said about it."""
    if isinstance(value, Value) and isinstance(default, Value):
        return value.model_copy(update={"origin": None}) == default
    if isinstance(value, Series):
        return bool(value == default)
    plain = isinstance(value, (int, str)) and not isinstance(value, bool)
    return plain and type(default) is type(value) and value == default


def _as_default(item: Assumption, at: At) -> Assumption:
    """The item as a default, unless somebody wrote it so."""
    if at.written.key(at.path, item.id) != NOWHERE:
        return item
    return replace(item, kind="default", source=DEFAULT, evidence="", file="", line=0)


def _words(value: Any, kind: str, at: At, path: str) -> Iterator[Assumption]:
    """Settings written as text; a window of ages is its two ends."""
    if kind == "ages":
        low, high = age_range(value)
        ends = {"first": low} if value.endswith("+") else {"first": low, "last": high}
        for name, age in ends.items():
            yield _setting(at, f"{path}.{name}", float(age), "", "years")
    else:
        yield _setting(at, path, None, ", ".join([value] if isinstance(value, str) else value), "")


def _setting(at: At, path: str, value: float | None, text: str, unit: str) -> Assumption:
    file, line = at.written.key(at.path, path)
    if not file:
        file, line = at.written.section(at.path)
    return replace(
        _number(Value(value=0.0), path, unit),
        kind="setting", value=value, text=text, evidence="", file=file, line=line,
    )  # fmt: skip


def _any(value: Any, at: At, path: str, unit: str) -> Iterator[Assumption]:
    if isinstance(value, Cells):
        for i, term in enumerate(value.terms):
            own = path if len(value.terms) == 1 else f"{path}.terms[{i}]"
            yield from _term(term, own, "ratio" if i else unit)
    elif isinstance(value, Series):
        for date, point in value.points.items():
            yield _number(point, f"{path}.{date}", unit)
    elif isinstance(value, Value):
        yield _number(value, path, unit)
    elif isinstance(value, BaseModel):
        cells = _where(value)  # of a policy, an effect …: its numbers apply there
        for item in _model(value, at, path):
            yield replace(item, where="; ".join(filter(None, (cells, item.where))))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _any(item, at.to(str(key)), _join(path, str(key)), unit)
    elif isinstance(value, (tuple, list)):
        for i, item in enumerate(value):
            yield from _any(item, at.to(i), f"{path}[{_name(item, i)}]", unit)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield _setting(at, path, float(value), "", unit)


def _name(item: Any, i: int) -> str:
    """Name of an item of a list: its own name, its ends, or its number."""
    name = getattr(item, "name", None) or getattr(item, "post", None)
    if name:
        return str(name)
    if isinstance(getattr(item, "from_", None), str) and isinstance(getattr(item, "to", None), str):
        return f"{item.from_} > {item.to}"
    return str(i)


def _where(value: BaseModel) -> str:
    where: Mapping[str, tuple[str, ...]] = getattr(value, "where", {})
    return "; ".join(f"{axis} = {', '.join(names)}" for axis, names in where.items())


def _term(term: Term, path: str, unit: str) -> Iterator[Assumption]:
    several = len(term.rows) > 1
    for i, row in enumerate(term.rows):
        item = _number(row, f"{path}[{i}]" if several else path, unit)
        if item.evidence == "unstated":
            item = replace(item, evidence=term.evidence)
        item = replace(item, source=item.source or term.source, note=item.note or term.note)
        if not item.file and term.origin:
            item = replace(item, file=term.origin.file, line=term.origin.line)
        if term.range and row.value and not item.uncertainty:  # 0 times anything does not vary
            item = replace(
                item,
                low=row.value * term.range.low,
                high=row.value * term.range.high,
                dist=term.range.dist or "pert",
                uncertainty=term.range.uncertainty or path,
            )
        yield item


def _number(value: Value, path: str, unit: str) -> Assumption:
    varies = value.low is not None or value.high is not None
    return Assumption(
        id=path,
        section=path.split(".")[0].split("[")[0],
        kind="number",
        where=_where(value),
        value=value.value,
        text="",
        low=value.low,
        high=value.high,
        dist=(value.dist or "pert") if varies else "",
        unit=unit,
        source=value.source,
        evidence=value.evidence,
        note=value.note,
        uncertainty=(value.uncertainty or path) if varies else "",
        file=value.origin.file if value.origin else "",
        line=value.origin.line if value.origin else 0,
    )


# -- as text -------------------------------------------------------------------------------------------


def as_markdown(scenario: Scenario, items: Sequence[Assumption] | None = None) -> str:
    """The list as Markdown: a table a section; big tables are one line with their smallest and largest."""
    items = assumptions(scenario) if items is None else items
    lines = [f"# Assumptions of {markdown_cell(scenario.name)}", ""]
    where = "All of them, one a row: `assumptions.csv`. What each matters: `pharmsim sensitivity`."
    lines += [f"{counts(items)}. {where}", ""]
    for section in dict.fromkeys(item.section for item in items):
        here = [item for item in items if item.section == section]
        lines += [f"## {markdown_cell(section)}", ""]
        lines += ["| number | where | value | range | unit | evidence | source | written in |"]
        lines += ["| --- | --- | --- | --- | --- | --- | --- | --- |"]
        for group in groups(here):
            lines += [_line(group[0])] if len(group) == 1 else _lines(group)
        lines.append("")
    return "\n".join(lines)


def counts(items: Sequence[Assumption]) -> str:
    """How many numbers, settings and defaults there are."""
    n = {kind: sum(item.kind == kind for item in items) for kind in ("number", "setting", "default")}
    return f"{n['number']} numbers, {n['setting']} settings, {n['default']} defaults of pharmsim"


def groups(items: list[Assumption]) -> list[list[Assumption]]:
    """Rows of one table together."""
    groups: dict[str, list[Assumption]] = {}
    for item in items:
        groups.setdefault(item.id.rsplit("[", 1)[0] if item.id.endswith("]") else item.id, []).append(item)
    return list(groups.values())


def _lines(group: list[Assumption]) -> list[str]:
    if len(group) <= MANY:
        return [_line(item) for item in group]
    values = [item.value for item in group if item.value is not None]
    first = group[0]
    grades = ", ".join(dict.fromkeys(item.grade for item in group))
    sources = "; ".join(dict.fromkeys(item.source for item in group if item.source))
    return [
        _row(
            first.id.rsplit("[", 1)[0],
            f"{len(group)} rows",
            f"{min(values):g} … {max(values):g}",
            "",
            first.unit,
            grades,
            sources,
            first.file,
        )
    ]


def _line(item: Assumption) -> str:
    spread = "" if item.low is None or item.high is None else f"{item.low:g} – {item.high:g}"
    place = f"{item.file}:{item.line}" if item.file else ""
    return _row(item.id, item.where, item.shown, spread, item.unit, item.grade, item.source, place)


def _row(*cells: str) -> str:
    return "| " + " | ".join(markdown_cell(text) for text in cells) + " |"
