"""Whole people: fractional heads of an opening as whole ones, the total kept."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pharmsim.compiled.arrays import Floats, Ints
from pharmsim.compiled.model import State
from pharmsim.compiled.streams import Keys, Streams, keys, mixed, uniforms

Rounding = Callable[[str, Floats], Floats]
"""From the name of a stock and the heads of its units to others of the same shape."""
SNAP = 1e-9
"""Rounding errors of sums that may not turn a half into less than a half."""


def whole(heads: Floats, offset: Floats) -> Floats:
    """Round heads of units (posts, say) and their cells; every total is kept as well as whole people can.

    Parameters
    ----------
    heads : float64 array, shape (draws, units, cells), heads
    offset : float64 array, shape (draws, units), 0 to 1
        Of the systematic sampling of cells: with even chances every cell has its heads on average.

    Returns
    -------
    float64 array of the same shape, whole heads
        All units together have the rounded total; a unit has its own total rounded up or down, up where the
        fractions are largest (largest remainders, ties in order); inside a unit running totals plus the
        offset are rounded down.
    """
    running = np.cumsum(scaled(heads), axis=2)
    offset = np.minimum(offset, 1.0 - 2.0 * SNAP)[:, :, None]
    return np.diff(np.floor(running + offset + SNAP), axis=2, prepend=0.0)


def scaled(heads: Floats) -> Floats:
    """Heads of units with whole totals and fractional cells: what `whole` has on average."""
    exact = heads.sum(axis=2)
    return heads * (_totals(exact) / np.where(exact > 0.0, exact, 1.0))[:, :, None]


def _totals(exact: Floats) -> Floats:
    """Largest remainders: whole totals of units, shape (draws, units)."""
    low = np.floor(exact + SNAP)
    more = np.floor(exact.sum(axis=1) + 0.5 + SNAP) - low.sum(axis=1)
    order = np.argsort(-(exact - low), axis=1, kind="stable")
    rank = np.argsort(order, axis=1, kind="stable")
    return low + (rank < more[:, None])


def whole_opening(state: State, home: Ints, rows: Keys, names: Streams) -> State:
    """The opening with whole people in every stock; which cells they are in is a matter of chance.

    Parameters
    ----------
    state : State
    home : int array, shape (rows of people,)
        Post of every row: a post and those of it who train are one unit.
    rows : Keys, shape (draws,)
        Of every draw and replicate.
    names : Streams
    """
    slots = np.arange(state.posts.offers.shape[1], dtype=np.uint64)
    units = {
        "people": names.post,
        "pools": mixed(names.pool[:, None], names.post[None, :]).ravel(),
        "offers": mixed(slots[:, None], names.post[None, :]).ravel(),
        "seekers": names.pipeline,
    }

    def by_chance(stock: str, heads: Floats) -> Floats:
        return whole(heads, uniforms(mixed(rows, keys([("opening", stock)])), units[stock]))

    return _opening(state, home, by_chance)


def expected_opening(state: State, home: Ints) -> State:
    """What `whole_opening` is on average: whole totals of units, fractional cells."""
    return _opening(state, home, lambda _, heads: scaled(heads))


def _opening(state: State, home: Ints, rounded: Rounding) -> State:
    posts = state.posts
    people = posts.people.copy()
    people[:, 0] = _by_post(posts.people[:, 0], home, rounded)
    offers, before = _by_axis("offers", posts.offers, 2, rounded), np.zeros_like(posts.offers_by_source)
    before[..., -1] = offers.sum(axis=(3, 4))
    posts = posts._replace(
        people=people,
        pools=_by_axis("pools", posts.pools, 2, rounded),
        offers=offers,
        offers_by_source=before,
        seekers=_by_axis("seekers", posts.seekers, 1, rounded),
    )
    return state._replace(posts=posts)


def _by_post(people: Floats, home: Ints, rounded: Rounding) -> Floats:
    """Units are posts, shape (draws, rows, …); as many cells for all of them as the largest needs."""
    n, rows = people.shape[0], [np.flatnonzero(home == p) for p in range(home.max(initial=-1) + 1)]
    flat = people.reshape(*people.shape[:2], -1)
    cells, most = flat.shape[2], max((len(own) for own in rows), default=0)
    units = np.zeros((n, len(rows), most * cells))
    for p, own in enumerate(rows):
        units[:, p, : len(own) * cells] = flat[:, own].reshape(n, -1)
    units = rounded("people", units)
    out = np.empty_like(flat)
    for p, own in enumerate(rows):
        out[:, own] = units[:, p, : len(own) * cells].reshape(n, len(own), cells)
    return out.reshape(people.shape)


def _by_axis(stock: str, heads: Floats, last: int, rounded: Rounding) -> Floats:
    """Units are what stands on the axes from 1 to `last`."""
    if heads.size == 0:
        return heads.copy()
    units = heads.reshape(len(heads), int(np.prod(heads.shape[1 : last + 1])), -1)
    return rounded(stock, units).reshape(heads.shape)
