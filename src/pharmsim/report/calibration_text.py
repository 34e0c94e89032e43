"""How far a calibration may be trusted, in words: for the terminal and for diagnosis.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import pandas as pd

from pharmsim import __version__
from pharmsim.calibration.diagnosis import EVERY, FACTORS, Diagnosis
from pharmsim.calibration.sample import ESS, R_HAT
from pharmsim.report.sensitivity_text import number
from pharmsim.report.solve_text import signed
from pharmsim.results.text import markdown_cell

if TYPE_CHECKING:
    from rich.console import Console

NOT_INFORMED, LITTLE, WELL = 0.9, 0.7, 0.3
"""Posterior ÷ prior standard deviation: from where on data say nothing, little, and up to where much."""
SHIFTED = 0.5
"""Prior standard deviations by which data must move a mean to have said something."""
PRESSING = 0.25
"""Share of a posterior where its prior has 5 %, from which it presses against that end."""
TOGETHER = 0.8
"""Correlation from which two parameters are known together only."""
DEPENDS = 0.3
"""Posterior standard deviations by which another prior must move a mean for it to depend on it."""
TOO_FEW = 0.01
"""Chance at which as few published numbers lie inside their intervals, from which it is said."""
NEARLY_ALL = 0.75
"""Share inside intervals of 50 % from which it is said; a fit alone brings some two thirds there."""
ONE_SIDE = 6
"""Published numbers of one observation that must all lie on one side to be called a bias."""
READING = (
    "How to read it: ranges hold 90 %. The prior is the range in the scenario or the calibration file; the "
    "posterior is what the published numbers leave of it. A parameter that the data do not inform keeps its "
    "prior: its range is an assumption as before. The published numbers below were used for the fit, so that "
    "agreement with them is necessary, not sufficient; `pharmsim backtest` scores forecasts of numbers that "
    "were not used."
)
NAME = 17
"""Letters on a line of a parameter's name in the terminal."""
MIXED = {"r_hat": "R-hat", "ess_bulk": "ESS (bulk)", "ess_tail": "ESS (tail)"}


def poorly_mixed(found: Diagnosis) -> pd.DataFrame:
    """Parameters whose chains do not agree, or that have too few effective draws."""
    table = found.parameters
    good = (table["r_hat"] <= R_HAT) & (table["ess_bulk"] >= ESS) & (table["ess_tail"] >= ESS)
    return table[~good]


def informed(row: Any) -> str:
    """What the data say about a parameter: of a row of `Diagnosis.parameters`."""
    ratio = float(row["sd_ratio"])
    if ratio > NOT_INFORMED:
        if abs(row["shift"]) < SHIFTED:
            text = "not informed: the posterior is the prior"
        else:
            text = f"moved {'up' if row['shift'] > 0 else 'down'}, but no narrower than the prior"
    else:
        text = "little informed" if ratio > LITTLE else "informed" if ratio > WELL else "well informed"
        text += f" ({100.0 * ratio:.0f} % of the prior's spread)"
    if abs(row["correlation"]) >= TOGETHER:
        text += f"; known together with {row['partner']} only (correlation {signed(row['correlation'], 2)})"
    return text


def pressing(row: Any) -> str:
    """Which end of its range a parameter presses against, in words; empty if none."""
    for end, share, most in (("lower", row["below"], "lowest"), ("upper", row["above"], "highest")):
        if share >= PRESSING:
            where = f"{100.0 * share:.0f} % of it lies in the prior's {most} 5 %"
            return f"presses against the {end} end of its range: {where}"
    return ""


def with_words(found: Diagnosis) -> pd.DataFrame:
    """The table of parameters with what the data say, the range, and the prior in words."""
    rows = found.parameters.to_dict("records")
    words = {
        "data": [informed(row) for row in rows],
        "range": [pressing(row) for row in rows],
        "prior": [depends(found, row["parameter"]) for row in rows],
    }
    return found.parameters.assign(**words)


def depends(found: Diagnosis, name: str) -> str:
    """What becomes of a parameter when its own prior is half or twice as wide."""
    table = found.sensitivity
    own = table[(table["changed"] == name) & (table["parameter"] == name)].sort_values("factor")
    return "; ".join(_moved(row) for row in own.to_dict("records"))


def _moved(row: Any) -> str:
    wide = "prior × ½" if row["factor"] < 1.0 else f"prior × {row['factor']:g}"
    if not row["reliable"]:
        return f"{wide}: not known (k {row['pareto_k']:.2f})"
    large = abs(row["moved"]) >= DEPENDS or not 1.0 - DEPENDS <= row["spread"] <= 1.0 + DEPENDS
    moved = signed(row["moved"], 1)
    return f"{wide}: {'depends, ' if large else ''}mean {moved} sd, spread × {row['spread']:.2f}"


