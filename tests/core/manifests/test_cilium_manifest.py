"""What a CiliumNetworkPolicy is read as, and what is refused with which words, at which line."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from harness.core.manifests.library import in_force
from harness.core.manifests.reader import parse, policies_of
from harness.core.model import (
    Direction,
    Entity,
    IPBlock,
    NetworkPolicy,
    Operator,
    Peer,
    PortRule,
    Protocol,
    Requirement,
    Rule,
    Selector,
)
from harness.errors import ManifestError

HEAD = """apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: p, namespace: shop}
spec:
  endpointSelector: {matchLabels: {"k8s:app": web}}
"""
RULE_LINE = 7
"""The line of the first rule in what `with_rule` writes."""


def with_rule(rule: str, direction: str = "egress") -> str:
    return f"{HEAD}  {direction}:\n  - {rule}\n"


def policy(text: str) -> NetworkPolicy:
    return policies_of(parse(text, origin="f.yaml"))[0]


def faults(text: str) -> str:
    with pytest.raises(ManifestError) as caught:
        parse(text, origin="f.yaml")
    return str(caught.value)


def test_policy_is_read_in_full() -> None:
    found = policy(
        HEAD
        + """  enableDefaultDeny: {ingress: false}
  ingress:
  - fromEntities: [world, cluster]
  egress:
  - toEndpoints:
    - matchLabels: {"k8s:io.kubernetes.pod.namespace": kube-system, "any:k8s-app": kube-dns}
    toPorts:
    - ports: [{port: "53"}, {port: "53", protocol: TCP}]
      rules: {dns: [{matchName: Kubernetes.IO.}, {matchPattern: "*.cilium.io"}]}
  - toFQDNs: [{matchName: kubernetes.io}]
  - toCIDRSet: [{cidr: 192.0.2.0/24, except: [192.0.2.8/30]}]
  - toPorts: [{ports: [{port: "80", endPort: 90, protocol: UDP}, {port: HTTP}, {port: "0"}]}]
  - {}
