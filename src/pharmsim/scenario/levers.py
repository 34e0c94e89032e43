"""What the effects of interventions are on in a scenario: names, posts, edges, groups, ages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pharmsim.quantities import ADJUSTABLE
from pharmsim.scenario.expand import select_posts
from pharmsim.scenario.interventions import Effect, Intervention
from pharmsim.scenario.marks import Path
from pharmsim.scenario.models import Edge, Scenario
from pharmsim.scenario.system import Where
from pharmsim.scenario.text import age_range
from pharmsim.scenario.training import ExternalPipeline, InternalPipeline

WORDS = {
    "destinations": "destination of `leaving`",
    "switches": "change of contract",
    "absences": "absence",
    "pools": "pool",
    "sources": "source of hires",
    "delegations": "delegation",
    "duties": "duty to supervise",
    "pipelines": "pipeline",
    "stages": "stage or internal pipeline",
}
"""What one of the things is called that `of` names."""


AMOUNTS = ("establishment", "supply", "apprentices")
"""Quantities of which a joint post has none of its own: only its intervention gives it establishment."""


@dataclass(frozen=True)
class Reach:
    """The cells that an effect is on.

    Attributes
    ----------
    names : frozenset of str
        Destinations, sources, pipelines …; {""} for a quantity of which there is only one.
    posts, into : frozenset of str
        Posts, and posts that edges lead to.
    groups : frozenset of str
    ages : tuple of int
        First and last age.
    """

    names: frozenset[str]
    posts: frozenset[str]
    into: frozenset[str]
    groups: frozenset[str]
    ages: tuple[int, int]

    def meets(self, other: Reach, by: tuple[str, ...]) -> bool:
        """Return whether two effects are on the same cell of a quantity that is selected `by` some axes."""
        return bool(
            self.names & other.names
            and ("post" not in by or self.posts & other.posts)
            and ("to" not in by or self.into & other.into)
            and ("group" not in by or self.groups & other.groups)
            and ("age" not in by or max(self.ages[0], other.ages[0]) <= min(self.ages[1], other.ages[1]))
        )


def posts_in(scenario: Scenario, where: Where) -> frozenset[str]:
    """Return the names of the posts that a selector means."""
    return frozenset(scenario.posts[p].post for p in select_posts(scenario, where))


def teams(scenario: Scenario, posts: frozenset[str]) -> frozenset[str]:
    """Return the posts in the environments and places of some posts."""
    places = {(post.environment, post.place) for post in scenario.posts if post.post in posts}
    return frozenset(post.post for post in scenario.posts if (post.environment, post.place) in places)


def made_by(scenario: Scenario, lever: Intervention) -> frozenset[str]:
    """Return the joint posts that an intervention made."""
    return frozenset(post.post for post in scenario.posts if post.made_by == lever.name)


def reach_of(scenario: Scenario, lever: Intervention, effect: Effect) -> Reach:
    """Return the cells that an effect is on; in joint posts they are those of everybody."""
    made = made_by(scenario, lever)
    others = {post.post for post in scenario.posts if post.made_by} if effect.quantity in AMOUNTS else made
    posts = made if effect.joint else posts_in(scenario, lever.reach) - others
    whole = None if effect.joint else lever.ages
    ages = [age_range(text) for text in (whole, effect.ages) if text is not None]
    known = having(scenario, effect.quantity)
    return Reach(
        names=frozenset(
            name for name, has in known.items() if has and (not effect.of or _is_called(name, effect.of))
        ),
        posts=posts & posts_in(scenario, effect.where),
        into=posts_in(scenario, effect.into),
        groups=frozenset((lever.groups if not effect.joint else ()) or scenario.groups),
        ages=(max([low for low, _ in ages], default=0), min([high for _, high in ages], default=200)),
    )


def _is_called(name: str, of: tuple[str, ...]) -> bool:
    """Return whether `of` names something: itself, or the pipeline of a stage."""
    return name in of or name.split(".")[0] in of


def edges_of(scenario: Scenario, quantity: str) -> tuple[Edge, ...]:
    """Return the edges that a quantity belongs to; none if it belongs to no edge."""
    if ADJUSTABLE[quantity].section == "promotions":
        return scenario.promotions.edges if scenario.promotions is not None else ()
    return scenario.moves.edges if scenario.moves is not None and "to" in ADJUSTABLE[quantity].by else ()


def having(scenario: Scenario, quantity: str) -> dict[str, bool]:
    """Return, for everything that `of` can name, whether it has the number; {"": True} without `of`."""
    time, need, hiring = scenario.working_time, scenario.need, scenario.hiring
    of = ADJUSTABLE[quantity].of
    if of == "sources":
        return {source.name: source.supply is not None for source in (hiring.sources if hiring else ())}
    if of in ("pipelines", "stages"):
        return dict(_pipelines(scenario, quantity) if of == "pipelines" else _stages(scenario, quantity))
    names = {
        "": [""],
        "destinations": scenario.leaving,
        "switches": [switch.name for switch in scenario.switches],
        "absences": time.absence if time else (),
        "pools": scenario.pools,
        "delegations": [rule.name for rule in (need.delegation if need else ())],
        "duties": scenario.supervision,
    }
    return dict.fromkeys(names[of], True)


def _pipelines(scenario: Scenario, quantity: str) -> Iterator[tuple[str, bool]]:
    for name, node in scenario.pipelines.items():
        internal = isinstance(node, InternalPipeline)
        if quantity in ("apprentices", "completion"):
            yield name, internal
        elif quantity == "pass_rate":
            yield name, isinstance(node, ExternalPipeline) and node.exam is not None
        else:
            yield name, not internal


def _stages(scenario: Scenario, quantity: str) -> Iterator[tuple[str, bool]]:
    """Yield stages and internal pipelines, with whether the number is given for them."""
    for name, node in scenario.pipelines.items():
        if isinstance(node, InternalPipeline):
            yield name, quantity != "places" and getattr(node, quantity) is not None
        else:
            for stage in node.stages:
                yield f"{name}.{stage.name}", getattr(stage, quantity) is not None


def lacks(scenario: Scenario, quantity: str) -> str:
    """Return the section of a quantity if the scenario does not have it, else ""."""
    node: object = scenario
    for key in ADJUSTABLE[quantity].section.split("."):
        node = getattr(node, key)
        if not node:
            return ADJUSTABLE[quantity].section
    return ""


def posts_of(scenario: Scenario, quantity: str, names: frozenset[str]) -> frozenset[str]:
    """Return the posts that a quantity without posts is about: who delegates, supervises, is trained."""
    of, found = ADJUSTABLE[quantity].of, set[str]()
    for name in names:
        if of == "delegations" and scenario.need is not None:
            wheres = [rule.from_ for rule in scenario.need.delegation if rule.name == name]
        elif of == "duties":
            wheres = [entry.where for entry in scenario.supervision[name].by]
        else:
            node = scenario.pipelines[name.split(".")[0]]
            routes = node.routes if isinstance(node, InternalPipeline) else ()
            wheres = [{"post": tuple(route.from_ for route in routes)} if routes else {"role": (node.role,)}]
        found.update(*(posts_in(scenario, where) for where in wheres))
    return frozenset(found)


def without_posts(lever: Intervention) -> list[str]:
    """Return the quantities of an intervention that do not depend on posts, once each."""
    return list(dict.fromkeys(effect.quantity for effect in lever.effects if not _by_post(effect)))


def _by_post(effect: Effect) -> bool:
    """Return whether an effect depends on posts; one on something unknown is told as such."""
    return effect.quantity not in ADJUSTABLE or "post" in ADJUSTABLE[effect.quantity].by


def narrows(lever: Intervention) -> bool:
    """Return whether the reach of an intervention selects anything: effects, time, joint posts, costs."""
    by_post = any(map(_by_post, lever.effects))
    parts = (lever.job_plan, lever.supervision, lever.posts, lever.introduction, lever.costs.per_head.value)
    return by_post or any(parts)


def conflicts(lever: Intervention, key: str = "reach") -> list[tuple[Path, str]]:
    """Return what cannot go together in an intervention, whatever the scenario, as (key path, message).

    Parameters
    ----------
    lever : Intervention
    key : str
        Key under which its posts are selected: `where` in a `use`.
    """
    out: list[tuple[Path, str]] = []
    names = without_posts(lever)
    if lever.reach and names and not narrows(lever):
        listed = " and ".join(f"`{name}`" for name in names)
        verb = "do" if len(names) > 1 else "does"
        them = "them" if len(names) > 1 else "it"
        message = f"{listed} {verb} not depend on posts: `{key}` does not narrow {them}; leave `{key}` out"
        out.append(((key,), message))
    if lever.posts is not None:
        message = (
            "does not go with `posts`: everybody in joint posts takes part; give effects their `ages` instead"
        )
        out += [((name,), message) for name in ("groups", "ages") if getattr(lever, name)]
    return out
