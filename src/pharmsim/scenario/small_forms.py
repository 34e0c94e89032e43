"""The short forms that hold no numbers of a kind: selectors, months, names, labels."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from pharmsim.scenario import text
from pharmsim.scenario.marks import Map, place, quoted
from pharmsim.scenario.text import FormError

AGE_KEYS = ("age", "years_past_pension_age")


def gather(parts: Iterable[tuple[tuple[str | int, ...], Callable[[], Any]]]) -> list[Any]:
    """Read every part; raise one error with the issues of all parts that cannot be read."""
    found, bad = [], FormError()
    for path, read in parts:
        try:
            found.append(read())
        except FormError as error:
            bad.issues.extend(error.under(*path).issues)
    if bad.issues:
        raise bad
    return found


def where_form(written: Any) -> dict[str, tuple[str, ...]]:
    """Return the canonical selector: axis → names. An empty or ``*`` entry selects all."""
    if written is None:
        return {}
    if not isinstance(written, dict):
        raise FormError(f"must be a mapping such as {{role: …}}; got {quoted(written)}")
    found = gather(((key,), partial(_names, key, names)) for key, names in written.items())
    return {key: names for key, names in zip(written, found, strict=True) if names}


def _names(key: str, written: Any) -> tuple[str, ...]:
    if written in (None, "", "*"):
        return ()
    items = written if isinstance(written, list | tuple) else [written]
    if not items:
        raise FormError("selects nothing: give a name, a list of names or `*`")

    def at(i: int) -> tuple[int, ...]:
        return (i,) if items is written else ()

    if key in AGE_KEYS:
        return tuple(gather((at(i), partial(text.ages, item, key)) for i, item in enumerate(items)))
    return tuple(gather((at(i), partial(text.name, item, dots=True)) for i, item in enumerate(items)))


def month_shares(written: Any) -> dict[str, float]:
    """Return month name → share: from one month, a list (equal shares) or a mapping."""
    if not isinstance(written, dict):
        names = month_names(written)
        return {name: 1.0 / len(names) for name in names}
    months = gather(((key,), partial(text.month_name, key)) for key in written)
    found = gather(((key,), partial(text.number, written[key], "share")) for key in written)
    if len(set(months)) < len(months):
        raise FormError("must name each month once")
    shares = dict(zip(months, found, strict=True))
    if abs(sum(shares.values()) - 1.0) > 1e-6:
        raise FormError(f"shares of the months must sum to 1; they sum to {sum(shares.values()):.6g}")
    return shares


def split(written: Any) -> dict[str, float]:
    """Return environment → share of working time: from a mapping, or text such as ``a: 60 %, b: 40 %``."""
    if isinstance(written, str):
        pairs = [item.rpartition(":") for item in re.split(r"[,;]", written) if item.strip()]
        if all(name.strip() for name, _, _ in pairs):
            written = {name.strip(): share.strip() for name, _, share in pairs}
    if not isinstance(written, dict):
        raise FormError(f"must be a mapping such as {{a: 60 %, b: 40 %}}; got {quoted(written)}")
    found = gather(((key,), partial(text.number, written[key], "share")) for key in written)
    if written and abs(sum(found) - 1.0) > 1e-6:
        raise FormError(f"shares of the working time must sum to 1; they sum to {sum(found):.6g}")
    return dict(zip(written, found, strict=True))


def month_names(written: Any) -> tuple[str, ...]:
    """Return one or several calendar months, in the order of the year, each once."""
    items = written if isinstance(written, list | tuple) else [written]
    names = gather(((i,), partial(text.month_name, item)) for i, item in enumerate(items))
    if len(set(names)) < len(names) or not names:
        raise FormError("must name each month once")
    return tuple(sorted(names, key=text.MONTHS.index))


def month_keys(written: Any) -> Any:
    """Return a mapping with its keys turned into full month names."""
    if not isinstance(written, dict):
        return written
    found = gather(((key,), partial(text.month_name, key)) for key in written)
    return dict(zip(found, written.values(), strict=True))


def labels(written: Any) -> dict[str, str]:
    """Return name → label, from a list of names or a mapping; a label left out is made from the name."""
    if isinstance(written, list | tuple):
        if len(set(map(str, written))) < len(written):
            raise FormError("must name each once")
        written = dict.fromkeys(gather(((i,), partial(text.name, item)) for i, item in enumerate(written)))
    if not isinstance(written, dict):
        raise FormError(f"must be a mapping of names and labels; got {quoted(written)}")
    found = gather(((), partial(text.name, key)) for key in written)
    for key, label in written.items():
        if isinstance(label, dict | list):
            raise FormError(f"must be a label; got {quoted(label)}", (key,))
    pairs = zip(found, written.values(), strict=True)
    made = [str(label) if label else name.replace("_", " ").capitalize() for name, label in pairs]
    return dict(zip(found, made, strict=True))


def names(written: Any) -> tuple[str, ...]:
    """Return a tuple of names, from one or a list."""
    items = written if isinstance(written, list | tuple) else [written]
    is_list = items is written
    return tuple(
        gather(((i,) if is_list else (), partial(text.name, item, dots=True)) for i, item in enumerate(items))
    )


def _wheres(written: Any) -> tuple[Any, ...]:
    items = written if isinstance(written, list | tuple) else [written]
    return tuple(gather(((i,), partial(where_form, item)) for i, item in enumerate(items)))


def _supervisors(written: Any) -> Any:
    """Return the entries of those who supervise; a selector alone is an entry, one entry a list."""
    items = written if isinstance(written, list | tuple) else [written]
    return [_supervisor(item) for item in items]


def _supervisor(written: Any) -> Any:
    if not isinstance(written, dict) or not written or {"where", "share"} & set(written):
        return written
    where = place(written) or ("", 0)
    return Map({"where": written}, *where)


def _opening(written: Any) -> Any:
    return {"rule": written} if isinstance(written, str) else written


def _listed(written: Any) -> Any:
    return written if isinstance(written, list | tuple) else [written]


FORMS: dict[str, Callable[[Any], Any]] = {
    "month": text.month,
    "month_name": text.month_name,
    "month_names": month_names,
    "month_keys": month_keys,
    "month_shares": month_shares,
    "whole_months": text.whole_months,
    "ages": text.ages,
    "names": names,
    "where": where_form,
    "wheres": _wheres,
    "labels": labels,
    "values": _listed,
    "files": _listed,
    "opening": _opening,
    "split": split,
    "weeks": text.weeks,
    "plain_months": partial(text.number, kind="duration"),
    "positive_low_bound": partial(text.bound, lowest=0.01, highest=1.0),
    "low_bound": partial(text.bound, lowest=0.0, highest=1.0),
    "high_bound": partial(text.bound, lowest=1.0, highest=100.0),
    "supervisors": _supervisors,
}
