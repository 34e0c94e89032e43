"""Where settings of a scenario are written: its files read once more, for those that remember no line."""

from __future__ import annotations

from functools import lru_cache
from pathlib import PurePath
from typing import Any

from pharmsim.errors import PharmsimError
from pharmsim.scenario import sources
from pharmsim.scenario.lever_forms import PARTS
from pharmsim.scenario.marks import Map, Path, Seq
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.reader import Folder, read_yaml, root_of

Place = tuple[str, int]
NOWHERE: Place = ("", 0)


class Written:
    """The files of a scenario, to look up where a key stands.

    Parameters
    ----------
    scenario : Scenario
        Files that have changed since it was read, or are gone, are left aside.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.trees = [tree for name, digest in sources(scenario).items() if (tree := _tree(name, digest))]
        self._levers = [tree for tree in self.trees if "outcome" in tree]
        self._scenarios = [tree for tree in self.trees if "outcome" not in tree]

    def key(self, path: Path, name: str = "") -> Place:
        """Return file and line of a key; of the change that sets it or a part above it, if one does.

        Parameters
        ----------
        path : tuple
            Keys and positions from the top.
        name : str
            The same as a path of `changes`: ``pipelines.training.stages.theory.places``.

        Returns
        -------
        tuple of str and int
            Empty and 0 if it is written nowhere.
        """
        if name.startswith("interventions["):
            return self._intervention(name) or self._change(name) or self._exact(path)
        return self._change(name) or self._exact(path)

    def section(self, path: Path) -> Place:
        """Return file and line of the deepest part of `path` that is written."""
        for end in range(len(path), 0, -1):
            found = self._exact(path[:end])
            if found != NOWHERE:
                return found
        return NOWHERE

    def _change(self, name: str) -> Place | None:
        name = name.replace("[", ".").replace("]", "")
        for tree in self.trees:
            for entry, line in _entries(tree):
                if name and _covers(entry, name):
                    return tree.file, line
        return None

    def _intervention(self, name: str) -> Place | None:
        """Return where a key of an intervention stands: beside its `use`, or in its own file."""
        lever, _, rest = name.removeprefix("interventions[").partition("].")
        path = tuple(part for part in rest.replace("[", ".").replace("]", "").split(".") if part)
        for tree in self.trees:
            for entry, _ in _entries(tree):
                file = PurePath(str(entry.get("use", ""))).stem
                if file and str(entry.get("name") or file) == lever:
                    own = next((item for item in self._levers if PurePath(item.file).stem == file), Map())
                    named = _find(own, path[:1]) if path[0] in PARTS else None
                    return _find(entry, path) or _find(own, path) or named
        return None

    def _exact(self, path: Path) -> Place:
        return next((place for tree in self._scenarios if (place := _find(tree, path))), NOWHERE)


@lru_cache(maxsize=8)
def _tree(name: str, digest: str) -> Map | None:
    if not name.endswith((".yaml", ".yml")):
        return None
    try:
        folder = Folder(root_of(name))
        tree = read_yaml(folder, name)
    except (PharmsimError, OSError):
        return None
    return tree if folder.files.get(name) == digest else None


def _entries(tree: Map) -> list[tuple[dict[str, Any], int]]:
    """Changes of a file with their lines."""
    changes = tree.get("changes")
    if not isinstance(changes, Seq):
        return []
    pairs = zip(changes, changes.lines, strict=False)
    return [(entry, line) for entry, line in pairs if isinstance(entry, dict)]


def _covers(entry: dict[str, Any], name: str) -> bool:
    """Whether a change sets `name` or a section that holds it."""
    path = str(entry.get("set", ""))
    own, parts = path.replace("[", ".").replace("]", "").split("."), name.split(".")
    fits = all(a in ("*", b) for a, b in zip(own, parts, strict=False))
    return bool(path) and len(own) <= len(parts) and fits


def _find(tree: Any, path: Path) -> Place | None:
    """File and line of a path, if all of it is written in `tree`."""
    node, place = tree, None
    for part in path:
        if isinstance(node, Map) and str(part) in node:
            place = (node.file, node.lines[str(part)]) if str(part) in node.lines else place
            node = node[str(part)]
        elif isinstance(node, Seq) and str(part).isdigit() and int(part) < len(node):
            place = (node.file, node.lines[int(part)]) if int(part) < len(node.lines) else place
            node = node[int(part)]
        elif isinstance(node, Seq) and part in node:  # a list of names alone
            at = node.index(part)
            return (node.file, node.lines[at]) if at < len(node.lines) else place
        else:
            return None
    return place
