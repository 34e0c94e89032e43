"""Write the tables of the primary care networks of the 42 integrated care boards.

    python scripts/make_icb42.py [INDIVIDUAL_LEVEL.csv]

writes the tables of ``scenarios/national/icb42.yaml``, and its places, from ``data/pcn_by_icb.csv``. That
table is counted first if a file "Primary Care Networks, individual level" of NHS England is given. It is
a test of scale: boards differ in their people and in their neighbours.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pandas as pd

NATIONAL = Path(__file__).resolve().parent.parent / "scenarios" / "national"
ASSUMED = "assumption of this project"
SOURCE = (
    "NHS England, Primary Care Network Workforce, September 2022, individual level "
    "(Open Government Licence v3.0)"
)
ROLES = {"Pharmacists": "pharmacist", "Pharmacy Technicians": "pharmacy_technician"}
NAME = "icb42.yaml"
MOVES = 0.03
"""People who move to another board of the region, a share a year; by the size of the post there."""
PART_TIME = 0.9
"""Rows below this many FTE are part-time, as in South East London."""


def count(file: Path) -> pd.DataFrame:
    """Count people, FTE and part-timers by board and role in a file of individual level.

    Direct staff are counted by their identifiers; contracted services have none: a row is one.
    """
    rows = pd.read_csv(file, dtype=str, encoding="cp1252").assign(
        fte=lambda table: pd.to_numeric(table["FTE"]), role=lambda table: table["STAFF_ROLE"].map(ROLES)
    )
    rows = rows[rows["role"].notna()]
    direct = rows["Data_source"] == "NWRS Staff"
    rows["person"] = rows["UNIQUE_IDENTIFIER"].where(direct, "row " + rows.index.astype(str))
    made = rows.groupby(["ICB_CODE", "ICB_NAME", "COMM_REGION_CODE", "role"], as_index=False).agg(
        people=("person", "nunique"),
        fte=("fte", "sum"),
        part_time=("fte", lambda fte: int((fte < PART_TIME).sum())),
    )
    made.columns = pd.Index(["icb_code", "icb_name", "region_code", "role", "people", "fte", "part_time"])
    made["fte"] = made["fte"].round(3)
    return made.assign(source=SOURCE, evidence="derived")


def boards(table: pd.DataFrame) -> dict[str, str]:
    """Return the label of every board by the name of its place."""
    names = table.drop_duplicates("icb_code").set_index("icb_code")["icb_name"]
    return {code.lower(): re.sub(r"^NHS | ICB$", "", name.strip()) for code, name in names.items()}


def write_tables(table: pd.DataFrame, folder: Path) -> None:
    """Write posts, headcount and moves."""
    table = table.assign(place=table["icb_code"].str.lower())
    table["post"] = table["role"] + "_" + table["place"]
    posts = table[["post", "role", "place"]].assign(environment="primary_care", region=table["region_code"])
    posts.to_csv(folder / "posts.csv", index=False, lineterminator="\n")
    heads = table[["post", "people", "source", "evidence"]]
    heads.to_csv(folder / "headcount.csv", index=False, lineterminator="\n")
    pairs = table.merge(table, on=["role", "region_code"], suffixes=("", "_to"))
    pairs = pairs[pairs["place"] != pairs["place_to"]]
    there = pairs.groupby("post")["people_to"].transform("sum")
    moves = pd.DataFrame(
        {"from": pairs["post"], "to": pairs["post_to"], "rate": (MOVES * pairs["people_to"] / there).round(6)}
    )
    moves["source"] = f"{ASSUMED}: 3 % a year to other boards of the region, by the size of the post"
    moves.assign(evidence="assumption").to_csv(folder / "moves.csv", index=False, lineterminator="\n")


def write_contracts(table: pd.DataFrame, folder: Path) -> None:
    """Write part-time shares, and FTE per part-timer, of both roles in England."""
    rows = []
    for role, of in table.groupby("role"):
        people, fte, part = (float(of[name].sum()) for name in ("people", "fte", "part_time"))
        share = part / people
        each = {"full_time": (1 - share, 1.0), "part_time": (share, (fte - (people - part)) / part)}
        for contract, (of_all, per_head) in each.items():
            numbers = {"share": f"{of_all:.4f}", "fte_per_head": f"{per_head:.4f}"}
            rows.append(
                {"role": role, "contract": contract, **numbers, "source": SOURCE, "evidence": "derived"}
            )
    pd.DataFrame(rows).to_csv(folder / "contracts.csv", index=False, lineterminator="\n")


def make(table: pd.DataFrame, folder: Path) -> Path:
    """Write the scenario of the boards in a table, and its tables, into a folder."""
    (folder / "data").mkdir(parents=True, exist_ok=True)
    write_tables(table, folder / "data")
    write_contracts(table, folder / "data")
    labels = ", ".join(f'{place}: "{label}"' for place, label in boards(table).items())
    text = (NATIONAL / NAME).read_text(encoding="utf-8")
    text = re.sub(r"^places: .*$", f"places: {{{labels}}}", text, flags=re.M)
    (folder / NAME).write_text(text, encoding="utf-8")
    return folder / NAME


def main(arguments: list[str]) -> None:
    """Write the scenario and its tables."""
    known = NATIONAL / "data" / "pcn_by_icb.csv"
    if arguments:
        count(Path(arguments[0])).to_csv(known, index=False, lineterminator="\n")
    make(pd.read_csv(known), NATIONAL)


if __name__ == "__main__":
    main(sys.argv[1:])
