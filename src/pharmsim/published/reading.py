"""Read published files of a kind, several at once: a tidy series and what is to be known of its quality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pharmsim.errors import InputError
from pharmsim.published import (
    columns,
    community_survey,
    gphc,
    hchs_core5,
    hchs_staff,
    long,
    pcn_individual,
    series,
    tables,
    tidy,
    turnover,
    vacancies,
)
from pharmsim.published import labels as names
from pharmsim.published.kind import NATIONAL, Kind
from pharmsim.published.quality import Findings

KINDS: dict[str, Kind] = {
    module.KIND.name: module.KIND
    for module in (pcn_individual, hchs_core5, hchs_staff, turnover, vacancies, gphc, community_survey)
}
SEVERAL = "all files together"


@dataclass(frozen=True)
class Reading:
    """What was read.

    Attributes
    ----------
    kind : Kind
        Kind of the files.
    table : DataFrame
        One published number a row: ``measure``, ``role``, ``environment``, ``geography``, ``code``,
        ``level``, ``part`` (of the breakdown asked for, or empty), ``date`` (of a stock; first day of a
        flow), ``to`` (last day of a flow), ``value`` (float), ``unit``, ``source``, ``flag`` (words joined
        by ``;``, or empty).
    quality : DataFrame
        Findings: ``file``, ``check``, ``rows``, ``finding``.
    files : tuple of (name, SHA-256)
    """

    kind: Kind
    table: pd.DataFrame
    quality: pd.DataFrame
    files: tuple[tuple[str, str], ...]


def read(
    kind: str,
    paths: Sequence[str | Path],
    *,
    level: str = NATIONAL,
    by: str | None = None,
    geography: Sequence[str] = (),
    labels: str | Path | None = None,
) -> Reading:
    """Read published files to one tidy series.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    paths : sequence of path
        Files of that kind (CSV, workbook, or a zip file that holds one), such as one for each quarter.
    level : str
        Level of geography. Only one, so that rows may be added up.
    by : str, optional
        A breakdown: ``source``, ``grade``, ``age`` or ``sector``, where the kind has it.
    geography : sequence of str
        Names or codes to keep; all, if empty.
    labels : path, optional
        A table of what labels mean; else that for pharmacy.

    Returns
    -------
    Reading

    Raises
    ------
    InputError
        If a file cannot be read, has another layout, or lacks the level.
    """
    one = _kind(kind)
    if level not in one.levels:
        raise InputError(f"--level {level}: must be one of {', '.join(one.levels)} for {kind}.")
    if by is not None and by not in one.parts:
        raise InputError(f"--by {by}: must be one of {', '.join(one.parts) or 'none'} for {kind}.")
    if not paths:
        raise InputError(f"{kind}: must have a file to read; none was given.")
    known = names.labels(kind, None if labels is None else Path(labels))
    parts, findings, files = [], [], []
    for path in map(Path, paths):
        found = Findings(path.name)
        data, digest = tables.open_file(path)
        files.append((path.name, digest))
        rows = [
            one.long(sheet, found) for sheet in tables.sheets(one, tables.raw_tables(str(path), data), found)
        ]
        part = tidy.tidy(long.stack(rows), one, known, level, by, found)
        parts.append(part.assign(source=f"{one.publisher}; {path.name}"))
        findings.append(found)
    together = Findings(SEVERAL if len(files) > 1 else files[0][0])
    table = tidy.settle(pd.concat(parts, ignore_index=True), tidy.KEYS, together)
    without = sorted({label.role for label in known} - set(table["role"]))
    together.add("roles without a row", len(without), ", ".join(without))
    table = tidy.only(table.reset_index(drop=True), geography)
    if one.derive is not None:
        table = pd.concat([table, one.derive(table, together)], ignore_index=True)
    table = series.check(table, names.breaks(kind), together)
    table = table.sort_values(
        ["role", "environment", "geography", "code", "part", "measure", "unit", "date"], kind="stable"
    )
    quality = pd.concat([found.table() for found in [*findings, together]], ignore_index=True)
    return Reading(one, table.loc[:, list(tidy.COLUMNS)].reset_index(drop=True), quality, tuple(files))


def check(paths: Sequence[str | Path], labels: str | Path | None = None) -> list[Reading]:
    """Find out of which kind files are, and read each kind at the widest level that it has.

    Raises
    ------
    InputError
        If a file is of no kind.
    """
    kinds: dict[str, list[str | Path]] = {}
    for path in paths:
        kinds.setdefault(recognise(Path(path)), []).append(path)
    return [_widest(kind, files, labels) for kind, files in kinds.items()]


def _widest(kind: str, paths: Sequence[str | Path], labels: str | Path | None) -> Reading:
    levels = KINDS[kind].levels
    for level in levels[:-1]:
        try:
            return read(kind, paths, level=level, labels=labels)
        except InputError as error:
            if "of the level" not in str(error):
                raise
    return read(kind, paths, level=levels[-1], labels=labels)


def recognise(path: Path) -> str:
    """The kind of a file, by its columns.

    Raises
    ------
    InputError
        If it is of none, or as well of one as of another.
    """
    raws = [raw for raw in tables.raw_tables(str(path), tables.open_file(path)[0]) if raw.rows]
    scores: dict[str, int] = {}
    for name, kind in KINDS.items():
        fits = [columns.fit(kind.vintages, raw.rows) for raw in raws]
        scores[name] = max((one.n_needed for one in fits if not one.missing), default=0)
    best = [name for name, score in scores.items() if score == max(scores.values())]
    if max(scores.values()) == 0:
        header = next((row for raw in raws for row in raw.rows if any(row)), [])
        raise InputError(
            f"{path}: must be a published file of a kind that is known ({', '.join(KINDS)}); columns found: "
            f"{', '.join(header) or 'none'}. `pharmsim data read KIND` says which column a kind lacks."
        )
    if len(best) > 1:
        raise InputError(f"{path}: may be any of {', '.join(best)}. Use `pharmsim data read KIND`.")
    return best[0]


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise InputError(f"{name}: must be one of {', '.join(KINDS)}.")
    return KINDS[name]
