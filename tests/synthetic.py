"""A small scenario and made-up arrays of the right shapes, for tests of what comes after the engine."""

from __future__ import annotations

from typing import Any

import numpy as np

from pharmsim.compiled.draws import Draws
from pharmsim.quantities import FLOWS, OUTPUTS, RETENTION, SYSTEM
from pharmsim.results.axes import edges_of
from pharmsim.results.labelled import Results, label
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.services import FEEDBACKS, block_shares, blocks, services, split_matrix, uses

POSTS = [
    ("chemist_shop", "chemist", "shop"),
    ("chemist_ward", "chemist", "ward"),
    ("helper_shop", "helper", "shop"),
    ("helper_ward", "helper", "ward"),
]


def cells(*rows: dict[str, Any] | float, **term: Any) -> dict[str, Any]:
    """Canonical `Cells` of one term."""
    written = [row if isinstance(row, dict) else {"value": row} for row in rows]
    return {"terms": [{"rows": written, **term}]}


AGES = cells({"value": 1.0, "where": {"age": ["20-70"]}})


def description() -> dict[str, Any]:
    """The canonical description of the small scenario."""
    return {
        "name": "Small town <b>&",
        "start": "2025-10",
        "end": "2031-10",
        "ages": {"first": 20, "last": 70},
        "roles": {"chemist": "Chemist", "helper": "Helper"},
        "environments": {"shop": "Shops", "ward": "Wards"},
        "groups": {"f": "Female", "m": "Male"},
        "contracts": {"full": "Full time", "part": "Part time"},
        "posts": [{"post": p, "role": r, "environment": e} for p, r, e in POSTS],
        "stock": {
            "headcount": cells(
                {"value": 100.0, "low": 90.0, "high": 110.0, "source": "=cmd()", "evidence": "published"},
                {"value": 50.0, "where": {"environment": ["ward"]}, "evidence": "assumption"},
            ),
            "ages": AGES,
        },
        "fte_per_head": cells(
            {"value": 1.0, "where": {"contract": ["full"]}}, {"value": 0.5, "where": {"contract": ["part"]}}
        ),
        "leaving": {
            "died": {"rate": cells(0.002)},
            "break": {"rate": cells({"value": 0.05, "low": 0.03, "high": 0.08}), "into": "break"},
        },
        "moves": {
            "edges": [
                {"from": "chemist_shop", "to": "chemist_ward", "rate": {"value": 0.02}},
                {"from": "helper_shop", "to": "helper_ward", "rate": {"value": 0.02}},
            ]
        },
        "switches": [{"name": "phase", "from": "full", "to": "part", "rate": cells(0.01)}],
        "retirement": {"rate": cells(0.0, {"value": 0.2, "where": {"age": ["60+"]}})},
        "pools": {"break": {"return_rate": cells(1.0), "opening": cells(5.0)}},
        "establishment": {"vacancy_rate": cells(0.1)},
        "cover": {"share": cells(0.3)},
        "hiring": {
            "sources": [
                {"name": "new", "pipelines": ["college"]},
                {"name": "outside", "supply": "unlimited", "ages": AGES},
            ]
        },
        "pipelines": {
            "college": {
                "kind": "external",
                "role": "chemist",
                "intake": {"per_year": {"points": {"2015": {"value": 40.0}}}, "months": {"September": 1.0}},
                "stages": [{"name": "degree", "months": 24}, {"name": "practice", "months": 12}],
                "exam": {
                    "sittings": ["June"],
                    "eligible_month": 10,
                    "pass_rates": [{"value": 0.8}, {"value": 0.6}],
                },
                "ages": AGES,
                "destinations": cells({"value": 0.0}, {"value": 0.5, "where": {"role": ["chemist"]}}),
                "opening": {"rule": "from_past_intakes"},
            },
            "ladder": {
                "kind": "internal",
                "role": "chemist",
                "intake": cells(2.0),
                "intake_months": {"September": 1.0},
                "months": 24,
                "routes": [{"from": "helper_shop", "to": "chemist_shop"}],
                "opening": {"rule": "steady"},
            },
        },
        "retention": {
            "month": "March",
            "levels": {
                "post": {"by": ["post"]},
                "environment": {"by": ["environment"]},
                "system": {},
            },
        },
        "pay": {"per_fte": cells({"value": 60000.0}, {"value": 24000.0, "where": {"role": ["helper"]}})},
    }


