"""pharmsim: workforce supply simulation from scenario files.

>>> import pharmsim
>>> results = pharmsim.run(pharmsim.load("scenarios/tiny.yaml"))   # doctest: +SKIP
>>> results.data["headcount"]                                      # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "Scenario": "pharmsim.scenario.models",
    "load": "pharmsim.scenario",
    "from_dict": "pharmsim.scenario",
    "to_dict": "pharmsim.scenario",
    "tiny_scenario": "pharmsim.scenario",
    "run": "pharmsim.study.runs",
    "load_calibration": "pharmsim.calibration.file",
    "calibrate": "pharmsim.calibration.calibrate",
    "How": "pharmsim.study.ensemble",
    "Results": "pharmsim.results.labelled",
    "compare": "pharmsim.study.comparing.comparison",
    "PharmsimError": "pharmsim.errors",
    "ScenarioError": "pharmsim.errors",
}
__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> Any:
    """Import public names on first use, so that `pharmsim --help` stays fast."""
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module 'pharmsim' has no attribute {name!r}")
