"""Steps 4 to 6 with whole people: who leaves a cell, where they go, who comes back from a pool.

The hazards are those of `pharmsim.engine.competing`. Names of the arguments as in `pharmsim.engine.people`;
`x` is the `Chance`. Cells with nobody are skipped.
"""

from __future__ import annotations

import math

from pharmsim.engine.chance import (
    CONTRACT,
    EDGE,
    EMPLOYER,
    ENOUGH,
    EXIT,
    LEAVE,
    RETURN,
    binomial,
    mix,
    poisson,
    take,
    uniform,
)
from pharmsim.engine.competing import hazards
from pharmsim.engine.jit import kernel, small
from pharmsim.engine.lived import halvings, lived


@kernel
def make_room(w, x):  # type: ignore[no-untyped-def]
    """Step 2. What is free of the establishment, an offer counted by the mean contract of hires."""
    for p in range(w.fte.size):
        x.room[p] = w.limit[p]
        x.freed[p] = 0.0


@kernel
def record_unfillable(d, t, w, out):  # type: ignore[no-untyped-def]
    """Step 11. The part of every vacancy that is less than the mean contract of hires."""
    for p in range(w.fte.size):
        if w.limit[p] > 0.0 and not math.isinf(w.limit[p]) and w.fte_per_hire[p] > 0.0:
            whole = math.floor(w.limit[p] / w.fte_per_hire[p] + ENOUGH)
            out[d, t, p] = max(w.limit[p] - whole * w.fte_per_hire[p], 0.0)


@kernel
def change(m, d, t, i, dt, people, key, w, o, x):  # type: ignore[no-untyped-def]
    """Steps 4 and 6. Everybody in post through the competing risks; arrivals act at the end of the step."""
    risks, edges, tracks, levels = m.risks, m.edges, m.tracks, m.levels
    hazard = risks.hazard[i[0], i[1]]
    highest = hazards(hazard, w.peak[i[0], i[1]], edges, tracks, d, w)
    lived(w.hazard, dt, halvings(highest * dt), w.time)
    w.lost[:] = 0.0
    w.gone[:] = 0.0
    for r in range(tracks.home.size):
        p, row_key = tracks.home[r], mix(key, x.names.row[r])
        for rank in range(w.hazard.shape[2]):
            for g in range(w.hazard.shape[1]):
                c = by_hours(w.w[p, g], rank)
                if w.heads[r, g, c] == 0.0:
                    continue
                rate = risks.employer_change[d, p, g, c] * risks.employer_over_time[d, t]
                another_employer(rate, p, r, g, c, dt, people, levels, row_key, w, o.employer_changes[d, t])
                for a in range(w.hazard.shape[3]):
                    heads = people[0, r, g, c, a]
                    if heads == 0.0 or w.hazard[r, g, c, a] == 0.0:
                        continue
                    cell = mix(row_key, (g * w.hazard.shape[2] + c) * w.hazard.shape[3] + a)
                    share = w.hazard[r, g, c, a] * w.time[r, g, c, a]
                    n = binomial(heads, share, uniform(cell, EXIT))
                    if n > 0.0:
                        leave_cell(m, hazard, d, t, r, g, c, a, n, people, cell, w, o, x)


@small
def by_hours(fte, rank):  # type: ignore[no-untyped-def]
    """The contract at `rank`, the longest first: who gives up hours comes before who wants more."""
    for c in range(fte.size):
        before = 0
        for other in range(fte.size):
            if fte[other] > fte[c] or (fte[other] == fte[c] and other < c):
                before += 1
        if before == rank:
            return c
    return rank


@kernel
def another_employer(rate, p, r, g, c, dt, people, levels, key, w, out):  # type: ignore[no-untyped-def]
    """Changes of employer inside a post, which cost tags at the levels that follow employers."""
    if rate == 0.0:
        return
    years = 0.0
    for a in range(w.time.shape[3]):
        years += people[0, r, g, c, a] * w.time[r, g, c, a]
    n_contracts = w.time.shape[2]
    out[p] += poisson(rate * years, uniform(mix(key, g * n_contracts + c), EMPLOYER))
    stay = math.exp(-rate * dt)
    for copy in range(levels.employer.size):
        if levels.employer[copy]:
            for a in range(people.shape[4]):
                people[1 + copy, r, g, c, a] *= stay


