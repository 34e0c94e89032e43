"""Step 1, what stands at the start of a step, multipliers of risks; the scratch arrays of all steps.

The numbers are those of `docs/background/model.md`. Arguments: `d` the draw, `t` the period, `dt`
the step in years, `i` = (year of the model or 0, step within it), `people` and other arrays of the
state with their draw axis, `w` the scratch arrays.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from pharmsim.compiled.arrays import CONSTANT, NEVER, Floats, Ints, Posts, Risks
from pharmsim.compiled.system_arrays import BURNOUT, FLEXIBILITY, SHORTER_HOURS
from pharmsim.engine.jit import kernel
from pharmsim.engine.lived import add, total
from pharmsim.engine.padding import zeros


class Scratch(NamedTuple):
    """Arrays that the kernel writes over at every step (P posts, R rows, G groups, C contracts, A ages)."""

    heads: Floats  # (R, G, C): heads at the start of the step
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
    peak: Floats  # (years or 1, steps per year, rows of hazards): highest number of each
    factor: Floats  # (P, G, C, K): multiplier of each risk's row of hazards
    own: Ints  # (P, G, C, M): different rows of hazards of a cell, then `NEVER`
    n_own: Ints  # (P, G, C): how many, even
    at: Ints  # (P, G, C, K): position of a risk's row in `own`, -1 for the constant one
    times: Floats  # (P, G, C, M): multiplier of each of these rows, of all risks together
    same: Floats  # (P, G, C): hazard that is the same at all ages
    by_age: Floats  # (M,): person-years weighted by each of these rows
    pair: Ints  # (switches,): pair of contracts of a switch
    pair_from: Ints  # (pairs,): contract
    pair_to: Ints  # (pairs,)
    switch: Floats  # (P, pairs, G, A): hazard of switching
    movable: Floats  # (groups of eligible people, G, C, A): 1 at the eligible ages
    moving: Floats  # (G, C, A): person-years of those who can move
    years: Floats  # (copies, R, G, C, A): person-years lived
    into_pool: Floats  # (n_pools, P, G, A)
    hires: Floats  # (n_sources, P): offers accepted this step
    demand: Floats  # (P,): heads
    recruits: Floats  # (P,): multiplier of outside supply
    hired: Floats  # (P,)
    hazard: Floats  # (R, G, C, A)
    time: Floats  # (R, G, C, A): years lived
    hazard_tagged: Floats  # (R, G, C, A): with changes of employer as a risk
    time_tagged: Floats  # (R, G, C, A)
    row: Floats  # (A,)
    row2: Floats  # (A,)


def scratch(m: Posts, n_ages: int) -> Scratch:
    """Allocate the scratch arrays of one thread."""
    n_rows, (n_copies, n_posts) = m.tracks.home.size, m.levels.block.shape
    n_groups, n_contracts = m.funding.fte_per_head.shape[2:]
    n_pools, n_sources = m.pools.return_row.shape[0], m.hiring.kind.size
    cell, post = (n_groups, n_contracts, n_ages), (n_posts,)
    known: dict[str, Any] = {**own_rows(m.risks), **pairs(m.risks), "peak": m.risks.hazard.max(axis=-1)}
    known["movable"] = zeros((m.edges.able_row.size, *cell))
    for k, (first, end) in enumerate(zip(m.edges.able_first, m.edges.able_end, strict=True)):
        known["movable"][k, ..., first:end] = 1.0
    shapes = {
        "heads": (n_rows, n_groups, n_contracts),
        "able": (m.edges.able_row.size, n_groups, n_contracts),
        "at_post": (n_posts, n_groups, n_contracts),
        "w": (n_posts, n_groups, n_contracts),
        "edge_rate": (m.edges.origin.size,),
        "factor": known["at"].shape,
        "times": known["own"].shape,
        "same": known["n_own"].shape,
        "by_age": known["own"].shape[3:],
        "switch": (n_posts, len(known["pair_to"]), n_groups, n_ages),
        "moving": cell,
        "years": (1 + n_copies, n_rows, *cell),
        "into_pool": (n_pools, n_posts, n_groups, n_ages),
        "hires": (n_sources, n_posts),
        "row": (n_ages,),
        "row2": (n_ages,),
    }
    shapes |= dict.fromkeys(("hazard", "time", "hazard_tagged", "time_tagged"), (n_rows, *cell))
    others: dict[str, Any] = {
        name: zeros(shapes.get(name, post)) for name in Scratch._fields if name not in known
    }
    return Scratch(**others, **known)


def own_rows(risks: Risks) -> dict[str, Ints]:
    """Return the different rows of hazards of every cell: `own`, `n_own` and `at` of `Scratch`."""
    row, from_ = np.moveaxis(risks.row, 0, -1), risks.switch_from.tolist()
    cells, n_risks = row.shape[:-1], row.shape[-1]
    at, lists = np.full(row.shape, -1), {}
    for cell in np.ndindex(*cells):
        here = [k for k in range(n_risks) if k < n_risks - len(from_) or from_[k - n_risks] == cell[2]]
        lists[cell] = [h for h in dict.fromkeys(row[cell][here].tolist()) if h > NEVER]
        for k in here:
            if row[(*cell, k)] in lists[cell]:
                at[(*cell, k)] = lists[cell].index(row[(*cell, k)])
    n_own = np.zeros(cells, dtype=np.int64)
    own = np.full((*cells, 4 + n_risks), NEVER)
    for cell, found in lists.items():
        own[(*cell, slice(len(found)))] = found
        n_own[cell] = max(2, -(-len(found) // 2) * 2)
    return {"own": own, "n_own": n_own, "at": at}


def pairs(risks: Risks) -> dict[str, Ints]:
    """Return the pairs of contracts of switches: `pair`, `pair_from` and `pair_to` of `Scratch`."""
    ends = list(zip(risks.switch_from.tolist(), risks.switch_to.tolist(), strict=True))
    found = list(dict.fromkeys(ends))
    from_to = np.array(found, dtype=np.int64).reshape(-1, 2)
    pair = np.array([found.index(end) for end in ends], dtype=np.int64)
    return {"pair": pair, "pair_from": from_to[:, 0].copy(), "pair_to": from_to[:, 1].copy()}


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
    """Multiplier of every risk's row of hazards in every cell (0 without such a risk), and of each row.

    Leaving is multiplied by its level relative to the opening mix of first-year and other staff, and
    leaving and switches by the multipliers of the feedbacks that act on them.
    """
    first_switch = risks.n_leave + risks.n_retire
    w.times[:] = 0.0
    w.same[:] = 0.0
    for p in range(w.factor.shape[0]):
        excess = risks.first_year_ratio[d, p] - 1.0
        new_ones = (1.0 + excess * w.first_share[p]) / risks.first_year_mean[d, p]
        for k in range(w.factor.shape[3]):
            x = risks.over_time[d, k, t]
            if k < risks.n_leave:
                x *= new_ones
            if feedbacks.tired[k]:
                x *= multiplier[BURNOUT, p]
            if feedbacks.shorter[k]:
                x *= multiplier[SHORTER_HOURS, p]
            if feedbacks.flexible[k]:
                x *= multiplier[FLEXIBILITY, p]
            for g in range(w.factor.shape[1]):
                for c in range(w.factor.shape[2]):
                    exists = k < first_switch or risks.switch_from[k - first_switch] == c
                    own = x * risks.scale[d, k, p, g, c] if exists else 0.0
                    w.factor[p, g, c, k] = own
                    if w.at[p, g, c, k] >= 0:
                        w.times[p, g, c, w.at[p, g, c, k]] += own
                    elif risks.row[k, p, g, c] == CONSTANT:
                        w.same[p, g, c] += own
