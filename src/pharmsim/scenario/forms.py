"""The short forms: from what people write to `Value`, `Cells`, `Series` and the other shapes.

A form never guesses: what it does not understand is a `FormError`, which says what would be.
Numbers are described in `pharmsim.scenario.text`; tables and selectors are resolved before
(`pharmsim.scenario.tables`, `pharmsim.scenario.lists`).
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from pydantic_core import PydanticCustomError
from pydantic_core import core_schema as core

from pharmsim.quantities import KINDS
from pharmsim.scenario import ranges, text
from pharmsim.scenario import small_forms as small
from pharmsim.scenario.distributions import DISTS
from pharmsim.scenario.marks import Map, closest, place, quoted
from pharmsim.scenario.ranges import RANGE_KEYS
from pharmsim.scenario.small_forms import AGE_KEYS, gather, where_form
from pharmsim.scenario.text import FormError
from pharmsim.scenario.values import EVIDENCE, Of

ORIGIN_KEYS = ("source", "evidence", "note")
VALUE_KEYS = ("value", *RANGE_KEYS, *ORIGIN_KEYS)
REST_NOTE = "every other cell: none"


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
        near = closest(str(written), known, 0)
        raise FormError(f"must be {what}: {', '.join(known)}; got {quoted(written)}.{near}")
    return str(written)


def _extras(written: dict[str, Any]) -> dict[str, Any]:
    """Return distribution, uncertainty, source, evidence and note, checked."""
    out: dict[str, Any] = {}
    if written.get("dist") is not None:
        out["dist"] = _at("dist", lambda: one_of(written["dist"], DISTS, "a distribution"))
    if written.get("evidence") is not None:
        out["evidence"] = _at(
            "evidence", lambda: one_of(written["evidence"], EVIDENCE, "a grade of evidence")
        )
    if out.get("evidence") == "unstated":
        del out["evidence"]  # as if not given: that of the block holds
    for key in ("uncertainty", "source", "note"):
        if written.get(key) not in (None, ""):
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
    out = ranges.numbers(written, kind, ("value", "low", "high")) | _extras(written) | _origin(written)
    return ranges.completed(out, written, kind)


def age_key(where: dict[str, Any]) -> str:
    """Return the age axis that a selector names: "", ``age`` or ``years_past_pension_age``."""
    return next((key for key in AGE_KEYS if key in where), "")


def _row(written: Any, kind: str, inherited: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(written, dict):
        raise FormError(f"must be a row such as {{where: {{role: …}}, value: …}}; got {quoted(written)}")
    known_keys(written, ("where", *VALUE_KEYS))
    rest = {key: item for key, item in written.items() if key != "where"}
    value, where = gather(
        [
            ((), lambda: value_form(Map(rest), kind)),
            (("where",), lambda: where_form(written.get("where"))),
        ]
    )
    if all(key in where for key in AGE_KEYS):
        raise FormError("must name `age` or `years_past_pension_age`, not both", ("where",))
    return inherited | value | {"where": where} | _origin(written)


def _rows(written: list[Any], kind: str, inherited: dict[str, Any]) -> list[dict[str, Any]]:
    if not written:
        raise FormError("has no rows")
    rows = gather(((i,), partial(_row, row, kind, inherited)) for i, row in enumerate(written))
    kinds = {age_key(row["where"]) for row in rows} - {""}
    if len(kinds) > 1:
        raise FormError("has rows by `age` and rows by `years_past_pension_age`: use one of the two")
    ranged = [i for i, row in enumerate(rows) if "low" in row]
    if kinds and ranged:
        raise FormError(
            f"a block with rows by `{kinds.pop()}` has no low and high in its rows: "
            "give the block a relative `range: {low: 0.8, high: 1.25}`",
            (ranged[0],),
        )
    return rows


def _range(written: Any) -> dict[str, Any] | None:
    if written is None:
        return None
    if not isinstance(written, dict):
        raise FormError(f"must be a mapping such as {{low: 0.8, high: 1.25}}; got {quoted(written)}")
    known_keys(written, RANGE_KEYS)
    ends = ranges.numbers(written, "ratio", ("low", "high"))
    out = ends | _extras({key: written.get(key) for key in ("dist", "uncertainty")})
    if not {"low", "high"} & set(out) and not {"choices", "dist"} & set(written):
        raise FormError("must have a low and a high")
    out = ranges.completed(out, written, "ratio")
    return {"low": 1.0, "high": 1.0} | out  # a posterior that cannot be read leaves none, which is told


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
    rows, spread = gather(
        [
            (("rows",), lambda: _rows(written["rows"], kind, own)),
            (("range",), lambda: _range(written.get("range"))),
        ]
    )
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
        ((key, i) if key else (), partial(_term, form, "ratio" if i else of.kind, inherited))
        for i, form in enumerate(forms)
    )
    rows = terms[0]["rows"]
    rest_value = 0.0 if of.over and of.over != "age" else of.rest
    if rest_value is not None and all(row["where"] for row in rows):
        rest = {"where": {}, "value": rest_value, "note": REST_NOTE}
        same = {key: rows[0][key] for key in ("source", "evidence") if key in rows[0]}
        terms[0]["rows"] = [rest | same, *rows]
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
        return {"points": {"1900" if yearly else "1900-01": value_form(written, kind)}}
    if not written:
        raise FormError("has no dates")
    dates = gather(((key,), partial(_date, key, yearly)) for key in written)
    values = gather(((key,), partial(value_form, written[key], kind)) for key in written)
    if len(set(dates)) < len(dates):
        raise FormError("has the same date twice")
    return {"points": dict(sorted(zip(dates, values, strict=True)))}


def _date(key: str, yearly: bool) -> str:
    is_year = key.isdigit() and len(key) == 4
    if yearly and not is_year:
        raise FormError(f"must be keyed by years such as 2026; got {quoted(key)}")
    return key if yearly else text.month(f"{key}-01" if is_year else key)


def read_as(of: Of, shape: str, written: Any) -> Any:
    """Return the canonical mapping of `written`; shape is "Value", "Cells", "Series" or ""."""
    if shape == "Value":
        return written if of.kind == "reference" and written == "opening" else value_form(written, of.kind)
    if shape == "Cells":
        return written if written == "unlimited" else cells_form(written, of)
    if shape == "Series":
        return series_form(written, of.kind)
    return small.FORMS[of.kind](written) if of.kind in small.FORMS else written


def shape_of(source: Any) -> str:
    """Return the shape that a type asks for: "Value", "Cells", "Series" or ""."""
    options = typing.get_args(source) if typing.get_origin(source) in (typing.Union, types.UnionType) else ()
    found = {getattr(item, "__name__", "") for item in (source, *options)}
    return next((name for name in ("Value", "Cells", "Series") if name in found), "")


LENIENT = {"lenient": True}
"""Context of a validation in which a number that cannot be read is replaced by the lowest of its kind."""


_OTHERS: dict[str, Any] = {
    "month_shares": {"January": 1.0},
    "whole_months": 1,
    "split": {},
    "weeks": 0.0,
    "low_bound": 1.0,
    "positive_low_bound": 1.0,
    "high_bound": 1.0,
}


def _stand_in(shape: str, kind: str) -> Any:
    if not shape:
        return _OTHERS[kind]
    low = max(KINDS[kind].low, 0.0)
    if shape == "Cells":
        return {"terms": [{"rows": [{"value": low, "where": {}}]}]}
    return series_form(low, kind) if shape == "Series" else {"value": low}


def core_schema(of: Of, source: Any, handler: Any) -> Any:
    """Put the reading of the short forms before the validation of the canonical shape."""
    shape = shape_of(source)

    def read(written: Any, info: Any) -> Any:
        if shape and type(written).__name__ == shape:
            return written
        try:
            return read_as(of, shape, written)
        except FormError as error:
            if info.context is LENIENT and written is not None and (shape or of.kind in _OTHERS):
                return _stand_in(shape, of.kind)
            raise PydanticCustomError(
                "pharmsim", "{count} issues", {"count": len(error.issues), "issues": error.issues}
            ) from None

    return core.with_info_before_validator_function(read, handler(source))


def json_schema(of: Of, schema: Any, handler: Any) -> Any:
    """Leave a mark for `pharmsim.scenario.schema`, which describes the short forms."""
    return {"x-pharmsim": of.kind, "x-inner": handler(schema)}
