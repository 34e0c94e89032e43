"""Predictions for targets, read from an engine's record by index arrays that are made once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pharmsim.calibration.targets import Target, month_after
from pharmsim.compiled.arrays import Floats, Ints
from pharmsim.quantities import OUTPUTS
from pharmsim.results.axes import coordinates
from pharmsim.results.rates import leaver_rate_from_counts, vacancy_rate_from_fte
from pharmsim.scenario.marks import closest, quoted
from pharmsim.scenario.models import Scenario

Record = Mapping[str, Floats]
Where = Mapping[str, tuple[str, ...]]
Over = Callable[[Record], Floats]
"""Record → numbers of all targets of one selection, shape (draws, targets)."""

PARTS = {
    "exits": ("leavers", "retirements", "moves"),
    "entries": ("joiners", "returns", "moves"),
    "leaver_rate": ("leavers", "retirements", "moves", "headcount"),
    "vacancy_rate": ("establishment_fte", "vacancy_fte"),
    "pass_rate": ("passed", "sat"),
    "fte_per_head": ("fte", "headcount"),
}
"""Measures that are made of several outputs."""
RATES = {"leaver_rate": "share", "vacancy_rate": "share", "pass_rate": "share", "fte_per_head": "ratio"}
MEASURES = (
    *PARTS,
    *(name for name, made in OUTPUTS.items() if made.dims[0] in ("time", "period") and made.dims[1:]),
)
"""Names of what a target can be about."""


class ReadingError(ValueError):
    """A target cannot be predicted; `key` is that of the observation to blame."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(message)
        self.key = key


def unit_of(measure: str) -> str:
    """Unit of a measure: as in `targets.UNITS`."""
    if measure in PARTS:
        return RATES.get(measure, "heads")
    return OUTPUTS[measure].unit.removesuffix(" per month")


def is_flow(measure: str) -> bool:
    """Whether a measure is about a period, not a date."""
    return OUTPUTS[PARTS.get(measure, (measure,))[0]].dims[0] == "period"


@dataclass(frozen=True)
class Shape:
    """What a scenario's record looks like.

    Attributes
    ----------
    scenario : Scenario
    sizes : mapping of str to tuple of int
        Shape of every output, without the draws.
    months : int
        Months of a period.
    """

    scenario: Scenario
    sizes: Mapping[str, tuple[int, ...]]
    months: int

    @classmethod
    def of(cls, scenario: Scenario) -> Shape:
        """Shape of the record of a scenario, found without running it."""
        from pharmsim.compiled.compile import compile_scenario
        from pharmsim.compiled.draws import sample
        from pharmsim.engine.run import blank

        compiled = compile_scenario(scenario, sample(scenario), tags=False)
        ages = compiled.opening.posts.people.shape[5]
        record = blank(compiled.model, compiled.clock, 1, ages).arrays()
        sizes = {name: array.shape[1:] for name, array in record.items()}
        return cls(scenario, sizes, compiled.clock.months_per_period)

    def period(self, year: int, month: int) -> int:
        """Number of the period that begins with a month; negative before the start."""
        start = int(np.datetime64(self.scenario.start, "M").astype(int))
        months = (year - 1970) * 12 + month - 1 - start
        if months % self.months:
            raise ReadingError(
                "targets", f"must begin and end with a step of the scenario; got {year}-{month:02d}"
            )
        return months // self.months

    def ends(self, target: Target) -> tuple[int, int]:
        """First period of a target and the one after its last; for a stock both are its date.

        Raises
        ------
        ReadingError
            If it lies outside the scenario's period, or between its months.
        """
        end = target.to or target.date
        if target.to is None and end.day != 1 and month_after(end) == (end.year, end.month):
            raise ReadingError(
                "targets",
                f"{target.title}: a stock must be of the first or the last day of a month; got {end}",
            )
        last = self.period(*month_after(end))
        first = last
        if target.to is not None:
            if target.date.day != 1 or month_after(target.to) == (target.to.year, target.to.month):
                raise ReadingError(
                    "targets",
                    f"{target.title}: a period must be whole months, from a first day to a last; "
                    f"got {target.date} to {target.to}",
                )
            first = self.period(target.date.year, target.date.month)
        n = self.sizes["headcount"][0] - 1
        if first < 0 or last > n:
            raise ReadingError(
                "targets",
                f"{target.title}: must lie inside the period of the scenario, {self.scenario.start} to "
                f"{self.scenario.end}; leave it out with `from` and `to` of the observation, or let the "
                "scenario run longer",
            )
        return first, last

    def labels(self, output: str) -> list[dict[str, list[str]]]:
        """Of each axis behind time: keys of `where` → label of every position."""
        dims, sizes = OUTPUTS[output].dims, self.sizes[output]
        coords = coordinates(self.scenario, {output: np.empty((1, *sizes), dtype=bool)})
        found: list[dict[str, list[str]]] = []
        for dim, size in zip(dims[1:], sizes[1:], strict=True):
            own = {
                name.removeprefix(f"{dim}_"): [str(item) for item in coord[1]]
                for name, coord in coords.items()
                if coord[0] == (dim,) and len(coord[1]) == size
            }
            if dim in ("pipeline", "stage"):
                own["pipeline"] = [label.split(": ")[0] for label in own[dim]]
                own["role"] = [str(self.scenario.pipelines[name].role) for name in own["pipeline"]]
            found.append(own)
        return found

    def cells(self, output: str, where: Where, known: Sequence[str] = ()) -> Ints:
        """Positions of the cells that `where` selects, in the axes behind time laid flat.

        Parameters
        ----------
        output : str
        where : mapping of str to tuple of str
        known : sequence of str
            Keys that belong to other outputs of the same measure.

        Raises
        ------
        ReadingError
            If a key or a name is not known, or nothing is selected.
        """
        labels = [{key: names for key, names in own.items() if any(names)} for own in self.labels(output)]
        masks = [np.ones(size, dtype=bool) for size in self.sizes[output][1:]]
        for key, wanted in where.items():
            at = [i for i, own in enumerate(labels) if key in own]
            if not at and key not in known:
                keys = dict.fromkeys(key for own in labels for key in own)
                raise ReadingError(
                    "where", f"{quoted(key)} is not an axis of {output}.{closest(key, keys, 20)}"
                )
            for i in at:
                for name in wanted:
                    if name not in labels[i][key]:
                        raise ReadingError(
                            "where",
                            f"no {key} of {output} is named {quoted(name)}."
                            f"{closest(name, set(labels[i][key]))}",
                        )
                masks[i] &= np.isin(labels[i][key], wanted)
        chosen = np.ones((), dtype=bool)
        for mask in masks:
            chosen = np.logical_and.outer(chosen, mask)
        return np.flatnonzero(chosen)


