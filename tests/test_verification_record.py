"""The record of the slow verification notices every change of the engine's sources."""

from __future__ import annotations

from pathlib import Path

from verification_record import stale, verified_sources, write


def test_names_what_changed(tmp_path: Path) -> None:
    record, sources = tmp_path / "verification.json", verified_sources()
    assert stale(record, sources) == ["it has not been run yet"]
    write(record, ["b", "a"], sources)
    assert stale(record, sources) == []
    name = next(iter(sources))
    assert stale(record, sources | {name: "another"}) == [name]
    assert stale(record, sources | {"new.py": "0"}) == ["new.py"]
    assert stale(record, {key: value for key, value in sources.items() if key != name}) == [name]
