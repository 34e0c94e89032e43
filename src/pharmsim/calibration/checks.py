"""What must hold of an observation: one definition, unit and geography, and a measure that fits them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from itertools import pairwise

import numpy as np

from pharmsim.calibration.forms import CalibrationForm, ObservationForm
from pharmsim.calibration.model import OWN, Observation
from pharmsim.calibration.readings import MEASURES, Shape, is_flow, selected, unit_of
from pharmsim.calibration.targets import Target
from pharmsim.scenario.marks import closest, quoted
from pharmsim.scenario.problems import Problems
from pharmsim.scenario.uncertainties import is_uncertain, range_text
from pharmsim.scenario.values import Value

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
    kinds = ["definition", "unit", "geography", "measure"]
    kinds += ["role", "environment", "place"] if form.where else []  # all are held against the same people
    for kind in kinds:
        found = list(dict.fromkeys(getattr(target, kind) for target in one.targets))
        if len(found) > 1:
            wrong(
                "series",
                f"must be of one {kind}; got {', '.join(map(quoted, found))}. Make one observation of each",
            )
    _geography(one, form, calibration, wrong)
    for key, number in {"error": form.error, **one.numbers}.items():
        if number is not None and not number.source:
            wrong(key, "must have a `source`")
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
    said = one.targets[0].measure
    if (
        said != one.measure
        and said in MEASURES
        and unit_of(said) == unit
        and is_flow(said) == is_flow(one.measure)
    ):
        wrong(
            "measure",
            f"must be that of the targets, {said}; got {quoted(one.measure)}. Leave it out, or correct the "
            "column `measure` of the targets",
        )
    _scatter(one, form, wrong)


def whom(one: Observation, shape: Shape, wrong: Wrong) -> None:
    """Check that `where` selects whom the targets are about, as far as the scenario has their names."""
    target, posts = one.targets[0], shape.labels("retirements")[0]
    inside = [
        i
        for i in range(len(posts["post"]))
        if all(posts[key][i] in wanted for key, wanted in one.where.items() if key in posts)
    ]
    for key in ("role", "environment", "place"):
        said, labels = getattr(target, key), posts.get(key, [])
        others = dict.fromkeys(labels[i] for i in inside if labels and labels[i] != said)
        if one.where and said in labels and others:
            wrong(
                "where",
                f"must select the {key} of {target.title}, {quoted(said)}, alone; it selects "
                f"{', '.join(map(quoted, others))}. Correct it, or the column `{key}` of the targets",
            )


def apart(observations: Sequence[tuple[int, Observation]], shape: Shape | None, problems: Problems) -> None:
    """Check that no number counts twice, and that two definitions are not held against one prediction."""
    _once(observations, problems)
    if shape is not None:
        _periods(observations, shape, problems)
        _definitions(observations, shape, problems)


def one_range(observations: Sequence[tuple[int, Observation]], problems: Problems) -> None:
    """Check that numbers of observations that share a name, and so are one parameter, have one range."""
    first: dict[str, tuple[str, str]] = {}
    for i, one in observations:
        for key, value in one.numbers.items():
            if is_uncertain(value):
                name, text = str(value.uncertainty), range_text(value)
                where, known = first.setdefault(name, (f"{one.name}.{key}", text))
                if text != known:
                    problems.add(
                        ("observations", i, key),
                        f"must have the range of {where}, {known}, for both are the parameter "
                        f"{quoted(name)}; got {text}. Write one range, or give them different names",
                    )


def place_of(calibration: CalibrationForm, known: Sequence[str], problems: Problems) -> CalibrationForm:
    """The calibration with the geography that is meant, after the report of one that is misspelt.

    One that no target has is not wrong as such: every observation may have a `ratio` to that of its targets.
    """
    written = calibration.geography
    meant = next((name for name in known if _misspelt(written, name)), "")
    if not meant or written in known:
        return calibration
    rule = f"must be written as in the targets, {', '.join(map(quoted, known))}; got {quoted(written)}"
    problems.add(("geography",), f"{rule}. Write {quoted(meant)}")
    return calibration.model_copy(update={"geography": meant})


def _misspelt(one: str, other: str) -> bool:
    """Whether two names differ by one letter or its place, or by capitals: North is not South.

    Examples
    --------
    >>> _misspelt("Englnad", "England"), _misspelt("North London", "South London")
    (True, False)
    """
    one, other = one.casefold(), other.casefold()
    less, too = ({name, *(name[:i] + name[i + 1 :] for i in range(len(name)))} for name in (one, other))
    return bool(less & too)


def _once(observations: Sequence[tuple[int, Observation]], problems: Problems) -> None:
    """No published number may be taken twice."""
    taken: dict[tuple[str, str, date, date | None], str] = {}
    for i, one in observations:
        for target in one.targets:
            key = (target.file, target.series, target.date, target.to)
            if key in taken:
                problems.add(
                    ("observations", i, "series"),
                    f"{target.title} is taken twice, first by {taken[key]}: it would count twice",
                )
                break
            taken[key] = one.name


def _periods(observations: Sequence[tuple[int, Observation]], shape: Shape, problems: Problems) -> None:
    """Periods of one flow and definition must not overlap: a year and its months are the same people."""
    flows: dict[tuple[str, bytes, str], list[tuple[Target, int]]] = {}
    for i, one in observations:
        for target in one.targets:
            if target.to is not None:
                of = (one.measure, selected(shape, one.measure, one.selection(target)), target.definition)
                flows.setdefault(of, []).append((target, i))
    for found in flows.values():
        found.sort(key=lambda pair: (pair[0].date, pair[0].to or pair[0].date))
        for (before, _), (target, i) in pairwise(found):
            same = (before.file, before.series, before.date, before.to)
            if (
                before.to
                and target.date <= before.to
                and same != (target.file, target.series, target.date, target.to)
            ):
                problems.add(
                    ("observations", i, "series"),
                    f"{target.title} overlaps {before.title}: what is in both would count twice. Take one",
                )


def _definitions(observations: Sequence[tuple[int, Observation]], shape: Shape, problems: Problems) -> None:
    """Two definitions cannot both be met by one prediction."""
    first: dict[tuple[str, bytes], Observation] = {}
    for i, one in observations:
        if "ratio" in one.numbers or "shift" in one.numbers:
            continue
        for target in one.targets:
            same = first.setdefault((one.measure, selected(shape, one.measure, one.selection(target))), one)
            definition = same.targets[0].definition
            if definition != target.definition:
                problems.add(
                    ("observations", i, "series"),
                    f"is of the definition {quoted(target.definition)}, {same.name} of {quoted(definition)}; "
                    f"both are held against the same {one.measure}. Give one of them a `ratio` or a `shift`",
                )
                break


def _geography(one: Observation, form: ObservationForm, calibration: CalibrationForm, wrong: Wrong) -> None:
    """Targets of another place than the scenario's need a stated share."""
    found = one.targets[0].geography
    if found != calibration.geography and form.ratio is None:
        of = f"is about {found}; the scenario is about {calibration.geography}"
        wrong("series", f"{of}. Give the `ratio` of the one to the other, with its source")


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
        for target in one.targets:
            if target.value % 1.0:
                wrong("model", f"negative_binomial needs whole numbers; {target.title} is {target.value:g}")
    elif form.dispersion is not None:
        wrong("dispersion", "is for `model: negative_binomial`; leave it out")
    elif (one.errors <= 0.0).any() and _least(discrepancy) <= 0.0:
        at = int(np.argmin(one.errors))
        key = "error" if discrepancy is None else "discrepancy"
        wrong(key, f"{one.targets[at].title}: must be above 0, or have a `discrepancy` that is")
    for target in one.targets:
        if target.value < 0.0 or (target.value == 0.0 and one.model in ("normal_log", "student_log")):
            if one.model != "normal":
                wrong("model", f"{one.model} needs numbers above 0; {target.title} is {target.value:g}")
        elif target.value == 0.0 and one.model == "normal":
            wrong("model", f"errors are relative to the number, and {target.title} is 0; leave it out")


def _least(value: Value | None) -> float:
    """The smallest that a number can be; 0 for none."""
    return 0.0 if value is None else value.value if value.low is None else value.low
