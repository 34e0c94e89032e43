"""The main tables as an Excel workbook that can be read in a meeting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import xlsxwriter

from pharmsim import __version__
from pharmsim.results import board, rows
from pharmsim.results.labelled import Results
from pharmsim.results.text import cell

TITLES = {
    "triangulation": "Triangulation",
    "ranges": "Triangulation 5-95 %",
    "summary": "Summary",
    "workforce": "Workforce",
    "flows": "Joiners and leavers",
    "retention": "Retention",
    "training": "Training",
    "moves": "Moves",
    "need": "Need and delivery",
    "time": "Working time",
    "budgets": "Budgets",
    "groups": "Groups",
    "bounds": "Bounds",
    "differences": "Differences",
    "rates": "Rates",
    "choice": "How sure the choice is",
    "information": "Value of information",
    "failing": "Failing futures",
    "displacement": "Winners and losers",
    "costs": "Costs",
    "moved": "Who moves where",
    "trajectories": "Trajectories",
    "levers": "Interventions",
    "attribution": "Attribution",
    "break_even": "Break-even",
    "grounds": "Evidence behind it",
    "tornado": "Tornado",
    "indices": "Indices",
    "impact": "Impact and evidence",
    "assumptions": "Assumptions",
    "warnings": "Warnings",
}
ABOUT = {
    "triangulation": "workforce, activity and finance of every environment and year, at the central values; "
    "joint posts count where they are employed, in activity where they work",
    "ranges": "the same: 5 % and 95 % points over the draws",
    "summary": "headcount, FTE and vacancies of every role on the anniversaries",
    "workforce": "the same by role and environment, with shares",
    "flows": "people joining, leaving and moving in whole years, by source and destination; an incomplete "
    "last year is left out",
    "retention": "stability index and leaver rate as published, by level, April to March",
    "training": "trainees, examinations and newly qualified by year, with the years before the start",
    "moves": "people moving between posts in a year, and those who found no vacancy",
    "need": "what services require and get in whole years, by role and environment where the work is done",
    "time": "mean FTE of whole years by use, by role and environment where people work",
    "budgets": "money of every budget and what its posts cost, £ in whole years",
    "groups": "share of each group in the headcount on the anniversaries, by role and grade or environment",
    "bounds": "feedbacks that reached a bound: post or stage, first month, months, share of draws",
    "differences": "scenario less base: median, 50 % (p25 to p75) and 90 % (p5 to p95) intervals over "
    "draws, and the probability of being better",
    "rates": "the same for vacancy rates and, by level, stability index and leaver rate",
    "choice": "what scenarios gain beside the base, how often each is the best, what is lost by it against "
    "the best of each draw (regret), how often it fails; low and high hold 90 % of resamples",
    "information": "what knowing everything, or one input, before choosing is worth; found: more than chance",
    "failing": "what the draws have in common in which a scenario fails, or, if it mostly does, does not",
    "displacement": "what environments gain, what others lose, the one by the other, and the net",
    "costs": "what the scenario costs more than the base, from the start to the last date",
    "moved": "people from source to post, post to post and post to destination over the whole run",
    "trajectories": "all posts together, every third month: values, and differences from the base",
    "levers": "what each scenario does: whom it reaches, how many take part, when, on what evidence",
    "attribution": "how much of the difference is due to each intervention; parts sum to the whole",
    "break_even": "how large the claimed effect must be for the intervention to pay its way",
    "grounds": "share of the difference that rests on effects of each grade of evidence",
    "tornado": "each uncertainty alone at its low and its high end, and what that makes of each measure",
    "indices": "how much each uncertainty matters with all uncertain at once, with 95 % intervals",
    "impact": "every number with the largest change that it makes, weak evidence and high impact first",
    "assumptions": "every number that the run uses: value, range, source, evidence, file and line; settings "
    "and defaults of pharmsim have no grade of evidence",
    "warnings": "what the run warned about",
}
UNITS = (
    ("headcount", "people in post, heads; somebody with two posts counts once where the scenario says so"),
    ("FTE", "full-time equivalents in post"),
    ("establishment", "funded FTE"),
    ("vacancy FTE", "establishment less FTE in post; negative when over-established"),
    ("vacancy rate", "vacancy FTE ÷ establishment"),
    ("stability index", "share of the people on the reference date who are still there twelve months later"),
    ("leaver rate", "leavers between two yearly snapshots ÷ mean headcount, as NHS Digital publishes it"),
    ("required, delivered", "FTE on the service, after delegation; delivered includes temporary cover"),
    (
        "shortfall",
        "required less delivered where that is positive, added up over services: what one role or "
        "environment has too much does not make up for what another lacks",
    ),
    ("months in shortage", "months of the year with a shortfall in at least one service"),
    ("pressure", "required ÷ delivered, at most 10"),
    ("need index", "required FTE relative to that at the start"),
    (
        "cost, pay bill",
        "with weighting and on-costs, by employer; per month where a date is given, per year for years",
    ),
    (
        "over budget",
        "spending on the posts of the budget less its money; negative when below. Budgets over "
        "several environments are in the lines of all only; one inside another is not added to it",
    ),
    (
        "other changes",
        "moves, returns and changes of role: what joiners and leavers leave of the change in headcount",
    ),
    ("heads per year", "people in the twelve months from the date in the first column"),
    ("central", "the run at the central values"),
    ("p5, p50, p95", "5 %, 50 % and 95 % points over the draws"),
)
FORMATS = {
    "heads": "#,##0",
    "FTE": "#,##0.0",
    "share": "0.0%",
    "points": "0.00%",
    "money": "£#,##0",
    "flow": "#,##0.0",
    "ratio": "0.00",
    "number": "General",
    "date": "d mmm yyyy",
}
WIDEST = 44


class Book:
    """A workbook with one style; every text is neutralised on its way in."""

    def __init__(self, path: Path, title: str) -> None:
        self.book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False})
        # Always the same moment, so that the same results give the same bytes.
        self.book.set_properties({"title": title, "created": datetime(2000, 1, 1)})
        base = {"font_name": "Arial", "font_size": 10}
        self.text = self.book.add_format({**base, "valign": "top"})
        self.title = self.book.add_format({**base, "bold": True, "font_size": 14})
        self.head = self.book.add_format(
            {**base, "bold": True, "bottom": 1, "text_wrap": True, "valign": "top", "bg_color": "#DCE6F1"}
        )
        self.numbers = {
            name: self.book.add_format({**base, "num_format": code}) for name, code in FORMATS.items()
        }

    def sheet(
        self,
        name: str,
        frame: pd.DataFrame,
        kinds: Mapping[str, str],
        fixed: int,
        top: Sequence[tuple[str, int]] = (),
    ) -> None:
        """Add a table: header frozen with the first `fixed` columns, filter, widths by content.

        `top`: headings above the header, each over a number of columns.
        """
        sheet = self.book.add_worksheet(name)
        head, left = int(bool(top)), 0
        for text, n in top:
            if n > 1:
                sheet.merge_range(0, left, 0, left + n - 1, cell(text), self.head)
            elif n:
                sheet.write_string(0, left, cell(text), self.head)
            left += n
        for j, column in enumerate(frame.columns):
            title = cell(str(column).replace("_", " "))
            sheet.write_string(head, j, title, self.head)
            values = frame[column]
            kind = "date" if values.dtype.kind == "M" else kinds.get(str(column), "number")
            width = self._column(sheet, j, values, kind, head + 1)
            sheet.set_column(j, j, min(max(width, len(title) * 0.7, 8) + 2, WIDEST))
        sheet.freeze_panes(head + 1, fixed)
        if len(frame):
            sheet.autofilter(head, 0, head + len(frame), len(frame.columns) - 1)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.repeat_rows(0, head)

    def _column(self, sheet: Any, j: int, values: pd.Series, kind: str, top: int) -> float:
        """Write a column from row `top` on and return the width of what it shows."""
        style = self.numbers[kind]
        widest = 0
        if values.dtype.kind == "M":
            for i, date in enumerate(values.tolist(), start=top):
                if date is not pd.NaT:
                    sheet.write_datetime(i, j, date, style)
            return 11
        if values.dtype.kind in "iuf":
            for i, number in enumerate(values.tolist(), start=top):
                if np.isfinite(number):
                    sheet.write_number(i, j, number, style)
            return 11
        for i, value in enumerate(values.tolist(), start=top):
            if value is None or value != value:
                continue
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                sheet.write_number(i, j, value, style)
                continue
            text = cell(str(value))
            widest = max(widest, len(text))
            sheet.write_string(i, j, text, self.text)
        return widest

    def readme(self, title: str, lines: Sequence[tuple[str, str]], sheets: Sequence[str]) -> None:
        """Add the first sheet: what this is, the sheets, the units."""
        sheet = self.book.add_worksheet("Read me")
        sheet.set_column(0, 0, 22)
        sheet.set_column(1, 1, 100)
        sheet.write_string(0, 0, cell(title), self.title)
        row = 2
        for name, text in (*lines, ("", ""), ("Sheet", "What it shows")):
            self._pair(sheet, row, name, text)
            row += 1
        for name in sheets:
            self._pair(sheet, row, TITLES[name], ABOUT[name])
            row += 1
        self._pair(sheet, row + 1, "Word", "Meaning")
        for i, (name, text) in enumerate(UNITS):
            self._pair(sheet, row + 2 + i, name, text)

    def _pair(self, sheet: Any, row: int, name: str, text: str) -> None:
        style = self.head if name in ("Sheet", "Word") else self.text
        sheet.write_string(row, 0, cell(name), style)
        sheet.write_string(row, 1, cell(text), style)

    def close(self) -> None:
        """Write the file."""
        self.book.close()


# -- wide tables ----------------------------------------------------------------------------------------


def wide(frame: pd.DataFrame, index: Sequence[str], columns: str, bands: Sequence[str] = ()) -> pd.DataFrame:
    """One row for each `index`, one column for each value of `columns` (then its 5 % and 95 % points)."""
    names = list(dict.fromkeys(frame[columns]))
    out = frame.pivot(index=[*index], columns=columns, values="central")[names]
    order = []
    for name in names:
        order.append(name)
        order += [f"{name} {band}" for band in ("p5", "p95") if name in bands and band in frame]
    chosen = [name for name in names if name in bands]
    for band in ("p5", "p95"):
        if chosen and band in frame:
            part = frame[frame[columns].isin(chosen)]
            more = part.pivot(index=[*index], columns=columns, values=band)
            out = out.join(more.add_suffix(f" {band}"))
    clash = {name: f"{name} ({columns})" for name in order if name in index}
    return out[order].rename(columns=clash).reset_index().rename_axis(columns=None)


def _kind(column: str) -> str:
    """Number format of a column of the workforce and retention sheets."""
    if "share" in column or "rate" in column or "stability" in column:
        return "share"
    if "pay" in column or "cost" in column:
        return "money"
    if column.startswith(("pressure", "need_index")):
        return "ratio"
    return "heads" if column.startswith(("headcount", "months")) else "FTE"


def _labelled(frame: pd.DataFrame, results: Results) -> pd.DataFrame:
    """Role, environment and grade by the names that people read."""
    out = frame.copy()
    made = results.scenario
    for axis, names in (("role", made.roles), ("environment", made.environments), ("grade", made.grades)):
        if axis in out:
            out[axis] = out[axis].map({**names, "all": "All"}).fillna(out[axis])
    return out


def sheets_of(results: Results, tables: Mapping[str, pd.DataFrame]) -> dict[str, tuple[pd.DataFrame, int]]:
    """The sheets of a run: (table, number of columns that stay in view)."""
    sheets: dict[str, tuple[pd.DataFrame, int]] = {}
    if "workforce" in tables:
        frame = _labelled(tables["workforce"], results)
        shown = wide(frame, ["date", "role", "environment"], "quantity", ("headcount", "fte", "vacancy_fte"))
        summary = shown[shown["environment"] == "All"].sort_values(["role", "date"], kind="stable")
        sheets["summary"] = (summary.drop(columns="environment"), 2)
        sheets["workforce"] = (shown.sort_values(["role", "environment", "date"], kind="stable"), 3)
    if "flows" in tables:
        frame = _labelled(tables["flows"], results)
        plain = frame["category"].astype(object) == "all"
        frame["name"] = frame["flow"].where(plain, frame["flow"] + ": " + frame["category"])
        sheets["flows"] = (wide(frame, ["year_from", "year_to", "role", "environment"], "name"), 4)
    if "retention" in tables:
        index = ["year_from", "year_to", "level", "by", "block"]
        frame = tables["retention"]
        frame = frame[frame["by"].isin(["all", "block", "role"])]
        sheets["retention"] = (wide(frame, index, "measure", ("stability_index", "leaver_rate")), 5)
    if "training" in tables:
        sheets["training"] = (tables["training"], 3)
    if "moves" in tables:
        index = ["year_from", "year_to", "from", "to", "kind"]
        sheets["moves"] = (wide(tables["moves"], index, "quantity", ("moves",)), 5)
    return sheets | _system_sheets(results, tables)


def _system_sheets(
    results: Results, tables: Mapping[str, pd.DataFrame]
) -> dict[str, tuple[pd.DataFrame, int]]:
    """Need and delivery, where time goes, groups and bounds."""
    sheets: dict[str, tuple[pd.DataFrame, int]] = {}
    index = ["year_from", "year_to", "role", "environment"]
    if "need" in tables:
        frame = wide(_labelled(tables["need"], results), index, "quantity", ("shortfall_fte", "pressure"))
        sheets["need"] = (frame.sort_values(["role", "environment", "year_from"], kind="stable"), 4)
    if "time" in tables:
        frame = tables["time"]
        frame = _labelled(frame[frame["quantity"] == "fte"], results)
        shown = wide(frame, index, "use")
        sheets["time"] = (shown.sort_values(["role", "environment", "year_from"], kind="stable"), 4)
    if "budgets" in tables:
        years = ["year_from", "year_to", "budget"]
        frame = wide(tables["budgets"], years, "quantity", ("over_budget",))
        sheets["budgets"] = (frame.sort_values(["budget", "year_from"], kind="stable"), 3)
    if "groups" in tables:
        frame = tables["groups"]
        frame = _labelled(frame[frame["quantity"] == "share"], results)
        keys = [name for name in ("date", "role", "grade", "environment") if name in frame]
        labels = results.scenario.groups
        if len(set(labels.values())) == len(labels):
            frame["group"] = frame["group"].map(labels)
        names = list(dict.fromkeys(frame["group"]))
        sheets["groups"] = (wide(frame, keys, "group", names).sort_values(keys[1:], kind="stable"), 3)
    if "bounds" in tables:
        sheets["bounds"] = (tables["bounds"], 2)
    return sheets


def write(results: Results, tables: Mapping[str, pd.DataFrame], numbers: pd.DataFrame, path: Path) -> None:
    """Write the workbook of a run.

    Parameters
    ----------
    results : Results
    tables : dict of DataFrame
        As made by `tables.main_tables`.
    numbers : DataFrame
        Every number that the run uses (`assumptions.as_frame`).
    path : Path
    """
    scenario = results.scenario
    sheets = sheets_of(results, tables)
    warnings = [str(text) for text in results.meta.get("warnings") or []]
    lines = [
        ("Scenario", scenario.name),
        ("About", scenario.description),
        ("Period", f"{scenario.start} to {scenario.end}"),
        ("Draws", rows.in_words(results.meta, results.n_draws)),
        ("Made by", f"pharmsim {__version__}"),
    ]
    book = Book(path, scenario.name)
    boards = board.sheets(results, tables["triangulation"]) if "triangulation" in tables else {}
    names = [*boards, *sheets, "assumptions", *(["warnings"] if warnings else [])]
    book.readme(scenario.name, lines, names)
    for name, made in boards.items():
        book.sheet(TITLES[name], made.frame, made.kinds, 3, made.top)
    for name, (frame, fixed) in sheets.items():
        by_column = {str(column): _kind(str(column)) for column in frame.columns}
        if name == "flows":
            by_column = {str(column): "flow" for column in frame.columns}
        if name in ("training", "moves"):
            by_column = {str(column): "flow" for column in frame.columns if column != "attempt"}
        if name in ("time", "groups"):
            kind = "FTE" if name == "time" else "share"
            by_column = {str(column): kind for column in frame.columns}
        if name == "budgets":
            by_column = {str(column): "money" for column in frame.columns}
        if name == "bounds":
            by_column = {"months": "heads", "share_of_draws": "share"}
        book.sheet(TITLES[name], frame, by_column, fixed)
    book.sheet(TITLES["assumptions"], numbers, {}, 1)
    if warnings:
        book.sheet(TITLES["warnings"], pd.DataFrame({"warning": warnings}), {}, 0)
    book.close()
