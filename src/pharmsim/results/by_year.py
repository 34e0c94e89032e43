"""Every quantity by year: what is kept of every draw."""

from __future__ import annotations

import xarray as xr

from pharmsim.quantities import FLOWS
from pharmsim.results import measures, need
from pharmsim.results.columns import mark_index

MONTHLY_MONEY = "GBP per month"


def by_year(data: xr.Dataset) -> xr.Dataset:
    """Reduce results to years of the model.

    Parameters
    ----------
    data : Dataset
        Leading axis `draw`.

    Returns
    -------
    Dataset
        Stocks and ratios at the start, on the anniversaries and at the end (`time`); flows and money
        added up over every whole year (`year_from`: its first day); what is yearly, or stands before the
        start, as it is. Without the monthly error of conservation.
    """
    whole = data.isel(time=mark_index(data)).drop_dims("period", errors="ignore")
    added = {name: measures.yearly_flow(data, name) for name in FLOWS if name in data}
    money = [name for name in whole.data_vars if data[name].attrs.get("unit") == MONTHLY_MONEY]
    found = whole.assign(added | {str(name): _money(data, data[name]) for name in money})
    return found[[name for name in data.data_vars if name in found]]


def _money(data: xr.Dataset, array: xr.DataArray) -> xr.DataArray:
    """Money of whole years."""
    return need.sum_of_years(data, array).assign_attrs(
        {**array.attrs, "unit": "GBP per year", "units": "year-1"}
    )