"""
    )
    dns = ("kubernetes.io", "*.cilium.io")
    server = Peer(
        Selector((Requirement("k8s-app", Operator.IN, frozenset({"kube-dns"})),)),
        Selector(
            (Requirement("kubernetes.io/metadata.name", Operator.IN, frozenset({"kube-system"})),)
        ),
    )
    block = IPBlock(ip_network("192.0.2.0/24"), (ip_network("192.0.2.8/30"),), outside_only=True)

    assert str(found) == "CiliumNetworkPolicy shop/p"
    assert found.pod_selector == Selector((Requirement("app", Operator.IN, frozenset({"web"})),))
    assert found.policy_types == {Direction.INGRESS, Direction.EGRESS}
    assert found.adds_only == {Direction.INGRESS}
    assert found.ingress == (Rule((Peer(entity=Entity.WORLD), Peer(entity=Entity.CLUSTER))),)
    assert found.egress == (
        Rule((server,), (PortRule(None, 53, dns=dns), PortRule(Protocol.TCP, 53, dns=dns))),
        Rule((Peer(fqdn="kubernetes.io"),)),
        Rule((Peer(ip_block=block),)),
        Rule((), (PortRule(Protocol.UDP, 80, 90), PortRule(None, "http"), PortRule(None))),
        Rule((Peer(entity=Entity.NONE),)),
    )


def test_policy_of_cilium_counts_as_a_policy() -> None:
    library = {"p": parse(with_rule("{}"), origin="f.yaml")}

    assert len(in_force(library, ["p"])) == 1
    assert in_force(library, ["p"], policies=False) == ()


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("{icmps: [{}]}", "egress[0].icmps unknown field `icmps`: the API has it"),
        ("{authentication: {mode: required}}", "unknown field `authentication`"),
        ("{toServices: [{}]}", "unknown field `toServices`"),
        ("{toGroups: [{}]}", "unknown field `toGroups`"),
        ("{toNodes: [{}]}", "unknown field `toNodes`"),
        ("{toRequires: []}", "unknown field `toRequires`"),
        ("{toEndpoint: [{}]}", "unknown field `toEndpoint`; did you mean `toEndpoints`?"),
        ("{fromEndpoints: [{}]}", "unknown field `fromEndpoints`"),
        (
            '{toPorts: [{ports: [{port: "80"}], rules: {http: [{}]}}]}',
            "rules.http unknown field `http`: the API has it",
        ),
        ('{toPorts: [{ports: [{port: "80"}], serverNames: [a]}]}', "`serverNames`"),
        ("{toCIDRSet: [{cidrGroupRef: g}]}", "`cidrGroupRef`"),
        ("{toPorts: [{ports: [{port: 80}]}]}", "port must be a text, not 80"),
        ("{toEntities: [kube-apiserver]}", "toEntities[0] the entity `kube-apiserver` is not"),
        ("{toEntities: [none]}", "`none` is not known here; known: world, cluster, host, all"),
        ("{toEntities: [World]}", "`World`"),
        ("{toEndpoints: []}", "toEndpoints is empty and selects nobody"),
        ("{toFQDNs: []}", "toFQDNs is empty"),
        ("{toEndpoints: [{}], toFQDNs: [{matchName: a.io}]}", "toFQDNs may not be combined with"),
        ("{toCIDR: [10.0.0.0/8], toEntities: [world]}", "toCIDR may not be combined with toEnt"),
        ("{toCIDR: [10.0.0.0/8], toCIDRSet: [{cidr: 10.0.0.0/8}]}", "toCIDRSet may not be comb"),
        ("{toCIDR: [10.0.0.1]}", "toCIDR[0] `10.0.0.1` is not a valid CIDR: it has no /LENGTH"),
        ("{toCIDR: [10.0.0.0/255.0.0.0]}", "`10.0.0.0/255.0.0.0` is not a valid CIDR"),
        ("{toCIDRSet: [{}]}", "cidr `` is not a valid CIDR"),
        ("{toCIDRSet: [{cidr: 10.0.0.0/8, except: [11.0.0.0/9]}]}", "is not a part of"),
        ("{toFQDNs: [{}]}", "toFQDNs[0] must have a matchName or a matchPattern"),
        ('{toFQDNs: [{matchName: a.io, matchPattern: "*"}]}', "and not both"),
        ('{toFQDNs: [{matchName: "*.a.io"}]}', "matchName `*.a.io` has a star"),
        ('{toFQDNs: [{matchPattern: "a b"}]}', "matchPattern `a b` is not a valid name"),
        ("{toFQDNs: [{matchRegex: a}]}", "unknown field `matchRegex`"),
        ("{toPorts: [{}]}", "toPorts[0] has no ports, which allows none"),
        ("{toPorts: [{ports: []}]}", "has no ports"),
        ("{toPorts: [{ports: [{}]}]}", "ports[0] has no port"),
        ('{toPorts: [{ports: [{port: ""}]}]}', "has no port"),
        ('{toPorts: [{ports: [{port: "65536"}]}]}', '"65536" is not a number from 0'),
        ('{toPorts: [{ports: [{port: "010"}]}]}', '"010" is not a number'),
        ('{toPorts: [{ports: [{port: "a--b"}]}]}', "`a--b` is not a valid port name"),
        ('{toPorts: [{ports: [{port: "-"}]}]}', "`-` is not a valid port name"),
        ('{toPorts: [{ports: [{port: "a123456789012345"}]}]}', "is not a valid port name"),
        ('{toPorts: [{ports: [{port: "80", protocol: VRRP}]}]}', "protocol is `VRRP`"),
        ('{toPorts: [{ports: [{port: "80", protocol: tcp}]}]}', "must be TCP, UDP, SCTP, ANY"),
        ('{toPorts: [{ports: [{port: "80", endPort: 79}]}]}', "79 is below the port, 80"),
        ('{toPorts: [{ports: [{port: "80", endPort: 65536}]}]}', "65536 is not between"),
        ("{toPorts: [{ports: [{port: http, endPort: 80}]}]}", "endPort needs a numeric port"),
        ('{toPorts: [{ports: [{port: "0", endPort: 80}]}]}', "endPort needs a numeric port"),
        ('{toPorts: [{ports: [{port: "53"}], rules: {}}]}', "rules has no names under dns"),
        ('{toPorts: [{ports: [{port: "53"}], rules: }]}', "rules must be a mapping, not nothing"),
        ('{toPorts: [{ports: [{port: "53"}], rules: {dns: []}}]}', "has no names under dns"),
        ('{toPorts: [{ports: [{port: "53"}], rules: {dns: [{}]}}]}', "must have a matchName"),
        (
            '{toPorts: [{ports: [{port: "5353"}], rules: {dns: [{matchPattern: "*"}]}}]}',
            'ports[0] with rules.dns must be port "53" alone',
        ),
        (
            '{toPorts: [{ports: [{port: "53", endPort: 54}], rules: {dns: [{matchName: a}]}}]}',
            'must be port "53" alone',
        ),
        (
            '{toPorts: [{ports: [{port: "53", protocol: SCTP}], rules: {dns: [{matchName: a}]}}]}',
            "of rules.dns is TCP, UDP or ANY",
        ),
        ("{toEndpoints: [null]}", "toEndpoints[0] must be a mapping, not nothing"),
        ('{toEndpoints: [{matchLabels: {"reserved:host": ""}}]}', "label source `reserved:` is"),
        ('{toEndpoints: [{matchLabels: {"a:b:c": ""}}]}', "label source `a:b:`"),
        ('{toEndpoints: [{matchLabels: {"k8s:a b": ""}}]}', "`a b` is not a valid label key"),
        ('{toEndpoints: [{matchLabels: {"k8s:": ""}}]}', "`` is not a valid label key"),
        ("{toEndpoints: [{matchLabels: {pod-template-hash: a}}]}", "`pod-template-hash` never"),
        ("{toEndpoints: [{matchLabels: {kubernetes.io/name: a}}]}", "`kubernetes.io/name` never"),
        (
            "{toEndpoints: [{matchLabels: {io.cilium.k8s.policy.serviceaccount: a}}]}",
            "is a label of Cilium's own",
        ),
        (
            (
                "{toEndpoints: [{matchExpressions: [{key: io.kubernetes.pod.namespace, operator: "
                "NotIn, values: [shop]}]}]}"
            ),
            "tells the namespace by NotIn alone, which also fits what has no namespace",
        ),
        ("{toEndpoints: [{matchExpressions: [{operator: In}]}]}", "has no key"),
        ("{toEndpoints: [{matchExpressions: [null]}]}", "must be a mapping, not nothing"),
        ("{toEndpoints: [{matchExpressions: [{key: a, operator: in}]}]}", "operator is `in`"),
    ],
)
def test_what_cilium_or_a_lab_cannot_take_is_refused(rule: str, message: str) -> None:
    told = faults(with_rule(rule))

    assert message in told
    assert f"f.yaml:{RULE_LINE}: spec.egress[0]" in told


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("{toFQDNs: [{matchName: a.io}]}", "unknown field `toFQDNs`"),
        ("{fromNodes: [{}]}", "unknown field `fromNodes`: the API has it"),
        ("{fromEndpoints: [{}], fromEntities: [all]}", "fromEntities may not be combined with"),
        (
            '{toPorts: [{ports: [{port: "53"}], rules: {dns: [{matchPattern: "*"}]}}]}',
            "toPorts[0].rules of DNS are for egress only",
        ),
    ],
)
def test_what_ingress_cannot_take_is_refused(rule: str, message: str) -> None:
    told = faults(with_rule(rule, "ingress"))

    assert message in told
    assert f"f.yaml:{RULE_LINE}: spec.ingress[0]" in told


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD, "f.yaml:4: spec has no ingress and no egress rule"),
        (HEAD + "  egress: []\n", "spec has no ingress and no egress rule"),
        (HEAD + "  egressDeny: [{}]\n", "f.yaml:6: spec.egressDeny unknown field `egressDeny`: th"),
        (HEAD + "  ingressDeny: [{}]\n", "unknown field `ingressDeny`: the API has it"),
        (HEAD + "  nodeSelector: {}\n", "unknown field `nodeSelector`: the API has it"),
        (HEAD + "  policyTypes: [Egress]\n", "unknown field `policyTypes`"),
        (HEAD + "specs: []\n", "f.yaml:6: specs unknown field `specs`: the API has it"),
        (HEAD + "  enableDefaultDeny: {egress: 'no'}\n", "must be true or false, not 'no'"),
        (
            HEAD.replace("cilium.io/v2", "cilium.io/v3"),
            "of a CiliumNetworkPolicy must be cilium.io/v2, not cilium.io/v3",
        ),
        (HEAD.replace("endpointS", "podS"), "spec has no endpointSelector: write {}"),
        (
            HEAD.replace('{matchLabels: {"k8s:app": web}}', "") + "  egress: [{}]\n",
            "endpointSelector must be a mapping, not nothing",
        ),
        (
            HEAD.replace("k8s:app", "k8s:io.kubernetes.pod.namespace") + "  egress: [{}]\n",
            "names a namespace: endpointSelector always means the policy's own",
        ),
    ],
)
def test_spec_that_cannot_be_taken_is_refused(text: str, message: str) -> None:
    assert message in faults(text)


def test_forty_ports_are_the_most() -> None:
    ports = ", ".join(f'{{port: "{n}"}}' for n in range(1, 41))

    assert len(policy(with_rule(f"{{toPorts: [{{ports: [{ports}]}}]}}")).egress[0].ports) == 40
    assert "has 41 entries, and may have 40" in faults(
        with_rule(f'{{toPorts: [{{ports: [{ports}, {{port: "41"}}]}}]}}')
    )
