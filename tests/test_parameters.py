"""`parameters`: what `pharmsim calibrate` found is drawn by any scenario that has the same uncertainties."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import yaml
from scipy.special import ndtr
from scipy.stats import spearmanr

import pharmsim
from made import made
from pharmsim import examples
from pharmsim.compiled.draws import Draws, dependent, sample
from pharmsim.errors import InputError, ScenarioError
from pharmsim.report.describe import describe
from pharmsim.report.evidence import evidence_shares
from pharmsim.results import files
from pharmsim.results.assumptions import as_frame, as_markdown
from pharmsim.results.reproduce import reproduce
from pharmsim.scenario import check_warnings
from pharmsim.scenario.calibrated import as_calibrated
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.values import Value
from pharmsim.study.deciding.decide import decided
from pharmsim.study.deciding.inputs import inputs
from pharmsim.study.sensitivity.drivers import title_together
from pharmsim.study.sensitivity.factors import ends, factors

A, B = "leaving.a.rate", "wear"
LEAVING: dict[str, Any] = {
    "a": {"rate": {"value": 0.1, "low": 0.05, "high": 0.2, "source": "a survey", "evidence": "proxy"}},
    "b": {"rate": {"value": 0.1, "low": 0.08, "high": 0.13, "dist": "lognormal", "uncertainty": "wear"}},
    "c": {"rate": {"value": 0.02, "low": 0.01, "high": 0.03}},
    "d": {
        "rate": {
            "rows": [{"where": {"age": "16-40"}, "value": 0.01}, {"where": {"age": "41+"}, "value": 0.02}],
            "range": {"low": 0.5, "high": 1.5, "uncertainty": "wear"},
            "source": "made up", "evidence": "assumption",
        }
    },
}  # fmt: skip
FILE = "calibration/posteriors/fit.nc"
KNOWN = {
    A: ["0.1 (0.05 to 0.2, pert)"],
    B: ["0.1 (0.08 to 0.13, lognormal)", "1 (0.5 to 1.5, pert)"],
}


def posterior(n: int = 300, seed: int = 1) -> dict[str, np.ndarray]:
    """Normal scores of two uncertainties that are correlated by 0.8, and of one that no scenario has."""
    z = np.random.default_rng(seed).multivariate_normal([0.5, -0.4], [[0.25, 0.2], [0.2, 0.25]], n)
    return {A: z[:, 0], B: z[:, 1], "register.ratio": z[:, 0]}


def write(path: Path, z: Mapping[str, np.ndarray], **attributes: Any) -> None:
    """Write a posterior as `pharmsim calibrate` does, as far as scenarios read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        file.attrs.update({"name": "fit", "title": "A fit", "ranges": json.dumps(KNOWN), **attributes})
        group = file.create_group("unconstrained_posterior")
        group["chain"] = np.arange(4)
        for name, values in z.items():
            group[name] = values.reshape(4, -1)


