"""Steps 5 and 6: moves and returns arrive; pools; first-year staff.

Names of the arguments as in `pharmsim.engine.people`.
"""

from __future__ import annotations

from pharmsim.compiled.arrays import NEVER
from pharmsim.engine.jit import kernel
from pharmsim.engine.limits import in_fte
from pharmsim.engine.lived import add, dot, halvings, largest, lived, total
from pharmsim.engine.people import count_able


@kernel
def drop_outs(tracks, d, people, years):  # type: ignore[no-untyped-def]
    """Step 6. Trainees of an internal pipeline who give it up go back to their post's own row."""
    for r in range(tracks.home.size):
        rate = tracks.drop_out[d, tracks.of_row[r]] if tracks.of_row[r] >= 0 else 0.0
        if rate > 0.0:
            for copy in range(people.shape[1]):
                add(rate, years[copy, r], people[d, copy, tracks.home[r]])


@kernel
def who_can_move(edges, k, years, out):  # type: ignore[no-untyped-def]
    """Person-years of the eligible ages of group `k`, in a row of people; 0 at other ages."""
    first, end = edges.able_first[k], edges.able_end[k]
    for g in range(out.shape[0]):
        for c in range(out.shape[1]):
            to, x = out[g, c], years[g, c]
            for a in range(first):
                to[a] = 0.0
            for a in range(first, end):
                to[a] = x[a]
            for a in range(end, to.size):
                to[a] = 0.0


@kernel
def move(edges, home, keeps, d, people, w, moves_out):  # type: ignore[no-untyped-def]
    """Step 6. Moves, promotions and role changes arrive; a tag is kept inside its block."""
    count_able(edges, w.years[0], w.able)
    for e in range(edges.origin.size):
        rate, k = w.edge_rate[e], edges.able[e]
        heads = rate * total(w.able[k])
        moves_out[e] += heads
        w.gone[home[edges.origin[e]]] += heads
        w.arrived[edges.to[e]] += rate * in_fte(w.able[k], w.w[edges.to[e]])
    for copy in range(people.shape[1]):
        before = -1
        for j in range(edges.by_row.size):
            e = edges.by_row[j]
            rate, k = w.edge_rate[e], edges.able[e]
            if rate == 0.0 or (copy > 0 and not keeps[copy - 1, e]):
                continue
            if k != before:
                who_can_move(edges, k, w.years[copy, edges.origin[e]], w.moving)
                before = k
            add(rate, w.moving, people[d, copy, edges.to[e]])


@kernel
def come_back(pools, hazard, d, dt, people, in_pools, w, returns_out, losses_out):  # type: ignore[no-untyped-def]
    """Step 5. Returns to the post left, and losses for good; then this step's leavers come in."""
    n_pools, n_posts, n_groups = pools.return_row.shape
    for j in range(n_pools):
        for p in range(n_posts):
            filled = w.filled[p] if pools.limited[j] else 1.0
            for g in range(n_groups):
                pool, row, row2 = in_pools[d, j, p, g], w.row, w.row2
                back, away = pools.return_row[j, p, g], pools.lapse_row[j, p, g]
                x, y = pools.return_scale[d, j, p, g] * filled, pools.lapse_scale[d, j, p, g]
                for a in range(row.size):
                    row[a] = x * hazard[back, a] + y * hazard[away, a]
                if back <= NEVER and away <= NEVER:  # the same at all ages
                    lived(row[:1], dt, halvings(row[0] * dt), row2[:1])
                    for a in range(1, row.size):
                        row2[a] = row2[0]
                else:
                    lived(row, dt, halvings(largest(row) * dt), row2)
                for a in range(row.size):
                    row2[a] *= pool[a]
                    pool[a] += w.into_pool[j, p, g, a] - row[a] * row2[a]
                    w.into_pool[j, p, g, a] = 0.0
                heads = x * dot(hazard[back], row2)
                losses_out[j, p] += y * dot(hazard[away], row2)
                returns_out[j, p] += heads
                for c in range(w.w.shape[2]):
                    share = pools.contracts[d, j, p, g, c]
                    if pools.limited[j]:
                        w.arrived[p] += heads * share * w.w[p, g, c]
                    for a in range(row.size):
                        people[d, 0, p, g, c, a] += share * x * hazard[back, a] * row2[a]


@kernel
def mature(ratio, first_year, w):  # type: ignore[no-untyped-def]
    """Step 6, first-year staff: they leave at the stated ratio of the others' hazard."""
    for p in range(w.fte.size):
        heads = total(w.at_post[p])
        if heads <= 0.0 or w.first_share[p] == 0.0:
            continue
        stay = 1.0 - w.lost[p] / heads
        if ratio[p] == 0.0:
            stay = 1.0
        elif ratio[p] != 1.0:
            stay = stay ** (ratio[p] / (1.0 + (ratio[p] - 1.0) * w.first_share[p]))
        stay *= 1.0 - w.gone[p] / heads
        for slot in range(first_year.shape[1]):
            first_year[p, slot] *= stay
