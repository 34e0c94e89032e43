"""What the engines share: the system around the people at a month's start, and the record of stocks.

The kernels are those of `cohort`, called with the counts of single people. Arguments as there.
"""

from __future__ import annotations

from pharmsim.engine.cohort import bring_up_to_date, enter_joint_posts, remember, surroundings
from pharmsim.engine.feedback import training_places
from pharmsim.engine.jit import entry
from pharmsim.engine.limits import vacancies
from pharmsim.engine.people import count, factors
from pharmsim.engine.recording import record_pay, record_posts, record_system, record_training
from pharmsim.engine.work import at_work


@entry
def before_the_start(m, v, x, z, s, y, w, a):  # type: ignore[no-untyped-def]
    """Places of the opening, for the history of the pipelines."""
    bring_up_to_date(z, 0, 0)
    count(m.funding, m.tracks.home, 0, 0, s.people, s.first_year, w)
    at_work(x.work, m.tracks, 0, w, a)
    training_places(x.feedbacks, v.places[0], 0, True, y, a)


@entry
def month_starts(m, v, x, z, clock, t, s, training, y, w, a, o):  # type: ignore[no-untyped-def]
    """A to F and 11 at the start of month `t`; multipliers of hazards without first-year staff.

    Parameters
    ----------
    m, v, x, z, clock, s, training, y, w, a, o
        As in `cohort.run`; one draw. `s` and `training` hold sums where only sums are read.
    t : int
        Month; the last one is only recorded.
    """
    if t > 0:
        enter_joint_posts(x.work.backfill, m.edges.to, 0, t - 1, o.flows, y.backlog[0])
    bring_up_to_date(z, 0, t)
    count(m.funding, m.tracks.home, 0, t, s.people, s.first_year, w)
    surroundings(m, x, v.places[0], 0, t, clock, t == 0, training.stages[0], w, y, a)
    record_posts(m.tracks.home, m.levels.index_55, 0, t, t, s, w, a, o.posts)
    record_system(x.money, 0, t, a, o.system)
    record_pay(0, t, w.fte, a, o.system)
    record_training(0, t, s.seekers, training, o.training)
    if t == clock.n_periods:
        return
    remember(0, 1, y, a)
    vacancies(m.hiring, a.funded, 0, s.offers, w)
    w.first_share[:] = 0.0
    factors(m.risks, x.feedbacks, a.multiplier, 0, t, w)
