"""In post and in a pool: leaving, retiring, moving, another contract, coming back."""

from __future__ import annotations

from pharmsim.compiled.arrays import MOVE, NEVER, PROMOTION, ROLE_CHANGE
from pharmsim.engine.careers import vacancies
from pharmsim.engine.careers.people import GONE, LONG_AGO
from pharmsim.engine.careers.world import Life, World

RISK, EDGE, DROP_OUT, EMPLOYER = range(4)
Choice = tuple[int, int] | None
WORD = {MOVE: "moves", PROMOTION: "is_promoted", ROLE_CHANGE: "takes_role"}
TINY = 1e-9
"""FTE that rounding may take beyond what there is."""


def work(world: World, i: int) -> Life:
    """A career from being in post to leaving for good."""
    while True:
        yield world.chance(i)
        choice = choose(world, i)
        if choice is None:
            continue
        kind, k = choice
        if kind == RISK and k < world.m.risks.n_leave:
            pool = leave(world, i, k)
            if pool < 0 or not (yield from pause(world, i, pool)):
                return
        elif kind == RISK and k < world.m.risks.n_leave + world.m.risks.n_retire:
            retire(world, i)
            return
        elif kind == RISK:
            switch(world, i, k)
        elif kind == EDGE:
            move(world, i, k)
        elif kind == DROP_OUT:
            give_up_training(world, i)
        else:
            change_employer(world, i)


def choose(world: World, i: int) -> Choice:
    """What happens at a chance: each risk with its own hazard now ÷ the bound, else nothing."""
    people, m = world.people, world.m
    row, g, c, index = (
        int(x) for x in (people.place[i], people.group[i], people.contract[i], people.index[i])
    )
    p = world.home[row]
    u = people.streams[i].random() * world.bound[row, g, c, index]
    age = world.env.now / 12.0 - people.birth[i]
    first_year = world.is_first_year(i)
    for k, x, hazard_row in risks_of(world, p, g, c):
        hazard = x * world.own_age.at(hazard_row, age, age - people.pension[i], index)
        if k < m.risks.n_leave and first_year:
            hazard *= m.risks.first_year_ratio[0, p]
        u -= hazard
        if u < 0.0:
            return RISK, k
    edges = m.edges
    for e in edges.by_row[edges.row_start[row] : edges.row_start[row + 1]].tolist():
        able = edges.able[e]
        if not edges.able_first[able] <= index < edges.able_end[able]:
            continue
        if edges.kind[e] == PROMOTION and first_year:
            continue
        u -= world.edge_rate[e]
        if u < 0.0:
            return EDGE, e
    track = m.tracks.of_row[row]
    if track >= 0:
        u -= m.tracks.drop_out[0, track] / 12.0
        if u < 0.0:
            return DROP_OUT, track
    u -= world.employer_change[p, g, c]
    return (EMPLOYER, p) if u < 0.0 else None


def risks_of(world: World, p: int, g: int, c: int) -> list[tuple[int, float, int]]:
    """Risks of a cell this month: number, multiplier per month, row of hazards."""
    key = (p, g, c)
    found = world.known_risks.get(key)
    if found is None:
        factors = world.factor[p, g, c].tolist()
        rows = world.m.risks.row[:, p, g, c].tolist()
        found = [
            (k, x, row)
            for k, (x, row) in enumerate(zip(factors, rows, strict=True))
            if x > 0.0 and row != NEVER
        ]
        world.known_risks[key] = found
    return found


def leave(world: World, i: int, k: int) -> int:
    """Leave for the destination of a risk; returns the pool, or −1."""
    post, to = world.stops_at(i), int(world.m.risks.leave_to[k])
    pool = int(world.m.risks.leave_pool[to])
    world.people.tags[i] = 0.0
    world.tally(world.flows.leavers, post, to)
    world.tell(i, "leaves", world.names.posts[post], world.names.destinations[to])
    if pool >= 0:
        world.people.place[i] = world.places.in_pool(pool, post)
    vacancies.settle(world, post)
    return pool


