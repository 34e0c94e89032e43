"""Steps of a sampler kept beside the results folder, so that an interrupted calibration goes on."""

from __future__ import annotations

import io
import json
import shutil
import sys
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pharmsim.compiled.arrays import Floats, Ints
from pharmsim.errors import InterruptionError, OutputError
from pharmsim.results.folder import write_whole
from pharmsim.study.resuming import PLAN, changed


@dataclass(frozen=True)
class Kept:
    """All steps of one ensemble, and the state of its random numbers.

    Attributes
    ----------
    start, start_heights : float64 array, shape (walkers, parameters), (walkers,)
    z : float64 array, shape (steps, walkers, parameters)
    heights : float64 array, shape (steps, walkers)
        Log density.
    accepted : int64 array, shape (steps,)
        Walkers that moved.
    random : tuple
        State of a `numpy.random.RandomState`.
    """

    start: Floats
    start_heights: Floats
    z: Floats
    heights: Floats
    accepted: Ints
    random: Any

    @classmethod
    def begin(cls, z: Floats, heights: Floats, random: Any) -> Kept:
        """Before the first step."""
        none = np.empty((0, *z.shape))
        return cls(z, heights, none, none[..., 0], np.empty(0, dtype=np.int64), random)

    @property
    def last(self) -> Floats:
        """Where the walkers stand."""
        return self.z[-1] if len(self.z) else self.start

    @property
    def last_heights(self) -> Floats:
        """Log density there."""
        return self.heights[-1] if len(self.z) else self.start_heights

    def longer(self, z: Floats, heights: Floats, accepted: Ints, random: Any) -> Kept:
        """With further steps behind."""
        return Kept(
            self.start, self.start_heights, np.concatenate([self.z, z]),
            np.concatenate([self.heights, heights]), np.concatenate([self.accepted, accepted]), random,
        )  # fmt: skip

    def write(self, file: Path) -> None:
        """Write to a file, which is whole at any time."""
        _, keys, position, has_gauss, gauss = self.random
        arrays = {key: getattr(self, key) for key in ("start", "start_heights", "z", "heights", "accepted")}
        data = io.BytesIO()
        np.savez(data, **arrays, keys=keys, rest=np.array([position, has_gauss]), gauss=np.array([gauss]))
        write_whole(file, data.getvalue())

    @classmethod
    def read(cls, file: Path) -> Kept:
        """Read what was written.

        Raises
        ------
        OutputError
            If it is damaged.
        """
        try:
            with file.open("rb") as opened, np.load(opened) as data:
                found = {key: data[key] for key in data.files}
            keys, rest, gauss = (found.pop(key) for key in ("keys", "rest", "gauss"))
            return cls(**found, random=("MT19937", keys, int(rest[0]), int(rest[1]), float(gauss[0])))
        except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise OutputError(
                f"{file} — must hold the steps of a sampler — it is damaged — start anew with --force, "
                "without --resume"
            ) from error


@dataclass
class Place:
    """Folder in which a calibration keeps its steps until the results are written.

    Attributes
    ----------
    folder : Path
    unfinished : bool
        Whether the steps stay behind the results too, so that more can follow.
    """

    folder: Path
    unfinished: bool = False

    def agree(self, same: dict[str, str]) -> None:
        """Write down what the steps depend on, or see that those that are there are the same.

        Raises
        ------
        OutputError
            If they are not, naming what differs.
        """
        plan = self.folder / PLAN
        if not plan.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(plan, json.dumps(same, indent=2).encode())
            return
        try:
            before = dict(json.loads(plan.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise OutputError(
                f"{plan} — must say what the steps beside it depend on — it is damaged — start anew with "
                "--force, without --resume"
            ) from error
        if differs := changed(before, same):
            raise OutputError(
                f"{self.folder} — must hold the steps of the same calibration to be continued — it differs: "
                f"{differs} — give the former command again with --resume, or --force without "
                "--resume to start anew"
            )


@contextmanager
def steps_beside(target: Path, resume: bool, force: bool) -> Iterator[Place]:
    """Hand out a place for steps, ``.<name>.steps`` beside a results folder; it goes when all is finished.

    Parameters
    ----------
    target : Path
        Results folder.
    resume : bool
        Whether to go on with steps that are there.
    force : bool
        Whether to delete them otherwise.

    Raises
    ------
    OutputError
        If steps are there and neither is said.
    InterruptionError
        For an interruption, if steps are left.
    """
    folder = target.parent / f".{target.name}.steps"
    there = any(folder.glob("*.npz"))
    if resume and not there:
        print(f"{folder}: no steps are there; starting from the beginning", file=sys.stderr)
    if there and not resume and not force:
        raise OutputError(
            f"{folder} — must not hold steps of an interrupted calibration — it does — give --resume to "
            "continue it, or --force to start anew"
        )
    if not (resume and there):
        shutil.rmtree(folder, ignore_errors=True)
    place = Place(folder)
    try:
        yield place
    except KeyboardInterrupt as error:
        if not any(folder.glob("*.npz")):
            shutil.rmtree(folder, ignore_errors=True)
            raise
        raise InterruptionError("interrupted; the same command with --resume continues") from error
    if not place.unfinished:
        shutil.rmtree(folder, ignore_errors=True)
