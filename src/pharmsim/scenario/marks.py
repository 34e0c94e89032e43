"""Where things are written: mappings and lists that remember their file and lines."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

Path = tuple[str | int, ...]


class Map(dict[str, Any]):
    """A mapping read from a file, with the line of every key."""

    def __init__(self, items: Any = (), file: str = "", line: int = 0) -> None:
        super().__init__(items)
        self.file = file
        self.line = line
        self.lines: dict[str, int] = {}
        self.broken = False  # stands for something that cannot be read, which has been said

    def like(self, items: Any) -> Map:
        """Return other items written at the same place."""
        new = Map(items, self.file, self.line)
        new.lines = {key: self.lines[key] for key in new if key in self.lines}
        new.broken = self.broken
        return new


class Seq(list[Any]):
    """A list read from a file, with the line of every item."""

    def __init__(self, items: Any = (), file: str = "", line: int = 0) -> None:
        super().__init__(items)
        self.file = file
        self.line = line
        self.lines: list[int] = []
        self.broken = False


def unreadable(file: str = "", line: int = 0) -> Map:
    """Return what stands for a value that cannot be read, which has been said."""
    new = Map({"": ""}, file, line)
    new.broken = True
    return new


def holds_broken(node: Any) -> bool:
    """Return whether anything in a node cannot be read."""
    if getattr(node, "broken", False):
        return True
    items = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return any(holds_broken(item) for item in items)


def place(node: Any) -> tuple[str, int] | None:
    """Return file and line of a node, if it knows them."""
    return (node.file, node.line) if isinstance(node, Map | Seq) and node.file else None


def locate(tree: Any, path: Sequence[str | int]) -> tuple[str, int]:
    """Return file and line of the deepest part of `path` that is written in `tree`."""
    best = place(tree) or ("", 0)
    node = tree
    for part in path:
        if isinstance(node, dict):
            part = str(part)
            known = False
            if isinstance(node, Map) and node.file and part in node.lines:
                best, known = (node.file, node.lines[part]), True
            if part not in node:
                continue  # a name that the short form leaves out
            node = node[part]
        elif isinstance(node, list) and isinstance(part, int) and part < len(node):
            known = False
            if isinstance(node, Seq) and node.file and part < len(node.lines):
                best, known = (node.file, node.lines[part]), True
            node = node[part]
        else:
            break
        if isinstance(node, Map) and node.file and (node.file != best[0] or not known):
            best = (node.file, node.line)
    return best


def is_broken(tree: Any, path: Sequence[str | int]) -> bool:
    """Return whether `path` lies in something that cannot be read."""
    node = tree
    for part in (*path, None):
        if getattr(node, "broken", False):
            return True
        if isinstance(node, dict):
            node = node.get(str(part), node)
        elif isinstance(node, list) and isinstance(part, int) and part < len(node):
            node = node[part]
    return False


def is_written(tree: Any, path: Sequence[str | int]) -> bool:
    """Return whether there is something at `path`."""
    node = tree
    for part in path:
        if isinstance(node, dict) and str(part) in node:
            node = node[str(part)]
        elif isinstance(node, list) and isinstance(part, int) and part < len(node):
            node = node[part]
        else:
            return False
    return True


def dotted(path: Iterable[str | int]) -> str:
    """Return a key path in the form ``moves.edges[3].rate``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else shown(part, 80)
    return text


def shown(written: Any, width: int = 60) -> str:
    """Return what was written, safe to print: control characters escaped, long text cut."""
    if isinstance(written, bool):
        return "true" if written else "false"
    if written is None:
        return "nothing"
    if isinstance(written, float):
        return f"{written:g}"
    if isinstance(written, dict):
        return "a mapping"
    if isinstance(written, list | tuple):
        return "a list"
    letters = (ch if ch.isprintable() else ch.encode("unicode_escape").decode() for ch in str(written)[:400])
    text = "".join(letters)
    return text if len(text) <= width else text[: width - 1] + "…"


def quoted(written: Any) -> str:
    """Return a name or text for a message, in backticks; numbers and shapes plain."""
    is_text = isinstance(written, str) and not written.replace(".", "", 1).lstrip("+-").isdigit()
    return f"`{shown(written)}`" if is_text else shown(written)


def closest(name: str, known: Iterable[str], all_below: int = 8) -> str:
    """Return `` Closest: x`` or the list of what exists, to end a message about an unknown name."""
    names = [str(item) for item in known]
    match = difflib.get_close_matches(str(name), names, n=1, cutoff=0.5)
    if match:
        return f" Closest: {shown(match[0])}"
    if names and len(names) <= all_below:
        return f" Known: {', '.join(shown(item) for item in names)}"
    return ""
