"""The table of many places in one model: the integrated care boards of England, time and memory.

    python benchmarks/national_case.py [DRAWS]

prints it alone, with so many draws.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
import tempfile
from pathlib import Path
from types import ModuleType

import pandas as pd
from timing import ROOT, child, table

DRAWS = 1024
PLACES = (7, 14, 28, 42)
RUN = """
import time
import pharmsim
from pharmsim.study.runs import run
scenario = pharmsim.load({file!r})
one = run(scenario, 0, warn=False)  # machine code is there before the clock starts
began = time.perf_counter()
run(scenario, {draws}, warn=False)
print(time.perf_counter() - began)
print(len(scenario.posts), one.data.sizes["edge"], one.data.nbytes)
"""


def maker() -> ModuleType:
    """Return the script that writes the scenario."""
    spec = importlib.util.spec_from_file_location("make_icb42", ROOT / "scripts" / "make_icb42.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def scenarios(folder: Path) -> dict[int, Path]:
    """Write the scenario with the first so many boards into folders of their own, by the number of boards."""
    top = folder / "scenarios"
    shutil.copytree(ROOT / "scenarios" / "sel" / "data", top / "sel" / "data")
    script = maker()
    boards = pd.read_csv(ROOT / "scenarios" / "national" / "data" / "pcn_by_icb.csv")
    codes = boards["icb_code"].unique()
    return {n: script.make(boards[boards["icb_code"].isin(codes[:n])], top / f"first{n}") for n in PLACES}


def national(draws: int = DRAWS) -> str:
    """The table: one model of so many places, `cohort`, all cores, each in a fresh process."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for n, file in scenarios(Path(folder)).items():
            _, peak, lines = child(RUN.format(file=str(file), draws=draws))
            seconds = float(lines[0])
            posts, edges, size = map(int, lines[1].split())
            ms = 1e3 * seconds / draws
            cells = [
                f"{n}",
                f"{posts}",
                f"{edges}",
                f"{draws:,}",
                f"{seconds:.1f}",
                f"{ms:.1f}",
                f"{ms / n:.2f}",
            ]
            rows.append([*cells, f"{peak:,.0f}", f"{size / 1e6:.1f}", f"{size / n / 1e6:.3f}"])
    head = "places,posts,moves,draws,s,ms a draw,ms a draw and place,peak memory MiB"
    return table([*head.split(","), "MB recorded a draw", "MB a draw and place"], rows)


if __name__ == "__main__":
    print(national(*(int(word) for word in sys.argv[1:])))
