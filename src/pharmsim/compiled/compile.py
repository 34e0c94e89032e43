"""Compile: every number of a scenario as arrays, names resolved to indexes, draws applied."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pharmsim.compiled import money, opening, people, supply
from pharmsim.compiled.arrays import Clock, Posts
from pharmsim.compiled.dated import dated, unchanging
from pharmsim.compiled.draws import Draws
from pharmsim.compiled.feedbacks import feedbacks
from pharmsim.compiled.grid import Grid, month_number
from pharmsim.compiled.hazards import HazardRows, Readings
from pharmsim.compiled.model import Model, State
from pharmsim.compiled.parts import risk_parts
from pharmsim.compiled.slots import Where
from pharmsim.compiled.strength import changes
from pharmsim.compiled.system_arrays import System
from pharmsim.compiled.work import all_months, duties, need, work
from pharmsim.scenario.models import Scenario

STEPS = {"month": (1, 1), "month/2": (1, 2), "month/4": (1, 4), "month/8": (1, 8), "year": (12, 1)}
"""Months in a period and steps in a period, by the name of the step."""


@dataclass(frozen=True)
class Compiled:
    """A scenario ready to run.

    Attributes
    ----------
    scenario : Scenario
    draws : Draws
    clock : Clock
    model : Model
    opening : State
        At the start of month 0; the history of external pipelines is run by the engine.
    readings : Readings
        The hazards of `model` at exact ages.
    """

    scenario: Scenario
    draws: Draws
    clock: Clock
    model: Model
    opening: State
    readings: Readings


def clock_of(scenario: Scenario, tags: bool = True) -> Clock:
    """Periods and steps of a scenario; without `tags` retention is not followed."""
    months_per_period, substeps = STEPS[scenario.step]
    n_months = month_number(scenario.end) - month_number(scenario.start)
    reference = scenario.retention if tags else None
    return Clock(
        n_periods=n_months // months_per_period,
        months_per_period=months_per_period,
        substeps=substeps,
        dt=months_per_period / 12.0 / substeps,
        tag_month=-1 if reference is None else (supply.MONTHS.index(reference.month) + 1) % 12,
    )


def compile_scenario(scenario: Scenario, draws: Draws, tags: bool = True) -> Compiled:
    """Turn a scenario into arrays.

    Parameters
    ----------
    scenario : Scenario
    draws : Draws
    tags : bool
        Whether retention is followed by tags (calibration does without).

    Returns
    -------
    Compiled

    Raises
    ------
    InputError
        If a number leaves its bounds in some draw or year, or cells cannot be used as they are.
    """
    if not tags:
        scenario = scenario.model_copy(update={"retention": None})
    grid = Grid(scenario, draws)
    clock = clock_of(scenario, tags)
    found = changes(grid, all_months(clock))
    parts = risk_parts(grid, found)
    stock = opening.people(grid)
    mix = opening.contract_mix(stock)
    rows = HazardRows(grid)
    tracks = supply.tracks(grid)
    waiting = {(track.name, track.post): track.waiting for track in tracks}
    hours = people.fte_per_head(grid, clock)
    fte = (stock.sum(axis=4) * hours[0]).sum(axis=(2, 3))
    risks = people.risks(grid, rows, clock, parts)
    pools = people.pools(grid, rows, mix)
    n_rows = max((track.waiting + 1 for track in tracks), default=len(scenario.posts))
    edges = people.edges(grid, clock, waiting, n_rows)
    apprentices = supply.apprenticeships(grid, clock, tracks)
    funding = money.funding(grid, clock, hours, fte)
    posts = Posts(
        risks=risks._replace(hazard=rows.table(clock)),
        funding=funding,
        edges=edges,
        pools=pools,
        hiring=supply.hiring(grid, clock, opening.people(grid.central)[0].sum(axis=2), mix),
        tracks=apprentices,
        levels=people.levels(scenario, edges, apprentices.home),
    )
    cover = scenario.cover
    effectiveness = np.ones(draws.n) if cover is None else draws.values(cover.effectiveness)
    productivity = [draws.values(track.pipeline.productivity) for track in tracks]
    system = System(
        work=work(grid, clock, productivity, effectiveness),
        need=need(grid, clock, found),
        duties=duties(grid, clock, apprentices, [track.name for track in tracks]),
        money=money.money(grid, clock, funding, found),
        feedbacks=feedbacks(grid, clock, parts),
    )
    model = Model(posts, supply.conveyors(grid, clock, posts.hiring.opening_groups), system, unchanging())
    model = dated(Where(grid, model, parts, tracks), found, clock.n_periods + 1)
    state = opening.state(grid, model, stock, tracks)
    return Compiled(scenario, draws, clock, model, state, rows.readings())
