"""Uncertainties in words: by the rows of their tables, not by the position of these."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from pharmsim.results.assumptions import Assumption

POSITION = re.compile(r"\[(\d+)\]")
ROW = re.compile(r"(?:\.terms\[(\d+)\])?(?:\[(\d+)\])?$")
"""Where a number stands in its table, at the end of its id: factor, row."""
NUMERIC = ("age", "years_past_pension_age")
"""Axes that are named beside their labels, which are only numbers."""


def titles(items: Sequence[Assumption]) -> dict[str, str]:
    """Name every uncertainty in words, each differently.

    Parameters
    ----------
    items : sequence of Assumption
        All numbers of the scenario.

    Returns
    -------
    dict of str
        By uncertainty: a name that somebody gave in words; what is named by its position is told by the
        cells that it applies to, "leaving, other system, rate (night)".
    """
    rows: dict[str, list[Assumption]] = {}
    for item in items:
        if item.uncertainty and item.low != item.high:
            rows.setdefault(item.uncertainty, []).append(item)
    tables = {ROW.sub("", item.id) for item in items if item.where}
    found = {name: _title(name, each, tables) for name, each in rows.items()}
    times = Counter(found.values())
    return {name: text if times[text] == 1 else f"{text}, {words(name)}" for name, text in found.items()}


def is_factor(item: Assumption) -> bool:
    """Whether a number multiplies the others of its table."""
    found = ROW.search(item.id)
    return bool(found and found[1] and int(found[1]))


def words(name: str) -> str:
    """The name of an uncertainty, or a key path, as people say it.

    Examples
    --------
    >>> words("interventions[flexible_working].effects[leaving].times"), words("leaving_ratio")
    ('flexible working, effects: leaving, times', 'leaving ratio')
    """
    if name.startswith("interventions["):
        name = name.removeprefix("interventions[").replace("]", "", 1)
    text = re.sub(
        r"(?:edges)?\[([^\]]*)>([^\]]*)\]", lambda ends: f"{_plain(ends[1])} to {_plain(ends[2])}", name
    )
    text = text.replace(".", ", ").replace("_", " ")
    text = re.sub(r"\[(\d{1,3})\]", lambda at: f", no. {int(at[1]) + 1}", text)  # four digits are a year
    return text.replace("]", "").replace("[", ": ")


def _plain(label: str) -> str:
    return label.strip().replace(".", " ").replace("_", " ")


def _title(name: str, rows: Sequence[Assumption], tables: set[str]) -> str:
    """The name of an uncertainty that moves `rows`; `tables` are the paths of all tables with cells."""
    if not POSITION.search(name):
        return words(name)
    first, path = rows[0], ROW.sub("", rows[0].id)
    axes = dict.fromkeys(axis for row in rows for axis, _ in _cells(row))
    if not axes and path not in tables:
        return words(first.id)
    text = words(POSITION.sub("", path)) + (", factor" if is_factor(first) else "")
    if len(rows) == 1:
        return f"{text} ({', '.join(_label(*cell) for cell in _cells(first)) or 'all others'})"
    return f"{text} by {_plain(' and '.join(axes))}" if axes else f"{text}, {len(rows)} numbers"


def _cells(item: Assumption) -> list[tuple[str, str]]:
    """Axes and labels of the cells that a number applies to."""
    parts = (part.partition(" = ") for part in item.where.split("; ") if part)
    return [(axis, label) for axis, _, label in parts]


def _label(axis: str, label: str) -> str:
    return f"{_plain(axis)} {label}" if axis in NUMERIC else _plain(label)
