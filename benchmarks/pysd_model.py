"""The demographic core as a Vensim model file with subscripts, run by PySD in a process of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from core import SWITCHES, Core

from pharmsim.compiled.arrays import Floats

ROOT = Path(__file__).parents[1]
PYTHON = ROOT / ".venv_bench" / "bin" / "python"
"""Interpreter of the environment that `make bench` fills from benchmarks/requirements.txt."""
RUNNER = Path(__file__).with_name("pysd_run.py")
N_RISKS = 8


def numbers(values: Floats) -> str:
    """An array of one or two axes as Vensim writes it: columns by commas, rows by semicolons."""
    rows = np.atleast_2d(values)
    text = ";\n".join(", ".join(repr(float(x)) for x in row) for row in rows)
    return text + ";" if len(rows) > 1 else text


def constants(core: Core) -> Iterator[str]:
    """Equations of everything that stays as it is; draw 0, the central values."""
    n_posts, n_groups, _, n_ages = core.people.shape[1:]
    scale = core.scale[0].copy()
    for k, (left, _) in enumerate(SWITCHES):
        scale[5 + k, :, :, 1 - left] = 0.0
    into = np.zeros((n_posts, n_posts))
    for e, (p, q) in enumerate(zip(core.origin, core.to, strict=True)):
        into[q, p] += core.rate[0, e]
    hired = np.einsum("jp,jpga->pga", core.hires[0], core.hire_ages)[:, :, None, :]
    hired = hired * core.hire_contracts[0][..., None]
    younger = np.append(hired[..., 1:], np.zeros_like(hired[..., :1]), axis=3)
    younger[..., 0] += hired[..., 0]
    at = np.arange(n_ages)
    moving = ((at >= core.window[0]) & (at < core.window[1])).astype(float)
    yield f"into[post, origin] = {numbers(into)}"
    yield f"away[post] = {numbers(into.sum(axis=0))}"
    yield f"moving[age] = {numbers(moving)}"
    yield f"is older[age] = {numbers((at >= core.index_55).astype(float))}"
    yield f"turns 55[age] = {numbers((at == core.index_55 - 1).astype(float))}"
    for p in range(n_posts):
        where = f"p{p + 1}, group, contract"
        yield f"fte per head[{where}] = {numbers(core.fte_per_head[0, p])}"
        for k in range(N_RISKS):
            yield f"scale{k}[{where}] = {numbers(scale[k, p])}"
        for g in range(n_groups):
            where = f"p{p + 1}, g{g + 1}, contract, age"
            yield f"opening[{where}] = {numbers(core.people[0, p, g])}"
            yield f"hired[{where}] = {numbers(hired[p, g])}"
            yield f"hired younger[{where}] = {numbers(younger[p, g])}"


def equations() -> Iterator[str]:
    """Equations of one month, those of docs/background/model.md."""
    cell = "post, group, contract, age"
    sums = "post, group!, contract!, age!"
    risks = [f"scale{k}[post, group, contract] * hazard{k}[group, age]" for k in range(N_RISKS)]
    yield f"total[{cell}] = {' + '.join(risks)} + away[post] * moving[age]"
    yield f"lived[{cell}] = people[{cell}] * (1 - EXP(-total[{cell}] / 12)) / total[{cell}]"
    for k, risk in enumerate(risks):
        yield f"flow{k}[{cell}] = {risk} * lived[{cell}]"
        yield f"gone{k}[post] = SUM(flow{k}[{sums}])"
    moved = "SUM(into[post, origin!] * lived[origin!, group, contract, age]) * moving[age]"
    yield f"moved in[{cell}] = {moved}"
    for to in (0, 1):
        come = (
            f"flow{5 + k}[post, group, c{left + 1}, age]"
            for k, (left, entered) in enumerate(SWITCHES)
            if entered == to
        )
        yield f"switched in[post, group, c{to + 1}, age] = {' + '.join(come)}"
    yield "part = (MODULO(Time, 12) + 1) / 12"
    yield "anniversary = IF THEN ELSE(part > 0.99, 1, 0)"
    yield f"stay[{cell}] = people[{cell}] - total[{cell}] * lived[{cell}]"
    yield f"start[{cell}] = (1 - part) * hired[{cell}] + part * hired younger[{cell}]"
    yield f"after[{cell}] = stay[{cell}] + switched in[{cell}] + moved in[{cell}] + start[{cell}]"
    yield "aged[post, group, contract, older] = after[post, group, contract, younger]"
    yield "aged[post, group, contract, a1] = 0"
    older = f"anniversary * (aged[{cell}] - after[{cell}])"
    yield f"people[{cell}] = INTEG({older} + after[{cell}] - people[{cell}], opening[{cell}])"
    yield "headcount[post, group, contract] = SUM(people[post, group, contract, age!])"
    yield "fte[post] = SUM(headcount[post, group!, contract!] * fte per head[post, group!, contract!])"
    just = f"SUM(people[{sums}] * turns 55[age!])"
    yield f"older people[post] = SUM(people[{sums}] * is older[age!]) + (part - 1 / 12) * {just}"
    able = "SUM(lived[origin, group!, contract!, age!] * moving[age!])"
    yield f"moves[post, origin] = into[post, origin] * {able}"
    yield "retired[post] = gone4[post] + anniversary * SUM(after[post, group!, contract!, last!])"


def write_model(core: Core, folder: Path, months: int) -> Path:
    """Write `core.mdl` and the hazards by month it reads; returns the model file.

    Raises
    ------
    ValueError
        If hazards differ between posts or contracts otherwise than by a factor.
    """
    if (core.row != core.row[:, :1, :, :1]).any():
        raise ValueError("the model file has hazards by group and age; the core has others")
    n_posts, n_groups, n_contracts, n_ages = core.people.shape[1:]
    columns = [np.arange(months)[None]]
    data = []
    for k in range(N_RISKS):
        for g in range(n_groups):
            first = sum(len(block) for block in columns)
            data.append(
                f"hazard{k}[g{g + 1}, age] := GET DIRECT DATA('hazards.csv', ',', 'A', '{letters(first)}2')"
            )
            by_month = core.hazard.reshape(-1, *core.hazard.shape[2:])[:months]
            columns.append(by_month[:, core.row[k, 0, g, 0]].T)
    table = np.vstack(columns).T
    head = ",".join(["month", *(f"x{i}" for i in range(1, table.shape[1]))])
    np.savetxt(folder / "hazards.csv", table, fmt="%.17g", delimiter=",", header=head, comments="")
    ranges = f"post: (p1-p{n_posts})", f"group: (g1-g{n_groups})", f"contract: (c1-c{n_contracts})"
    ages = f"age: (a1-a{n_ages})", f"younger: (a1-a{n_ages - 1}) -> older", f"older: (a2-a{n_ages})"
    subscripts = [*ranges, "origin <-> post", *ages, f"last: a{n_ages}"]
    control = ["INITIAL TIME = 0", f"FINAL TIME = {months}", "TIME STEP = 1", "SAVEPER = TIME STEP"]
    lines = [*subscripts, *data, *constants(core), *equations(), *control]
    file = folder / "core.mdl"
    file.write_text("{UTF-8}\n" + "\n".join(f"{line} ~~|" for line in lines) + "\n", encoding="utf-8")
    return file


def letters(column: int) -> str:
    """Name of a column of a spreadsheet, from 0."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name


def run_pysd(core: Core, folder: Path, months: int) -> tuple[dict[str, Floats], float, float]:
    """Translate and run the model file for its first months, central values.

    Returns
    -------
    record : dict of array
        What the model file works out of `core.COMPARED`, draw axis of length 1.
    seconds, translation : float
        Of the run alone, and of translating the model file to Python.

    Raises
    ------
    RuntimeError
        If PySD refuses.
    """
    file, out = write_model(core, folder, months), folder / "out.npz"
    words = [str(PYTHON), str(RUNNER), str(file), str(out)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(words)}\n{done.stderr}")
    with np.load(out) as found:
        raw = {name: found[name] for name in found}
    flows = slice(0, months)
    record = {
        "headcount": raw["headcount"][None],
        "headcount_55plus": raw["older people"][None],
        "fte": raw["fte"][None],
        "leavers": np.stack([raw[f"gone{k}"] for k in range(4)], axis=2)[None, flows],
        "retirements": raw["retired"][None, flows],
        "switches": np.stack([raw[f"gone{k}"] for k in range(5, 8)], axis=2)[None, flows],
        "moves": raw["moves"][None, flows][:, :, core.to, core.origin],
    }
    return record, float(raw["seconds"]), float(raw["translation"])
