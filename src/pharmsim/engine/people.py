"""Steps 1 to 6: tags, vacancies, limits, competing risks, pools, arrivals.

The numbers are those of `docs/background/model.md`. Arguments: `m` a `Model`, `d` the draw, `t`
the period, `i` the step within the year of the model (row of `m.hazard`), `s` this draw's slice of
the state, `w` the scratch arrays.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pharmsim.compiled.arrays import PROMOTION, Floats, Model
from pharmsim.engine.jit import kernel
from pharmsim.engine.lived import copy as copy_array
from pharmsim.engine.lived import dot, halvings, largest, lived, total


class Scratch(NamedTuple):
    """Arrays that the kernel writes over at every step (P posts, R rows, G groups, C contracts, A ages)."""

    count: Floats  # (R, G, C): heads at the start of the step
    at_post: Floats  # (P, G, C): the same by post
    w: Floats  # (P, G, C): FTE per head now
    fte: Floats  # (P,)
    limit: Floats  # (P,): vacancy (FTE) at the start of the step, infinite without limit
    fte_per_hire: Floats  # (P,)
    wanted: Floats  # (P,): FTE wanting to arrive through edges and limited returns
    filled: Floats  # (P,): share of them for whom there is a vacancy
    arrived: Floats  # (P,): FTE that did
    edge_rate: Floats  # (E,): hazard after the limit
    returning: Floats  # (n_pools, P): heads that may return this step
    first_share: Floats  # (P,): first-year share
    lost: Floats  # (P,): leavers of this step
    gone: Floats  # (P,): retired and moved in this step
    hazard: Floats  # (G, C, A)
    time: Floats  # (G, C, A): years lived
    time_tagged: Floats  # (G, C, A): the same with changes of employer as a risk
    hazard_tagged: Floats  # (G, C, A)
    years: Floats  # (copies, R, G, C, A): person-years lived
    into_pool: Floats  # (n_pools, P, G, A)
    hires: Floats  # (n_sources, P): offers accepted this step
    demand: Floats  # (P,): heads
    hired: Floats  # (n_pipelines, P)
    row: Floats  # (A,)
    row2: Floats  # (A,)


def scratch(m: Model, n_groups: int, n_ages: int) -> Scratch:
    """Allocate the scratch arrays of one thread."""
    n_rows, (n_levels, n_posts) = m.home.size, m.block.shape
    n_contracts = m.fte_per_head.shape[3]
    n_pools, n_sources, n_pipelines = m.return_row.shape[0], m.source_kind.size, m.history.size
    cell, post = (n_groups, n_contracts, n_ages), (n_posts,)
    shapes = {
        "count": (n_rows, n_groups, n_contracts),
        "at_post": (n_posts, n_groups, n_contracts),
        "w": (n_posts, n_groups, n_contracts),
        "edge_rate": (m.edge_from.size,),
        "returning": (n_pools, n_posts),
        "hazard": cell,
        "time": cell,
        "time_tagged": cell,
        "hazard_tagged": cell,
        "years": (1 + n_levels, n_rows, *cell),
        "into_pool": (n_pools, n_posts, n_groups, n_ages),
        "hires": (n_sources, n_posts),
        "hired": (n_pipelines, n_posts),
        "row": (n_ages,),
        "row2": (n_ages,),
    }
    return Scratch(**{name: np.zeros(shapes.get(name, post)) for name in Scratch._fields})


@kernel
def still_tagged(m, people, tagged, kept_out, tagged_out, year):  # type: ignore[no-untyped-def]
    """Step 1. Record who was tagged twelve months ago and who still is."""
    n_levels, n_posts = m.block.shape
    for level in range(n_levels):
        if tagged[level, 0] < 0.0 or year < 0:
            continue
        for p in range(n_posts):
            tagged_out[year, level, p] = tagged[level, p]
            kept_out[year, level, p] = 0.0
        for r in range(m.home.size):
            kept_out[year, level, m.home[r]] += total(people[1 + level, r])


@kernel
def tag(m, people, tagged):  # type: ignore[no-untyped-def]
    """Step 1. Tag everybody in post anew, one copy a level."""
    n_levels, n_posts = m.block.shape
    for level in range(n_levels):
        for p in range(n_posts):
            tagged[level, p] = 0.0
        for r in range(m.home.size):
            if m.block[level, m.home[r]] >= 0:
                copy_array(people[0, r], people[1 + level, r])
                tagged[level, m.home[r]] += total(people[0, r])
            else:
                people[1 + level, r] = 0.0


@kernel
def count(m, d, month, s, w):  # type: ignore[no-untyped-def]
    """Heads by row and post, FTE per head now, FTE in post, first-year share."""
    n_rows, n_groups, n_contracts = w.count.shape
    w.at_post[:] = 0.0
    w.fte[:] = 0.0
    for p in range(w.fte.size):
        for g in range(n_groups):
            for c in range(n_contracts):
                w.w[p, g, c] = m.fte_per_head[d, p, g, c]
                if m.has_drift:
                    w.w[p, g, c] *= (1.0 + m.hours_drift[d, p, g, c]) ** (month / 12.0)
    for r in range(n_rows):
        p = m.home[r]
        for g in range(n_groups):
            for c in range(n_contracts):
                heads = total(s.people[d, 0, r, g, c])
                w.count[r, g, c] = heads
                w.at_post[p, g, c] += heads
                w.fte[p] += heads * w.w[p, g, c]
    for p in range(w.fte.size):
        heads = w.at_post[p].sum()
        young = s.first_year[d, p].sum()
        w.first_share[p] = min(young / heads, 1.0) if heads > 0.0 else 0.0


@kernel
def vacancies(m, d, t, s, w):  # type: ignore[no-untyped-def]
    """Step 2. Vacancy of each post in FTE, net of outstanding offers."""
    for p in range(w.fte.size):
        heads = w.at_post[p].sum()
        w.fte_per_hire[p] = 0.0
        for g in range(w.w.shape[1]):
            share = w.at_post[p, g].sum() / heads if heads > 0.0 else m.opening_groups[p, g]
            for c in range(w.w.shape[2]):
                w.fte_per_hire[p] += share * m.hire_contracts[d, p, g, c] * w.w[p, g, c]
        offered = 0.0
        for slot in range(s.offers.shape[1]):
            offered += total(s.offers[d, slot, p])
        funded = m.establishment[d, p] * m.policy_factor[d, m.policy[p], t]
        w.limit[p] = funded - w.fte[p] - offered * w.fte_per_hire[p]


@kernel
def wanted_by_edge(m, e, s, d, w):  # type: ignore[no-untyped-def]
    """Heads eligible for an edge, and their FTE at the destination."""
    r, p = m.edge_from[e], m.edge_to[e]
    first, end = m.edge_first[e], m.edge_end[e]
    heads = fte = 0.0
    for g in range(w.w.shape[1]):
        for c in range(w.w.shape[2]):
            n = w.count[r, g, c]
            if first > 0 or end < s.people.shape[5]:
                n = total(s.people[d, 0, r, g, c, first:end])
            heads += n
            fte += n * w.w[p, g, c]
    return heads, fte


@kernel
def limits(m, d, t, i, dt, s, w, blocked_out):  # type: ignore[no-untyped-def]
    """Step 3. Wanted arrivals, the share for which there is a vacancy, limited hazards."""
    hazard = m.hazard[i[0], i[1]]
    w.wanted[:] = 0.0
    for e in range(m.edge_from.size):
        rate = m.edge_rate[d, e] * m.edge_over_time[d, m.edge_kind[e], t]
        if m.edge_kind[e] == PROMOTION:
            rate *= 1.0 - w.first_share[m.home[m.edge_from[e]]]
        w.edge_rate[e] = rate
        _, fte = wanted_by_edge(m, e, s, d, w)
        w.wanted[m.edge_to[e]] += rate * dt * fte
    n_pools, n_posts, n_groups = m.return_row.shape
    for j in range(n_pools):
        for p in range(n_posts):
            w.returning[j, p] = 0.0
            for g in range(n_groups):
                heads = dot(s.pools[d, j, p, g], hazard[m.return_row[j, p, g]]) * m.return_scale[d, j, p, g]
                w.returning[j, p] += heads
                if m.pool_limited[j]:
                    for c in range(w.w.shape[2]):
                        w.wanted[p] += heads * dt * m.return_contracts[d, j, p, g, c] * w.w[p, g, c]
    for p in range(n_posts):
        w.filled[p] = 1.0
        if w.wanted[p] > 0.0 and w.limit[p] < w.wanted[p]:
            w.filled[p] = max(w.limit[p], 0.0) / w.wanted[p]
    for e in range(m.edge_from.size):
        open_share = w.filled[m.edge_to[e]]
        if open_share < 1.0:
            heads, _ = wanted_by_edge(m, e, s, d, w)
            blocked_out[e] += (1.0 - open_share) * w.edge_rate[e] * dt * heads
            w.edge_rate[e] *= open_share


@kernel
def risk(m, d, t, k, p, g, c, first_year):  # type: ignore[no-untyped-def]
    """Multiplier of risk `k`'s row of hazards for a cell; 0 where the risk does not exist."""
    if k >= m.n_leave + m.n_retire and m.switch_from[k - m.n_leave - m.n_retire] != c:
        return 0.0
    x = m.risk_scale[d, k, p, g, c] * m.risk_over_time[d, k, t]
    return x * first_year if k < m.n_leave else x


