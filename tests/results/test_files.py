"""Results folders: complete or not there, never run by a spreadsheet, read back unchanged."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest

import synthetic
from pharmsim.errors import OutputError
from pharmsim.results import files, manifest, netcdf
from pharmsim.results.by_year import by_year
from pharmsim.results.folder import complete_or_nothing
from pharmsim.results.labelled import Results
from pharmsim.results.text import cell, file_name, markdown_cell, safe_cells

EVIL = '=HYPERLINK("http://example.org","x")'


@pytest.fixture(scope="module")
def results() -> Results:
    return synthetic.results(draws=2)


@pytest.fixture(scope="module")
def folder(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return files.write(results, tmp_path_factory.mktemp("results") / "run", command=["pharmsim", "run", "x"])


def left(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


def test_a_run_folder_holds_everything(results: Results, folder: Path) -> None:
    assert left(folder) == [
        "assumptions.csv", "assumptions.md", "draws.nc", "manifest.json", "results.nc", "run.log",
        "scenario.json", "tables", "tidy.parquet", "workbook.xlsx",
    ]  # fmt: skip
    assert left(folder / "tables") == [
        "flows.csv", "groups.csv", "moves.csv", "retention.csv", "training.csv", "triangulation.csv",
        "workforce.csv",
    ]  # fmt: skip
    assert left(folder.parent) == ["run"]
    log = (folder / "run.log").read_text(encoding="utf-8")
    assert "warning: a warning" in log
    assert "people conserved to" in log
    assert "2 draws besides the central values\n" in log
    assert "powers of two" not in log
    made = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert made["power_of_two"]
    assert "powers of two" in files.log_text(results, {**made, "power_of_two": False})


def test_results_come_back_bit_for_bit(results: Results, tmp_path: Path) -> None:
    folder = files.write(results, tmp_path / "run", keep="all")
    back = netcdf.read(folder / "results.nc")
    assert back.identical(results.data)
    assert netcdf.digest(back) == netcdf.digest(results.data)
    assert not (folder / "draws.nc").exists()
    assert (back["leavers"].attrs["unit"], back["leavers"].attrs["units"]) == ("heads per month", "month-1")
    assert back["fte"].attrs["units"] == "1"
    again = files.read(folder)
    assert again.data.equals(results.data)
    assert again.by_year is None
    assert again.scenario.name == results.scenario.name


def test_a_summary_holds_the_central_run_by_month_and_the_draws_by_year(
    results: Results, folder: Path
) -> None:
    again = files.read(folder)
    assert again.data.identical(results.data.isel(draw=slice(0, 1)))
    assert again.by_year is not None
    assert again.by_year.identical(by_year(results.data))
    assert again.meta["n_draws"] == 2
    (folder / "draws.nc").rename(folder / "gone.nc")
    with pytest.raises(OutputError, match=r"draws\.nc: must be the results of a run"):
        files.read(folder)
    (folder / "gone.nc").rename(folder / "draws.nc")


def test_without_draws_there_is_one_file_of_numbers(tmp_path: Path) -> None:
    folder = files.write(synthetic.results(), tmp_path / "run")
    assert not (folder / "draws.nc").exists()
    assert files.read(folder).by_year is None


def test_what_people_read_does_not_depend_on_what_is_kept(
    results: Results, folder: Path, tmp_path: Path
) -> None:
    whole = files.write(results, tmp_path / "run", keep="all")
    names = ["tidy.parquet", "assumptions.csv", *(f"tables/{path.name}" for path in whole.glob("tables/*"))]
    assert len(names) > 8
    for name in names:
        assert (whole / name).read_bytes() == (folder / name).read_bytes(), name
    digests = [json.loads((place / "manifest.json").read_text())["results"] for place in (whole, folder)]
    assert digests[0] == digests[1]


def test_the_manifest_says_what_made_the_run(folder: Path) -> None:
    made = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert made["command"] == ["pharmsim", "run", "x"]
    assert (made["seed"], made["n_draws"], made["engine"], made["step"]) == (1, 2, "cohort", "month")
    assert (made["keep"], made["uncertainties"]) == ("summary", ["stock.headcount"])
    assert {"commit", "dirty"} == set(made["git"])
    assert {"processor", "platform", "python", "engine_sources", "packages"} == set(made["environment"])
    assert len(made["results"]["fte"]) == 64
    description = json.loads((folder / "scenario.json").read_text(encoding="utf-8"))
    assert manifest.scenario_digest(description) == made["scenario"]["sha256"]
    written = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert set(made["outputs"]) == written - {"manifest.json"}
    assert made["outputs"]["workbook.xlsx"] == manifest.file_digest(folder / "workbook.xlsx")


def test_the_long_table_has_percentiles_a_year_and_central_values_a_month(
    results: Results, folder: Path
) -> None:
    frame = pd.read_parquet(folder / "tidy.parquet")
    fte = frame[(frame["quantity"] == "fte") & (frame["post"] == "chemist_ward")]
    assert set(fte["statistic"]) == {"central", "p5", "p25", "p50", "p75", "p95"}
    months = fte[fte["frequency"] == "month"]
    assert set(months["statistic"]) == {"central"}
    np.testing.assert_array_equal(months["value"].to_numpy(), results.data["fte"].values[0, :, 1])
    leavers = frame[(frame["quantity"] == "leavers") & (frame["frequency"] == "year")]
    assert set(leavers["category"]) == {"destination=died", "destination=break"}
    assert set(leavers["unit"]) == {"heads per year"}
    assert set(frame[frame["quantity"] == "headcount"]["category"]) == {
        f"group={group}; contract={contract}" for group in "fm" for contract in ("full", "part")
    }


def make_nothing(target: Path, force: bool = True) -> None:
    """Where the place is refused, the work must not begin."""
    with complete_or_nothing(target, force):
        pytest.fail("the work must not begin")


# -- complete or nothing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [KeyboardInterrupt, RuntimeError, OSError(28, "No space left on device")])
def test_nothing_half_written_remains(tmp_path: Path, results: Results, failure: Any) -> None:
    def fail(place: Path) -> None:
        assert (place / "results.nc").is_file()
        raise failure

    expected = OutputError if isinstance(failure, OSError) else failure
    with pytest.raises(expected):
        files.write(results, tmp_path / "run", also=[fail])
    assert left(tmp_path) == []


def test_a_folder_that_is_there_is_kept_without_force(tmp_path: Path) -> None:
    target = tmp_path / "run"
    with complete_or_nothing(target) as place:
        (place / "manifest.json").write_text("{}")
        (place / "old").write_text("old")
    with pytest.raises(OutputError, match=r"must not exist yet.*--force"):
        make_nothing(target, force=False)
    assert left(target) == ["manifest.json", "old"]


def test_force_replaces_only_when_the_new_one_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "run"
    for name in ("first", "second"):
        with complete_or_nothing(target, force=True) as place:
            (place / "manifest.json").write_text("{}")
            (place / name).write_text(name)
    assert left(target) == ["manifest.json", "second"]
    with pytest.raises(KeyboardInterrupt), complete_or_nothing(target, force=True):
        raise KeyboardInterrupt
    assert left(target) == ["manifest.json", "second"]
    assert left(tmp_path) == ["run"]


def test_force_does_not_delete_what_pharmsim_did_not_write(tmp_path: Path) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "to_the_board.txt").write_text("dear all")
    with pytest.raises(OutputError, match=r"has no manifest\.json"):
        make_nothing(tmp_path / "letters")
    assert left(tmp_path / "letters") == ["to_the_board.txt"]


def test_an_empty_folder_is_a_place_and_a_file_is_not(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with complete_or_nothing(tmp_path / "run") as place:
        (place / "a").write_text("a")
    assert left(tmp_path / "run") == ["a"]
    (tmp_path / "file").write_text("text")
    with pytest.raises(OutputError, match="it is a file or a link"):
        make_nothing(tmp_path / "file")
    with pytest.raises(OutputError, match="must be a place that can be written"):
        make_nothing(tmp_path / "file" / "below")


# -- text that programs would run ---------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_dangerous_cells_are_neutralised(text: str) -> None:
    assert cell(text) == "'" + text
    assert cell("a" + text) == "a" + text


def test_numbers_and_dates_are_left_alone() -> None:
    frame = pd.DataFrame({"=a": ["-x", None], "b": [-1.5, 2.0], "c": pd.to_datetime(["2025-01-01"] * 2)})
    safe = safe_cells(frame)
    assert list(safe.columns) == ["'=a", "b", "c"]
    assert safe["'=a"].iloc[0] == "'-x"
    assert safe["b"].iloc[0] == -1.5
    assert safe["c"].dtype.kind == "M"


def test_no_cell_of_a_run_is_a_formula(tmp_path: Path) -> None:
    posts = [dict(post) for post in synthetic.description()["posts"]]
    made = synthetic.results(
        name=EVIL, roles={"chemist": EVIL, "helper": "@x"}, description="-d", posts=posts
    )
    folder = files.write(made, tmp_path / "run")
    texts = 0
    for path in folder.rglob("*.csv"):
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.reader(stream):
                for value in row:
                    texts += 1
                    try:
                        float(value)
                    except ValueError:
                        assert not value.startswith(("=", "+", "-", "@")), (path.name, value)
    assert texts > 1000
    book = openpyxl.load_workbook(folder / "workbook.xlsx")
    shown = [item.value for sheet in book for row in sheet.iter_rows() for item in row]
    assert "'" + EVIL in shown
    assert "'=cmd()" in shown
    assert not [value for value in shown if isinstance(value, str) and value.startswith(("=", "+", "@"))]
    assert all(item.data_type != "f" for sheet in book for row in sheet.iter_rows() for item in row)


def test_the_workbook_can_be_read_in_a_meeting(folder: Path) -> None:
    book = openpyxl.load_workbook(folder / "workbook.xlsx")
    assert book.sheetnames == [
        "Read me", "Triangulation", "Triangulation 5-95 %", "Summary", "Workforce", "Joiners and leavers",
        "Retention", "Training", "Moves", "Groups", "Assumptions", "Warnings",
    ]  # fmt: skip
    sheet = book["Summary"]
    assert sheet.freeze_panes == "C2"
    assert [item.value for item in sheet[1]][:3] == ["date", "role", "headcount"]
    assert {row[1].value for row in sheet.iter_rows(min_row=2)} == {"Chemist", "Helper", "All"}
    readme = [item.value for row in book["Read me"].iter_rows() for item in row]
    assert "stability index" in readme


def test_names_are_made_safe_for_files_and_markdown() -> None:
    assert file_name("../../etc/passwd") == "etc_passwd"
    assert file_name("<>") == "unnamed"
    assert markdown_cell("a|b\n<i>*") == "a\\|b &lt;i&gt;\\*"


def test_a_folder_that_is_not_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"must be a results folder; it has no manifest\.json"):
        files.read(tmp_path)
    (tmp_path / "manifest.json").write_text("not json")
    with pytest.raises(OutputError, match="cannot be read"):
        files.read(tmp_path)
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(OutputError, match=r"results\.nc: must be the results of a run"):
        files.read(tmp_path)
    (tmp_path / "results.nc").write_text("not netCDF")
    with pytest.raises(OutputError, match="cannot be read as netCDF"):
        files.read(tmp_path)


def test_a_disk_that_is_too_small_is_one_error_before_anything_is_lost(
    tmp_path: Path, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: small)
    with pytest.raises(
        OutputError, match=r"results\.nc may need 0\.1 MB, 0\.0 MB are free\. Nothing was kept"
    ):
        files.write(results, tmp_path / "run")
    assert left(tmp_path) == []
