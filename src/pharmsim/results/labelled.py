"""Results: arrays of an engine with their names, units and dates, and where they came from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from pharmsim import __version__
from pharmsim.errors import RunError
from pharmsim.quantities import FLOWS, OUTPUTS
from pharmsim.results import bounds, idle, money, rows
from pharmsim.results.axes import coordinates, months_per_period
from pharmsim.scenario import check_warnings, sources

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pharmsim.compiled.draws import Draws
    from pharmsim.scenario.models import Scenario


@dataclass(frozen=True)
class Results:
    """What a run produced.

    Attributes
    ----------
    scenario : Scenario
        The resolved scenario that was run.
    data : xarray.Dataset
        Every output of `pharmsim.quantities.OUTPUTS` that exists for the scenario; leading axis
        `draw`, whose first row holds the central values.
    meta : dict
        seed, n_draws, engine, step, wall_time_s, compile_time_s, warnings (list of str),
        uncertainties (names), files (list of (path, sha256)).
    state : object
        The engine's final state; opaque. None for results read from files, and for large ensembles.
    draws : Draws, optional
        Table of the draws: a row for each of the axis `draw`.
    by_year : Dataset, optional
        Every draw by year (`by_year.by_year`), where the results were read from a folder that keeps the
        central run alone month by month.
    logs : mapping of str to pyarrow.Table
        Event by event, where an engine follows single people.
    """

    scenario: Scenario
    data: xr.Dataset
    meta: dict[str, Any] = field(default_factory=dict)
    state: object = None
    draws: Draws | None = None
    by_year: xr.Dataset | None = None
    logs: Mapping[str, Any] = field(default_factory=dict)

    @property
    def central(self) -> xr.Dataset:
        """The run at the central values (draw 0)."""
        return self.data.isel(draw=0)

    @property
    def n_draws(self) -> int:
        """Draws besides the central values."""
        return int(self.data.sizes["draw"]) - 1

    @property
    def has_draws(self) -> bool:
        """Whether there are draws besides the central values."""
        return self.n_draws > 0

    def final_state(self) -> object:
        """State at the end, from which another run can start.

        Raises
        ------
        RunError
            If none was kept.
        """
        if self.state is None:
            raise RunError(
                "final state: must have been kept; results of a large ensemble, or read from files, have "
                "none. Run fewer draws at once."
            )
        return self.state


def label(
    scenario: Scenario,
    arrays: Mapping[str, np.ndarray],
    n_draws: int,
    meta: Mapping[str, Any],
    state: object = None,
    warn: bool = True,
) -> Results:
    """Name the axes of an engine's arrays.

    Parameters
    ----------
    scenario : Scenario
    arrays : dict of ndarray
        Outputs by name, axes `draw` and then those of `pharmsim.quantities.OUTPUTS`. Outputs without
        any cell, and those whose sections the scenario does not have, are left out.
    n_draws : int
        Number of draws besides the central values.
    meta : dict
        How the run was made (see `Results`). `files` and `warnings` are those of the scenario unless given;
        what only the run can tell (bounds hit, caps exceeded …) is added to the warnings.
    state : object
        Final state of the engine.
    warn : bool
        Whether warnings are looked for.

    Returns
    -------
    Results

    Raises
    ------
    RunError
        If an output is unknown, or its shape is not that of the scenario: a fault of pharmsim.
    """
    for name, array in arrays.items():
        if name not in OUTPUTS:
            raise RunError(f"engine: unknown output `{name}`. This is a fault of pharmsim; please report it.")
        if array.ndim != len(OUTPUTS[name].dims) + 1:
            raise RunError(
                f"engine: `{name}` must have the axes draw, {', '.join(OUTPUTS[name].dims)}; "
                f"got {array.ndim} axes. This is a fault of pharmsim; please report it."
            )
    stated = sections_of(scenario)
    present = {
        name: array
        for name, array in arrays.items()
        if array.size and (not OUTPUTS[name].sections or stated & {*OUTPUTS[name].sections})
    }
    coords = coordinates(scenario, present)
    _check(present, coords)
    n_periods = next((a.shape[1] for n, a in present.items() if "period" in OUTPUTS[n].dims[:1]), 0)
    spacing = months_per_period(scenario, n_periods)
    variables = {
        name: (("draw", *OUTPUTS[name].dims), present[name], _attributes(name, spacing))
        for name in OUTPUTS
        if name in present
    }
    data = xr.Dataset(variables, coords=coords, attrs=_title(scenario, meta, spacing))
    known: dict[str, Any] = {"n_draws": n_draws, "warnings": check_warnings(scenario) if warn else []}
    known["files"] = list(sources(scenario).items())
    known |= meta
    known["warnings"] = [*(known["warnings"] or []), *(_told(scenario, data, meta) if warn else [])]
    return Results(scenario=scenario, data=data, meta=known, state=state)


def _told(scenario: Scenario, data: xr.Dataset, meta: Mapping[str, Any]) -> list[str]:
    """Warnings that only the run can give."""
    at_bounds = bounds.lines(bounds.hits(scenario, data), rows.word(meta))
    return money.overspent(scenario, data) + at_bounds + idle.without_effect(scenario, data)


def sections_of(scenario: Scenario) -> set[str]:
    """Names of the sections of a scenario that say something; feedbacks do if one of them is on."""
    feedbacks = scenario.feedbacks
    nodes = [getattr(feedbacks, name) for name in type(feedbacks).model_fields] if feedbacks else []
    said = {
        "working_time": scenario.working_time,
        "need": scenario.need,
        "supervision": scenario.supervision,
        "pay": scenario.pay,
        "budgets": scenario.budgets,
        "interventions": scenario.interventions,
        "feedbacks": any(node is not None and node.on for node in nodes),
    }
    return {name for name, section in said.items() if section}


def _check(arrays: Mapping[str, np.ndarray], coords: Mapping[str, Any]) -> None:
    for name, array in arrays.items():
        for dim, size in zip(("draw", *OUTPUTS[name].dims), array.shape, strict=True):
            expected = len(coords[dim][1])
            if size != expected:
                raise RunError(
                    f"engine: `{name}` must have {expected} along `{dim}`; got {size}. "
                    "This is a fault of pharmsim; please report it."
                )


def _attributes(name: str, spacing: int) -> dict[str, str]:
    output = OUTPUTS[name]
    unit = output.unit
    if spacing == 12 and name in FLOWS:
        unit = unit.replace("per month", "per year")
    text = {"long_name": name.replace("_", " "), "description": output.text}
    return {"unit": unit, "units": CF_UNITS.get(unit, "1"), **text}


CF_UNITS = {"heads per month": "month-1", "heads per year": "year-1", "GBP per month": "month-1"}
"""Units as the CF conventions of netCDF write them; people, FTE and money are counts, "1"."""


def _title(scenario: Scenario, meta: Mapping[str, Any], spacing: int) -> dict[str, Any]:
    return {
        "title": scenario.name,
        "start": scenario.start,
        "end": scenario.end,
        "step": str(meta.get("step", scenario.step)),
        "engine": str(meta.get("engine", "")),
        "seed": int(meta.get("seed", 0)),
        "pharmsim_version": __version__,
        "months_per_period": spacing,
    }
