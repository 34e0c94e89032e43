"""What a scenario may say of the system around the people: time, need, supervision, money, feedbacks."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pharmsim.scenario.values import Cells, Frozen, Of, Series, Value

Where = Annotated[dict[str, tuple[str, ...]], Of("where")]
Month = Annotated[str, Of("month")]


class Part(Frozen):
    """A part of the job plans: its share of the time at work, by post.

    `service`: time on the service, which counts as delivered. `supervising`: time planned for
    supervising others; what supervision takes beyond it comes out of the time on the service. Shares
    of a post sum to one; where they have ranges, they are divided by their sum in each draw.
    """

    label: str = ""
    share: Annotated[Cells, Of("share", "post", rest=0.0)]
    service: bool = False
    supervising: bool = False


class Shift(Frozen):
    """Time moved from one part of the job plan to another, in the posts of `where`.

    The share of the time at work grows in a straight line from nothing at `start` to `share` at `end`.
    """

    where: Where = Field(default_factory=dict)
    from_: str = Field(alias="from")
    to: str
    share: Annotated[Value, Of("share")]
    start: Month
    end: Month

    model_config = Frozen.model_config | {"populate_by_name": True}


class WorkingTime(Frozen):
    """How working time is used: absence, learning, settling in, and the parts of the job plan.

    `absence`: shares of the contracted time, by name (sickness, leave, study …). `first_year_output`:
    what first-year staff get done in their time at work, as a share of what others do. Shares of the
    parts sum to one.
    """

    absence: dict[str, Annotated[Cells, Of("share", "post", rest=0.0)]] = Field(default_factory=dict)
    first_year_output: Annotated[Cells, Of("share", "post", rest=1.0)] | None = None
    job_plan: dict[str, Part] = Field(default_factory=dict)
    shifts: tuple[Shift, ...] = ()


class Activity(Frozen):
    """An index of activity (people, items, consultations), and the share of a post's work that follows it."""

    label: str = ""
    index: Annotated[Series, Of("activity")]
    share: Annotated[Cells, Of("share", "post", rest=0.0)]


class Delegation(Frozen):
    """Work of the role in `from` that the role `to` of the same environment and place takes over.

    `share` of the required work, at most `limit` FTE of it for each FTE at work in the role that
    delegates; `supervision`: FTE of that role taken by each FTE delegated; `exchange`: FTE of the role
    `to` needed for each FTE of work.
    """

    name: str
    from_: Where = Field(alias="from")
    to: str
    share: Annotated[Value, Of("share")]
    limit: Annotated[Value, Of("positive")]
    supervision: Annotated[Value, Of("share")] = Value(value=0.0)
    exchange: Annotated[Value, Of("positive")] = Value(value=1.0)
    over_time: Annotated[Series, Of("share")] | None = None

    model_config = Frozen.model_config | {"populate_by_name": True}


class Need(Frozen):
    """Work to be done, in FTE on the service: at the opening, and how it changes.

    `opening_ratio`: required ÷ delivered at the opening, before delegation; or `fte`. The shares of
    the activities of a post sum to at most one; the rest of its work does not change.
    `productivity`: by how much less time the same work needs each year.
    """

    opening_ratio: Annotated[Cells, Of("ratio", "post")] | None = None
    fte: Annotated[Cells, Of("fte", "post", rest=0.0)] | None = None
    activity: dict[str, Activity] = Field(default_factory=dict)
    productivity: Annotated[Cells, Of("growth", "post", rest=0.0)] | None = None
    delegation: tuple[Delegation, ...] = ()


class Supervisor(Frozen):
    """Posts that take a `share` (by date) of a duty to supervise, in proportion to their time at work."""

    where: Where = Field(default_factory=dict)
    share: Annotated[Series, Of("share")] = Series(
        points={"1900-01": Value(value=1.0, source="all of the duty", evidence="assumption")}
    )


class Duty(Frozen):
    """Who must be supervised, what time it takes, and who does it.

    Exactly one of `trainees` (names of internal pipelines, or `pipeline.stage`), `first_year` and
    `staff` (posts). `time`: FTE of supervisors for each head (trainees, first-year staff) or FTE (staff)
    supervised. The shares of `by` sum to one at every date. `within`: axes of posts that supervisors
    and supervised have in common (not for trainees of external stages).
    """

    trainees: Annotated[tuple[str, ...], Of("names")] = ()
    first_year: Where | None = None
    staff: Where | None = None
    time: Annotated[Value, Of("ratio")]
    by: Annotated[tuple[Supervisor, ...], Of("supervisors")] = Field(min_length=1)
    within: Annotated[tuple[str, ...], Of("names")] = ()


