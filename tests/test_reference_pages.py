"""docs/reference is what `make docs` writes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
spec = importlib.util.spec_from_file_location("make_reference", ROOT / "scripts" / "make_reference.py")
assert spec is not None
assert spec.loader is not None
make_reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(make_reference)


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    made: dict[str, str] = make_reference.pages()
    return made


@pytest.mark.parametrize("name", ["inputs.md", "quantities.md", "commands.md", "api.md"])
def test_page_is_current(name: str, pages: dict[str, str]) -> None:
    written = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    assert written == pages[name], f"docs/reference/{name} is not what the code says: run `make docs`"


def test_pages_say_something(pages: dict[str, str]) -> None:
    assert "`first_year`" in pages["inputs.md"]
    assert "sums to 1 over age" in pages["inputs.md"]
    assert "a rate per year between 0 and 3" in pages["quantities.md"]
    assert "## reproduce" in pages["commands.md"]
    assert "## run" in pages["api.md"]


def test_pages_are_the_same_each_time(pages: dict[str, str]) -> None:
    assert make_reference.pages() == pages
