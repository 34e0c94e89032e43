"""Write the South East London baseline with its six boroughs as places.

    python scripts/make_boroughs.py

reads ``scenarios/sel/baseline.yaml`` and its tables, the boroughs (``boroughs.csv``), what primary care
networks reported (``pcn_by_borough.csv``) and where trusts have their sites (``trust_sites.csv``), and writes
``scenarios/sel/boroughs.yaml`` with the tables ``scenarios/sel/data/borough_*.csv``. Whatever is a share or a
rate by role and environment is the baseline's. People of every post are divided in whole numbers, so that the
boroughs add up to the baseline. Hires of large teams are found by running it until they stand still.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

import pharmsim
from pharmsim.scenario.calibrated import as_calibrated
from pharmsim.scenario.expand import central
from pharmsim.scenario.models import Post
from pharmsim.scenario.values import Cells

SEL = Path(__file__).resolve().parent.parent / "scenarios" / "sel"
DATA = SEL / "data"
ASSUMED = "assumption of this project"
TOP = "# Written by scripts/make_boroughs.py from baseline.yaml: change that, not this file.\n"
PHARMACIES = 311
"""Community pharmacies of South East London, as in the baseline."""
CARE_HOMES = {"pharmacist": 2, "pharmacy_technician": 1}
"""People for each borough, as in the baseline."""
PRISONS = {"pharmacist": 15, "pharmacy_technician": 59, "pharmacy_assistant": 30}
"""People of Oxleas who work in prisons, as in the baseline."""
CROSSING = 0.5
"""Share of the changes of employer that lead to a neighbouring borough."""
EMPLOYER_CHANGE = {"community": 0.08}
OTHER_EMPLOYER_CHANGE = 0.03
ROUNDING = 0.001
"""FTE beyond the whole posts of a small team, so that rounding takes none away."""
VACANCIES = (0.6, 1.5)
"""Range of vacancy rates relative to their value, as in the baseline."""
SMALL = 20
"""Teams of fewer people, outside community pharmacy: each vacancy finds somebody, in its time."""
CANDIDATES = 12.0
"""People a year from elsewhere who would take a post in a small team: one a month, if there is a vacancy."""
SAFE = (1 / 2, 2 / 3, 4 / 5)
"""Smallest safe number of people as a share of those at the start: low, assumed, high."""
NEIGHBOURS = {
    "bexley": ("bromley", "greenwich"),
    "bromley": ("bexley", "greenwich", "lambeth", "lewisham", "southwark"),
    "greenwich": ("bexley", "bromley", "lewisham"),
    "lambeth": ("bromley", "southwark"),
    "lewisham": ("bromley", "greenwich", "southwark"),
    "southwark": ("bromley", "lambeth", "lewisham"),
}
FILLED = r"""  time_to_fill:
    - \1, uncertainty: time_to_fill}
    # a vacancy in a team of three does not wait for its share of the candidates of all boroughs; beside moves
    # and returns, nine months make vacancies of 6 %, five would make them 4 %
    - {where: {team: small}, value: 9 months, low: 4 months, high: 14 months, uncertainty: time_to_fill,
       source: assumption of this project, evidence: assumption}
