"""What policies allow beyond a list: nothing is missed, and a proposed list fits exactly."""

from __future__ import annotations

import pytest
from hypothesis import given

from harness.core.compare.surplus import Excess, Surplus, proposal, surplus_of
from harness.core.compare.wishes import Wishes
from harness.core.compare.world import State, names_of
from harness.core.manifests.wanted.flows import parse_wishes
from harness.core.model import NetworkPolicy, Topology
from harness.edge.cni.known import PROFILES
from harness.report.compare.privilege import privilege_summary, privilege_text, proposal_text
from tests.core.compare.test_world import state
from tests.core.strategies import policy_sets, topologies

Policies = tuple[NetworkPolicy, ...]


def measured(found: State, text: str) -> Surplus:
    names = names_of(found.policies)
    wishes = parse_wishes(text, found.topology, origin="wanted.yaml", names=names)
    return surplus_of(found, Wishes({"wanted": wishes}), PROFILES.values())


def proposed(found: State) -> str:
    return proposal_text(proposal(found), "these")


@given(topologies(), policy_sets)
def test_proposed_list_leaves_nothing_unwanted_and_nothing_missing(
    topology: Topology, found: Policies
) -> None:
    one = State(topology, found)

    surplus = measured(one, proposed(one))

    left = {finding.excess for finding in surplus.findings}
    assert left <= {Excess.DOUBT, Excess.LOST, Excess.LEAK}


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


def _left_out(wanted: str) -> Surplus:
    """Egress rules that policyTypes leave out: the API ignores them, and Cilium enforces them."""
    pods = "".join(
        f"---\napiVersion: v1\nkind: Pod\nmetadata: {{name: {name}, namespace: shop, "
        f"labels: {{app: {name}}}}}\nspec: {{containers: [{{name: a, image: a, "
        "ports: [{containerPort: 80}]}]}\n"
        for name in ("web", "api")
    )
    odd = """
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: odd, namespace: shop}
spec:
  podSelector: {}
  policyTypes: [Ingress]
  ingress: [{}]
  egress: [{ports: [{port: 443}]}]
"""
    return measured(
        state(f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: shop}}\n{pods}{odd}"), wanted
    )


def test_wanted_flow_that_a_cni_blocks_is_lost_there() -> None:
    surplus = _left_out("- {from: shop/web, to: pod/shop/api:80}\n")

    (lost,) = surplus.of(Excess.LOST)
    assert lost.own == (("cilium", "deny"),)
    assert surplus.of(Excess.MISSING) == ()
    assert "  shop/web -> shop/api: TCP 80; on Cilium: does not pass" in list(
        privilege_text(surplus)
    )
    assert "as wanted by the API, and not on Cilium" in privilege_summary(surplus)


def test_unwanted_flow_that_a_cni_blocks_is_told_with_its_answer() -> None:
    let = _left_out("- {from: shop/web, to: pod/shop/api:443}\n").of(Excess.LET)

    assert any(finding.own == (("cilium", "deny"),) for finding in let)
    assert any(finding.own == () for finding in let)
