"""Lists of posts, edges, skills overlaps and routes: identifiers, ranges and selectors written out."""

from __future__ import annotations

import itertools
from typing import Any

from pharmsim.quantities import KINDS
from pharmsim.scenario import text
from pharmsim.scenario.forms import ORIGIN_KEYS, where_form
from pharmsim.scenario.marks import Map, Path, Seq, closest, place, quoted
from pharmsim.scenario.tables import OWN_KEYS, POST_KEYS, Report
from pharmsim.scenario.text import FormError


class Posts(dict[str, dict[str, str]]):
    """Axes and attributes of every post; `sound` if all posts and their names can be relied on."""

    sound = False


_KIND = {"rate": "hazard", "share": "share"}


def normalise(tree: Map, report: Report) -> None:
    """Write out, in place, everything that the lists of a scenario abbreviate."""
    posts = Posts()
    if "posts" in tree:
        tree["posts"] = _posts(tree["posts"], report)
        found = tree["posts"] if isinstance(tree["posts"], list) else []
        named = [post for post in found if isinstance(post, dict) and post.get("post")]
        posts.update({post["post"]: _axes(post) for post in named})
        posts.sound = len(posts) == len(found) and all(_is_declared(tree, post) for post in posts.values())
    for section, key, inner in (
        ("moves", "edges", "rate"),
        ("moves", "skills_overlap", "share"),
        ("promotions", "edges", "rate"),
    ):
        node = tree.get(section)
        if isinstance(node, dict) and node.get(key) is not None:
            node[key] = _edges(node[key], (section, key), inner, posts, report)
    pipelines = tree.get("pipelines")
    if not isinstance(pipelines, dict):
        pipelines = {}
    for name, node in pipelines.items():
        if isinstance(node, dict) and node.get("routes") is not None:
            node["routes"] = _edges(node["routes"], ("pipelines", name, "routes"), "share", posts, report)
    _all_pipelines(tree, pipelines)


def _all_pipelines(tree: Map, pipelines: dict[str, Any]) -> None:
    hiring = tree.get("hiring")
    sources = hiring.get("sources") if isinstance(hiring, dict) else None
    for source in sources if isinstance(sources, list) else []:
        if isinstance(source, dict) and source.get("pipelines") in ("all", ["all"]):
            external = [
                isinstance(node, dict) and node.get("kind") != "internal" for node in pipelines.values()
            ]
            source["pipelines"] = list(itertools.compress(pipelines, external))


def _axes(post: dict[str, Any]) -> dict[str, str]:
    attributes = post.get("attributes") or {}
    named = {key: str(post.get(key) or "") for key in ("post", *POST_KEYS)}
    return {**(attributes if isinstance(attributes, dict) else {}), **named}


def _is_declared(tree: Map, post: dict[str, str]) -> bool:
    """Return whether every axis of a post has a name that the scenario declares."""
    for axis in POST_KEYS:
        names = tree.get(f"{axis}s")
        known = [str(name) for name in names] if isinstance(names, dict | list) else []
        if post[axis] not in known and (post[axis] or axis in ("role", "environment")):
            return False
    return True


def _origin(node: Any, new: Map) -> Map:
    where = place(node)
    if where:
        new.file, new.line = where
        if isinstance(node, Map):
            new.lines = dict(node.lines)
            new.broken = node.broken
        new["origin"] = {"file": where[0], "line": where[1]}
    return new


def _posts(written: Any, report: Report) -> Any:
    """Return posts with identifiers; an entry that lists several environments … is several posts."""
    broken = getattr(written, "broken", False)
    if isinstance(written, dict) and isinstance(written.get("rows"), list):
        written = written["rows"]
    if not isinstance(written, list):
        return written
    out = Seq((), *(place(written) or ("", 0)))
    out.broken = broken
    for i, entry in enumerate(written):
        if not isinstance(entry, dict):
            out.append(entry)
            continue
        own = {key: entry[key] for key in OWN_KEYS if key in entry}
        known = ("post", *POST_KEYS, *OWN_KEYS, "attributes")
        extra = {key: item for key, item in entry.items() if key not in known}
        attributes = entry.get("attributes") or {}
        if isinstance(attributes, dict):
            extra = {**attributes, **extra}
        named = [entry.get(key) for key in POST_KEYS]
        choices = list(itertools.product(*(item if isinstance(item, list) else [item] for item in named)))
        if len(choices) > 1 and entry.get("post"):
            report(("posts", i, "post"), "names one post, but the entry describes several: leave `post` out")
        for choice in choices:
            values = {key: item for key, item in zip(POST_KEYS, choice, strict=True) if item or item == 0}
            post = Map({**values, **own})
            post["post"] = str(entry.get("post") or ".".join(str(item) for item in values.values()))
            if extra:
                post["attributes"] = extra
            out.append(_origin(entry, post))
            out.lines.append(entry.line if isinstance(entry, Map) else 0)
    return out


