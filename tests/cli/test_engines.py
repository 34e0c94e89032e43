"""Engines of chance from the command line: run, compare, reproduce and report."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pharmsim import cli
from pharmsim.results import netcdf
from pharmsim.scenario import shipped

CHANCE = ("--engine", "chain", "--draws", 5, "--replicates", 4)
TECHNICIANS = """
base: short.yaml
name: Technicians stay
changes:
  - {set: leaving.other_system.rate, where: {post: technician.hospital}, times: 0.4,
     source: made up, evidence: assumption}
"""


def call(*words: object) -> int:
    return cli.call([str(word) for word in words])


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny scenario for two years, and beside it one in which technicians stay."""
    folder = tmp_path_factory.mktemp("scenarios")
    text = shipped("tiny.yaml").read_text(encoding="utf-8")
    assert text.count("end: April 2036") == 1
    path = folder / "short.yaml"
    path.write_text(text.replace("end: April 2036", "end: April 2028"), encoding="utf-8")
    (folder / "stay.yaml").write_text(TECHNICIANS, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def chain(short: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("chain") / "run"
    assert call("run", short, *CHANCE, "--out", folder, "--no-figures") == 0
    return folder


@pytest.fixture(scope="module")
def compared(short: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compared") / "run"
    words = ("compare", short, short.with_name("stay.yaml"), *CHANCE, "--dates", "2026-06,2028-04")
    assert call(*words, "--out", folder, "--no-figures", "--no-attribution") == 0
    return folder


def made(folder: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return found


def test_a_run_of_chain_counts_whole_people(chain: Path) -> None:
    told = made(chain)
    assert [told[key] for key in ("engine", "replicates", "drawn", "n_draws")] == ["chain", 4, 5, 20]
    heads = netcdf.read(chain / netcdf.DRAWS)["headcount"].values
    assert len(heads) == 21
    assert np.array_equal(heads[1:], np.round(heads[1:]))
    assert not np.array_equal(heads[0], np.round(heads[0]))  # the mean of replicates
    assert (heads[1] != heads[2]).any()  # two replicates of one draw


def test_the_terminal_says_what_the_intervals_hold(
    short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("run", short, "--engine", "chain", "--draws", 0, "--replicates", 2)
    assert call(*words, "--out", tmp_path / "run", "--no-figures") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "5–95 % of futures: chance alone" in shown
    assert "engine chain: inputs at their central values, 2 replicates of chance" in shown


def test_without_draws_all_of_the_spread_is_chance(
    short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("compare", short, short.with_name("stay.yaml"), "--engine", "chain", "--draws", 0)
    more = ("--replicates", 20, "--no-figures", "--no-attribution")
    assert call(*words, *more, "--out", tmp_path / "run") == 0
    assert "all of the spread is chance: no input varies" in capsys.readouterr().out


def test_an_answer_speaks_of_futures_where_it_has_them(
    short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("solve", short, "--target", "fte +1", "--lever", "leaving.other_system.rate", "--from", "x 0.5")
    chance = ("--to", "x 1", "--engine", "chain", "--draws", 2, "--replicates", 2)
    call(*words, *chance, "--out", tmp_path / "run", "--no-figures")
    shown = capsys.readouterr().out
    assert "90 % of futures" in shown
    assert "of draws" not in shown
    assert call("report", tmp_path / "run") == 0
    page = (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert "Ranges hold 90 % of the futures" in page
    assert "of draws" not in page


def test_careers_keep_their_log(short: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    words = ("run", short, "--engine", "careers", "--draws", 0, "--replicates", 2, "--threads", 1)
    assert call(*words, "--out", folder) == 0
    log = pd.read_parquet(folder / "careers.parquet")
    assert {"draw", "replicate", "person", "date", "event", "from", "to"} == set(log.columns)
    assert log["replicate"].nunique() == 2
    later = pd.read_csv(folder / "tables" / "trainees_in_ten_years.csv")
    assert later.groupby("years")["share"].sum().tolist() == pytest.approx([1.0, 1.0])
    assert (folder / "figures" / "trainees.svg").is_file()
    assert (folder / "figures" / "one_future.svg").is_file()
    assert call("report", folder) == 0
    assert "engine careers" in (folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--replicates", 4), "--replicates — must go with an engine of chance"),
        (("--engine", "careers", "--step", "year", "--replicates", 1), "year"),
        (("--engine", "chain", "--replicates", 0), "--replicates"),
    ],
)
def test_what_does_not_go_together_is_an_error(
    words: tuple[object, ...], said: str, short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call("run", short, *words, "--out", tmp_path / "run") == 2
    shown = capsys.readouterr().err
    assert said in shown
    assert "Traceback" not in shown
    assert not (tmp_path / "run").exists()


def test_the_same_seed_gives_the_same_bits_and_another_does_not(
    chain: Path, short: Path, tmp_path: Path
) -> None:
    for seed in (1, 2):
        folder = tmp_path / str(seed)
        words = ("run", short, *CHANCE, "--seed", seed, "--threads", seed)
        assert call(*words, "--out", folder, "--no-figures") == 0
        assert (made(folder)["results"] == made(chain)["results"]) == (seed == 1)


def test_a_run_of_chain_is_resumed_to_the_same_bits(
    short: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pharmsim.study import ensemble

    many = ("run", short, "--engine", "chain", "--draws", 12, "--replicates", 4, "--threads", 1)
    assert call(*many, "--out", tmp_path / "whole", "--no-figures") == 0
    again, seen = ensemble.run_block, []

    def breaks(*given: object, **more: object) -> object:
        seen.append(given[1])
        if len(seen) == 3:
            raise KeyboardInterrupt
        return again(*given, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(ensemble, "run_block", breaks)
        assert call(*many, "--out", tmp_path / "resumed", "--no-figures") != 0
    assert not (tmp_path / "resumed").exists()
    monkeypatch.setattr(ensemble, "run_block", lambda *a, **k: (seen.append(a[1]), again(*a, **k))[1])
    del seen[:]
    assert call(*many, "--out", tmp_path / "resumed", "--no-figures", "--resume") == 0
    rows = 1 + 12 * 4
    assert sum(table.n for table in seen) < rows  # not all of it was run again
    assert made(tmp_path / "resumed")["results"] == made(tmp_path / "whole")["results"]


def test_progress_counts_futures(short: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pharmsim.study import ensemble

    told, before = [], ensemble.progress
    monkeypatch.setattr(ensemble, "progress", lambda *given: (told.append(given[-1]), before(*given))[1])
    words = ("run", short, "--engine", "chain", "--draws", 10, "--replicates", 4, "--no-figures")
    assert call(*words, "--out", tmp_path / "run") == 0
    assert told == ["futures"]


def test_a_run_and_a_comparison_are_reproduced(
    chain: Path, compared: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in (chain, compared):
        assert call("reproduce", folder) == 0
        assert "equal, bit for bit" in capsys.readouterr().out


def test_a_change_in_one_post_reaches_the_others_by_people_alone(compared: Path) -> None:
    """After two months technicians differ, and nobody else in any replicate; in time it reaches them."""
    frame = pd.read_csv(compared / "differences.csv", parse_dates=["date"])
    heads = frame[(frame["quantity"] == "headcount") & (frame["over"] == "date")]
    heads = heads.set_index(["role", "environment", "date"])[["p5", "p95", "difference"]]
    early, late = sorted(heads.index.unique("date"))
    assert heads.loc[("pharmacist", "community", early)].tolist() == [0.0, 0.0, 0.0]
    assert heads.loc[("pharmacist", "hospital", early), ["p5", "p95"]].tolist() == [0.0, 0.0]
    assert heads.loc[("technician", "hospital", early), "difference"] > 0.0
    assert heads.loc[("pharmacist", "hospital", late), "difference"] != 0.0


def test_a_comparison_says_which_part_is_chance(compared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = pd.read_csv(compared / "differences.csv")
    known = frame["from_chance"].dropna()
    assert len(known) > 20
    assert ((known >= 0.0) & (known <= 1.0)).all()
    assert known.max() > 0.5
    assert call("report", compared, "--force") == 0
    page = (compared / "report.html").read_text(encoding="utf-8")
    assert "How much of the spread is chance" in page
    assert "engine chain: 5 draws of the inputs × 4 replicates" in page
    assert "Median of the futures, and below it the interval" in page
    assert "estimated from 5 draws × 4 replicates" in page
    assert "of the draws" not in page.replace("resamples of the draws", "")
    (compared / "report.html").unlink()


def test_the_terminal_says_which_part_is_chance_and_cohort_says_nothing_of_it(
    short: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pair, more = (short, short.with_name("stay.yaml")), ("--no-figures", "--no-attribution")
    assert call("compare", *pair, *CHANCE, "--out", tmp_path / "chain", *more) == 0
    shown = " ".join(capsys.readouterr().out.split())
    told = shown.partition("of the spread in Apr 2028 (variance), chance makes: ")[2].partition(")")[0]
    assert told.startswith("headcount ")
    assert told.endswith("uncertain inputs the rest (estimated from 5 draws × 4 replicates")
    assert " 100 %" not in told
    assert "judged by the mean of the 4 replicates of each draw" in shown
    assert pd.read_csv(tmp_path / "chain" / "choice.csv")["draws"].unique().tolist() == [5]
    assert call("compare", *pair, "--draws", 20, "--out", tmp_path / "cohort", *more) == 0
    assert "chance" not in capsys.readouterr().out
    assert "from_chance" not in pd.read_csv(tmp_path / "cohort" / "differences.csv")
