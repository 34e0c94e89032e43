"""How sure a choice is: in words, in the terminal, as a picture and in the HTML report."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import made_comparison
from pharmsim.report import deciding_figures, deciding_text
from pharmsim.report.html import choice as section
from pharmsim.report.html import page
from pharmsim.report.html.data import read
from pharmsim.results.text import write_csv
from pharmsim.study.deciding.robustness import robustness

NAMES = ("base", "Rotation", "Ladders")
DAY = pd.Timestamp("2035-10-01")


def head(unit: str) -> dict[str, Any]:
    return {"objective": "net benefit" if unit == "GBP" else "delivered time", "unit": unit, "date": DAY}


def choices(unit: str, gains: np.ndarray) -> list[dict[str, Any]]:
    found = robustness(gains, gains < 0.0)
    best = int(found["mean_gain"].argmax())
    return [
        {**head(unit), "scenario": name, "best_on_average": i == best, "central_gain": 0.0,
         **{name: values[i] for name, values in found.items()}, "fails": "worse than the base", "draws": 200}
        for i, name in enumerate(NAMES)
    ]  # fmt: skip


def worth(unit: str, whole: float, **inputs: tuple[float, bool]) -> list[dict[str, Any]]:
    rows = [("everything", whole, whole > 0.0), *((name, *rest) for name, rest in inputs.items())]
    return [
        {**head(unit), "uncertainty": name, "title": name.replace("_", " "), "central": 1.0 if i else np.nan,
         "low": 0.8 if i else np.nan, "high": 1.25 if i else np.nan, "unit_of_value": "ratio" if i else "",
         "evidence": "assumption" if i else "", "value": value, "p5": 0.8 * value, "p95": 1.2 * value,
         "standard_error": 0.1 * value, "share_of_all": value / whole if whole else 0.0, "found": found,
         "draws": 200}
        for i, (name, value, found) in enumerate(rows)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(1)
    none = np.zeros(200)
    years = np.stack([none, rng.normal(3.0, 4.0, 200), rng.normal(2.0, 1.0, 200)], axis=1)
    money = np.stack([none, np.full(200, -2e6), np.full(200, -1e6)], axis=1)
    voi = worth("FTE-years", 1.9, sickness=(0.9, True), leaving_ratio=(0.0, False))
    rule = {
        **head("FTE-years"), "scenario": "Rotation", "fails": "worse than the base", "p_fails": 0.22,
        "what": "fails", "where": "sickness above 4.6 %", "density": 0.81, "coverage": 0.7,
        "draws_of_rule": 40, "all_rules_density_unseen": 0.74, "all_rules_coverage_unseen": 0.6, "draws": 200,
    }  # fmt: skip
    return {
        "choice": pd.DataFrame([*choices("FTE-years", years), *choices("GBP", money)]),
        "value_of_information": pd.DataFrame([*voi, *worth("GBP", 0.0, sickness=(0.0, False))]),
        "failing_futures": pd.DataFrame([rule]),
    }


def test_sentences_say_what_is_best_how_sure_and_what_to_measure(tables: dict[str, pd.DataFrame]) -> None:
    years, money = deciding_text.sentences(tables)
    assert years.startswith("Delivered time, since the start, until October 2035: “Rotation” is the best on")
    best = tables["choice"].iloc[1]
    assert f"in {100 * best['p_best']:.0f}" in years
    assert "is what it would be worth to know beforehand all inputs that have a range" in years
    low, high = (f"{best[name]:+.1f}".replace("-", "\N{MINUS SIGN}") for name in ("p5_gain", "p95_gain"))
    assert f"FTE-years beside the base (5–95 % of draws: {low} to {high})" in years
    assert years.endswith("assumption). 200 draws are a first look: run 1,024 before you act on it.")
    assert "sickness (0.90 FTE-years; assumption)." in years
    assert "leaving ratio" not in years
    assert "The base is the best on average." in money
    sure = "in all 200 draws: no input with a range, within its range, changed the choice. "
    assert money.endswith(f"{sure}Numbers without a range were not varied.")


def test_a_choice_that_is_as_good_as_another_is_not_said_to_be_better(
    tables: dict[str, pd.DataFrame],
) -> None:
    same = pd.DataFrame(choices("GBP", np.zeros((200, 3))))
    (said,) = deciding_text.sentences({**tables, "choice": same})
    assert "The base is the best on average, though in some draws another is as good." in said


def test_no_single_input_is_said_where_none_was_found(tables: dict[str, pd.DataFrame]) -> None:
    none = tables["value_of_information"].assign(found=False)
    assert (
        "No single input that has a range was found in 200 draws"
        in deciding_text.sentences({**tables, "value_of_information": none})[0]
    )


def test_failing_futures_are_said_with_what_holds_out_of_sample(tables: dict[str, pd.DataFrame]) -> None:
    (said,) = deciding_text.failures(tables)
    told = "On draws that they had not seen, such rules together were right in 74"
    for part in ("“Rotation” is worse than the base", "in 22", "81", "sickness above 4.6 %", told):
        assert part in said
    held = tables["failing_futures"].assign(what="does not fail", fails="target missed: fte 9", p_fails=0.8)
    (said,) = deciding_text.failures({"failing_futures": held})
    assert "“Rotation” is not short of the target fte 9 in 20" in said


def test_the_terminal_has_a_row_for_every_choice(tables: dict[str, pd.DataFrame]) -> None:
    console = Console(file=io.StringIO(), width=100)
    for table in deciding_text.tables_of(tables):
        assert table.row_count == 3
        assert [str(cell).strip() for cell in table.columns[0].cells][
            1
        ] == f"1  {tables['choice']['scenario'][1]}"
        console.print(table)
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "How sure is the choice? Net benefit" in shown
    assert "£2.0 million" in shown
    best = tables["choice"].iloc[2]
    assert f"{best['p5_gain']:+.1f} to {best['p95_gain']:+.1f}" in shown
    assert f"{100 * best['p_best_low']:.0f}\N{NO-BREAK SPACE}% to" in shown
    assert f"{best['mean_regret_low']:.1f} to {best['mean_regret_high']:.1f}" in shown
    assert "100\N{NO-BREAK SPACE}% to" not in shown  # all draws are the same: nothing to resample


def test_nothing_is_said_without_a_choice(tmp_path: Path) -> None:
    assert deciding_text.sentences({}) == deciding_text.failures({}) == deciding_text.tables_of({}) == []
    assert deciding_figures.write({}, tmp_path, "") == []


def test_the_picture_shows_regret_and_what_is_worth_knowing(
    tables: dict[str, pd.DataFrame], tmp_path: Path
) -> None:
    paths = deciding_figures.write(tables, tmp_path, "Scenario: x\nmore")
    svg = next(path for path in paths if path.suffix == ".svg").read_text(encoding="utf-8")
    for text in (
        "Rotation",
        "Ladders",
        "best in",
        "sickness",
        "FTE-years",
        "£ million",
        "no input with a range",
        "changed the choice in 200 draws",
    ):
        assert text in svg
    assert "leaving ratio" not in svg


def test_the_report_has_a_section_of_its_own(tables: dict[str, pd.DataFrame], tmp_path: Path) -> None:
    folder = made_comparison.write(tmp_path / "made", ("Rotation", "Ladders"))
    for name, table in tables.items():
        write_csv(table, folder / f"{name}.csv")
    deciding_figures.write(tables, folder / "figures", "Scenario: x")
    html = page.html(read(folder))
    assert html.count('id="choice"') == 1
    assert html.index('id="choice"') < html.index('id="together"')
    assert html.count("data:image/svg+xml") >= 2
    found = section.information(read(folder), "delivered time")
    assert [row[0].text for row in found.rows] == ["All inputs that have a range", "Sickness"]
    assert found.rows[1][1].note == "0.8 to 1.25"
    assert not section.information(read(folder), "net benefit")
    assert len(section.robustness(read(folder), "net benefit").rows) == 3
    gain = section.robustness(read(folder), "delivered time").rows[2][1]
    best = tables["choice"].iloc[2]
    assert gain.note == f"{best['p5_gain']:+.1f} to {best['p95_gain']:+.1f}"


def test_a_report_without_a_choice_has_no_such_section(tmp_path: Path) -> None:
    assert 'id="choice"' not in page.html(read(made_comparison.write(tmp_path / "made", draws=False)))
