"""Who is there at the start, in whole people."""

from __future__ import annotations

import numpy as np

from pharmsim.compiled.arrays import Floats
from pharmsim.compiled.streams import streams
from pharmsim.compiled.whole import whole_opening
from pharmsim.engine.careers.search import first_day_and_after, seek
from pharmsim.engine.careers.streams import Whole
from pharmsim.engine.careers.working import pause, work
from pharmsim.engine.careers.world import FIRST_YEAR, World


def everybody(world: World) -> None:
    """Create the people of the opening state and begin their careers; trainees are there already."""
    world.started = True
    posts = world.compiled.model.posts
    names = streams(world.compiled.scenario, posts)
    opening = whole_opening(world.compiled.opening, posts.tracks.home, world.streams.row, names).posts
    in_training(world)
    in_post(world, opening.people[0, 0])
    for post in range(world.n_posts):
        first_years(world, post, opening.first_year[0, post, :FIRST_YEAR])
    in_pools(world, opening.pools[0])
    with_offers(world, opening.offers[0])
    looking(world, opening.seekers[0])


def someone(world: World, name: str, group: int, index: int) -> int:
    """Somebody of a cohort, with a birthday of the own."""
    i = world.person(f"opening/{name}/{index}")
    world.people.group[i] = group
    exact = index + world.people.streams[i].random()
    world.born(i, world.compiled.readings.first_age + exact, index)
    return i


def cells(heads: Floats) -> list[tuple[int, ...]]:
    """One entry for every person: the place in the array, and a number within it."""
    at = map(tuple, np.argwhere(heads).tolist())
    return [(*cell, k) for cell in at for k in range(int(heads[cell]))]


def in_training(world: World) -> None:
    """Write into the log where the people of the pipelines' history are."""
    place = world.people.place[: world.people.n]
    for i in np.flatnonzero(place >= world.places.stage).tolist():
        k = int(place[i]) - world.places.stage
        if place[i] < world.places.awaiting:
            world.tell(i, "in_training", "", world.names.stages[k % len(world.names.stages)])
        else:
            q = int(place[i]) - world.places.awaiting
            world.tell(i, "in_training", "", world.names.pipelines[q % len(world.names.pipelines)])


def in_post(world: World, people: Floats) -> None:
    """Everybody in post, row by row."""
    names, known = world.names.posts, dict[int, int]()
    for row, heads in enumerate(people):
        post = world.home[row]
        known[post] = known.get(post, -1) + 1  # rows of a post by turn, whatever posts there are besides
        for g, c, a, k in cells(heads):
            i = someone(world, f"{names[post]}/{known[post]}/{g}/{c}/{k}", g, a)
            world.works_at(i, row, c)
            world.tell(i, "in_post", "", names[post])
            world.env.process(work(world, i))


def first_years(world: World, post: int, slots: Floats) -> None:
    """Choose who of a post is in the first year, and since when."""
    if not slots.any():
        return
    here, homes = world.in_post()
    here = here[homes == post]
    stream = world.streams.named(f"first year/{world.names.posts[post]}")
    turn = Whole(stream)
    joined = [slot - FIRST_YEAR for slot, heads in enumerate(slots) for _ in range(turn.take(heads))]
    chosen = stream.permutation(here)[: len(joined)]
    world.people.joined[chosen] = joined[: len(chosen)]


def in_pools(world: World, pools: Floats) -> None:
    """People who have left a post for a pool."""
    for pool, by_post in enumerate(pools):
        name = world.names.pools[pool]
        for post, heads in enumerate(by_post):
            for g, a, k in cells(heads):
                i = someone(world, f"{name}/{world.names.posts[post]}/{g}/{k}", g, a)
                world.people.place[i] = world.places.in_pool(pool, post)
                world.tell(i, "in_pool", world.names.posts[post], name)
                world.env.process(back_from(world, i, pool))


def back_from(world: World, i: int, pool: int):  # type: ignore[no-untyped-def]
    """A career from a pool."""
    if (yield from pause(world, i, pool)):
        yield from work(world, i)


def with_offers(world: World, offers: Floats) -> None:
    """People who have accepted a post before the start."""
    source, hiring = len(world.names.sources) - 1, world.m.hiring
    for slot, by_post in enumerate(offers):
        for post, heads in enumerate(by_post):
            for g, a, k in cells(heads):
                i = someone(world, f"offer/{slot}/{world.names.posts[post]}/{g}/{k}", g, a)
                world.people.place[i] = world.places.offer + post
                world.people.contract[i] = contract = world.draw(i, hiring.contracts[0, post, g])
                world.offered[post, g, contract] += 1.0
                world.tell(i, "offered", "", world.names.posts[post])
                world.env.process(first_day_and_after(world, i, post, source, slot + 1))


def looking(world: World, seekers: Floats) -> None:
    """Newly qualified people who look for a post."""
    for q, heads in enumerate(seekers):
        for g, a, k in cells(heads):
            i = someone(world, f"{world.names.pipelines[q]}/looking/{g}/{k}", g, a)
            world.people.place[i] = world.places.seeking + q
            world.env.process(seek(world, i, q))
