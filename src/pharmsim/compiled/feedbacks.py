"""Feedbacks: elasticities, delays, references and bounds as arrays."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from pharmsim.compiled.arrays import Bools, Clock
from pharmsim.compiled.grid import Grid
from pharmsim.compiled.money import pace
from pharmsim.compiled.parts import RiskPart
from pharmsim.compiled.people import stack
from pharmsim.compiled.supply import external
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
    VACANCY,
    Feedbacks,
)
from pharmsim.compiled.work import mask
from pharmsim.scenario.system import Feedback
from pharmsim.scenario.system import Feedbacks as Written
from pharmsim.scenario.values import Value

PARTS: tuple[tuple[str, tuple[tuple[int, str], ...], tuple[int, ...], tuple[int, ...]], ...] = (
    (
        "burnout",
        ((ON_LEAVING, "leaving"), (ON_HOURS, "shorter_hours")),
        (PRESSURE,),
        (BURNOUT, SHORTER_HOURS),
    ),
    ("recruitment", ((ON_SUPPLY, "elasticity"),), (VACANCY,), (RECRUITMENT,)),
    (
        "attractiveness",
        ((BY_OPENINGS, "openings"), (BY_PRESSURE, "pressure"), (BY_PAY, "pay")),
        (OPENINGS, PUSH, PAY),
        (ATTRACTIVENESS,),
    ),
    ("inexperience", ((ON_SETTLING, "elasticity"),), (NEWCOMERS,), (INEXPERIENCE,)),
    ("flexibility", ((BY_HOURS, "elasticity"),), (PARTICIPATION,), (FLEXIBILITY,)),
)
"""Every feedback by post: its elasticities, what it perceives, its multipliers."""


def feedbacks(grid: Grid, clock: Clock, parts: list[RiskPart]) -> Feedbacks:
    """All feedbacks that are on; those that are off have elasticities of 0."""
    s = grid.scenario
    n, n_posts, draw = grid.draws.n, len(s.posts), grid.draws.values
    written = s.feedbacks or Written()
    first_year = grid.cells(s.first_year.opening_share if s.first_year else None, ("post",))
    elasticity, speed = np.zeros((n, 8, n_posts)), np.ones((n, 7))
    reference, low, high = np.full((n, 7, n_posts), np.nan), np.zeros(6), np.full(6, np.inf)
    made = np.array([post.made_by != "" for post in s.posts])  # no opening vacancy rate to compare with
    for name, acts, perceives, multipliers in PARTS:
        node: Feedback | None = getattr(written, name)
        if node is None or not node.on:
            continue
        chosen = mask(s, node.where)
        for row, key in acts:
            acting = chosen & ~made if row in (BY_OPENINGS, ON_SUPPLY) else chosen
            elasticity[:, row] = draw(getattr(node, key))[:, None] * acting
        for row in perceives:
            speed[:, row] = pace(draw(node.delay), clock)
            if isinstance(node.reference, Value):
                reference[:, row] = draw(node.reference)[:, None]
            elif row == NEWCOMERS:
                reference[:, row] = np.where(first_year > 0.0, first_year, np.nan)
        low[list(multipliers)], high[list(multipliers)] = node.low, node.high
    stages = [stage for pipeline in external(grid).values() for stage in pipeline.stages]
    training = written.training if written.training and written.training.on else None
    growth = np.zeros(n) if training is None else draw(training.elasticity)
    numbered = [stage.places is not None and stage.supervisors is not None for stage in stages]
    given = training.reference if training and isinstance(training.reference, Value) else None
    unlimited = np.full(n, np.inf)
    return Feedbacks(
        elasticity=elasticity,
        pace=speed,
        reference=reference,
        low=low,
        high=high,
        **acted_on(grid, written, parts),
        supervisors=np.array([mask(s, stage.supervisors) for stage in stages], dtype=np.bool_).reshape(
            -1, n_posts
        ),
        per_fte=stack(
            [draw(x.trainees_per_fte) if x.trainees_per_fte else unlimited for x in stages], (n, 0)
        ),
        place_elasticity=stack([growth * limited for limited in numbered], (n, 0)),
        place_pace=pace(draw(training.delay), clock) if training else np.ones(n),
        place_reference=stack([draw(given) if given else np.full(n, np.nan) for _ in stages], (n, 0)),
        place_low=training.low if training else 0.0,
        place_high=training.high if training else np.inf,
    )


def acted_on(grid: Grid, written: Written, parts: list[RiskPart]) -> dict[str, Bools]:
    """Which risks and sources of hires each feedback acts on."""
    s = grid.scenario
    sources = [source.name for source in s.hiring.sources] if s.hiring else []

    def chosen(names: Collection[str], quantity: str) -> Bools:
        found = [part.quantity == quantity and part.name in names for part in parts]
        return np.array(found, dtype=np.bool_)

    burnout, flexibility, recruitment = written.burnout, written.flexibility, written.recruitment
    supplied: Bools = np.array(
        [name in (recruitment.sources if recruitment else ()) for name in sources], dtype=np.bool_
    )
    return {
        "tired": chosen(burnout.destinations if burnout else (), "leaving"),
        "shorter": chosen(burnout.switches if burnout else (), "switching"),
        "flexible": chosen(flexibility.destinations if flexibility else (), "leaving"),
        "sources": supplied,
    }
