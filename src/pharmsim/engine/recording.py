"""Step 11: what stands at a month's start.

Names of the arguments as in `pharmsim.engine.people` and `pharmsim.engine.work`.
"""

from __future__ import annotations

import math

from pharmsim.engine.jit import kernel
from pharmsim.engine.lived import total


@kernel
def record_posts(home, index_55, d, t, month, s, w, a, o):  # type: ignore[no-untyped-def]
    """Step 11. Stocks of posts at a month's start; `w` holds the counts of that moment."""
    people, pools, offers, first_year = s.people, s.pools, s.offers, s.first_year
    n_posts = w.fte.size
    for p in range(n_posts):
        for g in range(w.w.shape[1]):
            for c in range(w.w.shape[2]):
                o.headcount[d, t, p, g, c] = w.at_post[p, g, c]
        o.fte[d, t, p] = w.fte[p]
        funded = a.funded[p]
        if math.isinf(funded):
            o.establishment_fte[d, t, p] = math.nan
            o.vacancy_fte[d, t, p] = math.nan
        else:
            o.establishment_fte[d, t, p] = funded
            o.vacancy_fte[d, t, p] = funded - w.fte[p]
            o.cover_fte[d, t, p] = a.cover[p]
        o.first_year[d, t, p] = total(first_year[d, p])
        o.offers[d, t, p] = 0.0
        for slot in range(offers.shape[1]):
            o.offers[d, t, p] += total(offers[d, slot, p])
        for j in range(pools.shape[1]):
            o.in_pool[d, t, j, p] = total(pools[d, j, p])
    for r in range(home.size):
        if r >= n_posts:
            o.apprentices[d, t, home[r]] += total(w.heads[r])
        for g in range(w.w.shape[1]):
            for c in range(w.w.shape[2]):
                older_ones = total(people[d, 0, r, g, c, index_55:])
                if 0 < index_55 <= o.headcount_by_age.shape[3]:  # who has turned 55 since the anniversary
                    older_ones += month % 12 / 12.0 * people[d, 0, r, g, c, index_55 - 1]
                o.headcount_55plus[d, t, home[r]] += older_ones
                if month % 12 == 0:
                    for a in range(o.headcount_by_age.shape[3]):
                        o.headcount_by_age[d, month // 12, home[r], a] += people[d, 0, r, g, c, a]


@kernel
def record_training(d, t, seekers, s, o):  # type: ignore[no-untyped-def]
    """Step 11. Seekers, trainees, candidates."""
    for q in range(seekers.shape[1]):
        o.seekers[d, t, q] = total(seekers[d, q])
        o.awaiting[d, t, q] = total(s.passed[d, q]) + total(s.failed[d, q])
        o.resitting[d, t, q] = total(s.queue[d, q])
    for k in range(s.stages.shape[1]):
        o.trainees[d, t, k] = total(s.stages[d, k])
        o.waiting_for_place[d, t, k] = total(s.unplaced[d, k])


@kernel
def record_system(q, d, t, a, o):  # type: ignore[no-untyped-def]
    """Step 11. Working time, need, money, multipliers; `q` is the `Money` part of the model."""
    for p in range(a.delivered.size):
        for use in range(a.use.shape[1]):
            o.time_fte[d, t, p, use] = a.use[p, use]
        o.delivered_fte[d, t, p] = a.delivered[p]
        o.unmet_supervision_fte[d, t, p] = a.unmet[p]
        o.backfill_fte[d, t, p] = a.backfill[p]
        monthly = a.cost[p] / 12.0
        o.cover_cost[d, t, p] = a.cover[p] * monthly * q.premium[d, p]
        o.backfill_cost[d, t, p] = a.backfill[p] * monthly * q.premium[d, p]
        for i in range(a.multiplier.shape[0]):
            o.multiplier[d, t, i, p] = a.multiplier[i, p]
    for s in range(a.service.size):
        o.required_fte[d, t, s] = a.required[s]
        o.service_fte[d, t, s] = a.service[s]
        o.delegated_fte[d, t, s] = a.given[s]
        o.pressure[d, t, s] = a.pressure[s]
    for e in range(a.moving.size):
        o.move_multiplier[d, t, e] = a.moving[e]
    for stage in range(a.places.size):
        o.places[d, t, stage] = a.places[stage]
        o.place_multiplier[d, t, stage] = a.place_multiplier[stage]
    for b in range(q.caps.size):
        o.budget_money[d, t, b] = a.money[b] / 12.0


@kernel
def record_pay(d, t, fte, a, o):  # type: ignore[no-untyped-def]
    """Step 11. The pay bill of a month."""
    for p in range(fte.size):
        o.pay_bill[d, t, p] = fte[p] * a.cost[p] / 12.0
