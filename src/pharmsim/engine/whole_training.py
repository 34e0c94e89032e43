"""Steps 8 and 9 with whole people: places, drop-out, who stays, apprentices.

Names of the arguments as in `pharmsim.engine.pipelines` and `pharmsim.engine.apprentices`; `x` is the
`Chance`, `key` that of the month.
"""

from __future__ import annotations

import math

from pharmsim.engine.apprentices import batch_row, eligible, places_left, wish
from pharmsim.engine.chance import (
    AGE,
    BIRTHDAY,
    COMPLETE,
    ENOUGH,
    INTAKE,
    RESIT,
    RETENTION,
    SELECTED,
    arrive,
    binomial,
    drawn_from,
    mix,
    one_of,
    rounded,
    take,
    uniform,
)
from pharmsim.engine.jit import kernel
from pharmsim.engine.lived import total


@kernel
def enter(v, d, k, places, s, key, o):  # type: ignore[no-untyped-def]
    """Who arrives at a stage, and who waited, takes a whole place; the unplaced wait or leave."""
    n_groups = s.stages.shape[3]
    wanting = total(s.arriving[d, k]) + total(s.unplaced[d, k])
    if wanting <= 0.0:
        return
    free = wanting
    if not math.isinf(places[k]):
        free = min(max(math.floor(places[k] - total(s.stages[d, k]) + ENOUGH), 0.0), wanting)
    for g in range(n_groups):
        arriving = s.arriving[d, k, g]
        heads = arriving + s.unplaced[d, k, g]
        placed = drawn_from(heads, wanting, free, mix(key, SELECTED + g))
        wanting, free = wanting - heads, free - placed
        without = heads - placed
        waiting = binomial(without, v.waits[d, k], uniform(key, g))
        s.stages[d, k, 0, g] += placed
        s.unplaced[d, k, g] = waiting
        o.intake[k] += placed
        if heads > 0.0:
            o.unplaced[k] += drawn_from(without, heads, arriving, mix(key, RESIT + g))
        o.stage_losses[k] += without - waiting
        s.arriving[d, k, g] = 0.0


@kernel
def drop_out(v, d, k, s, key, o):  # type: ignore[no-untyped-def]
    """Step 9 (b): everybody in a stage leaves with the same probability."""
    share, n_groups = -math.expm1(-v.drop_out[d, k] / 12.0), s.stages.shape[3]
    for slot in range(v.stage_months[k]):
        for g in range(n_groups):
            lost = binomial(s.stages[d, k, slot, g], share, uniform(key, slot * n_groups + g))
            s.stages[d, k, slot, g] -= lost
            o.stage_losses[k] += lost


@kernel
def graduate(v, d, registrations, fraction, seekers, key, o, x):  # type: ignore[no-untyped-def]
    """Step 9 (e). The retained become seekers, by age at qualification; the rest leave the area."""
    for q in range(v.history.size):
        here = mix(key, x.names.pipeline[q])
        for g in range(registrations.shape[1]):
            heads = registrations[q, g]
            stay = binomial(heads, v.retention[d, q], uniform(mix(here, RETENTION), g))
            o.left_area[q] += heads - stay
            for i in range(int(stay)):
                a = one_of(v.ages[q, g], uniform(mix(mix(here, AGE), g), i))
                if a > 0 and uniform(mix(mix(here, BIRTHDAY), g), i) < fraction:
                    a -= 1
                seekers[d, q, g, a] += 1.0


# -- apprentices -------------------------------------------------------------------------------------------


@kernel
def apprentices(tracks, d, t, month, people, present, key, o, x):  # type: ignore[no-untyped-def]
    """Step 8. Batches end; then, in an intake month, new ones begin, as far as there are places."""
    first = 0
    while first < tracks.post.size:
        end = first
        while end < tracks.post.size and tracks.pipeline[end] == tracks.pipeline[first]:
            here = mix(mix(key, x.names.track[end]), COMPLETE)
            o.training_ends[d, t, tracks.post[end]] += finish(tracks, d, end, month, people[d], here, x)
            end += 1
        arrive(people[d], x)
        free = math.inf
        if not math.isinf(tracks.per_fte[d, first]):
            free = max(math.floor(places_left(tracks, d, first, end, people, present) + ENOUGH), 0.0)
        for k in range(first, end):
            here = mix(mix(key, x.names.track[k]), INTAKE)
            heads = rounded(wish(tracks, d, t, k, month), uniform(here, INTAKE))
            able = eligible(tracks, d, k, people)
            heads = min(heads, able)
            placed = min(heads, free)
            o.training_unplaced[d, t, tracks.post[k]] += heads - placed
            o.training_starts[d, t, tracks.post[k]] += placed
            begin(tracks, d, k, month, placed, able, people[d], mix(here, SELECTED), x)
            free -= placed
        arrive(people[d], x)
        first = end


@kernel
def begin(tracks, d, k, month, heads, able, people, key, x):  # type: ignore[no-untyped-def]
    """Take `heads` of the `able` people of the eligible ages from the post's own row into a batch."""
    if heads <= 0.0:
        return
    p, r, left = tracks.post[k], batch_row(tracks, k, month), heads
    n_contracts, n_ages = people.shape[3], people.shape[4]
    for g in range(people.shape[2]):
        for c in range(n_contracts):
            for a in range(tracks.first[k], tracks.end[k]):
                here = people[0, p, g, c, a]
                if here == 0.0 or left == 0.0:
                    continue
                n = drawn_from(here, able, left, mix(key, (g * n_contracts + c) * n_ages + a))
                able, left = able - here, left - n
                if n > 0.0:
                    take(people, p, g, c, a, n, r, c, x, x.always)


@kernel
def finish(tracks, d, k, month, people, key, x):  # type: ignore[no-untyped-def]
    """The batch that began `months` ago: those who complete wait for a post, the others go back."""
    began = month - tracks.months[k]
    if tracks.intake_month[k, (tracks.start_month + began) % 12] == 0.0:
        return 0.0
    p, r, to = tracks.post[k], batch_row(tracks, k, began), tracks.waiting[k]
    n_contracts, n_ages, completed = people.shape[3], people.shape[4], 0.0
    for g in range(people.shape[2]):
        for c in range(n_contracts):
            for a in range(n_ages):
                heads = people[0, r, g, c, a]
                if heads == 0.0:
                    continue
                n = binomial(heads, tracks.completes[d, k], uniform(key, (g * n_contracts + c) * n_ages + a))
                completed += n
                if n > 0.0:
                    take(people, r, g, c, a, n, to, c, x, x.always)
                if heads > n:
                    take(people, r, g, c, a, heads - n, p, c, x, x.always)
    return completed
