"""The manifest: all that is needed to make a run again and to see whether it is the same."""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pharmsim import __version__
from pharmsim.engine import source_digest
from pharmsim.errors import OutputError
from pharmsim.results.folder import MANIFEST

PACKAGES = (
    "numpy",
    "scipy",
    "numba",
    "llvmlite",
    "pandas",
    "xarray",
    "h5netcdf",
    "h5py",
    "pyarrow",
    "pydantic",
)


def file_digest(path: str | Path) -> str:
    """SHA-256 of a file's bytes; empty if it cannot be read."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return ""


def scenario_digest(description: Mapping[str, Any]) -> str:
    """SHA-256 of a canonical description, whatever the order of its keys."""
    text = json.dumps(description, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def git_state() -> dict[str, Any]:
    """Commit and whether files were changed, if pharmsim runs from a git checkout; else None."""
    here = Path(__file__).resolve()
    root = next((parent for parent in here.parents if (parent / ".git").exists()), None)
    if root is None or not here.is_relative_to(root / "src"):
        return {"commit": None, "dirty": None}
    commit = _git(root, "rev-parse", "HEAD")
    changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    return {"commit": commit, "dirty": None if changed is None else bool(changed)}


def _git(root: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "--no-optional-locks", "-C", str(root), *words],
            capture_output=True, text=True, timeout=5, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def processor() -> str:
    """Name of the processor, as the system gives it."""
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def environment() -> dict[str, Any]:
    """What the bits of a result may depend on: processor, system, Python and package versions."""
    packages: dict[str, str | None] = {}
    for name in PACKAGES:
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            packages[name] = None
    return {
        "processor": processor(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "engine_sources": source_digest(),
        "packages": packages,
    }


def manifest(
    description: Mapping[str, Any],
    meta: Mapping[str, Any],
    digests: Mapping[str, str],
    command: Iterable[str] | None = None,
) -> dict[str, Any]:
    """Everything about a run but its numbers.

    Parameters
    ----------
    description : dict
        The canonical scenario (`pharmsim.scenario.to_dict`).
    meta : dict
        `Results.meta`.
    digests : dict
        Digests of the results, by quantity (`netcdf.digest`).
    command : iterable of str, optional
        Words of the command; by default those of this process.

    Returns
    -------
    dict
        As written to manifest.json.
    """
    words = list(command) if command is not None else [Path(sys.argv[0]).name, *sys.argv[1:]]
    keys = ("seed", "n_draws", "step", "engine", "wall_time_s", "compile_time_s", "warnings", "uncertainties")
    return {
        "pharmsim": __version__,
        "git": git_state(),
        "written": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": words,
        "scenario": {"name": description.get("name", ""), "sha256": scenario_digest(description)},
        "files": [{"path": str(path), "sha256": digest} for path, digest in meta.get("files", [])],
        **{key: meta.get(key) for key in keys},
        "environment": environment(),
        "results": dict(digests),
    }


def read(folder: Path) -> dict[str, Any]:
    """Read the manifest of a results folder.

    Raises
    ------
    OutputError
        If there is none, or it is damaged.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise OutputError(
            f"{folder}: must be a results folder; it has no {MANIFEST}. Give the folder of a run."
        )
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OutputError(f"{path}: cannot be read ({error}). Run the scenario again.") from error
    if not isinstance(found, dict):
        raise OutputError(f"{path}: must hold a mapping; got {type(found).__name__}. Run the scenario again.")
    return found