def system() -> dict[str, Any]:
    """Sections of the system around the people, for `scenario` and `results`."""
    return {
        "working_time": {
            "absence": {"leave": cells(0.1)},
            "job_plan": {
                "care": {"share": cells(0.7), "service": True},
                "teaching": {"share": cells(0.2), "supervising": True},
                "meetings": {"share": cells(0.1)},
            },
        },
        "need": {
            "opening_ratio": cells(1.05),
            "activity": {
                "items": {
                    "label": "Items",
                    "index": {
                        "points": {
                            "2025-10": {"value": 200.0},
                            "2026-10": {"value": 212.0},
                        }
                    },
                    "share": cells({"value": 0.5, "where": {"environment": ["shop"]}}),
                },
            },
        },
        "budgets": {
            "wards": {
                "where": {"environment": ["ward"]},
                "of_opening": {"points": {"2025-10": {"value": 1.0}}},
            },
            "chemists": {
                "where": {"role": ["chemist"]},
                "per_year": {"points": {"2025-10": {"value": 3.6e6}}},
                "caps": False,
            },
        },
        "hiring": {
            "sources": [
                {"name": "new", "pipelines": ["college"]},
                {"name": "outside", "supply": "unlimited", "ages": AGES},
                {"name": "abroad", "supply": cells(2.0), "ages": AGES},
            ]
        },
        "feedbacks": {
            "burnout": {
                "delay": {"value": 6.0},
                "reference": "opening",
                "low": 1.0,
                "high": 1.5,
                "leaving": {"value": 0.5, "low": 0.2, "high": 0.8, "evidence": "assumption"},
                "destinations": ["break"],
            },
            "recruitment": {
                "reference": "opening",
                "low": 0.5,
                "high": 2.0,
                "elasticity": {"value": 0.3},
                "sources": ["abroad"],
            },
        },
    }


def scenario(**changes: Any) -> Scenario:
    """The small scenario, with sections replaced."""
    return Scenario.model_validate({**description(), **changes})


