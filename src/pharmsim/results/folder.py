"""Results folders that are whole or not there: written beside their place and moved when complete."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pharmsim.errors import OutputError

MANIFEST = "manifest.json"


def check_target(folder: Path, force: bool) -> None:
    """Refuse a target that must not be written, before any work is done.

    Raises
    ------
    OutputError
        If something stands there already (and `force` is off), or what stands there is not a results
        folder and would be lost.
    """
    if not folder.exists() and not folder.is_symlink():
        return
    if not folder.is_dir() or folder.is_symlink():
        raise OutputError(
            f"{folder}: must be a folder or not exist; it is a file or a link. Give another --out."
        )
    entries = list(folder.iterdir())
    if not entries:
        return
    if not force:
        raise OutputError(
            f"{folder}: must not exist yet; a folder of that name is there. Give another --out, or --force "
            "to replace it."
        )
    if not (folder / MANIFEST).is_file():
        raise OutputError(
            f"{folder}: must be a results folder to be replaced; it has no {MANIFEST}, so that --force would "
            "delete files that pharmsim did not write. Give another --out."
        )


def write_whole(path: Path, content: bytes) -> None:
    """Write a file that at any time is whole, or as it was before."""
    new = path.with_name(f".{path.name}.new")
    new.write_bytes(content)
    new.replace(path)


def check_room(folder: Path, size: int) -> None:
    """Refuse to begin what a disk has no room for.

    Parameters
    ----------
    folder : Path
        Where it shall stand; need not exist.
    size : int
        Bytes that are needed besides those that are in the folder.

    Raises
    ------
    OutputError
    """
    there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.is_dir())
    free = shutil.disk_usage(there).free + sum(path.stat().st_size for path in folder.glob("*"))
    if size > free:
        raise OutputError(
            f"{folder}: must have {size / 1e9:,.2f} GB for the draws until the results are written; "
            f"{free / 1e9:,.2f} GB are free. Run fewer draws, or write to a place with more room."
        )


@contextmanager
def complete_or_nothing(folder: str | Path, force: bool = False) -> Iterator[Path]:
    """Hand out a hidden sibling folder to write to; move it into place if all went well.

    Parameters
    ----------
    folder : path
        Where the results shall stand.
    force : bool
        Replace a results folder that stands there, once the new one is complete.

    Yields
    ------
    Path
        ``.<name>.partial-<process id>`` beside `folder`. It is removed on any error or interruption.

    Raises
    ------
    OutputError
        If the place is taken or cannot be written.
    """
    target = Path(folder)
    target = target.parent.resolve() / target.name if target.name else target.resolve()
    check_target(target, force)
    partial = target.parent / f".{target.name}.partial-{os.getpid()}"
    try:  # from before the folder exists: an interruption may come at any time
        _make(partial, target)
        yield partial
        check_target(target, force)
        _move(partial, target)
    except OSError as error:
        raise OutputError(
            f"{target}: results could not be written; {error.strerror or error}. Nothing was kept; "
            "make room or give another --out."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _make(partial: Path, target: Path) -> None:
    """Make the hidden folder; refuse a place that cannot be written."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
    except OSError as error:
        raise OutputError(
            f"{target}: must be a place that can be written; {error.strerror or error}. Give another --out."
        ) from error


def _move(partial: Path, target: Path) -> None:
    """Move a complete folder into place; what stood there goes only after that."""
    if not target.exists():
        os.rename(partial, target)
        return
    old = target.parent / f".{target.name}.old-{os.getpid()}"
    os.rename(target, old)
    try:
        os.rename(partial, target)
    except BaseException:
        os.rename(old, target)
        raise
    shutil.rmtree(old, ignore_errors=True)
