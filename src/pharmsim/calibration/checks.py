"""What must hold of an observation: one definition, unit and geography, and a measure that fits them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from pharmsim.calibration.forms import CalibrationForm, ObservationForm
from pharmsim.calibration.model import OWN, Observation
from pharmsim.calibration.readings import MEASURES, is_flow, unit_of
from pharmsim.calibration.targets import Target
from pharmsim.scenario.marks import closest, quoted

Wrong = Callable[[str, str], None]
"""Key of the observation, message."""


def made(form: ObservationForm, targets: tuple[Target, ...]) -> Observation:
    """The observation that a form describes, unchecked."""
    numbers = {
        key: value.model_copy(update={"uncertainty": value.uncertainty or f"{form.name}.{key}"})
        for key in OWN
        if (value := getattr(form, key)) is not None
    }
    errors = [target.error if form.error is None else form.error.value for target in targets]
    measure = form.measure or targets[0].measure
    return Observation(form.name, targets, measure, form.where, form.model, form.df, form.weight, numbers,
                       np.array(errors))  # fmt: skip


def same_kind(one: Observation, form: ObservationForm, calibration: CalibrationForm, wrong: Wrong) -> None:
    """Check that targets go together, with the measure, and with the model of their scatter."""
    kinds = ["definition", "unit", "geography"]
    kinds += [] if form.where else ["place"]
    kinds += [] if form.measure else ["measure"]
    for kind in kinds:
        found = list(dict.fromkeys(getattr(target, kind) for target in one.targets))
        if len(found) > 1:
            wrong(
                "series",
                f"must be of one {kind}; got {', '.join(map(quoted, found))}. Make one observation of each",
            )
    _geography(one, form, calibration, wrong)
    if one.measure not in MEASURES:
        key = "measure" if form.measure else "targets"
        wrong(
            key, f"must be a measure of pharmsim; got {quoted(one.measure)}.{closest(one.measure, MEASURES)}"
        )
        return
    unit, given = unit_of(one.measure), one.targets[0].unit
    if unit != given and {unit, given} != {"share", "ratio"}:
        wrong(
            "measure",
            f"{one.measure} is in {unit}; the targets are in {given}. Take the measure that was published",
        )
    for target in one.targets:
        if is_flow(one.measure) != (target.to is not None):
            need = "a first and a last day" if is_flow(one.measure) else "one date, and `to` empty"
            wrong("targets", f"{target.title}: {one.measure} needs {need}")
    _scatter(one, form, wrong)


def _geography(one: Observation, form: ObservationForm, calibration: CalibrationForm, wrong: Wrong) -> None:
    """Targets of another place than the scenario's need a stated share."""
    found = one.targets[0].geography
    if found != calibration.geography and form.ratio is None:
        of = f"is about {found}; the scenario is about {calibration.geography}"
        wrong("series", f"{of}. Give the `ratio` of the one to the other, with its source")
    if form.ratio is not None and not form.ratio.source:
        wrong("ratio", "must have a `source`")


def _scatter(one: Observation, form: ObservationForm, wrong: Wrong) -> None:
    """The model of the scatter must be able to make the numbers."""
    discrepancy = one.numbers.get("discrepancy")
    if one.model == "negative_binomial":
        if form.dispersion is None:
            wrong("dispersion", "is missing: variance = mean + mean² / dispersion")
        if form.discrepancy is not None or form.error is not None:
            wrong("model", "takes the scatter of `dispersion` alone; leave `error` and `discrepancy` out")
        if unit_of(one.measure) != "heads":
            wrong("model", f"is for numbers of people; {one.measure} is in {unit_of(one.measure)}")
    elif form.dispersion is not None:
        wrong("dispersion", "is for `model: negative_binomial`; leave it out")
    elif discrepancy is None and (one.errors <= 0.0).any():
        at = int(np.argmin(one.errors))
        wrong("error", f"{one.targets[at].title}: must be above 0, or have a `discrepancy`")
    for target in one.targets:
        if target.value < 0.0 or (target.value == 0.0 and one.model in ("normal_log", "student_log")):
            if one.model != "normal":
                wrong("model", f"{one.model} needs numbers above 0; {target.title} is {target.value:g}")
        elif target.value == 0.0 and one.model == "normal":
            wrong("model", f"errors are relative to the number, and {target.title} is 0; leave it out")
