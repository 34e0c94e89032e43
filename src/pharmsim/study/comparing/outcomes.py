"""What is measured of one run, to set it beside another: all that a comparison keeps of it.

Arrays of a run with many draws are large; what stays of them here is small, so that the runs of a comparison
are made one after the other and dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import xarray as xr

from pharmsim.results import measures, netcdf, retention
from pharmsim.results.batches import batches
from pharmsim.results.columns import ALL, CELLS
from pharmsim.results.labelled import Results
from pharmsim.results.tables import main_tables, retention_groupings
from pharmsim.scenario.models import Scenario
from pharmsim.study.comparing.amounts import price_of_cover
from pharmsim.study.comparing.flows import Flow, cumulated_flows
from pharmsim.study.comparing.kinds import (
    ALONG,
    AMOUNTS,
    BY_YEAR,
    NAN,
    STOCKS,
    Cell,
    Kind,
    months_each,
    placed,
    with_costs,
)

Key = TypeVar("Key")
OVER = ("year", "cumulated")
MONTHS_APART = 3
"""Trajectories have a point every third month, and the last."""


@dataclass(frozen=True)
class Measure:
    """One quantity of a run, by role and environment and their sums.

    Attributes
    ----------
    quantity, unit : str
    over : str
        "date", "year" (the twelve months before the date) or "cumulated" (since the start).
    dates : ndarray of datetime64, shape (date,)
    cells : dict
        (role, environment) → numbers, shape (draw, date).
    missing : float
        What a cell counts as that this run does not have.
    level : str
        Level of retention; else empty.
    since : ndarray of datetime64, shape (date,)
        When the year, or the run, began; not a time for "date".
    """

    quantity: str
    unit: str
    over: str
    dates: np.ndarray
    cells: dict[Cell, np.ndarray]
    missing: float = 0.0
    level: str = ""
    since: np.ndarray | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from the other measures of a run: quantity, level, over."""
        return self.quantity, self.level, self.over


@dataclass(frozen=True)
class Outcomes:
    """What a comparison keeps of a run.

    Attributes
    ----------
    scenario : Scenario
    meta : dict
        As in `Results`.
    n_draws : int
        Draws besides the central values.
    dates : ndarray of datetime64
    measures : dict
        (quantity, level, over) → Measure on the dates of the comparison.
    trajectories : dict
        The same for every third month and the last (stability index: its years); by role, by
        environment, and for all.
    flows : dict
        Flow → people over the whole run, shape (draw,).
    cells : set
        (role, environment) of every cell that has a post.
    required : DataArray or None
        Required FTE at the start, axes draw, service.
    price_of_cover : ndarray, shape (draw,)
        GBP for an FTE-year delivered by temporary cover; not a number where none is paid for.
    tables : dict of DataFrame
        Main tables of the run.
    digests : dict
        Digests of the results, by quantity.
    """

    scenario: Scenario
    meta: dict[str, Any]
    n_draws: int
    dates: np.ndarray
    measures: dict[tuple[str, str, str], Measure]
    trajectories: dict[tuple[str, str, str], Measure]
    flows: dict[Flow, np.ndarray]
    cells: set[Cell]
    required: xr.DataArray | None
    price_of_cover: np.ndarray
    tables: dict[str, pd.DataFrame]
    digests: dict[str, str]

    @property
    def knows_pay(self) -> bool:
        """Whether what people are paid is part of the costs."""
        return ("pay_bill", "", "cumulated") in self.measures

    @property
    def need_follows(self) -> bool:
        """Whether need is a ratio of what is delivered at the start."""
        return self.scenario.need is not None and self.scenario.need.fte is None


def outcomes(results: Results, dates: np.ndarray) -> Outcomes:
    """Measure a run.

    Parameters
    ----------
    results : Results
    dates : ndarray of datetime64
        Month starts of the run.

    Returns
    -------
    Outcomes
    """
    scenario, data = results.scenario, with_costs(results.data)
    every = max(MONTHS_APART // int(data.attrs.get("months_per_period", 1)), 1)
    last = data.sizes["time"] - 1
    at = data.variables["time"].values[np.unique(np.append(np.arange(0, last + 1, every), last))]
    found, lines, flows, prices = [], [], [], []
    for batch in batches(data):
        amounts_too = [*amounts(batch, dates), *leavers(batch, dates), *kept(batch, dates)]
        found.append([*stocks(batch, dates), *amounts_too])
        lines.append([*map(_sums, stocks(batch, at, ALONG)), *map(_sums, kept(batch, _kept_until(batch)))])
        flows.append(cumulated_flows(batch, scenario.posts))
        prices.append(price_of_cover(batch))
    along = [line for line in _joined(lines) if line.quantity != "leaver_rate"]
    return Outcomes(
        scenario=scenario,
        meta=results.meta,
        n_draws=data.sizes["draw"] - 1,
        dates=dates,
        measures={measure.key: measure for measure in _joined(found)},
        trajectories={line.key: line for line in along},
        flows=_end_to_end(flows),
        cells={key for by in CELLS for key in placed(by, measures.group_keys(data, by))},
        required=data["required_fte"].isel(time=0).load() if "required_fte" in data else None,
        price_of_cover=np.concatenate(prices),
        tables=main_tables(results),
        digests=netcdf.digest(results.data),
    )


def _joined(parts: Sequence[Sequence[Measure]]) -> list[Measure]:
    """Measures of batches of draws as those of all draws."""
    return [
        replace(same[0], cells=_end_to_end([measure.cells for measure in same]))
        for same in zip(*parts, strict=True)
    ]


def _end_to_end(parts: Sequence[dict[Key, np.ndarray]]) -> dict[Key, np.ndarray]:
    """Arrays by the same keys, one behind the other along the draws."""
    if len(parts) == 1:
        return parts[0]
    return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}


