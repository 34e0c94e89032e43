"""Why scenarios differ from their base: what each intervention adds, what must be true, what it rests on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pharmsim.compiled.draws import Draws
from pharmsim.errors import PharmsimError
from pharmsim.scenario.models import Scenario
from pharmsim.study.ensemble import HERE, How
from pharmsim.study.explaining import headline
from pharmsim.study.explaining.attribution import DRAWS, attribute, own
from pharmsim.study.explaining.break_even import break_even, claimed
from pharmsim.study.explaining.grounds import grounds
from pharmsim.study.explaining.shapley import sets
from pharmsim.study.runs import run, shared

SIZES_RUN = 14
"""Ensembles that the break-even effects of one intervention take, about."""


def tables(
    base: Scenario,
    others: Sequence[Scenario],
    names: Sequence[str],
    dates: np.ndarray,
    draws: int | Draws = DRAWS,
    seed: int = 1,
    how: How = HERE,
) -> tuple[dict[str, pd.DataFrame], list[str]]:
    """Attribution, break-even effects and grounds of scenarios beside their base.

    Parameters
    ----------
    base : Scenario
    others : sequence of Scenario
        Those without interventions have nothing to share out and are left out.
    names : sequence of str
        What the others are called in the tables.
    dates : ndarray of datetime64
        For attribution; grounds are those at the last of them, on it and cumulated until it.
    draws : int or Draws
        At most `attribution.DRAWS` of them are used; by default they are of all the scenarios together.
    seed : int
    how : How
        Threads.

    Returns
    -------
    tables : dict of DataFrame
        `attribution`, `break_even` and `grounds`, with a column `scenario` in front; a table that has no
        row is left out.
    warnings : list of str
        What could not be worked out and why, and interventions that the base has with other settings.
    """
    table = shared([base, *others], draws, seed).block(0, DRAWS + 1)
    how = How(threads=how.threads)  # few draws each: not worth a cluster
    found: dict[str, list[pd.DataFrame]] = {"attribution": [], "break_even": [], "grounds": []}
    told: list[str] = []
    for name, scenario in zip(names, others, strict=True):
        if not scenario.interventions:
            continue
        told += changed(base, scenario, name)
        try:
            made = _tables(base, scenario, dates, table, how)
        except Exception as error:  # whatever it is, the comparison itself stands
            why = (
                str(error)
                if isinstance(error, PharmsimError)
                else f"a fault of pharmsim ({error!r}); report it"
            )
            told.append(f"{name}: what each intervention adds is left out, it cannot be worked out: {why}")
            continue
        for title, frame in made.items():
            if len(frame):
                frame.insert(0, "scenario", name)
                found[title].append(frame)
    return {title: pd.concat(frames, ignore_index=True) for title, frames in found.items() if frames}, told


def _tables(
    base: Scenario, scenario: Scenario, dates: np.ndarray, table: Draws, how: How
) -> dict[str, pd.DataFrame]:
    runs = [run(each, warn=False).data for each in (base, scenario)]
    judged = headline.headline_measures(runs, dates)
    at_end = headline.delivered_measures(runs, dates[-1:])
    return {
        "attribution": attribute(base, scenario, judged, table, table.seed, how=how).frame(),
        "break_even": break_even(scenario, table, table.seed, how),
        "grounds": grounds(base, scenario, at_end),
    }


def changed(base: Scenario, scenario: Scenario, name: str) -> list[str]:
    """Say what the parts of interventions are that the base has with other settings.

    Parameters
    ----------
    base, scenario : Scenario
    name : str
        Of the scenario.

    Returns
    -------
    list of str
        One warning for each of them.
    """
    alone, theirs = own(base, scenario), {item.name for item in base.interventions}
    return [
        f"{name}: interventions.{lever} stands in {base.name} too, with other settings: "
        + (
            "its part is what the change of settings adds"
            if lever in alone.before
            else "its part is all it does, and `other changes` take away what it does there"
        )
        for lever in alone.names
        if lever in theirs
    ]


def ensembles(base: Scenario, others: Sequence[Scenario]) -> int:
    """Count the runs, with all their draws, that `tables` makes, about."""
    return sum(
        sets(len(own(base, scenario).names))
        + SIZES_RUN * sum(bool(claimed(item)) for item in scenario.interventions)
        for scenario in others
        if scenario.interventions
    )
