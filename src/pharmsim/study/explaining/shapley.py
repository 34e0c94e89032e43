"""Shapley values: what each player of a game adds, on average over all orders in which they may come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np

Game = Callable[[frozenset[str]], np.ndarray]
"""What a set of players reaches together; arrays of one shape."""

EXACT = 8
"""With more players than this, orders are sampled instead of all sets played."""
PAIRS = 25
"""Orders sampled, each with its reverse."""


@dataclass(frozen=True)
class Shares:
    """What every player adds to the whole.

    Attributes
    ----------
    players : tuple of str
    value : ndarray, shape (player, …)
        Shapley values; they sum to `total`.
    alone : ndarray, shape (player, …)
        What each player reaches without the others.
    total : ndarray, shape (…)
        What all reach together, less what nobody reaches.
    error : ndarray, shape (player, …)
        Standard error of `value`; 0 if exact.
    method : str
        "exact" or "sampled".
    """

    players: tuple[str, ...]
    value: np.ndarray
    alone: np.ndarray
    total: np.ndarray
    error: np.ndarray
    method: str

    @property
    def interaction(self) -> np.ndarray:
        """What all reach together beyond the sum of what each reaches alone, shape (…)."""
        return np.asarray(self.total - self.alone.sum(axis=0))


def sets(n: int) -> int:
    """Count the sets of players that are played, at most, with `EXACT` and `PAIRS`."""
    return 2**n if n <= EXACT else min(2**n, 2 + n + 2 * PAIRS * (n - 1))


def shapley(
    players: Sequence[str], game: Game, exact: int = EXACT, pairs: int = PAIRS, seed: int = 1
) -> Shares:
    """Share out what players reach together.

    Parameters
    ----------
    players : sequence of str
    game : callable
        Called once for each set of players that is needed.
    exact : int
        Up to so many players all sets are played (2 to the power of their number).
    pairs : int
        Otherwise: orders of the players that are drawn, each played forwards and backwards; 2 or more.
    seed : int
        Of the orders.

    Returns
    -------
    Shares
    """
    played: dict[frozenset[str], np.ndarray] = {}

    def value(chosen: frozenset[str]) -> np.ndarray:
        if chosen not in played:
            played[chosen] = np.asarray(game(chosen), dtype=float)
        return played[chosen]

    nobody = value(frozenset())
    none = np.zeros((0, *nobody.shape))
    alone = np.array([value(frozenset([player])) - nobody for player in players]) if players else none
    total = value(frozenset(players)) - nobody
    if len(players) <= exact:
        found = np.array([_exact(player, players, value) for player in players]) if players else none
        return Shares(tuple(players), found, alone, total, np.zeros_like(found), "exact")
    rows = np.array(_pairs(players, value, pairs, seed))
    error = rows.std(axis=0, ddof=1) / np.sqrt(pairs)
    return Shares(tuple(players), rows.mean(axis=0), alone, total, error, "sampled")


def _exact(player: str, players: Sequence[str], value: Game) -> np.ndarray:
    """Mean of what a player adds to the others, over all orders."""
    others = [name for name in players if name != player]
    found = np.zeros_like(value(frozenset()))
    for size in range(len(players)):
        weight = 1.0 / (len(players) * comb(len(others), size))
        for chosen in map(frozenset, combinations(others, size)):
            found += weight * (value(chosen | {player}) - value(chosen))
    return found


def _pairs(players: Sequence[str], value: Game, pairs: int, seed: int) -> list[np.ndarray]:
    """What each player adds in drawn orders, as means of an order and its reverse."""
    stream = np.random.default_rng(seed)
    found = []
    for _ in range(pairs):
        order = stream.permutation(len(players))
        both = [_in_order(players, value, order), _in_order(players, value, order[::-1])]
        found.append(np.mean(both, axis=0))
    return found


def _in_order(players: Sequence[str], value: Game, order: np.ndarray) -> np.ndarray:
    """What each player adds if they come in an order, shape (player, …)."""
    chosen: frozenset[str] = frozenset()
    before = value(chosen)
    added = np.zeros((len(players), *before.shape))
    for k in order:
        chosen = chosen | {players[k]}
        after = value(chosen)
        added[k] = after - before
        before = after
    return added
