"""The short forms: from what people write to `Value`, `Cells`, `Series` and the other shapes.

A form never guesses: what it does not understand is a `FormError`, which says what would be.
Numbers are described in `pharmsim.scenario.text`; tables and selectors are resolved before
(`pharmsim.scenario.tables`, `pharmsim.scenario.lists`).
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterable
from typing import Any

from pydantic_core import PydanticCustomError, core_schema as core

from pharmsim.scenario import text
from pharmsim.scenario.marks import Map, closest, place, quoted, shown
from pharmsim.scenario.text import FormError
from pharmsim.scenario.values import Of

RANGE_KEYS = ("low", "high", "dist", "uncertainty")
ORIGIN_KEYS = ("source", "evidence", "note")
VALUE_KEYS = ("value", *RANGE_KEYS, *ORIGIN_KEYS)
AGE_KEYS = ("age", "years_past_pension_age")
REST_NOTE = "every other cell: none"


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


def known_keys(written: dict[str, Any], known: Iterable[str]) -> None:
    """Refuse keys that are not known, each with the closest that is."""
    known = tuple(known)
    bad = FormError()
    for key in written:
        if key not in known:
            bad.issues.append(((key,), f"unknown key.{closest(key, known)}"))
    if bad.issues:
        raise bad


def one_of(written: Any, known: Iterable[str], what: str) -> str:
    """Return one of the known words."""
    known = tuple(known)
    if written not in known:
        raise FormError(f"must be {what}: {', '.join(known)}; got {quoted(written)}.{closest(written, known, 0)}")
    return str(written)


EVIDENCE = ("published", "derived", "proxy", "assumption", "unstated")
DISTS = ("uniform", "triangular", "pert", "normal", "lognormal", "beta")


def _extras(written: dict[str, Any]) -> dict[str, Any]:
    """Return distribution, uncertainty, source, evidence and note, checked."""
    out: dict[str, Any] = {}
    if written.get("dist") is not None:
        out["dist"] = _at("dist", lambda: one_of(written["dist"], DISTS, "a distribution"))
    if written.get("evidence") is not None:
        out["evidence"] = _at("evidence", lambda: one_of(written["evidence"], EVIDENCE, "a grade of evidence"))
    for key in ("uncertainty", "source", "note"):
        if written.get(key) is not None:
            if isinstance(written[key], dict | list):
                raise FormError(f"must be text; got {quoted(written[key])}", (key,))
            out[key] = str(written[key])
    return out


def _at(key: str, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except FormError as error:
        raise error.under(key) from None


def _origin(written: Any) -> dict[str, Any]:
    where = place(written)
    return {"origin": {"file": where[0], "line": where[1]}} if where else {}


def value_form(written: Any, kind: str) -> dict[str, Any]:
    """Return the canonical mapping of a `Value`."""
    if not isinstance(written, dict):
        return {"value": text.number(written, kind, bare=True)}
    known_keys(written, VALUE_KEYS)
    if "value" not in written:
        raise FormError("must have a `value`")
    parts = [key for key in ("value", "low", "high") if written.get(key) is not None or key == "value"]
    numbers = gather(((key,), lambda key=key: text.number(written[key], kind)) for key in parts)  # type: ignore[misc]
    out = dict(zip(parts, numbers, strict=True)) | _extras(written) | _origin(written)
    ranged = [key for key in ("low", "high") if key in out]
    if len(ranged) == 1:
        other = "high" if ranged == ["low"] else "low"
        raise FormError(f"has a `{ranged[0]}` and no `{other}`: give both ends of the range")
    if ranged and not out["low"] <= out["value"] <= out["high"]:
        low, value, high = (quoted(written[key]) for key in ("low", "value", "high"))
        raise FormError(f"must lie between low and high; got value {value}, low {low}, high {high}")
    for key in ("dist", "uncertainty"):
        if key in out and not ranged:
            raise FormError(f"has a `{key}` and no range: give low and high")
    return out


def where_form(written: Any) -> dict[str, tuple[str, ...]]:
    """Return the canonical selector: axis → names. An empty or ``*`` entry selects all."""
    if written is None:
        return {}
    if not isinstance(written, dict):
        raise FormError(f"must be a mapping such as {{role: …}}; got {quoted(written)}")
    parts = [((key,), lambda key=key, names=names: (key, _names(key, names))) for key, names in written.items()]  # type: ignore[misc]
    return {key: names for key, names in gather(parts) if names}


def _names(key: str, written: Any) -> tuple[str, ...]:
    if written in (None, "", "*"):
        return ()
    items = written if isinstance(written, list | tuple) else [written]
    if not items:
        raise FormError("selects nothing: give a name, a list of names or `*`")
    if key in AGE_KEYS:
        return tuple(gather(((), lambda item=item: text.ages(item, key)) for item in items))  # type: ignore[misc]
    return tuple(gather(((), lambda item=item: text.name(item, dots=True)) for item in items))  # type: ignore[misc]


def age_key(where: dict[str, Any]) -> str:
    """Return the age axis that a selector names: "", ``age`` or ``years_past_pension_age``."""
    return next((key for key in AGE_KEYS if key in where), "")


def _row(written: Any, kind: str, inherited: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(written, dict):
        raise FormError(f"must be a row such as {{where: {{role: …}}, value: …}}; got {quoted(written)}")
    known_keys(written, ("where", *VALUE_KEYS))
    rest = {key: item for key, item in written.items() if key != "where"}
    value, where = gather([
        ((), lambda: value_form(Map(rest), kind)),
        (("where",), lambda: where_form(written.get("where"))),
    ])
    if all(key in where for key in AGE_KEYS):
        raise FormError("must name `age` or `years_past_pension_age`, not both", ("where",))
    if age_key(where) and "low" in value:
        raise FormError(
            f"rows by `{age_key(where)}` have no low and high of their own: "
            "give the block a relative `range: {low: 0.8, high: 1.25}`"
        )
    return inherited | value | {"where": where} | _origin(written)


def _rows(written: list[Any], kind: str, inherited: dict[str, Any]) -> list[dict[str, Any]]:
    if not written:
        raise FormError("has no rows")
    rows = gather(((i,), lambda row=row: _row(row, kind, inherited)) for i, row in enumerate(written))  # type: ignore[misc]
    kinds = {age_key(row["where"]) for row in rows} - {""}
    if len(kinds) > 1:
        raise FormError("has rows by `age` and rows by `years_past_pension_age`: use one of the two")
    return rows


def _range(written: Any) -> dict[str, Any] | None:
    if written is None:
        return None
    if not isinstance(written, dict):
        raise FormError(f"must be a mapping such as {{low: 0.8, high: 1.25}}; got {quoted(written)}")
    known_keys(written, RANGE_KEYS)
    if "low" not in written or "high" not in written:
        raise FormError("must have a low and a high")
    low, high = gather(((key,), lambda key=key: text.number(written[key], "ratio")) for key in ("low", "high"))  # type: ignore[misc]
    if not low <= 1.0 <= high:
        raise FormError(f"must lie around 1 (it multiplies the values): low ≤ 1 ≤ high; got {low:g} and {high:g}")
    return {"low": low, "high": high} | _extras({key: written.get(key) for key in ("dist", "uncertainty")})


TERM_KEYS = ("rows", "range", "table", *ORIGIN_KEYS)


def _term(written: Any, kind: str, inherited: dict[str, Any]) -> dict[str, Any]:
    """Return one canonical term: rows with a common range, source and evidence."""
    if isinstance(written, list):
        return {"rows": _rows(written, kind, inherited)} | _origin(written)
    if not isinstance(written, dict):
        value = text.number(written, kind, bare=True)
        return {"rows": [inherited | {"value": value, "where": {}}]}
    if "rows" not in written and "value" in written:
        return {"rows": [_row(written, kind, inherited)]} | _origin(written)
    if "rows" not in written:
        raise FormError("must be a number, {value: …}, a list of rows, {rows: …}, {table: …} or {product: …}")
    known_keys(written, TERM_KEYS)
    own = inherited | _extras({key: written.get(key) for key in ORIGIN_KEYS})
    if not isinstance(written["rows"], list):
        raise FormError(f"must be a list of rows; got {quoted(written['rows'])}", ("rows",))
    rows, spread = gather([
        (("rows",), lambda: _rows(written["rows"], kind, own)),
        (("range",), lambda: _range(written.get("range"))),
    ])
    out = {"rows": rows, **own, **_origin(written)}
    if spread:
        out["range"] = spread
    if written.get("table") is not None:
        out["table"] = str(written["table"])
    return out


def cells_form(written: Any, of: Of) -> Any:
    """Return the canonical mapping of `Cells`: {terms: […]}; the first has the kind, others are ratios."""
    inherited: dict[str, Any] = {}
    forms: list[Any] = [written]
    key = ""
    if isinstance(written, dict) and ("terms" in written or "product" in written):
        key = "terms" if "terms" in written else "product"
        known_keys(written, (key,) if key == "terms" else (key, *ORIGIN_KEYS))
        inherited = _extras({name: written.get(name) for name in ORIGIN_KEYS})
        forms = written[key]
        if not isinstance(forms, list) or not forms:
            raise FormError("must be a list of factors", (key,))
    terms = gather(
        ((key, i) if key else (), lambda i=i, form=form: _term(form, of.kind if i == 0 else "ratio", inherited))  # type: ignore[misc]
        for i, form in enumerate(forms)
    )
    rows = terms[0]["rows"]
    if of.rest is not None and all(row["where"] for row in rows):
        rest = {"where": {}, "value": of.rest, "note": REST_NOTE}
        terms[0]["rows"] = [{**rest, **{k: v for k, v in rows[0].items() if k in ("source", "evidence")}}, *rows]
    return {"terms": terms}


def series_form(written: Any, kind: str) -> dict[str, Any]:
    """Return the canonical mapping of a `Series`: date → value, in order of date.

    A series of people per year is keyed by years; every other series by months, where a bare
    year means its January.
    """
    yearly = kind == "heads_per_year"
    if isinstance(written, dict) and set(written) == {"points"}:
        written = written["points"]
    if not isinstance(written, dict) or "value" in written:
        return {"points": {"2000" if yearly else "2000-01": value_form(written, kind)}}
    if not written:
        raise FormError("has no dates")
    points = gather(
        ((key,), lambda key=key: (_date(key, yearly), value_form(written[key], kind)))  # type: ignore[misc]
        for key in written
    )
    if len({date for date, _ in points}) < len(points):
        raise FormError("has the same date twice")
    return {"points": dict(sorted(points))}


def _date(key: str, yearly: bool) -> str:
    is_year = key.isdigit() and len(key) == 4
    if yearly and not is_year:
        raise FormError(f"must be keyed by years such as 2026; got {quoted(key)}")
    return key if yearly else text.month(f"{key}-01" if is_year else key)


def month_shares(written: Any) -> dict[str, float]:
    """Return month name → share: from one month, a list (equal shares) or a mapping."""
    if not isinstance(written, dict):
        names = month_names(written)
        return {name: 1.0 / len(names) for name in names}
    shares = dict(
        gather(
            ((key,), lambda key=key: (text.month_name(key), text.number(written[key], "share")))  # type: ignore[misc]
            for key in written
        )
    )
    if abs(sum(shares.values()) - 1.0) > 1e-6:
        raise FormError(f"shares of the months must sum to 1; they sum to {sum(shares.values()):.6g}")
    return shares


def month_names(written: Any) -> tuple[str, ...]:
    """Return one or several calendar months, in the order of the year, each once."""
    items = written if isinstance(written, list | tuple) else [written]
    names = gather(((i,), lambda item=item: text.month_name(item)) for i, item in enumerate(items))  # type: ignore[misc]
    if len(set(names)) < len(names) or not names:
        raise FormError("must name each month once")
    return tuple(sorted(names, key=text.MONTHS.index))


def month_keys(written: Any) -> Any:
    """Return a mapping with its keys turned into full month names."""
    if not isinstance(written, dict):
        return written
    return dict(gather(((key,), lambda key=key: (text.month_name(key), written[key])) for key in written))  # type: ignore[misc]


def labels(written: Any) -> dict[str, str]:
    """Return name → label, from a list of names or a mapping; a label left out is made from the name."""
    if isinstance(written, list | tuple):
        if len(set(map(str, written))) < len(written):
            raise FormError("must name each once")
        written = dict.fromkeys(written)
    if not isinstance(written, dict):
        raise FormError(f"must be a mapping of names and labels; got {quoted(written)}")
    names = gather(((), lambda key=key: text.name(key)) for key in written)  # type: ignore[misc]
    for key, label in written.items():
        if isinstance(label, dict | list):
            raise FormError(f"must be a label; got {quoted(label)}", (key,))
    made = (str(label) if label else name.replace("_", " ").capitalize() for name, label in
            zip(names, written.values(), strict=True))  # fmt: skip
    return dict(zip(names, made, strict=True))


def names(written: Any) -> tuple[str, ...]:
    """Return a tuple of names, from one or a list."""
    items = written if isinstance(written, list | tuple) else [written]
    return tuple(gather(((), lambda item=item: text.name(item, dots=True)) for item in items))  # type: ignore[misc]


def _wheres(written: Any) -> tuple[Any, ...]:
    items = written if isinstance(written, list | tuple) else [written]
    return tuple(gather(((i,), lambda item=item: where_form(item)) for i, item in enumerate(items)))  # type: ignore[misc]


def _listed(written: Any) -> Any:
    return written if isinstance(written, list | tuple) else [written]


_OTHER: dict[str, Callable[[Any], Any]] = {
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
}


def read_as(of: Of, shape: str, written: Any) -> Any:
    """Return the canonical mapping of `written`; shape is "Value", "Cells", "Series" or ""."""
    if shape == "Value":
        return value_form(written, of.kind)
    if shape == "Cells":
        return written if written == "unlimited" else cells_form(written, of)
    if shape == "Series":
        return series_form(written, of.kind)
    return _OTHER[of.kind](written) if of.kind in _OTHER else written


def shape_of(source: Any) -> str:
    """Return the shape that a type asks for: "Value", "Cells", "Series" or ""."""
    options = typing.get_args(source) if typing.get_origin(source) in (typing.Union, types.UnionType) else ()
    found = {getattr(item, "__name__", "") for item in (source, *options)}
    return next((name for name in ("Value", "Cells", "Series") if name in found), "")


def core_schema(of: Of, source: Any, handler: Any) -> Any:
    """Put the reading of the short forms before the validation of the canonical shape."""
    shape = shape_of(source)

    def read(written: Any) -> Any:
        if shape and type(written).__name__ == shape:
            return written
        try:
            return read_as(of, shape, written)
        except FormError as error:
            raise PydanticCustomError(
                "pharmsim", "{count} issues", {"count": len(error.issues), "issues": error.issues}
            ) from None

    return core.no_info_before_validator_function(read, handler(source))


def json_schema(of: Of, schema: Any, handler: Any) -> Any:
    """Leave a mark for `pharmsim.scenario.schema`, which describes the short forms."""
    inner = handler(schema)
    shape = next((name for name in ("Value", "Cells", "Series") if f"/{name}'" in repr(inner)), "")
    return {"x-pharmsim": {"kind": of.kind, "shape": shape}, "x-inner": inner}


__all__ = ["cells_form", "core_schema", "json_schema", "series_form", "shown", "value_form", "where_form"]
