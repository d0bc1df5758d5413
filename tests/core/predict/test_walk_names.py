"""Flows by name: pods of their own names, spelled addresses, aliases, and names outside."""

from __future__ import annotations

import pytest

from harness.core.manifests.reader import parse
from harness.core.outcome import Verdict
from harness.core.predict.scenario import Scenario
from harness.core.predict.walk import Walk, walk
from harness.core.target import parse_source, parse_target

WORLD = """
apiVersion: v1
kind: Namespace
metadata: {name: sea}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: ship, namespace: sea}
spec:
  serviceName: fleet
  replicas: 2
  selector: {matchLabels: {app: ship}}
  template:
    metadata: {labels: {app: ship}}
    spec: {containers: [{name: c, image: i, ports: [{containerPort: 70, name: bell}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: p1, namespace: sea, labels: {app: ship}}
spec: {hostname: boat, subdomain: fleet, containers: [{name: c, image: i}]}
---
apiVersion: v1
kind: Pod
metadata: {name: p2, namespace: sea, labels: {app: port}}
spec: {containers: [{name: c, image: i}]}
status: {podIP: 10.1.2.3}
---
apiVersion: v1
kind: Pod
metadata: {name: p3, namespace: sea, labels: {app: wreck}}
spec: {hostname: wreck, subdomain: deep, containers: [{name: c, image: i}]}
status: {podIP: "2001:db8::3", conditions: [{type: Ready, status: "%(ready)s"}]}
---
apiVersion: v1
kind: Service
metadata: {name: fleet, namespace: sea}
spec: {clusterIP: None, selector: {app: ship}, ports: [{port: 700, targetPort: bell, name: bell}]}
---
apiVersion: v1
kind: Service
metadata: {name: deep, namespace: sea}
spec:
  clusterIP: None
  selector: {app: wreck}
  ports: [{port: 1}]
  publishNotReadyAddresses: %(published)s
---
apiVersion: v1
kind: Service
metadata: {name: dock, namespace: sea}
spec: {selector: {app: wreck}, ports: [{port: 9}], publishNotReadyAddresses: %(published)s}
---
apiVersion: v1
kind: Service
metadata: {name: other, namespace: sea}
spec: {type: ExternalName, externalName: ship-1.fleet.sea.svc.cluster.local}
---
apiVersion: v1
kind: Service
metadata: {name: round, namespace: sea}
spec: {type: ExternalName, externalName: round.sea.svc.cluster.local}
---
apiVersion: v1
kind: Service
metadata: {name: abroad, namespace: sea}
spec: {type: ExternalName, externalName: api.example.com}
---
apiVersion: v1
kind: Service
metadata: {name: hand, namespace: sea}
spec: {clusterIP: None, ports: [{port: 5, name: main}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: hand-1, namespace: sea, labels: {kubernetes.io/service-name: hand}}
addressType: IPv4
ports: [{port: 5, name: main}]
endpoints:
  - {addresses: [198.51.100.5], hostname: first}
  - {addresses: [198.51.100.6], hostname: second, conditions: {ready: false}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: ships, namespace: sea}
spec:
  podSelector: {matchExpressions: [{key: app, operator: In, values: [ship, wreck]}]}
  ingress:
    - {from: [{podSelector: {matchLabels: {app: port}}}], ports: [{port: 70}]}
"""
EGRESS = """---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: sea}
spec:
  podSelector: {matchLabels: {app: port}}
  policyTypes: [Egress]
  egress:
    - {ports: [{port: 53, protocol: UDP}]}
    - %s
"""
CILIUM = """---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: out, namespace: sea}
spec:
  endpointSelector: {matchLabels: {app: port}}
  egress:
    - toEntities: [cluster]
      toPorts: [{ports: [{port: "53", protocol: ANY}], rules: {dns: [{matchPattern: "*"}]}}]
    - {toFQDNs: [{matchPattern: "*.example.com"}]}
"""
POOR = {"ready": "False", "published": "false"}


def asked(target: str, more: str = "", **values: str) -> Walk:
    text = WORLD % {"ready": "True", "published": "false", **values}
    scenario = Scenario(parse(text + more, origin="sea"))
    return walk(scenario, parse_source("sea/p2", where="FROM"), parse_target(target, where="TO"))


@pytest.mark.parametrize(
    ("name", "pods"),
    [
        ("ship-0.fleet.sea.svc.cluster.local", ["sea/ship-0"]),
        ("ship-0.fleet.sea.svc.cluster.local.", ["sea/ship-0"]),
        ("SHIP-1.Fleet", ["sea/ship-1"]),
        ("boat.fleet.sea", ["sea/p1"]),
        ("other", ["sea/ship-1"]),
        ("fleet.sea", ["sea/p1", "sea/ship-0", "sea/ship-1"]),
        ("_bell._tcp.fleet", ["sea/p1", "sea/ship-0", "sea/ship-1"]),
        ("10-1-2-3.sea.pod.cluster.local", ["sea/p2"]),
        ("10-9-9-9.sea.pod.cluster.local", ["10.9.9.9"]),
        ("wreck.deep", ["sea/p3"]),
        ("2001-db8--3.sea.pod.cluster.local", ["sea/p3"]),
        ("first.hand", ["198.51.100.5"]),
        ("hand", ["198.51.100.5"]),
    ],
)
def test_a_name_leads_to_the_ends_that_have_its_addresses(name: str, pods: list[str]) -> None:
    found = asked(f"name/{name}:70")

    assert sorted(str(part.flow.target) for part in found.parts) == pods


