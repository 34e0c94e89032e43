"""The `cohort` engine: expectations, deterministic, one draw after the other.

The loop over months is the process of `docs/background/model.md`; steps 1–6 live in `people`, 7 in
`hiring`, 8 and 9 in `pipelines`, 10 and 11 here.
"""

from __future__ import annotations

import math

from pharmsim.compiled.arrays import UNLIMITED_SUPPLY, Clock, Model, Record, State
from pharmsim.engine.hiring import advance, give_up, hire, start
from pharmsim.engine.jit import kernel
from pharmsim.engine.lived import total
from pharmsim.engine.people import (
    Scratch,
    count,
    drop_outs,
    leave,
    limits,
    mature,
    move,
    pools,
    still_tagged,
    survive_all,
    switch,
    tag,
    total_hazard,
    vacancies,
)
from pharmsim.engine.pipelines import PipelineFlows, apprentices, conveyors, graduate, history

__all__ = ["UNLIMITED_SUPPLY", "Clock", "Model", "Record", "Scratch", "State", "run"]


@kernel
def step(m, d, t, i, dt, s, w, o):  # type: ignore[no-untyped-def]
    """Steps 2 to 6 for one step; `i` = (year of the model or 0, step within that year)."""
    limits(m, d, t, i, dt, s, w, o.moves_blocked[d, t])
    w.arrived[:] = 0.0
    w.lost[:] = 0.0
    w.gone[:] = 0.0
    for r in range(m.home.size):
        track = m.row_track[r]
        drop_out = m.track_drop_out[d, track] if track >= 0 else 0.0
        total_hazard(m, d, t, i, r, drop_out, w)
        survive_all(m, d, t, r, dt, s, w)
        leave(m, d, t, i, r, w, o.leavers[d, t], o.retirements[d, t])
        switch(m, d, t, i, r, s, w, o.switches[d, t])
        if drop_out > 0.0:
            drop_outs(d, r, m.home[r], drop_out, s, w)
        employer_changes(m, d, t, r, w, o.employer_changes[d, t])
    move(m, d, s, w, o.moves[d, t])
    pools(m, d, i, dt, s, w, o.returns[d, t], o.pool_losses[d, t])
    mature(m, d, s, w)


@kernel
def employer_changes(m, d, t, r, w, out):  # type: ignore[no-untyped-def]
    """Changes of employer inside a post: counted, they change no stock."""
    p = m.home[r]
    for g in range(w.w.shape[1]):
        for c in range(w.w.shape[2]):
            x = m.employer_change[d, p, g, c] * m.employer_over_time[d, t]
            if x > 0.0:
                out[p] += x * total(w.years[0, r, g, c])


@kernel
def grow_older(m, d, t, s, o):  # type: ignore[no-untyped-def]
    """Step 10. Every cohort moves up one age; who passes the last age retires, counted."""
    last = s.people.shape[5] - 1
    retire_first_year(m, d, s, last)
    for r in range(m.home.size):
        for g in range(s.people.shape[3]):
            for c in range(s.people.shape[4]):
                o.retirements[d, t, m.home[r]] += s.people[d, 0, r, g, c, last]
                for copy in range(s.people.shape[1]):
                    older(s.people[d, copy, r, g, c])
    for p in range(s.offers.shape[2]):
        for g in range(s.people.shape[3]):
            for j in range(s.pools.shape[1]):
                o.pool_losses[d, t, j, p] += s.pools[d, j, p, g, last]
                older(s.pools[d, j, p, g])
            for slot in range(s.offers.shape[1]):
                at_last = s.offers[d, slot, p, g, last]
                older(s.offers[d, slot, p, g])
                s.offers[d, slot, p, g, last] += at_last
    for q in range(s.seekers.shape[1]):
        for g in range(s.people.shape[3]):
            o.gave_up[d, t, q] += s.seekers[d, q, g, last]
            older(s.seekers[d, q, g])


@kernel
def retire_first_year(m, d, s, last):  # type: ignore[no-untyped-def]
    """First-year staff are among those who pass the last age in proportion."""
    for p in range(s.first_year.shape[1]):
        heads = gone = 0.0
        for r in range(m.home.size):
            if m.home[r] == p:
                for g in range(s.people.shape[3]):
                    for c in range(s.people.shape[4]):
                        heads += total(s.people[d, 0, r, g, c])
                        gone += s.people[d, 0, r, g, c, last]
        if gone > 0.0:
            for slot in range(s.first_year.shape[2]):
                s.first_year[d, p, slot] *= 1.0 - gone / heads


