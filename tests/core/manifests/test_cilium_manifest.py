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
    ServiceRef,
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
        ("{toNodes: [{}]}", "toNodes is an unknown field: the API has it, but it needs"),
        ("{toServices: [{}]}", "toServices[0] has no k8sService with a serviceName"),
        ("{toServices: [{k8sServiceSelector: {}}]}", "k8sServiceSelector has no selector"),
        ("{authentication: {}}", "has no mode, which is disabled or required"),
        ("{authentication: {mode: on}}", "mode must be a text, not True"),
        ("{icmps: [{fields: [{family: IPv4}]}]}", "fields[0] has no type"),
        ("{icmps: [{fields: [{type: 256}]}]}", "`256` is not a type of ICMP for IPv4"),
        ("{icmps: [{fields: [{type: Echo, family: IPv6}]}]}", "not a type of ICMP for IPv6"),
        ("{icmps: [{fields: [{type: 8, family: IPX}]}]}", "is `IPX`, and must be IPv4 or IPv6"),
        (
            '{icmps: [{fields: [{type: 8}]}], toPorts: [{ports: [{port: "1"}]}]}',
            "icmps may not be combined with toPorts",
        ),
        ("{toEntities: [nobody]}", "the entity `nobody` is not known; known: all, world"),
        ("{toCIDRSet: [{}]}", "must have a cidr, a cidrGroupRef or a cidrGroupSelector"),
        ("{toCIDRSet: [{cidr: 10.0.0.0/8, cidrGroupRef: g}]}", "and only one"),
        ("{toCIDR: [10.0.0.010/32]}", "has a zero before a number"),
        ('{toPorts: [{ports: [{port: "80"}], rules: {http: [{}]}}]}', "must have the protocol TCP"),
        (
            '{toPorts: [{ports: [{port: "0", protocol: TCP}], rules: {http: [{}]}}]}',
            "is every port, and rules look into one port only",
        ),
        ('{toPorts: [{ports: [{port: "53"}], rules: {}}]}', "must have dns or http"),
        ("{toPorts: [{rules: {dns: [{matchName: a}]}}]}", "of DNS need a port beside them"),
        (
            '{toPorts: [{ports: [{port: "53", endPort: 54}], rules: {dns: [{matchName: a}]}}]}',
            "endPort must be left out: DNS rules are for one port",
        ),
        (
            (
                '{toPorts: [{ports: [{port: "80", protocol: TCP}], rules: {http: [{}]}, '
                "serverNames: [a]}]}"
            ),
            "rules may not stand beside serverNames",
        ),
        ('{toPorts: [{ports: [{port: "80"}], listener: {name: l}}]}', "no envoyConfig with a name"),
        ('{toPorts: [{ports: [{port: "80", protocol: VRRP}]}]}', "must be 0: VRRP has no ports"),
        ('{toEndpoints: [{matchLabels: {"reserved:all": ""}}]}', "`reserved:all` is not known"),
        (
            '{toEndpoints: [{matchLabels: {"reserved:host": "", a: b}}]}',
            "`reserved:host` stands beside other labels",
        ),
        ("{toRequires: []}", "toRequires is an unknown field"),
        ("{toEndpoint: [{}]}", "toEndpoint is an unknown field; did you mean `toEndpoints`?"),
        ("{fromEndpoints: [{}]}", "fromEndpoints is an unknown field"),
        ("{toPorts: [{ports: [{port: 80}]}]}", "port must be a text, not 80"),
        ("{toEntities: [World]}", "`World`"),
        ("{toEndpoints: [{}], toFQDNs: [{matchName: a.io}]}", "toFQDNs may not be combined with"),
        ("{toCIDR: [10.0.0.0/8], toEntities: [world]}", "toCIDR may not be combined with toEnt"),
        ("{toCIDR: [10.0.0.0/8], toCIDRSet: [{cidr: 10.0.0.0/8}]}", "toCIDRSet may not be comb"),
        ("{toCIDR: [10.0.0.1]}", "toCIDR[0]: `10.0.0.1` is not a valid CIDR: it has no /LENGTH"),
        ("{toCIDR: [10.0.0.0/255.0.0.0]}", "`10.0.0.0/255.0.0.0` is not a valid CIDR"),
        ("{toCIDRSet: [{cidr: 10.0.0.0/8, except: [11.0.0.0/9]}]}", "is not a part of"),
        ("{toFQDNs: [{}]}", "toFQDNs[0] must have a matchName or a matchPattern"),
        ('{toFQDNs: [{matchName: a.io, matchPattern: "*"}]}', "and not both"),
        ('{toFQDNs: [{matchName: "*.a.io"}]}', "matchName: `*.a.io` has a star"),
        ('{toFQDNs: [{matchPattern: "a b"}]}', "matchPattern: `a b` is not a valid name"),
        ("{toFQDNs: [{matchRegex: a}]}", "matchRegex is an unknown field"),
        ("{toPorts: [{ports: [{}]}]}", "ports[0] has no port"),
        ('{toPorts: [{ports: [{port: ""}]}]}', "has no port"),
        ('{toPorts: [{ports: [{port: "65536"}]}]}', '"65536" is not a number from 0'),
        ('{toPorts: [{ports: [{port: "010"}]}]}', '"010" is not a number'),
        ('{toPorts: [{ports: [{port: "a--b"}]}]}', "`a--b` is not a valid port name"),
        ('{toPorts: [{ports: [{port: "-"}]}]}', "`-` is not a valid port name"),
        ('{toPorts: [{ports: [{port: "a123456789012345"}]}]}', "is not a valid port name"),
        ('{toPorts: [{ports: [{port: "80", protocol: tcp}]}]}', "must be TCP, UDP, SCTP, VRRP"),
        ('{toPorts: [{ports: [{port: "80", endPort: 79}]}]}', "79 is below the port, 80"),
        ('{toPorts: [{ports: [{port: "80", endPort: 65536}]}]}', "65536 is not between"),
        ("{toPorts: [{ports: [{port: http, endPort: 80}]}]}", "endPort needs a numeric port"),
        ('{toPorts: [{ports: [{port: "0", endPort: 80}]}]}', "endPort needs a numeric port"),
        ('{toPorts: [{ports: [{port: "53"}], rules: }]}', "rules must be a mapping, not nothing"),
        ('{toPorts: [{ports: [{port: "53"}], rules: {dns: [{}]}}]}', "must have a matchName"),
        ("{toEndpoints: [null]}", "toEndpoints[0] must be a mapping, not nothing"),
        ('{toEndpoints: [{matchLabels: {"a:b:c": ""}}]}', "label source `a:b:`"),
        ('{toEndpoints: [{matchLabels: {"k8s:a b": ""}}]}', "`a b` is not a valid label key"),
        ('{toEndpoints: [{matchLabels: {"k8s:": ""}}]}', "`` is not a valid label key"),
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
        ("{toFQDNs: [{matchName: a.io}]}", "toFQDNs is an unknown field"),
        ("{fromNodes: [{}]}", "fromNodes is an unknown field: the API has it"),
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
        (HEAD + "  nodeSelector: {}\n", "nodeSelector is for a CiliumClusterwide"),
        (HEAD + "  nodeSelector: {}\n", "nodeSelector may not stand beside an endpointSelector"),
        (HEAD + "specs: [{}]\n", "f.yaml:6: specs[0] has no endpointSelector"),
        (HEAD.partition("spec:")[0], "the document has no spec"),
        (
            HEAD + "  egressDeny: [{toFQDNs: [{matchName: a}]}]\n",
            "spec.egressDeny[0].toFQDNs is an unknown field",
        ),
        (
            HEAD.replace("CiliumNet", "CiliumClusterwideNet") + "  egress: [{}]\n",
            "metadata.namespace must be left out: a CiliumClusterwideNetworkPolicy lives in none",
        ),
        (HEAD + "  policyTypes: [Egress]\n", "policyTypes is an unknown field"),
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


