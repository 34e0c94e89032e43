"""Lists: edges, skills overlaps, routes, switches, sources: known ends, no pair or name twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pharmsim.scenario.marks import Path, closest, quoted
from pharmsim.scenario.models import Edge, Overlap, Scenario
from pharmsim.scenario.problems import Problems
from pharmsim.scenario.training import ExternalPipeline, InternalPipeline, Route


def check(scenario: Scenario, problems: Problems) -> None:
    """Check every list whose items name two posts, or are named."""
    role = {post.post: post.role for post in scenario.posts}
    for section in ("moves", "promotions"):
        node = getattr(scenario, section)
        if node is None:
            continue
        _pairs(role, problems, (section, "edges"), node.edges)
        for i, edge in enumerate(node.edges):
            ends = role.get(edge.from_), role.get(edge.to)
            if None not in ends and ends[0] != ends[1]:
                message = (
                    f"must stay within a role; {quoted(edge.from_)} is {ends[0]}, {quoted(edge.to)} is "
                    f"{ends[1]}. People change role by an internal pipeline"
                )
                problems.add((section, "edges", i), message, edge.origin)
    if scenario.moves is not None:
        _pairs(role, problems, ("moves", "skills_overlap"), scenario.moves.skills_overlap, same=True)
    for name, pipeline in scenario.pipelines.items():
        if isinstance(pipeline, InternalPipeline):
            _routes(role, problems, name, pipeline)
    _names(scenario, problems)


def _pairs(
    role: dict[str, str],
    problems: Problems,
    path: Path,
    pairs: Sequence[Edge | Overlap | Route],
    same: bool = False,
) -> None:
    seen: dict[tuple[str, str], Any] = {}
    pair: Any
    for i, pair in enumerate(pairs):
        for end, post in (("from", pair.from_), ("to", pair.to)):
            if post not in role and "post" not in problems.unsure:
                problems.add(
                    (*path, i, end), f"no such post {quoted(post)}.{closest(post, role)}", pair.origin
                )
        if pair.from_ == pair.to and not same:
            problems.add(
                (*path, i), f"must lead to another post; {quoted(pair.to)} is both ends", pair.origin
            )
        if (pair.from_, pair.to) in seen:
            message = f"{quoted(pair.from_)} to {quoted(pair.to)} is given twice"
            problems.add((*path, i), message, pair.origin)
        seen[pair.from_, pair.to] = pair


def _routes(role: dict[str, str], problems: Problems, name: str, pipeline: InternalPipeline) -> None:
    path: Path = ("pipelines", name, "routes")
    _pairs(role, problems, path, pipeline.routes)
    for i, route in enumerate(pipeline.routes):
        if route.to in role and role[route.to] != pipeline.role:
            found = f"{quoted(route.to)} is {role[route.to]}"
            message = f"must lead to a post of the role {quoted(pipeline.role)}; {found}"
            problems.add((*path, i, "to"), message, route.origin)
    if problems.touches(path):
        return
    sums: dict[str, float] = {}
    for route in pipeline.routes:
        sums[route.from_] = sums.get(route.from_, 0.0) + route.share.value
    for start, total in sums.items():
        if abs(total - 1.0) > 1e-6:
            first = next(route for route in pipeline.routes if route.from_ == start)
            message = f"shares of the routes from {quoted(start)} must sum to 1; they sum to {total:.6g}"
            problems.add(path, message, first.origin)


def _names(scenario: Scenario, problems: Problems) -> None:
    lists: list[tuple[Path, Iterable[Any]]] = [(("switches",), scenario.switches)]
    if scenario.hiring is not None:
        lists.append((("hiring", "sources"), scenario.hiring.sources))
    for name, pipeline in scenario.pipelines.items():
        if isinstance(pipeline, ExternalPipeline):
            lists.append((("pipelines", name, "stages"), pipeline.stages))
    for path, items in lists:
        seen: set[str] = set()
        for i, item in enumerate(items):
            if item.name in seen:
                problems.add((*path, i, "name"), f"the name {quoted(item.name)} is given twice")
            seen.add(item.name)
