"""What one environment gains and others lose: everybody who moves leaves a place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pharmsim.results.columns import ALL
from pharmsim.study.comparing.intervals import difference, spread, where_known
from pharmsim.study.comparing.outcomes import Measure, Outcomes

QUANTITIES = ("fte", "delivered_fte")
LEAST = 0.05
"""FTE: who gains or loses less is not named, and nothing is said per FTE gained."""


def displacement(name: str, base: Outcomes, other: Outcomes) -> pd.DataFrame:
    """Gains and losses of environments, by role and for all roles together, on every date.

    Parameters
    ----------
    name : str
        Of the scenario.
    base, other : Outcomes

    Returns
    -------
    DataFrame
        scenario, role, quantity, unit, date; gained (FTE, sum over the environments that gain),
        lost_elsewhere (sum over those that lose, as a positive number), per_gained (lost ÷ gained, of
        draws in which at least 0.05 FTE is gained) and net, at the central values and, behind `_median`,
        `_p5` …, over draws; losers (environments that lose, in the median of draws, the largest first).
    """
    rows: list[dict[str, Any]] = []
    for quantity in QUANTITIES:
        key = (quantity, "", "date")
        if key in base.measures and key in other.measures:
            rows += _rows(name, base.measures[key], other.measures[key])
    return pd.DataFrame(rows)


def _rows(name: str, old: Measure, new: Measure) -> list[dict[str, Any]]:
    cells = [cell for cell in dict.fromkeys([*old.cells, *new.cells]) if cell[1] != ALL]
    rows = []
    for role in dict.fromkeys(role for role, _ in cells):
        here = [cell for cell in cells if cell[0] == role]
        moved = difference(old, new, here)  # draw, cell, date
        for i, date in enumerate(old.dates):
            text = {"scenario": name, "role": role, "quantity": old.quantity, "unit": old.unit, "date": date}
            rows.append({**text, **balance(moved[:, :, i]), "losers": losers(moved[:, :, i], here)})
    return rows


def balance(moved: np.ndarray) -> dict[str, float]:
    """Gained, lost, their ratio and the net of differences by environment, shape (draw, environment)."""
    gained, lost = np.maximum(moved, 0.0).sum(axis=1), np.maximum(-moved, 0.0).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(gained >= LEAST, lost / gained, np.nan)
    found: dict[str, float] = {}
    parts = {"gained": gained, "lost_elsewhere": lost, "per_gained": ratio, "net": gained - lost}
    for name, values in parts.items():
        found[name] = float(values[0])
        found |= {f"{name}_{column}": float(value) for column, value in spread(where_known(values)).items()}
    return found


def losers(moved: np.ndarray, cells: list[tuple[str, str]]) -> str:
    """Environments that lose, the largest loss first."""
    middle = np.median(moved[1:], axis=0) if len(moved) > 1 else moved[0]
    order = [i for i in np.argsort(middle, kind="stable") if middle[i] <= -LEAST]
    return "; ".join(cells[i][1] for i in order)
