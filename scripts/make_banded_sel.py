"""Write the South East London baseline with Agenda for Change bands as grades of the trusts' posts.

    python scripts/make_banded_sel.py

reads ``scenarios/sel/baseline.yaml`` and its tables, splits hospital, mental health and integrated care
board posts by band (``trusts_by_band.csv``), and writes ``scenarios/sel/banded.yaml`` with the tables
``scenarios/sel/data/banded_*.csv``. Everything that is a share or a rate by role and environment is the
baseline's. What is new is an assumption and says so: the ages of the bands (older people in higher bands,
with the baseline's ages for all bands together), promotion, and the bands of those who are hired. Hires
by band are found by running the scenario until every band stands still. Job plans differ by band in leading,
which grows with the band and leaves less for clinical care; all bands together keep the plan of their post.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pandas as pd

import pharmsim
from pharmsim.results.measures import yearly_flow
from pharmsim.scenario.expand import age_shares

SEL = Path(__file__).resolve().parent.parent / "scenarios" / "sel"
DATA = SEL / "data"
ASSUMED = "assumption of this project"
GRADED = ("hospital", "mental_health", "icb")
ACUTE = ("RJ1", "RJZ", "RJ2")
FOLD = {"B4": "B6", "B5": "B6", "NonAfC": "B9"}  # three pharmacists at bands 4 and 5; senior managers
FOLDS = {
    "pharmacist": FOLD,
    "pharmacy_technician": {"B8b": "B8a", "B8c": "B8a"},
    "pharmacy_assistant": {"B5": "B4"},
}
PROMOTION = {
    "pharmacist": {"6": 0.30, "7": 0.15, "8a": 0.04, "8b": 0.04, "8c": 0.05, "8d": 0.05},
    "pharmacy_technician": {"4": 0.35, "5": 0.07, "6": 0.05, "7": 0.06},
    "pharmacy_assistant": {"2": 0.15, "3": 0.02},
}
MEAN_AGE = {
    "2": 30,
    "3": 36,
    "4": 30,
    "5": 34,
    "6": 30,
    "7": 33,
    "8a": 38,
    "8b": 43,
    "8c": 47,
    "8d": 50,
    "9": 52,
}
MEAN_AGE_ASSISTANT = {"2": 33, "3": 38, "4": 42}
ENTRY = {"pharmacist": "7", "pharmacy_technician": "5", "pharmacy_assistant": "2"}
# First bands of the newly qualified: band 6 and 4, and posts that run through to the next band.
NEW = {"pharmacist": {"6": 0.8, "7": 0.2}, "pharmacy_technician": {"5": 0.6, "4": 0.4}}
TOP = "# Written by scripts/make_banded_sel.py from baseline.yaml: change those, not this file.\n"
FIRST_POSTS = r"""  time_to_fill:
    - \1
    # bands that newly qualified people enter are advertised ahead of their registration
    - {where: {role: pharmacist, grade: band_6}, value: 0, source: ASSUMED, evidence: assumption}
    - {where: {role: pharmacy_technician, grade: band_4}, value: 0, source: ASSUMED, evidence: assumption}
"""
LADDER = """promotions:
  edges: {table: data/banded_promotions.csv, value: rate, range: {low: 0.6, high: 1.5}}
"""
# How much of their time people lead, relative to each other; `plans_by_band` scales it to the post's mean.
LEADING = {
    "pharmacist": {"6": 1, "7": 2, "8a": 4, "8b": 7, "8c": 10, "8d": 14, "9": 18},
    "pharmacy_technician": {"4": 1, "5": 2, "6": 5, "7": 10, "8a": 15},
    "pharmacy_assistant": {"2": 1, "3": 2, "4": 6},
}
LEAST_SERVICE = 0.05
AGE_BANDS = [(16, 24), *((a, a + 4) for a in range(25, 75, 5))]
Rows = list[list[object]]


def write(name: str, columns: list[str], rows: Rows) -> None:
    """Write one table."""
    with (DATA / name).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([columns, *rows])


def read(name: str) -> list[dict[str, str]]:
    """Return the rows of one table."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def bands(scenario: pharmsim.Scenario) -> dict[str, dict[str, float]]:
    """Return people by band of every graded post of the baseline, bands in their order."""
    table = pd.read_csv(DATA / "trusts_by_band.csv")
    heads = {post.post: h for post, h in zip(scenario.posts, opening(scenario), strict=True)}
    prisons = {p.role: heads[p.post] for p in scenario.posts if p.environment == "health_justice"}
    out: dict[str, dict[str, float]] = {}
    for post in scenario.posts:
        if post.environment not in GRADED:
            continue
        rows = table[table["role"] == post.role].copy()
        rows["band"] = rows["band"].replace(FOLDS[post.role])
        if post.environment == "icb":
            rows = rows[rows["ods_code"] == "QKK"].replace({"band": {"B9": "B8d"}})
        elif post.environment == "hospital":
            rows = rows[rows["ods_code"].isin(ACUTE)]
        else:  # two mental health trusts, less the prisons of one of them
            rows = rows[rows["ods_code"].isin(["RPG", "RV5"])]
            one = rows["ods_code"] == "RPG"
            kept = 1.0 - prisons[post.role] / rows.loc[one, "headcount"].sum()
            rows["headcount"] = np.where(one, rows["headcount"] * kept, rows["headcount"])
        found = rows.groupby("band")["headcount"].sum()
        out[post.post] = {band[1:]: float(found[band]) for band in sorted(found.index) if found[band] > 0}
        assert abs(sum(out[post.post].values()) - heads[post.post]) < 1e-6, post.post
    return out


