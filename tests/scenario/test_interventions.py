"""From a file of the library and a `use` to the interventions of a scenario."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from pharmsim.errors import ScenarioError
from pharmsim.quantities import ADJUSTABLE
from pharmsim.results.assumptions import assumptions
from pharmsim.scenario import Scenario, check_warnings, from_dict, library, load, sources, to_dict
from pharmsim.scenario.levers import having, reach_of

BAD = Path(__file__).parents[1] / "bad"
EVERYTHING = Path(__file__).parent / "everything.yaml"
HOURS = """\
title: Hours that suit
level: team
category: retain
reach: {role: nurse}
uptake: {value: 30 %, low: 20 %, high: 40 %, source: made up, evidence: assumption}
ramp: 1 year
effects:
  - quantity: leaving
    times: {value: 0.9, low: 0.8, high: 1}
    claimed: true
    source: nobody measured it
    evidence: assumption
  - {name: hours, quantity: establishment, plus: -2, evidence: derived, source: made up}
job_plan:
  - {from: teaching, to: clinical, share: {value: 5 %, low: 0, high: 8 %}, evidence: proxy, source: made up}
costs:
  set_up: {value: "£20,000", evidence: derived, source: made up}
  per_head: {value: £10 per month, low: £50 per year, high: £200 per year, source: us, evidence: assumption}
