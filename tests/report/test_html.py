"""The HTML report: whole, safe, accessible, with an interval beside every headline."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

import made_comparison
import synthetic
from pharmsim import cli
from pharmsim.errors import OutputError
from pharmsim.report import figures, flow_picture, style, winners_figure
from pharmsim.report.html import data as html_data
from pharmsim.report.html import explained as html_explained
from pharmsim.report.html import figures as html_figures
from pharmsim.report.html import headline
from pharmsim.report.html import page as html
from pharmsim.report.html import tables as html_tables
from pharmsim.report.html import text as html_text
from pharmsim.results import files, manifest, reproduce
from pharmsim.results.labelled import Results
from pharmsim.scenario import shipped

EVIL = 'Rotation <b>&"'
VOID = {"meta", "img", "br", "link", "hr", "input"}


class Page(HTMLParser):
    """Tags with their attributes, checked to be closed in order; the text outside of style."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another"

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text += data

    def all(self, *names: str) -> list[dict[str, str | None]]:
        return [attrs for tag, attrs in self.tags if tag in names]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = made_comparison.write(tmp_path_factory.mktemp("made") / "run", (EVIL, "Career ladders"))
    return html.write(folder).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(source: str) -> Page:
    return Page(source)


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a single run, with need, pay and budgets."""
    folder = tmp_path_factory.mktemp("run") / "run"
    results = synthetic.results(draws=5, **synthetic.system())
    files.write(results, folder, also=[lambda partial: draw(results, partial)])
    return folder


def draw(results: Results, folder: Path) -> None:
    """Draw two of the pictures of a run."""
    with style.styled():
        for name, make in (("headcount", figures.headcount), ("retention", figures.retention_levels)):
            made = make(results)
            assert made is not None
            style.save(made[0], folder / "figures", name, "")


@pytest.fixture(scope="module")
def run_page(run_folder: Path) -> Page:
    return Page(html.write(run_folder, force=True).read_text(encoding="utf-8"))


# -- the file -----------------------------------------------------------------------------------------------


def addresses(page: Page) -> list[str]:
    """Everything that a browser would load, and everything that runs."""
    found = [value or "" for _, attrs in page.tags for key, value in attrs.items() if key in ("src", "href")]
    return [address for address in found if not address.startswith(("#", "data:image/svg+xml;base64,"))]


def test_nothing_is_loaded_and_nothing_runs(source: str, page: Page, run_page: Page) -> None:
    assert addresses(page) == addresses(run_page) == []
    assert addresses(Page('<img src="https://example.org/x.png">')) == ["https://example.org/x.png"]
    assert not page.all("script", "link", "iframe", "object", "base")
    assert not re.search(r"@import|url\(", source)
    assert not any(key.startswith("on") for _, attrs in page.tags for key in attrs)


def test_it_says_language_and_title_and_width(page: Page, source: str) -> None:
    assert page.all("html")[0]["lang"] == "en-GB"
    assert "<title>Compared with Base &lt;town&gt; &amp; co</title>" in source
    assert source.startswith("<!DOCTYPE html>")
    assert {attrs.get("charset") for attrs in page.all("meta")} >= {"utf-8"}


def headings(page: Page) -> list[int]:
    return [int(tag[1]) for tag, _ in page.tags if re.fullmatch("h[1-6]", tag)]


@pytest.mark.parametrize("which", ["page", "run_page"])
def test_headings_do_not_skip_a_level(which: str, request: pytest.FixtureRequest) -> None:
    levels = headings(request.getfixturevalue(which))
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b <= a + 1 for a, b in pairwise(levels))


@pytest.mark.parametrize("which", ["page", "run_page"])
def test_pictures_have_words_and_tables_have_heads(which: str, request: pytest.FixtureRequest) -> None:
    page: Page = request.getfixturevalue(which)
    assert len(page.all("img")) >= 2
    assert all(len(attrs.get("alt") or "") > 20 for attrs in page.all("img"))
    assert not page.all("svg")
    assert len(page.all("table")) == len(page.all("caption")) >= 4
    assert all(attrs.get("scope") in ("col", "row") for attrs in page.all("th"))


def test_places_in_the_page_are_named_once_and_found(page: Page) -> None:
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    wanted = {(attrs.get("href") or "").removeprefix("#") for attrs in page.all("a")}
    wanted |= {attrs["aria-labelledby"] for _, attrs in page.tags if "aria-labelledby" in attrs}  # type: ignore[misc]
    assert wanted <= set(ids)


def test_names_are_never_markup(source: str, page: Page) -> None:
    assert not page.all("i", "town", "roles", "x")
    assert "Rotation &lt;b&gt;&amp;" in source
    assert "<b>&" not in source
    assert f"{EVIL}." in page.text
    assert "Wards <i>&" in page.text


# -- contrast -----------------------------------------------------------------------------------------------


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_text_stands_out_from_what_is_behind_it(source: str) -> None:
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", source))
    pairs = [(text, behind) for text in ("ink", "soft", "accent") for behind in ("paper", "shade")]
    for text, behind in [*pairs, ("warn", "warnshade"), ("ink", "warnshade")]:
        assert contrast(colours[text], colours[behind]) >= 4.5, (text, behind)
    used = set(re.findall(r"color: (?:var\(--(\w+)\)|\w+)", source)) - {""}
    assert used <= {"ink", "soft", "accent", "warn"}
    assert contrast("#ffffff", "#000000") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") < 4.5


# -- what it says -------------------------------------------------------------------------------------------


def test_the_headline_has_an_interval_beside_every_number(page: Page) -> None:
    text = " ".join(page.text.split())
    assert "delivers 1.9 FTE more (0.7 to 3.2) in April 2028, better in 97 % of the draws" in text
    assert "and 5.6 FTE more (2.2 to 9.5) in October 2035" in text
    assert (
        "Retention (stability index, level “system”) in the year to October 2035: 0.6 points higher" in text
    )
    assert "Vacancy rate in October 2035: 0.40 points lower (from 0.68 lower to 0.24 higher)" in text
    assert "£2.7 million more (£1.1 to £4.6 million), £61 thousand (£24 to £104 thousand) for each" in text
    assert "Shops and Clinics lose 2.0 FTE (0.8 to 3.4), 0.26 (0.11 to 0.45) for 1 FTE gained" in text
    assert "36 % rests on effects that are assumptions" in text
    leads = re.findall(r"Compared with the base.*?assumptions\.", text)
    assert len(leads) == 2
    for lead in leads:
        numbers = re.findall(
            r"[\d.]+ (?:FTE|points|million|thousand) (?:more |lower |higher |less )?\(", lead
        )
        assert len(numbers) == 8


def test_what_an_unmeasured_effect_must_be_comes_first(page: Page) -> None:
    needed = page.text.index("needs a fall of 2.1 % in leaving")
    assert needed < page.text.index("Compared with the base")
    assert page.text.count("what must be true first") == 1
    sections = page.text[page.text.index("How large must the effect be?") :]
    assert sections.index("How large must the effect be?") < sections.index("What is done")


def test_warnings_and_assumptions_are_shown(page: Page) -> None:
    assert "Rotation has no post <x>" in page.text
    assert "base: feedbacks.training: changed nothing" in page.text
    assert "Adjustments: none" in page.text
    assert "guess <of> ours" in page.text


def test_every_scenario_says_who_loses(page: Page) -> None:
    titles = page.text.count("Winners and losers")
    assert titles >= 4  # heading and sentence of both scenarios
    assert page.text.count("Gains and losses of environments in delivered time") >= 2


def test_how_to_make_it_again(page: Page) -> None:
    for words in ("pharmsim compare base.yaml x.yaml", "commit abc", "1, 100, month", "d" * 64, "0" * 64):
        assert words in page.text


def test_without_draws_it_says_so(tmp_path: Path) -> None:
    folder = made_comparison.write(tmp_path / "run", draws=False)
    text = Page(html.write(folder).read_text(encoding="utf-8")).text
    assert "No draw was run" in text
    assert "1.9 FTE more (no range was run)" in text
    assert "nan" not in text


def test_without_attribution_it_is_shorter(tmp_path: Path, source: str) -> None:
    folder = made_comparison.write(tmp_path / "run", explained=False)
    text = html.write(folder).read_text(encoding="utf-8")
    for words in (
        "What each lever contributes",
        "What the difference rests on",
        "How large must the effect be",
    ):
        assert words not in text
        assert words in source


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A comparison as the command writes it."""
    folder = tmp_path_factory.mktemp("compared") / "run"
    scenarios = [str(shipped(name)) for name in ("tiny.yaml", "tiny_what_if.yaml")]
    words = ["--draws", "20", "--no-figures", "--no-attribution", "--out", str(folder)]
    assert cli.call(["compare", *scenarios, *words]) == 0
    return folder