def _sums(measure: Measure) -> Measure:
    """The measure without single cells of role and environment."""
    return replace(measure, cells={cell: numbers for cell, numbers in measure.cells.items() if ALL in cell})


# -- measures -----------------------------------------------------------------------------------------------


def stocks(data: xr.Dataset, dates: np.ndarray, kinds: dict[str, Kind] | None = None) -> list[Measure]:
    """Quantities that stand on dates."""
    here = data.sel(time=dates)
    return [
        Measure(name, kind.unit, "date", dates, kind.cells(here, lambda array: array.values), kind.missing)
        for name, kind in (STOCKS if kinds is None else kinds).items()
        if kind.known(data)
    ]


def _ending(data: xr.Dataset, dates: np.ndarray, over: str) -> tuple[np.ndarray, np.ndarray]:
    """Dates to which something can be added up, and when that begins."""
    first, _ = measures.windows(data, dates, over)
    return dates[first >= 0], data.variables["time"].values[first[first >= 0]]


def amounts(data: xr.Dataset, dates: np.ndarray) -> list[Measure]:
    """What is given a month, or stands on month starts, added up over years and since the start."""
    found = []
    for over in OVER:
        at, since = _ending(data, dates, over)
        for name, kind in AMOUNTS.items():
            asked = over == "cumulated" or name in BY_YEAR
            if not (asked and len(at) and kind.known(data)):
                continue
            cells = _added(data, kind, at, over, months_each(data, kind))
            unit = f"{kind.unit} per year" if over == "year" and kind.unit == "GBP" else kind.unit
            found.append(Measure(name, unit, over, at, cells, 0.0, "", since))
    return found


def _added(
    data: xr.Dataset, kind: Kind, dates: np.ndarray, over: str, months: float
) -> dict[Cell, np.ndarray]:
    return kind.cells(data, lambda array: measures.added_up(data, array.values, dates, over, months))


def leavers(data: xr.Dataset, dates: np.ndarray) -> list[Measure]:
    """People leaving or retiring, over years and since the start."""
    flows = [data[name] for name in ("leavers", "retirements") if name in data]
    if not flows:
        return []
    by_post = [
        flow.sum([dim for dim in flow.dims if dim not in ("draw", "period", "post")]) for flow in flows
    ]
    total = sum(by_post[1:], start=by_post[0]).transpose("draw", "period", "post")
    kind = Kind("heads", (), lambda data, by: measures.sum_posts(total, measures.group_keys(data, by)))
    found = []
    for over in OVER:
        at, since = _ending(data, dates, over)
        if len(at):
            unit = "heads per year" if over == "year" else "heads"
            found.append(Measure("leavers", unit, over, at, _added(data, kind, at, over, 1.0), since=since))
    return found


def _kept_until(data: xr.Dataset) -> np.ndarray:
    """Ends of the retention years; none without retention."""
    followed = "tagged" in data and data.sizes.get("retention_year", 0) > 0
    return measures.year_ends(data) if followed else np.array([], dtype="datetime64[ns]")


KEPT = {
    "stability_index": ("share", retention.stability_index),
    "leaver_rate": ("share per year", retention.leaver_rate),
}
"""Measures of retention."""


def kept(data: xr.Dataset, dates: np.ndarray) -> list[Measure]:
    """Stability index and leaver rate of every level in the retention year ending on or before each date."""
    ends = _kept_until(data)
    at = np.searchsorted(ends, dates, side="right") - 1
    dates, at = dates[at >= 0], at[at >= 0]
    if not len(dates):
        return []
    starts = data.variables["retention_year"].values[at]
    found = []
    for level in map(str, data.variables["level"].values):
        for name, (unit, make) in KEPT.items():
            cells: dict[Cell, np.ndarray] = {}
            for by, title in retention_groupings(data, level)[0]:
                if title == "block":
                    continue
                axes = [by] if isinstance(by, str) else list(by or ())
                places = placed(axes, retention.grouping(data, level, by).keys)
                values = make(data, level, by).values[:, at]
                cells |= {place: values[:, :, j] for j, place in enumerate(places)}
            found.append(Measure(name, unit, "year", dates, cells, NAN, level, starts))
    return found
