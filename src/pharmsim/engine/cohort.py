"""The engines `cohort` (expectations, deterministic) and `chain` (whole people by chance): one loop.

With a `Chance` people are whole and move by chance, in `whole_people`, `whole_hiring` and `whole_training`;
without one (None) their expectation moves. All else is shared.

The loop over months is the process of `docs/background/model.md`: at a month's start `surroundings` (A to F,
in `work`, `money` and `feedback`); then steps 1 and 4 (in `people`), 2 and 3 (`limits`), 5 and 6
(`arrivals`), 7 (`hiring`), 8 (`apprentices`), 9 (`pipelines`), 10 (`ageing`) and 11 (`recording`).
"""

from __future__ import annotations

import math

import numpy as np

from pharmsim.compiled.arrays import TrainingFlows
from pharmsim.compiled.system_arrays import ON_SETTLING, RECRUITMENT
from pharmsim.engine.ageing import grow_older
from pharmsim.engine.apprentices import apprentices
from pharmsim.engine.arrivals import come_back, drop_outs, mature, move
from pharmsim.engine.chance import STEP, arrive, mix
from pharmsim.engine.competing import compete
from pharmsim.engine.feedback import attract, inexperience, respond, training_places
from pharmsim.engine.hiring import advance, give_up, hire, start
from pharmsim.engine.jit import entry, kernel, part
from pharmsim.engine.limits import limits, vacancies
from pharmsim.engine.lived import total
from pharmsim.engine.money import buy_cover, follow_need, fund
from pharmsim.engine.people import count, factors, still_tagged, tag
from pharmsim.engine.pipelines import conveyors, graduate, history
from pharmsim.engine.recording import record_pay, record_posts, record_system, record_training
from pharmsim.engine.whole_hiring import give_up as whole_give_up
from pharmsim.engine.whole_hiring import start as whole_start
from pharmsim.engine.whole_people import change, make_room, record_unfillable
from pharmsim.engine.whole_people import come_back as whole_come_back
from pharmsim.engine.whole_training import apprentices as whole_apprentices
from pharmsim.engine.whole_training import graduate as whole_graduate
from pharmsim.engine.work import ask, at_work, give_time, job_plans, press, require, settle_in

OPENING_ROUNDS = 200
"""Rounds in which need and delegation of the opening settle, at most."""


@part
def step(m, feedbacks, d, t, i, dt, people, pools, offers, first_year, w, a, o, key, chance):  # type: ignore[no-untyped-def]
    """Steps 2 to 6 for one step; `i` = (year of the model or 0, step within that year)."""
    hazard, home = m.risks.hazard[i[0], i[1]], m.tracks.home
    vacancies(m.hiring, a.funded, d, offers, w)
    if chance is not None:
        make_room(w, chance)
    limits(m.edges, m.pools, hazard, home, a.moving, d, t, dt, people, pools, w, o.moves_blocked[d, t])
    factors(m.risks, feedbacks, a.multiplier, d, t, w)
    returns, losses = o.returns[d, t], o.pool_losses[d, t]
    if chance is None:
        compete(m.risks, m.edges, m.tracks, m.levels, d, t, i, dt, people[d], w, o)
        drop_outs(m.tracks, d, people, w.years)
        move(m.edges, home, m.levels.keeps, d, people, w, o.moves[d, t])
        come_back(m.pools, hazard, d, dt, people, pools, w, returns, losses)
    else:
        change(m, d, t, i, dt, people[d], key, w, o, chance)
        arrive(people[d], chance)
        whole_come_back(m.pools, hazard, d, dt, people, pools, key, w, returns, losses, chance)
    mature(m.risks.first_year_ratio[d], first_year[d], w)


@kernel
def bring_up_to_date(z, d, t):  # type: ignore[no-untyped-def]
    """Write the numbers of this period into the arrays of the model."""
    for i in range(z.field.size):
        r = z.row[i]
        z.targets[z.field[i]][d, z.place[i]] = z.base[d, i] * z.times[d, r, t] + z.plus[d, r, t]


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


