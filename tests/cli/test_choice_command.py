"""What `pharmsim compare` says of how sure the choice is."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from pharmsim import cli
from pharmsim.scenario import shipped

TINY = shipped("tiny.yaml")
WHAT_IF = shipped("tiny_what_if.yaml")


def call(*words: object) -> int:
    return cli.call([str(word) for word in words])


def test_compare_says_how_sure_the_choice_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "compared"
    words = ("compare", TINY, WHAT_IF, "--draws", 40, "--out", folder)
    assert call(*words, "--objective", "headcount", "--objective", "fte 90") == 0
    shown = capsys.readouterr().out
    assert "How sure is the choice? People in post" in shown
    assert "best on average" in shown
    choice = pd.read_csv(folder / "choice.csv")
    assert choice["objective"].unique().tolist() == ["people in post", "FTE in post"]
    assert choice["fails"].unique().tolist() == ["worse than the base", "target missed: fte 90"]
    assert choice.groupby("objective")["p_best"].sum().tolist() == pytest.approx([1.0, 1.0])
    assert (folder / "value_of_information.csv").is_file()
    assert (folder / "figures" / "choice.svg").is_file()
    assert call("report", folder) == 0
    assert 'id="choice"' in (folder / "report.html").read_text(encoding="utf-8")


def test_an_objective_that_cannot_be_is_refused_before_anything_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "compared"
    words = ("compare", TINY, WHAT_IF, "--draws", 40, "--out", folder)
    assert call(*words, "--objective", "turnover", "--objective", "happiness") == 2
    shown = capsys.readouterr().err
    assert "compare: 2 problems" in shown
    assert "must not be turnover" in shown
    assert "must be about one of retention" in shown
    assert not folder.exists()
