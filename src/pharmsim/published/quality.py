"""Findings on the quality of published numbers, collected while they are read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import pandas as pd

COLUMNS = ("file", "check", "rows", "finding")
SHOWN = 3
"""Rows or names that a finding gives as examples."""
WHOLE = 20
"""So many FTE that are all whole numbers are suspicious."""


@dataclass
class Findings:
    """Findings on one file.

    Attributes
    ----------
    file : str
        Name of the file, shown with each finding.
    rows : list
        `COLUMNS` of each finding.
    """

    file: str
    rows: list[tuple[str, str, int, str]] = field(default_factory=list)

    def add(self, check: str, n: float, text: str) -> None:
        """Note a finding on `n` rows; nothing if there are none."""
        if n:
            self.rows.append((self.file, check, int(n), text))

    def table(self) -> pd.DataFrame:
        """All findings, one a row."""
        return pd.DataFrame(self.rows, columns=list(COLUMNS))


def where(rows: pd.Series) -> str:
    """Row numbers of a file as examples: ``rows 7, 9, 12 …``."""
    shown = [f"{int(row):,}" for row in rows[:SHOWN]]
    return f"row{'s' * (len(shown) > 1)} {', '.join(shown)}{' …' * (len(rows) > SHOWN)}"


def names(values: pd.Series | list[str]) -> str:
    """Names as examples, the most frequent first."""
    counted = pd.Series(values).value_counts()
    shown = [f"{name} ({n:,})" for name, n in counted.head(SHOWN).items()]
    return ", ".join(shown) + " …" * (len(counted) > SHOWN)


def check_rows(rows: pd.DataFrame, individual: bool, found: Findings) -> pd.DataFrame:
    """Check single numbers; returns the rows with what was found added to their `flag`.

    Parameters
    ----------
    rows : DataFrame
        A long table of the roles asked for.
    individual : bool
        A row is a person or a service.
    found : Findings
        Takes what is found.
    """
    out = rows.copy()
    fte = out["unit"] == "fte"
    negative = (out["value"] < 0) & (out["measure"] != "vacancy_fte")
    _tell(out, negative, "negative", "negative", "; kept as published", found)
    missing = out["value"].isna()
    text = f"no number published; counted as nothing ({where(out.loc[missing, 'row'])})"
    found.add("suppressed", missing.sum(), text)
    _mark(out, missing, "suppressed")
    if individual:
        _check_people(out, fte, found)
    else:
        _check_whole(out, found)
    return out


def _check_people(out: pd.DataFrame, fte: pd.Series, found: Findings) -> None:
    """Rows that are persons: above 2 FTE, alike, without identifier."""
    nameless = out["identifier"] == ""
    large = fte & (out["value"] > 2)
    text = f", {int((large & nameless).sum()):,} without identifier (a service, no person); kept as published"
    _tell(out, large, "above 2 FTE", "above_2", text, found)
    alike = fte & (out["alike"] != "")
    text = (
        f", alike in every column, {int((alike & ~nameless).sum()):,} with an identifier; kept as published"
    )
    _tell(out, alike, "duplicates", "duplicates", text, found)
    text = ", contracted services: counted in FTE, in no headcount"
    _tell(out, fte & nameless, "without identifier", "no_identifier", text, found)


def _check_whole(out: pd.DataFrame, found: Findings) -> None:
    """FTE that are all whole numbers are likely to be headcounts."""
    fte = out["measure"] == "fte"
    values = out.loc[fte, "value"].dropna()
    whole = len(values) >= WHOLE and bool((values == values.round()).all())
    text = "every FTE is a whole number: it may be a headcount. Ask the publisher"
    found.add("headcount as FTE?", len(values) * whole, text)
    _mark(out, fte & whole, "headcount_as_fte")


def _tell(out: pd.DataFrame, rows: pd.Series, check: str, flag: str, text: str, found: Findings) -> None:
    """A finding with its sum and examples, and its flag on the rows."""
    total = out.loc[rows, "value"].sum()
    found.add(check, rows.sum(), f"{total:,.2f} in all{text} ({where(out.loc[rows, 'row'])})")
    _mark(out, rows, flag)


def _mark(out: pd.DataFrame, rows: pd.Series, flag: str) -> None:
    """Add a flag to some rows."""
    out.loc[rows, "flag"] = out.loc[rows, "flag"].map(lambda old: join((old, flag)))


def join(flags: Iterable[str]) -> str:
    """Flags as one text, each once, in order of the alphabet.

    Examples
    --------
    >>> join(("proxy;break", "", "break"))
    'break;proxy'
    """
    return ";".join(sorted({word for flag in flags for word in flag.split(";") if word}))
