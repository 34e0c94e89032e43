"""Steps 1 and 4: tags, and the competing risks of people in post; the scratch arrays of all steps.

The numbers are those of `docs/background/model.md`. Arguments: `d` the draw, `t` the period, `dt`
the step in years, `i` = (year of the model or 0, step within it), `people` and other arrays of the
state with their draw axis, `w` the scratch arrays.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pharmsim.compiled.arrays import CONSTANT, Floats, Posts
from pharmsim.compiled.system_arrays import BURNOUT, FLEXIBILITY, SHORTER_HOURS
from pharmsim.engine.jit import kernel
from pharmsim.engine.lived import add, halvings, largest, lived, total


class Scratch(NamedTuple):
    """Arrays that the kernel writes over at every step (P posts, R rows, G groups, C contracts, A ages)."""

    heads: Floats  # (R, G, C): heads at the start of the step
    lived: Floats  # (R, G, C): person-years lived in the step
    able: Floats  # (groups of eligible people, G, C): heads, then person-years lived
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
    recruits: Floats  # (P,): multiplier of outside supply
    hired: Floats  # (P,)
    hazard: Floats  # (G, C, A)
    time: Floats  # (G, C, A): years lived
    hazard_tagged: Floats  # (G, C, A): with changes of employer as a risk
    time_tagged: Floats  # (G, C, A)
    row: Floats  # (A,)
    row2: Floats  # (A,)


def scratch(m: Posts, n_ages: int) -> Scratch:
    """Allocate the scratch arrays of one thread."""
    n_rows, (n_copies, n_posts) = m.tracks.home.size, m.levels.block.shape
    n_groups, n_contracts = m.funding.fte_per_head.shape[2:]
    n_pools, n_sources = m.pools.return_row.shape[0], m.hiring.kind.size
    cell, post = (n_groups, n_contracts, n_ages), (n_posts,)
    shapes = {
        "heads": (n_rows, n_groups, n_contracts),
        "lived": (n_rows, n_groups, n_contracts),
        "able": (m.edges.able_row.size, n_groups, n_contracts),
        "at_post": (n_posts, n_groups, n_contracts),
        "w": (n_posts, n_groups, n_contracts),
        "edge_rate": (m.edges.origin.size,),
        "factor": m.risks.row.shape,
        "years": (1 + n_copies, n_rows, *cell),
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
def still_tagged(levels, home, d, people, tagged, year, o):  # type: ignore[no-untyped-def]
    """Step 1. Record who was tagged twelve months ago and who still is."""
    for copy in range(levels.level.size):
        if tagged[copy, 0] < 0.0 or year < 0:
            continue
        level = levels.level[copy]
        for p in range(tagged.shape[1]):
            if levels.block[copy, p] >= 0:
                o.tagged[d, year, level, p] += tagged[copy, p]
                o.tagged_in[d, year, levels.block[copy, p]] += tagged[copy, p]
        for r in range(home.size):
            if levels.block[copy, home[r]] >= 0:
                heads = total(people[1 + copy, r])
                o.kept[d, year, level, home[r]] += heads
                o.kept_in[d, year, levels.block[copy, home[r]]] += heads


@kernel
def tag(levels, home, people, tagged):  # type: ignore[no-untyped-def]
    """Step 1. Tag everybody in post anew: all, or the share of a joint post that works in a block."""
    for copy in range(levels.level.size):
        for p in range(tagged.shape[1]):
            tagged[copy, p] = 0.0
        for r in range(home.size):
            share = levels.share[copy, home[r]]
            people[1 + copy, r] = 0.0
            if share > 0.0:
                add(share, people[0, r], people[1 + copy, r])
                tagged[copy, home[r]] += share * total(people[0, r])


@kernel
def count_able(edges, people, out):  # type: ignore[no-untyped-def]
    """Sum over the eligible ages of every group of eligible people; `people` by row, group, contract, age."""
    for k in range(edges.able_row.size):
        r, first, end = edges.able_row[k], edges.able_first[k], edges.able_end[k]
        for g in range(out.shape[1]):
            for c in range(out.shape[2]):
                out[k, g, c] = total(people[r, g, c, first:end])


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
def factors(risks, feedbacks, multiplier, d, t, w):  # type: ignore[no-untyped-def]
    """Multiplier of every risk's row of hazards in every cell; 0 where the risk does not exist.

    Leaving is multiplied by its level relative to the opening mix of first-year and other staff, and
    leaving and switches by the multipliers of the feedbacks that act on them.
    """
    first_switch = risks.n_leave + risks.n_retire
    n_risks, n_posts, n_groups, n_contracts = w.factor.shape
    for k in range(n_risks):
        over_time = risks.over_time[d, k, t]
        for p in range(n_posts):
            x = over_time
            if k < risks.n_leave:
                excess = risks.first_year_ratio[d, p] - 1.0
                x *= (1.0 + excess * w.first_share[p]) / risks.first_year_mean[d, p]
            if feedbacks.tired[k]:
                x *= multiplier[BURNOUT, p]
            if feedbacks.shorter[k]:
                x *= multiplier[SHORTER_HOURS, p]
            if feedbacks.flexible[k]:
                x *= multiplier[FLEXIBILITY, p]
            for g in range(n_groups):
                for c in range(n_contracts):
                    exists = k < first_switch or risks.switch_from[k - first_switch] == c
                    w.factor[k, p, g, c] = x * risks.scale[d, k, p, g, c] if exists else 0.0


@kernel
def move_away(edges, r, drop_out, edge_rate, out):  # type: ignore[no-untyped-def]
    """Hazard by age of leaving a row by its edges (and of giving up a training)."""
    for a in range(out.size):
        out[a] = drop_out
    for j in range(edges.row_start[r], edges.row_start[r + 1]):
        e = edges.by_row[j]
        for a in range(edges.able_first[edges.able[e]], edges.able_end[edges.able[e]]):
            out[a] += edge_rate[e]


@kernel
def total_hazard(hazard, row, factor, p, away, out):  # type: ignore[no-untyped-def]
    """Λ of every cell of a row of people; `away` is the hazard by age of moving away.

    Neighbouring risks with the same row of hazards are added first; rows are then taken two at a time.
    """
    n_risks, n_ages = row.shape[0], out.shape[2]
    for g in range(out.shape[0]):
        for c in range(out.shape[1]):
            same = x = x_before = 0.0
            before = -1
            for k in range(n_risks):
                if row[k, p, g, c] == CONSTANT:
                    same += factor[k, p, g, c]
            for a in range(n_ages):
                out[g, c, a] = same + away[a]
            for k in range(n_risks):
                h = row[k, p, g, c]
                x += factor[k, p, g, c]
                if k + 1 < n_risks and row[k + 1, p, g, c] == h:
                    continue
                if x != 0.0 and h != CONSTANT:
                    if before < 0:
                        before, x_before = h, x
                    else:
                        for a in range(n_ages):
                            out[g, c, a] += x_before * hazard[before, a] + x * hazard[h, a]
                        before = -1
                x = 0.0
            if before >= 0:
                for a in range(n_ages):
                    out[g, c, a] += x_before * hazard[before, a]


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
        move_away(edges, r, drop_out, w.edge_rate, w.row)
        total_hazard(hazard, risks.row, w.factor, p, w.row, w.hazard)
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
            if levels.block[level, p] < 0:
                continue  # nobody is tagged here
            if levels.employer[level]:
                survive(people[d, 1 + level, r], w.hazard_tagged, w.time_tagged, w.years[1 + level, r])
            else:
                survive(people[d, 1 + level, r], w.hazard, w.time, w.years[1 + level, r])
