"""What a manifest is read as, and what is refused with which words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.manifests.ciliumrules import EGRESS_PEERS
from harness.core.manifests.reader import (
    MAX_BYTES,
    File,
    parse,
    policies_of,
    read_files,
    topology_of,
)
from harness.core.model import (
    ContainerPort,
    Direction,
    Operator,
    Peer,
    Pod,
    PortRule,
    Protocol,
    Requirement,
    Rule,
    Selector,
)
from harness.errors import ManifestError

POLICY = """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: shop}
spec:
  podSelector: {}
"""
POD = """apiVersion: v1
kind: Pod
metadata: {name: p, namespace: shop}
spec:
  containers:
  - {name: c, image: nginx}
"""
CILIUM = """apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: p, namespace: shop}
spec:
  endpointSelector: {}
"""
DEPLOYMENT = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: c, image: nginx, ports: [{containerPort: 80, name: http}]}
"""
SERVICE = """apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
"""


def faults(text: str, max_bytes: int = MAX_BYTES) -> str:
    with pytest.raises(ManifestError) as caught:
        parse(text, origin="f.yaml", max_bytes=max_bytes)
    return str(caught.value)


def test_policy_is_read_in_full() -> None:
    text = (
        POLICY
        + """  policyTypes: [Ingress]
  ingress:
  - from:
    - podSelector: {matchLabels: {app: web}}
      namespaceSelector: {matchExpressions: [{key: team, operator: Exists}]}
    ports: [{port: 80, endPort: 90}, {port: dns, protocol: UDP}]
"""
    )
    web = Selector((Requirement("app", Operator.IN, frozenset({"web"})),))
    team = Selector((Requirement("team", Operator.EXISTS),))
    (resource,) = parse(text, origin="f.yaml")
    (policy,) = policies_of([resource])

    assert policy.ingress == (
        Rule((Peer(web, team),), (PortRule(port=80, end_port=90), PortRule(Protocol.UDP, "dns"))),
    )
    assert (str(policy), policy.origin) == ("shop/p", "f.yaml:1")
    assert resource.key == ("NetworkPolicy", "shop", "p")


@pytest.mark.parametrize(
    ("spec", "types"),
    [
        ("", {"Ingress"}),
        ("  egress: []\n", {"Ingress"}),
        ("  egress: [{}]\n", {"Ingress", "Egress"}),
        ("  policyTypes: []\n", {"Ingress"}),
        ("  policyTypes: [Egress]\n", {"Egress"}),
        ("  policyTypes: [Ingress]\n  egress: [{}]\n", {"Ingress"}),
    ],
)
def test_policy_types_default_as_the_api_server_does_it(spec: str, types: set[str]) -> None:
    (policy,) = policies_of(parse(POLICY + spec, origin="f.yaml"))

    assert policy.policy_types == {Direction(word) for word in types}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", ()),
        ("  podSelector:\n", ()),
        ("  podSelector: {}\n", ()),
        ("  podSelector: {matchLabels: }\n", ()),
        ("  podSelector: {matchLabels: {a: b}}\n", (("a", "In", {"b"}),)),
        (
            "  podSelector: {matchExpressions: [{key: a, operator: NotIn, values: [b, c]}]}\n",
            (("a", "NotIn", {"b", "c"}),),
        ),
        (
            "  podSelector: {matchLabels: {a: b},matchExpressions: [{key: c, operator: Exists}]}\n",
            (("a", "In", {"b"}), ("c", "Exists", set())),
        ),
    ],
)
def test_missing_null_or_empty_pod_selector_has_no_requirement(
    written: str, expected: tuple[tuple[str, str, set[str]], ...]
) -> None:
    text = POLICY.replace("  podSelector: {}\n", "  policyTypes: [Ingress]\n") + written
    (policy,) = policies_of(parse(text, origin="f.yaml"))

    found = {(r.key, str(r.operator), r.values) for r in policy.pod_selector.requirements}
    assert found == {(key, word, frozenset(values)) for key, word, values in expected}


