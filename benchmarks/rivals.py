"""The tables of the demographic core: agreement first, then the time of every rival."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import pysd_model
from c_kernel import FLAGS, c_kernel, compiler
from core import COMPARED, Core, compiled_core, core_arrays, disagreement
from numpy_kernel import numpy_kernel
from timing import in_turns, seconds_of, table

from pharmsim.compiled.arrays import Floats
from pharmsim.engine.run import run

SAME, SAME_PYSD = 1e-12, 1e-9
ROUNDS, DRAWS, DRAW_ROUNDS, PYSD_MONTHS = 60, 63, 5, 24
YARDSTICK = f"C, gcc {' '.join(FLAGS)}"
FAST = f"{YARDSTICK} -ffast-math"
ENGINE, NUMPY = "pharmsim", "numpy, whole arrays"

Kernels = dict[str, Callable[[int], dict[str, Floats]]]
"""By name: number of threads → record."""


def agree(name: str, found: dict[str, Floats], expected: dict[str, Floats], limit: float) -> float:
    """Largest relative difference; refuses to go on to times where it is above the limit."""
    worst = disagreement(found, expected)
    print(f"{name}: largest relative difference to the engine {worst:.1e}", flush=True)
    if worst > limit:
        raise RuntimeError(f"{name} differs from the engine by {worst:.1e}: not the same model")
    return worst


def kernels(core: Core) -> Kernels:
    """The rivals that can be had here; says which cannot."""
    found: Kernels = {NUMPY: lambda threads: numpy_kernel(core)}
    if compiler() is None:
        print("no C compiler was found (gcc, cc or $CC): the C kernel is skipped", flush=True)
        return found
    return {YARDSTICK: c_kernel(core), FAST: c_kernel(core, ("-ffast-math",))} | found


def one_run() -> tuple[str, float]:
    """The table of one run on one thread, and ns per stock and step of the yardstick (engine without C)."""
    compiled = compiled_core(0)
    core = core_arrays(compiled)
    record = {name: array for name, array in run(compiled, threads=1).record.items() if name in COMPARED}
    rivals = kernels(core)
    worst = {name: agree(name, rival(1), record, SAME) for name, rival in rivals.items()}
    clocks: dict[str, Callable[[], float]] = {ENGINE: lambda: run(compiled, threads=1).seconds}
    for name, rival in rivals.items():
        clocks[name] = lambda rival=rival: seconds_of(lambda: rival(1))  # type: ignore[misc]
    found = in_turns(clocks, ROUNDS)
    yardstick = YARDSTICK if YARDSTICK in found else ENGINE
    per = 1e9 / core.stocks / core.months
    rows = []
    for name, seconds in found.items():
        cells = [name, "–" if name == ENGINE else f"{worst[name]:.0e}", f"{1e3 * seconds:.2f}"]
        rows.append([*cells, f"{per * seconds:.2f}", f"{seconds / found[yardstick]:.2f}"])
    rows.append(pysd_row(core, record, found[yardstick] * per))
    head = ["one run, one thread", "largest difference", "ms", "ns per stock and step", f"÷ {yardstick}"]
    rows.sort(key=lambda row: float(row[3].replace(",", "")) if row[3] else float("inf"))
    return table(head, rows), found[yardstick] * per


def pysd_row(core: Core, record: dict[str, Floats], yardstick: float) -> list[str]:
    """The row of PySD, which runs some months in a process of its own right after the others."""
    if not pysd_model.PYTHON.exists():
        print("PySD is not installed (benchmarks/requirements.txt into .venv_bench): skipped", flush=True)
        return ["PySD: not installed here", "", "", "", ""]
    with tempfile.TemporaryDirectory() as folder:
        found, seconds, translation = pysd_model.run_pysd(core, Path(folder), PYSD_MONTHS)
    expected = {name: record[name][:, : array.shape[1]] for name, array in found.items()}
    worst = agree("PySD", found, expected, SAME_PYSD)
    ns = 1e9 * seconds / core.stocks / PYSD_MONTHS
    name = f"PySD, model file (from {PYSD_MONTHS} months; translated before, in {translation:.0f} s)"
    whole = f"{1e3 * seconds * core.months / PYSD_MONTHS:,.0f}"
    return [name, f"{worst:.0e}", whole, f"{ns:,.0f}", f"{ns / yardstick:,.0f}"]


def many_runs() -> str:
    """The table of many draws on one and two threads."""
    compiled = compiled_core(DRAWS)
    core = core_arrays(compiled)
    record = {name: array for name, array in run(compiled).record.items() if name in COMPARED}
    rivals = kernels(core)
    for name, rival in rivals.items():
        agree(f"{name}, {DRAWS + 1} draws", rival(1), record, SAME)
    clocks: dict[str, Callable[[], float]] = {}
    for threads in (1, 2):
        clocks[f"{ENGINE}|{threads}"] = lambda threads=threads: run(compiled, threads=threads).seconds  # type: ignore[misc]
        for name, rival in rivals.items():
            if threads == 1 or name != NUMPY:
                clocks[f"{name}|{threads}"] = lambda rival=rival, threads=threads: seconds_of(  # type: ignore[misc]
                    lambda: rival(threads)
                )
    found = in_turns(clocks, DRAW_ROUNDS)
    yardstick = YARDSTICK if YARDSTICK in rivals else ENGINE
    rows = []
    for key, seconds in found.items():
        name, threads_used = key.split("|")
        each = seconds / (DRAWS + 1)
        gain = f"{found[f'{name}|1'] / seconds:.2f}" if threads_used == "2" else ""
        rows.append(
            [
                name, threads_used, f"{1e3 * each:.2f}", f"{1 / each:,.0f}",
                f"{seconds / found[f'{yardstick}|{threads_used}']:.2f}", gain,
            ]
        )  # fmt: skip
    head = [f"{DRAWS + 1} draws", "threads", "ms a run", "runs a second", f"÷ {yardstick}, as many threads"]
    return table([*head, "× one thread"], rows)
