"""Establishment over time, pay and budgets: what each policy needs, who pays for whom."""

from __future__ import annotations

import numpy as np

from pharmsim.scenario.checks.shared import in_order
from pharmsim.scenario.expand import Ints, select_posts
from pharmsim.scenario.marks import Path, quoted
from pharmsim.scenario.models import Establishment, Policy, Scenario, Transfer
from pharmsim.scenario.problems import Problems
from pharmsim.scenario.system import Pay

KEYS = {
    "hold": (),
    "grow": ("growth",),
    "table": ("table",),
    "reduce": ("start", "end"),
    "follow": ("share", "delay"),
}
"""What each policy needs; `reduce` also one of `by_share` and `by_fte`."""
AMOUNTS = ("by_share", "by_fte")
ALL_KEYS = ("growth", "table", *AMOUNTS, "start", "end", "share", "delay")


def check(scenario: Scenario, problems: Problems) -> None:
    """Check `establishment`, `pay` and `budgets`."""
    node = scenario.establishment
    if node is not None:
        if (node.fte is None) == (node.vacancy_rate is None):
            problems.add(("establishment",), "must have exactly one of `fte` and `vacancy_rate`")
        for i, policy in enumerate(node.over_time):
            _policy(scenario, problems, ("establishment", "over_time", i), policy)
        for i, transfer in enumerate(node.redistribution):
            _transfer(scenario, problems, ("establishment", "redistribution", i), transfer)
    if scenario.pay is not None:
        _pay(problems, scenario.pay)
    if scenario.budgets:
        _budgets(scenario, problems)


def _policy(scenario: Scenario, problems: Problems, path: Path, policy: Policy) -> None:
    needed = KEYS[policy.policy]
    allowed = (*needed, *AMOUNTS) if policy.policy == "reduce" else needed
    for key in ALL_KEYS:
        given = getattr(policy, key) is not None
        if given and key not in allowed:
            problems.add(path, f"the policy `{policy.policy}` has no use for `{key}`")
        elif not given and key in needed and not problems.lacks(*path, key):
            problems.add(path, f"the policy `{policy.policy}` needs `{key}`")
    if policy.policy == "reduce":
        if (policy.by_share is None) == (policy.by_fte is None):
            problems.add(path, "the policy `reduce` needs exactly one of `by_share` and `by_fte`")
        if policy.start is not None and policy.end is not None:
            in_order(problems, path, policy.start, policy.end)
    if policy.policy == "follow" and scenario.need is None and not problems.lacks("need"):
        problems.add(path, "the policy `follow` needs the section `need`: what the establishment follows")


def policy_of(scenario: Scenario, node: Establishment) -> list[Policy]:
    """Return the policy of every post: the last that names it."""
    out = [Policy()] * len(scenario.posts)
    for policy in node.over_time:
        for p in select_posts(scenario, policy.where):
            out[p] = policy
    return out


def unlimited(scenario: Scenario, node: Establishment) -> Ints:
    """Return the posts without limit."""
    found = [select_posts(scenario, where) for where in node.unconstrained]
    return np.unique(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)


def _transfer(scenario: Scenario, problems: Problems, path: Path, transfer: Transfer) -> None:
    node = scenario.establishment
    assert node is not None
    if (transfer.from_ is None) != transfer.new:
        what = "has both" if transfer.new else "has neither"
        message = f"needs `from`, or `new: true` if the posts are new money; it {what}"
        if not problems.lacks(*path, "from") and not problems.lacks(*path, "new"):
            problems.add(path, message)
    in_order(problems, path, transfer.start, transfer.end)
    if problems.unsure or problems.touches(("establishment", "unconstrained")):
        return
    policies = policy_of(scenario, node)
    free = unlimited(scenario, node)
    if transfer.from_ is not None:
        both = set(select_posts(scenario, transfer.from_)) & set(select_posts(scenario, transfer.to))
        if both:
            name = quoted(scenario.posts[min(both)].post)
            problems.add(path, f"`from` and `to` must select different posts; both select {name}")
            return
    for end, where in (("from", transfer.from_), ("to", transfer.to)):
        if where is None or problems.touches((*path, end)):
            continue
        for p in select_posts(scenario, where):
            name = quoted(scenario.posts[p].post)
            if p in free:
                message = f"{name} is `unconstrained`: it has no establishment that could be moved"
            elif end == "from" and policies[p].policy == "follow":
                message = f"{name} has the policy `follow`: its establishment is what the need makes it"
            else:
                continue
            problems.add((*path, end), message)
            break


def _pay(problems: Problems, pay: Pay) -> None:
    weighting = pay.weighting
    if weighting is not None and weighting.lowest.value > weighting.highest.value:
        low, high = f"{weighting.lowest.value:,.0f}", f"{weighting.highest.value:,.0f}"
        message = f"must have a `lowest` up to the `highest`; got {low} and {high}"
        problems.add(("pay", "weighting"), message)


def _budgets(scenario: Scenario, problems: Problems) -> None:
    for section, what in (("pay", "what an FTE costs"), ("establishment", "the funded posts")):
        if getattr(scenario, section) is None and not problems.lacks(section):
            problems.add(("budgets",), f"needs the section `{section}`: {what}")
    node = scenario.establishment
    free = unlimited(scenario, node) if node is not None and not problems.unsure else np.zeros(0)
    payers: dict[int, str] = {}
    for name, budget in scenario.budgets.items():
        path: Path = ("budgets", name)
        if (budget.per_year is None) == (budget.of_opening is None) and not problems.touches(path):
            problems.add(path, "must have exactly one of `per_year` and `of_opening`")
        if problems.unsure or problems.touches((*path, "where")):
            continue
        chosen = [int(p) for p in select_posts(scenario, budget.where)]
        limitless = [p for p in chosen if p in free]
        if limitless:
            post = quoted(scenario.posts[limitless[0]].post)
            problems.add((*path, "where"), f"{post} is `unconstrained`: a budget needs an establishment")
        twice = [p for p in chosen if p in payers and budget.caps]
        if twice:
            post = quoted(scenario.posts[twice[0]].post)
            message = f"{post} is in the budget {quoted(payers[twice[0]])} already: one budget caps a post"
            problems.add((*path, "where"), f"{message}. With `caps: false` a budget only watches")
        if budget.caps:
            payers |= dict.fromkeys(chosen, name)