def headlines(found: Diagnosis) -> list[str]:
    """What a reader must know first, one sentence or two each."""
    said = [_convergence(found), _fit(found.targets), *_one_sided(found.targets)]
    table = with_words(found)
    said += [_learnt(found, table)]
    ends = table[table["range"] != ""]
    if len(ends):
        said.append(
            f"Against the end of their range press: {_names(ends)}. Look at the range, or at the model."
        )
    return [*said, _prior(found)]


def _convergence(found: Diagnosis) -> str:
    if found.about.get("sampler") == "laplace":
        return "NOT sampled: draws of a normal distribution around the best fit, for a first look only."
    bad = poorly_mixed(found)
    n = f"{found.z.shape[0]:,} chains of {found.z.shape[1]:,} draws kept"
    if not len(bad) and int(found.about.get("converged", 1)):
        return f"Converged: R-hat ≤ {R_HAT} and at least {ESS} effective draws for each parameter ({n})."
    if not len(bad):
        return f"NOT converged ({n}): use it for nothing. Its walkers took too few steps, or hardly moved."
    return f"NOT converged ({n}): use it for nothing. Still apart or too few effective draws: {_names(bad)}."


def _fit(targets: pd.DataFrame) -> str:
    from scipy.stats import binom

    n = len(targets)
    counts = {share: int(inside(targets, share).sum()) for share in (50, 90)}
    text = f"{counts[90]} of {n} published numbers lie inside their 90 % intervals (about "
    text += f"{0.9 * n:.0f} would be right), {counts[50]} inside those of 50 % (about {0.5 * n:.0f})."
    if counts[90] < binom.ppf(TOO_FEW, n, 0.9):
        text += " That is too few: the model cannot make them, or their errors are stated too small."
    elif counts[50] > max(NEARLY_ALL * n, binom.ppf(1.0 - TOO_FEW, n, 0.5)):
        text += " That is more than a fit brings about: the stated errors are larger than what is missed."
    out = targets[~inside(targets, 90)]
    if len(out):
        text += f" Outside: {', '.join(f'{row.observation} {row.date}' for row in out.itertuples())}."
    return text


def inside(targets: pd.DataFrame, share: int) -> pd.Series:
    """Which published numbers lie inside the interval that holds this share of the replicates."""
    return targets["observed"].between(targets[f"low{share}"], targets[f"high{share}"])


def _one_sided(targets: pd.DataFrame) -> list[str]:
    """Observations that the model misses to one side every time."""
    said = []
    for name, rows in targets.groupby("observation", sort=False):
        for side, there in (("above", rows["pit"] > 0.5), ("below", rows["pit"] < 0.5)):
            if len(rows) >= ONE_SIDE and there.all():
                text = f"All {len(rows)} published numbers of {name} lie {side} the model's median"
                said.append(f"{text}: a bias that the fit did not take away.")
    return said


def _learnt(found: Diagnosis, table: pd.DataFrame) -> str:
    n = len(table)
    known = int((found.directions <= LITTLE).sum())
    text = f"Of {n} directions in which the parameters can move together, the data inform {known}."
    silent = table[table["data"].str.startswith("not informed")]
    if not len(silent):
        return f"{text} They say something about each parameter."
    return f"{text} They do not inform: {_names(silent)}; these keep their priors."


def _prior(found: Diagnosis) -> str:
    rows = found.sensitivity[found.sensitivity["changed"] == EVERY]
    said = []
    for factor, wide in zip(FACTORS, ("half", "twice"), strict=True):
        part = rows[rows["factor"] == factor]
        k = f"Pareto k {part['pareto_k'].iloc[0]:.2f}"
        if not part["reliable"].all():
            said.append(f"{wide} as wide: not known by reweighting ({k}), calibrate again to see it")
            continue
        worst = part.iloc[int(part["moved"].abs().to_numpy().argmax())]
        moved = f"{abs(worst['moved']):.1f} posterior standard deviations"
        said.append(f"{wide} as wide: means move by {moved} at most, that of {worst['parameter']} ({k})")
    text = f"With every prior {'; '.join(said)}."
    own = found.sensitivity
    own = own[(own["changed"] == own["parameter"]) & own["reliable"]]
    if not len(own):
        return text
    worst = own.iloc[int(own["moved"].abs().to_numpy().argmax())]
    moved = _moved(worst).replace("depends, ", "")
    return f"{text} One by one, {worst['parameter']} moves most ({moved})."


def _names(rows: pd.DataFrame) -> str:
    return ", ".join(rows["parameter"])


# -- diagnosis.md -------------------------------------------------------------------------------------------


