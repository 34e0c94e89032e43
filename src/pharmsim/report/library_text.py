"""The library of interventions for people: what there is, and each of them in words."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, get_args

from pharmsim.quantities import ADJUSTABLE
from pharmsim.scenario import library
from pharmsim.scenario.interventions import Category, Effect, Intervention, Level
from pharmsim.scenario.lever_forms import VERBS, unit_of
from pharmsim.scenario.levers import narrows, without_posts
from pharmsim.scenario.values import Value
from pharmsim.study.explaining.grounds import GRADES, Part, grades_of, parts_of

if TYPE_CHECKING:
    from rich.console import Console

WIDTH = 100
INDENT: Any = {"initial_indent": "    ", "subsequent_indent": "    "}
SIGNS = {"to": "becomes", "plus": "+", "times": "×"}
SHARES = ("share", "per year")
"""Units whose numbers are written in per cent."""


def show(console: Console) -> None:
    """Print the library as a table by level and category."""
    from rich.table import Table

    levers = [library.load(name)[0] for name in library.available()]
    widest = max(len(lever.name) for lever in levers)
    for level in get_args(Level):
        table = Table(title=f"Interventions on the level: {level}", title_justify="left", expand=True)
        table.add_column("category")
        table.add_column("name and title", width=widest)
        table.add_column("changes", ratio=1)
        table.add_column("evidence", width=len("assumption"))
        for category in get_args(Category):
            for lever in levers:
                if (lever.level, lever.category) == (level, category):
                    called = f"{lever.name}\n{lever.title}"
                    table.add_row(category, called, changes(lever), evidence(lever))
        console.print(table)
    console.print("One of them in words: pharmsim interventions NAME", markup=False)


def changes(lever: Intervention) -> str:
    """What an intervention changes, in a few words."""
    names = [effect.quantity for effect in lever.effects]
    names += ["job plan"] * bool(lever.job_plan) + ["supervision"] * bool(lever.supervision)
    names += ["joint posts"] * (lever.posts is not None)
    return ", ".join(dict.fromkeys(name.replace("_", " ") for name in names))


def evidence(lever: Intervention) -> str:
    """Grades of evidence of what an intervention does, the best first."""
    return ", ".join(sorted(grades_of(lever), key=GRADES.index))


def text(name: str) -> str:
    """Write an intervention of the library out.

    Parameters
    ----------
    name : str
        Its name, or its file.

    Returns
    -------
    str
        What it is, whom it reaches, every number with range, evidence and source, and how it is used.
    """
    lever, file, starts = library.load(name)
    lines = [f"{lever.title} ({lever.name})", f"{lever.level}, {lever.category}; {file}", ""]
    if lever.description:
        lines += [*textwrap.wrap(lever.description, WIDTH), ""]
    taking_part = _line("share who take part:", lever.uptake, "share")
    lines += _titled("Whom it reaches", [*_reach(lever), *taking_part])
    lines += _titled("What it changes", _effects(lever))
    if lever.posts is not None:
        posts = lever.posts
        split = ", ".join(f"{share:.0%} {place}" for place, share in posts.split.items())
        made = "new money" if posts.new else "made from existing posts"
        found = [
            f"{split}; {made}: as large a share of the posts as take part",
            f"{posts.backfill_weeks:g} weeks of backfill for everybody who enters",
        ]
        found += [*_line("entry:", posts.entry, "per year"), *_line("exit:", posts.exit, "per year")]
        lines += _titled("Joint posts", found)
    if lever.introduction is not None:
        node = lever.introduction
        what = f"share of working time for {node.months:g} months:"
        who = f"of {_selected(node.where)}" if node.where else "of the whole team"
        found = _line(what, node.share, "share", f"{who}, in the environments that it reaches")
        lines += _titled("Time it takes to introduce", found)
    lines += _titled("What it costs beside pay", _costs(lever))
    lines += _titled("Over time", _time(lever))
    meant = f"{lever.outcome.measure} goes {lever.outcome.direction} in the posts that it reaches"
    lines += _titled("Meant outcome", [meant])
    if lever.evidence:
        lines += _titled("What is known", textwrap.wrap(lever.evidence, WIDTH - 2))
    return "\n".join([*lines, "How to use it", *_snippet(lever, file, starts)])


def as_data(name: str | None = None) -> list[dict[str, Any]]:
    """Return an intervention, or all, as plain data; a start that the scenario must give is left out."""
    out = []
    for one in library.available() if name is None else [name]:
        lever, file, starts = library.load(one)
        data = lever.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        if not starts:
            del data["start"]
        out.append({"file": file, **data})
    return out


def _titled(title: str, lines: Iterable[str]) -> list[str]:
    found = [f"  {line}".rstrip() for line in lines]
    return [title, *found, ""] if found else []


def _selected(where: Mapping[str, tuple[str, ...]]) -> str:
    return "; ".join(f"{axis} {', '.join(names)}" for axis, names in where.items())


def _reach(lever: Intervention) -> list[str]:
    parts = [_selected(lever.reach) or "all posts"] if narrows(lever) else []
    parts += [f"group {', '.join(lever.groups)}"] if lever.groups else []
    parts += [f"ages {lever.ages}"] if lever.ages else []
    whole = ", ".join(without_posts(lever))
    lines = ["; ".join(parts)] if parts else []
    return [*lines, f"{whole}: as a whole, whatever the posts"] if whole else lines


def _value(value: Value, unit: str) -> str:
    """Return a number with its unit, range and evidence; shares and rates in per cent."""
    numbers = [value.value, *(end for end in (value.low, value.high) if end is not None)]
    shown = [f"{100 * number if unit in SHARES else number:,g}" for number in numbers]
    word = {"ratio": "", "share": " %", "per year": " % per year"}.get(unit, f" {unit}")
    spread = f" ({shown[1]} to {shown[2]})" if len(shown) == 3 else ""
    grade = f", {value.evidence}" if value.evidence != "unstated" else ""
    return f"{shown[0]}{word}{spread}{grade}"


def _line(what: str, value: Value, unit: str, after: str = "") -> list[str]:
    """Return a number with what it is, and below it what else is known of it."""
    return [f"{what} {_value(value, unit)}", *_below(after, value.source, value.note)]


def _below(*texts: str) -> list[str]:
    return [line for text in texts for line in textwrap.wrap(text, WIDTH - 6, **INDENT)]


def _effects(lever: Intervention) -> list[str]:
    lines = [line for effect in lever.effects for line in _effect(effect)]
    for change in lever.job_plan:
        what = f"{_name(change)} time at work from {change.from_} to {change.to}:"
        lines += _line(what, change.share, "share", _selected(change.where))
    for duty in lever.supervision:
        of = f" of {', '.join(duty.of)}" if duty.of else ""
        what = f"{_name(duty)} supervision{of} taken over:"
        lines += _line(what, duty.share, "share", f"by {_selected(duty.by)}")
    if any(part.claimed for part in parts_of(lever)):
        lines += ["", "claimed: a benefit that nobody has measured; a comparison says how large it must be"]
    return lines


def _name(part: Part) -> str:
    return f"{part.name}{' (claimed)' if part.claimed else ''}:"


def _effect(effect: Effect) -> list[str]:
    verb = next(verb for verb in VERBS if getattr(effect, verb) is not None)
    parts = [", ".join(effect.of), _selected(effect.where), f"ages {effect.ages}" if effect.ages else ""]
    parts += [
        f"into {_selected(effect.into)}" if effect.into else "",
        "in joint posts" if effect.joint else "",
    ]
    which = "; ".join(part for part in parts if part)
    text = ADJUSTABLE[effect.quantity].text
    unit = "ratio" if verb == "times" else unit_of(effect.quantity)
    after = f"{text}: {which}" if which else text
    return _line(f"{_name(effect)} {effect.quantity} {SIGNS[verb]}", getattr(effect, verb), unit, after)


def _costs(lever: Intervention) -> list[str]:
    named = (
        ("once", "set_up", "GBP"),
        ("a year", "per_year", "GBP"),
        ("a year for each head", "per_head", "GBP"),
    )
    found = [(what, getattr(lever.costs, key), unit) for what, key, unit in named]
    return [line for what, value, unit in found if value.value for line in _line(f"{what}:", value, unit)]


def _time(lever: Intervention) -> list[str]:
    out = [f"{lever.ramp:g} months until all who will take part do"] if lever.ramp else []
    if lever.half_life:
        out.append(f"once the effort ends, the effect halves every {lever.half_life:g} months")
    return out


def _snippet(lever: Intervention, file: str, starts: bool) -> list[str]:
    """Return an entry of `changes` that uses an intervention: by its name where that finds it."""
    named = library.available().get(lever.name) == file
    lines = ["  changes:", f"    - use: {lever.name if named else file}"]
    if narrows(lever):
        axis, names = next(iter(lever.reach.items()), ("environment", ()))
        some = names[0] if names else "…"
        lines.append(f"      where: {{{axis}: {some}}}  # all that it reaches, if left out")
    lines.append(f"      uptake: {100 * lever.uptake.value:g} %")
    return lines if starts else [*lines, "      start: April 2027"]
