"""The `cohort` engine: expectations, deterministic, one draw after the other.

The loop over months is the process of `docs/background/model.md`; steps 1 and 4 live in `people`, 2 and 3
in `limits`, 5 and 6 in `arrivals`, 7 in `hiring`, 8 and 9 in `pipelines`, 10 and 11 here.
"""

from __future__ import annotations

import math

from pharmsim.compiled.arrays import TrainingFlows
from pharmsim.engine.arrivals import come_back, drop_outs, leave, mature, move, switch
from pharmsim.engine.hiring import advance, give_up, hire, start
from pharmsim.engine.jit import kernel
from pharmsim.engine.limits import limits, vacancies
from pharmsim.engine.lived import total
from pharmsim.engine.people import compete, count, factors, still_tagged, tag
from pharmsim.engine.pipelines import apprentices, conveyors, graduate, history


@kernel
def step(m, d, t, i, dt, people, pools, offers, first_year, w, o):  # type: ignore[no-untyped-def]
    """Steps 2 to 6 for one step; `i` = (year of the model or 0, step within that year)."""
    hazard, home = m.risks.hazard[i[0], i[1]], m.tracks.home
    vacancies(m.funding, m.hiring, d, t, offers, w)
    limits(m.edges, m.pools, hazard, home, d, t, dt, people, pools, w, o.moves_blocked[d, t])
    factors(m.risks, d, t, w)
    compete(m.risks, m.edges, m.tracks, m.levels, d, t, i, dt, people, w)
    leave(m.risks, home, d, t, i, w, o.leavers[d, t], o.retirements[d, t], o.employer_changes[d, t])
    switch(m.risks, home, m.levels.block, d, i, people, w, o.switches[d, t])
    drop_outs(m.tracks, d, people, w.years)
    move(m.edges, home, m.levels.block, d, people, w, o.moves[d, t])
    come_back(m.pools, hazard, d, dt, people, pools, w, o.returns[d, t], o.pool_losses[d, t])
    mature(m.risks.first_year_ratio[d], first_year[d], w)


@kernel
def grow_older(home, d, s, retired_out, pool_losses_out, gave_up_out):  # type: ignore[no-untyped-def]
    """Step 10. Every cohort moves up one age; who passes the last age retires, counted."""
    people, pools, offers, seekers = s.people, s.pools, s.offers, s.seekers
    last = people.shape[5] - 1
    retire_first_year(home, people[d, 0], s.first_year[d])
    for g in range(people.shape[3]):
        for r in range(home.size):
            for c in range(people.shape[4]):
                retired_out[home[r]] += people[d, 0, r, g, c, last]
                for copy in range(people.shape[1]):
                    older(people[d, copy, r, g, c])
        for p in range(offers.shape[2]):
            for j in range(pools.shape[1]):
                pool_losses_out[j, p] += pools[d, j, p, g, last]
                older(pools[d, j, p, g])
            for slot in range(offers.shape[1]):
                at_last = offers[d, slot, p, g, last]
                older(offers[d, slot, p, g])
                offers[d, slot, p, g, last] += at_last
        for q in range(seekers.shape[1]):
            gave_up_out[q] += seekers[d, q, g, last]
            older(seekers[d, q, g])


@kernel
def retire_first_year(home, people, first_year):  # type: ignore[no-untyped-def]
    """First-year staff are among those who pass the last age in proportion."""
    last = people.shape[3] - 1
    for p in range(first_year.shape[0]):
        heads = gone = 0.0
        for r in range(home.size):
            if home[r] == p:
                heads += total(people[r])
                for g in range(people.shape[1]):
                    for c in range(people.shape[2]):
                        gone += people[r, g, c, last]
        if gone > 0.0:
            for slot in range(first_year.shape[1]):
                first_year[p, slot] *= 1.0 - gone / heads


