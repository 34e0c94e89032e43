"""Calibration files: read, and checked before the first iteration."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError

from pharmsim.calibration.checks import apart, made, one_range, place_of, same_kind, whom
from pharmsim.calibration.forms import CalibrationForm, ObservationForm
from pharmsim.calibration.model import Calibration, Observation, own_parameters
from pharmsim.calibration.priors import Earlier, earlier, prior_of
from pharmsim.calibration.readings import ReadingError, Shape, reading
from pharmsim.calibration.targets import Target, read_targets
from pharmsim.compiled.draws import names as uncertainties
from pharmsim.errors import InputError, Problem, ScenarioError
from pharmsim.scenario import load
from pharmsim.scenario.marks import closest, quoted
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.problems import Problems, translate
from pharmsim.scenario.reader import EMPTY, Folder, read_yaml

NOTHING = "is empty: a calibration needs at least a name, a scenario, its geography and observations"


def load_calibration(path: str | os.PathLike[str]) -> Calibration:
    """Read a calibration file, its scenario and its targets.

    Parameters
    ----------
    path : path
        A YAML file; paths in it are relative to it.

    Returns
    -------
    Calibration

    Raises
    ------
    ScenarioError
        With every problem found.

    Examples
    --------
    >>> load_calibration("calibration/gb_register.yaml").names  # doctest: +SKIP
    """
    name = os.path.normpath(os.fspath(path))
    folder = Folder(Path(name).parent)
    found: list[Problem] = []
    try:
        tree = read_yaml(folder, name, found)
    except ScenarioError as error:
        told = [replace(one, message=one.message.replace(EMPTY, NOTHING)) for one in error.problems]
        raise ScenarioError(told) from None
    problems = Problems(tree, name, found)
    try:
        form = CalibrationForm.model_validate(tree)
    except ValidationError as error:
        translate(error, CalibrationForm, problems)
        raise ScenarioError(problems) from None
    here = Path(name).parent
    scenario = _scenario(os.path.normpath(here / form.scenario), problems)
    files: dict[str, tuple[Target, ...] | None] = {
        file: _targets(os.path.normpath(here / file), problems, folder)
        for file in dict.fromkeys(one.targets for one in form.observations)
    }
    known = dict.fromkeys(target.geography for targets in files.values() for target in targets or ())
    form = place_of(form, list(known), problems)
    parameters = _parameters(form, scenario, problems) if scenario else ()
    shape = _shape(scenario, problems)
    numbered = [
        (i, one)
        for i, entry in enumerate(form.observations)
        if (one := _observation(i, entry, form, files[entry.targets], shape, problems)) is not None
    ]
    apart(numbered, shape, problems)
    one_range(numbered, problems)
    observations = tuple(one for _, one in numbered)
    twice = [one.name for one in form.observations]
    for i, entry_name in enumerate(twice):
        if entry_name in twice[:i]:
            problems.add(("observations", i, "name"), f"{quoted(entry_name)} is there twice")
    own = own_parameters(observations)
    if scenario and not (parameters or own or problems):
        problems.add(("parameters",), "there is nothing to fit: the scenario has no uncertainty that is free")
    for name_ in own:
        if scenario and name_ in uncertainties(scenario):
            problems.add((), f"{quoted(name_)} names an uncertainty of the scenario and of an observation")
    before: list[Earlier] = []
    if scenario is not None and form.priors is not None:
        for written in form.priors.from_:
            file = os.path.normpath(here / written)
            before += earlier(file, scenario, parameters, before, problems)
    if problems or scenario is None:
        raise ScenarioError(problems)
    mean, covariance = prior_of(scenario, parameters, len(own), before)
    return Calibration(
        form.name, form.title or form.name, form.description, name, form.geography, scenario, parameters,
        observations, mean, covariance, form.sampler, form.backtest, dict(folder.files),
    )  # fmt: skip


def _scenario(file: str, problems: Problems) -> Scenario | None:
    try:
        return load(file)
    except ScenarioError as error:
        problems.extend(error.problems)
        return None


def _shape(scenario: Scenario | None, problems: Problems) -> Shape | None:
    try:
        return Shape.of(scenario) if scenario is not None else None
    except InputError as error:
        problems.add(("scenario",), str(error))
        return None


def _targets(file: str, problems: Problems, folder: Folder) -> tuple[Target, ...] | None:
    try:
        found = read_targets(file)
        folder.read(file, 10_000_000)
        return found
    except ScenarioError as error:
        problems.extend(error.problems)
        return None


def _parameters(form: CalibrationForm, scenario: Scenario, problems: Problems) -> tuple[str, ...]:
    """Uncertainties to fit, in the order of the scenario."""
    known = uncertainties(scenario)
    section = scenario.uncertainties
    fixed = {name for posterior in (section.posteriors if section else ()) for name in posterior.columns}
    if form.parameters == ("all",):
        return tuple(name for name in known if name not in fixed)
    for i, name in enumerate(form.parameters):
        path = ("parameters", i)
        if name not in known:
            problems.add(
                path, f"must be an uncertainty of the scenario; got {quoted(name)}.{closest(name, known, 20)}"
            )
        elif name in form.parameters[:i]:
            problems.add(path, f"{quoted(name)} is there twice")
        elif name in fixed:
            problems.add(path, f"{quoted(name)} is drawn from a posterior in the scenario; leave it out")
    return tuple(name for name in known if name in form.parameters)


def _observation(
    i: int,
    form: ObservationForm,
    calibration: CalibrationForm,
    file: tuple[Target, ...] | None,
    shape: Shape | None,
    problems: Problems,
) -> Observation | None:
    """One observation, or None after problems."""
    before = len(problems)

    def wrong(key: str, message: str) -> None:
        problems.add(("observations", i, key), message)

    if file is None:
        return None
    for series in form.series:
        names = dict.fromkeys(target.series for target in file)
        if series not in names:
            wrong(
                "series",
                f"no series of {form.targets} is named {quoted(series)}.{closest(series, names, 20)}",
            )
    of_series = [target for name in form.series for target in file if target.series == name]
    targets = sorted(
        (target for target in of_series if form.takes(target.date, target.to or target.date)),
        key=lambda target: (form.series.index(target.series), target.date),
    )
    if of_series and not targets:
        wrong("from", f"leaves no target: the series run from {of_series[0].title} to {of_series[-1].title}")
    if not targets:
        return None
    one = made(form, tuple(targets))
    same_kind(one, form, calibration, wrong)
    if len(problems) == before and shape is not None:
        try:
            for target in one.targets:
                shape.ends(target)
            for where in {tuple(sorted(one.selection(t).items())) for t in one.targets}:
                reading(shape, one.measure, dict(where), ())
            whom(one, shape, wrong)
        except ReadingError as error:
            wrong(error.key, str(error))
    return one if len(problems) == before else None
