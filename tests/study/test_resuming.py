"""Interrupted commands continue from their finished blocks, with the same bits."""

from __future__ import annotations

import json
import re
import resource
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from pharmsim import cli
from pharmsim.results.store import journal
from pharmsim.scenario import shipped

TINY, WHAT_IF = shipped("tiny.yaml"), shipped("tiny_what_if.yaml")
RUN = ("run", TINY, "--draws", 100, "--step", "month/2", "--no-figures", "--threads", 2)
COMPARE = ("compare", TINY, WHAT_IF, "--draws", 60, "--no-figures", "--no-attribution", "--threads", 2)

CONTINUES = "the same command with --resume continues"


def call(*words: object) -> int:
    return cli.call([str(word) for word in words])


def begin(*words: object, largest: int | None = None) -> subprocess.Popen[str]:
    """Begin a command in a process of its own; `largest` is the most bytes that a file may have."""

    def limit() -> None:
        if largest is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))

    program = [sys.executable, "-c", "from pharmsim.cli import main; main()"]
    return subprocess.Popen(
        [*program, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=limit,
    )  # fmt: skip


def stop(number: signal.Signals, blocks: Path, more: int, *words: object) -> tuple[int, str]:
    """Begin a command and stop it when so many more blocks are done; its exit code and messages."""
    before = len(journal(blocks))
    process = begin(*words)
    deadline = time.monotonic() + 300
    while len(journal(blocks)) < before + more and time.monotonic() < deadline:
        assert process.poll() is None, "the command ended before it could be stopped"
        time.sleep(0.002)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    return process.returncode, errors


def test_a_run_that_is_stopped_twice_ends_with_the_same_bits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, blocks = tmp_path / "run", tmp_path / ".run.blocks"
    words = (*RUN, "--out", folder)
    code, errors = stop(signal.SIGINT, blocks / "1", 2, *words)
    assert code == 130
    done = len(journal(blocks / "1"))
    assert done >= 2
    assert re.search(f"^interrupted: {done} of [0-9]+ blocks are done; {CONTINUES}$", errors, re.M), errors
    assert "Traceback" not in errors
    assert not folder.exists()

    assert call(*words) == 2
    assert "blocks are done. Give --resume to continue it, or --force" in capsys.readouterr().err
    assert call(*words, "--seed", 5, "--resume") == 2
    said = capsys.readouterr().err
    assert "it differs: seed 1 then, 5 now, table of draws" in said
    assert "continues" not in said
    assert call(*words, "--step", "month/4", "--resume") == 2
    said = capsys.readouterr().err
    assert "it differs: step month/2 then, month/4 now. Give" in said

    code, errors = stop(signal.SIGKILL, blocks / "1", 1, *words, "--resume")
    assert (code, errors) == (-signal.SIGKILL, "")
    before = (blocks / "1" / "journal").read_text()
    (blocks / "1" / "journal").write_text(f"{before}451 ")  # cut off by the kill
    torn = next(iter(journal(blocks / "1")))
    with (blocks / "1" / "fte.f64").open("r+b") as file:  # as after a loss of power
        file.write(b"\0" * 8)
    assert call(*words, "--resume") == 0
    assert list(tmp_path.iterdir()) == [folder]

    assert call(*RUN, "--out", tmp_path / "at_once", "--threads", 1) == 0
    assert results(folder) == results(tmp_path / "at_once")
    assert torn == (0, 1)


def results(folder: Path) -> dict[str, str]:
    """Digests of every quantity, from the manifest."""
    found: dict[str, str] = json.loads((folder / "manifest.json").read_text())["results"]
    assert "fte" in str(found)
    return found


def test_blocks_that_are_left_are_deleted_by_force(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, blocks = tmp_path / "run", tmp_path / ".run.blocks"
    words = ("run", TINY, "--draws", 40, "--no-figures", "--out", folder)
    stop(signal.SIGKILL, blocks / "1", 1, *RUN, "--out", folder)
    assert call(*words, "--force") == 0
    assert list(tmp_path.iterdir()) == [folder]
    assert call(*words, "--force", "--resume") == 0
    assert "no blocks are there; starting from the beginning" in capsys.readouterr().err


def test_a_full_disk_keeps_what_is_finished(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No file may have more than 1 MB, of which 101 draws of the largest output need more."""
    folder, blocks = tmp_path / "run", tmp_path / ".run.blocks"
    words = (*RUN, "--out", folder)
    process = begin(*words, largest=1_000_000)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 2
    assert f"{blocks / '1'}: the draws could not be kept; File too large" in errors
    done = len(journal(blocks / "1"))
    assert done >= 1
    assert re.search(f"^{done} of [0-9]+ blocks are done; {CONTINUES}$", errors, re.M), errors
    assert "Traceback" not in errors
    assert call(*words, "--resume") == 0
    assert list(tmp_path.iterdir()) == [folder]


def test_a_comparison_does_not_run_finished_scenarios_again(tmp_path: Path) -> None:
    folder, blocks = tmp_path / "compared", tmp_path / ".compared.blocks"
    words = (*COMPARE, "--out", folder)
    code, errors = stop(signal.SIGTERM, blocks / "2", 1, *words)  # when the second has begun
    assert code == 130
    assert re.search("blocks of scenario 2 of 2 are done", errors), errors
    finished = (blocks / "1" / "fte.f64").stat().st_mtime_ns
    process = begin(*words, "--resume")
    seen = set()
    while process.poll() is None:
        with suppress(FileNotFoundError):
            seen.add((blocks / "1" / "fte.f64").stat().st_mtime_ns)
        time.sleep(0.01)
    assert process.communicate()[1] == ""
    assert process.returncode == 0
    assert seen == {finished}
    assert list(tmp_path.iterdir()) == [folder]
    assert call(*COMPARE, "--out", tmp_path / "at_once") == 0
    names = ("differences.csv", "trajectories.csv")
    for path in (next(folder.rglob(name)) for name in names):
        other = tmp_path / "at_once" / path.relative_to(folder)
        assert path.read_bytes() == other.read_bytes()
