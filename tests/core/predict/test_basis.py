"""What an answer rests on: a declared object wins, and what is assumed or misses is told."""

from __future__ import annotations

import pytest

from harness.core.manifests.library import in_force
from harness.core.manifests.reader import File, parse, read_files
from harness.core.predict.scenario import Scenario
from harness.core.predict.surroundings import NAME_SERVERS

POD = """apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop, labels: {app: web}}
spec: {containers: [{name: c, image: i}]}
"""
SYSTEM = """apiVersion: v1
kind: Namespace
metadata: {name: kube-system, labels: {name: kube-system}}
"""
DNS = """apiVersion: apps/v1
kind: Deployment
metadata: {name: coredns, namespace: kube-system}
spec:
  replicas: 2
  selector: {matchLabels: {k8s-app: kube-dns}}
  template:
    metadata: {labels: {k8s-app: kube-dns}}
    spec: {containers: [{name: c, image: i, ports: [{containerPort: 53, protocol: UDP}]}]}
"""
POLICY = """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: shop}
spec:
  podSelector: {}
  ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}]}]
"""


def scenario(*texts: str) -> Scenario:
    return Scenario(parse("---\n".join(texts), origin="f.yaml"))


def files(**texts: str) -> Scenario:
    named = [File(f"d/{name}.yaml", text.encode()) for name, text in texts.items()]
    loaded = read_files(named)
    return Scenario(in_force(loaded, loaded), files=loaded)


def test_declared_namespace_keeps_its_labels() -> None:
    found = scenario(SYSTEM, POD)

    assert found.topology.namespaces["kube-system"].labels["name"] == "kube-system"
    assert not any("kube-system has no label" in sentence for sentence in found.basis.assumed)


def test_assumed_objects_are_named() -> None:
    assumed = " ".join(scenario(POD).basis.assumed)

    assert "the Service kube-system/kube-dns, as kubeadm makes it" in assumed
    assert "the pod kube-system/coredns" in assumed
    assert "kube-system has no label but kubernetes.io/metadata.name" in assumed


def test_declared_name_servers_take_the_place_of_the_assumed_one() -> None:
    topology = scenario(POD, DNS).topology
    servers = topology.behind(topology.services[NAME_SERVERS])

    assert [str(pod) for pod in servers] == ["kube-system/coredns-1", "kube-system/coredns-2"]
    assert "kube-system/coredns" not in topology.pods


def test_namespaces_that_every_cluster_has_are_no_unknown() -> None:
    own = POD.replace("namespace: shop", "namespace: default")

    assert scenario(own).basis.unknown == ()
    assert scenario(POD).basis.unknown == ("the labels of the namespace shop: nothing declares it",)


def test_label_that_the_api_server_adds_is_named_where_a_policy_asks_for_it() -> None:
    shop = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
    label = "each namespace bears the label kubernetes.io/metadata.name, as the API server adds it"

    assert label in scenario(shop, POD, POLICY).basis.assumed
    assert label not in scenario(shop, POD).basis.assumed


def test_label_that_a_controller_adds_is_named_where_a_policy_asks_for_it() -> None:
    ring = DNS.replace("Deployment", "StatefulSet")
    policy = POLICY.replace("podSelector: {}", "podSelector: {matchLabels: {%s: '0'}}")

    found = scenario(ring, policy % "apps.kubernetes.io/pod-index")

    assert any("the pods of a StatefulSet bear" in sentence for sentence in found.basis.assumed)


def test_address_that_an_ip_block_could_mean_is_not_known() -> None:
    block = (
        POLICY.partition("  ingress")[0] + "  ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]"
    )

    assert (
        "the addresses of 2 pods, which an ipBlock could mean" in scenario(POD, block).basis.unknown
    )


