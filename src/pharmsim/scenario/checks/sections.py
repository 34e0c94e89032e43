"""Sections: dates, ages, and what must be given together or apart."""

from __future__ import annotations

from pharmsim.scenario.marks import quoted
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.problems import Problems
from pharmsim.scenario.text import age_range


def months_between(start: str, end: str) -> int:
    """Return the number of months from one month (``2025-10``) to another."""
    (y0, m0), (y1, m1) = (map(int, text.split("-")) for text in (start, end))
    return (y1 - y0) * 12 + m1 - m0


def check(scenario: Scenario, problems: Problems) -> None:
    """Check dates, ages, hiring and switches."""
    _time(scenario, problems)
    _ages(scenario, problems)
    if not problems.lacks("ages"):
        _windows(scenario, problems)
    _hiring(scenario, problems)
    for i, switch in enumerate(scenario.switches):
        if switch.from_ == switch.to:
            problems.add(("switches", i), f"must lead to another contract; {quoted(switch.to)} is both ends")


def _time(scenario: Scenario, problems: Problems) -> None:
    if problems.lacks("start") or problems.lacks("end") or problems.lacks("step"):
        return
    months = months_between(scenario.start, scenario.end)
    if months <= 0:
        problems.add(("end",), f"must be after the start {scenario.start}; got {scenario.end}")
    elif months > 1200:
        problems.add(("end",), f"must be within 100 years of the start {scenario.start}; got {scenario.end}")
    if scenario.step != "year":
        return
    if months % 12:
        problems.add(("end",), f"must be whole years after the start with `step: year`; got {months} months")
    wait = scenario.hiring.time_to_hire if scenario.hiring is not None else None
    for i, row in enumerate(wait.terms[0].rows if wait is not None else ()):
        if row.value % 12:
            message = f"must be a multiple of 12 months with `step: year`; got {row.value:g}"
            problems.add(("hiring", "time_to_hire", "rows", i, "value"), message, row.origin)


def _ages(scenario: Scenario, problems: Problems) -> None:
    first, last = scenario.ages.first, scenario.ages.last
    if first > last:
        problems.add(("ages",), f"must have a first age up to the last; got {first} and {last}")
    elif last - first > 90:
        problems.add(("ages",), f"must span at most 90 years; got {first} to {last}")
    if scenario.stock.ages is None:
        problems.add(("stock", "ages"), "is missing: give the shares by age of the people in post")
    born = [row.born for row in scenario.pension_age]
    for i, month in enumerate(born):
        if month in born[:i]:
            problems.add(("pension_age", i, "born"), f"{month} is given twice")
    if first > last or last - first > 90:
        problems.left_out(("ages",))  # nothing can be judged by them


def _windows(scenario: Scenario, problems: Problems) -> None:
    first, last = scenario.ages.first, scenario.ages.last
    windows = [("moves", scenario.moves), ("promotions", scenario.promotions)]
    found = [((name, "ages"), node.ages) for name, node in windows if node is not None]
    for name, pipeline in scenario.pipelines.items():
        if pipeline.kind == "internal":
            found.append((("pipelines", name, "ages"), pipeline.ages))  # type: ignore[arg-type]
    for path, text in found:
        low, high = age_range(text) if text is not None else (first, last)
        if low > last or high < first:
            problems.add(path, f"must overlap the ages {first} to {last} of the scenario; got {quoted(text)}")


def _hiring(scenario: Scenario, problems: Problems) -> None:
    for i, source in enumerate(scenario.hiring.sources if scenario.hiring is not None else ()):
        path = ("hiring", "sources", i)
        if (source.pipelines is None) == (source.supply is None):
            problems.add(path, "must have exactly one of `pipelines` and `supply`")
        elif source.pipelines is not None:
            for key in ("ages", "groups", "over_time"):
                if getattr(source, key) is not None:
                    problems.add((*path, key), "has no effect on a source of newly qualified: remove it")
        elif source.ages is None:
            problems.add(path, "needs `ages`: the shares by age of the people who come from outside")
