"""Time the engine and the program; write benchmarks/results.md.

Speed is shown as nanoseconds per stock and step, and as ratios to things run beside it in the
same process: one pass of exp over as many numbers, and the slow reference of the tests. A stock is
a number of people of one age: in post or training there by group and contract, or in a pool by group.
The best of several runs counts.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results.md"
CASES = {
    "South East London": "scenarios/sel/baseline.yaml",
    "South East London by band": "scenarios/sel/banded.yaml",
    "South East London, programme of eight interventions": "scenarios/sel/programme/combined.yaml",
    "tiny": "scenarios/tiny.yaml",
}


def best(action: Callable[[], Any], times: int = 5) -> float:
    """Seconds of the fastest of several runs."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        action()
        found.append(time.perf_counter() - began)
    return min(found)


def exp_pass(n: int) -> float:
    """Seconds of one pass of numpy's exp over n numbers."""
    numbers, out = np.linspace(-0.1, 0.0, n), np.empty(n)
    return best(lambda: np.exp(numbers, out=out), 50)


def engine_case(file: str, draws: int, tags: bool) -> dict[str, float]:
    """Seconds of loading, compiling to arrays and running one scenario."""
    import pharmsim
    from pharmsim.compiled.compile import compile_scenario
    from pharmsim.compiled.draws import sample
    from pharmsim.engine.run import run

    scenario = pharmsim.load(ROOT / file)
    table = sample(scenario, draws, 1)
    compiled = compile_scenario(scenario, table, tags)
    run(compiled)  # translated to machine code, or read from disk, before the clock starts
    state = compiled.opening.posts
    n_cells = state.people[0, 0].size + state.pools[0].size
    steps = compiled.clock.n_periods * compiled.clock.substeps
    engine = min(run(compiled).seconds for _ in range(5))
    return {
        "cells": n_cells,
        "steps": steps,
        "runs": table.n,
        "load": best(lambda: pharmsim.load(ROOT / file), 3),
        "arrays": best(lambda: compile_scenario(scenario, table, tags), 3),
        "engine": engine,
        "ns": 1e9 * engine / (n_cells * steps * table.n),
        "exp": 1e9 * exp_pass(n_cells) / n_cells,
    }


def reference_case(file: str, months: int) -> tuple[float, float]:
    """Seconds of the slow reference and of the engine for the first months of a scenario."""
    sys.path.insert(0, str(ROOT / "tests"))
    import pharmsim
    from pharmsim.compiled.compile import compile_scenario
    from pharmsim.compiled.draws import sample
    from pharmsim.engine.run import run
    from reference import simulate

    scenario = pharmsim.load(ROOT / file)
    year, month = map(int, scenario.start.split("-"))
    last = year * 12 + month - 1 + months
    short = scenario.model_copy(update={"end": f"{last // 12}-{last % 12 + 1:02d}"})
    slow = best(lambda: simulate(short), 1)
    compiled = compile_scenario(short, sample(short, 0, 1))
    return slow, min(run(compiled).seconds for _ in range(9))


WITHOUT: dict[str, dict[str, Any]] = {
    "people alone": {
        "feedbacks": None, "need": None, "working_time": None, "supervision": {}, "budgets": {}, "pay": None,
    },
    "need, time and money": {"feedbacks": None},
    "and feedbacks": {},
}  # fmt: skip
"""The same scenario with less and less taken out of the system around the people."""


def system_case(file: str, times: int = 60) -> str:
    """The table of what the system around the people costs: variants take turns, the best of each counts."""
    import pharmsim
    from pharmsim.compiled.compile import compile_scenario
    from pharmsim.compiled.draws import sample
    from pharmsim.engine.run import run

    scenario = pharmsim.load(ROOT / file)
    rows = []
    for tags in (False, True):
        variants = {name: scenario.model_copy(update=without) for name, without in WITHOUT.items()}
        ready = {name: compile_scenario(x, sample(x, 0, 1), tags) for name, x in variants.items()}
        seconds = dict.fromkeys(ready, float("inf"))
        for _ in range(times):
            for name, compiled in ready.items():
                seconds[name] = min(seconds[name], run(compiled).seconds)
        first, before = seconds["people alone"], seconds["need, time and money"]
        for name, each in seconds.items():
            cells = [name, "yes" if tags else "no", f"{1e3 * each:.2f}", f"{each / first:.2f}"]
            rows.append([*cells, f"{each / before:.2f}"])
    head = ["system around the people", "tags", "engine ms", "÷ people alone", "÷ without feedbacks"]
    return table(head, rows)


