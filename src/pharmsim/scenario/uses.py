"""A change written as ``use: NAME``: an intervention of the library, and where, how many and when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from pharmsim.errors import ScenarioError
from pharmsim.scenario import joint_posts, library, loading, text
from pharmsim.scenario.interventions import Costs, Intervention
from pharmsim.scenario.lever_forms import PARTS, VERBS, valued, written_out
from pharmsim.scenario.levers import conflicts
from pharmsim.scenario.marks import Map, Path, closest, is_written, quoted
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.problems import Problems, translate
from pharmsim.scenario.reader import Folder
from pharmsim.scenario.small_forms import where_form
from pharmsim.scenario.tables import Report
from pharmsim.scenario.text import FormError

INSTEAD = ("groups", "ages", "start", "ramp", "end", "half_life")
"""Keys that stand instead of those of the library's file."""
USE_KEYS = ("use", "name", "where", *INSTEAD, "uptake", "effects", "costs", "note")


class _Used(Problems):
    """Problems of an intervention as it is used, told at the keys of the `use`."""

    def __init__(self, lever: Map, problems: Problems, at: Path) -> None:
        super().__init__(lever, problems.file)
        self.problems, self.at = problems, at

    def add(self, path: Path, message: str, origin: Any = None) -> None:
        if len(path) > 1 and path[0] in PARTS and isinstance(path[1], int):
            part = self.tree[path[0]][path[1]]["name"]
            path = ("effects", part, *path[3:])
        if path[-1:] == ("value",) and not is_written(self.problems.tree, (*self.at, *path)):
            path = path[:-1]  # a number that stands alone
        self.problems.add((*self.at, *path), message, origin)


def with_joint_posts(scenario: Scenario, report: Report) -> Map | None:
    """Return the tree of a scenario with the posts that its interventions make; None if it has them."""
    there = {post.made_by for post in scenario.posts}
    numbers = [
        i
        for i, lever in enumerate(scenario.interventions)
        if lever.posts is not None and lever.name not in there
    ]
    if not numbers:
        return None
    data: Map = loading.tree_of(scenario)
    for i in sorted(numbers, key=lambda i: scenario.interventions[i].name):
        try:
            joint_posts.add(data, scenario, scenario.interventions[i])
        except FormError as error:
            for path, message in error.issues:
                report(("interventions", i, *path), message)
    return data


def read(entry: Map, at: Path, scenario: Scenario, problems: Problems, folder: Folder) -> Map | None:
    """Return the tree of the intervention that an entry of `changes` uses.

    Parameters
    ----------
    entry : Map
        ``use: NAME`` and what stands beside it.
    at : tuple
        Its key path.
    scenario : Scenario
        As the changes before have made it.
    problems : Problems
        Receives what is found; the result is then None.
    folder : Folder
        Reads the file of the intervention.
    """
    before = len(problems)
    for key in entry:
        if key not in USE_KEYS:
            problems.add((*at, key), f"unknown key.{closest(key, USE_KEYS)}")
        elif entry[key] is None:
            problems.add((*at, key), "is empty: write a value, or leave it out")
    try:
        file = library.find(folder, entry["use"], problems.file)
        found = library.read(folder, file)
    except ValueError as error:
        problems.add((*at, "use"), str(error))
        return None
    except ScenarioError as error:
        problems.extend(error.problems)
        return None
    lever = _merged(found, entry, lambda path, message: problems.add((*at, *path), message))
    if any(item.name == lever["name"] for item in scenario.interventions):
        message = f"{quoted(lever['name'])} is used already: give this one a `name` of its own"
        problems.add((*at, "name" if "name" in entry else "use"), message)
    used = _Used(lever, problems, at)
    lever = written_out(lever, used.add)
    try:  # a start that is missing has been told
        model = Intervention.model_validate({"start": "2000-01", **lever})
    except ValidationError as error:
        translate(error, Intervention, used)
    else:
        for path, message in conflicts(model, "where"):
            used.add(path, message)
    return lever if len(problems) == before else None


def _merged(found: Map, entry: Map, report: Report) -> Map:
    """Return the intervention of a file with what the scenario says of it."""
    lever = found.like(found)
    lever["origin"] = {"file": entry.file, "line": entry.line}
    lever |= {key: entry[key] for key in INSTEAD if entry.get(key) is not None}
    if "start" not in {**lever, **entry}:
        report((), "needs a `start`: the month in which it begins, such as `start: April 2027`")
    if "half_life" in entry and "end" not in {**lever, **entry}:
        report(
            ("half_life",), "says how the effect goes on after the `end`, and there is none: give an `end`"
        )
    try:
        if entry.get("name") is not None:
            lever["name"] = text.name(entry["name"])
    except FormError as error:
        report(("name",), str(error))
    try:
        lever["reach"] = _both(where_form(found.get("reach")), where_form(entry.get("where")))
    except FormError as error:
        for path, message in error.under("where").issues:
            report(path, message)
    if entry.get("uptake") is not None:
        lever["uptake"] = _chosen(entry, "uptake")
    if entry.get("note") is not None:
        uptake = valued(lever, "uptake") if "uptake" in lever else Map({"value": 1.0}, entry.file, entry.line)
        lever["uptake"] = uptake.like({"note": entry["note"], **uptake})
    _numbers(lever, entry, report)
    return lever


def _both(reach: Mapping[str, tuple[str, ...]], where: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """Return the selector of the posts that two selectors mean."""
    out = {**where, **reach}
    for axis in set(where) & set(reach):
        out[axis] = tuple(item for item in reach[axis] if item in where[axis])
        if not out[axis]:
            only = ", ".join(reach[axis])
            message = f"selects no post that the intervention reaches: it is for {only} only"
            raise FormError(message, (axis,))
    return out


def _numbers(lever: Map, entry: Map, report: Report) -> None:
    """Put the numbers of a scenario instead of those of the file, in place."""
    parts = {part["name"]: (section, i) for section in PARTS for i, part in enumerate(lever.get(section, ()))}
    for key, of in (("effects", parts), ("costs", Costs.model_fields)):
        written = entry.get(key)
        if written is None:
            continue
        if not isinstance(written, Map):
            report((key,), f"must be a mapping of names and numbers; got {quoted(written)}")
            continue
        for name in written:
            if name not in of:
                report((key, name), f"the intervention has no such number.{closest(name, of, 20)}")
            elif key == "costs":
                costs = lever.get(key) or Map()
                lever[key] = costs.like({**costs, name: _chosen(written, name)})
            else:
                section, i = parts[name]
                part = lever[section][i]
                effect = section == "effects"
                verb = next(v for v in VERBS if part.get(v) is not None) if effect else "share"
                new = part.like({**part, verb: _chosen(written, name)})
                lever[section] = _replaced(lever[section], i, new)


def _chosen(node: Map, key: str) -> Map:
    """Return a number that a scenario chooses: its own assumption, unless it says otherwise."""
    number = valued(node, key)
    own = {} if "evidence" in number else {"evidence": "assumption", "source": "assumption of the scenario"}
    return number.like({**own, **number})


def _replaced(items: Any, i: int, new: Map) -> Any:
    out = type(items)(items)
    out.file, out.line, out.lines = items.file, items.line, items.lines
    out[i] = new
    return out
