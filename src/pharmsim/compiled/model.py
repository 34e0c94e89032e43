"""A whole model, its state and its record: the parts of `arrays` and `system_arrays` together."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pharmsim.compiled.arrays import (
    Conveyors,
    Dated,
    Floats,
    PostFlows,
    Posts,
    PostState,
    PostStocks,
    Training,
    TrainingFlows,
    TrainingStocks,
)
from pharmsim.compiled.system_arrays import System, SystemState, SystemStocks


class Model(NamedTuple):
    """Everything constant in a run.

    D draws, P posts, R rows, G groups, C contracts, A ages, T periods. Kernels take the parts that
    they need: a kernel that took the whole would be slow to compile and to call.
    """

    posts: Posts
    conveyors: Conveyors
    system: System
    dated: Dated


class State(NamedTuple):
    """Everything that changes in a run: the complete state at a month's start."""

    posts: PostState
    training: Training
    system: SystemState

    def rows(self, first: int, last: int) -> State:
        """A copy of the draws `first` … `last` − 1."""
        return State(
            PostState(*(array[first:last].copy() for array in self.posts)),
            Training(*(array[first:last].copy() for array in self.training)),
            SystemState(*(array[first:last].copy() for array in self.system)),
        )


def joined(states: list[State]) -> State:
    """States of several blocks of draws as one."""
    return State(
        PostState(*(np.concatenate(arrays) for arrays in zip(*(s.posts for s in states), strict=True))),
        Training(*(np.concatenate(arrays) for arrays in zip(*(s.training for s in states), strict=True))),
        SystemState(*(np.concatenate(arrays) for arrays in zip(*(s.system for s in states), strict=True))),
    )


class Record(NamedTuple):
    """What a run leaves behind."""

    posts: PostStocks
    flows: PostFlows
    training: TrainingStocks
    training_flows: TrainingFlows
    system: SystemStocks
    tagged: Floats
    kept: Floats
    tagged_in: Floats
    kept_in: Floats
    registered_before: Floats
    conservation_error: Floats

    def arrays(self) -> dict[str, Floats]:
        """Every array by its name in `pharmsim.quantities.OUTPUTS`."""
        parts = (self.posts, self.flows, self.training, self.training_flows, self.system)
        out = {name: array for part in parts for name, array in part._asdict().items()}
        return out | dict(zip(self._fields[5:], self[5:], strict=True))
