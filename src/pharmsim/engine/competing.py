"""Step 4, and what follows from it inside a post: the competing risks, who leaves, who switches contract.

Names of the arguments as in `pharmsim.engine.people`. A row of people is worked on as one vector of all its
groups, contracts and ages wherever that is possible: short loops cost as much as long ones.
"""

from __future__ import annotations

from pharmsim.compiled.arrays import CONSTANT
from pharmsim.engine.jit import kernel, reduction
from pharmsim.engine.lived import add, dot, halvings, largest, lived, total


@kernel
def total_hazard(hazard, own, n_own, times, same, away, out):  # type: ignore[no-untyped-def]
    """Λ of every cell of a row of people: `same` + `away` by age + the rows `own` of hazards × `times`.

    The first four rows are added in one pass, the others two at a time.
    """
    for g in range(out.shape[0]):
        for c in range(out.shape[1]):
            x, k, y = out[g, c], own[g, c], times[g, c]
            base, a, b = same[g, c], y[0], y[1]
            ha, hb = hazard[k[0]], hazard[k[1]]
            if n_own[g, c] > 2:
                third, fourth, hc, hd = y[2], y[3], hazard[k[2]], hazard[k[3]]
                for i in range(x.size):
                    x[i] = base + away[i] + a * ha[i] + b * hb[i] + third * hc[i] + fourth * hd[i]
            else:
                for i in range(x.size):
                    x[i] = base + away[i] + a * ha[i] + b * hb[i]
            for j in range(4, n_own[g, c], 2):
                a, b, ha, hb = y[j], y[j + 1], hazard[k[j]], hazard[k[j + 1]]
                for i in range(x.size):
                    x[i] += a * ha[i] + b * hb[i]


@kernel
def survive(people, hazard, time, years):  # type: ignore[no-untyped-def]
    """Person-years lived in the cells of a row, and who is still there at the end of the step."""
    people, hazard = people.reshape(people.size), hazard.reshape(hazard.size)
    time, years = time.reshape(time.size), years.reshape(years.size)
    for a in range(people.size):
        lived_here = people[a] * time[a]
        years[a] = lived_here
        people[a] -= hazard[a] * lived_here


@reduction
def two_dots(x, y, years):  # type: ignore[no-untyped-def]
    """Sums of products of two vectors with a third."""
    s = r = 0.0
    for i in range(years.size):
        s += x[i] * years[i]
        r += y[i] * years[i]
    return s, r


@kernel
def by_hazard(hazard, own, n_own, years, out):  # type: ignore[no-untyped-def]
    """Person-years weighted by each row `own` of hazards."""
    for j in range(0, n_own, 2):
        out[j], out[j + 1] = two_dots(hazard[own[j]], hazard[own[j + 1]], years)


@kernel
def leave(risks, hazard, d, t, p, w, years, leavers_out, retired_out, employer_out):  # type: ignore[no-untyped-def]
    """Step 6. Leavers by destination, the retired, changes of employer of a row; leavers enter their pools."""
    for g in range(years.shape[0]):
        for c in range(years.shape[1]):
            here = total(years[g, c])
            if here == 0.0:
                continue
            by_hazard(hazard, w.own[p, g, c], w.n_own[p, g, c], years[g, c], w.by_age)
            for k in range(risks.n_leave + risks.n_retire):
                x, j = w.factor[k, p, g, c], w.at[k, p, g, c]
                heads = x * (here if j < 0 else w.by_age[j])
                if k >= risks.n_leave:
                    retired_out[p] += heads
                    w.gone[p] += heads
                    continue
                leavers_out[p, risks.leave_to[k]] += heads
                w.lost[p] += heads
                pool = risks.leave_pool[risks.leave_to[k]]
                if pool >= 0 and x != 0.0:
                    h = CONSTANT if j < 0 else w.own[p, g, c, j]
                    enter_pool(x, hazard[h], years[g, c], w.into_pool[pool, p, g])
            x = risks.employer_change[d, p, g, c] * risks.employer_over_time[d, t]
            if x > 0.0:
                employer_out[p] += x * here


@kernel
def enter_pool(x, hazard, years, out):  # type: ignore[no-untyped-def]
    """Who leaves for a pool, by age."""
    for a in range(out.size):
        out[a] += x * hazard[a] * years[a]


