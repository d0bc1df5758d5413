"""What a failed case leaves for a person: the case, a way to see it without policylab, the rules.

The CNI's rules and its agent's log come through an adapter that a CNI may have.
"""

from __future__ import annotations

from collections.abc import Mapping

from harness.core.conformance.case import Case
from harness.core.conformance.placing import Addresses, Place
from harness.core.outcome import Reading
from harness.core.target import PodPort
from harness.core.target.ask import Ask
from harness.edge.api.kube import Kube
from harness.edge.api.kubectl import Exec
from harness.edge.cluster.opening import Cluster
from harness.edge.conformance.reproducing import Reproduction
from harness.errors import HarnessError


class Evidence:
    """Writes down what is known of a failed case while its state still stands."""

    def __init__(self, cluster: Cluster, kube: Kube, programs: Exec, place: Place) -> None:
        self._image, self._place = cluster.toolbox, place
        drops = cluster.lane.value.drops
        self._counter = drops and drops(kube, programs)

    def files(
        self, case: Case, number: int, wrong: Mapping[Ask, Reading], addresses: Addresses
    ) -> dict[str, str]:
        """The files of a case whose state with this number, from 1 on, has failed, by their names.

        `wrong` are the flows that differ; none where policies came late, or an open connection was
        cut.
        """
        state = case.states[number - 1]
        before = case.states[number - 2] if number > 1 else None
        asks = wrong or [self._place.ask(ask) for ask in state.expected]
        return {
            "case.yaml": case.text,
            **Reproduction(self._place, self._image, addresses).files(before, state, wrong),
            **self._told(next(iter(asks))),
        }

    def _told(self, ask: Ask) -> dict[str, str]:
        if self._counter is None:
            return {}
        pods = [ask.source, *([ask.target.pod] if isinstance(ask.target, PodPort) else [])]
        try:
            return dict(self._counter.tell(pods))
        except HarnessError as error:
            return {"rules.txt": f"the CNI's rules could not be read\n{error}\n"}
