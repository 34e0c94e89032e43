"""Step 7: vacancies are offered to the sources in their order; offers wait, then start.

Names of the arguments as in `pharmsim.engine.people`.
"""

from __future__ import annotations

import math

from pharmsim.compiled.arrays import OUTSIDE, UNLIMITED_SUPPLY
from pharmsim.engine.jit import kernel
from pharmsim.engine.lived import copy, total


@kernel
def demand(m, d, dt, w):  # type: ignore[no-untyped-def]
    """Heads that each post wants to hire in this step; infinite where a post has no limit."""
    for p in range(w.demand.size):
        if math.isinf(w.limit[p]):
            w.demand[p] = math.inf
            continue
        left = max(max(w.limit[p], 0.0) - w.arrived[p], 0.0)
        months = m.fill_months[d, p]
        share = 1.0 - math.exp(-12.0 * dt / months) if months > 0.0 else 1.0
        w.demand[p] = left * share / w.fte_per_hire[p] if w.fte_per_hire[p] > 0.0 else 0.0


@kernel
def ask_outside(m, d, t, j, dt, w):  # type: ignore[no-untyped-def]
    """Offers to people from outside: as many as wanted, at most the supply."""
    for p in range(w.demand.size):
        heads = w.demand[p]
        if m.supply[d, j, p] != UNLIMITED_SUPPLY:
            heads = min(heads, m.supply[d, j, p] * m.supply_over_time[d, j, t] * dt)
        elif math.isinf(heads):
            heads = 0.0
        w.hires[j, p] += heads
        w.demand[p] -= heads


@kernel
def ask_seekers(m, d, q, j, s, w):  # type: ignore[no-untyped-def]
    """Offers to the newly qualified of pipeline `q`: by preference, then what is left is shared out."""
    seeking = total(s.seekers[d, q])
    if seeking <= 0.0:
        return
    n_posts = w.demand.size
    rest, wanted = seeking, 0.0
    for p in range(n_posts):
        first = min(w.demand[p], seeking * m.destinations[d, q, p])
        w.hired[q, p] = first
        rest -= first
        if m.destinations[d, q, p] > 0.0 and not math.isinf(w.demand[p]):
            wanted += w.demand[p] - first
    rest = max(rest, 0.0)
    share = min(1.0, rest / wanted) if wanted > 0.0 else 0.0
    placed = 0.0
    for p in range(n_posts):
        if m.destinations[d, q, p] > 0.0 and not math.isinf(w.demand[p]):
            w.hired[q, p] += (w.demand[p] - w.hired[q, p]) * share
        w.demand[p] -= w.hired[q, p]
        w.hires[j, p] += w.hired[q, p]
        placed += w.hired[q, p]
    for p in range(n_posts):
        if w.hired[q, p] > 0.0:
            x = w.hired[q, p] / seeking
            for g in range(s.seekers.shape[2]):
                seekers, out = s.seekers[d, q, g], s.offers[d, m.hire_months[p], p, g]
                for a in range(seekers.size):
                    out[a] += x * seekers[a]
    stay = max(1.0 - placed / seeking, 0.0)
    for g in range(s.seekers.shape[2]):
        for a in range(s.seekers.shape[3]):
            s.seekers[d, q, g, a] *= stay


@kernel
def accept_outside(m, d, j, fraction, s, w):  # type: ignore[no-untyped-def]
    """People from outside accept; split over two cohorts so that their mean age is kept."""
    n_ages = s.offers.shape[4]
    for p in range(w.demand.size):
        heads = w.hires[j, p]
        if heads == 0.0:
            continue
        for g in range(s.offers.shape[3]):
            people = m.source_people[j, p, g]
            out = s.offers[d, m.hire_months[p], p, g]
            out[0] += heads * people[0]
            for a in range(1, n_ages):
                out[a] += heads * people[a] * (1.0 - fraction)
                out[a - 1] += heads * people[a] * fraction


@kernel
def hire(m, d, t, dt, fraction, s, w, offers_out):  # type: ignore[no-untyped-def]
    """Step 7. Ask every source; those accepted enter the offers."""
    demand(m, d, dt, w)
    w.hires[:] = 0.0
    for j in range(m.source_kind.size):
        if m.source_kind[j] == OUTSIDE:
            ask_outside(m, d, t, j, dt, w)
            accept_outside(m, d, j, fraction, s, w)
        else:
            for q in range(m.history.size):
                if m.source_pipelines[j, q]:
                    ask_seekers(m, d, q, j, s, w)
        for p in range(w.demand.size):
            offers_out[p, j] += w.hires[j, p]
            s.offers_by_source[d, m.hire_months[p], p, j] += w.hires[j, p]


@kernel
def give_up(m, d, dt, s, gave_up_out):  # type: ignore[no-untyped-def]
    """Newly qualified people who found nothing stop looking."""
    for q in range(m.history.size):
        stay = math.exp(-m.gives_up[d, q] * dt)
        if stay < 1.0:
            gave_up_out[q] += (1.0 - stay) * total(s.seekers[d, q])
            for g in range(s.seekers.shape[2]):
                for a in range(s.seekers.shape[3]):
                    s.seekers[d, q, g, a] *= stay


@kernel
def start(m, d, s, month_ends, joiners_out):  # type: ignore[no-untyped-def]
    """Those in slot 0 of the offers begin work: contract mix of hires, first-year staff.

    Inside a month only posts without time to hire start people (`month_ends` false).
    """
    n_groups, n_contracts = s.people.shape[3], s.people.shape[4]
    for p in range(m.hire_months.size):
        if not month_ends and m.hire_months[p] > 0:
            continue
        heads = 0.0
        for g in range(n_groups):
            people = s.offers[d, 0, p, g]
            heads += total(people)
            for c in range(n_contracts):
                share = m.hire_contracts[d, p, g, c]
                out = s.people[d, 0, p, g, c]
                for a in range(people.size):
                    out[a] += share * people[a]
            people[:] = 0.0
        s.first_year[d, p, 12] += heads
        for j in range(joiners_out.shape[1]):
            joiners_out[p, j] += s.offers_by_source[d, 0, p, j]
            s.offers_by_source[d, 0, p, j] = 0.0


@kernel
def advance(d, s):  # type: ignore[no-untyped-def]
    """A month passes: every offer is one month nearer its first day; first-year staff mature."""
    for slot in range(1, s.offers.shape[1]):
        copy(s.offers[d, slot], s.offers[d, slot - 1])
        copy(s.offers_by_source[d, slot], s.offers_by_source[d, slot - 1])
    if s.offers.shape[1] > 1:
        s.offers[d, -1] = 0.0
        s.offers_by_source[d, -1] = 0.0
    for p in range(s.first_year.shape[1]):
        for slot in range(12):
            s.first_year[d, p, slot] = s.first_year[d, p, slot + 1]
        s.first_year[d, p, 12] = 0.0
