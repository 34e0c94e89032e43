"""Step 4, and what follows from it inside a post: the competing risks, who leaves, who switches contract.

Names of the arguments as in `pharmsim.engine.people`. Where everybody is treated alike, all rows, groups,
contracts and ages are one long vector: the same work in many short ones takes several times as long.
"""

from __future__ import annotations

from pharmsim.compiled.arrays import CONSTANT
from pharmsim.engine.jit import flat, kernel, reduction, small
from pharmsim.engine.lived import add, halvings, lived, total


@kernel
def compete(risks, edges, tracks, levels, d, t, i, dt, people, w, o):  # type: ignore[no-untyped-def]
    """Step 4, and 6 inside a post. The stock and its tagged copies through the competing risks.

    `people` has the copies first; `o` are the flows of posts.
    """
    hazard, peak = risks.hazard[i[0], i[1]], w.peak[i[0], i[1]]
    highest = hazards(hazard, peak, edges, tracks, d, w)
    lived(w.hazard, dt, halvings(highest * dt), w.time)
    survive(people[0], w.hazard, w.time, w.years[0])
    leave(risks, hazard, tracks.home, d, t, w, o)
    switching(risks, hazard, w)
    for r in range(tracks.home.size):
        switch(w, tracks.home[r], w.years[0, r], people[0, r])
    for copy in range(levels.employer.size):
        if levels.employer[copy]:
            highest += also_change_employer(risks, tracks.home, d, t, w)
            lived(w.hazard_tagged, dt, halvings(highest * dt), w.time_tagged)
            break
    for copy in range(levels.employer.size):
        hazard_now = w.hazard_tagged if levels.employer[copy] else w.hazard
        time_now = w.time_tagged if levels.employer[copy] else w.time
        for r in range(tracks.home.size):
            if levels.block[copy, tracks.home[r]] >= 0:
                years = w.years[1 + copy, r]
                survive(people[1 + copy, r], hazard_now[r], time_now[r], years)
                switch(w, tracks.home[r], years, people[1 + copy, r])


# -- hazards -----------------------------------------------------------------------------------------------


@kernel
def hazards(hazard, peak, edges, tracks, d, w):  # type: ignore[no-untyped-def]
    """Λ of everybody in a row of people (0 in rows with nobody); returns a bound of it.

    `peak` is the highest number of each row of hazards.
    """
    highest = 0.0
    for r in range(tracks.home.size):
        if total(w.heads[r]) == 0.0:
            w.hazard[r] = 0.0
            continue
        p, track, away = tracks.home[r], tracks.of_row[r], w.row
        top = tracks.drop_out[d, track] if track >= 0 else 0.0
        for a in range(away.size):
            away[a] = top
        top += move_away(edges, r, w.edge_rate, away)
        for g in range(w.hazard.shape[1]):
            for c in range(w.hazard.shape[2]):
                n, own, times, bound = (
                    w.n_own[p, g, c],
                    w.own[p, g, c],
                    w.times[p, g, c],
                    top + w.same[p, g, c],
                )
                for j in range(n):
                    bound += times[j] * peak[own[j]]
                highest = max(highest, bound)
                total_hazard(hazard, own, n, times, w.same[p, g, c], away, w.hazard[r, g, c])
    return highest


@kernel
def move_away(edges, r, edge_rate, out):  # type: ignore[no-untyped-def]
    """Add the hazard by age of leaving a row by its edges; returns that of all of them together."""
    whole = rate = 0.0
    for j in range(edges.row_start[r], edges.row_start[r + 1]):
        rate += edge_rate[edges.by_row[j]]
        k = edges.able[edges.by_row[j]]
        if j + 1 == edges.row_start[r + 1] or edges.able[edges.by_row[j + 1]] != k:
            for a in range(edges.able_first[k], edges.able_end[k]):
                out[a] += rate
            whole += rate
            rate = 0.0
    return whole


@small
def total_hazard(hazard, own, n_own, times, same, away, out):  # type: ignore[no-untyped-def]
    """Λ of every age of a cell: `same` + `away` by age + the rows `own` of hazards × `times`.

    The first four rows are added in one pass, the others two at a time.
    """
    a, b, ha, hb = times[0], times[1], hazard[own[0]], hazard[own[1]]
    if n_own > 2:
        c, d, hc, hd = times[2], times[3], hazard[own[2]], hazard[own[3]]
        for i in range(out.size):
            out[i] = same + away[i] + a * ha[i] + b * hb[i] + c * hc[i] + d * hd[i]
    else:
        for i in range(out.size):
            out[i] = same + away[i] + a * ha[i] + b * hb[i]
    for j in range(4, n_own, 2):
        a, b, ha, hb = times[j], times[j + 1], hazard[own[j]], hazard[own[j + 1]]
        for i in range(out.size):
            out[i] += a * ha[i] + b * hb[i]


