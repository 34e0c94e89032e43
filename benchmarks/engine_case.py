"""The tables of the engine on whole scenarios: one run, ensembles, threads, what the system costs."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import numpy as np
from timing import CASES, ROOT, SEL, best, child, in_turns, table

import pharmsim
from pharmsim.compiled.compile import Compiled, compile_scenario
from pharmsim.compiled.draws import sample
from pharmsim.engine.run import run


def exp_pass(n: int) -> float:
    """Seconds of one pass of numpy's exp over n numbers."""
    numbers, out = np.linspace(-0.1, 0.0, n), np.empty(n)
    return best(lambda: np.exp(numbers, out=out), 50)


def stocks_of(compiled: Compiled) -> int:
    """Stocks of one draw: of people in post (or training there) by age, and of pools."""
    state = compiled.opening.posts
    return int(state.people[0, 0].size + state.pools[0].size)


def one_draw(yardstick: float) -> str:
    """The table of single runs; `yardstick` are the ns per stock and step of the C kernel on the core."""
    rows = []
    for name, file in CASES.items():
        scenario = pharmsim.load(ROOT / file)
        table_of_draws = sample(scenario, 0, 1)
        ready = {tags: compile_scenario(scenario, table_of_draws, tags) for tags in (False, True)}
        clocks = {str(tags): lambda c=c: run(c, threads=1).seconds for tags, c in ready.items()}
        found = in_turns(clocks, 9)
        for tags, compiled in ready.items():
            n, steps = stocks_of(compiled), compiled.clock.n_periods * compiled.clock.substeps
            seconds = found[str(tags)]
            ns = 1e9 * seconds / n / steps
            load = best(lambda file=file: pharmsim.load(ROOT / file), 2)
            arrays = best(partial(compile_scenario, scenario, table_of_draws, tags), 2)
            cells = [name, "yes" if tags else "no", f"{n:,}", f"{steps}", f"{1e3 * load:.0f}"]
            cells += [f"{1e3 * arrays:.0f}", f"{1e3 * seconds:.2f}", f"{ns:.1f}", f"{ns / yardstick:.1f}"]
            rows.append([*cells, f"{1e-9 * ns * n / exp_pass(n):.1f}"])
    head = "scenario,tags,stocks,steps,load ms,arrays ms,engine ms"
    return table([*head.split(","), "ns per stock and step", "÷ C on the core", "÷ one exp"], rows)


ENSEMBLE = """
import sys, time
sys.path.insert(0, "benchmarks")
import pharmsim
from core import core_scenario
from pharmsim.study.runs import run
scenario = {scenario}
run(scenario, 0, tags={tags}, warn=False)  # machine code is there before the clock starts
began = time.perf_counter()
run(scenario, {draws}, tags={tags}, warn=False)
print(time.perf_counter() - began)
"""


def ensembles(draws: int = 1023) -> str:
    """The table of ensembles on all cores, each in a fresh process."""
    rows = []
    cases = {"demographic core": (None, (False,))} | {
        name: (CASES[name], (False, True)) for name in ("South East London", "South East London by band")
    }
    for name, (file, with_tags) in cases.items():
        source = "core_scenario()" if file is None else f"pharmsim.load({file!r})"
        for tags in with_tags:
            _, peak, lines = child(ENSEMBLE.format(scenario=source, tags=tags, draws=draws))
            seconds = float(lines[-1])
            cells = [name, "yes" if tags else "no", f"{draws + 1:,}", f"{seconds:.1f}"]
            rows.append([*cells, f"{(draws + 1) / seconds:,.0f}", f"{peak:,.0f}"])
    return table(["ensemble, all cores", "tags", "runs", "s", "runs a second", "peak memory MiB"], rows)


def threads(draws: int = 63, times: int = 5) -> str:
    """The table of one and two threads: arrays once, engine alone, in turns."""
    rows = []
    for name in ("South East London", "South East London by band"):
        scenario = pharmsim.load(ROOT / CASES[name])
        compiled = compile_scenario(scenario, sample(scenario, draws, 1))
        clocks = {str(n): lambda n=n, c=compiled: run(c, threads=n).seconds for n in (1, 2)}
        found = in_turns(clocks, times)
        ms = [f"{1e3 * found[n] / (draws + 1):.2f}" for n in ("1", "2")]
        rows.append([name, f"{draws + 1}", *ms, f"{found['1'] / found['2']:.2f}"])
    head = [
        "engine alone, with tags",
        "runs",
        "ms a run, one thread",
        "ms a run, two",
        "two ÷ one, runs a second",
    ]
    return table(head, rows)


def reference_case(file: str, months: int) -> tuple[float, float]:
    """Seconds of the slow reference and of the engine for the first months of a scenario."""
    sys.path.insert(0, str(ROOT / "tests"))
    from reference import simulate

    scenario = pharmsim.load(ROOT / file)
    year, month = map(int, scenario.start.split("-"))
    last = year * 12 + month - 1 + months
    short = scenario.model_copy(update={"end": f"{last // 12}-{last % 12 + 1:02d}"})
    slow = best(lambda: simulate(short), 1)
    compiled = compile_scenario(short, sample(short, 0, 1))
    return slow, min(run(compiled).seconds for _ in range(9))


def references() -> str:
    """The table against the slow reference."""
    rows = []
    for name, months in (("tiny", 12), ("South East London", 3)):
        slow, fast = reference_case(CASES[name], months)
        rows.append([name, str(months), f"{slow:.2f}", f"{1e3 * fast:.2f}", f"{slow / fast:,.0f}"])
    return table(["scenario", "months", "reference s", "engine ms", "reference ÷ engine"], rows)


WITHOUT: dict[str, dict[str, Any]] = {
    "people alone": {
        "feedbacks": None, "need": None, "working_time": None, "supervision": {}, "budgets": {}, "pay": None,
    },
    "need, time and money": {"feedbacks": None},
    "and feedbacks": {},
}  # fmt: skip
"""The same scenario with less and less taken out of the system around the people."""


def system_case(times: int = 30) -> str:
    """The table of what the system around the people costs."""
    scenario = pharmsim.load(ROOT / SEL)
    rows = []
    for tags in (False, True):
        variants = {name: scenario.model_copy(update=without) for name, without in WITHOUT.items()}
        ready = {name: compile_scenario(x, sample(x, 0, 1), tags) for name, x in variants.items()}
        found = in_turns({name: lambda c=c: run(c, threads=1).seconds for name, c in ready.items()}, times)
        for name, seconds in found.items():
            ratios = (seconds / found[other] for other in ("people alone", "need, time and money"))
            cells = [name, "yes" if tags else "no", f"{1e3 * seconds:.2f}"]
            rows.append([*cells, *(f"{x:.2f}" for x in ratios)])
    head = ["system around the people", "tags", "engine ms", "÷ people alone", "÷ without feedbacks"]
    return table(head, rows)