@dataclass(frozen=True)
class Cells:
    """A sum of cells of one output, times a sign."""

    output: str
    cells: Ints
    sign: float = 1.0

    def over_time(self, record: Record) -> Floats:
        """The sum, shape (draws, times or periods)."""
        array = record[self.output]
        flat = array.reshape(*array.shape[:2], -1)
        return np.asarray(self.sign * flat[:, :, self.cells].sum(axis=2))


def reading(shape: Shape, measure: str, where: Where, targets: Sequence[Target]) -> Over:
    """How to read a measure of one selection at the dates of some targets.

    Parameters
    ----------
    shape : Shape
    measure : str
        One of `MEASURES`.
    where : mapping of str to tuple of str
        Axis → names.
    targets : sequence of Target

    Returns
    -------
    callable
        Record → float64 array, shape (draws, targets).

    Raises
    ------
    ReadingError
    """
    ends = np.array([shape.ends(target) for target in targets]).reshape(-1, 2)
    first, last = ends[:, 0], ends[:, 1]
    parts = {name: _cells(shape, name, where, measure) for name in PARTS.get(measure, (measure,))}

    def stock(name: str, at: Ints) -> Over:
        return lambda record: _total(parts[name], record)[:, at]

    def flow(*names: str) -> Over:
        return lambda record: _sums(_total([c for name in names for c in parts[name]], record), first, last)

    if measure == "leaver_rate":
        gone, before, after = (
            flow("leavers", "retirements", "moves"),
            stock("headcount", first),
            stock("headcount", last),
        )
        return lambda record: np.asarray(leaver_rate_from_counts(before(record), after(record), gone(record)))
    if measure == "vacancy_rate":
        funded, vacant = stock("establishment_fte", last), stock("vacancy_fte", last)
        return lambda record: np.asarray(
            vacancy_rate_from_fte(funded(record), funded(record) - vacant(record))
        )
    if measure in ("pass_rate", "fte_per_head"):
        make = flow if measure == "pass_rate" else lambda name: stock(name, last)
        over, under = (make(name) for name in PARTS[measure])
        return lambda record: over(record) / under(record)
    return flow(*parts) if is_flow(measure) else stock(measure, last)


def selected(shape: Shape, measure: str, where: Where) -> bytes:
    """What a measure is read from: the same bytes for two ways to select the same."""
    outputs = PARTS.get(measure, (measure,))
    return b"|".join(c.cells.tobytes() for name in outputs for c in _cells(shape, name, where, measure))


def _cells(shape: Shape, output: str, where: Where, measure: str) -> list[Cells]:
    """Cells of one output that a measure needs; moves are those across the edge of the selection."""
    if output == "moves" and measure in PARTS:
        posts = [post.post for post in shape.scenario.posts]
        inside = {posts[i] for i in shape.cells("retirements", where, known=("destination", "source"))}
        (edges,) = shape.labels("moves")
        start, end = (np.isin(edges[key], list(inside)) for key in ("from", "to"))
        return [Cells("moves", np.flatnonzero(end & ~start if measure == "entries" else start & ~end))]
    if measure in PARTS and output == "returns":
        return [Cells(output, shape.cells(output, where, known=("source",)))]
    cells = shape.cells(output, where)
    if not cells.size and np.prod(shape.sizes[output]):
        raise ReadingError("where", f"selects nothing of {output}")
    return [Cells(output, cells)]


def _total(parts: Iterable[Cells], record: Record) -> Floats:
    return np.asarray(sum(part.over_time(record) for part in parts))


def _sums(flow: Floats, first: Ints, last: Ints) -> Floats:
    """Sums of the periods first … last − 1, shape (draws, targets)."""
    up_to = np.concatenate([np.zeros((len(flow), 1)), np.cumsum(flow, axis=1)], axis=1)
    return np.asarray(up_to[:, last] - up_to[:, first])
