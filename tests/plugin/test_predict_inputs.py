"""What `predict` reads: each answer is that of a cluster with these manifests, or it is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import ContentError, HarnessError
from harness.plugin.reach.offline import Predictions
from harness.plugin.reach.saying import Flows

SPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
POD = """---
apiVersion: v1
kind: Pod
metadata: {name: NAME, namespace: shop, labels: {app: NAME}}
spec: {containers: [{name: c, image: i, ports: [{containerPort: 80, name: http}]}]}
"""
SHOP = SPACE + POD.replace("NAME", "web") + POD.replace("NAME", "db")
POLICY = """---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: shop}
spec: SPEC
"""
CLOSED = POLICY.replace("SPEC", "{podSelector: {}, policyTypes: [Ingress]}")
OPEN = POLICY.replace("SPEC", "{podSelector: {}, ingress: [{}]}")
CRON = """---
apiVersion: batch/v1
kind: CronJob
metadata: {name: web, namespace: shop}
spec:
  schedule: "@daily"
  jobTemplate:
    spec:
      template:
        metadata: {labels: {app: nightly}}
        spec: {restartPolicy: Never, containers: [{name: c, image: i}]}
"""
DEPLOYMENT = """---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: i}]}
"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files of a folder; `__` stands for a slash, and the suffix is .yaml."""

    def write(folder: str = "k8s", /, **files: str) -> Path:
        for name, text in files.items():
            path = tmp_path / folder / f"{name.replace('__', '/')}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return write


def is_open(flows: Flows) -> bool:
    """Whether web reaches db; whatever else is so is an error."""
    try:
        return flows("shop/web").to("shop/db:80").is_open()
    except AssertionError:
        assert flows("shop/web").to("shop/db:80").is_blocked()
        return False


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(HarnessError) as caught:
        call()
    return str(caught.value)


def test_of_two_objects_of_one_name_the_one_counts_that_is_named_later(write: Write) -> None:
    predict = Predictions(write(z_closed=SHOP + CLOSED, a_open=OPEN))
    closed, opened = "k8s/z_closed.yaml", "k8s/a_open.yaml"

    assert is_open(predict(closed, opened))
    assert not is_open(predict(opened, closed))
    assert is_open(predict(*[SHOP] * 9, CLOSED, OPEN))
    assert not is_open(predict("k8s/"))


def test_files_of_a_folder_are_applied_in_kubectls_order(write: Write) -> None:
    """`a-b.yaml` comes before `a.yaml`, although `a` comes before `a-b`."""
    home = write(a=SHOP + OPEN)
    (home / "k8s" / "a-b.yaml").write_text(CLOSED, encoding="utf-8")

    assert is_open(Predictions(home)("k8s/"))


@pytest.mark.parametrize(
    "given",
    [
        (SHOP + CLOSED).encode(),
        (SHOP + CLOSED).replace("\n", "\r\n"),
        (SHOP + CLOSED).encode("utf-16"),
    ],
)
def test_text_of_a_program_is_read_with_or_without_its_encoding(
    given: str | bytes, tmp_path: Path
) -> None:
    assert not is_open(Predictions(tmp_path)(given))


def test_json_of_one_line_is_a_text_and_no_path(tmp_path: Path) -> None:
    more = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x" * 200}})

    assert is_open(Predictions(tmp_path)(SHOP, more, namespace="shop"))


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("", "text 1 of the manifests is empty"),
        (b"\n", "text 1 of the manifests is empty"),
        ("# Source: empty.yaml\n---\n", "nothing that was read is an object of Kubernetes"),
        (["a.yaml"], "handed over with a star"),
        (None, "each an argument of its own"),
        ("nowhere/", "a path is relative to pytest's root folder"),
        ("x" * 5000, "there is no such folder or file"),
        ("{{- if .Values.web }}\nkind: Pod\n{{- end }}\n", "read what `helm template` makes of it"),
        ("Error: chart not found\n", "the object has no kind"),
    ],
)
def test_what_is_no_manifest_is_refused_in_words(given: object, why: str, tmp_path: Path) -> None:
    assert why in refused(lambda: Predictions(tmp_path)(given))  # type: ignore[arg-type]


def test_folder_of_a_chart_is_refused_with_what_to_do(write: Write) -> None:
    home = write("chart", Chart="apiVersion: v2\nname: x\n", templates__web="{{ x }}")
    (home / "chart" / "values.yaml").write_text("a: b\n", encoding="utf-8")

    assert "hand over what `helm template` makes" in refused(lambda: Predictions(home)("chart"))


def test_folders_in_a_folder_are_neither_read_nor_left_out_without_a_word(write: Write) -> None:
    predict = Predictions(write(shop=SHOP, policies__closed=CLOSED))

    told = refused(lambda: predict("k8s/"))
    assert "does not say whether they count" in told
    assert "policies/closed.yaml" in told
    assert is_open(predict("k8s/", recursive=False))
    assert not is_open(predict("k8s/", recursive=True))
    assert not is_open(predict("k8s/shop.yaml", "k8s/policies"))


