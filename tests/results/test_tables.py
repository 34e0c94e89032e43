"""Tables, tidy and wide, against the arrays they come from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import pharmsim
import synthetic
from pharmsim.report.evidence import GRADES
from pharmsim.results import assumptions, measures
from pharmsim.results.labelled import Results
from pharmsim.results.tables import main_tables

SEL = Path(__file__).parents[2] / "scenarios" / "sel"


@pytest.fixture(scope="module")
def results() -> Results:
    return synthetic.results(draws=30)


@pytest.fixture(scope="module")
def tables(results: Results) -> dict[str, pd.DataFrame]:
    return main_tables(results)


def test_all_main_tables_are_made(tables: dict[str, pd.DataFrame]) -> None:
    names = ["triangulation", "workforce", "flows", "retention", "training", "moves", "groups"]
    assert list(tables) == names
    for table in tables.values():
        assert {"central", "p5", "p25", "p50", "p75", "p95"} <= set(table.columns)


def test_bands_leave_the_central_run_aside(results: Results, tables: dict[str, pd.DataFrame]) -> None:
    frame = tables["workforce"]
    row = frame[(frame["quantity"] == "fte") & (frame["role"] == "all") & (frame["environment"] == "all")]
    total = results.data["fte"].sum("post").values
    assert row.iloc[0]["central"] == pytest.approx(total[0, 0])
    assert row.iloc[0]["p5"] == pytest.approx(np.quantile(total[1:, 0], 0.05))
    assert row.iloc[-1]["p95"] == pytest.approx(np.quantile(total[1:, -1], 0.95))


def test_parts_add_up_to_all(tables: dict[str, pd.DataFrame]) -> None:
    frame = tables["flows"]
    frame = frame[(frame["flow"] == "leavers") & (frame["category"] == "died")]
    inner = frame[(frame["role"] != "all") & (frame["environment"] != "all")]
    whole = frame[(frame["role"] == "all") & (frame["environment"] == "all")]
    parts = inner.groupby("year_from")["central"].sum()
    np.testing.assert_allclose(parts.to_numpy(), whole["central"].to_numpy(), rtol=1e-12)


def test_flow_tables_hold_whole_years_of_months(results: Results, tables: dict[str, pd.DataFrame]) -> None:
    flow = results.data["retirements"].values[0].sum(axis=1).reshape(6, 12).sum(axis=1)
    frame = tables["flows"]
    frame = frame[(frame["flow"] == "retirements") & (frame["role"] == "all")]
    frame = frame[frame["environment"] == "all"]
    np.testing.assert_allclose(frame["central"].to_numpy(), flow, rtol=1e-12)
    assert list(frame["category"].unique()) == ["all"]


def test_history_comes_before_the_start(results: Results, tables: dict[str, pd.DataFrame]) -> None:
    frame = tables["training"]
    frame = frame[frame["quantity"] == "registered"]
    years = frame["year_from"].to_numpy()
    assert len(years) == 11
    assert (np.diff(years) > np.timedelta64(0)).all()
    last = results.data["registered_before"].values[0, -12:, 0].sum()
    assert frame.iloc[4]["central"] == pytest.approx(last)


def test_retention_that_cannot_be_told_is_left_out_with_the_reason(tables: dict[str, pd.DataFrame]) -> None:
    frame = tables["retention"]
    frame = frame[frame["level"] == "system"]
    assert set(frame["by"]) == {"all"}
    assert frame["note"].str.startswith("not by role, environment, role × environment: people change").all()
    assert set(tables["retention"][tables["retention"]["level"] == "post"]["note"]) == {""}


def test_a_run_without_draws_has_central_values_only() -> None:
    frame = main_tables(synthetic.results())["workforce"]
    assert "p50" not in frame.columns


def test_a_run_of_part_of_a_year_has_no_flow_table_yet() -> None:
    tables = main_tables(synthetic.results(n_months=7))
    assert "flows" not in tables
    assert len(tables["workforce"]["date"].unique()) == 2


def test_flows_that_a_scenario_lacks_have_no_rows(results: Results) -> None:
    data = results.data.copy(deep=True)
    data["employer_changes"][:] = 0.0
    data["joiners"].loc[{"source": "earlier_offers"}] = 0.0
    data["retirements"][:] = 0.0
    frame = main_tables(type(results)(results.scenario, data, results.meta))["flows"]
    assert "employer_changes" not in set(frame["flow"])
    assert "earlier_offers" not in set(frame["category"])
    assert {"retirements", "training_ends"} <= set(frame["flow"])  # there, and zero


def test_assumptions_hold_every_number_with_its_unit() -> None:
    frame = assumptions.as_frame(synthetic.scenario()).set_index("id")
    assert frame.loc["leaving.break.rate", "unit"] == "per year"
    assert frame.loc["leaving.break.rate", "low"] == 0.03
    assert frame.loc["leaving.break.rate", "uncertainty"] == "leaving.break.rate"
    assert frame.loc["pipelines.college.exam.pass_rates[1]", "value"] == 0.6
    assert frame.loc["pipelines.college.exam.pass_rates[1]", "unit"] == "share"
    assert frame.loc["pipelines.college.intake.per_year.2015", "unit"] == "heads per year"
    assert frame.loc["stock.headcount[1]", "where"] == "environment = ward"


def test_settings_and_defaults_are_told_from_graded_numbers() -> None:
    frame = assumptions.as_frame(pharmsim.load(SEL / "what_if" / "hospital_leaving_lower.yaml")).set_index(
        "id"
    )
    for name, unit, value in (
        ("ages.first", "years", 16.0),
        ("moves.ages.last", "years", 60.0),
        ("pipelines.technician_apprentices.ages.first", "years", 18.0),
        ("pipelines.foundation.stages[foundation_year].months", "months", 12.0),
        ("pipelines.foundation.exam.result_lag", "months", 2.0),
        ("pipelines.foundation.intake.months.July", "share", 0.83),
    ):
        row = frame.loc[name]
        assert (row["kind"], row["unit"], row["value"], row["evidence"]) == ("setting", unit, value, "")
        assert row["file"].endswith("baseline.yaml")
        assert row["line"] > 0
    assert frame.loc["pension_age[0].born", "text"] == "1960-04"
    assert frame.loc["pipelines.foundation.exam.sittings", "text"] == "June, November"
    assert frame.loc["pipelines.technician_apprentices.take_up", "kind"] == "default"
    assert frame.loc["pipelines.technician_apprentices.take_up", "source"] == "default of pharmsim"
    assert frame.loc["moves.factor", "kind"] == "number"
    assert set(frame[frame["kind"] == "number"]["evidence"]) <= set(GRADES)


def test_factors_are_ratios() -> None:
    frame = assumptions.as_frame(pharmsim.load(SEL / "what_if" / "hospital_leaving_lower.yaml")).set_index(
        "id"
    )
    assert frame.loc["leaving.died.rate.terms[0][0]", "unit"] == "per year"
    factor = frame.loc["leaving.died.rate.terms[1][1]"]
    assert (factor["value"], factor["unit"]) == (0.9, "ratio")
    assert factor["file"].endswith("hospital_leaving_lower.yaml")


def test_a_setting_that_a_change_sets_stands_in_the_change(tmp_path: Path) -> None:
    base = tmp_path / "base.yaml"
    base.write_text((SEL.parent / "tiny.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "what_if.yaml").write_text(
        "base: base.yaml\nname: Older\nchanges:\n  - {set: ages.last, to: 80}\n", encoding="utf-8"
    )
    frame = assumptions.as_frame(pharmsim.load(tmp_path / "what_if.yaml")).set_index("id")
    assert frame.loc["ages.last", "value"] == 80.0
    assert frame.loc["ages.last", "file"].endswith("what_if.yaml")
    assert frame.loc["ages.last", "line"] == 4


def test_assumptions_as_markdown_cannot_be_broken_out_of() -> None:
    text = assumptions.as_markdown(synthetic.scenario(name="A | <script> `x`\n# no"))
    assert "<script>" not in text
    assert "\n# no" not in text


def test_part_time_share_is_in_the_workforce_table(results: Results, tables: dict[str, pd.DataFrame]) -> None:
    frame = tables["workforce"]
    found = frame[(frame["quantity"] == "part_time_share") & (frame["role"] == "all")].iloc[0]["central"]
    expected = measures.part_time_share(results.data, "full", "environment").values[0, 0, 0]
    assert found == pytest.approx(expected)