"""
TABLES = ("headcount", "headcount_ranges", "vacancies", "pay", "moves", "skills_overlap", "pools", "hires")
Split = dict[str, dict[str, int]]


def write(name: str, rows: list[dict[str, object]]) -> None:
    """Write one table."""
    with (DATA / f"borough_{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def whole(total: int, weights: dict[str, float]) -> dict[str, int]:
    """Divide people in whole numbers by largest remainders; places without weight are left out."""
    parts = {place: total * weight / sum(weights.values()) for place, weight in weights.items() if weight > 0}
    out = {place: math.floor(part + 1e-9) for place, part in parts.items()}
    by_remainder = sorted(parts, key=lambda place: out[place] - parts[place])
    for place in by_remainder[: total - sum(out.values())]:
        out[place] += 1
    return {place: n for place, n in out.items() if n}


def pharmacies() -> dict[str, float]:
    """Return pharmacies by borough: those known, and the others by residents."""
    table = pd.read_csv(DATA / "boroughs.csv").set_index("place")
    known = table["pharmacies"].dropna()
    others = table.loc[table["pharmacies"].isna(), "residents"]
    rest = others / others.sum() * (PHARMACIES - known.sum())
    found = pd.concat([known, rest])
    return {place: float(found[place]) for place in table.index}


def by_site(environment: str, role: str) -> dict[str, float]:
    """Return people of a role by borough: those of every trust, by its sites."""
    trusts = pd.read_csv(DATA / "trusts_by_band.csv")
    heads = trusts[trusts["role"] == role].groupby("ods_code")["headcount"].sum()
    sites = pd.read_csv(DATA / "trust_sites.csv")
    out: dict[str, float] = {}
    for site in sites[sites["environment"] == environment].itertuples():
        people = float(heads.get(site.ods_code, 0.0))
        if site.ods_code == "RPG":
            people = people - PRISONS[role] if environment == "mental_health" else PRISONS[role]
        out[site.place] = out.get(site.place, 0.0) + people * site.share
    return out


def divided(scenario: pharmsim.Scenario) -> Split:
    """Return jobs (people outside community pharmacy) of every post of the baseline by borough."""
    heads = pd.read_csv(DATA / "headcount.csv").set_index("post")["headcount"]
    networks = pd.read_csv(DATA / "pcn_by_borough.csv").groupby("place")[
        ["pharmacist", "pharmacy_technician"]
    ]
    out: Split = {}
    for post in scenario.posts:
        if post.environment == "community":
            weights = pharmacies()
        elif post.environment == "primary_care":
            weights = networks.sum()[post.role].to_dict()
        elif post.environment == "care_homes":
            weights = dict.fromkeys(NEIGHBOURS, float(CARE_HOMES[post.role]))
        else:
            weights = by_site(post.environment, post.role)
        out[post.post] = whole(int(heads[post.post]), weights)
    return out


WHY = {
    "community": (
        "by pharmacies: those of Lewisham, and the others by residents (boroughs.csv)",
        "assumption",
    ),
    "primary_care": ("by the rows of networks in September 2022 (pcn_by_borough.csv)", "derived"),
    "care_homes": ("the same number in every borough", "assumption"),
}
BY_SITE = ("by the sites of trusts (trust_sites.csv)", "assumption")


def assumed(why: str) -> dict[str, object]:
    """Return the columns that say that a row is an assumption, and why."""
    return {"source": f"{ASSUMED}: {why}", "evidence": "assumption"}


def places(scenario: pharmsim.Scenario, split: Split) -> Iterator[tuple[Post, str, int, float]]:
    """Yield every post of the baseline with a borough, its people there, and their share of the post."""
    for post in scenario.posts:
        for place, n in split[post.post].items():
            yield post, place, n, n / sum(split[post.post].values())


def is_small(post: Post, n: int) -> bool:
    """Say whether a post in a borough is a small team."""
    return n < SMALL and post.environment != "community"


def write_stock(scenario: pharmsim.Scenario, split: Split) -> None:
    """Write posts, headcount, the smallest safe number and pay."""
    base = pd.read_csv(DATA / "headcount.csv").set_index("post")
    per_job = dict(zip(split, 1 / central(scenario.stock.jobs_per_person, scenario, ["post"]), strict=True))
    posts, headcount, safe = [], [], []
    for post, place, n, _ in places(scenario, split):
        name = {"post": f"{post.post}_{place}"}
        axes = {"role": post.role, "environment": post.environment, "place": place}
        team = {"team": "small" if is_small(post, n) else "large"}
        posts.append({**name, **axes, **post.attributes, **team})
        why, grade = WHY.get(post.environment, BY_SITE)
        source, known = base.loc[post.post, ["source", "evidence"]]
        row = {"headcount": n, "source": f"{source}; {ASSUMED}: {why}"}
        headcount.append({**name, **row, "evidence": "assumption" if known == "assumption" else grade})
        least, wanted, most = (max(1, math.ceil(p * n * per_job[post.post] - 1e-9)) for p in SAFE)
        note = {"note": f"half to four fifths would be {least} to {most}"}
        safe.append({**name, "heads": wanted, **assumed("two thirds of the people at the start"), **note})
    pay = pd.read_csv(DATA / "pay.csv").set_index("post")[["pay", "source", "evidence"]]
    axes_of = {post.post: {"role": post.role, "environment": post.environment} for post in scenario.posts}
    write("pay", [{**axes_of[post], **row} for post, row in pay.to_dict("index").items()])
    for table, rows in (("posts", posts), ("headcount", headcount), ("safe_minimum", safe)):
        write(table, rows)


def write_funding(scenario: pharmsim.Scenario, split: Split) -> None:
    """Write ranges of headcount and vacancy rates: small teams have whole people and whole funded posts.

    The funded FTE of a small team are the nearest whole number to what the baseline's vacancy rate makes of
    its FTE, and not less than these: half a post cannot be filled, and who leaves it has no successor.
    """
    ranges = pd.read_csv(DATA / "headcount_ranges.csv", dtype=str).fillna("").assign(team="")
    whole_people = {"team": "small", "factor": 1, **assumed("small teams have whole people")}
    write("headcount_ranges", [*ranges.to_dict("records"), dict.fromkeys(ranges, "") | whole_people])
    rates = pd.read_csv(DATA / "vacancies.csv").fillna("")
    low, high = (rates["vacancy_rate"] * factor for factor in VACANCIES)
    named = rates.assign(post="", low=low.round(5), high=high.round(5), uncertainty="vacancy_rates")
    rate = rates.set_index(["role", "environment"])["vacancy_rate"]
    start = pharmsim.run(scenario, tags=False).data.isel(draw=0, time=0)
    fte_per_head = (start["fte"] / start["headcount"].sum(["group", "contract"])).to_series()
    rows = named.to_dict("records")
    for post, place, n, _ in places(scenario, split):
        if is_small(post, n):
            fte = n * fte_per_head[post.post]
            funded = max(round(fte / (1 - rate[post.role, post.environment])), math.ceil(fte - 1e-9))
            row = {"post": f"{post.post}_{place}", "vacancy_rate": f"{1 - fte / (funded + ROUNDING):.6f}"}
            note = {"note": f"{funded} FTE for {n} people"}
            rows.append(dict.fromkeys(named, "") | row | assumed("small teams have whole posts") | note)
    write("vacancies", rows)


def write_shared(scenario: pharmsim.Scenario, split: Split) -> None:
    """Write pools and a first guess of hires: the baseline's, by the size of the post."""
    for name in ("pools", "hires"):
        base = pd.read_csv(DATA / f"{name}.csv").set_index("post").drop(columns=["source", "evidence"])
        rows = []
        for post, place, n, share in places(scenario, split):
            numbers = {key: f"{value * share:.4f}" for key, value in base.loc[post.post].items()}
            why = "the baseline's, by the size of the post"
            if name == "hires" and is_small(post, n):
                numbers["elsewhere"], why = f"{CANDIDATES:.4f}", "a small team finds a candidate a month"
            elif name == "hires":
                why = "keeps the post at its opening size"
            rows.append({"post": f"{post.post}_{place}", **numbers, **assumed(why)})
        write(name, rows)


