"""Step 8: training inside posts.

Names of the arguments as in `pharmsim.engine.people`; `k` is a track: one pipeline in one post.
"""

from __future__ import annotations

import math

from pharmsim.engine.jit import kernel
from pharmsim.engine.lived import total


@kernel
def apprentices(tracks, d, t, month, people, present, o):  # type: ignore[no-untyped-def]
    """Step 8. Batches end; then, in an intake month, new ones begin, as far as there are places.

    The tracks of a pipeline follow each other and share its places; `present`: FTE at work by post.
    """
    first = 0
    while first < tracks.post.size:
        end = first
        while end < tracks.post.size and tracks.pipeline[end] == tracks.pipeline[first]:
            o.training_ends[d, t, tracks.post[end]] += finish(tracks, d, end, month, people)
            end += 1
        placed = share_placed(tracks, d, t, first, end, month, people, present, o.training_unplaced[d, t])
        for k in range(first, end):
            intake(tracks, d, t, k, month, placed, people, o.training_starts[d, t])
        first = end


@kernel
def wish(tracks, d, t, k, month):  # type: ignore[no-untyped-def]
    """Heads that want to begin in `month`."""
    share = tracks.intake_month[k, (tracks.start_month + month) % 12]
    return tracks.intake[d, k] * share * tracks.over_time[d, k, t]


@kernel
def intake(tracks, d, t, k, month, placed, people, starts_out):  # type: ignore[no-untyped-def]
    """A new batch of one track: the share `placed` of those who want to begin, at most everybody eligible."""
    heads = wish(tracks, d, t, k, month)
    if heads > 0.0:
        able = eligible(tracks, d, k, people)
        if able > 0.0:
            starts_out[tracks.post[k]] += begin(tracks, d, k, month, placed * min(heads, able), able, people)


@kernel
def share_placed(tracks, d, t, first, end, month, people, present, unplaced_out):  # type: ignore[no-untyped-def]
    """Share of those who want to begin for whom a pipeline has places; the others are counted."""
    if math.isinf(tracks.per_fte[d, first]):
        return 1.0
    wanted = 0.0
    for k in range(first, end):
        wanted += min(wish(tracks, d, t, k, month), eligible(tracks, d, k, people))
    if wanted <= 0.0:
        return 1.0
    placed = min(1.0, max(places_left(tracks, d, first, end, people, present), 0.0) / wanted)
    for k in range(first, end):
        without = (1.0 - placed) * min(wish(tracks, d, t, k, month), eligible(tracks, d, k, people))
        unplaced_out[tracks.post[k]] += without
    return placed


@kernel
def places_left(tracks, d, first, end, people, present):  # type: ignore[no-untyped-def]
    """Places for the tracks of a pipeline, by the FTE of its supervisors at work, less who is in training."""
    staff = training = 0.0
    for p in range(present.size):
        if tracks.supervisors[first, p]:
            staff += present[p]
    for k in range(first, end):
        for r in range(tracks.row[k], tracks.waiting[k]):
            training += total(people[d, 0, r])
    return tracks.per_fte[d, first] * staff - training


@kernel
def eligible(tracks, d, k, people):  # type: ignore[no-untyped-def]
    """Heads of the eligible ages in the own row of a track's post."""
    heads = 0.0
    for g in range(people.shape[3]):
        for c in range(people.shape[4]):
            heads += total(people[d, 0, tracks.post[k], g, c, tracks.first[k] : tracks.end[k]])
    return heads


@kernel
def batch_row(tracks, k, month):  # type: ignore[no-untyped-def]
    """Row of the people of track `k` who begin in `month`: by intake month, then by year in turn."""
    calendar = (tracks.start_month + month) % 12
    rank = 0
    for earlier in range(calendar):
        if tracks.intake_month[k, earlier] > 0.0:
            rank += 1
    years = (tracks.months[k] + 11) // 12
    return tracks.row[k] + rank * years + ((tracks.start_month + month) // 12) % years


@kernel
def begin(tracks, d, k, month, heads, able, people):  # type: ignore[no-untyped-def]
    """Take `heads` of the `able` people of the eligible ages from the post's own row into a batch."""
    p, r = tracks.post[k], batch_row(tracks, k, month)
    first, end = tracks.first[k], tracks.end[k]
    share = min(heads / able, 1.0)
    for copy in range(people.shape[1]):
        for g in range(people.shape[3]):
            for c in range(people.shape[4]):
                for a in range(first, end):
                    moved = share * people[d, copy, p, g, c, a]
                    people[d, copy, p, g, c, a] -= moved
                    people[d, copy, r, g, c, a] += moved
    return share * able


@kernel
def finish(tracks, d, k, month, people):  # type: ignore[no-untyped-def]
    """The batch that began `months` ago: those who complete wait for a post, the others go back.

    Returns the heads who complete.
    """
    began = month - tracks.months[k]
    if tracks.intake_month[k, (tracks.start_month + began) % 12] == 0.0:
        return 0.0
    p, r, to = tracks.post[k], batch_row(tracks, k, began), tracks.waiting[k]
    share = tracks.completes[d, k]
    completed = share * total(people[d, 0, r])
    for copy in range(people.shape[1]):
        for g in range(people.shape[3]):
            for c in range(people.shape[4]):
                for a in range(people.shape[5]):
                    heads = people[d, copy, r, g, c, a]
                    people[d, copy, to, g, c, a] += share * heads
                    people[d, copy, p, g, c, a] += (1.0 - share) * heads
                    people[d, copy, r, g, c, a] = 0.0
    return completed