def sizes(made: Scenario, n_months: int, n_rows: int) -> dict[str, int]:
    """Length of every axis for a run of n months."""
    external = [p for p in made.pipelines.values() if p.kind == "external"]
    exams = [len(p.exam.pass_rates) for p in external if p.exam]
    return {
        "draw": n_rows,
        "time": n_months + 1,
        "period": n_months,
        "year": n_months // 12 + 1,
        "post": len(made.posts),
        "group": len(made.groups),
        "contract": len(made.contracts),
        "age": made.ages.last - made.ages.first + 1,
        "source": 1 + (len(made.hiring.sources) if made.hiring else 0),  # and earlier offers
        "destination": len(made.leaving),
        "pool": len(made.pools),
        "edge": len(edges_of(made)),
        "switch": len(made.switches),
        "stage": sum(len(p.stages) for p in external),
        "pipeline": len(external),
        "attempt": max(exams, default=0),
        "level": len(made.retention.levels) if made.retention else 0,
        "block": len(blocks(made)),
        "retention_year": max((n_months - 6) // 12, 0),
        "history": 60,
        "service": len(services(made)),
        "use": len(uses(made)),
        "feedback": len(FEEDBACKS),
        "budget": len(made.budgets),
        "intervention": len(made.interventions),
    }


def arrays(made: Scenario, draws: int = 0, n_months: int = 72, seed: int = 1) -> dict[str, np.ndarray]:
    """Made-up arrays of the right shapes; row 0 does not depend on the number of draws."""
    length = sizes(made, n_months, draws + 1)
    out = {}
    for name, output in OUTPUTS.items():
        shape = tuple(length[dim] for dim in output.dims)
        stream = np.random.default_rng([seed, len(name), sum(map(ord, name))])
        base = 2.0 + stream.random(shape)
        spread = 1.0 + 0.1 * (stream.random((draws + 1, *([1] * len(shape)))) - 0.5)
        spread[0] = 1.0
        scale = 0.2 if name in FLOWS else 1.0 if SYSTEM_RATIOS & {name} else 10.0
        out[name] = base[None] * spread * scale
    out["fte"] = 0.8 * out["headcount"].sum(axis=(3, 4))
    out["establishment_fte"] = out["fte"] * 1.1
    out["vacancy_fte"] = out["establishment_fte"] - out["fte"]
    make_consistent(out, made)
    out["headcount_55plus"] = 0.25 * out["headcount"].sum(axis=(3, 4))
    out["conservation_error"] = np.zeros((draws + 1, n_months))
    if all(name in out for name in RETENTION):
        tag(out, made)
    return out


def tag(out: dict[str, np.ndarray], made: Scenario) -> None:
    """Tagged and kept by block: joint posts are divided by share; more are kept of later posts."""
    out["kept"] = out["tagged"] * (0.8 + 0.03 * np.arange(len(made.posts)))
    levels = made.retention.levels if made.retention else {}
    names = list(levels)
    for b, (name, key) in enumerate(blocks(made)):
        parts = block_shares(made, levels[name])
        here = [part.get(key, 0.0) / max(sum(part.values()), 1e-9) for part in parts]
        for whole, by_block in (("tagged", "tagged_in"), ("kept", "kept_in")):
            out[by_block][:, :, b] = out[whole][:, :, names.index(name)] @ np.array(here)


SYSTEM_RATIOS = {name for name, output in SYSTEM.items() if output.unit == "ratio"}


def make_consistent(out: dict[str, np.ndarray], made: Scenario) -> None:
    """Uses of time that sum to FTE, delivery from the service parts, multipliers of 1, costs by post."""
    out["time_fte"] *= (out["fte"] / out["time_fte"].sum(axis=3))[..., None]
    plan = made.working_time.job_plan if made.working_time else {}
    first = len(uses(made)) - max(len(plan), 1)
    service = [first + i for i, part in enumerate(plan.values()) if part.service] or [first]
    out["delivered_fte"] = out["time_fte"][..., service].sum(axis=3) + 0.5 * out["cover_fte"]
    out["service_fte"] = out["delivered_fte"] @ split_matrix(made)
    out["required_fte"] = 1.1 * out["service_fte"]
    out["pressure"] = out["required_fte"] / out["service_fte"]
    out["multiplier"][:] = 1.0
    out["move_multiplier"][:] = 1.0
    out["place_multiplier"][:] = 1.0
    out["pay_bill"] = out["fte"] * 5000.0
    out["cover_cost"] = out["cover_fte"] * 6000.0
    out["backfill_cost"] = out["backfill_fte"] * 6000.0


def results(draws: int | Draws = 0, n_months: int = 72, seed: int = 1, **changes: Any) -> Results:
    """Labelled results of the small scenario; of a table of draws, only their number counts."""
    made = scenario(**changes)
    draws = draws if isinstance(draws, int) else draws.n - 1
    meta = {
        "seed": seed, "n_draws": draws, "engine": "cohort", "step": "month", "wall_time_s": 0.1,
        "compile_time_s": 0.0, "warnings": ["a warning"], "uncertainties": ["stock.headcount"], "files": [],
    }  # fmt: skip
    return label(made, arrays(made, draws, n_months, seed), draws, meta, state=None)
