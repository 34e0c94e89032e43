"""How much of what a programme reaches is due to each of its interventions.

The players are the interventions of a scenario: a set of them reaches what the scenario with those alone
reaches. Other changes of the scenario come first: their part is what they do without any intervention,
and the interventions are shared out on top of them. An intervention that the base has with other settings
acts as it does there until it is played: its part is what the change of its settings adds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from pharmsim.compiled.draws import Draws
from pharmsim.results.labelled import Results
from pharmsim.scenario.interventions import Intervention
from pharmsim.scenario.models import Scenario
from pharmsim.study.comparing import intervals
from pharmsim.study.ensemble import HERE, How
from pharmsim.study.explaining.headline import Measure
from pharmsim.study.explaining.shapley import EXACT, PAIRS, Shares, shapley
from pharmsim.study.runs import run, shared

DRAWS = intervals.FEWEST
"""Draws used unless asked for more: every set of interventions is run with all of them."""
OTHER, INTERACTION, TOTAL = "other changes", "interaction", "total"
SAME = 1e-9
"""Other changes that move nothing measured by more than this share are none."""


@dataclass(frozen=True)
class Attribution:
    """Parts of the difference between a scenario and its base.

    Attributes
    ----------
    measures : tuple of Measure
    shares : Shares
        Of the interventions; arrays end in (draw, number), the numbers being those of all measures
        and their dates in turn.
    other : ndarray, shape (draw, number)
        Of the changes beside the interventions.
    """

    measures: tuple[Measure, ...]
    shares: Shares
    other: np.ndarray

    @property
    def has_other(self) -> bool:
        """Whether there are changes beside the interventions that move anything measured."""
        return bool(np.abs(np.nan_to_num(self.other)).any())

    def frame(self) -> pd.DataFrame:
        """Rows of `attribution.csv`, without the scenario.

        Returns
        -------
        DataFrame
            quantity, level, over, date, unit, lever, value (central), median, p5, p25, p75,
            p95 (if there are enough draws for an interval), alone (central), method, draws, error (standard
            error of `value`). Interventions stand in the order of their names.
        """
        return pd.DataFrame([row for k in range(self.other.shape[1]) for row in self._rows(k)])

    def _rows(self, k: int) -> Iterator[dict[str, Any]]:
        shares, cell = self.shares, (Ellipsis, k)
        measure, date = [(measure, date) for measure in self.measures for date in measure.dates][k]
        told = {"quantity": measure.quantity, "level": measure.level, "over": measure.over, "date": date}
        told |= {"unit": measure.unit}
        parts = [
            (name, shares.value[i][cell], shares.alone[i][cell][0], shares.error[i][cell][0])
            for i, name in enumerate(shares.players)
        ]
        nan = float("nan")
        if self.has_other:
            parts.append((OTHER, self.other[cell], self.other[cell][0], 0.0))
        if shares.players:
            parts.append((INTERACTION, shares.interaction[cell], nan, nan))
        parts.append((TOTAL, shares.total[cell] + self.other[cell], nan, nan))
        enough = self.other.shape[0] > intervals.FEWEST
        for name, values, alone, error in parts:
            spread = intervals.spread(values) if enough else {}
            yield {
                **told, "lever": name, "value": values[0], **spread, "alone": alone,
                "method": shares.method, "draws": len(values) - 1, "error": error,
            }  # fmt: skip


class Own(NamedTuple):
    """Interventions of a scenario beside its base: everything but where they are written counts."""

    names: tuple[str, ...]  # those that the base lacks or has with other settings, in order of their names
    before: dict[str, Intervention]  # as the base has those with other settings


def own(base: Scenario, scenario: Scenario) -> Own:
    """Tell apart the interventions that a scenario and its base share and those of the scenario alone.

    Other joint posts are another intervention: the scenario has not the posts that the base makes.
    """
    theirs = {item.name: item for item in base.interventions}
    mine = {
        item.name: theirs.get(item.name)
        for item in scenario.interventions
        if item.name not in theirs or item.model_dump() != theirs[item.name].model_dump()
    }
    posts = {item.name: item.model_dump()["posts"] for item in scenario.interventions}
    before = {name: old for name, old in mine.items() if old and old.model_dump()["posts"] == posts[name]}
    return Own(tuple(sorted(mine)), before)


def with_own(scenario: Scenario, alone: Own, names: Collection[str]) -> Scenario:
    """Return the scenario with those of its own interventions, and the others as the base has them."""
    items = [
        item if item.name in names or item.name not in alone.names else alone.before.get(item.name)
        for item in scenario.interventions
    ]
    return scenario.model_copy(update={"interventions": tuple(item for item in items if item)})


def attribute(
    base: Scenario,
    scenario: Scenario,
    measures: Sequence[Measure],
    draws: int | Draws = DRAWS,
    seed: int = 1,
    exact: int = EXACT,
    pairs: int = PAIRS,
    how: How = HERE,
) -> Attribution:
    """Share out the difference between a scenario and its base among its interventions.

    Parameters
    ----------
    base, scenario : Scenario
        Interventions that the base has too, with the same settings, are in every run.
    measures : sequence of Measure
    draws, seed
        As in `pharmsim.run`; the draws are of both together. All draws are run for every set of
        interventions: 2 to the power of their number if that is at most `exact`, else those that occur in
        the sampled orders.
    exact, pairs : int
        As in `shapley`.
    how : How

    Returns
    -------
    Attribution
        Values of interventions and of the other changes sum to the difference.
    """
    alone = own(base, scenario)
    table = shared([base, scenario], draws, seed)
    followed = {measure.level for measure in measures if measure.tags}

    def measured(chosen: Scenario) -> np.ndarray:
        return values_of(run(at_levels(chosen, followed), table, warn=False, how=how), measures)

    def game(names: Collection[str]) -> np.ndarray:
        return measured(with_own(scenario, alone, names))

    shares = shapley(alone.names, game, exact, pairs, seed)
    start = measured(base)
    other = game(()) - start
    other[np.abs(other) <= SAME * np.maximum(np.abs(start), 1.0)] = 0.0
    return Attribution(tuple(measures), shares, other)


def at_levels(scenario: Scenario, levels: Collection[str]) -> Scenario:
    """Return the scenario with these levels of retention alone: each costs a copy of the stock."""
    if scenario.retention is None:
        return scenario
    kept = {name: level for name, level in scenario.retention.levels.items() if name in levels}
    retention = scenario.retention.model_copy(update={"levels": kept}) if kept else None
    return scenario.model_copy(update={"retention": retention})


def values_of(results: Results, measures: Sequence[Measure]) -> np.ndarray:
    """Numbers of all measures and their dates in turn, shape (draw, number)."""
    return np.concatenate([measure.of(results) for measure in measures], axis=1)
