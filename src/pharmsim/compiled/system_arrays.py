"""The arrays of the system around the people: working time, need, duties, money, feedbacks.

Axes and letters as in `pharmsim.compiled.arrays`; S services, J parts of the job plan, U uses of time.
Numbers over time stand on T + 1 month starts.
"""

from __future__ import annotations

from typing import NamedTuple

from pharmsim.compiled.arrays import Bools, Floats, Ints

TRAINEES, FIRST_YEAR, STAFF = 0, 1, 2
"""Who is supervised by a duty."""
ON_LEAVING, ON_HOURS, ON_SUPPLY, BY_OPENINGS, BY_PRESSURE, BY_PAY, ON_SETTLING, BY_HOURS = range(8)
"""Rows of `Feedbacks.elasticity`."""
NEWCOMERS, PRESSURE, VACANCY, OPENINGS, PUSH, PAY, PARTICIPATION = range(7)
"""Rows of what is perceived, by post."""
BURNOUT, SHORTER_HOURS, RECRUITMENT, ATTRACTIVENESS, INEXPERIENCE, FLEXIBILITY = range(6)
"""Rows of multipliers, as in `pharmsim.scenario.services.FEEDBACKS`."""
WORST_PRESSURE = 10.0
SMALLEST_VACANCY = 0.01
"""Vacancy rates are perceived as at least this, so that a full post has something to compare with."""


class Work(NamedTuple):
    """Working time: absence, job plans, joint posts."""

    absence: Floats  # (D, absences, P): shares of FTE
    plan: Floats  # (D, P, J): shares of the time at work
    service: Bools  # (J,): part is time on the service
    supervising: Bools  # (J,): part is time planned for supervising
    can_supervise: bool  # whether some part is
    shift: Floats  # (D, shifts): share of the time at work moved
    shift_from: Ints  # (shifts,)
    shift_to: Ints  # (shifts,)
    shift_posts: Bools  # (shifts, P)
    shift_progress: Floats  # (shifts, T + 1): 0 to 1
    output: Floats  # (D, P): what first-year staff get done
    introducing: Floats  # (D, P): share of the time at work that introducing new ways of working takes
    backfill: Floats  # (P,): months of an FTE for everybody who enters
    productivity: Floats  # (D, n_tracks): of trainees in their post
    split: Floats  # (P, S): share of working time by service
    effectiveness: Floats  # (D,): of temporary cover


class Need(NamedTuple):
    """Required time on the service, and what is delegated from one service to another."""

    opening_ratio: Floats  # (D, P); not a number where FTE are given
    fte: Floats  # (D, P)
    follows: Floats  # (D, activities, P): share of the work that follows an index
    activity: Floats  # (D, activities, T + 1): index relative to the start
    productivity: Floats  # (D, P): per year
    factor: Floats  # (D, P): of the gross need
    giver: Ints  # (pairs,): service
    taker: Ints  # (pairs,)
    share: Floats  # (D, pairs, T + 1)
    limit: Floats  # (D, pairs)
    supervision: Floats  # (D, pairs)
    exchange: Floats  # (D, pairs)


class Duties(NamedTuple):
    """Supervision: a duty in one block of posts, and its entries of supervisors."""

    kind: Ints  # (duties,): TRAINEES, FIRST_YEAR or STAFF
    number: Ints  # (duties,): of the scenario
    time: Floats  # (D, duties): FTE a head, or an FTE
    stages: Bools  # (duties, n_stages)
    tracks: Bools  # (duties, n_tracks)
    posts: Bools  # (duties, P): supervised
    entry_duty: Ints  # (entries,)
    entry_posts: Bools  # (entries, P): supervisors
    entry_share: Floats  # (D, entries, T + 1)
    supervises: Bools  # (P,): named as a supervisor in some duty


class Money(NamedTuple):
    """Cost of an FTE, budgets, transfers of establishment, establishment that follows need."""

    cost: Floats  # (D, P): GBP a year, at the start
    pay_row: Ints  # (P,): row of `pay_index`
    pay_index: Floats  # (D, rows, T + 1)
    premium: Floats  # (D, P): of cover
    inside: Bools  # (budgets, P): posts of a budget
    budget: Floats  # (D, budgets, T + 1): GBP a year
    caps: Bools  # (budgets,)
    transfer: Floats  # (D, transfers, P): FTE at the end, negative where taken
    transfer_progress: Floats  # (transfers, T + 1)
    transfer_new: Bools  # (transfers,): new money
    follow: Floats  # (D, P): share of the change of need
    follow_pace: Floats  # (D, P): share of a change perceived in a period


class Feedbacks(NamedTuple):
    """Elasticities, delays, references and bounds; what each feedback acts on."""

    elasticity: Floats  # (D, 8, P): 0 where a feedback does not act
    pace: Floats  # (D, 7): share of a change perceived in a period
    reference: Floats  # (D, 7, P): not a number for the opening value
    low: Floats  # (6,)
    high: Floats  # (6,)
    tired: Bools  # (K,): risks that pressure acts on (leaving)
    shorter: Bools  # (K,): risks that pressure acts on (hours)
    flexible: Bools  # (K,): risks that FTE per head acts on
    sources: Bools  # (n_sources,): supply that vacancies act on
    supervisors: Bools  # (n_stages, P)
    per_fte: Floats  # (D, n_stages): trainees for an FTE; infinite if places are not by staff
    place_elasticity: Floats  # (D, n_stages)
    place_pace: Floats  # (D,)
    place_reference: Floats  # (D, n_stages); not a number for the opening value
    place_low: float
    place_high: float


class System(NamedTuple):
    """Everything constant about the system around the people."""

    work: Work
    need: Need
    duties: Duties
    money: Money
    feedbacks: Feedbacks


class SystemState(NamedTuple):
    """What the system remembers from month to month."""

    perceived: Floats  # (D, 7, P)
    reference: Floats  # (D, 7, P)
    staff: Floats  # (D, n_stages): perceived supervising FTE
    staff_reference: Floats  # (D, n_stages)
    base: Floats  # (D, P): need of a post at the start, FTE
    before_delegation: Floats  # (D, S): factor of need, so that it is met after the delegation of the start
    opening_need: Floats  # (D, S): required at the start, FTE
    followed: Floats  # (D, P): perceived change of need
    backlog: Floats  # (D, P): months of FTE to stand in for people new in joint posts


class SystemStocks(NamedTuple):
    """Records of the system; names, units and axes as in `pharmsim.quantities`."""

    time_fte: Floats
    delivered_fte: Floats
    unmet_supervision_fte: Floats
    backfill_fte: Floats
    required_fte: Floats
    service_fte: Floats
    delegated_fte: Floats
    pressure: Floats
    places: Floats
    multiplier: Floats
    move_multiplier: Floats
    place_multiplier: Floats
    pay_bill: Floats
    cover_cost: Floats
    backfill_cost: Floats
    budget_money: Floats
