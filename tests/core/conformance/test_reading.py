"""Files of cases: every part that is wrong is a fault at its place, and every number is bounded."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from harness.core.conformance.case import Case, Said
from harness.core.conformance.offline import disagreements
from harness.core.conformance.placing import Place, policies, workloads
from harness.core.conformance.reading import read_case, read_topology
from harness.core.model import PodRef, Protocol
from harness.core.target import PodPort
from harness.core.target.ask import Ask
from harness.errors import ContentError

PAIR = """
about: Two pods.
namespaces: {red: {}, green: {team: one}}
pods:
  red/a: {labels: {app: a}, ports: [8080/TCP/web]}
  green/b: {labels: {app: b}, ports: [8080/TCP, 8080/UDP]}
"""
HEAD = """
about: Nobody gets in.
source: https://example.org/
level: core
features: [ingress]
topology: pair
"""
DENY = """
policies:
  - metadata: {namespace: red, name: deny}
    spec: {podSelector: {}}
"""


def case(text: str) -> Case:
    pair = read_topology(PAIR, origin="pair.yaml")
    return read_case("deny", HEAD + text, {"pair": pair}, origin="deny.yaml")


def ask(source: str, target: str, port: int = 8080) -> Ask:
    ends = [PodRef(*end.split("/")) for end in (source, target)]
    return Ask(ends[0], PodPort(ends[1], port, Protocol.TCP))


def test_what_no_line_speaks_of_passes() -> None:
    (state,) = case(DENY + 'expect: ["deny * -> red/*"]').states

    assert state.expected[ask("green/b", "red/a")] is Said.DENY
    assert state.expected[ask("red/a", "green/b")] is Said.ALLOW


def test_the_oracle_contradicts_a_wrong_case() -> None:
    found = disagreements(case(DENY))

    assert found == ["deny: green/b -> pod/red/a:8080 is allow, and the oracle says timeout"]


def test_a_step_keeps_what_it_does_not_say() -> None:
    step = """
expect: ["deny * -> red/*"]
steps:
  - does: a pod begins
    pods: {red/new: {labels: {app: new}, ports: [8080/TCP]}}
    expect: ["deny * -> red/*"]
  - does: it goes, and the policy with it
    gone: red/new
    policies: []
"""
    first, second, third = case(DENY + step).states

    assert len(second.policies) == len(first.policies) == 1
    assert second.expected[ask("red/new", "red/a")] is Said.DENY
    assert (third.policies, third.cast) == ((), first.cast)


def test_names_and_addresses_become_those_of_the_cluster() -> None:
    text = """
policies:
  - metadata: {namespace: red, name: block}
    spec:
      podSelector: {}
      ingress:
        - from:
            - ipBlock: {cidr: "{green/b}/24", except: ["{green/b}/32"]}
            - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: green}}
"""
    state, place = case(text).states[0], Place(3)
    (found,) = policies(state, place, {"green/b": ("10.244.7.9",)})

    peers = found.body["spec"]["ingress"][0]["from"]
    assert found.namespace == "policylab-conformance-3-red"
    assert peers[0]["ipBlock"] == {"cidr": "10.244.7.0/24", "except": ["10.244.7.9/32"]}
    assert peers[1]["namespaceSelector"]["matchLabels"] == {
        "kubernetes.io/metadata.name": "policylab-conformance-3-green"
    }
    names = {r.name for r in workloads(state.cast, place) if r.kind == "Namespace"}
    assert names == {"policylab-conformance-3-red", "policylab-conformance-3-green"}


def blocks(cidr: str, cut: str, addresses: Mapping[str, tuple[str, ...]]) -> list[object]:
    text = f"""
policies:
  - metadata: {{namespace: red, name: block}}
    spec:
      podSelector: {{}}
      egress: [{{to: [{{ipBlock: {{cidr: "{cidr}", except: ["{cut}"]}}}}, {{podSelector: {{}}}}]}}]
"""
    (found,) = policies(case(text).states[0], Place(1), addresses)
    *blocks, pods = found.body["spec"]["egress"][0]["to"]
    assert pods == {"podSelector": {}}
    return [peer["ipBlock"] for peer in blocks]


def test_an_address_of_each_family_is_an_entry_of_its_own() -> None:
    both = {"green/b": ("10.244.7.9", "fd00:10:244:1::9")}

    assert blocks("{green/b}/4", "{green/b}", both) == [
        {"cidr": "0.0.0.0/4", "except": ["10.244.7.9/32"]},
        {"cidr": "f000::/4", "except": ["fd00:10:244:1::9/128"]},
    ]
    # What is cut out of a network is of its family.
    assert blocks("0.0.0.0/0", "{green/b}", both) == [
        {"cidr": "0.0.0.0/0", "except": ["10.244.7.9/32"]}
    ]


def test_a_network_that_is_longer_than_an_address_is_a_fault() -> None:
    with pytest.raises(ContentError, match="the length is at most 32"):
        blocks("{green/b}/64", "{green/b}", {"green/b": ("10.244.7.9",)})


def test_a_wrong_object_is_named() -> None:
    text = "policies: [{metadata: {namespace: red, name: p}, spec: {podSelectr: {}}}]"

    with pytest.raises(ContentError, match=r"NetworkPolicy red/p:1: spec\.podSelectr"):
        policies(case(text).states[0], Place(1), {})


def test_an_address_that_is_not_known_is_a_fault() -> None:
    text = """
