"""Every kind of number that goes in and every quantity that comes out: unit, bounds, axes, meaning.

One table, read by the validation of scenario files, the results, the documentation and the plots.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """A kind of input number.

    Attributes
    ----------
    unit : str
        Unit of the canonical number, as shown to people.
    low, high : float
        Bounds that the number must keep (inclusive).
    per : bool
        Whether the number is a rate in time ("9 % per year").
    text : str
        What it is, in a phrase that an error message can use: "must be `text`".
    """

    unit: str
    low: float
    high: float
    per: bool
    text: str


KINDS: dict[str, Kind] = {
    "hazard": Kind("per year", 0.0, 3.0, True, "a rate per year between 0 and 3"),
    "fast_hazard": Kind("per year", 0.0, 100.0, True, "a rate per year between 0 and 100"),
    "growth": Kind("per year", -0.5, 0.5, True, "a change per year between -50 % and 50 %"),
    "share": Kind("share", 0.0, 1.0, False, "a share between 0 and 1"),
    "signed_share": Kind("share", -1.0, 0.95, False, "a share between -1 and 0.95"),
    "ratio": Kind("ratio", 0.0, 100.0, False, "a ratio between 0 and 100"),
    "positive": Kind("ratio", 0.001, 1000.0, False, "a ratio between 0.001 and 1,000"),
    "elasticity": Kind("elasticity", -10.0, 10.0, False, "an elasticity between -10 and 10"),
    "correlation": Kind("correlation", -1.0, 1.0, False, "a correlation between -1 and 1"),
    "reference": Kind("reference", 1e-6, 1e8, False, "`opening`, or a number above 0"),
    "activity": Kind("activity", 0.0, 1e15, False, "an amount of activity, 0 or more"),
    "heads": Kind("heads", 0.0, 1e8, False, "a number of people between 0 and 100 million"),
    "heads_per_year": Kind("heads per year", 0.0, 1e8, True, "a number of people per year between 0 and 100 million"),
    "fte": Kind("FTE", 0.0, 1e8, False, "full-time equivalents between 0 and 100 million"),
    "fte_per_head": Kind("FTE per head", 0.01, 1.5, False, "FTE per head between 0.01 and 1.5"),
    "months": Kind("months", 0.0, 600.0, False, "a whole number of months between 0 and 600"),
    "duration": Kind("months", 0.0, 600.0, False, "a duration between 0 and 600 months"),
    "age": Kind("years", 14.0, 110.0, False, "an age between 14 and 110"),
    "budget": Kind("GBP per year", 0.0, 1e12, True, "an amount per year between 0 and 1,000,000 million"),
    "money": Kind("GBP", 0.0, 1e12, False, "an amount of money, 0 or more"),
    "amount": Kind("unit of the quantity", -1e12, 1e12, False, "a number, negative for less"),
    "money_per_year": Kind("GBP per FTE and year", 0.0, 1e9, True, "an amount per year between 0 and 1,000 million"),
    "money_per_head": Kind("GBP per head and year", 0.0, 1e9, True, "an amount per year between 0 and 1,000 million"),
}


@dataclass(frozen=True)
class Output:
    """A quantity of the results.

    Attributes
    ----------
    unit : str
        Unit, as written into netCDF attributes and axis labels.
    dims : tuple of str
        Axes after the leading `draw`. `time` stands on n + 1 month starts, `period` on n months.
    text : str
        Description.
    sections : tuple of str
        Sections of a scenario of which one must be there; otherwise the output is left out.
    """

    unit: str
    dims: tuple[str, ...]
    text: str
    sections: tuple[str, ...] = ()


STOCKS: dict[str, Output] = {
    "headcount": Output("heads", ("time", "post", "group", "contract"), "people in post"),
    "headcount_55plus": Output("heads", ("time", "post"), "people in post aged 55 or over"),
    "headcount_by_age": Output("heads", ("year", "post", "age"), "people in post by age at last birthday, yearly"),
    "fte": Output("FTE", ("time", "post"), "full-time equivalents in post"),
    "establishment_fte": Output("FTE", ("time", "post"), "funded full-time equivalents (not a number: no limit)"),
    "vacancy_fte": Output("FTE", ("time", "post"), "establishment less FTE in post; negative when over-established"),
    "cover_fte": Output("FTE", ("time", "post"), "temporary cover (bank, agency, locum)"),
    "offers": Output("heads", ("time", "post"), "people who have accepted a post and not yet started"),
    "first_year": Output("heads", ("time", "post"), "people in their first twelve months in post"),
    "apprentices": Output("heads", ("time", "post"), "people in post who are in an internal pipeline"),
    "in_pool": Output("heads", ("time", "pool", "post"), "people out of post who may return, by the post they left"),
    "unfillable_fte": Output("FTE", ("time", "post"), "part of a vacancy too small for a whole person (whole people only)"),
    "seekers": Output("heads", ("time", "pipeline"), "newly qualified people looking for a post"),
    "trainees": Output("heads", ("time", "stage"), "people in a stage of an external pipeline"),
    "waiting_for_place": Output("heads", ("time", "stage"), "people waiting for a place in a stage"),
    "awaiting": Output("heads", ("time", "pipeline"), "trainees between an examination and its result or registration"),
    "resitting": Output("heads", ("time", "pipeline"), "people waiting to sit an examination (again)"),
}

SYSTEM: dict[str, Output] = {
    "time_fte": Output("FTE", ("time", "post", "use"), "working time by use: the uses of a post sum to its FTE", ("working_time", "need")),
    "delivered_fte": Output("FTE", ("time", "post"), "time on the service by the post that gives it, temporary cover included", ("working_time", "need")),
    "unmet_supervision_fte": Output("FTE", ("time", "post"), "supervising time asked for and not to be had", ("supervision", "need")),
    "backfill_fte": Output("FTE", ("time", "post"), "people paid to stand in for those who enter a joint post", ("working_time", "need", "pay")),
    "required_fte": Output("FTE", ("time", "service"), "time on the service required, after delegation", ("need",)),
    "service_fte": Output("FTE", ("time", "service"), "time on the service delivered, temporary cover included", ("need",)),
    "delegated_fte": Output("FTE", ("time", "service"), "required time given to the role below", ("need",)),
    "pressure": Output("ratio", ("time", "service"), "required divided by delivered, at most 10", ("need",)),
    "places": Output("heads", ("time", "stage"), "places of a stage (infinite: no limit)"),
    "multiplier": Output("ratio", ("time", "feedback", "post"), "multiplier of each feedback", ("feedbacks",)),
    "move_multiplier": Output("ratio", ("time", "edge"), "multiplier of moves by attractiveness", ("feedbacks",)),
    "place_multiplier": Output("ratio", ("time", "stage"), "multiplier of places by supervising staff", ("feedbacks",)),
    "pay_bill": Output("GBP per month", ("time", "post"), "cost of the FTE in post, with weighting and on-costs", ("pay",)),
    "cover_cost": Output("GBP per month", ("time", "post"), "cost of temporary cover", ("pay",)),
    "backfill_cost": Output("GBP per month", ("time", "post"), "cost of backfill for joint posts", ("pay",)),
    "budget_money": Output("GBP per month", ("time", "budget"), "money of a budget", ("budgets",)),
    "programme_cost": Output("GBP per month", ("time", "intervention", "post"), "cost of interventions beside pay", ("interventions",)),
}

FLOWS: dict[str, Output] = {
    "joiners": Output("heads per month", ("period", "post", "source"), "people starting a post, by source"),
    "offers_made": Output("heads per month", ("period", "post", "source"), "offers accepted, by source"),
    "leavers": Output("heads per month", ("period", "post", "destination"), "people leaving a post, by destination"),
    "retirements": Output("heads per month", ("period", "post"), "people retiring, the last age included"),
    "returns": Output("heads per month", ("period", "pool", "post"), "people returning from a pool to the post they left"),
    "pool_losses": Output("heads per month", ("period", "pool", "post"), "people lost from a pool for good"),
    "moves": Output("heads per month", ("period", "edge"), "moves, promotions and role changes between posts"),
    "moves_blocked": Output("heads per month", ("period", "edge"), "moves wanted and not possible for lack of a vacancy"),
    "switches": Output("heads per month", ("period", "post", "switch"), "changes of contract inside a post"),
    "employer_changes": Output("heads per month", ("period", "post"), "changes of employer inside a post"),
    "training_starts": Output("heads per month", ("period", "post"), "people of a post who start an internal pipeline"),
    "training_ends": Output("heads per month", ("period", "post"), "people of a post who end an internal pipeline qualified"),
    "training_unplaced": Output("heads per month", ("period", "post"), "people of a post who want to start an internal pipeline and find no place"),
    "entrants": Output("heads per month", ("period", "pipeline"), "people who want to start a pipeline"),
    "intake": Output("heads per month", ("period", "stage"), "people entering a stage"),
    "unplaced": Output("heads per month", ("period", "stage"), "people who arrive at a stage and find no place"),
    "stage_losses": Output("heads per month", ("period", "stage"), "drop-outs, and unplaced people who do not wait"),
    "sat": Output("heads per month", ("period", "pipeline", "attempt"), "examination candidates, by attempt"),
    "passed": Output("heads per month", ("period", "pipeline", "attempt"), "examination passes, by attempt"),
    "failed_out": Output("heads per month", ("period", "pipeline"), "people who fail and do not sit again"),
    "registered": Output("heads per month", ("period", "pipeline"), "newly qualified people"),
    "left_area": Output("heads per month", ("period", "pipeline"), "newly qualified people who leave the area"),
    "gave_up": Output("heads per month", ("period", "pipeline"), "newly qualified people who stop looking for a post"),
}

RETENTION: dict[str, Output] = {
    "tagged": Output("heads", ("retention_year", "level", "post"), "people tagged on the reference date, by post"),
    "kept": Output("heads", ("retention_year", "level", "post"), "people still tagged twelve months later, by post then"),
    "tagged_in": Output("heads", ("retention_year", "block"), "people tagged on the reference date, by block of the level; joint posts by share"),
    "kept_in": Output("heads", ("retention_year", "block"), "people still tagged in the block twelve months later"),
}

OTHER: dict[str, Output] = {
    "registered_before": Output("heads per month", ("history", "pipeline"), "newly qualified people before the start"),
    "conservation_error": Output("heads", ("period",), "change of all people less entrants plus exits: rounding only"),
}

OUTPUTS: dict[str, Output] = STOCKS | SYSTEM | FLOWS | RETENTION | OTHER


@dataclass(frozen=True)
class Adjustable:
    """A number of a scenario that an intervention can change.

    Attributes
    ----------
    kind : str
        Key of `KINDS`: its unit, and the bounds that it must keep after the change.
    section : str
        Where it stands in a scenario, as a key path; the intervention needs it there.
    of : str
        What `of` names: destinations, switches, absences, pools, sources, delegations, duties,
        pipelines or stages; "" if there is only one.
    by : tuple of str
        What the reach can select it by: post, group, age, and for edges also the post they lead to.
    text : str
        What it is.
    """

    kind: str
    section: str
    of: str
    by: tuple[str, ...]
    text: str


ADJUSTABLE: dict[str, Adjustable] = {
    "leaving": Adjustable("hazard", "leaving", "destinations", ("post", "group", "age"), "leaving, by destination"),
    "retirement": Adjustable("hazard", "retirement", "", ("post", "group", "age"), "retiring"),
    "switching": Adjustable("hazard", "switches", "switches", ("post", "group", "age"), "changing contract inside a post"),
    "employer_change": Adjustable("hazard", "employer_change", "", ("post", "group"), "changing employer inside a post"),
    "first_year_leaving_ratio": Adjustable("ratio", "first_year", "", ("post",), "leaving of first-year staff relative to that of the others, which stays"),
    "first_year_output": Adjustable("share", "working_time.first_year_output", "", ("post",), "what first-year staff get done relative to others"),
    "fte_per_head": Adjustable("fte_per_head", "fte_per_head", "", ("post", "group"), "FTE per head"),
    "absence": Adjustable("share", "working_time.absence", "absences", ("post",), "share of the contracted time that is absence"),
    "returns": Adjustable("fast_hazard", "pools", "pools", ("post", "group"), "coming back from a pool"),
    "moves": Adjustable("hazard", "moves", "", ("post", "to"), "moving to another post of the role"),
    "skills_overlap": Adjustable("share", "moves", "", ("post", "to"), "skills that somebody who moves already has"),
    "promotions": Adjustable("hazard", "promotions", "", ("post", "to"), "promotion along the ladder"),
    "establishment": Adjustable("fte", "establishment", "", ("post",), "funded posts, before policies, transfers and budgets"),
    "cover_share": Adjustable("share", "cover", "", ("post",), "share of vacant FTE filled by bank, agency and locums"),
    "cover_cap": Adjustable("share", "cover", "", ("post",), "most temporary cover, as a share of establishment"),
    "cover_premium": Adjustable("ratio", "pay", "", ("post",), "cost of temporary cover relative to staff"),
    "supply": Adjustable("heads_per_year", "hiring", "sources", ("post",), "people from outside who would take a post"),
    "time_to_fill": Adjustable("duration", "hiring", "", ("post",), "mean months that a vacancy stands open"),
    "pay": Adjustable("money_per_year", "pay", "", ("post",), "cost of an FTE in a year, with weighting and on-costs"),
    "need": Adjustable("ratio", "need", "", ("post",), "required time relative to what it would be without the intervention"),
    "delegation": Adjustable("share", "need.delegation", "delegations", (), "share of the required work that is delegated"),
    "supervision_time": Adjustable("ratio", "supervision", "duties", (), "supervising time for each head or FTE"),
    "intake": Adjustable("heads_per_year", "pipelines", "pipelines", (), "people who want to start an external pipeline"),
    "places": Adjustable("heads", "pipelines", "stages", (), "places of a stage, where they are a number"),
    "trainees_per_fte": Adjustable("positive", "pipelines", "stages", (), "trainees for each FTE of supervisors, where places follow staff"),
    "drop_out": Adjustable("hazard", "pipelines", "stages", (), "leaving a pipeline before its end"),
    "pass_rate": Adjustable("share", "pipelines", "pipelines", (), "passing an examination"),
    "stays_in_area": Adjustable("share", "pipelines", "pipelines", (), "newly qualified people who stay in the area"),
    "apprentices": Adjustable("heads_per_year", "pipelines", "pipelines", ("post",), "people of a post who want to start an internal pipeline"),
    "completion": Adjustable("share", "pipelines", "pipelines", (), "trainees of an internal pipeline who qualify at its end"),
}
"""Numbers that interventions change, by the names that effects use. In `stages`, an internal pipeline counts as one."""
