"""Published series that are judged, and the dates between which they are forecast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from pharmsim.calibration.model import Calibration, Observation
from pharmsim.calibration.origins import Judged
from pharmsim.calibration.targets import Target, read_targets
from pharmsim.compiled.arrays import Floats
from pharmsim.errors import InputError


@dataclass(frozen=True)
class Course:
    """A published series.

    Attributes
    ----------
    name, title, unit : str
    targets : tuple of Target
        In order of date; the earlier figures first.
    """

    name: str
    title: str
    unit: str
    targets: tuple[Target, ...]

    @property
    def values(self) -> dict[date, float]:
        """Published value of each date."""
        return {target.date: target.value for target in self.targets}

    def until(self, origin: date) -> tuple[Floats, Floats]:
        """Times in years and values up to an origin, each of shape (n,).

        Parameters
        ----------
        origin : date
            Last day that counts.

        Returns
        -------
        times : float64 array, shape (n,), years
            As of `years`.
        values : float64 array, shape (n,), unit of the series
        """
        known = [target for target in self.targets if target.date <= origin]
        return years([target.date for target in known]), np.array([target.value for target in known])


def course(calibration: Calibration, judged: Judged) -> Course:
    """The whole series that is judged, with the earlier figures that stand in the same file.

    Parameters
    ----------
    calibration : Calibration
    judged : Judged
        Names the observation, and the series of earlier figures.

    Returns
    -------
    Course

    Raises
    ------
    InputError
        If there is no such observation or series, or they are not of one unit, geography, role and measure.
    """
    one = observation(calibration, judged.observation)
    file = read_targets(one.targets[0].file)
    own = {target.series for target in one.targets}
    main = sorted((target for target in file if target.series in own), key=lambda target: target.date)
    missing = set(judged.earlier) - {target.series for target in file}
    if missing:
        raise InputError(
            f"backtest.series.earlier — must be series of {one.targets[0].file} — got "
            f"{', '.join(sorted(missing))} — correct the name"
        )
    before = [t for t in file if t.series in judged.earlier and t.date < main[0].date]
    alike = {(t.measure, t.role, t.environment, t.place, t.geography, t.unit) for t in (*before, *main)}
    if len(alike) > 1 or any(target.to for target in main):
        raise InputError(
            f"backtest.series — must be one stock over time: one measure, role, geography and unit — got "
            f"{'; '.join(' '.join(filter(None, each)) for each in sorted(alike))} — judge them apart"
        )
    before.sort(key=lambda target: target.date)
    return Course(one.name, judged.title or one.name, main[0].unit, (*before, *main))


def observation(calibration: Calibration, name: str) -> Observation:
    """An observation by its name.

    Parameters
    ----------
    calibration : Calibration
    name : str

    Returns
    -------
    Observation

    Raises
    ------
    InputError
        If the calibration has none of that name.
    """
    found = [one for one in calibration.observations if one.name == name]
    if not found:
        known = ", ".join(one.name for one in calibration.observations)
        raise InputError(
            f"backtest.series.observation — must be an observation of the calibration — got {name} — write "
            f"one of {known}"
        )
    return found[0]


def years(days: Sequence[date]) -> Floats:
    """Dates as years with fractions, shape (n,).

    Parameters
    ----------
    days : sequence of date

    Returns
    -------
    float64 array, shape (n,), years
        A day is 1/365.25 of a year.

    Examples
    --------
    >>> years([date(2025, 1, 1)]).tolist()
    [2025.0]
    """
    return np.array([day.year + (day.timetuple().tm_yday - 1) / 365.25 for day in days])


def later(origin: date, n: int) -> date:
    """The same day n years later, 28 February for the 29th.

    Parameters
    ----------
    origin : date
    n : int, years

    Returns
    -------
    date

    Examples
    --------
    >>> later(date(2024, 2, 29), 1).isoformat()
    '2025-02-28'
    """
    try:
        return origin.replace(year=origin.year + n)
    except ValueError:
        return origin.replace(year=origin.year + n, day=28)
