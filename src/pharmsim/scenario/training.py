"""What a scenario may say of pipelines: intake, stages, examinations, training inside posts."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from pharmsim.scenario.system import Where
from pharmsim.scenario.values import Cells, Frozen, Of, Origin, Series, Value


class Stage(Frozen):
    """A stage of whole months with a drop-out hazard and, if limited, places.

    Places are a number, or `trainees_per_fte` for each FTE at work in the posts of `supervisors`.
    """

    name: str
    months: Annotated[int, Of("whole_months")]
    drop_out: Annotated[Value, Of("hazard")] = Value(value=0.0)
    places: Annotated[Value, Of("heads")] | None = None
    trainees_per_fte: Annotated[Value, Of("positive")] | None = None
    supervisors: Where | None = None
    waits: Annotated[Value, Of("share")] = Value(value=0.0)


class Intake(Frozen):
    """Who starts: people a year, by year or constant, in stated months (shares sum to one)."""

    per_year: Annotated[Series, Of("heads_per_year")]
    months: Annotated[dict[str, float], Of("month_shares")]


class Exam(Frozen):
    """Sittings in stated months, from month `eligible_month` of the last stage; `result_lag` in months.

    `pass_rates[k]` is the pass rate at attempt k + 1; `by_sitting` overrides it for a month.
    `resit`: share of those who failed who sit again, while attempts remain.
    """

    sittings: Annotated[tuple[str, ...], Of("month_names")]
    eligible_month: int = Field(ge=1)
    result_lag: Annotated[int, Of("whole_months")] = 0
    pass_rates: Annotated[tuple[Annotated[Value, Of("share")], ...], Of("values")]
    by_sitting: Annotated[
        dict[str, Annotated[tuple[Annotated[Value, Of("share")], ...], Of("values")]], Of("month_keys")
    ] = Field(default_factory=dict)
    resit: Annotated[Value, Of("share")] = Value(value=1.0)


class Opening(Frozen):
    """How a pipeline is filled at the start, and how many newly qualified are then looking for a post."""

    rule: Literal["from_past_intakes", "steady"]
    seekers: Annotated[Value, Of("heads")] = Value(value=0.0)


class ExternalPipeline(Frozen):
    """Training outside the posts: intake → stages → examination → retention → posts."""

    kind: Literal["external"] = "external"
    role: str
    intake: Intake
    stages: tuple[Stage, ...] = Field(min_length=1)
    exam: Exam | None = None
    retention: Annotated[Value, Of("share")] = Value(value=1.0)
    groups: Annotated[Cells, Of("share", "group", over="group")] | None = None
    ages: Annotated[Cells, Of("share", "group age", over="age")] | None = None
    destinations: Annotated[Cells, Of("share", "post", over="post")]
    gives_up: Annotated[Value, Of("fast_hazard")] = Value(value=0.0)
    opening: Annotated[Opening, Of("opening")]


class Route(Frozen):
    """Where people trained in one post go once qualified: shares of one origin sum to one."""

    from_: str = Field(alias="from")
    to: str
    share: Annotated[Value, Of("share")] = Value(value=1.0)
    origin: Origin | None = Field(default=None, exclude=True, repr=False)

    model_config = Frozen.model_config | {"populate_by_name": True}


class InternalPipeline(Frozen):
    """Training inside a post (apprenticeship): people stay in their post, then change role.

    `intake`: heads a year by post of origin; `drop_out` sends people back to their post, and
    `completes` is the share who qualify at the end. The qualified take posts of `routes` at
    `take_up` (hazard), limited by vacancies there. `productivity`: share of their working time that
    trainees give to their post. At most `trainees_per_fte` can be in training for each FTE at work in
    the posts of `supervisors`; the others are counted as unplaced and stay in their post.
    """

    kind: Literal["internal"]
    role: str
    intake: Annotated[Cells, Of("heads_per_year", "post", rest=0.0)]
    intake_months: Annotated[dict[str, float], Of("month_shares")]
    over_time: Annotated[Series, Of("ratio")] | None = None
    months: Annotated[int, Of("whole_months")]
    drop_out: Annotated[Value, Of("hazard")] = Value(value=0.0)
    completes: Annotated[Value, Of("share")] = Value(value=1.0)
    productivity: Annotated[Value, Of("share")] = Value(value=1.0)
    trainees_per_fte: Annotated[Value, Of("positive")] | None = None
    supervisors: Where | None = None
    ages: Annotated[str, Of("ages")] | None = None
    routes: Annotated[tuple[Route, ...], Of("routes")] = Field(min_length=1)
    take_up: Annotated[Value, Of("fast_hazard")] = Value(value=12.0)
    opening: Annotated[Opening, Of("opening")]


def _kind(written: Any) -> str:
    """Return the kind of a pipeline: external unless it says otherwise."""
    if isinstance(written, dict):
        kind = written.get("kind", "external")
        return "external" if isinstance(kind, dict | list) else str(kind)
    return str(getattr(written, "kind", "external"))


Pipeline = Annotated[
    Annotated[ExternalPipeline, Tag("external")] | Annotated[InternalPipeline, Tag("internal")],
    Discriminator(_kind),
]
