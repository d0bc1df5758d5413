"""A second reading of CiliumNetworkPolicies, rule by rule from the written spec, which must agree.

It follows Cilium 1.20.2, pkg/policy/utils/parserules.go and pkg/policy/rule.go, and knows nothing
of sets of ends, of the reader's peers or of the oracle.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from harness.core.manifests.ciliumpolicy import cilium_policy
from harness.core.model import (
    Endpoint,
    External,
    NetworkPolicy,
    Pod,
    Protocol,
    Service,
    Topology,
)
from harness.core.outcome import Verdict
from harness.core.policy.oracle import Oracle
from harness.core.target.ask import Flow
from tests.core.strategies import KEYS, NAMES, NAMESPACES, NUMBERS, VALUES, flows_of, topologies

Body = dict[str, Any]
End = Pod | External
ALLOW, SOME, DENY = Verdict.ALLOW, Verdict.SOME, Verdict.DENY
SERVER_IP = ip_address("198.51.100.7")
SERVER = External("api server", SERVER_IP)
NAMESPACE = "io.kubernetes.pod.namespace"

labels = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES), max_size=2)
endpoints = st.builds(
    lambda found, space: {"matchLabels": found | ({NAMESPACE: space} if space else {})},
    labels,
    st.none() | st.sampled_from(NAMESPACES),
)
entities = st.sampled_from(["world", "cluster", "all", "none", "kube-apiserver", "ingress", "init"])
cidrs = st.sampled_from(["0.0.0.0/0", "192.0.2.0/24", "198.51.100.0/24", "::/0"])
services = st.sampled_from(
    [
        {"k8sService": {"serviceName": "a", "namespace": "x"}},
        {"k8sService": {"serviceName": "a"}},
        {"k8sServiceSelector": {"selector": {"matchLabels": {"tier": "a"}}}},
        {"k8sService": {"serviceName": "kubernetes", "namespace": "default"}},
    ]
)


@st.composite
def ports(draw: st.DrawFn, *, allows: bool) -> Body:
    entry: Body = {
        "ports": draw(
            st.lists(
                st.fixed_dictionaries(
                    {
                        "port": st.sampled_from([*map(str, NUMBERS), *NAMES]),
                        "protocol": st.sampled_from(["TCP", "UDP", "ANY"]),
                    }
                ),
                max_size=2,
            )
        )
    }
    if allows and draw(st.integers(0, 2)) == 0:
        entry["ports"] = [{**port, "protocol": "TCP"} for port in entry["ports"]]
        entry["rules"] = {"http": draw(st.sampled_from([[], [{"method": "GET"}]]))}
    return entry


@st.composite
def rules(draw: st.DrawFn, side: str, *, allows: bool) -> Body:
    peers: list[st.SearchStrategy[Body]] = [
        st.just({}),
        st.lists(endpoints, max_size=2).map(lambda found: {f"{side}Endpoints": found}),
        st.lists(entities, max_size=2).map(lambda found: {f"{side}Entities": found}),
        st.lists(cidrs, max_size=2).map(lambda found: {f"{side}CIDR": found}),
    ]
    if side == "to":
        peers.append(services.map(lambda found: {"toServices": [found]}))
    rest = st.one_of(
        st.just({}),
        st.lists(ports(allows=allows), max_size=2).map(lambda found: {"toPorts": found}),
        st.sampled_from([{"icmps": []}, {"icmps": [{"fields": [{"type": 8}]}]}, {"icmps": [{}]}]),
    )
    found: Body = draw(st.one_of(peers)) | draw(rest)
    return found


specs = st.builds(
    lambda selected, ingress, egress, no_ingress, no_egress, default: {
        "endpointSelector": {"matchLabels": selected},
        "ingress": ingress,
        "egress": egress,
        "ingressDeny": no_ingress,
        "egressDeny": no_egress,
        "enableDefaultDeny": default,
    },
    labels,
    st.lists(rules("from", allows=True), max_size=2),
    st.lists(rules("to", allows=True), max_size=2),
    st.lists(rules("from", allows=False), max_size=1),
    st.lists(rules("to", allows=False), max_size=1),
    st.dictionaries(st.sampled_from(["ingress", "egress"]), st.booleans()),
)
policies = st.lists(st.tuples(specs, st.sampled_from(["", *NAMESPACES])), max_size=3)


@st.composite
def worlds(draw: st.DrawFn) -> Topology:
    found = draw(topologies())
    # What is not known has tests of its own: here everything is known.
    pods = {key: replace(pod, host_network=False) for key, pod in found.pods.items()}
    a = Service("x", "a", draw(labels), (), labels={"tier": "a"})
    api = Service("default", "kubernetes", {}, (), endpoints=(Endpoint(SERVER_IP, 6443),))
    outside = {**found.external, SERVER.name: SERVER}
    return Topology(found.namespaces, pods, {str(s): s for s in (a, api)}, outside)


@given(worlds(), policies)
def test_a_naive_reading_of_the_written_rules_agrees(
    world: Topology, found: list[tuple[Body, str]]
) -> None:
    oracle = Oracle(world, [read(spec, home, n) for n, (spec, home) in enumerate(found)])
    for flow in flows_of(world):
        if flow.source != flow.target:
            assert oracle.verdict(flow) is naive(world, found, flow), str(flow)


def read(spec: Body, home: str, number: int) -> NetworkPolicy:
    meta = {"name": f"p{number}"} | ({"namespace": home} if home else {})
    return cilium_policy({"metadata": meta, "spec": spec}, "")


def naive(world: Topology, found: list[tuple[Body, str]], flow: Flow) -> Verdict:
    sides = [
        naive_side(world, found, flow, "egress"),
        naive_side(world, found, flow, "ingress"),
    ]
    return min(sides, key=[DENY, SOME, ALLOW].index)


def naive_side(world: Topology, found: list[tuple[Body, str]], flow: Flow, way: str) -> Verdict:
    ends: tuple[End, End] = flow.source, flow.target
    own, other = ends if way == "egress" else ends[::-1]
    if isinstance(own, External):
        return ALLOW
    mine = [
        (spec, home)
        for spec, home in found
        if home in ("", own.namespace)
        and spec["endpointSelector"]["matchLabels"].items() <= own.labels.items()
    ]
    if any(
        matched(world, rule, home, flow, other) is ALLOW
        for spec, home in mine
        for rule in spec[f"{way}Deny"]
    ):
        return DENY
    isolated = any(
        (spec[way] or spec[f"{way}Deny"]) and spec["enableDefaultDeny"].get(way, True)
        for spec, _ in mine
    )
    if not isolated:
        return ALLOW
    results = [matched(world, rule, home, flow, other) for spec, home in mine for rule in spec[way]]
    plain = any(
        matched(world, unlooked(rule, flow), home, flow, other) is ALLOW
        for spec, home in mine
        for rule in spec[way]
    )
    if SOME in results and not plain:
        return SOME
    return ALLOW if ALLOW in results else DENY


def unlooked(rule: Body, flow: Flow) -> Body:
    """The rule with only its entries for exactly the flow's port that do not look into it."""
    kept = [
        {"ports": [p for p in entry["ports"] if p["port"] == str(flow.port)]}
        for entry in rule.get("toPorts", [])
        if not entry.get("rules", {}).get("http")
    ]
    return {**rule, "toPorts": kept} if kept else {"toEntities": []}


