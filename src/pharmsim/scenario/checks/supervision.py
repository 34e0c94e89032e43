"""Supervision: who is supervised, by whom, and how it limits training."""

from __future__ import annotations

import numpy as np

from pharmsim.scenario.checks.shared import TOLERANCE, at_month, dates_of, exists, month_number
from pharmsim.scenario.expand import select_posts
from pharmsim.scenario.marks import Path, closest, quoted
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.problems import Problems
from pharmsim.scenario.system import Duty
from pharmsim.scenario.training import ExternalPipeline, InternalPipeline, Stage

POST_AXES = ("post", "role", "environment", "grade", "place")


def check(scenario: Scenario, problems: Problems) -> None:
    """Check every duty to supervise, and the supervisors of stages and internal pipelines."""
    for name, duty in scenario.supervision.items():
        path: Path = ("supervision", name)
        _supervised(scenario, problems, path, duty)
        _within(scenario, problems, path, duty)
        _shares(problems, path, duty)
        _entries(scenario, problems, path, duty)
    for name, pipeline in scenario.pipelines.items():
        path = ("pipelines", name)
        if isinstance(pipeline, InternalPipeline):
            _limit(problems, path, pipeline)
            continue
        for i, stage in enumerate(pipeline.stages):
            at: Path = (*path, "stages", i)
            _limit(problems, at, stage)
            if stage.trainees_per_fte is not None and stage.places is not None:
                problems.add(at, "must have at most one of `places` and `trainees_per_fte`")


def stages_of(scenario: Scenario) -> dict[str, Stage]:
    """Return the stages of all external pipelines by the name ``pipeline.stage``."""
    return {
        f"{name}.{stage.name}": stage
        for name, pipeline in scenario.pipelines.items()
        if isinstance(pipeline, ExternalPipeline)
        for stage in pipeline.stages
    }


def _limit(problems: Problems, path: Path, node: Stage | InternalPipeline) -> None:
    lacks = node.trainees_per_fte is not None and node.supervisors is None
    if lacks and not problems.touches((*path, "supervisors")):
        problems.add(path, "has `trainees_per_fte` and needs `supervisors`: the posts whose FTE count")


def _supervised(scenario: Scenario, problems: Problems, path: Path, duty: Duty) -> None:
    keys = ("trainees", "first_year", "staff")
    given = [
        key for key, item in zip(keys, (duty.trainees, duty.first_year, duty.staff), strict=True)
        if item is not None and item != ()
    ]  # fmt: skip
    if len(given) != 1 and not any(problems.touches((*path, key)) for key in keys):
        found = " and ".join(f"`{key}`" for key in given) or "none"
        message = f"must have exactly one of `trainees`, `first_year` and `staff`; got {found}"
        problems.add(path, message)
    if "first_year" in given and scenario.first_year is None and not problems.lacks("first_year"):
        message = "needs the section `first_year`, which says how many first-year staff there are"
        problems.add((*path, "first_year"), message)
    if problems.lacks("pipelines"):
        return
    internal = [name for name, node in scenario.pipelines.items() if isinstance(node, InternalPipeline)]
    known = [*stages_of(scenario), *internal]
    for i, name in enumerate(duty.trainees):
        if name in scenario.pipelines and name not in internal:
            near = ", ".join(stage for stage in known if stage.startswith(f"{name}."))
            message = f"{quoted(name)} is an external pipeline: name its stages, such as {near}"
            problems.add((*path, "trainees", i), message)
        else:
            exists(problems, (*path, "trainees", i), name, known, "stage or internal pipeline")


def _within(scenario: Scenario, problems: Problems, path: Path, duty: Duty) -> None:
    axes = (*POST_AXES, *scenario.post_attributes)
    for axis in duty.within:
        if axis not in axes and not problems.lacks("post_attributes"):
            message = f"no such axis or attribute of posts {quoted(axis)}.{closest(axis, axes, 12)}"
            problems.add((*path, "within"), message)
    outside = [name for name in duty.trainees if name in stages_of(scenario)]
    if duty.within and outside:
        message = f"has no meaning for trainees of {outside[0]}, who are in no post: remove `within`"
        problems.add((*path, "within"), message)


def _shares(problems: Problems, path: Path, duty: Duty) -> None:
    """The shares of those who supervise are checked where their lines bend."""
    if problems.touches((*path, "by")) or problems.lacks(*path, "by"):
        return
    for date in dates_of(entry.share for entry in duty.by):
        total = sum(at_month(entry.share, month_number(date)) for entry in duty.by)
        if abs(total - 1.0) > TOLERANCE:
            only = all(len(entry.share.points) == 1 for entry in duty.by)
            when = "" if only else f" in {date}"
            message = f"shares of those who supervise must sum to 1; they sum to {total:.6g}{when}"
            problems.add((*path, "by"), message)
            return


def _entries(scenario: Scenario, problems: Problems, path: Path, duty: Duty) -> None:
    if problems.touches((*path, "by")) or "post" in problems.unsure:
        return
    taken = np.full(len(scenario.posts), -1)
    for i, entry in enumerate(duty.by):
        chosen = select_posts(scenario, entry.where)
        twice = chosen[taken[chosen] >= 0]
        if len(twice):
            p = int(twice[0])
            other = f"by[{int(taken[p])}]"
            message = f"selects {scenario.posts[p].post}, and so does {other}: a post is in one entry"
            problems.add((*path, "by", i), message)
            return
        taken[chosen] = i
