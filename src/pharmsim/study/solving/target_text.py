"""Targets as people write them: "retention +2 points", "vacancy_rate -1 point", "fte 7806.9"."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

from pharmsim.errors import Problem, ScenarioError
from pharmsim.results.axes import is_selected
from pharmsim.scenario import text
from pharmsim.scenario.marks import closest, quoted
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.services import services
from pharmsim.scenario.text import FormError
from pharmsim.study.solving.targets import BY_LEVEL, CELL, QUANTITIES, YEARLY, Subject, Target, chosen

Ask = Callable[[str, Sequence[str]], str]
"""Asks a person a question with the answers to choose from."""
TURNOVER = (
    "must not be turnover, a word for different measures: it stands for leaver rates, for joiner rates "
    "and for their mean. Choose `leaver_rate`, or `retention` (the stability index)"
)
KINDS = {"share": "share", "heads": "heads", "FTE": "fte", "ratio": "ratio"}
"""Unit → kind of the number written (`pharmsim.quantities.KINDS`)."""


_PARTS = re.compile(r"(?P<quantity>[A-Za-z_][A-Za-z_ ]*?)\s*(?P<rest>[+\-−–]?\s*[\d.£].*)", re.DOTALL)
_AMOUNT = re.compile(
    r"(?P<sign>[+\-])?\s*(?P<number>[\d.,]+)\s*(?P<unit>%|per\s?cent)?\s*"
    r"(?P<how>relative|(?:percentage |%[- ]?)?points?|pp)?",
    re.IGNORECASE,
)
ALIASES = {"stability_index": "retention", "stability": "retention", "vacancies": "vacancy_rate"}


def read(
    written: str,
    scenario: Scenario,
    level: str | None = None,
    roles: Sequence[str] = (),
    environments: Sequence[str] = (),
    ask: Ask | None = None,
) -> Target:
    """Read a target.

    Parameters
    ----------
    written : str
        A quantity and a value ("fte 7806.9", "leaver_rate 10 %") or a change ("retention +2 points",
        "fte +2 %", "vacancy_rate -1 point").
    scenario : Scenario
    level : str, optional
        Level of retention; needed where there are several.
    roles, environments : sequence of str
        What it is measured on; empty for all.
    ask : callable, optional
        Asks what is not clear; without it that is an error that gives the readings.

    Raises
    ------
    ScenarioError
        With every problem found.
    """
    bad: list[Problem] = []

    def report(option: str, message: str) -> None:
        bad.append(Problem("solve", 0, option, message))

    quantity, mode, amount = "", "", 0.0
    try:
        quantity, rest = _quantity(written)
        mode, amount = _amount(rest, quantity, ask)
    except FormError as error:
        report("--target", str(error))
    subject = _about(quantity, scenario, level, (roles, environments), report, ("--target", ask))
    if bad:
        raise ScenarioError(bad)
    return Target(**vars(subject), written=" ".join(written.split()), mode=mode, amount=amount)


def read_subject(
    written: str,
    scenario: Scenario,
    level: str | None = None,
    roles: Sequence[str] = (),
    environments: Sequence[str] = (),
) -> Subject:
    """Read what is to be measured: the words of targets without their amount, and yearly costs.

    Parameters
    ----------
    written : str
        "retention", "delivered_fte", "total_cost" …
    scenario, level, roles, environments
        As in `read`.

    Raises
    ------
    ScenarioError
        With every problem found.
    """
    bad: list[Problem] = []

    def report(option: str, message: str) -> None:
        bad.append(Problem("sensitivity", 0, option, message))

    quantity = ""
    try:
        quantity = _known(written, {**QUANTITIES, **YEARLY})
    except FormError as error:
        report("--of", str(error))
    subject = _about(quantity, scenario, level, (roles, environments), report, ("--of", None))
    if bad:
        raise ScenarioError(bad)
    return subject


Report = Callable[[str, str], None]


def _about(
    quantity: str,
    scenario: Scenario,
    level: str | None,
    where: tuple[Sequence[str], Sequence[str]],
    report: Report,
    asked: tuple[str, Ask | None],
) -> Subject:
    """What a quantity is measured on; problems are reported, that of the quantity by its option."""
    option, ask = asked
    try:
        level = _level(quantity, scenario, level, ask)
    except FormError as error:
        report("--level", str(error))
    _filters(scenario, *where, report)
    subject = Subject(quantity, level or "", *map(tuple, where))
    if quantity and not any(getattr(scenario, section) for section in subject.of.sections):
        needed = " or ".join(f"`{section}`" for section in subject.of.sections)
        report(option, f"needs the section {needed}, which the scenario does not have; got {quantity}")
    return subject


def named(written: str) -> str:
    """The quantity that a name stands for, whether there is one or not."""
    name = re.sub(r"\s+", "_", written.strip().lower())
    return ALIASES.get(name, name)


def _known(written: str, known: Collection[str]) -> str:
    """The quantity of a name."""
    name = named(written)
    if name.startswith("turnover"):
        raise FormError(TURNOVER)
    if name not in known:
        raise FormError(f"must be about one of {', '.join(known)}; got {quoted(name)}.{closest(name, known)}")
    return name


def _quantity(written: str) -> tuple[str, str]:
    """The quantity of a target and what follows it."""
    match = _PARTS.fullmatch(written.strip())
    if match is None and not written.strip().lower().startswith("turnover"):
        raise FormError(
            f"must be a quantity and a number, such as `retention +2 points`; got {quoted(written)}"
        )
    name = _known(match["quantity"] if match else written, QUANTITIES)
    return name, match["rest"].replace("−", "-").replace("–", "-") if match else ""


def _amount(rest: str, quantity: str, ask: Ask | None) -> tuple[str, float]:
    """Mode and amount of a target."""
    unit = QUANTITIES[quantity].unit
    match = _AMOUNT.fullmatch(rest.strip())
    if match is None and rest.lstrip().startswith(("+", "-")):
        units = "`points` or `% relative`" if unit == "share" else f"`{unit}`, `%` or nothing"
        raise FormError(f"is a change, whose unit must be {units}; got {quoted(rest)}")
    if match is None or not match["sign"]:
        if match is not None and match["how"]:
            raise FormError(
                f"is a change, so it needs a sign: `+{rest.strip()}` or `-{rest.strip()}`; got {quoted(rest)}"
            )
        return "value", text.number(_bare(rest), KINDS[unit], bare=True)
    sign = -1.0 if match["sign"] == "-" else 1.0
    number = sign * _float(match["number"], rest)
    how = (match["how"] or "").lower()
    if how == "relative":
        return "times", number / 100.0
    if how:
        if unit != "share":
            raise FormError(
                f"cannot be in points: {quantity} is in {unit}. Write `{number:+g}` or `{number:+g} %`"
            )
        return "plus", number / 100.0
    if unit == "share":
        return _meant(number, quantity, ask)
    return ("times", number / 100.0) if match["unit"] else ("plus", number)


def _bare(rest: str) -> str | float:
    """A number without a unit as a number, so that messages can say what was meant."""
    try:
        return float(rest.replace(",", ""))
    except ValueError:
        return rest.strip()


def _float(written: str, rest: str) -> float:
    try:
        return float(written.replace(",", ""))
    except ValueError:
        raise FormError(f"must hold a number; got {quoted(rest)}") from None


def _meant(number: float, quantity: str, ask: Ask | None) -> tuple[str, float]:
    """Which of its two readings a change of a share has."""
    points, relative = f"{number:+g} points", f"{number:+g} % relative"
    if ask is None:
        by_points, by_share = 80 + number, 80 * (1 + number / 100)
        raise FormError(
            f"has two readings: `{quantity} {points}` (80 % becomes {by_points:g} %) or "
            f"`{quantity} {relative}` (80 % becomes {by_share:.4g} %). Write one of them"
        )
    chosen = ask(f"{quantity} {number:+g} %: which do you mean?", [points, relative])
    return ("plus" if chosen == points else "times"), number / 100.0


def _level(quantity: str, scenario: Scenario, level: str | None, ask: Ask | None) -> str:
    """The level of retention that is meant; "" for other quantities."""
    if quantity not in BY_LEVEL:
        if level is not None and quantity:
            raise FormError(f"is for {' and '.join(BY_LEVEL)}; {quantity} has no level. Leave it out")
        return ""
    levels = list(scenario.retention.levels) if scenario.retention else []
    if level is None and len(levels) > 1:
        if ask is None:
            raise FormError(f"must say at which level people are kept: {', '.join(levels)}. Give one")
        return ask("Kept at which level?", levels)
    if level is not None and level not in levels:
        raise FormError(f"must be one of {', '.join(levels)}; got {quoted(level)}.{closest(level, levels)}")
    return level or (levels[0] if levels else "")


def _filters(
    scenario: Scenario,
    roles: Sequence[str],
    environments: Sequence[str],
    report: Report,
) -> None:
    """Report roles and environments that do not exist, or together select nobody."""
    n = 0
    for option, wanted, known in (
        ("--role", roles, scenario.roles),
        ("--environment", environments, scenario.environments),
    ):
        for name in wanted:
            if name not in known:
                n += 1
                report(
                    option, f"must be one of {', '.join(known)}; got {quoted(name)}.{closest(name, known)}"
                )
    where = {axis: names for axis, names in zip(CELL, (roles, environments), strict=True) if names}
    if n or any(is_selected(post, where) for post in scenario.posts):
        return
    if not any(chosen((s.role, s.environment), roles, environments) for s in services(scenario)):
        report("--role", f"no post of {', '.join(roles)} in {', '.join(environments)}: choose others")