def plain(**sections: Any) -> dict[str, Any]:
    return pharmsim.to_dict(made(24, leaving=LEAVING, **sections))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with scenarios and a calibration of two of their uncertainties."""
    (tmp_path / "scenarios").mkdir()
    write(tmp_path / FILE, posterior())
    return tmp_path


def load(home: Path, data: dict[str, Any] | None = None, name: str = "x", **more: Any) -> Scenario:
    path = home / "scenarios" / f"{name}.yaml"
    own = {"parameters": f"../{FILE}"} if data is None else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump((plain() if data is None else data) | own | more))
    return pharmsim.load(path)


def rate(scenario: Scenario, name: str) -> Value:
    return scenario.leaving[name].rate.terms[0].rows[0]


def at(scenario: Scenario, u: Mapping[str, Any]) -> Draws:
    """A table of positions in the ranges as written, which knows nothing of the posterior."""
    table = sample(scenario)
    n = len(next(iter(u.values())))
    rows = np.full((n, len(table.names)), np.nan)
    for name, column in u.items():
        rows[:, table.names.index(name)] = column
    return replace(table, u=rows, positions={})


# -- what is drawn -------------------------------------------------------------------------------------


def test_the_centre_is_the_median_to_the_bit_in_a_run(home: Path) -> None:
    scenario, z = load(home), posterior()
    median = {name: [np.median(ndtr(z[name]))] for name in (A, B)}
    wanted = pharmsim.run(scenario, draws=at(scenario, median)).data
    found = pharmsim.run(scenario).data
    before = pharmsim.run(pharmsim.from_dict(plain())).data
    assert np.array_equal(found["headcount"].values, wanted["headcount"].values)
    assert np.array_equal(found["leavers"].values, wanted["leavers"].values)
    assert not np.array_equal(found["headcount"].values, before["headcount"].values)


def test_rows_are_drawn_whole_and_keep_their_correlation(home: Path) -> None:
    scenario, z = load(home), posterior()
    table = sample(scenario, 512)
    known = at(scenario, {name: ndtr(z[name]) for name in (A, B)})
    wanted = np.stack([known.values(rate(scenario, name)) for name in "ab"], axis=1)
    values = np.stack([table.values(rate(scenario, name)) for name in "abc"], axis=1)[1:]
    rows = np.abs(values[:, None, :2] - wanted).sum(axis=2).argmin(axis=1)
    assert np.array_equal(values[:, :2], wanted[rows])
    assert np.bincount(rows, minlength=300).max() <= 3  # evenly
    assert spearmanr(values[:, 0], values[:, 1]).statistic == pytest.approx(
        spearmanr(z[A], z[B]).statistic, abs=0.03
    )
    assert abs(spearmanr(values[:, 0], values[:, 2]).statistic) < 0.1
    span = scenario.leaving["d"].rate.terms[0].range
    assert np.array_equal(
        np.argsort(table.factors(span)[1:], kind="stable"), np.argsort(values[:, 1], kind="stable")
    )


def test_the_same_bits_in_any_block(home: Path) -> None:
    scenario = load(home)
    table = sample(scenario, 63)
    whole = pharmsim.run(scenario, draws=table).data["headcount"].values
    parts = [
        pharmsim.run(scenario, draws=table.block(i, i + 16)).data["headcount"].values for i in (0, 16, 32, 48)
    ]
    assert np.array_equal(whole, np.concatenate(parts))
    assert np.array_equal(sample(scenario, 127).u[:64], table.u, equal_nan=True)


def test_what_ifs_move_what_was_fitted(home: Path) -> None:
    base = load(home)
    change = {"base": "x.yaml", "name": "y", "changes": [{"set": "leaving.a.rate", "times": 0.5}]}
    other = load(home, change, "y")
    table = sample([base, other], 32)
    ratio = pharmsim.run(other, draws=table).data["leavers"].sel(destination="a").isel(period=0)
    ratio = ratio / pharmsim.run(base, draws=table).data["leavers"].sel(destination="a").isel(period=0)
    assert np.ptp(ratio.values) < 0.02
    assert float(ratio.mean()) == pytest.approx(0.5, abs=0.01)
    fixed = load(home, change | {"changes": [{"set": "leaving.a.rate", "to": 0.1}]}, "z")
    both = sample([base, fixed], 32)
    assert np.array_equal(both.values(rate(base, "b")), sample(base, 32).values(rate(base, "b")))


def test_scenarios_drawn_together_share_the_posterior(home: Path) -> None:
    with pytest.raises(InputError, match=r"must draw .* from one posterior — another one has no draws of it"):
        sample([load(home), load(home, plain(), "plain")], 4)
    old = load(home)
    write(home / FILE, posterior(seed=2))
    with pytest.raises(InputError, match="another one has other draws of it"):
        sample([old, load(home, name="new")], 4)


def test_correlations_of_the_prior_give_way_to_those_of_the_rows(home: Path) -> None:
    groups = {"uncertainties": {"correlated": [{"of": [A, B, "leaving.c.rate"], "correlation": 0.7}]}}
    scenario = load(home, **groups)
    table = sample(scenario, 512)
    values = np.stack([table.values(rate(scenario, name)) for name in "abc"], axis=1)[1:]
    assert spearmanr(values[:, 0], values[:, 2]).statistic == pytest.approx(0.0, abs=0.1)
    assert np.array_equal(table.u, sample(load(home, name="y"), 512).u, equal_nan=True)


def test_a_table_of_ones_own_takes_rows_too(home: Path) -> None:
    scenario = load(home)
    table = sample(scenario)
    own = np.full((3, len(table.names)), 0.3)
    own[0] = np.nan
    found = dependent(own, table.names, [scenario])
    assert np.isnan(found[0]).all()
    assert np.array_equal(found[1], found[2])


# -- results that need the file no more -----------------------------------------------------------------


def test_a_run_is_reproduced_without_the_file(home: Path) -> None:
    scenario = load(home)
    again = pharmsim.from_dict(json.loads(json.dumps(pharmsim.to_dict(scenario))), "nowhere")
    assert pharmsim.to_dict(again) == pharmsim.to_dict(scenario)
    assert np.array_equal(sample(again, 8).u, sample(scenario, 8).u, equal_nan=True)
    files.write(pharmsim.run(scenario, draws=15), home / "out")
    (home / FILE).unlink()
    outcome = reproduce(home / "out")
    assert outcome.n_different == 0
    assert any("fit.nc: is no longer there" in text for text in outcome.remarks)


# -- what people read ----------------------------------------------------------------------------------


def test_the_log_says_calibrated_with_median_interval_and_source(home: Path) -> None:
    scenario, z = load(home), posterior()
    log = as_frame(scenario).set_index("id")
    u = np.sort(ndtr(z[A]))
    known = at(scenario, {A: [np.median(u), u[15], u[285]]}).values(rate(scenario, "a"))
    row = log.loc[A]
    assert row["evidence"] == "calibrated"
    assert [row["value"], row["low"], row["high"]] == known.tolist()
    assert row["source"] == "calibration fit: A fit (fit.nc)"
    assert row["note"] == "fitted from 0.1 (0.05 to 0.2, pert), proxy: a survey"
    rows = log[log["uncertainty"] == B]
    assert set(rows["evidence"]) == {"calibrated"}
    assert len(rows) == 3
    table = rows[rows.index.str.startswith("leaving.d")]
    assert (table["low"] / table["value"]).round(12).nunique() == 1
    assert "times the values, assumption: made up" in table["note"].iloc[0]
    assert log.loc["leaving.c.rate", "evidence"] == "unstated"
    assert "| calibrated | calibration fit" in as_markdown(scenario)
    text = describe(scenario)
    assert f"{A} = {known[0]:g} [{known[1]:g} – {known[2]:g}] per year, calibrated" in text
    assert text.splitlines()[-1] == f"posterior fit, 300 draws of {A}, {B}"


def test_a_row_of_nothing_is_not_calibrated_by_a_factor(home: Path) -> None:
    leaving = json.loads(json.dumps(LEAVING))
    leaving["d"]["rate"]["rows"][0]["value"] = 0.0
    for scenario in (load(home, leaving=leaving), load(home, plain() | {"leaving": leaving}, "plain")):
        none, some = (as_frame(scenario).set_index("id").loc[f"leaving.d.rate[{i}]"] for i in (0, 1))
        assert (none["value"], none["evidence"], none["source"], none["uncertainty"]) == (
            0.0, "assumption", "made up", "",
        )  # fmt: skip
        assert np.isnan([none["low"], none["high"]]).all()
        assert some["uncertainty"] == B


def test_grades_of_flows_count_what_was_calibrated(home: Path) -> None:
    shares = evidence_shares(pharmsim.run(load(home)))
    assert shares.loc["leaving", "calibrated"] > 0.8
    assert evidence_shares(pharmsim.run(pharmsim.from_dict(plain()))).loc["leaving", "calibrated"] == 0.0


def test_nothing_is_written_where_nothing_was_calibrated() -> None:
    scenario = made(leaving=LEAVING)
    assert as_calibrated(scenario) is scenario


def test_ends_factors_and_inputs_are_those_of_the_posterior(home: Path) -> None:
    scenario = load(home)
    table = sample(scenario, 255)
    assert ends(scenario, table.names).T.tolist() == [
        [0.05, 0.95] if name in (A, B) else [0.0, 1.0] for name in table.names
    ]
    assert (A, B) in factors([scenario], table.names)
    low, high = (
        replace(table, u=np.full((1, len(table.names)), u)).values(rate(scenario, "a")) for u in (0.05, 0.95)
    )
    found = {one.driver.name: one for one in inputs([scenario], table)}
    assert (found[A].driver.low, found[A].driver.high) == (low[0], high[0])
    assert found[A].driver.grades == ("calibrated",)
    assert np.array_equal(found[A].values, table.values(rate(scenario, "a"))[1:])
    assert found[B].driver.n == 3


def test_a_posterior_has_a_short_title_where_its_names_stand_as_one(home: Path) -> None:
    scenario = load(home)
    known = [one.driver for one in inputs([scenario], sample(scenario)) if one.driver.name in (A, B)]
    assert title_together(known, [scenario], " with ") == "posterior fit (2 inputs)"
    assert title_together(known[:1], [scenario], " with ") == known[0].title
    other = pharmsim.from_dict(plain())
    assert title_together(known, [other], " with ") == " with ".join(one.title for one in known)
    change = {"base": "x.yaml", "name": "y", "changes": [{"set": "leaving.a.rate", "times": 0.5}]}
    compared = decided(pharmsim.compare(scenario, [load(home, change, "y")], draws=31))
    worth = compared.tables["value_of_information"].set_index("uncertainty")
    assert set(worth.loc[[f"{A}; {B}"], "title"]) == {"posterior fit (2 inputs)"}


def test_a_calibration_that_did_not_converge_is_told(home: Path) -> None:
    write(home / FILE, posterior(), converged=0)
    assert "parameters: the calibration fit did not converge: calibrate with more steps" in check_warnings(
        load(home)
    )


def test_a_calibration_of_something_else_is_told(home: Path) -> None:
    others = {f"other_{i}": ["1 (0.5 to 2, pert)"] for i in range(4)}
    assert check_warnings(load(home)) == []
    z = posterior()
    z |= dict.fromkeys(others, z[A])
    write(home / FILE, z, ranges=json.dumps({**KNOWN, **others}))
    (told,) = check_warnings(load(home))
    assert told == (
        "parameters: of 6 uncertainties of the calibration fit only 2 are in the scenario "
        "(leaving.a.rate, wear): is it about the same?"
    )


def test_an_example_is_copied_with_what_it_draws_from(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load(home, name="place/programme/x", parameters=f"../../../{FILE}")
    (home / "scenarios/scenario.schema.json").write_text("{}")
    monkeypatch.setattr(examples, "folder", lambda: home / "scenarios")
    (copied,) = examples.copy("place", home / "new")
    assert f"parameters: ../{FILE}" in copied.read_text()
    assert np.array_equal(sample(pharmsim.load(copied), 8).u, sample(load(home), 8).u, equal_nan=True)


# -- mistakes ------------------------------------------------------------------------------------------


def message(home: Path, **more: Any) -> str:
    with pytest.raises(ScenarioError) as error:
        load(home, **more)
    return str(error.value)


def test_ranges_other_than_those_fitted_are_refused(home: Path) -> None:
    leaving = json.loads(json.dumps(LEAVING))
    leaving["a"]["rate"]["high"] = 0.21
    leaving["d"]["rate"]["range"]["low"] = 0.6
    text = message(home, leaving=leaving)
    assert (
        "must have the range that `leaving.a.rate` was fitted with in ../calibration/posteriors/fit.nc, "
        "0.1 (0.05 to 0.2, pert); got 0.1 (0.05 to 0.21, pert). Write that range, or calibrate again" in text
    )
    assert "`wear` was fitted with" in text


def test_no_name_in_common_is_refused(home: Path) -> None:
    text = message(home, leaving={"z": {"rate": LEAVING["c"]["rate"]}})
    assert (
        "`../calibration/posteriors/fit.nc` has no uncertainty of the scenario: it has leaving.a.rate, wear; "
        "the scenario has leaving.z.rate" in text
    )


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("../calibration/none.nc", "`../calibration/none.nc` no such file"),
        (
            "../other/fit.nc",
            "must stay inside the folder `scenarios` or `calibration`; got `../other/fit.nc`",
        ),
        ("fit.csv", "must be a posterior that `pharmsim calibrate` wrote (netCDF)"),
        ([f"../{FILE}"] * 2, "parameters[1]: `../calibration/posteriors/fit.nc` is there twice. Leave one"),
        (
            [f"../{FILE}", f"../{FILE.replace('fit', 'other')}"],
            "parameters[1]: must have no uncertainty of another file; `../calibration/posteriors/other.nc` "
            "and `../calibration/posteriors/fit.nc` both have leaving.a.rate and 1 more. Leave one of them",
        ),
        (7, "must be the path of a file; got 7"),
    ],
)
def test_files_that_cannot_be_read_are_told(home: Path, written: Any, said: str) -> None:
    (home / "scenarios/fit.csv").write_text("x,y\n1,2\n")
    write(home / FILE.replace("fit", "other"), posterior(seed=2))
    assert said in message(home, data=plain() | {"parameters": written})


@pytest.mark.parametrize(
    ("a", "said"),
    [
        (
            np.full(300, np.nan),
            "`../calibration/posteriors/fit.nc` must hold finite numbers: calibrate again",
        ),
        (np.zeros(200), "must hold as many rows of every parameter: calibrate again"),
    ],
)
def test_rows_that_cannot_be_drawn_are_told(home: Path, a: np.ndarray, said: str) -> None:
    write(home / FILE, posterior() | {A: a})
    assert said in message(home)


def test_a_what_if_draws_from_a_calibration_of_its_base(home: Path) -> None:
    load(home, plain(), "plain")
    change = {"base": "../plain.yaml", "name": "y", "parameters": [f"../../{FILE}"]}
    change["changes"] = [{"set": "leaving.a.rate", "times": 0.5}]
    found, wanted = load(home, change, "deeper/y"), load(home)
    assert np.array_equal(sample(found, 32).u, sample(wanted, 32).u, equal_nan=True)
    assert sample(found).values(rate(found, "b")) == sample(wanted).values(rate(wanted, "b"))
    again = pharmsim.from_dict(json.loads(json.dumps(pharmsim.to_dict(found))), "nowhere")
    assert pharmsim.to_dict(again) == pharmsim.to_dict(found)
    twice = {"base": "y.yaml", "name": "z", "parameters": f"../../{FILE}"}
    assert (
        pharmsim.to_dict(load(home, twice, "deeper/z"))["uncertainties"]
        == pharmsim.to_dict(found)["uncertainties"]
    )
    leaving = json.loads(json.dumps(LEAVING))
    leaving["a"]["rate"]["high"] = 0.21
    load(home, plain() | {"leaving": leaving}, "plain")
    text = message(home, data=change, name="deeper/y")
    assert "plain.yaml" in text.splitlines()[0]
    assert "got 0.1 (0.05 to 0.21, pert)" in text
    text = message(home, data=change | {"parameters": "../fit.nc"}, name="deeper/y")
    assert "`../fit.nc` no such file" in text


def test_a_what_if_names_no_file_twice(home: Path) -> None:
    base = load(home)
    twice = {"base": "x.yaml", "name": "y", "parameters": [f"../{FILE}"] * 2}
    assert "parameters[1]: `../calibration/posteriors/fit.nc` is there twice" in message(
        home, data=twice, name="y"
    )
    again = pharmsim.to_dict(base) | {"parameters": [f"../{FILE}"] * 2}
    with pytest.raises(ScenarioError, match="is there twice"):
        pharmsim.from_dict(json.loads(json.dumps(again)), "nowhere")


RANGE: dict[str, Any] = {"value": 0.1, "low": 0.09, "high": 0.11}


@pytest.mark.parametrize(
    ("changed", "to", "name", "got"),
    [
        ("leaving.a.rate", RANGE, A, "0.1 (0.09 to 0.11, pert)"),
        ("leaving.a", {"rate": RANGE}, A, "0.1 (0.09 to 0.11, pert)"),
        ("leaving.c.rate", RANGE | {"uncertainty": B}, B, "0.1 (0.09 to 0.11, pert)"),
    ],
)
def test_a_range_set_anew_that_would_be_drawn_from_the_posterior_is_refused(
    home: Path, changed: str, to: dict[str, Any], name: str, got: str
) -> None:
    load(home)
    change = {"base": "x.yaml", "name": "y", "changes": [{"set": changed, "to": to}]}
    known = " or ".join(KNOWN[name])
    assert (
        f"changes[0].to: must have the range that `{name}` was fitted with in "
        f"../calibration/posteriors/fit.nc, {known}, for it is drawn from there; got {got}. Give it an "
        "`uncertainty` of its own, or no range, or write `parameters: []`"
    ) in message(home, data=change, name="y")


def test_a_range_set_anew_with_a_name_of_its_own_is_drawn_as_written(home: Path) -> None:
    load(home)
    change = {
        "base": "x.yaml",
        "name": "y",
        "changes": [{"set": "leaving.a.rate", "to": RANGE | {"uncertainty": "own"}}],
    }
    found = load(home, change, "y")
    drawn = sample(found, 255).values(rate(found, "a"))
    assert np.median(drawn) == pytest.approx(0.1, rel=0.01)
    none = load(home, change | {"parameters": [], "changes": [{"set": "leaving.a.rate", "to": RANGE}]}, "y")
    assert sample(none).values(rate(none, "a")) == [0.1]
    fitted = {"value": 0.1, "low": 0.05, "high": 0.2}
    same = load(home, change | {"changes": [{"set": "leaving.a.rate", "to": fitted}]}, "y")
    assert np.array_equal(
        sample(same, 8).values(rate(same, "a")), sample(load(home), 8).values(rate(same, "a"))
    )


def test_parameters_are_no_number_that_a_change_sets(home: Path) -> None:
    load(home)
    change = {"base": "x.yaml", "name": "y", "changes": [{"set": "parameters", "to": "x"}]}
    assert "no such path in the base: `parameters`" in message(home, data=change, name="y")
