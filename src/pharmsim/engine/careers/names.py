"""Names for the log, by the numbers of the arrays."""

from __future__ import annotations

from pharmsim.scenario.models import Scenario
from pharmsim.scenario.training import ExternalPipeline, InternalPipeline


class Names:
    """Names of what people can be in, in the order of the arrays.

    Parameters
    ----------
    scenario : Scenario
    """

    def __init__(self, scenario: Scenario) -> None:
        pipelines = scenario.pipelines.items()
        self.posts = [post.post for post in scenario.posts]
        self.contracts = list(scenario.contracts)
        self.destinations = list(scenario.leaving)
        self.pools = list(scenario.pools)
        self.pipelines = [name for name, p in pipelines if isinstance(p, ExternalPipeline)]
        self.internal = [name for name, p in pipelines if isinstance(p, InternalPipeline)]
        self.stages = [
            f"{name}.{stage.name}"
            for name, p in pipelines
            if isinstance(p, ExternalPipeline)
            for stage in p.stages
        ]
        sources = scenario.hiring.sources if scenario.hiring else ()
        self.sources = [*(source.name for source in sources), "earlier_offers"]
