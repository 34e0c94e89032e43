"""The pay bill: FTE in post times pay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from pharmsim.results.axes import is_selected
from pharmsim.results.measures import By, group_keys, sum_posts

if TYPE_CHECKING:
    from pharmsim.scenario.models import Scenario
    from pharmsim.scenario.values import Cells


def by_post(scenario: Scenario, cells: Cells) -> np.ndarray:
    """Central value of a number for every post: rows in order, later ones override; terms multiply.

    Parameters
    ----------
    scenario : Scenario
    cells : Cells
        Rows keyed by axes or attributes of posts only.

    Returns
    -------
    ndarray, shape (post,)
        Not a number where no row applies.
    """
    total = np.ones(len(scenario.posts))
    for term in cells.terms:
        values = np.full(len(scenario.posts), np.nan)
        for row in term.rows:
            for i, post in enumerate(scenario.posts):
                if is_selected(post, row.where):
                    values[i] = row.value
        total = total * values
    return total


def pay_bill(data: xr.Dataset, scenario: Scenario, by: By = None) -> xr.DataArray:
    """Pay bill before on-costs: FTE in post × pay of one FTE for a year ÷ 12.

    The central pay is used for every draw. Posts without a rate of pay are not a number, and so are
    the sums that hold them.

    Parameters
    ----------
    data : Dataset
    scenario : Scenario
    by : str or sequence of str, optional

    Returns
    -------
    DataArray, GBP per month; axes draw, time, cell

    Raises
    ------
    ValueError
        If the scenario has no `pay`.
    """
    if scenario.pay is None:
        raise ValueError("pay_bill: the scenario has no section `pay`; add one with `per_fte`")
    pay = xr.DataArray(by_post(scenario, scenario.pay.per_fte), dims="post")
    bill = data["fte"] * pay / 12.0
    out = sum_posts(bill, group_keys(data, by))
    return out.assign_attrs(unit="GBP per month", long_name="pay bill")