def test_a_comparison_as_it_is_written_can_be_told(compared: Path) -> None:
    text = " ".join(Page(html.write(compared).read_text(encoding="utf-8")).text.split())
    assert re.search(r"the whole system (has|delivers) [\d.]+ FTE (more|less) \([\d. a-z]+\) in", text)
    assert "Who moves where" in text
    assert "Winners and losers in" in text


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        (
            (-0.2, 1.2),
            "assumptions make 120 % of the difference in delivered time (central values); better known ones",
        ),
        (
            (1.3, -0.3),
            "assumptions lessen the difference in delivered time (central values); better known ones make it",
        ),
    ],
)
def test_parts_that_cancel_are_told(tmp_path: Path, shares: tuple[float, ...], said: str) -> None:
    path = made_comparison.write(tmp_path / "run") / "grounds.csv"
    table = pd.read_csv(path)
    table.assign(share=shares).to_csv(path, index=False)
    told = " ".join(headline.in_full(html_data.read(path.parent), "Rotation"))
    assert said in " ".join(told.split())


def test_a_programme_of_many_levers_asks_first_things_first(tmp_path: Path) -> None:
    path = made_comparison.write(tmp_path / "run") / "break_even.csv"
    table = pd.read_csv(path)
    pd.concat([table.assign(lever=name) for name in "abcd"]).to_csv(path, index=False)
    assert len(headline.needed(html_data.read(path.parent), "Rotation")) == 4