def write_moves(scenario: pharmsim.Scenario, split: Split) -> None:
    """Write moves between environments, which stay in the borough where they can, and between boroughs."""
    overlap = pd.read_csv(DATA / "skills_overlap.csv").set_index(["from", "to"])["share"]
    moves, overlaps = [], []
    for edge in pd.read_csv(DATA / "moves.csv").to_dict("records"):
        there = split[edge["to"]]
        for place in split[edge["from"]]:
            ends = {place: 1} if place in there else there
            for end, size in ends.items():
                pair = {"from": f"{edge['from']}_{place}", "to": f"{edge['to']}_{end}"}
                rate = {"rate": f"{edge['rate'] * size / sum(ends.values()):.6g}"}
                source = {"source": f"{edge['source']}; in the same borough if it has the post"}
                moves.append({**pair, **rate, **source, "evidence": "assumption"})
                share = {"share": overlap[edge["from"], edge["to"]]}
                overlaps.append({**pair, **share, "source": "skills_overlap.csv", "evidence": "derived"})
    why = "half of the changes of employer, to neighbouring boroughs by the size of the post"
    calibrated = as_calibrated(scenario).moves
    assert calibrated is not None
    acted_on = calibrated.factor.value  # by which the rates of all edges are multiplied
    for post, place, _, _ in places(scenario, split):
        change = EMPLOYER_CHANGE.get(post.environment, OTHER_EMPLOYER_CHANGE)
        near = {end: split[post.post][end] for end in NEIGHBOURS[place] if end in split[post.post]}
        for end, size in near.items():
            rate = {"rate": f"{change * CROSSING / acted_on * size / sum(near.values()):.6g}"}
            pair = {"from": f"{post.post}_{place}", "to": f"{post.post}_{end}"}
            moves.append({**pair, **rate, **assumed(why)})
    write("moves", moves)
    write("skills_overlap", overlaps)


def write_training(scenario: pharmsim.Scenario, split: Split) -> None:
    """Write first posts of the newly qualified, and apprentices with their routes, by borough."""
    origin = assumed("the baseline's, by the size of the post")

    def shared(cells: Cells, column: str) -> list[dict[str, object]]:
        """Rows of the baseline that name a post, divided among its boroughs."""
        given = {row.where["post"][0]: row.value for row in cells.terms[0].rows if row.where}
        return [
            {"post": f"{post.post}_{place}", column: f"{given[post.post] * share:.10f}", **origin}
            for post, place, _, share in places(scenario, split)
            if post.post in given
        ]

    for name in ("foundation", "technician_trainees"):
        write(name, shared(scenario.pipelines[name].destinations, "share"))
    inside = scenario.pipelines["technician_apprentices"]
    write("apprentices", shared(inside.intake, "intake"))
    routes = [
        {"from": f"{route.from_}_{place}", "to": f"{route.to}_{place}", "share": 1, **origin}
        for route in inside.routes
        for place in split[route.from_]
    ]
    write("routes", routes)


