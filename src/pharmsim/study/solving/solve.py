"""The level of one or more levers that reaches a target by a date.

The response is scanned first, at the central values, so that a response that turns back is noticed; every
crossing of the target is then found between two levels that bracket it. Ensembles at a few levels,
with the same draws for all of them and for the base, say how likely the target is reached, and at which
level it is in half and in four fifths of the draws. A change is from the base run, draw by draw.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy.optimize import brentq, minimize_scalar

from pharmsim.compiled import draws as drawn
from pharmsim.compiled.draws import EXPECTED, Engine
from pharmsim.errors import Problem, ScenarioError
from pharmsim.results.labelled import Results
from pharmsim.scenario.models import Scenario
from pharmsim.study.comparing.intervals import FEWEST
from pharmsim.study.dates import target_dates
from pharmsim.study.runs import run as run_scenario
from pharmsim.study.solving import levers as moving
from pharmsim.study.solving.binding import binding
from pharmsim.study.solving.levers import Lever
from pharmsim.study.solving.response import OVER, Outcome, Response
from pharmsim.study.solving.targets import Target

SCAN = np.linspace(0.0, 1.0, 9)
"""Levels at which the response is scanned."""
ENSEMBLES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Levels at which draws are run, besides those found."""
LIKELY = (0.5, 0.8)
"""Probabilities for which the level is given."""
FINE = np.linspace(0.0, 1.0, 401)
QUANTILES = {"p5": 0.05, "p25": 0.25, "median": 0.5, "p75": 0.75, "p95": 0.95}
REACHED, MET, OUT = "reached", "already met", "out of reach"
CLOSE = 1e-7
"""Levels are found to within this share of their way."""
WHOLE = 1e-6
"""Differences smaller than this share of the span of a response are none."""


@dataclass(frozen=True)
class Answer:
    """What the levers do for the target by one date.

    Attributes
    ----------
    date : datetime64
    told : str
        The date, or the year of retention, in words.
    status : str
        "reached", "already met" (with the levers at their first level) or "out of reach".
    x : float
        Level found, or where the outcome is nearest, as a share of the way of the levers.
    crossings : tuple of (float, bool)
        All levels at which the outcome crosses the target, and whether it is met above it.
    turns : bool
        Whether the response turns back.
    start, start_told : float, str
        Central value at the start, and when that is.
    base, goal, value : float
        Central values of the base run, to be reached, and at `x`.
    spread, change : dict
        Quantiles over draws of the value at `x`, and of its difference from the base; empty without draws.
    probability : float
        Share of the draws that meet the target at `x`; not a number without draws.
    likely : dict
        Probability → smallest level at which it is reached; not a number where none is.
    most : float
        Highest probability at any level.
    costs : DataFrame
        item, over ("year", "cumulated"), unit, central and quantiles: difference from the base at `x`.
        No year where less than one has passed since the start.
    binds : tuple of str
        Out of reach: what binds.
    """

    date: np.datetime64
    told: str
    status: str
    x: float
    crossings: tuple[tuple[float, bool], ...]
    turns: bool
    start: float
    start_told: str
    base: float
    goal: float
    value: float
    spread: dict[str, float] = field(default_factory=dict)
    change: dict[str, float] = field(default_factory=dict)
    probability: float = float("nan")
    likely: dict[float, float] = field(default_factory=dict)
    most: float = float("nan")
    costs: pd.DataFrame = field(default_factory=pd.DataFrame)
    binds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Solution:
    """Answers to a question, a date each.

    Attributes
    ----------
    scenario : Scenario
        With the levers in it.
    target : Target
    levers : tuple of Lever
    answers : tuple of Answer
    curve : DataFrame
        date, x, one column a lever, base, goal, central and quantiles of the outcome, of what is compared
        with the target (`aim`: the outcome, or its change), p_reached: the response at the levels run.
    notes : tuple of str
        What else there is to say.
    draws, seed : int
    meta : dict
        Of the base run.
    """

    scenario: Scenario
    target: Target
    levers: tuple[Lever, ...]
    answers: tuple[Answer, ...]
    curve: pd.DataFrame
    notes: tuple[str, ...]
    draws: int
    seed: int
    meta: dict[str, Any]

    @property
    def found(self) -> bool:
        """Whether the target is reached, or met already, at one date at least."""
        return any(answer.status != OUT for answer in self.answers)


