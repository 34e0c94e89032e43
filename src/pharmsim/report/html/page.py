"""The report of a results folder: one HTML file that needs nothing beside it.

It reads the files of the folder alone, so that it can be made later and elsewhere. Pictures stand in the
file; there is no script, and nothing is loaded.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pharmsim import __version__
from pharmsim.errors import OutputError
from pharmsim.report import deciding_figures, deciding_text
from pharmsim.report.html import answer, choice, explained, figures, headline, matters, run, tables, text
from pharmsim.report.html.data import ResultsFolder, read, without_gaps
from pharmsim.report.html.figures import Picture
from pharmsim.report.html.tables import Cell, Table
from pharmsim.results import rows as rows_of

if TYPE_CHECKING:
    from jinja2 import Environment

NAME = "report.html"
TEMPLATE = "report.html.j2"
READING = (
    "How to read the numbers: first the median of the {rows}, in brackets the interval that holds 90 % of "
    "them. Base and scenarios share their {rows}, so that an interval is that of the difference. "
    "“Better in 90 % of the {rows}” says something about the model and its inputs; it is no forecast."
)
READING_SOLVE = (
    "How to read it: the level found is that of the central values. Ranges hold 90 % of the {rows}, which "
    "are the same at every level and without the levers; a share of {rows} is about the model and its inputs."
)
READING_SENSITIVITY = (
    "How to read it: a change is what the measure does when one uncertainty goes to an end of its range and "
    "all others stay at their central values. Ends are those of the range, which are rarely drawn; of a "
    "distribution with tails they are the 5 % and the 95 % point. What moves a measure much, at its ends and "
    "by its index, and rests on an assumption should be measured first."
)
READING_RUN = (
    "How to read the numbers: first the central value, in brackets the interval that holds 90 % of the "
    "{rows}."
)
READING_CHANCE = (
    " The engine counts whole people, who move by chance: a future is one draw of the inputs "
    "(or their central values) with one replicate of chance, and intervals hold what both leave open. Only "
    "a choice counts a draw of the inputs once, with the mean of its replicates. Central values are means of "
    "replicates too."
)
ASSUMED = headline.ASSUMED


@dataclass(frozen=True)
class Part:
    """A heading with texts, pictures and tables below it; `folded` tables open on demand."""

    title: str
    texts: list[str] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    folded: list[Table] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.texts or self.pictures or any(self.tables) or any(self.folded))


@dataclass(frozen=True)
class Section:
    """A part of the report with a place in its contents."""

    id: str
    title: str
    parts: list[Part]
    kind: str = ""


def write(folder: Path, out: Path | None = None, force: bool = False) -> Path:
    """Write the report of a results folder: all of it or nothing.

    Parameters
    ----------
    folder : Path
        Written by `pharmsim run`, `compare`, `solve` or `sensitivity`.
    out : Path, optional
        The file; by default report.html in the folder.
    force : bool
        Replace a file that is there.

    Returns
    -------
    Path

    Raises
    ------
    OutputError
        If the folder is none of results, lacks files, or the file is there or cannot be written.
    """
    target = out or folder / NAME
    if target.is_dir() or (target.exists() and not force):
        raise OutputError(f"{target}: must not exist yet. Give another --out, or --force to replace it.")
    page = html(read(folder))
    partial = target.with_name(f".{target.name}.partial-{os.getpid()}")
    try:
        partial.write_text(page, encoding="utf-8")
        os.replace(partial, target)
    except OSError as error:
        raise OutputError(
            f"{target}: must be a place that can be written; {error.strerror or error}. Give another --out."
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return target


def html(folder: ResultsFolder) -> str:
    """The text of the report."""
    made = folder.made
    n_draws = int(made.get("n_draws") or 0)
    written = str(made.get("written") or "an unknown date")[:10]
    also = ", the same for all scenarios" if folder.compared else ""
    by_chance = rows_of.by_chance(made)
    runs = rows_of.in_words(made, n_draws) if by_chance else f"{n_draws:,} draws"
    about = f"Made by pharmsim {made.get('pharmsim') or __version__} on {written}; {runs}{also}."
    summary = [tables.side_by_side(folder)] if folder.compared else []
    title, headlines, reading, sections = _KINDS[folder.kind](folder)
    content = {
        "title": title,
        "about": about,
        "has_draws": n_draws > 0,
        "headlines": headlines,
        "reading": reading.format(rows=folder.rows) + (READING_CHANCE if by_chance else ""),
        "summary": summary,
        "warnings": folder.warnings,
        "sections": list(sections),
        "reproduced": folder.kind in ("run", "comparison"),
        "evidence": _evidence(folder),
        "assumptions": list(_assumptions(folder)),
        "command": " ".join(str(word) for word in made.get("command") or ["pharmsim"]),
        "facts": list(_facts(folder)),
        "files": _files(folder),
    }
    return _environment().get_template(TEMPLATE).render(content)


def _environment() -> Environment:
    """Templates of the package, with everything escaped and no name left open."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("pharmsim.report.html", "."), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip


