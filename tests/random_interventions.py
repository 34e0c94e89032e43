"""Random interventions, put into a random scenario: any quantity, verb, reach, time, claim and cost."""

from __future__ import annotations

from typing import Any

import numpy as np

from canonical import value
from pharmsim.quantities import ADJUSTABLE
from pharmsim.scenario.interventions import Intervention
from pharmsim.scenario.joint_posts import add
from pharmsim.scenario.loading import tree_of
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.values import Cells

NAMES = ("mint", "arch", "zeal", "bolt")
Ends = tuple[float, float]
HAZARD: tuple[Ends | None, ...] = ((0.0, 0.5), (0.0, 0.1), (0.0, 1.5))
SHARE: tuple[Ends | None, ...] = ((0.2, 1.0), (-0.03, 0.0), (0.0, 1.0))
SAFE: dict[str, tuple[Ends | None, ...]] = {
    "leaving": HAZARD, "retirement": HAZARD, "switching": HAZARD, "employer_change": HAZARD,
    "first_year_leaving_ratio": ((0.5, 2.0), (0.0, 0.5), (0.2, 1.5)),
    "first_year_output": SHARE,
    "fte_per_head": ((0.5, 1.0), (-0.05, 0.05), (0.8, 1.1)),
    "absence": ((0.0, 0.2), (0.0, 0.03), (0.0, 1.3)),
    "returns": (None, None, (0.0, 1.5)),
    "moves": HAZARD, "promotions": HAZARD,
    "skills_overlap": ((0.2, 1.0), None, (0.0, 1.0)),
    "establishment": ((5.0, 50.0), (0.0, 5.0), (0.5, 1.3)),
    "cover_share": ((0.0, 1.0), None, (0.0, 1.0)),
    "cover_cap": ((0.0, 0.2), (0.0, 0.05), (0.0, 1.3)),
    "cover_premium": ((0.8, 2.0), (0.0, 0.5), (0.5, 1.5)),
    "supply": ((0.0, 20.0), (0.0, 5.0), (0.0, 2.0)),
    "time_to_fill": ((0.0, 6.0), (0.0, 2.0), (0.0, 2.0)),
    "pay": ((20_000.0, 60_000.0), (0.0, 2000.0), (0.9, 1.2)),
    "need": ((0.5, 1.5), (-0.1, 0.2), (0.5, 1.5)),
    "delegation": ((0.0, 0.45), None, (0.0, 1.0)),
    "supervision_time": ((0.0, 0.3), (0.0, 0.05), (0.0, 2.0)),
    "intake": ((0.0, 40.0), (0.0, 10.0), (0.0, 2.0)),
    "places": ((0.0, 20.0), (0.0, 5.0), (0.0, 2.0)),
    "trainees_per_fte": ((0.01, 0.4), (0.0, 0.05), (1.0, 1.5)),
    "drop_out": HAZARD,
    "pass_rate": ((0.2, 1.0), (-0.03, 0.02), (0.0, 1.0)),
    "stays_in_area": SHARE, "completion": SHARE,
    "apprentices": ((0.0, 10.0), (0.0, 3.0), (0.0, 2.0)),
}  # fmt: skip
"""Sizes of `to`, `plus` and `times` with which a number stays inside its bounds; none: not drawn."""


def names_of(s: Scenario) -> dict[str, list[str]]:
    """The quantities that a scenario has, with what `of` can name."""
    external = {n: p for n, p in s.pipelines.items() if p.kind == "external"}
    internal = {n: p for n, p in s.pipelines.items() if p.kind == "internal"}
    stages = {f"{n}.{stage.name}": stage for n, p in external.items() for stage in p.stages}
    follow = [n for n, x in [*stages.items(), *internal.items()] if x.trainees_per_fte is not None]
    time, need, cover, hiring = s.working_time, s.need, s.cover, s.hiring
    found: dict[str, Any] = {
        "leaving": list(s.leaving), "retirement": s.retirement, "switching": [x.name for x in s.switches],
        "employer_change": s.employer_change, "first_year_leaving_ratio": s.first_year,
        "first_year_output": time and time.first_year_output, "fte_per_head": s.fte_per_head,
        "absence": list(time.absence) if time else None, "returns": list(s.pools),
        "moves": s.moves, "skills_overlap": s.moves, "promotions": s.promotions,
        "establishment": s.establishment, "cover_share": cover, "cover_cap": cover and cover.cap,
        "cover_premium": s.pay, "pay": s.pay, "need": need, "time_to_fill": hiring,
        "supply": [x.name for x in hiring.sources if isinstance(x.supply, Cells)] if hiring else None,
        "delegation": [x.name for x in need.delegation] if need else None,
        "supervision_time": list(s.supervision), "intake": list(external), "stays_in_area": list(external),
        "places": [n for n, stage in stages.items() if stage.places is not None],
        "trainees_per_fte": follow, "drop_out": [*stages, *internal],
        "pass_rate": [n for n, p in external.items() if p.exam], "apprentices": list(internal),
        "completion": list(internal),
    }  # fmt: skip
    return {name: node if isinstance(node, list) else [] for name, node in found.items() if node}


