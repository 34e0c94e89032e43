"""Joint posts that an intervention makes: one more post beside every post of its reach.

The new post is like the old one wherever a scenario speaks of posts: rows and selectors that name the old
post name the new one too. What people and supplies there are at the opening is nothing. How the
establishment moves to it is no business of the scenario file: `pharmsim.compiled` does it over time.
"""

from __future__ import annotations

from typing import Any

from pharmsim.scenario.checks.money import unlimited
from pharmsim.scenario.checks.shared import names_of
from pharmsim.scenario.expand import select_posts
from pharmsim.scenario.fields import numbers
from pharmsim.scenario.interventions import Intervention, JointPosts
from pharmsim.scenario.loading import tree_of
from pharmsim.scenario.marks import Map, closest, quoted
from pharmsim.scenario.models import Post, Scenario
from pharmsim.scenario.services import Service, services
from pharmsim.scenario.text import FormError
from pharmsim.scenario.values import Cells

HOME = "home"
AMOUNTS = ("heads", "heads_per_year", "fte")
EMPTY = {"source": "by definition: joint posts begin empty and are filled by moves", "evidence": "derived"}


def add(data: Map, scenario: Scenario, intervention: Intervention) -> list[str]:
    """Put the joint posts of an intervention into a scenario.

    Parameters
    ----------
    data : Map
        Canonical tree of the scenario (`loading.tree_of`), with its interventions; it is edited.
    scenario : Scenario
        What the tree describes, with or without the joint posts of other interventions.
    intervention : Intervention
        With or without `posts`.

    Returns
    -------
    list of str
        Names of the new posts, in the order of the posts that they stand beside; they come after all others.

    Raises
    ------
    FormError
        With every problem, under the key of the intervention that it is about.
    """
    rule = intervention.posts
    if rule is None:
        return []
    reached = [int(p) for p in select_posts(scenario, intervention.reach) if not scenario.posts[p].made_by]
    _check(scenario, rule, reached)
    made = {scenario.posts[p].post: f"{scenario.posts[p].post}_{rule.suffix}" for p in reached}
    if not made:
        return []
    _name_too(data, made)
    _pin_transfers(data, scenario, made)
    _nobody_in(data, scenario, intervention, made)
    _edges(data, intervention, rule, made)
    for p in reached:
        own = {
            "post": made[scenario.posts[p].post],
            "split": _split(rule, scenario.posts[p]),
            "backfill_weeks": rule.backfill_weeks,
            "like": scenario.posts[p].post,
            "made_by": intervention.name,
        }
        data["posts"].append(tree_of(scenario.posts[p]).like({**tree_of(scenario.posts[p]), **own}))
    return list(made.values())


def _split(rule: JointPosts, post: Post) -> dict[str, float]:
    """Return the split of the joint post beside a post: `home` is its environment."""
    out: dict[str, float] = {}
    for name, share in rule.split.items():
        name = post.environment if name == HOME else name
        if share > 0.0:
            out[name] = out.get(name, 0.0) + share
    return out


def _check(scenario: Scenario, rule: JointPosts, reached: list[int]) -> None:
    """Raise all that keeps the posts from being made."""
    bad = FormError()
    posts = scenario.posts
    for name in rule.split:
        if name != HOME and name not in scenario.environments:
            near = closest(name, [HOME, *scenario.environments])
            bad.issues.append((("posts", "split", name), f"no such environment {quoted(name)}.{near}"))
    if bad.issues:
        raise bad
    alone = [p for p in reached if list(_split(rule, posts[p])) == [posts[p].environment]]
    if alone:
        message = (
            f"is all at home for {names_of(scenario, alone)}: name another environment, or narrow the reach"
        )
        bad.issues.append((("posts", "split"), message))
    known = services(scenario)
    asked = [Service(posts[p].role, name, posts[p].place) for p in reached for name in _split(rule, posts[p])]
    for role, name, place in dict.fromkeys(service for service in asked if service not in known):
        where = f"environment {quoted(name)}" + (f" and place {quoted(place)}" if place else "")
        message = f"no post of role {quoted(role)} in {where}: the time given there would meet no need"
        bad.issues.append((("posts", "split", name), message))
    names = {post.post for post in posts}
    for p in reached:
        if f"{posts[p].post}_{rule.suffix}" in names:
            message = f"the post `{posts[p].post}_{rule.suffix}` exists: take another suffix"
            bad.issues.append((("posts", "suffix"), message))
    node = scenario.establishment
    if node is None:
        bad.issues.append(
            (("posts",), "needs the section `establishment`: joint posts are made from funded posts")
        )
    else:
        free = [p for p in reached if p in unlimited(scenario, node)]
        if free:
            message = (
                f"{names_of(scenario, free)}: `unconstrained`, without funded posts that could become joint"
            )
            bad.issues.append((("reach",), message))
    if bad.issues:
        raise bad


def _name_too(node: Any, made: dict[str, str]) -> None:
    """Name the new posts in every selector that names their old ones."""
    if isinstance(node, dict):
        chosen = node.get("post")
        if isinstance(chosen, tuple):
            node["post"] = (*chosen, *(made[name] for name in chosen if name in made))
    for item in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _name_too(item, made)


def _pin_transfers(data: Map, scenario: Scenario, made: dict[str, str]) -> None:
    """Keep transfers between the posts they name: among posts without establishment, shares are equal."""
    for transfer in data["establishment"]["redistribution"]:
        for end in {"from", "to"} & set(transfer):
            chosen = tuple(scenario.posts[p].post for p in select_posts(scenario, transfer[end]))
            if set(chosen) & set(made):
                transfer[end] = {"post": chosen}


def _nobody_in(data: Map, scenario: Scenario, intervention: Intervention, made: dict[str, str]) -> None:
    """Add a row of 0 to all people, supplies and funded posts at the opening, and to shares over posts."""
    written = intervention.origin
    place = (written.file, written.line) if written is not None else ("", 0)
    for number in numbers(scenario):
        of = number.of
        opening = "post" in of.by and (of.kind in AMOUNTS or of.over == "post")
        if opening and isinstance(number.node, Cells):
            node: Any = data
            for part in number.path:
                node = node[part]
            row = Map({"value": 0.0, "where": {"post": tuple(made.values())}, **EMPTY}, *place)
            node["terms"][0]["rows"].append(row)


def _edges(data: Map, intervention: Intervention, rule: JointPosts, made: dict[str, str]) -> None:
    """Add moves to the joint posts and back, and copies of what leads from the old posts to other posts."""
    others = {post["post"] for post in data["posts"] if not post["made_by"]}
    data.setdefault("moves", Map({"edges": ()}))
    for section, key in (("moves", "edges"), ("moves", "skills_overlap"), ("promotions", "edges")):
        pairs = data.get(section, {}).get(key, ())
        copies = [
            pair.like({**pair, "from": made[pair["from"]]})
            for pair in pairs
            if pair["from"] in made and pair["to"] in others - {pair["from"]}
        ]
        if copies:
            data[section][key] = [*pairs, *copies]
    new = []
    for old, joint in made.items():
        for ends, value, name in (((old, joint), rule.entry, "entry"), ((joint, old), rule.exit, "exit")):
            rate = tree_of(value)
            if value.low is not None and value.uncertainty is None:
                rate["uncertainty"] = f"interventions[{intervention.name}].posts.{name}"
            new.append(Map({"from": ends[0], "to": ends[1], "rate": rate}))
    data["moves"]["edges"] = [*data["moves"]["edges"], *new]
