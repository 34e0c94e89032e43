"""The complete opening state, except what the history of external pipelines fills."""

from __future__ import annotations

import numpy as np

from pharmsim.compiled.arrays import Floats, PostState, Training
from pharmsim.compiled.grid import EVERY_CELL, Grid
from pharmsim.compiled.model import Model, State
from pharmsim.compiled.supply import Track, external, month_shares, shares
from pharmsim.compiled.system_arrays import SystemState
from pharmsim.errors import InputError


def people(grid: Grid) -> Floats:
    """People in post at the start, shape (D, P, G, C, A), heads."""
    stock = grid.scenario.stock
    heads = grid.cells(stock.headcount, ("post",)) / grid.cells(stock.jobs_per_person, ("post",), 1.0)
    groups = grid.shares(stock.groups, ("post", "group"), "group")
    ages = grid.ages(stock.ages)
    contracts = grid.contract_shares(stock.contracts)
    by_age = (heads[:, :, None] * groups)[..., None] * ages
    return np.asarray(by_age[:, :, :, None, :] * contracts)


def contract_mix(opening: Floats) -> Floats:
    """Shares of contracts by post and group, ages pooled, shape (D, P, G, C)."""
    return shares(opening.sum(axis=4), axis=3)


def state(grid: Grid, m: Model, opening: Floats, found: list[Track]) -> State:
    """State at the start of month 0, every draw.

    Parameters
    ----------
    grid : Grid
    m : Model
    opening : float64 array, shape (D, P, G, C, A), heads
    found : list of Track

    Returns
    -------
    State
    """
    n, (n_posts, n_groups, n_contracts) = grid.draws.n, grid.shape(EVERY_CELL)
    n_ages, n_levels = grid.lengths["age"], m.posts.levels.level.size
    v = m.conveyors
    n_stages, n_pipelines, n_attempts = v.stage_months.size, v.history.size, v.pass_rate.shape[3]
    n_waits = max(v.stage_months.max(initial=0), v.result_lag.max(initial=0)) + 1
    rows = np.zeros((n, 1 + n_levels, m.posts.tracks.home.size, n_groups, n_contracts, n_ages))
    rows[:, 0, :n_posts] = opening
    begin_batches(grid, rows[:, 0], found)
    share = grid.scenario.first_year
    first_year = np.zeros((n, n_posts, 13))
    if share is not None:
        young = m.posts.risks.first_year_share * opening.sum(axis=(2, 3, 4))
        first_year[:, :, :12] = young[..., None] / 12.0
    seekers = np.zeros((n, n_pipelines, n_groups, n_ages))
    for q, pipeline in enumerate(external(grid).values()):
        heads = grid.draws.values(pipeline.opening.seekers)[:, None] * v.groups[:, q]
        seekers[:, q] = heads[..., None] * v.ages[q]
    posts = PostState(
        people=rows,
        tagged=np.full((n, n_levels, n_posts), -1.0),
        first_year=first_year,
        pools=pools(grid, opening),
        seekers=seekers,
        **offers(grid, m, opening),
    )
    training = Training(
        stages=np.zeros((n, n_stages, v.stage_months.max(initial=1), n_groups)),
        unplaced=np.zeros((n, n_stages, n_groups)),
        passed=np.zeros((n, n_pipelines, n_waits, n_groups)),
        failed=np.zeros((n, n_pipelines, n_attempts + 1, n_waits, n_groups)),
        queue=np.zeros((n, n_pipelines, n_attempts + 1, n_groups)),
        arriving=np.zeros((n, n_stages, n_groups)),
    )
    n_services, n_signals = m.system.work.split.shape[1], m.system.feedbacks.pace.shape[1]
    system = SystemState(  # the engine fills it in from the opening stock
        perceived=np.zeros((n, n_signals, n_posts)),
        reference=np.zeros((n, n_signals, n_posts)),
        staff=np.zeros((n, n_stages)),
        staff_reference=np.zeros((n, n_stages)),
        base=np.zeros((n, n_posts)),
        before_delegation=np.ones((n, n_services)),
        opening_need=np.zeros((n, n_services)),
        followed=np.ones((n, n_posts)),
        backlog=np.zeros((n, n_posts)),
    )
    return State(posts, training, system)


