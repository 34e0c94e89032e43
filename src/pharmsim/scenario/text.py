"""Numbers, dates and ages as people write them."""

from __future__ import annotations

import math
import re
from typing import Any

from pharmsim.quantities import KINDS, Kind
from pharmsim.scenario.marks import closest, quoted

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

_NUMBER = r"[+-]?(?:\d{1,3}(?:,\d{3})+(?:\.\d*)?|\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?"
_TEXT = re.compile(
    rf"(?P<pound>£)?\s*(?P<number>{_NUMBER})\s*(?P<percent>%|per\s?cent)?\s*"
    r"(?P<scale>thousand|million|billion)?\s*"
    r"(?P<noun>people|persons?|heads?|jobs|fte(?: per head)?|wte|gbp|weeks?|months?|years?)?\s*"
    r"(?P<period>(?:per|an?|each|/)\s*(?:year|annum|month))?",
    re.IGNORECASE,
)
_AGE = re.compile(r"(\d+)\s*years?\s*(?:and|,)?\s*(\d+)\s*months?", re.IGNORECASE)

_PEOPLE = {"people": 1.0, "person": 1.0, "persons": 1.0, "head": 1.0, "heads": 1.0, "jobs": 1.0}
_TIME = {"month": 1.0, "months": 1.0, "year": 12.0, "years": 12.0}
_WEEK = 12.0 / (365.25 / 7.0)
_SCALE = {"thousand": 1e3, "million": 1e6, "billion": 1e9}
_MONEY = ("money", "money_per_year", "money_per_head", "budget")
_NOUNS: dict[str, dict[str, float]] = {
    "heads": _PEOPLE,
    "heads_per_year": _PEOPLE,
    "fte": {"fte": 1.0, "wte": 1.0},
    "fte_per_head": {"fte": 1.0, "wte": 1.0, "fte per head": 1.0},
    "months": _TIME,
    "duration": _TIME | {"week": _WEEK, "weeks": _WEEK},
    "age": {"year": 1.0, "years": 1.0},
    "money": {"gbp": 1.0},
    "money_per_year": {"gbp": 1.0},
    "money_per_head": {"gbp": 1.0},
    "budget": {"gbp": 1.0},
    "activity": _PEOPLE,
}
_PERCENT = {
    "hazard", "fast_hazard", "growth", "share", "signed_share", "ratio", "positive", "reference",
    "fte_per_head",
}  # fmt: skip
_OFTEN_PERCENT = _PERCENT - {"ratio", "positive", "reference", "fast_hazard"}