@part
def pipelines_month(v, d, t, month, fraction, places, s, seekers, o, registrations, chance):  # type: ignore[no-untyped-def]
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
    key = np.uint64(0)
    if chance is not None:
        key = chance.rows[d]
    conveyors(v, d, month, places, s, key, flows, registrations, chance)
    if chance is None:
        graduate(v, d, registrations, fraction, seekers, flows)
    else:
        whole_graduate(v, d, registrations, fraction, seekers, mix(key, month), flows, chance)


@kernel
def need_at_opening(x, d, t, stages, w, y, a):  # type: ignore[no-untyped-def]
    """B at the opening: the stated ratio holds between what is delivered and required after delegation.

    Delegation takes supervising time, which changes what is delivered, and so on: repeated until it stands.
    """
    n, split, base, factor = x.need, x.work.split, y.base[d], y.before_delegation[d]
    for i in range(a.pair.size):
        a.pair[i] = 0.0
    for s in range(factor.size):
        a.working_at[s] = 0.0
        factor[s] = 1.0
    for _ in range(OPENING_ROUNDS):
        ask(x.duties, n, split, d, t, stages, w, a)
        give_time(x.work, x.duties.supervises, d, w, a)
        change = 0.0
        for p in range(base.size):
            given = math.isnan(n.opening_ratio[d, p])
            new = n.fte[d, p] if given else n.opening_ratio[d, p] * a.delivered[p]
            change = max(change, abs(new - base[p]))
            base[p] = new
        require(n, split, d, t, 0.0, base, factor, a)
        if a.pair.size == 0:
            break
        for s in range(factor.size):
            meant = 0.0
            for p in range(base.size):
                meant += split[p, s] * base[p]
            if meant > 0.0 and not math.isnan(n.opening_ratio[d, 0]):
                before = factor[s]
                factor[s] = max(meant - (a.required[s] - a.gross[s]), 0.0) / meant
                change = max(change, abs(factor[s] - before) * meant)
        require(n, split, d, t, 0.0, base, factor, a)
        if change <= 1e-13 * (1.0 + total(base)):
            break
    for s in range(factor.size):
        y.opening_need[d, s] = a.required[s]


@part
def surroundings(m, x, numbers, d, t, clock, opening, stages, w, y, a):  # type: ignore[no-untyped-def]
    """A to E of a month's start.

    Parameters
    ----------
    m : Posts
    x : System
    numbers : float64 array, shape (n_stages,)
        Places given as numbers.
    d, t : int
    clock : Clock
    opening : bool
        At the start of the run: what is measured against is set.
    stages : float64 array
        People in stages of this draw.
    w : Scratch
    y : SystemState
    a : Around
        Written.
    """
    k, split, n, q, base = x.work, x.work.split, x.need, x.money, y.base[d]
    years = t * clock.months_per_period / 12.0
    at_work(k, m.tracks, d, w, a)  # A
    acts, share_before = x.feedbacks.elasticity[d, ON_SETTLING], m.risks.first_year_share[d]
    inexperience(x.feedbacks, d, opening, share_before, w.first_share, y, a)
    settle_in(k, d, clock.months_per_period, share_before, acts, y.backlog[d], w, a)
    job_plans(k, d, t, a)
    if not opening:
        require(n, split, d, t, years, base, y.before_delegation[d], a)  # B
        follow_need(q, split, d, y.opening_need[d], y.followed[d], a)
    fund(m.funding, q, d, t, a)  # C
    buy_cover(m.funding, q, d, t, w, a)
    if opening:
        need_at_opening(x, d, t, stages, w, y, a)
    ask(x.duties, n, split, d, t, stages, w, a)  # D
    give_time(k, x.duties.supervises, d, w, a)
    press(split, a)
    training_places(x.feedbacks, numbers, d, opening, y, a)  # E
    respond(x.feedbacks, d, opening, y, w, a)
    attract(x.feedbacks, m.edges, m.tracks.home, a)


