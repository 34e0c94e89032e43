"""HCHS turnover 1 (regions) and 2 (grades, ages): staff at both ends of a period, joiners and leavers."""

from __future__ import annotations

import pandas as pd

from pharmsim.published import long
from pharmsim.published.kind import Kind, Vintage
from pharmsim.published.quality import Findings
from pharmsim.published.tables import Sheet
from pharmsim.published.values import day_after, numbers, periods

STAFF = {
    "type": ("type",),
    "group": ("main_staff_group",),
    "label": ("staff_group",),
    "headcount": ("hc", "headcount"),
    "fte": ("fte",),
}
REGION = ("nhse_region_name", "hee_region_name", "region")
TURNOVER_2 = Vintage(
    "turnover 2: staff group, grade and age band",
    {"period": ("period",), **STAFF, "grade": ("grade",), "age": ("age_band",)},
)
TURNOVER_1 = Vintage(
    "turnover 1: staff group and region",
    {"period": ("period",), **STAFF, "region": REGION},
    {"region_code": ("nhse_region_code", "hee_region_code")},
)
EXTRACT = Vintage(
    "an extract with the two ends of a period in two columns",
    {"period_start": ("period_start",), "period_end": ("period_end",), **STAFF, "region": REGION},
)
START, END = "denominator at start of period", "denominator at end of period"
FLOWS = {"joiners": "joiners", "leavers": "leavers"}
MONTHS_OF_A_YEAR = range(360, 372)
"""Days between the ends of a period of twelve months."""


def read(sheet: Sheet, found: Findings) -> pd.DataFrame:
    """Staff at both ends, joiners and leavers, in headcount and FTE; leaver rates by headcount."""
    text = sheet.text("period")
    if sheet.vintage == EXTRACT.name:
        text = sheet.text("period_start") + " to " + sheet.text("period_end")
    ends = periods(text, sheet.name, "PERIOD")
    base = long.of_staff(sheet).assign(begin=ends.str[0], end=ends.str[1])
    base["age"] = long.without_prefix(sheet.text("age"))
    everywhere = base["region"].str.match(long.ALL) | (base["region"] == "")
    base["level"] = everywhere.map({True: "national", False: "region"})
    kinds = sheet.text("type").str.lower()
    known = kinds.isin([START, END, *FLOWS])
    found.add("other type", (~known).sum(), f"left out: {', '.join(sheet.text('type')[~known].unique())}")
    frames = []
    for unit in ("headcount", "fte"):
        values = numbers(sheet.text(unit), sheet.name, unit.upper())
        for word, name, day in ((START, f"{unit}_start", "begin"), (END, f"{unit}_end", "end")):
            rows = base[kinds == word]
            frames.append(long.measured(rows, name, unit, values[rows.index]).assign(date=rows[day]))
        for word, name in FLOWS.items():
            rows = base[kinds == word]
            name = name if unit == "headcount" else f"{name}_fte"  # two measures: nobody adds heads to FTE
            flow = long.measured(rows, name, unit, values[rows.index])
            frames.append(flow.assign(date=rows["begin"].map(day_after), to=rows["end"]))
    return long.stack(frames).drop(columns=["begin", "end"])


def rates(tidy: pd.DataFrame, found: Findings) -> pd.DataFrame:
    """Leaver and joiner rates of a tidy series: flow ÷ mean of the headcounts at both ends, per year.

    Periods of another length than twelve months have none.
    """
    keys = ["role", "environment", "geography", "code", "level", "part"]
    heads = tidy[tidy["unit"] == "headcount"]
    flows = heads[heads["measure"].isin(list(FLOWS))].copy()
    days = pd.to_datetime(flows["to"]) - pd.to_datetime(flows["date"])
    flows = flows[days.dt.days.isin(MONTHS_OF_A_YEAR)]
    flows["before"] = (pd.to_datetime(flows["date"]) - pd.Timedelta(days=1)).dt.strftime("%Y-%m-%d")
    for end, day in (("start", "before"), ("end", "to")):
        stock = heads.loc[heads["measure"] == f"headcount_{end}", [*keys, "date", "value"]]
        stock = stock.rename(columns={"date": day, "value": end})
        flows = flows.merge(stock, on=[*keys, day], how="inner", validate="many_to_one")
    flows["value"] = flows["value"] / (flows["start"] + flows["end"]) * 2
    flows["measure"] = flows["measure"].str.removesuffix("s") + "_rate"
    flows["unit"] = "per year"
    flows["flag"] = flows["flag"].map(lambda old: ";".join(filter(None, ("derived", old))))
    return flows[tidy.columns]


KIND = Kind(
    "turnover",
    "HCHS turnover 1 (staff group, region) and 2 (staff group, grade, age band)",
    "NHS England, NHS HCHS Workforce Statistics, Turnover",
    (TURNOVER_2, TURNOVER_1, EXTRACT),
    ("national", "region"),
    ("grade", "age"),
    read,
    derive=rates,
)
