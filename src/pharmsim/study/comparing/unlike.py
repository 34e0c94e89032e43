"""What a scenario and its base do not share, in words: differences between them mean something else there."""

from __future__ import annotations

import numpy as np

from pharmsim.study.comparing.outcomes import Outcomes

SAME_NEED = 1e-9
"""Need that differs by less, relative to the base, is the same."""


def unlike(name: str, base: Outcomes, other: Outcomes) -> list[str]:
    """Warn of posts, need and money that two scenarios do not share.

    Parameters
    ----------
    name : str
        Of the other scenario.
    base, other : Outcomes

    Returns
    -------
    list of str
    """
    return [*other_posts(name, base, other), *other_need(name, base, other), *other_money(name, base, other)]


def other_posts(name: str, base: Outcomes, other: Outcomes) -> list[str]:
    """Say which posts only one of two scenarios has and how they count (not those of interventions)."""
    old, new = ([post for post in run.scenario.posts if not post.made_by] for run in (base, other))
    found = []
    for title, has, lacks in ((f"{name} has no", old, new), (f"{base.scenario.name} has no", new, old)):
        there = {post.post for post in lacks}
        only = [post.post for post in has if post.post not in there]
        if only:
            shown = ", ".join(only[:6]) + (f" and {len(only) - 6} more" if len(only) > 6 else "")
            found.append(f"{title} {shown}: counted as nobody in post and no vacancy there")
    return found


def other_need(name: str, base: Outcomes, other: Outcomes) -> list[str]:
    """Say where another scenario already needs more or less at the start than the base.

    Need that is a ratio of what is delivered at the start moves with every change that acts by then.

    Parameters
    ----------
    name : str
        Of the other scenario.
    base, other : Outcomes

    Returns
    -------
    list of str
        One warning, or none: also if one of the two has no need, or both give it in FTE.
    """
    if base.required is None or other.required is None or not (base.need_follows or other.need_follows):
        return []
    arrays = [run.required.transpose("draw", "service") for run in (base, other) if run.required is not None]
    shared = [label for label in arrays[0]["service"].values if label in arrays[1]["service"].values]
    old, new = (array.sel(service=shared).values for array in arrays)
    moved = np.abs(new - old) > SAME_NEED * np.maximum(np.abs(old), 1.0)
    at = np.flatnonzero(moved.any(axis=0))
    if not len(at):
        return []
    k = at[np.abs(new - old)[:, at].max(axis=0).argmax()]
    more = f" and {len(at) - 1} more" if len(at) > 1 else ""
    return [
        f"{name} needs {new[0, k]:,.1f} FTE at the start for {shared[k]}{more}, {base.scenario.name} "
        f"{old[0, k]:,.1f}: `opening_ratio` is measured on what each scenario itself delivers at the start, "
        "so a change that acts by then moves the need too. Let it begin a month later, or give `need.fte`"
    ]


def other_money(name: str, base: Outcomes, other: Outcomes) -> list[str]:
    """Say what costs leave out where pay is not described."""
    costed = any(("total_cost", "", "cumulated") in run.measures for run in (base, other))
    if (base.knows_pay and other.knows_pay) or not costed:
        return []
    if base.knows_pay or other.knows_pay:
        only = base.scenario.name if base.knows_pay else name
        return [f"{name}: all costs together are not compared, for only {only} describes `pay`"]
    return [f"{name}: all costs are those of its interventions; `pay` is not described and no part of them"]