def test_link_to_nowhere_is_refused_as_kubectl_does(write: Write) -> None:
    home = write(shop=SHOP)
    (home / "k8s" / "closed.yaml").symlink_to("../gone/closed.yaml")

    assert "a link to ../gone/closed.yaml" in refused(lambda: Predictions(home)("k8s/"))


def test_kustomization_is_read_only_where_it_changes_nothing(write: Write) -> None:
    head = "resources: [shop.yaml, closed.yaml]\n"
    predict = Predictions(write(shop=SHOP, closed=CLOSED, kustomization=head))

    assert not is_open(predict("k8s/"))
    write(kustomization="resources: [shop.yaml]\n")
    told = refused(lambda: predict("k8s/"))
    assert "it leaves out closed.yaml" in told
    assert "predict(TEXT), where TEXT is the output of `kustomize build FOLDER`" in told
    (predict.home / "k8s" / "kustomization.yaml").rename(predict.home / "k8s" / "Kustomization")
    assert "Kustomize is not run" in refused(lambda: predict("k8s/"))


def test_patch_of_kustomize_is_no_manifest_with_faults(write: Write) -> None:
    patch = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3}\n"
    predict = Predictions(write(patch=patch, kustomization="patches: [{path: patch.yaml}]\n"))

    told = refused(lambda: predict("k8s/"))
    assert "spec has no selector" in told
    assert "the output of `kustomize build FOLDER`" in told


def test_nobody_guesses_where_a_policy_is(tmp_path: Path) -> None:
    """`helm template -n shop` states the namespace of some objects, and leaves others to helm."""
    bare = SHOP.removeprefix(SPACE) + CLOSED.replace(", namespace: shop", "")
    predict = Predictions(tmp_path)

    told = refused(lambda: predict(bare))
    assert "some objects state no namespace, and others do" in told
    assert 'namespace="shop", or namespace="default"' in told
    assert not is_open(predict(bare, namespace="shop"))
    assert is_open(predict(bare, namespace="default"))


def test_without_any_namespace_all_is_in_default(tmp_path: Path) -> None:
    bare = (SHOP.removeprefix(SPACE) + CLOSED).replace(", namespace: shop", "")

    assert Predictions(tmp_path)(bare)("default/web").to("default/db:80").is_blocked()


def test_workloads_of_one_name_are_all_meant(tmp_path: Path) -> None:
    closed = POLICY.replace("SPEC", "{podSelector: {matchLabels: {app: web}}}")
    flows = Predictions(tmp_path)(SHOP.replace("web", "ui"), DEPLOYMENT, CRON, closed)

    with pytest.raises(AssertionError, match=r"shop/web-1:80 is blocked"):
        flows("shop/ui").to("shop/web:80").is_open()
    with pytest.raises(AssertionError, match=r"shop/web-2:80 is open"):
        flows("shop/ui").to("shop/web:80").is_blocked()


def test_pods_of_a_workload_and_each_other_are_not_asked_about_themselves(tmp_path: Path) -> None:
    two = DEPLOYMENT.replace("replicas: 1", "replicas: 2")
    flows = Predictions(tmp_path)(SPACE, two, CLOSED)

    assert flows("shop/web").to("shop/web:80").is_blocked()
    assert flows("shop/web-1").to("shop/web-1:80").is_open()


def test_policies_that_a_cni_does_not_enforce_have_no_verdict_for_it(tmp_path: Path) -> None:
    theirs = """---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: p, namespace: shop}
spec: {endpointSelector: {}, ingress: [{}]}
"""
    predict = Predictions(tmp_path)

    assert not is_open(predict(SHOP + theirs))
    assert not is_open(predict(SHOP + theirs, cni="cilium"))
    assert "Calico does not enforce" in refused(lambda: predict(SHOP + theirs, cni="calico"))


@pytest.mark.parametrize("cni", ["", "calico", "cilium"])
def test_name_of_which_nobody_knows_whether_it_exists_has_no_verdict(
    tmp_path: Path, cni: str
) -> None:
    flows = Predictions(tmp_path)(SHOP, cni=cni)

    told = refused(lambda: flows("shop/web").to("name/exmaple.com:443").is_open())
    assert "nothing here tells whether exmaple.com exists" in told
    assert "write an address: .to('net/ADDRESS:PORT')" in told


