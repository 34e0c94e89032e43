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
    found: list[Hit] = []
    starts = data.variables["time"].values[:-1]
    months = int(data.attrs.get("months_per_period", 1))
    for name, array in _multipliers(data):
        node: Feedback | None = getattr(scenario.feedbacks, OWNERS.get(name, name))
        if node is None or not node.on:
            continue
        values = array.values[:, :-1]
        for side in SIDES:
            bound = float(getattr(node, side))
            if bound == 1.0:
                continue
            at = np.abs(values - bound) <= ROUNDING * bound
            if not at.any():
                continue
            for i in np.flatnonzero(at.any(axis=(0, 1))):
                central = np.flatnonzero(at[0, :, i])
                first = starts[central[0]] if len(central) else np.datetime64("NaT", "ns")
                share = float(at[1:, :, i].any(axis=1).mean()) if len(at) > 1 else float("nan")
                where = str(array[array.dims[-1]].values[i])
                found.append(Hit(name, where, side, bound, first, len(central) * months, share))
    return found


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


def lines(found: list[Hit]) -> list[str]:
    """Say in words which feedback is at which bound: a line for each, led by the post that is there longest.

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
            text = f"{kind} {lead.where} in {lead.share:.0%} of draws, not at the central values"
        others = len(here) - 1
        more = f"; and in {others} other{'s' * (others != 1)} (table bounds)" if others else ""
        said.append(f"{name.replace('_', ' ')}: at its {SIDES[side]} bound {lead.bound:g} in {text}{more}")
    return said


def _month(date: np.datetime64) -> str:
    number = int(date.astype("datetime64[M]").astype(int))
    return f"{MONTHS[number % 12]} {1970 + number // 12}"
