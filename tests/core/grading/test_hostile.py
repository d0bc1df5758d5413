from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from harness.core.grading.model import Assignment, Submission
from harness.core.grading.submitting import MAX_BYTES, read_submission
from harness.core.manifests.reader import File

BEGIN = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
SPEC = "spec: {podSelector: {}}\n"
RIGHT = f"{BEGIN}metadata: {{name: a, namespace: secure-zone}}\n{SPEC}"


def _meta(fields: str) -> bytes:
    return f"{BEGIN}metadata: {{namespace: secure-zone, {fields}}}\n{SPEC}".encode()


def _of(version: str, kind: str, more: str = "") -> bytes:
    name = "metadata: {name: a, namespace: secure-zone}"
    return f"apiVersion: {version}\nkind: {kind}\n{name}\n{more}".encode()


BOMB = "a0: &a0 [x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)
ATTACKS = {
    "a bomb of aliases": BOMB.encode(),
    "an alias of itself": f"{RIGHT}x: &x [*x]\n".encode(),
    "deep lists": b"a: " + b"[" * 100_000,
    "deep mappings": b"{a: " * 50_000,
    "deep JSON": b'{"a":' * 100_000,
    "deep indents": "".join(f"{' ' * n}a:\n" for n in range(600)).encode(),
    "ten million bytes": b"#" * 10_000_000,
    "a file over the limit": RIGHT.encode() + b"#" * MAX_BYTES,
    "many documents": b"--- \n" * 40_000 + b"a: 1",
    "binary": bytes(range(256)) * 20,
    "an image": b"\x89PNG\r\n\x1a\n" + b"\0" * 100,
    "UTF-16 without its mark": RIGHT.encode("utf-16-le"),
    "NUL": RIGHT.replace("name: a", 'name: "a\0b"').encode(),
    "tabs": RIGHT.replace("spec: ", "spec:\n\t").encode(),
    "a Python object": b"!!python/object/apply:os.system [exit 3]",
    "a Python name": RIGHT.replace("name: a", "name: !!python/name:os.system ''").encode(),
    "another tag": RIGHT.replace("name: a", "name: !x a").encode(),
    "a key twice": f"{RIGHT}{SPEC}".encode(),
    "a merge key of itself": f"{BEGIN}metadata: &m {{<<: *m, name: a}}\n{SPEC}".encode(),
    "a merge key that hides a namespace": (
        f"x: &x {{namespace: kube-system}}\n{BEGIN}metadata: {{<<: *x, name: a}}\n{SPEC}".encode()
    ),
    "a number of many digits": RIGHT.replace("name: a", f"name: {'9' * 9_000}").encode(),
    "Pod": _of("v1", "Pod", "spec: {containers: [{name: a, image: a}]}"),
    "Job": _of("batch/v1", "Job", "spec: {}"),
    "RoleBinding": _of("rbac.authorization.k8s.io/v1", "RoleBinding"),
    "ClusterRoleBinding": _of("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"),
    "webhook": _of("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"),
    "CRD": _of("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    "Namespace": b"apiVersion: v1\nkind: Namespace\nmetadata: {name: secure-zone}\n",
    "Secret": _of("v1", "Secret", "stringData: {a: b}"),
    "ConfigMap": _of("v1", "ConfigMap"),
    "a policy for the whole cluster": (
        b"apiVersion: cilium.io/v2\nkind: CiliumClusterwideNetworkPolicy\n"
        b"metadata: {name: a}\nspec: {endpointSelector: {}, ingress: []}\n"
    ),
    "a Pod in a List": (
        b"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n"
        b"  metadata: {name: a, namespace: secure-zone}\n  spec: {containers: [{name: a}]}\n"
    ),
    "kube-system": RIGHT.replace("secure-zone", "kube-system").encode(),
    "the canaries' namespace": RIGHT.replace("secure-zone", "policylab-canary").encode(),
    "a namespace misspelt": RIGHT.replace("secure-zone", "secure-zones").encode(),
    "a look-alike namespace": RIGHT.replace("secure-zone", "s\u0435cure-zone").encode(),
    "a namespace turned round": RIGHT.replace("secure-zone", "\u202eenoz-eruces").encode(),
    "a path as a namespace": RIGHT.replace("secure-zone", "../../kube-system").encode(),
    "no namespace": RIGHT.replace(", namespace: secure-zone", "").encode(),
    "a name of 300 characters": RIGHT.replace("name: a", f"name: {'a' * 300}").encode(),
    "a name `..`": RIGHT.replace("name: a", 'name: ".."').encode(),
    "a name `-rf`": RIGHT.replace("name: a", 'name: "-rf"').encode(),
    "a name `=cmd()`": RIGHT.replace("name: a", 'name: "=cmd()"').encode(),
    "escape sequences in a name": RIGHT.replace("name: a", r'name: "\e[2Ja"').encode(),
    "HTML in a name": RIGHT.replace("name: a", 'name: "<script>x</script>"').encode(),
    "finalizers": _meta("name: a, finalizers: [a.b/c]"),
    "owners": _meta("name: a, ownerReferences: [{apiVersion: v1, kind: Pod, name: a, uid: a}]"),
    "a generated name": _meta("generateName: a-"),
    "a generated name beside a name": _meta("name: a, generateName: a-"),
    "a status": f"{RIGHT}status: {{}}\n".encode(),
    "a list as a document": b"- a\n- b\n",
    "a text as a document": b"hello\n",
    "nothing": b"",
    "a comment alone": b"# nothing\n---\n---\n",
}


@pytest.fixture
def submitted(assignment: Callable[[str], Assignment]) -> Callable[[bytes], Submission]:
    lab12 = assignment("lab12")
    return lambda data: read_submission(lab12, "eve", [File("eve.yaml", data)])


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_in_words_and_at_once(
    attack: str, submitted: Callable[[bytes], Submission]
) -> None:
    began = time.monotonic()

    found = submitted(ATTACKS[attack])

    assert found.problem
    assert not found.resources
    assert "eve.yaml" in found.problem or found.problem == "there is no policy in it"
    assert "Traceback" not in found.problem
    assert len(found.problem) < 5_000
    assert time.monotonic() - began < 10


def test_the_right_policy_next_to_all_attacks_is_taken(
    submitted: Callable[[bytes], Submission],
) -> None:
    assert submitted(RIGHT.encode()).problem == ""
    assert submitted(RIGHT.encode("utf-16")).problem == ""


def test_script_in_an_annotation_is_data(submitted: Callable[[bytes], Submission]) -> None:
    found = submitted(_meta('name: a, annotations: {a: "<script>\\e[2J</script>"}'))

    assert found.problem == ""


def test_a_refusal_names_the_line_and_the_nearest_namespace(
    submitted: Callable[[bytes], Submission],
) -> None:
    problem = submitted(ATTACKS["a namespace misspelt"]).problem

    assert "eve.yaml:1" in problem
    assert "did you mean `secure-zone`?" in problem
