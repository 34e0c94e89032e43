"""Interventions as changes: whom each effect reaches, and how strong it is in every draw and month."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from pharmsim.compiled.arrays import Bools, Floats, Ints
from pharmsim.compiled.grid import Grid, month_number
from pharmsim.errors import InputError
from pharmsim.scenario.expand import select_posts
from pharmsim.scenario.interventions import Effect, Intervention
from pharmsim.scenario.levers import AMOUNTS
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.system import Where
from pharmsim.scenario.values import Value


@dataclass(frozen=True)
class Change:
    """One effect: the cells that it is on and what it does to them.

    Attributes
    ----------
    intervention, name, quantity : str
    of : tuple of str
        Destinations, sources, pipelines … by name; empty for all.
    posts, into : bool array, shape (P,)
        Posts that it is on; posts that edges lead to.
    groups : bool array, shape (G,)
    first, end : int
        Ages at last birthday, `end` excluded.
    share : float64 array, shape (D, T + 1)
        `to`: share of those reached for whom the number is set; 0 otherwise.
    amount : float64 array, shape (D, T + 1)
        `to`: share × number; `plus`: what is added; `times`: the factor.
    verb : str
    """

    intervention: str
    name: str
    quantity: str
    of: tuple[str, ...]
    posts: Bools
    into: Bools
    groups: Bools
    first: int
    end: int
    share: Floats
    amount: Floats
    verb: str

    @property
    def label(self) -> str:
        """Name for messages."""
        return f"{self.intervention} ({self.name})"


def ramp(grid: Grid, item: Intervention, months: Ints) -> Floats:
    """Progress from 0 at `start` to 1 after the ramp, shape (months,)."""
    first = month_number(item.start) - grid.start
    if item.ramp == 0.0:
        return np.asarray((months >= first).astype(float))
    return np.clip((months - first) / item.ramp, 0.0, 1.0)


def shape(grid: Grid, item: Intervention, months: Ints) -> Floats:
    """Strength for an uptake of 1, shape (months,): 0 at the opening; decays once nobody makes an effort."""
    out = ramp(grid, item, months)
    if item.end is not None:
        end = month_number(item.end) - grid.start
        at_end = ramp(grid, item, np.array([end]))[0]
        later = np.maximum(months - end, 0)
        left = 0.5 ** (later / item.half_life) if item.half_life else np.zeros(len(months))
        out = np.where(months >= end, at_end * left, out)
    out[months == 0] = 0.0
    return out


def running(grid: Grid, item: Intervention, months: Ints) -> Bools:
    """Whether an effort is made, shape (months,): from `start` until `end`."""
    out = months >= month_number(item.start) - grid.start
    if item.end is not None:
        out &= months < month_number(item.end) - grid.start
    return out


def effort(grid: Grid, item: Intervention, months: Ints) -> Floats:
    """Effort, shape (months,): as the ramp says from `start` until `end`, 0 outside."""
    return ramp(grid, item, months) * running(grid, item, months)


def strength(grid: Grid, item: Intervention, months: Ints) -> Floats:
    """Share of those reached for whom the effects hold, shape (D, months)."""
    return grid.draws.values(item.uptake)[:, None] * shape(grid, item, months)


def chosen(scenario: Scenario, *wheres: Where) -> Bools:
    """Posts that all selectors select, shape (P,)."""
    out = np.ones(len(scenario.posts), dtype=np.bool_)
    for where in wheres:
        here = np.zeros(len(scenario.posts), dtype=np.bool_)
        here[select_posts(scenario, where)] = True
        out &= here
    return out


def made_by(scenario: Scenario, item: Intervention) -> Bools:
    """Joint posts of an intervention, shape (P,)."""
    return np.array([post.made_by == item.name for post in scenario.posts], dtype=np.bool_)


def reached(scenario: Scenario, item: Intervention) -> Bools:
    """Posts of the reach without the joint posts of the intervention itself, shape (P,)."""
    return chosen(scenario, item.reach) & ~made_by(scenario, item)


def teams(scenario: Scenario, posts: Bools) -> Bools:
    """Posts of the environments and places of some posts, shape (P,)."""
    places = [(post.environment, post.place) for post in scenario.posts]
    found = {place for place, chosen in zip(places, posts, strict=True) if chosen}
    return np.array([place in found for place in places], dtype=np.bool_)


def in_order(scenario: Scenario) -> list[Intervention]:
    """Interventions in the order of their names, which is the order of their effects."""
    return sorted(scenario.interventions, key=lambda item: item.name)


def changes(grid: Grid, months: Ints) -> list[Change]:
    """Every effect that does anything, in the order of names; introductions as effects on `introducing`.

    Parameters
    ----------
    grid : Grid
    months : int64 array, shape (T + 1,)
        Months since the start.
    """
    out = []
    for item in in_order(grid.scenario):
        if grid.scenario.step == "year":
            _whole_years(grid, item)
        u = strength(grid, item, months)
        effects = sorted(item.effects, key=lambda effect: effect.name)
        out += [_change(grid, item, effect, u, shape(grid, item, months)) for effect in effects]
        if item.introduction is not None:
            out.append(_introduction(grid, item, months))
    return [change for change in out if _acts(change)]


def _whole_years(grid: Grid, item: Intervention) -> None:
    """Refuse times that the `year` step cannot show: everything is read at the start of a year."""
    first = month_number(item.start) - grid.start
    times = {"start": first, "ramp": item.ramp}
    if item.end is not None:
        times["end"] = month_number(item.end) - grid.start
    if item.introduction is not None:
        times["introduction.months"] = item.introduction.months
    for key, months in times.items():
        if months % 12:
            raise InputError(
                f"interventions.{item.name}.{key}: must be whole years after the start "
                f"{grid.scenario.start} with the `year` step; it is {months:g} months. Choose another, or a "
                "monthly step."
            )


def _change(grid: Grid, item: Intervention, effect: Effect, u: Floats, whole: Floats) -> Change:
    s = grid.scenario
    k = item.claim if effect.claimed else 1.0
    if effect.joint:
        u = np.broadcast_to(whole, u.shape)
        posts = made_by(s, item) & chosen(s, effect.where)
        item = item.model_copy(update={"groups": (), "ages": None})  # everybody in them takes part
    else:
        posts = reached(s, item) & chosen(s, effect.where)
        if effect.quantity in AMOUNTS:
            posts &= np.array([not post.made_by for post in s.posts], dtype=np.bool_)
    verb = next(verb for verb in ("to", "plus", "times") if getattr(effect, verb) is not None)
    x = grid.draws.values(getattr(effect, verb))[:, None]
    share = u if verb == "to" else np.zeros_like(u)
    amount = {"to": u * x, "plus": k * u * x, "times": 1.0 + (x - 1.0) * k * u}[verb]
    first, end = 0, grid.lengths["age"]
    for ages in (item.ages, effect.ages):
        low, high = grid.window(ages)
        first, end = max(first, low), min(end, high)
    groups = np.array([not item.groups or name in item.groups for name in s.groups], dtype=np.bool_)
    name, into = effect.name, chosen(s, effect.into)
    return Change(
        item.name, name, effect.quantity, effect.of, posts, into, groups, first, end, share, amount, verb
    )


def _introduction(grid: Grid, item: Intervention, months: Ints) -> Change:
    s, node = grid.scenario, item.introduction
    assert node is not None
    first = month_number(item.start) - grid.start
    window = (months >= first) & (months < first + node.months) & (months > 0)
    taken = (grid.draws.values(node.share) * grid.draws.values(item.uptake))[:, None] * window
    everywhere = np.ones(len(s.posts), dtype=np.bool_)
    groups = np.ones(len(s.groups), dtype=np.bool_)
    posts = chosen(s, node.where) & teams(s, reached(s, item))
    name, share = "introduction", np.zeros_like(taken)
    return Change(
        item.name,
        name,
        INTRODUCING,
        (),
        posts,
        everywhere,
        groups,
        0,
        grid.lengths["age"],
        share,
        taken,
        "plus",
    )


INTRODUCING = "introducing"
"""Not a quantity of scenarios: time that introducing interventions takes."""


def _acts(change: Change) -> bool:
    """Whether a change does anything in any draw and month."""
    reaches = change.posts.any() and change.groups.any() and change.first < change.end
    return bool(reaches and (change.share.any() or (change.amount != (change.verb == "times")).any()))


def of_quantity(found: Iterable[Change], quantity: str, name: str = "") -> list[Change]:
    """Changes of one quantity, and of one of its names."""
    return [x for x in found if x.quantity == quantity and (not x.of or not name or name in x.of)]


def affine(found: list[Change], shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """α and β of x' = α·x + β for changes of one cell, each of `shape` (D, T + 1).

    Order: what is set, what is added, what is multiplied; each in the order of `found`.
    """
    a, b = np.ones(shape), np.zeros(shape)
    for change in found:
        if change.verb == "to":
            a, b = 1.0 - change.share, change.amount.copy()
    for change in found:
        if change.verb == "plus":
            b = b + change.amount
    for change in found:
        if change.verb == "times":
            a, b = a * change.amount, b * change.amount
    return a, b


def claimed_share(grid: Grid, item: Intervention, share: Value, claimed: bool) -> Floats:
    """A share of time for an uptake of 1, by draw, times the claim, shape (D,)."""
    return grid.draws.values(share) * (item.claim if claimed else 1.0)
