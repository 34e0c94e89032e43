"""Compile `c_kernel.c` on the spot and call it: the yardstick for what this machine allows."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from core import COMPARED, Core, empty_record, largest_hazard

from pharmsim.compiled.arrays import Floats

SOURCE = Path(__file__).with_name("c_kernel.c")
DEGREE = 8
"""Of the polynomial for φ(x) = (1 − e^(−x))/x on the range of x that the core has."""
WORST_PHI = 1e-14
FLAGS = ("-O3", "-march=native")
INTEGERS = ("months", "rows", "window_first", "window_end", "index_55")
ARRAYS = (
    "people", "hazard", "row", "scale", "fte_per_head", "origin", "to", "rate", "hires", "hire_ages",
    "hire_contracts",
)  # fmt: skip
OUTPUTS = (
    "headcount", "headcount_55plus", "headcount_by_age", "fte", "first_year", "joiners", "leavers",
    "retirements", "moves", "switches",
)  # fmt: skip
assert set(OUTPUTS) == set(COMPARED)


class Arguments(ctypes.Structure):
    """The structure `core` of the C source."""

    _fields_ = [(name, ctypes.c_int64) for name in INTEGERS] + [
        (name, ctypes.c_void_p) for name in (*ARRAYS, *OUTPUTS)
    ]


def compiler() -> str | None:
    """The C compiler of this machine: `$CC`, cc or gcc."""
    found = (shutil.which(name) for name in (os.environ.get("CC", ""), "gcc", "cc") if name)
    return next((name for name in found if name), None)


def phi_polynomial(largest: float) -> list[float]:
    """Coefficients of φ on [0, largest], the constant first."""
    x = largest * (1.0 - np.cos(np.pi * (np.arange(400) + 0.5) / 400)) / 2.0
    fit = np.polynomial.Chebyshev.fit(x, -np.expm1(-x) / x, DEGREE, domain=[0.0, largest])
    coefficients = fit.convert(kind=np.polynomial.Polynomial).coef
    error = np.abs(np.polynomial.polynomial.polyval(x, coefficients) / (-np.expm1(-x) / x) - 1.0).max()
    if error > WORST_PHI:
        raise ValueError(f"φ by a polynomial of degree {DEGREE} is off by {error:.1e} on 0 … {largest:.3f}")
    return [float(c) for c in coefficients]


def padded(array: Floats) -> Floats:
    """Zeros behind the ages, up to a multiple of eight."""
    extra = -array.shape[-1] % 8
    return np.pad(array, [(0, 0)] * (array.ndim - 1) + [(0, extra)])


def do(words: list[str]) -> None:
    """Run a command; its error text is the error."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}\n{done.stderr}")


def c_kernel(core: Core, flags: tuple[str, ...] = ()) -> Callable[[int], dict[str, Floats]]:
    """Compile the kernel for this core.

    Parameters
    ----------
    core : Core
    flags : tuple of str
        Further flags of the compiler.

    Returns
    -------
    function of the number of threads
        Runs every draw and returns the record by name, as `core.empty_record`.

    Raises
    ------
    RuntimeError
        If there is no compiler, or it refuses.
    """
    command = compiler()
    if command is None:
        raise RuntimeError("no C compiler was found: install gcc, or name one in $CC")
    phi = ",".join(x.hex() for x in phi_polynomial(largest_hazard(core)))
    sizes = {"POSTS": core.people.shape[1], "AGES": core.people.shape[4]}
    sizes |= {"EDGES": core.origin.size, "SOURCES": core.hires.shape[1], "PHI": phi, "PHI_DEGREE": DEGREE}
    defines = [f"-D{name}={value}" for name, value in sizes.items()]
    with tempfile.TemporaryDirectory() as folder:
        library, parts = str(Path(folder) / "core.so"), str(Path(folder) / "core.o")
        work = ["-std=gnu11", *FLAGS, *flags, "-fopenmp-simd", "-fPIC", "-Wall", "-Werror", *defines]
        do([command, *work, "-c", str(SOURCE), "-o", parts])
        # linked without the flags: -ffast-math would switch off denormal numbers in the whole process
        do([command, "-shared", parts, "-o", library])
        run_core = ctypes.CDLL(library).run_core
    run_core.argtypes, run_core.restype = [ctypes.POINTER(Arguments), ctypes.c_int64, ctypes.c_int64], None
    given = {name: np.ascontiguousarray(getattr(core, name)) for name in ARRAYS}
    given |= {"hazard": padded(core.hazard), "hire_ages": padded(core.hire_ages)}
    given["row"] = np.ascontiguousarray(core.row[..., 0])
    numbers = {"months": core.months, "rows": core.hazard.shape[2], "index_55": core.index_55}
    numbers |= {"window_first": core.window[0], "window_end": core.window[1]}

    def run(threads: int = 1) -> dict[str, Floats]:
        record = empty_record(core)
        arrays = {name: array.ctypes.data for name, array in (given | record).items()}
        arguments = Arguments(**numbers, **arrays)
        ends = np.linspace(0, len(core.people), threads + 1).astype(int).tolist()
        with ThreadPoolExecutor(threads) as pool:  # ctypes lets go of the interpreter's lock
            list(pool.map(lambda i: run_core(ctypes.byref(arguments), ends[i], ends[i + 1]), range(threads)))
        return record

    return run
