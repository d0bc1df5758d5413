"""The account by which policies of others reach a cluster, and the proof that they are gone.

Policies of a submission are applied with the rights of a ServiceAccount that may write the
assignment's kinds in the assignment's namespaces, and may do nothing else. So a fault of the reader
that let another object through would end at the API server.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from harness.core.grading.world import ELSEWHERE
from harness.core.manifests.library import POLICY_APIS
from harness.core.manifests.reader import Resource
from harness.edge.api.kube import Kube, Object, named
from harness.edge.api.namespaces import OWNER, wait_gone
from harness.edge.probe.doors import Doors
from harness.errors import ClusterNotReady

NAME = "policylab-submissions"
MARK = {"policylab/submission": "applied"}
"""The label of what a submission brought, by which a later run finds what a killed one left."""
ACCOUNT = f"system:serviceaccount:{ELSEWHERE}:{NAME}"
"""The account's name as the API server has it."""
VERBS = ("create", "patch")
"""What the account may do: policylab applies by a patch (KEP-555). It looks and removes itself."""
_RBAC = "rbac.authorization.k8s.io"


class Account:
    """Writes the policies of one submission at a time.

    It may write `kinds` in `namespaces`. `spaces` are all namespaces of the assignment, in which
    no policy of any of the CNI's kinds, `all_kinds`, may be before a submission and after it.
    """

    def __init__(
        self,
        kube: Kube,
        doors: Doors,
        *,
        namespaces: Iterable[str],
        kinds: Iterable[str],
        spaces: Iterable[str],
        all_kinds: Iterable[str],
    ) -> None:
        self._kube, self._doors = kube, doors
        self._namespaces, self._kinds = sorted(namespaces), sorted(kinds)
        self._spaces, self._all_kinds = frozenset(spaces), sorted(all_kinds)
        self._hand: Kube | None = None

    def open(self) -> None:
        """Make the account, with its rights in each namespace; the namespaces must be there.

        Raises:
            ClusterNotReady: the API does not answer.
            ContentError: the API server refuses one of these objects.
        """
        for body in _rights(self._namespaces, self._kinds):
            self._kube.apply(body)
        self._hand = self._doors.acting_as(ACCOUNT)

    def apply(self, policies: Sequence[Resource]) -> None:
        """Make these policies, of which none may be there.

        Raises:
            ClusterNotReady: the API does not answer.
            ContentError: the API server refuses one; its words are in the message.
        """
        assert self._hand is not None  # noqa: S101 - `open` comes first
        for policy in policies:
            body = copy.deepcopy(dict(policy.body))
            labels = body["metadata"].get("labels") or {}
            body["metadata"]["labels"] = {**labels, **MARK}
            self._hand.apply(body)

    def clear(self) -> None:
        """Remove all policies of submissions, and see that none is left.

        Raises:
            ClusterNotReady: the API does not answer, or a policy does not go.
        """
        found = self.left()
        for body in found:
            self._kube.delete(body)
        if not found:
            return
        wait_gone(self._kube, found)
        if left := self.left():
            raise ClusterNotReady(
                "policies of a submission are still there after they were deleted",
                where=self._kube.where,
                seen=", ".join(map(named, left)),
                try_="delete them, and see who makes them again",
            )

    def left(self) -> list[Object]:
        """The policies in the assignment's namespaces, whoever made them, and those of ours.

        Raises:
            ClusterNotReady: the API does not answer.
        """
        return [
            {"apiVersion": POLICY_APIS[kind], "kind": kind, **body}
            for kind in self._all_kinds
            for body in self._kube.list(POLICY_APIS[kind], kind)
            if body["metadata"].get("namespace") in self._spaces
            or (body["metadata"].get("labels") or {}).items() >= MARK.items()
        ]

    def close(self) -> None:
        """Remove the account with its rights.

        Raises:
            ClusterNotReady: the API does not answer.
        """
        for body in reversed([*_rights(self._namespaces, self._kinds)]):
            self._kube.delete(body)


def _rights(namespaces: Iterable[str], kinds: Sequence[str]) -> Iterator[dict[str, Any]]:
    meta = {"namespace": ELSEWHERE, "name": NAME, "labels": OWNER}
    yield {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": meta,
        "automountServiceAccountToken": False,
    }
    rules = [
        {
            "apiGroups": [POLICY_APIS[kind].partition("/")[0]],
            "resources": [f"{kind.lower().removesuffix('y')}ies"],
            "verbs": list(VERBS),
        }
        for kind in kinds
    ]
    for namespace in namespaces:
        meta = {"namespace": namespace, "name": NAME, "labels": OWNER}
        yield {"apiVersion": f"{_RBAC}/v1", "kind": "Role", "metadata": meta, "rules": rules}
        yield {
            "apiVersion": f"{_RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": meta,
            "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": NAME},
            "subjects": [{"kind": "ServiceAccount", "namespace": ELSEWHERE, "name": NAME}],
        }
