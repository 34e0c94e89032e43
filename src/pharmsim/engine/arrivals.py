"""Steps 5 and 6: leavers, switches, moves and returns arrive; pools; first-year staff.

Names of the arguments as in `pharmsim.engine.people`.
"""

from __future__ import annotations

from pharmsim.compiled.arrays import CONSTANT, NEVER
from pharmsim.engine.jit import kernel
from pharmsim.engine.limits import in_fte
from pharmsim.engine.lived import add, dot, halvings, largest, lived, total
from pharmsim.engine.people import count_able


@kernel
def leave(risks, home, d, t, i, w, leavers_out, retired_out, employer_out):  # type: ignore[no-untyped-def]
    """Step 6. Leavers by destination, the retired, changes of employer; leavers enter their pools."""
    hazard = risks.hazard[i[0], i[1]]
    w.lost[:] = 0.0
    w.gone[:] = 0.0
    by_age = 0.0
    for r in range(home.size):
        p = home[r]
        for g in range(w.w.shape[1]):
            for c in range(w.w.shape[2]):
                years = w.years[0, r, g, c]
                w.lived[r, g, c] = total(years)
                if w.lived[r, g, c] == 0.0:
                    continue
                h = -1
                for k in range(risks.n_leave + risks.n_retire):
                    if risks.row[k, p, g, c] != h:
                        h = risks.row[k, p, g, c]
                        by_age = w.lived[r, g, c] if h == CONSTANT else dot(hazard[h], years)
                    x = w.factor[k, p, g, c]
                    heads = x * by_age
                    if k >= risks.n_leave:
                        retired_out[p] += heads
                        w.gone[p] += heads
                        continue
                    leavers_out[p, risks.leave_to[k]] += heads
                    w.lost[p] += heads
                    j = risks.leave_pool[risks.leave_to[k]]
                    if j >= 0:
                        for a in range(years.size):
                            w.into_pool[j, p, g, a] += x * hazard[h, a] * years[a]
                x = risks.employer_change[d, p, g, c] * risks.employer_over_time[d, t]
                if x > 0.0:
                    employer_out[p] += x * w.lived[r, g, c]


@kernel
def switch(risks, home, block, d, i, people, w, switches_out):  # type: ignore[no-untyped-def]
    """Step 6. Contract switches inside each row, in the stock and its tagged copies."""
    hazard = risks.hazard[i[0], i[1]]
    first = risks.n_leave + risks.n_retire
    for r in range(home.size):
        p = home[r]
        for k in range(first, w.factor.shape[0]):
            c, to = risks.switch_from[k - first], risks.switch_to[k - first]
            for g in range(w.w.shape[1]):
                x, h = w.factor[k, p, g, c], risks.row[k, p, g, c]
                if x == 0.0:
                    continue
                switches_out[p, risks.switch_as[k - first]] += x * dot(hazard[h], w.years[0, r, g, c])
                for copy in range(people.shape[1]):
                    if copy > 0 and block[copy - 1, p] < 0:
                        continue
                    for a in range(people.shape[5]):
                        people[d, copy, r, g, to, a] += x * hazard[h, a] * w.years[copy, r, g, c, a]


@kernel
def drop_outs(tracks, d, people, years):  # type: ignore[no-untyped-def]
    """Step 6. Trainees of an internal pipeline who give it up go back to their post's own row."""
    for r in range(tracks.home.size):
        rate = tracks.drop_out[d, tracks.of_row[r]] if tracks.of_row[r] >= 0 else 0.0
        if rate > 0.0:
            for copy in range(people.shape[1]):
                add(rate, years[copy, r], people[d, copy, tracks.home[r]])


@kernel
def move(edges, home, keeps, d, people, w, moves_out):  # type: ignore[no-untyped-def]
    """Step 6. Moves, promotions and role changes arrive; a tag is kept inside its block."""
    count_able(edges, w.years[0], w.able)
    for e in range(edges.origin.size):
        rate, k = w.edge_rate[e], edges.able[e]
        if rate == 0.0:
            continue
        r, p, left = edges.origin[e], edges.to[e], home[edges.origin[e]]
        heads = rate * total(w.able[k])
        moves_out[e] += heads
        w.gone[left] += heads
        w.arrived[p] += rate * in_fte(w.able[k], w.w[p])
        first, end = edges.able_first[k], edges.able_end[k]
        for copy in range(people.shape[1]):
            if copy > 0 and not keeps[copy - 1, e]:
                continue
            for g in range(w.w.shape[1]):
                for c in range(w.w.shape[2]):
                    for a in range(first, end):
                        people[d, copy, p, g, c, a] += rate * w.years[copy, r, g, c, a]


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
