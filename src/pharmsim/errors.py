"""What can go wrong, as a tree.

::

    PharmsimError
    ├── ScenarioError      the files do not describe a model (exit code 2)
    ├── InputError         numbers that do not go together, seen when they are compiled (exit code 2)
    ├── OutputError        results cannot be written or read (exit code 2)
    ├── RunError           a run failed (exit code 1)
    │   └── ConservationError   people were lost or created: a fault of pharmsim
    └── InterruptionError  somebody stopped a command that can be resumed (exit code 130)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class PharmsimError(Exception):
    """Base of every error that pharmsim raises on purpose."""

    exit_code = 1


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in one place.

    Attributes
    ----------
    file : str
        Path as the user typed or wrote it.
    line : int
        Line number, from 1; 0 where no line can be named.
    where : str
        Key path inside the file, such as ``leaving.died.rate``; may be empty.
    message : str
        What must hold, what was found, what to do.
    """

    file: str
    line: int
    where: str
    message: str

    def __str__(self) -> str:
        place = f"  line {self.line}" if self.line else "  "
        name = f"  {self.where}:" if self.where else " "
        return f"{place}{name} {self.message}"


class ScenarioError(PharmsimError):
    """The scenario files are wrong; carries every problem found, sorted by file and line."""

    exit_code = 2

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__(self._text())

    def _text(self) -> str:
        lines: list[str] = []
        for file in dict.fromkeys(problem.file for problem in self.problems):
            here = [problem for problem in self.problems if problem.file == file]
            lines.append(f"{file}: {len(here)} problem{'s' if len(here) != 1 else ''}")
            lines.extend(str(problem) for problem in here)
        return "\n".join(lines)


class InputError(PharmsimError):
    """Numbers that are right one by one do not go together, or leave their bounds in a draw or a year."""

    exit_code = 2


class OutputError(PharmsimError):
    """A results folder exists already, is incomplete, or cannot be written."""

    exit_code = 2


class RunError(PharmsimError):
    """A run failed."""


class ConservationError(RunError):
    """Headcount was not conserved; the message names the first month and the size."""


class InterruptionError(PharmsimError):
    """A command was interrupted; the message says how much is done and how to continue."""

    exit_code = 130