@pytest.mark.parametrize("rule", ["", "{}", "{from: []}", "{ports: []}"])
def test_rule_of_nothing_is_a_rule_for_anyone_on_any_port(rule: str) -> None:
    (policy,) = policies_of(parse(f"{POLICY}  ingress:\n  - {rule}\n", origin="f.yaml"))

    assert policy.ingress == (Rule(),)


@pytest.mark.parametrize(
    ("spec", "same"),
    [
        ("  ingress:\n", ""),
        ("  egress: null\n", ""),
        ("  policyTypes: ~\n", ""),
        ("  ingress:\n  - from:\n", "  ingress: [{}]\n"),
        ("  ingress:\n  - ports:\n", "  ingress: [{}]\n"),
        ("  ingress:\n  - ports: [null]\n", "  ingress: [{ports: [{}]}]\n"),
        (
            "  ingress: [{from: [{podSelector: , namespaceSelector: {}}]}]\n",
            "  ingress: [{from: [{namespaceSelector: {}}]}]\n",
        ),
    ],
)
def test_field_that_is_written_but_null_counts_as_left_out(spec: str, same: str) -> None:
    assert policies_of(parse(POLICY + spec, origin="f")) == policies_of(
        parse(POLICY + same, origin="f")
    )


def test_deployment_becomes_pods_with_numbers() -> None:
    topology = topology_of(parse(DEPLOYMENT, origin="f.yaml"))

    assert list(topology.pods) == ["shop/web-1", "shop/web-2"]
    assert topology.pods["shop/web-2"].labels == {"app": "web"}
    assert topology.pods["shop/web-2"].ports == (ContainerPort(80, Protocol.TCP, "http"),)


def test_namespace_has_its_name_as_a_label() -> None:
    text = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {team: a}}\n"
    (space,) = topology_of(parse(text, origin="f.yaml")).namespaces.values()

    assert space.labels == {"team": "a", "kubernetes.io/metadata.name": "shop"}


def test_body_is_kept_as_written() -> None:
    (resource,) = parse(POD, origin="f.yaml")

    assert resource.body["spec"] == {"containers": [{"name": "c", "image": "nginx"}]}


def test_all_faults_of_a_file_are_reported_with_their_lines() -> None:
    second = POD.replace("metadata: {name: p", "metadata: {nmae: p")
    text = faults(f"{POLICY}  ingress:\n  - form: []\n  - ports: [{{port: 0}}]\n---\n{second}")

    assert "f.yaml:7: spec.ingress[0].form is an unknown field; did you mean `from`?" in text
    assert "f.yaml:8: spec.ingress[1].ports[0].port: 0 is not between 1 and 65535" in text
    assert "f.yaml:12: metadata.nmae is an unknown field; did you mean `name`?" in text


