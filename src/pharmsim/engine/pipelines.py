"""Steps 8 and 9: training inside posts, and conveyors with examinations outside them.

Names of the arguments as in `pharmsim.engine.people`; `month` counts from the start of the
scenario and may be negative in the history of a pipeline; `o` is the record of one period.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from pharmsim.compiled.arrays import Floats, Model
from pharmsim.engine.jit import kernel
from pharmsim.engine.lived import total


class PipelineFlows(NamedTuple):
    """Flows of the external pipelines in one period, by stage or pipeline (and attempt)."""

    entrants: Floats
    intake: Floats
    unplaced: Floats
    stage_losses: Floats
    sat: Floats
    passed: Floats
    failed_out: Floats
    registered: Floats
    left_area: Floats


def no_flows(m: Model) -> PipelineFlows:
    """Flows to throw away, for the history before the recorded months."""
    n_stages, n_pipelines, n_attempts = m.stage_months.size, m.history.size, m.pass_rate.shape[3]
    stage, pipeline = np.zeros(n_stages), np.zeros(n_pipelines)
    sat = np.zeros((n_pipelines, n_attempts))
    pipelines = [pipeline.copy() for _ in range(4)]
    return PipelineFlows(pipeline, stage, stage.copy(), stage.copy(), sat, sat.copy(), *pipelines[:3])


@kernel
def apprentices(m, d, t, month, s, starts_out, ends_out):  # type: ignore[no-untyped-def]
    """Step 8. A batch ends; then, in an intake month, a new one begins."""
    for k in range(m.track_post.size):
        ends_out[m.track_post[k]] += finish(m, d, k, month, s)
        share = m.track_month[k, (m.start_month + month) % 12]
        if share > 0.0:
            batch = batch_of(m, k, month)
            heads = m.track_intake[d, k] * share * m.track_over_time[d, k, t]
            starts_out[m.track_post[k]] += begin(m, d, k, batch, heads, s)


@kernel
def batch_of(m, k, month):  # type: ignore[no-untyped-def]
    """Batch of the people of track `k` who begin in `month`: by intake month, then by year in turn."""
    calendar = (m.start_month + month) % 12
    rank = 0
    for earlier in range(calendar):
        if m.track_month[k, earlier] > 0.0:
            rank += 1
    years = (m.track_months[k] + 11) // 12
    return rank * years + ((m.start_month + month) // 12) % years


@kernel
def begin(m, d, k, batch, heads, s):  # type: ignore[no-untyped-def]
    """Take `heads` people of the eligible ages from the post's own row into a batch."""
    p, r = m.track_post[k], m.track_row[k] + batch
    first, end = m.track_first[k], m.track_end[k]
    eligible = 0.0
    for g in range(s.people.shape[3]):
        for c in range(s.people.shape[4]):
            eligible += total(s.people[d, 0, p, g, c, first:end])
    if eligible <= 0.0:
        return 0.0
    share = min(heads / eligible, 1.0)
    for copy in range(s.people.shape[1]):
        for g in range(s.people.shape[3]):
            for c in range(s.people.shape[4]):
                for a in range(first, end):
                    moved = share * s.people[d, copy, p, g, c, a]
                    s.people[d, copy, p, g, c, a] -= moved
                    s.people[d, copy, r, g, c, a] += moved
    return share * eligible


@kernel
def finish(m, d, k, month, s):  # type: ignore[no-untyped-def]
    """The batch that began `track_months` ago: those who complete wait for a post, the others go back.

    Returns the heads who complete.
    """
    began = month - m.track_months[k]
    if m.track_month[k, (m.start_month + began) % 12] == 0.0:
        return 0.0
    p, r, to = m.track_post[k], m.track_row[k] + batch_of(m, k, began), m.track_waiting[k]
    share = m.track_completes[d, k]
    completed = share * total(s.people[d, 0, r].reshape(s.people[d, 0, r].size))
    for copy in range(s.people.shape[1]):
        n = s.people[d, copy, r].size
        people = s.people[d, copy, r].reshape(n)
        own, waiting = s.people[d, copy, p].reshape(n), s.people[d, copy, to].reshape(n)
        for a in range(people.size):
            waiting[a] += share * people[a]
            own[a] += (1.0 - share) * people[a]
            people[a] = 0.0
    return completed


