"""What acts on what in a compiled scenario: a signed graph.

Variables are those that the scenario has. A link knows on which posts it acts, so that a loop is found
only if it closes for some post: supervisors of one role whose trainees join another close none.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pharmsim.compiled.arrays import MOVE, NEVER, ROLE_CHANGE, Bools, Floats
from pharmsim.compiled.compile import Compiled
from pharmsim.compiled.system_arrays import (
    BY_HOURS,
    BY_OPENINGS,
    BY_PAY,
    BY_PRESSURE,
    FIRST_YEAR,
    ON_HOURS,
    ON_LEAVING,
    ON_SETTLING,
    ON_SUPPLY,
    STAFF,
)
from pharmsim.scenario.models import Scenario

LABELS = {
    "activity": "Activity",
    "required": "Required time",
    "pressure": "Pressure",
    "delivered": "Delivered time",
    "staff": "Staff in post",
    "establishment": "Establishment",
    "budget": "Budget",
    "vacancies": "Vacancies",
    "joining": "People joining",
    "supply": "People who apply",
    "leaving": "Leaving",
    "shorter_hours": "Changes to shorter hours",
    "hours": "FTE per head",
    "attractiveness": "Attractiveness",
    "pay": "Pay",
    "moves": "Moves in, less moves out",
    "cover": "Temporary cover",
    "money_left": "Money left for cover",
    "first_year": "First-year staff",
    "settling": "Time to settle in, and to help",
    "supervisors": "Supervisors at work",
    "places": "Training places",
    "qualified": "Newly qualified",
    "trainees": "Trainees",
    "supervising": "Time to supervise",
}
"""Names of all variables."""


@dataclass(frozen=True, eq=False)
class Link:
    """One variable acts on another.

    Attributes
    ----------
    source, target : str
        Keys of `LABELS`.
    sign : int
        1: more of the source, more of the target than otherwise; -1: less.
    acts : bool array, shape (posts or training of the source, posts or training of the target)
        Where it acts.
    feedback : str
        Name of the feedback; empty for links that are always there.
    elasticity : float
        Exponent with which the source acts, at its central value; 0 for links that are always there.
    delay : float
        Months.
    """

    source: str
    target: str
    sign: int
    acts: Bools
    feedback: str = ""
    elasticity: float = 0.0
    delay: float = 0.0


class _Graph:
    """Links of a compiled scenario, gathered topic by topic."""

    def __init__(self, compiled: Compiled) -> None:
        self.scenario: Scenario = compiled.scenario
        self.posts = compiled.model.posts
        self.conveyors = compiled.model.conveyors
        self.system = compiled.model.system
        self.n = len(compiled.scenario.posts)
        self.limited: Bools = np.isfinite(self.posts.funding.establishment[0])
        self.links: list[Link] = []

    def add(
        self,
        source: str,
        target: str,
        sign: float,
        acts: Bools,
        feedback: str = "",
        elasticity: float = 0.0,
        delay: float = 0.0,
    ) -> None:
        """Add a link, unless it acts nowhere or not at all; a row of posts stands for each on itself."""
        where = np.diag(acts) if acts.ndim == 1 else acts
        if where.any() and sign != 0.0:
            sign = 1 if sign > 0.0 else -1
            self.links.append(Link(source, target, sign, where, feedback, elasticity, delay))

    def delay(self, feedback: str) -> float:
        """Months until a feedback has perceived a change."""
        section = getattr(self.scenario.feedbacks, feedback, None)
        return 0.0 if section is None else float(section.delay.value)

    def feed(self, source: str, target: str, row: int, acts: Bools, name: str, turn: int = 1) -> None:
        """Add the link of a feedback by post; `turn` is -1 where its elasticity stands for a decrease."""
        values: Floats = self.system.feedbacks.elasticity[0, row]
        for value in np.unique(values[(values != 0.0) & acts]):
            here = acts & (values == value)
            self.add(source, target, turn * value, here, name, turn * float(value), self.delay(name))

    def risk(self, chosen: Bools) -> Bools:
        """Posts in which some of the chosen ways out has people leave."""
        risks = self.posts.risks
        there = (risks.row != NEVER) & (risks.scale[0] > 0.0)
        return np.asarray(there[chosen].any(axis=(0, 2, 3)))


def links(compiled: Compiled) -> list[Link]:
    """Find every link of a compiled scenario, at the central values.

    Parameters
    ----------
    compiled : Compiled
        Its first draw is read.

    Returns
    -------
    list of Link
        Only links that do something: a feedback that is off or has elasticity 0 has none. Variables
        that nothing leads to and that lead nowhere do not appear.
    """
    graph = _Graph(compiled)
    _posts(graph)
    _service(graph)
    _training(graph)
    _first_year(graph)
    _moves(graph)
    if any(link.target == "joining" for link in graph.links):
        graph.add("joining", "staff", 1, np.ones(graph.n, dtype=np.bool_))
    return graph.links


def _posts(graph: _Graph) -> None:
    """Funded posts, vacancies, hires, leavers, hours."""
    posts, funding, feedbacks = graph.posts, graph.posts.funding, graph.system.feedbacks
    everywhere = np.ones(graph.n, dtype=np.bool_)
    graph.add("establishment", "vacancies", 1, graph.limited)
    graph.add("staff", "vacancies", -1, graph.limited)
    if len(posts.hiring.kind):
        graph.add("vacancies", "joining", 1, graph.limited)
    risks = posts.risks
    leaves = np.arange(len(risks.row)) < risks.n_leave
    graph.add("leaving", "staff", -1, graph.risk(leaves))
    acted = feedbacks.sources[:, None] & (posts.hiring.supply[0] > 0.0) & graph.limited
    elasticity = feedbacks.elasticity[0]
    if (acted.any(axis=0) & (elasticity[ON_SUPPLY] != 0.0)).any():
        graph.feed("vacancies", "supply", ON_SUPPLY, acted.any(axis=0), "recruitment")
        graph.add("supply", "joining", 1, acted.any(axis=0))
    graph.feed("pressure", "leaving", ON_LEAVING, graph.risk(feedbacks.tired), "burnout")
    shorter = graph.risk(feedbacks.shorter) & (elasticity[ON_HOURS] != 0.0)
    flexible = graph.risk(feedbacks.flexible) & (elasticity[BY_HOURS] != 0.0)
    if shorter.any():
        graph.feed("pressure", "shorter_hours", ON_HOURS, shorter, "burnout")
        hours = funding.fte_per_head[0].mean(axis=(0, 1))
        first = risks.n_leave + risks.n_retire
        switches = [j for j in range(len(risks.switch_from)) if feedbacks.shorter[first + j]]
        change = sum(hours[risks.switch_to[j]] - hours[risks.switch_from[j]] for j in switches)
        graph.add("shorter_hours", "hours", change, shorter)
    if (shorter | flexible).any():
        graph.add("hours", "staff", 1, everywhere)
    graph.feed("hours", "leaving", BY_HOURS, flexible, "flexibility")


def _service(graph: _Graph) -> None:
    """Required and delivered time, cover and money."""
    system, funding = graph.system, graph.posts.funding
    everywhere = np.ones(graph.n, dtype=np.bool_)
    money = system.money
    capping = money.inside & money.caps[:, None]
    capped = np.asarray(capping.any(axis=0))
    graph.add("budget", "establishment", 1, capped & graph.limited)
    if graph.scenario.need is None:
        return
    shared = (system.work.split > 0.0).astype(np.int64)
    together: Bools = shared @ shared.T > 0
    graph.add("staff", "delivered", 1, everywhere)
    graph.add("delivered", "pressure", -1, together)
    graph.add("required", "pressure", 1, together)
    graph.add("activity", "required", 1, (system.need.follows[0] > 0.0).any(axis=0))
    policies = graph.scenario.establishment.over_time if graph.scenario.establishment else ()
    delays = [rule.delay.value for rule in policies if rule.policy == "follow" and rule.delay]
    graph.add(
        "required",
        "establishment",
        1,
        (money.follow[0] > 0.0) & graph.limited,
        delay=max(delays, default=0.0),
    )
    cover = (funding.cover_share[0] > 0.0) & graph.limited
    graph.add("vacancies", "cover", 1, cover)
    graph.add("cover", "delivered", 1, cover)
    if (cover & capped).any():
        same: Bools = capping.T.astype(np.int64) @ capping > 0
        graph.add("staff", "money_left", -1, same)
        graph.add("money_left", "cover", 1, cover & capped)


def _training(graph: _Graph) -> None:
    """Supervisors, places, the newly qualified, and the time that supervising takes."""
    feedbacks, tracks, duties = graph.system.feedbacks, graph.posts.tracks, graph.system.duties
    n_stages, n_tracks = len(graph.conveyors.stage_months), len(tracks.post)
    elasticity = feedbacks.place_elasticity[0]
    inside = np.isfinite(tracks.per_fte[0])
    direct = np.concatenate([np.isfinite(feedbacks.per_fte[0]), inside])
    able = np.concatenate([feedbacks.supervisors, tracks.supervisors]).astype(np.bool_) & np.concatenate(
        [(elasticity != 0.0) | direct[:n_stages], inside]
    ).reshape(-1, 1)
    graph.add("staff", "supervisors", 1, able.T)
    graph.add("supervisors", "places", 1, np.diag(direct & able.any(axis=1)))
    for value in np.unique(elasticity[elasticity != 0.0]):
        there = np.concatenate([elasticity == value, np.zeros(n_tracks, dtype=np.bool_)])
        acts = np.diag(there & able.any(axis=1))
        graph.add("supervisors", "places", value, acts, "training", float(value), graph.delay("training"))
    limited = able.any(axis=1)
    if limited.any():
        months = [*graph.conveyors.stage_months, *tracks.months]
        longest = max(float(m) for m, here in zip(months, limited, strict=True) if here)
        graph.add("places", "qualified", 1, np.diag(limited), delay=longest)
        graph.add("qualified", "joining", 1, _destinations(graph) & limited[:, None])
    _duties(graph, np.concatenate([duties.stages, duties.tracks], axis=1), limited)


def _destinations(graph: _Graph) -> Bools:
    """Posts that the newly qualified of every stage and track go to."""
    conveyors, tracks, edges = graph.conveyors, graph.posts.tracks, graph.posts.edges
    n_stages = len(conveyors.stage_months)
    out = np.zeros((n_stages + len(tracks.post), graph.n), dtype=np.bool_)
    for k in range(len(conveyors.first_stage) - 1):
        goes = graph.posts.hiring.destinations[0, k] > 0.0
        if len(graph.posts.hiring.pipelines) and graph.posts.hiring.pipelines[:, k].any():
            out[conveyors.first_stage[k] : conveyors.first_stage[k + 1]] = goes
    for i, row in enumerate(tracks.waiting):
        out[n_stages + i, edges.to[(edges.kind == ROLE_CHANGE) & (edges.origin == row)]] = True
    return out


def _duties(graph: _Graph, trained: Bools, limited: Bools) -> None:
    """Time to supervise: trainees whose places are limited, other trainees, staff."""
    duties = graph.system.duties
    parts = {name: np.zeros((0, 0), dtype=np.bool_) for name in ("places", "trainees", "staff")}
    for d, posts in zip(duties.entry_duty, duties.entry_posts, strict=True):
        supervised = {
            "places": trained[d] & limited,
            "trainees": trained[d] & ~limited,
            "staff": duties.posts[d] & (duties.kind[d] == STAFF),
        }
        for name, who in supervised.items():
            acts = np.outer(who, posts)
            parts[name] = parts[name] | acts if parts[name].size else acts
    for name, acts in parts.items():
        graph.add(name, "supervising", 1, acts)
    if graph.scenario.need is not None and any(link.target == "supervising" for link in graph.links):
        graph.add("supervising", "delivered", -1, duties.supervises)


def _first_year(graph: _Graph) -> None:
    """First-year staff: how likely they leave, the time that they and their supervisors lose."""
    risks, duties, work = graph.posts.risks, graph.system.duties, graph.system.work
    ratio = risks.first_year_ratio[0]
    leaves = graph.risk(np.arange(len(risks.row)) < risks.n_leave)
    graph.add("first_year", "leaving", 1, leaves & (ratio > 1.0))
    graph.add("first_year", "leaving", -1, leaves & (ratio < 1.0))
    elasticity = graph.system.feedbacks.elasticity[0, ON_SETTLING]
    lost = np.diag(work.output[0] < 1.0)
    for d, posts in zip(duties.entry_duty, duties.entry_posts, strict=True):
        if duties.kind[d] == FIRST_YEAR:
            lost = lost | np.outer(duties.posts[d], posts)
    acted = (elasticity != 0.0) & lost.any(axis=1)
    graph.feed("first_year", "settling", ON_SETTLING, acted, "inexperience")
    if acted.any() and graph.scenario.need is not None:
        graph.add("settling", "delivered", -1, lost & acted[:, None])
    if any(link.source == "first_year" for link in graph.links) and len(graph.posts.hiring.kind):
        graph.add("joining", "first_year", 1, graph.limited)


def _moves(graph: _Graph) -> None:
    """Moves between posts, and what draws people."""
    edges, elasticity = graph.posts.edges, graph.system.feedbacks.elasticity[0]
    moved = edges.kind == MOVE
    into = np.zeros(graph.n, dtype=np.bool_)
    into[edges.to[moved]] = True
    either = into.copy()
    either[edges.origin[moved]] = True
    name = "attractiveness"
    rows = [row for row in (BY_OPENINGS, BY_PRESSURE, BY_PAY) if (elasticity[row] != 0.0).any()]
    graph.feed("vacancies", "attractiveness", BY_OPENINGS, either & graph.limited, name)
    graph.feed("pressure", "attractiveness", BY_PRESSURE, either, name, turn=-1)
    graph.feed("pay", "attractiveness", BY_PAY, either, name)
    if rows and either.any():
        graph.add("attractiveness", "moves", 1, either)
    graph.add("vacancies", "moves", 1, into & graph.limited)
    graph.add("moves", "staff", 1, either)
