"""A small made-up workforce with published numbers of three kinds, to calibrate in milliseconds."""

from __future__ import annotations

import copy
import csv
import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np

import pharmsim
from made import changed, made
from pharmsim.calibration.file import load_calibration
from pharmsim.calibration.problem import Problem

SOURCE = {"source": "made up", "evidence": "assumption"}
FIRST, YEARS = 2026, 3
SERIES = {"heads": ("headcount", 450.0), "joined": ("joiners", 60.0), "left": ("exits", 25.0)}
COLUMNS = (
    "series", "measure", "role", "environment", "place", "geography", "date", "to", "value", "unit", "error",
    "definition", "confidence", "source", "note",
)  # fmt: skip


def scenario() -> Any:
    """Five hundred people of one post; how many leave and how many join is uncertain."""
    leaving = {"value": "5 % per year", "low": "3 %", "high": "9 %", "uncertainty": "leaving", **SOURCE}
    supply = {"value": 40, "low": 20, "high": 70, "uncertainty": "supply", **SOURCE}
    ages = {"rows": [{"where": {"age": "25-34"}, "value": "100 %"}], **SOURCE}
    people = made(
        12 * YEARS,
        heads=500,
        ages={"rows": [{"where": {"age": "25-45"}, "value": "100 %"}]},
        leaving={"left": {"rate": leaving}},
        hiring={"sources": [{"name": "elsewhere", "supply": supply, "ages": ages}]},
    )
    return changed(people, ages={"first": 25, "last": 50})


def write(folder: Path) -> Path:
    """The scenario, the published numbers and the calibration as files; returns the calibration's."""
    (folder / "small.yaml").write_text(json.dumps(pharmsim.to_dict(scenario())), encoding="utf-8")
    with (folder / "targets.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        for series, (measure, value) in SERIES.items():
            for year in range(FIRST, FIRST + YEARS):
                end = f"{year + 1}-03-31"
                stock = measure == "headcount"
                writer.writerow(
                    {"series": series, "measure": measure, "role": "red", "environment": "hill",
                     "geography": "Hill", "date": end if stock else f"{year}-04-01",
                     "to": "" if stock else end,
                     "value": value, "unit": "headcount", "error": 0.02, "definition": "made_up",
                     "confidence": "seen", "source": "made up"}
                )  # fmt: skip
    ratio = {"value": 0.9, "low": 0.8, "high": 1.0, "dist": "uniform", **SOURCE}
    dispersion = {"value": 40, "low": 15, "high": 80, **SOURCE}
    own: dict[str, dict[str, Any]] = {
        "heads": {},
        "joined": {"model": "negative_binomial", "dispersion": dispersion},
        "left": {"model": "student_log", "error": {"value": "8 %", **SOURCE}, "ratio": ratio},
    }
    calibration = {
        "name": "small", "scenario": "small.yaml", "geography": "Hill", "parameters": "all",
        "observations": [
            {"name": name, "targets": "targets.csv", "series": name, **more} for name, more in own.items()
        ],
    }  # fmt: skip
    path = folder / "calibration.yaml"
    path.write_text(json.dumps(calibration), encoding="utf-8")
    return path


def problem(folder: Path) -> Problem:
    return Problem(load_calibration(write(folder)))


def observing(problem: Problem, values: np.ndarray) -> Problem:
    """The same problem with other published numbers, shape (targets,)."""
    new = copy.copy(problem)
    new.noise = dataclasses.replace(problem.noise, value=values)
    return new