def opening(scenario: pharmsim.Scenario) -> np.ndarray:
    """Return jobs by post as the baseline's table has them."""
    table = pd.read_csv(DATA / "headcount.csv").set_index("post")["headcount"]
    return np.array([table[post.post] for post in scenario.posts])


def name_of(post: str, band: str) -> str:
    """Return the name of a post with its band."""
    return f"{post}_band_{band}" if band else post


def ages_by_band(shares: np.ndarray, first: int, heads: dict[str, float], role: str) -> np.ndarray:
    """Return ages (bands of years) of every grade, shape (grade, age band), each row summing to one.

    Iterative proportional fitting: ages of all grades together are those of the baseline.
    """
    means = MEAN_AGE_ASSISTANT if role == "pharmacy_assistant" else MEAN_AGE
    ages = np.array([shares[max(low - first, 0) : high - first + 1].sum() for low, high in AGE_BANDS])
    centre = np.array([(low + high + 1) / 2 for low, high in AGE_BANDS])
    size = np.array(list(heads.values())) / sum(heads.values())
    table = np.array([np.exp(-0.5 * ((centre - means[band]) / 9.0) ** 2) for band in heads])
    for _ in range(500):
        table *= (ages / np.maximum(table.sum(axis=0), 1e-300))[None, :]
        table *= (size / table.sum(axis=1))[:, None]
    return table / table.sum(axis=1, keepdims=True)


def write_stock(scenario: pharmsim.Scenario, graded: dict[str, dict[str, float]]) -> None:
    """Write posts, headcount, ages and pay."""
    posts: Rows = []
    headcount: Rows = []
    ages: Rows = []
    pay: Rows = []
    base = pd.read_csv(DATA / "headcount.csv").set_index("post")
    pays = pd.read_csv(DATA / "pay.csv").set_index("post")
    by_band = pd.read_csv(DATA / "pay_by_band.csv").set_index("grade")
    shares = age_shares(scenario.stock.ages, scenario)
    for p, post in enumerate(scenario.posts):
        heads = graded.get(post.post, {"": float(base.loc[post.post, "headcount"])})
        fitted = [
            ages_by_band(shares[p, g], scenario.ages.first, heads, post.role)
            for g in range(len(scenario.groups) if "" not in heads else 0)
        ]
        for i, (band, number) in enumerate(heads.items()):
            name, grade = name_of(post.post, band), f"band_{band}" if band else ""
            posts.append([name, post.role, post.environment, grade, *post.attributes.values()])
            origin = base.loc[post.post, ["source", "evidence"]]
            headcount.append([name, f"{number:g}", *origin])
            known = by_band.loc[grade] if band else pays.loc[post.post]
            pay.append([name, known["middle" if band else "pay"], known["source"], known["evidence"]])
            for group, own in zip(scenario.groups, fitted, strict=False):
                for k, (low, high) in enumerate(AGE_BANDS):
                    row = [post.role, post.environment, grade, group, f"{low}-{high}", f"{own[i, k]:.10f}"]
                    ages.append([*row, f"{ASSUMED}: baseline ages, older in higher bands", "assumption"])
    write("banded_posts.csv", ["post", "role", "environment", "grade", *scenario.post_attributes], posts)
    write("banded_headcount.csv", ["post", "headcount", "source", "evidence"], headcount)
    write("banded_pay.csv", ["post", "pay", "source", "evidence"], pay)
    columns = ["role", "environment", "grade", "group", "age", "share", "source", "evidence"]
    kept: Rows = [
        [row["role"], row["environment"], "", *(row[key] for key in columns[3:])] for row in read("ages.csv")
    ]
    write("banded_ages.csv", columns, [*kept, *ages])


