"""The arrays that pass between compile and the engines: model, state, record.

One axis order everywhere: draw, time, (copy,) row or post, group, contract, age; ages contiguous.
A *row* is a post, a batch of people in an internal pipeline, or the qualified who wait for a post
of their new role; rows 0 … n_posts − 1 are the posts. Copy 0 of the stock is the people, copies
1 … are those still tagged, one copy a level of retention (or one a block, where joint posts overlap).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

UNLIMITED_SUPPLY = -1.0
OUTSIDE, SEEKERS = 0, 1
CONSTANT, NEVER = 0, 1
"""Rows of `Risks.hazard` that hold 1 and 0 at all ages."""
MOVE, PROMOTION, ROLE_CHANGE = 0, 1, 2


class Clock(NamedTuple):
    """Time: months are numbered from the start of the scenario."""

    n_periods: int  # periods recorded: months, or years with the `year` step
    months_per_period: int  # 1 or 12
    substeps: int  # steps per period: 1, 2, 4 or 8
    dt: float  # length of a step, years
    tag_month: int  # calendar month on whose first day people are tagged; -1 without levels


class Risks(NamedTuple):
    """Hazards of people in post: K risks = leaving (n_leave), retirement (n_retire), switches of contract.

    A risk that an intervention changes at some ages only stands in several parts.
    """

    hazard: Floats  # (years or 1, steps per year, rows of hazards, A): at mid-step, central, per year
    row: Ints  # (K, P, G, C): row of `hazard`
    scale: Floats  # (D, K, P, G, C): times the row
    over_time: Floats  # (D, K, T)
    n_leave: int
    n_retire: int
    n_switches: int  # switches of the scenario
    leave_to: Ints  # (n_leave,): destination
    leave_pool: Ints  # (destinations,): pool entered, or -1
    switch_as: Ints  # (K - n_leave - n_retire,): switch of the scenario
    switch_from: Ints  # (the same,): contract left
    switch_to: Ints  # (the same,): contract entered
    employer_change: Floats  # (D, P, G, C): hazard per year
    employer_over_time: Floats  # (D, T)
    first_year_ratio: Floats  # (D, P)
    first_year_mean: Floats  # (D, P): mean hazard of the opening mix relative to that of other staff
    first_year_share: Floats  # (D, P): opening value, the reference


class Funding(NamedTuple):
    """FTE per head, establishment, temporary cover."""

    fte_per_head: Floats  # (D, P, G, C)
    hours_drift: Floats  # (D, P, G, C): change per year
    has_drift: bool
    establishment: Floats  # (D, P): opening FTE; infinite without limit
    policy: Ints  # (P,): row of `policy_factor`
    policy_factor: Floats  # (D, n_policies, T + 1)
    cover_share: Floats  # (D, P)
    cover_cap: Floats  # (D, P): share of establishment


class Edges(NamedTuple):
    """Moves, promotions and role changes between posts."""

    origin: Ints  # (E,): row
    to: Ints  # (E,): post
    kind: Ints  # (E,): MOVE, PROMOTION or ROLE_CHANGE (also into joint posts of interventions, and back)
    able: Ints  # (E,): group of eligible people
    rate: Floats  # (D, E): per year
    overlap: Floats  # (D, E): skills overlap
    over_time: Floats  # (D, 3, T): by kind
    by_row: Ints  # (E,): edges in order of their row and group
    row_start: Ints  # (R + 1,): where a row's edges start in `by_row`
    able_row: Ints  # (groups of eligible people,): row
    able_first: Ints  # (groups,): first eligible age index
    able_end: Ints  # (groups,): end of the eligible age indexes


class Pools(NamedTuple):
    """Returns to the post that was left, and losses for good."""

    return_row: Ints  # (n_pools, P, G): row of `Risks.hazard`
    return_scale: Floats  # (D, n_pools, P, G)
    lapse_row: Ints
    lapse_scale: Floats
    limited: Bools  # (n_pools,)
    contracts: Floats  # (D, n_pools, P, G, C): shares


class Hiring(NamedTuple):
    """Sources of hires, in the order in which they are asked."""

    kind: Ints  # (n_sources,): OUTSIDE or SEEKERS
    pipelines: Bools  # (n_sources, n_pipelines)
    supply: Floats  # (D, n_sources, P): heads per year, or UNLIMITED_SUPPLY
    over_time: Floats  # (D, n_sources, T)
    people: Floats  # (n_sources, P, G, A): shares by group and age at last birthday
    fill_months: Floats  # (D, P): mean months to fill
    hire_months: Ints  # (P,): whole months from offer to start
    contracts: Floats  # (D, P, G, C): shares
    opening_groups: Floats  # (P, G): shares
    destinations: Floats  # (D, n_pipelines, P): shares of the newly qualified
    gives_up: Floats  # (D, n_pipelines): per year


class Conveyors(NamedTuple):
    """External pipelines: intake, stages, examinations."""

    intake: Floats  # (D, n_pipelines, years): heads per calendar year, from `intake_year`
    intake_year: int  # calendar year of intake[..., 0]
    start_year: int  # calendar year of month 0
    start_month: int  # calendar month of month 0: 0 = January
    intake_month: Floats  # (n_pipelines, 12): shares
    history: Ints  # (n_pipelines,): months run before the start
    steady: Bools  # (n_pipelines,): history repeats the intake of the start
    first_stage: Ints  # (n_pipelines + 1,)
    stage_months: Ints  # (n_stages,)
    drop_out: Floats  # (D, n_stages)
    places: Floats  # (D, n_stages); infinite without limit
    waits: Floats  # (D, n_stages)
    attempts: Ints  # (n_pipelines,): 0 without an examination
    sitting: Bools  # (n_pipelines, 12)
    eligible_month: Ints  # (n_pipelines,)
    result_lag: Ints  # (n_pipelines,)
    pass_rate: Floats  # (D, n_pipelines, 12, max attempts)
    resit: Floats  # (D, n_pipelines)
    retention: Floats  # (D, n_pipelines)
    groups: Floats  # (D, n_pipelines, G)
    ages: Floats  # (n_pipelines, G, A): shares by age at last birthday


class Tracks(NamedTuple):
    """Internal pipelines: one track for each (pipeline, post of origin)."""

    home: Ints  # (R,): post of a row
    of_row: Ints  # (R,): track of a batch of trainees, -1 for other rows
    post: Ints  # (n_tracks,)
    row: Ints  # (n_tracks,): first row of its batches
    waiting: Ints  # (n_tracks,): row of the qualified who wait
    months: Ints
    first: Ints  # first eligible age index
    end: Ints
    start_month: int  # calendar month of month 0
    intake: Floats  # (D, n_tracks): heads per year
    intake_month: Floats  # (n_tracks, 12): shares
    over_time: Floats  # (D, n_tracks, T)
    drop_out: Floats  # (D, n_tracks)
    completes: Floats  # (D, n_tracks)
    pipeline: Ints  # (n_tracks,): number of the pipeline, in order
    per_fte: Floats  # (D, n_tracks): trainees for an FTE of supervisors; infinite: no limit
    supervisors: Bools  # (n_tracks, P)


class Levels(NamedTuple):
    """Levels of retention; ages that are counted apart."""

    level: Ints  # (copies,): level that a tagged copy belongs to
    block: Ints  # (copies, P): block of a post on the axis of all blocks, -1 where nobody is tagged
    share: Floats  # (copies, P): share of everybody in post that is tagged
    keeps: Bools  # (copies, E): whether who moves along an edge keeps the tag
    employer: Bools  # (copies,): whether a change of employer is a loss
    n_levels: int
    n_blocks: int
    index_55: int  # age index of age 55
    last: int  # age index of the last age


class Posts(NamedTuple):
    """Everything constant about posts and the people in them."""

    risks: Risks
    funding: Funding
    edges: Edges
    pools: Pools
    hiring: Hiring
    tracks: Tracks
    levels: Levels


class PostState(NamedTuple):
    """People in post, in pools, with an offer, looking for a post; one row a draw."""

    people: Floats  # (D, 1 + copies, R, G, C, A)
    tagged: Floats  # (D, copies, P): heads tagged on the last reference date; -1 before the first
    first_year: Floats  # (D, P, 13): slots 0 … 11 by months left, 12 = started this month
    pools: Floats  # (D, n_pools, P, G, A)
    offers: Floats  # (D, slots, P, G, A): by months to the first day
    offers_by_source: Floats  # (D, slots, P, n_sources + 1); the last: offers made before the start
    seekers: Floats  # (D, n_pipelines, G, A)


class Training(NamedTuple):
    """People in external pipelines; one row a draw."""

    stages: Floats  # (D, n_stages, longest, G): by completed months
    unplaced: Floats  # (D, n_stages, G): waiting for a place
    passed: Floats  # (D, n_pipelines, longest wait + 1, G): by months to registration
    failed: Floats  # (D, n_pipelines, max attempts + 1, longest wait + 1, G): next attempt, months left
    queue: Floats  # (D, n_pipelines, max attempts + 1, G): waiting to sit attempt k + 1
    arriving: Floats  # (D, n_stages, G): entering a stage within this month; zero at month starts


class PostStocks(NamedTuple):
    """Stocks of posts; names, units and axes as in `pharmsim.quantities`, as in all records."""

    headcount: Floats
    headcount_55plus: Floats
    headcount_by_age: Floats
    fte: Floats
    establishment_fte: Floats
    vacancy_fte: Floats
    cover_fte: Floats
    offers: Floats
    first_year: Floats
    apprentices: Floats
    in_pool: Floats
    unfillable_fte: Floats  # with whole people only


class PostFlows(NamedTuple):
    """Flows of posts."""

    joiners: Floats
    offers_made: Floats
    leavers: Floats
    retirements: Floats
    returns: Floats
    pool_losses: Floats
    moves: Floats
    moves_blocked: Floats
    switches: Floats
    employer_changes: Floats
    training_starts: Floats
    training_ends: Floats
    training_unplaced: Floats
    gave_up: Floats


class TrainingStocks(NamedTuple):
    """Stocks of external pipelines."""

    seekers: Floats
    trainees: Floats
    waiting_for_place: Floats
    awaiting: Floats
    resitting: Floats


class TrainingFlows(NamedTuple):
    """Flows of external pipelines."""

    entrants: Floats
    intake: Floats
    unplaced: Floats
    stage_losses: Floats
    sat: Floats
    passed: Floats
    failed_out: Floats
    registered: Floats
    left_area: Floats


class Dated(NamedTuple):
    """Numbers of the model that change from period to period: number = base × times + plus.

    The targets are other arrays of the model, seen as one row a draw.
    """

    targets: tuple[Floats, ...]  # each (D, numbers of that array)
    field: Ints  # (n,): target
    place: Ints  # (n,): in one draw of it
    row: Ints  # (n,): row of `times` and `plus`
    base: Floats  # (D, n)
    times: Floats  # (D, rows, T + 1)
    plus: Floats  # (D, rows, T + 1)


HISTORY_MONTHS = 60
"""Months before the start whose newly qualified are recorded."""


def tag_dates(clock: Clock, start_month: int) -> list[int]:
    """Months on whose first day people are tagged, the end of the last period included."""
    if clock.tag_month < 0:
        return []
    months = range(0, clock.n_periods * clock.months_per_period + 1, clock.months_per_period)
    return [month for month in months if (start_month + month) % 12 == clock.tag_month]
