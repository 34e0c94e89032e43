"""The level of levers that reaches a target, in words and tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmsim.report import style
from pharmsim.results.rows import by_chance, in_words, word
from pharmsim.scenario.interventions import Intervention
from pharmsim.scenario.values import Value
from pharmsim.study.solving.binding import shown
from pharmsim.study.solving.levers import UPTAKE, Lever
from pharmsim.study.solving.response import OVER
from pharmsim.study.solving.solve import LIKELY, MET, OUT, Answer, Solution
from pharmsim.study.solving.targets import Target

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

MONEY = "GBP per year"
EVIDENCE = ["lever", "effect", "value", "low", "high", "evidence", "claimed", "source"]
COSTS = {
    "programme_cost": "programme",
    "pay_bill": "pay",
    "cover_cost": "temporary cover",
    "backfill_cost": "backfill",
    "total_cost": "all together",
}


def day(date: np.datetime64) -> str:
    """The day whose end a month start is: "31 March 2028" for 1 April."""
    before = pd.Timestamp(date) - pd.Timedelta(days=1)
    return f"{before.day} {before.month_name()} {before.year}"


def value(number: float, target: Target) -> str:
    """A value of the target's quantity with its unit."""
    return value_in(number, target.of.unit)


def value_in(number: float, unit: str) -> str:
    """A value with its unit, which is one of those of `targets.QUANTITIES` and `targets.YEARLY`."""
    if np.isnan(number):
        return "–"
    if unit == MONEY:
        return f"£{number / 1e6:,.2f} million a year"
    if unit == "share":
        return f"{100.0 * number:.2f} %"
    return f"{number:.3f}" if unit == "ratio" else f"{number:,.1f} {unit}"


def change(number: float, target: Target) -> str:
    """A difference in the target's quantity with its unit."""
    return change_in(number, target.of.unit)


def change_in(number: float, unit: str) -> str:
    """A difference with its sign and unit."""
    if unit == MONEY:
        return f"{signed(number / 1e6, 2)} million a year".replace("+", "+£").replace("−", "−£")
    if unit == "share":
        return f"{signed(100.0 * number, 2)} points"
    return signed(number, 3) if unit == "ratio" else f"{signed(number, 1)} {unit}"


def signed(number: float, digits: int) -> str:
    """A number with its sign; nought has none."""
    text = f"{number:+,.{digits}f}"
    return text.replace("-", "−") if text.strip("+-0.") else text[1:]


def interval(spread: dict[str, float], target: Target) -> str:
    """The ends of the 90 % interval of changes."""
    low, high = (change(spread[name], target) for name in ("p5", "p95"))
    unit = "points" if target.of.unit == "share" else target.of.unit
    return f"{low.removesuffix(f' {unit}')} to {high}"


def subject(target: Target) -> str:
    """What the target is about and where."""
    where = [f"at the level {target.level}"] if target.level else []
    where += [", ".join(names) for names in (target.roles, target.environments) if names]
    return " · ".join([target.of.words, *where])


def wanted(target: Target) -> str:
    """What is to be reached."""
    if target.mode == "value":
        return f"{'at least' if target.sense > 0 else 'at most'} {value(target.amount, target)}"
    if target.mode == "plus":
        return f"{change(target.amount, target)} on what would be without the levers"
    return f"{100.0 * target.amount:+g} % of what would be without the levers"


def levels(solution: Solution, x: float) -> str:
    """Levels of all levers at a share of their way."""
    if np.isnan(x):
        return "at no level"
    every = [shown(lever, x) for lever in solution.levers]
    if len({*every}) > 1 or len({lever.unit == UPTAKE for lever in solution.levers}) > 1:
        return "; ".join(every)
    what = " uptake" if solution.levers[0].unit == UPTAKE else ""
    return f"{every[0]}{what}{' of each' if len(every) > 1 else ''}"


def headline(solution: Solution, answer: Answer) -> str:
    """The answer for one date in a few sentences of plain English."""
    target, at, of = solution.target, levels(solution, answer.x), word(solution.meta)
    kind = "the year " if target.level else "the stock of "
    where = f"By {day(answer.date)} ({kind}{answer.told})"
    if answer.status == MET:
        text = f"{where}: already met without more, {value(answer.value, target)} at {at}."
        until = [x for x, above in answer.crossings if not above]
        text += f" It no longer is above {levels(solution, until[0])}." if until else ""
    elif answer.status == OUT:
        text = f"{where}: out of reach. The most is {value(answer.value, target)} at {at}"
        text += f", {change(answer.value - answer.base, target)} on the base" if not answer.change else ""
        text += f" ({interval(answer.change, target)} on the base in 90 % of {of})." if answer.change else "."
    else:
        text = f"{where}: reached at {at} at the central values."
    if answer.spread:
        text += f" {_chances(solution, answer)}"
    if len(answer.crossings) > 1:
        all_ = ", ".join(
            f"{levels(solution, x)} ({'from' if above else 'until'})" for x, above in answer.crossings
        )
        text += f" The target is crossed more than once: {all_}."
    elif answer.turns:
        text += " The response turns back: more of the lever is not always more of the outcome."
    return text


