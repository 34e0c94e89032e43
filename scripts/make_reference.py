"""Write docs/reference from the code: inputs, quantities, commands, Python names.

Run by `make docs`; a test checks that the committed pages are current.
"""

from __future__ import annotations

import inspect
import io
import os
import re
import sys
import types
import typing
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

TARGET = Path(__file__).parents[1] / "docs" / "reference"
HEAD = "<!-- Written by `make docs` from the code; change the code, not this page. -->\n\n"
SHAPES = {"Value": "a number", "Cells": "numbers by post …", "Series": "numbers over time"}
FORMS = {
    "month": "a month, such as `October 2025`",
    "month_name": "a month of the year, such as `March`",
    "month_names": "months of the year",
    "month_keys": "by month of the year",
    "month_shares": "a month, a list of months, or month: share",
    "plain_months": "months, such as `18` or `18 months`",
    "whole_months": "whole months, such as `12` or `2 years`",
    "ages": "ages, such as `22-60` or `55+`",
    "names": "names",
    "files": "a file, or a list of files, relative to this one",
    "where": "a selector `{axis: name or names}`",
    "wheres": "selectors `{axis: name or names}`",
    "labels": "name: label, or a list of names",
    "edges": "a list or a table, `from`, `to`, `rate`",
    "overlaps": "a list or a table, `from`, `to`, `share`",
    "routes": "a list or a table, `from`, `to`, `share`",
    "posts": "a list or a table of posts",
    "supervisors": "a list of [Supervisor](#supervisor), or one selector",
    "split": "environment: share, summing to 1",
    "weeks": "weeks, such as `6` or `6 weeks`",
    "low_bound": "a multiplier from 0 to 1",
    "high_bound": "a multiplier from 1 to 100",
}
PLAIN = {str: "text", int: "a whole number", float: "a number", bool: "`true` or `false`"}


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    lines = [list(head), *([cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def anchor(title: str) -> str:
    """The link target of a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


INTERNAL = ("origin", "base_digest")


def text_of(item: Any) -> str:
    """The text of a docstring."""
    return inspect.cleandoc(item.__doc__ or "")


def block(item: Any) -> str:
    """A docstring with sections, as it stands in the code."""
    return f"```text\n{text_of(item)}\n```\n"


# ---- inputs ---------------------------------------------------------------------------------------


def parts(annotation: Any) -> Iterator[Any]:
    """The alternatives of a type, `Annotated` and unions opened; markers are yielded too."""
    if isinstance(annotation, typing.TypeAliasType if sys.version_info >= (3, 12) else ()):
        annotation = annotation.__value__
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        inner, *marks = typing.get_args(annotation)
        yield from marks
        yield from parts(inner)
    elif origin in (typing.Union, types.UnionType):
        for inner in typing.get_args(annotation):
            yield from parts(inner)
    else:
        yield annotation


def models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models that a field holds, in lists and mappings too."""
    from pharmsim.scenario import values

    for part in parts(annotation):
        if isinstance(part, type) and issubclass(part, BaseModel):
            if part.__module__ != values.__name__:
                yield part
        elif typing.get_origin(part) in (tuple, dict, list):
            for inner in typing.get_args(part):
                yield from models_in(inner)


def marks_of(field: FieldInfo) -> Any:
    """The `Of` marker of a field, or None."""
    from pharmsim.scenario.values import Of

    found = [mark for mark in field.metadata if isinstance(mark, Of)]
    for part in parts(field.annotation):
        found += [part] if isinstance(part, Of) else []
        if typing.get_origin(part) in (tuple, dict):
            found += [
                mark for inner in typing.get_args(part) for mark in parts(inner) if isinstance(mark, Of)
            ]
    return found[0] if found else None


def takes(field: FieldInfo) -> str:
    """What may be written for a field, in words."""
    mark = marks_of(field)
    if mark is not None and mark.kind in FORMS:
        return FORMS[mark.kind]
    words: list[str] = []
    for part in parts(field.annotation):
        words += [_takes_part(part)]
    return " or ".join(dict.fromkeys(word for word in words if word))


def _takes_part(part: Any) -> str:
    origin = typing.get_origin(part)
    if origin is typing.Literal:
        return ", ".join(f"`{word}`" for word in typing.get_args(part))
    if origin is tuple:
        inner = typing.get_args(part)[0]
        return "a list of " + (" or ".join(filter(None, map(_takes_part, parts(inner)))) or "items")
    if origin is dict:
        inner = typing.get_args(part)[1]
        return "name: " + (" or ".join(filter(None, map(_takes_part, parts(inner)))) or "item")
    if isinstance(part, type) and issubclass(part, BaseModel):
        return SHAPES.get(part.__name__) or f"[{part.__name__}](#{anchor(part.__name__)})"
    return PLAIN.get(part, "")


def number_of(field: FieldInfo) -> str:
    """Unit, bounds and axes of the number of a field."""
    from pharmsim.quantities import KINDS

    mark = marks_of(field)
    if mark is None or mark.kind not in KINDS:
        return ""
    kind = KINDS[mark.kind]
    words = [f"[{mark.kind}](quantities.md#kinds-of-numbers): {kind.unit}, {kind.low:g} to {kind.high:g}"]
    if mark.by:
        words.append("by " + ", ".join(mark.by))
    if mark.over:
        words.append(f"sums to 1 over {mark.over}")
    if mark.rest is not None:
        words.append(f"{mark.rest:g} where no row says otherwise")
    return "; ".join(words)


def default_of(field: FieldInfo) -> str:
    """`needed`, or what holds when the field is left out."""
    from pharmsim.scenario.values import Series, Value

    if field.is_required():
        return "**needed**"
    value = field.get_default(call_default_factory=True)
    mark = marks_of(field)
    if value == {} and mark is not None and mark.kind == "where":
        return "all"
    if isinstance(value, Series):
        value = next(iter(value.points.values()))
    if value is None or value == () or value == {} or value == "":
        return "–"
    if isinstance(value, Value):
        return f"{value.value:g}"
    if isinstance(value, BaseModel):
        words = (f"{key}: {f'{item.value:g}' if isinstance(item, Value) else item}" for key, item in value)
        return "`" + ", ".join(words) + "`"
    if isinstance(value, dict):
        return "`" + ", ".join(value) + "`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def walk(model: type[BaseModel], seen: dict[type[BaseModel], None]) -> None:
    """Collect models in the order in which a reader meets them."""
    seen[model] = None
    for field in model.model_fields.values():
        for inner in models_in(field.annotation):
            if inner not in seen:
                walk(inner, seen)


def fields_table(model: type[BaseModel]) -> str:
    """The table of a model's fields."""
    rows = []
    for name, field in model.model_fields.items():
        if not field.exclude and name not in INTERNAL:
            rows.append([f"`{field.alias or name}`", takes(field), number_of(field), default_of(field)])
    return table(["key", "takes", "number", "if left out"], rows)


def inputs_page() -> str:
    """Every section and field of a scenario file."""
    from pharmsim.scenario import models, values

    seen: dict[type[BaseModel], None] = {}
    walk(models.Scenario, seen)
    out = [HEAD, "# What a scenario file may hold\n\n"]
    out.append(inspect.cleandoc(models.__doc__ or "") + "\n\n")
    out.append(
        "How to write each of them, with examples: [write a scenario](../guides/write_a_scenario.md).\n\n"
    )
    out += [f"## {model.__name__}\n\n{text_of(model)}\n\n{fields_table(model)}\n" for model in seen]
    out.append("## Numbers\n\n" + inspect.cleandoc(values.__doc__ or "") + "\n\n")
    shapes = (values.Value, values.Row, values.Term, values.Range, values.Cells, values.Series)
    out += [f"### {shape.__name__}\n\n{text_of(shape)}\n\n{fields_table(shape)}\n" for shape in shapes]
    return "".join(out)


# ---- quantities, commands, Python -----------------------------------------------------------------


def quantities_page() -> str:
    """Kinds of numbers that go in, and everything that comes out."""
    from pharmsim import quantities as q

    out = [HEAD, "# Quantities\n\n## Kinds of numbers\n\n"]
    kinds = [[f"`{k}`", v.unit, f"{v.low:g}", f"{v.high:g}", v.text] for k, v in q.KINDS.items()]
    out.append(table(["kind", "unit", "lowest", "highest", "must be"], kinds))
    out.append(
        "\n## What comes out\n\nEvery array has the axis `draw` first; draw 0 holds the central "
        "values. `time` stands on month starts (n + 1), `period` on months (n).\n"
    )
    groups = {
        "Stocks": q.STOCKS,
        "System": q.SYSTEM,
        "Flows": q.FLOWS,
        "Retention": q.RETENTION,
        "Other": q.OTHER,
    }
    for title, group in groups.items():
        rows = [
            [f"`{name}`", o.unit, ", ".join(o.dims), o.text, needs(o.sections)] for name, o in group.items()
        ]
        head = ["name", "unit", "axes after draw", "what", "if there is"]
        if not any(row[-1] for row in rows):
            head, rows = head[:-1], [row[:-1] for row in rows]
        out.append(f"\n### {title}\n\n" + table(head, rows))
    out.append(
        "\n## What interventions change\n\n`to` and `plus` of an effect are in the unit of its quantity; "
        "`times` is a ratio. What results must keep the bounds of its kind. `of` names some of the things in "
        "the third column; the reach of the intervention and `where`, `into` and `ages` of the effect select "
        "by the fourth.\n\n"
    )
    changed = [
        [f"`{k}`", kind_link(v.kind), v.of, ", ".join(v.by), f"`{v.section}`", v.text]
        for k, v in q.ADJUSTABLE.items()
    ]
    out.append(table(["quantity", "kind", "`of`", "selected by", "needs", "what"], changed))
    return "".join(out)


def kind_link(kind: str) -> str:
    """A kind with its unit."""
    from pharmsim.quantities import KINDS

    return f"`{kind}` ({KINDS[kind].unit})"


def needs(sections: Iterable[str]) -> str:
    """The sections of which an output needs one."""
    return " or ".join(f"`{section}`" for section in sections)


def help_of(*words: str) -> str:
    """What a command prints with --help, 100 columns wide."""
    from pharmsim import cli

    before = dict(os.environ)
    os.environ |= {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb"}
    try:
        with redirect_stdout(io.StringIO()) as page:
            cli.call([*words, "--help"])
    finally:
        os.environ.clear()
        os.environ.update(before)
    return "\n".join(line.rstrip() for line in page.getvalue().strip().splitlines())


def command_names(*words: str) -> list[str]:
    """The names of the commands, in the order of the help; of a group, those under it, as `group name`."""
    _, _, listed = help_of(*words).partition("\nCommands:\n")
    found = re.findall(r"^  ([a-z][a-z-]+)  ", listed, re.MULTILINE)
    assert words or len(found) > 5, "the help names no commands"
    return [" ".join((*words, name)) for name in found]


def commands_page() -> str:
    """The help of every command."""
    out = [HEAD, "# Commands\n\n"]
    out.append("Exit codes: 0 done; 1 a run failed or was not reproduced; 2 bad input; 130 interrupted.\n\n")
    out.append(f"```\n{help_of()}\n```\n")
    for name in command_names():
        every = (name, *command_names(name))
        out += [f"\n## {one}\n\n```\n{help_of(*one.split())}\n```\n" for one in every]
    return "".join(out)


def signature(item: Any) -> str:
    """Call signature without defaults that print an address."""
    try:
        return re.sub(r" at 0x[0-9a-f]+", "", str(inspect.signature(item)))
    except (TypeError, ValueError):
        return ""


def api_page() -> str:
    """The public names of the package."""
    import pharmsim

    out = [HEAD, "# Python names\n\n", block(pharmsim)]
    for name in pharmsim.__all__:
        item = getattr(pharmsim, name)
        if isinstance(item, str):
            continue
        model = isinstance(item, type) and issubclass(item, BaseModel)
        plain = isinstance(item, type) and issubclass(item, Exception)
        shown = "" if model or plain else signature(item)
        out.append(f"\n## {name}\n\n```python\npharmsim.{name}{shown}\n```\n\n{block(item)}")
        if model:
            out.append("\nIts fields: [inputs](inputs.md).\n")
        elif isinstance(item, type):
            out.append("".join(methods(item)))
    return "".join(out)


def methods(item: type) -> Iterator[str]:
    """The public methods and properties that a class defines itself."""
    for name, member in vars(item).items():
        if name.startswith("_") or not (
            inspect.isfunction(member) or isinstance(member, property | classmethod)
        ):
            continue
        function = member.__func__ if isinstance(member, classmethod) else member
        shown = "" if isinstance(member, property) else signature(function)
        yield f"\n### {item.__name__}.{name}\n\n```python\n{name}{shown}\n```\n\n{block(function)}"


def pages() -> dict[str, str]:
    """Every page by its file name."""
    made = {
        "inputs.md": inputs_page(),
        "quantities.md": quantities_page(),
        "commands.md": commands_page(),
        "api.md": api_page(),
    }
    return {name: re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n" for name, text in made.items()}


def main() -> None:
    """Write the pages."""
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (TARGET / name).write_text(text, encoding="utf-8")
        print(TARGET.name + "/" + name)


if __name__ == "__main__":
    main()
