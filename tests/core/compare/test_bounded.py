"""What files decide about the size of a comparison is bounded, and the refusal comes at once."""

from __future__ import annotations

import pytest

from harness.core.compare.world import State, closed_world
from harness.core.manifests.reader import parse
from harness.core.predict.scenario import Scenario
from harness.errors import ContentError

POLICY = """
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: p{n}, namespace: shop}}
spec:
  podSelector: {{matchLabels: {{a: v{n}}}}}
  ingress: [{{from: [{{ipBlock: {{cidr: 10.{n}.0.0/16}}}}], ports: [{{port: {port}}}]}}]
"""


def test_more_flows_than_can_be_compared_are_refused_with_their_number() -> None:
    text = "".join(POLICY.format(n=n, port=n + 1) for n in range(200))
    scenario = Scenario(parse(text, origin="f.yaml"))

    with pytest.raises(ContentError, match="more flows than can be compared") as caught:
        closed_world([State(scenario.topology, tuple(scenario.policies))])

    assert "4000000" in caught.value.seen
