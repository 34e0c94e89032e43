"""Measure how far the three engines agree, and write it into docs/background/agreement.md.

    python scripts/make_agreement.py [--quick] [--workers 2]

runs the comparisons of ``tests/engines`` with the number of replicates of ``make verify`` (with ``--quick``:
fewer single careers), draws the pictures into docs/background/agreement and writes the numbers between the
marks of the page; the words around them are written by hand.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "engines")]

import test_careers as careers_tests  # noqa: E402
import test_chain as chain_tests  # noqa: E402
from careers_agreement import Comparison, Record, compare, compiled, limit  # noqa: E402

import pharmsim  # noqa: E402
from pharmsim.compiled.streams import row_keys  # noqa: E402
from pharmsim.engine.careers.run import run as run_careers  # noqa: E402
from pharmsim.engine.run import run  # noqa: E402
from pharmsim.report.style import COLOURS, DPI, new_figure, put_foot, styled  # noqa: E402

Array = np.ndarray
PAGE = ROOT / "docs" / "background" / "agreement.md"
FOLDER = PAGE.with_suffix("")
YEARS, FAMILY_WISE = 5, careers_tests.FAMILY_WISE
COHORT, CHAIN, CAREERS, OTHER = COLOURS[6], COLOURS[0], COLOURS[1], "#9A9A9A"


class Size(NamedTuple):
    """How much is run."""

    chain: int = 2048  # replicates of five years of tiny
    careers: int = 1024
    samples: tuple[int, int] = (50, 10)  # replicates of 200 posts that know nothing of each other
    grown: tuple[tuple[float, int], ...] = ((1, 1024), (3, 512), (10, 512), (30, 256), (100, 128), (1000, 64))
    south_east_london: tuple[int, int, int] = (32, 32, 2)  # runs of cohort, chain, careers


QUICK = Size(careers=128, samples=(20, 2), south_east_london=(8, 8, 1))


class Ensemble(NamedTuple):
    """Replicates of one engine and what they are compared with."""

    name: str
    record: Record
    cohort: Record
    found: list[Comparison]
    wrong: dict[str, list[Comparison]]  # by the input that is wrong by 5 %

    @property
    def n(self) -> int:
        return len(self.record["headcount"])

    @property
    def bound(self) -> float:
        """Of |z|, by Bonferroni."""
        return float(stats.t.isf(FAMILY_WISE / (2 * len(self.found)), self.n - 1))


# ---- without limits and feedbacks --------------------------------------------------------------------------


def ensembles(size: Size, workers: int) -> tuple[Ensemble, Ensemble]:
    """`chain` and `careers` without limits."""
    scenario = careers_tests.few_years(years=YEARS)
    chain = chain_tests.replicates(scenario, size.chain, workers)
    careers = careers_tests.replicates(scenario, size.careers, workers, 10_000).record
    out = []
    for name, record, cohort in (("chain", chain, chain_tests.expected), ("careers", careers, limit)):
        wrong = {}
        for path in careers_tests.WRONG:
            other = cohort(careers_tests.few_years(careers_tests.times(path, 1.05), YEARS))
            wrong[path] = compare(record, other)
        out.append(Ensemble(name, record, cohort(scenario), compare(record, cohort(scenario)), wrong))
    return out[0], out[1]


def largest(found: Iterable[Comparison]) -> Comparison:
    return max(found, key=lambda c: abs(c.z))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def summary(both: Sequence[Ensemble]) -> str:
    """What is compared, and how it went."""
    z = [np.array([c.z for c in e.found if c.z != 0.0]) for e in both]
    beyond = [sum(abs(c.z) > e.bound for c in e.found) for e in both]
    rows = [
        ["`cohort` at", "the same step, a month", "steps of 1/4 and 1/8 month, extrapolated to 0"],
        ["replicates", *(f"{e.n:,}" for e in both)],
        ["comparisons", *(f"{len(e.found):,}" for e in both)],
        ["chance that one of them fails although the engines agree", *[percent(FAMILY_WISE, 0)] * 2],
        ["so each may differ by, standard errors", *(f"{e.bound:.2f}" for e in both)],
        ["largest found", *(f"{abs(largest(e.found).z):.2f}" for e in both)],
        ["**comparisons beyond the bound**", *(f"**{n}**" for n in beyond)],
        ["beyond 1.96 (5 % expected)", *(percent(float(np.mean(np.abs(x) > 1.96)), 1) for x in z)],
        [
            "standard error of a post's mean headcount after five years, at most",
            *(precision(e) for e in both),
        ],
    ]
    return table(["", "`chain`", "`careers`"], rows)


def precision(e: Ensemble) -> str:
    last = chain_tests.heads(e.record)[:, -1]
    return percent((last.std(axis=0, ddof=1) / e.n**0.5 / last.mean(axis=0)).max())


def percent(share: float, digits: int = 2, sign: str = "") -> str:
    return f"{100 * share:{sign}.{digits}f} %".replace("-", "−")


def noticed(both: Sequence[Ensemble]) -> str:
    """For every input that was made wrong by a twentieth, the largest difference that it makes."""
    rows = []
    for path in both[0].wrong:
        cells = []
        for e in both:
            most = abs(largest(e.wrong[path]).z)
            cells.append(f"{most:.1f}" + ("" if most > e.bound else ", not found"))
        rows.append([f"`{path}`", *cells])
    bounds = [f"`{e.name}` (found beyond {e.bound:.2f})" for e in both]
    return table(["input × 1.05 in `cohort`", *bounds], rows)


def picture_of_scores(both: Sequence[Ensemble]) -> None:
    """Scores of all comparisons by the quantiles of the normal distribution, right and wrong by 5 %."""
    with styled():
        figure = new_figure("Differences from cohort, in standard errors", 9.0, 4.6)
        for axes, e in zip(figure.subplots(1, 2, sharey=True), both, strict=True):
            wrong = e.wrong["leaving.other_system.rate"]
            for found, colour, mark, name in (
                (wrong, OTHER, "x", "one leaving hazard × 1.05 in cohort"),
                (e.found, CHAIN if e.name == "chain" else CAREERS, "o", "the same hazards"),
            ):
                z = np.sort([c.z for c in found if c.z != 0.0])
                at = stats.norm.ppf((np.arange(z.size) + 0.5) / z.size)
                axes.plot(at, z, mark, ms=3.5, color=colour, label=name, ls="none")
            axes.axline((0, 0), slope=1, color="black", lw=1.0, label="normal distribution")
            for sign in (-1, 1):
                label = "bound, family-wise error 1 %" if sign > 0 else None
                axes.axhline(sign * e.bound, color="black", lw=0.9, ls="--", label=label)
            axes.set_title(f"{e.name}: {len(e.found)} comparisons, {e.n:,} replicates")
            axes.set_xlabel("quantile of the standard normal distribution")
            axes.legend(loc="upper left")
        figure.axes[0].set_ylabel("mean difference ÷ its standard error")
        keep(figure, "scores", "tiny without limits, five years: stocks, flows and measures of every post")


def picture_of_heads(both: Sequence[Ensemble]) -> None:
    """Heads of every post by month, and the differences of the engines."""
    posts = [post.post for post in careers_tests.TINY.posts]
    with styled():
        figure = new_figure("People in post, and how far the means of replicates are from cohort", 9.0, 5.6)
        axes = figure.subplots(2, len(posts), sharex=True, sharey="row")
        for p, post in enumerate(posts):
            above, below = axes[0, p], axes[1, p]
            above.set_title(post.replace(".", ", "))
            month = np.arange(both[0].cohort["headcount"].shape[1]) / 12
            for e, colour, line in zip(both, (CHAIN, CAREERS), ("--", ":"), strict=True):
                here = chain_tests.heads(e.record)[..., p]
                target = chain_tests.heads(e.cohort)[0, :, p]
                if e.name == "chain":
                    above.plot(month, target, color=COHORT, lw=1.0, label="cohort")
                mean, error = here.mean(axis=0), 1.96 * here.std(axis=0, ddof=1) / e.n**0.5
                above.plot(month, mean, line, color=colour, lw=2.2, label=f"{e.name}, mean of {e.n:,}")
                above.fill_between(month, mean - error, mean + error, color=colour, alpha=0.25, lw=0)
                below.plot(month, mean - target, line, color=colour, lw=1.6)
                below.fill_between(
                    month, mean - target - error, mean - target + error, color=colour, alpha=0.25, lw=0
                )
            below.axhline(0.0, color=COHORT, lw=1.0)
            below.set_xlabel("years from the start")
        axes[0, 0].set_ylabel("people in post")
        axes[1, 0].set_ylabel("mean less cohort, people")
        axes[0, 0].legend(loc="best")
        keep(figure, "heads", "tiny without limits  ·  bands: 95 % of the means, by chance")


def keep(figure: Any, name: str, foot: str) -> None:
    put_foot(figure, f"{foot}  ·  pharmsim {pharmsim.__version__}")
    FOLDER.mkdir(exist_ok=True)
    figure.savefig(FOLDER / f"{name}.png", dpi=DPI)


# ---- closed forms ------------------------------------------------------------------------------------------


def closed_forms(size: Size) -> str:
    """Variances of posts that know nothing of each other."""
    stay = np.exp(-0.5 / 12)
    queue = 2.5 * (1 - stay**24) / (1 - stay), 60.0 * -np.expm1(-1.0)
    found: list[list[Record]] = [[], []]
    for months, heads, sections in (
        (36, 100.0, careers_tests.leaving("25 % per year")),
        (24, 0.0, careers_tests.leaving("50 % per year") | careers_tests.supply("30 per year")),
    ):
        scenario = careers_tests.many_posts(200, heads, months, **sections)
        found[0].append(chain_tests.replicates(scenario, size.samples[0]))
        found[1].append(careers_tests.replicates(scenario, size.samples[1]).record)
    rows = []
    for month in (12, 36):
        p = np.exp(-0.25 * month / 12)
        name = f"survivors of 100 people after {month} months, 25 % a year: binomial"
        samples = [chain_tests.heads(left)[:, month] for left, _ in found]
        rows.append([name, *against(samples, [100 * p] * 2, [100 * p * (1 - p)] * 2)])
    joiners = [joined["joiners"][:, 5, :, 0] for _, joined in found]
    rows.append(["joiners of a month, 30 a year: Poisson", *against(joiners, [2.5] * 2, [2.5] * 2)])
    name = "people in post after 24 months, 30 joiners a year, 50 % a year leave: M/M/∞"
    there = [chain_tests.heads(joined)[:, 24] for _, joined in found]
    rows.append([name, *against(there, queue, queue)])
    head = ["", *(f"`{name}`: {what}" for name in ("chain", "careers") for what in ("mean", "variance"))]
    return table(head, rows)


def against(samples: Sequence[Array], means: Sequence[float], variances: Sequence[float]) -> list[str]:
    """Mean and variance of the samples of both engines, with 95 % intervals, and the closed forms."""
    out = []
    for x, mean, variance in zip(samples, means, variances, strict=True):
        n = x.size - 1
        error = 1.96 * (x.var(ddof=1) / x.size) ** 0.5
        low, high = n * x.var(ddof=1) / stats.chi2.ppf([0.975, 0.025], n)
        out.append(f"{x.mean():.2f} ± {error:.2f} ({mean:.2f})")
        out.append(f"{low:.2f} to {high:.2f} ({variance:.2f})")
    return out


# ---- with limits and feedbacks -----------------------------------------------------------------------------


class Grown(NamedTuple):
    """`chain` and `cohort` on tiny with its limits, by size and post."""

    people: Array  # (sizes,)
    difference: Array  # (sizes, posts), relative, of heads after three years
    error: Array
    vacant: Array  # FTE vacant in the last year, more than in `cohort`


def grown(size: Size, same_hours: bool, workers: int) -> Grown:
    """Ever larger copies of tiny."""
    rows = []
    for factor, n in size.grown:
        node = chain_tests._grown(factor)
        if same_hours:
            for row in node["fte_per_head"]["terms"][0]["rows"]:
                row.update(value=0.9, low=None, high=None, uncertainty=None)
        scenario = pharmsim.from_dict(node)
        record, cohort = chain_tests.replicates(scenario, n, workers), chain_tests.expected(scenario)
        last, target = chain_tests.heads(record)[:, -1], chain_tests.heads(cohort)[0, -1]
        vacant = [x["vacancy_fte"][:, -12:].mean(axis=(0, 1)) for x in (record, cohort)]
        error = last.std(axis=0, ddof=1) / n**0.5 / target
        opening = chain_tests.heads(cohort)[0, 0].sum()
        rows.append((opening, last.mean(axis=0) / target - 1.0, error, vacant[0] - vacant[1]))
    return Grown(*(np.array(x) for x in zip(*rows, strict=True)))


def sizes(given: Grown, same: Grown, replicates: Sequence[int]) -> str:
    """The differences by number of people."""
    rows = []
    for i, n in enumerate(replicates):
        cells = []
        for g in (given, same):
            k = np.abs(g.difference[i]).argmax()
            cells += [
                f"{percent(g.difference[i, k], sign='+')} ± {1.96 * 100 * g.error[i, k]:.2f}",
                f"{g.vacant[i].mean():+.1f}".replace("-", "−"),
            ]
        rows.append([f"{given.people[i]:,.0f}", f"{n:,}", *cells])
    what = ("post that differs most", "FTE vacant more, mean of posts")
    names = ("contracts of 1.0 and 0.6 FTE", "all of 0.9 FTE")
    return table(["people", "replicates", *(f"{name}: {x}" for name in names for x in what)], rows)


def picture_of_sizes(given: Grown, same: Grown) -> None:
    """Relative differences, and what stays vacant, by number of people."""
    with styled():
        figure = new_figure("Limits and feedbacks on: chain less cohort, by size", 9.0, 4.4)
        axes, vacant = figure.subplots(1, 2)
        for g, colour, mark, name in (
            (given, CHAIN, "o-", "contracts of 1.0 and 0.6 FTE"),
            (same, CAREERS, "s--", "all contracts of 0.9 FTE"),
        ):
            axes.plot(g.people, 100 * np.abs(g.difference).mean(axis=1), mark, color=colour, label=name)
            vacant.plot(g.people, g.vacant.mean(axis=1), mark, color=colour, label=name)
        scale = {"color": OTHER, "lw": 1.0}
        by_chance = 100 * (2 / np.pi) ** 0.5 * same.error.mean(axis=1)
        axes.plot(same.people, by_chance, ":", **scale, label="expected of equal means, by chance")
        first = 100 * np.abs(given.difference[0]).mean()
        axes.plot(given.people, first * given.people[0] / given.people, **scale, label="1 ÷ people")
        axes.set(xscale="log", yscale="log", title="people in post after three years")
        axes.set_ylabel("difference, %, mean of posts")
        vacant.set(xscale="log", title="establishment unfilled in the last year")
        vacant.set_yscale("symlog", linthresh=1.0)
        lowest, highest = (f(given.vacant.mean(axis=1)) for f in (np.min, np.max))
        vacant.set_ylim(min(0.0, 2 * lowest), 2 * highest)
        vacant.set_ylabel("FTE more than in cohort, mean of posts")
        for each in (axes, vacant):
            each.set_xlabel("people in post")
            for axis in (each.xaxis, each.yaxis):
                axis.set_major_formatter(lambda x, _: f"{x:,g}")
                axis.set_minor_formatter("")
        axes.legend(loc="lower left", fontsize=7)
        keep(figure, "sizes", "tiny with its establishment and feedbacks, three years")


# ---- speed -------------------------------------------------------------------------------------------------


def speed(size: Size) -> str:
    """Processor time of a run of South East London, side by side, the fastest of three."""
    scenario = pharmsim.load(ROOT / "scenarios" / "sel" / "baseline.yaml")
    n_cohort, n_chain, n_careers = size.south_east_london
    many, more = (chain_tests.compiled(scenario, n) for n in (n_cohort, n_chain))
    one, keys = compiled(scenario), row_keys(1, 0, range(n_chain))
    best = [np.inf] * 3
    for _ in range(3):
        for k, (work, n) in enumerate((
            (lambda: run(many, threads=1), n_cohort),
            (lambda: run(more, threads=1, keys=keys), n_chain),
            (lambda: run_careers(one, [(0, 0, r) for r in range(n_careers)]), n_careers),
        )):  # fmt: skip
            began = time.process_time()
            work()
            best[k] = min(best[k], (time.process_time() - began) / n)
    rows = [
        [f"`{name}`", f"{1000 * seconds:,.0f}", f"{seconds / best[0]:,.{1 if name == 'chain' else 0}f}"]
        for name, seconds in zip(("cohort", "chain", "careers"), best, strict=True)
    ]
    return table(["engine", "processor time of a run, ms", "÷ that of `cohort`"], rows)


# ---- page --------------------------------------------------------------------------------------------------


def write(name: str, text: str) -> None:
    """Put a table between its marks in the page."""
    page = PAGE.read_text(encoding="utf-8")
    begin, end = f"<!-- {name}: by scripts/make_agreement.py -->", f"<!-- end of {name} -->"
    found, n = re.subn(
        re.escape(begin) + ".*?" + re.escape(end),
        lambda _: f"{begin}\n\n{text}\n\n{end}",
        page,
        flags=re.DOTALL,
    )
    if n != 1:
        raise SystemExit(f"{PAGE.name} — must hold the marks of {name} once — found {n} — put them back")
    PAGE.write_text(found, encoding="utf-8")


def main() -> None:
    """Measure, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer single careers")
    parser.add_argument("--workers", type=int, default=2, help="threads and processes")
    options = parser.parse_args()
    size = QUICK if options.quick else Size()
    given, same = (grown(size, hours, options.workers) for hours in (False, True))
    write("sizes", sizes(given, same, [n for _, n in size.grown]))
    picture_of_sizes(given, same)
    write("closed forms", closed_forms(size))
    both = ensembles(size, options.workers)
    write("summary", summary(both))
    write("noticed", noticed(both))
    picture_of_scores(both)
    picture_of_heads(both)
    write("speed", speed(size))


if __name__ == "__main__":
    main()