@kernel
def remember(d, months, y, a):  # type: ignore[no-untyped-def]
    """F. What was perceived at the start of this period is kept for the next; backlogs are worked off."""
    for p in range(a.followed.size):
        y.followed[d, p] = a.followed[p]
        y.backlog[d, p] = max(y.backlog[d, p] - a.entering[p] * months, 0.0)
        for row in range(a.perceived.shape[0]):
            y.perceived[d, row, p] = a.perceived[row, p]
    for stage in range(a.staff.size):
        y.staff[d, stage] = a.staff[stage]


@kernel
def enter_joint_posts(months, to, d, t, o, backlog):  # type: ignore[no-untyped-def]
    """F. Who entered a joint post in this period must be stood in for: `months` of an FTE each."""
    for e in range(to.size):
        backlog[to[e]] += months[to[e]] * o.moves[d, t, e]
    for p in range(months.size):
        if months[p] > 0.0:
            for j in range(o.joiners.shape[3]):
                backlog[p] += months[p] * o.joiners[d, t, p, j]
            for j in range(o.returns.shape[2]):
                backlog[p] += months[p] * o.returns[d, t, j, p]


@part
def hire_and_start(m, sources, a, d, t, clock, fraction, month_ends, s, w, o, key, chance):  # type: ignore[no-untyped-def]
    """Step 7: who is hired, who begins work, who stops looking."""
    recruitment, offers_made, joiners = a.multiplier[RECRUITMENT], o.offers_made[d, t], o.joiners[d, t]
    rate, gave_up = m.hiring.gives_up[d], o.gave_up[d, t]
    hire(m.hiring, sources, recruitment, d, t, clock.dt, fraction, s, key, w, offers_made, chance)
    if chance is None:
        start(m.hiring, d, s, month_ends, joiners)
        give_up(rate, d, clock.dt, s.seekers, gave_up)
    else:
        whole_start(m.hiring, d, s, month_ends, a.funded, key, w, joiners, chance)
        whole_give_up(rate, d, clock.dt, s.seekers, key, gave_up, chance)


@part
def train_inside(tracks, d, t, month, people, present, o, chance):  # type: ignore[no-untyped-def]
    """Step 8."""
    if chance is None:
        apprentices(tracks, d, t, month, people, present, o)
    else:
        key = mix(chance.rows[d], month)
        whole_apprentices(tracks, d, t, month, people, present, key, o, chance)


