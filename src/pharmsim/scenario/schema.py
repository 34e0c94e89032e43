"""The JSON Schema of scenario files, for editors: completion, hover texts, first mistakes.

It describes what people write (short forms, tables, ``base`` and ``changes``), and the files of the library
of interventions; the checks of the whole scenario are not in it.
"""

from __future__ import annotations

import json
from typing import Any

from pharmsim.quantities import ADJUSTABLE, KINDS
from pharmsim.scenario.changes import OWN_KEYS
from pharmsim.scenario.forms import DISTS, ORIGIN_KEYS, RANGE_KEYS, VALUE_KEYS
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.text import MONTHS
from pharmsim.scenario.uses import USE_KEYS
from pharmsim.scenario.values import EVIDENCE

Json = dict[str, Any]
_SHAPES = {"Value": "value", "Cells": "cells", "Series": "series"}
_CANONICAL = (*_SHAPES, "Term", "Row", "Range", "Origin", "Edge", "Overlap", "Route", "Post")


def _ref(name: str) -> Json:
    return {"$ref": f"#/$defs/{name}"}


def _object(properties: Json, required: tuple[str, ...] = (), more: Any = False) -> Json:
    out: Json = {"type": "object", "properties": properties, "additionalProperties": more}
    return out | ({"required": list(required)} if required else {})


_NUMBER: Json = {"type": ["number", "string"]}
_TEXT: Json = {"type": "string"}
_NAMES: Json = {"anyOf": [_ref("name"), {"type": "array", "items": _ref("name")}]}
_MONTH_NAMES: Json = {"type": "string", "examples": list(MONTHS)}


def _numbers_of(keys: tuple[str, ...]) -> Json:
    known: Json = {
        "value": _NUMBER | {"description": "The number, such as `9 % per year`, `70 %`, `18 months`"},
        "low": _NUMBER | {"description": "Lower end of the range"},
        "high": _NUMBER | {"description": "Upper end of the range"},
        "dist": {"enum": list(DISTS), "description": "Distribution over the range"},
        "choices": {
            "type": "object",
            "additionalProperties": _NUMBER,
            "description": "Of `discrete`: value: probability, summing to 1",
        },
        "uncertainty": _TEXT | {"description": "Name: values that share it move together"},
        "source": _TEXT | {"description": "Where the number comes from"},
        "evidence": {"enum": list(EVIDENCE)},
        "note": _TEXT,
    }
    return {key: known[key] for key in keys}


def _definitions() -> Json:
    """Return the hand-written part: the short forms."""
    block = {"range": _ref("range")} | _numbers_of(ORIGIN_KEYS)
    listed = {"type": "array", "items": _ref("row")}
    out: Json = {
        "name": {"type": ["string", "integer"]},
        "where": {
            "type": "object",
            "additionalProperties": _NAMES,
            "description": "Which cells: axis and names; later rows override earlier ones",
        },
        "range": _object(_numbers_of(RANGE_KEYS)),
        "full_value": _object(_numbers_of(VALUE_KEYS), ("value",)),
        "value": {"anyOf": [_NUMBER, _ref("full_value")]},
        "row": _object(_numbers_of(VALUE_KEYS) | {"where": _ref("where")}, ("value",)),
        "rows": _object({"rows": listed, "table": _TEXT} | block, ("rows",)),
        "table": _object({"table": _TEXT, "value": _TEXT, "unit": _TEXT} | block, ("table",)),
        "factor": {"anyOf": [_NUMBER, _ref("row"), listed, _ref("rows"), _ref("table")]},
        "factors": {"type": "array", "items": _ref("factor")},
        "product": _object({"product": _ref("factors")} | _numbers_of(ORIGIN_KEYS), ("product",)),
        "terms": _object({"terms": _ref("factors")}, ("terms",)),
        "cells": {"anyOf": [_ref("factor"), _ref("product"), _ref("terms")]},
        "dated": {"type": "object", "additionalProperties": _ref("value")},
        "series": {"anyOf": [_ref("value"), _ref("dated")]},
        "selector": {"anyOf": [_TEXT, _ref("where")]},
    }
    for name, inner in (("edges", "rate"), ("overlaps", "share"), ("routes", "share")):
        edge = _object(
            {"from": _ref("selector"), "to": _ref("selector"), inner: _ref("value")}, ("from", "to")
        )
        items = {"type": "array", "items": edge}
        block_of = _object({"rows": items, "table": _TEXT} | block, ("rows",))
        out[name] = {"anyOf": [items, _ref("table"), block_of]}
    axes = dict.fromkeys(("role", "environment", "grade", "place"), _NAMES)
    attributes = {"type": "object", "additionalProperties": _ref("name")}
    shares = {"type": "object", "additionalProperties": _NUMBER}
    out["split"] = {
        "anyOf": [shares, _TEXT],
        "description": "Environments in which a joint post works, with its shares of working time",
    }
    out["weeks"] = _NUMBER | {"description": "Weeks, between 0 and 52"}
    own = {"split": _ref("split"), "backfill_weeks": _ref("weeks"), "attributes": attributes}
    post = _object({"post": _TEXT, **axes, **own}, ("role", "environment"), _ref("name"))
    out["posts"] = {"anyOf": [{"type": "array", "items": post}, _ref("table")]}
    return out