@kernel
def older(cohorts):  # type: ignore[no-untyped-def]
    """Shift one vector of cohorts by a year."""
    for a in range(cohorts.size - 1, 0, -1):
        cohorts[a] = cohorts[a - 1]
    cohorts[0] = 0.0


@kernel
def everybody(d, people, pools, offers, seekers, training):  # type: ignore[no-untyped-def]
    """All people of the state: in post, in pools, about to start, looking, training, waiting."""
    n = total(people[d, 0]) + total(pools[d]) + total(offers[d]) + total(seekers[d])
    n += total(training.stages[d]) + total(training.unplaced[d]) + total(training.passed[d])
    return n + total(training.failed[d]) + total(training.queue[d])


@kernel
def balance(leave_pool, source_kind, d, t, o, training):  # type: ignore[no-untyped-def]
    """Entrants less exits of a period, by the recorded flows."""
    n = total(training.entrants[d, t]) - total(o.retirements[d, t]) - total(o.pool_losses[d, t])
    n -= total(training.stage_losses[d, t]) + total(training.failed_out[d, t])
    n -= total(training.left_area[d, t]) + total(o.gave_up[d, t])
    for p in range(o.leavers.shape[2]):
        for k in range(leave_pool.size):
            if leave_pool[k] < 0:
                n -= o.leavers[d, t, p, k]
        for j in range(source_kind.size):
            if source_kind[j] == 0:
                n += o.offers_made[d, t, p, j]
    return n


@kernel
def record_posts(funding, home, index_55, d, t, month, s, w, o):  # type: ignore[no-untyped-def]
    """Step 11. Stocks of posts at a month's start; `w` holds the counts of that moment."""
    people, pools, offers, first_year = s.people, s.pools, s.offers, s.first_year
    n_posts = w.fte.size
    for p in range(n_posts):
        for g in range(w.w.shape[1]):
            for c in range(w.w.shape[2]):
                o.headcount[d, t, p, g, c] = w.at_post[p, g, c]
        o.fte[d, t, p] = w.fte[p]
        funded = funding.establishment[d, p] * funding.policy_factor[d, funding.policy[p], t]
        if math.isinf(funded):
            o.establishment_fte[d, t, p] = math.nan
            o.vacancy_fte[d, t, p] = math.nan
        else:
            o.establishment_fte[d, t, p] = funded
            o.vacancy_fte[d, t, p] = funded - w.fte[p]
            cover = funding.cover_share[d, p] * max(funded - w.fte[p], 0.0)
            o.cover_fte[d, t, p] = min(cover, funding.cover_cap[d, p] * funded)
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
                if 0 < index_55 <= people.shape[5]:  # who has turned 55 since the anniversary
                    older_ones += month % 12 / 12.0 * people[d, 0, r, g, c, index_55 - 1]
                o.headcount_55plus[d, t, home[r]] += older_ones
                if month % 12 == 0:
                    for a in range(people.shape[5]):
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
def pipelines_month(v, d, t, month, fraction, s, seekers, o, registrations):  # type: ignore[no-untyped-def]
    """Step 9 at the end of a month."""
    flows = TrainingFlows(
        o.entrants[d, t],
        o.intake[d, t],
        o.unplaced[d, t],
        o.stage_losses[d, t],
        o.sat[d, t],
        o.passed[d, t],
        o.failed_out[d, t],
        o.registered[d, t],
        o.left_area[d, t],
    )
    conveyors(v, d, month, s, flows, registrations)
    graduate(v, d, registrations, fraction, seekers, flows)


