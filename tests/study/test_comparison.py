"""Scenarios compared with a base under the same draws."""

from __future__ import annotations

import dataclasses
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pytest
from rich.console import Console

import synthetic
from pharmsim.errors import ScenarioError
from pharmsim.report import comparison as report
from pharmsim.results.labelled import Results
from pharmsim.study.comparison import Comparison, compare, unique_names

FACTORS = {"More": 1.1, "Fewer": 0.8}


def run(scenario: Any, draws: int, seed: int) -> Results:
    """Made-up results; the others have a constant factor on everything in post."""
    results = synthetic.results(draws=draws, seed=seed, n_months=72)
    data = results.data.copy(deep=True)
    factor = FACTORS.get(scenario.name, 1.0)
    for name in ("headcount", "fte", "vacancy_fte", "leavers", "retirements"):
        data[name] = data[name] * factor
    return dataclasses.replace(results, scenario=scenario, data=data)


@pytest.fixture(scope="module")
def compared() -> Comparison:
    base = synthetic.scenario()
    others = [synthetic.scenario(name=name) for name in FACTORS]
    return compare(base, others, draws=9, seed=3, run=run)


def rows(compared: Comparison, **wanted: Any) -> Any:
    frame = compared.differences
    for name, value in wanted.items():
        frame = frame[frame[name] == value]
    return frame


def test_dates_are_five_years_on_and_the_end(compared: Comparison) -> None:
    assert [str(date)[:10] for date in compared.dates] == ["2030-10-01", "2031-10-01"]


def test_differences_are_taken_draw_by_draw(compared: Comparison) -> None:
    row = rows(compared, scenario="More", quantity="fte", role="chemist", environment="ward").iloc[-1]
    fte = compared.base.data["fte"].sel(post="chemist_ward").values[:, -1]
    assert row["base"] == pytest.approx(fte[0])
    assert row["difference"] == pytest.approx(0.1 * fte[0])
    low, middle, high = np.quantile(0.1 * fte[1:], [0.05, 0.5, 0.95])
    assert (row["p5"], row["median"], row["p95"]) == pytest.approx((low, middle, high))


def test_leavers_are_those_of_the_year_before(compared: Comparison) -> None:
    row = rows(compared, scenario="Fewer", quantity="leavers", role="all", environment="all").iloc[0]
    data = compared.base.data
    year = slice(48, 60)
    total = float(data["leavers"].values[0, year].sum() + data["retirements"].values[0, year].sum())
    assert row["base"] == pytest.approx(total)
    assert row["difference"] == pytest.approx(-0.2 * total)
    assert str(row["year_from"])[:10] == "2029-10-01"


def test_retention_is_compared_at_each_level(compared: Comparison) -> None:
    frame = rows(compared, scenario="More", quantity="stability_index")
    assert list(frame["level"].unique()) == ["post", "environment", "system"]
    assert frame["difference"].abs().max() == pytest.approx(0.0, abs=1e-12)
    assert str(frame.iloc[0]["year_from"])[:10] == "2029-04-01"


def test_a_post_of_one_scenario_only_counts_as_none_in_the_other() -> None:
    more = [*synthetic.description()["posts"], {"post": "new", "role": "helper", "environment": "icu"}]
    wider = synthetic.scenario(name="Wider", posts=more, environments={"shop": "S", "ward": "W", "icu": "I"})

    def either(scenario: Any, draws: int, seed: int) -> Results:
        changes = {"posts": more, "environments": {"shop": "S", "ward": "W", "icu": "I"}}
        return synthetic.results(draws=draws, **(changes if scenario.name == "Wider" else {}))

    found = compare(synthetic.scenario(), [wider], run=either)
    row = rows(found, quantity="headcount", role="helper", environment="icu").iloc[0]
    assert row["base"] == 0.0
    assert row["difference"] == row["value"] > 0
    funded = rows(found, quantity="vacancy_fte", role="helper", environment="icu").iloc[0]
    assert (funded["base"], funded["difference"]) == (0.0, funded["value"])
    assert "has no new: counted as nobody in post and no vacancy there" in found.warnings[0]
    back = compare(wider, [synthetic.scenario()], run=either)
    for quantity in ("headcount", "vacancy_fte"):
        gone = rows(back, quantity=quantity, role="helper", environment="icu").iloc[0]
        assert (gone["value"], gone["difference"]) == (0.0, -gone["base"])
    assert back.warnings[0].startswith("Small town <b>& has no new")
    assert "p5" not in found.differences


def test_need_that_moves_with_the_opening_is_a_warning() -> None:
    """`opening_ratio` is measured on what each scenario delivers; `fte` is not, nor is what moves later."""

    def running(at: int, draw: int) -> Any:
        def run_one(scenario: Any, draws: int, seed: int) -> Results:
            results = synthetic.results(draws, 72, seed, **synthetic.system())
            data = results.data.copy(deep=True)
            data["required_fte"][:, 0] = 50.0
            if scenario.name == "Other":
                data["required_fte"][draw, at, 1] = 40.0
                data["required_fte"][draw, at, 2] = 49.0
            return dataclasses.replace(results, scenario=scenario, data=data)

        return run_one

    def told(at: int, draw: int = 0, **changes: Any) -> tuple[str, ...]:
        sections = {**synthetic.system(), **changes}
        pair = synthetic.scenario(**sections), synthetic.scenario(**sections, name="Other")
        return compare(pair[0], [pair[1]], draws=2, run=running(at, draw)).warnings

    (warning,) = told(0)
    assert warning.startswith(
        "Other needs 40.0 FTE at the start for chemist / ward and 1 more, Small town <b>& 50.0: `opening_"
    )
    assert warning.endswith("Let it begin a month later, or give `need.fte`")
    assert len(told(0, draw=2)) == 1  # in a draw only
    assert told(1) == ()
    assert told(0, need={"fte": synthetic.cells(10.0)}) == ()


