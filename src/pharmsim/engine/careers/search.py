"""Looking for a post, and for somebody to fill one; first days."""

from __future__ import annotations

import numpy as np

from pharmsim.compiled.arrays import OUTSIDE, SEEKERS, UNLIMITED_SUPPLY
from pharmsim.engine.careers.calendar import Turn
from pharmsim.engine.careers.people import GONE
from pharmsim.engine.careers.resources import Vacancy
from pharmsim.engine.careers.vacancies import TINY, close, settle
from pharmsim.engine.careers.working import work
from pharmsim.engine.careers.world import Life, World, pick

AT_ONCE = 1.0 / 30.0
"""Months that a vacancy stands open on average where no time to fill is given: a day."""


# -- vacancies that look for somebody --------------------------------------------------------------------


def recruiter(world: World, post: int) -> Life:
    """Every vacancy of a post looks for somebody from the moment it is opened."""
    while True:
        vacancy = yield world.opened[post].get()
        world.env.process(fill(world, vacancy))


def fill(world: World, vacancy: Vacancy) -> Life:
    """A vacancy from being opened to being taken, or withdrawn."""
    post = vacancy.post
    stream = world.streams.named(f"vacancy/{world.names.posts[post]}/{vacancy.number}")
    while vacancy.is_open:
        months = max(world.m.hiring.fill_months[0, post], AT_ONCE)
        yield world.after(stream.exponential(months))
        if vacancy.is_open:
            find(world, vacancy, len(world.vacancies[post]) / months, stream)


def find(world: World, vacancy: Vacancy, wanted: float, stream: np.random.Generator) -> None:
    """A round of interviews: the sources in their order, each up to what it has.

    `wanted` are the hires a month that all vacancies of the post together ask for: a source that has fewer
    fills as many of the rounds.
    """
    post, u = vacancy.post, stream.random() * wanted
    for j in range(world.m.hiring.kind.size):
        looking: list[int] = []
        if world.m.hiring.kind[j] == OUTSIDE:
            rate = min(supply(world, j, post), wanted)
        else:
            looking = looking_for(world, j, post)
            rate = wanted if looking else 0.0
        if u < rate:
            appoint(world, vacancy, j, looking, stream)
            return
        u, wanted = u - rate, wanted - rate


def supply(world: World, j: int, post: int) -> float:
    """Heads per month of an outside source; infinite where it is unlimited."""
    heads = world.m.hiring.supply[0, j, post]
    if heads == UNLIMITED_SUPPLY:
        return np.inf
    if world.x.feedbacks.sources[j]:
        heads *= world.recruits[post]
    return float(heads * world.m.hiring.over_time[0, j, world.month] / 12.0)


def looking_for(world: World, j: int, post: int) -> list[int]:
    """Newly qualified people who would take a post: those of the first pipeline of a source that has any."""
    for q, seekers in enumerate(world.seekers):
        if world.m.hiring.pipelines[j, q] and world.m.hiring.destinations[0, q, post] > 0.0 and seekers:
            return list(seekers)
    return []


def appoint(world: World, vacancy: Vacancy, j: int, looking: list[int], stream: np.random.Generator) -> None:
    """Somebody of a source takes a vacancy, if there is room for the hours."""
    post, people = vacancy.post, world.people
    if looking:
        i = looking[int(stream.random() * len(looking))]
        group, age = int(people.group[i]), -1
    else:
        i, (group, age) = -1, outsider(world, j, post, stream)
    contract = pick(world.m.hiring.contracts[0, post, group], stream.random())
    if world.room(post) < world.fte_per_head[post, group, contract] - TINY:
        return
    if i < 0:
        i = newcomer(world, j, post, group, age)
    months = int(world.m.hiring.hire_months[post])
    first_day = float(world.month + months + 1) if months else world.env.now
    close(world, vacancy, "hired", i, first_day)
    accept(world, i, post, j, contract)
    for seekers in world.seekers:
        if i in seekers:
            seekers.pop(i).succeed((post, j))
            break
    else:
        world.env.process(first_day_and_after(world, i, post, j))


# -- people from outside ---------------------------------------------------------------------------------


