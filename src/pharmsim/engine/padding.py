"""Ages that nobody reaches, behind the last one, so that loops over ages are whole vectors.

A loop over 64 ages takes the processor half the instructions of one over 60, which ends in single numbers.
"""

from __future__ import annotations

import numpy as np

from pharmsim.compiled.arrays import Floats, PostState, Training
from pharmsim.compiled.model import Model, State
from pharmsim.compiled.system_arrays import SystemState

LANES = 32
"""Numbers that a loop takes at a time: four vectors of eight."""
LINE = 64
"""Bytes in a line of the processor's memory."""


def zeros(shape: tuple[int, ...]) -> Floats:
    """Zeros that begin with a line of the processor's memory, as every further line of 64 ages then does."""
    n = int(np.prod(shape))
    whole = np.zeros(n + LINE // 8)
    start = -whole.ctypes.data % LINE // 8
    return whole[start : start + n].reshape(shape)


def wide(array: Floats) -> Floats:
    """A copy with zeros behind the last age, which is the last axis."""
    n_ages = array.shape[-1]
    out = zeros((*array.shape[:-1], n_ages + -n_ages % LANES))
    out[..., :n_ages] = array
    return out


def wide_model(m: Model) -> Model:
    """The model with wide ages; what depends on no age is shared."""
    risks = m.posts.risks._replace(hazard=wide(m.posts.risks.hazard))
    hiring = m.posts.hiring._replace(people=wide(m.posts.hiring.people))
    posts = m.posts._replace(risks=risks, hiring=hiring)
    return m._replace(posts=posts, conveyors=m.conveyors._replace(ages=wide(m.conveyors.ages)))


BY_AGE = ("people", "pools", "offers", "seekers")
"""Arrays of the state with an axis of ages."""


def wide_state(state: State) -> State:
    """A copy of the state with wide ages."""
    posts = {k: wide(v) if k in BY_AGE else v.copy() for k, v in state.posts._asdict().items()}
    training = Training(*(array.copy() for array in state.training))
    return State(PostState(**posts), training, SystemState(*(array.copy() for array in state.system)))


def narrow_state(state: State, n_ages: int) -> State:
    """The state with its own ages alone."""
    narrow = {name: np.ascontiguousarray(getattr(state.posts, name)[..., :n_ages]) for name in BY_AGE}
    return state._replace(posts=state.posts._replace(**narrow))