@kernel
def run_period(m, v, d, t, clock, s, training, w, o, training_flows, registrations):  # type: ignore[no-untyped-def]
    """One month, or one year with the `year` step.

    The steps, hiring and starts; in a month the pipelines follow, in a year their twelve months
    come before hiring; on the anniversary everybody grows older.
    """
    monthly = clock.months_per_period == 1
    month, years = t * clock.months_per_period, m.risks.hazard.shape[0]
    for sub in range(clock.substeps):
        position = t % 12 * clock.substeps + sub if monthly else 0
        if sub > 0:
            count(m.funding, m.tracks.home, d, t, s.people, s.first_year, w)
        i = (min(month // 12, years - 1), position)
        step(m, d, t, i, clock.dt, s.people, s.pools, s.offers, s.first_year, w, o)
        fraction = (position + 1.0) / (12.0 * clock.substeps) if monthly else 1.0
        for later in range(month, month + 12 * (not monthly)):
            end = (later % 12 + 1.0) / 12.0
            pipelines_month(v, d, t, later, end, training, s.seekers, training_flows, registrations)
            apprentices(m.tracks, d, t, later, s.people, o.training_starts[d, t], o.training_ends[d, t])
        hire(m.hiring, d, t, clock.dt, fraction, s, w, o.offers_made[d, t])
        start(m.hiring, d, s, sub == clock.substeps - 1, o.joiners[d, t])
        give_up(m.hiring.gives_up[d], d, clock.dt, s.seekers, o.gave_up[d, t])
    for later in range(clock.months_per_period):
        if later > 0:  # in a year, offers of the other months start too
            start(m.hiring, d, s, True, o.joiners[d, t])
        advance(d, s.offers, s.offers_by_source, s.first_year)
    if monthly:
        apprentices(m.tracks, d, t, t, s.people, o.training_starts[d, t], o.training_ends[d, t])
        end = (t % 12 + 1.0) / 12.0
        pipelines_month(v, d, t, t, end, training, s.seekers, training_flows, registrations)
    if not monthly or t % 12 == 11:
        grow_older(m.tracks.home, d, s, o.retirements[d, t], o.pool_losses[d, t], o.gave_up[d, t])


@kernel
def run(m, v, clock, first, last, draws, s, training, w, o, thrown, registrations):  # type: ignore[no-untyped-def]
    """Run the draws `draws` = (from, to) through the periods `first` … `last` − 1.

    Parameters
    ----------
    m : Posts
    v : Conveyors
    clock : Clock
    first, last : int
        Periods; `first` = 0 runs the history of the pipelines first.
    draws : tuple of int
        From (included) and to (excluded).
    s : PostState
        At the start of period `first`; changed to the state at the start of period `last`.
    training : Training
        The same for the external pipelines.
    w : Scratch
    o : Record
        Zeros; written for these periods.
    thrown : TrainingFlows
        Receives the flows of the history, which are not reported.
    registrations : float64 array, shape (pipelines, groups), heads
        Scratch.
    """
    home, first_tag = m.tracks.home, (clock.tag_month - v.start_month) % 12
    people, pools, offers, first_year = s.people, s.pools, s.offers, s.first_year
    for d in range(draws[0], draws[1]):
        if first == 0:
            history(v, d, training, thrown, registrations, o.registered_before[d])
        for t in range(first, last + 1):
            month = t * clock.months_per_period
            tagging = clock.tag_month >= 0 and month % 12 == first_tag
            if tagging:
                still_tagged(home, people[d], s.tagged[d], o.kept[d], o.tagged[d], month // 12 - 1)
            count(m.funding, home, d, month, people, first_year, w)
            record_posts(m.funding, m.tracks.home, m.levels.index_55, d, t, month, s, w, o.posts)
            record_training(d, t, s.seekers, training, o.training)
            if t == last:
                break
            if tagging:
                tag(home, m.levels.block, people[d], s.tagged[d])
            before = everybody(d, people, pools, offers, s.seekers, training)
            run_period(m, v, d, t, clock, s, training, w, o.flows, o.training_flows, registrations)
            change = everybody(d, people, pools, offers, s.seekers, training) - before
            change -= balance(m.risks.leave_pool, m.hiring.kind, d, t, o.flows, o.training_flows)
            o.conservation_error[d, t] = change
