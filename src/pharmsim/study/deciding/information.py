"""Value of information: what it is worth to know an input before choosing, from draws that are there.

Gains are numbers of shape (draw, choice), higher is better. Without more knowledge the choice with the
largest mean is made. Whoever knew the future would make the best choice of each draw: the difference is the
expected value of perfect information (EVPI). Whoever knew one input would choose by what is to be
expected given that input: the expected value of partial perfect information (EVPPI).

References
----------
M. Strong, J. E. Oakley, A. Brennan (2014), Estimating multiparameter partial expected value of perfect
information from a probabilistic sensitivity analysis sample, Medical Decision Making 34, 311-326.
A. Heath, I. Manolopoulou, G. Baio (2017), A review of methods for analysis of the expected value of
information, Medical Decision Making 37, 747-758.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.polynomial.legendre import legvander

Array = np.ndarray
DEGREE = 3
"""Highest degree of the polynomials by which gains follow the rank of an input."""
FOLDS, REPEATS = 10, 2
"""Parts into which draws are divided to test a rule on draws that it has not seen, and how often."""
ROWS = 5
"""Draws for each term of a polynomial, at least."""
SAME = 1e-9
"""Terms that differ from a mix of those before them by less than this share of themselves add nothing."""


class Basis(NamedTuple):
    """Terms by which gains follow one input, or several that are known together.

    Attributes
    ----------
    terms : ndarray, shape (draw, terms)
        By degree; behind them products of two columns.
    ends : list of int
        How many terms there are up to each degree, and with the products.
    """

    terms: Array
    ends: list[int]

    @property
    def alone(self) -> Array:
        """Terms without products."""
        return self.terms[:, : self.ends[DEGREE - 1]]


def perfect(gains: Array) -> Array:
    """What the best choice of each draw gains over the best on average, shape (draw,); its mean is EVPI.

    Parameters
    ----------
    gains : ndarray, shape (draw, choice)

    Examples
    --------
    >>> perfect(np.array([[0.0, 3.0], [0.0, -1.0]])).tolist()
    [0.0, 1.0]
    """
    return np.asarray(gains.max(axis=1) - gains[:, gains.mean(axis=0).argmax()])


def partial(gains: Array, inputs: Sequence[Array], seed: int = 1) -> Array:
    """What choosing by one input gains in each draw, shape (draw, input); its mean is EVPPI.

    Gains are regressed on the input, a polynomial in its rank whose degree (0 to 3) is that which
    foretells best a draw left out; on several columns also in products of any two. The rule that
    follows — choose what is best given the input — is found on nine tenths of the draws and applied to the
    last tenth, for each tenth in turn: an input that tells nothing gains nothing on average, for its rule
    is no better than chance on draws that it has not seen. What other inputs explain alone is taken out
    of the gains first. Inputs are independent, so that this moves no mean, but much of the noise goes, and
    inputs that happen to look alike in few draws are told apart.

    Parameters
    ----------
    gains : ndarray, shape (draw, choice)
    inputs : sequence of ndarray, shape (draw, columns)
        Columns of one input that are drawn together count as one. Where an input has but few values, give
        these: equal ones have one rank.
    seed : int
        Of the division into tenths.

    Returns
    -------
    ndarray, shape (draw, input)
        A draw may lose by the rule: then it is negative.
    """
    bases = [_basis(values) for values in inputs]
    alone = main_effects(gains, [each.alone for each in bases])
    known = sum(alone.values(), start=np.zeros_like(gains))
    rng = np.random.default_rng(seed)
    parts = [rng.permutation(len(gains)) % FOLDS for _ in range(REPEATS)]
    return np.stack(
        [_ruled(gains - known + alone.get(i, 0.0), each, parts) for i, each in enumerate(bases)], 1
    )


def _basis(values: Array) -> Basis:
    """Legendre polynomials in the ranks of an input, by degree, and products of two columns."""
    from scipy.stats import rankdata  # takes half a second to load, which a report need not wait for

    n = len(values)
    ranks = (rankdata(np.asarray(values, dtype=float).reshape(n, -1), axis=0) - 0.5) / n
    by_degree = np.moveaxis(legvander(2.0 * ranks - 1.0, DEGREE)[:, :, 1:], 2, 0)  # degree, draw, column
    first = by_degree[0]
    pairs = [first[:, i] * first[:, j] for i, j in combinations(range(first.shape[1]), 2)]
    steps = [*by_degree, np.stack(pairs, axis=1) if pairs else np.empty((n, 0))]
    terms = np.column_stack(steps)
    if terms.shape[1] >= n:  # more products than draws could tell
        steps[DEGREE] = np.empty((n, 0))
        terms = np.column_stack(steps)
    new = _new(terms)
    ends = np.cumsum([step.shape[1] for step in steps])
    return Basis(terms[:, new], [int(new[:end].sum()) for end in ends])


def _new(terms: Array) -> Array:
    """Which terms are not made of those before them: a number with two values has no square."""
    moved = terms - terms.mean(axis=0)
    rest = np.abs(np.diag(np.linalg.qr(moved, mode="r")))
    found = np.zeros(terms.shape[1], dtype=bool)
    found[: len(rest)] = rest > SAME * np.linalg.norm(terms, axis=0)[: len(rest)]
    return found


def main_effects(gains: Array, bases: Sequence[Array]) -> dict[int, Array]:
    """What each input explains of the gains alone, shape (draw, choice), for inputs that explain some.

    Inputs are taken one after the other, that first which explains most of what is left, as long as this
    foretells a draw left out better, by more than the best of so many would by chance.

    Parameters
    ----------
    gains : ndarray, shape (draw, choice)
    bases : sequence of ndarray, shape (draw, terms)

    Returns
    -------
    dict
        Number of the input → its part of the gains, with mean 0.
    """
    n, spread = len(gains), gains.std(axis=0)
    moved = gains - gains.mean(axis=0)
    scaled = moved[:, spread > 0.0] / spread[spread > 0.0]
    bases = [np.linalg.qr(base - base.mean(axis=0))[0] for base in bases]
    by_chance = 1.0 + 2.0 * np.log(max(len(bases), 1)) / n
    terms, chosen = np.ones((n, 1)), list[int]()
    left, error = _left_out(terms, scaled)
    while len(chosen) < len(bases):
        explained = [0.0 if i in chosen else ((q.T @ left) ** 2).sum() for i, q in enumerate(bases)]
        best = int(np.argmax(explained))
        wider = np.column_stack([terms, bases[best]])
        if wider.shape[1] * ROWS > n or best in chosen:
            break
        left, found = _left_out(wider, scaled)
        if not found * by_chance < error:
            break
        terms, error = wider, found
        chosen.append(best)
    slopes = np.linalg.lstsq(terms, moved, rcond=None)[0][1:]
    ends = np.cumsum([bases[i].shape[1] for i in chosen])
    parts = np.split(slopes, ends[:-1]) if chosen else []
    return {i: bases[i] @ part for i, part in zip(chosen, parts, strict=True)}


def _left_out(terms: Array, y: Array) -> tuple[Array, float]:
    """What least squares leave of numbers, and the sum of squared errors of draws left out one by one."""
    q, _ = np.linalg.qr(terms)
    left = y - q @ (q.T @ y)
    return left, float(((left / _rest(q)) ** 2).sum())


def _rest(q: Array) -> Array:
    """One less the leverage of each draw, above 0."""
    return np.maximum(1.0 - (q**2).sum(axis=1), 1e-9)[:, None]


def _ruled(gains: Array, basis: Basis, parts: Sequence[Array]) -> Array:
    """What the rule of one input gains in each draw."""
    mean, terms = gains.mean(axis=0), basis.terms
    found = np.zeros(len(gains))
    for part in parts:
        for fold in range(FOLDS):
            out = part == fold
            foretold = mean + _foretold(terms[~out], gains[~out], terms[out], basis.ends)
            own = gains[out]
            found[out] += own[np.arange(len(own)), foretold.argmax(axis=1)] - own[:, mean.argmax()]
    return found / len(parts)


def _foretold(known: Array, y: Array, new: Array, ends: Sequence[int]) -> Array:
    """Departure of numbers from their mean, foretold for new draws, shape (new draw, choice).

    Each choice has as many terms, up to one of the `ends`, as foretell best; that may be none.
    """
    n = len(y)
    moved = y - y.mean(axis=0)
    q, r = np.linalg.qr(np.column_stack([np.ones(n), known]))
    error = ((moved * n / (n - 1.0)) ** 2).sum(axis=0)
    found = np.zeros((len(new), y.shape[1]))
    for end in dict.fromkeys(ends):
        top = 1 + end
        if top * ROWS > n:
            break
        part = q[:, :top]
        fit = part.T @ moved
        so_far = (((moved - part @ fit) / _rest(part)) ** 2).sum(axis=0)
        better = so_far < error
        if better.any():
            slopes = np.linalg.lstsq(r[:top, :top], fit[:, better], rcond=SAME)[0]
            found[:, better] = slopes[0] + new[:, : top - 1] @ slopes[1:]
            error[better] = so_far[better]
    return found