@part
def run_period(m, v, x, d, t, clock, s, training, w, a, o, training_flows, registrations, chance):  # type: ignore[no-untyped-def]
    """One month, or one year with the `year` step.

    The steps, hiring and starts; in a month the pipelines follow, in a year their twelve months
    come before hiring; on the anniversary everybody grows older.
    """
    monthly, thrown = clock.months_per_period == 1, training_flows
    month, years = t * clock.months_per_period, m.risks.hazard.shape[0]
    key = np.uint64(0)
    for sub in range(clock.substeps):
        position = t % 12 * clock.substeps + sub if monthly else 0
        if sub > 0:
            count(m.funding, m.tracks.home, d, t, s.people, s.first_year, w)
        if chance is not None:
            key = mix(mix(chance.rows[d], STEP), t * clock.substeps + sub)
        i = (min(month // 12, years - 1), position)
        step(
            m, x.feedbacks, d, t, i, clock.dt, s.people, s.pools, s.offers, s.first_year, w, a, o, key, chance
        )
        fraction = (position + 1.0) / (12.0 * clock.substeps) if monthly else 1.0
        for later in range(month, month + 12 * (not monthly)):
            end = (later % 12 + 1.0) / 12.0
            pipelines_month(v, d, t, later, end, a.places, training, s.seekers, thrown, registrations, chance)
            train_inside(m.tracks, d, t, later, s.people, a.present, o, chance)
        ends = sub == clock.substeps - 1
        hire_and_start(m, x.feedbacks.sources, a, d, t, clock, fraction, ends, s, w, o, key, chance)
    for later in range(clock.months_per_period):
        if later > 0:  # in a year, offers of the other months start too
            if chance is None:
                start(m.hiring, d, s, True, o.joiners[d, t])
            else:
                whole_start(m.hiring, d, s, True, a.funded, mix(key, later), w, o.joiners[d, t], chance)
        advance(d, s.offers, s.offers_by_source, s.first_year)
    if monthly:
        train_inside(m.tracks, d, t, t, s.people, a.present, o, chance)
        end = (t % 12 + 1.0) / 12.0
        pipelines_month(v, d, t, t, end, a.places, training, s.seekers, thrown, registrations, chance)
    if not monthly or t % 12 == 11:
        retired, losses, gave_up = o.retirements[d, t], o.pool_losses[d, t], o.gave_up[d, t]
        grow_older(m.tracks.home, m.levels.last, d, s, retired, losses, gave_up)


@entry
def run(m, v, x, z, clock, first, last, draws, s, training, y, w, a, o, thrown, registrations, chance):  # type: ignore[no-untyped-def]
    """Run the draws `draws` = (from, to) through the periods `first` … `last` − 1.

    Parameters
    ----------
    m : Posts
    v : Conveyors
    x : System
    z : Dated
        Written into the other parts, draw by draw.
    clock : Clock
    first, last : int
        Periods; `first` = 0 runs the history of the pipelines first.
    draws : tuple of int
        From (included) and to (excluded).
    s : PostState
        At the start of period `first`; changed to the state at the start of period `last`.
    training : Training
        The same for the external pipelines.
    y : SystemState
        The same for the system around the people.
    w : Scratch
    a : Around
    o : Record
        Zeros; written for these periods.
    thrown : TrainingFlows
        Receives the flows of the history, which are not reported.
    registrations : float64 array, shape (pipelines, groups), heads
        Scratch.
    chance : Chance or None
        None: expectations.
    """
    home, first_tag = m.tracks.home, (clock.tag_month - v.start_month) % 12
    people, pools, offers, first_year = s.people, s.pools, s.offers, s.first_year
    for d in range(draws[0], draws[1]):
        bring_up_to_date(z, d, first)
        if first == 0:
            count(m.funding, home, d, 0, people, first_year, w)
            at_work(x.work, m.tracks, d, w, a)
            training_places(x.feedbacks, v.places[d], d, True, y, a)
            before = o.registered_before[d]
            key = np.uint64(0)
            if chance is not None:
                key = chance.rows[d]
            history(v, d, a.places, training, key, thrown, registrations, before, chance)
        for i in range(a.followed.size):
            a.followed[i] = 1.0
        people_before = everybody(d, people, pools, offers, s.seekers, training)
        for t in range(first, last + 1):
            month = t * clock.months_per_period
            bring_up_to_date(z, d, t)
            tagging = clock.tag_month >= 0 and month % 12 == first_tag
            if tagging:
                still_tagged(m.levels, home, d, people[d], s.tagged[d], month // 12 - 1, o)
            count(m.funding, home, d, month, people, first_year, w)
            surroundings(m, x, v.places[d], d, t, clock, t == 0, training.stages[d], w, y, a)
            record_posts(home, m.levels.index_55, d, t, month, s, w, a, o.posts)
            if chance is not None:
                vacancies(m.hiring, a.funded, d, offers, w)
                record_unfillable(d, t, w, o.posts.unfillable_fte)
            record_system(x.money, d, t, a, o.system)
            record_pay(d, t, w.fte, a, o.system)
            record_training(d, t, s.seekers, training, o.training)
            if t == last:
                break
            if tagging:
                tag(m.levels, home, people[d], s.tagged[d])
            remember(d, clock.months_per_period, y, a)
            run_period(
                m, v, x, d, t, clock, s, training, w, a, o.flows, o.training_flows, registrations, chance
            )
            enter_joint_posts(x.work.backfill, m.edges.to, d, t, o.flows, y.backlog[d])
            people_now = everybody(d, people, pools, offers, s.seekers, training)
            entered = balance(m.risks.leave_pool, m.hiring.kind, d, t, o.flows, o.training_flows)
            o.conservation_error[d, t] = people_now - people_before - entered
            people_before = people_now