@kernel
def leave_cell(m, hazard, d, t, r, g, c, a, n, people, key, w, o, x):  # type: ignore[no-untyped-def]
    """`n` people leave a cell: each risk in turn takes its share of those who are left."""
    risks, edges, tracks = m.risks, m.edges, m.tracks
    p, n_leave, first_switch = tracks.home[r], risks.n_leave, risks.n_leave + risks.n_retire
    left, rest, keeps = n, w.hazard[r, g, c, a], x.always
    for k in range(w.factor.shape[3]):
        if left == 0.0:
            return
        rate = w.factor[p, g, c, k] * hazard[risks.row[k, p, g, c], a]
        if rate == 0.0:
            continue
        heads = binomial(left, rate / rest, uniform(mix(key, LEAVE), x.names.risk[k]))
        left, rest = left - heads, rest - rate
        if heads == 0.0:
            continue
        if k >= first_switch:
            change_hours(risks, d, t, k - first_switch, r, p, g, c, a, heads, people, w, o, x)
            continue
        take(people, r, g, c, a, heads, -1, c, x, keeps)
        x.freed[p] += heads * w.w[p, g, c]
        if k >= n_leave:
            o.retirements[d, t, p] += heads
            w.gone[p] += heads
            continue
        o.leavers[d, t, p, risks.leave_to[k]] += heads
        w.lost[p] += heads
        pool = risks.leave_pool[risks.leave_to[k]]
        if pool >= 0:
            w.into_pool[pool, p, g, a] += heads
    for j in range(edges.row_start[r], edges.row_start[r + 1]):
        e = edges.by_row[j]
        rate, able = w.edge_rate[e], edges.able[e]
        if rate == 0.0 or a < edges.able_first[able] or a >= edges.able_end[able] or left == 0.0:
            continue
        heads = binomial(left, rate / rest, uniform(mix(key, EDGE), x.names.edge[e]))
        left, rest = left - heads, rest - rate
        to, fte = edges.to[e], w.w[edges.to[e], g, c]
        placed = admitted(heads, fte, x.room, to)
        o.moves_blocked[d, t, e] += heads - placed
        if placed > 0.0:
            o.moves[d, t, e] += placed
            w.gone[p] += placed
            x.freed[p] += placed * w.w[p, g, c]
            w.arrived[to] += placed * fte
            for copy in range(keeps.size):
                x.kept[copy] = m.levels.keeps[copy, e]
            take(people, r, g, c, a, placed, to, c, x, x.kept)
    if tracks.of_row[r] >= 0 and left > 0.0:
        take(people, r, g, c, a, left, p, c, x, keeps)  # gives up the training


@kernel
def change_hours(risks, d, t, j, r, p, g, c, a, heads, people, w, o, x):  # type: ignore[no-untyped-def]
    """Another contract in the same post; longer hours as far as others gave up theirs, or there is room."""
    to = risks.switch_to[j]
    longer = w.w[p, g, to] - w.w[p, g, c]
    if longer > 0.0:
        x.room[p] += x.freed[p]
        heads = admitted(heads, longer, x.room, p)
        left = min(max(x.freed[p] - heads * longer, 0.0), x.freed[p])
        w.arrived[p] += heads * longer - (x.freed[p] - left)
        x.freed[p] = left
        x.room[p] -= left
    else:
        x.freed[p] -= heads * longer
    if heads > 0.0:
        o.switches[d, t, p, risks.switch_as[j]] += heads
        take(people, r, g, c, a, heads, r, to, x, x.always)


@kernel
def admitted(heads, fte, room, p):  # type: ignore[no-untyped-def]
    """Of `heads` who bring `fte` each to a post, those for whom there is room, which they take."""
    if fte > 0.0 and heads * fte > room[p] + ENOUGH:
        heads = max(math.floor(room[p] / fte + ENOUGH), 0.0)
    room[p] -= heads * fte
    return heads


@kernel
def come_back(pools, hazard, d, dt, people, in_pools, key, w, returns_out, losses_out, x):  # type: ignore[no-untyped-def]
    """Step 5. Returns to the post left, and losses for good; then this step's leavers come in."""
    n_pools, n_posts, n_groups = pools.return_row.shape
    for j in range(n_pools):
        for p in range(n_posts):
            here = mix(mix(key, x.names.pool[j]), x.names.post[p])
            filled = w.filled[p] if pools.limited[j] else 1.0
            for g in range(n_groups):
                pool = in_pools[d, j, p, g]
                back, away = hazard[pools.return_row[j, p, g]], hazard[pools.lapse_row[j, p, g]]
                y, z = pools.return_scale[d, j, p, g] * filled, pools.lapse_scale[d, j, p, g]
                for a in range(pool.size):
                    rate = y * back[a] + z * away[a]
                    if pool[a] > 0.0 and rate > 0.0:
                        cell = mix(here, g * pool.size + a)
                        n = binomial(pool[a], -math.expm1(-rate * dt), uniform(cell, EXIT))
                        if n > 0.0:
                            heads = binomial(n, y * back[a] / rate, uniform(cell, RETURN))
                            losses_out[j, p] += n - heads
                            pool[a] -= n - heads
                            placed = return_to(pools, d, j, p, g, a, heads, people[d], cell, w, x)
                            pool[a] -= placed
                            returns_out[j, p] += placed
                for a in range(pool.size):
                    pool[a] += w.into_pool[j, p, g, a]
                    w.into_pool[j, p, g, a] = 0.0


@kernel
def return_to(pools, d, j, p, g, a, heads, people, key, w, x):  # type: ignore[no-untyped-def]
    """Those who return take contracts by their shares, as far as there is room; returns how many do."""
    left, rest, placed = heads, 1.0, 0.0
    for c in range(w.w.shape[2]):
        share = pools.contracts[d, j, p, g, c]
        if left == 0.0 or share == 0.0:
            continue
        n = binomial(left, share / rest, uniform(mix(key, CONTRACT), c))
        left, rest = left - n, rest - share
        if pools.limited[j]:
            n = admitted(n, w.w[p, g, c], x.room, p)
            w.arrived[p] += n * w.w[p, g, c]
        people[0, p, g, c, a] += n
        placed += n
    return placed
