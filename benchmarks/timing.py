"""Clocks and tables. What is compared takes turns, and the fastest round counts: other work only adds."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SEL = "scenarios/sel/baseline.yaml"
CASES = {
    "South East London": SEL,
    "South East London by band": "scenarios/sel/banded.yaml",
    "South East London, programme of eight interventions": "scenarios/sel/programme/combined.yaml",
    "tiny": "scenarios/tiny.yaml",
}
PEAK = """
import resource, sys
from pathlib import Path
status = Path("/proc/self/status")  # the peak of this program alone; the other counts its parent's too
lines = status.read_text().splitlines() if status.exists() else []
found = [line.split()[1] for line in lines if line.startswith("VmHWM")]
print(int(found[0]) / 1024 if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def seconds_of(action: Callable[[], Any]) -> float:
    """Seconds that an action takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def best(action: Callable[[], Any], times: int = 5) -> float:
    """Seconds of the fastest of several runs."""
    return min(seconds_of(action) for _ in range(times))


def in_turns(clocks: Mapping[str, Callable[[], float]], times: int) -> dict[str, float]:
    """Seconds of the fastest round of several clocks that take turns, after one round to warm up.

    Parameters
    ----------
    clocks : mapping of name to function
        Each runs something and returns the seconds that count.
    times : int
        Rounds.
    """
    found = dict.fromkeys(clocks, math.inf)
    for turn in range(times + 1):
        for name, clock in clocks.items():
            seconds = clock()
            if turn:
                found[name] = min(found[name], seconds)
    return found


def child(code: str, **env: str) -> tuple[float, float, list[str]]:
    """Seconds, peak memory (MiB) and printed lines of a fresh process."""
    words = [sys.executable, "-c", code + PEAK]
    began = time.perf_counter()
    done = subprocess.run(words, cwd=ROOT, env=os.environ | env, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"{code}\n{done.stdout}\n{done.stderr}")
    *lines, peak = done.stdout.splitlines()
    return seconds, float(peak), lines


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
