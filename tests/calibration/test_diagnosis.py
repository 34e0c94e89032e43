"""`pharmsim diagnose`: what it says of posteriors whose answers are known, and what it writes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_posterior import Array, Linear, linear, told

from pharmsim import cli
from pharmsim.calibration.diagnosis import EVERY, Diagnosis, diagnose, sensitivity
from pharmsim.report import calibration_figures, calibration_text, style
from pharmsim.results import manifest

KEYS = ("leaving", "entry", "other_routes", "pass_rate", "retirement", "share.ratio")


@pytest.fixture(scope="module")
def data() -> Any:
    return told()


@pytest.fixture(scope="module")
def found(data: Any) -> Diagnosis:
    return diagnose(data)


def words(found: Diagnosis) -> dict[str, dict[str, str]]:
    table = calibration_text.with_words(found)
    return {row["parameter"]: row for row in table.to_dict("records")}


def test_the_table_says_what_the_data_say(found: Diagnosis) -> None:
    said = words(found)
    assert said["leaving"]["data"] == "well informed (15 % of the prior's spread)"
    assert said["pass_rate"]["data"] == "not informed: the posterior is the prior"
    assert said["share.ratio"]["data"].startswith("informed (")
    for one, other in (("entry", "other_routes"), ("other_routes", "entry")):
        assert said[one]["data"].endswith(f"; known together with {other} only (correlation −0.96)")
    assert said["retirement"]["range"].startswith("presses against the upper end of its range: 9")
    assert {name for name in KEYS if said[name]["range"]} == {"retirement"}


@pytest.mark.parametrize(
    ("sd_ratio", "shift", "expected"),
    [
        (1.0, 0.1, "not informed: the posterior is the prior"),
        (1.0, -0.8, "moved down, but no narrower than the prior"),
        (0.8, 0.0, "little informed (80 % of the prior's spread)"),
        (0.5, 0.0, "informed (50 % of the prior's spread)"),
        (0.1, 2.0, "well informed (10 % of the prior's spread)"),
    ],
)
def test_words_for_how_much_is_known(sd_ratio: float, shift: float, expected: str) -> None:
    row = {"sd_ratio": sd_ratio, "shift": shift, "correlation": 0.5, "partner": "x"}
    assert calibration_text.informed(row) == expected


def test_the_lower_end_is_seen_too() -> None:
    assert "against the lower end" in calibration_text.pressing({"below": 0.3, "above": 0.0})
    assert calibration_text.pressing({"below": 0.2, "above": 0.2}) == ""


def test_prior_and_posterior_stand_in_natural_units(found: Diagnosis) -> None:
    row = words(found)["leaving"]
    assert calibration_text.interval(row, "prior") == "1.99 (1.52 to 2.48) % per year"
    assert calibration_text.interval(row, "posterior") == "1.85 (1.78 to 1.93) % per year"
    assert calibration_text.interval(words(found)["retirement"], "prior") == "factor 1 (0.675 to 1.33)"


def test_headlines(found: Diagnosis) -> None:
    text = "\n".join(calibration_text.headlines(found))
    assert "Converged: R-hat ≤ 1.01 and at least 400 effective draws" in text
    assert "19 of 20 published numbers lie inside their 90 % intervals (about 18 would be right)" in text
    assert "Outside: register_pharmacists 2022-03-31." in text
    assert "All 7 published numbers of turnover lie above the model's median" in text
    assert "the data inform 4. They do not inform: pass_rate;" in text
    assert "Against the end of their range press: retirement." in text
    assert "that of retirement (Pareto k" in text
    assert "One by one, retirement moves most (prior × ½: mean −" in text
    assert "too few" not in text


def test_too_few_inside_is_said(found: Diagnosis) -> None:
    targets = found.targets.assign(observed=found.targets["high90"] + np.where(np.arange(20) < 7, 1.0, -1e-9))
    text = "\n".join(calibration_text.headlines(dataclasses.replace(found, targets=targets)))
    assert "13 of 20 published numbers" in text
    assert "That is too few: the model cannot make them" in text


def test_too_many_near_the_middle_are_said(found: Diagnosis) -> None:
    targets = found.targets.assign(observed=found.targets["median"])
    said = "19 of 20 published numbers lie inside their 90 % intervals (about 18 would be right), 19 inside"
    targets.loc[0, "observed"] = 1e9
    text = "\n".join(calibration_text.headlines(dataclasses.replace(found, targets=targets)))
    assert said in text
    assert "That is more than a fit brings about: the stated errors are larger than what is missed." in text
    assert "more than a fit" not in "\n".join(calibration_text.headlines(found))


@pytest.mark.parametrize(
    "bad", [{"r_hat": 1.011}, {"ess_bulk": 399.0}, {"ess_tail": 12.0}, {"r_hat": np.nan}]
)
def test_what_has_not_converged_is_said_first(bad: dict[str, float]) -> None:
    first = calibration_text.headlines(diagnose(told(**bad)))[0]
    assert first.startswith("NOT converged (4 chains of 1,000 draws kept): use it for nothing.")
    assert "leaving" in first


def test_walkers_that_hardly_moved_are_not_called_converged(found: Diagnosis) -> None:
    about = {**found.about, "converged": 0}
    first = calibration_text.headlines(dataclasses.replace(found, about=about))[0]
    assert first.startswith("NOT converged")
    assert "took too few steps, or hardly moved" in first


def test_a_best_fit_alone_is_no_posterior() -> None:
    data = told(r_hat=np.nan, ess_bulk=np.nan, ess_tail=np.nan)
    data.attrs["sampler"] = "laplace"
    found = diagnose(data)
    assert calibration_text.headlines(found)[0].startswith("NOT sampled: ")
    assert found.sensitivity["pareto_k"].notna().all()
    with style.styled():
        assert len(calibration_figures.rank(found, [0, 1]).axes) == 3


def test_targets_that_do_not_count_are_left_out(data: Any) -> None:
    changed = data.copy()
    changed.observed_data = data.observed_data.copy(deep=True)
    changed.observed_data["value"][3] = np.nan
    targets = diagnose(changed).targets
    assert len(targets) == 19
    assert calibration_text.inside(targets, 90).all()


def test_the_share_of_replicates_below_a_number(found: Diagnosis) -> None:
    """Those of a number 2.6 standard deviations above are 99.5 %."""
    at = found.targets.set_index("date")["pit"]
    assert at["2022-03-31"] == pytest.approx(0.9953, abs=0.01)
    assert np.allclose(found.targets["pit"].iloc[14], 0.5, atol=0.06)


# -- priors, against closed forms ---------------------------------------------------------------------------


def exact(model: Linear, scale: Array) -> tuple[Array, Array]:
    """Mean and standard deviation of the posterior with the prior's deviations multiplied."""
    changed = dataclasses.replace(model, covariance=model.covariance * np.outer(scale, scale))
    mean, covariance = changed.posterior
    return mean, np.sqrt(np.diag(covariance))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_another_prior_moves_means_as_in_closed_form(seed: int) -> None:
    model = linear(seed)
    sd = np.sqrt(np.diag(model.covariance))
    mean, covariance = model.posterior
    rows = np.random.default_rng(seed).multivariate_normal(mean, covariance, 40_000)
    names = ["a", "b", "c"]
    correlation = model.covariance / np.outer(sd, sd)
    table = sensitivity((rows - model.mean) / sd, correlation, names, 40_000.0)
    assert len(table) == 2 * 4 * 3
    assert table["reliable"].sum() > 15
    for (changed, factor), part in table[table["reliable"]].groupby(["changed", "factor"]):
        scale = np.where([changed in (name, EVERY) for name in names], factor, 1.0)
        new, width = exact(model, scale)
        np.testing.assert_allclose(part["moved"], (new - mean) / np.sqrt(np.diag(covariance)), atol=0.12)
        np.testing.assert_allclose(part["spread"], width / np.sqrt(np.diag(covariance)), rtol=0.08)