def plans_by_band(plan: dict[str, float], heads: dict[str, float], role: str) -> dict[str, dict[str, float]]:
    """Return the job plan of every band of a post.

    Parameters
    ----------
    plan : dict
        Share of the time at work by part, of the whole post.
    heads : dict
        People by band.
    role : str

    Returns
    -------
    dict
        By band: shares that sum to one. Weighted by people, every part has its share of the whole post.
    """
    size = np.array(list(heads.values())) / sum(heads.values())
    weight = np.array([LEADING[role][band] for band in heads], dtype=float)
    room = plan["leading"] + plan["clinical"] + plan["dispensing"] - LEAST_SERVICE
    low, high = 0.0, 1.0
    for _ in range(60):  # the scale at which leading has its share of the whole post
        scale = (low + high) / 2
        more = float(size @ np.minimum(scale * weight, room)) > plan["leading"]
        low, high = (low, scale) if more else (scale, high)
    leading = np.minimum(high * weight, room)
    service = plan["clinical"] + plan["dispensing"]
    out = {}
    for band, share in zip(heads, leading, strict=True):
        factor = (service + plan["leading"] - share) / service
        own = {part: plan[part] * factor for part in ("clinical", "dispensing")}
        out[band] = plan | own | {"leading": float(share)}
    return out


def write_plans(graded: dict[str, dict[str, float]], roles: dict[str, tuple[str, str]]) -> None:
    """Write the job plans: rows of the baseline, then those of the bands."""
    base = read("job_plans.csv")
    parts = ["clinical", "dispensing", "supervision", "training", "leading", "administration"]
    rows: Rows = [
        [row["role"], row["environment"], "", *(row[part] for part in parts), row["source"], row["evidence"]]
        for row in base
    ]
    for post, heads in graded.items():
        role, environment = roles[post]
        row = next(row for row in base if (row["role"], row["environment"]) == (role, environment))
        plans = plans_by_band({part: float(row[part]) for part in parts}, heads, role)
        for band, plan in plans.items():
            rounded = {part: round(plan[part], 4) for part in parts}
            rounded["clinical"] = round(rounded["clinical"] + 1 - sum(rounded.values()), 4)
            origin = [f"{ASSUMED}: plan of the post, more leading in higher bands", "assumption"]
            shares = [f"{rounded[part]:g}" for part in parts]
            rows.append([role, environment, f"band_{band}", *shares, *origin])
    write("banded_job_plans.csv", ["role", "environment", "grade", *parts, "source", "evidence"], rows)


def ends(graded: dict[str, dict[str, float]], start: str, to: str, role: str) -> list[tuple[str, str]]:
    """Return the pairs of posts by band that stand for one edge of the baseline."""
    entry = ENTRY[role]
    if start not in graded and to not in graded:
        return [(start, to)]
    if start not in graded:
        band = entry if entry in graded[to] else next(iter(graded[to]))
        return [(start, name_of(to, band))]
    if to not in graded:
        return [(name_of(start, band), to) for band in graded[start]]
    return [(name_of(start, band), name_of(to, band)) for band in graded[start] if band in graded[to]]


def write_flows(scenario: pharmsim.Scenario, graded: dict[str, dict[str, float]]) -> None:
    """Write moves, skills overlap, promotions, training, pools and a first guess of hires."""
    roles = {post.post: post.role for post in scenario.posts}
    moves: Rows = []
    overlaps: Rows = []
    share = {
        (row["from"], row["to"]): row["share"] for row in csv.DictReader((DATA / "skills_overlap.csv").open())
    }
    for row in csv.DictReader((DATA / "moves.csv").open(encoding="utf-8")):
        for start, to in ends(graded, row["from"], row["to"], roles[row["from"]]):
            moves.append([start, to, row["rate"], row["source"], "assumption"])
            known = share[row["from"], row["to"]]
            overlaps.append([start, to, known, "skills_overlap.csv", "derived"])
    write("banded_moves.csv", ["from", "to", "rate", "source", "evidence"], moves)
    write("banded_skills_overlap.csv", ["from", "to", "share", "source", "evidence"], overlaps)
    ladder: Rows = []
    for post, heads in graded.items():
        for low, high in zip(list(heads), list(heads)[1:], strict=False):
            rate = PROMOTION[roles[post]].get(low, 0.05)
            ladder.append([name_of(post, low), name_of(post, high), rate, ASSUMED, "assumption"])
    write("banded_promotions.csv", ["from", "to", "rate", "source", "evidence"], ladder)
    pools = pd.read_csv(DATA / "pools.csv").set_index("post")
    hires = pd.read_csv(DATA / "hires.csv").set_index("post")
    pool_rows: Rows = []
    hire_rows: Rows = []
    for post in roles:
        heads = graded.get(post, {"": 1.0})
        for band, number in heads.items():
            part = number / sum(heads.values())
            first = band == next(iter(heads))
            pooled = [round(part * pools.loc[post, key], 3) for key in ("career_break", "left_profession")]
            pool_rows.append([name_of(post, band), *pooled, ASSUMED, "assumption"])
            guess = [part * hires.loc[post, "elsewhere"], hires.loc[post, "abroad"] * first]
            hire_rows.append([name_of(post, band), *(round(x, 2) for x in guess), ASSUMED, "assumption"])
    write("banded_pools.csv", ["post", "career_break", "left_profession", "source", "evidence"], pool_rows)
    write("banded_hires.csv", ["post", "elsewhere", "abroad", "source", "evidence"], hire_rows)


