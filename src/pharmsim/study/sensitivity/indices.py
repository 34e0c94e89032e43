"""Global sensitivity indices of numbers whose inputs were drawn: correlations, distributions, variances.

Inputs are probabilities: where a draw stands in the distribution of an uncertainty, from 0 to 1. Indices do
not change when an input is measured on another scale that rises with it, so distributions stay those of the
scenario. Intervals hold 95 % of resamples.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
from scipy.stats import rankdata

from pharmsim.errors import InputError
from pharmsim.study.resampling import RESAMPLES, resample_weights

FEWER = 100
"""Resamples where each takes its time."""
ENDS = (0.025, 0.975)
DUMMIES = 10
"""Columns that do nothing, for the size that an index has by chance."""
SPARE = 20
"""Draws that are needed besides one for each uncertainty."""

ROUNDING = 1e-12


class Index(NamedTuple):
    """An index of every input.

    Attributes
    ----------
    value, low, high : ndarray, shape (inputs,)
        Estimate and ends of its 95 % interval; not a number where the output does not vary.
    floor : float
        What an input that does nothing gets by chance; 0 where the interval says it.
    """

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    floor: float = 0.0


def needed(k: int) -> int:
    """Draws that partial correlations of `k` inputs need."""
    return k + SPARE


def varies(y: np.ndarray) -> bool:
    """Whether an output is known in every draw, and differs between them by more than rounding."""
    return bool(np.ptp(y) > ROUNDING * np.abs(y).max())  # false where one is not a number


def _unknown(k: int) -> Index:
    return Index(*np.full((3, k), np.nan))


def prcc(u: np.ndarray, y: np.ndarray, seed: int = 1, resamples: int = RESAMPLES) -> Index:
    """Partial rank correlation coefficients of an output with its inputs.

    Parameters
    ----------
    u : ndarray, shape (draws, inputs)
    y : ndarray, shape (draws,)
    seed, resamples : int
        Of the interval.

    Returns
    -------
    Index
        From −1 to 1.

    Raises
    ------
    InputError
        If there are too few draws for so many inputs.

    Notes
    -----
    Ranks of input and output are each freed of what all other inputs explain by straight lines; what is
    left is correlated. Resamples are drawn from what is left, and their spread is widened by the
    degrees of freedom that the other inputs took, on Fisher's scale: resampling the draws themselves goes
    wrong where there are few draws for an input (El Karoui and Purdom 2018).

    References
    ----------
    Marino, Hogue, Ray and Kirschner (2008), J Theor Biol 254, 178-196. El Karoui and Purdom (2018),
    J Mach Learn Res 19, 1-66.

    Examples
    --------
    >>> u = np.random.default_rng(1).random((200, 2))
    >>> found = prcc(u, u[:, 0] ** 3)
    >>> float(found.value[0].round(3)), bool(found.low[1] < 0.0 < found.high[1])
    (1.0, True)
    """
    n, k = u.shape
    if n < needed(k):
        raise InputError(
            f"partial correlations of {k} uncertainties need {needed(k)} draws or more; got {n}. "
            f"Write `--draws {enough(k)}`"
        )
    if not varies(y):
        return _unknown(k)
    x, out = (rank - rank.mean(axis=0) for rank in (rankdata(u, axis=0), rankdata(y)))
    if np.linalg.matrix_rank(x) < k:
        raise InputError(
            "partial correlations need uncertainties that can be told apart; two or more follow each other "
            "exactly in all draws. Write --method tornado, or draw them from a posterior with more rows"
        )
    inverse = np.linalg.inv(x.T @ x)
    slopes = inverse @ (x.T @ out)
    own = x @ inverse / np.diag(inverse)  # each input without what the others explain of it
    rest = (out - x @ slopes)[:, None] + slopes * own  # the output without what the others explain
    counts = resample_weights(n, seed, resamples)
    here = _fisher(_correlation(np.full((1, n), 1.0 / n), own, rest))
    spread = _fisher(_correlation(counts, own, rest)) - here
    ends = here + np.sqrt((n - 3.0) / (n - k - 2.0)) * np.quantile(spread, ENDS, axis=0)
    return Index(*np.tanh([here[0], *ends]))


def enough(k: int) -> int:
    """A good number of draws for `k` inputs: a power of two, 256 or more, and three for each input."""
    return max(256, 1 << int(np.ceil(np.log2(3 * k))))


def _correlation(weights: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Correlations of columns under weights that sum to 1, shape (weights, columns)."""
    mean_a, mean_b = weights @ a, weights @ b
    var_a, var_b = weights @ a**2 - mean_a**2, weights @ b**2 - mean_b**2
    return np.asarray((weights @ (a * b) - mean_a * mean_b) / np.sqrt(var_a * var_b))


def _fisher(r: np.ndarray) -> np.ndarray:
    return np.asarray(np.arctanh(np.clip(r, -1.0 + 1e-12, 1.0 - 1e-12)))


# -- by SALib -----------------------------------------------------------------------------------------------