outcome: {measure: leaver_rate, direction: down}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a base and a library of one intervention."""
    (tmp_path / "interventions").mkdir()
    (tmp_path / "interventions" / "hours.yaml").write_text(HOURS, encoding="utf-8")
    shutil.copy(BAD / "data" / "whole.yaml", tmp_path / "base.yaml")
    return tmp_path


def use(folder: Path, *changes: str, name: str = "plan.yaml") -> Scenario:
    """The scenario of a base and changes."""
    file = folder / name
    lines = [f"  - {change}\n" for change in changes]
    file.write_text(f"base: base.yaml\nname: Plan\nchanges:\n{''.join(lines)}", encoding="utf-8")
    return load(file)


def refused(folder: Path, *changes: str) -> list[str]:
    """What is said of changes that are refused."""
    with pytest.raises(ScenarioError) as caught:
        use(folder, *changes)
    return str(caught.value).splitlines()[1:]


def test_a_use_takes_all_of_the_file(folder: Path) -> None:
    scenario = use(folder, "{use: hours, start: April 2027}")
    (lever,) = scenario.interventions
    assert (lever.name, lever.title, lever.level, lever.category) == (
        "hours", "Hours that suit", "team", "retain",
    )  # fmt: skip
    assert (lever.start, lever.ramp, lever.end, lever.half_life) == ("2027-04", 12.0, None, None)
    assert lever.reach == {"role": ("nurse",)}
    assert lever.uptake.value == 0.3
    assert [effect.name for effect in lever.effects] == ["leaving", "hours"]
    leaving, hours = lever.effects
    assert leaving.claimed
    assert leaving.times is not None
    assert hours.plus is not None
    assert (leaving.times.value, leaving.times.evidence, leaving.times.source) == (
        0.9, "assumption", "nobody measured it",
    )  # fmt: skip
    assert hours.plus.value == -2.0
    assert lever.job_plan[0].name == "job_plan"
    assert lever.job_plan[0].share.evidence == "proxy"
    assert (lever.costs.set_up.value, lever.costs.per_year.value) == (20000.0, 0.0)
    assert (lever.costs.per_head.value, lever.costs.per_head.low) == (120.0, 50.0)


def test_ranges_have_names_and_numbers_know_their_lines(folder: Path) -> None:
    scenario = use(
        folder, "{use: hours, start: April 2027, effects: {job_plan: {value: 4 %, low: 3 %, high: 5 %}}}"
    )
    (lever,) = scenario.interventions
    times = lever.effects[0].times
    assert times is not None
    assert times.origin is not None
    assert times.uncertainty == "interventions[hours].effects[leaving].times"
    assert (Path(times.origin.file).name, times.origin.line) == ("hours.yaml", 9)
    share = lever.job_plan[0].share
    assert share.origin is not None
    assert (Path(share.origin.file).name, share.origin.line) == ("plan.yaml", 4)
    assert share.uncertainty == "interventions[hours].job_plan[job_plan].share"
    found = {item.id: item for item in assumptions(scenario)}
    plus = found["interventions[hours].effects[hours].plus"]
    assert (plus.unit, plus.evidence, Path(plus.file).name, plus.line) == ("FTE", "derived", "hours.yaml", 13)
    start, ramp = found["interventions[hours].start"], found["interventions[hours].ramp"]
    assert [(Path(item.file).name, item.line) for item in (start, ramp)] == [
        ("plan.yaml", 4),
        ("hours.yaml", 6),
    ]
    assert {Path(name).name for name in sources(scenario)} == {"plan.yaml", "base.yaml", "hours.yaml"}


def test_what_a_scenario_says_stands_instead(plain: Path) -> None:
    scenario = use(
        plain,
        "{use: hours, name: mine, where: {environment: ward}, groups: women, ages: 25-50, uptake: 50 %, "
        "start: April 2027, end: April 2028, ramp: 6, half_life: 2 months, note: asked for by the trusts, "
        "effects: {leaving: 0.7, hours: {value: -2 % per year, evidence: published}}, costs: {per_head: 60}}",
    )
    (lever,) = scenario.interventions
    assert (lever.name, lever.groups, lever.ages) == ("mine", ("women",), "25-50")
    assert lever.reach == {"environment": ("ward",), "role": ("nurse",)}
    assert (lever.uptake.value, lever.uptake.low, lever.uptake.note) == (0.5, None, "asked for by the trusts")
    assert (lever.end, lever.ramp, lever.half_life) == ("2028-04", 6.0, 2.0)
    times, plus = lever.effects[0].times, lever.effects[1].plus
    assert times is not None
    assert plus is not None
    assert (times.value, times.low, times.evidence) == (0.7, None, "assumption")
    assert (plus.value, plus.evidence) == (-0.02, "published")
    assert lever.effects[0].claimed
    assert (lever.costs.per_head.value, lever.costs.set_up.value) == (60.0, 20000.0)


def test_numbers_of_time_and_supervision_can_be_replaced(tmp_path: Path) -> None:
    """By a number alone, by the name of the part; it is the scenario's own assumption then."""
    shutil.copytree(EVERYTHING.parent, tmp_path / "all")
    folder = tmp_path / "all"
    shutil.copy(folder / "everything.yaml", folder / "base.yaml")
    (folder / "interventions").mkdir()
    part = "share: {value: 5 %, low: 0, high: 8 %, evidence: proxy, source: made up}"
    text = (
        HOURS.split("effects:")[0].replace("role: nurse", "post: nurse.ward.5")
        + f"job_plan:\n  - {{from: office, to: clinical, {part}}}\n"
        + f"supervision:\n  - {{name: oversight, of: newcomers, by: {{role: assistant}}, {part}}}\n"
        + "outcome: {measure: leaver_rate, direction: down}\n"
    )
    (folder / "interventions" / "hours.yaml").write_text(text, encoding="utf-8")
    (lever,) = use(folder, "{use: hours, start: April 2027}").interventions
    assert (lever.job_plan[0].share.value, lever.supervision[0].share.value) == (0.05, 0.05)
    (lever,) = use(
        folder, "{use: hours, start: April 2027, effects: {job_plan: 4 %, oversight: 30 %}}"
    ).interventions
    shares = lever.job_plan[0].share, lever.supervision[0].share
    assert [(share.value, share.low, share.evidence) for share in shares] == [
        (0.04, None, "assumption"), (0.3, None, "assumption"),
    ]  # fmt: skip
    assert {share.source for share in shares} == {"assumption of the scenario"}
    found = refused(folder, "{use: hours, start: April 2027, effects: {job_plan: 400, oversight: -1}}")
    for name in ("job_plan", "oversight"):
        assert any(f"changes[0].effects.{name}: must be a share" in line for line in found), found


@pytest.fixture
def plain(folder: Path) -> Path:
    """The folder, with an intervention that can be for some ages and groups."""
    text = HOURS.replace("establishment, plus: -2", "leaving, ages: 30-40, plus: -1 % per year")
    (folder / "interventions" / "hours.yaml").write_text(text, encoding="utf-8")
    return folder


