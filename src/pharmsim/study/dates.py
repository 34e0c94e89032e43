"""Dates as people ask for them: "31 March 2028", "March 2028", "2028-03-31"."""

from __future__ import annotations

import re
from datetime import date, timedelta

import numpy as np

from pharmsim.scenario import text
from pharmsim.scenario.marks import quoted
from pharmsim.scenario.text import FormError

_DAY = re.compile(r"(?P<day>\d{1,2})\s+(?P<name>[A-Za-z]+)\s+(?P<year>\d{4})")
_ISO = re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})")
_YEAR = re.compile(r"\d{4}")


def read_date(written: str) -> np.datetime64:
    """Return the month start whose stocks stand for a date.

    Stocks stand on first days. The last day of a month is over when the next begins, so that
    31 March is the stock of 1 April; any other day is that of its month's first. A year is its last day.

    Parameters
    ----------
    written : str
        "31 March 2028", "2028-03-31", "March 2028", "2028-03" or "2028".

    Returns
    -------
    datetime64[ns]

    Raises
    ------
    FormError
        If it is no date.

    Examples
    --------
    >>> [str(read_date(day))[:10] for day in ("31 March 2028", "30 March 2028", "2028")]
    ['2028-04-01', '2028-03-01', '2029-01-01']
    """
    asked = written.strip()
    if _YEAR.fullmatch(asked):
        asked = f"31 December {asked}"
    match = _DAY.fullmatch(asked) or _ISO.fullmatch(asked)
    if match is None:
        return np.datetime64(text.month(asked), "ns")
    parts = match.groupdict()
    month = text.month(f"{parts['name']} {parts['year']}" if "name" in parts else asked[:7])
    try:
        day = date(int(month[:4]), int(month[5:]), int(parts["day"]))
    except ValueError:
        raise FormError(
            f"must be a day of the calendar, such as `31 March 2028`; got {quoted(written)}"
        ) from None
    after = day + timedelta(days=1)
    return np.datetime64((after if after.day == 1 else day).replace(day=1), "ns")