def test_the_closed_form_tells_a_wrong_prior() -> None:
    """The test above fails if the prior is changed to its half and another is expected."""
    model = linear(1)
    mean = model.posterior[0]
    apart = (exact(model, np.full(3, 0.5))[0] - mean) / np.sqrt(np.diag(model.posterior[1]))
    assert np.abs(apart).max() > 0.5


def test_weights_that_cannot_be_relied_on_are_said(found: Diagnosis) -> None:
    """A prior twice as wide asks for what a posterior that is the prior does not hold: k is 3/4 there."""
    table = found.sensitivity.set_index(["changed", "factor", "parameter"])
    assert not table.loc[("pass_rate", 2.0, "pass_rate"), "reliable"]
    assert "prior × 2: not known (k" in words(found)["pass_rate"]["prior"]
    assert table.loc[("leaving", 2.0, "leaving"), "reliable"]
    assert "depends" not in words(found)["leaving"]["prior"]
    assert words(found)["retirement"]["prior"].startswith("prior × ½: depends, mean −")


def test_directions(found: Diagnosis) -> None:
    """Data on a sum inform one direction of two."""
    expected = np.sort([0.15 / np.hypot(1, 0.15), 0.2 / np.hypot(np.sqrt(2), 0.2) , 0.5 / np.hypot(1, 0.5),
                        0.8 / np.hypot(1, 0.8), 1.0, 1.0])  # fmt: skip
    np.testing.assert_allclose(found.directions, expected, rtol=0.06)


# -- pictures and files -------------------------------------------------------------------------------------


def test_every_published_number_is_drawn(found: Diagnosis) -> None:
    with style.styled():
        figure = calibration_figures.predictive([rows for _, rows in found.targets.groupby("observation")])
    marks = {"o": 0, "X": 0}
    for axes in figure.axes:
        for line in axes.get_lines():
            marks[str(line.get_marker())] += len(np.asarray(line.get_xdata()))
    assert marks == {"o": 19, "X": 1}