def beyond_assumed(solution: Solution, answer: Answer) -> list[str]:
    """Uptakes found that are above what their interventions state as their range."""
    return [
        f"{lever.title}: {shown(lever, answer.x)} is above the uptake of {100 * lever.assumed[0]:g} to "
        f"{100 * lever.assumed[1]:g} % that is stated for it"
        for lever in solution.levers
        if lever.assumed is not None and lever.level(answer.x) > lever.assumed[1]
    ]


def _chances(solution: Solution, answer: Answer) -> str:
    """How likely the target is met, and from which level on in half and in four fifths of the draws."""
    of = word(solution.meta)
    text = f"There it is met in {answer.probability:.0%} of {solution.draws} {of}".replace("%", " %")
    if answer.status == OUT and answer.most == 0.0:
        return f"{text}, and at no level in any."
    parts = []
    for share in LIKELY:
        x = answer.likely[share]
        where = "at no level" if np.isnan(x) else f"from {levels(solution, x)}"
        parts.append(f"in {100 * share:.0f} % of them {where}")
    most = "" if not np.isnan(answer.likely[LIKELY[-1]]) else f" (at most in {100 * answer.most:.0f} %)"
    return f"{text}; {', '.join(parts)}{most}."


# -- evidence ---------------------------------------------------------------------------------------------


def evidence(solution: Solution) -> pd.DataFrame:
    """What the effects of the levers rest on: a row for each number, with its range, grade and source."""
    known = {item.name: item for item in solution.scenario.interventions}
    rows = []
    for lever in solution.levers:
        found = _effects(known[lever.name]) if lever.is_intervention else _present(lever)
        rows += [
            (lever.title, name, v.value, v.low, v.high, v.evidence, claimed, v.source)
            for name, v, claimed in found
        ]
    return pd.DataFrame(rows, columns=EVIDENCE).astype({"value": float, "low": float, "high": float})


def _effects(item: Intervention) -> Iterator[tuple[str, Value, bool]]:
    for effect in item.effects:
        for verb, number in (("=", effect.to), ("+", effect.plus), ("×", effect.times)):
            if number is not None:
                yield f"{effect.name}: {effect.quantity} {verb}", number, effect.claimed
    for part in item.job_plan:
        yield f"{part.name}: time from {part.from_} to {part.to}", part.share, part.claimed
    for duty in item.supervision:
        yield f"{duty.name}: share of supervising", duty.share, duty.claimed


def _present(lever: Lever) -> Iterator[tuple[str, Value, bool]]:
    """Numbers that stand at a key path now."""
    assert lever.place is not None
    node = lever.place.node
    if isinstance(node, Value):
        yield "now", node, False
        return
    for term in getattr(node, "terms", ()):
        for row in term.rows:
            cells = "; ".join(f"{axis} {', '.join(names)}" for axis, names in row.where.items())
            yield f"now{f', {cells}' if cells else ''}", row, False
    for date, number in getattr(node, "points", {}).items():
        yield f"now, {date}", number, False


# -- terminal ---------------------------------------------------------------------------------------------


def show(solution: Solution, console: Console, folder: Path | None = None) -> None:
    """Print the question, the answers, what they cost and what they rest on."""
    from rich.text import Text

    target = solution.target
    console.print(Text(f"{subject(target)}: {wanted(target)}", style="bold"))
    names = ", ".join(
        f"{lever.title} ({shown(lever, 0.0)} to {shown(lever, 1.0)})" for lever in solution.levers
    )
    console.print(Text(f"Levers{', moved together' if len(solution.levers) > 1 else ''}: {names}"))
    if by_chance(solution.meta):
        console.print(Text(in_words(solution.meta, solution.draws)))
    for note in solution.notes:
        console.print(Text(note))
    for answer in solution.answers:
        console.print()
        console.print(Text(headline(solution, answer)))
        for line in beyond_assumed(solution, answer):
            console.print(Text(f"  note: {line}"))
        for line in answer.binds:
            console.print(Text(f"  what binds: {line}"))
    console.print()
    console.print(_table(solution))
    costs = _costs(solution)
    if costs.row_count:
        console.print(costs)
    console.print(_grounds(solution))
    for warning in solution.meta.get("warnings") or []:
        console.print(Text(f"warning: {warning}", style="yellow"))
    if folder is not None:
        console.print(Text(f"files: {folder}"))


