"""Tables of the HTML report that explain a difference: levers' parts, sizes needed, evidence."""

from __future__ import annotations

from typing import Any

import pandas as pd

from pharmsim.report.html import headline, text
from pharmsim.report.html.data import ResultsFolder, without_gaps
from pharmsim.report.html.headline import records
from pharmsim.report.html.tables import GRADES, Cell, Table, cells, difference, named, spread_note


def attribution(read: ResultsFolder, scenario: str) -> Table:
    """What each lever contributes to the difference in time, and their interaction."""
    frame = headline.parts_of(read, scenario)
    if frame.empty:
        return Table("", [])
    rows = []
    for row in records(frame):
        alone = row["alone"]
        scale = text.Scale(str(row["unit"]), [alone])
        known = Cell("–" if pd.isna(alone) else scale.number(float(alone), True))
        error = [Cell(text.plain(row["error"]))] if _sampled(frame) else []
        rows.append([Cell(headline.lever(read, scenario, row["lever"])), difference(row), known, *error])
    first = records(frame)[0]
    what = named(str(first["quantity"]), str(first["unit"]))
    caption = f"{what}, {text.day(first['date'])}: what each lever contributes (Shapley values). "
    caption += f"{spread_note(read, frame)}. In every one the levers add up to the total. "
    caption += "Interaction: the total less what each does alone"
    heads = ["Lever", "Part of the difference", "Alone, central value"]
    heads += ["Error of sampling"] if _sampled(frame) else []
    return Table(f"{caption}. {_method(read, frame)}", heads, rows)


def _sampled(frame: pd.DataFrame) -> bool:
    return "sampled" in set(frame.get("method", ()))


def _method(read: ResultsFolder, frame: pd.DataFrame) -> str:
    """How many draws the attribution has, and whether it goes through all orders of the levers."""
    how = "a sample of the orders in which levers can come" if _sampled(frame) else "all orders of the levers"
    if "draws" not in frame:
        return f"Method: {how}"
    n, whole = int(frame["draws"].max()), int(read.made.get("n_draws") or 0)
    other = "" if n == whole else f" (not the {whole:,} of the comparison, so that totals differ a little)"
    return f"Method: {how}; {n:,} {read.rows}{other}"


def break_even(read: ResultsFolder, scenario: str) -> Table:
    """How large an effect must be to be worth its while, beside what is assumed."""
    rows = []
    for row in records(without_gaps(read.of("break_even", scenario))):
        unit = str(row.get("unit", ""))
        assumed, least = (
            nothing if row.get(name, "") == "" else f"{text.plain(row[name])} {unit}"
            for name, nothing in (("assumed", "–"), ("break_even", MORE))
        )
        if row.get("bound") == "at most":  # a claim of harm: what can be borne
            least = f"at most {least}" if least != MORE else f"none: {MORE} can be borne"
        low, high = (row.get(name, "") for name in ("low", "high"))
        span = f"{text.plain(low)} to {text.plain(high)}" if "" not in (low, high) else ""
        reached = text.share(float(row["p_reached"])) if row.get("p_reached", "") != "" else "–"
        lever = Cell(headline.lever(read, scenario, row["lever"]), str(row["effect"]))
        asked = text.tidy(str(row["criterion"]))
        rows.append(cells(lever, asked, Cell(least, _tried(row)), Cell(assumed, span), reached))
    heads = ["Lever and effect", "What is asked", "Needed (central value)", "Assumed"]
    return Table(
        "Break-even: the size an unmeasured effect must have, for those who take part; below it the median "
        f"and the interval that holds 90 % of the {read.rows}",
        [*heads, f"Share of the {read.rows} in which that is enough"], rows, False,
    )  # fmt: skip


MORE = "more than was tried"


def _tried(row: dict[Any, Any]) -> str:
    """Median and interval of a size that is needed; what no size reaches has no number."""
    if not row.get("draws"):
        return ""
    ends = [row.get(name, "") for name in ("p5", "p95")]
    if float(row.get("assumed") or row.get("low") or 0.0) < 0.0:  # the larger, the further below zero
        ends.reverse()
    near, far = (MORE if end == "" else text.plain(end) for end in ends)
    said = f"{near} to {far}" if near != far else MORE + " in most cases" if far == MORE else near
    middle = row.get("median", "")
    return said if middle == "" else f"median {text.plain(middle)} ({said})"


def grounds(read: ResultsFolder, scenario: str) -> Table:
    """Share of the differences that rests on effects of each grade of evidence."""
    frame = read.of("grounds", scenario)
    if frame.empty:
        return Table("", [])
    grades = [grade for grade in GRADES if grade in set(frame["grade"])]
    grades += [grade for grade in dict.fromkeys(frame["grade"]) if grade not in GRADES]
    rows = []
    for (quantity, over, date), part in frame.groupby(["quantity", "over", "date"], sort=False):
        by = dict(zip(part["grade"], part["share"], strict=True))
        since = ", since the start" if over == "cumulated" else ""
        name = f"{text.words(str(quantity))}{since}, {text.day(date)}"
        rows.append(cells(name, *(text.share(by.get(grade, float("nan"))) for grade in grades)))
    return Table("What the difference rests on, by the evidence of the effects (central values)",
                 ["Difference", *map(text.words, grades)], rows)  # fmt: skip
