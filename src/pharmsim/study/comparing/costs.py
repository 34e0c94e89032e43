"""What a scenario costs more than the base, and for an additional FTE-year delivered."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from pharmsim.results.columns import ALL
from pharmsim.study.comparing.intervals import difference, spread, where_known
from pharmsim.study.comparing.kinds import COSTS
from pharmsim.study.comparing.outcomes import Measure, Outcomes

NO_GAIN = "no gain"
LEAST = 0.05
"""FTE-years: less is no gain, and nothing is divided by it."""
FEWEST = 5
"""Draws with a gain, without which nothing is said of how far its cost may vary."""
PER_YEAR = "per_delivered_fte_year"


def costs(name: str, base: Outcomes, other: Outcomes) -> pd.DataFrame:
    """Differences in cost, added up from the start to the last date.

    Parameters
    ----------
    name : str
        Of the scenario.
    base, other : Outcomes

    Returns
    -------
    DataFrame
        scenario, item (pay_bill, cover_cost, backfill_cost, programme_cost, all, delivered_fte_years,
        per_delivered_fte_year), unit, date, central, median, p5, p25, p75, p95 (over draws; of the
        last item over those with a gain, if they are at least 5), share_with_gain (of draws; of the last
        item only), words ("no gain" where the last item is not a number). All costs are those of
        interventions where neither scenario describes pay, and left out where only one does.
    """
    moved = {quantity: _whole(base, other, quantity) for quantity in (*COSTS, "delivered_fte")}
    known = {quantity: values for quantity, values in moved.items() if values is not None}
    text = {"scenario": name, "date": base.dates[-1], "words": ""}
    names = {"total_cost": ALL, "delivered_fte": "delivered_fte_years"}
    rows: list[dict[str, Any]] = []
    for quantity, values in known.items():
        unit = "FTE-years" if quantity == "delivered_fte" else "GBP"
        rows.append({**text, "item": names.get(quantity, quantity), "unit": unit, **_numbers(values)})
    if {"total_cost", "delivered_fte"} <= set(known):
        item = {"item": PER_YEAR, "unit": "GBP per FTE-year"}
        rows.append({**text, **item, **per_year(known["total_cost"], known["delivered_fte"])})
    columns = ["scenario", "item", "unit", "date", "central"]
    frame = pd.DataFrame(rows)
    return frame[[*columns, *[column for column in frame if column not in columns]]] if rows else frame


def per_year(cost: np.ndarray, gain: np.ndarray) -> dict[str, Any]:
    """Cost ÷ gain draw by draw, where there is a gain.

    Parameters
    ----------
    cost : ndarray, shape (draw,)
        GBP.
    gain : ndarray, shape (draw,)
        FTE-years delivered in addition.

    Returns
    -------
    dict
        central, median, p5 …, share_with_gain, words.
    """
    there = gain >= LEAST
    ratio = np.full(len(gain), np.nan)
    ratio[there] = cost[there] / gain[there]
    found: dict[str, Any] = _numbers(ratio)
    if len(gain) > 1:
        if there[1:].sum() < FEWEST:
            found |= dict.fromkeys(set(found) - {"central"}, float("nan"))
        found["share_with_gain"] = float(there[1:].mean())
    # in the median, if there are draws: a gain in fewer than half of them is none to divide by
    gains = found.get("share_with_gain", float(there[0])) >= 0.5
    return {**found, "words": "" if gains else NO_GAIN}


def _numbers(values: np.ndarray) -> dict[str, float]:
    parts = {name: float(value) for name, value in spread(where_known(values)).items()}
    return {"central": float(values[0]), **parts}


def _whole(base: Outcomes, other: Outcomes, quantity: str) -> np.ndarray | None:
    """Difference of the whole system, cumulated to the last date, shape (draw,)."""
    old, new = pair(base, other, (quantity, "", "cumulated"))
    return None if old is None or new is None else difference(old, new, [(ALL, ALL)])[:, 0, -1]


def pair(
    base: Outcomes, other: Outcomes, key: tuple[str, str, str], along: bool = False
) -> tuple[Measure | None, Measure | None]:
    """The same measure of two runs; a run without interventions has no cost of them, which is 0.

    All costs can be compared if both runs know pay, or neither does.
    """
    old, new = (getattr(run, "trajectories" if along else "measures").get(key) for run in (base, other))
    if key[0] == "total_cost" and base.knows_pay != other.knows_pay:
        return None, None
    if key[0] == "programme_cost" or (key[0] == "total_cost" and not base.knows_pay):
        old, new = old or _nothing(new), new or _nothing(old)
    return old, new


def _nothing(like: Measure | None) -> Measure | None:
    if like is None:
        return None
    return replace(like, cells={cell: np.zeros_like(values) for cell, values in like.cells.items()})