def test_a_change_without_levers_and_money_is_told(tmp_path: Path) -> None:
    folder = made_comparison.write(tmp_path / "run", explained=False)
    for name in ("levers", "costs"):
        (folder / f"{name}.csv").unlink()
    text = Page(html.write(folder).read_text(encoding="utf-8")).text
    assert "it has no intervention of the library" in text
    assert "All costs together" not in text
    assert "nan" not in text


def test_a_run_is_told_from_start_to_end(run_page: Page) -> None:
    text = " ".join(run_page.text.split())
    assert re.search(r"People in post: [\d,]+ \([\d,]+ to [\d,]+\) in \w+ \d{4}, [\d,]+ \([\d,]+ to", text)
    assert re.search(r"Retention \(stability index, level “\w+”\) in the year to \w+ \d{4}: [\d.]+ %", text)
    assert "What services require and get" in text


# -- what the levers add, and how large they must be ---------------------------------------------------------


def table_of(folder: Path, name: str, **columns: object) -> html_data.ResultsFolder:
    """Change columns of a table, and read the folder again."""
    table = pd.read_csv(folder / f"{name}.csv")
    table.assign(**columns).to_csv(folder / f"{name}.csv", index=False)
    return html_data.read(folder)


def test_the_attribution_says_its_draws_and_its_method(tmp_path: Path) -> None:
    folder = made_comparison.write(tmp_path / "run")
    few = html_explained.attribution(
        table_of(folder, "attribution", draws=20, method="exact", error=0.0), "Rotation"
    )
    assert "all orders of the levers; 20 draws (not the 100 of the comparison" in few.caption
    assert len(few.heads) == 3
    read = table_of(folder, "attribution", draws=100, method="sampled", error=0.25)
    same = html_explained.attribution(read, "Rotation")
    assert same.caption.endswith("Method: a sample of the orders in which levers can come; 100 draws")
    assert same.heads[3] == "Error of sampling"
    assert {row[3].text for row in same.rows} == {"0.25"}


