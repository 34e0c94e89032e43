"""`pharmsim sensitivity`: what it prints, writes and returns, and its report."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import openpyxl
import pytest

from pharmsim import cli
from pharmsim.results import manifest
from pharmsim.scenario import shipped

SMALL = shipped("small_system.yaml")


def call(*words: object) -> int:
    return cli.call(["sensitivity", *(str(word) for word in words)])


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sensitivity") / "found"
    words = ["--of", "retention", "--of", "shortfall", "--of", "total_cost", "--level", "system"]
    words += ["--by", "31 March 2028", "--by", "2031-04", "--draws", "64", "--out", str(folder)]
    assert call(SMALL, *words) == 0
    return folder


def test_the_folder_holds_what_was_found(made: Path) -> None:
    names = {path.name for path in made.iterdir()} - {"report.html"}
    assert names == {
        "tornado.csv", "indices.csv", "assumptions.csv", "assumptions.md", "workbook.xlsx", "scenario.json",
        "figures", "manifest.json",
    }  # fmt: skip
    pictures = {path.name for path in (made / "figures").iterdir()}
    assert {"tornado_retention_system_2028-04.png", "indices_total_cost_2031-04.svg"} <= pictures
    assert len(pictures) == 2 * 2 * 3 * 2
    tornado = rows(made, "tornado")
    assert len(tornado) == 18 * 3 * 2
    assert {(row["measure"], row["level"]) for row in tornado} == {
        ("retention", "system"), ("shortfall", ""), ("total_cost", ""),
    }  # fmt: skip
    assert tornado[0]["measured"] == "1 April 2027 to 1 April 2028"
    assert {row["method"] for row in rows(made, "indices")} == {"prcc"}
    ranked = [row for row in rows(made, "assumptions") if row["rank"]]
    assert [float(row["rank"]) for row in ranked] == sorted(float(row["rank"]) for row in ranked)
    assert ranked[0]["priority"] == "1.0"
    assert "no range: impact unknown" in {row["impact"] for row in rows(made, "assumptions")}


def test_the_manifest_names_every_file(made: Path) -> None:
    kept = json.loads((made / "manifest.json").read_text(encoding="utf-8"))
    assert kept["kind"] == "sensitivity"
    assert kept["n_draws"] == 64
    assert kept["question"]["of"] == ["retention", "shortfall", "total_cost"]
    digests = manifest.folder_digests(made)
    digests.pop("report.html", None)
    assert kept["outputs"] == digests


def test_the_workbook_begins_with_what_matters(made: Path) -> None:
    book = openpyxl.load_workbook(made / "workbook.xlsx")
    assert book.sheetnames == ["Read me", "Tornado", "Indices", "Impact and evidence"]
    text = " ".join(str(cell) for row in book["Read me"].values for cell in row if cell)
    assert "matters most" in text
    assert "Impact and evidence" in text


def test_what_is_printed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = ("--of", "shortfall", "--method", "tornado", "--no-figures", "--out", tmp_path / "a")
    assert call(SMALL, *words) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "shortfall: changes in FTE, at the low / at the high end" in said
    assert "To find out next: weak evidence × high impact" in said
    assert "numbers have no range: their impact is not known" in said
    assert not (tmp_path / "a" / "figures").exists()
    assert not (tmp_path / "a" / "indices.csv").exists()
    kept = json.loads((tmp_path / "a" / "manifest.json").read_text(encoding="utf-8"))
    assert kept["n_draws"] == 0


def test_bad_input_is_one_message_before_anything_runs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ("--of", "happiness", "--by", "1999", "--method", "tea", "--draws", 3, "--out", tmp_path / "a")
    assert call(SMALL, *words) == 2
    said = capsys.readouterr().err
    assert said.startswith("sensitivity: 3 problems")
    assert "Traceback" not in said
    assert not (tmp_path / "a").exists()
    assert call(SMALL, "--draws", 3, "--out", tmp_path / "a") == 2
    assert "--draws: must be 38 or more for 18 uncertainties; got 3" in capsys.readouterr().err
    assert call(SMALL, "--method", "sobol", "--sobol-runs", 5, "--out", tmp_path / "a") == 2
    assert "--sobol-runs: must be 320 or more for 18 uncertainties; got 5" in capsys.readouterr().err


def test_the_report_says_what_matters_most(made: Path) -> None:
    assert cli.call(["report", str(made)]) == 0
    page = (made / "report.html").read_text(encoding="utf-8")
    assert "<h1>What matters most: " in page
    assert "matters most: its low and its high end" in page
    assert "rest on assumptions" in page
    assert "To find out next: weak evidence × high impact" in page
    assert page.count("<figure") == 12
    assert "Partial rank correlation: " in page
    assert "pharmsim reproduce" not in page
    assert "No draw was run" not in page


def test_reproduce_says_that_it_is_no_run(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.call(["reproduce", str(made)]) == 2
    assert "it is an answer of `pharmsim sensitivity`, which keeps no run" in capsys.readouterr().err
