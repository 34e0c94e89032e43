"""One replicate: its people, its calendar, and what stands this month."""

from __future__ import annotations

from collections.abc import Generator
from itertools import count
from typing import Any

import numpy as np
import simpy

from pharmsim.compiled.arrays import Clock, Floats, PostFlows, TrainingFlows
from pharmsim.compiled.compile import Compiled
from pharmsim.compiled.grid import month_number
from pharmsim.engine.careers.calendar import Moment, Turn, ticks
from pharmsim.engine.careers.log import Log
from pharmsim.engine.careers.names import Names
from pharmsim.engine.careers.people import GONE, LONG_AGO, People
from pharmsim.engine.careers.readings import OwnAge
from pharmsim.engine.careers.resources import StagePlaces, Vacancy
from pharmsim.engine.careers.streams import Streams
from pharmsim.engine.run import blank

Life = Generator[simpy.Event, Any, Any]
"""What happens to somebody, from event to event."""
FIRST_YEAR = 12
"""Month starts on which somebody who has joined is first-year staff."""
MONTHS = 12


class Places:
    """Numbers of the places where people are: rows of the stock, pools, seekers, offers, training."""

    def __init__(self, compiled: Compiled) -> None:
        m, v = compiled.model.posts, compiled.model.conveyors
        self.n_rows, (self.n_pools, self.n_posts) = m.tracks.home.size, m.pools.return_row.shape[:2]
        lengths = {
            "pool": self.n_pools * self.n_posts,
            "seeking": v.history.size,
            "offer": self.n_posts,
            "stage": v.stage_months.size,
            "unplaced": v.stage_months.size,
            "awaiting": v.history.size,
            "queue": v.history.size,
        }
        ends = np.cumsum([self.n_rows, *lengths.values()]).tolist()
        self.pool, self.seeking, self.offer, self.stage, self.unplaced, self.awaiting, self.queue = ends[:-1]
        self.n = ends[-1]

    def in_pool(self, pool: int, post: int) -> int:
        """Place of those who left a post for a pool."""
        return self.pool + pool * self.n_posts + post


