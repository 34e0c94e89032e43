"""Risks of people in post, edges between posts, pools, levels: parts of `Model`."""

from __future__ import annotations

import numpy as np

from pharmsim.compiled.arrays import (
    MOVE,
    PROMOTION,
    ROLE_CHANGE,
    Clock,
    Edges,
    Floats,
    Ints,
    Levels,
    Pools,
    Risks,
)
from pharmsim.compiled.grid import EVERY_CELL, Grid
from pharmsim.compiled.hazards import HazardRows
from pharmsim.compiled.parts import RiskPart, numbers
from pharmsim.errors import InputError
from pharmsim.scenario.models import Edge, Moves, Promotions, Scenario
from pharmsim.scenario.services import block_shares
from pharmsim.scenario.training import InternalPipeline


def period_months(clock: Clock) -> Ints:
    """First month of every period, shape (T,)."""
    return np.arange(clock.n_periods) * clock.months_per_period


def risks(grid: Grid, rows: HazardRows, clock: Clock, parts: list[RiskPart]) -> Risks:
    """Leaving by destination, retirement, switches of contract, changes of employer.

    The table of hazards itself is filled in last, when all rows are known.

    Parameters
    ----------
    grid : Grid
    rows : HazardRows
    clock : Clock
    parts : list of RiskPart
        In the order of the risks.
    """
    s = grid.scenario
    contracts, pools = list(s.contracts), list(s.pools)
    added = {part.risk: rows.add(part.flow.rate) for part in parts}
    found = [part.cells(rows, *added[part.risk]) for part in parts]
    n, shape = grid.draws.n, grid.shape(EVERY_CELL)
    months = period_months(clock)
    into = [leaving.into for leaving in s.leaving.values()]
    change = s.employer_change
    switched = numbers(parts, "switching", [switch.name for switch in s.switches])
    ratio = grid.cells(s.first_year.leaving_ratio if s.first_year else None, ("post",), 1.0)
    share = grid.cells(s.first_year.opening_share if s.first_year else None, ("post",))
    if (1.0 + (ratio - 1.0) * share).min() <= 0.0:
        raise InputError(
            "first_year: a leaving_ratio of 0 with an opening_share of 100 % says that nobody leaves at the "
            "start, so that the leaving rates are averages over nobody. Change one of the two."
        )
    return Risks(
        hazard=np.zeros((0, 0, 0, 0)),
        row=np.array([row for row, _ in found], dtype=np.int64).reshape(len(parts), *shape),
        scale=stack([scale for _, scale in found], (n, 0, *shape)),
        over_time=stack([grid.over_time(p.flow.over_time, months) for p in parts], (n, 0, len(months))),
        n_leave=len([part for part in parts if part.quantity == "leaving"]),
        n_retire=len([part for part in parts if part.quantity == "retirement"]),
        n_switches=len(s.switches),
        leave_to=numbers(parts, "leaving", list(s.leaving)),
        leave_pool=np.array([pools.index(name) if name else -1 for name in into], dtype=np.int64),
        switch_as=switched,
        switch_from=np.array([contracts.index(switch.from_) for switch in s.switches], dtype=np.int64)[
            switched
        ],
        switch_to=np.array([contracts.index(switch.to) for switch in s.switches], dtype=np.int64)[switched],
        employer_change=grid.cells(change.rate if change else None, EVERY_CELL),
        employer_over_time=grid.over_time(change.over_time if change else None, months),
        first_year_ratio=ratio,
        first_year_mean=1.0 + (ratio - 1.0) * share,
        first_year_share=share,
    )


def stack(parts: list[Floats], empty: tuple[int, ...]) -> Floats:
    """Stack along a new second axis; an array of shape `empty` if there is nothing to stack."""
    return np.stack(parts, axis=1) if parts else np.zeros(empty)


def edges(grid: Grid, clock: Clock, waiting: dict[tuple[str, str], int], n_rows: int) -> Edges:
    """Moves, promotions and role changes, in this order.

    Parameters
    ----------
    grid : Grid
    clock : Clock
    waiting : dict
        Row of the qualified of (internal pipeline, post of origin).
    n_rows : int
    """
    s = grid.scenario
    found: list[tuple[int, int, int, tuple[int, int], Floats]] = []
    shared: list[Floats] = []
    sections = [(MOVE, s.moves), (PROMOTION, s.promotions)]
    for kind, section in ((kind, section) for kind, section in sections if section):
        for edge in section.edges:
            as_stated = is_entry_or_exit(s, edge)
            rate = grid.draws.values(edge.rate) * (1.0 if as_stated else grid.draws.values(section.factor))
            ends = grid.posts[edge.from_], grid.posts[edge.to], ROLE_CHANGE if as_stated else kind
            found.append((*ends, grid.window(section.ages), rate))
            shared.append(overlap(grid, section, edge.from_, edge.to))
    internal = {n: p for n, p in s.pipelines.items() if isinstance(p, InternalPipeline)}
    for name, pipeline in internal.items():
        for route in (route for route in pipeline.routes if (name, route.from_) in waiting):
            rate = grid.draws.values(pipeline.take_up) * grid.draws.values(route.share)
            row = waiting[name, route.from_]
            found.append((row, grid.posts[route.to], ROLE_CHANGE, grid.window(None), rate))
            shared.append(np.ones(grid.draws.n))
    months = period_months(clock)
    series = [s.moves.over_time if s.moves else None, s.promotions.over_time if s.promotions else None, None]
    columns = [np.array([edge[k] for edge in found], dtype=np.int64) for k in range(3)]
    groups = list(dict.fromkeys((edge[0], *edge[3]) for edge in found))
    group = np.array([groups.index((edge[0], *edge[3])) for edge in found], dtype=np.int64)
    able = np.array(groups, dtype=np.int64).reshape(-1, 3)
    by_row = np.lexsort((group, columns[0]))
    return Edges(
        origin=columns[0],
        to=columns[1],
        kind=columns[2],
        able=group,
        rate=stack([edge[4] for edge in found], (grid.draws.n, 0)),
        overlap=stack(shared, (grid.draws.n, 0)),
        over_time=np.stack([grid.over_time(x, months) for x in series], axis=1),
        by_row=by_row.astype(np.int64),
        row_start=np.searchsorted(columns[0][by_row], np.arange(n_rows + 1)).astype(np.int64),
        able_row=able[:, 0].copy(),
        able_first=able[:, 1].copy(),
        able_end=able[:, 2].copy(),
    )


