"""Which engine sources the slow verification has passed with.

`make verify` writes `docs/background/verification.json`: the tests that passed and the digest of
every source that turns a scenario into numbers. `make test` says when the sources have changed
since; it does not fail for that. No date and no machine: the file changes only with its content.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parents[1]
RECORD = ROOT / "docs" / "background" / "verification.json"


def verified_sources(root: Path = ROOT) -> dict[str, str]:
    """Digest of every source file that turns a scenario into numbers."""
    folders = [root / "src" / "pharmsim" / room for room in ("compiled", "engine")]
    paths = [path for folder in folders for path in sorted(folder.rglob("*.py"))]
    assert len(paths) > 5, "the engine's sources were not found"
    digests = (hashlib.sha256(path.read_bytes()).hexdigest()[:16] for path in paths)
    return dict(zip((path.relative_to(root).as_posix() for path in paths), digests, strict=True))


def stale(record: Path, sources: dict[str, str]) -> list[str]:
    """Why the recorded verification does not cover these sources; empty if it does."""
    if not record.is_file():
        return ["it has not been run yet"]
    old = json.loads(record.read_text(encoding="utf-8"))["sources"]
    return sorted(name for name in old.keys() | sources.keys() if old.get(name) != sources.get(name))


def write(record: Path, names: Iterable[str], sources: dict[str, str]) -> None:
    """Write what passed (cases of each test), and with which sources."""
    passed = Counter(name.split("[")[0] for name in names)
    content = {"passed": dict(sorted(passed.items())), "sources": sources}
    record.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
