"""From a file or a mapping to a checked `Scenario`, and back."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pharmsim.errors import ScenarioError
from pharmsim.scenario import lists, names
from pharmsim.scenario.marks import Map, Seq
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.problems import Problems, translate
from pharmsim.scenario.reader import Folder, read_yaml, root_of
from pharmsim.scenario.tables import Tables


def load(path: str | os.PathLike[str]) -> Scenario:
    """Read a scenario file: a whole scenario, or a base and changes.

    Parameters
    ----------
    path : path
        A YAML file.

    Returns
    -------
    Scenario
        Validated, resolved and frozen.

    Raises
    ------
    ScenarioError
        With every problem found, its file and line.

    Examples
    --------
    >>> import pharmsim.scenario
    >>> pharmsim.scenario.load("scenarios/tiny.yaml").name
    'Tiny'
    """
    name = os.fspath(path)
    folder = Folder(root_of(name))
    return _load(name, folder, ())


def _load(name: str, folder: Folder, above: tuple[str, ...]) -> Scenario:
    tree = read_yaml(folder, name)
    if "base" in tree or "changes" in tree:
        from pharmsim.scenario import changes

        return changes.apply(tree, name, folder, above, _load)
    return build(tree, name, folder)


def build(tree: Map, name: str, folder: Folder, attributes: tuple[str, ...] = ()) -> Scenario:
    """Return the checked scenario that a tree describes (no base, no changes)."""
    problems = Problems(tree, name)
    declared = tree.get("post_attributes")
    if isinstance(declared, list):
        attributes = (*attributes, *(str(item) for item in declared))
    whole = Tables(folder, attributes, problems.add).inline(tree)
    problems.tree = whole
    lists.normalise(whole, problems.add)
    scenario = None
    try:
        scenario = Scenario.model_validate(whole)
    except ValidationError as error:
        translate(error, Scenario, problems)
    if problems or scenario is None:
        raise ScenarioError(problems)
    scenario = names.fill(scenario, whole)
    from pharmsim.scenario import checks

    checks.check(scenario, problems)
    if problems:
        raise ScenarioError(problems)
    scenario._files = tuple(sorted(folder.files.items()))
    return scenario


def from_dict(data: dict[str, Any], folder: str | os.PathLike[str] = ".") -> Scenario:
    """Return the scenario that plain data describe; tables are read from `folder`."""
    place = os.fspath(folder)
    reads = Folder(Path(place))
    name = os.path.join(place, "scenario") if place != "." else "scenario"
    tree = _marked(data, name)
    if "base" in tree or "changes" in tree:
        from pharmsim.scenario import changes

        return changes.apply(tree, name, reads, (), _load)
    return build(tree, name, reads)


def _marked(node: Any, file: str) -> Any:
    """Return plain data as marked mappings and lists, with text keys."""
    if isinstance(node, dict):
        return Map({str(key): _marked(item, file) for key, item in node.items()}, file)
    if isinstance(node, list | tuple):
        return Seq([_marked(item, file) for item in node], file)
    return node


def to_dict(scenario: Scenario) -> dict[str, Any]:
    """Return the canonical plain data of a scenario: JSON types, tables as rows, defaults left out."""
    return scenario.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def digest(scenario: Scenario) -> str:
    """Return the SHA-256 of the canonical JSON of a scenario."""
    text = json.dumps(to_dict(scenario), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def sources(scenario: Scenario | str | os.PathLike[str]) -> dict[str, str]:
    """Return every file that was read for a scenario, with its SHA-256."""
    if not isinstance(scenario, Scenario):
        scenario = load(scenario)
    return dict(scenario._files)