def outsider(world: World, j: int, post: int, stream: np.random.Generator) -> tuple[int, int]:
    """Group and age index at the last birthday of somebody from an outside source."""
    at = pick(world.m.hiring.people[j, post].ravel(), stream.random())
    return divmod(at, world.n_ages)


def newcomer(world: World, j: int, post: int, group: int, age: int) -> int:
    """Somebody from outside; returns the number."""
    source = f"{world.names.posts[post]}/{world.names.sources[j]}"
    world.newcomers[source] = world.newcomers.get(source, 0) + 1
    i = world.person(f"hire/{source}/{world.newcomers[source]}")
    world.people.group[i] = group
    world.enters(i, age)
    return i


def arrivals(world: World, j: int, post: int) -> Life:
    """People from an outside source for a post without limit: a Poisson process, its rate by the month."""
    stream = world.streams.named(f"arrivals/{world.names.posts[post]}/{world.names.sources[j]}")
    clock = stream.standard_exponential()
    while True:
        rate, left = supply(world, j, post), world.month + 1.0 - world.env.now
        if clock >= rate * left:
            clock -= rate * left
            yield world.at(world.month + 1, Turn.STUDY)
            continue
        yield world.after(clock / rate)
        clock = stream.standard_exponential()
        group, age = outsider(world, j, post, stream)
        contract = pick(world.m.hiring.contracts[0, post, group], stream.random())
        i = newcomer(world, j, post, group, age)
        accept(world, i, post, j, contract)
        world.env.process(first_day_and_after(world, i, post, j))


# -- people who look for a post --------------------------------------------------------------------------


def seek(world: World, i: int, q: int) -> Life:
    """Newly qualified: apply every month by preference, until there is an offer, or give up."""
    people, hiring = world.people, world.m.hiring
    people.place[i] = world.places.seeking + q
    world.tell(i, "looks_for_post", world.names.pipelines[q])
    if world.month < world.env.now:  # registered at a month's end
        yield world.at(world.now(), Turn.STUDY)
    sources = [j for j in range(hiring.kind.size) if hiring.kind[j] == SEEKERS and hiring.pipelines[j, q]]
    gives_up = world.chance(i)
    while people.place[i] != GONE:
        post = world.draw(i, hiring.destinations[0, q])
        if sources and np.isinf(world.funded[post]):
            world.awake(i)
            accept(world, i, post, sources[0], world.draw(i, hiring.contracts[0, post, people.group[i]]))
            yield from first_day_and_after(world, i, post, sources[0])
            return
        offer = world.env.event()
        world.seekers[q][i] = offer
        found = yield offer | gives_up | world.at(world.month + 1, Turn.STUDY)
        if offer in found:
            world.awake(i)
            yield from first_day_and_after(world, i, *found[offer])
            return
        world.seekers[q].pop(i, None)
        if gives_up in found:
            stop_looking(world, i)
            return


def stop_looking(world: World, i: int) -> None:
    """Somebody newly qualified looks no more; also who passes the last age."""
    q = int(world.people.place[i]) - world.places.seeking
    world.people.place[i] = GONE
    world.seekers[q].pop(i, None)
    world.tally(world.flows.gave_up, q)
    world.tell(i, "gives_up", world.names.pipelines[q])


# -- offers and first days -------------------------------------------------------------------------------


def accept(world: World, i: int, post: int, j: int, contract: int) -> None:
    """Somebody accepts an offer."""
    people = world.people
    people.place[i], people.contract[i] = world.places.offer + post, contract
    world.offered[post, people.group[i], contract] += 1.0
    world.tally(world.flows.offers_made, post, j)
    world.tell(i, "accepts", world.names.sources[j], world.names.posts[post])


def first_day_and_after(world: World, i: int, post: int, j: int, first_day: int | None = None) -> Life:
    """Whole months from the offer to the first day (a month start; else that of the post); then work."""
    people, months = world.people, int(world.m.hiring.hire_months[post])
    if months > 0:
        yield world.at(world.month + months + 1 if first_day is None else first_day, Turn.START)
    contract = int(people.contract[i])
    world.offered[post, people.group[i], contract] -= 1.0
    world.works_at(i, post, contract)
    people.joined[i] = world.month
    world.tally(world.flows.joiners, post, j)
    world.tell(i, "starts", world.names.sources[j], world.names.posts[post])
    settle(world, post)
    yield from work(world, i)
