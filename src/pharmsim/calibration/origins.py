"""What a calibration file says of its back-test, and a scenario as it was known at an origin.

A forecast must not use what was published after its origin. Targets after it are not counted; inputs of
the scenario that became known later are taken back by the entries of `known_later`.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from pharmsim.calibration.targets import month_after
from pharmsim.errors import InputError, ScenarioError
from pharmsim.scenario import Scenario, from_dict
from pharmsim.scenario.paths import targets
from pharmsim.scenario.problems import Problems, translate
from pharmsim.scenario.text import FormError
from pharmsim.scenario.values import Frozen, Series

MISSING = (
    "must say which series are forecast — the file has no such section — write at least `backtest: {series: "
    "[{observation: …}]}`, with the name of an observation of stocks (docs/guides/calibrate.md, “The "
    "back-test”); a calibration with `priors` cannot be back-tested"
)


class Judged(Frozen):
    """A series that is forecast: an observation, and earlier figures that only the rivals get."""

    observation: str
    title: str = ""
    earlier: tuple[str, ...] = ()


class Later(Frozen):
    """An input that became known later than what it speaks of.

    Either every number of a series is known `months` after its date; or at origins before a date something
    else stands at the path (of a series: the points that are named).
    """

    path: str = Field(alias="set")
    months: Annotated[int, Field(ge=0)] | None = None
    to: Any = None
    before: date | None = None
    why: str

    @model_validator(mode="after")
    def _one_of_two(self) -> Later:
        if (self.months is None) == (self.before is None) or (self.before is None) != (self.to is None):
            raise ValueError("must have either `months`, or `to` and `before`")
        return self


class BacktestForm(Frozen):
    """What a calibration file says of its back-test.

    Without `origins`, they are all dates of the judged series from the start of the scenario that leave the
    shortest horizon. Horizons are in years. `drawn` names uncertainties that the calibration does not fit,
    and that forecasts draw from their ranges all the same: those of years to come. `leaks` says what of later
    years is still in the forecasts.
    """

    series: Annotated[tuple[Judged, ...], Field(min_length=1)]
    horizons: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)] = (1, 2, 3, 4)
    origins: tuple[date, ...] = ()
    known_later: tuple[Later, ...] = ()
    drawn: tuple[str, ...] = ()
    leaks: str = ""
    draws: Annotated[int, Field(ge=100, le=100_000)] = 1024
    seed: Annotated[int, Field(ge=0)] = 1


def read_form(written: Any, file: str) -> BacktestForm:
    """Read the key `backtest` of a calibration file.

    Parameters
    ----------
    written : mapping
        What stands under the key; empty if it is not there.
    file : str
        The calibration file, for messages.

    Returns
    -------
    BacktestForm

    Raises
    ------
    ScenarioError
        With everything that is wrong.
    """
    problems = Problems({"backtest": written}, file)
    if not written:
        problems.add(("backtest",), MISSING)
        raise ScenarioError(problems)
    try:
        return BacktestForm.model_validate(written)
    except ValidationError as error:
        problems.tree = written
        translate(error, BacktestForm, problems)
        raise ScenarioError(problems) from None


def as_known(scenario: Scenario, form: BacktestForm, origin: date) -> Scenario:
    """The scenario with the inputs that were known on a day.

    Parameters
    ----------
    scenario : Scenario
    form : BacktestForm
    origin : date
        Last day on which something is known.

    Returns
    -------
    Scenario
        Read anew, with the entries of `known_later` taken back; targets are not part of it.

    Raises
    ------
    InputError
        If a path of `known_later` leads nowhere, or nothing of a series was known.
    """
    data = scenario.model_dump(mode="json", by_alias=True, exclude_none=True)
    for later in form.known_later:
        for path, is_series in _places(scenario, later):
            if later.months is not None:
                _cut(data, path, later, origin)
            elif later.before is not None and origin < later.before:
                _put(data, path, later.to, merge=is_series)
    return from_dict(data)


def _places(scenario: Scenario, later: Later) -> list[tuple[tuple[str | int, ...], bool]]:
    try:
        found = targets(scenario, later.path, whole=True)
    except FormError as error:
        message = "; ".join(text for _, text in error.issues)
        raise InputError(f"backtest.known_later.set — must lead to an input — {message}") from None
    for target in found:
        if later.months is not None and not isinstance(target.node, Series):
            raise InputError(
                f"backtest.known_later.set — must be a series over time to be cut at an origin — {later.path}"
                " is none — give `to` and `before` instead of `months`"
            )
    return [(target.path, isinstance(target.node, Series)) for target in found]


def _cut(data: Any, path: tuple[str | int, ...], later: Later, origin: date) -> None:
    """Leave out what was not known; the last number that was holds from there on."""
    node = _at(data, path)
    year, number = month_after(origin)
    known = {
        day: value
        for day, value in node["points"].items()
        if _months(day) + (later.months or 0) <= 12 * year + number - 1
    }
    if not known:
        raise InputError(
            f"backtest.known_later.set — must leave a number at every origin — nothing of {later.path} was "
            f"known on {origin} — give it an earlier number, or take a later first origin"
        )
    node["points"] = known


def _months(day: str) -> int:
    """Months since year 0 of a year or a month in canonical form: 2019, 2019-07."""
    year, _, number = day.partition("-")
    return 12 * int(year) + int(number or 1) - 1


def _put(data: Any, path: tuple[str | int, ...], new: Any, merge: bool) -> None:
    node, key = _at(data, path[:-1]), path[-1]
    if merge and isinstance(new, dict):
        points = node[key]["points"] | {str(day): value for day, value in new.items()}
        new = {"points": dict(sorted(points.items()))}
    node[key] = new


def _at(data: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        data = data[key]
    return data
