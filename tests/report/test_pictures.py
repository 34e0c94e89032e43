"""Figures, diagram, description and summary: made for many shapes of scenario, with names escaped."""

from __future__ import annotations

import io
import re
import struct
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.console import Console

import synthetic
from pharmsim.report import describe, diagram, figures, style, summary, system_figures, system_text
from pharmsim.results import retention
from pharmsim.results.money import COSTS

EVIL = '<script>alert("$x$")</script> & $\\frac'
NAMES = {"headcount", "environments", "vacancies", "joiners_and_leavers", "training", "ages", "retention"}
SYSTEM = {"pressure", "time_use", "spending", "groups"}
GRADED: dict[str, Any] = {
    "grades": {"low": "Band 4", "high": "Band 7"},
    "posts": [
        {"post": post, "role": role, "environment": place, "grade": "high" if role == "chemist" else "low"}
        for post, role, place in synthetic.POSTS
    ],
}
SVG = "{http://www.w3.org/2000/svg}"


def shown(results: object, width: int = 140) -> str:
    stream = io.StringIO()
    summary.show(results, Console(file=stream, width=width), Path("results/x"))  # type: ignore[arg-type]
    return stream.getvalue()


@pytest.mark.parametrize("draws", [0, 5])
def test_every_figure_is_written_as_png_and_svg(tmp_path: Path, draws: int) -> None:
    results = synthetic.results(draws=draws, **synthetic.system(), **GRADED)
    paths = figures.write_figures(results, tmp_path)
    assert {path.stem for path in paths} == NAMES | SYSTEM
    assert {path.suffix for path in paths} == {".png", ".svg"}
    for path in paths:
        if path.suffix == ".png":
            width, height = struct.unpack(">II", path.read_bytes()[16:24])
            assert 600 < width < 1500
            assert 300 < height < 2000
        else:
            ElementTree.parse(path)


def test_figures_say_scenario_program_and_units(tmp_path: Path) -> None:
    figures.write_figures(synthetic.results(draws=5), tmp_path)
    text = (tmp_path / "figures" / "environments.svg").read_text(encoding="utf-8")
    assert "Small town &lt;b&gt;&amp;" in text
    assert "pharmsim 0." in text
    assert "bands 5–95 % of 5 draws" in text
    assert ">FTE<" in text


def test_names_in_figures_are_neither_markup_nor_mathematics(tmp_path: Path) -> None:
    roles = {"chemist": EVIL, "helper": "$\\oops$"}
    results = synthetic.results(name=EVIL, roles=roles, environments={"shop": EVIL, "ward": "Wards"})
    for path in figures.write_figures(results, tmp_path):
        if path.suffix == ".svg":
            assert "<script>" not in path.read_text(encoding="utf-8")
            ElementTree.parse(path)


def test_a_scenario_without_optional_parts_has_fewer_figures(tmp_path: Path) -> None:
    results = synthetic.results()
    bare = results.data[["headcount", "fte"]]
    paths = figures.write_figures(type(results)(results.scenario, bare, results.meta), tmp_path)
    assert {path.stem for path in paths} == {"headcount", "environments"}


@pytest.mark.parametrize(
    ("gone", "sections"),
    [
        ("pressure", {"need": None, "feedbacks": None}),
        ("time_use", {"working_time": None}),
        ("spending", {"pay": None, "budgets": {}}),
        ("groups", {"groups": {"all": "Everybody"}}),
        ("groups", {"grades": {}, "posts": synthetic.description()["posts"]}),
    ],
)
def test_a_picture_is_there_only_with_its_section(gone: str, sections: dict[str, Any]) -> None:
    whole = {**synthetic.system(), **GRADED}
    with style.styled():
        assert getattr(system_figures, gone)(synthetic.results(**whole)) is not None
        assert getattr(system_figures, gone)(synthetic.results(**{**whole, **sections})) is None


