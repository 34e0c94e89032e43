"""Step 7 with whole people: whole vacancies, people from outside, the newly qualified who choose.

Names of the arguments as in `pharmsim.engine.hiring`; `x` is the `Chance`, `key` that of the step.
"""

from __future__ import annotations

import math

from pharmsim.compiled.arrays import UNLIMITED_SUPPLY
from pharmsim.engine.chance import (
    BIRTHDAY,
    CHOICE,
    CONTRACT,
    ENOUGH,
    GIVE_UP,
    OUTSIDE_SUPPLY,
    SELECTED,
    WANTED,
    WHO,
    binomial,
    drawn_from,
    mix,
    one_of,
    poisson,
    uniform,
)
from pharmsim.engine.jit import flat, kernel
from pharmsim.engine.lived import total
from pharmsim.engine.whole_people import admitted


@kernel
def wanted(h, d, dt, key, w, x):  # type: ignore[no-untyped-def]
    """Whole vacancies for which somebody is sought and found in this step; infinite without a limit."""
    for p in range(w.demand.size):
        if math.isinf(w.limit[p]):
            w.demand[p] = math.inf
            continue
        left = max(w.limit[p] - w.arrived[p], 0.0)
        whole = math.floor(left / w.fte_per_hire[p] + ENOUGH) if w.fte_per_hire[p] > 0.0 else 0.0
        months = h.fill_months[d, p]
        share = 1.0 - math.exp(-12.0 * dt / months) if months > 0.0 else 1.0
        w.demand[p] = binomial(whole, share, uniform(mix(key, x.names.post[p]), WANTED))


@kernel
def ask_outside(h, d, t, j, dt, fraction, recruits, offers, key, demand, hires, x):  # type: ignore[no-untyped-def]
    """Offers to people from outside: as many as wanted, at most those whom chance brings."""
    n_ages = offers.shape[4]
    for p in range(demand.size):
        here = mix(mix(key, x.names.source[j]), x.names.post[p])
        heads = demand[p]
        if h.supply[d, j, p] != UNLIMITED_SUPPLY:
            mean = h.supply[d, j, p] * h.over_time[d, j, t] * recruits[p] * dt
            heads = min(heads, poisson(mean, uniform(here, OUTSIDE_SUPPLY)))
        elif math.isinf(heads):
            heads = 0.0
        demand[p] -= heads
        hires[p] += heads
        for i in range(int(heads)):
            who = one_of(flat(h.people[j, p]), uniform(mix(here, WHO), i))
            g, a = who // n_ages, who % n_ages
            if a > 0 and uniform(mix(here, BIRTHDAY), i) < fraction:
                a -= 1  # of two cohorts of this age at last birthday, the younger one
            offers[d, h.hire_months[p], p, g, a] += 1.0


@kernel
def ask_seekers(h, d, q, offers, seekers, key, demand, hires, x):  # type: ignore[no-untyped-def]
    """Offers to the newly qualified of pipeline `q`: all choose; who is left goes where posts are left."""
    choice, here = h.destinations[d, q], mix(key, x.names.pipeline[q])
    seeking, left = total(seekers[d, q]), 0.0
    if seeking <= 0.0:
        return
    x.choosing[:] = 0.0
    for i in range(int(seeking)):
        p = one_of(choice, uniform(mix(here, CHOICE), i))
        if p >= 0:
            x.choosing[p] += 1.0
    rest = seeking
    for p in range(demand.size):
        x.choosing[p] = min(x.choosing[p], demand[p])
        rest -= x.choosing[p]
        if choice[p] > 0.0 and not math.isinf(demand[p]):
            left += demand[p] - x.choosing[p]
    for p in range(demand.size):
        if choice[p] > 0.0 and not math.isinf(demand[p]) and left > 0.0 and rest > 0.0:
            free = demand[p] - x.choosing[p]
            more = drawn_from(free, left, min(rest, left), mix(mix(here, SELECTED), x.names.post[p]))
            x.choosing[p] += more
            left -= free
            rest -= more
    for p in range(demand.size):
        for i in range(int(x.choosing[p])):
            who = mix(mix(here, WHO), x.names.post[p])
            g, a = leaves(seekers[d, q], uniform(who, i))
            seekers[d, q, g, a] -= 1.0
            offers[d, h.hire_months[p], p, g, a] += 1.0
        demand[p] -= x.choosing[p]
        hires[p] += x.choosing[p]


