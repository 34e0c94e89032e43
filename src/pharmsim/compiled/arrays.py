"""The arrays that pass between compile and the engines: model, state, record.

One axis order everywhere: draw, time, (copy,) row or post, group, contract, age; ages contiguous.
A *row* is a post, a batch of people in an internal pipeline, or the qualified who wait for a post
of their new role; rows 0 … n_posts − 1 are the posts. Copy 0 of the stock is the people, copies
1 … n_levels are those still tagged at each level of retention.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

UNLIMITED_SUPPLY = -1.0
OUTSIDE, SEEKERS = 0, 1
MOVE, PROMOTION, ROLE_CHANGE = 0, 1, 2


class Clock(NamedTuple):
    """Time: months are numbered from the start of the scenario."""

    n_periods: int  # periods recorded: months, or years with the `year` step
    months_per_period: int  # 1 or 12
    substeps: int  # steps per period: 1, 2, 4 or 8
    dt: float  # length of a step, years
    tag_month: int  # calendar month on whose first day people are tagged; -1 without levels


class Model(NamedTuple):
    """Everything constant in a run. D draws, P posts, R rows, G groups, C contracts, A ages, T periods."""

    # hazards of people in post: K risks = leaving (n_leave), retirement (0 or 1), switches
    hazard: Floats  # (years or 1, steps per year, rows of hazards, A): at mid-step, central, per year
    risk_row: Ints  # (K, P, G, C): row of `hazard`
    risk_scale: Floats  # (D, K, P, G, C): times the row
    risk_over_time: Floats  # (D, K, T)
    n_leave: int
    n_retire: int
    leave_pool: Ints  # (n_leave,): pool entered, or -1
    switch_from: Ints  # (n_switch,): contract left
    switch_to: Ints  # (n_switch,): contract entered
    employer_change: Floats  # (D, P, G, C): hazard per year
    employer_over_time: Floats  # (D, T)
    first_year_ratio: Floats  # (D, P)
    first_year_share: Floats  # (D, P): opening value, the reference
    # rows
    home: Ints  # (R,): post of a row
    row_track: Ints  # (R,): track of a batch of trainees, -1 for other rows
    # FTE, establishment, cover
    fte_per_head: Floats  # (D, P, G, C)
    hours_drift: Floats  # (D, P, G, C): change per year
    has_drift: bool
    establishment: Floats  # (D, P): opening FTE; infinite without limit
    policy: Ints  # (P,): row of `policy_factor`
    policy_factor: Floats  # (D, n_policies, T + 1)
    cover_share: Floats  # (D, P)
    cover_cap: Floats  # (D, P): share of establishment
    # edges: moves, promotions, role changes
    edge_from: Ints  # (E,): row
    edge_to: Ints  # (E,): post
    edge_kind: Ints  # (E,): MOVE, PROMOTION or ROLE_CHANGE
    edge_first: Ints  # (E,): first eligible age index
    edge_end: Ints  # (E,): end of the eligible age indexes
    edge_rate: Floats  # (D, E): per year
    edge_over_time: Floats  # (D, 3, T): by kind
    # pools
    return_row: Ints  # (n_pools, P, G)
    return_scale: Floats  # (D, n_pools, P, G)
    lapse_row: Ints
    lapse_scale: Floats
    pool_limited: NDArray[np.bool_]  # (n_pools,)
    return_contracts: Floats  # (D, n_pools, P, G, C): shares
    # hiring
    source_kind: Ints  # (n_sources,): OUTSIDE or SEEKERS
    source_pipelines: NDArray[np.bool_]  # (n_sources, n_pipelines)
    supply: Floats  # (D, n_sources, P): heads per year, or UNLIMITED_SUPPLY
    supply_over_time: Floats  # (D, n_sources, T)
    source_people: Floats  # (n_sources, P, G, A): shares by group and age at last birthday
    fill_months: Floats  # (D, P): mean months to fill
    hire_months: Ints  # (P,): whole months from offer to start
    hire_contracts: Floats  # (D, P, G, C): shares
    opening_groups: Floats  # (P, G): shares
    # external pipelines
    intake: Floats  # (D, n_pipelines, years): heads per calendar year, from `intake_year`
    intake_year: int  # calendar year of intake[..., 0]
    start_year: int  # calendar year of month 0
    start_month: int  # calendar month of month 0: 0 = January
    intake_month: Floats  # (n_pipelines, 12): shares
    history: Ints  # (n_pipelines,): months run before the start
    steady: NDArray[np.bool_]  # (n_pipelines,): history repeats the intake of the start
    first_stage: Ints  # (n_pipelines + 1,)
    stage_months: Ints  # (n_stages,)
    drop_out: Floats  # (D, n_stages)
    places: Floats  # (D, n_stages); infinite without limit
    waits: Floats  # (D, n_stages)
    attempts: Ints  # (n_pipelines,): 0 without an examination
    sitting: NDArray[np.bool_]  # (n_pipelines, 12)
    eligible_month: Ints  # (n_pipelines,)
    result_lag: Ints  # (n_pipelines,)
    pass_rate: Floats  # (D, n_pipelines, 12, max attempts)
    resit: Floats  # (D, n_pipelines)
    retention: Floats  # (D, n_pipelines)
    trainee_groups: Floats  # (D, n_pipelines, G)
    trainee_ages: Floats  # (n_pipelines, G, A): shares by age at last birthday
    destinations: Floats  # (D, n_pipelines, P): shares
    gives_up: Floats  # (D, n_pipelines): per year
    # internal pipelines: one track for each (pipeline, post of origin)
    track_post: Ints  # (n_tracks,)
    track_row: Ints  # (n_tracks,): first row of its batches
    track_waiting: Ints  # (n_tracks,): row of the qualified who wait
    track_months: Ints
    track_first: Ints  # first eligible age index
    track_end: Ints
    track_intake: Floats  # (D, n_tracks): heads per year
    track_month: Floats  # (n_tracks, 12): shares
    track_over_time: Floats  # (D, n_tracks, T)
    track_drop_out: Floats  # (D, n_tracks)
    track_completes: Floats  # (D, n_tracks)
    # retention
    block: Ints  # (n_levels, P): block of a post, -1 outside the level
    level_employer: NDArray[np.bool_]  # (n_levels,)
    index_55: int  # age index of age 55


class State(NamedTuple):
    """Everything that changes in a run, one row a draw: the complete state at a month's start."""

    people: Floats  # (D, 1 + n_levels, R, G, C, A)
    tagged: Floats  # (D, n_levels, P): heads tagged on the last reference date; -1 before the first
    first_year: Floats  # (D, P, 13): slots 0 … 11 by months left, 12 = started this month
    pools: Floats  # (D, n_pools, P, G, A)
    offers: Floats  # (D, slots, P, G, A): by months to the first day
    offers_by_source: Floats  # (D, slots, P, n_sources + 1); the last: offers made before the start
    seekers: Floats  # (D, n_pipelines, G, A)
    stages: Floats  # (D, n_stages, longest, G): by completed months
    unplaced: Floats  # (D, n_stages, G): waiting for a place
    passed: Floats  # (D, n_pipelines, longest wait + 1, G): by months to registration
    failed: Floats  # (D, n_pipelines, max attempts + 1, longest wait + 1, G): next attempt, months left
    queue: Floats  # (D, n_pipelines, max attempts + 1, G): waiting to sit attempt k + 1
    arriving: Floats  # (D, n_stages, G): entering a stage within this month; zero at month starts


class Record(NamedTuple):
    """What a run leaves behind; names, units and axes as in `pharmsim.quantities`."""

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
    seekers: Floats
    trainees: Floats
    awaiting: Floats
    resitting: Floats
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
    entrants: Floats
    intake: Floats
    unplaced: Floats
    stage_losses: Floats
    sat: Floats
    passed: Floats
    failed_out: Floats
    registered: Floats
    left_area: Floats
    gave_up: Floats
    tagged: Floats
    kept: Floats
    registered_before: Floats
    conservation_error: Floats


HISTORY_MONTHS = 60
"""Months before the start whose newly qualified are recorded."""


def tag_dates(clock: Clock, start_month: int) -> list[int]:
    """Months on whose first day people are tagged, the end of the last period included."""
    if clock.tag_month < 0:
        return []
    months = range(0, clock.n_periods * clock.months_per_period + 1, clock.months_per_period)
    return [month for month in months if (start_month + month) % 12 == clock.tag_month]
