"""The headline of the HTML report, in sentences: built from the tables, an interval beside every number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from pharmsim.report.html import text
from pharmsim.report.html.data import SPREAD, ResultsFolder
from pharmsim.results.columns import ALL

NAMED = "system"
"""The level of retention that the headline gives, if there is one of that name; else the last."""
ASSUMED = "assumption"
TIME = ("delivered_fte", "fte")
"""What the headline is about, the best first: a run may have no need."""


@dataclass(frozen=True)
class Headline:
    """What is said first of a scenario.

    Attributes
    ----------
    scenario : str
    needed : list of str
        Where an effect is an assumption: what it must be to be worth its while. Comes before all else.
    sentences : list of str
    """

    scenario: str
    needed: list[str]
    sentences: list[str]


MANY = 3
"""With more scenarios each is said in short at first, and in full in its own section."""


def comparison(read: ResultsFolder) -> list[Headline]:
    """Say what every scenario of a comparison does."""
    make = in_short if len(read.scenarios) > MANY else in_full
    return [Headline(name, needed(read, name), make(read, name)) for name in read.scenarios]


def in_full(read: ResultsFolder, scenario: str) -> list[str]:
    """Say everything that a headline can say of a scenario."""
    parts = [_time(read, scenario), _retention(read, scenario), _vacancies(read, scenario)]
    parts += [_cost(read, scenario), losers(read, scenario), _grounds(read, scenario)]
    return [part for part in parts if part]


def in_short(read: ResultsFolder, scenario: str) -> list[str]:
    """Say the time that a scenario gains, its cost, who loses, and what it rests on."""
    parts = [_time(read, scenario), _cost(read, scenario), losers(read, scenario), _grounds(read, scenario)]
    return [part for part in parts if part]


# -- looking up ---------------------------------------------------------------------------------------------


def records(frame: pd.DataFrame) -> list[dict[Any, Any]]:
    """Rows of a table as mappings."""
    return frame.to_dict("records")


def on_dates(
    read: ResultsFolder, scenario: str, quantity: str, over: tuple[str, ...] = ("date", "year")
) -> pd.DataFrame:
    """Rows of the whole system for one quantity, by date."""
    frame = read.of("differences", scenario)
    rows = frame[(frame["quantity"] == quantity) & (frame["role"] == ALL) & (frame["environment"] == ALL)]
    return rows[rows["over"].isin(over)].sort_values("date", kind="stable")


def retention(read: ResultsFolder, scenario: str) -> pd.DataFrame:
    """Retention of the whole system at the level that the headline names."""
    frame = on_dates(read, scenario, "stability_index")
    return frame[frame["level"] == main_level(frame)]


def main_level(frame: pd.DataFrame) -> str:
    """The level of retention that a headline names; empty if there is none."""
    levels = list(dict.fromkeys(frame["level"]))
    return NAMED if NAMED in levels else str(levels[-1]) if levels else ""


def places(read: ResultsFolder, scenario: str) -> tuple[pd.DataFrame, str]:
    """Differences by role and environment on the last date, and the quantity they are of."""
    frame = read.of("differences", scenario)
    frame = frame[frame["over"] == "date"]
    for quantity in TIME:
        found = frame[frame["quantity"] == quantity]
        if len(found):
            return found[found["date"] == found["date"].max()], quantity
    return frame[:0], ""


def displaced(read: ResultsFolder, scenario: str) -> pd.DataFrame:
    """Gains and losses on the last date, a row for each role."""
    frame = read.of("displacement", scenario)
    for quantity in TIME:
        found = frame[frame["quantity"] == quantity]
        if len(found):
            return found[found["date"] == found["date"].max()]
    return frame[:0]


def part(row: dict[Any, Any], name: str, unit: str) -> dict[Any, Any]:
    """One quantity of the displacement as a row of its own."""
    found = {key: row.get(f"{name}_{key}", float("nan")) for key in SPREAD}
    if name == "per_gained" and not row.get("gained_median", row.get("gained", 0.0)) >= LEAST:
        return {**dict.fromkeys(SPREAD, float("nan")), "difference": float("nan"), "unit": unit}
    return {**found, "difference": row.get(name, float("nan")), "unit": unit}


LEAST = 0.05
"""FTE: of a smaller gain nobody asks what was lost for it."""


def who(read: ResultsFolder, row: dict[Any, Any]) -> str:
    """Environments that lose, the largest loss first."""
    return text.joined(read.name(place.strip()) for place in str(row["losers"]).split(";") if place.strip())


def costs(read: ResultsFolder, scenario: str) -> dict[str, dict[Any, Any]]:
    """Rows of costs by item."""
    rows = records(read.of("costs", scenario))
    return {str(row["item"]): {**row, "difference": row.get("central", row["median"])} for row in rows}


def parts_of(read: ResultsFolder, scenario: str) -> pd.DataFrame:
    """What each lever contributes to the difference in time on the last date."""
    frame = read.of("attribution", scenario)
    for quantity in TIME:
        found = frame[(frame["quantity"] == quantity) & (frame["over"] == "date")]
        if len(found):
            last = found[found["date"] == found["date"].max()]
            return last.assign(difference=last["value"].astype(float))
    return frame[:0]


def lever(read: ResultsFolder, scenario: str, name: str) -> str:
    """Title of a lever of a scenario, with its name where another has the same title."""
    frame = read.of("levers", scenario)
    titles = dict(zip(frame["name"], frame["title"].astype(str), strict=True))
    title = titles.get(name, "")
    if list(titles.values()).count(title) > 1:
        return f"{title} ({name.replace('_', ' ')})"
    return title or text.words(str(name))


# -- sentences ----------------------------------------------------------------------------------------------


def assumed(read: ResultsFolder, scenario: str) -> bool:
    """Whether the effects of some lever of a scenario are assumptions."""
    return bool(read.of("levers", scenario)["evidence"].astype(str).str.contains(ASSUMED).any())


def needed(read: ResultsFolder, scenario: str) -> list[str]:
    """Say what the effects that nobody has measured must be at least; those of a lever vary together.

    Of a programme of many levers only what is asked first is said; the rest is in its table.
    """
    frame = read.of("break_even", scenario)
    if frame.empty or not assumed(read, scenario):
        return []
    many = frame["lever"].nunique() > MANY
    first = frame.drop_duplicates(["lever"] if many else ["lever", "criterion"])
    said = [
        f"{lever(read, scenario, row['lever'])}, so that {row['criterion']}: {row['found']}."
        for row in records(first)
    ]
    return list(map(text.tidy, said))


def _time(read: ResultsFolder, scenario: str) -> str:
    """Delivered time (or FTE in post) of the whole system on the first and last of the dates."""
    rows = records(on_dates(read, scenario, TIME[0], ("date",)))
    verb = "delivers" if rows else "has"
    rows = rows or records(on_dates(read, scenario, TIME[1], ("date",)))
    if not rows:
        return ""
    said = []
    for row in rows if len(rows) == 1 else (rows[0], rows[-1]):
        better = text.chance(row, read.rows)
        said.append(f"{text.change(row)} in {text.day(row['date'])}" + (f", {better}" if better else ""))
    return f"Compared with the base the whole system {verb} {'; and '.join(said)}."


def _retention(read: ResultsFolder, scenario: str) -> str:
    rows = records(retention(read, scenario))
    if not rows:
        return ""
    row = rows[-1]
    what = f"Retention (stability index, level “{row['level']}”) in the year to {text.day(row['date'])}"
    return f"{what}: {text.change(row, 'higher', 'lower')}."


def _vacancies(read: ResultsFolder, scenario: str) -> str:
    rows = records(on_dates(read, scenario, "vacancy_rate"))
    if not rows:
        return ""
    return f"Vacancy rate in {text.day(rows[-1]['date'])}: {text.change(rows[-1], 'higher', 'lower')}."


def _cost(read: ResultsFolder, scenario: str) -> str:
    rows = costs(read, scenario)
    if ALL not in rows:
        return ""
    said = f"All costs together since the start: {text.change(rows[ALL], 'more', 'less')}"
    each = rows.get("per_delivered_fte_year")
    if each is None:
        return f"{said}."
    if str(each.get("words") or "nan") != "nan":
        return f"{said}; {each['words']} in delivered time to set it against."
    return f"{said}, {amount({**each, 'unit': 'GBP'})} for each additional delivered FTE-year."


def amount(row: dict[Any, Any]) -> str:
    """A number with its interval and unit."""
    values = [text.centre(row), *((row["p5"], row["p95"]) if text.has_spread(row) else ())]
    scale = text.Scale(str(row["unit"]), values, level=True)
    said = scale.with_unit(scale.number(values[0]))
    return f"{said} ({scale.span(values[1], values[2]) if len(values) > 1 else 'no range was run'})"


def losers(read: ResultsFolder, scenario: str) -> str:
    """Say who loses what others gain, on the last date: in every report."""
    frame = displaced(read, scenario)
    rows = records(frame[frame["role"] == ALL])
    if not rows:
        return ""
    row = rows[0]
    gained, lost, each = (
        part(row, name, unit)
        for name, unit in zip(("gained", "lost_elsewhere", "per_gained"), UNITS, strict=True)
    )
    when = text.day(row["date"])
    gain = f"environments that gain have {amount(gained)} more"
    if not any(pd.notna(value) and value for value in (lost["difference"], lost["median"], lost["p95"])):
        return f"Winners and losers in {when}: {gain}; no environment ever loses."
    names = who(read, row)
    if not names:
        most = "" if not text.has_spread(lost) else f"; in one case of twenty they lose {far(lost)} or more"
        return f"Winners and losers in {when}: {gain}; the others lose next to nothing{most}."
    lose = "lose" if " and " in names else "loses"
    ratio = "" if pd.isna(text.centre(each)) else f", {amount(each)} for 1 FTE gained"
    return f"Winners and losers in {when}: {gain}; {names} {lose} {amount(lost)}{ratio}."


def far(row: dict[Any, Any]) -> str:
    """The far end of an interval, with its unit."""
    scale = text.Scale(str(row["unit"]), [row["p95"]], level=True)
    return scale.with_unit(scale.number(row["p95"]))


UNITS = ("FTE", "FTE", "ratio")


def _grounds(read: ResultsFolder, scenario: str) -> str:
    """Say how much of the difference rests on assumptions, at the central values."""
    frame = read.of("grounds", scenario)
    frame = frame[frame["over"] == "date"]
    if frame.empty:
        return ""
    last = frame[frame["date"] == frame["date"].max()]
    quantity = next((name for name in TIME if name in set(last["quantity"])), last["quantity"].iloc[0])
    rows = last[(last["quantity"] == quantity) & (last["grade"] == ASSUMED)]
    value = float(rows["share"].iloc[0]) if len(rows) else 0.0
    if pd.isna(value):
        return ""
    what = f"{text.inside(text.words(str(quantity)))} (central values)"
    if value > 1.0:
        most = f"Effects that are assumptions make {text.share(value)} of the difference in {what}"
        return f"{most}; better known ones take part of it away."
    if value < 0.0:
        return f"Effects that are assumptions lessen the difference in {what}; better known ones make it."
    return f"Of the difference in {what}, {text.share(value)} rests on effects that are assumptions."


# -- a single run -------------------------------------------------------------------------------------------


def run(read: ResultsFolder) -> list[str]:
    """Sentences about a single run: the whole system at the start and at the end."""
    frame = read.tables["workforce"]
    whole = frame[(frame["role"] == ALL) & (frame["environment"] == ALL)]
    said = []
    for quantity in ("headcount", "fte", "vacancy_rate"):
        rows = records(whole[whole["quantity"] == quantity].sort_values("date", kind="stable"))
        if rows:
            each = [f"{level(row)} in {text.day(row['date'])}" for row in (rows[0], rows[-1])]
            said.append(f"{text.words(quantity)}: {', '.join(each)}.")
    kept = read.tables["retention"]
    kept = kept[(kept["by"] == ALL) & (kept["measure"] == "stability_index")]
    rows = records(kept[kept["level"] == main_level(kept)].sort_values("year_to", kind="stable"))
    if rows:
        year, name = text.day(rows[-1]["year_to"]), rows[-1]["level"]
        said.append(f"Retention (stability index, level “{name}”) in the year to {year}: {level(rows[-1])}.")
    return said


def level(row: dict[Any, Any]) -> str:
    """A level (not a difference) with its interval: "91.2 % (90.4 to 92.0)"."""
    values = [float(row["central"]), row["p5"], row["p95"]]
    scale = text.Scale(str(row["unit"]), values, level=True)
    said = f"{scale.number(values[0])} {'' if scale.after == 'people' else scale.after}".strip()
    if pd.isna(values[1]):
        return f"{said} (no range was run)"
    return f"{said} ({scale.span(values[1], values[2])})"