def test_name_in_a_namespace_that_no_manifest_is_about_has_no_verdict(tmp_path: Path) -> None:
    flows = Predictions(tmp_path)(SHOP)("shop/web")

    assert flows.does_not_resolve("cache.shop.svc.cluster.local")
    told = refused(lambda: flows.does_not_resolve("cache.shpo.svc.cluster.local."))
    assert "no manifest is about the namespace shpo" in told


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("shop/db", "write shop/db:PORT"),
        ("db:80", "write NAMESPACE/db:80"),
        ("shop/db:http", "a port is a number here"),
        ("http://db.shop/x", "write name/db.shop:80"),
        ("https://db.shop:8443", "write name/db.shop:8443"),
        ("db.shop.svc:80", "write name/db.shop.svc:80"),
        ("10.0.0.7:80", "write net/10.0.0.7:80"),
        ("net/10.0.0.7", "write net/10.0.0.7:PORT"),
        ("2001:db8::7", "write net/[2001:db8::7]:PORT"),
        ("deploy/shop/db:80", "write shop/db:80"),
        ("shop/db:80/TCP", "did you mean `pod/shop/db:80`?"),
        ("shop/dbb:80", "did you mean `shop/db`?"),
        ("shop/front:80", "write svc/shop/front:PORT"),
        ("shop/roll:80", "shop/roll is a Rollout, and of that kind nobody knows what pods"),
        ("shop/none:80", "the workload shop/none has no pods"),
        (80, "the ends of a flow are texts"),
    ],
)
def test_target_in_a_form_of_other_programs_is_refused_with_what_to_write(
    tmp_path: Path, target: str, why: str
) -> None:
    more = """---
apiVersion: v1
kind: Service
metadata: {name: front, namespace: shop}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: argoproj.io/v1alpha1
kind: Rollout
metadata: {name: roll, namespace: shop}
"""
    none = DEPLOYMENT.replace("name: web", "name: none").replace("replicas: 1", "replicas: 0")
    flows = Predictions(tmp_path)(SHOP + more + none)("shop/web")

    assert why in refused(lambda: flows.to(target).is_blocked())


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("web", "write NAMESPACE/NAME, as in default/web"),
        ("10.0.0.7", "write an address outside as net/10.0.0.7"),
        ("net/2001:db8::7", "net/[2001:db8::7]"),
        ("deploy/shop/web", "write shop/web"),
        ("pod/shop/web", "write shop/web"),
        ("svc/shop/web", "a Service sends nothing"),
        (None, "the ends of a flow are texts"),
    ],
)
def test_client_in_a_form_of_other_programs_is_refused_with_what_to_write(
    tmp_path: Path, source: str, why: str
) -> None:
    flows = Predictions(tmp_path)(SHOP)

    assert why in refused(lambda: flows(source).to("shop/db:80").is_blocked())


@pytest.mark.parametrize("name", ["http://db", "db:80", ""])
def test_what_is_no_name_is_not_looked_up(tmp_path: Path, name: str) -> None:
    flows = Predictions(tmp_path)(SHOP)("shop/web")

    assert "is no name of DNS" in refused(lambda: flows.does_not_resolve(name))


LIST = "# see docs/policies.md\n- {from: shop/web, to: pod/shop/db:80}\n"


def test_comment_of_a_list_names_no_namespace(write: Write) -> None:
    home = write(".", flows=LIST)
    flows = Predictions(home)(SHOP, OPEN.replace("{}]", "{from: [{podSelector: {}}]}]"))

    with pytest.raises(AssertionError, match=r"shop/db -> pod/shop/web:80 is open"):
        flows.matrix("flows.yaml")
    with pytest.raises(AssertionError):
        flows.matrix("flows.yaml", namespaces="shop")
    told = refused(lambda: flows.matrix("flows.yaml", namespaces=["shop", "shpo"]))
    assert "the matrix has no pods in shpo" in told


def test_matrix_that_compares_nothing_is_an_error(write: Write) -> None:
    home = write(".", flows="[]\n")
    silent = SHOP.replace(", ports: [{containerPort: 80, name: http}]", "")

    told = refused(lambda: Predictions(home)(silent).matrix("flows.yaml", namespaces=["shop"]))
    assert "the matrix has nothing to compare" in told


def test_matrix_asks_the_ports_to_which_a_service_leads(write: Write) -> None:
    """A pod need not declare the ports on which it listens."""
    home = write(".", flows="[]\n")
    silent = SHOP.replace(", ports: [{containerPort: 80, name: http}]", "")
    service = """---
apiVersion: v1
kind: Service
metadata: {name: front, namespace: shop}
spec: {selector: {app: db}, ports: [{port: 80, targetPort: 8080}]}
"""
    flows = Predictions(home)(silent + service)

    with pytest.raises(AssertionError, match=r"shop/web -> pod/shop/db:8080 is open"):
        flows.matrix("flows.yaml", namespaces=["shop"])


def test_error_of_an_input_is_one_of_ours(tmp_path: Path) -> None:
    with pytest.raises(ContentError):
        Predictions(tmp_path)()
