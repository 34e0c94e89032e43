"""Bounds of feedbacks that a run hit: which, where, from when and for how long.

A multiplier that equals a bound other than 1 is at that bound. The multipliers act on the month (or
year) that they begin, so that those at the end of the run do not count. The bounds of `attractiveness`
hold for moves: for the multiplier of each edge, not for the attractiveness of a post.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from pharmsim.results.axes import MONTHS
from pharmsim.results.batches import batches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pharmsim.scenario.models import Scenario
    from pharmsim.scenario.system import Feedback

OWNERS = {"shorter_hours": "burnout"}
"""Multipliers whose bounds are those of a feedback of another name."""
PLACES, MOVES = "training", "attractiveness"
"""The feedbacks that act on places of stages and on moves, not on posts."""
KINDS = {PLACES: "stage", MOVES: "move"}
ROUNDING = 1e-12
SIDES = {"low": "lower", "high": "upper"}


class Hit(NamedTuple):
    """One feedback at one bound in one post (or stage, or move)."""

    feedback: str
    where: str
    side: str
    bound: float
    first: Any  # month in which the central run first is there; not a time if it never is
    months: int  # of the central run
    share: float  # of draws in which it happens; not a number without draws


def hits(scenario: Scenario, data: xr.Dataset) -> list[Hit]:
    """Find every bound that the central run or a draw hits.

    Parameters
    ----------
    scenario : Scenario
    data : Dataset
        Results with `multiplier`, `move_multiplier` and `place_multiplier`.

    Returns
    -------
    list of Hit
    """
    if scenario.feedbacks is None:
        return []
    batch, *more = (list(_at_bounds(scenario, batch)) for batch in batches(data))
    months = int(data.attrs.get("months_per_period", 1))
    starts = data.variables["time"].values[:-1]
    found: list[Hit] = []
    for k, (name, side, bound, labels, central, ever) in enumerate(batch):
        drawn = np.concatenate([ever, *(other[k].ever for other in more)])
        for i in np.flatnonzero(drawn.any(axis=0)):
            there = np.flatnonzero(central[:, i])
            first = starts[there[0]] if len(there) else np.datetime64("NaT", "ns")
            share = float(drawn[1:, i].mean()) if len(drawn) > 1 else float("nan")
            found.append(Hit(name, str(labels[i]), side, bound, first, len(there) * months, share))
    return found


class _At(NamedTuple):
    """One feedback at one bound: names of posts (stages, moves), and who is there."""

    feedback: str
    side: str
    bound: float
    labels: np.ndarray
    central: np.ndarray  # (time, post): of the first draw
    ever: np.ndarray  # (draw, post)


def _at_bounds(scenario: Scenario, data: xr.Dataset) -> Iterator[_At]:
    """Who is at the bounds of the feedbacks that are on, in some of the draws."""
    for name, array in _multipliers(data):
        node: Feedback | None = getattr(scenario.feedbacks, OWNERS.get(name, name))
        if node is None or not node.on:
            continue
        values, labels = array.values[:, :-1], array[array.dims[-1]].values
        for side in SIDES:
            bound = float(getattr(node, side))
            if bound != 1.0:
                at = np.abs(values - bound) <= ROUNDING * bound
                yield _At(name, side, bound, labels, at[0], np.any(at, axis=1))


def _multipliers(data: xr.Dataset) -> Iterator[tuple[str, xr.DataArray]]:
    """Multipliers by feedback; axes draw, time, post (or stage, or edge)."""
    if "multiplier" in data:
        array = data["multiplier"].transpose("draw", "time", "feedback", "post")
        for i, name in enumerate(array["feedback"].values):
            if str(name) != MOVES:
                yield str(name), array[:, :, i].drop_vars("feedback")
    if "move_multiplier" in data:
        edges = data["move_multiplier"].transpose("draw", "time", "edge")
        yield MOVES, edges[:, :, data["edge_kind"].values == "move"]
    if "place_multiplier" in data:
        yield PLACES, data["place_multiplier"].transpose("draw", "time", "stage")


def table(found: list[Hit]) -> pd.DataFrame:
    """The hits as a table.

    Returns
    -------
    DataFrame
        feedback, where (post, stage or move), bound (low or high), multiplier, first_month and months (of the
        central run), share_of_draws in which it happens (if there are draws); empty without hits.
    """
    rows = [
        {
            "feedback": hit.feedback,
            "where": hit.where,
            "bound": hit.side,
            "multiplier": hit.bound,
            "first_month": hit.first,
            "months": hit.months,
            "share_of_draws": hit.share,
        }
        for hit in found
    ]
    frame = pd.DataFrame(rows)
    if len(frame) and frame["share_of_draws"].isna().all():
        frame = frame.drop(columns="share_of_draws")
    return frame


def lines(found: list[Hit], of: str = "draws") -> list[str]:
    """Say in words which feedback is at which bound: a line for each, led by the post that is there longest.

    `of` are what shares are of: draws, or futures (`rows.word`).

    Examples
    --------
    >>> lines([Hit("burnout", "x", "high", 1.5, np.datetime64("2031-03"), 14, float("nan"))])
    ['burnout: at its upper bound 1.5 in post x from March 2031, 14 months']
    """
    said = []
    for name, side in dict.fromkeys((hit.feedback, hit.side) for hit in found):
        here = [hit for hit in found if (hit.feedback, hit.side) == (name, side)]
        kind = KINDS.get(name, "post")
        lead = max(here, key=lambda hit: (hit.months, 0.0 if np.isnan(hit.share) else hit.share))
        if lead.months:
            length = f"{lead.months} month{'s' * (lead.months != 1)}"
            text = f"{kind} {lead.where} from {_month(lead.first)}, {length}"
        else:
            mean = "in their mean" if of == "futures" else "at the central values"
            text = f"{kind} {lead.where} in {100.0 * lead.share:.0f} % of {of}, not {mean}"
        others = len(here) - 1
        more = f"; and in {others} other{'s' * (others != 1)} (table bounds)" if others else ""
        said.append(f"{name.replace('_', ' ')}: at its {SIDES[side]} bound {lead.bound:g} in {text}{more}")
    return said


def _month(date: np.datetime64) -> str:
    number = int(date.astype("datetime64[M]").astype(int))
    return f"{MONTHS[number % 12]} {1970 + number // 12}"
