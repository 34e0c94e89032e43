"""Numbers that interventions change, as `Dated`: base, what multiplies it and what is added, by month."""

from __future__ import annotations

import numpy as np

from pharmsim.compiled.arrays import Dated, Floats, Ints
from pharmsim.compiled.grid import Grid
from pharmsim.compiled.model import Model
from pharmsim.compiled.people import stack
from pharmsim.compiled.slots import PLACES, TARGETS, Slots, Where, array_of
from pharmsim.compiled.strength import INTRODUCING, Change, affine, of_quantity
from pharmsim.errors import InputError
from pharmsim.quantities import ADJUSTABLE, KINDS, Kind

CLOSE = 1e-9
"""What rounding may take beyond a bound."""


def unchanging() -> Dated:
    """Nothing changes, and no target is known yet."""
    empty, none = np.zeros(0, dtype=np.int64), np.zeros((0, 0))
    return Dated((), empty, empty, empty, none, np.zeros((0, 0, 0)), np.zeros((0, 0, 0)))


class _Rows:
    """Distinct rows of α and β, by the changes that make them."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.shape = shape
        self.times: list[Floats] = []
        self.plus: list[Floats] = []
        self._known: dict[tuple[object, ...], int] = {}

    def add(self, found: list[Change], part: str) -> int:
        """Row of some changes on one cell; `part`: "both", or "times" or "plus" alone."""
        key = (part, *(id(change) for change in found))
        if key not in self._known:
            a, b = affine(found, self.shape)
            self._known[key] = len(self.times)
            self.times.append(np.zeros(self.shape) if part == "plus" else a)
            self.plus.append(np.zeros(self.shape) if part == "times" else b)
        return self._known[key]


def dated(x: Where, found: list[Change], n_months: int) -> Model:
    """The model with the numbers that changes act on, period by period.

    Parameters
    ----------
    x : Where
        The model, with an empty `dated`.
    found : list of Change
    n_months : int
        Month starts, T + 1.

    Returns
    -------
    Model

    Raises
    ------
    InputError
        If two changes set the same number, or a number leaves its bounds in some draw and month.
    """
    model = _owned(x.model)
    x = Where(x.grid, model, x.parts, x.tracks)
    n = x.grid.draws.n
    rows = _Rows((n, n_months))
    parts: list[tuple[int, Ints, Ints]] = []
    for quantity, places in PLACES.items():
        here = of_quantity(found, quantity)
        for slots in places(x) if here else ():
            on = [_on(change, slots) for change in here]
            _by_age_times_only(x.grid, here, on, slots)
            _set_once(x.grid, here, on, slots)
            index, row = _rows_of(here, on, slots, rows)
            exists = _exists(x, slots, index)
            index, row = index[exists], row[exists]
            _in_bounds(x, quantity, slots, (index, row), (here, on))
            parts.append((TARGETS.index(slots.target), slots.index[index], row))
    whole = [array_of(model, target).reshape(n, -1) for target in TARGETS]
    base = [whole[target][:, index] for target, index, _ in parts]
    empty = np.zeros(0, dtype=np.int64)
    made = Dated(
        targets=tuple(whole),
        field=np.concatenate([empty, *(np.full(len(i), target) for target, i, _ in parts)]),
        place=np.concatenate([empty, *(index for _, index, _ in parts)]),
        row=np.concatenate([empty, *(row for _, _, row in parts)]),
        base=np.concatenate([np.zeros((n, 0)), *base], axis=1),
        times=stack(rows.times, (n, 0, n_months)),
        plus=stack(rows.plus, (n, 0, n_months)),
    )
    _some_time_at_work(x, made, of_quantity(found, "absence"))
    return model._replace(dated=made)


def _owned(model: Model) -> Model:
    """The model with targets that are whole arrays of their own, so that rows of draws are views of them."""
    for part, inner, name in TARGETS:
        array = np.array(array_of(model, (part, inner, name)), order="C", copy=True)
        node = getattr(model, part)
        if inner:
            new = node._replace(**{inner: getattr(node, inner)._replace(**{name: array})})
        else:
            new = node._replace(**{name: array})
        model = model._replace(**{part: new})
    return model


def _some_time_at_work(x: Where, made: Dated, found: list[Change]) -> None:
    """Refuse absences that together leave no time at work in some draw and month."""
    absence = x.model.system.work.absence
    here = np.flatnonzero(made.field == TARGETS.index(("system", "work", "absence")))
    whole = np.repeat(absence.sum(axis=1)[:, :, None], made.times.shape[2], axis=2)
    for i in here:
        base, row = made.base[:, i, None], made.row[i]
        whole[:, made.place[i] % absence.shape[2]] += base * made.times[:, row] + made.plus[:, row] - base
    if len(here) and whole.max() >= 1.0:
        post = x.grid.scenario.posts[whole.max(axis=(0, 2)).argmax()].post
        raise InputError(
            f"{' and '.join(change.label for change in found)}: absences of {post} must leave some time at "
            f"work; they become {whole.max():.4g} in some draw and month. Make the effects or ranges smaller."
        )


def _on(change: Change, slots: Slots) -> np.ndarray:
    """Whether a change is on each slot, shape (slots,)."""
    named = np.array([not change.of or _called(name, change.of) for name in slots.names], dtype=np.bool_)
    on = (
        named
        & (change.posts[slots.post] | (slots.post < 0))
        & (change.groups[slots.group] | (slots.group < 0))
    )
    on &= change.into[slots.into] | (slots.into < 0)
    return np.asarray(on & (change.first <= slots.first) & (slots.end <= change.end))


def _called(name: str, of: tuple[str, ...]) -> bool:
    """Whether a number is named: by its own name, or that of its pipeline."""
    return name in of or name.split(".")[0] in of


def _set_once(grid: Grid, here: list[Change], on: list[np.ndarray], slots: Slots) -> None:
    setting = [i for i, change in enumerate(here) if change.verb == "to"]
    for k, i in enumerate(setting):
        for j in setting[k + 1 :]:
            both = np.flatnonzero(on[i] & on[j])
            if len(both):
                raise InputError(
                    f"{here[i].label} and {here[j].label}: only one of them can set {here[i].quantity}"
                    f"{_at(grid, slots, int(both[0]))}. Leave one out, or use `times` or `plus` (different "
                    "times do not help)."
                )


def _by_age_times_only(grid: Grid, here: list[Change], on: list[np.ndarray], slots: Slots) -> None:
    """Refuse what would add to a number that depends on age and stands in one part."""
    aged = (slots.low != slots.high) & (slots.added is None)
    for change, hit in zip(here, on, strict=True):
        bad = np.flatnonzero(hit & aged)
        if len(bad) and change.verb != "times":
            raise InputError(
                f"{change.label}: {change.quantity}{_at(grid, slots, int(bad[0]))} depends on age and can "
                "only be multiplied. Use `times`."
            )


def _rows_of(here: list[Change], on: list[np.ndarray], slots: Slots, rows: _Rows) -> tuple[Ints, Ints]:
    """Numbers of the slots that change, and their rows of α and β."""
    chosen = np.stack(on)
    index = np.flatnonzero(chosen.any(axis=0))
    row = np.zeros(len(index), dtype=np.int64)
    for k, i in enumerate(index):
        part = "both" if slots.added is None else ("plus" if slots.added[i] else "times")
        row[k] = rows.add([change for change, hit in zip(here, chosen[:, i], strict=True) if hit], part)
    return index, row


def _exists(x: Where, slots: Slots, index: Ints) -> np.ndarray:
    """Whether the numbers are numbers: not without limit."""
    return np.asarray(np.isfinite(_base(x, slots, slots.index[index])).all(axis=0))


def _base(x: Where, slots: Slots, places: Ints) -> Floats:
    array = array_of(x.model, slots.target)
    return np.asarray(array.reshape(len(array), -1)[:, places])


def _kind(quantity: str) -> Kind:
    return KINDS["share"] if quantity == INTRODUCING else KINDS[ADJUSTABLE[quantity].kind]


def _in_bounds(
    x: Where,
    quantity: str,
    slots: Slots,
    at: tuple[Ints, Ints],
    who: tuple[list[Change], list[np.ndarray]],
) -> None:
    """Refuse numbers outside of the bounds of their kind; those of the base are what they are."""
    kind, base = _kind(quantity), _base(x, slots, slots.beside[at[0]])
    low, high = base * slots.low[at[0]], base * slots.high[at[0]]
    for row in dict.fromkeys(at[1].tolist()):
        here = np.flatnonzero(at[1] == row)
        acting = [change for change, on in zip(*who, strict=True) if on[at[0][here[0]]]]
        if slots.added is not None and not slots.added.all() and any(c.verb != "times" for c in acting):
            continue  # seen where it is added to
        a, b = affine(acting, acting[0].amount.shape)
        values = np.stack(
            [a * low[:, here].min(axis=1)[:, None] + b, a * high[:, here].max(axis=1)[:, None] + b]
        )
        least, most = min(kind.low, low[:, here].min()), max(kind.high, high[:, here].max())
        bad = (values < least - CLOSE) | (values > most + CLOSE)
        if bad.any():
            far = (high if values[bad][0] > most else low)[:, here]
            i = at[0][here[far.max(axis=0).argmax() if values[bad][0] > most else far.min(axis=0).argmin()]]
            names = " and ".join(change.label for change in acting)
            value = values[bad][0]
            raise InputError(
                f"{names}: {quantity}{_at(x.grid, slots, int(i))} must stay {kind.text}; "
                f"it becomes {value:.6g} in some draw and month. Make the effect or its range smaller."
            )


def _at(grid: Grid, slots: Slots, i: int) -> str:
    """Name and post of a slot, in words."""
    posts = grid.scenario.posts
    name = f" `{slots.names[i]}`" if slots.names[i] else ""
    post = f" of {posts[slots.post[i]].post}" if slots.post[i] >= 0 else ""
    into = f" into {posts[slots.into[i]].post}" if slots.into[i] >= 0 else ""
    return name + post + into
