"""Tables: ``{table: data/x.csv, value: column}`` becomes the rows of the table, with their lines.

Columns are named by what they hold: the axes and declared attributes of posts (an empty field or
``*`` means all), the value, and optionally low, high, dist, uncertainty, source, evidence, note.
``<value>_low`` … are read rather than ``low`` where the value column has another name than
``value``. Other columns are not read, unless their name is nearly that of an axis: an error.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from typing import Any

from pharmsim.scenario.forms import AGE_KEYS, ORIGIN_KEYS, RANGE_KEYS
from pharmsim.scenario.marks import Map, Path, Seq, closest, quoted
from pharmsim.scenario.reader import Folder, read_csv

POST_KEYS = ("role", "environment", "grade", "place")
AXES = (*POST_KEYS, "post", "group", "contract", *AGE_KEYS)
OWN_KEYS = ("split", "backfill_weeks", "like", "made_by")
"""Keys of a post that are neither axes nor attributes."""
OPTIONAL = (*RANGE_KEYS, *ORIGIN_KEYS)
TABLE_KEYS = ("table", "value", "unit", "range", *ORIGIN_KEYS)
Report = Callable[[Path, str], None]


def list_target(path: Path) -> str:
    """Return what a list at `path` holds: "posts", "edges", "overlaps", "routes" or ""."""
    if path == ("posts",):
        return "posts"
    if path in (("moves", "edges"), ("promotions", "edges")):
        return "edges"
    if path == ("moves", "skills_overlap"):
        return "overlaps"
    if len(path) == 3 and path[0] == "pipelines" and path[2] == "routes":
        return "routes"
    return ""


class Tables:
    """Replaces every table of a tree by its rows.

    Parameters
    ----------
    folder : Folder
        Reads the files.
    attributes : tuple of str
        Declared attributes of posts, which may be columns.
    report : callable
        Called with key path and message for every problem.
    """

    def __init__(self, folder: Folder, attributes: tuple[str, ...], report: Report) -> None:
        self.folder = folder
        self.axes = (*AXES, *attributes)
        self.attributes = attributes
        self.report = report

    def inline(self, node: Any, path: Path = ()) -> Any:
        """Return the tree with tables as rows."""
        if isinstance(node, dict):
            if isinstance(node.get("table"), str) and "rows" not in node:
                return self._read(node, path)
            changed = {key: self.inline(item, (*path, key)) for key, item in node.items()}
            return node.like(changed) if isinstance(node, Map) else changed
        if isinstance(node, list):
            items = Seq((self.inline(item, (*path, i)) for i, item in enumerate(node)))
            if isinstance(node, Seq):
                items.file, items.line, items.lines = node.file, node.line, list(node.lines)
                items.broken = node.broken
            return items
        return node

    def _read(self, node: dict[str, Any], path: Path) -> Any:
        """Return the mapping {rows, table, range, source …} of one table."""
        marked = node if isinstance(node, Map) else Map(node)
        for key in node:
            if key not in TABLE_KEYS:
                self.report((*path, key), f"unknown key.{closest(key, TABLE_KEYS)}")
        try:
            name, _ = self.folder.resolve(node["table"], marked.file)
            columns, lines = read_csv(self.folder, name)
        except ValueError as error:
            named = "" if "; got " in str(error) else f"{quoted(node['table'])} "
            self.report((*path, "table"), f"{named}{error}")
            return _broken(marked)
        rows = Seq((), name, 1)
        picker = self._picker(node, columns, path)
        if picker is None:
            return _broken(marked)
        for line, fields in lines:
            row = Map((), name, line)
            row.update(picker(dict(zip(columns, fields, strict=True)), row))
            row.lines = dict.fromkeys(row, line)
            rows.append(row)
            rows.lines.append(line)
        kept = {key: node[key] for key in ("table", "range", *ORIGIN_KEYS) if node.get(key) is not None}
        out = marked.like({"rows": rows, **kept})
        out.lines["rows"] = marked.line
        return out

    def _picker(self, node: dict[str, Any], columns: list[str], path: Path) -> Any:
        """Return the function that turns the fields of a line into a row, or None after a problem."""
        target = list_target(path)
        value = str(node.get("value", "value"))
        needed = [] if target == "posts" else [value]
        needed += ["from", "to"] if target in ("edges", "overlaps", "routes") else []
        needed += ["role", "environment"] if target == "posts" else []
        keys = ("from", "to") if target and target != "posts" else self.axes
        bad = [column for column in needed if column not in columns]
        for name in bad:
            nearest = closest(name, columns)
            self.report(path, f"the table {quoted(node['table'])} has no column `{name}`.{nearest}")
        if target == "posts":
            keys = (*keys, *OWN_KEYS)
        others = set(columns) - {*keys, *OPTIONAL, *needed} - {f"{value}_{key}" for key in OPTIONAL}
        for name in sorted(others):
            near = difflib.get_close_matches(name.lower(), keys, n=1, cutoff=0.8)
            if near:
                bad.append(name)
                self.report(
                    path, f"the table {quoted(node['table'])} has a column {quoted(name)}. Closest: {near[0]}"
                )
        if bad:
            return None
        if target == "posts":
            return lambda fields, row: {key: fields[key] for key in keys if fields.get(key)}
        unit = str(node.get("unit") or "")
        inner = {"edges": "rate", "overlaps": "share", "routes": "share"}.get(target)

        def pick(fields: dict[str, str], row: Map) -> dict[str, Any]:
            found = {"value": _with_unit(fields[value], unit)}
            for key in OPTIONAL:
                field = fields.get(f"{value}_{key}") or fields.get(key)
                if field:
                    found[key] = _with_unit(field, unit) if key in ("low", "high") else field
            if inner:
                nested = Map(found, row.file, row.line)
                nested.lines = dict.fromkeys(nested, row.line)
                return {"from": fields["from"], "to": fields["to"], inner: nested}
            where = Map({key: fields[key] for key in keys if fields.get(key)}, row.file, row.line)
            where.lines = dict.fromkeys(where, row.line)
            return {"where": where, **found}

        return pick


def _broken(node: Map) -> Map:
    new = node.like({"rows": Seq()})
    new.broken = True
    return new


def _with_unit(field: str, unit: str) -> str:
    plain = field.replace(".", "").replace(",", "").lstrip("+-").isdigit()
    return f"{field} {unit}" if unit and plain else field
