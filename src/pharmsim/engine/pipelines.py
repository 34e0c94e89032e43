"""Step 9: conveyors with examinations, outside the posts.

Names of the arguments as in `pharmsim.engine.people`; `month` counts from the start of the
scenario and may be negative in the history of a pipeline; `v` is the `Conveyors` part of the model,
`k` a stage, `q` a pipeline, `o` the flows of one period, `s` the `Training` part of the state. With a
`Chance` (`x`) people are whole, and `key` is that of their random numbers (of no use without one); what
they do in another way than their expectation is in `whole_training`.
"""

from __future__ import annotations

import math

import numpy as np

from pharmsim.compiled.arrays import Conveyors, TrainingFlows
from pharmsim.engine.ageing import by_cohort
from pharmsim.engine.chance import DROP_OUT, EXAM, INTAKE, PLACE, RESIT, binomial, mix, rounded, uniform
from pharmsim.engine.jit import kernel
from pharmsim.engine.lived import total
from pharmsim.engine.whole_training import drop_out as whole_drop_out
from pharmsim.engine.whole_training import enter as whole_enter

EARLIEST = 12_000
"""Months before the start, at most: the keys of months are counted from there."""


def no_flows(v: Conveyors) -> TrainingFlows:
    """Flows to throw away, for the history before the recorded months."""
    n_stages, n_pipelines, n_attempts = v.stage_months.size, v.history.size, v.pass_rate.shape[3]
    stage, pipeline, exam = (n_stages,), (n_pipelines,), (n_pipelines, n_attempts)
    shapes = (pipeline, stage, stage, stage, exam, exam, pipeline, pipeline, pipeline)
    return TrainingFlows(*(np.zeros(shape) for shape in shapes))


@kernel
def conveyors(v, d, month, places, s, key, o, registrations, x):  # type: ignore[no-untyped-def]
    """Step 9 for every pipeline; `registrations[pipeline, group]` is what registers this month.

    `places`: of every stage, infinite without limit.
    """
    for q in range(v.history.size):
        for g in range(registrations.shape[1]):
            registrations[q, g] = 0.0
        if month >= -v.history[q]:
            here = key
            if x is not None:
                here = mix(mix(key, x.names.pipeline[q]), month + EARLIEST)
            conveyor(v, d, q, month, places, s, here, o, registrations, x)


@kernel
def conveyor(v, d, q, month, places, s, key, o, registrations, x):  # type: ignore[no-untyped-def]
    """Steps 9 (a) to (d) for one pipeline."""
    first, end = v.first_stage[q], v.first_stage[q + 1]
    calendar = (v.start_month + month) % 12
    entrants(v, d, q, month, calendar, s, key, o, x)  # (a) who starts on the first of the month
    take_places(v, d, first, first, first + 1, places, s, key, o, x)
    for k in range(first, end):  # (b)
        if x is None:
            drop_out(v, d, k, s, o)
        else:
            whole_drop_out(v, d, k, s, mix(mix(key, DROP_OUT), k - first), o)
    if v.attempts[q] > 0 and v.sitting[q, calendar]:  # (c)
        sit(v, d, q, calendar, s, key, o, x)
    for k in range(end - 1, first - 1, -1):  # (d) one month on, last stage first
        one_month_on(v, d, q, k, s, registrations)
    results(v, d, q, s, key, o, registrations, x)
    take_places(v, d, first, first + 1, end, places, s, key, o, x)
    for g in range(s.stages.shape[3]):
        o.registered[q] += registrations[q, g]


@kernel
def entrants(v, d, q, month, calendar, s, key, o, x):  # type: ignore[no-untyped-def]
    """Intake of the month arrives at the first stage: whole people are a whole number next to it."""
    share = v.intake_month[q, calendar]
    if share == 0.0:
        return
    at = month
    if month < 0 and v.steady[q]:
        at = month % 12
    year = v.start_year + (v.start_month + at) // 12 - v.intake_year
    year = min(max(year, 0), v.intake.shape[2] - 1)
    for g in range(s.stages.shape[3]):
        heads = v.intake[d, q, year] * share * v.groups[d, q, g]
        if x is not None:
            heads = rounded(heads, uniform(mix(key, INTAKE), g))
        s.arriving[d, v.first_stage[q], g] += heads
        o.entrants[q] += heads


@kernel
def take_places(v, d, first, begin, end, places, s, key, o, x):  # type: ignore[no-untyped-def]
    """Who arrives at the stages `begin` … `end` − 1 enters; `first` is the first stage of the pipeline."""
    for k in range(begin, end):
        if x is None:
            enter(v, d, k, places, s, o)
        else:
            whole_enter(v, d, k, places, s, mix(mix(key, PLACE), k - first), o)


@kernel
def enter(v, d, k, places, s, o):  # type: ignore[no-untyped-def]
    """Who arrives at a stage, and who waited, takes a place; the unplaced wait or leave.

    `unplaced` counts people once, when they arrive; those who wait are a stock.
    """
    n_groups = s.stages.shape[3]
    wanting = total(s.arriving[d, k]) + total(s.unplaced[d, k])
    if wanting <= 0.0:
        return
    placed = 1.0
    if not math.isinf(places[k]):
        free = max(places[k] - total(s.stages[d, k]), 0.0)
        placed = min(1.0, free / wanting)
    for g in range(n_groups):
        heads = s.arriving[d, k, g] + s.unplaced[d, k, g]
        without = (1.0 - placed) * heads
        s.stages[d, k, 0, g] += placed * heads
        s.unplaced[d, k, g] = v.waits[d, k] * without
        o.intake[k] += placed * heads
        o.unplaced[k] += (1.0 - placed) * s.arriving[d, k, g]
        o.stage_losses[k] += (1.0 - v.waits[d, k]) * without
        s.arriving[d, k, g] = 0.0