def test_amounts_are_in_the_unit_of_what_they_change(plain: Path) -> None:
    (lever,) = use(plain, "{use: hours, start: April 2027}").interventions
    assert lever.effects[1].plus is not None
    assert lever.effects[1].plus.value == pytest.approx(-0.01)


@pytest.mark.parametrize("quantity", ADJUSTABLE)
def test_every_quantity_reads_its_own_unit(quantity: str, folder: Path) -> None:
    """A `to` at the lowest of its kind is read; one above its highest is refused."""
    from pharmsim.quantities import KINDS

    kind = KINDS[ADJUSTABLE[quantity].kind]
    head = HOURS.split("effects:")[0].replace("reach: {role: nurse}\n", "")
    tail = "outcome: {measure: x, direction: up}\n"
    file = folder / "interventions" / "other.yaml"
    entry = "effects: [{{quantity: {}, to: {{value: {}}}, evidence: derived, source: made up}}]\n"
    file.write_text(head + entry.format(quantity, kind.low) + tail, encoding="utf-8")
    lever = library.load(str(file))[0]
    assert lever.effects[0].to is not None
    assert lever.effects[0].to.value == kind.low
    file.write_text(head + entry.format(quantity, 2 * kind.high + 1) + tail, encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"effects\[0\]\.to\.value: must be"):
        library.load(str(file))


def test_used_twice_what_is_not_known_is_the_same(folder: Path) -> None:
    scenario = use(
        folder,
        "{use: hours, where: {environment: ward}, start: April 2027}",
        "{use: hours, name: later, where: {environment: clinic}, start: April 2028}",
    )
    names = [lever.effects[0].times.uncertainty for lever in scenario.interventions if lever.effects[0].times]
    assert names == ["interventions[hours].effects[leaving].times"] * 2


def test_where_interventions_are_looked_for(tmp_path: Path) -> None:
    """Beside the file, then above it, then in the library that comes with pharmsim; or by path."""
    for place in ("scenarios", "scenarios/area", "scenarios/area/plans"):
        (tmp_path / place / "interventions").mkdir(parents=True)
    inner = tmp_path / "scenarios" / "area" / "plans"
    shutil.copy(BAD / "data" / "whole.yaml", inner / "base.yaml")
    spots = [inner, inner.parent, inner.parents[1]]
    for i, spot in enumerate(spots):
        text = HOURS.replace("Hours that suit", f"From {i}")
        (spot / "interventions" / "hours.yaml").write_text(text, encoding="utf-8")
    for i, spot in enumerate(spots):
        assert use(inner, "{use: hours, start: April 2027}").interventions[0].title == f"From {i}"
        path = "../interventions/hours.yaml"
        if i < 2:
            assert use(inner, f"{{use: {path}, start: April 2027}}").interventions[0].title == "From 1"
        (spot / "interventions" / "hours.yaml").unlink()
    assert "flexible_working" in library.known(str(inner / "plan.yaml"), tmp_path)
    with pytest.raises(ScenarioError, match="must stay inside the folder"):
        use(inner, "{use: ../../../hours.yaml, start: April 2027}")


MISTAKES = [
    ("quantity: leaving", "quantity: leavin", "effects[0].quantity: no such quantity that an"),
    ("    evidence: assumption\n", "", "effects[0].times: must state its `evidence`"),
    ("low: 0.8, high: 1}", "dist: uniform}", "has a `dist` and no range"),
    (", low: 0.8, high: 1}", "}", "effects[0].times: is an assumption and needs a range"),
    (", low: £50 per year, high: £200 per year", "", "costs.per_head: is an assumption and needs a range"),
    ("name: hours, quantity: establishment", "quantity: leaving", "the name `leaving` is given twice"),
    ("level: team", "level: teem", "must be one of system, environment, team, individual"),
    ("title: Hours that suit", "name: hours\ntitle: Hours", "name: is that of the file"),
    ("outcome:", "outcom:", "unknown key. Closest: outcome"),
    ("category: retain\n", "", "category: is missing"),
    ("from: teaching, ", "", "job_plan[0].from: is missing"),
    ("direction: down", "direction: lower", "must be one of up, down"),
    ("    source: nobody measured it\n", "", "effects[0].times: must have a `source`"),
    ("high: 40 %, source: made up", "high: 40 %", "uptake: must have a `source`"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), MISTAKES, ids=[item[2][:40] for item in MISTAKES])
