"""What a projection rests on: people at the start, and flows of the first year, by grade of evidence.

A number has the weakest grade of its factors (a factor of one changes nothing and is left aside), or,
if asked, that of its first factor: the table it starts from. Flows by age are weighed with the opening
stock and the hazard of each cell, then scaled to the run.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pharmsim.results.axes import EARLIER_OFFERS, edges_of
from pharmsim.results.labelled import Results
from pharmsim.results.measures import YEAR
from pharmsim.scenario import expand
from pharmsim.scenario.calibrated import as_calibrated
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.training import ExternalPipeline, InternalPipeline, Pipeline
from pharmsim.scenario.values import EVIDENCE, Cells, Row, Series, Value

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
GRADES = EVIDENCE
CELL = ("post", "group", "contract", "age")
TOTAL = "all flows"


def rank(*values: Value, first: bool = False) -> int:
    """Return the grade (index into `GRADES`) of a product: the weakest, or that of its first factor."""
    if first:
        return GRADES.index(values[0].evidence)
    ranks = [GRADES.index(value.evidence) for value in values]
    telling = [r for r, value in zip(ranks, values, strict=True) if value.value != 1.0]
    return max(telling or ranks, default=len(GRADES) - 1)


def _terms(cells: Cells, scenario: Scenario, axes: tuple[str, ...]) -> list[tuple[Floats, Ints]]:
    """Return values and grades of every factor; one that does not depend on age has length 1 there."""
    out = []
    for term in cells.terms:
        flat = "age" in axes and not expand.is_aged(term)
        values, rows = expand.expand_term(term, scenario, axes[:-1] if flat else axes)
        grades = np.array([GRADES.index(row.evidence) for row in term.rows] + [len(GRADES) - 1])[rows]
        out.append((values[..., None], grades[..., None]) if flat else (values, grades))
    return out


def cell_ranks(cells: Cells, scenario: Scenario, axes: tuple[str, ...], first: bool = False) -> Ints:
    """Return the grade of every cell (see `rank`), shape (lengths of the axes, or 1 where all are alike)."""
    terms = _terms(cells, scenario, axes)
    plain, telling = terms[0][1], np.full((1,) * len(axes), -1)
    if first:
        return plain
    for values, grades in terms:
        plain = np.maximum(plain, grades)
        telling = np.maximum(telling, np.where(values == 1.0, -1, grades))
    return np.where(telling < 0, plain, telling)


def opening_stock(scenario: Scenario) -> Floats:
    """Return people in post at the start, central values, shape (post, group, contract, age)."""
    stock = scenario.stock
    n_ages = scenario.ages.last - scenario.ages.first + 1
    heads = expand.central(stock.headcount, scenario, ("post",))
    if stock.jobs_per_person is not None:
        heads = heads / expand.central(stock.jobs_per_person, scenario, ("post",))
    ages = np.full((len(scenario.posts), len(scenario.groups), n_ages), 1.0 / n_ages)
    if stock.ages is not None:
        ages = expand.age_shares(stock.ages, scenario)
    groups = np.full(ages.shape[:2], 1.0 / ages.shape[1])
    if stock.groups is not None:
        groups = expand.central(stock.groups, scenario, ("post", "group"))
    n_contracts = len(scenario.contracts)
    contracts = np.full((len(scenario.posts), ages.shape[1], n_contracts, n_ages), 1.0 / n_contracts)
    if stock.contracts is not None:
        contracts = expand.central(stock.contracts, scenario, CELL)[..., :n_ages]
    return np.asarray(heads[:, None, None, None] * groups[:, :, None, None] * ages[:, :, None, :] * contracts)


def _pension_knots(scenario: Scenario) -> Ints:
    """Return, for every age at the start, the knot of a table by years past pension age."""
    ages = scenario.ages.first + 0.5 + np.arange(scenario.ages.last - scenario.ages.first + 1)
    start = int(scenario.start[:4]) + (int(scenario.start[5:]) - 1) / 12.0
    born = [int(row.born[:4]) + (int(row.born[5:]) - 1) / 12.0 for row in scenario.pension_age]
    pension = np.interp(start - ages, born, [row.age.value for row in scenario.pension_age]) if born else 0.0
    return np.asarray(np.clip(np.round(ages - pension).astype(np.int64) + 40, 0, 80))


def _shares_of_grades(cells: Cells, scenario: Scenario, stock: Floats, first: bool) -> Floats:
    """Return, for every post, the shares of the grades in its flow, shape (post, grades)."""
    pension = any(expand.is_aged(term) == "years_past_pension_age" for term in cells.terms)
    at = _pension_knots(scenario) if pension else np.arange(stock.shape[3])

    def by_age(array: Any) -> Any:
        return array[..., at] if array.shape[-1] > 1 else array

    weights = stock
    for values, _ in _terms(cells, scenario, CELL):
        weights = weights * np.nan_to_num(by_age(values))
    ranks = by_age(cell_ranks(cells, scenario, CELL, first))
    parts = [np.where(ranks == g, weights, 0.0).sum(axis=(1, 2, 3)) for g in range(len(GRADES))]
    out = np.stack(parts, axis=1)
    totals = out.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(out, totals, out=np.zeros_like(out), where=totals > 0))


class _Table:
    """Heads by kind of flow and grade, of the weakest factor or of the first."""

    def __init__(self, first: bool) -> None:
        self.first = first
        self.rows: dict[str, Floats] = {}

    def add(self, kind: str, heads: Floats) -> None:
        self.rows[kind] = self.rows.get(kind, np.zeros(len(GRADES))) + heads

    def one(self, kind: str, grade: int, heads: float) -> None:
        self.add(kind, np.eye(len(GRADES))[grade] * heads)


def evidence_shares(results: Results, first: bool = False) -> pd.DataFrame:
    """Share of the opening headcount and of the first year's flows that rests on each grade of evidence.

    Parameters
    ----------
    results : Results
        A run of at least one period; its central values are used.
    first : bool
        Count a product by its first factor, the table it starts from, and not by the weakest.

    Returns
    -------
    DataFrame
        One row for the opening headcount, one for each kind of flow, one for all flows; columns
        `heads` (people, or people a year) and the share of every grade of `GRADES`.

    Notes
    -----
    A grade says where a number comes from, not how far the results depend on it.
    """
    scenario, data = as_calibrated(results.scenario), results.central
    spacing = int(results.data.attrs.get("months_per_period", 1))
    year = data.isel(period=slice(0, YEAR // spacing))
    stock = opening_stock(scenario)
    table = _Table(first)
    jobs = scenario.stock.jobs_per_person
    counted = Cells(terms=(*scenario.stock.headcount.terms, *(jobs.terms if jobs else ())))
    ranks = cell_ranks(counted, scenario, ("post",), first)
    for p, heads in enumerate(stock.sum(axis=(1, 2, 3))):
        table.one("opening headcount", int(ranks[p]), float(heads))
    _exits(table, scenario, year, stock)
    _edges(table, scenario, year)
    _training(table, scenario, year)
    _arrivals(table, scenario, year)
    return _frame(table)


def _flow(data: Any, name: str) -> Any:
    """Flow of the year with all but its last axes added up, or None if the run has none."""
    return data[name].sum("period") if name in data else None


def _exits(table: _Table, scenario: Scenario, year: Any, stock: Floats) -> None:
    leavers, retirements = _flow(year, "leavers"), _flow(year, "retirements")
    for name, leaving in scenario.leaving.items():
        if leavers is not None:
            heads = leavers.sel(destination=name).values
            table.add("leaving", heads @ _shares_of_grades(leaving.rate, scenario, stock, table.first))
    if scenario.retirement is not None and retirements is not None:
        shares = _shares_of_grades(scenario.retirement.rate, scenario, stock, table.first)
        table.add("retirement", retirements.values @ shares)


def _edges(table: _Table, scenario: Scenario, year: Any) -> None:
    moves = _flow(year, "moves")
    if moves is None:
        return
    ranks: list[int] = []
    for section in (scenario.moves, scenario.promotions):
        overlaps = {(row.from_, row.to): row.share for row in getattr(section, "skills_overlap", ())}
        for edge in section.edges if section else ():
            known = [overlaps[edge.from_, edge.to]] if (edge.from_, edge.to) in overlaps else []
            assert section is not None
            ranks.append(rank(edge.rate, section.factor, *known, first=table.first))
    for pipeline in scenario.pipelines.values():
        if isinstance(pipeline, InternalPipeline):
            posts = [post.post for post in scenario.posts]
            grades = cell_ranks(pipeline.intake, scenario, ("post",), table.first)
            ranks += [int(grades[posts.index(route.from_)]) for route in pipeline.routes]
    for (_, _, kind), grade, heads in zip(edges_of(scenario), ranks, moves.values, strict=True):
        table.one("role changes" if kind == "role_change" else f"{kind}s", grade, float(heads))


def _point(series: Series, year: int) -> Value:
    """Return the point of a yearly series that holds in a year."""
    years = sorted(int(key) for key in series.points)
    return series.points[str(max((y for y in years if y <= year), default=years[0]))]


def _training(table: _Table, scenario: Scenario, year: Any) -> None:
    starts = _flow(year, "training_starts")
    for name, pipeline in scenario.pipelines.items():
        if isinstance(pipeline, ExternalPipeline):
            entrants = year["intake"].sel(stage=f"{name}: {pipeline.stages[0].name}")
            for date, heads in zip(entrants["period"].values, entrants.values, strict=True):
                point = _point(pipeline.intake.per_year, int(str(date)[:4]))
                table.one("training intake", GRADES.index(point.evidence), float(heads))
    internal = [p for p in scenario.pipelines.values() if isinstance(p, InternalPipeline)]
    if internal and starts is not None:
        grades = np.max([cell_ranks(p.intake, scenario, ("post",), table.first) for p in internal], axis=0)
        for grade, heads in zip(grades, starts.values, strict=True):
            table.one("training intake", int(grade), float(heads))


def _pipeline_rank(pipeline: Pipeline, start: int, first: bool) -> int:
    """Return the grade of the newly qualified of the first year: intake, retention, destinations."""
    assert isinstance(pipeline, ExternalPipeline)
    trained = start - round(sum(stage.months for stage in pipeline.stages) / 12.0)
    rows: Iterable[Row] = (row for term in pipeline.destinations.terms for row in term.rows)
    return rank(_point(pipeline.intake.per_year, trained), pipeline.retention, *rows, first=first)


def _arrivals(table: _Table, scenario: Scenario, year: Any) -> None:
    joiners, returns = _flow(year, "joiners"), _flow(year, "returns")
    n_posts = len(scenario.posts)
    if scenario.hiring is not None and joiners is not None:
        for source in scenario.hiring.sources:
            grades = np.full(n_posts, len(GRADES) - 1)
            if source.pipelines:
                pipelines = [scenario.pipelines[name] for name in source.pipelines]
                start = int(scenario.start[:4])
                grades[:] = max(_pipeline_rank(pipeline, start, table.first) for pipeline in pipelines)
            elif isinstance(source.supply, Cells):
                grades = cell_ranks(source.supply, scenario, ("post",), table.first)
            for grade, heads in zip(grades, joiners.sel(source=source.name).values, strict=True):
                table.one("hires", int(grade), float(heads))
        if scenario.hiring.opening_offers is not None:
            grades = cell_ranks(scenario.hiring.opening_offers, scenario, ("post",), table.first)
            for grade, heads in zip(grades, joiners.sel(source=EARLIER_OFFERS).values, strict=True):
                table.one("hires", int(grade), float(heads))
    for name, pool in scenario.pools.items():
        if returns is not None:
            grade = max(GRADES.index(row.evidence) for term in pool.return_rate.terms for row in term.rows)
            table.one("returns", grade, float(returns.sel(pool=name).sum()))


def _frame(table: _Table) -> pd.DataFrame:
    flows = [heads for kind, heads in table.rows.items() if kind != "opening headcount"]
    rows = {**table.rows, TOTAL: np.sum(flows, axis=0) if flows else np.zeros(len(GRADES))}
    out = []
    for heads in rows.values():
        total = float(heads.sum())
        out.append([total, *(heads / total if total else heads)])
    return pd.DataFrame(out, index=pd.Index(list(rows), name="rests on"), columns=["heads", *GRADES])


def evidence_text(results: Results, first: bool = False) -> str:
    """Return `evidence_shares` as lines of text: people and per cent."""
    shares = evidence_shares(results, first)
    used = [grade for grade in GRADES if shares[grade].any()]
    lines = [f"{'':<20}{'people':>8}" + "".join(f"{grade:>12}" for grade in used)]
    for kind, row in shares.iterrows():
        heads = f"{row['heads']:>8,.0f}"
        lines.append(f"{kind!s:<20}{heads}" + "".join(f"{row[grade]:>11.0%} " for grade in used))
    return "\n".join(lines)
