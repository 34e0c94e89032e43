"""Random sections of the system around the people, put into a random scenario in canonical form."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from canonical import row, terms, value

SECTIONS = (
    "split",
    "working_time",
    "need",
    "supervision",
    "capacity",
    "policies",
    "pay",
    "budgets",
    "feedbacks",
)
"""Names by which `random_scenario(only=…)` chooses; `split`, `capacity` and `policies` belong to others."""


class SystemMaker:
    """Adds the sections, from a stream of its own; `around` is a `random_scenarios.Maker`."""

    def __init__(self, around: Any, out: dict[str, Any], seed: int) -> None:
        self.rng = np.random.default_rng([seed, 20260401])
        self.around, self.out = around, out
        self.posts: list[str] = around.posts
        self.role: dict[str, str] = around.role
        self.place: dict[str, str] = around.place
        self.month: Callable[[int], str] = around.month
        everywhere = out.get("establishment", {}).get("unconstrained", [])
        free = {p for where in everywhere for p in where["post"]}
        self.limited = [p for p in self.posts if p not in free] if "establishment" in out else []
        self.pipelines: dict[str, Any] = out.get("pipelines", {})

    # ---- numbers ---------------------------------------------------------------------------------

    def on(self, section: str, probability: float) -> bool:
        drawn = bool(self.rng.random() < probability)
        return drawn if self.around.only is None else section in self.around.only

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def between(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def number(self, low: float, high: float) -> dict[str, float]:
        return value(self.between(low, high))

    def some(self, names: list[str], least: int = 1) -> list[str]:
        """Some of the names, in their order."""
        if len(names) <= least:
            return list(names)
        picked = self.rng.permutation(len(names))[: self.rng.integers(least, len(names) + 1)]
        return [names[i] for i in sorted(picked)]

    def by_post(self, low: float, high: float) -> dict[str, Any]:
        rows = [row(self.between(low, high))]
        if self.chance(0.5):
            rows.append(row(self.between(low, high), role=self.role[self.posts[0]]))
        if self.chance(0.5):
            rows.append(row(self.between(low, high), post=self.posts[-1]))
        return terms(rows)

    def series(self, low: float, high: float, n: int = 3) -> dict[str, Any]:
        months = sorted(self.rng.choice(range(-6, 40), size=self.rng.integers(1, n + 1), replace=False))
        return {"points": {self.month(int(m)): self.number(low, high) for m in months}}

    def where(self) -> dict[str, Any]:
        """Everybody, a role, an environment or some posts."""
        return [{}, {"role": [self.role[self.posts[-1]]]}, {"environment": [self.place[self.posts[0]]]},
                {"post": self.some(self.posts)}][self.rng.integers(4)]  # fmt: skip

    def span(self) -> dict[str, str]:
        start = int(self.rng.integers(-8, 20))
        return {"start": self.month(start), "end": self.month(start + int(self.rng.integers(0, 18)))}

    # ---- time, need, supervision -------------------------------------------------------------------

    def split(self) -> None:
        """Joint posts: at home and elsewhere, or elsewhere alone; some with backfill."""
        names = list(self.out["environments"])
        for post in self.out["posts"]:
            if self.chance(0.5):
                places = [str(x) for x in self.rng.permutation(names)[: self.rng.integers(1, 4)]]
                if self.chance(0.7) and post["environment"] not in places:
                    places[0] = post["environment"]
                weights = self.rng.random(len(places)) + 0.2
                post["split"] = {n: float(w) for n, w in zip(places, weights / weights.sum(), strict=True)}
                if self.chance(0.8):
                    post["backfill_weeks"] = self.between(0, 52 if self.chance(0.3) else 10)

    def working_time(self) -> dict[str, Any]:
        names = ["sickness", "leave", "study"][: self.rng.integers(0, 4)]
        time: dict[str, Any] = {"absence": {name: self.by_post(0, 0.15) for name in names}}
        if "first_year" in self.out and self.chance(0.8):
            time["first_year_output"] = self.by_post(0.2, 1)
        if self.chance(0.85):
            time |= self.job_plan()
        return time

    def job_plan(self) -> dict[str, Any]:
        parts: dict[str, dict[str, Any]] = {"clinical": {"service": True}}
        if self.chance(0.6):
            parts["dispensing"] = {"service": True}
        if self.chance(0.8):
            parts["supervising"] = {"supervising": True}
        if self.chance(0.7):
            parts["leading"] = {}
        names = list(parts)
        rows: dict[str, list[Any]] = {name: [] for name in names}
        for where in ({}, {"post": self.posts[-1]}):
            weights = self.rng.random(len(names)) * (1.0 if not where else self.rng.random(len(names)) < 0.6)
            if len(names) == 1 or weights.sum() == 0:
                weights = np.arange(len(names)) == len(names) - 1
            for name, weight in zip(names, weights / weights.sum(), strict=True):
                rows[name].append(row(float(weight), **where))
        for name in names:
            parts[name]["share"] = terms(rows[name])
        shifts = []
        for _ in range(self.rng.integers(0, 4) if len(names) > 1 else 0):
            ends = [names[i] for i in self.rng.permutation(len(names))[:2]]
            share = self.number(0, 0.6 if self.chance(0.3) else 0.15)
            shifts.append(
                {"where": self.where(), "from": ends[0], "to": ends[1], "share": share} | self.span()
            )
        return {"job_plan": parts, "shifts": shifts}

    def need(self) -> dict[str, Any]:
        need: dict[str, Any] = {}
        if self.chance(0.6):
            need["opening_ratio"] = self.by_post(0.7, 1.4)
            if self.chance(0.2):
                need["opening_ratio"]["terms"][0]["rows"].append(row(0.0, post=self.posts[0]))
        else:
            need["fte"] = self.by_post(0, 40)
        if self.chance(0.8):
            names = ["people", "items"][: self.rng.integers(1, 3)]
            need["activity"] = {
                n: {"index": self.series(2, 6), "share": self.by_post(0, 1 / len(names))} for n in names
            }
        if self.chance(0.6):
            need["productivity"] = self.by_post(-0.05, 0.1)
        if self.chance(0.7):
            need["delegation"] = self.delegation()
        return need

    def delegation(self) -> list[dict[str, Any]]:
        """Delegations where both roles are at home; limits that bind and that do not."""
        homes = {(p["role"], p["environment"]) for p in self.out["posts"]}
        both = sorted(e for e in self.out["environments"] if {("red", e), ("blue", e)} <= homes)
        out = []
        for name, role, to in (("check", "red", "blue"), ("count", "red", "blue"), ("back", "blue", "red")):
            if both and self.chance(0.6):
                picked = {"environment": self.some(both)} if self.chance(0.5) else {}
                out.append(
                    {
                        "name": name, "from": {"role": [role]} | picked, "to": to,
                        "share": self.number(0, 0.5),
                        "limit": self.number(0.005, 0.3) if self.chance(0.5) else value(5.0),
                        "supervision": self.number(0, 0.6) if self.chance(0.8) else value(0.0),
                        "exchange": self.number(0.6, 1.5),
                        "over_time": self.series(0, 1) if self.chance(0.5) else None,
                    }
                )  # fmt: skip
        return out

    def supervision(self) -> dict[str, Any]:
        stages = [
            f"{n}.{s['name']}"
            for n, p in self.pipelines.items()
            if p["kind"] == "external"
            for s in p["stages"]
        ]
        ladders = [n for n, p in self.pipelines.items() if p["kind"] == "internal"]
        kinds: list[dict[str, Any]] = [{"staff": self.where()}, {"staff": {"role": ["blue"]}}]
        if stages:
            kinds.append({"trainees": self.some(stages + ladders)})
        if ladders:
            kinds.append({"trainees": self.some(ladders)})
        if "first_year" in self.out:
            kinds += [{"first_year": self.where()}, {"first_year": {}}]
        picked = self.rng.permutation(len(kinds))[: self.rng.integers(1, len(kinds) + 1)]
        duties = {}
        for i in sorted(picked):
            inside = not set(kinds[i].get("trainees", ())) & set(stages)
            axes = [[], ["environment"], ["role", "environment"], ["role"]][
                self.rng.integers(4 if inside else 1)
            ]
            time = self.number(0.01, 0.15 if self.chance(0.7) else 0.6)
            duties[f"duty{i}"] = kinds[i] | {"time": time, "within": axes, "by": self.entries()}
        return duties

    def entries(self) -> list[dict[str, Any]]:
        """One or two lots of posts that supervise; the second takes over from the first, or a part."""
        order = [self.posts[i] for i in self.rng.permutation(len(self.posts))]
        if self.chance(0.4):
            return [{"where": {"post": self.some(order)}}]
        cut = int(self.rng.integers(1, len(order)))
        shares = [self.between(0, 1), 0.0 if self.chance(0.3) else self.between(0, 1)]
        months = (0, 24) if self.chance(0.7) else (6, 12)
        return [
            {
                "where": {"post": lot},
                "share": {
                    "points": {
                        self.month(m): value(share if first else 1.0 - share)
                        for m, share in zip(months, shares, strict=True)
                    }
                },
            }
            for lot, first in ((order[:cut], True), (order[cut:], False))
        ]

    def capacity(self) -> None:
        """Supervisors of stages and of internal pipelines, with capacities that bind and that do not."""
        for pipe in self.pipelines.values():
            if pipe["kind"] == "internal":
                pipe["productivity"] = self.number(0, 1)
                if self.chance(0.6):
                    pipe["trainees_per_fte"] = self.number(0.001, 0.1 if self.chance(0.6) else 0.5)
                    pipe["supervisors"] = self.where()
                continue
            for stage in pipe["stages"]:
                if "places" in stage and self.chance(0.7):
                    stage["supervisors"] = self.where()
                elif "places" not in stage and self.chance(0.4):
                    stage |= {"trainees_per_fte": self.number(0.02, 0.4), "supervisors": self.where()}
                    stage["waits"] = self.number(0, 1)

    # ---- money -----------------------------------------------------------------------------------------

    def policies(self) -> None:
        """Reduce, follow and transfers, beside the policies that are there."""
        node = self.out["establishment"]
        new: list[dict[str, Any]] = []
        if self.chance(0.5):
            share = {"by_share": self.number(0, 0.3)} if self.chance(0.5) else {"by_fte": self.number(0.2, 1)}
            new.append({"where": self.where(), "policy": "reduce"} | share | self.span())
        if "need" in self.out and self.chance(0.7):
            delay = self.number(1, 18) if self.chance(0.6) else value(0.0)
            new.append(
                {"where": self.where(), "policy": "follow", "share": self.number(0, 1), "delay": delay}
            )
        both = [*node["over_time"], *new]
        node["over_time"] = [both[i] for i in self.rng.permutation(len(both))]
        governs = {p: self.policy(p) for p in self.limited if p != self.posts[0]}
        for plan in node["over_time"]:
            if "by_fte" in plan and not any(policy is plan for policy in governs.values()):
                plan["by_share"] = self.number(0, 0.3)
                del plan["by_fte"]
        follow = {p for p in self.posts if self.policy(p).get("policy") == "follow"}
        givers = [p for p in self.limited if p not in follow and p != self.posts[0]]
        transfers = []
        for _ in range(self.rng.integers(0, 3) if self.limited else 0):
            transfer = {"fte": self.number(0.1, 0.6)} | self.span()
            some = self.some(givers)
            others = [p for p in self.limited if p not in some]
            if some and others and self.chance(0.7):
                transfers.append(transfer | {"from": {"post": some}, "to": {"post": self.some(others)}})
            else:
                transfers.append(transfer | {"new": True, "to": {"post": self.some(self.limited)}})
        node["redistribution"] = transfers

    def policy(self, post: str) -> dict[str, Any]:
        """Policy of a post: the last that names it."""
        axes = {"post": post, "role": self.role[post], "environment": self.place[post]}
        policies = self.out["establishment"]["over_time"]
        named = [x for x in policies if all(axes[key] in names for key, names in x["where"].items())]
        return named[-1] if named else {}

    def pay(self) -> dict[str, Any]:
        pay: dict[str, Any] = {"per_fte": self.by_post(20_000, 60_000)}
        if self.chance(0.6):
            share = self.by_post(0.05, 0.3)
            share["terms"][0]["rows"].append(row(0.0, post=self.posts[0]))
            pay["weighting"] = {"share": share, "lowest": value(4000.0), "highest": value(6000.0)}
        if self.chance(0.7):
            pay["on_costs"] = self.by_post(0.1, 0.4)
        if self.chance(0.7):
            pay["cover_premium"] = self.by_post(0.8, 2)
        if self.chance(0.7):
            n = self.rng.integers(1, 3)
            pay["over_time"] = [
                {"where": self.where(), "index": self.series(0.8, 1.5), "steps": self.chance(0.3)}
                for _ in range(n)
            ]
        return pay

    def budgets(self) -> dict[str, Any]:
        """Budgets over separate posts, tight or wide, and one that only watches."""
        cut = int(self.rng.integers(0, len(self.limited)))
        budgets = {}
        for name, lot in (("first", self.limited[:cut]), ("second", self.limited[cut:])):
            if lot and self.chance(0.8):
                tight = self.chance(0.7)
                low, high = (0.6, 1.02) if tight else (1.2, 2.0)
                if self.chance(0.7):
                    money = {"of_opening": self.series(low, high)}
                else:
                    money = {"per_year": self.series(low * 1e6 * len(lot), high * 1e6 * len(lot))}
                budgets[name] = {"where": {"post": lot}, "steps": self.chance(0.3), **money}
        watched = self.some(self.limited)
        budgets["watching"] = {"where": {"post": watched}, "of_opening": self.series(0.5, 1.5), "caps": False}
        return budgets

    # ---- feedbacks ---------------------------------------------------------------------------------------

    def feedback(self, low: float, high: float, number: bool = True) -> dict[str, Any]:
        """Switch, posts, delay, reference (a number between low and high, or the opening) and bounds."""
        narrow = self.chance(0.3)
        return {
            "on": self.chance(0.9),
            "where": self.where() if self.chance(0.5) else {},
            "delay": self.number(0.5, 15) if self.chance(0.6) else value(0.0),
            "reference": self.number(low, high) if number and self.chance(0.4) else "opening",
            "low": self.between(0.95, 1) if narrow else self.between(0.2, 0.8),
            "high": self.between(1, 1.05) if narrow else self.between(1.3, 3),
        }

    def feedbacks(self) -> dict[str, Any]:
        exits, switches = list(self.out.get("leaving", {})), [x["name"] for x in self.out.get("switches", [])]
        sources = self.out.get("hiring", {}).get("sources", [])
        numeric = [x["name"] for x in sources if isinstance(x.get("supply"), dict)]
        stages = [s for p in self.pipelines.values() if p["kind"] == "external" for s in p["stages"]]
        made: dict[str, Any] = {}
        if "need" in self.out and (exits or switches):
            made["burnout"] = self.feedback(0.7, 1.3) | {
                "destinations": self.some(exits), "leaving": self.number(0, 2),
                "switches": self.some(switches), "shorter_hours": self.number(0, 2),
            }  # fmt: skip
        if numeric and self.limited:
            made["recruitment"] = self.feedback(0.02, 0.2) | {
                "sources": numeric,
                "elasticity": self.number(-1, 2),
            }
        if any("places" in s and "supervisors" in s for s in stages):
            made["training"] = self.feedback(10, 100) | {"elasticity": self.number(0, 2), "where": {}}
        if "moves" in self.out and ("need" in self.out or self.limited or "pay" in self.out):
            made["attractiveness"] = self.feedback(1, 1, number=False)
            if self.limited:
                made["attractiveness"]["openings"] = self.number(0, 1)
            if "need" in self.out:
                made["attractiveness"]["pressure"] = self.number(0, 1)
            if "pay" in self.out:
                made["attractiveness"]["pay"] = self.number(0, 3)
        time, duties = self.out.get("working_time", {}), self.out.get("supervision", {})
        if "first_year_output" in time or any("first_year" in duty for duty in duties.values()):
            made["inexperience"] = self.feedback(0.05, 0.4) | {"elasticity": self.number(0.5, 1.5)}
        if exits:
            made["flexibility"] = self.feedback(0.6, 1.0) | {
                "elasticity": self.number(0, 4), "destinations": self.some(exits)
            }  # fmt: skip
        return {name: made[name] for name in made if self.chance(0.8)}

    # ---- all ---------------------------------------------------------------------------------------------

    def add(self) -> None:
        """Put the sections into the scenario."""
        if self.on("split", 0.6):
            self.split()
        if self.on("capacity", 0.7):
            self.capacity()
        if self.on("working_time", 0.75):
            self.out["working_time"] = self.working_time()
        if self.on("need", 0.8):
            self.out["need"] = self.need()
        if self.on("supervision", 0.6):
            self.out["supervision"] = self.supervision()
        if "establishment" in self.out and self.on("policies", 0.8):
            self.policies()
        if self.on("pay", 0.75):
            self.out["pay"] = self.pay()
        if "pay" in self.out and self.limited and self.on("budgets", 0.7):
            self.out["budgets"] = self.budgets()
        if "cover" in self.out:
            self.out["cover"]["effectiveness"] = self.number(0.4, 1)
        if self.on("feedbacks", 0.8):
            self.out["feedbacks"] = self.feedbacks() or None