@pytest.mark.parametrize(
    ("dates", "ends", "ticks"),
    [
        (["2021-06-30", "2021-12-31", "2022-09-30"], ["", "", ""], ["Jun 2021", "Sep 2022"]),
        (["2020-10-01", "2021-10-01"], ["2021-09-30", "2022-09-30"], ["to\nSep 2021", "to\nSep 2022"]),
        (["2020-10-01"], ["2021-09-30"], ["Oct 2020 to Sep 2021"]),
    ],
)
def test_dates_of_a_short_series_are_told_apart(
    found: Diagnosis, dates: list[str], ends: list[str], ticks: list[str]
) -> None:
    part = found.targets.iloc[: len(dates)].assign(date=dates, to=ends, observation="staff_fte")
    with style.styled():
        (axes,) = calibration_figures.predictive([part]).axes
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ticks
    assert axes.get_title(loc="left") == "staff FTE"


def test_years_on_an_axis_are_whole() -> None:
    from matplotlib.figure import Figure

    axes = Figure().subplots()
    axes.plot([2021.2, 2022.8], [0.0, 1.0])
    style.year_axis(axes, 5)
    low, high = axes.get_xlim()
    assert [tick for tick in axes.get_xticks() if low <= tick <= high] == [2022.0]


def test_a_long_name_is_broken_between_its_words_in_the_terminal() -> None:
    broken = calibration_text._broken
    assert broken("participation_community_staff.ratio") == "participation_\ncommunity_staff.\nratio"
    assert broken("leaving") == "leaving"


def test_many_parameters_take_several_pages(found: Diagnosis, tmp_path: Path) -> None:
    table = found.parameters.loc[np.repeat(np.arange(6), 5)].reset_index(drop=True)
    many = dataclasses.replace(
        found, parameters=table, values=np.repeat(found.values, 5, axis=2), z=np.repeat(found.z, 5, axis=2)
    )
    names = {path.name for path in calibration_figures.write(many, tmp_path)}
    assert {"trace.png", "trace_3.png", "rank_3.png", "prior_posterior_2.png", "pair.png"} <= names
    assert "trace_4.png" not in names


@pytest.fixture(scope="module")
def results(data: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("calibrated")
    data.to_netcdf(str(folder / "inference.nc"), engine="h5netcdf")
    return folder


def test_the_command_writes_a_folder(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.call(["diagnose", str(results)]) == 0
    shown = capsys.readouterr().out
    assert "How far to trust: A made-up calibration" in shown
    assert "They do not inform: pass_rate" in shown
    folder = results / "diagnosis"
    assert {path.name for path in folder.iterdir()} == {
        "diagnosis.md", "parameters.csv", "targets.csv", "prior_sensitivity.csv", "figures", "manifest.json",
    }  # fmt: skip
    text = (folder / "diagnosis.md").read_text(encoding="utf-8")
    for name in ("prior_posterior", "predictive", "trace", "rank", "pair"):
        assert f"](figures/{name}.png)" in text
        assert (folder / "figures" / f"{name}.png").is_file()
    kept = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert kept["outputs"] == manifest.folder_digests(folder)
    assert kept["files"][0]["sha256"] == manifest.file_digest(results / "inference.nc")
    assert cli.call(["diagnose", str(results)]) == 2
    assert "--force" in capsys.readouterr().err
    assert cli.call(["diagnose", str(results), "--force", "--no-figures"]) == 0
    assert not (folder / "figures").exists()


def test_a_posterior_that_was_kept_alone(results: Path, tmp_path: Path) -> None:
    words = ["diagnose", str(results / "inference.nc"), "--out", str(tmp_path / "told"), "--no-figures"]
    assert cli.call(words) == 0
    kept = json.loads((tmp_path / "told" / "manifest.json").read_text(encoding="utf-8"))
    assert kept["files"][0]["sha256"] == manifest.file_digest(results / "inference.nc")


def test_a_folder_without_a_posterior(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.call(["diagnose", str(tmp_path)]) == 2
    assert (
        "must be the results folder of a calibration, or its posterior; it has no inference.nc"
        in capsys.readouterr().err
    )
    (tmp_path / "inference.nc").write_bytes(b"no netCDF")
    assert cli.call(["diagnose", str(tmp_path)]) == 2
    assert "cannot be read" in capsys.readouterr().err


def test_a_posterior_without_its_prior(data: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    part = data.copy()
    del part.prior
    part.to_netcdf(str(tmp_path / "inference.nc"), engine="h5netcdf")
    assert cli.call(["diagnose", str(tmp_path)]) == 2
    assert "it lacks prior. Run" in capsys.readouterr().err
    assert not (tmp_path / "diagnosis").exists()