def text(scenario: pharmsim.Scenario) -> str:
    """Return the baseline's yaml with boroughs: tables by borough, and selectors by role and environment."""
    found = (SEL / "baseline.yaml").read_text(encoding="utf-8")
    labels = pd.read_csv(DATA / "boroughs.csv").set_index("place")["label"]
    places = ", ".join(f"{place}: {label}" for place, label in labels.items())
    posts = f"places: {{{places}}}\nposts: {{table: data/borough_posts.csv}}\n"
    found = re.sub(r"^posts:\n(  - .*\n)+", posts, found, flags=re.M)
    found = found.replace("value: vacancy_rate, range: {low: 0.6, high: 1.5}}", "value: vacancy_rate}")
    for name in TABLES:
        found = found.replace(f"data/{name}.csv", f"data/borough_{name}.csv")
    for pipeline in ("foundation", "technician_trainees"):
        head, tail = found.split(f"\n  {pipeline}:\n    kind: external\n")
        table = f"    destinations: {{table: data/borough_{pipeline}.csv, value: share}}\n"
        tail = re.sub(r"    destinations:\n(      .*\n)+", table, tail, count=1)
        found = f"{head}\n  {pipeline}:\n    kind: external\n{tail}"
    head, tail = found.split("\n  technician_apprentices:\n    kind: internal\n")
    table = "    intake: {table: data/borough_apprentices.csv, value: intake, range: {low: 0.4, high: 2}}\n"
    tail = re.sub(r"    intake:\n(      .*\n)+", table, tail, count=1)
    tail = re.sub(
        r"    routes:\n(      .*\n)+", "    routes: {table: data/borough_routes.csv, value: share}\n", tail
    )
    found = f"{head}\n  technician_apprentices:\n    kind: internal\n{tail}"
    for post in scenario.posts:
        found = found.replace(
            f"{{post: {post.post}}}", f"{{role: {post.role}, environment: {post.environment}}}"
        )
    head, tail = found.split("\nemployer_change:\n")
    for rate in (3, 8):
        tail = tail.replace(f"value: {rate} % per year", f"value: {rate * (1 - CROSSING):g} % per year", 1)
    found = f"{head}\nemployer_change:\n{tail}"
    found = found.replace(
        "\nhiring:\n", "\nsafe_minimum: {table: data/borough_safe_minimum.csv, value: heads}\nhiring:\n", 1
    )
    found = found.replace(
        "\n    system: {by: []}\n", "\n    borough: {by: [place]}\n    system: {by: []}\n", 1
    )
    found = found.replace(
        "post_attributes: [sector, staff_group]", "post_attributes: [sector, staff_group, team]", 1
    )
    found = re.sub(r"  time_to_fill: (\{.*)\}\n", FILLED, found)
    found = found.replace("name: South East London baseline", "name: South East London by borough", 1)
    found = found.replace("  15 posts of", "  The baseline by borough, for small teams: 15 posts of", 1)
    return f"{TOP}{found}"


def balance(path: Path, rounds: int = 8) -> None:
    """Set the hires of large teams so that they stand still for two years; bounded below by nothing.

    As in the baseline, with leaving and moves as assumed before calibration: hires were fitted with these.
    """
    posts = pd.read_csv(DATA / "borough_posts.csv")
    large = posts.loc[posts["team"] == "large", "post"]
    for _ in range(rounds):
        heads = (
            pharmsim.run(pharmsim.load(path).model_copy(update={"uncertainties": None}), tags=False)
            .data["headcount"]
            .isel(draw=0)
            .sum(["group", "contract"])
        )
        table = pd.read_csv(DATA / "borough_hires.csv")
        change = np.array(
            [float(heads.sel(post=post)[24] - heads.sel(post=post)[0]) for post in table["post"]]
        )
        wanted = (table["elsewhere"] - 0.8 * change / 2).clip(lower=0.0).round(4)
        table["elsewhere"] = wanted.where(table["post"].isin(large), table["elsewhere"])
        table.to_csv(DATA / "borough_hires.csv", index=False, lineterminator="\n")
    relative = abs(heads.isel(time=24) / heads.isel(time=0) - 1)
    worst = str(relative["post"].values[int(relative.values.argmax())])
    print(
        f"{path.name}: {len(table)} posts; largest change in two years {float(relative.max()):.1%} ({worst})"
    )


def main() -> None:
    """Write the tables and the scenario."""
    scenario = pharmsim.load(SEL / "baseline.yaml")
    split = divided(scenario)
    write_stock(scenario, split)
    write_funding(scenario, split)
    write_shared(scenario, split)
    write_moves(scenario, split)
    write_training(scenario, split)
    (SEL / "boroughs.yaml").write_text(text(scenario), encoding="utf-8")
    balance(SEL / "boroughs.yaml")


if __name__ == "__main__":
    main()
