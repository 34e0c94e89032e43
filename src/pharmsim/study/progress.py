"""How far an ensemble has come and how long it will take, on the standard error stream."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta

SILENT = 2.0
"""Seconds in which nothing is said."""
APART = 10.0
"""Seconds between lines where the stream is not a terminal."""


@contextmanager
def progress(
    title: str, total: int, shown: bool = True, what: str = "draws"
) -> Iterator[Callable[[int], None]]:
    """Show how many draws are done: a bar on a terminal, else a line now and then.

    Parameters
    ----------
    title : str
    total : int
        Draws to run.
    shown : bool
        Whether anything is said.
    what : str
        What is counted.

    Yields
    ------
    callable
        To be called with the number of draws that have just been done.
    """
    began = said = time.monotonic()
    done = 0
    with ExitStack() as stack:
        update: Callable[[int, str], None] | None = None

        def step(draws: int) -> None:
            nonlocal done, said, update
            done += draws
            now = time.monotonic()
            if not shown or now - began < SILENT:
                return
            left = str(timedelta(seconds=round((now - began) * (total - done) / done)))
            if sys.stderr.isatty():
                update = update or _bar(stack, title, total, what)
                update(done, left)
            elif now - said >= APART:
                print(f"{title}: {done:,} of {total:,} {what}, {left} to go", file=sys.stderr, flush=True)
                said = now

        yield step


def _bar(stack: ExitStack, title: str, total: int, what: str) -> Callable[[int, str], None]:
    """Begin a bar that goes when the stack is closed."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    bar = Progress(*columns, TextColumn(f"{what}, {{task.fields[left]}} to go"), console=Console(stderr=True),
                   transient=True)  # fmt: skip
    task = stack.enter_context(bar).add_task(title, total=total, left="")
    return lambda done, left: bar.update(task, completed=done, left=left)
