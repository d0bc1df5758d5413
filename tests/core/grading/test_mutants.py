"""Laws of variants: wrong ones change a flow, right ones change none, and all can be read."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from functools import cache
from itertools import islice
from pathlib import Path

import pytest
import yaml

from harness.core.grading.mutation.edits import Reference
from harness.core.grading.mutation.equal import first_difference
from harness.core.grading.mutation.labels import misspelt
from harness.core.grading.mutation.trial import spread
from harness.core.grading.mutation.variants import (
    REFUSED,
    RIGHT,
    WRONG,
    Variant,
    right_variants,
    wrong_variants,
)
from harness.core.manifests.library import in_force
from harness.core.manifests.reader import File, policies_of, read_files, topology_of
from harness.core.model import NetworkPolicy
from harness.core.outcome import Verdict
from harness.core.predict.surroundings import with_surroundings
from harness.errors import ManifestError

MANIFESTS = Path(__file__).parents[3] / "manifests"
SOLUTIONS = {
    "lab12-zero-trust": ["07-default-deny-both", "07-allow-dns", "07-web-to-api", "07-api-to-db"],
    "netpol-by-example": [
        "02-default-deny",
        "07-allow-dns",
        "07-allow-http",
        "07-allow-debug-egress",
        "06-allow-http-other-ns",
    ],
    "production-isolation": [
        "05-default-deny-all",
        "05-allow-dns",
        "05-frontend-to-backend",
        "05-gateway",
        "03-allow-backend-ingress",
    ],
    "cilium-fqdn": ["02-egress-allow-fqdn"],
}
ENOUGH_WRONG, ENOUGH_RIGHT = 40, 15


def _bytes(tutorial: str, name: str) -> bytes:
    return (MANIFESTS / tutorial / f"{name}.yaml").read_bytes()


@cache
def _reference(tutorial: str) -> Reference:
    workloads = ["01-workloads"]
    if tutorial == "netpol-by-example":
        workloads.append("06-other-namespace")
    loaded = read_files([File(f"{name}.yaml", _bytes(tutorial, name)) for name in workloads])
    topology = with_surroundings(topology_of(in_force(loaded, list(loaded))))
    documents = [
        document
        for name in SOLUTIONS[tutorial]
        for document in yaml.safe_load_all(_bytes(tutorial, name))
    ]
    return Reference(tuple(documents), topology)


def _policies(files: Sequence[tuple[str, bytes]]) -> tuple[NetworkPolicy, ...]:
    loaded = read_files([File(name, data) for name, data in files])
    return policies_of(in_force(loaded, list(loaded)))


@cache
def _wrong(tutorial: str) -> tuple[Variant, ...]:
    return wrong_variants(_reference(tutorial))


@cache
def _right(tutorial: str) -> tuple[Variant, ...]:
    return right_variants(_reference(tutorial))


@cache
def _base(tutorial: str) -> tuple[NetworkPolicy, ...]:
    return _policies(_right(tutorial)[0].files)


tutorials = pytest.mark.parametrize("tutorial", sorted(SOLUTIONS))


@tutorials
def test_a_wrong_variant_is_read_unless_it_says_that_it_is_refused(tutorial: str) -> None:
    # Of the longest solution a part of them, of every rule.
    for variant in spread(_wrong(tutorial), 200):
        try:
            _policies(variant.files)
        except ManifestError as error:
            refused = str(error)
        else:
            refused = ""
        assert bool(refused) is variant.refused, f"{variant.name}: {refused}"


@tutorials
def test_enough_wrong_variants_change_a_flow(tutorial: str) -> None:
    reference, base = _reference(tutorial), _base(tutorial)
    found = [variant for variant in _wrong(tutorial) if not variant.refused]
    # Enough of them are asked for, spread over all rules: the others cost time.
    spread = found[:: max(1, len(found) // 50)]
    changes = (
        first_difference(reference.topology, base, _policies(variant.files)) for variant in spread
    )
    differing = islice((change for change in changes if change is not None), ENOUGH_WRONG)
    assert len(list(differing)) == ENOUGH_WRONG


@tutorials
def test_a_right_variant_changes_no_flow(tutorial: str) -> None:
    reference, base = _reference(tutorial), _base(tutorial)
    for variant in _right(tutorial):
        policies = _policies(variant.files)
        if set(policies) != set(base):  # the same values need no oracle
            found = first_difference(reference.topology, base, policies)
            assert found is None, f"{variant.name}: {found}"


@tutorials
def test_there_are_enough_right_variants_and_each_is_other_text(tutorial: str) -> None:
    found = _right(tutorial)
    assert len(found) >= ENOUGH_RIGHT
    assert len({variant.files for variant in found}) == len(found)


@tutorials
def test_variants_come_in_the_same_order_and_leave_the_reference_as_it_is(tutorial: str) -> None:
    reference = _reference(tutorial)
    before = deepcopy(reference.documents)
    again = (*wrong_variants(reference), *right_variants(reference))
    assert _all(tutorial) == again
    assert reference.documents == before
    names = [variant.name for variant in again]
    assert len(set(names)) == len(names)


@tutorials
def test_a_variant_says_what_it_is_in_a_sentence_and_has_plain_file_names(tutorial: str) -> None:
    for variant in _all(tutorial):
        assert variant.what.endswith("."), variant
        assert " " in variant.what, variant
        for name, data in variant.files:
            assert "/" not in name
            assert data


def test_every_rule_makes_a_variant() -> None:
    rules = {variant.rule for tutorial in SOLUTIONS for variant in _all(tutorial)}
    rules |= {variant.rule for variant in _made(POLICY, SERVICE)}
    rules |= {variant.rule for variant in _made(CILIUM)}
    assert {*WRONG, *REFUSED, *RIGHT} == rules


def _all(tutorial: str) -> tuple[Variant, ...]:
    return (*_wrong(tutorial), *_right(tutorial))


def _of(rule: str, text: str, workloads: str = "") -> list[Variant]:
    return [variant for variant in _made(text, workloads) if variant.rule == rule]


def _made(text: str, workloads: str = "") -> list[Variant]:
    loaded = read_files([File("w.yaml", workloads.encode())])
    topology = topology_of(in_force(loaded, list(loaded)))
    reference = Reference(tuple(yaml.safe_load_all(text)), topology)
    return [*wrong_variants(reference), *right_variants(reference)]


POLICY = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {matchExpressions: [{key: app, operator: In, values: [web]}]}
  ingress:
    - from:
        - namespaceSelector: {matchLabels: {team: a}}
        - podSelector: {matchLabels: {app: web}}
        - ipBlock: {cidr: 10.1.2.0/24, except: [10.1.2.128/25]}
      ports: [{port: 8080}]
"""
CILIUM = """
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  endpointSelector: {matchLabels: {app: web}}
  ingress:
    - fromEntities: [cluster]
  egress:
    - toEndpoints: [{matchLabels: {app: db}}]
      toPorts: [{ports: [{port: "5432", protocol: TCP}, {port: "5433", protocol: TCP}]}]
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
  ports: [{port: 80, targetPort: 8080}]
"""


