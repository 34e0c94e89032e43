"""Measures of the workforce, by their published definitions.

Pure functions of the results (`Results.data`). Every function keeps the leading axis `draw`; `by` groups
posts by role, environment, grade, place or a declared attribute (several may be given), and None adds
all posts up. Whoever asks for a date gets the year ending on or before it, and is told which: in the
coordinates `year_from` and `year_to`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from pharmsim.results.axes import POST_COORDS
from pharmsim.results.rates import vacancy_rate_from_fte

By = str | Sequence[str] | None
Date = Any  # anything that numpy.datetime64 takes: "2027-03", a date, a timestamp
YEAR = 12


# -- groups of posts ---------------------------------------------------------------------------------


def group_keys(data: xr.Dataset, by: By) -> list[tuple[str, ...]]:
    """Values of the grouping axes for every post; one empty tuple each where `by` is None."""
    axes = [by] if isinstance(by, str) else list(by or ())
    columns = []
    for axis in axes:
        name = axis if axis == "post" else POST_COORDS.get(axis, f"post_{axis}")
        if name not in data.coords:
            known = ", ".join(["post", *POST_COORDS])
            raise ValueError(f"by: must be an axis of posts ({known}) or a declared attribute; got {axis!r}")
        columns.append([str(value) for value in data.variables[name].values])
    if not columns:
        return [()] * data.sizes["post"]
    return list(zip(*columns, strict=True))


def sum_posts(
    array: xr.DataArray, keys: Sequence[tuple[str, ...] | None], over: str = "post"
) -> xr.DataArray:
    """Add posts (or services …) up by key; those whose key is None are left out.

    Parameters
    ----------
    array : DataArray with an axis `over`
    keys : sequence, one for each position on `over`
    over : str

    Returns
    -------
    DataArray
        `over` replaced by `cell`, labelled "a / b" (or "all").
    """
    unique = list(dict.fromkeys(key for key in keys if key is not None))
    summed = sum_along(array.values, array.get_axis_num(over), keys)
    dims = [dim for dim in array.dims if dim != over]
    known = array.coords.variables
    coords: dict[Any, Any] = {dim: known[dim] for dim in dims if dim in known}
    coords["cell"] = [" / ".join(key) or "all" for key in unique]
    return xr.DataArray(summed, dims=(*dims, "cell"), coords=coords, attrs=array.attrs)


def named(array: xr.DataArray, unit: str, long_name: str) -> xr.DataArray:
    """The same array with its own unit and name, and nothing left of its parts' attributes."""
    out = array.copy(deep=False)
    out.attrs = {"unit": unit, "long_name": long_name}
    return out


def _grouped(data: xr.Dataset, array: xr.DataArray, by: By) -> xr.DataArray:
    return sum_posts(array, group_keys(data, by))


def sum_along(values: np.ndarray, axis: int, keys: Sequence[tuple[str, ...] | None]) -> np.ndarray:
    """Add positions of an axis up by key; the sums stand on a new last axis, in order of appearance."""
    unique = list(dict.fromkeys(key for key in keys if key is not None))
    members = [[i for i, key in enumerate(keys) if key == wanted] for wanted in unique]
    parts = [np.add.reduce(np.take(values, index, axis=axis), axis=axis) for index in members]
    shape = values.shape[:axis] + values.shape[axis + 1 :] + (0,)
    return np.stack(parts, axis=-1) if parts else np.zeros(shape)


# -- the year that is meant ---------------------------------------------------------------------------


def steps_per_year(data: xr.Dataset) -> int:
    """Periods in a year: 12, or 1 with the `year` step."""
    return YEAR // int(data.attrs.get("months_per_period", 1))


