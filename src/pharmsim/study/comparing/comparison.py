"""Comparing scenarios with a base under the same draws.

One table of draws holds the uncertainties of all of them, so that scenarios that share an uncertainty share
its draws: a difference is taken draw by draw, and what is uncertain in both cancels out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from pharmsim.compiled.draws import EXPECTED, Draws, Engine, sample
from pharmsim.compiled.draws import names as uncertainties
from pharmsim.errors import InputError, Problem, ScenarioError
from pharmsim.results.axes import month_starts
from pharmsim.results.labelled import Results
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.text import FormError
from pharmsim.study.comparing import intervals
from pharmsim.study.comparing.costs import costs, pair
from pharmsim.study.comparing.displacement import displacement
from pharmsim.study.comparing.flows import Flow
from pharmsim.study.comparing.kinds import Cell
from pharmsim.study.comparing.lever_table import lever_table
from pharmsim.study.comparing.outcomes import Measure, Outcomes, outcomes
from pharmsim.study.comparing.unlike import unlike
from pharmsim.study.dates import STRATEGY_END, read_date
from pharmsim.study.ensemble import HERE, How
from pharmsim.study.runs import run as run_scenario
from pharmsim.study.runs import told_of_idle

DRAWS = 256
"""Draws of a comparison."""
YEARS = (2, 5, 10)
"""Years after the start at which differences are shown, besides `STRATEGY_END` and the end."""
MEASURED = 0.1
"""Seconds that the numbers of a run take, about, besides running it."""


@dataclass(frozen=True)
class Comparison:
    """Scenarios beside a base, under the same draws.

    Attributes
    ----------
    base : Outcomes
    others : tuple of Outcomes
    names : tuple of str
        Names of the others, made unique.
    dates : ndarray of datetime64
        Dates of the differences.
    draws : Draws
        The table that all of them share.
    tables : dict of DataFrame
        By the name of their file: differences, trajectories, flows, displacement, costs, levers;
        empty ones are left out. Columns median, p5, p25, p75 and p95 are there if there are draws.
    warnings : tuple of str
        What a scenario and the base do not share (`unlike`), and what could not be explained.
    """

    base: Outcomes
    others: tuple[Outcomes, ...]
    names: tuple[str, ...]
    dates: np.ndarray
    draws: Draws
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @property
    def differences(self) -> pd.DataFrame:
        """Differences by quantity, date, role and environment.

        scenario, date, year_from (when the year, or the run, began), quantity, level, role,
        environment, unit, base, value (both at the central values), difference, median, p5, p25, p75,
        p95 and p_better over draws, over. A post that one of the two lacks has nobody and no
        vacancy there. With replicates of an engine of chance: from_chance, the share of the variance of
        the difference that is chance.
        """
        return self.tables["differences"]


def compare(
    base: Scenario,
    others: Sequence[Scenario],
    draws: int = DRAWS,
    seed: int = 1,
    dates: Sequence[Any] | None = None,
    run: Callable[..., Results] | None = None,
    how: How = HERE,
    engine: Engine = EXPECTED,
) -> Comparison:
    """Run scenarios under the same draws and take their differences from a base.

    Parameters
    ----------
    base : Scenario
    others : sequence of Scenario
    draws, seed : int
        As in `pharmsim.run`; the same for all. Without any range in them, only the central values are run.
    dates : sequence of dates, optional
        By default 31 March 2028, 2, 5 and 10 years after the start, and the end. Stocks stand on the last
        date of the run on or before each; flows and retention are those of the year ending on or before it.
    run : callable, optional
        Runs a scenario as `pharmsim.run` does (the default); `draws` is the shared table.
    how : How
        A folder holds one more for each scenario, numbered from 1; what is complete there is not run again.
    engine : Engine

    Returns
    -------
    Comparison

    Raises
    ------
    ScenarioError
        If the scenarios do not cover the same months.
    InputError
        If there are ranges and fewer than 20 draws, or a date is not in the run.
    """
    _same_months(base, others)
    table = sample([base, *others], _enough([base, *others], draws, engine), seed, engine)
    at: np.ndarray | None = None
    measured: list[Outcomes] = []
    for k, scenario in enumerate((base, *others), 1):
        more: dict[str, Any] = {} if run else {"how": how.numbered(k)}
        results = (run or _run)(scenario, draws=table, seed=seed, **more)
        at = chosen_dates(results.data.variables["time"].values, dates) if at is None else at
        measured.append(outcomes(results, at))
        del results  # one run in memory at a time
    assert at is not None
    first, rest = measured[0], tuple(measured[1:])
    names = unique_names([other.name for other in others])
    told = [text for name, other in zip(names, rest, strict=True) for text in unlike(name, first, other)]
    return Comparison(first, rest, names, at, table, _tables(first, rest, names), tuple(told))


def explained(compared: Comparison, how: How = HERE) -> Comparison:
    """Return the comparison with tables of what each intervention adds (see `explain.tables`)."""
    from pharmsim.study.explaining import explain

    base, others = compared.base, [other.scenario for other in compared.others]
    more, told = explain.tables(
        base.scenario, others, compared.names, compared.dates, compared.draws, how=how
    )
    warnings = (*compared.warnings, *told)
    return replace(compared, tables={**compared.tables, **more}, warnings=warnings)


def time_to_explain(compared: Comparison) -> float:
    """Estimate the seconds that `explained` takes, from those that the runs took."""
    from pharmsim.study.explaining import explain

    last = compared.others[-1]  # the first may have waited for the engine
    draws = min(last.n_draws, explain.DRAWS)
    each = last.meta["wall_time_s"] * (draws + 1) / (last.n_draws + 1)
    runs = explain.ensembles(compared.base.scenario, [other.scenario for other in compared.others])
    return float(runs * (each + MEASURED))


def _same_months(base: Scenario, others: Sequence[Scenario]) -> None:
    problems = []
    for other in others:
        if (other.start, other.end) != (base.start, base.end):
            message = (
                f"must run from {base.start} to {base.end} like {base.name}; runs from {other.start} to "
            )
            message += f"{other.end}. Give both the same start and end."
            problems.append(Problem(other.name, 0, "end", message))
    if problems:
        raise ScenarioError(problems)


def _enough(scenarios: Iterable[Scenario], draws: int, engine: Engine = EXPECTED) -> int:
    """The draws to run: none where nothing has a range; too few rows are an error."""
    ranged = any(uncertainties(scenario) for scenario in scenarios)
    draws = draws if ranged else 0
    if engine.by_chance:
        rows = max(draws, 1) * engine.replicates
        if rows < intervals.FEWEST:
            raise InputError(
                f"--replicates — must make at least {intervals.FEWEST} rows, draws × replicates, for no "
                f"difference is shown without its interval — got {rows} — type --replicates {DRAWS}"
            )
        return draws
    if not ranged:
        return 0
    if draws < intervals.FEWEST:
        raise InputError(
            f"draws — must be at least {intervals.FEWEST}, for inputs have ranges and no difference is shown "
            f"without its interval — got {draws} — type --draws {DRAWS}"
        )
    return draws


def _tables(base: Outcomes, others: Sequence[Outcomes], names: Sequence[str]) -> dict[str, pd.DataFrame]:
    pairs = list(zip(names, others, strict=True))
    parts = {
        "differences": [_differences(name, base, other) for name, other in pairs],
        "trajectories": [_values(base), *(_trajectories(name, base, other) for name, other in pairs)],
        "flows": [_flows(name, base, other) for name, other in pairs],
        "displacement": [displacement(name, base, other) for name, other in pairs],
        "costs": [costs(name, base, other) for name, other in pairs],
        "levers": [lever_table(name, other.scenario) for name, other in pairs],
    }
    tables = {}
    for name, frames in parts.items():
        filled = [frame for frame in frames if len(frame)]
        if filled:
            tables[name] = pd.concat(filled, ignore_index=True)
    return tables


# -- tables -------------------------------------------------------------------------------------------------


def _long(measure: Measure, cells: Sequence[Cell], **columns: Any) -> pd.DataFrame:
    """One row for each cell and date, with columns of numbers of that shape (cell, date)."""
    n, m = len(cells), len(measure.dates)
    since = np.full(m, np.datetime64("NaT", "ns")) if measure.since is None else measure.since
    found = {
        "date": np.tile(measure.dates, n),
        "year_from": np.tile(since, n),
        "quantity": measure.quantity,
        "level": measure.level,
        "role": np.repeat([role for role, _ in cells], m),
        "environment": np.repeat([environment for _, environment in cells], m),
        "unit": measure.unit,
    }
    return pd.DataFrame({**found, **{name: np.reshape(values, -1) for name, values in columns.items()}})


def _differences(name: str, base: Outcomes, other: Outcomes) -> pd.DataFrame:
    """All differences of one scenario."""
    frames = []
    for key in dict.fromkeys([*base.measures, *other.measures]):
        old, new = pair(base, other, key)
        if old is None or new is None:
            continue
        if old.quantity == "vacancy_fte":
            old, new = _with_none(old, new, base), _with_none(new, old, other)
        cells = list(dict.fromkeys([*old.cells, *new.cells]))
        if not cells:
            continue
        moved = intervals.difference(old, new, cells)
        frame = _long(
            old,
            cells,
            base=intervals.values(old, cells)[0],
            value=intervals.values(new, cells)[0],
            difference=moved[0],
            **intervals.spread(moved),
            p_better=intervals.p_better(old.quantity, moved),
            **_by_chance(base, moved),
        )
        frames.append(frame.assign(over=old.over))
    found = pd.concat(frames, ignore_index=True)
    found.insert(0, "scenario", name)
    return found


def _by_chance(run: Outcomes, moved: np.ndarray) -> dict[str, np.ndarray]:
    """Column of the share of the spread that is chance, where a run has replicates to tell it."""
    replicates = int(run.meta.get("replicates") or 1)
    return {"from_chance": intervals.from_chance(moved, replicates)} if replicates > 1 else {}


def _with_none(measure: Measure, like: Measure, run: Outcomes) -> Measure:
    """The measure with zeros for cells of the other run in which this one has no post (not: no limit)."""
    none = {cell: np.zeros_like(numbers) for cell, numbers in like.cells.items() if cell not in run.cells}
    return replace(measure, cells={**none, **measure.cells})


def _values(run: Outcomes) -> pd.DataFrame:
    """Trajectories of the base itself."""
    frames = []
    for measure in run.trajectories.values():
        cells = list(measure.cells)
        if cells:
            numbers = intervals.values(measure, cells)
            frames.append(_long(measure, cells, central=numbers[0], **intervals.spread(numbers)))
    found = pd.concat(frames, ignore_index=True).drop(columns="year_from")
    found.insert(0, "scenario", "")
    return found


def _trajectories(name: str, base: Outcomes, other: Outcomes) -> pd.DataFrame:
    """Trajectories of a scenario, and of its difference from the base."""
    frames = []
    for key, new in other.trajectories.items():
        old, _ = pair(base, other, key, along=True)
        cells = list(new.cells)
        if old is None or not cells:
            continue
        numbers, moved = intervals.values(new, cells), intervals.difference(old, new, cells)
        more = {"central": moved[0], **intervals.spread(moved)}
        more = {f"difference_{column}": values for column, values in more.items()}
        frames.append(_long(new, cells, central=numbers[0], **intervals.spread(numbers), **more))
    found = pd.concat(frames, ignore_index=True).drop(columns="year_from")
    found.insert(0, "scenario", name)
    return found


def _flows(name: str, base: Outcomes, other: Outcomes) -> pd.DataFrame:
    """Who moves where over the whole run; flows that neither run has are left out."""
    shape = np.zeros(base.n_draws + 1)
    rows = []
    for flow in dict.fromkeys([*base.flows, *other.flows]):
        old, new = (run.flows.get(flow, shape) for run in (base, other))
        if not old.any() and not new.any():
            continue
        moved = intervals.less(new, old)
        central = {"base": old[0], "value": new[0], "difference": moved[0]}
        rows.append({**_named(flow), **central, **intervals.spread(moved)})
    found = pd.DataFrame(rows)
    found.insert(0, "scenario", name)
    return found


def _named(flow: Flow) -> dict[str, str]:
    return {"from": flow.from_, "to": flow.to, "from_kind": flow.from_kind, "to_kind": flow.to_kind}


def _run(scenario: Scenario, draws: Draws, seed: int, how: How) -> Results:
    return told_of_idle(run_scenario(scenario, draws=draws, seed=seed, how=how))


def unique_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names with a number behind those that occur again."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        found.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(found)


def chosen_dates(times: np.ndarray, dates: Sequence[Any] | None = None) -> np.ndarray:
    """Month starts of the differences, in order.

    Parameters
    ----------
    times : ndarray of datetime64
        Of the run.
    dates : sequence of dates, optional
        Texts as in `study.dates.read_date`; each stands for the last month start on or before it. By default
        31 March 2028, 2, 5 and 10 years after the start, and the end.
    """
    if dates is None:
        start = str(times[0].astype("datetime64[M]"))
        wanted = [*month_starts(start, max(YEARS) + 1, 12)[list(YEARS)], read_date(STRATEGY_END)]
        dates = [*(date for date in wanted if times[0] < date < times[-1]), times[-1]]
    first, last = (np.datetime_as_string(time, "D") for time in (times[0], times[-1]))
    found, wrong = [], []
    for asked in dates:
        try:
            date = read_date(asked) if isinstance(asked, str) else np.datetime64(asked).astype(times.dtype)
        except FormError as error:
            wrong.append(f"dates — {error}")
            continue
        if not times[0] < date <= times[-1]:
            rule = f"must be after the start, {first}, and not after the end, {last}"
            wrong.append(f"dates — {rule} — got {asked} — give another date, or run longer")
        found.append(date)
    if wrong:
        raise InputError("\n".join(wrong))
    return np.asarray(times[np.unique(np.searchsorted(times, np.array(found), side="right") - 1)])
