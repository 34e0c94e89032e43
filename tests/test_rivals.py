"""The rivals of the benchmark run the same core as the engine: same numbers first, then time."""

from __future__ import annotations

import ast
import string
import sys
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

import pharmsim
from pharmsim.compiled.compile import compile_scenario
from pharmsim.compiled.draws import sample
from pharmsim.engine.run import run

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))
import c_kernel  # noqa: E402
import pysd_model  # noqa: E402
from core import COMPARED, Core, compiled_core, core_arrays, disagreement  # noqa: E402
from numpy_kernel import numpy_kernel  # noqa: E402
from timing import in_turns  # noqa: E402

MONTHS = 14
"""An anniversary and two months after it."""
SAME = 1e-12


@lru_cache
def engine() -> tuple[Core, dict[str, np.ndarray]]:
    """The core with three draws, and what the engine records of it."""
    compiled = compiled_core(3, MONTHS)
    record = run(compiled).record
    return core_arrays(compiled), {name: record[name] for name in COMPARED}


def test_the_core_is_what_it_says() -> None:
    core, record = engine()
    assert core.people.shape == (4, 15, 2, 2, 60)
    assert core.stocks == 3600
    assert all(record[name].any() for name in COMPARED)


def test_numpy_agrees_and_a_fault_is_seen() -> None:
    core, record = engine()
    assert disagreement(numpy_kernel(core), record) < SAME
    rate = core.rate.copy()
    rate[2, 7] *= 1.0 + 1e-6
    assert disagreement(numpy_kernel(core._replace(rate=rate)), record) > 1e-8
    with pytest.raises(ValueError, match="fte: shapes"):
        disagreement({"fte": record["fte"][:, 1:]}, record)


@pytest.mark.skipif(c_kernel.compiler() is None, reason="there is no C compiler")
@pytest.mark.parametrize("flags", [(), ("-ffast-math",)])
def test_c_agrees_with_any_number_of_threads(flags: tuple[str, ...]) -> None:
    core, record = engine()
    kernel = c_kernel.c_kernel(core, flags)
    found = kernel(1)
    assert set(found) == set(COMPARED)
    assert disagreement(found, record) < SAME
    two = kernel(2)
    assert all(np.array_equal(found[name], two[name]) for name in COMPARED)


def test_phi_is_checked_on_its_range() -> None:
    coefficients = c_kernel.phi_polynomial(0.1)
    assert coefficients[0] == pytest.approx(1.0, abs=1e-15)
    with pytest.raises(ValueError, match=r"off by .* on 0 … 8"):
        c_kernel.phi_polynomial(8.0)


@pytest.mark.verify
@pytest.mark.skipif(not pysd_model.PYTHON.exists(), reason="PySD is installed by `make bench`")
def test_pysd_agrees(tmp_path: Path) -> None:
    core, record = engine()
    found, _, _ = pysd_model.run_pysd(core, tmp_path, MONTHS)
    assert len(found) == 7
    assert disagreement(found, {name: array[:1] for name, array in record.items()}) < 1e-9


def test_columns_have_the_names_of_a_spreadsheet() -> None:
    assert [pysd_model.letters(n) for n in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


def test_more_than_the_core_is_refused() -> None:
    scenario = pharmsim.tiny_scenario()
    with pytest.raises(ValueError, match=r"which has .*no limits"):
        core_arrays(compile_scenario(scenario, sample(scenario, 0, 1)))


def test_clocks_take_turns_and_the_fastest_round_counts() -> None:
    turns: list[str] = []
    seconds = {"a": iter([0.0, 3.0, 2.0]), "b": iter([0.0, 5.0, 6.0])}

    def clock(name: str) -> float:
        turns.append(name)
        return next(seconds[name])

    assert in_turns({name: lambda name=name: clock(name) for name in "ab"}, 2) == {"a": 2.0, "b": 5.0}
    assert turns == list("ababab")


def test_every_place_of_the_text_is_filled() -> None:
    folder = ROOT / "benchmarks"
    text = (folder / "results_text.md").read_text(encoding="utf-8")
    places = {name for _, name, _, _ in string.Formatter().parse(text) if name}
    words = {
        node.value
        for node in ast.walk(ast.parse((folder / "run.py").read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert len(places) == 11
    assert places - {"minutes", "place"} <= words
