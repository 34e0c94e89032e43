"""What interventions cost beside pay, from the people in post that a run gives."""

from __future__ import annotations

import numpy as np

from pharmsim.compiled.arrays import Bools, Clock, Floats, Ints
from pharmsim.compiled.grid import Grid, month_number
from pharmsim.compiled.opening import people
from pharmsim.compiled.strength import effort, made_by, reached, running
from pharmsim.compiled.work import all_months
from pharmsim.scenario.interventions import Intervention


def programme_cost(grid: Grid, clock: Clock, headcount: Floats) -> Floats:
    """Cost of every intervention, by month start and post.

    Parameters
    ----------
    grid : Grid
    clock : Clock
    headcount : float64 array, shape (D, T + 1, P, G, C), heads

    Returns
    -------
    float64 array, shape (D, T + 1, interventions, P), GBP per month
        In the order of the scenario; with the `year` step the mean month of the year.
    """
    items, months = grid.scenario.interventions, all_months(clock)
    out = np.zeros((*headcount.shape[:2], len(items), headcount.shape[2]))
    opening = people(grid)
    for i, item in enumerate(items):
        taking, posts = taking_part(grid, item)
        heads = (headcount.sum(axis=4) * taking).sum(axis=3)
        busy = effort(grid, item, months)
        share = 1.0 if item.posts is not None else grid.draws.values(item.uptake)[:, None, None]
        cost = grid.draws.values(item.costs.per_head)[:, None, None] / 12.0
        out[:, :, i] = cost * share * busy[:, None] * heads
        whole = grid.draws.values(item.costs.per_year)[:, None] / 12.0 * running(grid, item, months)
        whole = whole + grid.draws.values(item.costs.set_up)[:, None] * begins(grid, item, months, clock)
        out[:, :, i] += whole[:, :, None] * divided(opening, posts)[:, None, :]
    return out


def begins(grid: Grid, item: Intervention, months: Ints, clock: Clock) -> Floats:
    """Share of the set-up that falls into each month: all in the first, spread where a period is a year."""
    first = month_number(item.start) - grid.start
    inside = (months <= first) & (first < months + clock.months_per_period)
    return inside / clock.months_per_period


def taking_part(grid: Grid, item: Intervention) -> tuple[Floats, Bools]:
    """Share of the people of each post and group of whom some take part, and the posts.

    Returns
    -------
    share : float64 array, shape (P, G)
        0 or 1, or the share of the selected ages in the opening stock.
    posts : bool array, shape (P,)
        The joint posts of an intervention that makes them, else its reach.
    """
    s = grid.scenario
    if item.posts is not None:
        posts = made_by(s, item)
        return np.repeat(posts[:, None].astype(float), len(s.groups), axis=1), posts
    posts = reached(s, item)
    groups = np.array([not item.groups or name in item.groups for name in s.groups], dtype=np.bool_)
    share = (posts[:, None] & groups).astype(float)
    if item.ages is not None:
        share *= grid.ages(s.stock.ages)[:, :, slice(*grid.window(item.ages))].sum(axis=2)
    return share, posts


def divided(opening: Floats, posts: Bools) -> Floats:
    """Shares of posts in what is not spent by head, shape (D, P): by opening headcount, else equal."""
    heads = np.where(posts, opening.sum(axis=(2, 3, 4)), 0.0)
    sums = heads.sum(axis=1, keepdims=True)
    equal = posts / max(posts.sum(), 1)
    return np.where(sums > 0.0, heads / np.where(sums > 0.0, sums, 1.0), equal)
