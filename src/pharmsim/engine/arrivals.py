"""Steps 5 and 6: moves and returns arrive; pools; first-year staff.

Names of the arguments as in `pharmsim.engine.people`.
"""

from __future__ import annotations

from pharmsim.compiled.arrays import NEVER
from pharmsim.engine.jit import flat, kernel, small
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


@small
def who_can_move(movable, years, out):  # type: ignore[no-untyped-def]
    """Person-years of the eligible ages of a row of people."""
    movable, years, out = flat(movable), flat(years), flat(out)
    for a in range(out.size):
        out[a] = movable[a] * years[a]


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
                who_can_move(w.movable[k], w.years[copy, edges.origin[e]], w.moving)
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
                pool, into, lived_here = in_pools[d, j, p, g], w.into_pool[j, p, g], w.row2
                back, away = pools.return_row[j, p, g], pools.lapse_row[j, p, g]
                x, y = pools.return_scale[d, j, p, g] * filled, pools.lapse_scale[d, j, p, g]
                if back <= NEVER and away <= NEVER:  # the same at all ages
                    a = x * hazard[back, 0], y * hazard[away, 0]
                    heads, lost = wait(a[0], a[1], dt, pool, into, lived_here, w.row)
                else:
                    heads, lost = wait_by_age(
                        x, y, hazard[back], hazard[away], dt, pool, into, lived_here, w.row
                    )
                losses_out[j, p] += lost
                returns_out[j, p] += heads
                for c in range(w.w.shape[2]):
                    share = pools.contracts[d, j, p, g, c]
                    if pools.limited[j]:
                        w.arrived[p] += heads * share * w.w[p, g, c]
                    add(share, lived_here, people[d, 0, p, g, c])


@kernel
def wait(back, away, dt, pool, into, returned, scratch):  # type: ignore[no-untyped-def]
    """A step in a pool with hazards that are the same at all ages; who came `into` it is in it afterwards.

    `returned` is written: who returns, by age. Returns the heads who return, and who are lost.
    """
    scratch[0] = back + away
    lived(scratch[:1], dt, halvings(scratch[0] * dt), scratch[1:2])
    years, stay = scratch[1], 1.0 - (back + away) * scratch[1]
    lived_here = years * total(pool)
    for a in range(pool.size):
        returned[a] = back * years * pool[a]
    for a in range(pool.size):
        pool[a] = stay * pool[a] + into[a]
    into[:] = 0.0
    return back * lived_here, away * lived_here


@kernel
def wait_by_age(x, y, back, away, dt, pool, into, returned, scratch):  # type: ignore[no-untyped-def]
    """The same with hazards by age: `x` times the row `back`, `y` times the row `away`."""
    for a in range(pool.size):
        scratch[a] = x * back[a] + y * away[a]
    lived(scratch, dt, halvings(largest(scratch) * dt), returned)
    for a in range(pool.size):
        years = returned[a] * pool[a]
        pool[a] += into[a] - scratch[a] * years
        returned[a] = years
        into[a] = 0.0
    lost = y * dot(away, returned)
    for a in range(pool.size):
        returned[a] *= x * back[a]
    return total(returned), lost


@kernel
def mature(ratio, first_year, w):  # type: ignore[no-untyped-def]
    """Step 6, first-year staff: they leave at the stated ratio of the others' hazard."""
    for p in range(w.fte.size):
        heads = total(w.at_post[p])
        if heads <= 0.0 or w.first_share[p] == 0.0:
            continue
        stay = max(1.0 - w.lost[p] / heads, 0.0)
        if ratio[p] == 0.0:
            stay = 1.0
        elif ratio[p] != 1.0:
            stay = stay ** (ratio[p] / (1.0 + (ratio[p] - 1.0) * w.first_share[p]))
        stay *= 1.0 - w.gone[p] / heads
        for slot in range(first_year.shape[1]):
            first_year[p, slot] *= stay
