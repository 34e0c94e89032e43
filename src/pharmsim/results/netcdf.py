"""Results as netCDF: every quantity in full, with its unit."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from pharmsim.errors import OutputError

NAME = "results.nc"
COMPRESSION = {"zlib": True, "complevel": 1, "shuffle": True}
SMALL = 4096
"""Arrays with fewer cells than this are not worth compressing."""


def write(data: xr.Dataset, path: Path) -> None:
    """Write all quantities as float64, compressed without loss."""
    encoding: dict[Any, Any] = {
        name: dict(COMPRESSION) for name in data.data_vars if data[name].size >= SMALL
    }
    data.to_netcdf(path, engine="h5netcdf", encoding=encoding)


def read(path: Path) -> xr.Dataset:
    """Read the quantities back into memory.

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
        with xr.open_dataset(path, engine="h5netcdf") as data:
            return data.load()
    except (OSError, ValueError) as error:
        raise OutputError(f"{path}: cannot be read as netCDF ({error}). Run the scenario again.") from error


def digest(data: xr.Dataset) -> dict[str, str]:
    """SHA-256 of every quantity's shape and bytes (float64, little-endian), by name.

    Returns
    -------
    dict of str
    """
    found = {}
    for name in data.data_vars:
        values = np.ascontiguousarray(data[name].values, dtype="<f8")
        text = hashlib.sha256(str((data[name].dims, values.shape)).encode())
        text.update(values.data)
        found[str(name)] = text.hexdigest()
    return found
