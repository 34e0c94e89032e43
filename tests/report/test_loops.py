"""The causal-loop diagram: loops and polarities of each feedback, what is off is absent, nothing overlaps."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import synthetic
from pharmsim import cli
from pharmsim.cli import running
from pharmsim.compiled.compile import Compiled, compile_scenario
from pharmsim.compiled.draws import sample
from pharmsim.report import loops_diagram, routes
from pharmsim.report.causal import Link, links
from pharmsim.report.loops import loops, main_loops
from synthetic import cells

SVG = "{http://www.w3.org/2000/svg}"
BOUNDS: dict[str, Any] = {"reference": "opening", "low": 0.5, "high": 2.0}


def value(number: float) -> dict[str, float]:
    return {"value": number}


FEEDBACKS: dict[str, dict[str, Any]] = {
    "burnout": {"delay": value(6.0), "leaving": value(0.8), "shorter_hours": value(0.4),
                "destinations": ["break"], "switches": ["phase"]},
    "recruitment": {"delay": value(3.0), "elasticity": value(0.3), "sources": ["outside"]},
    "training": {"delay": value(12.0), "elasticity": value(1.0)},
    "attractiveness": {"openings": value(0.2), "pressure": value(0.5), "pay": value(1.0)},
    "inexperience": {"elasticity": value(1.0)},
    "flexibility": {"delay": value(1.0), "elasticity": value(0.6), "destinations": ["break"]},
}  # fmt: skip


def compiled(*names: str, change: dict[str, dict[str, Any]] | None = None, **sections: Any) -> Compiled:
    """The small scenario with need, limited places, and some feedbacks."""
    base = synthetic.description()
    base["pipelines"]["college"]["stages"][1] |= {"places": value(35.0), "supervisors": {"role": ["chemist"]}}
    base["hiring"]["sources"][1]["supply"] = cells(20.0)
    feedbacks = {name: {**BOUNDS, **FEEDBACKS[name], **(change or {}).get(name, {})} for name in names}
    made = synthetic.scenario(**{
        "need": {"opening_ratio": cells(1.05)},
        "working_time": {"first_year_output": cells(0.8)},
        "first_year": {"leaving_ratio": cells(1.5), "opening_share": cells(0.12)},
        "pipelines": base["pipelines"],
        "hiring": base["hiring"],
        "feedbacks": feedbacks,
        **sections,
    })  # fmt: skip
    return compile_scenario(made, sample(made, 0, 1))


def found(*names: str, change: dict[str, dict[str, Any]] | None = None) -> set[tuple[str, str, str]]:
    """Polarity, feedback and variables of the loops shown that have a feedback."""
    shown = main_loops(links(compiled(*names, change=change)))
    return {(loop.polarity, name, " ".join(sorted(loop.variables))) for loop, name in shown.items() if name}


LEAVING = "delivered leaving pressure staff"
HOURS = "delivered hours pressure shorter_hours staff"
PUSH = "attractiveness delivered moves pressure staff"
PULL = "attractiveness moves staff vacancies"
APPLY = "joining staff supply vacancies"
TRAIN = "joining places qualified staff supervisors"
NEW = "delivered first_year joining leaving pressure settling staff vacancies"
FLEXIBLE = "delivered hours leaving pressure shorter_hours staff"


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("burnout",), {("R", "burnout", LEAVING), ("R", "burnout", HOURS)}),
        (("recruitment",), {("B", "recruitment", APPLY)}),
        (("training",), {("R", "training", TRAIN)}),
        (("attractiveness",), {("B", "attractiveness", PULL), ("R", "attractiveness", PUSH)}),
        (("inexperience",), set()),
        (("flexibility",), set()),
        (("burnout", "inexperience"),
         {("R", "burnout", LEAVING), ("R", "burnout", HOURS), ("R", "inexperience", NEW)}),
        (("burnout", "flexibility"),
         {("R", "burnout", LEAVING), ("R", "burnout", HOURS), ("B", "flexibility", FLEXIBLE)}),
    ],
)  # fmt: skip
def test_each_feedback_has_its_loops(names: tuple[str, ...], expected: set[tuple[str, str, str]]) -> None:
    assert found(*names) == expected


@pytest.mark.parametrize(
    ("name", "key", "before", "after"),
    [
        ("burnout", "leaving", ("R", LEAVING), ("B", LEAVING)),
        ("burnout", "shorter_hours", ("R", HOURS), ("B", HOURS)),
        ("recruitment", "elasticity", ("B", APPLY), ("R", APPLY)),
        ("training", "elasticity", ("R", TRAIN), ("B", TRAIN)),
        ("attractiveness", "openings", ("B", PULL), ("R", PULL)),
        ("attractiveness", "pressure", ("R", PUSH), ("B", PUSH)),
    ],
)
def test_the_opposite_elasticity_turns_the_loop(
    name: str, key: str, before: tuple[str, str], after: tuple[str, str]
) -> None:
    turned = {name: {key: value(-FEEDBACKS[name][key]["value"])}}
    plain, other = found(name), found(name, change=turned)
    assert {(polarity, chain) for polarity, _, chain in plain - other} == {before}
    assert {(polarity, chain) for polarity, _, chain in other - plain} == {after}


@pytest.mark.parametrize("name", FEEDBACKS)
def test_a_feedback_that_is_off_or_does_nothing_is_absent(name: str) -> None:
    assert any(link.feedback == name for link in links(compiled(name)))
    numbers = [key for key, given in FEEDBACKS[name].items() if isinstance(given, dict) and key != "delay"]
    for change in ({"on": False}, {key: value(0.0) for key in numbers}):
        made = compiled(name, change={name: change})
        assert {link.feedback for link in links(made)} == {""}
        assert "No feedback is on" in loops_diagram.diagram(made)


def test_a_feedback_without_a_post_to_act_on_is_absent() -> None:
    made = compiled("burnout", change={"burnout": {"where": {"role": ["helper"]}}})
    acting = next(link for link in links(made) if link.feedback == "burnout")
    assert np.diag(acting.acts).tolist() == [False, False, True, True]


def test_a_loop_must_close_for_some_post() -> None:
    base = synthetic.description()["pipelines"]
    base["college"]["stages"][1] |= {"places": value(35.0), "supervisors": {"role": ["helper"]}}
    apart = links(compiled("training", pipelines=base, moves=None))
    assert any(link.feedback == "training" for link in apart)
    assert not any("training" in loop.feedbacks for loop in loops(apart))  # helpers train chemists


def test_every_loop_is_found_once() -> None:
    every = loops(links(everything()))
    chains = [frozenset(map(id, loop.links)) for loop in every]
    assert len(chains) > 30
    assert len(set(chains)) == len(chains)


def test_loops_of_a_small_graph_by_hand() -> None:
    one = np.ones((1, 1), dtype=np.bool_)
    arrows = [("staff", "vacancies", -1), ("vacancies", "joining", 1), ("joining", "staff", 1),
              ("vacancies", "staff", -1)]  # fmt: skip
    every = loops([Link(a, b, sign, one) for a, b, sign in arrows])
    assert [(loop.polarity, loop.variables) for loop in every] == [
        ("R", ("staff", "vacancies")),
        ("B", ("staff", "vacancies", "joining")),
    ]


def everything() -> Compiled:
    by = [{"where": {"role": ["chemist"]}}]
    return compiled(
        *FEEDBACKS,
        establishment={
            "vacancy_rate": cells(0.1),
            "over_time": [{"policy": "follow", "share": value(0.5), "delay": value(12.0)}],
        },
        supervision={
            "students": {"trainees": ["college.practice"], "time": value(0.1), "by": by},
            "new": {"first_year": {"role": ["helper"]}, "time": value(0.1), "by": by},
            "helpers": {"staff": {"role": ["helper"]}, "time": value(0.05), "by": by},
        },
        budgets={"all": {"of_opening": {"points": {"2025-10": value(1.0)}}}},
    )


def test_the_picture_names_loops_signs_delays_and_elasticities() -> None:
    text = loops_diagram.diagram(everything())
    root = ElementTree.fromstring(text)
    words = {node.text for node in root.iter(f"{SVG}text")}
    assert {"Small town <b>&", "Pressure", "burnout", "ε +0.8  ∥ 6 mo", "ε −0.5", "∥ 12 mo", "R1", "B1", "+",
            "−", "Money left for"} <= words  # fmt: skip
    assert {"burnout, reinforcing: Pressure → leaving → staff in post → delivered time → pressure"} <= words
    assert any("reinforcing, a change feeds itself" in (word or "") for word in words)


@pytest.mark.parametrize("names", [(), *[(name,) for name in FEEDBACKS], tuple(FEEDBACKS)])
def test_words_do_not_overlap_and_arrows_keep_clear_of_them(
    names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[routes.Routes] = []

    class Kept(routes.Routes):
        def __init__(self, boxes: dict[str, routes.Box]) -> None:
            super().__init__(boxes)
            kept.append(self)

    monkeypatch.setattr(loops_diagram, "Routes", Kept)
    loops_diagram.diagram(everything() if len(names) > 1 else compiled(*names))
    made = kept[0]
    standing = [*made.boxes.values(), *made.words]
    assert len(standing) > 20
    for i, box in enumerate(standing):
        assert not any(routes.overlap(box, other) for other in standing[i + 1 :])
    for points in made.curves:
        for box in made.boxes.values():
            assert not routes.inside(points, box).any()


def test_words_that_would_overlap_are_seen() -> None:
    made = routes.Routes({"a": (0.0, 0.0, 100.0, 40.0), "b": (300.0, 0.0, 400.0, 40.0)})
    way = made.arrow("a", "b")
    assert way[0, 0] > 100.0
    assert way[2, 0] < 300.0
    assert made.write([(200.0, 20.0), (200.0, 60.0)], ["word"], 10.0)[1] > 40.0
    assert routes.overlap((0, 0, 2, 2), (1, 1, 3, 3))
    assert not routes.overlap((0, 0, 2, 2), (2, 0, 3, 3))


def test_an_arrow_goes_round_a_box() -> None:
    boxes = {
        "a": (0.0, 0.0, 40.0, 20.0),
        "between": (180.0, 0.0, 220.0, 20.0),
        "b": (360.0, 0.0, 400.0, 20.0),
    }
    straight = routes.Routes({name: boxes[name] for name in ("a", "b")}).arrow("a", "b")
    assert routes.inside(routes.curve(straight), boxes["between"]).any()
    assert not routes.inside(routes.curve(routes.Routes(boxes).arrow("a", "b")), boxes["between"]).any()


def test_the_file_is_written_with_its_folder(tmp_path: Path) -> None:
    made = compiled("burnout").scenario
    loops_diagram.write(made, tmp_path / "below" / "loops.svg")
    assert ElementTree.parse(tmp_path / "below" / "loops.svg").getroot().tag.endswith("svg")


def test_the_command_writes_loops_beside_the_other_diagram(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = Path("scenarios/small_system.yaml").resolve()
    monkeypatch.chdir(tmp_path)
    assert cli.call(["diagram", str(file), "--loops"]) == 0
    assert capsys.readouterr().out.strip() == "small_system_loops.svg"
    assert "feedback loops" in Path("small_system_loops.svg").read_text(encoding="utf-8")
    assert cli.call(["diagram", str(file), "--loops"]) == 2
    assert "must not exist yet" in capsys.readouterr().err
    assert cli.call(["diagram", str(file)]) == 0
    assert "stocks and flows" in Path("small_system.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("on", [True, False])
def test_a_run_has_the_picture_of_its_loops_if_a_feedback_is_on(tmp_path: Path, on: bool) -> None:
    made = compiled("burnout", change={"burnout": {"on": on}}).scenario
    results = dataclasses.replace(synthetic.results(), scenario=made)
    for draw in running._pictures(results, no_figures=False):
        draw(tmp_path)
    assert (tmp_path / "figures" / "diagram.svg").is_file()
    assert (tmp_path / "figures" / "loops.svg").is_file() == on
