"""A frozen forecast: written once, told from a changed one, scored when figures come."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path

import made_backtest as made
import numpy as np
import pandas as pd
import pytest

from pharmsim.calibration import frozen, scores
from pharmsim.calibration.file import load_calibration
from pharmsim.calibration.rivals import persistence
from pharmsim.cli import call
from pharmsim.cli.shared import console
from pharmsim.errors import InputError, OutputError, ScenarioError
from pharmsim.report import backtest_text

VALUES = dict.fromkeys(range(made.FIRST, made.LAST - 1), 500.0)
"""Published up to 31 March 2030; the scenario ends in April 2032, the forecast in 2033."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("frozen")
    calibration = load_calibration(made.write(folder, VALUES))
    rows = np.random.default_rng(1).normal(0.0, 0.1, (64, 2))
    posterior = {"leaving": rows[:, 0], "supply": rows[:, 1], "of_another": rows[:, 0]}
    frame = frozen.freeze(calibration, posterior, 3, threads=1)
    frozen.write(frame, folder / "2030.csv", frozen.about(calibration, date(2030, 5, 1), "0.0", "made up"))
    return folder / "2030.csv"


def came(folder: Path, values: dict[int, float], **changes: str) -> Path:
    path = folder / "new.csv"
    made.write(folder, {**VALUES, **values})
    lines = list(csv.DictReader((folder / "targets.csv").read_text(encoding="utf-8").splitlines()))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, lines[0].keys())
        writer.writeheader()
        writer.writerows({**line, **changes} for line in lines)
    return path


def test_it_says_what_it_was_made_from(written: Path) -> None:
    frame, about = frozen.read(written)
    assert about["made"] == "2030-05-01"
    assert about["data up to"] == "2030-03-31"
    assert about["draws from"] == "made up"
    assert len(about["scenario"]) == 64
    assert list(frame["date"].unique()) == ["2031-03-31", "2032-03-31", "2033-03-31"]
    assert set(frame["method"]) == {
        "pharmsim", "persistence", "CAGR", "linear trend", "exponential smoothing"
    }  # fmt: skip
    own = frame[frame["method"] == "pharmsim"]
    assert (np.diff(own[frozen.QUANTILES], axis=1) > 0).all()
    assert own["forecast"].to_numpy() == pytest.approx(own["p50"], abs=0.11)
    times, values = np.array([2020.25, *np.arange(2026, 2031) + 0.25]), np.array([430.0] + [500.0] * 5)
    simple = persistence(times, values, times[-1:] + 1)
    assert simple is not None
    low = frame[(frame["method"] == "persistence") & (frame["date"] == "2031-03-31")]["p5"].item()
    assert low == pytest.approx(scores.quantiles_of(simple)[0, 0], rel=1e-3)


def test_it_is_not_written_again(written: Path) -> None:
    before = written.read_bytes()
    frame, about = frozen.read(written)
    with pytest.raises(
        OutputError, match=r"2030.csv — must not exist: a frozen forecast is not written again"
    ):
        frozen.write(frame, written, about)
    assert written.read_bytes() == before
    frozen.write(frame, written, about, force=True)
    assert frozen.read(written)[0].equals(frame)
    written.write_bytes(before)


@pytest.mark.parametrize(
    ("old", "new"), [("2031-03-31", "2034-03-31"), ("made: 2030", "made: 2029"), (",5", ",6")]
)
def test_a_change_is_seen(written: Path, tmp_path: Path, old: str, new: str) -> None:
    text = written.read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "changed.csv").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match="its digest is another: it was changed since"):
        frozen.read(tmp_path / "changed.csv")


def test_something_else_is_no_forecast(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError, match="must be a frozen forecast with the columns method, series"):
        frozen.read(tmp_path / "x.csv")
    with pytest.raises(InputError, match="must be a frozen forecast"):
        frozen.read(tmp_path / "none.csv")