INGRESS = POLICY + "  ingress:\n  - "


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (INGRESS + "from: [{}]", "spec.ingress[0].from[0] must have a podSelector"),
        (INGRESS + "from: [{podSelector: }]", "must have a podSelector, a namespaceSelector or"),
        (INGRESS + "from: [{podSelector: {}, ipBlock: {cidr: 10.0.0.0/8}}]", "at once"),
        (INGRESS + "from: [{ipBlock: {cidr: 10.0.0.0/255.0.0.0}}]", "is not a valid CIDR"),
        (
            INGRESS + "from: [{ipBlock: {cidr: 10.0.0.1}}]",
            "`10.0.0.1` is not a valid CIDR: it has no",
        ),
        (
            INGRESS + "from: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}}]",
            "except[0]: 11.0.0.0/16 is not a part of 10.0.0.0/8",
        ),
        (
            INGRESS + "from: [{ipBlock: {cidr: 10.0.0.0/8, except: [10.0.0.0/8]}}]",
            "is not a part of",
        ),
        (INGRESS + "from: [{ipBlock: {cidr: 10.0.0.0/8, except: ['::/96']}}]", "not a part of"),
        (INGRESS + "ports: [{port: 65536}]", "65536 is not between"),
        (INGRESS + "ports: [{port: '80'}]", "a number is written without quotes"),
        (INGRESS + "ports: [{port: a--b}]", "`a--b` is not a valid port name"),
        (INGRESS + "ports: [{port: http, endPort: 90}]", "endPort needs a numeric port"),
        (INGRESS + "ports: [{endPort: 90}]", "endPort needs a numeric port"),
        (INGRESS + "ports: [{port: 80, endPort: 79}]", "79 is below the port, 80"),
        (INGRESS + "ports: [{port: 80, protocol: ICMP}]", "must be TCP, UDP, SCTP"),
        (INGRESS + "ports: [{port: yes}]", "must be a number or a text, not True"),
        (POLICY + "  policyTypes: [ingress]", "is `ingress`, and must be Ingress or Egress"),
        (POLICY.replace("{}", "{matchLabels: {a b: c}}"), "`a b` is not a valid label key"),
        (POLICY.replace("{}", "{matchLabels: {a: -c}}"), "`-c` is not a valid label value"),
        (POLICY.replace("{}", "{matchExpressions: [{operator: In}]}"), "has no key"),
        (POLICY.replace("{}", "{matchExpressions: [{key: a, operator: In}]}"), "needs at least"),
        (
            POLICY.replace("{}", "{matchExpressions: [{key: a, operator: Exists, values: [b]}]}"),
            "Exists takes none",
        ),
        (POLICY.replace("{}", "{matchExpressions: [{key: a, operator: in}]}"), "must be one of In"),
        (POLICY.replace(", namespace: shop", ""), "has no namespace"),
        (POLICY.replace("name: p", "name: P"), "must be lower case"),
        (POLICY.replace("NetworkPolicy", "NetworkPolcy"), "did you mean NetworkPolicy?"),
        (POLICY.replace("networking.k8s.io/v1", "v1"), "must be networking.k8s.io/v1, not v1"),
        (POLICY + "  podSelector: {}", "the key `podSelector` stands twice"),
        (POD.replace("image: nginx", "ports: [{}]"), "has no containerPort"),
        (POD.replace("  - {name: c, image: nginx}", "    []"), "spec has no containers"),
        (DEPLOYMENT.replace("{app: web}}\n    spec", "{app: api}}\n    spec"), "own template"),
        (SERVICE, "spec has no ports"),
        (SERVICE + "  ports: [{port: 1}, {port: 2, name: b}]", "spec.ports[0] has no name"),
        ("- a\n", "the document is not an object"),
        ("a: [", "f.yaml:2: this is not YAML"),
        ("a: !!int x", "`x` is not a value of !!int"),
        ("a: !!python/name:os.system x", "is not known: kubectl knows !!str"),
        ("- " * 20_000, "nested more than 100 levels deep"),
        ("a: &a [*a]", "the anchor `&a` holds itself"),
        ("---\n#\n" * 5001, "more than 5000 documents"),
        ("a: &a [b, b]\nc: [" + "*a, " * 6700 + "]", "aliases repeat more than 20000 values"),
    ],
)
def test_what_the_api_server_or_a_lab_cannot_take_is_refused(text: str, expected: str) -> None:
    assert expected in faults(text)


def test_size_limit_is_the_callers_choice() -> None:
    assert "at most 10" in faults(POD, max_bytes=10)


@given(st.text(max_size=60) | st.text("{}[]-:? &*a!|>\n'\"#%1,", max_size=60))
def test_no_text_ends_in_another_error(text: str) -> None:
    try:
        found = parse(text, origin="f.yaml")
    except ManifestError:
        return
    assert found == ()


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text("ab/{} ", max_size=5),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(
                st.sampled_from(["podSelector", "ingress", "from", "ports", "port", "matchLabels"])
                | st.sampled_from(["endpointSelector", "egress", *EGRESS_PEERS, "toPorts"])
                | st.sampled_from(["matchExpressions", "key", "rules", "dns", "matchName", "cidr"]),
                inner,
                max_size=3,
            )
        ),
    )
)
def test_no_spec_ends_in_another_error(spec: object) -> None:
    for head in (POD, DEPLOYMENT, SERVICE, POLICY, CILIUM):
        text = head.partition("spec:")[0] + f"spec: {spec!r}".replace("None", "null")
        try:
            found = parse(text, origin="f.yaml")
        except ManifestError:
            continue
        assert len(found) == 1


