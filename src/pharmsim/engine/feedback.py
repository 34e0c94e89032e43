"""E of a month's start: what is perceived, and the multipliers of the feedbacks.

Arguments as in `pharmsim.engine.work`; `b` is the `Feedbacks` part of the model, `y` the `SystemState`;
`opening` says that this is the start of the run, which sets what everything is measured against.
"""

from __future__ import annotations

import math

from pharmsim.compiled.arrays import MOVE
from pharmsim.compiled.system_arrays import (
    ATTRACTIVENESS,
    BURNOUT,
    BY_HOURS,
    BY_OPENINGS,
    BY_PAY,
    BY_PRESSURE,
    FLEXIBILITY,
    INEXPERIENCE,
    NEWCOMERS,
    ON_HOURS,
    ON_LEAVING,
    ON_SETTLING,
    ON_SUPPLY,
    OPENINGS,
    PARTICIPATION,
    PAY,
    PRESSURE,
    PUSH,
    RECRUITMENT,
    SHORTER_HOURS,
    SMALLEST_VACANCY,
    VACANCY,
)
from pharmsim.engine.jit import kernel
from pharmsim.engine.lived import total


@kernel
def perceive(first, end, pace, given, opening, signal, reference, perceived, out):  # type: ignore[no-untyped-def]
    """Bring what is perceived up to date, rows `first` … `end` − 1 of (signals, posts).

    At the opening it is the signal itself, and so is the reference, unless one is `given`; where the
    signal is 0, both wait for the first month in which it is not. `out` is what is perceived now.
    """
    for row in range(first, end):
        for p in range(signal.shape[1]):
            x = signal[row, p]
            own = math.isnan(given[row, p])
            if opening or (own and reference[row, p] == 0.0):
                perceived[row, p] = x
                reference[row, p] = x if own else given[row, p]
            out[row, p] = perceived[row, p] + (x - perceived[row, p]) * pace[row]


@kernel
def response(perceived, reference, elasticity):  # type: ignore[no-untyped-def]
    """(perceived ÷ reference)^elasticity; exactly 1 where nothing responds."""
    if elasticity == 0.0 or reference <= 0.0:
        return 1.0
    if perceived <= 0.0:
        return 0.0 if elasticity > 0.0 else 1e300  # finite, so that products are numbers
    return (perceived / reference) ** elasticity


@kernel
def bounded(x, low, high):  # type: ignore[no-untyped-def]
    """A multiplier inside its bounds."""
    return min(max(x, low), high) if x != 1.0 else 1.0


@kernel
def multiply(perceived, reference, elasticity, low, high, out):  # type: ignore[no-untyped-def]
    """The multipliers of one feedback, by post."""
    for p in range(out.size):
        out[p] = bounded(response(perceived[p], reference[p], elasticity[p]), low, high)


@kernel
def inexperience(b, d, opening, share_before, first_share, y, a):  # type: ignore[no-untyped-def]
    """The first-year share, which comes before everything that time is lost to.

    At the opening it is the stated one, `share_before`, also where nobody is in post.
    """
    for p in range(first_share.size):
        a.signal[NEWCOMERS, p] = share_before[p] if opening else first_share[p]
    given, reference = b.reference[d], y.reference[d]
    row = NEWCOMERS
    perceive(row, row + 1, b.pace[d], given, opening, a.signal, reference, y.perceived[d], a.perceived)
    low, high = b.low[INEXPERIENCE], b.high[INEXPERIENCE]
    elasticity, out = b.elasticity[d, ON_SETTLING], a.multiplier[INEXPERIENCE]
    multiply(a.perceived[row], reference[row], elasticity, low, high, out)


@kernel
def training_places(b, numbers, d, opening, y, a):  # type: ignore[no-untyped-def]
    """Places of every stage: a number times its multiplier, or so many for an FTE of supervisors."""
    for stage in range(a.places.size):
        staff = 0.0
        for p in range(a.present.size):
            if b.supervisors[stage, p]:
                staff += a.present[p]
        given = b.place_reference[d, stage]
        if opening or (math.isnan(given) and y.staff_reference[d, stage] == 0.0):
            y.staff[d, stage] = staff
            y.staff_reference[d, stage] = staff if math.isnan(given) else given
        before = y.staff[d, stage]
        a.staff[stage] = before + (staff - before) * b.place_pace[d]
        x = response(a.staff[stage], y.staff_reference[d, stage], b.place_elasticity[d, stage])
        a.place_multiplier[stage] = bounded(x, b.place_low, b.place_high)
        a.places[stage] = numbers[stage] * a.place_multiplier[stage]
        if not math.isinf(b.per_fte[d, stage]):
            a.places[stage] = b.per_fte[d, stage] * staff


@kernel
def look(w, kept, a):  # type: ignore[no-untyped-def]
    """What there is to perceive; an empty post keeps what it perceived of FTE per head (`kept`)."""
    for p in range(w.fte.size):
        vacant = SMALLEST_VACANCY
        if not math.isinf(a.funded[p]) and a.funded[p] > 0.0:
            vacant = max(1.0 - w.fte[p] / a.funded[p], SMALLEST_VACANCY)
        heads = total(w.at_post[p])
        a.signal[PRESSURE, p] = a.signal[PUSH, p] = a.pressure_at[p]
        a.signal[VACANCY, p] = a.signal[OPENINGS, p] = vacant
        a.signal[PAY, p] = a.cost[p]
        a.signal[PARTICIPATION, p] = w.fte[p] / heads if heads > 0.0 else kept[p]


@kernel
def respond(b, d, opening, y, w, a):  # type: ignore[no-untyped-def]
    """All other multipliers by post."""
    look(w, y.perceived[d, PARTICIPATION], a)
    x, ref = a.perceived, y.reference[d]
    n = ref.shape[0]
    perceive(NEWCOMERS + 1, n, b.pace[d], b.reference[d], opening, a.signal, ref, y.perceived[d], x)
    e, low, high, out = b.elasticity[d], b.low, b.high, a.multiplier
    multiply(x[PRESSURE], ref[PRESSURE], e[ON_LEAVING], low[BURNOUT], high[BURNOUT], out[BURNOUT])
    i = SHORTER_HOURS
    multiply(x[PRESSURE], ref[PRESSURE], e[ON_HOURS], low[i], high[i], out[i])
    i = RECRUITMENT
    multiply(x[VACANCY], ref[VACANCY], e[ON_SUPPLY], low[i], high[i], out[i])
    i = FLEXIBILITY
    multiply(x[PARTICIPATION], ref[PARTICIPATION], e[BY_HOURS], low[i], high[i], out[i])
    for p in range(w.fte.size):
        pull = response(x[OPENINGS, p], ref[OPENINGS, p], e[BY_OPENINGS, p])
        push = response(x[PUSH, p], ref[PUSH, p], -e[BY_PRESSURE, p])
        out[ATTRACTIVENESS, p] = pull * push * response(x[PAY, p], ref[PAY, p], e[BY_PAY, p])


@kernel
def attract(b, edges, home, a):  # type: ignore[no-untyped-def]
    """Multiplier of every move: attractiveness of its end relative to that of its beginning, in bounds."""
    attracts, low, high = a.multiplier[ATTRACTIVENESS], b.low[ATTRACTIVENESS], b.high[ATTRACTIVENESS]
    for e in range(a.moving.size):
        a.moving[e] = 1.0
        if edges.kind[e] == MOVE:
            end, begin = attracts[edges.to[e]], attracts[home[edges.origin[e]]]
            if end != begin:
                a.moving[e] = min(max(end / begin, low), high) if begin > 0.0 else high
