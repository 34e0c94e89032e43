"""The opening state of the reference implementation: everything that exists at the start."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

from pharmsim.scenario.models import Scenario
from pharmsim.scenario.training import ExternalPipeline
from reference_inputs import Reader, calendar_month, normal, series, span
from reference_interventions import Programme
from reference_pipelines import External

EARLIER = "made before the start"
"""Source of the offers that exist at the start."""
Cell = tuple[str, str, int]
Row = tuple[str, str, str, int]
People = dict[Row, dict[Cell, float]]


def own(post: str) -> Row:
    """Row of the people of a post who are not in an internal pipeline."""
    return ("post", post, "", 0)


class Opening:
    """The state. People are kept as ``rows[kind, post, pipeline, month][group, contract, age]``.

    Kinds of rows: "post", "batch" (in an internal pipeline since the end of that month) and "waiting".
    """

    def __init__(self, scenario: Scenario) -> None:
        self.s, self.r = scenario, Reader(scenario)
        self.posts, self.groups = list(self.r.posts), self.r.groups
        self.contracts, self.ages = self.r.contracts, self.r.ages
        self.spacing = 12 if scenario.step == "year" else 1
        self.programme = Programme(self.r, self.spacing)
        self.changed = self.programme.number
        self.external = {
            n: External(n, p, self.r.start, self.changed)
            for n, p in scenario.pipelines.items()
            if p.kind == "external"
        }
        self.internal = {n: p for n, p in scenario.pipelines.items() if p.kind == "internal"}
        self.rows: People = {own(p): self.opening_stock(p) for p in self.posts}
        self.tags: dict[str, People] = {}
        self.opening_heads = {p: self.heads(p) for p in self.posts}
        self.mixes = {p: self.opening_mix(p) for p in self.posts}
        self.limit = {p: self.opening_establishment(p) for p in self.posts}
        first = scenario.first_year
        self.ratio = {p: self.r.flat(first.leaving_ratio, p) if first else 1.0 for p in self.posts}
        self.share0 = {p: self.r.flat(first.opening_share, p) if first else 0.0 for p in self.posts}
        self.first_year = {p: [self.share0[p] * self.heads(p) / 12] * 12 + [0.0] for p in self.posts}
        self.pools = {(name, p): self.opening_pool(name, p) for name in scenario.pools for p in self.posts}
        hiring = scenario.hiring
        self.to_hire = {p: round(self.r.flat(hiring.time_to_hire, p)) if hiring else 0 for p in self.posts}
        self.offers = {p: self.opening_offers(p) for p in self.posts}
        self.seekers = {
            name: self.spread(pipe.pipe.opening.seekers.value, self.newly_qualified(name), 0.0)
            for name, pipe in self.external.items()
        }
        self.open_apprentices()

    # ---- people in post ------------------------------------------------------------------------

    def opening_stock(self, p: str) -> dict[Cell, float]:
        """Headcount ÷ jobs per person × shares of groups, ages and contracts."""
        stock, cells = self.s.stock, {}
        people = self.r.flat(stock.headcount, p) / self.r.flat(stock.jobs_per_person, p, default=1.0)
        for g, group_share in zip(self.groups, self.r.shares(stock.groups, "groups", p), strict=True):
            ages = self.r.age_shares(stock.ages, p, g) if stock.ages else normal([1.0] * len(self.ages))
            for a, age_share in zip(self.ages, ages, strict=True):
                for c, share in zip(self.contracts, self.contract_shares(p, g, a), strict=True):
                    cells[g, c, a] = people * group_share * age_share * share
        return cells

    def contract_shares(self, p: str, g: str, a: int) -> list[float]:
        """Shares of contracts, which may depend on age (read at the age at last birthday)."""
        if self.s.stock.contracts is None:
            return self.r.shares(None, "contracts")
        tables = [self.r.birthdays(self.s.stock.contracts, p, g, c) for c in self.contracts]
        return normal([table[float(a)] if table else 0.0 for table in tables])

    def opening_mix(self, p: str) -> dict[str, Any]:
        """Opening shares: groups; contracts and ages by group (of the whole post where a group is empty)."""
        stock = self.rows[own(p)]

        def mix(axis: int, names: list[Any], group: str | None) -> dict[Any, float]:
            sums = [
                math.fsum(n for k, n in stock.items() if k[axis] == x and group in (None, k[0]))
                for x in names
            ]
            if not any(sums):
                return mix(axis, names, None) if group else dict.fromkeys(names, 1 / len(names))
            return dict(zip(names, normal(sums), strict=True))

        return {
            "groups": mix(0, self.groups, None),
            "contracts": {g: mix(1, self.contracts, g) for g in self.groups},
            "ages": {g: mix(2, self.ages, g) for g in self.groups},
        }

    def age_mix(self, cells: Any, p: str, g: str) -> dict[int, float]:
        """Shares by age: as given, or those of the opening stock."""
        if cells is None:
            return dict(self.mixes[p]["ages"][g])
        return dict(zip(self.ages, self.r.age_shares(cells, p, g), strict=True))

    def contract_mix(self, cells: Any, p: str, g: str) -> dict[str, float]:
        """Shares of contracts: as given, or those of the opening stock."""
        if cells is None:
            return dict(self.mixes[p]["contracts"][g])
        return dict(zip(self.contracts, self.r.shares(cells, "contracts", p, g), strict=True))

    def outside_people(self, source: Any, p: str) -> dict[tuple[str, int], float]:
        """Shares of people from outside by group and age at last birthday."""
        if source is None or source.groups is None:
            groups = self.mixes[p]["groups"]
        else:
            groups = dict(zip(self.groups, self.r.shares(source.groups, "groups", p), strict=True))
        ages = {g: self.age_mix(source and source.ages, p, g) for g in self.groups}
        return {(g, a): groups[g] * share for g in self.groups for a, share in ages[g].items()}

    def heads(self, p: str, group: str | None = None) -> float:
        """People of a post, those in internal pipelines included."""
        cells = (item for row, people in self.rows.items() if row[1] == p for item in people.items())
        return math.fsum(n for cell, n in cells if group in (None, cell[0]))

    def fte_per_head(self, p: str, g: str, c: str, month: int) -> float:
        """FTE per head at a month's start, with its drift."""
        drift = self.r.flat(self.s.hours_drift, p, g, c)
        fte = self.r.flat(self.s.fte_per_head, p, g, c, default=1.0)
        return self.changed("fte_per_head", fte, month, p=p, group=g) * (1 + drift) ** (month / 12)

    def fte(self, p: str, month: int) -> float:
        """FTE in post."""
        w = {(g, c): self.fte_per_head(p, g, c, month) for g in self.groups for c in self.contracts}
        rows = [people for row, people in self.rows.items() if row[1] == p]
        return math.fsum(n * w[g, c] for people in rows for (g, c, _), n in people.items())

    def opening_establishment(self, p: str) -> float:
        """Funded FTE at the start; infinite without a limit."""
        funded = self.s.establishment
        if funded is None or any(self.r.selects(where, p) for where in funded.unconstrained):
            return math.inf
        if funded.fte is not None:
            return self.r.flat(funded.fte, p)
        return self.fte(p, 0) / (1 - self.r.flat(funded.vacancy_rate, p))

    # ---- everybody else ------------------------------------------------------------------------

    def opening_pool(self, name: str, p: str) -> dict[tuple[str, int], float]:
        """Opening heads, in the opening groups of the post; by `opening_ages` or the ages of the post."""
        pool, groups = self.s.pools[name], self.mixes[p]["groups"]
        ages = {g: self.age_mix(pool.opening_ages, p, g) for g in self.groups}
        heads = self.r.flat(pool.opening, p)
        return {(g, a): heads * groups[g] * ages[g][a] for g in self.groups for a in self.ages}

    def opening_offers(self, p: str) -> list[dict[tuple[str, str, int], float]]:
        """Offers by months to go: slot 0 starts at the end of this month; the last slot is this month's."""
        months = self.to_hire[p]
        slots: list[dict[tuple[str, str, int], float]] = [defaultdict(float) for _ in range(months + 1)]
        hiring = self.s.hiring
        if hiring and months:
            heads = self.r.flat(hiring.opening_offers, p)
            for slot in slots[:months]:
                for (g, a), share in self.outside_people(None, p).items():
                    slot[EARLIER, g, a] = heads / months * share
        return slots

    def wishes(self, pipe: ExternalPipeline) -> float:
        """Sum of the shares of destinations."""
        return math.fsum(self.r.flat(pipe.destinations, p) for p in self.posts)

    def newly_qualified(self, name: str) -> dict[tuple[str, int], float]:
        """Shares of a pipeline's newly qualified by group and age at last birthday."""
        pipe = self.external[name].pipe
        shares: dict[tuple[str, int], float] = {}
        groups = dict(zip(self.groups, self.r.shares(pipe.groups, "groups"), strict=True))
        if pipe.groups is None:  # those of the posts that they apply to
            wish = {p: self.r.flat(pipe.destinations, p) / self.wishes(pipe) for p in self.posts}
            groups = {g: math.fsum(wish[p] * self.mixes[p]["groups"][g] for p in self.posts) for g in groups}
        for g, group_share in groups.items():
            ages = self.r.age_shares(pipe.ages, "", g) if pipe.ages else normal([1.0] * len(self.ages))
            shares |= {(g, a): group_share * share for a, share in zip(self.ages, ages, strict=True)}
        return shares

    def spread(self, heads: float, shares: dict[tuple[str, int], float], end: float) -> dict[Any, float]:
        """People by age at last birthday (mean: half a year more) in the two cohorts that keep their mean."""
        people: dict[tuple[str, int], float] = defaultdict(float)
        first, last = self.ages[0], self.ages[-1]
        for (g, age), share in shares.items():
            below = math.floor(age - end)
            above = age - end - below
            people[g, min(max(below, first), last)] += heads * share * (1 - above)
            people[g, min(max(below + 1, first), last)] += heads * share * above
        return people

    # ---- internal pipelines --------------------------------------------------------------------

    def origins(self, name: str) -> list[str]:
        """Posts from which people enter an internal pipeline."""
        return list(dict.fromkeys(route.from_ for route in self.internal[name].routes))

    def apprentices(self, name: str, p: str, month: int, at: int) -> float:
        """People who start at the end of a month, with `over_time` read at the start of month `at`."""
        pipe = self.internal[name]
        names = {calendar_month(name): share for name, share in pipe.intake_months.items()}
        share = names.get((self.r.start + month) % 12 + 1, 0.0)
        per_year = self.changed("apprentices", self.r.flat(pipe.intake, p), at, of=name, p=p)
        return per_year * share * series(pipe.over_time, self.r.start + at)

    def eligible(self, name: str, p: str) -> float:
        """People of a post who may start an internal pipeline."""
        first, last = span(self.internal[name].ages or "0+")
        return math.fsum(n for cell, n in self.rows[own(p)].items() if first <= cell[2] <= last)

    def train(self, row: Row, heads: float) -> float:
        """Take people of a post into a row of an internal pipeline, tags with them; returns how many."""
        ages = span(self.internal[row[2]].ages or "0+")
        eligible = self.eligible(row[2], row[1])
        taken = min(heads, eligible)
        for people in (self.rows, *self.tags.values()):
            into = people.setdefault(row, defaultdict(float))
            for cell, n in people.get(own(row[1]), {}).items():
                if ages[0] <= cell[2] <= ages[1] and eligible > 0:
                    into[cell] += n * taken / eligible
                    people[own(row[1])][cell] = n * (1 - taken / eligible)
        return taken

    def open_apprentices(self) -> None:
        """Those in training at the start are part of the opening stock: taken from it, oldest batch first."""
        for name, pipe in self.internal.items():
            for p in self.origins(name):
                for end in range(-pipe.months, 0):
                    heads = self.apprentices(name, p, end, 0 if pipe.opening.rule == "steady" else end)
                    self.train(
                        ("batch", p, name, end), heads * math.exp(-pipe.drop_out.value * (-1 - end) / 12)
                    )
        for name, pipe in self.internal.items():
            intakes = normal([self.r.flat(pipe.intake, p) for p in self.origins(name)])
            for p, share in zip(self.origins(name), intakes, strict=True):
                self.train(("waiting", p, name, 0), pipe.opening.seekers.value * share)
