"""Measures on made-up results, recomputed by hand."""

from __future__ import annotations

import numpy as np
import pytest

import synthetic
from pharmsim.errors import RunError
from pharmsim.quantities import OUTPUTS
from pharmsim.results import measures, money, retention
from pharmsim.results.axes import block_names, edge_labels
from pharmsim.results.labelled import Results, label


@pytest.fixture(scope="module")
def results() -> Results:
    return synthetic.results(draws=3)


def test_every_output_is_labelled_with_units_and_dates(results: Results) -> None:
    data = results.data
    absent = {"working_time", "need", "supervision", "budgets", "feedbacks", "interventions"}
    stated = {name for name, o in OUTPUTS.items() if not o.sections or set(o.sections) - absent}
    assert set(data.data_vars) == stated
    assert {"places", "pay_bill", "backfill_cost"} <= stated
    assert data["headcount"].dims == ("draw", "time", "post", "group", "contract")
    assert {"unit", "description", "long_name"} <= set(data["fte"].attrs)
    assert str(data["time"].values[0])[:10] == "2025-10-01"
    assert str(data["time"].values[-1])[:10] == "2031-10-01"
    assert str(data["history"].values[-1])[:10] == "2025-09-01"
    assert [str(day)[:10] for day in data["retention_year"].values[:2]] == ["2026-04-01", "2027-04-01"]
    assert list(data["stage"].values) == ["college: degree", "college: practice"]
    assert list(data["edge_kind"].values) == ["move", "move", "role_change"]
    assert results.meta["n_draws"] == 3


def test_shapes_that_do_not_fit_are_faults_that_name_the_axis() -> None:
    made = synthetic.scenario()
    arrays = synthetic.arrays(made)
    with pytest.raises(RunError, match="`fte` must have the axes draw, time, post; got 2 axes"):
        label(made, {**arrays, "fte": arrays["fte"][0]}, 0, {})
    with pytest.raises(RunError, match="`switches` must have 1 along `switch`; got 2"):
        label(made, {**arrays, "switches": np.repeat(arrays["switches"], 2, axis=3)}, 0, {})
    with pytest.raises(RunError, match="unknown output `nonsense`"):
        label(made, {"nonsense": np.zeros((1, 2))}, 0, {})


def test_outputs_without_cells_are_left_out() -> None:
    made = synthetic.scenario(switches=[])
    data = label(made, synthetic.arrays(made), 0, {}).data
    assert "switches" not in data


def test_edges_between_the_same_posts_get_different_labels() -> None:
    edges = [("a", "b", "move"), ("a", "b", "promotion"), ("b", "a", "move"), ("a", "b", "move")]
    assert edge_labels(edges) == ["a > b (move)", "a > b (promotion)", "b > a", "a > b (move) 2"]


def test_blocks_of_a_level_leave_out_posts_outside_it() -> None:
    levels = {"chemists": {"by": ["environment"], "where": {"role": ["chemist"]}}, "system": {}}
    made = synthetic.scenario(retention={"month": "March", "levels": levels})
    assert block_names(made) == [("chemists", "shop"), ("chemists", "ward"), ("system", "all")]
    data = synthetic.results(retention={"month": "March", "levels": levels}).data
    assert list(data["block"].values) == ["chemists: shop", "chemists: ward", "system: all"]
    assert list(data["block_level"].values) == ["chemists", "chemists", "system"]
    assert list(data["block_environment"].values) == ["shop", "ward", ""]
    assert data["share_in"].values.tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [1, 1, 1, 1]]


def test_vacancy_rate_leaves_out_posts_without_establishment(results: Results) -> None:
    data = results.data.copy(deep=True)
    data["establishment_fte"][:, :, 0] = np.nan
    data["vacancy_fte"][:, :, 0] = np.nan
    rate = measures.vacancy_rate(data).values[0, 0, 0]
    funded = data["establishment_fte"].values[0, 0, 1:].sum()
    assert rate == pytest.approx((funded - data["fte"].values[0, 0, 1:].sum()) / funded)
    assert "chemist / shop" not in measures.vacancy_rate(data, ["role", "environment"])["cell"].values


