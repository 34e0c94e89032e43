"""Made-up files of every layout, read to the numbers that were put into them."""

from __future__ import annotations

from pathlib import Path

import pytest

from made_published import MADE_UP, finding, made_up, read, value
from pharmsim import published


def test_every_made_up_file_says_so_and_is_of_its_kind() -> None:
    files = [
        path for path in MADE_UP.iterdir() if path.suffix in {".csv", ".xlsx"} and "labels" not in path.name
    ]
    assert len(files) >= 13
    for path in files:
        assert path.name.startswith("made_up_")
        (reading,) = published.check([path])
        assert path.name.startswith(f"made_up_{reading.kind.name}")


# -- primary care networks ----------------------------------------------------------------------------------


def test_networks() -> None:
    reading = read("pcn_individual", "pcn_individual_2021_06.csv", "pcn_individual_2022_09.csv")
    table = reading.table
    pharmacist = {"role": "pharmacist", "geography": "England"}
    assert value(table, date="2021-06-30", measure="fte", **pharmacist) == pytest.approx(4.8)
    assert value(table, date="2022-09-30", measure="fte", **pharmacist) == pytest.approx(7.16666667)
    assert value(table, date="2022-09-30", measure="headcount", **pharmacist) == 3  # one identifier thrice
    assert set(table["environment"]) == {"primary_care"}
    assert set(table["level"]) == {"national"}
    assert table["source"].str.contains("made_up_pcn_individual").all()


def test_people_are_counted_once_in_each_place() -> None:
    """Someone with posts in two systems is one head in each and one in the whole."""
    systems = read("pcn_individual", "pcn_individual_2022_09.csv", level="system").table
    heads = systems[(systems["measure"] == "headcount") & (systems["role"] == "pharmacist")]
    assert dict(zip(heads["code"], heads["value"], strict=True)) == {"QA1": 2, "QB2": 1, "QC3": 1}
    fte = systems[(systems["measure"] == "fte") & (systems["role"] == "pharmacist")]
    assert fte["value"].sum() == pytest.approx(7.16666667)
    assert "NHS Made-up Hills, Dales and Fens ICB" in set(fte["geography"])  # a quoted comma


def test_contracted_services_apart() -> None:
    table = read("pcn_individual", "pcn_individual_2022_09.csv", by="source").table
    contracted = table[table["part"] == "NWRS contracted services"]
    assert value(contracted, measure="fte") == pytest.approx(4.0)
    assert not (contracted["measure"] == "headcount").any()


def test_quality_of_individual_rows() -> None:
    reading = read("pcn_individual", "pcn_individual_2022_09.csv")
    assert finding(reading, "encoding")[1].startswith("Windows-1252")
    assert finding(reading, "negative") == (1, "-0.25 in all; kept as published (row 10)")
    assert finding(reading, "above 2 FTE")[0] == 1
    assert finding(reading, "duplicates")[0] == 1
    assert finding(reading, "without identifier")[1].startswith("4.00 in all")
    assert "Advanced Pharmacist Practitioners (1)" in finding(reading, "similar labels")[1]
    assert finding(reading, "other labels")[0] == 2
    assert finding(reading, "series break")[0] == 2
    assert "7 FTE in all, 3 people" in finding(reading, "headcount is not FTE")[1]
    fte = reading.table[(reading.table["measure"] == "fte") & (reading.table["role"] == "pharmacist")]
    assert list(fte["flag"]) == ["above_2;break;duplicates;negative;no_identifier"]
    heads = reading.table[reading.table["measure"] == "headcount"]
    assert set(heads["flag"]) == {"direct_only"}


# -- trusts -------------------------------------------------------------------------------------------------


def test_core_5() -> None:
    """Sort prefixes, overlapping levels, and a row that is there twice."""
    reading = read("hchs_core5", "hchs_core5.csv")
    table = reading.table
    assert value(table, role="pharmacist", measure="fte") == pytest.approx(10.5 + 20.25 + 2 + 5 + 1)
    assert (
        value(table, role="pharmacist", measure="headcount") == 11 + 22 + 2 + 6 + 1 - 1
    )  # 38 published, not 39
    assert value(table, role="pharmacy_assistant", measure="fte") == pytest.approx(15.0)
    assert "probable" in table.loc[table["role"] == "trainee_pharmacist", "flag"].iloc[0]
    assert finding(reading, "overlapping levels")[0] == 10


