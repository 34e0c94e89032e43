"""Failing futures: what the draws have in common in which a scenario fails, by a shallow decision tree.

References
----------
R. J. Lempert, B. P. Bryant, S. C. Bankes (2008), Comparing algorithms for scenario discovery, RAND.
L. Breiman, J. Friedman, R. Olshen, C. Stone (1984), Classification and regression trees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray
DEPTH = 3
"""Conditions of a rule at most."""
LEAST = 10
"""Draws that fail, and that do not, without which nothing is sought; and draws that a rule speaks of."""
SHARE = 0.05
"""Share of the draws that a rule speaks of, at least."""
ODDS = 3.0
"""A rule names futures in which the odds of failure are so many times those of all futures, or more."""
FOLDS, INNER = 5, 3
"""Folds on which rules are tried, and those within each in which the depth is found."""
CHANCE = 0.01
"""Rules that would do so well by chance, on draws that they have not seen, more often than this are none."""
EXTRA = "pharmsim[sensitivity]"


@dataclass(frozen=True)
class Condition:
    """Where one input stands: above `low` and below `high`, of which one may be infinite."""

    input: int
    low: float
    high: float


@dataclass(frozen=True)
class Rule:
    """Futures that have something in common.

    Attributes
    ----------
    conditions : tuple of Condition
        All of them hold.
    density : float
        Share of its draws that fail.
    coverage : float
        Share of the draws that fail which it names.
    n : int
        Draws that it names.
    """

    conditions: tuple[Condition, ...]
    density: float
    coverage: float
    n: int


@dataclass(frozen=True)
class Futures:
    """What was found.

    Attributes
    ----------
    rules : tuple of Rule
        That with the most failing draws first; none if none holds on draws that it has not seen.
    density, coverage : float
        Of all rules together, on draws that they have not seen.
    """

    rules: tuple[Rule, ...] = ()
    density: float = float("nan")
    coverage: float = float("nan")


def known() -> bool:
    """Whether scikit-learn, which grows the trees, is installed."""
    from importlib.util import find_spec

    return find_spec("sklearn") is not None


def futures(fails: Array, inputs: Array, seed: int = 1, sought: int = 1) -> Futures:
    """Find which futures fail.

    Trees with one to three questions are grown; the depth that foretells failure best is found without the
    draws on which the rules are then tried (folds within folds). Rules are kept if they do better there
    than chance.

    Parameters
    ----------
    fails : ndarray of bool, shape (draw,)
    inputs : ndarray, shape (draw, input)
    seed : int
        Of the folds.
    sought : int
        How many such searches are made, each of which might find something by chance.

    Returns
    -------
    Futures
    """
    from scipy.stats import binomtest
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    share = float(fails.mean())
    if min(fails.sum(), (~fails).sum()) < LEAST:
        return Futures()
    tree = _tree(len(fails), seed)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    chance = cross_val_predict(tree, inputs, fails, cv=folds, method="predict_proba")[:, 1]
    named = chance >= _often(share)
    if not named.any() or ((chance - fails) ** 2).mean() >= share * (1.0 - share):
        return Futures()
    hit, n = int(fails[named].sum()), int(named.sum())
    if binomtest(hit, n, share, alternative="greater").pvalue > CHANCE / sought:
        return Futures()
    rules = _rules(tree.fit(inputs, fails).best_estimator_, fails, inputs)
    return Futures(rules, hit / n, hit / float(fails.sum())) if rules else Futures()


def _often(share: float) -> float:
    """Share of failures that is worth naming, where so many fail in all futures."""
    odds = ODDS * share / (1.0 - share)
    return odds / (1.0 + odds)


def _tree(n: int, seed: int) -> Any:
    """A tree whose depth is found by folds of the draws that it is given."""
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.tree import DecisionTreeClassifier

    tree = DecisionTreeClassifier(min_samples_leaf=max(LEAST, round(SHARE * n)), random_state=seed)
    inner = StratifiedKFold(INNER, shuffle=True, random_state=seed)
    depths = {"max_depth": list(range(1, DEPTH + 1))}
    return GridSearchCV(tree, depths, scoring="neg_brier_score", cv=inner)


def _rules(tree: Any, fails: Array, inputs: Array) -> tuple[Rule, ...]:
    """Leaves of a tree in which failure is frequent, that with the most failing draws first."""
    limits = _limits(tree.tree_)
    leaf_of = tree.apply(inputs)
    found = []
    for leaf in np.unique(leaf_of):
        here = leaf_of == leaf
        density = float(fails[here].mean())
        if density >= _often(fails.mean()) and limits[leaf]:
            conditions = tuple(Condition(i, *ends) for i, ends in limits[leaf].items())
            found.append(Rule(conditions, density, float(fails[here].sum() / fails.sum()), int(here.sum())))
    return tuple(sorted(found, key=lambda rule: -rule.coverage))


def _limits(tree: Any) -> dict[int, dict[int, tuple[float, float]]]:
    """Ends of the inputs in each node of a tree, from its root down."""
    found: dict[int, dict[int, tuple[float, float]]] = {0: {}}
    for node in range(tree.node_count):  # a node comes before those below it
        left, right = int(tree.children_left[node]), int(tree.children_right[node])
        if left == right:
            continue
        i, limit = int(tree.feature[node]), float(tree.threshold[node])
        low, high = found[node].get(i, (-np.inf, np.inf))
        found[left] = {**found[node], i: (low, min(high, limit))}
        found[right] = {**found[node], i: (max(low, limit), high)}
    return found
