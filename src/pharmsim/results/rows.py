"""What the rows behind that of the central values are, in words: draws, or what chance makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pharmsim.compiled.draws import COHORT


def by_chance(meta: Mapping[str, Any]) -> bool:
    """Whether the engine of a run, from its `meta` or manifest, moves whole people by chance."""
    return meta.get("engine", COHORT) != COHORT


def kind(meta: Mapping[str, Any]) -> str:
    """What a row is, behind "90 % of": with an engine of chance, one possible future."""
    if not by_chance(meta):
        return "draws"
    return "futures: draws and chance" if meta.get("drawn") else "futures: chance alone"


def word(meta: Mapping[str, Any]) -> str:
    """What rows are called: draws, or futures."""
    return kind(meta).partition(":")[0]


def of_chance(share: float) -> str:
    """The share of a spread that chance makes: an estimate, and so never quite all of it, or nothing."""
    if 0.005 <= share < 0.995:
        return f"{100.0 * share:.0f} %"
    return "–" if share != share else "nearly all" if share > 0.5 else "hardly any"


def estimated_from(meta: Mapping[str, Any]) -> str:
    """What a share of chance is estimated from."""
    return f"estimated from {meta['drawn']:,} draws × {meta['replicates']:,} replicates"


def central(meta: Mapping[str, Any]) -> str:
    """What row 0 is."""
    return "central values: mean of replicates" if by_chance(meta) else "central values"


def in_words(meta: Mapping[str, Any], n: int) -> str:
    """What the `n` rows behind that of the central values are."""
    if not by_chance(meta):
        return f"{n:,} draws besides the central values"
    drawn, each = int(meta.get("drawn") or 0), int(meta.get("replicates") or 1)
    of = f"{drawn:,} draws of the inputs × {each:,}" if drawn else f"inputs at their central values, {each:,}"
    return f"engine {meta['engine']}: {of} replicates of chance (central: a mean of replicates)"
