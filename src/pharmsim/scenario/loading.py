"""From a file or a mapping to a checked `Scenario`, and back."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from pharmsim.errors import Problem, ScenarioError
from pharmsim.scenario import lever_forms, lists, names, parts, uncertainties
from pharmsim.scenario.checks import check
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
    >>> from pharmsim.scenario import load, shipped
    >>> load(shipped("tiny.yaml")).name
    'Tiny'
    """
    name = os.fspath(path)
    folder = Folder(root_of(name))
    return load_file(os.path.normpath(name), folder, ())


def shipped(name: str) -> Path:
    """Return the path of a scenario that comes with pharmsim, such as ``tiny.yaml``.

    Parameters
    ----------
    name : str
        Path below ``scenarios/``.

    Returns
    -------
    Path
        In the installed package, or in the checkout that it runs from; need not exist.
    """
    package = Path(__file__).resolve().parents[1]
    folders = [package / "scenarios", package.parents[1] / "scenarios"]
    return next((folder / name for folder in folders if (folder / name).is_file()), folders[0] / name)


def tiny_scenario() -> Scenario:
    """Return the small teaching scenario, ``scenarios/tiny.yaml``.

    Returns
    -------
    Scenario

    Examples
    --------
    >>> tiny_scenario().start
    '2026-04'
    """
    return load(shipped("tiny.yaml"))


def load_file(name: str, folder: Folder, above: tuple[str, ...]) -> Scenario:
    """Return the scenario of a file that is the base of the files `above`, or of none."""
    found: list[Problem] = []
    tree = read_yaml(folder, name, found)
    return _of_tree(tree, Problems(tree, name, found), folder, above)


def load_all(paths: Iterable[str | os.PathLike[str]]) -> list[Scenario]:
    """Read scenario files; the problems of all of them are raised at once.

    Parameters
    ----------
    paths : iterable of path

    Returns
    -------
    list of Scenario

    Raises
    ------
    ScenarioError
        With every problem found in any file.
    """
    out, problems = [], list[Problem]()
    for path in paths:
        try:
            out.append(load(path))
        except ScenarioError as error:
            problems += error.problems
    if problems:
        raise ScenarioError(problems)
    return out


def _of_tree(tree: Map, problems: Problems, folder: Folder, above: tuple[str, ...]) -> Scenario:
    if lever_forms.is_intervention(tree):
        message = (
            "is an intervention, not a scenario: a scenario takes it with `changes: [{use: …, start: …}]`"
        )
        raise ScenarioError([Problem(problems.file, 0, "", message)])
    if "base" in tree or "changes" in tree:
        from pharmsim.scenario import changes

        return changes.apply(tree, problems, folder, above)
    scenario = validate(tree, problems, folder, partly=True)
    if scenario is not None and not problems:
        scenario = _with_joint_posts(scenario, problems, folder)
    if scenario is not None:
        check(scenario, problems)
    if problems or scenario is None:
        raise ScenarioError(problems)
    scenario._files = tuple(sorted(folder.files.items()))
    return scenario


def _with_joint_posts(scenario: Scenario, problems: Problems, folder: Folder) -> Scenario | None:
    from pharmsim.scenario import uses

    data = uses.with_joint_posts(scenario, problems.add)
    return scenario if data is None or problems else validate(data, problems, folder)


def validate(tree: Map, problems: Problems, folder: Folder, partly: bool = False) -> Scenario | None:
    """Return the scenario that a whole tree describes, section by section.

    After problems None, or, with `partly`, what can be read of it, to be checked and then refused.
    """
    declared = tree.get("post_attributes")
    attributes = tuple(str(item) for item in declared) if isinstance(declared, list | tuple) else ()
    whole = Tables(folder, attributes, problems.add).inline(tree)
    problems.tree = whole
    lists.normalise(whole, problems.add)
    lever_forms.normalise(whole, problems.add)
    uncertainties.normalise(whole, folder, problems.add)
    try:
        scenario = Scenario.model_validate(whole)
    except ValidationError as error:
        translate(error, Scenario, problems)
        found = parts.readable(whole, error, problems) if partly else None
        if not problems:  # refused, so something must be said
            problems.add((), "cannot be read")
        return names.fill(*found) if found is not None else None
    return None if problems and not partly else names.fill(scenario, whole)


def tree_of(node: Any) -> Any:
    """Return a scenario or a part of it as mappings and lists that know where they were written."""
    if isinstance(node, BaseModel):
        origin = getattr(node, "origin", None)
        items = {
            str(info.alias or name): tree_of(getattr(node, name))
            for name, info in type(node).model_fields.items()
            if name != "origin" and getattr(node, name) is not None
        }
        return Map(items, origin.file, origin.line) if origin is not None else Map(items)
    if isinstance(node, dict):
        return Map({key: tree_of(item) for key, item in node.items()})
    if isinstance(node, tuple) and not all(isinstance(item, str) for item in node):
        return Seq([tree_of(item) for item in node])
    return node


def from_dict(data: dict[str, Any], folder: str | os.PathLike[str] = ".") -> Scenario:
    """Return the scenario that plain data describe; tables are read from `folder`.

    Parameters
    ----------
    data : dict
        As YAML would give it, or as of `to_dict`.
    folder : path
        Where the tables that it names are; base files and interventions too.

    Returns
    -------
    Scenario
        Validated, resolved and frozen.

    Raises
    ------
    ScenarioError
        With every problem found.

    Examples
    --------
    >>> again = from_dict(to_dict(tiny_scenario()))
    >>> digest(again) == digest(tiny_scenario())
    True
    """
    place = os.fspath(folder)
    reads = Folder(Path(place))
    name = os.path.join(place, "scenario") if place != "." else "scenario"
    tree = _marked(data, name)
    return _of_tree(tree, Problems(tree, name), reads, ())


def _marked(node: Any, file: str) -> Any:
    """Return plain data as marked mappings and lists, with text keys."""
    if isinstance(node, dict):
        return Map({str(key): _marked(item, file) for key, item in node.items()}, file)
    if isinstance(node, list | tuple):
        return Seq([_marked(item, file) for item in node], file)
    return node


def to_dict(scenario: Scenario) -> dict[str, Any]:
    """Return the canonical plain data of a scenario: JSON types, tables as rows, defaults left out.

    Parameters
    ----------
    scenario : Scenario

    Returns
    -------
    dict
        Numbers in the units of the model (`pharmsim.quantities.KINDS`); `from_dict` reads it.
    """
    return scenario.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def digest(scenario: Scenario) -> str:
    """Return the SHA-256 of the canonical JSON of a scenario.

    Parameters
    ----------
    scenario : Scenario

    Returns
    -------
    str
        64 hexadecimal digits; the same for scenarios that say the same in other words.
    """
    text = json.dumps(to_dict(scenario), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def sources(scenario: Scenario | str | os.PathLike[str]) -> dict[str, str]:
    """Return every file that was read for a scenario, with its SHA-256.

    Parameters
    ----------
    scenario : Scenario or path
        A path is read first.

    Returns
    -------
    dict of str to str
        Empty for a scenario that was made from data.

    Raises
    ------
    ScenarioError
        If the file has problems.
    """
    if not isinstance(scenario, Scenario):
        scenario = load(scenario)
    return dict(scenario._files)
