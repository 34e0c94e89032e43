"""Files in other wrappings are read; files of other layouts are refused in words."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from made_published import made_up, value
from pharmsim import published
from pharmsim.errors import InputError
from pharmsim.published import values

NETWORKS = made_up("pcn_individual_2022_09.csv")
JOINERS = "profession,joiners,month,year\n"


def fte(path: Path) -> float:
    table = published.read("pcn_individual", [path]).table
    return value(table, role="pharmacist", measure="fte")


@pytest.fixture
def text() -> str:
    return NETWORKS.read_bytes().decode("cp1252")


# -- wrappings ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_encodings(encoding: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / "1.Primary Care Networks – September 2022 Individual Level.csv"
    file.write_bytes(text.encode(encoding))
    assert fte(file) == pytest.approx(fte(NETWORKS))


def test_zero_bytes_blank_lines_and_other_capitals(text: str, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    header, rest = text.split("\r\n", 1)
    file.write_text(f"\n{header.lower()}\n\0{rest}\n,,,\n", newline="")
    assert fte(file) == pytest.approx(fte(NETWORKS))


def test_zip_files(tmp_path: Path) -> None:
    """The one table of the kind is found among others; two of them are one too many."""
    file = tmp_path / "all.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.write(NETWORKS, "data/networks.csv")
        archive.write(made_up("gphc_joiners.csv"), "joiners.csv")
        archive.writestr("__MACOSX/data/._networks.csv", "rubbish")
        archive.writestr("read me.pdf", "rubbish")
    assert fte(file) == pytest.approx(fte(NETWORKS))
    with zipfile.ZipFile(file, "a") as archive:
        archive.write(NETWORKS, "again.csv")
    with pytest.raises(InputError, match=r"must hold one table of .*networks\.csv; .*again\.csv"):
        fte(file)


def test_workbook_with_notes_above(text: str, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Contents"])  # type: ignore[union-attr]
    sheet = book.create_sheet("Data")
    sheet.append(["Title of a table, with notes"])
    sheet.append([])
    frame = pd.read_csv(NETWORKS, encoding="cp1252", keep_default_na=False)
    for row in [list(frame.columns), *frame.to_numpy().tolist()]:
        sheet.append(row)
    book.save(tmp_path / "a.xlsx")
    assert fte(tmp_path / "a.xlsx") == pytest.approx(fte(NETWORKS))


# -- refused ------------------------------------------------------------------------------------------------


def test_numbers_without_end_are_no_numbers(text: str, tmp_path: Path) -> None:
    file = tmp_path / "inf.csv"
    lines = text.split("\r\n")
    at = lines[0].split(",").index("FTE")
    cells = next(csv.reader([lines[1]]))
    cells[at] = "inf"
    lines[1] = ",".join(f'"{cell}"' for cell in cells)
    file.write_text("\r\n".join(lines), newline="")
    with pytest.raises(InputError, match="column `FTE` must hold numbers; found `inf`"):
        fte(file)


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    frame = pd.read_csv(NETWORKS, encoding="cp1252", keep_default_na=False)
    frame.insert(len(frame.columns), "fte", "7", allow_duplicates=True)
    frame.to_csv(tmp_path / "twice.csv", index=False)
    with pytest.raises(InputError, match="must have each column once; found `FTE` again"):
        fte(tmp_path / "twice.csv")


def test_a_file_that_was_cut_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "cut.csv"
    whole = text.rstrip("\r\n")
    file.write_text(whole, newline="")
    assert fte(file) == pytest.approx(fte(NETWORKS))
    file.write_text(whole.rsplit(",", 3)[0], newline="")
    with pytest.raises(
        InputError, match=r"must end with a whole row; row \d+, the last, has \d+ of \d+ cells"
    ):
        fte(file)


def test_conflicts_name_files_and_dates(tmp_path: Path) -> None:
    frame = pd.read_csv(NETWORKS, encoding="cp1252", keep_default_na=False)
    frame.iloc[: len(frame) // 2].to_csv(tmp_path / "half.csv", index=False)
    quality = published.read("pcn_individual", [tmp_path / "half.csv", NETWORKS]).quality
    told = quality.loc[quality["check"] == "conflict", "finding"].iloc[0]
    assert "of 2022-09-30 in half.csv" in told
    assert f"of 2022-09-30 in {NETWORKS.name}" in told


def test_changed_layout_names_what_was_looked_for_and_found(text: str, tmp_path: Path) -> None:
    file = tmp_path / "changed.csv"
    file.write_text(text.replace(",STAFF_ROLE,", ",STAF_ROLE,").replace(",FTE,", ",WTE,"), newline="")
    with pytest.raises(InputError) as caught:
        published.read("pcn_individual", [file])
    assert str(caught.value).splitlines()[1:] == [
        "  looked for: `STAFF_ROLE`; closest: `STAF_ROLE`",
        "  looked for: `FTE` or `TOTAL_FTE`",
        "  found: " + ", ".join(f"`{name}`" for name in file.read_text().splitlines()[0].split(",")),
        "  If the publisher changed the layout, rename them, or add the new names to pharmsim.published.",
    ]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "", "must hold a table; it is empty"),
        ("a.csv", JOINERS + "Pharmacist,12,04,2025,9\n", r"must have 4 cells a row, .* row 2\."),
        ("a.csv", JOINERS + "Pharmacist,about 12,04,2025\n", "`JOINERS` must hold numbers; found `about 12`"),
        ("a.csv", JOINERS + "Pharmacist,12,13,2025\n", "must hold dates .* found `2025-13`"),
        (
            "a.csv",
            JOINERS + "Astronaut,12,04,2025\n",
            r"`Pharmacist`, .* found Astronaut \(1\)\. Name the new",
        ),
        ("a.xls", "", r"must be a \.csv, \.xlsx or \.zip file"),
        ("a.xlsx", "text", "must be an Excel workbook"),
        ("a.zip", "text", "must be a zip file without password"),
    ],
)
def test_refused(name: str, content: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text(content)
    with pytest.raises(InputError, match=message):
        published.read("gphc", [file])


def test_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.csv: must be a file that can be read"):
        published.read("gphc", [tmp_path / "none.csv"])
    with pytest.raises(InputError, match="census: must be one of pcn_individual, "):
        published.read("census", [NETWORKS])
    with pytest.raises(InputError, match="--level parish: must be one of national, country for gphc"):
        published.read("gphc", [NETWORKS], level="parish")
    with pytest.raises(InputError, match="--by age: must be one of source for pcn_individual"):
        published.read("pcn_individual", [NETWORKS], by="age")
    with pytest.raises(InputError, match="must have a file to read"):
        published.read("gphc", [])


def test_level_or_place_that_is_not_there() -> None:
    with pytest.raises(InputError, match="must have numbers of the level `country`; it has national"):
        published.read("gphc", [made_up("gphc_joiners.csv")], level="country")
    with pytest.raises(InputError, match=r"--geography QA9: .* Closest: QA1"):
        published.read("pcn_individual", [NETWORKS], level="system", geography=["QA9"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("kind,label\n", "must have the columns kind, group, label, .*, found kind, label"),
        ("kind,group,label,role,environment,nation,flag,note\n", "must name labels of the kind `gphc`"),
        ("kind,group,label,role,environment,nation,flag,note\ngphc,,Vet,,,,,\n", "found none for Vet"),
    ],
)
def test_labels_refused(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text(content)
    with pytest.raises(InputError, match=message):
        published.read("gphc", [made_up("gphc_joiners.csv")], labels=tmp_path / "labels.csv")


def test_file_of_no_kind(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("name,age\nAda,36\n")
    with pytest.raises(
        InputError, match=r"must be a published file of a kind that is known .* found: name, age"
    ):
        published.check([tmp_path / "a.csv"])


# -- dates and numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2025-10-31", "2025-10-31"),
        ("2025-10-31 00:00:00", "2025-10-31"),
        ("31/10/2025", "2025-10-31"),
        ("3/4/2025", "2025-04-03"),  # the day comes first
        ("30-Sep-2022", "2022-09-30"),
        ("30 September 2022", "2022-09-30"),
        ("Sep-22", "2022-09-30"),
        ("February 2024", "2024-02-29"),
        ("202409", "2024-09-30"),
        ("2024-09", "2024-09-30"),
        ("10/31/2025", None),
        ("2025-02-30", None),
        ("Foo-22", None),
        ("soon", None),
    ],
)
def test_dates(text: str, day: str | None) -> None:
    assert values.date(text) == day


def test_numbers() -> None:
    text = pd.Series(["1,234.5", "6.7%", "*", "NULL", "", "-0.5"])
    read = values.numbers(text, "a.csv", "FTE")
    assert list(read[[0, 1, 5]]) == [1234.5, pytest.approx(0.067), -0.5]
    assert read[[2, 3, 4]].isna().all()
