"""Need, money, time, bounds and the triangulation, on made-up arrays recomputed by hand."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
import pytest
from rich.console import Console

import synthetic
from pharmsim.report import summary
from pharmsim.results import assumptions, board, bounds, files, measures, money, need, netcdf
from pharmsim.results.activity import activity_index, followed_in
from pharmsim.results.frames import statistics
from pharmsim.results.labelled import Results, label
from pharmsim.results.tables import main_tables

SPLIT = {"shop": 0.25, "ward": 0.75}


def posts(*joint: str) -> list[dict[str, Any]]:
    """Posts of the small scenario, some of them joint posts."""
    found = [dict(post) for post in synthetic.description()["posts"]]
    return [{**post, "split": SPLIT} if post["post"] in joint else post for post in found]


def made(draws: int = 0, n_months: int = 30, **changes: Any) -> Results:
    return synthetic.results(draws, n_months, **{**synthetic.system(), **changes})


def with_arrays(draws: int = 0, n_months: int = 24, changes: Any = None, **values: Any) -> Results:
    """Results in which some arrays hold the values given (by month, service … as broadcast)."""
    scenario = synthetic.scenario(**{**synthetic.system(), **(changes or {})})
    arrays = synthetic.arrays(scenario, draws, n_months)
    for name, value in values.items():
        arrays[name] = np.broadcast_to(np.asarray(value, dtype=float), arrays[name].shape).copy()
    return label(scenario, arrays, draws, {"seed": 1})


def pick(frame: pd.DataFrame, **wanted: Any) -> pd.DataFrame:
    for name, value in wanted.items():
        frame = frame[frame[name] == value]
    return frame


# -- axes and what is left out ------------------------------------------------------------------------------


def test_services_uses_feedbacks_and_budgets_have_names() -> None:
    data = made(posts=posts("chemist_ward")).data
    assert list(data["service"].values) == [
        "chemist / shop", "chemist / ward", "helper / shop", "helper / ward",
    ]  # fmt: skip
    assert list(data["service_environment"].values) == ["shop", "ward", "shop", "ward"]
    assert list(data["use"].values) == [
        "leave", "learning", "settling_in", "introduction", "care", "teaching", "meetings",
    ]  # fmt: skip
    assert list(data["use_kind"].values[[0, 4, 5, 6]]) == ["absence", "service", "supervising", "other"]
    assert list(data["budget"].values) == ["wards", "chemists"]
    assert data["in_budget"].values.tolist() == [[0, 1, 0, 1], [1, 1, 0, 0]]
    assert data["split"].sel(post="chemist_ward").values.tolist() == [0.25, 0.75, 0.0, 0.0]
    assert (data["pay_bill"].attrs["unit"], data["pay_bill"].attrs["units"]) == ("GBP per month", "month-1")
    assert data["pressure"].attrs["units"] == "1"


def test_outputs_without_their_sections_are_left_out() -> None:
    full = made().data
    assert {"time_fte", "required_fte", "multiplier", "budget_money", "unmet_supervision_fte"} <= set(full)
    plain = synthetic.results(pay=None).data
    assert not {"time_fte", "required_fte", "multiplier", "budget_money", "pay_bill"} & set(plain)
    assert "places" in plain
    idle = {name: {**node, "on": False} for name, node in synthetic.system()["feedbacks"].items()}
    for feedbacks in ({}, idle):
        without = made(feedbacks=feedbacks).data
        assert not {"multiplier", "move_multiplier", "place_multiplier", "feedback"} & set(without.variables)
        assert "places" in without


def test_all_of_it_comes_back_from_disk(tmp_path: Path) -> None:
    results = made(2, posts=posts("chemist_ward"))
    folder = files.write(results, tmp_path / "run", keep="all")
    assert netcdf.read(folder / "results.nc").identical(results.data)
    frame = pd.read_parquet(folder / "tidy.parquet")
    rows = pick(frame, quantity="required_fte", frequency="month", role="helper", environment="ward")
    np.testing.assert_array_equal(
        rows["value"].to_numpy(), results.data["required_fte"].sel(service="helper / ward").values[0]
    )
    bill = pick(frame, quantity="pay_bill", frequency="month", post="chemist_ward")
    assert set(bill["unit"]) == {"GBP per month"}
    assert "use=care" in set(frame[frame["quantity"] == "time_fte"]["category"])
    tagged = pick(frame, quantity="tagged_in", statistic="central", category="block=environment: ward")
    np.testing.assert_array_equal(
        tagged["value"].to_numpy(), results.data["tagged_in"].sel(block="environment: ward").values[0]
    )
    names = {path.stem for path in (folder / "tables").iterdir()}
    assert {"need", "time", "groups", "budgets", "triangulation"} <= names


def test_places_without_limit_are_infinite_and_not_in_the_table() -> None:
    results = with_arrays(3)
    data = results.data.copy(deep=True)
    data["places"][:, :, 0] = np.inf
    data["places"][:, :, 1] = [[40.0], [30.0], [35.0], [50.0]]
    frame = main_tables(Results(results.scenario, data, results.meta))["training"]
    rows = pick(frame, quantity="places")
    assert set(rows["stage"]) == {"practice"}
    assert (rows.iloc[0]["central"], rows.iloc[0]["p50"]) == (40.0, 35.0)
    mixed = statistics(np.array([[1.0], [2.0], [np.inf], [np.inf]]))
    assert (mixed["p5"][0], mixed["p95"][0]) == (2.0, np.inf)


# -- need and delivery --------------------------------------------------------------------------------------


def test_need_is_met_service_by_service() -> None:
    results = with_arrays(required_fte=[[[12.0, 10.0, 5.0, 4.0]]], service_fte=[[[10.0, 14.0, 5.0, 0.0]]])
    data = results.data
    assert need.shortfall(data, "environment").values[0, 0].tolist() == [2.0, 4.0]
    assert need.shortfall(data).values[0, 0].tolist() == [6.0]  # 4 too many chemists on wards do not help
    assert need.pressure(data, "environment").values[0, 0] == pytest.approx([17 / 15, 1.0])
    by_service = need.pressure(data, ["role", "environment"])
    assert by_service.values[0, 0].tolist() == [1.2, 10 / 14, 1.0, 10.0]  # something needed, nothing given
    nothing = with_arrays(required_fte=0.0, service_fte=0.0).data
    assert need.pressure(nothing).values[0, 0, 0] == 0.0
    with pytest.raises(ValueError, match=r"axis of services \(role, environment, place\); got 'grade'"):
        need.required(data, "grade")


def test_months_in_shortage_count_months_with_any_service_short() -> None:
    required = np.ones((25, 4)) * 10.0
    required[:3, 0] = 11.0  # three months of the first year, chemists in shops
    required[2:7, 2] = 10.5  # five months, one of them the same, helpers in shops
    required[14, 1] = 10.0 + 1e-12  # rounding is no shortage
    required[24, 1] = 20.0  # the end belongs to no year
    data = with_arrays(required_fte=required, service_fte=10.0).data
    assert need.months_in_shortage(data, "environment").values[0].tolist() == [[7.0, 0.0], [0.0, 0.0]]
    single = need.months_in_shortage(data, ["role", "environment"]).values[0, 0]
    assert single.tolist() == [3.0, 0.0, 5.0, 0.0]
    frame = main_tables(with_arrays(required_fte=required, service_fte=10.0))["need"]
    row = pick(frame, quantity="months_in_shortage", role="all", environment="shop")
    assert row["central"].tolist() == [7.0, 0.0]
    row = pick(frame, quantity="shortfall_fte", role="all", environment="shop")
    assert row["central"].iloc[0] == pytest.approx((3 * 1.0 + 5 * 0.5) / 12)


def test_a_joint_post_delivers_where_it_works() -> None:
    results = made(posts=posts("chemist_ward"))
    data = results.data
    care = data["time_fte"].sel(use="care").values[0, 0]
    staff = need.delivered_by_staff(data, "environment").values[0, 0]
    assert staff == pytest.approx([care[0] + 0.25 * care[1] + care[2], 0.75 * care[1] + care[3]])
    cover = 0.5 * data["cover_fte"].values[0, 0]
    found = need.delivered_by_cover(data, "environment").values[0, 0]
    assert found == pytest.approx([cover[0] + 0.25 * cover[1] + cover[2], 0.75 * cover[1] + cover[3]])
    time = need.time_use(data, ["role", "environment"]).sel(cell="chemist / shop").values[0, 0]
    every = data["time_fte"].values[0, 0]
    assert time == pytest.approx(every[0] + 0.25 * every[1])
    total = need.time_use(data).values[0, 0].sum()
    assert total == pytest.approx(data["fte"].values[0, 0].sum())
    assert need.time_use(data, "post").sel(cell="chemist_ward").values[0, 0] == pytest.approx(every[1])


def test_the_time_table_adds_up_to_fte() -> None:
    results = made(posts=posts("chemist_ward"))
    frame = main_tables(results)["time"]
    parts = pick(frame, quantity="fte", role="all").groupby(["year_from", "environment"])["central"].sum()
    year = results.data["fte"].values[0, :12].mean(axis=0)
    start = results.data["time"].values[0]
    assert parts[start, "all"] == pytest.approx(year.sum())
    assert parts[start, "shop"] == pytest.approx(year[0] + year[2] + 0.25 * year[1])
    shares = pick(frame, quantity="share", role="helper", environment="ward", year_from=start)
    assert shares["central"].sum() == pytest.approx(1.0)
    assert set(shares["kind"]) >= {"absence", "service", "supervising", "other"}


# -- money --------------------------------------------------------------------------------------------------


def test_budgets_are_set_against_the_spending_on_their_posts() -> None:
    values = {"pay_bill": [[[10.0, 20.0, 30.0, 40.0]]], "cover_cost": 1.0, "backfill_cost": [[[0, 2, 0, 0]]]}
    data = with_arrays(budget_money=[[[70.0, 30.0]]], **values).data
    assert money.spending(data, "environment").values[0, 0].tolist() == [42.0, 64.0]
    assert money.spending_of_budgets(data).values[0, 0].tolist() == [64.0, 34.0]
    assert money.over_budget(data).values[0, 0].tolist() == [-6.0, 4.0]
    assert money.budgets_of(data, "ward").tolist() == [0]
    assert money.budgets_of(data, "shop").tolist() == []
    assert money.budgets_of(data).tolist() == []  # chemists on wards are in both


def test_a_budget_inside_another_is_not_counted_twice() -> None:
    one = {"of_opening": {"points": {"2025-10": {"value": 1.0}}}}
    wards = {**one, "where": {"environment": ["ward"]}}
    helpers = {**one, "where": {"environment": ["ward"], "role": ["helper"]}}
    shops = {**one, "where": {"environment": ["shop"]}}

    def found(budgets: Any, environment: str | None = None) -> list[str]:
        names = list(budgets)
        return [names[i] for i in money.budgets_of(made(budgets=budgets).data, environment)]

    assert found({"helpers": helpers, "wards": wards, "all": one}) == ["all"]
    assert found({"helpers": helpers, "wards": wards, "all": one}, "ward") == ["wards"]
    assert found({"wards": wards, "shops": shops, "again": wards}) == ["wards", "shops"]
    assert found({"shops": shops}, "ward") == []


def test_every_budget_has_its_own_lines() -> None:
    frame = main_tables(
        with_arrays(budget_money=[[[70.0, 30.0]]], pay_bill=10.0, cover_cost=1.0, backfill_cost=0.0)
    )
    rows = pick(frame["budgets"], budget="wards", year_from=pd.Timestamp("2026-10-01"))
    assert rows["quantity"].tolist() == ["money", "spending", "over_budget"]
    assert rows["central"].tolist() == [840.0, 264.0, -576.0]


def test_pay_is_in_the_workforce_table_by_draw() -> None:
    results = made(5)
    frame = main_tables(results)["workforce"]
    row = pick(frame, quantity="pay_bill", role="helper", environment="ward").iloc[0]
    bill = results.data["pay_bill"].sel(post="helper_ward").values[:, 0]
    assert (row["central"], row["p50"]) == (pytest.approx(bill[0]), pytest.approx(np.median(bill[1:])))
    assert row["unit"] == "GBP per month"
    assert {"cover_cost", "backfill_cost"} <= set(frame["quantity"])


# -- triangulation ------------------------------------------------------------------------------------------


def test_triangulation_puts_three_parts_side_by_side() -> None:
    months = np.arange(31.0)[None, :, None]
    results = with_arrays(
        n_months=30,
        pay_bill=1000.0 + months,
        cover_cost=10.0,
        backfill_cost=1.0,
        budget_money=[[[3000.0, 2000.0]]],
        required_fte=20.0 + months,
        service_fte=20.0,
    )
    data = results.data
    frame = main_tables(results)["triangulation"]
    assert list(frame["part"].unique()) == ["workforce", "activity", "finance"]
    assert len(frame["year_from"].unique()) == 2  # the six months left over make no year
    assert set(frame["environment"]) == {"shop", "ward", "all"}

    def value(quantity: str, environment: str, year: int = 1) -> float:
        return float(pick(frame, quantity=quantity, environment=environment)["central"].iloc[year])

    second = sum(range(12, 24))
    assert value("pay_bill", "ward") == 2 * (12_000 + second)
    assert value("cover_cost", "all") == 4 * 120
    assert value("backfill_cost", "shop") == 24
    assert value("total_cost", "ward") == 2 * (12_000 + second) + 264
    assert value("budget", "ward") == 36_000
    assert value("over_budget", "ward") == 2 * (12_000 + second) + 264 - 36_000
    assert pick(frame, quantity="budget", environment="all").empty  # the two budgets overlap
    assert pick(frame, quantity="budget", environment="shop").empty
    assert value("required_fte", "shop") == 2 * (20 + second / 12)
    assert value("delivered_fte", "shop") == 40
    assert value("delivered_by_staff", "all") + value("delivered_by_cover", "all") == pytest.approx(80)
    assert value("shortfall_fte", "all") == 4 * second / 12
    assert value("months_in_shortage", "all", 0) == 11  # all but the first month
    assert value("pressure", "shop", 0) == pytest.approx((20 + 5.5) / 20)
    assert value("need_index", "shop", 0) == pytest.approx((20 + 5.5) / 20)
    ward = [1, 3]
    heads = data["headcount"].values[0].sum(axis=(2, 3))[:, ward].sum(axis=1)
    joined = data["joiners"].values[0, 12:24][:, ward].sum()
    left = data["leavers"].values[0, 12:24][:, ward].sum() + data["retirements"].values[0, 12:24, ward].sum()
    assert value("headcount", "ward") == pytest.approx(heads[24])
    assert value("joiners", "ward") == pytest.approx(joined)
    assert value("leavers", "ward") == pytest.approx(left)
    other = value("other_changes", "ward")
    assert heads[12] + joined - left + other == pytest.approx(heads[24])
    assert value("vacancy_rate", "ward") == pytest.approx(0.1 / 1.1)
    assert value("fte", "ward") == pytest.approx(data["fte"].values[0, 24, ward].sum())


def test_activity_is_shown_where_work_follows_it() -> None:
    results = made()
    index = activity_index(results).values[0, :, 0]
    assert (index[0], index[6], index[12]) == (1.0, pytest.approx(1.03, abs=1e-3), pytest.approx(1.06))
    assert (followed_in(results, "shop"), followed_in(results, "ward")) == (["items"], [])
    frame = pick(main_tables(results)["triangulation"], quantity="activity items")
    assert set(frame["environment"]) == {"shop", "all"}
    assert frame["central"].iloc[0] == pytest.approx(index[:12].mean())
    nothing = made(need={"opening_ratio": synthetic.cells(1.0)})
    assert activity_index(nothing).sizes["activity"] == 0


def test_activity_moves_with_the_draws() -> None:
    parts = synthetic.system()["need"]
    points = {"2025-10": {"value": 100.0}, "2027-10": {"value": 120.0, "low": 110.0, "high": 140.0}}
    items = {**parts["activity"]["items"], "index": {"points": points}}
    results = made(8, need={**parts, "activity": {"items": items}})
    index = activity_index(results).values[:, -1, 0]
    assert index[0] == pytest.approx(1.2)
    assert (index[1:] > 1.1).all()
    assert (index[1:] < 1.4).all()
    assert len(set(index)) == 9


def test_activity_of_some_draws_is_that_of_those_draws() -> None:
    span = {"points": {"2025-10": {"value": 100.0}, "2026-10": {"value": 110.0, "low": 100.0, "high": 130.0,
            "uncertainty": "growth"}}}  # fmt: skip
    items = {**synthetic.system()["need"]["activity"]["items"], "index": span}
    results = made(7, need={**synthetic.system()["need"], "activity": {"items": items}})
    every = activity_index(results).values
    assert len(np.unique(every[:, -1, 0])) == 8
    for rows in ([5, 6], [3], [0, 7]):
        some = Results(results.scenario, results.data.isel(draw=rows), results.meta)
        np.testing.assert_array_equal(activity_index(some).values, every[rows])


def test_money_of_years_with_the_year_step() -> None:
    scenario = synthetic.scenario(**synthetic.system(), step="year")
    arrays = synthetic.arrays(scenario, 0, 6)
    arrays["headcount_by_age"] = arrays["headcount_by_age"][:, :1].repeat(7, axis=1)
    arrays = {name: a for name, a in arrays.items() if "retention_year" not in synthetic.OUTPUTS[name].dims}
    arrays["pay_bill"][:] = 100.0
    arrays["required_fte"][:, 2] = 99.0
    arrays["service_fte"][:] = 90.0
    arrays["required_fte"][:, [0, 1, 3, 4, 5, 6]] = 80.0
    frame = main_tables(label(scenario, arrays, 0, {}))["triangulation"]
    assert pick(frame, quantity="pay_bill", environment="all")["central"].tolist() == [4 * 1200.0] * 6
    short = pick(frame, quantity="months_in_shortage", environment="all")["central"].tolist()
    assert short == [0.0, 0.0, 12.0, 0.0, 0.0, 0.0]


def test_a_board_can_read_the_sheet(tmp_path: Path) -> None:
    results = made(4)
    folder = files.write(results, tmp_path / "run")
    book = openpyxl.load_workbook(folder / "workbook.xlsx")
    assert book.sheetnames[:3] == ["Read me", "Triangulation", "Triangulation 5-95 %"]
    sheet = book["Triangulation"]
    heads = [item.value for item in sheet[1]]
    titles = [item.value for item in sheet[2]]
    assert [text for text in heads if text] == ["workforce", "activity", "finance"]
    assert titles[:4] == ["environment", "year from", "year to", "headcount at year's end"]
    assert titles[heads.index("activity")] == "Items, start = 1"
    at = titles.index("pay bill, £ million a year")
    rows = [[item.value for item in row] for row in sheet.iter_rows(min_row=3)]
    assert [row[0] for row in rows] == ["All"] * 2 + ["Shops"] * 2 + ["Wards"] * 2
    total = results.data["pay_bill"].values[0, :12].sum()
    assert rows[0][at] == pytest.approx(total / 1e6)
    assert sheet.freeze_panes == "D3"
    ranges = [item.value for item in book["Triangulation 5-95 %"][2]]
    low = ranges.index("pay bill, £ million a year, p5")
    assert ranges[low + 1] == "pay bill, £ million a year, p95"
    bill = results.data["pay_bill"].values[1:, :12].sum(axis=(1, 2))
    found = book["Triangulation 5-95 %"].cell(row=3, column=low + 1).value
    assert found == pytest.approx(np.quantile(bill, 0.05) / 1e6)


def test_names_that_clash_do_not_break_the_workbook(tmp_path: Path) -> None:
    sections = synthetic.system()
    activity = sections["need"]["activity"]
    sections["need"]["activity"] = {**activity, "again": activity["items"]}
    sections["working_time"]["absence"] = {"role": synthetic.cells(0.1)}
    twins = {"groups": {"f": "Staff", "m": "Staff"}}
    folder = files.write(synthetic.results(0, 24, **{**sections, **twins}), tmp_path / "run")
    book = openpyxl.load_workbook(folder / "workbook.xlsx")
    titles = [item.value for item in book["Triangulation"][2]]
    at = titles.index("Items, start = 1")
    assert titles[at + 1] == "Items, start = 1 (activity again)"
    assert "role (use)" in [item.value for item in book["Working time"][1]]
    assert [item.value for item in book["Groups"][1]][3:] == ["f", "m"]


def test_small_amounts_are_shown_in_thousands() -> None:
    results = with_arrays(pay_bill=100.0, cover_cost=0.0, backfill_cost=0.0)
    made_board = board.sheets(results, main_tables(results)["triangulation"])
    assert list(made_board) == ["triangulation"]
    found = made_board["triangulation"].frame.set_index("environment")
    assert found.loc["Wards", "pay bill, £ thousand a year"].tolist() == [2.4, 2.4]


# -- bounds -------------------------------------------------------------------------------------------------


def multipliers(draws: int = 0, n_months: int = 24) -> np.ndarray:
    return np.ones((draws + 1, n_months + 1, 6, 4))


def test_bounds_that_are_hit_are_told_with_month_and_post() -> None:
    values = multipliers(4)
    values[:, 3:7, 0, 1] = 1.5  # burnout at its upper bound in four months, in every draw
    values[2, 10, 0, 0] = 1.5  # in one draw only
    values[:, 5, 2, 3] = 2.0  # recruitment
    values[:, 24, 2, 0] = 0.5  # at the end of the run it acts on nothing
    results = with_arrays(4, multiplier=values)
    frame = main_tables(results)["bounds"]
    assert frame.to_dict("records") == [
        {
            "feedback": "burnout", "where": "chemist_shop", "bound": "high", "multiplier": 1.5,
            "first_month": pd.NaT, "months": 0, "share_of_draws": 0.25,
        },
        {
            "feedback": "burnout", "where": "chemist_ward", "bound": "high", "multiplier": 1.5,
            "first_month": pd.Timestamp("2026-01-01"), "months": 4, "share_of_draws": 1.0,
        },
        {
            "feedback": "recruitment", "where": "helper_ward", "bound": "high", "multiplier": 2.0,
            "first_month": pd.Timestamp("2026-03-01"), "months": 1, "share_of_draws": 1.0,
        },
    ]  # fmt: skip
    assert results.meta["warnings"][-2:] == [
        "burnout: at its upper bound 1.5 in post chemist_ward from January 2026, 4 months; and in 1 other "
        "(table bounds)",
        "recruitment: at its upper bound 2 in post helper_ward from March 2026, 1 month",
    ]


def test_a_bound_of_one_and_a_feedback_that_is_off_are_not_hit() -> None:
    assert not bounds.hits(made().scenario, made().data)  # the lower bound of burnout is 1, as are all
    values = multipliers()
    values[:, 3, 0, 1] = 1.5
    values[:, 3, 1, 1] = 1.5  # shorter hours: bounds of burnout
    off = synthetic.system()["feedbacks"]
    off = {"feedbacks": {**off, "burnout": {**off["burnout"], "on": False}}}
    assert "bounds" not in main_tables(with_arrays(changes=off, multiplier=values))
    found = bounds.hits(synthetic.scenario(**synthetic.system()), with_arrays(multiplier=values).data)
    assert [hit.feedback for hit in found] == ["burnout", "shorter_hours"]
    assert "share_of_draws" not in bounds.table(found)


def test_places_at_a_bound_name_the_stage() -> None:
    training = {"training": {"reference": "opening", "low": 0.8, "high": 1.2, "elasticity": {"value": 1.0}}}
    values = np.ones((1, 25, 2))
    values[:, 20:, 1] = 0.8
    results = with_arrays(changes={"feedbacks": training}, place_multiplier=values)
    told = "training: at its lower bound 0.8 in stage college: practice from June 2027, 4 months"
    assert told in results.meta["warnings"]


ATTRACTION = {"attractiveness": {"reference": "opening", "low": 0.5, "high": 2.0, "pay": {"value": 1.0}}}


def test_attractiveness_is_at_a_bound_move_by_move() -> None:
    """Of a post it has no bounds; promotions and role changes are not multiplied."""
    values, moved = multipliers(2), np.ones((3, 25, 3))
    values[:, 3:, 3, :] = 2.0
    moved[0, 7:9, 1] = 0.5
    moved[1, 12, 0] = 2.0
    moved[0, 3, 2] = 2.0  # a role change
    results = with_arrays(2, changes={"feedbacks": ATTRACTION}, multiplier=values, move_multiplier=moved)
    assert main_tables(results)["bounds"].to_dict("records") == [
        {
            "feedback": "attractiveness", "where": "helper_shop > helper_ward", "bound": "low",
            "multiplier": 0.5, "first_month": pd.Timestamp("2026-05-01"), "months": 2, "share_of_draws": 0.0,
        },
        {
            "feedback": "attractiveness", "where": "chemist_shop > chemist_ward", "bound": "high",
            "multiplier": 2.0, "first_month": pd.NaT, "months": 0, "share_of_draws": 0.5,
        },
    ]  # fmt: skip
    assert results.meta["warnings"][-2:] == [
        "attractiveness: at its lower bound 0.5 in move helper_shop > helper_ward from May 2026, 2 months",
        "attractiveness: at its upper bound 2 in move chemist_shop > chemist_ward in 50 % of draws, not at "
        "the central values",
    ]


TRAINING = {"reference": "opening", "low": 0.8, "high": 1.5, "elasticity": {"value": 1.0}}


def trained(changes: Any = None, **values: Any) -> list[str]:
    """Feedbacks that changed nothing: practice has 100 places, 40 trainees and 10 starts a month."""
    college = synthetic.description()["pipelines"]["college"]
    limit = {"places": {"value": 100.0}, "supervisors": {"role": ["chemist"]}}
    stages = [college["stages"][0], {**college["stages"][1], **limit}]
    pipelines = {**synthetic.description()["pipelines"], "college": {**college, "stages": stages}}
    sections = {"feedbacks": {"training": TRAINING}, "pipelines": pipelines, **(changes or {})}
    quiet = {"unplaced": 0.0, "waiting_for_place": 0.0, "trainees": 40.0, "intake": 10.0}
    results = with_arrays(2, changes=sections, **{**quiet, "places": 100.0, **values})
    return [text for text in results.meta["warnings"] if "changed nothing" in text]


def test_places_that_never_bind_are_a_warning() -> None:
    told = ["feedbacks.training: changed nothing in this run: everybody finds a place in college: practice"]
    assert trained() == told
    one = np.zeros((3, 24, 2))
    one[2, 5, 1] = 0.1  # unplaced in one draw
    assert trained(unplaced=one) == []
    one[:] = 0.0
    one[0, 5, 0] = 3.0  # in a stage that the feedback does not act on
    assert trained(unplaced=one) == told
    off = {"feedbacks": {"training": {**TRAINING, "on": False}}}
    assert trained(off) == []
    assert trained({"warnings_off": ["feedbacks.training"]}) == []


def test_places_that_would_bind_without_the_feedback_are_none() -> None:
    """120 places thanks to a multiplier of 1.2 are enough for 110; 100 would not be."""
    more = np.ones((3, 25, 2))
    more[:, 6:, 1] = 1.2
    places = 100.0 * more
    people = np.full((3, 25, 2), 90.0)
    assert len(trained(place_multiplier=more, places=places, trainees=people)) == 1
    people[1, 12, 1] = 110.0
    assert trained(place_multiplier=more, places=places, trainees=people) == []
    less = np.ones((3, 25, 2))
    less[:, 6:, 1] = 0.9
    assert len(trained(place_multiplier=less, places=100.0 * less)) == 1
    assert trained(place_multiplier=0.9) == []  # from the opening on: it may have acted before the start


@pytest.mark.parametrize(("places", "idle"), [("4,000", True), ("1", False)])
def test_a_feedback_said_to_change_nothing_changes_nothing(places: str, idle: bool) -> None:
    """Through the engine: every number of a run without it is the same, and only then."""
    import pharmsim
    from pharmsim.scenario import shipped

    written = pharmsim.to_dict(pharmsim.load(str(shipped("small_system.yaml"))))
    for pipeline in written["pipelines"].values():
        for stage in pipeline.get("stages", ()):
            if "places" in stage and "supervisors" in stage:
                stage["places"] = {"value": float(places.replace(",", ""))}
    runs = []
    for on in (True, False):
        written["feedbacks"]["training"]["on"] = on
        runs.append(pharmsim.run(pharmsim.from_dict(written), draws=2))
    told = [
        text for text in runs[0].meta["warnings"] if text.startswith("feedbacks.training: changed nothing")
    ]
    same = all(
        np.array_equal(*(run.data[name] for run in runs)) for name in ("headcount", "intake", "trainees")
    )
    assert (bool(told), same) == (idle, idle)


def test_a_source_that_nobody_is_hired_from_needs_no_feedback() -> None:
    offers = np.ones((1, 24, 4, 4))
    offers[..., 2] = 0.0  # abroad
    results = with_arrays(offers_made=offers)
    told = "feedbacks.recruitment: changed nothing in this run: nobody is hired from abroad"
    assert results.meta["warnings"][-1] == told
    shut = multipliers()
    shut[:, 3, 2, 1] = 0.0  # nobody could be hired, because of the feedback
    assert told not in with_arrays(offers_made=offers, multiplier=shut).meta["warnings"]
    offers[0, 7, 1, 2] = 0.1
    assert told not in with_arrays(offers_made=offers).meta["warnings"]


def test_bounds_are_told_in_the_terminal() -> None:
    values = multipliers()
    values[:, 3, 0, 1] = 1.5
    stream = io.StringIO()
    summary.show(with_arrays(multiplier=values), Console(file=stream, width=140))
    told = "warning: burnout: at its upper bound 1.5 in post chemist_ward from January 2026, 1 month"
    assert told in stream.getvalue()


def test_bounds_reach_the_folder(tmp_path: Path) -> None:
    values = multipliers()
    values[:, 3, 0, 1] = 1.5
    folder = files.write(with_arrays(multiplier=values), tmp_path / "run")
    told = "burnout: at its upper bound 1.5 in post chemist_ward from January 2026, 1 month"
    assert f"warning: {told}" in (folder / "run.log").read_text(encoding="utf-8")
    assert told in files.read(folder).meta["warnings"]
    assert (folder / "tables" / "bounds.csv").is_file()
    book = openpyxl.load_workbook(folder / "workbook.xlsx")
    assert book["Bounds"]["B2"].value == "chemist_ward"


# -- groups -------------------------------------------------------------------------------------------------


def test_shares_of_groups_by_environment_or_grade() -> None:
    results = made()
    heads = results.data["headcount"].values[0, 0].sum(axis=2)  # post, group
    frame = main_tables(results)["groups"]
    start = results.data["time"].values[0]
    row = pick(frame, date=start, quantity="share", role="helper", environment="ward", group="f")
    assert row["central"].item() == pytest.approx(heads[3, 0] / heads[3].sum())
    row = pick(frame, date=start, quantity="share", role="all", environment="all", group="m")
    assert row["central"].item() == pytest.approx(heads[:, 1].sum() / heads.sum())
    grades = {"junior": "Junior", "senior": "Senior"}
    graded = [{**post, "grade": "senior" if i % 2 else "junior"} for i, post in enumerate(posts())]
    frame = main_tables(made(posts=graded, grades=grades))["groups"]
    row = pick(frame, date=start, quantity="share", role="all", grade="senior", group="f")
    assert row["central"].item() == pytest.approx(heads[[1, 3], 0].sum() / heads[[1, 3]].sum())
    assert "environment" not in frame


# -- training -----------------------------------------------------------------------------------------------


def test_unplaced_people_of_posts_are_in_the_training_table() -> None:
    unplaced = np.zeros((1, 24, 4))
    unplaced[0, [2, 14, 15], 2] = [1.0, 2.0, 3.0]
    frame = main_tables(with_arrays(training_unplaced=unplaced, training_starts=0.0))
    rows = pick(frame["training"], quantity="training_unplaced")
    assert rows["post"].tolist() == ["helper_shop"] * 2
    assert rows["central"].tolist() == [1.0, 5.0]
    assert set(pick(frame["training"], quantity="places")["stage"]) == {"degree", "practice"}
    assert set(pick(frame["training"], quantity="unplaced")["post"]) == {"all"}
    rows = pick(frame["flows"], flow="training_unplaced", role="helper", environment="shop")
    assert rows["central"].tolist() == [1.0, 5.0]
    none = main_tables(with_arrays(training_unplaced=0.0, training_starts=0.0))
    assert "training_unplaced" not in set(none["training"]["quantity"]) | set(none["flows"]["flow"])


# -- assumptions --------------------------------------------------------------------------------------------


def test_the_list_of_assumptions_holds_the_numbers_of_the_system() -> None:
    joint = [{**post, "backfill_weeks": 4.0} if "split" in post else post for post in posts("chemist_ward")]
    transfer = {
        "to": {"role": ["chemist"]}, "from": {"role": ["helper"]}, "fte": {"value": 3.0},
        "start": "2026-04", "end": "2027-04",
    }  # fmt: skip
    changes = {"vacancy_rate": synthetic.cells(0.1), "redistribution": [transfer]}
    scenario = synthetic.scenario(**{**synthetic.system(), "posts": joint, "establishment": changes})
    frame = assumptions.as_frame(scenario).set_index("id")
    assert frame.index.is_unique
    for name, value, unit, kind in (
        ("working_time.absence.leave", 0.1, "share", "number"),
        ("working_time.job_plan.care.share", 0.7, "share", "number"),
        ("need.activity.items.index.2026-10", 212.0, "activity", "number"),
        ("need.activity.items.share[1]", 0.5, "share", "number"),
        ("budgets.chemists.per_year.2025-10", 3.6e6, "GBP per year", "number"),
        ("pay.per_fte[1]", 24000.0, "GBP per FTE and year", "number"),
        ("feedbacks.burnout.leaving", 0.5, "elasticity", "number"),
        ("feedbacks.burnout.delay", 6.0, "months", "number"),
        ("feedbacks.burnout.high", 1.5, "ratio", "setting"),
        ("feedbacks.recruitment.low", 0.5, "ratio", "setting"),
        ("feedbacks.recruitment.delay", 0.0, "months", "default"),
        ("posts[chemist_ward].split.ward", 0.75, "share", "setting"),
        ("posts[chemist_ward].backfill_weeks", 4.0, "weeks", "setting"),
        ("establishment.redistribution[0].fte", 3.0, "FTE", "number"),
    ):
        row = frame.loc[name]
        assert (row["value"], row["unit"], row["kind"]) == (value, unit, kind), name
    assert frame.loc["feedbacks.burnout.reference", "text"] == "opening"
    assert frame.loc["working_time.job_plan.teaching.supervising", "text"] == "yes"
    assert frame.loc["budgets.chemists.caps", "text"] == "no"
    assert not {"feedbacks.burnout.on", "budgets.wards.caps"} & set(frame.index)  # on, as by default
    assert frame.loc["establishment.redistribution[0].start", "text"] == "2026-04"
    assert not [name for name in frame.index if name.startswith("posts[helper_shop]")]


def test_measures_by_environment_of_stocks_use_the_home() -> None:
    results = made(posts=posts("chemist_ward"))
    found = measures.fte(results.data, "environment").values[0, 0]
    fte = results.data["fte"].values[0, 0]
    assert found == pytest.approx([fte[0] + fte[2], fte[1] + fte[3]])