def is_entry_or_exit(scenario: Scenario, edge: Edge) -> bool:
    """Return whether an edge joins a post and the joint post beside it: its rate holds as it is stated."""
    ends = {edge.from_, edge.to}
    return any({post.post, post.like} == ends for post in scenario.posts)


def overlap(grid: Grid, section: Moves | Promotions, origin: str, to: str) -> Floats:
    """Skills overlap of an edge in every draw, shape (D,); 1 where none is stated."""
    for row in section.skills_overlap if isinstance(section, Moves) else ():
        if row.from_ == origin and row.to == to:
            return grid.draws.values(row.share)
    return np.ones(grid.draws.n)


def pools(grid: Grid, rows: HazardRows, opening_contracts: Floats) -> Pools:
    """Returns and losses of every pool; contracts of those who return.

    Parameters
    ----------
    grid : Grid
    rows : HazardRows
    opening_contracts : float64 array, shape (D, P, G, C)
        Used by pools without `contracts`.
    """
    found = list(grid.scenario.pools.values())
    n, shape = grid.draws.n, grid.shape(("post", "group"))
    back = [rows.add(pool.return_rate, ("post", "group")) for pool in found]
    away = [rows.add(pool.lapse_rate, ("post", "group")) for pool in found]
    contracts = [
        opening_contracts if pool.contracts is None else grid.shares(pool.contracts, EVERY_CELL, "contract")
        for pool in found
    ]
    return Pools(
        return_row=np.array([row for row, _ in back], dtype=np.int64).reshape(-1, *shape),
        return_scale=stack([scale for _, scale in back], (n, 0, *shape)),
        lapse_row=np.array([row for row, _ in away], dtype=np.int64).reshape(-1, *shape),
        lapse_scale=stack([scale for _, scale in away], (n, 0, *shape)),
        limited=np.array([pool.limited for pool in found], dtype=np.bool_),
        contracts=stack(contracts, (n, 0, *grid.shape(EVERY_CELL))),
    )


def fte_per_head(grid: Grid, clock: Clock) -> tuple[Floats, Floats]:
    """FTE per head at the start and its drift per year, shapes (D, P, G, C)."""
    s = grid.scenario
    fte = grid.cells(s.fte_per_head, EVERY_CELL, 1.0)
    drift = grid.cells(s.hours_drift, EVERY_CELL)
    end = fte * (1.0 + drift) ** (clock.n_periods * clock.months_per_period / 12.0)
    if end.max() > 1.5:
        raise InputError(
            f"hours_drift: FTE per head must stay at most 1.5; it reaches {end.max():.2f} by {s.end}. "
            "Use a smaller drift."
        )
    return fte, drift


def levels(scenario: Scenario, edges: Edges, home: Ints) -> Levels:
    """Tagged copies for every level of retention: one, or one a block where joint posts overlap.

    Parameters
    ----------
    scenario : Scenario
    edges : Edges
    home : int64 array, shape (R,)
        Post of every row.
    """
    found = list(scenario.retention.levels.values()) if scenario.retention else []
    level, block, share, keeps, employer, first = [], [], [], [], [], 0
    for k, node in enumerate(found):
        parts = block_shares(scenario, node)
        names = list(dict.fromkeys(name for part in parts for name in part))
        overlap = any(len(part) > 1 or 0.0 < sum(part.values()) < 1.0 - 1e-9 for part in parts)
        for copy in [[name] for name in names] if overlap else [names]:
            here = [next(((name, part[name]) for name in copy if name in part), None) for part in parts]
            level.append(k)
            employer.append(node.employer_changes)
            block.append([first + names.index(found[0]) if found else -1 for found in here])
            share.append([found[1] if found else 0.0 for found in here])
            ends = [(here[home[row]], here[to]) for row, to in zip(edges.origin, edges.to, strict=True)]
            keeps.append([bool(a and b and a[0] == b[0]) for a, b in ends])
        first += len(names)
    n_copies, n_posts = len(level), len(scenario.posts)
    oldest, youngest = scenario.ages.last, scenario.ages.first
    return Levels(
        level=np.array(level, dtype=np.int64),
        block=np.array(block, dtype=np.int64).reshape(n_copies, n_posts),
        share=np.array(share, dtype=np.float64).reshape(n_copies, n_posts),
        keeps=np.array(keeps, dtype=np.bool_).reshape(n_copies, edges.origin.size),
        employer=np.array(employer, dtype=np.bool_),
        n_levels=len(found),
        n_blocks=first,
        index_55=min(max(55 - youngest, 0), oldest - youngest + 2),
        last=oldest - youngest,
    )