def markdown(found: Diagnosis, pictures: Iterable[str]) -> str:
    """The diagnosis as Markdown, with its pictures by their paths."""
    about = found.about
    title = about.get("title") or about.get("name") or "Calibration"
    digest = str(about.get("scenario_digest", ""))[:12]
    made = [f"pharmsim {about.get('pharmsim', __version__)}", f"scenario {digest}" if digest else ""]
    made += [f"seed {about['seed']}" if "seed" in about else "", str(about.get("sampler", ""))]
    table = with_words(found)
    parts = [
        f"# How far to trust: {title}",
        f"From {', '.join(filter(None, made))}.",
        *(f"- {text}" for text in headlines(found)),
        READING,
        "## Parameters: prior and posterior",
        *_table(
            ("parameter", "prior", "posterior", "the data", "the range"),
            ([row["parameter"], interval(row, "prior"), interval(row, "posterior"), row["data"], row["range"]]
             for row in table.to_dict("records")),
        ),
        "## Published numbers and what the model makes of them",
        *_table(
            ("observation", "date", "published", "model, 90 %", "off by", "inside"),
            (target_cells(row) for row in found.targets.to_dict("records")),
        ),
        "## Another prior",
        "Each prior alone half and twice as wide (standard deviation of its normal score), by importance "
        "weights. Movements are in posterior standard deviations (sd). Where Pareto's k is too large for the "
        "weights to be relied on, it says so: only another calibration can tell.",
        *_table(("parameter", "what becomes of it"), table[["parameter", "prior"]].to_numpy()),
        "## Chains",
        *_table(
            ("parameter", *MIXED.values()),
            ([row["parameter"], f"{row['r_hat']:.3f}", f"{row['ess_bulk']:,.0f}", f"{row['ess_tail']:,.0f}"]
             for row in table.to_dict("records")),
        ),
        *(["## Pictures"] if pictures else []),
        *(f"![{Path(name).stem.replace('_', ' ')}]({name})" for name in pictures),
    ]  # fmt: skip
    return "\n\n".join(_joined(parts)) + "\n"


def _joined(parts: Sequence[str]) -> list[str]:
    """Lines of lists and tables stay together; all else are paragraphs."""
    out: list[str] = []
    for part in parts:
        if out and part[:2] in ("- ", "| ") and out[-1].rsplit("\n", 1)[-1][:2] == part[:2]:
            out[-1] += "\n" + part
        else:
            out.append(part)
    return out


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *([markdown_cell(text) for text in row] for row in rows)]
    return [f"| {' | '.join(line)} |" for line in lines]


def interval(row: Any, of: str) -> str:
    """Median and 90 % interval of the prior or the posterior of a parameter."""
    return with_ends(row[f"{of}_median"], row[f"{of}_low"], row[f"{of}_high"], row["unit"])


def with_ends(middle: float, low: float, high: float, unit: str) -> str:
    """A number and its ends, the unit said once."""
    first, *ends = (number(value, unit) for value in (middle, low, high))
    start = next((text for text in ("factor ", "× ", "£") if first.startswith(text)), "")
    end = next((text for text in (" % per year", " %", f" {unit}", unit.removeprefix("GBP"))
                if text.strip() and first.endswith(text)), "")  # fmt: skip
    first, *ends = (text.removeprefix(start).removesuffix(end) for text in (first, *ends))
    return f"{start}{first} ({' to '.join(ends)}){end}"


def target_cells(row: Any) -> list[str]:
    """Cells of a published number: what, when, value, replicates, how far off, inside which interval."""
    observed = number(row["observed"], row["unit"])
    made = with_ends(row["median"], row["low90"], row["high90"], row["unit"])
    off = f"{signed(100.0 * (row['median'] / row['observed'] - 1.0), 1)} %" if row["observed"] else ""
    where = "50 %" if row["low50"] <= row["observed"] <= row["high50"] else ""
    where = where or ("90 %" if row["low90"] <= row["observed"] <= row["high90"] else "outside")
    when = f"{row['date']} to {row['to']}" if str(row.get("to") or "") else str(row["date"])
    return [str(row["observation"]), when, observed, made, off, where]


# -- terminal -----------------------------------------------------------------------------------------------


def _broken(name: str) -> str:
    """A name on lines short enough for a narrow terminal, broken between its words."""
    lines = wrap(name.replace("_", "_ ").replace(".", ". "), NAME)
    return "\n".join(line.replace(" ", "") for line in lines)


def show(found: Diagnosis, console: Console, folder: Path) -> None:
    """Print what a reader must know, and the parameters."""
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    console.print(Text(f"How far to trust: {found.about.get('title') or folder.name}", style="bold"))
    for text in headlines(found):
        console.print(Text(f"- {text}", style="yellow" if text.startswith(("NOT", "Against")) else ""))
    table = Table(title="Prior and posterior: median and 90 %", title_justify="left", box=SIMPLE)
    for column in ("parameter", "prior", "posterior", "the data"):
        table.add_column(column, overflow="fold")
    for row in with_words(found).to_dict("records"):
        said = "; ".join(filter(None, (row["data"], row["range"])))
        table.add_row(
            *map(Text, (_broken(row["parameter"]), interval(row, "prior"), interval(row, "posterior"), said))
        )
    console.print(table)
    console.print(Text(f"files: {folder}"))
