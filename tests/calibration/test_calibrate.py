"""`pharmsim calibrate` on a small workforce: files, same bits, resumed runs, and what it says of itself."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_calibration import write

import pharmsim
from pharmsim.calibration import calibrate as study
from pharmsim.calibration import sample as sampling
from pharmsim.calibration.checkpoints import Kept
from pharmsim.calibration.fit import fit
from pharmsim.calibration.forms import Sampler
from pharmsim.calibration.inference import Found, parameters
from pharmsim.calibration.posterior import arviz, read
from pharmsim.calibration.problem import Problem
from pharmsim.calibration.sample import convergence, sample
from pharmsim.cli import call
from pharmsim.errors import InterruptionError

WORDS = ["--steps", "30", "--seed", "3", "--threads", "1"]
QUICK = {"walkers": 12, "warm_up": 10, "ess": 1}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("calibrated")
    path = quick(folder)
    small = folder / "posteriors" / "small.nc"
    assert call(["calibrate", str(path), "--out", str(folder / "a"), "--posterior", str(small), *WORDS]) == 0
    return folder


def quick(folder: Path) -> Path:
    """The small calibration with few walkers."""
    path = write(folder)
    plain = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**plain, "sampler": QUICK}), encoding="utf-8")
    return path


def z_of(folder: Path, name: str) -> dict[str, np.ndarray]:
    return read(folder / name / "inference.nc").z


def test_the_folder_holds_everything(made: Path) -> None:
    names = {path.name for path in (made / "a").iterdir()}
    assert names == {
        "inference.nc", "posterior.nc", "parameters.csv", "fit.csv", "summary.md", "manifest.json",
    }  # fmt: skip
    assert (made / "posteriors" / "small.nc").read_bytes() == (made / "a" / "posterior.nc").read_bytes()
    assert (made / "a" / "posterior.nc").stat().st_size < 2_000_000
    manifest = json.loads((made / "a" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["kind"] == "calibration"
    assert manifest["seed"] == 3
    assert set(manifest["outputs"]) == names - {"manifest.json"}
    fitted = pd.read_csv(made / "a" / "fit.csv")
    assert len(fitted) == 9
    assert (fitted["predicted_p5"] < fitted["predicted_median"]).all()
    inside = fitted["observed"].between(fitted["predicted_p5"], fitted["predicted_p95"])
    assert fitted["inside_90"].tolist() == inside.tolist()
    parameters = pd.read_csv(made / "a" / "parameters.csv", index_col="parameter")
    assert parameters.loc["leaving", "unit"] == "per year"
    assert parameters.loc["left.ratio", "kind"] == "observation"
    assert parameters.loc["supply", "prior_p5"] < parameters.loc["supply", "posterior_median"]


def test_the_posterior_is_inference_data(made: Path) -> None:
    az = arviz()
    data = az.from_netcdf(str(made / "a" / "inference.nc"))
    assert dict(data.posterior.sizes) == {"chain": 4, "draw": 360}
    assert set(data.posterior.data_vars) == {"leaving", "supply", "joined.dispersion", "left.ratio"}
    assert data.log_likelihood["value"].sizes["target"] == 9
    assert data.constant_data["prior_covariance"].values.tolist() == np.eye(4).tolist()
    assert data.posterior["leaving"].attrs["r_hat"] < 1.2
    assert data.posterior["leaving"].attrs["low"] == pytest.approx(0.03)
    assert data.attrs["scenario_digest"] == pharmsim.scenario.digest(pharmsim.load(made / "small.yaml"))
    natural = data.posterior["leaving"].values.ravel()
    assert natural.min() > 0.03
    assert natural.max() < 0.09
    data.close()
    found = read(made / "a" / "posterior.nc")
    assert set(found.ranges) == {"leaving", "supply"}
    assert found.ranges["supply"] == ("40 (20 to 70, pert)",)
    assert {len(column) for column in found.z.values()} == {1024}


def test_same_seed_same_posterior_and_another_seed_another(made: Path) -> None:
    for name, words in {"b": [*WORDS[:-1], "2"], "c": [*WORDS[:3], "4"]}.items():
        assert call(["calibrate", str(made / "calibration.yaml"), "--out", str(made / name), *words]) == 0
    first, same, other = (z_of(made, name) for name in "abc")  # threads move no bit, seeds do
    assert all(np.array_equal(first[name], same[name]) for name in first)
    assert not np.array_equal(first["leaving"], other["leaving"])


def test_an_interrupted_calibration_resumes_to_the_same_bits(
    made: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["calibrate", str(made / "calibration.yaml"), "--out", str(made / "d"), *WORDS]
    walk, done = sampling._Ensemble.go_to, []

    def stopped(self: Any, steps: int) -> int:
        if len(done) == 6:
            raise KeyboardInterrupt
        done.append(steps)
        return walk(self, steps)

    monkeypatch.setattr(sampling._Ensemble, "go_to", stopped)
    monkeypatch.setattr(sampling, "ROUND", 15)  # in the second of two rounds
    assert call(words) == InterruptionError.exit_code
    assert "--resume continues" in capsys.readouterr().err
    assert not (made / "d").exists()
    monkeypatch.undo()
    assert call(words) == 2  # neither --resume nor --force
    assert "must not hold steps" in capsys.readouterr().err
    assert call([*words[:-1], "2", "--resume", "--seed", "9"]) == 2  # another calibration
    assert "it differs: sampler" in capsys.readouterr().err
    file = made / "calibration.yaml"
    text = file.read_text(encoding="utf-8")
    for old, new in {
        '"error": {"value"': '"weight": 0.5, "error": {"value"',
        '"value": 0.9': '"value": 0.85',
    }.items():
        file.write_text(text.replace(old, new), encoding="utf-8")
        assert call([*words, "--resume"]) == 2  # the same numbers held otherwise
        assert "it differs: observations" in capsys.readouterr().err
    file.write_text(text, encoding="utf-8")
    assert call([*words, "--resume"]) == 0
    first, again = z_of(made, "a"), z_of(made, "d")
    assert all(np.array_equal(first[name], again[name]) for name in first)


def test_a_number_of_an_observation_has_its_unit(tmp_path: Path) -> None:
    path = write(tmp_path)
    plain = json.loads(path.read_text(encoding="utf-8"))
    shift = {"value": 0, "low": -5, "high": 5, "uncertainty": "counted_twice", "source": "made up"}
    plain["observations"][0]["shift"] = shift
    path.write_text(json.dumps(plain), encoding="utf-8")
    about = parameters(Problem(pharmsim.load_calibration(path)))
    assert about["counted_twice"]["unit"] == "heads"
    assert about["left.ratio"]["unit"] == "ratio"
    assert about["joined.dispersion"]["unit"] == "people"


@pytest.mark.parametrize("name", ["ensemble_1.npz", "plan.json"])
def test_damaged_steps_are_told(
    made: Path, name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps = tmp_path / ".f.steps"
    words = ["calibrate", str(made / "calibration.yaml"), "--out", str(tmp_path / "f"), *WORDS]
    assert call([*words[:4], "--steps", "10", "--seed", "3"]) == 0  # not converged: the steps stay
    (steps / name).write_bytes((steps / name).read_bytes()[:-40])
    assert call([*words, "--resume", "--force"]) == 2
    assert "it is damaged — start anew with --force" in capsys.readouterr().err


def test_what_has_not_converged_can_go_on(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["calibrate", str(made / "calibration.yaml"), "--out", str(made / "e"), "--seed", "3"]
    assert call([*words, "--steps", "10"]) == 0
    assert "go on from here: the same command with --resume --force --steps 20" in capsys.readouterr().out
    assert call([*words, "--steps", "30", "--resume", "--force"]) == 0
    first, longer = z_of(made, "a"), z_of(made, "e")
    assert all(np.array_equal(first[name], longer[name]) for name in first)


def test_a_best_fit_alone_is_never_called_converged(made: Path) -> None:
    words = ["calibrate", str(made / "calibration.yaml"), "--out", str(made / "m"), "--map-only"]
    assert call(words) == 0
    assert "NOT SAMPLED" in (made / "m" / "summary.md").read_text(encoding="utf-8")
    found = read(made / "m" / "posterior.nc")
    assert (found.attributes["converged"], found.attributes["sampler"]) == (0, "laplace")


def test_few_steps_are_not_called_converged() -> None:
    matrix = np.array([[1.0, 0.3], [0.2, 1.0]])
    problem = Problem.of(lambda z: z @ matrix.T, [1.0, 0.0], ["a", "b"], 0.3)
    chains = sample(problem, fit(problem), Sampler(warm_up=0, steps=10, walkers=8))
    seen = convergence(chains)
    assert not seen.converged
    assert "NOT CONVERGED" in seen.text()
    assert chains.z.shape == (4, 80, 2)
    assert chains.by_walker.shape == (32, 10, 2)
    assert chains.by_walker[9, 3].tolist() == chains.walks[1, 3, 1].tolist()


@pytest.mark.parametrize(("walkers", "steps"), [(64, 10), (128, 10), (200, 10), (200, 100)])
def test_walkers_that_never_move_are_not_converged(walkers: int, steps: int) -> None:
    rng = np.random.default_rng(0)
    z = np.repeat(rng.standard_normal((4, 1, walkers, 2)), steps, axis=1)
    z += 1e-6 * rng.standard_normal(z.shape)
    seen = convergence(sampling.Chains(("a", "b"), z, z[..., 0], np.zeros(4), 0))
    assert seen.r_hat.max() < 1.01
    assert min(seen.bulk.min(), seen.tail.min()) > 400
    assert not seen.converged
    assert f"rule: at least {12 * walkers}" in seen.text()


def test_draws_that_are_kept_are_of_all_walkers() -> None:
    walkers = np.broadcast_to(np.arange(64.0), (4, 250, 64)).reshape(4, -1, 1)
    problem = Problem.of(lambda z: z, [0.0], ["a"], 1.0)
    found = Found(problem, walkers, None, {})
    kept = found.thinned(1000).z[0, :, 0]
    assert kept.shape == (1000,)
    assert min(len(np.unique(part)) for part in np.split(kept, 10)) > 40  # 100 of 64 kinds
    assert np.array_equal(found.thinned(20_000).z, walkers)


def test_ensembles_that_disagree_are_not_converged() -> None:
    matrix = np.eye(2)
    problem = Problem.of(lambda z: z @ matrix, [0.0, 0.0], ["a", "b"], 1.0)
    chains = sample(problem, fit(problem), Sampler(warm_up=20, steps=200, ess=100_000))
    assert convergence(chains).converged
    chains.walks[0, ..., 1] += 0.5
    seen = convergence(chains)
    assert seen.r_hat[1] > 1.01
    assert not seen.converged


def test_progress_says_that_the_steps_are_the_most(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from pharmsim.study import progress

    monkeypatch.setattr(progress, "SILENT", 0.0)
    monkeypatch.setattr(progress, "APART", 0.0)
    problem = Problem.of(lambda z: z, [0.0], ["a"], 1.0)
    sample(problem, fit(problem), Sampler(warm_up=0, steps=1200, walkers=8, ess=1), shown=True)
    assert (
        "Sampling to step 100 of 1,200 at most: 1,600 of 3,200 candidates, 0:00:0" in capsys.readouterr().err
    )


def test_several_peaks_are_seen_by_the_starts() -> None:
    problem = Problem.of(lambda z: z**2, [4.0], ["a"], 0.2)
    found = fit(problem, starts=8)
    assert abs(found.mean[0]) == pytest.approx(2.0, abs=0.1)
    assert {-1.0, 1.0} <= set(np.sign(found.ends[:, 0]))
    assert found.agreeing >= 2


def test_steps_are_read_as_they_were_written(tmp_path: Path) -> None:
    state = np.random.RandomState(5)
    state.standard_normal(3)
    kept = Kept.begin(np.ones((2, 3)), np.zeros(2), state.get_state())
    kept = kept.longer(np.full((1, 2, 3), 2.0), np.ones((1, 2)), np.array([1]), state.get_state())
    kept.write(tmp_path / "e.npz")
    again, other = Kept.read(tmp_path / "e.npz"), np.random.RandomState()
    other.set_state(again.random)
    assert other.standard_normal(5).tolist() == state.standard_normal(5).tolist()
    assert again.last.tolist() == kept.last.tolist()


def test_an_earlier_posterior_is_the_prior_of_what_it_has(made: Path) -> None:
    plain = json.loads((made / "calibration.yaml").read_text(encoding="utf-8"))
    later = made / "later.yaml"
    later.write_text(json.dumps({**plain, "priors": {"from": "posteriors/small.nc"}}), encoding="utf-8")
    calibration = pharmsim.load_calibration(later)
    z = read(made / "posteriors" / "small.nc").z
    assert calibration.mean[:2] == pytest.approx([z["leaving"].mean(), z["supply"].mean()])
    assert calibration.mean[2:].tolist() == [0.0, 0.0]  # of observations, which know nothing yet
    assert calibration.covariance[:2, :2] == pytest.approx(np.cov([z["leaving"], z["supply"]]))
    assert calibration.covariance[2:, 2:].tolist() == np.eye(2).tolist()
    twice = {"from": ["posteriors/small.nc", "posteriors/small.nc"]}
    later.write_text(json.dumps({**plain, "priors": twice}), encoding="utf-8")
    with pytest.raises(pharmsim.ScenarioError, match="one before it both have leaving and 1 more") as error:
        pharmsim.load_calibration(later)
    assert len(error.value.problems) == 1
    scenario = json.loads((made / "small.yaml").read_text(encoding="utf-8"))
    text = json.dumps(scenario).replace('"high": 70.0', '"high": 71.0')
    (made / "other.yaml").write_text(text, encoding="utf-8")
    changed = {**plain, "scenario": "other.yaml", "priors": {"from": "posteriors/small.nc"}}
    later.write_text(json.dumps(changed), encoding="utf-8")
    with pytest.raises(pharmsim.ScenarioError, match="must have the range it was fitted with"):
        pharmsim.load_calibration(later)


def test_correlated_ranges_are_a_correlated_prior(made: Path) -> None:
    scenario = json.loads((made / "small.yaml").read_text(encoding="utf-8"))
    group = {"of": ["supply", "leaving"], "correlation": 0.5, "source": "made up"}
    scenario["uncertainties"] = {"correlated": [group]}
    (made / "together.yaml").write_text(json.dumps(scenario), encoding="utf-8")
    plain = json.loads((made / "calibration.yaml").read_text(encoding="utf-8"))
    (made / "t.yaml").write_text(json.dumps({**plain, "scenario": "together.yaml"}), encoding="utf-8")
    found = pharmsim.load_calibration(made / "t.yaml")
    assert found.covariance[0, 1] == pytest.approx(2.0 * np.sin(np.pi / 12.0))  # of Spearman's 0.5
    assert Problem(found, threads=1).table(np.zeros((2, 4))).u.tolist() == [[0.5] * 4] * 2


def test_candidates_that_cannot_run_do_not_stop_the_others(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pharmsim.calibration import simulation
    from pharmsim.errors import InputError

    problem = Problem(pharmsim.load_calibration(made / "calibration.yaml"), threads=1)
    run = simulation.run_block

    def fails(scenario: Any, table: Any, **more: Any) -> Any:
        if (table.probabilities("leaving") > 0.99).any():
            raise InputError("out of bounds")
        return run(scenario, table, **more)

    z = np.zeros((5, 4))
    whole = problem.log_density(z)
    monkeypatch.setattr(simulation, "run_block", fails)
    z[3, problem.names.index("leaving")] = 4.0
    found = problem.log_density(z)
    assert found[3] == -np.inf
    assert np.delete(found, 3).tolist() == np.delete(whole, 3).tolist()


def test_what_sampling_says_of_itself(made: Path) -> None:
    done = study.calibrate(pharmsim.load_calibration(made / "calibration.yaml"), seed=3, steps=10, threads=1)
    text = study.summary(done)
    assert done.mixed is not None
    assert done.mixed.text() in text
    assert "4 parameters, 9 published numbers" in text
    assert str(done.settings.seed) in text
    one = Problem.of(lambda z: z, np.ones(1), ["a"], 0.1)
    assert "- 1 parameter, 1 published number, scenario" in study.summary(replace(done, problem=one))
