"""Interrupted ensembles: their blocks stay beside the results folder until the results are written."""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pharmsim import __version__
from pharmsim.compiled.draws import Draws
from pharmsim.errors import InterruptionError, OutputError
from pharmsim.results.folder import MANIFEST, write_whole
from pharmsim.results.manifest import environment, scenario_digest
from pharmsim.results.store import journal
from pharmsim.scenario import to_dict
from pharmsim.scenario.models import Scenario
from pharmsim.study.blocks import sources

PLAN = "plan.json"


class _AnotherRunError(OutputError):
    """The blocks that are there are of another run than the one that is to continue them."""


@contextmanager
def blocks_beside(target: Path, resume: bool, force: bool, n: int = 1) -> Iterator[Path]:
    """Hand out the folder of a command's blocks; it goes when all is done, and stays when something is wrong.

    Parameters
    ----------
    target : Path
        Results folder; the blocks are in ``.<name>.blocks`` beside it.
    resume : bool
        Whether to go on with blocks that are there.
    force : bool
        Whether to delete blocks that are there otherwise.
    n : int
        Scenarios that the command runs, each with a folder of its own below this one, named 1, 2, …

    Yields
    ------
    Path
        Not made yet.

    Raises
    ------
    OutputError
        If blocks are there and neither `resume` nor `force` is said.
    InterruptionError
        For an interruption, if blocks are left. Any error then gets a note that says so.
    """
    folder, before = target.parent / f".{target.name}.blocks", _written(target)
    there = _done(folder, n)
    if resume and not there:
        print(f"{folder}: no blocks are there; starting from the beginning", file=sys.stderr)
    if there and not resume and not force:
        raise OutputError(
            f"{folder}: must not hold blocks of an interrupted run; {there}. Give --resume to continue it, "
            "or --force to start anew."
        )
    if not resume or not there:
        shutil.rmtree(folder, ignore_errors=True)
    try:
        yield folder
    except _AnotherRunError:
        raise
    except BaseException as error:
        kept = f"{_done(folder, n)}; the same command with --resume continues"
        if not _done(folder, n) or _written(target) != before:
            shutil.rmtree(folder, ignore_errors=True)
        elif isinstance(error, KeyboardInterrupt):
            raise InterruptionError(f"interrupted: {kept}") from error
        else:
            error.add_note(kept)
        raise
    shutil.rmtree(folder, ignore_errors=True)


def _written(target: Path) -> int:
    """When the results in a folder were written; 0 if there are none."""
    path = target / MANIFEST
    return path.stat().st_mtime_ns if path.exists() else 0


def _done(folder: Path, n: int) -> str:
    """How far a command has come, in words; empty if no block is there."""
    begun = sorted((path.parent for path in folder.glob(f"*/{PLAN}")), key=lambda path: int(path.name))
    if not any(journal(each) for each in begun):
        return ""
    done, total = len(journal(begun[-1])), _read(begun[-1] / PLAN)["blocks"]
    which = f" of scenario {len(begun)} of {n}" if n > 1 else ""
    return f"{done} of {total} blocks{which} are done"


def agreed(folder: Path, same: dict[str, str], rows: int, blocks: int, resume: bool) -> int:
    """Write down what an ensemble is, or see that what is there is the same.

    Parameters
    ----------
    folder : Path
        Of one ensemble; made if need be.
    same : dict of str
        What its numbers depend on (`identity`).
    rows, blocks : int
        Rows of a block, and the number of blocks.
    resume : bool

    Returns
    -------
    int
        Rows of a block: those of the ensemble that is continued.

    Raises
    ------
    OutputError
        If another ensemble is there, naming what differs; or any, without `resume`.
    """
    path = folder / PLAN
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(path, json.dumps({"rows": rows, "blocks": blocks, "same": same}, indent=2).encode())
        return rows
    plan = _read(path)
    differs = changed(plan["same"], same)
    if differs or not resume:
        what = f"; it differs: {differs}" if differs else "; nothing said to continue it"
        raise _AnotherRunError(
            f"{folder}: the run whose blocks are there must be the same to be continued{what}. Give the "
            "former command again with --resume, or --force without --resume to start anew."
        )
    return int(plan["rows"])


def changed(then: Mapping[str, str], now: Mapping[str, str]) -> str:
    """What two descriptions of what numbers depend on have different, in words; empty if nothing."""
    names = [name for name in {**then, **now} if then.get(name) != now.get(name)]
    return ", ".join(f"{name} {then.get(name)} then, {now.get(name)} now" for name in names)


def _read(path: Path) -> dict[str, Any]:
    """Read a plan.

    Raises
    ------
    OutputError
        If it is damaged.
    """
    try:
        plan = json.loads(path.read_text(encoding="utf-8"))
        return {"rows": int(plan["rows"]), "blocks": int(plan["blocks"]), "same": dict(plan["same"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OutputError(
            f"{path}: cannot be read ({error!r}). Delete the folder of blocks to start anew."
        ) from error


def identity(scenario: Scenario, table: Draws, tags: bool) -> dict[str, str]:
    """What the numbers of an ensemble depend on, in short texts, by names that people understand."""
    place = environment()
    text = hashlib.sha256("\0".join(table.names).encode() + table.u.tobytes())
    for name, arrays in (
        *table.steps.items(),
        *((name, (known,)) for name, known in table.positions.items()),
    ):
        text.update(name.encode() + b"".join(array.tobytes() for array in arrays))
    return {
        "scenario": scenario_digest(to_dict(scenario) | {"step": ""})[:12],
        "step": scenario.step,
        "draws": str(table.n - 1),
        "engine": f"{table.engine.name}, {table.engine.replicates} replicates",
        "seed": str(table.seed),
        "table of draws": text.hexdigest()[:12],
        "tags": str(tags),
        "pharmsim": f"{__version__} ({sources()})",
        "processor": place["processor"],
        "Python": place["python"],
        **{name: str(version) for name, version in place["packages"].items()},
    }
