"""NHS Vacancy Statistics, the workbook: blocks of vacancies (FTE, rate) by region, sector and quarter."""

from __future__ import annotations

import re

import pandas as pd

from pharmsim.published import long
from pharmsim.published.columns import plain
from pharmsim.published.kind import Kind, Vintage
from pharmsim.published.quality import Findings
from pharmsim.published.tables import Sheet
from pharmsim.published.values import date, numbers

COLUMNS = {"region": ("region", "nhse_region_name", "nhs_england_region"), "sector": ("sector", "trust_type")}
QUARTER = re.compile(r"(\d{4})/\d\d\s+Q([1-4])")
LAST_MONTH = {"1": "06", "2": "09", "3": "12", "4": "03"}
TITLE = 5
"""Rows above a header in which the title of its block is looked for."""


def read(sheet: Sheet, found: Findings) -> pd.DataFrame:
    """Vacant FTE and vacancy rates of every block on a sheet."""
    heads = [n for n, row in enumerate(sheet.rows) if _columns(row) is not None]
    frames = [
        _block(sheet, first, last, found)
        for first, last in zip(heads, [*heads[1:], len(sheet.rows)], strict=True)
    ]
    return long.stack(frames)


def _columns(row: list[str]) -> tuple[int, int] | None:
    """Places of region and sector in a row, if it is a header."""
    names = [plain(cell) for cell in row]
    places = [next((names.index(a) for a in aliases if a in names), None) for aliases in COLUMNS.values()]
    return None if None in places else (places[0], places[1])  # type: ignore[return-value]


def _block(sheet: Sheet, first: int, last: int, found: Findings) -> pd.DataFrame:
    """A block from its header to the next one, one number a row."""
    rows = sheet.rows
    title = next((cell for row in reversed(rows[max(0, first - TITLE) : first]) for cell in row if cell), "")
    region, sector = _columns(rows[first]) or (0, 1)
    quarters = {n: day for n, cell in enumerate(rows[first]) if (day := _quarter(cell))}
    is_rate, is_fte = re.search(r"\brate\b|%", title, re.I), re.search(r"\bfte\b", title, re.I)
    if not quarters or not (is_rate or is_fte):
        what = "no quarters" if not quarters else "neither FTE nor rate in its title"
        found.add("block left out", last - first - 1, f"{sheet.name}, row {first + 1}: {what} (“{title}”)")
        return long.start(sheet).iloc[:0]
    body = [(n + 1, row) for n, row in enumerate(rows[first + 1 : last], first + 1)]
    cells = [(n, row[region], row[sector], day, row[c]) for n, row in body for c, day in quarters.items()]
    frame = pd.DataFrame(cells, columns=["row", "region", "sector", "date", "text"])
    frame["region"] = frame["region"].replace("", None).ffill().fillna("")  # merged cells: named once
    kept = frame["text"] != ""  # notes under a table, and rows between blocks, have no numbers
    frame = frame[kept].reset_index(drop=True)
    values = numbers(frame["text"], sheet.name, title)
    if is_rate and values.max() > 1:  # in per cent
        values = values / 100
    out = pd.DataFrame("", index=frame.index, columns=list(long.TEXTS), dtype=object)
    measure, unit = ("vacancy_rate", "share") if is_rate else ("vacancy_fte", "fte")
    out = long.measured(out, measure, unit, values).assign(row=frame["row"], date=frame["date"])
    out["label"] = re.split(r"\s*(?:%|\bvacanc|\bfte\b)", title, flags=re.I)[0]
    return _placed(out, frame)


def _placed(out: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """Region, sector and level of each row; `London Total` is the sum over the sectors of a region."""
    total = frame["region"].str.match(r"(?i).*\btotal$") | frame["sector"].str.match(long.ALL)
    out["region"] = frame["region"].str.replace(r"(?i)\s*\btotal$", "", regex=True)
    everywhere = frame["region"].str.match(long.ALL) | out["region"].str.match(r"(?i)^(grand|national|)$")
    out["sector"] = frame["sector"].where(~(total | everywhere), "All")
    out["level"] = everywhere.map({True: "national", False: "region"})
    return out


def _quarter(cell: str) -> str | None:
    """Last day of the quarter of a heading such as ``2021/22 Q1 (Jun-21)``."""
    inside = re.search(r"\(([^)]*)\)", cell)
    if inside and (day := date(inside[1])):
        return day
    if match := QUARTER.search(cell):
        year = int(match[1]) + (match[2] == "4")
        return date(f"{year}-{LAST_MONTH[match[2]]}")
    return None


KIND = Kind(
    "vacancies",
    "NHS Vacancy Statistics, workbook of tables (region, sector, quarter)",
    "NHS England, NHS Vacancy Statistics",
    (Vintage("from 2018", COLUMNS),),
    ("national", "region"),
    ("sector",),
    read,
    many=True,
)
