"""Reference implementation of docs/background/model.md: loops and dicts, slow and readable.

Written from the text, independently of the kernel, which it checks on random scenarios. Numbers in
comments are those of the steps. Cells and series are read in `reference_inputs`, the opening state
made in `reference_opening`, steps 1 to 6 done in `reference_posts`, step 9 in `reference_pipelines`.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from typing import Any

import numpy as np

from pharmsim.quantities import OUTPUTS
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.services import FEEDBACKS, uses
from reference_inputs import series
from reference_opening import EARLIER, own
from reference_pipelines import HISTORY
from reference_posts import Moment, Posts

SUBSTEPS = {"month": 1, "month/2": 2, "month/4": 4, "month/8": 8, "year": 1}
EXITS = ("leavers", "retirements", "pool_losses", "gave_up", "stage_losses", "failed_out", "left_area")


def simulate(scenario: Scenario) -> dict[str, np.ndarray]:
    """Run a scenario at its central values: arrays by name, axes as in `OUTPUTS` (no draw axis)."""
    return Reference(scenario).run()


class Reference(Posts):
    """One run."""

    def run(self) -> dict[str, np.ndarray]:
        k = SUBSTEPS[self.s.step]
        self.look(0)
        self.note(0)
        for period in range(self.n_periods):
            self.period, self.now_month = period, period * self.spacing
            month, before = self.now_month, self.everybody()
            self.tag(month)
            for s in range(k):
                if self.spacing == 12:
                    self.step(Moment(month, 0.5, 1.0, 1.0))
                else:
                    tau, end = ((month % 12 + (s + part) / k) / 12 for part in (0.5, 1.0))
                    self.step(Moment(month, tau, end, 1 / 12 / k))
            self.end_of_month(month)
            self.look(month + self.spacing)
            self.note(self.period + 1)
            self.count("conservation_error", self.everybody() - before - self.balance())
        self.tag(self.r.months)
        return self.arrays()

    def count(self, name: str, heads: float, *labels: Any) -> None:
        self.record[name][(self.period, *labels)] += heads

    def step(self, at: Moment) -> None:
        cells = itertools.product(self.posts, self.groups, self.contracts)
        w = {cell: self.fte_per_head(*cell, at.month) for cell in cells}
        hire_fte = {p: self.hire_fte(p, w) for p in self.posts}  # 2
        net = {p: self.funded[p] - self.fte(p, at.month) for p in self.posts}
        vacancy = {p: net[p] - self.offered(p) * hire_fte[p] for p in self.posts}
        heads = {p: self.heads(p) for p in self.posts}
        share = {p: min(sum(self.first_year[p]) / heads[p], 1.0) if heads[p] > 0 else 0.0 for p in self.posts}
        possible, edge_rates = self.limits(at, vacancy, share, w)  # 3
        into, moved_fte = self.exits_from_posts(at, edge_rates, share, w)  # 4
        self.exits_from_pools(at, possible, w, into, moved_fte)  # 5
        if self.spacing == 12:
            for month in range(at.month, at.month + 12):
                self.external_month(month)
                self.internal_month(month)
        self.hire(at, vacancy, moved_fte, hire_fte)  # 7

    # ---- 7. hiring ---------------------------------------------------------------------------------

    def hire(self, at: Moment, vacancy: Any, moved_fte: Any, hire_fte: Any) -> None:
        wanted = {}
        for p in self.posts:
            fill = self.r.flat(self.s.hiring.time_to_fill, p) if self.s.hiring else 0.0
            fill = self.changed("time_to_fill", fill, at.month, p=p)
            left = max(max(vacancy[p], 0.0) - moved_fte[p], 0.0)
            filled = left * -math.expm1(-12 * at.dt / fill) if fill > 0 else left
            wanted[p] = filled / hire_fte[p] if filled < math.inf else math.inf
        for source in self.s.hiring.sources if self.s.hiring else ():
            if source.pipelines is None:
                self.hire_outside(source, at, wanted)
            else:
                for name in self.external:
                    if "all" in source.pipelines or name in source.pipelines:
                        self.hire_newly_qualified(source.name, name, wanted)
        for p in self.posts:
            if self.to_hire[p] == 0:
                self.join(p, self.offers[p][0])
                self.offers[p][0] = defaultdict(float)
        for name, pipe in self.external.items():
            stay = math.exp(-pipe.pipe.gives_up.value * at.dt)
            self.count("gave_up", sum(self.seekers[name].values()) * (1 - stay), name)
            self.seekers[name] = {k: n * stay for k, n in self.seekers[name].items()}

    def hire_outside(self, source: Any, at: Moment, wanted: dict[str, float]) -> None:
        for p in self.posts:
            supply = 0.0 if self.r.posts[p].made_by else math.inf
            if source.supply != "unlimited":
                supply = self.changed("supply", self.r.flat(source.supply, p), at.month, of=source.name, p=p)
                supply *= series(source.over_time, self.r.start + at.month) * at.dt
                if self.acting("recruitment", "sources", source.name):
                    supply *= self.multipliers["recruitment"][p]
            accepted = min(wanted[p], supply)
            if accepted < math.inf:
                wanted[p] -= accepted
                self.offer(p, source.name, self.spread(accepted, self.outside_people(source, p), at.end))
                self.count("outside", accepted)

    def hire_newly_qualified(self, source: str, name: str, wanted: dict[str, float]) -> None:
        seekers = self.seekers[name]
        total = math.fsum(seekers.values())
        if total <= 0:
            return
        wish = {p: self.r.flat(self.external[name].pipe.destinations, p) for p in self.posts}
        accepted = {p: min(wanted[p], total * wish[p]) for p in self.posts}
        rest = total - math.fsum(accepted.values())
        places = {p: wanted[p] - accepted[p] for p in self.posts if wish[p] > 0 and wanted[p] < math.inf}
        filled = min(1.0, max(rest, 0.0) / sum(places.values())) if sum(places.values()) > 0 else 0.0
        for p in self.posts:
            accepted[p] += places.get(p, 0.0) * filled
            wanted[p] -= accepted[p]
            self.offer(p, source, {k: n * accepted[p] / total for k, n in seekers.items()})
        stay = max(1 - math.fsum(accepted.values()) / total, 0.0)
        self.seekers[name] = {k: n * stay for k, n in seekers.items()}

    def offer(self, p: str, source: str, people: Any) -> None:
        for (g, a), n in people.items():
            self.count("offers_made", n, p, source)
            self.offers[p][-1][source, g, a] += n

    def join(self, p: str, people: Any) -> None:
        """People start: contracts of hires, first-year slot of this month."""
        contracts = self.s.hiring and self.s.hiring.contracts
        for (source, g, a), n in people.items():
            self.count("joiners", n, p, source)
            self.first_year[p][12] += n
            self.enter(p, n)
            for c, share in self.contract_mix(contracts, p, g).items():
                self.rows[own(p)][g, c, a] += n * share

    # ---- 8 to 10: the end of the month ---------------------------------------------------------------

    def end_of_month(self, month: int) -> None:
        for p in self.posts:
            for _ in range(self.spacing if self.to_hire[p] else 0):
                self.join(p, self.offers[p].pop(0))
                self.offers[p].append(defaultdict(float))
            slots = [0.0] * 12 if self.spacing == 12 else self.first_year[p][1:12]
            self.first_year[p] = [*slots, self.first_year[p][12], 0.0][-13:]
        if self.spacing == 1:
            self.internal_month(month)
            self.external_month(month)
        if (month + self.spacing) % 12 == 0:
            self.birthday()

    def internal_month(self, month: int) -> None:
        for name, pipe in self.internal.items():
            completes = self.changed("completion", pipe.completes.value, self.now_month, of=name)
            for p in self.origins(name):
                batch, waiting = ("batch", p, name, month - pipe.months), ("waiting", p, name, 0)
                for label, people in self.copies().items():
                    for cell, n in people.pop(batch, {}).items():
                        people.setdefault(waiting, defaultdict(float))[cell] += n * completes
                        people[own(p)][cell] += n * (1 - completes)
                        if not label:
                            self.count("training_ends", n * completes, p)
            self.start_training(name, pipe, month)

    def start_training(self, name: str, pipe: Any, month: int) -> None:
        """A new batch in every post of origin; posts share the places where there are too few."""
        wanted = {p: self.apprentices(name, p, month, self.now_month) for p in self.origins(name)}
        wanted = {p: min(heads, self.eligible(name, p)) for p, heads in wanted.items()}
        placed = 1.0
        if pipe.trainees_per_fte is not None:
            teachers = [p for p in self.posts if self.r.selects(pipe.supervisors, p)]
            now = math.fsum(
                n for row, people in self.rows.items() if row[0] == "batch" and row[2] == name
                for n in people.values()
            )  # fmt: skip
            each = self.changed("trainees_per_fte", pipe.trainees_per_fte.value, self.now_month, of=name)
            free = each * math.fsum(self.at_work[p] for p in teachers) - now
            total = math.fsum(wanted.values())
            placed = min(1.0, max(free, 0.0) / total) if total > 0 else 1.0
        for p, heads in wanted.items():
            self.count("training_starts", self.train(("batch", p, name, month), heads * placed), p)
            self.count("training_unplaced", heads * (1 - placed), p)

    def external_month(self, month: int) -> None:
        offset = 0
        for name, pipe in self.external.items():
            pipe.at = self.now_month
            flows = pipe.month(self.r.start + month)
            for (what, i), heads in flows.items():
                by_stage = what in ("intake", "unplaced", "stage_losses")
                label = [offset + i] if by_stage else [name, i] if what in ("sat", "passed") else [name]
                self.count(what, heads, *label)
            offset += len(pipe.pipe.stages)
            stay = self.changed("stays_in_area", pipe.pipe.retention.value, pipe.at, of=name)
            stay *= flows["registered", 0]
            self.count("left_area", flows["registered", 0] - stay, name)
            for key, n in self.spread(stay, self.newly_qualified(name), (month % 12 + 1) / 12).items():
                self.seekers[name][key] = self.seekers[name].get(key, 0.0) + n

    def birthday(self) -> None:
        """Every cohort moves up one index."""
        last = self.ages[-1]
        heads, retired = {p: self.heads(p) for p in self.posts}, dict.fromkeys(self.posts, 0.0)
        for label, people in self.copies().items():
            for row, cells in people.items():
                gone = math.fsum(n for cell, n in cells.items() if cell[2] == last)
                older = {(g, c, a + 1): n for (g, c, a), n in cells.items() if a < last}
                people[row] = defaultdict(float, older)
                if not label:
                    self.count("retirements", gone, row[1])
                    retired[row[1]] += gone
        for p, n in heads.items():
            self.first_year[p] = [
                slot * (1 - retired[p] / n) if n > 0 else slot for slot in self.first_year[p]
            ]
        for (name, p), cells in self.pools.items():
            self.count("pool_losses", math.fsum(n for (_, a), n in cells.items() if a == last), name, p)
            self.pools[name, p] = {(g, a): cells.get((g, a - 1), 0.0) for g in self.groups for a in self.ages}
        for name, cells in self.seekers.items():
            self.count("gave_up", math.fsum(n for (_, a), n in cells.items() if a == last), name)
            self.seekers[name] = {(g, a): cells.get((g, a - 1), 0.0) for g in self.groups for a in self.ages}
        for slots in self.offers.values():
            for i, slot in enumerate(slots):
                slots[i] = defaultdict(float)
                for (source, g, a), n in slot.items():
                    slots[i][source, g, min(a + 1, last)] += n

    # ---- 11. record ----------------------------------------------------------------------------------

    def note(self, t: int) -> None:
        """Stocks at the start of period t (or at the very end)."""
        month, stocks = t * self.spacing, self.record
        for row, cells in self.rows.items():
            for (g, c, a), n in cells.items():
                turned = month % 12 / 12 if a == 54 else float(a >= 55)
                stocks["headcount"][t, row[1], g, c] += n
                stocks["headcount_55plus"][t, row[1]] += n * turned
                stocks["apprentices"][t, row[1]] += n * (row[0] != "post")
                if month % 12 == 0:
                    stocks["headcount_by_age"][month // 12, row[1], a] += n
        for p in self.posts:
            fte, funded = self.fte(p, month), self.funded[p]
            limited = funded < math.inf
            stocks["fte"][t, p] = fte
            stocks["establishment_fte"][t, p] = funded if limited else math.nan
            stocks["vacancy_fte"][t, p] = funded - fte if limited else math.nan
            stocks["cover_fte"][t, p] = self.cover[p]
            stocks["offers"][t, p] = self.offered(p)
            stocks["first_year"][t, p] = math.fsum(self.first_year[p])
        self.note_system(t)
        for (name, p), people in self.pools.items():
            stocks["in_pool"][t, name, p] = math.fsum(people.values())
        for name, pipe in self.external.items():
            stocks["seekers"][t, name] = math.fsum(self.seekers[name].values())
            stocks["awaiting"][t, name] = math.fsum(entry[2] + entry[3] for entry in pipe.awaiting)
            stocks["resitting"][t, name] = math.fsum(pipe.queue)
        pipes = self.external.values()
        stages = [pair for pipe in pipes for pair in zip(pipe.slots, pipe.unplaced, strict=True)]
        for i, (slots, waiting) in enumerate(stages):
            stocks["trainees"][t, i] = math.fsum(slots)
            stocks["waiting_for_place"][t, i] = waiting

    def note_system(self, t: int) -> None:
        """What was seen at the start of a period, by post, service, stage and budget."""
        by_name = {
            "delivered_fte": self.delivered, "unmet_supervision_fte": self.unmet, "backfill_fte": self.bought,
            "required_fte": self.required, "service_fte": self.served, "delegated_fte": self.delegated,
            "pressure": self.pressure, "places": dict(enumerate(self.places)),
            "place_multiplier": dict(enumerate(self.place_multipliers)), **self.bills,
            "budget_money": {name: money / 12 for name, money in self.budget.items()},
        }  # fmt: skip
        for name, numbers in by_name.items():
            for label, number in numbers.items():
                self.record[name][t, label] = number
        for i, edge in enumerate(self.edges):
            self.record["move_multiplier"][t, i] = self.attraction(edge)
        for p, used in self.uses.items():
            for use, fte in used.items():
                self.record["time_fte"][t, p, use] = fte
        costs = self.programme.costs(t * self.spacing, self.heads, self.opening_heads)
        for (intervention, p), cost in costs.items():
            self.record["programme_cost"][t, intervention, p] = cost
        for feedback, multipliers in self.multipliers.items():
            for p, multiplier in multipliers.items():
                self.record["multiplier"][t, feedback, p] = multiplier

    def everybody(self) -> float:
        parts = [n for people in self.rows.values() for n in people.values()]
        parts += [n for people in [*self.pools.values(), *self.seekers.values()] for n in people.values()]
        parts += [self.offered(p) for p in self.posts] + [pipe.total() for pipe in self.external.values()]
        return math.fsum(parts)

    def balance(self) -> float:
        """Entrants less exits of this period."""
        sinks = {name for name, flow in self.s.leaving.items() if not flow.into}
        signs = dict.fromkeys(("entrants", "outside"), 1) | dict.fromkeys(EXITS, -1)
        return math.fsum(
            sign * n
            for name, sign in signs.items()
            for key, n in self.record[name].items()
            if key[0] == self.period and (name != "leavers" or key[2] in sinks)
        )

    def says(self, section: str) -> bool:
        """Whether a section of the scenario is there; of the feedbacks, whether one is on."""
        node = getattr(self.s, section)
        if section == "feedbacks" and node is not None:
            return any(getattr(node, name) and getattr(node, name).on for name in type(node).model_fields)
        return bool(node)

    def arrays(self) -> dict[str, np.ndarray]:
        """Records as arrays."""
        stages = sum(len(pipe.pipe.stages) for pipe in self.external.values())
        axes: dict[str, list[Any]] = {
            "time": list(range(self.n_periods + 1)),
            "period": list(range(self.n_periods)),
            "year": list(range(self.n_periods * self.spacing // 12 + 1)),
            "history": list(range(HISTORY)),
            "retention_year": list(range(max(len(self.tag_dates) - 1, 0))),
            "post": self.posts,
            "group": self.groups,
            "contract": self.contracts,
            "age": self.ages,
            "pool": list(self.s.pools),
            "pipeline": list(self.external),
            "stage": list(range(stages)),
            "source": [source.name for source in (self.s.hiring.sources if self.s.hiring else ())]
            + [EARLIER],
            "destination": list(self.s.leaving),
            "edge": list(range(len(self.edges))),
            "switch": [switch.name for switch in self.s.switches],
            "attempt": list(range(max((pipe.attempts for pipe in self.external.values()), default=0) or 1)),
            "level": list(self.levels),
            "use": uses(self.s),
            "service": self.services,
            "feedback": list(FEEDBACKS),
            "budget": list(self.s.budgets),
            "intervention": [it.name for it in self.s.interventions],
            "block": list(self.blocks),
        }
        for name, pipe in self.external.items():
            for i, heads in enumerate(pipe.registered_before):
                self.record["registered_before"][i, name] = heads
        out = {}
        for name, output in OUTPUTS.items():
            if output.sections and not any(self.says(section) for section in output.sections):
                continue
            if name == "unfillable_fte":  # of whole people only
                continue
            index = [{label: i for i, label in enumerate(axes[dim])} for dim in output.dims]
            out[name] = np.zeros([len(positions) for positions in index])
            for key, value in self.record[name].items():
                if all(label in positions for label, positions in zip(key, index, strict=True)):
                    out[name][tuple(pos[label] for pos, label in zip(index, key, strict=True))] = value
        return out