PEAK = """
import resource, sys
from pathlib import Path
status = Path("/proc/self/status")  # the peak of this program alone; the other counts its parent's too
lines = status.read_text().splitlines() if status.exists() else []
found = [line.split()[1] for line in lines if line.startswith("VmHWM")]
print(int(found[0]) / 1024 if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def child(code: str, **env: str) -> tuple[float, float]:
    """Seconds and peak memory (MiB) of a fresh process."""
    words = [sys.executable, "-c", code + PEAK]
    began = time.perf_counter()
    done = subprocess.run(words, cwd=ROOT, env=os.environ | env, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"{code}\n{done.stdout}\n{done.stderr}")
    return seconds, float(done.stdout.split()[-1])


def command(words: list[str], **env: str) -> tuple[float, float]:
    """Seconds and peak memory of a command line of pharmsim."""
    return child(f"from pharmsim.cli import call\ncode = call({words!r})\nassert code == 0, code", **env)


def table(head: list[str], rows: list[list[str]]) -> str:
    """A Markdown table, padded for the terminal too."""
    lines = [head, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    text = [
        "| " + " | ".join(f"{cell:<{w}}" for cell, w in zip(line, widths, strict=True)) + " |"
        for line in lines
    ]
    text.insert(1, "| " + " | ".join("-" * w for w in widths) + " |")
    return "\n".join(text) + "\n"


def engines() -> str:
    """The table of engine runs."""
    rows = []
    for name, file in CASES.items():
        for draws, tags in ((0, True), (0, False), (100, True)):
            r = engine_case(file, draws, tags)
            rows.append(
                [
                    name, f"{r['runs']:.0f}", "yes" if tags else "no", f"{r['cells']:,.0f}",
                    f"{r['steps']:.0f}", f"{1e3 * r['load']:.0f}", f"{1e3 * r['arrays']:.0f}",
                    f"{1e3 * r['engine']:.1f}", f"{r['ns']:.1f}", f"{r['ns'] / r['exp']:.1f}",
                ]
            )  # fmt: skip
    head = "scenario,runs,tags,stocks,steps,load ms,arrays ms,engine ms,ns per stock and step,÷ one exp"
    return table(head.split(","), rows)


def references() -> str:
    """The table against the slow reference."""
    rows = []
    for name, file, months in (
        ("tiny", CASES["tiny"], 12),
        ("South East London", CASES["South East London"], 3),
    ):
        slow, fast = reference_case(file, months)
        rows.append([name, str(months), f"{slow:.2f}", f"{1e3 * fast:.2f}", f"{slow / fast:,.0f}"])
    return table(["scenario", "months", "reference s", "engine ms", "reference ÷ engine"], rows)


def starts() -> str:
    """The table of whole commands, each in a fresh process."""
    tiny, sel = CASES["tiny"], CASES["South East London"]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        cold = {"PHARMSIM_CACHE": folder}
        out = ["--force", "--out", str(Path(folder) / "run")]
        cases: list[tuple[str, list[str]]] = [
            ("pharmsim --help", ["--help"]),
            ("validate, tiny", ["validate", tiny]),
            ("run, tiny, first ever, no figures", ["run", tiny, "--no-figures", *out]),
            ("run, tiny, no figures", ["run", tiny, "--no-figures", *out]),
            ("run, tiny, figures", ["run", tiny, *out]),
            ("run, South East London, no figures", ["run", sel, "--no-figures", *out]),
            ("run, South East London, figures", ["run", sel, *out]),
            ("run, South East London, 20 draws, figures", ["run", sel, "--draws", "20", *out]),
            (
                "run, South East London, 200 draws, no figures",
                ["run", sel, "--draws", "200", "--no-figures", *out],
            ),
        ]
        python = child("pass")[0]
        for name, words in cases:
            seconds, memory = command(words, **cold)
            rows.append([name, f"{seconds:.2f}", f"{seconds / python:,.0f}", f"{memory:,.0f}"])
    return table(["command", "s", "÷ starting Python", "peak memory MiB"], rows)


def main() -> None:
    """Print the tables and write them down."""
    from pharmsim.engine import source_digest
    from pharmsim.results.manifest import environment

    place = environment()
    packages = ", ".join(f"{name} {place['packages'][name]}" for name in ("numpy", "numba"))
    text = f"""# Benchmarks

Written by `make bench`. Times are of one machine on one day; read the ratios.

{place["processor"]}, {os.cpu_count()} cores, Python {place["python"]}, {packages}; engine {source_digest()}.

## Engine

Run time only: machine code was there. *÷ one exp*: against one pass of numpy's exp over as many numbers.
A stock is a number of people of one age: in post or training there, by group and contract, or in a
pool, by group. One run uses one thread; runs of several draws use all cores.

{engines()}
The aim was 3 ns per stock and step without tags and 5 with; it is not reached. Of a step without
tags about a third goes into hazards and survival (eight risks, several of them by age), a sixth each
into moves (75 edges), into leavers by destination, and into pools; the rest into limits, hiring,
pipelines and records. With tags six more copies of everybody are moved through memory. A cheaper step
would need fewer passes over the same cells.

## The system around the people

South East London, central values, the variants in turn in one process.

{system_case(CASES["South East London"])}
## Against the slow reference

Same process, same scenario.

{references()}
## Commands

Fresh processes; *first ever* includes the translation to machine code.

{starts()}"""
    RESULTS.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
