"""A made-up workforce whose published numbers come from the model itself, to be back-tested in seconds."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import small_calibration

import pharmsim
from pharmsim.calibration.file import load_calibration
from pharmsim.calibration.problem import Problem

FIRST, LAST = 2026, 2032
TRUTH = np.array([0.7, -0.5])
"""Normal scores of `leaving` and `supply`."""
STEP = 2029
"""April of which twice as many begin to join: known on 31 March of the year after."""
BACKTEST: dict[str, Any] = {
    "series": [{"observation": "heads", "title": "Heads", "earlier": ["long_ago"]}],
    "horizons": [1, 2],
    "known_later": [
        {"set": "hiring.sources.elsewhere.over_time", "before": f"{STEP + 1}-01-01", "to": {f"{STEP}-04": 1},
         "why": "nobody knew of the step"},
    ],
    "draws": 100,
}  # fmt: skip


def scenario() -> Any:
    """As in `small_calibration`, for six years, with a step of those who join."""
    one = {"value": 1, **small_calibration.SOURCE}
    steps = {f"{FIRST}-04": one, f"{STEP}-03": one, f"{STEP}-04": {**one, "value": 2}}
    data = pharmsim.to_dict(small_calibration.scenario())
    data["end"] = f"{LAST}-04"
    data["hiring"]["sources"][0]["over_time"] = {"points": steps}
    return pharmsim.from_dict(data)


def row(series: str, day: str, value: float) -> dict[str, Any]:
    return {
        "series": series, "measure": "headcount", "role": "red", "environment": "hill", "geography": "Hill",
        "date": day, "value": value, "unit": "headcount", "error": 0.002, "definition": "made_up",
        "confidence": "seen", "source": "made up",
    }  # fmt: skip


def write(folder: Path, values: dict[int, float], backtest: Any = BACKTEST) -> Path:
    """Scenario, published numbers (value by year, on 31 March) and calibration as files."""
    (folder / "made.yaml").write_text(json.dumps(pharmsim.to_dict(scenario())), encoding="utf-8")
    with (folder / "targets.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, small_calibration.COLUMNS, restval="")
        writer.writeheader()
        writer.writerow(row("long_ago", "2020-03-31", 430.0))
        writer.writerow(row("long_ago", "2027-09-30", 1.0))
        writer.writerows(row("heads", f"{year}-03-31", value) for year, value in values.items())
    calibration = {
        "name": "made", "title": "Made up", "scenario": "made.yaml", "geography": "Hill", "parameters": "all",
        "observations": [
            {"name": "heads", "targets": "targets.csv", "series": "heads", "from": f"{FIRST + 1}-03-31"}
        ],
        "backtest": backtest,
    }  # fmt: skip
    path = folder / "calibration.yaml"
    path.write_text(json.dumps(calibration), encoding="utf-8")
    return path


def published(folder: Path) -> dict[int, float]:
    """What the model says with the true parameters."""
    guess = dict.fromkeys(range(FIRST, LAST + 1), 500.0)
    found = Problem(load_calibration(write(folder, guess)), 1).predict(TRUTH)[0]
    return {FIRST: 500.0} | {FIRST + 1 + i: float(value) for i, value in enumerate(found)}