@kernel
def also_change_employer(risks, home, d, t, w):  # type: ignore[no-untyped-def]
    """Hazards with changes of employer, which happen inside a post, as one more risk; returns the highest."""
    highest = 0.0
    for r in range(home.size):
        for g in range(w.hazard.shape[1]):
            for c in range(w.hazard.shape[2]):
                x = risks.employer_change[d, home[r], g, c] * risks.employer_over_time[d, t]
                highest = max(highest, x)
                out, hazard = w.hazard_tagged[r, g, c], w.hazard[r, g, c]
                for a in range(out.size):
                    out[a] = hazard[a] + x
    return highest


@small
def survive(people, hazard, time, years):  # type: ignore[no-untyped-def]
    """Person-years lived in every cell, and who is still there at the end of the step."""
    people, hazard, time, years = flat(people), flat(hazard), flat(time), flat(years)
    for a in range(people.size):
        lived_here = people[a] * time[a]
        years[a] = lived_here
        people[a] -= hazard[a] * lived_here


# -- leavers -----------------------------------------------------------------------------------------------


@reduction
def dots(x, y, years):  # type: ignore[no-untyped-def]
    """Sums of products of two vectors with a third."""
    s = r = 0.0
    for i in range(years.size):
        s += x[i] * years[i]
        r += y[i] * years[i]
    return s, r


@reduction
def four_dots(x, y, z, v, years):  # type: ignore[no-untyped-def]
    """Sums of products of four vectors with a fifth, and the sum of the fifth."""
    a = b = c = d = n = 0.0
    for i in range(years.size):
        a += x[i] * years[i]
        b += y[i] * years[i]
        c += z[i] * years[i]
        d += v[i] * years[i]
        n += years[i]
    return a, b, c, d, n


@small
def by_hazard(hazard, own, n_own, years, out):  # type: ignore[no-untyped-def]
    """Person-years weighted by each row `own` of hazards; returns all of them."""
    a, b, c, d = hazard[own[0]], hazard[own[1]], hazard[own[2]], hazard[own[3]]
    out[0], out[1], out[2], out[3], here = four_dots(a, b, c, d, years)
    for j in range(4, n_own, 2):
        out[j], out[j + 1] = dots(hazard[own[j]], hazard[own[j + 1]], years)
    return here


@kernel
def leave(risks, hazard, home, d, t, w, o):  # type: ignore[no-untyped-def]
    """Step 6. Leavers by destination, retired, switches, changes of employer; leavers enter their pools."""
    n_leave, first_switch = risks.n_leave, risks.n_leave + risks.n_retire
    leavers, retired, switched = o.leavers[d, t], o.retirements[d, t], o.switches[d, t]
    w.lost[:] = 0.0
    w.gone[:] = 0.0
    for r in range(home.size):
        p = home[r]
        for g in range(w.hazard.shape[1]):
            for c in range(w.hazard.shape[2]):
                years, own, factor, at = w.years[0, r, g, c], w.own[p, g, c], w.factor[p, g, c], w.at[p, g, c]
                if w.heads[r, g, c] == 0.0:
                    continue
                here = by_hazard(hazard, own, w.n_own[p, g, c], years, w.by_age)
                for k in range(factor.size):
                    heads = factor[k] * (here if at[k] < 0 else w.by_age[at[k]])
                    if k >= first_switch:
                        switched[p, risks.switch_as[k - first_switch]] += heads
                        continue
                    if k >= n_leave:
                        retired[p] += heads
                        w.gone[p] += heads
                        continue
                    leavers[p, risks.leave_to[k]] += heads
                    w.lost[p] += heads
                    pool = risks.leave_pool[risks.leave_to[k]]
                    if pool >= 0 and heads != 0.0:
                        leaves_by_age = hazard[own[at[k]] if at[k] >= 0 else CONSTANT]
                        enter_pool(factor[k], leaves_by_age, years, w.into_pool[pool, p, g])
                x = risks.employer_change[d, p, g, c] * risks.employer_over_time[d, t]
                o.employer_changes[d, t, p] += x * here


@small
def enter_pool(x, hazard, years, out):  # type: ignore[no-untyped-def]
    """Who leaves for a pool, by age."""
    for a in range(out.size):
        out[a] += x * hazard[a] * years[a]


# -- switches ----------------------------------------------------------------------------------------------


@kernel
def switching(risks, hazard, w):  # type: ignore[no-untyped-def]
    """Hazard of switching of every post, by pair of contracts (from, to)."""
    first = risks.n_leave + risks.n_retire
    w.switch[:] = 0.0
    for p in range(w.switch.shape[0]):
        for k in range(w.pair.size):
            for g in range(w.switch.shape[2]):
                x = w.factor[p, g, risks.switch_from[k], first + k]
                if x != 0.0:
                    add(
                        x, hazard[risks.row[first + k, p, g, risks.switch_from[k]]], w.switch[p, w.pair[k], g]
                    )


@small
def switch(w, p, years, people):  # type: ignore[no-untyped-def]
    """Step 6. Who switches contract arrives."""
    for k in range(w.pair_from.size):
        for g in range(people.shape[0]):
            h, x, out = w.switch[p, k, g], years[g, w.pair_from[k]], people[g, w.pair_to[k]]
            for a in range(out.size):
                out[a] += h[a] * x[a]
