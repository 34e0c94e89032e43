"""Interventions as people write them: names left out, amounts in the unit of what they change."""

from __future__ import annotations

from functools import partial
from typing import Any

from pharmsim.quantities import ADJUSTABLE, KINDS
from pharmsim.scenario import text
from pharmsim.scenario.distributions import WITH_TAILS, impossible
from pharmsim.scenario.forms import ORIGIN_KEYS
from pharmsim.scenario.marks import Map, Path, Seq, closest, place, quoted
from pharmsim.scenario.ranges import in_bounds
from pharmsim.scenario.small_forms import gather
from pharmsim.scenario.tables import Report
from pharmsim.scenario.text import FormError

VERBS = ("to", "plus", "times")
NUMBERS = ("value", "low", "high")
PARTS = {"effects": "quantity", "job_plan": "", "supervision": ""}
"""Lists of an intervention whose entries have names, and the key that names an entry without one."""


def is_intervention(tree: Map) -> bool:
    """Return whether what a file says is an intervention of a library, not a scenario."""
    return bool({"level", "category", "effects", "outcome"} & set(tree)) and not (
        {"posts", "stock", "roles", "base", "changes"}
        & {key for key in tree if not isinstance(tree[key], dict)}
    )


def normalise(tree: Map, report: Report) -> None:
    """Write out, in place, what the interventions of a scenario abbreviate."""
    listed = tree.get("interventions")
    if not isinstance(listed, list):
        return
    out = Seq((), *(place(listed) or ("", 0)))
    out.lines = list(getattr(listed, "lines", ()))
    for i, entry in enumerate(listed):

        def at(path: Path, message: str, i: int = i) -> None:
            report(("interventions", i, *path), message)

        out.append(written_out(entry, at) if isinstance(entry, Map) else entry)
    tree["interventions"] = out


def written_out(lever: Map, report: Report) -> Map:
    """Return an intervention with the names of its parts, and with its amounts as plain numbers.

    Parameters
    ----------
    lever : Map
        As it is written, or written out already.
    report : callable
        Called with key path and message for every problem.
    """
    new = lever.like(lever)
    for section, key in PARTS.items():
        entries = lever.get(section)
        if not isinstance(entries, list):
            continue
        parts = Seq((), *(place(entries) or ("", 0)))
        parts.lines = list(getattr(entries, "lines", ()))
        for i, entry in enumerate(entries):
            part = entry
            if isinstance(entry, Map):
                part = entry.like({"name": str(entry.get(key, section)), **entry})
                part = with_grounds(part, VERBS if key else ("share",))
                if key:
                    part = _in_units(part, partial(_below, report, (section, i)))
            parts.append(part)
        new[section] = parts
    _named_once(new, report)
    if place(lever) and "origin" not in lever:
        new["origin"] = {"file": lever.file, "line": lever.line}
    return new


def _below(report: Report, at: Path, path: Path, message: str) -> None:
    report((*at, *path), message)


def valued(node: Map, key: str) -> Map:
    """Return the number under a key as a mapping that knows its line."""
    written = node[key]
    if isinstance(written, Map):
        return written
    line = node.lines.get(key, node.line)
    return Map(written if isinstance(written, dict) else {"value": written}, node.file, line)


def with_grounds(part: Map, verbs: tuple[str, ...]) -> Map:
    """Return a part whose number has the source, the evidence and the note that stand beside it."""
    beside = {key: part[key] for key in ORIGIN_KEYS if part.get(key) is not None}
    out = part.like({key: item for key, item in part.items() if key not in ORIGIN_KEYS})
    for verb in verbs:
        if beside and out.get(verb) is not None:
            number = valued(part, verb)
            out[verb] = number.like({**beside, **number})
    return out


def _in_units(effect: Map, report: Report) -> Map:
    """Return an effect whose `to` and `plus` are in the unit of its quantity."""
    quantity = effect.get("quantity")
    if quantity is None:
        return effect  # which is told as missing
    if str(quantity) not in ADJUSTABLE:
        near = closest(str(quantity), ADJUSTABLE)
        report(("quantity",), f"no such quantity that an intervention can change: {quoted(quantity)}.{near}")
        return effect
    given = [verb for verb in VERBS if effect.get(verb) is not None]
    if len(given) != 1:
        found = " and ".join(f"`{verb}`" for verb in given) or "none"
        report((), f"must have exactly one of `to`, `plus` and `times`; got {found}")
    out = effect.like(effect)
    for verb in given:
        if verb == "times":
            continue
        number = valued(effect, verb)
        try:
            plain = _plain(number, ADJUSTABLE[str(quantity)].kind, verb)
        except FormError as error:
            for path, message in error.issues:
                report((verb, *path) if isinstance(effect[verb], dict) else (verb,), message)
            plain = dict.fromkeys((key for key in NUMBERS if key in number), 0.0)
        out[verb] = number.like({**number, **plain})
    return out


def _plain(number: Map, kind: str, verb: str) -> dict[str, Any]:
    """Return value, ends and choices of an effect as plain numbers, inside the bounds of what is set."""
    read = partial(text.signed if verb == "plus" else text.number, kind=kind)
    keys = [key for key in NUMBERS if number.get(key) is not None]
    out = dict(zip(keys, gather(((key,), partial(read, number[key])) for key in keys), strict=True))
    if verb == "to" and len(out) == len(NUMBERS) and number.get("dist") in WITH_TAILS:
        spread = (out["value"], out["low"], out["high"], number["dist"])
        if not impossible(*spread):  # which the reader of the number tells
            in_bounds(*spread, kind)
    choices = number.get("choices")
    if isinstance(choices, dict):
        found = gather((("choices", key), partial(read, key)) for key in choices)
        out["choices"] = dict(zip(found, choices.values(), strict=True))
    return out


def _named_once(lever: Map, report: Report) -> None:
    """Check that every effect and change of an intervention has a name of its own."""
    seen: set[str] = set()
    for section in PARTS:
        entries = lever.get(section)
        for i, entry in enumerate(entries if isinstance(entries, list) else ()):
            name = str(entry.get("name")) if isinstance(entry, dict) else ""
            if name in seen:
                message = f"the name {quoted(name)} is given twice: give each effect a `name` of its own"
                report((section, i), message)
            seen |= {name} - {""}


def unit_of(quantity: str) -> str:
    """Return the unit in which an effect on a quantity says `to` and `plus`."""
    return KINDS[ADJUSTABLE[quantity].kind].unit
