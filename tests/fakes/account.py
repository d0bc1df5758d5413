"""The API as a ServiceAccount meets it: what no Role of a namespace gives, is forbidden (RBAC)."""

from __future__ import annotations

from typing import Any

from harness.edge.api.kube import Object, named
from harness.errors import ContentError
from tests.fakes.kube import FakeKube


class FakeAccount(FakeKube):
    """The same objects, by the rights of one account; `changed` acts on the cluster behind it."""

    def __init__(self, cluster: FakeKube, account: str) -> None:
        super().__init__(cluster.clock)
        self._cluster, self._account = cluster, account

    def apply(self, body: Object) -> dict[str, Any]:
        self._allowed("patch", body)
        return self._cluster.apply(body)

    def delete(self, body: Object, *, grace: int | None = None) -> None:
        self._allowed("delete", body)
        self._cluster.delete(body, grace=grace)

    def _allowed(self, verb: str, body: Object) -> None:
        group = body["apiVersion"].rpartition("/")[0]
        plural = body["kind"].lower().removesuffix("y") + "ies"
        for rule in self._rules(body["metadata"]["namespace"]):
            if group in rule["apiGroups"] and plural in rule["resources"] and verb in rule["verbs"]:
                return
        raise ContentError(f"the API server refuses {named(body)}", seen=f"{verb} is forbidden")

    def _rules(self, namespace: str) -> list[dict[str, Any]]:
        objects = self._cluster.objects
        found: list[dict[str, Any]] = []
        for (kind, home, _), binding in objects.items():
            if kind != "RoleBinding" or home != namespace:
                continue
            names = (
                f"system:serviceaccount:{one['namespace']}:{one['name']}"
                for one in binding["subjects"]
                if ("ServiceAccount", one["namespace"], one["name"]) in objects
            )
            if self._account in names:
                found += objects["Role", namespace, binding["roleRef"]["name"]]["rules"]
        return found
