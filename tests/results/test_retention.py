"""Retention by level, block and group: numbers by hand, and joint posts through the engine."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import pharmsim
import synthetic
from made import made as scenario_of
from made import post
from pharmsim.results import retention
from pharmsim.results.axes import block_names
from pharmsim.results.labelled import Results, label
from pharmsim.results.tables import main_tables, retention_groupings

SPLIT = {"shop": 0.25, "ward": 0.75}
JOINT = [
    {**one, "split": SPLIT} if one["post"] == "chemist_ward" else one
    for one in synthetic.description()["posts"]
]


def with_tags(
    tagged: Any, kept: Any, inside: dict[str, tuple[float, float]], **changes: Any
) -> pharmsim.Results:
    """Results in which one level, `environment`, has these people tagged and kept (by post, and by block)."""
    level = changes.pop("level", {"by": ["environment"]})
    retention_section = {"month": "March", "levels": {"environment": level}}
    scenario = synthetic.scenario(**{"retention": retention_section, **changes})
    arrays = synthetic.arrays(scenario, 0, 24)
    arrays["tagged"][:], arrays["kept"][:] = tagged, kept
    names = [name for _, name in block_names(scenario)]
    for name, (before, after) in inside.items():
        arrays["tagged_in"][..., names.index(name)] = before
        arrays["kept_in"][..., names.index(name)] = after
    return label(scenario, arrays, 0, {"seed": 1})


# -- by hand --------------------------------------------------------------------------------------------


def test_a_joint_post_counts_by_its_share_of_time() -> None:
    """Of 100 chemists of wards 25 are tagged in shops; moves bring people from shops into the joint post."""
    inside = {"shop": (325.0, 280.0), "ward": (275.0, 220.0)}
    results = with_tags([[[[100, 100, 200, 200]]]], [[[[75, 105, 160, 160]]]], inside, posts=JOINT)
    data = results.data
    assert list(data["block"].values) == ["environment: shop", "environment: ward"]
    assert data["share_in"].values.tolist() == [[1, 0.25, 1, 0], [0, 0.75, 0, 1]]
    heads = data["headcount"].sum(["group", "contract"]).sel(time=["2026-04-01", "2027-04-01"])
    mean = heads.mean("time").values[0]
    for by in ("block", "environment"):
        found = retention.stability_index(data, "environment", by)
        assert list(found["cell"].values) == ["shop", "ward"]
        np.testing.assert_allclose(found.values[0, 0], [280 / 325, 220 / 275], rtol=1e-14)
        rate = retention.leaver_rate(data, "environment", by).values[0, 0]
        shop, ward = mean[0] + 0.25 * mean[1] + mean[2], 0.75 * mean[1] + mean[3]
        np.testing.assert_allclose(rate, [45 / shop, 55 / ward], rtol=1e-14)
    assert retention.stability_index(data, "environment").values[0, 0, 0] == pytest.approx(500 / 600)
    assert retention.leaver_rate(data, "environment").values[0, 0, 0] == pytest.approx(100 / mean.sum())


def test_groups_that_people_change_inside_a_block_are_left_out_with_the_reason() -> None:
    """More chemists of wards are kept than were tagged there: 105 of 100."""
    inside = {"shop": (325.0, 280.0), "ward": (275.0, 220.0)}
    results = with_tags([[[[100, 100, 200, 200]]]], [[[[75, 105, 160, 160]]]], inside, posts=JOINT)
    data = results.data
    assert retention.mixing(data, "environment", ["role", "environment"]) == [
        "chemist_shop > chemist_ward", "helper_shop > chemist_shop",
    ]  # fmt: skip
    assert retention.mixing(data, "environment", "role") == ["helper_shop > chemist_shop"]
    assert retention.mixing(data, "environment", "environment") == []
    shown, without = retention_groupings(data, "environment")
    assert [title for _, title in shown] == ["all", "block", "environment"]
    assert without == (
        "not by role, role × environment: people change group inside a block, as in helper_shop > "
        "chemist_shop"
    )
    frame = main_tables(results)["retention"]
    assert set(frame[frame["by"] == "all"]["note"]) == {without}
    assert set(frame[frame["by"] != "all"]["note"]) == {""}
    assert frame["central"].between(0.0, 1.0).all()
    with pytest.raises(ValueError, match=r"by: role and environment cannot be told at the level 'environ"):
        retention.leaver_rate(data, "environment", ["role", "environment"])


def test_groups_of_posts_where_nobody_changes_group() -> None:
    """Without role changes, roles are sums over posts; without any moves, joint posts by share."""
    inside = {"shop": (325.0, 280.0), "ward": (275.0, 220.0)}
    tagged, kept = [[[[100, 100, 200, 200]]]], [[[[75, 105, 160, 140]]]]
    changes = {"posts": JOINT, "pipelines": {}, "hiring": None}
    data = with_tags(tagged, kept, inside, **changes).data
    roles = retention.stability_index(data, "environment", "role")
    np.testing.assert_allclose(roles.values[0, 0], [180 / 200, 300 / 400], rtol=1e-14)
    assert "role × environment" not in dict(map(reversed, retention_groupings(data, "environment")[0]))
    kept = [[[[75, 80, 160, 140]]]]
    data = with_tags(tagged, kept, inside, **changes, moves=None).data
    found = retention.stability_index(data, "environment", ["role", "environment"])
    assert list(found["cell"].values) == [
        "chemist / shop",
        "chemist / ward",
        "helper / shop",
        "helper / ward",
    ]
    expected = [(75 + 20) / (100 + 25), 60 / 75, 160 / 200, 140 / 200]
    np.testing.assert_allclose(found.values[0, 0], expected, rtol=1e-14)
    rate = retention.leaver_rate(data, "environment", ["role", "environment"]).values[0, 0, 0]
    heads = data["headcount"].sum(["group", "contract"]).sel(time=["2026-04-01", "2027-04-01"])
    mean = heads.mean("time").values[0]
    assert rate == pytest.approx(30 / (mean[0] + 0.25 * mean[1]))


def test_a_level_of_some_environments_holds_only_the_time_spent_there() -> None:
    level = {"by": [], "where": {"environment": ["shop"]}}
    inside = {"all": (325.0, 260.0)}
    data = with_tags([[[[100, 25, 200, 0]]]], [[[[80, 20, 160, 0]]]], inside, posts=JOINT, level=level).data
    assert data["share_in"].values.tolist() == [[1, 0.25, 1, 0]]
    found = retention.stability_index(data, "environment", "environment")
    assert (list(found["cell"].values), found.values[0, 0, 0]) == (["shop"], 260 / 325)
    heads = data["headcount"].sum(["group", "contract"]).sel(time=["2026-04-01", "2027-04-01"])
    mean = heads.mean("time").values[0]
    for by in (None, "environment"):
        rate = retention.leaver_rate(data, "environment", by).values[0, 0, 0]
        assert rate == pytest.approx(65 / (mean[0] + 0.25 * mean[1] + mean[2]))


def test_groups_that_divide_the_blocks_are_read_off_them() -> None:
    """Blocks are role × environment: by role nobody stays who changes role, whatever the moves."""
    level = {"by": ["role", "environment"]}
    inside = {
        "chemist / shop": (100.0, 90.0), "chemist / ward": (100.0, 70.0),
        "helper / shop": (200.0, 150.0), "helper / ward": (200.0, 190.0),
    }  # fmt: skip
    data = with_tags(1.0, 1.0, inside, level=level).data
    for by, cells, expected in (
        ("role", ["chemist", "helper"], [0.8, 0.85]),
        ("environment", ["shop", "ward"], [0.8, 260 / 300]),
        (["environment", "role"], ["shop / chemist", "ward / chemist", "shop / helper", "ward / helper"],
         [0.9, 0.7, 0.75, 0.95]),
    ):  # fmt: skip
        found = retention.stability_index(data, "environment", by)
        assert list(found["cell"].values) == cells
        np.testing.assert_allclose(found.values[0, 0], expected, rtol=1e-14)


# -- through the engine -----------------------------------------------------------------------------------

OUT, TO_JOINT, FROM_JOINT = 0.1, 0.8, 0.3
HERE = {"hill": 0.4, "lake": 0.6}


@pytest.fixture(scope="module")
def moving() -> Results:
    """100 people each: p (hill) → j (hill and lake) → q (lake); a tenth leaves a year."""
    posts = [post("p"), post("j", split=HERE), post("q", environment="lake")]
    edges = [{"from": "p", "to": "j", "rate": TO_JOINT}, {"from": "j", "to": "q", "rate": FROM_JOINT}]
    levels = {"place": {"by": "environment"}, "system": {}, "hill": {"where": {"environment": "hill"}}}
    return pharmsim.run(
        scenario_of(
            25,
            posts=posts,
            leaving={"out": {"rate": OUT}},
            moves={"edges": edges},
            retention={"month": "March", "levels": levels},
        )
    )


def kept_of(people: list[float], onward: list[float]) -> float:
    """People of posts in a row still in one of them after twelve months; `onward`: hazards of moving on.

    The last of these hazards leads out of the row.
    """
    away = OUT + np.array(onward)
    month = np.diag(np.exp(-away / 12))
    for i, rate in enumerate(onward[:-1]):
        month[i, i + 1] = rate / away[i] * (1 - month[i, i])
    return float((people @ np.linalg.matrix_power(month, 12)).sum())


def test_joint_posts_keep_nobody_who_was_not_tagged(moving: Results) -> None:
    data = moving.data
    heads = data["headcount"].sum(["group", "contract"]).values[0]
    found = retention.stability_index(data, "place", "block")
    rates = retention.leaver_rate(data, "place", "block")
    assert list(found["cell"].values) == ["hill", "lake"]
    assert found.sizes["retention_year"] == 2
    for year in range(2):
        (p, j, q), after = heads[12 * year], heads[12 * year + 12]
        weight = np.array([[1, HERE["hill"], 0], [0, HERE["lake"], 1]])
        tagged = weight @ [p, j, q]
        kept = [
            kept_of([p, HERE["hill"] * j], [TO_JOINT, FROM_JOINT]),
            kept_of([HERE["lake"] * j, q], [FROM_JOINT, 0.0]),
        ]
        np.testing.assert_allclose(found.values[0, year], kept / tagged, rtol=1e-12)
        assert (found.values <= 1.0).all()
        mean = (tagged + weight @ after) / 2
        np.testing.assert_allclose(rates.values[0, year], (tagged - kept) / mean, rtol=1e-12)
        whole = retention.stability_index(data, "place").values[0, year, 0]
        assert whole == pytest.approx(sum(kept) / (p + j + q), rel=1e-12)
        only = retention.stability_index(data, "hill").values[0, year, 0]
        assert only == pytest.approx(kept[0] / tagged[0], rel=1e-12)
        system = retention.stability_index(data, "system").values[0, year, 0]
        inside = kept_of([p, j, q], [TO_JOINT, FROM_JOINT, 0.0])
        assert system == pytest.approx(inside / (p + j + q), rel=1e-12)
        assert whole < system < 1.0  # moves from hill to lake leave a place, not the system


def test_counting_joint_posts_in_full_would_keep_more_than_were_tagged(moving: Results) -> None:
    """What the joint post holds at the end, with those who moved in, exceeds what was tagged in it."""
    data = moving.data
    tagged, kept = (data[name].sel(level="place", post="j").values[0, 0] for name in ("tagged", "kept"))
    assert kept > tagged
    assert retention.mixing(data, "place", ["post"])
    assert retention_groupings(data, "place")[0] == [
        (None, "all"), ("block", "block"), ("role", "role"), ("environment", "environment"),
    ]  # fmt: skip


def test_every_rate_of_the_small_system_is_a_share() -> None:
    """A scenario with joint posts, moves, promotions and internal training; every level and grouping."""
    from pharmsim.scenario import shipped

    results = pharmsim.run(pharmsim.load(str(shipped("small_system.yaml"))))
    frame = main_tables(results)["retention"]
    kept = frame[frame["measure"] == "stability_index"]["central"]
    assert kept.between(0.0, 1.0).all()
    assert kept.min() < kept.max() < 1.0 - 1e-3
    assert frame["central"].min() >= 0.0
    assert {"block", "role", "environment"} <= set(frame["by"])
