"""Services (a role in an environment and place) and uses of working time, in the order of all arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pharmsim.scenario.expand import post_table
from pharmsim.scenario.models import Level, Post, Scenario

LEARNING, SETTLING_IN, INTRODUCTION, AT_WORK = "learning", "settling_in", "introduction", "at_work"
FEEDBACKS = ("burnout", "shorter_hours", "recruitment", "attractiveness", "inexperience", "flexibility")
"""Multipliers by post; `burnout` acts on leaving and on shorter hours."""


class Service(NamedTuple):
    """A role in an environment and place."""

    role: str
    environment: str
    place: str

    def __str__(self) -> str:
        return " / ".join(part for part in self if part)


def split_of(post: Post) -> dict[str, float]:
    """Environments in which a post works, with its shares of working time."""
    return post.split or {post.environment: 1.0}


def services(scenario: Scenario) -> list[Service]:
    """Return every service: homes of the posts first, then other environments of joint posts."""
    homes = [Service(post.role, post.environment, post.place) for post in scenario.posts]
    others = [Service(post.role, name, post.place) for post in scenario.posts for name in split_of(post)]
    return list(dict.fromkeys([*homes, *others]))


def split_matrix(scenario: Scenario) -> np.ndarray:
    """Return the share of every post's working time by service, shape (P, S); rows sum to one."""
    found = {service: i for i, service in enumerate(services(scenario))}
    out = np.zeros((len(scenario.posts), len(found)))
    for p, post in enumerate(scenario.posts):
        for environment, share in split_of(post).items():
            out[p, found[Service(post.role, environment, post.place)]] += share
    return out


def uses(scenario: Scenario) -> list[str]:
    """Return the uses of working time: absences, learning …, parts of the job plan."""
    time = scenario.working_time
    parts = list(time.job_plan) if time is not None else []
    absences = list(time.absence) if time is not None else []
    return [*absences, LEARNING, SETTLING_IN, INTRODUCTION, *(parts or [AT_WORK])]


def block_shares(scenario: Scenario, level: Level) -> list[dict[tuple[str, ...], float]]:
    """Return the blocks of every post at a level of retention, with the share of its working time in each.

    A joint post is read once for each environment of its split; posts outside the level have no block.
    """
    table = post_table(scenario)
    out: list[dict[tuple[str, ...], float]] = []
    for p, post in enumerate(scenario.posts):
        labels = {axis: str(values[p]) for axis, values in table.items()}
        found: dict[tuple[str, ...], float] = {}
        for environment, share in split_of(post).items():
            here = labels | {"environment": environment}
            if share > 0.0 and all(here.get(axis, "") in names for axis, names in level.where.items()):
                key = tuple(here[axis] for axis in level.by)
                found[key] = found.get(key, 0.0) + share
        out.append(found)
    return out


def blocks(scenario: Scenario) -> list[tuple[str, tuple[str, ...]]]:
    """Return every (level, block) in the order of the results: levels, then blocks as posts name them."""
    levels = scenario.retention.levels if scenario.retention is not None else {}
    found = [
        (name, key)
        for name, level in levels.items()
        for part in block_shares(scenario, level)
        for key in part
    ]
    return list(dict.fromkeys(found))