@kernel
def leaves(heads, u):  # type: ignore[no-untyped-def]
    """Group and age of one person of many, each as likely as any other."""
    sought, g_last, a_last = u * total(heads), 0, 0
    for g in range(heads.shape[0]):
        for a in range(heads.shape[1]):
            if heads[g, a] > 0.0:
                g_last, a_last = g, a
                sought -= heads[g, a]
                if sought < 0.0:
                    return g, a
    return g_last, a_last


@kernel
def give_up(rate, d, dt, seekers, key, gave_up_out, x):  # type: ignore[no-untyped-def]
    """Newly qualified people who found nothing stop looking."""
    for q in range(rate.size):
        share = -math.expm1(-rate[q] * dt)
        here = mix(mix(key, x.names.pipeline[q]), GIVE_UP)
        for g in range(seekers.shape[2]):
            for a in range(seekers.shape[3]):
                n = binomial(seekers[d, q, g, a], share, uniform(here, g * seekers.shape[3] + a))
                seekers[d, q, g, a] -= n
                gave_up_out[q] += n


@kernel
def start(h, d, s, month_ends, funded, key, w, joiners_out, x):  # type: ignore[no-untyped-def]
    """Those in slot 0 of the offers begin work and take contracts by their shares.

    Whoever's contract does not fit into the establishment (`funded`) takes the longest that does; if none
    does, the first day is put off by a month.
    """
    offers, people = s.offers, s.people
    n_ages = people.shape[5]
    for p in range(h.hire_months.size):
        if not month_ends and h.hire_months[p] > 0:
            continue
        here, put_off = mix(mix(key, x.names.post[p]), CONTRACT), 0.0
        x.room[p] = funded[p] - w.fte[p] - w.arrived[p]
        for g in range(people.shape[3]):
            for a in range(n_ages):
                left, rest, begin = offers[d, 0, p, g, a], 1.0, 0.0
                if left == 0.0:
                    continue
                for c in range(people.shape[4]):
                    share = h.contracts[d, p, g, c]
                    if left > 0.0 and share > 0.0:
                        n = binomial(left, share / rest, uniform(mix(here, g * n_ages + a), c))
                        left, rest = left - n, rest - share
                        placed = admitted(n, w.w[p, g, c], x.room, p)
                        people[d, 0, p, g, c, a] += placed
                        begin += placed
                begin += take_what_fits(h, d, p, g, a, offers[d, 0, p, g, a] - begin, people, w, x)
                s.first_year[d, p, 12] += begin
                put_off += offers[d, 0, p, g, a] - begin
                offers[d, 0, p, g, a] -= begin
        by_source(d, p, put_off, s, joiners_out)


@kernel
def take_what_fits(h, d, p, g, a, heads, people, w, x):  # type: ignore[no-untyped-def]
    """People whose contract did not fit, one by one: the longest contract of hires that does."""
    begin = 0.0
    for _ in range(int(heads)):
        best = -1
        for c in range(people.shape[4]):
            fits = h.contracts[d, p, g, c] > 0.0 and w.w[p, g, c] <= x.room[p] + ENOUGH
            if fits and (best < 0 or w.w[p, g, c] > w.w[p, g, best]):
                best = c
        if best < 0:
            break
        x.room[p] -= w.w[p, g, best]
        people[d, 0, p, g, best, a] += 1.0
        begin += 1.0
    return begin


@kernel
def by_source(d, p, put_off, s, joiners_out):  # type: ignore[no-untyped-def]
    """Count who began by source; those put off, of the sources asked last, come a month later."""
    offers, sources = s.offers, s.offers_by_source
    later = 1 if offers.shape[1] > 1 else 0
    for j in range(joiners_out.shape[1] - 1, -1, -1):
        waits = min(put_off, sources[d, 0, p, j])
        put_off -= waits
        joiners_out[p, j] += sources[d, 0, p, j] - waits
        sources[d, 0, p, j] = 0.0
        sources[d, later, p, j] += waits
    if later == 1:
        for g in range(offers.shape[3]):
            for a in range(offers.shape[4]):
                offers[d, 1, p, g, a] += offers[d, 0, p, g, a]
                offers[d, 0, p, g, a] = 0.0
