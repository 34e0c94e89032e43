"""Shares of a whole: made-up games whose values are known."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from pharmsim.study.explaining.shapley import shapley


def glove(chosen: frozenset[str]) -> np.ndarray:
    """One left and two right gloves: a pair is worth 1. Values are 2/3, 1/6 and 1/6."""
    return np.array(float("left" in chosen and len(chosen) > 1))


def many(players: list[str], seed: int = 5) -> dict[frozenset[str], np.ndarray]:
    """A game with a number of its own for every set."""
    stream = np.random.default_rng(seed)
    sets = [frozenset(p for i, p in enumerate(players) if k >> i & 1) for k in range(1 << len(players))]
    return {chosen: stream.normal(3.0 * len(chosen), 1.0, size=(2, 3)) for chosen in sets}


def test_the_glove_game() -> None:
    found = shapley(["left", "right", "other"], glove)
    assert found.method == "exact"
    assert found.value == pytest.approx([2 / 3, 1 / 6, 1 / 6])
    assert (found.alone == 0.0).all()
    assert (found.total, found.interaction) == (1.0, 1.0)


def test_exact_is_the_mean_over_all_orders_and_sums_to_the_whole() -> None:
    players = list("abcd")
    game = many(players)
    found = shapley(players, game.__getitem__)
    added = np.zeros((4, 2, 3))
    for order in permutations(range(4)):
        for place, k in enumerate(order):
            before = frozenset(players[j] for j in order[:place])
            added[k] += (game[before | {players[k]}] - game[before]) / 24
    assert found.value == pytest.approx(added, abs=1e-12)
    assert np.abs(found.value.sum(axis=0) - found.total).max() < 1e-9
    assert found.total == pytest.approx(game[frozenset(players)] - game[frozenset()])
    assert found.alone[1] == pytest.approx(game[frozenset("b")] - game[frozenset()])
    assert (found.error == 0.0).all()


def test_a_symmetric_pair_shares_equally_and_a_dummy_has_nothing() -> None:
    def game(chosen: frozenset[str]) -> np.ndarray:
        return np.array([5.0 + 2.0 * ("a" in chosen) * ("b" in chosen) + ("a" in chosen) + ("b" in chosen)])

    for exact in (8, 2):
        found = shapley(["a", "b", "dummy"], game, exact=exact, pairs=4)
        assert found.value[:, 0] == pytest.approx(
            [2.0, 2.0, 0.0], abs=1e-12
        )  # a pair of orders is exact here
        assert found.interaction == pytest.approx([2.0])


def test_sampled_lies_within_its_error_of_exact_and_sums_to_the_whole() -> None:
    players = list("abcdefg")
    game = many(players)
    exact = shapley(players, game.__getitem__)
    found = shapley(players, game.__getitem__, exact=3, pairs=60, seed=2)
    assert found.method == "sampled"
    assert np.abs(found.value.sum(axis=0) - found.total).max() < 1e-9
    off = np.abs(found.value - exact.value) / found.error
    assert off.min() > 0.0
    assert off.max() < 4.0
    assert np.mean(off < 2.0) > 0.85
    more = shapley(players, game.__getitem__, exact=3, pairs=240, seed=2)
    assert np.mean(more.error / found.error) == pytest.approx(0.5, rel=0.15)


def test_the_seed_says_which_orders_are_drawn() -> None:
    players = list("abcde")
    game = many(players).__getitem__
    one, same, other = (shapley(players, game, exact=2, pairs=3, seed=seed) for seed in (1, 1, 9))
    assert (one.value == same.value).all()
    assert (one.value != other.value).any()


def test_no_set_is_played_twice() -> None:
    played: list[frozenset[str]] = []

    def game(chosen: frozenset[str]) -> np.ndarray:
        played.append(chosen)
        return np.array(float(len(chosen)))

    shapley(list("abcde"), game)
    assert len(played) == len(set(played)) == 32
    played.clear()
    shapley(list("abcde"), game, exact=4, pairs=100)
    assert len(played) == len(set(played)) <= 32


def test_without_players_there_is_nothing_to_share() -> None:
    found = shapley([], lambda chosen: np.array([7.0]))
    assert found.value.shape == (0, 1)
    assert found.total == found.interaction == 0.0
