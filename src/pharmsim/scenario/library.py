"""The library of interventions: one file each, found by name, read and checked on its own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pharmsim.errors import Problem, ScenarioError
from pharmsim.scenario import loading, names
from pharmsim.scenario.fields import numbers
from pharmsim.scenario.interventions import Intervention
from pharmsim.scenario.lever_forms import is_intervention, written_out
from pharmsim.scenario.levers import conflicts
from pharmsim.scenario.marks import Map, closest, is_written, quoted
from pharmsim.scenario.problems import Problems, translate
from pharmsim.scenario.reader import Folder, read_yaml, root_of
from pharmsim.scenario.values import Value

FOLDER = "interventions"
HERE = "scenario.yaml"
"""A file in the current folder, which need not be there."""


def shipped_folder() -> Path:
    """Return the folder of the library that comes with pharmsim."""
    own = loading.shipped("tiny.yaml").parent / FOLDER
    return Path(os.path.relpath(own)) if own.is_relative_to(Path.cwd()) else own


def folders(beside: str, root: Path) -> list[Path]:
    """Return where interventions are looked for, in this order.

    The folder `interventions` beside the scenario file, those in the folders above it as far as the
    root, and the library that comes with pharmsim.
    """
    out: list[Path] = []
    folder = Path(os.path.dirname(beside))
    while folder.resolve().is_relative_to(root):
        out.append(Path(os.path.normpath(folder / FOLDER)))
        folder = folder / ".."
    return [*out, shipped_folder()]


def known(beside: str, root: Path) -> dict[str, str]:
    """Return name → file of every intervention that a scenario file can use by its name."""
    out: dict[str, str] = {}
    for folder in folders(beside, root):
        for path in sorted(folder.glob("*.yaml")):
            out.setdefault(path.stem, str(path))
    return out


def find(folder: Folder, written: Any, beside: str) -> str:
    """Return the file of an intervention that is named in the file `beside`; ValueError if there is none."""
    if isinstance(written, str) and written.endswith(".yaml"):
        return folder.resolve(written, beside)[0]
    files = known(beside, folder.root)
    if str(written) not in files:
        raise ValueError(f"no such intervention {quoted(written)}.{closest(str(written), files, 20)}")
    return files[str(written)]


def read(folder: Folder, name: str) -> Map:
    """Return what the file of an intervention says, written out; all its mistakes are raised at once."""
    found: list[Problem] = []
    tree = read_yaml(folder, name, found)
    problems = Problems(tree, name, found)
    if "name" in tree:
        problems.add(("name",), "is that of the file: leave it out")
    lever = written_out(tree.like({**tree, "name": Path(name).stem}), problems.add)
    problems.tree = lever
    try:
        model = names.fill(_model(lever), lever, (), f"{FOLDER}[{lever['name']}]")
        _grounds(model, problems)
        for path, message in conflicts(model):
            problems.add(path, message)
        _share_names(lever, model)
    except ValidationError as error:
        translate(error, Intervention, problems)
    if problems:
        raise ScenarioError(problems)
    return lever


def _share_names(lever: Map, model: Intervention) -> None:
    """Give the ranges of a file their names, in place: used twice, what is not known is the same."""
    for number in numbers(model):
        if isinstance(number.node, Value) and number.node.low is not None:
            node: Any = lever
            for part in number.path:
                node = node[part]
            node["uncertainty"] = number.node.uncertainty


def _model(lever: Map) -> Intervention:
    """Return the model of a file; it may leave the start to the scenario."""
    return Intervention.model_validate({"start": "2000-01", **lever})


def _grounds(lever: Intervention, problems: Problems) -> None:
    """Check that every number of the library says how it is known and where it is from."""
    for number in numbers(lever):
        value = number.node
        if not isinstance(value, Value) or not is_written(problems.tree, number.path):
            continue
        path = number.path
        if value.evidence == "unstated":
            message = "must state its `evidence`: published, derived, proxy or assumption"
            problems.add(path, message)
        elif value.evidence == "assumption" and value.low is None:
            problems.add(path, "is an assumption and needs a range: give low and high")
        if not value.source:
            problems.add(path, "must have a `source`: where it is from, or whose assumption it is")


def available() -> dict[str, str]:
    """Return name → file of what a scenario file in the current folder could use by its name."""
    return known(HERE, root_of(HERE))


def load(name: str) -> tuple[Intervention, str, bool]:
    """Return an intervention by its file, or by the name that a scenario in the current folder would use.

    Returns
    -------
    lever : Intervention
    file : str
        Where it stands.
    starts : bool
        Whether the file gives a start; without one, the model has January 2000.
    """
    files = available()
    if not name.endswith(".yaml") and name not in files:
        message = f"no such intervention {quoted(name)}.{closest(name, files, 30)}"
        raise ScenarioError([Problem("interventions", 0, "", message)])
    file = os.path.normpath(name) if name.endswith(".yaml") else files[name]
    tree = read(Folder(root_of(file)), file)
    return names.fill(_model(tree), tree), file, "start" in tree


def holds_one(file: str) -> bool:
    """Return whether a file that can be read holds an intervention, not a scenario."""
    try:
        return is_intervention(read_yaml(Folder(root_of(file)), file, []))
    except ScenarioError:
        return False
