"""Establishment and its policies, pay, budgets: `Funding` and `Money`."""

from __future__ import annotations

import numpy as np

from pharmsim.compiled.arrays import Clock, Floats, Funding, Ints
from pharmsim.compiled.grid import Grid
from pharmsim.compiled.people import stack
from pharmsim.compiled.strength import Change, affine, in_order, made_by, of_quantity, shape
from pharmsim.compiled.system_arrays import Money
from pharmsim.compiled.work import all_months, mask, progress
from pharmsim.errors import InputError
from pharmsim.scenario.expand import select_posts
from pharmsim.scenario.interventions import Intervention
from pharmsim.scenario.models import Policy


def pace(months: Floats, clock: Clock) -> Floats:
    """Share of a change that is perceived in a period, for a mean delay in months (all at once for 0)."""
    late = months > 0.0
    return np.where(late, -np.expm1(-clock.months_per_period / np.where(late, months, 1.0)), 1.0)


def funding(grid: Grid, clock: Clock, hours: tuple[Floats, Floats], opening_fte: Floats) -> Funding:
    """FTE per head, funded FTE at the start and its policies over time, temporary cover.

    Parameters
    ----------
    grid : Grid
    clock : Clock
    hours : tuple of float64 array
        As `pharmsim.compiled.people.fte_per_head` returns.
    opening_fte : float64 array, shape (D, P), FTE
    """
    s = grid.scenario
    n, months = grid.draws.n, all_months(clock)
    funded = np.full((n, len(s.posts)), np.inf)
    policy = np.zeros(len(s.posts), dtype=np.int64)
    factors = [np.ones((n, len(months)))]
    if s.establishment is not None:
        if s.establishment.fte is not None:
            funded = grid.cells(s.establishment.fte, ("post",))
        else:
            funded = opening_fte / (1.0 - grid.cells(s.establishment.vacancy_rate, ("post",)))
        for where in s.establishment.unconstrained:
            funded[:, select_posts(s, where)] = np.inf
        rules = s.establishment.over_time
        for i, rule in enumerate(rules):
            policy[select_posts(s, rule.where)] = i + 1
        limited = np.where(np.isinf(funded), 0.0, funded)
        for i, rule in enumerate(rules):
            factors.append(policy_factor(grid, rule, i, months, limited[:, policy == i + 1].sum(axis=1)))
    share = grid.cells(s.cover.share if s.cover else None, ("post",))
    cap = grid.cells(s.cover.cap, ("post",), 1.0) if s.cover else np.zeros(funded.shape)
    factor = np.stack(factors, axis=1)
    return Funding(*hours, bool(hours[1].any()), funded, policy, factor, share, cap)


def policy_factor(grid: Grid, rule: Policy, i: int, months: Ints, funded: Floats) -> Floats:
    """Factor of the establishment by a policy, shape (D, T + 1); `funded`: FTE of its posts, shape (D,)."""
    n = grid.draws.n
    if rule.policy == "grow" and rule.growth is not None:
        return np.asarray((1.0 + grid.draws.values(rule.growth))[:, None] ** (months / 12.0))
    if rule.policy == "table":
        return grid.over_time(rule.table, months)
    if rule.policy == "reduce" and rule.start is not None and rule.end is not None:
        if rule.by_fte is not None:
            fte = grid.draws.values(rule.by_fte)
            if (fte > funded).any():
                raise InputError(
                    f"establishment.over_time[{i}].by_fte: must be at most the establishment of its posts, "
                    f"{funded.min():.1f} FTE; got {fte.max():.1f}. Reduce it, or name more posts."
                )
            share = fte / np.where(funded > 0.0, funded, 1.0)
        else:
            share = grid.draws.values(rule.by_share) if rule.by_share is not None else np.zeros(n)
        return np.asarray(1.0 - share[:, None] * progress(grid, rule.start, rule.end, months))
    return np.ones((n, len(months)))


