"""Chance for whole people: uniform numbers by key, and counts drawn from one uniform number each.

Every number drawn has a key of its own: (seed, draw, replicate), step, cell, flow. Nobody else's numbers
move when an intervention changes a hazard, so that scenarios differ only where it acts.
Counts are drawn by inversion: they never fall when their uniform number rises.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from pharmsim.compiled.arrays import Bools, Floats, Ints, Posts
from pharmsim.compiled.streams import Keys, Streams
from pharmsim.engine.jit import kernel, small
from pharmsim.engine.padding import zeros

FAR = 10.0
"""Standard deviations below the mean at which the search for a large count begins: 1e-23 lies below."""
LARGE = 30.0
"""Means above this are searched for from there, others from 0."""

ENOUGH = 1e-9
"""Rounding of FTE and places that does not keep a person out."""

EXIT, LEAVE, EDGE, RETURN, CONTRACT, EMPLOYER = 1, 2, 3, 4, 5, 6
WANTED, OUTSIDE_SUPPLY, WHO, CHOICE, SELECTED, GIVE_UP = 7, 8, 9, 10, 11, 12
INTAKE, PLACE, DROP_OUT, EXAM, RESIT, RETENTION, AGE, COMPLETE, BIRTHDAY, STEP = (
    13,
    14,
    15,
    16,
    17,
    18,
    19,
    20,
    21,
    22,
)
"""Flows, as a part of the keys; those with several destinations add the key of its name."""


class Chance(NamedTuple):
    """Keys, and arrays written over at every step (P posts, R rows, G groups, C contracts, A ages)."""

    rows: Keys  # (D,): of a draw and replicate
    names: Streams
    arriving: Floats  # (1 + copies, R, G, C, A): who arrives at the end of the step
    touched: Ints  # (1 + R·G·C·A,): number of cells with arrivals, then the cells
    room: Floats  # (P,): FTE that may still arrive
    freed: Floats  # (P,): FTE given up in this step
    choosing: Floats  # (P,): people who chose a post
    always: Bools  # (copies,): all kept
    kept: Bools  # (copies,): whether a copy keeps its tag on a move


def chance(rows: Keys, names: Streams, m: Posts, n_ages: int) -> Chance:
    """Allocate the scratch arrays of one thread."""
    n_copies, n_posts = m.levels.block.shape
    cell = (m.tracks.home.size, *m.funding.fte_per_head.shape[2:], n_ages)
    touched = np.zeros(1 + int(np.prod(cell)), dtype=np.int64)
    tags = np.ones(n_copies, dtype=np.bool_)
    room, freed, choosing = np.zeros(n_posts), np.zeros(n_posts), np.zeros(n_posts)
    arriving = zeros((1 + n_copies, *cell))
    return Chance(rows, names, arriving, touched, room, freed, choosing, tags, tags.copy())


@small
def mix(key, x):  # type: ignore[no-untyped-def]
    """Key of `x` under another key: the finaliser of SplitMix64 (Steele, Lea, Flood 2014, OOPSLA, p. 453)."""
    z = (key ^ np.uint64(x)) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@small
def uniform(key, flow):  # type: ignore[no-untyped-def]
    """Number between 0 and 1, both excluded, of a flow."""
    return ((mix(key, flow) >> np.uint64(11)) + 0.5) * 1.1102230246251565e-16


@kernel
def binomial(n, p, u):  # type: ignore[no-untyped-def]
    """How many of `n` people something with probability `p` happens to."""
    if n <= 0.0 or p <= 0.0:
        return 0.0
    if p >= 1.0:
        return n
    if p > 0.5:
        return n - fewer(n, 1.0 - p, 1.0 - u)
    return fewer(n, p, u)


@kernel
def fewer(n, p, u):  # type: ignore[no-untyped-def]
    """Smallest count whose distribution function reaches `u`, for `p` up to ½."""
    mean, k = n * p, 0.0
    if mean <= LARGE:
        term = math.exp(n * math.log1p(-p))
    else:
        k = math.floor(max(mean - FAR * math.sqrt(mean * (1.0 - p)), 0.0))
        ways = math.lgamma(n + 1.0) - math.lgamma(k + 1.0) - math.lgamma(n - k + 1.0)
        term = math.exp(ways + k * math.log(p) + (n - k) * math.log1p(-p))
    below, odds = term, p / (1.0 - p)
    while u > below and k < n:
        term *= (n - k) / (k + 1.0) * odds
        k += 1.0
        below += term
        if term < 1e-300 and k > mean:
            break
    return k


@kernel
def poisson(mean, u):  # type: ignore[no-untyped-def]
    """Count of independent events of which `mean` are expected."""
    if mean <= 0.0:
        return 0.0
    k = 0.0
    if mean <= LARGE:
        term = math.exp(-mean)
    else:
        k = math.floor(max(mean - FAR * math.sqrt(mean), 0.0))
        term = math.exp(k * math.log(mean) - mean - math.lgamma(k + 1.0))
    below = term
    while u > below:
        k += 1.0
        term *= mean / k
        below += term
        if term < 1e-300 and k > mean:
            break
    return k


@small
def rounded(x, u):  # type: ignore[no-untyped-def]
    """A whole number next to `x` whose expectation is `x`."""
    return math.floor(x) + (1.0 if u < x - math.floor(x) else 0.0)


@kernel
def one_of(weights, u):  # type: ignore[no-untyped-def]
    """Position of a choice in proportion to `weights`; -1 if all are 0."""
    whole = 0.0
    for i in range(weights.size):
        whole += weights[i]
    sought, last = u * whole, -1
    for i in range(weights.size):
        if weights[i] > 0.0:
            last = i
            sought -= weights[i]
            if sought < 0.0:
                return i
    return last


@kernel
def drawn_from(some, everybody, drawn, key):  # type: ignore[no-untyped-def]
    """How many of `some` are among the `drawn` of `everybody`, each as likely as any other."""
    if drawn >= everybody:
        return some
    found = 0.0
    for i in range(int(some)):
        if uniform(key, i) * (everybody - i) < drawn - found:
            found += 1.0
    return found


# -- people change places ----------------------------------------------------------------------------------


@kernel
def take(people, r, g, c, a, n, to, c_to, x, keeps):  # type: ignore[no-untyped-def]
    """`n` people leave a cell for another row and contract, or for good (`to` = -1).

    Who they are is not known: of each tagged copy they take the same share. `keeps`: whether a copy keeps
    its tag on the way.
    """
    share, at = n / people[0, r, g, c, a], x.arriving
    if to >= 0:
        if at[0, to, g, c_to, a] == 0.0:
            x.touched[0] += 1
            x.touched[x.touched[0]] = ((to * at.shape[2] + g) * at.shape[3] + c_to) * at.shape[4] + a
        at[0, to, g, c_to, a] += n
    people[0, r, g, c, a] -= n
    for copy in range(1, people.shape[0]):
        part = share * people[copy, r, g, c, a]
        if part > 0.0:
            people[copy, r, g, c, a] -= part
            if to >= 0 and keeps[copy - 1]:
                at[copy, to, g, c_to, a] += part


@kernel
def arrive(people, x):  # type: ignore[no-untyped-def]
    """Whoever changed places in this step arrives."""
    n_ages, n_contracts, n_groups = people.shape[4], people.shape[3], people.shape[2]
    for i in range(1, x.touched[0] + 1):
        cell = x.touched[i]
        a, rest = cell % n_ages, cell // n_ages
        c, rest = rest % n_contracts, rest // n_contracts
        g, r = rest % n_groups, rest // n_groups
        for copy in range(people.shape[0]):
            people[copy, r, g, c, a] += x.arriving[copy, r, g, c, a]
            x.arriving[copy, r, g, c, a] = 0.0
    x.touched[0] = 0
