"""`pharmsim data`: kinds, read, check."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pharmsim import cli

MADE_UP = Path(__file__).parents[1] / "published" / "made_up"
REGISTER = MADE_UP / "made_up_gphc_registrants.csv"


def call(*words: object) -> int:
    return cli.call([str(word) for word in words])


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def test_kinds(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("data", "kinds") == 0
    text = capsys.readouterr().out
    for kind in (
        "pcn_individual",
        "hchs_core5",
        "hchs_staff",
        "turnover",
        "vacancies",
        "gphc",
        "community_survey",
    ):
        assert f" {kind} " in text
    assert all(option in text for option in (" --level ", " --by ", "pharmsim data read KIND FILE"))


def test_read_writes_the_series_and_its_quality(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "register.csv"
    assert call("data", "read", "gphc", REGISTER, "--out", out) == 0
    text = capsys.readouterr().out
    assert "1,190.0" in text
    assert "Quality of made_up_gphc_registrants.csv" in text
    assert str(out) in text
    table = pd.read_csv(out, keep_default_na=False)
    assert list(table.columns) == [
        "measure", "role", "environment", "geography", "code", "level", "part", "date", "to", "value", "unit",
        "source", "flag",
    ]  # fmt: skip
    assert table["value"].tolist()[:2] == [1000, 1020]
    page = out.with_suffix(".quality.md").read_text(encoding="utf-8")
    assert "| jump | " in page
    assert "far from the usual change" in page
    assert "| made\\_up\\_gphc\\_registrants.csv | " in page  # with its digest

    assert call("data", "read", "gphc", REGISTER, "--out", out) == 2
    assert "must not exist yet" in capsys.readouterr().err
    assert call("data", "read", "gphc", REGISTER, "--out", out, "--force") == 0


def test_long_series_are_cut_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("data", "read", "turnover", MADE_UP / "made_up_turnover_1.csv") == 0
    assert "… 20 more rows; write all of them with --out" in capsys.readouterr().out


def test_check_recognises_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("data", "check", REGISTER, MADE_UP / "made_up_vacancies.xlsx") == 0
    text = capsys.readouterr().out
    assert "Quality of made_up_gphc_registrants.csv" in text
    assert "parts by sector; left out, not added twice" in text


def test_wrong_kind_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("data", "read", "turnover", REGISTER) == 2
    text = capsys.readouterr().err
    assert "must have the columns of “HCHS turnover" in text
    assert "Traceback" not in text
