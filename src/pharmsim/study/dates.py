"""Dates as people ask for them: "31 March 2028", "March 2028", "2028-03-31"."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from pharmsim.errors import Problem, ScenarioError
from pharmsim.scenario import text
from pharmsim.scenario.marks import quoted
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.text import FormError

_DAY = re.compile(r"(?P<day>\d{1,2})\s+(?P<name>[A-Za-z]+)\s+(?P<year>\d{4})")
_ISO = re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})")
_YEAR = re.compile(r"\d{4}")
LIKE = "`31 March 2028`, `2028-03-31`, `March 2028` or `2028`"


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
    parts = match.groupdict() if match else {}
    if match:
        asked = f"{parts['name']} {parts['year']}" if "name" in parts else asked[:7]
    try:
        month = text.month(asked)
    except FormError:
        raise FormError(f"must be a date such as {LIKE}; got {quoted(written.strip())}") from None
    if not match:
        return np.datetime64(month, "ns")
    try:
        day = date(int(month[:4]), int(month[5:]), int(parts["day"]))
    except ValueError:
        raise FormError(
            f"must be a day of the calendar, such as `31 March 2028`; got {quoted(written)}"
        ) from None
    after = day + timedelta(days=1)
    return np.datetime64((after if after.day == 1 else day).replace(day=1), "ns")


STRATEGY_END = "31 March 2028"
STRATEGY_YEAR = 2025
"""The People Strategy 2023 to 2028 ends in March 2028; its own target for retention was for 2025."""
MONTHS_AFTER_START = 24


def target_dates(scenario: Scenario, asked: Sequence[str] = ()) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the month starts by which targets are to be reached.

    Parameters
    ----------
    scenario : Scenario
    asked : sequence of str
        By default the end of the People Strategy, 31 March 2028, and 24 months after the start; the end of
        the run if neither is inside it.

    Returns
    -------
    dates : ndarray of datetime64[ns]
    notes : tuple of str
        What there is to say about them.

    Raises
    ------
    ScenarioError
        If a date has passed when the run starts, is after its end, or is no date.
    """
    first, last = (np.datetime64(month, "ns") for month in (scenario.start, scenario.end))
    if asked:
        return _asked(asked, first, last), ()
    later = (first.astype("datetime64[M]") + MONTHS_AFTER_START).astype("datetime64[ns]")
    found = sorted({date for date in (read_date(STRATEGY_END), later) if first < date <= last})
    said = f"{STRATEGY_YEAR}, the year of the People Strategy's own target, has passed: the run starts in "
    passed = (said + month_of(first),) if int(scenario.start[:4]) >= STRATEGY_YEAR else ()
    return np.array(found or [last]), passed


def _asked(asked: Sequence[str], first: np.datetime64, last: np.datetime64) -> np.ndarray:
    bad, found = [], set()
    inside = f"the run goes from {month_of(first)} to {month_of(last)}"
    for written in asked:
        try:
            date = read_date(written)
        except FormError as error:
            bad.append(f"{error}")
            continue
        if date <= first:
            bad.append(f"{written.strip()} has passed: {inside}. Give a later date")
        elif date > last:
            bad.append(f"{written.strip()} is after the end: {inside}. Give an earlier date")
        found.add(date)
    if bad:
        raise ScenarioError(Problem("solve", 0, "--by", message) for message in bad)
    return np.array(sorted(found))


def month_of(date: np.datetime64) -> str:
    """A month as people write it in full: "April 2028"."""
    number = int(date.astype("datetime64[M]").astype(int))
    return f"{text.MONTHS[number % 12]} {1970 + number // 12}"