@kernel
def multiplier(m, d, p, w):  # type: ignore[no-untyped-def]
    """Leaving relative to the opening mix of first-year and other staff."""
    excess = m.first_year_ratio[d, p] - 1.0
    return (1.0 + excess * w.first_share[p]) / (1.0 + excess * m.first_year_share[d, p])


@kernel
def total_hazard(m, d, t, i, r, drop_out, w):  # type: ignore[no-untyped-def]
    """Λ of every cell of a row."""
    p = m.home[r]
    hazard = m.hazard[i[0], i[1]]
    first_year = multiplier(m, d, p, w)
    w.hazard[:] = drop_out
    for g in range(w.hazard.shape[0]):
        for c in range(w.hazard.shape[1]):
            out = w.hazard[g, c]
            for k in range(m.risk_row.shape[0]):
                x = risk(m, d, t, k, p, g, c, first_year)
                if x != 0.0:
                    row = hazard[m.risk_row[k, p, g, c]]
                    for a in range(out.size):
                        out[a] += x * row[a]
    for e in range(m.edge_from.size):
        if m.edge_from[e] == r:
            for g in range(w.hazard.shape[0]):
                for c in range(w.hazard.shape[1]):
                    for a in range(m.edge_first[e], m.edge_end[e]):
                        w.hazard[g, c, a] += w.edge_rate[e]


