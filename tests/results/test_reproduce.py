"""A run made again: equal, tampered with, on another machine, with changed files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import synthetic
from pharmsim.results import files, netcdf
from pharmsim.results.labelled import Results
from pharmsim.results.reproduce import compare, reproduce


def again(scenario: Any, draws: int, seed: int) -> Results:
    return synthetic.results(draws=draws, seed=seed)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return files.write(synthetic.results(draws=2, seed=7), tmp_path / "run")


def change_manifest(folder: Path, **changes: Any) -> None:
    path = folder / "manifest.json"
    made = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**made, **changes}), encoding="utf-8")


def test_an_equal_run_is_reproduced(folder: Path) -> None:
    outcome = reproduce(folder, run=again)
    assert outcome.equal
    assert outcome.n_different == 0
    assert outcome.n_numbers > 10_000
    assert "equal, bit for bit" in outcome.text()
    assert not outcome.remarks


def tamper(folder: Path, factor: float) -> None:
    data = netcdf.read(folder / "results.nc")
    data["leavers"][1, 3, 2, 0] *= factor
    (folder / "results.nc").unlink()
    netcdf.write(data, folder / "results.nc")


def test_one_changed_number_is_found_and_named(folder: Path) -> None:
    tamper(folder, 1.0 + 1e-15)
    outcome = reproduce(folder, run=again)
    assert not outcome.equal
    assert outcome.n_different == 1
    expected = "leavers at draw 1, period 2026-01-01, post helper_shop, destination died"
    assert expected in outcome.text()
    assert "results.nc is not the file that the run wrote" in outcome.text()


def test_another_processor_may_differ_by_rounding_only(folder: Path) -> None:
    made = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    change_manifest(folder, environment={**made["environment"], "processor": "another"})
    tamper(folder, 1.0 + 4e-16)
    outcome = reproduce(folder, run=again)
    assert outcome.equal
    assert outcome.n_different == 1
    assert "processor: another then" in outcome.text()
    tamper(folder, 1.0 + 1e-9)
    assert not reproduce(folder, run=again).equal


def test_another_seed_is_not_reproduced(folder: Path) -> None:
    change_manifest(folder, seed=8)
    assert not reproduce(folder, run=again).equal


def test_changed_and_missing_files_are_told(folder: Path, tmp_path: Path) -> None:
    there = tmp_path / "scenario.yaml"
    there.write_text("name: changed")
    entries = [{"path": str(there), "sha256": "0" * 64}, {"path": str(tmp_path / "gone.csv"), "sha256": "1"}]
    change_manifest(folder, files=entries)
    outcome = reproduce(folder, run=again)
    assert outcome.equal
    assert "scenario.yaml: has changed since the run" in outcome.text()
    assert "gone.csv: is no longer there" in outcome.text()


def test_missing_numbers_and_quantities_are_differences() -> None:
    data = synthetic.results().data
    same = compare(data, data.copy(deep=True))
    assert same[1:] == (0, 0.0, "")
    other = data.copy(deep=True)
    other["fte"][0, 0, 0] = np.nan
    assert compare(data, other)[1:3] == (1, np.inf)
    assert compare(data, data.drop_vars("fte"))[1:3] == (data["fte"].size, np.inf)
    both = other.copy(deep=True)
    assert compare(other, both)[1] == 0
