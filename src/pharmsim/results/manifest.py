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
        if not Path(path).is_file():
            return ""
        with Path(path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except (OSError, ValueError):
        return ""


def folder_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file below a results folder but the manifest, by path with ``/``."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    names = ((path.relative_to(folder).as_posix(), path) for path in found)
    return {name: file_digest(path) for name, path in names if name != MANIFEST}


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


def made(command: Iterable[str] | None = None) -> dict[str, Any]:
    """What every manifest says: version, time, and the words of the command (by default of this process)."""
    words = list(command) if command is not None else [Path(sys.argv[0]).name, *sys.argv[1:]]
    written = datetime.now(UTC).isoformat(timespec="seconds")
    return {"pharmsim": __version__, "written": written, "command": words}


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
    draws = int(meta.get("n_draws") or 0)
    keys = (
        "seed", "n_draws", "drawn", "engine", "replicates", "keep", "step", "wall_time_s", "compile_time_s",
        "warnings", "uncertainties",
    )  # fmt: skip
    return {
        **made(command),
        "git": git_state(),
        "scenario": {"name": description.get("name", ""), "sha256": scenario_digest(description)},
        "files": [{"path": str(path), "sha256": digest} for path, digest in meta.get("files", [])],
        **{key: meta.get(key) for key in keys},
        "power_of_two": draws > 0 and draws & (draws - 1) == 0,  # such draws cover ranges most evenly
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
    _check(found, path)
    return found


SHAPES: dict[str, type] = {
    "environment": dict,
    "scenario": dict,
    "results": dict,
    "outputs": dict,
    "files": list,
    "scenarios": list,
}
"""What the parts of a manifest must be, where they are given."""
NAMES: dict[type, str] = {dict: "a mapping", list: "a list"}


def _check(found: dict[str, Any], path: Path) -> None:
    """Refuse a manifest whose parts are not what pharmsim writes.

    Raises
    ------
    OutputError
        Naming the part.
    """

    def refuse(key: str, rule: str) -> None:
        shown = str(found[key])[:40]
        raise OutputError(f"{path}: {key} must be {rule}; got {shown!r}. Run the scenario again.")

    for key in ("n_draws", "seed"):
        value = found.get(key)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
            refuse(key, "a whole number, 0 or more")
    for key, shape in SHAPES.items():
        if found.get(key) is not None and not isinstance(found[key], shape):
            refuse(key, NAMES[shape])
    for key in ("results", "outputs"):
        if not all(isinstance(value, str) for value in (found.get(key) or {}).values()):
            refuse(key, "a mapping of names to digests")
    packages = (found.get("environment") or {}).get("packages")
    if packages is not None and not isinstance(packages, dict):
        refuse("environment", "a mapping with a mapping `packages`")
    check_files(found.get("files") or [], path)


def check_files(files: list[Any], path: Path) -> None:
    """Refuse a list of files that does not name each with its digest.

    Raises
    ------
    OutputError
    """
    for entry in files:
        texts = isinstance(entry, dict) and all(isinstance(entry.get(key), str) for key in ("path", "sha256"))
        if not texts:
            raise OutputError(
                f"{path}: files must be a list of mappings with `path` and `sha256`; "
                f"got {str(entry)[:40]!r}. Run the scenario again."
            )
