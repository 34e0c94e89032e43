"""Why scenarios differ from their base: what each intervention adds, what must be true, what it rests on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pharmsim.scenario.models import Scenario
from pharmsim.study import headline
from pharmsim.study.attribution import DRAWS, affordable, attribute
from pharmsim.study.break_even import break_even
from pharmsim.study.grounds import grounds
from pharmsim.study.runs import run


def tables(
    base: Scenario,
    others: Sequence[Scenario],
    names: Sequence[str],
    dates: np.ndarray,
    draws: int = DRAWS,
    seed: int = 1,
) -> dict[str, pd.DataFrame]:
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
    draws : int
        At most `attribution.DRAWS` of them are used, for attribution fewer if there are many interventions.
    seed : int

    Returns
    -------
    dict of DataFrame
        `attribution`, `break_even` and `grounds`, with a column `scenario` in front; a table that has no
        row is left out.
    """
    found: dict[str, list[pd.DataFrame]] = {"attribution": [], "break_even": [], "grounds": []}
    for name, scenario in zip(names, others, strict=True):
        if not scenario.interventions:
            continue
        data = run(scenario).data
        judged = headline.headline_measures(data, dates)
        at_end = headline.delivered_measures(data, dates[-1:])
        made = {
            "attribution": attribute(base, scenario, judged, affordable(scenario, draws), seed).frame(),
            "break_even": break_even(scenario, min(draws, DRAWS), seed),
            "grounds": grounds(base, scenario, at_end),
        }
        for title, frame in made.items():
            if len(frame):
                frame.insert(0, "scenario", name)
                found[title].append(frame)
    return {title: pd.concat(frames, ignore_index=True) for title, frames in found.items() if frames}
