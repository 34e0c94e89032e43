"""Steps 2 and 3: vacancies, and the share of wanted arrivals for which there is one.

Names of the arguments as in `pharmsim.engine.people`.
"""

from __future__ import annotations

from pharmsim.compiled.arrays import PROMOTION
from pharmsim.engine.jit import kernel, small
from pharmsim.engine.lived import dot, total
from pharmsim.engine.people import count_able


@kernel
def vacancies(hiring, funded, d, offers, w):  # type: ignore[no-untyped-def]
    """Step 2. Vacancy of each post in FTE, net of outstanding offers; `funded` is the establishment."""
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
        w.limit[p] = funded[p] - w.fte[p] - offered * w.fte_per_hire[p]


@small
def in_fte(heads, fte_per_head):  # type: ignore[no-untyped-def]
    """FTE of heads by group and contract."""
    fte = 0.0
    for g in range(heads.shape[0]):
        for c in range(heads.shape[1]):
            fte += heads[g, c] * fte_per_head[g, c]
    return fte


@kernel
def limits(edges, pools, hazard, home, moving, d, t, dt, people, in_pools, w, blocked_out):  # type: ignore[no-untyped-def]
    """Step 3. Wanted arrivals, the share for which there is a vacancy, limited hazards.

    `moving` multiplies the rate of every edge.
    """
    n_pools, n_posts, n_groups = pools.return_row.shape
    w.arrived[:] = 0.0  # here: FTE that want to arrive
    count_able(edges, people[d, 0], w.able)
    for e in range(edges.origin.size):
        rate = edges.rate[d, e] * edges.overlap[d, e] * edges.over_time[d, edges.kind[e], t] * moving[e]
        if edges.kind[e] == PROMOTION:
            rate *= 1.0 - w.first_share[home[edges.origin[e]]]
        w.edge_rate[e] = rate
        if rate > 0.0:
            p = edges.to[e]
            w.arrived[p] += rate * dt * in_fte(w.able[edges.able[e]], w.w[p])
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
            blocked_out[e] += (1.0 - filled) * w.edge_rate[e] * dt * total(w.able[edges.able[e]])
            w.edge_rate[e] *= filled
