"""Predictions of candidates by the engine: all rows of a batch are draws of one table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import ndtr

from pharmsim.calibration.likelihood import Observed, Predicted
from pharmsim.calibration.model import Calibration, own_parameters
from pharmsim.calibration.readings import Over, Record, Shape, reading
from pharmsim.compiled.arrays import Floats, Ints
from pharmsim.compiled.draws import Draws, sample, uncertain
from pharmsim.errors import InputError, RunError
from pharmsim.scenario.values import Range, Value
from pharmsim.study.blocks import run_block

MOST = 256
"""Rows that are run together."""


class Simulation:
    """The scenario of a calibration as a function of z.

    Parameters
    ----------
    calibration : Calibration
    threads : int, optional
        By default one for each core.
    """

    def __init__(self, calibration: Calibration, threads: int | None = None) -> None:
        from pharmsim.study.ensemble import How

        self.calibration, self.names = calibration, calibration.names
        self.threads = How(threads=threads).n_threads
        scenario = calibration.scenario
        central = sample(scenario)
        columns = (*central.names, *own_parameters(calibration.observations))
        self._central = replace(central, names=columns, u=np.full((1, len(columns)), np.nan))
        self._at = [columns.index(name) for name in self.names]
        shape = Shape.of(scenario)
        self._readings = _readings(calibration, shape)
        self._last = max(shape.ends(target)[1] for target in calibration.targets)
        of_each = [one for one in calibration.observations for _ in one.targets]
        self.observed = Observed(
            np.array([target.value for target in calibration.targets]),
            tuple(one.model for one in of_each),
            np.array([one.df for one in of_each]),
            np.array([one.weight for one in of_each]),
        )
        self._errors = np.concatenate([one.errors for one in calibration.observations])
        self._counts = [len(one.targets) for one in calibration.observations]

    def table(self, z: Floats) -> Draws:
        """Candidates as rows of a table of draws; uncertainties that are no parameter stay central."""
        z = np.atleast_2d(z)
        u = np.full((len(z), len(self._central.names)), np.nan)
        u[:, self._at] = ndtr(z)
        return replace(self._central, u=u)

    def predict(self, z: Floats) -> Predicted:
        """Predictions of candidates, with their scatter."""
        z = np.atleast_2d(z)
        table = self.table(z)
        raw = np.empty((len(z), self.observed.value.size))
        for first in range(0, len(z), MOST):
            raw[first : first + MOST] = self._run(table.block(first, first + MOST))
        given = {key: self._numbers(key, table, rest) for key, rest in REST.items()}
        mean = raw * given["ratio"] + given["shift"]
        return Predicted(mean, np.hypot(self._errors, given["discrepancy"]), given["dispersion"])

    def _numbers(self, key: str, table: Draws, rest: float) -> Floats:
        """A number of the observations for every candidate and target; what has none has `rest`."""
        columns = [
            table.values(one.numbers[key]) if key in one.numbers else np.full(table.n, rest)
            for one in self.calibration.observations
        ]
        return np.repeat(np.column_stack(columns), self._counts, axis=1)

    def _run(self, table: Draws) -> Floats:
        """Measures of every row; not a number where the model cannot run."""
        try:
            output = run_block(
                self.calibration.scenario, table, tags=False, last=self._last, threads=self.threads,
                keep_state=False,
            )  # fmt: skip
        except (InputError, RunError):
            if table.n == 1:
                return np.full((1, self.observed.value.size), np.nan)
            middle = table.n // 2
            return np.concatenate(
                [self._run(table.block(0, middle)), self._run(table.block(middle, table.n))]
            )
        return self._read(output.record)

    def _read(self, record: Record) -> Floats:
        out = np.empty((len(record["headcount"]), self.observed.value.size))
        with np.errstate(divide="ignore", invalid="ignore"):
            for at, read in self._readings:
                out[:, at] = read(record)
        return out

    def values(self, z: Floats) -> dict[str, Floats]:
        """Of each parameter the first number that it moves, shape (candidates,)."""
        table = self.table(z)
        first = self.first_numbers()
        return {
            name: table.values(node) if isinstance(node, Value) else table.factors(node)
            for name, node in first.items()
        }

    def first_numbers(self) -> dict[str, Value | Range]:
        """The first number, or relative range, that each parameter moves."""
        found: dict[str, Value | Range] = {}
        for node in uncertain(self.calibration.scenario):
            found.setdefault(node.uncertainty or "", node)
        found |= own_parameters(self.calibration.observations)
        return {name: found[name] for name in self.names}


REST = {"ratio": 1.0, "shift": 0.0, "discrepancy": 0.0, "dispersion": 1.0}
"""Numbers of an observation that does not give them."""


def _readings(calibration: Calibration, shape: Shape) -> list[tuple[Ints, Over]]:
    """How to read every target: positions among all targets, and their common reading."""
    found: dict[tuple[str, tuple[tuple[str, tuple[str, ...]], ...]], list[int]] = {}
    i = 0
    for one in calibration.observations:
        for target in one.targets:
            found.setdefault((one.measure, tuple(sorted(one.selection(target).items()))), []).append(i)
            i += 1
    targets = calibration.targets
    return [
        (np.array(at), reading(shape, measure, dict(where), [targets[j] for j in at]))
        for (measure, where), at in found.items()
    ]
