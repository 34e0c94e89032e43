"""Pipelines: months, examinations, what they feed, and how far back their intakes are known."""

from __future__ import annotations

import math

from pharmsim.scenario.expand import select_posts
from pharmsim.scenario.fields import row_path
from pharmsim.scenario.marks import Path, quoted
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.problems import Problems
from pharmsim.scenario.training import Exam, ExternalPipeline

EXAM_MONTHS = 36
"""How long before the start people may have finished their stages and still be sitting an examination."""


def check(scenario: Scenario, problems: Problems) -> None:
    """Check every pipeline."""
    for name, pipeline in scenario.pipelines.items():
        path: Path = ("pipelines", name)
        if not isinstance(pipeline, ExternalPipeline):
            if pipeline.months < 1:
                problems.add((*path, "months"), f"must be at least 1 month; got {pipeline.months}")
            continue
        for i, stage in enumerate(pipeline.stages):
            if stage.months < 1:
                problems.add((*path, "stages", i, "months"), f"must be at least 1 month; got {stage.months}")
        if pipeline.exam is not None and not problems.touches((*path, "stages")):
            _exam(pipeline.exam, pipeline.stages[-1].months, (*path, "exam"), problems)
        if pipeline.ages is None:
            problems.add(path, "needs `ages`: the shares by age at qualification")
        _history(scenario, pipeline, path, problems)
        _feeds(scenario, name, pipeline, problems)


def _exam(exam: Exam, months: int, path: Path, problems: Problems) -> None:
    if exam.eligible_month > months:
        message = f"must be a month of the last stage, which has {months}; got {exam.eligible_month}"
        problems.add((*path, "eligible_month"), message)
    if not exam.pass_rates:
        problems.add((*path, "pass_rates"), "must have at least one entry")
    for month, rates in exam.by_sitting.items():
        if month not in exam.sittings:
            message = f"{month} is not one of the sittings: {', '.join(exam.sittings)}"
            problems.add((*path, "by_sitting", month), message)
        elif len(rates) != len(exam.pass_rates):
            message = f"must have a pass rate for each of {len(exam.pass_rates)} attempts; got {len(rates)}"
            problems.add((*path, "by_sitting", month), message)


def _history(scenario: Scenario, pipeline: ExternalPipeline, path: Path, problems: Problems) -> None:
    """Check that the intakes of the people who are in the pipeline at the start are given."""
    if pipeline.opening.rule != "from_past_intakes" or problems.lacks("start"):
        return
    if problems.touches((*path, "stages")) or problems.touches((*path, "intake", "per_year")):
        return
    months = sum(stage.months for stage in pipeline.stages) + (
        EXAM_MONTHS if pipeline.exam is not None else 0
    )
    needed = int(scenario.start[:4]) - math.ceil(months / 12)
    first = min(int(year) for year in pipeline.intake.per_year.points)
    if first > needed:
        message = (
            f"must begin in {needed} or before, so that `from_past_intakes` can fill the pipeline; "
            f"begins in {first}. Give the earlier years, or use `opening: steady`"
        )
        problems.add((*path, "intake", "per_year"), message)


def _feeds(scenario: Scenario, name: str, pipeline: ExternalPipeline, problems: Problems) -> None:
    sources = scenario.hiring.sources if scenario.hiring is not None else ()
    fed = any(name in (source.pipelines or ()) for source in sources)
    if not fed and not problems.lacks("hiring", "sources"):
        message = f"feeds nothing: name {quoted(name)} in the `pipelines` of a source in `hiring.sources`"
        problems.add(("pipelines", name), message)
    for i, row in enumerate(pipeline.destinations.terms[0].rows):
        if row.value == 0.0 or not row.where or pipeline.role not in scenario.roles:
            continue
        chosen = [scenario.posts[k] for k in select_posts(scenario, row.where)]
        others = [post.post for post in chosen if post.role != pipeline.role]
        if others:
            message = f"must be posts of the role {quoted(pipeline.role)}; {quoted(others[0])} is not"
            path = row_path(("pipelines", name, "destinations"), pipeline.destinations.terms[0], i)
            problems.add(path, message, row.origin)