Told = tuple[str, list[headline.Headline], str, Iterable["Section"]]
"""Title, what is said first, how to read it, sections."""


def _of_comparison(folder: ResultsFolder) -> Told:
    return f"Compared with {folder.base}", headline.comparison(folder), READING, _compared(folder)


def _of_run(folder: ResultsFolder) -> Told:
    return folder.base, [headline.Headline("", [], headline.run(folder))], READING_RUN, _run(folder)


def _of_solve(folder: ResultsFolder) -> Told:
    title = f"{answer.target(folder)}: {folder.base}"
    return title, [headline.Headline("", [], answer.sentences(folder))], READING_SOLVE, _solved(folder)


def _of_sensitivity(folder: ResultsFolder) -> Told:
    told = [headline.Headline("", [], [said]) for said in matters.sentences(folder)]
    return matters.title(folder), told, READING_SENSITIVITY, _sensitive(folder)


_KINDS = {
    "comparison": _of_comparison,
    "run": _of_run,
    "solve": _of_solve,
    "sensitivity": _of_sensitivity,
}


# -- a comparison -------------------------------------------------------------------------------------------


def _compared(folder: ResultsFolder) -> Iterable[Section]:
    """The sections of a comparison: the choice, all scenarios together, then one by one."""
    sure = [part for part in _choice(folder) if part]
    if sure:
        yield Section("choice", deciding_text.TITLE, sure)
    together = [figures.taken(path) for path in folder.figures if not path.stem.startswith(figures.OWN)]
    parts = [
        Part("", pictures=[picture for picture in together if not picture.tall]),
        Part("Who moves where in the base", pictures=[figures.flows(folder)]),
        Part("In detail", pictures=[picture for picture in together if picture.tall]),
    ]
    yield Section("together", "Scenarios beside each other", [part for part in parts if part])
    for i, scenario in enumerate(folder.scenarios):
        found = [part for part in _scenario(folder, scenario) if part]
        yield Section(f"scenario-{i + 1}", scenario, found, "scenario")
    if "targets" in folder.tables:
        table = tables.plain(folder.tables["targets"], "Targets, and what reaches them")
        yield Section("targets", "Targets", [Part("", tables=[table])])


def _choice(folder: ResultsFolder) -> Iterable[Part]:
    """Parts about the choice: in words and as a picture, then the numbers of each objective."""
    pictures = [figures.taken(path) for path in folder.figures if path.stem == deciding_figures.NAME]
    yield Part("", texts=choice.sentences(folder), pictures=pictures)
    for one in deciding_text.objectives(folder.tables):
        yield Part("", tables=[choice.robustness(folder, one), choice.information(folder, one)])


def _scenario(folder: ResultsFolder, scenario: str) -> Iterable[Part]:
    """Parts about one scenario; the break-even first where effects are assumptions."""
    if len(folder.scenarios) > headline.MANY:
        yield Part("", texts=[" ".join(headline.in_full(folder, scenario))])
    needed = Part(
        "How large must the effect be?",
        pictures=figures.explained(folder, scenario, "break_even"),
        tables=[explained.break_even(folder, scenario)],
    )
    assumed = headline.assumed(folder, scenario)
    if assumed:
        yield needed
    levers = tables.levers(folder, scenario)
    none = "Numbers of the scenario differ from the base; it has no intervention of the library."
    yield Part("What is done", texts=[] if levers else [none], tables=[levers])
    lines = figures.trajectories(folder, scenario)
    yield Part(
        "Against the base",
        pictures=[lines] if lines else [],
        tables=[tables.by_date(folder, scenario, main=True), tables.from_chance(folder, scenario)],
        folded=[tables.by_date(folder, scenario, main=False)],
    )
    yield Part(
        "Who moves where",
        pictures=[figures.flows(folder, scenario)],
        folded=[tables.flows(folder, scenario)],
    )
    yield Part(
        "Winners and losers",
        texts=[headline.losers(folder, scenario)],
        pictures=figures.winners(folder, scenario),
        tables=[tables.displacement(folder, scenario), tables.by_place(folder, scenario)],
    )
    yield Part(
        "What each lever contributes",
        pictures=figures.explained(folder, scenario, "attribution"),
        tables=[explained.attribution(folder, scenario)],
    )
    yield Part("Cost", tables=[tables.costs(folder, scenario)])
    if not assumed:
        yield needed
    yield Part(
        "What the difference rests on",
        pictures=figures.explained(folder, scenario, "grounds"),
        tables=[explained.grounds(folder, scenario)],
    )


# -- a run --------------------------------------------------------------------------------------------------


def _run(folder: ResultsFolder) -> Iterable[Section]:
    """The sections of a single run: its tables, then its pictures."""
    tables = [run.workforce(folder, "role"), run.retention(folder), run.need(folder, True)]
    folded = [run.workforce(folder, "environment"), run.need(folder, False)]
    parts = [Part("", tables=tables, folded=[*folded, run.budgets(folder)])]
    yield Section("numbers", "The numbers", parts)
    pictures = [figures.taken(path) for path in folder.figures]
    if pictures:
        yield Section("pictures", "Pictures", [Part("", pictures=pictures)])


