"""The coordinates of the results: names and dates along every axis, read from the scenario.

The engines know positions only; here the positions get their names back. The order is that of the
scenario file: posts, groups, contracts, sources, leaving destinations and pools as written; edges as
moves, then promotions, then the routes of internal pipelines.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from pharmsim.quantities import OUTPUTS
from pharmsim.scenario.services import (
    FEEDBACKS,
    INTRODUCTION,
    LEARNING,
    SETTLING_IN,
    block_shares,
    blocks,
    services,
    split_matrix,
    split_of,
    uses,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pharmsim.scenario.models import Level, Post, Scenario

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

POST_COORDS = {
    "role": "post_role",
    "environment": "post_environment",
    "grade": "post_grade",
    "place": "place",
}
"""Axes of posts → the coordinate along `post` that holds them."""

SERVICE_COORDS = {
    "role": "service_role",
    "environment": "service_environment",
    "place": "service_place",
}
"""Axes of services → the coordinate along `service` that holds them."""

JOIN = " + "
"""Between the environments of a joint post."""

Coord = tuple[Any, ...]  # (dims, values) or (dims, values, attributes)


EARLIER_OFFERS = "earlier_offers"
"""Joiners whose offer was made before the start."""


def external_pipelines(scenario: Scenario) -> list[str]:
    """Names of the pipelines outside the posts, in the order of the file."""
    return [name for name, pipeline in scenario.pipelines.items() if pipeline.kind == "external"]


def edges_of(scenario: Scenario) -> list[tuple[str, str, str]]:
    """Edges between posts in the order of the engines.

    Returns
    -------
    list of (from, to, kind)
        kind is ``move``, ``promotion`` or ``role_change``.
    """
    edges: list[tuple[str, str, str]] = []
    if scenario.moves:
        edges += [(edge.from_, edge.to, "move") for edge in scenario.moves.edges]
    if scenario.promotions:
        edges += [(edge.from_, edge.to, "promotion") for edge in scenario.promotions.edges]
    for pipeline in scenario.pipelines.values():
        if pipeline.kind == "internal":
            edges += [(route.from_, route.to, "role_change") for route in pipeline.routes]
    return edges


def edge_labels(edges: Sequence[tuple[str, str, str]]) -> list[str]:
    """Give unique labels "from > to"; the kind, then a number, is added where needed."""
    plain = Counter((source, target) for source, target, _ in edges)
    seen: Counter[str] = Counter()
    labels = []
    for source, target, kind in edges:
        label = f"{source} > {target}"
        if plain[source, target] > 1:
            label += f" ({kind})"
        seen[label] += 1
        labels.append(label if seen[label] == 1 else f"{label} {seen[label]}")
    return labels


def attribute_of(post: Post, axis: str) -> str:
    """Read one axis (role, environment, grade, place, post) or declared attribute of a post."""
    if axis in ("post", "role", "environment", "grade", "place"):
        return str(getattr(post, axis))
    return post.attributes.get(axis, "")


def is_selected(post: Post, where: Mapping[str, Sequence[str]]) -> bool:
    """Whether a post is in `where` (an empty `where` selects all)."""
    return all(attribute_of(post, axis) in tuple(wanted) for axis, wanted in where.items())


def environments_at(post: Post, level: Level) -> list[str]:
    """Environments in which a post belongs to a level: of those in which it works, those in `where`."""
    here = [post.model_copy(update={"environment": name}) for name in split_of(post)]
    return [one.environment for one in here if is_selected(one, level.where)]


def block_names(scenario: Scenario) -> list[tuple[str, str]]:
    """Name every block of every level of retention, in the order of the engine.

    Returns
    -------
    list of (level, block)
        Values of the level's `by` joined by " / "; "all" for a level of one block.
    """
    return [(level, " / ".join(key) or "all") for level, key in blocks(scenario)]


def month_starts(start: str, n: int, spacing: int = 1) -> np.ndarray:
    """Month starts from `start` ("2025-10"), every `spacing` months.

    Returns
    -------
    ndarray of datetime64[ns], shape (n,)
    """
    first = np.datetime64(start, "M")
    return (first + np.arange(n) * spacing).astype("datetime64[ns]")


def tag_dates(scenario: Scenario, n: int) -> np.ndarray:
    """First n dates of tagging: the first day after the reference month, from the start on."""
    reference = MONTHS.index(scenario.retention.month if scenario.retention else "March")
    first = np.datetime64(scenario.start, "M")
    wait = (reference + 1 - int(first.astype(int))) % 12
    return ((first + wait) + 12 * np.arange(n)).astype("datetime64[ns]")


def _sizes(arrays: Mapping[str, np.ndarray]) -> dict[str, int]:
    """Length of every axis that the arrays use (the leading axis is `draw`)."""
    sizes: dict[str, int] = {}
    for name, array in arrays.items():
        for dim, size in zip(("draw", *OUTPUTS[name].dims), array.shape, strict=True):
            sizes.setdefault(dim, size)
    return sizes


def months_per_period(scenario: Scenario, n_periods: int) -> int:
    """12 where a `year` step recorded years, else 1."""
    first, last = np.datetime64(scenario.start, "M"), np.datetime64(scenario.end, "M")
    n_months = int((last - first).astype(int))
    return 12 if scenario.step == "year" and n_periods * 12 <= n_months + 11 else 1


def coordinates(scenario: Scenario, arrays: Mapping[str, np.ndarray]) -> dict[str, Coord]:
    """Coordinates of the axes that the arrays use, with the labels that belong to them.

    Parameters
    ----------
    scenario : Scenario
    arrays : dict of ndarray
        Outputs by name, leading axis `draw`.

    Returns
    -------
    dict
        name → (dims, values), as `xarray.Dataset` takes them.
    """
    sizes = _sizes(arrays)
    n_periods = sizes.get("period", sizes.get("time", 1) - 1)
    spacing = months_per_period(scenario, n_periods)
    coords: dict[str, Coord] = {"draw": (("draw",), np.arange(sizes.get("draw", 1)))}
    dates = {
        "time": lambda n: month_starts(scenario.start, n, spacing),
        "period": lambda n: month_starts(scenario.start, n, spacing),
        "year": lambda n: month_starts(scenario.start, n, 12),
        "retention_year": lambda n: tag_dates(scenario, n),
        "history": lambda n: _months_before(scenario.start, n),
        "age": lambda n: scenario.ages.first + np.arange(n),
        "attempt": lambda n: 1 + np.arange(n),
    }
    for dim, values in dates.items():
        if dim in sizes:
            coords[dim] = ((dim,), values(sizes[dim]))
    for dim, names in _names(scenario).items():
        if dim in sizes:
            coords[dim] = ((dim,), _text(names))
    coords |= _post_coords(scenario)
    if "edge" in sizes:
        coords |= _edge_coords(scenario)
    if "level" in sizes and scenario.retention:
        levels = scenario.retention.levels.values()
        places = [[JOIN.join(environments_at(post, level)) for post in scenario.posts] for level in levels]
        coords["level_environment"] = (("level", "post"), _text(places))
    if "block" in sizes and scenario.retention:
        coords |= _block_coords(scenario)
    if "service" in sizes or "use" in sizes or any(post.split for post in scenario.posts):
        coords |= _service_coords(scenario)
    if "use" in sizes:
        coords["use_kind"] = (("use",), _text(use_kinds(scenario)))
    if "budget" in sizes:
        chosen = [[is_selected(p, b.where) for p in scenario.posts] for b in scenario.budgets.values()]
        coords["in_budget"] = (("budget", "post"), np.array(chosen, dtype=np.int64))
    return coords


def _text(names: Any) -> np.ndarray:
    return np.array(names, dtype=object)


def _months_before(start: str, n: int) -> np.ndarray:
    """The n month starts before `start`."""
    return (np.datetime64(start, "M") - n + np.arange(n)).astype("datetime64[ns]")


def _names(scenario: Scenario) -> dict[str, list[str]]:
    external = external_pipelines(scenario)
    stages = [
        f"{name}: {stage.name}"
        for name, pipeline in scenario.pipelines.items()
        if pipeline.kind == "external"
        for stage in pipeline.stages
    ]
    return {
        "post": [post.post for post in scenario.posts],
        "group": list(scenario.groups),
        "contract": list(scenario.contracts),
        "source": [*(s.name for s in (scenario.hiring.sources if scenario.hiring else ())), EARLIER_OFFERS],
        "destination": list(scenario.leaving),
        "pool": list(scenario.pools),
        "switch": [switch.name for switch in scenario.switches],
        "pipeline": external,
        "stage": stages,
        "level": list(scenario.retention.levels) if scenario.retention else [],
        "block": [f"{level}: {block}" for level, block in block_names(scenario)],
        "edge": edge_labels(edges_of(scenario)),
        "service": [str(service) for service in services(scenario)],
        "use": uses(scenario),
        "feedback": list(FEEDBACKS),
        "budget": list(scenario.budgets),
        "intervention": [item.name for item in scenario.interventions],
    }


def _post_coords(scenario: Scenario) -> dict[str, Coord]:
    coords: dict[str, Coord] = {
        name: (("post",), _text([attribute_of(post, axis) for post in scenario.posts]))
        for axis, name in POST_COORDS.items()
    }
    for attribute in scenario.post_attributes:
        values = [attribute_of(post, attribute) for post in scenario.posts]
        coords[f"post_{attribute}"] = (("post",), _text(values))
    return coords


def _edge_coords(scenario: Scenario) -> dict[str, Coord]:
    edges = edges_of(scenario)
    return {
        "edge_from": (("edge",), _text([edge[0] for edge in edges])),
        "edge_to": (("edge",), _text([edge[1] for edge in edges])),
        "edge_kind": (("edge",), _text([edge[2] for edge in edges])),
    }


def _block_coords(scenario: Scenario) -> dict[str, Coord]:
    """Level, name and axes of every block ("" where its level is not by that axis), and who works in it."""
    levels = scenario.retention.levels if scenario.retention else {}
    found, names = blocks(scenario), block_names(scenario)
    axes = dict.fromkeys(axis for level in levels.values() for axis in level.by)
    values = [dict(zip(levels[level].by, key, strict=True)) for level, key in found]
    parts = {name: block_shares(scenario, level) for name, level in levels.items()}
    share = [[part.get(key, 0.0) for part in parts[level]] for level, key in found]
    about = {"unit": "share", "units": "1", "description": "share of the working time of a post by block"}
    return {
        "block_level": (("block",), _text([level for level, _ in names])),
        "block_name": (("block",), _text([name for _, name in names])),
        **{f"block_{axis}": (("block",), _text([row.get(axis, "") for row in values])) for axis in axes},
        "share_in": (("block", "post"), np.array(share, dtype=float), about),
    }


def _service_coords(scenario: Scenario) -> dict[str, Coord]:
    """Services with their axes, and the share of every post's working time that each gets."""
    found = services(scenario)
    about = {"unit": "share", "units": "1", "description": "share of the working time of a post by service"}
    return {
        "service": (("service",), _text([str(service) for service in found])),
        **{
            name: (("service",), _text([getattr(service, axis) for service in found]))
            for axis, name in SERVICE_COORDS.items()
        },
        "split": (("post", "service"), split_matrix(scenario), about),
    }


def use_kinds(scenario: Scenario) -> list[str]:
    """Kind of every use of working time, in the order of the uses.

    Returns
    -------
    list of str
        absence, learning, settling_in, introduction, service, supervising, or other.
    """
    time = scenario.working_time
    parts = time.job_plan if time is not None else {}
    absences = time.absence if time is not None else {}
    fixed = [LEARNING, SETTLING_IN, INTRODUCTION]
    planned = [
        "service" if part.service else "supervising" if part.supervising else "other"
        for part in parts.values()
    ]
    return ["absence"] * len(absences) + fixed + (planned or ["service"])
