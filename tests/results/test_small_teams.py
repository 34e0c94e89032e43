"""Lasting gaps in small teams, counted in made-up futures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

import pharmsim
from made import made, post
from pharmsim.report import small_teams_figures, style
from pharmsim.results import small_teams
from pharmsim.results.labelled import Results
from pharmsim.results.tables import main_tables
from pharmsim.scenario import check_warnings

Array = np.ndarray
MONTHS = 12


def futures(heads: Any, replicates: int = 1, engine: str = "chain", **sections: Any) -> Results:
    """Results with given people, shape (run, time, post); the first row is that of the central values."""
    heads = np.asarray(heads, dtype=float)
    n_posts = heads.shape[2]
    posts = [post(f"p{i}", place=f"town{i % 2}") for i in range(n_posts)]
    labels = {"town0": "Upper town", "town1": "Lower town"}
    scenario = made(heads.shape[1] - 1, posts, heads=3, places=labels, **sections)
    run = pharmsim.run(scenario)
    data = run.data.isel(draw=np.zeros(len(heads), dtype=int)).copy(deep=True)
    data["headcount"].values[:] = heads[..., None, None]
    data.attrs["engine"] = engine
    return Results(scenario, data, {**run.meta, "engine": engine, "replicates": replicates})


def with_gaps(*months_away: list[int]) -> Array:
    """Two people in one post, shape (run, time, 1); in every run nobody in the months listed."""
    heads = np.full((len(months_away), MONTHS + 1, 1), 2.0)
    for run, months in enumerate(months_away):
        heads[run, months] = 0.0
    return heads


def test_a_gap_counts_from_its_third_month_to_its_end() -> None:
    gap = np.zeros((1, 8, 1), dtype=bool)
    gap[0, [0, 1, 3, 4, 5, 6]] = True
    assert small_teams.lasting(gap, 3)[0, :, 0].tolist() == [False] * 5 + [True, True, False]
    assert np.array_equal(small_teams.lasting(gap, 1), gap)
    assert not small_teams.lasting(gap, 5).any()


def test_runs_are_counted_and_the_central_values_are_not_a_run() -> None:
    heads = with_gaps(list(range(13)), [2, 3, 4], [3, 4, 5, 6], [7, 9, 11], [])
    chance = small_teams.chances(futures(heads))["empty"]
    assert chance.now[:, 0].tolist() == [0, 0, 0, 0, 0.25, 0.25, 0.25, 0, 0, 0, 0, 0, 0]
    assert chance.ever[:, 0].tolist() == [0] * 4 + [0.25] + [0.5] * 8


def test_below_the_smallest_safe_number() -> None:
    heads = np.full((3, MONTHS + 1, 2), 3.0)
    heads[1:, 4:8, 0] = [[1], [2]]  # with a minimum of two, one person is too few
    frame = small_teams.small_teams(
        futures(heads, safe_minimum={"rows": [{"where": {"post": "p0"}, "value": 2}]})
    )
    first = frame[frame["post"] == "p0"]
    assert first["below"].tolist() == [0] * 6 + [0.5, 0.5] + [0] * 5
    assert first["empty"].sum() == 0
    assert frame.loc[frame["post"] == "p1", "below"].sum() == 0
    assert frame["safe_minimum"].unique().tolist() == [2, 0]
    assert frame["place"].unique().tolist() == ["town0", "town1"]
    assert frame["people_at_start"].unique().tolist() == [3]


def test_without_a_smallest_safe_number_only_empty_posts_are_told() -> None:
    frame = small_teams.small_teams(futures(with_gaps([], [1, 2, 3])))
    assert "below" not in frame
    assert "safe_minimum" not in frame
    assert frame["empty"].max() == 1


def test_the_interval_is_that_of_wilson() -> None:
    low, high = small_teams.interval(np.array([0.0, 0.5, 1.0]), np.array([10.0, 10.0, 10.0]))
    assert low == pytest.approx([0.0, 0.236593, 0.722467], abs=1e-6)
    assert high == pytest.approx([0.277533, 0.763407, 1.0], abs=1e-6)


def test_replicates_of_a_draw_are_no_new_draws() -> None:
    """Four draws of 25 replicates: alike inside each draw they are four runs, in any order a hundred."""
    gap = list(range(13))
    alike = [gap if i < 50 else [] for i in range(100)]
    mixed = [gap if i % 2 else [] for i in range(100)]
    for runs, n in ((alike, 4), (mixed, 100)):
        chance = small_teams.chances(futures(with_gaps([], *runs), replicates=25))["empty"]
        low, high = small_teams.interval(np.array(0.5), np.array(float(n)))
        assert chance.now[-1, 0] == 0.5
        assert chance.low[-1, 0] == pytest.approx(low)
        assert chance.high[-1, 0] == pytest.approx(high)


def test_the_probability_is_that_of_a_chain_of_two_states() -> None:
    """Filled posts fall empty with 0.1 a month, empty ones are filled with 0.4: in the long run a fifth is
    empty, and 0.2 × 0.6² has been so for three months."""
    rng = np.random.default_rng(7)
    heads = np.ones((4001, 37, 1))
    for t in range(36):
        draw = rng.random(4001)
        heads[:, t + 1, 0] = np.where(heads[:, t, 0] > 0, draw >= 0.1, draw < 0.4)
    chance = small_teams.chances(futures(heads))["empty"]
    assert chance.now[-1, 0] == pytest.approx(0.2 * 0.6**2, abs=4 * np.sqrt(0.072 * 0.928 / 4000))
    assert chance.low[-1, 0] < 0.072 < chance.high[-1, 0]


def test_batches_of_draws_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    results = futures(rng.integers(0, 3, (13, 13, 2)), replicates=3)
    whole = small_teams.chances(results)["empty"]
    monkeypatch.setattr(small_teams, "LARGEST", 1)
    parts = small_teams.chances(results)["empty"]
    assert whole.now.any()
    for name in whole._fields:
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-12)


def test_fractions_of_people_and_single_runs_have_no_table() -> None:
    gap = with_gaps([], [1, 2, 3])
    assert "small_teams" in main_tables(futures(gap))
    assert "small_teams" not in main_tables(futures(gap, engine="cohort"))
    assert "small_teams" not in main_tables(futures(gap[:1]))


def test_a_panel_for_each_place() -> None:
    rng = np.random.default_rng(5)
    results = futures(rng.integers(0, 2, (41, 37, 4)), safe_minimum=1)
    with style.styled():
        made_up = small_teams_figures.empty(results)
        assert made_up is not None
        assert small_teams_figures.below(results) is not None
    figure, note = made_up
    assert [axes.get_title(loc="left") for axes in figure.axes if axes.get_visible()] == [
        "Upper town",
        "Lower town",
    ]
    assert note.startswith("40 possible futures")
    axes = figure.axes[0]
    axes.set_ylim(0.0, 0.3)
    ticks = [axes.yaxis.get_major_formatter()(tick) for tick in axes.get_yticks()]
    assert ticks[:3] == ["0 %", "5 %", "10 %"]


def test_no_picture_where_nothing_is_ever_empty() -> None:
    assert small_teams_figures.empty(futures(with_gaps([], []))) is None
    assert small_teams_figures.below(futures(with_gaps([], [1, 2, 3]))) is None
    assert small_teams_figures.empty(futures(with_gaps([], [1, 2, 3]), engine="cohort")) is None


def test_of_many_places_the_likeliest_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    heads = np.ones((3, 13, 2))
    heads[1:, :, 1] = 0
    monkeypatch.setattr(small_teams_figures, "PANELS", 1)
    with style.styled():
        made_up = small_teams_figures.empty(futures(heads))
    assert made_up is not None
    assert [axes.get_title(loc="left") for axes in made_up[0].axes] == ["Lower town"]
    assert made_up[1].endswith("the 1 of 2 places where it is likeliest")


def test_a_range_of_the_minimum_has_no_effect_and_a_warning() -> None:
    with_range = {"value": 2, "low": 1, "high": 3, "source": "our rota", "evidence": "assumption"}
    found = check_warnings(made(safe_minimum=with_range))
    assert [text for text in found if text.startswith("safe_minimum: its range has no effect")]
    assert not [text for text in check_warnings(made(safe_minimum=2)) if "safe_minimum" in text]


def test_the_shipped_boroughs_have_a_minimum_for_every_post() -> None:
    scenario = pharmsim.load("scenarios/sel/boroughs.yaml")
    data = xr.Dataset(coords={"post": [p.post for p in scenario.posts]})
    minimum = small_teams.safe_minimum(Results(scenario, data))
    assert minimum is not None
    assert (minimum >= 1).all()
