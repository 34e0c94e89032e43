"""Primary Care Network workforce, individual level: a row a person or contracted service, and role."""

from __future__ import annotations

import pandas as pd

from pharmsim.published import long
from pharmsim.published.kind import Kind, Vintage
from pharmsim.published.quality import Findings
from pharmsim.published.tables import Sheet
from pharmsim.published.values import MISSING, dates, numbers

COLUMNS = {
    "source": ("data_source",),
    "year": ("census_year", "year"),
    "month": ("census_month", "month"),
    "system": ("icb_name", "ics_name", "stp_name"),
    "label": ("staff_role",),
    "fte": ("fte", "total_fte"),
    "identifier": ("unique_identifier", "unique_id"),
}
OPTIONAL = {
    "organisation_code": ("pcn_code",),
    "organisation": ("pcn_name",),
    "place_code": ("sub_icb_code", "sub_icb_loc_code", "ccg_code"),
    "place": ("sub_icb_name", "sub_icb_loc_name", "ccg_name"),
    "system_code": ("icb_code", "ics_code", "stp_code"),
    "region_code": ("comm_region_code", "region_code"),
    "region": ("comm_region_name", "region_name"),
    "group": ("staff_group",),
}


def read(sheet: Sheet, found: Findings) -> pd.DataFrame:
    """FTE of every row, and a head for every row that has an identifier (people employed directly)."""
    base = long.start(sheet)
    year, month = sheet.text("year"), sheet.text("month").str.replace(r"\.0$", "", regex=True).str.zfill(2)
    base["date"] = dates(
        year.str.replace(r"\.0$", "", regex=True) + "-" + month, sheet.name, "CENSUS_YEAR, CENSUS_MONTH"
    )
    base["label"], base["source"] = sheet.text("label"), sheet.text("source")
    base["level"] = "organisation"
    identifier = sheet.text("identifier")
    base["identifier"] = identifier.where(~identifier.str.lower().isin(MISSING), "")
    fte = long.measured(base, "fte", "fte", numbers(sheet.text("fte"), sheet.name, "FTE"))
    people = base[base["identifier"] != ""]
    heads = long.measured(people, "headcount", "headcount", pd.Series(1.0, index=people.index)).assign(
        flag="direct_only"
    )
    return long.stack([fte, heads])


KIND = Kind(
    "pcn_individual",
    "Primary Care Network workforce, individual level",
    "NHS England, Primary Care Network Workforce, individual level",
    (Vintage("2020 to 2026", COLUMNS, OPTIONAL),),
    ("national", "region", "system", "place", "organisation"),
    ("source",),
    read,
    individual=True,
    additive=True,
)
