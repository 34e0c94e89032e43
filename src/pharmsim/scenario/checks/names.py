"""Names: every role, environment, post, group … that is named somewhere exists."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from pharmsim.scenario.expand import select_posts
from pharmsim.scenario.fields import fields_of, numbers, row_path
from pharmsim.scenario.marks import Path, closest, quoted
from pharmsim.scenario.models import Post, Scenario
from pharmsim.scenario.problems import Problems
from pharmsim.scenario.small_forms import AGE_KEYS
from pharmsim.scenario.text import age_range
from pharmsim.scenario.training import InternalPipeline
from pharmsim.scenario.values import Cells, Of, Row, Series, Term, Value

POST_KEYS = ("role", "environment", "grade", "place")
MAX_TOLD = 20
"""Rows of one block that are told to be wrong one by one."""


def check(scenario: Scenario, problems: Problems) -> None:
    """Check every selector and every reference by name."""
    for number in numbers(scenario):
        if isinstance(number.node, Cells):
            for i, term in enumerate(number.node.terms):
                _term(scenario, problems, number.path, term, number.of, i)
    _selectors(scenario, problems)
    _references(scenario, problems)


def known(scenario: Scenario, axis: str) -> list[str]:
    """Return the names that exist on an axis or as values of an attribute of posts."""
    if axis == "post":
        return [post.post for post in scenario.posts]
    if axis in (*POST_KEYS, "group", "contract"):
        return list(getattr(scenario, f"{axis}s"))
    return sorted({post.attributes[axis] for post in scenario.posts if axis in post.attributes})


def sound_posts(scenario: Scenario, problems: Problems) -> Scenario:
    """Check the posts; return the scenario with those that are sound.

    Axes whose names are not all known are noted in `problems.unsure`.
    """
    unsure = {axis for axis in (*POST_KEYS, "group", "contract") if problems.lacks(f"{axis}s")}
    sound = _posts(scenario, problems, unsure)
    if problems.lacks("post_attributes"):
        unsure |= {name for post in scenario.posts for name in post.attributes}
    if problems.lacks("posts") or len(sound) < len(scenario.posts):
        unsure |= {"post", *scenario.post_attributes}
    problems.unsure = unsure
    gone = problems.lacks("posts") and [post.post for post in scenario.posts] == ["?"]
    return scenario.model_copy(update={"posts": () if gone else tuple(sound)})


def _posts(scenario: Scenario, problems: Problems, unsure: set[str]) -> list[Post]:
    """Check every post; return those that are sound."""
    sound: dict[str, Post] = {}
    said: set[Any] = set()
    for i, post in enumerate(scenario.posts):
        bad: list[tuple[Path, str]] = []
        for axis in POST_KEYS:
            written, names = getattr(post, axis), known(scenario, axis)
            if (written or axis in ("role", "environment")) and axis not in unsure and written not in names:
                bad.append(
                    (("posts", i, axis), f"no such {axis} {quoted(written)}.{closest(written, names)}")
                )
        for name in post.split if "environment" not in unsure else ():
            if name not in scenario.environments:
                near = closest(name, scenario.environments)
                bad.append((("posts", i, "split", name), f"no such environment {quoted(name)}.{near}"))
        if post.backfill_weeks and not post.split and not problems.touches(("posts", i, "split")):
            message = "needs a `split`: backfill is for people who begin in a joint or rotational post"
            bad.append((("posts", i, "backfill_weeks"), message))
        for name in post.attributes:
            if name not in scenario.post_attributes and not problems.lacks("post_attributes"):
                near = closest(name, [*POST_KEYS, "post", *scenario.post_attributes])
                message = f"no such attribute of posts.{near} (declare attributes in `post_attributes`)"
                bad.append((("posts", i, name), message))
        if post.post in sound:
            bad.append((("posts", i), f"the post {quoted(post.post)} is given twice"))
        elif not bad:
            sound[post.post] = post
        for path, message in bad:
            if post.origin is None or (post.origin, path[2:], message) not in said:
                problems.add(path, message, post.origin)
            said.add((post.origin, path[2:], message))  # one entry may describe several posts
    _attributes(scenario, problems)
    return list(sound.values())


def _attributes(scenario: Scenario, problems: Problems) -> None:
    for axis in (*POST_KEYS, "post", "group", "contract", *AGE_KEYS):
        if axis in scenario.post_attributes:
            problems.add(("post_attributes",), f"{quoted(axis)} is an axis and cannot be an attribute")


def selector(
    scenario: Scenario,
    where: Mapping[str, Iterable[str]],
    by: Iterable[str],
    report: Any,
    unsure: Collection[str] = (),
) -> bool:
    """Check one selector: `report(key, message)` is called for every problem; return whether it is sound.

    On axes that are `unsure`, names that are not known are let pass.
    """
    by = tuple(by)
    allowed = [axis for axis in ("group", "contract") if axis in by] + (list(AGE_KEYS) if "age" in by else [])
    if "post" in by:
        allowed = [*POST_KEYS, "post", *scenario.post_attributes, *allowed]
    sound = True
    for axis, written in where.items():
        if axis not in allowed:
            everything = (*POST_KEYS, "post", "group", "contract", *AGE_KEYS, *scenario.post_attributes)
            what = f"does not depend on `{axis}` here" if axis in everything else "unknown key"
            report(axis, f"{what}.{closest(axis, allowed, 12)}")
            sound = False
        elif axis not in AGE_KEYS and axis not in unsure:
            names = known(scenario, axis)
            for name in written:
                if name not in names:
                    report(axis, f"no such {axis} {quoted(name)}.{closest(name, names)}")
                    sound = False
    if sound and not unsure and "post" in by and not len(select_posts(scenario, dict(where))):  # type: ignore[arg-type]
        report("", "selects no post: no post has all of these")
        sound = False
    return sound


def _term(scenario: Scenario, problems: Problems, path: Path, term: Term, of: Of, index: int) -> None:
    seen: dict[Any, int] = {}
    told = 0
    for i, row in enumerate(term.rows):
        at = row_path(path, term, i, index)

        def report(key: str, message: str, row: Row = row, at: Path = at) -> None:
            nonlocal told
            told += 1
            problems.add((*at, "where", key) if key else (*at, "where"), message, row.origin)

        selector(scenario, row.where, of.by, report, problems.unsure)
        _ages(scenario, problems, row, report)
        name = tuple(sorted((key, tuple(sorted(names))) for key, names in row.where.items()))
        if name in seen and of.over != "age":
            first = term.rows[seen[name]].origin
            line = f" (first in line {first.line})" if first is not None and first.line else ""
            report("", f"two rows select the same{line}: remove one")
        seen.setdefault(name, i)
        if told >= MAX_TOLD and i + 1 < len(term.rows):
            message = f"{told} of its first {i + 1:,} rows are wrong: the other rows have not been looked at"
            problems.add(path, message)
            return


def _ages(scenario: Scenario, problems: Problems, row: Row, report: Any) -> None:
    for text in row.where.get("age", ()) if not problems.lacks("ages") else ():
        low, high = age_range(text)
        first, last = scenario.ages.first, scenario.ages.last
        ends = low > last or high < first or (not text.endswith("+") and high > last) or 0 < low < first
        if ends:
            report("age", f"must lie within the ages {first} to {last} of the scenario; got {quoted(text)}")
    if (
        "years_past_pension_age" in row.where
        and not scenario.pension_age
        and not problems.lacks("pension_age")
    ):
        report("years_past_pension_age", "needs a `pension_age`, which the scenario does not have")


def _selectors(scenario: Scenario, problems: Problems) -> None:
    """Check the selectors that carry no numbers."""
    found = list(_wheres(scenario, ()))
    levels = scenario.retention.levels if scenario.retention is not None else {}
    for name, level in levels.items():
        axes = ("post", *POST_KEYS, *scenario.post_attributes)
        for axis in level.by:
            if axis not in axes and not problems.lacks("post_attributes"):
                message = f"no such axis or attribute of posts {quoted(axis)}.{closest(axis, axes)}"
                problems.add(("retention", "levels", name, "by"), message)
    for path, where in found:

        def report(key: str, message: str, path: Path = path) -> None:
            problems.add((*path, key) if key else path, message)

        selector(scenario, where, ("post",), report, problems.unsure)


def _wheres(node: Any, path: Path) -> Iterator[tuple[Path, Mapping[str, Iterable[str]]]]:
    """Yield every field below a node that is a selector, or a list of them."""
    if isinstance(node, Value | Cells | Series):
        return  # whose rows are checked with their numbers
    if isinstance(node, BaseModel):
        for name, key, _, kind in fields_of(type(node)):
            item, at = getattr(node, name), (*path, key)
            if kind == "where" and item is not None:
                yield at, item
            elif kind == "wheres":
                yield from (((*at, i), where) for i, where in enumerate(item))
            else:
                yield from _wheres(item, at)
    elif isinstance(node, dict | tuple):
        items = node.items() if isinstance(node, dict) else enumerate(node)
        for at_key, item in items:
            yield from _wheres(item, (*path, at_key))


def _references(scenario: Scenario, problems: Problems) -> None:
    def need(written: str, names: Iterable[str], what: str, path: Path) -> None:
        if written not in names and not problems.lost(f"{what}s", written):
            problems.add(path, f"no such {what} {quoted(written)}.{closest(written, names)}")

    for name, leaving in scenario.leaving.items():
        if leaving.into is not None:
            need(leaving.into, scenario.pools, "pool", ("leaving", name, "into"))
    for i, switch in enumerate(scenario.switches):
        need(switch.from_, scenario.contracts, "contract", ("switches", i, "from"))
        need(switch.to, scenario.contracts, "contract", ("switches", i, "to"))
    for name, pipeline in scenario.pipelines.items():
        need(pipeline.role, scenario.roles, "role", ("pipelines", name, "role"))
    for i, source in enumerate(scenario.hiring.sources if scenario.hiring is not None else ()):
        for name in source.pipelines or ():
            path: Path = ("hiring", "sources", i, "pipelines")
            need(name, scenario.pipelines, "pipeline", path)
            if isinstance(scenario.pipelines.get(name), InternalPipeline):
                problems.add(
                    path, f"{quoted(name)} is an internal pipeline: its routes say who takes which post"
                )
