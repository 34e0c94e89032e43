"""HCHS workforce statistics before Core 5: "staff excluding medical" and "staff group and organisation"."""

from __future__ import annotations

import pandas as pd

from pharmsim.published import long
from pharmsim.published.kind import Kind, Vintage
from pharmsim.published.quality import Findings
from pharmsim.published.tables import Sheet
from pharmsim.published.values import dates, numbers

DATE = ("date", "tm_end_date", "month")
GEOGRAPHY = {
    "region_code": ("nhse_region_code", "hee_region_code"),
    "region": ("nhse_region_name", "hee_region_name"),
    "system_code": ("ics_code", "icb_code"),
    "system": ("ics_name", "icb_name"),
    "organisation_code": ("org_code",),
}
EXCLUDING_MEDICAL = Vintage(
    "staff excluding medical, to about mid-2024",
    {
        "date": DATE,
        "organisation": ("org_name",),
        "group": ("care_setting", "area"),
        "label": ("level",),
        "fte": ("total_fte",),
    },
    {**GEOGRAPHY, "grade": ("afc_band", "band"), "headcount": ("total_hc", "total_headcount")},
)
BY_ORGANISATION = Vintage(
    "staff group and organisation, to about March 2025",
    {
        "date": DATE,
        "organisation": ("org_name",),
        "label": ("staff_group",),
        "type": ("data_type",),
        "value": ("total",),
    },
    GEOGRAPHY,
)
TYPES = {"fte": "fte", "hc": "headcount", "headcount": "headcount"}


def read(sheet: Sheet, found: Findings) -> pd.DataFrame:
    """FTE (and headcount, where published) of every row."""
    base = long.of_staff(sheet)
    base["date"] = dates(sheet.text("date"), sheet.name, "DATE")
    total = base["organisation"].str.match(long.ALL)  # all organisations of the region, or of all regions
    base["level"] = "organisation"
    base.loc[total, "level"] = "region"
    if sheet.vintage == BY_ORGANISATION.name:
        measure = sheet.text("type").str.lower().map(TYPES)
        other = measure.isna()
        found.add(
            "other data type",
            other.sum(),
            f"neither FTE nor HC; left out ({', '.join(sheet.text('type')[other].unique())})",
        )
        out = long.measured(base, "", "", numbers(sheet.text("value"), sheet.name, "TOTAL"))
        return out.assign(measure=measure, unit=measure)[~other]
    there = [name for name in ("fte", "headcount") if sheet.has(name)]
    return long.stack(
        [
            long.measured(base, name, name, numbers(sheet.text(name), sheet.name, f"TOTAL {name.upper()}"))
            for name in there
        ]
    )


KIND = Kind(
    "hchs_staff",
    "HCHS workforce statistics before Core 5 (staff excluding medical; staff group and organisation)",
    "NHS England, NHS Workforce Statistics",
    (EXCLUDING_MEDICAL, BY_ORGANISATION),
    ("national", "region", "system", "organisation"),
    ("grade",),
    read,
    additive=True,
)
