"""The table of whole commands, each in a fresh process."""

from __future__ import annotations

import tempfile
from pathlib import Path

from timing import CASES, SEL, child, table


def command(words: list[str], **env: str) -> tuple[float, float]:
    """Seconds and peak memory (MiB) of a command line of pharmsim."""
    code = f"from pharmsim.cli import call\ncode = call({words!r})\nassert code == 0, code"
    seconds, peak, _ = child(code, **env)
    return seconds, peak


def commands() -> str:
    """Seconds and memory of what people type."""
    tiny = CASES["tiny"]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        cold = {"PHARMSIM_CACHE": folder}
        out = ["--force", "--out", str(Path(folder) / "run")]
        bare = ["--no-figures", *out]
        cases: list[tuple[str, list[str]]] = [
            ("pharmsim --help", ["--help"]),
            ("validate, tiny", ["validate", tiny]),
            ("run, tiny, first ever, no figures", ["run", tiny, *bare]),
            ("run, tiny, no figures", ["run", tiny, *bare]),
            ("run, tiny, figures", ["run", tiny, *out]),
            ("run, South East London, no figures", ["run", SEL, *bare]),
            ("run, South East London, figures", ["run", SEL, *out]),
            ("run, South East London, 20 draws, figures", ["run", SEL, "--draws", "20", *out]),
            ("run, South East London, 1,024 draws, no figures", ["run", SEL, "--draws", "1024", *bare]),
            ("sensitivity, South East London, tornado and PRCC", ["sensitivity", SEL, *bare]),
        ]
        python = child("pass")[0]
        for name, words in cases:
            seconds, memory = command(words, **cold)
            rows.append([name, f"{seconds:.2f}", f"{seconds / python:,.0f}", f"{memory:,.0f}"])
            print(rows[-1], flush=True)
    return table(["command", "s", "÷ starting Python", "peak memory MiB"], rows)