def test_mistakes_of_a_file_are_told_with_its_line(folder: Path, old: str, new: str, message: str) -> None:
    file = folder / "interventions" / "hours.yaml"
    assert old in HOURS
    file.write_text(HOURS.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        use(folder, "{use: hours, start: April 2027}")
    (problem,) = caught.value.problems
    assert message in f"{problem.where}: {problem.message}"
    assert problem.file == str(file)
    assert problem.line > 0


def test_all_mistakes_of_a_use_are_told_at_once(folder: Path) -> None:
    found = refused(
        folder,
        "{use: hours, uptake: 300 %, ramp: soon, effects: {leaving: x, hourz: 1}, costs: 5}",
        "{use: hours, start: April 2027, where: {role: doctor}}",
    )
    for text in (
        "changes[0]: needs a `start`",
        "changes[0].effects.hourz: the intervention has no such number. Closest: hours",
        "changes[0].costs: must be a mapping of names and numbers",
        "changes[1].where.role: selects no post that the intervention reaches",
    ):
        assert any(text in line for line in found), (text, found)
    found = refused(folder, "{use: hours, start: Mai 20, uptake: 300 %, ramp: soon, effects: {hours: x}}")
    for key in ("start", "uptake", "ramp", "effects.hours"):
        assert any(f"changes[0].{key}: must be" in line for line in found), (key, found)


def test_round_trip_and_another_change_keep_everything(folder: Path) -> None:
    use(folder, "{use: hours, start: April 2027, where: {environment: ward}}")
    (folder / "more.yaml").write_text(
        "base: plan.yaml\nname: More\nchanges:\n  - {set: interventions.hours.uptake, to: 60 %}\n",
        encoding="utf-8",
    )
    more = load(folder / "more.yaml")
    (lever,) = more.interventions
    assert lever.uptake.value == 0.6
    times = lever.effects[0].times
    assert times is not None
    assert times.origin is not None
    assert Path(times.origin.file).name == "hours.yaml"
    data = to_dict(more)
    assert to_dict(from_dict(data)) == data


def test_joint_posts_are_made_once_all_changes_are(tmp_path: Path) -> None:
    """A later change reaches them too, and the order of two interventions is none."""
    shutil.copytree(EVERYTHING.parent, tmp_path / "all")
    folder = tmp_path / "all"
    shutil.copy(folder / "everything.yaml", folder / "base.yaml")
    (folder / "interventions").mkdir()
    text = (
        "title: Joint\nlevel: environment\ncategory: reform\nreach: {post: nurse.ward.5}\n"
        "posts: {suffix: SUFFIX, split: {home: 50 %, clinic: 50 %}, "
        "entry: {value: 20 %, evidence: derived, source: made up}}\n"
        "outcome: {measure: headcount, direction: up}\n"
    )
    for name in ("a", "b"):
        file = folder / "interventions" / f"{name}.yaml"
        file.write_text(text.replace("SUFFIX", name), encoding="utf-8")
    uses = ["{use: a, start: April 2027}", "{use: b, start: April 2027}"]
    first, second = use(folder, *uses), use(folder, *reversed(uses))
    made = [post.post for post in first.posts if post.made_by]
    assert made == ["nurse.ward.5_a", "nurse.ward.5_b"]
    assert [post.post for post in second.posts] == [post.post for post in first.posts]
    assert to_dict(first)["moves"] == to_dict(second)["moves"]
    again = from_dict(to_dict(first))
    assert [post.post for post in again.posts] == [post.post for post in first.posts]


def effect_of(scenario: Scenario, **written: Any) -> tuple[Scenario, Any]:
    """A scenario with one more intervention of one effect."""
    data = to_dict(scenario)
    effect = {"evidence": "derived", **written}
    data["interventions"] = [
        {
            "name": "one", "title": "One", "level": "team", "category": "retain", "start": "2027-04",
            "outcome": {"measure": "x", "direction": "up"}, "effects": [effect],
        }
    ]  # fmt: skip
    found = from_dict(data)
    return found, found.interventions[0]


WARNED = [
    ({"quantity": "leaving", "times": 1}, "is 1 and has no effect"),
    ({"quantity": "leaving", "plus": 0}, "is 0 and has no effect"),
    ({"quantity": "supply", "times": 1.2, "where": {"role": "doctor"}}, "is 0 in its posts"),
    ({"quantity": "supply", "times": 1.2, "of": "anybody"}, "the supply is unlimited"),
    ({"quantity": "cover_cap", "times": 1.2}, "has no `cap`"),
    ({"quantity": "establishment", "times": 1.2, "where": {"role": "assistant"}}, "`unconstrained`"),
    ({"quantity": "delegation", "times": 1.2}, "is 0 in its posts"),
    ({"quantity": "time_to_fill", "times": 0.8}, "is 0 in its posts"),
    ({"quantity": "supply", "plus": 3, "of": "nurses", "where": {"role": "doctor"}}, ""),
    ({"quantity": "leaving", "times": 0.9}, ""),
    ({"quantity": "establishment", "times": 0.9}, ""),
]  # fmt: skip


@pytest.mark.parametrize(("written", "message"), WARNED)
def test_warnings_where_there_is_nothing_to_change(written: dict[str, Any], message: str) -> None:
    data = to_dict(load(EVERYTHING))
    data["hiring"]["sources"] += [
        {"name": "nurses", "supply": [{"where": {"role": "nurse"}, "value": 5}], "ages": AGES},
        {"name": "anybody", "supply": "unlimited", "ages": AGES},
    ]  # fmt: skip
    data["establishment"]["unconstrained"] = [{"role": "assistant"}]
    data["establishment"].pop("over_time")
    data["establishment"].pop("redistribution")
    data["feedbacks"].pop("recruitment")
    data.pop("budgets")
    drawn = data["uncertainties"]["posteriors"]  # a fit draws a number that is 0 here
    data["uncertainties"]["posteriors"] = [one for one in drawn if not one.get("ranges")]
    for rule in data["need"]["delegation"]:
        rule["share"] = 0
    if "of" not in written and written["quantity"] == "supply":
        written = written | {"of": "nurses"}
    scenario, _ = effect_of(from_dict(data), **written)
    found = [text for text in check_warnings(scenario) if text.startswith("interventions.one.")]
    assert len(found) == bool(message), found
    assert not message or message in found[0]


AGES = [{"where": {"age": "25-44"}, "value": 1}]


def test_an_uptake_of_nobody_is_a_warning(folder: Path) -> None:
    scenario = use(folder, "{use: hours, start: April 2027, uptake: 0}")
    assert [text for text in check_warnings(scenario) if text.startswith("interventions.hours.uptake: is 0")]
    scenario = use(folder, "{use: hours, start: April 2027, uptake: {value: 0, low: 0, high: 10 %}}")
    assert not [text for text in check_warnings(scenario) if text.startswith("interventions.hours.uptake")]


def test_the_cells_of_an_effect() -> None:
    scenario, lever = effect_of(
        load(EVERYTHING), quantity="leaving", times=0.9, where={"role": "nurse"}, ages="30-40"
    )
    cells = reach_of(scenario, lever, lever.effects[0])
    assert cells.posts == {"nurse.ward.5", "nurse.clinic.5", "nurse.ward.6"}
    assert (cells.names, cells.ages, cells.groups) == ({"home", "died"}, (30, 40), {"women", "men"})
    assert having(scenario, "places") == {
        "school.training": True,
        "school.placement": False,
        "step_up": False,
    }
    assert having(scenario, "completion") == {"school": False, "step_up": True}
    assert having(scenario, "pass_rate") == {"school": False, "step_up": False}
    assert having(scenario, "pay") == {"": True}
    assert having(scenario, "supply") == {"new": False, "elsewhere": True}