def _other_forms(defs: Json) -> Json:
    names = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}
    shares = {"type": "object", "additionalProperties": _NUMBER, "propertyNames": _MONTH_NAMES}
    supervisor = [_ref("Supervisor"), _ref("where")]
    return {
        "month": _TEXT | {"description": "A month such as `October 2025` or `2025-10`"},
        "month_name": _MONTH_NAMES,
        "month_names": {"anyOf": [_MONTH_NAMES, {"type": "array", "items": _MONTH_NAMES}]},
        "plain_months": _NUMBER | {"description": "Months, such as `18 months`"},
        "month_shares": {"anyOf": [_MONTH_NAMES, {"type": "array", "items": _MONTH_NAMES}, shares]},
        "month_keys": {"type": "object", "additionalProperties": {}},
        "whole_months": _NUMBER | {"description": KINDS["months"].text},
        "ages": {"type": ["string", "integer"], "description": "Ages such as `25-34` or `55+`"},
        "names": names,
        "files": names | {"description": "Files relative to this one: posteriors of `pharmsim calibrate`"},
        "where": _ref("where"),
        "wheres": {"anyOf": [_ref("where"), {"type": "array", "items": _ref("where")}]},
        "labels": {
            "anyOf": [
                {"type": "array", "items": {"type": ["string", "integer"]}},
                {"type": "object", "additionalProperties": {"type": ["string", "number", "null"]}},
            ]
        },
        "values": {"anyOf": [_ref("value"), {"type": "array", "items": _ref("value")}]},
        "low_bound": _NUMBER | {"description": "Lowest multiplier, between 0 and 1"},
        "positive_low_bound": _NUMBER | {"description": "Lowest multiplier, between 0.01 and 1"},
        "high_bound": _NUMBER | {"description": "Highest multiplier, 1 or more"},
        "supervisors": {"anyOf": [*supervisor, {"type": "array", "items": {"anyOf": supervisor}}]},
        "opening": {"anyOf": [{"enum": ["from_past_intakes", "steady"]}, _ref("Opening")]},
        **{name: _ref(name) for name in defs},
    }


def _written(node: Any, forms: Json) -> Any:
    """Return a schema with the marks that `forms.json_schema` left replaced by the short forms."""
    if isinstance(node, list):
        return [_written(item, forms) for item in node]
    if not isinstance(node, dict):
        return node
    if "x-pharmsim" in node:
        return _form(node["x-pharmsim"], node["x-inner"], forms)
    out = {key: _written(item, forms) for key, item in node.items() if key not in ("title", "discriminator")}
    if isinstance(out.get("properties"), dict):
        out["properties"] = {
            key: item for key, item in out["properties"].items() if key not in ("origin", "base_digest")
        }
        for key, item in node["properties"].items():  # a property may be called title
            if key in ("title", "discriminator"):
                out["properties"][key] = _written(item, forms)
    if out.get("default", 0) is None:
        del out["default"]
    return out


