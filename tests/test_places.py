"""South East London by borough, and the boards of England: what their tables add up to, and make."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import pharmsim
from pharmsim.results import measures
from pharmsim.results.labelled import Results
from pharmsim.scenario.calibrated import as_calibrated
from pharmsim.scenario.expand import central

ROOT = Path(__file__).parents[1]
SEL = ROOT / "scenarios" / "sel"
DATA = SEL / "data"
NATIONAL = ROOT / "scenarios" / "national"
BOROUGHS = ["bexley", "bromley", "greenwich", "lambeth", "lewisham", "southwark"]
SAME, SAME_SMALL = 0.03, 0.15
"""Largest difference of a role in an environment from the baseline, at any time; and with small teams."""


@pytest.fixture(scope="module")
def boroughs() -> Results:
    return pharmsim.run(pharmsim.load(SEL / "boroughs.yaml"))


def table(name: str) -> pd.DataFrame:
    return pd.read_csv(DATA / f"{name}.csv")


def test_boroughs_add_up_to_the_baseline_in_whole_people() -> None:
    posts = table("borough_posts").set_index("post")
    heads = table("borough_headcount").set_index("post")["headcount"].rename("own")
    assert sorted(posts["place"].unique()) == BOROUGHS
    assert (heads % 1 == 0).all()
    assert heads.min() >= 1
    base = pharmsim.load(SEL / "baseline.yaml")
    cell = {post.post: (post.role, post.environment) for post in base.posts}
    wanted = table("headcount").set_index("post")["headcount"].rename(index=cell)
    found = posts.join(heads).groupby(["role", "environment"])["own"].sum()
    assert found.to_dict() == wanted.to_dict()


@pytest.mark.parametrize(
    ("name", "column", "base"),
    [("pools", "career_break", "pools"), ("pools", "left_profession", "pools"), ("hires", "abroad", "hires")],
)
def test_what_is_divided_by_size_adds_up(name: str, column: str, base: str) -> None:
    total = table(base)[column].sum()
    assert table(f"borough_{name}")[column].sum() == pytest.approx(total, abs=0.005)


def test_training_leads_to_every_post_of_the_baseline_s_destinations() -> None:
    for pipeline in ("foundation", "technician_trainees"):
        assert table(f"borough_{pipeline}")["share"].sum() == pytest.approx(1.0, abs=1e-8)
    assert table("borough_apprentices")["intake"].sum() == pytest.approx(10.2, abs=1e-4)
    routes = table("borough_routes")
    assert (routes["from"].str.rpartition("_")[2] == routes["to"].str.rpartition("_")[2]).all()


def test_every_site_and_every_network_is_somewhere_once() -> None:
    sites = table("trust_sites")
    shares = sites.groupby(["environment", "ods_code"])["share"].sum()
    assert shares.to_numpy() == pytest.approx(np.ones(len(shares)))
    assert ((sites["low"] <= sites["share"]) & (sites["share"] <= sites["high"])).all()
    networks = table("pcn_by_borough")
    assert len(networks) == networks["pcn_code"].nunique() == 35
    assert networks[["pharmacist", "pharmacy_technician"]].sum().tolist() == [163, 16]
    assert set(networks["place"]) == set(sites["place"]) == set(BOROUGHS)


def test_moves_between_boroughs_are_half_of_the_changes_of_employer() -> None:
    scenario = pharmsim.load(SEL / "boroughs.yaml")
    cell = {post.post: (post.role, post.environment, post.place) for post in scenario.posts}
    moves = as_calibrated(scenario).moves
    assert moves is not None
    rates: dict[str, float] = {}
    for edge in moves.edges:
        if cell[edge.from_][:2] == cell[edge.to][:2]:
            rates[edge.from_] = rates.get(edge.from_, 0.0) + edge.rate.value * moves.factor.value
    assert scenario.employer_change is not None
    rest = central(scenario.employer_change.rate, scenario, ["post", "group", "contract"])[:, 0, 0]
    kept = {post.post: rest[i] for i, post in enumerate(scenario.posts)}
    assert len(rates) > 70
    for post, rate in rates.items():
        assert rate + kept[post] == pytest.approx(0.08 if cell[post][1] == "community" else 0.03, rel=1e-4)


def test_all_boroughs_together_go_the_way_of_the_baseline(boroughs: Results) -> None:
    """Small teams have funded posts for whole people, which expectations fill to the last part of one."""
    base = pharmsim.run(pharmsim.load(SEL / "baseline.yaml"))
    by = ["role", "environment"]
    want, got = (measures.headcount(run.data, by).isel(draw=0) for run in (base, boroughs))
    cells = want["cell"].values
    ratio = got.sel(cell=cells).values / want.values
    scenario = boroughs.scenario
    small = {f"{p.role} / {p.environment}" for p in scenario.posts if p.attributes["team"] == "small"}
    with_small = np.isin(cells, list(small))
    assert 5 < with_small.sum() < len(cells)
    np.testing.assert_allclose(ratio[:, ~with_small], 1, rtol=SAME)
    np.testing.assert_allclose(ratio[:, with_small], 1, rtol=SAME_SMALL)
    assert abs(ratio - 1).max() > 1e-6


def test_small_teams_have_whole_funded_posts_in_every_draw() -> None:
    run = pharmsim.run(pharmsim.load(SEL / "boroughs.yaml"), draws=5, tags=False)
    small = [post.attributes["team"] == "small" for post in run.scenario.posts]
    funded = run.data["establishment_fte"].isel(time=0).values[:, small]
    assert (funded >= np.rint(funded)).all()
    assert funded == pytest.approx(np.rint(funded), abs=0.01)
    heads = run.data["headcount"].isel(time=0).sum(["group", "contract"]).values[:, small]
    assert heads == pytest.approx(np.rint(heads), abs=1e-6)


def test_only_small_teams_wait_longer_and_find_somebody_each_time() -> None:
    posts = table("borough_posts").set_index("post")
    heads = table("borough_headcount").set_index("post")["headcount"]
    hires = table("borough_hires").set_index("post")["elsewhere"]
    small = posts["team"] == "small"
    assert 20 < small.sum() < 40
    assert heads[small].max() < 20
    assert heads[~small & (posts["environment"] != "community")].min() >= 20
    assert (hires[small] == 12).all()
    scenario = pharmsim.load(SEL / "boroughs.yaml")
    assert scenario.hiring is not None
    assert scenario.hiring.time_to_fill is not None
    months = central(scenario.hiring.time_to_fill, scenario, ["post"])
    assert dict(zip(posts.index, months, strict=True)) == small.map({True: 9.0, False: 3.0}).to_dict()


def test_no_post_runs_away_in_two_years(boroughs: Results) -> None:
    heads = boroughs.data["headcount"].isel(draw=0).sum(["group", "contract"])
    change = heads.isel(time=24) / heads.isel(time=0) - 1
    assert float(abs(change).max()) < 0.17  # 16 %: the two people of a care home team
    staying = np.isin([post.environment for post in boroughs.scenario.posts], ["community", "hospital"])
    assert float(np.median(abs(change.values[staying]))) < 0.02  # elsewhere moves fill what stands empty


def test_boards_have_the_people_of_the_published_file() -> None:
    scenario = pharmsim.load(NATIONAL / "icb42.yaml")
    assert len(scenario.places) == 42
    assert len(scenario.posts) == 84
    run = pharmsim.run(scenario)
    start = measures.fte(run.data, "role").isel(draw=0, time=0)
    assert start.values == pytest.approx([3422.4, 1047.8], abs=0.1)
    heads = measures.headcount(run.data, "role").isel(draw=0, time=0)
    assert heads.values == pytest.approx([3849, 1170])


def test_a_file_of_individual_level_is_counted(tmp_path: Path) -> None:
    """Two direct rows of one person, one contracted row; other staff are left out."""
    spec = importlib.util.spec_from_file_location("make_icb42", ROOT / "scripts" / "make_icb42.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    head = "Data_source,ICB_CODE,ICB_NAME,COMM_REGION_CODE,STAFF_ROLE,FTE,UNIQUE_IDENTIFIER\n"
    rows = (
        "NWRS Staff,Q1,NHS Made Up ICB,Y1,Pharmacists,0.4,7\n"
        "NWRS Staff,Q1,NHS Made Up ICB,Y1,Pharmacists,0.5,7\n"
        "NWRS contracted services,Q1,NHS Made Up ICB,Y1,Pharmacists,1,\n"
        "NWRS Staff,Q1,NHS Made Up ICB,Y1,Paramedics,1,8\n"
    )
    file = tmp_path / "made_up.csv"
    file.write_text(head + rows, encoding="cp1252")
    found = script.count(file)
    assert found[["icb_code", "role", "people", "fte", "part_time"]].values.tolist() == [
        ["Q1", "pharmacist", 2, 1.9, 2]
    ]
    assert script.boards(found) == {"q1": "Made Up"}
