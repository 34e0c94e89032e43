"""Whole people: fractional heads of an opening as whole ones, the total kept."""

from __future__ import annotations

import numpy as np

from pharmsim.compiled.arrays import Floats
from pharmsim.compiled.model import State

SNAP = 1e-9
"""Rounding errors of sums that may not turn a half into less than a half."""


def whole(heads: Floats) -> Floats:
    """Round heads so that every running total is rounded, and so the whole is.

    Parameters
    ----------
    heads : float64 array, shape (draws, …), heads
        Read in the order of its axes, the last one fastest.

    Returns
    -------
    float64 array of the same shape, whole heads
        Every running total, and the total of every part of consecutive cells, is within one person; the
        whole is the rounded whole. No cell is favoured by its place but those that the running total passes.
    """
    flat = heads.reshape(len(heads), -1)
    running = np.floor(np.cumsum(flat, axis=1) + 0.5 + SNAP)
    return np.diff(running, axis=1, prepend=0.0).reshape(heads.shape)


def whole_opening(state: State) -> State:
    """The opening with whole people in every stock."""
    posts = state.posts
    people = posts.people.copy()
    people[:, 0] = whole(posts.people[:, 0])
    offers, before = whole(posts.offers), np.zeros_like(posts.offers_by_source)
    before[..., -1] = offers.sum(axis=(3, 4))
    posts = posts._replace(
        people=people,
        pools=whole(posts.pools),
        offers=offers,
        offers_by_source=before,
        seekers=whole(posts.seekers),
    )
    return state._replace(posts=posts)
