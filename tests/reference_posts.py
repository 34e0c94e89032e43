"""Steps 1 to 6 of the reference implementation: tags, vacancies, limits, exits from posts and pools."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any, NamedTuple

from pharmsim.scenario.models import Scenario
from reference_inputs import Hazard, calendar_month, series, span
from reference_opening import Row, own
from reference_system import System


class Moment(NamedTuple):
    """A step: month it starts in; middle and end as fractions of the model year; length in years."""

    month: int
    tau: float
    end: float
    dt: float


class Edge(NamedTuple):
    """A way between posts; `row` is where its people come from."""

    kind: str
    row: Row
    to: str
    rate: float
    overlap: float
    ages: tuple[int, int]
    over_time: Any


def lived(heads: float, hazard: float, dt: float) -> float:
    """Person-years lived in a step under a total hazard."""
    return heads * -math.expm1(-hazard * dt) / hazard if hazard > 0 else heads * dt


class Posts(System):
    """People in post and in pools."""

    def __init__(self, scenario: Scenario) -> None:
        super().__init__(scenario)
        self.period = self.now_month = 0
        s = scenario
        self.n_periods = self.r.months // self.spacing
        self.record: dict[str, dict[Any, float]] = defaultdict(lambda: defaultdict(float))
        self.leaving = {name: Hazard(self.r, flow.rate, flow.over_time) for name, flow in s.leaving.items()}
        self.retire = s.retirement and Hazard(self.r, s.retirement.rate, s.retirement.over_time)
        self.switches = [(x.name, x.from_, x.to, Hazard(self.r, x.rate, x.over_time)) for x in s.switches]
        change = s.employer_change
        self.employer = change and Hazard(self.r, change.rate, change.over_time)
        self.returning = {name: Hazard(self.r, pool.return_rate) for name, pool in s.pools.items()}
        self.lapsing = {x: Hazard(self.r, pool.lapse_rate) for x, pool in s.pools.items() if pool.lapse_rate}
        self.edges = self.all_edges()
        self.levels = s.retention.levels if s.retention else {}
        self.tag_dates = [
            m for m in range(0, self.r.months + 1, self.spacing) if self.levels and self.is_tag_date(m)
        ]
        self.blocks = self.all_blocks()

    def all_edges(self) -> list[Edge]:
        edges = []
        for kind, section in (("move", self.s.moves), ("promotion", self.s.promotions)):
            if section is None:
                continue
            for edge in section.edges:
                shared = 1.0
                for overlap in getattr(section, "skills_overlap", ()):
                    if (overlap.from_, overlap.to) == (edge.from_, edge.to):
                        shared *= overlap.share.value
                beside = {self.r.posts[edge.from_].like, self.r.posts[edge.to].like} & {edge.from_, edge.to}
                ages = span(section.ages or "0+")
                ends = (own(edge.from_), edge.to)
                if beside:  # into a joint post and back: as stated
                    edges.append(Edge("role change", *ends, edge.rate.value, 1.0, ages, None))
                    continue
                rate = edge.rate.value * section.factor.value
                edges.append(Edge(kind, *ends, rate, shared, ages, section.over_time))
        for name, pipe in self.internal.items():
            for route in pipe.routes:
                rate = pipe.take_up.value * route.share.value
                waiting = ("waiting", route.from_, name, 0)
                edges.append(Edge("role change", waiting, route.to, rate, 1.0, (0, 999), None))
        return edges

    def count(self, name: str, heads: float, *labels: Any) -> None:
        """Add to a flow of this period."""
        self.record[name][(self.period, *labels)] += heads

    # ---- 1. tags ---------------------------------------------------------------------------------

    def is_tag_date(self, month: int) -> bool:
        assert self.s.retention
        return (self.r.start + month) % 12 == calendar_month(self.s.retention.month) % 12

    def all_blocks(self) -> dict[Any, dict[str, float]]:
        """Posts of every (level, block), with the share of their time that is worked there."""
        found: dict[Any, dict[str, float]] = {}
        for name, level in self.levels.items():
            for p in self.posts:
                for service, share in self.split[p].items():
                    labels = self.r.labels(p) | {"environment": service.environment}
                    if share > 0 and all(labels.get(x, "") in names for x, names in level.where.items()):
                        block = found.setdefault((name, tuple(labels.get(x, "") for x in level.by)), {})
                        block[p] = block.get(p, 0.0) + share
        return found

    def tag(self, month: int) -> None:
        if month not in self.tag_dates:
            return
        year = self.tag_dates.index(month)
        for block, inside in self.blocks.items():
            for row, people in self.tags.get(block, {}).items():
                heads = math.fsum(people.values())
                self.record["kept"][year - 1, block[0], row[1]] += heads
                self.record["kept_in"][year - 1, block] += heads
            here = {row: people for row, people in self.rows.items() if row[1] in inside}
            self.tags[block] = {
                row: {cell: n * inside[row[1]] for cell, n in people.items()} for row, people in here.items()
            }
            for row, people in self.tags[block].items():
                heads = math.fsum(people.values())
                self.record["tagged"][year, block[0], row[1]] += heads
                self.record["tagged_in"][year, block] += heads

    # ---- 2. vacancies, 3. limits ------------------------------------------------------------------

    def offered(self, p: str) -> float:
        return math.fsum(n for slot in self.offers[p] for n in slot.values())

    def hire_fte(self, p: str, w: dict[Any, float]) -> float:
        heads, fte = self.heads(p), 0.0
        for g in self.groups:
            group_share = self.heads(p, g) / heads if heads > 0 else self.mixes[p]["groups"][g]
            mix = self.contract_mix(self.s.hiring and self.s.hiring.contracts, p, g)
            fte += group_share * math.fsum(share * w[p, g, c] for c, share in mix.items())
        return fte

    def limits(self, at: Moment, vacancy: Any, share: Any, w: Any) -> tuple[dict[str, float], list[float]]:
        """Share of the wanted arrivals that is possible, by post; limited hazards of the edges."""
        wanted: dict[str, float] = defaultdict(float)
        rates, heads = [], []
        for edge in self.edges:
            rate = self.rate(edge, at.month) * series(edge.over_time, self.r.start + at.month)
            rate *= 1 - share[edge.row[1]] if edge.kind == "promotion" else 1
            rate *= self.attraction(edge)
            first, last = edge.ages
            eligible = {k: n for k, n in self.rows.get(edge.row, {}).items() if first <= k[2] <= last}
            wanted[edge.to] += math.fsum(
                n * rate * at.dt * w[edge.to, g, c] for (g, c, _), n in eligible.items()
            )
            rates.append(rate)
            heads.append(math.fsum(eligible.values()) * rate * at.dt)
        for (name, p), people in self.pools.items():
            for (g, a), n in people.items() if self.s.pools[name].limited else ():
                rate = self.returns(name, p, g, a, at)
                mix = self.contract_mix(self.s.pools[name].contracts, p, g)
                wanted[p] += n * rate * at.dt * math.fsum(share * w[p, g, c] for c, share in mix.items())
        room = {p: max(vacancy[p], 0.0) for p in self.posts}
        possible = {p: min(1.0, room[p] / wanted[p]) if wanted[p] > 0 else 1.0 for p in self.posts}
        for i, edge in enumerate(self.edges):
            self.count("moves_blocked", (1 - possible[edge.to]) * heads[i], i)
        return possible, [rate * possible[edge.to] for rate, edge in zip(rates, self.edges, strict=True)]

    def rate(self, edge: Edge, month: int) -> float:
        """Rate of an edge, with its overlap, as it is at a month's start."""
        if edge.kind == "role change":
            return edge.rate
        rate = self.changed(f"{edge.kind}s", edge.rate, month, p=edge.row[1], into=edge.to)
        if edge.kind == "promotion":
            return rate
        return rate * self.changed("skills_overlap", edge.overlap, month, p=edge.row[1], into=edge.to)

    def attraction(self, edge: Edge) -> float:
        """Attractiveness of where a move leads ÷ that of where it comes from."""
        feedback = self.s.feedbacks and self.s.feedbacks.attractiveness
        if edge.kind != "move" or not feedback or not feedback.on:
            return 1.0
        m = self.multipliers["attractiveness"]
        return self.clip(m[edge.to] / m[edge.row[1]], feedback)

    def risks(self, row: Row, cell: Any, at: Moment, multiplier: float, edge_rates: list[float]) -> list[Any]:
        """Everything that can happen to a cell: (what, which, hazard, row and cell where they go or None)."""
        kind, p, name, _ = row
        g, c, a = cell
        risks: list[Any] = []

        def changed(quantity: str, hazard: Hazard, of: str = "") -> float:
            rate = self.changed(quantity, hazard(p, g, c, a, at), at.month, of=of, p=p, group=g, age=a)
            return rate * series(hazard.over_time, self.r.start + at.month)

        for destination, hazard in self.leaving.items():
            m = multiplier
            for feedback in ("burnout", "flexibility"):
                if self.acting(feedback, "destinations", destination):
                    m *= self.multipliers[feedback][p]
            risks.append(("leavers", destination, m * changed("leaving", hazard, destination), None))
        if self.retire:
            risks.append(("retirements", None, changed("retirement", self.retire), None))
        for switch, source, to, hazard in self.switches:
            if source == c:
                m = (
                    self.multipliers["shorter_hours"][p]
                    if self.acting("burnout", "switches", switch)
                    else 1.0
                )
                risks.append(
                    ("switches", switch, m * changed("switching", hazard, switch), (row, (g, to, a)))
                )
        for i, edge in enumerate(self.edges):
            if edge.row == row and edge.ages[0] <= a <= edge.ages[1]:
                risks.append(("moves", i, edge_rates[i], (own(edge.to), cell)))
        if kind == "batch":
            rate = self.changed("drop_out", self.internal[name].drop_out.value, at.month, of=name)
            risks.append(("drop-out", None, rate, (own(p), cell)))
        return risks

    def exits_from_posts(self, at: Moment, edge_rates: list[float], share: Any, w: Any) -> tuple[Any, Any]:
        """Step 4 and the arrivals of step 6; returns entries to pools and the FTE that moved, by post."""
        into: dict[Any, float] = defaultdict(float)
        moved_fte: dict[str, float] = defaultdict(float)
        left: dict[str, float] = defaultdict(float)
        other: dict[str, float] = defaultdict(float)
        heads = {p: self.heads(p) for p in self.posts}
        first = {p: self.changed("first_year_leaving_ratio", x, at.month, p=p) for p, x in self.ratio.items()}
        weight = {p: 1 - share[p] + first[p] * share[p] for p in self.posts}
        after = {name: self.empty(people) for name, people in self.copies().items()}
        for row, people in self.rows.items():
            p = row[1]
            multiplier = weight[p] / (1 - self.share0[p] + self.ratio[p] * self.share0[p])
            for cell, n in people.items():
                risks = self.risks(row, cell, at, multiplier, edge_rates)
                employer = 0.0
                if self.employer:
                    employer = self.changed(
                        "employer_change", self.employer(p, *cell, at), at.month, p=p, group=cell[0]
                    ) * series(self.employer.over_time, self.r.start + at.month)
                total = math.fsum(risk[2] for risk in risks)
                years = lived(n, total, at.dt)
                self.count("employer_changes", employer * years, p)
                for what, which, rate, target in risks:
                    if what != "drop-out":
                        label = [which] if what == "moves" else [p] if which is None else [p, which]
                        self.count(what, rate * years, *label)
                    left[p] += rate * years * (what == "leavers")
                    other[p] += rate * years * (what in ("retirements", "moves"))
                    if what == "leavers" and self.s.leaving[which].into:
                        into[self.s.leaving[which].into, p, cell[0], cell[2]] += rate * years
                    if what == "moves":
                        self.enter(target[0][1], rate * years)
                        moved_fte[target[0][1]] += rate * years * w[target[0][1], cell[0], cell[1]]
                self.follow(row, cell, risks, employer, at.dt, after)
        self.rows = after.pop("")
        self.tags = after
        for p in self.posts:  # 6
            if heads[p] > 0:
                stay = (1 - left[p] / heads[p]) ** (first[p] / weight[p]) * (1 - other[p] / heads[p])
                self.first_year[p] = [slot * stay for slot in self.first_year[p]]
        return into, moved_fte

    def copies(self) -> dict[str, Any]:
        """The stock (named "") and its tagged copies."""
        return {"": self.rows, **self.tags}

    @staticmethod
    def empty(people: Any) -> Any:
        return defaultdict(lambda: defaultdict(float), {row: defaultdict(float) for row in people})

    def follow(self, row: Row, cell: Any, risks: list[Any], employer: float, dt: float, after: Any) -> None:
        """Survivors and inner moves of one cell, in the stock and in each tagged copy."""
        total = math.fsum(risk[2] for risk in risks)
        for name, people in self.copies().items():
            n = people.get(row, {}).get(cell, 0.0)
            extra = employer if name and self.levels[name[0]].employer_changes else 0.0
            after[name][row][cell] += n * math.exp(-(total + extra) * dt)
            for _, _, rate, target in risks:
                if target and (not name or target[0][1] in self.blocks[name]):
                    after[name][target[0]][target[1]] += rate * lived(n, total + extra, dt)

    # ---- 5. pools ----------------------------------------------------------------------------------

    def returns(self, name: str, p: str, g: str, a: int, at: Moment) -> float:
        return self.changed("returns", self.returning[name](p, g, "", a, at), at.month, of=name, p=p, group=g)

    def exits_from_pools(self, at: Moment, possible: Any, w: Any, into: Any, moved_fte: Any) -> None:
        for (name, p), people in self.pools.items():
            pool = self.s.pools[name]
            for (g, a), n in people.items():
                rate = self.returns(name, p, g, a, at) * (possible[p] if pool.limited else 1.0)
                lapse = self.lapsing[name](p, g, "", a, at) if name in self.lapsing else 0.0
                years = lived(n, rate + lapse, at.dt)
                self.count("returns", rate * years, name, p)
                self.enter(p, rate * years)
                self.count("pool_losses", lapse * years, name, p)
                people[g, a] = n * math.exp(-(rate + lapse) * at.dt) + into[name, p, g, a]
                for c, share in self.contract_mix(pool.contracts, p, g).items():
                    self.rows[own(p)][g, c, a] += rate * years * share
                    moved_fte[p] += rate * years * share * w[p, g, c] * pool.limited
