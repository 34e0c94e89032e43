"""What happened to everybody, and to every vacancy, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

EVENTS = (
    "in_post", "in_pool", "offered", "in_training", "looks_for_post",
    "enters_pipeline", "enters_stage", "waits_for_place", "drops_out", "sits", "passes", "fails",
    "fails_for_good", "registers", "leaves_area", "gives_up",
    "accepts", "starts", "switches", "changes_employer", "moves", "is_promoted", "takes_role",
    "starts_training", "stops_training", "qualifies", "ends_training",
    "leaves", "retires", "returns", "is_lost",
)  # fmt: skip
"""What can happen. The first five are where somebody is when the log begins."""


class Log:
    """Events in the order in which they happen.

    Parameters
    ----------
    start : int
        Month number of the start.
    """

    def __init__(self, start: int) -> None:
        self._start = start
        self._rows: list[tuple[int, float, str, str, str]] = []
        self._vacancies: list[tuple[int, str, float, float, str, int, float]] = []

    def add(self, person: int, at: float, event: str, from_: str = "", to: str = "") -> None:
        """One event at `at` months since the start."""
        self._rows.append((person, at, event, from_, to))

    def vacancy(
        self, number: int, post: str, opened: float, closed: float, how: str, person: int, first_day: float
    ) -> None:
        """One vacancy that is no more open, or still is (`closed` not a number)."""
        self._vacancies.append((number, post, opened, closed, how, person, first_day))

    def careers(self, names: list[str]) -> pa.Table:
        """The career log: person, date, event, from, to.

        Parameters
        ----------
        names : list of str
            Of all people, by number.
        """
        import pyarrow as pa

        person, at, event, from_, to = zip(*self._rows, strict=True) if self._rows else ((), (), (), (), ())
        dates = self._dates(np.array(at, dtype=float))
        coded = {name: pa.array(column, pa.string()).dictionary_encode() for name, column in
                 (("event", event), ("from", from_), ("to", to))}  # fmt: skip
        who = pa.DictionaryArray.from_arrays(pa.array(person, pa.int32()), pa.array(names, pa.string()))
        return pa.table({"person": who, "date": pa.array(dates), **coded})

    def vacancies(self, names: list[str]) -> pa.Table:
        """Vacancies: number, post, opened, closed, how it ended, person, first day of that person."""
        import pyarrow as pa

        columns = zip(*self._vacancies, strict=True) if self._vacancies else ((),) * 7
        number, post, opened, closed, how, person, first_day = columns
        return pa.table(
            {
                "vacancy": pa.array(number, pa.int32()),
                "post": pa.array(post, pa.string()).dictionary_encode(),
                "opened": pa.array(self._dates(np.array(opened, dtype=float))),
                "closed": pa.array(self._dates(np.array(closed, dtype=float))),
                "ended": pa.array(how, pa.string()).dictionary_encode(),
                "person": pa.array([names[i] if i >= 0 else None for i in person], pa.string()),
                "first_day": pa.array(self._dates(np.array(first_day, dtype=float))),
            }
        )

    def _dates(self, months: np.ndarray) -> np.ndarray:
        """Dates to the second; a month is as long as it is."""
        whole = np.floor(np.nan_to_num(months)).astype(np.int64)
        first = (whole + (self._start - 1970 * 12)).astype("datetime64[M]")
        seconds = (months - whole) * ((first + 1).astype("datetime64[s]") - first.astype("datetime64[s]"))
        dates = first.astype("datetime64[s]") + seconds
        return np.where(np.isnan(months), np.datetime64("NaT"), dates)


def month_name(month: int) -> str:
    """Calendar month of a month number, as in names of people."""
    return f"{month // 12}-{month % 12 + 1:02d}"
