"""Two ends of a path: a rule that the other end makes void, and wanted flows that are closed."""

from __future__ import annotations

import pytest

from harness.core.outcome import Verdict
from tests.core.lint.worlds import DENY, DNS, every, found, line_of, namespace, pod, policy

WORLD = (
    namespace("zone"),
    pod("zone/api", "app: api", "80"),
    pod("zone/db", "app: db", "6379 redis"),
    pod("zone/cache", "app: cache", "11211"),
    policy("zone/deny", DENY),
    policy("zone/dns", DNS),
)
API_TO_DB = """\
  podSelector: {matchLabels: {app: api}}
  policyTypes: [Egress]
  egress:
    - to:
        - podSelector: {matchLabels: {app: db}}
"""
DB_FROM_API = """\
  podSelector: {matchLabels: {app: db}}
  policyTypes: [Ingress]
  ingress:
    - from:
        - podSelector: {matchLabels: {app: api}}
      ports: [{port: redis}]
"""


def test_egress_to_a_closed_receiver_is_void_and_shown_by_the_flow() -> None:
    world = (*WORLD, policy("zone/api-to-db", API_TO_DB))

    finding = found("void-by-other-side", *world)

    assert finding.spot.field == "spec.egress[0]"
    assert finding.spot.line == line_of("matchLabels: {app: db}}", *world) - 1
    assert "the receiver's ingress is closed by zone/deny" in finding.what
    assert finding.shown is not None
    assert str(finding.shown.flow) == "zone/api -> pod/zone/db:6379"
    assert (finding.shown.verdict, finding.shown.mended) == (Verdict.DENY, Verdict.ALLOW)


def test_ingress_from_a_closed_sender_is_void() -> None:
    finding = found("void-by-other-side", *WORLD, policy("zone/db-from-api", DB_FROM_API))

    assert "the sender's egress is closed by zone/deny" in finding.what


def test_the_suggested_policy_is_the_other_half_of_the_path() -> None:
    world = (*WORLD, policy("zone/api-to-db", API_TO_DB))
    other = found("void-by-other-side", *world).fix.yaml

    assert every("void-by-other-side", *world, other) == []


def test_both_halves_of_a_path_are_not_reported() -> None:
    halves = (policy("zone/a", API_TO_DB), policy("zone/b", DB_FROM_API))

    assert every("void-by-other-side", *WORLD, *halves) == []


def test_one_peer_of_two_that_is_void_is_reported_alone() -> None:
    two = API_TO_DB + "        - podSelector: {matchLabels: {app: cache}}\n"
    world = (*WORLD, policy("zone/a", two), policy("zone/b", DB_FROM_API))

    finding = found("void-by-other-side", *world)

    assert finding.spot.field == "spec.egress[0].to[1]"
    assert "this peer opens none" in finding.what


@pytest.mark.parametrize(
    "peer",
    [
        pytest.param("namespaceSelector: {}", id="somebody gets through"),
        pytest.param("ipBlock: {cidr: 192.0.2.0/24}", id="the outside is never closed"),
    ],
)
def test_a_rule_that_some_flow_needs_is_not_void(peer: str) -> None:
    spec = API_TO_DB.replace("podSelector: {matchLabels: {app: db}}", peer)
    open_pod = (namespace("open"), pod("open/any", "app: any", "80"))

    assert every("void-by-other-side", *WORLD, *open_pod, policy("zone/a", spec)) == []


def test_a_port_that_nobody_declares_and_the_other_side_opens_keeps_a_rule_from_being_void() -> (
    None
):
    metrics = DB_FROM_API.replace("port: redis", "port: 9121")

    halves = (policy("zone/a", API_TO_DB), policy("zone/b", metrics))

    assert every("void-by-other-side", *WORLD, *halves) == []


def test_policies_without_pods_are_judged_by_pods_that_stand_in() -> None:
    finding = found("void-by-other-side", policy("zone/deny", DENY), policy("zone/a", API_TO_DB))

    assert finding.shown is not None
    assert finding.shown.made_up == ("zone/a-pod-with-app=api", "zone/a-pod-with-app=db")


