"""A, B and D of a month's start: time at work, need and delegation, supervision and delivery.

Arguments as in `pharmsim.engine.people`; `a` the scratch arrays of the system, `k` the `Work` part of
the model, `n` the `Need` part, `u` the `Duties` part.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pharmsim.compiled.arrays import Floats
from pharmsim.compiled.model import Model
from pharmsim.compiled.system_arrays import FIRST_YEAR, INEXPERIENCE, NEWCOMERS, STAFF, WORST_PRESSURE
from pharmsim.engine.jit import kernel
from pharmsim.engine.lived import total

ROUNDING = 1e-12
"""Shares of time up to this are nothing: need relative to a delivery of rounding errors would be noise."""


class Around(NamedTuple):
    """Scratch arrays of the system (P posts, S services, J parts of the job plan, U uses of time)."""

    available: Floats  # (P,): what absences leave of FTE
    present: Floats  # (P,): FTE at work
    working: Floats  # (P,): FTE at work, settled in and introduced
    entering: Floats  # (P,): FTE of people new in joint posts who are introduced now
    use: Floats  # (P, U): FTE
    plan: Floats  # (P, J): shares of the job plan now
    newcomers: Floats  # (P,): first-year share that time is lost to
    trainees: Floats  # (n_tracks,): heads
    gross: Floats  # (S,): FTE required before delegation
    required: Floats  # (S,)
    given: Floats  # (S,): FTE delegated
    pair: Floats  # (pairs,): FTE delegated
    working_at: Floats  # (S,): FTE working
    demand: Floats  # (P,): supervising FTE asked for
    unmet: Floats  # (P,)
    delivered: Floats  # (P,)
    service: Floats  # (S,): FTE delivered
    pressure: Floats  # (S,)
    pressure_at: Floats  # (P,)
    followed: Floats  # (P,)
    funded: Floats  # (P,): establishment, FTE
    cost: Floats  # (P,): GBP for an FTE and year
    cover: Floats  # (P,): FTE
    backfill: Floats  # (P,): FTE
    signal: Floats  # (7, P): what there is to perceive
    perceived: Floats  # (7, P)
    multiplier: Floats  # (6, P)
    staff: Floats  # (n_stages,): perceived supervising FTE
    places: Floats  # (n_stages,): infinite without limit
    moving: Floats  # (E,): multiplier of every edge
    money: Floats  # (budgets,): GBP a year, with what followed establishment
    place_multiplier: Floats  # (n_stages,)


def around(m: Model) -> Around:
    """Allocate the scratch arrays of one thread."""
    (n_posts, n_services), n_parts = m.system.work.split.shape, m.system.work.plan.shape[2]
    n_stages = m.conveyors.stage_months.size
    shapes = {
        "use": (n_posts, m.system.work.absence.shape[1] + 3 + n_parts),
        "plan": (n_posts, n_parts),
        "trainees": (m.posts.tracks.post.size,),
        "pair": (m.system.need.giver.size,),
        "signal": (m.system.feedbacks.pace.shape[1], n_posts),
        "perceived": (m.system.feedbacks.pace.shape[1], n_posts),
        "multiplier": (m.system.feedbacks.low.size, n_posts),
    }
    shapes |= {"moving": (m.posts.edges.origin.size,), "money": (m.system.money.caps.size,)}
    shapes |= dict.fromkeys(("staff", "places", "place_multiplier"), (n_stages,))
    names = ("gross", "required", "given", "working_at", "service", "pressure")
    shapes |= dict.fromkeys(names, (n_services,))
    return Around(**{name: np.ones(shapes.get(name, (n_posts,))) for name in Around._fields})


# -- A. time at work -----------------------------------------------------------------------------------


@kernel
def at_work(k, tracks, d, w, a):  # type: ignore[no-untyped-def]
    """Absence, and the time that trainees of internal pipelines learn; what is left is at work."""
    n_absences = k.absence.shape[1]
    for j in range(a.trainees.size):
        a.trainees[j] = 0.0
    for p in range(w.fte.size):
        absent = 0.0
        for i in range(n_absences):
            absent += k.absence[d, i, p]
            a.use[p, i] = k.absence[d, i, p] * w.fte[p]
        a.available[p] = 1.0 - absent
        a.use[p, n_absences] = 0.0
    for r in range(tracks.home.size):
        track, p = tracks.of_row[r], tracks.home[r]
        if track < 0:
            continue
        fte = 0.0
        for g in range(w.w.shape[1]):
            for c in range(w.w.shape[2]):
                fte += w.heads[r, g, c] * w.w[p, g, c]
        a.trainees[track] += total(w.heads[r])
        a.use[p, n_absences] += a.available[p] * fte * (1.0 - k.productivity[d, track])
    for p in range(w.fte.size):
        a.present[p] = a.available[p] * w.fte[p] - a.use[p, n_absences]


@kernel
def settle_in(k, d, months, share, acts, backlog, w, a):  # type: ignore[no-untyped-def]
    """Time that first-year staff lose, and that new people in joint posts and new ways of working take.

    `share` is the opening share of first-year staff, `acts` the elasticity of inexperience, `months` the
    length of the period.
    """
    first = k.absence.shape[1] + 1
    for p in range(w.fte.size):
        a.newcomers[p] = min(1.0, share[p] * a.multiplier[INEXPERIENCE, p])
        if share[p] == 0.0 and acts[p] != 0.0:
            a.newcomers[p] = min(1.0, a.perceived[NEWCOMERS, p])
        a.use[p, first] = a.present[p] * a.newcomers[p] * (1.0 - k.output[d, p])
        left = a.present[p] - a.use[p, first]
        a.entering[p] = 0.0
        if backlog[p] > 0.0 and left > 0.0:
            lost = min(a.available[p] * backlog[p] / months, left)
            a.entering[p] = lost / a.available[p]
            a.use[p, first + 1] = lost
        else:
            a.use[p, first + 1] = 0.0
        a.working[p] = left - a.use[p, first + 1]
        taken = k.introducing[d, p] * a.working[p]
        a.use[p, first + 1] += taken
        a.working[p] -= taken


@kernel
def job_plans(k, d, t, a):  # type: ignore[no-untyped-def]
    """Shares of the parts of the job plan now: shifts take at most what the giving part has left."""
    for p in range(a.plan.shape[0]):
        for j in range(a.plan.shape[1]):
            a.plan[p, j] = k.plan[d, p, j]
    for i in range(k.shift_from.size):
        done = k.shift_progress[i, t]
        for p in range(a.plan.shape[0]):
            if done > 0.0 and k.shift_posts[i, p]:
                left = a.plan[p, k.shift_from[i]] - done * k.shift[d, i]
                left = left if left > ROUNDING else 0.0
                a.plan[p, k.shift_to[i]] += a.plan[p, k.shift_from[i]] - left
                a.plan[p, k.shift_from[i]] = left


# -- B. need -------------------------------------------------------------------------------------------


@kernel
def require(n, split, d, t, years, base, factor, a):  # type: ignore[no-untyped-def]
    """Time on the service required by every service, before and after delegation.

    `base` is the need of every post at the start, `factor` what its service needs before delegation.
    """
    for s in range(a.gross.size):
        a.gross[s] = a.given[s] = a.working_at[s] = 0.0
    for p in range(split.shape[0]):
        growth = 1.0
        for i in range(n.follows.shape[1]):
            growth += n.follows[d, i, p] * (n.activity[d, i, t] - 1.0)
        gross = base[p] * growth * (1.0 - n.productivity[d, p]) ** years * n.factor[d, p]
        for s in range(split.shape[1]):
            a.gross[s] += split[p, s] * gross
            a.working_at[s] += split[p, s] * a.working[p]
    for s in range(a.gross.size):
        a.gross[s] *= factor[s]
        a.required[s] = a.gross[s]
    for i in range(n.giver.size):
        s = n.giver[i]
        a.pair[i] = min(n.share[d, i, t] * a.gross[s], n.limit[d, i] * a.working_at[s])
        a.given[s] += a.pair[i]
        a.required[s] -= a.pair[i]
        a.required[n.taker[i]] += n.exchange[d, i] * a.pair[i]


# -- D. supervision and delivery -----------------------------------------------------------------------


@kernel
def ask(u, n, split, d, t, stages, w, a):  # type: ignore[no-untyped-def]
    """Supervising time asked of every post by duties and by delegation; `stages` of this draw."""
    for p in range(a.demand.size):
        a.demand[p] = 0.0
    before, heads = -1, 0.0
    for e in range(u.entry_duty.size):
        duty = u.entry_duty[e]
        if duty != before:
            before, heads = duty, supervised(u, duty, stages, w, a)
        asked = u.entry_share[d, e, t] * u.time[d, duty] * heads
        n_posts, working = 0, 0.0
        for p in range(a.demand.size):
            if u.entry_posts[e, p]:
                n_posts += 1
                working += a.working[p]
        for p in range(a.demand.size):
            if u.entry_posts[e, p]:
                a.demand[p] += asked * (a.working[p] / working if working > 0.0 else 1.0 / n_posts)
    for i in range(n.giver.size):
        s = n.giver[i]
        if a.pair[i] > 0.0:
            for p in range(a.demand.size):
                part = split[p, s] * a.working[p] / a.working_at[s]
                a.demand[p] += n.supervision[d, i] * a.pair[i] * part


@kernel
def supervised(u, duty, stages, w, a):  # type: ignore[no-untyped-def]
    """Heads, or FTE of staff, that a duty supervises."""
    found = 0.0
    for stage in range(u.stages.shape[1]):
        if u.stages[duty, stage]:
            found += total(stages[stage])
    for track in range(u.tracks.shape[1]):
        if u.tracks[duty, track]:
            found += a.trainees[track]
    for p in range(u.posts.shape[1]):
        if u.posts[duty, p]:
            if u.kind[duty] == STAFF:
                found += w.fte[p]
            elif u.kind[duty] == FIRST_YEAR:
                found += a.newcomers[p] * total(w.at_post[p])
    return found


@kernel
def give_time(k, supervises, d, w, a):  # type: ignore[no-untyped-def]
    """Divide the working time of every post over its job plan; what is delivered, with temporary cover.

    Supervising beyond its plan comes out of the time on the service; below it, time is given back.
    """
    first = k.absence.shape[1] + 3
    for p in range(a.demand.size):
        service = planned = 0.0
        for j in range(k.service.size):
            service += a.plan[p, j] if k.service[j] else 0.0
            planned += a.plan[p, j] if k.supervising[j] else 0.0
        asked = a.demand[p] if supervises[p] else a.demand[p] + planned * a.working[p]
        spent, on_service = planned * a.working[p], service * a.working[p]
        if service > 0.0 and k.can_supervise:
            both = (planned + service) * a.working[p]
            spent = asked if asked < both * (1.0 - ROUNDING) else both
            on_service = both - asked if asked < both * (1.0 - ROUNDING) else 0.0
        a.unmet[p] = max(asked - spent, 0.0)
        for j in range(k.service.size):
            fte = a.plan[p, j] * a.working[p]
            if k.supervising[j]:
                fte = spent
            elif k.service[j]:
                fte = on_service * a.plan[p, j] / service if service > 0.0 else 0.0
            a.use[p, first + j] = fte
        bought = (a.cover[p] + a.backfill[p]) * a.available[p] * service * k.effectiveness[d]
        a.delivered[p] = on_service + bought


@kernel
def press(split, a):  # type: ignore[no-untyped-def]
    """Delivered to every service, and required ÷ delivered by service and post."""
    for s in range(a.service.size):
        a.service[s] = 0.0
        for p in range(split.shape[0]):
            a.service[s] += split[p, s] * a.delivered[p]
        a.pressure[s] = 0.0
        if a.required[s] > 0.0:
            a.pressure[s] = WORST_PRESSURE
            if a.service[s] > 0.0:
                a.pressure[s] = min(a.required[s] / a.service[s], WORST_PRESSURE)
    for p in range(split.shape[0]):
        a.pressure_at[p] = 0.0
        for s in range(a.service.size):
            a.pressure_at[p] += split[p, s] * a.pressure[s]
