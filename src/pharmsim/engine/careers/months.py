"""What happens once a month to all: ageing, tags, the record, the system around the people, new bounds."""

from __future__ import annotations

import numpy as np

from pharmsim.compiled.arrays import OUTSIDE, Floats, PostState, Training
from pharmsim.compiled.system_arrays import RECRUITMENT
from pharmsim.engine.careers import vacancies
from pharmsim.engine.careers.apprentices import Apprentices
from pharmsim.engine.careers.around import before_the_start, month_starts
from pharmsim.engine.careers.calendar import Turn
from pharmsim.engine.careers.opening import everybody
from pharmsim.engine.careers.search import arrivals, recruiter, stop_looking
from pharmsim.engine.careers.study import intake
from pharmsim.engine.careers.working import lose, retire
from pharmsim.engine.careers.world import FIRST_YEAR, MONTHS, Life, World
from pharmsim.engine.people import scratch
from pharmsim.engine.work import around

OLDER = 55
"""Age from which people are counted apart."""


class Months:
    """The calendar of a replicate.

    Parameters
    ----------
    world : World
    """

    def __init__(self, world: World) -> None:
        self.world = world
        state = world.compiled.opening.rows(0, 1)
        self.s = PostState(*(np.zeros_like(array) for array in state.posts))
        self.training = Training(*(np.zeros_like(array) for array in state.training))
        self.y = state.system
        self.w, self.a = scratch(world.m, world.n_ages), around(world.compiled.model)
        self.apprentices = Apprentices(world)
        self.tagged = np.full(state.posts.tagged.shape[1:], -1.0)
        self.first_tag = (world.clock.tag_month - world.v.start_month) % MONTHS
        self.people_before = 0

    def calendar(self) -> Life:
        """All month starts, from the history of the pipelines to the end."""
        world, end = self.world, self.world.clock.n_periods
        self._before_the_start()
        for q in range(world.v.history.size):
            world.env.process(intake(world, q))
        for month in range(world.month + 1, end + 1):
            if month > 0:
                yield world.at(month, Turn.INTERNAL)
                self.apprentices.month_ends()
                yield world.at(month, Turn.AGE)
                if month % MONTHS == 0:
                    grow_older(world)
            yield world.at(month, Turn.RECORD)
            if month == 0:
                everybody(world)
            if month >= 0:
                self._record(month)
            if month == end:
                return
            yield world.at(month, Turn.BEGIN)
            world.month = month
            if month >= 0:
                self._begin(month)

    def _before_the_start(self) -> None:
        world = self.world
        self.s.people[:] = world.compiled.opening.posts.people[:1]
        before_the_start(*world.compiled.model, self.s, self.y, self.w, self.a)
        self._offer_places()

    def _offer_places(self) -> None:
        for stage, places in zip(self.world.stage_places, self.a.places, strict=True):
            stage.offer(places)

    # -- the record ----------------------------------------------------------------------------------------

    def _record(self, month: int) -> None:
        """Tags, counts, the system around the people (steps 1 and 11, A to F)."""
        world, people = self.world, self.world.people
        tagging = world.clock.tag_month >= 0 and month % MONTHS == self.first_tag
        if tagging:
            self._still_tagged(month // MONTHS - 1)
        self._count(month)
        month_starts(
            *world.compiled.model, world.clock, month, self.s, self.training, self.y, self.w, self.a,
            world.record,
        )  # fmt: skip
        here, homes = world.in_post()
        homes = homes[month / MONTHS - people.birth[here] >= OLDER]
        world.record.posts.headcount_55plus[0, month] = np.bincount(homes, minlength=world.n_posts)
        if tagging and month < world.clock.n_periods:
            self._tag()
        now = int((people.place[: people.n] >= 0).sum())
        if month > 0:
            change = now - self.people_before - balance(world, month - 1)
            world.record.conservation_error[0, month - 1] = change
        self.people_before = now

    def _count(self, month: int) -> None:
        """Sums of people by where they are, in the arrays that the kernels read."""
        world, people, at, s = self.world, self.world.people, self.world.places, self.s
        place = people.place[: people.n]
        rows, homes = world.in_post()
        cell = (place[rows], people.group[rows], people.contract[rows], people.index[rows])
        shape = s.people.shape[2:]
        s.people[0, 0] = np.bincount(
            np.ravel_multi_index(cell, shape), minlength=int(np.prod(shape))
        ).reshape(shape)
        young = homes[month - people.joined[rows] <= FIRST_YEAR]
        s.first_year[0, :, 0] = np.bincount(young, minlength=world.n_posts)
        sums = np.bincount(place[place >= 0], minlength=at.n).astype(float)
        s.pools[0, :, :, 0, 0] = sums[at.pool : at.seeking].reshape(at.n_pools, at.n_posts)
        s.seekers[0, :, 0, 0] = sums[at.seeking : at.offer]
        s.offers[0, 0, :, 0, 0] = sums[at.offer : at.stage]
        self.training.stages[0, :, 0, 0] = sums[at.stage : at.unplaced]
        self.training.unplaced[0, :, 0] = sums[at.unplaced : at.awaiting]
        self.training.passed[0, :, 0, 0] = sums[at.awaiting : at.queue]
        self.training.queue[0, :, 0, 0] = sums[at.queue :]

    def _still_tagged(self, year: int) -> None:
        """Who was tagged twelve months ago, and who still is."""
        levels, o = self.world.m.levels, self.world.record
        here, homes = self.world.in_post()
        for copy, tagged in enumerate(self.tagged):
            if year < 0 or tagged[0] < 0.0:
                continue
            level, block = levels.level[copy], levels.block[copy]
            tags = self.world.people.tags[here, copy]
            kept = np.bincount(homes, weights=tags, minlength=len(block))
            inside = block >= 0
            o.tagged[0, year, level, inside] += tagged[inside]
            o.kept[0, year, level, inside] += kept[inside]
            np.add.at(o.tagged_in[0, year], block[inside], tagged[inside])
            np.add.at(o.kept_in[0, year], block[inside], kept[inside])

    def _tag(self) -> None:
        """Everybody in post anew: all, or the share of a joint post that works in a block."""
        here, homes = self.world.in_post()
        share = self.world.m.levels.share
        self.world.people.tags[:] = 0.0
        self.world.people.tags[here] = share[:, homes].T
        self.tagged = share * np.bincount(homes, minlength=self.world.n_posts)

    # -- the next month ------------------------------------------------------------------------------------

    def _begin(self, month: int) -> None:
        """What stands this month; vacancies, chances; at the start, who offers posts."""
        world, m = self.world, self.world.m
        world.funded, world.fte = self.a.funded.copy(), self.w.fte.copy()
        world.fte_per_head, world.fte_per_hire = self.w.w.copy(), self.w.fte_per_hire.copy()
        world.present, world.recruits = self.a.present.copy(), self.a.multiplier[RECRUITMENT].copy()
        given = m.hiring.contracts[0] > 0.0
        world.shortest = np.where(given, world.fte_per_head, np.inf).min(axis=(1, 2))
        world.factor = self.w.factor / MONTHS
        rate = m.edges.rate[0] * m.edges.overlap[0] * m.edges.over_time[0, m.edges.kind, month]
        world.edge_rate = (rate * self.a.moving / MONTHS).tolist()
        world.employer_change = m.risks.employer_change[0] * m.risks.employer_over_time[0, month] / MONTHS
        world.known_risks.clear()
        world.bound = bounds(world, world.own_age.highest[month // MONTHS])
        self._offer_places()
        for post in range(world.n_posts):
            vacancies.settle(world, post)
        world.wake()
        if month == 0:
            for post in range(world.n_posts):
                world.env.process(recruiter(world, post))
                for j in np.flatnonzero((m.hiring.kind == OUTSIDE) & np.isinf(world.funded[post])).tolist():
                    if m.hiring.supply[0, j, post] >= 0.0:  # none from an unlimited source
                        world.env.process(arrivals(world, j, post))


def bounds(world: World, highest: Floats) -> Floats:
    """Most that all hazards of a place can be this month, per month, shape (places, G, C, A)."""
    m, at = world.m, world.places
    risks, edges, n_leave = m.risks, m.edges, m.risks.n_leave
    out = np.zeros((at.offer, world.n_groups, world.n_contracts, world.n_ages))
    top = world.factor.copy()
    top[..., :n_leave] *= np.maximum(risks.first_year_ratio[0], 1.0)[:, None, None, None]
    by_post = np.repeat(world.employer_change[..., None], world.n_ages, axis=3)
    for k in range(top.shape[3]):
        by_post += top[..., k, None] * highest[risks.row[k]]
    out[: at.n_rows] = by_post[m.tracks.home]
    for e, rate in enumerate(world.edge_rate):
        able = edges.able[e]
        out[edges.origin[e], :, :, edges.able_first[able] : edges.able_end[able]] += rate
    trains = m.tracks.of_row >= 0
    out[: at.n_rows][trains] += m.tracks.drop_out[0, m.tracks.of_row[trains], None, None, None] / MONTHS
    pools = m.pools
    back = pools.return_scale[0, ..., None] * highest[pools.return_row]
    away = pools.lapse_scale[0, ..., None] * highest[pools.lapse_row]
    both = ((back + away) / MONTHS).reshape(-1, world.n_groups, 1, world.n_ages)
    out[at.pool : at.seeking] = both
    out[at.seeking :] = m.hiring.gives_up[0, :, None, None, None] / MONTHS
    return out


def grow_older(world: World) -> None:
    """Everybody is a year older; who passes the last age retires, is lost, or looks no more (step 10)."""
    people, at = world.people, world.places
    place = people.place[: people.n]
    here = np.flatnonzero((place >= 0) & (place < at.stage))
    people.index[here] += 1
    for i in here[people.index[here] > world.m.levels.last].tolist():
        if place[i] >= at.offer:
            people.index[i] = world.m.levels.last
            continue
        world.awake(i)
        if place[i] < at.n_rows:
            retire(world, i)
        elif place[i] < at.seeking:
            lose(world, i)
        else:
            stop_looking(world, i)


def balance(world: World, month: int) -> float:
    """Entrants less exits of a month, by the recorded flows."""
    flows, training = world.flows, world.training_flows
    away = world.m.risks.leave_pool < 0
    outside = np.flatnonzero(world.m.hiring.kind == OUTSIDE)
    entered = training.entrants[month].sum() + flows.offers_made[month][:, outside].sum()
    left = flows.leavers[month][:, away].sum()
    for array in (flows.retirements, flows.pool_losses, flows.gave_up):
        left += array[month].sum()
    for array in (training.stage_losses, training.failed_out, training.left_area):
        left += array[month].sum()
    return float(entered - left)
