"""Engines: arrays in, arrays out. Importing this package imports no numba."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path


@cache
def source_digest() -> str:
    """Digest of all engine sources and of the versions that compiled code depends on.

    numba's own cache does not notice a change in a callee of another file, so the folder that
    holds compiled kernels is named by this digest.

    Returns
    -------
    str
        First 16 hexadecimal digits of a SHA-256.
    """
    text = hashlib.sha256()
    here = Path(__file__).parent
    for path in [*sorted(here.glob("*.py")), here.parent / "compiled" / "arrays.py"]:
        text.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    for package in ("numba", "llvmlite", "numpy"):
        text.update(f"{package} {version(package)}\n".encode())
    return text.hexdigest()[:16]
