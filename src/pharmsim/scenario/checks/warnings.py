"""Warnings: what is allowed and probably not meant."""

from __future__ import annotations

from pharmsim.scenario.checks import lever_warnings
from pharmsim.scenario.checks.feedbacks import without_effect, written
from pharmsim.scenario.checks.uncertainties import ranged
from pharmsim.scenario.expand import central, select_posts
from pharmsim.scenario.fields import numbers
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.services import split_of
from pharmsim.scenario.text import MONTHS
from pharmsim.scenario.training import InternalPipeline, Stage
from pharmsim.scenario.values import Cells, Value


def check_warnings(scenario: Scenario) -> list[str]:
    """Return warnings about a valid scenario, each beginning with its key path.

    Key paths listed in `warnings_off` of the scenario are left out.
    """
    found = [*_pools(scenario), *_hazards(scenario), *_unused(scenario), *_retention(scenario)]
    found += [*_supervisors(scenario), *_supervision(scenario), *_policies(scenario), *_shifts(scenario)]
    found += [*_feedbacks(scenario), *_correlated(scenario), *_posteriors(scenario)]
    found += _idle_ranges(scenario)
    found += lever_warnings.about_levers(scenario)
    return [f"{where}: {message}" for where, message in found if where not in scenario.warnings_off]


def _correlated(scenario: Scenario) -> list[tuple[str, str]]:
    """A change may fix a number that the base correlates with others."""
    section = scenario.uncertainties
    known = {node.uncertainty for _, node in ranged(scenario)}
    return [
        (f"uncertainties.correlated[{i}]", f"`{name}` does not vary, so that nothing is correlated with it")
        for i, group in enumerate(section.correlated if section is not None else ())
        for name in group.of
        if name not in known
    ]


def _posteriors(scenario: Scenario) -> list[tuple[str, str]]:
    """Calibrations not sampled or not converged, or whose uncertainties are mostly another scenario's."""
    section = scenario.uncertainties
    own = {node.uncertainty for _, node in ranged(scenario)}
    found = []
    for posterior in section.posteriors if section is not None else ():
        if not posterior.converged:
            text = (
                "did not converge: calibrate with more steps"
                if posterior.sampled
                else "was not sampled (--map-only): calibrate without it"
            )
            found.append(("parameters", f"the calibration {posterior.name} {text}"))
        known = own.intersection(posterior.ranges)
        if len(known) < len(posterior.ranges) / 2:
            names = ", ".join(sorted(map(str, known)))
            text = (
                f"of {len(posterior.ranges)} uncertainties of the calibration {posterior.name} only "
                f"{len(known)} are in the scenario ({names}): is it about the same?"
            )
            found.append(("parameters", text))
    return found


def _idle_ranges(scenario: Scenario) -> list[tuple[str, str]]:
    """Ranges of numbers that runs use at their central values only, or that cancel."""
    whole = {
        ("hiring", "time_to_hire"): "people wait whole months, the same in every draw: vary `time_to_fill`",
        ("hiring", "sources", "groups"): "the groups of a source are the same in every draw",
        ("pension_age", "age"): "pension ages are the law, the same in every draw",
        ("safe_minimum",): "it is held against the people of every draw as it is",
    }
    out = {}
    for number in numbers(scenario):
        keys = tuple(key for key in number.path if isinstance(key, str))
        cells = number.node.terms if isinstance(number.node, Cells) else ()
        values = [number.node, *(row for term in cells for row in term.rows)]
        ranged = any(isinstance(value, Value) and value.low != value.high for value in values)
        spread = any(term.range is not None for term in cells)
        if keys in whole and (ranged or spread):
            out[str(number)] = f"its range has no effect: {whole[keys]}"
        elif number.of.over and spread:
            out[str(number)] = (
                "its relative `range` has no effect: shares are divided by their sum. Give rows a range"
            )
    return list(out.items())


def _pools(scenario: Scenario) -> list[tuple[str, str]]:
    entered = {leaving.into for leaving in scenario.leaving.values()}
    return [
        (f"pools.{name}", "nobody enters it: no `leaving` destination says `into` it")
        for name in scenario.pools
        if name not in entered
    ]


def _hazards(scenario: Scenario) -> list[tuple[str, str]]:
    out = []
    for number in numbers(scenario):
        if number.of.kind != "hazard" or number.path[0] == "retirement":
            continue
        values: list[Value] = []
        if isinstance(number.node, Cells):
            values = list(number.node.terms[0].rows)
        elif isinstance(number.node, Value):
            values = [number.node]
        for value in values:
            if value.value > 1.0:
                place = f" ({value.origin})" if value.origin is not None else ""
                message = f"is {value.value:g} per year{place}: most people are gone within a year"
                out.append((str(number), message))
                break
    return out


