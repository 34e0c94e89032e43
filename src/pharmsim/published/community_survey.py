"""Community Pharmacy Workforce Survey: a row a care board and year, a column a role and measure."""

from __future__ import annotations

import re

import pandas as pd

from pharmsim.published import long
from pharmsim.published.kind import Kind, Vintage
from pharmsim.published.quality import Findings
from pharmsim.published.tables import Sheet
from pharmsim.published.values import dates, numbers

COLUMNS = {
    "system": ("icb_name", "ICB", "ics_name", "integrated_care_board"),
    "year": ("year", "survey_year"),
}
OPTIONAL = {
    "system_code": ("icb_code", "ics_code"),
    "region": ("region", "region_name", "nhse_region_name"),
    "region_code": ("region_code", "nhse_region_code"),
}
ENDINGS = (
    (r"vacanc\w*[\W_]*rate\w*", "vacancy_rate", "share"),
    (r"vacan\w*(?:[\W_]*v?fte)?", "vacancy_fte", "fte"),
    (r"fte", "fte", "fte"),
    (r"headcount|hc", "headcount", "headcount"),
)
"""How a column ends: pattern, measure, unit. What stands before is the role."""
SURVEYED = "-09"
"""The files say the year only: the end of this month stands for it, with the flag `year_only`."""


def read(sheet: Sheet, found: Findings) -> pd.DataFrame:
    """Every column of a role and measure that can be told."""
    base = long.start(sheet)
    year = sheet.text("year").str.replace(r"\.0$", "", regex=True)
    base["date"] = dates(year + SURVEYED, sheet.name, "YEAR")
    everywhere = base["system"].str.match(long.ALL)
    base["level"] = everywhere.map({True: "national", False: "system"})
    base["flag"] = "year_only"
    frames = []
    for column in sheet.frame.columns:
        told = _role(str(column))
        if told is not None:
            label, measure, unit = told
            values = numbers(sheet.text(column), sheet.name, column)
            if unit == "share" and values.max() > 1:  # in per cent
                values = values / 100
            frames.append(long.measured(base, measure, unit, values).assign(label=label))
    return long.stack(frames) if frames else base.iloc[:0]


def _role(column: str) -> tuple[str, str, str] | None:
    """Role, measure and unit of a column such as ``Trained dispensers_FTE``."""
    for pattern, measure, unit in ENDINGS:
        if match := re.fullmatch(rf"(.+?)[\W_]+(?:{pattern})", column, re.I):
            return match[1], measure, unit
    return None


KIND = Kind(
    "community_survey",
    "Community Pharmacy Workforce Survey by integrated care board",
    "NHS England (before: Health Education England), Community Pharmacy Workforce Survey",
    (Vintage("by integrated care board", COLUMNS, OPTIONAL),),
    ("national", "region", "system"),
    (),
    read,
)
