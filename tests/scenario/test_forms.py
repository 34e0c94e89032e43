"""Short forms become canonical shapes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pharmsim.errors import ScenarioError
from pharmsim.scenario import from_dict

Data = dict[str, Any]


def rows(cells: Any, term: int = 0) -> list[tuple[Any, float]]:
    return [(dict(row.where), row.value) for row in cells.terms[term].rows]


def test_posts_get_identifiers_and_attributes(small: Data) -> None:
    small["grades"] = {5: "Band 5"}
    small["posts"].append({"role": "nurse", "environment": "ward", "grade": 5, "trust": "north"})
    small["posts"].append({"post": "chief", "role": "doctor", "environment": "clinic"})
    posts = from_dict(small).posts
    assert [post.post for post in posts] == [
        "nurse.ward",
        "nurse.clinic",
        "doctor.ward",
        "nurse.ward.5",
        "chief",
    ]
    assert [post.attributes.get("trust") for post in posts] == ["north", "north", "south", "north", None]


def test_cells_from_one_value(small: Data) -> None:
    scenario = from_dict(small)
    assert rows(scenario.leaving["died"].rate) == [({}, 0.01)]
    row = scenario.leaving["away"].rate.terms[0].rows[0]
    assert (row.low, row.high, row.uncertainty) == (0.08, 0.12, "leaving.away.rate")


def test_cells_from_rows_inherit_source_and_evidence(small: Data) -> None:
    small["pay"] = {
        "per_fte": {
            "rows": [{"value": 30000}, {"where": {"role": "doctor"}, "value": 60000, "source": "own"}],
            "source": "common",
            "evidence": "proxy",
        }
    }
    found = from_dict(small).pay
    assert found is not None
    assert [(row.source, row.evidence) for row in found.per_fte.terms[0].rows] == [
        ("common", "proxy"),
        ("own", "proxy"),
    ]


def test_product_of_factors(small: Data) -> None:
    small["leaving"]["died"]["rate"] = {
        "product": [
            "1 % per year",
            {"rows": [{"value": 1}, {"where": {"age": "60+"}, "value": 5}], "range": {"low": 0.5, "high": 2}},
        ],
        "evidence": "proxy",
    }
    rate = from_dict(small).leaving["died"].rate
    assert rows(rate, 1) == [({}, 1.0), ({"age": ("60+",)}, 5.0)]
    assert rate.terms[1].range is not None
    assert rate.terms[1].range.uncertainty == "leaving.died.rate.terms[1]"
    assert rate.terms[0].rows[0].evidence == "proxy"


def test_rows_with_ranges_are_uncertainties_of_their_own(small: Data) -> None:
    small["leaving"]["died"]["rate"] = [
        {"value": 0.01, "low": 0.005, "high": 0.02},
        {"where": {"role": "doctor"}, "value": 0.02, "low": 0.01, "high": 0.03, "uncertainty": "doctors"},
        {"where": {"group": "men"}, "value": 0.02, "low": 0.01, "high": 0.03},
    ]
    found = from_dict(small).leaving["died"].rate.terms[0].rows
    assert [row.uncertainty for row in found] == ["leaving.died.rate[0]", "doctors", "leaving.died.rate[2]"]


def test_counts_that_no_row_names_are_none(small: Data) -> None:
    small["leaving"]["away"]["into"] = "break"
    small["pools"] = {
        "break": {
            "return_rate": "50 %",
            "opening": [{"where": {"role": "nurse"}, "value": 3, "low": 2, "high": 4}],
        }
    }
    opening = from_dict(small).pools["break"].opening
    assert rows(opening) == [({}, 0.0), ({"role": ("nurse",)}, 3.0)]
    assert opening.terms[0].rows[1].uncertainty == "pools.break.opening[0]"


def test_series(small: Data) -> None:
    small["leaving"]["died"]["over_time"] = {
        "April 2027": "90 %",
        2026: 1,
        "Oct 2026": {"value": 1.1, "low": 1, "high": 1.2},
    }
    series = from_dict(small).leaving["died"].over_time
    assert series is not None
    assert {date: value.value for date, value in series.points.items()} == {
        "2026-01": 1,
        "2026-10": 1.1,
        "2027-04": 0.9,
    }
    assert list(series.points) == sorted(series.points)
    assert series.points["2026-10"].uncertainty == "leaving.died.over_time[2026-10]"


def school(small: Data, **changes: Any) -> Data:
    small["hiring"] = {"sources": [{"name": "new", "pipelines": "all"}]}
    small["pipelines"] = {
        "school": {
            "role": "nurse",
            "intake": {
                "per_year": {2020: 10, 2026: {"value": 12, "low": 10, "high": 14}},
                "months": {"Aug": 0.8, "February": 0.2},
            },
            "stages": [{"name": "training", "months": "2 years"}],
            "exam": {
                "sittings": ["Nov", "June"],
                "eligible_month": 20,
                "pass_rates": ["80 %", {"value": 0.6, "low": 0.5, "high": 0.7}],
                "by_sitting": {"Nov": ["70 %", "50 %"]},
            },
            "ages": [{"where": {"age": "22-25"}, "value": 1}],
            "destinations": [{"where": {"post": "nurse.ward"}, "value": 1}],
            "opening": "from_past_intakes",
            **changes,
        }
    }
    return small


def test_pipelines(small: Data) -> None:
    scenario = from_dict(school(small))
    pipeline = scenario.pipelines["school"]
    assert pipeline.kind == "external"
    assert pipeline.intake.months == {"August": 0.8, "February": 0.2}
    assert list(pipeline.intake.per_year.points) == ["2020", "2026"]
    assert pipeline.intake.per_year.points["2026"].uncertainty == "pipelines.school.intake.per_year[2026]"
    assert pipeline.stages[0].months == 24
    assert pipeline.exam is not None
    assert pipeline.exam.sittings == ("June", "November")
    assert pipeline.exam.pass_rates[1].uncertainty == "pipelines.school.exam.pass_rates[1]"
    assert list(pipeline.exam.by_sitting) == ["November"]
    assert pipeline.opening.rule == "from_past_intakes"
    assert rows(pipeline.destinations)[0] == ({}, 0.0)
    assert scenario.hiring is not None
    assert scenario.hiring.sources[0].pipelines == ("school",)


def test_months_in_equal_shares(small: Data) -> None:
    data = school(small)
    data["pipelines"]["school"]["intake"]["months"] = ["March", "Sept"]
    assert from_dict(data).pipelines["school"].intake.months == {"March": 0.5, "September": 0.5}  # type: ignore[union-attr]


def test_edges_by_selectors(small: Data) -> None:
    small["posts"].append({"role": "doctor", "environment": "clinic"})
    small["moves"] = {
        "edges": [
            {
                "from": {"environment": "ward"},
                "to": {"environment": "clinic"},
                "rate": {"value": 0.02, "low": 0.01, "high": 0.03},
            },
            {"from": "doctor.ward", "to": "doctor.clinic", "rate": "5 %"},
            {"from": {"post": "nurse.clinic"}, "to": "nurse.ward", "rate": "1 %"},
        ]
    }
    moves = from_dict(small).moves
    assert moves is not None
    assert [(edge.from_, edge.to, edge.rate.value) for edge in moves.edges] == [
        ("nurse.ward", "nurse.clinic", 0.02),
        ("doctor.ward", "doctor.clinic", 0.05),
        ("nurse.clinic", "nurse.ward", 0.01),
    ]
    assert moves.edges[0].rate.uncertainty == "moves.edges[0].rate"


def test_tables(small: Data, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rates.csv").write_text(
        "# a comment\nrole,trust,away,away_low,away_high,source,remark\n"
        "nurse,,9,8,10,a,x\n*,south,7 % per year,6,8,b,y\n",
        encoding="utf-8",
    )
    small["leaving"]["away"]["rate"] = {
        "table": "data/rates.csv",
        "value": "away",
        "unit": "% per year",
        "evidence": "published",
    }
    term = from_dict(small, tmp_path).leaving["away"].rate.terms[0]
    assert [(row.where, row.value, row.low, row.source, row.evidence) for row in term.rows] == [
        ({"role": ("nurse",)}, 0.09, 0.08, "a", "published"),
        ({"trust": ("south",)}, 0.07, 0.06, "b", "published"),
    ]
    assert {row.uncertainty for row in term.rows} == {"leaving.away.rate"}
    assert [row.origin.line for row in term.rows if row.origin is not None] == [3, 4]
    assert term.table == "data/rates.csv"


def test_tables_of_edges_share_their_range(small: Data, tmp_path: Path) -> None:
    (tmp_path / "moves.csv").write_text(
        "from,to,rate\nnurse.ward,nurse.clinic,0.02\nnurse.clinic,nurse.ward,0.04\n", encoding="utf-8"
    )
    (tmp_path / "posts.csv").write_text(
        "role,environment,trust\nnurse,ward,north\nnurse,clinic,north\ndoctor,ward,south\n", encoding="utf-8"
    )
    small["posts"] = {"table": "posts.csv"}
    small["moves"] = {
        "edges": {
            "table": "moves.csv",
            "value": "rate",
            "range": {"low": 0.5, "high": 2},
            "evidence": "proxy",
        }
    }
    scenario = from_dict(small, tmp_path)
    assert scenario.moves is not None
    found = [
        (edge.rate.low, edge.rate.high, edge.rate.uncertainty, edge.rate.evidence)
        for edge in scenario.moves.edges
    ]
    assert found == [(0.01, 0.04, "moves.edges", "proxy"), (0.02, 0.08, "moves.edges", "proxy")]
    assert scenario.posts[2].attributes == {"trust": "south"}


def test_internal_pipelines(small: Data) -> None:
    small["pipelines"] = {
        "up": {
            "kind": "internal",
            "role": "doctor",
            "intake": [{"where": {"role": "nurse"}, "value": 2}],
            "intake_months": "October",
            "months": "3 years",
            "ages": "20-45",
            "routes": [{"from": {"role": "nurse"}, "to": {"role": "doctor", "environment": "ward"}}],
            "opening": {"rule": "steady"},
        }
    }
    pipeline = from_dict(small).pipelines["up"]
    assert pipeline.kind == "internal"
    assert [(route.from_, route.to) for route in pipeline.routes] == [
        ("nurse.ward", "doctor.ward"),
        ("nurse.clinic", "doctor.ward"),
    ]


def test_an_unlimited_supply(small: Data) -> None:
    ages = [{"where": {"age": "20-59"}, "value": 1}]
    small["hiring"] = {"sources": [{"name": "elsewhere", "supply": "unlimited", "ages": ages}]}
    hiring = from_dict(small).hiring
    assert hiring is not None
    assert hiring.sources[0].supply == "unlimited"


def test_a_hazard_for_another_post_is_not_covered(small: Data) -> None:
    small["leaving"]["died"]["rate"] = [{"where": {"role": "nurse"}, "value": 0.01}]
    with pytest.raises(ScenarioError, match=r"no row gives a number for doctor\.ward"):
        from_dict(small)


def test_all_pipelines_as_a_word_or_a_list(small: Data) -> None:
    for written in ("all", ["all"]):
        data = {**small, "hiring": {"sources": [{"name": "new", "pipelines": written}]}}
        data["pipelines"] = {
            "school": {
                "role": "nurse",
                "intake": {"per_year": 10, "months": "August"},
                "stages": [{"name": "training", "months": 24}],
                "ages": [{"where": {"age": "22-25"}, "value": 1}],
                "destinations": [{"where": {"post": "nurse.ward"}, "value": 1}],
                "opening": "steady",
            }
        }
        hiring = from_dict(data).hiring
        assert hiring is not None
        assert hiring.sources[0].pipelines == ("school",)