def _retention(scenario: Scenario) -> list[tuple[str, str]]:
    """With steps of a year people are tagged at anniversaries of the start only."""
    if scenario.step != "year" or scenario.retention is None:
        return []
    before = MONTHS[(int(scenario.start[5:]) - 2) % 12]
    if scenario.retention.month == before:
        return []
    message = (
        f"is {scenario.retention.month}, and with `step: year` people can only be tagged at anniversaries of "
        f"the start {scenario.start}: retention is not followed. Use `month: {before}` or a shorter step"
    )
    return [("retention.month", message)]


def _unused(scenario: Scenario) -> list[tuple[str, str]]:
    works_in = {name for post in scenario.posts for name in split_of(post)}
    used = {post.role for post in scenario.posts}, {post.environment for post in scenario.posts} | works_in
    out = [(f"roles.{name}", "no post has this role") for name in scenario.roles if name not in used[0]]
    return out + [
        (f"environments.{name}", "no post is in this environment")
        for name in scenario.environments
        if name not in used[1]
    ]


def _supervisors(scenario: Scenario) -> list[tuple[str, str]]:
    """Supervisors of training limit nothing on their own."""
    feedback = scenario.feedbacks is not None and scenario.feedbacks.training is not None
    out = []
    for name, pipeline in scenario.pipelines.items():
        nodes: list[tuple[str, Stage | InternalPipeline]]
        if isinstance(pipeline, InternalPipeline):
            nodes = [(f"pipelines.{name}.supervisors", pipeline)]
        else:
            path = f"pipelines.{name}.stages"
            nodes = [(f"{path}[{i}].supervisors", stage) for i, stage in enumerate(pipeline.stages)]
        for where, node in nodes:
            used = feedback and isinstance(node, Stage) and node.places is not None
            if node.supervisors is not None and node.trainees_per_fte is None and not used:
                how = "give `trainees_per_fte`"
                if isinstance(node, Stage):
                    how += ", or `places` and the feedback `training`"
                out.append((where, f"limit nothing: {how}"))
    return out


def _policies(scenario: Scenario) -> list[tuple[str, str]]:
    """A policy replaces what an earlier one said of a post; only `hold` is there to be replaced."""
    out, said = [], dict[int, int]()
    for i, rule in enumerate(scenario.establishment.over_time if scenario.establishment is not None else ()):
        posts = [int(p) for p in select_posts(scenario, rule.where)]
        before = next((said[p] for p in posts if p in said), None)
        if before is not None:
            post = next(scenario.posts[p].post for p in posts if said.get(p) == before)
            message = f"replaces over_time[{before}] for {post}: one policy of a post holds, the last"
            out.append((f"establishment.over_time[{i}]", message))
        said |= dict.fromkeys(posts, i) if rule.policy != "hold" else {}
    return out


def _shifts(scenario: Scenario) -> list[tuple[str, str]]:
    """A shift takes at most what a part of the job plan has."""
    out = []
    time = scenario.working_time
    for i, shift in enumerate(time.shifts if time is not None else ()):
        posts = select_posts(scenario, shift.where)
        has = central(time.job_plan[shift.from_].share, scenario, ["post"]) if time is not None else posts
        short = [p for p in posts if has[p] < shift.share.value - 1e-9]
        if short:
            first = scenario.posts[short[0]].post
            more = f" and {len(short) - 1} more" if len(short) > 1 else ""
            found = f"takes {shift.share.value:.0%} and {first} has {has[short[0]]:.0%}{more}"
            out.append((f"working_time.shifts[{i}]", f"{found}: what is there is taken"))
    return out


def _supervision(scenario: Scenario) -> list[tuple[str, str]]:
    """Supervising time has nowhere to come from."""
    plan = scenario.working_time.job_plan if scenario.working_time is not None else {}
    rules = scenario.need.delegation if scenario.need is not None else ()
    asked = bool(scenario.supervision) or any(rule.supervision.value > 0.0 for rule in rules)
    if not asked or any(part.supervising for part in plan.values()):
        return []
    message = (
        "all the time that it takes is counted as unmet, for no part of `working_time.job_plan` is "
        "`supervising: true`"
    )
    return [("supervision", message)]


def _feedbacks(scenario: Scenario) -> list[tuple[str, str]]:
    """Feedbacks that are on and change nothing."""
    found = written(scenario.feedbacks) if scenario.feedbacks is not None else ()
    return [(f"feedbacks.{name}", text) for name, node in found for text in without_effect(node)]