def test_the_opening_box_says_what_was_found_tidily(tmp_path: Path) -> None:
    folder = made_comparison.write(tmp_path / "run")
    said = {"criterion": "no loss until 2040-10", "found": "needs -2; enough in 9 % of draws"}
    read = table_of(folder, "break_even", **said)
    assert headline.needed(read, "Rotation")[0].endswith(
        "so that no loss until October 2040: needs −2; enough in 9 % of draws."
    )


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"p5": -9.0, "p95": -1.0, "assumed": -5.0, "median": -4.0}, "median −4 (−1 to −9)"),
        ({"p5": "", "p95": -1.0, "assumed": -5.0}, "−1 to more than was tried"),
        ({"p5": 1.0, "p95": "", "assumed": 5.0}, "1 to more than was tried"),
        ({"p5": "", "p95": "", "assumed": 5.0}, "more than was tried in most cases"),
        ({"p5": "", "p95": "", "assumed": 5.0, "draws": 0}, ""),
    ],
)
def test_sizes_that_were_not_found_are_more_than_was_tried(row: dict[str, object], said: str) -> None:
    assert html_explained._tried({"draws": 20, **row}) == said


def test_no_interval_from_a_single_draw_with_a_gain(tmp_path: Path) -> None:
    folder = made_comparison.write(tmp_path / "run")
    each = html_tables.costs(table_of(folder, "costs", words="no gain"), "Rotation").rows[-1]
    assert [cell.text for cell in each[1:]] == ["no gain", "–"]


def test_one_lever_twice_is_told_apart(tmp_path: Path) -> None:
    folder = made_comparison.write(tmp_path / "run")
    table = pd.read_csv(folder / "levers.csv")
    first = table.iloc[[0]]
    pd.concat([first.assign(name=name, title="Rotation") for name in ("near", "far_away")]).to_csv(
        folder / "levers.csv", index=False
    )
    read = html_data.read(folder)
    assert headline.lever(read, "Rotation", "near") == "Rotation (near)"
    assert [row[0].text for row in html_tables.levers(read, "Rotation").rows] == [
        "Rotation (near)",
        "Rotation (far away)",
    ]


def test_texts_of_tables_are_tidied() -> None:
    assert html_text.tidy("no loss until 2040-10 (-0 to 15, -5, -£3, 2040-10-01) non-0 A-1") == (
        "no loss until October 2040 (0 to 15, −5, −£3, 2040-10-01) non-0 A-1"
    )


# -- numbers ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unit", "numbers", "said"),
    [
        ("FTE", (12.3, 4.1, 21.0), "12.3 FTE more (4.1 to 21.0)"),
        ("FTE", (-12.3, -21.0, -4.1), "12.3 FTE less (4.1 to 21.0)"),
        ("FTE", (2.0, -3.0, 7.0), "2.0 FTE more (from 3.0 less to 7.0 more)"),
        ("heads", (0.0, 0.0, 0.0), "no difference at all"),
        ("share", (0.0123, 0.01, 0.02), "1.2 points more (1.0 to 2.0)"),
        ("GBP per year", (2.5e6, 1e6, 4e6), "£2.5 million a year more (£1.0 to £4.0 million)"),
        ("GBP", (500.0, 100.0, 900.0), "£500 more (£100 to £900)"),
        ("GBP", (2e5, -9e5, 1.3e6), "£200 thousand more (from £900 thousand less to £1,300 thousand more)"),
    ],
)
def test_differences_in_words(unit: str, numbers: tuple[float, ...], said: str) -> None:
    row = {"unit": unit, **dict(zip(("median", "p5", "p95"), numbers, strict=True))}
    assert html_text.change(row) == said


def test_shares_are_never_rounded_to_certainty() -> None:
    shares = [html_text.share(value).replace("\xa0", " ") for value in (-0.3, 0.0, 0.001, 0.5, 0.999, 1.0)]
    assert shares == ["−30 %", "0 %", "less than 1 %", "50 %", "more than 99 %", "100 %"]


# -- bad input ----------------------------------------------------------------------------------------------


def remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def both(folder: Path) -> None:
    remove("flows.csv")(folder)
    remove("displacement.csv")(folder)


def without_column(folder: Path) -> None:
    for name, column in (("flows", "to"), ("costs", "unit")):
        table = pd.read_csv(folder / f"{name}.csv")
        table.drop(columns=column).to_csv(folder / f"{name}.csv", index=False)


def no_numbers(folder: Path) -> None:
    text = (folder / "costs.csv").read_text(encoding="utf-8")
    (folder / "costs.csv").write_text(text.replace("2500000.0", "much"), encoding="utf-8")