def year_ending(data: xr.Dataset, date: Date | None = None) -> tuple[int, int]:
    """Positions on `time` of the last twelve months that end on or before a date.

    Parameters
    ----------
    data : Dataset
    date : date, optional
        None: the end of the run.

    Returns
    -------
    (first, last) : int
        Stocks of the year stand at first and last; its flows are periods first … last − 1.

    Raises
    ------
    ValueError
        If no whole year ends on or before the date.
    """
    times = data.variables["time"].values
    steps = steps_per_year(data)
    wanted = times[-1] if date is None else np.datetime64(date)
    last = int(np.searchsorted(times, wanted, side="right")) - 1
    if last < steps:
        first = np.datetime_as_string(times[0] if len(times) <= steps else times[steps], "D")
        raise ValueError(f"date: no whole year of the run ends on or before {date}; the first ends {first}")
    return last - steps, last


def retention_index(data: xr.Dataset, date: Date | None) -> slice | int:
    """Position of the retention year ending on or before a date (None: all years)."""
    if date is None:
        return slice(None)
    ends = year_ends(data)
    index = int(np.searchsorted(ends, np.datetime64(date), side="right")) - 1
    if index < 0:
        first = np.datetime_as_string(ends[0], "D")
        raise ValueError(f"date: no retention year ends on or before {date}; the first ends {first}")
    return index


def year_ends(data: xr.Dataset) -> np.ndarray:
    """Ends of the retention years (twelve months after tagging)."""
    starts = data.variables["retention_year"].values.astype("datetime64[M]")
    return (starts + YEAR).astype("datetime64[ns]")


def windows(data: xr.Dataset, dates: np.ndarray, over: str) -> tuple[np.ndarray, np.ndarray]:
    """Positions on `time` from which and until which (not included) something is added up to dates.

    Each date stands for the last month start on or before it; `over` is "cumulated" (since the start) or
    "year" (the twelve months before: from below 0 where there are fewer).
    """
    last = np.searchsorted(data.variables["time"].values, dates, side="right") - 1
    return (last - steps_per_year(data) if over == "year" else np.zeros_like(last)), last


def added_up(
    data: xr.Dataset, values: np.ndarray, dates: np.ndarray, over: str = "cumulated", months: float = 0.0
) -> np.ndarray:
    """What is given a month, or stands on month starts, added up to dates (`windows`).

    Parameters
    ----------
    data : Dataset
    values : ndarray, shape (draw, time, …)
    dates, over
    months : float
        Months that every value stands for, by default those of a period.

    Returns
    -------
    ndarray, shape (draw, date, …)
        Not a number where no whole year of the run ends by the date.
    """
    months = months or YEAR / steps_per_year(data)
    found = np.full((len(values), len(dates), *values.shape[2:]), np.nan)
    for i, (first, last) in enumerate(zip(*windows(data, dates, over), strict=True)):
        if first >= 0:
            found[:, i] = months * values[:, first:last].sum(axis=1)
    return found


def _told(array: xr.DataArray, first: Any, last: Any) -> xr.DataArray:
    return array.assign_coords(year_from=first, year_to=last)


def _flow_in_year(data: xr.Dataset, name: str, first: int, last: int) -> xr.DataArray:
    """Flow added up over a year and over every axis but draw and post."""
    year = data[name].isel(period=slice(first, last))
    return year.sum([dim for dim in year.dims if dim not in ("draw", "post")])


# -- stocks -------------------------------------------------------------------------------------------


def headcount(data: xr.Dataset, by: By = None) -> xr.DataArray:
    """People in post (heads), axes draw, time, cell."""
    return _grouped(data, data["headcount"].sum(["group", "contract"]), by)


def fte(data: xr.Dataset, by: By = None) -> xr.DataArray:
    """Full-time equivalents in post, axes draw, time, cell."""
    return _grouped(data, data["fte"], by)


def with_establishment(data: xr.Dataset) -> np.ndarray:
    """Which posts have an establishment (others have no limit), shape (post,)."""
    first = data.variables["establishment_fte"].isel(draw=0, time=0)
    return np.asarray(~np.isnan(first.values))


def establishment(data: xr.Dataset, by: By = None) -> xr.DataArray:
    """Funded FTE of the posts that have an establishment, axes draw, time, cell."""
    keys = limited_keys(data, by)
    return sum_posts(data["establishment_fte"], keys)


