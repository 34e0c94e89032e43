"""What the numbers of a scenario matter for a measure: the list of assumptions with its measured impact.

The numbers that move a measure most and are known least stand first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from pharmsim.results.assumptions import Assumption, as_frame
from pharmsim.results.text import markdown_cell
from pharmsim.results.titles import titles
from pharmsim.scenario.models import Scenario

WEAKNESS = {"published": 1, "derived": 2, "calibrated": 2, "proxy": 3, "assumption": 4, "unstated": 4}
"""Grades as in a risk matrix. A convention: only the order of grades is meant by them."""
UNITS = {"share": (100.0, "points"), "GBP per year": (1e-6, "£ million a year")}
"""Units in which changes are written, with their factor."""
UNKNOWN = "no range: impact unknown"


@dataclass(frozen=True)
class Impact:
    """What one uncertainty does to the measure that it moves most.

    Attributes
    ----------
    measure, measure_unit : str
        In words, with its date; its unit.
    change_low, change_high : float
        Of the measure, with the uncertainty at its low and its high end and all others at their central
        values, in the unit of the measure.
    swing : float
        From the lowest to the highest of these and no change.
    share : float
        The swing as a share of the largest that any uncertainty makes in this measure.
    prcc, prcc_low, prcc_high : float
        Partial rank correlation with its 95 % interval; not a number where it was not asked for.
    """

    measure: str
    measure_unit: str
    change_low: float
    change_high: float
    swing: float
    share: float
    prcc: float = np.nan
    prcc_low: float = np.nan
    prcc_high: float = np.nan


def with_impact(
    scenario: Scenario, items: Sequence[Assumption], impacts: Mapping[str, Impact]
) -> pd.DataFrame:
    """The list of assumptions with impacts, most urgent first.

    Parameters
    ----------
    scenario : Scenario
    items : sequence of Assumption
        Its numbers (`assumptions.assumptions`).
    impacts : dict of Impact
        By uncertainty.

    Returns
    -------
    DataFrame
        rank, priority (share × weakness of the evidence, at most 1), impact (empty where it is measured,
        else why it is not), title (the uncertainty in words), the fields of `Impact` and those of
        `Assumption`. Settings and defaults stand at the end.
    """
    names = list(Impact.__dataclass_fields__)
    worst, rows, named = max(WEAKNESS.values()), [], titles(items)
    for item in items:
        found = impacts.get(item.uncertainty) if item.low != item.high else None
        text = "" if found else UNKNOWN if item.kind == "number" else item.kind
        priority = found.share * WEAKNESS[item.evidence] / worst if found else np.nan
        told = {"priority": priority, "impact": text, "title": named.get(item.uncertainty, "")}
        rows.append({**told, **(asdict(found) if found else {})})
    columns = ["priority", "impact", "title", *names]
    frame = pd.concat([pd.DataFrame(rows, columns=columns), as_frame(scenario, items)], axis=1)
    frame["settings"] = frame["kind"] != "number"
    frame = frame.sort_values(["settings", "priority"], ascending=[True, False], kind="stable")
    frame = frame.drop(columns="settings").reset_index(drop=True)
    frame.insert(0, "rank", frame["priority"].round(9).rank(method="dense", ascending=False))
    return frame


def as_markdown(scenario: Scenario, frame: pd.DataFrame) -> str:
    """The list of `with_impact` as Markdown: a line for each uncertainty and grade of evidence.

    Numbers without a range follow, a line for each table.
    """
    lines = [f"# Assumptions of {markdown_cell(scenario.name)}, by impact and evidence", ""]
    lines += [
        "First what moves a measure much and is known least: rank by the share of the largest swing × the "
        "weakness of the evidence. Swings are between the ends of a range; of a distribution with tails, "
        "between its 5 % and its 95 % point. All numbers, one a row: `assumptions.csv`.",
        "",
    ]
    heads = [
        "rank",
        "uncertainty",
        "numbers",
        "evidence",
        "measure",
        "change, low to high",
        "share",
        "source",
    ]
    measured = frame[frame["rank"].notna()]
    lines += _table(heads, (_measured(part) for _, part in _parts(measured, "uncertainty")))
    lines += ["", f"## {UNKNOWN.capitalize()}", ""]
    unknown = frame[frame["impact"] == UNKNOWN]
    table = unknown["id"].str.replace(r"\[\d+\]$", "", regex=True)
    heads = ["numbers", "evidence", "source"]
    lines += _table(heads, (_unknown(part) for _, part in _parts(unknown.assign(table=table), "table")))
    return "\n".join([*lines, ""])


def _parts(frame: pd.DataFrame, by: str) -> Any:
    return frame.groupby([by, "evidence"], sort=False)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    cells = [heads, ["---"] * len(heads), *([markdown_cell(cell) for cell in row] for row in rows)]
    return ["| " + " | ".join(row) + " |" for row in cells]


def _measured(part: pd.DataFrame) -> list[str]:
    one = part.iloc[0]
    factor, unit = UNITS.get(one["measure_unit"], (1.0, one["measure_unit"]))
    change = f"{factor * one['change_low']:+.4g} to {factor * one['change_high']:+.4g} {unit}"
    share = f"{100.0 * one['share']:.0f} %"
    return [
        f"{one['rank']:.0f}", one["title"], _numbers(part), one["evidence"], one["measure"], change,
        share, _sources(part),
    ]  # fmt: skip


def _unknown(part: pd.DataFrame) -> list[str]:
    return [_numbers(part), str(part["evidence"].iloc[0]), _sources(part)]


def _numbers(part: pd.DataFrame) -> str:
    one = part.iloc[0]
    if len(part) > 1:
        return f"{one['id'].rsplit('[', 1)[0]}, {len(part)} numbers"
    return f"{one['id']}{' (' + one['where'] + ')' if one['where'] else ''}"


def _sources(part: pd.DataFrame) -> str:
    return "; ".join(source for source in part["source"].unique() if source)
