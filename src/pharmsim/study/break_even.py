"""Break-even: how large an effect that nobody has measured must be for an intervention to be worth it.

All claimed effects of an intervention are multiplied by one size k, from 0 upwards, and what it gains
over the run without it is followed. k = 1 is the effect as assumed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pharmsim.compiled.compile import compile_scenario
from pharmsim.compiled.draws import sample
from pharmsim.errors import InputError
from pharmsim.quantities import ADJUSTABLE, KINDS
from pharmsim.results.labelled import Results
from pharmsim.scenario import programme
from pharmsim.scenario.interventions import Effect, Intervention, PlanChange, SupervisionChange
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.values import Value
from pharmsim.study import headline
from pharmsim.study.attribution import DRAWS
from pharmsim.study.crossing import Crossing, crossing
from pharmsim.study.dates import month_of
from pharmsim.study.grounds import Part, parts_of, size_of
from pharmsim.study.runs import run

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

    def at(self, size: float) -> str:
        """The effect at a multiple of its assumed size, "a fall of 2.1 %"."""
        return (
            f"a {'fall' if self.assumed < 0 else 'rise'} of {_number(size * abs(self.assumed))} {self.unit}"
        )


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


def break_even(scenario: Scenario, draws: int = DRAWS, seed: int = 1) -> pd.DataFrame:
    """Find the break-even size of every claimed effect of a scenario's interventions.

    Two things are asked of each intervention, beside the others: that no delivered FTE-year of the whole
    system is lost over the run, and that those it adds cost no more than temporary cover does (left out
    where nothing is paid for cover). All claimed effects of an intervention vary in proportion.

    Parameters
    ----------
    scenario : Scenario
    draws, seed : int
        As in `pharmsim.run`.

    Returns
    -------
    DataFrame
        One row for each claimed effect and thing asked: lever, effect, unit, assumed, low, high,
        break_even (at the central values), p5, p95 (of it, over draws; not a number if out of reach),
        p_reached (share of draws in which the effect as assumed is enough), draws, criterion, found
        (in words).
    """
    items = [item for item in scenario.interventions if claimed(item)]
    if not items:
        return pd.DataFrame()
    full = run(scenario, draws=draws, seed=seed, tags=False)
    return pd.DataFrame([row for item in items for row in _rows(scenario, item, full, seed)])


def _rows(scenario: Scenario, item: Intervention, full: Results, seed: int) -> list[dict[str, Any]]:
    """Rows of one intervention."""
    draws = full.data.sizes["draw"] - 1
    sized = _without_ranges(scenario, item)
    without = run(programme.without(scenario, [item.name]), draws=draws, seed=seed, tags=False)

    def at(size: float, rows: int = draws) -> Results:
        return run(programme.with_claim(sized, {item.name: size}), draws=rows, seed=seed, tags=False)

    sizes = _possible(sized, item.name, draws, seed)
    tried = [_worth(at(size), without) for size in sizes]
    assumed = _worth(full, without)
    rows = []
    for asked, criterion in enumerate(_criteria(without)):
        gains = np.array([worth[asked] for worth in tried])
        nothing = FLAT * float(_worth(without)[asked][0])

        def central(size: float, asked: int = asked) -> float:
            return float(_worth(at(size, 0), without)[asked][0])

        found = crossing(sizes, gains, central, nothing)
        for part in claimed(item):
            claim = claim_of(part)
            row: dict[str, Any] = {"lever": item.name, "effect": claim.effect, "unit": claim.unit}
            row |= {"assumed": claim.assumed, "low": claim.low, "high": claim.high}
            row |= {"break_even": _finite(claim.assumed * found.size)}
            if draws:
                ends = sorted((claim.assumed * found.p5, claim.assumed * found.p95))
                row |= dict(zip(("p5", "p95"), map(_finite, ends), strict=True))
                row |= {"p_reached": float((assumed[asked][1:] >= -nothing).mean())}
            text = found_in_words(claim, found, len(claimed(item)) > 1)
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
    years = headline.fte_years(data)[:, -1]
    cost = headline.since_start(data, headline.spent(data))[:, -1]
    price = headline.price_of_cover(data if without is None else without.data)[: len(years)]
    if without is None:
        return [years, price * years + cost]
    n = len(years)
    before = headline.fte_years(without.data)[:n, -1]
    spent = headline.since_start(without.data, headline.spent(without.data))[:n, -1]
    return [years - before, price * (years - before) - (cost - spent)]


def _criteria(without: Results) -> list[str]:
    """What is asked, in words: the second only where temporary cover has a price in all draws."""
    price = headline.price_of_cover(without.data)
    end = month_of(np.datetime64(without.scenario.end))
    asked = [f"no delivered FTE-year is lost until {end}"]
    if np.isfinite(price).all():
        asked.append(f"an additional delivered FTE-year costs no more than one of cover (£{price[0]:,.0f})")
    return asked


def _without_ranges(scenario: Scenario, item: Intervention) -> Scenario:
    """The scenario with the claimed effects of one intervention at their central values in all draws."""

    def plain(part: Any) -> Any:
        if not part.claimed:
            return part
        sizes = ("times", "plus", "to") if isinstance(part, Effect) else ("share",)
        values = {name: getattr(part, name) for name in sizes}
        return part.model_copy(
            update={name: Value(value=v.value) for name, v in values.items() if v is not None}
        )

    parts = {name: tuple(map(plain, getattr(item, name))) for name in ("effects", "job_plan", "supervision")}
    changed = item.model_copy(update=parts)
    items = tuple(changed if other.name == item.name else other for other in scenario.interventions)
    return scenario.model_copy(update={"interventions": items})


def _possible(scenario: Scenario, name: str, draws: int, seed: int) -> np.ndarray:
    """Sizes to try: `SIZES` as far as every number keeps its bounds, and the largest that does.

    The effect as assumed keeps them, or the scenario could not be run.
    """

    def fits(size: float) -> bool:
        changed = programme.with_claim(scenario, {name: size})
        try:
            compile_scenario(changed, sample(changed, draws, seed), tags=False)
        except InputError:
            return False
        return True

    low, high = 1.0, SIZES[-1]
    if fits(high):
        return np.array(SIZES)
    while high - low > 0.02:
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return np.array([*(size for size in SIZES if size < low), low])


def found_in_words(claim: Claim, found: Crossing, together: bool = False) -> str:
    """What was found, as a board reads it.

    Parameters
    ----------
    claim : Claim
    found : Crossing
    together : bool
        Whether other claimed effects vary in proportion.

    Returns
    -------
    str
    """
    if found.size == 0.0:
        text = f"reached even without any effect on {claim.effect}"
    elif np.isinf(found.size):
        most = f"{_number(found.most)} times what is assumed"
        text = f"not within reach: not even with {claim.at(found.most)} in {claim.effect} ({most})"
    else:
        text = f"needs {claim.at(found.size)} in {claim.effect}"
    ends = [abs(claim.assumed) * size for size in (found.p5, found.p95)]
    if found.p95 > 0.0 and np.isfinite(found.p5):
        first, last = ("more than was tried" if np.isinf(end) else _number(end) for end in ends)
        text += f" (90 % of draws: {first} to {last})"
    low, high = sorted(np.sign(claim.assumed) * np.array([claim.low, claim.high]))  # below 0: the other way
    text += f"; assumed: {_number(abs(claim.assumed))}"
    text += f" ({_number(low)} to {_number(high)})" if high > low else ""
    text += " for those who take part"
    if together:
        text += ", with the other claimed effects in proportion"
    if found.others:
        also = ", ".join(_number(size) for size in found.others)
        text += f"; the gain passes zero again at {also} times what is assumed"
    elif found.turns:
        text += "; the gain does not only rise as the effect grows"
    return text


def _number(x: float) -> str:
    """About three significant digits, without noughts at the end."""
    digits = next((n for n, least in enumerate((100.0, 10.0, 0.1)) if abs(x) >= least), 4)
    text = f"{x + 0.0:,.{digits}f}"  # −0 becomes 0
    return text.rstrip("0").rstrip(".") if "." in text else text
