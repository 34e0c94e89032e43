"""External pipelines: stages with places, examinations with resits, registration."""

from __future__ import annotations

from pharmsim.engine.careers.calendar import Turn
from pharmsim.engine.careers.log import month_name
from pharmsim.engine.careers.people import GONE
from pharmsim.engine.careers.search import seek
from pharmsim.engine.careers.streams import Whole
from pharmsim.engine.careers.world import MONTHS, Life, World

NOT_SAT = -1
"""Instead of months until a result: the examination is still ahead."""


def intake(world: World, q: int) -> Life:
    """Every month's intake of a pipeline, from its own first month on."""
    v, name = world.v, world.names.pipelines[q]
    whole = Whole(world.streams.named(f"intake/{name}"))
    yield world.at(-int(v.history[q]), Turn.INTAKE)
    while True:
        calendar, month = world.calendar_month(), world.month
        at = month % MONTHS if month < 0 and v.steady[q] else month
        year = v.start_year + (v.start_month + at) // MONTHS - v.intake_year
        year = min(max(year, 0), v.intake.shape[2] - 1)
        for n in range(whole.take(v.intake[0, q, year] * v.intake_month[q, calendar])):
            i = world.person(f"{name}/{month_name(world.start_month + month)}/{n}")
            world.people.group[i] = world.draw(i, v.groups[0, q])
            world.tally(world.training_flows.entrants, q)
            world.tell(i, "enters_pipeline", "", name)
            world.env.process(study(world, i, q))
        yield world.at(month + 1, Turn.INTAKE)


def study(world: World, i: int, q: int) -> Life:
    """A pipeline from its first stage to registration, then the search for a post."""
    v = world.v
    first, end = int(v.first_stage[q]), int(v.first_stage[q + 1])
    wait = NOT_SAT
    for k in range(first, end):
        turn = Turn.INTAKE if k == first else Turn.ENTER
        place = yield from find_place(world, i, k, turn)
        if place is None:
            return
        wait = yield from go_through(world, i, q, k)
        world.stage_places[k].release(place)
        if wait is None:
            return
    if v.attempts[q] > 0 and not (yield from examination(world, i, q, wait)):
        return
    if register(world, i, q):
        yield from seek(world, i, q)


def find_place(world: World, i: int, k: int, turn: Turn) -> Life:
    """A place in a stage, or None: some of the unplaced wait and try again every month."""
    stream = world.people.streams[i]
    arrives = True
    while True:
        yield world.at(world.now(), turn + 0.5 * stream.random())  # in a random order
        request = world.stage_places[k].request()
        if request.triggered:
            world.people.place[i] = world.places.stage + k
            world.tally(world.training_flows.intake, k)
            world.tell(i, "enters_stage", "", world.names.stages[k])
            return request
        request.cancel()
        if arrives:
            world.tally(world.training_flows.unplaced, k)
        arrives = False
        if stream.random() >= world.v.waits[0, k]:
            drop_out(world, i, k)
            return None
        world.people.place[i] = world.places.unplaced + k
        world.tell(i, "waits_for_place", "", world.names.stages[k])
        yield world.at(world.now() + 1, turn)


def drop_out(world: World, i: int, k: int) -> None:
    """Somebody leaves a stage, or does not get into it."""
    world.people.place[i] = GONE
    world.tally(world.training_flows.stage_losses, k)
    world.tell(i, "drops_out", world.names.stages[k])


def go_through(world: World, i: int, q: int, k: int) -> Life:
    """Months in a stage: None after dropping out, months until the result after sitting, else `NOT_SAT`."""
    v, months, people = world.v, int(world.v.stage_months[k]), world.people
    last = k + 1 == v.first_stage[q + 1] and v.attempts[q] > 0
    start = world.now()
    for n in range(months):
        yield world.at(start + n, Turn.STUDY)
        rate = v.drop_out[0, k] / MONTHS
        if people.clock[i] < rate:
            yield world.after(people.clock[i] / rate)
            people.clock[i] = people.streams[i].standard_exponential()
            drop_out(world, i, k)
            return None
        people.clock[i] -= rate
        if last and n + 1 >= v.eligible_month[q] and v.sitting[q, world.calendar_month()]:
            yield world.at(start + n + 1, Turn.SIT)
            return max(months - 1 - n, int(v.result_lag[q]))
    yield world.at(start + months, Turn.MOVE_UP)
    return NOT_SAT


def examination(world: World, i: int, q: int, wait: int) -> Life:
    """Sittings and resits; returns whether somebody passes in the end."""
    v, people, name = world.v, world.people, world.names.pipelines[q]
    for k in range(int(v.attempts[q])):
        if wait == NOT_SAT:
            people.place[i] = world.places.queue + q
            sitting = next_sitting(world, q)
            if sitting is None:
                return False
            yield world.at(sitting, Turn.SIT)
            wait = int(v.result_lag[q])
        passed = people.streams[i].random() < v.pass_rate[0, q, world.calendar_month(), k]
        people.place[i] = world.places.awaiting + q
        world.tally(world.training_flows.sat, q, k)
        world.tell(i, "sits", name, f"attempt {k + 1}")
        if passed:
            world.tally(world.training_flows.passed, q, k)
        yield world.at(world.now() + wait, Turn.RESULT)
        world.tell(i, "passes" if passed else "fails", name, f"attempt {k + 1}")
        if passed:
            return True
        if people.streams[i].random() >= v.resit[0, q]:
            break
        wait = NOT_SAT
    people.place[i] = GONE
    world.tally(world.training_flows.failed_out, q)
    world.tell(i, "fails_for_good", name)
    return False


def next_sitting(world: World, q: int) -> int | None:
    """End of the next month with a sitting; None if there are none."""
    for month in range(world.month + 1, world.month + 1 + MONTHS):
        if world.v.sitting[q, (world.v.start_month + month) % MONTHS]:
            return month + 1
    return None


def register(world: World, i: int, q: int) -> bool:
    """Qualified; returns whether somebody stays in the area, and was not there before the start."""
    v, people = world.v, world.people
    people.place[i] = GONE
    if world.month < 0:
        before = world.record.registered_before[0]
        if len(before) + world.month >= 0:
            before[len(before) + world.month, q] += 1.0
        return False
    world.tally(world.training_flows.registered, q)
    world.tell(i, "registers", world.names.pipelines[q])
    if people.streams[i].random() >= v.retention[0, q]:
        world.tally(world.training_flows.left_area, q)
        world.tell(i, "leaves_area", world.names.pipelines[q])
        return False
    world.enters(i, world.draw(i, v.ages[q, people.group[i]]))
    return True