def _form(kind: str, inner: Json, forms: Json) -> Json:
    if kind not in KINDS:
        return dict(forms[kind])
    options = [inner, *inner.get("anyOf", [])]
    shape = next(
        _SHAPES[ref] for item in options if (ref := str(item.get("$ref", "")).split("/")[-1]) in _SHAPES
    )
    unit = KINDS[kind]
    return _ref(shape) | {"description": f"{unit.text[0].upper()}{unit.text[1:]} (unit: {unit.unit})"}


def _what_if(properties: Json) -> Json:
    """Return the schema of a scenario that has a base."""
    change = _object(
        {
            "set": _TEXT | {"description": "Key path in the base, such as `leaving.died.rate`"},
            "to": {"description": "The new form"},
            "times": {"anyOf": [_NUMBER, _ref("value")]},
            "plus": _NUMBER,
            "where": {"type": "object", "description": "Which cells; for edges: from, to"},
            **_numbers_of((*RANGE_KEYS, *ORIGIN_KEYS)),
        },
        ("set",),
    )
    change["oneOf"] = [{"required": [verb]} for verb in ("to", "times", "plus")]
    either = {"if": {"required": ["use"]}, "then": _ref("Use"), "else": change}
    own = {key: properties[key] for key in OWN_KEYS if key in properties}
    own |= {
        "base": _TEXT | {"description": "File of the base"},
        "changes": {"type": "array", "items": either},
    }
    return _object(own, ("base", "name"))


def _use(lever: Json) -> Json:
    """Return the schema of ``use: NAME``."""
    numbers = {"type": "object", "additionalProperties": _ref("value")}
    own = {
        "use": _TEXT | {"description": "Name of an intervention of the library, or its file"},
        "name": _ref("name") | {"description": "Its name here, to use one twice"},
        "where": _ref("where") | {"description": "Posts, of those that it reaches"},
        "effects": numbers | {"description": "Name of an effect: its number here"},
        "costs": _object({key: _ref("value") for key in ("set_up", "per_year", "per_head")}),
        "note": _TEXT,
    }
    known = {key: lever["properties"][key] for key in USE_KEYS if key not in own}
    return _object(own | known, ("use",))


def _interventions(models: Json) -> None:
    """Let interventions be written as in the library, in place."""
    for name in ("Effect", "PlanChange", "SupervisionChange"):
        models[name]["properties"] |= _numbers_of(ORIGIN_KEYS)
        models[name]["required"].remove("name")
    models["Effect"]["properties"]["quantity"] = {"enum": list(ADJUSTABLE)}
    lever = models["Intervention"]
    del lever["properties"]["costs"]["default"]
    own = {key: item for key, item in lever["properties"].items() if key not in ("name", "claim")}
    needed = tuple(key for key in lever["required"] if key in own and key != "start")
    models["Use"], models["Lever"] = _use(lever), _object(own, needed)


def scenario_schema() -> Json:
    """Return the JSON Schema (draft 2020-12) of scenario files."""
    raw = Scenario.model_json_schema()
    defs = _definitions()
    forms = _other_forms(defs)
    described = {name: node for name, node in raw.pop("$defs").items() if name not in _CANONICAL}
    models = {name: _written(node, forms) for name, node in described.items()}
    for name in ("ExternalPipeline",):
        models[name]["properties"]["kind"] = {"const": "external", "default": "external"}
    _interventions(models)
    whole = _written(raw, forms)
    pipelines = {"type": "object", "additionalProperties": _pipeline()}
    whole["properties"]["pipelines"] = pipelines
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pharmsim scenario",
        "type": "object",
        "if": {"anyOf": [{"required": ["base"]}, {"required": ["changes"]}]},
        "then": _ref("WhatIf"),
        "else": {"if": {"required": ["outcome"]}, "then": _ref("Lever"), "else": _ref("Scenario")},
        "$defs": {**defs, **models, "Scenario": whole, "WhatIf": _what_if(whole["properties"])},
    }


def _pipeline() -> Json:
    is_internal = {"required": ["kind"], "properties": {"kind": {"const": "internal"}}}
    return {"if": is_internal, "then": _ref("InternalPipeline"), "else": _ref("ExternalPipeline")}


def schema_text() -> str:
    """Return the JSON Schema as text: ``scenarios/scenario.schema.json`` without its last line end."""
    return json.dumps(scenario_schema(), indent=1, ensure_ascii=False)