def test_kind_that_could_decide_and_is_not_read_is_named_with_its_place() -> None:
    admin = """apiVersion: policy.networking.k8s.io/v1alpha1
kind: AdminNetworkPolicy
metadata: {name: top}
"""
    found = scenario(POD, admin)

    assert found.topology.unread[0].kind == "AdminNetworkPolicy"
    assert (
        "AdminNetworkPolicy top (f.yaml:6) is not read, and it can allow or deny flows before any "
        "NetworkPolicy is asked"
    ) in found.basis.unknown


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("networking.k8s.aws/v1alpha1", "ApplicationNetworkPolicy"),
        ("networking.k8s.aws/v1alpha1", "ClusterNetworkPolicy"),
        ("networking.gke.io/v1alpha1", "FQDNNetworkPolicy"),
        ("network.openshift.io/v1", "EgressNetworkPolicy"),
        ("vpcresources.k8s.aws/v1beta1", "SecurityGroupPolicy"),
        ("kuma.io/v1alpha1", "MeshTrafficPermission"),
        ("consul.hashicorp.com/v1alpha1", "ServiceIntentions"),
        ("networking.istio.io/v1beta1", "Sidecar"),
        ("policy.linkerd.io/v1alpha1", "AuthorizationPolicy"),
        ("somebody.example.com/v1", "NetworkPolicy"),
    ],
)
def test_policy_of_somebody_else_could_decide(version: str, kind: str) -> None:
    theirs = f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: one, namespace: shop}}\n"

    assert [unread.kind for unread in scenario(POD, theirs).topology.unread] == [kind]


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("projectcalico.org/v3", "StagedNetworkPolicy"),
        ("projectcalico.org/v3", "StagedKubernetesNetworkPolicy"),
        ("k8s.cni.cncf.io/v1beta1", "MultiNetworkPolicy"),
        ("argoproj.io/v1alpha1", "Rollout"),
    ],
)
def test_kind_of_somebody_else_that_enforces_nothing_is_told_as_not_known(
    version: str, kind: str
) -> None:
    theirs = f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: one, namespace: shop}}\n"
    found = scenario(POD, theirs)

    assert found.topology.unread == ()
    assert (
        f"passed over, for their kinds are not known: 1 objects ({kind} 1): what they bring, such "
        "as pods, is not known either"
    ) in found.basis.notes


def test_what_was_passed_over_is_counted_once() -> None:
    account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: %s}\n"
    more = POD.replace("name: c,", "livenessProbe: {}, name: c,").replace("name: web", "name: api")

    notes = files(
        a=account % "a", b=account % "b" + "---\n" + more, values="a: b", c=POD
    ).basis.notes

    assert "passed over, for they decide no flow: 2 objects (ServiceAccount 2)" in notes
    assert "passed over, for they decide no flow: the fields livenessProbe" in notes
    assert "d/values.yaml was passed over: it holds no objects of Kubernetes" in notes


def test_finished_pods_and_many_replicas_are_told_of() -> None:
    done = POD + "status: {phase: Succeeded}\n"
    many = DNS.replace("replicas: 2", "replicas: 3000000")

    found = scenario(done, many)

    assert "shop/web" not in found.topology.pods
    assert "Pod shop web has ended (Succeeded) and takes no part" in found.basis.notes
    assert (
        "Deployment kube-system coredns has 3000000 pods, which are alike, and is read as 100"
        in found.basis.notes
    )


def test_namespace_of_objects_that_state_none_is_told_with_the_reason() -> None:
    bare = POD.replace(", namespace: shop", "")
    shop = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
    kustomized = "kind: Kustomization\nnamespace: boutique\n"

    def told(found: Scenario) -> str:
        return next(s for s in found.basis.assumed if s.startswith("objects that state"))

    assert "in `default`: kubectl takes it where nothing is said" in told(files(a=bare))
    assert "in `shop`: it is the only one that is declared" in told(files(a=bare, b=shop))
    assert "in `boutique`: kustomization.yaml says so" in told(
        files(a=bare, b=shop, kustomization=kustomized)
    )
    assert not any(s.startswith("objects that") for s in files(a=POD).basis.assumed)


def test_lines_say_of_what_kind_each_sentence_is() -> None:
    lines = list(scenario(POD).basis.lines())

    assert any(line.startswith("assumed: ") for line in lines)
    assert any(line.startswith("not known: ") for line in lines)
    assert scenario(POD).basis.document().keys() == {"assumed", "unknown", "notes"}
