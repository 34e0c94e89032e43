"""Numbers and dates as publishers write them."""

from __future__ import annotations

import calendar
import datetime as dt
import math
import re
from collections.abc import Callable

import pandas as pd

from pharmsim.errors import InputError
from pharmsim.published.quality import SHOWN

MISSING = frozenset(
    ("", "-", "–", "*", "..", ":", "null", "na", "n/a", "nd", "nan", "c", "x", "z", "[c]", "[x]", "[z]")
)
"""What stands for a number that is not published, in lower case."""
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def numbers(text: pd.Series, file: str, column: str) -> pd.Series:
    """Numbers of a column: commas in thousands, per cent, nothing where none is published.

    Raises
    ------
    InputError
        If a cell is neither a number nor a sign for a missing one.
    """
    known = {value: _number(value) for value in text.unique()}
    bad = [value for value, number in known.items() if number is None]
    if bad:
        shown = ", ".join(f"`{value}`" for value in bad[:SHOWN])
        raise InputError(
            f"{file}: column `{column}` must hold numbers; found {shown}. "
            "If the publisher marks missing numbers so, replace the mark by an empty cell."
        )
    return text.map(known).astype(float)


def _number(text: str) -> float | None:
    if text.strip().lower() in MISSING:
        return float("nan")
    plain = text.replace(",", "").strip()
    try:
        number = float(plain[:-1]) / 100 if plain.endswith("%") else float(plain)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def dates(text: pd.Series, file: str, column: str) -> pd.Series:
    """Dates as ``2025-10-31``; a month is its last day. Days stand before months, as in Britain.

    Raises
    ------
    InputError
        If a cell is no date in a style that is known.
    """
    return _mapped(
        text, date, f"{file}: column `{column}` must hold dates such as 2025-10-31, 31/10/2025 or Oct-25"
    )


def periods(text: pd.Series, file: str, column: str) -> pd.Series:
    """First and last month of ``202410 to 202510``, as pairs of dates (the last days of the months)."""
    return _mapped(text, _period, f"{file}: column `{column}` must hold periods such as 202410 to 202510")


def _mapped(text: pd.Series, function: Callable[[str], object], must: str) -> pd.Series:
    known = {value: function(value) for value in text.unique()}
    bad = [f"`{value}`" for value, found in known.items() if found is None]
    if bad:
        raise InputError(
            f"{must}; found {', '.join(bad[:SHOWN])}. Correct the cells, or report a new layout."
        )
    return text.map(known)


def date(text: str) -> str | None:
    """One date, or nothing where the text is none."""
    text = text.strip()
    if match := re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)(?:[T ]00:00(?::00)?)?", text):
        return _day(match[1], int(match[2]), match[3])
    if match := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text):
        return _day(match[3], int(match[2]), match[1])
    if match := re.fullmatch(r"(\d{1,2})[- ]([A-Za-z]{3,9})[- ](\d{4}|\d\d)", text):
        return _day(match[3], _month(match[2]), match[1])
    if match := re.fullmatch(r"([A-Za-z]{3,9})[- ](\d{4}|\d\d)", text):
        return _day(match[2], _month(match[1]), None)
    if match := re.fullmatch(r"(\d{4})-?(\d\d)", text):
        return _day(match[1], int(match[2]), None)
    return None


def _month(name: str) -> int:
    return MONTHS.index(name[:3].lower()) + 1 if name[:3].lower() in MONTHS else 0


def _day(year: str, month: int, day: str | None) -> str | None:
    number = int(year) + (2000 if len(year) == 2 else 0)
    if not 1 <= month <= 12 or number < 1900:
        return None
    last = calendar.monthrange(number, month)[1]
    if day is not None and not 1 <= int(day) <= last:
        return None
    return dt.date(number, month, last if day is None else int(day)).isoformat()


def _period(text: str) -> tuple[str, str] | None:
    parts = [date(part) for part in re.split(r"\s+to\s+", text.strip())]
    return (parts[0], parts[1]) if len(parts) == 2 and parts[0] and parts[1] else None


def first_day(month_end: str) -> str:
    """First day of a month of which any day is given."""
    return month_end[:8] + "01"


def day_after(day: str) -> str:
    """The day after a day."""
    return (dt.date.fromisoformat(day) + dt.timedelta(days=1)).isoformat()