class Levers:
    """Interventions of one scenario, from a stream of their own."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.rng = np.random.default_rng([seed, 20270401])
        self.s, self.names = scenario, names_of(scenario)
        self.posts = [post.post for post in scenario.posts]
        first = scenario.start.split("-")
        self.start = int(first[0]) * 12 + int(first[1]) - 1
        last = scenario.end.split("-")
        self.yearly = 12 * (scenario.step == "year")
        self.months = int(last[0]) * 12 + int(last[1]) - 1 - self.start
        self.set: set[str] = set()
        """Quantities that an effect sets: one is enough."""

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def between(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def some(self, names: Any) -> list[Any]:
        """Some of the names, in any order."""
        picked = self.rng.permutation(len(names))[: self.rng.integers(1, len(names) + 1)]
        return [names[i] for i in picked]

    def month(self, offset: int) -> str:
        return f"{(self.start + offset) // 12}-{(self.start + offset) % 12 + 1:02d}"

    def where(self) -> dict[str, Any]:
        """Everybody, a role, an environment or some posts."""
        post = self.s.posts[self.rng.integers(len(self.posts))]
        return [{}, {"role": [post.role]}, {"environment": [post.environment]},
                {"post": self.some(self.posts)}][self.rng.integers(4)]  # fmt: skip

    def window(self) -> str:
        low, high = self.s.ages.first, self.s.ages.last
        cut = int(self.rng.integers(low + 1, high))
        return str(self.rng.choice([f"{cut}+", f"{low}-{cut}", f"{low + 1}-{high - 1}"]))

    def uncertain(self, low: float, high: float, name: str) -> dict[str, Any]:
        central = self.between(low, high)
        if self.chance(0.5):
            return value(central)
        ends = {"low": self.between(low, central), "high": self.between(central, high)}
        return value(central) | ends | {"uncertainty": name}

    def effect(self, lever: str, number: int, quantity: str) -> dict[str, Any]:
        verbs = [verb for verb, ends in zip(("to", "plus", "times"), SAFE[quantity], strict=True) if ends]
        verbs = [verb for verb in verbs if verb != "to" or quantity not in self.set]
        verb = str(self.rng.choice(verbs))
        self.set |= {quantity} if verb == "to" else set()
        ends = SAFE[quantity][("to", "plus", "times").index(verb)]
        assert ends is not None
        name = f"{'fedcba'[number]}-{quantity}"
        made: dict[str, Any] = {"name": name, "quantity": quantity}
        made[verb] = self.uncertain(*ends, f"{lever}.{name}")
        by, names = ADJUSTABLE[quantity].by, self.names[quantity]
        if names and self.chance(0.5):
            made["of"] = self.some(names)
        if "post" in by and self.chance(0.3):
            made["where"] = self.where()
        if "to" in by and self.chance(0.5):
            made["into"] = self.where()
        if "age" in by and self.chance(0.4):
            made["ages"] = self.window()
        if verb != "to" and self.chance(0.3):
            made["claimed"] = True
        return made

    def shifts(self) -> list[dict[str, Any]]:
        time = self.s.working_time
        parts = list(time.job_plan) if time else []
        made = []
        for number in range(self.rng.integers(0, 3) if len(parts) > 1 else 0):
            ends = [parts[i] for i in self.rng.permutation(len(parts))[:2]]
            made.append({"name": f"plan{number}", "from": ends[0], "to": ends[1],
                         "share": value(self.between(0, 0.6 if self.chance(0.3) else 0.15)),
                         "where": self.where(), "claimed": self.chance(0.3)})  # fmt: skip
        return made

    def supervisors(self) -> list[dict[str, Any]]:
        duties, made = list(self.s.supervision), []
        for number in range(self.rng.integers(0, 3) if duties else 0):
            of = self.some(duties) if self.chance(0.5) else []
            made.append({"name": f"duty{number}", "of": of, "by": self.where(),
                         "share": value(self.between(0, 1)), "claimed": self.chance(0.3)})  # fmt: skip
        return made

    def joint(self) -> dict[str, Any] | None:
        """Joint posts beside a post, half of whose time another environment with its role gets."""
        made, funded = None, self.s.establishment
        for p in self.rng.permutation(len(self.posts)):
            home = self.s.posts[p]
            others = {q.environment for q in self.s.posts if q.role == home.role} - {home.environment}
            if funded is None or any(home.post in where["post"] for where in funded.unconstrained):
                continue
            if others:
                split = {"home": 0.5, sorted(others)[0]: 0.5}
                made = {"suffix": "shared", "split": split, "backfill_weeks": self.between(0, 8),
                        "entry": value(self.between(0, 1.5)), "exit": value(self.between(0, 0.5)),
                        "new": self.chance(0.3) or bool(funded.redistribution),
                        "reach": {"post": [home.post]}}  # fmt: skip
        return made

    def whole(self, months: Any) -> Any:
        """The same number of months, or whole years of them where a period is a year."""
        return self.yearly * (months // self.yearly) if self.yearly else months

    def lever(self, name: str) -> dict[str, Any]:
        start = self.whole(int(self.rng.integers(0, self.months)) if self.chance(0.8) else 0)
        made: dict[str, Any] = {
            "name": name, "title": name, "level": "system", "category": "reform",
            "outcome": {"measure": "headcount", "direction": "up"}, "reach": self.where(),
            "uptake": self.uncertain(0, 1, f"{name}.uptake"), "start": self.month(start),
            "claim": float(self.rng.choice([0.0, 0.5, 1.0])),
        }  # fmt: skip
        if self.chance(0.6):
            made["ramp"] = self.whole(self.between(0.5, 15))
        if self.chance(0.4):
            made["end"] = self.month(start + max(self.whole(int(self.rng.integers(1, 15))), self.yearly or 1))
            made |= {"half_life": self.between(1, 12)} if self.chance(0.6) else {}
        quantities = list(self.names)
        if self.chance(0.15):
            made["groups"] = self.some(list(self.s.groups))
            quantities = [x for x in quantities if "group" in ADJUSTABLE[x].by]
        if self.chance(0.15):
            made["ages"] = self.window()
            quantities = [x for x in quantities if "age" in ADJUSTABLE[x].by]
        quantities = self.some(quantities)[:6] if quantities else []
        made["effects"] = [self.effect(name, i, quantity) for i, quantity in enumerate(quantities)]
        made["job_plan"], made["supervision"] = self.shifts(), self.supervisors()
        if self.chance(0.7):
            made["costs"] = {"set_up": value(self.between(0, 1e5)), "per_year": value(self.between(0, 1e5)),
                             "per_head": value(self.between(0, 1e3))}  # fmt: skip
        if self.chance(0.4):
            months = self.whole(self.between(1, 24))
            made["introduction"] = {"share": value(self.between(0, 0.2)), "months": months,
                                    "where": self.where()}  # fmt: skip
        return made

    def add(self) -> Scenario:
        """The scenario with its interventions, and with the joint posts that they make."""
        made = [self.lever(name) for name in NAMES[: self.rng.integers(1, 5)]]
        posts = self.joint() if self.chance(0.7) else None
        if posts is not None:
            some = self.uncertain(0.0, 0.45, "mint.uptake")  # less than what other policies leave
            made[0] |= {"reach": posts.pop("reach"), "posts": posts, "uptake": some}
            for effect in made[0]["effects"]:
                effect["joint"] = "post" in ADJUSTABLE[effect["quantity"]].by and self.chance(0.5)
        levers = tuple(Intervention.model_validate(lever) for lever in made)
        whole = self.s.model_copy(update={"interventions": levers})
        if posts is None:
            return whole
        data = tree_of(whole)
        add(data, whole, levers[0])
        return Scenario.model_validate(data)


def with_interventions(scenario: Scenario, seed: int) -> Scenario:
    """The scenario with random interventions."""
    return Levers(scenario, seed).add()