@kernel
def older(cohorts):  # type: ignore[no-untyped-def]
    """Shift one vector of cohorts by a year."""
    for a in range(cohorts.size - 1, 0, -1):
        cohorts[a] = cohorts[a - 1]
    cohorts[0] = 0.0


@kernel
def everybody(d, s):  # type: ignore[no-untyped-def]
    """All people of the state: in post, in pools, about to start, looking, training, waiting."""
    n = total(s.people[d, 0]) + total(s.pools[d]) + total(s.offers[d])
    n += total(s.seekers[d]) + total(s.stages[d]) + total(s.unplaced[d])
    return n + total(s.passed[d]) + total(s.failed[d]) + total(s.queue[d])


@kernel
def balance(m, d, t, o):  # type: ignore[no-untyped-def]
    """Entrants less exits of a period, by the recorded flows."""
    n = o.entrants[d, t].sum() - o.retirements[d, t].sum() - o.pool_losses[d, t].sum()
    n -= o.stage_losses[d, t].sum() + o.failed_out[d, t].sum() + o.left_area[d, t].sum()
    n -= o.gave_up[d, t].sum()
    for k in range(m.n_leave):
        if m.leave_pool[k] < 0:
            n -= o.leavers[d, t, :, k].sum()
    for j in range(m.source_kind.size):
        if m.source_kind[j] == 0:
            n += o.offers_made[d, t, :, j].sum()
    return n


