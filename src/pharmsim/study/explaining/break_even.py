"""Break-even: how large an effect that nobody has measured must be for an intervention to be worth it.

All claimed effects of an intervention are multiplied by one size k, from 0 upwards, and what it gains
over the run without it is followed. k = 1 is the effect as assumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from pharmsim.compiled.compile import compile_scenario
from pharmsim.compiled.draws import Draws
from pharmsim.errors import InputError
from pharmsim.quantities import ADJUSTABLE, KINDS
from pharmsim.results.labelled import Results
from pharmsim.scenario import programme
from pharmsim.scenario.interventions import Effect, Intervention, PlanChange, SupervisionChange
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.values import Value
from pharmsim.study.comparing.amounts import price_of_cover, since_start
from pharmsim.study.dates import month_of
from pharmsim.study.ensemble import HERE, How
from pharmsim.study.explaining import headline
from pharmsim.study.explaining.attribution import DRAWS
from pharmsim.study.explaining.crossing import Crossing, crossing
from pharmsim.study.explaining.grounds import Part, parts_of, size_of
from pharmsim.study.runs import run, shared

SIZES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0)
"""Sizes that are tried first, to see whether the response turns; the last is the most that is looked at."""
FLAT = 1e-9
"""Gains of less than this share of what the run without the intervention delivers or pays are none."""


@dataclass(frozen=True)
class Claim:
    """One claimed effect in the words and numbers of a board.

    Attributes
    ----------
    effect : str
        What changes.
    unit : str
        "%" for what is multiplied, "points" for shares, else the unit of the quantity.
    assumed, low, high : float
        The effect and its range in that unit; negative for less.
    """

    effect: str
    unit: str
    assumed: float
    low: float
    high: float

    @property
    def size(self) -> float:
        """What sizes are multiples of: the effect assumed; where that is none, the far end of its range."""
        return self.assumed or max(self.low, self.high, key=abs)

    def at(self, size: float) -> str:
        """The effect at a multiple of its size, "a fall of 2.1 %"."""
        return self._moved(size * self.size)

    def _moved(self, by: float) -> str:
        return f"a {'fall' if by < 0 else 'rise'} of {_number(abs(by))} {self.unit}"

    def as_assumed(self) -> str:
        """The effect as assumed with its range, the direction of `size` counting as positive."""
        low, high = sorted(np.sign(self.size) * np.array([self.low, self.high]))
        text = _number(abs(self.assumed)) if self.assumed else "none"
        if low < 0.0:
            ends = sorted((self.low, self.high), key=lambda end: end * self.size)
            return f"{text} (from {self._moved(ends[0])} to {self._moved(ends[1])})"
        return f"{text} ({_number(low)} to {_number(high)})" if high > low else text


def claimed(item: Intervention) -> list[Part]:
    """Effects of an intervention whose size nobody has measured."""
    return [part for part in parts_of(item) if part.claimed]


def claim_of(part: Part) -> Claim:
    """Words and numbers of one claimed effect."""
    value = size_of(part)
    if isinstance(part, PlanChange):
        effect, unit, zero, scale = f"time moved from {part.from_} to {part.to}", "points", 0.0, 100.0
    elif isinstance(part, SupervisionChange):
        effect, unit, zero, scale = "supervision taken over", "points", 0.0, 100.0
    else:
        effect = part.quantity.replace("_", " ") + (f" ({', '.join(part.of)})" if part.of else "")
        kind = KINDS[ADJUSTABLE[part.quantity].kind]
        unit, zero, scale = kind.unit, 0.0, 1.0
        if part.times is not None:
            unit, zero, scale = "%", 1.0, 100.0
        elif kind.high <= 1.0 or kind.unit == "per year":
            unit, scale = ("points" if kind.high <= 1.0 else "points a year"), 100.0
    ends = (
        value.value,
        value.value if value.low is None else value.low,
        value.value if value.high is None else value.high,
    )
    assumed, low, high = (round(scale * (x - zero), 9) for x in ends)
    return Claim(effect.replace("_", " "), unit, assumed, low, high)


def break_even(
    scenario: Scenario, draws: int | Draws = DRAWS, seed: int = 1, how: How = HERE
) -> pd.DataFrame:
    """Find the break-even size of every claimed effect of a scenario's interventions.

    Two things are asked of each intervention, beside the others: that no delivered FTE-year of the whole
    system is lost over the run, and that those it adds cost no more than temporary cover does (left out
    where nothing is paid for cover). All claimed effects of an intervention vary in proportion.

    Parameters
    ----------
    scenario : Scenario
    draws, seed, how
        As in `pharmsim.run`.

    Returns
    -------
    DataFrame
        One row for each claimed effect and thing asked: lever, effect, unit, assumed, low, high, bound ("at
        least", or "at most" of harm), break_even (at the central values), p5, median, p95 (of it, over
        draws; not a number if beyond what was tried), p_reached (share of draws in which nothing is lost
        with the effect as assumed), draws, criterion, found (in words).
    """
    items = [item for item in scenario.interventions if claimed(item)]
    if not items:
        return pd.DataFrame()
    table = shared(scenario, draws, seed)
    full = run(scenario, table, tags=False, warn=False, how=how)
    return pd.DataFrame([row for item in items for row in _rows(scenario, item, full, table, how)])


def _rows(
    scenario: Scenario, item: Intervention, full: Results, table: Draws, how: How
) -> list[dict[str, Any]]:
    """Rows of one intervention."""
    draws = table.n - 1
    sized = _without_ranges(scenario, item)

    def measured(changed: Scenario, rows: int = draws) -> Results:
        return run(changed, table.block(0, rows + 1), tags=False, warn=False, how=how)

    def at(size: float, rows: int = draws) -> Results:
        return measured(programme.with_claim(sized, {item.name: size}), rows)

    without = measured(programme.without(scenario, [item.name]))
    sizes = _possible(sized, item.name, table)
    tried = [_worth(at(size), without) for size in sizes]
    assumed = _worth(full, without)
    rows = []
    for asked, criterion in enumerate(_criteria(without)):
        gains = np.array([worth[asked] for worth in tried])
        nothing = FLAT * float(_worth(without)[asked][0])

        def central(size: float, asked: int = asked) -> float:
            return float(_worth(at(size, 0), without)[asked][0])

        found = crossing(sizes, gains, central, nothing)
        reached = float((assumed[asked][1:] >= -nothing).mean()) if draws else float("nan")
        for part in claimed(item):
            claim = claim_of(part)
            row: dict[str, Any] = {"lever": item.name, "effect": claim.effect, "unit": claim.unit}
            row |= {"assumed": claim.assumed, "low": claim.low, "high": claim.high}
            row |= {"bound": "at most" if found.harms else "at least"}
            row |= {"break_even": _finite(claim.size * found.size if claim.size else np.nan)}
            if draws:
                points = {name: claim.size * getattr(found, name) for name in ("p5", "median", "p95")}
                if claim.size < 0.0:
                    points["p5"], points["p95"] = points["p95"], points["p5"]
                row |= {name: _finite(point) for name, point in points.items()} | {"p_reached": reached}
            text = found_in_words(claim, found, len(claimed(item)) > 1, reached)
            rows.append(row | {"draws": draws, "criterion": criterion, "found": text})
    return rows


def _finite(x: float) -> float:
    """The same number; not a number where it is out of reach."""
    return x + 0.0 if np.isfinite(x) else float("nan")  # −0 becomes 0


def _worth(results: Results, without: Results | None = None) -> list[np.ndarray]:
    """Delivered FTE-years, and what they are worth at the price of cover less what everything costs.

    Parameters
    ----------
    results : Results
    without : Results, optional
        What to take the difference from; None gives the size of the numbers themselves.

    Returns
    -------
    list of ndarray, shape (draw,)
        One for each of `_criteria`.
    """
    data = results.data
    years, cost = _whole_run(data)
    price = price_of_cover(data if without is None else without.data)[: len(years)]
    if without is None:
        return [years, price * years + cost]
    before, spent = (numbers[: len(years)] for numbers in _whole_run(without.data))
    return [years - before, price * (years - before) - (cost - spent)]


def _whole_run(data: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """FTE-years delivered and GBP paid over the run, shape (draw,)."""
    end = data["time"].values[-1:]
    name = headline.delivered_quantity([data])
    years, cost = (since_start(data, quantity, end)[:, 0] for quantity in (name, "total_cost"))
    return years, cost


def _criteria(without: Results) -> list[str]:
    """What is asked, in words: the second only where temporary cover has a price in all draws."""
    price = price_of_cover(without.data)
    end = month_of(np.datetime64(without.scenario.end))
    asked = [f"no delivered FTE-year is lost until {end}"]
    if np.isfinite(price).all():
        asked.append(f"an additional delivered FTE-year costs no more than one of cover (£{price[0]:,.0f})")
    return asked


def _without_ranges(scenario: Scenario, item: Intervention) -> Scenario:
    """The scenario with the claimed effects of one intervention at `Claim.size` in all draws."""

    def plain(part: Any) -> Any:
        if not part.claimed:
            return part
        verbs = ("times", "plus", "to") if isinstance(part, Effect) else ("share",)
        verb = next(name for name in verbs if getattr(part, name) is not None)
        claim, value = claim_of(part), size_of(part)
        ends = {claim.low: value.low, claim.high: value.high}
        size = value.value if claim.assumed else ends.get(claim.size)
        return part.model_copy(update={verb: Value(value=value.value if size is None else size)})

    parts = {name: tuple(map(plain, getattr(item, name))) for name in ("effects", "job_plan", "supervision")}
    changed = item.model_copy(update=parts)
    items = tuple(changed if other.name == item.name else other for other in scenario.interventions)
    return scenario.model_copy(update={"interventions": items})


def _possible(scenario: Scenario, name: str, table: Draws) -> np.ndarray:
    """Sizes to try: `SIZES` as far as every number keeps its bounds, and the largest that does.

    The effect as assumed keeps them, or the scenario could not be run; the end of its range may not.
    """

    def fits(size: float) -> bool:
        changed = programme.with_claim(scenario, {name: size})
        try:
            compile_scenario(changed, table, tags=False)
        except InputError:
            return False
        return True

    high = SIZES[-1]
    if fits(high):
        return np.array(SIZES)
    low = 1.0 if fits(1.0) else 0.0
    while high - low > 0.02:
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return np.array([*(size for size in SIZES if size < low), low])


def found_in_words(
    claim: Claim, found: Crossing, together: bool = False, reached: float = float("nan")
) -> str:
    """What was found, as a board reads it.

    Parameters
    ----------
    claim : Claim
    found : Crossing
    together : bool
        Whether other claimed effects vary in proportion.
    reached : float
        Share of draws in which nothing is lost with the effect as assumed; not a number without draws.

    Returns
    -------
    str
    """
    if not claim.size:
        text = f"no size can be sought: no effect on {claim.effect} is assumed, and no range of it"
        return text + _chance(reached)
    text = _size_in_words(claim, found)
    points = [abs(claim.size) * size for size in (found.median, found.p5, found.p95)]
    if points[2] > 0.0 and np.isfinite(points[1]):
        middle, first, last = ("more than was tried" if np.isinf(x) else _number(x) for x in points)
        if first != last:
            text += f" at the central values; median over draws {middle} (90 %: {first} to {last})"
    text += f"; assumed: {claim.as_assumed()} for those who take part{_chance(reached)}"
    if together:
        text += ", with the other claimed effects in proportion"
    if found.others:
        also = ", ".join(_number(size) for size in found.others)
        text += f"; the gain passes zero again at {also} times {_basis(claim)}"
    elif found.turns:
        text += f"; the gain does not only {'fall' if found.harms else 'rise'} as the effect grows"
    return text


def _size_in_words(claim: Claim, found: Crossing) -> str:
    """The size at the central values."""
    most = f"{claim.at(found.most)} in {claim.effect} ({_number(found.most)} times {_basis(claim)})"
    if found.harms:
        if found.size == 0.0:
            return f"not within reach: not even without any effect on {claim.effect}"
        if np.isinf(found.size):
            return f"holds even with {most}"
        verb = "falls" if claim.size < 0 else "rises"
        by = f"{_number(abs(claim.size) * found.size)} {claim.unit}"
        return f"holds as long as {claim.effect} {verb} by less than {by}"
    if found.size == 0.0:
        return f"reached even without any effect on {claim.effect}"
    if np.isinf(found.size):
        return f"not within reach: not even with {most}"
    return f"needs {claim.at(found.size)} in {claim.effect}"


def _basis(claim: Claim) -> str:
    return "what is assumed" if claim.assumed else "the far end of its range"


def _chance(reached: float) -> str:
    """How often the effect as assumed is enough."""
    return "" if np.isnan(reached) else f"; as assumed it is enough in {100.0 * reached:.0f} % of draws"


def _number(x: float) -> str:
    """About three significant digits, without noughts at the end."""
    digits = next((n for n, least in enumerate((100.0, 10.0, 0.1)) if abs(x) >= least), 4)
    text = f"{x + 0.0:,.{digits}f}"  # −0 becomes 0
    return text.rstrip("0").rstrip(".") if "." in text else text
