"""A scenario keeps its predictions: it asks the oracle once, and the answers stay the same."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.core.manifests.reader import parse
from harness.core.model import PodRef
from harness.core.predict.scenario import Scenario
from harness.core.predict.settle import candidates
from harness.core.target.ask import Ask

WORLD = parse(
    """apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: job, namespace: shop, labels: {app: job}}
spec: {containers: [{name: c, image: nginx}]}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: shop}
spec: {podSelector: {matchLabels: {app: job}}, policyTypes: [Egress]}
""",
    origin="f.yaml",
)
ASKS = candidates(Scenario(WORLD), [PodRef("shop", "web"), PodRef("shop", "job")])


def test_prediction_is_worked_out_once() -> None:
    state = Scenario(WORLD)

    assert all(state.predict(ask) is state.predict(ask) for ask in ASKS)


@given(st.permutations(ASKS))
def test_order_of_the_asks_changes_no_prediction(asks: list[Ask]) -> None:
    state, fresh = Scenario(WORLD), Scenario(WORLD)

    assert {ask: state.predict(ask) for ask in asks} == {ask: fresh.predict(ask) for ask in ASKS}
