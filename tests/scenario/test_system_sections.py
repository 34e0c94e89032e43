"""The sections of the system around the people: short forms, tables, names, what-ifs, warnings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pharmsim.errors import ScenarioError
from pharmsim.scenario import Scenario, check_warnings, from_dict, load, to_dict
from pharmsim.scenario.expand import central
from pharmsim.scenario.fields import numbers
from pharmsim.scenario.reader import Folder, read_yaml
from pharmsim.scenario.system import Feedbacks

Data = dict[str, Any]
HERE = Path(__file__).parent
EVERYTHING = HERE / "everything.yaml"
POSTS = (
    "nurse.ward.5",
    "nurse.clinic.5",
    "nurse.ward.6",
    "doctor.ward",
    "assistant.ward",
    "assistant.clinic",
)


@pytest.fixture(scope="module")
def everything() -> Scenario:
    return load(EVERYTHING)


@pytest.fixture
def plain() -> Data:
    """Plain data of the scenario, in short forms, without what is uncertain together."""
    data: Data = json.loads(json.dumps(read_yaml(Folder(HERE), str(EVERYTHING))))
    del data["uncertainties"]
    data["feedbacks"]["burnout"]["leaving"] = {"value": 0.8, "low": 0.4, "high": 1.2}
    return data


def changed(tmp_path: Path, *changes: Data) -> Scenario:
    """Return the scenario after changes."""
    (tmp_path / "data").mkdir(exist_ok=True)
    for file in (EVERYTHING, *(HERE / "data").glob("*.csv")):
        target = tmp_path / file.relative_to(HERE)
        target.write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    lines = ["base: everything.yaml", "name: What if", "changes:", *(f"- {json.dumps(x)}" for x in changes)]
    (tmp_path / "what_if.yaml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return load(tmp_path / "what_if.yaml")


# ---- short forms and tables ------------------------------------------------------------------------


def test_joint_posts(everything: Scenario) -> None:
    post = everything.posts[2]
    assert tuple(item.post for item in everything.posts) == POSTS
    assert (post.split, post.backfill_weeks) == ({"ward": 0.6, "clinic": 0.4}, 6.0)
    assert everything.posts[0].split == {}


def test_joint_posts_from_a_table(plain: Data, tmp_path: Path) -> None:
    rows = [
        "role,environment,grade,split,backfill_weeks",
        "nurse,ward,5,,",
        "nurse,clinic,5,,",
        "nurse,ward,6,ward: 60 %; clinic: 40 %,6 weeks",
        "doctor,ward,,,",
        "assistant,ward,,,",
        "assistant,clinic,,,",
    ]
    (tmp_path / "posts.csv").write_text("\n".join(rows), encoding="utf-8")
    for name in ("job_plans", "pay"):
        (tmp_path / f"{name}.csv").write_bytes((HERE / "data" / f"{name}.csv").read_bytes())
    text = json.dumps({**plain, "posts": {"table": "posts.csv"}}).replace("data/", "")
    posts = from_dict(json.loads(text), tmp_path).posts
    assert [(post.split, post.backfill_weeks) for post in posts if post.grade == "6"] == [
        ({"ward": 0.6, "clinic": 0.4}, 6.0)
    ]


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("half and half", "must be a mapping such as {a: 60 %, b: 40 %}; got `half and half`"),
        ("ward: 60 %, clinic: 30 %", "shares of the working time must sum to 1; they sum to 0.9"),
        ({"ward": "most", "clinic": 0.2}, "must be a share between 0 and 1; got `most`"),
    ],
)
def test_splits_that_cannot_be_read(small: Data, written: Any, message: str) -> None:
    small["posts"][1]["split"] = written
    with pytest.raises(ScenarioError, match="split") as caught:
        from_dict(small)
    assert message in str(caught.value)
    assert len(caught.value.problems) == 1


def test_job_plans_from_a_table(everything: Scenario) -> None:
    time = everything.working_time
    assert time is not None
    shares = np.array([central(part.share, everything, ("post",)) for part in time.job_plan.values()])
    assert shares[:, 2].tolist() == [0.6, 0.2, 0.2]
    assert shares[:, 3].tolist() == [0.7, 0.2, 0.1]
    assert shares.sum(axis=0) == pytest.approx(np.ones(6))
    term = time.job_plan["clinical"].share.terms[0]
    assert {row.uncertainty for row in term.rows} == {"working_time.job_plan.clinical.share"}
    assert [row.origin.line for row in term.rows if row.origin is not None] == [2, 3, 4]


def test_pay_from_a_table(everything: Scenario) -> None:
    pay = everything.pay
    assert pay is not None
    assert pay.weighting is not None
    assert central(pay.per_fte, everything, ("post",)).tolist() == [33e3, 33e3, 40e3, 70e3, 25e3, 25e3]
    assert pay.per_fte.terms[0].rows[0].evidence == "published"
    assert (pay.weighting.lowest.value, pay.weighting.highest.value) == (5414.0, 8172.0)


def test_amounts_by_date(everything: Scenario) -> None:
    need = everything.need
    assert need is not None
    points = {
        name: {date: value.value for date, value in activity.index.points.items()}
        for name, activity in need.activity.items()
    }
    assert points["items"] == {"2026-04": 1.26e9, "2030-01": 1.4e9}
    assert points["people"] == {"2026-01": 1e6, "2030-04": 1.1e6}
    found = {
        name: {date: value.value for date, value in budget.per_year.points.items()}
        for name, budget in everything.budgets.items()
        if budget.per_year is not None
    }
    assert found == {"ward": {"1900-01": 2.5e6}, "all": {"2026-04": 4e6, "2028-01": 3.9e6}}
    assert need.activity["items"].index.points["2030-01"].uncertainty == "need.activity.items.index[2030-01]"


def test_supervisors_in_short(everything: Scenario) -> None:
    duties = everything.supervision
    assert duties["students"].trainees == ("school.training",)
    for name in ("students", "apprentices", "helpers"):
        (entry,) = duties[name].by
        assert [value.value for value in entry.share.points.values()] == [1.0]
    assert duties["students"].by[0].where == {"role": ("nurse",)}
    assert duties["helpers"].by[0].where == {"role": ("nurse",), "grade": ("5",)}
    assert duties["helpers"].within == duties["apprentices"].within == ("environment",)
    assert duties["newcomers"].first_year == {"role": ("nurse",)}


def test_feedbacks(everything: Scenario) -> None:
    found = everything.feedbacks
    assert found is not None
    assert found.burnout is not None
    assert found.recruitment is not None
    assert found.flexibility is not None
    assert found.inexperience is not None
    assert (found.burnout.reference, found.burnout.low, found.burnout.high) == ("opening", 0.5, 3.0)
    assert found.burnout.delay.value == pytest.approx(6 * 7 / 365.25 * 12)
    assert (found.burnout.destinations, found.burnout.switches) == (("home",), ("fewer_hours",))
    assert found.recruitment.reference.value == 0.08  # type: ignore[union-attr]
    assert found.inexperience.reference.uncertainty == "feedbacks.inexperience.reference"  # type: ignore[union-attr]
    assert [found.burnout.on, found.flexibility.on] == [True, False]


def test_ranges_have_names_of_their_own(everything: Scenario) -> None:
    names = [part.split('"')[0] for part in json.dumps(to_dict(everything)).split('"uncertainty": "')[1:]]
    of_tables = {"working_time.job_plan.clinical.share", "pay.per_fte"}
    single = [name for name in names if name not in of_tables]
    assert len(single) == len(set(single)) == 11
    assert {"working_time.shifts[0].share", "working_time.shifts[1].share"} < set(single)
    assert {"establishment.redistribution[1].fte", "need.delegation[to_assistants].share"} < set(single)


def test_every_new_number_is_read_in_its_unit(everything: Scenario) -> None:
    kinds = {str(number): number.of.kind for number in numbers(everything)}
    assert kinds["budgets.ward.per_year"] == "budget"
    assert kinds["need.activity.items.index"] == "activity"
    assert kinds["feedbacks.recruitment.reference"] == "reference"
    assert kinds["feedbacks.burnout.leaving"] == "elasticity"
    assert kinds["pipelines.school.stages[1].trainees_per_fte"] == "positive"
    assert kinds["working_time.absence.sickness"] == kinds["supervision.newcomers.by[0].share"] == "share"


# ---- what-ifs --------------------------------------------------------------------------------------


def test_a_feedback_off_and_on(tmp_path: Path) -> None:
    off = {"set": "feedbacks.burnout.on", "to": False}
    found = changed(tmp_path, off, {"set": "feedbacks.flexibility.on", "to": True}).feedbacks
    assert found is not None
    assert found.burnout is not None
    assert found.flexibility is not None
    assert [found.burnout.on, found.flexibility.on] == [False, True]


def test_numbers_of_a_feedback(tmp_path: Path, everything: Scenario) -> None:
    scenario = changed(
        tmp_path,
        {"set": "feedbacks.burnout.leaving", "times": 2},
        {"set": "feedbacks.burnout.low", "to": "80 %"},
        {"set": "feedbacks.burnout.reference", "to": 1.1},
        {"set": "feedbacks.recruitment.reference", "to": "opening"},
        {"set": "feedbacks.recruitment.where", "to": {"environment": "ward"}},
    )
    assert scenario.feedbacks is not None
    burnout, recruitment = scenario.feedbacks.burnout, scenario.feedbacks.recruitment
    assert burnout is not None
    assert recruitment is not None
    assert (burnout.leaving.value, burnout.leaving.low, burnout.low) == (1.6, 1.0, 0.8)  # low of the fit: 0.5
    assert burnout.reference.value == 1.1  # type: ignore[union-attr]
    assert recruitment.reference == "opening"
    assert recruitment.where == {"environment": ("ward",)}


def test_budgets_plans_and_transfers(tmp_path: Path) -> None:
    plan = {"policy": "reduce", "by_fte": 3, "start": "April 2027", "end": "April 2028"}
    move = {
        "from": {"role": "doctor"},
        "to": {"role": "nurse"},
        "fte": 1,
        "start": "2028-04",
        "end": "2029-04",
    }
    scenario = changed(
        tmp_path,
        {"set": "budgets.ward.per_year", "times": 0.9},
        {"set": "budgets.clinic.of_opening", "to": {"April 2026": 1, "April 2029": "90 %"}},
        {"set": "establishment.over_time", "to": [plan]},
        {"set": "establishment.redistribution", "to": [move]},
        {"set": "establishment.redistribution[0].fte", "plus": 1},
        {"set": "working_time.job_plan.clinical.share", "where": {"role": "doctor"}, "to": "60 %"},
        {"set": "working_time.job_plan.office.share", "where": {"role": "doctor"}, "to": "20 %"},
        {"set": "supervision.helpers.time", "times": 1.5},
        {"set": "supervision.students.by", "to": {"role": "doctor"}},
        {"set": "need.activity.people.index", "times": 1.1},
        {"set": "need.delegation.to_nurses.share", "to": "25 %"},
        {"set": "pay.weighting.highest", "to": "£9,000 per year"},
    )
    assert scenario.establishment is not None
    assert scenario.need is not None
    assert scenario.pay is not None
    assert scenario.pay.weighting is not None
    assert scenario.budgets["ward"].per_year is not None
    assert scenario.budgets["ward"].per_year.points["1900-01"].value == pytest.approx(2.25e6)
    assert [policy.policy for policy in scenario.establishment.over_time] == ["reduce"]
    (transfer,) = scenario.establishment.redistribution
    assert (transfer.fte.value, transfer.start) == (2.0, "2028-04")
    assert scenario.supervision["helpers"].time.value == pytest.approx(0.03)
    assert scenario.supervision["students"].by[0].where == {"role": ("doctor",)}
    assert scenario.need.delegation[0].share.value == 0.25
    assert scenario.pay.weighting.highest.value == 9000.0


@pytest.mark.parametrize("section", ["feedbacks", "budgets", "supervision", "need", "pay", "working_time"])
def test_a_section_that_the_base_lacks(plain: Data, tmp_path: Path, section: str) -> None:
    """What a what-if adds is what the file would have said."""
    needed_by = {"need": ("feedbacks",), "pay": ("budgets", "feedbacks"), "working_time": ("feedbacks",)}
    gone = (section, *needed_by.get(section, ()))
    if section == "need":
        del plain["establishment"]["over_time"]
    base = {key: item for key, item in plain.items() if key not in gone}
    changes = [{"set": name, "to": plain[name]} for name in gone]
    (tmp_path / "data").mkdir()
    for file in (HERE / "data").glob("*.csv"):
        (tmp_path / "data" / file.name).write_bytes(file.read_bytes())
    (tmp_path / "base.yaml").write_text(json.dumps(base), encoding="utf-8")
    what_if = {"base": "base.yaml", "name": plain["name"], "changes": changes}
    (tmp_path / "what_if.yaml").write_text(json.dumps(what_if), encoding="utf-8")
    found, whole = to_dict(load(tmp_path / "what_if.yaml")), to_dict(from_dict(plain, HERE))
    assert found.pop("base_digest")
    assert found == whole


# ---- warnings and several mistakes at once ------------------------------------------------------------


def feedback_warnings(plain: Data, name: str, **changes: Any) -> list[str]:
    plain["feedbacks"][name] |= changes
    return [text for text in check_warnings(from_dict(plain, HERE)) if text.startswith("feedbacks.")]


WITHOUT_EFFECT: list[tuple[str, Data, str]] = [
    ("burnout", {"leaving": 0, "shorter_hours": 0}, "is on and acts on nothing: every elasticity is 0"),
    ("burnout", {"destinations": []}, "`leaving` has an elasticity and no `destinations` to act on"),
    ("burnout", {"switches": []}, "`shorter_hours` has an elasticity and no `switches` to act on"),
    ("burnout", {"low": 1, "high": 1}, "is on and acts on nothing: `low` and `high` are both 1"),
    ("recruitment", {"elasticity": 0}, "is on and acts on nothing: its elasticity is 0"),
    ("recruitment", {"sources": []}, "is on and acts on nothing: `sources` is empty"),
    ("training", {"elasticity": 0}, "is on and acts on nothing: its elasticity is 0"),
    (
        "attractiveness",
        {"openings": 0, "pressure": 0, "pay": 0},
        "acts on nothing: every elasticity is 0",
    ),
    ("inexperience", {"elasticity": 0}, "is on and acts on nothing: its elasticity is 0"),
    ("flexibility", {"on": True, "elasticity": 0}, "is on and acts on nothing: its elasticity is 0"),
]


@pytest.mark.parametrize(("name", "changes", "text"), WITHOUT_EFFECT)
def test_a_feedback_without_effect_is_told(plain: Data, name: str, changes: Data, text: str) -> None:
    assert not feedback_warnings(plain, name)
    (warning,) = feedback_warnings(plain, name, **changes)
    assert warning.startswith(f"feedbacks.{name}: ")
    assert warning.endswith(text)
    assert not feedback_warnings(plain, name, on=False)


def test_the_cases_name_every_feedback() -> None:
    assert {name for name, _, _ in WITHOUT_EFFECT} == set(Feedbacks.model_fields)


def test_supervisors_that_limit_nothing_are_told(plain: Data) -> None:
    stage, apprentices = plain["pipelines"]["school"]["stages"][0], plain["pipelines"]["step_up"]
    assert not check_warnings(from_dict(plain, HERE))
    del apprentices["trainees_per_fte"]
    del plain["feedbacks"]["training"]
    assert [text.split(":")[0] for text in check_warnings(from_dict(plain, HERE))] == [
        "pipelines.school.stages[0].supervisors",
        "pipelines.step_up.supervisors",
    ]
    del stage["supervisors"], apprentices["supervisors"]
    assert not check_warnings(from_dict(plain, HERE))


def test_an_environment_of_joint_posts_only_is_in_use(small: Data) -> None:
    small["environments"] = ["ward", "clinic", "hub"]
    small["posts"][1]["split"] = {"ward": 0.5, "hub": 0.5}
    assert not [text for text in check_warnings(from_dict(small)) if text.startswith("environments")]
    del small["posts"][1]["split"]
    assert [text.split(":")[0] for text in check_warnings(from_dict(small))] == ["environments.hub"]


def test_mistakes_of_all_sections_are_told_at_once(plain: Data) -> None:
    plain["working_time"]["job_plan"]["office"]["share"] = "10 %"
    plain["need"]["opening_ratio"] = "much"
    plain["supervision"]["students"]["trainees"] = "school.trainig"
    plain["budgets"]["ward"]["where"] = {"environment": "wards"}
    plain["feedbacks"]["burnout"]["destinations"] = ["homes", "died"]
    del plain["feedbacks"]["training"]["reference"]
    plain["establishment"]["over_time"][0]["end"] = "April 2026"
    plain["pay"]["weighting"]["lowest"] = 9000
    with pytest.raises(ScenarioError) as caught:
        from_dict(plain, HERE)
    assert {problem.where for problem in caught.value.problems} == {
        "working_time.job_plan",
        "need.opening_ratio",
        "supervision.students.trainees[0]",
        "budgets.ward.where.environment",
        "feedbacks.burnout.destinations[0]",
        "feedbacks.training.reference",
        "establishment.over_time[0].end",
        "pay.weighting",
    }