def _new(title: str, *columns: str) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title, style="bold"), title_justify="left", caption_justify="left")
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i else "left")
    return table


def _table(solution: Solution) -> Table:
    """Values at the start, without the levers and at the level found, a column for each date."""
    from rich.text import Text

    target, answers = solution.target, solution.answers
    table = _new("The target", "", *(f"by {day(answer.date)}" for answer in answers))

    def row(name: str, cells: list[str]) -> None:
        table.add_row(Text(name), *map(Text, cells))

    row(f"at the start ({answers[0].start_told})", [value(answer.start, target) for answer in answers])
    row("without the levers", [value(answer.base, target) for answer in answers])
    row("to be reached", [value(answer.goal, target) for answer in answers])
    row("", [answer.status for answer in answers])
    for lever in solution.levers:
        row(lever.title, [shown(lever, answer.x) for answer in answers])
    row("reached there", [value(answer.value, target) for answer in answers])
    if solution.draws:
        of = word(solution.meta)
        row(f"  90 % of {of}", [_between(answer.spread, target, "p5", "p95") for answer in answers])
        row(f"  50 % of {of}", [_between(answer.spread, target, "p25", "p75") for answer in answers])
        row(
            "difference the levers make, median",
            [change(answer.change["median"], target) for answer in answers],
        )
        row(f"  90 % of {of}", [interval(answer.change, target) for answer in answers])
        row("probability of meeting it there", [f"{100 * answer.probability:.0f} %" for answer in answers])
        for share in LIKELY:
            row(
                f"level for {100 * share:.0f} %",
                [levels(solution, answer.likely[share]) for answer in answers],
            )
    else:
        row("difference the levers make", [change(answer.value - answer.base, target) for answer in answers])
    row("change since the start", [change(answer.value - answer.start, target) for answer in answers])
    return table


def _between(spread: dict[str, float], target: Target, low: str, high: str) -> str:
    return f"{value(spread[low], target)} to {value(spread[high], target)}"


def _costs(solution: Solution) -> Table:
    """What the levers cost at the level found, a column for the last year and one since the start."""
    from rich.text import Text

    spans = [
        (i, over)
        for i, a in enumerate(solution.answers)
        for over in OVER
        if over in {*a.costs.get("over", ())}
    ]
    names = dict(zip(OVER, ("a year", "since the start"), strict=True))
    heads = [f"{names[over]}, {day(solution.answers[i].date)}" for i, over in spans]
    table = _new("What the levers cost at that level, £ thousand more than without them", "", *heads)
    rows = [{(row["item"], row["over"]): row for row in a.costs.to_dict("records")} for a in solution.answers]
    for item, name in COSTS.items():
        found = [rows[i].get((item, over), {}) for i, over in spans]
        if any(map(_is_money, found)):
            table.add_row(Text(name), *(Text(_money(row)) for row in found))
    if solution.draws:
        table.caption = f"median; second lines: 5 to 95 % of {word(solution.meta)}"
    return table


def _is_money(row: dict[Any, Any]) -> bool:
    return any(row.get(name) for name in ("central", "p5", "p95"))


def _money(row: dict[Any, Any]) -> str:
    if "median" not in row:
        return signed(row["central"] / 1e3, 0)
    middle, low, high = (signed(row[name] / 1e3, 0) for name in ("median", "p5", "p95"))
    return f"{middle}\n{low} to {high}"


def _grounds(solution: Solution) -> Table:
    """What the effects of the levers rest on."""
    from rich.text import Text

    table = _new("What this rests on", "effect", "number", "range", "evidence")
    frame = evidence(solution)
    table.caption = f"{(frame['evidence'] == 'assumption').sum()} of {len(frame)} are assumptions"
    for row in frame.to_dict("records"):
        span = "–" if np.isnan(row["low"]) else f"{row['low']:g} to {row['high']:g}"
        claimed = " (claimed benefit)" if row["claimed"] else ""
        name = f"{row['lever']}, {row['effect']}{claimed}"
        table.add_row(*map(Text, (style.shorten(name, 70), f"{row['value']:g}", span, str(row["evidence"]))))
    return table
