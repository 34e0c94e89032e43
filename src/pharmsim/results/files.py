"""A run on disk: one folder with everything that was asked, found and assumed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from pharmsim.errors import OutputError
from pharmsim.results import assumptions, manifest, netcdf, parquet, rows, workbook
from pharmsim.results.by_year import by_year
from pharmsim.results.folder import MANIFEST, complete_or_nothing
from pharmsim.results.labelled import Results
from pharmsim.results.tables import main_tables
from pharmsim.results.text import write_csv, write_tables
from pharmsim.scenario.models import Scenario

Writer = Callable[[Path], None]
"""Writes more files into the folder given (figures, diagram)."""

SCENARIO = "scenario.json"


def write(
    results: Results,
    folder: str | Path,
    force: bool = False,
    also: Sequence[Writer] = (),
    command: Iterable[str] | None = None,
    keep: str = "summary",
) -> Path:
    """Write the results folder of a run: all of it or nothing.

    Parameters
    ----------
    results : Results
    folder : path
        Must not exist, unless `force`.
    force : bool
        Replace a results folder, once the new one is complete.
    also : sequence of callables
        Write more files into the folder they are given.
    command : iterable of str, optional
        Words of the command, for the manifest.
    keep : {"summary", "all"}
        With draws: whether results.nc holds the central run, and draws.nc every draw by year; or
        results.nc every draw month by month.

    Returns
    -------
    Path
        The folder: results.nc, draws.nc, tidy.parquet, tables/*.csv, workbook.xlsx, assumptions.csv and .md,
        scenario.json, manifest.json, run.log.

    Raises
    ------
    OutputError
        If the folder is taken or cannot be written.
    """
    with complete_or_nothing(folder, force) as partial:
        made = write_into(results, partial, command, keep=keep)
        for writer in also:
            writer(partial)
        write_manifest(made, partial)
    return Path(folder)


def write_manifest(made: Mapping[str, Any], folder: Path) -> None:
    """Write the manifest, with the digest of every file that stands in the folder by then."""
    write_json({**made, "outputs": manifest.folder_digests(folder)}, folder / MANIFEST)


def write_answer(
    scenario: Scenario, meta: Mapping[str, Any], folder: Path, kind: str, question: Mapping[str, Any]
) -> None:
    """Write the scenario and the manifest of an answer that keeps no run, last of all its files."""
    from pharmsim.scenario import to_dict

    description = to_dict(scenario)
    write_json(description, folder / SCENARIO)
    made = manifest.manifest(description, meta, {})
    write_manifest({**made, "kind": kind, "question": question}, folder)


def write_into(
    results: Results,
    folder: Path,
    command: Iterable[str] | None = None,
    tables: Mapping[str, pd.DataFrame] | None = None,
    keep: str = "summary",
) -> dict[str, Any]:
    """Write the files of a run into a folder that exists; returns what its manifest shall say."""
    from pharmsim.scenario import to_dict

    tables = main_tables(results) if tables is None else tables
    if results.has_draws and keep == "summary":
        netcdf.write(results.data.isel(draw=slice(0, 1)), folder / netcdf.NAME)
        netcdf.write(results.data, folder / netcdf.DRAWS, by_year)
    else:
        netcdf.write(results.data, folder / netcdf.NAME)
    parquet.write(results.data, folder / "tidy.parquet")
    for name, table in results.logs.items():
        parquet.write_log(table, folder / f"{name}.parquet")
    (folder / "tables").mkdir()
    write_tables(tables, folder / "tables")
    items = assumptions.assumptions(results.scenario)
    numbers = assumptions.as_frame(results.scenario, items)
    workbook.write(results, tables, numbers, folder / "workbook.xlsx")
    write_csv(numbers, folder / "assumptions.csv")
    text = assumptions.as_markdown(results.scenario, items)
    (folder / "assumptions.md").write_text(text, encoding="utf-8")
    description = to_dict(results.scenario)
    write_json(description, folder / SCENARIO)
    meta = {**results.meta, "keep": keep}
    made = manifest.manifest(description, meta, netcdf.digest(results.data), command)
    (folder / "run.log").write_text(log_text(results, made), encoding="utf-8")
    return made


def write_json(content: Mapping[str, Any], path: Path) -> None:
    """Write JSON that people can read and compare."""
    text = json.dumps(content, indent=2, ensure_ascii=False, default=str)
    path.write_text(text + "\n", encoding="utf-8")


def log_text(results: Results, made: Mapping[str, Any]) -> str:
    """The log of a run: what was done, how long it took, what was warned."""
    meta = results.meta
    stamp = datetime.now(UTC).isoformat(timespec="seconds")
    lines = [
        f"scenario {results.scenario.name!r}, {results.scenario.start} to {results.scenario.end}",
        f"command: {' '.join(made['command'])}",
        f"pharmsim {made['pharmsim']}, commit {made['git']['commit'] or 'unknown'}",
        *(f"read {entry['path']} (sha256 {entry['sha256'][:12]})" for entry in made["files"]),
        f"engine {meta.get('engine')}, step {meta.get('step')}, seed {meta.get('seed')}, "
        + rows.in_words(meta, results.n_draws),
        f"compiled in {meta.get('compile_time_s') or 0.0:.2f} s",
        f"ran in {meta.get('wall_time_s') or 0.0:.2f} s",
    ]
    if "conservation_error" in results.data:
        largest = float(abs(results.data["conservation_error"]).max())
        lines.append(f"people conserved to {largest:.1e} heads a month")
    if results.has_draws and not made["power_of_two"]:
        lines.append("powers of two (256, 512, 1,024 …) of draws cover the ranges most evenly")
    lines += [f"warning: {text}" for text in meta.get("warnings") or []]
    return "".join(f"{stamp} {line}\n" for line in lines)


def read(folder: str | Path) -> Results:
    """Read the results folder of a run back.

    Returns
    -------
    Results
        Without a final state. Where the folder keeps the years of the draws, `data` is the central run,
        and `by_year` holds every draw by year.

    Raises
    ------
    OutputError
        If the folder is not complete.
    """
    from pharmsim.scenario import from_dict

    folder = Path(folder)
    made = manifest.read(folder)
    data = netcdf.read(folder / netcdf.NAME)
    years = netcdf.read(folder / netcdf.DRAWS) if keeps_years(made) else None
    return Results(scenario=from_dict(read_scenario(folder)), data=data, meta=made, by_year=years)


def keeps_years(made: Mapping[str, Any]) -> bool:
    """Whether the folder of a manifest keeps the draws by year, and month by month the central run alone."""
    return made.get("keep") == "summary" and bool(made.get("n_draws"))


def read_scenario(folder: Path) -> dict[str, Any]:
    """The canonical scenario kept in a results folder.

    Raises
    ------
    OutputError
        If it is missing or damaged.
    """
    path = folder / SCENARIO
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OutputError(
            f"{path}: must hold the scenario that was run; cannot be read ({error}). Run it again."
        ) from error
    return found
