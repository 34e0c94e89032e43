"""The published numbers that calibrations are held against, and the shipped calibration files."""

from __future__ import annotations

import itertools
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

import pharmsim
from pharmsim.calibration.file import load_calibration
from pharmsim.calibration.targets import Target, read_targets

ROOT = Path(__file__).parents[2]
TARGETS = ROOT / "calibration" / "targets"
FILES = sorted(TARGETS.glob("*.csv"))
CALIBRATIONS = sorted((ROOT / "calibration").glob("*.yaml"))


@pytest.fixture(scope="module")
def series() -> dict[str, list[Target]]:
    found: dict[str, list[Target]] = defaultdict(list)
    for file in FILES:
        for target in read_targets(file):
            found[target.series].append(target)
    return found


def values(series: dict[str, list[Target]], name: str) -> dict[str, float]:
    return {str(target.date): target.value for target in series[name]}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_row_has_an_address_an_error_and_says_what_is_assumed(file: Path) -> None:
    for target in read_targets(file):
        assert "http" in target.source or "github" in target.source, target.title
        assert 0 < target.error <= 0.4, target.title
        assert target.value > 0, target.title
        assert target.definition, target.title
        assert "assumption" in target.note or target.confidence == "derived", target.title


def test_a_series_has_one_definition_unit_measure_and_geography(series: dict[str, list[Target]]) -> None:
    for name, targets in series.items():
        for kind in ("definition", "unit", "measure", "geography", "role"):
            assert len({getattr(target, kind) for target in targets}) == 1, (name, kind)
        dates = [target.date for target in targets]
        assert all(a < b for a, b in itertools.pairwise(dates)), name


def test_no_series_is_missing(series: dict[str, list[Target]]) -> None:
    wanted = {
        "gphc_register_31mar_pharmacist": 8,
        "gphc_register_31mar_technician": 8,
        "gphc_joiners_month_pharmacist": 6,
        "gphc_leavers_month_technician": 6,
        "gphc_assessment_summer_sat": 13,
        "gphc_assessment_autumn_sat": 8,
        "mpharm_year1_to_2_loss": 3,
        "pcn_fte_pharmacist": 11,
        "pcn_fte_sel_pharmacist": 11,
        "stt_leaver_rate": 16,
        "stt_london_leaver_rate": 16,
        "sel_community_vacancies_pharmacist": 1,
    }
    assert {name: len(series[name]) for name in wanted} == wanted


def test_leaver_rates_of_trusts_are_leavers_over_the_mean_of_start_and_end(
    series: dict[str, list[Target]],
) -> None:
    rates = values(series, "stt_leaver_rate")
    assert [rates[f"{year}-10-01"] for year in (2009, 2021, 2024)] == pytest.approx(
        [0.0875, 0.1157, 0.0885], abs=1e-4
    )
    stock, leavers = values(series, "stt_headcount"), values(series, "stt_leavers")
    for year in range(2010, 2025):
        if year in (2019, 2021):  # starts there are not the ends of the year before
            continue
        mean = (stock[f"{year}-09-30"] + stock[f"{year + 1}-09-30"]) / 2
        assert leavers[f"{year}-10-01"] / mean == pytest.approx(rates[f"{year}-10-01"], abs=6e-5)


def test_staff_of_trusts_who_change_group_are_neither_joiners_nor_leavers(
    series: dict[str, list[Target]],
) -> None:
    for name, low, high in (("stt", 0.006, 0.021), ("stt_london", 0.012, 0.033)):
        come = np.array(list(values(series, f"{name}_reclassified_in").values()))
        assert come.min() > low
        assert come.max() < high


def test_stocks_and_flows_of_the_register_balance_but_for_august(series: dict[str, list[Target]]) -> None:
    for role, short_of in (("pharmacist", 69), ("technician", 21)):
        months = values(series, f"gphc_register_month_end_{role}")
        joined, left = (values(series, f"gphc_{flow}_month_{role}") for flow in ("joiners", "leavers"))
        before = values(series, f"gphc_register_31mar_{role}")["2025-03-31"]
        gap = {}
        for end, now in months.items():
            first = end[:8] + "01"
            gap[end[:7]] = now - before - joined[first] + left[first]
            before = now
        assert gap.pop("2025-08") == -short_of
        assert max(abs(value) for value in gap.values()) <= 1
        half = series[f"gphc_joiners_half_year_{role}"][0].value
        assert half == sum(joined.values())


def test_fte_of_networks_is_below_the_headcount_that_was_quoted_as_fte(
    series: dict[str, list[Target]],
) -> None:
    fte, people = values(series, "pcn_fte_pharmacist"), values(series, "pcn_headcount_direct_pharmacist")
    assert fte["2021-06-30"] == pytest.approx(2275, abs=1)
    assert people["2021-06-30"] == 2552
    assert fte["2022-09-30"] == pytest.approx(3422.4, abs=0.1)
    assert values(series, "pcn_fte_sel_pharmacist")["2022-09-30"] == pytest.approx(136.2, abs=0.1)


def test_england_has_four_fifths_of_the_register(series: dict[str, list[Target]]) -> None:
    gb, england = (values(series, f"gphc_register_{of}31mar_pharmacist") for of in ("", "england_"))
    shares = np.array([england[day] / gb[day] for day in gb])
    assert shares.min() == pytest.approx(0.829, abs=0.001)
    assert shares.max() == pytest.approx(0.846, abs=0.001)


def test_vacancy_rates_of_2024_are_of_another_definition(series: dict[str, list[Target]]) -> None:
    definitions = {
        target.definition: {t.date.year for t in targets}
        for name, targets in series.items()
        if "vacancy_rate_pharmacist" in name
        for target in targets
    }
    assert definitions == {
        "cpws_vacancy": {2017, 2021},
        "cpws_2022_vacancy": {2022, 2023},
        "cpws_2024_vacancy": {2024},
    }


@pytest.mark.parametrize("file", CALIBRATIONS, ids=lambda file: file.stem)
def test_calibration_files_load_and_say_what_their_discrepancies_are(file: Path) -> None:
    calibration = load_calibration(file)
    for one in calibration.observations:
        for key, number in one.numbers.items():
            assert number.source, (one.name, key)
            assert number.evidence in ("assumption", "derived"), (one.name, key)


@pytest.mark.parametrize("file", CALIBRATIONS, ids=lambda file: file.stem)
def test_posteriors_are_small_and_of_the_ranges_of_their_scenario(file: Path) -> None:
    from pharmsim.calibration.posterior import read
    from pharmsim.scenario.checks.uncertainties import ranges

    path = file.parent / "posteriors" / f"{file.stem}.nc"
    assert path.stat().st_size < 2_000_000
    posterior, calibration = read(path), load_calibration(file)
    own = ranges(calibration.scenario)
    assert {name: tuple(known) for name, known in posterior.ranges.items()} == {
        name: own[name] for name in calibration.parameters
    }


def test_england_by_sector_begins_with_its_register() -> None:
    scenario = pharmsim.load(ROOT / "scenarios" / "england" / "sectors.yaml")
    heads = (
        pharmsim.run(scenario, tags=False).data["headcount"].isel(draw=0, time=0).sum(["group", "contract"])
    )
    for at, published in ((slice(0, 4), 48_319), (slice(4, 8), 19_748)):
        assert float(heads.isel(post=at).sum()) == pytest.approx(published)
