"""Tables of the GPhC register: registrants at month ends, joiners and leavers by month."""

from __future__ import annotations

import pandas as pd

from pharmsim.published import long
from pharmsim.published.kind import Kind, Vintage
from pharmsim.published.quality import Findings, names
from pharmsim.published.tables import Sheet
from pharmsim.published.values import dates, first_day, numbers

KEY = {"label": ("profession", "register"), "month": ("month",), "year": ("year",)}
OPTIONAL = {"country": ("country", "nation"), "total": ("total_joiners", "total_leavers")}
MEASURES = {"registrants": "headcount", "joiners": "joiners", "leavers": "leavers"}
VINTAGES = tuple(Vintage(word, {**KEY, "value": (word,)}, OPTIONAL) for word in MEASURES)


def read(sheet: Sheet, found: Findings) -> pd.DataFrame:
    """People on the register, joiners or leavers. Columns of running totals are checked and not used."""
    base = long.start(sheet)
    text = sheet.text("year") + "-" + sheet.text("month").str.zfill(2)
    ends = dates(text, sheet.name, "YEAR, MONTH")
    base["label"], measure = sheet.text("label"), MEASURES[sheet.vintage]
    everywhere = base["country"].str.match(long.ALL) | (base["country"] == "")
    base["level"] = everywhere.map({True: "national", False: "country"})
    out = long.measured(
        base, measure, "headcount", numbers(sheet.text("value"), sheet.name, sheet.vintage.upper())
    )
    if measure == "headcount":
        return out.assign(date=ends)
    if sheet.has("total"):
        _check_totals(out.assign(end=ends), numbers(sheet.text("total"), sheet.name, "TOTAL"), found)
    return out.assign(date=ends.map(first_day), to=ends)


def _check_totals(out: pd.DataFrame, total: pd.Series, found: Findings) -> None:
    """Running totals that are not the sums of the months."""
    table = out.assign(total=total).sort_values("end", kind="stable")
    by = table.groupby(["label", "country"], sort=False)
    step = by["total"].diff()
    off = step.notna() & ((step - table["value"]).abs() > 0.5)
    who = names(table.loc[off, "label"])
    found.add("running totals", off.sum(), f"do not grow by the number of the month, and are not used: {who}")


KIND = Kind(
    "gphc",
    "GPhC register tables (registrants, joiners, leavers by month)",
    "General Pharmaceutical Council, registers data",
    VINTAGES,
    ("national", "country"),
    (),
    read,
)