def test_of_an_object_that_stands_twice_the_later_one_counts_as_for_kubectl() -> None:
    later = POD.replace("image: nginx", "image: nginx, ports: [{containerPort: 80}]")

    (found,) = parse(f"{POD}---\n{later}", origin="f.yaml")

    (pod,) = found.models
    assert isinstance(pod, Pod)
    assert [port.number for port in pod.ports] == [80]
    assert found.notes == ("Pod shop p of f.yaml:1 is replaced by f.yaml:8",)


def test_files_of_another_kind_are_passed_over_and_named() -> None:
    chart = File("d/my-helm.yaml", b"image: {tag: v1}\nreplicas: 3\n")

    found = read_files([File("d/pod.yaml", POD.encode()), chart])

    assert list(found) == ["pod"]
    (note,) = found.notes
    assert note.startswith("d/my-helm.yaml was passed over: nothing in it has an apiVersion")


@pytest.mark.parametrize(
    "text",
    [
        "- apiVersion: networking.k8s.io/v1\n  kind: NetworkPolicy\n",
        "metadata: {name: p}\nspec: {podSelector: {}}\n",
        "image: x\n---\napiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n",
        "replicas\n",
    ],
    ids=["a-list", "no-kind", "beside-an-object", "a-word"],
)
def test_what_may_be_a_slip_of_somebody_is_no_file_of_another_kind(text: str) -> None:
    with pytest.raises(ManifestError):
        read_files([File("d/pod.yaml", POD.encode()), File("d/odd.yaml", text.encode())])


def test_file_of_another_kind_alone_is_refused() -> None:
    with pytest.raises(ManifestError, match="the object has no kind"):
        read_files([File("d/my-helm.yaml", b"image: {tag: v1}\n")])


@pytest.mark.parametrize("kind", ["Endpoints", "EndpointSlice"])
def test_further_fields_of_endpoints_are_no_slips_of_the_read_ones(kind: str) -> None:
    version = "v1" if kind == "Endpoints" else "discovery.k8s.io/v1"
    port, address = "{port: 80, appProtocol: http}", "ip: 10.0.0.1, nodeName: n, targetRef: {}"
    subsets = f"[{{addresses: [{{{address}}}], notReadyAddresses: [], ports: [{port}]}}]"
    ends = "[{addresses: [10.0.0.1], nodeName: n, zone: z, conditions: {serving: true}}]"
    rest = f"endpoints: {ends}\nports: [{port}]\naddressType: IPv4"
    body = f"subsets: {subsets}" if kind == "Endpoints" else rest
    text = f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: e, namespace: d}}\n{body}\n"

    (found,) = parse(text, origin="f.yaml")

    assert found.kind == kind


@pytest.mark.parametrize("cidr", ["10.1.2.3/8", "010.0.0.0/8", "'::ffff:10.0.0.0/104'"])
def test_an_address_that_an_older_server_let_in_stays_on_its_cluster(cidr: str) -> None:
    text = INGRESS + f"from: [{{ipBlock: {{cidr: {cidr}}}}}]"

    with pytest.raises(ManifestError, match=r"Kubernetes 1\.36 and newer refuse this: write 10\."):
        parse(text, origin="f.yaml")
    [policy] = policies_of(parse(text, origin="the cluster", stored=True))
    block = policy.ingress[0].peers[0].ip_block
    assert block
    assert str(block.cidr) == "10.0.0.0/8"


def test_of_many_files_the_message_counts_those_that_it_does_not_name() -> None:
    files = [File(f"{name}.yaml", b"kind: [") for name in "abcd"]

    with pytest.raises(ManifestError) as caught:
        read_files(files)

    assert caught.value.where == "a.yaml, b.yaml, c.yaml, and 1 more"
