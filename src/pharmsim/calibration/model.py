"""A calibration in memory: a scenario, what of it is uncertain, and what was published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pharmsim.calibration.forms import Sampler
from pharmsim.calibration.targets import Target
from pharmsim.compiled.arrays import Floats
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.values import Value

OWN = ("ratio", "shift", "discrepancy", "dispersion")
"""Numbers of an observation that can be parameters."""


@dataclass(frozen=True)
class Observation:
    """Targets that are predicted and scatter alike.

    Attributes
    ----------
    name : str
    targets : tuple of Target
        In order of date within each series.
    measure : str
    where : mapping of str to tuple of str
        Empty: the role, the environment and the place of each target.
    model : str
        One of `likelihood.MODELS`.
    df, weight : float
    numbers : mapping of str to Value
        `ratio`, `shift`, `discrepancy`, `dispersion` as far as given; each with a range has its name as
        parameter in `uncertainty`.
    errors : float64 array, shape (targets,)
        Relative standard errors of measurement.
    """

    name: str
    targets: tuple[Target, ...]
    measure: str
    where: Mapping[str, tuple[str, ...]]
    model: str
    df: float
    weight: float
    numbers: Mapping[str, Value]
    errors: Floats

    def parameters(self) -> Iterator[Value]:
        """Numbers that are parameters."""
        for value in self.numbers.values():
            if value.low is not None and value.high is not None and value.high > value.low:
                yield value

    def selection(self, target: Target) -> dict[str, tuple[str, ...]]:
        """What of the scenario a target is about."""
        if self.where:
            return dict(self.where)
        own = {"role": target.role, "environment": target.environment, "place": target.place}
        return {key: (name,) for key, name in own.items() if name}


@dataclass(frozen=True)
class Calibration:
    """A calibration: a scenario, what of it is uncertain, and what was published.

    Attributes
    ----------
    name, title, description, file, geography : str
    scenario : Scenario
    parameters : tuple of str
        Uncertainties of the scenario that are fitted.
    observations : tuple of Observation
    mean, covariance : float64 array, shape (parameters,), (parameters, parameters)
        Normal prior of all parameters, those of the observations behind those of the scenario.
    sampler : Sampler
    backtest : mapping
        As written.
    files : mapping of str to str
        Files that were read, with their SHA-256.
    """

    name: str
    title: str
    description: str
    file: str
    geography: str
    scenario: Scenario
    parameters: tuple[str, ...]
    observations: tuple[Observation, ...]
    mean: Floats
    covariance: Floats
    sampler: Sampler = field(default_factory=Sampler)
    backtest: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """All parameters."""
        return (*self.parameters, *own_parameters(self.observations))

    @property
    def targets(self) -> tuple[Target, ...]:
        """Targets of all observations in order."""
        return tuple(target for one in self.observations for target in one.targets)


def own_parameters(observations: tuple[Observation, ...]) -> dict[str, Value]:
    """Parameters of observations by name, the first number each; who shares a name shares the parameter."""
    found: dict[str, Value] = {}
    for one in observations:
        for value in one.parameters():
            found.setdefault(str(value.uncertainty), value)
    return found
