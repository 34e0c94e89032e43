"""Money: what people, temporary cover and backfill cost, and what budgets hold.

Money follows the employer: a joint post costs its home environment. All amounts are a month's, on month
starts, with weighting, on-costs and the pay of that month, in every draw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from pharmsim.results.measures import By, group_keys, named, sum_posts

if TYPE_CHECKING:
    from pharmsim.scenario.models import Scenario

COSTS = ("pay_bill", "cover_cost", "backfill_cost")
"""What is paid: people in post, temporary cover, backfill for joint posts."""
UNIT = "GBP per month"
PENNY = 0.01
"""Amounts above a budget up to this, in GBP per month, are rounding."""


def cost(data: xr.Dataset, name: str, by: By = None) -> xr.DataArray:
    """One of `COSTS` (GBP per month); axes draw, time, cell."""
    return named(sum_posts(data[name], group_keys(data, by)), UNIT, name.replace("_", " "))


def spending(data: xr.Dataset, by: By = None) -> xr.DataArray:
    """Pay bill, cover and backfill together (GBP per month); axes draw, time, cell."""
    return named(sum_posts(_spending(data), group_keys(data, by)), UNIT, "spending")


def _spending(data: xr.Dataset) -> xr.DataArray:
    parts = [data[name] for name in COSTS if name in data]
    return named(sum(parts[1:], start=parts[0]), UNIT, "spending")


def spending_of_budgets(data: xr.Dataset) -> xr.DataArray:
    """Spending on the posts of every budget (GBP per month); axes draw, time, budget."""
    inside = data.variables["in_budget"].values.astype(float)
    values = _spending(data).transpose("draw", "time", "post").values @ inside.T
    template = data["budget_money"].transpose("draw", "time", "budget")
    return named(template.copy(data=values), UNIT, "spending of budgets")


def over_budget(data: xr.Dataset) -> xr.DataArray:
    """Spending on the posts of every budget less its money (GBP per month); negative when under."""
    over = spending_of_budgets(data) - data["budget_money"].transpose("draw", "time", "budget")
    return named(over, UNIT, "over budget")


def budgets_of(data: xr.Dataset, environment: str | None = None) -> np.ndarray:
    """Positions of the budgets that can be added up for an environment (None: for all).

    They are those all of whose posts have their home there: how one over several environments is
    divided is not said. Where the posts of one all lie in another, the wider one stands for both; if
    budgets overlap otherwise there are none to add up.
    """
    inside = data.variables["in_budget"].values.astype(bool)
    chosen = np.flatnonzero(inside.any(axis=1))
    if environment is not None:
        there = data.variables["post_environment"].values == environment
        chosen = np.array([i for i in chosen if not (inside[i] & ~there).any()], dtype=np.int64)
    wide = [i for i in chosen if not any(_within(inside, int(i), int(j)) for j in chosen)]
    found = np.array(wide, dtype=np.int64)
    overlap = len(found) and inside[found].sum(axis=0).max() > 1
    return found[:0] if overlap else found


def _within(inside: np.ndarray, i: int, j: int) -> bool:
    """Whether the posts of one budget all lie in another (of two with the same posts: in the first)."""
    narrower = bool((inside[i] <= inside[j]).all())
    return i != j and narrower and (bool((inside[i] != inside[j]).any()) or j < i)


def overspent(scenario: Scenario, data: xr.Dataset) -> list[str]:
    """Warn of budgets that cap and are exceeded all the same: by people in post, for nobody is dismissed.

    Parameters
    ----------
    scenario : Scenario
        Key paths in its `warnings_off` are left out.
    data : Dataset
        Results of the run.

    Returns
    -------
    list of str
        One line a budget, for the central run.
    """
    if "budget_money" not in data or "pay_bill" not in data:
        return []
    over = over_budget(data.isel(draw=slice(0, 1))).isel(draw=0)
    lines = []
    for name, budget in scenario.budgets.items():
        path = f"budgets.{name}"
        above = over.sel(budget=name)
        months = np.flatnonzero(above.values > PENNY)
        if budget.caps and len(months) and path not in scenario.warnings_off:
            first = np.datetime_as_string(above["time"].values[months[0]], unit="M")
            most = 12.0 * float(above.max()) / 1e6
            lines.append(
                f"{path}: caps, and people in post alone cost more on {len(months)} month starts, first "
                f"{first}, by up to £{most:.2f} million a year: posts are cut and nobody is dismissed"
            )
    return lines
