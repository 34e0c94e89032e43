"""The frozen demographic core: people, hazards, moves, hires and birthdays; no limits, no feedbacks.

Every rival of the benchmark (`c_kernel`, `numpy_kernel`, `pysd_model`) runs this core from the same arrays.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np

import pharmsim
from pharmsim.compiled.arrays import CONSTANT, NEVER, Floats, Ints
from pharmsim.compiled.compile import Compiled, compile_scenario
from pharmsim.compiled.draws import sample
from pharmsim.scenario.models import Scenario

ROOT = Path(__file__).parents[1]
LEFT_OUT = ("mental_health_assistant", "icb_pharmacist")
"""Posts of the baseline beyond the fifteen of the skills map."""
COMPARED = (
    "headcount", "headcount_55plus", "headcount_by_age", "fte", "first_year", "joiners", "leavers",
    "retirements", "moves", "switches",
)  # fmt: skip
"""What every rival records, by its name in `pharmsim.quantities.OUTPUTS`."""


def core_scenario() -> Scenario:
    """The core: 15 posts × 2 groups × 2 contracts × 60 ages (16 to 75) = 3,600 stocks, 180 months.

    Kept of the South East London baseline: opening stock, leaving to four destinations, retirement by
    years past pension age, three switches of contract, moves between posts, hires from two outside
    sources with constant supply, the yearly birthday. Left out: pools, pipelines, establishment (so
    that nothing is limited), first-year differences, retention, and the system around the people.
    """
    base = pharmsim.load(ROOT / "scenarios" / "sel" / "baseline.yaml")
    moves, hiring = base.moves, base.hiring
    assert moves is not None
    assert hiring is not None
    kept = {
        "posts": tuple(post for post in base.posts if post.post not in LEFT_OUT),
        "moves": moves.model_copy(
            update={
                name: tuple(x for x in getattr(moves, name) if not {x.from_, x.to} & set(LEFT_OUT))
                for name in ("edges", "skills_overlap")
            }
        ),
        "leaving": {name: flow.model_copy(update={"into": None}) for name, flow in base.leaving.items()},
        "hiring": hiring.model_copy(
            update={
                "sources": tuple(source for source in hiring.sources if source.pipelines is None),
                "time_to_fill": None,
            }
        ),
    }
    nothing = ("first_year", "employer_change", "establishment", "cover", "working_time", "need")
    nothing += ("retention", "pay", "feedbacks")
    empty = ("pools", "pipelines", "supervision", "budgets")
    left_out = dict.fromkeys(nothing) | {name: {} for name in empty}
    return base.model_copy(update={"name": "demographic core", **kept, **left_out})


class Core(NamedTuple):
    """Arrays of the core for D draws, P posts, G groups, C contracts, A ages, E edges, J sources."""

    people: Floats  # (D, P, G, C, A): heads at the start
    hazard: Floats  # (years, 12, rows, A): at mid-step, per year
    row: Ints  # (K, P, G, C): row of `hazard` of every risk: 4 × leaving, retirement, 3 × switches
    scale: Floats  # (D, K, P, G, C): times the row
    fte_per_head: Floats  # (D, P, G, C)
    origin: Ints  # (E,): post
    to: Ints  # (E,): post
    rate: Floats  # (D, E): per year
    window: tuple[int, int]  # age indexes between which people move
    hires: Floats  # (D, J, P): heads a month
    hire_ages: Floats  # (J, P, G, A): shares by group and age at last birthday
    hire_contracts: Floats  # (D, P, G, C): shares
    index_55: int
    months: int

    @property
    def stocks(self) -> int:
        """Stocks of one draw."""
        return int(self.people[0].size)


SWITCHES = ((0, 1), (0, 1), (1, 0))
"""Contract left and entered by every switch of the core; the kernels rely on it."""


def core_arrays(compiled: Compiled) -> Core:
    """Read the arrays of the core from a compiled scenario.

    Raises
    ------
    ValueError
        If the scenario has more than the core: the kernels would not run the same.
    """
    m, system = compiled.model.posts, compiled.model.system
    risks, edges, hiring, clock = m.risks, m.edges, m.hiring, compiled.clock
    simple = {
        "monthly steps": (clock.months_per_period, clock.substeps) == (1, 1),
        "two contracts and these switches": (
            tuple(zip(risks.switch_from.tolist(), risks.switch_to.tolist(), strict=True)) == SWITCHES
        ),
        "four destinations": (risks.n_leave, risks.n_retire) == (4, 1) and not (risks.leave_pool >= 0).any(),
        "one row of hazards for three of them": bool((risks.row[:3] == risks.row[0]).all()),
        "the same rows for both contracts": bool((risks.row == risks.row[..., :1]).all()),
        "hazards by age": not np.isin(risks.row, (CONSTANT, NEVER)).any(),
        "nothing over time": all(
            (x == 1.0).all()
            for x in (risks.over_time, edges.over_time, hiring.over_time, risks.first_year_mean)
        ),
        "no limits": bool(np.isinf(m.funding.establishment).all()) and not m.funding.has_drift,
        "no rows but posts": m.tracks.home.size == len(compiled.scenario.posts),
        "moves alone, of one span of ages": not edges.kind.any()
        and len(set(edges.able_first)) == len(set(edges.able_end)) == 1,
        "hires start at once": not hiring.hire_months.any() and not hiring.kind.any(),
        "nobody new at the start": not compiled.opening.posts.first_year.any(),
        "no feedbacks": not system.feedbacks.elasticity.any(),
    }
    wrong = [name for name, holds in simple.items() if not holds]
    if wrong:
        raise ValueError("not the demographic core, which has " + "; ".join(wrong))
    return Core(
        people=compiled.opening.posts.people[:, 0],
        hazard=risks.hazard,
        row=risks.row,
        scale=risks.scale,
        fte_per_head=m.funding.fte_per_head,
        origin=edges.origin,
        to=edges.to,
        rate=edges.rate * edges.overlap,
        window=(int(edges.able_first[0]), int(edges.able_end[0])),
        hires=hiring.supply / 12.0,
        hire_ages=hiring.people,
        hire_contracts=hiring.contracts,
        index_55=m.levels.index_55,
        months=clock.n_periods,
    )


def compiled_core(draws: int, months: int | None = None) -> Compiled:
    """Compile the core with the central values and so many draws, for its first months."""
    scenario = core_scenario()
    if months is not None:
        year, month = map(int, scenario.start.split("-"))
        last = year * 12 + month - 1 + months
        scenario = scenario.model_copy(update={"end": f"{last // 12}-{last % 12 + 1:02d}"})
    return compile_scenario(scenario, sample(scenario, draws, 1), tags=False)


def largest_hazard(core: Core) -> float:
    """Upper bound of Λ·dt in any draw, month and cell: what a polynomial for φ must cover."""
    top = core.hazard.max(axis=(0, 1, 3))[core.row]
    away = np.zeros((core.rate.shape[0], core.people.shape[1]))
    for e, p in enumerate(core.origin):
        away[:, p] += core.rate[:, e]
    exists = np.ones((len(core.row), core.row.shape[3]))
    for k, (left, _) in enumerate(SWITCHES):
        exists[5 + k] = np.arange(core.row.shape[3]) == left
    summed = (core.scale * top * exists[:, None, None]).sum(axis=1)
    return float((summed + away[:, :, None, None]).max() / 12.0)


def empty_record(core: Core) -> dict[str, Floats]:
    """Zeros for everything compared, with the axes of `OUTPUTS` and the draw first."""
    n, n_posts, n_groups, n_contracts, n_ages = core.people.shape
    stocks, flows, years = (n, core.months + 1), (n, core.months), core.months // 12 + 1
    shapes = {
        "headcount": (*stocks, n_posts, n_groups, n_contracts),
        "headcount_by_age": (n, years, n_posts, n_ages),
        "joiners": (*flows, n_posts, core.hires.shape[1] + 1),  # the last: offers made before the start
        "leavers": (*flows, n_posts, 4),
        "retirements": (*flows, n_posts),
        "moves": (*flows, core.origin.size),
        "switches": (*flows, n_posts, len(SWITCHES)),
    }
    return {name: np.zeros(shapes.get(name, (*stocks, n_posts))) for name in COMPARED}


def disagreement(found: dict[str, Floats], expected: dict[str, Floats]) -> float:
    """Largest relative difference of any number of `found`; below 1e-9 of the largest of its kind, of that.

    Raises
    ------
    ValueError
        If a shape differs, or a number is not finite.
    """
    worst = 0.0
    for name, numbers in found.items():
        other = expected[name]
        if numbers.shape != other.shape or not np.isfinite(numbers).all():
            raise ValueError(f"{name}: shapes {numbers.shape} and {other.shape}, or a number is not finite")
        size = np.maximum(np.abs(other), 1e-9 * np.abs(other).max())
        worst = max(worst, float((np.abs(numbers - other) / size).max()))
    return worst
