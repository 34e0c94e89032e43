"""Who moves where: people between posts, sources and destinations, added up over a run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import xarray as xr

from pharmsim.scenario.models import Post

RETIREMENT = "retirement"


class Flow(NamedTuple):
    """From where to where; kinds: "post", "joint post", "source", "destination".

    A post is "role/environment", a joint post "role/home environment/name", the name being that of the
    intervention that makes it, else of the post.
    """

    from_: str
    to: str
    from_kind: str
    to_kind: str


def cumulated_flows(data: xr.Dataset, posts: Sequence[Post]) -> dict[Flow, np.ndarray]:
    """People who moved along every flow in the whole run.

    Joiners come from their source, who returns from the pool; leavers go to their destination, who retires to
    "retirement". Moves, promotions and changes of role lead from post to post, also inside one cell.

    Parameters
    ----------
    data : Dataset
    posts : sequence of Post
        Of the scenario.

    Returns
    -------
    dict
        Flow → heads, shape (draw,).
    """
    cells = [
        (f"{p.role}/{p.environment}/{p.made_by or p.post}", "joint post")
        if p.split
        else (f"{p.role}/{p.environment}", "post")
        for p in posts
    ]
    found: dict[Flow, np.ndarray] = {}

    def add(flow: Flow, heads: np.ndarray) -> None:
        found[flow] = found[flow] + heads if flow in found else heads

    for name, axis in (("joiners", "source"), ("returns", "pool")):
        for post, label, heads in _by_post(data, name, axis):
            add(Flow(label, cells[post][0], "source", cells[post][1]), heads)
    for name, axis in (("leavers", "destination"), ("retirements", "")):
        for post, label, heads in _by_post(data, name, axis):
            add(Flow(cells[post][0], label, cells[post][1], "destination"), heads)
    if "moves" in data:
        index = {str(post): i for i, post in enumerate(data["post"].values)}
        heads = data["moves"].sum("period").transpose("draw", "edge").values
        for i, (one, other) in enumerate(zip(data["edge_from"].values, data["edge_to"].values, strict=True)):
            (first, kind), (then, other_kind) = (cells[index[str(post)]] for post in (one, other))
            add(Flow(first, then, kind, other_kind), heads[:, i])
    return found


def _by_post(data: xr.Dataset, name: str, axis: str) -> list[tuple[int, str, np.ndarray]]:
    """Position of the post, label on the other axis, and heads of one output."""
    if name not in data:
        return []
    flow = data[name].sum("period")
    if not axis:
        values = flow.transpose("draw", "post").values
        return [(p, RETIREMENT, values[:, p]) for p in range(values.shape[1])]
    values = flow.transpose("draw", "post", axis).values
    labels = [str(label) for label in data[axis].values]
    return [(p, label, values[:, p, j]) for p in range(values.shape[1]) for j, label in enumerate(labels)]
