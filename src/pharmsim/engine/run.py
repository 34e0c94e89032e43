"""Allocate, run the kernel on all cores, check conservation."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from pharmsim.compiled.arrays import HISTORY_MONTHS, Clock, Floats, Model, Record, State, tag_dates
from pharmsim.compiled.compile import Compiled
from pharmsim.errors import ConservationError, RunError

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
    """

    record: dict[str, Floats]
    state: State
    period: int
    seconds: float
    compile_seconds: float


def blank(m: Model, clock: Clock, n: int, first_age_count: int) -> Record:
    """Zeros for everything that a run records.

    Parameters
    ----------
    m : Model
    clock : Clock
    n : int
        Draws.
    first_age_count : int
        Number of ages.
    """
    n_posts, n_groups, n_contracts = m.fte_per_head.shape[1:]
    n_sources, n_pools, n_edges = m.source_kind.size, m.return_row.shape[0], m.edge_from.size
    n_stages, n_pipelines, n_levels = m.stage_months.size, m.history.size, m.block.shape[0]
    n_attempts, n_switches = m.pass_rate.shape[3], m.switch_from.size
    periods, times = clock.n_periods, clock.n_periods + 1
    years = clock.n_periods * clock.months_per_period // 12 + 1
    pipeline, post, stage = (n_pipelines,), (n_posts,), (n_stages,)
    exam, by_source, by_pool = (n_pipelines, n_attempts), (n_posts, n_sources + 1), (n_pools, n_posts)
    stocks = {
        "headcount": (n_posts, n_groups, n_contracts),
        "in_pool": by_pool,
        "seekers": pipeline,
        "trainees": stage,
        "awaiting": pipeline,
        "resitting": pipeline,
    }
    simple = "headcount_55plus fte establishment_fte vacancy_fte cover_fte offers first_year apprentices"
    stocks |= dict.fromkeys(simple.split(), post)
    flows: dict[str, tuple[int, ...]] = {
        "joiners": by_source,
        "offers_made": by_source,
        "leavers": (n_posts, m.n_leave),
        "moves": (n_edges,),
        "moves_blocked": (n_edges,),
        "switches": (n_posts, n_switches),
        "returns": by_pool,
        "pool_losses": by_pool,
        "sat": exam,
        "passed": exam,
        "conservation_error": (),
    }
    flows |= dict.fromkeys("retirements employer_changes training_starts training_ends".split(), post)
    flows |= dict.fromkeys("intake unplaced stage_losses".split(), stage)
    flows |= dict.fromkeys("entrants failed_out registered left_area gave_up".split(), pipeline)
    retention = (max(len(tag_dates(clock, m.start_month)) - 1, 0), n_levels, n_posts)
    other = {
        "headcount_by_age": (years, n_posts, first_age_count),
        "tagged": retention,
        "kept": retention,
        "registered_before": (HISTORY_MONTHS, n_pipelines),
    }
    shapes = {name: (times, *tail) for name, tail in stocks.items()}
    shapes |= {name: (periods, *tail) for name, tail in flows.items()} | other
    return Record(**{name: np.zeros((n, *shapes[name])) for name in Record._fields})


def run(compiled: Compiled, state: State | None = None, first: int = 0, last: int | None = None) -> Output:
    """Run every draw from period `first` to the start of period `last`.

    Parameters
    ----------
    compiled : Compiled
    state : State, optional
        To continue from; the opening state otherwise.
    first, last : int
        Periods; by default all.

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
    from pharmsim.engine.people import scratch
    from pharmsim.engine.pipelines import no_flows

    m, clock, n = compiled.model, compiled.clock, compiled.draws.n
    last = clock.n_periods if last is None else last
    s = State(*(array.copy() for array in (compiled.opening if state is None else state)))
    n_groups, n_ages = s.people.shape[3], s.people.shape[5]
    record = blank(m, clock, n, n_ages)

    def work(draws: tuple[int, int]) -> None:
        registrations = np.zeros((m.history.size, n_groups))
        w = scratch(m, n_groups, n_ages)
        cohort.run(m, clock, first, last, draws, s, w, record, no_flows(m), registrations)

    jit.forget_old()
    began = time.perf_counter()
    work((0, 0))
    compile_seconds = time.perf_counter() - began
    began = time.perf_counter()
    n_threads = min(os.cpu_count() or 1, n)
    ends = np.linspace(0, n, n_threads + 1).astype(int)
    with ThreadPoolExecutor(n_threads) as threads:
        list(threads.map(work, zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)))
    seconds = time.perf_counter() - began
    check(record, first, last)
    return Output(record._asdict(), s, last, seconds, compile_seconds)


def check(record: Record, first: int, last: int) -> None:
    """Refuse results in which people were lost or created, or a number is not finite."""
    people = record.headcount[:, first:last].sum(axis=(2, 3, 4)) + 1.0
    if not np.isfinite(people).all():
        raise RunError("the run gave numbers that are not finite; please report it with the scenario")
    error = np.abs(record.conservation_error[:, first:last])
    trainees = record.trainees[:, first:last].sum(axis=2)
    wrong = error / (people + trainees)
    if wrong.size and wrong.max() > TOLERANCE:
        draw, period = np.unravel_index(wrong.argmax(), wrong.shape)
        raise ConservationError(
            f"headcount is not conserved: period {first + period} of draw {draw} is out by "
            f"{error[draw, period]:.3g} people. This is a fault of pharmsim, not of the scenario."
        )
