"""Who moves where: people between posts, sources and destinations, added up over a run."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr

from pharmsim.results import measures

RETIREMENT = "retirement"


class Flow(NamedTuple):
    """From where to where. A post is "role/environment"; kinds: "post", "source", "destination"."""

    from_: str
    to: str
    from_kind: str
    to_kind: str


def cumulated_flows(data: xr.Dataset) -> dict[Flow, np.ndarray]:
    """People who moved along every flow in the whole run.

    Joiners come from their source, who returns from the pool; leavers go to their destination, who retires to
    "retirement". Moves, promotions and changes of role lead from post to post, also inside one cell.

    Parameters
    ----------
    data : Dataset

    Returns
    -------
    dict
        Flow → heads, shape (draw,).
    """
    cells = ["/".join(key) for key in measures.group_keys(data, ["role", "environment"])]
    found: dict[Flow, np.ndarray] = {}

    def add(flow: Flow, heads: np.ndarray) -> None:
        found[flow] = found[flow] + heads if flow in found else heads

    for name, axis in (("joiners", "source"), ("returns", "pool")):
        for post, label, heads in _by_post(data, name, axis):
            add(Flow(label, cells[post], "source", "post"), heads)
    for name, axis in (("leavers", "destination"), ("retirements", "")):
        for post, label, heads in _by_post(data, name, axis):
            add(Flow(cells[post], label, "post", "destination"), heads)
    if "moves" in data:
        index = {str(post): i for i, post in enumerate(data["post"].values)}
        heads = data["moves"].sum("period").transpose("draw", "edge").values
        for i, (one, other) in enumerate(zip(data["edge_from"].values, data["edge_to"].values, strict=True)):
            add(Flow(cells[index[str(one)]], cells[index[str(other)]], "post", "post"), heads[:, i])
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
