"""Streams of random numbers: keys by name, so that scenarios that are compared share them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pharmsim.compiled.arrays import Floats, Posts
from pharmsim.scenario.models import Scenario

Keys = NDArray[np.uint64]
Name = tuple[object, ...]


class Streams(NamedTuple):
    """Keys of everything that has a name."""

    row: Keys  # (R,): post, or pipeline, post and batch
    post: Keys  # (P,)
    edge: Keys  # (E,): row, post entered, kind
    risk: Keys  # (K,): destination, retirement, switch
    pool: Keys  # (n_pools,)
    source: Keys  # (n_sources,)
    pipeline: Keys  # (n_pipelines,): external ones
    track: Keys  # (n_tracks,): internal pipeline and post


def keys(names: Iterable[Name]) -> Keys:
    """Keys of 64 bits, the same on every machine; equal names are told apart by their order."""
    seen: Counter[Name] = Counter()
    out = []
    for name in names:
        text = "\x1f".join(map(str, (*name, seen[name])))
        out.append(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little"))
        seen[name] += 1
    return np.array(out, dtype=np.uint64)


def streams(scenario: Scenario, m: Posts) -> Streams:
    """Keys of a scenario.

    Parameters
    ----------
    scenario : Scenario
    m : Posts
        Its compiled posts.

    Returns
    -------
    Streams
    """
    posts = [post.post for post in scenario.posts]
    inside = [name for name, pipeline in scenario.pipelines.items() if pipeline.kind == "internal"]
    outside = [name for name, pipeline in scenario.pipelines.items() if pipeline.kind == "external"]
    tracks: list[Name] = [
        (inside[q], posts[p]) for q, p in zip(m.tracks.pipeline, m.tracks.post, strict=True)
    ]
    rows: list[Name] = [(post,) for post in posts]
    for track, first, waiting in zip(tracks, m.tracks.row, m.tracks.waiting, strict=True):
        rows += [(*track, batch) for batch in range(waiting - first + 1)]
    leaving, switches = list(scenario.leaving), [switch.name for switch in scenario.switches]
    risks: list[Name] = [("leaving", leaving[k]) for k in m.risks.leave_to]
    risks += [("retirement",)] * m.risks.n_retire
    risks += [("switch", switches[k]) for k in m.risks.switch_as]
    edges = zip(m.edges.origin, m.edges.to, m.edges.kind, strict=True)
    sources = scenario.hiring.sources if scenario.hiring else ()
    return Streams(
        row=keys(rows),
        post=keys((post,) for post in posts),
        edge=keys((*rows[r], posts[p], kind) for r, p, kind in edges),
        risk=keys(risks),
        pool=keys((name,) for name in scenario.pools),
        source=keys((source.name,) for source in sources),
        pipeline=keys((name,) for name in outside),
        track=keys(tracks),
    )


def row_keys(seed: int, replicates: int, rows: range) -> Keys:
    """Keys of rows of a table of draws, shape (rows,): by seed, draw and replicate.

    Row 0 has the central values; behind it every draw has so many `replicates`. With none, the rows are
    replicates of the central values.
    """
    return keys(("replicate", seed, *draw_and_replicate(replicates, row)) for row in rows)


def draw_and_replicate(replicates: int, row: int) -> tuple[int, int]:
    """Draw and replicate of a row of a table of draws, as in `row_keys`."""
    if replicates == 0:
        return 0, row
    return 1 + (row - 1) // replicates, (row - 1) % replicates


def mixed(a: Keys, b: Keys) -> Keys:
    """Keys of `b` under the keys `a`, as `mix` of `pharmsim.engine.chance`: the finaliser of SplitMix64."""
    z = (a ^ b) + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def uniforms(rows: Keys, units: Keys) -> Floats:
    """Numbers between 0 and 1 of every row and unit, shape (rows, units)."""
    whole = mixed(rows[:, None], units[None, :]) >> np.uint64(11)
    return (whole.astype(np.float64) + 0.5) * 2.0**-53