def rule(text: str, direction: str = "egress") -> Rule:
    return policy(with_rule(text, direction)).rules(
        Direction.EGRESS if direction == "egress" else Direction.INGRESS
    )[0]


def entity(one: Entity) -> Rule:
    return Rule((Peer(entity=one),))


HTTP = '{toPorts: [{ports: [{port: "80", protocol: TCP}], rules: {http: [%s]}}]}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{toEntities: []}", entity(Entity.NONE)),
        ("{toEndpoints: []}", entity(Entity.NONE)),
        ("{toCIDR: [], toEntities: [world]}", entity(Entity.NONE)),
        ("{toPorts: [{}]}", entity(Entity.NONE)),
        ("{toPorts: [{ports: []}]}", entity(Entity.NONE)),
        ("{icmps: [{}]}", entity(Entity.NONE)),
        # An empty list of names is as good as none (pkg/policy/utils/parserules.go).
        ('{toFQDNs: [], toPorts: [{ports: [{port: "1"}]}]}', Rule((), (PortRule(None, 1),))),
        ("{toEntities: [kube-apiserver]}", entity(Entity.KUBE_APISERVER)),
        ("{toEntities: [none]}", entity(Entity.NONE)),
        ('{toEndpoints: [{matchLabels: {"reserved:host": ""}}]}', entity(Entity.HOST)),
        ("{icmps: [{fields: [{type: 8}]}]}", Rule((), (PortRule(Protocol.ICMP, 8),))),
        ('{icmps: [{fields: [{type: "8"}]}]}', Rule((), (PortRule(Protocol.ICMP, 8),))),
        (
            "{icmps: [{fields: [{family: IPv6, type: 8}, {type: 128}]}]}",
            Rule(
                (),
                (PortRule(Protocol.ICMP, "8 of IPv6"), PortRule(Protocol.ICMP, "128 of IPv4")),
            ),
        ),
        (
            "{icmps: [{fields: [{type: EchoRequest, family: IPv6}]}], toEntities: [world]}",
            Rule((Peer(entity=Entity.WORLD),), (PortRule(Protocol.ICMP, 128),)),
        ),
        (
            HTTP % "{method: GET, path: /metrics}, {}",
            Rule((), (PortRule(port=80, requests=("HTTP GET /metrics", "HTTP of any method")),)),
        ),
        (HTTP % "", Rule((), (PortRule(port=80),))),
        (
            '{toPorts: [{ports: [{port: "443"}], serverNames: [a.io]}]}',
            Rule((), (PortRule(None, 443, requests=("TLS to a.io",)),)),
        ),
        (
            (
                '{toPorts: [{ports: [{port: "443"}], listener: {name: l, envoyConfig: '
                "{name: c, kind: CiliumEnvoyConfig}}}]}"
            ),
            Rule((), (PortRule(None, 443, requests=("what the listener l takes",)),)),
        ),
        (
            '{toPorts: [{ports: [{port: "5353"}], rules: {dns: [{matchPattern: "*"}]}}]}',
            Rule((), (PortRule(None, 5353, dns=("*",)),)),
        ),
        (
            "{toServices: [{k8sService: {serviceName: api, namespace: back}}]}",
            Rule((Peer(service=ServiceRef("back", "api")),)),
        ),
        (
            "{toServices: [{k8sServiceSelector: {selector: {}}}]}",
            Rule((Peer(service=ServiceRef(selector=Selector())),)),
        ),
        (
            "{toCIDRSet: [{cidrGroupRef: office}]}",
            Rule((Peer(unread="the addresses of the CiliumCIDRGroup office"),)),
        ),
        ("{toGroups: [{aws: {}}]}", Rule((Peer(unread="the addresses of groups of a cloud"),))),
        (
            "{toCIDR: [10.1.2.3/8]}",
            Rule((Peer(ip_block=IPBlock(ip_network("10.0.0.0/8"), outside_only=True)),)),
        ),
        (
            "{toEntities: [all], authentication: {mode: required}}",
            Rule(
                (Peer(entity=Entity.ALL),),
                proviso="the two ends have proved to Cilium who they are (authentication)",
            ),
        ),
        ("{toEntities: [all], authentication: {mode: disabled}}", entity(Entity.ALL)),
        ('{toPorts: [{ports: [{port: "0", protocol: ESP}]}]}', entity(Entity.NONE)),
        (
            "{toEndpoints: [{matchLabels: {pod-template-hash: a}}]}",
            Rule(
                (
                    Peer(
                        Selector(
                            (
                                Requirement(
                                    "kept out of identities: pod-template-hash",
                                    Operator.IN,
                                    frozenset({"a"}),
                                ),
                            )
                        )
                    ),
                )
            ),
        ),
    ],
)
def test_rule_is_read_as_cilium_reads_it(text: str, expected: Rule) -> None:
    assert rule(text) == expected


