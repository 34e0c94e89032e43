"""Working time, need and supervision: parts of `System`."""

from __future__ import annotations

import numpy as np

from pharmsim.compiled.arrays import Bools, Clock, Floats, Ints, Tracks
from pharmsim.compiled.grid import Grid, month_number
from pharmsim.compiled.people import stack
from pharmsim.compiled.strength import (
    Change,
    affine,
    chosen,
    claimed_share,
    in_order,
    of_quantity,
    reached,
    shape,
    strength,
    teams,
)
from pharmsim.compiled.supply import external
from pharmsim.compiled.system_arrays import FIRST_YEAR, STAFF, TRAINEES, Duties, Need, Work
from pharmsim.errors import InputError
from pharmsim.quantities import KINDS
from pharmsim.scenario.expand import post_table, select_posts
from pharmsim.scenario.interventions import Intervention, PlanChange
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.services import Service, services, split_matrix
from pharmsim.scenario.system import Delegation, Duty, Shift
from pharmsim.scenario.values import Cells

WEEKS_PER_YEAR = 52.0


def mask(scenario: Scenario, where: dict[str, tuple[str, ...]] | None) -> Bools:
    """Whether each post is selected, shape (P,); none for None."""
    out = np.zeros(len(scenario.posts), dtype=np.bool_)
    if where is not None:
        out[select_posts(scenario, where)] = True
    return out


def all_months(clock: Clock) -> Ints:
    """First month of every period, and the end, shape (T + 1,)."""
    return np.arange(clock.n_periods + 1) * clock.months_per_period


def progress(grid: Grid, start: str, end: str, months: Ints) -> Floats:
    """0 up to the month `start`, 1 from `end`, a straight line between, shape (months,)."""
    first, last = (month_number(month) - grid.start for month in (start, end))
    if first == last:
        return np.asarray((months >= first).astype(float))
    return np.clip((months - first) / (last - first), 0.0, 1.0)


def work(grid: Grid, clock: Clock, found: list[Floats], effectiveness: Floats) -> Work:
    """Absence, job plans and their shifts (those of interventions last), joint posts.

    Parameters
    ----------
    grid : Grid
    clock : Clock
    found : list of float64 array, each of shape (D,)
        Productivity of each track of apprentices.
    effectiveness : float64 array, shape (D,)
        Of temporary cover.

    Raises
    ------
    InputError
        If absences leave no time at work in some draw.
    """
    s = grid.scenario
    n, n_posts, time = grid.draws.n, len(s.posts), s.working_time
    absences = list(time.absence.values()) if time else []
    plan = list(time.job_plan.values()) if time else []
    shifts: list[Shift | PlanChange] = list(time.shifts) if time else []
    names = list(time.job_plan) if time else []
    absence = stack([grid.cells(cells, ("post",)) for cells in absences], (n, 0, n_posts))
    if absence.sum(axis=1).max(initial=0.0) >= 1.0:
        raise InputError("working_time.absence: absences must leave some time at work in every draw.")
    shares = np.ones((n, n_posts, 1))
    if plan:
        shares = np.stack([grid.cells(part.share, ("post",)) for part in plan], axis=2)
        sums = shares.sum(axis=2, keepdims=True)
        shares = shares / np.where(sums > 0.0, sums, 1.0)  # ranges move single parts
    months = all_months(clock)
    steps = [progress(grid, x.start, x.end, months) for x in (time.shifts if time else ())]
    moved = [grid.draws.values(shift.share) for shift in shifts]
    posts = [mask(s, shift.where) for shift in shifts]
    for item, change, share in plan_changes(grid):
        shifts.append(change)
        moved.append(share)
        posts.append(reached(s, item) & chosen(s, change.where))
        steps.append(shape(grid, item, months))
    return Work(
        absence=absence,
        plan=np.ascontiguousarray(shares),
        service=np.array([part.service for part in plan] or [True], dtype=np.bool_),
        supervising=np.array([part.supervising for part in plan] or [False], dtype=np.bool_),
        can_supervise=any(part.supervising for part in plan),
        shift=stack(moved, (n, 0)),
        shift_from=np.array([names.index(shift.from_) for shift in shifts], dtype=np.int64),
        shift_to=np.array([names.index(shift.to) for shift in shifts], dtype=np.int64),
        shift_posts=np.array(posts, dtype=np.bool_).reshape(-1, n_posts),
        shift_progress=np.array(steps).reshape(-1, len(months)),
        output=grid.cells(time.first_year_output if time else None, ("post",), 1.0),
        introducing=np.zeros((n, n_posts)),
        backfill=np.array([post.backfill_weeks * 12.0 / WEEKS_PER_YEAR for post in s.posts]),
        productivity=stack([np.broadcast_to(x, (n,)) for x in found], (n, 0)),
        split=split_matrix(s),
        effectiveness=effectiveness,
    )


