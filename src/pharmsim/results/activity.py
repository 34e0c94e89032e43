"""Indices of activity relative to their value at the start, in every draw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import xarray as xr

from pharmsim.compiled.draws import sample
from pharmsim.compiled.grid import Grid
from pharmsim.results.labelled import Results
from pharmsim.results.measures import YEAR, steps_per_year
from pharmsim.scenario.services import split_of


def activity_index(results: Results) -> xr.DataArray:
    """Every activity relative to the start, on month starts, with the draws of the run.

    Draws are those that the axis `draw` of the results names: any selection of the rows of a run will do.

    Returns
    -------
    DataArray, start = 1; axes draw, time, activity
        `activity` is empty if the scenario has none.
    """
    scenario, data = results.scenario, results.data
    activities = scenario.need.activity if scenario.need else {}
    rows = np.asarray(data["draw"].values, dtype=int)
    months = np.arange(data.sizes["time"]) * (YEAR // steps_per_year(data))
    values = np.zeros((len(rows), len(months), len(activities)))
    if activities:
        # where the table was not kept: a draw has the same numbers however many there are
        table = results.draws or sample(scenario, int(rows.max()), int(results.meta.get("seed") or 0))
        grid = Grid(scenario, replace(table, u=table.u[rows]))
        for i, activity in enumerate(activities.values()):
            index = grid.over_time(activity.index, months)
            values[:, :, i] = index / index[:, :1]
    coords = {"draw": rows, "time": data["time"], "activity": list(activities)}
    return xr.DataArray(values, dims=("draw", "time", "activity"), coords=coords)


def followed_in(results: Results, environment: str | None = None) -> list[str]:
    """Activities that some work in an environment (None: anywhere) follows."""
    scenario = results.scenario
    if scenario.need is None or not scenario.need.activity:
        return []
    central = Grid(scenario, (results.draws or sample(scenario)).block(0, 1))
    here = [environment is None or environment in split_of(post) for post in scenario.posts]
    shares = {
        name: central.cells(activity.share, ("post",))[0] for name, activity in scenario.need.activity.items()
    }
    return [name for name, share in shares.items() if (share[here] > 0.0).any()]
