"""Files that a grader must refuse in words: an attack of each kind, and what its refusal says."""

from __future__ import annotations

from harness.core.grading.submitting import MAX_BYTES

BEGIN = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
SPEC = "spec: {podSelector: {}}\n"
RIGHT = f"{BEGIN}metadata: {{name: a, namespace: secure-zone}}\n{SPEC}"


def with_meta(fields: str) -> bytes:
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
    "Job": _of(
        "batch/v1",
        "Job",
        "spec: {template: {spec: {restartPolicy: Never, containers: [{name: a, image: a}]}}}",
    ),
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
    "finalizers": with_meta("name: a, finalizers: [a.b/c]"),
    "owners": with_meta("name: a, ownerReferences: [{apiVersion: v1, kind: Pod, name: a, uid: a}]"),
    "a generated name": with_meta("generateName: a-"),
    "a generated name beside a name": with_meta("name: a, generateName: a-"),
    "a status": f"{RIGHT}status: {{}}\n".encode(),
    "a list as a document": b"- a\n- b\n",
    "a text as a document": b"hello\n",
    "nothing": b"",
    "a comment alone": b"# nothing\n---\n---\n",
    "an alias in an alias, thousands of times": (
        b"a: &a [x, x, x]\n" + b"".join(b"b%d: &b%d [*a, *a, *a]\n" % (n, n) for n in range(9000))
    ),
    "brackets without an end": b"[" * 100_000,
    "dashes without an end": b"- " * 30_000,
    "many documents with a fault each": b"---\na: b\n" * 20_000,
    "NUL behind a right policy": RIGHT.encode() + b"\0",
    "a Python object beside a right policy": f"{RIGHT}x: !!python/tuple [a]\n".encode(),
    "a merge key that overrides a namespace": (
        f"{BEGIN}metadata: {{<<: {{name: a, namespace: kube-system}}}}\n{SPEC}".encode()
    ),
    "a Secret in a List in a List": (
        b"apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: List, items: "
        b"[{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: secure-zone}}]}]\n"
    ),
    "the gate's namespace": RIGHT.replace("secure-zone", "policylab-gate").encode(),
    "a namespace that ends by turning round": (
        RIGHT.replace("secure-zone", "'secure-zone\u202e'").encode()
    ),
    "a look-alike in the middle": RIGHT.replace("secure-zone", "sec\u0443re-zone").encode(),
    "a command in a name": RIGHT.replace("name: a", "name: '$(reboot)'").encode(),
    "a format string in a name": RIGHT.replace("name: a", "name: '{0.__class__}'").encode(),
}

SAID = {
    "a bomb of aliases": "aliases repeat",
    "an alias of itself": "holds itself",
    "deep lists": "levels deep",
    "deep mappings": "levels deep",
    "deep JSON": "bytes, and at most",
    "deep indents": "levels deep",
    "ten million bytes": "at most 262144",
    "a file over the limit": "at most 262144",
    "many documents": "more than 5000 documents",
    "binary": "control characters",
    "an image": "control characters",
    "UTF-16 without its mark": "control characters",
    "NUL": "control characters",
    "tabs": "not YAML",
    "a Python object": "is not known",
    "a Python name": "is not known",
    "another tag": "is not known",
    "a key twice": "stands twice",
    "a merge key of itself": "holds itself",
    "a merge key that hides a namespace": "unknown field",
    "a number of many digits": "metadata.name",
    "Pod": "a Pod may not be submitted",
    "Job": "a Job may not be submitted",
    "RoleBinding": "a RoleBinding may not be submitted",
    "ClusterRoleBinding": "a ClusterRoleBinding may not be submitted",
    "webhook": "may not be submitted",
    "CRD": "may not be submitted",
    "Namespace": "a Namespace may not be submitted",
    "Secret": "a Secret may not be submitted",
    "ConfigMap": "a ConfigMap may not be submitted",
    "a policy for the whole cluster": "no ingress and no egress",
    "a Pod in a List": "a Pod may not be submitted",
    "kube-system": "nothing may be in the namespace `kube-system`",
    "the canaries' namespace": "nothing may be in the namespace `policylab-canary`",
    "a namespace misspelt": "did you mean `secure-zone`?",
    "a look-alike namespace": "metadata.namespace",
    "a namespace turned round": "metadata.namespace",
    "a path as a namespace": "metadata.namespace",
    "no namespace": "has no namespace",
    "a name of 300 characters": "metadata.name",
    "a name `..`": "metadata.name",
    "a name `-rf`": "metadata.name",
    "a name `=cmd()`": "metadata.name",
    "escape sequences in a name": "metadata.name",
    "HTML in a name": "metadata.name",
    "finalizers": "metadata.finalizers",
    "owners": "metadata.ownerReferences",
    "a generated name": "has no name",
    "a generated name beside a name": "metadata.generateName",
    "a status": "may not set status",
    "a list as a document": "not an object",
    "a text as a document": "not an object",
    "nothing": "no policy",
    "a comment alone": "no policy",
    "an alias in an alias, thousands of times": "aliases repeat",
    "brackets without an end": "levels deep",
    "dashes without an end": "levels deep",
    "many documents with a fault each": "more than 5000 documents",
    "NUL behind a right policy": "control characters",
    "a Python object beside a right policy": "is not known",
    "a merge key that overrides a namespace": "nothing may be in the namespace `kube-system`",
    "a Secret in a List in a List": "a Secret may not be submitted",
    "the gate's namespace": "nothing may be in the namespace `policylab-gate`",
    "a namespace that ends by turning round": "metadata.namespace",
    "a look-alike in the middle": "metadata.namespace",
    "a command in a name": "metadata.name",
    "a format string in a name": "metadata.name",
}
"""A part of each refusal."""