def test_two_peers_with_a_selector_each_are_joined() -> None:
    (variant,) = _of("peers-joined", POLICY)
    (policy,) = _policies(variant.files)
    assert len(policy.ingress[0].peers) == 2
    assert policy.ingress[0].peers[0].pod_selector is not None
    assert policy.ingress[0].peers[0].namespace_selector is not None


def test_a_network_gets_too_wide_and_loses_its_exceptions() -> None:
    wide, whole = _of("peer-network-wide", POLICY)
    assert b"10.1.0.0/16" in wide.files[0][1]
    assert b"except" not in whole.files[0][1]


def test_the_port_of_a_service_stands_for_that_of_its_pods() -> None:
    (variant,) = _of("port-of-service", POLICY, SERVICE)
    assert _policies(variant.files)[0].ingress[0].ports[0].port == 80


def test_a_misspelt_word_is_another_word() -> None:
    assert [misspelt(word) for word in ("web", "aa", "x", "app")] == ["wbe", "aax", "xx", "pap"]


def test_the_flow_that_differs_is_named_with_both_verdicts() -> None:
    reference = _reference("lab12-zero-trust")
    base = _base("lab12-zero-trust")
    found = first_difference(reference.topology, base, ())
    assert found is not None
    flow, was, will = found
    assert (was, will) == (Verdict.DENY, Verdict.ALLOW)
    none = first_difference(reference.topology, base, (), ignored=lambda *_: True)
    assert none is None, flow


def test_a_difference_that_only_a_witness_shows_is_found() -> None:
    """No pod of another namespace has the label, but somebody may start one."""
    (variant,) = _of("peer-all-namespaces", ONE_PEER)
    loaded = read_files([File("pod.yaml", POD.encode())])
    topology = topology_of(in_force(loaded, list(loaded)))
    base = _policies((("one.yaml", ONE_PEER.encode()),))
    found = first_difference(topology, base, _policies(variant.files))
    assert found is not None
    assert "witness" in str(found[0])
    assert found[1:] == (Verdict.DENY, Verdict.ALLOW)


ONE_PEER = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec:
  podSelector: {}
  policyTypes: [Ingress]
  ingress:
    - from: [{podSelector: {matchLabels: {app: web}}}]
"""
POD = """
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: web, image: web}]}
"""
