"""Feedbacks in the reference implementation: part E of docs/background/model.md."""

from __future__ import annotations

import math
from typing import Any

from pharmsim.scenario.services import Service
from reference_money import Money, Numbers, ratio


class Feedbacks(Money):
    """What is perceived, and the multipliers that follow from it."""

    perceived: Numbers
    reference: Numbers
    multipliers: dict[str, Numbers]
    served: dict[Service, float]

    def sense(self, name: str, of: Any, x: float, month: int, feedback: Any) -> None:
        """Perceive a quantity with the delay of a feedback; a reference of 0 waits for the first x."""
        if feedback is None:
            return
        if month == 0:
            given = feedback.reference
            self.perceived[name, of] = x
            self.reference[name, of] = x if given == "opening" else given.value
        elif self.reference[name, of] == 0:
            self.perceived[name, of] = self.reference[name, of] = x
        else:
            gap = x - self.perceived[name, of]
            self.perceived[name, of] += gap * self.share_perceived(feedback.delay.value)

    def power(self, name: str, of: Any, elasticity: float) -> float:
        y, ref = self.perceived[name, of], self.reference[name, of]
        if elasticity == 0 or ref == 0:
            return 1.0
        return (y / ref) ** elasticity if y > 0 or elasticity > 0 else math.inf

    def multiplier(self, name: str, of: Any, p: str | None, feedback: Any, elasticity: Any) -> float:
        """clip((perceived ÷ reference)^elasticity); 1 without the feedback or outside its `where`."""
        if feedback is None or not feedback.on or (p and not self.r.selects(feedback.where, p)):
            return 1.0
        return self.clip(self.power(name, of, elasticity), feedback)

    @staticmethod
    def clip(number: float, feedback: Any) -> float:
        return float(min(max(number, feedback.low), feedback.high))

    def react(self, month: int) -> None:
        """Pressure, and the multipliers that act on the flows of this month."""
        self.pressure: Numbers = {}
        for s in self.services:
            needed, got = self.required[s], self.served[s]
            self.pressure[s] = 0.0 if needed <= 0 else min(ratio(needed, got, 10.0), 10.0)
        if self.s.feedbacks is None:
            return
        burnout, recruitment = self.s.feedbacks.burnout, self.s.feedbacks.recruitment
        attractive, flexible = self.s.feedbacks.attractiveness, self.s.feedbacks.flexibility
        m = self.multipliers
        for p in self.posts:
            fte, heads, pressure = self.fte(p, month), self.heads(p), self.mean(p, self.pressure)
            vacant = 0.01
            if 0 < self.funded[p] < math.inf:
                vacant = max(1 - fte / self.funded[p], vacant)
            self.sense("burnout", p, pressure, month, burnout)
            self.sense("recruitment", p, vacant, month, recruitment)
            if heads > 0 or month == 0:
                self.sense("flexibility", p, ratio(fte, heads, 0.0), month, flexible)
            if burnout:
                m["burnout"][p] = self.multiplier("burnout", p, p, burnout, burnout.leaving.value)
                m["shorter_hours"][p] = self.multiplier("burnout", p, p, burnout, burnout.shorter_hours.value)
            if recruitment and not self.r.posts[p].made_by:
                m["recruitment"][p] = self.multiplier(
                    "recruitment", p, p, recruitment, recruitment.elasticity.value
                )
            if flexible:
                m["flexibility"][p] = self.multiplier(
                    "flexibility", p, p, flexible, flexible.elasticity.value
                )
            if attractive:
                seen = {"openings": vacant, "pressure": pressure, "pay": self.costs[p]}
                product = 1.0
                for what, x in seen.items():
                    self.sense(what, p, x, month, attractive)
                    sign = -1 if what == "pressure" else 1
                    elasticity = sign * getattr(attractive, what).value
                    if what == "openings" and self.r.posts[p].made_by:
                        elasticity = 0.0  # a joint post begins without establishment
                    product *= self.power(what, p, elasticity)
                if attractive.on and self.r.selects(attractive.where, p):
                    m["attractiveness"][p] = product

    def acting(self, section: str, names: str, name: str) -> bool:
        """Whether a feedback acts on a destination, switch or source."""
        feedback = self.s.feedbacks and getattr(self.s.feedbacks, section)
        return bool(feedback) and name in getattr(feedback, names)
