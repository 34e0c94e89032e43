"""Feedbacks that are on and changed nothing in a run, as far as its outputs can tell.

A feedback that acts on a limit changes nothing where the limit never binds, whatever its multiplier: it
would be no different in a run without it. Said only where that is certain, in every draw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pharmsim.results.axes import is_selected
from pharmsim.results.batches import batches

if TYPE_CHECKING:
    from collections.abc import Iterator

    import xarray as xr

    from pharmsim.scenario.models import Scenario

ROUNDING = 1e-9
SHOWN = 3
"""Names in a warning, at most."""


def without_effect(scenario: Scenario, data: xr.Dataset) -> list[str]:
    """Warn of feedbacks that changed nothing in this run, each led by its key path.

    Parameters
    ----------
    scenario : Scenario
        Key paths in its `warnings_off` are left out.
    data : Dataset
        Results of the run.

    Returns
    -------
    list of str
    """
    found = [("feedbacks.training", _training(scenario, data))]
    found.append(("feedbacks.recruitment", _recruitment(scenario, data)))
    return [
        f"{path}: changed nothing in this run: {why}"
        for path, why in found
        if why and path not in scenario.warnings_off
    ]


def _training(scenario: Scenario, data: xr.Dataset) -> str:
    """Say where everybody found a place and would have without the feedback; empty if that is not so."""
    node = scenario.feedbacks.training if scenario.feedbacks else None
    if node is None or not node.on or not {"place_multiplier", "intake", "unplaced"} <= set(data.data_vars):
        return ""
    stages = list(_limited(scenario))
    free = all(_always_free(data, position, first) for position, first in stages)
    if not stages or not free:
        return ""
    return f"everybody finds a place in {_listed(data, 'stage', [position for position, _ in stages])}"


def _limited(scenario: Scenario) -> Iterator[tuple[int, bool]]:
    """Positions of the stages whose places the feedback acts on, and whether each is its pipeline's first."""
    position = 0
    for pipeline in scenario.pipelines.values():
        if pipeline.kind != "external":
            continue
        for i, stage in enumerate(pipeline.stages):
            if stage.places is not None and stage.supervisors is not None and stage.trainees_per_fte is None:
                yield position, i == 0
            position += 1


def _always_free(data: xr.Dataset, position: int, first: bool) -> bool:
    """Whether nobody is ever without a place in a stage, nor would be with a multiplier of 1.

    The first stage of a pipeline is entered on the first of a month, the others at its end. The history
    before the start has the multiplier of the opening.
    """
    stage = {name: data[name].isel(stage=position).values for name in ("unplaced", "intake", "trainees")}
    waiting = data["waiting_for_place"].isel(stage=position).values
    places, multiplier = (
        data[name].isel(stage=position).values[:, :-1] for name in ("places", "place_multiplier")
    )
    if stage["unplaced"].any() or waiting.any() or (multiplier[:, 0] != 1.0).any():
        return False
    higher = multiplier > 1.0  # where it is lower, who finds a place finds one without it
    if not higher.any():
        return True
    if int(data.attrs.get("months_per_period", 1)) > 1:
        return False  # the months inside a year are not known
    people = stage["trainees"]
    most = people[:, :-1] + stage["intake"] if first else people[:, 1:]
    return bool((most[higher] <= (places[higher] / multiplier[higher]) * (1.0 + ROUNDING)).all())


def _recruitment(scenario: Scenario, data: xr.Dataset) -> str:
    """Say from which sources nobody is hired; empty if somebody is, or the feedback itself shuts them."""
    node = scenario.feedbacks.recruitment if scenario.feedbacks else None
    if node is None or not node.on or not {"multiplier", "offers_made"} <= set(data.data_vars):
        return ""
    posts = [i for i, post in enumerate(scenario.posts) if is_selected(post, node.where)]
    sources = [i for i, name in enumerate(data["source"].values) if str(name) in node.sources]
    for batch in batches(data):
        offers = batch["offers_made"].isel(post=posts, source=sources)
        multiplier = batch["multiplier"].sel(feedback="recruitment").isel(post=posts)
        if bool(offers.any()) or float(multiplier.min()) <= 0.0:
            return ""
    return f"nobody is hired from {_listed(data, 'source', sources)}"


def _listed(data: xr.Dataset, axis: str, positions: list[int]) -> str:
    names = [str(data[axis].values[i]) for i in positions]
    more = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {more} more" if more > 0 else "")