class Weighting(Frozen):
    """Supplement for a high-cost area: a share of basic pay, at least `lowest` and at most `highest`."""

    share: Annotated[Cells, Of("share", "post", rest=0.0)]
    lowest: Annotated[Value, Of("money_per_year")] = Value(value=0.0)
    highest: Annotated[Value, Of("money_per_year")] = Value(value=1e9)


class PayIndex(Frozen):
    """Pay of the posts of `where` by date, relative to the rates of pay.

    Straight lines between the dates; with `steps` each value holds until the next date.
    """

    where: Where = Field(default_factory=dict)
    index: Annotated[Series, Of("ratio")]
    steps: bool = False


class Pay(Frozen):
    """What one FTE costs in a year: (basic pay + weighting) × (1 + on-costs) × index.

    `cover_premium`: cost of one FTE of temporary cover ÷ cost of one FTE employed.
    """

    per_fte: Annotated[Cells, Of("money_per_year", "post")]
    weighting: Weighting | None = None
    on_costs: Annotated[Cells, Of("share", "post", rest=0.0)] | None = None
    cover_premium: Annotated[Cells, Of("ratio", "post", rest=1.0)] | None = None
    over_time: tuple[PayIndex, ...] = ()


class Budget(Frozen):
    """Money for the posts of `where`: `per_year`, or `of_opening` (factor of its opening cost).

    With `caps` it limits establishment and temporary cover. Straight lines between the dates; with
    `steps` each value holds until the next date.
    """

    where: Where = Field(default_factory=dict)
    per_year: Annotated[Series, Of("budget")] | None = None
    of_opening: Annotated[Series, Of("ratio")] | None = None
    caps: bool = True
    steps: bool = False


class Feedback(Frozen):
    """multiplier = clip((perceived ÷ reference)^elasticity, low, high).

    `reference`: ``opening`` (so that a run starts neutral), or a number in the unit of what is
    perceived. `delay`: mean months until a change is perceived. `low` and `high` lie around 1.
    """

    on: bool = True
    where: Where = Field(default_factory=dict)
    delay: Annotated[Value, Of("duration")] = Value(value=0.0)
    reference: Annotated[Value | Literal["opening"], Of("reference")]
    low: Annotated[float, Of("low_bound")]
    high: Annotated[float, Of("high_bound")]


class Burnout(Feedback):
    """Pressure → leaving to the `destinations`, and → the `switches` to shorter hours."""

    leaving: Annotated[Value, Of("elasticity")] = Value(value=0.0)
    shorter_hours: Annotated[Value, Of("elasticity")] = Value(value=0.0)
    destinations: Annotated[tuple[str, ...], Of("names")] = ()
    switches: Annotated[tuple[str, ...], Of("names")] = ()


class Recruitment(Feedback):
    """Vacancy rate → supply of people from the outside `sources` of hires."""

    elasticity: Annotated[Value, Of("elasticity")]
    sources: Annotated[tuple[str, ...], Of("names")]


class TrainingCapacity(Feedback):
    """Supervising staff at work → places of the stages that have `places` and `supervisors`."""

    elasticity: Annotated[Value, Of("elasticity")]


class Attractiveness(Feedback):
    """Openings (vacancy rate) and pay attract, pressure repels: each relative to its opening value.

    A move from p to q is multiplied by the attractiveness of q ÷ that of p.
    """

    reference: Literal["opening"]
    low: Annotated[float, Of("positive_low_bound")]
    openings: Annotated[Value, Of("elasticity")] = Value(value=0.0)
    pressure: Annotated[Value, Of("elasticity")] = Value(value=0.0)
    pay: Annotated[Value, Of("elasticity")] = Value(value=0.0)


class Inexperience(Feedback):
    """Share of first-year staff → time to settle in and time to supervise them.

    Off: both stay as with the opening share.
    """

    elasticity: Annotated[Value, Of("elasticity")] = Value(value=1.0)


class Flexibility(Feedback):
    """FTE per head → leaving to the `destinations`: people who work fewer hours leave less often."""

    elasticity: Annotated[Value, Of("elasticity")]
    destinations: Annotated[tuple[str, ...], Of("names")]


class Feedbacks(Frozen):
    """The six feedbacks; one that is left out does not exist.

    Each looks at something, by post, and multiplies what it acts on by (perceived ÷ reference)^elasticity,
    kept between `low` and `high`. `reference`: ``opening`` (so that a run starts neutral), or a number in
    the unit of what is perceived. `delay`: mean months until a change is perceived. `where`: posts in which
    it acts. With ``on: false`` it does not act.
    """

    burnout: Burnout | None = None
    recruitment: Recruitment | None = None
    training: TrainingCapacity | None = None
    attractiveness: Attractiveness | None = None
    inexperience: Inexperience | None = None
    flexibility: Flexibility | None = None
