"""A resolved scenario as text: what is in it, every number with its origin and evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from pharmsim.report.system_text import post_text, system_lines
from pharmsim.results.assumptions import MANY, Assumption, assumptions, counts, groups
from pharmsim.scenario.checks.uncertainties import ranges
from pharmsim.scenario.models import Scenario


def describe(scenario: Scenario) -> str:
    """Write a scenario out for people.

    Returns
    -------
    str
        Head, posts, what there is of the system around the people, then section by section every number
        (tables of more than a dozen rows as one line), then how many numbers vary and how well they are
        known.
    """
    items = assumptions(scenario)
    lines = [*_head(scenario), ""]
    for section in dict.fromkeys(item.section for item in items):
        lines.append(f"{section}")
        for group in groups([item for item in items if item.section == section]):
            lines += _table(group) if len(group) > MANY else [_line(item) for item in group]
        lines.append("")
    return "\n".join([*lines, *_tail(items), *_together(scenario)])


def _head(scenario: Scenario) -> list[str]:
    lines = [scenario.name]
    if scenario.description:
        lines.append(" ".join(scenario.description.split()))
    lines += [
        f"{scenario.start} to {scenario.end}, step {scenario.step}",
        f"{len(scenario.posts)} post{'s' if len(scenario.posts) != 1 else ''}:",
    ]
    for post in scenario.posts:
        parts = (post.role, post.environment, post.grade, post.place, post_text(post))
        lines.append(f"  {post.post}  ({', '.join(part for part in parts if part)})")
    for title, names in (
        ("groups", scenario.groups),
        ("contracts", scenario.contracts),
        ("pipelines", scenario.pipelines),
        ("pools", scenario.pools),
    ):
        if names:
            lines.append(f"{title}: {', '.join(names)}")
    if scenario.retention:
        lines.append(f"levels of retention: {', '.join(scenario.retention.levels)}")
    return lines + system_lines(scenario)


def _place(item: Assumption) -> str:
    return f"  {item.file}:{item.line}" if item.file else ""


def _line(item: Assumption) -> str:
    where = f" ({item.where})" if item.where else ""
    spread = "" if item.low is None or item.high is None else f" [{item.low:g} – {item.high:g}]"
    unit = f" {item.unit}" if item.unit else ""
    return f"  {item.id}{where} = {item.shown}{spread}{unit}, {item.grade}{_place(item)}"


def _table(group: Sequence[Assumption]) -> list[str]:
    values = [item.value for item in group if item.value is not None]
    first = group[0]
    grades = ", ".join(f"{n} {grade}" for grade, n in Counter(item.grade for item in group).most_common())
    name = first.id.rsplit("[", 1)[0]
    unit = f" {first.unit}" if first.unit else ""
    return [f"  {name}: {len(group)} rows, {min(values):g} to {max(values):g}{unit}, {grades}{_place(first)}"]


def _tail(items: Sequence[Assumption]) -> list[str]:
    names = dict.fromkeys(item.uncertainty for item in items if item.uncertainty)
    grades = Counter(item.evidence for item in items if item.kind == "number")
    shares = ", ".join(f"{n} {grade}" for grade, n in grades.most_common())
    lines = [counts(items), f"grades of the numbers: {shares}", f"{len(names)} uncertainties"]
    return [*lines, *(f"  {name}" for name in names)]


def _together(scenario: Scenario) -> list[str]:
    """Correlated groups and posteriors."""
    section = scenario.uncertainties
    if section is None:
        return []
    lines = []
    for group in section.correlated:
        ranks = "given by a matrix" if group.correlation is None else f"{group.correlation.value:g}"
        lines.append(f"correlated, rank correlation {ranks}: {', '.join(group.of)}")
    own = ranges(scenario)
    for posterior in section.posteriors:
        rows = len(next(iter(posterior.columns.values())))
        names = ", ".join(name for name in posterior.columns if name in own)
        lines.append(f"posterior {posterior.name}, {rows:,} draws of {names}")
    return lines


def as_data(scenario: Scenario) -> dict[str, Any]:
    """The canonical scenario with the list of its numbers, for `describe --json`."""
    from dataclasses import asdict

    from pharmsim.scenario import to_dict

    return {"scenario": to_dict(scenario), "numbers": [asdict(item) for item in assumptions(scenario)]}
