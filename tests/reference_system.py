"""The start of each month in the reference implementation: A to F of docs/background/model.md.

Time at work, need, supervision and delivery, feedbacks (C, money, is in `reference_money`); written
from the text, independently of the kernel, with loops over posts, services, duties and budgets.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

from pharmsim.scenario.models import Scenario
from pharmsim.scenario.services import FEEDBACKS, Service, services
from reference_feedbacks import Feedbacks
from reference_money import Numbers, ratio


def before_delegation(left: float, limits: list[tuple[float, float]]) -> float:
    """Work of which `left` remains when each (share, most) takes its share, at most so much."""
    free = sorted((way for way in limits if way[0] > 0), key=lambda way: way[1] / way[0])
    while True:
        share = math.fsum(way[0] for way in free)
        work = left / (1 - share) if share < 1 else math.inf
        if not free or work * free[0][0] <= free[0][1]:
            return work
        left += free.pop(0)[1]


class System(Feedbacks):
    """What people deliver, what is needed, what it costs, and how that acts on the flows of the month."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self.services = services(scenario)
        self.split: dict[str, dict[Service, float]] = {}
        for p, post in self.r.posts.items():
            shares = post.split or {post.environment: 1.0}
            self.split[p] = {Service(post.role, e, post.place): share for e, share in shares.items()}
        self.people_of = {s: [p for p in self.posts if self.split[p].get(s, 0.0) > 0] for s in self.services}
        self.stages = [(n, stage) for n, pipe in self.external.items() for stage in pipe.pipe.stages]
        self.supervisors = self.who_supervises()
        self.backlog: Numbers = dict.fromkeys(self.posts, 0.0)  # F: what is kept
        self.perceived: Numbers = {}
        self.reference: Numbers = {}
        self.follows: Numbers = dict.fromkeys(self.posts, 1.0)
        self.funded: Numbers = {}
        self.delegated: Numbers = dict.fromkeys(self.services, 0.0)
        self.taught: list[tuple[Service, float]] = []
        self.multipliers: dict[str, Numbers] = {name: dict.fromkeys(self.posts, 1.0) for name in FEEDBACKS}
        self.work(0)  # places do not depend on the pipelines
        self.open_places(0)
        for pipe in self.external.values():
            pipe.open()

    def look(self, month: int) -> None:
        """A to E at the start of a month."""
        self.work(month)
        if month == 0:
            self.delegated, self.taught = dict.fromkeys(self.services, 0.0), []
            self.money(month)
            for _ in range(1 if self.s.need is None or self.s.need.fte is not None else 60):
                self.deliver(
                    month
                )  # what is delivered depends on what is delegated, and that on what is needed
                self.base = {p: self.opening_need(p) for p in self.posts}
                self.require(month)
        else:
            self.require(month)
        self.money(month)
        self.deliver(month)
        self.react(month)
        self.open_places(month)

    # ---- A. time at work -----------------------------------------------------------------------------

    def work(self, month: int) -> None:
        time = self.s.working_time
        self.at_work: Numbers = {}
        self.working: Numbers = {}
        self.available: Numbers = {}
        self.backfill: Numbers = {}
        self.unsettled: Numbers = {}
        self.plan: dict[str, Numbers] = {}
        self.uses: dict[str, Numbers] = {}
        for p in self.posts:
            fte, heads = self.fte(p, month), self.heads(p)
            shares = {
                n: self.changed("absence", self.r.flat(cells, p), month, of=n, p=p)
                for n, cells in (time.absence.items() if time else ())
            }
            absent = {n: share * fte for n, share in shares.items()}
            available = self.available[p] = 1 - math.fsum(shares.values())
            learning = available * self.learning_fte(p, month)
            self.at_work[p] = available * fte - learning
            new = min(ratio(math.fsum(self.first_year[p]), heads, 0.0), 1.0)
            feedback = self.s.feedbacks and self.s.feedbacks.inexperience
            self.sense("inexperience", p, new if month else self.share0[p], month, feedback)
            m = self.multiplier("inexperience", p, p, feedback, feedback and feedback.elasticity.value)
            self.multipliers["inexperience"][p] = m
            self.unsettled[p] = min(1.0, self.share0[p] * m)
            acts = feedback and feedback.on and self.r.selects(feedback.where, p)
            if self.share0[p] == 0 and acts and feedback.elasticity.value != 0:
                self.unsettled[p] = min(1.0, self.perceived["inexperience", p])
            output = self.r.flat(time.first_year_output, p, default=1.0) if time else 1.0
            output = self.changed("first_year_output", output, month, p=p)
            settling = self.at_work[p] * self.unsettled[p] * (1 - output)
            left = self.at_work[p] - settling
            lost = min(available * self.backlog[p] / self.spacing, left)  # all of it: exactly nothing is left
            introducing = self.programme.introduction(p, month) * (left - lost)
            self.working[p] = left - lost - introducing
            self.backfill[p] = ratio(lost, available, 0.0)
            self.backlog[p] -= self.backfill[p] * self.spacing
            self.plan[p] = self.job_plan(p, month)
            self.uses[p] = absent | {
                "learning": learning, "settling_in": settling, "introduction": lost + introducing
            }  # fmt: skip

    def learning_fte(self, p: str, month: int) -> float:
        """FTE of the trainees of internal pipelines of a post that is not given to the post."""
        fte = 0.0
        for (kind, home, name, _), people in self.rows.items():
            if kind == "batch" and home == p:
                learning = 1 - self.internal[name].productivity.value
                for (g, c, _), n in people.items():
                    fte += n * self.fte_per_head(p, g, c, month) * learning
        return fte

    def job_plan(self, p: str, month: int) -> Numbers:
        """Shares of the parts of the job plan, after the shifts that have begun."""
        time = self.s.working_time
        if time is None or not time.job_plan:
            return {"at_work": 1.0}
        shares = {name: self.r.flat(part.share, p) for name, part in time.job_plan.items()}
        for shift in time.shifts:
            if self.r.selects(shift.where, p):
                wanted = shift.share.value * self.progress(shift.start, shift.end, month)
                moved = min(wanted, shares[shift.from_])
                shares[shift.from_] -= moved
                shares[shift.to] += moved
        self.programme.plan(p, shares, month)
        return shares

    def parts(self, p: str, kind: str) -> Numbers:
        """Parts of the job plan that are `service` or `supervising`, with their shares."""
        if "at_work" in self.plan[p] and not (self.s.working_time and self.s.working_time.job_plan):
            return self.plan[p] if kind == "service" else {}
        assert self.s.working_time
        plan = self.s.working_time.job_plan
        return {name: share for name, share in self.plan[p].items() if getattr(plan[name], kind)}

    def enter(self, p: str, heads: float) -> None:
        """People enter a post: in a joint post they bring a backlog."""
        self.backlog[p] += heads * self.r.posts[p].backfill_weeks * 12 / 52

    # ---- B. need -------------------------------------------------------------------------------------

    def opening_need(self, p: str) -> float:
        need = self.s.need
        if need is None:
            return 0.0
        if need.fte is not None:
            return self.r.flat(need.fte, p)
        return self.r.flat(need.opening_ratio, p) * self.delivered[p]

    def gross_need(self, p: str, month: int) -> float:
        need = self.s.need
        if need is None:
            return 0.0
        growth = 1.0
        for activity in need.activity.values():
            before = self.now(activity.index, 0)
            growth += self.r.flat(activity.share, p) * (
                ratio(self.now(activity.index, month), before, 1.0) - 1
            )
        growth *= (1 - self.r.flat(need.productivity, p)) ** (month / 12)
        return self.base[p] * growth * self.changed("need", 1.0, month, p=p)

    def below(self, delegation: Any, s: Service) -> Service | None:
        """The service that takes over what `delegation` takes from a service, if both exist."""
        homes = [p for p, it in self.r.posts.items() if (it.role, it.environment, it.place) == tuple(s)]
        if not any(self.r.selects(delegation.from_, p) for p in homes):
            return None
        to = Service(delegation.to, s.environment, s.place)
        return to if to in self.services else None

    def delegations(self, month: int) -> list[tuple[Any, Service, Service, float, float]]:
        """Every delegation between two services: share of the work, and the most that can be supervised."""
        found = []
        for delegation in self.s.need.delegation if self.s.need else ():
            share = self.changed("delegation", delegation.share.value, month, of=delegation.name)
            share *= self.now(delegation.over_time, month)
            for s in self.services:
                to = self.below(delegation, s)
                if to is not None:
                    working = math.fsum(self.split[p][s] * self.working[p] for p in self.people_of[s])
                    found.append((delegation, s, to, share, delegation.limit.value * working))
        return found

    def open_scale(self, wanted: Numbers) -> Numbers:
        """Gross need ÷ the need wanted after delegation, so that the opening ratio holds after it."""
        if self.s.need is None or self.s.need.opening_ratio is None:
            return dict.fromkeys(wanted, 1.0)
        ways = self.delegations(0)
        gross = dict(wanted)
        for _ in range(60 if ways else 0):  # what a service receives depends on what others have to give
            received: Numbers = dict.fromkeys(wanted, 0.0)
            for delegation, s, to, share, most in ways:
                received[to] += delegation.exchange.value * min(share * gross[s], most)
            for s in gross:
                limits = [(share, most) for _, giver, _, share, most in ways if giver == s]
                gross[s] = before_delegation(max(wanted[s] - received[s], 0.0), limits)
        return {s: ratio(gross[s], need, 1.0) for s, need in wanted.items()}

    def require(self, month: int) -> None:
        """Required time by service, after delegation."""
        gross = {p: self.gross_need(p, month) for p in self.posts}
        total = {
            s: math.fsum(self.split[p][s] * gross[p] for p in people) for s, people in self.people_of.items()
        }
        if month == 0:
            self.scale = self.open_scale(total)
        total = {s: self.scale[s] * need for s, need in total.items()}
        self.required = dict(total)
        self.delegated, self.taught = dict.fromkeys(self.services, 0.0), []
        for delegation, s, to, share, most in self.delegations(month):
            given = min(share * total[s], most)
            self.delegated[s] += given
            self.required[s] -= given
            self.required[to] += delegation.exchange.value * given
            self.taught.append((s, delegation.supervision.value * given))
        if month == 0:
            self.required0 = dict(self.required)

    # ---- D. supervision and delivery -----------------------------------------------------------------

    def who_supervises(self) -> set[str]:
        """Posts that a duty names as supervisors."""
        entries = [entry for duty in self.s.supervision.values() for entry in duty.by]
        return {p for p in self.posts for entry in entries if self.r.selects(entry.where, p)}

    def block_of(self, p: str, duty: Any) -> tuple[str, ...]:
        return tuple(self.r.labels(p).get(axis, "") for axis in duty.within)

    def supervised(self, duty: Any, month: int) -> Numbers:
        """Heads or FTE to be supervised, by block."""
        found: Numbers = defaultdict(float)
        for (kind, p, name, _), people in self.rows.items():
            if kind == "batch" and name in duty.trainees:
                found[self.block_of(p, duty)] += math.fsum(people.values())
        for name, pipe in self.external.items():
            for stage, slots in zip(pipe.pipe.stages, pipe.slots, strict=True):
                found[()] += math.fsum(slots) * (f"{name}.{stage.name}" in duty.trainees)
        for p in self.posts:
            if duty.first_year is not None and self.r.selects(duty.first_year, p):
                found[self.block_of(p, duty)] += self.unsettled[p] * self.heads(p)
            if duty.staff is not None and self.r.selects(duty.staff, p):
                found[self.block_of(p, duty)] += self.fte(p, month)
        return found

    def asked(self, planned: Numbers, month: int) -> Numbers:
        """Supervising time asked of every post, by duties (else as planned) and by delegation."""
        asked = {p: 0.0 if p in self.supervisors else planned[p] for p in self.posts}

        def ask(time: float, weights: Numbers) -> None:
            for p, weight in weights.items():
                asked[p] += time * ratio(weight, math.fsum(weights.values()), 1 / len(weights))

        for name, duty in self.s.supervision.items():
            each = self.changed("supervision_time", duty.time.value, month, of=name)
            for block, amount in self.supervised(duty, month).items():
                here = [p for p in self.posts if self.block_of(p, duty) == block]
                entries = [
                    (self.now(entry.share, month), [p for p in here if self.r.selects(entry.where, p)])
                    for entry in duty.by
                ]
                total = math.fsum(share for share, posts in entries if posts)
                if total <= 0:
                    continue  # nobody supervises
                others = self.programme.supervisors(name, month, here)
                left = 1 - math.fsum(share for share, _ in others)
                entries = [(share / total * left, posts) for share, posts in entries if posts]
                for share, posts in entries + others:
                    ask(each * amount * share, {p: self.working[p] for p in posts})
        for s, time in self.taught:
            ask(time, {p: self.split[p][s] * self.working[p] for p in self.people_of[s]})
        return asked

    def deliver(self, month: int) -> None:
        """Supervising time, time on the service, delivery."""
        on = {p: self.parts(p, "service") for p in self.posts}
        over = {p: self.parts(p, "supervising") for p in self.posts}
        planned = {p: {x: share * self.working[p] for x, share in self.plan[p].items()} for p in self.posts}
        planned_over = {p: math.fsum(planned[p][part] for part in over[p]) for p in self.posts}
        asked = self.asked(planned_over, month)
        self.unmet = {}
        self.delivered = {}
        for p in self.posts:
            service, supervising = math.fsum(planned[p][part] for part in on[p]), planned_over[p]
            given = min(asked[p], supervising + service) if over[p] else 0.0
            self.unmet[p] = asked[p] - given
            if service <= 0:
                given = supervising
            serving = service + supervising - given
            self.uses[p] |= planned[p]
            self.uses[p] |= {part: serving * ratio(planned[p][part], service, 0.0) for part in on[p]}
            self.uses[p] |= dict.fromkeys(over[p], given)
            stand_in = (self.cover[p] + self.bought[p]) * self.available[p] * math.fsum(on[p].values())
            self.delivered[p] = serving + stand_in * (
                self.s.cover.effectiveness.value if self.s.cover else 1.0
            )
        by_service = {
            s: [self.split[p][s] * self.delivered[p] for p in who] for s, who in self.people_of.items()
        }
        self.served = {s: math.fsum(parts) for s, parts in by_service.items()}

    # ---- E. places of pipelines ------------------------------------------------------------------------

    def open_places(self, month: int) -> None:
        """Places of the stages of external pipelines."""
        feedback = self.s.feedbacks and self.s.feedbacks.training
        self.places, self.place_multipliers = [], []
        for i, (name, stage) in enumerate(self.stages):
            places, m, of = math.inf, 1.0, f"{name}.{stage.name}"
            watching = [p for p in self.posts if self.r.selects(stage.supervisors or {}, p)]
            working = math.fsum(self.at_work[p] for p in watching)
            if stage.trainees_per_fte is not None:
                places = (
                    self.changed("trainees_per_fte", stage.trainees_per_fte.value, month, of=of) * working
                )
            elif stage.places is not None:
                if stage.supervisors is not None:
                    self.sense("training", i, working, month, feedback)
                    m = self.multiplier("training", i, None, feedback, feedback and feedback.elasticity.value)
                places = self.changed("places", stage.places.value, month, of=of) * m
            self.places.append(places)
            self.place_multipliers.append(m)
        places_left = list(self.places)
        for pipe in self.external.values():
            pipe.places = [places_left.pop(0) for _ in pipe.slots]
