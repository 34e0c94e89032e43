"""Figures of attribution, break-even effects and evidence, from rows as they stand in the CSV files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from pharmsim.report import attribution_figures as figures
from pharmsim.report import style

PARTS = {"first_lever": 3.0, "second_lever": -1.0}


def attribution(parts: dict[str, float] = PARTS, **more: Any) -> pd.DataFrame:
    whole, alone = sum(parts.values()), {name: 1.1 * value for name, value in parts.items()}
    rows: list[dict[str, Any]] = []
    for quantity, over, unit, size in (
        ("delivered_fte", "date", "FTE", 1.0),
        ("total_cost", "cumulated", "GBP", 1e6),
        ("stability_index", "year", "share", 0.01),
    ):
        told = {"scenario": "A/B", "quantity": quantity, "level": "whole" if unit == "share" else ""}
        told |= {"over": over, "date": "2030-04-01", "unit": unit, "method": "exact", "draws": 20}
        values = {**parts, "interaction": whole - sum(alone.values()), "total": whole}
        for name, value in values.items():
            one = {"lever": name, "value": size * value, "alone": size * alone.get(name, np.nan)}
            ends = {"p5": size * (value - 0.5), "p95": size * (value + 0.5)}
            rows.append({**told, **one, **ends, **more})
    return pd.DataFrame(rows)


def needed(size: float, p5: float = np.nan, p95: float = np.nan) -> dict[str, Any]:
    told = {"scenario": "A/B", "lever": "first_lever", "effect": "leaving", "unit": "%", "draws": 20}
    told |= {"assumed": -5.0, "low": -10.0, "high": -2.0}
    return {**told, "break_even": -5.0 * size, "p5": -5.0 * p95, "p95": -5.0 * p5}


def texts(figure: Figure) -> list[str]:
    found = [label.get_text() for axes in figure.axes for label in axes.get_yticklabels()]
    found += [text.get_text() for axes in figure.axes for text in axes.texts]
    return found + [axes.get_title(loc="left") for axes in figure.axes if axes.get_visible()]


def bars(figure: Figure, panel: int = 0) -> np.ndarray:
    """Where every bar begins and ends; panels alternate: bars, intervals."""
    patches = [patch.get_bbox() for patch in figure.axes[panel].patches]  # type: ignore[attr-defined]
    return np.array([(box.x0, box.x1) for box in patches])


@pytest.fixture(autouse=True)
def _styled() -> Any:
    with style.styled():
        yield


def test_bars_stand_one_behind_the_other_up_to_the_total() -> None:
    figure = figures.waterfall(attribution())
    assert bars(figure) == pytest.approx(np.array([(0, 3), (3, 2), (0, 2), (2.2, 2.0)]))
    assert bars(figure, 4) == pytest.approx(np.array([(0, 3), (3, 2), (0, 2), (2.2, 2.0)]))  # £ million
    assert figure.axes[4].get_xlabel() == "£ million"
    assert {"first lever", "second lever", "total", "interaction"} <= set(texts(figure))
    assert {"Delivered FTE", "Retention, whole", "Cost since the start"} <= set(texts(figure))


def test_less_is_hatched_so_that_grey_prints_show_it() -> None:
    patches: list[Any] = list(figures.waterfall(attribution()).axes[0].patches)
    hatches = [patch.get_hatch() or "" for patch in patches]
    assert hatches == ["", figures.LESS, "", figures.MIXED]


def test_intervals_start_from_zero_and_the_total_shows_both_its_middles() -> None:
    """The central value is 2, the median 2.3: both are marked, and the interval is where it is."""
    frame = attribution()
    frame["median"] = frame["value"] + 0.3
    axes = figures.waterfall(frame).axes[1]
    total = [line.get_xdata() for line in axes.lines if {2.0} == {*line.get_ydata()}]
    assert [list(x) for x in total if len(x) == 2] == [[1.5, 2.5]]
    assert sorted(x[0] for x in total if len(x) == 1 and np.isfinite(x[0])) == pytest.approx([2.0, 2.3])
    second = [line.get_xdata() for line in axes.lines if list(line.get_ydata()) == [1.0, 1.0]]
    assert [list(x) for x in second if len(x) == 2] == [[-1.5, -0.5]]  # not behind the first lever


def test_fte_in_post_are_drawn_only_where_nothing_is_delivered() -> None:
    frame = attribution()
    posts = frame[frame["quantity"] == "delivered_fte"].assign(quantity="fte")
    assert "FTE in post" not in texts(figures.waterfall(pd.concat([frame, posts])))
    assert "FTE in post" in texts(figures.waterfall(posts))


def test_one_lever_has_no_interaction_and_the_last_date_is_shown() -> None:
    earlier = attribution({"first_lever": 9.0}, date="2028-04-01")
    figure = figures.waterfall(pd.concat([earlier, attribution({"first_lever": 3.0})]))
    assert bars(figure) == pytest.approx(np.array([(0, 3), (0, 3)]))
    assert "interaction" not in texts(figure)


def test_frames_without_draws_are_drawn() -> None:
    frame = attribution().drop(columns=["p5", "p95"]).assign(draws=0, level=np.nan)
    assert len(figures.waterfall(frame).axes[0].patches) == 4
    assert figures.note("attribution", frame).endswith("no range was run")
    assert "sampled orders" in figures.note("attribution", frame.assign(method="sampled"))


def test_break_even_is_shown_in_multiples_of_what_is_assumed() -> None:
    figure = figures.break_even(pd.DataFrame([needed(1.5, 1.0, 2.0), needed(np.nan, 4.0)]))
    assert bars(figure) == pytest.approx(np.array([(0.4, 2.0)]))  # the range assumed
    marks = [line.get_xdata() for line in figure.axes[0].lines]
    assert any(np.allclose(x, [1.5]) for x in marks if len(x) == 1)
    assert any(np.allclose(x, [1.0, 2.0]) for x in marks if len(x) == 2)
    assert any(np.allclose(x, [4.0, figures.REACH]) for x in marks if len(x) == 2)
    assert {"not within reach", "first lever:\nleaving,\nassumed −5 % (−10 to −2)"} <= set(texts(figure))


def test_a_claim_of_no_effect_is_shown_in_multiples_of_its_range() -> None:
    row = {**needed(1.0), "assumed": 0.0, "low": -2.0, "high": 8.0, "break_even": 4.0, "median": 2.0}
    figure = figures.break_even(pd.DataFrame([row]))
    assert bars(figure) == pytest.approx(np.array([(-0.25, 1.0)]))
    marks = [list(line.get_xdata()) for line in figure.axes[0].lines]
    assert [0.0, 0.0] in marks
    assert [0.5] in marks
    assert [0.25] in marks


def test_grounds_show_the_share_of_the_whole() -> None:
    told = {"scenario": "A/B", "quantity": "delivered_fte", "over": "date", "unit": "FTE"}
    rows = [{**told, "grade": "proxy", "value": -1.0, "share": -0.25}]
    rows += [{**told, "grade": "assumption", "value": 5.0, "share": 1.25}]
    figure = figures.grounds(pd.DataFrame(rows))
    assert bars(figure)[:, 1] == pytest.approx([-1.0, 5.0])
    assert {"proxy", "assumption", " −25 % ", " 125 % "} <= set(texts(figure))


def test_futures_are_called_so() -> None:
    frame = pd.DataFrame({"draws": [20]})
    assert "lines 5–95 % of 20 futures" in figures.note("attribution", frame, "futures")


def test_every_table_has_a_picture_for_each_scenario(tmp_path: Path) -> None:
    both = pd.concat([attribution(), attribution().assign(scenario="C")])
    tables = {"attribution": both, "break_even": pd.DataFrame([needed(1.0)])}
    names = {path.name for path in figures.write(tables, tmp_path, "Scenario: x\nsomething else")}
    assert {"attribution_A_B.png", "attribution_C.svg", "break_even_A_B.svg"} <= names
    text = (tmp_path / "attribution_C.svg").read_text(encoding="utf-8")
    assert "Scenario: x  ·  beside it: C" in text
    assert "lines 5–95 % of 20 draws" in text
    assert "something else" not in text


def test_harm_that_is_always_borne_is_not_out_of_reach() -> None:
    figure = figures.break_even(pd.DataFrame([{**needed(np.nan, 4.0), "bound": "at most"}]))
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts] == ["all that was tried is borne"]