@kernel
def survive(people, hazard, time, years):  # type: ignore[no-untyped-def]
    """Person-years lived in the cells of a row, and who is still there at the end of the step."""
    people, hazard = people.reshape(people.size), hazard.reshape(hazard.size)
    time, years = time.reshape(time.size), years.reshape(years.size)
    for a in range(people.size):
        lived_here = people[a] * time[a]
        years[a] = lived_here
        people[a] -= hazard[a] * lived_here


@kernel
def survive_all(m, d, t, r, dt, s, w):  # type: ignore[no-untyped-def]
    """The stock and its tagged copies through the competing risks of one row."""
    n = halvings(largest(w.hazard) * dt)
    lived(w.hazard, dt, n, w.time)
    survive(s.people[d, 0, r], w.hazard, w.time, w.years[0, r])
    any_employer = False
    for level in range(m.level_employer.size):
        any_employer = any_employer or m.level_employer[level]
    if any_employer:
        for g in range(w.hazard.shape[0]):
            for c in range(w.hazard.shape[1]):
                x = m.employer_change[d, m.home[r], g, c] * m.employer_over_time[d, t]
                for a in range(w.hazard.shape[2]):
                    w.hazard_tagged[g, c, a] = w.hazard[g, c, a] + x
        n = halvings(largest(w.hazard_tagged) * dt)
        lived(w.hazard_tagged, dt, n, w.time_tagged)
    for level in range(m.level_employer.size):
        copy, years = s.people[d, 1 + level, r], w.years[1 + level, r]
        if m.level_employer[level]:
            survive(copy, w.hazard_tagged, w.time_tagged, years)
        else:
            survive(copy, w.hazard, w.time, years)


@kernel
def leave(m, d, t, i, r, w, leavers_out, retired_out):  # type: ignore[no-untyped-def]
    """Leavers by destination and the retired of one row; leavers into pools by group and age."""
    p = m.home[r]
    hazard = m.hazard[i[0], i[1]]
    first_year = multiplier(m, d, p, w)
    for g in range(w.hazard.shape[0]):
        for c in range(w.hazard.shape[1]):
            years = w.years[0, r, g, c]
            for k in range(m.n_leave + m.n_retire):
                x = risk(m, d, t, k, p, g, c, first_year)
                if x == 0.0:
                    continue
                row = hazard[m.risk_row[k, p, g, c]]
                heads = x * dot(row, years)
                if k >= m.n_leave:
                    retired_out[p] += heads
                    w.gone[p] += heads
                    continue
                leavers_out[p, k] += heads
                w.lost[p] += heads
                if m.leave_pool[k] >= 0:
                    pool = w.into_pool[m.leave_pool[k], p, g]
                    for a in range(pool.size):
                        pool[a] += x * row[a] * years[a]


