"""Vacancies by name: opened when there is room, closed when somebody takes the room."""

from __future__ import annotations

import numpy as np

from pharmsim.engine.careers.resources import Vacancy
from pharmsim.engine.careers.world import World

TINY = 1e-9


def wanted(world: World, post: int) -> int:
    """Vacancies for which there is room: whole hires, or one if the shortest hours still fit."""
    room, hire = world.room(post), world.fte_per_hire[post]
    if hire <= 0.0:
        return 0
    n = int(room / hire + TINY)
    return n if n > 0 else int(room >= world.shortest[post] - TINY)


def settle(world: World, post: int, how: str = "withdrawn", by: int = -1) -> None:
    """Open or close vacancies of a post, so that they are as many as there is room for.

    Parameters
    ----------
    world : World
    post : int
    how : str
        What has taken the room of the first one that closes.
    by : int
        Who has taken it.
    """
    if np.isinf(world.funded[post]):
        return
    n, here = wanted(world, post), world.vacancies[post]
    while len(here) < n:
        vacancy = Vacancy(post, next(world.vacancy_numbers[post]), world.env.now)
        here.append(vacancy)
        world.opened[post].put(vacancy)
    while len(here) > n:
        close(world, here[0] if by >= 0 else here[-1], how, by)
        how, by = "withdrawn", -1


def close(world: World, vacancy: Vacancy, how: str, by: int = -1, first_day: float = np.nan) -> None:
    """A vacancy is no longer advertised."""
    vacancy.is_open = False
    world.vacancies[vacancy.post].remove(vacancy)
    name, now = world.names.posts[vacancy.post], world.env.now
    if by >= 0 and np.isnan(first_day):
        first_day = now
    world.log.vacancy(vacancy.number, name, vacancy.opened, now, how, by, first_day)


def still_open(world: World) -> None:
    """Write what is still advertised at the end into the log."""
    for here in world.vacancies:
        for vacancy in here:
            name = world.names.posts[vacancy.post]
            world.log.vacancy(vacancy.number, name, vacancy.opened, np.nan, "open", -1, np.nan)
