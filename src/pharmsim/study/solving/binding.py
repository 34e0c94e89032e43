"""What keeps a target out of reach: what binds in a run, read off its outputs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pharmsim.results import bounds, measures, money
from pharmsim.results.axes import is_selected
from pharmsim.results.labelled import Results
from pharmsim.study.solving.levers import TIMES, UPTAKE, Lever
from pharmsim.study.solving.targets import BY_LEVEL, CELL, Target

FULL = 0.01
"""A post with a vacancy rate up to this is full."""
SPENT = 0.999
"""A budget of which more than this share is spent is spent."""
FEW = 0.5
"""People a year that are too few to mention."""
SHOWN = 3


def binding(
    results: Results, target: Target, levers: Sequence[Lever], x: float, date: np.datetime64
) -> list[str]:
    """Say what binds in the year before a date.

    Parameters
    ----------
    results : Results
        Central run with the levers at `x` of their way.
    target : Target
    levers : sequence of Lever
    x : float
    date : datetime64

    Returns
    -------
    list of str
        In words, what the levers themselves allow first.
    """
    found = [*_ends(levers, x), *_late(results, target, levers, date)]
    if target.quantity not in BY_LEVEL:  # who stays does not hang on room for more
        found += [*_limits(results, date), *_posts(results, target, date), *_budgets(results, date)]
    return [*found, *bounds.lines(bounds.hits(results.scenario, results.data))]


def _ends(levers: Sequence[Lever], x: float) -> Iterator[str]:
    names = ", ".join(lever.title for lever in levers)
    if x == 0.0:
        yield f"more of these moves it away from the target ({names})"
    elif x < 1.0:
        yield f"beyond this level the outcome is further away again ({names})"
    elif all(lever.unit == UPTAKE and lever.level(x) == 1.0 for lever in levers):
        yield f"uptake is at 100 %: everybody takes part whom these reach ({names})"
    else:
        yield f"the levers are at the end of their range ({names})"


def shown(lever: Lever, x: float) -> str:
    """The level of a lever as people read it."""
    level = lever.level(x)
    if lever.unit == UPTAKE:
        return f"{level:.0%}".replace("%", " %")
    return f"× {level:.3g}" if lever.unit == TIMES else f"{level:,.5g} {lever.unit}"


def _late(results: Results, target: Target, levers: Sequence[Lever], date: np.datetime64) -> Iterator[str]:
    """Interventions that are not at full strength by the date, or all of its year."""
    known = {item.name: item for item in results.scenario.interventions}
    year = measures.YEAR if target.quantity in BY_LEVEL else 0
    for lever in levers:
        item = known.get(lever.name)
        if item is None:
            continue
        start = np.datetime64(item.start, "M")
        months = int((date.astype("datetime64[M]") - start).astype(int))
        if months <= 0:
            yield f"{lever.title}: begins only in {item.start}"
        elif months < item.ramp + year:
            ramp = f", takes {item.ramp:g} months to build up" if item.ramp else ""
            whole = " the whole year" if year else ""
            yield f"{lever.title}: begins {months} months before the date{ramp}: not at full strength{whole}"


def _limits(results: Results, date: np.datetime64) -> Iterator[str]:
    """Flows that found no room in the twelve months before the date."""
    data = results.central
    made = [post.post for post in results.scenario.posts if post.made_by]
    told = {
        "moves_blocked": ("edge", "moves a year wanted and not possible for lack of a vacancy"),
        "unplaced": ("stage", "people a year find no place in training"),
        "training_unplaced": ("post", "people a year find no place to train beside their post"),
    }
    last = int(np.searchsorted(data.variables["time"].values, date, side="right")) - 1
    year = slice(max(last - measures.steps_per_year(data), 0), last)
    for name, (axis, words) in told.items():
        if name in data and last:
            flow = data[name].isel(period=year).sum("period")
            if axis == "edge":  # joint posts have as much room as is transferred to them
                flow = flow[~np.isin(data["edge_to"].values, made)]
            if float(flow.sum()) > FEW:
                most = str(flow[axis].values[int(flow.values.argmax())])
                yield f"{float(flow.sum()):,.1f} {words}, most of them: {most}"


def _posts(results: Results, target: Target, date: np.datetime64) -> Iterator[str]:
    """Posts of the target that are full, and those that stay vacant."""
    scenario, data = results.scenario, results.central
    where = {
        axis: names for axis, names in zip(CELL, (target.roles, target.environments), strict=True) if names
    }
    here = np.array([is_selected(post, where) for post in scenario.posts])
    if "establishment_fte" not in data:
        return
    at = int(np.searchsorted(data.variables["time"].values, date, side="right")) - 1
    funded, vacant = (data[name].values[at] for name in ("establishment_fte", "vacancy_fte"))
    limited = here & (np.nan_to_num(funded) > 0.0)
    names = np.array([post.post for post in scenario.posts])
    full = names[limited & (vacant <= FULL * funded)]
    if len(full):
        more = f" and {len(full) - SHOWN} more" if len(full) > SHOWN else ""
        yield f"establishment: no vacancies in {', '.join(full[:SHOWN])}{more}"
    open_ = float(np.maximum(vacant[limited], 0.0).sum())
    if open_ > FULL * float(np.nan_to_num(funded[limited]).sum()):
        yield f"supply: {open_:,.1f} funded FTE stand vacant, so recruits are short there and not posts"


def _budgets(results: Results, date: np.datetime64) -> Iterator[str]:
    data = results.data
    if "budget_money" not in data or "pay_bill" not in data:
        return
    at = int(np.searchsorted(data.variables["time"].values, date, side="right")) - 1
    spent = money.spending_of_budgets(data).values[0, at]
    given = data["budget_money"].transpose("draw", "time", "budget").values[0, at]
    for name, paid, limit in zip(data["budget"].values, spent, given, strict=True):
        if results.scenario.budgets[str(name)].caps and paid >= SPENT * limit:
            yield f"budget {name}: all of it is spent (£{12.0 * limit / 1e6:,.2f} million a year)"