def elsewhere(folder: Path) -> None:
    text = (folder / "manifest.json").read_text(encoding="utf-8")
    (folder / "manifest.json").write_text(text.replace("scenarios/00", "../../x"), encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (remove("manifest.json"), r"must be a results folder; it has no manifest\.json"),
        (both, r"missing: flows\.csv, displacement\.csv\. Make it again with `pharmsim compare`"),
        (
            without_column,
            r"(?s)flows\.csv: must have the columns .*; missing: to\..*costs\.csv.*; missing: unit\.",
        ),
        (no_numbers, r"costs\.csv: must be a table; cannot be read \(.*much"),
        (remove("scenarios/00/scenario.json"), r"scenario\.json: must hold the scenario"),
        (remove("scenarios/01/assumptions.csv"), r"assumptions\.csv: must be a table; cannot be read"),
        (elsewhere, r"scenarios must name the folder of every scenario inside"),
    ],
)
def test_a_folder_that_is_not_whole(spoil: Callable[[Path], None], message: str, tmp_path: Path) -> None:
    folder = made_comparison.write(tmp_path / "run")
    spoil(folder)
    with pytest.raises(OutputError, match=message) as error:
        html.write(folder)
    assert error.value.exit_code == 2
    assert not (folder / html.NAME).exists()


def test_the_command(run_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "sent.html"
    words = ["report", str(run_folder), "--out", str(target)]
    assert cli.call(words) == 0
    assert capsys.readouterr().out.strip() == str(target)
    assert cli.call(words) == 2
    assert "must not exist yet" in capsys.readouterr().err
    target.write_text("old", encoding="utf-8")
    assert cli.call([*words, "--force"]) == 0
    assert target.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert cli.call(["report", str(tmp_path / "nowhere")]) == 2
    assert "there is no such folder" in capsys.readouterr().err
    assert cli.call([*words[:-1], str(tmp_path / "a" / "b.html")]) == 2
    assert "must be a place that can be written" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["sent.html"]


def test_a_run_with_a_report_is_still_reproduced(run_folder: Path, run_page: Page) -> None:
    assert (run_folder / html.NAME).is_file()
    made = manifest.read(run_folder)
    changed, whole = reproduce.changed_outputs(run_folder, made["outputs"])
    assert whole
    assert changed == []


# -- many scenarios, and pictures ---------------------------------------------------------------------------


def test_with_many_scenarios_each_is_short_at_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        html_figures, "drawn", lambda make, alt, caption: html_figures.Picture("", alt, caption)
    )
    folder = made_comparison.write(tmp_path / "run", tuple("ABCDE"))
    text = Page(html.write(folder).read_text(encoding="utf-8")).text
    first = text[: text.index("Warnings")]
    assert first.count("Compared with the base") == 5
    assert "Retention (stability" not in first
    assert text.count("Retention (stability index") == 5


def test_a_picture_of_the_folder_says_its_own_title(run_page: Page) -> None:
    words = [attrs["alt"] or "" for attrs in run_page.all("img")]
    assert "People in post, by role. The numbers are in the tables." in words


def test_a_picture_of_all_scenarios_is_named_by_its_title_and_not_by_a_panel(tmp_path: Path) -> None:
    path = tmp_path / "trajectories.svg"
    texts = '<text style="font: 700 9px x">A scenario</text><text style="font: 700 12px x">Over time</text>'
    path.write_text(f'<svg viewBox="0 0 100 90">{texts}</svg>', encoding="utf-8")
    made = html_figures.taken(path)
    assert made.caption == "Over time"
    assert made.alt.startswith("Over time. A row for each scenario: lines")
    assert made.tall
    path.write_text(f'<svg viewBox="0 0 100 50">{texts}</svg>', encoding="utf-8")
    assert not html_figures.taken(path).tall


