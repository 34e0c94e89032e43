"""The record of the slow verification notices every change of the engine's sources."""

from __future__ import annotations

import json
from pathlib import Path

from verification_record import stale, verified_sources, write


def test_names_what_changed(tmp_path: Path) -> None:
    record, sources = tmp_path / "verification.json", verified_sources()
    assert stale(record, sources) == ["it has not been run yet"]
    write(record, ["x.py::b", "x.py::a[1]", "x.py::a[2]"], sources)
    assert json.loads(record.read_text(encoding="utf-8"))["passed"] == {"x.py::a": 2, "x.py::b": 1}
    assert stale(record, sources) == []
    name = next(iter(sources))
    assert stale(record, sources | {name: "another"}) == [name]
    assert stale(record, sources | {"new.py": "0"}) == ["new.py"]
    assert stale(record, {key: value for key, value in sources.items() if key != name}) == [name]
