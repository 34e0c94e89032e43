"""φ(x) = (1 − e^(−x))/x, and sums: the arithmetic of competing risks."""

from __future__ import annotations

from pharmsim.engine.jit import flat, kernel, reduction, small

SMALL = 0.5
"""Up to here the polynomial of φ is exact to rounding (relative error below 3e-16)."""


@kernel
def halvings(x: float) -> int:
    """How often `x` must be halved to be at most `SMALL`."""
    n = 0
    while x > SMALL and n < 60:
        x *= 0.5
        n += 1
    return n


@kernel
def lived(hazard, dt, n, out):  # type: ignore[no-untyped-def]
    """Time lived in a cell during a step by one person who is there at its start.

    out = dt·φ(hazard·dt), by 1 − x·q(x) at x = hazard·dt/2^n, with q the polynomial that meets
    (1 − φ(x))/x at the nine Chebyshev nodes of 0 … `SMALL`, and n doublings
    φ(2x) = φ(x)·(1 − x φ(x)/2): no division, exact at 0, no cancellation at large x.

    Parameters
    ----------
    hazard : float64 array, shape (cells,), per year
    dt : float, years
    n : int
        `halvings` of the largest hazard·dt.
    out : float64 array, shape (cells,), years
        Written.
    """
    hazard, out = flat(hazard), flat(out)
    scale = dt / 2.0**n
    last = dt if n == 0 else 1.0
    for i in range(hazard.size):
        x = hazard[i] * scale
        s = 2.249225630829272e-07 * x - 2.709945051891176e-06
        s = s * x + 2.477884944072777e-05
        s = s * x - 0.00019840606750033606
        s = s * x + 0.0013888877485737125
        s = s * x - 0.008333333222923142
        s = s * x + 0.041666666661303135
        s = s * x - 0.16666666666656624
        s = s * x + 0.49999999999999967
        out[i] = (1.0 - x * s) * last
    for _ in range(n):
        for i in range(hazard.size):
            out[i] = out[i] * (1.0 - 0.5 * hazard[i] * scale * out[i])
        scale *= 2.0
    if n > 0:
        for i in range(hazard.size):
            out[i] = out[i] * dt


@reduction
def total(x):  # type: ignore[no-untyped-def]
    """Sum of a contiguous array."""
    x = flat(x)
    s = 0.0
    for i in range(x.size):
        s += x[i]
    return s


@reduction
def dot(x, y):  # type: ignore[no-untyped-def]
    """Sum of products of two vectors."""
    s = 0.0
    for i in range(x.size):
        s += x[i] * y[i]
    return s


@kernel
def largest(x):  # type: ignore[no-untyped-def]
    """Largest element, 0 if none is positive; in four chains, which are quicker than one."""
    x = flat(x)
    a = b = c = d = 0.0
    whole = x.size // 4 * 4
    for i in range(0, whole, 4):
        a, b = max(a, x[i]), max(b, x[i + 1])
        c, d = max(c, x[i + 2]), max(d, x[i + 3])
    for i in range(whole, x.size):
        a = max(a, x[i])
    return max(max(a, b), max(c, d))


@small
def copy(source, out):  # type: ignore[no-untyped-def]
    """Copy a contiguous array into another of the same shape."""
    x, y = flat(source), flat(out)
    for i in range(x.size):
        y[i] = x[i]


@small
def add(factor, source, out):  # type: ignore[no-untyped-def]
    """out += factor·source, for contiguous arrays of the same shape."""
    x, y = flat(source), flat(out)
    for i in range(x.size):
        y[i] += factor * x[i]
