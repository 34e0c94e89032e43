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


@kernel
def perceive(b, d, row, p, x, opening, y, a):  # type: ignore[no-untyped-def]
    """Bring what is perceived of `x` up to date; at the opening it is `x`, and so is the reference.

    Where that is 0, both wait for the first month in which `x` is not.
    """
    given = b.reference[d, row, p]
    if opening or (math.isnan(given) and y.reference[d, row, p] == 0.0):
        y.perceived[d, row, p] = x
        y.reference[d, row, p] = x if math.isnan(given) else given
    before = y.perceived[d, row, p]
    a.perceived[row, p] = before + (x - before) * b.pace[d, row]


@kernel
def response(perceived, reference, elasticity):  # type: ignore[no-untyped-def]
    """(perceived ÷ reference)^elasticity; exactly 1 where nothing responds."""
    if elasticity == 0.0 or reference <= 0.0:
        return 1.0
    if perceived <= 0.0:
        return 0.0 if elasticity > 0.0 else 1e300  # finite, so that products are numbers
    return (perceived / reference) ** elasticity


@kernel
def multiply(b, d, act, row, out, p, y, a):  # type: ignore[no-untyped-def]
    """Write one multiplier of one post, inside its bounds."""
    x = response(a.perceived[row, p], y.reference[d, row, p], b.elasticity[d, act, p])
    a.multiplier[out, p] = min(max(x, b.low[out]), b.high[out]) if x != 1.0 else 1.0


@kernel
def attract(b, edges, home, a):  # type: ignore[no-untyped-def]
    """Multiplier of every move: attractiveness of its end relative to that of its beginning, in bounds."""
    low, high = b.low[ATTRACTIVENESS], b.high[ATTRACTIVENESS]
    for e in range(a.moving.size):
        a.moving[e] = 1.0
        if edges.kind[e] == MOVE:
            x, y = (
                a.multiplier[ATTRACTIVENESS, edges.to[e]],
                a.multiplier[ATTRACTIVENESS, home[edges.origin[e]]],
            )
            if x != y:
                a.moving[e] = min(max(x / y, low), high) if y > 0.0 else high


@kernel
def inexperience(b, d, opening, y, w, a):  # type: ignore[no-untyped-def]
    """The first-year share, which comes before everything that time is lost to."""
    for p in range(w.fte.size):
        perceive(b, d, NEWCOMERS, p, w.first_share[p], opening, y, a)
        multiply(b, d, ON_SETTLING, NEWCOMERS, INEXPERIENCE, p, y, a)


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
        a.place_multiplier[stage] = min(max(x, b.place_low), b.place_high) if x != 1.0 else 1.0
        a.places[stage] = numbers[stage] * a.place_multiplier[stage]
        if not math.isinf(b.per_fte[d, stage]):
            a.places[stage] = b.per_fte[d, stage] * staff


@kernel
def respond(b, d, opening, y, w, a):  # type: ignore[no-untyped-def]
    """All other multipliers by post."""
    for p in range(w.fte.size):
        vacant = SMALLEST_VACANCY
        if not math.isinf(a.funded[p]) and a.funded[p] > 0.0:
            vacant = max(1.0 - w.fte[p] / a.funded[p], SMALLEST_VACANCY)
        heads = 0.0
        for g in range(w.w.shape[1]):
            for c in range(w.w.shape[2]):
                heads += w.at_post[p, g, c]
        perceive(b, d, PRESSURE, p, a.pressure_at[p], opening, y, a)
        perceive(b, d, VACANCY, p, vacant, opening, y, a)
        perceive(b, d, OPENINGS, p, vacant, opening, y, a)
        perceive(b, d, PUSH, p, a.pressure_at[p], opening, y, a)
        perceive(b, d, PAY, p, a.cost[p], opening, y, a)
        hours = w.fte[p] / heads if heads > 0.0 else y.perceived[d, PARTICIPATION, p]
        perceive(b, d, PARTICIPATION, p, hours, opening, y, a)
        multiply(b, d, ON_LEAVING, PRESSURE, BURNOUT, p, y, a)
        multiply(b, d, ON_HOURS, PRESSURE, SHORTER_HOURS, p, y, a)
        multiply(b, d, ON_SUPPLY, VACANCY, RECRUITMENT, p, y, a)
        multiply(b, d, BY_HOURS, PARTICIPATION, FLEXIBILITY, p, y, a)
        x = response(a.perceived[OPENINGS, p], y.reference[d, OPENINGS, p], b.elasticity[d, BY_OPENINGS, p])
        x *= response(a.perceived[PUSH, p], y.reference[d, PUSH, p], -b.elasticity[d, BY_PRESSURE, p])
        x *= response(a.perceived[PAY, p], y.reference[d, PAY, p], b.elasticity[d, BY_PAY, p])
        a.multiplier[ATTRACTIVENESS, p] = x
