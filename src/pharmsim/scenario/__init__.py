"""From files to a validated, resolved `Scenario`."""

from pharmsim.scenario.checks import check_warnings
from pharmsim.scenario.loading import (
    digest,
    from_dict,
    load,
    load_all,
    shipped,
    sources,
    tiny_scenario,
    to_dict,
)
from pharmsim.scenario.models import Scenario
from pharmsim.scenario.values import Cells, Series, Value

__all__ = [
    "Cells",
    "Scenario",
    "Series",
    "Value",
    "check_warnings",
    "digest",
    "from_dict",
    "load",
    "load_all",
    "shipped",
    "sources",
    "tiny_scenario",
    "to_dict",
]