def limited_keys(data: xr.Dataset, by: By) -> list[tuple[str, ...] | None]:
    """Keys of posts for grouping; None for posts without an establishment."""
    limited = with_establishment(data)
    return [key if keep else None for key, keep in zip(group_keys(data, by), limited, strict=True)]


def vacancies(data: xr.Dataset, by: By = None) -> xr.DataArray:
    """Establishment less FTE in post (FTE), of posts that have an establishment; axes draw, time, cell."""
    return sum_posts(data["vacancy_fte"], limited_keys(data, by))


def vacancy_rate(data: xr.Dataset, by: By = None) -> xr.DataArray:
    """Vacancy rate: (establishment − FTE) ÷ establishment, share; negative when over-established.

    Posts without an establishment are left out of both sums.

    References
    ----------
    StatsWales, NHS staff vacancies; NHS Vacancy Statistics, England (experimental).
    """
    funded = establishment(data, by)
    in_post = sum_posts(data["fte"], limited_keys(data, by))
    with np.errstate(invalid="ignore", divide="ignore"):
        rate = vacancy_rate_from_fte(funded, in_post)
    return named(rate, "share", "vacancy rate")


def share_55plus(data: xr.Dataset, by: By = None) -> xr.DataArray:
    """Share of people in post aged 55 or over, axes draw, time, cell."""
    older = _grouped(data, data["headcount_55plus"], by)
    return named(older / headcount(data, by), "share", "share aged 55 or over")


def fte_per_contract(scenario: Any) -> dict[str, float]:
    """Mean FTE per head written for every contract, without weights (for ranking contracts)."""
    found: dict[str, list[float]] = {name: [] for name in scenario.contracts}
    for term in scenario.fte_per_head.terms if scenario.fte_per_head else ():
        for row in term.rows:
            for name in row.where.get("contract", tuple(found)):
                found[name].append(row.value)
    return {name: float(np.mean(values)) if values else 1.0 for name, values in found.items()}


def full_contract(scenario: Any) -> str:
    """Name the contract with the most FTE per head; the others count as part-time."""
    ranking = fte_per_contract(scenario)
    return max(ranking, key=lambda name: ranking[name])


def headcount_by_age(data: xr.Dataset, by: By = None) -> xr.DataArray:
    """People in post by age at last birthday (heads), axes draw, year, age, cell."""
    return _grouped(data, data["headcount_by_age"], by)


def part_time_share(data: xr.Dataset, full: str, by: By = None) -> xr.DataArray:
    """Share of people whose contract is not the fullest one, axes draw, time, cell.

    Parameters
    ----------
    data : Dataset
    full : str
        The contract with the most FTE per head (`full_contract(scenario)`).
    by : str or sequence of str, optional
    """
    heads = data["headcount"].sum("group")
    part = heads.sel(contract=[name for name in data["contract"].values if name != full]).sum("contract")
    share = _grouped(data, part, by) / headcount(data, by)
    return named(share, "share", "share on part-time contracts")


def skill_mix(data: xr.Dataset, within: By = "environment") -> xr.DataArray:
    """Share of every role in the FTE of each environment (or of all, with None).

    Returns
    -------
    DataArray, axes draw, time, cell ("environment / role")
    """
    axes = [within] if isinstance(within, str) else list(within or ())
    keys = group_keys(data, [*axes, "role"])
    parts = sum_posts(data["fte"], keys)
    wholes = sum_posts(data["fte"], [key[:-1] for key in keys])
    unique = list(dict.fromkeys(keys))
    order = [" / ".join(key[:-1]) or "all" for key in unique]
    whole = wholes.sel(cell=order).assign_coords(cell=parts["cell"])
    with np.errstate(invalid="ignore", divide="ignore"):
        share = parts / whole
    return named(share, "share", "share of FTE by role")


# -- flows --------------------------------------------------------------------------------------------


