"""Changing one number: ``to`` another, ``times`` a factor, ``plus`` an amount, for some cells or all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pharmsim.scenario import loading, text
from pharmsim.scenario.checks.names import selector
from pharmsim.scenario.expand import select_posts
from pharmsim.scenario.forms import RANGE_KEYS, REST_NOTE, age_key, read_as, value_form
from pharmsim.scenario.marks import Map
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.paths import Target
from pharmsim.scenario.small_forms import AGE_KEYS
from pharmsim.scenario.text import FormError
from pharmsim.scenario.values import Cells, Series, Value

UNCHANGED = "every other cell: unchanged"


@dataclass(frozen=True)
class Edit:
    """A change of a number.

    Attributes
    ----------
    verb : str
        "to", "times" or "plus".
    form : object
        The number as written, or a mapping with value, low, high, source …
    where : dict
        Canonical selector; with the keys from and to for edges.
    name : str
        Name of the uncertainty, if the form has a range and names none.
    """

    verb: str
    form: Any
    where: dict[str, Any]
    name: str


def edited(scenario: Scenario, target: Target, edit: Edit) -> Any:
    """Return what shall stand at the target, or None if the selector leaves it out."""
    if {"from", "to"} & set(edit.where):
        if not _is_edge(scenario, target, edit.where):
            return None
        edit = Edit(edit.verb, edit.form, {}, edit.name)
    if edit.where and target.shape != "Cells":
        raise FormError("has no cells to select from: leave `where` out", ("where",))
    if target.node is None and edit.verb != "to":
        raise FormError("is not given in the base: use `to`", ("set",))
    if target.shape == "Cells" and edit.where:
        _selectable(scenario, target, edit)
    if not target.shape:
        return _plain(target, edit)
    return _marked(_number(scenario, target, edit))


def _number(scenario: Scenario, target: Target, edit: Edit) -> Any:
    if edit.verb == "to":
        return _to(target, edit)
    if target.node == "unlimited":
        raise FormError("is unlimited in the base: use `to`", ("set",))
    change = _amount(target, edit)
    if isinstance(target.node, Cells):
        tree = loading.tree_of(target.node)
        return (_cells_times if edit.verb == "times" else _cells_plus)(scenario, tree, change, edit)
    if isinstance(target.node, Series):
        points = {date: _value(value, change, edit) for date, value in target.node.points.items()}
        return {"points": points}
    return _value(target.node, change, edit)


def _is_edge(scenario: Scenario, target: Target, where: dict[str, Any]) -> bool:
    """Return whether the target belongs to an edge whose ends are selected."""
    if not hasattr(target.parent, "from_"):
        raise FormError("selects by `from` and `to`, which only edges have", ("where",))
    for end, post in (("from", target.parent.from_), ("to", target.parent.to)):
        bad = FormError()

        def report(key: str, message: str, bad: FormError = bad, end: str = end) -> None:
            bad.issues.append((("where", end, key) if key else ("where", end), message))

        if end in where:
            if not selector(scenario, where[end], ("post",), report):
                raise bad
            if post not in [scenario.posts[i].post for i in select_posts(scenario, where[end])]:
                return False
    return True


def _selectable(scenario: Scenario, target: Target, edit: Edit) -> None:
    bad = FormError()

    def report(key: str, message: str) -> None:
        bad.issues.append((("where", key) if key else ("where",), message))

    assert target.of is not None
    if not selector(scenario, edit.where, target.of.by, report):
        raise bad


def _plain(target: Target, edit: Edit) -> Any:
    """Return the new form of something that is no number with a range: text, months, a section."""
    number = isinstance(target.node, int | float) and not isinstance(target.node, bool)
    form = edit.form["value"] if isinstance(edit.form, dict) and set(edit.form) == {"value"} else edit.form
    if edit.verb == "to":
        return form
    if not number or isinstance(form, dict):
        raise FormError(f"cannot be changed by `{edit.verb}`: use `to`", (edit.verb,))
    amount = text.number(form, "ratio") if edit.verb == "times" else text.signed(form, "months")
    return target.node * amount if edit.verb == "times" else target.node + amount


def _to(target: Target, edit: Edit) -> Any:
    """Return the number that is set; with a selector, for the selected cells only."""
    assert target.of is not None
    try:
        if not edit.where:
            form = edit.form
            if isinstance(form, dict) and form.get("value") in ("unlimited", "opening"):
                form = form["value"]
            return read_as(target.of, target.shape, form)
        row = value_form(edit.form, target.of.kind)
    except FormError as error:
        raise error.under("to") from None
    if not isinstance(target.node, Cells):
        raise FormError("is not given in the base for every cell: leave `where` out", ("where",))
    tree = loading.tree_of(target.node)
    row = _named(row, edit)
    for i, term in enumerate(tree["terms"]):
        rows = [old for old in term["rows"] if old["where"] != edit.where]
        new = row if i == 0 else {"value": 1.0, "note": UNCHANGED}
        term["rows"] = [*rows, {**new, "where": edit.where}]
    return tree


def _named(value: dict[str, Any], edit: Edit) -> dict[str, Any]:
    return {**value, "uncertainty": value.get("uncertainty", edit.name)} if "low" in value else value


def _amount(target: Target, edit: Edit) -> dict[str, Any]:
    """Return the factor or the amount, with its range."""
    assert target.of is not None
    try:
        if edit.verb == "times":
            return _named(value_form(edit.form, "ratio"), edit)
        form = edit.form if isinstance(edit.form, dict) else {"value": edit.form}
        ranged = [key for key in RANGE_KEYS if key in form]
        if ranged:
            raise FormError("takes no range: use `times`, or `to`", (ranged[0],))
        return {**form, "value": text.signed(form.get("value"), target.of.kind)}
    except FormError as error:
        raise error.under(edit.verb) from None


def _value(value: Value, change: dict[str, Any], edit: Edit) -> dict[str, Any]:
    """Return one value after a change; one of the two may have a range."""
    out: dict[str, Any] = loading.tree_of(value)
    if edit.verb == "plus":
        for key in ("value", "low", "high"):
            if key in out:
                out[key] += change["value"]
        return out
    if "low" in change and value.low is not None:
        raise FormError("has a range in the base: give the factor none", ("times",))
    if change.get("dist") == "empirical":
        raise FormError("cannot be drawn from a posterior, except of cells: use `to`", ("times",))
    centre = out["value"]
    for key in ("value", "low", "high"):
        if key in out:
            out[key] *= change["value"]
    if "low" in change:
        out |= {key: centre * change[key] for key in ("low", "high")}
        out |= {key: change[key] for key in ("dist", "choices", "uncertainty") if key in change}
    return out


def _cells_times(scenario: Scenario, tree: Map, change: dict[str, Any], edit: Edit) -> Map:
    """Return cells with one more factor."""
    del scenario
    if age_key(edit.where) and "low" in change:
        raise FormError("takes no range where ages are selected", ("times",))
    rows = [{**change, "where": edit.where}]
    if edit.where:
        known = {key: item for key, item in change.items() if key in ("source", "evidence", "origin")}
        rows.insert(0, {**known, "value": 1.0, "where": {}, "note": UNCHANGED})
    tree["terms"].append({"rows": rows})
    return tree


def _marked(node: Any) -> Any:
    """Return canonical data with their origins as marks rather than keys."""
    if isinstance(node, dict):
        items = {key: _marked(item) for key, item in node.items() if key != "origin"}
        if isinstance(node, Map):
            return node.like(items)
        origin = node.get("origin") or {"file": "", "line": 0}
        return Map(items, origin["file"], origin["line"])
    return [_marked(item) for item in node] if isinstance(node, list) else node


def _cells_plus(scenario: Scenario, tree: Map, change: dict[str, Any], edit: Edit) -> Map:
    """Return cells with an amount added to the rows of their only factor."""
    if len(tree["terms"]) > 1:
        raise FormError("is a product of several factors in the base: use `times` or `to`", ("plus",))
    term = tree["terms"][0]
    later = [row["where"] for row in term["rows"]]
    rows: list[Map] = []
    for i, row in enumerate(term["rows"]):
        if row.get("note") == REST_NOTE:
            rows.append(row)  # nobody wrote it: cells without a number stay without one
            continue
        where = _both(row["where"], edit.where)
        added = row.like(row)
        for key in ("value", "low", "high"):
            if key in row:
                added[key] = row[key] + change["value"]
        if where == row["where"]:
            rows.append(added)
            continue
        rows.append(row)
        if where is not None and where not in later[i:] and len(select_posts(scenario, where)):
            added["where"] = where
            rows.append(added)
    term["rows"] = rows
    return tree


def _both(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any] | None:
    """Return the selector of the cells that both select, or None if there are none."""
    out: dict[str, Any] = dict(one)
    for key, names in other.items():
        if key not in one:
            out[key] = names
        elif key in AGE_KEYS:
            bands = [_overlap(a, b) for a in one[key] for b in names]
            out[key] = tuple(band for band in bands if band)
        else:
            out[key] = tuple(name for name in one[key] if name in names)
        if not out[key]:
            return None
    return out


def _overlap(a: str, b: str) -> str:
    """Return the ages that two canonical ages share, or ""."""
    (low_a, high_a), (low_b, high_b) = text.age_range(a), text.age_range(b)
    low, high = max(low_a, low_b), min(high_a, high_b)
    if low > high:
        return ""
    if a.endswith("+") and b.endswith("+"):
        return f"{low}+"
    return str(low) if low == high else f"{low}-{high}"
