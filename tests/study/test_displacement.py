"""Winners and losers, costs and flows, against numbers worked out by hand."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import made
import pharmsim
import synthetic
from pharmsim.results.labelled import Results
from pharmsim.study.comparing import costs, displacement, flows, intervals
from pharmsim.study.comparing.comparison import Comparison, compare

DRAWS = 20
MOVED = {"chemist_ward": 4.0, "chemist_shop": -3.0, "helper_ward": 1.0}
"""FTE that the other scenario has more; in draw d, d/10 times that."""


def run(scenario: Any, draws: Any, seed: int) -> Results:
    """Made-up results of equal runs; the other has `MOVED`, and pays 1,000 a month more in one post."""
    results = synthetic.results(draws, 24, seed, **synthetic.system(), end="2027-10")
    data = results.data.copy(deep=True)
    if scenario.name == "Other":
        size = np.arange(data.sizes["draw"]) / 10.0
        size[0] = 1.0
        for post, fte in MOVED.items():
            data["fte"].loc[{"post": post}] += fte * size[:, None]
            service = post.replace("_", " / ")
            data["service_fte"].loc[{"service": service}] += fte * size[:, None] / 2.0
        data["pay_bill"].loc[{"post": "helper_ward"}] += 1000.0
    return dataclasses.replace(results, scenario=scenario, data=data)


@pytest.fixture(scope="module")
def compared() -> Comparison:
    sections = {**synthetic.system(), "end": "2027-10"}
    pair = (synthetic.scenario(**sections, name=name) for name in ("Base", "Other"))
    return compare(next(pair), [next(pair)], draws=DRAWS, run=run)


def only(compared: Comparison, table: str, **wanted: Any) -> Any:
    frame = compared.tables[table]
    for name, value in wanted.items():
        frame = frame[frame[name] == value]
    assert len(frame) == 1
    return frame.iloc[0]


def test_gains_and_losses_by_role(compared: Comparison) -> None:
    row = only(compared, "displacement", role="chemist", quantity="fte")
    assert row[["gained", "lost_elsewhere", "per_gained", "net"]].tolist() == pytest.approx([4, 3, 0.75, 1])
    assert (row["losers"], row["unit"]) == ("shop", "FTE")
    median = 1.05  # of 0.1, 0.2 … 2.0
    assert row[["gained_median", "lost_elsewhere_median", "net_median"]].tolist() == pytest.approx(
        [4 * median, 3 * median, median]
    )
    assert row[["per_gained_p5", "per_gained_p95"]].tolist() == pytest.approx([0.75, 0.75])
    helpers = only(compared, "displacement", role="helper", quantity="delivered_fte")
    assert helpers[["gained", "lost_elsewhere", "net"]].tolist() == pytest.approx([0.5, 0, 0.5])
    assert helpers["losers"] == ""


def test_gains_and_losses_of_all_roles_are_those_of_whole_environments(compared: Comparison) -> None:
    row = only(compared, "displacement", role="all", quantity="fte")
    assert row[["gained", "lost_elsewhere", "per_gained", "net"]].tolist() == pytest.approx([5, 3, 0.6, 2])
    whole = only(compared, "differences", quantity="fte", over="date", role="all", environment="all")
    assert row["net_p5"] == pytest.approx(whole["p5"])
    assert row["net"] == pytest.approx(whole["difference"])


def test_nothing_is_said_of_a_gain_that_is_none() -> None:
    found = displacement.balance(np.array([[0.01, -2.0], [0.04, -1.0], [1.0, -0.5]]))
    assert np.isnan(found["per_gained"])
    assert found["per_gained_median"] == pytest.approx(0.5)  # of the one draw with a gain
    cells = [("all", "a"), ("all", "b"), ("all", "c")]
    assert displacement.losers(np.array([[-1.0, -2.0, -0.04]]), cells) == "b; a"
    assert displacement.losers(np.array([[-9.0, 9.0, 0.0], [1.0, -2.0, -3.0]]), cells) == "c; b"


def test_costs_and_the_price_of_an_fte_year(compared: Comparison) -> None:
    assert only(compared, "costs", item="pay_bill")["central"] == pytest.approx(24_000.0)
    assert only(compared, "costs", item="all")["p95"] == pytest.approx(24_000.0)
    years = only(compared, "costs", item="delivered_fte_years")
    assert (years["central"], years["unit"]) == (pytest.approx(2.0), "FTE-years")  # 1 FTE more for 2 years
    row = only(compared, "costs", item="per_delivered_fte_year")
    assert (row["central"], row["unit"]) == (pytest.approx(12_000.0), "GBP per FTE-year")
    prices = [24_000.0 / (2.0 * d / 10.0) for d in range(1, DRAWS + 1)]
    assert row["median"] == pytest.approx(np.median(prices))
    assert (row["share_with_gain"], row["words"]) == (1.0, "")


def test_without_a_gain_there_is_no_price() -> None:
    gains = np.array([-1.0, *[1.0] * 5, *[-2.0] * 8, *[0.0] * 2])
    found = costs.per_year(np.full(16, 30.0), gains)
    assert np.isnan(found["central"])
    assert (found["median"], found["share_with_gain"]) == (30.0, pytest.approx(1 / 3))
    assert found["words"] == "no gain"
    few = costs.per_year(np.full(15, 30.0), np.delete(gains, 1))  # four draws say nothing of the rest
    assert np.isnan([few[name] for name in ("median", "p5", "p25", "p75", "p95")]).all()
    assert few["share_with_gain"] == pytest.approx(4 / 14)
    alone = costs.per_year(np.array([10.0]), np.array([2.0]))
    assert alone == {"central": 5.0, "words": ""}


def test_cells_add_up_to_all(compared: Comparison) -> None:
    frame = compared.differences
    sums = frame[frame["quantity"].isin(["headcount", "fte", "delivered_fte", "leavers", "total_cost"])]
    keys = ["quantity", "over", "date"]
    whole = sums[(sums["role"] == "all") & (sums["environment"] == "all")].set_index(keys)
    assert len(whole) == 9
    for mask in (
        (sums["role"] != "all") & (sums["environment"] != "all"),
        (sums["role"] != "all") & (sums["environment"] == "all"),
        (sums["role"] == "all") & (sums["environment"] != "all"),
    ):
        added = sums[mask].groupby(keys)[["base", "difference"]].sum().loc[whole.index]
        wanted = whole[["base", "difference"]].to_numpy()
        assert added.to_numpy() == pytest.approx(wanted, rel=1e-12, abs=1e-9)


def test_probability_of_being_better_follows_the_direction() -> None:
    moved = np.array([[9.0, 9.0, 0.0], [1.0, 0.0, 0.0], [2.0, -1.0, 0.0], [-1.0, 0.0, 0.0], [3.0, -2.0, 0.0]])
    assert intervals.p_better("delivered_fte", moved).tolist()[:2] == [0.75, 0.25]
    assert intervals.p_better("leavers", moved).tolist()[:2] == [0.25, 0.75]  # half of the ties
    assert np.isnan(intervals.p_better("fte", moved)[2])  # no draw differs
    assert np.isnan(intervals.p_better("required_fte", moved)).all()
    assert np.isnan(intervals.p_better("fte", moved[:1])).all()


def test_rounding_is_no_difference() -> None:
    old = np.array([1e6, 1.0, 0.0, 1.0])
    assert intervals.less(old + np.array([1e-6, 1e-12, 1e-12, 1e-6]), old).tolist()[:3] == [0.0, 0.0, 0.0]
    assert intervals.less(old + 1e-6, old)[3] == pytest.approx(1e-6)


def test_flows_lead_from_source_to_post_to_destination() -> None:
    results = synthetic.results(1, 24)
    data = results.data
    found = flows.cumulated_flows(data, results.scenario.posts)
    joined = data["joiners"].sel(source="outside", post="helper_ward").sum("period").values
    assert found[flows.Flow("outside", "helper/ward", "source", "post")] == pytest.approx(joined)
    back = data["returns"].sel(pool="break", post="helper_ward").sum("period").values
    assert found[flows.Flow("break", "helper/ward", "source", "post")] == pytest.approx(back)
    retired = data["retirements"].sel(post="chemist_shop").sum("period").values
    assert found[flows.Flow("chemist/shop", "retirement", "post", "destination")] == pytest.approx(retired)
    moved = data["moves"].sel(edge="chemist_shop > chemist_ward").sum("period").values
    assert found[flows.Flow("chemist/shop", "chemist/ward", "post", "post")] == pytest.approx(moved)
    left = [heads for flow, heads in found.items() if flow.from_ == "chemist/shop" and flow.to_kind != "post"]
    whole = data["leavers"].sel(post="chemist_shop").sum(["period", "destination"]).values + retired
    assert np.sum(left, axis=0) == pytest.approx(whole)


def test_flows_name_joint_posts() -> None:
    posts = [made.post("p"), made.post("j", split={"hill": 0.5, "dale": 0.5})]
    both = made.made(months=12, posts=posts, leaving={"away": {"rate": 0.1}})
    both = both.model_copy(
        update={"posts": (*both.posts, both.posts[1].model_copy(update={"post": "n", "made_by": "rotation"}))}
    )
    data = made.made(months=12, posts=[*posts, made.post("n", split={"hill": 0.5, "dale": 0.5})],
                     leaving={"away": {"rate": 0.1}})  # fmt: skip
    found = flows.cumulated_flows(pharmsim.run(data).data, both.posts)
    assert {(flow.from_, flow.from_kind) for flow in found if flow.to == "away"} == {
        ("red/hill", "post"), ("red/hill/j", "joint post"), ("red/hill/rotation", "joint post"),
    }  # fmt: skip
