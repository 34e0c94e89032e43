"""How sure the choice is, in the HTML report."""

from __future__ import annotations

import pandas as pd

from pharmsim.report import deciding_text as said
from pharmsim.report.html import text
from pharmsim.report.html.data import ResultsFolder, without_gaps
from pharmsim.report.html.tables import Cell, Table, cells
from pharmsim.study.deciding.decide import ALL, BASE
from pharmsim.study.deciding.inputs import plain
from pharmsim.study.sensitivity.drivers import FACTOR

EVERYTHING = "All inputs that have a range"
SHOWN = 8
"""Inputs in the table of what it is worth to know them, at most."""


def sentences(read: ResultsFolder) -> list[str]:
    """What is said above the tables; nothing without a choice."""
    return [text.tidy(one) for one in (*said.sentences(read.tables), *said.failures(read.tables))]


def robustness(read: ResultsFolder, objective: str) -> Table:
    """Return numbers of every choice, the base first."""
    rows = []
    for row in said.rows(read.tables, "choice", objective):
        gain, best, lost, far, fails = said.numbers(row)
        name = "The base" if row["scenario"] == BASE else str(row["scenario"])
        told = map(Cell, (gain, best, lost), said.intervals(row))
        rows.append(cells(name, *told, far, fails))
    if not rows:
        return Table("", [])
    first = said.rows(read.tables, "choice", objective)[0]
    heads = ["Choice", "Gain beside the base", "Best in", "Regret, mean", "Regret, exceeded in 1 of 20 draws"]
    return Table(
        f"{said.title(first)}. Means over {first['draws']:,} draws; below the gain, 5 to 95 % of draws; "
        "below the others what 90 % of resamples of the draws hold, narrower with more draws. Regret: what "
        "is lost against the best choice of each draw",
        [*heads, f"Fails ({first['fails']})"], rows,
    )  # fmt: skip


def information(read: ResultsFolder, objective: str) -> Table:
    """What it is worth to know everything, and single inputs, before choosing."""
    found = said.worth_measuring(read.tables, objective)[:SHOWN]
    whole = said.rows(read.tables, "value_of_information", objective)[:1]
    rows = []
    for row in without_gaps(pd.DataFrame([*whole, *found])).to_dict("records") if found else ():
        scale = text.Scale(str(row["unit"]), [row["value"], row["p95"]])
        value = Cell(scale.with_unit(scale.number(row["value"])), scale.span(row["p5"], row["p95"]))
        name = EVERYTHING if row["uncertainty"] == ALL else text.words(str(row["title"]))
        rows.append(
            cells(
                name, _range(row), text.words(row["evidence"] or "–"), value, text.share(row["share_of_all"])
            )
        )
    heads = ["Known before choosing", "Range assumed", "Weakest evidence", "Worth", "Share of everything"]
    return Table(
        f"What to measure next ({text.inside(text.words(objective))}): gained on average by whoever knows it "
        "exactly before choosing; below it what 90 % of resamples hold. Inputs without a row: nothing found, "
        "or without a range",
        heads, rows,
    )  # fmt: skip


def _range(row: said.Row) -> Cell:
    if row["central"] == "":
        return Cell("–")
    unit = "" if row["unit_of_value"] in ("ratio", FACTOR) else row["unit_of_value"]
    return Cell(plain(row["central"]), f"{plain(row['low'])} to {plain(row['high'])} {unit}".strip())