@kernel
def record_stocks(m, d, t, month, s, w, o):  # type: ignore[no-untyped-def]
    """Step 11. Stocks at a month's start; `w` holds the counts of that moment."""
    n_posts = w.fte.size
    for p in range(n_posts):
        for g in range(w.w.shape[1]):
            for c in range(w.w.shape[2]):
                o.headcount[d, t, p, g, c] = w.at_post[p, g, c]
        o.fte[d, t, p] = w.fte[p]
        funded = m.establishment[d, p] * m.policy_factor[d, m.policy[p], t]
        if math.isinf(funded):
            o.establishment_fte[d, t, p] = math.nan
            o.vacancy_fte[d, t, p] = math.nan
        else:
            o.establishment_fte[d, t, p] = funded
            o.vacancy_fte[d, t, p] = funded - w.fte[p]
            cover = m.cover_share[d, p] * max(funded - w.fte[p], 0.0)
            o.cover_fte[d, t, p] = min(cover, m.cover_cap[d, p] * funded)
        o.first_year[d, t, p] = s.first_year[d, p].sum()
        for slot in range(s.offers.shape[1]):
            o.offers[d, t, p] += total(s.offers[d, slot, p])
        for j in range(s.pools.shape[1]):
            o.in_pool[d, t, j, p] = total(s.pools[d, j, p])
    for r in range(m.home.size):
        p = m.home[r]
        if r >= n_posts:
            o.apprentices[d, t, p] += w.count[r].sum()
        for g in range(w.w.shape[1]):
            for c in range(w.w.shape[2]):
                o.headcount_55plus[d, t, p] += total(s.people[d, 0, r, g, c, m.index_55 :])
                if 0 < m.index_55 <= s.people.shape[5]:  # who has turned 55 since the anniversary
                    o.headcount_55plus[d, t, p] += month % 12 / 12.0 * s.people[d, 0, r, g, c, m.index_55 - 1]
                if month % 12 == 0:
                    for a in range(s.people.shape[5]):
                        o.headcount_by_age[d, month // 12, p, a] += s.people[d, 0, r, g, c, a]
    for q in range(m.history.size):
        o.seekers[d, t, q] = total(s.seekers[d, q])
        o.awaiting[d, t, q] = total(s.passed[d, q]) + total(s.failed[d, q])
        o.resitting[d, t, q] = total(s.queue[d, q])
    for k in range(m.stage_months.size):
        o.trainees[d, t, k] = total(s.stages[d, k])


@kernel
def month_end(m, d, t, month, clock, s, o, registrations):  # type: ignore[no-untyped-def]
    """Steps 7 (starts), 8, 9 and 10 at the end of a month, in that order."""
    if clock.months_per_period == 1:
        start(m, d, s, True, o.joiners[d, t])
    advance(d, s)
    apprentices(m, d, t, month, s, o.training_starts[d, t], o.training_ends[d, t])
    flows = pipeline_flows(d, t, o)
    conveyors(m, d, month, s, flows, registrations)
    graduate(m, d, registrations, (month % 12 + 1.0) / 12.0, s, flows)
    if month % 12 == 11:
        grow_older(m, d, t, s, o)


@kernel
def pipeline_flows(d, t, o):  # type: ignore[no-untyped-def]
    """The part of the record that external pipelines write in one period."""
    return PipelineFlows(
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


@kernel
def run_period(m, d, t, clock, s, w, o, registrations):  # type: ignore[no-untyped-def]
    """One period: its steps, then the ends of its months."""
    month = t * clock.months_per_period
    before = everybody(d, s)
    for sub in range(clock.substeps):
        position = month % 12 * clock.substeps + sub if clock.months_per_period == 1 else 0
        i = (min(month // 12, m.hazard.shape[0] - 1), position)
        if sub > 0:
            count(m, d, month, s, w)
        vacancies(m, d, t, s, w)
        step(m, d, t, i, clock.dt, s, w, o)
        fraction = (position + 1.0) / (12.0 * clock.substeps) if clock.months_per_period == 1 else 1.0
        if clock.months_per_period == 1:
            hire(m, d, t, clock.dt, fraction, s, w, o.offers_made[d, t])
            start(m, d, s, False, o.joiners[d, t])
            give_up(m, d, clock.dt, s, o.gave_up[d, t])
    if clock.months_per_period == 1:
        month_end(m, d, t, month, clock, s, o, registrations)
    else:
        year_end(m, d, t, month, clock, s, w, o, registrations)
    o.conservation_error[d, t] = everybody(d, s) - before - balance(m, d, t, o)


@kernel
def year_end(m, d, t, month, clock, s, w, o, registrations):  # type: ignore[no-untyped-def]
    """The `year` step: twelve months of pipelines, then hiring, starts and ageing."""
    flows = pipeline_flows(d, t, o)
    for later in range(month, month + 12):
        conveyors(m, d, later, s, flows, registrations)
        graduate(m, d, registrations, (later % 12 + 1.0) / 12.0, s, flows)
        apprentices(m, d, t, later, s, o.training_starts[d, t], o.training_ends[d, t])
    hire(m, d, t, clock.dt, 1.0, s, w, o.offers_made[d, t])
    start(m, d, s, True, o.joiners[d, t])
    give_up(m, d, clock.dt, s, o.gave_up[d, t])
    for _ in range(12):
        advance(d, s)
    grow_older(m, d, t, s, o)


@kernel
def run(m, clock, first, last, draws, s, w, o, thrown, registrations):  # type: ignore[no-untyped-def]
    """Run the draws `draws` = (from, to) through the periods `first` … `last` − 1.

    Parameters
    ----------
    m : Model
    clock : Clock
    first, last : int
        Periods; `first` = 0 runs the history of the pipelines first.
    draws : tuple of int
        From (included) and to (excluded).
    s : State
        At the start of period `first`; changed to the state at the start of period `last`.
    w : Scratch
    o : Record
        Zeros; written for these periods.
    thrown : PipelineFlows
        Receives the flows of the history, which are not reported.
    registrations : float64 array, shape (pipelines, groups), heads
        Scratch.
    """
    for d in range(draws[0], draws[1]):
        if first == 0:
            history(m, d, s, thrown, registrations, o.registered_before[d])
        first_tag = (clock.tag_month - m.start_month) % 12
        for t in range(first, last):
            month = t * clock.months_per_period
            if clock.tag_month >= 0 and month % 12 == first_tag:
                still_tagged(m, s.people[d], s.tagged[d], o.kept[d], o.tagged[d], month // 12 - 1)
                tag(m, s.people[d], s.tagged[d])
            if t == first:
                count(m, d, month, s, w)
                record_stocks(m, d, t, month, s, w, o)
            run_period(m, d, t, clock, s, w, o, registrations)
            count(m, d, month + clock.months_per_period, s, w)
            record_stocks(m, d, t + 1, month + clock.months_per_period, s, w, o)
        month = last * clock.months_per_period
        if clock.tag_month >= 0 and month % 12 == first_tag:
            still_tagged(m, s.people[d], s.tagged[d], o.kept[d], o.tagged[d], month // 12 - 1)
