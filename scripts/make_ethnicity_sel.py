"""Write the South East London scenario by band with ethnicity rather than sex as groups.

    python scripts/make_ethnicity_sel.py

reads ``scenarios/sel/banded.yaml`` and its tables (run ``make_banded_sel.py`` first) and the shares of
``scenarios/sel/data/ethnicity_by_band.csv``, and writes ``scenarios/sel/ethnicity.yaml`` with the tables
``ethnicity_groups.csv``, ``ethnicity_ages.csv`` and ``ethnicity_shorter_hours.csv``. What the scenario by
band says of women and men apart becomes the mean of the two, by role. Nothing is made to differ between
ethnic groups: leaving has a factor of 1 with a range, everything else is the same for all.
"""

from __future__ import annotations

import csv
import re
from pathlib import Path

SEL = Path(__file__).resolve().parent.parent / "scenarios" / "sel"
DATA = SEL / "data"
ASSUMED = "assumption of this project"
TOP = "# Written by scripts/make_ethnicity_sel.py from banded.yaml: change those, not this file.\n"
GROUPS = 'groups: {white: White, bme: "Black, Asian and minority ethnic", not_stated: Not stated}\n'
# First bands of the newly qualified (see make_banded_sel.py): their ethnicity is that of these bands.
ENTRY = {"pharmacist": "band_6", "pharmacy_technician": "band_4"}
FACTOR = """        - rows:  # no difference is known for pharmacy; the range shows what one would do
            - {value: 1}
            - {where: {group: bme}, value: 1, low: 0.85, high: 1.15, uncertainty: leaving_by_ethnicity}
          source: assumption of this project
          evidence: assumption
"""
Rows = list[dict[str, str]]


def read(name: str) -> Rows:
    """Return the rows of one table."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write(name: str, rows: Rows) -> None:
    """Write one table."""
    with (DATA / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def sexes() -> dict[str, dict[str, float]]:
    """Return the shares of women and men by role."""
    out: dict[str, dict[str, float]] = {}
    for row in read("groups.csv"):
        out.setdefault(row["role"], {})[row["group"]] = float(row["share"])
    return out


def groups() -> Rows:
    """Return the shares of ethnic groups, rows by role first and then by band."""
    out: Rows = []
    for row in read("ethnicity_by_band.csv"):
        bme, unknown = float(row["bme"]), float(row["not_stated"])
        shares = {"white": 1 - bme - unknown, "bme": bme, "not_stated": unknown}
        for group, share in shares.items():
            named = {"role": row["role"], "grade": row["grade"], "group": group, "share": f"{share:.4g}"}
            out.append({**named, "source": row["source"], "evidence": row["evidence"]})
    return out


def ages() -> Rows:
    """Return the ages of the scenario by band, women and men together."""
    sums: dict[tuple[str, ...], float] = {}
    by_sex = sexes()
    for row in read("banded_ages.csv"):
        key = (row["role"], row["environment"], row["grade"], row["age"], row["source"], row["evidence"])
        weight = by_sex[row["role"]][row["group"]] if row["group"] else 1.0
        sums[key] = sums.get(key, 0.0) + weight * float(row["share"])
    names = ("role", "environment", "grade", "age")
    return [
        {
            **dict(zip(names, key[:4], strict=True)),
            "share": f"{share:.12g}",
            "source": key[4],
            "evidence": key[5],
        }
        for key, share in sums.items()
    ]


def shorter_hours() -> Rows:
    """Return the rates of cutting hours by role and age, women and men together."""
    out: dict[tuple[str, str], dict[str, str]] = {}
    for role, shares in sexes().items():
        for row in read("shorter_hours.csv"):
            rate = shares[row["group"]] * float(row["rate"])
            key = (role, row["age"])
            before = float(out[key]["rate"]) if key in out else 0.0
            named = {"role": role, "age": row["age"], "rate": f"{before + rate:.6g}"}
            out[key] = {**named, "source": row["source"], "evidence": row["evidence"]}
    return list(out.values())


def career_breaks(women: float, men: float) -> str:
    """Return the rows of the factor of career breaks by role."""
    means = {role: shares["female"] * women + shares["male"] * men for role, shares in sexes().items()}
    lines = [
        f"            - {{where: {{role: {role}}}, value: {mean:.4g}}}\n" for role, mean in means.items()
    ]
    origin = f'          source: "{ASSUMED}: women and men together"\n          evidence: assumption\n'
    return f"        - rows:\n{''.join(lines)}{origin}"


def newly_qualified(text: str) -> str:
    """Replace the groups of the pipelines by those of the first band of their role."""
    known = {(row["role"], row["grade"], row["group"]): row["share"] for row in groups()}

    def replaced(match: re.Match[str]) -> str:
        role = match[1]
        lines = [
            f"      - {{where: {{group: {group}}}, value: {known[role, ENTRY[role], group]}, "
            f'source: "{ASSUMED}: as the first band", evidence: assumption}}\n'
            for group in ("white", "bme", "not_stated")
        ]
        return f"{match[0][: match.start(2) - match.start(0)]}{''.join(lines)}"

    pattern = (
        r"    role: (\w+)\n(?:(?!\n    role:)[\s\S])*?    groups:\n((?:      - \{where: \{group: .*\n)+)"
    )
    return re.sub(pattern, replaced, text)


def write_scenario() -> str:
    """Return the yaml: that of the scenario by band with other groups."""
    text = (SEL / "banded.yaml").read_text(encoding="utf-8").split("\n", 1)[1]
    head, tail = text.split("\npipelines:\n", 1)
    head = re.sub(r"^groups: .*\n", GROUPS, head, flags=re.M)
    head = head.replace("  groups: {table: data/groups.csv", "  groups: {table: data/ethnicity_groups.csv", 1)
    head = re.sub(r"^      groups: \{table: data/groups.csv.*\n", "", head, flags=re.M)  # hires: as in post
    head = head.replace("data/banded_ages.csv", "data/ethnicity_ages.csv")
    head = head.replace("data/shorter_hours.csv", "data/ethnicity_shorter_hours.csv")
    women, men = (rf"group: {sex}\}}, value: ([\d.]+).*\n" for sex in ("female", "male"))
    rows = rf"        - rows:\n            - \{{where: \{{{women}.*{men}"
    head = re.sub(rows, lambda m: career_breaks(float(m[1]), float(m[2])), head)
    by_age = r"(        - \{table: data/leaving_by_age.csv.*\n)"
    head = re.sub(by_age, lambda m: m[1] + FACTOR, head)
    head = head.replace("name: South East London by band", "name: South East London by band and ethnicity", 1)
    return f"{TOP}{head}\npipelines:\n{newly_qualified(tail)}"


def main() -> None:
    """Write the tables and the scenario."""
    write("ethnicity_groups.csv", groups())
    write("ethnicity_ages.csv", ages())
    write("ethnicity_shorter_hours.csv", shorter_hours())
    (SEL / "ethnicity.yaml").write_text(write_scenario(), encoding="utf-8")


if __name__ == "__main__":
    main()
