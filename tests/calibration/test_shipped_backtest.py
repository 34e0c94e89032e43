"""The back-test and the frozen forecast that come with the repository."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pharmsim.calibration import frozen
from pharmsim.calibration.courses import course
from pharmsim.calibration.file import load_calibration
from pharmsim.calibration.model import Calibration
from pharmsim.calibration.origins import as_known, read_form
from pharmsim.scenario import digest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def register() -> Calibration:
    return load_calibration(ROOT / "calibration" / "gb_register.yaml")


@pytest.mark.parametrize("year", range(2019, 2025))
def test_no_cohort_is_known_before_it_was_counted(register: Calibration, year: int) -> None:
    """Cohorts that had not sat by the origin are the last one that had; the present has others."""
    form = read_form(register.backtest, register.file)
    scenario = as_known(register.scenario, form, date(year, 3, 31))
    intakes = {
        int(day): value.value
        for day, value in scenario.pipelines["foundation"].intake.per_year.points.items()
        if value.value
    }
    last = intakes[max(cohort for cohort in intakes if cohort <= year - 2)]
    to_come = [value for cohort, value in intakes.items() if year - 1 <= cohort <= 2022]
    assert set(to_come) <= {last}
    students = scenario.pipelines["degree"].intake.per_year.points["2021"].value
    assert (students == pytest.approx(last / 0.883, abs=6)) == (year < 2024)
    late = scenario.pipelines["foundation_2019"].intake.per_year.points["2019"].value
    assert late == {2019: 0, 2020: 0, 2021: 3091}.get(year, 2413)
    levels = scenario.pipelines["technician_training"].intake.per_year.points
    assert max(int(day) for day in levels) <= year - 3
    steps = {value.value for value in scenario.hiring.sources[1].over_time.points.values()}
    assert (len(steps) == 1) == (year < 2023)  # published in December 2022


def test_series_are_the_longest_there_are(register: Calibration) -> None:
    form = read_form(register.backtest, register.file)
    pharmacists, technicians = (course(register, judged) for judged in form.series)
    assert [day.year for day in pharmacists.values] == [2011, *range(2018, 2026)]
    assert [day.year for day in technicians.values] == [2012, 2013, *range(2018, 2026)]
    assert pharmacists.values[date(2011, 3, 31)] == 46310


def test_page_is_of_the_scenario_that_is_there(register: Calibration) -> None:
    text = (ROOT / "docs" / "background" / "backtest.md").read_text(encoding="utf-8")
    command = "pharmsim backtest calibration/gb_register.yaml --page docs/background/backtest.md"
    assert command in " ".join(text.split())
    told = f"Digest of the scenario: {digest(register.scenario)[:16]}"
    assert told in text, f"the scenario has changed: write the page again with `{command}`"


def test_frozen_forecast_is_as_it_was_written() -> None:
    frame, about = frozen.read(ROOT / "calibration" / "frozen" / "2026.csv")
    assert about["calibration"] == "gb_register"
    assert list(frame["date"].unique()) == [f"{year}-03-31" for year in range(2026, 2031)]
    assert frame.groupby(["series", "method"]).ngroups == 10
