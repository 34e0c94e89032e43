"""Random numbers: a stream for everybody, keyed by a name, so that nobody is reshuffled from elsewhere."""

from __future__ import annotations

import math
from hashlib import blake2b

import numpy as np

from pharmsim.compiled.streams import keys

DAY = 12.0 / 365.25
"""Months in a day."""


class Streams:
    """Streams of one replicate.

    Parameters
    ----------
    seed, draw, replicate : int
    """

    def __init__(self, seed: int, draw: int, replicate: int) -> None:
        self._prefix = f"{seed}/{draw}/{replicate}/"
        self.row = keys([("replicate", seed, draw, replicate)])  # as with `chain`

    def named(self, name: str) -> np.random.Generator:
        """Stream of a person or a place with this name: the same in every scenario that has it."""
        digest = blake2b((self._prefix + name).encode(), digest_size=16).digest()
        return np.random.Generator(np.random.Philox(key=int.from_bytes(digest, "little")))


class Whole:
    """Whole numbers for a series of fractional ones: each right on average, the sum right to within one.

    Systematic sampling: the sums so far, all shifted by one random fraction, rounded down.
    """

    def __init__(self, stream: np.random.Generator) -> None:
        self._sum = stream.random()

    def take(self, heads: float) -> int:
        """Whole people for `heads`, the next number of the series."""
        before, self._sum = math.floor(self._sum), self._sum + heads
        return math.floor(self._sum) - before