def test_core_5_of_a_trust_and_by_grade() -> None:
    trusts = read("hchs_core5", "hchs_core5.csv", level="organisation", geography=["RA1"])
    assert value(trusts.table, role="pharmacist", measure="fte") == pytest.approx(32.75)
    assert finding(trusts, "duplicates") == (1, "alike in every column; counted once (row 16)")
    flags = trusts.table[trusts.table["role"] == "pharmacist"].set_index("measure")["flag"]
    assert (flags["fte"], flags["headcount"]) == ("", "summed")  # heads of several grades
    assert set(trusts.table["geography"]) == {"St Nobody's, Made-up NHS Trust"}
    grades = read("hchs_core5", "hchs_core5.csv", level="system", by="grade").table
    assert value(grades, role="pharmacist", measure="fte", code="QA1", part="Band 7") == pytest.approx(20.25)
    assert not grades["part"].str.startswith("All").any()


def test_core_5_uses_a_published_total_where_there_is_one() -> None:
    systems = read("hchs_core5", "hchs_core5.csv", level="system").table
    assert value(systems, role="pharmacist", measure="headcount", code="QA1") == 33 + 2
    assert value(systems, role="pharmacist", measure="headcount", code="QC3") == 6 + 1


def test_older_vintages() -> None:
    reading = read("hchs_staff", "hchs_staff_2017.csv", "hchs_staff_excluding_medical.csv")
    pharmacist = {"role": "pharmacist", "measure": "fte"}
    assert value(reading.table, date="2017-08-31", **pharmacist) == pytest.approx(8.5)
    assert value(reading.table, date="2024-06-30", **pharmacist) == pytest.approx(1013.75)  # 1,004.25 and 9.5
    long = read("hchs_staff", "hchs_staff_group_and_organisation.csv", level="organisation").table
    assert value(long, measure="fte") == pytest.approx(310.5)  # not the line `Total`
    assert value(long, measure="headcount") == 350
    assert set(long["date"]) == {"2025-03-31"}


# -- turnover -----------------------------------------------------------------------------------------------


def test_turnover_by_region() -> None:
    reading = read("turnover", "turnover_1.csv")
    staff = reading.table[reading.table["role"] == "stt"]
    assert value(staff, measure="leavers", unit="headcount", date="2023-10-01", to="2024-09-30") == 90
    units = staff.groupby("measure")["unit"].agg(set)  # nobody adds heads and FTE of one measure
    assert (units["leavers"], units["leavers_fte"]) == ({"headcount"}, {"fte"})
    assert value(staff, measure="headcount_end", date="2024-09-30") == 1040
    rate = value(staff, measure="leaver_rate", date="2023-10-01")
    assert rate == pytest.approx(90 / 1020)
    everybody = reading.table[reading.table["role"] == "all_staff"]
    assert (
        value(everybody, measure="headcount_end", date="2024-09-30") == 10400
    )  # not twice, with its main groups
    assert finding(reading, "overlapping levels")[0] == 24
    assert "2024-09-30 (up to +0.96%)" in finding(reading, "series break")[1]
    assert "2024-11-01 to 2025-10-31" in finding(reading, "overlapping periods")[1]
    late = staff[(staff["date"] == "2024-11-01") & (staff["measure"] == "leavers")]
    assert late["flag"].str.contains("overlaps").all()


def test_turnover_by_age_takes_no_total_twice() -> None:
    ages = read("turnover", "turnover_2.csv", by="age").table
    leavers = ages[(ages["measure"] == "leavers") & (ages["unit"] == "headcount")]
    assert dict(zip(leavers["part"], leavers["value"], strict=True)) == {"25 to 34": 67.5, "Under 25": 22.5}
    whole = read("turnover", "turnover_2.csv").table
    assert value(whole, measure="leavers", unit="headcount") == 90


# -- vacancies, register, survey ----------------------------------------------------------------------------


def test_vacancies() -> None:
    """Two stacked blocks, merged cells, totals in the rows of regions, headings of two styles."""
    national = read("vacancies", "vacancies.xlsx").table
    assert value(national, measure="vacancy_fte", date="2021-06-30") == pytest.approx(170.5)
    assert value(national, measure="vacancy_rate", date="2022-03-31") == pytest.approx(0.076)
    sectors = read("vacancies", "vacancies.xlsx", level="region", by="sector").table
    east = {"geography": "Made-up East", "date": "2021-06-30"}
    assert value(sectors, measure="vacancy_rate", part="Mental Health", **east) == pytest.approx(0.06)
    summed = read("vacancies", "vacancies.xlsx", by="sector")
    assert not (summed.table["measure"] == "vacancy_rate").any()  # rates cannot be added
    assert finding(summed, "rates not summed")[0] == 6