def test_a_stand_in_takes_the_labels_by_which_another_policy_opens_it() -> None:
    by_tier = DB_FROM_API.replace("matchLabels: {app: db}", "matchLabels: {tier: data}")
    by_tier = by_tier.replace("port: redis", "port: 6379")
    policies = (policy("zone/deny", DENY), policy("zone/a", API_TO_DB), policy("zone/b", by_tier))

    assert every("void-by-other-side", *policies) == []


def test_a_rule_for_all_pods_is_not_void_where_a_pod_that_was_not_read_could_get_in() -> None:
    """Only the server itself was read, and its own egress is closed; its clients are elsewhere."""
    server = (
        namespace("chain"),
        pod("chain/node-0", "app: node", "9650"),
        pod("chain/node-1", "app: node", "9650"),
        policy(
            "chain/node",
            "  podSelector: {matchLabels: {app: node}}\n  policyTypes: [Ingress, Egress]\n"
            "  ingress: [{from: [{podSelector: {}}], ports: [{port: 9650}]}]\n",
        ),
    )

    assert every("void-by-other-side", *server) == []


def test_a_rule_for_all_pods_is_void_where_the_whole_namespace_is_closed_at_the_other_side() -> (
    None
):
    all_in = (
        "  podSelector: {}\n  policyTypes: [Ingress]\n  ingress: [{from: [{podSelector: {}}]}]\n"
    )

    assert found("void-by-other-side", policy("zone/deny", DENY), policy("zone/all", all_in)).shown


def test_stand_ins_of_one_selector_may_talk_to_each_other() -> None:
    """All pods may send to the port that the pods of the application open to their namespace."""
    here = "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: jobs}}"
    send = (
        f"  podSelector: {{}}\n  policyTypes: [Egress]\n  egress:\n    - to: [{{{here}}}]\n"
        "      ports: [{port: 8080}]\n"
    )
    receive = (
        "  podSelector: {matchLabels: {part-of: jobs}}\n  policyTypes: [Ingress]\n"
        f"  ingress:\n    - from: [{{{here}}}]\n      ports: [{{port: 8080}}]\n"
    )
    policies = (policy("jobs/deny", DENY), policy("jobs/out", send), policy("jobs/in", receive))

    assert every("void-by-other-side", *policies) == []


WANTED = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: wanted-flows, namespace: zone}
data:
  flows: |
    - {from: zone/api, to: pod/zone/db:6379}
    - {from: zone/api, to: dns}
"""


def test_a_wanted_flow_that_is_denied_is_reported() -> None:
    world = (*WORLD, WANTED)
    finding = found("wanted-flow-closed", *world)

    assert finding.spot.field == "data.flows"
    assert finding.spot.line == line_of("flows: |", *world)
    assert finding.shown is not None
    assert str(finding.shown.flow) == "zone/api -> pod/zone/db:6379"
    assert (finding.shown.verdict, finding.shown.mended) == (Verdict.DENY, Verdict.ALLOW)


def test_wanted_flows_that_pass_are_not_reported() -> None:
    halves = (policy("zone/a", API_TO_DB), policy("zone/b", DB_FROM_API))

    assert every("wanted-flow-closed", *WORLD, *halves, WANTED) == []


def test_a_rule_that_may_also_mean_an_end_of_unknown_address_is_not_called_void() -> None:
    """The address of zone/api is known and closed; nobody knows that of CoreDNS."""
    known = pod("zone/api", "app: api", "80") + "status: {podIP: 10.0.0.3}\n"
    block = """\
  podSelector: {}
  policyTypes: [Ingress, Egress]
  egress:
    - to:
        - ipBlock: {cidr: 10.0.0.0/8}
"""

    world = (namespace("zone"), pod("zone/db"), known, policy("zone/block", block))
    assert every("void-by-other-side", *world) == []
