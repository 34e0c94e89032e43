"""Steps 1 to 6: tags, vacancies, limits, competing risks, pools, arrivals.

The numbers are those of `docs/background/model.md`. Arguments: `d` the draw, `t` the period, `dt`
the step in years, `i` = (year of the model or 0, step within it), `people` and other arrays of the
state with their draw axis, `w` the scratch arrays.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pharmsim.compiled.arrays import PROMOTION, Floats, Posts
from pharmsim.engine.jit import kernel
from pharmsim.engine.lived import copy as copy_array
from pharmsim.engine.lived import dot, halvings, largest, lived, total


class Scratch(NamedTuple):
    """Arrays that the kernel writes over at every step (P posts, R rows, G groups, C contracts, A ages)."""

    heads: Floats  # (R, G, C): heads at the start of the step
    lived: Floats  # (R, G, C): person-years lived in the step
    at_post: Floats  # (P, G, C): heads by post
    w: Floats  # (P, G, C): FTE per head now
    fte: Floats  # (P,)
    limit: Floats  # (P,): vacancy (FTE) at the start of the step, infinite without limit
    fte_per_hire: Floats  # (P,)
    filled: Floats  # (P,): share of wanted arrivals for whom there is a vacancy
    arrived: Floats  # (P,): FTE that arrived through edges and limited returns
    edge_rate: Floats  # (E,): hazard after the limit
    first_share: Floats  # (P,): first-year share
    lost: Floats  # (P,): leavers of this step
    gone: Floats  # (P,): retired and moved in this step
    factor: Floats  # (K, P, G, C): multiplier of each risk's row of hazards
    years: Floats  # (copies, R, G, C, A): person-years lived
    into_pool: Floats  # (n_pools, P, G, A)
    hires: Floats  # (n_sources, P): offers accepted this step
    demand: Floats  # (P,): heads
    hired: Floats  # (P,)
    hazard: Floats  # (G, C, A)
    time: Floats  # (G, C, A): years lived
    hazard_tagged: Floats  # (G, C, A): with changes of employer as a risk
    time_tagged: Floats  # (G, C, A)
    row: Floats  # (A,)
    row2: Floats  # (A,)


def scratch(m: Posts, n_ages: int) -> Scratch:
    """Allocate the scratch arrays of one thread."""
    n_rows, (n_levels, n_posts) = m.tracks.home.size, m.levels.block.shape
    n_groups, n_contracts = m.funding.fte_per_head.shape[2:]
    n_pools, n_sources = m.pools.return_row.shape[0], m.hiring.kind.size
    cell, post = (n_groups, n_contracts, n_ages), (n_posts,)
    shapes = {
        "heads": (n_rows, n_groups, n_contracts),
        "lived": (n_rows, n_groups, n_contracts),
        "at_post": (n_posts, n_groups, n_contracts),
        "w": (n_posts, n_groups, n_contracts),
        "edge_rate": (m.edges.origin.size,),
        "factor": m.risks.row.shape,
        "years": (1 + n_levels, n_rows, *cell),
        "into_pool": (n_pools, n_posts, n_groups, n_ages),
        "hires": (n_sources, n_posts),
        "hazard": cell,
        "time": cell,
        "hazard_tagged": cell,
        "time_tagged": cell,
        "row": (n_ages,),
        "row2": (n_ages,),
    }
    return Scratch(**{name: np.zeros(shapes.get(name, post)) for name in Scratch._fields})


@kernel
def still_tagged(home, people, tagged, kept_out, tagged_out, year):  # type: ignore[no-untyped-def]
    """Step 1. Record who was tagged twelve months ago and who still is."""
    n_levels, n_posts = tagged.shape
    for level in range(n_levels):
        if tagged[level, 0] < 0.0 or year < 0:
            continue
        for p in range(n_posts):
            tagged_out[year, level, p] = tagged[level, p]
            kept_out[year, level, p] = 0.0
        for r in range(home.size):
            kept_out[year, level, home[r]] += total(people[1 + level, r])


@kernel
def tag(home, block, people, tagged):  # type: ignore[no-untyped-def]
    """Step 1. Tag everybody in post anew, one copy a level."""
    n_levels, n_posts = block.shape
    for level in range(n_levels):
        for p in range(n_posts):
            tagged[level, p] = 0.0
        for r in range(home.size):
            if block[level, home[r]] >= 0:
                copy_array(people[0, r], people[1 + level, r])
                tagged[level, home[r]] += total(people[0, r])
            else:
                people[1 + level, r] = 0.0


@kernel
def count(funding, home, d, month, people, first_year, w):  # type: ignore[no-untyped-def]
    """Heads by row and post, FTE per head now, FTE in post, first-year share."""
    n_rows, n_groups, n_contracts = w.heads.shape
    for p in range(w.fte.size):
        w.fte[p] = 0.0
        for g in range(n_groups):
            for c in range(n_contracts):
                w.at_post[p, g, c] = 0.0
                w.w[p, g, c] = funding.fte_per_head[d, p, g, c]
                if funding.has_drift:
                    w.w[p, g, c] *= (1.0 + funding.hours_drift[d, p, g, c]) ** (month / 12.0)
    for r in range(n_rows):
        p = home[r]
        for g in range(n_groups):
            for c in range(n_contracts):
                heads = total(people[d, 0, r, g, c])
                w.heads[r, g, c] = heads
                w.at_post[p, g, c] += heads
                w.fte[p] += heads * w.w[p, g, c]
    for p in range(w.fte.size):
        heads, young = total(w.at_post[p]), total(first_year[d, p])
        w.first_share[p] = min(young / heads, 1.0) if heads > 0.0 else 0.0


@kernel
def vacancies(funding, hiring, d, t, offers, w):  # type: ignore[no-untyped-def]
    """Step 2. Vacancy of each post in FTE, net of outstanding offers."""
    for p in range(w.fte.size):
        heads = total(w.at_post[p])
        w.fte_per_hire[p] = 0.0
        for g in range(w.w.shape[1]):
            share = total(w.at_post[p, g]) / heads if heads > 0.0 else hiring.opening_groups[p, g]
            for c in range(w.w.shape[2]):
                w.fte_per_hire[p] += share * hiring.contracts[d, p, g, c] * w.w[p, g, c]
        offered = 0.0
        for slot in range(offers.shape[1]):
            offered += total(offers[d, slot, p])
        funded = funding.establishment[d, p] * funding.policy_factor[d, funding.policy[p], t]
        w.limit[p] = funded - w.fte[p] - offered * w.fte_per_hire[p]


@kernel
def at_all_ages(edges, e, n_ages):  # type: ignore[no-untyped-def]
    """Whether everybody may use an edge."""
    return edges.first[e] == 0 and edges.end[e] == n_ages


@kernel
def away_at_all_ages(edges, r, w):  # type: ignore[no-untyped-def]
    """Sum of the hazards of the edges of a row that are open at all ages."""
    x = 0.0
    for j in range(edges.row_start[r], edges.row_start[r + 1]):
        e = edges.by_row[j]
        if at_all_ages(edges, e, w.hazard.shape[2]):
            x += w.edge_rate[e]
    return x


@kernel
def eligible(edges, e, d, people, count, at):  # type: ignore[no-untyped-def]
    """Heads eligible for an edge, and their FTE at the destination (`at`: FTE per head there)."""
    r, first, end = edges.origin[e], edges.first[e], edges.end[e]
    heads = fte = 0.0
    for g in range(at.shape[0]):
        for c in range(at.shape[1]):
            n = count[r, g, c]
            if not at_all_ages(edges, e, people.shape[5]):
                n = total(people[d, 0, r, g, c, first:end])
            heads += n
            fte += n * at[g, c]
    return heads, fte


@kernel
def limits(edges, pools, hazard, home, d, t, dt, people, in_pools, w, blocked_out):  # type: ignore[no-untyped-def]
    """Step 3. Wanted arrivals, the share for which there is a vacancy, limited hazards."""
    n_pools, n_posts, n_groups = pools.return_row.shape
    w.arrived[:] = 0.0  # here: FTE that want to arrive
    for e in range(edges.origin.size):
        rate = edges.rate[d, e] * edges.over_time[d, edges.kind[e], t]
        if edges.kind[e] == PROMOTION:
            rate *= 1.0 - w.first_share[home[edges.origin[e]]]
        w.edge_rate[e] = rate
        if rate > 0.0:
            p = edges.to[e]
            w.arrived[p] += rate * dt * eligible(edges, e, d, people, w.heads, w.w[p])[1]
    for j in range(n_pools):
        if pools.limited[j]:
            for p in range(n_posts):
                for g in range(n_groups):
                    heads = dot(in_pools[d, j, p, g], hazard[pools.return_row[j, p, g]]) * dt
                    heads *= pools.return_scale[d, j, p, g]
                    for c in range(w.w.shape[2]):
                        w.arrived[p] += heads * pools.contracts[d, j, p, g, c] * w.w[p, g, c]
    for p in range(n_posts):
        w.filled[p] = 1.0
        if w.arrived[p] > 0.0 and w.limit[p] < w.arrived[p]:
            w.filled[p] = max(w.limit[p], 0.0) / w.arrived[p]
        w.arrived[p] = 0.0
    for e in range(edges.origin.size):
        filled = w.filled[edges.to[e]]
        if filled < 1.0 and w.edge_rate[e] > 0.0:
            heads = eligible(edges, e, d, people, w.heads, w.w[edges.to[e]])[0]
            blocked_out[e] += (1.0 - filled) * w.edge_rate[e] * dt * heads
            w.edge_rate[e] *= filled


@kernel
def factors(risks, d, t, w):  # type: ignore[no-untyped-def]
    """Multiplier of every risk's row of hazards in every cell; 0 where the risk does not exist.

    Leaving is multiplied by its level relative to the opening mix of first-year and other staff.
    """
    first_switch = risks.n_leave + risks.n_retire
    n_risks, n_posts, n_groups, n_contracts = w.factor.shape
    for k in range(n_risks):
        over_time = risks.over_time[d, k, t]
        for p in range(n_posts):
            x = over_time
            if k < risks.n_leave:
                excess = risks.first_year_ratio[d, p] - 1.0
                x *= (1.0 + excess * w.first_share[p]) / (1.0 + excess * risks.first_year_share[d, p])
            for g in range(n_groups):
                for c in range(n_contracts):
                    exists = k < first_switch or risks.switch_from[k - first_switch] == c
                    w.factor[k, p, g, c] = x * risks.scale[d, k, p, g, c] if exists else 0.0


@kernel
def total_hazard(hazard, row, factor, p, drop_out, out):  # type: ignore[no-untyped-def]
    """Λ of every cell of a row of people, without moves."""
    for g in range(out.shape[0]):
        for c in range(out.shape[1]):
            for a in range(out.shape[2]):
                out[g, c, a] = drop_out
            for k in range(row.shape[0]):
                x, h = factor[k, p, g, c], row[k, p, g, c]
                if x != 0.0:
                    for a in range(out.shape[2]):
                        out[g, c, a] += x * hazard[h, a]


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
def compete(risks, edges, tracks, levels, d, t, i, dt, people, w):  # type: ignore[no-untyped-def]
    """Step 4. The stock and its tagged copies through the competing risks, row by row."""
    hazard = risks.hazard[i[0], i[1]]
    any_employer = False
    for level in range(levels.employer.size):
        any_employer = any_employer or levels.employer[level]
    for r in range(tracks.home.size):
        p, track = tracks.home[r], tracks.of_row[r]
        drop_out = tracks.drop_out[d, track] if track >= 0 else 0.0
        if total(w.heads[r]) == 0.0:
            for copy in range(people.shape[1]):
                w.years[copy, r] = 0.0
                people[d, copy, r] = 0.0
            continue
        total_hazard(hazard, risks.row, w.factor, p, drop_out + away_at_all_ages(edges, r, w), w.hazard)
        for j in range(edges.row_start[r], edges.row_start[r + 1]):
            e = edges.by_row[j]
            if not at_all_ages(edges, e, people.shape[5]):
                for g in range(w.hazard.shape[0]):
                    for c in range(w.hazard.shape[1]):
                        for a in range(edges.first[e], edges.end[e]):
                            w.hazard[g, c, a] += w.edge_rate[e]
        lived(w.hazard, dt, halvings(largest(w.hazard) * dt), w.time)
        survive(people[d, 0, r], w.hazard, w.time, w.years[0, r])
        if any_employer:
            for g in range(w.hazard.shape[0]):
                for c in range(w.hazard.shape[1]):
                    x = risks.employer_change[d, p, g, c] * risks.employer_over_time[d, t]
                    for a in range(w.hazard.shape[2]):
                        w.hazard_tagged[g, c, a] = w.hazard[g, c, a] + x
            lived(w.hazard_tagged, dt, halvings(largest(w.hazard_tagged) * dt), w.time_tagged)
        for level in range(levels.employer.size):
            if levels.employer[level]:
                survive(people[d, 1 + level, r], w.hazard_tagged, w.time_tagged, w.years[1 + level, r])
            else:
                survive(people[d, 1 + level, r], w.hazard, w.time, w.years[1 + level, r])


@kernel
def leave(risks, home, d, t, i, w, leavers_out, retired_out, employer_out):  # type: ignore[no-untyped-def]
    """Step 6. Leavers by destination, the retired, changes of employer; leavers enter their pools."""
    hazard = risks.hazard[i[0], i[1]]
    w.lost[:] = 0.0
    w.gone[:] = 0.0
    for r in range(home.size):
        p = home[r]
        for g in range(w.w.shape[1]):
            for c in range(w.w.shape[2]):
                years = w.years[0, r, g, c]
                w.lived[r, g, c] = total(years)
                if w.lived[r, g, c] == 0.0:
                    continue
                for k in range(risks.n_leave + risks.n_retire):
                    x, h = w.factor[k, p, g, c], risks.row[k, p, g, c]
                    heads = x * dot(hazard[h], years)
                    if k >= risks.n_leave:
                        retired_out[p] += heads
                        w.gone[p] += heads
                        continue
                    leavers_out[p, k] += heads
                    w.lost[p] += heads
                    j = risks.leave_pool[k]
                    if j >= 0:
                        for a in range(years.size):
                            w.into_pool[j, p, g, a] += x * hazard[h, a] * years[a]
                x = risks.employer_change[d, p, g, c] * risks.employer_over_time[d, t]
                if x > 0.0:
                    employer_out[p] += x * w.lived[r, g, c]


@kernel
def switch(risks, home, d, i, people, w, switches_out):  # type: ignore[no-untyped-def]
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
                switches_out[p, k - first] += x * dot(hazard[h], w.years[0, r, g, c])
                for copy in range(people.shape[1]):
                    for a in range(people.shape[5]):
                        people[d, copy, r, g, to, a] += x * hazard[h, a] * w.years[copy, r, g, c, a]


@kernel
def drop_outs(tracks, d, people, years):  # type: ignore[no-untyped-def]
    """Step 6. Trainees of an internal pipeline who give it up go back to their post's own row."""
    for r in range(tracks.home.size):
        rate = tracks.drop_out[d, tracks.of_row[r]] if tracks.of_row[r] >= 0 else 0.0
        if rate > 0.0:
            for copy in range(people.shape[1]):
                lived_here = years[copy, r].reshape(years[copy, r].size)
                out = people[d, copy, tracks.home[r]].reshape(lived_here.size)
                for a in range(out.size):
                    out[a] += rate * lived_here[a]


@kernel
def move(edges, home, block, d, people, w, moves_out):  # type: ignore[no-untyped-def]
    """Step 6. Moves, promotions and role changes arrive; a tag is kept inside its block."""
    for e in range(edges.origin.size):
        rate = w.edge_rate[e]
        if rate == 0.0:
            continue
        r, p, first, end = edges.origin[e], edges.to[e], edges.first[e], edges.end[e]
        left = home[r]
        for g in range(w.w.shape[1]):
            for c in range(w.w.shape[2]):
                heads = rate * w.lived[r, g, c]
                if not at_all_ages(edges, e, people.shape[5]):
                    heads = rate * total(w.years[0, r, g, c, first:end])
                moves_out[e] += heads
                w.gone[left] += heads
                w.arrived[p] += heads * w.w[p, g, c]
        for copy in range(people.shape[1]):
            if copy > 0 and (block[copy - 1, left] < 0 or block[copy - 1, left] != block[copy - 1, p]):
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
        if ratio[p] != 1.0:
            stay = stay ** (ratio[p] / (1.0 + (ratio[p] - 1.0) * w.first_share[p]))
        stay *= 1.0 - w.gone[p] / heads
        for slot in range(first_year.shape[1]):
            first_year[p, slot] *= stay
