"""Numbers and sentences of the HTML report: plain words, an interval beside every difference."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

MINUS = "\N{MINUS SIGN}"
FACTORS = {"share": 100.0, "share per year": 100.0}
WORDS = {
    "heads": "people",
    "heads per year": "people a year",
    "share": "points",
    "share per year": "points",
    "ratio": "",
    "months": "months",
    "FTE": "FTE",
}
"""Units of differences, in words."""
QUANTITIES = {
    "headcount": "People in post",
    "fte": "FTE in post",
    "delivered_fte": "Delivered time",
    "required_fte": "Required time",
    "shortfall_fte": "Shortfall",
    "vacancy_fte": "Vacancies",
    "vacancy_rate": "Vacancy rate",
    "stability_index": "Retention",
    "leavers": "Leavers",
    "leaver_rate": "Leaver rate",
    "pressure": "Required ÷ delivered",
    "months_in_shortage": "Months in shortage",
    "pay_bill": "Pay bill",
    "cover_cost": "Temporary cover",
    "backfill_cost": "Backfill",
    "programme_cost": "Programme",
    "total_cost": "All costs",
    "cost": "All costs",
    "all": "All costs",
    "delivered_fte_years": "Additional delivered time",
    "per_delivered_fte_year": "For each additional delivered FTE-year",
}
PROPER = ("FTE",)
"""Words that keep their capitals inside a sentence."""


def tidy(said: str) -> str:
    """Text of a table as people write it: months by their names, minus signs, and none before a nought."""
    said = re.sub(r"\b\d{4}-(0[1-9]|1[0-2])\b(?!-)", lambda found: day(f"{found[0]}-01"), said)
    said = re.sub(r"(?<![\w.])-(?=0(?![\d.]))", "", said)
    return re.sub(r"(?<![\w.])-(?=[£\d])", MINUS, said)


def words(label: str) -> str:
    """A quantity, or another id, as people say it."""
    text = QUANTITIES.get(label, label.replace("_", " "))
    return text[:1].upper() + text[1:]


def inside(text: str) -> str:
    """The same in the middle of a sentence."""
    return text if text.startswith(PROPER) else text[:1].lower() + text[1:]


def joined(texts: Iterable[str]) -> str:
    """A list as people write it: "a, b and c"."""
    found = list(texts)
    return " and ".join([", ".join(found[:-1]), found[-1]]) if len(found) > 1 else "".join(found)


def day(date: Any) -> str:
    """A date as people write it, "31 March 2028"; the first of a month is the month alone."""
    stamp = pd.Timestamp(date)
    month = stamp.strftime("%B %Y")
    return month if stamp.day == 1 else f"{stamp.day} {month}"


# -- numbers ------------------------------------------------------------------------------------------------


class Scale:
    """How the numbers of one row are written: alike, so that they can be compared.

    Parameters
    ----------
    unit : str
        As in the tables.
    values : numbers
        All that are shown together, the middle first; they decide on thousands, millions and decimals.
    level : bool
        A level, not a difference: shares are per cent, not points.
    """

    def __init__(self, unit: str, values: Iterable[float], level: bool = False) -> None:
        known = [abs(float(v)) for v in values if pd.notna(v)]
        largest = max(known, default=0.0) * FACTORS.get(unit, 1.0)
        self.factor, self.before, self.after = FACTORS.get(unit, 1.0), "", WORDS.get(unit, unit)
        if unit in FACTORS and level:
            self.after = "%"
        if unit.startswith("GBP"):
            rest = unit.removeprefix("GBP").replace(" per year", " a year").replace(" per month", " a month")
            usual = max(known[0], largest / 10.0) if known else 0.0  # one far end does not decide
            big, name = (1e6, "million") if usual >= 1e6 else (1e3, "thousand") if usual >= 1e4 else (1, "")
            self.factor, self.before, self.after = 1.0 / big, "£", f"{name}{rest}".strip()
            largest /= big
        self.digits = 0 if largest >= 100 or largest == 0 else 1 if largest >= 1 else 2
        if unit == "ratio" or (unit in FACTORS and 0 < largest < 0.1):
            self.digits = 2 if level else 3

    def number(self, value: float, signed: bool = False) -> str:
        """The number without its unit."""
        if pd.isna(value):
            return "–"
        text = f"{abs(value) * self.factor:,.{self.digits}f}"
        zero = not text.strip("0.,")
        sign = "" if zero else MINUS if value < 0 else "+" if signed else ""
        return f"{sign}{self.before}{text}"

    def span(self, low: float, high: float, signed: bool = False) -> str:
        """The ends of an interval, "4 to 21"; of money with thousand or million behind."""
        return f"{self.number(low, signed)} to {self.number(high, signed)} {self.size}".strip()

    @property
    def size(self) -> str:
        """The word "thousand" or "million" of money; else empty."""
        return self.after.split(" ")[0] if self.after.startswith(("thousand", "million")) else ""

    def with_unit(self, text: str) -> str:
        """Text with the unit behind."""
        return f"{text} {self.after}".strip()


def has_spread(row: Mapping[Any, Any]) -> bool:
    """Whether a row has percentiles over draws."""
    return all(pd.notna(row.get(name)) for name in ("median", "p5", "p95"))


def centre(row: Mapping[Any, Any], other: str = "difference") -> float:
    """The median, or the central number where no draw was run."""
    return float(row["median"] if has_spread(row) else row[other])


def change(row: Mapping[Any, Any], more: str = "more", less: str = "less") -> str:
    """A difference with its interval, in words.

    Parameters
    ----------
    row : mapping
        unit, difference, median, p5, p95.
    more, less : str
        What a positive and a negative difference is called.

    Returns
    -------
    str
        "12 FTE more (4 to 21)", "2 FTE more (from 3 less to 7 more)", "no difference".
    """
    middle = centre(row)
    if not has_spread(row):
        scale = Scale(str(row["unit"]), [middle])
        if middle == 0.0 or np.isnan(middle):
            return "no difference" if middle == 0.0 else "not known"
        return (
            f"{scale.with_unit(scale.number(abs(middle)))} {more if middle > 0 else less} (no range was run)"
        )
    low, high = float(row["p5"]), float(row["p95"])
    if low == high == middle == 0.0:
        return "no difference at all"
    scale = Scale(str(row["unit"]), [middle, low, high])
    first = f"{scale.with_unit(scale.number(abs(middle)))} {more if middle >= 0 else less}"
    if low >= 0.0 or high <= 0.0:
        near, far = sorted((abs(low), abs(high)))
        return f"{first} ({scale.span(near, far)})"
    ends = [f"{scale.number(abs(end))} {scale.size}".strip() for end in (low, high)]
    return f"{first} (from {ends[0]} {less} to {ends[1]} {more})"


def chance(row: Mapping[Any, Any], rows: str) -> str:
    """In how many of the draws, or futures, the scenario does better; empty where that is not known."""
    p = row.get("p_better")
    return "" if pd.isna(p) else f"better in {share(float(p))} of the {rows}"


def plain(value: float) -> str:
    """A number with three digits, and a minus that is one."""
    return f"{value:.3g}".replace("-", MINUS)


def share(value: float) -> str:
    """A share as per cent, never rounded to certainty."""
    if pd.isna(value):
        return "–"
    whole = round(100 * value)
    text = f"{MINUS if whole < 0 else ''}{abs(whole)}\N{NO-BREAK SPACE}%"
    if whole == 100 and value < 1.0:
        return "more than 99\N{NO-BREAK SPACE}%"
    return "less than 1\N{NO-BREAK SPACE}%" if whole == 0 and value > 0.0 else text
