"""numba, with its cache in a folder of its own for each version of the engine's sources."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pharmsim.engine import source_digest


def cache_folder() -> Path:
    """Folder of compiled kernels: `$PHARMSIM_CACHE`, else the user's cache folder."""
    base = os.environ.get("PHARMSIM_CACHE") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "pharmsim" / source_digest()


def is_cold() -> bool:
    """Whether the kernels must be compiled first, which takes about a minute, once."""
    return not any(cache_folder().rglob("cohort.run-*.nbc"))


def forget_old(keep: int = 3) -> None:
    """Delete compiled kernels of former versions, all but the newest `keep` folders."""
    folders = sorted(cache_folder().parent.glob("*"), key=lambda path: path.stat().st_mtime)
    for path in folders[:-keep]:
        shutil.rmtree(path, ignore_errors=True)


os.environ["NUMBA_CACHE_DIR"] = str(cache_folder())
import numba  # noqa: E402 - the cache folder must be named first
from numba.extending import intrinsic  # noqa: E402
from numba.np import arrayobj  # noqa: E402

numba.config.CACHE_DIR = str(cache_folder())  # type: ignore[attr-defined]


PLAIN: Any = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}
"""Kept on disk; without the interpreter's lock; no zero-division checks; nothing allocated or counted."""
DOOR: Any = PLAIN | {"no_cfunc_wrapper": True}
"""Called by Python."""
INSIDE: Any = DOOR | {"no_cpython_wrapper": True}
"""Called by other kernels only: without a door for Python, which took a third of the translation."""


def entry(function: Callable[..., Any]) -> Any:
    """Compile a kernel that Python calls."""
    return numba.njit(**DOOR, fastmath={"contract"})(function)


def kernel(function: Callable[..., Any]) -> Any:
    """Compile for plain loops: no zero-division checks, multiply-add allowed, results kept on disk."""
    return numba.njit(**INSIDE, fastmath={"contract"})(function)


def part(function: Callable[..., Any]) -> Any:
    """Compile a kernel into its only caller: handing all structures of arrays over takes time every month."""
    return numba.njit(**INSIDE, fastmath={"contract"}, forceinline=True)(function)


def small(function: Callable[..., Any]) -> Any:
    """Compile a short loop into whatever calls it: handing arrays over takes longer than such a loop."""
    return numba.njit(**INSIDE, fastmath={"contract"}, forceinline=True)(function)


def reduction(function: Callable[..., Any]) -> Any:
    """Compile a sum, as `small`: may be reordered into vector lanes, always in the same way."""
    return numba.njit(**INSIDE, fastmath={"contract", "reassoc", "nsz"}, forceinline=True)(function)


@intrinsic
def _flat(_: Any, array: Any) -> Any:
    """View a contiguous array as one vector.

    In kernels `array.reshape(array.size)` does the same, by a call that takes as long as a hundred additions.
    """
    vector = array.copy(ndim=1)

    def view(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        old = arrayobj.make_array(array)(context, builder, values[0])
        new = arrayobj.make_array(vector)(context, builder)
        arrayobj.populate_array(
            new,
            data=old.data,
            shape=[old.nitems],
            strides=[old.itemsize],
            itemsize=old.itemsize,
            meminfo=old.meminfo,
            parent=old.parent,
        )
        return arrayobj.impl_ret_borrowed(context, builder, vector, new._getvalue())

    return vector(array), view


def _reshaped(array: Any) -> Any:
    return array.reshape(array.size)


flat: Any = _reshaped if numba.config.DISABLE_JIT else _flat  # type: ignore[attr-defined]
"""One vector of a contiguous array, also where nothing is compiled."""
