"""What lies beside manifests: values of charts, templates, kustomizations; none hides a policy."""

from __future__ import annotations

import pytest

from harness.core.manifests.reader import File, Loaded, read_files
from harness.errors import ManifestError

POLICY = """apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: p, namespace: shop}
spec: {podSelector: {}}
"""
POD = """apiVersion: v1
kind: Pod
metadata: {name: p, namespace: shop}
spec: {containers: [{name: c, image: nginx}]}
"""
HEAD = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"


def loaded(namespace: str = "", **files: str) -> Loaded:
    """Files of the folder `d`; `__` stands for a slash."""
    return read_files(
        [File(f"d/{name.replace('__', '/')}.yaml", text.encode()) for name, text in files.items()],
        namespace=namespace,
    )


@pytest.mark.parametrize("name", ["valuestream", "chart-policy", "chartmuseum", "requirements-np"])
def test_a_manifest_with_the_name_of_a_charts_file_is_read(name: str) -> None:
    assert [each.kind for each in loaded(pod=POD, **{name: POLICY})[name]] == ["NetworkPolicy"]


@pytest.mark.parametrize("name", ["values-np", "charts"])
def test_a_fault_of_such_a_manifest_is_told(name: str) -> None:
    with pytest.raises(ManifestError, match="the key `name` stands twice"):
        loaded(pod=POD, **{name: POLICY.replace("metadata: {", "metadata: {name: q, ")})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("values", "kind: Deployment\nreplicas: 3\n"),
        ("values-prod", "image: {{ broken }\n"),
        ("Chart", "apiVersion: v2\nname: shop\nversion: 1.0.0\n"),
        ("skaffold", "apiVersion: skaffold/v4beta11\nkind: Config\n"),
        ("requirements", "dependencies: []\n"),
    ],
)
def test_what_no_cluster_gets_to_see_is_passed_over(name: str, text: str) -> None:
    found = loaded(pod=POD, **{name: text})

    assert list(found) == ["pod"]
    assert found.notes == (f"d/{name}.yaml was passed over: it holds no objects of Kubernetes",)


def test_a_template_is_refused_with_what_to_do() -> None:
    with pytest.raises(ManifestError, match="begins a template: read what `helm template` makes"):
        loaded(web="{{- if .Values.web }}\n" + POD + "{{- end }}\n")


@pytest.mark.parametrize("head", ["", HEAD])
@pytest.mark.parametrize(
    "text",
    [
        "resources: [pod.yaml, ./policy.yaml]\n",
        "namespace: shop\nresources: [pod.yaml, policy.yaml]\n",
        "resources: [pod.yaml, policy.yaml]\nconfigMapGenerator: [{name: x}]\nimages: []\n",
    ],
)
def test_a_kustomization_that_changes_nothing_is_passed_over(head: str, text: str) -> None:
    found = loaded(kustomization=head + text, pod=POD, policy=POLICY, values="a: b\n")

    assert found.unlike == ()
    assert "d/kustomization.yaml was passed over: it holds no objects of Kubernetes" in found.notes


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("namePrefix: prod-\nresources: [pod.yaml, policy.yaml]\n", "it has namePrefix"),
        (
            "resources: [pod.yaml, policy.yaml]\npatches: [{path: x.yaml}]\nimages: []\n",
            "it has patches",
        ),
        (
            "resources: [../base, pod.yaml, policy.yaml]\n",
            "it takes ../base, which was not read",
        ),
        ("resources: [pod.yaml]\n", "it leaves out policy.yaml"),
        ("resources:\n", "it leaves out pod.yaml, policy.yaml"),
        (
            "namespace: prod\nresources: [pod.yaml, policy.yaml]\n",
            "it puts everything into the namespace prod, also what is in shop",
        ),
        ("- pod.yaml\n", "it cannot be read"),
        ("resources: [\n", "it cannot be read"),
    ],
)
def test_a_kustomization_that_changes_more_is_told(text: str, why: str) -> None:
    found = loaded(kustomization=text, pod=POD, policy=POLICY)

    (told,) = found.unlike
    assert told == (
        "d/kustomization.yaml is not run, and what it builds is not what the files of its folder "
        f"say: {why}"
    )
    assert told in found.notes


def test_the_namespace_of_a_kustomization_is_not_that_of_other_folders() -> None:
    text = "namespace: shop\nresources: [pod.yaml]\n"
    found = loaded(kustomization=text, pod=POD, more__policy=POLICY)

    assert "its namespace is not that of files outside of its folder" in found.unlike[0]


def test_objects_of_which_nobody_says_where_they_are_stand_apart() -> None:
    bare = POLICY.replace(", namespace: shop", "")
    space = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"

    assert loaded(pod=POD, policy=bare).guessed == {"d/policy.yaml:1"}
    assert loaded("shop", pod=POD, policy=bare).guessed == set()
    assert loaded(pod=POD, policy=bare, space=space).guessed == set()


@pytest.mark.parametrize(
    ("value", "more"),
    [
        ("on", "are truth values, so write it in quotes"),
        ("1.10", ": write it in quotes"),
        ("80", ": write it in quotes"),
    ],
)
def test_a_label_that_is_no_text_is_refused_with_what_to_write(value: str, more: str) -> None:
    with pytest.raises(ManifestError, match=more):
        loaded(pod=POD.replace("namespace: shop", f"namespace: shop, labels: {{app: {value}}}"))
