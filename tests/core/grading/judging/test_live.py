"""What a cluster is asked about a submission, and what is expected there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address

import pytest

from harness.core.grading.judge import Predicted
from harness.core.grading.judging.live import Check, Checks, Standing, cast_of, got_of
from harness.core.grading.model import Assignment, Got, Heard
from harness.core.grading.submitting import read_submission
from harness.core.grading.world import World, world_of
from harness.core.manifests.reader import File, pods_of
from harness.core.observation import Observation
from harness.core.outcome import Outcome, Reading
from harness.core.target import DnsQuery, ExternalPort, NamePort, PodPort
from harness.edge.cni.known import PROFILES

STAND_IN = "172.18.255.9"
POLICY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {{name: one, namespace: secure-zone}}
spec:
  podSelector: {{}}
  policyTypes: [Egress]
  egress: [{{to: [{{ipBlock: {{cidr: {cidr}}}}}]}}]
"""
NAMES = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: one, namespace: fqdn-lab}
spec:
  endpointSelector: {matchLabels: {app: backend}}
  egress: [{toFQDNs: [{matchName: kubernetes.io}]}]
"""


Asked = dict[tuple[str, str, int, str], tuple[Heard, Check | None]]


def standing(world: World) -> Standing:
    """All pods of the cast run, at 10.9.0.1 and so on."""
    names = sorted(str(pod) for r in cast_of(world) for pod in pods_of(r))
    pods = {
        name: replace(world.topology.pods[name], ip=ip_address(f"10.9.0.{number}"))
        for number, name in enumerate(names, 1)
    }
    outside = dict.fromkeys(("google.com", "kubernetes.io", "cilium.io"), ip_address(STAND_IN))
    outside["docs.cilium.io"] = ip_address("172.18.255.10")
    return Standing(pods, (ip_address("10.9.1.1"),), outside)


def asked(world: World, text: str, cni: str = "calico") -> Asked:
    """The question about each flow, by its ends, port and protocol, with what was heard."""
    submission = read_submission(world.assignment, "alice", [File("p.yaml", text.encode())])
    checks = Checks(world, submission, PROFILES[cni], standing(world))
    return {
        (h.source, h.target, h.port, h.protocol.value): (h, checks.of(h))
        for h in Predicted(PROFILES[cni]).hear(world, submission)
    }


def check_of(found: tuple[Heard, Check | None]) -> Check:
    assert found[1] is not None
    return found[1]


@pytest.fixture
def lab12(assignment: Callable[[str], Assignment]) -> World:
    return world_of(assignment("lab12"))


def test_cast_has_the_workloads_and_the_witnesses_that_cost_little(
    lab12: World, assignment: Callable[[str], Assignment]
) -> None:
    found = {str(pod) for resource in cast_of(lab12) for pod in pods_of(resource)}

    assert lab12.deployed < found
    assert {"elsewhere/no-labels", "elsewhere/like-web-server", "secure-zone/no-labels"} < found
    assert not [name for name in found if name.startswith("kube-system/")]
    other = cast_of(world_of(assignment("netpol-by-example")))
    assert "helper" in {r.name for r in other if r.namespace == "another-debug"}


def test_flows_are_asked_in_the_way_that_shows_them(lab12: World) -> None:
    found = asked(lab12, POLICY.format(cidr="0.0.0.0/0"))
    api, dns = "secure-zone/payment-api", "kube-system/coredns"

    to_pod = check_of(found["frontend-zone/web-server", api, 80, "TCP"])
    assert isinstance(to_pod.ask.target, PodPort)
    assert to_pod.open
    lookup = check_of(found[api, dns, 53, "TCP"])
    assert lookup.ask.target == DnsQuery("A", "kube-dns.kube-system.svc.cluster.local.", tcp=True)
    outside = check_of(found[api, "net/198.51.100.7", 80, "TCP"])
    assert isinstance(outside.ask.target, ExternalPort)


def test_what_no_cluster_can_show_is_not_asked(lab12: World) -> None:
    found = asked(lab12, POLICY.format(cidr="0.0.0.0/0"))

    silent = [key for key, (_, check) in found.items() if check is None]
    assert all(key in silent for key in found if key[3] == "SCTP")
    assert all(key in silent for key in found if key[1].startswith("another pod like"))
    assert all(key in silent for key in found if key[0].startswith(("net/", "kube-system/")))


def test_address_that_only_this_cluster_has_decides_what_is_expected_and_no_mark(
    lab12: World,
) -> None:
    live = standing(lab12).pods["elsewhere/no-labels"].ip
    found = asked(lab12, POLICY.format(cidr=f"{live}/32"))

    flow = found["secure-zone/payment-api", "elsewhere/no-labels", 80, "TCP"]

    assert flow[0].got is Got.CLOSED  # the address was drawn, so that luck counts for nothing
    assert check_of(flow).open


def test_block_that_tells_a_stand_in_apart_leaves_the_outside_unasked(lab12: World) -> None:
    found = asked(lab12, POLICY.format(cidr="172.18.0.0/16"))

    heard = [key for key in found if key[0] == "secure-zone/payment-api" and key[1][:4] == "net/"]
    shown = {key[1] for key in heard if found[key][1] is not None}
    assert len({key[1] for key in heard}) > len(shown) > 0
    assert shown == {"net/172.18.0.1"}


def test_names_are_looked_up_where_a_rule_lets_names_pass(
    assignment: Callable[[str], Assignment],
) -> None:
    world = world_of(assignment("cilium-fqdn"))

    found = asked(world, NAMES, "cilium")

    check = check_of(found["fqdn-lab/backend", "net/kubernetes.io", 443, "TCP"])
    assert check.ask.target == NamePort("kubernetes.io", 443)
    assert not check.open  # no rule lets the backend look the name up


@pytest.mark.parametrize(
    ("seen", "got"),
    [
        (Observation(Reading(Outcome.CONNECTED)), Got.OPEN),
        (Observation(Reading(Outcome.REFUSED)), Got.OPEN),
        (Observation(Reading(Outcome.REFUSED), own=Reading(Outcome.CONNECTED)), Got.CLOSED),
        (Observation(Reading(Outcome.TIMEOUT)), Got.CLOSED),
        (Observation(Reading(Outcome.DNS_REFUSED)), Got.CLOSED),
        (Observation(Reading(Outcome.UNSTABLE)), Got.NO_VERDICT),
        (Observation(Reading(Outcome.WRONG_PEER)), Got.NO_VERDICT),
    ],
)
def test_refusal_by_the_receiver_is_open_and_what_is_not_clear_is_no_verdict(
    seen: Observation, got: Got
) -> None:
    assert got_of(seen) is got
