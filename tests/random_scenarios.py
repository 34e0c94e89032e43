"""Random scenarios in canonical form: every section on or off, small enough for the reference."""

from __future__ import annotations

from typing import Any

import numpy as np

from canonical import row, terms, value
from pharmsim.scenario.models import Scenario
from random_interventions import with_interventions
from random_system import SystemMaker

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
ROLES, ENVIRONMENTS = ("red", "blue"), ("hill", "lake", "wood")


class Maker:
    """One scenario, drawn from a seeded stream."""

    def __init__(self, seed: int, only: set[str] | None = None, step: str | None = None) -> None:
        self.rng = np.random.default_rng([seed, 20250401])
        self.only = only
        self.step = step or str(
            self.rng.choice(["month"] * 6 + ["month/2", "month/4", "month/8", "year", "year"])
        )
        self.posts = [f"post{i}" for i in range(self.rng.integers(2, 7 if self.step == "month" else 5))]
        self.role = {post: ROLES[i % 2] for i, post in enumerate(self.posts)}
        self.place = {post: str(self.rng.choice(ENVIRONMENTS)) for post in self.posts}
        self.groups = [f"group{i}" for i in range(self.rng.integers(1, 3))]
        self.contracts = [f"contract{i}" for i in range(self.rng.integers(1, 4))]
        self.first = (
            int(self.rng.integers(48, 56)) if self.rng.random() < 0.5 else int(self.rng.integers(20, 30))
        )
        self.last = self.first + int(self.rng.integers(5, 14))
        self.start_year = int(self.rng.integers(2023, 2027))
        self.start_month = int(self.rng.integers(1, 13))

    def on(self, section: str, probability: float = 0.7) -> bool:
        """Whether a section exists."""
        drawn = self.rng.random() < probability
        return drawn if self.only is None else section in self.only

    def between(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def age(self) -> int:
        return int(self.rng.integers(self.first, self.last + 1))

    def month_shares(self) -> dict[str, float]:
        names = self.rng.choice(MONTHS, size=self.rng.integers(1, 4), replace=False)
        weights = self.rng.random(len(names)) + 0.2
        return {str(name): float(w) for name, w in zip(names, weights / weights.sum(), strict=True)}

    def over_time(self, low: float = 0.3, high: float = 1.6) -> dict[str, Any] | None:
        """A series with a few points, some before the start or after the end; or none."""
        if self.rng.random() < 0.5:
            return None
        months = sorted(self.rng.choice(range(-12, 50), size=self.rng.integers(1, 5), replace=False))
        return {"points": {self.month(int(m)): value(self.between(low, high)) for m in months}}

    def month(self, offset: int) -> str:
        """Canonical month, counted from the start."""
        number = self.start_year * 12 + self.start_month - 1 + offset
        return f"{number // 12}-{number % 12 + 1:02d}"

    def by_post(self, low: float, high: float) -> dict[str, Any]:
        """A number for every post: a general row, overridden for some."""
        rows = [row(self.between(low, high))]
        if self.rng.random() < 0.7:
            rows.append(row(self.between(low, high), environment=self.place[self.posts[0]]))
        if self.rng.random() < 0.7:
            rows.append(row(self.between(low, high), post=self.posts[-1]))
        return terms(rows)

    def hazard(self, top: float, pension: bool = False, contract: bool = False) -> dict[str, Any]:
        """A hazard by age (bands or knots) or years past pension age, for some groups, times a factor."""
        form = self.rng.integers(3)
        rows = [row(self.between(0, top))]
        if pension and self.has_pension and form < 2:
            rows = [
                row(self.between(0, top), years_past_pension_age=f"{-self.rng.integers(3, 8)}"),
                row(self.between(0, top), years_past_pension_age="0"),
                row(self.between(0, top), years_past_pension_age=f"{self.rng.integers(1, 4)}"),
            ]
            if form == 0:
                rows = [row(0.01), row(self.between(0, top), years_past_pension_age="-1-1"),
                        row(top, years_past_pension_age="2+")]  # fmt: skip
        elif form == 1:
            rows += [row(self.between(0, top), age=f"{self.age()}+"),
                     row(self.between(0, top), age=f"{self.first}-{self.first + 2}")]  # fmt: skip
        elif form == 2:
            ages = sorted(self.rng.choice(range(self.first, self.last + 1), size=3, replace=False).tolist())
            rows = [row(self.between(0, top), age=str(age)) for age in ages]
        factors = [rows]
        if self.rng.random() < 0.5:
            factors.append([row(1.0), row(self.between(0.3, 1.5), role=self.role[self.posts[0]])])
        if self.rng.random() < 0.3:
            factors.append([row(1.0), row(self.between(0.3, 1.5), group=self.groups[-1])])
        if contract and self.rng.random() < 0.3:
            factors.append([row(1.0), row(self.between(0.3, 1.5), contract=self.contracts[-1])])
        return terms(*factors)

    def flow(self, top: float, **kinds: bool) -> dict[str, Any]:
        return {"rate": self.hazard(top, **kinds), "over_time": self.over_time()}

    def shares(self, axis: str, names: list[str]) -> dict[str, Any]:
        """Shares that sum to one, different in one post."""
        rows = []
        for where in ({}, {"post": self.posts[-1]}):
            weights = self.rng.random(len(names)) + 0.1
            rows += [
                row(float(w), **where, **{axis: n})
                for n, w in zip(names, weights / weights.sum(), strict=True)
            ]
        return terms(rows)

    def age_shares(self, by_post: bool = True) -> dict[str, Any]:
        """Shares of bands and single ages."""
        cut = int(self.rng.integers(self.first + 1, self.last))
        one = int(self.rng.integers(cut + 1, self.last + 1))
        share = self.between(0.1, 0.8)
        rows = [row(share, age=f"{self.first}-{cut}"), row(1 - share, age=str(one))]
        if by_post and self.rng.random() < 0.5:
            rows += [row(1.0, post=self.posts[0], age=str(one))]
        return terms(rows)

    def edges(self, n: int, top: float) -> list[dict[str, Any]]:
        pairs = [(a, b) for a in self.posts for b in self.posts if a != b]
        picked = self.rng.permutation(len(pairs))[:n]
        return [{"from": pairs[i][0], "to": pairs[i][1], "rate": value(self.between(0, top))} for i in picked]

    def age_range(self) -> str | None:
        return None if self.rng.random() < 0.5 else f"{self.first + 1}-{self.last - 1}"

    def establishment(self) -> dict[str, Any]:
        out: dict[str, Any] = {}
        if self.rng.random() < 0.5:
            out["fte"] = self.by_post(10, 60)
        else:
            out["vacancy_rate"] = self.by_post(-0.1, 0.3)
        policies = [
            {
                "where": {"role": [self.role[self.posts[0]]]},
                "policy": "grow",
                "growth": value(self.between(-0.2, 0.2)),
            },
            {
                "where": {},
                "policy": "table",
                "table": self.over_time(0.7, 1.3) or {"points": {self.month(6): value(1.1)}},
            },
            {"where": {"post": [self.posts[-1]]}, "policy": "hold"},
        ]
        out["over_time"] = [policies[i] for i in self.rng.permutation(3)[: self.rng.integers(4)]]
        out["unconstrained"] = [{"post": [self.posts[0]]}] if self.rng.random() < 0.4 else []
        return out

    def external(self) -> dict[str, Any]:
        stages: list[dict[str, Any]] = [
            {
                "name": f"stage{i}",
                "months": int(self.rng.integers(2, 15)),
                "drop_out": value(self.between(0, 0.3)),
            }
            for i in range(self.rng.integers(1, 4))
        ]
        for stage in stages:
            if self.rng.random() < 0.4:
                stage |= {"places": value(self.between(3, 15)), "waits": value(self.between(0, 1))}
        exam: dict[str, Any] = {
            "sittings": [
                str(m) for m in self.rng.choice(MONTHS, size=self.rng.integers(1, 3), replace=False)
            ],
            "eligible_month": int(self.rng.integers(1, stages[-1]["months"] + 1)),
            "result_lag": int(self.rng.integers(0, 3)),
            "pass_rates": [value(self.between(0.3, 0.9)) for _ in range(self.rng.integers(1, 4))],
            "resit": value(self.between(0.5, 1)),
        }
        if self.rng.random() < 0.4:
            exam["by_sitting"] = {
                exam["sittings"][0]: [value(self.between(0.3, 0.9))] * len(exam["pass_rates"])
            }
        years = {str(self.start_year + y): value(self.between(5, 30)) for y in (-3, 0, 1)}
        weights = self.rng.random(len(self.posts)) * (self.rng.random(len(self.posts)) < 0.7) + 1e-3
        weights[-1] = 0.0
        wishes = [row(float(w), post=p) for p, w in zip(self.posts, weights / weights.sum(), strict=True)]
        return {
            "kind": "external",
            "role": "red",
            "intake": {"per_year": {"points": years}, "months": self.month_shares()},
            "stages": stages,
            "exam": exam if self.rng.random() < 0.7 else None,
            "retention": value(self.between(0.4, 1)),
            "groups": self.plain_shares("group", self.groups),
            "ages": self.age_shares(by_post=False),
            "destinations": terms(wishes),
            "gives_up": value(self.between(0, 3)),
            "opening": {
                "rule": str(self.rng.choice(["steady", "from_past_intakes"])),
                "seekers": value(self.between(0, 5)),
            },
        }

    def plain_shares(self, axis: str, names: list[str]) -> dict[str, Any]:
        weights = self.rng.random(len(names)) + 0.1
        return terms(
            [row(float(w), **{axis: n}) for n, w in zip(names, weights / weights.sum(), strict=True)]
        )

    def internal(self) -> dict[str, Any]:
        origins = [p for p in self.posts if self.role[p] == "blue"][:2]
        goals = [p for p in self.posts if self.role[p] == "red"][:2]
        share = self.between(0.2, 0.8) if len(goals) == 2 else 1.0
        routes = [
            {"from": o, "to": g, "share": value(s)}
            for o in origins
            for g, s in zip(goals, (share, 1 - share), strict=False)
        ]
        return {
            "kind": "internal",
            "role": "red",
            "intake": terms([row(0.0), *(row(self.between(1, 8), post=p) for p in origins)]),
            "intake_months": self.month_shares(),
            "over_time": self.over_time(),
            "months": 12 if self.step == "year" else int(self.rng.integers(1, 20)),
            "drop_out": value(self.between(0, 0.4)),
            "completes": value(self.between(0.5, 1)),
            "ages": self.age_range(),
            "routes": routes,
            "take_up": value(self.between(0, 20)),
            "opening": {
                "rule": str(self.rng.choice(["steady", "from_past_intakes"])),
                "seekers": value(self.between(0, 2)),
            },
        }

    def pools(self) -> dict[str, Any]:
        pools = {}
        for name in ("rest", "away")[: self.rng.integers(1, 3)]:
            pools[name] = {
                "return_rate": self.hazard(float(self.rng.choice([1.0, 3.0, 40.0]))),
                "lapse_rate": self.hazard(0.5) if self.rng.random() < 0.6 else None,
                "limited": bool(self.rng.random() < 0.6),
                "contracts": self.shares("contract", self.contracts) if self.rng.random() < 0.6 else None,
                "opening": self.by_post(0, 6),
                "opening_ages": self.age_shares() if self.rng.random() < 0.5 else None,
            }
        return pools

    def hiring(self, pipelines: list[str]) -> dict[str, Any]:
        sources: list[dict[str, Any]] = [
            {"name": "abroad", "supply": self.by_post(0, 20), "over_time": self.over_time(),
             "groups": self.shares("group", self.groups), "ages": self.age_shares()},
            {"name": "elsewhere", "supply": "unlimited"},
        ]  # fmt: skip
        if pipelines:
            sources.append(
                {"name": "new", "pipelines": ["all"] if self.rng.random() < 0.5 else pipelines[:1]}
            )
        picked = [sources[i] for i in self.rng.permutation(len(sources))][
            : self.rng.integers(1, len(sources) + 1)
        ]
        waits = self.rng.random() < 0.7
        least = int(self.rng.integers(0, 2))
        wait = [row(float(self.rng.integers(least, 5))), row(2.0, post=self.posts[-1])]
        if self.step == "year":
            wait = [row(12.0 * least), row(24.0, post=self.posts[-1])]
        fill = [row(3.0), row(0.0, post=self.posts[0])]
        return {
            "sources": picked,
            "time_to_hire": terms(wait) if waits else None,
            "time_to_fill": terms(fill) if self.rng.random() < 0.7 else None,
            "contracts": self.shares("contract", self.contracts) if self.rng.random() < 0.6 else None,
            "opening_offers": self.by_post(0, 4) if waits and least else None,
        }

    def stock(self) -> dict[str, Any]:
        stock = {"headcount": self.by_post(5, 60)}
        if self.rng.random() < 0.2:
            stock["headcount"]["terms"][0]["rows"].append(row(0.0, post=self.posts[0]))
        if self.rng.random() < 0.3:
            stock["jobs_per_person"] = terms([row(1.0), row(1.2, environment="hill")])
        if self.rng.random() < 0.8 or len(self.groups) > 1:
            stock["groups"] = self.shares("group", self.groups)
        stock["ages"] = self.age_shares()
        if self.rng.random() < 0.8 or len(self.contracts) > 1:
            stock["contracts"] = self.shares("contract", self.contracts)
        if len(self.contracts) > 1 and self.rng.random() < 0.4:
            older = [
                row(float(i == 0), age=f"{self.last - 3}+", contract=c) for i, c in enumerate(self.contracts)
            ]
            stock["contracts"]["terms"][0]["rows"] += older
        return stock

    def people(self) -> dict[str, Any]:
        """Sections on people in post."""
        out: dict[str, Any] = {}
        if self.on("fte_per_head"):
            rows = [
                row(1.0),
                row(0.6, contract=self.contracts[-1]),
                row(0.9, group=self.groups[-1], contract=self.contracts[0]),
            ]
            out["fte_per_head"] = terms(rows)
        if self.on("hours_drift", 0.4):
            out["hours_drift"] = terms([row(-0.01), row(0.02, post=self.posts[0])])
        if self.on("pools"):
            out["pools"] = self.pools()
        if self.on("leaving", 0.9):
            into = [None, *out.get("pools", {})]
            out["leaving"] = {
                f"exit{i}": self.flow(0.3, contract=True) | {"into": name} for i, name in enumerate(into)
            }
        if self.on("first_year"):
            out["first_year"] = {
                "leaving_ratio": self.by_post(0.5, 3),
                "opening_share": self.by_post(0.0, 0.4),
            }
        if self.on("retirement"):
            out["retirement"] = self.flow(0.5, pension=True)
        if self.on("switches") and len(self.contracts) > 1:
            pairs = [(0, 1), (1, 0), (0, len(self.contracts) - 1)]
            out["switches"] = [
                {
                    "name": f"switch{i}",
                    "from": self.contracts[a],
                    "to": self.contracts[b],
                    **self.flow(0.4, pension=True),
                }
                for i, (a, b) in enumerate(pairs)
            ]
        if self.on("employer_change"):
            out["employer_change"] = {"rate": self.by_post(0, 0.3), "over_time": self.over_time()}
        return out

    def ways(self) -> dict[str, Any]:
        """Sections on moves, establishment and retention."""
        out: dict[str, Any] = {}
        for section in ("moves", "promotions"):
            if self.on(section):
                edges = self.edges(int(self.rng.integers(1, 5)), 0.5)
                factor = value(self.between(0.5, 2))
                out[section] = {"edges": edges, "ages": self.age_range(), "factor": factor}
                out[section]["over_time"] = self.over_time()
                if section == "moves":
                    pairs = [{"from": edge["from"], "to": edge["to"]} for edge in edges[:2]]
                    out[section]["skills_overlap"] = [
                        p | {"share": value(self.between(0.1, 1))} for p in pairs
                    ]
        if self.on("establishment", 0.8):
            out["establishment"] = self.establishment()
        if self.on("cover", 0.5) and "establishment" in out:
            out["cover"] = {
                "share": self.by_post(0, 1),
                "cap": self.by_post(0, 0.1) if self.rng.random() < 0.5 else None,
            }
        if self.on("retention"):
            levels = {
                "each": {"by": ["post"]},
                "employer": {"by": ["environment"], "employer_changes": True},
                "hills": {"where": {"environment": ["hill"]}, "by": ["role"]},
                "all": {},
            }
            names = list(levels)[: self.rng.integers(1, 5)]
            month = MONTHS[self.start_month - 2] if self.step == "year" else str(self.rng.choice(MONTHS))
            out["retention"] = {"month": month, "levels": {name: levels[name] for name in names}}
        return out

    def make(self) -> dict[str, Any]:
        """The canonical description."""
        self.has_pension = bool(self.rng.random() < 0.6)
        months = 12 * int(self.rng.integers(1, 4)) if self.step == "year" else int(self.rng.integers(13, 38))
        out: dict[str, Any] = {
            "name": "random",
            "start": self.month(0),
            "end": self.month(months),
            "step": self.step,
            "ages": {"first": self.first, "last": self.last},
            "roles": {role: role for role in ROLES},
            "environments": {name: name for name in ENVIRONMENTS},
            "groups": {name: name for name in self.groups},
            "contracts": {name: name for name in self.contracts},
            "posts": [{"post": p, "role": self.role[p], "environment": self.place[p]} for p in self.posts],
            "stock": self.stock(),
        }
        if self.has_pension:
            born = self.start_year - self.last + 2
            out["pension_age"] = [{"born": f"{born + y}-{m:02d}", "age": value(self.first + 4 + 0.5 * y)}
                                  for y, m in ((0, 3), (2, 9), (5, 1))]  # fmt: skip
        out |= self.people() | self.ways()
        pipelines = (
            {f"college{i}": self.external() for i in range(self.rng.integers(1, 3))}
            if self.on("external")
            else {}
        )
        ladders = (
            {f"ladder{i}": self.internal() for i in range(self.rng.integers(1, 3))}
            if self.on("internal")
            else {}
        )
        if pipelines or ladders:
            out["pipelines"] = ladders | pipelines
        if self.on("hiring", 0.85):
            out["hiring"] = self.hiring(list(pipelines))
        return out


def random_scenario(
    seed: int, only: set[str] | None = None, step: str | None = None, n_ages: int | None = None
) -> Scenario:
    """A scenario from a seed; `only` names the sections that exist, or leaves them to chance."""
    maker = Maker(seed, only, step)
    if n_ages is not None:
        maker.first, maker.last = 76 - n_ages, 75
    out = maker.make()
    SystemMaker(maker, out, seed).add()
    scenario = Scenario.model_validate(out)
    wanted = maker.on("interventions", 0.75)
    return with_interventions(scenario, seed) if wanted else scenario
