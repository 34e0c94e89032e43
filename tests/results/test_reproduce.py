"""A run made again: equal, tampered with, on another machine, with changed files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pharmsim
import synthetic
from pharmsim.compiled.draws import names
from pharmsim.errors import OutputError
from pharmsim.report import comparison as report
from pharmsim.results import files, netcdf
from pharmsim.results.labelled import Results
from pharmsim.results.reproduce import changed_outputs, compare, reproduce
from pharmsim.study.comparing import comparison as study


def again(scenario: Any, draws: int, seed: int) -> Results:
    return synthetic.results(draws=draws, seed=seed)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return files.write(synthetic.results(draws=2, seed=7), tmp_path / "run", keep="all")


@pytest.fixture
def summary(tmp_path: Path) -> Path:
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


def tamper(folder: Path, factor: float, name: str = "results.nc", draw: int = 1) -> None:
    data = netcdf.read(folder / name)
    data["leavers"][draw, 3, 2, 0] *= factor
    (folder / name).unlink()
    netcdf.write(data, folder / name)


def test_one_changed_number_is_found_and_named(folder: Path) -> None:
    tamper(folder, 1.0 + 1e-15)
    outcome = reproduce(folder, run=again)
    assert not outcome.equal
    assert outcome.n_different == 1
    expected = "leavers at draw 1, period 2026-01-01, post helper_shop, destination died"
    assert expected in outcome.text()
    assert "results.nc is not the file that the run wrote" in outcome.text()


def test_a_summary_is_reproduced_by_month_by_year_and_by_digest(summary: Path) -> None:
    outcome = reproduce(summary, run=again)
    assert outcome.equal
    assert outcome.n_numbers == sum(array.size for array in synthetic.results(draws=2).data.values())
    assert not outcome.remarks
    made = json.loads((summary / "manifest.json").read_text(encoding="utf-8"))
    change_manifest(summary, results={**made["results"], "fte": "0" * 64})
    outcome = reproduce(summary, run=again)
    assert not outcome.equal
    assert "first: fte: months of draws, by their digest" in outcome.text()
    assert outcome.n_different == synthetic.results(draws=2).data["fte"].size
    change_manifest(summary, environment={**made["environment"], "processor": "another"})
    outcome = reproduce(summary, run=again)
    assert outcome.equal  # where rounding differs digests say nothing
    assert "the months of the draws are not compared" in outcome.text()


@pytest.mark.parametrize(
    ("name", "draw", "place"),
    [
        ("results.nc", 0, "leavers at draw 0, period 2026-01-01"),
        ("draws.nc", 2, "leavers at draw 2, year_from 2028-10-01"),
    ],
)
def test_one_changed_number_of_a_summary_is_found(summary: Path, name: str, draw: int, place: str) -> None:
    tamper(summary, 1.0 + 1e-15, name, draw)
    outcome = reproduce(summary, run=again)
    assert not outcome.equal
    assert outcome.n_different == 1
    assert place in outcome.text()
    assert f"{name}: has changed since the run wrote it" in outcome.text()


def test_a_summary_with_other_draws_than_the_manifest_says_is_refused(summary: Path) -> None:
    change_manifest(summary, n_draws=3)
    with pytest.raises(OutputError, match=r"n_draws must be 2, the draws in draws\.nc; got 3"):
        reproduce(summary, run=again)


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


def test_changed_tables_are_named_and_count(folder: Path) -> None:
    names = ["tables/flows.csv", "workbook.xlsx", "tidy.parquet", "assumptions.md"]
    made = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["outputs"]
    for name in names:
        path = folder / name
        before = path.read_bytes()
        path.write_bytes(before + b"1")
        told, whole = changed_outputs(folder, made)
        assert (told, whole) == ([f"{name}: has changed since the run wrote it"], False)
        path.unlink()
        assert changed_outputs(folder, made) == ([f"{name}: is no longer there"], False)
        path.write_bytes(before)
    (folder / "tidy.parquet").write_bytes(b"1")
    outcome = reproduce(folder, run=again)
    assert outcome.equal
    assert not outcome.whole
    assert "are not as the run wrote them" in outcome.text()


def test_a_changed_log_is_a_remark(folder: Path) -> None:
    (folder / "run.log").write_text("nothing", encoding="utf-8")
    outcome = reproduce(folder, run=again)
    assert outcome.whole
    assert "run.log: has changed" in outcome.text()


DAMAGES: list[dict[str, Any]] = [
    {"n_draws": "x"},
    {"n_draws": 10**30},
    {"n_draws": -1},
    {"n_draws": True},
    {"seed": [1]},
    {"files": "all"},
    {"files": [{"path": 1}]},
    {"environment": 3},
    {"environment": {"packages": []}},
    {"scenario": "x"},
    {"results": []},
    {"outputs": {"workbook.xlsx": 4}},
    {"kind": "comparison", "scenarios": [{"folder": "../elsewhere", "results": {}}]},
    {"kind": "comparison", "scenarios": ["x"]},
]


def test_a_damaged_manifest_is_bad_input(folder: Path) -> None:
    before = (folder / "manifest.json").read_bytes()
    for changes in DAMAGES:
        change_manifest(folder, **changes)
        with pytest.raises(OutputError, match=r"manifest\.json: [a-z_]+ must"):
            reproduce(folder, run=again)
        (folder / "manifest.json").write_bytes(before)


def test_a_comparison_is_reproduced_by_its_digests(tmp_path: Path) -> None:
    tables: list[Any] = []

    def made(scenario: Any, draws: Any, seed: int) -> Results:
        tables.append(draws)
        n = draws if isinstance(draws, int) else draws.n - 1
        return replace(synthetic.results(draws=n, seed=seed), scenario=scenario)

    base = synthetic.description()
    uncertain = synthetic.cells({"value": 0.01, "low": 0.0, "high": 0.02})
    more = {"name": "Other", "switches": [{**base["switches"][0], "rate": uncertain}]}
    scenarios = [pharmsim.from_dict(base), pharmsim.from_dict({**base, **more})]
    compared = study.compare(scenarios[0], scenarios[1:], 20, 7, run=made)
    tables.clear()
    place = report.write(compared, tmp_path / "compared", figures=False)
    outcome = reproduce(place, run=made)
    assert outcome.equal
    assert outcome.whole
    assert outcome.n_numbers > 20_000
    assert len(tables) == 2
    assert tables[0] is tables[1]  # that the scenarios share
    np.testing.assert_array_equal(tables[0].u, compared.draws.u)
    assert len(tables[0].names) == len(names(scenarios[0])) + 1
    other = reproduce(place, run=lambda scenario, draws, seed: made(scenario, draws, seed + 1))
    assert not other.equal
    assert "base: " in other.text()
    (place / "differences.csv").write_text("a,b", encoding="utf-8")
    assert not reproduce(place, run=made).whole


def test_missing_numbers_and_quantities_are_differences() -> None:
    data = synthetic.results().data
    same = compare(data, data.copy(deep=True))
    assert (same.different, same.largest, same.first) == (0, 0.0, "")
    other = data.copy(deep=True)
    other["fte"][0, 0, 0] = np.nan
    found = compare(data, other)
    assert (found.different, found.largest, found.names) == (1, np.inf, {"fte"})
    found = compare(data, data.drop_vars("fte"))
    assert (found.different, found.largest) == (data["fte"].size, np.inf)
    both = other.copy(deep=True)
    assert compare(other, both).different == 0