@kernel
def drop_out(v, d, k, s, o):  # type: ignore[no-untyped-def]
    """Step 9 (b): the same share of every month of a stage leaves."""
    share = -math.expm1(-v.drop_out[d, k] / 12.0)
    for slot in range(v.stage_months[k]):
        for g in range(s.stages.shape[3]):
            lost = share * s.stages[d, k, slot, g]
            s.stages[d, k, slot, g] -= lost
            o.stage_losses[k] += lost


@kernel
def sit(v, d, q, calendar, s, key, o, x):  # type: ignore[no-untyped-def]
    """Step 9 (c). Everybody eligible sits; results after the lag, registration not before the stage ends."""
    last = v.first_stage[q + 1] - 1
    months = v.stage_months[last]
    for g in range(s.stages.shape[3]):
        here = mix(mix(key, EXAM), g)
        for slot in range(v.eligible_month[q] - 1, months):
            heads = s.stages[d, last, slot, g]
            s.stages[d, last, slot, g] = 0.0
            wait = max(months - 1 - slot, v.result_lag[q])
            attempt(v, d, q, calendar, 0, g, wait, heads, s, mix(here, slot), o, x)
        for k in range(v.attempts[q]):
            heads = s.queue[d, q, k, g]
            s.queue[d, q, k, g] = 0.0
            attempt(v, d, q, calendar, k, g, v.result_lag[q], heads, s, mix(here, months + k), o, x)


@kernel
def attempt(v, d, q, calendar, k, g, wait, heads, s, key, o, x):  # type: ignore[no-untyped-def]
    """`heads` candidates sit attempt k + 1; their result acts `wait` months later."""
    rate = v.pass_rate[d, q, calendar, k]
    passed, failed = rate * heads, (1.0 - rate) * heads
    if x is not None:
        passed = binomial(heads, rate, uniform(key, EXAM))
        failed = heads - passed
    o.sat[q, k] += heads
    o.passed[q, k] += passed
    s.passed[d, q, wait, g] += passed
    s.failed[d, q, k + 1, wait, g] += failed


@kernel
def one_month_on(v, d, q, k, s, registrations):  # type: ignore[no-untyped-def]
    """Everybody in stage `k` is a month further; who has completed it goes on, queues or registers."""
    last = v.stage_months[k] - 1
    for g in range(s.stages.shape[3]):
        done = s.stages[d, k, last, g]
        for slot in range(last, 0, -1):
            s.stages[d, k, slot, g] = s.stages[d, k, slot - 1, g]
        s.stages[d, k, 0, g] = 0.0
        if k + 1 < v.first_stage[q + 1]:
            s.arriving[d, k + 1, g] += done
        elif v.attempts[q] > 0:
            s.queue[d, q, 0, g] += done
        else:
            registrations[q, g] += done


@kernel
def results(v, d, q, s, key, o, registrations, x):  # type: ignore[no-untyped-def]
    """Those whose wait is over: passes register, fails queue again or leave."""
    n_waits = s.passed.shape[2]
    for g in range(s.passed.shape[3]):
        here = mix(mix(key, RESIT), g)
        registrations[q, g] += s.passed[d, q, 0, g]
        for wait in range(1, n_waits):
            s.passed[d, q, wait - 1, g] = s.passed[d, q, wait, g]
        s.passed[d, q, n_waits - 1, g] = 0.0
        for k in range(1, v.attempts[q] + 1):
            heads, again = s.failed[d, q, k, 0, g], 0.0
            if k < v.attempts[q]:
                again = v.resit[d, q] * heads
                if x is not None:
                    again = binomial(heads, v.resit[d, q], uniform(here, k))
            s.queue[d, q, k, g] += again
            o.failed_out[q] += heads - again
            for wait in range(1, n_waits):
                s.failed[d, q, k, wait - 1, g] = s.failed[d, q, k, wait, g]
            s.failed[d, q, k, n_waits - 1, g] = 0.0


@kernel
def graduate(v, d, registrations, fraction, seekers, o):  # type: ignore[no-untyped-def]
    """Step 9 (e). The retained become seekers, by age at qualification; the rest leave the area."""
    for q in range(v.history.size):
        for g in range(registrations.shape[1]):
            heads = registrations[q, g]
            if heads == 0.0:
                continue
            o.left_area[q] += (1.0 - v.retention[d, q]) * heads
            heads *= v.retention[d, q]
            by_cohort(heads, fraction, v.ages[q, g], seekers[d, q, g])


@kernel
def history(v, d, places, s, key, o, registrations, before_out, x):  # type: ignore[no-untyped-def]
    """Run the pipelines alone up to the start, so that they are full at the opening."""
    longest = 0
    for q in range(v.history.size):
        longest = max(longest, v.history[q])
    recorded = before_out.shape[0]
    for month in range(-longest, 0):
        conveyors(v, d, month, places, s, key, o, registrations, x)
        if month >= -recorded:
            for q in range(v.history.size):
                for g in range(registrations.shape[1]):
                    before_out[recorded + month, q] += registrations[q, g]
