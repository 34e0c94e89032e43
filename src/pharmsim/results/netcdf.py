"""Results as netCDF: every quantity with its unit, written and read a batch of draws at a time."""

from __future__ import annotations

import errno
import hashlib
import io
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5netcdf
import h5py
import numpy as np
import xarray as xr

from pharmsim.errors import OutputError
from pharmsim.results import batches

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

NAME = "results.nc"
"""Month by month: the central run, or every draw."""
DRAWS = "draws.nc"
"""Every draw by year, where `NAME` holds the central run alone."""
BATCH = 64e6
"""Bytes that are written or read at once."""
CHUNK = 2**18
"""Bytes of a chunk, about; it holds whole draws."""
COMPRESSION = {"zlib": True, "complevel": 1, "shuffle": True}
SMALL = 4096
"""Arrays with fewer cells than this are not worth compressing."""


def write(
    data: xr.Dataset, path: Path, reduce: Callable[[xr.Dataset], xr.Dataset] = lambda batch: batch
) -> None:
    """Write quantities as float64, without loss; those that become less than half as large are compressed.

    Parameters
    ----------
    data : Dataset
        Leading axis `draw`.
    path : Path
    reduce : callable, optional
        What is written of a batch of draws; by default all.

    Raises
    ------
    OSError
        If the disk has too little room.
    """
    n, every = data.sizes["draw"], batches.batches(data, BATCH)
    part = reduce(next(every))
    _check_room(path, part.nbytes * n // part.sizes["draw"])
    encoding: dict[Any, Any] = {name: _encoding(part[name], n) for name in part.data_vars}
    first = part.sizes["draw"]
    with Disk(path) as disk:
        part.to_netcdf(
            disk, engine="h5netcdf", encoding=encoding, unlimited_dims=["draw"] if first < n else []
        )
        disk.check()
        if first == n:
            return
        with h5netcdf.File(disk, "r+") as file:
            file.resize_dimension("draw", n)
        with h5py.File(
            disk, "r+", rdcc_nbytes=CHUNK
        ) as file:  # its caches, one a quantity, are large otherwise
            places = {name: file[name] for name in ("draw", *encoding)}
            for batch in every:
                part = reduce(batch)
                last = first + part.sizes["draw"]
                for name, place in places.items():
                    place[first:last] = part[name].values
                first = last
                disk.check()


class Disk(io.FileIO):
    """A file that takes everything and says at the end what was wrong: HDF5 crashes when a write fails.

    Parameters
    ----------
    path : Path
        Made anew.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path, "w+")
        self._error: OSError | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        """Write all that there is room for."""
        view, done = memoryview(data).cast("B"), 0
        try:
            while self._error is None and done < len(view):
                done += super().write(view[done:])
        except OSError as error:
            self._error = error
        return len(view)

    def __exit__(self, *error: object) -> None:
        """Close the file; what was wrong with it comes before what came of that."""
        self.close()
        self.check()

    def check(self) -> None:
        """Raise the error of the first write that had one.

        Raises
        ------
        OSError
        """
        if self._error is not None:
            raise self._error


def _check_room(path: Path, size: int) -> None:
    """Refuse what the disk has no room for, before the library of the file meets a full disk: it crashes."""
    free = shutil.disk_usage(path.parent).free
    if size > free:
        text = f"{path.name} may need {size / 1e6:,.1f} MB, {free / 1e6:,.1f} MB are free"
        raise OSError(errno.ENOSPC, text, str(path))


def _encoding(array: xr.DataArray, n: int) -> dict[str, Any]:
    """Chunks of whole draws, and whether to compress."""
    row = np.ascontiguousarray(array[0].values)
    if row.nbytes * n < 8 * SMALL:
        return {}
    chunks = -(-n * row.nbytes // CHUNK)
    rows = -(-n // min(chunks, n))  # of about the same size
    halved = len(zlib.compress(row.tobytes(), 1)) < row.nbytes / 2
    return {"chunksizes": (rows, *row.shape), **(COMPRESSION if halved else {})}


def read(path: Path) -> xr.Dataset:
    """Read the quantities back: into memory, or (large ones) so that each use reads what it asks for.

    Raises
    ------
    OutputError
        If the file is missing or is not netCDF.
    """
    if not path.is_file():
        raise OutputError(
            f"{path}: must be the results of a run; there is no such file. Run the scenario again."
        )
    try:
        data = xr.open_dataset(path, engine="h5netcdf", cache=False)
        if data.nbytes > batches.LARGEST:
            return data
        with data:
            return data.load()
    except (OSError, ValueError) as error:
        raise OutputError(f"{path}: cannot be read as netCDF ({error}). Run the scenario again.") from error


def digest(data: xr.Dataset) -> dict[str, str]:
    """SHA-256 of every quantity, by name: of the digests of its draws (float64, little-endian).

    Returns
    -------
    dict of str
        They do not depend on how the draws are divided into batches.
    """
    found = {str(name): hashlib.sha256() for name in data.data_vars}
    for name, text in found.items():
        text.update(str((data[name].dims, data[name].shape)).encode())
    for batch in batches.batches(data, BATCH):
        for name, text in found.items():
            for row in np.ascontiguousarray(batch[name].values, dtype="<f8"):
                text.update(hashlib.sha256(row.data).digest())
    return {name: text.hexdigest() for name, text in found.items()}
