"""Internal pipelines at a month's end: batches end, new ones begin as far as there are places (step 8)."""

from __future__ import annotations

import numpy as np

from pharmsim.engine.careers.streams import Whole
from pharmsim.engine.careers.world import MONTHS, World


class Apprentices:
    """Intakes of all tracks of a replicate.

    Parameters
    ----------
    world : World
    """

    def __init__(self, world: World) -> None:
        tracks = world.m.tracks
        self._world, n = world, tracks.post.size
        self._names = [
            f"{world.names.internal[tracks.pipeline[k]]}/{world.names.posts[tracks.post[k]]}"
            for k in range(n)
        ]
        self._streams = [world.streams.named(f"track/{name}") for name in self._names]
        self._whole = [Whole(stream) for stream in self._streams]

    def month_ends(self) -> None:
        """End and begin the batches of the month that is over."""
        pipeline = self._world.m.tracks.pipeline
        for number in np.unique(pipeline):
            here = np.flatnonzero(pipeline == number).tolist()
            for k in here:
                self._end(k)
            self._begin(here)

    def _end(self, k: int) -> None:
        """The batch of track `k` that began so many months ago: qualified, or back to work."""
        world, tracks = self._world, self._world.m.tracks
        began = world.month - int(tracks.months[k])
        if tracks.intake_month[k, (tracks.start_month + began) % MONTHS] == 0.0:
            return
        people, post = world.people, int(tracks.post[k])
        pipeline, name = world.names.internal[tracks.pipeline[k]], world.names.posts[post]
        for i in np.flatnonzero(people.place[: people.n] == self._batch(k, began)).tolist():
            if people.streams[i].random() < tracks.completes[0, k]:
                people.place[i] = tracks.waiting[k]
                world.tally(world.flows.training_ends, post)
                world.tell(i, "qualifies", pipeline, name)
            else:
                people.place[i] = post
                world.tell(i, "ends_training", pipeline, name)

    def _begin(self, here: list[int]) -> None:
        """New batches of the tracks of one pipeline, which share its places."""
        world, tracks = self._world, self._world.m.tracks
        able = {k: self._able(k) for k in here}
        wanted = {k: min(self._wish(k), len(able[k])) for k in here}
        free = self._free(here)
        if sum(wanted.values()) > free:
            labels = np.repeat(here, [wanted[k] for k in here])
            placed = self._streams[here[0]].permutation(labels)[:free].tolist()
            for k in here:
                unplaced = wanted[k] - placed.count(k)
                world.flows.training_unplaced[world.month, tracks.post[k]] += unplaced
                wanted[k] -= unplaced
        for k in here:
            if not wanted[k]:
                continue
            pipeline, post = world.names.internal[tracks.pipeline[k]], int(tracks.post[k])
            for i in self._streams[k].choice(able[k], wanted[k], replace=False).tolist():
                world.people.place[i] = self._batch(k, world.month)
                world.tally(world.flows.training_starts, post)
                world.tell(i, "starts_training", world.names.posts[post], pipeline)

    def _wish(self, k: int) -> int:
        """Whole people of a track who want to begin."""
        tracks, month = self._world.m.tracks, self._world.month
        share = tracks.intake_month[k, (tracks.start_month + month) % MONTHS]
        return self._whole[k].take(float(tracks.intake[0, k] * share * tracks.over_time[0, k, month]))

    def _able(self, k: int) -> np.ndarray:
        """People of the eligible ages at the own work of a track's post."""
        people, tracks = self._world.people, self._world.m.tracks
        index = people.index[: people.n]
        at_work = people.place[: people.n] == tracks.post[k]
        return np.flatnonzero(at_work & (index >= tracks.first[k]) & (index < tracks.end[k]))

    def _free(self, here: list[int]) -> int:
        """Places of a pipeline that nobody has."""
        world, tracks, first = self._world, self._world.m.tracks, here[0]
        if np.isinf(tracks.per_fte[0, first]):
            return world.people.n
        staff = world.present[tracks.supervisors[first]].sum()
        place = world.people.place[: world.people.n]
        training = sum(int(((place >= tracks.row[k]) & (place < tracks.waiting[k])).sum()) for k in here)
        return max(int(tracks.per_fte[0, first] * staff + 1e-9) - training, 0)

    def _batch(self, k: int, month: int) -> int:
        """Row of the people of track `k` who begin in a month: by intake month, then by year in turn."""
        tracks = self._world.m.tracks
        year, calendar = divmod(tracks.start_month + month, MONTHS)
        rank = int((tracks.intake_month[k, :calendar] > 0.0).sum())
        years = -(-int(tracks.months[k]) // MONTHS)
        return int(tracks.row[k] + rank * years + year % years)
