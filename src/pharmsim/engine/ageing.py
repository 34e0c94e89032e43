"""Ages: on the anniversary everybody is a year older (step 10); the cohorts of an age at last birthday.

Names of the arguments as in `pharmsim.engine.people`.
"""

from __future__ import annotations

from pharmsim.engine.jit import kernel, small
from pharmsim.engine.lived import total


@kernel
def grow_older(home, last, d, s, retired_out, pool_losses_out, gave_up_out):  # type: ignore[no-untyped-def]
    """Step 10. Every cohort moves up one age; who passes the age at `last` retires, counted."""
    people, pools, offers, seekers = s.people, s.pools, s.offers, s.seekers
    retire_first_year(home, last, people[d, 0], s.first_year[d])
    for g in range(people.shape[3]):
        for r in range(home.size):
            for c in range(people.shape[4]):
                retired_out[home[r]] += people[d, 0, r, g, c, last]
                for copy in range(people.shape[1]):
                    older(last, people[d, copy, r, g, c])
        for p in range(offers.shape[2]):
            for j in range(pools.shape[1]):
                pool_losses_out[j, p] += pools[d, j, p, g, last]
                older(last, pools[d, j, p, g])
            for slot in range(offers.shape[1]):
                at_last = offers[d, slot, p, g, last]
                older(last, offers[d, slot, p, g])
                offers[d, slot, p, g, last] += at_last
        for q in range(seekers.shape[1]):
            gave_up_out[q] += seekers[d, q, g, last]
            older(last, seekers[d, q, g])


@kernel
def retire_first_year(home, last, people, first_year):  # type: ignore[no-untyped-def]
    """First-year staff are among those who pass the last age in proportion."""
    for p in range(first_year.shape[0]):
        heads = gone = 0.0
        for r in range(home.size):
            if home[r] == p:
                heads += total(people[r])
                for g in range(people.shape[1]):
                    for c in range(people.shape[2]):
                        gone += people[r, g, c, last]
        if gone > 0.0:
            for slot in range(first_year.shape[1]):
                first_year[p, slot] *= 1.0 - gone / heads


@small
def older(last, cohorts):  # type: ignore[no-untyped-def]
    """Shift one vector of cohorts by a year."""
    for a in range(last, 0, -1):
        cohorts[a] = cohorts[a - 1]
    cohorts[0] = 0.0


@small
def by_cohort(heads, fraction, ages, out):  # type: ignore[no-untyped-def]
    """Add `heads` people, by the shares of their `ages` at last birthday, to the cohorts `out`.

    Each age is split over two cohorts so that the mean is kept; `fraction` of the year of the model is over.
    """
    same, younger, last = heads * (1.0 - fraction), heads * fraction, ages.size - 1
    out[0] += heads * ages[0] + younger * ages[1]
    for a in range(1, last):
        out[a] += same * ages[a] + younger * ages[a + 1]
    out[last] += same * ages[last]
