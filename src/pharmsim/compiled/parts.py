"""Risks of people in post in parts: an intervention that changes a hazard at some ages needs them apart."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pharmsim.compiled.arrays import CONSTANT, Floats, Ints
from pharmsim.compiled.grid import Grid
from pharmsim.compiled.hazards import HazardRows
from pharmsim.compiled.strength import Change, of_quantity
from pharmsim.scenario.models import Flow


@dataclass(frozen=True)
class RiskPart:
    """A risk at the age indexes `first` … `end` − 1.

    Attributes
    ----------
    risk : int
        Number of the risk of the scenario: leaving, retirement, switches.
    quantity, name : str
        As interventions call it: leaving (destination), retirement (""), switching (switch).
    flow : Flow
    first, end : int
    added : bool
        Nothing but what interventions add or set, the same at all these ages.
    """

    risk: int
    quantity: str
    name: str
    flow: Flow
    first: int
    end: int
    added: bool = False

    def cells(self, rows: HazardRows, row: Ints, scale: Floats) -> tuple[Ints, Floats]:
        """Rows of hazards of this part and their factors, from those of the whole risk."""
        if self.added:
            row, scale = np.full_like(row, CONSTANT), np.zeros_like(scale)
        flat = [rows.masked(int(r), self.first, self.end) for r in row.reshape(-1)]
        return np.array(flat, dtype=np.int64).reshape(row.shape), scale.copy()


def risk_parts(grid: Grid, found: list[Change]) -> list[RiskPart]:
    """Every risk, in parts only where a change needs them.

    Parameters
    ----------
    grid : Grid
    found : list of Change
    """
    s = grid.scenario
    risks: list[tuple[str, str, Flow]] = [("leaving", name, flow) for name, flow in s.leaving.items()]
    risks += [("retirement", "", s.retirement)] if s.retirement else []
    risks += [("switching", switch.name, switch) for switch in s.switches]
    out = []
    for risk, (quantity, name, flow) in enumerate(risks):
        here = of_quantity(found, quantity, name)
        ends = [0, grid.lengths["age"], *(x.first for x in here), *(x.end for x in here)]
        cuts = sorted(set(ends))
        windows = list(pairwise(cuts))
        out += [RiskPart(risk, quantity, name, flow, *window) for window in windows]
        if any(x.verb != "times" for x in here):
            out += [RiskPart(risk, quantity, name, flow, *window, added=True) for window in windows]
    return out


def numbers(parts: list[RiskPart], quantity: str, names: list[str]) -> Ints:
    """Number of the destination or switch of every part of a quantity."""
    found = [names.index(part.name) for part in parts if part.quantity == quantity]
    return np.array(found, dtype=np.int64)
