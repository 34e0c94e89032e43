"""A comparison on disk, in pictures and in the terminal."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from rich.console import Console

import synthetic
from pharmsim.report import comparison, comparison_figures, comparison_text
from pharmsim.report.deciding_text import line_head
from pharmsim.results.labelled import Results
from pharmsim.study.comparing.comparison import Comparison, compare

FACTORS = {"More": 1.1, "Fewer": 0.8}


def run(scenario: Any, draws: Any, seed: int) -> Results:
    """Made-up results; the others have a factor on what is delivered in the shops, and on pay."""
    results = synthetic.results(draws, 48, seed, **synthetic.system(), end="2029-10")
    data = results.data.copy(deep=True)
    factor = FACTORS.get(scenario.name, 1.0)
    shops = data["service_environment"] == "shop"
    data["service_fte"] = data["service_fte"].where(~shops, data["service_fte"] * factor)
    data["pay_bill"] = data["pay_bill"] * factor
    return dataclasses.replace(results, scenario=scenario, data=data)


@pytest.fixture(scope="module")
def compared() -> Comparison:
    sections = {**synthetic.system(), "end": "2029-10"}
    base, *others = (synthetic.scenario(**sections, name=name) for name in ("Base <b>&", *FACTORS))
    return compare(base, others, draws=20, seed=3, run=run)


@pytest.fixture(scope="module")
def folder(compared: Comparison, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return comparison.write(compared, tmp_path_factory.mktemp("made") / "compared")


def test_a_comparison_is_written_whole(compared: Comparison, folder: Path) -> None:
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    tables = {f"{name}.csv" for name in ("differences", "trajectories", "flows", "displacement", "costs")}
    assert tables | {"workbook.xlsx", "manifest.json"} <= names
    assert {"scenarios/00_base/workforce.csv", "scenarios/02_Fewer/scenario.json"} <= names
    assert "scenarios/01_More/assumptions.csv" in names
    made = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert [entry["title"] for entry in made["scenarios"]] == ["base", "More", "Fewer"]
    assert (made["seed"], made["n_draws"], made["warnings"]) == (3, 20, list(compared.warnings))
    assert [path.name for path in folder.parent.iterdir()] == ["compared"]


def test_pictures_are_of_all_there_is(folder: Path) -> None:
    names = {path.stem for path in (folder / "figures").iterdir()}
    shown = {"differences", "service_differences", "retention_differences", "trajectories", "costs"}
    assert names == shown | {"winners_and_losers_More", "winners_and_losers_Fewer"}
    text = (folder / "figures" / "trajectories.svg").read_text(encoding="utf-8")
    for words in ("People in post", "Delivered time", "Vacancy rate", "Retention (system)", "Fewer"):
        assert words in text
    assert "bands 50 and 90 %" in text
    costs = (folder / "figures" / "costs.svg").read_text(encoding="utf-8")
    assert "no gain" in costs
    assert "£ million since the start" in costs


def test_the_workbook_has_a_sheet_for_each_table(compared: Comparison, folder: Path) -> None:
    book = openpyxl.load_workbook(folder / "workbook.xlsx")
    assert book.sheetnames == [
        "Read me", "Differences", "Rates", "Winners and losers", "Costs", "Who moves where", "Trajectories",
    ]  # fmt: skip
    lines = [str(row[1].value) for row in book["Read me"].iter_rows()]
    for sentence in comparison_text.headlines(compared):
        assert sentence in lines
    rows = book["Trajectories"].iter_rows(values_only=True)
    assert {row[4:6] for row in rows} == {("role", "environment"), ("all", "all")}


def test_tables_can_be_read_back(folder: Path) -> None:
    frame = pd.read_csv(folder / "differences.csv", keep_default_na=False, na_values=[""])
    assert {"p25", "p75", "p_better", "over", "unit"} <= set(frame)
    assert set(frame["over"]) == {"date", "year", "cumulated"}
    lines = pd.read_csv(folder / "trajectories.csv", low_memory=False)
    months = pd.to_datetime(lines[lines["quantity"] == "fte"]["date"]).dt.month
    assert set(months) == {1, 4, 7, 10}
    assert lines[lines["scenario"].isna()]["difference_median"].isna().all()


def test_each_scenario_has_a_sentence_with_intervals(compared: Comparison) -> None:
    more, fewer = comparison_text.headlines(compared)
    assert more.startswith("More, Apr 2028: delivered time +")
    assert "better in 100 % of draws" in more
    assert "retention (system) +0.00 points (+0.00 to +0.00)" in more  # no draw differs
    assert "; no environment loses." in more
    assert "all costs +" in more
    assert "lost" in fewer
    assert fewer.endswith("FTE in Shops, nobody gains.")


def test_the_terminal_shows_who_loses_and_totals_with_intervals(compared: Comparison) -> None:
    stream = io.StringIO()
    comparison_text.show(compared, Console(file=stream, width=140))
    text = stream.getvalue()
    assert "Winners and losers in Oct 2029, delivered FTE" in text
    assert "Costs Oct 2025 to Oct 2029 less the base's, £ thousand" in text
    assert "1  More, less the base" in text
    assert "who loses, 2: Shop" in text
    assert "kept in environment" in text
    assert "second lines: 5 to 95 % of draws" in text
    assert text.count("Oct 2029") >= 3
    narrow = io.StringIO()
    comparison_text.show(compared, Console(file=narrow, width=70))
    assert "Oct 2027 ┃" not in narrow.getvalue()
    assert "Oct 2029 ┃" in narrow.getvalue()


def test_the_terminal_is_whole_at_80_columns(compared: Comparison) -> None:
    """No word is broken and no number cut, with long names and large amounts."""
    tables = {name: frame.copy() for name, frame in compared.tables.items()}
    numbers = tables["costs"].columns.intersection(["central", "median", "p5", "p25", "p75", "p95"])
    tables["costs"][numbers] *= 1000.0
    names = tuple(f"{name} of a programme with a very long name indeed" for name in compared.names)
    for frame in tables.values():
        if "scenario" in frame:
            frame["scenario"] = frame["scenario"].replace(dict(zip(compared.names, names, strict=True)))
    stream = io.StringIO()
    long = dataclasses.replace(compared, names=names, tables=tables)
    comparison_text.show(long, Console(file=stream, width=80))
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    ends = {line_head(i, name).plain.split()[-1] for i, name in enumerate(names, 1)}  # of names, on purpose
    assert not [word for line in lines for word in line.split() if "…" in word and word not in ends]
    table = [line for line in lines if line.startswith("│")]
    for number in (cell for line in table for cell in line.split("│")[2:-1] if cell.strip()):
        assert re.fullmatch(r" *(-?[-+\d.,]+( to [-+\d.,]+)?|–|no gain|[A-Za-z£ ]+)", number.rstrip()), number
    words = " ".join(line.split("│")[1].strip() for line in table)
    for item in (*comparison_text.ITEMS.values(), "all costs", "delivered time"):
        assert item in words or item in ("backfill", "programme")  # this comparison has neither


def test_central_values_alone_are_told_as_such() -> None:
    base = synthetic.scenario(end="2029-10")

    def alone(scenario: Any, draws: Any, seed: int) -> Results:
        return synthetic.results(0, 48, end="2029-10", name=scenario.name)

    compared = compare(base, [synthetic.scenario(end="2029-10", name="Other")], draws=20, run=alone)
    assert comparison_text.draws_of(compared).startswith("none: no input has a range")
    stream = io.StringIO()
    comparison_text.show(compared, Console(file=stream, width=120))
    assert "no input has a range: central values" in stream.getvalue()
    assert "of draws" not in stream.getvalue()


def test_a_picture_over_time_without_need_has_fte_instead(tmp_path: Path) -> None:
    def made(scenario: Any, draws: Any, seed: int) -> Results:
        return synthetic.results(draws, 48, seed, end="2029-10", name=scenario.name)

    base = synthetic.scenario(end="2029-10")
    compared = compare(base, [synthetic.scenario(end="2029-10", name="Other")], draws=20, run=made)
    paths = {path.name for path in comparison_figures.write(compared, tmp_path)}
    assert "service_differences.svg" not in paths
    text = (tmp_path / "trajectories.svg").read_text(encoding="utf-8")
    assert "FTE in post" in text
    assert "Delivered time" not in text
    bars = (tmp_path / "winners_and_losers_Other.svg").read_text(encoding="utf-8")
    assert "FTE in post in Oct 2029, Other" in bars
