"""Many mistakes in one file: all are told at once, and nothing that only follows from them."""

from __future__ import annotations

import copy
import random
import time
from pathlib import Path
from typing import Any

import pytest
from test_any_input import EVERYTHING, JUNK, places

from pharmsim.errors import ScenarioError
from pharmsim.scenario import from_dict, load, shipped
from pharmsim.scenario.reader import Folder, read_yaml

MANY = """\
name: Many faults
start: April 2026
end: April 2326
roles: [nurse, doctor]
environments: [ward, clinic]
groups: [women, men]
contracts: [full, part]
posts:
  - {role: nurse, environment: [ward, clinic]}
  - {role: docter, environment: ward}
stock:
  headcount: 10
  ages: [{where: {age: 20-59}, value: 80 %}]
  groups: {table: none.csv}
fte_per_head:
  - {where: {contract: full}, value: 1}
leaving:
  died: {rate: .nan}
  away: {rate: 8.1}
  break: {rate: 2 %, into: brake}
  home: {rte: 1 %}
  other: {rate: [{value: 2 %}, {where: {role: nurs}, value: 3 %}]}
pools:
  break: {return_rate: 60 %, opening: many}
switches:
  - {name: fewer, from: full, to: half, rate: 3 %}
moves:
  edges:
    - {from: nurse.ward, to: nurse.clinic, rate: 3 %}
    - {from: nurse.ward, to: nurse.theatre, rate: 3 %}
    - {from: {role: doctor}, to: {environment: clinic}, rate: 3 %}
establishment:
  vacancy_rate: 8 %
  over_time:
    - {policy: grow}
hiring:
  sources:
    - {name: new, pipelines: all}
    - {name: elsewhere, supply: 12}
    - {name: abroad, suply: 12}
pipelines:
  school:
    role: nurse
    intake: {per_year: 10, months: Jully}
    stages: [{name: training, months: 12}]
    ages: [{where: {age: 22}, value: 50 %}]
    destinations: [{where: {post: nurse.ward}, value: 1}]
    opening: steady
  course:
    role: surgeon
    intake: {per_year: 10, months: July}
    stages: [{name: training, months: 0}]
    ages: [{where: {age: 22}, value: 100 %}]
    destinations: [{where: {post: nurse.ward}, value: 1}]
    opening: steady
retention:
  levels:
    hospitals: {where: {environment: wards}}
    employer: {by: trust}
    employer: {by: post}
pay:
  per_fte: [{where: {role: doctor}, value: "£50,000"}]
"""

EXPECTED = [
    (3, "end: must be a month such as"),
    (10, "posts[2].role: no such role `docter`. Closest: doctor"),
    (13, "stock.ages: shares must sum to 1 over age; they sum to 0.8 for nurse.ward"),
    (14, "stock.groups.table: `none.csv` no such file"),
    (15, "fte_per_head: no row gives a number for nurse.ward, women, part and 3 more"),
    (18, "leaving.died.rate: must be a finite number; got `.nan`"),
    (19, "leaving.away.rate: must be a rate per year between 0 and 3; got 8.1"),
    (20, "leaving.break.into: no such pool `brake`. Closest: break"),
    (21, "leaving.home.rte: unknown key. Closest: rate"),
    (22, "leaving.other.rate.rows[1].where.role: no such role `nurs`. Closest: nurse"),
    (24, "pools.break.opening: must be a number of people"),
    (26, "switches[0].to: no such contract `half`"),
    (30, "moves.edges[1].to: no such post `nurse.theatre`"),
    (35, "establishment.over_time[0]: the policy `grow` needs `growth`"),
    (39, "hiring.sources[1]: needs `ages`"),
    (40, "hiring.sources[2].suply: unknown key. Closest: supply"),
    (44, "pipelines.school.intake.months[0]: must be a month such as August; got `Jully`"),
    (46, "pipelines.school.ages: shares must sum to 1 over age; they sum to 0.5"),
    (50, "pipelines.course.role: no such role `surgeon`"),
    (52, "pipelines.course.stages[0].months: must be at least 1 month; got 0"),
    (58, "retention.levels.hospitals.where.environment: no such environment `wards`"),
    (59, "retention.levels.employer.by: no such axis or attribute of posts `trust`"),
    (60, "retention.levels.employer: is written twice; first in line 59"),
    (62, "pay.per_fte: no row gives a number for nurse.ward and 1 more"),
]


