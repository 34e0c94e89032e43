"""Time the engine and the program beside their rivals; write benchmarks/results.md.

Agreement first: a rival that gives other numbers stops the benchmark. Then speed, as nanoseconds per
stock and step and as ratios to things run in turns with it. A stock is a number of people of one age: in post
or training there by group and contract, or in a pool by group.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable

from c_kernel import compiler
from commands import commands
from engine_case import ensembles, one_draw, references, system_case, threads
from national_case import national
from rivals import many_runs, one_run
from timing import ROOT

TEXT, RESULTS = (ROOT / "benchmarks" / name for name in ("results_text.md", "results.md"))
"""Written by hand, with places for the tables; and what is made of it."""


def place() -> str:
    """Processor, compiler and packages of this machine."""
    from pharmsim.engine import source_digest
    from pharmsim.results.manifest import environment

    here = environment()
    packages = ", ".join(f"{name} {here['packages'][name]}" for name in ("numpy", "numba"))
    python = f"{here['processor']}, {os.cpu_count()} cores, Python {here['python']}"
    return f"{python}, {packages}, {compiler_version()}; engine {source_digest()}."


def compiler_version() -> str:
    """First line of what the C compiler says of itself."""
    command = compiler()
    if command is None:
        return "no C compiler"
    return subprocess.run(
        [command, "--version"], capture_output=True, text=True, check=True
    ).stdout.splitlines()[0]


def main() -> None:
    """Print the tables and write them down."""
    began = time.perf_counter()
    tables: dict[str, str] = {}
    tables["one_run"], yardstick = one_run()
    makers: dict[str, Callable[[], str]] = {
        "many_runs": many_runs,
        "one_draw": lambda: one_draw(yardstick),
        "threads": threads,
        "system": system_case,
        "references": references,
        "ensembles": ensembles,
        "national": national,
        "commands": commands,
    }
    for name, make in makers.items():
        tables[name] = make()
        print(f"{tables[name]}\n{time.perf_counter() - began:.0f} s so far\n", flush=True)
    minutes = (time.perf_counter() - began) / 60.0
    text = TEXT.read_text(encoding="utf-8").format(minutes=minutes, place=place(), **tables)
    RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
