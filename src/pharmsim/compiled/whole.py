"""Whole people: fractional heads of an opening as whole ones, the total kept."""

from __future__ import annotations

import numpy as np

from pharmsim.compiled.arrays import Floats, Ints
from pharmsim.compiled.model import State

SNAP = 1e-9
"""Rounding errors of sums that may not turn a half into less than a half."""


def whole(heads: Floats) -> Floats:
    """Round heads of units (posts, say) and their cells; every total is kept as well as whole people can.

    Parameters
    ----------
    heads : float64 array, shape (draws, units, cells), heads

    Returns
    -------
    float64 array of the same shape, whole heads
        All units together have the rounded total; a unit has its own total rounded up or down, up where the
        fractions are largest (largest remainders, ties in order); inside a unit running totals are rounded,
        so that no cell is favoured.
    """
    exact = heads.sum(axis=2)
    running = np.cumsum(heads, axis=2) * (_totals(exact) / np.where(exact > 0.0, exact, 1.0))[:, :, None]
    return np.diff(np.floor(running + 0.5 + SNAP), axis=2, prepend=0.0)


def _totals(exact: Floats) -> Floats:
    """Largest remainders: whole totals of units, shape (draws, units)."""
    low = np.floor(exact + SNAP)
    more = np.floor(exact.sum(axis=1) + 0.5 + SNAP) - low.sum(axis=1)
    order = np.argsort(-(exact - low), axis=1, kind="stable")
    rank = np.argsort(order, axis=1, kind="stable")
    return low + (rank < more[:, None])


def whole_opening(state: State, home: Ints) -> State:
    """The opening with whole people in every stock.

    Parameters
    ----------
    state : State
    home : int array, shape (rows,)
        Post of every row: a post and those of it who train are one unit.
    """
    posts = state.posts
    people = posts.people.copy()
    people[:, 0] = _by_post(posts.people[:, 0], home)
    offers, before = _by_axis(posts.offers, 2), np.zeros_like(posts.offers_by_source)
    before[..., -1] = offers.sum(axis=(3, 4))
    posts = posts._replace(
        people=people,
        pools=_by_axis(posts.pools, 2),
        offers=offers,
        offers_by_source=before,
        seekers=_by_axis(posts.seekers, 1),
    )
    return state._replace(posts=posts)


def _by_post(people: Floats, home: Ints) -> Floats:
    """Units are posts, shape (draws, rows, …); as many cells for all of them as the largest needs."""
    n, rows = people.shape[0], [np.flatnonzero(home == p) for p in range(home.max(initial=-1) + 1)]
    flat = people.reshape(*people.shape[:2], -1)
    cells, most = flat.shape[2], max((len(own) for own in rows), default=0)
    units = np.zeros((n, len(rows), most * cells))
    for p, own in enumerate(rows):
        units[:, p, : len(own) * cells] = flat[:, own].reshape(n, -1)
    units = whole(units)
    out = np.empty_like(flat)
    for p, own in enumerate(rows):
        out[:, own] = units[:, p, : len(own) * cells].reshape(n, len(own), cells)
    return out.reshape(people.shape)


def _by_axis(heads: Floats, last: int) -> Floats:
    """Units are what stands on the axes from 1 to `last`."""
    if heads.size == 0:
        return heads.copy()
    units = heads.reshape(len(heads), int(np.prod(heads.shape[1 : last + 1])), -1)
    return whole(units).reshape(heads.shape)