@kernel
def switching(risks, hazard, p, w, years, switches_out):  # type: ignore[no-untyped-def]
    """Step 6. Hazards of the contract switches of a row, by pair of contracts; switches are counted."""
    first = risks.n_leave + risks.n_retire
    w.switches[:] = False
    for k in range(first, w.factor.shape[0]):
        c, to = risks.switch_from[k - first], risks.switch_to[k - first]
        for g in range(years.shape[0]):
            x, h = w.factor[k, p, g, c], risks.row[k, p, g, c]
            if x == 0.0:
                continue
            if not w.switches[c, to]:
                w.switches[c, to] = True
                w.switch[c, to] = 0.0
            add(x, hazard[h], w.switch[c, to, g])
            switches_out[p, risks.switch_as[k - first]] += x * dot(hazard[h], years[g, c])


@kernel
def switch(switches, hazard, years, people):  # type: ignore[no-untyped-def]
    """Step 6. Who switches contract arrives; `switches` says between which contracts there are any."""
    for c in range(switches.shape[0]):
        for to in range(switches.shape[1]):
            if switches[c, to]:
                for g in range(people.shape[0]):
                    out, h, x = people[g, to], hazard[c, to, g], years[g, c]
                    for a in range(out.size):
                        out[a] += h[a] * x[a]


@kernel
def move_away(edges, r, drop_out, edge_rate, out):  # type: ignore[no-untyped-def]
    """Hazard by age of leaving a row by its edges (and of giving up a training)."""
    for a in range(out.size):
        out[a] = drop_out
    before, rate = -1, 0.0
    for j in range(edges.row_start[r], edges.row_start[r + 1]):
        e = edges.by_row[j]
        if edges.able[e] != before:
            move_some(edges, before, rate, out)
            before, rate = edges.able[e], 0.0
        rate += edge_rate[e]
    move_some(edges, before, rate, out)


@kernel
def move_some(edges, able, rate, out):  # type: ignore[no-untyped-def]
    """Add a rate at the eligible ages of a group of people."""
    if able >= 0:
        for a in range(edges.able_first[able], edges.able_end[able]):
            out[a] += rate


@kernel
def also_change_employer(risks, d, t, p, hazard, out):  # type: ignore[no-untyped-def]
    """Hazards with changes of employer, which happen inside a post, as one more risk."""
    for g in range(hazard.shape[0]):
        for c in range(hazard.shape[1]):
            x = risks.employer_change[d, p, g, c] * risks.employer_over_time[d, t]
            for a in range(hazard.shape[2]):
                out[g, c, a] = hazard[g, c, a] + x


@kernel
def compete(risks, edges, tracks, levels, d, t, i, dt, people, w, o):  # type: ignore[no-untyped-def]
    """Step 4, and 6 inside a post. The stock and its tagged copies through the competing risks, row by row.

    `people` has the copies first; `o` are the flows of posts.
    """
    hazard = risks.hazard[i[0], i[1]]
    leavers, retired, employer = o.leavers[d, t], o.retirements[d, t], o.employer_changes[d, t]
    any_employer = False
    for copy in range(levels.employer.size):
        any_employer = any_employer or levels.employer[copy]
    w.lost[:] = 0.0
    w.gone[:] = 0.0
    for r in range(tracks.home.size):
        p, track = tracks.home[r], tracks.of_row[r]
        if total(w.heads[r]) == 0.0:
            for copy in range(people.shape[0]):
                w.years[copy, r] = 0.0
                people[copy, r] = 0.0
            continue
        move_away(edges, r, tracks.drop_out[d, track] if track >= 0 else 0.0, w.edge_rate, w.row)
        total_hazard(hazard, w.own[p], w.n_own[p], w.times[p], w.same[p], w.row, w.hazard)
        lived(w.hazard, dt, halvings(largest(w.hazard) * dt), w.time)
        survive(people[0, r], w.hazard, w.time, w.years[0, r])
        leave(risks, hazard, d, t, p, w, w.years[0, r], leavers, retired, employer)
        switching(risks, hazard, p, w, w.years[0, r], o.switches[d, t])
        switch(w.switches, w.switch, w.years[0, r], people[0, r])
        if any_employer:
            also_change_employer(risks, d, t, p, w.hazard, w.hazard_tagged)
            lived(w.hazard_tagged, dt, halvings(largest(w.hazard_tagged) * dt), w.time_tagged)
        for copy in range(levels.employer.size):
            if levels.block[copy, p] < 0:
                continue  # nobody is tagged here
            tagged, years = people[1 + copy, r], w.years[1 + copy, r]
            if levels.employer[copy]:
                survive(tagged, w.hazard_tagged, w.time_tagged, years)
            else:
                survive(tagged, w.hazard, w.time, years)
            switch(w.switches, w.switch, years, tagged)