@kernel
def switch(m, d, t, i, r, s, w, switches_out):  # type: ignore[no-untyped-def]
    """Contract switches inside one row, in the stock and its tagged copies."""
    p = m.home[r]
    hazard = m.hazard[i[0], i[1]]
    first = m.n_leave + m.n_retire
    for k in range(first, m.risk_row.shape[0]):
        c, to = m.switch_from[k - first], m.switch_to[k - first]
        for g in range(w.hazard.shape[0]):
            x = risk(m, d, t, k, p, g, c, 1.0)
            if x == 0.0:
                continue
            row = hazard[m.risk_row[k, p, g, c]]
            switches_out[p, k - first] += x * dot(row, w.years[0, r, g, c])
            for copy in range(s.people.shape[1]):
                years, out = w.years[copy, r, g, c], s.people[d, copy, r, g, to]
                for a in range(out.size):
                    out[a] += x * row[a] * years[a]


@kernel
def drop_outs(d, r, p, rate, s, w):  # type: ignore[no-untyped-def]
    """Trainees of an internal pipeline who give it up go back to their post's own row."""
    for copy in range(s.people.shape[1]):
        out = s.people[d, copy, p].reshape(w.hazard.size)
        years = w.years[copy, r].reshape(w.hazard.size)
        for a in range(out.size):
            out[a] += rate * years[a]


@kernel
def move(m, d, s, w, moves_out):  # type: ignore[no-untyped-def]
    """Step 6. Moves, promotions and role changes arrive; a tag is kept inside its block."""
    for e in range(m.edge_from.size):
        rate = w.edge_rate[e]
        if rate == 0.0:
            continue
        r, p, first, end = m.edge_from[e], m.edge_to[e], m.edge_first[e], m.edge_end[e]
        home = m.home[r]
        for g in range(w.w.shape[1]):
            for c in range(w.w.shape[2]):
                heads = rate * total(w.years[0, r, g, c, first:end])
                moves_out[e] += heads
                w.gone[home] += heads
                w.arrived[p] += heads * w.w[p, g, c]
        for copy in range(s.people.shape[1]):
            if copy > 0 and (m.block[copy - 1, home] < 0 or m.block[copy - 1, home] != m.block[copy - 1, p]):
                continue
            for g in range(w.w.shape[1]):
                for c in range(w.w.shape[2]):
                    years, out = w.years[copy, r, g, c], s.people[d, copy, p, g, c]
                    for a in range(first, end):
                        out[a] += rate * years[a]


@kernel
def pools(m, d, i, dt, s, w, returns_out, losses_out):  # type: ignore[no-untyped-def]
    """Step 5. Returns to the post left, and losses for good; then this step's leavers come in."""
    hazard = m.hazard[i[0], i[1]]
    n_pools, n_posts, n_groups = m.return_row.shape
    for j in range(n_pools):
        for p in range(n_posts):
            filled = w.filled[p] if m.pool_limited[j] else 1.0
            for g in range(n_groups):
                pool = s.pools[d, j, p, g]
                back = hazard[m.return_row[j, p, g]]
                away = hazard[m.lapse_row[j, p, g]]
                x, y = m.return_scale[d, j, p, g] * filled, m.lapse_scale[d, j, p, g]
                for a in range(pool.size):
                    w.row[a] = x * back[a] + y * away[a]
                lived(w.row, dt, halvings(largest(w.row) * dt), w.row2)
                for a in range(pool.size):
                    w.row2[a] *= pool[a]
                    pool[a] += w.into_pool[j, p, g, a] - w.row[a] * w.row2[a]
                    w.into_pool[j, p, g, a] = 0.0
                heads = x * dot(back, w.row2)
                losses_out[j, p] += y * dot(away, w.row2)
                returns_out[j, p] += heads
                for c in range(w.w.shape[2]):
                    share = m.return_contracts[d, j, p, g, c]
                    if m.pool_limited[j]:
                        w.arrived[p] += heads * share * w.w[p, g, c]
                    out = s.people[d, 0, p, g, c]
                    for a in range(pool.size):
                        out[a] += share * x * back[a] * w.row2[a]


@kernel
def mature(m, d, s, w):  # type: ignore[no-untyped-def]
    """Step 6, first-year staff: they leave at the stated ratio of the others' hazard."""
    for p in range(w.fte.size):
        heads = w.at_post[p].sum()
        if heads <= 0.0 or w.first_share[p] == 0.0:
            continue
        ratio = m.first_year_ratio[d, p]
        stay = 1.0 - w.lost[p] / heads
        if ratio != 1.0:
            stay = stay ** (ratio / (1.0 + (ratio - 1.0) * w.first_share[p]))
        stay *= 1.0 - w.gone[p] / heads
        for slot in range(s.first_year.shape[2]):
            s.first_year[d, p, slot] *= stay
