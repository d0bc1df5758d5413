"""What an earlier run left standing, and whether this run can go on with it.

Pods start slowly, and policies change fast. So a run on a cluster of policylab leaves its workloads
to the next run, as the gate leaves its canaries. An object is taken over only if it is exactly as
this run would make it: the fingerprint of its manifest stands on it, nobody else changed it, and a
pod runs without a restart, with its prober. A namespace with anything else in it is made anew.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from hashlib import sha256
from typing import Any

from harness.core.manifests.library import POLICY_APIS
from harness.core.manifests.reader import Resource
from harness.edge.api.kube import FIELD_MANAGER, Kube, Object
from harness.edge.api.replicas import owner_of
from harness.edge.probe.beside import is_at_work

APPLIED = "policylab/applied"
"""The annotation with the fingerprint of the manifest by which an object was made."""

KINDS = (
    ("v1", "ConfigMap"),
    ("v1", "Service"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "ReplicaSet"),
    ("v1", "Pod"),
)
"""What a lab's namespace may hold; owners come before what they own."""
MANAGERS = frozenset({FIELD_MANAGER, "kube-controller-manager"})
"""Who may have written an object: policylab, and controllers that number a rollout."""
AUTOMATIC = frozenset({("ConfigMap", "kube-root-ca.crt")})
"""What every namespace has without anybody's doing."""

Key = tuple[str, str, str]


def stamped(body: dict[str, Any]) -> dict[str, Any]:
    """The object, changed in place, with the fingerprint of all that it says."""
    text = json.dumps(body, sort_keys=True)
    annotations = body["metadata"].setdefault("annotations", {})
    annotations[APPLIED] = sha256(text.encode()).hexdigest()[:16]
    return body


class Keeping:
    """Looks at one tutorial's namespaces; `made` are its workloads, each as it would be applied.

    `kinds` are the kinds of policy that the CNI enforces.
    """

    def __init__(
        self, kube: Kube, made: Iterable[tuple[Resource, Object]], kinds: Collection[str]
    ) -> None:
        self._kube = kube
        self._kinds = kinds
        self._made: dict[Key, dict[str, Resource]] = {}
        for resource, body in made:
            self._made.setdefault(resource.key, {})[_fingerprint(body)] = resource

    def standing(self, namespace: str) -> dict[Key, Resource] | None:
        """The namespace and its workloads, if all of them are as this run would make them.

        Policies are removed: they belong to a state, and this run begins with none. None where the
        namespace, or anything in it, is not as it should be; nothing where it does not exist.
        """
        space = self._kube.get("v1", "Namespace", namespace)
        if space is None:
            return {}
        found = self._workloads(space, namespace)
        if found is not None:
            for kind in sorted(self._kinds):
                for policy in self._kube.list(POLICY_APIS[kind], kind, namespace):
                    self._kube.delete(policy)
        return found

    def _workloads(self, space: Object, namespace: str) -> dict[Key, Resource] | None:
        own = self._taken({"kind": "Namespace", **space})
        if own is None:
            return None
        found = {own.key: own}
        ours: set[str] = set()  # the uids of what is taken over, and of what that owns
        for api_version, kind in KINDS:
            for listed in self._kube.list(api_version, kind, namespace):
                body = {"kind": kind, **listed}
                meta = body["metadata"]
                if (kind, meta["name"]) in AUTOMATIC:
                    continue
                if kind == "Pod" and not is_at_work(body):
                    return None
                if owner_of(body) not in ours:
                    taken = self._taken(body)
                    if taken is None:
                        return None
                    found[taken.key] = taken
                ours.add(meta["uid"])
        return found

    def _taken(self, body: Object) -> Resource | None:
        """The resource of ours that this object was made from, if nobody changed it since."""
        meta = body["metadata"]
        if "deletionTimestamp" in meta or set(_writers(meta)) - MANAGERS:
            return None
        key = (body["kind"], meta.get("namespace") or "", meta["name"])
        return self._made.get(key, {}).get(_fingerprint(body))


def _fingerprint(body: Object) -> str:
    return str((body["metadata"].get("annotations") or {}).get(APPLIED, ""))


def _writers(meta: Mapping[str, Any]) -> Iterator[str]:
    """Who wrote the object itself (KEP-555), other than its status and its ephemeral containers."""
    for field in meta.get("managedFields") or ():
        if not field.get("subresource"):
            yield str(field["manager"])
