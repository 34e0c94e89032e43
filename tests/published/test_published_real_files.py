"""The published files: in the folder PHARMSIM_NHS_DATA, or shared/data/nhs beside the repository."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from made_published import finding, value
from pharmsim import published

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("PHARMSIM_NHS_DATA") or ROOT.parent / "shared" / "data" / "nhs")
NETWORKS = {"2020-03-31": "March 2020", "2021-06-30": "June 2021", "2022-09-30": "September 2022"}

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"the published files are not at {FOLDER.name}/: set PHARMSIM_NHS_DATA"
)


def networks() -> list[Path]:
    found = [path for month in NETWORKS.values() for path in FOLDER.glob(f"*{month} Individual Level.csv")]
    assert len(found) == len(NETWORKS)
    return found


@pytest.fixture(scope="module")
def england() -> published.Reading:
    return published.read("pcn_individual", networks())


def test_networks_of_england(england: published.Reading) -> None:
    pharmacist = {"role": "pharmacist", "geography": "England"}
    assert value(england.table, measure="fte", date="2022-09-30", **pharmacist) == pytest.approx(
        3422.43, abs=0.01
    )
    assert value(england.table, measure="fte", date="2021-06-30", **pharmacist) == pytest.approx(
        2274.75, abs=0.01
    )
    # quoted as FTE in the press
    assert value(england.table, measure="headcount", date="2021-06-30", **pharmacist) == 2552


def test_networks_of_every_system() -> None:
    """FTE and headcount of 42 systems and three quarters, as counted by somebody else."""
    read = published.read("pcn_individual", networks(), level="system").table
    counted = pd.read_csv(FOLDER / "pcn_pharmacy_by_icb.csv")
    counted["date"] = counted["quarter"].map({day[:7]: day for day in NETWORKS})
    counted["role"] = counted["staff_role"].map(
        {"Pharmacists": "pharmacist", "Pharmacy Technicians": "pharmacy_technician"}
    )
    for measure in ("fte", "headcount"):
        mine = read[read["measure"] == measure].set_index(["role", "code", "date"])["value"]
        theirs = counted.dropna(subset="date").groupby(["role", "icb_code", "date"])[measure].sum()
        theirs = theirs[theirs > 0]
        assert len(mine) > 150
        assert len(mine) == len(theirs)
        assert mine.sort_index().to_numpy() == pytest.approx(theirs.sort_index().to_numpy())
    sel = {"role": "pharmacist", "code": "QKK", "date": "2022-09-30"}
    assert value(read, measure="fte", **sel) == pytest.approx(136.17, abs=0.01)


def test_quality_of_networks(england: published.Reading) -> None:
    september = england.quality[england.quality["file"].str.contains("September 2022")]
    rows = dict(zip(september["check"], september["rows"], strict=True))
    assert rows["negative"] == 1
    assert rows["above 2 FTE"] == 31
    assert rows["duplicates"] == 149
    assert rows["similar labels"] == 306
    assert finding(england, "series break")[0] == 2


def test_turnover() -> None:
    file = FOLDER / "turnover_sttt.csv"
    table = published.read("turnover", [file]).table
    rates = table[(table["measure"] == "leaver_rate") & (table["role"] == "stt")]
    found = dict(zip(rates["to"].str[:7], rates["value"].round(3), strict=True))
    assert (found["2010-09"], found["2022-09"], found["2025-10"]) == (0.088, 0.116, 0.089)
    region = published.read("turnover", [file], level="region", geography=["London"]).table
    rates = region[(region["measure"] == "leaver_rate") & (region["role"] == "stt")]
    found = dict(zip(rates["to"].str[:7], rates["value"].round(3), strict=True))
    assert (found["2010-09"], found["2022-09"], found["2025-10"]) == (0.106, 0.130, 0.102)


@pytest.mark.parametrize(
    ("targets", "files", "how", "measures", "least"),
    [
        ("pcn.csv", networks, {}, {"fte": "fte"}, 6),
        ("sel.csv", networks, {"level": "system", "geography": ["QKK"]}, {"fte": "fte"}, 5),
        (
            "trust_turnover.csv",
            lambda: [FOLDER / "turnover_sttt.csv"],
            {},
            {
                "leaver_rate": "leaver_rate",
                "exits": "leavers",
                "entries": "joiners",
                "headcount": "headcount_end",
            },
            50,
        ),
    ],
)
def test_targets_are_what_the_readers_read(
    targets: str,
    files: Callable[[], list[Path]],
    how: dict[str, Any],
    measures: dict[str, str],
    least: int,
) -> None:
    kind = "turnover" if "turnover" in targets else "pcn_individual"
    read = published.read(kind, files(), **how).table
    read = read[(read["unit"] != "fte") | (read["measure"] == "fte")]
    wanted = pd.read_csv(ROOT / "calibration" / "targets" / targets, keep_default_na=False)
    wanted = wanted[wanted["measure"].isin(list(measures)) & ~wanted["geography"].eq("London")]
    wanted = wanted.assign(published=wanted["measure"].map(measures))
    keys = {"published": "measure", "role": "role", "environment": "environment", "date": "date", "to": "to"}
    both = wanted.merge(read, left_on=list(keys), right_on=list(keys.values()), suffixes=("", "_read"))
    assert len(both) >= least
    off = both[
        (both["value"] - both["value_read"]).abs() > both["value"].abs() * 1e-3 + 0.05 * (both["value"] > 1)
    ]
    assert off.empty, off[["series", "date", "value", "value_read"]].to_string()
