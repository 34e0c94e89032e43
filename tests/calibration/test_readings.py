"""Predictions for targets against the labelled results of the same runs."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from pharmsim.calibration.readings import MEASURES, ReadingError, Shape, is_flow, reading, unit_of
from pharmsim.calibration.targets import Target
from pharmsim.compiled.draws import sample
from pharmsim.scenario import load, shipped
from pharmsim.study.blocks import run_block
from pharmsim.study.runs import run

SCENARIO = load(shipped("tiny.yaml"))
TABLE = sample(SCENARIO, 3)
RECORD = run_block(SCENARIO, TABLE, tags=False).record
DATA = run(SCENARIO, TABLE, tags=False, warn=False).data
HOSPITAL = {"environment": ("hospital",)}
SHOP_TECHNICIAN = {"role": ("technician",), "environment": ("community",)}
STOCK = ("2028-03-31", "")
FLOW = ("2027-04-01", "2028-03-31")


def target(date: str, to: str = "") -> Target:
    last = dt.date.fromisoformat(to) if to else None
    first = dt.date.fromisoformat(date)
    return Target("s", "m", "", "", "", "g", first, last, 1.0, "heads", 0.01, "d", "seen", "x", "")


def read(measure: str, where: dict[str, tuple[str, ...]], *dates: tuple[str, str]) -> np.ndarray:
    return reading(Shape.of(SCENARIO), measure, where, [target(*each) for each in dates])(RECORD)


def posts(array: Any, environment: str = "hospital") -> Any:
    return array.isel(post=DATA["post_environment"].values == environment).sum("post")


def year(array: Any) -> Any:
    return array.sel(period=slice("2027-04-01", "2028-03-01")).sum("period")


def test_a_month_end_is_the_stock_of_the_next_month() -> None:
    heads = posts(DATA["headcount"].sum(("group", "contract")))
    wanted = heads.sel(time=["2028-04-01", "2028-03-01"]).values
    assert read("headcount", HOSPITAL, ("2028-03-31", ""), ("2028-03-01", "")) == pytest.approx(wanted)


def test_groups_and_contracts_can_be_chosen() -> None:
    found = read("headcount", {"role": ("technician",), "group": ("female",)}, STOCK)
    heads = (
        DATA["headcount"].sel(time="2028-04-01", post="technician.hospital", group="female").sum("contract")
    )
    assert found[:, 0] == pytest.approx(heads.values)


def test_flows_add_up_over_their_months() -> None:
    joined = year(DATA["joiners"].sel(post="technician.hospital").sum("source"))
    assert read("joiners", {"role": ("technician",)}, FLOW)[:, 0] == pytest.approx(joined.values)
    (source, *_) = DATA["source"].values
    one = year(DATA["joiners"].sel(post="technician.hospital", source=source))
    assert read("joiners", {"role": ("technician",), "source": (source,)}, FLOW)[:, 0] == pytest.approx(
        one.values
    )


def test_exits_are_leaving_retirement_and_moves_across_the_edge() -> None:
    left = year(posts(DATA["leavers"].sum("destination")) + posts(DATA["retirements"]))
    moved = year(DATA["moves"].sel(edge="pharmacist.hospital > pharmacist.community"))
    assert moved.values.min() > 0.0
    assert read("exits", HOSPITAL, FLOW)[:, 0] == pytest.approx((left + moved).values)
    everybody = year((DATA["leavers"].sum("destination") + DATA["retirements"]).sum("post"))
    assert read("exits", {}, FLOW)[:, 0] == pytest.approx(everybody.values)  # moves inside do not count


def test_entries_balance_exits() -> None:
    heads = read("headcount", HOSPITAL, ("2027-03-31", ""), ("2028-03-31", ""))
    growth = read("entries", HOSPITAL, FLOW) - read("exits", HOSPITAL, FLOW)
    role_changes = year(DATA["moves"].isel(edge=DATA["edge_kind"].values == "role_change").sum("edge")).values
    inside = growth[:, 0] - (heads[:, 1] - heads[:, 0])
    assert np.abs(inside) == pytest.approx(np.zeros(len(inside)), abs=float(role_changes.max()) + 1e-9)


def test_rates_as_they_are_published() -> None:
    heads = read("headcount", HOSPITAL, ("2027-03-31", ""), STOCK)
    rate = read("leaver_rate", HOSPITAL, FLOW)
    assert rate[:, 0] == pytest.approx(read("exits", HOSPITAL, FLOW)[:, 0] / heads.mean(axis=1))
    funded, vacant = (
        posts(DATA[name]).sel(time="2028-04-01").values for name in ("establishment_fte", "vacancy_fte")
    )
    assert read("vacancy_rate", HOSPITAL, STOCK)[:, 0] == pytest.approx(vacant / funded)
    assert read("fte_per_head", HOSPITAL, STOCK)[:, 0] == pytest.approx(
        posts(DATA["fte"]).sel(time="2028-04-01").values / heads[:, 1]
    )


def test_pipelines_and_their_attempts() -> None:
    (pipeline, *_) = DATA["pipeline"].values
    sat = year(DATA["sat"].sel(pipeline=pipeline))
    passed = year(DATA["passed"].sel(pipeline=pipeline))
    assert float(sat.sum()) > 0.0
    assert read("sat", {"pipeline": (pipeline,), "attempt": ("1",)}, FLOW)[:, 0] == pytest.approx(
        sat.sel(attempt=1).values
    )
    assert read("pass_rate", {"pipeline": (pipeline,)}, FLOW)[:, 0] == pytest.approx(
        passed.sum("attempt").values / sat.sum("attempt").values
    )


@pytest.mark.parametrize(
    ("measure", "where", "date", "key", "text"),
    [
        ("headcount", {"environment": ("hospitl",)}, STOCK, "where", "no environment of headcount is named"),
        ("headcount", {"pipeline": ("x",)}, STOCK, "where", "`pipeline` is not an axis of headcount"),
        ("headcount", SHOP_TECHNICIAN, STOCK, "where", "selects nothing"),
        ("headcount", {}, ("2026-03-01", ""), "targets", "must lie inside the period of the scenario"),
        ("headcount", {}, ("2036-04-30", ""), "targets", "must lie inside the period of the scenario"),
        ("joiners", {}, ("2027-04-02", "2028-03-31"), "targets", "must be whole months"),
        ("joiners", {}, ("2027-04-01", "2028-03-30"), "targets", "must be whole months"),
    ],
)  # fmt: skip
def test_what_cannot_be_predicted_is_told(
    measure: str, where: dict[str, tuple[str, ...]], date: tuple[str, str], key: str, text: str
) -> None:
    with pytest.raises(ReadingError, match=text) as caught:
        read(measure, where, date)
    assert caught.value.key == key


def test_every_measure_has_a_unit_that_targets_can_have() -> None:
    assert {unit_of(name) for name in ("headcount", "exits", "sat")} == {"heads"}
    assert unit_of("leaver_rate") == "share"
    assert unit_of("fte") == "FTE"
    assert [name for name in ("exits", "leaver_rate", "sat", "fte") if is_flow(name)] == [
        "exits",
        "leaver_rate",
        "sat",
    ]
    assert {"exits", "vacancy_rate", "headcount", "registered"} <= set(MEASURES)
