"""Allocate, run the kernel on all cores, check conservation."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pharmsim.compiled.arrays import (
    HISTORY_MONTHS,
    Clock,
    Floats,
    PostFlows,
    PostStocks,
    TrainingFlows,
    TrainingStocks,
    tag_dates,
)
from pharmsim.compiled.compile import Compiled
from pharmsim.compiled.model import Model, Record, State
from pharmsim.compiled.streams import Keys, streams
from pharmsim.compiled.system_arrays import SystemStocks
from pharmsim.compiled.whole import whole_opening
from pharmsim.engine.padding import narrow_state, wide_model, wide_state
from pharmsim.errors import ConservationError, InputError, RunError
from pharmsim.quantities import OUTPUTS

TOLERANCE = 1e-9
"""Largest change of all people that rounding may explain, relative to all people."""


@dataclass(frozen=True)
class Output:
    """What an engine returns.

    Attributes
    ----------
    record : dict of str to float64 array, shape (draws, …)
        By the names of `pharmsim.quantities.OUTPUTS`.
    state : State
        At the end.
    period : int
        Period at whose start the state stands.
    seconds, compile_seconds : float
        Wall time of the run, and of compiling the kernel (0 when it was on disk).
    logs : dict of str to pyarrow.Table
        Event by event, of engines that follow single people.
    """

    record: dict[str, Floats]
    state: State
    period: int
    seconds: float
    compile_seconds: float
    logs: dict[str, Any] = field(default_factory=dict)


def blank(m: Model, clock: Clock, n: int, n_ages: int) -> Record:
    """Zeros for everything that a run records.

    Parameters
    ----------
    m : Model
    clock : Clock
    n : int
        Draws.
    n_ages : int
        Number of ages.
    """
    posts, v, system = m.posts, m.conveyors, m.system
    n_posts, n_groups, n_contracts = posts.funding.fte_per_head.shape[1:]
    n_pipelines, n_attempts = v.history.size, v.pass_rate.shape[3]
    lengths = {
        "time": clock.n_periods + 1,
        "period": clock.n_periods,
        "year": clock.n_periods * clock.months_per_period // 12 + 1,
        "history": HISTORY_MONTHS,
        "retention_year": max(len(tag_dates(clock, v.start_month)) - 1, 0),
        "post": n_posts,
        "group": n_groups,
        "contract": n_contracts,
        "age": n_ages,
        "source": posts.hiring.kind.size + 1,
        "destination": posts.risks.leave_pool.size,
        "pool": posts.pools.return_row.shape[0],
        "edge": posts.edges.origin.size,
        "switch": posts.risks.n_switches,
        "stage": v.stage_months.size,
        "pipeline": n_pipelines,
        "attempt": n_attempts,
        "level": posts.levels.n_levels,
        "block": posts.levels.n_blocks,
        "use": system.work.absence.shape[1] + 3 + system.work.plan.shape[2],
        "service": system.work.split.shape[1],
        "feedback": system.feedbacks.low.size,
        "budget": system.money.caps.size,
    }

    def zeros(names: tuple[str, ...]) -> list[Floats]:
        return [np.zeros((n, *(lengths[dim] for dim in OUTPUTS[name].dims))) for name in names]

    return Record(
        PostStocks(*zeros(PostStocks._fields)),
        PostFlows(*zeros(PostFlows._fields)),
        TrainingStocks(*zeros(TrainingStocks._fields)),
        TrainingFlows(*zeros(TrainingFlows._fields)),
        SystemStocks(*zeros(SystemStocks._fields)),
        *zeros(("tagged", "kept", "tagged_in", "kept_in", "registered_before", "conservation_error")),
    )


def run(
    compiled: Compiled,
    state: State | None = None,
    first: int = 0,
    last: int | None = None,
    threads: int | None = None,
    keys: Keys | None = None,
) -> Output:
    """Run every draw from period `first` to the start of period `last`.

    Parameters
    ----------
    compiled : Compiled
    state : State, optional
        To continue from; the opening state otherwise.
    first, last : int
        Periods; by default all.
    threads : int, optional
        Among which the draws are shared out; by default one for each core.
    keys : uint64 array, shape (draws,), optional
        Of the random numbers of every row: people are whole and move by chance (engine `chain`).
        Without them their expectation moves (engine `cohort`).

    Returns
    -------
    Output

    Raises
    ------
    ConservationError
        If people were lost or created.
    RunError
        If a number is not finite.
    """
    from pharmsim.engine import cohort, jit
    from pharmsim.engine.chance import chance
    from pharmsim.engine.people import scratch
    from pharmsim.engine.pipelines import no_flows
    from pharmsim.engine.work import around

    m, clock, n = compiled.model, compiled.clock, compiled.draws.n
    last = clock.n_periods if last is None else last
    n_groups, n_ages = compiled.opening.posts.people.shape[3], compiled.opening.posts.people.shape[5]
    names = None if keys is None else streams(compiled.scenario, m.posts)
    if state is None:
        state = compiled.opening
        if keys is not None and names is not None:
            state = whole_opening(state, m.posts.tracks.home, keys, names)
    s = wide_state(state)
    record, m = blank(m, clock, n, n_ages), wide_model(m)

    def work(draws: tuple[int, int]) -> None:
        registrations = np.zeros((m.conveyors.history.size, n_groups))
        w, a, thrown = scratch(m.posts, s.posts.people.shape[5]), around(m), no_flows(m.conveyors)
        ends = (first, last, draws)
        luck = (
            None if keys is None or names is None else chance(keys, names, m.posts, s.posts.people.shape[5])
        )
        cohort.run(*m, clock, *ends, *s, w, a, record, thrown, registrations, luck)

    jit.forget_old()
    began = time.perf_counter()
    work((0, 0))
    compile_seconds = time.perf_counter() - began
    began = time.perf_counter()
    n_threads = min(threads or os.cpu_count() or 1, n)
    ends = np.linspace(0, n, n_threads + 1).astype(int)
    with ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(work, zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)))
    seconds = time.perf_counter() - began
    check(record, first, last, compiled.draws.first)
    funded(record, [post.post for post in compiled.scenario.posts], compiled.draws.first)
    arrays = record.arrays()
    if keys is None:
        del arrays["unfillable_fte"]
    return Output(arrays, narrow_state(s, n_ages), last, seconds, compile_seconds)


def funded(record: Record, posts: list[str], row: int = 0) -> None:
    """Refuse an establishment below 0, which only a run shows where it follows need."""
    by_draw = np.nan_to_num(record.posts.establishment_fte).min(axis=1)
    for draw, post in np.argwhere(by_draw < -TOLERANCE)[:1]:
        raise InputError(
            f"establishment: transfers and joint posts take more than there is from {posts[post]}: its "
            f"establishment falls to {by_draw[draw, post]:.1f} FTE in some month of draw {row + draw}. "
            "Move less, or from more posts."
        )


def check(record: Record, first: int, last: int, row: int = 0) -> None:
    """Refuse results in which people were lost or created, or a number is not finite.

    The draw that is named is the first of the whole table, of which this record begins at `row`.
    """
    people = record.posts.headcount[:, first:last].sum(axis=(2, 3, 4)) + 1.0
    _finite(people, "numbers of people", row)
    system = record.system
    for array in (system.required_fte, system.delivered_fte, system.multiplier, system.pay_bill):
        _finite(array, "need, delivery or money", row)
    error = np.abs(record.conservation_error[:, first:last])
    trainees = record.training.trainees[:, first:last].sum(axis=2)
    wrong = error / (people + trainees)
    for draw, period in np.argwhere(wrong > TOLERANCE)[:1]:
        raise ConservationError(
            f"headcount is not conserved: period {first + period} of draw {row + draw} is out by "
            f"{error[draw, period]:.3g} people. This is a fault of pharmsim, not of the scenario."
        )


def _finite(array: Floats, what: str, row: int) -> None:
    for draw in np.argwhere(~np.isfinite(array))[:1, 0]:
        raise RunError(
            f"{what} of draw {row + draw} are not finite; please report it with the scenario and the seed"
        )
