"""Arrays of an ensemble while its blocks come in: in memory, or in files from which they are read."""

from __future__ import annotations

import re
import shutil
import tempfile
import weakref
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from xarray.backends import BackendArray
from xarray.core import indexing

Shapes = Mapping[str, tuple[int, ...]]
Record = Mapping[str, np.ndarray]


class Memory:
    """Arrays of all draws in memory.

    Parameters
    ----------
    shapes : dict of tuple of int
        Of one draw, by output.
    n : int
        Draws.
    """

    def __init__(self, shapes: Shapes, n: int) -> None:
        self.done: set[tuple[int, int]] = set()
        self._arrays = {name: np.empty((n, *shape)) for name, shape in shapes.items()}

    def put(self, block: tuple[int, int], record: Record) -> None:
        """Put the outputs of a block of draws at their place; from several threads at once if need be."""
        for name, array in record.items():
            self._arrays[name][slice(*block)] = array
        self.done.add(block)

    def arrays(self) -> dict[str, Any]:
        """All outputs by name, axis draw in front."""
        return self._arrays


class Files:
    """Arrays of all draws in files, one an output: raw float64, draw by draw.

    What is written is not read again until all is there. A journal names the blocks that are complete,
    each with a checksum; a block that is not in it, or does not agree with it, is to be run again.

    Parameters
    ----------
    folder : Path
        Exists. With a journal in it, what is there is continued.
    shapes, n
        As of `Memory`.
    """

    def __init__(self, folder: Path, shapes: Shapes, n: int) -> None:
        self.folder, self._shapes, self._n = folder, dict(shapes), n
        for name in shapes:
            self._path(name).open("ab").close()  # there, and otherwise as it was
        self.done = {block for block, check in journal(folder).items() if self._sum(block) == check}
        lines = [_line(block, self._sum(block)) for block in sorted(self.done)]
        (folder / JOURNAL).write_text("".join(lines), encoding="ascii")  # a line that was cut off goes

    @classmethod
    def temporary(cls, shapes: Shapes, n: int) -> Files:
        """Files that are deleted with the last reference to them."""
        folder = Path(tempfile.mkdtemp(prefix="pharmsim-"))
        made = cls(folder, shapes, n)
        weakref.finalize(made, shutil.rmtree, folder, ignore_errors=True)
        return made

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.f64"

    def put(self, block: tuple[int, int], record: Record) -> None:
        """Write the outputs of a block of draws at their place, then its line in the journal.

        Several threads may write different blocks at once.
        """
        if block in self.done:
            return
        check = 0
        for name, shape in self._shapes.items():
            data = np.ascontiguousarray(record[name], dtype=float).reshape(-1).view(np.uint8).data
            check = zlib.crc32(data, check)
            with self._path(name).open("r+b") as file:
                file.seek(block[0] * _bytes(shape))
                file.write(data)
        with (self.folder / JOURNAL).open("a", encoding="ascii") as file:
            file.write(_line(block, check))
        self.done.add(block)

    def _sum(self, block: tuple[int, int]) -> int:
        """Checksum of a block as it stands in the files."""
        check = 0
        for name, shape in self._shapes.items():
            with self._path(name).open("rb") as file:
                file.seek(block[0] * _bytes(shape))
                check = zlib.crc32(file.read((block[1] - block[0]) * _bytes(shape)), check)
        return check

    def arrays(self) -> dict[str, Any]:
        """All outputs that have any cell, axis draw in front: read when they are used, and not kept."""
        return {
            name: indexing.LazilyIndexedArray(Stored(self, self._path(name), (self._n, *shape)))
            for name, shape in self._shapes.items()
            if 0 not in shape
        }


JOURNAL = "journal"


def journal(folder: Path) -> dict[tuple[int, int], int]:
    """Blocks that are complete, with their checksums; a last line that was cut off does not count."""
    path = folder / JOURNAL
    text = path.read_text(encoding="ascii", errors="replace") if path.exists() else ""
    return {(int(a), int(b)): int(check) for a, b, check in re.findall(r"^(\d+) (\d+) (\d+)\n", text, re.M)}


def _line(block: tuple[int, int], check: int) -> str:
    return f"{block[0]} {block[1]} {check}\n"


def _bytes(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=int)) * 8


class Stored(BackendArray):
    """One output of all draws in a file, for xarray: each use reads the part that is asked for."""

    def __init__(self, store: Files, path: Path, shape: tuple[int, ...]) -> None:
        self._store = store  # its files last as long as this
        self.path, self.shape, self.dtype = path, shape, np.dtype(float)

    def __deepcopy__(self, memo: object) -> Stored:
        """Return itself: nobody writes to it, and its files are not copied."""
        return self

    def __getitem__(self, key: indexing.ExplicitIndexer) -> np.ndarray:
        found: np.ndarray = indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.OUTER, self._read
        )
        return found

    def _read(self, key: tuple[Any, ...]) -> np.ndarray:
        """Read what integers, slices and arrays, each along its own axis, select."""
        rows = np.arange(self.shape[0])[key[0]]
        first, last = int(rows.min(initial=self.shape[0])), int(rows.max(initial=-1)) + 1
        n, cells = max(last - first, 0), int(np.prod(self.shape[1:]))
        data = np.fromfile(self.path, self.dtype, n * cells, offset=first * cells * 8)
        found = data.reshape(n, *self.shape[1:])
        plain = isinstance(key[0], slice) and key[0].step in (None, 1)
        wanted = (slice(None) if plain else rows - first, *key[1:])
        for axis, part in reversed(list(enumerate(wanted))):  # the last first: an integer takes its axis away
            if not (isinstance(part, slice) and part == slice(None)):
                found = found[(slice(None),) * axis + (part,)]
        return found if found.size == data.size else found.copy()
