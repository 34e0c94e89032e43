"""Scenarios compared with a base under the same draws."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import synthetic
from made import made
from pharmsim.errors import InputError, ScenarioError
from pharmsim.results import batches, money
from pharmsim.results.labelled import Results
from pharmsim.scenario.interventions import Intervention
from pharmsim.study.comparing.comparison import (
    Comparison,
    chosen_dates,
    compare,
    explained,
    time_to_explain,
    unique_names,
)
from pharmsim.study.comparing.lever_table import lever_table
from pharmsim.study.comparing.outcomes import outcomes

FACTORS = {"More": 1.1, "Fewer": 0.8}
BASE = synthetic.results(draws=20, seed=3, n_months=72).data


def run(scenario: Any, draws: Any, seed: int) -> Results:
    """Made-up results; the others have a constant factor on everything in post."""
    results = synthetic.results(draws=draws, seed=seed, n_months=72)
    data = results.data.copy(deep=True)
    factor = FACTORS.get(scenario.name, 1.0)
    for name in ("headcount", "fte", "vacancy_fte", "leavers", "retirements"):
        data[name] = data[name] * factor
    return dataclasses.replace(results, scenario=scenario, data=data)


@pytest.fixture(scope="module")
def compared() -> Comparison:
    base = synthetic.scenario()
    others = [synthetic.scenario(name=name) for name in FACTORS]
    return compare(base, others, draws=20, seed=3, run=run)


def rows(compared: Comparison, **wanted: Any) -> Any:
    frame = compared.differences
    for name, value in wanted.items():
        frame = frame[frame[name] == value]
    return frame


def test_dates_are_the_end_of_march_2028_two_and_five_years_on_and_the_end(compared: Comparison) -> None:
    assert [str(date)[:10] for date in compared.dates] == [
        "2027-10-01", "2028-04-01", "2030-10-01", "2031-10-01",
    ]  # fmt: skip


def test_dates_are_read_as_people_write_them() -> None:
    times = synthetic.results(0, 72).data["time"].values
    found = chosen_dates(times, ["31 March 2028", "2030-10", "March 2028"])
    assert [str(date)[:7] for date in found] == ["2028-03", "2028-04", "2030-10"]
    with pytest.raises(InputError) as error:
        chosen_dates(times, ["2025-10", "2040-01", "soon"])
    for text in ("got 2025-10", "got 2040-01", "got `soon`", "and not after the end, 2031-10-01"):
        assert text in str(error.value)


def test_differences_are_taken_draw_by_draw(compared: Comparison) -> None:
    there = {"quantity": "fte", "over": "date", "role": "chemist", "environment": "ward"}
    row = rows(compared, scenario="More", **there).iloc[-1]
    fte = BASE["fte"].sel(post="chemist_ward").values[:, -1]
    assert row["base"] == pytest.approx(fte[0])
    assert row["difference"] == pytest.approx(0.1 * fte[0])
    cuts = np.quantile(0.1 * fte[1:], [0.05, 0.25, 0.5, 0.75, 0.95])
    assert row[["p5", "p25", "median", "p75", "p95"]].tolist() == pytest.approx(cuts)
    assert row["p_better"] == 1.0
    assert rows(compared, scenario="Fewer", **there).iloc[-1]["p_better"] == 0.0


def test_leavers_are_those_of_the_year_before(compared: Comparison) -> None:
    row = rows(compared, scenario="Fewer", quantity="leavers", role="all", environment="all").iloc[0]
    data = BASE
    year = slice(12, 24)
    total = float(data["leavers"].values[0, year].sum() + data["retirements"].values[0, year].sum())
    assert row["base"] == pytest.approx(total)
    assert row["difference"] == pytest.approx(-0.2 * total)
    assert (str(row["year_from"])[:10], row["over"], row["p_better"]) == ("2026-10-01", "year", 1.0)


def test_retention_is_compared_at_each_level(compared: Comparison) -> None:
    frame = rows(compared, scenario="More", quantity="stability_index")
    assert list(frame["level"].unique()) == ["post", "environment", "system"]
    assert frame["difference"].abs().max() == pytest.approx(0.0, abs=1e-12)
    assert [str(day)[:10] for day in frame["year_from"].head(2)] == ["2026-04-01", "2027-04-01"]
    assert frame["p_better"].isna().all()
    whole = {"role": "all", "environment": "all"}
    rate = rows(compared, scenario="More", quantity="leaver_rate", level="system", **whole)
    assert rate["base"].iloc[0] > 0.0


def test_a_post_of_one_scenario_only_counts_as_none_in_the_other() -> None:
    more = [*synthetic.description()["posts"], {"post": "new", "role": "helper", "environment": "icu"}]
    wider = synthetic.scenario(name="Wider", posts=more, environments={"shop": "S", "ward": "W", "icu": "I"})

    def either(scenario: Any, draws: Any, seed: int) -> Results:
        changes = {"posts": more, "environments": {"shop": "S", "ward": "W", "icu": "I"}}
        return synthetic.results(draws=draws, **(changes if scenario.name == "Wider" else {}))

    found = compare(synthetic.scenario(), [wider], draws=20, run=either)
    row = rows(found, quantity="headcount", role="helper", environment="icu").iloc[0]
    assert row["base"] == 0.0
    assert row["difference"] == row["value"] > 0
    funded = rows(found, quantity="vacancy_fte", role="helper", environment="icu").iloc[0]
    assert (funded["base"], funded["difference"]) == (0.0, funded["value"])
    assert "has no new: counted as nobody in post and no vacancy there" in found.warnings[0]
    back = compare(wider, [synthetic.scenario()], draws=20, run=either)
    for quantity in ("headcount", "vacancy_fte"):
        gone = rows(back, quantity=quantity, role="helper", environment="icu").iloc[0]
        assert (gone["value"], gone["difference"]) == (0.0, -gone["base"])
    assert back.warnings[0].startswith("Small town <b>& has no new")


def test_need_that_moves_with_the_opening_is_a_warning() -> None:
    """`opening_ratio` is measured on what each scenario delivers; `fte` is not, nor is what moves later."""

    def running(at: int, draw: int) -> Any:
        def run_one(scenario: Any, draws: Any, seed: int) -> Results:
            results = synthetic.results(draws, 72, seed, **synthetic.system())
            data = results.data.copy(deep=True)
            data["required_fte"][:, 0] = 50.0
            if scenario.name == "Other":
                data["required_fte"][draw, at, 1] = 40.0
                data["required_fte"][draw, at, 2] = 49.0
            return dataclasses.replace(results, scenario=scenario, data=data)

        return run_one

    def told(at: int, draw: int = 0, **changes: Any) -> tuple[str, ...]:
        sections = {**synthetic.system(), **changes}
        pair = synthetic.scenario(**sections), synthetic.scenario(**sections, name="Other")
        return compare(pair[0], [pair[1]], draws=20, run=running(at, draw)).warnings

    (warning,) = told(0)
    assert warning.startswith(
        "Other needs 40.0 FTE at the start for chemist / ward and 1 more, Small town <b>& 50.0: `opening_"
    )
    assert warning.endswith("Let it begin a month later, or give `need.fte`")
    assert len(told(0, draw=2)) == 1  # in a draw only
    assert told(1) == ()
    assert told(0, need={"fte": synthetic.cells(10.0)}) == ()


def run_system(scenario: Any, draws: Any, seed: int) -> Results:
    """Made-up results with need and money; the other delivers less and pays more."""
    results = synthetic.results(draws, 72, seed, **synthetic.system())
    data = results.data.copy(deep=True)
    if scenario.name == "Other":
        data["service_fte"][:] = data["service_fte"] * 0.5
        data["pay_bill"][:] = data["pay_bill"] * 1.1
        data["cover_cost"][:, :48] = 0.0
    else:
        data["required_fte"][:] = data["service_fte"]
    return dataclasses.replace(results, scenario=scenario, data=data)


def test_need_and_money_are_compared() -> None:
    base = synthetic.scenario(**synthetic.system())
    other = synthetic.scenario(**synthetic.system(), name="Other")
    found = compare(base, [other], draws=20, dates=["2030-10"], run=run_system)
    data = run_system(base, 20, 1).data

    def row(quantity: str, role: str = "all", environment: str = "all", over: str = "date") -> Any:
        return rows(found, quantity=quantity, role=role, environment=environment, over=over).iloc[0]

    given = data["service_fte"].sel(service="helper / ward").values[:, 60]
    delivered = row("delivered_fte", "helper", "ward")
    assert (delivered["base"], delivered["difference"]) == pytest.approx((given[0], -0.5 * given[0]))
    assert delivered["median"] == pytest.approx(np.median(-0.5 * given[1:]))
    assert row("pressure", "chemist")["base"] == pytest.approx(1.0)
    assert row("pressure", "chemist")["value"] == pytest.approx(2.2)
    assert row("shortfall_fte")["base"] == 0.0
    whole = data["service_fte"].values[0, 60].sum()
    assert row("shortfall_fte")["difference"] == pytest.approx((1.1 - 0.5) * whole)
    short = row("months_in_shortage", "all", "ward", "year")
    assert (short["base"], short["value"], short["unit"]) == (0.0, 12.0, "months")
    bill = data["pay_bill"].sel(post="helper_ward").values[0, 48:60].sum()
    pay = row("pay_bill", "helper", "ward", "year")
    assert (pay["base"], pay["difference"]) == pytest.approx((bill, 0.1 * bill))
    assert (pay["unit"], str(pay["year_from"])[:10]) == ("GBP per year", "2029-10-01")
    assert row("cover_cost", over="year")["difference"] == 0.0  # the other has none before that year only
    cover = data["cover_cost"].values[:, :48].sum(axis=(1, 2))
    saved = row("cover_cost", over="cumulated")
    assert (saved["difference"], saved["unit"], saved["p_better"]) == (pytest.approx(-cover[0]), "GBP", 1.0)
    years = data["service_fte"].values[0, :60].sum() / 12.0
    lost = row("delivered_fte", over="cumulated")
    assert (lost["difference"], lost["unit"]) == (pytest.approx(-0.5 * years), "FTE-years")


def test_quantities_that_one_run_lacks_are_not_compared() -> None:
    def either(scenario: Any, draws: Any, seed: int) -> Results:
        sections = synthetic.system() if scenario.need else {}
        return synthetic.results(draws, 72, seed, **sections)

    base = synthetic.scenario()
    found = compare(base, [synthetic.scenario(**synthetic.system(), name="Other")], 20, run=either)
    assert "pay_bill" in set(found.differences["quantity"])
    assert not {"delivered_fte", "pressure", "months_in_shortage"} & set(found.differences["quantity"])


def either_costs(run: str, cost: float) -> Any:
    """Made-up results with the cost of an intervention, and with pay where the name says so."""

    def made(scenario: Any, draws: Any, seed: int) -> Results:
        sections = synthetic.system() if "Paid" in scenario.name else {}
        results = synthetic.results(draws, 72, seed, **sections)
        data = results.data.drop_vars(money.COSTS if "Paid" not in scenario.name else [], errors="ignore")
        if run in scenario.name:
            values = np.full((data.sizes["draw"], data.sizes["time"], 1, data.sizes["post"]), cost)
            dims = ("draw", "time", "intervention", "post")
            data = data.assign_coords(intervention=["a"]).assign(programme_cost=(dims, values))
        return dataclasses.replace(results, scenario=scenario, data=data)

    return made


def test_without_pay_all_costs_are_those_of_interventions() -> None:
    base, other = synthetic.scenario(), synthetic.scenario(name="Other")
    found = compare(base, [other], 20, run=either_costs("Other", 100.0))
    n_posts = len(base.posts)
    items = found.tables["costs"].set_index("item")["central"]
    assert items["all"] == items["programme_cost"] == pytest.approx(100.0 * n_posts * 72)
    assert found.warnings == (
        "Other: all costs are those of its interventions; `pay` is not described and no part of them",
    )
    free = compare(base, [other], 20, run=either_costs("Other", 0.0))
    assert "all" not in set(free.tables["costs"]["item"])
    assert free.warnings == ()


def test_all_costs_are_not_compared_where_only_one_knows_pay() -> None:
    base, other = synthetic.scenario(name="Paid"), synthetic.scenario(name="Other")
    found = compare(base, [other], 20, run=either_costs("Other", 100.0))
    assert "total_cost" not in set(found.differences["quantity"])
    assert "programme_cost" in set(found.differences["quantity"])
    assert "Other: all costs together are not compared, for only Paid describes `pay`" in found.warnings


def test_a_scenario_may_follow_retention_that_its_base_does_not() -> None:
    levels = {"retention": {"levels": {"system": {"by": []}}}}
    item = {
        "name": "a", "title": "A", "level": "team", "category": "retain", "start": "2026-10",
        "effects": [{"name": "x", "quantity": "leaving", "times": {"value": 0.8}}],
        "outcome": {"measure": "headcount", "direction": "up"},
    }  # fmt: skip
    base = made(leaving={"away": {"rate": 0.2}})
    other = made(leaving={"away": {"rate": 0.2}}, **levels)
    other = other.model_copy(update={"interventions": (Intervention.model_validate(item),)})
    found = explained(compare(base, [other], 0))
    assert found.warnings == ()
    assert {"attribution", "grounds"} <= set(found.tables)
    assert "stability_index" not in set(found.tables["attribution"]["quantity"])
    assert time_to_explain(found) > 0.0


def test_a_title_that_two_levers_share_has_their_names_behind() -> None:
    item = {
        "name": "a", "title": "Shorter hours", "level": "team", "category": "retain", "start": "2026-10",
        "outcome": {"measure": "headcount", "direction": "up"},
    }  # fmt: skip
    levers = [Intervention.model_validate({**item, **more}) for more in ({}, {"name": "b"}, {"title": "C"})]
    twice = made().model_copy(update={"interventions": tuple(levers)})
    assert list(lever_table("X", twice)["title"]) == ["Shorter hours (a)", "Shorter hours (b)", "C"]


def test_other_months_are_refused() -> None:
    with pytest.raises(ScenarioError, match="must run from 2025-10 to 2031-10 like Small town"):
        compare(synthetic.scenario(), [synthetic.scenario(end="2032-10")], run=run)


def test_equal_names_are_told_apart() -> None:
    assert unique_names(["a", "b", "a"]) == ("a", "b", "a (2)")


@pytest.mark.parametrize("sections", [{}, synthetic.system()])
def test_a_run_is_measured_the_same_in_batches_of_draws(
    sections: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    results = synthetic.results(draws=20, **sections)
    dates = chosen_dates(results.data["time"].values)
    whole = outcomes(results, dates)
    monkeypatch.setattr(batches, "LARGEST", results.data.nbytes / 7)
    parts = outcomes(results, dates)
    assert len(list(batches.batches(results.data))) == 7
    for a, b in ((whole.measures, parts.measures), (whole.trajectories, parts.trajectories)):
        assert list(a) == list(b)
        for key, measure in a.items():
            assert list(measure.cells) == list(b[key].cells)
            for cell, numbers in measure.cells.items():
                assert np.array_equal(numbers, b[key].cells[cell], equal_nan=True), (key, cell)
    assert whole.flows.keys() == parts.flows.keys()
    assert all(np.array_equal(numbers, parts.flows[flow]) for flow, numbers in whole.flows.items())
    assert np.array_equal(whole.price_of_cover, parts.price_of_cover, equal_nan=True)
