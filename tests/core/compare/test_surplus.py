"""What policies allow beyond a list: nothing is missed, and a proposed list fits exactly."""

from __future__ import annotations

import pytest
from hypothesis import given

from harness.core.compare.surplus import Excess, Surplus, proposal, surplus_of
from harness.core.compare.wishes import Wishes
from harness.core.compare.world import State, names_of
from harness.core.manifests.wanted.flows import parse_wishes
from harness.core.model import NetworkPolicy, Topology
from harness.report.compare.privilege import privilege_summary, privilege_text, proposal_text
from tests.core.compare.test_world import state
from tests.core.strategies import policy_sets, topologies

Policies = tuple[NetworkPolicy, ...]


def measured(found: State, text: str) -> Surplus:
    names = names_of(found.policies)
    wishes = parse_wishes(text, found.topology, origin="wanted.yaml", names=names)
    return surplus_of(found, Wishes({"wanted": wishes}))


def proposed(found: State) -> str:
    return proposal_text(proposal(found), "these")


@given(topologies(), policy_sets)
def test_proposed_list_leaves_nothing_unwanted_and_nothing_missing(
    topology: Topology, found: Policies
) -> None:
    one = State(topology, found)

    surplus = measured(one, proposed(one))

    assert {finding.excess for finding in surplus.findings} <= {Excess.DOUBT}


@given(topologies(), policy_sets, policy_sets)
def test_list_of_one_state_tells_what_another_one_adds_and_takes(
    topology: Topology, old: Policies, new: Policies
) -> None:
    before, after = State(topology, old), State(topology, new)

    there, back = measured(after, proposed(before)), measured(before, proposed(after))

    if not any(
        f.excess in (Excess.DOUBT, Excess.UNKNOWN) for f in (*there.findings, *back.findings)
    ):
        more = {Excess.LET, Excess.OPEN}
        assert any(f.excess in more for f in there.findings) is bool(back.of(Excess.MISSING))


TWO = """
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: app, labels: {app: api}}
spec: {containers: [{name: api, image: x, ports: [{containerPort: 8443}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: impostor, namespace: app, labels: {app: scraper}}
spec: {containers: [{name: x, image: x}]}
---
apiVersion: v1
kind: Pod
metadata: {name: scraper, namespace: mon, labels: {app: scraper}}
spec: {containers: [{name: x, image: x}]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: scraper-only, namespace: app}
spec:
  podSelector: {matchLabels: {app: api}}
  ingress:
    - from:
        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: mon}}
        - podSelector: {matchLabels: {app: scraper}}
      ports: [{port: 8443}]
---
apiVersion: v1
kind: Namespace
metadata: {name: mon}
"""
SCRAPE = "- {from: mon/scraper, to: pod/app/api:8443}"


def test_finding_comes_first_with_its_policy() -> None:
    surplus = measured(state(TWO), SCRAPE)

    assert privilege_summary(surplus).startswith(
        "Unwanted flows pass, by app/scraper-only: app/impostor -> app/api: TCP 8443. "
        "There is no wanted flow that does not pass."
    )
    assert "  app/scraper-only, ingress rule 1 peer 2" in list(privilege_text(surplus))


def test_rule_for_anyone_lets_in_senders_outside_and_to_undeclared_ports() -> None:
    text = TWO.replace("from:\n", "#\n")
    text = text[: text.index("        - namespaceSelector")] + "      ports: [{port: 9999}]\n"

    (finding,) = measured(state(text.replace("    - #\n", "    -\n")), SCRAPE).of(Excess.LET)

    assert [str(port) for port in finding.flows.ports] == ["TCP 9999"]
    assert "every address outside" in finding.flows.sources[-1].names


CILIUM = """
apiVersion: v1
kind: Pod
metadata: {name: api, namespace: app, labels: {app: api}}
spec: {containers: [{name: api, image: x, ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: app, labels: {app: web}}
spec: {containers: [{name: web, image: x}]}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: api, namespace: app}
spec:
  endpointSelector: {matchLabels: {app: api}}
  ingress:
    - fromEndpoints: [{matchLabels: {app: web}}]
    - fromEndpoints: [{matchLabels: {app: gone}}]
  egress:
    - toFQDNs: [{matchName: cloudyuga.guru}]
"""


@pytest.mark.parametrize(
    ("wanted", "unused"),
    [
        ("- {from: app/web, to: pod/app/api:80}", ["egress rule 1", "ingress rule 2"]),
        ("- {from: app/api, to: net/cloudyuga.guru:443}", ["ingress rule 1", "ingress rule 2"]),
    ],
)
def test_rules_of_cilium_are_measured_too(wanted: str, unused: list[str]) -> None:
    surplus = measured(state(CILIUM), wanted)

    assert [str(part).partition("app/api ")[2] for part in surplus.unused] == unused


def test_wanted_flow_that_hangs_on_an_unknown_address_is_not_told_as_passing() -> None:
    text = (
        TWO[: TWO.index("        - namespaceSelector")] + "        - ipBlock: {cidr: 10.0.0.0/8}\n"
    )

    surplus = measured(state(text), SCRAPE)

    assert len(surplus.of(Excess.UNKNOWN)) == 1
    assert "1 group of wanted flows nobody can say that they pass" in privilege_summary(surplus)
    assert "there is no wanted flow" not in privilege_summary(surplus)


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("- {from: app/impostor, to: 'pod/app/*:80'}", ["TCP 80"]),
        ("- {from: [app/impostor, mon/scraper], to: ['pod/app/api:8440-8449']}", ["TCP 8440-8442"]),
        ("- {from: net/198.51.100.0/24, to: 'pod/app/api:8443'}", ["TCP 8443"]),
        ("- {from: 'net/*', to: 'pod/app/api:8443'}", ["TCP 8443"]),
        ("- {from: '*/*', to: 'pod/app/api:53/udp'}", ["UDP 53"]),
    ],
)
def test_wide_entry_means_all_that_it_says(text: str, missing: list[str]) -> None:
    found = measured(state(TWO), text).of(Excess.MISSING)

    assert {str(port) for finding in found for port in finding.flows.ports} >= set(missing)