def test_pressure_has_a_panel_by_environment_and_a_line_at_balance() -> None:
    results = synthetic.results(draws=3, **synthetic.system())
    with style.styled():
        made = system_figures.pressure(results)
    assert made is not None
    panels = made[0].axes
    assert [axes.get_title(loc="left") for axes in panels] == ["Shops", "Wards"]
    for axes in panels:
        lines = {line.get_label(): line.get_ydata() for line in axes.get_lines()}
        assert set(lines) == {"Chemist", "Helper", "1: balanced"}
        assert list(lines["1: balanced"]) == [1.0, 1.0]
        assert lines["Chemist"] == pytest.approx(1.1)
        assert axes.get_ylim()[0] < 1.0
    assert "above 1: more is required" in made[1]


def test_bars_of_working_time_are_whole_and_frame_the_service() -> None:
    results = synthetic.results(**synthetic.system())
    with style.styled():
        made = system_figures.time_use(results)
    assert made is not None
    axes = made[0].axes[0]
    rows: dict[float, float] = {}
    framed: dict[float, float] = {}
    for bar in axes.patches:
        into = framed if bar.get_facecolor()[3] == 0.0 else rows
        into[round(bar.get_y(), 3)] = into.get(round(bar.get_y(), 3), 0.0) + bar.get_width()
    assert len(rows) == 8  # two roles, two environments, start and end
    assert list(rows.values()) == pytest.approx([1.0] * 8)
    data = results.central
    here = data["time_fte"].sel(post="chemist_shop").isel(time=0)
    assert next(iter(framed.values())) == pytest.approx(float(here.sel(use="care") / here.sum()))
    labels = axes.get_legend_handles_labels()[1]
    assert {"service: care", "absence: leave", "teaching", "learning"} <= set(labels)


def test_spending_stands_beside_the_budget_of_the_same_posts() -> None:
    results = synthetic.results(draws=3, **synthetic.system())
    with style.styled():
        made = system_figures.spending(results)
    assert made is not None
    panels = {axes.get_title(loc="left"): axes for axes in made[0].axes}
    assert set(panels) == {"Shops", "Wards", "Budget: chemists"}
    shown = {
        title: {str(line.get_label()): line.get_ydata() for line in axes.get_lines()}
        for title, axes in panels.items()
    }
    assert "budget" not in shown["Shops"]
    assert {"together", "budget"} <= set(shown["Wards"])
    data = results.central
    cost = sum(data[name].sel(post=["chemist_ward", "helper_ward"]).sum("post") for name in COSTS)
    assert shown["Wards"]["together"] == pytest.approx((12.0 * cost / 1e6).values)
    assert panels["Shops"].get_ylabel() == "£ million a year"


def test_groups_by_grade_sum_to_everybody() -> None:
    results = synthetic.results(**GRADED)
    with style.styled():
        made = system_figures.groups(results)
    assert made is not None
    axes = made[0].axes[0]
    rows = [text.get_text() for text in axes.get_yticklabels()]
    assert rows == ["Chemist, Band 7", "Helper, Band 4", "All"]
    assert sum(bar.get_width() for bar in axes.patches) == pytest.approx(6.0)
    heads = results.central["headcount"].isel(time=0).sum(["post", "contract"])
    share = float(heads.sel(group="f") / heads.sum())
    assert f"{share:.0%}" in {text.get_text() for text in axes.texts}


def test_lines_differ_without_colour() -> None:
    assert len(set(style.COLOURS)) == len(set(style.MARKERS)) == len({str(line) for line in style.LINES}) == 8


def test_the_diagram_shows_every_post_and_flow() -> None:
    made = synthetic.scenario()
    root = ElementTree.fromstring(diagram.diagram(made))
    texts = {node.text for node in root.iter(f"{SVG}text")}
    assert {
        "Helper",
        "Shops",
        "Wards",
        "Chemist",
        "outside",
        "retired",
        "break",
    } <= texts
    assert {"degree", "practice", "examination", "24 mo", "ladder (inside posts)"} <= texts
    titles = {node.text for node in root.iter(f"{SVG}title")}
    assert {
        "chemist_shop",
        "chemist_shop → chemist_ward",
        "helper_shop → chemist_shop (role change)",
    } <= titles