def solve(
    scenario: Scenario,
    target: Target,
    levers: Sequence[Lever],
    dates: Sequence[str] = (),
    draws: int = 100,
    seed: int = 1,
    run: Callable[..., Results] = run_scenario,
    engine: Engine = EXPECTED,
) -> Solution:
    """Find the level of levers that reaches a target.

    Parameters
    ----------
    scenario : Scenario
    target : Target
    levers : sequence of Lever
        They move together.
    dates : sequence of str
        By default the end of the People Strategy, 31 March 2028, and 24 months after the start; the
        end of the run if neither is inside it.
    draws, seed : int
        As in `pharmsim.run`; no draws are made where nothing has a range.
    run : callable, optional
        Runs a scenario as `pharmsim.run` does.
    engine : Engine

    Returns
    -------
    Solution

    Raises
    ------
    ScenarioError
        If a date is not inside the run, or there are ranges and fewer than 20 draws.
    """
    at, notes = target_dates(scenario, dates)
    uncertain = drawn.names(moving.at(scenario, levers, 1.0))
    if not uncertain:
        notes = (*notes, "nothing has a range: the answer is that of the central values") if draws else notes
        draws = 0
    elif draws < FEWEST and not engine.by_chance:
        message = (
            f"must be {FEWEST} or more, for {len(uncertain)} inputs have ranges and no level is given without"
        )
        message += f" its interval; got {draws}. Write `--draws 256`"
        raise ScenarioError([Problem("solve", 0, "--draws", message)])
    response = Response(scenario, target, levers, at, draws, seed, run, engine)
    searches = [_search(response, j) for j in range(len(at))]
    levels = sorted({*(ENSEMBLES if response.draws else SCAN), *(search.x for search in searches)})
    outcomes = {float(x): response.ensemble(float(x)) for x in levels}
    answers = tuple(_answer(response, j, search, outcomes) for j, search in enumerate(searches))
    curve = _curve(response, outcomes)
    return Solution(
        scenario, target, tuple(levers), answers, curve, notes, response.draws, seed, response.meta
    )


# -- the search, at the central values --------------------------------------------------------------------


class Search(NamedTuple):
    """What the central values say for one date."""

    x: float
    status: str
    crossings: tuple[tuple[float, bool], ...]
    turns: bool


def _search(response: Response, j: int) -> Search:
    """Scan the response and find all crossings of the target between two levels."""
    base = response.base.values[0, j]

    def beyond(x: float) -> float:
        return float(response.target.beyond(response.central(x)[j], base))

    points = {float(x): beyond(float(x)) for x in SCAN}
    best = max(points, key=lambda x: (points[x], x))
    if points[best] < 0.0 and 0.0 < best < 1.0:  # it turns back: the highest point may lie between
        near = {"bounds": (best - SCAN[1], best + SCAN[1]), "method": "bounded", "options": {"xatol": 1e-4}}
        best = float(minimize_scalar(lambda x: -beyond(float(x)), **near).x)
        points[best] = beyond(best)
    xs = sorted(points)
    crossings = tuple(
        (float(brentq(beyond, low, high, xtol=CLOSE)), points[high] >= 0.0)
        for low, high in pairwise(xs)
        if (points[low] >= 0.0) != (points[high] >= 0.0)
    )
    steps = np.diff([points[x] for x in xs])
    small = WHOLE * np.abs(steps).sum()
    turns = bool((steps > small).any() and (steps < -small).any())
    if points[0.0] >= 0.0:
        return Search(0.0, MET, crossings, turns)
    if crossings:
        return Search(crossings[0][0], REACHED, crossings, turns)
    return Search(best, OUT, crossings, turns)


# -- the answer, with draws -------------------------------------------------------------------------------


