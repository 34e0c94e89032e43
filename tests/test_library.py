"""The library of interventions: complete, grounded, and each does in South East London what it says."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
import yaml

import pharmsim
from pharmsim.quantities import ADJUSTABLE, OUTPUTS
from pharmsim.scenario import library, programme
from pharmsim.scenario.fields import numbers
from pharmsim.scenario.interventions import Intervention
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.values import Value

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "background"
LEVELS = ("system", "environment", "team", "individual")
CATEGORIES = ("train", "retain", "reform")
NAMES = sorted(path.stem for path in (ROOT / "scenarios" / "interventions").glob("*.yaml"))


@pytest.fixture(scope="module")
def levers() -> dict[str, Intervention]:
    return {name: library.load(name)[0] for name in NAMES}


def stated(lever: Intervention, name: str) -> list[Value]:
    """Every number that the file of an intervention writes down: what it leaves out has no grounds."""
    written = yaml.safe_load((ROOT / "scenarios" / "interventions" / f"{name}.yaml").read_text("utf-8"))
    found = [number.node for number in numbers(lever) if is_in(written, number.path)]
    return [node for node in found if isinstance(node, Value)]


def is_in(tree: Any, path: Sequence[str | int]) -> bool:
    """Whether a key path exists in what a file says."""
    for key in path:
        if isinstance(tree, dict) and key not in tree:
            return False
        tree = tree[key]
    return True


# -- what the files say --------------------------------------------------------------------------------


def test_there_is_a_library() -> None:
    assert len(NAMES) >= 17


@pytest.mark.parametrize("name", NAMES)
def test_every_number_is_grounded(name: str, levers: dict[str, Intervention]) -> None:
    found = stated(levers[name], name)
    assert found
    for value in found:
        assert value.evidence != "unstated", value.origin
        assert value.source, value.origin
        if value.evidence == "assumption":
            assert value.low is not None, f"{value.origin}: an assumption has a range"


@pytest.mark.parametrize("name", NAMES)
def test_text_and_names(name: str, levers: dict[str, Intervention]) -> None:
    lever = levers[name]
    assert lever.title
    assert len(lever.description) > 40
    assert lever.evidence
    assert all(effect.quantity in ADJUSTABLE for effect in lever.effects)
    assert lever.effects or lever.job_plan or lever.supervision or lever.posts
    assert lever.outcome.measure in {*OUTPUTS, "leaver_rate"}


def claimed(lever: Intervention) -> list[tuple[float, Value]]:
    """What is claimed, with the number that would be no effect at all."""
    every: list[Any] = [*lever.effects, *lever.job_plan, *lever.supervision]
    parts = [part for part in every if part.claimed]
    verbs = (("plus", 0.0), ("times", 1.0), ("share", 0.0))
    found = [(nothing, getattr(part, verb, None)) for part in parts for verb, nothing in verbs]
    return [(nothing, value) for nothing, value in found if value is not None]


def test_what_is_claimed_is_an_assumption_that_may_be_nothing(levers: dict[str, Intervention]) -> None:
    names = [name for name in NAMES if claimed(levers[name])]
    assert {"rotational_roles", "assistant_supervisors", "flexible_working", "preceptorship"} <= set(names)
    for name in names:
        for nothing, value in claimed(levers[name]):
            assert value.evidence == "assumption"
            assert value.low is not None
            assert value.high is not None
            assert value.low <= nothing <= value.high, name


def test_every_cell_of_the_matrix_has_a_lever(levers: dict[str, Intervention]) -> None:
    cells = {(lever.level, lever.category) for lever in levers.values()}
    assert cells == {(level, category) for level in LEVELS for category in CATEGORIES}


# -- what the pages say of them ------------------------------------------------------------------------


def test_matrix_of_the_page_is_that_of_the_library(levers: dict[str, Intervention]) -> None:
    text = (PAGES / "one_pharmacy.md").read_text(encoding="utf-8")
    for level in LEVELS:
        row = re.search(rf"^\| \*\*{level}\*\* \|(.*)\|$", text, re.MULTILINE)
        assert row
        for category, cell in zip(CATEGORIES, row[1].split("|"), strict=True):
            told = set(re.findall(r"`(\w+)`", cell))
            assert told == {
                n for n, lever in levers.items() if (lever.level, lever.category) == (level, category)
            }


def test_page_answers_for_every_outcome() -> None:
    text = (PAGES / "one_pharmacy.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([1-5]) [^|]+\| (yes|in part|no) \| ([^|]+) \|$", text, re.MULTILINE)
    assert [number for number, _, _ in rows] == list("12345") * 12
    for _, answer, why in rows:
        named = set(re.findall(r"`(\w+)`", why)) & set(NAMES)
        if answer == "yes":
            assert named, why
        if answer == "no":
            assert re.match("culture|paper|quality|others", why), why
    counts = [sum(answer == kind for _, answer, _ in rows) for kind in ("yes", "in part", "no")]
    assert "{} are represented by a lever, {} in part, and {} are not".format(*counts) in text


@pytest.mark.parametrize("page", ["one_pharmacy.md", "interventions.md"])
def test_pages_name_every_lever(page: str) -> None:
    text = (PAGES / page).read_text(encoding="utf-8")
    assert [name for name in NAMES if f"`{name}`" not in text] == []


# -- what they do --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory, levers: dict[str, Intervention]) -> Scenario:
    """South East London without feedbacks and with the whole library, for everybody who is reached."""
    changes = []
    for name, lever in levers.items():
        full = "" if lever.posts else ", uptake: 100 %"  # joint posts at their default: a share of the posts
        changes.append(f"  - {{use: {name}, start: April 2026{full}}}")
    folder = tmp_path_factory.mktemp("library") / "scenarios"
    shutil.copytree(ROOT / "scenarios", folder)
    shutil.copytree(ROOT / "calibration" / "posteriors", folder.parent / "calibration" / "posteriors")
    file = folder / "sel" / "whole_library.yaml"
    file.write_text("\n".join(["base: baseline.yaml", "name: The library", "changes:", *changes]), "utf-8")
    return pharmsim.load(file).model_copy(update={"feedbacks": None})


@pytest.fixture(scope="module")
def without(everything: Scenario) -> xr.Dataset:
    return pharmsim.run(programme.only(everything, []), tags=False).data


def outcome(data: xr.Dataset, scenario: Scenario, lever: Intervention) -> float:
    """The declared measure of an intervention in its own posts, over the whole run."""
    reach = [post for post in scenario.posts if post.made_by in ("", lever.name) and inside(post, lever)]
    own = [post.post for post in reach]
    measure = lever.outcome.measure
    if measure == "leaver_rate":
        leavers, heads = (data[name].sel(post=own).sum() for name in ("leavers", "headcount"))
        return float(leavers / heads)
    if measure == "pressure":
        mine = {(post.role, post.environment) for post in reach}
        keys = zip(data["service_role"].values, data["service_environment"].values, strict=True)
        services = np.array([key in mine for key in keys])
        need, given = (data[name].isel(service=services).sum() for name in ("required_fte", "service_fte"))
        return float(need / given)
    if measure == "moves":
        return float(data["moves"].isel(edge=np.isin(data["edge_from"], own)).sum())
    array = data[measure]
    return float((array.sel(post=own) if "post" in array.dims else array).sum())


def inside(post: object, lever: Intervention) -> bool:
    return all(getattr(post, axis) in chosen for axis, chosen in lever.reach.items())


@pytest.mark.parametrize("name", NAMES)
def test_lever_moves_its_outcome_as_declared(name: str, everything: Scenario, without: xr.Dataset) -> None:
    lever = next(item for item in everything.interventions if item.name == name)
    measured = partial(outcome, scenario=everything, lever=lever)
    before = measured(without)
    after = measured(pharmsim.run(programme.only(everything, [name]), tags=False).data)
    half = with_share(everything, name, 0.5)
    between = measured(pharmsim.run(half, tags=False).data)
    sign = 1.0 if lever.outcome.direction == "up" else -1.0
    assert sign * (after - before) > 1e-4 * before
    assert sign * (between - before) > 0.0


def with_share(scenario: Scenario, name: str, share: float) -> Scenario:
    """The scenario with one intervention alone, with a share of its uptake."""
    lever = next(item for item in scenario.interventions if item.name == name)
    alone = programme.only(scenario, [name])
    return programme.with_uptake(alone, {name: share * lever.uptake.value})


# -- the programme -------------------------------------------------------------------------------------


def programmes(*names: str) -> list[xr.Dataset]:
    folder = ROOT / "scenarios" / "sel" / "programme"
    return [pharmsim.run(pharmsim.load(folder / f"{name}.yaml"), tags=False).data for name in names]


def test_optimistic_is_never_worse_than_pessimistic() -> None:
    for better, worse in pairwise(programmes("combined_optimistic", "combined", "combined_pessimistic")):
        assert float(better["delivered_fte"].sum()) > float(worse["delivered_fte"].sum())
        assert float(better["leavers"].sum() / better["headcount"].sum()) < float(
            worse["leavers"].sum() / worse["headcount"].sum()
        )
        needed = [float(data["required_fte"].sum() / data["service_fte"].sum()) for data in (better, worse)]
        assert needed[0] < needed[1]


def test_a_new_role_and_the_skills_we_have_cost_alike() -> None:
    money = ("pay_bill", "cover_cost", "backfill_cost", "programme_cost")
    base = pharmsim.run(pharmsim.load(ROOT / "scenarios" / "sel" / "baseline.yaml"), tags=False).data
    spent = sum(float(base[name].sum()) for name in money[:3])
    new, used = (
        sum(float(data[name].sum()) for name in money) - spent
        for data in programmes("new_roles", "skills_we_have")
    )
    assert new > 1e7
    assert used == pytest.approx(new, rel=0.05)