def test_boxes_of_the_diagram_do_not_overlap() -> None:
    posts = [
        {"post": f"{role}_{place}_{grade}", "role": role, "environment": place, "grade": grade}
        for role in ("chemist", "helper")
        for place in ("shop", "ward")
        for grade in ("low", "high")
    ]
    made = synthetic.scenario(posts=posts, grades={"low": "Low", "high": "High"}, moves=None, pipelines={})
    boxes = list(diagram.layout(made).boxes.values())
    assert len(boxes) == len(set(boxes)) == 8
    for i, (x, y) in enumerate(boxes):
        for u, v in boxes[i + 1 :]:
            assert abs(x - u) >= diagram.BOX_W or abs(y - v) >= diagram.BOX_H


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Pharmacy technician", ["Pharmacy", "technician"]),
        ("north.hospital_pharmacist", ["north.hospital", "pharmacist"]),
        ("short", ["short"]),
        ("pneumonoultramicroscopic name that is far too long", ["pneumonoultram…", "name that is f…"]),
        ("", [""]),
    ],
)
def test_names_in_boxes_break_between_words(text: str, lines: list[str]) -> None:
    assert diagram.wrapped(text, 15) == lines


def test_nothing_of_the_diagram_leaves_it() -> None:
    made = synthetic.scenario(name="A long name of a scenario " * 6)
    root = ElementTree.fromstring(diagram.diagram(made))
    width = float(root.attrib["width"])
    for node in root.iter(f"{SVG}text"):
        if "text-anchor" not in node.attrib:
            letters = 0.62 * float(node.attrib["font-size"]) * len(node.text or "")
            assert float(node.attrib["x"]) + letters < width, node.text


def test_a_picture_of_headcount_has_no_second_panel_where_fte_is_the_same() -> None:
    results = synthetic.results()
    same = results.data.assign(fte=results.data["headcount"].sum(["group", "contract"]))
    with style.styled():
        for data, panels in ((results.data, 2), (same, 1)):
            made = figures.headcount(type(results)(results.scenario, data, results.meta))
            assert made is not None
            assert len(made[0].axes) == panels


def test_legends_name_no_empty_flow_and_join_equal_levels() -> None:
    results = synthetic.results(draws=3)
    data = results.data.copy(deep=True)
    data["joiners"].loc[{"source": "outside"}] = 0.0
    for name in ("tagged", "kept"):
        data[name].loc[{"level": "system"}] = data[name].sel(level="environment").values
    changed = type(results)(results.scenario, data, results.meta)
    with style.styled():
        for make, there, gone in (
            (figures.joiners_and_leavers, "join: new", "join: outside"),
            (figures.training, "inside posts (no record before the start)", ""),
        ):
            made = make(changed)
            assert made is not None
            labels = made[0].axes[0].get_legend_handles_labels()[1]
            assert there in labels
            assert gone not in labels
        made = figures.retention_levels(changed)
        assert made is not None
        assert "does not start at 0" in made[1]


def test_long_names_stay_inside_the_line_at_the_foot() -> None:
    results = synthetic.results(draws=3, name="W" * 200)
    with style.styled():
        figure = style.new_figure("x")
        text = figure.text(0.01, 0.01, style.footnote(results, "note"), fontsize=7)
        box = text.get_window_extent(figure.canvas.get_renderer())  # type: ignore[attr-defined]
        assert box.x1 < figure.bbox.x1


def test_names_in_the_diagram_are_escaped(tmp_path: Path) -> None:
    made = synthetic.scenario(name=EVIL, roles={"chemist": EVIL, "helper": EVIL})
    diagram.write(made, tmp_path / "below" / "d.svg")
    text = (tmp_path / "below" / "d.svg").read_text(encoding="utf-8")
    assert "<script>" not in text
    ElementTree.fromstring(text)