def run_system(scenario: Any, draws: int, seed: int) -> Results:
    """Made-up results with need and money; the other delivers less and pays more."""
    results = synthetic.results(draws, 72, seed, **synthetic.system())
    data = results.data.copy(deep=True)
    if scenario.name == "Other":
        data["service_fte"][:] = data["service_fte"] * 0.5
        data["pay_bill"][:] = data["pay_bill"] * 1.1
        data["cover_cost"][:, :48] = 0.0
    else:
        data["required_fte"][:] = data["service_fte"]
    return dataclasses.replace(results, scenario=scenario, data=data)


def test_need_and_money_are_compared() -> None:
    base = synthetic.scenario(**synthetic.system())
    other = synthetic.scenario(**synthetic.system(), name="Other")
    found = compare(base, [other], draws=4, run=run_system)
    data = found.base.data

    def row(quantity: str, role: str = "all", environment: str = "all") -> Any:
        return rows(found, quantity=quantity, role=role, environment=environment).iloc[0]

    given = data["service_fte"].sel(service="helper / ward").values[:, 60]
    delivered = row("delivered_fte", "helper", "ward")
    assert (delivered["base"], delivered["difference"]) == pytest.approx((given[0], -0.5 * given[0]))
    assert delivered["median"] == pytest.approx(np.median(-0.5 * given[1:]))
    assert row("pressure", "chemist")["base"] == pytest.approx(1.0)
    assert row("pressure", "chemist")["value"] == pytest.approx(2.2)
    assert row("shortfall_fte")["base"] == 0.0
    whole = data["service_fte"].values[0, 60].sum()
    assert row("shortfall_fte")["difference"] == pytest.approx((1.1 - 0.5) * whole)
    short = row("months_in_shortage", "all", "ward")
    assert (short["base"], short["value"], short["unit"]) == (0.0, 12.0, "months")
    bill = data["pay_bill"].sel(post="helper_ward").values[0, 48:60].sum()
    pay = row("pay_bill", "helper", "ward")
    assert (pay["base"], pay["difference"]) == pytest.approx((bill, 0.1 * bill))
    assert (pay["unit"], str(pay["year_from"])[:10]) == ("GBP per year", "2029-10-01")
    assert row("cover_cost")["difference"] == 0.0  # the other has none before that year only


def test_quantities_that_one_run_lacks_are_not_compared() -> None:
    def either(scenario: Any, draws: int, seed: int) -> Results:
        sections = synthetic.system() if scenario.need else {}
        return synthetic.results(draws, 72, seed, **sections)

    base = synthetic.scenario()
    found = compare(base, [synthetic.scenario(**synthetic.system(), name="Other")], run=either)
    assert "pay_bill" in set(found.differences["quantity"])
    assert not {"delivered_fte", "pressure", "months_in_shortage"} & set(found.differences["quantity"])


def test_other_months_are_refused() -> None:
    with pytest.raises(ScenarioError, match="must run from 2025-10 to 2031-10 like Small town"):
        compare(synthetic.scenario(), [synthetic.scenario(end="2032-10")], run=run)


def test_equal_names_are_told_apart() -> None:
    assert unique_names(["a", "b", "a"]) == ("a", "b", "a (2)")


def test_a_comparison_is_written_whole(compared: Comparison, tmp_path: Path) -> None:
    folder = report.write(compared, tmp_path / "compared")
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {"differences.csv", "workbook.xlsx", "manifest.json", "figures/differences.png"} <= names
    assert {"figures/retention_differences.svg", "scenarios/00_base/workforce.csv"} <= names
    assert {"scenarios/02_Fewer/scenario.json", "scenarios/01_More/assumptions.csv"} <= names
    made = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert [entry["title"] for entry in made["scenarios"]] == ["base", "More", "Fewer"]
    assert (made["seed"], made["n_draws"]) == (3, 9)
    assert [path.name for path in tmp_path.iterdir()] == ["compared"]
    book = openpyxl.load_workbook(folder / "workbook.xlsx")
    listed = [row[0].value for row in book["Read me"].iter_rows()]
    assert book.sheetnames == ["Read me", "Differences", "Retention"]
    assert {"Differences", "Retention"} <= set(listed)
    assert "median and 5–95 % of 9 draws" in (folder / "figures" / "differences.svg").read_text(
        encoding="utf-8"
    )


def test_the_terminal_shows_totals_with_intervals(compared: Comparison) -> None:
    stream = io.StringIO()
    report.show(compared, Console(file=stream, width=140))
    text = stream.getvalue()
    assert "More, less Small town <b>&" in text
    assert "kept in environment" in text
    assert "second lines: 5 to 95 % of draws" in text
    assert " to +" in text
