"""Feedback loops of a compiled scenario, found by a search of its signed graph."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np

from pharmsim.compiled.arrays import Bools
from pharmsim.report.causal import LABELS, Link

MOST_LOOPS = 2000
"""Where the search for loops ends: so many loops say nothing that a picture could show."""


@dataclass(frozen=True)
class Loop:
    """A closed chain of links: reinforcing (R) if its signs multiply to plus, else balancing (B)."""

    links: tuple[Link, ...]

    @property
    def polarity(self) -> str:
        """R or B."""
        return "R" if np.prod([link.sign for link in self.links]) > 0 else "B"

    @property
    def feedbacks(self) -> tuple[str, ...]:
        """Names of the feedbacks in it, in the order of the chain."""
        return tuple(dict.fromkeys(link.feedback for link in self.links if link.feedback))

    @property
    def variables(self) -> tuple[str, ...]:
        """The chain, from its first variable."""
        return tuple(link.source for link in self.links)

    def text(self) -> str:
        """The chain in words, from where its first feedback acts."""
        names = self.variables
        first = next((i for i, link in enumerate(self.links) if link.feedback), 0)
        turned = [LABELS[name] for name in (*names[first:], *names[: first + 1])]
        return " → ".join([turned[0], *(name if name[1].isupper() else name.lower() for name in turned[1:])])


def loops(found: list[Link]) -> list[Loop]:
    """Find the loops: chains of links that close, no variable twice, for some post at least.

    Parameters
    ----------
    found : list of Link

    Returns
    -------
    list of Loop
        Few feedbacks first, then short ones; at most `MOST_LOOPS`.
    """
    order = {name: i for i, name in enumerate(LABELS)}
    first = (link for link in found if order[link.target] >= order[link.source])
    searches = (_closing(found, (link,), link.acts, order) for link in first)
    out = islice(chain.from_iterable(searches), MOST_LOOPS)
    return sorted(out, key=lambda loop: (len(loop.feedbacks), len(loop.links)))


def _closing(
    found: list[Link], passed: tuple[Link, ...], acts: Bools, order: dict[str, int]
) -> Iterator[Loop]:
    """Loops that a chain can be completed to, through variables after its first one only."""
    first, last = passed[0].source, passed[-1].target
    if last == first:
        if _returns(acts):
            yield Loop(passed)
        return
    closed = {link.source for link in passed[1:]}
    for link in found:
        if link.source == last and link.target not in closed and order[link.target] >= order[first]:
            further = acts @ link.acts
            if further.any():
                yield from _closing(found, (*passed, link), further, order)


def _returns(acts: Bools) -> bool:
    """Whether a chain from posts to posts comes back to some post, after one round or several."""
    rounds = acts
    for _ in range(len(acts).bit_length()):
        rounds = rounds @ rounds
    return bool(rounds.any())


def main_loops(found: list[Link]) -> dict[Loop, str]:
    """Choose the loops to show: for every link of a feedback its simplest, and those without feedback.

    Parameters
    ----------
    found : list of Link

    Returns
    -------
    dict
        Loop → the feedback for which it was chosen, empty for none. A loop that is the simplest of
        several links stands once.
    """
    every = loops(found)
    chosen: dict[Loop, str] = {}
    for link in found:
        if link.feedback:
            through = [loop for loop in every if link in loop.links]
            if through:
                chosen.setdefault(through[0], link.feedback)
    return chosen | {loop: "" for loop in every if not loop.feedbacks}