class FormError(Exception):
    """Something written is not understood; carries (key path below the field, message) pairs."""

    def __init__(self, message: str = "", path: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.issues: list[tuple[tuple[str | int, ...], str]] = [(path, message)] if message else []

    def under(self, *path: str | int) -> FormError:
        """Put the issues below `path`."""
        self.issues = [((*path, *where), message) for where, message in self.issues]
        return self


def _example(kind: str) -> str:
    if kind in ("hazard", "fast_hazard", "growth"):
        return " Write for example `9 % per year`"
    if kind in ("share", "signed_share"):
        return " Write for example `70 %`"
    if kind in ("months", "duration"):
        return " Write for example `18 months`"
    return ""


def number(written: Any, kind: str, *, bare: bool = False) -> float:
    """Return a number in the unit of its kind.

    Parameters
    ----------
    written : int, float or str
        What is written: ``0.7``, ``70 %``, ``9 % per year``, ``18 months`` …
    kind : str
        A key of `pharmsim.quantities.KINDS`.
    bare : bool
        The number stands alone, as people write it: a hazard above 1 then needs its unit.

    Returns
    -------
    float
        The number in the canonical unit, inside the bounds of the kind.
    """
    rule = KINDS[kind]
    plain = isinstance(written, int | float) and not isinstance(written, bool)
    if plain:
        value = float(written) if abs(written) < 1e300 else math.inf
    elif isinstance(written, str):
        value, plain = _from_text(written.strip(), kind, rule)
    else:
        raise FormError(f"must be {rule.text}; got {shown_short(written)}.{_example(kind)}")
    if not math.isfinite(value):
        raise FormError(f"must be {rule.text}; got {shown_short(written)}, which is not a finite number")
    if not rule.low <= value <= rule.high:
        raise FormError(f"must be {rule.text}; got {shown_short(written)}.{_meant(value, kind, plain)}")
    if kind == "hazard" and bare and plain and value > 1.0:
        raise FormError(
            f"must say its unit when above 1; got {shown_short(written)}. "
            f"Did you mean {value / 100:g} ({value:g} %)? If not, write `{value:g} per year`"
        )
    if kind == "months" and abs(value - round(value)) > 1e-9:
        raise FormError(f"must be a whole number of months; got {shown_short(written)}")
    return value


def signed(written: Any, kind: str) -> float:
    """Return an amount to be added to a number of a kind: the same units, any sign, no bounds."""
    if isinstance(written, int | float) and not isinstance(written, bool):
        value = float(written) if abs(written) < 1e300 else math.inf
    elif isinstance(written, str):
        value, _ = _from_text(written.strip(), kind, KINDS[kind])
    else:
        value = math.nan
    if not math.isfinite(value):
        raise FormError(f"must be a number ({KINDS[kind].unit}); got {quoted(written)}")
    return value


def shown_short(written: Any) -> str:
    """Return what was written, for the end of a message."""
    return quoted(written)


def _meant(value: float, kind: str, plain: bool) -> str:
    rule = KINDS[kind]
    if plain and kind in _OFTEN_PERCENT and rule.low <= value / 100 <= min(rule.high, 1.0):
        return f" Did you mean {value / 100:g} ({value:g} %)?"
    return ""


def _from_text(text: str, kind: str, rule: Kind) -> tuple[float, bool]:
    """Return (number in the unit of the kind, whether no unit was written)."""
    if kind == "age" and (age := _AGE.fullmatch(text)):
        return float(age[1]) + float(age[2]) / 12.0, False
    match = _TEXT.fullmatch(text) if len(text) <= 80 else None
    if match is None:
        raise FormError(f"must be {rule.text}; got {quoted(text)}, which is not a number.{_example(kind)}")
    try:
        value = float(match["number"].replace(",", ""))
    except (ValueError, OverflowError):
        value = math.inf
    value *= _SCALE.get((match["scale"] or "").lower(), 1.0)
    noun = " ".join((match["noun"] or "").lower().split())
    if match["percent"]:
        if kind not in _PERCENT:
            raise FormError(f"must be {rule.text}; got {quoted(text)}, a percentage")
        value /= 100.0
    if noun:
        if noun not in _NOUNS.get(kind, {}):
            raise FormError(f"must be {rule.text}; got {quoted(text)}, in {noun}.{_example(kind)}")
        value *= _NOUNS[kind][noun]
    if match["pound"] and kind not in _MONEY:
        raise FormError(f"must be {rule.text}; got {quoted(text)}, an amount of money")
    if match["period"]:
        if not rule.per:
            raise FormError(f"must be {rule.text}; got {quoted(text)}, a rate in time")
        value *= 12.0 if match["period"].lower().endswith("month") else 1.0
    return value, not (match["percent"] or noun or match["period"] or match["pound"])


def whole_months(written: Any) -> int:
    """Return a whole number of months: ``18 months``, ``2 years``, ``18``."""
    return round(number(written, "months"))


def weeks(written: Any) -> float:
    """Return a number of weeks between 0 and 52: ``6``, ``6 weeks``."""
    match = _WEEKS.fullmatch(str(written).strip()) if isinstance(written, str | int | float) else None
    value = float(match["number"]) if match is not None else math.nan
    if isinstance(written, bool) or not 0.0 <= value <= 52.0:
        raise FormError(
            f"must be a number of weeks between 0 and 52, such as `6 weeks`; got {shown_short(written)}"
        )
    return value


_WEEKS = re.compile(r"(?P<number>\d{1,4}(?:\.\d*)?)\s*(?:weeks?)?", re.IGNORECASE)


def bound(written: Any, lowest: float, highest: float) -> float:
    """Return a bound of a multiplier, which lies around 1: ``0.5``, ``50 %``."""
    value = number(written, "ratio")
    if not lowest <= value <= highest:
        what = f"must be a multiplier between {lowest:g} and {highest:g}, for a multiplier is 1 at the start"
        raise FormError(f"{what}; got {shown_short(written)}")
    return value


def month_name(written: Any) -> str:
    """Return the full name of a calendar month: ``Aug`` → ``August``."""
    text = str(written).strip()
    if text.isdigit() and 1 <= int(text) <= 12:
        return MONTHS[int(text) - 1]
    found = [name for name in MONTHS if len(text) >= 3 and name.lower().startswith(text.lower())]
    if text.lower() == "sept":
        found = ["September"]
    if len(found) != 1:
        raise FormError(f"must be a month such as August; got {quoted(written)}.{closest(text, MONTHS, 0)}")
    return found[0]


FIRST_YEAR, LAST_YEAR = 1900, 2200
_DATES = (
    re.compile(r"(?P<year>\d{4})-(?P<number>\d{1,2})(?:-01)?"),
    re.compile(r"(?P<name>[A-Za-z]+)[\s-]+(?P<year>\d{4})"),
    re.compile(r"1\s+(?P<name>[A-Za-z]+)\s+(?P<year>\d{4})"),
)


def month(written: Any) -> str:
    """Return a month of a year in the form ``2025-10``."""
    text = str(written).strip() if isinstance(written, str) else ""
    for form in _DATES:
        match = form.fullmatch(text)
        if not match:
            continue
        parts = match.groupdict()
        index = int(parts["number"]) if parts.get("number") else MONTHS.index(month_name(parts["name"])) + 1
        if 1 <= index <= 12 and FIRST_YEAR <= int(parts["year"]) <= LAST_YEAR:
            return f"{parts['year']}-{index:02d}"
    example = "must be a month such as `October 2025` or `2025-10`, of a year from"
    raise FormError(f"{example} {FIRST_YEAR} to {LAST_YEAR}; got {quoted(written)}")


_AGES = re.compile(r"(-?\d+)(?:\s*(?:-|to|–|\.\.)\s*(-?\d+)|\s*(\+|and over))?")
_UP_TO = re.compile(r"(?:up to|<=|≤)\s*(-?\d+)")
LOWEST = {"age": 0, "years_past_pension_age": -40}
HIGHEST = {"age": 130, "years_past_pension_age": 40}


def ages(written: Any, key: str = "age") -> str:
    """Return an age or a band of ages in canonical form: ``25``, ``25-34``, ``55+``."""
    text = f"{written:g}" if isinstance(written, float) else str(written).strip().lower()
    up_to = _UP_TO.fullmatch(text)
    match = _AGES.fullmatch(text)
    if up_to:
        low, high, plus = LOWEST[key], int(up_to[1]), None
    elif match:
        low, high, plus = int(match[1]), int(match[2] or match[1]), match[3]
    else:
        raise FormError(f"must be {_age_text(key)}; got {quoted(written)}")
    if not LOWEST[key] <= low <= high <= HIGHEST[key]:
        raise FormError(f"must be {_age_text(key)}, from low to high; got {quoted(written)}")
    return f"{low}+" if plus else str(low) if low == high else f"{low}-{high}"


def _age_text(key: str) -> str:
    if key == "age":
        return "an age or ages such as `25`, `25-34`, `55+`"
    return "years past pension age between -40 and 40 such as `-5`, `0-1`, `3+`"


def age_range(text: str, key: str = "age") -> tuple[int, int]:
    """Return first and last age of a canonical text; an open end is the highest that can occur."""
    if text.endswith("+"):
        return int(text[:-1]), HIGHEST[key]
    match = re.fullmatch(r"(-?\d+)(?:-(-?\d+))?", text)
    assert match is not None, text
    return int(match[1]), int(match[2] or match[1])


_NAME = re.compile(r"\w[\w+\-]*(?:\.\w[\w+\-]*)*")


def name(written: Any, *, dots: bool = False) -> str:
    """Return a name of a role, post …: letters, digits, ``_``, ``-``, ``+`` (and dots in posts)."""
    text = str(written) if isinstance(written, str | int) and not isinstance(written, bool) else ""
    if len(text) > 100 or not _NAME.fullmatch(text) or (not dots and "." in text):
        raise FormError(f"must be a name of letters, digits, `_`, `-` or `+`; got {quoted(written)}")
    return text