def _answer(response: Response, j: int, search: Search, outcomes: dict[float, Outcome]) -> Answer:
    """Put together what is known for one date."""
    target, base, here = response.target, response.base, outcomes[search.x]
    value, before = here.values[:, j], base.values[:, j]
    found: dict[str, Any] = {}
    if response.draws:
        met = target.beyond(value, before)[1:] >= 0.0
        p = _chances(response, j, outcomes)
        found = {
            "spread": _quantiles(value),
            "change": _quantiles(value - before),
            "probability": float(met.mean()),
            "likely": {q: float(FINE[np.argmax(p >= q)]) if (p >= q).any() else float("nan") for q in LIKELY},
            "most": float(p.max()),
        }
    if search.status == OUT:
        results = response.results(search.x)
        found["binds"] = tuple(binding(results, target, response.levers, search.x, response.dates[j]))
        reach = np.ptp([response.central(float(x))[j] for x in SCAN])
        if reach <= WHOLE * abs(value[0]):
            found["binds"] = ("the levers do not move it by this date", *found["binds"])
    return Answer(
        date=response.dates[j],
        told=response.told[j],
        start=response.start[0],
        start_told=response.start[1],
        base=float(before[0]),
        goal=float(target.goal(before[:1])[0]),
        value=float(value[0]),
        costs=_costs(base, here, j),
        **search._asdict(),
        **found,
    )


def _chances(response: Response, j: int, outcomes: dict[float, Outcome]) -> np.ndarray:
    """Share of draws that meet the target at each level of `FINE`: straight lines between runs."""
    xs = sorted(outcomes)
    before = response.base.values[1:, j]
    beyond = np.stack([response.target.beyond(outcomes[x].values[1:, j], before) for x in xs])
    lines = [np.interp(FINE, xs, column) >= 0.0 for column in beyond.T]
    return np.asarray(np.mean(lines, axis=0))


def _quantiles(values: np.ndarray) -> dict[str, float]:
    """Quantiles over draws; the first row holds the central values."""
    found = np.quantile(values[1:], list(QUANTILES.values()))
    return dict(zip(QUANTILES, map(float, found), strict=True))


def _costs(base: Outcome, here: Outcome, j: int) -> pd.DataFrame:
    """Differences in cost from the base: items and their sum, of the last year and since the start."""
    zero = np.zeros((len(here.values), 2))
    items = {
        name: (values[:, j] if name in here.costs else zero)
        - (base.costs[name][:, j] if name in base.costs else zero)
        for name, values in {**base.costs, **here.costs}.items()
    }
    if items:
        items["total_cost"] = np.sum(list(items.values()), axis=0)
    rows = [
        {
            "item": name,
            "over": over,
            "unit": "GBP per year" if over == "year" else "GBP",
            "central": float(values[0, i]),
            **(_quantiles(values[:, i]) if len(values) > 1 else {}),
        }
        for name, values in items.items()
        for i, over in enumerate(OVER)
        if not np.isnan(values[0, i])
    ]
    return pd.DataFrame(rows)


def _curve(response: Response, outcomes: dict[float, Outcome]) -> pd.DataFrame:
    """The response at the levels that were run, one row for each and every date."""
    rows, target = [], response.target
    for j, date in enumerate(response.dates):
        before = response.base.values[:, j]
        for x, outcome in sorted(outcomes.items()):
            value = outcome.values[:, j]
            aim = target.aim(value, before)
            met = target.beyond(value, before)[1:] >= 0.0
            drawn_too = {}
            if len(value) > 1:
                aims = {f"aim_{name}": number for name, number in _quantiles(aim).items()}
                drawn_too = {**_quantiles(value), **aims, "p_reached": float(met.mean())}
            levels = {lever.name: lever.level(x) for lever in response.levers}
            known = {
                "base": before[0],
                "goal": target.goal(before[:1])[0],
                "central": value[0],
                "aim": aim[0],
            }
            rows.append({"date": date, "x": x, **levels, **known, **drawn_too})
    return pd.DataFrame(rows)
