"""Joint posts beside those of an intervention: like them in everything, empty, and unnoticed until funded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import pharmsim
from made import by_post, made, post
from pharmsim.results.labelled import Results
from pharmsim.scenario import joint_posts, loading, programme
from pharmsim.scenario.checks.names import _wheres
from pharmsim.scenario.expand import central, expand, is_aged, select_posts
from pharmsim.scenario.fields import numbers
from pharmsim.scenario.interventions import Intervention
from pharmsim.scenario.models import Scenario, Transfer
from pharmsim.scenario.problems import Problems
from pharmsim.scenario.reader import Folder
from pharmsim.scenario.services import services
from pharmsim.scenario.text import FormError
from pharmsim.scenario.values import Cells, Value

SCENARIOS = Path(__file__).parents[2] / "scenarios"
CASES = {
    "tiny.yaml": ({"post": ("pharmacist.hospital",)}, {"home": 0.6, "community": 0.4}),
    "small_system.yaml": (
        {"post": ("pharmacist.hospital", "pharmacist.practice")},
        {"home": 0.5, "community": 0.5},
    ),
    "sel/baseline.yaml": (
        {"role": ("pharmacist", "pharmacy_technician"), "environment": ("hospital", "mental_health")},
        {"home": 0.6, "primary_care": 0.4},
    ),
}


def lever(reach: Any, split: Any, name: str = "rotation", **more: Any) -> Intervention:
    """An intervention that does nothing but make joint posts."""
    rule = {
        "suffix": "joint", "split": split, "backfill_weeks": 4,
        "entry": {"value": 0.1, "low": 0.05, "high": 0.2}, "exit": 0.05, **more.pop("posts", {}),
    }  # fmt: skip
    outcome = {"measure": "headcount", "direction": "up"}
    shown = {"title": name, "level": "system", "category": "reform", "outcome": outcome}
    return Intervention(name=name, reach=reach, posts=rule, **{"start": "2027-10", **shown, **more})


def joined(scenario: Scenario, *levers: Intervention) -> Scenario:
    """The scenario with the joint posts of some interventions, and with the interventions."""
    data = loading.tree_of(scenario.model_copy(update={"interventions": levers}))
    for one in levers:
        joint_posts.add(data, scenario, one)
    problems = Problems(data, "test")
    out = loading.validate(data, problems, Folder(Path()))
    if out is not None:
        loading.check(out, problems)
    assert not problems, [str(problem) for problem in problems]
    assert out is not None
    return out


def pair(name: str) -> tuple[Scenario, Scenario]:
    """A scenario of the folder as it is, and with joint posts."""
    base = pharmsim.load(SCENARIOS / name)
    return base, joined(base, lever(*CASES[name]))


def beside(scenario: Scenario) -> dict[int, int]:
    """Joint posts and the posts they stand beside."""
    at = {item.post: p for p, item in enumerate(scenario.posts)}
    return {p: at[item.like] for p, item in enumerate(scenario.posts) if item.like}


def same_bits(base: Results, other: Results) -> None:
    """Every output of the base stands, to the bit, under the same labels in the other."""
    for name, x in base.data.data_vars.items():
        y = other.data[name]
        labels = [dim for dim in x.dims if dim in x.coords and dim != "draw"]
        y = y.sel({dim: x[dim].values for dim in labels})
        if name == "conservation_error":
            assert float(np.abs(y).max()) < 1e-9
        else:
            assert np.array_equal(x.values, y.values, equal_nan=True), name


@pytest.mark.parametrize("name", CASES)
def test_a_joint_post_is_like_its_post_and_stands_behind_all_others(name: str) -> None:
    base, both = pair(name)
    n = len(base.posts)
    assert both.posts[:n] == base.posts
    reached = select_posts(base, CASES[name][0])
    assert [item.like for item in both.posts[n:]] == [base.posts[p].post for p in reached]
    for new in both.posts[n:]:
        old = next(item for item in base.posts if item.post == new.like)
        own = {"post", "split", "backfill_weeks", "like", "made_by", "origin"}
        assert new.model_dump(exclude=own) == old.model_dump(exclude=own)
        assert (new.post, new.made_by, new.backfill_weeks) == (f"{old.post}_joint", "rotation", 4.0)
        assert new.split[old.environment] == CASES[name][1]["home"]
        assert sum(new.split.values()) == pytest.approx(1.0)
    assert services(both) == services(base)


@pytest.mark.parametrize("name", CASES)
def test_cells_are_those_of_the_post_beside_it_and_nothing_where_they_count_people(name: str) -> None:
    base, both = pair(name)
    n, found, empty = len(base.posts), beside(both), set()
    before = {number.path: number.node for number in numbers(base)}
    cells = [
        (x, x.node) for x in numbers(both) if isinstance(x.node, Cells) and "post" in x.of.by and x.of.by
    ]
    assert len(cells) > 10
    for number, node in cells:
        aged = any(map(is_aged, node.terms)) or number.of.over == "age"
        axes = [axis for axis in number.of.by if axis != "age" or aged]
        was = before[number.path]
        assert isinstance(was, Cells)
        for (values, _), (old, _) in zip(expand(node, both, axes), expand(was, base, axes), strict=True):
            assert np.array_equal(values[:n], old, equal_nan=True), str(number)
        if number.of.kind in ("heads", "heads_per_year", "fte") or number.of.over == "post":
            empty.add(str(number))
            assert not central(node, both, axes)[n:].any(), str(number)
            continue
        for values, rows in expand(node, both, axes):
            for new, old_post in found.items():
                assert np.array_equal(values[new], values[old_post], equal_nan=True), str(number)
                assert np.array_equal(rows[new], rows[old_post]), str(number)
    if name == "small_system.yaml":
        assert empty == {
            "stock.headcount", "hiring.sources[1].supply", "pipelines.foundation.destinations",
            "pipelines.technician_course.destinations", "pipelines.step_up.intake",
        }  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_selectors_that_mean_a_post_mean_its_joint_post_but_transfers_do_not(name: str) -> None:
    _, both = pair(name)
    for path, where in _wheres(both, ()):
        chosen = set(select_posts(both, where).tolist())  # type: ignore[arg-type]
        for new, old in beside(both).items():
            if "redistribution" in path:
                assert new not in chosen
            else:
                assert (new in chosen) == (old in chosen), path


@pytest.mark.parametrize("name", CASES)
def test_without_the_intervention_all_results_are_those_of_the_base(name: str) -> None:
    base, both = pair(name)
    off = programme.only(both, [])
    assert len(off.posts) > len(base.posts)
    same_bits(pharmsim.run(base, draws=2), pharmsim.run(off, draws=2))


def test_edges_to_and_from_and_on_to_where_people_of_the_post_move() -> None:
    base, both = pair("small_system.yaml")
    assert base.moves is not None
    assert both.moves is not None
    known = len(base.moves.edges)
    assert both.moves.edges[:known] == base.moves.edges
    ends = {(edge.from_, edge.to): edge.rate for edge in both.moves.edges}
    h, p = "pharmacist.hospital", "pharmacist.practice"
    new = {
        (h, f"{h}_joint"), (f"{h}_joint", h), (p, f"{p}_joint"), (f"{p}_joint", p),
        (f"{h}_joint", p), (f"{h}_joint", "joint_pharmacist"), (f"{p}_joint", "joint_pharmacist"),
    }  # fmt: skip
    assert set(ends) == {(edge.from_, edge.to) for edge in base.moves.edges} | new
    assert len(both.moves.edges) == known + len(new)
    assert ends[h, f"{h}_joint"].value == 0.1
    assert ends[h, f"{h}_joint"].uncertainty == ends[p, f"{p}_joint"].uncertainty
    assert ends[f"{h}_joint", h].value == 0.05
    assert ends[f"{h}_joint", p] == ends[h, p]


def test_promotions_and_overlaps_are_copied_and_moves_made_where_there_are_none() -> None:
    edge = {"from": "p", "to": "q", "rate": 0.1}
    posts = [post("p"), post("q"), post("r", environment="dale")]
    establishment = {"vacancy_rate": 0.1}
    rule = lever({"post": ("p",)}, {"home": 0.5, "dale": 0.5})
    climbing = joined(made(posts=posts, promotions={"edges": [edge]}, establishment=establishment), rule)
    assert climbing.promotions is not None
    assert [(x.from_, x.to) for x in climbing.promotions.edges] == [("p", "q"), ("p_joint", "q")]
    assert climbing.moves is not None
    assert [(x.from_, x.to) for x in climbing.moves.edges] == [("p", "p_joint"), ("p_joint", "p")]
    moves = {"edges": [edge], "skills_overlap": [{"from": "p", "to": "q", "share": 0.3}]}
    moving = joined(made(posts=posts, moves=moves, establishment=establishment), rule)
    assert moving.moves is not None
    assert [(x.from_, x.to, x.share.value) for x in moving.moves.skills_overlap] == [
        ("p", "q", 0.3), ("p_joint", "q", 0.3),
    ]  # fmt: skip


def test_two_interventions_make_posts_side_by_side() -> None:
    base = pharmsim.load(SCENARIOS / "tiny.yaml")
    reach, split = CASES["tiny.yaml"]
    two = [lever(reach, split, name, posts={"suffix": name}) for name in ("one", "two")]
    both = joined(base, *two)
    assert [item.like for item in both.posts[-2:]] == ["pharmacist.hospital"] * 2
    assert both.moves is not None
    new = {item.post for item in both.posts[-2:]}
    assert not any({edge.from_, edge.to} <= new for edge in both.moves.edges)
    wide = lever({"environment": ("hospital",), "role": ("pharmacist",)}, split, "three")
    assert joint_posts.add(loading.tree_of(both), both, wide) == ["pharmacist.hospital_joint"]


def test_shares_of_an_environment_named_twice_add_up() -> None:
    base = pharmsim.load(SCENARIOS / "small_system.yaml")
    rule = lever({"post": ("pharmacist.practice",)}, {"home": 0.3, "practice": 0.3, "hospital": 0.4})
    assert joined(base, rule).posts[-1].split == {"practice": 0.6, "hospital": 0.4}


def funded(scenario: Scenario, fte: float) -> Scenario:
    """The scenario with so much establishment moved to the joint post of `p` after a month."""
    assert scenario.establishment is not None
    ends = {"from_": {"post": ("p",)}, "to": {"post": ("p_joint",)}, "start": "2026-05", "end": "2026-05"}
    transfer = Transfer(**ends, fte=Value(value=fte))
    funds = scenario.establishment.model_copy(update={"redistribution": (transfer,)})
    return scenario.model_copy(update={"establishment": funds, "interventions": ()})


ALL = {"rows": [{"where": {"age": "20-40"}, "value": 1}]}


def two_places(**sections: Any) -> Scenario:
    """A post in each of two environments, with joint posts beside the first; 5 % of its posts are vacant."""
    posts = [post("p"), post("q", environment="dale")]
    base = made(posts=posts, heads=by_post(p=95, q=50), establishment={"vacancy_rate": 0.05}, **sections)
    return joined(base, lever({"post": ("p",)}, {"home": 0.5, "dale": 0.5}))


@pytest.mark.parametrize("how", ["factor", "over_time", "overlap", "attractiveness"])
def test_entry_and_exit_are_the_rates_that_are_stated(how: str) -> None:
    """What makes other moves rarer or more frequent is for the moves that were there before."""
    rare = {
        "factor": {"factor": 0.25},
        "over_time": {"over_time": 0.25},
        "overlap": {"skills_overlap": [{"from": "p", "to": "q", "share": 0.25}]},
    }
    moves = {"edges": [{"from": "p", "to": "q", "rate": 0.2}], **rare.get(how, {})}
    pull = {"attractiveness": {"reference": "opening", "openings": 1, "low": 0.1, "high": 10}}
    sections = {"moves": moves, "feedbacks": pull if how == "attractiveness" else {}}
    data = pharmsim.run(funded(two_places(**sections), 50.0)).data.isel(draw=0)
    flows, heads = data["moves"], data["headcount"].sum(["group", "contract"])
    into, on = (flows.isel(edge=flows["edge_to"].values == end).sum("edge") for end in ("p_joint", "q"))
    if how == "attractiveness":  # all of the joint posts are open at first: no reason to stay in them
        drawn = data["multiplier"].sel(feedback="attractiveness")
        assert (drawn.sel(post="p_joint") == 1.0).all()
        assert float(drawn.sel(post="p").min()) < 0.5
    assert float(into[0]) == 0.0
    for month in (1, 2, 3):
        ready = float(heads.sel(post="p")[month])
        assert float(into[month]) == pytest.approx(ready * -np.expm1(-0.1 / 12), rel=0.01)
    assert float(on[0]) == pytest.approx(95 * (0.2 if how == "attractiveness" else 0.05) / 12, rel=0.02)


def test_nobody_is_hired_into_a_joint_post_and_nobody_is_lost() -> None:
    hiring = {"sources": [{"name": "elsewhere", "supply": "unlimited", "ages": ALL}]}
    data = pharmsim.run(funded(two_places(hiring=hiring), 10.0)).data.isel(draw=0)
    assert float(data["joiners"].sel(post="p_joint").sum()) == 0.0
    assert float(data["joiners"].sel(post="p").sum()) > 4.0
    assert float(data["fte"].sel(post="p_joint")[-1]) > 5.0
    assert float(np.abs(data["conservation_error"]).max()) < 1e-9


WRONG: dict[str, tuple[Any, Any, str]] = {
    "all at home": (
        {"environment": ("community",)},
        {"home": 0.5, "community": 0.5},
        "posts.split: is all at home for pharmacist.community and 1 more",
    ),
    "no service": (
        {"role": ("technician",), "environment": ("hospital",)},
        {"home": 0.5, "practice": 0.5},
        "posts.split.practice: no post of role `technician` in environment `practice`: the time given there",
    ),
    "unknown environment": (
        {},
        {"home": 0.5, "practise": 0.5},
        "posts.split.practise: no such environment `practise`. Closest: practice",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said(case: str) -> None:
    reach, split, message = WRONG[case]
    said = refused(pharmsim.load(SCENARIOS / "small_system.yaml"), lever(reach, split))
    assert any(text.startswith(message) for text in said), said


def refused(scenario: Scenario, one: Intervention) -> list[str]:
    """What is said about joint posts that cannot be made."""
    data = loading.tree_of(scenario)
    with pytest.raises(FormError) as error:
        joint_posts.add(data, scenario, one)
    assert data == loading.tree_of(scenario)
    return [f"{'.'.join(map(str, path))}: {message}" for path, message in error.value.issues]


def test_posts_must_have_an_establishment_and_names_must_be_free() -> None:
    posts = [post("p"), post("q", environment="dale"), post("p_joint")]
    rule = lever({"post": ("p",)}, {"home": 0.5, "dale": 0.5})
    assert refused(made(posts=posts), rule) == [
        "posts.suffix: the post `p_joint` exists: take another suffix",
        "posts: needs the section `establishment`: joint posts are made from funded posts",
    ]
    funds = {"vacancy_rate": 0.1, "unconstrained": [{"role": "red"}]}
    found = refused(made(posts=posts[:2], establishment=funds), rule)
    assert found == ["reach: p: `unconstrained`, without funded posts that could become joint"]


def rotating(**rule: Any) -> tuple[Scenario, Results]:
    """A fifth of the posts become joint over half a year, from the tenth month on; and its run."""
    sections = {
        "need": {"opening_ratio": 1},
        "pay": {"per_fte": 50000},
        "working_time": {"absence": {"leave": 0.2}},
        "retention": {"levels": {"environment": {"by": "environment"}}},
    }
    posts = [post("p"), post("q", environment="dale")]
    funds = {"vacancy_rate": 0.05}
    base = made(months=60, posts=posts, heads=by_post(p=95, q=50), establishment=funds, **sections)
    posts = {"entry": 0.6, "exit": 0.05, **rule}
    one = lever(
        {"environment": ("hill",)}, {"home": 0.5, "dale": 0.5}, posts=posts, start="2027-02", ramp=6,
        uptake={"value": 0.2},
    )  # fmt: skip
    both = joined(base, one)
    return both, pharmsim.run(both)


def test_establishment_becomes_joint_as_the_strength_grows() -> None:
    for new in (False, True):
        _, run = rotating(new=new)
        funded = run.data["establishment_fte"].isel(draw=0)
        ramp = np.clip((np.arange(61) - 10) / 6, 0, 1)
        assert np.allclose(funded.sel(post="p_joint"), 20 * ramp)
        assert np.allclose(funded.sel(post="p"), 100 - 20 * ramp * (not new))
        assert np.allclose(funded.sum("post"), 100 + 50 / 0.95 + 20 * ramp * new)


def test_money_stays_with_the_employer_of_the_posts_that_become_joint() -> None:
    """Cheap and dear posts become joint together: each budget keeps what it had, or grows by what is new."""
    posts = [post("p"), post("q", environment="dale")]
    held = {place: {"where": {"environment": place}, "of_opening": 1} for place in ("hill", "dale")}
    base = made(
        posts=posts, heads=by_post(p=95, q=190), establishment={"vacancy_rate": 0.05}, budgets=held,
        pay={"per_fte": by_post(p=50000, q=30000)},
    )  # fmt: skip
    for new in (False, True):
        one = lever(
            {"post": ("p",)}, {"home": 0.5, "dale": 0.5}, "one", posts={"new": new}, uptake={"value": 0.2}
        )
        two = lever(
            {}, {"hill": 0.5, "dale": 0.5}, "two", uptake={"value": 0.2}, posts={"suffix": "two", "new": new}
        )
        money = pharmsim.run(joined(base, one, two)).data["budget_money"].isel(draw=0) * 12
        assert np.allclose(money[:18], [5e6, 6e6])
        assert np.allclose(money[18:], [5e6 * (1 + 0.4 * new), 6e6 * (1 + 0.2 * new)])


def test_people_enter_joint_posts_and_work_in_both_places_and_nobody_is_lost() -> None:
    _, run = rotating()
    data = run.data.isel(draw=0)
    heads = data["headcount"].sum(["group", "contract"])
    assert not heads.sel(post="p_joint")[:11].any()
    assert float(heads.sel(post="p_joint")[-1]) > 15.0
    assert np.allclose(heads.sum("post"), 145.0)
    assert float(np.abs(data["conservation_error"]).max()) < 1e-9
    shared = data["delivered_fte"].sel(post="p_joint") / 2
    for place, own in (("hill", "p"), ("dale", "q")):
        given = data["service_fte"].sel(service=f"red / {place}")
        assert np.allclose(given, data["delivered_fte"].sel(post=own) + shared)
    assert float(shared[-1]) > 5.0
    kept = data["kept_in"] / data["tagged_in"]
    assert np.isfinite(kept).all()
    assert float(kept.min()) > 0.8


def test_everybody_who_enters_costs_the_weeks_of_backfill_once() -> None:
    _, run = rotating(exit=0.0)
    data = run.data.isel(draw=0)
    entered = data["moves"].isel(edge=data["moves"]["edge_to"].values == "p_joint").sum()
    months = float(data["backfill_fte"].sum())
    assert months == pytest.approx(float(entered) * 4 * 12 / 52, rel=0.05)
    assert not data["backfill_fte"].sel(post=["p", "q"]).any()
