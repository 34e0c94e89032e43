"""C of a month's start: establishment, budgets, temporary cover.

Arguments as in `pharmsim.engine.work`; `q` is the `Money` part of the model, `f` the `Funding` part.
"""

from __future__ import annotations

import math

from pharmsim.engine.jit import kernel


@kernel
def follow_need(q, split, d, opening_need, followed, a):  # type: ignore[no-untyped-def]
    """Perceived change of need by post, relative to the opening."""
    for p in range(split.shape[0]):
        a.followed[p] = followed[p]
        if q.follow[d, p] > 0.0:
            change = 0.0
            for s in range(split.shape[1]):
                ratio = a.required[s] / opening_need[s] if opening_need[s] > 0.0 else 1.0
                change += split[p, s] * ratio
            a.followed[p] += (change - followed[p]) * q.follow_pace[d, p]


@kernel
def fund(f, q, d, t, a):  # type: ignore[no-untyped-def]
    """Establishment of every post: policy, transfers, caps of budgets; the cost of an FTE now."""
    for p in range(a.funded.size):
        a.cost[p] = q.cost[d, p] * q.pay_index[d, q.pay_row[p], t]
        a.funded[p] = f.establishment[d, p]
        if math.isinf(a.funded[p]):
            continue  # no limit under any policy
        a.funded[p] *= f.policy_factor[d, f.policy[p], t] * (1.0 + q.follow[d, p] * (a.followed[p] - 1.0))
        for i in range(q.transfer_progress.shape[0]):
            a.funded[p] += q.transfer[d, i, p] * q.transfer_progress[i, t]
    money_follows(q, d, t, a)
    for b in range(q.caps.size):
        if q.caps[b]:
            wanted = 0.0
            for p in range(a.funded.size):
                if q.inside[b, p]:
                    wanted += a.funded[p] * a.cost[p]
            if wanted > a.money[b]:
                for p in range(a.funded.size):
                    if q.inside[b, p]:
                        a.funded[p] *= a.money[b] / wanted


@kernel
def money_follows(q, d, t, a):  # type: ignore[no-untyped-def]
    """Money of every budget: its own, less what left with establishment that was moved, and what came."""
    for b in range(q.caps.size):
        a.money[b] = q.budget[d, b, t]
    for i in range(q.transfer_progress.shape[0]):
        done = q.transfer_progress[i, t]
        if done == 0.0:
            continue
        gives = receives = 0.0
        for p in range(a.funded.size):
            gives -= min(q.transfer[d, i, p], 0.0) * done * a.cost[p]
            receives += max(q.transfer[d, i, p], 0.0)
        for b in range(q.caps.size):
            for p in range(a.funded.size):
                if q.inside[b, p]:
                    moved = q.transfer[d, i, p]
                    if moved < 0.0 or q.transfer_new[i]:
                        a.money[b] += moved * done * a.cost[p]
                    elif receives > 0.0:
                        a.money[b] += gives * moved / receives


@kernel
def buy_cover(f, q, d, t, w, a):  # type: ignore[no-untyped-def]
    """Temporary cover of vacancies and backfill of joint posts, as far as capping budgets allow."""
    for p in range(a.funded.size):
        a.cover[p] = 0.0
        if not math.isinf(a.funded[p]):
            vacant = max(a.funded[p] - w.fte[p], 0.0)
            a.cover[p] = min(f.cover_share[d, p] * vacant, f.cover_cap[d, p] * a.funded[p])
        a.backfill[p] = a.entering[p]
    for b in range(q.caps.size):
        if not q.caps[b]:
            continue
        left, wanted = a.money[b], 0.0
        for p in range(a.funded.size):
            if q.inside[b, p]:
                left -= w.fte[p] * a.cost[p]
                wanted += (a.cover[p] + a.backfill[p]) * a.cost[p] * q.premium[d, p]
        if wanted > max(left, 0.0):
            for p in range(a.funded.size):
                if q.inside[b, p]:
                    a.cover[p] *= max(left, 0.0) / wanted
                    a.backfill[p] *= max(left, 0.0) / wanted