def yearly_flow(data: xr.Dataset, name: str) -> xr.DataArray:
    """Flow added up over the whole years of the run, counted from the start.

    Returns
    -------
    DataArray, heads per year
        `period` replaced by `year_from` (first day of each year). Months after the last whole year
        are left out.
    """
    flow = data.variables[name]
    steps = steps_per_year(data)
    axis = flow.dims.index("period")
    n_years = flow.shape[axis] // steps
    values = np.take(flow.values, np.arange(n_years * steps), axis=axis)
    shape = (*values.shape[:axis], n_years, steps, *values.shape[axis + 1 :])
    summed = values.reshape(shape).sum(axis=axis + 1)
    dims = tuple("year_from" if dim == "period" else dim for dim in flow.dims)
    coords: dict[Any, Any] = {dim: data.variables[dim] for dim in dims if dim in data.variables}
    coords["year_from"] = data.variables["period"].values[: n_years * steps : steps]
    attrs = {**flow.attrs, "unit": "heads per year", "units": "year-1"}
    return xr.DataArray(summed, dims=dims, coords=coords, name=name, attrs=attrs)


def joiners_by_year(data: xr.Dataset, by: By = None) -> xr.DataArray:
    """People starting a post by source (heads per year); axes draw, year_from, source, cell."""
    return _grouped(data, yearly_flow(data, "joiners"), by)


def leavers_by_year(data: xr.Dataset, by: By = None) -> xr.DataArray:
    """People leaving by destination (heads per year), retirement not included."""
    return _grouped(data, yearly_flow(data, "leavers"), by)


def exit_rate(
    data: xr.Dataset,
    by: By = None,
    date: Date | None = None,
    destinations: Sequence[str] | None = None,
    retirement: bool = True,
) -> xr.DataArray:
    """Exit rate: flow count of a year ÷ mean stock of that year, per year.

    It counts people who joined and left within the year, which the published leaver rate does not.
    In a steady stock it equals the hazard. Moves between posts are not counted.

    Parameters
    ----------
    data : Dataset
    by : str or sequence of str, optional
    date : date, optional
        The year ending on or before it (None: the last year of the run).
    destinations : sequence of str, optional
        Count only these destinations of leavers.
    retirement : bool
        Whether retirements count.

    Returns
    -------
    DataArray, axes draw, cell; coordinates year_from, year_to
    """
    first, last = year_ending(data, date)
    exits = xr.zeros_like(data["fte"].isel(time=0, drop=True))
    if "leavers" in data:
        chosen = data if destinations is None else data.sel(destination=list(destinations))
        exits = exits + _flow_in_year(chosen, "leavers", first, last)
    if retirement and "retirements" in data:
        exits = exits + _flow_in_year(data, "retirements", first, last)
    stock = headcount(data, by).isel(time=slice(first, last + 1))
    mean = ((stock.values[:, :-1] + stock.values[:, 1:]) / 2).mean(axis=1)
    rate = _grouped(data, exits, by) / mean
    times = data["time"].values
    return named(_told(rate, times[first], times[last]), "per year", "exit rate")


def moves_matrix(data: xr.Dataset, by: str = "environment", date: Date | None = None) -> xr.DataArray:
    """People moving between groups of posts in a year (heads per year).

    Moves, promotions and role changes all count; the diagonal holds those inside a group.

    Returns
    -------
    DataArray, axes draw, from, to; coordinates year_from, year_to
    """
    first, last = year_ending(data, date)
    flow = data["moves"].isel(period=slice(first, last)).sum("period")
    group = {str(post): key[0] for post, key in zip(data["post"].values, group_keys(data, by), strict=True)}
    names = list(dict.fromkeys(group.values()))
    matrix = np.zeros((data.sizes["draw"], len(names), len(names)))
    for i, (source, target) in enumerate(zip(data["edge_from"].values, data["edge_to"].values, strict=True)):
        matrix[:, names.index(group[source]), names.index(group[target])] += flow.values[:, i]
    coords = {"draw": data["draw"], "from": names, "to": names}
    out = xr.DataArray(matrix, dims=("draw", "from", "to"), coords=coords, attrs={"unit": "heads per year"})
    times = data["time"].values
    return _told(out, times[first], times[last])
