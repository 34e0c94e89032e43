"""Establishment and money in the reference implementation: part C of docs/background/model.md."""

from __future__ import annotations

import math
from typing import Any

from pharmsim.scenario.services import Service
from reference_inputs import month_number, series
from reference_opening import Opening

Numbers = dict[Any, float]


def ratio(part: float, whole: float, otherwise: float) -> float:
    """part ÷ whole, or what holds where there is no whole."""
    return part / whole if whole > 0 else otherwise


class Money(Opening):
    """Establishment by policy, transfers and budgets; cost of staff, cover and backfill."""

    split: dict[str, dict[Service, float]]
    services: list[Service]
    required: Numbers
    required0: Numbers
    follows: Numbers
    backfill: Numbers

    def now(self, values: Any, month: int, steps: bool = False) -> float:
        """A series at the start of a month: straight lines, or each date holds until the next."""
        here = self.r.start + month
        if not steps:
            return series(values, here)
        dates = sorted(values.points, key=month_number)
        return float(
            values.points[max((d for d in dates if month_number(d) <= here), default=dates[0])].value
        )

    def progress(self, start: str, end: str, month: int) -> float:
        """0 up to `start`, 1 from `end`, a straight line between."""
        first, last, here = month_number(start), month_number(end), self.r.start + month
        if here >= last:
            return 1.0
        return (here - first) / (last - first) if here > first else 0.0

    def mean(self, p: str, by_service: Numbers) -> float:
        """What a post meets: its services, weighted with its split."""
        return math.fsum(share * by_service[s] for s, share in self.split[p].items())

    def share_perceived(self, delay: float) -> float:
        """Share of a change that is perceived after a month (or year)."""
        return -math.expm1(-self.spacing / delay) if delay > 0 else 1.0

    def policy_of(self, p: str) -> Any:
        """The last policy that names a post."""
        policies = self.s.establishment.over_time if self.s.establishment else ()
        return next((x for x in reversed(policies) if self.r.selects(x.where, p)), None)

    def limited(self, where: Any) -> list[str]:
        """Posts with a limit that `where` selects."""
        return [p for p in self.posts if self.limit[p] < math.inf and self.r.selects(where, p)]

    def factor(self, p: str, month: int) -> float:
        """Change of a post's establishment by its policy."""
        policy = self.policy_of(p)
        if policy is None or policy.policy == "hold":
            return 1.0
        if policy.policy == "grow":
            return (1 + policy.growth.value) ** (month / 12)
        if policy.policy == "table":
            return self.now(policy.table, month)
        if policy.policy == "reduce":
            if policy.by_fte is None:
                by = policy.by_share.value
            else:
                governed = [q for q in self.limited(policy.where) if self.policy_of(q) is policy]
                by = ratio(policy.by_fte.value, math.fsum(self.limit[q] for q in governed), 0.0)
            return 1 - by * self.progress(policy.start, policy.end, month)
        if month > 0:
            ratios = {s: ratio(self.required[s], self.required0[s], 1.0) for s in self.services}
            delay = policy.delay.value if policy.delay else 0.0
            self.follows[p] += (self.mean(p, ratios) - self.follows[p]) * self.share_perceived(delay)
        return 1 + policy.share.value * (self.follows[p] - 1)

    def cost(self, p: str, month: int) -> float:
        """Cost of an FTE in a year."""
        pay = self.s.pay
        if pay is None:
            return 0.0
        basic = self.r.flat(pay.per_fte, p)
        supplement = 0.0
        if pay.weighting and self.r.flat(pay.weighting.share, p) > 0:
            wanted = self.r.flat(pay.weighting.share, p) * basic
            supplement = min(max(wanted, pay.weighting.lowest.value), pay.weighting.highest.value)
        index = 1.0
        for change in pay.over_time:
            if self.r.selects(change.where, p):
                index = self.now(change.index, month, change.steps)
        cost = (basic + supplement) * (1 + self.r.flat(pay.on_costs, p))
        return self.changed("pay", cost, month, p=p) * index

    def money(self, month: int) -> None:
        """Establishment, cover and backfill, as far as budgets allow."""
        pay, cover = self.s.pay, self.s.cover
        costs = self.costs = {p: self.cost(p, month) for p in self.posts}
        premium = {
            p: self.changed(
                "cover_premium", self.r.flat(pay.cover_premium, p, default=1.0), month, p=p
            )
            for p in self.posts if pay
        }  # fmt: skip
        dear = {p: costs[p] * premium.get(p, 0.0) for p in self.posts}
        funded = self.funded = dict.fromkeys(self.posts, math.inf)
        for p in self.limited({}):
            funded[p] = self.changed("establishment", self.limit[p], month, p=p) * self.factor(p, month)
        self.transfer(month)
        self.budget: Numbers = {}
        for name, budget in self.s.budgets.items():
            inside = self.limited(budget.where)
            if budget.per_year is not None:
                self.budget[name] = self.now(budget.per_year, month, budget.steps)
            else:
                opening = math.fsum(self.limit[p] * self.cost(p, 0) for p in inside)
                self.budget[name] = self.now(budget.of_opening, month, budget.steps) * opening
            self.budget[name] += self.moved_money(inside, month)
            spent = math.fsum(funded[p] * costs[p] for p in inside)
            if budget.caps:
                funded |= {p: funded[p] * min(1.0, ratio(self.budget[name], spent, 1.0)) for p in inside}
        fte = {p: self.fte(p, month) for p in self.posts}
        self.cover = dict.fromkeys(self.posts, 0.0)
        for p in self.limited({}) if cover else ():
            cap = self.changed("cover_cap", self.r.flat(cover.cap, p, default=math.inf), month, p=p)
            share = self.changed("cover_share", self.r.flat(cover.share, p), month, p=p)
            most = cap * funded[p] if funded[p] else 0.0
            self.cover[p] = min(share * max(funded[p] - fte[p], 0.0), most)
        self.bought = dict(self.backfill)
        for name, budget in self.s.budgets.items():
            inside = self.limited(budget.where)
            left = self.budget[name] - math.fsum(fte[p] * costs[p] for p in inside)
            wanted = math.fsum(dear[p] * (self.cover[p] + self.bought[p]) for p in inside)
            for p in inside if budget.caps else ():
                self.cover[p] *= min(1.0, ratio(max(left, 0.0), wanted, 1.0))
                self.bought[p] *= min(1.0, ratio(max(left, 0.0), wanted, 1.0))
        self.bills = {
            "pay_bill": {p: fte[p] * costs[p] / 12 for p in self.posts},
            "cover_cost": {p: self.cover[p] * dear[p] / 12 for p in self.posts},
            "backfill_cost": {p: self.bought[p] * dear[p] / 12 for p in self.posts},
        }

    def moves_of_posts(self, month: int) -> list[tuple[Numbers, Numbers, bool]]:
        """Posts given and received, in FTE, and whether they are new: by transfers, and for joint posts."""
        transfers = self.s.establishment.redistribution if self.s.establishment else ()
        joint = self.programme.transfers(month, self.limit)
        return [(*self.moved(x, month), x.from_ is None) for x in transfers] + joint

    def moved(self, transfer: Any, month: int) -> tuple[Numbers, Numbers]:
        """FTE that posts give and receive by a transfer."""
        fte = transfer.fte.value * self.progress(transfer.start, transfer.end, month)
        ends: list[Numbers] = []
        for where in (transfer.from_, transfer.to):
            posts = self.limited(where) if where is not None else []
            total = math.fsum(self.limit[p] for p in posts)
            ends.append({p: fte * ratio(self.limit[p], total, 1 / len(posts)) for p in posts})
        return ends[0], ends[1]

    def moved_money(self, inside: list[str], month: int) -> float:
        """What a budget over some posts gains by transfers: money follows the posts."""
        gain = 0.0
        for given, received, new in self.moves_of_posts(month):
            if new:
                gain += math.fsum(received[p] * self.costs[p] for p in received if p in inside)
                continue
            money = math.fsum(fte * self.costs[p] for p, fte in given.items())
            here = math.fsum(fte for p, fte in received.items() if p in inside)
            gain += money * ratio(here, math.fsum(received.values()), 0.0)
            gain -= math.fsum(given[p] * self.costs[p] for p in given if p in inside)
        return gain

    def transfer(self, month: int) -> None:
        """Establishment moved between posts."""
        for given, received, _ in self.moves_of_posts(month):
            for ends, sign in ((received, 1.0), (given, -1.0)):
                for p, fte in ends.items():
                    self.funded[p] += sign * fte
