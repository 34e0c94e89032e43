"""Where the numbers that interventions change stand in the arrays of the model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from pharmsim.compiled.arrays import MOVE, PROMOTION, Bools, Floats, Ints
from pharmsim.compiled.grid import Grid
from pharmsim.compiled.model import Model
from pharmsim.compiled.parts import RiskPart
from pharmsim.compiled.strength import INTRODUCING
from pharmsim.compiled.supply import Track, external
from pharmsim.scenario.values import Cells

TARGETS: tuple[tuple[str, str, str], ...] = (
    ("posts", "risks", "scale"),
    ("posts", "risks", "employer_change"),
    ("posts", "risks", "first_year_ratio"),
    ("posts", "funding", "fte_per_head"),
    ("posts", "funding", "establishment"),
    ("posts", "funding", "cover_share"),
    ("posts", "funding", "cover_cap"),
    ("posts", "edges", "rate"),
    ("posts", "edges", "overlap"),
    ("posts", "pools", "return_scale"),
    ("posts", "hiring", "supply"),
    ("posts", "hiring", "fill_months"),
    ("posts", "tracks", "intake"),
    ("posts", "tracks", "drop_out"),
    ("posts", "tracks", "completes"),
    ("posts", "tracks", "per_fte"),
    ("conveyors", "", "intake"),
    ("conveyors", "", "drop_out"),
    ("conveyors", "", "places"),
    ("conveyors", "", "pass_rate"),
    ("conveyors", "", "retention"),
    ("system", "work", "absence"),
    ("system", "work", "output"),
    ("system", "work", "introducing"),
    ("system", "need", "factor"),
    ("system", "duties", "time"),
    ("system", "money", "cost"),
    ("system", "money", "premium"),
    ("system", "feedbacks", "per_fte"),
)
"""Arrays whose numbers can change, as (part, part of it, name); their order is that of `Dated.targets`."""


def array_of(model: Model, target: tuple[str, str, str]) -> Floats:
    """The array of a target."""
    part, inner, name = target
    node = getattr(model, part)
    return np.asarray(getattr(getattr(node, inner) if inner else node, name))


@dataclass
class Slots:
    """Numbers of one quantity, one after the other (n of them).

    Attributes
    ----------
    target : tuple of str
        One of `TARGETS`.
    shape : tuple of int
        Of one draw of the array.
    names : list of str
        What `of` calls each number.
    post, into, group : int64 array, shape (n,)
        Post, post that an edge leads to, group; −1 where there is none.
    first, end : int64 array, shape (n,)
        Age indexes.
    index : int64 array, shape (n,)
        Place in one draw of the array.
    high, low : float64 array, shape (n,)
        Largest and smallest value by age of what the number multiplies; 1 without ages.
    added : bool array, shape (n,)
        Only added to; other parts are only multiplied.
    beside : int64 array, shape (n,)
        Place of what an added part is added to; that of the number itself otherwise.
    """

    target: tuple[str, str, str]
    shape: tuple[int, ...]
    names: list[str]
    post: Ints
    into: Ints
    group: Ints
    first: Ints
    end: Ints
    index: Ints = field(init=False)
    beside: Ints = field(init=False)
    places: tuple[Ints, ...] = ()
    high: Floats = field(init=False)
    low: Floats = field(init=False)
    added: Bools | None = None

    def __post_init__(self) -> None:
        self.index = np.ravel_multi_index(self.places, self.shape).astype(np.int64)
        self.beside = self.index
        self.high, self.low = np.ones(len(self.index)), np.ones(len(self.index))


def _slots(
    model: Model,
    target: tuple[str, str, str],
    places: Sequence[Ints],
    names: Sequence[str] | None = None,
    post: Ints | None = None,
    into: Ints | None = None,
    group: Ints | None = None,
) -> Slots:
    """Slots at `places` (indexes by axis of one draw of the array)."""
    n = len(places[0])
    none = np.full(n, -1, dtype=np.int64)
    return Slots(
        target=target,
        shape=array_of(model, target).shape[1:],
        names=list(names) if names is not None else [""] * n,
        post=none if post is None else post,
        into=none if into is None else into,
        group=none if group is None else group,
        first=np.zeros(n, dtype=np.int64),
        end=np.full(n, model.posts.risks.hazard.shape[3], dtype=np.int64),
        places=tuple(np.asarray(place, dtype=np.int64) for place in places),
    )


def _all(shape: tuple[int, ...]) -> list[Ints]:
    """Every index of an array, by axis."""
    return [axis.reshape(-1) for axis in np.indices(shape)]


@dataclass(frozen=True)
class Where:
    """A compiled model, and the names of what stands in it."""

    grid: Grid
    model: Model
    parts: list[RiskPart]
    tracks: list[Track]

    def risks(self, quantity: str) -> list[Slots]:
        """Slots of a risk: every part of it in every post, group and contract."""
        risks, found = self.model.posts.risks, []
        for k, part in enumerate(self.parts):
            if part.quantity != quantity:
                continue
            cell = _all(risks.scale.shape[2:])
            places = [np.full(len(cell[0]), k), *cell]
            names = [part.name] * len(cell[0])
            target = ("posts", "risks", "scale")
            slots = _slots(self.model, target, places, names, post=cell[0], group=cell[1])
            slots.first[:], slots.end[:] = part.first, part.end
            whole = self.parts.index(replace(part, added=False))
            table = risks.hazard[:, :, risks.row[whole].reshape(-1), part.first : part.end]
            slots.high, slots.low = table.max(axis=(0, 1, 3)), table.min(axis=(0, 1, 3))
            places[0] = np.full(len(cell[0]), whole)
            slots.beside = np.ravel_multi_index(tuple(places), slots.shape).astype(np.int64)
            slots.added = np.full(len(cell[0]), part.added)
            found.append(slots)
        return found

    def by_post(self, *target: str) -> list[Slots]:
        """Slots of an array by post (and group and contract)."""
        array = array_of(self.model, target)  # type: ignore[arg-type]
        cell = _all(array.shape[1:])
        group = cell[1] if len(cell) > 1 else None
        return [_slots(self.model, target, cell, post=cell[0], group=group)]  # type: ignore[arg-type]

    def named_by_post(
        self, names: Sequence[str], *target: str, keep: Sequence[bool] | None = None
    ) -> list[Slots]:
        """Slots of an array by name and post (and group); of the names to keep."""
        array = array_of(self.model, target)  # type: ignore[arg-type]
        cell = _all(array.shape[1:])
        if keep is not None:
            kept = np.array(keep, dtype=np.bool_)[cell[0]]
            cell = [axis[kept] for axis in cell]
        group = cell[2] if len(cell) > 2 else None
        called = [names[i] for i in cell[0]]
        return [_slots(self.model, target, cell, called, post=cell[1], group=group)]  # type: ignore[arg-type]

    def returns(self) -> list[Slots]:
        """Slots of returns from pools: by pool, post and group."""
        pools, table = self.model.posts.pools, self.model.posts.risks.hazard
        found = self.named_by_post(list(self.grid.scenario.pools), "posts", "pools", "return_scale")
        for slots in found:
            rows = table[:, :, pools.return_row.reshape(-1)]
            slots.high, slots.low = rows.max(axis=(0, 1, 3)), rows.min(axis=(0, 1, 3))
        return found

    def named(self, names: Sequence[str], *target: str, keep: Bools | None = None) -> list[Slots]:
        """Slots of an array by name (and other axes, all alike)."""
        array = array_of(self.model, target)  # type: ignore[arg-type]
        cell = _all(array.shape[1:])
        if keep is not None:
            cell = [axis[keep.reshape(-1)] for axis in cell]
        return [_slots(self.model, target, cell, [names[i] for i in cell[0]])]  # type: ignore[arg-type]

    def edges(self, kinds: tuple[int, ...], name: str) -> list[Slots]:
        """Slots of edges of some kinds."""
        edges, home = self.model.posts.edges, self.model.posts.tracks.home
        chosen = np.flatnonzero(np.isin(edges.kind, kinds))
        post, into = home[edges.origin[chosen]], edges.to[chosen]
        return [_slots(self.model, ("posts", "edges", name), [chosen], post=post, into=into)]

    def tracked(self, name: str, by_post: bool = False) -> list[Slots]:
        """Slots of an array by track: internal pipelines as a whole, or by post of origin."""
        track = np.arange(len(self.tracks))
        names = [x.name for x in self.tracks]
        post = self.model.posts.tracks.post if by_post else None
        return [_slots(self.model, ("posts", "tracks", name), [track], names, post=post)]

    @property
    def stages(self) -> list[str]:
        """Stages of external pipelines."""
        found = external(self.grid).items()
        return [f"{name}.{stage.name}" for name, pipeline in found for stage in pipeline.stages]

    @property
    def sat(self) -> Bools:
        """Attempts that exist, shape (pipelines, 12, attempts)."""
        v = self.model.conveyors
        attempts = np.arange(v.pass_rate.shape[3]) < v.attempts[:, None]
        return np.broadcast_to(attempts[:, None, :], v.pass_rate.shape[1:])


def _supply(x: Where) -> list[Slots]:
    """Slots of the sources whose supply is a number."""
    hiring = x.grid.scenario.hiring
    sources = hiring.sources if hiring else ()
    names, numeric = [source.name for source in sources], [isinstance(s.supply, Cells) for s in sources]
    return x.named_by_post(names, "posts", "hiring", "supply", keep=numeric)


def _absences(x: Where) -> list[str]:
    time = x.grid.scenario.working_time
    return list(time.absence) if time else []


def _duties(x: Where) -> list[str]:
    names = list(x.grid.scenario.supervision)
    return [names[i] for i in x.model.system.duties.number]


def _external(x: Where) -> list[str]:
    return list(external(x.grid))


PLACES: dict[str, Callable[[Where], list[Slots]]] = {
    "leaving": lambda x: x.risks("leaving"),
    "retirement": lambda x: x.risks("retirement"),
    "switching": lambda x: x.risks("switching"),
    "employer_change": lambda x: x.by_post("posts", "risks", "employer_change"),
    "first_year_leaving_ratio": lambda x: x.by_post("posts", "risks", "first_year_ratio"),
    "first_year_output": lambda x: x.by_post("system", "work", "output"),
    "fte_per_head": lambda x: x.by_post("posts", "funding", "fte_per_head"),
    "absence": lambda x: x.named_by_post(_absences(x), "system", "work", "absence"),
    "returns": lambda x: x.returns(),
    "moves": lambda x: x.edges((MOVE,), "rate"),
    "skills_overlap": lambda x: x.edges((MOVE,), "overlap"),
    "promotions": lambda x: x.edges((PROMOTION,), "rate"),
    "establishment": lambda x: x.by_post("posts", "funding", "establishment"),
    "cover_share": lambda x: x.by_post("posts", "funding", "cover_share"),
    "cover_cap": lambda x: x.by_post("posts", "funding", "cover_cap"),
    "cover_premium": lambda x: x.by_post("system", "money", "premium"),
    "supply": _supply,
    "time_to_fill": lambda x: x.by_post("posts", "hiring", "fill_months"),
    "pay": lambda x: x.by_post("system", "money", "cost"),
    "need": lambda x: x.by_post("system", "need", "factor"),
    "supervision_time": lambda x: x.named(_duties(x), "system", "duties", "time"),
    "intake": lambda x: x.named(_external(x), "conveyors", "", "intake"),
    "places": lambda x: x.named(x.stages, "conveyors", "", "places"),
    "trainees_per_fte": lambda x: [
        *x.named(x.stages, "system", "feedbacks", "per_fte"),
        *x.tracked("per_fte"),
    ],
    "drop_out": lambda x: [*x.named(x.stages, "conveyors", "", "drop_out"), *x.tracked("drop_out")],
    "pass_rate": lambda x: x.named(_external(x), "conveyors", "", "pass_rate", keep=x.sat),
    "stays_in_area": lambda x: x.named(_external(x), "conveyors", "", "retention"),
    "apprentices": lambda x: x.tracked("intake", by_post=True),
    "completion": lambda x: x.tracked("completes"),
    INTRODUCING: lambda x: x.by_post("system", "work", "introducing"),
}
"""Slots of every quantity; shares of delegation stand by month already (`pharmsim.compiled.work`)."""
