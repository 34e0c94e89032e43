"""What people compete for: vacancies of posts, places of stages."""

from __future__ import annotations

from dataclasses import dataclass

import simpy


@dataclass(eq=False)
class Vacancy:
    """A vacancy that is advertised.

    Attributes
    ----------
    post, number : int
        Number within the post.
    opened : float
        Months since the start.
    is_open : bool
    """

    post: int
    number: int
    opened: float
    is_open: bool = True


class StagePlaces(simpy.Resource):
    """Places of a stage, or what its supervisors can take: as many as there are this month."""

    def __init__(self, env: simpy.Environment) -> None:
        super().__init__(env, capacity=1)

    def offer(self, places: float) -> None:
        """So many places from now on, in whole people; nobody who has one loses it."""
        self._capacity = int(min(places, 1e12) + 1e-9)