def test_stability_and_leaver_rate_by_hand(results: Results) -> None:
    data = results.data
    heads = data["headcount"].sum(["group", "contract"]).sel(post=["chemist_ward", "helper_ward"])
    tagged = data["tagged"].sel(level="environment", post=["chemist_ward", "helper_ward"]).sum("post")
    kept = data["kept"].sel(level="environment", post=["chemist_ward", "helper_ward"]).sum("post")
    found = retention.stability_index(data, "environment", "block").sel(cell="ward")
    np.testing.assert_allclose(found.values, (kept / tagged).values, rtol=1e-14)
    rate = retention.leaver_rate(data, "environment", "block", date="2028-07-15").sel(cell="ward")
    start = heads.sel(time="2027-04-01").sum("post")
    end = heads.sel(time="2028-04-01").sum("post")
    expected = (tagged - kept).isel(retention_year=1) / ((start + end) / 2)
    np.testing.assert_allclose(rate.values, expected.values, rtol=1e-14)


def test_whoever_asks_for_a_date_is_told_the_year(results: Results) -> None:
    found = retention.stability_index(results.data, "system", date="2028-03-31")
    assert (str(found["year_from"].values)[:10], str(found["year_to"].values)[:10]) == (
        "2026-04-01",
        "2027-04-01",
    )
    found = measures.exit_rate(results.data, date="2028-03-31")
    assert (str(found["year_from"].values)[:10], str(found["year_to"].values)[:10]) == (
        "2027-03-01",
        "2028-03-01",
    )
    with pytest.raises(ValueError, match="no retention year ends on or before 2027-03-31; the first ends"):
        retention.stability_index(results.data, "system", date="2027-03-31")
    with pytest.raises(ValueError, match="no whole year of the run ends on or before"):
        measures.exit_rate(results.data, date="2026-09-30")
    with pytest.raises(ValueError, match="level: must be one of post, environment, system; got 'team'"):
        retention.stability_index(results.data, "team")


def test_exit_rate_counts_flows_over_the_mean_stock(results: Results) -> None:
    data = results.data
    leavers = data["leavers"].isel(period=slice(-12, None)).sum(["period", "destination", "post"])
    retired = data["retirements"].isel(period=slice(-12, None)).sum(["period", "post"])
    stock = data["headcount"].sum(["post", "group", "contract"]).values[:, -13:]
    mean = ((stock[:, 1:] + stock[:, :-1]) / 2).mean(axis=1)
    expected = (leavers + retired).values / mean
    np.testing.assert_allclose(measures.exit_rate(data).values[:, 0], expected, rtol=1e-13)
    one = measures.exit_rate(data, destinations=["died"], retirement=False)
    assert (one.values < expected[:, None]).all()


def test_shares_moves_and_pay(results: Results) -> None:
    data, made = results.data, results.scenario
    mix = measures.skill_mix(data)
    assert mix.sel(cell=["shop / chemist", "shop / helper"]).sum("cell").values == pytest.approx(1.0)
    assert measures.full_contract(made) == "full"
    part = measures.part_time_share(data, "full").values[0, 0, 0]
    heads = data["headcount"].values[0, 0]
    assert part == pytest.approx(heads[:, :, 1].sum() / heads.sum())
    assert measures.share_55plus(data).values == pytest.approx(0.25)
    matrix = measures.moves_matrix(data, "environment")
    last = data["moves"].isel(period=slice(-12, None)).sum("period").values
    assert matrix.sel({"from": "shop", "to": "ward"}).values == pytest.approx(last[:, :2].sum(axis=1))
    assert matrix.sel({"from": "shop", "to": "shop"}).values == pytest.approx(last[:, 2])
    bill = money.cost(data, "pay_bill", "role").values
    fte = data["fte"].values
    np.testing.assert_allclose(bill[:, :, 0], fte[:, :, :2].sum(axis=2) * 5000.0)
    total = bill.sum(axis=2) + (data["cover_cost"] + data["backfill_cost"]).sum("post").values
    np.testing.assert_allclose(money.spending(data).values[:, :, 0], total)


def test_groupings_that_mix_people_are_known(results: Results) -> None:
    assert retention.mixing(results.data, "post", ["role", "environment"]) == []
    assert retention.mixing(results.data, "environment", "environment") == []
    assert retention.mixing(results.data, "environment", "role") == ["helper_shop > chemist_shop"]
    assert len(retention.mixing(results.data, "system", "environment")) == 2


def test_unknown_groupings_name_the_known_ones(results: Results) -> None:
    with pytest.raises(ValueError, match=r"axis of posts \(post, role, environment, grade, place\)"):
        measures.headcount(results.data, "team")
