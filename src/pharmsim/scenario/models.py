"""What a scenario file may hold, section by section.

Required are `name`, `start`, `end`, `roles`, `environments`, `posts`, and of `stock` its headcount
and ages; a flow whose section is left out does not exist. Units of the numbers are named by their
kind (`Of("hazard")` …), listed in `pharmsim.quantities.KINDS`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, PrivateAttr

from pharmsim.scenario.interventions import Intervention
from pharmsim.scenario.system import Budget, Duty, Feedbacks, Month, Need, Pay, Where, WorkingTime
from pharmsim.scenario.training import Pipeline
from pharmsim.scenario.uncertainties import Uncertainties
from pharmsim.scenario.values import Cells, Frozen, Of, Origin, Series, Value

Step = Literal["month", "month/2", "month/4", "month/8", "year"]


class Ages(Frozen):
    """First and last age (birthdays) of the birth cohorts; whoever passes the last retires."""

    first: int = Field(default=16, ge=0, le=100)
    last: int = Field(default=75, ge=1, le=110)


class Post(Frozen):
    """A (role, grade, environment, place) that exists. `attributes` are declared in the scenario.

    A joint or rotational post has its home in `environment` (employer, establishment, pay) and a
    `split` of its working time over environments; everybody who enters one costs `backfill_weeks`
    of a full-time equivalent. `like` and `made_by` are those of posts that an intervention makes: the post
    that it stands beside, and the intervention.
    """

    post: str
    role: str
    environment: str
    grade: str = ""
    place: str = ""
    split: Annotated[dict[str, float], Of("split")] = Field(default_factory=dict)
    backfill_weeks: Annotated[float, Of("weeks")] = 0.0
    like: str = ""
    made_by: str = ""
    attributes: dict[str, str] = Field(default_factory=dict)
    origin: Origin | None = Field(default=None, exclude=True, repr=False)


class Stock(Frozen):
    """Everybody in post at the start: headcount × shares of groups, ages and contracts.

    `headcount` counts jobs where `jobs_per_person` is above 1: people = jobs ÷ jobs per person.
    Shares are normalised only if they sum to one within 1e-6; otherwise they are an error.
    """

    headcount: Annotated[Cells, Of("heads", "post")]
    jobs_per_person: Annotated[Cells, Of("ratio", "post")] | None = None
    groups: Annotated[Cells, Of("share", "post group", over="group")] | None = None
    ages: Annotated[Cells, Of("share", "post group age", over="age")] | None = None
    contracts: Annotated[Cells, Of("share", "post group contract age", over="contract")] | None = None


class PensionAge(Frozen):
    """Pension age of people born in the month `born` (straight lines between rows, constant outside)."""

    born: Month
    age: Annotated[Value, Of("age")]


class Flow(Frozen):
    """A hazard per year for the people of a post, and how it changes over time."""

    rate: Annotated[Cells, Of("hazard", "post group contract age")]
    over_time: Annotated[Series, Of("ratio")] | None = None


class Leaving(Flow):
    """Leaving to one named destination: a sink, or the pool named by `into`."""

    into: str | None = None


class EmployerChange(Flow):
    """Changing employer inside a post: changes no stock, but is a loss at the level of employers."""

    rate: Annotated[Cells, Of("hazard", "post group contract")]


class FirstYear(Frozen):
    """First-year staff: their share at the start and how much likelier they are to leave.

    Leaving hazards are averages over the opening mix; `leaving_ratio` is the hazard of first-year
    staff divided by that of the others.
    """

    leaving_ratio: Annotated[Cells, Of("ratio", "post")]
    opening_share: Annotated[Cells, Of("share", "post")]


class Retirement(Flow):
    """Retiring; rows keyed by `age` or by `years_past_pension_age`."""


class Switch(Flow):
    """Changing contract inside a post (phased retirement: rows by `years_past_pension_age`)."""

    name: str
    from_: str = Field(alias="from")
    to: str

    model_config = Frozen.model_config | {"populate_by_name": True}


class Edge(Frozen):
    """People of one post who move to another. A table has the columns from, to, rate, …"""

    from_: str = Field(alias="from")
    to: str
    rate: Annotated[Value, Of("hazard")]
    origin: Origin | None = Field(default=None, exclude=True, repr=False)

    model_config = Frozen.model_config | {"populate_by_name": True}


class Overlap(Frozen):
    """Share of the skills of `to` that people of `from` already have: multiplies the rate of moves."""

    from_: str = Field(alias="from")
    to: str
    share: Annotated[Value, Of("share")]
    origin: Origin | None = Field(default=None, exclude=True, repr=False)

    model_config = Frozen.model_config | {"populate_by_name": True}


class Moves(Frozen):
    """Moves between posts of a role, limited by vacancies at the destination."""

    edges: Annotated[tuple[Edge, ...], Of("edges")]
    skills_overlap: Annotated[tuple[Overlap, ...], Of("overlaps")] = ()
    ages: Annotated[str, Of("ages")] | None = None
    factor: Annotated[Value, Of("ratio")] = Value(value=1.0)
    over_time: Annotated[Series, Of("ratio")] | None = None


class Promotions(Frozen):
    """Promotion along the ladder: only people past their first year in post, within `ages`."""

    edges: Annotated[tuple[Edge, ...], Of("edges")]
    ages: Annotated[str, Of("ages")] | None = None
    factor: Annotated[Value, Of("ratio")] = Value(value=1.0)
    over_time: Annotated[Series, Of("ratio")] | None = None


class Pool(Frozen):
    """People who left a post and may come back to it (career break, left the profession).

    `return_rate` sends people back to the post they left, as `contracts` says; `limited` returns
    wait for a vacancy. `lapse_rate` sends them to a sink for good.
    """

    return_rate: Annotated[Cells, Of("fast_hazard", "post group age")]
    lapse_rate: Annotated[Cells, Of("fast_hazard", "post group age")] | None = None
    limited: bool = True
    contracts: Annotated[Cells, Of("share", "post group contract", over="contract")] | None = None
    opening: Annotated[Cells, Of("heads", "post", rest=0.0)]
    opening_ages: Annotated[Cells, Of("share", "post group age", over="age")] | None = None


class Source(Frozen):
    """Where hires come from: newly qualified of `pipelines`, or outside with a yearly supply.

    Exactly one of `pipelines` ("all" or names) and `supply` (heads a year who would take each
    post; "unlimited") is given. `ages` and `groups` describe people from outside.
    """

    name: str
    pipelines: Annotated[tuple[str, ...], Of("names")] | None = None
    supply: Annotated[Cells | Literal["unlimited"], Of("heads_per_year", "post", rest=0.0)] | None = None
    groups: Annotated[Cells, Of("share", "post group", over="group")] | None = None
    ages: Annotated[Cells, Of("share", "post group age", over="age")] | None = None
    over_time: Annotated[Series, Of("ratio")] | None = None


class Hiring(Frozen):
    """Filling vacancies: sources in the order in which they are asked.

    `time_to_fill`: mean months a vacancy stands open before somebody accepts (0: at once);
    `time_to_hire`: whole months from acceptance to the first day; `opening_offers`: people who
    have accepted and not yet started, spread evenly over those months.
    """

    sources: tuple[Source, ...]
    time_to_hire: Annotated[Cells, Of("months", "post")] | None = None
    time_to_fill: Annotated[Cells, Of("duration", "post")] | None = None
    contracts: Annotated[Cells, Of("share", "post group contract", over="contract")] | None = None
    opening_offers: Annotated[Cells, Of("heads", "post", rest=0.0)] | None = None


class Policy(Frozen):
    """How the establishment of the posts in `where` changes.

    `hold`; `grow` (so much a year); `table` (a factor by date); `reduce` (a financial plan: by a share or
    so many FTE of all posts whose policy it is, in a straight line from `start` to `end`); `follow` (a
    `share` of the change of required FTE since the start, perceived with a mean `delay`).
    """

    where: Where = Field(default_factory=dict)
    policy: Literal["hold", "grow", "table", "reduce", "follow"] = "hold"
    growth: Annotated[Value, Of("growth")] | None = None
    table: Annotated[Series, Of("ratio")] | None = None
    by_share: Annotated[Value, Of("share")] | None = None
    by_fte: Annotated[Value, Of("fte")] | None = None
    start: Month | None = None
    end: Month | None = None
    share: Annotated[Value, Of("share")] | None = None
    delay: Annotated[Value, Of("duration")] | None = None


class Transfer(Frozen):
    """Establishment moved from some posts to others, growing from nothing at `start` to `fte` at `end`.

    Within `from` and `to` it is shared in proportion to the opening establishment (equally where there
    is none). Without `from` the posts are `new` money, and must say so.
    """

    from_: Where | None = Field(default=None, alias="from")
    to: Where
    fte: Annotated[Value, Of("fte")]
    start: Month
    end: Month
    new: bool = False

    model_config = Frozen.model_config | {"populate_by_name": True}


class Establishment(Frozen):
    """Funded posts (FTE): given, or the opening FTE ÷ (1 − vacancy rate). Exactly one of the two."""

    fte: Annotated[Cells, Of("fte", "post")] | None = None
    vacancy_rate: Annotated[Cells, Of("signed_share", "post")] | None = None
    over_time: tuple[Policy, ...] = ()
    redistribution: tuple[Transfer, ...] = ()
    unconstrained: Annotated[tuple[dict[str, tuple[str, ...]], ...], Of("wheres")] = ()


class Cover(Frozen):
    """Temporary cover (bank, agency, locum): share of vacant FTE filled; `cap`: share of establishment.

    `effectiveness`: what an FTE of cover gets done on the service, as a share of what staff do.
    """

    share: Annotated[Cells, Of("share", "post")]
    cap: Annotated[Cells, Of("share", "post")] | None = None
    effectiveness: Annotated[Value, Of("share")] = Value(value=1.0)


class Level(Frozen):
    """A partition of posts for retention: posts in `where`, in blocks of equal `by`.

    `by` lists axes or attributes of posts (["post"] for each post alone, [] for one block). With
    `employer_changes` a change of employer inside a post is a loss too.
    """

    where: Where = Field(default_factory=dict)
    by: Annotated[tuple[str, ...], Of("names")] = ()
    employer_changes: bool = False


class Retention(Frozen):
    """Levels of retention, and the yearly reference date (the last day of `month`)."""

    month: Annotated[str, Of("month_name")] = "March"
    levels: dict[str, Level] = Field(min_length=1)


class Scenario(Frozen):
    """A complete, resolved scenario: what the engines compile."""

    name: str
    description: str = ""
    start: Month
    end: Month
    step: Step = "month"
    ages: Ages = Ages()
    roles: Annotated[dict[str, str], Of("labels")] = Field(min_length=1)
    environments: Annotated[dict[str, str], Of("labels")] = Field(min_length=1)
    grades: Annotated[dict[str, str], Of("labels")] = Field(default_factory=dict)
    places: Annotated[dict[str, str], Of("labels")] = Field(default_factory=dict)
    groups: Annotated[dict[str, str], Of("labels")] = Field(default_factory=lambda: {"all": "Everybody"})
    contracts: Annotated[dict[str, str], Of("labels")] = Field(default_factory=lambda: {"any": "Any"})
    post_attributes: Annotated[tuple[str, ...], Of("names")] = ()
    posts: Annotated[tuple[Post, ...], Of("posts")] = Field(min_length=1)
    stock: Stock
    fte_per_head: Annotated[Cells, Of("fte_per_head", "post group contract")] | None = None
    hours_drift: Annotated[Cells, Of("growth", "post group contract")] | None = None
    pension_age: tuple[PensionAge, ...] = ()
    leaving: dict[str, Leaving] = Field(default_factory=dict)
    first_year: FirstYear | None = None
    retirement: Retirement | None = None
    switches: tuple[Switch, ...] = ()
    moves: Moves | None = None
    promotions: Promotions | None = None
    employer_change: EmployerChange | None = None
    pools: dict[str, Pool] = Field(default_factory=dict)
    establishment: Establishment | None = None
    safe_minimum: Annotated[Cells, Of("heads", "post", rest=0.0)] | None = None
    hiring: Hiring | None = None
    cover: Cover | None = None
    working_time: WorkingTime | None = None
    need: Need | None = None
    supervision: dict[str, Duty] = Field(default_factory=dict)
    pipelines: dict[str, Pipeline] = Field(default_factory=dict)
    retention: Retention | None = None
    pay: Pay | None = None
    budgets: dict[str, Budget] = Field(default_factory=dict)
    feedbacks: Feedbacks | None = None
    interventions: tuple[Intervention, ...] = ()
    parameters: Annotated[tuple[str, ...], Of("files")] = ()
    uncertainties: Uncertainties | None = None
    base_digest: str = ""
    warnings_off: tuple[str, ...] = ()
    _files: tuple[tuple[str, str], ...] = PrivateAttr(default=())
