"""The state of a fact's step must have what its row names; it is checked without a cluster."""

from __future__ import annotations

import pytest

from harness.core.manifests.reader import parse
from harness.core.predict.scenario import Scenario
from harness.core.target import PodRef, parse_target
from harness.core.target.ask import Ask
from harness.errors import ManifestError

WORLD = """apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 80}]}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: dns, namespace: shop}
spec:
  selector: {matchLabels: {app: dns}}
  template:
    metadata: {labels: {app: dns}}
    spec: {containers: [{name: c, image: dns}]}
"""
WANTED = """---
apiVersion: v1
kind: ConfigMap
metadata: {name: wanted-flows, namespace: shop}
data: {flows: "- {from: shop/web, to: dns}"}
"""


def predict(target: str, source: str = "web", world: str = WORLD) -> object:
    ask = Ask(PodRef("shop", source), parse_target(target, where="here"))
    return Scenario(parse(world, origin="f.yaml")).predict(ask).reading


@pytest.mark.parametrize(
    ("target", "source", "fault"),
    [
        ("fact/policies", "wbe", "has the pod shop/wbe"),
        ("fact/established-connection/pod/shop/server:80", "web", "has the pod shop/server"),
        ("fact/established-connection/pod/shop/web:81", "web", "does not declare the port TCP 81"),
        ("fact/lookup-time/gogle.com", "web", "`gogle.com`"),
        ("fact/new-address-asked/name/web.shop:443", "web", "`web.shop`"),
        (
            "fact/new-address-unasked/name/google.com:443/pod/shop/front",
            "web",
            "the pod shop/front",
        ),
        ("fact/crash", "web", "has the Deployment shop/web"),
        ("fact/unused-rules", "web", "says which flows are wanted"),
        ("fact/wanted-against-allowed", "web", "says which flows are wanted"),
        ("rollout/02-policy", "web", "says which flows are wanted"),
    ],
)
def test_row_whose_state_lacks_what_its_fact_needs_is_refused(
    target: str, source: str, fault: str
) -> None:
    with pytest.raises(ManifestError) as caught:
        predict(target, source)

    assert fault in caught.value.what


@pytest.mark.parametrize(
    ("target", "source", "world"),
    [
        ("fact/established-connection/pod/shop/web:80", "web", WORLD),
        ("fact/lookup-time/google.com", "web", WORLD),
        ("fact/new-address-unasked/name/google.com:443/pod/shop/web", "web", WORLD),
        ("fact/crash", "dns", WORLD),
        ("rollout/02-policy", "web", WORLD + WANTED),
    ],
)
def test_measurement_whose_state_has_all_that_it_needs_is_left_open(
    target: str, source: str, world: str
) -> None:
    assert predict(target, source, world) is None


def test_least_privilege_is_predicted_from_the_wanted_flows() -> None:
    assert str(predict("fact/unused-rules", world=WORLD + WANTED)) == "shows none"