def _solved(folder: ResultsFolder) -> Iterable[Section]:
    """The sections of an answer: values and levels, the response, costs, what the levers rest on."""
    pictures = [figures.taken(path) for path in folder.figures]
    parts = [
        Part("", pictures=pictures, tables=[answer.answer(folder)]),
        Part("Cost", tables=[answer.costs(folder)]),
        Part("What the levers rest on", tables=[answer.evidence(folder)]),
    ]
    yield Section("answer", "The answer", [part for part in parts if part])


def _sensitive(folder: ResultsFolder) -> Iterable[Section]:
    """The sections of a sensitivity analysis: what to find out, each uncertainty alone, all at once."""
    yield Section("next", "What to find out next", [Part("", tables=[matters.urgent(folder)])])
    alone, together = (
        [p for p in folder.figures if p.stem.startswith(name)] for name in ("tornado", "indices")
    )
    parts = [Part("", pictures=[figures.taken(path) for path in alone], folded=matters.tornados(folder))]
    yield Section("alone", "Each uncertainty alone", parts)
    tables = matters.indices(folder)
    if tables:
        parts = [Part("", pictures=[figures.taken(path) for path in together], folded=tables)]
        yield Section("together", "All uncertain at once", parts)


# -- what went in, and how to make it again -----------------------------------------------------------------


def _evidence(folder: ResultsFolder) -> Table:
    """How many numbers of each scenario have which grade."""
    rows = []
    for one in folder.inputs:
        counts = one.table["evidence"].value_counts()
        numbers = [int(counts.get(grade, 0)) for grade in tables.GRADES]
        shares = [text.share(n / sum(numbers)) if sum(numbers) else "" for n in numbers]
        cells = [Cell(f"{n:,}", note) for n, note in zip(numbers, shares, strict=True)]
        rows.append([Cell(_title(folder, one.title)), *cells])
    heads = ["Scenario", *map(text.words, tables.GRADES)]
    return Table("Numbers that went in, by grade of evidence", heads, rows)


def _title(folder: ResultsFolder, title: str) -> str:
    return folder.base if title in ("", "base") else title


def _assumptions(folder: ResultsFolder) -> Iterable[Table]:
    """Assumptions of the base, and those of each scenario that the base has not."""
    known: set[tuple[str, ...]] = set()
    for i, one in enumerate(folder.inputs):
        frame = without_gaps(one.table[one.table["evidence"] == ASSUMED]).astype(str)
        rows = []
        for row in headline.records(frame):
            words = tuple(
                str(row.get(name, "")) for name in ("id", "where", "value", "low", "high", "unit", "note")
            )
            if words in known:
                continue
            known.add(words)
            name, where, value, low, high, unit, note = words
            spread = f"{low} to {high}" if low and high else "no range"
            rows.append(
                [Cell(name, where), Cell(value, spread), Cell(unit), Cell(note or row.get("source", ""))]
            )
        also = "Other assumptions of " if i else "Assumptions of "
        if rows:
            yield Table(
                f"{also}{_title(folder, one.title)}", ["Number", "Value", "Unit", "Note"], rows, False
            )


def _facts(folder: ResultsFolder) -> Iterable[tuple[str, str]]:
    """What is needed to see whether a run is the same."""
    made = folder.made
    git, machine = made.get("git") or {}, made.get("environment") or {}
    changed = " with changed files" if git.get("dirty") else ""
    yield "Program", f"pharmsim {made.get('pharmsim')}, commit {git.get('commit') or 'unknown'}{changed}"
    yield "Engine sources (SHA-256)", str(machine.get("engine_sources") or "unknown")
    if made.get("engine"):
        yield "Engine, replicates of each draw", f"{made['engine']}, {made.get('replicates') or 1}"
    drawn = made.get("drawn") if rows_of.by_chance(made) else made.get("n_draws")
    yield "Seed, draws, step", f"{made.get('seed')}, {drawn}, {made.get('step')}"
    yield "Machine", f"{machine.get('processor')}; {machine.get('platform')}; Python {machine.get('python')}"
    for entry in _entries(folder):
        one = entry.get("scenario") or {}
        yield f"Scenario “{one.get('name', '')}” (SHA-256)", str(one.get("sha256", "unknown"))


def _entries(folder: ResultsFolder) -> list[dict[str, Any]]:
    return list(folder.made["scenarios"]) if folder.compared else [folder.made]


def _files(folder: ResultsFolder) -> Table:
    """Files that were read, with their digests."""
    pairs = [
        (file["path"], file["sha256"]) for entry in _entries(folder) for file in entry.get("files") or []
    ]
    rows = [[Cell(str(path)), Cell(str(digest))] for path, digest in dict.fromkeys(pairs)]
    return Table("Files that were read", ["File", "SHA-256"], rows, numeric=False)