def test_namespace_told_by_what_it_is_not_also_fits_what_has_none() -> None:
    found = rule(
        "{fromEndpoints: [{matchExpressions: [{key: io.kubernetes.pod.namespace, operator: NotIn, "
        "values: [shop]}]}]}",
        "ingress",
    )

    assert {peer.entity for peer in found.peers} == {
        None,
        Entity.WORLD,
        Entity.HOST,
        Entity.REMOTE_NODE,
    }


def test_denying_rules_isolate_as_well() -> None:
    found = policy(HEAD + "  egressDeny: [{toEntities: [world]}]\n")

    assert found.policy_types == {Direction.EGRESS}
    assert found.denials(Direction.EGRESS) == (entity(Entity.WORLD),)
    assert found.rules(Direction.EGRESS) == ()


def test_every_spec_is_a_policy_of_its_own() -> None:
    found = policies_of(
        parse(
            HEAD + "  egress: [{}]\nspecs:\n- {endpointSelector: {}, ingress: [{}]}\n", origin="f"
        )
    )

    assert [p.policy_types for p in found] == [{Direction.EGRESS}, {Direction.INGRESS}]


CLUSTERWIDE = """apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata: {name: p}
spec:
  endpointSelector: {matchLabels: {app: web, "k8s:io.kubernetes.pod.namespace": shop}}
  ingress:
  - fromEndpoints: [{matchLabels: {app: api}}]
"""