def test_scores_are_of_the_figures_that_came(written: Path, tmp_path: Path) -> None:
    frame = frozen.score(written, came(tmp_path, {2031: 510.0, 2032: 520.0}))
    assert len(frame) == 10  # two dates, five methods
    persist = frame[(frame["method"] == "persistence") & (frame["date"] == "2032-03-31")].iloc[0]
    assert persist["observed"] == 520.0
    assert persist["error"] == pytest.approx(500 / 520 - 1, rel=1e-3)
    assert persist["inside_90"] == float(persist["p5"] <= 520 <= persist["p95"])
    quantiles = persist[frozen.QUANTILES].to_numpy(float)
    assert persist["crps"] == pytest.approx(scores.crps_of_quantiles(quantiles, 520.0))
    assert pd.notna(frame["crps"]).all()


@pytest.mark.parametrize(
    ("values", "changes"),
    [({}, {}), ({2031: 510.0}, {"geography": "Dale"}), ({2031: 510.0}, {"definition": "another"})],
)
def test_figures_of_something_else_are_no_scores(
    written: Path, tmp_path: Path, values: dict[int, float], changes: dict[str, str]
) -> None:
    path = came(tmp_path, values, **changes)
    with pytest.raises(InputError, match="must hold a figure of what was forecast: heads on 2031-03-31"):
        frozen.score(written, path)


def test_a_posterior_of_something_else_is_refused(tmp_path: Path) -> None:
    calibration = load_calibration(made.write(tmp_path, VALUES))
    with pytest.raises(InputError, match="it lacks supply"):
        frozen.freeze(calibration, {"leaving": np.zeros(3)}, 1, threads=1)


def test_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    calibration, target = str(made.write(tmp_path, VALUES)), tmp_path / "frozen" / "2030.csv"
    assert call(["freeze", "--help"]) == 0
    assert "Replace a file that is there" in " ".join(capsys.readouterr().out.split())
    words = ["freeze", calibration, str(target), "--years", "2", "--threads", "1"]
    assert call(words) == 0
    assert "2 dates, 5 methods" in capsys.readouterr().out
    assert frozen.read(target)[1]["draws from"] == "best fit and importance resampling"
    assert call(words) == 2
    assert "must not exist: a frozen forecast is not written again" in capsys.readouterr().err
    new = str(came(tmp_path, {2031: 510.0}))
    assert call(["score", str(target), new, "--out", str(tmp_path / "scores.csv")]) == 0
    out = capsys.readouterr().out
    assert "heads, 2031-03-31: 510 came" in out
    assert "1 date: nothing is claimed from fewer than 5" in out
    assert "CRPS, heads" in out
    assert "no forecast" not in out
    frame, about = frozen.score(target, Path(new)), frozen.read(target)[1] | {"made": "2031-04-01"}
    backtest_text.scored(frame, about, console())
    out = " ".join(capsys.readouterr().out.split())
    assert "510 came; no forecast: the day had passed when it was made" in out
    assert "0 dates: nothing is claimed from fewer than 5" in out
    assert len(pd.read_csv(tmp_path / "scores.csv")) == 5
    assert call(["score", str(target), str(tmp_path / "targets.csv").replace("targets", "none")]) == 2


def test_a_posterior_of_other_ranges_is_refused(tmp_path: Path) -> None:
    import h5py

    from pharmsim.scenario.checks.uncertainties import ranges

    calibration = load_calibration(made.write(tmp_path, VALUES))
    own = ranges(calibration.scenario)
    for name, told in (("good.nc", own), ("other.nc", {**own, "leaving": ("5 %",)})):
        with h5py.File(tmp_path / name, "w") as file:
            file.attrs["ranges"] = json.dumps(told)
            for key in own:
                file[f"unconstrained_posterior/{key}"] = np.zeros((1, 4))
    assert set(frozen.posterior_of(tmp_path / "good.nc", calibration)) == {"leaving", "supply"}
    with pytest.raises(ScenarioError, match="`leaving` must have the range it was fitted with, 5 %"):
        frozen.posterior_of(tmp_path / "other.nc", calibration)
    with pytest.raises(ScenarioError, match="no such file"):
        frozen.posterior_of(tmp_path / "none.nc", calibration)