def test_joint_posts_stand_beside_their_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[pd.DataFrame] = []
    monkeypatch.setattr(
        html_figures,
        "flow_picture",
        lambda ends, title, changes: seen.append(ends) or style.new_figure(title),
    )
    folder = made_comparison.write(tmp_path / "run")
    table = pd.read_csv(folder / "flows.csv")
    joint = {
        "from": "chemist/shop",
        "to": "chemist/shop/new_roles",
        "from_kind": "post",
        "to_kind": "joint post",
    }
    pd.concat([table, table.iloc[[0]].assign(**joint, difference=7.0)]).to_csv(
        folder / "flows.csv", index=False
    )
    read = html_data.read(folder)
    html_figures.flows(read, "Rotation")
    (row,) = seen[0][seen[0]["to_kind"] == "joint post"].to_dict("records")
    assert (row["from"], row["to"], row["heads"]) == ("Shops", "Shops, joint: new roles", 7.0)
    names = [row[0].text for row in html_tables.flows(read, "Rotation").rows]
    assert "Shops, Chemist → Shops, Chemist, joint posts (new roles)" in names
    assert flow_picture._of_kind(seen[0], "to", True).count("Shops, joint: new roles") == 1


# -- answers of solve ---------------------------------------------------------------------------------------


def test_an_answer_of_solve_is_told(tmp_path: Path) -> None:
    words = ["--target", "fte +1 %", "--lever", "leaving.other_system.rate", "--from", "x 1", "--to", "x 0.5"]
    folder = tmp_path / "answer"
    asked = ["solve", str(shipped("tiny.yaml")), *words, "--by", "31 March 2030", "--by", "1 November 2026"]
    cli.call([*asked, "--draws", "20", "--out", str(folder)])
    page = Page(html.write(folder).read_text(encoding="utf-8"))
    text = " ".join(page.text.split())
    for said in (folder / "answer.txt").read_text(encoding="utf-8").splitlines():
        assert said in text
    for said in (
        "Target “fte +1 %”: Tiny",
        "Difference the levers make, median",
        "Year to 31 March 2030",
        "What the levers rest on",
    ):
        assert said in text
    assert "Year to 31 October 2026" not in text
    assert "pharmsim reproduce" not in text
    assert "nan" not in text
    assert len(page.all("img")) == 1


def test_a_folder_of_another_kind_is_refused(tmp_path: Path) -> None:
    folder = made_comparison.write(tmp_path / "run")
    text = (folder / "manifest.json").read_text(encoding="utf-8")
    (folder / "manifest.json").write_text(text.replace('"comparison"', '"sweep"'), encoding="utf-8")
    with pytest.raises(OutputError, match="it holds a sweep"):
        html.write(folder)


def test_bands_hold_everybody_but_the_thinnest() -> None:
    ends = pd.DataFrame(
        {"from": ["a", "a", "b", "a"], "to": ["x", "x", "x", "y"], "heads": [60.0, 40.0, -50.0, 0.4]}
    )
    bands, left_out = flow_picture.bands_of(ends)
    assert bands.to_dict("list") == {"from": ["a", "b"], "to": ["x", "x"], "heads": [100.0, -50.0]}
    assert left_out == pytest.approx(0.4)


def test_winners_and_losers_are_on_their_sides_of_zero() -> None:
    frame = pd.DataFrame(
        {"role": ["r", "r", "all", "all"], "environment": ["a", "b", "a", "b"],
         "difference": [-2.0, 3.0, -2.0, 3.0], "median": [-1.0, 4.0, -1.0, 4.0],
         "p5": [-3.0, 1.0, -3.0, 1.0], "p95": [0.5, 6.0, 0.5, 6.0]}
    )  # fmt: skip
    with style.styled():
        axes = winners_figure.winners_and_losers(frame, str.upper, "time").axes[0]
    assert [bar.get_width() for bar in axes.containers[0]][:2] == [-1.0, 4.0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["A", "B", "All environments"]


def test_moves_inside_an_environment_are_not_drawn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[pd.DataFrame] = []

    def keep(ends: pd.DataFrame, title: str, changes: bool) -> object:
        seen.append(ends)
        return style.new_figure(title)

    monkeypatch.setattr(html_figures, "flow_picture", keep)
    folder = html_data.read(made_comparison.write(tmp_path / "run"))
    made = html_figures.flows(folder, "Rotation")
    assert not (seen[0]["from"] == seen[0]["to"]).any()
    assert seen[0]["heads"].sum() == pytest.approx(4.0 + 8.0 - 1.0 - 5.0 - 0.01)
    assert "the largest: Shops to Wards <i>& 8.0, Wards <i>& to Retirement −5.0" in made.alt