def _edges(written: Any, path: Path, inner: str, posts: Posts, report: Report) -> Any:
    """Return edges between single posts; a later entry overrides pairs that a selector made before."""
    common: dict[str, Any] = {}
    broken = getattr(written, "broken", False)
    if isinstance(written, dict) and isinstance(written.get("rows"), list):
        common, written = written, written["rows"]
        for key in common:
            if key not in ("rows", "range", "table", *ORIGIN_KEYS):
                report((*path, key), f"unknown key.{closest(key, ('rows', 'range', 'table', *ORIGIN_KEYS))}")
    if not isinstance(written, list):
        return written
    out = Seq((), *(place(written) or ("", 0)))
    out.broken = broken
    made: dict[tuple[str, str], int] = {}
    for i, entry in enumerate(written):
        if not isinstance(entry, dict):
            report((*path, i), f"must be a mapping with from, to and {inner}; got {quoted(entry)}")
            continue
        name = ".".join(str(part) for part in path) + f"[{i}].{inner}"
        entry = _with_common(entry, common, inner, ".".join(map(str, path)), (*path, i), report)
        selects = [isinstance(entry.get(end), dict) for end in ("from", "to")]
        if any(selects) and posts:
            pairs = _pairs(entry, (*path, i), posts, report)
            _share_name(entry, inner, name)
        else:
            pairs = [] if any(selects) else [(entry.get("from"), entry.get("to"))]  # type: ignore[list-item]
        for start, end in pairs:
            known = {key: item for key, item in (("from", start), ("to", end)) if item is not None}
            edge = _origin(entry, Map({**entry, **known}))
            at = made.get((str(start), str(end)))
            if at is not None:
                out[at] = edge
                continue
            if any(selects):
                made[(str(start), str(end))] = len(out)
            out.append(edge)
            out.lines.append(entry.line if isinstance(entry, Map) else 0)
    return out


def _with_common(
    entry: dict[str, Any], common: dict[str, Any], inner: str, name: str, path: Path, report: Report
) -> dict[str, Any]:
    """Return the entry with the source, evidence and relative range of its block.

    A relative range becomes low and high of the entry, cut at the upper bound of its kind; all
    entries of the block share one uncertainty.
    """
    inherited = {key: common[key] for key in ORIGIN_KEYS if common.get(key) is not None}
    spread = common.get("range")
    value = entry.get(inner)
    if getattr(value, "broken", False) or (not inherited and spread is None and not common.get("table")):
        return entry
    if not isinstance(value, dict):
        value = Map({"value": value}) if value is not None else None
    if value is None:
        return entry
    new = value.like({**inherited, **value}) if isinstance(value, Map) else Map({**inherited, **value})
    if isinstance(spread, dict) and spread.get("dist") in ("discrete", "empirical"):
        report(path[:-1], f"takes no range with `dist: {spread['dist']}`: give `low` and `high`")
    elif isinstance(spread, dict):
        try:
            centre = text.number(new.get("value"), _KIND[inner])
            ends = {end: text.number(spread.get(end), "ratio") for end in ("low", "high")}
            top = KINDS[_KIND[inner]].high
            new.update({end: min(centre * ends[end], top) for end in ("low", "high")})
            new["uncertainty"] = str(spread.get("uncertainty") or name)
            if spread.get("dist"):
                new["dist"] = spread["dist"]
        except FormError as error:
            at = (*path, inner, "value") if "value" in entry[inner] else (*path, inner)
            for _, message in error.issues:
                report(at, message)
    elif "low" in new and "uncertainty" not in new and common.get("table"):
        new["uncertainty"] = name
    changed = {**entry, inner: new}
    return entry.like(changed) if isinstance(entry, Map) else changed


def _share_name(entry: dict[str, Any], inner: str, name: str) -> None:
    """Give the range of an entry with selectors one name, so that its edges move together."""
    value = entry.get(inner)
    if isinstance(value, dict) and {"low", "choices"} & set(value) and "uncertainty" not in value:
        value["uncertainty"] = name


def _pairs(entry: dict[str, Any], path: Path, posts: Posts, report: Report) -> list[tuple[str, str]]:
    """Return the pairs of posts that an entry with selectors means.

    The end has the role, grade and place of the beginning, and its environment, unless the
    selector of the end names them.
    """
    ends: dict[str, dict[str, tuple[str, ...]]] = {}
    for end in ("from", "to"):
        written = entry.get(end)
        try:
            ends[end] = where_form(written) if isinstance(written, dict) else {"post": (str(written),)}
        except FormError as error:
            for where, message in error.issues:
                report((*path, end, *where), message)
            return []
    keys = {key for post in posts.values() for key in post}
    bad = [(end, key) for end in ends for key in ends[end] if key not in keys]
    for end, key in bad:
        report((*path, end, key), f"cannot select posts.{closest(key, keys)}")
    start, target = (
        [
            name
            for name, post in posts.items()
            if all(post.get(key) in names for key, names in ends[end].items())
        ]
        for end in ("from", "to")
    )
    same = [key for key in POST_KEYS if key not in ends["to"] and "post" not in ends["to"]]
    pairs = [
        (a, b)
        for a, b in itertools.product(start, target)
        if a != b and all(posts[a][key] == posts[b][key] for key in same)
    ]
    if not pairs and not bad and posts.sound:
        report(path, "selects no pair of posts (the end keeps role, grade and place unless it names them)")
    return pairs