class World:
    """Everything of one replicate.

    Parameters
    ----------
    compiled : Compiled
        Of one draw.
    streams : Streams
    """

    def __init__(self, compiled: Compiled, streams: Streams) -> None:
        self.compiled, self.streams = compiled, streams
        self.m, self.v, self.x, self.z = compiled.model
        self.clock: Clock = compiled.clock
        self.n_posts, self.n_groups, self.n_contracts = self.m.funding.fte_per_head.shape[1:]
        self.n_ages = compiled.opening.posts.people.shape[5]
        self.record = blank(compiled.model, compiled.clock, 1, self.n_ages)
        self.flows = PostFlows(*(array[0] for array in self.record.flows))
        self.training_flows = TrainingFlows(*(array[0] for array in self.record.training_flows))
        self.places, self.names = Places(compiled), Names(compiled.scenario)
        self.own_age = OwnAge(compiled.readings, -(-self.clock.n_periods // MONTHS))
        self.home: list[int] = self.m.tracks.home.tolist()
        self.people = People(self.m.levels.level.size)
        self.start_month = month_number(compiled.scenario.start)
        self.log = Log(self.start_month)
        longest = int(self.v.history.max(initial=0))
        self.env = simpy.Environment(initial_time=float(-longest))
        self.month = -longest - 1  # that is simulated; until `Turn.BEGIN` the one that ends
        self.seekers: list[dict[int, simpy.Event]] = [{} for _ in range(self.v.history.size)]
        self.newcomers: dict[str, int] = {}
        self.opened = [simpy.Store(self.env) for _ in range(self.n_posts)]
        self.vacancies: list[list[Vacancy]] = [[] for _ in range(self.n_posts)]
        self.vacancy_numbers = [count(1) for _ in range(self.n_posts)]
        self.stage_places = [StagePlaces(self.env) for _ in range(self.v.stage_months.size)]
        self.started = False  # the history of the pipelines is over
        self.sleeping: dict[int, simpy.Event] = {}
        self.known_risks: dict[tuple[int, int, int], list[tuple[int, float, int]]] = {}
        self.fte = np.zeros(self.n_posts)
        self.offered = np.zeros((self.n_posts, self.n_groups, self.n_contracts))
        self.funded: Floats = np.zeros(self.n_posts)
        self.fte_per_head: Floats = self.m.funding.fte_per_head[0].copy()
        self.fte_per_hire: Floats = np.zeros(self.n_posts)
        self.shortest: Floats = np.zeros(self.n_posts)  # FTE of the shortest contract of hires
        # the most that all hazards of a place, group, contract and age index can be this month, per month
        self.bound: Floats = np.zeros((self.places.offer, self.n_groups, self.n_contracts, self.n_ages))
        self.factor: Floats = np.zeros(0)  # (P, G, C, K), per month: of other than first-year staff
        self.edge_rate: list[float] = []  # per month
        self.employer_change: Floats = np.zeros(0)  # (P, G, C), per month
        self.present: Floats = np.zeros(self.n_posts)
        self.recruits: Floats = np.ones(self.n_posts)

    # -- dates -----------------------------------------------------------------------------------------

    def now(self) -> int:
        """Month start at which an event of a month's end happens."""
        return round(self.env.now)

    def at(self, month: int, turn: float) -> Moment:
        """Event at a month's start, in its turn."""
        return Moment(self.env, float(month), turn)

    def after(self, months: float) -> Moment:
        """Event some time later, at any time of a month."""
        return Moment(self.env, self.env.now + ticks(months), Turn.ANY)

    def calendar_month(self) -> int:
        """Calendar month of the month that is simulated, 0 = January."""
        return (self.v.start_month + self.month) % MONTHS

    # -- somebody's next chance --------------------------------------------------------------------------

    def chance(self, i: int) -> simpy.Event:
        """When something may next happen to somebody: a Poisson process at the rate of the month's bound.

        A unit exponential time is spent at that rate, month after month, so that a rate that changes
        later does not need another draw.
        """
        people = self.people
        place, g, c = people.place[i], people.group[i], people.contract[i]
        rate, left = self.bound[place, g, c, people.index[i]], self.month + 1.0 - self.env.now
        if people.clock[i] < rate * left:
            months = people.clock[i] / rate
            people.clock[i] = people.streams[i].standard_exponential()
            return self.after(months)
        people.clock[i] -= rate * left
        people.waits[i] = True
        self.sleeping[i] = event = self.env.event()
        return event

    def wake(self) -> None:
        """At a month's beginning: whose clock runs out this month has a chance; the others wait on."""
        people = self.people
        here = np.flatnonzero(people.waits[: people.n])
        cell = (people.place[here], people.group[here], people.contract[here], people.index[here])
        rate = self.bound[cell]
        clock = people.clock[here] - rate
        people.clock[here] = clock
        for k in np.flatnonzero(clock < 0.0).tolist():
            i = int(here[k])
            event = self.sleeping.pop(i)
            months = ticks(max(clock[k] / rate[k] + 1.0, 0.0))
            event._ok, event._value = True, None
            self.env.schedule(event, Turn.ANY, months)  # type: ignore[arg-type]
            people.waits[i] = False
            people.clock[i] = people.streams[i].standard_exponential()

    def awake(self, i: int) -> None:
        """Somebody waits no more: what the clock was for is over."""
        self.people.waits[i] = False
        self.sleeping.pop(i, None)

    # -- people ------------------------------------------------------------------------------------------

    def person(self, name: str) -> int:
        """Somebody new, with a stream of random numbers of the own name; returns the number."""
        stream = self.streams.named(name)
        i = self.people.add(name, stream)
        self.people.clock[i] = stream.standard_exponential()
        return i

    def born(self, i: int, age: float, index: int) -> None:
        """Exact age now, in years, and index of the cohort."""
        people = self.people
        people.birth[i] = self.env.now / MONTHS - age
        people.index[i] = min(max(index, 0), self.n_ages - 1)
        people.pension[i] = self.own_age.pension_age(people.birth[i])

    def enters(self, i: int, age: int) -> None:
        """Somebody of an age index at the last birthday comes in: a random birthday, the cohort by it."""
        exact = age + self.people.streams[i].random()
        fraction = (self.env.now / MONTHS) % 1.0
        if fraction == 0.0 and self.month < self.now():
            fraction = 1.0  # the year is over, but nobody is older yet
        self.born(i, self.compiled.readings.first_age + exact, int(np.floor(exact - fraction)))

    def draw(self, i: int, shares: Floats) -> int:
        """One of some shares, by somebody's own stream."""
        return pick(shares, self.people.streams[i].random())

    def in_post(self) -> tuple[np.ndarray, np.ndarray]:
        """People in post, and their posts."""
        place = self.people.place[: self.people.n]
        here = np.flatnonzero((place >= 0) & (place < self.places.n_rows))
        return here, self.m.tracks.home[place[here]]

    def is_first_year(self, i: int) -> bool:
        """Whether somebody is in the first year in post."""
        return bool(self.month - self.people.joined[i] <= FIRST_YEAR)

    def hours(self, i: int, post: int, contract: int | None = None) -> float:
        """FTE of somebody in a post, under a contract (the own one by default)."""
        c = self.people.contract[i] if contract is None else contract
        return float(self.fte_per_head[post, self.people.group[i], c])

    def works_at(self, i: int, row: int, contract: int) -> None:
        """Somebody takes up work in a row of the stock."""
        people = self.people
        people.place[i], people.contract[i] = row, contract
        self.fte[self.home[row]] += self.hours(i, self.home[row])

    def stops_at(self, i: int) -> int:
        """Somebody leaves a post, for wherever; returns the post."""
        people = self.people
        post = self.home[people.place[i]]
        self.fte[post] -= self.hours(i, post)
        people.place[i], people.joined[i] = GONE, LONG_AGO
        return post

    def tally(self, array: Floats, *at: int) -> None:
        """Count one in a flow of this month; not before the start."""
        if self.month >= 0:
            array[(self.month, *at)] += 1.0

    def tell(self, i: int, event: str, from_: str = "", to: str = "") -> None:
        """Write an event into the log; it begins with where everybody is at the start."""
        if self.started:
            self.log.add(i, self.env.now, event, from_, to)

    def room(self, post: int) -> float:
        """FTE that a post can still take, offers counted; infinite without limit."""
        return float(
            self.funded[post] - self.fte[post] - (self.offered[post] * self.fte_per_head[post]).sum()
        )


def pick(shares: Floats, u: float) -> int:
    """Index of the share in which the probability `u` of their sum lies."""
    sums = np.cumsum(shares)
    return min(int(np.searchsorted(sums, u * sums[-1], side="right")), len(sums) - 1)
