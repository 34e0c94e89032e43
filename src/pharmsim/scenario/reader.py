"""From a YAML or CSV file to plain mappings and lists that know their lines.

Rule for paths: everything that a scenario reads (``base:``, ``table:``) lies below its *root*: the
outermost folder that is named ``scenarios`` or holds ``scenario.schema.json``, among the folder of
the loaded file and the three above it; without one, the folder of the file itself. Paths are
relative to the file that names them; symbolic links are followed before the check. Posteriors
(``parameters:``) may also lie in the folder ``calibration`` beside the root.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
import os
import re
import stat
from pathlib import Path
from typing import Any

from pharmsim.errors import Problem, ScenarioError
from pharmsim.scenario.marks import Map, Seq, quoted, shown, unreadable

MAX_YAML_BYTES = 2_000_000
MAX_CSV_BYTES = 10_000_000
MAX_CSV_ROWS = 200_000
MAX_NODES = 200_000
MAX_ALIASES = 100
MAX_DEPTH = 40
SCHEMA = "scenario.schema.json"
"""Marks the top of a folder tree of scenarios, and lets editors check what is typed."""
EMPTY = "is empty: a scenario needs at least a name, start, end, roles, environments, posts and stock"


class Folder:
    """Reads the files of one scenario, checks their paths and remembers what was read.

    Parameters
    ----------
    root : Path
        Folder that no path may leave.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.files: dict[str, str] = {}

    def resolve(self, written: Any, file: str, beside: str = "") -> tuple[str, Path]:
        """Return (name to show, real path) of a path written in `file`; ValueError if refused.

        `beside` names a folder beside the root that is allowed too.
        """
        if not isinstance(written, str) or not written.strip() or "\0" in written:
            raise ValueError(f"must be the path of a file; got {quoted(written)}")
        if os.path.isabs(written) or "\\" in written or (len(written) > 1 and written[1] == ":"):
            raise ValueError(f"must be a path relative to this file, with `/`; got {quoted(written)}")
        name = os.path.normpath(os.path.join(os.path.dirname(file), written))
        real = Path(name).resolve()
        tops = [self.root, *([self.root.parent / beside] if beside else ())]
        if not any(real.is_relative_to(top) for top in tops):
            named = " or ".join(quoted(top.name) for top in tops)
            raise ValueError(f"must stay inside the folder {named}; got {quoted(written)}")
        return name, real

    def read(self, name: str, limit: int) -> str:
        """Return the text of a file; ValueError in plain words if that is impossible."""
        data = self.read_bytes(name, limit)
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            raise ValueError(f"must be text in UTF-8; line {line} is not") from None

    def read_bytes(self, name: str, limit: int) -> bytes:
        """Return what a file holds; ValueError in plain words if that is impossible."""
        path = Path(name)
        try:
            if path.is_dir():
                raise ValueError("is a folder, not a file")
            found = path.stat()
            if not stat.S_ISREG(found.st_mode):
                raise ValueError("is not a regular file")
            if found.st_size > limit:
                raise ValueError(f"must be at most {limit / 1e6:g} MB; it has {found.st_size / 1e6:.1f} MB")
            data = path.read_bytes()
        except FileNotFoundError:
            raise ValueError("no such file") from None
        except OSError as error:
            raise ValueError(f"cannot be read: {error.strerror}") from None
        self.files[name] = hashlib.sha256(data).hexdigest()
        return data


def root_of(path: str) -> Path:
    """Return the folder that the scenario file at `path` may read from."""
    folder = Path(path).resolve().parent
    near = [folder, *folder.parents][:4]
    tops = (item for item in reversed(near) if item.name == "scenarios" or (item / SCHEMA).is_file())
    return next(tops, folder)


def read_yaml(folder: Folder, name: str, found: list[Problem] | None = None) -> Map:
    """Return the mapping written in a YAML file; see `parse_yaml`."""
    try:
        text = folder.read(name, MAX_YAML_BYTES)
    except ValueError as error:
        raise ScenarioError([Problem(shown(name, 200), 0, "", str(error))]) from None
    return parse_yaml(text, name, found)