def retire(world: World, i: int) -> None:
    """Leave for retirement; also who passes the last age."""
    post = world.stops_at(i)
    world.people.tags[i] = 0.0
    world.tally(world.flows.retirements, post)
    world.tell(i, "retires", world.names.posts[post])
    vacancies.settle(world, post)


def switch(world: World, i: int, k: int) -> None:
    """Another contract in the same post; longer hours only if there is room for them."""
    risks, row = world.m.risks, int(world.people.place[i])
    j = k - risks.n_leave - risks.n_retire
    post, before, after = world.home[row], int(risks.switch_from[j]), int(risks.switch_to[j])
    longer = world.hours(i, post, after) - world.hours(i, post, before)
    if longer > 0.0 and world.room(post) < longer - TINY:
        return
    world.fte[post] += longer
    world.people.contract[i] = after
    world.tally(world.flows.switches, post, int(risks.switch_as[j]))
    world.tell(i, "switches", world.names.contracts[before], world.names.contracts[after])
    vacancies.settle(world, post)


def move(world: World, i: int, e: int) -> None:
    """Move, promotion or role change: as far as there is room for the person's hours."""
    edges = world.m.edges
    to, origin = int(edges.to[e]), world.home[int(world.people.place[i])]
    if world.room(to) < world.hours(i, to) - TINY:
        world.tally(world.flows.moves_blocked, e)
        return
    world.stops_at(i)
    world.works_at(i, to, int(world.people.contract[i]))
    world.people.tags[i] *= world.m.levels.keeps[:, e]
    world.tally(world.flows.moves, e)
    world.tell(i, WORD[int(edges.kind[e])], world.names.posts[origin], world.names.posts[to])
    vacancies.settle(world, to, "moved", i)
    vacancies.settle(world, origin)


def give_up_training(world: World, i: int) -> None:
    """Give up an internal pipeline: back to the post's own work."""
    row = int(world.people.place[i])
    world.people.place[i] = world.home[row]
    track = world.m.tracks.of_row[row]
    name = world.names.internal[world.m.tracks.pipeline[track]]
    world.tell(i, "stops_training", name, world.names.posts[world.home[row]])


def change_employer(world: World, i: int) -> None:
    """The same post with another employer."""
    post = world.home[int(world.people.place[i])]
    world.people.tags[i, world.m.levels.employer] = 0.0
    world.tally(world.flows.employer_changes, post)
    world.tell(i, "changes_employer", world.names.posts[post], world.names.posts[post])


def pause(world: World, i: int, pool: int) -> Life:
    """Out of post in a pool, with a post to come back to; returns whether somebody came back."""
    people, pools = world.people, world.m.pools
    post = (int(people.place[i]) - world.places.pool) % world.n_posts
    name = world.names.pools[pool]
    while True:
        yield world.chance(i)
        g, index = int(people.group[i]), int(people.index[i])
        u = people.streams[i].random() * world.bound[people.place[i], g, people.contract[i], index]
        age = world.env.now / 12.0 - people.birth[i]
        past = age - people.pension[i]
        u -= (
            world.own_age.at(pools.return_row[pool, post, g], age, past, index)
            * pools.return_scale[0, pool, post, g] / 12.0
        )  # fmt: skip
        if u < 0.0:
            contract = world.draw(i, pools.contracts[0, pool, post, g])
            if pools.limited[pool] and world.room(post) < world.hours(i, post, contract) - TINY:
                continue
            world.works_at(i, post, contract)
            world.tally(world.flows.returns, pool, post)
            world.tell(i, "returns", name, world.names.posts[post])
            vacancies.settle(world, post, "returned", i)
            return True
        u -= (
            world.own_age.at(pools.lapse_row[pool, post, g], age, past, index)
            * pools.lapse_scale[0, pool, post, g] / 12.0
        )  # fmt: skip
        if u < 0.0:
            lose(world, i)
            return False


def lose(world: World, i: int) -> None:
    """Somebody in a pool will not come back."""
    pool, post = divmod(int(world.people.place[i]) - world.places.pool, world.n_posts)
    world.people.place[i], world.people.joined[i] = GONE, LONG_AGO
    world.tally(world.flows.pool_losses, pool, post)
    world.tell(i, "is_lost", world.names.pools[pool])
