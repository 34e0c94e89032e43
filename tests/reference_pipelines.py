"""Step 9 of the reference implementation: one external pipeline, month by month."""

from __future__ import annotations

import math
from collections.abc import Callable

from pharmsim.scenario.training import ExternalPipeline
from reference_inputs import calendar_month, yearly

HISTORY = 60
Count = Callable[[str, int, float], None]


class External:
    """A pipeline outside the posts; `changed` gives a number as it is at `at`, the period's start.

    `slots[i][j]` people are in month j + 1 of stage i, `unplaced[i]` wait for a place, `awaiting` holds
    (months to go, attempt, passes, fails) and `queue[k]` those who wait for attempt k + 1. `places[i]` are
    set at every start of a month; `open` runs the years before the start with those of the opening.
    """

    def __init__(self, name: str, pipe: ExternalPipeline, start: int, changed: Callable[..., float]) -> None:
        self.name, self.pipe, self.start, self.changed, self.at = name, pipe, start, changed, 0
        self.slots = [[0.0] * stage.months for stage in pipe.stages]
        self.unplaced = [0.0] * len(pipe.stages)
        self.attempts = len(pipe.exam.pass_rates) if pipe.exam else 0
        self.queue = [0.0] * self.attempts
        self.awaiting: list[tuple[int, int, float, float]] = []
        self.places = [math.inf] * len(pipe.stages)

    def open(self) -> None:
        """Fill the pipeline by running the years before the start."""
        pipe = self.pipe
        months = sum(stage.months for stage in pipe.stages)
        past = range(self.start - HISTORY - months - 12 * self.attempts - 12, self.start)
        steady = pipe.opening.rule == "steady"
        self.registered_before = [self.month(now, steady=steady)["registered", 0] for now in past][-HISTORY:]

    def total(self) -> float:
        """Everybody in the pipeline."""
        inside = sum(map(sum, self.slots)) + sum(self.unplaced)
        return inside + sum(self.queue) + sum(passes + fails for _, _, passes, fails in self.awaiting)

    def month(self, now: int, steady: bool = False) -> dict[tuple[str, int], float]:
        """One month, numbered as by `month_number`. Returns flows by name and stage (or attempt)."""
        flows: dict[tuple[str, int], float] = {}

        def count(name: str, i: int, heads: float) -> None:
            flows[name, i] = flows.get((name, i), 0.0) + heads

        count("registered", 0, 0.0)
        applicants = self._applicants(self.start + (now - self.start) % 12 if steady else now)  # (a) intake
        count("entrants", 0, applicants)
        self._enter(0, applicants, count)
        for i, stage in enumerate(self.pipe.stages):  # (b) drop-out
            of = f"{self.name}.{stage.name}"
            stays = math.exp(-self.changed("drop_out", stage.drop_out.value, self.at, of=of) / 12)
            count("stage_losses", i, sum(self.slots[i]) * (1 - stays))
            self.slots[i] = [heads * stays for heads in self.slots[i]]
        if self.pipe.exam and now % 12 + 1 in map(calendar_month, self.pipe.exam.sittings):
            self._sitting(now % 12 + 1, count)  # (c)
        done = [slots.pop() for slots in self.slots]  # (d) everybody advances a month
        for slots in self.slots:
            slots.insert(0, 0.0)
        self._results(count)
        if self.pipe.exam:
            self.queue[0] += done[-1]
        else:
            count("registered", 0, done[-1])
        for i, heads in enumerate(done[:-1]):
            self._enter(i + 1, heads, count)
        return flows

    def _applicants(self, now: int) -> float:
        intake = self.pipe.intake
        share = sum(share for name, share in intake.months.items() if calendar_month(name) == now % 12 + 1)
        return self.changed("intake", yearly(intake.per_year, now // 12), self.at, of=self.name) * share

    def _enter(self, i: int, new: float, count: Count) -> None:
        stage = self.pipe.stages[i]
        wanting = new + self.unplaced[i]
        room = max(self.places[i] - sum(self.slots[i]), 0.0)
        entering = min(wanting, room)
        self.slots[i][0] += entering
        self.unplaced[i] = (wanting - entering) * stage.waits.value
        count("intake", i, entering)
        without = (wanting - entering) / wanting if wanting > 0 else 0.0
        count("unplaced", i, new * without)
        count("stage_losses", i, (wanting - entering) * (1 - stage.waits.value))

    def _sitting(self, month: int, count: Count) -> None:
        exam, last = self.pipe.exam, self.slots[-1]
        assert exam
        sitting = [(0, attempt, heads) for attempt, heads in enumerate(self.queue)]
        self.queue = [0.0] * self.attempts
        for in_month in range(exam.eligible_month, len(last) + 1):
            sitting.append((len(last) - in_month, 0, last[in_month - 1]))
            last[in_month - 1] = 0.0
        rates = [rate.value for rate in exam.pass_rates]
        for name, here in exam.by_sitting.items():
            if calendar_month(name) == month:
                rates[: len(here)] = [rate.value for rate in here]
        for left, attempt, heads in sitting:
            passes = heads * self.changed("pass_rate", rates[attempt], self.at, of=self.name)
            count("sat", attempt, heads)
            count("passed", attempt, passes)
            self.awaiting.append((max(left, exam.result_lag), attempt, passes, heads - passes))

    def _results(self, count: Count) -> None:
        """Passes that are due register; fails that are due queue again or leave."""
        for wait, attempt, passes, fails in self.awaiting:
            if self.pipe.exam and wait == 0:
                again = fails * self.pipe.exam.resit.value if attempt + 1 < self.attempts else 0.0
                if again:
                    self.queue[attempt + 1] += again
                count("registered", 0, passes)
                count("failed_out", 0, fails - again)
        self.awaiting = [(entry[0] - 1, *entry[1:]) for entry in self.awaiting if entry[0] > 0]
