"""Conversions between hazards, published rates and counts: plain functions of numbers.

A hazard (what the engine multiplies by) and a published rate are not the same number. With a hazard
h per year:

=====================================  ====================
exit rate (flow count)                 h
leaver rate by snapshots, steady       1 − exp(−h)
leaver rate by snapshots, closed       2·tanh(h/2)
stability index                        exp(−h)
=====================================  ====================

*Steady*: leavers are replaced, headcount stays; *closed*: nobody joins.

References
----------
Nuffield Trust, chart note on NHS Digital data, 9 February 2022 (leaver rate); written answers 158306
(4 July 2018), 112582 (31 January 2022) and HL9293 (10 November 2020) (stability index).
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np

Cohort = Literal["steady", "closed"]
Number = Any  # float or array: the functions work on both


class Rates(NamedTuple):
    """The published measures that belong to one hazard; all per year."""

    exit_rate: Number
    leaver_rate_steady: Number
    leaver_rate_closed: Number
    stability_index: Number


def hazard_to_rates(hazard: Number) -> Rates:
    """Convert a hazard into the measures that are published.

    Parameters
    ----------
    hazard : float or array, per year

    Returns
    -------
    Rates

    Examples
    --------
    >>> rates = hazard_to_rates(0.10)
    >>> round(float(rates.leaver_rate_steady), 4), round(float(rates.stability_index), 4)
    (0.0952, 0.9048)
    """
    return Rates(hazard, -np.expm1(-hazard), 2.0 * np.tanh(np.asarray(hazard) / 2.0), np.exp(-hazard))


def hazard_from_exit_rate(exit_rate: Number) -> Number:
    """Hazard per year behind a flow count divided by the mean stock: the same number."""
    return exit_rate


def hazard_from_leaver_rate(leaver_rate: Number, cohort: Cohort = "steady") -> Number:
    """Hazard per year behind a published leaver rate.

    Parameters
    ----------
    leaver_rate : float or array, share per year
    cohort : {"steady", "closed"}
        Whether leavers were replaced. Steady: h = −ln(1 − r); closed: h = 2·artanh(r/2).

    Examples
    --------
    >>> round(float(hazard_from_leaver_rate(0.0952, "steady")), 3)
    0.1
    """
    rate = np.asarray(leaver_rate)
    if cohort == "steady":
        return -np.log1p(-rate)
    if cohort == "closed":
        return 2.0 * np.arctanh(rate / 2.0)
    raise ValueError(f'cohort: must be "steady" or "closed"; got {cohort!r}')


def hazard_from_stability(stability_index: Number) -> Number:
    """Hazard per year behind a stability index: h = −ln(s)."""
    return -np.log(stability_index)


def leaver_rate_from_counts(start: Number, end: Number, leavers: Number) -> Number:
    """Leaver rate as published: leavers ÷ mean of headcount at the start and at the end.

    Parameters
    ----------
    start, end : float or array, heads
        Staff of the category at the two snapshots.
    leavers : float or array, heads
        People there at the start and not at the end.

    Returns
    -------
    float or array, share per year

    Examples
    --------
    >>> leaver_rate_from_counts(100, 100, 10)
    0.1
    """
    return leavers / ((start + end) / 2.0)


def stability_from_counts(start: Number, leavers: Number) -> Number:
    """Stability index: share of the staff at the start who do not leave in the year.

    Examples
    --------
    >>> stability_from_counts(100, 10)
    0.9
    """
    return (start - leavers) / start


def start_from_counts(leavers: Number, stability_index: Number) -> Number:
    """Headcount at the start behind published leavers and stability: leavers ÷ (1 − s)."""
    return leavers / (1.0 - stability_index)


def end_from_counts(start: Number, leavers: Number, leaver_rate: Number) -> Number:
    """Headcount at the end behind published leavers and leaver rate: 2·leavers/r − start."""
    return 2.0 * leavers / leaver_rate - start


def vacancy_rate_from_fte(establishment: Number, fte: Number) -> Number:
    """Vacancy rate as published: (funded FTE − FTE in post) ÷ funded FTE; negative when over-established.

    References
    ----------
    StatsWales, NHS staff vacancies; NHS Vacancy Statistics, England.

    Examples
    --------
    >>> vacancy_rate_from_fte(200.0, 180.0)
    0.1
    """
    return (establishment - fte) / establishment