def test_many_mistakes_are_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "many.yaml"
    file.write_text(MANY, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load(file)
    found = [(item.line, f"{item.where}: {item.message}") for item in caught.value.problems]
    expected = [pair for pair in EXPECTED if pair[0] != 30]  # that post may be the one that is misspelt
    assert [line for line, _ in found] == [line for line, _ in expected], str(caught.value)
    for (_, message), (_, start) in zip(found, expected, strict=True):
        assert message.startswith(start)
    file.write_text(MANY.replace("docter", "doctor"), encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load(file)
    found = [(item.line, f"{item.where}: {item.message}") for item in caught.value.problems]
    extra = {30, 31}  # judged now; nobody moves, for no doctor works elsewhere
    assert {line for line, _ in found} - extra == {line for line, _ in EXPECTED} - {10, 30}
    assert extra <= {line for line, _ in found}


def problems(data: Any, folder: Path) -> set[tuple[str, str]]:
    try:
        from_dict(data, folder)
    except ScenarioError as error:
        return {(problem.where, problem.message) for problem in error.problems}
    return set()


def spoil(data: Any, path: tuple[Any, ...], junk: Any) -> Any:
    data = copy.deepcopy(data)
    node = data
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = copy.deepcopy(junk)
    return data


@pytest.mark.parametrize("path", [shipped("tiny.yaml"), EVERYTHING], ids=lambda path: path.stem)
def test_two_mistakes_make_no_third(path: Path) -> None:
    """Two places spoilt at once tell nothing that neither tells alone, and nearly all of both."""
    rng = random.Random(5)
    written = read_yaml(Folder(path.parent), str(path))
    known = [item for item in places(written) if isinstance(item[-1], str)]
    tried = hidden = 0
    for _ in range(60):
        one, two = rng.sample(known, 2)
        if one == two[: len(one)] or two == one[: len(two)]:
            continue
        spoilt = (one, rng.choice(JUNK)), (two, rng.choice(JUNK))
        alone: list[set[tuple[str, str]]] = []
        for item in spoilt:
            alone.append(problems(spoil(written, *item), path.parent))
            if not alone[-1]:
                break  # one that is no mistake says nothing
        if not all(alone):
            continue
        both = problems(spoil(spoil(written, *spoilt[0]), *spoilt[1]), path.parent)
        assert both <= alone[0] | alone[1], spoilt
        tried += 1
        hidden += both != alone[0] | alone[1]
    assert tried > 25
    assert hidden < 0.1 * tried


def test_a_long_table_of_the_same_rows_is_answered_quickly(small: dict[str, Any], tmp_path: Path) -> None:
    rows = "nurse,0.1\n" * 19_998
    (tmp_path / "t.csv").write_text("role,rate\n" + rows + "doctor,0.1\n", encoding="utf-8")
    small["leaving"]["died"] = {"rate": {"table": "t.csv", "value": "rate"}}
    start = time.perf_counter()
    with pytest.raises(ScenarioError) as caught:
        from_dict(small, tmp_path)
    assert time.perf_counter() - start < 5  # looking at every pair of rows takes much longer
    assert len(caught.value.problems) == 21
    assert "two rows select the same (first in line 2)" in str(caught.value)
    assert "20 of its first 21 rows are wrong" in str(caught.value)


def test_problems_of_base_and_changes_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(MANY, encoding="utf-8")
    what_if = "base: base.yaml\nname: What if\nhiring: {}\nchanges:\n  - {set: leaving, times: .nan}\n"
    (tmp_path / "what_if.yaml").write_text(what_if, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path / "what_if.yaml")
    own = [item.line for item in caught.value.problems if item.file.endswith("what_if.yaml")]
    assert own == [3, 5]
    assert len(caught.value.problems) == len(EXPECTED) - 1 + 2


def test_a_change_that_cannot_be_read_is_told_once(tmp_path: Path) -> None:
    changes = "\n".join(
        [
            "  - {set: leaving.died.rate, times: .nan}",
            "  - {set: leaving.died.rate, to: {table: none.csv}}",
            "  - {set: leaving.dead.rate, times: 2}",
        ]
    )
    (tmp_path / "scenario.yaml").write_text(
        shipped("tiny.yaml").read_text(encoding="utf-8"), encoding="utf-8"
    )
    text = f"base: scenario.yaml\nname: What if\nchanges:\n{changes}\n"
    (tmp_path / "what_if.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError) as caught:
        load(tmp_path / "what_if.yaml")
    assert [item.line for item in caught.value.problems] == [4, 5, 6], str(caught.value)
