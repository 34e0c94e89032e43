"""How an outcome responds to levers: runs at levels, their outcomes and what they cost; no run is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

from pharmsim.compiled.draws import EXPECTED, Engine, sample
from pharmsim.errors import Problem, ScenarioError
from pharmsim.results import measures
from pharmsim.results.labelled import Results
from pharmsim.scenario import check_warnings
from pharmsim.scenario.models import Scenario
from pharmsim.study.comparing import kinds
from pharmsim.study.dates import month_of
from pharmsim.study.explaining import headline
from pharmsim.study.runs import run as run_scenario
from pharmsim.study.solving import levers as moving
from pharmsim.study.solving.levers import Lever
from pharmsim.study.solving.targets import BY_LEVEL, Target, measure, start_value

OVER = ("year", "cumulated")
"""Costs of the twelve months before a date (not a number where there are fewer), and since the start."""


@dataclass(frozen=True)
class Outcome:
    """What runs at one level say.

    Attributes
    ----------
    values : ndarray, shape (draw, date)
        The quantity of the target.
    costs : dict of ndarray, shape (draw, date, 2)
        GBP by item: of the year before the date, and since the start.
    """

    values: np.ndarray
    costs: dict[str, np.ndarray]


class Response:
    """Runs a scenario at levels of its levers, and remembers the outcomes.

    Parameters
    ----------
    scenario : Scenario
    target : Target
    levers : tuple of Lever
    dates : ndarray of datetime64, shape (date,)
    draws, seed : int
    run : callable
        Runs a scenario as `pharmsim.run` does; `draws` is a table that all levels and the base share.
    engine : Engine
    """

    def __init__(
        self,
        scenario: Scenario,
        target: Target,
        levers: Sequence[Lever],
        dates: np.ndarray,
        draws: int = 0,
        seed: int = 1,
        run: Callable[..., Results] = run_scenario,
        engine: Engine = EXPECTED,
    ) -> None:
        self.scenario, self.target, self.levers, self.dates = scenario, target, tuple(levers), dates
        ends = [moving.base(scenario, self.levers), moving.at(scenario, self.levers, 1.0), scenario]
        self._table = sample(ends, draws, seed, engine)
        self.draws, self.run = self._table.n - 1, run
        self._known: dict[tuple[float | None, int], Outcome] = {}
        first = self._results(None, self.draws)
        warnings = dict.fromkeys([*check_warnings(scenario), *(first.meta.get("warnings") or [])])
        self.meta: dict[str, Any] = {**first.meta, "warnings": list(warnings)}
        self.start = start_value(first.data, target)
        self.base = self._measured(first.data)
        self.told = measure(first.data, target, dates).told
        if np.isnan(self.base.values[0]).any():
            which = month_of(dates[np.isnan(self.base.values[0])][0])
            message = f"no whole year of retention ends by {which}. Give a later date"
            raise ScenarioError([Problem("solve", 0, "--by", message)])

    def results(self, x: float) -> Results:
        """The central run with the levers at `x` of their way."""
        return self._results(x, 0)

    def central(self, x: float) -> np.ndarray:
        """Central values at a level, shape (date,)."""
        return self._at(x, 0).values[0]

    def ensemble(self, x: float) -> Outcome:
        """The central values and all draws at a level."""
        return self._at(x, self.draws)

    def _at(self, x: float, draws: int) -> Outcome:
        if all(lever.is_intervention and not lever.level(x) for lever in self.levers):
            return self.base
        key = (x, draws)
        if key not in self._known:
            self._known[key] = self._measured(self._results(x, draws).data)
        return self._known[key]

    def _results(self, x: float | None, draws: int) -> Results:
        """Run the scenario at a level (None: the base)."""
        changed = (
            moving.base(self.scenario, self.levers) if x is None else moving.at(self.scenario, self.levers, x)
        )
        table = self._table.block(0, draws + 1)
        return self.run(changed, draws=table, tags=self.target.quantity in BY_LEVEL)

    def _measured(self, data: xr.Dataset) -> Outcome:
        costs = {name: self._cost(data, name) for name in kinds.PARTS if name in data}
        return Outcome(measure(data, self.target, self.dates).values, costs)

    def _cost(self, data: xr.Dataset, name: str) -> np.ndarray:
        """An item of cost before every date, shape (draw, date, 2)."""
        monthly = headline.whole(data, name)
        sums = [measures.added_up(data, monthly, self.dates, over) for over in OVER]
        return np.stack(sums, axis=2)