def plan_changes(grid: Grid) -> list[tuple[Intervention, PlanChange, Floats]]:
    """Time that interventions move between parts of job plans: share by draw, shape (D,), never 0."""
    found = []
    for item in in_order(grid.scenario):
        for change in sorted(item.job_plan, key=lambda change: change.name):
            share = grid.draws.values(item.uptake) * claimed_share(grid, item, change.share, change.claimed)
            if share.any():
                found.append((item, change, share))
    return found


def need(grid: Grid, clock: Clock, found: list[Change]) -> Need:
    """Required time at the opening, the activities that it follows, delegation.

    Parameters
    ----------
    grid : Grid
    clock : Clock
    found : list of Change
        Those of the quantity `delegation` are used.

    Raises
    ------
    InputError
        If an index of activity is 0 at the start in some draw.
    """
    s = grid.scenario
    n, n_posts, months, node = grid.draws.n, len(s.posts), all_months(clock), s.need
    activities = list(node.activity.items()) if node else []
    index = [relative(grid, name, activity.index, months) for name, activity in activities]
    pairs = [(rule, pair) for rule in (node.delegation if node else ()) for pair in pairs_of(s, rule)]
    draw = grid.draws.values
    fte: Cells | None = node.fte if node else None
    ratio = grid.cells(node.opening_ratio if node else None, ("post",))
    if fte is not None:
        ratio = np.full((n, n_posts), np.nan)
    share = [
        delegated(rule, draw(rule.share), of_quantity(found, "delegation", rule.name), len(months))
        * grid.over_time(rule.over_time, months)
        for rule, _ in pairs
    ]
    follows = [grid.cells(activity.share, ("post",)) for _, activity in activities]
    at_most_all("need.activity: shares of the activities", follows)
    for giver in {pair[0] for _, pair in pairs}:
        given = [x for x, (_, pair) in zip(share, pairs, strict=True) if pair[0] == giver]
        at_most_all("need.delegation: shares of one service", given)
    return Need(
        opening_ratio=ratio,
        fte=grid.cells(fte, ("post",)),
        follows=stack(follows, (n, 0, n_posts)),
        activity=stack(index, (n, 0, len(months))),
        productivity=grid.cells(node.productivity if node else None, ("post",)),
        factor=np.ones((n, n_posts)),
        giver=np.array([pair[0] for _, pair in pairs], dtype=np.int64),
        taker=np.array([pair[1] for _, pair in pairs], dtype=np.int64),
        share=stack(share, (n, 0, len(months))),
        limit=stack([draw(rule.limit) for rule, _ in pairs], (n, 0)),
        supervision=stack([draw(rule.supervision) for rule, _ in pairs], (n, 0)),
        exchange=stack([draw(rule.exchange) for rule, _ in pairs], (n, 0)),
    )


def delegated(rule: Delegation, share: Floats, found: list[Change], n_months: int) -> Floats:
    """Share of the work that a rule delegates, with what interventions change, shape (D, months)."""
    setting = [change.label for change in found if change.verb == "to"]
    if len(setting) > 1:
        raise InputError(
            f"{setting[0]} and {setting[1]}: only one of them can set delegation `{rule.name}`. "
            "Leave one out, or use `times` or `plus`."
        )
    a, b = affine(found, (len(share), n_months))
    out = share[:, None] * a + b
    bad = out[(out < -1e-9) | (out > 1.0 + 1e-9)]
    if bad.size:
        raise InputError(
            f"{' and '.join(change.label for change in found)}: delegation `{rule.name}` must stay "
            f"{KINDS['share'].text}; it becomes {bad[0]:.4g} in some draw and month. "
            "Make the effect or its range smaller."
        )
    return out


def at_most_all(what: str, parts: list[Floats]) -> None:
    """Refuse shares that sum to more than one in some draw."""
    most = float(np.sum(parts, axis=0).max(initial=0.0)) if parts else 0.0
    if most > 1.0 + 1e-6:
        raise InputError(
            f"{what} must sum to at most 1 in every draw; they reach {most:.3g}. Narrow their ranges, or "
            "lower their values."
        )


def relative(grid: Grid, name: str, index: object, months: Ints) -> Floats:
    """An index of activity relative to its value at the start, shape (D, months)."""
    values = grid.over_time(index, months)  # type: ignore[arg-type]
    if values[:, 0].min() <= 0.0:
        raise InputError(
            f"need.activity.{name}.index: must be above 0 at the start {grid.scenario.start}; it is "
            f"{values[:, 0].min():g} in some draw. Need follows the index relative to its value at the start."
        )
    return values / values[:, :1]


