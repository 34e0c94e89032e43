"""Fan charts, one possible future, and where the newly qualified are later."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tests import made

import pharmsim
from pharmsim.compiled.draws import Engine
from pharmsim.report import chance_figures, figures, style, trainees_figure
from pharmsim.results import trainees
from pharmsim.results.labelled import Results
from pharmsim.results.tables import main_tables


@pytest.fixture(scope="module")
def futures() -> Results:
    """A post of 3, one of 8, one of nobody; people leave and are replaced by chance."""
    posts = [made.post("small"), made.post("large", environment="dale"), made.post("empty", role="blue")]
    some = {"low": "20 %", "high": "40 %", "value": "30 %", "source": "made up", "evidence": "assumption"}
    scenario = made.made(24, posts, made.by_post(small=3, large=8, empty=0), leaving={"gone": {"rate": some}})
    return pharmsim.run(scenario, 6, 1, engine=Engine("chain", 4))


def test_one_future_shows_whole_people_of_the_smallest_post_first(futures: Results) -> None:
    with style.styled():
        made_up = chance_figures.one_future(futures)
        assert made_up is not None
        figure, note = made_up
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in panels] == [
        "Red, Hill",
        "Red, Dale",
    ]  # without the empty post
    lines = {line.get_label(): np.asarray(line.get_ydata()) for line in panels[0].get_lines()}
    heads = futures.data["headcount"].sel(post="small").sum(("group", "contract")).values
    assert np.array_equal(lines["one possible future"], heads[1])
    assert np.array_equal(lines["one possible future"], np.round(lines["one possible future"]))
    assert np.allclose(lines["central values: mean of replicates"], heads[0])
    assert "not chosen" in note
    assert "24 futures: draws and chance" in note


def test_the_fan_holds_half_and_nine_tenths(futures: Results) -> None:
    with style.styled():
        made_up = chance_figures.fan(futures)
        assert made_up is not None
    axes = made_up[0].axes[0]
    labels = [str(one.get_label()) for one in axes.collections]
    assert labels == ["90 % of futures", "50 % of futures"]
    wide, narrow = (one.get_paths()[0].get_extents().height for one in axes.collections)
    assert wide > narrow > 0.0


def test_few_rows_and_expectations_have_no_such_pictures(futures: Results) -> None:
    few = replace(futures, data=futures.data.isel(draw=slice(0, 10)))
    assert chance_figures.fan(few) is None
    expected = replace(futures, meta={**futures.meta, "engine": "cohort"})
    assert chance_figures.one_future(expected) is None


@pytest.mark.parametrize(
    ("meta", "said"),
    [
        ({"engine": "cohort"}, "central values; bands 5–95 % of 24 draws"),
        ({"engine": "chain", "drawn": 6}, "5–95 % of 24 futures: draws and chance"),
        ({"engine": "chain", "drawn": 0}, "5–95 % of 24 futures: chance alone"),
    ],
)
def test_footnotes_say_of_what_the_bands_are(futures: Results, meta: dict[str, object], said: str) -> None:
    assert said in style.footnote(replace(futures, meta=meta))


def test_the_band_of_a_year_holds_its_months_whole(futures: Results) -> None:
    """Twelve months with one person in one row of twenty: the year has one band, and nothing flickers."""
    values = np.full((20, 25), 3.0)
    values[0, :12:3] = 1.0
    values[:4, 15] = 2.0
    values[:, 24] = 9.0  # the last date belongs to the last year
    low, high = chance_figures._by_year(2026.25 + np.arange(25) / 12.0, values)
    assert low.tolist() == [3.0] * 25
    assert high.tolist() == [3.0] * 12 + [9.0] * 13


def test_the_line_at_the_foot_of_joiners_fits_with_many_futures(futures: Results) -> None:
    with style.styled():
        made_up = figures.joiners_and_leavers(futures)
        assert made_up is not None
        figure, note = made_up
        style.put_foot(figure, style.footnote(futures, note).replace("24 futures", "65,536 futures"))
        assert figure.texts[-1].get_window_extent().x1 < figure.bbox.x1


# -- where the newly qualified are later ---------------------------------------------------------------------

EVENTS = [
    # replicate, person, date, event, from, to
    (0, "a", "2026-08-01", "registers", "school", ""),
    (0, "a", "2026-08-01", "looks_for_post", "school", ""),
    (0, "a", "2027-02-01", "starts", "newly_qualified", "small"),
    (0, "a", "2028-03-01", "leaves", "small", "break"),
    (0, "b", "2026-09-01", "registers", "school", ""),
    (0, "b", "2026-09-02", "leaves_area", "school", ""),
    (1, "a", "2027-03-01", "registers", "school", ""),
    (1, "a", "2027-03-01", "starts", "newly_qualified", "large"),
    (1, "a", "2028-02-28", "moves", "large", "small"),
    (1, "late", "2027-04-01", "registers", "school", ""),
    (1, "old", "2026-04-01", "in_post", "", "small"),
]


@pytest.fixture
def log(futures: Results) -> Results:
    import pyarrow as pa

    frame = pd.DataFrame(EVENTS, columns=["replicate", "person", "date", "event", "from", "to"])
    frame.insert(0, "draw", 1)
    frame["date"] = pd.to_datetime(frame["date"])
    scenario = futures.scenario.model_copy(update={"pools": {"break": None}})
    times = pd.date_range("2026-04-01", "2029-04-01", freq="MS").to_numpy()
    data = futures.data.isel(time=[0] * len(times)).assign_coords(time=times)
    return replace(futures, scenario=scenario, data=data, logs={"careers": pa.Table.from_pandas(frame)})


def test_everybody_is_followed_from_their_own_day(log: Results) -> None:
    """The run has three years: whoever registers late in the first can be followed for two."""
    found = trainees.followed(log)
    assert len(found) == 3
    assert list(found.columns) == ["pipeline", 0, 1, 2]
    assert found.loc[(1, 0, "a"), [1, 2]].tolist() == ["small", "in a pool"]
    assert found.loc[(1, 0, "b"), [1, 2]].tolist() == ["left the area", "left the area"]
    assert found.loc[(1, 1, "a"), [1, 2]].tolist() == ["small", "small"]


def test_the_table_counts_people_of_a_future(log: Results) -> None:
    table = trainees.trainees_table(log)
    year = table[table["years"] == 1].set_index("where")
    assert year.loc["small", ["role", "environment", "people"]].tolist() == ["red", "hill", 1.0]
    assert year.loc["left the area", ["people", "p5", "p95"]].tolist() == pytest.approx([0.5, 0.05, 0.95])
    assert year["share"].sum() == pytest.approx(1.0)
    assert table.groupby("years")["people"].sum().tolist() == [1.5] * 3


def test_nobody_to_follow(log: Results, futures: Results) -> None:
    assert trainees.trainees_table(futures).empty
    assert "trainees_in_ten_years" not in main_tables(futures)
    short = replace(log, data=log.data.isel(time=slice(0, 20)))
    assert trainees.followed(short).empty


def test_the_picture_has_a_column_for_each_year(log: Results, tmp_path: Path) -> None:
    with style.styled():
        made_up = trainees_figure.trainees(log)
        assert made_up is not None
        figure, note = made_up
        texts = [text.get_text() for text in figure.axes[0].texts]
        assert style.save(figure, tmp_path, "trainees", note)[0].stat().st_size > 5_000
    assert [text for text in texts if "year" in text or text == "registers"] == [
        "registers",
        "1 year",
        "2 years",
    ]
    assert figure.axes[0].get_title(loc="left") == "School: 2 people register in the first year"
    assert any(text.startswith("Away, may come back  33 %") for text in texts)
    assert note.endswith("without those who drop out or fail before")
    assert trainees_figure.trainees(replace(log, logs={})) is None


def test_a_run_of_chance_has_the_pictures(futures: Results, tmp_path: Path) -> None:
    names = {path.stem for path in figures.write_figures(futures, tmp_path)}
    assert {"fan", "one_future"} <= names
    assert "trainees" not in names
