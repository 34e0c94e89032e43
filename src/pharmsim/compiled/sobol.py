"""Scrambled Sobol' points: even cover of all uncertainties at once, one scrambling for each name."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from pharmsim.compiled.arrays import Floats
from pharmsim.errors import InputError

BITS = 32
CELL = 2.0**-BITS
MOST = 21201
"""Dimensions for which direction numbers are known (Joe and Kuo 2008)."""


def scrambled(names: Sequence[str], n: int, seed: int) -> Floats:
    """First `n` points of a Sobol' sequence, dimension k scrambled by the seed and the k-th name.

    Each dimension has a random linear matrix scrambling and a digital shift (Matoušek 1998), drawn
    from a stream keyed by (seed, name). The first points stay the same when more are asked for, and
    so do the first columns when names are added behind. Of 2^m points exactly one lies in each of
    2^m equal cells of every column.

    Parameters
    ----------
    names : sequence of str
    n : int
    seed : int

    Returns
    -------
    float64 array, shape (n, names)
        Mid-points of cells of width 2^-32, so above 0 and below 1.

    References
    ----------
    J. Matoušek (1998), On the L2-discrepancy for anchored boxes, Journal of Complexity 14, 527-556.
    S. Joe, F. Y. Kuo (2008), Constructing Sobol sequences with better two-dimensional projections,
    SIAM Journal on Scientific Computing 30, 2635-2654.
    """
    if not names or not n:
        return np.empty((n, len(names)))
    if len(names) > MOST:
        raise InputError(f"at most {MOST} uncertainties can be drawn together; these are {len(names)}")
    from scipy.stats import qmc  # takes half a second to load

    sequence = qmc.Sobol(len(names), scramble=False, bits=BITS)
    # a power of two: with any other number of points scipy warns
    points = sequence.random_base2((n - 1).bit_length())[:n]
    x = (points / CELL).astype(np.uint32)
    keys = [_scrambling(name, seed) for name in names]
    columns = np.stack([key[:BITS] for key in keys], axis=1)
    out = np.broadcast_to(np.array([key[BITS] for key in keys]), x.shape).copy()
    for bit, column in enumerate(columns):
        out ^= (x >> np.uint32(BITS - 1 - bit) & np.uint32(1)) * column
    return (out + 0.5) * CELL


def _scrambling(name: str, seed: int) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    """Columns of a lower triangular matrix of bits with ones on its diagonal, then the shift."""
    key = hashlib.sha256(f"{seed}\0{name}".encode()).digest()[:16]
    stream = np.random.Generator(np.random.Philox(key=int.from_bytes(key, "little")))
    words = stream.integers(0, 2**BITS, BITS + 1, dtype=np.uint32)
    diagonal = np.uint32(1) << np.arange(BITS - 1, -1, -1, dtype=np.uint32)
    words[:BITS] = words[:BITS] & (diagonal - np.uint32(1)) | diagonal
    return words
