"""How sure a choice is, in words: from the tables of `study.deciding`, or the same read from a folder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from pharmsim.report import style
from pharmsim.report.html.text import Scale, day, inside, joined, share, words
from pharmsim.study.deciding.decide import ALL, BASE

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

Tables = Mapping[str, pd.DataFrame]
Row = dict[Any, Any]
TITLE = "How sure is the choice?"
ENOUGH = 256
"""Draws without which what is worth knowing is only a first look: the intervals are too narrow."""
RULES = 2
"""Rules on when a scenario fails that are said, at most; all are in the table."""
SHOWN = 5
"""Uncertainties to measure next that are named in a sentence, at most."""


def objectives(tables: Tables) -> list[str]:
    """What the scenarios are judged by; none without a choice."""
    return list(dict.fromkeys(tables["choice"]["objective"])) if "choice" in tables else []


def rows(tables: Tables, table: str, objective: str) -> list[Row]:
    """Rows of a table about one objective."""
    frame = tables.get(table)
    return [] if frame is None else frame[frame["objective"] == objective].to_dict("records")


def worth_measuring(tables: Tables, objective: str) -> list[Row]:
    """Uncertainties that were found to change the choice, that with the most to gain first."""
    found = rows(tables, "value_of_information", objective)
    return [row for row in found if row["found"] and row["uncertainty"] != ALL]


def title(row: Row) -> str:
    """An objective with the time that it is about."""
    since = "since the start, until " if row["unit"] in ("FTE-years", "GBP") else ""
    return f"{words(str(row['objective']))}, {since}{day(row['date'])}"


def amount(value: float, unit: str, signed: bool = False) -> str:
    """A number with its unit."""
    scale = Scale(unit, [value])
    return scale.with_unit(scale.number(value, signed))


def sentences(tables: Tables) -> list[str]:
    """Say for each objective which choice is the best, how sure that is, and what to measure next."""
    return [" ".join([_best(tables, one), _next(tables, one)]) for one in objectives(tables)]


def _best(tables: Tables, objective: str) -> str:
    found = rows(tables, "choice", objective)
    best = next(row for row in found if row["best_on_average"])
    name, unit = str(best["scenario"]), str(best["unit"])
    sure = best["mean_regret"] == 0.0
    equal = ", though in some draws another is as good" if best["p_best"] < 1.0 else ""
    often = equal if sure else f" and in {share(best['p_best'])} of the {best['draws']:,} draws"
    more = ""
    if name != BASE:
        more = f", {amount(best['mean_gain'], unit, True)} beside the base (5–95 % of draws: {spread(best)})"
    text = f"{title(best)}: {_named(name)} is the best on average{more}{often}."
    if sure:
        return text
    scale = Scale(unit, [best["mean_regret"], best["mean_regret_low"], best["mean_regret_high"]])
    lost = scale.with_unit(scale.number(best["mean_regret"]))
    span = scale.span(best["mean_regret_low"], best["mean_regret_high"])
    least = f"another would do better in the others: {lost} are lost by that on average ({span})"
    known = "which is what it would be worth to know beforehand all inputs that have a range"
    return f"{text[:-1]}; {least}, {known}."


def spread(row: Row) -> str:
    """Where the gain of a choice lies in 90 % of draws."""
    low, high = row["p5_gain"], row["p95_gain"]
    return Scale(str(row["unit"]), [row["mean_gain"], low, high]).span(low, high, True)


def _next(tables: Tables, objective: str) -> str:
    """What to measure next, or that no input that has a range changed the choice."""
    found = rows(tables, "value_of_information", objective)
    if not found:
        return "No input of the scenarios has a range."
    n = f"{found[0]['draws']:,} draws"
    if found[0]["value"] == 0.0:
        return (
            f"It is that in all {n}: no input with a range, within its range, changed the choice. "
            "Numbers without a range were not varied."
        )
    worth = worth_measuring(tables, objective)
    few = (
        ""
        if found[0]["draws"] >= ENOUGH
        else f" {n} are a first look: run {4 * ENOUGH:,} before you act on it."
    )
    if not worth:
        none = f"No single input that has a range was found in {n} whose measurement would change the choice."
        return f"{none}{few}"
    said = [
        f"{row['title']} ({amount(row['value'], row['unit'])}; {row['evidence'] or 'no grade'})"
        for row in worth
    ]
    named = joined(said[:SHOWN])
    return f"To measure next, with what each is worth at most, known exactly and alone: {named}.{few}"


def failures(tables: Tables) -> list[str]:
    """Say which futures make a scenario fail, for rules that hold in draws that they have not seen."""
    frame = tables.get("failing_futures")
    if frame is None:
        return []
    parts = frame.groupby(["objective", "scenario"], sort=False)
    return [_rules(part.to_dict("records")) for _, part in parts]


def _rules(found: list[Row]) -> str:
    """One sentence on all rules of a scenario, another on how they do where they were not made."""
    first = found[0]
    fails = first["what"] == "fails"
    often = first["p_fails"] if fails else 1.0 - first["p_fails"]
    named = [f"in {share(row['density'])} of those with {row['where']}" for row in found[:RULES]]
    right, all_of = share(first["all_rules_density_unseen"]), share(first["all_rules_coverage_unseen"])
    return (
        f"{_named(first['scenario'])} {'is' if fails else 'is not'} {_failing(first)} in {share(often)} of "
        f"draws, but {', and '.join(named)}. On draws that they had not seen, such rules together were right "
        f"in {right} and named {all_of} of the draws in question."
    )


def _failing(row: Row) -> str:
    """What failing is, behind "is"."""
    by = f"by {inside(words(str(row['objective'])))}"
    missed = str(row["fails"]).partition(": ")[2]
    return f"short of the target {missed}" if missed else f"{row['fails']} {by}"


def _named(name: str) -> str:
    return "The base" if name == BASE else f"“{style.shorten(name, 60)}”"


def tables_of(found: Tables) -> list[Table]:
    """A table for the terminal for each objective: the numbers of every scenario."""
    from rich.table import Table
    from rich.text import Text

    shown = []
    for objective in objectives(found):
        choices = rows(found, "choice", objective)
        heading = Text(f"{TITLE} {title(choices[0])}", style="bold")
        table = Table(title=heading, title_justify="left", caption=CAPTION, caption_justify="left")
        for i, column in enumerate(
            ("", "mean gain", "best in", "mean regret", "regret in 1 of 20", "fails in")
        ):
            table.add_column(column, justify="right" if i else "left", overflow="fold")
        for i, row in enumerate(choices):
            said, notes = numbers(row), intervals(row)
            lines = [f"{one}\n{note}".strip() for one, note in zip(said, notes, strict=False)]
            table.add_row(line_head(i, str(row["scenario"])), *lines, *said[len(notes) :])
        shown.append(table)
    return shown


def line_head(i: int, name: str) -> Text:
    """What begins the line of a scenario in a table of the terminal: number and name, or the base's name."""
    from rich.text import Text

    return Text(f"{i}  {style.shorten(name, 32)}" if i else BASE)


CAPTION = (
    "gain: less the base, below it 5 to 95 % of draws; regret: lost against the best choice of each draw; "
    "below it and best in 5 to 95 % of resamples of the draws; fails: see choice.csv"
)


def intervals(row: Row) -> list[str]:
    """What stands below the first three numbers of a choice; nothing where it is the same in all draws."""
    scale = Scale(str(row["unit"]), [row["mean_regret"], row["mean_regret_high"]])
    return [
        spread(row) if row["p5_gain"] < row["p95_gain"] else "",
        f"{share(low)} to {share(high)}" if (low := row["p_best_low"]) < (high := row["p_best_high"]) else "",
        scale.span(low, high) if (low := row["mean_regret_low"]) < (high := row["mean_regret_high"]) else "",
    ]


def numbers(row: Row) -> list[str]:
    """Numbers of one choice as they are shown: gain, best in, mean and far regret, fails in."""
    unit = str(row["unit"])
    gain, lost, far = row["mean_gain"], row["mean_regret"], row["p95_regret"]
    parts = [amount(gain, unit, True), share(row["p_best"]), amount(lost, unit), amount(far, unit)]
    return [*parts, share(row["p_fails"])]