@pytest.mark.parametrize(
    ("name", "port", "verdict"),
    [
        ("ship-0.fleet", 70, Verdict.ALLOW),
        ("ship-0.fleet", 700, Verdict.DENY),
        ("boat.fleet.sea.svc.cluster.local", 70, Verdict.ALLOW),
        ("boat.fleet", 71, Verdict.DENY),
        ("wreck.deep", 71, Verdict.DENY),
        ("10-1-2-3.sea.pod.cluster.local", 1, Verdict.ALLOW),
    ],
)
def test_policies_decide_about_the_pod_of_that_name(name: str, port: int, verdict: Verdict) -> None:
    assert asked(f"name/{name}:{port}").verdict is verdict


@pytest.mark.parametrize(
    "name", ["ship-2.fleet.sea.svc.cluster.local", "p1.fleet", "ship-0.dock", "198-51-100-5.hand"]
)
def test_a_pod_without_that_name_is_not_reached_by_it(name: str) -> None:
    found = asked(f"name/{name}:70")

    assert found.verdict is Verdict.UNDEFINED
    assert "there is no such name" in found.because


def test_aliases_that_lead_to_each_other_lead_to_nobody() -> None:
    found = asked("svc/sea/round:80")

    assert found.verdict is Verdict.UNDEFINED
    assert "to nobody" in found.because


def test_an_alias_of_a_name_outside_says_what_to_ask() -> None:
    assert "name/api.example.com:80" in asked("svc/sea/abroad:80").because


def test_a_pod_that_is_not_ready_is_behind_no_service_and_has_no_name() -> None:
    assert asked("svc/sea/dock:9").verdict is Verdict.DENY
    left_out = asked("svc/sea/dock:9", **POOR)
    assert left_out.verdict is Verdict.UNDEFINED
    assert "no pod that is ready is behind" in left_out.because
    assert any("p3 is not ready" in note for note in left_out.basis.notes)
    assert asked("name/wreck.deep:70", **POOR).parts[0].flow.target.ip is None


def test_a_service_that_publishes_pods_that_are_not_ready_leads_to_them() -> None:
    published = POOR | {"published": "true"}

    assert asked("svc/sea/dock:9", **published).verdict is Verdict.DENY
    assert str(asked("name/wreck.deep:70", **published).parts[0].flow.target) == "sea/p3"


def test_that_pods_are_ready_is_told_as_assumed() -> None:
    ready = "every pod behind the Service sea/dock is ready, unless its status denies it"

    assert ready in asked("svc/sea/dock:9").basis.assumed
    assert ready not in asked("svc/sea/dock:9", published="true").basis.assumed


@pytest.mark.parametrize("name", ["api.example.com", "nosuch", "ship-0.flet.sea"])
def test_whether_a_name_exists_outside_is_not_known(name: str) -> None:
    found = asked(f"name/{name}:443")

    assert found.verdict is Verdict.UNDEFINED
    assert "nothing here tells whether" in found.because
    assert found.parts[0].verdict is Verdict.ALLOW


def test_a_flow_to_a_name_outside_is_denied_whatever_its_address() -> None:
    found = asked("name/api.example.com:443", EGRESS % "{to: [{podSelector: {}}]}")

    assert found.verdict is Verdict.DENY
    assert found.parts[0].remedies == ()


@pytest.mark.parametrize(
    ("block", "verdict"),
    [
        ("cidr: 0.0.0.0/0", Verdict.ALLOW),
        ("cidr: 0.0.0.0/0, except: [10.0.0.0/8]", Verdict.UNDEFINED),
        ("cidr: 198.51.100.0/24", Verdict.UNDEFINED),
    ],
)
def test_an_address_that_is_not_known_is_in_no_block_but_that_of_all(
    block: str, verdict: Verdict
) -> None:
    found = asked("name/api.example.com:443", EGRESS % f"{{to: [{{ipBlock: {{{block}}}}}]}}")

    assert found.verdict is Verdict.UNDEFINED
    assert found.parts[0].verdict is verdict


def test_a_name_outside_that_a_policy_names_is_assumed_to_exist() -> None:
    found = asked("name/api.example.com:443", CILIUM)

    assert found.verdict is Verdict.ALLOW
    assert any("api.example.com exists, for a policy" in line for line in found.basis.assumed)
    assert asked("name/api.example.org:443", CILIUM).verdict is Verdict.DENY
