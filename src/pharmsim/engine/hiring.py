"""Step 7: vacancies are offered to the sources in their order; offers wait, then start.

Names of the arguments as in `pharmsim.engine.people`; `h` is the `Hiring` part of the model. With a `Chance`
(`x`) people are whole, and `key` is that of their random numbers; what they do in another way than their
expectation is in `whole_hiring`.
"""

from __future__ import annotations

import math

from pharmsim.compiled.arrays import OUTSIDE, UNLIMITED_SUPPLY
from pharmsim.engine.ageing import by_cohort
from pharmsim.engine.jit import kernel
from pharmsim.engine.lived import copy, total
from pharmsim.engine.whole_hiring import ask_outside as whole_ask_outside
from pharmsim.engine.whole_hiring import ask_seekers as whole_ask_seekers
from pharmsim.engine.whole_hiring import wanted as whole_wanted


@kernel
def wanted(h, d, dt, w):  # type: ignore[no-untyped-def]
    """Heads that each post wants to hire in this step; infinite where a post has no limit."""
    for p in range(w.demand.size):
        if math.isinf(w.limit[p]):
            w.demand[p] = math.inf
            continue
        left = max(max(w.limit[p], 0.0) - w.arrived[p], 0.0)
        months = h.fill_months[d, p]
        share = 1.0 - math.exp(-12.0 * dt / months) if months > 0.0 else 1.0
        w.demand[p] = left * share / w.fte_per_hire[p] if w.fte_per_hire[p] > 0.0 else 0.0


@kernel
def ask_outside(h, d, t, j, dt, fraction, recruits, offers, demand, hires):  # type: ignore[no-untyped-def]
    """Offers to people from outside: as many as wanted, at most the supply times `recruits` of the post."""
    for p in range(demand.size):
        heads = demand[p]
        if h.supply[d, j, p] != UNLIMITED_SUPPLY:
            heads = min(heads, h.supply[d, j, p] * h.over_time[d, j, t] * recruits[p] * dt)
        elif math.isinf(heads):
            heads = 0.0
        demand[p] -= heads
        hires[p] += heads
        if heads == 0.0:
            continue
        slot = h.hire_months[p]
        for g in range(offers.shape[3]):
            by_cohort(heads, fraction, h.people[j, p, g], offers[d, slot, p, g])


@kernel
def share_out(choice, seeking, demand, hired):  # type: ignore[no-untyped-def]
    """Heads hired by each post: first by preference, then what is left in proportion to demand."""
    rest, left = seeking, 0.0
    for p in range(demand.size):
        hired[p] = min(demand[p], seeking * choice[p])
        rest -= hired[p]
        if choice[p] > 0.0 and not math.isinf(demand[p]):
            left += demand[p] - hired[p]
    share = min(1.0, max(rest, 0.0) / left) if left > 0.0 else 0.0
    for p in range(demand.size):
        if choice[p] > 0.0 and not math.isinf(demand[p]):
            hired[p] += (demand[p] - hired[p]) * share


@kernel
def ask_seekers(h, d, q, offers, seekers, demand, hired, hires):  # type: ignore[no-untyped-def]
    """Offers to the newly qualified of pipeline `q`."""
    seeking = total(seekers[d, q])
    if seeking <= 0.0:
        return
    share_out(h.destinations[d, q], seeking, demand, hired)
    placed = 0.0
    for p in range(demand.size):
        if hired[p] > 0.0:
            placed += hired[p]
            demand[p] -= hired[p]
            hires[p] += hired[p]
            x, slot = hired[p] / seeking, h.hire_months[p]
            for g in range(seekers.shape[2]):
                for a in range(seekers.shape[3]):
                    offers[d, slot, p, g, a] += x * seekers[d, q, g, a]
    stay = max(1.0 - placed / seeking, 0.0)
    for g in range(seekers.shape[2]):
        for a in range(seekers.shape[3]):
            seekers[d, q, g, a] *= stay


@kernel
def ask_pipelines(h, d, j, s, key, w, hires, x):  # type: ignore[no-untyped-def]
    """Offers to the newly qualified of every pipeline of source `j`."""
    for q in range(h.pipelines.shape[1]):
        if h.pipelines[j, q]:
            if x is None:
                ask_seekers(h, d, q, s.offers, s.seekers, w.demand, w.hired, hires)
            else:
                whole_ask_seekers(h, d, q, s.offers, s.seekers, key, w.demand, hires, x)


@kernel
def hire(h, sources, recruitment, d, t, dt, fraction, s, key, w, offers_out, x):  # type: ignore[no-untyped-def]
    """Step 7. Ask every source in turn; those who accept enter the offers.

    `recruitment` multiplies the supply of those `sources` that answer to vacancies.
    """
    if x is None:
        wanted(h, d, dt, w)
    else:
        whole_wanted(h, d, dt, key, w, x)
    for j in range(h.kind.size):
        hires = w.hires[j]
        hires[:] = 0.0
        if h.kind[j] == OUTSIDE:
            for p in range(hires.size):
                w.recruits[p] = recruitment[p] if sources[j] else 1.0
            if x is None:
                ask_outside(h, d, t, j, dt, fraction, w.recruits, s.offers, w.demand, hires)
            else:
                whole_ask_outside(h, d, t, j, dt, fraction, w.recruits, s.offers, key, w.demand, hires, x)
        else:
            ask_pipelines(h, d, j, s, key, w, hires, x)
        for p in range(hires.size):
            offers_out[p, j] += hires[p]
            s.offers_by_source[d, h.hire_months[p], p, j] += hires[p]


@kernel
def give_up(rate, d, dt, seekers, gave_up_out):  # type: ignore[no-untyped-def]
    """Newly qualified people who found nothing stop looking (`rate` by pipeline, per year)."""
    for q in range(rate.size):
        stay = math.exp(-rate[q] * dt)
        if stay < 1.0:
            gave_up_out[q] += (1.0 - stay) * total(seekers[d, q])
            for g in range(seekers.shape[2]):
                for a in range(seekers.shape[3]):
                    seekers[d, q, g, a] *= stay


@kernel
def start(h, d, s, month_ends, joiners_out):  # type: ignore[no-untyped-def]
    """Those in slot 0 of the offers begin work: contract mix of hires, first-year staff.

    Inside a month only posts without time to hire start people (`month_ends` false).
    """
    offers, people = s.offers, s.people
    for p in range(h.hire_months.size):
        if not month_ends and h.hire_months[p] > 0:
            continue
        for g in range(people.shape[3]):
            s.first_year[d, p, 12] += total(offers[d, 0, p, g])
            for c in range(people.shape[4]):
                share = h.contracts[d, p, g, c]
                for a in range(people.shape[5]):
                    people[d, 0, p, g, c, a] += share * offers[d, 0, p, g, a]
            offers[d, 0, p, g] = 0.0
        for j in range(joiners_out.shape[1]):
            joiners_out[p, j] += s.offers_by_source[d, 0, p, j]
            s.offers_by_source[d, 0, p, j] = 0.0


@kernel
def advance(d, offers, by_source, first_year):  # type: ignore[no-untyped-def]
    """A month passes: every offer is one month nearer its first day; first-year staff mature."""
    last = offers.shape[1] - 1
    for slot in range(last):
        copy(offers[d, slot + 1], offers[d, slot])
        copy(by_source[d, slot + 1], by_source[d, slot])
    if last > 0:
        offers[d, last] = 0.0
        by_source[d, last] = 0.0
    for p in range(first_year.shape[1]):
        for slot in range(12):
            first_year[d, p, slot] = first_year[d, p, slot + 1]
        first_year[d, p, 12] = 0.0