def write_training(scenario: pharmsim.Scenario, graded: dict[str, dict[str, float]]) -> str:
    """Write the yaml: the baseline's text with its own tables, destinations and routes replaced."""
    roles = {post.post: post.role for post in scenario.posts}
    text = (SEL / "baseline.yaml").read_text(encoding="utf-8")
    for name in ("headcount", "ages", "moves", "skills_overlap", "pools", "hires", "pay", "job_plans"):
        text = text.replace(f"data/{name}.csv", f"data/banded_{name}.csv")
    text = re.sub(r"^posts:\n(  - .*\n)+", "posts: {table: data/banded_posts.csv}\n", text, flags=re.M)
    names = sorted({band for heads in graded.values() for band in heads})
    labels = "".join(f"  band_{band}: Band {band}\n" for band in names)
    text = text.replace("groups: {female", f"grades:\n{labels}groups: {{female", 1)
    text = text.replace("employer_change:\n", f"{LADDER}employer_change:\n", 1)

    def trained(match: re.Match[str]) -> str:
        post, rest = match[1], match[2]
        if post not in graded:
            return match[0]
        heads = NEW.get(roles[post], graded[post])
        value = float(rest.removeprefix("value: "))
        parts = [(name_of(post, band), value * n / sum(heads.values())) for band, n in heads.items()]
        return "\n        - ".join(f"{{where: {{post: {name}}}, value: {part:.4f}}}" for name, part in parts)

    head, tail = text.split("\npipelines:\n", 1)
    tail = re.sub(r"\{where: \{post: (\w+)\}, (value: [\d.]+)\}", trained, tail)

    def routes(match: re.Match[str]) -> str:
        start, to = match[1], match[2]
        target = name_of(to, next(iter(NEW[roles[to]]))) if to in graded else to
        found = [name_of(start, band) for band in graded.get(start, {"": 1.0})]
        return "".join(f"      - {{from: {name}, to: {target}}}\n" for name in found)

    tail = re.sub(r"      - \{from: (\w+), to: (\w+)\}\n", routes, tail)
    text = f"{head}\npipelines:\n{tail}"
    first = FIRST_POSTS.replace("ASSUMED", ASSUMED)
    text = re.sub(r"  time_to_fill: (\{.*\})\n", first, text)
    text = text.replace("name: South East London baseline", "name: South East London by band", 1)
    return f"{TOP}{text}"


def balance(path: Path, rounds: int = 12) -> None:
    """Set the hires of every post so that it stands still for two years; bounded below by nothing.

    As in the baseline, with leaving and moves as assumed before calibration: hires were fitted with these.
    """
    for _ in range(rounds):
        scenario = pharmsim.load(path).model_copy(update={"uncertainties": None})
        data = pharmsim.run(scenario, tags=False).data
        heads = data["headcount"].isel(draw=0).sum(["group", "contract"])
        table = pd.read_csv(DATA / "banded_hires.csv")
        for i, post in enumerate(table["post"]):
            series = heads.sel(post=post).values
            wanted = float(table["elsewhere"].iloc[i]) - 0.8 * (series[24] - series[0]) / 2
            table.loc[i, "elsewhere"] = round(max(wanted, 0.0), 2)
        table.to_csv(DATA / "banded_hires.csv", index=False, lineterminator="\n")
    joiners = yearly_flow(data, "joiners").isel(draw=0, year_from=0).sum().item()
    change = abs(heads.isel(time=24) / heads.isel(time=0) - 1)
    print(f"{path.name}: {len(table)} posts, {joiners:.0f} joiners in the first year")
    most = str(change["post"].values[int(change.values.argmax())])
    print(f"largest change of a post in two years: {float(change.max()):.1%} ({most})")


def main() -> None:
    """Write the tables and the scenario."""
    scenario = pharmsim.load(SEL / "baseline.yaml")
    graded = bands(scenario)
    write_stock(scenario, graded)
    write_flows(scenario, graded)
    write_plans(graded, {post.post: (post.role, post.environment) for post in scenario.posts})
    (SEL / "banded.yaml").write_text(write_training(scenario, graded), encoding="utf-8")
    balance(SEL / "banded.yaml")


if __name__ == "__main__":
    main()