policies:
  - metadata: {namespace: red, name: block}
    spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: "{green/c}/24"}}]}]}
"""
    with pytest.raises(ContentError, match="green/c has no address"):
        policies(case(text).states[0], Place(1), {"green/b": ("10.244.7.9",)})


def test_times_numbers_what_it_repeats() -> None:
    text = """
policies:
  - times: 3
    metadata: {namespace: red, name: "p-{n}"}
    spec: {podSelector: {matchLabels: {app: "{n}"}}}
"""
    found = case(text).states[0].policies

    assert [body["metadata"]["name"] for body in found] == ["p-1", "p-2", "p-3"]
    assert found[2]["spec"]["podSelector"]["matchLabels"] == {"app": "3"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("expct: []", "no part called `expct`"),
        ('expect: ["deny * -> blue/*"]', "fits no flow"),
        ('expect: ["drop * -> red/*"]', "is no line about flows"),
        ('expect: ["allow red/a -> svc/red/web:80"]', "nothing that this case has"),
        ("gone: red/z", "no pod and no namespace"),
        ("labels: {red/z: {app: a}}", "there is no pod red/z"),
        ("pods: {blue/a: {}}", "is in a namespace that is not there"),
        ("pods: {red/A: {}}", "is no pod and no Service"),
        ("pods: {red/c: {ports: [80]}}", "must be a text or a list of texts"),
        ("pods: {red/c: {ports: [80/ICMP]}}", "`80/ICMP` is no port"),
        ("pods: {red/c: {hostNetwork: true, ports: [80/TCP]}}", "are 20000 to 20009"),
        ("pods: {red/c: {ports: [20000/TCP]}}", "and only theirs, are 20000 to 20009"),
        ('pods: {"red/c-{n}": {times: 300}}', "a number from 1 to 200"),
        ("steps: [{expect: []}]", "lacks `does`"),
        ("steps: [{does: it ends, ends: red/z}]", "no pod red/z with an address of its own"),
        ("pods: {red/c: {addressOf: red/a}}", "red/a does not end here"),
        ("steps: [{does: it ends, ends: red/a, pods: {red/a: {}}}]", "call the new pod otherwise"),
        ("opens: red/a -> red/z:80/TCP", "is no flow over TCP that passes here"),
        (
            "expect: ['deny * -> red/*']\nopens: green/b -> red/a:8080/TCP",
            "is no flow over TCP that passes here",
        ),
        ("policies: [{metadata: {namespace: blue, name: p}, spec: {}}]", "no namespace blue"),
        ("policies: [{kind: Pod}]", "no part called `kind`"),
        ("pods: {red/c: {times: 3}}", "red/c is one name for 3 pods"),
        (
            "policies: [{times: 2, metadata: {namespace: red, name: p}, spec: {podSelector: {}}}]",
            "the policy red/p is there 2 times",
        ),
    ],
)
def test_a_wrong_part_is_a_fault_with_its_line(text: str, says: str) -> None:
    with pytest.raises(ContentError) as caught:
        case(text)

    assert says in caught.value.what
    assert caught.value.where.startswith("deny.yaml")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [("source: a book", "must be the address of a page"), ('about: ""', "`about` says nothing")],
)
def test_a_case_says_what_it_is_about_and_where_that_is_written(wrong: str, says: str) -> None:
    pair = read_topology(PAIR, origin="pair.yaml")
    key = wrong.partition(":")[0]
    text = "\n".join(wrong if line.startswith(key) else line for line in HEAD.splitlines())

    with pytest.raises(ContentError, match=says):
        read_case("deny", text, {"pair": pair}, origin="deny.yaml")


def test_a_file_is_bounded() -> None:
    with pytest.raises(ContentError, match="more than 65536 bytes"):
        case("# " + "x" * 70_000)
    pods = "".join(f"  red/p{n}: {{ports: [1/TCP]}}\n" for n in range(160))
    with pytest.raises(ContentError, match="20000 are the most"):
        case(f"pods:\n{pods}")


def test_a_port_of_a_node_is_moved_for_each_place_and_in_policies_too() -> None:
    text = """
pods: {red/node: {hostNetwork: true, ports: [20001/TCP]}}
policies:
  - metadata: {namespace: red, name: to-the-node}
    spec: {podSelector: {}, egress: [{ports: [{port: 20001}, {port: 8080}]}]}
"""
    state, place = case(text).states[0], Place(3)

    (found,) = policies(state, place, {})
    assert found.body["spec"]["egress"] == [{"ports": [{"port": 20031}, {"port": 8080}]}]
    node = next(r for r in workloads(state.cast, place) if r.name == "node")
    assert node.body["spec"]["containers"][0]["ports"][0]["containerPort"] == 20031
    assert str(place.ask(ask("red/a", "red/node", 20001)).target).endswith("red/node:20031")


def test_what_a_state_opens_are_flows_that_pass() -> None:
    (state,) = case("opens: [green/b -> red/a:8080/TCP]").states

    assert state.opens == (ask("green/b", "red/a"),)
