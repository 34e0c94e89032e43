"""Interventions in the reference implementation: section "Interventions" of docs/background/model.md.

Written from the text, with loops over interventions and effects: gives the current number of a quantity in
a cell, the changes of job plans and duties, the establishment of joint posts and what a programme costs.
Months are counted from the start of the scenario and are those in which a period starts.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

from pharmsim.scenario.interventions import Effect, Intervention
from reference_inputs import Reader, month_number, normal, span

Numbers = dict[Any, float]


class Programme:
    """All interventions of a scenario, in the order of their names."""

    def __init__(self, reader: Reader, spacing: int) -> None:
        self.r, self.spacing = reader, spacing
        self.all = sorted(reader.scenario.interventions, key=lambda it: it.name)
        self.found: dict[Any, list[tuple[Intervention, Effect]]] = {}

    # ---- when ----------------------------------------------------------------------------------------

    def start(self, it: Intervention) -> int:
        return month_number(it.start) - self.r.start

    def end(self, it: Intervention) -> float:
        return month_number(it.end) - self.r.start if it.end else math.inf

    def ramped(self, it: Intervention, month: float) -> float:
        """r: 0 before the start, 1 when the ramp is over."""
        since = month - self.start(it)
        if since < 0:
            return 0.0
        return min(since / it.ramp, 1.0) if it.ramp > 0 else 1.0

    def reached(self, it: Intervention, month: int) -> float:
        """Strength among those who take part: the ramp, and what is left of it after the end."""
        if month == 0:
            return 0.0
        end = self.end(it)
        if month < end:
            return self.ramped(it, month)
        return self.ramped(it, end) * 2 ** (-(month - end) / it.half_life) if it.half_life else 0.0

    def strength(self, it: Intervention, month: int) -> float:
        """u"""
        return it.uptake.value * self.reached(it, month)

    def effort(self, it: Intervention, month: int) -> float:
        return self.ramped(it, month) if self.running(it, month) else 0.0

    def running(self, it: Intervention, month: int) -> bool:
        return self.start(it) <= month < self.end(it)

    # ---- whom ----------------------------------------------------------------------------------------

    def own(self, it: Intervention, p: str) -> bool:
        """Whether a post is a joint post that the intervention makes."""
        return self.r.posts[p].made_by == it.name

    def reaches(self, it: Intervention, p: str) -> bool:
        return self.r.selects(it.reach, p) and not self.own(it, p)

    def reach(self, it: Intervention) -> list[str]:
        return [p for p in self.r.posts if self.reaches(it, p)]

    def acts(self, it: Intervention, effect: Effect, p: str, group: str, into: str) -> bool:
        """Whether an effect is on a cell, ages apart; a quantity without posts has none."""
        if p:
            inside = self.own(it, p) if effect.joint else self.reaches(it, p)
            if not inside or not self.r.selects(effect.where, p):
                return False
            amount = effect.quantity in ("establishment", "supply", "apprentices")
            if amount and self.r.posts[p].made_by and not effect.joint:
                return False  # joint posts have none of their own
        if group and it.groups and not effect.joint and group not in it.groups:
            return False
        return not into or self.r.selects(effect.into, into)

    def effects(self, quantity: str, of: str, p: str, group: str, into: str) -> Any:
        """Effects on a cell, in the order of the names."""
        key = (quantity, of, p, group, into)
        if key not in self.found:
            self.found[key] = [
                (it, effect)
                for it in self.all
                for effect in sorted(it.effects, key=lambda effect: effect.name)
                if effect.quantity == quantity
                and (not effect.of or of in effect.of)
                and self.acts(it, effect, p, group, into)
            ]
        return self.found[key]

    # ---- what ----------------------------------------------------------------------------------------

    def number(self, quantity: str, x: float, month: int, of: str = "", p: str = "", group: str = "",
               age: int | None = None, into: str = "") -> float:  # fmt: skip
        """The number x of the base as it is for everybody at a month's start: `to`, `plus`, `times`."""
        if not math.isfinite(x):
            return x
        add, factor = 0.0, 1.0
        for it, effect in self.effects(quantity, of, p, group, into):
            windows = [effect.ages] if effect.joint else [it.ages, effect.ages]
            spans = [span(text) for text in windows if text is not None]
            if age is not None and not all(low <= age <= high for low, high in spans):
                continue
            u = self.reached(it, month) if effect.joint else self.strength(it, month)
            k = it.claim if effect.claimed else 1.0
            if effect.to is not None:
                x += (effect.to.value - x) * u
            elif effect.plus is not None:
                add += effect.plus.value * k * u
            elif effect.times is not None:
                factor *= 1 + (effect.times.value - 1) * k * u
        return (x + add) * factor

    def plan(self, p: str, shares: Numbers, month: int) -> None:
        """Move shares of the job plan of a post, as far as they go."""
        for it in self.all:
            for change in sorted(it.job_plan, key=lambda change: change.name):
                if self.reaches(it, p) and self.r.selects(change.where, p):
                    wanted = change.share.value * (it.claim if change.claimed else 1.0)
                    moved = min(wanted * self.strength(it, month), shares[change.from_])
                    shares[change.from_] -= moved
                    shares[change.to] += moved

    def supervisors(self, duty: str, month: int, block: list[str]) -> list[tuple[float, list[str]]]:
        """Shares of a duty that others take over, and who: those who have posts in the block."""
        found = []
        for it in self.all:
            for change in sorted(it.supervision, key=lambda change: change.name):
                posts = [p for p in block if self.r.selects(change.by, p) and self.team(it, p)]
                if posts and (not change.of or duty in change.of):
                    share = change.share.value * (it.claim if change.claimed else 1.0)
                    found.append((share * self.strength(it, month), posts))
        total = math.fsum(share for share, _ in found)
        return [(share / max(total, 1.0), posts) for share, posts in found]

    def transfers(self, month: int, establishment: Numbers) -> list[tuple[Numbers, Numbers, bool]]:
        """What posts give and their joint posts receive, in FTE, and whether it is new."""
        found: list[tuple[Numbers, Numbers, bool]] = []
        for it, (p, post) in itertools.product(self.all, self.r.posts.items()):
            if it.posts is not None and self.own(it, p) and establishment[post.like] < math.inf:
                fte = establishment[post.like] * self.strength(it, month)
                found.append(({} if it.posts.new else {post.like: fte}, {p: fte}, it.posts.new))
        return found

    def site(self, p: str) -> tuple[str, str]:
        return self.r.posts[p].environment, self.r.posts[p].place

    def team(self, it: Intervention, p: str) -> bool:
        """Whether somebody of the reach works in the environment and place of a post."""
        return self.site(p) in map(self.site, self.reach(it))

    def introduction(self, p: str, month: int) -> float:
        """Share of the time at work of a post that new ways of working take while they are introduced."""
        share = 0.0
        for it in self.all:
            intro = it.introduction
            if intro is None or month == 0 or not 0 <= month - self.start(it) < intro.months:
                continue
            if self.r.selects(intro.where, p) and self.team(it, p):
                share += intro.share.value * it.uptake.value
        return min(share, 1.0)

    # ---- what it costs -------------------------------------------------------------------------------

    def costs(
        self, month: int, heads: Callable[[str, str], float], opening: Numbers
    ) -> dict[tuple[str, str], float]:
        """Cost a month by intervention and post; `heads` of a post and group now, of posts at the start."""
        ages = self.r.scenario.stock.ages
        out: dict[tuple[str, str], float] = {}
        for it in self.all:
            posts, uptake, effort = self.reach(it), it.uptake.value, self.effort(it, month)
            groups, (low, high) = it.groups or self.r.groups, span(it.ages or "0+")
            if it.posts is not None:  # everybody in joint posts takes part, and nobody else
                posts, uptake = [p for p in self.r.posts if self.own(it, p)], 1.0
                groups, (low, high) = self.r.groups, span("0+")
            whole = it.costs.set_up.value / self.spacing
            fixed = whole if 0 <= self.start(it) - month < self.spacing else 0.0
            fixed += it.costs.per_year.value / 12 if self.running(it, month) else 0.0
            people = math.fsum(opening[p] for p in posts)
            for p in posts:
                inside = 0.0
                for group in groups:
                    shares = self.r.age_shares(ages, p, group) if ages else normal([1.0] * len(self.r.ages))
                    chosen = [
                        share for age, share in zip(self.r.ages, shares, strict=True) if low <= age <= high
                    ]
                    inside += heads(p, group) * math.fsum(chosen)
                by_head = it.costs.per_head.value / 12 * uptake * effort * inside
                share = opening[p] / people if people > 0 else 1 / len(posts)
                out[it.name, p] = by_head + fixed * share
        return out
