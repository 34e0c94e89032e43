"""How sure the choice between the scenarios of a comparison is: three tables from the draws of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from pharmsim.compiled.draws import EXPECTED
from pharmsim.results.impact import WEAKNESS
from pharmsim.study.comparing.comparison import Comparison
from pharmsim.study.deciding import futures as discovery
from pharmsim.study.deciding.information import partial, perfect
from pharmsim.study.deciding.inputs import Input, inputs, together
from pharmsim.study.deciding.objectives import Objective, objectives
from pharmsim.study.deciding.robustness import robustness
from pharmsim.study.resampling import resample_weights
from pharmsim.study.sensitivity.drivers import title_together
from pharmsim.study.solving.targets import Subject

BASE = "base"
ALL = "everything"
"""What EVPI knows, beside the names of uncertainties."""
FALSE = 0.01
"""Share of the inputs that are said to change the choice which may do so by chance."""
SAME = 1e-9
"""Gains that differ by less than this share of the largest are the same."""


def decided(compared: Comparison, asked: Sequence[Subject] = ()) -> Comparison:
    """Return the comparison with tables of how sure the choice between its scenarios is.

    Parameters
    ----------
    compared : Comparison
    asked : sequence of Subject or Target
        What is to be gained; by default as in `objectives`.

    Returns
    -------
    Comparison
        With the tables choice, value_of_information and failing_futures (the last two if they have rows);
        as it was without draws of the inputs.

    Notes
    -----
    Chance cannot be known before choosing. So with an engine of chance a draw counts once, with the mean of
    its replicates; it fails if more than half of them do.
    """
    draws, each = compared.draws, compared.draws.engine.replicates
    if not compared.base.n_draws or (draws.engine.by_chance and not draws.drawn):
        return compared
    runs = [compared.base, *compared.others]
    scenarios = [run.scenario for run in runs]
    known = inputs(scenarios, replace(draws, u=draws.u[[0, *range(1, draws.n, each)]], engine=EXPECTED))
    groups = together(scenarios, [one.driver.name for one in known])
    titles = [title_together([known[i].driver for i in group], scenarios, " with ") for group in groups]
    made = objectives(compared, asked)
    found = [_rounded(_by_draw(one, each)) for one in made if one is not None]
    names = [BASE, *compared.names]
    sought = len(found) * len(names)
    rows = {
        "choice": [row for each in found for row in _choice(each, names, draws.seed)],
        "value_of_information": [
            row for each in found for row in _information(each, known, groups, titles, draws.seed)
        ],
        "failing_futures": [
            row for each in found for row in _failing(each, names, known, draws.seed, sought)
        ],
    }
    tables = {name: pd.DataFrame(table) for name, table in rows.items() if table}
    told = [
        f"objective {subject.quantity}: not judged, for it is not known of all scenarios by the last date"
        for subject, objective in zip(asked, made, strict=False)
        if objective is None
    ]
    if not discovery.known():
        told.append(f"futures in which scenarios fail: not sought; install {discovery.EXTRA}")
    if each > 1:
        told.append(
            f"choice: judged by the mean of the {each} replicates of each draw; what chance is left in these "
            "means counts as if the inputs had made it"
        )
    return replace(compared, tables={**compared.tables, **tables}, warnings=(*compared.warnings, *told))


def _by_draw(objective: Objective, replicates: int) -> Objective:
    """The objective with one row for each draw."""
    gains, fails = (
        np.concatenate([x[:1], x[1:].reshape(-1, replicates, x.shape[1]).mean(axis=1)])
        for x in (objective.gains, objective.fails)
    )
    return replace(objective, gains=gains, fails=fails > 0.5)


def _rounded(objective: Objective) -> Objective:
    """The objective with gains that are equal but for rounding made equal."""
    least = SAME * np.abs(objective.gains).max()
    if not least:
        return objective
    digits = -int(np.floor(np.log10(least)))
    return replace(objective, gains=np.round(objective.gains, digits))


def _heads(objective: Objective) -> dict[str, Any]:
    return {"objective": objective.name, "unit": objective.unit, "date": objective.date}


def _choice(objective: Objective, names: Sequence[str], seed: int) -> list[dict[str, Any]]:
    """A row for each scenario, the base first."""
    gains, fails = objective.gains[1:], objective.fails[1:]
    found = robustness(gains, fails, seed)
    best = int(found["mean_gain"].argmax())
    return [
        {
            **_heads(objective), "scenario": name, "best_on_average": i == best,
            "central_gain": objective.gains[0, i], **{column: values[i] for column, values in found.items()},
            "fails": objective.failing, "draws": len(gains),
        }
        for i, name in enumerate(names)
    ]  # fmt: skip


def _information(
    objective: Objective,
    known: Sequence[Input],
    groups: Sequence[Sequence[int]],
    titles: Sequence[str],
    seed: int,
) -> list[dict[str, Any]]:
    """What it is worth to know everything, and each uncertainty: the most first."""
    gains = objective.gains[1:]
    whole = perfect(gains)
    if not whole.any():
        parts = np.zeros((len(gains), len(groups)))
    else:
        columns = [np.stack([known[i].drawn for i in group], 1) for group in groups]
        parts = partial(gains, columns, seed)
    contributions = np.column_stack([whole, parts])
    value = contributions.mean(axis=0)
    again = resample_weights(len(gains), seed) @ contributions
    low, high = np.maximum(np.quantile(again, [0.05, 0.95], axis=0), 0.0)
    sure = _sure(contributions)
    named = zip(groups, titles, strict=True)
    about = [_everything(), *(_about([known[i] for i in group], title) for group, title in named)]
    order = [0, *(1 + np.argsort(-value[1:], kind="stable"))]
    return [
        {
            **_heads(objective), **about[i], "value": max(float(value[i]), 0.0), "p5": low[i], "p95": high[i],
            "standard_error": again[:, i].std(), "share_of_all": _share(value[i], value[0]), "found": sure[i],
            "draws": len(gains),
        }
        for i in order
    ]  # fmt: skip


def _sure(contributions: np.ndarray) -> np.ndarray:
    """Which contributions have a mean above 0 by more than chance, many being looked at."""
    from scipy.stats import false_discovery_control, ttest_1samp

    p = np.ones(contributions.shape[1])
    varied = np.ptp(contributions, axis=0) > 0.0
    if varied.any():
        p[varied] = ttest_1samp(contributions[:, varied], 0.0, alternative="greater").pvalue
    return np.asarray(false_discovery_control(p) < FALSE)


def _share(value: float, whole: float) -> float:
    return min(max(value, 0.0) / whole, 1.0) if whole > 0.0 else 0.0


def _everything() -> dict[str, Any]:
    return {"uncertainty": ALL, "title": ALL, "central": np.nan, "low": np.nan, "high": np.nan,
            "unit_of_value": "", "evidence": ""}  # fmt: skip


def _about(each: Sequence[Input], title: str) -> dict[str, Any]:
    """Names, range and weakest evidence of what is known together."""
    found = [one.driver for one in each]
    alone = found[0] if len(found) == 1 else None
    grades = sorted((grade for one in found for grade in one.grades), key=lambda grade: -WEAKNESS[grade])
    return {
        "uncertainty": "; ".join(one.name for one in found),
        "title": title,
        "central": alone.value if alone else np.nan,
        "low": alone.low if alone else np.nan,
        "high": alone.high if alone else np.nan,
        "unit_of_value": alone.unit if alone else "",
        "evidence": grades[0] if grades else "",
    }


def _failing(
    objective: Objective, names: Sequence[str], known: Sequence[Input], seed: int, sought: int
) -> list[dict[str, Any]]:
    """A row for each rule that tells the draws in which a scenario fails, or, if it mostly does, holds."""
    if not discovery.known() or not known:
        return []
    values = np.stack([each.values for each in known], axis=1)
    rows = []
    for name, fails in zip(names, objective.fails[1:].T, strict=True):
        rare = fails.mean() <= 0.5
        found = discovery.futures(fails if rare else ~fails, values, seed, sought)
        for rule in found.rules:
            where = " and ".join(known[side.input].side(side) for side in rule.conditions)
            rows.append(
                {
                    **_heads(objective), "scenario": name, "fails": objective.failing,
                    "p_fails": fails.mean(), "what": "fails" if rare else "does not fail", "where": where,
                    "density": rule.density, "coverage": rule.coverage, "draws_of_rule": rule.n,
                    "all_rules_density_unseen": found.density,
                    "all_rules_coverage_unseen": found.coverage, "draws": len(fails),
                }
            )  # fmt: skip
    return rows