def salib() -> ModuleType:
    """Return SALib, or say how to get it.

    Raises
    ------
    InputError
        If the extra is not installed.
    """
    try:
        import SALib.analyze.delta
        import SALib.analyze.pawn
        import SALib.analyze.sobol
        import SALib.sample.sobol
        import threadpoolctl  # type: ignore[import-untyped]  # noqa: F401 - of the same extra
    except ImportError as error:
        raise InputError(
            "--method: sobol, delta and pawn need SALib, which is not installed. Install "
            "`pharmsim[sensitivity]`, or leave them out: tornado and prcc do without"
        ) from error
    package: ModuleType = SALib
    return package


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Give SALib its random numbers and one thread, and keep what it changes for everybody as it was.

    Its many small matrices take up to twenty times as long where threads wait for each other.
    """
    from threadpoolctl import threadpool_limits

    state, shown = np.random.get_state(), warnings.formatwarning  # noqa: NPY002
    np.random.seed(seed)  # noqa: NPY002 - the generator that SALib draws from
    try:
        with threadpool_limits(1), warnings.catch_warnings(record=True):  # it sets filters of its own
            yield
    finally:
        np.random.set_state(state)  # noqa: NPY002
        warnings.formatwarning = shown


def _problem(k: int, groups: Sequence[int] | None = None) -> dict[str, Any]:
    found = {"num_vars": k, "names": [f"input {i}" for i in range(k)], "bounds": [[0.0, 1.0]] * k}
    return found if groups is None else {**found, "groups": [f"group {i:06d}" for i in groups]}


def delta(u: np.ndarray, y: np.ndarray, seed: int = 1, resamples: int = FEWER) -> Index:
    """Borgonovo's delta of every input: how much knowing it moves the distribution of the output.

    Parameters
    ----------
    u : ndarray, shape (draws, inputs)
    y : ndarray, shape (draws,)
    seed, resamples : int
        Of the interval.

    Returns
    -------
    Index
        From 0 to 1. By chance alone it is above 0: `floor` is the largest of ten inputs that do nothing.

    References
    ----------
    Plischke, Borgonovo and Smith (2013), Eur J Oper Res 226, 536-550; by SALib, `delta_raw`.
    """

    def estimate(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = salib().analyze.delta.analyze(
            _problem(columns.shape[1]), columns, y, num_resamples=resamples, method="delta"
        )
        return found["delta_raw"], found["delta_raw_conf"]

    return _beside_nothing(u, y, seed, estimate)


def pawn(u: np.ndarray, y: np.ndarray, seed: int = 1, resamples: int = FEWER) -> Index:
    """PAWN index of every input: the median distance of the output's distributions with the input known.

    Parameters
    ----------
    u : ndarray, shape (draws, inputs)
    y : ndarray, shape (draws,)
    seed, resamples : int
        Of the interval, from draws taken with replacement.

    Returns
    -------
    Index
        From 0 to 1. By chance alone it is above 0: `floor` is the largest of ten inputs that do nothing.

    References
    ----------
    Pianosi and Wagener (2018), Environ Model Softw 108, 197-207; by SALib.
    """

    def estimate(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        def median(rows: np.ndarray | slice) -> np.ndarray:
            found = salib().analyze.pawn.analyze(_problem(columns.shape[1]), columns[rows], y[rows])
            return np.asarray(found["median"])

        again = [median(np.random.randint(len(y), size=len(y))) for _ in range(resamples)]  # noqa: NPY002
        return median(slice(None)), 1.96 * np.std(again, axis=0, ddof=1)

    return _beside_nothing(u, y, seed, estimate)


def _beside_nothing(
    u: np.ndarray,
    y: np.ndarray,
    seed: int,
    estimate: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]],
) -> Index:
    """An index with half-widths, of the inputs and of some that do nothing."""
    k = u.shape[1]
    if not varies(y):
        return _unknown(k)
    dummies = np.random.default_rng(seed).random((len(u), DUMMIES))
    with _seeded(seed):
        value, half = estimate(np.column_stack([u, dummies]))
    return Index(value[:k], value[:k] - half[:k], value[:k] + half[:k], float(value[k:].max()))


# -- Sobol' indices, from a design of their own -------------------------------------------------------------


def sobol_design(k: int, n: int, seed: int = 1, groups: Sequence[int] | None = None) -> np.ndarray:
    """Return the design from which Sobol' indices are taken.

    Parameters
    ----------
    k : int
        Inputs.
    n : int
        A power of two.
    seed : int
    groups : sequence of int, optional
        Number of the group of each input, from 0: inputs of a group are one factor.

    Returns
    -------
    ndarray, shape (n · (factors + 2), k)
        Probabilities in (0, 1).
    """
    found = salib().sample.sobol.sample(_problem(k, groups), n, calc_second_order=False, seed=seed)
    return np.clip(found, 1e-12, 1.0 - 1e-12)


def sobol(y: np.ndarray, factors: int, seed: int = 1, resamples: int = RESAMPLES) -> tuple[Index, Index]:
    """Return Sobol' indices of first and total order of outputs of `sobol_design`.

    Parameters
    ----------
    y : ndarray, shape (n · (factors + 2),)
    factors : int
        Inputs, or groups of them.
    seed, resamples : int
        Of the intervals.

    Returns
    -------
    first, total : Index
        Share of the variance that an input makes alone, and with all that it does together with others.

    References
    ----------
    Saltelli et al. (2010), Comput Phys Commun 181, 259-270; by SALib.
    """
    if not varies(y):
        return _unknown(factors), _unknown(factors)
    with _seeded(seed):
        found = salib().analyze.sobol.analyze(
            _problem(factors), y, calc_second_order=False, num_resamples=resamples, seed=seed or None
        )
    first, total = (
        Index(found[name], found[name] - found[f"{name}_conf"], found[name] + found[f"{name}_conf"])
        for name in ("S1", "ST")
    )
    return first, total
