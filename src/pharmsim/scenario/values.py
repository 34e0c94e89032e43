"""Numbers as people write them: a value with its range, source and evidence; cells; series.

Three canonical shapes hold every number of a scenario:

* ``Value``: one number, with an optional range, its source and its evidence grade;
* ``Cells``: a number for every post (× group × contract × age), written as rows with ``where``,
  as a CSV table, or as one number for all; several ``terms`` are multiplied;
* ``Series``: a number by date or year.

The short forms that people write are turned into these shapes by `pharmsim.scenario.forms`.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

Evidence = Literal["published", "derived", "calibrated", "proxy", "assumption", "unstated"]
EVIDENCE: tuple[Evidence, ...] = get_args(Evidence)
"""Grades of evidence, strongest first."""
Dist = Literal[
    "uniform", "triangular", "pert", "normal", "lognormal", "beta", "gamma", "discrete", "empirical"
]  # fmt: skip


class Frozen(BaseModel):
    """Base of everything that is read from a file: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True, allow_inf_nan=False)


class Origin(Frozen):
    """Where a value was written: file (as given) and line (from 1)."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class Value(Frozen):
    """One number, in the unit of its kind.

    ``low`` and ``high`` are the ends of the range for `uniform`, `triangular` and `pert` (the
    default), and the 5 % and 95 % points for `normal` and `lognormal`; `beta` and `gamma` have the
    deviation of a normal of this range. `discrete` has `choices` (value: probability), `empirical` the
    column of a posterior that `uncertainty` names; both need no low and high. A value with a range
    is an uncertainty of its own, named by its key path, unless `uncertainty` names another: values
    that share a name move together.
    """

    value: float
    low: float | None = None
    high: float | None = None
    dist: Dist | None = None
    choices: dict[float, float] | None = None
    uncertainty: str | None = None
    source: str = ""
    evidence: Evidence = "unstated"
    note: str = ""
    origin: Origin | None = Field(default=None, exclude=True, repr=False)


class Row(Value):
    """A value for the cells that `where` selects; an empty `where` selects all.

    Keys of `where`: the axes (role, environment, grade, place, post, group, contract), any
    declared attribute of posts, ``age`` ("25", "25-34", "55+") or ``years_past_pension_age``
    ("-5", "0-1", "3+"). Later rows override earlier ones. Rows with single ages are knots: straight
    lines between the knots of the same selection, constant outside them (one alone means that age);
    bands hold inside them.
    """

    where: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class Range(Frozen):
    """A relative range that moves all rows of a term together: 0.8 to 1.25 times the values."""

    low: float
    high: float
    dist: Dist | None = None
    choices: dict[float, float] | None = None
    uncertainty: str | None = None


class Term(Frozen):
    """Rows from one place: one factor of `Cells`."""

    rows: tuple[Row, ...]
    range: Range | None = None
    table: str | None = None
    source: str = ""
    evidence: Evidence = "unstated"
    note: str = ""
    origin: Origin | None = Field(default=None, exclude=True, repr=False)


class Cells(Frozen):
    """A number for every cell: the product of its terms (usually one)."""

    terms: tuple[Term, ...]


class Series(Frozen):
    """A number over time: by date, straight lines between points, constant outside them.

    For yearly series (`Intake.per_year`) a key is a year and holds for that whole year; years
    after the last repeat it.
    """

    points: dict[str, Value]


class Of:
    """Marks a field with the kind of its number (`pharmsim.quantities.KINDS`) and its short forms.

    ``Annotated[Value, Of("share")]`` accepts ``70 %``, ``0.7`` or ``{value: 70 %, low: …}``.

    Parameters
    ----------
    kind : str
        A key of `KINDS`, or of the other short forms in `pharmsim.scenario.forms`.
    by : str
        For cells: the axes that rows may name (of "post group contract age"), apart by spaces.
    over : str
        For cells that are shares: the axis over which they sum to one; what no row covers is 0.
    rest : float, optional
        For cells: the number of the cells that no row covers; without it they must all be covered.
    """

    def __init__(self, kind: str, by: str = "", over: str = "", rest: float | None = None) -> None:
        self.kind = kind
        self.by = tuple(by.split())
        self.over = over
        self.rest = rest

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pharmsim.scenario import forms

        return forms.core_schema(self, source, handler)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> Any:
        from pharmsim.scenario import forms

        return forms.json_schema(self, schema, handler)
