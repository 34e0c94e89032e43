"""What changes nothing makes no difference, bit for bit; and is said to change nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import pharmsim
from pharmsim.errors import InputError
from pharmsim.scenario.interventions import Intervention
from pharmsim.scenario.models import Scenario
from pharmsim.study import runs
from pharmsim.study.comparing import outcomes
from pharmsim.study.comparing.comparison import Comparison, compare

SCENARIOS = Path(__file__).resolve().parents[2] / "scenarios"


def lever(name: str, uptake: float, **more: Any) -> Intervention:
    """An intervention on leaving, by a fifth for those who take part."""
    told = {
        "title": name, "level": "team", "category": "retain", "start": "2026-10",
        "effects": [{"name": "leaving", "quantity": "leaving", "times": {"value": 0.8}}],
        "outcome": {"measure": "leaver_rate", "direction": "down"},
    }  # fmt: skip
    return Intervention(name=name, uptake={"value": uptake}, **{**told, **more})


@pytest.fixture(scope="module")
def base() -> Scenario:
    found = pharmsim.load(SCENARIOS / "small_system.yaml")
    return found.model_copy(update={"end": "2029-04"})


def with_levers(base: Scenario, *levers: Intervention) -> Scenario:
    return base.model_copy(update={"name": "Other", "interventions": levers})


@pytest.fixture(scope="module")
def idle(base: Scenario) -> Comparison:
    return compare(base, [with_levers(base, lever("nobody", 0.0))], draws=20)


def test_an_intervention_in_which_nobody_takes_part_makes_no_difference(idle: Comparison) -> None:
    for name, columns in (("differences", ()), ("flows", ()), ("costs", ("delivered_fte_years",))):
        frame = idle.tables[name]
        numbers = [column for column in ("difference", "central", "median", "p5", "p95") if column in frame]
        known = frame[~frame["unit"].eq("GBP per FTE-year")] if columns else frame
        assert len(known) > 5
        assert (known[numbers].fillna(0.0) == 0.0).all().all()
    differences = idle.differences
    assert differences[differences["quantity"] != "vacancy_rate"]["difference"].notna().mean() > 0.9
    assert differences["p_better"].isna().all()
    displaced = idle.tables["displacement"]
    assert (displaced[["gained", "lost_elsewhere", "net_p5", "net_p95"]] == 0.0).all().all()
    assert set(displaced["losers"]) == {""}
    (price,) = idle.tables["costs"].query("item == 'per_delivered_fte_year'")["words"]
    assert price == "no gain"


def test_an_intervention_without_effect_is_named(base: Scenario, idle: Comparison) -> None:
    (warning,) = runs.idle_interventions(with_levers(base, lever("nobody", 0.0), lever("many", 0.5)))
    assert warning.startswith("interventions.nobody: had no effect in this run")
    assert warning in idle.others[0].meta["warnings"]
    assert warning not in idle.base.meta["warnings"]
    silent = base.model_copy(update={"warnings_off": ("interventions.nobody",)})
    assert runs.idle_interventions(with_levers(silent, lever("nobody", 0.0))) == []


def test_cost_alone_is_no_effect(base: Scenario) -> None:
    paid = lever("paid", 1.0, effects=[], costs={"per_year": {"value": 1000.0}})
    (warning,) = runs.idle_interventions(with_levers(base, paid))
    assert "without it all but its cost is the same" in warning


def test_interventions_are_listed_with_what_they_cost(base: Scenario) -> None:
    costs = {"per_year": {"value": 12_000.0}}
    other = with_levers(base, lever("kept", 0.5, costs=costs, reach={"role": ("technician",)}))
    found = compare(base, [other], draws=20, dates=["2028-04"])
    (row,) = found.tables["levers"].to_dict("records")
    assert (row["reach"], row["effects"]) == ("role: Pharmacy technician", "leaving × 0.8")
    assert (row["uptake"], row["start"], row["evidence"]) == (0.5, "2026-10", "unstated")
    spent = found.tables["costs"].query("item == 'programme_cost'").iloc[0]
    assert (spent["central"], spent["p5"]) == (pytest.approx(18_000.0), pytest.approx(18_000.0))
    left = found.differences.query("quantity == 'leavers' and over == 'cumulated' and role == 'technician'")
    assert (left["difference"] < 0.0).all()
    assert (left["p_better"] == 1.0).all()


def test_no_difference_without_its_interval(base: Scenario) -> None:
    with pytest.raises(InputError, match=r"must be at least 20.*got 19 — type --draws 256"):
        compare(base, [with_levers(base)], draws=19)


def test_without_any_range_only_central_values_are_run() -> None:
    plain = pharmsim.load(SCENARIOS / "published" / "r2_grade_chain.yaml")
    found = compare(plain, [plain], draws=100)
    assert found.base.n_draws == 0
    assert "median" not in found.differences
    assert (found.tables["displacement"]["net"] == 0.0).all()
    assert (found.differences["difference"].dropna() == 0.0).all()


def test_one_run_is_in_memory_at_a_time(base: Scenario) -> None:
    """What is kept of a run is far smaller than the run."""
    results = pharmsim.run(base, draws=20)
    kept = outcomes.outcomes(results, results.data["time"].values[[12, 36]])
    measures = (*kept.measures.values(), *kept.trajectories.values())
    size = sum(array.nbytes for measure in measures for array in measure.cells.values())
    assert size < 0.2 * results.data.nbytes