def parse_yaml(text: str, name: str, found: list[Problem] | None = None) -> Map:
    """Return the mapping written in a YAML text.

    Parameters
    ----------
    text : str
    name : str
        The file, as shown in messages.
    found : list of Problem, optional
        Receives the values that cannot be read, which are then marked in the mapping; without it
        they are raised.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    def fail(line: int, message: str) -> ScenarioError:
        return ScenarioError([Problem(shown(name, 200), line, "", message)])

    if not text.strip():
        raise fail(0, EMPTY)
    yaml = YAML(typ="safe", pure=True)
    try:
        aliases = text.count("*") > MAX_ALIASES and sum(
            type(event).__name__ == "AliasEvent" for event in yaml.parse(text)
        )
        if aliases and aliases > MAX_ALIASES:
            raise fail(0, f"uses more than {MAX_ALIASES} aliases (`*name`): write the parts out")
        node = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        raise fail(line, f"is not valid YAML: {error.problem or error.context}") from None
    except (YAMLError, RecursionError, ValueError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else "nested too deeply"
        raise fail(0, f"is not valid YAML: {shown(first, 120)}") from None
    builder = _Builder(name)
    if node is None:
        raise fail(0, EMPTY)
    tree = builder.build(node, "", 0)
    if builder.problems and (found is None or builder.is_too_large or getattr(tree, "broken", False)):
        raise ScenarioError(builder.problems)
    if found is not None:
        found.extend(builder.problems)
    if not isinstance(tree, Map):
        raise fail(1, "must be a mapping such as `name: …` at the top")
    return tree


class _Builder:
    """Turns YAML nodes into plain values; duplicate keys, odd tags and non-finite numbers are problems."""

    def __init__(self, file: str) -> None:
        self.file = shown(file, 200)
        self.problems: list[Problem] = []
        self.count = 0
        self.is_too_large = False

    def problem(self, node: Any, where: str, message: str) -> None:
        self.problems.append(Problem(self.file, node.start_mark.line + 1, where, message))

    def build(self, node: Any, where: str, depth: int) -> Any:
        self.count += 1
        if self.count > MAX_NODES or depth > MAX_DEPTH:
            self.is_too_large = True
            if self.count < 2 * MAX_NODES:
                self.count = 2 * MAX_NODES
                what = f"{MAX_NODES} values" if depth <= MAX_DEPTH else f"{MAX_DEPTH} levels"
                self.problem(node, "", f"has more than {what} with its aliases (`*name`) written out")
            return None
        line = node.start_mark.line + 1
        if node.id == "mapping":
            return self._mapping(node, where, depth, Map((), self.file, line))
        if node.id == "sequence":
            items = Seq((), self.file, line)
            for i, item in enumerate(node.value):
                items.append(self.build(item, f"{where}[{i}]", depth + 1))
                items.lines.append(item.start_mark.line + 1)
            return items
        return self._scalar(node, where)

    def _mapping(self, node: Any, where: str, depth: int, items: Map) -> Map:
        for key_node, value_node in node.value:
            key = str(key_node.value) if key_node.id == "scalar" else None
            if key is None or len(key) > 200:
                self.problem(key_node, where, "keys must be short names")
                items.broken = True
                continue
            if str(key_node.tag).endswith(":merge"):
                self.problem(key_node, where, "merge keys (`<<`) are not supported: write the keys out")
                items.broken = True
                continue
            path = f"{where}.{shown(key)}" if where else shown(key)
            if key in items:
                self.problem(key_node, path, f"is written twice; first in line {items.lines[key]}")
                continue
            items[key] = self.build(value_node, path, depth + 1)
            items.lines[key] = key_node.start_mark.line + 1
        return items

    def _scalar(self, node: Any, where: str) -> Any:
        tag = str(node.tag).rsplit(":", 1)[-1]
        text = node.value
        if tag == "null":
            return None
        if tag == "bool":
            return text.lower() == "true"
        if tag in ("int", "float"):
            return self._number(node, where, text.replace("_", ""))
        if tag in ("str", "timestamp"):
            return text
        self.problem(node, where, f"has a tag that is not supported: {quoted(tag)}")
        return unreadable(self.file, node.start_mark.line + 1)

    def _number(self, node: Any, where: str, text: str) -> Any:
        if text.lstrip("+-").isdigit() and len(text) < 300:
            return int(text)
        try:
            value = float(re.sub(r"\.(?=[a-zA-Z])", "", text))  # .nan and .inf
        except ValueError:
            return node.value
        if not math.isfinite(value):
            self.problem(node, where, f"must be a finite number; got {quoted(node.value)}")
            return unreadable(self.file, node.start_mark.line + 1)
        return value


def read_csv(folder: Folder, name: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return (columns, [(line, fields)]) of a CSV file; see `parse_csv`."""
    return parse_csv(folder.read(name, MAX_CSV_BYTES))


def parse_csv(text: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return (columns, [(line, fields)]) of a CSV text; lines that start with ``#`` are comments.

    Raises
    ------
    ValueError
        If the text cannot be read as a table, in plain words.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    columns: list[str] = []
    rows: list[tuple[int, list[str]]] = []
    try:
        for fields in reader:
            fields = [field.strip() for field in fields]
            if not any(fields) or fields[0].startswith("#"):
                continue
            if not columns:
                columns = fields
                continue
            if len(fields) != len(columns):
                found = f"line {reader.line_num} has {len(fields)} fields"
                raise ValueError(f"{found}; the heading has {len(columns)}")
            if len(rows) == MAX_CSV_ROWS:
                raise ValueError(
                    f"must have at most {MAX_CSV_ROWS:,} rows; line {reader.line_num} is one more"
                )
            rows.append((reader.line_num, fields))
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num} is not valid CSV: {error}") from None
    if not columns:
        raise ValueError("is empty: it needs a heading and rows")
    twice = sorted({column for column in columns if columns.count(column) > 1})
    if twice:
        raise ValueError(f"has the column {quoted(twice[0])} twice")
    if not rows:
        raise ValueError("has a heading and no rows")
    return columns, rows