def matched(world: Topology, rule: Body, home: str, flow: Flow, other: End) -> Verdict:
    peers = {key: value for key, value in rule.items() if key.startswith(("from", "to"))}
    entries = peers.pop("toPorts", [])
    messages = rule.get("icmps", [])
    if any(value == [] for value in peers.values()):
        return DENY
    if not peers and not entries and not messages:
        return DENY
    if peers and not any(
        naive_peer(world, key, item, home, other) for key, items in peers.items() for item in items
    ):
        return DENY
    if not entries and not messages:
        return ALLOW
    types = [field["type"] for message in messages for field in message.get("fields", [])]
    if flow.protocol is Protocol.ICMP:
        return ALLOW if 8 in types else DENY
    results = [naive_ports(entry, flow) for entry in entries]
    return ALLOW if ALLOW in results else SOME if SOME in results else DENY


def naive_ports(entry: Body, flow: Flow) -> Verdict:
    named = flow.target.ports if isinstance(flow.target, Pod) else ()
    hit = any(
        port["protocol"] in ("ANY", flow.protocol)
        and (
            port["port"] == str(flow.port)
            or (port["port"], flow.port, flow.protocol)
            in {(p.name, p.number, p.protocol) for p in named}
        )
        for port in entry["ports"]
    )
    looked = entry.get("rules", {}).get("http")
    return DENY if not hit else SOME if looked else ALLOW


def naive_peer(world: Topology, key: str, item: Any, home: str, other: End) -> bool:
    outside = isinstance(other, External)
    server = outside and other.ip == SERVER.ip
    if key.endswith("Entities"):
        return {
            "all": True,
            "world": outside and not server,
            "cluster": not outside or server,
            "kube-apiserver": server,
        }.get(item, False)
    if key.endswith("CIDR"):
        return isinstance(other, External) and not server and other.ip in ip_network(item)
    if key == "toServices":
        return any(
            naive_service(world, item, service, other) for service in world.services.values()
        )
    if isinstance(other, External):
        return False
    wanted = dict(item["matchLabels"])
    space = wanted.pop(NAMESPACE, home or other.namespace)
    return other.namespace == space and wanted.items() <= other.labels.items()


def naive_service(world: Topology, item: Body, service: Service, other: End) -> bool:
    if found := item.get("k8sService"):
        fits = found["serviceName"] == service.name
        fits = fits and found.get("namespace", "") in ("", service.namespace)
    else:
        wanted = item["k8sServiceSelector"]["selector"]["matchLabels"]
        fits = wanted.items() <= service.labels.items()
    if not fits:
        return False
    if not service.selector:
        return isinstance(other, External) and other.ip in {e.ip for e in service.endpoints}
    if isinstance(other, External) or other.namespace != service.namespace:
        return False
    return service.selector.items() <= other.labels.items()