def test_the_summary_has_roles_dates_retention_and_warnings() -> None:
    results = synthetic.results(draws=5)
    text = shown(results)
    kept = f"{100 * float(retention.stability_index(results.data, 'environment')[0, -1, 0]):.1f} %"
    for words in ("Chemist", "Oct 2025", "Oct 2030", "Oct 2031", "vacancy rate", "environment", kept,
                  "warning: a warning", "results/x", "by grade of evidence"):  # fmt: skip
        assert words in text
    assert " – " in text  # bands


def test_numbers_of_the_summary_do_not_wrap_at_80_columns() -> None:
    roles = {"chemist": "Pharmacy professional", "helper": "Pharmacy technician"}
    text = shown(synthetic.results(draws=5, roles=roles), 80)
    assert re.search(r"\d\.\d – \d+\.\d %", text)
    assert not re.search(r"– +│", text)
    assert not re.search(r"│ +% │", text)


def test_the_summary_shows_names_as_they_are() -> None:
    assert "[bold]x[/bold]" in shown(synthetic.results(name="[bold]x[/bold]"))


def test_a_description_has_sections_origins_and_uncertainties() -> None:
    text = describe.describe(synthetic.scenario())
    assert "4 posts:" in text
    assert "leaving.break.rate = 0.05 [0.03 – 0.08] per year, unstated" in text
    assert "2 uncertainties" in text
    data = describe.as_data(synthetic.scenario())
    assert data["scenario"]["name"] == "Small town <b>&"
    assert len(data["numbers"]) > 40


def test_a_description_says_what_there_is_around_the_people() -> None:
    posts = synthetic.description()["posts"]
    posts[1] |= {"split": {"ward": 0.6, "shop": 0.4}, "backfill_weeks": 4.0}
    sections = synthetic.system()
    sections["feedbacks"]["recruitment"]["on"] = False
    sections["need"]["delegation"] = [
        {"name": "checks", "from": {"role": ["chemist"]}, "to": "helper", "share": {"value": 0.1},
         "limit": {"value": 0.2}},
    ]  # fmt: skip
    sections["supervision"] = {
        "new": {"first_year": {}, "time": {"value": 0.1}, "by": [{"where": {"role": ["chemist"]}}]}
    }
    text = describe.describe(synthetic.scenario(posts=posts, **sections))
    for line in (
        "joint: 60% ward, 40% shop, 4 weeks of backfill on entry",
        "working time: absence leave; job plan: care, teaching, meetings (service: care)",
        "need: from required ÷ delivered at the start; follows items",
        "delegation checks: 10 % of the work in role chemist to helper, at most 0.2 FTE for each FTE at work",
        "new: first-year staff, 0.1 FTE for each head, by role chemist",
        "wards, environment ward: 100 % of the cost at the start; caps establishment and cover",
        "chemists, role chemist: £3,600,000 a year; shown only, caps nothing",
        "burnout: pressure on leaving (break), elasticity 0.5; perceived after 6 months, against the opening "
        "value, factor 1 to 1.5",
        "recruitment: off",
    ):
        assert line in text


def test_a_description_of_people_alone_says_nothing_of_what_is_not_there() -> None:
    assert system_text.system_lines(synthetic.scenario()) == []
    assert system_text.feedbacks_on(synthetic.scenario()) == []
    assert system_text.feedbacks_on(synthetic.scenario(**synthetic.system())) == ["burnout", "recruitment"]


def test_the_diagram_marks_joint_posts() -> None:
    posts = synthetic.description()["posts"]
    plain = diagram.diagram(synthetic.scenario(posts=posts))
    posts[1] |= {"split": {"ward": 0.6, "shop": 0.4}}
    joint = diagram.diagram(synthetic.scenario(posts=posts))
    assert "40% Shops" in joint
    assert "joint posts" in joint
    assert joint.count("<rect") == plain.count("<rect") + 1
    assert "joint posts" not in plain
