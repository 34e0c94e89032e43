"""The way from a calibration to a scenario that draws from it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtr
from small_calibration import scenario, write

import pharmsim
from pharmsim.calibration import calibrate
from pharmsim.calibration.file import load_calibration
from pharmsim.calibration.posterior import read
from pharmsim.calibration.targets import read_targets
from pharmsim.compiled.draws import sample
from pharmsim.results.assumptions import as_frame
from pharmsim.scenario import check_warnings

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the best fit of a small calibration, and a scenario that draws from it."""
    home = tmp_path_factory.mktemp("use")
    done = calibrate.calibrate(load_calibration(write(home)), map_only=True)
    calibrate.write(done, home / "results", small=home / "calibration" / "posteriors" / "small.nc")
    (home / "scenarios").mkdir()
    data = pharmsim.to_dict(scenario()) | {"parameters": "../calibration/posteriors/small.nc"}
    (home / "scenarios" / "fitted.yaml").write_text(json.dumps(data), encoding="utf-8")
    return home


def test_a_scenario_draws_what_was_calibrated(home: Path) -> None:
    fitted = pharmsim.load(home / "scenarios" / "fitted.yaml")
    rows = read(home / "calibration" / "posteriors" / "small.nc").z
    assert {"leaving", "supply"} < set(rows)
    table = sample(fitted, len(rows["leaving"]))
    assert set(table.positions) == {"leaving", "supply"}  # what belongs to observations stays behind
    u = np.stack([ndtr(rows[name]) for name in ("leaving", "supply")], axis=1)
    drawn = [
        table.positions[name][(table.probabilities(name)[1:] * len(u)).astype(int)] for name in table.names
    ]
    order = [table.names.index(name) for name in ("leaving", "supply")]
    found = np.stack([drawn[i] for i in order], axis=1)
    assert {tuple(row) for row in found} <= {tuple(row) for row in u}
    told = "parameters: the calibration small was not sampled (--map-only): calibrate without it"
    assert check_warnings(fitted)[-1] == told


def test_the_centre_fits_better_than_what_it_began_with(home: Path) -> None:
    fitted = pharmsim.load(home / "scenarios" / "fitted.yaml")
    published = np.full(3, 450.0)
    misses = [
        np.abs(
            run.data["headcount"].sel(draw=0).sum(["post", "group", "contract"]).values[12::12] - published
        )
        for run in (pharmsim.run(fitted), pharmsim.run(scenario()))
    ]
    assert misses[0].sum() < 0.7 * misses[1].sum()
    log = as_frame(fitted).set_index("uncertainty").loc["supply"]
    assert (log["evidence"], log["source"]) == ("calibrated", "calibration small (small.nc)")
    assert log["low"] < log["value"] < log["high"]


def misses(name: str) -> np.ndarray:
    """Relative errors of the central run of a shipped scenario at the registers of 31 March."""
    headcount = pharmsim.run(pharmsim.load(ROOT / "scenarios" / "gb" / name)).data["headcount"].sel(draw=0)
    found = []
    for target in read_targets(ROOT / "calibration" / "targets" / "gb_register.csv"):
        if target.series.startswith("gphc_register_31mar") and target.date.year > 2018:
            post = {"pharmacist": "register_pharmacist", "pharmacy_technician": "register_technician"}
            at = headcount.sel(post=post[target.role], time=np.datetime64(target.date) + 1)
            found.append(float(at.sum()) / target.value - 1.0)
    return np.abs(found)


def test_the_shipped_calibration_meets_the_registers() -> None:
    before, after = misses("register.yaml"), misses("register_calibrated.yaml")
    assert len(after) == 14
    assert after.max() < 0.01
    assert after.mean() < 0.7 * before.mean()
