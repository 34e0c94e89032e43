"""A scenario as a base and a list of changes.

Every entry of `changes` is read by the reader that one of its keys names (`_READERS`): ``set`` with one of
``to``, ``times`` and ``plus`` touches only what exists in the base; ``use`` takes an intervention.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from pharmsim.errors import Problem, ScenarioError
from pharmsim.scenario import loading, uses
from pharmsim.scenario.checks.uncertainties import fitted, set_anew
from pharmsim.scenario.edits import Edit, edited
from pharmsim.scenario.forms import RANGE_KEYS
from pharmsim.scenario.marks import Map, Path, Seq, closest, dotted, holds_broken, locate, place, quoted
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.paths import Target, targets
from pharmsim.scenario.problems import Problems
from pharmsim.scenario.reader import MAX_YAML_BYTES, Folder
from pharmsim.scenario.small_forms import where_form
from pharmsim.scenario.tables import Tables
from pharmsim.scenario.text import FormError

OWN_KEYS = ("base", "name", "description", "start", "end", "step", "parameters", "warnings_off", "changes")
MAX_BASES = 10


@dataclass
class _Work:
    """A scenario while its changes are made."""

    scenario: Scenario
    tree: Map
    problems: Problems
    folder: Folder
    touched: list[tuple[Path, int]]


def apply(tree: Map, problems: Problems, folder: Folder, above: tuple[str, ...]) -> Scenario:
    """Return the scenario that a base and its changes describe.

    Parameters
    ----------
    tree : Map
        What the file says: ``base``, ``name`` …, ``changes``.
    problems : Problems
        Of the file, with what the reader found.
    folder : Folder
        Reads the base.
    above : tuple of str
        Files whose base this is, outermost first.
    """
    name = problems.file
    base = _base(tree, name, folder, above, problems)
    for key in tree:
        if key in Scenario.model_fields and key not in OWN_KEYS:
            how = "{use: …}" if key == "interventions" else f"{{set: {key}…, to: …}}"
            message = f"cannot be given beside `base`: change it with `changes: [{how}]`"
            problems.add((key,), message)
        elif key not in OWN_KEYS:
            problems.add((key,), f"unknown key.{closest(key, OWN_KEYS)}")
    if "name" not in tree:
        problems.add((), "needs a `name` of its own")
    if base is None:
        raise ScenarioError(problems)
    whole = Tables(folder, base.post_attributes, problems.add).inline(tree)
    problems.tree = whole
    work = _Work(base, whole, problems, folder, [])
    _head(work, base)
    entries = whole.get("changes") or []
    if not isinstance(entries, list):
        problems.add(("changes",), f"must be a list of changes; got {quoted(entries)}")
        entries = []
    for i, entry in enumerate(entries):
        _change(work, entry, i)
    if not problems:
        _joint_posts(work)
    if problems:
        raise ScenarioError(problems)
    return _checked(work, name)


def _base(
    tree: Map, name: str, folder: Folder, above: tuple[str, ...], problems: Problems
) -> Scenario | None:
    """Return the loaded base, or None after adding the problem."""
    if "base" not in tree:
        problems.add(("changes",), "needs a `base`: the scenario file to be changed")
        return None
    try:
        path, _ = folder.resolve(tree["base"], name)
    except ValueError as error:
        problems.add(("base",), str(error))
        return None
    chain = (*above, name)
    if path in chain:
        loop = " → ".join((*chain[chain.index(path) :], path))
        problems.add(("base",), f"is a loop: {loop}")
        return None
    if len(chain) > MAX_BASES:
        problems.add(("base",), f"must rest on at most {MAX_BASES} bases, one on the other")
        return None
    try:
        folder.read(path, MAX_YAML_BYTES)
    except ValueError as error:
        problems.add(("base",), f"{quoted(tree['base'])} {error}")
        return None
    try:
        return loading.load_file(path, folder, chain)
    except ScenarioError as error:
        problems.extend(error.problems)
        return None


def _head(work: _Work, base: Scenario) -> None:
    """Put the name, the dates, the parameters and the digest of the base into the scenario."""
    data = work.tree.like(loading.tree_of(base))
    data["description"] = ""
    for key in OWN_KEYS:
        if key in work.tree and key not in ("base", "changes"):
            data[key] = work.tree[key]
    section = data.get("uncertainties")
    if "parameters" in work.tree and isinstance(section, dict):  # instead of those of the base
        section["posteriors"] = [one for one in section.get("posteriors") or () if not one.get("ranges")]
    data.lines = {"parameters": work.tree.lines.get("parameters", 0)}  # the others are those of the base
    data["base_digest"] = loading.digest(base)
    _take(work, data, ())
    section = work.scenario.uncertainties
    for posterior in section.posteriors if section is not None else ():
        if posterior.ranges and posterior.file not in base.parameters:
            fitted(work.scenario, work.problems, posterior)


def _take(work: _Work, data: Map, at: Path) -> None:
    """Make the edited data the scenario of the work; problems are those of the change at `at`."""
    found = Problems(data, work.problems.file)
    scenario = loading.validate(data, found, work.folder)
    if found or scenario is None:
        for problem in found:
            prefix = f"{problem.where}: " if problem.where and at else ""
            work.problems.add(at or (problem.where,), prefix + problem.message)
        return
    work.scenario = scenario


def _change(work: _Work, entry: Any, i: int) -> None:
    at: Path = ("changes", i)
    if holds_broken(entry):
        return  # which has been said
    if not isinstance(entry, dict):
        work.problems.add(at, f"must be a change such as {{set: …, times: 1.1}}; got {quoted(entry)}")
        return
    reader = next((_READERS[key] for key in entry if key in _READERS), None)
    if reader is None:
        found = ", ".join(quoted(key) for key in entry) or "nothing"
        work.problems.add(
            at,
            "must say what to `set`, or which intervention to `use`; "
            f"got {found}.{closest(next(iter(entry), ''), (*_SET_KEYS, *uses.USE_KEYS))}",
        )
        return
    reader(work, entry, i)


_SET_KEYS = ("set", "to", "times", "plus", "where", *RANGE_KEYS, "source", "evidence", "note")


def _set(work: _Work, entry: dict[str, Any], i: int) -> None:
    """Make a change written as ``set: path`` with ``to``, ``times`` or ``plus``."""
    at: Path = ("changes", i)
    before = len(work.problems)
    for key in entry:
        if key not in _SET_KEYS:
            work.problems.add((*at, key), f"unknown key.{closest(key, _SET_KEYS)}")
    verbs = [verb for verb in ("to", "times", "plus") if verb in entry]
    if len(verbs) != 1 and len(work.problems) == before:
        work.problems.add(at, "must have exactly one of `to`, `times` and `plus`")
    if len(work.problems) > before:
        return
    try:
        where = _where(entry, at, work)
        found = targets(work.scenario, str(entry["set"]), whole=_is_whole(entry))
    except FormError as error:
        for path, message in error.issues:
            work.problems.add((*at, *(path or ("set",))), message)
        return
    edit = Edit(verbs[0], _form(entry, verbs[0]), where, name=f"{_slug(work.scenario.name)}.changes[{i}]")
    data = loading.tree_of(work.scenario)
    if _edit_all(work, data, found, edit, at):
        base = work.scenario
        _take(work, data, at)
        work.touched.extend((target.path, i) for target in found)
        if edit.verb == "to":
            for message in set_anew(base, work.scenario):
                work.problems.add((*at, "to"), message)


def _use(work: _Work, entry: dict[str, Any], i: int) -> None:
    """Add an intervention of the library, written as ``use: name``."""
    at: Path = ("changes", i)
    tree = uses.read(
        entry if isinstance(entry, Map) else Map(entry), at, work.scenario, work.problems, work.folder
    )
    if tree is None:
        return
    data = loading.tree_of(work.scenario)
    data["interventions"] = Seq([*data["interventions"], tree])
    before = len(work.problems)
    _take(work, data, at)
    if len(work.problems) == before:
        work.touched.append((("interventions", len(work.scenario.interventions) - 1), i))


def _joint_posts(work: _Work) -> None:
    """Make the posts of interventions once all changes have been made, so that their order is none."""

    def report(path: Path, message: str) -> None:
        i = _blamed(dotted(path), work.touched)
        work.problems.add(("changes", *(() if i is None else (i, *path[2:]))), message)

    data = uses.with_joint_posts(work.scenario, report)
    if data is not None and not work.problems:
        _take(work, data, ("changes",))


def _is_whole(entry: dict[str, Any]) -> bool:
    """Return whether a section is to be replaced as a whole, rather than the rates in it."""
    written = entry.get("to")
    return isinstance(written, list) or (isinstance(written, dict) and "value" not in written)


def _where(entry: dict[str, Any], at: Path, work: _Work) -> dict[str, Any]:
    written = entry.get("where")
    if isinstance(written, dict) and ("from" in written or "to" in written):
        ends = {}
        for end, names in written.items():
            if end not in ("from", "to"):
                raise FormError(f"unknown key.{closest(end, ('from', 'to'))}", ("where", end))
            ends[end] = where_form(names if isinstance(names, dict) else {"post": names})
        return ends
    try:
        return where_form(written)
    except FormError as error:
        raise error.under("where") from None


def _form(entry: dict[str, Any], verb: str) -> Any:
    """Return the form of the number: the mapping under the verb, or the verb with the keys beside it."""
    written = entry[verb]
    if isinstance(written, dict | list):
        return written
    beside = {key: entry[key] for key in (*RANGE_KEYS, "source", "evidence", "note") if key in entry}
    file, line = place(entry) or ("", 0)
    return Map({"value": written, **beside}, file, line) if beside or file else written


def _slug(name: str) -> str:
    return "_".join("".join(ch if ch.isalnum() else " " for ch in name.lower()).split())[:40]


def _edit_all(work: _Work, data: Map, found: list[Target], edit: Edit, at: Path) -> bool:
    """Edit every target in `data`; return whether all could be, and at least one was."""
    before, changed = len(work.problems), 0
    for target in found:
        try:
            new = edited(work.scenario, target, edit)
        except FormError as error:
            for path, message in error.issues:
                name = dotted(target.path)
                work.problems.add((*at, *path), message if len(found) == 1 else f"{name}: {message}")
            continue
        if new is not None:
            changed += 1
            _put(data, target.path, new)
    if not changed and len(work.problems) == before:
        work.problems.add((*at, "where"), "selects nothing of what is set")
    return len(work.problems) == before


def _put(data: Any, path: Path, new: Any) -> None:
    for part in path[:-1]:
        data = data[part]
    data[path[-1]] = new


def _checked(work: _Work, name: str) -> Scenario:
    """Return the changed scenario after all checks; problems are shown at the change that made them."""
    found = Problems(Map(), name)
    loading.check(work.scenario, found)
    if found:
        moved = []
        for problem in found:
            i = _blamed(problem.where, work.touched)
            line = locate(work.tree, ("changes", i) if i is not None else ("changes",))[1]
            where = f"changes[{i}]" if i is not None else "changes"
            text = f"after the changes, {problem.where}: {problem.message}"
            moved.append(Problem(name, line, where, text))
        raise ScenarioError(moved)
    work.scenario._files = tuple(sorted(work.folder.files.items()))
    return work.scenario


def _blamed(where: str, touched: list[tuple[Path, int]]) -> int | None:
    """Return the number of the last change that touched what is nearest to a key path."""
    best, found = 0, None
    for path, i in touched:
        pairs = zip(_parts(where), _parts(dotted(path)), strict=False)
        common = len(list(takewhile(lambda pair: pair[0] == pair[1], pairs)))
        if common and common >= best:
            best, found = common, i
    return found


def _parts(where: str) -> list[str]:
    return where.replace("[", ".[").split(".")


_READERS: dict[str, Callable[[_Work, dict[str, Any], int], None]] = {"set": _set, "use": _use}
