"""Example scenarios that come with pharmsim: their names, files, and copies of them."""

from __future__ import annotations

import re
import shutil
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path

from pharmsim.errors import OutputError
from pharmsim.results.folder import complete_or_nothing
from pharmsim.scenario.reader import SCHEMA
from pharmsim.scenario.uncertainties import CALIBRATIONS

KINDS = (".yaml", ".yml")
LIBRARY = "interventions"
POSTERIOR = re.compile(rf"(?:\.\./)+({CALIBRATIONS}/posteriors/[\w.-]+\.nc)")
"""A posterior beside the folder of the examples, as scenarios name it."""


def folder() -> Path:
    """Where the examples are: inside the installed package, or in the checkout.

    Raises
    ------
    OutputError
        If neither is there.
    """
    shipped = Path(str(files("pharmsim"))) / "scenarios"
    checkout = Path(__file__).resolve().parents[2] / "scenarios"
    for place in (shipped, checkout):
        if place.is_dir():
            return place
    raise OutputError(f"{shipped}: must hold the example scenarios; it is missing. Install pharmsim again.")


def names() -> list[str]:
    """Names of the examples: files and folders of scenarios."""
    found = []
    for entry in sorted(folder().iterdir()):
        if entry.suffix in KINDS:
            found.append(entry.stem)
        elif entry.is_dir() and entry.name != LIBRARY and _scenarios(entry):
            found.append(entry.name)
    return found


def scenario_files() -> list[Path]:
    """Every scenario file of the examples (the library of interventions is not one)."""
    root = folder()
    return [path for path in _scenarios(root) if LIBRARY not in path.relative_to(root).parts]


def _scenarios(place: Path) -> list[Path]:
    return sorted(path for path in place.rglob("*") if path.suffix in KINDS and path.is_file())


def copy(name: str, target: Path) -> list[Path]:
    """Copy an example into a new folder.

    Parameters
    ----------
    name : str
        One of `names()`.
    target : Path
        Must not exist, or be empty.

    Returns
    -------
    list of Path
        The scenario files of the copy.

    Raises
    ------
    OutputError
        If there is no such example, or the place is taken.
    """
    known = names()
    if name not in known:
        close = get_close_matches(name, known, n=1, cutoff=0.3)
        hint = f" Closest: {close[0]}." if close else ""
        raise OutputError(f"{name}: must be an example ({', '.join(known)}); there is no such one.{hint}")
    if target.is_symlink() or (target.exists() and (not target.is_dir() or any(target.iterdir()))):
        raise OutputError(f"{target}: must be a new or an empty folder. Give another name, or move it away.")
    source = folder() / name
    with complete_or_nothing(target) as partial:
        if source.is_dir():
            shutil.copytree(source, partial, dirs_exist_ok=True)
        else:
            shutil.copy(
                next(folder() / f"{name}{kind}" for kind in KINDS if (folder() / f"{name}{kind}").is_file()),
                partial,
            )
        shutil.copy(folder() / SCHEMA, partial)
        _with_posteriors(partial)
    return _scenarios(target)


def _with_posteriors(place: Path) -> None:
    """Copy the posteriors that scenarios draw from into their folder, and name them there."""
    for path in _scenarios(place):
        text = path.read_text(encoding="utf-8")
        named = set(POSTERIOR.findall(text))
        for name in named:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(folder().parent / name, place / name)
        if named:
            up = "../" * len(path.relative_to(place).parent.parts)
            path.write_text(POSTERIOR.sub(rf"{up}\1", text), encoding="utf-8")
