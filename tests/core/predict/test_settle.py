"""Which flows tell that a change is in force."""

from __future__ import annotations

import pytest

from harness.core.manifests.reader import parse
from harness.core.predict.scenario import Scenario
from harness.core.predict.settle import candidates, contested, flips, relieved
from harness.core.target import PodPort, PodRef
from harness.core.target.ask import Ask

PODS = """apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, image: nginx, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: job, namespace: shop, labels: {app: job}}
spec: {containers: [{name: c, image: nginx}]}
"""
DENY = """---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny, namespace: shop}
spec: {podSelector: {matchLabels: {app: web}}}
"""
WEB, JOB = PodRef("shop", "web"), PodRef("shop", "job")
OPEN = Scenario(parse(PODS, origin="f.yaml"))
SHUT = Scenario(parse(PODS + DENY, origin="f.yaml"))
ASKS = candidates(OPEN, [WEB, JOB])


def told(found: Scenario | None, after: Scenario) -> set[str]:
    return {
        f"{ask.source} {getattr(ask.target, 'pod', '')} {reading}"
        for ask, reading in flips(found, after, ASKS).items()
    }


def test_only_the_flows_that_a_policy_changes_flip() -> None:
    assert told(OPEN, SHUT) == {"shop/job shop/web timeout"}
    assert told(SHUT, OPEN) == {"shop/job shop/web connected"}


def test_change_that_changes_nothing_flips_nothing() -> None:
    assert flips(SHUT, SHUT, ASKS) == {}


def test_without_a_before_all_that_can_be_predicted_must_show() -> None:
    assert set(flips(None, SHUT, ASKS)) == set(ASKS)


def test_new_pod_is_no_part_of_the_before() -> None:
    empty = Scenario(())

    assert set(flips(empty, OPEN, ASKS)) == set(ASKS)


def test_pod_is_not_asked_about_itself() -> None:
    assert [ask.source for ask in ASKS if getattr(ask.target, "pod", None) == WEB] == [JOB]


def test_pod_without_a_prober_is_no_target() -> None:
    assert not [a for a in candidates(OPEN, [JOB]) if getattr(a.target, "pod", None)]


LEFT_OUT = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: odd, namespace: shop}
spec:
  podSelector: {matchLabels: {app: web}}
  policyTypes: [Ingress]
  egress: [{to: [{podSelector: {matchLabels: {app: nobody}}}]}]
"""
TWO = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: web, image: x, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: db, namespace: shop, labels: {app: db}}
spec: {containers: [{name: db, image: x, ports: [{containerPort: 80}]}]}
"""


def ends(ask: Ask) -> tuple[PodRef, PodRef | None]:
    return ask.source, getattr(ask.target, "pod", None)


def test_nobody_waits_for_flows_of_which_a_cni_thinks_otherwise() -> None:
    plain = Scenario(parse(TWO, origin="two"))
    odd = Scenario(parse(f"{TWO}---{LEFT_OUT}", origin="odd"))
    web, db = PodRef("shop", "web"), PodRef("shop", "db")
    asks = candidates(plain, [web, db], internet=False)

    assert contested(plain) == frozenset()
    assert contested(odd) == {web}
    assert not [ask for ask in flips(None, odd, asks) if web in ends(ask)]
    # When the policy goes, they must show that they are open again.
    assert set(flips(odd, plain, asks)) == {a for a in flips(None, plain, asks) if web in ends(a)}


@pytest.mark.parametrize(
    ("internet", "names", "found"),
    [
        (True, True, {"net/google.com:80"}),
        (True, False, {"net/google.com:80"}),
        (False, False, set()),
    ],
)
def test_a_flow_outside_is_polled_where_its_address_is_known(
    internet: bool, names: bool, found: set[str]
) -> None:
    plain = Scenario(parse(TWO, origin="two"))
    asks = candidates(plain, [PodRef("shop", "web")], internet=internet, names=names)
    outside = {str(ask.target) for ask in asks if str(ask.target).startswith(("net/", "name/"))}

    assert outside == found


@pytest.mark.parametrize("names", [True, False])
def test_under_a_policy_by_name_nothing_outside_is_polled_where_names_lead_nowhere(
    names: bool,
) -> None:
    by_name = """---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: by-name, namespace: shop}
spec:
  endpointSelector: {}
  egress: [{toFQDNs: [{matchName: cilium.io}]}]
"""
    scenario = Scenario(parse(f"{TWO}{by_name}", origin="by name"))
    asks = candidates(scenario, [PodRef("shop", "web")], names=names)
    outside = [ask for ask in asks if str(ask.target).startswith(("net/", "name/"))]

    assert bool(outside) is names


BOTH_ENDS = """---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed, namespace: shop}
spec: {podSelector: {}, policyTypes: [Ingress, Egress]}
"""
SENDER_OPEN = """---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: shop}
spec: {podSelector: {}, policyTypes: [Egress], egress: [{}]}
"""


def test_flow_that_one_end_denies_no_longer_is_waited_for_though_it_stays_denied() -> None:
    closed = Scenario(parse(PODS + BOTH_ENDS, origin="f.yaml"))
    half = Scenario(parse(PODS + BOTH_ENDS + SENDER_OPEN, origin="f.yaml"))
    inside = {ask for ask in ASKS if isinstance(ask.target, PodPort)}

    found = relieved(closed, half, ASKS)

    assert inside
    assert found.keys() == inside
    assert {str(reading) for reading in found.values()} == {"timeout"}
    assert not flips(closed, half, inside)


def test_flow_of_which_nothing_changes_is_not_waited_for() -> None:
    closed = Scenario(parse(PODS + BOTH_ENDS, origin="f.yaml"))

    assert relieved(closed, closed, ASKS) == {}
    assert relieved(None, closed, ASKS) == {}
    assert relieved(closed, OPEN, ASKS) == {}
