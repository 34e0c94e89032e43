"""Services (a role in an environment and place) and uses of working time, in the order of all arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pharmsim.scenario.models import Post, Scenario

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
