"""Levers: what is varied to reach a target, each between two levels, all together by one number.

A lever is an intervention, whose uptake goes from nobody to everybody; or a number of the scenario at a
key path, between two levels that are given. At 0 all levers are at their first level, at 1 at their last.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from pharmsim.errors import Problem, ScenarioError
from pharmsim.quantities import KINDS
from pharmsim.scenario import from_dict, library, text, to_dict
from pharmsim.scenario.interventions import Intervention
from pharmsim.scenario.marks import closest, dotted, quoted
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.paths import Target as Place
from pharmsim.scenario.paths import targets as places
from pharmsim.scenario.programme import with_uptake, without
from pharmsim.scenario.reader import root_of
from pharmsim.scenario.text import FormError
from pharmsim.scenario.values import Cells, Series, Value

FACTOR = re.compile(r"[x×]\s*(.*)", re.IGNORECASE)
UPTAKE = "uptake"
TIMES = "times the present number"


@dataclass(frozen=True)
class Lever:
    """What is varied, and from where to where.

    Attributes
    ----------
    name : str
        Of the intervention, or the key path.
    title : str
    unit : str
        `UPTAKE` (a share), `TIMES` (a factor), or the unit of the number.
    first, last : float
        Levels at 0 and at 1.
    present : float
        Number that a level in its unit replaces; 1 for factors, not used for interventions.
    place : Place or None
        Where the number stands; None for an intervention.
    assumed : (float, float), optional
        Range of the uptake that the intervention states.
    """

    name: str
    title: str
    unit: str
    first: float
    last: float
    present: float = 1.0
    place: Place | None = None
    assumed: tuple[float, float] | None = None

    def level(self, x: float) -> float:
        """Level of the lever where all of them are at `x` of their way."""
        return self.first + x * (self.last - self.first)

    @property
    def is_intervention(self) -> bool:
        """Whether it is an intervention, whose absence is the base."""
        return self.place is None


def at(scenario: Scenario, levers: Sequence[Lever], x: float) -> Scenario:
    """Return the scenario with all levers at `x` of their way, without those in which nobody takes part."""
    uptakes = {lever.name: lever.level(x) for lever in levers if lever.is_intervention}
    scenario = without(scenario, [name for name, uptake in uptakes.items() if not uptake])
    scenario = with_uptake(scenario, uptakes)
    for lever in levers:
        if lever.place is not None:
            scenario = _changed(scenario, lever.place.path, _setting(lever, lever.level(x)))
    return scenario


def base(scenario: Scenario, levers: Sequence[Lever]) -> Scenario:
    """Return the scenario as it is without the levers: no such intervention, numbers as they are written."""
    return without(scenario, [lever.name for lever in levers if lever.is_intervention])


def _setting(lever: Lever, level: float) -> Callable[[Any], Any]:
    def new(node: Any) -> Any:
        if lever.present:
            return _scaled(node, level / lever.present)
        return Value(value=level, source="level of the lever", evidence="assumption")

    return new


def _scaled(node: Any, factor: float) -> Any:
    """Return a number times a factor, with its range."""
    if isinstance(node, Value):
        ends = {key: getattr(node, key) * factor for key in ("low", "high") if getattr(node, key) is not None}
        return node.model_copy(update={"value": node.value * factor, **ends})
    if isinstance(node, Series):
        points = {date: _scaled(value, factor) for date, value in node.points.items()}
        return node.model_copy(update={"points": points})
    first = node.terms[0]
    rows = tuple(_scaled(row, factor) for row in first.rows)
    return node.model_copy(update={"terms": (first.model_copy(update={"rows": rows}), *node.terms[1:])})


def _changed(node: Any, path: Sequence[str | int], change: Callable[[Any], Any]) -> Any:
    """Return a scenario or a part of it with one number changed."""
    if not path:
        return change(node)
    key, rest = path[0], path[1:]
    if isinstance(node, BaseModel):
        fields = type(node).model_fields.items()
        name = next(name for name, info in fields if str(info.alias or name) == key)
        return node.model_copy(update={name: _changed(getattr(node, name), rest, change)})
    if isinstance(node, dict):
        return {**node, key: _changed(node[key], rest, change)}
    return tuple(_changed(item, rest, change) if i == key else item for i, item in enumerate(node))


# -- reading ------------------------------------------------------------------------------------------------


def read(
    file: str | os.PathLike[str],
    scenario: Scenario,
    names: Sequence[str],
    first: str | None = None,
    last: str | None = None,
    start: str | None = None,
) -> tuple[Scenario, tuple[Lever, ...]]:
    """Read the levers named.

    Parameters
    ----------
    file : path
        A scenario file.
    scenario : Scenario
        What it says.
    names : sequence of str
        Interventions of the scenario or of the library, or key paths of numbers as after `set:`.
    first, last : str, optional
        Ends of the range of key paths: levels in the unit of the number, or factors ("x 0.5").
    start : str, optional
        When the interventions among the levers begin, those that the scenario has already too.

    Returns
    -------
    scenario : Scenario
        With the interventions that come from the library.
    levers : tuple of Lever

    Raises
    ------
    ScenarioError
        With every problem found.
    """
    bad: list[Problem] = []
    if not names:
        bad.append(_problem("needs at least one: an intervention, or the key path of a number"))
    once = tuple(dict.fromkeys(names))
    bad += [_problem(f"is given twice: {quoted(name)}") for name in once if names.count(name) > 1]
    names = once
    own = [item.name for item in scenario.interventions]
    shelf = library.known(os.path.normpath(os.fspath(file)), root_of(os.fspath(file)))
    new = [name for name in names if name not in own and name in shelf]
    try:
        if start is not None:
            scenario = _begun(scenario, {*own} & {*names}, start)
        if new:
            scenario = _with_library(file, scenario, new, start)
    except ScenarioError as error:
        raise ScenarioError([*bad, *error.problems]) from None
    levers, more = _each(scenario, names, [*own, *shelf], (first, last))
    bad += more
    if start is not None and levers and not any(lever.is_intervention for lever in levers):
        bad.append(_problem("is for interventions, and none of the levers is one. Leave it out", "--start"))
    if first is not None:
        bad += _one_unit(levers)
    if bad:
        raise ScenarioError(bad)
    for x in (0.0, 1.0):
        from_dict(to_dict(at(scenario, levers, x)))  # all checks, at both ends
    return scenario, tuple(levers)


def _each(
    scenario: Scenario, names: Sequence[str], known: Sequence[str], ends: tuple[str | None, str | None]
) -> tuple[list[Lever], list[Problem]]:
    """Levers by name, and what is wrong with them; beside numbers, the ends are those of the numbers."""
    levers: list[Lever] = []
    bad: list[Problem] = []
    mixed = not {*names} <= {item.name for item in scenario.interventions}
    for name in names:
        item = next((item for item in scenario.interventions if item.name == name), None)
        try:
            if item is None:
                levers += _numbers(scenario, name, known, *ends)
            else:
                levers.append(_uptake(item, *((None, None) if mixed else ends)))
        except FormError as error:
            bad += [
                Problem("solve", 0, str(where[0]) if where else "--lever", said)
                for where, said in error.issues
            ]
    return levers, bad


def _one_unit(levers: Sequence[Lever]) -> list[Problem]:
    """Refuse one range in units for several numbers."""
    names = list(dict.fromkeys(lever.name for lever in levers if lever.unit not in (UPTAKE, TIMES)))
    if len(names) < 2:
        return []
    which = ", ".join(names)
    return [_problem(f"cannot share one range in units: {which}. Write --from and --to as factors, `x 0.5`")]


def _problem(message: str, option: str = "--lever") -> Problem:
    return Problem("solve", 0, option, message)


def _begun(scenario: Scenario, names: Collection[str], start: str) -> Scenario:
    """Return the scenario with some of its interventions beginning in another month."""
    try:
        start = text.month(start)
    except FormError as error:
        raise ScenarioError([_problem(str(error), "--start")]) from None
    items = tuple(
        item.model_copy(update={"start": start}) if item.name in names else item
        for item in scenario.interventions
    )
    return scenario.model_copy(update={"interventions": items})


def _with_library(
    file: str | os.PathLike[str], scenario: Scenario, names: Sequence[str], start: str | None
) -> Scenario:
    """Return the scenario of a file with interventions of the library, by a change like any other."""
    root = root_of(os.fspath(file))
    uses = [{"use": name, **({"start": start} if start else {})} for name in names]
    written = {"base": os.path.relpath(Path(file).resolve(), root), "name": scenario.name, "changes": uses}
    try:
        return from_dict(written, os.path.relpath(root))
    except ScenarioError as error:
        if start is None and any("`start`" in problem.message for problem in error.problems):
            which = ", ".join(names)
            message = f'is needed: the month in which {which} begins, such as `--start "April 2026"`'
            raise ScenarioError([_problem(message, "--start")]) from None
        raise ScenarioError(_problem(problem.message) for problem in error.problems) from None


def _uptake(item: Intervention, first: str | None, last: str | None) -> Lever:
    low, high = (_end(first or "0 %", "share"), _end(last or "100 %", "share"))
    stated = item.uptake
    assumed = None if stated.low is None or stated.high is None else (stated.low, stated.high)
    return _checked(Lever(item.name, item.title, UPTAKE, low, high, assumed=assumed))


def _numbers(
    scenario: Scenario, name: str, others: Sequence[str], first: str | None, last: str | None
) -> Iterator[Lever]:
    """The numbers at a key path, as levers."""
    try:
        found = places(scenario, name)
    except FormError as error:
        if "." in name or "[" in name:
            raise
        near = closest(name, others, 30)
        raise FormError(
            f"no such intervention, neither in the scenario nor in the library: {quoted(name)}.{near}"
        ) from error
    if first is None or last is None:
        raise FormError(
            f"are both needed for {quoted(name)}: the levels between which it is varied", ("--from and --to",)
        )
    for place in found:
        yield _number(place, first, last)


def _number(place: Place, first: str, last: str) -> Lever:
    """One number as a lever."""
    path = dotted(place.path)
    if place.of is None or not isinstance(place.node, Value | Cells | Series):
        raise FormError(f"{quoted(path)} is no number that can be varied")
    kind = place.of.kind
    if kind == "months":
        raise FormError(f"{quoted(path)} is a whole number of months, which has no level in between")
    factors = [match[1] for written in (first, last) if (match := FACTOR.fullmatch(written.strip()))]
    if factors:
        if len(factors) < 2:
            raise FormError(
                f"must both be factors or both levels; got {quoted(first)} and {quoted(last)}",
                ("--from and --to",),
            )
        low, high = (_end(written, "ratio") for written in factors)
        return _checked(Lever(path, path, TIMES, low, high, 1.0, place))
    present = sorted({value for value in _written(place.node) if value})
    if len(present) > 1:
        raise FormError(
            f"{quoted(path)} holds {len(present)} different numbers ({present[0]:g} to {present[-1]:g}): "
            "write --from and --to as factors on all of them, such as `x 0.5` and `x 2`"
        )
    if not present and not isinstance(place.node, Value):
        raise FormError(f"{quoted(path)} is 0 everywhere: nothing to vary")
    low, high = (_end(written, kind) for written in (first, last))
    number = present[0] if present else 0.0
    return _checked(Lever(path, path, KINDS[kind].unit, low, high, number, place))


def _end(written: str, kind: str) -> float:
    try:
        return text.number(float(written) if _is_plain(written) else written, kind, bare=True)
    except FormError as error:
        raise error.under("--from and --to") from None


def _is_plain(written: str) -> bool:
    try:
        float(written)
    except ValueError:
        return False
    return True


def _checked(lever: Lever) -> Lever:
    if lever.first == lever.last:
        raise FormError(f"must differ; got {lever.first:g} twice", ("--from and --to",))
    return lever


def _written(node: Any) -> list[float]:
    """The numbers that stand in a value, series or cells; of a product those of all factors."""
    if isinstance(node, Value):
        return [node.value]
    if isinstance(node, Series):
        return [value.value for value in node.points.values()]
    return [row.value for term in node.terms for row in term.rows]