def pools(grid: Grid, opening: Floats) -> Floats:
    """People in pools at the start, by the post they left, shape (D, n_pools, P, G, A)."""
    found = grid.scenario.pools.values()
    by_age = opening.sum(axis=3)
    out = np.zeros((grid.draws.n, len(found), *by_age.shape[1:]))
    groups = shares(by_age.sum(axis=3), axis=2)
    for j, pool in enumerate(found):
        heads = grid.cells(pool.opening, ("post",))[..., None] * groups
        ages = shares(by_age, axis=3) if pool.opening_ages is None else grid.ages(pool.opening_ages)
        out[:, j] = heads[..., None] * ages
    return out


def offers(grid: Grid, m: Model, opening: Floats) -> dict[str, Floats]:
    """Offers at the start, spread evenly over the months of time to hire; mix of the post."""
    n, n_posts = opening.shape[:2]
    by_age = opening.sum(axis=3)
    mix = shares(by_age.reshape(n, n_posts, -1), axis=2).reshape(by_age.shape)
    out = np.zeros((n, m.posts.hiring.hire_months.max(initial=0) + 1, *by_age.shape[1:]))
    by_source = np.zeros((n, out.shape[1], n_posts, m.posts.hiring.kind.size + 1))
    hiring = grid.scenario.hiring
    heads = grid.cells(hiring.opening_offers if hiring else None, ("post",))
    for p, months in enumerate(m.posts.hiring.hire_months):
        if heads[:, p].max() > 0.0 and months == 0:
            raise InputError(
                f"hiring.opening_offers: {grid.scenario.posts[p].post} has offers but no time to hire. "
                "Set hiring.time_to_hire to a month or more, or leave the offers out."
            )
        for slot in range(months):
            out[:, slot, p] = (heads[:, p] / months)[:, None, None] * mix[:, p]
            by_source[:, slot, p, -1] = heads[:, p] / months
    return {"offers": out, "offers_by_source": by_source}


def begin_batches(grid: Grid, rows: Floats, found: list[Track]) -> None:
    """Move people who are in an internal pipeline at the start out of their post's own row.

    A batch that began j months before holds intake × month share × over_time × e^(−drop-out × (j − 1)/12),
    oldest first; `seekers` wait already, shared over the posts of origin by intake.
    """
    for track in found:
        pipeline = track.pipeline
        by_month = month_shares(pipeline.intake_months)
        drop_out = grid.draws.values(pipeline.drop_out)
        years = -(-pipeline.months // 12)
        for j in range(pipeline.months, 0, -1):
            year, calendar = divmod(grid.start % 12 - j, 12)
            if by_month[calendar] == 0.0:
                continue
            rank = sum(share > 0.0 for share in by_month[:calendar])
            at = np.array([0 if pipeline.opening.rule == "steady" else -j])
            factor = grid.over_time(pipeline.over_time, at)[:, 0] * np.exp(-drop_out * (j - 1) / 12.0)
            heads = track.intake * by_month[calendar] * factor
            take(grid, rows, track, track.first_row + rank * years + year % years, heads)
    for track in found:
        everywhere = sum(other.intake for other in found if other.name == track.name)
        share = track.intake / np.where(everywhere > 0.0, everywhere, 1.0)
        take(grid, rows, track, track.waiting, grid.draws.values(track.pipeline.opening.seekers) * share)


def take(grid: Grid, rows: Floats, track: Track, row: int, heads: Floats) -> None:
    """Move heads, at most everybody eligible, in proportion from a post's own row to another row."""
    first, end = grid.window(track.pipeline.ages)
    own = rows[:, grid.posts[track.post], :, :, first:end]
    eligible = own.sum(axis=(1, 2, 3))
    share = np.minimum(heads / np.where(eligible > 0.0, eligible, np.inf), 1.0)
    moved = share[:, None, None, None] * own
    rows[:, row, :, :, first:end] += moved
    own -= moved
