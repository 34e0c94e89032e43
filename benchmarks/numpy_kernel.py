"""The demographic core as whole-array numpy: all posts, groups, contracts, ages, draws of a block at once."""

from __future__ import annotations

import numpy as np
from core import SWITCHES, Core, empty_record

from pharmsim.compiled.arrays import Floats

BLOCK = 8
"""Draws handled together: more leave the cache of the processor, fewer pay more for each call of numpy."""


def numpy_kernel(core: Core) -> dict[str, Floats]:
    """Run every draw and return the record by name, as `core.empty_record`."""
    record = empty_record(core)
    for first in range(0, len(core.people), BLOCK):
        rows = slice(first, first + BLOCK)
        run_block(core, rows, {name: array[rows] for name, array in record.items()})
    return record


def run_block(core: Core, rows: slice, out: dict[str, Floats]) -> None:
    """Run the draws `rows`; `out` is their part of the record."""
    people = core.people[rows].copy()  # draw, post, group, contract, age
    n, n_posts, _, _, n_ages = people.shape
    scale, rate = core.scale[rows].copy(), core.rate[rows]
    for k, (left, _) in enumerate(SWITCHES):  # a switch is a risk of one contract
        scale[:, 5 + k, :, :, 1 - left] = 0.0
    moving = np.zeros(n_ages)
    moving[slice(*core.window)] = 1.0
    into = np.zeros((n, n_posts, n_posts))  # rate by (post entered, post left)
    for e, (p, q) in enumerate(zip(core.origin, core.to, strict=True)):
        into[:, q, p] += rate[:, e]
    away = into.sum(axis=1)[:, :, None, None, None] * moving
    first_year = np.zeros((n, n_posts, 12))
    hires = core.hires[rows]
    hired = np.einsum("djp,jpga->dpga", hires, core.hire_ages)[:, :, :, None, :]
    hired = hired * core.hire_contracts[rows][..., None]
    count(core, rows, 0, people, out)
    out["headcount_by_age"][:, 0] = people.sum(axis=(2, 3))
    out["joiners"][:, :, :, :-1] = hires.swapaxes(1, 2)[:, None]
    for t in range(core.months):
        heads = people.sum(axis=(2, 3, 4))
        hazard = scale[..., None] * core.hazard[t // 12, t % 12][core.row]  # by draw and risk, then as people
        total = hazard.sum(axis=1) + away
        lived = people * (-np.expm1(-total / 12.0) / total)
        flows = hazard * lived[:, None]
        people -= total * lived
        for k, (left, to) in enumerate(SWITCHES):
            people[:, :, :, to] += flows[:, 5 + k, :, :, left]
        lived *= moving
        people += np.matmul(into, lived.reshape(n, n_posts, -1)).reshape(people.shape)
        by_post = flows.sum(axis=(3, 4, 5))
        out["leavers"][:, t] = by_post[:, :4].swapaxes(1, 2)
        out["retirements"][:, t] = by_post[:, 4]
        out["switches"][:, t] = by_post[:, 5:].swapaxes(1, 2)
        out["moves"][:, t] = rate * lived.sum(axis=(2, 3, 4))[:, core.origin]
        gone = np.zeros((n, n_posts))
        np.add.at(gone, (slice(None), core.origin), out["moves"][:, t])
        stay = (1.0 - by_post[:, :4].sum(axis=1) / heads) * (1.0 - (by_post[:, 4] + gone) / heads)
        first_year *= stay[:, :, None]
        first_year[:, :, t % 12] = hires.sum(axis=1)
        part = (t % 12 + 1.0) / 12.0  # of the year is over: so many of each age are a cohort younger
        people += (1.0 - part) * hired
        people[..., :-1] += part * hired[..., 1:]
        people[..., 0] += part * hired[..., 0]
        if t % 12 == 11:
            gone, heads = people[..., -1].sum(axis=(2, 3)), people.sum(axis=(2, 3, 4))
            out["retirements"][:, t] += gone
            first_year *= (1.0 - gone / heads)[:, :, None]
            people[..., 1:] = people[..., :-1].copy()
            people[..., 0] = 0.0
            out["headcount_by_age"][:, (t + 1) // 12] = people.sum(axis=(2, 3))
        count(core, rows, t + 1, people, out)
        out["first_year"][:, t + 1] = first_year.sum(axis=2)


def count(core: Core, rows: slice, t: int, people: Floats, out: dict[str, Floats]) -> None:
    """Record the stocks of a month's start."""
    by_cell = people.sum(axis=4)
    out["headcount"][:, t] = by_cell
    out["fte"][:, t] = (by_cell * core.fte_per_head[rows]).sum(axis=(2, 3))
    older = people[..., core.index_55 :].sum(axis=(2, 3, 4))
    just = people[..., core.index_55 - 1].sum(axis=(2, 3))  # who has turned 55 since the anniversary
    out["headcount_55plus"][:, t] = older + t % 12 / 12.0 * just
