"""HCHS workforce statistics, Core 5: staff of trusts by care setting, level and grade, from 2025."""

from __future__ import annotations

import pandas as pd

from pharmsim.published import long
from pharmsim.published.kind import Kind, Vintage
from pharmsim.published.quality import Findings
from pharmsim.published.tables import Sheet
from pharmsim.published.values import dates, numbers

COLUMNS = {
    "date": ("data_month",),
    "level": ("data_level",),
    "system": ("ics_name", "icb_name"),
    "organisation": ("org_name",),
    "group": ("care_setting",),
    "label": ("level",),
    "grade": ("grade", "afc_band"),
    "fte": ("fte",),
    "headcount": ("headcount", "hc"),
}
OPTIONAL = {
    "region_code": ("nhse_region_code",),
    "region": ("nhse_region_name",),
    "system_code": ("ics_code", "icb_code"),
    "organisation_code": ("org_code",),
}
LEVELS = {
    "national": "national",
    "nhs england region": "region",
    "nhse region": "region",
    "ics area": "system",
    "ics": "system",
    "organisation": "organisation",
}
"""Levels of the column DATA_LEVEL, in lower case. They overlap: one is chosen before anything is summed."""


def read(sheet: Sheet, found: Findings) -> pd.DataFrame:
    """FTE and headcount of every row."""
    base = long.of_staff(sheet)
    base["date"] = dates(sheet.text("date"), sheet.name, "DATA_MONTH")
    level = sheet.text("level").str.lower()
    base["level"] = level.map(LEVELS).fillna(level)
    return long.stack(
        [
            long.measured(base, name, name, numbers(sheet.text(name), sheet.name, name.upper()))
            for name in ("fte", "headcount")
        ]
    )


KIND = Kind(
    "hchs_core5",
    "HCHS workforce statistics, Core 5 (staff groups, care setting, level, grade by organisation)",
    "NHS England, NHS HCHS Workforce Statistics, Core 5",
    (Vintage("from 2025", COLUMNS, OPTIONAL),),
    ("national", "region", "system", "organisation"),
    ("grade",),
    read,
    additive=True,
)
