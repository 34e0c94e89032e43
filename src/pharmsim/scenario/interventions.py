"""What an intervention is: whom it reaches, when, what it changes, what it costs, how it is known.

The library (`scenarios/interventions/`) holds one file each; a scenario takes one with ``use:`` and says
where, how many take part and when. What an intervention may change: `pharmsim.quantities.ADJUSTABLE`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pharmsim.scenario.system import Month, Where
from pharmsim.scenario.values import Frozen, Of, Origin, Value

Level = Literal["system", "environment", "team", "individual"]
Category = Literal["train", "retain", "reform"]
NOTHING = Value(value=0.0)


class Effect(Frozen):
    """One quantity that changes for those who take part: exactly one of `to`, `plus` and `times`.

    `of` names destinations, sources, pipelines … (all of them if it is empty). `where` and `ages` narrow the
    reach of the intervention; `into` selects the posts that edges lead to. With `joint` the effect is
    on everybody in the joint posts that the intervention makes, not on its reach. `claimed`: the
    benefit that nobody has measured; its break-even size is reported. `name` is that of the quantity if it is
    left out; `source`, `evidence` and `note` may stand beside the number.
    """

    name: str
    quantity: str
    of: Annotated[tuple[str, ...], Of("names")] = ()
    where: Where = Field(default_factory=dict)
    into: Where = Field(default_factory=dict)
    ages: Annotated[str, Of("ages")] | None = None
    joint: bool = False
    claimed: bool = False
    to: Annotated[Value, Of("amount")] | None = None
    plus: Annotated[Value, Of("amount")] | None = None
    times: Annotated[Value, Of("ratio")] | None = None


class PlanChange(Frozen):
    """Time moved from one part of the job plan to another: a share of the time at work."""

    name: str
    from_: str = Field(alias="from")
    to: str
    share: Annotated[Value, Of("share")]
    where: Where = Field(default_factory=dict)
    claimed: bool = False

    model_config = Frozen.model_config | {"populate_by_name": True}


class SupervisionChange(Frozen):
    """A share of the duties `of` that the posts of `by` take over; the other supervisors have that less.

    They are the posts of `by` in the environments and places of the reach.
    """

    name: str
    of: Annotated[tuple[str, ...], Of("names")] = ()
    by: Where
    share: Annotated[Value, Of("share")]
    claimed: bool = False


class JointPosts(Frozen):
    """A joint (rotational) post beside every post of the reach, made from its establishment.

    The new post is called like the old one with `suffix` behind, and is like it in everything but its
    `split` of working time (`home` stands for the environment of the old post), its headcount (nobody at the
    opening) and who enters it. The share of the establishment that becomes joint is the uptake; with `new` it
    is added instead. `entry` and `exit`: rates at which people of the old post move to the new one and back,
    as far as there are vacancies.
    """

    suffix: str
    split: Annotated[dict[str, float], Of("split")]
    backfill_weeks: Annotated[float, Of("weeks")] = 0.0
    entry: Annotated[Value, Of("hazard")]
    exit: Annotated[Value, Of("hazard")] = NOTHING
    new: bool = False


class Costs(Frozen):
    """Money beside pay: once at the start; a year while the effort lasts; a year for each who takes part."""

    set_up: Annotated[Value, Of("money")] = NOTHING
    per_year: Annotated[Value, Of("budget")] = NOTHING
    per_head: Annotated[Value, Of("money_per_head")] = NOTHING


class Introduction(Frozen):
    """Time of the whole team that introducing it takes: a share of the working time for some months.

    The team are the posts of `where` (all by default) in the environments and places of the reach.
    """

    share: Annotated[Value, Of("share")]
    months: Annotated[float, Of("plain_months")]
    where: Where = Field(default_factory=dict)


class Declared(Frozen):
    """What the intervention is for: a measure of its own posts, and whether it should rise or fall."""

    measure: str
    direction: Literal["up", "down"]


class Intervention(Frozen):
    """An intervention as a scenario uses it: all of the library's file, and where, how many and when.

    `reach` selects posts, `groups` and `ages` people in them. `uptake`: share of those reached who
    take part once the `ramp` (months) is over. From `end` on nobody makes an effort any more: the
    effect halves every `half_life` months, and is gone at once without one. `claim` multiplies the
    effects that are `claimed`: the search for their break-even size sets it.
    """

    name: str
    title: str
    level: Level
    category: Category
    description: str = ""
    reach: Where = Field(default_factory=dict)
    groups: Annotated[tuple[str, ...], Of("names")] = ()
    ages: Annotated[str, Of("ages")] | None = None
    uptake: Annotated[Value, Of("share")] = Value(value=1.0)
    start: Month
    ramp: Annotated[float, Of("plain_months")] = 0.0
    end: Month | None = None
    half_life: Annotated[float, Of("plain_months")] | None = None
    effects: tuple[Effect, ...] = ()
    job_plan: tuple[PlanChange, ...] = ()
    supervision: tuple[SupervisionChange, ...] = ()
    posts: JointPosts | None = None
    costs: Costs = Costs()
    introduction: Introduction | None = None
    outcome: Declared
    evidence: str = ""
    claim: float = 1.0
    origin: Origin | None = Field(default=None, exclude=True, repr=False)