def pairs_of(scenario: Scenario, rule: Delegation) -> list[tuple[int, int]]:
    """Services that give work and those of the role below, in the same environment and place."""
    known = services(scenario)
    homes = [scenario.posts[p] for p in select_posts(scenario, rule.from_)]
    givers = dict.fromkeys(Service(post.role, post.environment, post.place) for post in homes)
    takers = [(giver, giver._replace(role=rule.to)) for giver in givers]
    return [(known.index(giver), known.index(taker)) for giver, taker in takers if taker in known]


def duties(grid: Grid, clock: Clock, tracks: Tracks, track_names: list[str]) -> Duties:
    """Every duty in every block of posts that agree on its `within` axes.

    Parameters
    ----------
    grid : Grid
    clock : Clock
    tracks : Tracks
    track_names : list of str
        Internal pipeline of every track.
    """
    s = grid.scenario
    n, n_posts, months = grid.draws.n, len(s.posts), all_months(clock)
    stages = [f"{name}.{stage.name}" for name, x in external(grid).items() for stage in x.stages]
    axes = post_table(s)
    kinds: list[int] = []
    times, of_stages, of_tracks, of_posts = [], [], [], []
    entries: list[tuple[int, Bools, Floats]] = []
    supervises = np.zeros(n_posts, dtype=np.bool_)
    numbers: list[int] = []
    for number, (name, duty) in enumerate(s.supervision.items()):
        taken = taken_over(grid, name, months)
        keys = [tuple(str(axes[axis][p]) for axis in duty.within) for p in range(n_posts)]
        for key in dict.fromkeys(keys):
            block = np.array([other == key for other in keys], dtype=np.bool_)
            found = [(mask(s, entry.where) & block, entry.share) for entry in duty.by]
            found = [(posts, share) for posts, share in found if posts.any()]
            if not found:
                continue  # nobody supervises here
            shares = np.stack([grid.over_time(share, months) for _, share in found], axis=1)
            sums = shares.sum(axis=1, keepdims=True)
            shares = shares / np.where(sums > 0.0, sums, 1.0)
            shared = sums[:, 0] > 0.0  # where nobody supervises, nobody takes over
            more = [(posts & block, share * shared) for posts, share in taken if (posts & block).any()]
            for posts, _ in found:
                supervises |= posts  # as at the opening: others go on with what they planned
            if more:
                total = np.sum([share for _, share in more], axis=0)
                shares = shares * (1.0 - np.minimum(total, 1.0))[:, None]
                more = [(posts, share / np.maximum(total, 1.0)) for posts, share in more]
            entries += [(len(kinds), posts, shares[:, i]) for i, (posts, _) in enumerate(found)]
            entries += [(len(kinds), *entry) for entry in more]
            kinds.append(kind_of(duty))
            numbers.append(number)
            times.append(grid.draws.values(duty.time))
            of_stages.append([name in duty.trainees for name in stages])
            trained = [name in duty.trainees for name in track_names]
            of_tracks.append([x and block[p] for x, p in zip(trained, tracks.post, strict=True)])
            chosen = duty.staff if duty.staff is not None else duty.first_year
            of_posts.append(mask(s, chosen) & block)
    return Duties(
        kind=np.array(kinds, dtype=np.int64),
        number=np.array(numbers, dtype=np.int64),
        time=stack(times, (n, 0)),
        stages=np.array(of_stages, dtype=np.bool_).reshape(len(kinds), len(stages)),
        tracks=np.array(of_tracks, dtype=np.bool_).reshape(len(kinds), len(track_names)),
        posts=np.array(of_posts, dtype=np.bool_).reshape(-1, n_posts),
        entry_duty=np.array([entry[0] for entry in entries], dtype=np.int64),
        entry_posts=np.array([entry[1] for entry in entries], dtype=np.bool_).reshape(-1, n_posts),
        entry_share=stack([entry[2] for entry in entries], (n, 0, len(months))),
        supervises=supervises,
    )


def taken_over(grid: Grid, duty: str, months: Ints) -> list[tuple[Bools, Floats]]:
    """Posts that interventions make supervisors in a duty, and their share of it, shape (D, months)."""
    found = []
    for item in in_order(grid.scenario):
        u = strength(grid, item, months)
        for change in sorted(item.supervision, key=lambda change: change.name):
            share = claimed_share(grid, item, change.share, change.claimed)[:, None] * u
            if (not change.of or duty in change.of) and share.any():
                team = teams(grid.scenario, reached(grid.scenario, item))
                found.append((chosen(grid.scenario, change.by) & team, share))
    return found


def kind_of(duty: Duty) -> int:
    """Who is supervised."""
    if duty.first_year is not None:
        return FIRST_YEAR
    return STAFF if duty.staff is not None else TRAINEES
