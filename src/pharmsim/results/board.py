"""The triangulation as sheets that a board can read: environments and years, three groups of columns."""

from __future__ import annotations

from typing import NamedTuple

import pandas as pd

from pharmsim.results.columns import ALL
from pharmsim.results.labelled import Results
from pharmsim.results.triangulation import ACTIVITY, PARTS, PER_YEAR

ROWS = ("environment", "year_from", "year_to")
MILLION = 2e7
"""From this yearly amount on (GBP), money is shown in millions, else in thousands."""
COLUMNS = {
    "headcount": ("headcount at year's end", "heads"),
    "fte": ("in post at year's end, FTE", "FTE"),
    "establishment_fte": ("establishment at year's end, FTE", "FTE"),
    "vacancy_rate": ("vacancy rate at year's end", "share"),
    "joiners": ("joiners, heads in the year", "FTE"),
    "leavers": ("leavers and retirements, heads in the year", "FTE"),
    "other_changes": ("other changes, heads in the year", "FTE"),
    "need_index": ("need index, start = 1", "ratio"),
    "required_fte": ("required, mean FTE", "FTE"),
    "delivered_fte": ("delivered, mean FTE", "FTE"),
    "delivered_by_staff": ("by staff, mean FTE", "FTE"),
    "delivered_by_cover": ("by temporary cover, mean FTE", "FTE"),
    "shortfall_fte": ("shortfall, mean FTE", "FTE"),
    "months_in_shortage": ("months in shortage", "heads"),
    "pressure": ("pressure, required ÷ delivered", "ratio"),
}
"""Title, with its unit, and number format of every quantity that is not money."""


class Board(NamedTuple):
    """A sheet: table, number formats by column, headings over groups of columns."""

    frame: pd.DataFrame
    kinds: dict[str, str]
    top: list[tuple[str, int]]


def sheets(results: Results, frame: pd.DataFrame) -> dict[str, Board]:
    """Make the sheets of the triangulation.

    Parameters
    ----------
    results : Results
    frame : DataFrame
        As made by `triangulation.triangulation`.

    Returns
    -------
    dict of Board
        triangulation (central values) and, if there are draws, ranges (5 % and 95 % points).
    """
    made = {"triangulation": _board(results, frame, {"central": ""})}
    if "p5" in frame:
        made["ranges"] = _board(results, frame, {"p5": ", p5", "p95": ", p95"})
    return made


def _board(results: Results, frame: pd.DataFrame, statistics: dict[str, str]) -> Board:
    """One row for each environment and year, one column for each quantity and statistic."""
    frame = frame.copy()
    is_money = frame["unit"] == PER_YEAR
    largest = frame.loc[is_money, "central"].abs().max() if is_money.any() else 0.0
    scale, unit = (1e6, "£ million") if largest >= MILLION else (1e3, "£ thousand")
    for name in statistics:
        frame.loc[is_money, name] = frame.loc[is_money, name] / scale
    names = {**results.scenario.environments, ALL: "All"}
    order = {name: i for i, name in enumerate([ALL, *results.scenario.environments])}
    index = frame[list(ROWS)].drop_duplicates()
    index = index.sort_values("environment", key=lambda column: column.map(order), kind="stable")
    out = index.set_index(list(ROWS))
    kinds: dict[str, str] = {}
    top: list[tuple[str, int]] = [("", len(ROWS))]
    for part in PARTS:
        inside = frame[frame["part"] == part]
        found = list(dict.fromkeys(inside["quantity"]))
        for quantity in found:
            title, kind = _column(results, str(quantity), unit)
            if title + next(iter(statistics.values())) in kinds:  # two activities of one label
                title = f"{title} ({quantity})"
            rows = inside[inside["quantity"] == quantity].set_index(list(ROWS))
            for statistic, suffix in statistics.items():
                out[title + suffix] = rows[statistic].reindex(out.index)
                kinds[title + suffix] = kind
        top.append((part, len(found) * len(statistics)))
    out = out.reset_index()
    out["environment"] = out["environment"].map(names)
    return Board(out, kinds, top)


def _column(results: Results, quantity: str, unit: str) -> tuple[str, str]:
    """Title and number format of a quantity."""
    if quantity in COLUMNS:
        return COLUMNS[quantity]
    if quantity.startswith(ACTIVITY):
        name = quantity.removeprefix(ACTIVITY)
        need = results.scenario.need
        label = need.activity[name].label if need and name in need.activity else ""
        return f"{label or name}, start = 1", "ratio"
    return f"{quantity.replace('_', ' ')}, {unit} a year", "FTE"
