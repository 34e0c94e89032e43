"""Need and delivery: what services require, what people and temporary cover deliver, where time goes.

A service is a role in an environment and place; a joint post counts where it works, by its split of
working time. Everything here stands on month starts; the numbers of a year are those of its month
starts (of its one start with the `year` step). Incomplete last years are left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from pharmsim.results.axes import SERVICE_COORDS
from pharmsim.results.measures import YEAR, By, group_keys, named, steps_per_year, sum_along, sum_posts

HIGHEST = 10.0
"""Pressure is never above this."""
ROUNDING = 1e-9
"""A service that lacks less than this share of what it requires lacks nothing."""


# -- years --------------------------------------------------------------------------------------------


def _months_of_years(data: xr.Dataset, array: xr.DataArray) -> xr.DataArray:
    """Month starts of the whole years of the run: `time` divided into `year_from` and `month`."""
    steps = steps_per_year(data)
    axis = array.get_axis_num("time")
    n_years = (array.shape[axis] - 1) // steps
    values = np.take(array.values, np.arange(n_years * steps), axis=axis)
    shape = (*array.shape[:axis], n_years, steps, *array.shape[axis + 1 :])
    dims: list[str] = []
    for dim in array.dims:
        dims += ["year_from", "month"] if dim == "time" else [str(dim)]
    known = array.coords.variables
    coords = {dim: known[dim] for dim in dims if dim in known}
    coords["year_from"] = ("year_from", data.variables["time"].values[: n_years * steps : steps])
    return xr.DataArray(values.reshape(shape), dims=dims, coords=coords, attrs=array.attrs)


def mean_of_years(data: xr.Dataset, array: xr.DataArray) -> xr.DataArray:
    """Mean over the month starts of every whole year: `time` becomes `year_from`."""
    return _years_of(data, array, np.mean)


def sum_of_years(data: xr.Dataset, array: xr.DataArray) -> xr.DataArray:
    """Amount of every whole year of what is given a month: `time` becomes `year_from`."""
    months = YEAR // steps_per_year(data)
    unit = str(array.attrs.get("unit", "")).replace("per month", "per year")
    return named(_years_of(data, array, np.sum) * months, unit, str(array.attrs.get("long_name", "")))


def _years_of(data: xr.Dataset, array: xr.DataArray, reduce: Any) -> xr.DataArray:
    """Every whole year by itself, so that big arrays are not copied."""
    steps = steps_per_year(data)
    axis = array.get_axis_num("time")
    n_years = (array.shape[axis] - 1) // steps
    dims = tuple("year_from" if dim == "time" else dim for dim in array.dims)
    every = np.moveaxis(array.values, axis, 0)
    values = np.zeros((*array.shape[:axis], n_years, *array.shape[axis + 1 :]))
    by_year = np.moveaxis(values, axis, 0)
    for year in range(n_years):
        by_year[year] = reduce(every[year * steps : (year + 1) * steps], axis=0)
    known = array.coords.variables
    coords = {dim: known[dim] for dim in dims if dim in known}
    coords["year_from"] = ("year_from", data.variables["time"].values[: n_years * steps : steps])
    return xr.DataArray(values, dims=dims, coords=coords, attrs=array.attrs)


def at_year_ends(data: xr.Dataset, array: xr.DataArray) -> xr.DataArray:
    """A stock at the end of every whole year: `time` becomes `year_from` (the day the year began)."""
    steps = steps_per_year(data)
    n_years = (array.sizes["time"] - 1) // steps
    out = array.isel(time=np.arange(1, n_years + 1) * steps).drop_vars("time").rename(time="year_from")
    return out.assign_coords(year_from=data.variables["time"].values[: n_years * steps : steps])


# -- services -----------------------------------------------------------------------------------------


def service_keys(data: xr.Dataset, by: By) -> list[tuple[str, ...]]:
    """Values of the grouping axes (role, environment, place) for every service; () each for None.

    Raises
    ------
    ValueError
        If services do not have the axis.
    """
    axes = [by] if isinstance(by, str) else list(by or ())
    columns = []
    for axis in axes:
        if axis not in SERVICE_COORDS:
            raise ValueError(f"by: must be an axis of services ({', '.join(SERVICE_COORDS)}); got {axis!r}")
        columns.append([str(value) for value in data.variables[SERVICE_COORDS[axis]].values])
    return list(zip(*columns, strict=True)) if columns else [()] * data.sizes["service"]


def _of_services(data: xr.Dataset, array: xr.DataArray, by: By) -> xr.DataArray:
    return sum_posts(array, service_keys(data, by), "service")


def required(data: xr.Dataset, by: By = None) -> xr.DataArray:
    """Time on the service required, after delegation (FTE); axes draw, time, cell."""
    return named(_of_services(data, data["required_fte"], by), "FTE", "required FTE")


def delivered(data: xr.Dataset, by: By = None) -> xr.DataArray:
    """Time on the service delivered, temporary cover included (FTE); axes draw, time, cell.

    A joint post counts in the environments in which it works.
    """
    return named(_of_services(data, delivered_by_service(data), by), "FTE", "delivered FTE")


def delivered_by_service(data: xr.Dataset) -> xr.DataArray:
    """Delivered FTE by service, axes draw, time, service; where no need is described, from the posts."""
    if "service_fte" in data:
        return data["service_fte"].transpose("draw", "time", "service")
    given = data["delivered_fte"].transpose("draw", "time", "post").values @ data.variables["split"].values
    coords = {dim: data.variables[dim] for dim in ("draw", "time", "service")}
    return xr.DataArray(given, dims=tuple(coords), coords=coords)


def delivered_by_staff(data: xr.Dataset, by: By = None) -> xr.DataArray:
    """Delivered FTE without temporary cover and backfill; axes draw, time, cell."""
    return named(_of_services(data, staff_by_service(data), by), "FTE", "delivered by staff")


def delivered_by_cover(data: xr.Dataset, by: By = None) -> xr.DataArray:
    """Delivered FTE of temporary cover and backfill; axes draw, time, cell."""
    cover = delivered_by_service(data) - staff_by_service(data)
    return named(_of_services(data, cover, by), "FTE", "delivered by cover")


def with_staff(data: xr.Dataset) -> xr.Dataset:
    """The same data with `staff_fte` worked out once, if it can be."""
    return data.assign(staff_fte=staff_by_service(data)) if "time_fte" in data else data


def staff_by_service(data: xr.Dataset) -> xr.DataArray:
    """Working time of the service parts of the job plans, by service; axes draw, time, service."""
    if "staff_fte" in data:
        return data["staff_fte"]
    parts = np.flatnonzero(data.variables["use_kind"].values == "service")
    by_post = data["time_fte"].transpose("draw", "time", "post", "use").values[..., parts].sum(axis=3)
    return delivered_by_service(data).copy(data=by_post @ data.variables["split"].values)


def shortfall(data: xr.Dataset, by: By = None) -> xr.DataArray:
    """FTE that services lack: max(required − delivered, 0) of every service, added up.

    What one service has too much does not make up for what another lacks.
    """
    return named(_of_services(data, _lacking(data), by), "FTE", "shortfall")


def _lacking(data: xr.Dataset) -> xr.DataArray:
    need, given = data["required_fte"], data["service_fte"]
    return (need - given).where(need > given * (1.0 + ROUNDING), 0.0)


def months_in_shortage(data: xr.Dataset, by: By = None) -> xr.DataArray:
    """Months of every whole year in which a service requires more than is delivered.

    For a group: months in which at least one of its services does, so that a month counts wherever
    there is a shortfall.

    Returns
    -------
    DataArray, months; axes draw, year_from, cell
    """
    short = _months_of_years(data, shortfall(data, by) > 0.0)
    months = YEAR // steps_per_year(data)
    return named(short.sum("month") * float(months), "months", "months in shortage")


def pressure(data: xr.Dataset, by: By = None) -> xr.DataArray:
    """Required ÷ delivered of the group, at most 10; axes draw, time, cell.

    10 where something is required and nothing delivered, 0 where nothing is required.
    """
    return pressure_of(required(data, by), delivered(data, by))


def pressure_of(need: xr.DataArray, given: xr.DataArray) -> xr.DataArray:
    """Pressure of required and delivered FTE: their ratio, at most 10."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.minimum(need.values / given.values, HIGHEST)
    ratio = np.where(given.values > 0.0, ratio, HIGHEST)
    return named(need.copy(data=np.where(need.values > 0.0, ratio, 0.0)), "ratio", "pressure")


def time_use(data: xr.Dataset, by: By = None) -> xr.DataArray:
    """Working time by use (FTE): the uses of a post sum to its FTE; axes draw, time, use, cell.

    By environment a joint post counts where it works, by its split; by anything else, as one.
    """
    return uses_by_cell(data, data["time_fte"], by)


def uses_by_cell(data: xr.Dataset, array: xr.DataArray, by: By = None) -> xr.DataArray:
    """Working time (or its mean over years) by group: the last two axes become use and cell."""
    axes = [by] if isinstance(by, str) else list(by or ())
    array = array.transpose(..., "use", "post")
    if "environment" not in axes or set(axes) - set(SERVICE_COORDS):
        return named(sum_posts(array, group_keys(data, by)), "FTE", "working time")
    split = data.variables["split"].values
    keys = service_keys(data, by)
    values = sum_along(array.values @ split, 3, keys)
    coords: dict[Any, Any] = {dim: array.coords.variables[dim] for dim in array.dims[:3]}
    coords["cell"] = ("cell", [" / ".join(key) for key in dict.fromkeys(keys)])
    found = xr.DataArray(values, dims=(*array.dims[:3], "cell"), coords=coords)
    return named(found, "FTE", "working time")
