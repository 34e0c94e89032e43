"""Comparing scenarios with a base under the same draws.

Uncertainties are drawn by (seed, name), so that scenarios that share an uncertainty share its draws: a
difference is taken draw by draw, and what is uncertain in both cancels out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pharmsim.errors import Problem, ScenarioError
from pharmsim.results import measures, money, need, retention
from pharmsim.results.columns import ALL, CELLS
from pharmsim.results.labelled import Results
from pharmsim.results.tables import retention_groupings
from pharmsim.scenario.models import Scenario

YEARS = (5, 10)
"""Years after the start at which differences are shown, besides the end."""

SAME_NEED = 1e-9
"""Need that differs by less, relative to the base, is the same."""

Cells = dict[tuple[str, ...], np.ndarray]
"""(role, environment) → numbers, shape (draw, date)."""


@dataclass(frozen=True)
class Comparison:
    """Scenarios beside a base, under the same draws.

    Attributes
    ----------
    base : Results
    others : tuple of Results
    names : tuple of str
        Names of the others, made unique.
    dates : ndarray of datetime64
        Dates of the differences.
    differences : DataFrame
        scenario, date, year_from, quantity, level, role, environment, unit, base, value (both at the
        central values), difference, and median, p5, p95 over draws if there are any. A post that one
        of the two lacks has nobody and no vacancy there.
    warnings : tuple of str
        Posts that a scenario and the base do not share, and need that differs at the start, in words.
    """

    base: Results
    others: tuple[Results, ...]
    names: tuple[str, ...]
    dates: np.ndarray
    differences: pd.DataFrame
    warnings: tuple[str, ...] = ()


def compare(
    base: Scenario,
    others: Sequence[Scenario],
    draws: int = 0,
    seed: int = 1,
    dates: Sequence[Any] | None = None,
    run: Callable[..., Results] | None = None,
) -> Comparison:
    """Run scenarios under the same draws and take their differences from a base.

    Parameters
    ----------
    base : Scenario
    others : sequence of Scenario
    draws, seed : int
        As in `pharmsim.run`; the same for all.
    dates : sequence of dates, optional
        By default 5 and 10 years after the start, and the end. Stocks stand on the last date of the
        run on or before each; flows and retention are those of the year ending on or before it.
    run : callable, optional
        Runs a scenario as `pharmsim.run` does (the default).

    Returns
    -------
    Comparison

    Raises
    ------
    ScenarioError
        If the scenarios do not cover the same months.
    """
    run = run or _run
    for other in others:
        if (other.start, other.end) != (base.start, base.end):
            message = (
                f"must run from {base.start} to {base.end} like {base.name}; runs from {other.start} to "
            )
            message += f"{other.end}. Give both the same start and end."
            raise ScenarioError([Problem(other.name, 0, "end", message)])
    first = run(base, draws=draws, seed=seed)
    rest = tuple(run(other, draws=draws, seed=seed) for other in others)
    at = chosen_dates(first.data, dates)
    names = unique_names([other.name for other in others])
    table = [_differences(name, first.data, other.data, at) for name, other in zip(names, rest, strict=True)]
    told = [
        text for name, other in zip(names, others, strict=True) for text in other_posts(name, base, other)
    ]
    told += [text for name, other in zip(names, rest, strict=True) for text in other_need(name, first, other)]
    return Comparison(first, rest, names, at, pd.concat(table, ignore_index=True), tuple(told))


def other_posts(name: str, base: Scenario, other: Scenario) -> list[str]:
    """Say which posts only one of two scenarios has, and how they count."""
    old, new = ([post.post for post in scenario.posts] for scenario in (base, other))
    found = []
    for title, has, lacks in ((f"{name} has no", old, new), (f"{base.name} has no", new, old)):
        only = [post for post in has if post not in lacks]
        if only:
            shown = ", ".join(only[:6]) + (f" and {len(only) - 6} more" if len(only) > 6 else "")
            found.append(f"{title} {shown}: counted as nobody in post and no vacancy there")
    return found


def other_need(name: str, base: Results, other: Results) -> list[str]:
    """Say where another scenario already needs more or less at the start than the base.

    Need that is a ratio of what is delivered at the start moves with every change that acts by then.

    Parameters
    ----------
    name : str
        Of the other scenario.
    base, other : Results

    Returns
    -------
    list of str
        One warning, or none: also if one of the two has no need, or both give it in FTE.
    """
    measured = [run.scenario.need is not None and run.scenario.need.fte is None for run in (base, other)]
    if not any(measured) or not all("required_fte" in run.data for run in (base, other)):
        return []
    required = [run.data["required_fte"].isel(time=0).transpose("draw", "service") for run in (base, other)]
    shared = [label for label in required[0]["service"].values if label in required[1]["service"].values]
    old, new = (array.sel(service=shared).values for array in required)
    moved = np.abs(new - old) > SAME_NEED * np.maximum(np.abs(old), 1.0)
    at = np.flatnonzero(moved.any(axis=0))
    if not len(at):
        return []
    k = at[np.abs(new - old)[:, at].max(axis=0).argmax()]
    more = f" and {len(at) - 1} more" if len(at) > 1 else ""
    return [
        f"{name} needs {new[0, k]:,.1f} FTE at the start for {shared[k]}{more}, {base.scenario.name} "
        f"{old[0, k]:,.1f}: `opening_ratio` is measured on what each scenario itself delivers at the start, "
        "so a change that acts by then moves the need too. Let it begin a month later, or give `need.fte`"
    ]


def _run(scenario: Scenario, draws: int, seed: int) -> Results:
    import pharmsim

    results: Results = pharmsim.run(scenario, draws=draws, seed=seed)
    return results


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names with a number behind those that occur again."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(found)


def chosen_dates(data: xr.Dataset, dates: Sequence[Any] | None = None) -> np.ndarray:
    """Dates of the differences: those asked for, or 5 and 10 years after the start and the end."""
    times = data.variables["time"].values
    if dates is None:
        start = times[0].astype("datetime64[M]")
        wanted = [(start + 12 * n).astype("datetime64[ns]") for n in YEARS]
        dates = [*(date for date in wanted if date < times[-1]), times[-1]]
    asked = np.array([np.datetime64(date) for date in dates], dtype="datetime64[ns]")
    at = np.searchsorted(times, asked, side="right") - 1
    if (at < 0).any():
        first = np.datetime_as_string(times[0], "D")
        raise ValueError(f"dates: must not be before the start, {first}; got {asked[at < 0][0]}")
    return np.asarray(times[at])


# -- numbers of one run -----------------------------------------------------------------------------------


def _keys(data: xr.Dataset, by: Sequence[str], keys: Sequence[Any]) -> list[tuple[str, ...]]:
    """(role, environment) of the cells of a grouping, "all" where it adds up."""
    unique = list(dict.fromkeys(key for key in keys if key is not None))
    return _placed(by, unique)


def _placed(by: Sequence[str], unique: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    return [
        tuple(key[list(by).index(axis)] if axis in by else ALL for axis in ("role", "environment"))
        for key in unique
    ]


def _stock(data: xr.Dataset, quantity: str, dates: np.ndarray) -> Cells:
    """A stock on dates, by role and environment and their sums."""
    found: Cells = {}
    limited = quantity == "vacancy_fte"
    make = {"headcount": measures.headcount, "fte": measures.fte, "vacancy_fte": measures.vacancies}[quantity]
    for by in CELLS:
        keys = measures.limited_keys(data, by) if limited else measures.group_keys(data, by)
        values = make(data, by).sel(time=dates).values
        found |= {key: values[:, :, j] for j, key in enumerate(_keys(data, by, keys))}
    return found


def _leavers(data: xr.Dataset, dates: np.ndarray) -> Cells:
    """People leaving or retiring in the years ending on dates."""
    total: Any = 0.0
    for name in ("leavers", "retirements"):
        if name in data:
            flow = data[name]
            total = total + flow.sum([dim for dim in flow.dims if dim not in ("draw", "period", "post")])
    if isinstance(total, float):
        return {}
    by_date = []
    for date in dates:
        first, last = measures.year_ending(data, date)
        by_date.append(total.isel(period=slice(first, last)).sum("period"))
    joined = xr.concat(by_date, dim="date").transpose("draw", "date", "post")
    found: Cells = {}
    for by in CELLS:
        keys = measures.group_keys(data, by)
        values = measures.sum_posts(joined, keys).values
        found |= {key: values[:, :, j] for j, key in enumerate(_keys(data, by, keys))}
    return found


def _kept(data: xr.Dataset, level: str, dates: np.ndarray) -> tuple[Cells, list[Any]]:
    """Stability index in the years ending on dates, and where those years began."""
    found: Cells = {}
    years = [retention.stability_index(data, level, None, date)["year_from"].values for date in dates]
    for by, title in retention_groupings(data, level)[0]:
        if title == "block":
            continue
        axes = [by] if isinstance(by, str) else list(by or ())
        keys = retention.grouping(data, level, by).keys
        parts = [retention.stability_index(data, level, by, date).values for date in dates]
        values = np.stack(parts, axis=1)
        found |= {key: values[:, :, j] for j, key in enumerate(_placed(axes, keys))}
    return found, years


SERVICES: dict[str, tuple[str, Callable[[xr.Dataset, measures.By], xr.DataArray]]] = {
    "required_fte": ("FTE", need.required),
    "delivered_fte": ("FTE", need.delivered),
    "shortfall_fte": ("FTE", need.shortfall),
    "pressure": ("ratio", need.pressure),
}
"""Quantities of services on dates: unit and measure."""


def _services(data: xr.Dataset, quantity: str, dates: np.ndarray) -> Cells:
    """A quantity of services on dates, by role and environment where the work is done."""
    found: Cells = {}
    for by in CELLS:
        values = SERVICES[quantity][1](data, by).sel(time=dates).values
        keys = _keys(data, by, need.service_keys(data, by))
        found |= {key: values[:, :, j] for j, key in enumerate(keys)}
    return found


def _amounts(data: xr.Dataset, quantity: str, dates: np.ndarray) -> Cells:
    """Money spent, or months in shortage, in the years ending on dates."""
    found: Cells = {}
    months = measures.YEAR // measures.steps_per_year(data)
    for by in CELLS:
        if quantity == "months_in_shortage":
            array, keys = (need.shortfall(data, by) > 0.0).astype(float), need.service_keys(data, by)
        else:
            array, keys = money.cost(data, quantity, by), measures.group_keys(data, by)
        years = [slice(*measures.year_ending(data, date)) for date in dates]
        values = np.stack([array.isel(time=year).sum("time").values * months for year in years], axis=1)
        found |= {key: values[:, :, j] for j, key in enumerate(_keys(data, by, keys))}
    return found


# -- differences --------------------------------------------------------------------------------------------


def _differences(name: str, base: xr.Dataset, other: xr.Dataset, dates: np.ndarray) -> pd.DataFrame:
    """All differences of one scenario."""
    rows: list[dict[str, Any]] = []
    told = {"scenario": name, "level": ""}
    for quantity, unit in (("headcount", "heads"), ("fte", "FTE"), ("vacancy_fte", "FTE")):
        if quantity in base and quantity in other:
            old, new = (_stock(data, quantity, dates) for data in (base, other))
            if quantity == "vacancy_fte":
                _none_where_no_post(old, _cells(base), new)
                _none_where_no_post(new, _cells(other), old)
            missing = np.nan if quantity == "vacancy_fte" else 0.0
            rows += _rows({**told, "quantity": quantity, "unit": unit}, old, new, dates, missing)
    after_a_year = dates[dates >= base.variables["time"].values[0] + np.timedelta64(365, "D")]
    old, new = (_leavers(data, after_a_year) for data in (base, other))
    text = {**told, "quantity": "leavers", "unit": "heads per year"}
    rows += _rows(text, old, new, after_a_year, 0.0, _years_before(base, after_a_year))
    rows += _system_rows(told, base, other, dates, after_a_year)
    if "tagged" in base and "tagged" in other and base.sizes.get("retention_year"):
        followed = dates[dates >= measures.year_ends(base)[0]]
        both = [level for level in base["level"].values if level in other["level"].values]
        for level in map(str, both):
            (old, years), (new, _) = (_kept(data, level, followed) for data in (base, other))
            text = {"scenario": name, "level": level, "quantity": "stability_index", "unit": "share"}
            rows += _rows(text, old, new, followed, np.nan, years)
    frame = pd.DataFrame(rows)
    first = ["scenario", "date", "year_from", "quantity", "level", "role", "environment", "unit"]
    return frame[[*first, *[column for column in frame.columns if column not in first]]]


def _system_rows(
    told: dict[str, str], base: xr.Dataset, other: xr.Dataset, dates: np.ndarray, later: np.ndarray
) -> list[dict[str, Any]]:
    """Differences in need, delivery and money, of what both runs have (`later`: dates after a year)."""
    rows: list[dict[str, Any]] = []
    both = set(base.data_vars) & set(other.data_vars)
    with_need = {"required_fte", "service_fte"} <= both
    for quantity, (unit, _) in SERVICES.items() if with_need else ():
        old, new = (_services(data, quantity, dates) for data in (base, other))
        missing = np.nan if quantity == "pressure" else 0.0
        rows += _rows({**told, "quantity": quantity, "unit": unit}, old, new, dates, missing)
    yearly = [("months_in_shortage", "months")] if with_need else []
    yearly += [(name, "GBP per year") for name in ("pay_bill", "cover_cost") if name in both]
    for quantity, unit in yearly if len(later) else ():
        old, new = (_amounts(data, quantity, later) for data in (base, other))
        text = {**told, "quantity": quantity, "unit": unit}
        rows += _rows(text, old, new, later, 0.0, _years_before(base, later))
    return rows


def _cells(data: xr.Dataset) -> set[tuple[str, ...]]:
    """(role, environment) of every cell that has a post."""
    return {key for by in CELLS for key in _keys(data, by, measures.group_keys(data, by))}


def _none_where_no_post(found: Cells, cells: set[tuple[str, ...]], other: Cells) -> None:
    """Add zeros for the cells of the other run in which this one has no post (not: no limit)."""
    found |= {
        key: np.zeros_like(values) for key, values in other.items() if key not in found and key not in cells
    }


def _years_before(data: xr.Dataset, dates: np.ndarray) -> list[Any]:
    times = data.variables["time"].values
    return [times[measures.year_ending(data, date)[0]] for date in dates]


def _rows(
    text: dict[str, str],
    old: Cells,
    new: Cells,
    dates: np.ndarray,
    missing: float,
    years: list[Any] | None = None,
) -> list[dict[str, Any]]:
    """Rows of one quantity: every cell that either run has, on every date."""
    rows = []
    for key in dict.fromkeys([*old, *new]):
        shape = (old[key] if key in old else new[key]).shape
        a, b = (cells.get(key, np.full(shape, missing)) for cells in (old, new))
        for i, date in enumerate(dates):
            row: dict[str, Any] = {**text, "date": date, "year_from": pd.NaT if years is None else years[i]}
            row |= {"role": key[0], "environment": key[1]}
            row |= {"base": a[0, i], "value": b[0, i], "difference": b[0, i] - a[0, i]}
            if len(a) > 1:
                cuts = np.quantile((b - a)[1:, i], [0.5, 0.05, 0.95])
                row |= dict(zip(("median", "p5", "p95"), cuts, strict=True))
            rows.append(row)
    return rows
