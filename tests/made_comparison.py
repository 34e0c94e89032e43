"""A comparison's folder made by hand, from the columns that its files have: nothing is run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd

ROLES = {"chemist": "Chemist", "helper": "Helper"}
PLACES = {"shop": "Shops", "ward": "Wards <i>&", "clinic": "Clinics"}
DATES = ("2028-04-01", "2030-10-01", "2035-10-01")
MONTHS = [f"{year}-{month}-01" for year in range(2025, 2036) for month in ("01", "04", "07", "10")][3:]
MOVED = {
    ("chemist", "shop"): -3.0,
    ("chemist", "ward"): 9.0,
    ("helper", "shop"): 1.5,
    ("helper", "clinic"): -0.5,
}
"""Difference in FTE at the last date."""
SHARES = {"median": 1.0, "p5": 0.4, "p25": 0.8, "p75": 1.25, "p95": 1.7}


def spread(value: float, draws: bool = True, crosses: bool = False) -> dict[str, float]:
    """Percentiles around a value; across zero if asked."""
    if not draws:
        return {}
    found = {name: value * factor for name, factor in SHARES.items()}
    found |= {"p5": -0.6 * value, "p25": 0.2 * value} if crosses else {}
    low = dict(zip(("p5", "p25", "median", "p75", "p95"), sorted(found.values()), strict=True))
    return {name: low[name] for name in ("median", "p5", "p25", "p75", "p95")}


def write(
    folder: Path, names: tuple[str, ...] = ("Rotation",), draws: bool = True, explained: bool = True
) -> Path:
    """Write the folder.

    Parameters
    ----------
    folder : Path
    names : tuple of str
        Scenarios; the first has effects that are assumptions.
    draws : bool
        Whether draws were run.
    explained : bool
        With attribution, break-even and grounds.
    """
    folder.mkdir(parents=True)
    tables = {
        "differences": [row for name in names for row in differences(name, draws)],
        "trajectories": [row for name in ("", *names) for row in trajectories(name, draws)],
        "flows": [row for name in names for row in flows(name, draws)],
        "displacement": [row for name in names for row in displacement(name, draws)],
        "costs": [row for name in names for row in costs(name, draws)],
        "levers": [row for i, name in enumerate(names) for row in levers(name, i == 0)],
    }
    if explained:
        tables["attribution"] = [row for name in names for row in attribution(name, draws)]
        tables["break_even"] = break_even(names[0], draws)
        tables["grounds"] = [row for name in names for row in grounds(name)]
    for table, rows in tables.items():
        pd.DataFrame(rows).to_csv(folder / f"{table}.csv", index=False)
    (folder / "figures").mkdir()
    (folder / "figures" / "costs.svg").write_text(PICTURE, encoding="utf-8")
    entries = [scenario(folder, i, title) for i, title in enumerate(("base", *names))]
    made = {
        "pharmsim": "0.1.0", "git": {"commit": "abc", "dirty": False}, "written": "2026-11-22T01:00:00+00:00",
        "command": ["pharmsim", "compare", "base.yaml", "x.yaml"], "seed": 1, "n_draws": 100 if draws else 0,
        "step": "month",
        "environment": {"processor": "p", "platform": "q", "python": "3", "engine_sources": "e"},
        "kind": "comparison", "warnings": ["Rotation has no post <x>"], "scenarios": entries,
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(made), encoding="utf-8")
    return folder


PICTURE = (
    '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">'
    '<text style="font: 700 12px sans-serif">What &lt;it&gt; costs</text></svg>'
)


def scenario(folder: Path, i: int, title: str) -> dict[str, Any]:
    """Files of one run, and its entry in the manifest."""
    place = folder / "scenarios" / f"{i:02d}"
    place.mkdir(parents=True)
    name = "Base <town> & co" if title == "base" else title
    described = {"name": name, "roles": ROLES, "environments": PLACES}
    (place / "scenario.json").write_text(json.dumps(described), encoding="utf-8")
    rows = [
        {"id": f"leaving.{j}", "where": "role = chemist", "value": 0.1 + j + i, "low": 0.05, "high": 0.2,
         "unit": "per year", "source": "", "evidence": grade, "note": "guess <of> ours"}
        for j, grade in enumerate(("published", "derived", "assumption", "assumption"))
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(place / "assumptions.csv", index=False)
    told = [] if i else ["feedbacks.training: changed nothing"]
    return {
        "title": title, "folder": f"scenarios/{i:02d}", "scenario": {"name": name, "sha256": f"{i}" * 64},
        "files": [{"path": "base.yaml", "sha256": "d" * 64}], "warnings": told, "results": {},
    }  # fmt: skip


def _cells() -> dict[tuple[str, str], float]:
    """Differences of every role × environment and their sums."""
    found = dict(MOVED)
    for (role, place), value in MOVED.items():
        for key in ((role, "all"), ("all", place), ("all", "all")):
            found[key] = found.get(key, 0.0) + value
    return found


def differences(name: str, draws: bool) -> list[dict[str, Any]]:
    """Rows of differences.csv."""
    rows = []
    for i, date in enumerate(DATES):
        share = (i + 1) / len(DATES)
        for (role, place), value in _cells().items():
            for quantity, unit, factor in (("headcount", "heads", 1.2), ("delivered_fte", "FTE", 0.8)):
                moved = value * share * factor
                rows.append(_difference(name, date, quantity, unit, moved, 100.0, draws, role, place))
        whole = (
            ("vacancy_rate", "share", -0.004),
            ("pressure", "ratio", -0.01),
            ("shortfall_fte", "FTE", -2.0),
        )
        rows += [_difference(name, date, q, unit, v * share, 0.1, draws) for q, unit, v in whole]
        for level in ("post", "system"):
            row = _difference(name, date, "stability_index", "share", 0.006 * share, 0.9, draws)
            rows.append({**row, "level": level, "over": "year", "year_from": "2027-04-01"})
        row = _difference(name, date, "pay_bill", "GBP", 2.5e6 * share, 1e8, draws)
        rows.append({**row, "over": "cumulated"})
    return rows


def _difference(
    name: str, date: str, quantity: str, unit: str, value: float, base: float, draws: bool,
    role: str = "all", place: str = "all",
) -> dict[str, Any]:  # fmt: skip
    row: dict[str, Any] = {"scenario": name, "date": date, "year_from": "", "quantity": quantity, "level": ""}
    row |= {"role": role, "environment": place, "unit": unit, "over": "date"}
    row |= {"base": base, "value": base + value, "difference": value}
    row |= spread(value, draws, crosses=quantity == "vacancy_rate")
    return row | ({"p_better": 0.97} if draws else {})


def trajectories(name: str, draws: bool) -> list[dict[str, Any]]:
    """Rows of trajectories.csv; those of the base have no name."""
    rows = []
    moved = (("headcount", "", "heads", 12.0), ("delivered_fte", "", "FTE", 7.0))
    moved += (("vacancy_rate", "", "share", -0.004), ("stability_index", "system", "share", 0.006))  # type: ignore[assignment]
    level = {"headcount": 800.0, "delivered_fte": 600.0, "vacancy_rate": 0.1, "stability_index": 0.9}
    for quantity, of, unit, most in moved:
        for i, date in enumerate(MONTHS):
            value = most * i / len(MONTHS) if name else 0.0
            at = level[quantity] * (1.0 + 0.01 * i / len(MONTHS))
            row: dict[str, Any] = {
                "scenario": name,
                "date": date,
                "quantity": quantity,
                "level": of,
                "role": "all",
            }
            row |= {"environment": "all", "unit": unit, "central": at + value}
            row |= {key: x + at for key, x in spread(value + 0.01 * at, draws).items()}
            if name:
                row |= {"difference_central": value}
                row |= {f"difference_{key}": x for key, x in spread(value, draws).items()}
            rows.append(row)
    return rows


def flows(name: str, draws: bool) -> list[dict[str, Any]]:
    """Rows of flows.csv."""
    found = [
        ("newly_qualified", "chemist/shop", "source", "post", 200.0, 0.0),
        ("newly_qualified", "chemist/ward", "source", "post", 150.0, 4.0),
        ("chemist/shop", "chemist/ward", "post", "post", 60.0, 8.0),
        ("helper/shop", "chemist/shop", "post", "post", 20.0, 0.4),
        ("chemist/shop", "left <for> good", "post", "destination", 120.0, -1.0),
        ("chemist/ward", "retirement", "post", "destination", 90.0, -5.0),
        ("helper/clinic", "retirement", "post", "destination", 0.2, -0.01),
    ]
    return [
        {"scenario": name, "from": one, "to": other, "from_kind": a, "to_kind": b, "base": base,
         "value": base + moved, "difference": moved, **spread(moved, draws)}
        for one, other, a, b, base, moved in found
    ]  # fmt: skip


def displacement(name: str, draws: bool) -> list[dict[str, Any]]:
    """Rows of displacement.csv."""
    rows = []
    for date in DATES:
        for role, gained, lost, who in (("chemist", 7.2, 2.4, "shop"), ("all", 7.6, 2.0, "shop; clinic")):
            row: dict[str, Any] = {"scenario": name, "role": role, "quantity": "delivered_fte", "unit": "FTE"}
            row |= {"date": date}
            parts = {
                "gained": gained,
                "lost_elsewhere": lost,
                "per_gained": lost / gained,
                "net": gained - lost,
            }
            for part, value in parts.items():
                row |= {part: value, **{f"{part}_{key}": x for key, x in spread(value, draws).items()}}
            rows.append({**row, "losers": who})
    return rows


def costs(name: str, draws: bool) -> list[dict[str, Any]]:
    """Rows of costs.csv."""
    items = {"pay_bill": 2.5e6, "cover_cost": -4e5, "programme_cost": 6e5, "all": 2.7e6}
    rows = [
        {
            "scenario": name,
            "item": item,
            "unit": "GBP",
            "date": DATES[-1],
            "central": value,
            **spread(value, draws),
        }
        for item, value in items.items()
    ]
    row: dict[str, Any] = {"scenario": name, "item": "per_delivered_fte_year", "unit": "GBP per FTE-year"}
    row |= {"date": DATES[-1], "central": 61000.0, **spread(61000.0, draws), "words": ""}
    return [*rows, row | ({"share_with_gain": 0.98} if draws else {})]


def levers(name: str, assumed: bool) -> list[dict[str, Any]]:
    """Rows of levers.csv."""
    told = {
        "scenario": name,
        "level": "system",
        "category": "reform",
        "start": "2026-04",
        "ramp": 12,
        "end": "",
    }
    grade = "assumption, published" if assumed else "published"
    return [
        {**told, "name": "rotation", "title": "Rotational <roles>", "reach": "role: Chemist", "uptake": 0.25,
         "evidence": grade, "effects": "leaving × 0.95 (0.9 to 0.98) (claimed); transition time = 2"},
        {**told, "name": "career", "title": "Career ladders", "reach": "everybody", "uptake": 0.5,
         "evidence": "published", "effects": "leaving × 0.9 (0.85 to 0.95)"},
    ]  # fmt: skip


def attribution(name: str, draws: bool) -> list[dict[str, Any]]:
    """Rows of attribution.csv."""
    rows = []
    parts = {"rotation": (2.0, 2.5), "career": (3.6, 3.9), "interaction": (-0.8, None), "total": (5.6, None)}
    for quantity, over, unit in (
        ("delivered_fte", "date", "FTE"),
        ("delivered_fte", "cumulated", "FTE-years"),
    ):
        for lever, (value, alone) in parts.items():
            row: dict[str, Any] = {"scenario": name, "quantity": quantity, "level": "", "over": over}
            row |= {"date": DATES[-1], "unit": unit, "lever": lever, "value": value}
            points = {key: x for key, x in spread(value, draws).items() if key in ("median", "p5", "p95")}
            rows.append(row | points | {"alone": alone, "method": "exact", "error": 0.0})
    return rows


def break_even(name: str, draws: bool) -> list[dict[str, Any]]:
    """Rows of break_even.csv."""
    told: dict[str, Any] = {"scenario": name, "lever": "rotation", "effect": "leaving", "unit": "%"}
    told |= {"assumed": -5.0, "low": -10.0, "high": -2.0}
    ends = {"p5": -3.0, "p95": -1.1, "p_reached": 0.91} if draws else {}
    none = {"p5": None, "p95": None, "p_reached": 0.0} if draws else {}
    return [
        {**told, "break_even": -2.1, **ends, "criterion": "no delivered FTE-year is lost until October 2035",
         "found": "needs a fall of 2.1 % in leaving (90 % of draws: 1.1 to 3); assumed: 5 (2 to 10)"},
        {**told, "break_even": None, **none, "criterion": "an FTE-year costs no more than cover (£90,000)",
         "found": "not within reach: not even with a fall of 25 % in leaving"},
    ]  # fmt: skip


def grounds(name: str) -> list[dict[str, Any]]:
    """Rows of grounds.csv."""
    told = {"scenario": name, "quantity": "delivered_fte", "over": "date", "date": DATES[-1], "unit": "FTE"}
    return [
        {**told, "grade": "published", "value": 3.6, "difference": 5.6, "share": 0.64},
        {**told, "grade": "assumption", "value": 2.0, "difference": 5.6, "share": 0.36},
    ]
