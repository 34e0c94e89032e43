"""Pictures of a comparison."""

from __future__ import annotations

from pathlib import Path

from pharmsim.study.comparison import Comparison


def write(compared: Comparison, folder: Path) -> list[Path]:
    """Draw every picture that the comparison has data for."""
    return []