def test_register() -> None:
    reading = read("gphc", "gphc_registrants.csv", "gphc_joiners.csv", "gphc_leavers.csv")
    table = reading.table
    assert value(table, measure="headcount", role="pharmacist", date="2025-03-31") == 1190
    assert value(table, measure="joiners", date="2025-06-01", to="2025-06-30") == 31
    assert set(table["geography"]) == {"Great Britain"}  # the other country is not mixed in
    assert finding(reading, "running totals")[0] == 1
    assert "2021-03-31 (-3.4%), 2022-03-31 (+9.4%)" in finding(reading, "jump")[1]
    country = read("gphc", "gphc_registrants.csv", level="country").table
    assert set(country["geography"]) == {"Madeupland"}
    assert value(country, date="2018-03-31") == 800


def test_survey() -> None:
    reading = read(
        "community_survey", "community_survey.csv", level="system", geography=["nhs made-up NORTH icb"]
    )
    table = reading.table
    pharmacist = {"role": "pharmacist", "date": "2024-09-30"}
    assert value(table, measure="fte", **pharmacist) == pytest.approx(430.75)
    assert value(table, measure="vacancy_rate", **pharmacist) == pytest.approx(0.123)
    rates = table[table["measure"] == "vacancy_rate"]
    assert ["break" in flag for flag in rates["flag"]] == [False, True]  # 2024 is on another base
    whole = read("community_survey", "community_survey.csv").table
    assert value(whole, measure="fte", **pharmacist) == pytest.approx(641.25)
    technicians = whole[(whole["role"] == "pharmacy_technician") & (whole["date"] == "2022-09-30")]
    assert "suppressed" in technicians["flag"].iloc[0]


# -- several files, own labels ------------------------------------------------------------------------------


def test_the_same_file_twice_counts_once(tmp_path: Path) -> None:
    once = read("gphc", "gphc_joiners.csv")
    twice = read("gphc", "gphc_joiners.csv", "gphc_joiners.csv")
    assert list(twice.table["value"]) == list(once.table["value"])
    assert finding(twice, "repeated")[0] == 4
    other = tmp_path / "revised.csv"
    other.write_text(made_up("gphc_joiners.csv").read_text().replace("Pharmacist,24", "Pharmacist,25"))
    revised = published.read("gphc", [made_up("gphc_joiners.csv"), other])
    assert value(revised.table, date="2025-05-01") == 25
    assert revised.table.loc[revised.table["date"] == "2025-05-01", "flag"].iloc[0] == "conflict"
    assert finding(revised, "conflict")[0] == 2


def test_labels_of_ones_own() -> None:
    reading = read("pcn_individual", "pcn_individual_2022_09.csv", labels=made_up("labels.csv"))
    assert set(reading.table["role"]) == {"coordinator"}
    assert set(reading.table["geography"]) == {"Madeupland"}


def test_headcount_under_the_name_of_fte(tmp_path: Path) -> None:
    rows = [f"NHS Made-up {n} ICB,2024,{400 + n}" for n in range(25)]
    file = tmp_path / "survey.csv"
    file.write_text("\n".join(["ICB_Name,Year,All-PHARMACISTS_FTE", *rows]))
    reading = published.read("community_survey", [file])
    assert finding(reading, "headcount as FTE?")[0] == 25
    assert "headcount_as_fte" in reading.table["flag"].iloc[0]
    file.write_text("\n".join(["ICB_Name,Year,All-PHARMACISTS_FTE", *rows, "NHS Made-up ICB,2024,0.5"]))
    assert "headcount as FTE?" not in set(published.read("community_survey", [file]).quality["check"])


def test_more_fte_than_heads(tmp_path: Path) -> None:
    text = made_up("hchs_core5.csv").read_bytes().decode("utf-8-sig")
    file = tmp_path / "core5.csv"
    file.write_text(text.replace("Band 8c,1,1", "Band 8c,100,1"))
    assert finding(published.read("hchs_core5", [file]), "more FTE than heads")[0] == 1