@kernel
def conveyors(m, d, month, s, o, registrations):  # type: ignore[no-untyped-def]
    """Step 9 for every pipeline; `registrations[pipeline, group]` is what registers this month."""
    for q in range(m.history.size):
        for g in range(registrations.shape[1]):
            registrations[q, g] = 0.0
        if month >= -m.history[q]:
            conveyor(m, d, q, month, s, o, registrations)


@kernel
def conveyor(m, d, q, month, s, o, registrations):  # type: ignore[no-untyped-def]
    """Steps 9 (a) to (d) for one pipeline."""
    first, end = m.first_stage[q], m.first_stage[q + 1]
    n_groups = s.stages.shape[3]
    calendar = (m.start_month + month) % 12
    entrants(m, d, q, month, calendar, s, o)  # (a) who starts on the first of the month
    enter(m, d, first, s, o)
    for k in range(first, end):  # (b) drop-out
        share = -math.expm1(-m.drop_out[d, k] / 12.0)
        for slot in range(m.stage_months[k]):
            for g in range(n_groups):
                lost = share * s.stages[d, k, slot, g]
                s.stages[d, k, slot, g] -= lost
                o.stage_losses[k] += lost
    if m.attempts[q] > 0 and m.sitting[q, calendar]:  # (c) examination
        sit(m, d, q, calendar, s, o)
    for k in range(end - 1, first - 1, -1):  # (d) one month on, last stage first
        last = m.stage_months[k] - 1
        for g in range(n_groups):
            done = s.stages[d, k, last, g]
            for slot in range(last, 0, -1):
                s.stages[d, k, slot, g] = s.stages[d, k, slot - 1, g]
            s.stages[d, k, 0, g] = 0.0
            if k + 1 < end:
                s.arriving[d, k + 1, g] += done
            elif m.attempts[q] > 0:
                s.queue[d, q, 0, g] += done
            else:
                registrations[q, g] += done
    results(m, d, q, s, o, registrations)
    for k in range(first + 1, end):
        enter(m, d, k, s, o)
    for g in range(n_groups):
        o.registered[q] += registrations[q, g]


@kernel
def entrants(m, d, q, month, calendar, s, o):  # type: ignore[no-untyped-def]
    """Intake of the month arrives at the first stage."""
    share = m.intake_month[q, calendar]
    if share == 0.0:
        return
    at = month
    if month < 0 and m.steady[q]:
        at = month % 12
    year = m.start_year + (m.start_month + at) // 12 - m.intake_year
    year = min(max(year, 0), m.intake.shape[2] - 1)
    for g in range(s.stages.shape[3]):
        heads = m.intake[d, q, year] * share * m.trainee_groups[d, q, g]
        s.arriving[d, m.first_stage[q], g] += heads
        o.entrants[q] += heads


@kernel
def enter(m, d, k, s, o):  # type: ignore[no-untyped-def]
    """Who arrives at a stage, and who waited, takes a place; the unplaced wait or leave."""
    n_groups = s.stages.shape[3]
    arriving = 0.0
    for g in range(n_groups):
        s.arriving[d, k, g] += s.unplaced[d, k, g]
        s.unplaced[d, k, g] = 0.0
        arriving += s.arriving[d, k, g]
    if arriving <= 0.0:
        return
    placed = 1.0
    if not math.isinf(m.places[d, k]):
        free = max(m.places[d, k] - total(s.stages[d, k]), 0.0)
        placed = min(1.0, free / arriving)
    for g in range(n_groups):
        heads = s.arriving[d, k, g]
        s.arriving[d, k, g] = 0.0
        s.stages[d, k, 0, g] += placed * heads
        o.intake[k] += placed * heads
        without = (1.0 - placed) * heads
        o.unplaced[k] += without
        s.unplaced[d, k, g] += m.waits[d, k] * without
        o.stage_losses[k] += (1.0 - m.waits[d, k]) * without


