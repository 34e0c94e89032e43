"""The shape of a calibration file: what people write."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from pharmsim.scenario.values import Frozen, Of, Value


def _listed(written: Any) -> Any:
    return [written] if isinstance(written, str | int) else written


FEWEST_WALKERS = 8
"""Walkers that moves by the differences of others need, half of them at a time."""
Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""One name, or a list of them."""


class ObservationForm(Frozen):
    """Targets of one kind, how the model predicts them, and how they scatter.

    `targets` is a file, of which `series` are taken, from the date `from` to the date `to`. `measure`
    is predicted for what `where` selects (without it, for the role, environment and place of each target);
    prediction = measure × `ratio` + `shift`. The relative standard deviation is that of the `error` and of
    the `discrepancy` together; for `negative_binomial` the variance is mean + mean² / `dispersion`. A
    `ratio`, `shift`, `discrepancy` or `dispersion` with low and high is a parameter itself, named
    ``<name>.ratio`` … `weight` multiplies the log likelihood.
    """

    name: str
    targets: str
    series: Names = Field(min_length=1)
    measure: str = ""
    where: dict[str, Names] = Field(default_factory=dict)
    model: Literal["normal_log", "student_log", "negative_binomial", "normal"] = "normal_log"
    df: float = Field(default=4.0, ge=1.0)
    error: Annotated[Value, Of("share")] | None = None
    discrepancy: Annotated[Value, Of("share")] | None = None
    dispersion: Annotated[Value, Of("positive")] | None = None
    ratio: Annotated[Value, Of("positive")] | None = None
    shift: Annotated[Value, Of("amount")] | None = None
    weight: float = Field(default=1.0, gt=0.0)
    from_: date | None = Field(default=None, alias="from")
    to: date | None = None
    note: str = ""

    def takes(self, first: date, last: date) -> bool:
        """Whether a target from `first` to `last` lies between `from` and `to`."""
        return (self.from_ is None or first >= self.from_) and (self.to is None or last <= self.to)


class PriorForm(Frozen):
    """Earlier calibrations, whose posteriors are the priors of the parameters that they have."""

    from_: Names = Field(alias="from", min_length=1)


class Sampler(Frozen):
    """How the posterior is sampled.

    Attributes
    ----------
    ensembles : int
        Independent ensembles of walkers, at least 4.
    walkers : int
        Of an ensemble, at least `FEWEST_WALKERS`; 0 for as many as the parameters need.
    warm_up : int
        Steps that are thrown away; the proposals are fitted to their second half.
    steps : int
        At most, of every walker, behind the warm-up.
    ess : int
        Effective samples of every parameter at which sampling ends, if R-hat is small enough too.
    seed : int
    """

    ensembles: int = Field(default=4, ge=4)
    walkers: int = Field(default=0, ge=0)
    warm_up: int = Field(default=100, ge=0)
    steps: int = Field(default=5000, ge=10)
    ess: int = Field(default=1000, ge=1)
    seed: int = Field(default=1, ge=0)

    @field_validator("walkers")
    @classmethod
    def _enough(cls, n: int) -> int:
        if 0 < n < FEWEST_WALKERS:
            raise ValueError(f"must be {FEWEST_WALKERS} or more, or 0 for as many as the parameters need")
        return n


class CalibrationForm(Frozen):
    """A calibration file."""

    name: str
    title: str = ""
    description: str = ""
    scenario: str
    geography: str
    parameters: Names = Field(default=("all",), min_length=1)
    priors: PriorForm | None = None
    observations: tuple[ObservationForm, ...] = Field(min_length=1)
    sampler: Sampler = Sampler()
    backtest: dict[str, Any] = Field(default_factory=dict)