def test_clusterwide_policy_means_the_pods_of_all_namespaces() -> None:
    found = policy(CLUSTERWIDE)
    shop = Requirement("kubernetes.io/metadata.name", Operator.IN, frozenset({"shop"}))
    api = Requirement("app", Operator.IN, frozenset({"api"}))

    assert str(found) == "CiliumClusterwideNetworkPolicy p"
    assert found.namespace_selector == Selector((shop,))
    assert found.ingress == (Rule((Peer(Selector((api,)), Selector()),)),)


def test_spec_about_nodes_is_no_policy_and_is_told_of() -> None:
    (resource,) = parse(CLUSTERWIDE.replace("endpointSelector", "nodeSelector"), origin="f")

    assert policies_of([resource]) == ()
    assert "has a spec about nodes" in resource.notes[0]


def test_label_that_cilium_never_sees_is_told_of() -> None:
    (resource,) = parse(with_rule("{toEndpoints: [{matchLabels: {k8s.io/a: b}}]}"), origin="f")

    assert resource.notes == (
        "CiliumNetworkPolicy shop p asks for the label k8s.io/a, which Cilium never sees on a pod",
    )


@pytest.mark.parametrize(("named", "taken"), [("shop", True), ("other", False)])
def test_selector_may_name_the_namespace_of_its_own_policy(named: str, taken: bool) -> None:
    text = f"""apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {{name: p, namespace: shop}}
spec:
  endpointSelector: {{matchLabels: {{app: web, k8s:io.kubernetes.pod.namespace: {named}}}}}
  ingress: [{{}}]
"""
    if not taken:
        with pytest.raises(ManifestError, match="always means the policy's own"):
            parse(text, origin="f.yaml")
        return

    ((policy,),) = (found.models for found in parse(text, origin="f.yaml"))

    assert isinstance(policy, NetworkPolicy)
    assert [r.key for r in policy.pod_selector.requirements] == ["app"]
