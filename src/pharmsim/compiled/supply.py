"""Hiring, external and internal pipelines: parts of `Model`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pharmsim.compiled.arrays import (
    HISTORY_MONTHS,
    OUTSIDE,
    SEEKERS,
    UNLIMITED_SUPPLY,
    Clock,
    Conveyors,
    Floats,
    Hiring,
    Ints,
    Tracks,
)
from pharmsim.compiled.grid import EVERY_CELL, Grid
from pharmsim.compiled.people import period_months, stack
from pharmsim.scenario.expand import select_posts
from pharmsim.scenario.models import Source
from pharmsim.scenario.training import ExternalPipeline, InternalPipeline

MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def external(grid: Grid) -> dict[str, ExternalPipeline]:
    """External pipelines by name, in declared order."""
    found = grid.scenario.pipelines.items()
    return {name: pipeline for name, pipeline in found if isinstance(pipeline, ExternalPipeline)}


def internal(grid: Grid) -> dict[str, InternalPipeline]:
    """Internal pipelines by name, in declared order."""
    found = grid.scenario.pipelines.items()
    return {name: pipeline for name, pipeline in found if isinstance(pipeline, InternalPipeline)}


def hiring(grid: Grid, clock: Clock, opening: Floats, opening_contracts: Floats) -> Hiring:
    """Sources, their supply and people; time to fill and to hire; contracts of hires.

    Parameters
    ----------
    grid : Grid
    clock : Clock
    opening : float64 array, shape (P, G, A)
        People in post at the start (central): the mix of outside hires where none is stated.
    opening_contracts : float64 array, shape (D, P, G, C)
    """
    h = grid.scenario.hiring
    sources = h.sources if h else ()
    names, found = list(external(grid)), list(external(grid).values())
    taken = np.zeros((len(sources), len(names)), dtype=np.bool_)
    for j, source in enumerate(sources):
        for q, name in enumerate(names):
            taken[j, q] = bool({name, "all"} & set(source.pipelines or ()))
    n, post = grid.draws.n, grid.shape(("post",))
    months = period_months(clock)
    contracts = h.contracts if h else None
    stays = grid.central.cells(h.time_to_hire if h else None, ("post",))[0]
    heads = opening.sum(axis=2)
    return Hiring(
        kind=np.array([SEEKERS if s.pipelines else OUTSIDE for s in sources], dtype=np.int64),
        pipelines=taken,
        supply=stack([supply(grid, source) for source in sources], (n, 0, *post)),
        over_time=stack([grid.over_time(s.over_time, months) for s in sources], (n, 0, len(months))),
        people=np.array([people(grid, source, opening) for source in sources]).reshape(
            -1, *grid.shape(("post", "group", "age"))
        ),
        fill_months=grid.cells(h.time_to_fill if h else None, ("post",)),
        hire_months=np.rint(stays).astype(np.int64),
        contracts=opening_contracts if contracts is None else grid.shares(contracts, EVERY_CELL, "contract"),
        opening_groups=shares(heads, axis=1),
        destinations=stack([destinations(grid, p) for p in found], (n, 0, *post)),
        gives_up=stack([grid.draws.values(p.gives_up) for p in found], (n, 0)),
    )


def supply(grid: Grid, source: Source) -> Floats:
    """Heads per year from an outside source, shape (D, P)."""
    if source.supply is None:
        return np.zeros((grid.draws.n, len(grid.scenario.posts)))
    if isinstance(source.supply, str):
        own = [0.0 if post.made_by else UNLIMITED_SUPPLY for post in grid.scenario.posts]  # filled by moves
        return np.tile(own, (grid.draws.n, 1))
    return grid.cells(source.supply, ("post",))


def people(grid: Grid, source: Source, opening: Floats) -> Floats:
    """Shares of an outside source by group and age at last birthday, shape (P, G, A)."""
    groups = shares(opening.sum(axis=2), axis=1)
    if source.groups is not None:
        groups = grid.central.shares(source.groups, ("post", "group"), "group")[0]
    ages = shares(opening, axis=2)
    if source.ages is not None:
        ages = grid.ages(source.ages)
    return np.asarray(groups[:, :, None] * ages)


def shares(x: Floats, axis: int) -> Floats:
    """Divide by the sum along an axis; equal shares where the sum is 0."""
    sums = x.sum(axis=axis, keepdims=True)
    return np.where(sums > 0.0, x / np.where(sums > 0.0, sums, 1.0), 1.0 / x.shape[axis])


def conveyors(grid: Grid, clock: Clock, opening_groups: Floats) -> Conveyors:
    """External pipelines: intake, stages, examinations, destinations.

    Parameters
    ----------
    grid : Grid
    clock : Clock
    opening_groups : float64 array, shape (P, G)
        Shares of groups in post at the start: those of trainees, by destination, where none are stated.
    """
    found = list(external(grid).values())
    n = grid.draws.n
    stages = [stage for pipeline in found for stage in pipeline.stages]
    attempts = [len(pipeline.exam.pass_rates) if pipeline.exam else 0 for pipeline in found]
    history = [history_months(pipeline) for pipeline in found]
    start_year, start_month = divmod(grid.start, 12)
    first_year = (grid.start - max(history, default=0)) // 12
    last_year = (grid.start + clock.n_periods * clock.months_per_period) // 12
    draw = grid.draws.values
    exams = [pipeline.exam for pipeline in found]
    ages = [grid.ages(pipeline.ages)[0] for pipeline in found]
    groups = [
        (destinations(grid, pipeline)[:, :, None] * opening_groups).sum(axis=1)  # not `@`: same bits alone
        if pipeline.groups is None
        else grid.shares(pipeline.groups, ("group",), "group")
        for pipeline in found
    ]
    return Conveyors(
        intake=stack([grid.by_year(p.intake.per_year, first_year, last_year) for p in found], (n, 0, 1)),
        intake_year=first_year,
        start_year=start_year,
        start_month=start_month,
        intake_month=np.array([month_shares(p.intake.months) for p in found]).reshape(-1, 12),
        history=np.array(history, dtype=np.int64),
        steady=np.array([pipeline.opening.rule == "steady" for pipeline in found], dtype=np.bool_),
        first_stage=np.cumsum([0, *(len(pipeline.stages) for pipeline in found)]).astype(np.int64),
        stage_months=np.array([stage.months for stage in stages], dtype=np.int64),
        drop_out=stack([draw(stage.drop_out) for stage in stages], (n, 0)),
        places=stack([np.full(n, np.inf) if s.places is None else draw(s.places) for s in stages], (n, 0)),
        waits=stack([draw(stage.waits) for stage in stages], (n, 0)),
        attempts=np.array(attempts, dtype=np.int64),
        sitting=np.array(
            [[name in (exam.sittings if exam else ()) for name in MONTHS] for exam in exams], dtype=np.bool_
        ).reshape(-1, 12),
        eligible_month=np.array([exam.eligible_month if exam else 1 for exam in exams], dtype=np.int64),
        result_lag=np.array([exam.result_lag if exam else 0 for exam in exams], dtype=np.int64),
        pass_rate=pass_rates(grid, found, max(attempts, default=0)),
        resit=stack([draw(exam.resit) if exam else np.ones(n) for exam in exams], (n, 0)),
        retention=stack([draw(pipeline.retention) for pipeline in found], (n, 0)),
        groups=stack(groups, (n, 0, *grid.shape(("group",)))),
        ages=np.array(ages).reshape(-1, *grid.shape(("group", "age"))),
    )


def destinations(grid: Grid, pipeline: ExternalPipeline) -> Floats:
    """Shares of the newly qualified by post they apply to, shape (D, P)."""
    return grid.shares(pipeline.destinations, ("post",), "post")


def month_shares(months: dict[str, float]) -> list[float]:
    """Shares by calendar month."""
    return [months.get(name, 0.0) for name in MONTHS]


def history_months(pipeline: ExternalPipeline) -> int:
    """Months run before the start: until the pipeline is full, and those that are recorded."""
    attempts = len(pipeline.exam.pass_rates) if pipeline.exam else 0
    return HISTORY_MONTHS + sum(stage.months for stage in pipeline.stages) + 12 * attempts + 12


def pass_rates(grid: Grid, found: list[ExternalPipeline], attempts: int) -> Floats:
    """Pass rate by calendar month of the sitting and attempt, shape (D, pipelines, 12, attempts)."""
    out = np.zeros((grid.draws.n, len(found), 12, max(attempts, 1)))
    for q, pipeline in enumerate(found):
        if pipeline.exam is None:
            continue
        for month, name in enumerate(MONTHS):
            rates = pipeline.exam.by_sitting.get(name, pipeline.exam.pass_rates)
            for k, rate in enumerate(rates):
                out[:, q, month, k] = grid.draws.values(rate)
    return out


@dataclass(frozen=True)
class Track:
    """People of one post in one internal pipeline: their rows and yearly intake."""

    name: str
    pipeline: InternalPipeline
    post: str
    first_row: int
    batches: int
    intake: Floats

    @property
    def waiting(self) -> int:
        """Row of the qualified who wait for a post."""
        return self.first_row + self.batches


def tracks(grid: Grid) -> list[Track]:
    """One track for each internal pipeline and post of origin: those with an intake, or with a route."""
    out: list[Track] = []
    row = len(grid.scenario.posts)
    for name, pipeline in internal(grid).items():
        batches = len(pipeline.intake_months) * -(-pipeline.months // 12)
        intake = grid.cells(pipeline.intake, ("post",))
        origins = {route.from_ for route in pipeline.routes}
        for p, post in enumerate(grid.scenario.posts):
            if intake[:, p].max() > 0.0 or post.post in origins:
                out.append(Track(name, pipeline, post.post, row, batches, intake[:, p]))
                row += batches + 1
    return out


def apprenticeships(grid: Grid, clock: Clock, found: list[Track]) -> Tracks:
    """Internal pipelines: one entry a track; the posts of all rows."""
    n = grid.draws.n
    n_posts = len(grid.scenario.posts)
    home, row_track = list(range(n_posts)), [-1] * n_posts
    for k, track in enumerate(found):
        home += [grid.posts[track.post]] * (track.batches + 1)
        row_track += [k] * track.batches + [-1]
    windows = [grid.window(track.pipeline.ages) for track in found]
    months = period_months(clock)
    draw = grid.draws.values

    def index(values: list[int]) -> Ints:
        return np.array(values, dtype=np.int64)

    names = list(internal(grid))
    unlimited = np.full(n, np.inf)
    per_fte = [track.pipeline.trainees_per_fte for track in found]
    supervisors = np.zeros((len(found), n_posts), dtype=np.bool_)
    for k, track in enumerate(found):
        if track.pipeline.supervisors is not None:
            supervisors[k, select_posts(grid.scenario, track.pipeline.supervisors)] = True
    over_time = [grid.over_time(track.pipeline.over_time, months) for track in found]
    return Tracks(
        home=index(home),
        of_row=index(row_track),
        post=index([grid.posts[track.post] for track in found]),
        row=index([track.first_row for track in found]),
        waiting=index([track.waiting for track in found]),
        months=index([track.pipeline.months for track in found]),
        first=index([window[0] for window in windows]),
        end=index([window[1] for window in windows]),
        start_month=grid.start % 12,
        intake=stack([track.intake for track in found], (n, 0)),
        intake_month=np.array([month_shares(t.pipeline.intake_months) for t in found]).reshape(-1, 12),
        over_time=stack(over_time, (n, 0, len(months))),
        drop_out=stack([draw(track.pipeline.drop_out) for track in found], (n, 0)),
        completes=stack([draw(track.pipeline.completes) for track in found], (n, 0)),
        pipeline=index([names.index(track.name) for track in found]),
        per_fte=stack([unlimited if x is None else draw(x) for x in per_fte], (n, 0)),
        supervisors=np.array(supervisors, dtype=np.bool_).reshape(-1, n_posts),
    )