def money(grid: Grid, clock: Clock, funding: Funding, found: list[Change]) -> Money:
    """Cost of an FTE, budgets, transfers of establishment, establishment that follows need.

    Raises
    ------
    InputError
        If redistribution and joint posts take more establishment than interventions leave.
    """
    s = grid.scenario
    n, n_posts, months = grid.draws.n, len(s.posts), all_months(clock)
    cost, rows = cost_of_fte(grid), list(s.pay.over_time) if s.pay else []
    pay_row = np.zeros(n_posts, dtype=np.int64)
    for i, row in enumerate(rows):
        pay_row[select_posts(s, row.where)] = i + 1
    index = [np.ones((n, len(months))), *(grid.over_time(row.index, months, row.steps) for row in rows)]
    pay_index = np.stack(index, axis=1)
    inside = np.zeros((len(s.budgets), n_posts), dtype=np.bool_)
    budgets = []
    for i, budget in enumerate(s.budgets.values()):
        posts = select_posts(s, budget.where)
        inside[i, posts] = True
        if budget.per_year is not None:
            budgets.append(grid.over_time(budget.per_year, months, budget.steps))
        else:
            opening = funding.establishment[:, posts] * cost[:, posts] * pay_index[:, pay_row[posts], 0]
            factor = grid.over_time(budget.of_opening, months, budget.steps)
            budgets.append(factor * opening.sum(axis=1, keepdims=True))
    follow, delay = np.zeros((n, n_posts)), np.zeros((n, n_posts))
    for rule in s.establishment.over_time if s.establishment else ():
        posts = select_posts(s, rule.where)
        follows = rule.policy == "follow" and rule.share is not None and rule.delay is not None
        follow[:, posts] = grid.draws.values(rule.share)[:, None] if follows and rule.share else 0.0
        delay[:, posts] = grid.draws.values(rule.delay)[:, None] if follows and rule.delay else 0.0
    transfer, steps = transfers(grid, months, funding, of_quantity(found, "establishment"))
    new = [rule.new for rule in (s.establishment.redistribution if s.establishment else ())]
    new += [item.posts is not None and item.posts.new for item, _ in joint_posts(grid, funding)]
    return Money(
        cost=cost,
        pay_row=pay_row,
        pay_index=pay_index,
        premium=grid.cells(s.pay.cover_premium if s.pay else None, ("post",), 1.0),
        inside=inside,
        budget=stack(budgets, (n, 0, len(months))),
        caps=np.array([budget.caps for budget in s.budgets.values()], dtype=np.bool_),
        transfer=transfer,
        transfer_progress=steps,
        transfer_new=np.array(new, dtype=np.bool_),
        follow=follow,
        follow_pace=pace(delay, clock),
    )


def cost_of_fte(grid: Grid) -> Floats:
    """(Pay + weighting) × (1 + on-costs), shape (D, P), GBP per year."""
    pay = grid.scenario.pay
    if pay is None:
        return np.zeros((grid.draws.n, len(grid.scenario.posts)))
    cost = grid.cells(pay.per_fte, ("post",))
    if pay.weighting is not None:
        share = grid.cells(pay.weighting.share, ("post",))
        low, high = (grid.draws.values(x)[:, None] for x in (pay.weighting.lowest, pay.weighting.highest))
        cost = cost + np.where(share > 0.0, np.clip(share * cost, low, high), 0.0)
    return np.asarray(cost * (1.0 + grid.cells(pay.on_costs, ("post",))))


def transfers(grid: Grid, months: Ints, funding: Funding, changing: list[Change]) -> tuple[Floats, Floats]:
    """Establishment moved by every transfer, by post, and its progress over time.

    Returns
    -------
    transfer : float64 array, shape (D, transfers, P), FTE at the end
    progress : float64 array, shape (transfers, T + 1)
    """
    s = grid.scenario
    n, n_posts = grid.draws.n, len(s.posts)
    found = s.establishment.redistribution if s.establishment else ()
    moved, steps = [], []
    for rule in found:
        fte = grid.draws.values(rule.fte)[:, None]
        change = fte * shares(funding.establishment, mask(s, rule.to))
        if rule.from_ is not None:
            change = change - fte * shares(funding.establishment, mask(s, rule.from_))
        moved.append(change)
        steps.append(progress(grid, rule.start, rule.end, months))
    for item, change in joint_posts(grid, funding):
        moved.append(change)
        steps.append(shape(grid, item, months))
    transfer, done = stack(moved, (n, 0, n_posts)), np.array(steps).reshape(-1, len(months))
    for p in np.flatnonzero((transfer < 0.0).any(axis=(0, 1))):
        factor = funding.policy_factor[:, funding.policy[p]]
        a, b = affine([change for change in changing if change.posts[p]], (n, len(months)))
        left = (a * funding.establishment[:, p, None] + b) * factor + transfer[:, :, p] @ done
        for draw in np.flatnonzero(left.min(axis=1) < -1e-9)[:1]:
            raise InputError(
                f"establishment: transfers and joint posts take more than there is from {s.posts[p].post}: "
                f"its establishment would fall to {left[draw].min():.1f} FTE in draw "
                f"{grid.draws.first + draw}. Move less, or from more posts."
            )
    return transfer, done


def joint_posts(grid: Grid, funding: Funding) -> list[tuple[Intervention, Floats]]:
    """Establishment that each intervention makes joint, by post, shape (D, P), FTE once fully taken up.

    One entry for each joint post, so that money stays in the budgets between which it moves.
    """
    s, found = grid.scenario, []
    names = [post.post for post in s.posts]
    for item in in_order(s):
        if item.posts is None:
            continue
        for p in np.flatnonzero(made_by(s, item)):
            change = np.zeros((grid.draws.n, len(names)))
            old = names.index(s.posts[p].like)
            fte = grid.draws.values(item.uptake) * funding.establishment[:, old]
            if np.isfinite(fte).all():
                change[:, p] += fte
                change[:, old] -= 0.0 if item.posts.new else fte
            if change.any():
                found.append((item, change))
    return found


def shares(funded: Floats, posts: np.ndarray) -> Floats:
    """Shares of the selected posts in their establishment, equal where there is none, shape (D, P)."""
    weights = np.where(posts, funded, 0.0)
    sums = weights.sum(axis=1, keepdims=True)
    return np.where(sums > 0.0, weights / np.where(sums > 0.0, sums, 1.0), posts / posts.sum())
