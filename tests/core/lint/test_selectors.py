"""Selectors that pick nobody: of policies, of peers, of namespaces; and the nearest label."""

from __future__ import annotations

import pytest

from harness.core.lint.finding import Sure
from harness.core.lint.rules.near import slip
from harness.core.outcome import Verdict
from tests.core.lint.worlds import DNS, every, found, line_of, namespace, pod, policy

WORLD = (
    namespace("shop", "team: sales"),
    namespace("pay"),
    pod("shop/web", "app: web, tier: front", "80"),
    pod("shop/api", "app: checkout-api", "8080"),
    pod("pay/till", "app: till", "9000"),
)
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: books, namespace: shop, labels: {app: books-deployment}}
spec:
  selector: {matchLabels: {app: books}}
  template:
    metadata: {labels: {app: books}}
    spec: {containers: [{name: main, image: a, ports: [{containerPort: 80}]}]}
"""


def ingress(selector: str, peer: str = "{podSelector: {}}") -> str:
    return (
        f"  podSelector: {{matchLabels: {{{selector}}}}}\n  policyTypes: [Ingress]\n"
        f"  ingress:\n    - from:\n        - {peer}\n"
    )


def test_a_slip_in_a_label_is_reported_with_the_nearest_label_and_a_flow_that_it_would_close() -> (
    None
):
    world = (*WORLD, policy("shop/api", ingress("app: chekout-api", "{podSelector: {}}")))

    finding = found("selects-nobody", *world)

    assert finding.spot.field == "spec.podSelector"
    assert finding.spot.line == line_of("chekout-api", *world)
    assert finding.sure is Sure.LIKELY
    assert "`app: checkout-api`" in finding.fix.sentence
    assert finding.shown is not None
    assert (finding.shown.verdict, finding.shown.mended) == (Verdict.ALLOW, Verdict.DENY)


def test_the_same_value_under_another_key_is_the_nearest_label() -> None:
    finding = found("selects-nobody", *WORLD, policy("shop/api", ingress("name: checkout-api")))

    assert "write `app: checkout-api` for `name: checkout-api`" in finding.fix.sentence


def test_labels_of_a_deployment_are_not_those_of_its_pods() -> None:
    finding = found(
        "selects-nobody", *WORLD, DEPLOYMENT, policy("shop/b", ingress("app: books-deployment"))
    )

    assert "The Deployment books bears these labels itself" in finding.what
    assert "app: books" in finding.fix.sentence


def test_a_policy_beside_its_pods_is_told_the_namespace_where_they_are() -> None:
    world = (*WORLD, policy("shop/till", ingress("app: till", "{podSelector: {}}")))

    finding = found("selects-nobody", *world)

    assert finding.spot.field == "metadata.namespace"
    assert "is in the namespace pay" in finding.what
    assert finding.shown is not None
    assert finding.shown.mended is Verdict.DENY


def test_labels_that_nobody_bears_are_only_possibly_a_fault() -> None:
    finding = found("selects-nobody", *WORLD, policy("shop/later", ingress("app: warehouse")))

    assert finding.sure is Sure.POSSIBLE
    assert finding.shown is None


def test_a_namespace_of_which_no_pod_was_read_has_no_selector_without_pods() -> None:
    assert every("selects-nobody", namespace("shop"), policy("shop/a", ingress("app: a"))) == []


def test_a_peer_with_a_slip_is_reported_with_the_flow_that_is_closed_by_it() -> None:
    peer = "{podSelector: {matchLabels: {tier: fornt}}}"
    world = (*WORLD, policy("shop/api", ingress("app: checkout-api", peer)))

    finding = found("selects-nobody", *world)

    assert finding.spot.field == "spec.ingress[0].from[0].podSelector"
    assert finding.spot.line == line_of("fornt", *world)
    assert finding.shown is not None
    assert str(finding.shown.flow) == "shop/web -> pod/shop/api:8080"
    assert (finding.shown.verdict, finding.shown.mended) == (Verdict.DENY, Verdict.ALLOW)


def test_a_pod_selector_alone_does_not_reach_pods_of_another_namespace() -> None:
    peer = "{podSelector: {matchLabels: {app: till}}}"
    finding = found("selects-nobody", *WORLD, policy("shop/a", ingress("app: checkout-api", peer)))

    assert "a podSelector alone means pods of the policy's own namespace" in finding.what
    assert finding.shown is not None
    assert str(finding.shown.flow) == "pay/till -> pod/shop/api:8080"
    assert finding.shown.mended is Verdict.ALLOW


def test_a_second_name_for_coredns_is_no_fault_where_the_first_one_opens_dns() -> None:
    more = DNS.replace(
        "      ports:",
        "        - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}\n"
        "          podSelector: {matchLabels: {app.kubernetes.io/name: coredns}}\n"
        "      ports:",
    )

    assert every("selects-nobody", *WORLD, policy("shop/dns", more)) == []


def test_a_wrong_label_of_coredns_is_reported_where_nothing_else_opens_dns() -> None:
    finding = found("selects-nobody", *WORLD, policy("shop/d", DNS.replace("kube-dns", "coredns")))

    assert finding.shown is not None
    assert str(finding.shown.flow.direct) == "pod/kube-system/coredns:53/udp"
    assert finding.shown.mended is Verdict.ALLOW
    assert "as kubeadm installs it" in finding.what


def space(selector: str) -> str:
    return ingress("app: checkout-api", f"{{namespaceSelector: {{matchLabels: {{{selector}}}}}}}")


@pytest.mark.parametrize(
    ("selector", "fix"),
    [
        ("name: pay", "write `kubernetes.io/metadata.name: pay` for `name: pay`"),
        ("kubernetes.io/metadata.name: payy", "write `kubernetes.io/metadata.name: pay`"),
    ],
)
def test_a_namespace_label_that_nobody_sets_is_reported_with_the_flow(
    selector: str, fix: str
) -> None:
    world = (*WORLD, policy("shop/api", space(selector)))
    finding = found("namespace-label-unset", *world)

    assert finding.spot.field == "spec.ingress[0].from[0].namespaceSelector"
    assert finding.spot.line == line_of(f"{{matchLabels: {{{selector}", *world)
    assert fix in finding.fix.sentence
    assert finding.shown is not None
    assert str(finding.shown.flow) == "pay/till -> pod/shop/api:8080"
    assert (finding.shown.verdict, finding.shown.mended) == (Verdict.DENY, Verdict.ALLOW)


def test_kube_system_has_no_label_of_its_name_but_the_one_of_the_api_server() -> None:
    spec = DNS.replace("kubernetes.io/metadata.name", "name")
    finding = found("namespace-label-unset", *WORLD, policy("shop/dns", spec))

    assert finding.shown is not None
    assert finding.shown.mended is Verdict.ALLOW
    assert every("dns-forgotten", *WORLD, policy("shop/dns", spec)) == []


@pytest.mark.parametrize("name", ["monitoring", "ingress-nginx", "pay-2", "shot"])
def test_a_namespace_outside_of_the_files_may_be_there(name: str) -> None:
    """Also where its name is nearly that of another: numbers and last letters tell names apart."""
    selector = f"kubernetes.io/metadata.name: {name}"

    assert every("namespace-label-unset", *WORLD, policy("shop/api", space(selector))) == []


def test_a_namespace_that_nothing_declares_may_have_the_label() -> None:
    world = [text for text in WORLD if "Namespace" not in text]

    assert every("namespace-label-unset", *world, policy("shop/api", space("name: pay"))) == []


def test_the_labels_of_the_name_servers_tell_which_namespace_was_meant() -> None:
    spec = DNS.replace("kubernetes.io/metadata.name: kube-system", "contains: coredns")
    finding = found("namespace-label-unset", *WORLD, policy("shop/dns", spec))

    assert finding.sure is Sure.LIKELY
    assert "write `kubernetes.io/metadata.name: kube-system`" in finding.fix.sentence
    assert every("dns-forgotten", *WORLD, policy("shop/dns", spec)) == []


def test_a_value_under_a_key_that_names_no_application_is_not_the_nearest_label() -> None:
    listener = pod("shop/listener", "network: cosmos", "80")
    peer = "{podSelector: {matchLabels: {app.kubernetes.io/name: cosmos}}}"
    world = (*WORLD, listener, policy("shop/a", ingress("app: checkout-api", peer)))

    assert found("selects-nobody", *world).sure is Sure.POSSIBLE


def test_a_label_that_no_declared_namespace_has_is_only_possibly_unset() -> None:
    finding = found("namespace-label-unset", *WORLD, policy("shop/api", space("purpose: audit")))

    assert finding.sure is Sure.POSSIBLE


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("frontend", "fronted", True),
        ("backend", "Backend", True),
        ("team-a", "team-b", False),
        ("db-1", "db-2", False),
        ("web", "api", False),
        ("web", "web", False),
    ],
)
def test_a_slip_is_one_word_and_not_two_names(one: str, other: str, *, same: bool) -> None:
    assert slip(one, other) is same