@kernel
def sit(m, d, q, calendar, s, o):  # type: ignore[no-untyped-def]
    """Step 9 (c). Everybody eligible sits; results after the lag, registration not before the stage ends."""
    last = m.first_stage[q + 1] - 1
    months = m.stage_months[last]
    for g in range(s.stages.shape[3]):
        for slot in range(m.eligible_month[q] - 1, months):
            heads = s.stages[d, last, slot, g]
            s.stages[d, last, slot, g] = 0.0
            wait = max(months - 1 - slot, m.result_lag[q])
            attempt(m, d, q, calendar, 0, g, wait, heads, s, o)
        for k in range(m.attempts[q]):
            heads = s.queue[d, q, k, g]
            s.queue[d, q, k, g] = 0.0
            attempt(m, d, q, calendar, k, g, m.result_lag[q], heads, s, o)


@kernel
def attempt(m, d, q, calendar, k, g, wait, heads, s, o):  # type: ignore[no-untyped-def]
    """`heads` candidates sit attempt k + 1; their result acts `wait` months later."""
    rate = m.pass_rate[d, q, calendar, k]
    o.sat[q, k] += heads
    o.passed[q, k] += rate * heads
    s.passed[d, q, wait, g] += rate * heads
    s.failed[d, q, k + 1, wait, g] += (1.0 - rate) * heads


@kernel
def results(m, d, q, s, o, registrations):  # type: ignore[no-untyped-def]
    """Those whose wait is over: passes register, fails queue again or leave."""
    n_waits = s.passed.shape[2]
    for g in range(s.passed.shape[3]):
        registrations[q, g] += s.passed[d, q, 0, g]
        for wait in range(1, n_waits):
            s.passed[d, q, wait - 1, g] = s.passed[d, q, wait, g]
        s.passed[d, q, n_waits - 1, g] = 0.0
        for k in range(1, m.attempts[q] + 1):
            heads = s.failed[d, q, k, 0, g]
            again = m.resit[d, q] * heads if k < m.attempts[q] else 0.0
            s.queue[d, q, k, g] += again
            o.failed_out[q] += heads - again
            for wait in range(1, n_waits):
                s.failed[d, q, k, wait - 1, g] = s.failed[d, q, k, wait, g]
            s.failed[d, q, k, n_waits - 1, g] = 0.0


@kernel
def graduate(m, d, registrations, fraction, s, o):  # type: ignore[no-untyped-def]
    """Step 9 (e). The retained become seekers, by age at qualification; the rest leave the area."""
    for q in range(m.history.size):
        for g in range(registrations.shape[1]):
            heads = registrations[q, g]
            if heads == 0.0:
                continue
            o.left_area[q] += (1.0 - m.retention[d, q]) * heads
            heads *= m.retention[d, q]
            ages, out = m.trainee_ages[q, g], s.seekers[d, q, g]
            out[0] += heads * ages[0]
            for a in range(1, ages.size):
                out[a] += heads * ages[a] * (1.0 - fraction)
                out[a - 1] += heads * ages[a] * fraction


@kernel
def history(m, d, s, o, registrations, before_out):  # type: ignore[no-untyped-def]
    """Run the pipelines alone up to the start, so that they are full at the opening."""
    longest = 0
    for q in range(m.history.size):
        longest = max(longest, m.history[q])
    recorded = before_out.shape[0]
    for month in range(-longest, 0):
        conveyors(m, d, month, s, o, registrations)
        if month >= -recorded:
            for q in range(m.history.size):
                for g in range(registrations.shape[1]):
                    before_out[recorded + month, q] += registrations[q, g]
