"""Published workforce files, read to one tidy series, with a report on their quality.

>>> from pharmsim import published
>>> reading = published.read("pcn_individual", ["September 2022.csv"])   # doctest: +SKIP
>>> reading.table                                                        # doctest: +SKIP
"""

from __future__ import annotations

from typing import Any

__all__ = ["KINDS", "Reading", "check", "read"]


def __getattr__(name: str) -> Any:
    """Import on first use, so that a command that reads no file loads no pandas."""
    if name in __all__:
        from pharmsim.published import reading

        return getattr(reading, name)
    raise AttributeError(f"module 'pharmsim.published' has no attribute {name!r}")
